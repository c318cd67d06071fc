import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { SETUPS } from '../../rehearsal/setups';
import { firstOf } from '../full';

const SCRIPT = join(__dirname, '../../examples/who-was-it.mjs');
const USERNAME = 'ada database=y';

/**
 * The fields that are read, as https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html has them.
 */
const assumed = (role: string, session: string, begin: Date, others: object = {}) => ({
  CloudTrailEvent: JSON.stringify({
    eventName: 'AssumeRole',
    eventTime: begin.toISOString(),
    userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::111122223333:user/${session}` },
    requestParameters: {
      roleArn: `arn:aws:iam::111122223333:role/${role}`,
      roleSessionName: session,
      durationSeconds: 43_200,
    },
    ...others,
  }),
});

/** Before the tests. */
const begin = new Date(Date.now() - 60_000);

const access = (name: string) => ({
  servers: [{ users: [{ name, signIns: [{ principal: { kind: 'role', name: 'database-ada' } }] }], otherSignIns: [] }],
});

describe.each(firstOf(1, [...SETUPS].reverse()))('examples/who-was-it.mjs on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let folder: string;
  let log = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'who-was-it-'));
    const settings = { log_connections: 'on', log_line_prefix: '%t:%r:%u@%d:[%p]:', log_timezone: 'UTC' };
    server = await AuroraLikeServer.start({ ...setup, databases: ['shop'], authorize: () => true, settings });
    // What the server writes itself.
    server['postgresql']['process']!.stderr!.on('data', (text: string) => log += text);
    await server.sql(
      'CREATE ROLE ada LOGIN; GRANT rds_iam TO ada; CREATE ROLE "ada database=y" LOGIN; GRANT rds_iam TO "ada database=y"',
    );
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  async function signIn(username: string): Promise<void> {
    const client = new Client({
      host: server.host,
      port: server.port,
      user: username,
      password: server.token('application', username),
      database: 'shop',
      application_name: 'psql',
      ssl: { ca: server.caCertificate },
    });
    await client.connect();
    await client.end();
  }

  /** It comes from another process. */
  async function logWith(username: string): Promise<string> {
    for (let look = 0; look < 600 && !log.includes(`connection authorized: user=${username} database=shop`); look++) {
      await setTimeout(100);
    }
    return log;
  }

  function whoWasIt(written: string, events: object[], username: string): string[] {
    const files = Object.entries({
      log: written,
      events: JSON.stringify({ Events: events }),
      access: JSON.stringify(access(username)),
    }).map(([name, text]) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    });
    return execFileSync(process.execPath, [SCRIPT, ...files], { encoding: 'utf8' })
      .split('\n\n')
      .filter(part => part.includes(' to shop from '));
  }

  test('finds the sessions of roles that a sign-in with a token may have come from', async () => {
    await signIn('ada');
    const written = await logWith('ada');
    const events = [
      assumed('database-ada', 'ada', begin, { requestParameters: { roleArn:
            'arn:aws:iam::111122223333:role/database-ada',
      roleSessionName: 'laptop', sourceIdentity: 'ada' } }),
      assumed('database-ada', 'earlier', new Date(begin.getTime() - 86_400_000)),
      assumed('database-ada', 'later', new Date(begin.getTime() + 86_400_000)),
      assumed('database-grace', 'grace', begin),
      assumed('database-ada', 'refused', begin, { errorCode: 'AccessDenied' }),
    ];
    const [found] = whoWasIt(written, events, 'ada').filter(part => part.includes(' ada to shop '));
    expect(
      found
        .trim()
        .split('\n')
        .map(line => line.replace(/^\S+Z/, 'TIME').replace(/from .*/, 'from HOST')),
    ).toEqual([
      'TIME ada to shop from HOST',
      '  perhaps laptop of role database-ada, source identity ada, begun by arn:aws:iam::111122223333:user/ada',
    ]);
    // PostgreSQL itself names no identity of IAM.
    expect(written).not.toMatch(/application(?!_name)|arn:aws/);
    expect(whoWasIt(written, [], 'ada').find(part => part.includes(' ada to shop '))).toContain(
      'no session of database-ada in the events',
    );
  });

  test('takes no user for another one whose name looks like the rest of the line', async () => {
    await signIn(USERNAME);
    const written = await logWith(USERNAME);
    expect(written).toContain(`connection authorized: user=${USERNAME} database=shop`);
    expect(
      whoWasIt(written, [assumed('database-ada', 'ada', begin)], 'ada').filter(part => part.includes(USERNAME)),
    ).toEqual([expect.stringContaining('no session of a role of the app')]);
  });
});
