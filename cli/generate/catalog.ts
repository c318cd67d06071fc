import { MembershipGraph, RoleInGraph } from '../../lambda/provisioner/core/membership-graph';
import { Beside, DatabaseState } from '../../lambda/provisioner/core/plan-database';
import { ObservedRole } from '../../lambda/provisioner/core/plan-shared';
import { FIXED_DATABASE } from '../../lambda/provisioner/core/state';
import { otherShared, reachable, rolesInDatabase, rolesWithShared, SERVER } from '../../lambda/provisioner/sql/catalog';
import { IN_RDS_IAM, WITH_TOKEN } from '../../lambda/provisioner/sql/memberships';
import { CLAIMS } from '../../lambda/provisioner/sql/registry-rows';

/** Reads one database of the server. The answer has the columns of the query. */
export type Ask = <Row>(query: string) => Promise<Row[]>;

/** What is read of one database, or why it is not. */
export type Visit = <Answer>(database: string, read: (ask: Ask) => Promise<Answer>) => Promise<Answer | Unread>;

/** A database that could not be read. */
export class Unread {
  constructor(readonly why: string) {}
}

/** A role, with the attributes that no declaration has. */
export interface CatalogRole {
  readonly name: string;
  readonly canLogin: boolean;
  /** Whether it signs in with tokens; null if that is not known. */
  readonly withToken: boolean | null;
  readonly isSuperuser: boolean;
  /** Such as `CREATEDB`. */
  readonly attributes: string[];
}

export interface CatalogDatabase extends DatabaseState {
  readonly database: string;
  readonly beside: Beside[];
}

/** Everything that the catalogs say of the roles of a server. */
export interface Catalog {
  readonly admin: string;
  /** As in server_version_num. */
  readonly version: number;
  readonly roles: CatalogRole[];
  readonly observed: ReadonlyMap<string, ObservedRole>;
  readonly graph: MembershipGraph;
  /** Owners of all databases. */
  readonly owners: ReadonlyMap<string, string>;
  /** Those that were read. */
  readonly databases: CatalogDatabase[];
  /** Reasons by name of the database. */
  readonly unread: ReadonlyMap<string, string>;
  /** By role: the resource of a stack that manages it already. Undefined if there is a registry that cannot be read. */
  readonly managed?: ReadonlyMap<string, string>;
}

const ROLES = `
  WITH RECURSIVE ${IN_RDS_IAM}
  SELECT r.rolname::text AS name, r.rolcanlogin AS "canLogin", ${WITH_TOKEN} AS "withToken", r.rolsuper AS "isSuperuser",
         array_remove(ARRAY[CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN r.rolreplication THEN 'REPLICATION' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
           CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END, 'VALID UNTIL ' || r.rolvaliduntil::text], NULL) AS attributes
  FROM pg_catalog.pg_roles r ORDER BY r.rolname::text COLLATE "C"`;

/** With why a database cannot be entered. Templates are for new databases, and rdsadmin is of RDS. */
const DATABASES = `
  SELECT d.datname::text AS name, pg_get_userbyid(d.datdba)::text AS owner,
         d.datistemplate OR d.datname = 'rdsadmin' AS "isNone",
         CASE WHEN NOT d.datallowconn OR d.datconnlimit = 0 THEN 'it accepts no connections'
              WHEN NOT has_database_privilege(d.oid, 'CONNECT') THEN 'the user that reads it has no CONNECT there' END AS why
  FROM pg_catalog.pg_database d WHERE d.datconnlimit <> -2 ORDER BY d.datname::text COLLATE "C"`;

const SCHEMAS = `
  SELECT nspname::text AS name FROM pg_catalog.pg_namespace
  WHERE nspname !~ '^(pg_|cdk_aurora_iam_auth)' AND nspname <> 'information_schema'`;

const HAS_REGISTRY = `
  SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'cdk_aurora_iam_auth' AND c.relname = 'managed_role'`;

/** Of PostgreSQL, RDS and this library: no declaration can be about them. */
export function isReserved(role: string): boolean {
  return /^(pg_|rds|cdk_aurora_iam_auth)/.test(role);
}

/**
 * @param first database in which what all have in common is read
 * @param only databases to read @default - all that can be entered
 */
export async function readCatalog(visit: Visit, first: string, only?: string[]): Promise<Catalog> {
  const shared = await visit(first, readShared);
  if (shared instanceof Unread) {
    throw new Error(shared.why);
  }
  const { roles, databases: all, ...others } = shared;
  const own = all.filter(({ isNone }) => !isNone);
  const unread = new Map(own.flatMap(({ name, why }) => {
    const reason = why ?? (only === undefined || only.includes(name) ? undefined : '--database does not name it');
    return reason === undefined ? [] : [[name, reason]];
  }));
  const subjects = subjectsOf(roles, shared.admin);
  const databases: CatalogDatabase[] = [];
  for (const { name } of own.filter(({ name }) => !unread.has(name))) {
    const read = await visit(name, ask => readDatabase(ask, name, subjects));
    if (read instanceof Unread) {
      unread.set(name, read.why);
    } else {
      databases.push(read);
    }
  }
  const hasFixedDatabase = all.some(({ name, why }) => name === FIXED_DATABASE && why === null);
  const managed = hasFixedDatabase ? await visit(FIXED_DATABASE, readManaged) : new Map<string, string>();
  return {
    ...others, roles, databases, unread,
    owners: new Map(all.map(({ name, owner }) => [name, owner])),
    managed: managed instanceof Unread ? undefined : managed,
  };
}

function subjectsOf(roles: CatalogRole[], admin: string): string[] {
  return roles.map(({ name }) => name).filter(name => !isReserved(name) && name !== admin);
}

async function readShared(ask: Ask) {
  const [{ admin, version }] = await ask<{ admin: string; version: number }>(SERVER);
  const roles = await ask<CatalogRole>(ROLES);
  const names = subjectsOf(roles, admin);
  const observed = await ask<ObservedRole>(rolesWithShared(names, names));
  const others = await ask<ObservedRole['others'][number] & { role: string }>(otherShared(names, version));
  return {
    admin, version, roles,
    observed: new Map(
      observed.map(role => [role.role, { ...role, others: others.filter(one => one.role === role.role) }]),
    ),
    graph: new MembershipGraph(await ask<RoleInGraph>(reachable(names))),
    databases: await ask<{ name: string; owner: string; isNone: boolean; why: string | null }>(DATABASES),
  };
}

async function readDatabase(ask: Ask, database: string, roles: string[]): Promise<CatalogDatabase> {
  const schemas = (await ask<{ name: string }>(SCHEMAS)).map(({ name }) => name);
  const [row] = await ask<DatabaseState & { beside: Beside[] }>(rolesInDatabase({ roles, schemas, everything: true }));
  return { ...row, database };
}

/** What other stacks manage, as far as the registry can be read. */
async function readManaged(ask: Ask): Promise<Map<string, string> | undefined> {
  const [registry] = await ask<{ readable: boolean }>(HAS_REGISTRY);
  if (!registry?.readable) {
    return registry === undefined ? new Map() : undefined;
  }
  const claims = await ask<{ roleName: string | null; stackId: string; logicalId: string; released: boolean }>(CLAIMS);
  return new Map(claims.flatMap(({ roleName, stackId, logicalId, released }) =>
    roleName === null || released ? [] : [[roleName, `resource ${logicalId} of stack ${stackId}`]]));
}
