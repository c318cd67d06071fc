import { placeOf, privilegesIn, privilegeText } from '../../../lib/report/privilege-lines';
import { PrivilegesByDatabase } from '../../../lib/model/privilege-set';

const linesOf = (databases: PrivilegesByDatabase) =>
  privilegesIn(databases).map(privilege => `${placeOf(privilege)}: ${privilegeText(privilege)}`);
const inPublic = (schema: object) => linesOf({ shop: { Schemas: { public: schema } } });

describe('privilegesIn', () => {
  test('says each thing once, in the order of the documentation of PostgreSQL', () => {
    expect(linesOf({
      crm: { Database: ['CONNECT'] },
      shop: {
        Database: ['CONNECT', 'CREATE', 'TEMPORARY'],
        Schemas: {
          public: {
            Schema: ['CREATE', 'USAGE'],
            Tables: { '*': ['DELETE', 'INSERT', 'SELECT', 'UPDATE'] },
            Columns: { customers: { country: ['SELECT'], id: ['SELECT'], name: ['SELECT', 'UPDATE'] } },
            Sequences: { '*': ['SELECT', 'USAGE'] },
            Functions: { '*': ['EXECUTE'] },
          },
        },
      },
    })).toEqual([
      'crm: CONNECT',
      'shop: CONNECT, CREATE, TEMPORARY',
      'shop.public: USAGE, CREATE',
      'shop.public: SELECT, INSERT, UPDATE, DELETE on all tables',
      'shop.public: SELECT on columns country, id of table customers',
      'shop.public: SELECT, UPDATE on column name of table customers',
      'shop.public: USAGE, SELECT on all sequences',
      'shop.public: EXECUTE on all functions',
    ]);
  });

  test('says of the owner of a schema that it is', () => {
    expect(inPublic({ Owner: 'true' })).toEqual(['shop.public: owner of the schema']);
  });

  test('puts names together that have the same privileges', () => {
    expect(
      inPublic({
        Tables: { a: ['SELECT'], b: ['SELECT', 'UPDATE'], c: ['SELECT'] },
        Sequences: { s: ['USAGE'] },
        Functions: { f: ['EXECUTE'], g: ['EXECUTE'] },
      }),
    ).toEqual([
      'shop.public: SELECT on tables a, c',
      'shop.public: SELECT, UPDATE on table b',
      'shop.public: USAGE on sequence s',
      'shop.public: EXECUTE on functions f, g',
    ]);
  });

  test('says of future objects who creates them, with the present ones where it is the same', () => {
    const future = (privileges: string[]) => ({ Tables: privileges });
    expect(
      inPublic({
        Tables: { '*': ['SELECT'], 'log': ['INSERT'] },
        FutureObjects: {
          importer: future(['SELECT']),
          migrator: future(['SELECT']),
          other: future(['SELECT', 'UPDATE']),
        },
      }),
    ).toEqual([
      'shop.public: SELECT on all tables (also future ones of importer, migrator)',
      'shop.public: INSERT on table log',
      'shop.public: SELECT, UPDATE on future tables of other',
    ]);
    expect(
      inPublic({
        Tables: { '*': ['SELECT'] },
        Sequences: { '*': ['USAGE'] },
        Functions: { f: ['EXECUTE'] },
        FutureObjects: { migrator: '*' },
      }),
    ).toEqual([
      'shop.public: SELECT on all tables (also future ones of migrator)',
      'shop.public: USAGE on all sequences (also future ones of migrator)',
      'shop.public: EXECUTE on function f',
    ]);
    expect(inPublic({ FutureObjects: { migrator: { Functions: ['EXECUTE'] } } })).toEqual([
      'shop.public: EXECUTE on future functions of migrator',
    ]);
  });

  test('says of types what it says of other objects', () => {
    expect(inPublic({ Types: { '*': ['USAGE'] }, FutureObjects: { migrator: '*' } })).toEqual([
      'shop.public: USAGE on all types (also future ones of migrator)',
    ]);
    expect(inPublic({ Types: { mood: ['USAGE'] }, FutureObjects: { migrator: { Types: ['USAGE'] } } })).toEqual([
      'shop.public: USAGE on type mood',
      'shop.public: USAGE on future types of migrator',
    ]);
  });

  test('quotes names as PostgreSQL does, and shows invisible characters', () => {
    expect(linesOf({ 'my shop': { Schemas: { 'a.b"c': { Tables: { 'x\u202ey\n': ['SELECT'] } } } } })).toEqual([
      '"my shop"."a.b""c": SELECT on table "x\\u{202e}y\\u{a}"',
    ]);
  });
});
