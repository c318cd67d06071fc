import type { IdentityQuestion } from '../core/identities';
import { actingAs, grantOptions, grantorOf, inherits, isOurs } from './grantors';
import { OWNED } from './dependencies';
import { AUTH_MEMBERS, EDGES } from './memberships';
import { isOneOf, textArray } from './quote';

/** What is read from the catalogs, with search_path = pg_catalog. Texts are the same for all supported majors. */

export const SERVER = `
  SELECT current_user::text AS admin, current_setting('server_version_num')::int AS version,
         EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam') AS "hasRdsIam"`;

/** What a superuser may do, it needs no membership for. */
export const ADMIN = 'SELECT rolsuper AS "isSuperuser" FROM pg_catalog.pg_roles WHERE rolname = current_user';

/**
 * Oid by name.
 *
 * @param registered beside those given, the names that this query has, of which there may be as many as roles
 */
export function rolesByName(names: string[], registered?: string): string {
  const wanted = `SELECT unnest(${textArray(names)}) AS name${registered === undefined ? '' : ` UNION (${registered})`}`;
  return `
  SELECT r.rolname::text AS name, r.oid::text AS oid FROM pg_catalog.pg_roles r
  JOIN (SELECT DISTINCT name FROM (${wanted}) w) wanted ON wanted.name = r.rolname::text`;
}

export const ENCODING = "SELECT pg_catalog.current_setting('server_encoding') AS encoding";

/**
 * Databases, and whether they can be connected to: -2 is the limit of one whose DROP DATABASE was interrupted, which is
 * as good as gone.
 */
export const DATABASES = `
  SELECT datname::text AS name, oid::text AS oid, datallowconn AND datconnlimit <> 0 AS open FROM pg_catalog.pg_database
  WHERE datconnlimit <> -2 ORDER BY 1`;

/**
 * Memberships of roles u, and in them. Without options one inherits if its member does, and can be set. Up to 15 there
 * is one row a membership and who may grant roles may revoke any; from 16 on each grantor takes back its own:
 * `granted_as`, if it is not the admin. Ours are those of the admin, of roles that it inherits from, and of superusers:
 * RDS is said to record them as the grantor.
 */
const MEMBERSHIPS = `
    SELECT m.roleid, m.member, g.rolname AS group_name, v.rolname AS member_name,
           coalesce(m.inherit_option, v.rolinherit) AS inherits,
           coalesce(m.set_option, true) AS settable, m.admin_option AS admin,
           CASE WHEN m.inherit_option IS NOT NULL AND m.grantor <> me.oid
             AND NOT gr.rolsuper THEN gr.rolname END AS granted_as,
           m.inherit_option IS NULL OR m.grantor = me.oid OR gr.rolsuper OR ${inherits('m.grantor')} AS ours
    FROM me CROSS JOIN ${AUTH_MEMBERS} m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
    JOIN pg_catalog.pg_roles v ON v.oid = m.member
    LEFT JOIN pg_catalog.pg_roles gr ON gr.oid = m.grantor
    WHERE m.roleid IN (SELECT oid FROM u) OR m.member IN (SELECT oid FROM u)`;

/**
 * Of a setting s, with its name. A role sets what it likes for itself, of any length, in each database: that must not
 * make it too large to be read, or its access could not be ended. What can be declared for all databases is shorter, as
 * it is stored.
 */
const MOST_BYTES = 'CASE s.setdatabase WHEN 0 THEN 4000 ELSE 250 END';

/**
 * Roles with what they hold that is shared by all databases of the server. There may be thousands: everything is read
 * once, however few the planner expects, and then put together by role. A membership that neither inherits nor can be
 * set (16 and newer) has no effect.
 *
 * @param dependencies of which of them is asked where they own or hold something: a role may own millions of objects,
 * and each is looked at
 */
