import type { Logger } from '../../shared/logger';
import type { Budget } from '../budget';
import { FIXED_DATABASE } from '../core/state';
import type { LockInUse } from './lock';
import { type Reader, readerIn } from './reader';
import { holdAsItIs } from './registry';
import type { Sessions } from './sessions';
import type { Transaction, TransactionOptions } from './transaction';
import { inTransaction } from './transaction-retry';

/** What one attempt works with, under the lock. */
export interface Work {
  readonly lock: LockInUse;
  readonly sessions: Sessions;
  readonly budget: Budget;
  readonly log: Logger;
  readonly registryExists: boolean;
  /** Of the database that the deployment is about. */
  readonly resourceId: string;
  /** Does something in a database. */
  readonly inDatabase: InDatabase;
}

type InDatabase = <T>(
  work: Work,
  database: string,
  body: (transaction: Transaction) => Promise<T>,
  options?: TransactionOptions,
) => Promise<T>;

/** In the fixed database, where what all databases share is changed. */
export function inShared<T>(
  work: Work,
  body: (transaction: Transaction) => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  return inDatabase(work, FIXED_DATABASE, body, options);
}

/** Looks at what all databases share, before or after it is changed. */
export function lookAtShared<T>({ sessions, lock }: Work, body: (reader: Reader) => Promise<T>): Promise<T> {
  return sessions.in(FIXED_DATABASE, session => body(readerIn(session, lock.server)));
}

export function inDatabase<T>(
  work: Work,
  database: string,
  body: (transaction: Transaction) => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  return work.inDatabase(work, database, body, options);
}

/** What is done is executed. */
export const executed: InDatabase = (work, database, body, options) => {
  const { sessions, budget, log, lock, registryExists } = work;
  return sessions.in(database, session => inTransaction({ session, budget, log, lock }, async (transaction) => {
    await holdAsItIs(transaction, registryExists && database === FIXED_DATABASE);
    return body(transaction);
  }, options));
};
