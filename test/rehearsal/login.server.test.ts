import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { login } from './login';
import { LOGIN_CASES, mayConnect, minutesAgo, PAM, tryLogin, USERS } from './login-cases';
import { setups } from '../lambda/stack';

describe.each(setups('15', '17, RDS-like'))('logins on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, authorize: mayConnect });
    await server.sql(USERS);
  });

  afterAll(() => server.stop());

  const connection = (user: string, password: string) =>
    ({ host: server.host, port: server.port, database: 'postgres', user, password, ssl: { ca: server.caCertificate } });

  const token = (...args: Parameters<AuroraLikeServer['token']>) => server.token(...args);

  test.each(LOGIN_CASES)('$name ($user)', async (oneCase) => {
    expect(await tryLogin(server, oneCase)).toBe(oneCase.outcome);
  });

  test('a valid token is as long as those of Lambda functions', () => {
    expect(token('operations', 'alice').length).toBeGreaterThan(2400);
  });

  test('the reason of a refusal is in the log alone', async () => {
    const old = token('operations', 'alice', { at: minutesAgo(16) });
    expect(await login(connection('alice', old))).toBe(PAM('alice'));
    expect(server.log.at(-1)).toMatch(/^alice: token expired: it is 96\d s old and was good for 900 s$/);
  });

  test('a cluster without IAM database authentication takes no token', async () => {
    server.iamAuthentication = false;
    try {
      expect(await login(connection('alice', token('operations', 'alice')))).toBe(PAM('alice'));
    } finally {
      server.iamAuthentication = true;
    }
  });

  describe('of the master', () => {
    const master = (changes = {}) => ({ ...connection(server.master.username, server.master.password), ...changes });

    test('with its password', async () => {
      expect(await login(master())).toBe('in');
    });

    test('with a wrong password', async () => {
      expect(await login(master({ password: 'wrong' }))).toMatch(/^28P01/);
    });

    test('not into the database rdsadmin', async () => {
      expect(await login(master({ database: 'rdsadmin' }))).toMatch(/^28000 pg_hba.conf rejects/);
    });

    test('not as a member of rds_iam', async () => {
      await server.sql('GRANT alice TO postgres');
      try {
        expect(await login(master())).toBe(PAM('postgres'));
      } finally {
        await server.sql('REVOKE alice FROM postgres');
      }
      expect(await login(master())).toBe('in');
    });

    test('after it has created a user that signs in with IAM', async () => {
      await server.sql('SET ROLE postgres; CREATE ROLE dora LOGIN; GRANT rds_iam TO dora; RESET ROLE');
      expect(await login(master())).toBe('in');
    });
  });

  test('the bootstrap superuser cannot sign in from outside', async () => {
    expect(await login(connection('rdsadmin', 'any'))).toMatch(/^28P01/);
  });

  test('TLS names the endpoint', async () => {
    expect(await login({ ...connection('carol', 'secret of carol'), host: '127.0.0.1' })).toBe('in');
    expect(await login({ ...connection('carol', 'secret of carol'), ssl: true })).toMatch(
      /self-signed certificate|unable to verify|unable to get/,
    );
  });
});
