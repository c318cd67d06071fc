import { HERE_ONLY, OWNED } from './dependencies';
import { CAN_BECOME } from './grantors';
import { isOneOf, literal } from './quote';

/** Kinds of objects whose new owner needs CREATE on their schema. Tables, views, sequences and types need nothing. */
const IN_SCHEMA = [
  'pg_proc',
  'pg_operator',
  'pg_opclass',
  'pg_opfamily',
  'pg_collation',
  'pg_conversion',
  'pg_statistic_ext',
  'pg_ts_config',
  'pg_ts_dict',
];

/**
 * Kinds whose new owner needs CREATE on the database. A subscription does from 16 on; before, it belongs to a
 * superuser. Of a schema the admin needs it.
 */
const IN_DATABASE = ['pg_publication', 'pg_subscription'];

const isKind = (...kinds: string[]) => `classid IN (${kinds.map(kind => `'pg_catalog.${kind}'::regclass`).join(', ')})`;

/** Kinds that only a superuser may own. Of publications, those for all tables. */
const OF_SUPERUSERS = `(${isKind('pg_event_trigger', 'pg_foreign_data_wrapper')}
    OR ${isKind('pg_subscription')} AND current_setting('server_version_num')::int < 160000
    OR ${isKind('pg_publication')} AND objid IN (SELECT oid FROM pg_catalog.pg_publication WHERE puballtables))`;

/**
 * What keeps a role from becoming the owner of what others own in this database: the statements that change that, and
 * objects that only a superuser may own. With `mayCreate`, also what would keep it from that if they created something
 * in all schemas in which they may.
 *
 * @see https://www.postgresql.org/docs/current/sql-reassign-owned.html
 */
export function obstaclesTo(newOwner: string, roles: string[], { mayCreate }: { readonly mayCreate: boolean }): string {
  return `
  WITH me AS (SELECT oid, rolname FROM pg_catalog.pg_roles WHERE rolname = current_user),
  n AS (SELECT oid, rolname, rolsuper FROM pg_catalog.pg_roles WHERE rolname = ${literal(newOwner)}),
  r AS (SELECT oid, rolname FROM pg_catalog.pg_roles WHERE ${isOneOf('rolname', roles)}),
  db AS (SELECT oid, datname FROM pg_catalog.pg_database WHERE datname = current_database()),
  owned AS (SELECT DISTINCT s.classid, s.objid FROM pg_catalog.pg_shdepend s JOIN r ON r.oid = s.refobjid
    WHERE ${HERE_ONLY} AND ${OWNED})
  SELECT format('GRANT CREATE ON SCHEMA %I TO %I', ns.nspname, n.rolname) AS sql, NULL AS superusers
  FROM pg_catalog.pg_namespace ns CROSS JOIN n
  WHERE NOT has_schema_privilege(n.oid, ns.oid, 'CREATE')
    AND (quote_ident(ns.nspname) IN (SELECT (pg_identify_object(classid, objid, 0)).schema FROM owned
      WHERE ${isKind(...IN_SCHEMA)})
      ${mayCreate ? "OR ns.nspname !~ '^pg_' AND EXISTS (SELECT FROM r WHERE has_schema_privilege(r.oid, ns.oid, 'CREATE'))" : ''})
  UNION ALL
  SELECT format('GRANT CREATE ON DATABASE %I TO %I', db.datname, n.rolname), NULL FROM db CROSS JOIN n
  WHERE NOT has_database_privilege(n.oid, db.oid, 'CREATE')
    AND EXISTS (SELECT FROM owned WHERE ${isKind(...IN_DATABASE)})
  UNION ALL
  SELECT format('GRANT CREATE ON DATABASE %I TO %I', db.datname, me.rolname), NULL FROM db CROSS JOIN me
  WHERE NOT has_database_privilege(me.oid, db.oid, 'CREATE')
    AND EXISTS (SELECT FROM owned WHERE ${isKind('pg_namespace')})
  UNION ALL
  SELECT DISTINCT format('GRANT USAGE ON FOREIGN DATA WRAPPER %I TO %I', w.fdwname, n.rolname), NULL
  FROM owned JOIN pg_catalog.pg_foreign_server f ON f.oid = objid AND ${isKind('pg_foreign_server')}
  JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = f.srvfdw CROSS JOIN n
  WHERE NOT has_foreign_data_wrapper_privilege(n.oid, w.oid, 'USAGE')
  UNION ALL
  SELECT format('GRANT %I TO %I WITH ADMIN OPTION', one.rolname, me.rolname), NULL
  FROM (SELECT oid, rolname FROM n UNION SELECT oid, rolname FROM r) one CROSS JOIN me
  WHERE one.oid <> me.oid AND NOT pg_has_role(one.oid, 'USAGE') AND NOT ${CAN_BECOME('one.oid')}
  UNION ALL
  SELECT NULL, pg_describe_object(classid, objid, 0) FROM owned CROSS JOIN n WHERE NOT n.rolsuper AND ${OF_SUPERUSERS}
  ORDER BY 1, 2`;
}
