import { Budget } from './budget';
import { Session } from './connection';
import { ProvisionError, ServerError } from './errors';
import { lockHolders, SERVER } from './sql/catalog';
import { REGISTRY_EXISTS } from './sql/registry';
import { LOCK, LOCK_KEY, setTimeouts } from './sql/session';
import { ANSWER_MARGIN_MS, IDLE_TIMEOUT_MS, run, Server } from './transaction';

/** While other databases are worked on, the session that holds the lock is idle, and must not be taken for a dead one. */
const STAY_AWAKE_MS = 10_000;

export interface Locked {
  readonly server: Server;
  readonly registryExists: boolean;
}

/**
 * Does work while no other provisioner works on this server. Roles are shared by all its databases, and a transaction sees
 * only one of them; so the lock is the session's and not a transaction's, and is held across all of them. It ends with the session,
 * also with that of a Lambda that was frozen.
 *
 * @param session in the database that all provisioners take
 */
export async function withLock<T>(session: Session, budget: Budget, work: (locked: Locked) => Promise<T>): Promise<T> {
  const locked = await takeLock(session, budget);
  const timer = setInterval(() => void session.query(['SELECT 1'], ANSWER_MARGIN_MS).catch(() => undefined), STAY_AWAKE_MS);
  try {
    return await work(locked);
  } finally {
    clearInterval(timer);
  }
}

/** Taken before anything is read that is decided upon. A failure says who holds the lock: that is the session to end. */
async function takeLock(session: Session, budget: Budget): Promise<Locked> {
  const patience = budget.patience();
  const timeouts = { lock_timeout: patience, statement_timeout: patience + ANSWER_MARGIN_MS, idle_session_timeout: IDLE_TIMEOUT_MS };
  try {
    const statements = [setTimeouts(timeouts, 'session'), LOCK, SERVER, REGISTRY_EXISTS];
    const [, , [server], [{ exists }]] = await run(session, { attempted: "take the provisioners' lock" }, statements, patience + 2 * ANSWER_MARGIN_MS);
    return { server: server as unknown as Server, registryExists: exists as boolean };
  } catch (error) {
    if (!(error instanceof ProvisionError && error.cause instanceof ServerError && error.cause.sqlState === '55P03')) {
      throw error;
    }
    const [[{ holders }]] = await run(session, { attempted: "ask who holds the provisioners' lock" }, [lockHolders(LOCK_KEY)]);
    throw new ProvisionError(`${error.message}; it is held by ${holders as string ?? 'a session that has ended by now'}`, { retryUntil: error.retryUntil, cause: error });
  }
}
