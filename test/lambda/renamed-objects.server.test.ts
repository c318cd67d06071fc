import type { DatabasePrivileges } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { throughDataApi } from './over-data-api';
import { setupsOver, Stack, throughConnections, trust, User } from './stack';
import { heldBy } from './world';

type Schema = NonNullable<DatabasePrivileges['Schemas']>[string];

const CASES = setupsOver({ 'connections': ['17, plain'], 'the Data API': [] });

interface Rename {
  readonly name: string;
  readonly declared: Schema;
  readonly sql: string;
  /** What the user holds afterwards, without an event. */
  readonly follows: string[];
  /** What the user holds once an event has declared the same again. */
  readonly again: string[];
  /** The declaration with the new name, which changes nothing, in this schema. */
  readonly renamed?: [schema: string, declared: Schema];
}

const RENAMES: Rename[] = [
  {
    name: 'a column', declared: { Columns: { t: { n: ['SELECT'] } } }, sql: 'ALTER TABLE app.t RENAME n TO k; ALTER TABLE app.t ADD n int',
    follows: ['COLUMN shop/app/t.k: SELECT'], again: ['COLUMN shop/app/t.n: SELECT'], renamed: ['app', { Columns: { t: { k: ['SELECT'] } } }],
  },
  {
    name: 'a table, and another one has its name', declared: { Tables: { t: ['SELECT', 'UPDATE'] } }, sql: 'ALTER TABLE app.t RENAME TO t_old; CREATE TABLE app.t (n int)',
    follows: ['TABLE shop/app/t_old: SELECT', 'TABLE shop/app/t_old: UPDATE'], again: ['TABLE shop/app/t: SELECT', 'TABLE shop/app/t: UPDATE'],
  },
  {
    name: 'a table', declared: { Tables: { t: ['SELECT'] } }, sql: 'ALTER TABLE app.t RENAME TO t_new',
    follows: ['TABLE shop/app/t_new: SELECT'], again: [], renamed: ['app', { Tables: { t_new: ['SELECT'] } }],
  },
  {
    name: 'two tables, each to the name of the other', declared: { Tables: { t: ['SELECT'], v: ['UPDATE'] } },
    sql: 'ALTER TABLE app.t RENAME TO x; ALTER VIEW app.v RENAME TO t; ALTER TABLE app.x RENAME TO v',
    follows: ['TABLE shop/app/t: UPDATE', 'TABLE shop/app/v: SELECT'], again: ['TABLE shop/app/t: SELECT', 'TABLE shop/app/v: UPDATE'],
  },
  {
    name: 'a view', declared: { Tables: { v: ['SELECT'] } }, sql: 'ALTER VIEW app.v RENAME TO w',
    follows: ['TABLE shop/app/w: SELECT'], again: [], renamed: ['app', { Tables: { w: ['SELECT'] } }],
  },
  {
    name: 'a table with privileges on a column', declared: { Columns: { t: { n: ['UPDATE'] } } }, sql: 'ALTER TABLE app.t RENAME TO u; ALTER TABLE app.u RENAME n TO k',
    follows: ['COLUMN shop/app/u.k: UPDATE'], again: [], renamed: ['app', { Columns: { u: { k: ['UPDATE'] } } }],
  },
  {
    name: 'a sequence', declared: { Sequences: { s: ['USAGE'] } }, sql: 'ALTER SEQUENCE app.s RENAME TO s2; CREATE SEQUENCE app.s',
    follows: ['SEQUENCE shop/app/s2: USAGE'], again: ['SEQUENCE shop/app/s: USAGE'], renamed: ['app', { Sequences: { s2: ['USAGE'] } }],
  },
  {
    name: 'a function', declared: { Functions: { f: ['EXECUTE'] } }, sql: 'ALTER FUNCTION app.f(int) RENAME TO g',
    follows: ['ROUTINE shop/app/g(integer): EXECUTE'], again: [], renamed: ['app', { Functions: { g: ['EXECUTE'] } }],
  },
  {
    name: 'a type', declared: { Types: { mood: ['USAGE'] } }, sql: 'ALTER TYPE app.mood RENAME TO temper',
    follows: ['TYPE shop/app/temper: USAGE'], again: [], renamed: ['app', { Types: { temper: ['USAGE'] } }],
  },
  {
    name: 'a table, to another schema', declared: { Tables: { t: ['SELECT'] } }, sql: 'ALTER TABLE app.t SET SCHEMA other',
    follows: ['TABLE shop/other/t: SELECT'], again: [], renamed: ['other', { Tables: { t: ['SELECT'] } }],
  },
  {
    name: 'a schema, and another one has its name', sql: 'ALTER SCHEMA app RENAME TO app_old; CREATE SCHEMA app; CREATE TABLE app.t (n int)',
    declared: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] }, FutureObjects: { postgres: { Tables: ['SELECT'] } } },
    follows: ['SCHEMA shop/app_old: USAGE', 'TABLE shop/app_old/t: SELECT', 'TABLE shop/app_old/v: SELECT', 'TABLES of postgres in shop/app_old: SELECT'],
    again: ['SCHEMA shop/app: USAGE', 'TABLE shop/app/t: SELECT', 'TABLES of postgres in shop/app: SELECT'],
  },
  {
    name: 'a schema', declared: { Schema: ['USAGE'], Tables: { '*': ['SELECT'], 't': ['UPDATE'] } }, sql: 'ALTER SCHEMA app RENAME TO app_new; ALTER TABLE app_new.t RENAME TO u',
    follows: ['SCHEMA shop/app_new: USAGE', 'TABLE shop/app_new/u: SELECT', 'TABLE shop/app_new/u: UPDATE', 'TABLE shop/app_new/v: SELECT'], again: [],
    renamed: ['app_new', { Schema: ['USAGE'], Tables: { '*': ['SELECT'], 'u': ['UPDATE'] } }],
  },
];

