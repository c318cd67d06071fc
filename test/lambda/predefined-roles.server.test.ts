import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { PREDEFINED_ROLES } from '../../lib/contract/predefined-roles';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf } from '../full';
import { setups, Stack, trust } from './stack';

/** What is tried as a member of each role. Each of these throws where it is not allowed, or gives no row. */
const TRIED: { readonly [ability: string]: string } = {
  'read a table of others': 'SELECT 1 FROM app.orders',
  'change a table of others': 'UPDATE app.orders SET total = 2 RETURNING 1',
  'lock a table of others': 'LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE; SELECT 1',
  'read the registry': 'SELECT 1 FROM cdk_aurora_iam_auth.managed_role',
  'change the registry': 'DELETE FROM cdk_aurora_iam_auth.managed_role RETURNING 1',
  'lock the registry': 'LOCK TABLE cdk_aurora_iam_auth.managed_role IN ACCESS EXCLUSIVE MODE; SELECT 1',
  'lock pg_authid': 'LOCK TABLE pg_catalog.pg_authid IN ACCESS EXCLUSIVE MODE; SELECT 1',
  'read passwords': 'SELECT 1 FROM pg_catalog.pg_authid',
  'read statements of the provisioner': "SELECT 1 FROM pg_stat_activity WHERE pid = <pid> AND query LIKE '%watched%'",
  'end the sessions of the provisioner': 'SELECT 1 WHERE pg_terminate_backend(<pid>)',
  'become the admin': 'SET LOCAL ROLE postgres; SELECT 1',
  'make itself the admin': 'GRANT postgres TO tried; SELECT 1',
  'create roles': 'CREATE ROLE another; SELECT 1',
};

type Ability = string | { readonly ability: string; readonly since: number };

/** What members of a role could do; of all others, nothing of what is tried. */
const COULD: { readonly [role: string]: Ability[] } = {
  pg_maintain: ['lock a table of others', 'lock the registry', 'lock pg_authid'],
  pg_monitor: ['read statements of the provisioner'],
  pg_read_all_data: ['read a table of others', 'read passwords'],
  pg_read_all_stats: ['read statements of the provisioner'],
  pg_signal_backend: ['end the sessions of the provisioner'],
  pg_write_all_data: ['change a table of others', 'lock a table of others', 'lock the registry'],
  rds_superuser: [
    ...[
      'read a table of others',
      'change a table of others',
      'lock a table of others',
      'lock the registry',
      'read passwords',
    ].map(ability => ({ ability, since: 15 })),
    { ability: 'lock pg_authid', since: 17 },
    'read statements of the provisioner',
    'end the sessions of the provisioner',
  ],
};

const GRANTABLE = PREDEFINED_ROLES.filter(({ membership }) => membership !== 'refused');

describe.each(setups('14'))('members of predefined roles on PostgreSQL $name', ({ major, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  const existing = GRANTABLE.filter(({ since = 14 }) => since <= major);

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, major, authorize: () => true });
    trust(server.caCertificate);
    await server.sql(
      'CREATE SCHEMA app AUTHORIZATION postgres; GRANT USAGE ON SCHEMA app TO PUBLIC; CREATE TABLE app.orders (total int); INSERT INTO app.orders VALUES (1)',
    );
    if (major >= 16) {
      await server.sql(`GRANT ${existing.map(({ name }) => name).join(', ')} TO postgres WITH ADMIN OPTION`);
    }
    stack = new Stack(server);
    await stack.create('First', { username: 'first', connect: ['postgres'] });
  });
  afterAll(() => server.stop());

  async function connected(user: string, password: string): Promise<Client> {
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
  }

  test.each(firstOf(3, existing.map(({ name }) => name)))('%s', async (role) => {
    await stack.create('Tried', { username: 'tried', connect: ['postgres'], memberOf: [role] });
    // A registry with that is not used; whoever has it by another way could do this as well.
    await server.sql('GRANT USAGE ON SCHEMA cdk_aurora_iam_auth TO PUBLIC');
    const could: string[] = [];
    const admin = await connected('postgres', server.master.password);
    const { rows: [{ pid }] } = await admin.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, 1 AS watched');
    const member = await connected('tried', server.token('application', 'tried'));
    for (const [ability, sql] of Object.entries(TRIED)) {
      await member.query('BEGIN');
      const results = await member.query(sql.replace('<pid>', String(pid))).then(result => [result].flat(), () => []);
      if (results.some(({ rows }) => rows.length > 0)) {
        could.push(ability);
      }
      await member.query('ROLLBACK');
    }
    await member.end();
    await admin.end().catch(() => undefined);
    await server.sql('REVOKE USAGE ON SCHEMA cdk_aurora_iam_auth FROM PUBLIC');
    const expected = (COULD[role] ?? []).flatMap(one =>
      typeof one === 'string' ? [one] : one.since <= major ? [one.ability] : [],
    );
    expect(could.sort()).toEqual([...expected].sort());
    await stack.delete('Tried', { username: 'tried', connect: ['postgres'], memberOf: [role] });
  });
});

test('docs/security.md has a row for each of them, and says what was tried', () => {
  const text = readFileSync(path.join(__dirname, '../../docs/security.md'), 'utf8');
  const rows = text.split('\n').filter(line => /^\| `(pg|rds)\w+`(, from \d+ on)? \|/.test(line));
  const inWords = (ability: Ability) =>
    typeof ability === 'string' ? ability : `${ability.ability} (from ${ability.since} on)`;
  expect(rows).toEqual(PREDEFINED_ROLES.map(({ name, since, membership, members }) => `| ${[
    `\`${name}\`${since === undefined ? '' : `, from ${since} on`}`,
    membership === 'acknowledged' ? 'must be acknowledged' : membership,
    members,
    membership === 'refused' ? 'not tried' : (COULD[name] ?? []).map(inWords).join(', ') || 'nothing of it',
  ].join(' | ')} |`));
  expect(text.replaceAll('\n', ' ')).toContain(Object.keys(TRIED).join(', '));
});
