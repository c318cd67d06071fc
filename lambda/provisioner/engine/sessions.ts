import type { Logger } from '../../shared/logger';
import type { Budget } from '../budget';
import { FIXED_DATABASE } from '../core/state';
import { LIMIT_EXCEEDED, type ProvisionError, ServerError } from '../errors';
import { withRetries } from '../retry';
import type { AdminAccess, Session } from '../transport/session';

const TOO_MANY_CONNECTIONS = '53300';

/**
 * The sessions in which one attempt works, beside the one that holds the lock. One in the fixed database stays open,
 * and one at a time in others.
 */
export class Sessions {
  private fixed?: Promise<Session>;

  constructor(private readonly access: AdminAccess, private readonly budget: Budget, private readonly log: Logger) {}

  public async in<T>(database: string, work: (session: Session) => Promise<T>): Promise<T> {
    if (database === FIXED_DATABASE) {
      const opened = this.fixed ??= this.open(FIXED_DATABASE);
      return work(await opened).catch(async (error: Error) => {
        // What was too large to be read is in it still.
        if (error.cause instanceof ServerError && error.cause.sqlState === LIMIT_EXCEEDED && this.fixed === opened) {
          this.fixed = undefined;
          await (await opened).close();
        }
        throw error;
      });
    }
    const session = await this.open(database);
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  /** Signs in to a database anew, also to the fixed one. @throws what the server answers */
  public async enter(database: string): Promise<void> {
    await (await this.open(database)).close();
  }

  /** Signs in once more. @throws what the server answers */
  public confirm(): Promise<void> {
    return this.access.confirm();
  }

  /** With no connection free, the lock is not given away: those who wait for it have connections of their own. */
  private open(database: string): Promise<Session> {
    return withRetries(
      this.budget,
      () => this.access.open(database),
      (error, delayMs) => this.log.info('trying again', { reason: error.message, delayMs }),
      ({ cause }: ProvisionError) => cause instanceof ServerError && cause.sqlState === TOO_MANY_CONNECTIONS,
    );
  }

  public async close(): Promise<void> {
    await this.fixed?.then(session => session.close(), () => undefined);
  }
}
