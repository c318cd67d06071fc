import { setTimeout } from 'node:timers/promises';
import { Client, ClientConfig } from 'pg';
import { Clock } from '../../lambda/shared/clock';
import { RemovalAction } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { failure, setups, signIn, signInWithToken, Stack, trust, User, users } from './stack';
import { closeSessions, isOpen, userSession } from './user-session';

/** Takes a core for some seconds and does not look at signals meanwhile. */
const UNINTERRUPTIBLE = "SELECT repeat('a', 500000) LIKE '%' || repeat('a', 4000) || 'b%'";

/**
 * Time passes three times as fast: what is waited for in vain is given up sooner, and what is waited for in fact is
 * there in time, on a slow machine too.
 */
const HURRIED: Clock = { now: () => performance.now() * 3, sleep: milliseconds => setTimeout(milliseconds / 3) };

const session = (server: AuroraLikeServer, user: string, config: Partial<ClientConfig> = {}) =>
  userSession(server, user, { database: 'postgres', ...config });

describe.each(setups('14'))('the end of access on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop'],
      authorize: () => true,
      settings: { max_prepared_transactions: '10' },
    });
    trust(server.caCertificate);
    await server.sql("CREATE ROLE friend LOGIN; GRANT rds_iam TO friend; CREATE ROLE legacy LOGIN PASSWORD 'l'");
  });
  beforeEach(() => stack = new Stack(server));
  afterEach(closeSessions);
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const leaver: User = { username: 'leaver' };
  const removed = (action: RemovalAction): User => ({ ...leaver, onRemoval: { Action: action } });
  const canSignIn = (username: string) => signInWithToken(server, username, 'postgres').then(() => true, () => false);
  const dropKept = () =>
    server.sql(
      'REVOKE CONNECT ON DATABASE shop FROM leaver; DROP ROLE leaver; DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE',
    );

  test.each(firstOf<RemovalAction>(1, ['DROP_OR_DISABLE', 'DISABLE']))(
    'ends a session that is signed in and not seen yet (%s)',
    async (action) => {
      await stack.create('A', removed(action));
      const late = session(server, 'leaver', { options: '-c post_auth_delay=5' });
      late.catch(() => undefined);
      // Until it is there, and no longer.
      for (let seen = false; !seen;) {
        seen
          = (
            await server.sql(`SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'virtualxid' AND a.usesysid IS NULL AND a.backend_type IS DISTINCT FROM 'autovacuum worker'`)
          ).length > 0;
      }
      await stack.delete('A', removed(action));
      // It may get as far as to be told that it is signed in, but no further.
      await expect(late.then(client => client.query('SELECT 1'))).rejects.toThrow();
      expect(stack.log).toContainEqual(expect.objectContaining({ notice: 'starting sessions ended', count: 1 }));
      if (action === 'DISABLE') {
        await dropKept();
      }
    },
  );

  test('ends a session of a role that was dropped by hand', async () => {
    await stack.create('A', leaver);
    const open = await session(server, 'leaver');
    await server.sql('REVOKE CONNECT ON DATABASE shop FROM leaver; DROP ROLE leaver');
    expect(await isOpen(open)).toBe(true);
    await stack.delete('A', leaver);
    expect(await isOpen(open)).toBe(false);
  });

  full.test('leaves the sessions alone of a user that another resource of the stack manages too', async () => {
    await stack.create('A', leaver);
    await stack.create('B', leaver);
    const open = await session(server, 'leaver');
    await stack.delete('A', leaver);
    expect(await isOpen(open)).toBe(true);
    expect(await canSignIn('leaver')).toBe(true);
    await stack.delete('B', leaver);
    expect(await isOpen(open)).toBe(false);
  });

  test('ends the session that keeps the login by a change to its own role', async () => {
    await stack.create('A', leaver);
    const open = await session(server, 'leaver');
    await open.query("BEGIN; ALTER ROLE leaver PASSWORD 'its own'");
    await stack.delete('A', leaver);
    expect(await isOpen(open)).toBe(false);
    expect(await users(server)).toEqual(['friend', 'legacy']);
  });

  test('ends the session of a member that keeps the login of the user, and takes the user from its members', async () => {
    await stack.create('A', removed('DISABLE'));
    await server
      .sql(`GRANT leaver TO friend${setup.major >= 16 ? ' GRANTED BY postgres' : ''}`)
      .catch(() => server.sql('GRANT leaver TO friend'));
    const friend = await session(server, 'friend');
    await friend.query("SET ROLE leaver; BEGIN; ALTER ROLE leaver PASSWORD 'its own'");
    await stack.delete('A', removed('DISABLE'));
    expect(await isOpen(friend)).toBe(false);
    await expect(
      server.sql("SELECT FROM pg_auth_members WHERE roleid = 'leaver'::regrole AND member = 'friend'::regrole"),
    ).resolves.toEqual([]);
    await expect((await session(server, 'friend')).query('SET ROLE leaver')).rejects.toThrow('permission denied');
    await dropKept();
  });

  full.test('leaves members of the user without it, until their own resource is applied again', async () => {
    await stack.create('A', removed('DISABLE'));
    await stack.create('M', { username: 'member', memberOf: ['leaver'] });
    const member = await session(server, 'member');
    await stack.delete('A', removed('DISABLE'));
    expect(await isOpen(member)).toBe(false);
    await stack.create('A', leaver);
    const again = await session(server, 'member');
    await expect(again.query('SET ROLE leaver')).rejects.toThrow('permission denied');
    await stack.update('M', { username: 'member', memberOf: ['leaver'], reapply: '2' });
    await expect(again.query('SET ROLE leaver')).resolves.toBeDefined();
    await stack.delete('A', leaver);
    await stack.delete('M', { username: 'member', memberOf: ['leaver'] });
  });

  full.test('that fails is made good by another update, which gives the user its access back', async () => {
    await stack.create('A', leaver);
    const open = await session(server, 'leaver');
    await open.query("BEGIN; ALTER ROLE leaver PASSWORD 'its own'; PREPARE TRANSACTION 'x'");
    await failure(stack.delete('A', leaver));
    expect(await canSignIn('leaver')).toBe(false);
    await server.sql("ROLLBACK PREPARED 'x'");
    await stack.update('A', { ...leaver, reapply: '2' });
    expect(await canSignIn('leaver')).toBe(true);
    await stack.delete('A', leaver);
    expect(await users(server)).toEqual(['friend', 'legacy']);
  });

  if (setup.major < 15) {
    full.test('ends the session of a role that becomes a member while the login is being ended', async () => {
      await stack.create('A', removed('DISABLE'));
      const [blocking, granting, friend] = [
        await session(server, 'leaver'),
        await session(server, 'leaver'),
        await session(server, 'friend'),
      ];
      await blocking.query("BEGIN; ALTER ROLE leaver PASSWORD 'its own'");
      const outcome = stack.delete('A', removed('DISABLE'));
      while (await canSignIn('leaver')) {
        await setTimeout(20);
      }
      await granting.query('GRANT leaver TO friend');
      await friend.query('SET ROLE leaver');
      await outcome;
      expect(await isOpen(friend)).toBe(false);
      await expect((await session(server, 'friend')).query('SET ROLE leaver')).rejects.toThrow('permission denied');
      await dropKept();
    });
  }

  full.test(
    'refuses tokens, and keeps its lock, although an admin with a token may not end the session that keeps the login',
    async () => {
      await server.sql("CREATE ROLE weak LOGIN CREATEROLE PASSWORD 'w'; GRANT CREATE ON DATABASE postgres TO weak");
      await server.sql('GRANT rds_iam TO weak WITH ADMIN OPTION');
      const weak = new Stack(server, {
        admin: () => ({ username: 'weak', password: () => Promise.resolve(server.token('application', 'weak')) }),
      });
      const user: User = { username: 'leaver', connect: [] };
      await weak.create('A', user);
      const open = await session(server, 'leaver');
      await open.query("BEGIN; ALTER ROLE leaver PASSWORD 'its own'");
      expect(await failure(weak.delete('A', user))).toMatch(
        new RegExp(
          '^cannot forbid "leaver" to log in: canceling statement due to lock timeout \\(SQLSTATE 55P03\\), held by pid \\d+ \\(role leaver, .*'
          + 'And cannot end the sessions of removed roles: still there after 10 s: pid \\d+ \\(role "leaver", which the admin may not end unless it is a member of pg_signal_backend\\); ',
        ),
      );
      expect(await canSignIn('leaver')).toBe(false);
      await open.end();
      await weak.delete('A', user);
      await server.sql('REVOKE CREATE ON DATABASE postgres FROM weak; DROP ROLE weak');
      expect(await users(server)).toEqual(['friend', 'legacy']);
    },
  );

  test('refuses tokens at once although the login cannot be ended, and says that a password may still work', async () => {
    stack = new Stack(server, { clock: HURRIED });
    await stack.create('A', leaver);
    const open = await session(server, 'leaver');
    await open.query("BEGIN; ALTER ROLE leaver PASSWORD 'its own'");
    await open.query("PREPARE TRANSACTION 'a ''change'");
    await open.end();
    expect(await failure(stack.delete('A', leaver))).toMatch(
      new RegExp(
        '^cannot forbid "leaver" to log in: canceling statement due to lock timeout \\(SQLSTATE 55P03\\), '
        + "held by prepared transaction 'a ''change' \\(role leaver, database postgres\\); its tokens are not accepted any more, but a password that it has set itself may still work; "
        + 'end the session that holds it, or roll the prepared transaction back as that role, and delete again$',
      ),
    );
    expect(await canSignIn('leaver')).toBe(false);
    await server.sql("ROLLBACK PREPARED 'a ''change'");
    await stack.delete('A', leaver);
    expect(await users(server)).toEqual(['friend', 'legacy']);
  });

  test('refuses tokens at once although a session cannot be ended, and names it', async () => {
    stack = new Stack(server, { clock: HURRIED });
    await stack.create('A', leaver);
    const open = await session(server, 'leaver');
    await open.query("BEGIN; ALTER ROLE leaver PASSWORD 'its own'");
    const busy = open.query(UNINTERRUPTIBLE).catch(() => undefined);
    const outcome = stack.delete('A', leaver).then(() => undefined, (error: Error) => error.message);
    while (await canSignIn('leaver')) {
      await setTimeout(20);
    }
    const reason = await outcome;
    if (reason !== undefined) {
      // The session may end between the last try to end the login and the last look at sessions.
      const login = 'forbid "leaver" to log in: .*a password that it has set itself may still work';
      const sessions = 'end the sessions of removed roles: still there after 10 s: pid \\d+ \\(role "leaver"\\); ';
      expect(reason).toMatch(new RegExp(`^cannot (${login}|(${login}.*\\. And cannot )?${sessions})`));
      expect(await canSignIn('leaver')).toBe(false);
      await busy;
      await stack.delete('A', leaver);
    }
    expect(await users(server)).toEqual(['friend', 'legacy']);
  });

  full.test('takes a membership away that leads to rds_iam', async () => {
    await server.sql('CREATE ROLE iam_group; GRANT rds_iam TO iam_group');
    if (setup.major >= 16) {
      await server.sql('GRANT iam_group TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
    await stack.create('A', removed('DISABLE'));
    const admin = await session(server, 'postgres', { password: server.master.password });
    await admin.query('GRANT iam_group TO leaver');
    await stack.delete('A', removed('DISABLE'));
    await expect(server.sql("SELECT FROM pg_auth_members WHERE member = 'leaver'::regrole")).resolves.toEqual([]);
    await server.sql('DROP ROLE iam_group');
    await dropKept();
  });

  full.test('names what is left to an open transaction of another user, whose session it does not end', async () => {
    stack = new Stack(server, { clock: HURRIED });
    await stack.create('A', leaver);
    await server.sql('ALTER ROLE legacy CREATEROLE');
    if (setup.major >= 16) {
      await server.sql('GRANT leaver TO legacy WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
    const legacy = await session(server, 'legacy', { password: 'l', application_name: "o'ther" });
    await legacy.query('BEGIN; ALTER ROLE leaver CONNECTION LIMIT 5');
    expect(await failure(stack.delete('A', leaver))).toMatch(
      /^cannot forbid "leaver" to log in: .* \(SQLSTATE 55P03\), held by pid \d+ \(role legacy, application "o'ther", connected for \S+\); its tokens are not accepted any more/,
    );
    expect(await isOpen(legacy)).toBe(true);
    expect(await canSignIn('leaver')).toBe(false);
    await legacy.query('ROLLBACK');
    await stack.delete('A', leaver);
    await server.sql('ALTER ROLE legacy NOCREATEROLE');
  });

  if (setup.major >= 16 && setup.roleRules === 'plain') {
    full.test(
      'refuses tokens although the admin has no right to the role any more, as after an upgrade, and says what to run',
      async () => {
        await stack.create('A', leaver);
        await server.sql('REVOKE leaver FROM postgres CASCADE');
        expect(await failure(stack.delete('A', leaver))).toBe(
          'cannot forbid "leaver" to log in: permission denied to alter role (SQLSTATE 42501); '
          + 'its tokens are not accepted any more, but a password that it has set itself may still work; '
          + 'the admin needs ADMIN OPTION on the role, which no role has on those made before an upgrade from PostgreSQL 15: '
          + 'let a superuser or rds_superuser run GRANT "leaver" TO "postgres" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE, and delete again',
        );
        expect(await canSignIn('leaver')).toBe(false);
        await server.sql('GRANT leaver TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
        await stack.delete('A', leaver);
      },
    );

    full.test('ends the login although the membership in rds_iam is not the admin\'s to revoke', async () => {
      await stack.create('A', leaver);
      await server.sql('REVOKE rds_iam FROM leaver GRANTED BY postgres; GRANT rds_iam TO leaver');
      await stack.delete('A', leaver);
      expect(await users(server)).toEqual(['friend', 'legacy']);
    });
  }

  full.test('goes on for the others of a list when one of them cannot be ended', async () => {
    stack = new Stack(server, { clock: HURRIED });
    const list = { usernames: ['ann', 'leaver', 'zoe'], onRemoval: { Action: 'DISABLE' as const } };
    await stack.create('A', list);
    const open = await session(server, 'leaver');
    await open.query("BEGIN; ALTER ROLE leaver PASSWORD 'its own'; PREPARE TRANSACTION 'x'");
    expect(await failure(stack.delete('A', list))).toContain('cannot forbid "leaver" to log in: ');
    await expect(
      server.sql("SELECT rolname::text AS name FROM pg_roles WHERE rolname IN ('ann', 'zoe') AND rolcanlogin"),
    ).resolves.toEqual([]);
    expect([await canSignIn('ann'), await canSignIn('leaver'), await canSignIn('zoe')]).toEqual([false, false, false]);
    await server.sql("ROLLBACK PREPARED 'x'");
    await stack.delete('A', { ...list, onRemoval: { Action: 'DROP_OR_DISABLE' } });
    expect(await users(server)).toEqual(['friend', 'legacy']);
  });

  full.test('hardly waits for the others when many of a list keep their login, and names them', async () => {
    stack = new Stack(server, { clock: HURRIED });
    const usernames = Array.from({ length: 6 }, (_, n) => `kept${n}`);
    const list = { usernames, onRemoval: { Action: 'DISABLE' as const } };
    await stack.create('A', list);
    for (const username of usernames) {
      const open = await session(server, username);
      await open.query(`BEGIN; ALTER ROLE ${username} PASSWORD 'its own'; PREPARE TRANSACTION '${username}'`);
    }
    const asked = jest.spyOn(Client.prototype, 'query');
    expect(await failure(stack.delete('A', list))).toMatch(
      /^cannot forbid "kept0" to log in and of 5 more: .*held by prepared transaction 'kept0'/);
    const texts = asked.mock.calls.map(([query]) => (query as unknown as { text?: string }).text ?? '');
    asked.mockRestore();
    const hurried = texts.findIndex(text => text.includes("'lock_timeout', '100'"));
    const attempts = texts.map((text, n) => /ALTER USER "kept\d" NOLOGIN/.test(text) ? n : -1).filter(n => n >= 0);
    expect(attempts.filter(n => n > hurried).length).toBeGreaterThanOrEqual(4);
    expect(hurried).toBeGreaterThan(attempts[0]);
    expect(await Promise.all(usernames.map(canSignIn))).toEqual(usernames.map(() => false));
    for (const username of usernames) {
      await server.sql(`ROLLBACK PREPARED '${username}'`);
    }
    await stack.delete('A', { ...list, onRemoval: { Action: 'DROP_OR_DISABLE' } });
    expect(await users(server)).toEqual(['friend', 'legacy']);
  });

  test('waits for a member of pg_write_all_data that locks the registry in a prepared transaction, and names it', async () => {
    await stack.create('A', leaver);
    await server.sql('GRANT pg_write_all_data TO leaver');
    const open = await session(server, 'leaver');
    await open.query("BEGIN; LOCK TABLE cdk_aurora_iam_auth.managed_role; PREPARE TRANSACTION 'x'");
    // Eight seconds of patience are left, in which it sees who holds the lock.
    let asked = 0;
    const clock = { now: () => asked++ === 0 ? 0 : 42_000 + performance.now() - start, sleep: setTimeout };
    const start = performance.now();
    const reason = await failure(new Stack(server, { clock }).delete('A', leaver));
    const hasAccess = await canSignIn('leaver');
    await server.sql("ROLLBACK PREPARED 'x'");
    expect(reason).toMatch(
      /^cannot read the registry: canceling statement due to lock timeout \(SQLSTATE 55P03\), held by prepared transaction 'x' \(role leaver, database postgres\); /,
    );
    expect(hasAccess).toBe(true);
    await stack.delete('A', leaver);
    expect(await users(server)).toEqual(['friend', 'legacy']);
  });

  full.test('does not believe a role that signs in with a password and waits for whatever it can', async () => {
    await stack.create('A', leaver);
    await expect(signIn(server, 'legacy', 'l', 'postgres')).resolves.toBe('legacy');
    const open = await session(server, 'leaver');
    await open
      .query(
        'SELECT pg_advisory_lock(1684174195, 1); BEGIN; LOCK TABLE pg_auth_members, pg_authid IN ACCESS SHARE MODE',
      )
      .catch(() => undefined);
    await stack.delete('A', leaver);
    expect(await users(server)).toEqual(['friend', 'legacy']);
  });
});
