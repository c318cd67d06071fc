import { Lazy, Stack } from 'aws-cdk-lib';
import {
  ColumnPrivilege, DatabasePrivilege, DatabaseRole, FunctionPrivilege, Privileges, SchemaPrivilege, SequencePrivilege,
  TablePrivilege, TypePrivilege,
} from '../../lib';
import { DATABASE, KINDS_IN_SCHEMA, SCHEMA } from '../../lib/contract/object-kinds';
import { wireForm } from '../../lib/model/privilege-set';

const SHOP = { database: 'shop', schema: 'sales' };

const stack = new Stack();
const role = (roleName: string, id = roleName) => DatabaseRole.fromRoleName(stack, id, roleName);
const [migrator, loader] = ['migrator', 'loader'].map(name => role(name));
const token = Lazy.string({ produce: () => 'token' });

const inTemplate = (...values: Privileges[]) => wireForm(
  values.map(({ _grant: { databases } }) => databases!),
  [],
).Privileges;
/** The text, because the order of keys counts. */
const text = (...values: Privileges[]) => JSON.stringify(inTemplate(...values));

describe('a value', () => {
  test.each<[string, Privileges | Privileges[], object]>([
    ['readOnly of schema public', Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] }), {
      shop: {
        Database: ['CONNECT'],
        Schemas: { public: { Schema: ['USAGE'], Sequences: { '*': ['SELECT'] }, Tables: { '*': ['SELECT'] } } },
      },
    }],
    ['readOnly of several schemas, with what two roles create', Privileges.readOnly({
      database: 'shop', schemas: ['b', 'a', 'b'], objectsCreatedBy: [migrator, loader, migrator],
    }), {
      shop: {
        Database: ['CONNECT'],
        Schemas: Object.fromEntries(['a', 'b'].map(schema => [schema, {
          FutureObjects: { loader: '*', migrator: '*' },
          Schema: ['USAGE'],
          Sequences: { '*': ['SELECT'] },
          Tables: { '*': ['SELECT'] },
        }])),
      },
    }],
    ['readWrite', Privileges.readWrite({ database: 'shop', schemas: ['sales'], objectsCreatedBy: [migrator] }), {
      shop: {
        Database: ['CONNECT'],
        Schemas: {
          sales: {
            FutureObjects: { migrator: '*' },
            Schema: ['USAGE'],
            Sequences: { '*': ['SELECT', 'USAGE'] },
            Tables: { '*': ['DELETE', 'INSERT', 'SELECT', 'UPDATE'] },
          },
        },
      },
    }],
    ['createObjects in schema public', Privileges.createObjects({ database: 'shop' }), {
      shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['CREATE', 'USAGE'] } } },
    }],
    ['createObjects in several schemas', Privileges.createObjects({ database: 'shop', schemas: ['b', 'a'] }), {
      shop: {
        Database: ['CONNECT'], Schemas: { a: { Schema: ['CREATE', 'USAGE'] }, b: { Schema: ['CREATE', 'USAGE'] } },
      },
    }],
    ['schemaOwner', Privileges.schemaOwner(SHOP), {
      shop: { Database: ['CONNECT'], Schemas: { sales: { Owner: 'true' } } },
    }],
    ['onDatabase by default', Privileges.onDatabase({ database: 'shop' }), { shop: { Database: ['CONNECT'] } }],
    [
      'onDatabase',
      Privileges.onDatabase({ database: 'shop', privileges: [DatabasePrivilege.TEMPORARY, DatabasePrivilege.CREATE] }),
      { shop: { Database: ['CREATE', 'TEMPORARY'] } },
    ],
    ['onSchema by default', Privileges.onSchema(SHOP), { shop: { Schemas: { sales: { Schema: ['USAGE'] } } } }],
    [
      'onSchema',
      Privileges.onSchema({ ...SHOP, privileges: [SchemaPrivilege.CREATE] }),
      { shop: { Schemas: { sales: { Schema: ['CREATE'] } } } },
    ],
    ['onTables, all of them', Privileges.onTables({
      ...SHOP, privileges: [TablePrivilege.TRUNCATE, TablePrivilege.MAINTAIN],
    }), {
      shop: { Schemas: { sales: { Tables: { '*': ['MAINTAIN', 'TRUNCATE'] } } } },
    }],
    ['onTables, all of them and what a role creates', Privileges.onTables({
      ...SHOP, privileges: [TablePrivilege.SELECT], objectsCreatedBy: [migrator],
    }), {
      shop: { Schemas: { sales: { FutureObjects: { migrator: '*' }, Tables: { '*': ['SELECT'] } } } },
    }],
    ['onTables by name', Privileges.onTables({
      ...SHOP, tables: ['orders', 'Items', 'orders'], privileges: [TablePrivilege.INSERT], objectsCreatedBy: [],
    }), {
      shop: { Schemas: { sales: { Tables: { Items: ['INSERT'], orders: ['INSERT'] } } } },
    }],
    ['onColumns', Privileges.onColumns({
      ...SHOP, table: 'orders', columns: ['total', 'state'],
      privileges: [ColumnPrivilege.UPDATE, ColumnPrivilege.SELECT],
    }), {
      shop: {
        Schemas: { sales: { Columns: { orders: { state: ['SELECT', 'UPDATE'], total: ['SELECT', 'UPDATE'] } } } },
      },
    }],
    ['onSequences, all of them and what a role creates', Privileges.onSequences({
      ...SHOP, privileges: [SequencePrivilege.UPDATE], objectsCreatedBy: [migrator],
    }), {
      shop: { Schemas: { sales: { FutureObjects: { migrator: '*' }, Sequences: { '*': ['UPDATE'] } } } },
    }],
    ['onSequences by name', Privileges.onSequences({
      ...SHOP, sequences: ['numbers'], privileges: [SequencePrivilege.USAGE],
    }), {
      shop: { Schemas: { sales: { Sequences: { numbers: ['USAGE'] } } } },
    }],
    ['onFunctions, all of them and what a role creates', Privileges.onFunctions({
      ...SHOP, objectsCreatedBy: [migrator],
    }), {
      shop: { Schemas: { sales: { Functions: { '*': ['EXECUTE'] }, FutureObjects: { migrator: '*' } } } },
    }],
    ['onFunctions by name', Privileges.onFunctions({
      ...SHOP, functions: ['total'], privileges: [FunctionPrivilege.EXECUTE],
    }), {
      shop: { Schemas: { sales: { Functions: { total: ['EXECUTE'] } } } },
    }],
    ['onTypes, all of them and what a role creates', Privileges.onTypes({ ...SHOP, objectsCreatedBy: [migrator] }), {
      shop: { Schemas: { sales: { FutureObjects: { migrator: '*' }, Types: { '*': ['USAGE'] } } } },
    }],
    ['onTypes by name', Privileges.onTypes({ ...SHOP, types: ['money', 'Mood'], privileges: [TypePrivilege.USAGE] }), {
      shop: { Schemas: { sales: { Types: { Mood: ['USAGE'], money: ['USAGE'] } } } },
    }],
    ['onTypes, beside tables and what a role creates of both', [
      Privileges.onTables({ ...SHOP, privileges: [TablePrivilege.SELECT], objectsCreatedBy: [migrator, loader] }),
      Privileges.onTypes({ ...SHOP, objectsCreatedBy: [migrator] }),
    ], {
      shop: {
        Schemas: {
          sales: {
            FutureObjects: { loader: { Tables: ['SELECT'] }, migrator: '*' },
            Tables: { '*': ['SELECT'] },
            Types: { '*': ['USAGE'] },
          },
        },
      },
    }],
  ])('is in the template: %s', (_, value, expected) => {
    expect(text(...[value].flat())).toBe(JSON.stringify(expected));
  });

  test('of a reader lets nobody call nextval, which needs USAGE or UPDATE', () => {
    const { Sequences, FutureObjects } = inTemplate(Privileges.readOnly({
      database: 'shop', objectsCreatedBy: [migrator],
    }))!.shop.Schemas!.public;
    expect([Sequences!['*'], FutureObjects!.migrator]).toEqual([['SELECT'], '*']);
  });

  test('stays as it is when the lists it came from change', () => {
    const lists = {
      schemas: ['public'], privileges: [TablePrivilege.SELECT], tables: ['orders'], columns: ['state'],
      objectsCreatedBy: [migrator],
    };
    const values = () => [
      Privileges.onDatabase({ database: 'shop', privileges: lists.privileges as unknown as DatabasePrivilege[] }),
      Privileges.onSchema({ ...SHOP, privileges: lists.privileges as unknown as SchemaPrivilege[] }),
      Privileges.onTables({ ...SHOP, tables: lists.tables, privileges: lists.privileges }),
      Privileges.onTables({ ...SHOP, privileges: lists.privileges, objectsCreatedBy: lists.objectsCreatedBy }),
      Privileges.onColumns({
        ...SHOP, table: 'orders', columns: lists.columns, privileges: lists.privileges as unknown as ColumnPrivilege[],
      }),
      Privileges.readOnly({ database: 'shop', schemas: lists.schemas, objectsCreatedBy: lists.objectsCreatedBy }),
    ];
    const before = values();
    const expected = before.map(value => [text(value), value._grant.creators?.length]);
    Object.values(lists).forEach(list => (list as unknown[]).push('more'));
    expect(before.map(value => [text(value), value._grant.creators?.length])).toEqual(expected);
  });

  test('warns about objects of the future unless it says who creates them, or that nobody has to', () => {
    const warnings = [undefined, [], [migrator]].map(
      objectsCreatedBy => Privileges.readOnly({ database: 'shop', objectsCreatedBy })._grant.warning,
    );
    expect(warnings).toEqual([
      expect.stringContaining('readOnly without objectsCreatedBy') as string, undefined, undefined,
    ]);
  });

  test.each([
    ['createObjects', Privileges.createObjects({ database: 'shop' })],
    ['schemaOwner', Privileges.schemaOwner(SHOP)],
    ['onTables', Privileges.onTables({ ...SHOP, privileges: [TablePrivilege.SELECT] })],
    ['onFunctions', Privileges.onFunctions(SHOP)],
    ['onTypes', Privileges.onTypes(SHOP)],
  ])('does not warn: %s', (_, value) => {
    expect(value._grant.warning).toBeUndefined();
  });
});

