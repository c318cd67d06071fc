import { Session } from './connection';

/** The database that every server has: where the lock and the registry are. */
export const FIXED_DATABASE = 'postgres';

/** While other databases are worked on, the session that holds the lock is idle, and must not be taken for a dead one. */
const STAY_AWAKE_MS = 10_000;
const ANSWER_MS = 5_000;

/** One session in the fixed database for the whole of an attempt, and one at a time in the others. */
export class Sessions {
  constructor(public readonly main: Session, private readonly open: (database: string) => Promise<Session>) {}

  public async in<T>(database: string, work: (session: Session) => Promise<T>): Promise<T> {
    if (database === FIXED_DATABASE) {
      return work(this.main);
    }
    const timer = setInterval(() => void this.main.query(['SELECT 1'], ANSWER_MS).catch(() => undefined), STAY_AWAKE_MS);
    try {
      const session = await this.open(database);
      try {
        return await work(session);
      } finally {
        await session.close();
      }
    } finally {
      clearInterval(timer);
    }
  }
}
