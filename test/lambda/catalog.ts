import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';

/** What the catalogs say, asked as the superuser and compared as text. */

/** PostgreSQL never makes an acl NULL again, and what is granted anew goes to its end: so the defaults are spelled out, in order. */
const acl = (column: string, type: string, owner: string) => `
  ARRAY(SELECT format('%s=%s%s/%s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, CASE WHEN is_grantable THEN '*' END, pg_get_userbyid(grantor))
        FROM aclexplode(coalesce(${column}, acldefault(${type}, ${owner}))) ORDER BY 1)`;

const SHARED = `
  SELECT
    ARRAY(SELECT (to_jsonb(r) - 'oid' - 'rolpassword')::text FROM pg_roles r ORDER BY rolname) AS roles,
    ARRAY(SELECT format('%s in %s by %s %s', pg_get_userbyid(member), pg_get_userbyid(roleid), pg_get_userbyid(grantor), to_jsonb(m) - '{oid,roleid,member,grantor}'::text[])
          FROM pg_auth_members m ORDER BY 1) AS memberships,
    ARRAY(SELECT jsonb_build_array(datname, pg_get_userbyid(datdba), ${acl('datacl', "'d'", 'datdba')})::text FROM pg_database ORDER BY datname) AS databases`;

const OF_USERS = "nspname !~ '^pg_(toast|temp)' AND nspname NOT IN ('pg_catalog', 'information_schema')";

const IN_DATABASE = `
  WITH ns AS (SELECT * FROM pg_namespace WHERE ${OF_USERS})
  SELECT
    ARRAY(SELECT jsonb_build_array(nspname, pg_get_userbyid(nspowner), ${acl('nspacl', "'n'", 'nspowner')})::text FROM ns ORDER BY nspname) AS schemas,
    ARRAY(SELECT jsonb_build_array(nspname, relname, pg_get_userbyid(relowner), ${acl('relacl', `CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char"`, 'relowner')})::text
          FROM pg_class c JOIN ns ON ns.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') ORDER BY nspname, relname) AS relations,
    ARRAY(SELECT jsonb_build_array(attrelid::regclass, attname, ${acl('attacl', "'c'", 'relowner')})::text
          FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN ns ON ns.oid = relnamespace WHERE attacl <> '{}' ORDER BY 1) AS columns,
    ARRAY(SELECT jsonb_build_array(p.oid::regprocedure, pg_get_userbyid(proowner), ${acl('proacl', "'f'", 'proowner')})::text
          FROM pg_proc p JOIN ns ON ns.oid = pronamespace ORDER BY 1) AS routines,
    ARRAY(SELECT jsonb_build_array(t.oid::regtype, pg_get_userbyid(typowner), ${acl('typacl', "'T'", 'typowner')})::text
          FROM pg_type t JOIN ns ON ns.oid = typnamespace ORDER BY 1) AS types,
    ARRAY(SELECT jsonb_build_array(oid, pg_get_userbyid(lomowner), ${acl('lomacl', "'L'", 'lomowner')})::text FROM pg_largeobject_metadata ORDER BY 1) AS "largeObjects",
    ARRAY(SELECT jsonb_build_array(lanname, ${acl('lanacl', "'l'", 'lanowner')})::text FROM pg_language ORDER BY 1) AS languages,
    ARRAY(SELECT jsonb_build_array(srvname, pg_get_userbyid(srvowner), ${acl('srvacl', "'S'", 'srvowner')})::text FROM pg_foreign_server ORDER BY 1) AS servers,
    ARRAY(SELECT jsonb_build_array(pg_get_userbyid(defaclrole), defaclnamespace::regnamespace, defaclobjtype, ${acl('defaclacl', 'defaclobjtype', 'defaclrole')})::text
          FROM pg_default_acl ORDER BY 1) AS "futureObjects",
    ARRAY(SELECT jsonb_build_array(polrelid::regclass, polname, ARRAY(SELECT pg_get_userbyid(role) FROM unnest(polroles) role ORDER BY 1))::text FROM pg_policy ORDER BY 1) AS policies`;

/** Everything of the server that a user can leave behind, in all databases: roles, memberships, owners, privileges, and the registry. */
export async function snapshot(server: AuroraLikeServer): Promise<unknown> {
  const [shared] = await server.sql(SHARED);
  const [{ managed }] = await server.sql<{ managed: boolean }>("SELECT to_regclass('cdk_aurora_iam_auth.managed_role') IS NOT NULL AS managed");
  const registry = managed ? await server.sql('SELECT m::text FROM cdk_aurora_iam_auth.managed_role m ORDER BY 1') : [];
  const databases = await databasesOf(server);
  const inside = await Promise.all(databases.map(async database => [database, (await server.sql(IN_DATABASE, [], database))[0]] as const));
  return { shared, registry, ...Object.fromEntries(inside) };
}

/** Those that the superuser can look into. */
async function databasesOf(server: AuroraLikeServer): Promise<string[]> {
  const rows = await server.sql<{ name: string }>("SELECT datname::text AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'rdsadmin' ORDER BY 1");
  return rows.map(({ name }) => name);
}
