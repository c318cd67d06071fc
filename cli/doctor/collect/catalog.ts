import { ClientBase } from 'pg';
import { CatalogFacts, CatalogRole, Limit } from '../observations';
import { CatalogWitness } from '../world';

/** Numbers of reserved connections; one of the settings is there from PostgreSQL 16 on. */
const SERVER = `SELECT count(*) FILTER (WHERE backend_type = 'client backend')::int AS used,
  (SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END)::int FROM pg_catalog.pg_settings
   WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')) AS max
  FROM pg_catalog.pg_stat_activity`;

const MEMBER = (group: string) =>
  `EXISTS (SELECT FROM pg_catalog.pg_roles g WHERE g.rolname = '${group}' AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER'))`;

const ROLES = `SELECT r.rolname AS name, r.rolcanlogin AS "canLogIn", ${MEMBER('rds_iam')} AS "isInRdsIam", ${MEMBER('rds_ad')} AS "isInRdsAd",
  r.rolconnlimit AS max, (SELECT count(*)::int FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid) AS used
  FROM pg_catalog.pg_roles r WHERE lower(r.rolname) = lower($1) ORDER BY r.rolname`;

const DATABASE = `SELECT d.datallowconn AS "allowsConnections", d.datconnlimit AS max,
  (SELECT count(*)::int FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid AND a.backend_type = 'client backend') AS used,
  (SELECT pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT') FROM pg_catalog.pg_roles r WHERE r.rolname = $2) AS "mayConnect"
  FROM pg_catalog.pg_database d WHERE d.datname = $1`;

interface DatabaseRow extends Limit {
  readonly allowsConnections: boolean;
  readonly mayConnect: boolean | null;
}

/** Reads the catalog itself, in any database of the server. Any role may read what is asked, but for the sessions of others. */
export class ConnectedWitness implements CatalogWitness {
  constructor(private readonly client: Pick<ClientBase, 'query'>) {}

  async ask(username: string, database: string): Promise<CatalogFacts> {
    const { rows: roles } = await this.client.query<Omit<CatalogRole, 'limit'> & Limit>(ROLES, [username]);
    const {
      rows: [found],
    } = await this.client.query<DatabaseRow>(DATABASE, [database, username]);
    const {
      rows: [server],
    } = await this.client.query<Limit>(SERVER);
    return {
      roles: roles.map(({ max, used, ...role }) => ({ ...role, limit: { max, used } })),
      database: (found as DatabaseRow | undefined) && {
        allowsConnections: found.allowsConnections,
        mayConnect: found.mayConnect ?? undefined,
        limit: { max: found.max, used: found.used },
      },
      server,
    };
  }
}
