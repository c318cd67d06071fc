import { Budget } from './budget';
import { ServerError } from './errors';
import { Logger } from '../shared/logger';

/** A row as it comes; each query of sql/catalog.ts says what its columns are. */
export type Row = { readonly [column: string]: unknown };

export interface Session {
  readonly database: string;
  /** Whether the admin signed in with a token, and not with a password. */
  readonly withToken: boolean;
  /** Of the server, where the statements of a transaction are executed; undefined before the first of a pooled session. */
  readonly pid: number | undefined;
  /** Whether each of its transactions is in some session of a pool, which others use as well: nothing may be set or locked there for longer than a transaction. */
  readonly isPooled: boolean;
  /**
   * Statements in one message: what comes after a failed one is not executed. Outside of a transaction, they are one.
   *
   * @param answerMs milliseconds after which the connection is given up; it is closed then, so that nothing waits behind it
   * @returns rows of each statement
   */
  query(statements: string[], answerMs: number): Promise<Row[][]>;
  /** The notices since the last time this was asked: not errors to PostgreSQL, but some are to us. */
  takeNotices(): ServerError[];
  close(): Promise<void>;
}

/** Opens a session in a database. */
export type Open = (database: string) => Promise<Session>;

/** Connections to the database, or the Data API: one attempt of an event asks for its sessions. */
export type Transport = (budget: Budget, log: Logger) => Promise<Open>;
