import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { failure, Role, setups, signInWithToken, snapshot, Stack, trust, User, Users } from './stack';
import { heldBy, startWorld } from './world';

/**
 * What others have done to the roles of a stack: a superuser, an admin of earlier, an operator with a console, the
 * users themselves.
 */
describe.each(setups('17, plain'))('other hands on PostgreSQL $name', ({ major, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    ({ server } = await startWorld({ ...setup, major }));
    trust(server.caCertificate);
  });
  beforeEach(() => stack = new Stack(server));
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const canSignIn = (username: string) => signInWithToken(server, username).then(() => true, () => false);
  const oidOf = async (role: string) =>
    (await server.sql<{ oid: string }>('SELECT oid::text FROM pg_roles WHERE rolname = $1', [role]))[0]?.oid;
  const held = async (role: string) => (await heldBy(server, [role])).map(line => line.slice(role.length + 1));
  const notices = (notice: string) => stack.log.filter(line => line.notice === notice);
  const inShop = (sql: string) => server.sql(sql, [], 'shop');
  const READ = {
    shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { orders: ['SELECT'] } } } },
  };
  const READ_THEIRS = { theirs: { Schemas: { 'My data': { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } } };
  /** From 16 on, a superuser's grants are its own to take back. */
  const outOfReach = major >= 16 && setup.roleRules !== 'rdsLike';

  describe('a superuser has made another role a member of a group', () => {
    const LEFT
      = 'access would be left behind: still to revoke role "analysts" from "intern", which another role has granted; take it back as that role, and delete again';
    const members = async () =>
      (
        await server.sql<{ name: string }>(
          "SELECT member::regrole::text AS name FROM pg_auth_members WHERE roleid = 'analysts'::regrole AND member <> 'postgres'::regrole",
        )
      ).map(({ name }) => name);

    beforeEach(() => server.sql('CREATE ROLE intern LOGIN'));
    afterEach(() => server.sql('DROP ROLE intern'));

    full.test.each([['DROP_OR_DISABLE'], ['DISABLE']] as const)(
      '%s: a group that owns something has no members when it is left, or the Delete fails and says whose membership it is',
      async (action) => {
        const group: Role = { roleName: 'analysts', privileges: READ, onRemoval: { Action: action } };
        await stack.create('G', group);
        await server.sql('GRANT analysts TO intern');
        await inShop('CREATE TABLE app.ours (n int); ALTER TABLE app.ours OWNER TO analysts');
        if (outOfReach) {
          expect(await failure(stack.delete('G', group))).toBe(LEFT);
          expect(await members()).toEqual(['intern']);
          await server.sql('REVOKE analysts FROM intern');
        }
        await stack.delete('G', group);
        expect(await members()).toEqual([]);
        expect(notices('kept')).toMatchObject([{ username: 'analysts' }]);
        await inShop('ALTER TABLE app.ours OWNER TO postgres; DROP TABLE app.ours');
        await stack.create('G', group);
        await stack.delete('G', { ...group, onRemoval: { Action: 'DROP_OR_DISABLE' } });
      },
    );

    test('a user that was a member by declaration as well: it stays one, and no event of the user fails over it', async () => {
      const ada = (more: Partial<User> = {}): User => ({
        username: 'ada',
        memberOf: ['analysts'],
        privileges: {},
        ...more,
      });
      await stack.create('G', { roleName: 'analysts' });
      await stack.create('A', ada({ memberOf: [] }));
      await server.sql('GRANT analysts TO ada');
      await stack.update('A', ada());
      await stack.update('A', ada({ memberOf: [] }));
      const left = [
        expect.objectContaining({
          change: 'revoke role "analysts" from "ada"',
          reason: 'nothing has changed, without an error',
        }),
      ];
      expect(notices('not taken back')).toEqual(outOfReach ? left : []);

      await server.sql('GRANT analysts TO ada');
      await stack.update('A', ada({ membershipExpiresAt: { analysts: 0 } }));
      stack.log.splice(0);
      const ended = await stack.expire().then(() => 'ended', ({ message }: Error) => message);
      expect(ended).toBe(
        outOfReach
          ? 'cannot revoke role "analysts" from "ada": PostgreSQL left it as it was, without an error; take it back as the role that has granted it, and deploy again'
          : 'ended',
      );
      // Its sessions end, in case it was a member until then.
      expect(notices('memberships ended').map(({ names }) => names)).toEqual(outOfReach ? ['ada'] : []);
      await stack.delete('A', ada());
      await stack.delete('G', { roleName: 'analysts' });
    });

    test('a user into rds_iam: when its time is over it has no login, and no event of the user fails over what is left', async () => {
      const eva: User = { username: 'eva', privileges: {}, expiresAt: new Date(0) };
      await stack.create('E', { ...eva, expiresAt: undefined });
      await server.sql('GRANT rds_iam TO eva');
      await stack.update('E', eva);
      await stack.update('E', { ...eva, reapply: 'again' });
      expect(await canSignIn('eva')).toBe(false);
      expect(notices('not taken back').map(({ change }) => change)).toEqual(
        outOfReach ? Array(2).fill('revoke role "rds_iam" from "eva"') : [],
      );
      await stack.delete('E', eva);
    });

    full.test('a group that owns nothing goes, and the membership with it', async () => {
      const group: Role = { roleName: 'analysts', privileges: READ };
      await stack.create('G', group);
      await server.sql('GRANT analysts TO intern');
      await stack.delete('G', group);
      expect(await oidOf('analysts')).toBeUndefined();
      await expect(held('intern')).resolves.toEqual(['logs in']);
    });
  });

  describe('DROP, and a database does not let the admin in', () => {
    const user: User = {
      username: 'leaver',
      privileges: READ,
      onRemoval: { Action: 'DROP', ReassignOwnedTo: 'helper' },
    };
    const CLOSED: [string, string, string, string][] = [
      ['that takes no connections', 'ALTER DATABASE stock ALLOW_CONNECTIONS false',
        'ALTER DATABASE stock ALLOW_CONNECTIONS true',
        'cannot sign in to database "stock" of localhost:<port> as the admin: database "stock" is not currently accepting connections (SQLSTATE 55000); allow connections to it (ALTER DATABASE ... ALLOW_CONNECTIONS true)'],
      ...(setup.roleRules === 'rdsLike'
        ? []
        : [["that is not the admin's",
            'ALTER DATABASE stock OWNER TO rdsadmin; REVOKE CONNECT ON DATABASE stock FROM PUBLIC',
            'GRANT CONNECT ON DATABASE stock TO PUBLIC; ALTER DATABASE stock OWNER TO postgres',
            'cannot sign in to database "stock" of localhost:<port> as the admin: permission denied for database "stock". User does not have CONNECT privilege. (SQLSTATE 42501); the admin needs CONNECT on database "stock"'] as [
            string,
            string,
            string,
            string,
          ]]),
    ];

    test.each(firstOf(1, CLOSED))(
      '%s, and in which it owns something: the Delete fails, without access and without loss, and the next one does the rest',
      async (_, close, open, message) => {
        await stack.create('A', user);
        for (const database of ['shop', 'stock']) {
          await server.sql(
            'GRANT CREATE ON SCHEMA app TO helper; CREATE TABLE app.hers (n int); INSERT INTO app.hers VALUES (42); ALTER TABLE app.hers OWNER TO leaver',
            [],
            database,
          );
        }
        await server.sql(close);
        expect((await failure(stack.delete('A', user))).replace(/localhost:\d+/, 'localhost:<port>')).toBe(message);
        expect(await canSignIn('leaver')).toBe(false);
        expect(await oidOf('leaver')).toBeDefined();
        await server.sql(open);
        await stack.delete('A', user);
        expect(await oidOf('leaver')).toBeUndefined();
        for (const database of ['shop', 'stock']) {
          await expect(
            server.sql(
              "SELECT n, (SELECT relowner::regrole::text FROM pg_class WHERE relname = 'hers') AS owner FROM app.hers",
              [],
              database,
            ),
          ).resolves.toEqual([{ n: 42, owner: 'helper' }]);
          await server.sql('DROP TABLE app.hers; REVOKE CREATE ON SCHEMA app FROM helper', [], database);
        }
      },
    );
  });

  // There the admin is a superuser: it is no member of the other one, whatever was granted to it.
  if (setup.roleRules !== 'rdsLike') {
    describe('the admin of earlier is another one now', () => {
      const inTheirs = (others: Partial<User> = {}): User => ({
        username: 'orders',
        memberOf: ['readers'],
        privileges: {
          theirs: {
            Database: ['CONNECT'],
            Schemas: {
              'My data': {
                Schema: ['USAGE'],
                Tables: { '*': ['SELECT'] },
                FutureObjects: { migrator: { Tables: ['SELECT'] } },
              },
            },
          },
        },
        ...others,
      });
      const FOREIGN
        = 'the registry in database postgres is not used: schema cdk_aurora_iam_auth belongs to "former" and not to "postgres"; rename or drop it if it is not the registry; '
          + 'if "former" is a group role that the admin is a member of, name it as registryOwner; if it was the admin before, ALTER SCHEMA cdk_aurora_iam_auth OWNER TO "postgres", '
          + 'and the same for TABLE cdk_aurora_iam_auth.managed_role';
      const NOT_HELD
        = 'the registry in database postgres is not used: the admin "postgres" is no member of "former", which registryOwner names, or does not inherit its rights; GRANT "former" TO "postgres"';

      beforeEach(async () => {
        await server.sql(
          "CREATE ROLE former LOGIN CREATEROLE PASSWORD 'former'; GRANT CREATE ON DATABASE postgres TO former; GRANT pg_signal_backend TO former",
        );
        if (major >= 16) {
          await server.sql('GRANT rds_iam, readers, migrator TO former WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
        }
      });
      afterEach(async () => {
        await server.sql('DROP OWNED BY former', [], 'postgres');
        await server.sql('DROP ROLE former');
      });
      const withOwner = () => new Stack(server, { registryOwner: 'former' });
      const earlier = () => new Stack(server, { admin: () => ({ username: 'former', password: 'former' }) });

      full.test(
        'as long as the new one is no member of it, or does not name it, nothing happens and the reason says what to do; then it narrows and removes what the other has granted',
        async () => {
          await earlier().create('A', inTheirs());
          const found = await snapshot(server);
          expect(await failure(stack.update('A', inTheirs({ privileges: {} })))).toBe(FOREIGN);
          expect(await failure(stack.delete('A', inTheirs()))).toBe(FOREIGN);
          expect(await failure(withOwner().update('A', inTheirs({ privileges: {} })))).toBe(NOT_HELD);
          await expect(snapshot(server)).resolves.toEqual(found);
          await server.sql('GRANT former TO postgres');
          expect(await failure(stack.update('A', inTheirs({ privileges: {} })))).toBe(FOREIGN);
          stack = withOwner();
          await stack.update('A', inTheirs({ reapply: 'now' }));
          expect(stack.takeChanges()).toEqual([]);
          await stack.update('A', {
            username: 'orders',
            privileges: { theirs: { Schemas: { 'My data': { Tables: { things: ['SELECT'] } } } } },
          });
          await expect(held('orders')).resolves.toEqual([
            'TABLE theirs/My data/things: SELECT',
            'in rds_iam',
            'logs in',
          ]);
          await stack.delete('A', inTheirs());
          expect([await oidOf('orders'), notices('not taken back')]).toEqual([undefined, []]);
        },
      );

      full.test('a group that it has made, with members that it has let in', async () => {
        const [group, member]: [Role, User] = [
          { roleName: 'analysts', privileges: READ_THEIRS },
          { username: 'ann', memberOf: ['analysts'], privileges: {} },
        ];
        await earlier().create('G', group);
        await earlier().create('A', member);
        await server.sql('GRANT former TO postgres');
        stack = withOwner();
        await stack.update('A', { ...member, memberOf: [] });
        await expect(held('ann')).resolves.toEqual(['in rds_iam', 'logs in']);
        await stack.update('A', member);
        await stack.delete('G', group);
        expect(await oidOf('analysts')).toBeUndefined();
        await stack.delete('A', member);
        expect(notices('not taken back')).toEqual([]);
      });
    });
  }

  if (outOfReach) {
    describe('a role that the admin cannot become a member of has granted', () => {
      beforeEach(() => server.sql('CREATE ROLE doorman; CREATE ROLE intern'));
      afterEach(() => server.sql('DROP ROLE doorman; DROP ROLE intern'));

      full.test.each([['DROP_OR_DISABLE', undefined], ['DISABLE', ['in rds_iam']]] as const)(
        'rds_iam, and %s: the login goes even so',
        async (action, left) => {
          const user: User = { username: 'orders', onRemoval: { Action: action } };
          await server.sql('GRANT rds_iam TO doorman WITH ADMIN OPTION');
          await stack.create('A', user);
          await server.sql('SET ROLE doorman; GRANT rds_iam TO orders; RESET ROLE');
          await stack.delete('A', user);
          expect(await canSignIn('orders')).toBe(false);
          expect(notices('not taken back')[0]).toMatchObject({
            change: 'revoke role "rds_iam" from "orders"',
            reason: 'permission denied to grant role "doorman"',
          });
          expect(await oidOf('orders') && await held('orders')).toEqual(left && ['DATABASE shop: CONNECT', ...left]);
          await server.sql('REVOKE rds_iam FROM doorman CASCADE');
          await stack.create('A', user);
          await stack.delete('A', { username: 'orders' });
        },
      );

      full.test.each([
        ['owns nothing: it goes', false],
        ['owns something: the Delete fails and says whose memberships are left', true],
      ])('membership in a group, which %s', async (_, owns) => {
        const group: Role = { roleName: 'analysts', privileges: READ };
        await stack.create('G', group);
        await server.sql(
          'GRANT analysts TO doorman WITH ADMIN OPTION; SET ROLE doorman; GRANT analysts TO intern; RESET ROLE',
        );
        if (owns) {
          await inShop('CREATE TABLE app.ours (n int); ALTER TABLE app.ours OWNER TO analysts');
          expect(await failure(stack.delete('G', group))).toBe(
            'access would be left behind: still to revoke role "analysts" from "intern"; revoke role "analysts" from "doorman", which another role has granted; take it back as that role, and delete again',
          );
          await server.sql('REVOKE analysts FROM doorman CASCADE');
          await inShop('DROP TABLE app.ours');
        }
        await stack.delete('G', group);
        expect(await oidOf('analysts')).toBeUndefined();
      });
    });
  }

  const session = async (username: string, sql: string): Promise<{ ended: Promise<unknown> }> => {
    const client = new Client({
      host: server.host,
      port: server.port,
      user: username,
      password: server.token('application', username),
      database: 'shop',
      ssl: true,
    });
    const ended = new Promise(resolve => client.on('error', resolve));
    await client.connect();
    await client.query(sql);
    return { ended };
  };

  describe('a user goes while its own session', () => {
    const user: User = {
      username: 'orders',
      privileges: {
        shop: {
          Database: ['CONNECT'],
          Schemas: {
            app: { Schema: ['CREATE', 'USAGE'], Tables: { '*': ['DELETE', 'SELECT', 'UPDATE'] } },
            own: { Owner: 'true' },
          },
        },
      },
    };
    /** Its patience is half a second. */
    const impatient = () => {
      let asked = 0;
      return { now: () => asked++ === 0 ? 0 : 49_500, sleep: setTimeout };
    };

    test.each(firstOf(1, [
      ['has locked tables', 'LOCK TABLE app.orders, app.events IN ACCESS EXCLUSIVE MODE'],
      ['has made tables',
        'CREATE TABLE own.t (n int); CREATE TABLE app.uncommitted (n int); GRANT SELECT ON own.t TO helper'],
      ['has changed its own settings', "ALTER ROLE orders SET work_mem = '1MB'"],
      ['has changed its own password', "ALTER ROLE orders PASSWORD 'x'"],
    ]))('%s in a transaction that is open: it is ended, and the user is dropped', async (_, sql) => {
      await stack.create('A', user);
      const sessions = [await session('orders', `BEGIN; ${sql}`), await session('orders', 'BEGIN')];
      stack = new Stack(server, { clock: impatient() });
      await stack.delete('A', user);
      await Promise.all(sessions.map(({ ended }) => ended));
      expect([await oidOf('orders'), notices('not taken back')]).toEqual([undefined, []]);
    });
  });

  describe('a role was renamed by hand in the database', () => {
    const list: Users = { usernames: ['ann', 'bob'], privileges: READ };
    const all = async (role: string) => (await held(role)).filter(line => line !== 'logs in' && line !== 'in rds_iam');
    const KEPT = {
      username: 'anna',
      reason:
        'it is registered as "ann"; if it was renamed by hand, it has what it had, its login too, and is not managed any more: drop it unless it is needed',
    };
    const dropAnna = () => inShop('DROP OWNED BY anna; DROP ROLE anna');

    full.test(
      'of a list that is declared again: who is on the list is there, the other one is left alone and in the log',
      async () => {
        await stack.create('L', list);
        const [oid, was] = [await oidOf('ann'), await all('ann')];
        await server.sql('ALTER ROLE ann RENAME TO anna');
        await stack.update('L', { ...list, reapply: 'now' });
        expect([
          await oidOf('anna'),
          await all('anna'),
          await all('ann'),
          await canSignIn('ann'),
          await canSignIn('bob'),
        ]).toEqual([oid, was, was, true, true]);
        expect(notices('kept')).toMatchObject([KEPT]);
        await dropAnna();
        await stack.delete('L', list);
      },
    );

    full.test('of a list that is deleted: the others go, and the log says who is left', async () => {
      await stack.create('L', list);
      await server.sql('ALTER ROLE ann RENAME TO anna');
      await stack.delete('L', list);
      expect([await oidOf('ann'), await oidOf('bob'), await canSignIn('anna')]).toEqual([undefined, undefined, true]);
      expect(notices('kept')).toMatchObject([KEPT]);
      await dropAnna();
    });

    full.test(
      'of one user that is declared under another name: that one is made, and the log says who is left',
      async () => {
        await stack.create('A', { username: 'ann', privileges: READ });
        await server.sql('ALTER ROLE ann RENAME TO anna');
        await stack.update('A', { username: 'eve', privileges: READ });
        expect([await canSignIn('eve'), await canSignIn('anna'), notices('kept')]).toMatchObject([true, true, [KEPT]]);
        await dropAnna();
        await stack.delete('A', { username: 'eve' });
      },
    );

    full.test('and the template follows: it is taken over with adoptExisting, as what it is', async () => {
      await stack.create('A', { username: 'ann', privileges: READ });
      const oid = await oidOf('ann');
      await server.sql('ALTER ROLE ann RENAME TO anna');
      await stack.update('A', { username: 'anna', privileges: READ, adoptExisting: true });
      expect([await oidOf('anna'), await canSignIn('anna'), notices('kept'), notices('adopting').length]).toEqual([
        oid,
        true,
        [],
        1,
      ]);
      await stack.delete('A', { username: 'ann' });
      expect(await canSignIn('anna')).toBe(true);
      await stack.delete('A', { username: 'anna' });
    });

    full.test('and gives it back: it is the same role, with what it owns', async () => {
      await stack.create('L', list);
      const oid = await oidOf('ann');
      await server.sql('ALTER ROLE ann RENAME TO anna; ALTER ROLE anna RENAME TO ann');
      await stack.update('L', { ...list, reapply: 'now' });
      expect([await oidOf('ann'), notices('kept')]).toEqual([oid, []]);
      await stack.delete('L', list);
    });

    test('to the name of another one that is declared: it is refused, and nothing changes', async () => {
      await stack.create('L', list);
      await server.sql('ALTER ROLE ann RENAME TO eve');
      const found = await snapshot(server);
      expect(await failure(stack.update('L', { ...list, usernames: ['ann', 'bob', 'eve'] }))).toBe(
        'role "eve" exists already and was not created by this library, so it is left as it is; choose another name, drop or rename that role first, or take it over with adoptExisting',
      );
      await expect(snapshot(server)).resolves.toEqual(found);
      await server.sql('ALTER ROLE eve RENAME TO ann');
      await stack.delete('L', list);
    });
  });
});
