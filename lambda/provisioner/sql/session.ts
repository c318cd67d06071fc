/** Statements about a session itself: settings, lock and transaction. */

export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
/** In front of what is only read. */
export const READ_ONLY = 'SET TRANSACTION READ ONLY';
export const COMMIT = 'COMMIT';
export const ROLLBACK = 'ROLLBACK';

/** To come back to when something may fail, and when a message has failed. */
export const SAVEPOINT = { attempt: 'SAVEPOINT attempt', message: 'SAVEPOINT message' };
export const ROLLBACK_TO_SAVEPOINT = {
  attempt: 'ROLLBACK TO SAVEPOINT attempt',
  message: 'ROLLBACK TO SAVEPOINT message',
};
export const RELEASE_SAVEPOINT = 'RELEASE SAVEPOINT attempt';

/**
 * Around what the session of the lock asks while others work. Its transaction goes on for as long as an event does, and
 * PostgreSQL shows a transaction the sessions that it has seen at its first look. As text, because the Data API has no
 * type for nothing.
 *
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS
 */
export const BESIDE = {
  begin: 'SAVEPOINT beside',
  lookAgain: 'SELECT pg_catalog.pg_stat_clear_snapshot()::text',
  end: 'RELEASE SAVEPOINT beside',
  undo: 'ROLLBACK TO SAVEPOINT beside',
};

/** Milliseconds. */
export interface Timeouts {
  readonly lock_timeout?: number;
  readonly statement_timeout?: number;
  readonly idle_in_transaction_session_timeout?: number;
}

/** Until the end of the transaction. */
export function setTimeouts(timeouts: Timeouts): string {
  const settings = Object.entries(timeouts).map(([name, milliseconds]) =>
    setLocal(name, `${Math.ceil(milliseconds as number)}`),
  );
  return `SELECT ${[...settings, NO_TRANSACTION_TIMEOUT].join(', ')}`;
}

function setLocal(name: string, value: string): string {
  return `pg_catalog.set_config('${name}', '${value}', true)`;
}

/**
 * The parameter exists from PostgreSQL 17 on. The lock is held by a transaction that takes as long as the event does.
 */
const NO_TRANSACTION_TIMEOUT = `CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL THEN ${setLocal('transaction_timeout', '0')} END`;

/**
 * Parameters that apply from the first statement on, whatever is set for the role or the database. The table in
 * docs/security.md says what happens to all others.
 *
 * - A function in public, or of a user of the database, must not be taken for one of PostgreSQL's: the session has the
 *   rights of the admin.
 * - The session acts as the admin, and not as a role that it is a member of.
 * - Some notices are errors to us.
 * - Timeouts are the engine's. It sets others for each transaction.
 * - An error of a statement is one to come back from, and not the end of the session.
 * - What is read and created does not depend on the conventions of an application.
 */
export const SETTINGS: { readonly [parameter: string]: string } = {
  search_path: 'pg_catalog, pg_temp',
  role: 'none',
  client_min_messages: 'notice',
  statement_timeout: '15000',
  lock_timeout: '10000',
  idle_in_transaction_session_timeout: '30000',
  idle_session_timeout: '0',
  exit_on_error: 'off',
  standard_conforming_strings: 'on',
  quote_all_identifiers: 'off',
  default_tablespace: '',
  default_table_access_method: 'heap',
};

/** What the first statement of a pooled transaction says of it. */
export interface PooledTransaction {
  readonly pid: number;
  readonly isolation: string;
  readonly isReadOnly: boolean;
}

const LOCAL_SETTINGS = Object.entries({ application_name: 'cdk-aurora-iam-auth', ...SETTINGS })
  .map(([name, value]) => setLocal(name, value));

/**
 * The first statement of a transaction in a session that others have used. The settings are in force until the end of
 * the transaction. Nothing but functions, so that no operator of another role is taken for one of PostgreSQL's.
 *
 * @see parsePooledTransaction for what it gives
 */
export const SET_UP_TRANSACTION = "SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_backend_pid(), "
  + "pg_catalog.current_setting('default_transaction_read_only'), "
  + `pg_catalog.current_setting('transaction_isolation')), ${[...LOCAL_SETTINGS, NO_TRANSACTION_TIMEOUT].join(', ')}`;

export function parsePooledTransaction(answer: string): PooledTransaction {
  const [pid, readOnly, ...isolation] = answer.split(' ');
  return { pid: Number(pid), isReadOnly: readOnly === 'on', isolation: isolation.join(' ') };
}

/** With it, 16 and newer would make the admin an effective member of every role it creates. */
export const NO_SELF_GRANT = "SET LOCAL createrole_self_grant = ''";

/** Seconds: when the session has begun, and now. Nothing but functions here, too. */
export const SESSION_TIMES = `SELECT pg_catalog.concat_ws(' ', pg_catalog.date_part('epoch', backend_start),
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()))
  FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())`;
