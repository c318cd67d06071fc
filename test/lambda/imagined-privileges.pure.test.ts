import type { Change } from '../../lambda/provisioner/core/change';
import { Imagined } from '../../lambda/provisioner/core/imagined';
import { databaseAfter } from '../../lambda/provisioner/core/imagined-privileges';
import type { DatabaseState } from '../../lambda/provisioner/core/plan-database';
import type { FuturePrivilege, HeldPrivilege } from '../../lambda/provisioner/core/privilege-changes';

describe('what roles hold in a database after a plan', () => {
  const held = (name: string, privilege: string, more: Partial<HeldPrivilege> = {}): HeldPrivilege => ({
    role: 'a',
    kind: 'TABLE',
    schema: 'app',
    name,
    sub: null,
    privilege,
    grantable: false,
    ours: true,
    as: null,
    grantor: null,
    through: null,
    ...more,
  });
  const future = (privilege: string, more: Partial<FuturePrivilege> = {}): FuturePrivilege => ({
    role: 'a',
    creator: 'migrator',
    schema: 'app',
    objects: 'TABLES',
    privilege,
    grantable: false,
    ...more,
  });
  const APP = { schema: 'app', owner: 'owner', as: 'owner', empty: false };
  const state = (more: Partial<DatabaseState> = {}): DatabaseState => ({
    schemas: [APP],
    objects: [],
    held: [],
    future: [],
    ...more,
  });
  const onTable = (...names: string[]) =>
    ({ type: 'TABLE', schema: 'app', objects: names.map(name => ({ name })) }) as const;
  const changed = (before: Partial<DatabaseState>, ...changes: Change[]) =>
    changes.reduce(databaseAfter, state(before));

  test('is that of the roles that are asked for and of the changes there', () => {
    const imagined = new Imagined();
    const grant = (...roles: string[]): Change => ({ kind: 'grant', privileges: ['SELECT'], on: onTable('t'), roles });
    imagined.change('shop', [grant('a', 'z')]);
    imagined.change('stock', [{ kind: 'grant', privileges: ['INSERT'], on: onTable('t'), roles: ['a'] }]);
    imagined.change('postgres', [{ kind: 'renameRole', role: 'a', to: 'b' }]);
    imagined.change('shop', [grant('y'), { kind: 'createSchema', schema: 'own', role: 'y', as: 'y' }]);
    const before = state({
      held: [held('s', 'SELECT'), held('s', 'SELECT', { role: 'z' })],
      future: [future('SELECT'), future('SELECT', { role: 'z' })],
    });
    expect(imagined.inDatabase('shop', ['b'], before)).toEqual({
      ...before,
      schemas: [APP, { schema: 'own', owner: 'y', as: 'y', options: null, empty: true }],
      held: [
        held('s', 'SELECT', { role: 'b' }),
        held('t', 'SELECT', { role: 'b' }),
        held('t', 'SELECT', { role: 'z' }),
      ],
      future: [future('SELECT', { role: 'b' })],
    });
  });

  test('has no default privileges for what a role creates that is dropped, from whichever database', () => {
    const imagined = new Imagined();
    imagined.change('postgres', [{ kind: 'dropRole', role: 'migrator' }]);
    const other = future('SELECT', { creator: 'other' });
    expect(imagined.inDatabase('shop', ['a'], state({ future: [future('SELECT'), other] })).future).toEqual([other]);
  });

  test('has one row for each object and privilege that is given', () => {
    expect(
      changed(
        { held: [held('t', 'SELECT'), held('t', 'SELECT', { role: 'b' })] },
        { kind: 'grant', privileges: ['INSERT', 'SELECT'], on: onTable('s', 't'), roles: ['a'] },
      ).held,
    ).toEqual([
      held('t', 'SELECT'),
      held('t', 'SELECT', { role: 'b' }),
      held('s', 'INSERT'),
      held('s', 'SELECT'),
      held('t', 'INSERT'),
    ]);
  });

  test('has the grant option where that is given, and loses it alone where that is revoked', () => {
    const grant: Change = {
      kind: 'grant',
      privileges: ['SELECT', 'INSERT'],
      on: onTable('t'),
      roles: ['a'],
      grantable: true,
    };
    const given = changed({ held: [held('t', 'SELECT'), held('s', 'SELECT')] }, grant);
    expect(given.held).toEqual([
      held('t', 'SELECT', { grantable: true }),
      held('s', 'SELECT'),
      held('t', 'INSERT', { grantable: true }),
    ]);
    expect(
      changed(given, { kind: 'revoke', privileges: ['SELECT'], on: onTable('t'), roles: ['a'], grantable: true }).held,
    ).toEqual([held('t', 'SELECT'), held('s', 'SELECT'), held('t', 'INSERT', { grantable: true })]);
  });

  test('has nothing of what is revoked, where the same role has granted it', () => {
    const rows = [
      held('t', 'SELECT', { grantor: 'x' }),
      held('t', 'SELECT', { as: 'owner' }),
      held('t', 'SELECT', { through: 'y' }),
      held('t', 'INSERT', { grantor: 'x' }),
    ];
    const revoked = (more: object) =>
      changed({ held: rows }, { kind: 'revoke', privileges: ['SELECT'], on: onTable('t'), roles: ['a'], ...more }).held;
    expect(revoked({ grantor: 'x' })).toEqual(rows.slice(1));
    expect(revoked({ as: 'owner' })).toEqual([rows[0], ...rows.slice(2)]);
    expect(revoked({ through: 'y' })).toEqual([...rows.slice(0, 2), rows[3]]);
    expect(revoked({})).toEqual(rows);
  });

  test.each<[Extract<Change, { kind: 'grant' }>['on'], Partial<HeldPrivilege>]>([
    [{ type: 'SCHEMA', schema: 'app' }, { kind: 'SCHEMA', name: null }],
    [{ type: 'COLUMN', schema: 'app', table: 't', columns: ['c'] }, { kind: 'COLUMN', name: 't', sub: 'c' }],
    [{ type: 'LARGE OBJECT', oid: '7' }, { kind: 'LARGE OBJECT', schema: null, name: '7' }],
    [{ type: 'LANGUAGE', name: 'c' }, { kind: 'LANGUAGE', schema: null, name: 'c' }],
    [{ type: 'FOREIGN DATA WRAPPER', name: 'w' }, { kind: 'FOREIGN DATA WRAPPER', schema: null, name: 'w' }],
    [{ type: 'FOREIGN SERVER', name: 's' }, { kind: 'FOREIGN SERVER', schema: null, name: 's' }],
    [{ type: 'ROUTINE', schema: 'app', objects: [{ name: 'f', args: 'integer' }] },
      { kind: 'ROUTINE', name: 'f', sub: 'integer' }],
  ])('knows %j as the catalog does', (on, row) => {
    const change: Change = { kind: 'grant', privileges: ['USAGE'], on, roles: ['a'] };
    const given = held('', 'USAGE', row);
    expect(changed({}, change, change).held).toEqual([given]);
    expect(changed({ held: [given] }, { ...change, kind: 'revoke' }).held).toEqual([]);
  });

  test.each<Extract<Change, { kind: 'grant' }>['on']>([
    { type: 'DATABASE', database: 'shop' },
    { type: 'TABLESPACE', name: 't' },
    { type: 'PARAMETER', name: 'p' },
  ])('has nothing of what all databases share: %j', (on) => {
    expect(changed({}, { kind: 'grant', privileges: ['CREATE'], on, roles: ['a'] })).toEqual(state());
  });

  test('has nothing in a schema that is dropped', () => {
    const kept = [held('t', 'SELECT', { schema: 'other' }), future('SELECT', { schema: 'other' })] as const;
    expect(
      changed(
        {
          schemas: [APP, { ...APP, schema: 'other' }],
          held: [held('t', 'SELECT'), kept[0]],
          future: [future('SELECT'), kept[1]],
        },
        { kind: 'dropSchema', schema: 'app', role: 'owner', as: 'owner' },
      ),
    ).toEqual(state({ schemas: [{ ...APP, schema: 'other' }], held: [kept[0]], future: [kept[1]] }));
  });

  test.each<Change>([{ kind: 'dropRole', role: 'migrator' }, { kind: 'dropOwned', role: 'migrator', as: 'migrator' }])(
    'has no default privileges for what a role creates that is gone: %j',
    (change) => {
      const other = future('SELECT', { creator: 'other' });
      expect(changed({ future: [future('SELECT'), other] }, change).future).toEqual([other]);
    },
  );

  test('has default privileges that are given, each once, with the grant option that was held', () => {
    const grant = (more: object = {}): Change => ({
      kind: 'grantFuture',
      privileges: ['SELECT', 'INSERT'],
      on: { creator: 'migrator', schema: 'app', objects: 'TABLES' },
      roles: ['a', 'b'],
      ...more,
    });
    const before = [future('SELECT', { grantable: true }), future('SELECT', { objects: 'SEQUENCES' })];
    expect(changed({ future: before }, grant()).future).toEqual([
      before[1],
      future('INSERT'),
      before[0],
      future('INSERT', { role: 'b' }),
      future('SELECT', { role: 'b' }),
    ]);
    expect(changed({}, grant({ roles: ['a'], grantable: true })).future).toEqual([
      future('INSERT', { grantable: true }),
      future('SELECT', { grantable: true }),
    ]);
    expect(changed({}, grant({ on: { creator: 'migrator', objects: 'TABLES' }, roles: ['a'] })).future).toEqual([
      future('INSERT', { schema: null }),
      future('SELECT', { schema: null }),
    ]);
  });

  test('has no default privileges that are revoked, or none with the grant option', () => {
    const revoke = (more: object = {}): Change => ({
      kind: 'revokeFuture',
      privileges: ['SELECT'],
      on: { creator: 'migrator', schema: 'app', objects: 'TABLES' },
      roles: ['a'],
      ...more,
    });
    const others = [
      future('INSERT'),
      future('SELECT', { role: 'b' }),
      future('SELECT', { creator: 'x' }),
      future('SELECT', { schema: null }),
      future('SELECT', { objects: 'SEQUENCES' }),
    ];
    expect(changed({ future: [future('SELECT', { grantable: true }), ...others] }, revoke()).future).toEqual(others);
    expect(
      changed({ future: [future('SELECT', { grantable: true }), ...others] }, revoke({ grantable: true })).future,
    ).toEqual([future('SELECT'), ...others]);
  });

  test('is not changed by what is about no object', () => {
    expect(changed({}, { kind: 'allowLogin', role: 'a' })).toEqual(state());
  });
});
