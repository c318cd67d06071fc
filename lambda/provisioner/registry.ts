import { isDeepStrictEqual } from 'node:util';
import { readRoles, registryExists } from './inspect';
import { Registration } from './lifecycle';
import { REGISTRY_IN_USE } from './sql/catalog';
import { CREATE_REGISTRY, DROP_REGISTRY, FORGET_CLAIM, FORGET_DROPPED, FORGET_RESOURCE, KEEP_DISABLED, RECORD, RENAME_IN_DECLARATIONS, setLocal } from './sql/render';
import { Claim, sameResource } from './state';
import { Transaction } from './transaction';

const WRITE = {
  attempted: 'write the registry',
  needs: 'CREATE on database postgres, and to own the schema cdk_aurora_iam_auth in it once that exists',
};

/** Who reads the registry for longer does not hold up a deployment: an empty one that stays does no harm. */
const IN_USE_MS = 1_000;

/** Writes who manages which role, where that is not on record already. Same transaction as the roles. */
export async function record(transaction: Transaction, known: Claim[], records: Registration[]): Promise<void> {
  const roles = await readRoles(transaction, records.map(({ username }) => username));
  const news = records.filter(wanted => !known.some(claim => isOnRecord(claim, wanted, roles)));
  if (news.length > 0 && !await registryExists(transaction)) {
    await execute(transaction, CREATE_REGISTRY);
  }
  for (const { stack, stackId, logicalId, resourceId, username, declaration } of news) {
    await transaction.query(WRITE, FORGET_RESOURCE, [stackId, logicalId]);
    await transaction.query(WRITE, RECORD, [username, stack, stackId, logicalId, resourceId, JSON.stringify(declaration)]);
  }
}

export async function forget(transaction: Transaction, claims: Claim[]): Promise<void> {
  for (const { roleOid, stack, logicalId } of claims) {
    await transaction.query(WRITE, FORGET_CLAIM, [roleOid, stack, logicalId]);
  }
  await dropIfUnused(transaction);
}

/** Keeps a role on record whose resource is gone, so that the next resource of that name can have it. */
export async function keepDisabled(transaction: Transaction, { roleOid, stack, logicalId }: Claim): Promise<void> {
  await transaction.query(WRITE, KEEP_DISABLED, [roleOid, stack, logicalId]);
}

/** What others declare about a role goes with its name. */
export async function renameInDeclarations(transaction: Transaction, from: string, to: string): Promise<void> {
  await transaction.query(WRITE, RENAME_IN_DECLARATIONS, [from, to]);
}

/** The last one out leaves the database as it was, unless somebody reads the registry just then, such as pg_dump. */
async function dropIfUnused(transaction: Transaction): Promise<void> {
  if (await registryExists(transaction)) {
    await transaction.query(WRITE, FORGET_DROPPED);
    const [{ inUse }] = await transaction.query<{ inUse: boolean }>(WRITE, REGISTRY_IN_USE);
    if (!inUse) {
      await transaction.attempt(() => execute(transaction, [setLocal({ lock_timeout: IN_USE_MS }), ...DROP_REGISTRY]), ['55P03']);
    }
  }
}

async function execute(transaction: Transaction, statements: string[]): Promise<void> {
  for (const statement of statements) {
    await transaction.query(WRITE, statement);
  }
}

/** @param roles oid by name, after the changes: a role may have got the name of another */
function isOnRecord(claim: Claim, wanted: Registration, roles: ReadonlyMap<string, string>): boolean {
  return sameResource(claim, wanted)
    && claim.stackId === wanted.stackId
    && !claim.disabled
    && claim.roleOid === roles.get(wanted.username)
    && claim.resourceId === wanted.resourceId
    && claim.username === wanted.username
    && isDeepStrictEqual(claim.declaration, wanted.declaration);
}
