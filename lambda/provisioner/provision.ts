import { Budget } from './budget';
import { describe } from './change';
import { Session } from './connection';
import { ProvisionError } from './errors';
import { readFacts, readRole } from './inspect';
import { decideAfterRemoval, decideApply, decideRemove, Decision, Facts, Removal } from './lifecycle';
import { Logger } from './logger';
import { plan, planDisable } from './plan';
import { forget, keepDisabled, record } from './registry';
import { Request } from './request';
import { SESSIONS } from './sql/catalog';
import { END_SESSIONS } from './sql/render';
import { RDS_IAM } from './state';
import { inTransaction, run, Transaction } from './transaction';

/** Sessions end within milliseconds once told to, unless a process hangs in the kernel. */
const END_OF_SESSIONS_MS = 10_000;
const POLL_MS = 50;

/** Makes the user as declared, in one transaction: either all of it is true afterwards, or nothing has changed. */
export async function apply(session: Session, budget: Budget, log: Logger, request: Request): Promise<void> {
  const { owner, username, declaration } = request;
  await inTransaction(session, budget, log, async (transaction) => {
    refuseServer(transaction, username);
    const facts = await readFacts(transaction, [username]);
    await carryOut(transaction, facts, decideApply(owner, { username, declaration }, facts));
  });
}

/**
 * Removes the user. First its access, committed; then its sessions, which could not come back any more; then the role. A role
 * that something in a database depends on cannot be dropped without loss: it stays, without access.
 */
export async function remove(session: Session, budget: Budget, log: Logger, request: Request): Promise<void> {
  const disabled = await inTransaction(session, budget, log, async (transaction) => {
    const facts = await readFacts(transaction);
    const removal = decideRemove(request.owner, request.username, facts);
    if (removal.kind === 'remove') {
      const observed = await readRole(transaction, removal.username);
      await transaction.apply(observed ? planDisable(removal.username, observed, removal.previous) : []);
      return removal.username;
    }
    return handOver(transaction, log, facts, removal);
  });
  if (disabled === undefined) {
    return;
  }
  await endSessions(session, budget, disabled);
  await inTransaction(session, budget, log, async (transaction) => {
    const facts = await readFacts(transaction);
    const removal = decideRemove(request.owner, request.username, facts);
    if (removal.kind !== 'remove') {
      return handOver(transaction, log, facts, removal);
    }
    const dependents = await transaction.tryApply({ kind: 'dropUser', username: removal.username }, '2BP01');
    if (dependents) {
      await keepDisabled(transaction, removal.claim);
      log.info('kept', { username: removal.username, reason: 'it cannot log in any more, but was not dropped because objects depend on it', dependents: dependents.fields.detail });
    } else {
      await forget(transaction, [removal.claim]);
    }
    return transaction.apply(decideAfterRemoval(request.owner, await readFacts(transaction)));
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
  await transaction.apply(decision.changes);
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
  if (username === admin) {
    throw new ProvisionError(`username ${JSON.stringify(username)} is not allowed: it is the admin of the database, whose password would stop working as a member of ${RDS_IAM}; `
      + 'create a user of another name');
  }
}

async function endSessions(session: Session, budget: Budget, username: string): Promise<void> {
  const attempt = { attempted: `end the sessions of ${JSON.stringify(username)}`, needs: 'to be a member of pg_signal_backend' };
  const until = budget.elapsed() + END_OF_SESSIONS_MS;
  for (;;) {
    await run(session, attempt, END_SESSIONS, [username]);
    const [{ n }] = await run<{ n: number }>(session, attempt, SESSIONS, [username]);
    if (n === 0) {
      return;
    }
    if (budget.elapsed() > until) {
      throw new ProvisionError(`cannot ${attempt.attempted}: ${n} did not end within ${END_OF_SESSIONS_MS / 1000} s; end them (pg_terminate_backend) and delete again`);
    }
    await budget.sleep(POLL_MS);
  }
}
