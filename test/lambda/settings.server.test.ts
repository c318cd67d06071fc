import { overDataApi } from '../../lambda/provisioner/transport/data-api/client';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CLUSTER_ARN, DataApiEndpoint, SECRET_ARN } from '../rehearsal/data-api-endpoint';
import { full } from '../full';
import { untilWaiting } from './clocks';
import { failure, setupsOver, signInWithToken, snapshot, Stack, throughConnections, trust, User } from './stack';

/** Parameters of a role or a database, which apply to every session that does not ask for something else. */
const SETTINGS: { readonly [parameter: string]: string } = {
  role: 'owners',
  session_authorization: 'postgres',
  search_path: 'app',
  client_min_messages: 'error',
  row_security: 'off',
  standard_conforming_strings: 'off',
  quote_all_identifiers: 'on',
  check_function_bodies: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  bytea_output: 'escape',
  DateStyle: "'SQL, DMY'",
  IntervalStyle: 'iso_8601',
  TimeZone: "'Asia/Kathmandu'",
  client_encoding: 'latin1',
  default_tablespace: 'elsewhere',
  default_transaction_deferrable: 'on',
  default_toast_compression: 'pglz',
  enable_indexscan: 'off',
  plan_cache_mode: 'force_generic_plan',
};

/**
 * Set to a millisecond they would end the first statement, or the first pause. Over the Data API that statement itself
 * is at their mercy.
 */
const TIMEOUTS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout'];

/** Over the Data API it is explained. */
const READ_ONLY = ['default_transaction_read_only', 'default_transaction_isolation'];
const VALUES: { readonly [parameter: string]: string } = {
  default_transaction_read_only: 'on',
  default_transaction_isolation: 'serializable',
};

const USER: User = {
  username: 'orders',
  privileges: {
    shop: {
      Database: ['CONNECT'],
      Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } }, own: { Owner: 'true' } },
    },
  },
};

const CASES = setupsOver({ 'connections': ['17, plain'], 'the Data API': [] });

