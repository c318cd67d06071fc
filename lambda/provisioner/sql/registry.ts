import type { ManagingResource } from '../core/state';
import { identifier, json, literal, readableLiteral, textArray } from './quote';

/** Which CloudFormation resource manages which role: a table in database postgres that belongs to the admin, or to a group role that the deployment names. */

export const REGISTRY_SCHEMA = 'cdk_aurora_iam_auth';
export const REGISTRY_TABLE = `${REGISTRY_SCHEMA}.managed_role`;

/** Without tables that inherit from it: its owner can make one at any time, with triggers that would run with the rights of the admin. */
const ONLY_TABLE = `ONLY ${REGISTRY_TABLE}`;

interface Column {
  readonly name: string;
  readonly type: 'oid' | 'text' | 'jsonb' | 'bool';
  readonly default?: string;
}

const COLUMNS: Column[] = [
  { name: 'role_oid', type: 'oid' },
  ...['stack', 'stack_id', 'logical_id', 'resource_id', 'physical_id', 'username'].map((name): Column => ({ name, type: 'text' })),
  { name: 'declarations', type: 'jsonb' },
  { name: 'released', type: 'bool', default: 'false' },
];
const KEY = ['role_oid', 'stack', 'logical_id'];

/** What others have added to a registry: it could run their code with the rights of the admin, or let them change what is stored. */
export type RegistryFault
  = 'owner missing' | 'owner not held' | 'schema owner' | 'table owner' | 'schema grantee' | 'table grantee' | 'column grantee' | 'object' | 'kind' | 'column'
    | 'constraint' | 'index' | 'trigger' | 'rule' | 'policy' | 'forced' | 'parent' | 'child' | 'statistics';

/** Row of `registry()`. */
export interface RegistryFacts {
  readonly exists: boolean;
  /** Whether it has row-level security: without, a member of pg_write_all_data can write to it. */
  readonly secured: boolean;
  /** Empty: it is as this library makes it. The name is null for PUBLIC. */
  readonly faults: { readonly fault: RegistryFault; readonly name: string | null }[];
  /** Who gets privileges on new tables and schemas by default. Null: PUBLIC. */
  readonly defaultGrantees: (string | null)[];
  readonly owner: string;
}

/**
 * The registry as the catalogs have it, in one row. Nothing in it waits for a lock on the table, as pg_get_expr() does. By name in the catalog, not by to_regclass(): that may answer from before another session's commit.
 *
 * @param owner the role that is to own it, if not the admin
 */
export function registry(owner: string | undefined): string {
  return `WITH ${shape(owner)}
  SELECT EXISTS (SELECT FROM t) AS exists, EXISTS (SELECT FROM t WHERE relrowsecurity) AS secured,
         (SELECT coalesce(json_agg(f), '[]') FROM f) AS faults,
         (SELECT coalesce(json_agg(DISTINCT ${nameOf('a.grantee')}), '[]') FROM pg_catalog.pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a
          WHERE d.defaclrole IN (SELECT oid FROM o UNION ALL SELECT oid FROM me) AND d.defaclobjtype IN ('r', 'n') AND d.defaclnamespace = 0
            AND a.grantee <> d.defaclrole) AS "defaultGrantees",
         (SELECT name FROM o) AS owner`;
}

/**
 * For a transaction that works with the registry of a role with other members, who may change it between two looks at it: holds it as it is until the
 * end of the transaction, and fails with 22012 if it is not as it has to be. The GRANT changes nothing, and keeps the schema from being renamed.
 */
export function holdRegistry(owner: string): string[] {
  return [
    END_REGISTRY_LOCKERS,
    `GRANT USAGE ON SCHEMA ${REGISTRY_SCHEMA} TO ${identifier(owner)}`,
    `LOCK TABLE ${ONLY_TABLE} IN ROW EXCLUSIVE MODE`,
    requireRegistry(owner),
  ];
}

/** Fails with 22012 if it is not as it has to be. */
function requireRegistry(owner: string | undefined): string {
  return `WITH ${shape(owner)} SELECT 1 / CASE WHEN EXISTS (SELECT FROM f) OR NOT EXISTS (SELECT FROM t) THEN 0 ELSE 1 END AS held`;
}

/**
 * What can be in a schema: catalog, its column for the schema, and what the table brings along. Not by pg_depend: any role can make a view that
 * depends on a schema.
 */
const IN_SCHEMAS: [catalog: string, namespace: string, isOurs?: string][] = [
  ['pg_class', 'relnamespace', 'x.oid = t.table_oid OR x.oid IN (SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = t.table_oid)'],
  ['pg_type', 'typnamespace', 't.reltype IN (x.oid, x.typelem)'],
  ['pg_proc', 'pronamespace'],
  ['pg_operator', 'oprnamespace'],
  ['pg_opclass', 'opcnamespace'],
  ['pg_opfamily', 'opfnamespace'],
  ['pg_collation', 'collnamespace'],
  ['pg_conversion', 'connamespace'],
  ['pg_statistic_ext', 'stxnamespace'],
];

