import { identifier, literal } from './quote';

/**
 * Which CloudFormation resource manages which role: a table in database postgres that belongs to the admin, or to a
 * group role that the deployment names.
 */

export const REGISTRY_SCHEMA = 'cdk_aurora_iam_auth';
export const REGISTRY_TABLE = `${REGISTRY_SCHEMA}.managed_role`;

/**
 * Without tables that inherit from it: its owner can make one at any time, with triggers that would run with the rights
 * of the admin.
 */
export const ONLY_TABLE = `ONLY ${REGISTRY_TABLE}`;

interface Column {
  readonly name: string;
  readonly type: 'oid' | 'text' | 'jsonb' | 'bool';
  readonly default?: string;
}

const COLUMNS: Column[] = [
  { name: 'role_oid', type: 'oid' },
  ...['stack', 'stack_id', 'logical_id', 'resource_id', 'physical_id', 'username'].map((name): Column => ({
    name,
    type: 'text',
  })),
  { name: 'declarations', type: 'jsonb' },
  { name: 'released', type: 'bool', default: 'false' },
];
const KEY = ['role_oid', 'stack', 'logical_id'];

/**
 * What others have added to a registry: it could run their code with the rights of the admin, or let them change what
 * is stored.
 */
export type RegistryFault
  = | 'owner missing'
    | 'owner not held'
    | 'schema owner'
    | 'table owner'
    | 'schema grantee'
    | 'table grantee'
    | 'column grantee'
    | 'object'
    | 'kind'
    | 'column'
    | 'constraint'
    | 'index'
    | 'trigger'
    | 'rule'
    | 'policy'
    | 'forced'
    | 'parent'
    | 'child'
    | 'statistics';

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
 * The registry as the catalogs have it, in one row. Nothing in it waits for a lock on the table, as pg_get_expr() does.
 * By name in the catalog, not by to_regclass(): that may answer from before another session's commit.
 *
 * @param owner the role that is to own it, if not the admin
 */
export function registry(owner: string | undefined): string {
  return `WITH ${shape(owner)}
  SELECT EXISTS (SELECT FROM t) AS exists, EXISTS (SELECT FROM t WHERE relrowsecurity) AS secured,
         (SELECT coalesce(json_agg(f), '[]') FROM f) AS faults,
         (SELECT coalesce(json_agg(DISTINCT ${nameOf('a.grantee')}), '[]') FROM pg_catalog.pg_default_acl d
           CROSS JOIN LATERAL aclexplode(d.defaclacl) a
          WHERE d.defaclrole IN (SELECT oid FROM o UNION ALL SELECT oid FROM me) AND d.defaclobjtype IN ('r', 'n')
            AND d.defaclnamespace = 0
            AND a.grantee <> d.defaclrole) AS "defaultGrantees",
         (SELECT name FROM o) AS owner`;
}

/**
 * For a transaction that works with the registry of a role with other members, who may change it between two looks at
 * it: holds it as it is until the end of the transaction, and fails with 22012 if it is not as it has to be. The GRANT
 * changes nothing, and keeps the schema from being renamed.
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
 * What can be in a schema: catalog, its column for the schema, and what the table brings along. Not by pg_depend: any
 * role can make a view that depends on a schema.
 */
