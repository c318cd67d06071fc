import { Unread } from '../../cli/generate/catalog';
import { connections } from '../../cli/generate/connection';
import { findingLine } from '../../cli/generate/findings';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { failure, signIn, snapshot, Stack, trust } from '../lambda/stack';
import { compilerErrors, deploy, eventOf, generate, synthesized, withoutRegistry } from './generated-app';

/** Roles as they are made by hand, one for each thing that can and that cannot be said. */
const SQL = `
  CREATE ROLE readers;
  CREATE ROLE writers;
  CREATE ROLE owners;
  CREATE ROLE migrator LOGIN;
  CREATE ROLE orders LOGIN CONNECTION LIMIT 5;
  CREATE ROLE ada LOGIN;
  CREATE ROLE grace LOGIN;
  CREATE ROLE billing LOGIN PASSWORD 'secret' CREATEDB VALID UNTIL '2031-01-01';
  CREATE ROLE visitor LOGIN;
  CREATE ROLE retired NOLOGIN;
  CREATE ROLE empty NOLOGIN;
  CREATE ROLE through LOGIN;
  GRANT rds_iam TO migrator, orders, ada, grace, visitor, retired;
  GRANT orders TO through;
  GRANT readers TO orders, ada, grace;
  GRANT owners TO migrator WITH ADMIN OPTION;
  GRANT writers TO orders WITH INHERIT FALSE;
  GRANT CONNECT ON DATABASE shop TO readers, owners, migrator, orders, ada, grace, billing, through;
  CREATE TABLE public.orders (id serial, total int, note text);
  CREATE TABLE public.customers (id int);
  CREATE TYPE public.mood AS ENUM ('fine');
  CREATE FUNCTION public.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION public.f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE SCHEMA stock AUTHORIZATION owners;
  GRANT USAGE ON SCHEMA public TO readers, orders;
  GRANT SELECT ON ALL TABLES IN SCHEMA public TO readers;
  GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO readers;
  ALTER DEFAULT PRIVILEGES FOR ROLE owners IN SCHEMA public GRANT SELECT ON TABLES TO readers;
  ALTER DEFAULT PRIVILEGES FOR ROLE owners IN SCHEMA public GRANT SELECT ON SEQUENCES TO readers;
  ALTER DEFAULT PRIVILEGES FOR ROLE owners GRANT SELECT ON TABLES TO writers;
  ALTER DEFAULT PRIVILEGES FOR ROLE owners IN SCHEMA stock GRANT INSERT ON TABLES TO writers;
  GRANT INSERT ON public.orders TO orders WITH GRANT OPTION;
  GRANT UPDATE (total, note) ON public.orders TO orders;
  GRANT EXECUTE ON FUNCTION public.f(int) TO orders;
  GRANT USAGE ON TYPE public.mood TO orders;
  CREATE DOMAIN public.cents AS int;
  CREATE DOMAIN stock.size AS int;
  CREATE DOMAIN stock.weight AS int;
  GRANT USAGE ON DOMAIN stock.size TO ada, grace WITH GRANT OPTION;
  GRANT USAGE ON SCHEMA stock TO ada, grace;
  SET ROLE ada; GRANT USAGE ON DOMAIN stock.size TO writers; RESET ROLE; SET ROLE grace; GRANT USAGE ON DOMAIN stock.size TO writers; RESET ROLE;
  GRANT SELECT ON pg_catalog.pg_authid TO orders;
  CREATE POLICY p ON public.orders TO orders;
  ALTER ROLE orders SET statement_timeout = '30s';
  ALTER ROLE orders SET search_path = "$user", public;
  ALTER ROLE orders SET work_mem = '64MB';
  ALTER ROLE orders IN DATABASE shop SET jit = off;
  ALTER ROLE readers SET work_mem = '8MB';
  ALTER ROLE migrator SET role = 'owners'`;

