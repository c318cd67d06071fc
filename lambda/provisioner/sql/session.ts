/** Statements about a session itself: settings, lock and transaction. */

/** ('dbus', 1): whoever changes users of a server holds this lock in database postgres. */
export const LOCK_KEY = [1684174195, 1] as const;
export const LOCK = `SELECT pg_catalog.pg_advisory_lock(${LOCK_KEY.join(', ')})`;

export const UNLOCK = `SELECT pg_catalog.pg_advisory_unlock(${LOCK_KEY.join(', ')})`;

export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
export const COMMIT = 'COMMIT';
export const ROLLBACK = 'ROLLBACK';

/** To come back to when something may fail, and when a message has failed. */
export const SAVEPOINT = { attempt: 'SAVEPOINT attempt', message: 'SAVEPOINT message' };
export const ROLLBACK_TO_SAVEPOINT = { attempt: 'ROLLBACK TO SAVEPOINT attempt', message: 'ROLLBACK TO SAVEPOINT message' };
export const RELEASE_SAVEPOINT = 'RELEASE SAVEPOINT attempt';

/** Milliseconds. */
export interface Timeouts {
  readonly lock_timeout?: number;
  readonly statement_timeout?: number;
  readonly idle_in_transaction_session_timeout?: number;
  readonly idle_session_timeout?: number;
}

/** For the transaction that is open, or for the session. */
export function setTimeouts(timeouts: Timeouts, scope: 'transaction' | 'session'): string {
  const settings = Object.entries(timeouts).map(([name, milliseconds]) =>
    `pg_catalog.set_config('${name}', '${Math.ceil(milliseconds as number)}', ${scope === 'transaction'})`);
  return `SELECT ${settings.join(', ')}`;
}

/** With it, 16 and newer would make the admin an effective member of every role it creates. */
export const NO_SELF_GRANT = "SET LOCAL createrole_self_grant = ''";
