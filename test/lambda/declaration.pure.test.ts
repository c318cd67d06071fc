import { decodeDeclaration, encodeDeclaration } from '../../lambda/provisioner/core/declaration';

const PROPERTIES = {
  MemberOf: ['readers', 'writers'],
  Privileges: {
    shop: {
      Database: ['CONNECT'],
      Schemas: {
        app: {
          Owner: 'true',
          Schema: ['USAGE'],
          Tables: { '*': ['SELECT'], 't': ['INSERT', 'UPDATE'] },
          Columns: { t: { a: ['SELECT'], b: ['UPDATE'] }, u: { a: ['SELECT'] } },
          Sequences: { s: ['USAGE'] },
          Functions: { f: ['EXECUTE'] },
          FutureObjects: { maker: { Tables: ['SELECT'] }, other: { Tables: ['INSERT'], Sequences: ['USAGE'] } },
        },
        empty: { Schema: ['USAGE'] },
      },
    },
    stock: { Database: ['CONNECT'] },
  },
  Settings: { ConnectionLimit: '3' },
  Exclusive: 'true',
  ExpiresAt: '2026-01-31T12:00:00.000Z',
};

test('a declaration is read as it was written', () => {
  expect(encodeDeclaration(decodeDeclaration('user', PROPERTIES))).toEqual(PROPERTIES);
});

test('what is empty is not written', () => {
  const declaration = decodeDeclaration('role', { MemberOf: [], Privileges: {}, Exclusive: 'false' });
  expect(declaration).toEqual({ kind: 'role', memberOf: [], databases: [], exclusive: false });
  expect(encodeDeclaration(declaration)).toEqual({});
});

test('all that a creator makes is what is declared on all objects, and nothing of columns', () => {
  const schema = {
    Tables: { '*': ['SELECT'], 't': ['UPDATE'] },
    Columns: { t: { '*': ['SELECT'] } },
    Sequences: { '*': [] },
    FutureObjects: { maker: '*' },
  };
  const decode = () =>
    decodeDeclaration('user', {
      MemberOf: undefined,
      Privileges: { shop: { Schemas: { app: schema } } },
      Exclusive: undefined,
    });
  expect(decode).toThrow('column name "*" is not allowed');
  const {
    databases: [
      {
        schemas: [{ futureObjects }],
      },
    ],
  } = decodeDeclaration('user', {
    Exclusive: undefined,
    MemberOf: undefined,
    Privileges: { shop: { Schemas: { app: { ...schema, Columns: { t: { c: ['SELECT'] } } } } } },
  });
  expect(futureObjects).toEqual([{ creator: 'maker', objects: [{ kind: 'TABLE', privileges: ['SELECT'] }] }]);
});

test('a creator that is registered twice, after a rename, is written once', () => {
  const future = (privilege: string) => ({
    creator: 'maker',
    objects: [{ kind: 'TABLE' as const, privileges: [privilege] }],
  });
  const schema = {
    schema: 'app',
    owner: false,
    privileges: [],
    objects: [],
    futureObjects: [future('SELECT'), future('INSERT')],
  };
  expect(
    encodeDeclaration({
      kind: 'user',
      memberOf: [],
      exclusive: false,
      databases: [{ database: 'shop', privileges: [], schemas: [schema] }],
    }),
  ).toEqual({
    Privileges: { shop: { Schemas: { app: { FutureObjects: { maker: { Tables: ['INSERT', 'SELECT'] } } } } } },
  });
});

