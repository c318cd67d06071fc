import type { Budget } from '../../budget';
import { FIXED_DATABASE } from '../../core/state';
import { ProvisionError, ServerError } from '../../errors';
import { explain } from '../../remedies/server';
import type { Row } from '../../sql/row';
import { parsePooledTransaction, SET_UP_TRANSACTION } from '../../sql/session';
import type { Session, Statement } from '../session';
import { TransactionLost } from './errors';
import { CURSOR, firstPage, isFull } from './pieces';

/**
 * What can be called. An error of the server is a ServerError; a call of which no answer came has lost its transaction.
 */
export interface Calls {
  begin(database: string): Promise<string>;
  /** @returns the first column of each row, a text */
  execute(transactionId: string, database: string, sql: string): Promise<string[]>;
  commit(transactionId: string): Promise<void>;
  rollback(transactionId: string, milliseconds?: number): Promise<void>;
}

/** To say goodbye must not delay an answer that is decided: the transaction ends by itself. */
const CLOSE_MS = 1_000;

/**
 * How long a transaction is asked to end of which nothing was heard. It may still be at the statement, or the commit.
 */
const SETTLE = { tries: 20, pauseMs: 500 };

/**
 * Transactions one after the other, each in some session of a pool. Nothing runs outside of them: what is sent without
 * one gets one of its own, as in PostgreSQL itself. Each statement is a call. Notices are not heard.
 */
export class PooledSession implements Session {
  public readonly withToken = false;
  public pid: number | undefined;
  private transactionId?: string;
  private isToBegin = false;
  /** A transaction takes one call at a time. */
  private turn: Promise<unknown> = Promise.resolve();
  private broken?: Error;

  constructor(
    private readonly calls: Calls,
    private readonly clusterArn: string,
    public readonly database: string,
    private readonly budget: Pick<Budget, 'remainingMs' | 'sleep'>,
  ) {}

  public begin(): void {
    void this.inTurn(() => Promise.resolve(this.isToBegin = true));
  }

  public execute(statements: Statement[]): Promise<Row[][]> {
    return this.inTurn(() =>
      this.transactionId === undefined && !this.isToBegin ? this.alone(statements) : this.send(statements),
    );
  }

  public commit(statements: Statement[]): Promise<void> {
    return this.inTurn(async () => {
      await this.send(statements);
      await this.end();
    });
  }

  public rollback(): Promise<void> {
    return this.inTurn(() => {
      this.isToBegin = false;
      return this.settle();
    });
  }

  public takeNotices(): ServerError[] {
    return [];
  }

  public async close(): Promise<void> {
    const { transactionId } = this;
    this.transactionId = undefined;
    this.broken ??= new Error('the session is closed');
    if (transactionId !== undefined) {
      await this.calls.rollback(transactionId, CLOSE_MS).catch(() => undefined);
    }
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.turn.then(action);
    this.turn = result.catch(() => undefined);
    return result;
  }

  private async alone(statements: Statement[]): Promise<Row[][]> {
    this.isToBegin = true;
    try {
      const results = await this.send(statements);
      await this.end();
      return results;
    } catch (error) {
      await this.settle();
      throw error;
    }
  }

  private async send(statements: Statement[]): Promise<Row[][]> {
    const results: Row[][] = [];
    if (this.isToBegin) {
      this.isToBegin = false;
      await this.guarded(() => this.start());
    }
    for (const statement of statements) {
      results.push(
        await this.guarded(() =>
          typeof statement === 'string' ? this.call(statement).then(() => []) : this.read(statement.query),
        ),
      );
    }
    return results;
  }

  private async end(): Promise<void> {
    await this.guarded(() => this.calls.commit(this.transactionId!));
    this.transactionId = undefined;
  }

  /** After a call of which no answer came, nothing is known of the session. */
  private async guarded<T>(action: () => Promise<T>): Promise<T> {
    if (this.broken) {
      throw this.broken;
    }
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ServerError)) {
        this.broken = error as Error;
        await this.settle();
      }
      throw error;
    }
  }

  private async start(): Promise<void> {
    this.transactionId = await beginExplained(this.calls, this.clusterArn, this.database);
    const { pid, isolation, isReadOnly } = parsePooledTransaction((await this.call(SET_UP_TRANSACTION))[0]);
    this.pid = pid;
    const transactions = `the transactions of the admin in database ${JSON.stringify(this.database)}`;
    if (isolation !== 'read committed') {
      throw new ProvisionError(
        `${transactions} are ${isolation}, and would not see what others have done before it is their turn; `
        + 'reset default_transaction_isolation of the role and of the database',
      );
    }
    if (isReadOnly) {
      throw new ProvisionError(`${transactions} are read-only, and cannot be made otherwise through the Data API; `
        + 'reset default_transaction_read_only of the role and of the database');
    }
  }

  private call(sql: string): Promise<string[]> {
    return this.calls.execute(this.transactionId!, this.database, sql);
  }

  private async read(query: string): Promise<Row[]> {
    let pieces = await this.call(firstPage(query));
    if (isFull(pieces)) {
      await this.call(CURSOR.open(query));
      pieces = [];
      for (let page = await this.call(CURSOR.next); page.length > 0; page = await this.call(CURSOR.next)) {
        pieces.push(...page);
      }
      await this.call(CURSOR.close);
    }
    try {
      return JSON.parse(pieces.join('')) as Row[];
    } catch {
      throw new Error('an answer is not JSON'); // without the quotation of it
    }
  }

  /**
   * Ends the transaction, if it has not ended: what was sent and not answered, a commit too, may be executed yet, and
   * must not be while another session works on what it was about.
   */
  private async settle(): Promise<void> {
    const { transactionId } = this;
    this.transactionId = undefined;
    for (
      let n = 1;
      transactionId !== undefined && n <= SETTLE.tries && this.budget.remainingMs() > SETTLE.pauseMs;
      n++
    ) {
      if (await this.calls.rollback(transactionId).then(() => true, isOver)) {
        return;
      }
      await this.budget.sleep(SETTLE.pauseMs);
    }
  }
}

/** Whether there is nothing left to end. A call that was not heard of, or was one of too many, has ended nothing. */
function isOver(error: Error): boolean {
  return error instanceof TransactionLost ? error.isGone : !(error instanceof ProvisionError && error.retryUntil > 0);
}

/** Begins a transaction, and says what was attempted if that fails. @returns its id */
export function beginExplained(calls: Calls, clusterArn: string, database: string): Promise<string> {
  return calls.begin(database).catch((error: Error) => {
    const where = database === FIXED_DATABASE ? '' : `database ${JSON.stringify(database)} of `;
    throw error instanceof ServerError
      ? explain(error, {
          attempted: `sign in to ${where}${clusterArn} as the admin`,
          database,
          needs: `CONNECT on database ${JSON.stringify(database)}`,
        })
      : error;
  });
}
