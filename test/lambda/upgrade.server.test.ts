import { adminWithToken } from '../../lambda/provisioner/transport/credentials';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { full } from '../full';
import { failure, setups, signIn, signInWithToken, Stack, trust, users } from './stack';

const ORDERS = { username: 'orders' };

/** What docs/operations.md says to grant around a major upgrade from PostgreSQL 15 to 16. */
describe.each(setups('17, plain'))('ADMIN OPTION on a user of PostgreSQL $name', ({ major, ...setup }) => {
  const environment = process.env;
  let server: AuroraLikeServer;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, major, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  afterAll(async () => {
    process.env = environment;
    await server.stop();
  });

  const passwordWorks = () => signIn(server, 'postgres', server.master.password).then(() => true, () => false);

  test('makes an admin with a password a member of rds_iam, unless it neither inherits nor can be set', async () => {
    const stack = new Stack(server);
    await stack.create('A', ORDERS);
    // No role has it on those made before the upgrade.
    await server.sql(
      `${major >= 16 ? 'REVOKE orders FROM postgres CASCADE; ' : ''}GRANT orders TO postgres WITH ADMIN OPTION`,
    );
    expect(await passwordWorks()).toBe(false);
    await server.sql('REVOKE orders FROM postgres CASCADE');
    if (major >= 16) {
      await server.sql('GRANT orders TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
    expect(await passwordWorks()).toBe(true);
    await stack.delete('A', ORDERS);
    expect(await users(server)).toEqual([]);
  });

  full.test('lets an admin with tokens go on as before', async () => {
    await server.setMasterWithToken(true);
    const { accessKeyId, secretAccessKey, sessionToken } = server.issueCredentials('provisioner');
    process.env = {
      ...environment,
      AWS_REGION: server.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    };
    const stack = new Stack(server, { admin: () => adminWithToken('postgres', server.host, server.port) });
    await stack.create('A', ORDERS);
    // As an upgrade leaves it: of the bootstrap superuser, with all options.
    await server.sql(`${major >= 16 ? 'REVOKE orders FROM postgres CASCADE; ' : ''}GRANT orders TO postgres WITH ADMIN OPTION`);
    await stack.update('A', { username: 'renamed', connect: ['postgres'] });
    await expect(signInWithToken(server, 'renamed', 'postgres')).resolves.toBe('renamed');
    await stack.delete('A', { username: 'renamed' });
    expect(await users(server)).toEqual([]);
    await server.setMasterWithToken(false);
  });

  if (major >= 16) {
    test('is what an admin lacks on users made before the upgrade, to rename or remove them, and what helps afterwards', async () => {
      const stack = new Stack(server);
      await stack.create('A', ORDERS);
      await server.sql('REVOKE orders FROM postgres CASCADE');
      expect(await failure(stack.update('A', { username: 'renamed' }))).toContain(
        'cannot rename "orders" to "renamed": permission denied to rename role',
      );
      await server.sql('GRANT orders TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
      await stack.update('A', { username: 'renamed' });
      await expect(signInWithToken(server, 'renamed')).resolves.toBe('renamed');
      await stack.delete('A', { username: 'renamed' });
      expect(await passwordWorks()).toBe(true);
    });
  }
});
