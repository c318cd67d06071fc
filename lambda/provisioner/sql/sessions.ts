import { literal, textArray } from './quote';

/** Sessions of other roles: which there are, and how they are ended. */

/** Sessions of these roles, whether they still exist or not. */
export function sessionsOf(roleOids: string[]): string {
  return `
  SELECT a.pid, coalesce(a.usename::text, a.usesysid::text) AS role FROM pg_catalog.pg_stat_activity a
  WHERE a.usesysid = ANY (${textArray(roleOids)}::oid[]) AND a.pid <> pg_catalog.pg_backend_pid() ORDER BY a.pid`;
}

/**
 * Sessions that are being started. They are signed in or about to be, and nothing says as whom: until 17 they have a
 * lock on their own transaction and no row in pg_stat_activity, and from 18 on a row without a role. A client keeps one
 * there for as long as it wants: it may set post_auth_delay.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-developer.html#GUC-POST-AUTH-DELAY
 */
export const STARTING_SESSIONS = `
  SELECT DISTINCT l.pid FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
  WHERE l.pid IS NOT NULL AND l.locktype = 'virtualxid' AND a.usesysid IS NULL
    AND (a.pid IS NULL OR a.backend_type IS NULL OR a.backend_type = 'client backend') ORDER BY l.pid`;

/** Of processes that were seen before, those that are still being started. */
export function stillStarting(pids: number[]): string {
  return `SELECT s.pid FROM (${STARTING_SESSIONS}) s WHERE s.pid::text = ANY (${textArray(pids.map(String))})`;
}

/** Tells a session to end. Not in one statement for many: one that may not be ended fails it for all. */
export function endSession(pid: number): string {
  return `SELECT pg_catalog.pg_terminate_backend(${literal(String(pid))}::int) AS told`;
}

/** Roles that could act as one of these, directly or through others: not the admin, nor such as may make roles. */
export function membersOf(roleOids: string[]): string {
  return `
  WITH RECURSIVE walk(oid) AS (
    SELECT unnest(${textArray(roleOids)}::oid[])
    UNION SELECT m.member FROM walk w JOIN pg_catalog.pg_auth_members m ON m.roleid = w.oid
  )
  SELECT r.oid::text AS oid FROM walk w JOIN pg_catalog.pg_roles r USING (oid)
  WHERE r.rolname <> session_user AND NOT r.rolcreaterole AND NOT r.rolsuper
    AND r.oid <> ALL (${textArray(roleOids)}::oid[])`;
}

/**
 * Ends what a process waits for just now: sessions of these roles, and of any that may not make roles. They have
 * changed one of these roles in a transaction that they keep open, such as its password.
 */
export function endBlockersOf(pid: number, roleOids: string[]): string {
  return `
  SELECT pg_catalog.pg_terminate_backend(a.pid)
  FROM unnest(pg_catalog.pg_blocking_pids(${literal(String(pid))}::int)) b(pid)
  JOIN pg_catalog.pg_stat_activity a USING (pid)
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
  WHERE a.usesysid IS NOT NULL AND (a.usesysid = ANY (${textArray(roleOids)}::oid[])
    OR NOT coalesce(r.rolcreaterole OR r.rolsuper, false))`;
}
