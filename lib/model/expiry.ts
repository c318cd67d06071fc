import type { Warning } from './warning';

/** Id of the warning, for those who acknowledge it. */
const EXPIRED = 'cdk-aurora-iam-auth:expired';

const NAMES = 3;

/** Whether the access of a user has ended by now. @param expiresAt a time as `Date.toISOString()` writes it */
export function isExpired(expiresAt: string): boolean {
  return Date.parse(expiresAt) <= Date.now();
}

/** When the access of a user ends, in words; to the second, unless it is declared more exactly. */
export function expiryText(expiresAt: string): string {
  return `access ${isExpired(expiresAt) ? 'ended' : 'ends'} ${expiresAt.replace('.000Z', 'Z')}`;
}

/** When a membership ends, in words; nothing of one that does not. */
export function membershipExpiryText(expiresAt: string | undefined): string {
  return expiresAt === undefined
    ? ''
    : ` (${isExpired(expiresAt) ? 'ended' : 'ends'} ${expiresAt.replace('.000Z', 'Z')})`;
}

/** The same of a membership. */
export function expiredMembership(names: readonly string[], group: string, expiresAt: string): Warning | undefined {
  return isExpired(expiresAt)
    ? {
        id: EXPIRED,
        text: `expiresAt ${expiresAt} of the membership of ${listed(names)} in ${JSON.stringify(group)} has passed, `
          + 'so that it is not granted, and taken back where it is there; '
          + 'pass a later time, or take the membership out',
      }
    : undefined;
}

/** A fixed time has whole seconds as a rule, and one from the clock hardly ever. */
export function movingExpiry(expiresAt: Date): Warning | undefined {
  return expiresAt.getUTCMilliseconds() === 0
    ? undefined
    : {
        id: 'cdk-aurora-iam-auth:movingExpiry',
        text:
          `expiresAt ${expiresAt.toISOString()} has milliseconds, as a time that is computed from the clock: each synthesis would have a later one, so that the access never ends; `
          + "pass a fixed time, such as new Date('2027-01-31T12:00:00Z'), or acknowledge",
      };
}

/** No error: a template is deployed again after the time of its users is over. */
export function expiredUser(names: string[], expiresAt: Date): Warning | undefined {
  return isExpired(expiresAt.toISOString())
    ? {
        id: EXPIRED,
        text:
          `expiresAt ${expiresAt.toISOString()} of ${listed(names)} has passed, so that they are created without access, and lose it where they have it; `
          + 'pass a later time, or take the user out',
      }
    : undefined;
}

function listed(names: readonly string[]): string {
  const more = names.length > NAMES ? ` and ${names.length - NAMES} more` : '';
  return `${names.slice(0, NAMES).map(name => JSON.stringify(name)).join(', ')}${more}`;
}
