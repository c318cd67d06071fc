import { type Change, describe } from '../core/change';
import type { RoleRemoval } from '../core/lifecycle';
import { forbidLogin, planEndOfMembers } from '../core/plan-shared';
import { FIXED_DATABASE } from '../core/state';
import { ProvisionError } from '../errors';
import type { Request } from '../request';
import { ownedCounts } from '../sql/dependencies';
import { readShared } from './inspect';
import { forgetSteps, keepSteps } from './registry';
import type { Transaction } from './transaction';
import type { Work } from './work';

export const SOMETHING_DEPENDS_ON_IT = ['2BP01'];

/**
 * PostgreSQL may do less than it is told to, with a warning at most. A user without login has no access, but its
 * members have what it owns.
 */
export async function refuseAccess(
  transaction: Transaction,
  leaving: RoleRemoval[],
  kind: Request['kind'],
): Promise<void> {
  const { roles } = await readShared(transaction, namesOf(leaving));
  const left = [...roles.values()].flatMap(role => [...forbidLogin(role), ...planEndOfMembers(kind, role)]);
  if (left.length > 0) {
    throw new ProvisionError(
      `access would be left behind: still to ${left.map(change => describe(change, FIXED_DATABASE)).join('; ')}, which another role has granted; `
      + 'take it back as that role, and delete again',
    );
  }
}

export function drop({ username }: RoleRemoval): Change {
  return { kind: 'dropRole', role: username };
}

/** Drops roles; one that something depends on stays, without access. */
export async function dropRoles(
  work: Work,
  transaction: Transaction,
  leaving: RoleRemoval[],
  request: Request,
): Promise<void> {
  const { kind, single } = request;
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
    await transaction.apply([], ...keepSteps([one.claim], request));
    const [[{ owned }]] = await transaction.read(
      { attempted: `look for what ${JSON.stringify(one.username)} owns` },
      ownedCounts(one.username),
    );
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
  return (
    `if this was to be a rename, it needs another ${property} under the same construct id, because another construct id makes another role: `
    + `deploy the former id and name again, then give that id the new name as ${property}`
  );
}

export function namesOf(leaving: RoleRemoval[]): string[] {
  return leaving.map(({ username }) => username);
}
