import { type ExpiredRole, expiredOnRecord, untilNextExpiry } from '../core/expiry';
import type { Facts } from '../core/lifecycle';
import { endedOnRecord } from '../core/membership-expiry';
import { PATIENCE_MS } from '../budget';
import { ProvisionError } from '../errors';
import { withAccess } from '../sql/logins';
import { endAccess } from './end-access';
import { endMemberships, endMembershipsAround, stillMembers } from './end-memberships';
import { placeOf } from './identities-now';
import { reportMissed } from './missed-expiry';
import { readFacts } from './inspect';
import type { Transaction } from './transaction';
import { inShared, type Work } from './work';

/** A schedule and this function have clocks of their own: an event that comes so much too early waits. */
const EARLY_MS = 30_000;

/**
 * Those that can sign in still, or have sessions. A plan ends none: what it would do to roles of its own, the changes
 * say.
 */
export async function stillWithAccess(transaction: Transaction, expired: ExpiredRole[]): Promise<ExpiredRole[]> {
  if (expired.length === 0 || transaction.view !== undefined) {
    return [];
  }
  const [rows] = await transaction.read(
    { attempted: 'look for the access of expired roles' },
    withAccess(expired.map(({ claim }) => claim.roleOid)),
  );
  const oids = new Set(rows.map(({ oid }) => oid));
  return expired.filter(({ claim }) => oids.has(claim.roleOid));
}

/**
 * Ends the access of expired roles, in transactions of its own. What cannot be ended of roles that the event does not
 * declare does not stop it.
 */
export async function endExpired(work: Work, roles: ExpiredRole[]): Promise<void> {
  const [own, others] = [true, false].map(isOwn => roles.filter(role => role.isOwn === isOwn));
  if (own.length > 0) {
    await endAccess(work, own, 'expired');
  }
  if (others.length > 0) {
    await endAccess(work, others, 'expired').catch((error: unknown) => {
      if (!(error instanceof ProvisionError)) {
        throw error;
      }
      work.log.info('access not ended', { reason: error.message });
    });
  }
}

/**
 * Ends the access of roles, and memberships, that the event is not about and whose time is over.
 *
 * @param except oids of roles that it removes
 */
export async function endOthersExpired(work: Work, facts: Facts, except: string[] = []): Promise<void> {
  const date = work.budget.date();
  const isOther = ({ claim }: ExpiredRole) => !except.includes(claim.roleOid);
  const expired = expiredOnRecord(facts, date, work.resourceId).filter(isOther);
  const ended = endedOnRecord(facts, date, placeOf(work)).filter(isOther);
  if (expired.length + ended.length > 0) {
    const [ending, members] = await inShared(work, async transaction =>
      [await stillWithAccess(transaction, expired), await stillMembers(transaction, ended)] as const);
    reportMissed(work, facts, [...ending, ...members]);
    await endExpired(work, ending);
    await endMembershipsAround(work, facts, members);
  }
}

/**
 * Ends the access of all roles, and all memberships, whose time is over by what the registry has, and of no other.
 *
 * @returns names of the roles
 */
export async function endAllExpired(work: Work): Promise<string[]> {
  const { facts, ending, members } = await inShared(work, async (transaction) => {
    const facts = await readFacts(transaction, work.registryExists);
    const date = work.budget.date();
    const ending = await stillWithAccess(transaction, expiredOnRecord(facts, date, work.resourceId));
    const members = await stillMembers(transaction, endedOnRecord(facts, date, placeOf(work)));
    return { facts, ending, members };
  });
  // A user whose login cannot be ended does not keep the memberships of others.
  const failure
    = ending.length === 0
      ? undefined
      : await endAccess(work, ending, 'expired').then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
  const left = members.length === 0 ? undefined : await endMemberships(work, facts, members);
  if (failure !== undefined) {
    throw failure.error;
  }
  const reasons = [left?.memberships ?? [], left?.sessions ?? []].flat();
  if (reasons.length > 0) {
    throw new ProvisionError(reasons.join('. And '));
  }
  const unknown = facts.unreadable.find(({ roleName, released }) => roleName !== undefined && !released);
  if (unknown !== undefined) {
    throw new ProvisionError(
      `it is not known whether the access of ${JSON.stringify(unknown.roleName)} has ended: ${unknown.problem}`,
    );
  }
  const next = untilNextExpiry(facts.claims, work.budget.date());
  if (next !== undefined && next <= EARLY_MS) {
    throw new ProvisionError(`the time of a role is over in ${next} ms by the clock of the function; invoke it then`, {
      retryUntil: PATIENCE_MS,
    });
  }
  return [...new Set([...ending, ...members].map(({ username }) => username))];
}
