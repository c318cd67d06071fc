import type { Clock } from '../shared/clock';

/** Waiting for another session, or for a server that comes up, ends here, so that a deployment does not hang. */
export const PATIENCE_MS = 50_000;

/** Kept back to answer before the Lambda is killed. */
const MARGIN_MS = 5_000;

/** Kept to take back what has been committed, should it not all be done in time. */
const TIME_TO_UNDO_MS = 45_000;

/** How long one invocation may wait. */
export class Budget {
  private readonly start: number;
  private readonly end: number;
  private queued = 0;

  constructor(private readonly clock: Clock, lambdaMs: number) {
    this.start = clock.now();
    this.end = this.start + lambdaMs - MARGIN_MS;
  }

  /** Milliseconds since 1970, by the clock of the function. */
  public date(): number {
    return this.clock.date?.() ?? Date.now();
  }

  public elapsedMs(): number {
    return this.clock.now() - this.start;
  }

  /** The same without what was spent in a queue that moves: this is what patience is compared with. */
  public waitedMs(): number {
    return this.elapsedMs() - this.queued;
  }

  /** To wait for one's turn is no sign that something is wrong. */
  public discountMs(milliseconds: number): void {
    this.queued += milliseconds;
  }

  /** Milliseconds of work left. At least 1, because 0 means "no limit" to PostgreSQL. */
  public remainingMs(): number {
    return Math.max(1, this.end - this.clock.now());
  }

  /** Milliseconds until nothing may be begun any more that may have to be undone; not positive after that. */
  public remainingToBeginMs(): number {
    return this.end - this.clock.now() - TIME_TO_UNDO_MS;
  }

  /** Milliseconds of waiting left, with the same lower bound. */
  public waitLimitMs(): number {
    return Math.max(1, Math.min(PATIENCE_MS - this.waitedMs(), this.remainingMs()));
  }

  public sleep(milliseconds: number): Promise<void> {
    return this.clock.sleep(milliseconds);
  }
}
