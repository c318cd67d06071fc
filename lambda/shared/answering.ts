import { object, text } from './decode';
import { inLogGroup, ProvisionError, withinBytes } from './errors';
import type { Context } from './event';
import { createLogger } from './logger';
import { type AwsLocation, decodeResponseUrl, sentAt } from './response-url';

/**
 * What a custom resource tells CloudFormation.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
 */
interface CloudFormationAnswer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
}

/** Whom an answer is for: what CloudFormation compares, and where it waits. */
interface Recipient {
  readonly url: URL;
  readonly ids: { readonly StackId: string; readonly RequestId: string; readonly LogicalResourceId: string };
  readonly requestType: unknown;
  readonly physicalId?: string;
}

export interface Surroundings {
  readonly location: () => AwsLocation;
  /** Seconds that CloudFormation waits for an answer. */
  readonly serviceTimeoutSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Uploads an answer. @returns the status of HTTP */
  readonly put: (url: URL, body: string, timeoutMs: number) => Promise<number>;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  readonly write: (line: string) => void;
}

/**
 * Physical id of a resource that was not created and has left nothing: its Delete has nothing to do, and needs no
 * database.
 */
export const NOT_CREATED = 'cdk-aurora-iam-auth/not-created';

/**
 * Physical id of a resource whose creation has ended and may have left something: its Delete looks for it, as after a
 * creation that CloudFormation has cancelled.
 */
export const CREATION_INTERRUPTED = 'cdk-aurora-iam-auth/creation-interrupted';

/** For a reason that is worth reading. */
const MIN_REASON_BYTES = 200;

/** Of the whole answer. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MAX_ANSWER_BYTES = 4096;

/** To upload an answer takes less than `ANSWER_MS`, whatever goes wrong. */
const ATTEMPTS = 5;
const ATTEMPT_MS = 3_000;
const FIRST_DELAY_MS = 250;

/** Kept back to answer in. */
export const ANSWER_MS = 20_000;

/**
 * A function that CloudFormation invokes itself, asynchronously, and that uploads its answer: in place of CDK's
 * provider framework.
 *
 * Lambda tries an event again if the function fails, which is so only if it could not answer: the work is done again
 * then, and finds what it has done. An event that comes after CloudFormation has stopped waiting for it is not carried
 * out: what it asks for may have been taken back.
 *
 * @param handle returns the physical id, or throws the reason
 */
export function answering(
  handle: (event: unknown, context: Context) => Promise<{ readonly PhysicalResourceId: string }>,
  surroundings: Surroundings,
) {
  return async (event: unknown, context: Context): Promise<void> => {
    const log = createLogger(surroundings.write, { requestId: context.awsRequestId });
    let recipient: Recipient;
    try {
      recipient = recipientOf(event, surroundings.location());
    } catch (error) {
      log.info('not answered', { reason: (error as Error).message });
      throw error;
    }
    const { url, ids: { LogicalResourceId: logicalId } } = recipient;
    const ageMs = Math.max(0, surroundings.now() - (sentAt(url) ?? surroundings.now()));
    const leftMs = surroundings.serviceTimeoutSeconds * 1000 - ageMs;
    if (leftMs <= ANSWER_MS) {
      log.info('too late', {
        logicalId,
        reason: `CloudFormation has sent this event ${Math.round(ageMs / 1000)} s ago, and waits for ${surroundings.serviceTimeoutSeconds} s`,
      });
      return;
    }
    const end = Math.min(context.getRemainingTimeInMillis(), leftMs) - ANSWER_MS;
    const start = performance.now();
    const remaining = () => end - (performance.now() - start);
    const answer = await answerOf(
      recipient,
      () => handle(event, { ...context, awsRequestId: context.awsRequestId, getRemainingTimeInMillis: remaining }),
      end,
      context.logGroupName,
    );
    try {
      await upload(recipient, answer, surroundings);
    } catch (error) {
      const reason = `the answer ${answer.Status} could not be uploaded: ${(error as Error).message}`;
      log.info('not answered', { logicalId, reason });
      throw new ProvisionError(reason);
    }
    log.info('answered', { logicalId, status: answer.Status, physicalId: answer.PhysicalResourceId });
  };
}

