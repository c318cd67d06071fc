import type { ManagingResource } from '../core/state';
import { json, literal, readableLiteral, textArray } from './quote';
import { ONLY_TABLE, REGISTRY_SCHEMA, REGISTRY_TABLE } from './registry';

/** The rows of the registry: reading, writing and forgetting them, and the end of a registry that has none. */

/**
 * As the oid of a row that is about no role: the creation of a resource was cancelled, or it revokes privileges from
 * PUBLIC.
 */
export const NO_ROLE = '0';

/** What an event has to say of its resource: when CloudFormation has sent it. */
export interface Stamp extends ManagingResource {
  readonly sent: string;
}

export const CLAIMS = `
  SELECT m.stack, m.stack_id AS "stackId", m.logical_id AS "logicalId", m.role_oid::text AS "roleOid",
         r.rolname::text AS "roleName",
         m.resource_id AS "resourceId", m.physical_id AS "physicalId", m.username, m.declarations, m.released,
         (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now
  FROM ${ONLY_TABLE} m LEFT JOIN pg_catalog.pg_roles r ON r.oid = m.role_oid
  ORDER BY m.stack, m.logical_id, m.role_oid`;

/** In the rows of the resource, unless a later event is there. */
export function stamp({ stack, stackId, logicalId, sent }: Stamp): string {
  return `
  UPDATE ${ONLY_TABLE} SET declarations = declarations || ${json({ sent })}
  WHERE role_oid <> ${NO_ROLE} AND stack = ${literal(stack)} AND stack_id = ${literal(stackId)}
    AND logical_id = ${literal(logicalId)} AND NOT released
    AND jsonb_typeof(declarations) = 'object' AND coalesce(declarations ->> 'sent', '') COLLATE "C" < ${literal(sent)}`;
}

/**
 * Notes that the creation of a resource was cancelled.
 *
 * @param sent when the Delete was sent; if that is not known, it is any time up to some seconds from now
 */
export function cancel(
  { stack, stackId, logicalId }: ManagingResource,
  resourceId: string,
  username: string,
  sent: string | undefined,
): string {
  const time = sent === undefined ? later(`${UNKNOWN_DELETE_SECONDS} seconds`) : literal(sent);
  const declarations = `jsonb_build_object('format', 1, 'sent', ${time})`;
  return insertWithoutRole({ stack, stackId, logicalId, resourceId, physicalId: '', username }, declarations, true);
}

/** A row of a resource that is about no role of its own. @param declarations SQL */
export function insertWithoutRole(
  { stack, stackId, logicalId, resourceId, physicalId, username }: Omit<RegistryRow, 'declarations'>,
  declarations: string,
  released: boolean,
): string {
  const texts = [stack, stackId, logicalId, resourceId, physicalId, username].map(literal).join(', ');
  return `
  INSERT INTO ${REGISTRY_TABLE} (role_oid, stack, stack_id, logical_id, resource_id, physical_id, username,
    declarations, released)
  VALUES (${NO_ROLE}, ${texts}, ${declarations}, ${released})
  ON CONFLICT (role_oid, stack, logical_id) DO UPDATE SET stack_id = excluded.stack_id,
  resource_id = excluded.resource_id, physical_id = excluded.physical_id,
    username = excluded.username, declarations = excluded.declarations, released = excluded.released`;
}

/**
 * A Create that begins by then is taken for the one that was cancelled, if no time is known: a Lambda function in a VPC
 * starts and connects within this time.
 */
const UNKNOWN_DELETE_SECONDS = 20;

/**
 * So long an event may be late, and more:
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
 */
const CANCELLED_KEPT = '-1 day';

function later(interval: string): string {
  return `to_char(clock_timestamp() AT TIME ZONE 'UTC' + interval '${interval}', ${literal('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')})`;
}

/**
 * Names that the registered roles have or are declared to have, and those of the roles that declarations name. Many
 * rows name the same roles: these are looked up once, for a lookup in each row would take the square of the time.
 */
export const REGISTERED_NAMES = `
  WITH named(role) AS MATERIALIZED (
    SELECT DISTINCT o.value FROM ${ONLY_TABLE} m
    CROSS JOIN LATERAL jsonb_path_query(m.declarations, '$.identities.roles[*]') o(value))
  SELECT username FROM ${ONLY_TABLE} UNION SELECT r.rolname::text FROM ${ONLY_TABLE} m
  JOIN pg_catalog.pg_roles r ON r.oid = m.role_oid
  UNION SELECT role ->> 'name' FROM named UNION SELECT r.rolname::text FROM named
    JOIN pg_catalog.pg_roles r ON r.oid::text = role ->> 'oid'`;

/** A row to write. Without an oid the role is the one that has the name then. */
export interface RegistryRow extends ManagingResource {
  readonly roleOid?: string;
  readonly resourceId: string;
  readonly physicalId: string;
  readonly username: string;
  /** As they are stored. */
  readonly declarations: unknown;
  readonly released?: boolean;
}

