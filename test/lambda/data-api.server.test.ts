import { ExecuteStatementCommand } from '@aws-sdk/client-rds-data';
import { setTimeout } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { Budget } from '../../lambda/provisioner/budget';
import { overDataApi } from '../../lambda/provisioner/transport/data-api/client';
import { query, Session } from '../../lambda/provisioner/transport/session';
import * as catalog from '../../lambda/provisioner/sql/catalog';
import { dependencies, ownedCounts } from '../../lambda/provisioner/sql/dependencies';
import * as lock from '../../lambda/provisioner/sql/lock-schema';
import * as memberships from '../../lambda/provisioner/sql/memberships';
import { END_REGISTRY_LOCKERS, registry } from '../../lambda/provisioner/sql/registry';
import { CLAIMS } from '../../lambda/provisioner/sql/registry-rows';
import { setTimeouts } from '../../lambda/provisioner/sql/session';
import * as sessions from '../../lambda/provisioner/sql/sessions';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { AwsCall } from '../../rehearsal/cloudformation/aws-endpoint';
import { CertificateAuthority } from '../../rehearsal/gateway/certificate-authority';
import { CLUSTER_ARN, DataApiEndpoint, SECRET_ARN } from '../rehearsal/data-api-endpoint';
import { FULL, full } from '../full';
import { watchAdmin } from './admin-watch';
import { everythingIsAsBefore } from './as-before';
import { skippingClock, untilWaiting } from './clocks';
import { Expected } from './expected';
import { ASKED_BY_TIME } from './faults';
import { dataApiOf, throughDataApi } from './over-data-api';
import { takeLock } from './provisioners-lock';
import { failure, setups, signInWithToken, Stack, StackOptions, throughConnections, trust, User, users } from './stack';
import { DATABASES, heldBy, MIGRATOR, READERS, startWorld, World } from './world';

const SCHEMA = { Schema: ['USAGE'], Tables: { '*': ['SELECT'] }, Functions: { '*': ['EXECUTE'] } };
const FUTURE = { FutureObjects: { [MIGRATOR]: { Tables: ['SELECT'] } } };
const USER: User = {
  username: 'orders',
  memberOf: [READERS],
  privileges: {
    shop: { Database: ['CONNECT'], Schemas: { app: { ...SCHEMA, ...FUTURE } } },
    stock: { Database: ['CONNECT'], Schemas: { app: SCHEMA } },
  },
};
const CHANGED: User = {
  username: 'sales',
  privileges: {
    shop: { Database: ['CONNECT'], Schemas: { 'My data': SCHEMA } },
    stock: { Schemas: { app: { Schema: ['USAGE'], Tables: { orders: ['INSERT'] } } } },
  },
};

/**
 * Of one user that may read and write in one schema, with objects and future ones of a role that the admin has to act
 * as.
 */
const CALLS = { first: 92, unchanged: 32 };

