import { Change, describe, oneByOne } from './change';
import { Transaction } from './transaction';
import { Work } from './work';

/**
 * Makes changes as far as they can be made: all at once, or if that fails with one of the SQLSTATEs, one by one and role by role.
 * What fails then is left, and is in the log.
 */
export async function applyWhatCan({ log }: Work, transaction: Transaction, changes: Change[], notice: string, sqlStates: string[]): Promise<void> {
  if (changes.length === 0 || !await transaction.attempt(() => transaction.apply(changes), sqlStates)) {
    return;
  }
  for (const change of changes.flatMap(oneByOne)) {
    const failed = await transaction.attempt(() => transaction.apply([change]), sqlStates);
    if (failed) {
      log.info(notice, { change: describe(change, transaction.database), reason: failed.message });
    }
  }
}
