import { isOneOf, literal } from './quote';

const OF_ROLE = "s.refclassid = 'pg_catalog.pg_authid'::regclass";
const DATABASE = '(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())';

/** In this database alone. */
export const HERE_ONLY = `${OF_ROLE} AND s.dbid = ${DATABASE}`;

/** In this database and of the server. */
const HERE = `${OF_ROLE} AND s.dbid IN (0, ${DATABASE})`;

/**
 * Whether a row s of pg_shdepend is about something that the role owns. PostgreSQL counts two more as owned that are
 * about the role itself, and that it can hand over to no other: default privileges of what it creates, and user
 * mappings, with which it signs in to foreign servers.
 *
 * @see https://www.postgresql.org/docs/current/sql-reassign-owned.html
 */
export const OWNED
  = "s.deptype = 'o' AND s.classid NOT IN ('pg_catalog.pg_default_acl'::regclass, 'pg_catalog.pg_user_mapping'::regclass)";

/** What the role owns in this database, and what it owns of the server. */
export function ownedObjects(role: string): string {
  return `
  SELECT FROM pg_catalog.pg_shdepend s
  WHERE s.refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)}) AND ${HERE} AND ${OWNED}`;
}

/**
 * The roles on which anything here depends, whether that is something they own, and the foreign servers that they have
 * user mappings for. Options of these, such as passwords, are not asked for.
 *
 * @param shared with what all databases of the server share
 */
export function dependencies(roles: string[], { shared }: { readonly shared: boolean }): string {
  return `
  SELECT r.rolname::text AS role, bool_or(${OWNED}) AS owns,
         (SELECT string_agg(quote_ident(m.srvname), ', ' ORDER BY m.srvname) FROM pg_catalog.pg_user_mappings m
           WHERE m.umuser = r.oid) AS mappings
  FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
  WHERE ${shared ? HERE : HERE_ONLY} AND ${isOneOf('r.rolname', roles)} GROUP BY r.oid, r.rolname ORDER BY r.rolname`;
}

/**
 * How many objects roles own, here and everywhere, and whether anything else here depends on them beside what they have
 * been granted: policies, default privileges and user mappings of their own, memberships they have granted.
 */
export function owned(roles: string[]): string {
  return `
  SELECT r.rolname::text AS role, count(*) FILTER (WHERE ${OWNED})::int AS everywhere,
         count(*) FILTER (WHERE ${OWNED} AND s.dbid = ${DATABASE})::int AS here,
         bool_or(s.dbid = ${DATABASE} AND s.deptype <> 'a' AND NOT (${OWNED})) AS depended
  FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
  WHERE ${OF_ROLE} AND ${isOneOf('r.rolname', roles)} GROUP BY 1 ORDER BY 1`;
}

/** What the role owns, counted by database and kind. Details only the database itself knows. */
export function ownedCounts(role: string): string {
  return `
  SELECT string_agg(format('%s %s in %s', n, what, place), ', ' ORDER BY place, what) AS owned FROM (
    SELECT count(*) AS n, CASE s.classid WHEN 'pg_class'::regclass THEN 'tables, views and sequences'
      WHEN 'pg_proc'::regclass THEN 'functions'
             WHEN 'pg_namespace'::regclass THEN 'schemas' WHEN 'pg_type'::regclass THEN 'types'
             WHEN 'pg_database'::regclass THEN 'databases'
             WHEN 'pg_largeobject'::regclass THEN 'large objects' ELSE substr(s.classid::regclass::text, 4) END AS what,
           coalesce('database ' || quote_ident(d.datname), 'the server') AS place
    FROM pg_catalog.pg_shdepend s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
    WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass
      AND s.refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)})
      AND ${OWNED}
    GROUP BY 2, 3) o`;
}
