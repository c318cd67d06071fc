import { Change } from '../../lambda/provisioner/core/change';
import { decodeDeclaration } from '../../lambda/provisioner/core/declaration';
import {
  DatabaseObject, DatabaseState, inSchemas, missingIn, planDatabase, planDatabaseRemoval,
} from '../../lambda/provisioner/core/plan-database';
import { Wanted } from '../../lambda/provisioner/core/plan-shared';
import { FuturePrivilege, HeldPrivilege } from '../../lambda/provisioner/core/privilege-changes';
import { Declaration } from '../../lambda/provisioner/core/state';

const declare = (schemas: object, more: object = {}): Declaration =>
  decodeDeclaration('user', { Privileges: { shop: { Schemas: schemas } }, ...more });

const inApp = (declared: object, more: object = {}) => declare({ app: declared }, more);

function wanted(declaration: Declaration, previous: Declaration[] = []): Wanted {
  return { role: 'u', declaration, previous, deployed: [] };
}

function object(kind: DatabaseObject['kind'], name: string, more: Partial<DatabaseObject> = {}): DatabaseObject {
  return { kind, schema: 'app', name, args: null, owner: 'owner', as: 'owner', ofExtension: false, ...more };
}

function held(kind: string, name: string | null, privilege: string, more: Partial<HeldPrivilege> = {}): HeldPrivilege {
  return {
    role: 'u',
    kind,
    schema: 'app',
    name,
    sub: null,
    privilege,
    grantable: false,
    ours: true,
    as: 'owner',
    grantor: null,
    ...more,
  };
}

function future(privilege: string, more: Partial<FuturePrivilege> = {}): FuturePrivilege {
  return { role: 'u', creator: 'migrator', schema: 'app', objects: 'TABLES', privilege, grantable: false, ...more };
}

function state(more: Partial<DatabaseState> = {}): DatabaseState {
  const schemas = [{ schema: 'app', owner: 'owner', as: 'owner', empty: false }];
  return { schemas, objects: [object('TABLE', 'orders'), object('TABLE', 'items')], held: [], future: [], ...more };
}

const plan = (one: Wanted, more: Partial<DatabaseState> = {}) => planDatabase('shop', [one], state(more));

const onTable = (...names: string[]) =>
  ({ type: 'TABLE', schema: 'app', objects: names.map(name => ({ name })) }) as const;
const onColumn = (table: string, ...columns: string[]) => ({ type: 'COLUMN', schema: 'app', table, columns }) as const;

describe('what is granted', () => {
  test.each<[string, object, Change[]]>([
    ['a named table, for which nothing can be said', { Tables: { gone: ['SELECT'] } }, []],
    ['all tables of a schema that has none', { Sequences: { '*': ['USAGE'] } }, []],
    ['a column, of which the statement says so', { Columns: { gone: { id: ['SELECT'] } } },
      [{ kind: 'grant', privileges: ['SELECT'], on: onColumn('gone', 'id'), roles: ['u'] }]],
  ])('may be on something that is not there: %s', (_, declared, changes) => {
    expect(plan(wanted(inApp(declared)))).toEqual(changes);
  });

  test('may be on a schema that is not there, of which the statement says so', () => {
    expect(plan(wanted(declare({ gone: { Schema: ['USAGE'] } })))).toEqual([
      { kind: 'grant', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'gone' }, roles: ['u'] },
    ]);
  });

  test('is granted with the rights of the owner of this schema, and not of another one', () => {
    const schemas = ['other', 'app'].map(schema => ({
      schema,
      owner: `${schema}_owner`,
      as: `${schema}_owner`,
      empty: false,
    }));
    expect(plan(wanted(inApp({ Schema: ['USAGE'] })), { schemas })).toEqual([
      { kind: 'grant', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'app' }, roles: ['u'], as: 'app_owner' },
    ]);
  });

  test('is granted with the rights of the owner of this routine, and not of one with other arguments', () => {
    const objects = ['integer', 'text'].map(args =>
      object('ROUTINE', 'f', { args, owner: `${args}_owner`, as: `${args}_owner` }),
    );
    expect(plan(wanted(inApp({ Functions: { f: ['EXECUTE'] } })), { objects })).toEqual(
      ['integer', 'text'].map(args => ({
        kind: 'grant',
        privileges: ['EXECUTE'],
        on: { type: 'ROUTINE', schema: 'app', objects: [{ name: 'f', args }] },
        roles: ['u'],
        as: `${args}_owner`,
      })),
    );
  });

  test('is granted on a column with the rights of the owner of its table', () => {
    expect(plan(wanted(inApp({ Columns: { orders: { id: ['SELECT'] } } })))).toEqual([
      { kind: 'grant', privileges: ['SELECT'], on: onColumn('orders', 'id'), roles: ['u'], as: 'owner' },
    ]);
  });

  test('is granted on a column through the role that may grant on it, and on others as the owner', () => {
    const objects = [object('TABLE', 'orders', { options: [{ privilege: 'SELECT', column: 'id', through: 'dba' }] })];
    expect(plan(wanted(inApp({ Columns: { orders: { id: ['SELECT'], n: ['SELECT'] } } })), { objects })).toEqual([
      { kind: 'grant', privileges: ['SELECT'], on: onColumn('orders', 'id'), roles: ['u'], through: 'dba' },
      { kind: 'grant', privileges: ['SELECT'], on: onColumn('orders', 'n'), roles: ['u'], as: 'owner' },
    ]);
  });

  test('are no columns of a table that the role owns', () => {
    const objects = [object('TABLE', 'orders', { owner: 'u', as: 'u' })];
    expect(plan(wanted(inApp({ Columns: { orders: { id: ['SELECT'] } } })), { objects })).toEqual([]);
  });

  test('is a schema of its own, where there is another one', () => {
    expect(plan(wanted(declare({ own: { Owner: 'true' } })))).toEqual([
      { kind: 'createSchema', schema: 'own', role: 'u', as: 'u' },
    ]);
  });
});