export function rolesWithShared(names: string[], dependencies: string[]): string {
  const isAsked = dependencies.length > 0;
  return `
  WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
  u AS (SELECT oid, rolname::text AS role, rolcanlogin, rolinherit, rolconnlimit FROM pg_catalog.pg_roles
    WHERE ${isOneOf('rolname', names)}),
  m AS MATERIALIZED (${MEMBERSHIPS}),
  memberships AS MATERIALIZED (
    SELECT member AS oid, json_agg(json_build_object('group', group_name, 'inherits', inherits,
      'effective', inherits OR settable, 'admin', admin, 'as', granted_as, 'ours', ours)
                                   ORDER BY group_name, granted_as) AS list
    FROM m WHERE member IN (SELECT oid FROM u) GROUP BY member),
  members AS MATERIALIZED (
    SELECT roleid AS oid, json_agg(json_build_object('member', member_name, 'effective', inherits OR settable,
      'as', granted_as) ORDER BY member_name, granted_as) AS list
    FROM m CROSS JOIN me WHERE roleid IN (SELECT oid FROM u) AND m.member <> me.oid GROUP BY roleid),
  acl AS MATERIALIZED (SELECT d.datname, d.datdba, d.datacl, a.* FROM pg_catalog.pg_database d
    CROSS JOIN LATERAL aclexplode(d.datacl) a),
  databases AS MATERIALIZED (
    SELECT a.grantee AS oid, json_agg(json_build_object('database', a.datname, 'privilege', a.privilege_type,
      'grantable', a.is_grantable,
                               'ours', ${isOurs('a.grantor', 'a.datdba')},
                               'as', ${actingAs('a.grantor', 'a.datdba')}, 'grantor', ${OF_DATABASE.grantor},
                               'through', ${OF_DATABASE.through}) ORDER BY a.datname, a.privilege_type) AS list
    FROM acl a CROSS JOIN me WHERE a.grantee IN (SELECT oid FROM u) AND a.datdba <> a.grantee GROUP BY a.grantee),
  settings AS MATERIALIZED (
    SELECT s.setrole AS oid, json_agg(json_build_object('database', d.datname, 'parameter', split_part(c, '=', 1),
      'value', CASE WHEN octet_length(c) <= ${MOST_BYTES} THEN substr(c, strpos(c, '=') + 1) END)
                                 ORDER BY d.datname, c) AS list
    FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL unnest(s.setconfig) c
    WHERE s.setrole IN (SELECT oid FROM u) GROUP BY s.setrole)${
      isAsked
        ? `,
  depends AS MATERIALIZED (
    SELECT s.refobjid AS oid, json_agg(DISTINCT d.datname::text ORDER BY d.datname::text) AS list,
           json_agg(DISTINCT d.datname::text ORDER BY d.datname::text) FILTER (WHERE ${OWNED}) AS owned
    FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
    WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass
      AND s.refobjid IN (SELECT oid FROM u WHERE ${isOneOf('role', dependencies)}) GROUP BY s.refobjid)`
        : ''
    }
  SELECT u.role, u.oid::text AS oid, u.rolcanlogin AS "canLogin", u.rolinherit AS inherits,
         u.rolconnlimit AS "connectionLimit", coalesce(settings.list, '[]') AS settings,
         coalesce(memberships.list, '[]') AS memberships,
         coalesce(members.list, '[]') AS members, coalesce(databases.list, '[]') AS databases,
         ${isAsked ? "coalesce(depends.list, '[]')" : "'[]'::json"} AS "dependsIn",
         ${isAsked ? "coalesce(depends.owned, '[]')" : "'[]'::json"} AS "ownsIn"
  FROM u LEFT JOIN memberships USING (oid) LEFT JOIN members USING (oid) LEFT JOIN databases USING (oid)
  LEFT JOIN settings USING (oid)${isAsked ? ' LEFT JOIN depends USING (oid)' : ''}`;
}

/** As in server_version_num: privileges on configuration parameters are there from 15 on. */
const PARAMETERS_SINCE = 150000;

/** What roles have been granted that all databases share, beside memberships and privileges on databases. */
export function otherShared(names: string[], version: number): string {
  return `
  SELECT r.rolname::text AS role, o.kind AS "on", o.name, a.privilege_type AS privilege, a.is_grantable AS grantable,
         coalesce(${actingAs('a.grantor', 'o.owner')},
           ${grantorOf({ grantor: 'a.grantor', privilege: 'a.privilege_type', owner: 'o.owner', acl: 'o.acl' }).grantor}) AS "as"
  FROM (
    SELECT 'TABLESPACE' AS kind, spcname::text AS name, spcowner AS owner, spcacl AS acl FROM pg_catalog.pg_tablespace
    ${version >= PARAMETERS_SINCE ? "UNION ALL SELECT 'PARAMETER', parname, 10::oid, paracl FROM pg_catalog.pg_parameter_acl" : ''}) o
  CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) me
  CROSS JOIN LATERAL aclexplode(o.acl) a JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
  WHERE ${isOneOf('r.rolname', names)} AND o.owner <> a.grantee ORDER BY 1, 2, 3, 4`;
}

