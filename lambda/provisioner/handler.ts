import { lookup } from 'node:dns/promises';
import { Budget, Clock } from './budget';
import { openSession } from './connection';
import { Admin } from './credentials';
import { explain } from './database-error';
import { ProvisionError, ServerError } from './errors';
import { createLogger, Logger } from './logger';
import { apply, remove } from './provision';
import { decode, Event, Request } from './request';
import { withRetries } from './retry';

export interface Dependencies {
  readonly readAdmin: () => Promise<Admin>;
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

/** The part of Lambda's context that is used. */
export interface Context {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** What the provider framework passes on to CloudFormation. A failure is thrown: a returned FAILED counts as success there. */
export interface Answer {
  readonly PhysicalResourceId: string;
}

/** The database that every server has and where the registry is. */
const FIXED_DATABASE = 'postgres';
const CONNECT_MS = 8_000;

export function createHandler({ readAdmin, clock, write }: Dependencies): (event: Event, context: Context) => Promise<Answer> {
  return async (event, context) => {
    const budget = new Budget(clock, context.getRemainingTimeInMillis());
    const log = createLogger(write, { requestId: context.awsRequestId, action: event.RequestType, logicalId: event.LogicalResourceId });
    try {
      const request = decode(event);
      log.info('started', { host: request.host, port: request.port, username: request.username });
      await withRetries(budget, () => attempt(request, budget, log, readAdmin), (error, delayMs) => log.info('trying again', { reason: error.message, delayMs }))
        .catch(error => acceptGone(request, log, error));
      log.info('finished', { physicalId: request.physicalId, elapsedMs: Math.round(budget.elapsed()) });
      return { PhysicalResourceId: request.physicalId };
    } catch (error) {
      const reason = error instanceof ProvisionError ? error : new ProvisionError(`internal error: ${(error as Error).message}`, { cause: error });
      log.info('failed', { reason: reason.message, elapsedMs: Math.round(budget.elapsed()) });
      throw reason;
    }
  };
}

/** One try from the beginning. The secret is read each time: the password may have been rotated in between. */
async function attempt(request: Request, budget: Budget, log: Logger, readAdmin: () => Promise<Admin>): Promise<void> {
  const { host, port } = request;
  const admin = await readAdmin();
  // What is left of the patience bounds the last try, too.
  const connectMs = Math.min(CONNECT_MS, budget.patience() + CONNECT_MS / 4);
  const session = await openSession({ host, port, database: FIXED_DATABASE, admin, connectMs }).catch((error) => {
    throw error instanceof ServerError ? explain(error, { attempted: `sign in to ${host}:${port} as the admin`, needs: `CONNECT on database ${FIXED_DATABASE}` }) : error;
  });
  try {
    await (request.action === 'apply' ? apply : remove)(session, budget, log, request);
  } finally {
    await session.close();
  }
}

/**
 * A user whose database is gone is gone. The name of an endpoint disappears with its database; a name server that does not
 * answer says nothing of the kind. Asked again after everything has failed, so that one wrong answer is not enough.
 */
async function acceptGone({ action, host }: Request, log: Logger, error: unknown): Promise<void> {
  const gone = action === 'remove' && await lookup(host).then(() => false, (problem: NodeJS.ErrnoException) => problem.code === 'ENOTFOUND');
  if (!gone) {
    throw error;
  }
  log.info('nothing to remove', { reason: `there is no host ${host} any more; had it only changed its name, the user would still have its access` });
}