describe('what columns have beside their table', () => {
  const both = inApp({ Tables: { orders: ['SELECT'] }, Columns: { orders: { id: ['SELECT'] } } });
  const column = (name: string, more: Partial<HeldPrivilege> = {}) =>
    held('COLUMN', 'orders', 'SELECT', { sub: name, ...more });
  const onId = { kind: 'grant', privileges: ['SELECT'], on: onColumn('orders', 'id'), roles: ['u'] } as const;

  test('is granted again with the table, because what takes that back takes it as well', () => {
    expect(plan(wanted(both), { held: [column('id')] })).toEqual([
      { ...onId, again: true, as: 'owner' },
      { kind: 'grant', privileges: ['SELECT'], on: onTable('orders'), roles: ['u'], as: 'owner' },
    ]);
  });

  test('is not granted again where another role has granted it', () => {
    expect(plan(wanted(both), { held: [column('id', { grantor: 'dba' })] })).toEqual([
      { kind: 'grant', privileges: ['SELECT'], on: onTable('orders'), roles: ['u'], as: 'owner' },
    ]);
  });

  test('is granted again through the role that grants on the table, if that has granted it', () => {
    const objects = [object('TABLE', 'orders', { options: [{ privilege: 'SELECT', column: null, through: 'dba' }] })];
    const grant = { kind: 'grant', privileges: ['SELECT'], on: onTable('orders'), roles: ['u'], through: 'dba' };
    expect(plan(wanted(both), { objects, held: [column('id', { through: 'dba' })] }))
      .toEqual([{ ...onId, again: true, through: 'dba' }, grant]);
    expect(plan(wanted(both), { objects, held: [column('id')] })).toEqual([grant]);
  });

  test('is granted again with the grant option, if it was held with it, and only then', () => {
    const rows = [held('TABLE', 'orders', 'SELECT'), column('id', { grantable: true }), column('n')];
    expect(plan(wanted(inApp({}), [inApp({ Tables: { orders: ['SELECT'] } })]), { held: rows })).toEqual([
      { kind: 'revoke', privileges: ['SELECT'], on: onTable('orders'), roles: ['u'], as: 'owner' },
      { ...onId, on: onColumn('orders', 'n'), again: true, as: 'owner' },
      { ...onId, again: true, grantable: true, as: 'owner' },
    ]);
  });

  test('stays as it is when only another column loses the same', () => {
    const before = inApp({ Columns: { orders: { id: ['SELECT'], n: ['SELECT'] } } });
    expect(
      plan(wanted(inApp({ Columns: { orders: { n: ['SELECT'] } } }), [before]), { held: [column('id'), column('n')] }),
    ).toEqual([{ kind: 'revoke', privileges: ['SELECT'], on: onColumn('orders', 'id'), roles: ['u'], as: 'owner' }]);
  });
});

