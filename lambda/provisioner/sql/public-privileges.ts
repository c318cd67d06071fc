import type { ManagingResource } from '../core/state';
import { actingAs, grantOptions, grantorOf } from './grantors';
import { json, literal, textArray } from './quote';
import { insertWithoutRole } from './registry-rows';

/** Roles of the registry, by their oids. */
export interface RegisteredRoles {
  readonly managed: string[];
  /** Those that declare something in the database. */
  readonly inDatabase: string[];
}

/** The catalog about CONNECT of PUBLIC on a database: a `PublicState`, or no row. */
export function publicConnect(database: string, roles: RegisteredRoles): string {
  const from = `SELECT datdba AS owner, coalesce(datacl, acldefault('d', datdba)) AS acl FROM pg_catalog.pg_database WHERE datname = ${literal(database)}`;
  return publicState('CONNECT', from, `r.rolcanlogin AND (NOT ${isManaged(roles)} OR ${needsDatabase(roles)})`);
}

/** The same of CREATE on schema `public` of the database of the session. */
export function publicCreate(roles: RegisteredRoles): string {
  const from = "SELECT oid, nspowner AS owner, coalesce(nspacl, acldefault('n', nspowner)) AS acl FROM pg_catalog.pg_namespace WHERE nspname = 'public'";
  const owns = [['pg_class', 'relnamespace', 'relowner'], ['pg_proc', 'pronamespace', 'proowner'], ['pg_type', 'typnamespace', 'typowner']]
    .map(([catalog, namespace, owner]) => `EXISTS (SELECT FROM pg_catalog.${catalog} x WHERE x.${namespace} = o.oid AND x.${owner} = r.oid)`).join(' OR ');
  return publicState('CREATE', from, `r.rolname !~ '^pg_' AND (${owns}
      OR r.rolcanlogin AND r.rolname !~ '^rds' AND NOT ${isManaged(roles)} AND has_database_privilege(r.oid, current_database(), 'CONNECT'))`);
}

/** A role of this library has what it declares, and relies on PUBLIC only where it declares something else in the database. */
function isManaged({ managed }: RegisteredRoles): string {
  return `r.oid = ANY (${textArray(managed)}::oid[])`;
}

/** It, or a role that it is a member of, declares something there; or it is a member of a predefined role, which is about all databases. */
function needsDatabase({ inDatabase }: RegisteredRoles): string {
  return `(EXISTS (SELECT FROM unnest(${textArray(inDatabase)}::oid[]) d WHERE pg_has_role(r.oid, d, 'MEMBER'))
      OR EXISTS (SELECT FROM pg_catalog.pg_roles g WHERE g.rolname ~ '^pg_' AND g.rolname <> 'pg_database_owner' AND pg_has_role(r.oid, g.oid, 'MEMBER')))`;
}

function publicState(privilege: string, from: string, relies: string): string {
  const { grantor, through } = grantorOf({ grantor: 'a.grantor', privilege: 'a.privilege_type', owner: 'o.owner', acl: 'o.acl' });
  return `
  WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user), o AS (${from})
  SELECT
    (SELECT coalesce(json_agg(json_build_object('by', CASE WHEN a.grantor <> o.owner THEN pg_get_userbyid(a.grantor)::text END,
                              'as', ${actingAs('a.grantor', 'o.owner')}, 'grantor', ${grantor}, 'through', ${through}) ORDER BY a.grantor), '[]')
     FROM aclexplode(o.acl) a WHERE a.grantee = 0 AND a.privilege_type = '${privilege}') AS held,
    json_build_object('as', ${actingAs('o.owner', 'o.owner')}, 'options', ${grantOptions('o.owner', 'o.acl')}) AS owner,
    (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'isAdmin', r.oid = me.oid) ORDER BY r.rolname), '[]')
     FROM pg_catalog.pg_roles r
     WHERE NOT r.rolsuper AND ${relies}
       AND NOT EXISTS (SELECT FROM aclexplode(o.acl) a WHERE a.grantee <> 0 AND a.privilege_type = '${privilege}' AND pg_has_role(r.oid, a.grantee, 'USAGE'))) AS relying
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
