import { Admin } from '../../lambda/provisioner/transport/credentials';
import { AdminAccess, Transport } from '../../lambda/provisioner/transport/session';
import { ServerError } from '../../lambda/provisioner/errors';
import { explain } from '../../lambda/provisioner/remedies/server';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, FULL, full } from '../full';
import { skippingClock, sleepingClock } from './clocks';
import { Faults } from './faults';
import { throughDataApi } from './over-data-api';
import {
  Declared,
  failure,
  signIn,
  signInWithToken,
  snapshot,
  Stack,
  StackOptions,
  throughConnections,
  trust,
} from './stack';

const MAJORS = FULL ? [16, 17, 18] as const : [17] as const;

const USER = { username: 'orders' };
const TABLES = { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } };
const GROUP = { roleName: 'readers' };

/** What makes the admin a member, with ADMIN OPTION alone, of a role that has rds_iam. */
const LOCKING: [string, Declared][] = [
  ['a user', USER],
  ['a user with privileges in two databases',
    { username: 'orders',
      privileges: Object.fromEntries(
        ['shop', 'stock'].map(database => [database, { Database: ['CONNECT'], Schemas: { public: TABLES } }]),
      ) }],
  ['a user that is a member of a group', { username: 'orders', memberOf: ['analysts'] }],
  ['a list of users', { usernames: ['ann', 'bob'] }],
  ['a user that owns a schema',
    { username: 'orders', privileges: { shop: { Database: ['CONNECT'], Schemas: { orders: { Owner: 'true' } } } } }],
  ['a role that is adopted', { username: 'found', adoptExisting: true }],
];

const REASON
  = 'the admin could not sign in with its password once this was committed (the server asks for clear text), so it is undone; '
    + 'from PostgreSQL 16 on the admin has ADMIN OPTION on the users it creates, and this server takes that for a membership in rds_iam; '
    + 'make the admin a member of rds_iam (GRANT rds_iam TO <admin>), and pass admin: AdminCredentials.fromIam(), over a connection';

/**
 * Whether RDS lets an admin in with its password that has ADMIN OPTION on its users is not documented. This one does
 * not.
 */
