import {
  actors,
  Change,
  describe as inWords,
  inverse,
  merged,
  oneByOne,
  rolesOf,
  revokerOf,
  Target,
} from '../../lambda/provisioner/core/change';

const DATABASE = { type: 'DATABASE', database: 'shop' } as const;
const TABLES: Target = { type: 'TABLE', schema: 'app', objects: [{ name: 'orders' }, { name: 'items' }] };
const FUTURE = { creator: 'migrator', schema: 'app', objects: 'TABLES' } as const;

/** One of each, with what takes it back and what it is in words. */
const CHANGES: [Change, Change | undefined, string][] = [
  [{ kind: 'createRole', role: 'a', roleKind: 'user' }, { kind: 'dropRole', role: 'a' }, 'create user "a"'],
  [{ kind: 'createRole', role: 'a', roleKind: 'role' }, { kind: 'dropRole', role: 'a' }, 'create role "a"'],
  [{ kind: 'renameRole', role: 'a', to: 'B' }, { kind: 'renameRole', role: 'B', to: 'a' }, 'rename "a" to "B"'],
  [{ kind: 'dropRole', role: 'a' }, undefined, 'drop role "a"'],
  [{ kind: 'allowLogin', role: 'a' }, { kind: 'forbidLogin', role: 'a' }, 'allow user "a" to log in'],
  [{ kind: 'forbidLogin', role: 'a' }, { kind: 'allowLogin', role: 'a' }, 'forbid "a" to log in'],
  [
    { kind: 'setParameter', role: 'a', parameter: 'work_mem', value: '1MB' },
    { kind: 'setParameter', role: 'a', parameter: 'work_mem', was: '1MB' }, 'set work_mem of "a" to "1MB"',
  ],
  [
    { kind: 'setParameter', role: 'a', parameter: 'search_path', value: ['b', 'c'], was: ['d'] },
    { kind: 'setParameter', role: 'a', parameter: 'search_path', value: ['d'], was: ['b', 'c'] },
    'set search_path of "a" to "b", "c"',
  ],
  [
    { kind: 'setParameter', role: 'a', database: 'shop', parameter: 'work_mem', was: '1MB' },
    { kind: 'setParameter', role: 'a', database: 'shop', parameter: 'work_mem', value: '1MB' },
    'reset work_mem of "a" for database "shop"',
  ],
  [{ kind: 'limitConnections', role: 'a', limit: 5, was: -1 },
    { kind: 'limitConnections', role: 'a', limit: -1, was: 5 }, 'limit "a" to 5 connections'],
  [{ kind: 'limitConnections', role: 'a', limit: -1, was: 5 },
    { kind: 'limitConnections', role: 'a', limit: 5, was: -1 }, 'remove the connection limit of "a"'],
  [{ kind: 'grantRole', group: 'g', roles: ['a'] }, { kind: 'revokeRole', group: 'g', roles: ['a'] },
    'grant role "g" to "a"'],
  [{ kind: 'grantRole', group: 'g', roles: ['a'], inherit: true }, { kind: 'revokeRole', group: 'g', roles: ['a'] },
    'grant role "g" to "a" so that its privileges are inherited'],
  [{ kind: 'grantRole', group: 'g', roles: ['a'], options: true }, undefined,
    'grant role "g" to "a" so that its privileges are inherited'],
  [{ kind: 'revokeRole', group: 'g', roles: ['a', 'b'], grantor: 'c' },
    { kind: 'grantRole', group: 'g', roles: ['a', 'b'] }, 'revoke role "g" from "a", "b"'],
  [
    { kind: 'grant', privileges: ['CONNECT', 'CREATE'], on: DATABASE, roles: ['a'], as: 'owner' },
    { kind: 'revoke', privileges: ['CONNECT', 'CREATE'], on: DATABASE, roles: ['a'], as: 'owner' },
    'grant CONNECT, CREATE on database "shop" to "a"',
  ],
  [
    { kind: 'grant', privileges: ['SELECT'], on: { ...TABLES, objects: [{ name: 'orders' }] }, roles: ['a'],
      grantable: true },
    { kind: 'revoke', privileges: ['SELECT'], on: { ...TABLES, objects: [{ name: 'orders' }] }, roles: ['a'],
      grantable: true },
    'grant SELECT on table "orders" in schema "app" to "a" with grant option in database "here"',
  ],
  [
    { kind: 'grant', privileges: ['SELECT'], on: { type: 'COLUMN', schema: 'app', table: 'orders', columns: ['id'] },
      roles: ['a'], again: true },
    { kind: 'grant', privileges: ['SELECT'], on: { type: 'COLUMN', schema: 'app', table: 'orders', columns: ['id'] }, roles: ['a'], again: true },
    'grant SELECT on column "id" of table "orders" in schema "app" to "a" again in database "here"',
  ],
  [
    { kind: 'revoke', privileges: ['SELECT'],
      on: { type: 'COLUMN', schema: 'app', table: 'orders', columns: ['id', 'n'] }, roles: ['a'] },
    { kind: 'grant', privileges: ['SELECT'],
      on: { type: 'COLUMN', schema: 'app', table: 'orders', columns: ['id', 'n'] }, roles: ['a'] },
    'revoke SELECT on columns "id", "n" of table "orders" in schema "app" from "a" in database "here"',
  ],
  [
    { kind: 'revoke', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'app' }, roles: ['a'], wasGrantable: true,
      grantor: 'b' },
    { kind: 'grant', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'app' }, roles: ['a'], grantable: true,
      grantor: 'b' },
    'revoke USAGE on schema "app" from "a" in database "here"',
  ],
  [
    { kind: 'revoke', privileges: ['USAGE'], on: { type: 'SEQUENCE', schema: 'app', objects: [{ name: 'ids' }] },
      roles: ['a'], grantable: true },
    { kind: 'grant', privileges: ['USAGE'], on: { type: 'SEQUENCE', schema: 'app', objects: [{ name: 'ids' }] },
      roles: ['a'], grantable: true },
    'revoke the grant option for USAGE on sequence "ids" in schema "app" from "a" in database "here"',
  ],
  [
    { kind: 'grantFuture', privileges: ['INSERT', 'SELECT'], on: FUTURE, roles: ['a'], as: 'migrator' },
    { kind: 'revokeFuture', privileges: ['INSERT', 'SELECT'], on: FUTURE, roles: ['a'], as: 'migrator' },
    'grant INSERT, SELECT on tables that "migrator" creates in schema "app" to "a" in database "here"',
  ],
  [
    { kind: 'revokeFuture', privileges: ['SELECT'], on: { creator: 'migrator', objects: 'TABLES' }, roles: ['a'],
      wasGrantable: true, as: 'migrator' },
    { kind: 'grantFuture', privileges: ['SELECT'], on: { creator: 'migrator', objects: 'TABLES' }, roles: ['a'],
      grantable: true, as: 'migrator' },
    'revoke SELECT on tables that "migrator" creates in all schemas from "a" in database "here"',
  ],
  [
    { kind: 'createSchema', schema: 'own', role: 'a', as: 'a' },
    { kind: 'dropSchema', schema: 'own', role: 'a', as: 'a' }, 'create schema "own" owned by "a" in database "here"',
  ],
  [
    { kind: 'dropSchema', schema: 'own', role: 'a', as: 'a' },
    { kind: 'createSchema', schema: 'own', role: 'a', as: 'a' },
    'drop the empty schema "own" of "a" in database "here"',
  ],
  [{ kind: 'reassignOwned', role: 'a', to: 'b', as: ['a', 'b'] }, undefined,
    'hand over what "a" owns to "b" in database "here"'],
  [{ kind: 'dropOwned', role: 'a', as: 'a' }, undefined,
    'take back whatever else depends on "a", which owns nothing in database "here"'],
];

