import { literal, textArray } from './quote';

/** What is read from the catalogs, with search_path = pg_catalog. Texts are the same for all supported majors. */

export const SERVER = `
  SELECT current_user::text AS admin, current_setting('server_version_num')::int AS version,
         EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam') AS "hasRdsIam"`;

/** Oid by name; beside those given, the names in a table of the registry. */
export function rolesByName(names: string[], registered?: string): string {
  return `
  SELECT rolname::text AS name, oid::text AS oid FROM pg_catalog.pg_roles
  WHERE ${isOneOf('rolname', names)}${registered === undefined ? '' : ` OR rolname::text IN (${registered})`}`;
}

/** As texts, for which there is a hash table: with names, each row would be compared with each of what may be thousands. */
function isOneOf(column: string, names: string[]): string {
  return `${column}::text = ANY (${textArray(names)})`;
}

/** Databases that can be connected to. */
export const DATABASES = `
  SELECT datname::text AS name FROM pg_catalog.pg_database WHERE datallowconn ORDER BY 1`;

/**
 * pg_auth_members with the options of 16 and newer, which are null on 15 and older: a name that is no column of the inner table is
 * looked for in the outer one.
 */
const AUTH_MEMBERS = `(
      SELECT m.* FROM (SELECT NULL::boolean AS inherit_option, NULL::boolean AS set_option) missing
      CROSS JOIN LATERAL (SELECT roleid, member, grantor, admin_option, inherit_option, set_option FROM pg_catalog.pg_auth_members) m)`;

/**
 * Memberships of roles u, and in them. Without options one inherits if its member does, and can be set. Up to 15 there is one row a
 * membership and who may grant roles may revoke any; from 16 on each grantor takes back its own: `granted_as`, if it is not the admin.
 */
const MEMBERSHIPS = `
    SELECT m.roleid, m.member, g.rolname AS group_name, v.rolname AS member_name, coalesce(m.inherit_option, v.rolinherit) AS inherits,
           coalesce(m.set_option, true) AS settable, m.admin_option AS admin, CASE WHEN m.inherit_option IS NOT NULL AND m.grantor <> me.oid AND NOT gr.rolsuper THEN gr.rolname END AS granted_as
    FROM me CROSS JOIN ${AUTH_MEMBERS} m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid JOIN pg_catalog.pg_roles v ON v.oid = m.member
    LEFT JOIN pg_catalog.pg_roles gr ON gr.oid = m.grantor
    WHERE m.roleid IN (SELECT oid FROM u) OR m.member IN (SELECT oid FROM u)`;

/**
 * Roles with what they hold that is shared by all databases of the server. There may be thousands: everything is read once, however
 * few the planner expects, and then put together by role. A membership that neither inherits nor can be set (16 and newer) has no effect.
 */
