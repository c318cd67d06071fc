import { Client } from 'pg';
import { RemovalProperties } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { failure, setups, signInWithToken, Stack, trust, User } from './stack';
import { DATABASES, heldBy, startWorld } from './world';

/** A user that has all there is to have, in all databases of the server, and then goes. */
describe.each(setups('16, plain'))('a user goes on PostgreSQL $name', ({ major, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    ({ server } = await startWorld({ ...setup, major }));
    trust(server.caCertificate);
    await server.sql('CREATE ROLE heir; CREATE ROLE bystander; CREATE ROLE team');
    for (const database of DATABASES) {
      await server.sql(
        `ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY; GRANT CREATE ON DATABASE ${database} TO heir; GRANT CREATE ON SCHEMA app TO heir`,
        [],
        database,
      );
    }
    if (major >= 16) {
      await server.sql('GRANT heir, team, bystander TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
  });
  beforeEach(() => stack = new Stack(server));
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const leaver = (action: RemovalProperties = { Action: 'DROP_OR_DISABLE' }): User => ({
    username: 'leaver',
    memberOf: ['readers'],
    onRemoval: action,
    privileges: {
      shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } },
      stock: {
        Database: ['TEMPORARY'],
        Schemas: {
          app: {
            Tables: { orders: ['SELECT'] },
            Columns: { orders: { id: ['UPDATE'] } },
            FutureObjects: { migrator: { Tables: ['SELECT'], Functions: ['EXECUTE'] } },
          },
        },
      },
      theirs: { Schemas: { 'My data': { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } },
    },
  });

  /** What nobody has declared: from other grantors, passed on, in advance, policies, and what is no table. */
  async function grantByHand(): Promise<void> {
    await server.sql(
      `SET ROLE helper; GRANT INSERT ON app.orders TO leaver WITH GRANT OPTION; SET ROLE leaver; GRANT INSERT ON app.orders TO bystander; RESET ROLE;
      CREATE POLICY alone ON app.orders TO leaver; CREATE POLICY shared ON app.orders TO leaver, bystander; CREATE TYPE app.state AS ENUM (); GRANT USAGE ON TYPE app.state TO leaver;
      ALTER TYPE app.state OWNER TO postgres; SET ROLE postgres; SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO leaver; RESET ROLE;
      ALTER DEFAULT PRIVILEGES FOR ROLE leaver IN SCHEMA app GRANT SELECT ON TABLES TO bystander; ALTER DEFAULT PRIVILEGES FOR ROLE migrator GRANT USAGE ON TYPES TO leaver`,
      [],
      'shop',
    );
    await server.sql('GRANT CREATE ON SCHEMA public TO leaver');
    await server.sql(
      'GRANT ALL ON DATABASE theirs TO leaver WITH GRANT OPTION; SET ROLE leaver; GRANT CREATE ON DATABASE theirs TO bystander; RESET ROLE',
      [],
      'theirs',
    );
    await server.sql(
      'SET ROLE postgres; GRANT team TO leaver WITH ADMIN OPTION; SET ROLE leaver; GRANT team TO bystander; RESET ROLE',
    );
  }

  async function takeBackByHand(): Promise<void> {
    // Up to 15, it is not on record who has granted a membership.
    if (major < 16) {
      await server.sql('REVOKE team FROM bystander');
    }
    await server.sql(
      'DROP POLICY IF EXISTS alone ON app.orders; DROP POLICY shared ON app.orders; DROP TYPE app.state; SELECT lo_unlink(4711)',
      [],
      'shop',
    );
  }

  async function createOwned(): Promise<void> {
    await server.sql(
      `CREATE TABLE app.precious (n serial); INSERT INTO app.precious VALUES (42); ALTER TABLE app.precious OWNER TO leaver; CREATE FUNCTION app.of_leaver() RETURNS int LANGUAGE sql AS 'SELECT 1';
      ALTER FUNCTION app.of_leaver OWNER TO leaver`,
      [],
      'shop',
    );
    await server.sql(
      'CREATE TYPE app.kind AS ENUM (); ALTER TYPE app.kind OWNER TO leaver; SELECT lo_create(4712); ALTER LARGE OBJECT 4712 OWNER TO leaver; CREATE SCHEMA hers AUTHORIZATION leaver',
      [],
      'stock',
    );
  }

  const dropOwned = async () => {
    await server.sql('DROP TABLE app.precious; DROP FUNCTION app.of_leaver', [], 'shop');
    await server.sql('DROP TYPE app.kind; SELECT lo_unlink(4712); DROP SCHEMA hers', [], 'stock');
  };

  async function dropRole(): Promise<void> {
    for (const database of ['postgres', ...DATABASES]) {
      await server.sql('DROP OWNED BY leaver', [], database);
    }
    await server.sql('DROP ROLE leaver; DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
  }

  const openSession = async (database: string) => {
    const client = new Client({
      host: server.host,
      port: server.port,
      user: 'leaver',
      password: server.token('application', 'leaver'),
      database,
      ssl: true,
    });
    const ended = new Promise(resolve => client.on('error', resolve));
    await client.connect();
    await client.query('BEGIN');
    return { ended };
  };
  const canSignIn = () => signInWithToken(server, 'leaver').then(() => true, () => false);
  const notices = (notice: string) => stack.log.filter(line => line.notice === notice);

  full.test('by default it is dropped when it owns nothing, whichever role has granted what it holds', async () => {
    await stack.create('A', leaver());
    await grantByHand();
    const sessions = [await openSession('shop'), await openSession('stock')];
    await stack.delete('A', leaver());
    await Promise.all(sessions.map(({ ended }) => ended));
    await expect(server.sql("SELECT FROM pg_roles WHERE rolname = 'leaver'")).resolves.toEqual([]);
    expect(notices('not taken back')).toEqual([]);
    // A Delete that is delivered twice finds nothing to do.
    stack.takeChanges();
    await stack.delete('A', leaver());
    expect(stack.takeChanges()).toEqual([]);
    await takeBackByHand();
  });

  test('by default it stays with what it owns, without access, and the log says what that is', async () => {
    await stack.create('A', leaver());
    await grantByHand();
    await createOwned();
    const sessions = [await openSession('shop'), await openSession('stock')];
    await stack.delete('A', leaver());
    await Promise.all(sessions.map(({ ended }) => ended));
    expect(await canSignIn()).toBe(false);
    await expect(heldBy(server, ['leaver'])).resolves.toEqual([]);
    await expect(server.sql('SELECT n FROM app.precious', [], 'shop')).resolves.toEqual([{ n: 42 }]);
    expect(notices('not taken back')).toEqual([]);
    expect(notices('kept')).toMatchObject([{
      username: 'leaver',
      reason:
        'it has no access any more, but was not dropped because objects depend on it; if this was to be a rename, it needs another username under the same construct id, '
        + 'because another construct id makes another role: deploy the former id and name again, then give that id the new name as username',
      owned:
        '1 functions in database shop, 2 tables, views and sequences in database shop, 1 large objects in database stock, 1 schemas in database stock, 1 types in database stock',
    }]);
    await takeBackByHand();
    await dropOwned();
    await dropRole();
  });

  describe('DROP', () => {
    const toHeir = leaver({ Action: 'DROP', ReassignOwnedTo: 'heir' });

    test('what it owns goes to the new owner, in all databases, and the role is dropped', async () => {
      await stack.create('A', toHeir);
      await grantByHand();
      await createOwned();
      await stack.delete('A', toHeir);
      await expect(server.sql("SELECT FROM pg_roles WHERE rolname = 'leaver'")).resolves.toEqual([]);
      await expect(
        server.sql(
          "SELECT n, pg_get_userbyid(relowner) AS owner FROM app.precious, pg_class WHERE relname = 'precious'",
          [],
          'shop',
        ),
      ).resolves.toEqual([{ n: 42, owner: 'heir' }]);
      await expect(
        server.sql("SELECT pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname = 'hers'", [], 'stock'),
      ).resolves.toEqual([{ owner: 'heir' }]);
      await takeBackByHand();
      await dropOwned();
    });

    full.test.each([
      [
        'that is not there',
        'cannot hand over what "leaver" owns to "nobody" in database "shop": role "nobody" does not exist (SQLSTATE 42704); create the role before this deployment, or correct its name',
        'nobody',
      ],
      [
        'that may not create objects there',
        'cannot hand over what "leaver" owns to "bystander" in database "shop": permission denied for schema app (SQLSTATE 42501); '
        + 'as a role that may: GRANT CREATE ON SCHEMA app TO bystander',
        'bystander',
      ],
    ])(
      'a new owner %s: the deployment fails, the access is gone, and the next try does the rest',
      async (_, message, heir) => {
        await stack.create('A', leaver());
        await createOwned();
        // To the superuser, everything is permitted.
        if (setup.roleRules !== 'rdsLike' || heir === 'nobody') {
          expect(await failure(stack.delete('A', leaver({ Action: 'DROP', ReassignOwnedTo: heir })))).toBe(message);
          expect(await canSignIn()).toBe(false);
        }
        await stack.delete('A', toHeir);
        await expect(server.sql("SELECT FROM pg_roles WHERE rolname = 'leaver'")).resolves.toEqual([]);
        await dropOwned();
      },
    );
  });

  test.each(
    firstOf(1, [
      ['DISABLE', false, 'it is to be disabled: it cannot log in any more, and has what it owns and holds'],
      ['RETAIN', true, 'it is to be retained, with its login and all it holds'],
    ] as const),
  )(
    '%s: it stays as it is, with login: %s; it is managed again once it is declared again',
    async (action, login, reason) => {
      await stack.create('A', leaver({ Action: action }));
      await createOwned();
      const held = (await heldBy(server, ['leaver'])).filter(line => login || !/ (logs in|in rds_iam)$/.test(line));
      const session = login ? undefined : await openSession('shop');
      await stack.delete('A', leaver({ Action: action }));
      await session?.ended;
      expect(notices('kept')).toMatchObject([{ username: 'leaver', reason }]);
      expect(await canSignIn()).toBe(login);
      await expect(heldBy(server, ['leaver'])).resolves.toEqual(held);
      // By another resource of the same stack, and in a stack that was made again.
      const again = new Stack(server, { unique: '2' });
      const little: User = { username: 'leaver', privileges: { shop: { Database: ['CONNECT'] } } };
      await again.create('B', little);
      expect(await canSignIn()).toBe(true);
      await expect(heldBy(server, ['leaver'])).resolves.toEqual([
        'leaver DATABASE shop: CONNECT',
        'leaver in rds_iam',
        'leaver logs in',
      ]);
      expect(again.log.filter(({ notice }) => notice === 'adopting')).toEqual([]);
      await dropOwned();
      await again.delete('B', little);
    },
  );

  describe('what cannot be taken back is in the log, and the access is gone', () => {
    test('what a superuser has granted', async () => {
      await stack.create('A', leaver());
      await server.sql('GRANT USAGE ON LANGUAGE sql TO leaver', [], 'shop');
      await stack.delete('A', leaver());
      expect(await canSignIn()).toBe(false);
      if (setup.roleRules !== 'rdsLike') {
        expect(notices('not taken back')).toMatchObject([
          { change: 'revoke USAGE on language "sql" from "leaver" in database "shop"',
            reason: 'no privileges could be revoked for "sql"' },
          { change: 'take back whatever else depends on "leaver", which owns nothing in database "shop"' },
        ]);
        expect(notices('kept')).toMatchObject([{ username: 'leaver', dependents: '1 object in database shop' }]);
        await expect(heldBy(server, ['leaver'])).resolves.toEqual([]);
        await dropRole();
      }
    });

    test('what is in a database that accepts no connection', async () => {
      await stack.create('A', leaver());
      await server.sql('ALTER DATABASE stock ALLOW_CONNECTIONS false');
      await stack.delete('A', leaver());
      expect(await canSignIn()).toBe(false);
      expect(notices('not taken back')).toMatchObject([{ database: 'stock', reason: 'it accepts no connections' }]);
      expect(notices('kept')).toMatchObject([{ username: 'leaver' }]);
      await server.sql('ALTER DATABASE stock ALLOW_CONNECTIONS true');
      await dropRole();
    });

    full.test('a database that it owns', async () => {
      await stack.create('A', leaver());
      await server.sql('CREATE DATABASE hers OWNER leaver');
      await stack.delete('A', leaver());
      expect(await canSignIn()).toBe(false);
      expect(notices('kept')).toMatchObject([
        { username: 'leaver', owned: '1 databases in the server', dependents: 'owner of database hers' },
      ]);
      await server.sql('DROP DATABASE hers');
      await dropRole();
    });
  });
});
