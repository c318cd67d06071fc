import { PATIENCE_MS } from '../../lambda/provisioner/budget';
import { failureOf, tooLarge, TransactionLost } from '../../lambda/provisioner/transport/data-api/errors';
import { ProvisionError, ServerError } from '../../lambda/provisioner/errors';
import { CURSOR, firstPage, isFull } from '../../lambda/provisioner/transport/data-api/pieces';
import { parsePooledTransaction, SET_UP_TRANSACTION, SETTINGS } from '../../lambda/provisioner/sql/session';

const ARN = 'arn:aws:rds:eu-west-1:111111111111:cluster:shop';

const exception = (name: string, message: string, httpStatusCode: number | undefined) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });

describe('an exception of the Data API', () => {
  // The first three, and 25P02, are said to be from AWS.
  test.each<[string, string, string, object]>([
    ['ERROR: relation "a" does not exist; Position: 15; SQLState: 42P01', 'relation "a" does not exist', '42P01', {}],
    ['ERROR: operator does not exist: integer = text; Hint: No operator matches. You might need casts.; Position: 36; SQLState: 42883',
      'operator does not exist: integer = text', '42883', { hint: 'No operator matches. You might need casts.' }],
    ['ERROR: duplicate key value violates unique constraint "pg_authid_rolname_index"\n  Detail: Key (rolname)=(a) already exists.; SQLState: 23505',
      'duplicate key value violates unique constraint "pg_authid_rolname_index"', '23505',
      { detail: 'Key (rolname)=(a) already exists.', constraint: 'pg_authid_rolname_index' }],
    ['ERROR: current transaction is aborted, commands ignored until end of transaction block; SQLState: 25P02',
      'current transaction is aborted, commands ignored until end of transaction block', '25P02', {}],
    ['ERROR: role "a; SQLState: 1" cannot be dropped; Detail: 1 object in database shop\n2 objects in database stock; SQLState: 2BP01',
      'role "a; SQLState: 1" cannot be dropped', '2BP01',
      { detail: '1 object in database shop\n2 objects in database stock' }],
    ['FATAL: database "a" does not exist; SQLState: 3D000', 'database "a" does not exist', '3D000', {}],
    ['FATAL: password authentication failed for user "a"', 'password authentication failed for user "a"', '28P01', {}],
  ])('%s is an error of the server', (message, said, sqlState, fields) => {
    for (const name of ['DatabaseErrorException', 'BadRequestException']) {
      const error = failureOf(exception(name, message, 400), ARN) as ServerError;
      expect(error).toBeInstanceOf(ServerError);
      expect([error.message, error.sqlState, JSON.parse(JSON.stringify(error.fields))]).toEqual([
        said,
        sqlState,
        fields,
      ]);
    }
  });

  test('of a statement that took too long is the one of the server', () => {
    expect(failureOf(exception('StatementTimeoutException', 'Request timed out', 400), ARN)).toMatchObject({
      sqlState: '57014',
    });
  });

  test.each<[string, string, number | undefined, boolean]>([
    ['TransactionNotFoundException', 'Transaction AXx isn\'t found. Transaction may be expired.', 404, true],
    ['BadRequestException', 'Transaction AXx is not found', 400, true],
    ['DatabaseErrorException', 'Transaction is still running a query', 400, false],
    ['TimeoutError', 'The operation was aborted due to timeout', undefined, false],
  ])('%s: %s has lost its transaction', (name, message, status, isGone) => {
    const error = failureOf(exception(name, message, status), ARN);
    expect(error).toBeInstanceOf(TransactionLost);
    expect(error).toMatchObject({ message: `${name}: ${message}`, isGone });
  });

  test.each<[string, string, number, number, string]>([
    ['DatabaseResumingException', 'x is resuming after being auto-paused.', 400, 120_000,
      'it was paused (Aurora Serverless v2) and should have resumed by now; deploy again'],
    ['ThrottlingException', 'Rate exceeded', 400, PATIENCE_MS,
      'there are too many calls in this account and Region at the same time; deploy again'],
    ['Whatever', 'slow down', 429, PATIENCE_MS,
      'there are too many calls in this account and Region at the same time; deploy again'],
    ['DatabaseNotFoundException', 'no instance', 404, PATIENCE_MS,
      'check that the cluster has a writer, and that it is available; a secondary cluster of a global database has none'],
    ['InternalFailure', 'UnknownError', 500, PATIENCE_MS,
      'check that the cluster has a writer, and that it is available; a secondary cluster of a global database has none'],
    ['BadRequestException', "HttpEndpoint isn't enabled for cluster shop", 400, 20_000,
      'enable the Data API of the cluster (EnableHttpEndpoint), or, if the cluster was renamed since, disable and enable it again; T classes, older engines and some Regions have none'],
    ['BadRequestException', 'the secret is not there', 400, 0,
      'check that the secret of the admin exists in this Region, that its key can be used, and that it is a JSON object with a username and a password'],
    ['UnsupportedResultException', 'Database response exceeded size limit', 400, 0,
      'declare less at once, or create the users from the VPC: leave transport out'],
    ['ValidationException', 'no', 400, 0, 'the message says why'],
  ])('%s (%s, %i) is tried again for %i ms, and says what to do', (name, message, status, retryUntil, remedy) => {
    const error = failureOf(exception(name, message, status), ARN) as ProvisionError;
    expect([error.message, error.retryUntil]).toEqual([
      `cannot use the Data API of ${ARN}: ${name}: ${message}; ${remedy}`,
      retryUntil,
    ]);
  });

  test('a statement that does not fit into a call is told', () => {
    expect(tooLarge(5_000_000, 4_000_000).message).toBe(
      'a statement of 5000000 bytes is more than the 4000000 that fit into a call of the Data API; declare less at once, or create the users from the VPC: leave transport out',
    );
  });
});

