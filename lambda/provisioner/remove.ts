import { applyWhatCan } from './best-effort';
import { Change, describe, merged } from './change';
import { endAccess } from './end-access';
import { endSessionsOf } from './end-sessions';
import { ProvisionError, ServerError } from './errors';
import { carryOut } from './converge';
import { readDatabase, readFacts, readShared } from './inspect';
import { Journal } from './journal';
import { decideAfterRemoval, decideRemove, Decision, Facts, Removal, RoleRemoval } from './lifecycle';
import { FIXED_DATABASE } from './lock';
import { forbidLogin, planEndOfMembers, planSharedRemoval } from './plan';
import { planDatabaseRemoval } from './plan-database';
import { bringUpToDate, dropIfUnused, forgetSteps, releaseSteps } from './registry';
import { reportRenamed } from './renamed';
import { Request } from './request';
import { LONGEST_DELAY_MS } from './retry';
import { dependencies, ownedCounts } from './sql/catalog';
import { OnRemoval } from './state';
import { Transaction } from './transaction';
import { inDatabase, inShared, Work } from './work';

/** A Lambda function in a VPC starts and connects within this time. */
const UNTIL_CREATED_MS = 20_000;

/** The admin has no right to take something back, or it is gone: no reason to keep a login. */
const CANNOT_BE_REVOKED = ['01006', '01007', '0LP01', '2BP01', '3D000', '3F000', '42501', '42704', '42883', '42P01'];
const SOMETHING_DEPENDS_ON_IT = ['2BP01'];

/**
 * Removes roles that this resource alone manages, and hands over those that another one manages too. First of all ends the access of those that go. Of
 * what is unclear nothing is done, and the others are removed all the same.
 */
export async function remove(work: Work, request: Request): Promise<void> {
  const { owner } = request;
  const facts = await inShared(work, async (transaction) => {
    const found = await readFacts(transaction, work.registryExists);
    await bringUpToDate(transaction, work.lock.registry, found, work.log);
    return found;
  });
  const removals = decideRemove(owner, request, facts);
  if (request.cancelled && removals.every(({ kind }) => kind === 'leave') && work.budget.waited() < UNTIL_CREATED_MS - LONGEST_DELAY_MS) {
    throw new ProvisionError('nothing to remove yet: the creation that was cancelled may be under way', { retryUntil: UNTIL_CREATED_MS });
  }
  if (removals.length === 0) {
    work.log.info('nothing to remove', { reason: 'this resource manages no role that is not on its list any more' });
  }
  const leaving = removals.filter(removal => removal.kind === 'remove');
  if (leaving.length > 0) {
    await removeRoles(work, request, leaving);
  }
  for (const removal of removals) {
    if (removal.kind === 'leave') {
      work.log.info('nothing to remove', { username: removal.username, reason: removal.reason });
    } else if (removal.kind === 'handOver') {
      await handOver(work, request, facts, removal);
    }
  }
  const unclear = removals.find(removal => removal.kind === 'unclear');
  if (unclear) {
    throw new ProvisionError(unclear.problem);
  }
}

/**
 * First their access, committed, whatever comes after; then what they hold, in all databases of the server, whoever has granted it; then the roles.
 * A role that owns something is not dropped, unless the template says who gets it: it stays, without access. Data is never dropped.
 */
async function removeRoles(work: Work, request: Request, leaving: RoleRemoval[]): Promise<void> {
  const { owner, kind, onRemoval } = request;
  if (onRemoval.action === 'RETAIN') {
    return keep(work, leaving, 'it is to be retained, with its login and all it holds');
  }
  await endAccess(work, leaving, kind);
  if (onRemoval.action === 'DISABLE') {
    await inShared(work, transaction => refuseAccess(transaction, leaving, kind));
    return keep(work, leaving, 'it is to be disabled: it cannot log in any more, and has what it owns and holds');
  }
  for (const one of leaving) {
    if (one.problem !== undefined) {
      await keep(work, [one], `it cannot log in any more, and has what it owns and holds: ${one.problem}`);
    }
  }
  const understood = leaving.filter(({ problem }) => problem === undefined);
  if (understood.length === 0) {
    return;
  }
  await clear(work, understood, onRemoval);
  await inShared(work, async (transaction) => {
    await dropRoles(work, transaction, understood, request);
    await transaction.apply(decideAfterRemoval(owner, await readFacts(transaction, true)));
    work.lock.mayBeLast = true;
    await dropIfUnused(transaction);
  });
}

async function handOver(work: Work, request: Request, facts: Facts, { username, heir, decision }: Extract<Removal, { kind: 'handOver' }>): Promise<void> {
  const existing = new Set(facts.roles.values());
  const dropped = decision.forget.map(({ roleOid }) => roleOid).filter(oid => !existing.has(oid));
  const sessionsLeft = dropped.length === 0 ? undefined : await endSessionsOf(work, { removed: dropped });
  if (!decision.forget.some(claim => reportRenamed(work, facts, claim))) {
    work.log.info('handed over', { username, reason: heir ? `resource ${heir.logicalId} manages it` : 'the role is gone' });
  }
  await carryOut(work, [], facts => handedOver(decideRemove(request.owner, request, facts).find(one => one.username === username)), new Journal());
  if (sessionsLeft !== undefined) {
    throw new ProvisionError(sessionsLeft);
  }
}

/** PostgreSQL may do less than it is told to, with a warning at most. A user without login has no access, but its members have what it owns. */
async function refuseAccess(transaction: Transaction, leaving: RoleRemoval[], kind: Request['kind']): Promise<void> {
  const { roles } = await readShared(transaction, namesOf(leaving));
  const left = [...roles.values()].flatMap(role => [...forbidLogin(role), ...planEndOfMembers(kind, role)]);
  if (left.length > 0) {
    throw new ProvisionError(`access would be left behind: still to ${left.map(change => describe(change, FIXED_DATABASE)).join('; ')}, which another role has granted; `
      + 'take it back as that role, and delete again');
  }
}