/** What many rows have in common is sent once. */
export function insert(rows: RegistryRow[]): string {
  const groups = grouped(
    rows,
    ({ stack, stackId, logicalId, resourceId, physicalId, declarations, released = false }) => ({
      stack,
      stackId,
      logicalId,
      resourceId,
      physicalId,
      declarations,
      released,
    }),
  );
  const values = groups.map(([shared, rows]) => ({
    ...shared,
    roles: rows.map(({ roleOid, username }) => ({ roleOid, username })),
  }));
  return `
  INSERT INTO ${REGISTRY_TABLE} (role_oid, username, stack, stack_id, logical_id, resource_id, physical_id,
    declarations, released)
  SELECT r.oid, n."username", g."stack", g."stackId", g."logicalId", g."resourceId", g."physicalId", g."declarations",
         g."released"
  FROM jsonb_to_recordset(${json(values)})
    AS g("stack" text, "stackId" text, "logicalId" text, "resourceId" text, "physicalId" text, "declarations" jsonb,
      "released" boolean, "roles" jsonb)
  CROSS JOIN LATERAL jsonb_to_recordset(g."roles") AS n("roleOid" text, "username" text)
  CROSS JOIN LATERAL (
    SELECT oid FROM pg_catalog.pg_roles WHERE n."roleOid" IS NULL AND rolname = n."username"::name
    UNION ALL SELECT oid FROM pg_catalog.pg_roles WHERE oid = n."roleOid"::oid) r
  ON CONFLICT (role_oid, stack, logical_id) DO UPDATE
  SET username = excluded.username, stack_id = excluded.stack_id, resource_id = excluded.resource_id,
  physical_id = excluded.physical_id, declarations = excluded.declarations, released = excluded.released`;
}

/** Roles that were dropped by hand, and cancellations that no event can be as late for. */
const FORGET_DROPPED = `
  DELETE FROM ${ONLY_TABLE} WHERE CASE role_oid WHEN ${NO_ROLE} THEN released
    AND coalesce(declarations ->> 'sent', '') COLLATE "C" < ${later(CANCELLED_KEPT)}
                                               ELSE NOT EXISTS (SELECT FROM pg_catalog.pg_roles
                                                 WHERE oid = role_oid) END`;

/**
 * Drops the registry if nothing but roles that are gone is registered. Nothing happens where there is none. It stays
 * where another session reads it for longer, such as that of pg_dump, or where something depends on it: an empty one
 * does no harm.
 */
export const DROP_UNUSED_REGISTRY = `DO ${literal(`
  BEGIN
    IF pg_catalog.to_regclass('${REGISTRY_TABLE}') IS NOT NULL THEN
      ${FORGET_DROPPED};
      IF NOT EXISTS (SELECT FROM ${ONLY_TABLE}) THEN
        BEGIN
          DROP TABLE ${REGISTRY_TABLE};
          DROP SCHEMA ${REGISTRY_SCHEMA};
        EXCEPTION WHEN lock_not_available OR dependent_objects_still_exist THEN
          NULL;
        END;
      END IF;
    END IF;
  END`)}`;

/** The row of a resource for a role. */
export interface RegistryKey {
  readonly roleOid: string;
  readonly stack: string;
  readonly logicalId: string;
}

export function forget(keys: RegistryKey[]): string {
  return `DELETE FROM ${ONLY_TABLE} WHERE ${isOneOf(keys)}`;
}

/** Keeps a role registered whose resource is gone, so that the next resource of that name can have it. */
export function release(keys: RegistryKey[]): string {
  return `UPDATE ${ONLY_TABLE} SET released = true WHERE ${isOneOf(keys)}`;
}

/** @param declarations as they are stored */
export function setDeclarations(key: RegistryKey, declarations: unknown): string {
  return `UPDATE ${ONLY_TABLE} SET declarations = ${json(declarations)} WHERE ${isOneOf([key])}`;
}

/** Notes of roles whether sessions are left that may act as a group of which they are members no more. */
export function noteSessions(roleOids: string[], left: boolean): string {
  const declarations = left ? `declarations || ${json({ endSessions: true })}` : "declarations - 'endSessions'";
  return `
  UPDATE ${ONLY_TABLE} SET declarations = ${declarations}
  WHERE role_oid = ANY (${textArray(roleOids)}::oid[]) AND jsonb_typeof(declarations) = 'object'`;
}

/** For people: to delete a row. */
export function deleteRow({ roleOid, stack, logicalId }: RegistryKey): string {
  return `DELETE FROM ${REGISTRY_TABLE} WHERE ${row({ roleOid, stack, logicalId })}`;
}

/** For people: to have a row say that nothing is known of what was granted. */
export function grantedNothingKnown(key: RegistryKey, format: number): string {
  return `UPDATE ${REGISTRY_TABLE} SET declarations = '{"format": ${format}, "declarations": []}' WHERE ${row(key)}`;
}

function row({ roleOid, stack, logicalId }: RegistryKey): string {
  return `role_oid = ${readableLiteral(roleOid)} AND stack = ${readableLiteral(stack)} AND logical_id = ${readableLiteral(logicalId)}`;
}

function isOneOf(keys: RegistryKey[]): string {
  const conditions = grouped(keys, ({ stack, logicalId }) => ({ stack, logicalId })).map(
    ([{ stack, logicalId }, keys]) =>
      `stack = ${literal(stack)} AND logical_id = ${literal(logicalId)} AND role_oid = ANY (${textArray(keys.map(({ roleOid }) => roleOid))}::oid[])`,
  );
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
