import { Budget, PATIENCE_MS } from './budget';
import { ProvisionError, ServerError } from './errors';
import { Session } from './session';
import { SERVER } from './sql/catalog';
import { earlierWaiters, endStrangers, lockHolders } from './sql/lock-holders';
import { REGISTRY, REGISTRY_SCHEMA } from './sql/registry';
import { BEGIN, LOCK, LOCK_KEY, ROLLBACK, Scope, setTimeouts, UNLOCK } from './sql/session';
import { ANSWER_MARGIN_MS, IDLE_TIMEOUT_MS, run, Server } from './transaction';

/** After so long a look at who has the lock; the first one soon, should it be somebody who must not. */
const TURN_MS = { first: PATIENCE_MS / 10, others: PATIENCE_MS * 0.45 };

export interface Locked {
  readonly server: Server;
  readonly registryExists: boolean;
}

/**
 * Does work while no other provisioner works on this server. Roles are shared by all its databases, and a transaction sees
 * only one of them; so the lock is the session's and not that of a transaction that works, and is held across all of them. It ends with the session,
 * also with that of a Lambda that was frozen. In a pool nothing ends with a session: there it is that of a transaction which does nothing else.
 *
 * @param session in the database that all provisioners take
 */
export async function withLock<T>(session: Session, budget: Budget, work: (locked: Locked) => Promise<T>): Promise<T> {
  return work(await takeLock(session, budget));
}

/**
 * Taken before anything is read that is decided upon. Many wait for it when a stack has many users: as long as it goes from one
 * to the next, each waits for its turn, in the order of their arrival. CloudFormation takes back an event that it has cancelled by
 * another one, and does not wait for the end of the first. A failure says who holds the lock: that is the session to end.
 */
async function takeLock(session: Session, budget: Budget): Promise<Locked> {
  const scope: Scope = session.isPooled ? 'transaction' : 'session';
  for (let holder: { readonly who: unknown; readonly since: number } | undefined; ;) {
    const begin = budget.elapsed();
    const turn = Math.min(budget.work(), holder ? TURN_MS.others : TURN_MS.first);
    const timeouts = { lock_timeout: turn, statement_timeout: turn + ANSWER_MARGIN_MS, [session.isPooled ? 'idle_in_transaction_session_timeout' : 'idle_session_timeout']: IDLE_TIMEOUT_MS };
    try {
      const statements = [...session.isPooled ? [BEGIN] : [], setTimeouts(timeouts, scope), LOCK[scope], earlierWaiters(LOCK_KEY), SERVER, REGISTRY];
      const results = await run(session, { attempted: "take the provisioners' lock" }, statements, turn + 2 * ANSWER_MARGIN_MS);
      const [[{ earlier }], [server], [{ exists, foreign }]] = results.slice(-3);
      budget.excuse(budget.elapsed() - begin);
      if (earlier !== 0) {
        await run(session, { attempted: "let others have the provisioners' lock first" }, [UNLOCK[scope]]);
        continue;
      }
      if (foreign !== null) {
        throw new ProvisionError(`schema ${REGISTRY_SCHEMA} in database ${session.database} belongs to ${JSON.stringify(foreign)}, or something in it does, and is not the registry of this library; `
          + 'rename or drop it, or, if that was the admin before, make the admin a member of that role');
      }
      return { server: server as unknown as Server, registryExists: exists as boolean };
    } catch (error) {
      if (!(error instanceof ProvisionError && error.cause instanceof ServerError && error.cause.sqlState === '55P03')) {
        throw error;
      }
      if (session.isPooled) {
        await run(session, { attempted: 'wait no more' }, [ROLLBACK]);
      }
      // Everybody who may connect may take an advisory lock, and must not be able to keep its own removal from happening.
      const [[{ holders, who }], strangers] = await run(session, { attempted: "ask who holds the provisioners' lock", needs: 'to be a member of pg_signal_backend' }, [lockHolders(LOCK_KEY), endStrangers(LOCK_KEY)]);
      if (strangers.length > 0) {
        continue;
      }
      if (!holder || who !== holder.who) {
        budget.excuse(holder ? budget.elapsed() - begin : 0);
        holder = { who, since: begin };
      }
      if ((holders !== null && budget.elapsed() - holder.since >= PATIENCE_MS) || budget.work() < TURN_MS.others) {
        throw new ProvisionError(`${error.message}; it is held by ${holders as string ?? 'a session that has ended by now'}`, { retryUntil: error.retryUntil, cause: error });
      }
    }
  }
}
