import { ServerError } from '../errors';
import { type Attempt, explain } from '../remedies/server';
import type { Row } from '../sql/row';
import type { Session, Statement } from './session';

/**
 * PostgreSQL does not do what was asked and calls it a notice: privileges not revoked or not granted (01006, 01007), a
 * name cut short (42622).
 */
const NOTICES_THAT_ARE_ERRORS = ['01006', '01007', '42622'];

/** Every statement takes milliseconds, once it has its locks. */
export const STATEMENT_TIMEOUT_MS = 15_000;

/** The server ends a statement first. If nothing comes back even so, the network is mute. */
export const ANSWER_MARGIN_MS = 5_000;

const ANSWER_MS = STATEMENT_TIMEOUT_MS + ANSWER_MARGIN_MS;

const LOCK_NOT_AVAILABLE = '55P03';

export interface RunOptions {
  /** Milliseconds after which the session is given up. */
  readonly answerMs?: number;
  /** What the statements have been seen waiting for, in words. */
  readonly blockers?: () => Promise<string[]>;
}

/** Executes statements, and explains what comes back. */
export function run(
  session: Session,
  attempt: Attempt,
  statements: Statement[],
  options: RunOptions = {},
): Promise<Row[][]> {
  const { answerMs = ANSWER_MS } = options;
  return explained(session, attempt, options, () => session.execute(statements, answerMs));
}

export interface CommitOptions {
  /** What the statements before the commit are for. @default - nothing beside the commit */
  readonly attempt?: Attempt;
  readonly blockers?: RunOptions['blockers'];
}

/** Executes statements and commits, and explains why that fails. */
export function commit(
  session: Session,
  statements: Statement[] = [],
  { attempt = { attempted: 'commit' }, blockers }: CommitOptions = {},
): Promise<void> {
  return explained(session, attempt, { blockers }, () => session.commit(statements, ANSWER_MS));
}

/** Should this not arrive, the end of the session rolls back as well. */
export function rollback(session: Session): Promise<void> {
  return session.rollback().catch(() => undefined);
}

async function explained<T>(
  session: Session,
  attempt: Attempt,
  { blockers = () => Promise.resolve([]) }: RunOptions,
  action: () => Promise<T>,
): Promise<T> {
  session.takeNotices();
  let result: T;
  try {
    result = await action();
  } catch (error) {
    throw explain(error instanceof ServerError && error.sqlState === LOCK_NOT_AVAILABLE
      ? new ServerError(error.message, error.sqlState, { ...error.fields, blockers: await blockers() })
      : error, attempt);
  }
  const notice = session.takeNotices().find(({ sqlState }) => NOTICES_THAT_ARE_ERRORS.includes(sqlState));
  if (notice) {
    throw explain(notice, attempt);
  }
  return result;
}
