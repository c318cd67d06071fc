import { ProvisionError } from '../errors';
import { explainLockout, isForToken, isRefusal } from '../remedies/sign-in';
import { withRetries } from '../retry';
import type { Work } from './work';

/**
 * Asks the server whether the admin still gets in, after changes to memberships were committed: what a login of RDS
 * does with them is in no catalog, and nowhere documented. The sessions that made the changes are still open, so that
 * they can be taken back.
 *
 * A server that is full, starts or does not answer has refused no sign-in. It is asked again, but nothing is taken back
 * for that.
 *
 * @throws if the admin is refused, with the secret read again
 */
export async function confirmAdmin({ sessions, budget, log }: Work): Promise<void> {
  const start = budget.waitedMs();
  const left = {
    waitedMs: () => budget.waitedMs() - start,
    remainingMs: () => budget.remainingToBeginMs(),
    sleep: (milliseconds: number) => budget.sleep(milliseconds),
  };
  try {
    await withRetries(
      left,
      () => sessions.confirm(),
      (error, delayMs) => log.info('trying again', { reason: error.message, delayMs }),
      error => !isForToken(error),
    );
  } catch (error) {
    if (!(error instanceof ProvisionError)) {
      throw error;
    }
    if (isRefusal(error)) {
      throw explainLockout(error);
    }
    log.info('admin not confirmed', { reason: error.message });
  }
}
