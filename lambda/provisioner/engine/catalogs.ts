import type { Budget } from '../budget';
import { FIXED_DATABASE } from '../core/state';
import type { Attempt } from '../remedies/server';
import type { Row } from '../sql/row';
import { READ_ONLY, setTimeouts } from '../sql/session';
import { rollback, run, STATEMENT_TIMEOUT_MS } from '../transport/run';
import { type Open, query, type Session } from '../transport/session';

/** No transaction of a plan waits for a lock that others hold: the catalogs are read without one. */
const LOCK_MS = 1_000;

/**
 * The catalogs of a server, each query asked once, in transactions that are read only. One session in the fixed
 * database stays open, and one in another: nothing is held that a deployment waits for.
 */
export class Catalogs {
  /** By database and text. */
  private readonly answers = new Map<string, Map<string, Row[]>>();
  private readonly open = new Map<string, Promise<Session>>();

  constructor(private readonly openIn: Open, private readonly budget: Budget) {}

  /** @returns the rows of each query */
  public async read(database: string, attempt: Attempt, queries: string[]): Promise<Row[][]> {
    const answers = this.answers.get(database) ?? new Map<string, Row[]>();
    this.answers.set(database, answers);
    const unknown = [...new Set(queries)].filter(text => !answers.has(text));
    if (unknown.length > 0) {
      const session = await this.sessionIn(database);
      const timeouts = {
        statement_timeout: Math.min(STATEMENT_TIMEOUT_MS, this.budget.remainingMs()),
        lock_timeout: LOCK_MS,
      };
      const results = await run(session, attempt, [READ_ONLY, setTimeouts(timeouts), ...unknown.map(query)]);
      unknown.forEach((text, index) => answers.set(text, results[index + 2]));
    }
    return queries.map(text => answers.get(text)!);
  }

  public async close(): Promise<void> {
    await Promise.all([...this.open.keys()].map(database => this.leave(database)));
  }

  private sessionIn(database: string): Promise<Session> {
    const existing = this.open.get(database);
    if (existing) {
      return existing;
    }
    const session = this.begin(database);
    this.open.set(database, session);
    return session;
  }

  private async begin(database: string): Promise<Session> {
    await Promise.all(
      [...this.open.keys()]
        .filter(other => other !== database && other !== FIXED_DATABASE)
        .map(other => this.leave(other)),
    );
    const session = await this.openIn(database);
    session.begin();
    return session;
  }

  private async leave(database: string): Promise<void> {
    const session = await this.open.get(database)?.catch(() => undefined);
    this.open.delete(database);
    if (session) {
      await rollback(session);
      await session.close();
    }
  }
}