/** Roles and all those that they are members of, themselves or through others. */
export function reachable(names: string[]): string {
  return `
  WITH RECURSIVE reach(oid) AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE ${isOneOf('rolname', names)}
    UNION
    SELECT m.roleid FROM reach r JOIN pg_catalog.pg_auth_members m ON m.member = r.oid)
  SELECT r.rolname::text AS role, r.oid = me.oid AS "isAdmin", r.rolsuper AS "isSuperuser",
         r.rolcreaterole AS "createsRoles",
         (SELECT coalesce(json_agg(json_build_object('group', g.rolname, 'effective', e.effective) ORDER BY g.rolname),
           '[]')
          FROM (${EDGES}) e(member, roleid, effective) JOIN pg_catalog.pg_roles g ON g.oid = e.roleid
          WHERE e.member = r.oid) AS "memberOf"
  FROM reach JOIN pg_catalog.pg_roles r USING (oid)
  CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) me`;
}

/** Databases, with the role that can pass their privileges on. */
export function databaseOwners(names: string[]): string {
  return `
  SELECT d.datname::text AS database, pg_get_userbyid(d.datdba)::text AS owner,
         ${actingAs('d.datdba', 'd.datdba')} AS "as",
         ${grantOptions('d.datdba', 'd.datacl')} AS options
  FROM pg_catalog.pg_database d CROSS JOIN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) me
  WHERE ${isOneOf('d.datname', names)}`;
}

/**
 * As GRANT takes them: of an aggregate the types alone, for it knows no ORDER BY there. Without IN, a procedure with an
 * OUT argument of that type could be meant as well.
 */
const ARGUMENTS
  = "(SELECT coalesce(string_agg('IN ' || format_type(t, NULL), ', ' ORDER BY n), '') FROM unnest(p.proargtypes) WITH ORDINALITY a(t, n))";

export interface DatabaseQuestion {
  /** Names of the roles whose privileges are asked for. */
  readonly roles: string[];
  /** Schemas to look at. */
  readonly schemas: string[];
  /** Names and oids to look for, in these schemas and in those that have these oids. */
  readonly identities?: IdentityQuestion;
  /** Look at everything else too: all schemas, those of the system included, and the other kinds of objects. */
  readonly everything: boolean;
}

const OF_DATABASE = grantorOf({
  grantor: 'a.grantor',
  privilege: 'a.privilege_type',
  owner: 'a.datdba',
  acl: 'a.datacl',
});
const OF_OBJECT = grantorOf({
  grantor: 'a.grantor',
  privilege: 'a.privilege_type',
  owner: 'o.owner',
  acl: 'o.grantable_acl',
});

export const NO_IDENTITIES: IdentityQuestion = { names: [], columns: [], schemaOids: [], objectOids: [] };

/** Schemas of temporary objects: only their own session can use what is in them. */
const TEMPORARY = '^pg_(toast_)?temp';

const ALL_BESIDE
  = "(SELECT coalesce(jsonb_agg(to_jsonb(beside) ORDER BY role, kind, what), '[]') FROM beside WHERE what IS NOT NULL)";

/**
 * A type t that can be named in GRANT ... ON TYPE, domains included, and that is not there because of something else:
 * arrays, multiranges and types of the rows of tables are. One that is only announced has another typtype.
 */
const IS_TYPE = `(t.typtype IN ('b', 'd', 'e', 'r')
      AND NOT (t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc)
      OR t.typtype = 'c' AND t.oid IN (SELECT reltype FROM pg_catalog.pg_class WHERE relkind = 'c'))`;

/** How many tables, sequences, functions and types there are. */
export function objectCount(schemas: string[]): string {
  const inSchemas = `(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY (${textArray(schemas)}))`;
  return `
  SELECT ((SELECT count(*) FROM pg_catalog.pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relnamespace IN ${inSchemas})
          + (SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace IN ${inSchemas})
          + (SELECT count(*) FROM pg_catalog.pg_type t WHERE ${IS_TYPE} AND t.typnamespace IN ${inSchemas}))::int AS n`;
}

/**
 * One row with everything about roles in the database of the session: schemas and objects that privileges can be
 * granted on, and what the roles hold. `kind` is the word that GRANT ... ON expects. Objects of an extension are
 * marked: its script decides about their privileges.
 */
