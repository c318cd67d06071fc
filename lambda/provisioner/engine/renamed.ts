import type { Facts } from '../core/lifecycle';
import type { Claim } from '../core/state';
import type { Work } from './work';

/**
 * Says in the log that a registered role goes by a name that it was not given here. It is left alone, for its oid alone
 * does not make it ours; but if it was renamed by hand, it still has its access.
 *
 * @returns whether there is such a role
 */
export function reportRenamed({ log }: Work, { roles }: Facts, { roleOid, roleName, username }: Claim): boolean {
  const [name] = [...roles].find(([, oid]) => roleName === undefined && oid === roleOid) ?? [];
  if (name !== undefined) {
    log.info('kept', {
      username: name,
      reason: `it is registered as ${JSON.stringify(username)}; if it was renamed by hand, it has what it had, its login too, and is not managed any more: drop it unless it is needed`,
    });
  }
  return name !== undefined;
}
