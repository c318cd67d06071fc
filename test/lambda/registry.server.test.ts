import { Client } from 'pg';
import { Statement, Transport } from '../../lambda/provisioner/transport/session';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { fastClock } from './clocks';
import { throughDataApi } from './over-data-api';
import { AS_BEFORE_FORMATS } from './registry-without-format';
import {
  failure,
  setupsOver,
  signInWithToken,
  Stack,
  StackOptions,
  throughConnections,
  trust,
  User,
  users,
} from './stack';

const TABLE = 'cdk_aurora_iam_auth.managed_role';
const ROLES = ['app', 'ghost', 'mallory', 'owners', 'reader'];
const SENT = expect.stringMatching(/^20.*Z$/) as string;
const NOT_USED = 'the registry in database postgres is not used: ';
const RUNS = setupsOver({ 'connections': ['18, plain'], 'the Data API': [] });

describe.each(RUNS)('the registry of PostgreSQL $name over $transport', ({ transport, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop'],
      authorize: () => true,
      settings: { autovacuum: 'off' },
    });
    trust(server.caCertificate);
    await server.sql(
      `
      CREATE ROLE owners; CREATE ROLE app; CREATE ROLE mallory LOGIN PASSWORD 'm'; CREATE ROLE ghost; CREATE ROLE reader LOGIN PASSWORD 'm';
      GRANT pg_read_all_data, pg_write_all_data TO reader; CREATE SCHEMA lab AUTHORIZATION mallory; CREATE SCHEMA desk AUTHORIZATION reader`,
      [],
      'postgres',
    );
    await server.sql(
      `
      CREATE FUNCTION lab.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER ROLE mallory CREATEROLE CREATEDB'; RETURN NEW; END $$;
      CREATE FUNCTION lab.trapped() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER ROLE mallory CREATEROLE CREATEDB'; RETURN true; END $$;
      ALTER FUNCTION lab.trap OWNER TO mallory; ALTER FUNCTION lab.trapped OWNER TO mallory`,
      [],
      'postgres',
    );
    if (setup.major >= 16) {
      await server.sql(
        'GRANT pg_read_all_data, pg_write_all_data TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
      );
    }
  });
  beforeEach(() => {
    stack = newStack();
  });
  watchAdmin(() => server);
  afterEach(async () => {
    // Nothing of a test is left to the next one, whatever became of it.
    await server.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename NOT IN ('rdsadmin', 'postgres')",
    );
    for (const name of (await users(server)).filter(name => !ROLES.includes(name))) {
      await server.sql(`DROP OWNED BY "${name}"`, [], 'shop');
      await server.sql(`DROP OWNED BY "${name}"; DROP ROLE "${name}"`, [], 'postgres');
    }
    await postgres(
      'DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock, moved CASCADE; DROP TABLE IF EXISTS lab.kept, lab.child',
    );
    // Nothing of what was set up as a trap has run as the admin.
    await expect(
      server.sql("SELECT rolcreaterole OR rolcreatedb AS trapped FROM pg_roles WHERE rolname = 'mallory'"),
    ).resolves.toEqual([{ trapped: false }]);
  });
  afterAll(() => server.stop());

  const reach = (): Transport => transport === 'connections' ? throughConnections(server) : throughDataApi(server);
  const newStack = (options: StackOptions = {}) => new Stack(server, { transport: reach(), ...options });
  const postgres = (sql: string) => server.sql(sql, [], 'postgres');
  const rows = (columns = '*') =>
    server.sql<Record<string, unknown>>(`SELECT ${columns} FROM ${TABLE} ORDER BY logical_id`, [], 'postgres');
  const notices = (notice: string) => stack.log.filter(line => line.notice === notice);
  const canSignIn = (name: string) => signInWithToken(server, name).then(() => true, () => false);
  const connected = async (user: string, password: string) => {
    const client = new Client({
      host: server.host,
      port: server.port,
      user,
      password,
      database: 'postgres',
      ssl: true,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const identitiesOf = async (database: string) => {
    const [{ oid }] = await server.sql<{ oid: string }>('SELECT oid::text FROM pg_database WHERE datname = $1', [
      database,
    ]);
    return {
      resourceId: server.resourceId,
      major: setup.major,
      databases: [{ database, oid, schemas: [], objects: [], columns: [] }],
      roles: [],
    };
  };
  const dropRegistry = () => postgres('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
  const dropUsers = async (...names: string[]) => {
    for (const name of names) {
      await server.sql(`DROP OWNED BY ${name}; DROP ROLE ${name}`, [], 'shop');
    }
  };

  test('has row-level security that is not forced, and no privileges but those of its owner, the admin', async () => {
    await stack.create('A', { username: 'orders' });
    await expect(
      postgres(
        `SELECT relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner)::text AS owner, relacl FROM pg_class WHERE oid = '${TABLE}'::regclass`,
      ),
    ).resolves.toEqual([{ relrowsecurity: true, relforcerowsecurity: false, owner: 'postgres', relacl: null }]);
    await expect(rows('declarations')).resolves.toEqual([{
      declarations: {
        format: 1,
        declarations: [{ Kind: 'user', Privileges: { shop: { Database: ['CONNECT'] } } }],
        sent: SENT,
        identities: await identitiesOf('shop'),
      },
    }]);
    await stack.delete('A', { username: 'orders' });
  });

  test('shows nothing to members of pg_read_all_data and pg_write_all_data, and takes nothing from them', async () => {
    const leaver: User = { username: 'leaver', memberOf: ['pg_read_all_data', 'pg_write_all_data'] };
    await stack.create('A', leaver);
    const client = await connected('leaver', server.token('application', 'leaver'));
    await expect(
      client.query(`INSERT INTO ${TABLE} SELECT 'leaver'::regrole, 'a', 'a', 'Ghost', 'a', 'a', 'leaver', '[]'`),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(client.query(`SELECT * FROM ${TABLE}`)).resolves.toMatchObject({ rowCount: 0 });
    await expect(client.query(`UPDATE ${TABLE} SET released = true`)).resolves.toMatchObject({ rowCount: 0 });
    await expect(client.query(`DELETE FROM ${TABLE}`)).resolves.toMatchObject({ rowCount: 0 });
    await expect(client.query(`TRUNCATE ${TABLE}`)).rejects.toMatchObject({ code: '42501' });
    // As pg_dump asks.
    await client.query('SET row_security = off');
    await expect(client.query(`COPY ${TABLE} TO STDOUT`)).rejects.toMatchObject({ code: '42501' });
    await client.end();
    await stack.delete('A', leaver);
    expect(await users(server)).not.toContain('leaver');
  });

  test.each(firstOf(1, [
    ['another stack', "'arn:aws:cloudformation:eu-central-1:123456789012:stack/other'",
      "'arn:aws:cloudformation:eu-central-1:123456789012:stack/other/1'", 'resource_id'],
    ['a predecessor of the stack', 'stack', "stack || '/0'", 'resource_id'],
    ['another database', 'stack', 'stack_id', "'cluster-OTHER'"],
  ]))('a claim of %s does not keep a user whose resource is deleted', async (_, claimStack, stackId, resourceId) => {
    await stack.create('A', { username: 'orders' });
    await postgres(
      `INSERT INTO ${TABLE} SELECT role_oid, ${claimStack}, ${stackId}, 'Ghost', ${resourceId}, ${resourceId} || '/orders/Ghost', username, declarations FROM ${TABLE}`,
    );
    await stack.delete('A', { username: 'orders' });
    expect(await users(server)).not.toContain('orders');
  });

  full.test('a claim that is not valid does not keep a user whose resource is deleted', async () => {
    await stack.create('A', { username: 'orders' });
    await postgres(
      `INSERT INTO ${TABLE} SELECT role_oid, 'x', stack_id, 'Ghost', resource_id, physical_id, username, declarations FROM ${TABLE}`,
    );
    await stack.delete('A', { username: 'orders' });
    expect(await users(server)).not.toContain('orders');
  });

  const INJECTED
    = 'TEMPORARY ON DATABASE \\"shop\\" TO \\"orders\\"; ALTER ROLE mallory CREATEROLE CREATEDB; COMMIT; BEGIN; GRANT TEMPORARY';

  test.each(
    firstOf(1, [
      [
        'SQL',
        `{"format": 1, "declarations": [{"Kind": "user", "Privileges": {"shop": {"Database": ["${INJECTED}"]}}}]}`,
        'privilege on a database "TEMPORARY ON DATABASE',
      ],
      [
        'SQL, in the form without a number',
        `[{"kind": "user", "memberOf": [], "exclusive": false, "databases": [{"database": "shop", "schemas": [], "privileges": ["${INJECTED}"]}]}]`,
        'privilege on a database "TEMPORARY ON DATABASE',
      ],
      [
        'a format of a newer version',
        '{"format": 2, "declarations": []}',
        'format 2 is not allowed: this version of the library knows format 1',
      ],
      ['no object', '"x"', 'declarations "x" is not allowed: it is not an object'],
    ]),
  )(
    'a declaration that has %s is an error for its user alone, which a Delete disables',
    async (_, declarations, problem) => {
      await stack.create('A', { username: 'orders' });
      await stack.create('B', { username: 'sales' });
      await postgres(`UPDATE ${TABLE} SET declarations = '${declarations}' WHERE username = 'orders'`);
      const reason = await failure(stack.update('A', { username: 'orders', connect: [] }));
      expect(reason).toContain(
        `what the registry has of role "orders" (resource A of arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/1) is not understood: ${problem}`,
      );
      expect(reason).toContain(
        `UPDATE ${TABLE} SET declarations = '{"format": 1, "declarations": []}' WHERE role_oid = '`,
      );
      expect(await failure(stack.update('A', { username: 'renamed' }))).toBe(reason);
      expect(await canSignIn('orders')).toBe(true);
      await stack.update('B', { username: 'sales', connect: ['postgres'] });
      await stack.create('C', { username: 'later' });
      await stack.delete('C', { username: 'later' });
      await stack.delete('B', { username: 'sales' });
      await stack.delete('A', { username: 'orders' });
      expect(await canSignIn('orders')).toBe(false);
      expect(await users(server)).toContain('orders');
      expect(notices('kept').at(-1)).toMatchObject({
        username: 'orders',
        reason: expect.stringContaining(
          'it cannot log in any more, and has what it owns and holds: what the registry has of role "orders"',
        ) as string,
      });
      // What the reason says to do helps.
      expect(await failure(stack.create('A', { username: 'orders' }))).toContain('is not understood');
      await postgres(/UPDATE cdk_aurora.*?(?=; and deploy)/.exec(reason)![0]);
      await stack.create('A', { username: 'orders' });
      await stack.delete('A', { username: 'orders' });
    },
  );

  test('a row of which it is not known whose it is stops its user alone, and not those of the same list', async () => {
    const list = { usernames: ['ann', 'bob', 'eve'] };
    await stack.create('List', list);
    const former = stack.physicalIdOf('List');
    await postgres(`UPDATE ${TABLE} SET stack = 'x' WHERE username = 'bob'`);
    expect(await failure(stack.update('List', list))).toContain(
      'the registry has a row of role "bob" that is not valid: stack "x" is not allowed: it is not the beginning of stack_id',
    );
    const reason = await failure(stack.delete('List', list, former));
    await expect(Promise.all(['ann', 'bob', 'eve'].map(canSignIn))).resolves.toEqual([false, true, false]);
    expect(await failure(stack.delete('List', list, former))).toBe(reason);
    expect(await failure(stack.create('Bob', { username: 'bob' }))).toContain('that is not valid');
    await postgres(/DELETE FROM cdk_aurora.*$/.exec(reason)![0]);
    await dropUsers('bob');
    await dropRegistry();
  });

  test('what default privileges would give to others is taken from them as it is made', async () => {
    await postgres(`SET ROLE postgres; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO app, PUBLIC; ALTER DEFAULT PRIVILEGES GRANT USAGE, CREATE ON SCHEMAS TO app, PUBLIC;
      ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM postgres; ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM postgres; RESET ROLE`);
    await stack.create('A', { username: 'orders', memberOf: setup.major >= 16 ? [] : ['app'] });
    await expect(
      postgres(
        `SELECT DISTINCT pg_get_userbyid(a.grantee)::text AS grantee FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace CROSS JOIN LATERAL aclexplode(relacl || nspacl) a WHERE c.oid = '${TABLE}'::regclass`,
      ),
    ).resolves.toEqual([{ grantee: 'postgres' }]);
    await stack.update('A', { username: 'orders', connect: [] });
    await stack.delete('A', { username: 'orders' });
    await postgres(
      'DROP OWNED BY app; SET ROLE postgres; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM PUBLIC; '
      + 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO postgres; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO postgres; RESET ROLE',
    );
  });

  describe('is refused, for each event', () => {
    const faults: [fault: string, sql: string, remedied: string | undefined, reason: string][] = [
      ['a trigger', `CREATE TRIGGER trap BEFORE INSERT ON ${TABLE} FOR EACH STATEMENT EXECUTE FUNCTION lab.trap()`,
        undefined, `${TABLE} has trigger "trap"; DROP TRIGGER "trap" ON ${TABLE}`],
      ['a disabled trigger',
        `CREATE TRIGGER trap BEFORE DELETE ON ${TABLE} FOR EACH ROW EXECUTE FUNCTION lab.trap(); ALTER TABLE ${TABLE} DISABLE TRIGGER trap`,
        undefined, `${TABLE} has trigger "trap"; DROP TRIGGER "trap" ON ${TABLE}`],
      ['a rule', `CREATE RULE "a""b" AS ON INSERT TO ${TABLE} DO ALSO SELECT lab.trapped()`, undefined,
        `${TABLE} has rule "a\\"b"; DROP RULE "a""b" ON ${TABLE}`],
      ['a policy', `CREATE POLICY trap ON ${TABLE} USING (lab.trapped())`, undefined,
        `${TABLE} has policy "trap"; DROP POLICY "trap" ON ${TABLE}`],
      ['forced row-level security', `ALTER TABLE ${TABLE} FORCE ROW LEVEL SECURITY`, undefined,
        `row-level security of ${TABLE} is forced, so that its owner sees nothing; ALTER TABLE ${TABLE} NO FORCE ROW LEVEL SECURITY`],
      ['a check', `ALTER TABLE ${TABLE} ADD CONSTRAINT trap CHECK (lab.trapped()) NOT VALID`, undefined,
        `${TABLE} has constraint "trap"; ALTER TABLE ${TABLE} DROP CONSTRAINT "trap"`],
      ['an index with an expression', `CREATE INDEX trap ON ${TABLE} ((length(username)))`,
        'DROP INDEX cdk_aurora_iam_auth.trap',
        `index "cdk_aurora_iam_auth.trap" of ${TABLE} is missing or is not its primary key; drop that index, or add the primary key (role_oid, stack, logical_id)`],
      ['no primary key', `ALTER TABLE ${TABLE} DROP CONSTRAINT managed_role_pkey`,
        `ALTER TABLE ${TABLE} ADD PRIMARY KEY (role_oid, stack, logical_id)`,
        `index "managed_role" of ${TABLE} is missing or is not its primary key; drop that index, or add the primary key (role_oid, stack, logical_id)`],
      ['a default', `ALTER TABLE ${TABLE} ALTER username SET DEFAULT 'x'`,
        `ALTER TABLE ${TABLE} ALTER username DROP DEFAULT`,
        `column "username" of ${TABLE} is not as this library makes it; it is not the registry of this library: rename or drop it`],
      ['another default', `ALTER TABLE ${TABLE} ALTER released SET DEFAULT lab.trapped()`,
        `ALTER TABLE ${TABLE} ALTER released SET DEFAULT false`,
        `column "released" of ${TABLE} is not as this library makes it; it is not the registry of this library: rename or drop it`],
      ['another type', `ALTER TABLE ${TABLE} ALTER username TYPE varchar`,
        `ALTER TABLE ${TABLE} ALTER username TYPE text`,
        `column "username" of ${TABLE} is not as this library makes it; it is not the registry of this library: rename or drop it`],
      ['a child', `CREATE TABLE lab.child () INHERITS (${TABLE})`, 'DROP TABLE lab.child',
        `lab.child inherits from ${TABLE}; ALTER TABLE lab.child NO INHERIT ${TABLE}`],
      ['statistics', `CREATE STATISTICS lab.stats ON username, stack FROM ${TABLE}`, 'DROP STATISTICS lab.stats',
        `${TABLE} has statistics "stats"; drop them (DROP STATISTICS)`],
      ['privileges of others', `GRANT SELECT ON ${TABLE} TO app`, undefined,
        `"app" has privileges on table ${TABLE}; REVOKE ALL ON TABLE ${TABLE} FROM "app"`],
      ['privileges of PUBLIC', `GRANT TRIGGER ON ${TABLE} TO PUBLIC`, undefined,
        `PUBLIC has privileges on table ${TABLE}; REVOKE ALL ON TABLE ${TABLE} FROM PUBLIC`],
      ['privileges on a column', `GRANT UPDATE (released) ON ${TABLE} TO app`, undefined,
        `"app" has privileges on table ${TABLE}; REVOKE ALL ON TABLE ${TABLE} FROM "app"`],
      ['privileges on the schema', 'GRANT USAGE ON SCHEMA cdk_aurora_iam_auth TO app', undefined,
        '"app" has privileges on schema cdk_aurora_iam_auth; REVOKE ALL ON SCHEMA cdk_aurora_iam_auth FROM "app"'],
      ['a function beside it', 'CREATE FUNCTION cdk_aurora_iam_auth.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
        'DROP FUNCTION cdk_aurora_iam_auth.f()',
        'function cdk_aurora_iam_auth.f() is in schema cdk_aurora_iam_auth; drop it, or move it to another schema'],
      ['another table beside it', 'CREATE TABLE cdk_aurora_iam_auth.other (n int)',
        'DROP TABLE cdk_aurora_iam_auth.other',
        'table cdk_aurora_iam_auth.other is in schema cdk_aurora_iam_auth; drop it, or move it to another schema'],
      ['an unlogged table', `ALTER TABLE ${TABLE} SET UNLOGGED`, `ALTER TABLE ${TABLE} SET LOGGED`,
        `${TABLE} is no ordinary table that is logged; it is not the registry of this library: rename or drop it`],
      ['another owner of the table', `ALTER TABLE ${TABLE} OWNER TO mallory`, `ALTER TABLE ${TABLE} OWNER TO postgres`,
        `table ${TABLE} belongs to "mallory" and not to "postgres"; rename or drop it if it is not the registry; if "mallory" is a group role that the admin is a member of, name it as registryOwner; if it was the admin before, ALTER SCHEMA cdk_aurora_iam_auth OWNER TO "postgres", and the same for TABLE ${TABLE}`],
    ];

    beforeEach(() => newStack().create('A', { username: 'orders' }));

    test.each(firstOf(1, faults))('with %s, and the reason says how to remove it', async (_, sql, remedied, reason) => {
      await postgres(sql);
      for (const event of [
        stack.update('A', { username: 'orders', connect: [] }),
        stack.create('B', { username: 'sales' }),
        stack.delete('A', { username: 'orders' }),
      ]) {
        expect(await failure(event)).toBe(NOT_USED + reason);
      }
      await postgres(remedied ?? reason.slice(reason.lastIndexOf('; ') + 2));
      await stack.update('A', { username: 'orders' });
    });

    full.test('a column that was dropped, an added one and a view in its place', async () => {
      const refused = async (sql: string, reason: RegExp) => {
        await postgres(`CREATE TABLE lab.kept AS SELECT * FROM ${TABLE}; ${sql}`);
        expect(await failure(stack.update('A', { username: 'orders', connect: [] }))).toMatch(reason);
        await dropRegistry();
        await newStack().create('Other', { username: 'other' });
        await postgres(`INSERT INTO ${TABLE} SELECT * FROM lab.kept; DROP TABLE lab.kept`);
        await newStack().delete('Other', { username: 'other' });
      };
      await refused(
        `ALTER TABLE ${TABLE} DROP COLUMN released`,
        /column "\.\.\.\.\.\.\.\.pg\.dropped\.9\.\.\.\.\.\.\.\." of/,
      );
      await refused(`ALTER TABLE ${TABLE} ADD COLUMN trap boolean NOT NULL DEFAULT true`, /column "trap" of/);
      await refused(
        `DROP TABLE ${TABLE}; CREATE VIEW ${TABLE} AS SELECT k.* FROM lab.kept k WHERE lab.trapped(); ALTER VIEW ${TABLE} OWNER TO postgres`,
        /is no ordinary table that is logged/,
      );
    });
  });

  full.test('is not held up by what any user of the database can make of it', async () => {
    await stack.create('A', { username: 'orders' });
    const reader = await connected('reader', 'm');
    await reader.query(
      `CREATE VIEW desk.schemas AS SELECT 'cdk_aurora_iam_auth'::regnamespace AS schema; CREATE VIEW desk.copy AS SELECT * FROM ${TABLE}`,
    );
    await reader.query('CREATE TABLE desk.rows (row cdk_aurora_iam_auth.managed_role)');
    await reader.query(`CREATE FUNCTION desk.f() RETURNS SETOF ${TABLE} LANGUAGE sql AS 'SELECT * FROM ${TABLE}'`);
    await stack.update('A', { username: 'orders', connect: [] });
    await stack.delete('A', { username: 'orders' });
    expect(await users(server)).not.toContain('orders');
    await reader.query('DROP VIEW desk.copy, desk.schemas; DROP TABLE desk.rows; DROP FUNCTION desk.f');
    await reader.end();
    await stack.create('A', { username: 'orders' });
    await stack.delete('A', { username: 'orders' });
  });

  test('is not kept from the provisioner by those who may lock it', async () => {
    await stack.create('A', { username: 'leaver', memberOf: ['pg_read_all_data', 'pg_write_all_data'] });
    const [holder, waiting, dump] = [
      await connected('leaver', server.token('application', 'leaver')),
      await connected('reader', 'm'),
      await connected('reader', 'm'),
    ];
    await dump.query(`BEGIN; SELECT * FROM ${TABLE}`);
    await holder.query(`BEGIN; LOCK TABLE ${TABLE} IN SHARE ROW EXCLUSIVE MODE`);
    const ended = waiting.query(`BEGIN; LOCK TABLE ${TABLE}`).then(() => 'locked', (error: Error) => error.message);
    await stack.delete('A', { username: 'leaver', memberOf: ['pg_read_all_data', 'pg_write_all_data'] });
    expect(await users(server)).not.toContain('leaver');
    await expect(holder.query('SELECT 1')).rejects.toThrow();
    expect(await ended).not.toBe('locked');
    // Who only reads it is left alone.
    await expect(dump.query('SELECT 1 AS one')).resolves.toMatchObject({ rowCount: 1 });
    await dump.end();
  });

  describe('of a group role', () => {
    const member = () => connected('mallory', 'm');
    const makeAsMember = async (sql: string) => {
      const mallory = await member();
      await mallory.query(`SET ROLE owners; ${sql}`).finally(() => mallory.end());
    };
    const MADE = `CREATE SCHEMA cdk_aurora_iam_auth; CREATE TABLE ${TABLE} (role_oid oid NOT NULL, stack text NOT NULL, stack_id text NOT NULL, logical_id text NOT NULL, resource_id text NOT NULL,
      physical_id text NOT NULL, username text NOT NULL, declarations jsonb NOT NULL, released boolean NOT NULL DEFAULT false, PRIMARY KEY (role_oid, stack, logical_id))`;
    const TRAP = `CREATE TRIGGER trap BEFORE INSERT ON ${TABLE} FOR EACH ROW EXECUTE FUNCTION lab.trap()`;

    beforeAll(() =>
      postgres(
        'GRANT CREATE ON DATABASE postgres TO owners; GRANT owners TO mallory, postgres; GRANT USAGE ON SCHEMA lab TO owners',
      ),
    );
    afterAll(() =>
      postgres(
        'REVOKE owners FROM mallory, postgres; REVOKE CREATE ON DATABASE postgres FROM owners; REVOKE USAGE ON SCHEMA lab FROM owners',
      ),
    );
    beforeEach(() => {
      stack = newStack({ registryOwner: 'owners' });
    });

    full.test('is made for it, and is used by each of its members that is an admin', async () => {
      await stack.create('A', { username: 'orders' });
      await expect(
        postgres(
          `SELECT pg_get_userbyid(nspowner)::text AS schema, pg_get_userbyid(relowner)::text AS "table" FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = '${TABLE}'::regclass`,
        ),
      ).resolves.toEqual([{ schema: 'owners', table: 'owners' }]);
      await stack.update('A', { username: 'renamed' });
      expect(await failure(newStack().update('A', { username: 'renamed' }))).toContain(
        'schema cdk_aurora_iam_auth belongs to "owners" and not to "postgres"',
      );
      await stack.delete('A', { username: 'renamed' });
    });

    full.test('is refused where the deployment does not name it, whatever is in it', async () => {
      await makeAsMember(`${MADE}; ${TRAP}`);
      expect(await failure(newStack().create('A', { username: 'orders' }))).toContain(
        `${NOT_USED}schema cdk_aurora_iam_auth belongs to "owners" and not to "postgres"`,
      );
      expect(await failure(stack.create('A', { username: 'orders' }))).toBe(
        `${NOT_USED}${TABLE} has trigger "trap"; DROP TRIGGER "trap" ON ${TABLE}`,
      );
      await postgres(`DROP TRIGGER trap ON ${TABLE}`);
      await stack.create('A', { username: 'orders' });
      await expect(postgres(`SELECT relrowsecurity FROM pg_class WHERE oid = '${TABLE}'::regclass`)).resolves.toEqual([
        { relrowsecurity: true },
      ]);
      await stack.delete('A', { username: 'orders' });
    });

    test('has no user or role of the library as a member, and is none', async () => {
      const refused
        = 'role "owners" owns the registry, so no user or role of this library can be it or a member of it; name another role as registryOwner, or leave this one out';
      expect(await failure(stack.create('A', { username: 'orders', memberOf: ['owners'] }))).toBe(refused);
      expect(await failure(stack.create('A', { roleName: 'owners', adoptExisting: true }))).toBe(refused);
    });

    full.test('is used although a removed user that reads all data keeps its schema locked', async () => {
      await stack.create('A', { username: 'orders', memberOf: ['pg_read_all_data'] });
      const orders = await connected('orders', server.token('application', 'orders'));
      // It grants nothing, and locks the row of the catalog.
      await orders.query('BEGIN; GRANT USAGE ON SCHEMA cdk_aurora_iam_auth TO mallory');
      await stack.delete('A', { username: 'orders' });
      await expect(orders.query('SELECT 1')).rejects.toThrow();
    });

    test('has no user of the library as a member through other roles', async () => {
      await postgres('CREATE ROLE team; GRANT owners TO team');
      await postgres('GRANT team TO postgres WITH ADMIN OPTION').catch(() => undefined);
      expect(await failure(stack.create('A', { username: 'orders', memberOf: ['team'] }))).toBe(
        '"orders" cannot be a member of "team": it leads to "owners", which owns the registry, '
        + 'and its members can change which resource manages which role; make it a member of roles with the privileges it needs or, for a DBA who signs in with IAM, of rds_superuser',
      );
      await postgres('DROP ROLE team');
    });

    test.each(firstOf(1, [
      ['is missing', 'nobodys',
        `${NOT_USED}there is no role "nobodys", which registryOwner names; create that group role and make the admin a member of it, or correct the name`],
      ...(setup.roleRules === 'rdsLike'
        ? []
        : [['has not the admin as a member', 'app',
            `${NOT_USED}the admin "postgres" is no member of "app", which registryOwner names, or does not inherit its rights; GRANT "app" TO "postgres"`]]),
    ]))('is refused if that role %s', async (_, registryOwner, reason) => {
      expect(await failure(newStack({ registryOwner }).create('A', { username: 'orders' }))).toBe(reason);
    });

    test.each(
      firstOf(1, [
        ['a trigger', TRAP],
        ['a rule', `CREATE RULE trap AS ON INSERT TO ${TABLE} DO ALSO SELECT lab.trapped()`],
        ['another table under its name', `ALTER SCHEMA cdk_aurora_iam_auth RENAME TO moved; ${MADE}; ${TRAP}`],
        [
          'a child with a trigger',
          `CREATE TABLE lab.child () INHERITS (${TABLE}); INSERT INTO lab.child SELECT * FROM ${TABLE}; CREATE TRIGGER trap BEFORE DELETE ON lab.child FOR EACH ROW EXECUTE FUNCTION lab.trap()`,
        ],
      ]),
    )('%s that another member adds after the look, before or during the transaction, does not run', async (_, sql) => {
      await postgres('GRANT CREATE ON SCHEMA lab TO owners');
      await stack.create('A', { username: 'orders' });
      for (const [moment, statement] of [
        ['before', /set_config\('idle_in_transaction_session_timeout'/],
        ['during', /FROM ONLY cdk_aurora_iam_auth\.managed_role m LEFT JOIN/],
      ] as const) {
        const mallory = await member();
        let added: Promise<unknown> | undefined;
        const intruding = intercepted(reach(), async (text) => {
          if (statement.test(text) && added === undefined) {
            added = mallory.query(`SET ROLE owners; SET lock_timeout = '20s'; ${sql}`).then(
              () => 'added',
              (error: Error) => error.message,
            );
            await Promise.race([added, new Promise(resolve => setTimeout(resolve, 500))]);
          }
        });
        const clock = fastClock(20);
        const outcome = await newStack({ registryOwner: 'owners', transport: intruding, clock })
          .update('A', { username: 'orders', connect: moment === 'before' ? [] : ['postgres'] })
          .then(
            () => 'done',
            (error: Error) => error.message,
          );
        expect(outcome).toMatch(
          moment === 'before'
            ? /^the registry in database postgres is not used: |^the registry was changed/
            : /^done$|^the registry/,
        );
        await mallory.query('ROLLBACK').catch(() => undefined);
        expect(await added).toEqual(expect.anything());
        await mallory.end();
        await expect(server.sql("SELECT rolcreaterole FROM pg_roles WHERE rolname = 'mallory'")).resolves.toEqual([
          { rolcreaterole: false },
        ]);
        await postgres(`DO $$ BEGIN
          IF to_regnamespace('moved') IS NOT NULL THEN DROP SCHEMA cdk_aurora_iam_auth CASCADE; ALTER SCHEMA moved RENAME TO cdk_aurora_iam_auth; END IF;
          DROP TABLE IF EXISTS lab.child; DROP TRIGGER IF EXISTS trap ON ${TABLE}; DROP RULE IF EXISTS trap ON ${TABLE}; END $$`);
      }
      await stack.delete('A', { username: 'orders' });
      await postgres('REVOKE CREATE ON SCHEMA lab FROM owners');
    });
  });

  describe('of an earlier version', () => {
    test('is brought to the form of this one by the first event, with the roles that it has', async () => {
      await stack.create('A', { username: 'orders', connect: ['shop', 'postgres'] });
      await stack.create('B', { username: 'sales' });
      await stack.create('G', { roleName: 'readers' });
      await stack.create('K', { username: 'kept', onRemoval: { Action: 'RETAIN' } });
      await stack.delete('K', { username: 'kept', onRemoval: { Action: 'RETAIN' } });
      const before = await rows("*, declarations - 'sent' AS declarations");
      await postgres(AS_BEFORE_FORMATS);
      await stack.update('A', { username: 'orders' });
      await expect(
        postgres(`SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = '${TABLE}'::regclass`),
      ).resolves.toEqual([{ relrowsecurity: true, relforcerowsecurity: false }]);
      const [orders, ...others] = before;
      // What the names stand for is recorded by the next event of the resource.
      const withoutIdentities = others.map(({ declarations, ...row }) => ({
        ...row,
        declarations: { ...(declarations as object), identities: undefined },
      }));
      const [wanted, former] = [['shop'], ['postgres', 'shop']].map(databases => ({
        Kind: 'user',
        Privileges: Object.fromEntries(databases.map(name => [name, { Database: ['CONNECT'] }])),
      }));
      await expect(rows()).resolves.toEqual([
        {
          ...orders,
          declarations: {
            format: 1,
            declarations: [wanted],
            deployed: [wanted, former],
            sent: SENT,
            identities: await identitiesOf('shop'),
          },
        },
        ...withoutIdentities,
      ]);
      // What the former declaration had granted is taken back.
      await expect(
        postgres(
          "SELECT has_database_privilege('orders', 'shop', 'CONNECT') AS shop, (SELECT count(*)::int FROM pg_database, aclexplode(datacl) WHERE datname = 'postgres' AND grantee = 'orders'::regrole) AS postgres",
        ),
      ).resolves.toEqual([{ shop: true, postgres: 0 }]);
      await stack.update('B', { username: 'purchases' });
      await stack.create('K', { username: 'kept' });
      for (const [id, declared] of [
        ['K', { username: 'kept' }],
        ['B', { username: 'purchases' }],
        ['A', { username: 'orders' }],
        ['G', { roleName: 'readers' }],
      ] as const) {
        await stack.delete(id, declared);
      }
    });

    full.test('can begin with a Delete, and a row that is not understood stays one for its role alone', async () => {
      await stack.create('A', { username: 'orders' });
      await stack.create('B', { username: 'sales' });
      await stack.create('C', { username: 'later' });
      await postgres(AS_BEFORE_FORMATS);
      await postgres(`UPDATE ${TABLE} SET declarations = '[{"kind": "user"}]' WHERE username = 'sales'`);
      await stack.delete('A', { username: 'orders' });
      await stack.update('C', { username: 'last' });
      expect(await failure(stack.update('B', { username: 'sales' }))).toContain(
        'is not understood: exclusive that is missing',
      );
      await stack.delete('C', { username: 'last' });
      await stack.delete('B', { username: 'sales', onRemoval: { Action: 'DROP_OR_DISABLE' } });
      expect(await canSignIn('sales')).toBe(false);
      await dropUsers('sales');
      await dropRegistry();
    });

    full.test('is used while another session reads it, and secured by a later event', async () => {
      await stack.create('A', { username: 'orders' });
      await postgres(AS_BEFORE_FORMATS);
      const reader = await connected('reader', 'm');
      await reader.query(`BEGIN; SELECT * FROM ${TABLE}`);
      await stack.update('A', { username: 'orders', connect: [] });
      expect(notices('not secured')).toHaveLength(1);
      await reader.end();
      await stack.update('A', { username: 'orders' });
      expect(notices('not secured')).toHaveLength(1);
      await expect(postgres(`SELECT relrowsecurity FROM pg_class WHERE oid = '${TABLE}'::regclass`)).resolves.toEqual([{ relrowsecurity: true }]);
      await stack.delete('A', { username: 'orders' });
    });
  });
});

/** Lets something happen before each statement of a transport. */
function intercepted(transport: Transport, before: (text: string) => Promise<void>): Transport {
  return async (...args) => {
    const access = await transport(...args);
    const open = async (database: string) => {
      const session = await access.open(database);
      return new Proxy(session, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property, target);
          if (property !== 'execute') {
            return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
          }
          return async (statements: Statement[], answerMs: number) => {
            for (const statement of statements) {
              await before(typeof statement === 'string' ? statement : statement.query);
            }
            return target.execute(statements, answerMs);
          };
        },
      });
    };
    return { ...access, open };
  };
}