/**
 * Ends the sessions that hold or wait for a lock which keeps others from using the registry. A member of pg_write_all_data may take one. Sessions
 * of its owner, of members of the owner and of roles that create roles are left alone.
 */
export const END_REGISTRY_LOCKERS = `
  SELECT pg_catalog.pg_terminate_backend(l.pid)
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'managed_role'
  JOIN pg_catalog.pg_database d ON d.datname = current_database()
  JOIN pg_catalog.pg_locks l ON l.locktype = 'relation' AND l.database = d.oid AND l.relation = c.oid
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
  WHERE n.nspname = '${REGISTRY_SCHEMA}' AND NOT r.rolcreaterole AND NOT r.rolsuper AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')
    AND pg_has_role(current_user, 'pg_signal_backend', 'USAGE')`;

function nameOf(role: string): string {
  return `CASE WHEN ${role} = 0 THEN NULL ELSE pg_get_userbyid(${role})::text END`;
}

/** me, o: the owner that it is to have, n: schema, t: table, f: faults. */
function shape(owner: string | undefined): string {
  const ofTable = (fault: RegistryFault, name: string, from: string, condition: string) =>
    `UNION ALL SELECT '${fault}', ${name}::text FROM t JOIN ${from} ON ${condition}`;
  const grantees = (fault: RegistryFault, acl: string, from: string) =>
    `UNION ALL SELECT DISTINCT '${fault}', ${nameOf('a.grantee')} FROM ${from} CROSS JOIN LATERAL aclexplode(${acl}) a
    WHERE a.grantee NOT IN (SELECT oid FROM o WHERE oid IS NOT NULL UNION ALL SELECT oid FROM me)`;
  const others = IN_SCHEMAS.map(([catalog, namespace, isOurs]) =>
    `UNION ALL SELECT 'object', pg_describe_object('pg_catalog.${catalog}'::regclass, x.oid, 0) FROM n JOIN pg_catalog.${catalog} x ON x.${namespace} = n.oid
      ${isOurs === undefined ? '' : `AND NOT EXISTS (SELECT FROM t WHERE ${isOurs})`}`);
  const columns = COLUMNS.map(({ name, type, default: value }, index) => `(${index + 1}, '${name}', 'pg_catalog.${type}'::regtype, ${value !== undefined})`);
  const key = KEY.map(name => COLUMNS.findIndex(column => column.name === name) + 1).join(' ');
  return `
  me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
  o AS (
    SELECT wanted.name::text AS name, r.oid FROM (SELECT ${owner === undefined ? 'current_user' : `${literal(owner)}::name`} AS name) wanted
    LEFT JOIN pg_catalog.pg_roles r ON r.rolname = wanted.name),
  n AS (SELECT * FROM pg_catalog.pg_namespace WHERE nspname = '${REGISTRY_SCHEMA}'),
  t AS (SELECT c.*, c.oid AS table_oid FROM pg_catalog.pg_class c JOIN n ON c.relnamespace = n.oid WHERE c.relname = 'managed_role'),
  wanted_column(num, name, type, value) AS (VALUES ${columns.join(', ')}),
  found_column AS (
    SELECT a.*, d.adbin::text AS value FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.table_oid AND a.attnum > 0
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum),
  f(fault, name) AS (
    SELECT 'owner missing', name FROM o WHERE oid IS NULL
    UNION ALL SELECT 'owner not held', o.name FROM o WHERE oid IS NOT NULL AND NOT pg_has_role(o.oid, 'USAGE')
    UNION ALL SELECT 'schema owner', pg_get_userbyid(n.nspowner)::text FROM n JOIN o ON n.nspowner <> o.oid
    UNION ALL SELECT 'table owner', pg_get_userbyid(t.relowner)::text FROM t JOIN o ON t.relowner <> o.oid
    ${grantees('schema grantee', 'n.nspacl', 'n')}
    ${grantees('table grantee', 't.relacl', 't')}
    ${grantees('column grantee', 'found_column.attacl', 'found_column')}
    ${others.join(' ')}
    UNION ALL SELECT 'kind', t.relkind::text FROM t LEFT JOIN pg_catalog.pg_am am ON am.oid = t.relam
      WHERE t.relkind <> 'r' OR t.relpersistence <> 'p' OR t.relispartition OR t.reloftype <> 0 OR am.amname IS DISTINCT FROM 'heap'
    UNION ALL SELECT 'column', coalesce(c.attname::text, w.name) FROM wanted_column w FULL JOIN found_column c ON c.attnum = w.num
      WHERE EXISTS (SELECT FROM t) AND (c.attname IS DISTINCT FROM w.name::name OR c.atttypid <> w.type OR NOT c.attnotnull
        OR coalesce(c.value, '') NOT LIKE CASE WHEN w.value THEN ${literal('{CONST :consttype 16 %')} ELSE '' END
        OR c.attidentity <> '' OR c.attgenerated <> '' OR c.attcollation NOT IN (0, 100) OR c.attinhcount <> 0)
    ${ofTable('constraint', 'c.conname', 'pg_catalog.pg_constraint c', "c.conrelid = t.table_oid AND c.contype NOT IN ('p', 'n')")}
    ${ofTable('index', 'i.indexrelid::regclass', 'pg_catalog.pg_index i', `i.indrelid = t.table_oid
      AND NOT (i.indisprimary AND i.indkey::text = '${key}' AND i.indisvalid AND i.indimmediate)`)}
    UNION ALL SELECT 'index', 'managed_role' FROM t WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = t.table_oid)
    ${ofTable('trigger', 'g.tgname', 'pg_catalog.pg_trigger g', 'g.tgrelid = t.table_oid')}
    ${ofTable('rule', 'r.rulename', 'pg_catalog.pg_rewrite r', 'r.ev_class = t.table_oid')}
    ${ofTable('policy', 'p.polname', 'pg_catalog.pg_policy p', 'p.polrelid = t.table_oid')}
    UNION ALL SELECT 'forced', NULL FROM t WHERE t.relforcerowsecurity
    ${ofTable('parent', 'i.inhparent::regclass', 'pg_catalog.pg_inherits i', 'i.inhrelid = t.table_oid')}
    ${ofTable('child', 'i.inhrelid::regclass', 'pg_catalog.pg_inherits i', 'i.inhparent = t.table_oid')}
    ${ofTable('statistics', 's.stxname', 'pg_catalog.pg_statistic_ext s', 's.stxrelid = t.table_oid')})`;
}

