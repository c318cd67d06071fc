import type { Drift, Plan, SignInFacts } from '../../lib/contract/look';
import { exactly, list, object, refuse, text } from '../shared/decode';
import { inLogGroup } from '../shared/errors';
import { type Context, readEvent } from '../shared/event';
import { createLogger, type Logger } from '../shared/logger';
import { Budget } from './budget';
import type { Deployment } from './deployment';
import { drift } from './engine/drift';
import { plan, type PlannedEvent, type PlanOptions } from './engine/plan';
import { signIn } from './engine/sign-in';
import { ProvisionError } from './errors';
import type { Dependencies } from './handler';
import { decodeRequest } from './public-request';
import { withRetries } from './retry';

/**
 * The two ways to look at a database without changing anything: each has an alias of the function, and an event of its
 * own.
 */

/**
 * Of what Lambda passes on to who has invoked it: 6 MB.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const MAX_BYTES = 6_000_000;

const NARROWER = {
  plan: 'ask for fewer resources at once: --only on the command line',
  drift: 'compare fewer resources at once: --only on the command line',
};

/**
 * A plan of resources of the stack. Its event:
 * `{ "resources": [{ "RequestType", "LogicalResourceId", "PhysicalResourceId", "ResourceType", "ResourceProperties",
 * "OldResourceProperties" }] }`, in the order of the deployment.
 *
 * Or why a role cannot sign in, as far as the catalogs say it: `{ "signIn": { "username", "database" } }`.
 */
export function createPlanHandler(
  dependencies: Dependencies,
): (event: unknown, context: Context) => Promise<Plan | SignInFacts> {
  return looking<Plan | SignInFacts>(dependencies, 'plan', (event, deployment) => {
    if (object('event', event).signIn !== undefined) {
      const { username, database } = exactly('signIn', exactly('event', event, ['signIn']).signIn, [
        'username',
        'database',
      ]);
      const question = { username: nameIn('username', username), database: nameIn('database', database) };
      return options => signIn(options, question);
    }
    const { resources } = exactly('event', event, ['resources']);
    const events = list('resources', resources).flatMap(resource => eventsOf(resource, deployment));
    return options => plan(options, events);
  });
}

/**
 * What differs from what the stack declares. Its event: `{}`; `{ "undeclared": true }` for all logins that no stack
 * declares; `{ "only": ["logical id"] }` for some resources.
 */
export function createDriftHandler(dependencies: Dependencies): (event: unknown, context: Context) => Promise<Drift> {
  return looking(dependencies, 'drift', (event, { stackId, resourceId }) => {
    const { undeclared = false, only } = exactly('event', event, ['undeclared', 'only']);
    const question = {
      stackId,
      resourceId,
      undeclared: flagOf(undeclared),
      ...(only === undefined ? {} : { only: list('only', only).map(id => text('only', id)) }),
    };
    return options => drift(options, question);
  }, reportDrift);
}

/**
 * One record for each difference, and one for all: a metric is made of it, which a comparison of some resources must
 * not lower.
 */
function reportDrift(log: Logger, { resources, driftedRoles, only }: Drift): void {
  for (const { logicalId, names, changes, problem } of resources) {
    changes.forEach(({ database, change }) =>
      log.info('drift', { logicalId, names: shortened(names), database, change }),
    );
    if (problem !== undefined) {
      log.info('drift', { logicalId, names: shortened(names), problem });
    }
  }
  if (only === undefined) {
    log.info('drift checked', { driftedRoles });
  }
}

/** PostgreSQL keeps no more of a name. */
const MAX_NAME_BYTES = 63;

const NAMES_LOGGED = 10;

function shortened(names: string[]): string {
  return names.slice(0, NAMES_LOGGED).join(', ');
}

