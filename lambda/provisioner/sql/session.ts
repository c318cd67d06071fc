import { POOLED_APPLICATION } from './lock-schema';
import { literal } from './quote';

/** Statements about a session itself: settings, lock and transaction. */

export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
export const COMMIT = 'COMMIT';
export const ROLLBACK = 'ROLLBACK';

/** To come back to when something may fail, and when a message has failed. */
export const SAVEPOINT = { attempt: 'SAVEPOINT attempt', message: 'SAVEPOINT message' };
export const ROLLBACK_TO_SAVEPOINT = { attempt: 'ROLLBACK TO SAVEPOINT attempt', message: 'ROLLBACK TO SAVEPOINT message' };
export const RELEASE_SAVEPOINT = 'RELEASE SAVEPOINT attempt';

/** Around what the session of the lock asks while others work. */
export const BESIDE = { begin: 'SAVEPOINT beside', end: 'RELEASE SAVEPOINT beside', undo: 'ROLLBACK TO SAVEPOINT beside' };

/** Milliseconds. */
export interface Timeouts {
  readonly lock_timeout?: number;
  readonly statement_timeout?: number;
  readonly idle_in_transaction_session_timeout?: number;
}

/** Until the end of the transaction. */
export function setTimeouts(timeouts: Timeouts): string {
  const settings = Object.entries(timeouts).map(([name, milliseconds]) =>
    `pg_catalog.set_config('${name}', '${Math.ceil(milliseconds as number)}', true)`);
  return `SELECT ${settings.join(', ')}`;
}

/** How long a transaction of a pooled session may be idle, and a statement of it take, until the engine says otherwise. */
const AT_FIRST: Timeouts = { statement_timeout: 15_000, idle_in_transaction_session_timeout: 30_000 };

/**
 * The first statement of a transaction in a session that others have used. Until its end, whatever they have set: functions are PostgreSQL's own, the role is the admin.
 * And the session says when the event came that it is for: `arrival`, or now. Nothing but functions, so that no operator of somebody else's is taken for one of PostgreSQL's.
 *
 * @returns a statement that gives the arrival, the process, and the isolation level, with spaces between
 */
export function setUpTransaction(arrival: string | undefined): string {
  const set = (name: string, value: string) => `pg_catalog.set_config('${name}', ${value}, true)`;
  const since = arrival === undefined ? "pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())" : literal(arrival);
  const application = `pg_catalog.replace(${set('application_name', `pg_catalog.concat('${POOLED_APPLICATION}', ${since})`)}, '${POOLED_APPLICATION}', '')`;
  return `SELECT pg_catalog.concat(${application}, ' ', pg_catalog.pg_backend_pid(), ' ', pg_catalog.current_setting('transaction_isolation')), `
    + [set('search_path', "'pg_catalog, pg_temp'"), set('role', "'none'"), ...Object.entries(AT_FIRST).map(([name, milliseconds]) => set(name, `'${milliseconds as number}'`))].join(', ');
}

/** With it, 16 and newer would make the admin an effective member of every role it creates. */
export const NO_SELF_GRANT = "SET LOCAL createrole_self_grant = ''";
