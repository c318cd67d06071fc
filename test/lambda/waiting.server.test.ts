import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { AuroraLikeServer, AuroraLikeServerOptions } from '../../rehearsal/aurora-like-server';
import { CertificateAuthority } from '../../rehearsal/gateway/certificate-authority';
import { FULL, full } from '../full';
import { until, untilWaiting } from './clocks';
import { fullListener, listener, slowNetwork } from './network';
import { takeLock } from './provisioners-lock';
import { failure, signInWithToken, snapshot, Stack, StackOptions, trust, users } from './stack';

/** How long those who are before it in the queue have the lock, all of them together: longer than the handler waits for one of them. */
const TURNS = { count: 5, seconds: 12 };

/** How often one that has the lock is heard of: longer, all of it together, than one may be that is not heard of. */
const SLOW = { times: 6, seconds: 11 };

/** What is waited for does not depend on the major. The cases wait at the same time, each with a server of its own. */
const MAJOR = 17;

interface Outcome {
  readonly message: string;
  readonly port: number;
  readonly leftBehind: boolean;
}

describe('what is given up, with its own message, and leaves nothing behind', () => {
  const closers: (() => Promise<unknown>)[] = [];
  const outcomes = new Map<string, Promise<Outcome>>();
  let authority: CertificateAuthority;
  let gone: Promise<{ log: unknown[]; error?: Error }>;
  let queued: Promise<string>;
  let behindSlow: Promise<string>;
  let paused: Promise<string>;

  const cases: { [name: string]: () => Promise<Outcome> } = {
    'wrong admin password': async () => {
      const server = await start();
      return failedCreate(server, { admin: () => ({ ...server.master, password: 'wrong' }) });
    },
    'connection refused': async () => {
      const { port, close } = await listener(() => undefined);
      await close();
      return failedCreate(await start(), { port });
    },
    'no such host': async () => failedCreate(await start(), { host: 'gone.invalid' }),
    'packets dropped': async () => {
      const { port, close } = await fullListener();
      closers.push(close);
      return failedCreate(await start(), { host: '127.0.0.1', port });
    },
    'connected but mute': async () => {
      const { port, close } = await listener(() => undefined);
      closers.push(close);
      return failedCreate(await start(), { port });
    },
    'provisioners\' lock held by another session': async () => {
      const server = await start();
      const [holder] = await sessions(server, 1);
      await takeLock(holder);
      return failedCreate(server);
    },
    'row of the catalog locked by another session': async () => {
      const server = await start();
      await holding(server, 'BEGIN; GRANT CONNECT ON DATABASE shop TO PUBLIC');
      return failedCreate(server);
    },
    'no free connection, ever': async () => {
      const server = await start({ settings: { max_connections: '8' } });
      await holding(server, ...Array.from({ length: 8 }, () => 'SELECT 1'));
      // Others may have taken the connections for a turn, so that it waits for as long as it can: here for 15 seconds.
      return failedCreate(server, { lambdaMs: 65_000 });
    },
  };

  const expected: [string, RegExp][] = [
    ['wrong admin password', /^cannot sign in to localhost:\d+ as the admin: password authentication failed \(SQLSTATE 28P01\); the password in the admin's secret is not the one of the database: rotate the secret, or set the admin's password to the secret's$/],
    ['connection refused', /^cannot connect to localhost:\d+: the host refuses connections on that port \(ECONNREFUSED\); check the port and that the database is available$/],
    // Which of the two depends on whether a name server answers here.
    ['no such host', /^cannot connect to gone\.invalid:\d+: (there is no host of that name \(ENOTFOUND\); check that the database still exists and that DNS works in the VPC \(enableDnsSupport\)|the name server of the VPC does not answer \(EAI_AGAIN\); check enableDnsSupport and the DHCP options of the VPC)$/],
    ['packets dropped', /^cannot connect to 127\.0\.0\.1:\d+: no answer, packets are dropped on the way \(timeout expired\); check that the database's security group lets the provisioner's security group in, and network ACLs and routes between their subnets$/],
    ['connected but mute', /^cannot connect to localhost:\d+: the connection opened but the server does not speak \(timeout expired\); check that the database is available and not out of memory; one that was paused \(Aurora Serverless v2\) should have resumed by now, deploy again$/],
    ['provisioners\' lock held by another session', /^cannot take the provisioners' lock: canceling statement due to lock timeout \(SQLSTATE 55P03\); end the session that holds the lock \(pg_stat_activity, pg_blocking_pids\) and deploy again; it is held by pid \d+ \(role postgres, application "the-holder", connected for 00:0\d:\d\d\)$/],
    ['row of the catalog locked by another session', /^cannot create user "orders", and 5 more: canceling statement due to lock timeout \(SQLSTATE 55P03\), held by pid \d+ \(role postgres, application "the-holder", connected for 00:0\d:\d\d\); end the session that holds the lock \(pg_stat_activity, pg_blocking_pids\) and deploy again$/],
    ['no free connection, ever', /^cannot sign in to localhost:\d+ as the admin: (too many connections|remaining connection slots are reserved .*) \(SQLSTATE 53300\); free a connection, or raise max_connections$/],
  ];

  beforeAll(async () => {
    authority = await CertificateAuthority.create();
    trust(authority.certificate);
    for (const [name, run] of Object.entries(cases)) {
      const outcome = run();
      outcome.catch(() => undefined);
      outcomes.set(name, outcome);
    }
    const stack = new Stack(await start(), { host: 'gone.invalid' });
    gone = stack.delete('A', { username: 'orders' }).then(() => ({ log: stack.log }), (error: Error) => ({ log: stack.log, error }));
    queued = queuedCreate();
    behindSlow = createBehindSlow();
    paused = pausedCreate();
    await Promise.allSettled([gone, queued, behindSlow, paused, ...outcomes.values()]);
  });
  afterAll(() => Promise.all(closers.map(close => close())));

  test('a delete when the database is gone succeeds, and says so', async () => {
    const { log, error } = await gone;
    if (error) {
      // Where no name server answers at all, nothing is known, and it must fail.
      expect(error.message).toContain('EAI_AGAIN');
    } else {
      expect(log).toContainEqual(expect.objectContaining({ notice: 'nothing to remove', reason: 'there is no host gone.invalid any more; had it only changed its name, the user would still have its access' }));
    }
  });

  test.each(expected)('%s', async (name, message) => {
    const outcome = await outcomes.get(name)!;
    expect(outcome.message).toMatch(message);
    expect(outcome.leftBehind).toBe(false);
  });

  test('a queue for the provisioners\' lock in which everybody gets a turn is waited for, however long it is', async () => {
    await expect(queued).resolves.toBe('orders');
  });

  test('one that holds the provisioners\' lock for long is waited for as long as it does something', async () => {
    await expect(behindSlow).resolves.toBe('orders');
  });

  test('a cluster that was paused is waited for until it has resumed, also if that takes 32 seconds', async () => {
    await expect(paused).resolves.toBe('orders');
  });

  async function pausedCreate(): Promise<string> {
    const server = await start({ authorize: () => true });
    server.pause({ resumeMilliseconds: 32_000 });
    await new Stack(server).create('A', { username: 'orders' });
    return signInWithToken(server, 'orders');
  }

  /** Behind others that keep the lock for longer, all of them together, than one of them may. */
  async function queuedCreate(): Promise<string> {
    const server = await start({ authorize: () => true });
    const turns = await sessions(server, TURNS.count);
    const done = turns.map(async (session) => {
      await takeLock(session);
      await session.query(`SELECT pg_sleep(${TURNS.seconds})`);
      await session.end();
    });
    await untilWaiting(server, TURNS.count - 1);
    await new Stack(server).create('A', { username: 'orders' });
    await Promise.all(done);
    return signInWithToken(server, 'orders');
  }

  /** Behind one that has the lock for longer than a dead one may, and asks something now and then. */
  async function createBehindSlow(): Promise<string> {
    const server = await start({ authorize: () => true });
    const [slow] = await sessions(server, 1);
    await takeLock(slow);
    const created = new Stack(server).create('A', { username: 'orders' });
    for (let n = 0; n < SLOW.times; n++) {
      await setTimeout(SLOW.seconds * 1000);
      await slow.query('SELECT 1');
    }
    await slow.end();
    await created;
    return signInWithToken(server, 'orders');
  }

  async function start(options: Partial<AuroraLikeServerOptions> = {}): Promise<AuroraLikeServer> {
    const server = await AuroraLikeServer.start({ major: MAJOR, databases: ['shop'], certificateAuthority: authority, ...options });
    closers.push(() => server.stop());
    return server;
  }

  /** Sessions that stay open, each after a statement of its own. */
  async function holding(server: AuroraLikeServer, ...statements: string[]): Promise<void> {
    const open = await sessions(server, statements.length);
    await Promise.all(open.map((session, n) => session.query(statements[n])));
  }
});

/** As many sessions of the admin as can be had. */
async function sessions(server: AuroraLikeServer, count: number): Promise<Client[]> {
  const open: Client[] = [];
  for (let n = 0; n < count; n++) {
    const session = new Client({ host: server.host, port: server.port, user: 'postgres', password: server.master.password, database: 'postgres', ssl: true, application_name: 'the-holder' });
    session.on('error', () => undefined);
    await session.connect().then(() => open.push(session), () => undefined);
  }
  return open;
}

async function failedCreate(server: AuroraLikeServer, options: StackOptions = {}): Promise<Outcome> {
  const before = await snapshot(server).catch(() => undefined);
  const message = await failure(new Stack(server, options).create('A', { username: 'orders' }));
  const after = await snapshot(server).catch(() => undefined);
  return { message, port: server.port, leftBehind: JSON.stringify(before) !== JSON.stringify(after) };
}

const untilTryingAgain = (stack: Stack) => until(() => stack.log.some(({ notice }) => notice === 'trying again'));

/** Events of a stack, how many of them CloudFormation has under way, the connections of the server, and how much longer its answers take. */
const CROWD = FULL
  ? { users: 100, atOnce: 50, connections: 25, milliseconds: 20 }
  : { users: 24, atOnce: 12, connections: 10, milliseconds: 20 };

describe('many events on a server that is slow and small', () => {
  let server: AuroraLikeServer;
  beforeEach(async () => {
    server = await AuroraLikeServer.start({ major: MAJOR, databases: ['shop'], settings: { max_connections: String(CROWD.connections) } });
    trust(server.caCertificate);
  });
  afterEach(() => server.stop());

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
  full.test('all succeed, whatever each of its answers takes', async () => {
    const network = await slowNetwork(server.port, CROWD.milliseconds);
    const stack = new Stack(server, { port: network.port, lambdaMs: 840_000 });
    expect(await allAtOnce(stack)).toEqual([]);
    expect(await users(server)).toEqual([...names].sort());
    await network.close();
  });

  full.test('all succeed with fewer connections of the admin than events', async () => {
    await server.sql('ALTER ROLE postgres CONNECTION LIMIT 5');
    expect(await allAtOnce(new Stack(server, { lambdaMs: 840_000 }))).toEqual([]);
    expect(await users(server)).toEqual([...names].sort());
  });
});

describe('what is waited for, and then succeeds', () => {
  let server: AuroraLikeServer;
  beforeEach(async () => {
    server = await AuroraLikeServer.start({ major: MAJOR, databases: ['shop'], authorize: () => true, settings: { max_connections: '8' } });
    trust(server.caCertificate);
  });
  afterEach(() => server.stop());

  test('a server that starts up', async () => {
    const stack = new Stack(server);
    const restarted = server.restart({ downMilliseconds: 2_000 });
    await stack.create('A', { username: 'orders' });
    await restarted;
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    expect(stack.log.map(({ notice }) => notice)).toContain('trying again');
  });

  test('a server that restarts in the middle', async () => {
    const stack = new Stack(server);
    await server.sql('BEGIN; CREATE ROLE blocker; GRANT rds_iam TO blocker; COMMIT');
    const [holder] = await sessions(server, 1);
    await holder.query('BEGIN; GRANT CONNECT ON DATABASE shop TO PUBLIC');
    const created = stack.create('A', { username: 'orders' });
    await untilWaiting(server, 1);
    await server.restart();
    await created;
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
  });

  test('a server that has no free connection', async () => {
    const open = await sessions(server, 8);
    const stack = new Stack(server);
    const created = stack.create('A', { username: 'orders' });
    await untilTryingAgain(stack);
    await Promise.all(open.map(session => session.end()));
    await created;
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    expect(stack.log.find(({ notice }) => notice === 'trying again')?.reason).toContain('SQLSTATE 53300');
  });

  test('a password that is being rotated: the database has the new one before the secret has', async () => {
    const secret = { ...server.master };
    await server.setMasterPassword('the new one');
    const stack = new Stack(server, { admin: () => ({ ...secret }) });
    const created = stack.create('A', { username: 'orders' });
    await untilTryingAgain(stack);
    secret.password = 'the new one';
    await created;
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    expect(stack.log.find(({ notice }) => notice === 'trying again')?.reason).toContain('SQLSTATE 28P01');
  });
});