/** A privilege stays with its object when that is renamed, and so does the record of it. */
describe.each(CASES)('renamed objects on PostgreSQL $name over $transport', ({ transport, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, databases: ['shop', 'stock', 'theirs'], authorize: () => true, settings: { autovacuum: 'off' } });
    trust(server.caCertificate);
  });
  beforeEach(async () => {
    stack = new Stack(server, { transport: transport === 'connections' ? throughConnections(server) : throughDataApi(server) });
    await inShop(CREATE);
  });
  afterEach(() => inShop('DROP SCHEMA IF EXISTS app, app_old, app_new, other CASCADE'));
  watchAdmin(() => server);
  afterAll(() => server.stop());

  const CREATE = `
    CREATE SCHEMA app AUTHORIZATION postgres; CREATE SCHEMA other AUTHORIZATION postgres; SET ROLE postgres;
    CREATE TABLE app.t (n int, m int); CREATE VIEW app.v AS SELECT 1 AS one; CREATE SEQUENCE app.s; CREATE TYPE app.mood AS ENUM (); REVOKE ALL ON TYPE app.mood FROM PUBLIC;
    CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION app.f(int) FROM PUBLIC; RESET ROLE`;
  const inShop = (sql: string) => server.sql(sql, [], 'shop');
  const asAdmin = (sql: string) => server.sql(`SET ROLE postgres; ${sql}; RESET ROLE`, [], 'shop');
  const held = async () => (await heldBy(server, ['orders'])).map(line => line.slice('orders '.length)).filter(line => !['in rds_iam', 'logs in'].includes(line));
  const using = (schema: string, declared: Schema, others: Partial<User> = {}): User => ({ username: 'orders', privileges: { shop: { Schemas: { [schema]: declared } } }, ...others });
  const NOTHING: User = { username: 'orders', privileges: {} };
  const notTakenBack = () => stack.log.filter(({ notice }) => notice === 'not taken back');
  const recreate = () => inShop(`DROP SCHEMA IF EXISTS app, app_old, app_new, other CASCADE; ${CREATE}`);

  test.each(firstOf(1, RENAMES))('$name: what is not declared any more is revoked, whatever it is called now', async ({ declared, sql, follows, again, renamed }) => {
    const user = using('app', declared);
    await stack.create('A', user);
    await asAdmin(sql);
    await expect(held()).resolves.toEqual(follows);
    await stack.update('A', NOTHING);
    await expect(held()).resolves.toEqual([]);

    // Declared again in between: the names in the template count.
    await recreate();
    await stack.update('A', user);
    await asAdmin(sql);
    await stack.update('A', { ...user, reapply: 'now' });
    await expect(held()).resolves.toEqual(again);
    await stack.update('A', NOTHING);
    await expect(held()).resolves.toEqual([]);

    if (renamed) {
      await recreate();
      await stack.update('A', user);
      await asAdmin(sql);
      stack.takeChanges();
      await stack.update('A', using(...renamed));
      expect(stack.takeChanges()).toEqual([]);
      await expect(held()).resolves.toEqual(follows);
      await stack.update('A', NOTHING);
      await expect(held()).resolves.toEqual([]);
    }
    expect(notTakenBack()).toEqual([]);
    await stack.delete('A', NOTHING);
  });

  describe('what all databases share', () => {
    const FORMER = ['stock', 'stock_old', 'readers', 'readers_old', 'maker', 'maker_old'];
    const grantToAdmin = setup.major < 16 ? '' : 'GRANT readers, maker TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE';
    const heldOfAll = async () => {
      const databases = (await server.sql<{ name: string }>('SELECT datname::text AS name FROM pg_database WHERE datallowconn')).map(({ name }) => name);
      const inDatabases = await Promise.all(databases.map(async (database) => {
        const rows = await server.sql<{ line: string }>(`
          SELECT 'DATABASE ' || datname || ': ' || privilege_type AS line FROM pg_database, aclexplode(datacl) WHERE datname = current_database() AND grantee = 'orders'::regrole
          UNION ALL SELECT 'TABLE ' || current_database() || '/' || oid::regclass || ': ' || privilege_type FROM pg_class, aclexplode(relacl) WHERE grantee = 'orders'::regrole
          UNION ALL SELECT 'FUTURE of ' || defaclrole::regrole || ' in ' || current_database() || ': ' || privilege_type FROM pg_default_acl, aclexplode(defaclacl) WHERE grantee = 'orders'::regrole`, [], database);
        return rows.map(({ line }) => line);
      }));
      const groups = await server.sql<{ line: string }>("SELECT DISTINCT 'in ' || roleid::regrole AS line FROM pg_auth_members WHERE member = 'orders'::regrole AND roleid <> 'rds_iam'::regrole");
      return [...inDatabases.flat(), ...groups.map(({ line }) => line)].sort();
    };
    const rename = (database: string) => server.sql(`ALTER DATABASE ${database} RENAME TO ${database}_old`);
    const endSessions = () => server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'stock'");
    const user: User = {
      username: 'orders', memberOf: ['readers'],
      privileges: { stock: { Database: ['CONNECT'], Schemas: { public: { Tables: { 't': ['SELECT'], '*': ['SELECT'] }, FutureObjects: { maker: { Tables: ['SELECT'] } } } } } },
    };
    const AS_DECLARED = ['DATABASE stock: CONNECT', 'FUTURE of maker in stock: SELECT', 'TABLE stock/t: SELECT', 'in readers'];

    beforeEach(async () => {
      await server.sql(`CREATE ROLE readers; CREATE ROLE maker; ${grantToAdmin}`);
      await server.sql('CREATE TABLE public.t (n int); ALTER TABLE public.t OWNER TO postgres', [], 'stock');
    });
    afterEach(async () => {
      await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'stock%'");
      await server.sql('DROP DATABASE IF EXISTS stock');
      await server.sql('DROP DATABASE IF EXISTS stock_old');
      await server.sql('CREATE DATABASE stock OWNER postgres');
      await server.sql(`DROP ROLE IF EXISTS ${FORMER.slice(2).join(', ')}`);
    });
    const others = () => server.sql('DROP OWNED BY orders; DROP ROLE orders').catch(() => undefined);

    full.test('is revoked under the name that it has now, and the names in the template count', async () => {
      await stack.create('A', user);
      await expect(heldOfAll()).resolves.toEqual(AS_DECLARED);
      await endSessions();
      await rename('stock');
      await server.sql('ALTER ROLE readers RENAME TO readers_old; ALTER ROLE maker RENAME TO maker_old');
      stack.takeChanges();
      await stack.update('A', { ...user, memberOf: ['readers_old'], privileges: { stock_old: { ...user.privileges!.stock, Schemas: { public: { Tables: { t: ['SELECT'] }, FutureObjects: { maker_old: { Tables: ['SELECT'] } } } } } } });
      expect(stack.takeChanges()).toEqual([]);
      await stack.update('A', NOTHING);
      await expect(heldOfAll()).resolves.toEqual([]);
      expect(stack.log.filter(({ notice }) => notice === 'gone' || notice === 'not taken back')).toEqual([]);
      await stack.delete('A', NOTHING);
      await others();
    });

    full.test('is revoked also when others have the names by now', async () => {
      await stack.create('A', user);
      await endSessions();
      await rename('stock');
      await server.sql(`ALTER ROLE readers RENAME TO readers_old; ALTER ROLE maker RENAME TO maker_old; CREATE ROLE readers; CREATE ROLE maker; ${grantToAdmin}`);
      await server.sql('CREATE DATABASE stock OWNER postgres');
      await server.sql('CREATE TABLE public.t (n int); ALTER TABLE public.t OWNER TO postgres', [], 'stock');
      await stack.update('A', { ...user, reapply: 'now' });
      await expect(heldOfAll()).resolves.toEqual(AS_DECLARED);
      await stack.update('A', NOTHING);
      await expect(heldOfAll()).resolves.toEqual([]);
      await stack.delete('A', NOTHING);
      await others();
    });

    full.test('is left and in the log where the oids are not trusted and the names are not there', async () => {
      await stack.create('A', user);
      await server.sql("UPDATE cdk_aurora_iam_auth.managed_role SET declarations = jsonb_set(declarations, '{identities,major}', '13')", [], 'postgres');
      await endSessions();
      await rename('stock');
      await server.sql('ALTER ROLE readers RENAME TO readers_old');
      await stack.update('A', NOTHING);
      await expect(heldOfAll()).resolves.toEqual(AS_DECLARED.map(line => line.replace('stock', 'stock_old').replace('readers', 'readers_old')).sort());
      expect(notTakenBack().map(({ what }) => what)).toEqual(expect.arrayContaining(['database "stock"', 'role "readers"']));
      await stack.delete('A', NOTHING);
      await others();
    });
  });

  full.test('what was granted by hand stays: on an object of another name, and on one that was never declared', async () => {
    await stack.create('A', using('app', { Tables: { t: ['SELECT'] } }));
    await asAdmin('ALTER TABLE app.t RENAME TO t_old; GRANT UPDATE ON app.t_old TO orders; GRANT SELECT ON app.v TO orders');
    await stack.update('A', NOTHING);
    await expect(held()).resolves.toEqual(['TABLE shop/app/t_old: UPDATE', 'TABLE shop/app/v: SELECT']);
    await stack.delete('A', NOTHING);
  });

  test.each(firstOf(1, [
    ['of another resource id', async () => {
      const registry = await server.sql<{ declarations: string }>('SELECT declarations::text FROM cdk_aurora_iam_auth.managed_role', [], 'postgres');
      await server.sql('UPDATE cdk_aurora_iam_auth.managed_role SET declarations = $1', [registry[0].declarations.replaceAll(server.resourceId, 'cluster-FORMER')], 'postgres');
    }],
    ['of another major version', () => server.sql("UPDATE cdk_aurora_iam_auth.managed_role SET declarations = jsonb_set(declarations, '{identities,major}', '13')", [], 'postgres')],
    ['of another database of that name', () => server.sql("UPDATE cdk_aurora_iam_auth.managed_role SET declarations = jsonb_set(declarations, '{identities,databases,0,oid}', '\"1\"')", [], 'postgres')],
  ]))('oids %s are not trusted: they may be those of other objects. By its name it is found, and what is not there is in the log', async (_, change) => {
    await stack.create('A', using('app', { Tables: { t: ['SELECT'], v: ['SELECT'] } }));
    await change();
    await asAdmin('ALTER TABLE app.t RENAME TO t_old');
    await stack.update('A', NOTHING);
    await expect(held()).resolves.toEqual(['TABLE shop/app/t_old: SELECT']);
    expect(notTakenBack()).toEqual([expect.objectContaining({
      role: 'orders', what: 'table or view "t" in schema "app" in database "shop"',
      reason: 'it is not there under the name that was declared; the database was restored or upgraded since, so that it is not known whether it was dropped or renamed',
      remedy: 'if it was renamed, revoke what "orders" has on it',
    })]);
    await stack.delete('A', NOTHING);
  });
});
