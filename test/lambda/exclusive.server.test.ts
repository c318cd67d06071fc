import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { throughDataApi } from './over-data-api';
import { FULL, full } from '../full';
import { failure, setupsOver, signInWithToken, Stack, trust, User } from './stack';
import { startWorld } from './world';

/** Something that a role can have beside what is declared. */
interface Surplus {
  readonly what: string;
  readonly grant: string;
  /** Where it is granted. @default 'shop' */
  readonly database?: string;
  /** Takes it back as a superuser, where the admin cannot. */
  readonly revoke: string;
  /** What else is to be undone. */
  readonly cleanUp?: string;
  /** Whether an admin that is no superuser can take it back. */
  readonly revocable: boolean | ((major: number) => boolean);
  /** What the reason of a failure names. */
  readonly named: string;
  readonly since?: number;
  /** One of each kind of statement: in `npm test`, and over the Data API, too, which does not say what was not done. */
  readonly viaDataApi?: true;
}

/** Up to 15, CREATEROLE is the right to become any role that is no superuser. */
const CREATEROLE_IS_ENOUGH = (major: number) => major < 16;

const SURPLUS: Surplus[] = [
  {
    what: 'the ADMIN option on a declared group, from the admin',
    grant: 'SET ROLE postgres; GRANT readers TO orders WITH ADMIN OPTION; RESET ROLE', revoke: 'SELECT 1', revocable: true, named: '',
  },
  {
    what: 'the ADMIN option on a declared group, from another role',
    grant: 'SET ROLE dba; GRANT readers TO orders WITH ADMIN OPTION; RESET ROLE', revoke: 'SET ROLE dba; REVOKE readers FROM orders; RESET ROLE', revocable: CREATEROLE_IS_ENOUGH,
    named: 'the admin option on role "readers" from "orders" (REVOKE ADMIN OPTION FOR "readers" FROM "orders" CASCADE, as "dba")',
  },
  {
    what: 'the ADMIN option on rds_iam, from a superuser', viaDataApi: true,
    grant: 'GRANT rds_iam TO orders WITH ADMIN OPTION', revoke: 'REVOKE rds_iam FROM orders', revocable: CREATEROLE_IS_ENOUGH,
    named: 'the admin option on role "rds_iam" from "orders" (REVOKE ADMIN OPTION FOR rds_iam FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'the ADMIN option on another group, which passes nothing on', since: 16,
    grant: 'SET ROLE dba; GRANT ledger TO orders WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; RESET ROLE', revoke: 'SET ROLE dba; REVOKE ledger FROM orders; RESET ROLE', revocable: false,
    named: 'role "ledger" from "orders" (REVOKE "ledger" FROM "orders" CASCADE, as "dba")',
  },
  {
    what: 'a membership in another group',
    grant: 'GRANT ledger TO orders', revoke: 'REVOKE ledger FROM orders', revocable: CREATEROLE_IS_ENOUGH,
    named: 'role "ledger" from "orders" (REVOKE "ledger" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'SET on a parameter', since: 15,
    grant: 'GRANT SET ON PARAMETER log_statement TO orders', revoke: 'REVOKE SET ON PARAMETER log_statement FROM orders', revocable: false,
    named: 'SET on parameter "log_statement" from "orders" (REVOKE SET ON PARAMETER "log_statement" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'ALTER SYSTEM on a parameter of an extension, with grant option', since: 15,
    grant: 'GRANT ALTER SYSTEM ON PARAMETER my.setting TO orders WITH GRANT OPTION', revoke: 'REVOKE ALL ON PARAMETER my.setting FROM orders', revocable: false,
    named: 'ALTER SYSTEM on parameter "my.setting" from "orders" (REVOKE ALTER SYSTEM ON PARAMETER "my"."setting" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'SET on a parameter that the admin passed on', since: 15,
    grant: 'GRANT SET ON PARAMETER log_duration TO postgres WITH GRANT OPTION; SET ROLE postgres; GRANT SET ON PARAMETER log_duration TO orders; RESET ROLE',
    revoke: 'SELECT 1', cleanUp: 'REVOKE SET ON PARAMETER log_duration FROM postgres CASCADE', revocable: true, named: '',
  },
  {
    what: 'CREATE on a tablespace',
    grant: 'GRANT CREATE ON TABLESPACE pg_default TO orders', revoke: 'REVOKE CREATE ON TABLESPACE pg_default FROM orders', revocable: false,
    named: 'CREATE on tablespace "pg_default" from "orders" (REVOKE CREATE ON TABLESPACE "pg_default" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'EXECUTE on a function of the system',
    grant: 'GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO orders', revoke: 'REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM orders', revocable: false,
    named: 'EXECUTE on function "pg_read_file" in schema "pg_catalog" from "orders" in database "shop" (REVOKE EXECUTE ON ROUTINE "pg_catalog"."pg_read_file"(IN text) FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'SELECT on pg_authid',
    grant: 'GRANT SELECT ON pg_catalog.pg_authid TO orders', revoke: 'REVOKE SELECT ON pg_catalog.pg_authid FROM orders', revocable: false,
    named: 'SELECT on table "pg_authid" in schema "pg_catalog" from "orders" in database "shop" (REVOKE SELECT ON TABLE "pg_catalog"."pg_authid" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'SELECT on a column of pg_authid, in a database where nothing is declared', database: 'stock',
    grant: 'GRANT SELECT (rolpassword) ON pg_catalog.pg_authid TO orders', revoke: 'REVOKE SELECT (rolpassword) ON pg_catalog.pg_authid FROM orders', revocable: false,
    named: 'SELECT on column "rolpassword" of table "pg_authid" in schema "pg_catalog" from "orders" in database "stock" (REVOKE SELECT ("rolpassword") ON TABLE "pg_catalog"."pg_authid" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'CREATE on a schema of the system',
    grant: 'GRANT CREATE ON SCHEMA pg_catalog TO orders', revoke: 'REVOKE CREATE ON SCHEMA pg_catalog FROM orders', revocable: false,
    named: 'CREATE on schema "pg_catalog" from "orders" in database "shop" (REVOKE CREATE ON SCHEMA "pg_catalog" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'a view of information_schema',
    grant: 'GRANT UPDATE ON information_schema.sql_features TO orders', revoke: 'REVOKE UPDATE ON information_schema.sql_features FROM orders', revocable: false,
    named: 'UPDATE on table "sql_features" in schema "information_schema" from "orders" in database "shop" (REVOKE UPDATE ON TABLE "information_schema"."sql_features" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'a language of the superuser',
    grant: 'GRANT USAGE ON LANGUAGE plpgsql TO orders', revoke: 'REVOKE USAGE ON LANGUAGE plpgsql FROM orders', revocable: false,
    named: 'USAGE on language "plpgsql" from "orders" in database "shop" (REVOKE USAGE ON LANGUAGE "plpgsql" FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'a large object of the superuser',
    grant: 'SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO orders', revoke: 'REVOKE ALL ON LARGE OBJECT 4711 FROM orders', cleanUp: 'SELECT lo_unlink(4711)', revocable: false,
    named: 'SELECT on large object 4711 from "orders" in database "shop" (REVOKE SELECT ON LARGE OBJECT 4711 FROM "orders" CASCADE, as the superuser that granted it)',
  },
  {
    what: 'default privileges of a superuser, in all schemas',
    grant: 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO orders', revoke: 'ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM orders', revocable: false,
    named: 'SELECT on tables that "rdsadmin" creates in all schemas from "orders" in database "shop" (ALTER DEFAULT PRIVILEGES FOR ROLE "rdsadmin" REVOKE SELECT ON TABLES FROM "orders", as "rdsadmin")',
  },
  {
    what: 'default privileges of another role, in one schema',
    grant: 'GRANT USAGE ON SCHEMA app TO dba; ALTER DEFAULT PRIVILEGES FOR ROLE dba IN SCHEMA app GRANT SELECT ON TABLES TO orders WITH GRANT OPTION',
    revoke: 'ALTER DEFAULT PRIVILEGES FOR ROLE dba IN SCHEMA app REVOKE ALL ON TABLES FROM orders', cleanUp: 'REVOKE USAGE ON SCHEMA app FROM dba', revocable: CREATEROLE_IS_ENOUGH,
    named: 'SELECT on tables that "dba" creates in schema "app" from "orders" in database "shop" (ALTER DEFAULT PRIVILEGES FOR ROLE "dba" IN SCHEMA "app" REVOKE SELECT ON TABLES FROM "orders", as "dba")',
  },
  {
    what: 'a privilege on a table of another role, which it passed on',
    grant: 'CREATE SCHEMA theirs AUTHORIZATION dba; SET ROLE dba; CREATE TABLE theirs.t (n int); GRANT SELECT ON theirs.t TO orders WITH GRANT OPTION; RESET ROLE', revoke: 'SET ROLE dba; REVOKE SELECT ON theirs.t FROM orders; RESET ROLE', cleanUp: 'DROP SCHEMA theirs CASCADE',
    revocable: CREATEROLE_IS_ENOUGH,
    named: 'SELECT on table "t" in schema "theirs" from "orders" in database "shop" (REVOKE SELECT ON TABLE "theirs"."t" FROM "orders" CASCADE, as "dba")',
  },
];

