import { AuroraLikeServer } from '../rehearsal/aurora-like-server';
import { Setup } from '../rehearsal/setups';
import { Stack, trust, User } from '../test/lambda/stack';
import { Section } from './figures';

const USERS = 100;
const AT_ONCE = 50;

/** Of the time that the same users take one after another. */
const RATIO = 1.2;

/** A tenth of what it was before those who wait left the others their connections. */
const REFUSED = 65;

/** For a small instance. */
const FEW_CONNECTIONS = 25;

const TABLES = { '*': ['DELETE', 'INSERT', 'SELECT', 'UPDATE'] };

/** The figures of the first edition: seconds, and refused connections where they were counted. */
const BEFORE = { one: 8.8, many: 25.1, manyWithFew: 40.3, refusedWithFew: 652 };

/** Users of one stack, each a resource: one after another, and as many at once as CloudFormation works on. */
export async function measureSideBySide(setup: Setup): Promise<Section[]> {
  const sections: Section[] = [];
  for (const connections of [undefined, FEW_CONNECTIONS]) {
    const server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop'],
      settings: connections === undefined ? {} : { max_connections: String(connections) },
    });
    trust(server.caCertificate);
    try {
      await server.sql(`CREATE SCHEMA app AUTHORIZATION ${server.master.username}`, undefined, 'shop');
      const one = await seconds(server, 1);
      const many = await seconds(server, AT_ONCE);
      const [manyBefore, refusedBefore]
        = connections === undefined ? [BEFORE.many, undefined] : [BEFORE.manyWithFew, BEFORE.refusedWithFew];
      sections.push({
        title: `${USERS} users${connections === undefined ? '' : ` at ${connections} connections`}`,
        figures: [
          { name: 'one after another', value: one.seconds, unit: 's', digits: 1, before: BEFORE.one },
          { name: `${AT_ONCE} at a time`, value: many.seconds, unit: 's', digits: 1, before: manyBefore },
          {
            name: `${AT_ONCE} at a time, in times of one after another`,
            value: many.seconds / one.seconds,
            digits: 2,
            limit: RATIO,
            before: Number((manyBefore / BEFORE.one).toFixed(2)),
          },
          {
            name: `${AT_ONCE} at a time: refused connections`,
            value: many.refused,
            limit: REFUSED,
            before: refusedBefore,
          },
        ],
      });
    } finally {
      await server.stop();
    }
  }
  return sections;
}

async function seconds(server: AuroraLikeServer, atOnce: number): Promise<{ seconds: number; refused: number }> {
  const stack = new Stack(server);
  const names = Array.from({ length: USERS }, (_, n) => `user${n}`);
  const start = performance.now();
  await inTurns(names, atOnce, name => stack.create(name, userOf(name)));
  const elapsed = (performance.now() - start) / 1000;
  const refused = stack.log.filter(({ reason }) => String(reason).includes('53300')).length;
  await inTurns(names, 1, name => stack.delete(name, userOf(name)));
  return { seconds: elapsed, refused };
}

function userOf(username: string): User {
  return {
    username,
    privileges: { shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: TABLES } } } },
  };
}

async function inTurns(names: string[], atOnce: number, work: (name: string) => Promise<unknown>): Promise<void> {
  const left = [...names];
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      await work(name);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
