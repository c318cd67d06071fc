import type { Facts } from './lifecycle';
import { type ManagingResource, sameResource } from './state';

/** Clocks of AWS differ by less. A time that is further in the future was not CloudFormation's. */
const MAX_SKEW_MS = 300_000;

/**
 * When another resource of a stack fails, CloudFormation cancels an event that is under way, and sends the one that
 * takes it back. An event that waits for a connection or for the lock can be carried out after the one that took it
 * back. CloudFormation does not wait for its answer any more, and what it makes would stay.
 *
 * Nothing in an event names the one that it takes back: each has a RequestId of its own, and a Delete has a physical id
 * that CloudFormation makes up. But each has a pre-signed URL, which says when it was sent. A Create of the next
 * deployment is sent after the Delete of the one before has ended.
 *
 * @param sent when the event was sent, in milliseconds since 1970. If that is not known, a Create is as old as its
 * invocation
 * @param elapsedMs since its invocation began
 * @returns why the event is not carried out, or nothing
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
 */
export function whatOvertook(
  self: ManagingResource, sent: number | undefined, elapsedMs: number, { claims, cancelled, now = 0 }: Facts,
): string | undefined {
  const isOurs = (other: ManagingResource) => sameResource(other, self) && other.stackId === self.stackId;
  const isTime = (time: number) => time <= now + MAX_SKEW_MS;
  const time = sent ?? now - elapsedMs;
  if (cancelled.some(one => isOurs(one) && isTime(one.sent) && time <= one.sent)) {
    return `CloudFormation has cancelled the creation of ${self.logicalId}, `
      + 'and its Delete was carried out before this event came to its turn: nothing was done';
  }
  const isLater = (time: number | undefined) => sent !== undefined && time !== undefined && isTime(time) && sent < time;
  const later = claims.some(claim => isOurs(claim) && !claim.released && isLater(claim.sent));
  return later
    ? `CloudFormation has sent another event for ${self.logicalId} since, `
    + 'which was carried out before this one came to its turn: nothing was done'
    : undefined;
}
