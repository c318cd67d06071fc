import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, Stack, throughConnections, trust, User, users } from './stack';

const CASES = setupsOver({ 'connections': ['17, plain'], 'the Data API': [] })
  .filter(({ roleRules }) => roleRules !== 'rdsLike');

/**
 * Who gets what a removed role owns needs something for that, which depends on what it is. Under `rdsLike` the admin is
 * a superuser, who needs nothing.
 */
describe.each(CASES)('a new owner on PostgreSQL $name', ({ major, roleRules, transport: name }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  beforeEach(async () => {
    await server.sql('CREATE ROLE heir; CREATE ROLE "An ""heir"');
    if (major >= 16) {
      await server.sql('GRANT heir, "An ""heir" TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
    await server.sql(
      `CREATE SCHEMA app AUTHORIZATION postgres; CREATE SCHEMA "My: ""app" AUTHORIZATION postgres; CREATE EXTENSION postgres_fdw;
      CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw`,
      [],
      'shop',
    );
  });
  afterEach(async () => {
    await server.sql(
      'DROP SCHEMA app, "My: ""app" CASCADE; DROP SCHEMA IF EXISTS own CASCADE; DROP EXTENSION postgres_fdw CASCADE; DROP PUBLICATION IF EXISTS p',
      [],
      'shop',
    );
    for (const name of ['orders', 'heir', 'An "heir']) {
      for (const database of ['shop', 'postgres']) {
        await server.sql(
          "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('cdk.role')) THEN EXECUTE format('DROP OWNED BY %I', current_setting('cdk.role')); END IF; END $$".replaceAll(
            "current_setting('cdk.role')", `'${name}'`,
          ),
          [],
          database,
        );
      }
      await server.sql(`DROP ROLE IF EXISTS "${name.replace('"', '""')}"`);
    }
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
  });
  afterAll(() => server.stop());

  const to = (heir: string, privileges: User['privileges'] = { shop: { Database: ['CONNECT'] } }): User =>
    ({ username: 'orders', privileges, onRemoval: { Action: 'DROP', ReassignOwnedTo: heir } });
  const transports = { 'connections': () => throughConnections(server), 'the Data API': () => throughDataApi(server) };

  describe(`over ${name}`, () => {
    beforeEach(() => stack = new Stack(server, { transport: transports[name]() }));

    full.test.each(
      firstOf<[what: string, sql: string, advice: string, remedy: string]>(1, [
        [
          'an aggregate and statistics in a schema with a name of its own',
          'CREATE AGGREGATE "My: ""app".a(int) (SFUNC = int4larger, STYPE = int); ALTER AGGREGATE "My: ""app".a(int) OWNER TO orders; CREATE TABLE app.t (a int, b int); CREATE STATISTICS app.s ON a, b FROM app.t; ALTER STATISTICS app.s OWNER TO orders',
          'as a role that may: GRANT CREATE ON SCHEMA "My: ""app" TO heir; GRANT CREATE ON SCHEMA app TO heir',
          'GRANT CREATE ON SCHEMA app, "My: ""app" TO heir',
        ],
        [
          'a function',
          "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION app.f OWNER TO orders",
          'as a role that may: GRANT CREATE ON SCHEMA app TO heir',
          'GRANT CREATE ON SCHEMA app TO heir',
        ],
        [
          'a publication',
          'CREATE PUBLICATION p; ALTER PUBLICATION p OWNER TO orders',
          'as a role that may: GRANT CREATE ON DATABASE shop TO heir',
          'GRANT CREATE ON DATABASE shop TO heir',
        ],
        [
          'a foreign server',
          'ALTER SERVER elsewhere OWNER TO orders',
          'as a role that may: GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO heir',
          'GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO heir',
        ],
      ]),
    )(
      '%s: the reason says what it needs, and with that the next Delete goes through',
      async (_, sql, advice, remedy) => {
        await stack.create('A', to('heir'));
        await server.sql(
          `GRANT CREATE ON DATABASE shop TO orders; GRANT CREATE ON SCHEMA app, "My: ""app" TO orders; ${sql}`,
          [],
          'shop',
        );
        const reason = await failure(stack.delete('A', to('heir')));
        expect(reason).toMatch(
          /^cannot hand over what "orders" owns to "heir" in database "shop": .* \(SQLSTATE 42501\); /s,
        );
        expect(reason.split('(SQLSTATE 42501); ')[1]).toBe(advice);
        await server.sql(remedy, [], 'shop');
        await stack.delete('A', to('heir'));
        expect(await users(server)).not.toContain('orders');
      },
    );

    full.test('a schema: the new owner needs nothing, and the admin CREATE on the database', async () => {
      await stack.create('A', to('heir'));
      await server.sql(
        'CREATE SCHEMA own AUTHORIZATION orders; CREATE TABLE own.t (a int); ALTER TABLE own.t OWNER TO orders; ALTER DATABASE shop OWNER TO rds_ad',
        [],
        'shop',
      );
      expect(await failure(stack.delete('A', to('heir')))).toMatch(
        /\(SQLSTATE 42501\); as a role that may: GRANT CREATE ON DATABASE shop TO postgres$/,
      );
      await server.sql('ALTER DATABASE shop OWNER TO postgres');
      await stack.delete('A', to('heir'));
      expect(await users(server)).not.toContain('orders');
    });

    test('what only a superuser may own is named', async () => {
      await stack.create('A', to('heir'));
      // Only a superuser makes and owns one; a role that is none any more may own it still.
      await server.sql(
        `ALTER ROLE orders SUPERUSER; CREATE FUNCTION app.e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION app.e();
        ALTER EVENT TRIGGER watch OWNER TO orders; ALTER ROLE orders NOSUPERUSER`,
        [],
        'shop',
      );
      expect(await failure(stack.delete('A', to('heir')))).toMatch(
        /\(SQLSTATE 42501\).*; only a superuser may own this, so drop it or let one own it: event trigger watch$/,
      );
      await server.sql('DROP EVENT TRIGGER watch', [], 'shop');
      await stack.delete('A', to('heir'));
    });

    full.test('one that has what is needed gets all of it', async () => {
      await server.sql('GRANT CREATE ON SCHEMA app TO "An ""heir"', [], 'shop');
      await stack.create('A', to('An "heir'));
      await server.sql(
        "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION app.f OWNER TO orders; CREATE SCHEMA own AUTHORIZATION orders",
        [],
        'shop',
      );
      await stack.delete('A', to('An "heir'));
      await expect(
        server.sql(
          "SELECT pg_get_userbyid(proowner) AS f, pg_get_userbyid(nspowner) AS own FROM pg_proc, pg_namespace WHERE proname = 'f' AND pronamespace = 'app'::regnamespace AND nspname = 'own'",
          [],
          'shop',
        ),
      ).resolves.toEqual([{ f: 'An "heir', own: 'An "heir' }]);
    });

    test('one that does not exist is refused when it is declared, and nothing is left', async () => {
      const reason
        = 'role "nobody" does not exist, which is to get what "orders" owns; create the role before this deployment, or correct its name';
      expect(await failure(stack.create('A', to('nobody')))).toBe(reason);
      expect(await users(server)).not.toContain('orders');
      await stack.create('A', to('heir'));
      // An update may be a rollback, which goes through.
      stack.log.length = 0;
      await stack.update('A', to('nobody'));
      expect(stack.log.filter(({ notice }) => notice === 'new owner')).toMatchObject([
        { newOwner: 'nobody', reason: 'role "nobody" does not exist, which is to get what "orders" owns',
          remedy: 'create the role before this deployment, or correct its name' },
      ]);
      await stack.delete('A', to('heir'));
    });

    test('what it lacks for what the user may create is in the log when it is declared', async () => {
      const mayCreate = {
        shop: {
          Database: ['CONNECT', 'CREATE'],
          Schemas: { 'app': { Schema: ['CREATE', 'USAGE'] }, 'My: "app': { Schema: ['USAGE'] } },
        },
      };
      await stack.create('A', to('heir', mayCreate));
      expect(stack.log.filter(({ notice }) => notice === 'new owner')).toMatchObject([{
        newOwner: 'heir', database: 'shop', remedy: 'as a role that may: GRANT CREATE ON SCHEMA app TO heir',
      }]);
      await server.sql('GRANT CREATE ON SCHEMA app TO heir', [], 'shop');
      stack.log.length = 0;
      await stack.update('A', { ...to('heir', mayCreate), reapply: 'again' });
      expect(stack.log.filter(({ notice }) => notice === 'new owner')).toEqual([]);
      await stack.delete('A', to('heir'));
    });

    (major >= 16 ? test : test.skip)(
      'one that the admin cannot become is named, and one that it may only SET ROLE to will do',
      async () => {
        await stack.create('A', to('heir'));
        await server.sql(
          'CREATE TABLE app.t (a int); ALTER TABLE app.t OWNER TO orders; REVOKE ADMIN OPTION FOR heir FROM postgres CASCADE',
          [],
          'shop',
        );
        expect(await failure(stack.delete('A', to('heir')))).toMatch(
          /\(SQLSTATE 42501\); as a role that may: GRANT heir TO postgres WITH ADMIN OPTION$/,
        );
        await server.sql('GRANT heir TO postgres WITH INHERIT FALSE, SET TRUE');
        await stack.delete('A', to('heir'));
        await expect(
          server.sql("SELECT tableowner AS owner FROM pg_tables WHERE tablename = 't'", [], 'shop'),
        ).resolves.toEqual([{ owner: 'heir' }]);
        await expect(server.sql("SELECT FROM pg_auth_members WHERE member = 'heir'::regrole")).resolves.toEqual([]);
      },
    );
  });
});
