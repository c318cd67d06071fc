import { IN_RDS_IAM, WITH_TOKEN } from './memberships';
import { literal } from './quote';

/** Roles that are called like one, but for upper and lower case: more of them are no use to anyone. */
const MAX_ROLES = 10;

/**
 * Whose sessions these are, everyone may see; whether they are of clients, members of pg_read_all_stats alone. The one
 * that asks is gone by then.
 */
const SESSIONS = `SELECT count(*)::int FROM pg_catalog.pg_stat_activity a
    WHERE a.datid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'
      AND a.pid <> pg_backend_pid()`;

const limit = (max: string, sessions: string) => `json_build_object('max', ${max}, 'used', (${SESSIONS}${sessions}))`;

/** What decides whether a role can sign in to a database: names, attributes and numbers, and nothing else. */
export function signInFacts(username: string, database: string): string {
  return `
  WITH RECURSIVE ${IN_RDS_IAM},
  found AS (
    SELECT r.oid, r.rolname, r.rolcanlogin, r.rolsuper, r.rolconnlimit FROM pg_catalog.pg_roles r
    WHERE lower(r.rolname) = lower(${literal(username)}) ORDER BY r.rolname = ${literal(username)} DESC,
      r.rolname LIMIT ${MAX_ROLES})
  SELECT
    (SELECT coalesce(json_agg(json_build_object(
        'name', r.rolname, 'canLogIn', r.rolcanlogin, 'isInRdsIam', ${WITH_TOKEN},
        'isInRdsAd', EXISTS (SELECT FROM pg_catalog.pg_roles g
          WHERE g.rolname = 'rds_ad' AND NOT r.rolsuper AND pg_has_role(r.oid, g.oid, 'MEMBER')),
        'limit', ${limit('r.rolconnlimit', ' AND a.usesysid = r.oid')})), '[]') FROM found r) AS roles,
    (SELECT json_build_object(
        'allowsConnections', d.datallowconn, 'limit', ${limit('d.datconnlimit', ' AND a.datid = d.oid')},
        'mayConnect', (SELECT has_database_privilege(r.oid, d.oid, 'CONNECT') FROM found r
          WHERE r.rolname = ${literal(username)}))
      FROM pg_catalog.pg_database d WHERE d.datname = ${literal(database)} AND d.datconnlimit <> -2) AS database,
    ${limit(
      `current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0)`,
      '',
    )} AS server`;
}