export function rolesWithShared(names: string[]): string {
  return `
  WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
  u AS (SELECT oid, rolname::text AS role, rolcanlogin FROM pg_catalog.pg_roles WHERE ${isOneOf('rolname', names)}),
  m AS MATERIALIZED (${MEMBERSHIPS}),
  memberships AS MATERIALIZED (
    SELECT member AS oid, json_agg(json_build_object('group', group_name, 'inherits', inherits, 'effective', inherits OR settable, 'admin', admin, 'as', granted_as)
                                   ORDER BY group_name, granted_as) AS list
    FROM m WHERE member IN (SELECT oid FROM u) GROUP BY member),
  members AS MATERIALIZED (
    SELECT roleid AS oid, json_agg(json_build_object('member', member_name, 'effective', inherits OR settable, 'as', granted_as) ORDER BY member_name, granted_as) AS list
    FROM m CROSS JOIN me WHERE roleid IN (SELECT oid FROM u) AND m.member <> me.oid GROUP BY roleid),
  acl AS MATERIALIZED (SELECT d.datname, d.datdba, a.* FROM pg_catalog.pg_database d CROSS JOIN LATERAL aclexplode(d.datacl) a),
  databases AS MATERIALIZED (
    SELECT a.grantee AS oid, json_agg(json_build_object('database', a.datname, 'privilege', a.privilege_type, 'grantable', a.is_grantable,
                               'ours', a.grantor IN (me.oid, a.datdba), 'as', ${actingAs('a.grantor', 'a.datdba')}) ORDER BY a.datname, a.privilege_type) AS list
    FROM acl a CROSS JOIN me WHERE a.grantee IN (SELECT oid FROM u) AND a.datdba <> a.grantee GROUP BY a.grantee),
  depends AS MATERIALIZED (
    SELECT s.refobjid AS oid, json_agg(DISTINCT d.datname::text ORDER BY d.datname::text) AS list,
           json_agg(DISTINCT d.datname::text ORDER BY d.datname::text) FILTER (WHERE s.deptype = 'o') AS owned
    FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
    WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.refobjid IN (SELECT oid FROM u) GROUP BY s.refobjid)
  SELECT u.role, u.oid::text AS oid, u.rolcanlogin AS "canLogin", coalesce(memberships.list, '[]') AS memberships,
         coalesce(members.list, '[]') AS members, coalesce(databases.list, '[]') AS databases, coalesce(depends.list, '[]') AS "dependsIn", coalesce(depends.owned, '[]') AS "ownsIn"
  FROM u LEFT JOIN memberships USING (oid) LEFT JOIN members USING (oid) LEFT JOIN databases USING (oid) LEFT JOIN depends USING (oid)`;
}

/** As in server_version_num: privileges on configuration parameters are there from 15 on. */
const PARAMETERS_SINCE = 150000;

/** What roles have been granted that all databases share, beside memberships and privileges on databases. */
export function otherShared(names: string[], version: number): string {
  return `
  SELECT r.rolname::text AS role, o.kind AS "on", o.name, a.privilege_type AS privilege, a.is_grantable AS grantable, ${actingAs('a.grantor', 'o.owner')} AS "as"
  FROM (
    SELECT 'TABLESPACE' AS kind, spcname::text AS name, spcowner AS owner, spcacl AS acl FROM pg_catalog.pg_tablespace
    ${version >= PARAMETERS_SINCE ? "UNION ALL SELECT 'PARAMETER', parname, 10::oid, paracl FROM pg_catalog.pg_parameter_acl" : ''}) o
  CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) me
  CROSS JOIN LATERAL aclexplode(o.acl) a JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
  WHERE ${isOneOf('r.rolname', names)} AND o.owner <> a.grantee ORDER BY 1, 2, 3, 4`;
}

/** Who gets what others have: the roles that these are members of, themselves or through others, as far as they matter. */
export function reachedFrom(names: string[], strong: string[]): string {
  return `
  WITH RECURSIVE reach(start, oid) AS (
    SELECT rolname::text, oid FROM pg_catalog.pg_roles WHERE ${isOneOf('rolname', names)}
    UNION
    SELECT r.start, m.roleid FROM reach r JOIN pg_catalog.pg_auth_members m ON m.member = r.oid)
  SELECT r.start AS "group", g.rolname::text AS role, g.oid = me.oid AS "isAdmin", g.rolsuper AS "isSuperuser", g.rolcreaterole AS "createsRoles"
  FROM reach r JOIN pg_catalog.pg_roles g USING (oid) CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) me
  WHERE g.oid = me.oid OR g.rolsuper OR g.rolcreaterole OR ${isOneOf('g.rolname', strong)} ORDER BY 1, 2`;
}

/** Databases, with the role that can pass their privileges on. */
export function databaseOwners(names: string[]): string {
  return `
  SELECT d.datname::text AS database, pg_get_userbyid(d.datdba)::text AS owner, ${actingAs('d.datdba', 'd.datdba')} AS "as"
  FROM pg_catalog.pg_database d CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) me
  WHERE ${isOneOf('d.datname', names)}`;
}

