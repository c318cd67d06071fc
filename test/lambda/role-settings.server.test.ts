import { Client } from 'pg';
import { ServerError } from '../../lambda/provisioner/errors';
import { explain } from '../../lambda/provisioner/remedies/server';
import { Transport } from '../../lambda/provisioner/transport/session';
import { parameterProblem } from '../../lib/contract/role-settings';
import { SettingProperties } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { SETUPS } from '../../rehearsal/setups';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { sleepingClock } from './clocks';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, signInWithToken, snapshot, Stack, throughConnections, trust, User } from './stack';

const ALL: SettingProperties = {
  ConnectionLimit: '5',
  Parameters: {
    idle_in_transaction_session_timeout: '60000ms',
    search_path: ['$user', 'A "b"', 'public'],
    statement_timeout: '30000ms',
    work_mem: '64MB',
  },
};

/** Texts that would be SQL, or a parameter of the Data API, where they are not quoted. */
const HOSTILE = [
  "'; DROP ROLE orders; --",
  '"; DROP ROLE orders; --:name',
  "\\'",
  '\\',
  ':name',
  'a::b',
  "E'\\x41'",
  '$$',
  '$1',
  '{}',
  'a,b',
  '"a", b',
  ' a ',
  'DEFAULT',
  'default',
  '%s',
  '\u00fc',
  '\u{1f418}',
  '/* */',
  '-- ',
  "'",
  '"',
];

const CASES = setupsOver({ 'connections': ['18, plain'], 'the Data API': [] });

/** `bySuperuser`: a superuser may set it, which the master of `rdsLike` is. */
const REFUSED_BY_SERVER: { parameter: string; value: string; reason: string; bySuperuser?: true }[] = [
  { parameter: 'nonsense', value: '1',
    reason:
      'unrecognized configuration parameter "nonsense" (SQLSTATE 42704); this server has no such parameter: correct its name, or leave it out' },
  { parameter: 'work_mem', value: 'much',
    reason: 'invalid value for parameter "work_mem": "much" (SQLSTATE 22023); correct the value' },
  { parameter: 'max_connections', value: '5',
    reason:
      '(SQLSTATE 55P02); it cannot be set for a role: leave it out, and set it in the parameter group of the database' },
  {
    parameter: 'my.tenant',
    value: 'x',
    reason:
      'permission denied to set parameter "my.tenant" (SQLSTATE 42501); leave a parameter out that only a superuser may set on this server; '
      + 'for others the admin needs CREATEROLE and, from PostgreSQL 16 on, ADMIN OPTION on the role',
    bySuperuser: true,
  },
];

/** What users may set without being superusers, and is refused all the same. */
const REFUSED_TOO
  = /^(local_preload_libraries|log_parameter_max_length_on_error|transaction_(deferrable|isolation|read_only))$/;

