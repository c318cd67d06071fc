import {
  decodeSettings,
  declares,
  encodeSettings,
  isReset,
  milliseconds,
  roleAtLogin,
  valueOf,
  withSetting,
} from '../../lambda/provisioner/core/settings';
import type { ObservedRole } from '../../lambda/provisioner/core/plan-shared';

describe('a time of PostgreSQL', () => {
  test.each<[string, number | undefined]>([
    ['0', 0],
    ['5', 5],
    ['5ms', 5],
    [' 5 s ', 5_000],
    ['2min', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['3000us', 3],
    ['1us', undefined],
    ['', undefined],
    ['05', undefined],
    ['-1', undefined],
    ['5 weeks', undefined],
    ['x5', undefined],
    ['5x', undefined],
    ['1.5s', undefined],
    ['5S', undefined],
    ['1234567890123456', 1_234_567_890_123_456],
    ['12345678901234567', undefined],
  ])('%j is %s milliseconds', (text, expected) => {
    expect(milliseconds(text)).toBe(expected);
  });
});

describe('settings of a user', () => {
  const SETTINGS = {
    connectionLimit: 5,
    parameters: [
      { parameter: 'search_path', value: ['a', 'b'] },
      { parameter: 'statement_timeout', value: '5s' },
      { parameter: 'role', value: 'readers' },
    ],
  };
  const PROPERTIES = {
    ConnectionLimit: '5',
    Parameters: { search_path: ['a', 'b'], statement_timeout: '5s' },
    RoleAtLogin: 'readers',
  };

  test('are read as they were written', () => {
    expect(encodeSettings(SETTINGS)).toEqual(PROPERTIES);
    expect(decodeSettings('user', ['readers'], PROPERTIES)).toEqual(SETTINGS);
    expect(encodeSettings({ parameters: [] })).toEqual({});
    expect(decodeSettings('user', [], {})).toEqual({ parameters: [] });
    expect(decodeSettings('user', [], undefined)).toBeUndefined();
    expect(decodeSettings('role', [], undefined)).toBeUndefined();
  });

  test.each<[string, 'user' | 'role', unknown]>([
    ['Settings {} is not allowed: members do not inherit the settings of a group role, which has no sessions of its own; declare them on its members',
      'role', {}],
    ['Settings.RoleAtLogin "readers" is not allowed: the user is not a member of it; add it to MemberOf', 'user',
      { RoleAtLogin: 'readers' }],
    ['property "More" is not allowed: Settings has only ConnectionLimit, Parameters, RoleAtLogin', 'user', { More: 1 }],
    ['connection limit "0" is not allowed', 'user', { ConnectionLimit: '0' }],
    ['Settings.ConnectionLimit 5 is not allowed', 'user', { ConnectionLimit: 5 }],
    ['Settings.Parameters.search_path "a" is not allowed', 'user', { Parameters: { search_path: 'a' } }],
    ['Settings.Parameters.work_mem ["a"] is not allowed', 'user', { Parameters: { work_mem: ['a'] } }],
    ['Settings.RoleAtLogin 1 is not allowed', 'user', { RoleAtLogin: 1 }],
  ])('are refused: %s', (reason, kind, value) => {
    expect(() => decodeSettings(kind, [], value)).toThrow(reason);
  });

  test('have the role at login among the parameters', () => {
    expect(roleAtLogin(SETTINGS)).toBe('readers');
    expect(roleAtLogin({ parameters: SETTINGS.parameters.slice(0, 2) })).toBeUndefined();
  });

  test('have what a change sets, or not', () => {
    const set = (parameter: string, value: string | string[]) =>
      declares(SETTINGS, { kind: 'setParameter', role: 'u', parameter, value });
    const limited = (limit: number) => declares(SETTINGS, { kind: 'limitConnections', role: 'u', limit, was: 1 });
    expect([
      set('search_path', ['a', 'b']),
      set('search_path', ['a']),
      set('datestyle', '5s'),
      set('statement_timeout', '5s'),
      limited(5),
      limited(6),
    ]).toEqual([true, false, false, true, true, false]);
  });

  test('are reset by a change without a value, or without a limit', () => {
    const resets = [
      isReset({ kind: 'setParameter', role: 'u', parameter: 'x' }),
      isReset({ kind: 'setParameter', role: 'u', parameter: 'x', value: 'y' }),
      isReset({ kind: 'limitConnections', role: 'u', limit: -1, was: 1 }),
      isReset({ kind: 'limitConnections', role: 'u', limit: 1, was: -1 }),
      isReset({ kind: 'dropRole', role: 'u' }),
    ];
    expect(resets).toEqual([true, false, true, false, false]);
  });
});

describe('what the catalog stores', () => {
  test('is a list of names for a parameter that is one, and a text for any other', () => {
    expect(valueOf('search_path', '"A b", PUBLIC, "x""y",z')).toEqual(['A b', 'public', 'x"y', 'z']);
    expect(valueOf('search_path', '')).toEqual([]);
    expect(valueOf('datestyle', 'ISO, DMY')).toBe('ISO, DMY');
  });

  test('is, after a change, what that sets, for one database or for all', () => {
    const before = {
      connectionLimit: -1,
      settings: [
        { database: null, parameter: 'Search_Path', value: 'x' },
        { database: 'shop', parameter: 'search_path', value: 'y' },
        { database: null, parameter: 'datestyle', value: 'ISO' },
      ],
    } as ObservedRole;
    const [all, shop, style] = before.settings;
    expect(
      withSetting(before, { kind: 'setParameter', role: 'u', parameter: 'search_path', value: ['a"b', 'c'] }).settings,
    ).toEqual([shop, style, { database: null, parameter: 'search_path', value: '"a""b", "c"' }]);
    expect(
      withSetting(before, { kind: 'setParameter', role: 'u', database: 'shop', parameter: 'search_path' }).settings,
    ).toEqual([all, style]);
    expect(withSetting(before, { kind: 'limitConnections', role: 'u', limit: 4, was: -1 })).toEqual({
      ...before,
      connectionLimit: 4,
    });
  });
});
