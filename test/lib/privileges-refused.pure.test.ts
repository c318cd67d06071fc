import { Lazy, Stack } from 'aws-cdk-lib';
import { ColumnPrivilege, DatabaseRole, Privileges, SequencePrivilege, TablePrivilege } from '../../lib';
import { wireForm } from '../../lib/model/privilege-set';

const SHOP = { database: 'shop', schema: 'sales' };

const stack = new Stack();
const role = (roleName: string, id = roleName) => DatabaseRole.fromRoleName(stack, id, roleName);
const migrator = role('migrator');
const token = Lazy.string({ produce: () => 'token' });

const inTemplate = (...values: Privileges[]) => wireForm(
  values.map(({ _grant: { databases } }) => databases!),
  [],
).Privileges;

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
