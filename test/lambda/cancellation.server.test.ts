import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { ProvisionError } from '../../lambda/provisioner/errors';
import { Transport } from '../../lambda/provisioner/transport/session';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { skippingClock, untilWaiting } from './clocks';
import { throughDataApi } from './over-data-api';
import { takeLock } from './provisioners-lock';
import {
  Declared,
  DeclaredResource,
  failure,
  nextTime,
  setupsOver,
  signInWithToken,
  Stack,
  StackOptions,
  throughConnections,
  trust,
  User,
  users,
} from './stack';
import { heldBy, startWorld } from './world';

/** As CloudFormation makes them up. */
const MADE_UP = 'shop-Users-1ABCDEFGHIJKL';

/**
 * When a resource of a stack fails, CloudFormation cancels what is under way, does not wait for its end, and sends the
 * event that takes it back: to a new resource a Delete with a physical id that it has made up.
 *
 * @see https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1814
 */
const CASES = setupsOver({ 'connections': ['17, plain'], 'the Data API': [] });

describe.each(CASES)('an event that is cancelled on PostgreSQL $name over $transport', ({ transport, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    ({ server } = await startWorld(setup));
    trust(server.caCertificate);
  });
  beforeEach(() => stack = newStack());
  afterEach(async () => {
    // Nothing but what was cancelled is left in the registry, and that alone keeps it.
    const [{ exists }] = await server.sql<{ exists: boolean }>(
      "SELECT to_regclass('cdk_aurora_iam_auth.managed_role') IS NOT NULL AS exists",
      [],
      'postgres',
    );
    expect(
      exists
        ? await server.sql('SELECT FROM cdk_aurora_iam_auth.managed_role WHERE role_oid <> 0', [], 'postgres')
        : [],
    ).toEqual([]);
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE', [], 'postgres');
  });
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const reach = (): Transport => transport === 'connections' ? throughConnections(server) : throughDataApi(server);
  const newStack = (options: StackOptions = {}) => new Stack(server, { transport: reach(), ...options });

  /** Its event is sent, and gets no connection until it is let in. */
  function waiting(options: StackOptions = {}): { stack: Stack; letIn: () => void } {
    let letIn: () => void = () => undefined;
    const opened = new Promise<void>(resolve => letIn = resolve);
    const inner = reach();
    const transport: Transport = async (...args) => {
      const access = await inner(...args);
      const open = async (database: string) => {
        await opened;
        return access.open(database);
      };
      return { ...access, open };
    };
    return { stack: newStack({ ...options, transport }), letIn };
  }

  const READ = {
    shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } },
  };
  const ann: User = { username: 'ann', privileges: READ };
  const list = { usernames: ['ann', 'bob'], privileges: READ };
  const group = { roleName: 'analysts', privileges: READ };
  const KINDS: [string, Declared][] = [['a user', ann], ['many', list], ['a group role', group]];

  const CANCELLED
    = 'CloudFormation has cancelled the creation of A, and its Delete was carried out before this event came to its turn: nothing was done';
  const OVERTAKEN
    = 'CloudFormation has sent another event for A since, which was carried out before this one came to its turn: nothing was done';

  test.each(firstOf(1, KINDS))('the creation of %s that was complete is taken back', async (_, declared) => {
    await stack.create('A', declared);
    await stack.delete('A', declared, MADE_UP);
  });

  test.each(firstOf(1, KINDS))(
    'the creation of %s that is carried out after its Delete is refused',
    async (_, declared) => {
      const before = await users(server);
      const late = waiting();
      const created = failure(late.stack.create('A', declared));
      await stack.delete('A', declared, MADE_UP);
      expect(stack.log.filter(({ notice }) => notice === 'nothing to remove').length).toBeGreaterThan(0);
      late.letIn();
      expect(await created).toBe(CANCELLED);
      expect(await users(server)).toEqual(before);
    },
  );

  full.test('also if its invocation begins after the Delete has ended, and while others are there', async () => {
    await stack.create('B', { username: 'eve' });
    const sentAt = nextTime();
    await stack.delete('A', ann, MADE_UP);
    expect(await failure(stack.send({ LogicalResourceId: 'A', sentAt }, ann))).toBe(CANCELLED);
    // Lambda has tried it again.
    expect(await failure(stack.send({ LogicalResourceId: 'A', sentAt }, ann))).toBe(CANCELLED);
    await stack.delete('B', { username: 'eve' });
  });

  full.test('also after it had been complete, and was taken back', async () => {
    const sentAt = nextTime();
    await stack.send({ LogicalResourceId: 'A', sentAt }, ann);
    await stack.delete('A', ann, MADE_UP);
    expect(await failure(stack.send({ LogicalResourceId: 'A', sentAt }, ann))).toBe(CANCELLED);
  });

  full.test('in the second in which its Delete was sent; a second later it is another one', async () => {
    const sentAt = nextTime();
    await stack.send({ RequestType: 'Delete', LogicalResourceId: 'A', PhysicalResourceId: MADE_UP, sentAt }, ann);
    expect(await failure(stack.send({ LogicalResourceId: 'A', sentAt }, ann))).toBe(CANCELLED);
    await stack.send({ LogicalResourceId: 'A', sentAt: sentAt + 1_000 }, ann);
    await stack.delete('A', ann);
  });

  full.test(
    'an update of a list that was complete is taken back by the rollback, which knows nothing of its physical id',
    async () => {
      const [before, given] = [{ usernames: ['ann', 'bob'] }, { usernames: ['bob', 'eve'] }];
      const { PhysicalResourceId: physicalId } = await stack.create('A', before);
      await stack.update('A', given, physicalId);
      await expect(signInWithToken(server, 'eve')).resolves.toBe('eve');
      const { resources: [plan] } = await stack.plan({ logicalId: 'A', declared: before, before, physicalId });
      expect(plan.changes.flatMap(({ sql }) => sql)).toEqual(expect.arrayContaining(['ALTER USER "eve" NOLOGIN']));
      // What cannot be taken from her lets no rollback fail, and is tried again.
      const admin = new Client({
        host: server.host,
        port: server.port,
        user: 'postgres',
        password: server.master.password,
        database: 'postgres',
        ssl: true,
      });
      await admin.connect();
      await admin.query('BEGIN; ALTER ROLE eve CONNECTION LIMIT 5');
      const rollback = newStack({ clock: skippingClock() });
      await rollback.update('A', before, physicalId);
      expect(rollback.log.filter(({ notice }) => notice === 'not removed')).toEqual([
        expect.objectContaining({ reason: expect.stringContaining('cannot forbid "eve" to log in') as string }),
      ]);
      await expect(signInWithToken(server, 'eve')).rejects.toThrow();
      await admin.query('ROLLBACK');
      await admin.end();
      await stack.update('A', before, physicalId);
      const rows = await server.sql('SELECT username FROM cdk_aurora_iam_auth.managed_role ORDER BY 1');
      // It is not known whether she was there before: she stays, without access.
      expect(rows).toEqual(['ann', 'bob', 'eve'].map(username => ({ username })));
      await expect(signInWithToken(server, 'eve')).rejects.toThrow();
      await expect(signInWithToken(server, 'ann')).resolves.toBe('ann');
      await server.sql('REVOKE CONNECT ON DATABASE shop FROM eve; DROP ROLE eve');
      await stack.delete('A', before, physicalId);
    },
  );

  full.test(
    'does not keep the next deployment of the same stack from creating it, nor the one before from being refused then',
    async () => {
      const late = nextTime();
      await stack.delete('A', ann, MADE_UP);
      await stack.create('A', ann);
      expect(await failure(stack.send({ LogicalResourceId: 'A', sentAt: late }, ann))).toBe(OVERTAKEN);
      await expect(signInWithToken(server, 'ann')).resolves.toBe('ann');
      await stack.delete('A', ann);
    },
  );

  full.test('is refused even if the next deployment has failed to create it', async () => {
    const late = nextTime();
    await stack.delete('A', ann, MADE_UP);
    expect(
      await failure(
        stack.create('A', { username: 'ann', privileges: { shop: { Schemas: { nowhere: { Schema: ['USAGE'] } } } } }),
      ),
    ).toContain('there is no schema "nowhere"');
    expect(await failure(stack.send({ LogicalResourceId: 'A', sentAt: late }, ann))).toBe(CANCELLED);
  });

  full.test('concerns neither another resource nor another stack of that name', async () => {
    const sentAt = nextTime();
    await stack.delete('A', ann, MADE_UP);
    await stack.send({ LogicalResourceId: 'B', sentAt }, { username: 'eve' });
    await stack.delete('B', { username: 'eve' });
    const again = newStack({ unique: '2' });
    await again.send({ LogicalResourceId: 'A', sentAt }, ann);
    await again.delete('A', ann);
  });

  full.test('is forgotten after a day, with the registry', async () => {
    await stack.create('B', { username: 'eve' });
    await stack.delete('A', ann, MADE_UP);
    await stack.delete('B', { username: 'eve' });
    await expect(
      server.sql('SELECT logical_id, declarations FROM cdk_aurora_iam_auth.managed_role', [], 'postgres'),
    ).resolves.toEqual([
      { logical_id: 'A', declarations: { format: 1, sent: expect.stringMatching(/^2.*Z$/) as string } },
    ]);
    await stack.create('B', { username: 'eve' });
    await server.sql(
      "UPDATE cdk_aurora_iam_auth.managed_role SET declarations = jsonb_set(declarations, '{sent}', to_jsonb('2026-01-01T00:00:00.000Z'::text)) WHERE role_oid = 0",
      [],
      'postgres',
    );
    await stack.delete('B', { username: 'eve' });
    await expect(
      server.sql("SELECT to_regnamespace('cdk_aurora_iam_auth') AS registry", [], 'postgres'),
    ).resolves.toEqual([{ registry: null }]);
  });

  full.test('where no time is known, a creation that has begun before its Delete ends is refused', async () => {
    const late = waiting();
    const created = failure(late.stack.send({ LogicalResourceId: 'A', sentAt: NaN }, ann));
    await stack.send({ RequestType: 'Delete', LogicalResourceId: 'A', PhysicalResourceId: MADE_UP, sentAt: NaN }, ann);
    late.letIn();
    expect(await created).toBe(CANCELLED);
    // As if 20 seconds were over.
    await server.sql(
      "UPDATE cdk_aurora_iam_auth.managed_role SET declarations = jsonb_set(declarations, '{sent}', to_jsonb(to_char(clock_timestamp() AT TIME ZONE 'UTC' - interval '1 second', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')))",
      [],
      'postgres',
    );
    await stack.send({ LogicalResourceId: 'A', sentAt: NaN }, ann);
    await stack.delete('A', ann);
  });

  full.test('a time of the future is not believed', async () => {
    await stack.send(
      { RequestType: 'Delete', LogicalResourceId: 'A', PhysicalResourceId: MADE_UP, sentAt: Date.now() + 600_000 },
      ann,
    );
    await stack.create('A', ann);
    await stack.send(
      { RequestType: 'Update', LogicalResourceId: 'A', sentAt: Date.now() + 600_000 },
      { ...ann, reapply: '1' },
    );
    await stack.update('A', ann);
    await stack.delete('A', ann);
  });

  test.each<[string, DeclaredResource]>([
    ['a number', { username: 42 as never }],
    ['U+0000', { username: 'a\0' }],
    ['no list', { usernames: 'ada' as never }],
    ['a number for a database', { database: 42 as never }],
  ])('a creation with a name that no role or database has is taken back: %s', async (_, declared) => {
    await stack.delete('A', declared, MADE_UP);
    await stack.create('B', { username: 'orders' });
    await stack.delete('B', { username: 'orders' });
  });

  full.test('a creation that was never begun leaves nothing but that it was cancelled', async () => {
    await stack.delete('A', ann, MADE_UP);
    expect(stack.log.at(-2)).toMatchObject({ notice: 'nothing to remove', username: 'ann' });
  });

  full.test('where the admin may make no registry, a Delete succeeds, and so does none of its creations', async () => {
    await server.sql('ALTER DATABASE postgres OWNER TO rdsadmin');
    await server.sql('CREATE SCHEMA cdk_aurora_iam_auth_lock AUTHORIZATION postgres', [], 'postgres');
    try {
      await stack.delete('A', ann, MADE_UP);
      expect(stack.log.filter(({ notice }) => notice === 'not noted')).toHaveLength(1);
      expect(await failure(stack.create('A', ann))).toContain('CREATE on database postgres');
    } finally {
      await server.sql('ALTER DATABASE postgres OWNER TO postgres');
    }
  });

  full.test('others of the stack that have the same name keep it', async () => {
    await stack.create('A', ann);
    await stack.create('B', ann);
    await stack.delete('B', ann, MADE_UP);
    await expect(signInWithToken(server, 'ann')).resolves.toBe('ann');
    await stack.delete('A', ann);
  });

  full.test('a role that was to be adopted is not dropped, and comes back by itself', async () => {
    await server.sql("CREATE ROLE ann LOGIN PASSWORD 'x'");
    const declared = { ...ann, adoptExisting: true };
    const oid = () => server.sql("SELECT oid FROM pg_roles WHERE rolname = 'ann' AND rolcanlogin");
    const [was] = await oid();
    if (setup.major >= 16) {
      await server.sql('GRANT ann TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
    await stack.create('A', declared);
    await stack.delete('A', declared, MADE_UP);
    expect(await users(server)).toContain('ann');
    expect(await oid()).toEqual([]);
    await stack.create('A', ann);
    expect(await oid()).toEqual([was]);
    await stack.delete('A', ann);
  });

  test.each(
    firstOf(1, [
      ['another stack has kept', { name: 'other' }, 'ann'],
      ['the stack itself has kept', {}, 'ann'],
    ] as const),
  )('a role that %s is not dropped, and comes back by itself', async (_, options, role) => {
    const former = newStack(options);
    const retained = { ...ann, onRemoval: { Action: 'RETAIN' } } as const;
    await former.create('Former', retained);
    await former.delete('Former', retained);
    await stack.create('A', { usernames: [role, 'bob'], privileges: READ });
    await stack.delete('A', { usernames: [role, 'bob'], privileges: READ }, MADE_UP);
    expect(
      stack.log.filter(({ notice }) => notice === 'kept').map(({ username, reason }) => [username, reason]),
    ).toEqual([
      [
        role,
        'it cannot log in any more, and has what it owns and holds: it was there before its creation, which CloudFormation has cancelled',
      ],
    ]);
    expect(await users(server)).toContain(role);
    expect(await users(server)).not.toContain('bob');
    await expect(signInWithToken(server, role)).rejects.toThrow();
    await former.create('Former', ann);
    await expect(signInWithToken(server, role)).resolves.toBe(role);
    await former.delete('Former', ann);
  });

  const CHANGED = { ...ann, privileges: { stock: READ.shop } };

  test('an update that is carried out after the one that takes it back is refused', async () => {
    await stack.create('A', ann);
    const before = await heldBy(server, ['ann']);
    const late = waiting();
    const updated = failure(late.stack.update('A', CHANGED));
    // Nothing has changed by then.
    await stack.update('A', ann);
    expect(stack.takeChanges().filter(change => String(change).includes('stock'))).toEqual([]);
    late.letIn();
    expect(await updated).toBe(OVERTAKEN);
    expect(await heldBy(server, ['ann'])).toEqual(before);
    await stack.update('A', CHANGED);
    await stack.delete('A', CHANGED);
  });

  full.test('what an update had committed before it was overtaken stays as the later one has made it', async () => {
    await stack.create('A', ann);
    const before = await heldBy(server, ['ann']);
    const inner = reach();
    let attempts = 0;
    // Its first attempt has committed what comes before the second database, and loses its connections there.
    const interrupted = newStack({
      transport: async (...args) => {
        if (++attempts === 2) {
          await stack.update('A', ann);
        }
        const access = await inner(...args);
        const isToBreak = (database: string) => database === 'stock' && attempts === 1;
        return {
          ...access,
          open: async database =>
            isToBreak(database)
              ? Promise.reject(new ProvisionError('the connection broke', { retryUntil: 50_000 }))
              : access.open(database),
        };
      },
    });
    expect(
      await failure(
        interrupted.update('A', { username: 'ann', privileges: { ...READ, stock: READ.shop }, memberOf: ['readers'] }),
      ),
    ).toBe(OVERTAKEN);
    expect(interrupted.log.map(({ notice }) => notice)).not.toContain('undoing');
    expect(attempts).toBe(2);
    expect(await heldBy(server, ['ann'])).toEqual(before);
    await stack.delete('A', ann);
  });

  if (transport === 'connections') {
    full.test(
      'the update that takes another back comes after it, also if both have waited for so long that they have looked who is in the way',
      async () => {
        await stack.create('A', ann);
        const holder = new Client({
          host: server.host,
          port: server.port,
          user: 'postgres',
          password: server.master.password,
          database: 'postgres',
          ssl: true,
        });
        await holder.connect();
        await takeLock(holder);
        const first = stack.update('A', CHANGED);
        await untilWaiting(server, 1);
        await setTimeout(2_500);
        const second = stack.update('A', ann);
        // By now the first has looked, and waits behind the second.
        await setTimeout(4_000);
        await holder.end();
        // Whichever comes first.
        const [overtaken] = await Promise.allSettled([first, second]);
        expect(['fulfilled', OVERTAKEN]).toContain(
          overtaken.status === 'rejected' ? (overtaken.reason as Error).message : overtaken.status,
        );
        await second;
        expect((await heldBy(server, ['ann'])).filter(line => line.includes('stock'))).toEqual([]);
        await stack.delete('A', ann);
      },
    );
  }
});
