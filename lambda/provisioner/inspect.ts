import { Row } from './connection';
import { Facts, parkedName } from './lifecycle';
import { CLAIMS, REGISTRY_EXISTS, ROLE, ROLES_BY_NAME } from './sql/catalog';
import { Claim, ObservedRole } from './state';
import { Transaction } from './transaction';

const READ_REGISTRY = { attempted: 'read the registry', needs: 'to own the schema cdk_aurora_iam_auth in database postgres' };

export async function registryExists(transaction: Transaction): Promise<boolean> {
  const [{ exists }] = await transaction.query<{ exists: boolean }>(READ_REGISTRY, REGISTRY_EXISTS);
  return exists;
}

/**
 * An oid alone does not make a role ours: in a database that was copied with pg_dump, the registry has those of another server.
 *
 * @param wanted names that matter beside those in the registry
 */
export async function readFacts(transaction: Transaction, wanted: string[] = []): Promise<Facts> {
  const rows = await registryExists(transaction) ? await transaction.query<Claim & Row>(READ_REGISTRY, CLAIMS) : [];
  const claims = rows.map(({ roleName, ...claim }) => ({ ...claim, roleName: roleName === claim.username || roleName === parkedName(claim.roleOid) ? roleName : undefined }));
  const names = [...wanted, ...claims.flatMap(claim => [claim.username, claim.roleName ?? claim.username])];
  return { claims, roles: await readRoles(transaction, names) };
}

/** Oid by name, of those that exist. */
export async function readRoles(transaction: Transaction, names: string[]): Promise<Map<string, string>> {
  const rows = await transaction.query<{ name: string; oid: string }>({ attempted: 'look roles up by name' }, ROLES_BY_NAME, [names]);
  return new Map(rows.map(({ name, oid }) => [name, oid]));
}

/** Undefined when there is no such role. */
export async function readRole(transaction: Transaction, username: string): Promise<ObservedRole | undefined> {
  const [role] = await transaction.query<ObservedRole & Row>({ attempted: `read role ${JSON.stringify(username)}` }, ROLE, [username]);
  return role;
}
