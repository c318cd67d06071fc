import { setTimeout } from 'node:timers/promises';
import { Transport } from '../../lambda/provisioner/transport/session';
import { DROP_LOCK_WITHOUT_REGISTRY } from '../../lambda/provisioner/sql/lock-schema';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { FULL, full } from '../full';
import { AdminWatch } from './admin-watch';
import { snapshot } from './catalog';
import { skippingClock } from './clocks';
import { Expected } from './expected';
import { Fault, Faults } from './faults';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, Stack, StackOptions, throughConnections, trust, User } from './stack';
import { heldBy, MIGRATOR, READERS, startWorld, World } from './world';

const SCHEMA = { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } };
const FUTURE = { FutureObjects: { [MIGRATOR]: { Tables: ['SELECT'] } } };

/**
 * Everything there are phases for: what all databases share, two databases, a creator whose rights the admin lacks, a
 * group, a rename.
 */
const USER: User = {
  username: 'orders',
  memberOf: [READERS],
  privileges: {
    shop: { Database: ['CONNECT'], Schemas: { app: { ...SCHEMA, ...FUTURE } } },
    stock: { Database: ['CONNECT'], Schemas: { app: SCHEMA } },
  },
};
const CHANGED: User = {
  username: 'sales',
  privileges: {
    shop: { Database: ['CONNECT'], Schemas: { app: SCHEMA } },
    stock: { Schemas: { app: { Schema: ['USAGE'], Tables: { orders: ['INSERT'] }, ...FUTURE } } },
  },
};

type Event = 'create' | 'update' | 'delete';
const EVENTS: readonly Event[] = ['create', 'update', 'delete'];

const CASES = setupsOver({ 'connections': ['17, plain'], 'the Data API': [] });

