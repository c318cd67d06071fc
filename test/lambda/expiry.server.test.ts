import { Clock } from '../../lambda/shared/clock';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, signIn, signInWithToken, Stack, throughConnections, trust, User } from './stack';
import { closeSessions, isOpen, userSession } from './user-session';

const HOUR = 3_600_000;

/** The time of the functions, which tests turn. What passes while they work does not count. */
let date = Date.parse('2027-01-31T12:00:00.000Z');
const clock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds) => {
    date += milliseconds;
    return Promise.resolve();
  },
  date: () => date,
};

describe.each(setupsOver({
  'connections': ['14'],
  'the Data API': [],
}))('access that ends on PostgreSQL $name over $transport', ({ major, roleRules, transport }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true, settings: { max_prepared_transactions: '10' } });
    trust(server.caCertificate);
    await server.sql('SET ROLE postgres; CREATE TABLE things AS SELECT 1 AS id; RESET ROLE', [], 'shop');
  });
  beforeEach(() => stack = newStack());
  afterEach(closeSessions);
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const newStack = (name?: string, unique?: string) => new Stack(server, {
    clock, name, unique, transport: transport === 'connections' ? throughConnections(server) : throughDataApi(server),
  });
  const canSignIn = (username: string) => signInWithToken(server, username).then(() => true, () => false);
  const auditor = (expiresAt?: number, more: Partial<User> = {}): User => ({
    username: 'auditor', privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Tables: { '*': ['SELECT'] } } } } },
    ...expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }, ...more,
  });
  const other: User = { username: 'other' };
  const end = () => date + HOUR;
  const notices = () => stack.log.map(({ notice }) => notice);

  test('login, rds_iam and sessions end at the event of the schedule; what the user holds stays, and so do all other users', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    await stack.create('B', other);
    const [mine, theirs] = [await userSession(server, 'auditor'), await userSession(server, 'other')];
    await stack.expire();
    expect([await isOpen(mine), await canSignIn('auditor')]).toEqual([true, true]);

    date = expiresAt;
    await stack.expire();
    expect([await isOpen(mine), await canSignIn('auditor')]).toEqual([false, false]);
    expect([await isOpen(theirs), await canSignIn('other')]).toEqual([true, true]);
    const [role] = await server.sql(`SELECT rolcanlogin AS login, pg_has_role(oid, 'rds_iam', 'MEMBER') AS token, has_database_privilege(oid, 'shop', 'CONNECT') AS connect
      FROM pg_roles WHERE rolname = 'auditor'`);
    expect(role).toEqual({ login: false, token: false, connect: true });
    expect(stack.log).toContainEqual(expect.objectContaining({ notice: 'access ended', names: 'auditor', count: 1 }));
    await stack.expire();
    expect(stack.log.at(-2)).toMatchObject({ notice: 'expiry checked', names: '', count: 0 });
    await stack.delete('A', auditor(expiresAt));
    await stack.delete('B', other);
  });

  full.test('of a role whose record is not understood it is not known, and the event of the schedule fails once that of others has ended', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    await stack.create('B', other);
    date = expiresAt;
    const ofFormat = (format: number) => server.sql(`UPDATE cdk_aurora_iam_auth.managed_role SET declarations = jsonb_set(declarations, '{format}', '${format}') WHERE username = 'other'`);
    await ofFormat(9);
    await expect(stack.expire()).rejects.toThrow('it is not known whether the access of "other" has ended: ');
    expect([await canSignIn('auditor'), await canSignIn('other')]).toEqual([false, true]);
    await ofFormat(1);
    await stack.delete('A', auditor(expiresAt));
    await stack.delete('B', other);
  });

  full.test('an event that comes before its time by a moment waits for it; one that comes much too early does nothing', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    date = expiresAt - 31_000;
    await stack.expire();
    expect(date).toBe(expiresAt - 31_000);
    expect(await canSignIn('auditor')).toBe(true);
    date = expiresAt - 900;
    await stack.expire();
    expect(date).toBeGreaterThanOrEqual(expiresAt);
    expect(await canSignIn('auditor')).toBe(false);
    await stack.delete('A', auditor(expiresAt));
  });

  test('no event gives it back but one that declares a later time', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    date = expiresAt;
    await stack.expire();
    await stack.update('A', auditor(expiresAt, { reapply: 'again' }));
    expect(await canSignIn('auditor')).toBe(false);
    expect(stack.log).toContainEqual({
      notice: 'expired', requestId: 'invocation', action: 'Update', logicalId: 'A', role: 'auditor', expiresAt: new Date(expiresAt).toISOString(),
      note: 'its access has ended: it has neither login nor rds_iam; a later expiresAt gives them back',
    });
    // What fails is undone, and the next try declares the same.
    await expect(stack.update('A', auditor(expiresAt, { memberOf: ['nobody'] }))).rejects.toThrow('nobody');
    expect(await canSignIn('auditor')).toBe(false);
    // Given back by hand.
    await server.sql('SET ROLE postgres; ALTER ROLE auditor LOGIN; GRANT rds_iam TO auditor; RESET ROLE');
    await stack.update('A', auditor(expiresAt));
    expect(await canSignIn('auditor')).toBe(false);

    await stack.update('A', auditor(expiresAt + HOUR));
    expect(await canSignIn('auditor')).toBe(true);
    // A rollback.
    await stack.update('A', auditor(expiresAt));
    expect(await canSignIn('auditor')).toBe(false);
    await stack.update('A', auditor());
    expect(await canSignIn('auditor')).toBe(true);
    await stack.delete('A', auditor());
  });

  test('a late event of an earlier declaration is not carried out', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    const physicalId = stack.physicalIdOf('A');
    const open = await userSession(server, 'auditor');
    await stack.update('A', auditor(date - 1));
    expect([await isOpen(open), await canSignIn('auditor')]).toEqual([false, false]);
    const late = stack.send({ RequestType: 'Update', LogicalResourceId: 'A', PhysicalResourceId: physicalId, sentAt: 1_000_000_000_000 }, auditor(expiresAt));
    await expect(late).rejects.toThrow('CloudFormation has sent another event for A since');
    expect(await canSignIn('auditor')).toBe(false);
    await stack.delete('A', auditor(expiresAt));
  });

  test('if the event of the schedule is lost, the next one of any resource of any stack ends it, and the check for drift reports it', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    const open = await userSession(server, 'auditor');
    date = expiresAt;
    const { driftedRoles, resources } = await stack.drift();
    expect([driftedRoles, resources.flatMap(({ changes }) => changes.flatMap(({ sql }) => sql))]).toEqual([1, ['REVOKE rds_iam FROM "auditor" CASCADE', 'ALTER USER "auditor" NOLOGIN']]);
    expect(notices()).toContain('drift');
    expect([await isOpen(open), await canSignIn('auditor')]).toEqual([true, true]);

    await newStack('elsewhere').create('B', other);
    expect([await isOpen(open), await canSignIn('auditor'), await canSignIn('other')]).toEqual([false, false, true]);
    await expect(stack.drift()).resolves.toMatchObject({ driftedRoles: 0 });
    await newStack('elsewhere').delete('B', other, `${server.resourceId}/other/B`);
    await stack.delete('A', auditor(expiresAt));
  });

  test('if the event of the schedule is late by 15 minutes, the event that ends it raises the alarm of failures', async () => {
    const expiresAt = end();
    const failures = () => stack.log.filter(({ notice }) => notice === 'failed').map(({ reason }) => reason);
    for (const [late, reasons] of [[15 * 60_000 - 1, []], [15 * 60_000, [expect.stringMatching(
      /^"auditor" had access, or a membership, 15 minutes after its end: the event of the schedule did not end it, or it was given back by hand; this event ends it\. See whether/,
    )]]] as const) {
      await stack.create('A', auditor(expiresAt));
      date = expiresAt + late;
      await stack.create('B', other);
      expect([failures(), await canSignIn('auditor')]).toEqual([reasons, false]);
      date = expiresAt - HOUR;
      await stack.delete('B', other);
      await stack.delete('A', auditor(expiresAt));
    }
  });

  full.test('a removal ends it as well, of another user', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    await stack.create('B', other);
    date = expiresAt;
    await stack.delete('B', other);
    expect(await canSignIn('auditor')).toBe(false);
    await stack.delete('A', auditor(expiresAt));
  });

  full.test('a list of users ends together; a time in the past creates a user without access', async () => {
    const expiresAt = end();
    await stack.create('L', { usernames: ['ann', 'bob'], expiresAt: new Date(expiresAt) });
    await stack.create('P', auditor(date));
    expect([await canSignIn('ann'), await canSignIn('bob'), await canSignIn('auditor')]).toEqual([true, true, false]);
    const sessions = [await userSession(server, 'ann'), await userSession(server, 'bob')];
    date = expiresAt;
    await stack.expire();
    expect(await Promise.all(sessions.map(isOpen))).toEqual([false, false]);
    expect(stack.log).toContainEqual(expect.objectContaining({ notice: 'access ended', names: 'ann, bob', count: 2 }));
    await stack.delete('L', { usernames: ['ann', 'bob'] });
    await stack.delete('P', auditor(date));
  });

  full.test('a plan says what an event would do', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    date = expiresAt;
    const { resources: [plan] } = await stack.plan({ logicalId: 'A', declared: auditor(expiresAt, { reapply: '1' }), before: auditor(expiresAt) });
    expect(plan.changes.flatMap(({ sql }) => sql)).toEqual(['REVOKE rds_iam FROM "auditor" CASCADE', 'ALTER USER "auditor" NOLOGIN']);
    expect(plan.notes).toContainEqual(expect.objectContaining({ notice: 'expired', role: 'auditor' }));
    expect(await canSignIn('auditor')).toBe(true);
    await stack.delete('A', auditor(expiresAt));
  });

  full.test('members of the user keep what they have through it, and their sessions', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    await stack.create('M', { username: 'member', memberOf: ['auditor'] });
    const open = await userSession(server, 'member');
    date = expiresAt;
    await stack.expire();
    expect(await isOpen(open)).toBe(true);
    await expect(open.query('SELECT * FROM things')).resolves.toMatchObject({ rows: [{ id: 1 }] });
    await stack.delete('M', { username: 'member' });
    await stack.delete('A', auditor(expiresAt));
  });

  full.test('a user that is renamed, moved to another construct, or kept when its construct goes', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    await stack.update('A', auditor(expiresAt, { username: 'renamed' }));
    await stack.create('Moved', auditor(expiresAt + HOUR, { username: 'renamed' }));
    date = expiresAt;
    await stack.expire();
    expect(await canSignIn('renamed')).toBe(true);
    await stack.delete('A', auditor(expiresAt, { username: 'renamed' }));
    expect(await canSignIn('renamed')).toBe(true);
    await stack.update('Moved', auditor(expiresAt + HOUR, { username: 'renamed', onRemoval: { Action: 'RETAIN' } }));
    await stack.delete('Moved', auditor(expiresAt + HOUR, { username: 'renamed', onRemoval: { Action: 'RETAIN' } }));
    expect(await canSignIn('renamed')).toBe(true);
    date = expiresAt + HOUR;
    await stack.expire();
    expect(await canSignIn('renamed')).toBe(false);
    await stack.create('New', auditor(undefined, { username: 'renamed' }));
    expect(await canSignIn('renamed')).toBe(true);
    await stack.delete('New', auditor(undefined, { username: 'renamed' }));
  });

  test('a user cannot keep its access by a change to its own role that it leaves open', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    const open = await userSession(server, 'auditor');
    await open.query("BEGIN; ALTER ROLE auditor PASSWORD 'its own'");
    date = expiresAt;
    await stack.expire();
    expect([await isOpen(open), await canSignIn('auditor')]).toEqual([false, false]);
    await expect(signIn(server, 'auditor', 'its own')).rejects.toThrow();
    await stack.delete('A', auditor(expiresAt));
  });

  full.test('one whose login cannot be ended fails the event of the schedule, and no event of others', async () => {
    const expiresAt = end();
    await stack.create('A', auditor(expiresAt));
    const holder = await userSession(server, 'auditor');
    await holder.query("BEGIN; ALTER ROLE auditor PASSWORD 'its own'; PREPARE TRANSACTION 'held'");
    date = expiresAt;
    const reason = await failure(stack.expire());
    expect(reason).toMatch(/^cannot forbid "auditor" to log in: .*or roll the prepared transaction back as that role, and deploy again$/);
    expect(stack.log.at(-1)).toMatchObject({ notice: 'failed', reason });
    await stack.create('B', other);
    expect(stack.log).toContainEqual(expect.objectContaining({ notice: 'access not ended' }));
    expect(await canSignIn('other')).toBe(true);
    await server.sql("ROLLBACK PREPARED 'held'", [], 'shop');
    await stack.expire();
    expect(await canSignIn('auditor')).toBe(false);
    await stack.delete('A', auditor(expiresAt));
    await stack.delete('B', other);
  });

  full.test('where nothing is managed the event finds nothing, and leaves nothing', async () => {
    await stack.expire();
    expect(stack.log.at(-2)).toMatchObject({ notice: 'expiry checked', count: 0 });
  });
});
