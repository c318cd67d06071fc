import { Budget } from './budget';
import { FIXED_DATABASE, Lock } from './lock';
import { holdAsItIs } from './registry';
import { Sessions } from './sessions';
import { inTransaction, Transaction, TransactionOptions } from './transaction';
import { Logger } from '../shared/logger';

/** What one attempt works with, under the lock. */
export interface Work {
  readonly lock: Lock;
  readonly sessions: Sessions;
  readonly budget: Budget;
  readonly log: Logger;
  readonly registryExists: boolean;
}

/** In the fixed database, where what all databases share is changed. */
export function inShared<T>(work: Work, body: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
  return inDatabase(work, FIXED_DATABASE, body, options);
}

export function inDatabase<T>(work: Work, database: string, body: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
  const { sessions, budget, log, lock, registryExists } = work;
  return sessions.in(database, session => inTransaction({ session, budget, log, lock }, async (transaction) => {
    await holdAsItIs(transaction, registryExists && database === FIXED_DATABASE);
    return body(transaction);
  }, options));
}