/** Never fails, and takes no longer than it may. */
async function answerOf(
  recipient: Recipient,
  work: () => Promise<{ readonly PhysicalResourceId: string }>,
  withinMs: number,
  logGroup: string | undefined,
): Promise<CloudFormationAnswer> {
  const { requestType, physicalId } = recipient;
  if (requestType === 'Delete' && physicalId === NOT_CREATED) {
    return { Status: 'SUCCESS', PhysicalResourceId: NOT_CREATED };
  }
  let timer: NodeJS.Timeout | undefined;
  const late = () =>
    inLogGroup(
      new ProvisionError('no result within the time of the function; see its log', { mayBeLeft: true }),
      logGroup,
    );
  const deadline = new Promise<never>((_, reject) => timer = setTimeout(() => reject(late()), withinMs));
  try {
    const { PhysicalResourceId } = await Promise.race([work(), deadline]);
    return {
      Status: 'SUCCESS',
      PhysicalResourceId: requestType === 'Delete' ? (physicalId ?? PhysicalResourceId) : PhysicalResourceId,
    };
  } catch (error) {
    const mayBeLeft = !(error instanceof ProvisionError) || error.mayBeLeft;
    return {
      Status: 'FAILED',
      Reason: (error as Error).message,
      PhysicalResourceId: physicalId ?? (mayBeLeft ? CREATION_INTERRUPTED : NOT_CREATED),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** Read on its own, so that an event that is refused for anything else is answered. */
function recipientOf(event: unknown, location: AwsLocation): Recipient {
  const {
    ResponseURL: url,
    StackId: stackId,
    RequestId: requestId,
    LogicalResourceId: logicalId,
    RequestType: requestType,
    PhysicalResourceId: physicalId,
  } = object('event', event);
  return {
    url: decodeResponseUrl(url, location),
    ids: {
      StackId: text('StackId', stackId),
      RequestId: text('RequestId', requestId),
      LogicalResourceId: text('LogicalResourceId', logicalId),
    },
    requestType,
    ...typeof physicalId === 'string' && physicalId !== '' ? { physicalId } : {},
  };
}

/** The text of an answer: the reason has as much room as the ids leave. */
export function answerText(
  { ids }: Pick<Recipient, 'ids'>,
  { Reason: reason, ...answer }: CloudFormationAnswer,
): string {
  const room = MAX_ANSWER_BYTES - Buffer.byteLength(JSON.stringify({ ...answer, Reason: '', ...ids }));
  if (room < MIN_REASON_BYTES) {
    throw new ProvisionError(
      `the ids of the event leave no room for a reason in an answer, which has ${MAX_ANSWER_BYTES} bytes; let CloudFormation send the events`,
    );
  }
  return JSON.stringify({
    ...answer,
    ...(reason === undefined ? {} : { Reason: withinBytes(reason, room + 2) }),
    ...ids,
  });
}

async function upload(recipient: Recipient, answer: CloudFormationAnswer, { put, sleep }: Surroundings): Promise<void> {
  const body = answerText(recipient, answer);
  for (let attempt = 1; ; attempt++) {
    // Without the message of an error, which is not known to be free of the URL.
    const problem = await put(recipient.url, body, ATTEMPT_MS).then(
      status => status >= 200 && status < 300 ? undefined : `status ${status}`,
      (error: NodeJS.ErrnoException) => error.code ?? error.name,
    );
    if (problem === undefined) {
      return;
    }
    if (attempt === ATTEMPTS) {
      throw new ProvisionError(
        `${problem}, after ${ATTEMPTS} attempts; check that nothing keeps the function from Amazon S3`,
      );
    }
    await sleep(FIRST_DELAY_MS * 2 ** (attempt - 1));
  }
}
