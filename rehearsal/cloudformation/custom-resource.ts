import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Invocation } from './lambda-function';
import { generatedName } from './native-resource';
import {
  Properties,
  ResourceFailure,
  ResourceOutcome,
  ResourceProvider,
  ResourceRequest,
  ResourceState,
} from './template';

/** Of the whole answer. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const LONGEST_ANSWER_BYTES = 4096;

const LONGEST_SECONDS = 3600;

/**
 * A function that is invoked asynchronously is tried again twice.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const INVOCATIONS = 3;

type RequestType = 'Create' | 'Update' | 'Delete';

interface Answer {
  readonly Status?: unknown;
  readonly Reason?: unknown;
  readonly PhysicalResourceId?: unknown;
  readonly StackId?: unknown;
  readonly RequestId?: unknown;
  readonly LogicalResourceId?: unknown;
  readonly Data?: Properties;
}

export interface CustomResourceEnvironment {
  /** Invokes the function of a service token. */
  invoke(serviceToken: string, event: Properties): Promise<Invocation>;
  /** A pre-signed URL for one answer, and the answer. */
  /** Resolves when the function behind the one of the service token has begun with the request. */
  begun?(serviceToken: string, requestId: string): Promise<void>;
  expectAnswer(request: ResourceRequest): Promise<{ readonly url: string; readonly answer: Promise<string> }>;
}

/** A custom resource: an event to the function of its service token, and what that uploads as its answer. */
export function customResource(environment: CustomResourceEnvironment): ResourceProvider {
  const madeUp = new Set<string>();
  const call = async (
    requestType: RequestType,
    request: ResourceRequest,
    current?: ResourceState,
  ): Promise<ResourceOutcome> => {
    const { stack, logicalId, type, properties, cancelled } = request;
    const seconds = serviceTimeout(properties.ServiceTimeout);
    const { url, answer } = await environment.expectAnswer(request);
    const event = {
      RequestType: requestType,
      RequestId: randomUUID(),
      StackId: stack.id,
      ResponseURL: url,
      LogicalResourceId: logicalId,
      ResourceType: type,
      ...current && { PhysicalResourceId: current.physicalId },
      ResourceProperties: stringified(properties, logicalId),
      ...requestType === 'Update' && { OldResourceProperties: stringified(current?.properties, logicalId) },
    };
    const over = new AbortController();
    const serviceToken = properties.ServiceToken as string;
    const begun = environment.begun?.(serviceToken, event.RequestId);
    try {
      const text = await Promise.race([
        answer,
        delivered(environment, serviceToken, event).then(error => noAnswer(event.RequestId, error)),
        setTimeout(seconds * 1000, undefined, { signal: over.signal, ref: false }).then(() =>
          noAnswer(event.RequestId, `there was none within ${seconds} s`),
        ),
        ...cancelled ? [cancellation(cancelled, requestType, begun)] : [],
      ]);
      return checked(event, text, current);
    } catch (error) {
      // Whatever has happened to it: CloudFormation makes up a physical id, and sends a Delete for that.
      if (requestType === 'Create' && !(error instanceof ResourceFailure && error.physicalId !== undefined)) {
        const physicalId = generatedName(request);
        madeUp.add(physicalId);
        throw new ResourceFailure((error as Error).message, physicalId);
      }
      throw error;
    } finally {
      over.abort();
    }
  };
  return {
    create: request => call('Create', request),
    update: async (request, current) => {
      if (request.properties.ServiceToken !== current.properties.ServiceToken) {
        throw new Error('Modifying service token is not allowed.');
      }
      return call('Update', request, current);
    },
    delete: async (stack, state) => {
      await call('Delete', { ...state, stack }, state);
      if (madeUp.delete(state.physicalId)) {
        await nextSecond();
      }
    },
  };
}

/**
 * What follows the Delete of a cancelled creation takes CloudFormation some seconds. A pre-signed URL says in which
 * second an event was sent.
 */
