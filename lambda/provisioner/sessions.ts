import { Session } from './connection';

/** The database that every server has: where the lock and the registry are. */
export const FIXED_DATABASE = 'postgres';

/** One session in the fixed database for the whole of an attempt, and one at a time in the others. */
export class Sessions {
  constructor(public readonly main: Session, private readonly open: (database: string) => Promise<Session>) {}

  public async in<T>(database: string, work: (session: Session) => Promise<T>): Promise<T> {
    if (database === FIXED_DATABASE) {
      return work(this.main);
    }
    const session = await this.open(database);
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }
}