/** Where what takes back what takes a change back is not that change. */
const DIFFERENT = new Map(CHANGES.flatMap(([change, back]): [Change, Change | undefined][] => {
  switch (change.kind) {
    // A removal goes on.
    case 'createRole': return [[change, undefined]];
    // The admin has granted it again.
    case 'revokeRole': return [[change, { kind: 'revokeRole', group: change.group, roles: change.roles }]];
    // What it is then is looked up again.
    case 'grantRole':
      return change.inherit ? [[change, { kind: 'grantRole', group: change.group, roles: change.roles }]] : [];
    // What was given back with the grant option is taken away with it.
    case 'revoke':
    case 'revokeFuture': return change.wasGrantable && back ? [[change, { ...back, kind: change.kind } as Change]] : [];
    default: return [];
  }
}));

describe('inverse', () => {
  test.each(CHANGES.map(([change, back, words]) => [words, change, back] as const))('%s', (_, change, back) => {
    expect(inverse(change)).toEqual(back);
  });

  test.each(CHANGES.flatMap(([change, back, words]) => (back ? [[words, change, back] as const] : [])))(
    'of what takes it back: %s',
    (_, change, back) => {
      expect(inverse(back)).toEqual(DIFFERENT.has(change) ? DIFFERENT.get(change) : change);
    },
  );
});

