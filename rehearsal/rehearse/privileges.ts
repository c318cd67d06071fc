/** What a role holds on one object, as PostgreSQL answers. */
export interface Held {
  readonly kind: string;
  readonly name: string;
  readonly privileges: string[];
}

/** What a role may do, in words. */
export interface Right {
  readonly may: string;
  readonly what: string;
}

/** Kind of the one row that is no object: how many tables, views and so on there are. */
export const TABLES_IN_ALL = 'tables in all';

/** Where the provisioner keeps its records. No data of users is there. */
const RECORDS = 'cdk_aurora_iam_auth';

const OF_USERS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/**
 * All that a role may do in the database that is asked.
 *
 * @param role expression for the name of the role, such as current_user
 */
export function heldBy(role: string): string {
  const holds = (question: string, privileges: string[], isPossible = 'true') =>
    `ARRAY(SELECT p FROM unnest(ARRAY['${privileges.join("', '")}']) p WHERE ${isPossible} AND ${question.replace('(', '(me.name, ')})`;
  const inSchema = "has_schema_privilege(me.name, n.oid, 'USAGE')";
  return `
WITH me AS (SELECT (${role})::name AS name),
relation AS (SELECT c.oid, c.relkind, n.nspname, n.oid AS schema, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OF_USERS}),
held AS (
  SELECT 'database' AS kind, quote_ident(d.datname) AS name, ${holds('has_database_privilege(d.oid, p)', ['CONNECT', 'CREATE'])} AS privileges
  FROM me, pg_database d WHERE d.datname = current_database()
  UNION ALL
  SELECT 'schema', quote_ident(n.nspname), ${holds('has_schema_privilege(n.oid, p)', ['USAGE', 'CREATE'])}
  FROM me, pg_namespace n WHERE ${OF_USERS}
  UNION ALL
  SELECT CASE WHEN n.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, n.name,
         ${holds('has_table_privilege(n.oid, p)', ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'], inSchema.replace('n.oid', 'n.schema'))}
  FROM me, relation n WHERE n.relkind IN ('r', 'p', 'f', 'v', 'm')
  UNION ALL
  SELECT 'column', n.name || ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) || ')', ARRAY[p]
  FROM me, relation n JOIN pg_attribute a ON a.attrelid = n.oid AND a.attnum > 0 AND NOT a.attisdropped, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) p
  WHERE n.relkind IN ('r', 'p', 'f', 'v', 'm') AND ${inSchema.replace('n.oid', 'n.schema')}
    AND NOT has_table_privilege(me.name, n.oid, p) AND has_column_privilege(me.name, n.oid, a.attnum, p)
  GROUP BY n.name, p
  UNION ALL
  SELECT 'sequence', n.name, ${holds('has_sequence_privilege(n.oid, p)', ['SELECT', 'USAGE', 'UPDATE'], inSchema.replace('n.oid', 'n.schema'))}
  FROM me, relation n WHERE n.relkind = 'S'
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text, ARRAY['EXECUTE']
  FROM me, pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE ${OF_USERS} AND ${inSchema} AND has_function_privilege(me.name, p.oid, 'EXECUTE')
  UNION ALL
  SELECT i.type, i.identity || CASE WHEN r.rolname = me.name THEN '' ELSE ' of ' || quote_ident(r.rolname) END, ARRAY['OWN']
  FROM me, pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid, pg_identify_object(s.classid, s.objid, s.objsubid) i
  WHERE s.deptype = 'o' AND s.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND s.refclassid = 'pg_authid'::regclass AND pg_has_role(me.name, s.refobjid, 'USAGE') AND i.type <> 'default acl'
  UNION ALL
  SELECT CASE d.defaclobjtype WHEN 'r' THEN 'future table' WHEN 'S' THEN 'future sequence' WHEN 'f' THEN 'future function' WHEN 'T' THEN 'future type' ELSE 'future schema' END,
         'that ' || quote_ident(c.rolname) || ' creates' || coalesce(' in ' || quote_ident(n.nspname), ''), array_agg(DISTINCT a.privilege_type)
  FROM me, pg_default_acl d JOIN pg_roles c ON c.oid = d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
  WHERE a.grantee = 0 OR a.grantee <> d.defaclrole AND pg_has_role(me.name, a.grantee, 'USAGE')
  GROUP BY 1, 2
  UNION ALL
  SELECT 'role', quote_ident(g.rolname), ARRAY['MEMBER']
  FROM me JOIN pg_roles r ON r.rolname = me.name JOIN pg_auth_members m ON m.member = r.oid JOIN pg_roles g ON g.oid = m.roleid
  WHERE g.rolname <> 'rds_iam'
  UNION ALL
  SELECT '${TABLES_IN_ALL}', count(*)::text, ARRAY['COUNT'] FROM relation WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND nspname <> '${RECORDS}')
SELECT kind, name, privileges::text[] FROM held WHERE cardinality(privileges) > 0 ORDER BY 1, 2`;
}

