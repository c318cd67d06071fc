import { applyWhatCan } from './best-effort';
import { Budget } from './budget';
import { actors, Change, describe, merged } from './change';
import { Attempt } from './database-error';
import { ProvisionError, ServerError } from './errors';
import { carryOut } from './converge';
import { readDatabase, readFacts, readShared } from './inspect';
import { Journal } from './journal';
import { decideAfterRemoval, decideRemove, Decision, Removal } from './lifecycle';
import { planEndOfAccess, planSharedRemoval } from './plan';
import { planDatabaseRemoval } from './plan-database';
import { dropIfUnused, forgetSteps, releaseSteps } from './registry';
import { reportRenamed } from './renamed';
import { Request } from './request';
import { LONGEST_DELAY_MS } from './retry';
import { Session } from './session';
import { FIXED_DATABASE } from './sessions';
import { dependencies, endSessions, ownedCounts, sessions as sessionsOf } from './sql/catalog';
import { OnRemoval } from './state';
import { run, Transaction } from './transaction';
import { inDatabase, inShared, Work } from './work';

/** Sessions end within milliseconds once told to, unless a process hangs in the kernel. */
const END_OF_SESSIONS_MS = 10_000;
const POLL_MS = 50;

/** A Lambda function in a VPC starts and connects within this time. */
const UNTIL_CREATED_MS = 20_000;

/** The admin has no right to take something back, or it is gone: no reason to keep a login. */
const CANNOT_BE_REVOKED = ['01006', '01007', '0LP01', '2BP01', '3D000', '3F000', '42501', '42704', '42883', '42P01'];
const SOMETHING_DEPENDS_ON_IT = ['2BP01'];

type Leaving = Extract<Removal, { kind: 'remove' }>;

/**
 * Removes roles. First their access, committed, whatever comes after; then their sessions, which could not come back any more;
 * then what they hold, in all databases of the server, whoever has granted it; then the roles. A role that owns something is not
 * dropped, unless the template says who gets it: it stays, without access. Data is never dropped.
 */
export async function remove(work: Work, request: Request): Promise<void> {
  const { owner, kind, onRemoval } = request;
  const facts = await inShared(work, transaction => readFacts(transaction, work.registryExists));
  const removals = decideRemove(owner, request, facts);
  if (request.cancelled && removals.every(({ kind }) => kind === 'leave') && work.budget.waited() < UNTIL_CREATED_MS - LONGEST_DELAY_MS) {
    throw new ProvisionError('nothing to remove yet: the creation that was cancelled may be under way', { retryUntil: UNTIL_CREATED_MS });
  }
  if (removals.length === 0) {
    work.log.info('nothing to remove', { reason: 'this resource manages nobody who is not on its list any more' });
  }
  for (const removal of removals) {
    const { username } = removal;
    if (removal.kind === 'leave') {
      work.log.info('nothing to remove', { username, reason: removal.reason });
    } else if (removal.kind === 'handOver') {
      if (!removal.decision.forget.some(claim => reportRenamed(work, facts, claim))) {
        work.log.info('handed over', { username, reason: removal.heir ? `resource ${removal.heir.logicalId} manages it` : 'the role is gone' });
      }
      await carryOut(work, [], facts => handedOver(decideRemove(owner, request, facts).find(one => one.username === username)), new Journal());
    }
  }
  const leaving = removals.filter(removal => removal.kind === 'remove');
  if (leaving.length === 0) {
    return;
  }
  if (onRemoval.action === 'RETAIN') {
    return keep(work, leaving, 'it is to be retained, with its login and all it holds');
  }
  let tries = 0;
  await inShared(work, async (transaction) => {
    // Who changes its own password in a transaction that stays open has locked itself, and must not keep its access by that.
    if (tries++ > 0) {
      await transaction.read(endingSessions(leaving), endSessions(oidsOf(leaving)));
    }
    await endAccess(work, transaction, leaving, kind);
    if (onRemoval.action === 'DISABLE') {
      await refuseAccess(transaction, leaving, kind);
    }
  });
  await endSessionsOf(work, leaving);
  if (onRemoval.action === 'DISABLE') {
    return keep(work, leaving, 'it is to be disabled: it cannot log in any more, and has what it owns and holds');
  }
  await clear(work, leaving, onRemoval);
  await inShared(work, async (transaction) => {
    await dropRoles(work, transaction, leaving, kind);
    await transaction.apply(decideAfterRemoval(owner, await readFacts(transaction, true)));
    await dropIfUnused(transaction);
  });
}

