import type { Logger } from '../../shared/logger';
import type { Budget } from '../budget';
import type { ServerError } from '../errors';
import type { Row } from '../sql/row';

/** A statement whose rows are wanted. */
export interface Query {
  readonly query: string;
}

/** What is executed. Of a text, no rows are wanted. */
export type Statement = string | Query;

export function query(text: string): Query {
  return { query: text };
}

/** One transaction after the other, in one database, as the admin. */
export interface Session {
  readonly database: string;
  /** Whether the admin signed in with a token, and not with a password. */
  readonly withToken: boolean;
  /**
   * Of the server, where the statements of a transaction are executed; undefined before the first, if each has another
   * one.
   */
  readonly pid: number | undefined;
  /** Begins a transaction, together with what is executed next. */
  begin(): void;
  /**
   * Executes statements: what comes after a failed one is not executed. Without a transaction, they get one of their
   * own.
   *
   * @param answerMs milliseconds after which the session is given up; it is closed then, so that nothing waits behind
   * it
   * @returns for each statement the rows of a query, nothing otherwise
   */
  execute(statements: Statement[], answerMs: number): Promise<Row[][]>;
  /**
   * Ends the transaction. Nothing is committed if one of the statements fails, which are executed right before.
   *
   * @param answerMs as above
   */
  commit(statements: Statement[], answerMs: number): Promise<void>;
  /** Undoes the transaction, if there is one. */
  rollback(): Promise<void>;
  /**
   * The notices since the last time this was asked, as far as they are heard: not errors to PostgreSQL, but some are to
   * us.
   */
  takeNotices(): ServerError[];
  close(): Promise<void>;
}

/** Opens a session in a database. */
export type Open = (database: string) => Promise<Session>;

/** How one attempt of an event signs in. */
export interface AdminAccess {
  readonly open: Open;
  /**
   * Signs in anew, as the next event will, if the admin has a password: with the one that the secret has by then, where
   * the one it had is refused.
   *
   * @throws what the server answers
   */
  readonly confirm: () => Promise<void>;
}

/** What the sessions are for: `look` changes nothing, not even to get in. */
export type Purpose = 'change' | 'look';

/** One attempt of an event asks for its sessions. */
export type Transport = (budget: Budget, log: Logger, purpose: Purpose) => Promise<AdminAccess>;
