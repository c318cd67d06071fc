import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { failure, signIn, Stack, trust } from './stack';

/** What somebody who may use the database must not be able to do to the provisioner, and by it to others. */
describe.each([{ major: 15 }, { major: 17, roleRules: 'rdsLike' }] as const)('on PostgreSQL %o', (setup) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
    await server.sql("CREATE ROLE mallory LOGIN PASSWORD 'm'; GRANT CREATE ON DATABASE postgres TO mallory");
  });
  beforeEach(() => stack = new Stack(server));
  afterEach(async () => {
    await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
  });
  afterAll(() => server.stop());

  const connected = async (user: string, password: string) => {
    const client = new Client({
      host: server.host,
      port: server.port,
      user,
      password,
      database: 'postgres',
      ssl: true,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };

  test('a registry that another role has made is not even read', async () => {
    const mallory = await connected('mallory', 'm');
    await mallory.query(`
      CREATE SCHEMA cdk_aurora_iam_auth; GRANT USAGE ON SCHEMA cdk_aurora_iam_auth TO PUBLIC;
      CREATE FUNCTION cdk_aurora_iam_auth.trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER ROLE mallory CREATEROLE'; RETURN ''; END $$;
      CREATE VIEW cdk_aurora_iam_auth.managed_role AS SELECT 1::oid AS role_oid, cdk_aurora_iam_auth.trap() AS stack, '' AS stack_id, '' AS logical_id, '' AS resource_id,
        '' AS physical_id, '' AS username, '[]'::jsonb AS declarations, false AS released;
      GRANT SELECT ON cdk_aurora_iam_auth.managed_role TO PUBLIC`);
    await mallory.end();
    const refused
      = 'the registry in database postgres is not used: schema cdk_aurora_iam_auth belongs to "mallory" and not to "postgres"; rename or drop it if it is not the registry; '
        + 'if "mallory" is a group role that the admin is a member of, name it as registryOwner; if it was the admin before, ALTER SCHEMA cdk_aurora_iam_auth OWNER TO "postgres", '
        + 'and the same for TABLE cdk_aurora_iam_auth.managed_role';
    expect(await failure(stack.create('A', { username: 'orders' }))).toBe(refused);
    expect(await failure(stack.delete('A', { username: 'orders' }))).toBe(refused);
    await expect(server.sql("SELECT rolcreaterole FROM pg_roles WHERE rolname = 'mallory'")).resolves.toEqual([
      { rolcreaterole: false },
    ]);
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
  });

  test('a role whose members sign in with passwords is not made one of rds_iam', async () => {
    await server.sql(
      "CREATE ROLE app NOLOGIN; CREATE ROLE legacy LOGIN PASSWORD 'l'; GRANT app TO legacy; CREATE ROLE between; GRANT app TO between",
    );
    await server.sql('GRANT app TO postgres WITH ADMIN OPTION');
    expect(await failure(stack.create('A', { username: 'app', adoptExisting: true }))).toBe(
      '"legacy" would become a member of rds_iam through "app", and the password that it signs in with would stop working; '
      + 'revoke that membership, or make both members of a group role instead',
    );
    await expect(signIn(server, 'legacy', 'l')).resolves.toBe('legacy');
    await server.sql('DROP ROLE app, legacy, between');
  });
});
