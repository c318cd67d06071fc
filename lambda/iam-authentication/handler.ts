import type { Clock } from '../shared/clock';
import { inLogGroup, ProvisionError } from '../shared/errors';
import { type Context, readEvent } from '../shared/event';
import { createLogger } from '../shared/logger';
import { decode } from './request';
import { type Rds, enable } from './enable';

export interface Dependencies {
  readonly rds: Rds;
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

/**
 * What the provider framework passes on to CloudFormation. A failure is thrown: a returned FAILED counts as success
 * there.
 */
export interface Answer {
  /** Of another database it is another one, so that CloudFormation sees a replacement. */
  readonly PhysicalResourceId: string;
  readonly Data?: { readonly ResourceId: string; readonly Host: string; readonly Port: string };
}

/** Kept back to answer before the Lambda is killed. */
const MARGIN_MS = 10_000;

export function createHandler({
  rds,
  clock,
  write,
}: Dependencies): (event: unknown, context: Context) => Promise<Answer> {
  return async (input, context) => {
    let log = createLogger(write, { requestId: context.awsRequestId });
    try {
      const event = readEvent(input);
      log = createLogger(write, {
        requestId: context.awsRequestId,
        action: event.RequestType,
        logicalId: event.LogicalResourceId,
      });
      if (event.RequestType === 'Delete') {
        // Others may sign in with IAM meanwhile. Nothing is asked, so that nothing can go wrong.
        log.info('left as it is');
        return { PhysicalResourceId: event.PhysicalResourceId ?? '' };
      }
      const request = decode(event);
      log.info('started', { kind: request.kind, identifier: request.identifier });
      const { resourceId, host, port } = await enable(request, {
        rds,
        clock,
        log,
        within: context.getRemainingTimeInMillis() - MARGIN_MS,
      });
      log.info('finished', { database: resourceId });
      return { PhysicalResourceId: resourceId, Data: { ResourceId: resourceId, Host: host, Port: port } };
    } catch (error) {
      const reason
        = error instanceof ProvisionError
          ? error
          : new ProvisionError(`internal error: ${(error as Error).message}`, { cause: error });
      log.info('failed', { reason: reason.message });
      throw inLogGroup(reason, context.logGroupName);
    }
  };
}
