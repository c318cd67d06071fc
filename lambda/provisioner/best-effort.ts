import { Change, describe, oneByOne } from './change';
import { Transaction } from './transaction';
import { Work } from './work';

/**
 * Makes changes as far as they can be made: all at once, or if that fails with one of the SQLSTATEs, one by one, for each role and
 * object. What fails then is left, and is in the log.
 *
 * @returns whether all of them were made
 */
export async function applyWhatCan({ log }: Work, transaction: Transaction, changes: Change[], notice: string, sqlStates: string[]): Promise<boolean> {
  if (changes.length === 0 || !await transaction.attempt(() => transaction.apply(changes), sqlStates)) {
    return true;
  }
  let all = true;
  for (const change of changes.flatMap(oneByOne)) {
    const failed = await transaction.attempt(() => transaction.apply([change]), sqlStates);
    if (failed) {
      all = false;
      log.info(notice, { change: describe(change, transaction.database), reason: failed.message });
    }
  }
  return all;
}
