import { Admin, adminWithToken } from '../../lambda/provisioner/transport/credentials';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Credentials } from '../../rehearsal/iam/credentials';
import { full } from '../full';
import { sleepingClock } from './clocks';
import { failure, setups, signInWithToken, snapshot, Stack, trust } from './stack';

describe.each(setups('17, plain'))('an admin that signs in with tokens, on PostgreSQL $name', (setup) => {
  const environment = process.env;
  let server: AuroraLikeServer;
  let allowed: () => boolean;
  let tokens: string[];

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, databases: ['shop'] });
    trust(server.caCertificate);
    await server.setMasterWithToken(true);
    server.authorize = (principal, username) =>
      principal === 'application'
      || (allowed() && principal === 'provisioner' && ['postgres', 'chief'].includes(username));
    const { accessKeyId, secretAccessKey, sessionToken }: Credentials = server.issueCredentials('provisioner');
    process.env = {
      ...environment,
      AWS_REGION: server.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    };
  });
  afterAll(async () => {
    process.env = environment;
    await server.stop();
  });
  beforeEach(() => {
    allowed = () => true;
    tokens = [];
  });

  function admin(username = 'postgres'): Admin {
    const { password } = adminWithToken(username, server.host, server.port);
    return {
      username,
      password: async () => {
        tokens.push(await (password as () => Promise<string>)());
        return tokens.at(-1)!;
      },
    };
  }
  const USER = {
    username: 'orders',
    privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'] } } } },
  };

  test('creates, changes and removes users, with a token for each connection, and stays what it is', async () => {
    const before = await snapshot(server);
    const stack = new Stack(server, { admin });
    await stack.create('A', USER);
    expect(tokens.length).toBeGreaterThan(1);
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    await stack.update('A', { ...USER, username: 'renamed' });
    await stack.delete('A', { ...USER, username: 'renamed' });
    await expect(snapshot(server)).resolves.toEqual(before);
  });

  test('waits for a policy that IAM does not know everywhere yet', async () => {
    let asked = 0;
    allowed = () => ++asked > 3;
    const stack = new Stack(server, { admin, clock: sleepingClock() });
    await stack.create('A', USER);
    await stack.delete('A', USER);
    expect(stack.log.find(({ notice }) => notice === 'trying again')?.reason).toContain('SQLSTATE 28000');
  });

  test('does not wait for it for ever', async () => {
    allowed = () => false;
    const clock = sleepingClock();
    expect(await failure(new Stack(server, { admin, clock }).create('A', USER))).toMatch(
      /^cannot sign in to localhost:\d+ as the admin: PAM authentication failed \(SQLSTATE 28000\); its token was refused: check that the role of the provisioner may rds-db:connect as this user, /,
    );
    expect(clock.slept()).toBeGreaterThan(10_000);
    expect(clock.slept()).toBeLessThan(30_000);
  });

  test('is not a member of rds_iam: its token is taken for a password', async () => {
    await server.sql('CREATE ROLE chief LOGIN');
    expect(
      await failure(new Stack(server, { admin: () => admin('chief'), clock: sleepingClock() }).create('A', USER)),
    ).toBe(
      `cannot sign in to localhost:${server.port} as the admin: the server asks for its password, and it has a token; `
      + 'check that the admin exists exactly as spelled, that it is a member of rds_iam, and that IAM authentication is enabled',
    );
    await server.sql('DROP ROLE chief');
  });

  test('is no user of a resource', async () => {
    expect(await failure(new Stack(server, { admin }).create('A', { username: 'postgres' }))).toBe(
      'username "postgres" is not allowed: it is the admin of the database, which is to stay as it is; create a user of another name',
    );
  });

  full.test('does not lock itself out: it connects after a user has gone through which it did', async () => {
    const stack = new Stack(server, { admin });
    const gate = { database: 'shop', revoked: { Database: ['CONNECT'] }, lockOut: ['application'] };
    const connects = async () =>
      (await server.sql("SELECT has_database_privilege('postgres', 'shop', 'CONNECT') AS it"))[0].it;
    await stack.create('A', USER);
    await server.sql(
      `ALTER DATABASE shop OWNER TO rds_superuser; REVOKE CONNECT ON DATABASE shop FROM rds_superuser; GRANT orders TO postgres${setup.major < 16 ? '' : ' WITH INHERIT TRUE'}`,
    );
    await stack.create('P', gate);
    expect(await connects()).toBe(true);
    await stack.delete('A', USER);
    expect(await connects()).toBe(true);
    await stack.delete('P', gate);
    await server.sql(
      'REVOKE CONNECT ON DATABASE shop FROM postgres; GRANT CONNECT ON DATABASE shop TO rds_superuser; ALTER DATABASE shop OWNER TO postgres',
    );
  });

  full.test('does not lock itself out: a user it has rds_iam from is not removed', async () => {
    const stack = new Stack(server, { admin });
    await stack.create('A', USER);
    const options = setup.major >= 16 ? ['WITH ADMIN TRUE, INHERIT FALSE, SET FALSE'] : [];
    await server.sql(
      `CREATE ROLE chief LOGIN CREATEROLE; GRANT orders TO chief; GRANT CREATE ON DATABASE postgres TO chief; ${options.map(option => `GRANT rds_iam TO chief ${option}`).join()}`,
    );
    await server.sql(
      'CREATE ROLE keeper; GRANT keeper TO chief, postgres; ALTER SCHEMA cdk_aurora_iam_auth OWNER TO keeper; ALTER SCHEMA cdk_aurora_iam_auth_lock OWNER TO keeper; ALTER TABLE cdk_aurora_iam_auth.managed_role OWNER TO keeper',
    );
    await server.sql('GRANT pg_signal_backend, orders TO chief WITH ADMIN OPTION');
    const other = new Stack(server, { admin: () => admin('chief'), registryOwner: 'keeper' });
    const removed = other.delete('A', USER, stack.physicalIdOf('A'));
    if (setup.major >= 16) {
      // What another admin has granted is not taken back, so that the role stays, without a login.
      await removed;
      expect(other.log).toContainEqual(expect.objectContaining({ notice: 'kept', username: 'orders' }));
    } else {
      expect(await failure(removed)).toBe(
        'this would end the membership of the admin in rds_iam (chief -> orders -> rds_iam), and its tokens would stop working, so it was undone; grant rds_iam to the admin itself first',
      );
    }
    // It still gets in.
    await new Stack(server, { admin: () => admin('chief'), registryOwner: 'keeper' }).create('B', {
      username: 'another',
      connect: [],
    });
  });
});