describe.each(setupsOver({ 'connections': ['17, plain'], 'the Data API': [] }))('an exclusive role on PostgreSQL $name over $transport', ({ major, roleRules, transport, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let untouched: unknown;
  const isSuperuser = roleRules === 'rdsLike';

  const FIRST: User = { username: 'orders', exclusive: true, memberOf: ['readers'], privileges: { shop: { Database: ['CONNECT'], Schemas: { app: { Tables: { orders: ['SELECT'] } } } } } };
  /** Between two tests, so that the second one is not what the deployment before has declared, and might roll back to. */
  const BETWEEN: User = { ...FIRST, memberOf: [] };
  const SECOND: User = { ...FIRST, privileges: { shop: { Database: ['CONNECT', 'TEMPORARY'], Schemas: { app: { Tables: { orders: ['SELECT'] } } } } } };

  beforeAll(async () => {
    ({ server } = await startWorld({ ...setup, major, roleRules }));
    trust(server.caCertificate);
    await server.sql(`CREATE ROLE dba; CREATE ROLE ledger; GRANT readers, ledger TO dba WITH ADMIN OPTION${major < 16 ? '; GRANT readers TO postgres WITH ADMIN OPTION' : ''}`);
    stack = new Stack(server, transport === 'the Data API' ? { transport: throughDataApi(server) } : {});
    await stack.create('A', FIRST);
    untouched = await held();
  });
  afterAll(() => server.stop());

  /** Whoever has granted a membership: another grantor may be left beside the admin, or instead of it. */
  async function held(): Promise<unknown> {
    const members = await server.sql<{ line: string }>("SELECT DISTINCT format('%s of %s: %s', member::regrole, roleid::regrole, to_jsonb(m) - '{oid,roleid,member,grantor}'::text[]) AS line FROM pg_auth_members m ORDER BY 1");
    const depends = await Promise.all(['shop', 'stock', 'theirs', 'postgres'].map(database => server.sql(`
      SELECT r.rolname::text AS role, s.deptype, s.dbid <> 0 AS local, pg_describe_object(s.classid, s.objid, s.objsubid) AS object FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
      WHERE r.rolname IN ('orders', 'legacy') AND s.refclassid = 'pg_authid'::regclass AND s.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 1, 2, 3, 4`, [], database)));
    return { members, depends, roles: await server.sql('SELECT rolname, rolcanlogin FROM pg_roles ORDER BY 1'), databases: await server.sql('SELECT datname, datacl::text FROM pg_database ORDER BY 1') };
  }

  const REASON = '"orders" is exclusive, and the admin cannot take back what others have granted: ';
  const REMEDY = '. Execute this SQL as that role, declare what is to stay, or leave exclusive out; then deploy again';

  test.each(SURPLUS.filter(({ since = 14, viaDataApi = false }) => since <= major && (viaDataApi || (FULL && transport === 'connections'))))('$what: is taken back, or the deployment fails with the SQL that takes it back', async ({ grant, database = 'shop', revoke, cleanUp = 'SELECT 1', revocable, named }) => {
    await stack.update('A', BETWEEN);
    await stack.update('A', FIRST);
    await server.sql(grant, [], database);
    const granted = await held();
    expect(granted).not.toEqual(untouched);
    if (isSuperuser || revocable === true || (revocable !== false && revocable(major))) {
      await stack.update('A', SECOND);
      await stack.update('A', FIRST);
    } else {
      expect(await failure(stack.update('A', SECOND))).toBe(`${REASON}${named}${REMEDY}`);
      // The update that rolls it back declares what was deployed before.
      await expect(held()).resolves.toEqual(granted);
      stack.log.splice(0);
      await stack.update('A', FIRST);
      expect(stack.log.filter(({ notice }) => notice === 'left to an exclusive role')).toMatchObject([{ role: 'orders', failed: false }]);
      await expect(held()).resolves.toEqual(granted);
      await server.sql(revoke, [], database);
      await stack.update('A', SECOND);
      // It was updated with success, something is granted that cannot be taken back, and another resource fails.
      await server.sql(cleanUp, [], database);
      await server.sql(grant, [], database);
      await stack.update('A', FIRST);
      await expect(held()).resolves.toEqual(granted);
      await server.sql(revoke, [], database);
    }
    await server.sql(cleanUp, [], database);
    await expect(held()).resolves.toEqual(untouched);
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
  });

  full.test('a role that is taken over and becomes exclusive fails in the same way, and is as it was', async () => {
    await server.sql('CREATE ROLE legacy LOGIN; GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO legacy', [], 'stock');
    if (major >= 16) {
      await server.sql('GRANT legacy TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
    const before = await held();
    const legacy: User = { username: 'legacy', exclusive: true, adoptExisting: true };
    if (isSuperuser) {
      await stack.create('B', legacy);
    } else {
      expect(await failure(stack.create('B', legacy))).toMatch(/^"legacy" is exclusive, and the admin cannot take back what others have granted: EXECUTE on function "pg_read_file" in schema "pg_catalog" from "legacy" in database "stock" /);
      await expect(held()).resolves.toEqual(before);
      await server.sql('REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM legacy', [], 'stock');
      await stack.create('B', legacy);
    }
    await stack.delete('B', legacy);
    await server.sql('DROP ROLE IF EXISTS legacy');
    await expect(held()).resolves.toEqual(untouched);
  });

  test('what gives no access is in the log: policies, what it owns, and settings are no privileges', async () => {
    await server.sql('CREATE TABLE app.own (n int); ALTER TABLE app.own OWNER TO orders; ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY; CREATE POLICY of_orders ON app.orders TO orders USING (total > 0)', [], 'shop');
    await server.sql("ALTER ROLE orders SET work_mem = '1MB'");
    stack.log.splice(0);
    await stack.update('A', SECOND);
    expect(stack.log.filter(({ notice }) => notice === 'exclusive role')).toMatchObject([
      { role: 'orders', database: 'shop', reason: 'a row-level security policy applies to it', what: 'policy of_orders on table app.orders' },
      { role: 'orders', database: 'shop', reason: 'it owns objects', what: '1 objects' },
    ]);
    expect(await server.sql("SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'orders'::regrole")).toEqual([{ setconfig: ['work_mem=1MB'] }]);
    await server.sql('DROP TABLE app.own; DROP POLICY of_orders ON app.orders; ALTER TABLE app.orders DISABLE ROW LEVEL SECURITY', [], 'shop');
    await server.sql('ALTER ROLE orders RESET work_mem');
    await stack.update('A', FIRST);
  });

  full.test('a temporary table of another session that it may read is no reason to fail', async () => {
    const { host, port, master: { username: user, password } } = server;
    const client = new Client({ host, port, user, password, database: 'shop', ssl: true });
    await client.connect();
    try {
      await client.query("CREATE TEMPORARY TABLE passing (n int); GRANT ALL ON passing TO orders; DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO orders', pg_my_temp_schema()::regnamespace::text); EXCEPTION WHEN others THEN END $$");
      await stack.update('A', SECOND);
      await stack.update('A', FIRST);
    } finally {
      await client.end();
    }
  });

  // The Data API has sessions from before.
  if (!isSuperuser && transport === 'connections') {
    test('a database that does not let the admin in fails an update, and not the one that rolls it back', async () => {
      await stack.update('A', BETWEEN);
      await stack.update('A', FIRST);
      await server.sql('GRANT USAGE ON SCHEMA app TO orders', [], 'stock');
      await server.sql('ALTER DATABASE stock OWNER TO dba; REVOKE ALL ON DATABASE stock FROM PUBLIC, postgres');
      expect(await failure(stack.update('A', SECOND))).toMatch(/^cannot sign in to database "stock" of .* \(SQLSTATE 42501\)/);
      await stack.update('A', FIRST);
      expect(stack.log.filter(({ notice }) => notice === 'not compared')).toMatchObject([{ database: 'stock' }]);
      await server.sql('ALTER DATABASE stock OWNER TO postgres; GRANT CONNECT, TEMPORARY ON DATABASE stock TO PUBLIC');
      await stack.update('A', SECOND);
      await stack.update('A', FIRST);
    });
  }
});
