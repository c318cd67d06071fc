import {
  changesOf,
  futureChanges,
  futureRevokes,
  FuturePrivilege,
  granting,
  HeldPrivilege,
  inOrder,
  revokesOf,
  Right,
} from '../../lambda/provisioner/core/privilege-changes';

function held(name: string | null, privilege: string, more: Partial<HeldPrivilege> = {}): HeldPrivilege {
  return {
    role: 'u',
    kind: 'TABLE',
    schema: 'app',
    name,
    sub: null,
    privilege,
    grantable: false,
    ours: true,
    as: null,
    grantor: null,
    ...more,
  };
}

function future(privilege: string, more: Partial<FuturePrivilege> = {}): FuturePrivilege {
  return { role: 'u', creator: 'maker', schema: 'app', objects: 'TABLES', privilege, grantable: false, ...more };
}

describe('granting', () => {
  const option = (privilege: string, column: string | null, through: string | null) => ({ privilege, column, through });

  test.each<[string, Parameters<typeof granting>, ReturnType<typeof granting>]>([
    ['as the owner, without options', [{ as: 'owner' }, 'SELECT'], { as: 'owner' }],
    ['as the admin, without an owner to be', [{ as: null, options: null }, 'SELECT'], {}],
    ['as the admin, which has the option', [{ as: 'owner', options: [option('SELECT', null, null)] }, 'SELECT'], {}],
    ['through the role that has the option',
      [{ as: 'owner', options: [option('INSERT', null, 'x'), option('SELECT', null, 'y')] }, 'SELECT'], { through: 'y' }],
    ['as the owner, where the option is for another column',
      [{ as: 'owner', options: [option('SELECT', 'a', 'y')] }, 'SELECT', 'b'], { as: 'owner' }],
    ['as the owner, where the option is for a column and all are meant',
      [{ as: 'owner', options: [option('SELECT', 'a', 'y')] }, 'SELECT'], { as: 'owner' }],
    ['through the role that has the option for the column',
      [{ as: 'owner', options: [option('SELECT', 'a', 'y')] }, 'SELECT', 'a'], { through: 'y' }],
    ['through the role that has the option for all columns',
      [{ as: 'owner', options: [option('SELECT', null, 'y')] }, 'SELECT', 'a'], { through: 'y' }],
  ])('is done %s', (_, given, expected) => {
    expect(granting(...given)).toEqual(expected);
  });
});

describe('changes of privileges', () => {
  const change = (...rights: Right[]) => changesOf('grant', 'u', rights, () => ({ as: 'owner' }));

  test('share a statement, where schema, kind and privileges are the same', () => {
    expect(
      change(
        held('a', 'SELECT'),
        held('b', 'INSERT'),
        held('b', 'SELECT'),
        held('a', 'INSERT'),
        held('a', 'SELECT'),
        held('c', 'SELECT'),
        held('a', 'SELECT', { schema: 'x' }),
      ),
    ).toEqual([
      {
        kind: 'grant',
        privileges: ['INSERT', 'SELECT'],
        on: { type: 'TABLE', schema: 'app', objects: [{ name: 'a' }, { name: 'b' }] },
        roles: ['u'],
        as: 'owner',
      },
      {
        kind: 'grant',
        privileges: ['SELECT'],
        on: { type: 'TABLE', schema: 'app', objects: [{ name: 'c' }] },
        roles: ['u'],
        as: 'owner',
      },
      {
        kind: 'grant',
        privileges: ['SELECT'],
        on: { type: 'TABLE', schema: 'x', objects: [{ name: 'a' }] },
        roles: ['u'],
        as: 'owner',
      },
    ]);
  });

  test('share none, where another role acts', () => {
    expect(
      changesOf('revoke', 'u', [held('a', 'SELECT'), held('b', 'SELECT')], ({ name }) => ({ grantor: name! }), {
        grantable: true,
      }),
    ).toEqual(
      ['a', 'b'].map(name => ({
        kind: 'revoke',
        privileges: ['SELECT'],
        on: { type: 'TABLE', schema: 'app', objects: [{ name }] },
        roles: ['u'],
        grantable: true,
        grantor: name,
      })),
    );
  });

  test('are on columns of one table, and on each schema, language, wrapper, server and large object alone', () => {
    const on = (kind: string, name: string | null, sub: string | null = null, schema: string | null = null): Right => ({
      kind,
      schema,
      name,
      sub,
      privilege: 'SELECT',
    });
    const rights = [
      on('COLUMN', 't', 'a', 'app'),
      on('COLUMN', 'u', 'a', 'app'),
      on('COLUMN', 't', 'b', 'app'),
      on('SCHEMA', null, null, 'app'),
      on('SCHEMA', null, null, 'x'),
      on('LANGUAGE', 'c'),
      on('LANGUAGE', 'sql'),
      on('FOREIGN DATA WRAPPER', 'w'),
      on('FOREIGN SERVER', 's'),
      on('LARGE OBJECT', '7'),
      on('LARGE OBJECT', '8'),
      on('ROUTINE', 'f', 'integer', 'app'),
      on('ROUTINE', 'f', '', 'app'),
    ];
    expect(change(...rights).map(one => 'on' in one && one.on)).toEqual([
      { type: 'COLUMN', schema: 'app', table: 't', columns: ['a', 'b'] },
      { type: 'COLUMN', schema: 'app', table: 'u', columns: ['a'] },
      { type: 'SCHEMA', schema: 'app' },
      { type: 'SCHEMA', schema: 'x' },
      { type: 'LANGUAGE', name: 'c' },
      { type: 'LANGUAGE', name: 'sql' },
      { type: 'FOREIGN DATA WRAPPER', name: 'w' },
      { type: 'FOREIGN SERVER', name: 's' },
      { type: 'LARGE OBJECT', oid: '7' },
      { type: 'LARGE OBJECT', oid: '8' },
      { type: 'ROUTINE', schema: 'app', objects: [{ name: 'f', args: 'integer' }, { name: 'f', args: '' }] },
    ]);
  });

  test('take back what was held with the grant option in a statement of its own', () => {
    expect(
      revokesOf('u', [
        held('b', 'SELECT', { grantable: true }),
        held('b', 'INSERT'),
        held('a', 'INSERT', { grantor: 'x' }),
      ]),
    ).toEqual([
      {
        kind: 'revoke',
        privileges: ['INSERT'],
        on: { type: 'TABLE', schema: 'app', objects: [{ name: 'a' }] },
        roles: ['u'],
        grantor: 'x',
      },
      {
        kind: 'revoke',
        privileges: ['INSERT'],
        on: { type: 'TABLE', schema: 'app', objects: [{ name: 'b' }] },
        roles: ['u'],
      },
      {
        kind: 'revoke',
        privileges: ['SELECT'],
        on: { type: 'TABLE', schema: 'app', objects: [{ name: 'b' }] },
        roles: ['u'],
        wasGrantable: true,
      },
    ]);
  });
});

