import { AuroraLikeServer, AuroraLikeServerOptions } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { sleepingClock } from './clocks';
import { failure, signIn, snapshot, Stack, StackOptions, trust, User } from './stack';

/** No error may keep a deployment waiting for longer, by the clock of the handler. */
const LIMIT_MS = 60_000;

const USER: User = { username: 'orders' };

describe.each(firstOf(1, [15, 17] as const))('failures on PostgreSQL %i', (major) => {
  const servers: AuroraLikeServer[] = [];
  const start = async (options: Partial<AuroraLikeServerOptions> = {}) => {
    const server = await AuroraLikeServer.start({ major, databases: ['shop'], ...options });
    servers.push(server);
    trust(server.caCertificate);
    return server;
  };
  let server: AuroraLikeServer;
  beforeAll(async () => {
    server = await start();
  });
  beforeEach(() => trust(server.caCertificate));
  afterAll(() => Promise.all(servers.map(each => each.stop())));

  /** The message, after a create that must fail in time, leave the server as it was and the admin with its access. */
  async function failedCreate(on: AuroraLikeServer, options: StackOptions = {}, user = USER): Promise<string> {
    const before = await snapshot(on);
    const clock = sleepingClock();
    const message = await failure(new Stack(on, { ...options, clock }).create('A', user));
    expect(clock.slept()).toBeLessThan(LIMIT_MS);
    await expect(snapshot(on)).resolves.toEqual(before);
    return message;
  }

  test('an admin that is a member of rds_iam', async () => {
    const iamOnly = await start();
    await iamOnly.sql(`GRANT rds_iam TO postgres ${major >= 16 ? 'WITH INHERIT TRUE' : ''}`);
    expect(await failedCreate(iamOnly)).toBe(
      `cannot sign in to localhost:${iamOnly.port} as the admin: the server asks for its password in clear text, which is not sent; `
      + 'RDS asks a member of rds_iam for a token instead, and the admin is one, itself or through a role it was granted; up to PostgreSQL 14 every user can do that with GRANT <user> TO <admin>. Use AdminCredentials.fromIam(); or sign in as the admin with a token, or as another member of rds_superuser, find that role with SELECT roleid::regrole, member::regrole FROM pg_auth_members, and REVOKE it',
    );
  });

  test('server without TLS', async () => {
    const plain = await start({ tls: 'off' });
    expect(await failedCreate(plain)).toBe(
      `cannot connect to localhost:${plain.port}: the server has no TLS (The server does not support SSL connections); enable TLS; the provisioner never signs in without it`,
    );
  });

  test('certificate of an authority that is not trusted', async () => {
    const untrusted = await start({ tls: 'untrusted' });
    expect(await failedCreate(untrusted)).toMatch(
      new RegExp(
        `^cannot connect to localhost:${untrusted.port}: the server's certificate is not trusted \\([A-Z_]+\\); `
        + 'check that it has not expired, and that its certificate authority is in the file that the environment variable DATABASE_CA_FILE of the provisioner names; otherwise pass caCertificates with one that has it$',
      ),
    );
  });

  full.test('certificate for another host', async () => {
    const other = await start({ tls: 'otherHost' });
    expect(await failedCreate(other)).toBe(
      `cannot connect to localhost:${other.port}: the server's certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID); connect to the database's own endpoint, not to an alias`,
    );
  });

  test('database that does not exist', async () => {
    expect(await failedCreate(server, {}, { username: 'orders', connect: ['shop', 'nowhere'] })).toBe(
      'cannot grant CONNECT on database "nowhere" to "orders": database "nowhere" does not exist (SQLSTATE 3D000); create the database before this deployment, or correct its name',
    );
  });

  full.test('role that does not exist', async () => {
    expect(await failedCreate(server, {}, { username: 'orders', memberOf: ['nobody'] })).toBe(
      'cannot grant role "nobody" to "orders": role "nobody" does not exist (SQLSTATE 42704); create the role before this deployment, or correct its name',
    );
  });

  full.test('database of another owner', async () => {
    await server.sql('CREATE DATABASE theirs');
    expect(await failedCreate(server, {}, { username: 'orders', connect: ['theirs'] })).toBe(
      'cannot grant CONNECT on database "theirs" to "orders": no privileges were granted for "theirs" (SQLSTATE 01007); '
      + 'only the owner of a database can pass its privileges on: use an admin that is the owner or a member of it',
    );
    // A backend may be there for a moment after its client has gone.
    await server.sql('DROP DATABASE theirs WITH (FORCE)');
  });

  test('rds_iam missing', async () => {
    expect(await failedCreate(await start({ rdsIam: 'absent' }))).toBe(
      'role rds_iam does not exist on this server: it is there on Aurora PostgreSQL and RDS for PostgreSQL; '
      + 'check that the host is one, in a version with IAM database authentication',
    );
  });

  full.test('admin without the right to create roles', async () => {
    const weak = await start();
    await weak.sql('ALTER ROLE postgres NOCREATEROLE');
    expect(await failedCreate(weak)).toMatch(
      /^cannot create user "orders": permission denied to create role(\. Only roles with the CREATEROLE attribute may create roles\.)? \(SQLSTATE 42501\); the admin needs CREATEROLE and, from PostgreSQL 16 on, ADMIN OPTION on roles it did not create$/,
    );
  });

  if (major >= 16) {
    test('admin without the right to grant rds_iam', async () => {
      expect(await failedCreate(await start({ rdsIam: 'notGrantable' }))).toBe(
        'cannot grant role "rds_iam" to "orders": permission denied to grant role "rds_iam". '
        + 'Only roles with the ADMIN option on role "rds_iam" may grant this role. (SQLSTATE 42501); '
        + 'sign in as the master user, or as another member of rds_superuser: from PostgreSQL 16 on others may grant rds_iam only WITH ADMIN OPTION on it',
      );
    });
  }

  full.test('admin without CREATE on database postgres', async () => {
    const weak = await start();
    await weak.sql('ALTER DATABASE postgres OWNER TO rdsadmin');
    expect(await failedCreate(weak)).toBe(
      "cannot create schema cdk_aurora_iam_auth_lock, which is the provisioners' lock: permission denied for database postgres (SQLSTATE 42501); "
      + 'the admin needs CREATE on database postgres',
    );
  });

  test('a membership that would lock the admin out', async () => {
    const trapped = await start();
    await trapped.sql('CREATE ROLE team NOLOGIN');
    if (major >= 16) {
      await trapped.sql('GRANT team TO postgres WITH ADMIN TRUE, INHERIT TRUE, SET TRUE');
    } else {
      await trapped.sql('GRANT team TO postgres');
    }
    const stack = new Stack(trapped);
    await stack.create('A', { username: 'lead' });
    await stack.delete('A', { username: 'lead' });
    await trapped.sql(
      "CREATE FUNCTION trap() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS (SELECT FROM pg_auth_members WHERE roleid = 'rds_iam'::regrole AND member = 'team'::regrole) THEN GRANT rds_iam TO team; END IF; END $$",
    );
    await trapped.sql(
      "CREATE EVENT TRIGGER trap ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION trap()",
    );
    await trapped.sql('ALTER FUNCTION trap() SECURITY DEFINER');
    expect(await failedCreate(trapped)).toBe(
      'this would make the admin a member of rds_iam (postgres -> team -> rds_iam), and its password would stop working, so it was undone; '
      + 'revoke the membership of "postgres" in "team" first',
    );
    await expect(signIn(trapped, 'postgres', trapped.master.password)).resolves.toBe('postgres');
  });
});