async function nextSecond(): Promise<void> {
  await setTimeout(1000 - Date.now() % 1000);
}

function serviceTimeout(value: unknown = LONGEST_SECONDS): number {
  const seconds = Number(value);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST_SECONDS) {
    throw new Error(
      `ServiceTimeout ${JSON.stringify(value)} is not valid: it is a whole number of seconds from 1 to ${LONGEST_SECONDS}`,
    );
  }
  return seconds;
}

/**
 * Settles when nothing is under way any more, with what the function ended in. AWS waits for some minutes before it
 * tries again.
 */
async function delivered(
  environment: CustomResourceEnvironment,
  serviceToken: string,
  event: Properties,
): Promise<string> {
  for (let invocation = 1; ; invocation++) {
    const { error } = await environment.invoke(serviceToken, event);
    if (error === undefined || invocation === INVOCATIONS) {
      return error ? `the function failed ${invocation} times: ${error.message}` : 'the function ended without one';
    }
  }
}

function noAnswer(requestId: string, why: string): never {
  throw new Error(
    `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${requestId}]. (${why})`,
  );
}

/**
 * Another resource has failed: CloudFormation does not wait for the answer. What the function is about goes on. To
 * notice and to roll back takes CloudFormation some seconds, in which a function begins; here it would take none.
 */
async function cancellation(cancelled: AbortSignal, requestType: RequestType, begun?: Promise<void>): Promise<never> {
  await new Promise<void>(resolve =>
    cancelled.aborted ? resolve() : cancelled.addEventListener('abort', () => resolve(), { once: true }),
  );
  await begun;
  throw new Error(requestType === 'Create' ? 'Resource creation cancelled' : 'Resource update cancelled');
}

/**
 * CloudFormation's rules for an answer. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
 */
function checked(
  event: { RequestType: RequestType; StackId: string; RequestId: string; LogicalResourceId: string },
  text: string,
  current?: ResourceState,
): ResourceOutcome {
  const bytes = Buffer.byteLength(text);
  if (bytes > LONGEST_ANSWER_BYTES) {
    throw new Error(`Response object is too long: ${bytes} bytes, ${LONGEST_ANSWER_BYTES} are allowed`);
  }
  const {
    Status: status,
    Reason: reason,
    PhysicalResourceId: physicalId,
    Data = {},
    ...others
  } = JSON.parse(text) as Answer;
  const other = (['StackId', 'RequestId', 'LogicalResourceId'] as const).find(name => others[name] !== event[name]);
  if (other !== undefined) {
    throw new Error(`the answer is about another ${other}: ${JSON.stringify(others[other])}`);
  }
  const known = typeof physicalId === 'string' && physicalId !== '' ? physicalId : undefined;
  if (status === 'FAILED') {
    throw new ResourceFailure(typeof reason === 'string' ? reason : 'it failed without a reason', known);
  }
  if (status !== 'SUCCESS') {
    throw new Error(`the answer has the Status ${JSON.stringify(status)}: SUCCESS and FAILED are allowed`);
  }
  if (known === undefined) {
    throw new Error(`Invalid PhysicalResourceId: ${JSON.stringify(physicalId)}`);
  }
  if (event.RequestType === 'Delete' && known !== current?.physicalId) {
    throw new Error(`the answer to Delete is about ${known}, not ${current?.physicalId}`);
  }
  return { physicalId: known, attributes: Data };
}

/** CloudFormation hands every scalar to a custom resource as a string. */
function stringified(value: unknown, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, i) => stringified(item, `${path}[${i}]`));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, stringified(item, `${path}.${key}`)]));
  }
  if (typeof value === 'string' && /\{\{resolve:(secretsmanager|ssm-secure):/.test(value)) {
    throw new Error(`${path}: CloudFormation resolves no reference to a secret in a custom resource`);
  }
  return String(value);
}
