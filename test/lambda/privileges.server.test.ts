import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { failure, setups, signInWithToken, snapshot, Stack, trust, User } from './stack';
import { heldBy, startWorld } from './world';

/**
 * What is declared is there after each deployment, whatever was there before; what was never declared is nobody's
 * business, unless the role is exclusive.
 */
describe.each(setups('17, RDS-like'))('privileges on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    ({ server } = await startWorld(setup));
    trust(server.caCertificate);
  });
  beforeEach(() => stack = new Stack(server));
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const held = async (role = 'orders') =>
    (await heldBy(server, [role]))
      .map(line => line.slice(role.length + 1))
      .filter(line => line !== 'logs in' && line !== 'in rds_iam');
  const orders = (privileges: User['privileges'], others: Partial<User> = {}): User => ({
    username: 'orders',
    privileges,
    ...others,
  });

  describe('convergence', () => {
    test('granted, unchanged without a statement, narrowed, widened, taken back', async () => {
      const wide = orders({
        shop: {
          Database: ['CONNECT'],
          Schemas: {
            app: {
              Schema: ['USAGE'],
              Tables: { '*': ['INSERT', 'SELECT'] },
              Sequences: { orders_id_seq: ['USAGE'] },
              Functions: { f: ['EXECUTE'] },
            },
          },
        },
        stock: { Schemas: { public: { Schema: ['CREATE', 'USAGE'] } } },
      });
      // A master that is a superuser need not act as the owner of "events", so that it is one change.
      const onTables = (what: string, to: string, more = ['orders']) => {
        const tables
          = setup.roleRules === 'rdsLike'
            ? [['Line "items"', 'events', ...more, 'totals']]
            : [['Line "items"', ...more, 'totals'], ['events']];
        return tables
          .map(names => names.map(name => JSON.stringify(name)))
          .map(
            names =>
              `${what} on ${names.length > 3 ? `${names.length} tables (${names.slice(0, 3).join(', ')}, ...)` : `${names.length > 1 ? 'tables' : 'table'} ${names.join(', ')}`} in schema "app" ${to} "orders" in database "shop"`,
          );
      };
      await stack.create('A', wide);
      expect(stack.takeChanges()).toEqual([
        'create user "orders"',
        'grant USAGE on schema "app" to "orders" in database "shop"',
        ...onTables('grant INSERT, SELECT', 'to'),
        'grant USAGE on sequence "orders_id_seq" in schema "app" to "orders" in database "shop"',
        'grant EXECUTE on functions "f", "f" in schema "app" to "orders" in database "shop"',
        'grant CREATE, USAGE on schema "public" to "orders" in database "stock"',
        'grant CONNECT on database "shop" to "orders"',
        'grant role "rds_iam" to "orders"',
        'allow user "orders" to log in',
      ]);
      await stack.update('A', wide);
      expect(stack.takeChanges()).toEqual([]);
      await stack.update('A', orders({ shop: { Schemas: { app: { Tables: { orders: ['SELECT', 'UPDATE'] } } } } }));
      expect(stack.takeChanges()).toEqual([
        'revoke EXECUTE on functions "f", "f" in schema "app" from "orders" in database "shop"',
        'revoke USAGE on schema "app" from "orders" in database "shop"',
        'revoke USAGE on sequence "orders_id_seq" in schema "app" from "orders" in database "shop"',
        ...onTables('revoke INSERT, SELECT', 'from', []),
        'revoke INSERT on table "orders" in schema "app" from "orders" in database "shop"',
        'grant UPDATE on table "orders" in schema "app" to "orders" in database "shop"',
        'revoke CREATE, USAGE on schema "public" from "orders" in database "stock"',
        'revoke CONNECT on database "shop" from "orders"',
      ]);
      await expect(held()).resolves.toEqual(['TABLE shop/app/orders: SELECT', 'TABLE shop/app/orders: UPDATE']);
      await stack.update('A', wide);
      await stack.update('A', orders({}));
      await expect(held()).resolves.toEqual([]);
      await stack.delete('A', wide);
    });

    full.test('what was revoked by hand is granted again, what was granted by hand stays', async () => {
      const user = orders({
        shop: {
          Database: ['CONNECT'],
          Schemas: { app: { Tables: { orders: ['SELECT'] }, FutureObjects: { migrator: { Tables: ['SELECT'] } } } },
        },
      });
      await stack.create('A', user);
      await server.sql(
        `REVOKE ALL ON app.orders FROM orders; REVOKE CONNECT ON DATABASE shop FROM orders; REVOKE rds_iam FROM orders; ALTER ROLE orders NOLOGIN;
        ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA app REVOKE SELECT ON TABLES FROM orders`,
        [],
        'shop',
      );
      await server.sql(
        'GRANT INSERT, UPDATE (total) ON app.orders TO orders WITH GRANT OPTION; SET ROLE helper; GRANT DELETE ON app.orders TO orders; RESET ROLE',
        [],
        'shop',
      );
      await server.sql(
        'GRANT SELECT ON "My data".things TO orders; GRANT TEMPORARY ON DATABASE stock TO orders',
        [],
        'stock',
      );
      const byHand = [
        'COLUMN shop/app/orders.total: UPDATE*',
        'DATABASE stock: TEMPORARY',
        'TABLE shop/app/orders: DELETE',
        'TABLE shop/app/orders: INSERT*',
        'TABLE stock/My data/things: SELECT',
      ];
      await expect(held()).resolves.toEqual(byHand);
      await stack.update('A', { ...user, reapply: 'now' });
      await expect(held()).resolves.toEqual(
        [
          ...byHand,
          'DATABASE shop: CONNECT',
          'TABLE shop/app/orders: SELECT',
          'TABLES of migrator in shop/app: SELECT',
        ].sort(),
      );
      await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
      await stack.update('A', orders({}));
      await expect(held()).resolves.toEqual(byHand);
      await stack.delete('A', user);
    });

    full.test('what is granted by hand and declared later is taken back when it is not declared any more', async () => {
      await stack.create('A', orders({}));
      await server.sql('GRANT SELECT, INSERT ON app.orders TO orders', [], 'shop');
      stack.takeChanges();
      await stack.update('A', orders({ shop: { Schemas: { app: { Tables: { orders: ['SELECT'] } } } } }));
      expect(stack.takeChanges()).toEqual([]);
      await stack.update('A', orders({}));
      await expect(held()).resolves.toEqual(['TABLE shop/app/orders: INSERT']);
      await stack.delete('A', orders({}));
    });

    full.test(
      'an exclusive user has what is declared, without grant options, and nothing else in any database',
      async () => {
        const user = orders(
          {
            shop: {
              Database: ['CONNECT'],
              Schemas: { app: { Tables: { orders: ['SELECT'] }, FutureObjects: { migrator: { Tables: ['SELECT'] } } } },
            },
          },
          { exclusive: true },
        );
        await server.sql(
          `CREATE EXTENSION postgres_fdw; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO postgres WITH GRANT OPTION;
        SET ROLE postgres; CREATE SERVER remote FOREIGN DATA WRAPPER postgres_fdw; SELECT lo_create(4711); RESET ROLE`,
          [],
          'stock',
        );
        await stack.create('A', user);
        const exactly = await snapshot(server);
        await server.sql(
          `GRANT USAGE ON SCHEMA app, public TO orders; GRANT SELECT ON app.orders TO orders WITH GRANT OPTION; GRANT ALL ON "My data".things TO orders; GRANT SELECT (total), UPDATE (id) ON app.orders TO orders;
        GRANT EXECUTE ON FUNCTION app.f(int) TO orders; GRANT ALL ON SEQUENCE app.ids TO orders; ALTER DEFAULT PRIVILEGES FOR ROLE migrator GRANT ALL ON TABLES TO orders;
        ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA app GRANT SELECT ON TABLES TO orders WITH GRANT OPTION; ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT USAGE ON TYPES TO orders;
        ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT USAGE ON SCHEMAS TO orders; GRANT CREATE ON DATABASE shop TO orders; GRANT CONNECT ON DATABASE shop TO orders WITH GRANT OPTION`,
          [],
          'shop',
        );
        await server.sql(
          `GRANT USAGE ON TYPE app.mood TO orders; GRANT ALL ON LARGE OBJECT 4711 TO orders; SET ROLE postgres; GRANT USAGE ON FOREIGN SERVER remote TO orders; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO orders; GRANT readers TO orders; RESET ROLE;
        SET ROLE helper; GRANT TRUNCATE ON app.orders TO orders; RESET ROLE`,
          [],
          'stock',
        );
        await server.sql(
          'GRANT USAGE ON SCHEMA "My data" TO orders; GRANT ALL ON DATABASE theirs TO orders; CREATE TABLE app.own (); ALTER TABLE app.own OWNER TO orders',
          [],
          'theirs',
        );
        await stack.update('A', { ...user, reapply: 'now' });
        await server.sql('DROP TABLE app.own', [], 'theirs');
        await expect(snapshot(server)).resolves.toEqual(exactly);
        stack.takeChanges();
        await stack.update('A', { ...user, reapply: 'again' });
        expect(stack.takeChanges()).toEqual([]);
        await stack.delete('A', user);
        await server.sql('DROP EXTENSION postgres_fdw CASCADE; SELECT lo_unlink(4711)', [], 'stock');
      },
    );

    full.test('columns next to their table: what goes with the privilege on the table comes back', async () => {
      const both = orders({
        shop: {
          Schemas: {
            app: { Tables: { orders: ['SELECT'] }, Columns: { orders: { id: ['SELECT'], total: ['UPDATE'] } } },
          },
        },
      });
      await stack.create('A', both);
      await server.sql('GRANT SELECT (total) ON app.orders TO orders WITH GRANT OPTION', [], 'shop');
      await stack.update(
        'A',
        orders({ shop: { Schemas: { app: { Columns: { orders: { id: ['SELECT'], total: ['UPDATE'] } } } } } }),
      );
      await expect(held()).resolves.toEqual([
        'COLUMN shop/app/orders.id: SELECT',
        'COLUMN shop/app/orders.total: SELECT*',
        'COLUMN shop/app/orders.total: UPDATE',
      ]);
      expect(stack.takeChanges()).toContain(
        'grant SELECT on column "total" of table "orders" in schema "app" to "orders" with grant option again in database "shop"',
      );
      await stack.update('A', both);
      await stack.update('A', orders({ shop: { Schemas: { app: { Tables: { orders: ['SELECT', 'UPDATE'] } } } } }));
      await expect(held()).resolves.toEqual([
        'COLUMN shop/app/orders.total: SELECT*',
        'TABLE shop/app/orders: SELECT',
        'TABLE shop/app/orders: UPDATE',
      ]);
      await stack.delete('A', both);
    });

    full.test('a membership in a predefined role comes and goes', async () => {
      await stack.create('A', orders({}, { memberOf: ['pg_monitor'] }));
      await expect(held()).resolves.toEqual(['in pg_monitor']);
      await stack.update('A', orders({}));
      await expect(held()).resolves.toEqual([]);
      await stack.delete('A', orders({}));
    });
  });

  describe('objects', () => {
    test('* is all tables, views, partitions and foreign tables, all sequences and all routines, but nothing of an extension', async () => {
      await server.sql(
        `CREATE SCHEMA every AUTHORIZATION postgres; CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE EXTENSION tablefunc SCHEMA every;
        CREATE FOREIGN TABLE every.f (a int) SERVER files OPTIONS (filename '/dev/null'); ALTER TABLE every.f OWNER TO postgres;
        CREATE AGGREGATE every.o(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
        CREATE AGGREGATE every.h(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, HYPOTHETICAL);
        CREATE FUNCTION every.w() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number'; SET ROLE postgres;
        CREATE TABLE every.t (day int) PARTITION BY LIST (day); CREATE TABLE every.t1 PARTITION OF every.t FOR VALUES IN (1); CREATE VIEW every.v AS SELECT 1; CREATE MATERIALIZED VIEW every.m AS SELECT 1;
        CREATE SEQUENCE every.s; CREATE TABLE every.i (id int GENERATED ALWAYS AS IDENTITY); CREATE TYPE every."odd ""type""" AS (a int);
        CREATE FUNCTION every.a("odd ""name""" every."odd ""type""", OUT b int, INOUT c int DEFAULT 1) LANGUAGE sql AS 'SELECT 1, 2';
        CREATE FUNCTION every."f(int), g"(VARIADIC a numeric[]) RETURNS TABLE (n int) LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE every.p(a int, OUT b int) LANGUAGE sql AS 'SELECT 1';
        CREATE AGGREGATE every.g(numeric) (SFUNC = numeric_add, STYPE = numeric); RESET ROLE;
        ALTER AGGREGATE every.o(float8 ORDER BY anyelement) OWNER TO postgres; ALTER ROUTINE every.w() OWNER TO postgres; ALTER AGGREGATE every.h(VARIADIC "any" ORDER BY VARIADIC "any") OWNER TO postgres`,
        [],
        'shop',
      );
      const all = orders({
        shop: {
          Schemas: {
            every: { Tables: { '*': ['SELECT'] }, Sequences: { '*': ['USAGE'] }, Functions: { '*': ['EXECUTE'] } },
          },
        },
      });
      await stack.create('A', all);
      await expect(held()).resolves.toEqual([
        'ROUTINE shop/every/a("odd ""name""" every."odd ""type""", OUT b integer, INOUT c integer): EXECUTE',
        'ROUTINE shop/every/f(int), g(VARIADIC a numeric[]): EXECUTE',
        'ROUTINE shop/every/g(numeric): EXECUTE',
        'ROUTINE shop/every/h(VARIADIC "any" ORDER BY VARIADIC "any"): EXECUTE',
        'ROUTINE shop/every/o(double precision ORDER BY anyelement): EXECUTE',
        'ROUTINE shop/every/p(IN a integer, OUT b integer): EXECUTE',
        'ROUTINE shop/every/w(): EXECUTE',
        'SEQUENCE shop/every/i_id_seq: USAGE',
        'SEQUENCE shop/every/s: USAGE',
        ...['f', 'i', 'm', 't1', 't', 'v'].map(name => `TABLE shop/every/${name}: SELECT`),
      ]);
      await stack.update('A', orders({}));
      await expect(held()).resolves.toEqual([]);
      await server.sql('DROP EXTENSION file_fdw CASCADE; DROP SCHEMA every CASCADE', [], 'shop');
      await stack.delete('A', all);
    });

    full.test('a user that owns objects of the schema needs no privileges on them, and others get theirs', async () => {
      const readWrite = { Schema: ['USAGE'], Tables: { '*': ['INSERT', 'SELECT'] } };
      await stack.create('A', orders({ shop: { Schemas: { app: readWrite } } }));
      await server.sql(
        'CREATE TABLE app.own (n int); ALTER TABLE app.own OWNER TO orders; GRANT CREATE ON SCHEMA app TO orders',
        [],
        'shop',
      );
      stack.takeChanges();
      await stack.update('A', orders({ shop: { Schemas: { app: readWrite } } }, { reapply: 'now', exclusive: true }));
      expect(stack.takeChanges()).toEqual(['revoke CREATE on schema "app" from "orders" in database "shop"']);
      await stack.create('B', { username: 'reader', privileges: { shop: { Schemas: { app: readWrite } } } });
      await expect(held('reader')).resolves.toContain('TABLE shop/app/own: SELECT');
      await stack.delete('B', { username: 'reader' });
      await server.sql('DROP TABLE app.own', [], 'shop');
      await stack.delete('A', orders({}));
    });

    full.test('schema public, with any owner of the database', async () => {
      const inPublic = {
        Schemas: {
          public: {
            Schema: ['CREATE', 'USAGE'],
            Tables: { '*': ['SELECT'] },
            FutureObjects: { migrator: { Tables: ['SELECT'] } },
          },
        },
      };
      const user = orders({
        postgres: inPublic,
        shop: inPublic,
        theirs: { ...inPublic, Database: ['CONNECT', 'CREATE', 'TEMPORARY'] },
      });
      await stack.create('A', user);
      await expect(held()).resolves.toEqual([
        'DATABASE theirs: CONNECT', 'DATABASE theirs: CREATE', 'DATABASE theirs: TEMPORARY',
        ...['shop', 'theirs'].flatMap(database => [`SCHEMA ${database}/public: CREATE`,
          `SCHEMA ${database}/public: USAGE`]),
        ...['shop', 'theirs'].map(database => `TABLE ${database}/public/notes: SELECT`),
        ...['shop', 'theirs'].map(database => `TABLES of migrator in ${database}/public: SELECT`),
      ]);
      await expect(server.sql("SELECT has_schema_privilege('orders', 'public', 'CREATE') AS can")).resolves.toEqual([
        { can: true },
      ]);
      stack.takeChanges();
      await stack.update('A', { ...user, reapply: 'now' });
      expect(stack.takeChanges()).toEqual([]);
      await stack.update('A', orders({}));
      await expect(held()).resolves.toEqual([]);
      await stack.delete('A', user);
    });

    full.test('a table that is gone is no reason to fail once it is not declared any more', async () => {
      await server.sql('CREATE TABLE app.gone (n int)', [], 'shop');
      await server.sql('ALTER TABLE app.gone OWNER TO postgres', [], 'shop');
      await stack.create(
        'A',
        orders({ shop: { Schemas: { app: { Tables: { gone: ['SELECT'] }, Columns: { gone: { n: ['UPDATE'] } } } } } }),
      );
      await server.sql('DROP TABLE app.gone', [], 'shop');
      await stack.update('A', orders({}));
      await stack.delete('A', orders({}));
    });
  });

  describe('a schema of its own', () => {
    const owner = (schema: string, others: Partial<User> = {}) =>
      orders({ shop: { Database: ['CONNECT'], Schemas: { [schema]: { Owner: 'true' } } } }, others);
    const ownerOf = async (schema: string) =>
      (
        await server.sql<{ owner: string }>(
          'SELECT nspowner::regrole::text AS owner FROM pg_namespace WHERE nspname = $1',
          [schema],
          'shop',
        )
      ).map(({ owner }) => owner);

    test('is created and belongs to the role, which can create tables in it, and is dropped when it is empty', async () => {
      await stack.create('A', owner('Own "schema"'));
      expect(await ownerOf('Own "schema"')).toEqual(['orders']);
      await server.sql(
        'SET ROLE orders; CREATE TABLE "Own ""schema""".t (); DROP TABLE "Own ""schema""".t; RESET ROLE',
        [],
        'shop',
      );
      stack.takeChanges();
      await stack.update('A', owner('Own "schema"', { reapply: 'now' }));
      expect(stack.takeChanges()).toEqual([]);
      await stack.update('A', owner('another'));
      expect(await ownerOf('Own "schema"')).toEqual([]);
      expect(await ownerOf('another')).toEqual(['orders']);
      await stack.delete('A', owner('another'));
      expect(await ownerOf('another')).toEqual([]);
    });

    full.test('goes with the role that is renamed, and stays with what is in it', async () => {
      await stack.create('A', owner('own'));
      await server.sql('CREATE SEQUENCE own.s', [], 'shop');
      await stack.update('A', { ...owner('own'), username: 'renamed' });
      await stack.update('A', { ...orders({}), username: 'renamed' });
      expect(await ownerOf('own')).toEqual(['renamed']);
      await stack.update('A', { ...owner('own'), username: 'renamed' });
      await server.sql('DROP SEQUENCE own.s', [], 'shop');
      await stack.delete('A', { username: 'renamed' });
    });

    full.test('others have privileges in it, which go with it', async () => {
      await stack.create('A', owner('own'));
      const reader: User = {
        username: 'reader',
        privileges: {
          shop: {
            Schemas: {
              own: {
                Schema: ['USAGE'],
                Tables: { '*': ['SELECT'] },
                FutureObjects: { orders: { Tables: ['SELECT'] } },
              },
            },
          },
        },
      };
      await stack.create('B', reader);
      await server.sql('SET ROLE orders; CREATE TABLE own.t (n int); RESET ROLE', [], 'shop');
      await expect(held('reader')).resolves.toEqual([
        'SCHEMA shop/own: USAGE',
        'TABLE shop/own/t: SELECT',
        'TABLES of orders in shop/own: SELECT',
      ]);
      await server.sql('DROP TABLE own.t', [], 'shop');
      await stack.update('A', orders({}));
      await stack.delete('A', orders({}));
      await stack.delete('B', reader);
    });

    full.test(
      'others have their privileges in it again when it comes back, as in an update that is rolled back',
      async () => {
        await stack.create('A', owner('own'));
        const reader: User = {
          username: 'reader',
          privileges: {
            shop: {
              Schemas: {
                own: {
                  Schema: ['USAGE'],
                  Tables: { '*': ['SELECT'] },
                  FutureObjects: { orders: { Tables: ['SELECT'] } },
                },
              },
            },
          },
        };
        const other: User = { username: 'other', privileges: { shop: { Schemas: { app: { Schema: ['USAGE'] } } } } };
        await stack.create('B', reader);
        await stack.create('C', other);
        const was = [await held('reader'), await held('other')];
        await stack.update('A', orders({}));
        await expect(held('reader')).resolves.toEqual([]);
        await stack.update('A', owner('own'));
        expect([await held('reader'), await held('other')]).toEqual(was);
        stack.takeChanges();
        await stack.update('B', { ...reader, reapply: 'now' });
        expect(stack.takeChanges()).toEqual([]);
        await stack.delete('B', reader);
        await stack.delete('C', other);
        await stack.delete('A', owner('own'));
      },
    );

    test('is refused if it belongs to another role, and left as it is', async () => {
      expect(await failure(stack.create('A', owner('app')))).toBe(
        'schema "app" in database "shop" belongs to "postgres" and not to "orders"; choose another schema, or hand it over with ALTER SCHEMA ... OWNER TO',
      );
    });
  });

  describe('on objects in a schema without USAGE on it', () => {
    const things = (schema: object = {}) => ({
      theirs: { Schemas: { 'My data': { Tables: { things: ['SELECT'] }, ...schema } } },
    });
    const said = () =>
      stack.log
        .splice(0)
        .filter(({ notice }) => notice === 'no USAGE')
        .map(({ role, schema, database, reason, remedy }) => ({ role, schema, database, reason, remedy }));
    const UNUSABLE = {
      role: 'orders', schema: 'My data', database: 'theirs',
      reason:
        'the user has privileges on objects of the schema, and cannot use them: it has no USAGE on the schema, neither of its own nor through PUBLIC or a group role',
      remedy: 'add Privileges.onSchema({ database: "theirs", schema: "My data" }) to its privileges',
    };

    test('are in the log, until the user has USAGE', async () => {
      await stack.create('A', orders(things()));
      expect(said()).toEqual([UNUSABLE]);
      await stack.update('A', orders(things({ Schema: ['USAGE'] })));
      expect(said()).toEqual([]);
      await stack.update('A', orders(things({ Tables: {}, FutureObjects: { migrator: { Tables: ['SELECT'] } } })));
      expect(said()).toEqual([UNUSABLE]);
      await stack.delete('A', orders(things()));
    });

    full.test(
      'are of use with USAGE of PUBLIC, of a group role, or of the owner; and in a group role, whose members may have it otherwise',
      async () => {
        await stack.create('P', orders({ theirs: { Schemas: { public: { Tables: { notes: ['SELECT'] } } } } }));
        await stack.create('G', { roleName: 'lookers', privileges: things({ Tables: {}, Schema: ['USAGE'] }) });
        await stack.create('H', { roleName: 'holders', privileges: things() });
        const member: User = { username: 'member', memberOf: ['lookers'], privileges: things() };
        await stack.create('M', member);
        const owner: User = {
          username: 'owner',
          privileges: {
            shop: { Schemas: { own: { Owner: 'true', FutureObjects: { migrator: { Tables: ['SELECT'] } } } } },
          },
        };
        await stack.create('O', owner);
        expect(said()).toEqual([]);
        await stack.update('M', { ...member, memberOf: [] });
        // Memberships go last: the next event sees it.
        await stack.update('M', { ...member, memberOf: [], reapply: 'again' });
        expect(said()).toEqual([{ ...UNUSABLE, role: 'member' }]);
        await stack.delete('O', owner);
        await stack.delete('M', member);
        await stack.delete('H', { roleName: 'holders' });
        await stack.delete('G', { roleName: 'lookers' });
        await stack.delete('P', orders({}));
      },
    );
  });
});
