import { Client, escapeIdentifier } from 'pg';
import { AuroraLikeServer } from '../rehearsal/aurora-like-server';
import { Stack, Users } from '../test/lambda/stack';
import { Section } from './figures';

const USERS = 500;
const RUNS = 5;
/**
 * For an admin as on RDS. A superuser, as the RDS-like set-up has for one, is spared the membership checks that are
 * most of the bare SQL, which then takes a thirtieth: what is left of ours is connections, and reading the catalog.
 */
const RATIO = 1.5;
const GROUP = 'bench_readers';

/**
 * `addUsers` of many users that are members of one role, next to the bare SQL for it in one transaction. Both sign in
 * first, and take turns, so that a busy moment hits both; each time with other names. The bare SQL is sent at once, as
 * the fastest client would, and its time is also taken without the connection.
 */
export async function measureManyUsers(server: AuroraLikeServer): Promise<Section> {
  await server.sql(`CREATE ROLE ${GROUP}; GRANT ${GROUP} TO ${server.master.username} WITH ADMIN OPTION`);
  const stack = new Stack(server);
  const times = {
    bare: [] as number[],
    connected: [] as number[],
    first: [] as number[],
    unchanged: [] as number[],
    removed: [] as number[],
  };
  for (let run = 0; run < RUNS; run++) {
    const sql = bareSql(names(`bare_${run}`));
    const client = new Client({
      host: server.host,
      port: server.port,
      user: server.master.username,
      password: server.master.password,
      database: 'postgres',
      ssl: { rejectUnauthorized: true },
    });
    times.bare.push(await milliseconds(async () => {
      await client.connect();
      times.connected.push(await milliseconds(() => client.query(sql)));
      await client.end();
    }));
    await server.sql(names(`bare_${run}`).map(name => `DROP ROLE ${escapeIdentifier(name)}`).join(';'));

    const users: Users = { usernames: names(`list_${run}`), connect: [], memberOf: [GROUP] };
    let physicalId = '';
    times.first.push(await milliseconds(async () => {
      physicalId = (await stack.create('Users', users)).PhysicalResourceId;
    }));
    times.unchanged.push(await milliseconds(() => stack.update('Users', users, physicalId)));
    times.removed.push(await milliseconds(() => stack.delete('Users', users, physicalId)));
  }
  const [bare, connected, first, unchanged, removed] = [
    times.bare,
    times.connected,
    times.first,
    times.unchanged,
    times.removed,
  ].map(median);
  return {
    title: `addUsers of ${USERS} users in one role, medians of ${RUNS}`,
    figures: [
      { name: 'bare SQL, sign-in included', value: bare, unit: 'ms' },
      { name: 'bare SQL alone', value: connected, unit: 'ms' },
      { name: 'first', value: first, unit: 'ms' },
      {
        name: 'first, in times of the bare SQL, sign-in included in both',
        value: first / bare,
        digits: 2,
        limit: server.roleRules === 'rdsLike' ? undefined : RATIO,
      },
      { name: 'first, in times of the bare SQL alone', value: first / connected, digits: 2 },
      { name: 'unchanged', value: unchanged, unit: 'ms' },
      { name: 'removed', value: removed, unit: 'ms' },
    ],
  };
}

function names(prefix: string): string[] {
  return Array.from({ length: USERS }, (_, n) => `${prefix}_${n}`);
}

function bareSql(usernames: string[]): string {
  const statements = usernames.map(escapeIdentifier).flatMap(user => [
    `CREATE USER ${user} NOLOGIN`, `GRANT ${GROUP} TO ${user}`, `GRANT rds_iam TO ${user}`, `ALTER USER ${user} LOGIN`,
  ]);
  return ['BEGIN', ...statements, 'COMMIT'].join(';\n');
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
