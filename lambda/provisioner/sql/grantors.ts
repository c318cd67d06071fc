/**
 * Who has granted something, and as whom the admin can grant it or take it back. Expressions for queries of the
 * catalogs.
 */

/**
 * As PostgreSQL sees it when it chooses a grantor: a superuser has all rights of the owner, and uses no grant option.
 */
export const inherits = (role: string) =>
  `(NOT current_setting('is_superuser')::boolean AND pg_has_role(${role}, 'USAGE'))`;

/**
 * Whether the admin may have granted it: itself, as the owner, or with the grant option of any role that it inherits
 * from.
 *
 * @see https://www.postgresql.org/docs/current/sql-grant.html
 */
export function isOurs(grantor: string, owner: string): string {
  return `(${grantor} IN (me.oid, ${owner}) OR ${inherits(grantor)})`;
}

/**
 * The owner with whose rights something is granted, or taken back that was granted with them. Null: the admin itself
 * will do, the grantor is another role, or it is a superuser, whose rights are out of reach. pg_database_owner can have
 * no members; the owner of the database has its rights.
 */
export function actingAs(grantor: string, owner: string): string {
  return `CASE WHEN ${grantor} = me.oid OR (${grantor} = ${owner} AND pg_has_role(${owner}, 'USAGE')) THEN NULL
               WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = ${grantor}) THEN NULL
               WHEN pg_get_userbyid(${grantor}) = 'pg_database_owner'
               THEN (SELECT pg_get_userbyid(datdba) FROM pg_catalog.pg_database
                 WHERE datname = current_database())::text
               WHEN ${grantor} = ${owner} THEN pg_get_userbyid(${grantor})::text END`;
}

/** An entry of an access control list, and the list that PostgreSQL chooses a grantor from. */
interface Entry {
  readonly grantor: string;
  readonly privilege: string;
  readonly owner: string;
  readonly acl: string;
}

/**
 * Whether PostgreSQL may choose another grantor than this one for the admin, which inherits from several roles with the
 * grant option. It takes the first that has it, and the admin itself before all others.
 */
function hasRival({ grantor, privilege, owner, acl }: Entry): string {
  return `(${grantor} <> ${owner} AND ${inherits(owner)} OR EXISTS (
                 SELECT FROM aclexplode(${acl}) x
                 WHERE x.is_grantable AND x.privilege_type = ${privilege} AND x.grantee NOT IN (${grantor}, ${owner})
                   AND ${inherits('x.grantee')}))`;
}

/**
 * As `grantor`, the role that something is taken back as, because it has granted it and PostgreSQL would not choose it;
 * as `through`, the role that PostgreSQL chooses, so that what others have granted is taken back by another statement.
 */
export function grantorOf(entry: Entry): { grantor: string; through: string } {
  const { grantor, owner } = entry;
  const isOutOfReach = `pg_get_userbyid(${grantor}) = 'pg_database_owner' OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = ${grantor})`;
  const isChosen = `${grantor} = me.oid OR ${inherits(grantor)} AND NOT (${hasRival(entry)} AND ${CAN_BE(grantor)})`;
  return {
    grantor: `CASE WHEN ${isOutOfReach} OR ${isChosen} OR ${grantor} = ${owner} AND NOT ${hasRival(entry)} THEN NULL ELSE pg_get_userbyid(${grantor})::text END`,
    through: `CASE WHEN ${grantor} <> ${owner} AND (${isChosen}) THEN pg_get_userbyid(${grantor})::text END`,
  };
}

/**
 * As in server_version_num: from 16 on a membership has options of its own, and CREATEROLE is not enough to become a
 * member.
 */
const OPTIONS_SINCE = 160000;
export const HAS_OPTIONS = `current_setting('server_version_num')::int >= ${OPTIONS_SINCE}`;

/** Whether the admin can SET ROLE to a role that it is a member of. */
export const CAN_BE = (role: string) =>
  `CASE WHEN ${HAS_OPTIONS} THEN pg_has_role(${role}, 'SET') ELSE pg_has_role(${role}, 'MEMBER') END`;

/**
 * Whether the admin can use the rights of a role that it does not inherit from: as a member of it, or by becoming one.
 */
export const CAN_BECOME = (role: string) => `(${CAN_BE(role)} OR pg_has_role(${role}, 'MEMBER WITH ADMIN OPTION')
                 OR NOT ${HAS_OPTIONS} AND (SELECT rolcreaterole FROM pg_catalog.pg_roles WHERE oid = me.oid)
                 AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = ${role}))`;

/** What the admin can grant on something without the rights of its owner. Null where it has them, or can have them. */
export function grantOptions(owner: string, acl: string, table?: string): string {
  const ofColumns = table === undefined
    ? ''
    : `UNION ALL SELECT c.attname::text, x.* FROM pg_catalog.pg_attribute c CROSS JOIN LATERAL aclexplode(c.attacl) x
       WHERE c.attrelid = ${table} AND c.attacl IS NOT NULL AND NOT c.attisdropped`;
  return `CASE WHEN NOT (pg_has_role(${owner}, 'USAGE') OR ${CAN_BECOME(owner)}) THEN (
    SELECT coalesce(jsonb_agg(jsonb_build_object('privilege', privilege, 'column', attname, 'through', through)
                              ORDER BY privilege, attname NULLS FIRST, through NULLS FIRST), '[]')
    FROM (
      SELECT x.privilege_type AS privilege, attname,
             CASE WHEN x.grantee <> me.oid THEN pg_get_userbyid(x.grantee)::text END AS through
      FROM (SELECT NULL::text AS attname, x.* FROM aclexplode(${acl}) x ${ofColumns}) x
      WHERE x.is_grantable AND ${inherits('x.grantee')}) held_by_admin) END`;
}
