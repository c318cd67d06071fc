import { CAN_BE, HAS_OPTIONS } from './grantors';
import { isOneOf, textArray } from './quote';

/**
 * pg_auth_members with the options of 16 and newer, which are null on 15 and older: a name that is no column of the
 * inner table is looked for in the outer one.
 */
export const AUTH_MEMBERS = `(
      SELECT m.* FROM (SELECT NULL::boolean AS inherit_option, NULL::boolean AS set_option) missing
      CROSS JOIN LATERAL (SELECT roleid, member, grantor, admin_option, inherit_option, set_option
        FROM pg_catalog.pg_auth_members) m)`;

/**
 * With each membership, whether it passes anything on. The ADMIN-only one that 16 and newer give the creator of a role
 * does not. On PostgreSQL, `+role` of pg_hba.conf takes it for a membership even so; whether the login of RDS does is
 * not known.
 */
export const EDGES = `SELECT m.member, m.roleid, NOT (m.admin_option AND NOT coalesce(m.inherit_option, true) AND NOT coalesce(m.set_option, true)) FROM ${AUTH_MEMBERS} m`;

/**
 * For a WITH RECURSIVE: rds_iam and its members, themselves and through others; and with those who may be because they
 * have the ADMIN option alone.
 */
export const IN_RDS_IAM = `edge(member, roleid, effective) AS (${EDGES}),
  iam(oid) AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam'
    UNION SELECT e.member FROM iam i JOIN edge e ON e.roleid = i.oid AND e.effective),
  iam_or_admin(oid) AS (SELECT oid FROM iam UNION SELECT e.member FROM iam_or_admin i JOIN edge e ON e.roleid = i.oid)`;

/** Of a role r: whether it signs in with tokens; NULL if that is not known. */
export const WITH_TOKEN
  = 'CASE WHEN r.oid IN (SELECT oid FROM iam) THEN true WHEN r.oid NOT IN (SELECT oid FROM iam_or_admin) THEN false END';

/**
 * How the admin stands to roles that it may have to act as: whether it is one already, or can only SET ROLE to it, the
 * options of a membership that it granted to itself, and all it says in the catalog, to be compared with later.
 */
export function adminMemberships(roles: string[]): string {
  return `
  SELECT r.rolname::text AS role,
         CASE WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role(r.oid, 'USAGE')
           AND pg_has_role(r.oid, 'SET') ELSE pg_has_role(r.oid, 'MEMBER') END AS held,
         ${HAS_OPTIONS} AND ${CAN_BE('r.oid')} AND NOT pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') AS settable,
         (SELECT json_build_object('inherit', m.inherit_option, 'set', m.set_option) FROM ${AUTH_MEMBERS} m
          WHERE m.roleid = r.oid AND m.member = me.oid AND m.grantor = me.oid
            AND m.inherit_option IS NOT NULL) AS options,
         (SELECT json_agg(json_build_array(m.grantor, m.admin_option, m.inherit_option, m.set_option)
           ORDER BY m.grantor) FROM ${AUTH_MEMBERS} m
          WHERE m.roleid = r.oid AND m.member = me.oid) AS rows
  FROM pg_catalog.pg_roles r CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) me
  WHERE r.rolname = ANY (${textArray(roles)})`;
}

/**
 * The shortest path on which the role reaches rds_iam, if any. Skipped is the ADMIN-only edge that 16 and newer give
 * the creator of a role: it passes nothing on. Roles are walked by their distance, and not path by path: of paths there
 * may be very many, and users can make more of them.
 */
export function pathToRdsIam(role: string): string {
  return `
  WITH RECURSIVE edge(member, oid) AS (SELECT member, roleid FROM (${EDGES}) all_edges(member, roleid, effective)
    WHERE effective),
  walk(oid, distance) AS (
    SELECT oid, 0 FROM pg_catalog.pg_roles WHERE rolname = ${role}
    UNION
    SELECT edge.oid, walk.distance + 1 FROM walk JOIN edge ON edge.member = walk.oid),
  back(oid, distance, path) AS (
    (SELECT walk.oid, walk.distance, ARRAY[r.rolname::text] FROM walk JOIN pg_catalog.pg_roles r USING (oid)
     WHERE r.rolname = 'rds_iam' ORDER BY walk.distance LIMIT 1)
    UNION ALL
    SELECT before.oid, back.distance - 1, before.name || back.path FROM back CROSS JOIN LATERAL (
      SELECT walk.oid, r.rolname::text AS name
      FROM walk JOIN edge ON edge.member = walk.oid AND edge.oid = back.oid
      JOIN pg_catalog.pg_roles r ON r.oid = walk.oid
      WHERE walk.distance = back.distance - 1 ORDER BY r.rolname LIMIT 1) before)
  SELECT path FROM back WHERE distance = 0`;
}

/** Groups whose members are members of rds_iam through them. */
export const GROUPS_OF_RDS_IAM = `
  WITH RECURSIVE walk(oid) AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam'
    UNION SELECT m.member FROM walk w JOIN pg_catalog.pg_auth_members m ON m.roleid = w.oid
  )
  SELECT r.rolname::text AS name FROM walk w JOIN pg_catalog.pg_roles r USING (oid)
  WHERE EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = w.oid)`;

export const ADMIN_PATH_TO_RDS_IAM = pathToRdsIam('session_user');

/**
 * The memberships on all paths from the admin to rds_iam. Of PostgreSQL 14 and older, where each passes everything on;
 * each role and membership is looked at once, however many paths there are.
 */
export const LEADING_TO_RDS_IAM = `
  WITH RECURSIVE me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user),
  up(oid) AS (SELECT oid FROM me UNION SELECT m.roleid FROM up JOIN pg_catalog.pg_auth_members m ON m.member = up.oid),
  down(oid) AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam'
    UNION SELECT m.member FROM down JOIN pg_catalog.pg_auth_members m ON m.roleid = down.oid)
  SELECT g.rolname::text AS "group", v.rolname::text AS member, m.grantor = m.roleid AS "byItself",
         m.member = me.oid AND m.grantor <> me.oid AND gr.rolsuper IS NOT TRUE AS "isOfAdmin",
         m.grantor <> me.oid AND gr.rolsuper IS NOT TRUE AND m.grantor IN (SELECT oid FROM down) AS "byIamUser"
  FROM pg_catalog.pg_auth_members m JOIN up ON up.oid = m.member JOIN down ON down.oid = m.roleid CROSS JOIN me
  JOIN pg_catalog.pg_roles g ON g.oid = m.roleid JOIN pg_catalog.pg_roles v ON v.oid = m.member
  LEFT JOIN pg_catalog.pg_roles gr ON gr.oid = m.grantor
  ORDER BY 1, 2`;

/** Members of these roles, theirs and so on, that log in by other means than rds_iam. */
export function passwordMembers(roles: string[]): string {
  return `
  WITH RECURSIVE start AS (SELECT oid FROM pg_catalog.pg_roles WHERE ${isOneOf('rolname', roles)}),
  walk(oid) AS (
    SELECT oid FROM start
    UNION
    SELECT m.member FROM walk w JOIN ${AUTH_MEMBERS} m ON m.roleid = w.oid
    WHERE coalesce(m.inherit_option, true) OR coalesce(m.set_option, true))
  SELECT r.rolname::text AS member FROM walk w JOIN pg_catalog.pg_roles r USING (oid)
  WHERE w.oid NOT IN (SELECT oid FROM start) AND r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> session_user
    AND NOT pg_has_role(r.oid, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam'), 'MEMBER') ORDER BY 1`;
}