/**
 * Whom to be for taking back what a grantor has granted, or to grant as an owner. Null: the admin itself will do, or nobody:
 * a superuser's rights are out of reach. pg_database_owner can have no members; the owner of the database has its rights.
 */
function actingAs(grantor: string, owner: string): string {
  return `CASE WHEN ${grantor} = me.oid OR (${grantor} = ${owner} AND pg_has_role(${owner}, 'USAGE')) THEN NULL
               WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = ${grantor}) THEN NULL
               WHEN pg_get_userbyid(${grantor}) = 'pg_database_owner'
               THEN (SELECT pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = current_database())::text
               ELSE pg_get_userbyid(${grantor})::text END`;
}

/**
 * As GRANT takes them: of an aggregate the types alone, for it knows no ORDER BY there. Without IN, a procedure with an OUT argument of
 * that type could be meant as well.
 */
const ARGUMENTS = "(SELECT coalesce(string_agg('IN ' || format_type(t, NULL), ', ' ORDER BY n), '') FROM unnest(p.proargtypes) WITH ORDINALITY a(t, n))";

export interface DatabaseQuestion {
  /** Names of the roles whose privileges are asked for. */
  readonly roles: string[];
  /** Schemas to look at. */
  readonly schemas: string[];
  /** Look at everything else too: all schemas, those of the system included, and the other kinds of objects. */
  readonly everything: boolean;
}

/** Schemas of temporary objects: only their own session can use what is in them. */
const TEMPORARY = '^pg_(toast_)?temp';

const ALL_BESIDE = "(SELECT coalesce(jsonb_agg(to_jsonb(beside) ORDER BY role, kind, what), '[]') FROM beside WHERE what IS NOT NULL)";

/** How many tables, sequences and functions there are. */
export function objectCount(schemas: string[]): string {
  const inSchemas = `(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY (${textArray(schemas)}))`;
  return `
  SELECT ((SELECT count(*) FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relnamespace IN ${inSchemas})
          + (SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace IN ${inSchemas}))::int AS n`;
}

/**
 * One row with everything about roles in the database of the session: schemas and objects that privileges can be granted on,
 * and what the roles hold. `kind` is the word that GRANT ... ON expects. Objects of an extension are marked: its script decides
 * about their privileges.
 */
