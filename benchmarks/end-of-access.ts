import { Client } from 'pg';
import { LOCK_SCHEMA } from '../lambda/provisioner/sql/lock-schema';
import { AuroraLikeServer } from '../rehearsal/aurora-like-server';
import { Setup } from '../rehearsal/setups';
import { signInWithToken, Stack, trust } from '../test/lambda/stack';
import { Figure, Section } from './figures';

const STRANGERS = 50;
const RUNS = 3;
const LIMIT_MS = 2_000;

/** Takes a core for some seconds, and does not look at signals meanwhile. */
const UNINTERRUPTIBLE = "SELECT repeat('a', 1000000) LIKE '%' || repeat('a', 4000) || 'b%'";

/**
 * From the Delete event to the first token that is refused, of a user that does what it can against it: it holds every
 * lock that it may take, runs a statement that cannot be interrupted in a transaction that has changed its own role,
 * has a prepared transaction and a member that makes itself one again, while 50 sessions ask for the provisioners' lock
 * all the time.
 */
export async function measureEndOfAccess(setup: Setup): Promise<Section> {
  const server = await AuroraLikeServer.start({
    ...setup,
    databases: ['shop'],
    authorize: () => true,
    settings: { max_prepared_transactions: '10', max_connections: '200' },
  });
  trust(server.caCertificate);
  try {
    await server.sql(
      "CREATE ROLE stranger LOGIN PASSWORD 's'; CREATE ROLE friend LOGIN; GRANT rds_iam TO friend; CREATE SCHEMA lab; GRANT ALL ON SCHEMA lab TO PUBLIC",
    );
    const figures: Figure[] = [];
    for (let run = 1; run <= RUNS; run++) {
      figures.push({
        name: `token refused, run ${run}`,
        value: await resisted(server, `leaver${run}`),
        unit: 'ms',
        limit: LIMIT_MS,
      });
    }
    return { title: 'removal of a user that resists', figures };
  } finally {
    await server.stop();
  }
}

async function resisted(server: AuroraLikeServer, username: string): Promise<number> {
  const stack = new Stack(server);
  await stack.create('Leaver', { username });
  await server.sql(`GRANT ${username} TO friend`);
  const clients: Client[] = [];
  let over = false;
  const connect = async (user: string, password: string) => {
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
    clients.push(client);
    return client;
  };
  const leaver = () => connect(username, server.token('application', username));
  const again = async (client: Client, sql: string) => {
    while (!over) {
      await client.query(sql).catch(() => new Promise(resolve => setTimeout(resolve, 1)));
    }
  };

  const [locks, prepared, busy] = [await leaver(), await leaver(), await leaver()];
  await locks.query(
    `SELECT pg_advisory_lock(n) FROM generate_series(1, 100) n; CREATE TABLE lab.${username} (); BEGIN; LOCK TABLE lab.${username}; `
    + 'LOCK TABLE pg_catalog.pg_auth_members, pg_catalog.pg_namespace, pg_catalog.pg_description IN ACCESS SHARE MODE',
  );
  await prepared.query(
    `BEGIN; CREATE TABLE lab.${username}_p (); GRANT SELECT ON lab.${username}_p TO friend, ${username}`,
  );
  await prepared.query(`PREPARE TRANSACTION '${username}'`);
  await busy.query(`BEGIN; ALTER ROLE ${username} PASSWORD 'its own'`);
  const running = busy.query(UNINTERRUPTIBLE).catch(() => undefined);
  const member = await connect('friend', server.token('application', 'friend'));
  await member.query(`SET ROLE ${username}`);
  const strangers = await Promise.all(Array.from({ length: STRANGERS }, () => connect('stranger', 's')));
  const asking = [
    again(member, `GRANT ${username} TO friend`),
    ...strangers.map((stranger, n) =>
      again(stranger, n % 2 === 0 ? `COMMENT ON SCHEMA ${LOCK_SCHEMA} IS 'mine'` : `DROP SCHEMA ${LOCK_SCHEMA}`),
    ),
  ];

  const begin = performance.now();
  // It may fail, and says why: the login is held until the statement has ended.
  const removed = stack.delete('Leaver', { username }).catch(() => undefined);
  while (await signInWithToken(server, username, 'postgres').then(() => true, () => false)) { /* once more */ }
  const milliseconds = performance.now() - begin;

  over = true;
  await Promise.all([removed, running, ...asking]);
  await Promise.all(clients.map(client => client.end().catch(() => undefined)));
  await server.sql(`ROLLBACK PREPARED '${username}'`);
  await stack.delete('Leaver', { username });
  return milliseconds;
}