describe('describe', () => {
  test.each(CHANGES.map(([change, , words]) => [words, change] as const))('%s', (words, change) => {
    expect(inWords(change, 'here')).toBe(words);
  });

  test.each<[Change, string]>([
    [{ kind: 'grant', privileges: ['SELECT'], on: { ...TABLES, objects: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
      roles: ['x', 'y', 'z'] },
    'grant SELECT on tables "a", "b", "c" in schema "app" to "x", "y", "z" in database "here"'],
    [{ kind: 'grant', privileges: ['SELECT'],
      on: { ...TABLES, objects: [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }] },
      roles: ['w', 'x', 'y', 'z'] },
    'grant SELECT on 4 tables ("a", "b", "c", ...) in schema "app" to 4 roles ("w", "x", "y", ...) in database "here"'],
    [{ kind: 'grant', privileges: ['USAGE'], on: { type: 'TYPE', schema: 'app', objects: [{ name: 't' }] }, roles: ['a'] },
      'grant USAGE on type "t" in schema "app" to "a" in database "here"'],
    [{ kind: 'grant', privileges: ['EXECUTE'],
      on: { type: 'ROUTINE', schema: 'app', objects: [{ name: 'f', args: 'integer' }] }, roles: ['a'] },
    'grant EXECUTE on function "f" in schema "app" to "a" in database "here"'],
    [{ kind: 'grant', privileges: ['USAGE'], on: { type: 'FOREIGN DATA WRAPPER', name: 'w' }, roles: ['a'] },
      'grant USAGE on foreign data wrapper "w" to "a" in database "here"'],
    [{ kind: 'grant', privileges: ['SELECT'], on: { type: 'LARGE OBJECT', oid: '4711' }, roles: ['a'] },
      'grant SELECT on large object 4711 to "a" in database "here"'],
    [{ kind: 'grantRole', group: 'g', roles: ['a"', 'b', 'c', 'd', 'e'] },
      'grant role "g" to 5 roles ("a\\"", "b", "c", ...)'],
  ])('%j', (change, words) => {
    expect(inWords(change, 'here')).toBe(words);
  });
});

describe('roles of a change', () => {
  test('those it is made to', () => {
    expect(rolesOf({ kind: 'createRole', role: 'a', roleKind: 'user' })).toEqual(['a']);
    expect(rolesOf({ kind: 'grantRole', group: 'g', roles: ['a', 'b'] })).toEqual(['a', 'b']);
  });

  test.each<[string, Change, string[]]>([
    ['none', { kind: 'allowLogin', role: 'a' }, []],
    ['the owner', { kind: 'grant', privileges: ['CONNECT'], on: DATABASE, roles: ['a'], as: 'owner' }, ['owner']],
    ['the grantor', { kind: 'revokeRole', group: 'g', roles: ['a'], grantor: 'other' }, ['other']],
    ['both', { kind: 'reassignOwned', role: 'a', to: 'b', as: ['a', 'b'] }, ['a', 'b']],
  ])('those whose rights it needs: %s', (_, change, roles) => {
    expect(actors(change)).toEqual(roles);
  });

  test.each([
    [{ as: null, grantor: null }, {}],
    [{}, {}],
    [{ as: 'owner', grantor: null }, { as: 'owner' }],
    [{ as: null, grantor: 'other' }, { grantor: 'other' }],
  ])('taken back by the admin itself, with the rights of the owner, or as the grantor: %j', (granted, acting) => {
    expect(revokerOf(granted)).toEqual(acting);
  });
});

describe('merged', () => {
  test('what is the same but for the roles, in the order of the first', () => {
    const grant = (group: string, role: string): Change => ({ kind: 'grantRole', group, roles: [role] });
    const login: Change = { kind: 'allowLogin', role: 'a' };
    expect(
      merged([
        grant('g', 'a'),
        grant('h', 'a'),
        login,
        grant('g', 'b'),
        { ...grant('g', 'c'), options: true } as Change,
        grant('g', 'd'),
      ]),
    ).toEqual([
      { kind: 'grantRole', group: 'g', roles: ['a', 'b', 'd'] },
      grant('h', 'a'),
      login,
      { kind: 'grantRole', group: 'g', roles: ['c'], options: true },
    ]);
  });

  test('oneByOne takes it apart again, by role and by object', () => {
    expect(oneByOne({ kind: 'revokeRole', group: 'g', roles: ['a', 'b'] })).toEqual([
      { kind: 'revokeRole', group: 'g', roles: ['a'] },
      { kind: 'revokeRole', group: 'g', roles: ['b'] },
    ]);
    expect(oneByOne({ kind: 'dropRole', role: 'a' })).toEqual([{ kind: 'dropRole', role: 'a' }]);
    const parts = oneByOne({ kind: 'revoke', privileges: ['SELECT'], on: TABLES, roles: ['a', 'b'] });
    expect(parts.map(part => inWords(part, 'here'))).toEqual(
      ['a', 'b'].flatMap(role =>
        ['orders', 'items'].map(
          table => `revoke SELECT on table "${table}" in schema "app" from "${role}" in database "here"`,
        ),
      ),
    );
    expect(
      oneByOne({
        kind: 'revoke',
        privileges: ['SELECT'],
        on: { type: 'COLUMN', schema: 'app', table: 't', columns: ['a', 'b'] },
        roles: ['u'],
      }),
    ).toHaveLength(2);
    expect(
      oneByOne({
        kind: 'revoke',
        privileges: ['EXECUTE'],
        on: { type: 'ROUTINE', schema: 'app', objects: [{ name: 'f', args: '' }, { name: 'f', args: 'text' }] },
        roles: ['u'],
      }),
    ).toHaveLength(2);
    expect(oneByOne({ kind: 'revokeFuture', privileges: ['SELECT'], on: FUTURE, roles: ['a', 'b'] })).toHaveLength(2);
    expect(oneByOne({ kind: 'revoke', privileges: ['CONNECT'], on: DATABASE, roles: ['a'] })).toHaveLength(1);
  });
});