/** Takes back what the roles hold, everywhere. */
async function clear(work: Work, leaving: RoleRemoval[], onRemoval: OnRemoval): Promise<void> {
  const roles = await inShared(work, async transaction => [...(await readShared(transaction, namesOf(leaving))).roles.values()]);
  // The fixed one first: there is what all databases share.
  const fixedAnd = (others: string[]) => [...new Set([FIXED_DATABASE, ...others.sort()])];
  const databases = fixedAnd(roles.flatMap(({ dependsIn }) => dependsIn));
  if (onRemoval.action === 'DROP') {
    for (const database of fixedAnd(roles.flatMap(({ ownsIn }) => ownsIn))) {
      await inDatabase(work, database, transaction => handOverOwned(transaction, leaving, onRemoval.reassignOwnedTo));
    }
  }
  await inShared(work, async (transaction) => {
    const { roles } = await readShared(transaction, namesOf(leaving));
    await takeBack(work, transaction, [...roles.values()].flatMap(planSharedRemoval));
  });
  for (const database of databases) {
    await inDatabase(work, database, transaction => clearDatabase(work, transaction, leaving)).catch((error: unknown) => {
      // A database that does not let the admin in keeps the role from being dropped, and no more than that.
      if (!(error instanceof ProvisionError && error.cause instanceof ServerError && error.retryUntil === 0)) {
        throw error;
      }
      work.log.info('not taken back', { database, reason: error.message });
    });
  }
}

async function handOverOwned(transaction: Transaction, leaving: RoleRemoval[], heir: string): Promise<void> {
  const [dependents] = await transaction.read({ attempted: 'look for what the roles own' }, dependencies(namesOf(leaving)));
  for (const { role, owns } of dependents as { role: string; owns: boolean }[]) {
    if (owns) {
      await transaction.apply([{ kind: 'reassignOwned', role, to: heir, as: [role, heir] }]);
    }
  }
}

async function clearDatabase(work: Work, transaction: Transaction, leaving: RoleRemoval[]): Promise<void> {
  const { database } = transaction;
  const state = await readDatabase(transaction, { roles: namesOf(leaving), schemas: [...new Set(leaving.flatMap(({ previous }) => ownSchemas(database, previous)))], everything: true });
  await takeBack(work, transaction, leaving.flatMap(({ username, previous }) => planDatabaseRemoval(database, username, previous, state)));
  // Policies, default privileges of its own, memberships it has granted.
  const [dependents] = await transaction.read({ attempted: 'look for what depends on the roles' }, dependencies(namesOf(leaving)));
  for (const { role, owns } of dependents as { role: string; owns: boolean }[]) {
    if (!owns) {
      await takeBack(work, transaction, [{ kind: 'dropOwned', role, as: role }]);
    }
  }
}

async function takeBack(work: Work, transaction: Transaction, changes: Change[]): Promise<void> {
  await applyWhatCan(work, transaction, merged(changes), 'not taken back', CANNOT_BE_REVOKED);
}

async function dropRoles(work: Work, transaction: Transaction, leaving: RoleRemoval[], { kind, single }: Request): Promise<void> {
  const drop = ({ username }: RoleRemoval): Change => ({ kind: 'dropRole', role: username });
  if (!await transaction.attempt(() => transaction.apply(leaving.map(drop)), SOMETHING_DEPENDS_ON_IT)) {
    return transaction.apply([], ...forgetSteps(leaving.map(({ claim }) => claim)));
  }
  for (const one of leaving) {
    const dependents = await transaction.attempt(() => transaction.apply([drop(one)]), SOMETHING_DEPENDS_ON_IT);
    if (!dependents) {
      await transaction.apply([], ...forgetSteps([one.claim]));
      continue;
    }
    await refuseAccess(transaction, [one], kind);
    await transaction.apply([], ...releaseSteps([one.claim]));
    const [[{ owned }]] = await transaction.read({ attempted: `look for what ${JSON.stringify(one.username)} owns` }, ownedCounts(one.username));
    work.log.info('kept', {
      username: one.username,
      reason: `it has no access any more, but was not dropped because objects depend on it${single ? `; ${howToRename(kind)}` : ''}`,
      owned: owned as string | null ?? undefined,
      dependents: dependents.fields.detail,
    });
  }
}

/** Another construct is another resource: with it, the role of the former one is removed and a new one is created. */
function howToRename(kind: Request['kind']): string {
  const property = kind === 'user' ? 'username' : 'roleName';
  return `if this was to be a rename, it needs another ${property} under the same construct id, because another construct id makes another role: `
    + `deploy the former id and name again, then give that id the new name as ${property}`;
}

function keep(work: Work, leaving: RoleRemoval[], reason: string): Promise<void> {
  leaving.forEach(({ username }) => work.log.info('kept', { username, reason }));
  return inShared(work, transaction => transaction.apply([], ...releaseSteps(leaving.map(({ claim }) => claim))));
}

function handedOver(removal: Removal | undefined): Decision {
  return removal?.kind === 'handOver' ? removal.decision : { changes: [], converge: [], record: [], forget: [], adopted: [] };
}

function ownSchemas(database: string, previous: RoleRemoval['previous']): string[] {
  return previous.flatMap(({ databases }) => databases).filter(one => one.database === database).flatMap(({ schemas }) => schemas).filter(({ owner }) => owner).map(({ schema }) => schema);
}

function namesOf(leaving: RoleRemoval[]): string[] {
  return leaving.map(({ username }) => username);
}