describe('fails for', () => {
  const KEY = 'and a key of the template must be known at synthesis; give the name itself';
  const EMPTY = 'is not allowed: it is empty; give it 1 to 63 bytes';

  test.each<[string, () => Privileges, string]>([
    ['a database that is a token', () => Privileges.readOnly({ database: token }), `database name is a token, ${KEY}`],
    ['a database without a name', () => Privileges.onDatabase({ database: '' }), `database name "" ${EMPTY}`],
    ['a database of an exact value', () => Privileges.onSchema({ ...SHOP, database: '' }), `database name "" ${EMPTY}`],
    [
      'a schema that is a token', () => Privileges.readWrite({ database: 'shop', schemas: ['sales', token] }),
      `schema name is a token, ${KEY}`,
    ],
    [
      'a list of schemas that is a token',
      () => Privileges.readOnly({ database: 'shop', schemas: Lazy.list({ produce: () => ['a'] }) }),
      `schema name is a token, ${KEY}`,
    ],
    [
      'a schema of the system', () => Privileges.createObjects({ database: 'shop', schemas: ['pg_catalog'] }),
      'schema name "pg_catalog" is not allowed: it is a schema of the system, whose privileges are PostgreSQL\'s '
      + 'own; name a schema of your data, or use a predefined role such as pg_monitor',
    ],
    [
      'a schema to own without a name', () => Privileges.schemaOwner({ ...SHOP, schema: '' }),
      `schema name "" ${EMPTY}`,
    ],
    ['a schema of an exact value', () => Privileges.onSchema({ ...SHOP, schema: '' }), `schema name "" ${EMPTY}`],
    [
      'a schema of tables', () => Privileges.onTables({ ...SHOP, schema: token, privileges: [TablePrivilege.SELECT] }),
      `schema name is a token, ${KEY}`,
    ],
    [
      'a table called *', () => Privileges.onTables({ ...SHOP, tables: ['*'], privileges: [TablePrivilege.SELECT] }),
      'table name "*" is not allowed: it stands for all objects of the schema, so that one of this name cannot be '
      + 'told apart; leave the names out to mean all of them',
    ],
    [
      'a table that is a token',
      () => Privileges.onTables({ ...SHOP, tables: [token], privileges: [TablePrivilege.SELECT] }),
      `table name is a token, ${KEY}`,
    ],
    [
      'a table of columns',
      () => Privileges.onColumns({ ...SHOP, table: token, columns: ['a'], privileges: [ColumnPrivilege.SELECT] }),
      `table name is a token, ${KEY}`,
    ],
    [
      'a column that is a token',
      () => Privileges.onColumns({
        ...SHOP, table: 'orders', columns: ['a', token], privileges: [ColumnPrivilege.SELECT],
      }),
      `column name is a token, ${KEY}`,
    ],
    [
      'a sequence without a name',
      () => Privileges.onSequences({ ...SHOP, sequences: [''], privileges: [SequencePrivilege.USAGE] }),
      `sequence name "" ${EMPTY}`,
    ],
    [
      'a function without a name', () => Privileges.onFunctions({ ...SHOP, functions: [''] }),
      `function name "" ${EMPTY}`,
    ],
    [
      'a creator whose name is a token',
      () => Privileges.readOnly({ database: 'shop', objectsCreatedBy: [role(token, 'Token')] }),
      `role name is a token, ${KEY}`,
    ],
    [
      'a creator whose name CloudFormation reads as a function',
      () => Privileges.onTables({ ...SHOP, privileges: [TablePrivilege.SELECT], objectsCreatedBy: [role('Ref')] }),
      'role name "Ref" is not allowed: as a key of the template it would be taken for a key word; rename it',
    ],
    [
      'a name that CloudFormation reads as a function',
      () => Privileges.onTables({ ...SHOP, tables: ['Ref'], privileges: [TablePrivilege.SELECT] }),
      'table name "Ref" is not allowed: as a key of the template it would be taken for a key word; rename it',
    ],
    [
      'a name that CloudFormation reads as another function',
      () => Privileges.onSchema({ ...SHOP, schema: 'Fn::GetAtt' }),
      'schema name "Fn::GetAtt" is not allowed: as a key of the template it would be taken for a key word; rename it',
    ],
    [
      'a name that JavaScript drops', () => Privileges.onDatabase({ database: '__proto__' }),
      'database name "__proto__" is not allowed: as a key of the template it would be taken for a key word; rename it',
    ],
    [
      'no schema', () => Privileges.readOnly({ database: 'shop', schemas: [] }),
      'schemas of database "shop" must not be empty; add at least one, or leave schemas out for public',
    ],
    [
      'no privilege on a database', () => Privileges.onDatabase({ database: 'shop', privileges: [] }),
      'privileges on database "shop" must not be empty; add at least one, or leave privileges out for CONNECT',
    ],
    [
      'no privilege on a schema', () => Privileges.onSchema({ ...SHOP, privileges: [] }),
      'privileges on schema "sales" must not be empty; add at least one, or leave privileges out for USAGE',
    ],
    [
      'no table', () => Privileges.onTables({ ...SHOP, tables: [], privileges: [TablePrivilege.SELECT] }),
      'tables of schema "sales" must not be empty; add at least one, or leave tables out for all of them',
    ],
    [
      'no privilege on tables', () => Privileges.onTables({ ...SHOP, privileges: [] }),
      'privileges on tables of schema "sales" must not be empty; add at least one',
    ],
    [
      'no column',
      () => Privileges.onColumns({ ...SHOP, table: 'orders', columns: [], privileges: [ColumnPrivilege.SELECT] }),
      'columns of table "orders" must not be empty; add at least one',
    ],
    [
      'no privilege on columns',
      () => Privileges.onColumns({ ...SHOP, table: 'orders', columns: ['a'], privileges: [] }),
      'privileges on columns of table "orders" must not be empty; add at least one',
    ],
    [
      'no sequence', () => Privileges.onSequences({ ...SHOP, sequences: [], privileges: [SequencePrivilege.USAGE] }),
      'sequences of schema "sales" must not be empty; add at least one, or leave sequences out for all of them',
    ],
    [
      'no privilege on sequences', () => Privileges.onSequences({ ...SHOP, privileges: [] }),
      'privileges on sequences of schema "sales" must not be empty; add at least one',
    ],
    [
      'no function', () => Privileges.onFunctions({ ...SHOP, functions: [] }),
      'functions of schema "sales" must not be empty; add at least one, or leave functions out for all of them',
    ],
    [
      'no privilege on functions', () => Privileges.onFunctions({ ...SHOP, privileges: [] }),
      'privileges on functions of schema "sales" must not be empty; add at least one, or leave privileges out for '
      + 'EXECUTE',
    ],
    [
      'names of tables of the future',
      () => Privileges.onTables({
        ...SHOP, tables: ['a', 'b'], privileges: [TablePrivilege.SELECT], objectsCreatedBy: [migrator],
      }),
      'table "a", "b" of schema "sales" is named together with objectsCreatedBy, and what is created later cannot '
      + 'be named; leave tables out for all of them, or leave objectsCreatedBy out',
    ],
    [
      'names of sequences of the future',
      () => Privileges.onSequences({
        ...SHOP, sequences: ['a'], privileges: [SequencePrivilege.USAGE], objectsCreatedBy: [migrator],
      }),
      'sequence "a" of schema "sales" is named together with objectsCreatedBy, and what is created later cannot be '
      + 'named; leave sequences out for all of them, or leave objectsCreatedBy out',
    ],
    [
      'names of functions of the future',
      () => Privileges.onFunctions({ ...SHOP, functions: ['a'], objectsCreatedBy: [migrator] }),
      'function "a" of schema "sales" is named together with objectsCreatedBy, and what is created later cannot be '
      + 'named; leave functions out for all of them, or leave objectsCreatedBy out',
    ],
    ['a type without a name', () => Privileges.onTypes({ ...SHOP, types: [''] }), `type name "" ${EMPTY}`],
    ['names of types of the future', () => Privileges.onTypes({ ...SHOP, types: ['a'], objectsCreatedBy: [migrator] }),
      'type "a" of schema "sales" is named together with objectsCreatedBy, and what is created later cannot be named; '
      + 'leave types out for all of them, or leave objectsCreatedBy out'],
    [
      'no type', () => Privileges.onTypes({ ...SHOP, types: [] }),
      'types of schema "sales" must not be empty; add at least one, or leave types out for all of them',
    ],
    [
      'no privilege on types', () => Privileges.onTypes({ ...SHOP, privileges: [] }),
      'privileges on types of schema "sales" must not be empty; add at least one, or leave privileges out for USAGE',
    ],
  ])('%s', (_, value, message) => {
    expect(value).toThrow(new Error(message));
  });

  test.each([
    'reference', 'Reference', 'ref', 'Fn', 'constructor', 'a'.repeat(63), 'Ünïcode table', 'x"y',
  ])('no table called %s', (name) => {
    const value = Privileges.onTables({ ...SHOP, tables: [name], privileges: [TablePrivilege.SELECT] });
    expect(inTemplate(value)!.shop.Schemas!.sales.Tables).toEqual({ [name]: ['SELECT'] });
  });
});

describe('the enumerations', () => {
  const of = {
    database: DatabasePrivilege, schema: SchemaPrivilege, table: TablePrivilege, column: ColumnPrivilege, sequence: SequencePrivilege,
    function: FunctionPrivilege, type: TypePrivilege,
  };

  test.each([DATABASE, SCHEMA, ...KINDS_IN_SCHEMA])('have what the provisioner knows of a $word', ({ word, privileges }) => {
    expect(Object.entries(of[word])).toEqual(privileges.map(name => [name, name]));
  });
});
