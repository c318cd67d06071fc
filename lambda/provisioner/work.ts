import { Budget } from './budget';
import { Locked } from './lock';
import { FIXED_DATABASE, Sessions } from './sessions';
import { inTransaction, Transaction } from './transaction';
import { Logger } from '../shared/logger';

/** What one attempt works with, under the lock. */
export interface Work extends Locked {
  readonly sessions: Sessions;
  readonly budget: Budget;
  readonly log: Logger;
}

/** In the fixed database, where what all databases share is changed. */
export function inShared<T>(work: Work, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  return inDatabase(work, FIXED_DATABASE, body);
}

export function inDatabase<T>({ sessions, budget, log, server }: Work, database: string, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  return sessions.in(database, session => inTransaction(session, budget, log, server, body));
}
