import { AuroraLikeServer } from '../rehearsal/aurora-like-server';
import { Stack, User } from '../test/lambda/stack';
import { Figure, Section } from './figures';
import { Traffic } from './traffic';

const DATABASES = ['shop', 'stock'];
const TABLES = 20;
const CONNECTIONS = 3;
/** After a membership was granted, the admin signs in once more. */
const CONNECTIONS_OF_FIRST = 4;
const FIRST = 11;
const UNCHANGED = 5;
const REMOVED = 14;

/** Round trips of the first edition. */
const BEFORE: { readonly [event: string]: number } = { first: 12, removed: 25 };

const READ_WRITE = { tables: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'], sequences: ['SELECT', 'USAGE'] };

/** As `Privileges.readWrite({ database, schemas: [schema], objectsCreatedBy })` has it in the template. */
function readWrite(databases: string[], schema: string, creator?: string): User {
  const declared = {
    Schema: ['USAGE'],
    Tables: { '*': READ_WRITE.tables },
    Sequences: { '*': READ_WRITE.sequences },
    ...creator ? { FutureObjects: { [creator]: { Tables: READ_WRITE.tables, Sequences: READ_WRITE.sequences } } } : {},
  };
  return {
    username: 'orders',
    privileges: Object.fromEntries(
      databases.map(database => [database, { Database: ['CONNECT'], Schemas: { [schema]: declared } }]),
    ),
  };
}

/** The same user, when it may no more than read one table. */
function narrowed(schema: string): User {
  return {
    username: 'orders',
    privileges: {
      shop: { Database: ['CONNECT'], Schemas: { [schema]: { Schema: ['USAGE'], Tables: { table_1: ['SELECT'] } } } },
    },
  };
}

/**
 * Connections and round trips of one user from its first deployment to its removal. One of the databases is postgres,
 * where the lock and the registry are. The objects are the master's, or those of a role that the master may act as.
 */
export async function measureRoundTrips(server: AuroraLikeServer): Promise<Section[]> {
  await prepare(server);
  const traffic = new Traffic(server.port);
  const sections: Section[] = [];
  for (const databases of [DATABASES.slice(0, 1), DATABASES]) {
    for (const [schema, creator] of [['app'], ['migrated', 'migrator']]) {
      const stack = new Stack(server);
      // What is asked for is about one database.
      const limited = (limit: number) => databases.length === 1 && creator === undefined ? limit : undefined;
      const wanted = readWrite(databases, schema, creator);
      const sent = async (name: string, work: () => Promise<unknown>, limit?: number) =>
        figures(name, await traffic.during(work), limit);
      sections.push({
        title: `readWrite in ${databases.join(' and ')}${creator ? ", on another role's objects and what it creates" : ''}`,
        figures: [
          ...await sent('first', () => stack.create('User', wanted), limited(FIRST)),
          ...await sent('unchanged', () => stack.update('User', wanted), limited(UNCHANGED)),
          ...await sent('narrowed to one table', () => stack.update('User', narrowed(schema))),
          ...await sent('removed', () => stack.delete('User', narrowed(schema)), limited(REMOVED)),
        ],
      });
    }
  }
  return sections;
}

function figures(event: string, connections: { database: string; roundTrips: number }[], limit?: number): Figure[] {
  const most = event === 'first' ? CONNECTIONS_OF_FIRST : CONNECTIONS;
  return [
    { name: `${event}: connections`, value: connections.length, limit: limit && most },
    {
      name: `${event}: round trips`,
      value: connections.reduce((sum, { roundTrips }) => sum + roundTrips, 0),
      limit,
      before: limit && BEFORE[event],
    },
  ];
}

async function prepare(server: AuroraLikeServer): Promise<void> {
  const master = server.master.username;
  await server.sql(`CREATE ROLE migrator; GRANT migrator TO ${master} WITH ADMIN OPTION`);
  for (const database of DATABASES) {
    for (const [schema, owner] of [['app', master], ['migrated', 'migrator']]) {
      const tables = Array.from(
        { length: TABLES },
        (_, n) => `CREATE TABLE ${schema}.table_${n} (id serial, total int);`,
      );
      await server.sql(
        `CREATE SCHEMA ${schema} AUTHORIZATION ${owner}; SET ROLE ${owner}; ${tables.join(' ')} RESET ROLE`,
        undefined,
        database,
      );
    }
  }
}
