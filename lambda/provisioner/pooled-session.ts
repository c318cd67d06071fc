import { Budget } from './budget';
import { TransactionLost } from './data-api-error';
import { explain } from './database-error';
import { ProvisionError, ServerError } from './errors';
import { Row, Session } from './session';
import { FIXED_DATABASE } from './lock';
import { CURSOR, firstPage, isFull, isQuery } from './sql/pieces';
import { BEGIN, COMMIT, ROLLBACK, setUpTransaction } from './sql/session';

/** What can be called. An error of the server is a ServerError; a call of which no answer came has lost its transaction. */
export interface Calls {
  begin(database: string): Promise<string>;
  /** @returns the first column of each row, a text */
  execute(transactionId: string, database: string, sql: string): Promise<string[]>;
  commit(transactionId: string): Promise<void>;
  rollback(transactionId: string, milliseconds?: number): Promise<void>;
}

/** To say goodbye must not delay an answer that is decided: the transaction ends by itself. */
const CLOSE_MS = 1_000;

/** How long a transaction is asked to end of which nothing was heard. It may still be at the statement, or the commit. */
const SETTLE = { tries: 20, pauseMs: 500 };

/**
 * Transactions one after the other, each in some session of a pool. Nothing runs outside of them: what is sent without one gets one of its own, as in
 * PostgreSQL itself. Each statement is a call. Notices are not heard.
 */
export class PooledSession implements Session {
  public readonly withToken = false;
  public readonly isPooled = true;
  public pid: number | undefined;
  private transactionId?: string;
  /** When the first of its transactions began, as the server has it. */
  private arrival?: string;
  /** A transaction takes one call at a time. */
  private turn: Promise<unknown> = Promise.resolve();
  private broken?: Error;

  constructor(
    private readonly calls: Calls,
    private readonly clusterArn: string,
    public readonly database: string,
    private readonly budget: Pick<Budget, 'work' | 'sleep'>,
  ) {}

  public query(statements: string[]): Promise<Row[][]> {
    const rows = this.turn.then(() => this.transactionId === undefined && ![BEGIN, ROLLBACK].includes(statements[0]) ? this.alone(statements) : this.inTurn(statements));
    this.turn = rows.catch(() => undefined);
    return rows;
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

  private async inTurn(statements: string[]): Promise<Row[][]> {
    const results: Row[][] = [];
    for (const statement of statements) {
      results.push(await this.send(statement));
    }
    return results;
  }

  private async alone(statements: string[]): Promise<Row[][]> {
    try {
      return (await this.inTurn([BEGIN, ...statements, COMMIT])).slice(1, -1);
    } catch (error) {
      await this.send(ROLLBACK);
      throw error;
    }
  }

  private async send(statement: string): Promise<Row[]> {
    if (statement === ROLLBACK) {
      return this.rollback();
    }
    if (this.broken) {
      throw this.broken;
    }
    try {
      switch (statement) {
        case BEGIN: return await this.begin();
        case COMMIT: return await this.commit();
        default: return isQuery(statement) ? await this.read(statement) : await this.execute(statement).then(() => []);
      }
    } catch (error) {
      if (!(error instanceof ServerError)) {
        this.broken = error as Error;
        await this.settle();
      }
      throw error;
    }
  }

  private async begin(): Promise<Row[]> {
    this.transactionId = await this.calls.begin(this.database).catch((error: Error) => {
      const where = this.database === FIXED_DATABASE ? '' : `database ${JSON.stringify(this.database)} of `;
      throw error instanceof ServerError
        ? explain(error, { attempted: `sign in to ${where}${this.clusterArn} as the admin`, needs: `CONNECT on database ${JSON.stringify(this.database)}` })
        : error;
    });
    const [answer] = await this.execute(setUpTransaction(this.arrival));
    const [arrival, pid, ...isolation] = answer.split(' ');
    this.arrival ??= arrival;
    this.pid = Number(pid);
    if (isolation.join(' ') !== 'read committed') {
      throw new ProvisionError(`the transactions of the admin in database ${JSON.stringify(this.database)} are ${isolation.join(' ')}, and would not see what others have done before it is their turn; `
        + 'reset default_transaction_isolation of the role and of the database');
    }
    return [];
  }

  private async commit(): Promise<Row[]> {
    await this.calls.commit(this.transactionId!);
    this.transactionId = undefined;
    return [];
  }

  private async rollback(): Promise<Row[]> {
    await this.settle();
    return [];
  }

  private async execute(sql: string): Promise<string[]> {
    return this.calls.execute(this.transactionId!, this.database, sql);
  }

  private async read(query: string): Promise<Row[]> {
    let pieces = await this.execute(firstPage(query));
    if (isFull(pieces)) {
      await this.execute(CURSOR.open(query));
      pieces = [];
      for (let page = await this.execute(CURSOR.next); page.length > 0; page = await this.execute(CURSOR.next)) {
        pieces.push(...page);
      }
      await this.execute(CURSOR.close);
    }
    try {
      return JSON.parse(pieces.join('')) as Row[];
    } catch {
      throw new Error('an answer is not JSON'); // without the quotation of it
    }
  }

  /**
   * Ends the transaction, if it has not ended: what was sent and not answered, a commit too, may be executed yet, and must not be while
   * somebody else works on what it was about.
   */
  private async settle(): Promise<void> {
    const { transactionId } = this;
    this.transactionId = undefined;
    for (let n = 1; transactionId !== undefined && n <= SETTLE.tries && this.budget.work() > SETTLE.pauseMs; n++) {
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