/** What the admin takes back, takes with it what was passed on. For the rest it must act as those who have granted it; if it may not, the login goes even so. */
async function endAccess(work: Work, transaction: Transaction, leaving: Leaving[], kind: Request['kind']): Promise<void> {
  const plan = async () => [...(await readShared(transaction, namesOf(leaving))).roles.values()].flatMap(role => planEndOfAccess(kind, role));
  const changes = await plan();
  const ofTheAdmin = changes.filter(change => actors(change).length === 0);
  await transaction.apply(merged(ofTheAdmin));
  if (ofTheAdmin.length < changes.length) {
    await takeBack(work, transaction, await plan());
  }
}

/** PostgreSQL may do less than it is told to, with a warning at most. A user without login has no access; a group gives its members what it owns. */
async function refuseAccess(transaction: Transaction, leaving: Leaving[], kind: Request['kind']): Promise<void> {
  const { roles } = await readShared(transaction, namesOf(leaving));
  const left = [...roles.values()].filter(({ canLogin, members }) => canLogin || (kind === 'role' && members.length > 0)).flatMap(role => planEndOfAccess(kind, role));
  if (left.length > 0) {
    throw new ProvisionError(`access would be left behind: still to ${left.map(change => describe(change, FIXED_DATABASE)).join('; ')}, which another role has granted; `
      + 'take it back as that role, and delete again');
  }
}

/** Takes back what the roles hold, everywhere. */
async function clear(work: Work, leaving: Leaving[], onRemoval: OnRemoval): Promise<void> {
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

async function handOverOwned(transaction: Transaction, leaving: Leaving[], heir: string): Promise<void> {
  const [dependents] = await transaction.read({ attempted: 'look for what the roles own' }, dependencies(namesOf(leaving)));
  for (const { role, owns } of dependents as { role: string; owns: boolean }[]) {
    if (owns) {
      await transaction.apply([{ kind: 'reassignOwned', role, to: heir, as: [role, heir] }]);
    }
  }
}

async function clearDatabase(work: Work, transaction: Transaction, leaving: Leaving[]): Promise<void> {
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

async function dropRoles(work: Work, transaction: Transaction, leaving: Leaving[], kind: Request['kind']): Promise<void> {
  const drop = ({ username }: Leaving): Change => ({ kind: 'dropRole', role: username });
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
      reason: 'it has no access any more, but was not dropped because objects depend on it',
      owned: owned as string | null ?? undefined,
      dependents: dependents.fields.detail,
    });
  }
}

function keep(work: Work, leaving: Leaving[], reason: string): Promise<void> {
  leaving.forEach(({ username }) => work.log.info('kept', { username, reason }));
  return inShared(work, transaction => transaction.apply([], ...releaseSteps(leaving.map(({ claim }) => claim))));
}

function handedOver(removal: Removal | undefined): Decision {
  return removal?.kind === 'handOver' ? removal.decision : { changes: [], converge: [], record: [], forget: [], adopted: [] };
}

function endSessionsOf({ sessions, budget }: Work, leaving: Leaving[]): Promise<void> {
  return sessions.in(FIXED_DATABASE, session => endThem(session, budget, leaving));
}

async function endThem(session: Session, budget: Budget, leaving: Leaving[]): Promise<void> {
  const [attempt, oids] = [endingSessions(leaving), oidsOf(leaving)];
  const until = budget.elapsed() + END_OF_SESSIONS_MS;
  for (;;) {
    const [, [{ n }]] = await run(session, attempt, [endSessions(oids), sessionsOf(oids)]);
    if (n === 0) {
      return;
    }
    if (budget.elapsed() > until) {
      throw new ProvisionError(`cannot ${attempt.attempted}: ${String(n)} did not end within ${END_OF_SESSIONS_MS / 1000} s; end them (pg_terminate_backend) and delete again`);
    }
    await budget.sleep(POLL_MS);
  }
}

function ownSchemas(database: string, previous: Leaving['previous']): string[] {
  return previous.flatMap(({ databases }) => databases).filter(one => one.database === database).flatMap(({ schemas }) => schemas).filter(({ owner }) => owner).map(({ schema }) => schema);
}

function endingSessions(leaving: Leaving[]): Attempt {
  return { attempted: `end the sessions of ${leaving.map(({ claim }) => JSON.stringify(claim.username)).join(', ')}`, needs: 'to be a member of pg_signal_backend' };
}

/** Another role may have got the name meanwhile. */
function oidsOf(leaving: Leaving[]): string[] {
  return leaving.map(({ claim }) => claim.roleOid);
}

function namesOf(leaving: Leaving[]): string[] {
  return leaving.map(({ username }) => username);
}
