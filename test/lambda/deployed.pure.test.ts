import { Change, Target } from '../../lambda/provisioner/core/change';
import { decodeDeclaration } from '../../lambda/provisioner/core/declaration';
import { divide, isAllDeployed, wasDeclared } from '../../lambda/provisioner/core/deployed';
import { missingIn } from '../../lambda/provisioner/core/plan-database';
import { Wanted } from '../../lambda/provisioner/core/plan-shared';

const EMPTY = { schemas: [], objects: [], held: [], future: [] };

const declare = (schemas: object, more: object = {}) =>
  decodeDeclaration('user', {
    Privileges: { shop: { Database: ['CONNECT'], Schemas: schemas } },
    MemberOf: ['readers'],
    Settings: undefined,
    Exclusive: undefined,
    ...more,
  });

const DEPLOYED = declare(
  {
    app: {
      Schema: ['USAGE'],
      Tables: { t: ['SELECT'], u: ['INSERT', 'SELECT'] },
      Columns: { t: { n: ['UPDATE'] } },
      Sequences: { '*': ['USAGE'] },
      Functions: { f: ['EXECUTE'] },
      FutureObjects: { migrator: { Tables: ['SELECT'], Sequences: ['USAGE'] } },
    },
    own: { Owner: 'true' },
  },
  {
    Settings: {
      ConnectionLimit: '5',
      Parameters: { search_path: ['app', 'public'], work_mem: '1MB' },
      RoleAtLogin: 'readers',
    },
  },
);

const wanted = (role = 'orders', deployed = [DEPLOYED], declaration = DEPLOYED): Wanted => ({
  role,
  declaration,
  previous: [],
  deployed,
});

const grant = (on: Target, privileges: string[], roles = ['orders']): Change => ({
  kind: 'grant',
  privileges,
  on,
  roles,
});
const onTables = (...names: string[]): Target => ({
  type: 'TABLE',
  schema: 'app',
  objects: names.map(name => ({ name })),
});

