/** Who holds the provisioners' lock, and who waits for it. */

type LockKey = readonly [number, number];

/** Whether a row l of pg_locks is about this advisory lock of this database. */
function isLock([classId, objectId]: LockKey): string {
  return `l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = ${classId}::bigint::oid AND l.objid = ${objectId}::bigint::oid
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`;
}

/**
 * What a session of a pool is called while it waits for the lock or holds it: it may be older than the event that it is for, so that its name says
 * when that came, in seconds since 1970.
 */
export const POOLED_APPLICATION = 'cdk-aurora-iam-auth since ';

/** When a waiter of pg_stat_activity a came, in the same seconds. */
const ARRIVAL = `coalesce(substring(a.application_name FROM '^${POOLED_APPLICATION}([0-9]{1,12}[.]?[0-9]{0,9})$')::numeric, extract(epoch FROM a.backend_start)::numeric)`;

/** Who holds the advisory lock of this database, so that another one is told from it, and in words. */
export function lockHolders(key: LockKey): string {
  return `
  SELECT string_agg(format('%s %s', l.pid, a.application_name), ', ' ORDER BY l.pid) AS who,
         string_agg(format('pid %s (role %s, application %s, connected for %s)', l.pid, a.usename, a.application_name,
                                  date_trunc('second', clock_timestamp() - a.backend_start)), ', ' ORDER BY l.pid) AS holders
  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
  WHERE ${isLock(key)} AND l.granted`;
}

/** Whether a role r of pg_roles has any business with the lock. */
const MAKES_ROLES = '(r.rolcreaterole OR r.rolsuper)';

/** How many wait for this lock who came before this session, but stand behind it by now: who looks who holds it loses its place. Anybody may say to have come early, and strangers are not let through. */
export function earlierWaiters(key: LockKey): string {
  return `
  SELECT count(*)::int AS earlier FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid) JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
  WHERE ${isLock(key)} AND NOT l.granted AND ${MAKES_ROLES}
    AND ${ARRIVAL} < (SELECT ${ARRIVAL} FROM pg_catalog.pg_stat_activity a WHERE pid = pg_catalog.pg_backend_pid())`;
}

/** Ends the sessions of those who hold this lock, or wait for it, and cannot make roles: it is no business of theirs. */
export function endStrangers(key: LockKey): string {
  return `
  SELECT pg_catalog.pg_terminate_backend(l.pid), a.usename::text AS role
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid) JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
  WHERE ${isLock(key)} AND NOT ${MAKES_ROLES}`;
}
