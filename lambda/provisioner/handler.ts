import { lookup } from 'node:dns/promises';
import { apply } from './apply';
import { Budget } from './budget';
import { Deployment, formerDatabase } from './deployment';
import { ProvisionError } from './errors';
import { Journal } from './journal';
import { withLock } from './lock';
import { remove } from './remove';
import { decode, Request } from './request';
import { withRetries } from './retry';
import { Sessions } from './sessions';
import { undo } from './undo';
import { Work } from './work';
import { Clock } from '../shared/clock';
import { Context, readEvent } from '../shared/event';
import { createLogger, Logger } from '../shared/logger';

export interface Dependencies {
  /** What the deployment has fixed; throws what is wrong with it. */
  readonly deployment: () => Deployment;
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

/** What is passed on to CloudFormation. A failure is thrown: to CDK's provider framework, a returned FAILED counts as success. */
export interface Answer {
  readonly PhysicalResourceId: string;
}

const NAMES_LOGGED = 10;

export function createHandler({ deployment: deployed, clock, write }: Dependencies): (event: unknown, context: Context) => Promise<Answer> {
  return async (input, context) => {
    const budget = new Budget(clock, context.getRemainingTimeInMillis());
    let log = createLogger(write, { requestId: context.awsRequestId });
    try {
      const event = readEvent(input);
      log = createLogger(write, { requestId: context.awsRequestId, action: event.RequestType, logicalId: event.LogicalResourceId });
      const deployment = deployed();
      const former = formerDatabase(event, deployment);
      if (former !== undefined) {
        log.info('nothing to remove', { reason: `${former} is not the database of this provisioner any more: its roles stay as they are, and what this app allows is about ${deployment.resourceId}` });
        return { PhysicalResourceId: event.PhysicalResourceId ?? '' };
      }
      const request = decode(event);
      log.info('started', { host: deployment.host, names: request.usernames.slice(0, NAMES_LOGGED).join(', '), count: request.usernames.length });
      await provision(request, budget, log, deployment, () => new Budget(clock, context.getRemainingTimeInMillis()));
      log.info('finished', { physicalId: request.physicalId, elapsedMs: Math.round(budget.elapsed()) });
      return { PhysicalResourceId: request.physicalId };
    } catch (error) {
      // Without a cause: Lambda logs what is thrown.
      const reason = error instanceof ProvisionError
        ? new ProvisionError(error.message, { mayBeLeft: error.mayBeLeft })
        : new ProvisionError(`internal error: ${(error as Error).message}`, { mayBeLeft: true });
      log.info('failed', { reason: reason.message, elapsedMs: Math.round(budget.elapsed()) });
      throw reason;
    }
  };
}

/** Tried again as long as that makes sense. If it fails in the end, what was committed on the way is taken back. */
async function provision(request: Request, budget: Budget, log: Logger, deployment: Deployment, newBudget: () => Budget): Promise<void> {
  const journal = new Journal();
  const tries = (within: Budget, body: (work: Work) => Promise<void>) => withRetries(
    within,
    () => attempt(deployment, within, log, body),
    (error, delayMs) => log.info('trying again', { reason: error.message, delayMs }),
  );
  try {
    await tries(budget, work => request.action === 'apply' ? applyOrUndo(work, request, journal) : remove(work, request));
  } catch (error) {
    if (journal.isEmpty) {
      return acceptGone(request, deployment, log, error);
    }
    log.info('undoing', { reason: (error as Error).message });
    await tries(newBudget(), work => undo(work, request.owner, journal)).catch((failure: Error) => {
      throw new ProvisionError(`${(error as Error).message}; what had been done before could not be undone (${failure.message}): the next deployment takes it up`, { cause: error, mayBeLeft: true });
    });
    throw error;
  }
}

/** What fails for good is taken back before anybody else gets the lock, as long as the session is well. */
async function applyOrUndo(work: Work, request: Request, journal: Journal): Promise<void> {
  try {
    await apply(work, request, journal);
  } catch (error) {
    const retried = error instanceof ProvisionError && error.retryUntil > 0;
    if (!retried && !journal.isEmpty) {
      work.log.info('undoing', { reason: (error as Error).message });
      await undo(work, request.owner, journal).then(() => journal.clear(), () => undefined);
    }
    throw error;
  }
}

/** One try from the beginning. */
async function attempt({ transport, registryOwner }: Deployment, budget: Budget, log: Logger, body: (work: Work) => Promise<void>): Promise<void> {
  const open = await transport(budget, log);
  await withLock(open, registryOwner, budget, async (lock) => {
    const sessions = new Sessions(open, budget, log);
    try {
      await body({ lock, registryExists: lock.registry.exists, sessions, budget, log });
    } finally {
      await sessions.close();
    }
  });
}

/**
 * A user whose database is gone is gone. The name of an endpoint disappears with its database; a name server that does not
 * answer says nothing of the kind. Asked again after everything has failed, so that one wrong answer is not enough.
 */
async function acceptGone({ action }: Request, { host }: Deployment, log: Logger, error: unknown): Promise<void> {
  const gone = action === 'remove' && await lookup(host).then(() => false, (problem: NodeJS.ErrnoException) => problem.code === 'ENOTFOUND');
  if (!gone) {
    throw error;
  }
  log.info('nothing to remove', { reason: `there is no host ${host} any more; had it only changed its name, the user would still have its access` });
}
