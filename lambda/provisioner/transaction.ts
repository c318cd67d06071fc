import { Budget } from './budget';
import { Change, describe } from './change';
import { Row, Session } from './connection';
import { Attempt, explain } from './database-error';
import { ProvisionError, ServerError } from './errors';
import { Logger } from './logger';
import { LOCK_HOLDERS, PATH_TO_RDS_IAM, SERVER } from './sql/catalog';
import { BEGIN, COMMIT, LOCK, LOCK_KEY, NO_SELF_GRANT, render, ROLLBACK, ROLLBACK_TO_SAVEPOINT, SAVEPOINT, setLocal } from './sql/render';
import { RDS_IAM } from './state';

/** PostgreSQL does not do what was asked and calls it a notice: privileges not revoked or not granted (01006, 01007), a name cut short (42622). */
const NOTICES_THAT_ARE_ERRORS = ['01006', '01007', '42622'];

/** Locks other than the provisioners' own are short, so the transaction gives way early and tries again. */
const LOCK_TIMEOUT_MS = 10_000;

/** Every statement takes milliseconds, once it has its locks. */
const STATEMENT_TIMEOUT_MS = 15_000;

/** The server ends a statement first. If nothing comes back even so, the network is mute. */
const ANSWER_MARGIN_MS = 5_000;

/** A Lambda that was frozen or killed must not keep the lock for long. */
const IDLE_TIMEOUT_MS = 30_000;

export interface Server {
  /** The role that is in use. */
  readonly admin: string;
  /** As in server_version_num: 170010 is 17.10. */
  readonly version: number;
  readonly hasRdsIam: boolean;
}

/** The only writer: statements of one transaction, executed one after the other. */
export class Transaction {
  constructor(private readonly session: Session, private readonly log: Logger, public readonly server: Server) {}

  public query<T extends Row>(attempt: Attempt, sql: string, values?: unknown[]): Promise<T[]> {
    return run<T>(this.session, attempt, sql, values);
  }

  public async apply(changes: Change[]): Promise<void> {
    for (const change of changes) {
      // Whatever a registry says that was copied from another server: the admin is nobody's user.
      if (change.username === this.server.admin) {
        throw new ProvisionError(`cannot ${describe(change)}: it is the admin; remove its row from cdk_aurora_iam_auth.managed_role in database postgres`);
      }
      this.log.info('changing', { change: describe(change) });
      await run(this.session, { attempted: describe(change), change }, render(change));
    }
  }

  /** Does something that may fail with one of the SQLSTATEs. If it does, the transaction is as it was before, and the error is returned. */
  public async attempt(work: () => Promise<unknown>, sqlStates: string[]): Promise<ServerError | undefined> {
    await this.query({ attempted: 'set a savepoint' }, SAVEPOINT);
    try {
      await work();
      return undefined;
    } catch (error) {
      const { cause } = error as Error;
      if (!(cause instanceof ServerError && sqlStates.includes(cause.sqlState))) {
        throw error;
      }
      await this.query({ attempted: 'return to the savepoint' }, ROLLBACK_TO_SAVEPOINT);
      return cause;
    }
  }
}

/**
 * Runs the work in one transaction, under the lock that all provisioners of the server take. Everything is rolled back when
 * anything fails, and when it would make the admin a member of rds_iam: at the commit its password would stop working.
 */
export async function inTransaction<T>(session: Session, budget: Budget, log: Logger, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  await run(session, { attempted: 'begin a transaction' }, BEGIN);
  try {
    const [server] = await run<Server & Row>(session, { attempted: 'ask for the version' }, SERVER);
    await takeLock(session, budget, server);
    const transaction = new Transaction(session, log, server);
    const before = await pathToRdsIam(transaction);
    const result = await work(transaction);
    const after = await pathToRdsIam(transaction);
    if (!before && after) {
      throw new ProvisionError(`this would make the admin a member of ${RDS_IAM} (${after.join(' -> ')}), and its password would stop working, so it was undone; `
        + `revoke the membership of ${JSON.stringify(after[0])} in ${JSON.stringify(after[1])} first`);
    }
    await run(session, { attempted: 'commit' }, COMMIT);
    return result;
  } catch (error) {
    // Should this not arrive, the end of the session rolls back as well.
    await run(session, { attempted: 'roll back' }, ROLLBACK).catch(() => undefined);
    throw error;
  }
}

/** Taken before anything is read that is decided upon. A failure says who holds the lock: that is the session to end. */
async function takeLock(session: Session, budget: Budget, server: Server): Promise<void> {
  const patience = budget.patience();
  const preparing = { attempted: 'prepare the transaction' };
  await run(session, preparing, setLocal({ idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS, statement_timeout: patience + ANSWER_MARGIN_MS, lock_timeout: patience }));
  if (server.version >= 160000) {
    await run(session, preparing, NO_SELF_GRANT);
  }
  try {
    await run(session, { attempted: "take the provisioners' lock" }, LOCK, undefined, patience + 2 * ANSWER_MARGIN_MS);
  } catch (error) {
    if (!(error instanceof ProvisionError && error.cause instanceof ServerError && error.cause.sqlState === '55P03')) {
      throw error;
    }
    const attempt = { attempted: "ask who holds the provisioners' lock" };
    await run(session, attempt, ROLLBACK);
    const [{ holders }] = await run<{ holders: string | null }>(session, attempt, LOCK_HOLDERS, [...LOCK_KEY]);
    throw new ProvisionError(`${error.message}; it is held by ${holders ?? 'a session that has ended by now'}`, { retryUntil: error.retryUntil, cause: error });
  }
  await run(session, preparing, setLocal({ statement_timeout: STATEMENT_TIMEOUT_MS, lock_timeout: Math.min(LOCK_TIMEOUT_MS, budget.patience()) }));
}

async function pathToRdsIam(transaction: Transaction): Promise<string[] | undefined> {
  const [row] = await transaction.query<{ path: string[] }>({ attempted: `check that the admin is not a member of ${RDS_IAM}` }, PATH_TO_RDS_IAM, [transaction.server.admin]);
  return row?.path;
}

/** Executes one statement and explains what comes back. */
export async function run<T extends Row>(session: Session, attempt: Attempt, sql: string, values?: unknown[], answerMs = STATEMENT_TIMEOUT_MS + ANSWER_MARGIN_MS): Promise<T[]> {
  session.takeNotices();
  let rows: T[];
  try {
    rows = await session.query<T>(sql, values, answerMs);
  } catch (error) {
    throw explain(error, attempt);
  }
  const notice = session.takeNotices().find(({ sqlState }) => NOTICES_THAT_ARE_ERRORS.includes(sqlState));
  if (notice) {
    throw explain(notice, attempt);
  }
  return rows;
}
