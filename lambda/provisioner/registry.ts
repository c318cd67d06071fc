import { isDeepStrictEqual } from 'node:util';
import { PATIENCE_MS } from './budget';
import { Change } from './change';
import { Attempt } from './database-error';
import { Decision, Facts, Registration } from './lifecycle';
import { ProvisionError, ServerError } from './errors';
import { checkRegistry } from './registry-check';
import { encodeDeclarations } from './registry-rows';
import {
  createRegistry, DROP_REGISTRY, forget, FORGET_DROPPED, holdRegistry, insert, registry, REGISTRY_IN_USE, RegistryFacts, release, SECURE_REGISTRY, setDeclarations,
} from './sql/registry';
import { setTimeouts } from './sql/session';
import { Claim, Declaration, Owner, sameResource, withRenamed } from './state';
import { LOCK_TIMEOUT_MS, Server, Step, Transaction } from './transaction';
import { Logger } from '../shared/logger';

const WRITE: Attempt = {
  attempted: 'write the registry',
  needs: 'CREATE on database postgres, and to own the schema cdk_aurora_iam_auth in it once that exists',
};

/** Who reads the registry for longer does not hold up a deployment: an empty one that stays does no harm. */
const IN_USE_MS = 1_000;

/**
 * Writes who manages which role, where that is not on record already. In the transaction that changes the roles.
 *
 * @param under way: the declaration is added to what may have been granted, and becomes all of it with `done`
 */
export function recordSteps(phase: 'under way' | 'done', facts: Facts, records: Registration[]): Step[] {
  const claims = byResource(facts.claims);
  const rows = records.map((registration) => {
    const replaced = (claims.get(resourceKey(registration)) ?? []).filter(claim => replaces(registration, claim));
    const declarations = phase === 'done' ? [registration.declaration] : distinct([...replaced.flatMap(({ declarations }) => declarations), registration.declaration]);
    return { registration, replaced, declarations };
  });
  return rows.length === 0
    ? []
    : [{
        attempt: WRITE,
        statements: [
          forget(rows.flatMap(({ replaced }) => replaced)),
          insert(rows.map(({ registration: { stack, stackId, logicalId, resourceId, physicalId, username }, declarations }) =>
            ({ stack, stackId, logicalId, resourceId, physicalId, username, declarations: encodeDeclarations(declarations) }))),
        ],
      }];
}

/** What is not on record as it is to be; another role may get the name. */
export function notOnRecord(facts: Facts, { changes, record }: Decision): Registration[] {
  const named = new Set(changes.flatMap(change => change.kind === 'createRole' ? [change.role] : change.kind === 'renameRole' ? [change.to] : []));
  const claims = byResource(facts.claims);
  return record.filter(wanted => named.has(wanted.username) || !(claims.get(resourceKey(wanted)) ?? []).some(claim => claim.username === wanted.username
    && claim.stackId === wanted.stackId
    && !claim.released
    && claim.roleName === wanted.username
    && claim.resourceId === wanted.resourceId
    && claim.physicalId === wanted.physicalId
    && isDeepStrictEqual(claim.declarations, [wanted.declaration])));
}

/** What others declare about a role goes with its name. */
export function renameSteps({ claims }: Facts, changes: Change[]): Step[] {
  const renames = changes.filter(change => change.kind === 'renameRole');
  const renamed = (declaration: Declaration) => renames.reduce((result, { role, to }) => withRenamed(result, role, to), declaration);
  const changed = (renames.length === 0 ? [] : claims)
    .map(claim => ({ claim, declarations: claim.declarations.map(renamed) }))
    .filter(({ claim, declarations }) => !isDeepStrictEqual(claim.declarations, declarations));
  return changed.length === 0 ? [] : [{ attempt: WRITE, statements: changed.map(({ claim, declarations }) => setDeclarations(claim, encodeDeclarations(declarations))) }];
}

/**
 * Puts back what was on record for a resource, and for the roles that it has on record now.
 *
 * @param complete whether all that was granted since has been taken back; if not, it may be later
 */
export function restoreSteps(me: Owner, facts: Facts, before: Claim[], complete: boolean): Step[] {
  const now = facts.claims.filter(claim => sameResource(claim, me));
  const rows = before
    .filter(claim => sameResource(claim, me) || now.some(({ roleOid }) => roleOid === claim.roleOid))
    .map(claim => complete ? claim : { ...claim, declarations: distinct([...now.filter(({ roleOid }) => roleOid === claim.roleOid).flatMap(({ declarations }) => declarations), ...claim.declarations]) });
  return [...forgetSteps(now), ...rows.length > 0 ? [{ attempt: WRITE, statements: [insert(rows.map(stored))] }] : []];
}

