import { AuroraLikeServer, AuroraLikeServerOptions } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { until } from '../lambda/clocks';
import { login } from './login';

describe('a server like Aurora', () => {
  let server: AuroraLikeServer | undefined;

  afterEach(() => server?.stop());

  async function start(options: Partial<AuroraLikeServerOptions> = {}): Promise<AuroraLikeServer> {
    return server = await AuroraLikeServer.start({ major: 17, ...options });
  }

  const asMaster = (it: AuroraLikeServer, database = 'postgres') => ({
    host: it.host,
    port: it.port,
    user: it.master.username,
    password: it.master.password,
    database,
    ssl: { ca: it.caCertificate },
  });

  test('has a master that is no superuser and owns its databases', async () => {
    const it = await start({
      master: { username: 'Chief "1"', password: "pass'word" },
      databases: ['shop', 'Über "x"'],
    });
    expect(await it.sql('SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = $1', ['Chief "1"']))
      .toEqual([{ rolsuper: false, rolcreaterole: true }]);
    expect(
      await it.sql('SELECT datname FROM pg_database WHERE datdba = $1::regrole AND NOT datistemplate ORDER BY 1', [
        '"Chief ""1"""',
      ]),
    ).toEqual([{ datname: 'postgres' }, { datname: 'shop' }, { datname: 'Über "x"' }]);
    expect(await login(asMaster(it, 'Über "x"'))).toBe('in');
    await it.setMasterPassword('another');
    expect(await login({ ...asMaster(it), password: 'pass\'word' })).toMatch(/^28P01/);
    expect(await login(asMaster(it))).toBe('in');
  });

  full.test.each([
    [15, 'plain', 'notGrantable', '42501'],
    [15, 'plain', 'absent', '42704'],
    [16, 'plain', 'notGrantable', '42501'],
    [17, 'plain', 'absent', '42704'],
    [17, 'rdsLike', 'absent', '42704'],
    [18, 'plain', 'notGrantable', '42501'],
  ] as const)(
    'on PostgreSQL %i, %s, with rds_iam %s the master cannot grant it (%s)',
    async (major, roleRules, rdsIam, code) => {
      const it = await start({ major, roleRules, rdsIam });
      await it.sql('CREATE ROLE alice LOGIN');
      await expect(it.sql('SET ROLE postgres; GRANT rds_iam TO alice')).rejects.toMatchObject({ code });
    },
  );

  test.each(
    firstOf(1, [
      [15, 'rdsLike', 'grantable', /^roleRules rdsLike is for PostgreSQL 16 and later, not 15$/],
      [
        16,
        'rdsLike',
        'notGrantable',
        /^with roleRules rdsLike the master is a superuser, so rds_iam cannot be notGrantable$/,
      ],
      [
        15,
        'strict',
        'grantable',
        /^roleRules strict is for PostgreSQL 16 and later, not 15: up to 15 every membership counts anyway$/,
      ],
    ] as const),
  )('fails on PostgreSQL %i with role rules %s and rds_iam %s', async (major, roleRules, rdsIam, message) => {
    await expect(start({ major, rdsIam, roleRules })).rejects.toThrow(message);
  });

  full.test.each([
    ['strict', 'in', '28000 PAM authentication failed for user "postgres"'],
    ['plain', 'in', 'in'],
  ] as const)(
    '%s: a master with ADMIN OPTION alone on rds_iam is %s with its password, and with that on a user too: %s',
    async (roleRules, before, after) => {
      const it = await start({ major: 17, roleRules });
      expect(await login(asMaster(it))).toBe(before);
      await it.sql('CREATE ROLE alice LOGIN; GRANT alice TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
      expect(await login(asMaster(it))).toBe(before);
      await it.sql('GRANT rds_iam TO alice');
      expect(await login(asMaster(it))).toBe(after);
      await it.sql('REVOKE rds_iam FROM alice');
      expect(await login(asMaster(it))).toBe(before);
    },
  );

  test('keeps host, port and parameters over a restart, during which logins fail', async () => {
    const it = await start({ settings: { max_connections: '500' } });
    const { port } = it;
    let isUp = false;
    const restart = it.restart({ downMilliseconds: 1500 }).then(() => isUp = true);
    const answers: string[] = [];
    await until(async () => answers.push(await login(asMaster(it))) > 0 && isUp);
    await restart;
    expect(answers).toContainEqual(expect.stringMatching(/^57P03 the database system is/));
    expect(it.port).toBe(port);
    expect(await login(asMaster(it))).toBe('in');
    expect(await it.sql('SHOW max_connections')).toEqual([{ max_connections: '500' }]);
  });

  full.test.each([
    ['untrusted', /^unable to verify the first certificate$/],
    ['otherHost', /Hostname\/IP does not match certificate's altnames/],
    ['off', /^The server does not support SSL connections$/],
  ] as const)('TLS %s', async (tls, outcome) => {
    expect(await login(asMaster(await start({ tls })))).toMatch(outcome);
  });
});
