import { Owner } from '../state';
import { json, literal, textArray } from './quote';

/** Which CloudFormation resource manages which role: a table in database postgres, the admin's alone. */

export const REGISTRY_SCHEMA = 'cdk_aurora_iam_auth';
const TABLE = `${REGISTRY_SCHEMA}.managed_role`;

/**
 * Whether it is there, and whose it is if it is not the admin's: to read a view of somebody else would be to run that one's
 * functions with the rights of the admin. By name in the catalog, not by to_regclass(): that may answer from before another session's commit.
 */
export const REGISTRY = `
  SELECT c.oid IS NOT NULL AS exists,
         CASE WHEN NOT ${isAdmins('n.nspowner')} THEN pg_get_userbyid(n.nspowner)
              WHEN NOT ${isAdmins('c.relowner')} OR c.relkind <> 'r' THEN pg_get_userbyid(c.relowner) END::text AS foreign
  FROM (SELECT oid, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) me
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = '${REGISTRY_SCHEMA}'
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'managed_role'`;

function isAdmins(owner: string): string {
  return `(${owner} = me.oid OR NOT me.rolsuper AND pg_has_role(${owner}, 'USAGE'))`;
}

export const CLAIMS = `
  SELECT m.stack, m.stack_id AS "stackId", m.logical_id AS "logicalId", m.role_oid::text AS "roleOid", r.rolname::text AS "roleName",
         m.resource_id AS "resourceId", m.physical_id AS "physicalId", m.username, m.declarations, m.released
  FROM ${TABLE} m LEFT JOIN pg_catalog.pg_roles r ON r.oid = m.role_oid
  ORDER BY m.stack, m.logical_id, m.role_oid`;

/** Names that the roles on record have or are declared to have. */
export const REGISTERED_NAMES = `
  SELECT username FROM ${TABLE} UNION SELECT r.rolname::text FROM ${TABLE} m JOIN pg_catalog.pg_roles r ON r.oid = m.role_oid`;

export const CREATE_REGISTRY = [
  `CREATE SCHEMA ${REGISTRY_SCHEMA}`,
  `COMMENT ON SCHEMA ${REGISTRY_SCHEMA} IS 'cdk-aurora-iam-auth: which CloudFormation resource manages which role'`,
  `CREATE TABLE ${TABLE} (
    role_oid oid NOT NULL,
    stack text NOT NULL,
    stack_id text NOT NULL,
    logical_id text NOT NULL,
    resource_id text NOT NULL,
    physical_id text NOT NULL,
    username text NOT NULL,
    declarations jsonb NOT NULL,
    released boolean NOT NULL DEFAULT false,
    PRIMARY KEY (role_oid, stack, logical_id))`,
];

export const DROP_REGISTRY = [`DROP TABLE ${TABLE}`, `DROP SCHEMA ${REGISTRY_SCHEMA}`];

/** Whether any resource or kept role is left in the registry. */
export const REGISTRY_IN_USE = `SELECT EXISTS (SELECT FROM ${TABLE}) AS "inUse"`;

/** A row to write. Without an oid the role is the one that has the name then. */
export interface RegistryRow extends Owner {
  readonly roleOid?: string;
  readonly resourceId: string;
  readonly physicalId: string;
  readonly username: string;
  readonly declarations: unknown[];
  readonly released?: boolean;
}

/** What many rows have in common is sent once. */
export function insert(rows: RegistryRow[]): string {
  const groups = grouped(rows, ({ stack, stackId, logicalId, resourceId, physicalId, declarations, released = false }) =>
    ({ stack, stackId, logicalId, resourceId, physicalId, declarations, released }));
  const values = groups.map(([shared, rows]) => ({ ...shared, roles: rows.map(({ roleOid, username }) => ({ roleOid, username })) }));
  return `
  INSERT INTO ${TABLE} (role_oid, username, stack, stack_id, logical_id, resource_id, physical_id, declarations, released)
  SELECT r.oid, n."username", g."stack", g."stackId", g."logicalId", g."resourceId", g."physicalId", g."declarations", g."released"
  FROM jsonb_to_recordset(${json(values)})
    AS g("stack" text, "stackId" text, "logicalId" text, "resourceId" text, "physicalId" text, "declarations" jsonb, "released" boolean, "roles" jsonb)
  CROSS JOIN LATERAL jsonb_to_recordset(g."roles") AS n("roleOid" text, "username" text)
  CROSS JOIN LATERAL (
    SELECT oid FROM pg_catalog.pg_roles WHERE n."roleOid" IS NULL AND rolname = n."username"::name
    UNION ALL SELECT oid FROM pg_catalog.pg_roles WHERE oid = n."roleOid"::oid) r
  ON CONFLICT (role_oid, stack, logical_id) DO UPDATE
  SET username = excluded.username, stack_id = excluded.stack_id, resource_id = excluded.resource_id, physical_id = excluded.physical_id, declarations = excluded.declarations, released = excluded.released`;
}

/** Roles that were dropped by hand. */
export const FORGET_DROPPED = `
  DELETE FROM ${TABLE} WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE oid = role_oid)`;

/** The row of a resource for a role. */
export interface RegistryKey {
  readonly roleOid: string;
  readonly stack: string;
  readonly logicalId: string;
}

export function forget(keys: RegistryKey[]): string {
  return `DELETE FROM ${TABLE} WHERE ${isOneOf(keys)}`;
}

/** Keeps a role on record whose resource is gone, so that the next resource of that name can have it. */
export function release(keys: RegistryKey[]): string {
  return `UPDATE ${TABLE} SET released = true WHERE ${isOneOf(keys)}`;
}

export function setDeclarations(key: RegistryKey, declarations: unknown[]): string {
  return `UPDATE ${TABLE} SET declarations = ${json(declarations)} WHERE ${isOneOf([key])}`;
}

function isOneOf(keys: RegistryKey[]): string {
  const conditions = grouped(keys, ({ stack, logicalId }) => ({ stack, logicalId })).map(([{ stack, logicalId }, keys]) =>
    `stack = ${literal(stack)} AND logical_id = ${literal(logicalId)} AND role_oid = ANY (${textArray(keys.map(({ roleOid }) => roleOid))}::oid[])`);
  return conditions.join(' OR ') || 'false';
}

/** Items that have a part in common, with that part. */
function grouped<Item, Part>(items: Item[], partOf: (item: Item) => Part): [Part, Item[]][] {
  const groups = new Map<string, [Part, Item[]]>();
  for (const item of items) {
    const part = partOf(item);
    const key = JSON.stringify(part);
    const group = groups.get(key) ?? [part, []];
    group[1].push(item);
    groups.set(key, group);
  }
  return [...groups.values()];
}
