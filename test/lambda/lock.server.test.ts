import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { LOCK_SCHEMA, MAY_WAIT } from '../../lambda/provisioner/sql/lock-schema';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, FULL, full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { fastClock, until, untilWaiting } from './clocks';
import { throughDataApi } from './over-data-api';
import { takeLock } from './provisioners-lock';
import { failure, setups, signInWithToken, Stack, StackOptions, trust, users } from './stack';

const STRANGERS = 20;

/** More of them are in the suites of concurrency, and of everything at once. */
const EVENTS_AT_ONCE = FULL ? 50 : 9;

describe.each(setups('18, plain'))("the provisioners' lock on PostgreSQL $name", (setup) => {
  let server: AuroraLikeServer;
  const clients: Client[] = [];

  beforeAll(async () => {
    server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop'],
      authorize: () => true,
      settings: { max_prepared_transactions: '5' },
    });
    trust(server.caCertificate);
    await server.sql("CREATE ROLE stranger LOGIN PASSWORD 's'");
  });
  afterEach(() => Promise.all(clients.splice(0).map(client => client.end().catch(() => undefined))));
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  async function connected(user = 'postgres', password = server.master.password): Promise<Client> {
    const client = new Client({
      host: server.host,
      port: server.port,
      user,
      password,
      database: 'postgres',
      ssl: true,
      application_name: 'the-holder',
    });
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  }

  const lockSchema = () =>
    server.sql(
      `SELECT pg_get_userbyid(nspowner)::text AS owner, nspacl::text AS acl FROM pg_namespace WHERE nspname = '${LOCK_SCHEMA}'`,
    );
  const orders = { username: 'orders' };

  describe.each(firstOf(1, [
    ['over connections', () => ({})],
    ['through the Data API', () => ({ transport: throughDataApi(server) })],
  ] as [string, () => StackOptions][]))('%s', (_, options) => {
    test('is made with the first user, and goes with the last', async () => {
      const stack = new Stack(server, options());
      await stack.create('A', orders);
      await expect(lockSchema()).resolves.toEqual([{ owner: 'postgres', acl: null }]);
      await stack.delete('A', orders);
      await expect(lockSchema()).resolves.toEqual([]);
    });

    full.test('goes with a creation that fails', async () => {
      expect(
        await failure(new Stack(server, options()).create('A', { username: 'orders', connect: ['nowhere'] })),
      ).toContain('nowhere');
      await expect(lockSchema()).resolves.toEqual([]);
    });

    full.test('stays for the next event when a session keeps it from being dropped', async () => {
      await server.sql('GRANT pg_read_all_data TO stranger');
      const stack = new Stack(server, options());
      await stack.create('A', orders);
      const stranger = await connected('stranger', 's');
      // Nothing is granted, with a warning, and the row of the catalog is locked even so.
      await stranger.query(`BEGIN; GRANT USAGE ON SCHEMA ${LOCK_SCHEMA} TO stranger`);
      await stack.delete('A', orders);
      await stack.create('A', orders);
      await stranger.end();
      await stack.delete('A', orders);
      await expect(lockSchema()).resolves.toEqual([]);
      await server.sql('REVOKE pg_read_all_data FROM stranger');
    });

    full.test('has nothing of what default privileges grant', async () => {
      await server.sql('ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT ALL ON SCHEMAS TO stranger, PUBLIC');
      const stack = new Stack(server, options());
      await stack.create('A', orders);
      const [{ acl }] = await lockSchema();
      expect(acl).toBe('{postgres=UC/postgres}');
      await stack.delete('A', orders);
      await server.sql('ALTER DEFAULT PRIVILEGES FOR ROLE postgres REVOKE ALL ON SCHEMAS FROM stranger, PUBLIC');
    });

    test('is taken although strangers ask for it all the time', async () => {
      const stack = new Stack(server, options());
      await stack.create('A', orders);
      let over = false;
      const strangers = await Promise.all(Array.from({ length: STRANGERS }, () => connected('stranger', 's')));
      const asking = strangers.map(async (stranger, n) => {
        const statement = [
          `COMMENT ON SCHEMA ${LOCK_SCHEMA} IS 'mine'`,
          `DROP SCHEMA ${LOCK_SCHEMA}`,
          `ALTER SCHEMA ${LOCK_SCHEMA} RENAME TO mine`,
          `CREATE TABLE ${LOCK_SCHEMA}.t ()`,
          `GRANT USAGE ON SCHEMA ${LOCK_SCHEMA} TO PUBLIC`,
          'SELECT pg_try_advisory_lock(1684174195, 1)',
        ][n % 6];
        while (!over) {
          await stranger.query(`BEGIN; ${statement}`).catch(() => undefined);
          await stranger.query(n % 2 === 0 ? 'ROLLBACK' : 'ROLLBACK AND CHAIN').catch(() => undefined);
        }
      });
      await stack.update('A', { ...orders, connect: ['postgres'] });
      await stack.delete('A', orders);
      over = true;
      await Promise.all(asking);
      expect(stack.log.filter(({ notice }) => notice === 'trying again')).toEqual([]);
    });

    test('belongs to the admin alone: that of another role is refused, and so is that of a group of the admin', async () => {
      await server.sql(
        `CREATE ROLE app_owner; GRANT app_owner TO stranger; GRANT app_owner TO postgres${setup.major >= 16 ? ' WITH INHERIT TRUE' : ''}`,
      );
      for (const owner of ['stranger', 'app_owner']) {
        await server.sql(`CREATE SCHEMA ${LOCK_SCHEMA} AUTHORIZATION ${owner}`);
        expect(await failure(new Stack(server, options()).create('A', orders))).toBe(
          `cannot take the provisioners' lock: schema ${LOCK_SCHEMA} in database postgres belongs to "${owner}" and not to "postgres"; drop it if it is not of this library; `
          + `if "${owner}" is a group role that the admin is a member of, name it as registryOwner; if it was the admin before, ALTER SCHEMA ${LOCK_SCHEMA} OWNER TO "postgres", `
          + 'and the same for SCHEMA cdk_aurora_iam_auth and TABLE cdk_aurora_iam_auth.managed_role',
        );
        await server.sql(`DROP SCHEMA ${LOCK_SCHEMA}`);
      }
      await server.sql('DROP ROLE app_owner');
    });

    test('that is lost before a commit leaves nothing behind that was done without it', async () => {
      const stack = new Stack(server, options());
      await stack.create('A', orders);
      const blocker = await connected();
      await blocker.query('BEGIN; GRANT CONNECT ON DATABASE shop TO PUBLIC');
      const updated = stack.update('A', { ...orders, privileges: { shop: { Database: ['CREATE', 'CONNECT'] } } });
      const waits = "FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      for (let waiting = false; !waiting; await setTimeout(20)) {
        waiting = (await server.sql(`SELECT ${waits}`)).length > 0;
      }
      await server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_namespace'::regclass AND granted",
      );
      await blocker.query('ROLLBACK');
      await updated;
      expect(stack.log.map(({ notice, reason }) => notice === 'trying again' && reason)).toContain(
        "the provisioners' lock was lost before the commit, so nothing was committed; deploy again");
      await stack.delete('A', orders);
    });

    full.test('lets many events at once take turns, before there is a lock and in several stacks', async () => {
      const names = Array.from({ length: EVENTS_AT_ONCE }, (_, n) => `user${n}`);
      const stacks = ['a', 'b', 'c'].map(name => new Stack(server, { ...options(), name }));
      await Promise.all(names.map((username, n) => stacks[n % 3].create(username, { username })));
      expect(await users(server)).toEqual([...names, 'stranger'].sort());
      await expect(signInWithToken(server, 'user7')).resolves.toBe('user7');
      await Promise.all(names.map((username, n) => stacks[n % 3].delete(username, { username })));
      expect(await users(server)).toEqual(['stranger']);
    });
  });

  /** Of 10 connections, the holder and the one that asks have two. */
  test('is waited for with a connection by fewer events than half of the free connections', async () => {
    await server.sql('ALTER ROLE postgres CONNECTION LIMIT 10');
    try {
      const [holder, asking, ...waiting] = await Promise.all(Array.from({ length: 5 }, () => connected()));
      // Sessions of the tests before may not have ended yet.
      await until(
        async () => (await server.sql("SELECT FROM pg_stat_activity WHERE usename = 'postgres'")).length === 5,
      );
      await takeLock(holder);
      const waits: Promise<unknown>[] = [];
      const answers: unknown[] = [];
      for (const client of waiting) {
        waits.push(takeLock(client).catch(() => undefined));
        await untilWaiting(server, waits.length);
        answers.push(await asking.query(MAY_WAIT).then(() => 'may wait', ({ code }: { code: string }) => code));
      }
      // With 2 that wait 6 are free, with 3 there are 5.
      expect(answers).toEqual(['may wait', 'may wait', '22012']);
      await holder.query('ROLLBACK');
      for (const [n, client] of waiting.entries()) {
        await waits[n];
        await client.query('ROLLBACK');
      }
      await holder.query(`DROP SCHEMA ${LOCK_SCHEMA}`);
    } finally {
      await server.sql('ALTER ROLE postgres CONNECTION LIMIT -1');
    }
  });

  test('is held by a session that knows others which have begun since', async () => {
    await server.sql('BEGIN; LOCK TABLE pg_authid IN EXCLUSIVE MODE', [], 'shop');
    const reason = failure(new Stack(server, { clock: fastClock(5) }).create('A', orders));
    await untilWaiting(server, 1);
    const later = await connected();
    await later.query('BEGIN; GRANT CONNECT ON DATABASE shop TO PUBLIC');
    await server.sql('ROLLBACK', [], 'shop');
    expect(await reason).toMatch(
      /canceling statement due to lock timeout \(SQLSTATE 55P03\), held by pid \d+ \(role postgres, application "the-holder", connected for \d\d:\d\d:\d\d\)/,
    );
  });

  describe('that is not given back, in the words of the reason,', () => {
    /** Time passes at once for whoever waits. */
    function impatient(): StackOptions {
      let passed = 0;
      return { clock: { now: () => (passed += 20_000), sleep: () => Promise.resolve() }, lambdaMs: 900_000 };
    }

    test('is held by a session', async () => {
      const holder = await connected();
      await takeLock(holder);
      expect(await failure(new Stack(server, impatient()).create('A', orders))).toMatch(
        /^cannot take the provisioners' lock: .*; it is held by pid \d+ \(role postgres, application "the-holder", connected for \d\d:\d\d:\d\d\)$/,
      );
      await holder.query(`ROLLBACK; DROP SCHEMA ${LOCK_SCHEMA}`);
    });

    test('is held by a prepared transaction', async () => {
      const holder = await connected();
      await takeLock(holder);
      await holder.query("PREPARE TRANSACTION 'the lock'");
      expect(await failure(new Stack(server, impatient()).create('A', orders))).toMatch(
        /^cannot take the provisioners' lock: .*; it is held by prepared transaction 'the lock' \(role postgres, database postgres\)$/,
      );
      await holder.query("ROLLBACK PREPARED 'the lock'");
      await holder.query(`DROP SCHEMA ${LOCK_SCHEMA}`);
    });
  });
});