export function rolesInDatabase({ roles, schemas, everything }: DatabaseQuestion): string {
  return `
  WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
  who AS (SELECT oid, rolname::text AS role FROM pg_catalog.pg_roles WHERE rolname = ANY (${textArray(roles)})),
  ns AS (
    SELECT oid, nspname::text AS schema, nspowner, nspacl, nspname = ANY (${textArray(schemas)}) AS named FROM pg_catalog.pg_namespace
    WHERE nspname = ANY (${textArray(schemas)}) OR ${everything} AND nspname !~ '${TEMPORARY}'),
  object(kind, schema, named, name, sub, classid, oid, owner, acl) AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, ns.schema, ns.named, c.relname::text, NULL::text, 'pg_class'::regclass, c.oid, c.relowner, c.relacl
    FROM pg_catalog.pg_class c JOIN ns ON ns.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't')
    UNION ALL
    SELECT 'ROUTINE', ns.schema, ns.named, p.proname::text, ${ARGUMENTS}, 'pg_proc'::regclass, p.oid, p.proowner, p.proacl
    FROM pg_catalog.pg_proc p JOIN ns ON ns.oid = p.pronamespace WHERE ns.named OR p.proacl IS NOT NULL),
  other(kind, schema, name, sub, classid, oid, owner, acl) AS (
    SELECT 'SCHEMA', schema, NULL::text, NULL::text, 'pg_namespace'::regclass, oid, nspowner, nspacl FROM ns
    UNION ALL
    SELECT 'COLUMN', o.schema, o.name, a.attname::text, o.classid, o.oid, o.owner, a.attacl
    FROM object o JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid WHERE o.kind = 'TABLE' AND a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'TYPE', ns.schema, t.typname::text, NULL, 'pg_type'::regclass, t.oid, t.typowner, t.typacl FROM pg_catalog.pg_type t JOIN ns ON ns.oid = t.typnamespace WHERE t.typacl IS NOT NULL
    UNION ALL
    SELECT 'LANGUAGE', NULL, lanname::text, NULL, 'pg_language'::regclass, oid, lanowner, lanacl FROM pg_catalog.pg_language WHERE lanacl IS NOT NULL AND ${everything}
    UNION ALL
    SELECT 'FOREIGN DATA WRAPPER', NULL, fdwname::text, NULL, 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, fdwacl FROM pg_catalog.pg_foreign_data_wrapper WHERE ${everything}
    UNION ALL
    SELECT 'FOREIGN SERVER', NULL, srvname::text, NULL, 'pg_foreign_server'::regclass, oid, srvowner, srvacl FROM pg_catalog.pg_foreign_server WHERE ${everything}
    UNION ALL
    SELECT 'LARGE OBJECT', NULL, oid::text, NULL, 'pg_largeobject'::regclass, oid, lomowner, lomacl FROM pg_catalog.pg_largeobject_metadata WHERE ${everything}),
  held AS (
    SELECT who.role, o.kind, o.schema, o.name, o.sub, a.privilege_type AS privilege, a.is_grantable AS grantable, ${actingAs('a.grantor', 'o.owner')} AS "as",
           a.grantor IN (me.oid, o.owner) AS ours, o.classid, o.oid
    FROM (SELECT kind, schema, name, sub, classid, oid, owner, acl FROM object UNION ALL SELECT * FROM other) o
    CROSS JOIN me CROSS JOIN LATERAL aclexplode(o.acl) a JOIN who ON who.oid = a.grantee WHERE o.owner <> a.grantee),
  future AS (
    SELECT who.role, pg_get_userbyid(d.defaclrole)::text AS creator, n.nspname::text AS schema,
           CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END AS objects,
           a.privilege_type AS privilege, a.is_grantable AS grantable
    FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
    CROSS JOIN LATERAL aclexplode(d.defaclacl) a JOIN who ON who.oid = a.grantee WHERE d.defaclrole <> a.grantee)${everything
      ? `,
  depends AS MATERIALIZED (
    SELECT who.role, s.deptype, s.classid, s.objid, s.objsubid, h.oid IS NOT NULL AS known
    FROM pg_catalog.pg_shdepend s JOIN who ON who.oid = s.refobjid
    LEFT JOIN (SELECT DISTINCT role, classid, oid FROM held) h ON h.role = who.role AND h.classid = s.classid AND h.oid = s.objid
    WHERE s.refclassid = 'pg_authid'::regclass AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) AND s.classid <> 'pg_default_acl'::regclass),
  beside AS (
    SELECT role, CASE deptype WHEN 'a' THEN 'privileges' WHEN 'r' THEN 'policy' ELSE 'other' END AS kind, pg_describe_object(classid, objid, objsubid) AS what
    FROM depends CROSS JOIN LATERAL pg_identify_object(classid, objid, objsubid) WHERE deptype <> 'o' AND NOT (deptype = 'a' AND known) AND coalesce(schema, name, '') !~ '${TEMPORARY}'
    UNION ALL
    SELECT role, 'owned', count(*)::text FROM depends WHERE deptype = 'o' GROUP BY role)`
      : ''}
  SELECT
    (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', ns.schema, 'owner', pg_get_userbyid(ns.nspowner), 'as', ${actingAs('ns.nspowner', 'ns.nspowner')},
              'empty', NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = ns.oid AND d.deptype = 'n')) ORDER BY ns.schema), '[]')
     FROM ns CROSS JOIN me WHERE ns.named) AS schemas,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', o.kind, 'schema', o.schema, 'name', o.name, 'args', o.sub, 'owner', pg_get_userbyid(o.owner), 'as', ${actingAs('o.owner', 'o.owner')},
              'ofExtension', EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e')) ORDER BY o.kind, o.schema, o.name, o.sub), '[]')
     FROM object o CROSS JOIN me WHERE o.named) AS objects,
    (SELECT coalesce(jsonb_agg(to_jsonb(held) - '{classid,oid}'::text[] ORDER BY role, kind, schema, name, sub, privilege), '[]') FROM held) AS held,
    ${everything ? ALL_BESIDE : "'[]'::jsonb"} AS beside,
    (SELECT coalesce(jsonb_agg(to_jsonb(future) ORDER BY role, creator, schema, objects, privilege), '[]') FROM future) AS future`;
}