describe.each(CASES)(
  'parameters that are set on PostgreSQL $name, over $transport',
  ({ major, roleRules, transport }) => {
    let server: AuroraLikeServer;
    let stack: Stack;
    let untouched: unknown;

    beforeAll(async () => {
      server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true });
      trust(server.caCertificate);
      await server
        .sql(
          "CREATE ROLE owners; GRANT owners TO postgres; CREATE ROLE dba; SET allow_in_place_tablespaces = on; CREATE TABLESPACE elsewhere LOCATION ''",
        )
        .catch(() => server.sql('CREATE ROLE owners; GRANT owners TO postgres; CREATE ROLE dba'));
      if (major >= 16) {
        await server.sql('GRANT dba TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
      }
      await server.sql(
        'CREATE SCHEMA app; GRANT ALL ON SCHEMA app TO postgres WITH GRANT OPTION; SET ROLE postgres; CREATE TABLE app.orders (id serial, total int); RESET ROLE',
        [],
        'shop',
      );
      untouched = await snapshot(server);
    });
    // Its sessions are those from before the settings.
    let endpoint: DataApiEndpoint;
    beforeEach(async () => {
      endpoint = await DataApiEndpoint.start(server);
      const dataApi = overDataApi({ client: endpoint.client, clusterArn: CLUSTER_ARN, secretArn: SECRET_ARN });
      stack = new Stack(server, { transport: transport === 'connections' ? throughConnections(server) : dataApi });
    });
    afterEach(async () => {
      await endpoint.close();
      await server.sql(
        'ALTER ROLE postgres RESET ALL; ALTER DATABASE postgres RESET ALL; ALTER DATABASE shop RESET ALL',
      );
      await expect(snapshot(server)).resolves.toEqual(untouched);
    });
    afterAll(() => server.stop());

    /** For the role, which has priority, and for each database. */
    const EVERYWHERE = ['ROLE postgres', 'DATABASE postgres', 'DATABASE shop'];

    async function set(settings: { readonly [parameter: string]: string }, where = EVERYWHERE): Promise<void> {
      await server.sql(
        Object.entries(settings)
          .flatMap(([name, value]) => where.map(on => `ALTER ${on} SET ${name} = ${value}`))
          .join('; '),
      );
    }

    /** A whole life. What the admin has made is its own. */
    async function live(): Promise<void> {
      await stack.create('A', USER);
      expect(
        await server.sql(
          "SELECT DISTINCT nspowner::regrole::text AS owner FROM pg_namespace WHERE nspname LIKE 'cdk%'",
        ),
      ).toEqual([{ owner: 'postgres' }]);
      await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
      await stack.update('A', { ...USER, reapply: 'again' });
      // What another role has granted is taken back as that role.
      await server.sql(
        'GRANT SELECT ON app.orders TO dba WITH GRANT OPTION; GRANT USAGE ON SCHEMA app TO dba; SET ROLE dba; GRANT SELECT ON app.orders TO orders; RESET ROLE',
        [],
        'shop',
      );
      await stack.update('A', { ...USER, privileges: { shop: { Database: ['CONNECT'] } }, exclusive: true });
      await server.sql('REVOKE ALL ON app.orders FROM dba CASCADE; REVOKE ALL ON SCHEMA app FROM dba', [], 'shop');
      await stack.delete('A', USER);
    }

    test('who the session is, what it finds and how it writes, all at once', async () => {
      const inPlace
        = major >= 15
          ? SETTINGS
          : Object.fromEntries(Object.entries(SETTINGS).filter(([name]) => name !== 'default_tablespace'));
      await set(inPlace);
      await live();
    });

    test('exit_on_error, by the owner of a database: what cannot be taken back there keeps the role, and ends no session', async () => {
      await set({ exit_on_error: 'on' }, ['DATABASE shop']);
      await stack.create('A', USER);
      await server.sql(
        'CREATE ROLE stranger; CREATE SCHEMA theirs AUTHORIZATION stranger; SET ROLE stranger; CREATE TABLE theirs.t (n int); GRANT SELECT ON theirs.t TO orders; RESET ROLE',
        [],
        'shop',
      );
      await stack.delete('A', USER);
      expect(stack.log.map(({ notice }) => notice)).not.toContain('trying again');
      expect(stack.log).toContainEqual(expect.objectContaining({ notice: 'kept', username: 'orders' }));
      await server.sql('DROP SCHEMA theirs CASCADE; DROP ROLE stranger, orders', [], 'shop');
      await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
    }, 90_000);

    if (transport === 'connections') {
      /** Those that are texts are above. */
      test.each(['smallest', 'largest'])('each that any role may set, at its %s value', async (which) => {
        const rows = await server.sql<{ name: string; value: string }>(
          `
        SELECT name, CASE vartype WHEN 'bool' THEN CASE boot_val WHEN 'on' THEN 'off' ELSE 'on' END WHEN 'enum' THEN enumvals[CASE WHEN $1 THEN 1 ELSE array_length(enumvals, 1) END]
                                  ELSE CASE WHEN $1 THEN min_val ELSE max_val END END AS value
        FROM pg_settings WHERE context = 'user' AND vartype <> 'string' AND name !~ '^transaction_(deferrable|isolation|read_only)$'`,
          [which === 'smallest'],
        );
        const refused: string[] = [];
        for (const { name, value } of rows) {
          // What this machine has not, such as advice about reading ahead.
          await set({ [name]: `'${value}'` }).catch(() => refused.push(name));
        }
        expect(rows.length - refused.length).toBeGreaterThan(90);
        await live();
      });

      full.test(
        'timeouts of a millisecond, and transactions that are read-only and serializable, all at once',
        async () => {
          await set({ ...Object.fromEntries(TIMEOUTS.map(name => [name, '1'])), ...VALUES }, ['ROLE postgres']);
          await live();
        },
      );

      full.test.each(TIMEOUTS)('%s of a millisecond', async (name) => {
        await set({ [name]: '1' }, ['ROLE postgres']);
        await live();
      });

      full.test.each(READ_ONLY)('%s', async (name) => {
        await set({ [name]: VALUES[name] });
        await live();
      });
    } else {
      test.each(TIMEOUTS)('%s of half a second', async (name) => {
        await set({ [name]: '500' }, ['ROLE postgres']);
        await live();
      });

      test('transactions that are read-only are refused', async () => {
        await set({ default_transaction_read_only: 'on' });
        expect(await failure(stack.create('A', USER))).toBe(
          'the transactions of the admin in database "postgres" are read-only, and cannot be made otherwise through the Data API; '
          + 'reset default_transaction_read_only of the role and of the database',
        );
      });
    }

    if (major >= 17) {
      full.test('transaction_timeout, with the time of the lock and of a statement that waits', async () => {
        await set({ transaction_timeout: '400' }, ['ROLE postgres']);
        await server.sql('BEGIN; GRANT CONNECT ON DATABASE shop TO PUBLIC', [], 'shop');
        const created = stack.create('A', USER);
        await untilWaiting(server, 1);
        await server.sql('SELECT pg_sleep(1)');
        await server.sql('ROLLBACK', [], 'shop');
        await created;
        await stack.delete('A', USER);
      });
    }
  },
);