/** In the order in which they are named. */
const VERBS: Record<string, string> = {
  CONNECT: 'connect',
  SELECT: 'read',
  INSERT: 'insert',
  UPDATE: 'update',
  DELETE: 'delete',
  TRUNCATE: 'truncate',
  USAGE: 'use',
  CREATE: 'create in',
  EXECUTE: 'execute',
  OWN: 'own',
  MEMBER: 'act as',
};

/** All of these together are named `write`. */
const WRITES = ['INSERT', 'UPDATE', 'DELETE'];

/** Kinds in the order of the table; whatever is owned comes last. */
const KINDS = ['database', 'role', 'schema', 'table', 'view', 'column', 'sequence', 'function'];

const TABLES = ['table', 'view', 'column'];

/** The same in words. */
export function rightsOf(held: Held[]): Right[] {
  const groups = new Map<string, { may: string; kind: string; order: number; names: string[] }>();
  for (const { kind, name, privileges } of held.filter(each => each.kind !== TABLES_IN_ALL)) {
    const may = verbs(kind, privileges);
    const key = `${may} ${kind}`;
    const order
      = may === 'own' ? 1000 : kind.startsWith('future ') ? 100 + KINDS.indexOf(kind.slice(7)) : KINDS.indexOf(kind);
    groups.set(key, { may, kind, order, names: [...groups.get(key)?.names ?? [], name] });
  }
  return [...groups.values()]
    .sort((a, b) => a.order - b.order)
    .map(({ may, kind, names }) => ({ may, what: listed(kind, names) }));
}

/** What of reading and writing tables and of owning anything a role may not. */
export function missingRights(held: Held[]): Right[] {
  const may = (kinds: string[], privilege: string) =>
    held.some(({ kind, privileges }) => kinds.includes(kind) && privileges.includes(privilege));
  const missing = [
    ...may(TABLES, 'SELECT') ? [] : ['read'],
    ...WRITES.some(privilege => may(TABLES, privilege)) ? [] : ['write'],
    ...held.some(({ privileges }) => privileges.includes('OWN')) ? [] : ['own'],
  ];
  const noTables = held.find(({ kind }) => kind === TABLES_IN_ALL)?.name === '0';
  return missing.length === 0
    ? []
    : [
        {
          may: missing.join(', '),
          what: `nothing${noTables && missing[0] !== 'own' ? ': there are no tables yet' : ''}`,
        },
      ];
}

function verbs(kind: string, privileges: string[]): string {
  const writes = WRITES.every(privilege => privileges.includes(privilege));
  const words = Object.keys(VERBS).filter(privilege => privileges.includes(privilege)).map((privilege) => {
    if (kind === 'database' && privilege === 'CREATE') {
      return 'create schemas';
    }
    return kind.endsWith('sequence') && privilege === 'UPDATE'
      ? 'set'
      : writes && WRITES.includes(privilege)
        ? 'write'
        : VERBS[privilege];
  });
  return `${kind.startsWith('future ') ? 'later ' : ''}${[...new Set(words)].join(', ')}`;
}

function listed(kind: string, names: string[]): string {
  const all = names.join(', ');
  if (kind.startsWith('future ')) {
    return `${kind.slice(7)}s ${all}`;
  }
  return kind === 'column'
    ? `columns of ${all}`
    : names.length === 1
      ? `${kind} ${all}`
      : `${names.length} ${kind}s: ${all}`;
}