/** As the oid of a row that is about no role: the creation of a resource was cancelled. */
export const NO_ROLE = '0';

/** What an event has to say of its resource: when CloudFormation has sent it. */
export interface Stamp extends ManagingResource {
  readonly sent: string;
}

export const CLAIMS = `
  SELECT m.stack, m.stack_id AS "stackId", m.logical_id AS "logicalId", m.role_oid::text AS "roleOid", r.rolname::text AS "roleName",
         m.resource_id AS "resourceId", m.physical_id AS "physicalId", m.username, m.declarations, m.released,
         (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now
  FROM ${ONLY_TABLE} m LEFT JOIN pg_catalog.pg_roles r ON r.oid = m.role_oid
  ORDER BY m.stack, m.logical_id, m.role_oid`;

/** In the rows of the resource, unless a later event is there. */
export function stamp({ stack, stackId, logicalId, sent }: Stamp): string {
  return `
  UPDATE ${ONLY_TABLE} SET declarations = declarations || ${json({ sent })}
  WHERE role_oid <> ${NO_ROLE} AND stack = ${literal(stack)} AND stack_id = ${literal(stackId)} AND logical_id = ${literal(logicalId)} AND NOT released
    AND jsonb_typeof(declarations) = 'object' AND coalesce(declarations ->> 'sent', '') COLLATE "C" < ${literal(sent)}`;
}

/**
 * Notes that the creation of a resource was cancelled.
 *
 * @param sent when the Delete was sent; if that is not known, it is any time up to some seconds from now
 */
export function cancel({ stack, stackId, logicalId }: ManagingResource, resourceId: string, username: string, sent: string | undefined): string {
  const time = sent === undefined ? later(`${UNKNOWN_DELETE_SECONDS} seconds`) : literal(sent);
  return `
  INSERT INTO ${REGISTRY_TABLE} (role_oid, stack, stack_id, logical_id, resource_id, physical_id, username, declarations, released)
  VALUES (${NO_ROLE}, ${literal(stack)}, ${literal(stackId)}, ${literal(logicalId)}, ${literal(resourceId)}, '', ${literal(username)},
    jsonb_build_object('format', 1, 'sent', ${time}), true)
  ON CONFLICT (role_oid, stack, logical_id) DO UPDATE SET stack_id = excluded.stack_id, resource_id = excluded.resource_id, username = excluded.username, declarations = excluded.declarations`;
}

/** A Create that begins by then is taken for the one that was cancelled, if no time is known: a Lambda function in a VPC starts and connects within this time. */
const UNKNOWN_DELETE_SECONDS = 20;

/** So long an event may be late, and more: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html */
const CANCELLED_KEPT = '-1 day';

function later(interval: string): string {
  return `to_char(clock_timestamp() AT TIME ZONE 'UTC' + interval '${interval}', ${literal('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')})`;
}

