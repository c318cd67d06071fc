import { Client } from 'pg';
import { ServerError } from '../../lambda/provisioner/errors';
import { explain } from '../../lambda/provisioner/remedies/server';
import { Transport } from '../../lambda/provisioner/transport/session';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, FULL, full } from '../full';
import { watchAdmin } from './admin-watch';
import { sleepingClock } from './clocks';
import { throughDataApi } from './over-data-api';
import { failure, nextTime, OfPublic, setupsOver, signInWithToken, snapshot, Stack, StackOptions, throughConnections, trust } from './stack';

/** As CloudFormation makes it up. */
const MADE_UP = 'shop-Public-1ABCDEFGHIJKL';

const CONNECT = { Database: ['CONNECT'] };
const CREATE = { Schemas: { public: { Schema: ['CREATE'] } } };

const HOSTILE = ['Sh"op', "'; DROP ROLE legacy; --:x", '\\"', 'public', 'a/b:c', '\u{1f418}'.repeat(15)];

const CASES = setupsOver({ 'connections': ['14', '18, plain'], 'the Data API': ['16, RDS-like'] });

describe.each(CASES)('privileges of PUBLIC on PostgreSQL $name, over $transport', ({ major, roleRules, transport }) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let untouched: unknown;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop', ...firstOf(2, HOSTILE)], authorize: () => true });
    trust(server.caCertificate);
    await grantAll();
    untouched = await snapshot(server);
  });
  /** From 15 on, PUBLIC has CREATE where it was granted by hand, or before the upgrade. */
  async function grantAll(): Promise<void> {
    for (const database of ['postgres', 'shop', ...firstOf(2, HOSTILE)]) {
      await server.sql(`SET ROLE postgres; GRANT CREATE ON SCHEMA public TO PUBLIC; GRANT CONNECT ON DATABASE "${database.replaceAll('"', '""')}" TO PUBLIC; RESET ROLE`, [], database);
    }
  }
  const reach = () => transport === 'the Data API' ? throughDataApi(server) : throughConnections(server);
  const newStack = (options: StackOptions = {}) => new Stack(server, { transport: reach(), ...options });
  beforeEach(() => {
    stack = newStack();
  });
  afterEach(async () => {
    for (const { role } of await server.sql<{ role: string }>("SELECT quote_ident(rolname) AS role FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> 'postgres'")) {
      await server.sql(`DROP OWNED BY ${role}`, [], 'shop');
      await server.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
    const after = await snapshot(server);
    await grantAll();
    expect(after).toEqual(untouched);
  });
  watchAdmin(() => server);
  afterAll(() => server.stop());

  /** What depends neither on the transport nor on the major. */
  const more = (transport === 'connections' && major === 18) || FULL ? test : test.skip;

  const shop = (others: Partial<OfPublic> = {}): OfPublic => ({ database: 'shop', lockOut: ['postgres'], ...others });

  /** What PUBLIC has of the two. */
  async function has(database = 'shop'): Promise<string[]> {
    const [row] = await server.sql<{ connect: boolean; create: boolean }>(`
      SELECT EXISTS (SELECT FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a WHERE datname = current_database() AND grantee = 0 AND privilege_type = 'CONNECT') AS connect,
             EXISTS (SELECT FROM pg_namespace n, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a WHERE nspname = 'public' AND grantee = 0 AND privilege_type = 'CREATE') AS create`, [], database);
    return [...row.connect ? ['CONNECT'] : [], ...row.create ? ['CREATE'] : []];
  }

  /** A login that this library did not make. */
  const byHand = (name: string, grants = '') => server.sql(`CREATE ROLE ${name} LOGIN; ${grants}`);

  const notices = (notice: string) => stack.log.filter(each => each.notice === notice);

  test.each(['shop', 'postgres', ...firstOf(2, HOSTILE)])('are revoked in database %j, settled then, and given back as they were', async (database) => {
    const declared = { database, lockOut: ['postgres'] };
    await stack.create('P', declared);
    await expect(has(database)).resolves.toEqual([]);
    expect(stack.takeChanges()).toEqual([`revoke CONNECT on database ${JSON.stringify(database)} from PUBLIC`, `revoke CREATE on schema "public" from PUBLIC in database ${JSON.stringify(database)}`]);
    await stack.update('P', { ...declared, reapply: 'again' });
    expect(stack.takeChanges()).toEqual([]);
    await stack.delete('P', declared);
    await expect(snapshot(server)).resolves.toEqual(untouched);
    // A repeated Delete.
    await stack.delete('P', declared);
    await expect(snapshot(server)).resolves.toEqual(untouched);
  });

  test('leave users what they declare: they connect where they have CONNECT of their own, whichever comes first', async () => {
    await stack.create('A', { username: 'before' });
    await stack.create('P', shop());
    await stack.create('Q', { database: 'postgres', lockOut: ['postgres'] });
    await stack.create('B', { username: 'after' });
    for (const username of ['before', 'after']) {
      await expect(signInWithToken(server, username)).resolves.toBe(username);
      await expect(signInWithToken(server, username, 'postgres')).rejects.toThrow('permission denied for database "postgres"');
    }
    await stack.delete('P', shop());
    await stack.delete('Q', { database: 'postgres' });
    await expect(signInWithToken(server, 'before', 'postgres')).resolves.toBe('before');
  });

  test('are not revoked from under roles that rely on them: these are named, and nothing is changed', async () => {
    await byHand('legacy');
    await byHand('"Re ""port"', 'CREATE ROLE readers; GRANT CONNECT ON DATABASE shop TO readers; GRANT readers TO "Re ""port"');
    await server.sql('GRANT CREATE ON SCHEMA public TO readers; CREATE ROLE maker; SET ROLE maker; CREATE TABLE public.made (n int); RESET ROLE', [], 'shop');
    const before = await snapshot(server);
    await expect(failure(stack.create('P', { database: 'shop' }))).resolves.toBe('cannot revoke CONNECT on database "shop" from PUBLIC: "legacy" has it through PUBLIC only; grant it to that role, or name it in lockOut');
    await expect(failure(stack.create('P', { database: 'shop', lockOut: ['legacy', 'nobody'] }))).resolves.toBe(
      'cannot revoke CREATE on schema "public" in database "shop" from PUBLIC: "maker" has it through PUBLIC only; grant it to that role, or name it in lockOut');
    await expect(snapshot(server)).resolves.toEqual(before);
    await stack.create('P', { database: 'shop', lockOut: ['legacy', 'maker'] });
    expect(notices('locked out')).toEqual([
      expect.objectContaining({ database: 'shop', privilege: 'CONNECT', roles: '"legacy"', count: 1 }), expect.objectContaining({ privilege: 'CREATE', roles: '"legacy", "maker"', count: 2 }),
    ]);
    await expect(has()).resolves.toEqual([]);
    await stack.delete('P', shop());
    await expect(snapshot(server)).resolves.toEqual(before);
    await server.sql('DROP TABLE public.made', [], 'shop');
  });

  more('name users of this library that declare something in the database, or are members of a predefined role, and have no CONNECT', async () => {
    await stack.create('A', { username: 'orders', privileges: { shop: { Schemas: { public: { Schema: ['USAGE'] } } } } });
    await stack.create('G', { roleName: 'readers', privileges: { shop: { Schemas: { public: { Schema: ['USAGE'] } } } } });
    await stack.create('B', { username: 'member', connect: [], memberOf: ['readers'] });
    await stack.create('C', { username: 'monitor', connect: [], memberOf: ['pg_monitor'] });
    await stack.create('D', { username: 'elsewhere', connect: ['postgres'] });
    await expect(failure(stack.create('P', shop({ revoked: CONNECT })))).resolves.toBe(
      'cannot revoke CONNECT on database "shop" from PUBLIC: "member", "monitor", "orders" have it through PUBLIC only; grant it to those roles, or name them in lockOut');
    await stack.update('A', { username: 'orders', privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'] } } } } });
    await stack.update('G', { roleName: 'readers', privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'] } } } } });
    await stack.create('P', shop({ revoked: CONNECT, lockOut: ['monitor'] }));
    await stack.delete('P', shop());
  });

  if (roleRules !== 'rdsLike') {
    more('are not revoked from under the admin, whatever lockOut says', async () => {
      await server.sql('ALTER DATABASE shop OWNER TO rds_superuser; REVOKE CONNECT ON DATABASE shop FROM rds_superuser');
      await expect(failure(stack.create('P', shop({ revoked: CONNECT })))).resolves.toBe(
        'cannot revoke CONNECT on database "shop" from PUBLIC: the admin "postgres" has it through PUBLIC only, and could not sign in any more; grant it to the admin first');
      await server.sql('GRANT CONNECT ON DATABASE shop TO rds_superuser');
      await stack.create('P', shop({ revoked: CONNECT }));
      // It is deployed: an event that comes again is no error, and the admin gets in.
      await server.sql('GRANT CONNECT ON DATABASE shop TO PUBLIC; REVOKE CONNECT ON DATABASE shop FROM rds_superuser');
      await stack.update('P', shop({ revoked: CONNECT, reapply: 'again' }));
      expect(notices('not revoked')).toEqual([expect.objectContaining({ database: 'shop', reason: 'the admin has CONNECT on database "shop" through PUBLIC only' })]);
      await expect(has()).resolves.toContain('CONNECT');
      await stack.delete('P', shop());
      await server.sql('GRANT CONNECT ON DATABASE shop TO rds_superuser; ALTER DATABASE shop OWNER TO postgres');
    });

    more('that the admin may not pass on fail the deployment with a reason, and no rollback', async () => {
      await server.sql('CREATE ROLE boss SUPERUSER; ALTER DATABASE shop OWNER TO boss; GRANT CONNECT ON DATABASE shop TO postgres');
      const reason = await failure(stack.create('P', shop({ revoked: CONNECT })));
      expect(reason).toContain('cannot revoke CONNECT on database "shop" from PUBLIC: ');
      expect(reason).toContain('only the owner of a database can pass its privileges on');
      await server.sql('ALTER DATABASE shop OWNER TO postgres');
      await stack.create('P', shop({ revoked: CONNECT }));
      await server.sql('ALTER DATABASE shop OWNER TO boss; GRANT CONNECT ON DATABASE shop TO PUBLIC; GRANT CONNECT ON DATABASE shop TO postgres');
      await stack.update('P', shop({ revoked: CONNECT, reapply: 'again' }));
      expect(notices('not revoked')).toEqual([expect.objectContaining({ change: 'revoke CONNECT on database "shop" from PUBLIC' })]);
      await stack.delete('P', shop());
      await server.sql('ALTER DATABASE shop OWNER TO postgres; REVOKE CONNECT ON DATABASE shop FROM boss; DROP ROLE boss');
    });
  }

  test('that PUBLIC did not have before are not given to it', async () => {
    await server.sql('REVOKE CONNECT ON DATABASE shop FROM PUBLIC');
    const before = await snapshot(server);
    await stack.create('P', shop());
    // What somebody grants meanwhile is taken back, and is not what was there before.
    await server.sql('GRANT CONNECT ON DATABASE shop TO PUBLIC');
    await stack.update('P', shop({ reapply: 'again' }));
    await expect(has()).resolves.toEqual([]);
    await stack.delete('P', shop());
    await expect(snapshot(server)).resolves.toEqual(before);
    await server.sql('GRANT CONNECT ON DATABASE shop TO PUBLIC');
  });

  test('that were granted by hand are drift, and are revoked by the next event', async () => {
    await stack.create('P', shop());
    await expect(stack.drift()).resolves.toMatchObject({ driftedRoles: 0 });
    await byHand('legacy');
    await server.sql('GRANT CONNECT ON DATABASE shop TO PUBLIC; SET ROLE postgres; GRANT CREATE ON SCHEMA public TO PUBLIC; RESET ROLE', [], 'shop');
    await expect(stack.drift()).resolves.toMatchObject({
      driftedRoles: 1,
      resources: [{ logicalId: 'P', names: ['public'], changes: [{ change: 'revoke CONNECT on database "shop" from PUBLIC', sql: ['REVOKE CONNECT ON DATABASE "shop" FROM PUBLIC CASCADE'] }, { database: 'shop' }] }],
    });
    stack.log.splice(0);
    await stack.update('P', shop({ reapply: 'again' }));
    await expect(has()).resolves.toEqual([]);
    expect(notices('locked out').map(({ privilege, roles }) => [privilege, roles])).toEqual([['CONNECT', '"legacy"'], ['CREATE', expect.stringContaining('"legacy"')]]);
    await stack.delete('P', shop());
  });

  test('follow the declaration, and a rollback restores them', async () => {
    await stack.create('P', shop());
    const before = await snapshot(server) as { shared: unknown; shop: unknown };
    await stack.update('P', shop({ revoked: CREATE }));
    await expect(has()).resolves.toEqual(['CONNECT']);
    // In the meantime a role relies on it that could not connect before: that does not stop the rollback.
    await byHand('late');
    await stack.update('P', shop());
    await server.sql('DROP ROLE late');
    await expect(snapshot(server)).resolves.toMatchObject({ shared: before.shared, shop: before.shop });
    await stack.update('P', shop({ revoked: CONNECT }));
    await expect(has()).resolves.toEqual(['CREATE']);
    await stack.delete('P', shop({ revoked: CONNECT }));
    await expect(snapshot(server)).resolves.toEqual(untouched);
  });

  test('of an event that is undone after its commit are as before', async () => {
    const keptOut = () => Promise.reject(explain(new ServerError('no', '28P01'), { attempted: 'sign in' }));
    const locking: Transport = async (...args) => ({ ...await reach()(...args), confirm: keptOut });
    const broken = () => new Stack(server, { transport: locking, clock: sleepingClock() });
    await expect(failure(broken().create('P', shop()))).resolves.toContain('so it is undone');
    await expect(snapshot(server)).resolves.toEqual(untouched);
    await stack.create('P', shop({ revoked: CREATE }));
    const before = await snapshot(server);
    await expect(failure(broken().update('P', shop(), stack.physicalIdOf('P')))).resolves.toContain('so it is undone');
    await expect(snapshot(server)).resolves.toEqual(before);
    await stack.delete('P', shop());
  });

  test('move to another construct, and back', async () => {
    await stack.create('P', shop());
    await stack.create('Q', shop({ revoked: CONNECT }));
    expect(stack.takeChanges()).toHaveLength(2);
    await stack.delete('Q', shop({ revoked: CONNECT }));
    await expect(has()).resolves.toEqual([]);
    await stack.create('Q', shop({ revoked: CONNECT }));
    await stack.delete('P', shop());
    await expect(has()).resolves.toEqual(['CREATE']);
    await stack.delete('Q', shop());
    await expect(snapshot(server)).resolves.toEqual(untouched);
  });

  more('belong to one stack, and to the one of a restored database', async () => {
    await stack.create('P', shop());
    const other = newStack({ name: 'other' });
    await expect(failure(other.create('Q', shop()))).resolves.toBe(
      `PUBLIC in database "shop" is managed by another stack already (${stack.stackId}, resource P); declare it in one stack only; if that stack is gone, delete its row in cdk_aurora_iam_auth.managed_role`);
    // The same server under another resource id, as after a restore.
    const restored = newStack({ name: 'other', resourceId: 'cluster-RESTORED' });
    await restored.create('Q', shop());
    await restored.delete('Q', shop());
    await expect(snapshot(server)).resolves.toEqual(untouched);
    // The stack itself, whose cluster was replaced: the Delete of what it had is about another database.
    await stack.create('P', shop());
    const moved = newStack({ resourceId: 'cluster-RESTORED' });
    await moved.update('P', shop(), stack.physicalIdOf('P'));
    await moved.delete('P', shop());
    await expect(snapshot(server)).resolves.toEqual(untouched);
    // A stack of the same name that was made again.
    await stack.create('P', shop({ revoked: CONNECT }));
    const again = newStack({ unique: '2' });
    await again.create('Q', shop({ revoked: CONNECT }));
    await again.delete('Q', shop({ revoked: CONNECT }));
    await expect(snapshot(server)).resolves.toEqual(untouched);
  });

  more('are not revoked by an event that comes after the one that took it back', async () => {
    const late = nextTime();
    await stack.delete('P', shop(), MADE_UP);
    const reason = 'CloudFormation has cancelled the creation of P, and its Delete was carried out before this event came to its turn: nothing was done';
    await expect(failure(stack.send({ RequestType: 'Create', LogicalResourceId: 'P', sentAt: late }, shop()))).resolves.toBe(reason);
    await expect(has()).resolves.toEqual(['CONNECT', 'CREATE']);
    // One that was complete is taken back.
    await stack.create('P', shop());
    const sentAt = nextTime();
    await stack.delete('P', shop(), MADE_UP);
    await expect(has()).resolves.toEqual(['CONNECT', 'CREATE']);
    await stack.create('P', shop());
    await expect(failure(stack.send({ RequestType: 'Update', LogicalResourceId: 'P', PhysicalResourceId: stack.physicalIdOf('P'), sentAt }, shop({ revoked: CONNECT })))).resolves.toContain('has sent another event for P since');
    await stack.delete('P', shop());
  });

  more('of a database that is gone or closed are no reason for a rollback or removal to fail', async () => {
    await expect(failure(stack.create('P', { database: 'none' }))).resolves.toBe(
      'cannot revoke CONNECT from PUBLIC in database "none": there is no such database; create the database before this deployment, let it accept connections, or correct its name');
    await server.sql('CREATE DATABASE short OWNER postgres');
    const short = { database: 'short', lockOut: ['postgres'] };
    await stack.create('P', short);
    await server.sql('ALTER DATABASE short ALLOW_CONNECTIONS false');
    await expect(failure(stack.create('Q', short))).resolves.toContain('cannot revoke CREATE from PUBLIC in database "short": it accepts no connections; ');
    await stack.update('P', { ...short, reapply: 'again' });
    await server.sql('DROP DATABASE short');
    await stack.update('P', { ...short, reapply: 'gone' });
    await stack.delete('P', short);
    expect(notices('not given back').map(({ privilege, reason }) => [privilege, reason])).toEqual([['CONNECT', 'there is no such database'], ['CREATE', 'there is no such database']]);
    await server.sql('CREATE DATABASE short OWNER postgres');
    await stack.create('P', { ...short, revoked: CREATE });
    await server.sql('ALTER DATABASE short ALLOW_CONNECTIONS false');
    await stack.delete('P', { ...short, revoked: CREATE });
    await server.sql('DROP DATABASE short');
  });

  more('that several roles have granted are given back by each of them', async () => {
    await server.sql('CREATE ROLE passer; GRANT CONNECT ON DATABASE shop TO passer WITH GRANT OPTION; SET ROLE passer; GRANT CONNECT ON DATABASE shop TO PUBLIC; RESET ROLE; GRANT passer TO postgres');
    const before = await snapshot(server);
    await stack.create('P', shop());
    await expect(has()).resolves.toEqual([]);
    await stack.delete('P', shop());
    await expect(snapshot(server)).resolves.toEqual(before);
    await stack.create('P', shop());
    await server.sql('DROP OWNED BY passer; DROP ROLE passer');
    await stack.delete('P', shop());
    expect(notices('not given back').map(({ change }) => change)).toEqual(['grant CONNECT on database "shop" to PUBLIC']);
    await expect(has()).resolves.toEqual(['CONNECT', 'CREATE']);
  });

  more('with a row of the registry that is not understood are left alone, and the resource can go', async () => {
    await stack.create('P', shop({ revoked: CONNECT }));
    await server.sql("UPDATE cdk_aurora_iam_auth.managed_role SET declarations = jsonb_set(declarations, '{format}', '2')");
    await expect(failure(stack.update('P', shop()))).resolves.toContain(
      'what the registry has of PUBLIC in database "shop" (resource P) is not understood: format 2 is not allowed: this version of the library knows format 1; deploy with the version that wrote it. ');
    await expect(stack.drift()).resolves.toMatchObject({ driftedRoles: 1, resources: [{ names: ['public'], problem: expect.stringContaining('is not understood') as unknown }] });
    await stack.delete('P', shop());
    await expect(has()).resolves.toEqual(['CREATE']);
    await server.sql('DELETE FROM cdk_aurora_iam_auth.managed_role; GRANT CONNECT ON DATABASE shop TO PUBLIC');
  });

  more('are planned, with what the same plan grants', async () => {
    const user = { username: 'orders', privileges: { shop: { Schemas: { public: { Schema: ['USAGE'] } } } } };
    await stack.create('A', user);
    const before = await snapshot(server);
    const next = { ...user, privileges: { shop: { Database: ['CONNECT'], ...user.privileges.shop } } };
    const plan = await stack.plan({ logicalId: 'A', declared: next, before: user }, { logicalId: 'P', declared: shop() });
    expect(plan.resources.map(({ problem, changes }) => problem ?? changes.map(({ change }) => change))).toEqual([
      ['grant CONNECT on database "shop" to "orders"'], ['revoke CONNECT on database "shop" from PUBLIC', 'revoke CREATE on schema "public" from PUBLIC in database "shop"'],
    ]);
    await expect(stack.plan({ logicalId: 'P', declared: shop() })).resolves.toMatchObject({ resources: [{ problem: expect.stringContaining('"orders" has it through PUBLIC only') as unknown }] });
    await expect(snapshot(server)).resolves.toEqual(before);
    await stack.create('P', shop({ lockOut: ['orders', 'postgres'] }));
    const removal = await stack.plan({ logicalId: 'P', declared: shop(), action: 'Delete' });
    expect(removal.resources[0].changes.map(({ change }) => change)).toEqual(['grant CREATE on schema "public" to PUBLIC in database "shop"', 'grant CONNECT on database "shop" to PUBLIC']);
    await stack.delete('P', shop());
  });

  full.test('keep a session out that has nothing to do in database postgres, so that it cannot ask for the lock', async () => {
    await stack.create('A', { username: 'orders' });
    await stack.create('P', { database: 'postgres', lockOut: ['postgres'] });
    const client = new Client({ host: server.host, port: server.port, user: 'orders', password: server.token('application', 'orders'), database: 'postgres', ssl: { rejectUnauthorized: true } });
    await expect(client.connect()).rejects.toThrow('permission denied for database "postgres"');
    await stack.delete('P', { database: 'postgres' });
  });
});
