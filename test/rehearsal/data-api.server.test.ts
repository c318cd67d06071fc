import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  ExecuteStatementCommandOutput,
  RollbackTransactionCommand,
} from '@aws-sdk/client-rds-data';
import { setTimeout } from 'node:timers/promises';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Limits } from '../../rehearsal/data-api/limits';
import { firstOf, full } from '../full';
import { CLUSTER_ARN, DataApiEndpoint, SECRET_ARN } from './data-api-endpoint';

const IDLE_MS = 2_000;

describe('the rehearsed Data API', () => {
  let server: AuroraLikeServer;
  let endpoint: DataApiEndpoint;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major: 17, databases: ['shop'] });
  });
  beforeEach(async () => {
    endpoint = await DataApiEndpoint.start(server);
  });
  afterEach(() => endpoint.close());

  /** An endpoint that waits less: how long a machine takes must not decide about the other tests. */
  async function impatient(limits: Partial<Limits>): Promise<void> {
    await endpoint.close();
    endpoint = await DataApiEndpoint.start(server, limits);
  }
  afterAll(() => server.stop());

  const cluster = { resourceArn: CLUSTER_ARN, secretArn: SECRET_ARN };

  async function execute(
    sql: string,
    transactionId?: string,
    database = 'shop',
  ): Promise<ExecuteStatementCommandOutput> {
    return endpoint.client.send(new ExecuteStatementCommand({ ...cluster, database, sql, transactionId }));
  }

  async function begin(): Promise<string> {
    return (await endpoint.client.send(new BeginTransactionCommand({ ...cluster, database: 'shop' }))).transactionId!;
  }

  const commit = (transactionId: string) =>
    endpoint.client.send(new CommitTransactionCommand({ ...cluster, transactionId }));
  const rollback = (transactionId: string) =>
    endpoint.client.send(new RollbackTransactionCommand({ ...cluster, transactionId }));

  async function refusal(call: Promise<unknown>): Promise<string> {
    try {
      await call;
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    throw new Error('it was not refused');
  }

  test('gives each value with its type', async () => {
    expect(
      (
        await execute(
          "SELECT true, 1::smallint, 2::bigint, 0.5::float8, 1.50::numeric, 'a'::text, '{\"b\": 1}'::jsonb, NULL::text, current_user::text",
        )
      ).records,
    ).toEqual([
      [
        { booleanValue: true },
        { longValue: 1 },
        { longValue: 2 },
        { doubleValue: 0.5 },
        { stringValue: '1.50' },
        { stringValue: 'a' },
        { stringValue: '{"b": 1}' },
        { isNull: true },
        { stringValue: 'postgres' },
      ],
    ]);
    expect((await execute('SELECT')).records).toBeUndefined();
  });

  test.each(
    firstOf(2, ['rolname', 'pg_advisory_xact_lock(1)', 'oid', 'ARRAY[1]', "ARRAY['a']::text[]", '\'a\'::"char"']),
  )('refuses values such as %s', async (value) => {
    expect(await refusal(execute(`SELECT ${value} FROM pg_roles LIMIT 1`))).toMatch(
      /^UnsupportedResultException: The result contains the unsupported data type with oid \d+$/,
    );
  });

  test('takes one statement a call', async () => {
    expect(await refusal(execute('SELECT 1; SELECT 2'))).toBe("ValidationException: Multistatements aren't supported");
  });

  test('says what the server says in one line, with the SQLSTATE at its end', async () => {
    expect(await refusal(execute('SELECT * FROM nowhere'))).toBe(
      'DatabaseErrorException: ERROR: relation "nowhere" does not exist; Position: 15; SQLState: 42P01',
    );
    expect(await refusal(execute("DO $$ BEGIN RAISE 'no' USING DETAIL = 'why', HINT = 'how'; END $$"))).toBe(
      'DatabaseErrorException: ERROR: no; Detail: why; Hint: how; SQLState: P0001',
    );
    expect(await refusal(execute('SELECT 1', undefined, 'nowhere'))).toBe(
      'DatabaseErrorException: FATAL: database "nowhere" does not exist; SQLState: 3D000',
    );
  });

  test('a transaction is one session, and is committed or rolled back', async () => {
    const first = await begin();
    await execute('CREATE TABLE t (n int)', first);
    expect(await refusal(execute('SELECT n FROM t'))).toContain('42P01');
    expect(await rollback(first)).toMatchObject({ transactionStatus: 'Rollback Complete' });
    const second = await begin();
    await execute('CREATE TABLE t (n int)', second);
    expect(await execute('INSERT INTO t VALUES (1), (2)', second)).toMatchObject({ numberOfRecordsUpdated: 2 });
    expect(await commit(second)).toMatchObject({ transactionStatus: 'Transaction Committed' });
    expect((await execute('SELECT count(*) FROM t')).records).toEqual([[{ longValue: 2 }]]);
    await execute('DROP TABLE t');
    expect(await refusal(commit(second))).toMatch(
      /^TransactionNotFoundException: Transaction .* isn't found\. One previous call resulted in a termination of your transaction\.$/,
    );
  });

  test('after an error only a savepoint leads back', async () => {
    const transaction = await begin();
    await execute('SAVEPOINT before', transaction);
    await refusal(execute('SELECT 1 / 0', transaction));
    expect(await refusal(execute('SELECT 1', transaction))).toContain('; SQLState: 25P02');
    await execute('ROLLBACK TO SAVEPOINT before', transaction);
    await execute('SELECT 1', transaction);
    await commit(transaction);
  });

  test('what is set for a session, or locked in it, is there for the next client that gets it', async () => {
    await execute("SET application_name = 'left behind'");
    await execute('SELECT pg_advisory_lock(7)::text');
    expect(
      (await execute("SELECT current_setting('application_name'), count(*) FROM pg_locks WHERE locktype = 'advisory'"))
        .records,
    ).toEqual([[{ stringValue: 'left behind' }, { longValue: 1 }]]);
    const transaction = await begin();
    expect((await execute("SELECT current_setting('application_name')", transaction)).records).toEqual([
      [{ stringValue: 'left behind' }],
    ]);
    await rollback(transaction);
  });

  full.test('a transaction that is not called any more is rolled back', async () => {
    await impatient({ idleMs: IDLE_MS });
    const transaction = await begin();
    for (let n = 0; n < 4; n++) {
      await setTimeout(IDLE_MS / 3);
      await execute('SELECT 1', transaction);
    }
    await setTimeout(IDLE_MS * 1.5);
    expect(await refusal(execute('SELECT 1', transaction))).toMatch(
      /^TransactionNotFoundException: Transaction .* isn't found\. Transaction may be expired\.$/,
    );
    expect(await server.sql("SELECT FROM pg_stat_activity WHERE state = 'idle in transaction'")).toEqual([]);
  });

  full.test('one that has ended in time has nothing to do with the next one in its session', async () => {
    await impatient({ idleMs: IDLE_MS });
    await commit(await begin());
    const next = await begin();
    await execute('CREATE TABLE later (n int)', next);
    for (let n = 0; n < 4; n++) {
      await setTimeout(IDLE_MS / 3);
      await execute('INSERT INTO later VALUES (1)', next);
    }
    await rollback(next);
    expect(await refusal(execute('SELECT n FROM later'))).toContain('42P01');
  });

  test('a transaction takes one call at a time', async () => {
    const [holder, transaction] = [await begin(), await begin()];
    await execute('SELECT TRUE FROM pg_advisory_xact_lock(1)', holder);
    const first = execute('SELECT TRUE FROM pg_advisory_xact_lock(1)', transaction);
    while ((await server.sql('SELECT FROM pg_locks WHERE NOT granted')).length === 0) {
      await setTimeout(20);
    }
    expect(await refusal(execute('SELECT 1', transaction))).toBe(
      'DatabaseErrorException: Transaction is still running a query',
    );
    await rollback(holder);
    await first;
    await rollback(transaction);
  });

  test('a statement that takes too long is ended', async () => {
    await impatient({ statementMs: 2_000 });
    expect(await refusal(execute('SELECT pg_sleep(60)::text'))).toBe('StatementTimeoutException: Request timed out');
    await execute('SELECT pg_sleep(0.1)::text');
  });

  test('an answer has 1 MiB, and a row of it 64 KiB', async () => {
    const rows = (count: number, size: number) =>
      execute(`SELECT repeat('x', ${size}) FROM generate_series(1, ${count})`);
    expect((await rows(16, 65_536)).records).toHaveLength(16);
    expect(await refusal(rows(17, 65_536))).toBe('UnsupportedResultException: Database response exceeded size limit');
    expect(await refusal(rows(1, 65_537))).toBe('UnsupportedResultException: Packet for query is too large');
  });

  full.test('a request has 4 MiB', async () => {
    await execute(`SELECT length('${'x'.repeat(4_000_000)}')`);
    expect(await refusal(execute(`SELECT length('${'x'.repeat(4 * 1024 * 1024)}')`))).toBe(
      'BadRequestException: The request is larger than 4 MiB',
    );
  });

  test.each(
    firstOf(1, [
      'rds-data:ExecuteStatement',
      'rds-data:BeginTransaction',
      'rds-data:CommitTransaction',
      'rds-data:RollbackTransaction',
    ]),
  )('needs %s on the cluster', async (denied) => {
    const calls = async () => {
      await commit(await begin());
      await rollback(await begin());
      await execute('SELECT 1');
    };
    await calls();
    endpoint.allows = (action, resource) => !(action === denied && resource === CLUSTER_ARN);
    expect(await refusal(calls())).toBe(
      `AccessDeniedException: not authorized to perform: ${denied} on resource: ${CLUSTER_ARN} because no identity-based policy allows the ${denied} action`,
    );
  });

  test('needs the right to read the secret', async () => {
    endpoint.allows = (action, resource) => !(action === 'secretsmanager:GetSecretValue' && resource === SECRET_ARN);
    expect(await refusal(execute('SELECT 1'))).toMatch(
      /^AccessDeniedException: not authorized to perform: secretsmanager:GetSecretValue on resource: arn:/,
    );
  });

  test('is there on clusters that have it enabled, and on no T class', async () => {
    endpoint.writerClass = 'db.t4g.medium';
    expect(await refusal(execute('SELECT 1'))).toBe(
      "HttpEndpointNotEnabledException: HttpEndpoint isn't enabled for cluster shop",
    );
    endpoint.writerClass = 'db.r7g.large';
    await execute('SELECT 1');
    endpoint.enabled = false;
    expect(await refusal(execute('SELECT 1'))).toBe("HttpEndpointNotEnabledException: HttpEndpoint isn't enabled for cluster shop");
  });

  test('signs in with the password of the secret, which must be the right one', async () => {
    endpoint.secret = JSON.stringify({ ...server.master, password: 'wrong' });
    expect(await refusal(execute('SELECT 1'))).toBe(
      'DatabaseErrorException: FATAL: password authentication failed for user "postgres"; SQLState: 28P01',
    );
    endpoint.secret = 'no JSON';
    expect(await refusal(execute('SELECT 1'))).toBe(
      "InvalidSecretException: The Secrets Manager secret used with the request isn't valid.",
    );
  });

  test('lets no member of rds_iam in', async () => {
    await server.sql("CREATE ROLE iam LOGIN PASSWORD 'x'; GRANT rds_iam TO iam");
    endpoint.secret = JSON.stringify({ username: 'iam', password: 'x' });
    expect(await refusal(execute('SELECT 1'))).toBe(
      'DatabaseErrorException: FATAL: PAM authentication failed for user "iam"; SQLState: 28000',
    );
    await server.sql('DROP ROLE iam');
  });

  test('a cluster that is paused wakes up at the first call', async () => {
    server.pause({ resumeMilliseconds: 3_000 });
    expect(await refusal(execute('SELECT 1'))).toMatch(
      /^DatabaseResumingException: The Aurora DB instance .* is resuming after being auto-paused\. Please wait a few seconds and try again\.$/,
    );
    expect(await refusal(execute('SELECT 1'))).toContain('DatabaseResumingException');
    await server.awake();
    await execute('SELECT 1');
  });
});
