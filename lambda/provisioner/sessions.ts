import { Open, Session } from './session';

/** The database that every server has: where the lock and the registry are. */
export const FIXED_DATABASE = 'postgres';

/** While the session that holds the lock is idle, it must not be taken for a dead one. */
const STAY_AWAKE_MS = 10_000;
const ANSWER_MS = 5_000;

/** One session that holds the lock for the whole of an attempt, in the fixed database, and one at a time in others. Where sessions are pooled it does nothing else. */
export class Sessions {
  constructor(private readonly holder: Session, private readonly open: Open) {}

  public async in<T>(database: string, work: (session: Session) => Promise<T>): Promise<T> {
    if (database === FIXED_DATABASE && !this.holder.isPooled) {
      return work(this.holder);
    }
    const stayAwake = () => this.holder.query(['SELECT 1'], ANSWER_MS).catch((error: Error) => {
      throw new Error(`the provisioners' lock is lost: ${error.message}`);
    });
    const timer = setInterval(() => void stayAwake().catch(() => undefined), STAY_AWAKE_MS);
    try {
      const session = await this.open(database, stayAwake);
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
