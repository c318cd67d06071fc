import type { ManagingResource } from '../core/state';
import { actingAs, grantOptions, grantorOf } from './grantors';
import { AUTH_MEMBERS } from './memberships';
import { isOneOf, json, literal, textArray } from './quote';
import { insertWithoutRole } from './registry-rows';

/** Roles of the registry, by their oids. */
export interface RegisteredRoles {
  readonly managed: string[];
  /** Those that declare something in the database. */
  readonly inDatabase: string[];
}

/** The catalog about CONNECT of PUBLIC on a database: a `PublicState`, or no row. */
export function publicConnect(database: string, roles: RegisteredRoles): string {
  const from = `SELECT oid, datdba AS owner, coalesce(datacl, acldefault('d', datdba)) AS acl FROM pg_catalog.pg_database WHERE datname = ${literal(database)}`;
  return publicState('CONNECT', from, `r.rolcanlogin AND (NOT ${isManaged(roles)} OR ${needsDatabase(roles)})`);
}

/** The same of CREATE on schema `public` of the database of the session. */
export function publicCreate(roles: RegisteredRoles): string {
  const from
    = "SELECT oid, nspowner AS owner, coalesce(nspacl, acldefault('n', nspowner)) AS acl FROM pg_catalog.pg_namespace WHERE nspname = 'public'";
  const owns = [
    ['pg_class', 'relnamespace', 'relowner'],
    ['pg_proc', 'pronamespace', 'proowner'],
    ['pg_type', 'typnamespace', 'typowner'],
  ]
    .map(
      ([catalog, namespace, owner]) =>
        `EXISTS (SELECT FROM pg_catalog.${catalog} x WHERE x.${namespace} = o.oid AND x.${owner} = r.oid)`,
    )
    .join(' OR ');
  return publicState(
    'CREATE',
    from,
    `r.rolname !~ '^pg_' AND (${owns}
      OR r.rolcanlogin AND r.rolname !~ '^rds' AND NOT ${isManaged(roles)}
      AND has_database_privilege(r.oid, current_database(), 'CONNECT'))`,
  );
}

/**
 * A role of this library has what it declares, and relies on PUBLIC only where it declares something else in the
 * database.
 */
function isManaged({ managed }: RegisteredRoles): string {
  return `r.oid = ANY (${textArray(managed)}::oid[])`;
}

/**
 * It, or a role that it is a member of, declares something there, or owns or holds something in database o, such as
 * what was granted by hand; or it is a member of a predefined role, which is about all databases.
 */
function needsDatabase({ inDatabase }: RegisteredRoles): string {
  return `(EXISTS (SELECT FROM unnest(${textArray(inDatabase)}::oid[]) d WHERE pg_has_role(r.oid, d, 'MEMBER'))
    OR ${holdsSomethingIn('o.oid')}
      OR EXISTS (SELECT FROM pg_catalog.pg_roles g
        WHERE g.rolname ~ '^pg_' AND g.rolname <> 'pg_database_owner' AND pg_has_role(r.oid, g.oid, 'MEMBER')))`;
}

/** Whether role r, or one that it is a member of, owns or holds something in a database. */
function holdsSomethingIn(database: string): string {
  return `EXISTS (
        SELECT FROM (SELECT DISTINCT refobjid FROM pg_catalog.pg_shdepend
          WHERE dbid = ${database} AND refclassid = 'pg_catalog.pg_authid'::regclass) s
        WHERE pg_has_role(r.oid, s.refobjid, 'MEMBER'))`;
}

/** A user, and a database. */
export interface LockedOutUser {
  readonly role: string;
  readonly database: string;
}

/**
 * Users that cannot connect to databases in which they, or roles that they are members of, hold something or declare
 * it.
 */
export function lockedOutUsers(databases: string[], users: string[], declared: LockedOutUser[]): string {
  const isDeclared
    = declared
      .map(({ role, database }) => `r.rolname = ${literal(role)} AND d.datname = ${literal(database)}`)
      .join(' OR ') || 'false';
  return `
  SELECT r.rolname::text AS role, d.datname::text AS database FROM pg_catalog.pg_roles r
  CROSS JOIN pg_catalog.pg_database d
  WHERE ${isOneOf('d.datname', databases)} AND ${isOneOf('r.rolname', users)} AND r.rolcanlogin
    AND NOT has_database_privilege(r.oid, d.oid, 'CONNECT')
    AND (${isDeclared} OR ${holdsSomethingIn('d.oid')}) ORDER BY 1, 2`;
}

/** Databases to which the admin can connect through these roles only, with how to grant on them. */
export function connectsOnlyThrough(roles: string[], databases: string[]): string {
  return `
  WITH RECURSIVE me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
  walk(oid) AS (
    SELECT oid FROM me
    UNION
    SELECT g.oid FROM walk w JOIN ${AUTH_MEMBERS} m ON m.member = w.oid JOIN pg_catalog.pg_roles v ON v.oid = m.member
    JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
    WHERE coalesce(m.inherit_option, v.rolinherit) AND NOT ${isOneOf('g.rolname', roles)})
  SELECT d.datname::text AS database, ${actingAs('d.datdba', 'd.datdba')} AS "as",
         ${grantOptions('d.datdba', 'd.datacl')} AS options
  FROM pg_catalog.pg_database d CROSS JOIN me
  WHERE ${isOneOf('d.datname', databases)} AND has_database_privilege(d.oid, 'CONNECT') AND NOT EXISTS (
    SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    WHERE a.privilege_type = 'CONNECT' AND (a.grantee = 0 OR a.grantee IN (SELECT oid FROM walk)))
  ORDER BY 1`;
}

function publicState(privilege: string, from: string, relies: string): string {
  const { grantor, through } = grantorOf({
    grantor: 'a.grantor',
    privilege: 'a.privilege_type',
    owner: 'o.owner',
    acl: 'o.acl',
  });
  return `
  WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user), o AS (${from})
  SELECT
    o.oid::text AS oid,
    (SELECT coalesce(json_agg(json_build_object('by', CASE
      WHEN a.grantor <> o.owner THEN pg_get_userbyid(a.grantor)::text END,
                              'as', ${actingAs('a.grantor', 'o.owner')}, 'grantor', ${grantor}, 'through', ${through})
                                ORDER BY a.grantor), '[]')
     FROM aclexplode(o.acl) a WHERE a.grantee = 0 AND a.privilege_type = '${privilege}') AS held,
    json_build_object('as', ${actingAs('o.owner', 'o.owner')}, 'options', ${grantOptions('o.owner', 'o.acl')}) AS owner,
    (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'isAdmin', r.oid = me.oid) ORDER BY r.rolname), '[]')
     FROM pg_catalog.pg_roles r
     WHERE NOT r.rolsuper AND ${relies}
       AND NOT EXISTS (SELECT FROM aclexplode(o.acl) a
         WHERE a.grantee <> 0 AND a.privilege_type = '${privilege}'
           AND pg_has_role(r.oid, a.grantee, 'USAGE'))) AS relying
  FROM o CROSS JOIN me`;
}

export interface PublicRow extends ManagingResource {
  readonly resourceId: string;
  readonly physicalId: string;
  readonly database: string;
}

/** @param stored as it is stored */
export function writePublic({ database, ...row }: PublicRow, stored: unknown): string {
  return insertWithoutRole({ ...row, username: database }, json(stored), false);
}