describe('the SQL of a pooled session', () => {
  test('an answer that fills a page is asked for page by page', () => {
    expect([15, 16].map(length => isFull(Array.from({ length })))).toEqual([false, true]);
    expect(firstPage('SELECT 1')).toMatch(/LIMIT 16$/);
    expect([CURSOR.open('SELECT 1'), CURSOR.next, CURSOR.close]).toEqual([
      expect.stringMatching(/^DECLARE answer NO SCROLL CURSOR FOR\s/) as string,
      'FETCH 16 FROM answer',
      'CLOSE answer',
    ]);
  });

  test('sets what it needs until the end of the transaction, with nothing but functions of PostgreSQL', () => {
    expect(SET_UP_TRANSACTION).toMatch(new RegExp([
      "^SELECT pg_catalog\\.concat_ws\\(' ', pg_catalog\\.pg_backend_pid\\(\\), pg_catalog\\.current_setting\\('default_transaction_read_only'\\), pg_catalog\\.current_setting\\('transaction_isolation'\\)\\)",
      "(, pg_catalog\\.set_config\\('[a-z_]+', '[^']*', true\\))+",
      ", CASE WHEN pg_catalog\\.current_setting\\('transaction_timeout', true\\) IS NOT NULL THEN pg_catalog\\.set_config\\('transaction_timeout', '0', true\\) END$",
    ].join('')));
    for (const [name, value] of Object.entries({ ...SETTINGS, application_name: 'cdk-aurora-iam-auth' })) {
      expect(SET_UP_TRANSACTION).toContain(`pg_catalog.set_config('${name}', '${value}', true)`);
    }
    expect(SETTINGS).toMatchObject({ search_path: 'pg_catalog, pg_temp', role: 'none' });
    expect(parsePooledTransaction('4711 off read committed')).toEqual({
      pid: 4711,
      isReadOnly: false,
      isolation: 'read committed',
    });
    expect(parsePooledTransaction('4711 on serializable')).toEqual({
      pid: 4711,
      isReadOnly: true,
      isolation: 'serializable',
    });
  });
});
