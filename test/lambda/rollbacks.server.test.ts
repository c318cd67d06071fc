import { Client } from 'pg';
import { Transport } from '../../lambda/provisioner/transport/session';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, signInWithToken, Stack, throughConnections, trust, User, users } from './stack';

type Privileges = NonNullable<User['privileges']>;

/** What a migration, or an administrator, does to what was declared. */
interface Situation {
  readonly name: string;
  readonly sql: string;
  /** @default 'shop' */
  readonly database?: string;
  /** What is declared, and concerned. */
  readonly privileges?: Privileges;
  readonly memberOf?: string[];
  /** An admin that is a superuser, as that of RDS-like set-ups, can do it all the same, and logs nothing. */
  readonly isOutOfReach?: true;
  /** In the log of a release, or of its rollback. */
  readonly logged: { readonly notice: string; readonly [field: string]: unknown };
}

const inApp = (schema: object): Privileges => ({ shop: { Schemas: { app: schema } } });
const gone = (what: string) => ({ notice: 'gone', what, names: 'orders' });
const notGranted = (change: string) => ({ notice: 'not granted', change });

/** `npm test` has the first three: what is gone, what cannot be taken back, and what cannot be granted. */
const SITUATIONS: Situation[] = [
  {
    name: 'a schema is dropped', sql: 'DROP SCHEMA app CASCADE',
    privileges: inApp({ Schema: ['USAGE'], Tables: { '*': ['SELECT'], 't': ['INSERT'] },
      FutureObjects: { migrator: { Tables: ['SELECT'] } } }),
    logged: gone('schema "app" in database "shop"'),
  },
  {
    name: 'a table is handed to a superuser with its privileges', isOutOfReach: true,
    sql: 'ALTER TABLE app.t OWNER TO rdsadmin', privileges: inApp({ Tables: { t: ['SELECT'] } }),
    logged: {
      notice: 'not taken back',
      change: 'revoke SELECT on table "t" in schema "app" from "orders" in database "shop"',
    },
  },
  {
    name: 'a group role is dropped', sql: 'DROP ROLE readers', memberOf: ['readers'],
    logged: notGranted('grant role "readers" to "orders"'),
  },
  {
    name: 'a table is dropped', sql: 'DROP TABLE app.t', privileges: inApp({ Tables: { t: ['SELECT'] } }),
    logged: gone('table or view "t" in schema "app" in database "shop"'),
  },
  {
    name: 'a table with privileges on its columns is renamed', sql: 'ALTER TABLE app.t RENAME TO u',
    privileges: inApp({ Columns: { t: { n: ['SELECT'] } } }),
    logged: gone('table or view "t" in schema "app" in database "shop"'),
  },
  {
    name: 'a view is dropped', sql: 'DROP VIEW app.v', privileges: inApp({ Tables: { v: ['SELECT'] } }),
    logged: gone('table or view "v" in schema "app" in database "shop"'),
  },
  {
    name: 'a sequence is dropped', sql: 'DROP SEQUENCE app.s', privileges: inApp({ Sequences: { s: ['USAGE'] } }),
    logged: gone('sequence "s" in schema "app" in database "shop"'),
  },
  {
    name: 'a function is dropped', sql: 'DROP FUNCTION app.f', privileges: inApp({ Functions: { f: ['EXECUTE'] } }),
    logged: gone('function or procedure "f" in schema "app" in database "shop"'),
  },
  {
    name: 'a column is dropped', sql: 'ALTER TABLE app.t DROP n',
    privileges: inApp({ Columns: { t: { n: ['SELECT'] } } }),
    logged: notGranted('grant SELECT on column "n" of table "t" in schema "app" to "orders" in database "shop"'),
  },
  {
    name: 'a schema of its own is handed over', sql: 'ALTER SCHEMA own OWNER TO dba',
    privileges: { shop: { Schemas: { own: { Owner: 'true' } } } },
    logged: gone('schema "own" in database "shop", which belongs to "dba"'),
  },
  {
    name: 'a database is dropped', database: 'postgres', sql: 'DROP DATABASE stock WITH (FORCE)',
    privileges: { stock: { Database: ['CONNECT'], Schemas: { public: { Tables: { '*': ['SELECT'] } } } } },
    logged: gone('database "stock"'),
  },
  {
    name: 'a table is handed to a superuser, who takes the privileges back', isOutOfReach: true,
    sql: 'ALTER TABLE app.t OWNER TO rdsadmin; REVOKE ALL ON app.t FROM orders',
    privileges: inApp({ Tables: { t: ['SELECT'] } }),
    logged: notGranted('grant SELECT on table "t" in schema "app" to "orders" in database "shop"'),
  },
  {
    name: 'all tables are handed to a superuser', isOutOfReach: true,
    sql: 'ALTER TABLE app.t OWNER TO rdsadmin; ALTER VIEW app.v OWNER TO rdsadmin; REVOKE ALL ON app.t, app.v FROM orders',
    privileges: inApp({ Tables: { '*': ['SELECT'] } }),
    logged: notGranted('grant SELECT on table "t" in schema "app" to "orders" in database "shop"'),
  },
  {
    name: 'a creator of objects is dropped', sql: 'DROP OWNED BY migrator; DROP ROLE migrator',
    privileges: inApp({ FutureObjects: { migrator: { Tables: ['SELECT'] } } }),
    logged: notGranted('grant SELECT on tables that "migrator" creates in schema "app" to "orders" in database "shop"'),
  },
  {
    name: 'a database accepts no connections', sql: 'ALTER DATABASE stock ALLOW_CONNECTIONS false',
    privileges: { stock: { Database: ['CONNECT'], Schemas: { public: { Tables: { '*': ['SELECT'] } } } } },
    logged: gone('database "stock", which accepts no connections'),
  },
  {
    name: 'a database has a connection limit of 0', sql: 'ALTER DATABASE stock CONNECTION LIMIT 0',
    privileges: { stock: { Database: ['CONNECT'], Schemas: { public: { Tables: { '*': ['SELECT'] } } } } },
    logged: gone('database "stock", which accepts no connections'),
  },
  {
    name: 'a database lets no session in, for a library that is not there', database: 'postgres',
    // The Data API keeps sessions, which are in it already.
    sql: "ALTER DATABASE stock SET local_preload_libraries = 'nowhere'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'stock' AND usename = 'postgres'",
    privileges: { stock: { Database: ['CONNECT'], Schemas: { public: { Tables: { '*': ['SELECT'] } } } } },
    logged: { notice: 'not compared', database: 'stock' },
  },
];