export function rolesInDatabase({ roles, schemas, identities = NO_IDENTITIES, everything }: DatabaseQuestion): string {
  const { names, columns } = identities;
  const [schemaOids, objectOids] = [identities.schemaOids, identities.objectOids].map(
    oids => `${textArray(oids)}::oid[]`,
  );
  const isNamed = `(nspname = ANY (${textArray(schemas)})${
    identities.schemaOids.length + identities.objectOids.length === 0
      ? ''
      : ` OR oid = ANY (${schemaOids}) OR oid IN (
      SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = ANY (${objectOids})
      UNION ALL SELECT pronamespace FROM pg_catalog.pg_proc WHERE oid = ANY (${objectOids})
      UNION ALL SELECT typnamespace FROM pg_catalog.pg_type WHERE oid = ANY (${objectOids}))`
  })`;
  return `
  WITH me AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user),
  who AS (SELECT oid, rolname::text AS role FROM pg_catalog.pg_roles WHERE rolname = ANY (${textArray(roles)})),
  ns AS (
    SELECT oid, nspname::text AS schema, nspowner, nspacl, ${isNamed} AS named FROM pg_catalog.pg_namespace
    WHERE ${isNamed} OR ${everything} AND nspname !~ '${TEMPORARY}'),
  object(kind, schema, named, name, sub, classid, oid, owner, acl) AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, ns.schema, ns.named, c.relname::text, NULL::text,
           'pg_class'::regclass, c.oid, c.relowner, c.relacl
    FROM pg_catalog.pg_class c JOIN ns ON ns.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't')
    UNION ALL
    SELECT 'ROUTINE', ns.schema, ns.named, p.proname::text, ${ARGUMENTS}, 'pg_proc'::regclass, p.oid, p.proowner,
           p.proacl
    FROM pg_catalog.pg_proc p JOIN ns ON ns.oid = p.pronamespace WHERE ns.named OR p.proacl IS NOT NULL
    UNION ALL
    SELECT 'TYPE', ns.schema, ns.named AND ${IS_TYPE}, t.typname::text, NULL,
           'pg_type'::regclass, t.oid, t.typowner, t.typacl
    FROM pg_catalog.pg_type t JOIN ns ON ns.oid = t.typnamespace WHERE ns.named AND ${IS_TYPE} OR t.typacl IS NOT NULL),
  other(kind, schema, name, sub, classid, oid, owner, acl, grantable_acl) AS (
    SELECT 'SCHEMA', schema, NULL::text, NULL::text, 'pg_namespace'::regclass, oid, nspowner, nspacl, nspacl FROM ns
    UNION ALL
    SELECT 'COLUMN', o.schema, o.name, a.attname::text, o.classid, o.oid, o.owner, a.attacl, o.acl || a.attacl
    FROM object o JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid WHERE o.kind = 'TABLE' AND a.attacl IS NOT NULL
      AND NOT a.attisdropped
    UNION ALL
    SELECT 'LANGUAGE', NULL, lanname::text, NULL, 'pg_language'::regclass, oid, lanowner, lanacl, lanacl
    FROM pg_catalog.pg_language WHERE lanacl IS NOT NULL AND ${everything}
    UNION ALL
    SELECT 'FOREIGN DATA WRAPPER', NULL, fdwname::text, NULL, 'pg_foreign_data_wrapper'::regclass, oid, fdwowner,
           fdwacl, fdwacl FROM pg_catalog.pg_foreign_data_wrapper WHERE ${everything}
    UNION ALL
    SELECT 'FOREIGN SERVER', NULL, srvname::text, NULL, 'pg_foreign_server'::regclass, oid, srvowner, srvacl, srvacl
    FROM pg_catalog.pg_foreign_server WHERE ${everything}
    UNION ALL
    SELECT 'LARGE OBJECT', NULL, oid::text, NULL, 'pg_largeobject'::regclass, oid, lomowner, lomacl, lomacl
    FROM pg_catalog.pg_largeobject_metadata WHERE ${everything}),
  identified AS (
    SELECT kind, schema, name, oid, oid = ANY (${objectOids}) AS recorded FROM object
    WHERE named AND (name = ANY (${textArray(names)}) OR oid = ANY (${objectOids}))),
  held AS (
    SELECT who.role, o.kind, o.schema, o.name, o.sub, a.privilege_type AS privilege, a.is_grantable AS grantable,
           ${actingAs('a.grantor', 'o.owner')} AS "as",
           ${OF_OBJECT.grantor} AS grantor, ${OF_OBJECT.through} AS through, ${isOurs('a.grantor', 'o.owner')} AS ours,
           o.classid, o.oid
    FROM (SELECT kind, schema, name, sub, classid, oid, owner, acl, acl AS grantable_acl FROM object
      UNION ALL SELECT * FROM other) o
    CROSS JOIN me CROSS JOIN LATERAL aclexplode(o.acl) a JOIN who ON who.oid = a.grantee WHERE o.owner <> a.grantee),
  future AS (
    SELECT who.role, pg_get_userbyid(d.defaclrole)::text AS creator, n.nspname::text AS schema,
           CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
             WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END AS objects,
           a.privilege_type AS privilege, a.is_grantable AS grantable
    FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
    CROSS JOIN LATERAL aclexplode(d.defaclacl) a JOIN who ON who.oid = a.grantee WHERE d.defaclrole <> a.grantee)${
      everything
        ? `,
  depends AS MATERIALIZED (
    SELECT who.role, s.deptype, s.classid, s.objid, s.objsubid, h.oid IS NOT NULL AS known
    FROM pg_catalog.pg_shdepend s JOIN who ON who.oid = s.refobjid
    LEFT JOIN (SELECT DISTINCT role, classid, oid FROM held) h ON h.role = who.role AND h.classid = s.classid
      AND h.oid = s.objid
    WHERE s.refclassid = 'pg_authid'::regclass
      AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND s.classid <> 'pg_default_acl'::regclass),
  beside AS (
    SELECT role, CASE deptype WHEN 'a' THEN 'privileges' WHEN 'r' THEN 'policy' ELSE 'other' END AS kind,
           pg_describe_object(classid, objid, objsubid) AS what
    FROM depends CROSS JOIN LATERAL pg_identify_object(classid, objid, objsubid) WHERE deptype <> 'o'
      AND NOT (deptype = 'a' AND known) AND coalesce(schema, name, '') !~ '${TEMPORARY}'
    UNION ALL
    SELECT role, 'owned', count(*)::text FROM depends WHERE deptype = 'o' GROUP BY role)`
        : ''
    }
  SELECT
    (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', ns.schema, 'owner', pg_get_userbyid(ns.nspowner),
      'as', ${actingAs('ns.nspowner', 'ns.nspowner')}, 'options', ${grantOptions('ns.nspowner', 'ns.nspacl')},
              'empty', NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = ns.oid AND d.deptype = 'n'))
                  ORDER BY ns.schema), '[]')
     FROM ns CROSS JOIN me WHERE ns.named) AS schemas,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', o.kind, 'schema', o.schema, 'name', o.name, 'args', o.sub,
      'owner', pg_get_userbyid(o.owner), 'as', ${actingAs('o.owner', 'o.owner')},
      'options', ${grantOptions('o.owner', 'o.acl', 'o.oid')},
              'ofExtension', EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e')) ORDER BY o.kind, o.schema, o.name,
                  o.sub), '[]')
     FROM object o CROSS JOIN me WHERE o.named) AS objects,
    (SELECT coalesce(jsonb_agg(to_jsonb(held) - '{classid,oid}'::text[] ORDER BY role, kind, schema, name, sub,
      privilege), '[]') FROM held) AS held,
    ${everything ? ALL_BESIDE : "'[]'::jsonb"} AS beside,
    jsonb_build_object(
      'oid', (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()),
      'schemas', (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', schema, 'oid', oid::text) ORDER BY schema),
        '[]') FROM ns WHERE named),
      'objects', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'schema', schema, 'name', name,
        'oid', oid::text) ORDER BY kind, schema, name, oid), '[]') FROM identified),
      'columns', (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', schema, 'table', i.name, 'name', a.attname,
        'oid', oid::text, 'number', a.attnum) ORDER BY schema, i.name, a.attnum), '[]')
                  FROM identified i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.oid AND a.attnum > 0
                    AND NOT a.attisdropped
                  WHERE i.kind = 'TABLE' AND (a.attname = ANY (${textArray(columns)}) OR i.recorded))) AS found,
    (SELECT coalesce(jsonb_agg(to_jsonb(future) ORDER BY role, creator, schema, objects, privilege), '[]')
      FROM future) AS future`;
}
