import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { RdsProxy } from '../../rehearsal/rds-proxy';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { signIn, SignIn } from '../../rehearsal/sign-in';

/** What a proxy answers. */
export const IAM = (username: string) =>
  `refused: 28000 The IAM authentication failed for the role ${username}. Check the IAM token for this role and try again.`;
export const AT_DATABASE = (code: string, text: string, means: string) =>
  `refused: ${code} Request returned an error: ${text}; this is what the database answered to the proxy, which came with ${means}`;

export function resourceOf(rehearsal: Rehearsal, stack: string, start: string, type?: string): ResourceState {
  return rehearsal
    .resources(stack)
    .find(({ logicalId, type: its }) => logicalId.startsWith(start) && (type === undefined || its === type))!;
}

/** With a token that is for `tokenOf`. */
export function signInAs(
  rehearsal: Rehearsal,
  target: AuroraLikeServer | RdsProxy,
  role: ResourceState,
  username: string,
  others: Partial<SignIn> = {},
  tokenOf = target,
): Promise<string> {
  const password = tokenOf.token('', username, { credentials: rehearsal.credentialsOf(role) });
  return signIn(target, { username, password, database: 'shop', ...others });
}