test('an exclusive role keeps what it may have of future objects, and loses the rest once, with the option to pass it on', () => {
  const declared = inApp({ FutureObjects: { migrator: { Tables: ['INSERT', 'SELECT'] } } }, { Exclusive: 'true' });
  const rows = [future('SELECT'), future('INSERT', { grantable: true }), future('DELETE', { grantable: true })];
  const revoke = {
    kind: 'revokeFuture',
    on: { creator: 'migrator', schema: 'app', objects: 'TABLES' },
    roles: ['u'],
    as: 'migrator',
  };
  expect(plan(wanted(declared), { future: rows })).toEqual([
    { ...revoke, privileges: ['DELETE'], wasGrantable: true },
    { ...revoke, privileges: ['INSERT'], grantable: true },
  ]);
});

test('a role that is removed takes nothing from others, on objects that are there and on future ones', () => {
  const rows = { held: [held('TABLE', 'orders', 'SELECT'), held('TABLE', 'items', 'DELETE', { role: 'v' })],
    future: [future('SELECT'), future('DELETE', { role: 'v', creator: 'other' })] };
  expect(planDatabaseRemoval('shop', 'u', [], state(rows))).toEqual([
    { kind: 'revoke', privileges: ['SELECT'], on: onTable('orders'), roles: ['u'], as: 'owner' },
    {
      kind: 'revokeFuture', privileges: ['SELECT'], on: { creator: 'migrator', schema: 'app', objects: 'TABLES' },
      roles: ['u'], as: 'migrator',
    },
  ]);
});

describe('what a role declares and is not there', () => {
  test('is no schema that it owns as declared', () => {
    const schemas = [{ schema: 'app', owner: 'u', as: 'u', empty: true }];
    expect(missingIn('shop', [wanted(inApp({ Owner: 'true' }))], state({ schemas }))).toEqual([]);
  });

  test('is a schema of its own that another role owns', () => {
    expect(missingIn('shop', [wanted(inApp({ Owner: 'true' }))], state())).toEqual([{
      role: 'u', schema: 'app', kind: 'OWN SCHEMA', what: 'schema "app" in database "shop", which belongs to "owner"',
      problem: 'schema "app" in database "shop" belongs to "owner" and not to "u"; choose another schema, '
        + 'or hand it over with ALTER SCHEMA ... OWNER TO',
    }]);
  });

  test('is a table that has its name in another schema', () => {
    const objects = [object('TABLE', 'orders', { schema: 'other' })];
    const what = 'table or view "orders" in schema "app" in database "shop"';
    expect(missingIn('shop', [wanted(inApp({ Tables: { orders: ['SELECT'] } }))], state({ objects }))).toEqual([{
      role: 'u', schema: 'app', kind: 'TABLE', name: 'orders', what,
      problem: `there is no ${what}; create it before this deployment, or correct its name`,
    }]);
  });
});

describe('what others have declared in schemas that are new', () => {
  const app = { Schema: ['USAGE'], Tables: { '*': ['SELECT'] }, Columns: { orders: { id: ['UPDATE'] } } };
  const declared = decodeDeclaration('user', {
    Privileges: {
      shop: { Database: ['CONNECT'], Schemas: { app, other: app, own: { Owner: 'true' } } },
      stock: { Schemas: { app } },
    },
    MemberOf: ['readers'], Exclusive: 'true',
  });

  test('is granted in them again, without columns, and nothing else of the role is touched', () => {
    const one = { role: 'v', declaration: declared, previous: [declared], deployed: [declared] };
    const alone = declare({ app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } });
    expect(inSchemas(one, 'shop', ['app', 'own'])).toEqual([
      { role: 'v', declaration: alone, previous: [], deployed: [declared] },
    ]);
  });

  test.each([['own'], ['elsewhere']])(
    'is nothing in a schema that is its own, or that it does not name: %s',
    (schema) => {
      expect(inSchemas(wanted(declared), 'shop', [schema])).toEqual([]);
    },
  );
});
