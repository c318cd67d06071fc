import { AuroraLikeServer } from '../aurora-like-server';

/** Something that the catalogs say. */
export interface Fact {
  readonly text: string;
  /** Names of the roles that it is about. */
  readonly roles: string[];
  /** What must be equal beside the text, and is not for readers. */
  readonly detail: string | null;
}

const grants = (of: string, acl: string, owner: string) => `
  SELECT a.privilege_type || ' on ' || ${of} || ' for ' || coalesce(quote_ident(g.rolname), 'PUBLIC') AS text,
         ARRAY[g.rolname::text] AS roles, a.is_grantable::text AS detail
  FROM o CROSS JOIN LATERAL aclexplode(${acl}) a LEFT JOIN pg_roles g ON g.oid = a.grantee WHERE a.grantee <> ${owner}`;

/** Roles, memberships and what is granted on databases: the same in all databases. */
const SHARED = `
SELECT 'role ' || quote_ident(rolname) AS text, ARRAY[rolname::text] AS roles, md5((to_jsonb(r) - 'oid')::text) AS detail FROM pg_authid r
UNION ALL
SELECT 'settings of role ' || quote_ident(r.rolname), ARRAY[r.rolname::text], s.setconfig::text FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
UNION ALL
SELECT quote_ident(v.rolname) || ' is a member of ' || quote_ident(g.rolname), ARRAY[v.rolname::text, g.rolname::text],
       quote_ident(b.rolname) || (to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor')::text
FROM pg_auth_members m JOIN pg_roles v ON v.oid = m.member JOIN pg_roles g ON g.oid = m.roleid LEFT JOIN pg_roles b ON b.oid = m.grantor
UNION ALL
SELECT 'database ' || quote_ident(datname), ARRAY[pg_get_userbyid(datdba)::text], NULL FROM pg_database
UNION ALL (WITH o AS (SELECT * FROM pg_database) ${grants("'database ' || quote_ident(o.datname)", "coalesce(o.datacl, acldefault('d', o.datdba))", 'o.datdba')})`;

/** Schemas, relations, functions, types and default privileges of one database, and what is granted on them. */
const OF_DATABASE = `
WITH o AS (
  SELECT 'schema ' || quote_ident(nspname) AS name, nspowner AS owner, coalesce(nspacl, acldefault('n', nspowner)) AS acl
  FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'
  UNION ALL
  SELECT CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || c.oid::regclass::text, relowner,
         coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  UNION ALL
  SELECT 'function ' || p.oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  UNION ALL
  SELECT 'type ' || t.oid::regtype::text, typowner, coalesce(typacl, acldefault('T', typowner))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class r ON r.oid = t.typrelid
  WHERE typtype IN ('b', 'c', 'd', 'e', 'r') AND typelem = 0 AND coalesce(relkind, 'c') = 'c' AND nspname !~ '^pg_' AND nspname <> 'information_schema')
SELECT name AS text, ARRAY[pg_get_userbyid(owner)::text] AS roles, NULL AS detail FROM o
UNION ALL (${grants('o.name', 'o.acl', 'o.owner')})
UNION ALL
SELECT 'default privileges of ' || quote_ident(r.rolname), ARRAY[r.rolname::text] || ARRAY(SELECT pg_get_userbyid(grantee)::text FROM aclexplode(defaclacl)), defaclacl::text
FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole`;

const ROLES = `
SELECT rolname AS name, rolcanlogin AS "canLogin",
       EXISTS (SELECT FROM pg_shdepend s WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.deptype = 'o') AS "ownsSomething"
FROM pg_roles r`;

interface RoleSummary {
  readonly name: string;
  readonly canLogin: boolean;
  readonly ownsSomething: boolean;
}

/** What the catalogs of a server say of roles and privileges at this moment, each role by its name. */
export class Catalog {
  static async of(server: AuroraLikeServer): Promise<Catalog> {
    const databases = await server.sql<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1',
    );
    const inDatabases = await Promise.all(
      databases.map(async ({ datname }) =>
        (await server.sql<Fact>(OF_DATABASE, [], datname)).map(fact => ({
          ...fact,
          text: `${fact.text} in database ${datname}`,
        })),
      ),
    );
    const roles = await server.sql<RoleSummary>(ROLES);
    return new Catalog(
      [...(await server.sql<Fact>(SHARED)), ...inDatabases.flat()],
      new Map(roles.map(role => [role.name, role])),
    );
  }

  private constructor(private readonly facts: Fact[], readonly roles: ReadonlyMap<string, RoleSummary>) {}

  /** Facts that are here and not there. */
  minus(other: Catalog): Fact[] {
    const there = new Set(other.facts.map(keyOf));
    return this.facts.filter(fact => !there.has(keyOf(fact)));
  }
}

function keyOf({ text, roles, detail }: Fact): string {
  return JSON.stringify([text, roles, detail]);
}