const CASES = setupsOver({ 'connections': ['17, plain'], 'the Data API': [] });

const OTHERS = ['dba', 'migrator', 'readers'];

/**
 * A migration of a deployment does something, a resource is updated, another one fails, and CloudFormation declares
 * what was deployed before: that succeeds, whatever has become of it.
 */
describe.each(CASES)('a rollback on PostgreSQL $name over $transport', ({ transport, ...setup }) => {
  const isSuperuser = setup.roleRules === 'rdsLike';
  const ofOthers = isSuperuser ? { test: test.skip } : full;
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop', 'stock'],
      authorize: () => true,
      settings: { autovacuum: 'off' },
    });
    trust(server.caCertificate);
    await server.sql('CREATE ROLE dba');
  });
  beforeEach(async () => {
    stack = new Stack(server, transport === 'the Data API' ? { transport: throughDataApi(server) } : {});
    const databases = (await server.sql<{ datname: string }>('SELECT datname FROM pg_database')).map(
      ({ datname }) => datname,
    );
    await server.sql(
      databases.includes('stock')
        ? 'ALTER DATABASE stock ALLOW_CONNECTIONS true'
        : 'CREATE DATABASE stock OWNER postgres',
    );
    await server.sql('ALTER DATABASE stock CONNECTION LIMIT -1; ALTER DATABASE stock RESET ALL');
    const there = await users(server);
    for (const name of ['migrator', 'readers'].filter(name => !there.includes(name))) {
      await server.sql(
        `CREATE ROLE ${name}${setup.major < 16 ? '' : `; GRANT ${name} TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`}`,
      );
    }
    await server.sql(
      `
      DROP SCHEMA IF EXISTS app, own CASCADE; CREATE SCHEMA app AUTHORIZATION postgres; SET ROLE postgres; GRANT ALL ON SCHEMA app TO migrator;
      CREATE TABLE app.t (n int, m int); CREATE VIEW app.v AS SELECT 1 AS one; CREATE SEQUENCE app.s; CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
      RESET ROLE`,
      [],
      'shop',
    );
  });
  afterEach(async () => {
    // What could not be taken back keeps its role, without access.
    for (const name of (await users(server)).filter(name => !OTHERS.includes(name))) {
      await expect(server.sql('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [name])).resolves.toEqual([
        { rolcanlogin: false },
      ]);
      await server.sql('ALTER DATABASE stock ALLOW_CONNECTIONS true');
      await server.sql(`DROP OWNED BY ${name}`, [], 'stock');
      await server.sql(`DROP OWNED BY ${name}; DROP ROLE ${name}; `, [], 'shop');
      await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE', [], 'postgres');
    }
  });
  watchAdmin(() => server);
  afterAll(() => server.stop());

  const logged = (notice: string) => stack.log.filter(line => line.notice === notice);

  test.each(firstOf(3, SITUATIONS))(
    'goes through when $name',
    async ({ sql, database = 'shop', privileges = {}, memberOf, isOutOfReach, logged: expected }) => {
      const former: User = {
        username: 'orders',
        privileges: { ...privileges, postgres: { Database: ['CONNECT'] } },
        memberOf,
      };
      const releases: User[] = [
        { username: 'orders', privileges: { postgres: { Database: ['CONNECT', 'TEMPORARY'] } } },
        { ...former, privileges: { ...privileges, postgres: { Database: ['CONNECT', 'TEMPORARY'] } } },
      ];
      await stack.create('A', former);
      await server.sql(sql, [], database);
      for (const release of firstOf(1, releases)) {
        await stack.update('A', release);
        expect(await temporary()).toBe(true);
        await stack.update('A', former);
        expect(await temporary()).toBe(false);
      }
      expect(logged(expected.notice)).toEqual(
        isOutOfReach && isSuperuser ? [] : expect.arrayContaining([expect.objectContaining(expected)]),
      );
      await expect(signInWithToken(server, 'orders', 'postgres')).resolves.toBe('orders');
      await stack.delete('A', former);
    },
  );

  /**
   * Every state that an event can leave which is interrupted at one of its commits: from each of them both templates
   * can be deployed, and so they can after an interrupted rollback.
   */
  if (transport === 'connections') {
    full.test.each(SITUATIONS.map((situation, n) => ({ ...situation, n })))(
      'goes through after an interruption at any commit, when $name',
      async ({ n, sql, database = 'shop', privileges = {}, memberOf }) => {
        const former: User = {
          username: 'orders',
          privileges: { ...privileges, postgres: { Database: ['CONNECT'] } },
          memberOf,
        };
        const release: User = {
          username: 'orders',
          privileges: {
            ...(n % 2 === 0 ? privileges : {}),
            postgres: { Database: ['CONNECT', 'TEMPORARY'] },
            template1: { Schemas: { public: { Schema: ['USAGE'] } } },
          },
        };
        await stack.create('A', former);
        await server.sql(sql, [], database);
        let interrupted = 0;
        for (let commit = 1; ; commit++) {
          const died = [await dies(commit, release)];
          await stack.update('A', former);
          await stack.update('A', release);
          died.push(await dies(commit, former));
          await stack.update('A', release);
          await stack.update('A', former);
          interrupted += died.filter(Boolean).length;
          if (!died.some(Boolean)) {
            break;
          }
        }
        expect(interrupted).toBeGreaterThan(0);
        await stack.delete('A', former);
      },
    );
  }

  /** An update whose function is killed when a commit is done. @returns whether there are so many commits */
  async function dies(commit: number, user: User): Promise<boolean> {
    let [commits, dead] = [0, false];
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const original = Client.prototype.query as (...args: unknown[]) => Promise<unknown>;
    const query = async (
      client: Client & { connectionParameters: { application_name?: string } },
      args: unknown[],
    ): Promise<unknown> => {
      if (client.connectionParameters.application_name !== 'cdk-aurora-iam-auth') {
        return original.apply(client, args);
      }
      const result = dead ? undefined : await original.apply(client, args);
      commits += !dead && ((args[0] as { text?: string }).text ?? '').endsWith('COMMIT') ? 1 : 0;
      dead ||= commits === commit;
      return dead ? Promise.reject(new Error('it was killed')) : result;
    };
    const spy = jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: never, ...args: unknown[]) {
      return query(this, args) as never;
    });
    const alive = throughConnections(server);
    const mortal: Transport = (...args) => dead ? Promise.reject(new Error('it was killed')) : alive(...args);
    await new Stack(server, { transport: mortal }).update('A', user, stack.physicalIdOf('A')).catch(() => undefined);
    spy.mockRestore();
    await server.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cdk-aurora-iam-auth'",
    );
    return dead;
  }

  async function temporary(): Promise<boolean> {
    const [{ granted }] = await server.sql<{ granted: boolean }>(
      "SELECT EXISTS (SELECT FROM pg_database, aclexplode(datacl) WHERE datname = 'postgres' AND grantee = 'orders'::regrole AND privilege_type = 'TEMPORARY') AS granted",
    );
    return granted;
  }

  test('goes through when another stack has renamed a group role, and a creator of objects', async () => {
    const other = new Stack(server, { name: 'other' });
    const groups = ['helpers', 'makers'];
    for (const roleName of groups) {
      await other.create(roleName, { roleName });
    }
    const former: User = {
      username: 'orders',
      memberOf: groups,
      privileges: inApp({ FutureObjects: { makers: { Tables: ['SELECT'] } } }),
      settings: { RoleAtLogin: 'helpers' },
    };
    await stack.create('A', former);
    for (const roleName of groups) {
      await other.update(roleName, { roleName: `${roleName} now` });
    }
    await expect(failure(stack.update('A', { ...former, memberOf: ['helpers', 'nobody'] }))).resolves.toContain(
      'nobody',
    );
    await stack.update('A', former);
    expect(logged('not granted').map(({ change }) => change)).toEqual(
      expect.arrayContaining([
        'grant role "helpers" to "orders"',
        'grant SELECT on tables that "makers" creates in schema "app" to "orders" in database "shop"',
      ]),
    );
    await stack.delete('A', former);
    for (const roleName of groups) {
      await other.delete(roleName, { roleName: `${roleName} now` });
    }
  });

  full.test('goes through when a list of users and the objects of its schemas are too many by now', async () => {
    const make = (from: number, to: number) =>
      server.sql(
        `DO $$ BEGIN FOR i IN ${from}..${to} LOOP EXECUTE format('CREATE SEQUENCE app.s%s', i); END LOOP; END $$`,
        [],
        'shop',
      );
    await make(1, 900);
    const list = (...more: string[]) => ({
      usernames: Array.from({ length: 51 }, (_, n) => `u${n}`),
      privileges: { shop: { Database: ['CONNECT', ...more], Schemas: { app: { Schema: ['USAGE'] } } } },
    });
    await stack.create('L', list());
    await make(901, 1100);
    await expect(failure(stack.update('L', list('TEMPORARY')))).resolves.toContain('more than 50000');
    await stack.update('L', { ...list(), reapply: 'rollback' });
    await stack.delete('L', list());
  });

  ofOthers.test(
    'what cannot be taken back in one database is taken back in another one, and there as soon as it can be',
    async () => {
      const inBoth = { Schemas: { app: { Tables: { t: ['SELECT'] } } } };
      const selects = async (database: string) =>
        (
          await server.sql(
            "SELECT FROM pg_class, aclexplode(relacl) WHERE relname = 't' AND grantee = 'orders'::regrole",
            [],
            database,
          )
        ).length;
      await server.sql(
        'CREATE SCHEMA app AUTHORIZATION postgres; SET ROLE postgres; CREATE TABLE app.t (n int); RESET ROLE',
        [],
        'stock',
      );
      await stack.create('A', { username: 'orders', privileges: { shop: inBoth, stock: inBoth } });
      await server.sql('ALTER TABLE app.t OWNER TO rdsadmin', [], 'shop');
      await stack.update('A', { username: 'orders', privileges: {} });
      expect([await selects('shop'), await selects('stock')]).toEqual([1, 0]);
      await stack.update('A', { username: 'orders', privileges: {}, reapply: '1' });
      expect(logged('not taken back')).toHaveLength(2);
      await server.sql('ALTER TABLE app.t OWNER TO postgres', [], 'shop');
      await stack.update('A', { username: 'orders', privileges: {}, reapply: '2' });
      expect(await selects('shop')).toBe(0);
      const declarations
        = "SELECT jsonb_array_length(declarations -> 'declarations') AS n FROM cdk_aurora_iam_auth.managed_role";
      await expect(server.sql(declarations, [], 'postgres')).resolves.toEqual([{ n: 1 }]);
      await stack.delete('A', { username: 'orders' });
      await server.sql('DROP SCHEMA app CASCADE', [], 'stock');
    },
  );

  ofOthers.test(
    'an exclusive user that keeps what cannot be taken back fails the release, and not its rollback',
    async () => {
      const former: User = { username: 'orders', exclusive: true, privileges: inApp({ Tables: { t: ['SELECT'] } }) };
      await stack.create('A', former);
      await server.sql('ALTER TABLE app.t OWNER TO rdsadmin', [], 'shop');
      expect(await failure(stack.update('A', { ...former, privileges: {} }))).toContain(
        '"orders" is exclusive, and the admin cannot take back what others have granted: SELECT on table "t" in schema "app" from "orders" in database "shop"',
      );
      await stack.update('A', former);
      await stack.delete('A', former);
    },
  );

  test.each(
    firstOf<[string, Privileges, string]>(1, [
      [
        'a table',
        inApp({ Tables: { v: ['SELECT'], typo: ['SELECT'] } }),
        'there is no table or view "typo" in schema "app" in database "shop"; create it before this deployment, or correct its name',
      ],
      [
        'a column',
        inApp({ Columns: { t: { n: ['SELECT'], typo: ['SELECT'] } } }),
        'cannot grant SELECT on column "typo" of table "t" in schema "app" to "orders" in database "shop": column "typo" of relation "t" does not exist (SQLSTATE 42703); create the column before this deployment, or correct its name',
      ],
      [
        'a database',
        { zebra: { Schemas: { app: {} } } },
        'database "zebra" does not exist (SQLSTATE 3D000); create the database before this deployment, or correct its name',
      ],
    ]),
  )(
    'what is declared for the first time has to be there, also beside what is gone: %s',
    async (_, privileges, problem) => {
      const former: User = {
        username: 'orders',
        privileges: inApp({ Tables: { v: ['SELECT'] }, Columns: { t: { n: ['SELECT'] } } }),
      };
      await stack.create('A', former);
      await server.sql('DROP VIEW app.v', [], 'shop');
      const typo: User = { username: 'orders', privileges: { ...former.privileges, ...privileges } };
      // Not even the second time, after an event that has failed.
      expect(await failure(stack.update('A', typo))).toContain(problem);
      expect(await failure(stack.update('A', typo))).toContain(problem);
      await stack.update('A', former);
      await stack.delete('A', former);
    },
  );
});
