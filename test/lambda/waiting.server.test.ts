import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { LOCK_SCHEMA } from '../../lambda/provisioner/sql/lock-schema';
import { Clock } from '../../lambda/shared/clock';
import { AuroraLikeServer, AuroraLikeServerOptions } from '../../rehearsal/aurora-like-server';
import { CertificateAuthority } from '../../rehearsal/gateway/certificate-authority';
import { full } from '../full';
import { fastClock, until, untilWaiting } from './clocks';
import { fullListener, Listener, listener, slowNetwork } from './network';
import { takeLock } from './provisioners-lock';
import { failure, signInWithToken, snapshot, Stack, StackOptions, trust, users } from './stack';

/** What is waited for does not depend on the major. */
const MAJOR = 17;

/**
 * A lock of others is looked at after 5 seconds, and then every 15, by the time of PostgreSQL. When time passes five times as fast, the second look is
 * after 100 seconds, and one that has the lock counts as dead after 50.
 */
const FIVE_TIMES = 5;

/** How long those who are before it in the queue have the lock, one after the other: all of them until after the second look. */
const TURNS = { count: 5, seconds: 4.4 };

/** How often one that has the lock is heard of, until after the second look. */
const SLOW = { times: 10, seconds: 2.2 };

/** Longer than one try to connect lasts, which is 8 seconds. */
const RESUME_MS = 10_000;

/** Half a second before the end of the 50 for which a handler waits. */
function lateClock(): Clock {
  let start: number | undefined;
  return {
    now: () => {
      const elapsed = start === undefined ? 0 : 49_500 + performance.now() - start;
      start ??= performance.now();
      return elapsed;
    },
    sleep: setTimeout,
  };
}

/** Of the server; some of them are for superusers alone. */
const CONNECTIONS = 12;

let authority: CertificateAuthority;
let server: AuroraLikeServer;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  authority = await CertificateAuthority.create();
  server = await start({ settings: { max_connections: String(CONNECTIONS) } });
});
beforeEach(() => trust(authority.certificate));
afterAll(() => Promise.all(closers.map(close => close())));

async function start(options: Partial<AuroraLikeServerOptions> = {}): Promise<AuroraLikeServer> {
  const started = await AuroraLikeServer.start({ major: MAJOR, databases: ['shop'], certificateAuthority: authority, authorize: () => true, ...options });
  trust(authority.certificate);
  closers.push(() => started.stop());
  return started;
}

/** As many sessions of the admin as can be had. */
async function sessions(count: number, { host, port, master: { password } } = server): Promise<Client[]> {
  const open: Client[] = [];
  for (let n = 0; n < count; n++) {
    const session = new Client({ host, port, user: 'postgres', password, database: 'postgres', ssl: true, application_name: 'the-holder' });
    session.on('error', () => undefined);
    await session.connect().then(() => open.push(session), () => undefined);
  }
  return open;
}