/**
 * How the admin stands to roles that it may have to act as: whether it is one already, the options of a membership that
 * it granted to itself, and all it says in the catalog, to be compared with later.
 */
export function standing(roles: string[]): string {
  return `
  SELECT r.rolname::text AS role,
         CASE WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role(r.oid, 'USAGE') AND pg_has_role(r.oid, 'SET') ELSE pg_has_role(r.oid, 'MEMBER') END AS held,
         (SELECT json_build_object('inherit', m.inherit_option, 'set', m.set_option) FROM ${AUTH_MEMBERS} m
          WHERE m.roleid = r.oid AND m.member = me.oid AND m.grantor = me.oid AND m.inherit_option IS NOT NULL) AS options,
         (SELECT json_agg(json_build_array(m.grantor, m.admin_option, m.inherit_option, m.set_option) ORDER BY m.grantor) FROM ${AUTH_MEMBERS} m
          WHERE m.roleid = r.oid AND m.member = me.oid) AS rows
  FROM pg_catalog.pg_roles r CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) me
  WHERE r.rolname = ANY (${textArray(roles)})`;
}

/**
 * The shortest path on which the role reaches rds_iam, if any. Skipped is the ADMIN-only edge that 16 and newer give the
 * creator of a role: it passes nothing on. Roles are walked by their distance, and not path by path: of paths there may be
 * very many, and users can make more of them.
 */
export function pathToRdsIam(role: string): string {
  return `
  WITH RECURSIVE edge(member, oid) AS (
    SELECT m.member, m.roleid FROM ${AUTH_MEMBERS} m
    WHERE NOT (m.admin_option AND NOT coalesce(m.inherit_option, true) AND NOT coalesce(m.set_option, true))),
  walk(oid, distance) AS (
    SELECT oid, 0 FROM pg_catalog.pg_roles WHERE rolname = ${role}
    UNION
    SELECT edge.oid, walk.distance + 1 FROM walk JOIN edge ON edge.member = walk.oid),
  back(oid, distance, path) AS (
    (SELECT walk.oid, walk.distance, ARRAY[r.rolname::text] FROM walk JOIN pg_catalog.pg_roles r USING (oid)
     WHERE r.rolname = 'rds_iam' ORDER BY walk.distance LIMIT 1)
    UNION ALL
    SELECT before.oid, back.distance - 1, before.name || back.path FROM back CROSS JOIN LATERAL (
      SELECT walk.oid, r.rolname::text AS name
      FROM walk JOIN edge ON edge.member = walk.oid AND edge.oid = back.oid JOIN pg_catalog.pg_roles r ON r.oid = walk.oid
      WHERE walk.distance = back.distance - 1 ORDER BY r.rolname LIMIT 1) before)
  SELECT path FROM back WHERE distance = 0`;
}

/** Groups whose members are members of rds_iam through them. */
export const GROUPS_OF_RDS_IAM = `
  WITH RECURSIVE walk(oid) AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam'
    UNION SELECT m.member FROM walk w JOIN pg_catalog.pg_auth_members m ON m.roleid = w.oid
  )
  SELECT r.rolname::text AS name FROM walk w JOIN pg_catalog.pg_roles r USING (oid)
  WHERE EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = w.oid)`;

export const ADMIN_PATH_TO_RDS_IAM = pathToRdsIam('session_user');

/**
 * The memberships on all paths from the admin to rds_iam. Of PostgreSQL 14 and older, where each passes everything on; each role and membership
 * is looked at once, however many paths there are.
 */