const SAID = `    const owners = iamAuth.addRole('owners', {
      privileges: [Privileges.schemaOwner({ database: 'shop', schema: 'stock' })],
      adoptExisting: true,
    });

    const readers = iamAuth.addRole('readers', {
      privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [owners] })],
      adoptExisting: true,
    });

    iamAuth.addRole('writers', {
      privileges: [
        Privileges.onTables({
          database: 'shop',
          schema: 'stock',
          privileges: [TablePrivilege.INSERT],
          objectsCreatedBy: [owners],
        }),
        Privileges.onTypes({ database: 'shop', schema: 'stock', types: ['size'] }),
      ],
      adoptExisting: true,
    });

    this.readersUsers = iamAuth.addUsers('ReadersUsers', {
      usernames: ['ada', 'grace'],
      database: 'shop',
      privileges: [
        Privileges.memberOf(readers),
        Privileges.onSchema({ database: 'shop', schema: 'stock' }),
        Privileges.onTypes({ database: 'shop', schema: 'stock', types: ['size'] }),
      ],
      adoptExisting: true,
    });

    this.migrator = iamAuth.addUser('migrator', {
      database: 'shop',
      privileges: [Privileges.memberOf(owners)],
      setRoleAtLogin: owners,
      adoptExisting: true,
    });

    this.orders = iamAuth.addUser('orders', {
      database: 'shop',
      privileges: [
        Privileges.memberOf(readers),
        Privileges.onSchema({ database: 'shop', schema: 'public' }),
        Privileges.onTables({
          database: 'shop',
          schema: 'public',
          tables: ['orders'],
          privileges: [TablePrivilege.INSERT],
        }),
        Privileges.onTypes({ database: 'shop', schema: 'public', types: ['mood'] }),
        Privileges.onColumns({
          database: 'shop',
          schema: 'public',
          table: 'orders',
          columns: ['note', 'total'],
          privileges: [ColumnPrivilege.UPDATE],
        }),
      ],
      connectionLimit: 5,
      searchPath: ['$user', 'public'],
      statementTimeout: Duration.seconds(30),
      settings: { work_mem: '64MB' },
      adoptExisting: true,
    });
`;

const UNSAID = [
  '"ada" in database "shop": USAGE on type "size" of schema "stock" (a declaration has no grant option; it stays)',
  '"grace" in database "shop": USAGE on type "size" of schema "stock" (a declaration has no grant option; it stays)',
  '"writers" in database "shop": USAGE on type "size" of schema "stock" (another role has granted it: when it is not declared any more, it stays)',
  '"billing": the login (it signs in with a password, which would stop working; --include-password-logins generates it, and rds_iam is granted to it)',
  '"empty": the role (it has neither members nor anything that can be declared)',
  '"migrator": ADMIN option on "owners" (a declaration has no ADMIN option; it stays)',
  '"orders" in database "shop": INSERT on table "orders" of schema "public" (a declaration has no grant option; it stays)',
  '"orders" in database "shop": EXECUTE on routine "f"(IN integer) of schema "public" (a declaration names all functions of this name together)',
  '"orders" in database "shop": policy p on table public.orders (policies are of their tables)',
  '"orders" in database "shop": SELECT on table "pg_authid" of schema "pg_catalog" (schema name "pg_catalog" is not allowed: it is a schema of the system, whose privileges are PostgreSQL\'s own; '
  + 'name a schema of your data, or use a predefined role such as pg_monitor)',
  '"orders": member of "writers" (it does not inherit from it, and a declared membership does)',
  '"orders": jit = off (it is set for database "shop" alone, and a declared setting is for all)',
  '"owners" in database "shop": owner of 1 object (what it owns stays with it)',
  '"readers": work_mem = 8MB (a group role has no settings: its members do not inherit them)',
  '"retired": the role (it is a member of rds_iam without a login: as a user it would get a login, as a group role it would lose the membership)',
  '"through": the login (it is a member of rds_iam through other roles only, and a deployment would grant rds_iam to itself)',
  '"visitor": the login (it has no CONNECT of its own on a database that was read, and a deployment would grant it; --include-public-connect generates it)',
  '"writers" in database "shop": SELECT on tables that "owners" creates in all schemas (default privileges of all schemas together; a declaration names each schema)',
];