describe('a change may turn out to be impossible', () => {
  const may = (change: Change, all = [wanted()], database = 'shop') => divide([change], database, all);

  test.each<[string, Change]>([
    ['CONNECT on a database', grant({ type: 'DATABASE', database: 'shop' }, ['CONNECT'])],
    ['USAGE on a schema', grant({ type: 'SCHEMA', schema: 'app' }, ['USAGE'])],
    ['a privilege on tables', grant(onTables('t', 'u'), ['SELECT'])],
    ['a privilege on a column', grant({ type: 'COLUMN', schema: 'app', table: 't', columns: ['n'] }, ['UPDATE'])],
    ['a privilege on one of all sequences',
      grant({ type: 'SEQUENCE', schema: 'app', objects: [{ name: 's' }] }, ['USAGE'])],
    ['a privilege on a function',
      grant({ type: 'ROUTINE', schema: 'app', objects: [{ name: 'f', args: '' }] }, ['EXECUTE'])],
    ['a privilege on future tables',
      { kind: 'grantFuture', privileges: ['SELECT'], on: { creator: 'migrator', schema: 'app', objects: 'TABLES' },
        roles: ['orders'] }],
    ['a membership', { kind: 'grantRole', group: 'readers', roles: ['orders'] }],
    ['a schema of its own', { kind: 'createSchema', schema: 'own', role: 'orders', as: 'orders' }],
    ['what a column has, again',
      { kind: 'grant', privileges: ['SELECT'], on: { type: 'COLUMN', schema: 'app', table: 'x', columns: ['y'] },
        roles: ['orders'], again: true }],
    ['a parameter', { kind: 'setParameter', role: 'orders', parameter: 'work_mem', value: '1MB' }],
    ['a parameter that is a list',
      { kind: 'setParameter', role: 'orders', parameter: 'search_path', value: ['app', 'public'], was: ['x'] }],
    ['the role at login', { kind: 'setParameter', role: 'orders', parameter: 'role', value: 'readers' }],
    ['a connection limit', { kind: 'limitConnections', role: 'orders', limit: 5, was: -1 }],
    ['to reset a parameter', { kind: 'setParameter', role: 'orders', parameter: 'jit', was: 'off' }],
    ['to reset a parameter for one database',
      { kind: 'setParameter', role: 'orders', database: 'shop', parameter: 'work_mem', was: '2MB' }],
    ['to remove a connection limit', { kind: 'limitConnections', role: 'orders', limit: -1, was: 7 }],
    ['to take a privilege back', { kind: 'revoke', privileges: ['SELECT'], on: onTables('x'), roles: ['orders'] }],
    ['to take a membership back', { kind: 'revokeRole', group: 'writers', roles: ['orders'] }],
  ])('if a completed event has declared it: %s', (_, change) => {
    expect(may(change)).toEqual({ required: [], optional: [change] });
  });

  test.each<[string, Change]>([
    ['another privilege', grant(onTables('t'), ['UPDATE'])],
    ['one of two privileges', grant(onTables('t'), ['INSERT', 'SELECT'])],
    ['another table', grant(onTables('x'), ['SELECT'])],
    ['another schema', grant({ type: 'TABLE', schema: 'other', objects: [{ name: 't' }] }, ['SELECT'])],
    ['another column', grant({ type: 'COLUMN', schema: 'app', table: 't', columns: ['m'] }, ['UPDATE'])],
    ['the same column of another table',
      grant({ type: 'COLUMN', schema: 'app', table: 'u', columns: ['n'] }, ['UPDATE'])],
    ['another database', grant({ type: 'DATABASE', database: 'stock' }, ['CONNECT'])],
    ['another kind of future object',
      { kind: 'grantFuture', privileges: ['EXECUTE'], on: { creator: 'migrator', schema: 'app', objects: 'FUNCTIONS' },
        roles: ['orders'] }],
    ['future objects of another creator',
      { kind: 'grantFuture', privileges: ['SELECT'], on: { creator: 'dba', schema: 'app', objects: 'TABLES' },
        roles: ['orders'] }],
    ['another group', { kind: 'grantRole', group: 'rds_iam', roles: ['orders'] }],
    ['another schema of its own', { kind: 'createSchema', schema: 'app', role: 'orders', as: 'orders' }],
    ['another value of a parameter', { kind: 'setParameter', role: 'orders', parameter: 'work_mem', value: '2MB' }],
    ['another order of a list',
      { kind: 'setParameter', role: 'orders', parameter: 'search_path', value: ['public', 'app'] }],
    ['another connection limit', { kind: 'limitConnections', role: 'orders', limit: 6, was: -1 }],
    ['the login', { kind: 'allowLogin', role: 'orders' }],
  ])('and has to be made otherwise: %s', (_, change) => {
    expect(may(change)).toEqual({ required: [change], optional: [] });
  });

  test('for each object by itself', () => {
    expect(may(grant(onTables('t', 'x'), ['SELECT']))).toEqual({
      required: [grant(onTables('x'), ['SELECT'])],
      optional: [grant(onTables('t'), ['SELECT'])],
    });
  });

  test('and for each role by itself', () => {
    const change = grant(onTables('t'), ['SELECT'], ['orders', 'sales']);
    expect(may(change, [wanted(), wanted('sales', [])])).toEqual({
      required: [grant(onTables('t'), ['SELECT'], ['sales'])],
      optional: [grant(onTables('t'), ['SELECT'])],
    });
    expect(may(change, [wanted(), wanted('sales')])).toEqual({ required: [], optional: [change] });
  });

  test('in the database in which it was declared', () => {
    const change = grant(onTables('t'), ['SELECT']);
    expect(may(change, [wanted()], 'stock')).toEqual({ required: [change], optional: [] });
  });
});

describe('what is missing was declared before', () => {
  const missing = (schemas: object) =>
    missingIn('shop', [wanted('orders', [DEPLOYED], declare(schemas))], EMPTY).map(one => [
      one.what,
      wasDeclared(one, 'shop', [wanted()]),
    ]);
  const inApp = 'in schema "app" in database "shop"';

  test('if it has the same name and is of the same kind', () => {
    expect(
      missing({
        app: {
          Tables: { t: ['DELETE'], x: ['SELECT'] },
          Columns: { y: { n: ['SELECT'] } },
          Sequences: { f: ['USAGE'] },
          Functions: { f: ['EXECUTE'] },
        },
      }),
    ).toEqual([
      ['schema "app" in database "shop"', true],
      [`table or view "t" ${inApp}`, true],
      [`table or view "x" ${inApp}`, false],
      [`table or view "y" ${inApp}`, false],
      [`sequence "f" ${inApp}`, false],
      [`function or procedure "f" ${inApp}`, true],
    ]);
    expect(missing({ other: { Schema: ['USAGE'] } })).toEqual([['schema "other" in database "shop"', false]]);
  });

  test.each<[string, object, boolean]>([
    ['all of it', {}, true],
    ['less', { app: { Schema: ['USAGE'] } }, true],
    ['a table more', { app: { Tables: { x: ['SELECT'] } } }, false],
    ['a schema of its own more', { mine: { Owner: 'true' } }, false],
  ])('in a whole database: %s', (_, schemas, expected) => {
    expect(isAllDeployed('shop', [wanted('orders', [DEPLOYED], declare(schemas))])).toBe(expected);
  });
});

