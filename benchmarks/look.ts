import { AuroraLikeServer } from '../rehearsal/aurora-like-server';
import { Setup } from '../rehearsal/setups';
import { PlannedEvent, Stack, trust, User } from '../test/lambda/stack';
import { Figure, Section } from './figures';
import { Traffic } from './traffic';

const USERS = 500;
/** To deploy them takes longer than to look at them. */
const DEPLOYED = 100;
const TABLES = 20;
const DATABASES = ['shop', 'stock'];

/** One to the database with the registry, and one to each that privileges are in. */
const CONNECTIONS = DATABASES.length + 1;

/** The function has 512. */
const MEGABYTES = 256;

/**
 * A plan of many resources that are new, and drift of those that are deployed then: each database is visited once. The
 * memory is that of this process; the server has its own.
 */
export async function measureLook(setup: Setup): Promise<Section> {
  const server = await AuroraLikeServer.start({ ...setup, databases: DATABASES });
  trust(server.caCertificate);
  try {
    for (const database of DATABASES) {
      const tables = Array.from({ length: TABLES }, (_, n) => `CREATE TABLE app.table_${n} (total int);`);
      await server.sql(
        `CREATE SCHEMA app AUTHORIZATION postgres; SET ROLE postgres; ${tables.join(' ')} RESET ROLE`,
        undefined,
        database,
      );
    }
    const stack = new Stack(server);
    const traffic = new Traffic(server.port);
    const events = Array.from({ length: USERS }, (_, n): PlannedEvent => ({
      logicalId: `User${n}`,
      declared: userOf(n),
    }));
    const plan = await look(`plan of ${USERS}`, traffic, () => stack.plan(...events));
    for (const { logicalId, declared } of events.slice(0, DEPLOYED)) {
      await stack.create(logicalId, declared);
    }
    return {
      title: `plan and drift of users in single resources, with privileges on ${TABLES} tables in ${DATABASES.join(' and ')}`,
      figures: [...plan, ...await look(`drift of ${DEPLOYED}`, traffic, () => stack.drift())],
    };
  } finally {
    await server.stop();
  }
}

async function look(name: string, traffic: Traffic, work: () => Promise<unknown>): Promise<Figure[]> {
  const before = process.memoryUsage().heapUsed;
  let peak = before;
  const timer = setInterval(() => peak = Math.max(peak, process.memoryUsage().heapUsed), 20);
  const start = performance.now();
  const connections = await traffic.during(work);
  const milliseconds = performance.now() - start;
  clearInterval(timer);
  return [
    { name: `${name}: connections`, value: connections.length, limit: CONNECTIONS },
    { name: `${name}: round trips`, value: connections.reduce((sum, { roundTrips }) => sum + roundTrips, 0) },
    { name: `${name}: time`, value: milliseconds, unit: 'ms' },
    { name: `${name}: memory at its peak`, value: (peak - before) / 1_000_000, unit: 'MB', limit: MEGABYTES },
  ];
}

function userOf(n: number): User {
  const schemas = { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } };
  return {
    username: `user_${n}`,
    privileges: Object.fromEntries(DATABASES.map(database => [database, { Database: ['CONNECT'], Schemas: schemas }])),
  };
}
