import type { Server } from '../core/state';
import { blockers, DROP_LOCK_WITHOUT_REGISTRY, fence, type HeldLock } from '../sql/lock-schema';
import type { RegistryFacts } from '../sql/registry';
import type { Row } from '../sql/row';
import { BESIDE, setTimeouts } from '../sql/session';
import { endBlockersOf } from '../sql/sessions';
import { query, type Session } from '../transport/session';

/** While the session that holds the lock is idle, it must not be taken for a dead one. */
const STAY_AWAKE_MS = 10_000;
const ANSWER_MS = 5_000;

/** A role that can use the schema can keep it from being dropped. An empty one that stays does no harm. */
const DROP_MS = 1_000;

/** What is asked of the lock while it is held. */
export type LockInUse = Pick<Lock, 'server' | 'registry' | 'mayBeLast' | 'fence' | 'blockersOf' | 'endBlockersOf'>;

/** The lock while it is held: in a transaction that does nothing else and is rolled back. */
export class Lock {
  /**
   * Whether there may be no registry any more, or none yet: then nothing is managed on this server, and the schema goes
   * with the lock.
   */
  public mayBeLast: boolean;
  /** To be executed right before a commit. */
  public readonly fence: string;
  /** One statement at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly session: Session,
    public readonly server: Server,
    public readonly registry: RegistryFacts,
    held: HeldLock,
  ) {
    this.fence = fence(held);
    this.mayBeLast = !registry.exists;
  }

  /** What a process waits for just now, in words. Empty if that is nothing, or cannot be told. */
  public async blockersOf(pid: number | undefined): Promise<string[]> {
    const rows = pid === undefined ? [] : await this.beside(blockers(pid));
    return rows.map(({ blocker }) => blocker as string);
  }

  /**
   * Ends the sessions that a process waits for just now, as far as they are of these roles, or of any that may not make
   * roles.
   */
  public async endBlockersOf(pid: number | undefined, roleOids: string[]): Promise<void> {
    if (pid !== undefined) {
      await this.beside(endBlockersOf(pid, roleOids));
    }
  }

  /** Does work while the lock is held, and gives it back. */
  public async during<T>(work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => void this.beside('SELECT 1'), STAY_AWAKE_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      await this.release();
    }
  }

  private async release(): Promise<void> {
    await this.turn;
    if (this.mayBeLast) {
      await this.session
        .commit([setTimeouts({ lock_timeout: DROP_MS }), DROP_LOCK_WITHOUT_REGISTRY], ANSWER_MS)
        .catch(() => undefined);
    }
    await this.session.close();
  }

  /** A statement that fails ends the transaction, and the lock with it, unless there is a savepoint to return to. */
  private beside(statement: string): Promise<Row[]> {
    const attempt = async () => {
      const results = await this.session.execute(
        [BESIDE.begin, BESIDE.lookAgain, query(statement), BESIDE.end],
        ANSWER_MS,
      );
      return results[2];
    };
    const undo = async () => {
      await this.session.execute([BESIDE.undo, BESIDE.end], ANSWER_MS).catch(() => undefined);
      return [];
    };
    const rows = this.turn.then(() => attempt().catch(undo));
    this.turn = rows;
    return rows;
  }
}
