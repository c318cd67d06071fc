import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { failure, nextTime, signIn, signInWithToken, snapshot, Stack, trust, users } from './stack';

describe.each(firstOf(1, [15, 17] as const))('users on PostgreSQL %i', (major) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let before: unknown;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, databases: ['shop', 'stock'], authorize: principal => principal === 'application' });
    trust(server.caCertificate);
    await server.sql('CREATE ROLE readers NOLOGIN; CREATE ROLE writers NOLOGIN');
    if (major >= 16) {
      await server.sql(`GRANT readers, writers TO ${server.master.username} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`);
    }
    before = await snapshot(server);
  });
  beforeEach(() => stack = new Stack(server));
  afterEach(async () => {
    await expect(signIn(server, server.master.username, server.master.password)).resolves.toBe(server.master.username);
    await expect(snapshot(server)).resolves.toEqual(before);
  });
  afterAll(() => server.stop());

  test('create lets the user sign in with a token, delete takes the user away', async () => {
    const { PhysicalResourceId } = await stack.create('A', { username: 'orders' });
    expect(PhysicalResourceId).toBe(`${server.resourceId}/orders/A`);
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await stack.delete('A', { username: 'orders' }, PhysicalResourceId);
    await expect(signInWithToken(server, 'orders')).rejects.toThrow();
    expect(await users(server)).toEqual(['readers', 'writers']);
  });

  test('the log says each change, and neither event nor password', async () => {
    await stack.create('A', { username: 'orders', memberOf: ['readers'] });
    expect(stack.log.filter(({ notice }) => notice === 'changing').map(({ change }) => change)).toEqual([
      'create user "orders"',
      'grant CONNECT on database "shop" to "orders"',
      'grant role "readers" to "orders"',
      'grant role "rds_iam" to "orders"',
      'allow user "orders" to log in',
    ]);
    expect(JSON.stringify(stack.log)).not.toContain(server.master.password);
    expect(JSON.stringify(stack.log)).not.toContain('ServiceToken');
    await stack.delete('A', { username: 'orders' });
  });

  full.test('privileges are as declared: CONNECT on databases, membership in roles', async () => {
    await stack.create('A', { username: 'orders', connect: ['shop', 'stock'], memberOf: ['readers'] });
    await expect(held(server, 'orders')).resolves.toEqual({ connect: ['shop', 'stock'], memberOf: ['rds_iam', 'readers'] });
    await stack.update('A', { username: 'orders', connect: ['stock'], memberOf: ['writers'] });
    await expect(held(server, 'orders')).resolves.toEqual({ connect: ['stock'], memberOf: ['rds_iam', 'writers'] });
    await stack.delete('A', { username: 'orders' });
  });

  full.test('what was granted by hand is not revoked', async () => {
    await stack.create('A', { username: 'orders' });
    await server.sql('GRANT CONNECT ON DATABASE stock TO orders; GRANT readers TO orders');
    await stack.update('A', { username: 'orders', connect: [] });
    await expect(held(server, 'orders')).resolves.toEqual({ connect: ['stock'], memberOf: ['rds_iam', 'readers'] });
    await server.sql('REVOKE CONNECT ON DATABASE stock FROM orders; REVOKE readers FROM orders');
    await stack.delete('A', { username: 'orders', connect: [] });
  });

  full.test('drift by hand heals at the next update', async () => {
    await stack.create('A', { username: 'orders', memberOf: ['readers'] });
    await server.sql('ALTER ROLE orders NOLOGIN; REVOKE readers, rds_iam FROM orders; REVOKE CONNECT ON DATABASE shop FROM orders');
    await stack.update('A', { username: 'orders', memberOf: ['readers'] });
    await expect(held(server, 'orders')).resolves.toEqual({ connect: ['shop'], memberOf: ['rds_iam', 'readers'] });
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await stack.delete('A', { username: 'orders' });
  });

  test.each(firstOf(1, ['Create', 'Update'] as const))('the same %s sent twice is a success and changes nothing', async (RequestType) => {
    const answer = { PhysicalResourceId: `${server.resourceId}/orders/A` };
    await (RequestType === 'Update' ? stack.create('A', { username: 'orders', connect: [] }) : undefined);
    const event = { RequestType, LogicalResourceId: 'A', sentAt: nextTime(), ...RequestType === 'Update' ? answer : {} };
    await stack.send(event, { username: 'orders' });
    const first = await snapshot(server);
    stack.log.length = 0;
    await expect(stack.send(event, { username: 'orders' })).resolves.toEqual(answer);
    expect(stack.log.map(({ notice }) => notice)).toEqual(['started', 'finished']);
    await expect(snapshot(server)).resolves.toEqual(first);
    await stack.delete('A', { username: 'orders' });
  });

  full.test('the same delete sent twice is a success', async () => {
    await stack.create('A', { username: 'orders' });
    await stack.delete('A', { username: 'orders' });
    await stack.delete('A', { username: 'orders' });
    expect(stack.log.at(-2)).toMatchObject({ notice: 'nothing to remove', reason: 'this resource manages no role of that name' });
  });

  test('a rename keeps what the user owns, and the delete of the old id that follows removes nothing', async () => {
    const { PhysicalResourceId: old } = await stack.create('A', { username: 'orders' });
    await server.sql('CREATE TABLE notes (n int); ALTER TABLE notes OWNER TO orders', [], 'shop');
    const { PhysicalResourceId } = await stack.update('A', { username: 'Orders 2' }, old);
    expect(PhysicalResourceId).toBe(`${server.resourceId}/Orders%202/A`);
    await stack.delete('A', { username: 'orders' }, old);
    await expect(signInWithToken(server, 'Orders 2')).resolves.toBe('Orders 2');
    await expect(server.sql("SELECT tableowner::text FROM pg_tables WHERE tablename = 'notes'", [], 'shop')).resolves.toEqual([{ tableowner: 'Orders 2' }]);
    await server.sql('DROP TABLE notes', [], 'shop');
    await stack.delete('A', { username: 'Orders 2' }, PhysicalResourceId);
  });

  full.test('a user that moves to another construct stays, with the privileges declared there', async () => {
    await stack.create('A', { username: 'orders', connect: ['shop', 'stock'] });
    const [{ oid }] = await server.sql("SELECT oid FROM pg_roles WHERE rolname = 'orders'");
    await stack.create('B', { username: 'orders', connect: ['shop'] });
    await stack.delete('A', { username: 'orders' });
    await expect(held(server, 'orders')).resolves.toEqual({ connect: ['shop'], memberOf: ['rds_iam'] });
    await expect(server.sql("SELECT oid FROM pg_roles WHERE rolname = 'orders'")).resolves.toEqual([{ oid }]);
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await stack.delete('B', { username: 'orders' });
  });

  test('a move that is rolled back leaves the user with the old construct and its privileges', async () => {
    await stack.create('A', { username: 'orders', connect: ['shop', 'stock'] });
    await stack.create('B', { username: 'orders', connect: ['shop'], memberOf: ['readers'] });
    await stack.delete('B', { username: 'orders' });
    await expect(held(server, 'orders')).resolves.toEqual({ connect: ['shop', 'stock'], memberOf: ['rds_iam'] });
    await stack.delete('A', { username: 'orders' });
  });

  describe('a user renamed while another takes its old name', () => {
    const both = async () => {
      await expect(signInWithToken(server, 'archive')).resolves.toBe('archive');
      await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
      await expect(server.sql("SELECT tableowner::text AS owner FROM pg_tables WHERE tablename = 'notes'", [], 'shop')).resolves.toEqual([{ owner: 'archive' }]);
    };
    beforeEach(async () => {
      await stack.create('A', { username: 'orders' });
      await server.sql('CREATE TABLE notes (n int); ALTER TABLE notes OWNER TO orders', [], 'shop');
    });
    afterEach(async () => {
      // Whatever came before, the stack is destroyed.
      await server.sql('DROP TABLE notes', [], 'shop');
      await stack.delete('B', { username: 'orders' });
      await stack.delete('A', { username: 'archive' });
      await stack.delete('A', { username: 'orders' });
    });

    full.test('rename first: both are there, owned objects go with the rename', async () => {
      await stack.update('A', { username: 'archive' });
      await stack.create('B', { username: 'orders' });
      await stack.delete('A', { username: 'orders' });
      await both();
    });

    full.test('new user first: both are there, owned objects go with the rename', async () => {
      await stack.create('B', { username: 'orders' });
      await stack.update('A', { username: 'archive' });
      await stack.delete('A', { username: 'orders' });
      await both();
    });

    full.test('rolled back: the first has its name and its objects again, the new one is gone', async () => {
      await stack.update('A', { username: 'archive' });
      await stack.create('B', { username: 'orders' });
      await stack.update('A', { username: 'orders' });
      await stack.delete('B', { username: 'orders' });
      await stack.delete('A', { username: 'archive' });
      expect(await users(server)).toEqual(['orders', 'readers', 'writers']);
      await expect(server.sql("SELECT tableowner::text AS owner FROM pg_tables WHERE tablename = 'notes'", [], 'shop')).resolves.toEqual([{ owner: 'orders' }]);
    });
  });

  test('two users that swap their names keep what they own', async () => {
    await stack.create('A', { username: 'a' });
    await stack.create('B', { username: 'b' });
    await server.sql('CREATE TABLE of_a (n int); ALTER TABLE of_a OWNER TO a', [], 'shop');
    await stack.update('A', { username: 'b' });
    await stack.update('B', { username: 'a' });
    await stack.delete('A', { username: 'a' });
    await stack.delete('B', { username: 'b' });
    await expect(signInWithToken(server, 'a')).resolves.toBe('a');
    await expect(server.sql("SELECT tableowner::text AS owner FROM pg_tables WHERE tablename = 'of_a'", [], 'shop')).resolves.toEqual([{ owner: 'b' }]);
    await server.sql('DROP TABLE of_a', [], 'shop');
    await stack.delete('A', { username: 'b' });
    await stack.delete('B', { username: 'a' });
  });

  full.test('a rename that had to push another user aside gives the name back when it is rolled back', async () => {
    await stack.create('A', { username: 'a' });
    await stack.create('B', { username: 'b' });
    await stack.update('A', { username: 'b' });
    await stack.update('A', { username: 'a' });
    await expect(signInWithToken(server, 'a')).resolves.toBe('a');
    await expect(signInWithToken(server, 'b')).resolves.toBe('b');
    await stack.delete('A', { username: 'a' });
    await stack.delete('B', { username: 'b' });
  });

  full.test('a role that exists and is not ours is refused and left as it was', async () => {
    await server.sql("CREATE ROLE orders LOGIN PASSWORD 'x'");
    const found = await snapshot(server);
    expect(await failure(stack.create('A', { username: 'orders' }))).toBe(
      'role "orders" exists already and was not created by this library, so it is left as it is; choose another name, drop or rename that role first, or take it over with adoptExisting');
    await expect(snapshot(server)).resolves.toEqual(found);
    await stack.delete('A', { username: 'orders' });
    await expect(snapshot(server)).resolves.toEqual(found);
    await server.sql('DROP ROLE orders');
  });

  test('a user of another stack is refused and left to it', async () => {
    const other = new Stack(server, { name: 'other' });
    await other.create('Theirs', { username: 'orders' });
    expect(await failure(stack.create('A', { username: 'orders' }))).toBe(
      '"orders" is managed by another stack already (arn:aws:cloudformation:eu-central-1:123456789012:stack/other/1, resource Theirs); '
      + 'declare it in one stack only, or choose another name; if that stack is gone, drop the role');
    await stack.delete('A', { username: 'orders' });
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await other.delete('Theirs', { username: 'orders' });
  });

  full.test('a role left by a create whose reply was lost is taken up when the stack is made again', async () => {
    await new Stack(server, { unique: '1' }).create('A', { username: 'orders', connect: ['shop', 'stock'] });
    const again = new Stack(server, { unique: '2' });
    await again.create('B', { username: 'orders' });
    await expect(held(server, 'orders')).resolves.toEqual({ connect: ['shop'], memberOf: ['rds_iam'] });
    await again.delete('B', { username: 'orders' });
  });

  full.test('a user that was dropped by hand is made again', async () => {
    await stack.create('A', { username: 'orders' });
    await server.sql('REVOKE CONNECT ON DATABASE shop FROM orders; DROP ROLE orders');
    await stack.update('A', { username: 'orders' });
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await server.sql('REVOKE CONNECT ON DATABASE shop FROM orders; DROP ROLE orders');
    await stack.delete('A', { username: 'orders' });
  });

  test('removal ends sessions, and keeps a role that owns something, without its access', async () => {
    await stack.create('A', { username: 'orders' });
    await server.sql('CREATE TABLE notes (n int); ALTER TABLE notes OWNER TO orders; INSERT INTO notes VALUES (1)', [], 'shop');
    const open = new Client({ host: server.host, port: server.port, user: 'orders', password: server.token('application', 'orders'), database: 'shop', ssl: true });
    const ended = new Promise(resolve => open.on('error', resolve));
    await open.connect();
    await stack.delete('A', { username: 'orders' });
    await expect(ended).resolves.toBeDefined();
    expect(stack.log.at(-2)).toMatchObject({ notice: 'kept', username: 'orders', dependents: '1 object in database shop' });
    await expect(held(server, 'orders')).resolves.toEqual({ connect: [], memberOf: [] });
    await expect(server.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'orders'")).resolves.toEqual([{ rolcanlogin: false }]);
    await expect(server.sql('SELECT n FROM notes', [], 'shop')).resolves.toEqual([{ n: 1 }]);

    // Declared again, by whichever resource, it comes back with what it owns.
    await new Stack(server, { name: 'other' }).create('B', { username: 'orders' });
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await server.sql('DROP TABLE notes', [], 'shop');
    await new Stack(server, { name: 'other' }).delete('B', { username: 'orders' });
  });

  full.test('removing the last user takes the registry away, removing another does not', async () => {
    const registry = () => server.sql("SELECT FROM pg_namespace WHERE nspname = 'cdk_aurora_iam_auth'");
    await stack.create('A', { username: 'a' });
    await stack.create('B', { username: 'b' });
    await stack.delete('A', { username: 'a' });
    expect(await registry()).toHaveLength(1);
    await stack.delete('B', { username: 'b' });
    expect(await registry()).toHaveLength(0);
  });
});

async function held(server: AuroraLikeServer, username: string): Promise<{ connect: string[]; memberOf: string[] }> {
  const [row] = await server.sql<{ connect: string[]; memberOf: string[] }>(`
    SELECT ARRAY(SELECT datname::text FROM pg_database, aclexplode(datacl) a WHERE a.grantee = r.oid AND a.privilege_type = 'CONNECT' ORDER BY 1) AS connect,
           ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1) AS "memberOf"
    FROM pg_roles r WHERE rolname = $1`, [username]);
  return row;
}