describe.each(setups('17, plain'))('users through the Data API of PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let world: World;
  let endpoint: DataApiEndpoint;
  let stack: Stack;

  const through = (options: StackOptions = {}) => new Stack(server, { transport: throughDataApi(server), ...options });
  const sessionOver = async (transport: ReturnType<typeof throughDataApi>, database: string): Promise<Session> =>
    (
      await transport(
        new Budget({ now: () => performance.now(), sleep: setTimeout }, 300_000),
        { info: () => undefined },
        'change',
      )
    ).open(database);

  beforeAll(async () => {
    ({ server, world } = await startWorld(setup));
    trust(server.caCertificate);
    endpoint = await dataApiOf(server);
  });
  beforeEach(() => {
    endpoint.calls.length = 0;
    stack = through();
  });
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  test('are created, changed, renamed and deleted, with privileges in two databases', async () => {
    const expected = new Expected(world);
    await stack.create('A', USER);
    expected.apply('orders', USER);
    expect(await heldBy(server, ['orders'])).toEqual(expected.lines());
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await stack.update('A', CHANGED);
    expected.rename('orders', 'sales');
    expected.apply('sales', CHANGED);
    expect(await heldBy(server, ['sales'])).toEqual(expected.lines());
    stack.takeChanges();
    await stack.update('A', { ...CHANGED, reapply: 'now' });
    expect(stack.takeChanges()).toEqual([]);
    await stack.delete('A', CHANGED);
    expect(stack.log.map(({ notice }) => notice)).not.toContain('trying again');
  });

  full.test('with as many calls as there are statements: not more than these', async () => {
    const tables = ['DELETE', 'INSERT', 'SELECT', 'UPDATE'];
    const sequences = ['SELECT', 'USAGE'];
    const readWrite = {
      Schema: ['USAGE'],
      Tables: { '*': tables },
      Sequences: { '*': sequences },
      FutureObjects: { [MIGRATOR]: { Tables: tables, Sequences: sequences } },
    };
    const user: User = {
      username: 'orders',
      privileges: { shop: { Database: ['CONNECT'], Schemas: { app: readWrite } } },
    };
    const callsOf = async (work: () => Promise<unknown>) => {
      endpoint.calls.length = 0;
      await work();
      return endpoint.calls.filter(({ body }) => !ASKED_BY_TIME.test(body)).length;
    };
    const calls = {
      first: await callsOf(() => stack.create('A', user)),
      unchanged: await callsOf(() => stack.update('A', user)),
      removed: await callsOf(() => stack.delete('A', user)),
    };
    if (FULL) {
      process.stdout.write(`${setup.name}: ${JSON.stringify(calls)} calls\n`);
    }
    expect(calls.first).toBeLessThanOrEqual(CALLS.first);
    expect(calls.unchanged).toBeLessThanOrEqual(CALLS.unchanged);
  });

  full.test('whatever others have left behind in the sessions of the pool', async () => {
    const client = endpoint.client;
    const hostile = [
      'SET search_path = public, pg_catalog',
      'SET ROLE rds_superuser',
      'SET lock_timeout = 1',
      "SET application_name = 'cdk-aurora-iam-auth since 9'",
      'SET default_transaction_deferrable = on',
    ];
    for (const sql of hostile) {
      await client.send(
        new ExecuteStatementCommand({ resourceArn: CLUSTER_ARN, secretArn: SECRET_ARN, database: 'postgres', sql }),
      );
    }
    await server.sql(
      "CREATE FUNCTION public.current_database() RETURNS name LANGUAGE sql AS $$ SELECT 'nowhere'::name $$",
    );
    await stack.create('A', USER);
    await stack.delete('A', USER);
    await server.sql('DROP FUNCTION public.current_database()');
  });

  full.test('leave no setting and no lock in the sessions of the pool', async () => {
    await stack.create('A', USER);
    await stack.delete('A', USER);
    const { records } = await endpoint.client.send(new ExecuteStatementCommand({
      resourceArn: CLUSTER_ARN, secretArn: SECRET_ARN, database: 'shop',
      sql: `SELECT coalesce(string_agg(name, ', '), ''), (SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'object'))
            FROM pg_settings WHERE source = 'session' AND name <> 'transaction_isolation' AND name !~ '^transaction_'`,
    }));
    expect(records).toEqual([
      [
        { stringValue: expect.not.stringMatching(/search_path|application_name|timeout|role/) as string },
        { longValue: 0 },
      ],
    ]);
  });

  full.test('with the same answers of the catalogs as over a connection', async () => {
    await stack.create('A', USER);
    await stack.create('B', { ...CHANGED, exclusive: true });
    const roles = ['orders', 'sales', MIGRATOR, READERS, 'helper', 'postgres'];
    const everything = { roles, schemas: ['app', 'My data', 'public'], everything: true };
    const questions = [
      catalog.SERVER,
      catalog.DATABASES,
      registry(undefined),
      registry('keeper'),
      END_REGISTRY_LOCKERS,
      catalog.rolesByName(roles),
      catalog.rolesWithShared(roles, roles),
      catalog.databaseOwners(DATABASES),
      catalog.rolesInDatabase(everything),
      memberships.adminMemberships(roles),
      memberships.pathToRdsIam("'orders'"),
      memberships.passwordMembers(['orders']),
      dependencies(roles, { shared: true }),
      ownedCounts(MIGRATOR),
      catalog.objectCount(['app']),
      memberships.GROUPS_OF_RDS_IAM,
      sessions.sessionsOf(['10']),
      sessions.stillStarting([1]),
      sessions.membersOf(['10']),
      lock.MAY_WAIT,
      lock.LOCK_HOLDERS,
      lock.blockers(1),
      setTimeouts({ lock_timeout: 1 }),
      'SELECT 1 AS one WHERE false',
    ];
    const inTransaction = async (session: Session, statements: string[]) => {
      session.begin();
      const rows = await session.execute(statements.map(query), 20_000);
      await session.rollback();
      await session.close();
      return rows;
    };
    for (const [database, statements] of [
      ['shop', questions],
      ['postgres', [CLAIMS.replace('clock_timestamp()', "timestamptz '2026-01-31'"), ...questions]],
    ] as const) {
      const [api, connection] = await Promise.all(
        [throughDataApi(server), throughConnections(server)].map(transport => sessionOver(transport, database)),
      );
      const [got, wanted] = [
        await inTransaction(api, [...statements]),
        await inTransaction(connection, [...statements]),
      ];
      statements.forEach((statement, n) => expect({ statement, rows: got[n] }).toEqual({ statement, rows: wanted[n] }));
    }
    await stack.delete('A', USER);
    await stack.delete('B', CHANGED);
  });

  full.test('with more tables than fit into an answer', async () => {
    await server.sql(
      "CREATE SCHEMA wide AUTHORIZATION postgres; SET ROLE postgres; SELECT format('CREATE TABLE wide.%I ()', 'Ü ' || n) FROM generate_series(1, 3) n",
      [],
      'shop',
    );
    await server.sql(
      "DO $$ BEGIN FOR n IN 1..3000 LOOP EXECUTE format('CREATE TABLE wide.%I ()', 'Ünïcödé wïth \"quötes\" and a löng name ' || n); END LOOP; END $$; RESET ROLE",
      [],
      'shop',
    );
    const user: User = {
      username: 'orders',
      privileges: { shop: { Schemas: { wide: { Schema: ['USAGE'], Tables: { '*': ['SELECT', 'INSERT'] } } } } },
    };
    await stack.create('A', user);
    const granted = () =>
      server.sql<{ n: number }>(
        "SELECT count(*)::int AS n FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'wide'::regnamespace AND grantee = to_regrole('orders')::oid",
        [],
        'shop',
      );
    expect(await granted()).toEqual([{ n: 6000 }]);
    stack.takeChanges();
    await stack.update('A', { ...user, reapply: 'now' });
    expect(stack.takeChanges()).toEqual([]);
    expect(endpoint.calls.some(({ body }) => body.includes('FETCH '))).toBe(true);
    await stack.delete('A', user);
    await server.sql('DROP SCHEMA wide CASCADE', [], 'shop');
  });

  full.test.each<[string, () => ReturnType<typeof throughDataApi>]>([
    ['the Data API', () => throughDataApi(server)],
    ['connections', () => throughConnections(server)],
  ])('of any name, over %s: what looks like a parameter in quotes is none', async (_, transport) => {
    const names = [
      '"\'\\ $1 :name',
      '::text :1 $$',
      '; DROP ROLE postgres; --',
      "/* E'\\ %s {}",
      " x\":y ''; COMMIT",
      ":a'b",
      'a::b:::c',
      ':\u00e4 \\:\\x3a',
      'a:',
    ];
    const deployed = through({ transport: transport() });
    await server.sql(
      names
        .map(escapeIdentifier)
        .map(name =>
          `CREATE SCHEMA ${name} AUTHORIZATION postgres; SET ROLE postgres; CREATE TABLE ${name}.${name} (${name} int);
      CREATE DOMAIN ${name}.${name}_type AS int; CREATE FUNCTION ${name}.${name}(${name}.${name}_type[]) RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION ${name}.${name} FROM PUBLIC; RESET ROLE`.replaceAll(
        '"_type',
        '_type"',
      ),
        )
        .join(';'),
      [],
      'shop',
    );
    for (const name of names) {
      const present = {
        Schema: ['USAGE'],
        Tables: { [name]: ['SELECT'] },
        Columns: { [name]: { [name]: ['UPDATE'] } },
        Functions: { [name]: ['EXECUTE'] },
      };
      const declared = {
        privileges: {
          shop: { Schemas: { [name]: { ...present, FutureObjects: { [MIGRATOR]: { Tables: ['SELECT'] } } } } },
        },
      };
      await deployed.create('G', { roleName: name, ...declared });
      await deployed.create('A', { username: 'orders', memberOf: [name], connect: [] });
      const rights = await server.sql<{ ok: boolean }>(
        `SELECT has_table_privilege($1, c.oid, 'SELECT') AND has_column_privilege($1, c.oid, $1, 'UPDATE') AND pg_has_role('orders', $1, 'USAGE')
        AND has_function_privilege($1, p.oid, 'EXECUTE') AS ok FROM pg_class c, pg_proc p WHERE relname = $1 AND proname = $1`,
        [name],
        'shop',
      );
      expect({ name, rights }).toEqual({ name, rights: [{ ok: true }] });
      await deployed.delete('A', { username: 'orders' });
      await deployed.delete('G', { roleName: name, ...declared });
    }
    await expect(server.sql('SELECT rolname FROM pg_roles WHERE rolname::text = ANY ($1)', [names])).resolves.toEqual(
      [],
    );
    await server.sql(names.map(name => `DROP SCHEMA ${escapeIdentifier(name)} CASCADE`).join(';'), [], 'shop');
  });

  if (setup.roleRules !== 'rdsLike') {
    test.each<[string, string, User, RegExp]>([
      [
        'a database of another owner',
        'CREATE DATABASE others',
        { username: 'orders', connect: ['others'] },
        /^cannot grant CONNECT on database "others" to "orders": PostgreSQL left it as it was, without an error; only the owner of a database can pass its privileges on: use an admin that is the owner or a member of it$/,
      ],
    ])('are refused with the same remedy although the warning is not heard: %s', async (_, sql, user, message) => {
      await server.sql(sql);
      expect(await failure(stack.create('A', user))).toMatch(message);
      await server.sql('DROP DATABASE others WITH (FORCE)');
    });

    full.test(
      'are refused with the same remedy although the warning is not heard: a table that the admin may only look at',
      async () => {
        await server.sql(
          'CREATE ROLE stranger; CREATE SCHEMA strange; GRANT ALL ON SCHEMA strange TO postgres; CREATE TABLE strange.t (n int); ALTER TABLE strange.t OWNER TO rdsadmin; GRANT SELECT ON strange.t TO postgres',
          [],
          'shop',
        );
        const user: User = {
          username: 'orders',
          privileges: { shop: { Schemas: { strange: { Tables: { t: ['SELECT'] } } } } },
        };
        const remedy
          = 'the admin may not pass that on: use an admin that owns it, or that may become a member of its owner. If a superuser owns it, as rdsadmin does on RDS, '
            + 'no other admin may: declare the objects that are meant by name, such as onTables, instead of all in the schema, or move this one to a schema of its own';
        const attempted = 'cannot grant SELECT on table "t" in schema "strange" to "orders" in database "shop"';
        expect(await failure(new Stack(server).create('A', user))).toBe(
          `${attempted}: no privileges were granted for "t" (SQLSTATE 01007); ${remedy}`,
        );
        expect(await failure(stack.create('A', user))).toBe(
          `${attempted}: PostgreSQL left it as it was, without an error; ${remedy}`,
        );
        await server.sql('DROP SCHEMA strange CASCADE; DROP ROLE stranger', [], 'shop');
      },
    );
  }

  full.test('4 at once, half of them over connections: all is as declared', async () => {
    const usernames = Array.from({ length: 4 }, (_, n) => `user${n}`);
    const expected = new Expected(world);
    const stacks = [through(), new Stack(server)];
    await Promise.all(usernames.map((username, n) => stacks[n % 2].create(username, { ...USER, username })));
    usernames.forEach(username => expected.apply(username, { ...USER, username }));
    expect(await heldBy(server, usernames)).toEqual(expected.lines());
    await Promise.all(usernames.map((username, n) => stacks[(n + 1) % 2].delete(username, { ...USER, username })));
    expect(stacks.flatMap(({ log }) => log).filter(({ notice }) => notice === 'trying again')).toEqual([]);
  });

  test('whose provisioner has lost its lock: nothing is committed without it', async () => {
    const statements: string[] = [];
    let lost = 0;
    endpoint.before = async ({ path, body }: AwsCall) => {
      statements.push(path === '/Execute' ? (JSON.parse(body) as { sql: string }).sql.trim() : path);
      if (/CREATE USER/.test(body) && lost++ === 0) {
        await server.sql(
          "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_namespace'::regclass AND granted",
        );
      }
    };
    await stack.create('A', { username: 'orders', connect: [] });
    endpoint.before = () => undefined;
    const [first, second] = statements.reduce<number[]>(
      (found, statement, n) => (statement.startsWith('CREATE USER') ? [...found, n] : found),
      [],
    );
    expect(second).toBeGreaterThan(first);
    expect(statements.slice(first, second)).not.toContain('/CommitTransaction');
    expect(stack.log.find(({ notice }) => notice === 'trying again')?.reason).toMatch(
      /^the provisioners' lock was lost before the commit, so nothing was committed; deploy again$/,
    );
    await stack.delete('A', { username: 'orders' });
  });
});

