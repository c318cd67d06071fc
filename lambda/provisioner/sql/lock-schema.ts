import { identifier, literal } from './quote';
import { createSchema, REGISTRY_SCHEMA } from './registry';

/**
 * Mutual exclusion of provisioners: a lock on an empty schema. An advisory lock can be taken by anyone, and a table be
 * locked by a member of pg_write_all_data; COMMENT ON SCHEMA waits for its lock like any other statement, but only an
 * owner of the schema keeps it.
 */

export const LOCK_SCHEMA = 'cdk_aurora_iam_auth_lock';

/** Of the lock that COMMENT takes. Each conflicts with itself. */
const MODE = 'ShareUpdateExclusiveLock';

/** Takes the lock until the end of the transaction. There is no comment, so nothing is written. */
export const TAKE_LOCK = `COMMENT ON SCHEMA ${LOCK_SCHEMA} IS NULL`;

/** @param owner a role of which the admin is a member; the admin itself if there is none */
export function createLock(owner: string | undefined): string {
  return createSchema(LOCK_SCHEMA, owner);
}

/** Default privileges may have granted something. */
export function revokeOnLock(grantees: string[]): string[] {
  return grantees.map(
    grantee => `REVOKE ALL ON SCHEMA ${LOCK_SCHEMA} FROM ${grantee === '' ? 'PUBLIC' : identifier(grantee)} CASCADE`,
  );
}

/** Whatever is found in the schema is not ours, and then it stays. */
export const DROP_LOCK = `DROP SCHEMA IF EXISTS ${LOCK_SCHEMA} RESTRICT`;

/** Leaves the database as it was where nothing is managed. */
export const DROP_LOCK_WITHOUT_REGISTRY = `DO ${literal(`
  BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '${REGISTRY_SCHEMA}') THEN
      ${DROP_LOCK};
    END IF;
  END`)}`;

/**
 * Whose the lock is, who else was granted something on the schema ('' is PUBLIC), and what identifies the lock that
 * this transaction holds. By name in the catalog, so that it is there also if the schema is not.
 */
export const LOCK_FACTS = `
  SELECT pg_get_userbyid(n.nspowner)::text AS owner,
         ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee) END::text
               FROM aclexplode(n.nspacl) a WHERE a.grantee <> n.nspowner) AS grantees,
         pg_catalog.pg_backend_pid() AS pid, n.oid::text AS schema,
         (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())::text AS database
  FROM (VALUES (1)) one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = '${LOCK_SCHEMA}'`;

/** The lock of one holder. */
export interface HeldLock {
  readonly pid: number;
  /** Oids. */
  readonly schema: string;
  readonly database: string;
}

/**
 * Fails with 22012 (division by zero) unless the lock is still held: right before a commit, it keeps what was done
 * without the lock from being committed.
 */
export function fence({ pid, schema, database }: HeldLock): string {
  return `SELECT 1 / count(*)::int AS held FROM pg_catalog.pg_locks l
  WHERE l.pid = ${literal(String(pid))}::int AND l.granted
    AND ${isLock(`${literal(schema)}::oid`, `${literal(database)}::oid`)}`;
}

/** Whether a row l of pg_locks is about a schema. */
function isLock(schema: string, database: string): string {
  return `l.locktype = 'object' AND l.classid = 'pg_catalog.pg_namespace'::regclass AND l.objsubid = 0
    AND l.mode = '${MODE}'
    AND l.objid = ${schema} AND l.database = ${database}`;
}

const THIS_LOCK = isLock(
  `(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = '${LOCK_SCHEMA}')`,
  '(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())',
);

/** How many wait for the lock that can have it. Others may ask for it as well, and get nothing but an error. */
const WAITING = `(
  SELECT count(*) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
  JOIN pg_catalog.pg_namespace n ON n.oid = l.objid
  WHERE ${THIS_LOCK} AND NOT l.granted AND pg_has_role(a.usesysid, n.nspowner, 'USAGE'))`;

/**
 * How many connections of the admin to this database are free: on the server, and where these are limited, of the role
 * and the database.
 */
const FREE = `least(
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0) - (SELECT count(*)
      FROM pg_catalog.pg_stat_activity WHERE datid IS NOT NULL),
  (SELECT rolconnlimit - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE usesysid = r.oid)
    FROM pg_catalog.pg_roles r
   WHERE rolname = session_user AND rolconnlimit >= 0),
  (SELECT datconnlimit - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datid = d.oid)
    FROM pg_catalog.pg_database d
   WHERE datname = current_database() AND datconnlimit >= 0))`;

/**
 * Fails with 22012 (division by zero) if too many wait already: half as many as there are free connections. One may
 * always wait.
 */
export const MAY_WAIT = `SELECT 1 / CASE WHEN w.n = 0 OR 2 * w.n < ${FREE} THEN 1 ELSE 0 END FROM (SELECT ${WAITING} AS n) w`;

/** A process in words. Dropped roles have no name. */
const SESSION = `format('pid %s (role %s, application %s, connected for %s)', p.pid,
  coalesce(a.usename::text, a.usesysid::text, 'not known'),
  quote_ident(left(a.application_name, 60)), coalesce(date_trunc('second', clock_timestamp() - a.backend_start)::text,
    'not known'))`;

/** Prepared transactions have no process; there is no telling which of them it is. */
const PREPARED = `(SELECT coalesce(string_agg(format('prepared transaction %s (role %s, database %s)',
  quote_literal(left(x.gid, 60)), x.owner, x.database), ', ' ORDER BY x.gid),
  'a prepared transaction') FROM (SELECT * FROM pg_catalog.pg_prepared_xacts ORDER BY prepared LIMIT 5) x)`;

/**
 * Who holds the lock and since when it is idle or at work, so that a holder who does something is told from one that is
 * dead; and in words.
 */
export const LOCK_HOLDERS = `
  SELECT string_agg(format('%s %s', p.pid, a.state_change), ', ' ORDER BY p.pid) AS who,
         string_agg(CASE WHEN p.pid IS NULL THEN ${PREPARED} ELSE ${SESSION} END, ', ' ORDER BY p.pid) AS holders
  FROM (SELECT l.pid FROM pg_catalog.pg_locks l WHERE ${THIS_LOCK} AND l.granted) p
  LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)`;

/** What a session waits for just now: each process or prepared transaction in words. */
export function blockers(pid: number): string {
  return `
  SELECT CASE WHEN p.pid = 0 THEN ${PREPARED} ELSE ${SESSION} END AS blocker
  FROM (SELECT DISTINCT pid FROM unnest(pg_catalog.pg_blocking_pids(${literal(String(pid))}::int)) b(pid)
    ORDER BY pid LIMIT 5) p
  LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)`;
}