describe('what is given up, with its own message, and leaves nothing behind', () => {
  const open: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map(close => close()));
    await server.sql(`DROP SCHEMA IF EXISTS ${LOCK_SCHEMA}`);
  });

  /** Sessions that stay open for the test, each after a statement of its own. */
  async function holding(...statements: string[]): Promise<Client[]> {
    const clients = await sessions(statements.length);
    open.push(...clients.map(client => () => client.end()));
    await Promise.all(clients.map((client, n) => client.query(statements[n])));
    return clients;
  }

  function at({ port, close }: Listener): StackOptions {
    open.push(close);
    return { host: '127.0.0.1', port, lambdaMs: 5_500 };
  }

  test.each<[string, () => StackOptions | Promise<StackOptions>, RegExp]>([
    ['wrong admin password', () => ({ admin: () => ({ ...server.master, password: 'wrong' }), clock: fastClock(20) }),
      /^cannot sign in to localhost:\d+ as the admin: password authentication failed \(SQLSTATE 28P01\); the password in the admin's secret is not the one of the database: rotate the secret, or set the admin's password to the secret's$/],
    ['connection refused', async () => {
      const { port, close } = await listener(() => undefined);
      await close();
      return { port, clock: fastClock(20) };
    }, /^cannot connect to localhost:\d+: the host refuses connections on that port \(ECONNREFUSED\); check the port and that the database is available$/],
    // Which of the two depends on whether a name server answers here.
    ['no such host', () => ({ host: 'gone.invalid', clock: fastClock(20) }),
      /^cannot connect to gone\.invalid:\d+: (there is no host of that name \(ENOTFOUND\); check that the database still exists and that DNS works in the VPC \(enableDnsSupport\)|the name server of the VPC does not answer \(EAI_AGAIN\); check enableDnsSupport and the DHCP options of the VPC)$/],
    ['packets dropped', async () => at(await fullListener()),
      /^cannot connect to 127\.0\.0\.1:\d+: no answer, packets are dropped on the way \(timeout expired\); check that the database's security group lets the provisioner's security group in, and network ACLs and routes between their subnets$/],
    ['connected but mute', async () => at(await listener(() => undefined)),
      /^cannot connect to 127\.0\.0\.1:\d+: the connection opened but the server does not speak \(timeout expired\); check that the database is available and not out of memory; one that was paused \(Aurora Serverless v2\) should have resumed by now, deploy again$/],
    ['provisioners\' lock held by another session', async () => {
      const [holder] = await holding('SELECT 1');
      await takeLock(holder);
      return { clock: fastClock(20) };
    }, /^cannot take the provisioners' lock: canceling statement due to lock timeout \(SQLSTATE 55P03\); end the session that holds the lock \(pg_stat_activity, pg_blocking_pids\) and deploy again; it is held by pid \d+ \(role postgres, application "the-holder", connected for 00:0\d:\d\d\)$/],
    ['row of the catalog locked by another session', async () => {
      await holding('BEGIN; GRANT CONNECT ON DATABASE shop TO PUBLIC');
      return { clock: lateClock() };
    }, /^cannot create user "orders", and 5 more: canceling statement due to lock timeout \(SQLSTATE 55P03\), held by pid \d+ \(role postgres, application "the-holder", connected for 00:0\d:\d\d\); end the session that holds the lock \(pg_stat_activity, pg_blocking_pids\) and deploy again$/],
    ['no free connection, ever', async () => {
      await holding(...Array.from({ length: CONNECTIONS }, () => 'SELECT 1'));
      // Others may have taken the connections for a turn, so that it waits for as long as it can.
      return { clock: fastClock(200) };
    }, /^cannot sign in to localhost:\d+ as the admin: (too many connections|remaining connection slots are reserved .*) \(SQLSTATE 53300\); free a connection, or raise max_connections$/],
  ])('%s', async (_, prepare, message) => {
    const options = await prepare();
    const before = await snapshot(server);
    expect(await failure(new Stack(server, options).create('A', { username: 'orders' }))).toMatch(message);
    await expect(snapshot(server)).resolves.toEqual(before);
  });

  test('a delete when the database is gone succeeds, and says so', async () => {
    const stack = new Stack(server, { host: 'gone.invalid', clock: fastClock(20) });
    const error = await stack.delete('A', { username: 'orders' }).then(() => undefined, (problem: Error) => problem);
    if (error) {
      // Where no name server answers at all, nothing is known, and it must fail.
      expect(error.message).toContain('EAI_AGAIN');
    } else {
      expect(stack.log).toContainEqual(expect.objectContaining({ notice: 'nothing to remove', reason: 'there is no host gone.invalid any more; had it only changed its name, the user would still have its access' }));
    }
  });
});

