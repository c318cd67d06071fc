import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';

/**
 * Owner and privileges, a line each. PostgreSQL never makes an acl NULL again, and puts what is granted anew at its
 * end: so the defaults are spelled out, and lines are sorted.
 */
const owned = (kind: string, name: string, owner: string, acl: string, type: string, from: string) => `
  SELECT format('${kind} %s: of %s', ${name}, pg_get_userbyid(${owner})) AS line FROM ${from}
  UNION ALL
  SELECT format('${kind} %s: %s=%s%s/%s', ${name}, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, CASE WHEN is_grantable THEN '*' END, pg_get_userbyid(grantor))
  FROM ${from} CROSS JOIN aclexplode(coalesce(${acl}, acldefault(${type}, ${owner})))`;

const SHARED = [
  "SELECT format('role %s: %s', rolname, to_jsonb(r) - '{oid,rolname,rolpassword,rolconfig}'::text[]) AS line FROM pg_roles r",
  "SELECT format('member %s of %s, by %s: %s', pg_get_userbyid(member), pg_get_userbyid(roleid), pg_get_userbyid(grantor), to_jsonb(m) - '{oid,roleid,member,grantor}'::text[]) FROM pg_auth_members m",
  "SELECT format('setting of %s in %s: %s', pg_get_userbyid(setrole), (SELECT datname FROM pg_database d WHERE d.oid = setdatabase), c) FROM pg_db_role_setting, unnest(setconfig) c",
  owned('database', 'datname', 'datdba', 'datacl', "'d'", 'pg_database'),
];

const NAMESPACES
  = "(SELECT * FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp|catalog)' AND nspname <> 'information_schema') ns";
const RELATIONS = `pg_class c JOIN ${NAMESPACES} ON ns.oid = relnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')`;

const IN_DATABASE = [
  owned('schema', 'nspname', 'nspowner', 'nspacl', "'n'", NAMESPACES),
  owned(
    'relation', 'c.oid::regclass', 'relowner', 'relacl', "CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\"",
    RELATIONS,
  ),
  owned(
    'column', "c.oid::regclass || '.' || attname", 'relowner', 'attacl', "'c'",
    `pg_attribute JOIN (${RELATIONS}) ON attrelid = c.oid AND attacl <> '{}'`,
  ),
  owned(
    'routine', 'p.oid::regprocedure', 'proowner', 'proacl', "'f'",
    `pg_proc p JOIN ${NAMESPACES} ON ns.oid = pronamespace`,
  ),
  owned('type', 't.oid::regtype', 'typowner', 'typacl', "'T'", `pg_type t JOIN ${NAMESPACES} ON ns.oid = typnamespace`),
  owned('large object', 'l.oid', 'lomowner', 'lomacl', "'L'", 'pg_largeobject_metadata l'),
  owned('language', 'lanname', 'lanowner', 'lanacl', "'l'", 'pg_language'),
  owned('wrapper', 'fdwname', 'fdwowner', 'fdwacl', "'F'", 'pg_foreign_data_wrapper'),
  owned('server', 'srvname', 'srvowner', 'srvacl', "'S'", 'pg_foreign_server'),
  owned(
    'future', "defaclobjtype::text || ' in ' || defaclnamespace::regnamespace", 'defaclrole', 'defaclacl',
    'defaclobjtype', 'pg_default_acl',
  ),
  "SELECT format('policy %s on %s for %s', polname, polrelid::regclass, ARRAY(SELECT pg_get_userbyid(role) FROM unnest(polroles) role ORDER BY 1)) FROM pg_policy",
];

/** Without the time of the last event. */
const REGISTRY = `
  SELECT jsonb_populate_record(m, jsonb_build_object('declarations',
    CASE jsonb_typeof(declarations) WHEN 'object' THEN declarations - 'sent' ELSE declarations END))::text AS line
  FROM cdk_aurora_iam_auth.managed_role m`;

/**
 * Everything of the server that a user can leave behind, in all databases: roles, memberships, owners, privileges, and
 * the registry.
 */
export async function snapshot(server: AuroraLikeServer): Promise<unknown> {
  const lines = async (queries: string[], database?: string) =>
    (await server.ask<{ line: string }>(queries.join('\nUNION ALL\n'), [], database)).map(({ line }) => line).sort();
  const [{ managed }] = await server.sql<{ managed: boolean }>(
    "SELECT to_regclass('cdk_aurora_iam_auth.managed_role') IS NOT NULL AS managed",
  );
  const databases = await server.sql<{ name: string }>(
    "SELECT datname::text AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'rdsadmin' ORDER BY 1",
  );
  return {
    shared: await lines(SHARED),
    registry: managed ? await lines([REGISTRY]) : [],
    ...Object.fromEntries(
      await Promise.all(databases.map(async ({ name }) => [name, await lines(IN_DATABASE, name)] as const)),
    ),
  };
}
