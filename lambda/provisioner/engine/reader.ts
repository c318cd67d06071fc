import type { Server } from '../core/state';
import type { PlanView } from './plan-view';
import type { Attempt } from '../remedies/server';
import type { Row } from '../sql/row';
import { setTimeouts } from '../sql/session';
import { run, STATEMENT_TIMEOUT_MS } from '../transport/run';
import { query, type Session } from '../transport/session';

/** Where the catalogs are read. */
export interface Reader {
  readonly server: Server;
  readonly database: string;
  /** What a plan lays over what is read. @default - what is read is what there is */
  readonly view?: PlanView;
  /** @returns the rows of each query */
  read(attempt: Attempt, ...queries: string[]): Promise<Row[][]>;
}

/**
 * Without a transaction around what is read: for what is decided upon before anything is changed, and looked at again.
 */
export function readerIn(session: Session, server: Server): Reader {
  return {
    server,
    database: session.database,
    read: async (attempt, ...queries) =>
      (
        await run(session, attempt, [setTimeouts({ statement_timeout: STATEMENT_TIMEOUT_MS }), ...queries.map(query)])
      ).slice(1),
  };
}
