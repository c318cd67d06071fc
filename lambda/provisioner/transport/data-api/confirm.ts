import { FIXED_DATABASE } from '../../core/state';
import { ProvisionError } from '../../errors';
import { explain } from '../../remedies/server';
import { SESSION_TIMES } from '../../sql/session';
import { beginExplained, type Calls } from './session';

/** Sessions that are held at the same time until one of them is new. */
const MAX_SESSIONS = 10;

/** To say goodbye must not delay an answer: a transaction ends by itself. */
const CLOSE_MS = 1_000;

/**
 * Whether the Data API can still sign in. AWS does not say how long it keeps the sessions that it has signed in to
 * before, and one of these proves nothing. So transactions are held, each of them in a session of its own, until one is
 * in a session that has begun by now.
 */
export async function confirmByNewSession(calls: Calls, clusterArn: string): Promise<void> {
  const held: string[] = [];
  let since: number | undefined;
  try {
    while (held.length < MAX_SESSIONS) {
      const id = await beginExplained(calls, clusterArn, FIXED_DATABASE).catch(asExplained('sign in as the admin'));
      held.push(id);
      const [began, now] = await timesOf(calls, id);
      if (since !== undefined && began > since) {
        return;
      }
      since ??= now;
    }
  } finally {
    await Promise.all(held.map(id => calls.rollback(id, CLOSE_MS).catch(() => undefined)));
  }
  throw new ProvisionError(
    `cannot tell whether the Data API of ${clusterArn} can still sign in: ${MAX_SESSIONS} sessions at the same time had been there before; call it again later, or look at the log of the database`,
  );
}

/** Seconds by the clock of the server: when the session has begun, and now. */
async function timesOf(calls: Calls, id: string): Promise<number[]> {
  const [times] = await calls
    .execute(id, FIXED_DATABASE, SESSION_TIMES)
    .catch(asExplained('ask when a session has begun'));
  return times.split(' ').map(Number);
}

/** Also of a call whose answer is lost: nothing was refused, and it is made again. */
function asExplained(attempted: string): (error: unknown) => never {
  return (error) => {
    throw explain(error, { attempted });
  };
}