/** Names that the roles on record have or are declared to have, and those of the roles that declarations name. */
export const REGISTERED_NAMES = `
  SELECT username FROM ${ONLY_TABLE} UNION SELECT r.rolname::text FROM ${ONLY_TABLE} m JOIN pg_catalog.pg_roles r ON r.oid = m.role_oid
  UNION SELECT o.value #>> '{}' FROM ${ONLY_TABLE} m CROSS JOIN LATERAL jsonb_path_query(m.declarations, '$.identities.roles[*].name') o(value)
  UNION SELECT r.rolname::text FROM ${ONLY_TABLE} m CROSS JOIN LATERAL jsonb_path_query(m.declarations, '$.identities.roles[*].oid') o(value)
        JOIN pg_catalog.pg_roles r ON r.oid::text = o.value #>> '{}'`;

export interface NewRegistry {
  /** The role that is to own it, if not the admin. */
  readonly owner: string | undefined;
  /** The owner, whichever it is. */
  readonly ownerName: string;
  /** As `registry()` gives them. With others, the last statement fails. */
  readonly defaultGrantees: (string | null)[];
}

/** Its owner alone has privileges on it, whatever default privileges say. */
export function createRegistry({ owner, ownerName, defaultGrantees }: NewRegistry): string[] {
  const grantees = defaultGrantees.map(grantee => grantee === null ? 'PUBLIC' : identifier(grantee)).join(', ');
  const toOwner = (kind: 'SCHEMA' | 'TABLE', name: string) => grantees === ''
    ? []
    : [`REVOKE ALL ON ${kind} ${name} FROM ${grantees}`, `GRANT ALL ON ${kind} ${name} TO ${identifier(ownerName)}`];
  return [
    createSchema(REGISTRY_SCHEMA, owner),
    `COMMENT ON SCHEMA ${REGISTRY_SCHEMA} IS 'cdk-aurora-iam-auth: which CloudFormation resource manages which role'`,
    `CREATE TABLE ${REGISTRY_TABLE} (
    ${COLUMNS.map(({ name, type, default: value }) => `${name} ${type} NOT NULL${value === undefined ? '' : ` DEFAULT ${value}`}`).join(',\n    ')},
    PRIMARY KEY (${KEY.join(', ')}))`,
    SECURE_REGISTRY,
    ...owner === undefined ? [] : [`ALTER TABLE ${REGISTRY_TABLE} OWNER TO ${identifier(owner)}`],
    ...toOwner('SCHEMA', REGISTRY_SCHEMA),
    ...toOwner('TABLE', REGISTRY_TABLE),
    requireRegistry(owner),
  ];
}

/** A schema that belongs to the owner of what the provisioner keeps: the admin, or the role that the deployment names. */
export function createSchema(name: string, owner: string | undefined): string {
  return `CREATE SCHEMA ${identifier(name)}${owner === undefined ? '' : ` AUTHORIZATION ${identifier(owner)}`}`;
}

/** Members of pg_read_all_data and pg_write_all_data see no row and write none. Not forced: the owner goes on. */
export const SECURE_REGISTRY = `ALTER TABLE ${REGISTRY_TABLE} ENABLE ROW LEVEL SECURITY`;

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
  const groups = grouped(rows, ({ stack, stackId, logicalId, resourceId, physicalId, declarations, released = false }) =>
    ({ stack, stackId, logicalId, resourceId, physicalId, declarations, released }));
  const values = groups.map(([shared, rows]) => ({ ...shared, roles: rows.map(({ roleOid, username }) => ({ roleOid, username })) }));
  return `
  INSERT INTO ${REGISTRY_TABLE} (role_oid, username, stack, stack_id, logical_id, resource_id, physical_id, declarations, released)
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

/** Roles that were dropped by hand, and cancellations that no event can be as late for. */
const FORGET_DROPPED = `
  DELETE FROM ${ONLY_TABLE} WHERE CASE role_oid WHEN ${NO_ROLE} THEN coalesce(declarations ->> 'sent', '') COLLATE "C" < ${later(CANCELLED_KEPT)}
                                               ELSE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE oid = role_oid) END`;

/**
 * Drops the registry if nothing but roles that are gone is on record. Nothing happens where there is none. It stays where another session reads it
 * for longer, such as that of pg_dump, or where something depends on it: an empty one does no harm.
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

/** Keeps a role on record whose resource is gone, so that the next resource of that name can have it. */
export function release(keys: RegistryKey[]): string {
  return `UPDATE ${ONLY_TABLE} SET released = true WHERE ${isOneOf(keys)}`;
}

/** @param declarations as they are stored */
export function setDeclarations(key: RegistryKey, declarations: unknown): string {
  return `UPDATE ${ONLY_TABLE} SET declarations = ${json(declarations)} WHERE ${isOneOf([key])}`;
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