describe.each(CASES)('a connection that breaks on PostgreSQL $name, over $transport', ({ transport, ...setup }) => {
  let server: AuroraLikeServer;
  let watch: AdminWatch;
  let faults: Faults;
  let empty: unknown;
  /** What each event asks of the server if nothing happens, and what is there after it. */
  let asked: Record<Event, string[]>;
  let done: Record<Event, string[]>;

  beforeAll(async () => {
    const { server: started, world } = await startWorld(setup);
    server = started;
    trust(server.caCertificate);
    watch = new AdminWatch(server);
    faults = Faults.install(transport);
    empty = await found();
    done = { create: linesOf(USER, world), update: linesOf(CHANGED, world), delete: [] };
    // A session that is being started at that moment, whoever it is, makes the handler ask once more: so the shortest
    // counts.
    const rounds: (typeof asked)[] = [];
    for (let round = 0; round < (FULL ? 3 : 2); round++) {
      rounds.push({ create: await record('create'), update: await record('update'), delete: await record('delete') });
    }
    const shortest = (event: Event) => rounds.map(round => round[event]).sort((a, b) => a.length - b.length)[0];
    asked = { create: shortest('create'), update: shortest('update'), delete: shortest('delete') };
    if (FULL) {
      process.stdout.write(
        `${setup.name}: ${EVENTS.map(event => `${asked[event].length} messages of the ${event}, ${commits(event).length} of them commits`).join('; ')}\n`,
      );
    }
  });
  afterEach(async () => {
    expect(await found()).toEqual(empty);
  });
  afterAll(async () => {
    Faults.uninstall();
    await watch.stop();
    await server.stop();
    expect(watch.refused).toEqual([]);
    expect(watch.signIns).toBeGreaterThan(0);
  });

  full.test('at any message of an event: the handler tries again, and all is as declared', async () => {
    // Before a message is as after the one before it, except to a handler that is about to commit. The second try may
    // have less to do.
    const twice = (event: Event, at: number) => FULL || (transport === 'connections' && commits(event).includes(at));
    const missed: string[] = [];
    await eachOf(everything, async (event, at) => {
      const before = faults.happened;
      await faults.during(
        [...(twice(event, at) ? [{ at, breaks: 'before' } as const] : []), { at, breaks: 'after' }],
        () => send(event),
      );
      missed.push(...faults.happened > before ? [] : [`${event} ${at}`]);
    });
    expect(missed).toEqual([]);
  });

  test('until the handler gives up, or dies: no role gets access by what is left, and the next event makes it right', async () => {
    await eachOf(event => commits(event).filter((_, n) => FULL || n % 4 === 0), async (event, at) => {
      const before = await found();
      const hadAccess = await access();
      if (event !== 'delete') {
        await failing(event, [{ at, breaks: 'after' }]);
        expect(await found()).toEqual(before);
      }
      await dying(event, at);
      const complete = JSON.stringify(await held()) === JSON.stringify(done[event]);
      expect(await access()).toEqual({
        create: complete ? ['orders'] : [],
        update: ['sales'],
        // Tokens are refused, then the login ends. Through the Data API, what is looked at before is a transaction as
        // well.
        delete: commits(event).indexOf(at) < (transport === 'the Data API' ? 2 : 1) ? hadAccess : [],
      }[event]);
      await send(event);
    });
  });

  full.test('and breaks again while the handler takes back what it had committed', async () => {
    const [at] = commits('create').slice(-1);
    const undoing = await failing('create', [{ at, breaks: 'after' }]);
    for (const [n, message] of undoing.entries()) {
      if (FULL || message.endsWith('COMMIT')) {
        await failing('create', [{ at, breaks: 'after' }, { at: n, breaks: 'after' }]);
        expect({ n, message, left: await held() }).toEqual({ n, message, left: [] });
      }
    }
  });

  full.test('because the server restarts: the handler waits for it, and all is as declared', async () => {
    await eachOf(event => [1, 2, 3].map(third => Math.ceil(asked[event].length * third / 3) - 1), async (event, at) => {
      let restarted: Promise<void> | undefined;
      const restart = () => {
        restarted = server.restart();
      };
      await faults.during([{ at, effect: restart }], () => send(event, {}));
      await restarted;
    });
  });

  /** Create, update and delete, again and again, with something happening at the next of the places in each of them. */
  async function eachOf(
    places: (event: Event) => number[],
    work: (event: Event, at: number) => Promise<unknown>,
  ): Promise<void> {
    const longest = Math.max(...EVENTS.map(event => places(event).length));
    for (let n = 0; n < longest; n++) {
      for (const event of EVENTS) {
        const at = places(event).at(n);
        await (at === undefined ? send(event) : work(event, at));
        expect({ event, at: at && asked[event][at], held: await held() }).toEqual({
          event,
          at: at && asked[event][at],
          held: done[event],
        });
      }
    }
  }

  /**
   * All commits, and some of the other messages. Over the Data API each statement is a call, so there are more of them.
   */
  function everything(event: Event): number[] {
    const each = FULL ? 1 : transport === 'connections' ? 24 : 60;
    return [...asked[event].keys()].filter(at => at % each === 0 || isCommit(event, at));
  }

  function isCommit(event: Event, at: number): boolean {
    // Not that with which the lock goes: what is lost there keeps nothing from being done.
    return (
      asked[event][at].endsWith('COMMIT')
      && ![asked[event][at], asked[event][at - 1] ?? ''].some(message => /END'(; COMMIT)?$/.test(message))
    );
  }

  /** Where the server is not as before any more. The rest of a transaction is as if it had not been. */
  function commits(event: Event): number[] {
    return everything(event).filter(at => isCommit(event, at));
  }

  /**
   * An empty schema that is the lock stays where the message is lost that would have dropped it. The next event is to
   * ask as often as the first one.
   */
  async function withoutLock(event: Event): Promise<void> {
    if (event === 'create') {
      await server.sql(DROP_LOCK_WITHOUT_REGISTRY);
    }
  }

  async function send(event: Event, options: StackOptions = { clock: skippingClock() }): Promise<unknown> {
    await withoutLock(event);
    return stackOf(options)[event]('A', event === 'create' ? USER : CHANGED);
  }

  function stackOf(options: StackOptions): Stack {
    return new Stack(server, {
      ...(transport === 'the Data API' ? { transport: throughDataApi(server) } : {}),
      ...options,
    });
  }

  function record(event: Event): Promise<string[]> {
    return faults.during([], () => send(event));
  }

  /** The first fault lasts until the handler gives up. @returns what is asked afterwards */
  async function failing(event: Event, [first, ...others]: Fault[]): Promise<string[]> {
    await withoutLock(event);
    const stack = stackOf({ clock: skippingClock() });
    const lasts = () => !stack.log.some(({ notice }) => notice === 'undoing');
    return faults.during([{ ...first, lasts, effect: () => void endIdle() }, ...others], () =>
      failure(stack[event]('A', event === 'create' ? USER : CHANGED)),
    );
  }

  /** It does nothing any more from there on. */
  async function dying(event: Event, at: number): Promise<void> {
    let dead = false;
    const alive = transport === 'the Data API' ? throughDataApi(server) : throughConnections(server);
    const mortal: Transport = (...args) => dead ? Promise.reject(new Error('dead')) : alive(...args);
    await faults.during([{ at, breaks: 'after', effect: () => (dead = true), lasts: () => dead }], () =>
      failure(send(event, { transport: mortal, clock: skippingClock() })),
    );
    await endIdle();
  }

  /**
   * Nobody waits here for the 30 seconds after which the server ends a transaction that is idle. A connection that
   * breaks ends its own.
   */
  async function endIdle(): Promise<void> {
    if (transport === 'the Data API') {
      await setTimeout(300);
      await server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '100 milliseconds'",
      );
    }
  }

  /** An empty schema that is the lock stays where the message is lost that would have dropped it. */
  async function found(): Promise<unknown> {
    await server.sql(DROP_LOCK_WITHOUT_REGISTRY);
    return snapshot(server);
  }

  function held(): Promise<string[]> {
    return heldBy(server, [USER.username, CHANGED.username]);
  }

  /** Who of the two could sign in; or somebody else as a member of them. */
  async function access(): Promise<string[]> {
    const rows = await server.sql<{ name: string }>(
      `
      SELECT rolname::text AS name FROM pg_roles r WHERE rolname = ANY ($1)
      AND (rolcanlogin OR pg_has_role(oid, 'rds_iam', 'MEMBER')
           OR EXISTS (SELECT FROM pg_roles other WHERE other.oid <> r.oid AND NOT rolsuper AND pg_has_role(other.oid, r.oid, 'USAGE')))`,
      [[USER.username, CHANGED.username]],
    );
    return rows.map(({ name }) => name);
  }
});

function linesOf(user: User, world: World): string[] {
  const expected = new Expected(world);
  expected.apply(user.username, user);
  return expected.lines();
}