/** What the list above has and an exclusive deployment would take back. */
const TAKEN_BACK = [
  'revoke EXECUTE on function "f" in schema "public" from "orders" in database "shop"',
  'revoke SELECT on table "pg_authid" in schema "pg_catalog" from "orders" in database "shop"',
  'revoke SELECT on tables that "owners" creates in all schemas from "writers" in database "shop"',
  'revoke role "writers" from "orders"',
  'revoke the admin option on role "owners" from "migrator"',
  'revoke the grant option for INSERT on table "orders" in schema "public" from "orders" in database "shop"',
  'revoke the grant option for USAGE on type "size" in schema "stock" from "ada", "grace" in database "shop"',
];

describe('generate', () => {
  let server: AuroraLikeServer;
  let before: unknown;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major: 17, roleRules: 'plain', databases: ['shop', 'closed'], authorize: () => true });
    trust(server.caCertificate);
    await server.sql(SQL, [], 'shop');
    before = withoutRegistry(await snapshot(server));
  });
  afterEach(async () => {
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
  });
  afterAll(() => server.stop());

  const environment = (changed: object = {}) => ({
    host: server.host, port: server.port, username: server.master.username, password: server.master.password, database: 'postgres', sslMode: 'verify-full' as const, caFile: server.caFile, ...changed,
  });

  test('says what can be said, and lists the rest; a deployment executes no statement', async () => {
    const { file, model } = await generate(server);
    expect(file.slice(file.indexOf('    const owners'), file.lastIndexOf('  }\n}'))).toBe(SAID);
    expect(model.findings.map(findingLine).sort()).toEqual([...UNSAID].sort());
    await expect(deploy(server, synthesized(file))).resolves.toEqual([]);
    expect(withoutRegistry(await snapshot(server))).toEqual(before);
    await expect(generate(server)).resolves.toMatchObject({ model: { roles: [] } }); // the registry has them
  });

  test('leaves out nothing that it does not list: an exclusive deployment would take back exactly that', async () => {
    const { file } = await generate(server);
    const exclusive = synthesized(file).map(([LogicalResourceId, resource]) => ({
      RequestType: 'Create', LogicalResourceId, ...eventOf(server, { ...resource, Properties: { ...resource.Properties, Exclusive: 'true' } }),
    }));
    const { resources } = await new Stack(server).planOf({ resources: exclusive });
    expect(resources.flatMap(({ changes }) => changes.map(({ change }) => change)).sort()).toEqual([...TAKEN_BACK].sort());
    expect(resources.flatMap(({ problem }) => problem ?? [])).toEqual([]);
  });

  full.test('generates logins with passwords when asked, and the plan says that the passwords stop working', async () => {
    await server.sql("CREATE ROLE clerk LOGIN PASSWORD 'secret'; GRANT billing TO clerk");
    try {
      const refused = await generate(server, { includePasswordLogins: true });
      expect(refused.model.findings.map(findingLine)).toContain(
        '"billing": the login (its member "clerk" signs in with a password too, which would stop working; make both members of a group role first)',
      );
    } finally {
      await server.sql('DROP ROLE clerk');
    }
    const { file } = await generate(server, { includePasswordLogins: true });
    const stack = new Stack(server);
    const [[LogicalResourceId, resource]] = synthesized(file).filter(([, { Properties }]) => Properties.Username === 'billing');
    const plan = await stack.planOf({ resources: [{ RequestType: 'Create', LogicalResourceId, ...eventOf(server, resource) }] });
    expect(plan.resources).toEqual([expect.objectContaining({
      changes: [expect.objectContaining({ sql: ['GRANT rds_iam TO "billing"'] })],
      notes: [{
        notice: 'adopting', role: 'billing',
        note: 'it is managed from now on; a password that it may have stops working, because a member of rds_iam signs in with a token only',
      }],
    })]);
    await expect(signIn(server, 'billing', 'secret')).resolves.toBe('billing');
  });

  full.test('generates users without CONNECT of their own when asked, and their deployment grants that and nothing else', async () => {
    const { file, model } = await generate(server, { includePublicConnect: true });
    expect(model.findings.map(findingLine).filter(line => line.startsWith('"visitor"'))).toEqual([]);
    await expect(deploy(server, synthesized(file))).resolves.toEqual(['GRANT CONNECT ON DATABASE "shop" TO "visitor"']);
    await server.sql('REVOKE CONNECT ON DATABASE shop FROM visitor');
  });

  full.test('lets users connect to the database in which they hold something, whichever was read first', async () => {
    const { model } = await generate(server, { includePublicConnect: true, preferred: 'postgres' });
    const databases = model.roles.filter(({ kind }) => kind === 'user').map(({ names, database }) => [names.join(), database]);
    expect(Object.fromEntries(databases)).toEqual({ 'ada,grace': 'shop', 'migrator': 'shop', 'orders': 'shop', 'visitor': 'postgres' });
  });

  full.test('reads one database when asked, and says that it did not read others', async () => {
    const { model } = await generate(server, {}, ['postgres']);
    const lines = model.findings.map(findingLine);
    expect(lines).toContain('in database "shop": privileges in it (it was not read: --database does not name it)');
    expect(lines).toContain('"readers" in database "shop": CONNECT on the database (the database was not read, or its name cannot be declared)');
  });

  test('cannot change anything', async () => {
    const visit = await connections(environment());
    await expect(failure(visit('shop', ask => ask('CREATE TABLE t ()')))).resolves.toMatch('cannot execute CREATE TABLE in a read-only transaction (25006)');
    await expect(visit('shop', ask => ask('SHOW transaction_isolation'))).resolves.toEqual([{ transaction_isolation: 'repeatable read' }]);
  });

  test.each(firstOf<[string, { database?: string; [name: string]: unknown }, string]>(2, [
    ['another password', { password: 'wrong' }, 'cannot sign in to database "postgres" of localhost:PORT as "postgres": password authentication failed for user "postgres" (28P01); '
    + 'verify PGUSER and PGPASSWORD: RDS asks members of rds_iam for a token, and others for a password'],
    ['a database that does not exist', { database: 'Shop' }, 'cannot sign in to database "Shop" of localhost:PORT as "postgres": database "Shop" does not exist (3D000); '
    + 'name one that exists, with PGDATABASE or --database: names are case-sensitive'],
    ['an authority that it does not know', { caFile: undefined }, 'cannot sign in to database "postgres" of localhost:PORT as "postgres": unable to verify the first certificate (UNABLE_TO_VERIFY_LEAF_SIGNATURE); '
    + 'verify PGHOST and PGPORT, that this host may reach the database, and that PGSSLROOTCERT has its certificate authority'],
    ['no TLS', { sslMode: 'disable' as const }, 'PGSSLMODE disable is not possible: generate connects with verified TLS only; set it to verify-full'],
    ['no file of authorities', { caFile: '/nowhere.pem' }, 'PGSSLROOTCERT /nowhere.pem is not possible: there is no such file; name a file with the certificate authorities of RDS'],
    ['no password, for a host of no Region', { password: undefined }, 'PGPASSWORD is not set, and the host does not tell the Region to make a token for; set PGPASSWORD or AWS_REGION'],
  ]))('refuses %s', async (_, changed, message) => {
    const read = async () => (await connections(environment(changed)))(changed.database ?? 'postgres', ask => ask('SELECT 1'));
    expect((await failure(read())).replace(`:${server.port}`, ':PORT')).toBe(message);
  });

  full.test('leaves a database that it cannot enter unread', async () => {
    const visit = await connections(environment());
    await server.sql('ALTER DATABASE closed ALLOW_CONNECTIONS false');
    try {
      const { model } = await generate(server);
      expect(model.findings.map(findingLine)).toContain('in database "closed": privileges in it (it was not read: it accepts no connections)');
      await expect(visit('closed', ask => ask('SELECT 1'))).resolves.toEqual(new Unread('database "closed" is not currently accepting connections'));
    } finally {
      await server.sql('ALTER DATABASE closed ALLOW_CONNECTIONS true');
    }
  });

  full.test('writes files that compile', async () => {
    const files = new Map([
      ['all', (await generate(server, { includePasswordLogins: true, includePublicConnect: true })).file],
      ['some', (await generate(server, {}, ['postgres'])).file],
    ]);
    expect(compilerErrors(files)).toEqual([]);
  });
});
