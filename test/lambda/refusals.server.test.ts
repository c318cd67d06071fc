import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { ServerError } from '../../lambda/provisioner/errors';
import { explain } from '../../lambda/provisioner/remedies/server';
import { Transport } from '../../lambda/provisioner/transport/session';
import { SchemaPrivileges } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { skippingClock } from './clocks';
import { throughDataApi } from './over-data-api';
import { Declared, failure, setupsOver, signIn, snapshot, Stack, throughConnections, trust, User, users } from './stack';
import { closeSessions, isOpen, userSession } from './user-session';
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
  const reach = (): Transport => transport === 'the Data API' ? throughDataApi(server) : throughConnections(server);
  beforeEach(() => stack = new Stack(server, { transport: reach() }));
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
    ['a schema of its own that belongs to another role', inTheirs('My data', { Owner: 'true' }),
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

  describe('once all was committed: what is undone', () => {
    afterEach(closeSessions);

    /** It does not wait before it tries something again, and waits for the end of sessions. */
    const patientClock = () => {
      const clock = skippingClock();
      return { now: () => clock.now(), sleep: (milliseconds: number) => milliseconds === 50 ? setTimeout(milliseconds) : clock.sleep(milliseconds) };
    };

    /** The event is complete, others do something, and the admin is refused. */
    async function undone(event: (stack: Stack) => Promise<unknown>, meanwhile: () => Promise<unknown>): Promise<Stack> {
      let others: Promise<unknown> | undefined;
      const keptOut = async () => {
        await (others ??= meanwhile());
        throw explain(new ServerError('no', '28P01'), { attempted: 'sign in' });
      };
      const locking: Transport = async (...args) => ({ ...await reach()(...args), confirm: keptOut });
      const stack = new Stack(server, { transport: locking, clock: patientClock() });
      expect(await failure(event(stack))).toContain('so it is undone');
      return stack;
    }

    const READ = { shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } } };
    const list: Declared = { usernames: ['ann', 'bob'], privileges: READ };

    test('ends the sessions of users that it had made', async () => {
      const sessions: Client[] = [];
      await undone(stack => stack.create('A', list), async () => sessions.push(await userSession(server, 'ann'), await userSession(server, 'bob', { database: 'postgres' })));
      expect(await Promise.all(sessions.map(isOpen))).toEqual(sessions.map(() => false));
    });

    full.test('ends the sessions of a user whose access it had given back, and of no other', async () => {
      const [ann, bob] = ['ann', 'bob'].map(username => ({ username, privileges: READ }));
      const [expired, stack] = [{ ...ann, expiresAt: new Date(1_000) }, new Stack(server, { transport: reach() })];
      await stack.create('A', expired);
      await stack.create('B', bob);
      const sessions: Client[] = [];
      await undone(again => again.update('A', ann, stack.physicalIdOf('A')), async () => sessions.push(await userSession(server, 'ann'), await userSession(server, 'bob')));
      expect(await Promise.all(sessions.map(isOpen))).toEqual([false, true]);
      await stack.delete('A', ann);
      await stack.delete('B', bob);
    });

    full.test('keeps the sessions of users that may sign in as before', async () => {
      const ann = { username: 'ann', privileges: READ };
      const stack = new Stack(server, { transport: reach() });
      await stack.create('A', ann);
      const session = await userSession(server, 'ann');
      await undone(again => again.update('A', { ...ann, memberOf: ['readers'] }, stack.physicalIdOf('A')), () => Promise.resolve());
      await expect(isOpen(session)).resolves.toBe(true);
      await stack.delete('A', ann);
    });

    test('takes back what one of several users was given, where another is gone', async () => {
      const drop = async () => {
        await server.sql('DROP OWNED BY bob', [], 'shop');
        await server.sql('DROP OWNED BY bob; DROP ROLE bob');
      };
      const { log } = await undone(stack => stack.create('A', list), drop);
      const left = log.filter(({ notice }) => notice === 'not undone');
      expect(left.length).toBeGreaterThan(0);
      expect(left.filter(({ change }) => !(change as string).includes('"bob"') || (change as string).includes('"ann"'))).toEqual([]);
      expect(await users(server)).not.toContain('ann');
    });
  });
});
