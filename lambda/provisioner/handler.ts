import { lookup } from 'node:dns/promises';
import type { Clock } from '../shared/clock';
import { inLogGroup } from '../shared/errors';
import { type Context, readEvent } from '../shared/event';
import { createLogger, type Logger } from '../shared/logger';
import { Budget } from './budget';
import { Journal } from './core/journal';
import type { Decision } from './core/lifecycle';
import { type Deployment, formerDatabase } from './deployment';
import { apply, deleteOf } from './engine/apply';
import { applyPublic, removePublic } from './engine/public-privileges';
import { remove } from './engine/remove';
import { Sessions } from './engine/sessions';
import { takeLock } from './engine/take-lock';
import { orUndo, undo } from './engine/undo';
import { executed, type Work } from './engine/work';
import { ProvisionError } from './errors';
import { decodeRequest, type PublicRequest } from './public-request';
import type { Request } from './request';
import { withRetries } from './retry';

export interface Dependencies {
  /** What the deployment has fixed; throws what is wrong with it. */
  readonly deployment: () => Deployment;
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

/**
 * What is passed on to CloudFormation. A failure is thrown: to CDK's provider framework, a returned FAILED counts as
 * success.
 */
export interface Answer {
  readonly PhysicalResourceId: string;
}

const NAMES_LOGGED = 10;

export function createHandler({
  deployment: deployed,
  clock,
  write,
}: Dependencies): (event: unknown, context: Context) => Promise<Answer> {
  return async (input, context) => {
    const budget = new Budget(clock, context.getRemainingTimeInMillis());
    let log = createLogger(write, { requestId: context.awsRequestId });
    try {
      const event = readEvent(input);
      log = createLogger(write, {
        requestId: context.awsRequestId,
        action: event.RequestType,
        logicalId: event.LogicalResourceId,
      });
      const deployment = deployed();
      const former = formerDatabase(event, deployment);
      if (former !== undefined) {
        log.info('nothing to remove', {
          reason: `${former} is not the database of this provisioner any more: its roles stay as they are, and what this app allows is about ${deployment.resourceId}`,
        });
        return { PhysicalResourceId: event.PhysicalResourceId ?? '' };
      }
      const request = decodeRequest(event);
      log.info('started', {
        host: deployment.host,
        names: request.usernames.slice(0, NAMES_LOGGED).join(', '),
        count: request.usernames.length,
      });
      await provision(request, budget, log, deployment, () => new Budget(clock, context.getRemainingTimeInMillis()));
      log.info('finished', { physicalId: request.physicalId, elapsedMs: Math.round(budget.elapsedMs()) });
      return { PhysicalResourceId: request.physicalId };
    } catch (error) {
      // Without a cause: Lambda logs what is thrown.
      const reason = error instanceof ProvisionError
        ? new ProvisionError(error.message, { mayBeLeft: error.mayBeLeft })
        : new ProvisionError(`internal error: ${(error as Error).message}`, { mayBeLeft: true });
      log.info('failed', {
        reason: reason.message, function: context.functionName, elapsedMs: Math.round(budget.elapsedMs()),
      });
      throw inLogGroup(reason, context.logGroupName);
    }
  };
}

/** Tried again as long as that makes sense. If it fails in the end, what was committed on the way is taken back. */
async function provision(
  request: Request | PublicRequest,
  budget: Budget,
  log: Logger,
  deployment: Deployment,
  newBudget: () => Budget,
): Promise<void> {
  const journal = new Journal();
  const tries = (within: Budget, body: (work: Work) => Promise<unknown>) => withRetries(
    within,
    () => attempt(deployment, within, log, body),
    (error, delayMs) => log.info('trying again', { reason: error.message, delayMs }),
  );
  let abandoned: readonly string[] = [];
  try {
    await tries(budget, async work => abandoned = await execute(work, request, journal));
  } catch (error) {
    if (journal.isEmpty) {
      return acceptGone(request, deployment, log, error);
    }
    log.info('undoing', { reason: (error as Error).message });
    await tries(newBudget(), work => undo(work, request.resource, journal)).catch((failure: Error) => {
      throw new ProvisionError(
        `${(error as Error).message}; what had been done before could not be undone (${failure.message}): the next deployment takes it up`,
        { cause: error, mayBeLeft: true },
      );
    });
    throw error;
  }
  // The event is complete. What cannot be ended is tried again by the next one, and lets no rollback fail.
  for (const physicalId of abandoned) {
    await tries(newBudget(), work => remove(work, deleteOf(request as Request, physicalId)))
      .catch((error: Error) => log.info('not removed', { physicalId, reason: error.message }));
  }
}

/** @returns physical ids of updates that CloudFormation has given up: what is left of them is to go */
async function execute(work: Work, request: Request | PublicRequest, journal: Journal): Promise<readonly string[]> {
  const { action, resource } = request;
  if (action === 'remove') {
    await (request.kind === 'public' ? removePublic(work, request) : remove(work, request));
    return [];
  }
  const decision = await orUndo<Decision | void>(work, resource, journal, () =>
    request.kind === 'public' ? applyPublic(work, request, journal) : apply(work, request, journal));
  return decision?.abandoned ?? [];
}

/** One try from the beginning, under the provisioners' lock. */
export async function attempt(
  { transport, registryOwner, resourceId }: Deployment,
  budget: Budget,
  log: Logger,
  body: (work: Work) => Promise<unknown>,
): Promise<void> {
  const access = await transport(budget, log, 'change');
  const lock = await takeLock({ open: access.open, owner: registryOwner, budget, log });
  await lock.during(async () => {
    const sessions = new Sessions(access, budget, log);
    try {
      await body({
        lock,
        registryExists: lock.registry.exists,
        sessions,
        budget,
        log,
        resourceId,
        inDatabase: executed,
      });
    } finally {
      await sessions.close();
    }
  });
}

/**
 * A user whose database is gone is gone. The name of an endpoint disappears with its database; a name server that does
 * not answer says nothing of the kind. Asked again after everything has failed, so that one wrong answer is not enough.
 */
async function acceptGone(
  { action }: Pick<Request, 'action'>,
  { host }: Deployment,
  log: Logger,
  error: unknown,
): Promise<void> {
  const gone
    = action === 'remove'
      && (await lookup(host).then(
        () => false,
        (problem: NodeJS.ErrnoException) => problem.code === 'ENOTFOUND',
      ));
  if (!gone) {
    throw error;
  }
  log.info('nothing to remove', {
    reason: `there is no host ${host} any more; had it only changed its name, the user would still have its access`,
  });
}