/** Looks at the registry within a transaction; what is wrong with it is refused. */
export async function registryExists(transaction: Transaction): Promise<boolean> {
  const { registryOwner, admin } = transaction.server;
  const [[facts]] = await transaction.read(WRITE, registry(registryOwner)) as unknown as [[RegistryFacts]];
  checkRegistry(facts, admin);
  await holdAsItIs(transaction, facts.exists);
  return facts.exists;
}

/**
 * Holds the registry as it is for a transaction that works with it. A registry of the admin can be changed by no other role; a group role has
 * other members.
 */
export async function holdAsItIs(transaction: Transaction, exists: boolean): Promise<void> {
  const { registryOwner, admin } = transaction.server;
  if (!exists || registryOwner === undefined || registryOwner === admin) {
    return;
  }
  try {
    await transaction.executeEndingBlockers(WRITE, ...holdRegistry(registryOwner));
  } catch (error) {
    throw asChanged(error, registryOwner);
  }
}

export function createSteps({ registryOwner, admin }: Server, { defaultGrantees }: RegistryFacts): Step[] {
  return [{ attempt: WRITE, statements: createRegistry({ owner: registryOwner, ownerName: registryOwner ?? admin, defaultGrantees }) }];
}

/**
 * Brings a registry of an earlier layout to that of this version: row-level security is enabled, and rows get the form that is stored now.
 * A session that has the table open delays the former, and fails no deployment: the next one does it.
 */
export async function bringUpToDate(transaction: Transaction, { exists, secured }: RegistryFacts, { withoutFormat }: Facts, log: Logger): Promise<void> {
  if (exists && !secured) {
    const secure = () => transaction.execute(WRITE, setTimeouts({ lock_timeout: IN_USE_MS }), SECURE_REGISTRY);
    const busy = await transaction.attempt(secure, ['55P03']);
    if (busy) {
      log.info('not secured', {
        reason: 'row-level security of the registry could not be enabled, because another session has the table open; the next deployment does it',
      });
    }
    await transaction.execute(WRITE, setTimeouts({ lock_timeout: LOCK_TIMEOUT_MS }));
  }
  if (withoutFormat.length > 0) {
    await transaction.apply([], { attempt: WRITE, statements: [insert(withoutFormat.map(stored))] });
  }
}

export function forgetSteps(claims: Claim[]): Step[] {
  return claims.length === 0 ? [] : [{ attempt: WRITE, statements: [forget(claims)] }];
}

/** Keeps roles on record whose resource is gone, so that the next resource of that name can have them. */
export function releaseSteps(claims: Claim[]): Step[] {
  return claims.length === 0 ? [] : [{ attempt: WRITE, statements: [release(claims)] }];
}

/** The last role leaves the database as it was, unless a session reads the registry just then, such as that of pg_dump. */
export async function dropIfUnused(transaction: Transaction): Promise<void> {
  if (!await registryExists(transaction)) {
    return;
  }
  const [, [{ inUse }]] = await transaction.execute(WRITE, FORGET_DROPPED, REGISTRY_IN_USE);
  if (inUse !== true) {
    // A role that may read the table can have it open, or make a view of it.
    const drop = () => transaction.execute(WRITE, setTimeouts({ lock_timeout: IN_USE_MS }), ...DROP_REGISTRY);
    await transaction.attempt(drop, ['55P03', '2BP01']);
  }
}

function stored(claim: Claim): Parameters<typeof insert>[0][number] {
  return { ...claim, declarations: encodeDeclarations(claim.declarations) };
}

/** 22012: it was found as it has to be, and is not any more. What it is then, the next look says. */
function asChanged(error: unknown, owner: string): unknown {
  const { cause } = error as Error;
  return cause instanceof ServerError && cause.sqlState === '22012'
    ? new ProvisionError(
        `the registry was changed while it was in use; keep other members of ${JSON.stringify(owner)} from changing it, and deploy again`,
        { retryUntil: PATIENCE_MS, cause: error },
      )
    : error;
}

/** A resource of one role has one row, whatever name it had; one of many has one for each name. A role that was kept under another name stays on record. */
function replaces({ supersedes, username }: Registration, claim: Claim): boolean {
  return claim.username === username || (supersedes === 'any name' && !claim.released);
}

/** A resource of many has many. */
function byResource(claims: Claim[]): Map<string, Claim[]> {
  const groups = new Map<string, Claim[]>();
  for (const claim of claims) {
    const group = groups.get(resourceKey(claim));
    if (group) {
      group.push(claim);
    } else {
      groups.set(resourceKey(claim), [claim]);
    }
  }
  return groups;
}

function resourceKey({ stack, logicalId }: Owner): string {
  return JSON.stringify([stack, logicalId]);
}

function distinct(declarations: Declaration[]): Declaration[] {
  return declarations.filter((declaration, index) => declarations.findIndex(other => isDeepStrictEqual(other, declaration)) === index);
}
