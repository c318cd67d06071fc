import { type Change, describe, oneByOne } from '../core/change';
import type { ServerError } from '../errors';
import type { Transaction } from './transaction';
import type { Work } from './work';

/** A change that could not be made, and why. */
export interface Failure {
  readonly change: Change;
  readonly error: ServerError;
}

/**
 * Makes changes as far as they can be made: all at once, or if that fails with one of the SQLSTATEs, one by one, for
 * each role and object.
 *
 * @param isLate from then on, locks of other sessions are hardly waited for
 * @returns what is left
 */
export async function applyEach(
  transaction: Transaction, changes: Change[], sqlStates: string[], isLate = () => false,
): Promise<Failure[]> {
  if (changes.length === 0 || !await transaction.attempt(() => transaction.apply(changes), sqlStates)) {
    return [];
  }
  return applyOneByOne(transaction, changes, sqlStates, isLate);
}

/** The same for each role and object. */
export async function applyOneByOne(
  transaction: Transaction, changes: Change[], sqlStates: string[], isLate = () => false,
): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const change of changes.flatMap(oneByOne)) {
    if (isLate()) {
      await transaction.hurry();
    }
    const error = await transaction.attempt(() => transaction.apply([change]), sqlStates);
    failures.push(...error ? [{ change, error }] : []);
  }
  return failures;
}

/**
 * The same; what is left is in the log.
 *
 * @returns whether all of them were made
 */
export async function applyWhatCan(
  { log }: Work,
  transaction: Transaction,
  changes: Change[],
  notice: string,
  sqlStates: string[],
  isLate?: () => boolean,
): Promise<boolean> {
  const failures = await applyEach(transaction, changes, sqlStates, isLate);
  failures.forEach(({ change, error }) =>
    log.info(notice, { change: describe(change, transaction.database), reason: error.message }));
  return failures.length === 0;
}
