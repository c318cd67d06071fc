import { object, refuse } from '../shared/decode';
import { inLogGroup } from '../shared/errors';
import type { Context } from '../shared/event';
import { createLogger } from '../shared/logger';
import { Budget } from './budget';
import { endAllExpired } from './engine/end-expired';
import { ProvisionError } from './errors';
import { attempt, type Dependencies } from './handler';
import { withRetries } from './retry';

const NAMES_LOGGED = 10;

/**
 * Ends the access of users whose time is over. Its event is `{}`: whose it is, the registry says, and no event has a
 * say in it. So an event that comes late, twice or from another principal does what the next deployment would do
 * anyway.
 */
export function createExpiryHandler({
  deployment: deployed,
  clock,
  write,
}: Dependencies): (event: unknown, context: Context) => Promise<void> {
  return async (event, context) => {
    const log = createLogger(write, {
      requestId: context.awsRequestId,
      action: 'expiry',
      function: context.functionName,
    });
    const budget = new Budget(clock, context.getRemainingTimeInMillis());
    try {
      const [property] = Object.keys(object('event', event));
      if (property !== undefined) {
        refuse('property', property, 'the event of this alias has none', 'send {}');
      }
      const deployment = deployed();
      log.info('started', { host: deployment.host });
      await withRetries(
        budget,
        () => attempt(deployment, budget, log, async (work) => {
          const names = await endAllExpired(work);
          log.info('expiry checked', { names: names.slice(0, NAMES_LOGGED).join(', '), count: names.length });
        }),
        (error, delayMs) => log.info('trying again', { reason: error.message, delayMs }),
      );
      log.info('finished', { elapsedMs: Math.round(budget.elapsedMs()) });
    } catch (error) {
      const reason
        = error instanceof ProvisionError
          ? new ProvisionError(error.message)
          : new ProvisionError(`internal error: ${(error as Error).message}`);
      log.info('failed', { reason: reason.message, elapsedMs: Math.round(budget.elapsedMs()) });
      throw inLogGroup(reason, context.logGroupName);
    }
  };
}