describe('changes of default privileges', () => {
  test('are one for each creator, schema and kind of object', () => {
    const on = (more: object = {}) => ({ creator: 'maker', objects: 'TABLES', schema: 'app', ...more });
    const rights = [
      future('SELECT'),
      future('INSERT'),
      future('SELECT'),
      future('SELECT', { schema: null }),
      future('SELECT', { creator: 'x' }),
      future('USAGE', { objects: 'SEQUENCES' }),
    ];
    expect(futureChanges('grantFuture', 'u', rights, { grantable: true })).toEqual([
      { kind: 'grantFuture', privileges: ['INSERT', 'SELECT'], on: on(), roles: ['u'], grantable: true, as: 'maker' },
      { kind: 'grantFuture', privileges: ['SELECT'], on: { creator: 'maker', objects: 'TABLES' }, roles: ['u'],
        grantable: true, as: 'maker' },
      { kind: 'grantFuture', privileges: ['SELECT'], on: on({ creator: 'x' }), roles: ['u'], grantable: true, as: 'x' },
      { kind: 'grantFuture', privileges: ['USAGE'], on: on({ objects: 'SEQUENCES' }), roles: ['u'], grantable: true,
        as: 'maker' },
    ]);
  });

  test('take back what was held with the grant option in a statement of its own', () => {
    expect(
      futureRevokes('u', [future('SELECT', { grantable: true }), future('INSERT', { creator: 'z' }), future('INSERT')]),
    ).toEqual([
      {
        kind: 'revokeFuture',
        privileges: ['INSERT'],
        on: { creator: 'maker', objects: 'TABLES', schema: 'app' },
        roles: ['u'],
        as: 'maker',
      },
      {
        kind: 'revokeFuture',
        privileges: ['INSERT'],
        on: { creator: 'z', objects: 'TABLES', schema: 'app' },
        roles: ['u'],
        as: 'z',
      },
      {
        kind: 'revokeFuture',
        privileges: ['SELECT'],
        on: { creator: 'maker', objects: 'TABLES', schema: 'app' },
        roles: ['u'],
        wasGrantable: true,
        as: 'maker',
      },
    ]);
  });
});

test.each([
  'kind',
  'creator',
  'schema',
  'name',
  'sub',
  'objects',
  'database',
  'group',
  'member',
  'privilege',
  'as',
  'grantor',
  'through',
])('an order of rows depends on %s, and not on how they were read', (field) => {
  const rows = [{ [field]: 'a' }, { [field]: 'b' }, { [field]: 'c' }];
  expect(inOrder([rows[2], rows[0], rows[1]])).toEqual(rows);
  expect(inOrder([rows[1], rows[0], rows[2]])).toEqual(rows);
});

test('an order of rows is by the kind before the name', () => {
  const rows = [{ name: 'b', kind: 'A' }, { name: 'a', kind: 'B' }];
  expect(inOrder([rows[1], rows[0]])).toEqual(rows);
});