describe.each(MAJORS)('a login that counts every membership, on PostgreSQL %i', (major) => {
  let server: AuroraLikeServer;
  let untouched: unknown;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({
      major,
      roleRules: 'strict',
      databases: ['shop', 'stock'],
      authorize: () => true,
    });
    trust(server.caCertificate);
    await server.sql(`SET ROLE ${server.master.username}; CREATE ROLE analysts; CREATE ROLE found; RESET ROLE`);
    untouched = await snapshot(server);
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    Faults.uninstall();
    await expect(snapshot(server)).resolves.toEqual(untouched);
    await expect(passwordWorks()).resolves.toBe(true);
  });

  const passwordWorks = () =>
    signIn(server, 'postgres', server.master.password, 'postgres').then(
      () => true,
      () => false,
    );

  const connections = (admin: () => Admin = () => server.master) => throughConnections(server, { admin });

  /** As `AdminCredentials.fromIam` has it deployed. */
  const asFromIam = () =>
    connections(() => ({
      username: 'postgres',
      password: () => Promise.resolve(server.token('provisioner', 'postgres')),
    }));

  /** What happens when it is asked whether the admin gets in. */
  const confirming
    = (inner: Transport, confirm: (access: AdminAccess) => Promise<void>): Transport =>
      async (...args) => {
        const access = await inner(...args);
        return { ...access, confirm: () => confirm(access) };
      };

  const newStack = (options: StackOptions = {}) =>
    new Stack(server, { transport: connections(), clock: skippingClock(), ...options });
  const notices = (stack: Stack) => stack.log.map(({ notice }) => notice);

  describe('keeps out an admin with a password that has made a user', () => {
    test.each(firstOf(1, LOCKING))(
      '%s is undone: the reason names the way that works, and nothing is lost',
      async (_, declared) => {
        const stack = newStack();
        expect(await failure(stack.create('A', declared))).toBe(REASON);
        expect(notices(stack).filter(notice => notice.startsWith('und') || notice.startsWith('not '))).toEqual([
          'undoing',
        ]);
      },
    );

    test('a group role, which no identity signs in with, is as it is declared', async () => {
      const stack = newStack();
      await stack.create('G', { ...GROUP, memberOf: ['analysts'] });
      await stack.update('G', { roleName: 'writers' });
      await stack.delete('G', { roleName: 'writers' });
      expect(notices(stack)).not.toContain('undoing');
    });

    full.test('several at once: each is undone, and none of them is in the way of another', async () => {
      const stack = newStack();
      await stack.create('G', GROUP);
      const results = await Promise.all(
        ['ann', 'bob', 'eve'].map(name => failure(stack.create(name, { username: name, memberOf: ['readers'] }))),
      );
      expect(results).toEqual([REASON, REASON, REASON]);
      await stack.delete('G', GROUP);
    });

    full.test('through the Data API, whose sessions from before it do not count', async () => {
      const stack = newStack({ transport: throughDataApi(server) });
      expect(await failure(stack.create('A', USER))).toMatch(
        /^the admin could not sign in with its password once this was committed \(PAM authentication failed for user "postgres", SQLSTATE 28\w{3}\), so it is undone; .* AdminCredentials\.fromIam\(\), over a connection$/,
      );
    });

    full.test(
      'a connection that breaks at any message: undone as well, or where it breaks between commit and undo, and no session can be had for that, taken up with AdminCredentials.fromIam()',
      async () => {
        const faults = Faults.install();
        const asked = await faults.during([], () => failure(newStack().create('A', USER)));
        const lockedOut: number[] = [];
        const commits = [...asked.keys()].filter(at => asked[at].endsWith('COMMIT'));
        const [made] = commits;
        const places = [...asked.keys()].filter(
          at => FULL || at % 5 === 0 || (at >= made - 1 && at <= made + 2) || commits.includes(at),
        );
        for (const at of places) {
          await faults.during([{ at, breaks: 'after' }], async () =>
            expect(await failure(newStack().create('A', USER))).toContain('AdminCredentials.fromIam()'),
          );
          if (!await passwordWorks()) {
            lockedOut.push(at);
            await newStack({ transport: asFromIam() }).delete('A', USER);
          }
          await expect(passwordWorks()).resolves.toBe(true);
          // An empty schema that is the lock stays where the message is lost that would have dropped it.
          await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth_lock');
          expect({ at, message: asked[at], found: await snapshot(server) }).toEqual({
            at,
            message: asked[at],
            found: untouched,
          });
        }
        const undone = commits[1];
        expect({ lockedOut, outside: lockedOut.filter(at => at < made || at >= undone) }).toEqual({
          lockedOut: expect.arrayContaining([made]) as unknown,
          outside: [],
        });
      },
    );

    test('a function that is killed before it has asked: the next event says what to do, and AdminCredentials.fromIam() takes it up', async () => {
      const faults = Faults.install();
      const asked = await faults.during([], () => failure(newStack().create('A', USER)));
      let dead = false;
      const alive = connections();
      const mortal: Transport = (...args) => dead ? Promise.reject(new Error('dead')) : alive(...args);
      const at = asked.findIndex(message => message.endsWith('COMMIT'));
      await faults.during([{ at, breaks: 'after', effect: () => (dead = true), lasts: () => dead }], () =>
        failure(newStack({ transport: mortal }).create('A', USER)),
      );
      dead = false;
      expect(await failure(newStack().delete('A', USER))).toMatch(
        /the server asks for its password in clear text, .* Use AdminCredentials\.fromIam\(\)/,
      );
      const stack = newStack({ transport: asFromIam() });
      await stack.update('A', { ...USER, memberOf: ['analysts'] });
      await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
      await stack.delete('A', USER);
    });
  });

  describe('has the last word', () => {
    const refusing = (sqlState: string, message = 'no') =>
      explain(new ServerError(message, sqlState), { attempted: 'sign in' });

    test.each(firstOf(1, ['28P01', '28000']))('%s means undone', async (sqlState) => {
      const transport = confirming(connections(), () => Promise.reject(refusing(sqlState)));
      const stack = newStack({ transport, clock: sleepingClock() });
      expect(await failure(stack.create('A', USER))).toContain(
        `once this was committed (no, SQLSTATE ${sqlState}), so it is undone`,
      );
    });

    test('a password that is rotated meanwhile is read again, and is no refusal', async () => {
      const admins: Admin[] = [];
      let confirmed = 0;
      const reading = connections(() => admins[admins.push(server.master) - 1]);
      const transport = confirming(reading, async (access) => {
        await server.setMasterPassword(`rotated ${++confirmed}`);
        await access.confirm();
      });
      await newStack({ transport }).create('G', { ...GROUP, memberOf: ['analysts'] });
      expect({ confirmed, reads: admins.length }).toEqual({ confirmed: 1, reads: 2 });
      await newStack().delete('G', { ...GROUP, memberOf: ['analysts'] });
    });

    full.test('a secret that has not the new password yet is read until it has', async () => {
      const before = server.master;
      let reads = 0;
      const reading = connections(() => ++reads < 4 ? before : server.master);
      const transport = confirming(reading, async (access) => {
        await (reads === 1 ? server.setMasterPassword('slowly rotated') : undefined);
        await access.confirm();
      });
      const stack = newStack({ transport });
      await stack.create('G', { ...GROUP, memberOf: ['analysts'] });
      expect({ reads, again: notices(stack).filter(notice => notice === 'trying again').length }).toEqual({
        reads: 4,
        again: 2,
      });
      await newStack().delete('G', { ...GROUP, memberOf: ['analysts'] });
    });

    test.each(firstOf(1, ['53300', '57P03', '08006']))(
      '%s is tried again, and nothing is undone for it',
      async (sqlState) => {
        for (const times of [1, Infinity]) {
          let asked = 0;
          const transport = confirming(connections(), access =>
            ++asked <= times ? Promise.reject(refusing(sqlState)) : access.confirm(),
          );
          const stack = newStack({ transport, clock: sleepingClock() });
          await stack.create('G', { ...GROUP, memberOf: ['analysts'] });
          expect({
            again: asked > 1,
            unconfirmed: notices(stack).includes('admin not confirmed'),
            undone: notices(stack).includes('undoing'),
          }).toEqual({ again: true, unconfirmed: times === Infinity, undone: false });
          await newStack().delete('G', { ...GROUP, memberOf: ['analysts'] });
        }
      },
    );

    full.test.each([
      ['a membership that is granted', 1, { ...GROUP, memberOf: ['analysts'] }],
      ['none', 0, GROUP],
    ])('it is asked after %s', async (_, expected, group) => {
      let asked = 0;
      const stack = newStack({ transport: confirming(connections(), (access) => {
        asked++;
        return access.confirm();
      }) });
      await stack.create('G', group);
      await stack.update('G', group);
      await stack.update('G', GROUP);
      await stack.delete('G', GROUP);
      expect(asked).toBe(expected);
    });
  });

  describe('lets an admin in that signs in with tokens', () => {
    beforeAll(() => server.setMasterWithToken(true));
    afterAll(() => server.setMasterWithToken(false));
    afterEach(() => server.setMasterWithToken(false));
    beforeEach(() => server.setMasterWithToken(true));

    test.each(firstOf(1, LOCKING.slice(0, -1)))('%s is created, changed and removed', async (_, declared) => {
      const stack = newStack({ transport: asFromIam() });
      await stack.create('A', declared);
      const names = 'usernames' in declared ? declared.usernames : ['orders'];
      await expect(Promise.all(names.map(name => signInWithToken(server, name)))).resolves.toEqual(names);
      await stack.update('A', { ...declared, memberOf: ['analysts'] });
      await stack.delete('A', { ...declared, memberOf: ['analysts'] });
    });
  });
});
