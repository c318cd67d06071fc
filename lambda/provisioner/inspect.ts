import { Facts, parkedName } from './lifecycle';
import { DatabaseOwner, ObservedRole } from './plan';
import { DatabaseState } from './plan-database';
import { databaseOwners, DatabaseQuestion, DATABASES, rolesByName, rolesInDatabase, rolesWithShared } from './sql/catalog';
import { CLAIMS, REGISTERED_NAMES } from './sql/registry';
import { Claim } from './state';
import { Transaction } from './transaction';

const READ_REGISTRY = { attempted: 'read the registry', needs: 'to own the schema cdk_aurora_iam_auth in database postgres' };

/**
 * An oid alone does not make a role ours: in a database that was copied with pg_dump, the registry has those of another server.
 *
 * @param wanted names that matter beside those in the registry
 */
export async function readFacts(transaction: Transaction, registryExists: boolean, wanted: string[] = []): Promise<Facts> {
  const results = registryExists
    ? await transaction.read(READ_REGISTRY, DATABASES, rolesByName(wanted, REGISTERED_NAMES), CLAIMS)
    : await transaction.read({ attempted: 'look roles up by name' }, DATABASES, rolesByName(wanted));
  const [databases, roles, rows = []] = results as unknown as [{ name: string }[], { name: string; oid: string }[], Claim[]];
  return {
    claims: rows.map(({ roleName, ...claim }) => ({ ...claim, roleName: roleName === claim.username || roleName === parkedName(claim.roleOid) ? roleName : undefined })),
    roles: new Map(roles.map(({ name, oid }) => [name, oid])),
    databases: databases.map(({ name }) => name),
  };
}

export interface Shared {
  readonly roles: ReadonlyMap<string, ObservedRole>;
  /** Of the databases that were asked for and exist. */
  readonly owners: DatabaseOwner[];
}

/** What all databases of the server share: roles, and privileges on databases. */
export async function readShared(transaction: Transaction, names: string[], databases: string[] = []): Promise<Shared> {
  if (names.length + databases.length === 0) {
    return { roles: new Map(), owners: [] };
  }
  const attempt = { attempted: `read ${names.length === 1 ? `role ${JSON.stringify(names[0])}` : `${names.length} roles`}` };
  const [roles, owners] = await transaction.read(attempt, rolesWithShared(names), databaseOwners(databases)) as unknown as [ObservedRole[], DatabaseOwner[]];
  return { roles: new Map(roles.map(role => [role.role, role])), owners };
}

/** What the database of the transaction has for these roles. */
export async function readDatabase(transaction: Transaction, question: DatabaseQuestion): Promise<DatabaseState> {
  const [[state]] = await transaction.read({ attempted: `read database ${JSON.stringify(transaction.database)}` }, rolesInDatabase(question));
  return state as unknown as DatabaseState;
}
