import { SchemaPrivileges } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, signIn, snapshot, Stack, trust, User } from './stack';
import { startWorld } from './world';

type Privileges = NonNullable<User['privileges']>;

const CREATE_IT = 'create it before this deployment, or correct its name';
const NOT_TO_GRANT = 'the admin may not pass that on: use an admin that owns it, or that may become a member of its owner. If a superuser owns it, as rdsadmin does on RDS, '
  + 'no other admin may: declare the objects that are meant by name, such as onTables, instead of all in the schema, or move this one to a schema of its own';

/** What cannot be done says what, why and what to do about it, and leaves all databases as they were, also those that came before. */
describe.each(setupsOver({ 'connections': ['14'], 'the Data API': [] }))('refused on PostgreSQL $name over $transport', ({ major, roleRules, transport, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let untouched: unknown;

  beforeAll(async () => {
    ({ server } = await startWorld({ ...setup, major, roleRules }));
    trust(server.caCertificate);
    await server.sql('CREATE ROLE stranger; CREATE ROLE iam_group; GRANT rds_iam TO iam_group');
    await server.sql('CREATE TABLE public.system (n int); CREATE TABLE public.strange (n int); ALTER TABLE public.strange OWNER TO stranger', [], 'theirs');
    untouched = await snapshot(server);
  });
  beforeEach(() => stack = new Stack(server, transport === 'the Data API' ? { transport: throughDataApi(server) } : {}));
  afterEach(async () => {
    await expect(snapshot(server)).resolves.toEqual(untouched);
    await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
  });
  watchAdmin(() => server);
  afterAll(() => server.stop());

  const inTheirs = (schema: string, privileges: SchemaPrivileges) => ({ theirs: { Schemas: { [schema]: privileges } } });
  const notTheAdmins = (name: string) => major < 16 && name === 'system' ? `permission denied for table ${name} (SQLSTATE 42501)` : transport === 'the Data API' ? 'PostgreSQL left it as it was, without an error' : `no privileges were granted for "${name}" (SQLSTATE 01007)`;

  const CASES: [string, Partial<User>, string][] = ([
    ['a database that is not there', { zebra: { Schemas: { app: {} } } },
      'cannot sign in to database "zebra" of <database> as the admin: database "zebra" does not exist (SQLSTATE 3D000); create the database before this deployment, or correct its name'],
    ['CONNECT on a database that is not there', { zebra: { Database: ['CONNECT'] } },
      'cannot grant CONNECT on database "zebra" to "orders": database "zebra" does not exist (SQLSTATE 3D000); create the database before this deployment, or correct its name'],
    ['a schema that is not there', inTheirs('nowhere', { Schema: ['USAGE'] }), 'there is no schema "nowhere" in database "theirs"; create it before this deployment, let a user or role of the app own it (Privileges.schemaOwner), or correct its name'],
    ['a table whose name is written in another case', inTheirs('app', { Tables: { Orders: ['SELECT'] } }), `there is no table or view "Orders" in schema "app" in database "theirs"; ${CREATE_IT}`],
    ['columns of a table that is not there', inTheirs('app', { Columns: { nothing: { a: ['SELECT'] } } }), `there is no table or view "nothing" in schema "app" in database "theirs"; ${CREATE_IT}`],
    ['a column that is not there', inTheirs('My data', { Tables: { '*': ['SELECT'] }, Columns: { things: { nothing: ['INSERT', 'UPDATE'] } } }),
      'cannot grant INSERT, UPDATE on column "nothing" of table "things" in schema "My data" to "orders" in database "theirs": column "nothing" of relation "things" does not exist (SQLSTATE 42703); '
      + 'create the column before this deployment, or correct its name'],
    ['a table where a sequence is named', inTheirs('app', { Sequences: { orders: ['USAGE'] } }), `there is no sequence "orders" in schema "app" in database "theirs"; ${CREATE_IT}`],
    ['a function that is not there', inTheirs('app', { Functions: { nothing: ['EXECUTE'] } }), `there is no function or procedure "nothing" in schema "app" in database "theirs"; ${CREATE_IT}`],
    ['objects of a role that is not there', inTheirs('app', { FutureObjects: { nobody: { Tables: ['SELECT'] } } }),
      'cannot grant SELECT on tables that "nobody" creates in schema "app" to "orders" in database "theirs": role "nobody" does not exist (SQLSTATE 42704); create the role before this deployment, or correct its name'],
    ['a table of the superuser', inTheirs('public', { Tables: { system: ['SELECT'] } }),
      `cannot grant SELECT on table "system" in schema "public" to "orders" in database "theirs": ${notTheAdmins('system')}; ${NOT_TO_GRANT}`],
    ['a function of an extension, by its name', inTheirs('app', { Functions: { pg_stat_statements: ['EXECUTE'] } }),
      `cannot grant EXECUTE on function "pg_stat_statements" in schema "app" to "orders" in database "theirs": ${notTheAdmins('pg_stat_statements')}; ${NOT_TO_GRANT}`],
    ['a schema of its own in a database of others', inTheirs('own', { Owner: 'true' }),
      'cannot create schema "own" owned by "orders" in database "theirs": permission denied for database theirs (SQLSTATE 42501); the admin needs CREATE on the database'],
    ['a schema of its own that belongs to somebody else', inTheirs('My data', { Owner: 'true' }),
      'schema "My data" in database "theirs" belongs to "migrator" and not to "orders"; choose another schema, or hand it over with ALTER SCHEMA ... OWNER TO'],
    ...major < 17
      ? [['MAINTAIN before 17', inTheirs('My data', { Tables: { things: ['MAINTAIN', 'SELECT'] } }),
          'cannot grant MAINTAIN, SELECT on table "things" in schema "My data" to "orders" in database "theirs": unrecognized privilege type "maintain" (SQLSTATE 42601); MAINTAIN is there from PostgreSQL 17 on: leave it out']]
      : [],
    // Up to 15, CREATEROLE is the right to become a member of anybody.
    ...major < 16
      ? []
      : [['a table of a role that the admin cannot become a member of', inTheirs('public', { Tables: { strange: ['SELECT'] } }),
          'cannot grant SELECT on table "strange" in schema "public" to "orders" in database "theirs": permission denied to grant role "stranger". Only roles with the ADMIN option on role "stranger" may grant this role. '
          + '(SQLSTATE 42501); that role owns it, and the admin must become a member of it for the moment: give the admin ADMIN OPTION on it, or the privilege itself WITH GRANT OPTION, '
          + 'or use an admin that has one of them']],
  ] as [string, Privileges, string][]).map(([what, privileges, message]): [string, Partial<User>, string] => [what, { privileges }, message]);
  const MEMBERSHIPS: typeof CASES = [
    ['membership in a role that is not there', { memberOf: ['nobody'] }, 'cannot grant role "nobody" to "orders": role "nobody" does not exist (SQLSTATE 42704); create the role before this deployment, or correct its name'],
  ];

  /** Before the database in which it fails come two others. */
  const changed = (others: Partial<User>): User => ({
    username: 'orders',
    ...others,
    privileges: {
      shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT', 'UPDATE'] }, Columns: { orders: { id: ['INSERT'] } }, FutureObjects: { migrator: { Tables: ['SELECT'] } } }, own: { Owner: 'true' } } },
      stock: { Schemas: { 'My data': { Tables: { things: ['DELETE'] } } } },
      ...others.privileges,
    },
  });

  test.each(firstOf(3, [...CASES, ...MEMBERSHIPS]))('%s: nothing is created', async (_, others, message) => {
    expect((await failure(stack.create('A', changed(others)))).replace(/localhost:\d+|arn:aws:rds:\S+/, '<database>')).toBe(message);
    expect(stack.log.map(({ notice }) => notice)).toContain('undoing');
    expect(stack.log.map(({ notice }) => notice)).not.toContain('not undone');
  });

  describe('of a user that is there', () => {
    let before: unknown;
    const user: User = {
      username: 'before',
      privileges: {
        shop: { Schemas: { app: { Tables: { '*': ['INSERT', 'SELECT'] }, Columns: { orders: { id: ['SELECT'] } } } } },
        stock: { Database: ['CONNECT'], Schemas: { app: { Functions: { '*': ['EXECUTE'] }, FutureObjects: { migrator: { Tables: ['SELECT'] } } } } },
      },
    };
    beforeAll(async () => {
      await new Stack(server).create('A', user);
      await server.sql('GRANT INSERT, UPDATE (total) ON app.orders TO before WITH GRANT OPTION; GRANT USAGE ON SCHEMA app TO before', [], 'shop');
      await server.sql('ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA app GRANT SELECT ON TABLES TO before WITH GRANT OPTION', [], 'stock');
      [before, untouched] = [untouched, await snapshot(server)];
    });
    afterAll(async () => {
      await new Stack(server).delete('A', user);
      untouched = before;
      await expect(snapshot(server)).resolves.toEqual(untouched);
    });

    // One for each step at which it may fail: to get into a database, to find what is declared, to grant it, to grant what is shared.
    test.each(firstOf(1, [CASES[0], CASES[2], CASES[8], ...MEMBERSHIPS]))('%s: nothing is changed', async (_, others, message) => {
      expect((await failure(stack.update('A', changed(others)))).replace(/localhost:\d+|arn:aws:rds:\S+/, '<database>')).toBe(message);
      expect(stack.log.map(({ notice }) => notice)).not.toContain('not undone');
    });

    full.test('an exclusive one, and many in one resource', async () => {
      const [, others, message] = CASES[2];
      expect(await failure(stack.update('A', changed({ ...others, exclusive: true })))).toBe(message);
      const { stock } = changed({}).privileges!;
      expect(await failure(stack.create('B', { usernames: ['ann', 'bob'], privileges: { stock, ...others.privileges } }))).toBe(message);
    });
  });
});
