import { Stack } from 'aws-cdk-lib';
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

  test('of a reader does not allow nextval, which needs USAGE or UPDATE', () => {
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

  test('warns about future objects unless it says who creates them, or that it covers existing ones only', () => {
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

describe('the enumerations', () => {
  const of = {
    database: DatabasePrivilege,
    schema: SchemaPrivilege,
    table: TablePrivilege,
    column: ColumnPrivilege,
    sequence: SequencePrivilege,
    function: FunctionPrivilege,
    type: TypePrivilege,
  };

  test.each([DATABASE, SCHEMA, ...KINDS_IN_SCHEMA])(
    'have what the provisioner knows of a $word',
    ({ word, privileges }) => {
      expect(Object.entries(of[word])).toEqual(privileges.map(name => [name, name]));
    },
  );
});