/** Of any role or database, also of one that this library would not make. */
function nameIn(where: string, value: unknown): string {
  const name = text(where, value);
  const isName = name !== '' && Buffer.byteLength(name) <= MAX_NAME_BYTES && !name.includes('\0');
  return isName
    ? name
    : refuse(where, name, `a name has 1 to ${MAX_NAME_BYTES} bytes and no character U+0000`, 'pass one');
}

function flagOf(value: unknown): boolean {
  return typeof value === 'boolean'
    ? value
    : refuse('undeclared', value, 'it is neither true nor false', 'pass one of them');
}

/**
 * What CloudFormation would send for a resource: the event itself, and the Delete of what it replaces. What is refused
 * is refused for that resource alone.
 */
function eventsOf(resource: unknown, { stackId, resourceId }: Deployment): PlannedEvent[] {
  const {
    RequestType: type,
    LogicalResourceId: logicalId,
    PhysicalResourceId: physicalId,
    ResourceType: resourceType,
    ResourceProperties: properties,
    OldResourceProperties: before,
  } = exactly('resource', resource, [
    'RequestType',
    'LogicalResourceId',
    'PhysicalResourceId',
    'ResourceType',
    'ResourceProperties',
    'OldResourceProperties',
  ]);
  const event = (RequestType: unknown, properties: unknown) => decodeRequest(readEvent({
    RequestType,
    RequestId: 'plan',
    StackId: stackId,
    LogicalResourceId: logicalId,
    ...physicalId === undefined ? {} : { PhysicalResourceId: physicalId },
    ResourceType: resourceType,
    // Which database it is, the deployment says: before it is deployed, a template does not.
    ResourceProperties: { ...object('ResourceProperties', properties), Database: { ResourceId: resourceId } },
  }));
  try {
    const request = event(type, properties);
    const replaced = type === 'Update' && before !== undefined && request.physicalId !== physicalId;
    return [request, ...replaced ? [event('Delete', before)] : []];
  } catch (error) {
    if (!(error instanceof ProvisionError)) {
      throw error;
    }
    return [{ logicalId: text('LogicalResourceId', logicalId), problem: error.message }];
  }
}

function looking<T>(
  { deployment: deployed, clock, write }: Dependencies,
  what: keyof typeof NARROWER,
  read: (event: unknown, deployment: Deployment) => (options: PlanOptions) => Promise<T>,
  report: (log: Logger, answer: T) => void = () => undefined,
): (event: unknown, context: Context) => Promise<T> {
  return async (event, context) => {
    const log = createLogger(write, { requestId: context.awsRequestId, action: what, function: context.functionName });
    try {
      const deployment = deployed();
      const look = read(event, deployment);
      const budget = new Budget(clock, context.getRemainingTimeInMillis());
      log.info('started', { host: deployment.host });
      const answer = await withRetries(
        budget,
        () => once(deployment, budget, log, look),
        (error, delayMs) => log.info('trying again', { reason: error.message, delayMs }),
      );
      report(log, answer);
      refuseLarge(what, answer);
      log.info('finished', { elapsedMs: Math.round(budget.elapsedMs()) });
      return answer;
    } catch (error) {
      const reason
        = error instanceof ProvisionError
          ? new ProvisionError(error.message)
          : new ProvisionError(`internal error: ${(error as Error).message}`);
      log.info('not looked', { reason: reason.message });
      throw inLogGroup(reason, context.logGroupName);
    }
  };
}

async function once<T>(
  { transport, registryOwner, resourceId }: Deployment,
  budget: Budget,
  log: Logger,
  look: (options: PlanOptions) => Promise<T>,
): Promise<T> {
  const access = await transport(budget, log, 'look');
  return look({ access, registryOwner, resourceId, budget, log });
}

function refuseLarge(what: keyof typeof NARROWER, answer: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(answer));
  if (bytes > MAX_BYTES) {
    throw new ProvisionError(`the ${what} has ${bytes} bytes, and Lambda passes on ${MAX_BYTES}; ${NARROWER[what]}`);
  }
}
