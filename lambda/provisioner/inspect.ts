import { PREDEFINED_ROLES, strongRole } from '../../lib/contract/predefined-roles';
import { Facts } from './lifecycle';
import { DatabaseOwner, ObservedRole } from './plan';
import { Beside, DatabaseState } from './plan-database';
import { decodeRows } from './registry-rows';
import { databaseOwners, DatabaseQuestion, DATABASES, otherShared, reachedFrom, rolesByName, rolesInDatabase, rolesWithShared } from './sql/catalog';
import { CLAIMS, END_REGISTRY_LOCKERS, REGISTERED_NAMES } from './sql/registry';
import { Transaction } from './transaction';

const READ_REGISTRY = { attempted: 'read the registry', needs: 'to own the schema cdk_aurora_iam_auth in database postgres' };

/** @param wanted names that matter beside those in the registry */
export async function readFacts(transaction: Transaction, registryExists: boolean, wanted: string[] = []): Promise<Facts> {
  const [databases, roles, rows = []] = registryExists
    ? (await transaction.execute(READ_REGISTRY, END_REGISTRY_LOCKERS, DATABASES, rolesByName(wanted, REGISTERED_NAMES), CLAIMS)).slice(1)
    : await transaction.read({ attempted: 'look roles up by name' }, DATABASES, rolesByName(wanted));
  return {
    ...decodeRows(rows, transaction.server.admin),
    roles: new Map((roles as { name: string; oid: string }[]).map(({ name, oid }) => [name, oid])),
    databases: (databases as { name: string }[]).map(({ name }) => name),
  };
}

export interface Shared {
  readonly roles: ReadonlyMap<string, ObservedRole>;
  /** Of the databases that were asked for and exist. */
  readonly owners: DatabaseOwner[];
  /** Of the groups that were asked for. */
  readonly reached: Reached[];
}

/** A role whose rights the members of a group get, or can take. */
export interface Reached {
  readonly group: string;
  readonly role: string;
  readonly isAdmin: boolean;
  readonly isSuperuser: boolean;
  readonly createsRoles: boolean;
}

export interface SharedQuestion {
  /** Roles of which everything is asked for that they have been granted. */
  readonly exclusive?: string[];
  /** Roles whose members get the rights of others. */
  readonly groups?: string[];
}

/** What all databases of the server share: roles, and what they have been granted there. */
export async function readShared(transaction: Transaction, names: string[], databases: string[] = [], { exclusive = [], groups = [] }: SharedQuestion = {}): Promise<Shared> {
  if (names.length + databases.length + groups.length === 0) {
    return { roles: new Map(), owners: [], reached: [] };
  }
  const attempt = { attempted: `read ${names.length === 1 ? `role ${JSON.stringify(names[0])}` : `${names.length} roles`}` };
  const { registryOwner } = transaction.server;
  const optional = [
    ...exclusive.length > 0 ? [otherShared(exclusive, transaction.server.version)] : [],
    ...groups.length > 0 ? [reachedFrom(groups, [...PREDEFINED_ROLES.map(({ name }) => name).filter(strongRole), ...registryOwner === undefined ? [] : [registryOwner]])] : [],
  ];
  const [roles, owners, ...more] = await transaction.read(attempt, rolesWithShared(names), databaseOwners(databases), ...optional) as unknown[];
  const others = (exclusive.length > 0 ? more.shift() : []) as (ObservedRole['others'][number] & { role: string })[];
  return {
    roles: new Map((roles as ObservedRole[]).map(role => [role.role, { ...role, others: others.filter(one => one.role === role.role) }])),
    owners: owners as DatabaseOwner[],
    reached: (groups.length > 0 ? more.shift() : []) as Reached[],
  };
}

/** What the database of the transaction has for these roles. */
export async function readDatabase(transaction: Transaction, question: DatabaseQuestion): Promise<DatabaseState & { readonly beside: Beside[] }> {
  const [[state]] = await transaction.read({ attempted: `read database ${JSON.stringify(transaction.database)}` }, rolesInDatabase(question));
  return state as unknown as DatabaseState & { beside: Beside[] };
}
