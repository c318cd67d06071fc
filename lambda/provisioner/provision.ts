import { usernameProblem } from '../../lib/contract/names';
import { Budget } from './budget';
import { describe } from './change';
import { Session } from './connection';
import { ProvisionError } from './errors';
import { readFacts, readRole } from './inspect';
import { decideAfterRemoval, decideApply, decideRemove, Decision, Facts, Removal } from './lifecycle';
import { Logger } from './logger';
import { plan, planEndOfAccess, planRevokes } from './plan';
import { forget, keepDisabled, record, renameInDeclarations } from './registry';
import { Request } from './request';
import { SESSIONS } from './sql/catalog';
import { END_SESSIONS } from './sql/render';
import { Claim, RDS_IAM } from './state';
import { inTransaction, run, Transaction } from './transaction';

/** Sessions end within milliseconds once told to, unless a process hangs in the kernel. */
const END_OF_SESSIONS_MS = 10_000;
const POLL_MS = 50;

/** The admin has lost the right to take something back, or it is gone: no reason to keep a user's login. */
const CANNOT_BE_REVOKED = ['01006', '42501', '42704', '3D000'];
const SOMETHING_DEPENDS_ON_IT = ['2BP01'];

/** Makes the user as declared, in one transaction: either all of it is true afterwards, or nothing has changed. */
export async function apply(session: Session, budget: Budget, log: Logger, request: Request): Promise<void> {
  await inTransaction(session, budget, log, async (transaction) => {
    refuseServer(transaction, request.username);
    const facts = await readFacts(transaction, [request.username]);
    await carryOut(transaction, facts, decideApply(request.owner, request, facts));
  });
}

/**
 * Removes the user. First its access, committed, whatever comes after; then its sessions, which could not come back any more;
 * then the role. A role that something in a database depends on cannot be dropped without loss: it stays, without access.
 */
export async function remove(session: Session, budget: Budget, log: Logger, request: Request): Promise<void> {
  const disabled = await inTransaction(session, budget, log, async (transaction) => {
    const facts = await readFacts(transaction);
    const removal = decideRemove(request.owner, request, facts);
    if (removal.kind !== 'remove') {
      return handOver(transaction, log, facts, removal);
    }
    const observed = await readRole(transaction, removal.username);
    await transaction.apply(observed ? planEndOfAccess(removal.username, observed) : []);
    return removal.claim;
  });
  if (disabled === undefined) {
    return;
  }
  await endSessions(session, budget, disabled);
  await inTransaction(session, budget, log, async (transaction) => {
    const facts = await readFacts(transaction);
    const removal = decideRemove(request.owner, request, facts);
    if (removal.kind !== 'remove') {
      return handOver(transaction, log, facts, removal);
    }
    await drop(transaction, log, removal);
    await transaction.apply(decideAfterRemoval(request.owner, await readFacts(transaction)));
  });
}

async function drop(transaction: Transaction, log: Logger, { username, claim, previous }: Extract<Removal, { kind: 'remove' }>): Promise<void> {
  const observed = await readRole(transaction, username);
  for (const change of observed ? planRevokes(username, observed, previous) : []) {
    await transaction.attempt(() => transaction.apply([change]), CANNOT_BE_REVOKED);
  }
  const dependents = await transaction.attempt(() => transaction.apply([{ kind: 'dropUser', username }]), SOMETHING_DEPENDS_ON_IT);
  if (!dependents) {
    return forget(transaction, [claim]);
  }
  await keepDisabled(transaction, claim);
  const left = await readRole(transaction, username);
  log.info('kept', {
    username,
    reason: 'it cannot log in any more, but was not dropped because objects depend on it',
    dependents: dependents.fields.detail,
    memberOf: left?.memberOf.join(', '),
  });
}

async function handOver(transaction: Transaction, log: Logger, facts: Facts, removal: Exclude<Removal, { kind: 'remove' }>): Promise<undefined> {
  if (removal.kind === 'leave') {
    log.info('nothing to remove', { reason: removal.reason });
  } else {
    await carryOut(transaction, facts, removal.decision);
  }
}

async function carryOut(transaction: Transaction, facts: Facts, decision: Decision): Promise<void> {
  for (const change of decision.changes) {
    await transaction.apply([change]);
    if (change.kind === 'renameUser') {
      await renameInDeclarations(transaction, change.username, change.to);
    }
  }
  for (const { username, wanted, previous } of decision.converge) {
    const missing = async () => {
      const observed = await readRole(transaction, username);
      return observed && plan(username, observed, wanted, previous);
    };
    await transaction.apply(await missing() ?? []);
    const left = await missing();
    if (left?.length !== 0) {
      throw new ProvisionError(`user ${JSON.stringify(username)} is not as declared after all changes were made: still to ${left?.map(describe).join(', ') ?? 'create it'}; `
        + 'look for grants of other roles to it, and for event triggers that undo the changes');
    }
  }
  await record(transaction, facts.claims, decision.record);
  if (decision.forget.length > 0) {
    await forget(transaction, decision.forget);
  }
}

function refuseServer({ server: { admin, hasRdsIam } }: Transaction, username: string): void {
  if (!hasRdsIam) {
    throw new ProvisionError(`role ${RDS_IAM} does not exist on this server: it is there on Aurora PostgreSQL and RDS for PostgreSQL; `
      + 'check that the host is one, in a version with IAM database authentication');
  }
  const problem = usernameProblem(username, admin);
  if (problem) {
    throw new ProvisionError(problem);
  }
}

/** By oid: another user may have got the name meanwhile. */
async function endSessions(session: Session, budget: Budget, { roleOid, username }: Claim): Promise<void> {
  const attempt = { attempted: `end the sessions of ${JSON.stringify(username)}`, needs: 'to be a member of pg_signal_backend' };
  const until = budget.elapsed() + END_OF_SESSIONS_MS;
  for (;;) {
    await run(session, attempt, END_SESSIONS, [roleOid]);
    const [{ n }] = await run<{ n: number }>(session, attempt, SESSIONS, [roleOid]);
    if (n === 0) {
      return;
    }
    if (budget.elapsed() > until) {
      throw new ProvisionError(`cannot ${attempt.attempted}: ${n} did not end within ${END_OF_SESSIONS_MS / 1000} s; end them (pg_terminate_backend) and delete again`);
    }
    await budget.sleep(POLL_MS);
  }
}
