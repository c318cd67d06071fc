import { type ExpiredRole, expiredOnRecord } from '../core/expiry';
import type { Facts } from '../core/lifecycle';
import { endedOnRecord } from '../core/membership-expiry';
import { placeOf } from './identities-now';
import type { Work } from './work';

/**
 * A schedule calls within a minute or two, and a call that fails is tried again:
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const LATE_MS = 15 * 60_000;

const NAMES_LOGGED = 10;

/**
 * Says that another event has to end what the event of a schedule should have ended long ago: as a failure, which the
 * alarm of failures is raised by. Not of roles that have no schedule: those that are kept without a resource, and those
 * of the database that this one was copied from.
 *
 * @param ending roles whose access, or membership, is about to end
 */
export function reportMissed(work: Work, facts: Facts, ending: ExpiredRole[]): void {
  const long = work.budget.date() - LATE_MS;
  const overdue = [
    ...expiredOnRecord(facts, long, work.resourceId),
    ...endedOnRecord(facts, long, placeOf(work)).filter(({ groups }) => groups.length > 0),
  ];
  const isOverdue = (oid: string) => overdue.some(({ claim }) => claim.roleOid === oid);
  const hasSchedule = (oid: string) =>
    facts.claims.some(claim => claim.roleOid === oid && !claim.released && claim.resourceId === work.resourceId);
  const missed = ending
    .filter(({ claim }) => isOverdue(claim.roleOid) && hasSchedule(claim.roleOid))
    .map(({ username }) => username);
  if (missed.length > 0) {
    work.log.info('failed', {
      reason:
        `${missed
          .slice(0, NAMES_LOGGED)
          .map(name => JSON.stringify(name))
          .join(', ')} had access, or a membership, ${LATE_MS / 60_000} minutes after its end: `
          + 'the event of the schedule did not end it, or it was given back by hand; this event ends it. See whether the schedule is there, and what its calls of the alias expiry have logged',
      count: missed.length,
    });
  }
}