export const LEADING_TO_RDS_IAM = `
  WITH RECURSIVE me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user),
  up(oid) AS (SELECT oid FROM me UNION SELECT m.roleid FROM up JOIN pg_catalog.pg_auth_members m ON m.member = up.oid),
  down(oid) AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam' UNION SELECT m.member FROM down JOIN pg_catalog.pg_auth_members m ON m.roleid = down.oid)
  SELECT g.rolname::text AS "group", v.rolname::text AS member, m.grantor = m.roleid AS "byItself",
         m.member = me.oid AND m.grantor <> me.oid AND gr.rolsuper IS NOT TRUE AS "isOfAdmin",
         m.grantor <> me.oid AND gr.rolsuper IS NOT TRUE AND m.grantor IN (SELECT oid FROM down) AS "byIamUser"
  FROM pg_catalog.pg_auth_members m JOIN up ON up.oid = m.member JOIN down ON down.oid = m.roleid CROSS JOIN me
  JOIN pg_catalog.pg_roles g ON g.oid = m.roleid JOIN pg_catalog.pg_roles v ON v.oid = m.member LEFT JOIN pg_catalog.pg_roles gr ON gr.oid = m.grantor
  ORDER BY 1, 2`;

/** In this database and of the server. Default privileges are counted as owned by their creator, but are no data. */
const HERE = "s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))";
const OWNED = "s.deptype = 'o' AND s.classid <> 'pg_catalog.pg_default_acl'::regclass";

/** Members of these roles, theirs and so on, that log in by other means than rds_iam. */
export function passwordMembers(roles: string[]): string {
  return `
  WITH RECURSIVE start AS (SELECT oid FROM pg_catalog.pg_roles WHERE ${isOneOf('rolname', roles)}),
  walk(oid) AS (
    SELECT oid FROM start
    UNION
    SELECT m.member FROM walk w JOIN ${AUTH_MEMBERS} m ON m.roleid = w.oid
    WHERE coalesce(m.inherit_option, true) OR coalesce(m.set_option, true))
  SELECT r.rolname::text AS member FROM walk w JOIN pg_catalog.pg_roles r USING (oid)
  WHERE w.oid NOT IN (SELECT oid FROM start) AND r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> session_user
    AND NOT pg_has_role(r.oid, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam'), 'MEMBER') ORDER BY 1`;
}

/** What the role owns in this database, and what it owns of the server. */
export function ownedObjects(role: string): string {
  return `
  SELECT FROM pg_catalog.pg_shdepend s
  WHERE s.refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)}) AND ${HERE} AND ${OWNED}`;
}

/** The roles on which anything here depends, and whether that is something they own. */
export function dependencies(roles: string[]): string {
  return `
  SELECT r.rolname::text AS role, bool_or(${OWNED}) AS owns
  FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
  WHERE ${HERE} AND ${isOneOf('r.rolname', roles)} GROUP BY r.rolname ORDER BY r.rolname`;
}

/** What the role owns, counted by database and kind. Details only the database itself knows. */
export function ownedCounts(role: string): string {
  return `
  SELECT string_agg(format('%s %s in %s', n, what, place), ', ' ORDER BY place, what) AS owned FROM (
    SELECT count(*) AS n, CASE s.classid WHEN 'pg_class'::regclass THEN 'tables, views and sequences' WHEN 'pg_proc'::regclass THEN 'functions'
             WHEN 'pg_namespace'::regclass THEN 'schemas' WHEN 'pg_type'::regclass THEN 'types' WHEN 'pg_database'::regclass THEN 'databases'
             WHEN 'pg_largeobject'::regclass THEN 'large objects' ELSE substr(s.classid::regclass::text, 4) END AS what,
           coalesce('database ' || quote_ident(d.datname), 'the server') AS place
    FROM pg_catalog.pg_shdepend s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
    WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)})
      AND s.deptype = 'o' AND s.classid <> 'pg_catalog.pg_default_acl'::regclass
    GROUP BY 2, 3) o`;
}
