import type { Budget } from './budget';
import { ProvisionError } from './errors';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 3_000;

/**
 * Runs an attempt again while its error says that this makes sense, with full jitter in between.
 *
 * @param failed told each error that is retried, and the delay before the next attempt
 * @param worthIt whether this is the place to try again after such an error
 */
export async function withRetries<T>(
  budget: Pick<Budget, 'waitedMs' | 'remainingMs' | 'sleep'>,
  attempt: () => Promise<T>,
  failed: (error: ProvisionError, delayMs: number) => void,
  worthIt: (error: ProvisionError) => boolean = () => true,
): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ProvisionError && worthIt(error))) {
        throw error;
      }
      const delay = Math.ceil(Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** round));
      if (budget.waitedMs() + delay >= error.retryUntil || delay >= budget.remainingMs()) {
        throw error;
      }
      failed(error, delay);
      await budget.sleep(delay);
    }
  }
}