describe('what is waited for, and then succeeds', () => {
  const untilTryingAgain = (stack: Stack) => until(() => stack.log.some(({ notice }) => notice === 'trying again'));
  let queued: Promise<string>;
  let behindSlow: Promise<string>;

  /** Both take their time, on servers of their own. */
  beforeAll(() => {
    [queued, behindSlow] = [createQueued(), createBehindSlow()];
    [queued, behindSlow].forEach(created => void created.catch(() => undefined));
  });
  afterAll(() => Promise.allSettled([queued, behindSlow]));

  /** Behind others that keep the lock for longer, all of them together, than one of them may. */
  async function createQueued(): Promise<string> {
    const busy = await start();
    const turns = await sessions(TURNS.count, busy);
    const done = turns.map(async (session) => {
      await takeLock(session);
      await session.query(`SELECT pg_sleep(${TURNS.seconds})`);
      await session.end();
    });
    await untilWaiting(busy, TURNS.count - 1);
    await new Stack(busy, { clock: fastClock(FIVE_TIMES) }).create('A', { username: 'orders' });
    await Promise.all(done);
    return signInWithToken(busy, 'orders');
  }

  /** Behind one that has the lock for longer than a dead one may, and asks something now and then. */
  async function createBehindSlow(): Promise<string> {
    const busy = await start();
    const [slow] = await sessions(1, busy);
    await takeLock(slow);
    const created = new Stack(busy, { clock: fastClock(FIVE_TIMES) }).create('A', { username: 'orders' });
    created.catch(() => undefined);
    for (let n = 0; n < SLOW.times; n++) {
      await setTimeout(SLOW.seconds * 1000);
      await slow.query('SELECT 1');
    }
    await slow.end();
    await created;
    return signInWithToken(busy, 'orders');
  }

  test('a server that starts up', async () => {
    const stack = new Stack(server);
    const restarted = server.restart({ downMilliseconds: 500 });
    await stack.create('Starting', { username: 'starting' });
    await restarted;
    await expect(signInWithToken(server, 'starting')).resolves.toBe('starting');
    expect(stack.log.map(({ notice }) => notice)).toContain('trying again');
  });

  test('a server that restarts in the middle', async () => {
    const [holder] = await sessions(1);
    await holder.query('BEGIN; GRANT CONNECT ON DATABASE shop TO PUBLIC');
    const created = new Stack(server).create('Restarted', { username: 'restarted' });
    await untilWaiting(server, 1);
    await server.restart();
    await created;
    await expect(signInWithToken(server, 'restarted')).resolves.toBe('restarted');
  });

  test('a server that has no free connection', async () => {
    const open = await sessions(CONNECTIONS);
    const stack = new Stack(server);
    const created = stack.create('Crowded', { username: 'crowded' });
    await untilTryingAgain(stack);
    await Promise.all(open.map(session => session.end()));
    await created;
    await expect(signInWithToken(server, 'crowded')).resolves.toBe('crowded');
    expect(stack.log.find(({ notice }) => notice === 'trying again')?.reason).toContain('SQLSTATE 53300');
  });

  test('a password that is being rotated: the database has the new one before the secret has', async () => {
    const secret = { ...server.master };
    await server.setMasterPassword('the new one');
    const stack = new Stack(server, { admin: () => ({ ...secret }) });
    const created = stack.create('Rotated', { username: 'rotated' });
    await untilTryingAgain(stack);
    secret.password = 'the new one';
    await created;
    await expect(signInWithToken(server, 'rotated')).resolves.toBe('rotated');
    expect(stack.log.find(({ notice }) => notice === 'trying again')?.reason).toContain('SQLSTATE 28P01');
  });

  test('a cluster that was paused is waited for until it has resumed, also if that takes 40 seconds', async () => {
    server.pause({ resumeMilliseconds: RESUME_MS });
    await new Stack(server, { clock: fastClock(4) }).create('Paused', { username: 'paused' });
    await expect(signInWithToken(server, 'paused')).resolves.toBe('paused');
  });

  test('a queue for the provisioners\' lock in which each event gets a turn is waited for, however long it is', async () => {
    await expect(queued).resolves.toBe('orders');
  });

  test('one that holds the provisioners\' lock for long is waited for as long as it does something', async () => {
    await expect(behindSlow).resolves.toBe('orders');
  });
});

/** Events of a stack, how many of them CloudFormation has under way, the connections of the server, and how much longer its answers take. */
const CROWD = { users: 100, atOnce: 50, connections: 25, milliseconds: 20 };

full.describe('many events on a server that is slow and small', () => {
  let small: AuroraLikeServer;
  beforeEach(async () => {
    small = await AuroraLikeServer.start({ major: MAJOR, databases: ['shop'], settings: { max_connections: String(CROWD.connections) } });
    trust(small.caCertificate);
  });
  afterEach(() => small.stop());

  const names = Array.from({ length: CROWD.users }, (_, n) => `user${n}`);

  async function allAtOnce(stack: Stack, left = [...names]): Promise<string[]> {
    const failures: string[] = [];
    await Promise.all(Array.from({ length: CROWD.atOnce }, async () => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        await stack.create(name, { username: name }).catch((error: Error) => failures.push(error.message));
      }
    }));
    return failures;
  }

  // If those who wait left no connection to whoever works, this would not end. How often they are refused depends on the machine: bench:engine.
  test('all succeed, whatever each of its answers takes', async () => {
    const network = await slowNetwork(small.port, CROWD.milliseconds);
    const stack = new Stack(small, { port: network.port, lambdaMs: 840_000 });
    expect(await allAtOnce(stack)).toEqual([]);
    expect(await users(small)).toEqual([...names].sort());
    await network.close();
  });

  test('all succeed with fewer connections of the admin than events', async () => {
    await small.sql('ALTER ROLE postgres CONNECTION LIMIT 5');
    expect(await allAtOnce(new Stack(small, { lambdaMs: 840_000 }))).toEqual([]);
    expect(await users(small)).toEqual([...names].sort());
  });
});
