/** Everything that is read from the database, with search_path = pg_catalog. Texts are the same for all supported majors. */

/** The schema of the registry, in the database every server has. */
export const REGISTRY_SCHEMA = 'cdk_aurora_iam_auth';

export const SERVER = `
  SELECT current_user::text AS admin, current_setting('server_version_num')::int AS version,
         EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam') AS "hasRdsIam"`;

/** By name in the catalog, not by to_regclass(): that may answer from before another session's commit. */
export const REGISTRY_EXISTS = `
  SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = '${REGISTRY_SCHEMA}' AND c.relname = 'managed_role') AS exists`;

export const CLAIMS = `
  SELECT m.stack, m.stack_id AS "stackId", m.logical_id AS "logicalId", m.role_oid::text AS "roleOid", r.rolname::text AS "roleName",
         m.resource_id AS "resourceId", m.username, m.declaration, m.disabled
  FROM ${REGISTRY_SCHEMA}.managed_role m LEFT JOIN pg_catalog.pg_roles r ON r.oid = m.role_oid
  ORDER BY m.stack, m.logical_id, m.role_oid`;

/** Whether any resource or kept role is left in the registry. */
export const REGISTRY_IN_USE = `SELECT EXISTS (SELECT FROM ${REGISTRY_SCHEMA}.managed_role) AS "inUse"`;

/** $1 names */
export const ROLES_BY_NAME = `
  SELECT rolname::text AS name, oid::text AS oid FROM pg_catalog.pg_roles WHERE rolname = ANY ($1::text[])`;

/**
 * $1 username. A membership that neither inherits nor can be set (16 and newer) is none. A NULL acl means the built-in default,
 * hence acldefault().
 */
export const ROLE = `
  SELECT r.rolcanlogin AS "canLogin",
         ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
               WHERE m.member = r.oid
                 AND (coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true) OR coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))
               GROUP BY 1 ORDER BY 1) AS "memberOf",
         ARRAY(SELECT jsonb_build_object('database', d.datname, 'privilege', a.privilege_type)
               FROM pg_catalog.pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
               WHERE a.grantee = r.oid GROUP BY d.datname, a.privilege_type ORDER BY d.datname, a.privilege_type) AS databases
  FROM pg_catalog.pg_roles r WHERE r.rolname = $1`;

/**
 * The path on which a role ($1) reaches rds_iam, if any. The option columns are missing on 15 and older and count as true
 * there. Skipped is the ADMIN-only edge that 16 and newer give the creator of a role: it passes nothing on.
 */
export const PATH_TO_RDS_IAM = `
  WITH RECURSIVE walk(oid, path) AS (
    SELECT oid, ARRAY[rolname::text] FROM pg_catalog.pg_roles WHERE rolname = $1
    UNION ALL
    SELECT m.roleid, w.path || g.rolname::text
    FROM walk w JOIN pg_catalog.pg_auth_members m ON m.member = w.oid JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
    WHERE NOT g.rolname = ANY (w.path)
      AND NOT (m.admin_option
               AND NOT coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
               AND NOT coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))
  )
  SELECT path FROM walk WHERE path[cardinality(path)] = 'rds_iam' LIMIT 1`;

/** $1 role oid */
export const SESSIONS = 'SELECT count(*)::int AS n FROM pg_catalog.pg_stat_activity WHERE usesysid = $1::text::oid';

/** Who holds the advisory lock ($1, $2) of this database, in words. */
export const LOCK_HOLDERS = `
  SELECT string_agg(format('pid %s (role %s, application %s, transaction open for %s)', l.pid, a.usename, a.application_name,
                           date_trunc('second', clock_timestamp() - a.xact_start)), ', ' ORDER BY l.pid) AS holders
  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = $1::bigint::oid AND l.objid = $2::bigint::oid
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`;
