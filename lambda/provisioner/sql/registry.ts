import { Owner } from '../state';
import { json, literal } from './quote';

/** Which CloudFormation resource manages which role: a table in database postgres, the admin's alone. */

export const REGISTRY_SCHEMA = 'cdk_aurora_iam_auth';
const TABLE = `${REGISTRY_SCHEMA}.managed_role`;

/** By name in the catalog, not by to_regclass(): that may answer from before another session's commit. */
export const REGISTRY_EXISTS = `
  SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = '${REGISTRY_SCHEMA}' AND c.relname = 'managed_role') AS exists`;

export const CLAIMS = `
  SELECT m.stack, m.stack_id AS "stackId", m.logical_id AS "logicalId", m.role_oid::text AS "roleOid", r.rolname::text AS "roleName",
         m.resource_id AS "resourceId", m.username, m.declarations, m.released
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
  readonly username: string;
  readonly declarations: unknown[];
  readonly released?: boolean;
}

export function insert(rows: RegistryRow[]): string {
  const values = rows.map(({ roleOid, stack, stackId, logicalId, resourceId, username, declarations, released = false }) =>
    ({ roleOid, stack, stackId, logicalId, resourceId, username, declarations, released }));
  return `
  INSERT INTO ${TABLE} (role_oid, username, stack, stack_id, logical_id, resource_id, declarations, released)
  SELECT r.oid, n."username", n."stack", n."stackId", n."logicalId", n."resourceId", n."declarations", n."released"
  FROM jsonb_to_recordset(${json(values)})
    AS n("roleOid" text, "stack" text, "stackId" text, "logicalId" text, "resourceId" text, "username" text, "declarations" jsonb, "released" boolean)
  JOIN pg_catalog.pg_roles r ON CASE WHEN n."roleOid" IS NULL THEN r.rolname = n."username" ELSE r.oid = n."roleOid"::oid END
  ON CONFLICT (role_oid, stack, logical_id) DO UPDATE
  SET username = excluded.username, stack_id = excluded.stack_id, resource_id = excluded.resource_id, declarations = excluded.declarations, released = excluded.released`;
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
  return `DELETE FROM ${TABLE} m USING ${keysOf(keys)} WHERE ${SAME_KEY}`;
}

/** Keeps a role on record whose resource is gone, so that the next resource of that name can have it. */
export function release(keys: RegistryKey[]): string {
  return `UPDATE ${TABLE} m SET released = true FROM ${keysOf(keys)} WHERE ${SAME_KEY}`;
}

export function setDeclarations({ roleOid, stack, logicalId }: RegistryKey, declarations: unknown[]): string {
  return `UPDATE ${TABLE} SET declarations = ${json(declarations)}
          WHERE role_oid = ${literal(roleOid)}::oid AND stack = ${literal(stack)} AND logical_id = ${literal(logicalId)}`;
}

const SAME_KEY = 'm.role_oid = k."roleOid"::oid AND m.stack = k."stack" AND m.logical_id = k."logicalId"';

function keysOf(keys: RegistryKey[]): string {
  const values = keys.map(({ roleOid, stack, logicalId }) => ({ roleOid, stack, logicalId }));
  return `jsonb_to_recordset(${json(values)}) AS k("roleOid" text, "stack" text, "logicalId" text)`;
}
