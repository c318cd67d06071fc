import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { SETUPS } from '../../rehearsal/setups';
import { login } from './login';

const POLICIES: Record<string, string[]> = {
  operations: ['alice', 'Mixed Case,x', 'grp'],
  everybodyElse: ['bob', 'Alice', 'carol'],
  nobody: [],
};

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

const PAM = (user: string) => `28000 PAM authentication failed for user "${user}"`;

describe.each(SETUPS)('logins on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, authorize: (principal, username) => POLICIES[principal]?.includes(username) });
    await server.sql(`
      CREATE ROLE alice LOGIN PASSWORD 'secret of alice'; GRANT rds_iam TO alice;
      CREATE ROLE bob LOGIN; GRANT rds_iam TO bob;
      CREATE ROLE team NOLOGIN; GRANT rds_iam TO team; CREATE ROLE "Mixed Case,x" LOGIN; GRANT team TO "Mixed Case,x";
      CREATE ROLE grp NOLOGIN; GRANT rds_iam TO grp;
      CREATE ROLE carol LOGIN PASSWORD 'secret of carol'`);
  });

  afterAll(() => server.stop());

  const connection = (user: string, password: string) =>
    ({ host: server.host, port: server.port, database: 'postgres', user, password, ssl: { ca: server.caCertificate } });

  const token = (...args: Parameters<AuroraLikeServer['token']>) => server.token(...args);

  test.each<[string, string, () => string, string]>([
    ['valid token', 'alice', () => token('operations', 'alice'), 'in'],
    ['member through a group, quoted name', 'Mixed Case,x', () => token('operations', 'Mixed Case,x'), 'in'],
    ['token for the name in another case', 'alice', () => token('everybodyElse', 'Alice'), PAM('alice')],
    ['token of another user', 'bob', () => token('operations', 'alice'), PAM('bob')],
    ['policy that names others', 'bob', () => token('operations', 'bob'), PAM('bob')],
    ['principal without any policy', 'alice', () => token('nobody', 'alice'), PAM('alice')],
    ['wrong secret key', 'alice',
      () => token('operations', 'alice', { credentials: { ...server.issueCredentials('operations'), secretAccessKey: 'wrong' } }), PAM('alice')],
    ['token for another host', 'alice', () => token('operations', 'alice', { host: '127.0.0.1' }), PAM('alice')],
    ['token for another port', 'alice', () => token('operations', 'alice', { port: 5432 }), PAM('alice')],
    ['token for another Region', 'alice', () => token('operations', 'alice', { region: 'us-east-1' }), PAM('alice')],
    ['token of 16 minutes ago', 'alice', () => token('operations', 'alice', { at: minutesAgo(16) }), PAM('alice')],
    ['token of 14 minutes ago', 'alice', () => token('operations', 'alice', { at: minutesAgo(14) }), 'in'],
    ['database password instead of a token', 'alice', () => 'secret of alice', PAM('alice')],
    ['password', 'carol', () => 'secret of carol', 'in'],
    ['wrong password', 'carol', () => 'secret of alice', '28P01 password authentication failed for user "carol"'],
    ['token of one who may not log in', 'grp', () => token('operations', 'grp'), '28000 role "grp" is not permitted to log in'],
    ['token where a password is due', 'carol', () => token('everybodyElse', 'carol'), '28P01 password authentication failed for user "carol"'],
  ])('%s (%s)', async (_name, user, password, outcome) => {
    expect(await login(connection(user, password()))).toBe(outcome);
  });

  test('an empty password', async () => {
    // node-postgres takes an empty string for no password, and looks for one elsewhere
    const password = () => '' as unknown as string;
    expect(await login({ ...connection('alice', ''), password })).toBe('28P01 empty password returned by client');
  });

  test('a valid token without TLS', async () => {
    expect(await login({ ...connection('alice', token('operations', 'alice')), ssl: false }))
      .toBe('28000 pg_hba.conf rejects connection for host "127.0.0.1", user "alice", database "postgres", no encryption');
  });

  test('a password without TLS', async () => {
    expect(await login({ ...connection('carol', 'secret of carol'), ssl: false })).toBe('in');
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
    expect(await login({ ...connection('carol', 'secret of carol'), ssl: true })).toMatch(/self-signed certificate|unable to verify|unable to get/);
  });
});
