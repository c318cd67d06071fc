import { Client } from 'pg';
import { Clock } from '../../lambda/shared/clock';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { FULL, full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { Faults } from './faults';
import { throughDataApi } from './over-data-api';
import { Role, setupsOver, signInWithToken, Stack, throughConnections, trust, User } from './stack';
import { closeSessions, isOpen, userSession } from './user-session';

const HOUR = 3_600_000;

/** The time of the functions, which tests turn. What passes while they work does not count. */
let date = Date.parse('2027-01-31T12:00:00.000Z');
let slept = 0;
/** Turns the time at one of the next looks at it. */
let turn: { looks: number; readonly to: number } | undefined;
const clock: Clock = {
  now: () => performance.now() + slept,
  sleep: (milliseconds) => {
    slept += milliseconds;
    return Promise.resolve();
  },
  date: () => {
    if (turn && turn.looks-- === 0) {
      date = turn.to;
      turn = undefined;
    }
    return date;
  },
};

describe.each(setupsOver({
  'connections': ['14'],
  'the Data API': [],
}))('a membership that ends on PostgreSQL $name over $transport', ({ major, roleRules, transport }) => {
  let server: AuroraLikeServer;
  let faults: Faults;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
    await server.sql('SET ROLE postgres; CREATE TABLE things AS SELECT 1 AS id; RESET ROLE', [], 'shop');
    faults = Faults.install(transport);
  });
  beforeEach(() => stack = newStack());
  afterEach(closeSessions);
  everythingIsAsBefore(() => server);
  afterAll(async () => {
    Faults.uninstall();
    await server.stop();
  });

  const newStack = (name?: string) =>
    new Stack(server, {
      clock,
      name,
      transport: transport === 'connections' ? throughConnections(server) : throughDataApi(server),
    });
  const canSignIn = (username: string) => signInWithToken(server, username).then(() => true, () => false);
  const support: Role = {
    roleName: 'support',
    privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Tables: { '*': ['SELECT'] } } } } },
  };
  const ada = (expiresAt?: number, more: Partial<User> = {}): User => ({
    username: 'ada',
    connect: ['shop'],
    memberOf: ['support'],
    ...(expiresAt === undefined ? {} : { membershipExpiresAt: { support: expiresAt } }),
    ...more,
  });
  const other: User = { username: 'other', memberOf: ['support'] };
  const end = () => date + HOUR;
  const isMember = async (username = 'ada', group = 'support') =>
    (
      await server.sql<{ is: boolean }>(
        `SELECT EXISTS (SELECT FROM pg_auth_members WHERE member = '${username}'::regrole AND roleid = '${group}'::regrole) AS is`,
      )
    )[0].is;
  const marks = async () =>
    (await server.sql("SELECT FROM cdk_aurora_iam_auth.managed_role WHERE declarations ->> 'endSessions' IS NOT NULL"))
      .length;

  /**
   * Ada, who may read things as a member of support, and another member, each with a session that acts as the group.
   */
  async function members(expiresAt?: number): Promise<Record<'ada' | 'other', Client>> {
    await stack.create('G', support);
    await stack.create('A', ada(expiresAt));
    await stack.create('O', other);
    const sessions = { ada: await userSession(server, 'ada'), other: await userSession(server, 'other') };
    await Promise.all(Object.values(sessions).map(client => client.query('SET ROLE support')));
    return sessions;
  }
  async function remove(): Promise<void> {
    await stack.delete('O', other);
    await stack.delete('A', ada());
    await stack.delete('G', support);
  }

  test('it and the sessions that may act as the group end at the event of the schedule; the login stays, and so do all other users', async () => {
    const expiresAt = end();
    const sessions = await members(expiresAt);
    await stack.expire();
    await expect(sessions.ada.query('SELECT * FROM things')).resolves.toMatchObject({ rows: [{ id: 1 }] });

    date = expiresAt;
    await stack.expire();
    expect([await isMember(), await isOpen(sessions.ada), await canSignIn('ada')]).toEqual([false, false, true]);
    expect([await isMember('other'), await isOpen(sessions.other)]).toEqual([true, true]);
    const again = await userSession(server, 'ada');
    await expect(again.query('SET ROLE support')).rejects.toThrow('permission denied to set role "support"');
    await expect(again.query('SELECT * FROM things')).rejects.toThrow('permission denied for table things');
    expect(stack.log).toContainEqual(
      expect.objectContaining({ notice: 'memberships ended', names: 'ada in support', count: 1 }),
    );
    expect(await marks()).toBe(0);

    await stack.expire();
    expect(await isOpen(again)).toBe(true);
    expect(stack.log.at(-2)).toMatchObject({ notice: 'expiry checked', names: '', count: 0 });
    await remove();
  });

  full.test('no event gives it back but one that declares a later time', async () => {
    const expiresAt = end();
    await members(expiresAt);
    date = expiresAt;
    await stack.expire();
    await stack.update('A', ada(expiresAt, { reapply: 'again' }));
    expect(await isMember()).toBe(false);
    expect(stack.log).toContainEqual(
      expect.objectContaining({
        notice: 'expired',
        role: 'ada',
        memberOf: 'support',
        expiresAt: new Date(expiresAt).toISOString(),
        note: 'its membership has ended; a later expiresAt gives it back',
      }),
    );
    // What fails is undone, and the next try declares the same.
    await expect(stack.update('A', ada(expiresAt, { memberOf: ['nobody', 'support'] }))).rejects.toThrow('nobody');
    expect(await isMember()).toBe(false);
    // Given back by hand.
    await server.sql('SET ROLE postgres; GRANT support TO ada; RESET ROLE');
    const open = await userSession(server, 'ada');
    await stack.update('A', ada(expiresAt));
    expect([await isMember(), await isOpen(open)]).toEqual([false, false]);

    await stack.update('A', ada(expiresAt + HOUR));
    expect(await isMember()).toBe(true);
    // Shortened, or rolled back.
    await stack.update('A', ada(date - 1));
    expect(await isMember()).toBe(false);
    await stack.update('A', ada());
    expect(await isMember()).toBe(true);
    await remove();
  });

  test('if the event of the schedule is lost, the next one of any resource of any stack ends it, and the check for drift reports it', async () => {
    const expiresAt = end();
    const sessions = await members(expiresAt);
    date = expiresAt;
    const { driftedRoles, resources } = await stack.drift();
    expect([driftedRoles, resources.flatMap(({ changes }) => changes.flatMap(({ sql }) => sql))]).toEqual([
      1,
      ['REVOKE "support" FROM "ada" CASCADE'],
    ]);
    expect([await isMember(), await isOpen(sessions.ada)]).toEqual([true, true]);
    const guest: User = { username: 'guest' };
    const elsewhere = newStack('elsewhere');
    await elsewhere.create('B', guest);
    expect([await isMember(), await isOpen(sessions.ada), await isOpen(sessions.other)]).toEqual([false, false, true]);
    await expect(stack.drift()).resolves.toMatchObject({ driftedRoles: 0 });
    const {
      resources: [plan],
    } = await stack.plan({ logicalId: 'A', declared: ada(expiresAt, { reapply: '1' }), before: ada(expiresAt) });
    expect([plan.changes, plan.notes]).toEqual([
      [],
      [expect.objectContaining({ notice: 'expired', role: 'ada', memberOf: 'support' })],
    ]);
    await elsewhere.delete('B', guest);
    await remove();
  });

  test('while a deployment of its user is at work: the event of the schedule, which waits, ends the sessions', async () => {
    for (const looks of FULL ? [1, 2, 3, 4, 5] : [1]) {
      const expiresAt = end();
      const { ada: open, other: others } = await members(expiresAt);
      turn = { looks, to: expiresAt };
      await stack.update(
        'A',
        ada(expiresAt, {
          privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Tables: { things: ['SELECT'] } } } } },
        }),
      );
      turn = undefined;
      date = expiresAt;
      await stack.expire();
      expect({ looks, found: [await isMember(), await isOpen(open), await isOpen(others), await marks()] }).toEqual({
        looks,
        found: [false, false, true, 0],
      });
      await remove();
    }
  });

  test('through which the admin connects to a database without CONNECT of PUBLIC: it gets CONNECT of its own first', async () => {
    const [expiresAt, of] = [end(), { database: 'shop', revoked: { Database: ['CONNECT'] } }];
    const team: Role = { roleName: 'team', memberOf: ['gate'], membershipExpiresAt: { gate: expiresAt } };
    await stack.create('G', { roleName: 'gate', connect: ['shop'] });
    await stack.create('T', team);
    await server.sql(
      `ALTER DATABASE shop OWNER TO rds_superuser; REVOKE CONNECT ON DATABASE shop FROM rds_superuser; GRANT team TO postgres${major < 16 ? '' : ' WITH INHERIT TRUE'}`,
    );
    await stack.create('P', of);
    date = expiresAt;
    await stack.expire();
    expect(await isMember('team', 'gate')).toBe(false);
    await expect(
      server.sql("SELECT has_database_privilege('postgres', 'shop', 'CONNECT') AS connects"),
    ).resolves.toEqual([{ connects: true }]);
    await stack.delete('P', of);
    await stack.delete('T', team);
    await stack.delete('G', { roleName: 'gate' });
    await server.sql(
      'REVOKE CONNECT ON DATABASE shop FROM postgres; GRANT CONNECT ON DATABASE shop TO rds_superuser; ALTER DATABASE shop OWNER TO postgres',
    );
  });

  test('in the past, of a role that is taken over before there is a registry', async () => {
    await server.sql(
      `CREATE ROLE support; CREATE ROLE ada; ${major < 16 ? '' : 'GRANT support, ada TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; '}SET ROLE postgres; GRANT support TO ada; RESET ROLE`,
    );
    await stack.create('A', ada(date - HOUR, { adoptExisting: true }));
    expect([await isMember(), await canSignIn('ada')]).toEqual([false, true]);
    await stack.delete('A', ada());
    await server.sql('DROP ROLE support');
  });

  full.test('an update that takes it out when it is over, and fails, does not give it back', async () => {
    const expiresAt = end();
    const { ada: open } = await members(expiresAt);
    date = expiresAt;
    await expect(
      stack.update('A', { username: 'ada', privileges: { nowhere: { Database: ['CONNECT'] } } }),
    ).rejects.toThrow('nowhere');
    expect([await isMember(), await isOpen(open)]).toEqual([false, false]);
    await remove();
  });

  full.test(
    'one in the past is not granted; a list loses it together; members of a group role lose what came through it',
    async () => {
      const expiresAt = end();
      await stack.create('G', support);
      await stack.create('T', { roleName: 'team', memberOf: ['support'], membershipExpiresAt: { support: expiresAt } });
      await stack.create('A', { username: 'ada', memberOf: ['team'] });
      await stack.create('L', {
        usernames: ['ann', 'bob'],
        memberOf: ['support'],
        membershipExpiresAt: { support: expiresAt },
      });
      await stack.create('P', {
        username: 'past',
        memberOf: ['support', 'team'],
        membershipExpiresAt: { support: date },
      });
      expect([await isMember('past'), await isMember('past', 'team')]).toEqual([false, true]);
      const sessions = await Promise.all(['ada', 'ann', 'bob'].map(name => userSession(server, name)));
      await sessions[0].query('SET ROLE support');
      date = expiresAt;
      await stack.expire();
      expect(await Promise.all(sessions.map(isOpen))).toEqual([false, false, false]);
      expect([
        await isMember('team'),
        await isMember('ada', 'team'),
        await isMember('ann'),
        await isMember('bob'),
      ]).toEqual([false, true, false, false]);
      await stack.delete('P', { username: 'past' });
      await stack.delete('L', { usernames: ['ann', 'bob'] });
      await stack.delete('A', { username: 'ada' });
      await stack.delete('T', { roleName: 'team' });
      await stack.delete('G', support);
    },
  );

  // What a function leaves that is killed, the Data API keeps for minutes.
  (transport === 'connections' ? test : test.skip)(
    'a function that is killed in the middle: the next event ends what is left of it',
    async () => {
      const expiresAt = end();
      const { other: theirs } = await members(expiresAt);
      const acting = async () => {
        const client = await userSession(server, 'ada');
        await client.query('SET ROLE support');
        date = expiresAt;
        return client;
      };
      const again = async (reapply: string) => {
        date = expiresAt - HOUR;
        await stack.update('A', ada(expiresAt, { reapply }));
      };
      await acting();
      const asked = await faults.during([], () => stack.expire());
      const left: unknown[] = [];
      for (const at of [...asked.keys()].filter(n => FULL || asked[n].endsWith('COMMIT'))) {
        await again(`${at}`);
        const mine = await acting();
        let dead = false;
        const fault = { at, breaks: 'after' as const, effect: () => void (dead = true), lasts: () => dead };
        await faults.during([fault], () => stack.expire().catch(() => undefined));
        left.push([await isMember(), await isOpen(mine), await marks()]);
        await newStack().expire();
        expect({
          at,
          member: await isMember(),
          open: await isOpen(mine),
          marks: await marks(),
          theirs: await isOpen(theirs),
        }).toEqual({ at, member: false, open: false, marks: 0, theirs: true });
      }
      // Between the commit and the end of the sessions.
      expect(left).toContainEqual([false, true, 1]);
      await remove();
    },
  );

  full.test('a session that signs in as the group at that moment, and is not seen yet, ends as well', async () => {
    const expiresAt = end();
    await members(expiresAt);
    const late = userSession(server, 'ada', { options: '-c role=support -c post_auth_delay=5' }).then(client =>
      client.query('SELECT * FROM things'),
    );
    const outcome = late.then(() => 'reads', (error: Error) => error.message);
    // Until it is there.
    for (let seen = false; !seen;) {
      seen
        = (
          await server.sql(`SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'virtualxid' AND a.usesysid IS NULL AND a.backend_type IS DISTINCT FROM 'autovacuum worker'`)
        ).length > 0;
    }
    date = expiresAt;
    await stack.expire();
    expect(await outcome).not.toBe('reads');
    await remove();
  });

  full.test(
    'that another role has granted as well is left to that from PostgreSQL 16 on, and logged once',
    async () => {
      const expiresAt = end();
      await members(expiresAt);
      await server.sql(
        'CREATE ROLE dba; GRANT support TO dba WITH ADMIN OPTION; SET ROLE dba; GRANT support TO ada; RESET ROLE',
      );
      const left = () => stack.log.splice(0).filter(({ notice }) => notice === 'not taken back');
      date = expiresAt;
      await stack.expire();
      expect(await isMember()).toBe(major >= 16);
      expect(left()).toEqual(
        major < 16
          ? []
          : [
              expect.objectContaining({
                change: 'revoke role "support" from "ada"',
                reason: '"dba" has granted it as well, so "ada" is still a member',
              }),
            ],
      );
      await stack.expire();
      expect(left()).toEqual([]);
      await server.sql('REVOKE support FROM dba CASCADE; DROP ROLE dba');
      await remove();
    },
  );

  full.test('of a user that another construct declares too, the longer one counts', async () => {
    const expiresAt = end();
    await members(expiresAt);
    await stack.create('Moved', ada(expiresAt + HOUR));
    date = expiresAt;
    await stack.expire();
    expect(await isMember()).toBe(true);
    await stack.delete('A', ada(expiresAt));
    date = expiresAt + HOUR;
    await stack.expire();
    expect(await isMember()).toBe(false);
    await stack.delete('O', other);
    await stack.delete('Moved', ada(expiresAt + HOUR));
    await stack.delete('G', support);
  });

  full.test('a group that is renamed, by a deployment or by hand', async () => {
    const expiresAt = end();
    await members(expiresAt);
    await stack.update('G', { ...support, roleName: 'helpers' });
    await server.sql('SET ROLE postgres; ALTER ROLE helpers RENAME TO by_hand; RESET ROLE');
    date = expiresAt;
    await stack.expire();
    expect(await isMember('ada', 'by_hand')).toBe(false);
    await server.sql('SET ROLE postgres; ALTER ROLE by_hand RENAME TO helpers; RESET ROLE');
    await stack.update('G', support);
    await remove();
  });
});
