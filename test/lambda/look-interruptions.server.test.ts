import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { FULL, firstOf } from '../full';
import { snapshot } from './catalog';
import { skippingClock, until } from './clocks';
import { Faults } from './faults';
import { throughDataApi } from './over-data-api';
import { Declared, failure, PlannedEvent, setupsOver, Stack, trust } from './stack';
import { MIGRATOR, READERS, startWorld } from './world';

const TABLES = { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } };

/** What is deployed before. */
const DEPLOYED: { [logicalId: string]: Declared } = {
  A: {
    username: 'orders',
    memberOf: [READERS],
    privileges: {
      shop: {
        Database: ['CONNECT'],
        Schemas: { app: { ...TABLES, FutureObjects: { [MIGRATOR]: { Tables: ['SELECT'] } } } },
      },
    },
  },
  B: { username: 'leaver', privileges: { stock: { Database: ['CONNECT'], Schemas: { app: TABLES } } } },
  G: { roleName: 'team', memberOf: [READERS] },
};

/** A change with a new name, a creation of which everything is asked, and a removal. */
const NEXT: PlannedEvent[] = [
  { logicalId: 'A',
    declared: { username: 'sales',
      privileges: { shop: { Schemas: { app: TABLES } }, stock: { Schemas: { app: { Schema: ['USAGE'] } } } } },
    before: DEPLOYED.A },
  { logicalId: 'C', declared: { username: 'new', memberOf: ['team'], exclusive: true } },
  { logicalId: 'B', declared: DEPLOYED.B, action: 'Delete' },
];

/** The three ways to look. */
const LOOKS: { readonly [name: string]: (stack: Stack) => Promise<unknown> } = {
  'plan': stack => stack.plan(...NEXT),
  'drift': stack => stack.drift({ undeclared: true }),
  'why a role cannot sign in': stack => stack.signIn('orders'),
};

/** Connections of others come and go. */
const comparable = (answer: unknown) => JSON.stringify(answer).replaceAll(/"used":\d+/g, '"used":0');

/** Of a session of the function: what it would hold that others wait for, or that writes. */
const HELD = `
  SELECT a.pid, l.locktype, l.mode FROM pg_stat_activity a JOIN pg_locks l USING (pid)
  WHERE a.application_name LIKE 'cdk-aurora-iam-auth%' AND NOT (l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock') AND l.mode <> 'AccessShareLock'`;

/**
 * Whatever message is cut off, before it is sent or while its answer is on its way, once or for good: looking has
 * changed nothing, nothing is held that others wait for, and the next deployment does what it should.
 */
describe.each(setupsOver({ 'connections': ['17, plain'], 'the Data API': [] }))(
  'looking at PostgreSQL $name over $transport, and a connection that breaks',
  ({ transport, ...setup }) => {
    let server: AuroraLikeServer;
    let faults: Faults;
    let before: unknown;
    let written: string;
    const stackOf = () =>
      new Stack(server, {
        clock: skippingClock(),
        ...(transport === 'the Data API' ? { transport: throughDataApi(server) } : {}),
      });

    beforeAll(async () => {
      ({ server } = await startWorld(setup));
      trust(server.caCertificate);
      const stack = stackOf();
      for (const [logicalId, declared] of Object.entries(DEPLOYED)) {
        await stack.create(logicalId, declared);
      }
      await server.sql('REVOKE rds_iam FROM orders; ALTER ROLE team LOGIN'); // so that drift has something to say
      faults = Faults.install(transport);
      before = await snapshot(server);
      written = await nextTransaction();
    });
    afterEach(async () => {
      await expect(snapshot(server)).resolves.toEqual(before);
    });
    afterAll(async () => {
      Faults.uninstall();
      await server.stop();
    });

    /** A transaction that writes gets the next number. */
    async function nextTransaction(): Promise<string> {
      const [{ next }] = await server.sql<{ next: string }>(
        'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next',
      );
      return next;
    }

    async function nothingChanged(): Promise<void> {
      expect({ next: await nextTransaction(), held: await server.sql(HELD) }).toEqual({ next: written, held: [] });
    }

    /** Over connections a session ends with its connection; the Data API keeps its own. */
    async function noSessionLeft(): Promise<void> {
      if (transport === 'connections') {
        await until(
          async () =>
            (await server.sql("SELECT FROM pg_stat_activity WHERE application_name = 'cdk-aurora-iam-auth'")).length
            === 0,
        );
      }
    }

    /** Where a connection breaks, and how. In npm test at some places, from the last one on. */
    function breaksOf(messages: number): { readonly at: number; readonly breaks: 'before' | 'after' }[] {
      const all = [...Array(messages).keys()].flatMap(at =>
        (['before', 'after'] as const).map(breaks => ({ at, breaks })),
      );
      return FULL ? all : all.reverse().filter((_, n) => n % Math.ceil(all.length / 2) === 0);
    }

    test.each(firstOf(1, Object.entries(LOOKS)))('%s', async (_, look) => {
      let expected = '';
      const asked = await faults.during([], async () => {
        expected = comparable(await look(stackOf()));
      });
      expect(asked.length).toBeGreaterThan(1);
      for (const { at, breaks } of breaksOf(asked.length)) {
        const happened = faults.happened;
        // Once: the function asks again, and answers the same.
        let answer = '';
        await faults.during([{ at, breaks }], async () => {
          answer = comparable(await look(stackOf()));
        });
        expect({ at, breaks, happened: faults.happened, answer }).toEqual({
          at,
          breaks,
          happened: happened + 1,
          answer: expected,
        });
        await nothingChanged();
        // For good: it gives up, or has its answer already.
        let gone = false;
        await faults.during([{ at, breaks, effect: () => (gone = true), lasts: () => gone }], () =>
          look(stackOf()).then(
            () => undefined,
            (error: Error) => expect(error.message).toMatch(/ECONNRESET|terminated|closed|connection/i),
          ),
        );
        await nothingChanged();
        await noSessionLeft();
      }
    });

    test('the next deployment does what it should', async () => {
      const stack = stackOf();
      const planned = await stack.plan(...NEXT);
      stack.takeExecuted();
      await stack.update('A', NEXT[0].declared);
      await stack.create('C', NEXT[1].declared);
      await stack.delete('B', DEPLOYED.B);
      const sql = planned.resources.flatMap(({ changes }) =>
        changes.flatMap(change => change.sql.map(one => ({ database: change.database, sql: one }))),
      );
      expect(stack.takeExecuted()).toEqual(sql);
      expect(
        await failure(
          stack
            .plan({ logicalId: 'A', declared: { username: 'x', exclusive: true, memberOf: ['nobody'] } })
            .then(({ resources: [{ problem }] }) => Promise.reject(new Error(problem))),
        ),
      ).toContain('"nobody"');
      [before, written] = [await snapshot(server), await nextTransaction()];
    });
  },
);