describe.each(CASES)('settings on PostgreSQL $name, over $transport', ({ major, roleRules, transport }) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let untouched: unknown;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop', 'Sh"op'], authorize: () => true });
    trust(server.caCertificate);
    await server.sql('SET ROLE postgres; CREATE SCHEMA app; CREATE TABLE app.t (n int); RESET ROLE', [], 'shop');
    untouched = await snapshot(server);
  });
  const reach = () => transport === 'the Data API' ? throughDataApi(server) : throughConnections(server);
  beforeEach(() => {
    stack = new Stack(server, { transport: reach() });
  });
  afterEach(async () => {
    for (const { role } of await server.sql<{ role: string }>(
      "SELECT quote_ident(rolname) AS role FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> 'postgres'",
    )) {
      await server.sql(`DROP OWNED BY ${role}`, [], 'shop');
      await server.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
    await expect(snapshot(server)).resolves.toEqual(untouched);
  });
  watchAdmin(() => server);
  afterAll(() => server.stop());

  const orders = (settings?: SettingProperties, more: Partial<User> = {}): User => ({
    username: 'orders',
    settings,
    ...more,
  });

  /** As in `shop: work_mem=64MB`. */
  async function stored(role = 'orders'): Promise<string[]> {
    const rows = await server.sql<{ line: string }>(
      `
      SELECT coalesce(datname || ': ', '') || c AS line FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase CROSS JOIN unnest(setconfig) c
      WHERE rolname = $1 UNION ALL SELECT 'connections: ' || rolconnlimit FROM pg_roles WHERE rolname = $1 AND rolconnlimit <> -1 ORDER BY 1`,
      [role],
    );
    return rows.map(({ line }) => line).sort();
  }

  async function inSession<T>(username: string, work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({
      host: server.host,
      port: server.port,
      user: username,
      password: server.token('application', username),
      database: 'shop',
      ssl: { rejectUnauthorized: true },
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  const show = (username: string, parameter: string) => inSession(username, async (client) => {
    const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [parameter]);
    return rows[0].value;
  });

  const STORED = [
    'connections: 5',
    'idle_in_transaction_session_timeout=60000ms',
    'search_path="$user", "A ""b""", public',
    'statement_timeout=30000ms',
    'work_mem=64MB',
  ];

  full.test('are there from the first session on, are settled then, and go with the user', async () => {
    await stack.create('A', orders(ALL));
    await expect(stored()).resolves.toEqual(STORED);
    await expect(show('orders', 'statement_timeout')).resolves.toBe('30s');
    await expect(show('orders', 'search_path')).resolves.toBe('"$user", "A ""b""", public');
    stack.takeChanges();
    await stack.update('A', orders(ALL, { reapply: 'again' }));
    expect(stack.takeChanges()).toEqual([]);
    await stack.delete('A', orders(ALL));
    await expect(snapshot(server)).resolves.toEqual(untouched);
  });

  test('are changed and reset, and nothing else is', async () => {
    await stack.create('A', orders());
    await server.sql(
      "ALTER ROLE orders SET datestyle = 'German'; ALTER ROLE orders SET jit = off; ALTER ROLE orders IN DATABASE shop SET jit = on",
    );
    const before = await snapshot(server) as { shared: unknown };
    await stack.update('A', orders(ALL));
    await stack.update('A', orders({ Parameters: { search_path: ['app'], work_mem: '1MB', jit: 'off' } }));
    await expect(stored()).resolves.toEqual(['DateStyle=German', 'jit=off', 'search_path=app', 'work_mem=1MB']);
    await stack.update('A', orders());
    await expect(stored()).resolves.toEqual(['DateStyle=German']);
    await server.sql('ALTER ROLE orders SET jit = off; ALTER ROLE orders IN DATABASE shop SET jit = on');
    await expect(snapshot(server)).resolves.toMatchObject({ shared: before.shared });
    stack.takeChanges();
    await stack.update('A', orders(undefined, { reapply: 'again' }));
    expect(stack.takeChanges()).toEqual([]);
  });

  test('of a user that has them in another unit are left as they are', async () => {
    for (const value of firstOf(1, ['30s', '30000', ' 30 s ', '30000000us'])) {
      await server.asMaster('CREATE ROLE orders LOGIN', 'postgres');
      await server.sql(`GRANT rds_iam TO orders; GRANT CONNECT ON DATABASE shop TO orders;
        ALTER ROLE orders SET statement_timeout = '${value}'; ALTER ROLE orders IN DATABASE shop SET statement_timeout = '0.5min'`);
      const limited = orders({ Parameters: { statement_timeout: '30000ms' } }, { adoptExisting: true });
      stack.takeExecuted();
      await stack.create('A', limited);
      // Digits alone are compared.
      expect(stack.takeExecuted().map(({ sql }) => sql)).toEqual([
        'ALTER ROLE "orders" IN DATABASE "shop" RESET "statement_timeout"',
      ]);
      await server.sql("ALTER ROLE orders SET statement_timeout = '29999ms'");
      await stack.update('A', { ...limited, reapply: value });
      await expect(stored()).resolves.toEqual(['statement_timeout=30000ms']);
      await stack.delete('A', limited);
    }
  });

  full.test('are as declared again after changes by hand, those for one database included', async () => {
    await stack.create('A', orders(ALL));
    await server.sql(`ALTER ROLE orders SET work_mem = '1MB'; ALTER ROLE orders RESET statement_timeout; ALTER ROLE orders SET search_path = public; ALTER ROLE orders CONNECTION LIMIT 1;
      ALTER ROLE orders IN DATABASE shop SET work_mem = '2MB'; ALTER ROLE orders IN DATABASE "Sh""op" SET search_path = 'x'; ALTER ROLE orders IN DATABASE postgres SET work_mem = '64MB';
      ALTER ROLE orders IN DATABASE shop SET jit = off`);
    await expect(show('orders', 'work_mem')).resolves.toBe('2MB');
    await expect(stack.drift()).resolves.toMatchObject({ driftedRoles: 1 });
    await stack.update('A', orders(ALL, { reapply: 'again' }));
    await expect(stored()).resolves.toEqual([...STORED, 'postgres: work_mem=64MB', 'shop: jit=off'].sort());
    await expect(show('orders', 'work_mem')).resolves.toBe('64MB');
    await expect(stack.drift()).resolves.toMatchObject({ driftedRoles: 0 });
  });

  test('of a user that changes them for itself are as declared after the next event', async () => {
    await stack.create('A', orders(ALL));
    await inSession('orders', client =>
      client.query(
        "ALTER ROLE orders SET statement_timeout = 0; ALTER ROLE orders IN DATABASE shop SET statement_timeout = '1h'",
      ),
    );
    await expect(show('orders', 'statement_timeout')).resolves.toBe('1h');
    await stack.update('A', orders(ALL, { reapply: 'again' }));
    await expect(stored()).resolves.toEqual(STORED);
  });

  full.test('stay with a user that is renamed', async () => {
    await stack.create('A', orders(ALL));
    stack.takeChanges();
    await stack.update('A', orders(ALL, { username: 'purchases' }));
    expect(stack.takeChanges()).toEqual(['rename "orders" to "purchases"']);
    await expect(stored('purchases')).resolves.toEqual(STORED);
    await stack.update('A', { username: 'orders' });
    await expect(stored()).resolves.toEqual([]);
  });

  full.test('of many users are the same for each', async () => {
    await stack.create('L', { usernames: ['lea', 'leo'], settings: ALL });
    await expect(stored('lea')).resolves.toEqual(STORED);
    await expect(stored('leo')).resolves.toEqual(STORED);
  });

  full.test('of a role that is taken over: those that are declared are set, and others stay', async () => {
    await server.sql(
      "SET ROLE postgres; CREATE ROLE orders CONNECTION LIMIT 3; ALTER ROLE orders SET work_mem = '1MB'; ALTER ROLE orders SET jit = off; ALTER ROLE orders IN DATABASE shop SET work_mem = '2MB'; RESET ROLE",
    );
    const { shared: before } = await snapshot(server) as { shared: string[] };
    // An event that fails late gives back what there was.
    const broken = { privileges: { shop: { Schemas: { app: { Tables: { missing: ['SELECT'] } } } } } };
    await expect(stack.create('A', orders(ALL, { ...broken, adoptExisting: true }))).rejects.toThrow('missing');
    await expect(snapshot(server)).resolves.toMatchObject({ shared: before });
    await stack.create('A', orders(ALL, { adoptExisting: true, onRemoval: { Action: 'RETAIN' } }));
    await expect(stored()).resolves.toEqual([...STORED, 'jit=off'].sort());
    await stack.delete('A', orders(ALL, { onRemoval: { Action: 'RETAIN' } }));
    await expect(stored()).resolves.toEqual([...STORED, 'jit=off'].sort());
    // The next resource of the name knows what was declared before.
    await stack.create('B', orders());
    await expect(stored()).resolves.toEqual(['jit=off']);
  });

  full.test('of an update that fails late are as before', async () => {
    await stack.create('A', orders(ALL));
    await server.sql(
      "ALTER ROLE orders IN DATABASE shop SET jit = off; ALTER ROLE orders SET datestyle = 'German, MDY'; ALTER ROLE orders IN DATABASE shop SET search_path = 'X', \"$user\"",
    );
    const before = await snapshot(server);
    const broken = {
      privileges: { shop: { Schemas: { app: { Tables: { t: ['SELECT'] } } } }, unknown: { Database: ['CONNECT'] } },
    };
    await expect(
      stack.update(
        'A',
        orders({ ConnectionLimit: '9', Parameters: { jit: 'on', datestyle: 'ISO', search_path: ['app'] } }, broken),
      ),
    ).rejects.toThrow('unknown');
    await expect(snapshot(server)).resolves.toEqual(before);
  });

  full.test('of an update that is undone after its commit are as before', async () => {
    await stack.create('G', { roleName: 'readers' });
    await stack.create('A', orders(ALL));
    await server.sql(
      "ALTER ROLE orders IN DATABASE shop SET search_path = 'X', \"$user\"; ALTER ROLE orders SET datestyle = 'German'",
    );
    const before = await snapshot(server);
    const keptOut = () => Promise.reject(explain(new ServerError('no', '28P01'), { attempted: 'sign in' }));
    const locking: Transport = async (...args) => ({ ...await reach()(...args), confirm: keptOut });
    const next = orders(
      { ConnectionLimit: '9', Parameters: { datestyle: 'ISO', search_path: ['app'] } },
      { memberOf: ['readers'] },
    );
    await expect(
      failure(
        new Stack(server, { transport: locking, clock: sleepingClock() }).update('A', next, stack.physicalIdOf('A')),
      ),
    ).resolves.toContain('so it is undone');
    await expect(snapshot(server)).resolves.toEqual(before);
  });

  test('has all that PostgreSQL leaves to superusers, and few others', async () => {
    const rows = await server.sql<{ name: string; context: string }>(
      "SELECT name, context FROM pg_settings WHERE context IN ('superuser', 'superuser-backend', 'user', 'backend')",
    );
    const isRefused = (name: string) => parameterProblem(name.toLowerCase()) !== undefined;
    expect(rows.length).toBeGreaterThan(150);
    expect(rows.filter(({ name, context }) => context.startsWith('superuser') && !isRefused(name))).toEqual([]);
    expect(
      rows
        .filter(({ name, context }) => !context.startsWith('superuser') && isRefused(name))
        .every(({ name }) => REFUSED_TOO.test(name)),
    ).toBe(true);
  });

  test.each(firstOf(1, HOSTILE))('have any text as a value: %j', async (text) => {
    // A parameter that takes any text, and a list of any names.
    const settings: SettingProperties = { Parameters: { application_name: text, search_path: [text, 'public', text] } };
    await stack.create('A', orders(settings));
    const rows = await server.sql<{ value: string }>(
      "SELECT substr(c, strpos(c, '=') + 1) AS value FROM pg_roles, unnest(rolconfig) c WHERE rolname = 'orders' AND c LIKE 'application_name=%'",
    );
    expect(rows).toEqual([{ value: text }]);
    const found = await inSession(
      'orders',
      async client =>
        (
          await client.query<{ list: string[] }>(
            "SELECT parse_ident(part) AS list FROM regexp_split_to_table(current_setting('search_path'), ', (?=public)|(?<=public), ') part",
          )
        ).rows,
    );
    expect(found.map(({ list }) => list[0])).toEqual([text, 'public', text]);
    stack.takeChanges();
    await stack.update('A', orders(settings, { reapply: 'again' }));
    expect(stack.takeChanges()).toEqual([]);
  });

  test.each(
    firstOf(
      2,
      REFUSED_BY_SERVER.filter(({ bySuperuser }) => !bySuperuser || roleRules !== 'rdsLike'),
    ),
  )(
    'that the server refuses fail the deployment with a reason, and leave nothing: $parameter',
    async ({ parameter, value, reason }) => {
      const message = await failure(stack.create('A', orders({ Parameters: { [parameter]: value } })));
      expect(message).toContain(`cannot set ${parameter} of "orders" to "${value}": `);
      expect(message).toContain(reason);
      await expect(snapshot(server)).resolves.toEqual(untouched);
    },
  );

  if (major >= 16 && roleRules !== 'rdsLike') {
    test('that the admin may not set or reset any more are no reason for a rollback to fail', async () => {
      const limits = orders({ ConnectionLimit: '5', Parameters: { work_mem: '1MB', jit: 'off' } });
      await stack.create('A', limits);
      await server.sql('REVOKE orders FROM postgres; ALTER ROLE orders RESET jit');
      stack.log.splice(0);
      await stack.update('A', limits);
      expect(stack.log.filter(({ notice }) => notice === 'not granted')).toEqual([
        expect.objectContaining({ change: 'set jit of "orders" to "off"' }),
      ]);
      await stack.update('A', orders());
      expect(stack.log.filter(({ notice }) => notice === 'not taken back').map(({ change }) => change)).toEqual([
        'reset work_mem of "orders"',
        'remove the connection limit of "orders"',
      ]);
      await expect(failure(stack.update('A', orders({ Parameters: { work_mem: '2MB' } })))).resolves.toContain(
        'cannot set work_mem of "orders" to "2MB": permission denied to alter role',
      );
      // What could not be taken back is tried again.
      await server.sql('GRANT orders TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
      await stack.update('A', orders(undefined, { reapply: 'again' }));
      await expect(stored()).resolves.toEqual([]);
    });
  }

  test('a connection limit is one, which the user cannot change', async () => {
    await stack.create('A', orders({ ConnectionLimit: '1' }));
    await inSession('orders', async (client) => {
      await expect(client.query('ALTER ROLE orders CONNECTION LIMIT 2')).rejects.toThrow('permission denied');
      await expect(signInWithToken(server, 'orders')).rejects.toThrow('too many connections for role "orders"');
    });
    await stack.update('A', orders());
    await inSession('orders', () => expect(signInWithToken(server, 'orders')).resolves.toBe('orders'));
  });

  describe('the role at login', () => {
    const owner = {
      roleName: 'Owner "1"',
      privileges: { shop: { Schemas: { app: { Schema: ['CREATE', 'USAGE'] } } } },
    };
    const migrator = (username: string): User => ({
      username,
      memberOf: [owner.roleName],
      settings: { RoleAtLogin: owner.roleName },
    });
    const whoIs = 'SELECT session_user::text AS session, current_user::text AS acting';
    const who = (username: string) => inSession(username, async (client) => {
      const { rows } = await client.query<{ session: string; acting: string }>(whoIs);
      return rows;
    });

    full.test('owns what several users create, and others have privileges on it', async () => {
      await stack.create('O', owner);
      await stack.create('A', migrator('blue'));
      await stack.create('B', migrator('green'));
      await stack.create('C', orders(undefined, {
        privileges: {
          shop: {
            Database: ['CONNECT'],
            Schemas: { app: { Schema: ['USAGE'], FutureObjects: { [owner.roleName]: { Tables: ['SELECT'] } } } },
          },
        },
      }));
      await inSession('blue', client => client.query('CREATE TABLE app.made (n int)'));
      await inSession('green', async (client) => {
        expect((await client.query(whoIs)).rows).toEqual([{ session: 'green', acting: owner.roleName }]);
        for (const statement of ['RESET ROLE', 'RESET ALL', 'DISCARD ALL', 'SET ROLE NONE; RESET ROLE']) {
          await client.query(statement);
          expect((await client.query(whoIs)).rows).toEqual([{ session: 'green', acting: owner.roleName }]);
        }
        await client.query('ALTER TABLE app.made ADD m int');
      });
      await inSession('orders', client => client.query('SELECT m FROM app.made'));
      await stack.delete('A', migrator('blue'));
      await inSession('green', client => client.query('DROP TABLE app.made'));
    });

    full.test(
      'follows its group when that is renamed, and is as before when the deployment is rolled back',
      async () => {
        await stack.create('O', owner);
        await stack.create('A', migrator('blue'));
        const before = await snapshot(server);
        const renamed = { ...owner, roleName: 'owner2' };
        await stack.update('O', renamed);
        await expect(who('blue')).resolves.toEqual([{ session: 'blue', acting: 'blue' }]);
        await stack.update('A', { ...migrator('blue'), memberOf: ['owner2'], settings: { RoleAtLogin: 'owner2' } });
        await expect(stored('blue')).resolves.toEqual(['role=owner2']);
        await expect(who('blue')).resolves.toEqual([{ session: 'blue', acting: 'owner2' }]);
        await stack.update('O', owner);
        await stack.update('A', migrator('blue'));
        await expect(stored('blue')).resolves.toEqual([`role=${owner.roleName}`]);
        const { shared } = await snapshot(server) as { shared: unknown };
        expect(shared).toEqual((before as { shared: unknown }).shared);
      },
    );

    full.test('is reset with its membership, and one that was set by hand for a database is no other one', async () => {
      await stack.create('O', owner);
      await stack.create('A', migrator('blue'));
      await server.sql('ALTER ROLE blue IN DATABASE shop SET role = none');
      await stack.update('A', { ...migrator('blue'), reapply: 'again' });
      await expect(stored('blue')).resolves.toEqual([`role=${owner.roleName}`]);
      await stack.update('A', { username: 'blue' });
      await expect(stored('blue')).resolves.toEqual([]);
      await expect(who('blue')).resolves.toEqual([{ session: 'blue', acting: 'blue' }]);
    });

    test('is a group role of this library; a rollback goes through whatever has become of it', async () => {
      await server.sql('SET ROLE postgres; CREATE ROLE theirs; RESET ROLE');
      const withTheirs: User = { username: 'blue', memberOf: ['theirs'], settings: { RoleAtLogin: 'theirs' } };
      const refused
        = 'role "theirs" is not allowed as the role at login: it is no group role of this library; deploy it with addRole before, or leave setRoleAtLogin out';
      await expect(failure(stack.create('A', withTheirs))).resolves.toBe(refused);
      await stack.create('U', { username: 'user' });
      await expect(
        failure(stack.create('A', { username: 'blue', memberOf: ['user'], settings: { RoleAtLogin: 'user' } })),
      ).resolves.toContain('role "user" is not allowed as the role at login');
      await stack.create('O', owner);
      await stack.create('A', migrator('blue'));
      await server.sql('DROP OWNED BY "Owner ""1"""', [], 'shop');
      await server.sql('DROP ROLE "Owner ""1"""');
      await stack.update('A', { username: 'blue' });
      await stack.update('A', migrator('blue'));
      await expect(signInWithToken(server, 'blue')).resolves.toBe('blue');
    });
  });

  full.test('are the last to be looked at for an exclusive role, and for a role that is kept', async () => {
    await stack.create('A', orders(ALL, { exclusive: true }));
    await server.sql('ALTER ROLE orders SET jit = off');
    await stack.update('A', orders(ALL, { exclusive: true, reapply: 'again' }));
    await expect(stored()).resolves.toEqual([...STORED, 'jit=off'].sort());
    await server.sql('ALTER TABLE app.t OWNER TO orders', [], 'shop');
    await stack.delete('A', orders(ALL, { exclusive: true }));
    await expect(stored()).resolves.toEqual([...STORED, 'jit=off'].sort());
    await server.sql('ALTER TABLE app.t OWNER TO postgres', [], 'shop');
  });
});

full.describe('every combination', () => {
  let server: AuroraLikeServer;
  afterEach(() => server.stop());

  test.each(SETUPS)('of two values is reached from every other one on PostgreSQL $name', async (setup) => {
    server = await AuroraLikeServer.start({ ...setup, databases: ['shop'] });
    trust(server.caCertificate);
    const stack = new Stack(server);
    const values: SettingProperties[] = [
      {},
      { ConnectionLimit: '1' },
      { Parameters: { work_mem: '1MB' } },
      { ConnectionLimit: '2', Parameters: { work_mem: '2MB', search_path: ['a', 'b'] } },
      { Parameters: { search_path: ['b'] } },
    ];
    const user = (settings: SettingProperties): User => ({ username: 'orders', settings });
    await stack.create('A', user({}));
    const look = async () =>
      (
        await server.sql(
          "SELECT ARRAY(SELECT unnest(rolconfig) ORDER BY 1) AS settings, rolconnlimit FROM pg_roles WHERE rolname = 'orders'",
        )
      )[0];
    for (const from of values) {
      for (const to of values) {
        await stack.update('A', user(from));
        await stack.update('A', user(to));
        const reached = await look();
        await stack.delete('A', user(to));
        await stack.create('A', user(to));
        expect(reached).toEqual(await look());
      }
    }
  });
});