describe('a membership in rds_iam', () => {
  const change: Change = { kind: 'revokeRole', group: 'rds_iam', roles: ['orders'] };

  test('of a user that has expired may stay, if the admin cannot take it back: it has no login', () => {
    expect(divide([change], 'shop', [wanted('orders', [])])).toEqual({ required: [], optional: [change] });
  });

  test('of a group role must go', () => {
    const group = wanted('orders', [], { ...DEPLOYED, kind: 'role' });
    expect(divide([change], 'shop', [group])).toEqual({ required: [change], optional: [] });
  });
});

describe('what completed events have declared counts', () => {
  const may = (change: Change, all: Wanted[]) => divide([change], 'shop', all);
  const both = [wanted('orders', [declare({ own: {} }, { MemberOf: undefined }), DEPLOYED])];

  test.each<[string, Change]>([
    ['a membership', { kind: 'grantRole', group: 'readers', roles: ['orders'] }],
    ['a connection limit', { kind: 'limitConnections', role: 'orders', limit: 5, was: -1 }],
    ['a schema of its own', { kind: 'createSchema', schema: 'own', role: 'orders', as: 'orders' }],
  ])('also if only one of two has declared it: %s', (_, change) => {
    expect(may(change, both)).toEqual({ required: [], optional: [change] });
  });

  test('and to take back what is not declared of future objects any more may always turn out to be impossible', () => {
    const on = { creator: 'dba', schema: 'other', objects: 'TABLES' } as const;
    const change: Change = { kind: 'revokeFuture', privileges: ['SELECT'], on, roles: ['orders'] };
    expect(may(change, [wanted('orders', [])])).toEqual({ required: [], optional: [change] });
  });

  test.each<[string, Change]>([
    ['the same privilege on another kind of future objects',
      { kind: 'grantFuture', privileges: ['SELECT'], on: { creator: 'migrator', schema: 'app', objects: 'SEQUENCES' },
        roles: ['orders'] }],
    ['a sequence with the name of a table',
      grant({ type: 'SEQUENCE', schema: 'app', objects: [{ name: 't' }] }, ['SELECT'])],
    ['a language', grant({ type: 'LANGUAGE', name: 'sql' }, ['USAGE'])],
    ['two tables of which neither was declared', grant(onTables('x', 'y'), ['SELECT'])],
    ['a role that is not among these', grant(onTables('t'), ['SELECT'], ['somebody'])],
  ])('and for nothing else: %s', (_, change) => {
    expect(may(change, [wanted()])).toEqual({ required: [change], optional: [] });
  });

  test('and a role of which none is complete gets all in one', () => {
    const change = grant(onTables('t', 'u'), ['SELECT']);
    expect(may(change, [wanted('orders', [])])).toEqual({ required: [change], optional: [] });
  });

  test.each<[string, string, boolean]>([
    ['that was its own', 'own', true], ['that was not', 'app', false],
  ])('for a schema %s', (_, schema, expected) => {
    expect(wasDeclared({ role: 'orders', schema, kind: 'OWN SCHEMA', what: '', problem: '' }, 'shop', [wanted()])).toBe(
      expected,
    );
  });

  test('for a table in its schema, and not in another one', () => {
    const missing = { role: 'orders', schema: 'other', kind: 'TABLE', name: 't', what: '', problem: '' } as const;
    expect(wasDeclared(missing, 'shop', [wanted()])).toBe(false);
  });

  test('for a whole database only if it is so for each role', () => {
    expect(isAllDeployed('shop', [wanted(), wanted('sales', [], declare({ mine: { Owner: 'true' } }))])).toBe(false);
  });
});