describe('the provisioners\' lock, through the Data API and over connections', () => {
  let server: AuroraLikeServer;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major: 17, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  watchAdmin(() => server);
  afterAll(() => server.stop());

  const through = () => new Stack(server, { transport: throughDataApi(server) });

  full.test('goes from one to the next, whichever way each has come', async () => {
    const holder = await holding(server);
    const stacks = [new Stack(server), through(), new Stack(server), through()];
    const created = stacks.map((stack, n) => stack.create(`user${n}`, { username: `user${n}`, connect: [] }));
    await untilWaiting(server, stacks.length);
    await holder.end();
    await Promise.all(created);
    await Promise.all(stacks.map((stack, n) => stack.delete(`user${n}`, { username: `user${n}` })));
    expect(stacks.flatMap(({ log }) => log).filter(({ notice }) => notice === 'failed')).toEqual([]);
  });
});

describe('through the Data API', () => {
  let server: AuroraLikeServer;
  let endpoint: DataApiEndpoint;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major: 17, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  beforeEach(async () => {
    endpoint = await dataApiOf(server);
  });
  afterEach(() => {
    endpoint.secret = undefined;
    endpoint.enabled = true;
    endpoint.allows = () => true;
  });
  afterAll(() => server.stop());

  const AT_ONCE = { now: () => performance.now(), sleep: () => Promise.resolve() };

  function failed(): Promise<string> {
    return failure(
      new Stack(server, { transport: throughDataApi(server), clock: skippingClock() }).create('A', {
        username: 'orders',
      }),
    );
  }

  test.each<[string, (endpoint: DataApiEndpoint) => void, string]>([
    [
      'the Data API is not enabled',
      it => (it.enabled = false),
      `cannot use the Data API of ${CLUSTER_ARN}: HttpEndpointNotEnabledException: HttpEndpoint isn't enabled for cluster shop; `
      + 'enable the Data API of the cluster (EnableHttpEndpoint), or, if the cluster was renamed since, disable and enable it again; T classes, older engines and some Regions have none',
    ],
    [
      'the role of the provisioner may not use it',
      it => (it.allows = action => action !== 'rds-data:BeginTransaction'),
      `cannot use the Data API of ${CLUSTER_ARN}: AccessDeniedException: not authorized to perform: rds-data:BeginTransaction on resource: ${CLUSTER_ARN} because no identity-based policy allows the rds-data:BeginTransaction action; `
      + "allow the provisioner's role the four rds-data actions on the cluster, secretsmanager:GetSecretValue on the secret of the admin and, where that has a key of its own, kms:Decrypt on the key; "
      + 'check service control policies and the resource policy of the secret',
    ],
    [
      'the secret has no password',
      it => (it.secret = '{}'),
      `cannot use the Data API of ${CLUSTER_ARN}: InvalidSecretException: The Secrets Manager secret used with the request isn't valid.; `
      + 'check that the secret of the admin exists in this Region, that its key can be used, and that it is a JSON object with a username and a password',
    ],
    [
      'the secret has another password',
      it => (it.secret = JSON.stringify({ username: 'postgres', password: 'wrong' })),
      `cannot sign in to ${CLUSTER_ARN} as the admin: password authentication failed for user "postgres" (SQLSTATE 28P01); `
      + "the password in the admin's secret is not the one of the database: rotate the secret, or set the admin's password to the secret's",
    ],
  ])('%s: the reason says what to do', async (_, breakIt, message) => {
    breakIt(endpoint);
    expect(await failed()).toBe(message);
    expect(await users(server)).toEqual([]);
  });

  full.test('the admin is a member of rds_iam: the reason says what to do', async () => {
    await server.sql("CREATE ROLE other LOGIN CREATEROLE PASSWORD 'x'; GRANT rds_iam TO other");
    endpoint.secret = JSON.stringify({ username: 'other', password: 'x' });
    expect(await failed()).toBe(
      `cannot sign in to ${CLUSTER_ARN} as the admin: PAM authentication failed for user "other" (SQLSTATE 28000); `
      + 'RDS asks a member of rds_iam for a token instead, and the admin is one, itself or through a role it was granted; up to PostgreSQL 14 every user can do that with GRANT <user> TO <admin>. Use AdminCredentials.fromIam(); or sign in as the admin with a token, or as another member of rds_superuser, find that role with SELECT roleid::regrole, member::regrole FROM pg_auth_members, and REVOKE it',
    );
    await server.sql('DROP ROLE other');
  });

  test('a membership that would lock the admin out is undone', async () => {
    await server.sql('CREATE ROLE team NOLOGIN; GRANT team TO postgres WITH ADMIN TRUE, INHERIT TRUE, SET TRUE');
    await server.sql(
      "CREATE FUNCTION trap() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN IF NOT EXISTS (SELECT FROM pg_auth_members WHERE roleid = 'rds_iam'::regrole AND member = 'team'::regrole) THEN GRANT rds_iam TO team; END IF; END $$",
    );
    await server.sql(
      "CREATE EVENT TRIGGER trap ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION trap()",
    );
    expect(await failed()).toBe(
      'this would make the admin a member of rds_iam (postgres -> team -> rds_iam), and its password would stop working, so it was undone; '
      + 'revoke the membership of "postgres" in "team" first',
    );
    await server.sql('DROP EVENT TRIGGER trap; DROP FUNCTION trap(); DROP ROLE team');
    await new Stack(server, { transport: throughDataApi(server), clock: AT_ONCE }).create('A', { username: 'orders' });
    await new Stack(server, { transport: throughDataApi(server), clock: AT_ONCE }).delete('A', { username: 'orders' });
  });

  full.test('transactions that are not READ COMMITTED are refused', async () => {
    await server.sql("ALTER ROLE postgres SET default_transaction_isolation = 'serializable'");
    const fresh = await DataApiEndpoint.start(server);
    const transport = overDataApi({ client: fresh.client, clusterArn: CLUSTER_ARN, secretArn: SECRET_ARN });
    expect(await failure(new Stack(server, { transport }).create('A', { username: 'orders' }))).toBe(
      'the transactions of the admin in database "postgres" are serializable, and would not see what others have done before it is their turn; '
      + 'reset default_transaction_isolation of the role and of the database',
    );
    await fresh.close();
    await server.sql('ALTER ROLE postgres RESET default_transaction_isolation');
  });

  describe('it is waited', () => {
    let paused: Promise<[string, number]>;
    let freed: Promise<string[]>;
    let held: Promise<string>;
    beforeAll(async () => {
      const certificateAuthority = await CertificateAuthority.create();
      trust(certificateAuthority.certificate);
      const [sleeper, frozen, locked] = await Promise.all(
        [0, 1, 2].map(() =>
          AuroraLikeServer.start({ major: 17, databases: ['shop'], authorize: () => true, certificateAuthority }),
        ),
      );
      paused = resumed(sleeper).finally(() => sleeper.stop());
      freed = lockOfADeadOne(frozen).finally(() => frozen.stop());
      held = lockOfAnother(locked).finally(() => locked.stop());
      await Promise.allSettled([paused, freed, held]);
    });

    test('for a cluster that is paused, also if it takes 40 seconds to resume', async () => {
      const [reason, milliseconds] = await paused;
      expect(reason).toMatch(
        /DatabaseResumingException: .*; it was paused \(Aurora Serverless v2\) and should have resumed by now; deploy again$/,
      );
      expect(milliseconds).toBeGreaterThan(40_000);
    });

    test('for the lock of a provisioner that was killed, which the server ends after 30 seconds', async () => {
      expect(await freed).toEqual(['orders']);
    });

    test('for a lock that another session holds and does not give back, in vain: the reason says which', async () => {
      expect(await held).toMatch(
        /^cannot take the provisioners' lock: canceling statement due to lock timeout \(SQLSTATE 55P03\); end the session that holds the lock \(pg_stat_activity, pg_blocking_pids\) and deploy again; it is held by pid \d+ \(role postgres, application "the-holder", connected for \d\d:\d\d:\d\d\)$/,
      );
    });

    async function lockOfAnother(locked: AuroraLikeServer): Promise<string> {
      const holder = await holding(locked);
      return failure(
        new Stack(locked, { transport: throughDataApi(locked) }).create('A', { username: 'orders' }),
      ).finally(() => holder.end());
    }

    async function resumed(sleeper: AuroraLikeServer): Promise<[string, number]> {
      sleeper.pause({ resumeMilliseconds: 40_000 });
      const stack = new Stack(sleeper, { transport: throughDataApi(sleeper) });
      const begin = performance.now();
      await stack.create('A', { username: 'orders' });
      return [stack.log.find(({ notice }) => notice === 'trying again')!.reason as string, performance.now() - begin];
    }

    async function lockOfADeadOne(frozen: AuroraLikeServer): Promise<string[]> {
      // From the middle of its work on, no call of it arrives any more.
      const itsOwn = await DataApiEndpoint.start(frozen);
      await new Promise<void>((killed) => {
        let dead = false;
        itsOwn.before = ({ body }) => {
          dead ||= /CREATE USER/.test(body);
          return dead ? new Promise(() => killed()) : undefined;
        };
        void new Stack(frozen, {
          transport: overDataApi({ client: itsOwn.client, clusterArn: CLUSTER_ARN, secretArn: SECRET_ARN }),
        })
          .create('A', { username: 'killed' })
          .catch(() => undefined);
      });
      await new Stack(frozen, { transport: throughDataApi(frozen) }).create('B', { username: 'orders' });
      await itsOwn.close();
      return users(frozen);
    }
  });
});

/** A session that has the provisioners' lock. */
async function holding(server: AuroraLikeServer): Promise<Client> {
  const holder = await connected(server, server.master.username, server.master.password, 'the-holder');
  await takeLock(holder);
  return holder;
}

async function connected(
  { host, port }: AuroraLikeServer,
  user: string,
  password: string,
  application: string,
): Promise<Client> {
  const client = new Client({
    host,
    port,
    user,
    password,
    database: 'postgres',
    ssl: true,
    application_name: application,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