const IN_SCHEMAS: [catalog: string, namespace: string, isOurs?: string][] = [
  [
    'pg_class',
    'relnamespace',
    'x.oid = t.table_oid OR x.oid IN (SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = t.table_oid)',
  ],
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
 * Ends the sessions that hold or wait for a lock which keeps others from using the registry. A member of
 * pg_write_all_data may take one. Sessions of its owner, of members of the owner and of roles that create roles are
 * left alone.
 */
export const END_REGISTRY_LOCKERS = `
  SELECT pg_catalog.pg_terminate_backend(l.pid)
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'managed_role'
  JOIN pg_catalog.pg_database d ON d.datname = current_database()
  JOIN pg_catalog.pg_locks l ON l.locktype = 'relation' AND l.database = d.oid AND l.relation = c.oid
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
  WHERE n.nspname = '${REGISTRY_SCHEMA}' AND NOT r.rolcreaterole AND NOT r.rolsuper
    AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')
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
  const others = IN_SCHEMAS.map(
    ([catalog, namespace, isOurs]) =>
      `UNION ALL SELECT 'object', pg_describe_object('pg_catalog.${catalog}'::regclass, x.oid, 0) FROM n
        JOIN pg_catalog.${catalog} x ON x.${namespace} = n.oid
      ${isOurs === undefined ? '' : `AND NOT EXISTS (SELECT FROM t WHERE ${isOurs})`}`,
  );
  const columns = COLUMNS.map(
    ({ name, type, default: value }, index) =>
      `(${index + 1}, '${name}', 'pg_catalog.${type}'::regtype, ${value !== undefined})`,
  );
  const key = KEY.map(name => COLUMNS.findIndex(column => column.name === name) + 1).join(' ');
  return `
  me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
  o AS (
    SELECT wanted.name::text AS name, r.oid FROM (SELECT ${owner === undefined ? 'current_user' : `${literal(owner)}::name`} AS name) wanted
    LEFT JOIN pg_catalog.pg_roles r ON r.rolname = wanted.name),
  n AS (SELECT * FROM pg_catalog.pg_namespace WHERE nspname = '${REGISTRY_SCHEMA}'),
  t AS (SELECT c.*, c.oid AS table_oid FROM pg_catalog.pg_class c JOIN n ON c.relnamespace = n.oid
    WHERE c.relname = 'managed_role'),
  wanted_column(num, name, type, value) AS (VALUES ${columns.join(', ')}),
  found_column AS (
    SELECT a.*, d.adbin::text AS value FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.table_oid
      AND a.attnum > 0
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
      WHERE t.relkind <> 'r' OR t.relpersistence <> 'p' OR t.relispartition OR t.reloftype <> 0 OR am.amname IS DISTINCT
      FROM 'heap'
    UNION ALL SELECT 'column', coalesce(c.attname::text, w.name)
      FROM wanted_column w FULL JOIN found_column c ON c.attnum = w.num
      WHERE EXISTS (SELECT FROM t) AND (c.attname IS DISTINCT
        FROM w.name::name OR c.atttypid <> w.type OR NOT c.attnotnull
        OR coalesce(c.value, '') NOT LIKE CASE WHEN w.value THEN ${literal('{CONST :consttype 16 %')} ELSE '' END
        OR c.attidentity <> '' OR c.attgenerated <> '' OR c.attcollation NOT IN (0, 100) OR c.attinhcount <> 0)
    ${ofTable('constraint', 'c.conname', 'pg_catalog.pg_constraint c', "c.conrelid = t.table_oid AND c.contype NOT IN ('p', 'n')")}
    ${ofTable(
      'index',
      'i.indexrelid::regclass',
      'pg_catalog.pg_index i',
      `i.indrelid = t.table_oid
      AND NOT (i.indisprimary AND i.indkey::text = '${key}' AND i.indisvalid AND i.indimmediate)`,
    )}
    UNION ALL SELECT 'index', 'managed_role' FROM t
      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = t.table_oid)
    ${ofTable('trigger', 'g.tgname', 'pg_catalog.pg_trigger g', 'g.tgrelid = t.table_oid')}
    ${ofTable('rule', 'r.rulename', 'pg_catalog.pg_rewrite r', 'r.ev_class = t.table_oid')}
    ${ofTable('policy', 'p.polname', 'pg_catalog.pg_policy p', 'p.polrelid = t.table_oid')}
    UNION ALL SELECT 'forced', NULL FROM t WHERE t.relforcerowsecurity
    ${ofTable('parent', 'i.inhparent::regclass', 'pg_catalog.pg_inherits i', 'i.inhrelid = t.table_oid')}
    ${ofTable('child', 'i.inhrelid::regclass', 'pg_catalog.pg_inherits i', 'i.inhparent = t.table_oid')}
    ${ofTable('statistics', 's.stxname', 'pg_catalog.pg_statistic_ext s', 's.stxrelid = t.table_oid')})`;
}

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

/**
 * A schema that belongs to the owner of what the provisioner keeps: the admin, or the role that the deployment names.
 */
export function createSchema(name: string, owner: string | undefined): string {
  return `CREATE SCHEMA ${identifier(name)}${owner === undefined ? '' : ` AUTHORIZATION ${identifier(owner)}`}`;
}

/** Members of pg_read_all_data and pg_write_all_data see no row and write none. Not forced: the owner goes on. */
export const SECURE_REGISTRY = `ALTER TABLE ${REGISTRY_TABLE} ENABLE ROW LEVEL SECURITY`;