test.each<[string, object]>([
  ['MemberOf 1 is not allowed', { MemberOf: 1 }],
  ['role name "" is not allowed', { MemberOf: [''] }],
  ['Privileges 1 is not allowed', { Privileges: 1 }],
  ['property "x" is not allowed: Privileges.shop has only Database, Schemas', { Privileges: { shop: { x: 1 } } }],
  ['Privileges.shop.Database 1 is not allowed', { Privileges: { shop: { Database: 1 } } }],
  ['privilege on a database "SELECT" is not allowed: known are ', { Privileges: { shop: { Database: ['SELECT'] } } }],
  ['Privileges.shop.Schemas 1 is not allowed', { Privileges: { shop: { Schemas: 1 } } }],
  ['property "x" is not allowed: Privileges.shop.Schemas.app has only Owner, Schema, Tables, Columns, ',
    { Privileges: { shop: { Schemas: { app: { x: 1 } } } } }],
  ['Privileges.shop.Schemas.app.Owner 1 is not allowed', { Privileges: { shop: { Schemas: { app: { Owner: 1 } } } } }],
  ['Privileges.shop.Schemas.app.Schema 1 is not allowed', { Privileges: { shop: { Schemas: { app: { Schema: 1 } } } } }],
  ['privilege on a schema "SELECT" is not allowed',
    { Privileges: { shop: { Schemas: { app: { Schema: ['SELECT'] } } } } }],
  ['Privileges.shop.Schemas.app.Tables 1 is not allowed', { Privileges: { shop: { Schemas: { app: { Tables: 1 } } } } }],
  ['Privileges.shop.Schemas.app.Tables.t 1 is not allowed',
    { Privileges: { shop: { Schemas: { app: { Tables: { t: 1 } } } } } }],
  ['privilege on a table "EXECUTE" is not allowed',
    { Privileges: { shop: { Schemas: { app: { Tables: { t: ['EXECUTE'] } } } } } }],
  ['table name "" is not allowed', { Privileges: { shop: { Schemas: { app: { Tables: { '': ['SELECT'] } } } } } }],
  ['Privileges.shop.Schemas.app.Columns 1 is not allowed',
    { Privileges: { shop: { Schemas: { app: { Columns: 1 } } } } }],
  ['table name "" is not allowed', { Privileges: { shop: { Schemas: { app: { Columns: { '': {} } } } } } }],
  ['Privileges.shop.Schemas.app.Columns.t 1 is not allowed',
    { Privileges: { shop: { Schemas: { app: { Columns: { t: 1 } } } } } }],
  ['column name "" is not allowed',
    { Privileges: { shop: { Schemas: { app: { Columns: { t: { '': ['SELECT'] } } } } } } }],
  ['Privileges.shop.Schemas.app.Columns.t.c 1 is not allowed',
    { Privileges: { shop: { Schemas: { app: { Columns: { t: { c: 1 } } } } } } }],
  ['Privileges.shop.Schemas.app.FutureObjects 1 is not allowed',
    { Privileges: { shop: { Schemas: { app: { FutureObjects: 1 } } } } }],
  ['role name "" is not allowed', { Privileges: { shop: { Schemas: { app: { FutureObjects: { '': {} } } } } } }],
  ['property "x" is not allowed: Privileges.shop.Schemas.app.FutureObjects.maker has only Tables, ',
    { Privileges: { shop: { Schemas: { app: { FutureObjects: { maker: { x: 1 } } } } } } }],
  ['Privileges.shop.Schemas.app.FutureObjects.maker.Tables 1 is not allowed',
    { Privileges: { shop: { Schemas: { app: { FutureObjects: { maker: { Tables: 1 } } } } } } }],
  ['Exclusive 1 is not allowed', { Exclusive: 1 }],
  ['ExpiresAt "x" is not allowed: it is not a time such as 2026-01-31T12:00:00.000Z; pass a time in UTC with milliseconds',
    { ExpiresAt: 'x' }],
  ['ExpiresAt "x2026-01-31T12:00:00.000Z" is not allowed', { ExpiresAt: 'x2026-01-31T12:00:00.000Z' }],
  ['ExpiresAt "2026-01-31T12:00:00.000Zx" is not allowed', { ExpiresAt: '2026-01-31T12:00:00.000Zx' }],
])('is refused: %s', (reason, more) => {
  expect(() => decodeDeclaration('user', { ...PROPERTIES, ...more })).toThrow(reason);
});

test('a group role has no time at which it ends', () => {
  expect(() =>
    decodeDeclaration('role', {
      MemberOf: undefined,
      Privileges: undefined,
      Exclusive: undefined,
      ExpiresAt: PROPERTIES.ExpiresAt,
    }),
  ).toThrow(
    'ExpiresAt "2026-01-31T12:00:00.000Z" is not allowed: a group role has no login that could end; declare it for its members',
  );
});
