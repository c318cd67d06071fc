import {
  Change,
  describe as inWords,
  inverse,
  inverses,
  merged,
  PUBLIC,
  Target,
} from '../../lambda/provisioner/core/change';

const TABLES: Target = { type: 'TABLE', schema: 'app', objects: [{ name: 'orders' }] };
const FUTURE = { creator: 'migrator', schema: 'app', objects: 'TABLES' } as const;

const grant = (on: Target, ...roles: string[]): Change => ({ kind: 'grant', privileges: ['USAGE'], on, roles });

describe('a change in words', () => {
  test.each<[Change, string]>([
    [{ kind: 'grantRole', group: 'g', roles: ['a'], admin: true }, 'grant role "g" to "a" with admin option'],
    [{ kind: 'revokeRole', group: 'g', roles: ['a'], admin: true }, 'revoke the admin option on role "g" from "a"'],
    [
      { kind: 'revoke', privileges: ['INSERT', 'SELECT'], on: TABLES, roles: ['a'] },
      'revoke INSERT, SELECT on table "orders" in schema "app" from "a" in database "here"',
    ],
    [
      { kind: 'grantFuture', privileges: ['SELECT'], on: FUTURE, roles: ['a'], grantable: true },
      'grant SELECT on tables that "migrator" creates in schema "app" to "a" with grant option in database "here"',
    ],
    [
      { kind: 'revokeFuture', privileges: ['INSERT', 'SELECT'], on: FUTURE, roles: ['a'], grantable: true },
      'revoke the grant option for INSERT, SELECT on tables that "migrator" creates in schema "app" from "a" in database "here"',
    ],
    [{ kind: 'limitConnections', role: 'a', limit: 0, was: -1 }, 'limit "a" to 0 connections'],
    [grant({ type: 'LANGUAGE', name: 'sql' }, 'a'), 'grant USAGE on language "sql" to "a" in database "here"'],
    [grant({ type: 'FOREIGN SERVER', name: 's' }, 'a'), 'grant USAGE on foreign server "s" to "a" in database "here"'],
    [grant({ type: 'TABLESPACE', name: 'fast' }, 'a'), 'grant USAGE on tablespace "fast" to "a"'],
    [grant({ type: 'PARAMETER', name: 'work_mem' }, 'a'), 'grant USAGE on parameter "work_mem" to "a"'],
    [grant({ type: 'SCHEMA', schema: 'app' }, PUBLIC, 'a'),
      'grant USAGE on schema "app" to PUBLIC, "a" in database "here"'],
    [
      grant({ type: 'TABLE', schema: 'app', objects: [{ name: 'public' }] }, 'a'),
      'grant USAGE on table "public" in schema "app" to "a" in database "here"',
    ],
  ])('%j', (change, words) => {
    expect(inWords(change, 'here')).toBe(words);
  });
});

describe('what takes a change back', () => {
  test('is about the option to pass a membership on alone, if the change is', () => {
    const [granted, revoked] = (['grantRole', 'revokeRole'] as const)
      .map((kind): Change => ({ kind, group: 'g', roles: ['a'], admin: true }));
    expect(inverse(granted)).toEqual(revoked);
    expect(inverse(revoked)).toEqual(granted);
  });

  test('takes back the last change first, and leaves out what only a removal does', () => {
    const changes: Change[] = [
      { kind: 'createRole', role: 'a', roleKind: 'user' },
      { kind: 'dropOwned', role: 'b', as: 'b' },
      { kind: 'allowLogin', role: 'a' },
    ];
    expect(inverses(changes)).toEqual([{ kind: 'forbidLogin', role: 'a' }, { kind: 'dropRole', role: 'a' }]);
  });
});

test('changes of no roles stay as they are when the same ones are one', () => {
  const login: Change = { kind: 'allowLogin', role: 'a' };
  expect(merged([login, login])).toEqual([login]);
});
