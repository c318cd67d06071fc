import { Duplex } from 'node:stream';
import { Client, QueryConfig } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, FULL, full } from '../full';
import { failure, setups, signIn, signInWithToken, snapshot, Stack, trust, User, users } from './stack';
import { heldBy, startWorld } from './world';

type HandlerClient = Client & {
  readonly connection: { readonly stream: Duplex };
  readonly connectionParameters: { readonly application_name?: string; readonly database: string };
};

/** Right before a handler asks this of a database: the statements of a message, or `connect`. */
interface Moment {
  readonly database: string;
  readonly asked: RegExp;
  readonly others?: () => Promise<unknown>;
  readonly breaks?: true;
}

/** What others do while a handler is at work, at moments that are bad for it. */
describe.each(setups('15'))('in between on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let before: unknown;
  let moments: Moment[];

  beforeAll(async () => {
    ({ server } = await startWorld(setup));
    trust(server.caCertificate);
    before = await snapshot(server);
  });
  beforeEach(() => {
    stack = new Stack(server);
    moments = [];
    for (const method of ['connect', 'query'] as const) {
      // eslint-disable-next-line @typescript-eslint/unbound-method
      const original = Client.prototype[method] as (...args: unknown[]) => Promise<unknown>;
      jest.spyOn(Client.prototype, method as 'connect').mockImplementation(function (
        this: HandlerClient,
        ...args: unknown[]
      ) {
        return happen(this, args).then(() => original.apply(this, args)) as never;
      });
    }
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    expect(moments).toEqual([]);
    await expect(snapshot(server)).resolves.toEqual(before);
    await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
  });
  afterAll(() => server.stop());

  async function happen(
    { connection, connectionParameters: { application_name, database } }: HandlerClient,
    [query]: unknown[],
  ): Promise<void> {
    const { text = 'connect' } = (query ?? {}) as Partial<QueryConfig>;
    const [moment] = moments;
    if (application_name === 'cdk-aurora-iam-auth' && moment?.database === database && moment.asked.test(text)) {
      moments.shift();
      await moment.others?.();
      if (moment.breaks) {
        connection.stream.destroy();
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
      }
    }
  }

  const canSignIn = (username: string) => signInWithToken(server, username).then(() => true, () => false);
  const oidOf = async (role: string) =>
    (await server.sql<{ oid: string }>('SELECT oid::text FROM pg_roles WHERE rolname = $1', [role]))[0]?.oid;
  const managed = async () => (await users(server)).filter(name => !['helper', 'migrator', 'readers'].includes(name));
  const READ = { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { orders: ['SELECT'] } } } };
  const user = (username: string, others: Partial<User> = {}): User => ({
    username,
    privileges: { shop: READ },
    ...others,
  });

  describe('a rename fails after it was committed, and the handler had lost its lock to others', () => {
    /** It is found out in the second database; the connection to the first one breaks. */
    const failing = (username: string) =>
      user(username, { privileges: { shop: READ, stock: { Schemas: { nowhere: { Schema: ['USAGE'] } } } } });
    const NOWHERE
      = 'there is no schema "nowhere" in database "stock"; create it before this deployment, let a user or role of the app own it (Privileges.schemaOwner), or correct its name';
    const meanwhile = (others: () => Promise<unknown>): Moment[] => [
      { database: 'shop', asked: /^BEGIN/, breaks: true },
      { database: 'postgres', asked: /^connect$/, others },
    ];
    let oid: string | undefined;

    beforeEach(async () => {
      await stack.create('A', user('old'));
      await server.sql(
        'CREATE TABLE app.hers (n int); INSERT INTO app.hers VALUES (42); ALTER TABLE app.hers OWNER TO old',
        [],
        'shop',
      );
      oid = await oidOf('old');
    });
    afterEach(async () => {
      await expect(server.sql('SELECT n FROM app.hers', [], 'shop')).resolves.toEqual([{ n: 42 }]);
      await server.sql('DROP TABLE app.hers', [], 'shop');
    });

    full.test(
      'another resource of the stack has made a user of the old name: both are kept apart, and with the rollback each is where it was',
      async () => {
        moments = meanwhile(() => stack.create('B', user('old')));
        expect(await failure(stack.update('A', failing('new')))).toBe(NOWHERE);
        expect(stack.log.map(({ notice }) => notice)).not.toContain('not undone');
        const waiting = `cdk_aurora_iam_auth_renaming_${oid}`;
        expect(await managed()).toEqual([waiting, 'old']);
        expect(await oidOf(waiting)).toBe(oid);
        const held = (await heldBy(server, [waiting])).map(line => line.slice(waiting.length));
        expect(held).toEqual((await heldBy(server, ['old'])).map(line => line.slice('old'.length)));
        // The rollback of the stack.
        await stack.update('A', user('old'));
        await stack.delete('B', user('old'));
        expect([await managed(), await oidOf('old'), await canSignIn('old')]).toEqual([['old'], oid, true]);
        await expect(heldBy(server, ['old'])).resolves.toEqual(held.map(line => `old${line}`));
        await server.sql('ALTER TABLE app.hers OWNER TO postgres', [], 'shop');
        await stack.delete('A', user('old'));
      },
    );

    const other = () => new Stack(server, { name: 'other' });
    full.test.each([
      [
        'another stack has made a user',
        () => other().create('B', user('old')),
        () => other().delete('B', user('old')),
        '"old" is managed by another stack already (arn:aws:cloudformation:eu-central-1:123456789012:stack/other/1, resource B); declare it in one stack only, or choose another name; if that stack is gone, drop the role',
      ],
      [
        'another session has made a role',
        () => server.sql('CREATE ROLE old LOGIN'),
        () => server.sql('DROP ROLE old'),
        'role "old" exists already and was not created by this library, so it is left as it is; choose another name, drop or rename that role first, or take it over with adoptExisting',
      ],
    ] as const)(
      '%s of the old name: it is left alone, the rollback says so, and succeeds when that one is gone',
      async (_, create, remove, message) => {
        moments = meanwhile(create);
        expect(await failure(stack.update('A', failing('new')))).toBe(NOWHERE);
        const [waiting, theirs] = [`cdk_aurora_iam_auth_renaming_${oid}`, await oidOf('old')];
        expect(await managed()).toEqual([waiting, 'old']);
        const found = await snapshot(server);
        expect(await failure(stack.update('A', user('old')))).toBe(message);
        await expect(snapshot(server)).resolves.toEqual(found);
        expect(await oidOf('old')).toBe(theirs);
        await remove();
        await stack.update('A', user('old'));
        expect([await managed(), await oidOf('old'), await canSignIn('old')]).toEqual([['old'], oid, true]);
        await server.sql('ALTER TABLE app.hers OWNER TO postgres', [], 'shop');
        await stack.delete('A', user('old'));
      },
    );

    full.test('the other one of two that swap their names has got it: with the rollback each has its own', async () => {
      await stack.create('B', user('new'));
      const others = await oidOf('new');
      moments = meanwhile(() => stack.update('B', user('old')));
      expect(await failure(stack.update('A', failing('new')))).toBe(NOWHERE);
      expect([await oidOf('old'), await oidOf(`cdk_aurora_iam_auth_renaming_${oid}`), await oidOf('new')]).toEqual([
        others,
        oid,
        undefined,
      ]);
      await stack.update('A', user('old'));
      await stack.update('B', user('new'));
      expect([await oidOf('old'), await oidOf('new'), await canSignIn('old'), await canSignIn('new')]).toEqual([
        oid,
        others,
        true,
        true,
      ]);
      await server.sql('ALTER TABLE app.hers OWNER TO postgres', [], 'shop');
      await stack.delete('B', user('new'));
      await stack.delete('A', user('old'));
    });
  });

  test('a create breaks at its commit, and another stack has made that user before the next try: it is told so, and that user is left alone', async () => {
    const [other, theirs] = [new Stack(server, { name: 'other' }), user('orders', { privileges: {} })];
    let found: unknown;
    const create = async () => {
      await other.create('B', theirs);
      found = await snapshot(server);
    };
    moments = [
      { database: 'postgres', asked: /\bCOMMIT$/, breaks: true },
      { database: 'postgres', asked: /^connect$/, others: create },
    ];
    expect(await failure(stack.create('A', user('orders')))).toBe(
      '"orders" is managed by another stack already (arn:aws:cloudformation:eu-central-1:123456789012:stack/other/1, resource B); '
      + 'declare it in one stack only, or choose another name; if that stack is gone, drop the role',
    );
    await expect(snapshot(server)).resolves.toEqual(found);
    expect(stack.log).toContainEqual(
      expect.objectContaining({
        notice: 'not undone',
        change: 'drop role "orders"',
        reason: 'no role of that name is registered for the stack',
      }),
    );
    await other.delete('B', theirs);
  });

  describe('a catalog that changes between a look at it and what follows', () => {
    const all = (...privileges: string[]): User => user('orders', {
      privileges: {
        shop: {
          Schemas: {
            busy: {
              Schema: ['USAGE'],
              Tables: { '*': privileges },
              Sequences: { '*': ['USAGE'] },
              Functions: { '*': ['EXECUTE'] },
            },
          },
        },
      },
    });
    const held = async () =>
      (await heldBy(server, ['orders'])).map(line => line.slice('orders '.length)).filter(line => /busy/.test(line));
    const inShop = (sql: string) => () => server.sql(sql, [], 'shop');
    const create = (name: string) =>
      inShop(`CREATE TABLE busy.${name} (n int); ALTER TABLE busy.${name} OWNER TO postgres`);
    /** When it has looked, and sends what follows from that. */
    const changing = (others: () => Promise<unknown>): Moment => ({
      database: 'shop',
      asked: /(^|;\s)SAVEPOINT message/,
      others,
    });

    beforeEach(async () => {
      await server.sql(
        "CREATE SCHEMA busy AUTHORIZATION postgres; SET ROLE postgres; CREATE TABLE busy.present (n int, m int); CREATE SEQUENCE busy.numbers; CREATE FUNCTION busy.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; RESET ROLE",
        [],
        'shop',
      );
    });
    afterEach(async () => {
      await server.sql('DROP SCHEMA IF EXISTS busy CASCADE', [], 'shop');
      await stack.delete('A', user('orders'), `${server.resourceId}/orders/A`);
    });

    full.test('what is created meanwhile is granted, too', async () => {
      moments = [changing(create('first')), changing(create('second'))];
      await stack.create('A', all('SELECT'));
      await expect(held()).resolves.toEqual([
        'ROUTINE shop/busy/f(): EXECUTE',
        'SCHEMA shop/busy: USAGE',
        'SEQUENCE shop/busy/numbers: USAGE',
        ...['first', 'present', 'second'].map(name => `TABLE shop/busy/${name}: SELECT`),
      ]);
    });

    full.test('a privilege that is revoked meanwhile is granted again', async () => {
      await stack.create('A', all('SELECT'));
      moments = [changing(inShop('REVOKE SELECT ON busy.present FROM orders'))];
      await stack.update('A', all('INSERT', 'SELECT'));
      await expect(held()).resolves.toEqual(
        expect.arrayContaining(['INSERT', 'SELECT'].map(privilege => `TABLE shop/busy/present: ${privilege}`)),
      );
    });

    full.test(
      'tables that keep coming are a reason to fail, after several looks, and everything is as it was',
      async () => {
        const found = await snapshot(server);
        moments = ['a', 'b', 'c'].map(name => changing(create(name)));
        expect(await failure(stack.create('A', all('SELECT')))).toMatch(
          /^cannot grant SELECT on table "c" in schema "busy" to "orders" in database "shop": PostgreSQL left it as it was, without an error; /,
        );
        await server.sql('DROP TABLE busy.a, busy.b, busy.c', [], 'shop');
        await expect(snapshot(server)).resolves.toEqual(found);
      },
    );

    describe('what is dropped meanwhile', () => {
      const make = `SET ROLE postgres; CREATE TABLE busy.doomed (n int); CREATE SEQUENCE busy.doomed_s; CREATE FUNCTION busy.doomed_f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE TABLE busy.narrow (n int, doomed int); CREATE SCHEMA doomed; CREATE TABLE doomed.t (n int); CREATE TYPE doomed.kind AS ENUM (); SELECT lo_create(4713); RESET ROLE`;
      const [objects, others] = [
        ['DROP TABLE busy.doomed', 'DROP SEQUENCE busy.doomed_s', 'DROP FUNCTION busy.doomed_f(int)'],
        ['ALTER TABLE busy.narrow DROP COLUMN doomed', 'DROP TYPE doomed.kind', 'DROP SCHEMA doomed CASCADE',
          'SELECT lo_unlink(4713)'],
      ];
      // Each try finds something else gone.
      const hasty = () =>
        new Stack(server, { clock: { now: () => performance.now(), sleep: () => Promise.resolve() } });

      beforeEach(inShop(make));
      afterEach(
        inShop(
          'DROP SCHEMA IF EXISTS doomed CASCADE; SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = 4713',
        ),
      );

      test('is not granted, and no reason to fail', async () => {
        moments = objects.map(drop => changing(inShop(drop)));
        await hasty().create('A', all('SELECT'));
        await expect(held()).resolves.toEqual([
          'ROUTINE shop/busy/f(): EXECUTE',
          'SCHEMA shop/busy: USAGE',
          'SEQUENCE shop/busy/numbers: USAGE',
          'TABLE shop/busy/narrow: SELECT',
          'TABLE shop/busy/present: SELECT',
        ]);
      });

      full.test('is not taken from an exclusive user, and no reason to fail', async () => {
        await hasty().create('A', all('SELECT'));
        await grantAll();
        moments = [...objects, ...others].map(drop => changing(inShop(drop)));
        await hasty().update('A', user('orders', { privileges: {}, exclusive: true }));
        await expect(heldBy(server, ['orders'])).resolves.toEqual(['orders in rds_iam', 'orders logs in']);
      });

      test.each(FULL ? [objects[0], others[0]] : [others[0]])(
        'does not keep the user from being dropped: %s',
        async (drop) => {
          await stack.create('A', all('SELECT'));
          await grantAll();
          moments = [changing(inShop(drop))];
          await stack.delete('A', all('SELECT'));
          expect(await managed()).toEqual([]);
        },
      );

      full.test('is waited for as long as that has not been committed', async () => {
        const migration = new Client({
          host: server.host,
          port: server.port,
          user: 'postgres',
          password: server.master.password,
          database: 'shop',
          ssl: true,
        });
        await migration.connect();
        const waits = async (): Promise<unknown> =>
          (
            await server.sql(
              "SELECT FROM pg_stat_activity WHERE application_name = 'cdk-aurora-iam-auth' AND wait_event_type = 'Lock'",
            )
          ).length > 0 || waits();
        let committed: Promise<unknown> | undefined;
        moments = [changing(async () => {
          await migration.query('BEGIN; DROP TABLE busy.doomed');
          committed = waits().then(() => migration.query('COMMIT'));
        })];
        await hasty().create('A', all('SELECT'));
        await committed;
        await migration.end();
        await expect(held()).resolves.not.toContain('TABLE shop/busy/doomed: SELECT');
        await expect(held()).resolves.toContain('TABLE shop/busy/present: SELECT');
      });

      full.test('and is named in the declaration: the reason says that it is missing', async () => {
        moments = [changing(inShop(objects[0]))];
        const named = user('orders', {
          privileges: { shop: { Schemas: { busy: { Tables: { doomed: ['SELECT'] } } } } },
        });
        expect(await failure(hasty().create('A', named))).toBe(
          'there is no table or view "doomed" in schema "busy" in database "shop"; create it before this deployment, or correct its name',
        );
        moments = [changing(inShop(others[2]))];
        expect(
          await failure(
            hasty().create(
              'A',
              user('orders', { privileges: { shop: { Schemas: { doomed: { Schema: ['USAGE'] } } } } }),
            ),
          ),
        ).toBe(
          'there is no schema "doomed" in database "shop"; create it before this deployment, let a user or role of the app own it (Privileges.schemaOwner), or correct its name',
        );
      });

      async function grantAll(): Promise<void> {
        await server.sql(
          'SET ROLE postgres; GRANT SELECT (doomed) ON busy.narrow TO orders; GRANT USAGE ON SCHEMA doomed TO orders; GRANT SELECT ON doomed.t TO orders; GRANT USAGE ON TYPE doomed.kind TO orders; GRANT SELECT ON LARGE OBJECT 4713 TO orders; RESET ROLE',
          [],
          'shop',
        );
      }
    });
  });

  describe('memberships that others change between a look at them and what follows', () => {
    const executing = (database: string, others: () => Promise<unknown>): Moment => ({
      database,
      asked: /(^|;\s)SAVEPOINT message/,
      others,
    });
    const by = (text: string) => () => server.sql(text);
    const ofKeeper = user('orders', {
      privileges: { shop: { Schemas: { kept: { Schema: ['USAGE'], Tables: { t: ['SELECT'] } } } } },
    });
    const has = async (line: string) => expect(await heldBy(server, ['orders'])).toContain(line);

    afterEach(() => stack.delete('A', user('orders'), `${server.resourceId}/orders/A`));

    full.test('one that was granted by hand, and is declared now, is granted again', async () => {
      await stack.create('A', user('orders', { privileges: {}, connect: ['shop'] }));
      await server.sql('GRANT readers TO orders');
      moments = [executing('postgres', by('REVOKE readers FROM orders'))];
      await stack.update('A', user('orders', { privileges: {}, connect: ['shop', 'stock'], memberOf: ['readers'] }));
      await has('orders in readers');
    });

    if (setup.major < 16) {
      beforeEach(async () => {
        await server.sql('CREATE ROLE keeper');
        await server.sql(
          'CREATE SCHEMA kept AUTHORIZATION keeper; CREATE TABLE kept.t (n int); ALTER TABLE kept.t OWNER TO keeper',
          [],
          'shop',
        );
      });
      afterEach(async () => {
        await server.sql('DROP SCHEMA kept CASCADE', [], 'shop');
        await server.sql('DROP ROLE keeper');
      });

      test.each(firstOf(1, [
        ['has lost', 'GRANT keeper TO postgres', 'REVOKE keeper FROM postgres'],
        ['has been given', 'SELECT', 'GRANT keeper TO postgres'],
      ]))('the admin acts as the owner, although it %s a membership in it', async (_, before, meanwhile) => {
        await server.sql(before);
        moments = [executing('shop', by(meanwhile))];
        await stack.create('A', ofKeeper);
        await has('orders TABLE shop/kept/t: SELECT');
      });

      full.test('the admin becomes a member of a user for a moment', async () => {
        moments = [
          executing('postgres', by('GRANT migrator TO postgres')),
          { database: 'postgres', asked: /^BEGIN/, others: by('REVOKE migrator FROM postgres') },
        ];
        await stack.create('A', user('orders', { privileges: {}, connect: ['shop'] }));
        await has('orders in rds_iam');
      });
    }
  });
});
