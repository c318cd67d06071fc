import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { failure, signInWithToken, Stack, trust, users } from './stack';

/** What must not happen: access that is left behind, a user that is lost, an admin that is touched. */
describe.each(firstOf(1, [15, 17] as const))('removal on PostgreSQL %i', (major) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  beforeEach(() => stack = new Stack(server));
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const canSignIn = (username: string) => signInWithToken(server, username).then(() => true, () => false);

  test.each(firstOf(1, [
    ['declared again under its logical id', {}],
    ['declared again after its stack was deleted and made again', { unique: '2' }],
  ]))('a kept role that is %s is managed again, and its removal takes the access', async (_, options) => {
    await stack.create('A', { username: 'orders' });
    await server.sql('CREATE TABLE notes (n int); ALTER TABLE notes OWNER TO orders', [], 'shop');
    await stack.delete('A', { username: 'orders' });
    expect(await canSignIn('orders')).toBe(false);
    const again = new Stack(server, options);
    await again.create('A', { username: 'orders' });
    expect(await canSignIn('orders')).toBe(true);
    await again.update('A', { username: 'orders', connect: [] });
    await server.sql('DROP TABLE notes', [], 'shop');
    await again.delete('A', { username: 'orders', connect: [] });
    expect(await users(server)).toEqual([]);
  });

  full.test(
    'a role left by a stack that is gone is taken up under the same logical id, and removed with it',
    async () => {
      await new Stack(server, { unique: '1' }).create('A', { username: 'orders' });
      const again = new Stack(server, { unique: '2' });
      await again.create('A', { username: 'orders' });
      await again.delete('A', { username: 'orders' });
      expect(await users(server)).toEqual([]);
    },
  );

  test('the delete for a cluster that was replaced behind the same endpoint leaves the user alone', async () => {
    const replaced = new Stack(server, { resourceId: 'cluster-OLD' });
    await replaced.create('A', { username: 'orders' });
    await stack.update('A', { username: 'orders' });
    await replaced.delete('A', { username: 'orders' });
    expect(replaced.log.at(-2)).toMatchObject({
      notice: 'nothing to remove',
      reason: `this resource manages "orders" of ${server.resourceId} now`,
    });
    expect(await canSignIn('orders')).toBe(true);
    await stack.delete('A', { username: 'orders' });
  });

  full.test('a privilege that cannot be taken back does not keep the login', async () => {
    await stack.create('A', { username: 'orders' });
    await server.sql('ALTER DATABASE shop OWNER TO rdsadmin');
    await stack.delete('A', { username: 'orders' });
    expect(await canSignIn('orders')).toBe(false);
    expect(stack.log.at(-2)).toMatchObject({
      notice: 'kept',
      username: 'orders',
      dependents: 'privileges for database shop',
    });
    await server.sql(
      'ALTER DATABASE shop OWNER TO postgres; REVOKE CONNECT ON DATABASE shop FROM orders; DROP ROLE orders; DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE',
    );
  });

  test.each(firstOf(1, [
    ['dropped', {}, 0],
    ['disabled, if they say of removal what is not understood', { OnRemoval: { Action: 'ARCHIVE' } }, 1],
  ]))('properties of another version do not stop a delete: the user is %s', async (_, others, left) => {
    await stack.create('A', { username: 'orders' });
    await stack.send({
      RequestType: 'Delete',
      LogicalResourceId: 'A',
      PhysicalResourceId: 'x',
      ResourceProperties: {
        Database: { ResourceId: server.resourceId, Host: server.host, Port: String(server.port) },
        Username: 'orders',
        Privileges: { shop: { Schemas: '' } },
        ...others,
      },
    }, { username: '' });
    expect(await users(server)).toHaveLength(left);
    expect(await canSignIn('orders')).toBe(false);
    await stack.create('A', { username: 'orders' });
    await stack.delete('A', { username: 'orders' });
  });

  describe('a registry copied from another server, where the oids are those of other roles', () => {
    const pointTo = (role: string, username: string) => server.sql(
      `UPDATE cdk_aurora_iam_auth.managed_role SET role_oid = '${role}'::regrole, username = $1`, [username]);
    const dropOrders = () =>
      server.sql(
        'DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE; REVOKE CONNECT ON DATABASE shop FROM orders; DROP ROLE orders',
      );

    test('a delete touches no role of another name', async () => {
      await stack.create('A', { username: 'orders' });
      await pointTo('postgres', 'orders');
      await stack.delete('A', { username: 'orders' });
      expect(stack.log.filter(({ notice }) => notice === 'changing')).toHaveLength(4);
      await server.sql('REVOKE CONNECT ON DATABASE shop FROM orders; DROP ROLE orders');
    });

    test('a delete never touches the admin', async () => {
      await stack.create('A', { username: 'orders' });
      await pointTo('postgres', 'postgres');
      expect(await failure(stack.delete('A', { username: 'postgres' }))).toMatch(
        /^the registry has a row of role "postgres" that is not valid: role name "postgres" is not allowed: it is the admin of the database; .*: DELETE FROM cdk_aurora_iam_auth\.managed_role WHERE role_oid = /,
      );
      await dropOrders();
    });

    full.test('a create does not take a role that goes by another name there', async () => {
      await server.sql('CREATE ROLE theirs');
      await stack.create('A', { username: 'orders' });
      await pointTo('theirs', 'orders');
      expect(await failure(stack.create('B', { username: 'theirs' }))).toMatch(
        /^role "theirs" exists already and was not created by this library/,
      );
      await server.sql('DROP ROLE theirs');
      await dropOrders();
    });
  });

  full.test(
    'a membership follows the role that is renamed, and is revoked when it is not declared any more',
    async () => {
      await stack.create('A', { username: 'a' });
      await stack.create('B', { username: 'b', memberOf: ['a'] });
      await stack.update('A', { username: 'x' });
      await stack.update('B', { username: 'b' });
      await expect(
        server.sql(
          "SELECT g.rolname::text AS role FROM pg_auth_members m JOIN pg_roles g ON g.oid = roleid WHERE member = 'b'::regrole",
        ),
      ).resolves.toEqual([{ role: 'rds_iam' }]);
      await stack.delete('B', { username: 'b' });
      await stack.delete('A', { username: 'x' });
    },
  );

  full.test('a registry that is being read does not stop the last delete', async () => {
    await stack.create('A', { username: 'orders' });
    const reader = new Client({
      host: server.host,
      port: server.port,
      user: 'postgres',
      password: server.master.password,
      database: 'postgres',
      ssl: true,
    });
    await reader.connect();
    await reader.query('BEGIN; SELECT FROM cdk_aurora_iam_auth.managed_role');
    await stack.delete('A', { username: 'orders' });
    await reader.end();
    expect(await users(server)).toEqual([]);
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
  });

  test('functions of a user are not taken for those of PostgreSQL', async () => {
    // An upgraded server, or one of version 14: everybody may create in public of postgres.
    await server.sql('GRANT CREATE ON SCHEMA public TO PUBLIC');
    await stack.create('A', { username: 'mallory' });
    const mallory = new Client({
      host: server.host,
      port: server.port,
      user: 'mallory',
      password: server.token('application', 'mallory'),
      database: 'postgres',
      ssl: true,
    });
    await mallory.connect();
    const trap = (signature: string, returns: string) =>
      mallory.query(`CREATE FUNCTION public.${signature} RETURNS ${returns} LANGUAGE plpgsql AS $$ BEGIN
      EXECUTE 'ALTER ROLE mallory CREATEROLE'; EXECUTE 'CREATE TABLE IF NOT EXISTS public.trapped ()'; RETURN NULL; END $$`);
    await trap('to_jsonb(pg_catalog.pg_auth_members)', 'jsonb');
    await trap('cardinality(text[])', 'int');
    await trap('acldefault(text, oid)', 'aclitem[]');
    await trap('acldefault(text, name)', 'aclitem[]');
    await mallory.end();
    await stack.create('B', { username: 'orders' });
    await stack.update('B', { username: 'orders' });
    await stack.delete('B', { username: 'orders' });
    await expect(server.sql("SELECT rolcreaterole FROM pg_roles WHERE rolname = 'mallory'")).resolves.toEqual([
      { rolcreaterole: false },
    ]);
    await expect(server.sql("SELECT to_regclass('public.trapped') AS trapped")).resolves.toEqual([{ trapped: null }]);
    await server.sql('DROP OWNED BY mallory; REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    await stack.delete('A', { username: 'mallory' });
  });

  if (major >= 16) {
    test('a membership that neither inherits nor can be set is not taken for one', async () => {
      await server.sql('CREATE ROLE readers; GRANT readers TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
      await stack.create('A', { username: 'orders' });
      await server.sql('GRANT readers TO orders WITH INHERIT FALSE, SET FALSE GRANTED BY postgres');
      await stack.update('A', { username: 'orders', memberOf: ['readers'] });
      await expect(server.sql("SELECT pg_has_role('orders', 'readers', 'USAGE') AS inherits")).resolves.toEqual([
        { inherits: true },
      ]);
      await server.sql('DROP ROLE readers');
      await stack.delete('A', { username: 'orders' });
    });
  }
});
