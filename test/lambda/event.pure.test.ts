import { createHandler as createIamAuthenticationHandler } from '../../lambda/iam-authentication/handler';
import { Deployment } from '../../lambda/provisioner/deployment';
import { createHandler } from '../../lambda/provisioner/handler';
import { ProvisionError } from '../../lambda/shared/errors';
import { FULL } from '../full';
import { Random } from './random';

const STACK_ID = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/0a1b2c';
const EVENT = {
  RequestType: 'Create',
  RequestId: 'request',
  StackId: STACK_ID,
  ResponseURL: 'https://hunter2',
  LogicalResourceId: 'User1A2B',
  PhysicalResourceId: 'cluster-ABC/orders/User1A2B',
  ResourceType: 'Custom::RdsIamUser',
  ResourceProperties: {
    ServiceToken: 'token',
    ServiceTimeout: '420',
    Database: { ResourceId: 'cluster-ABC' },
    Username: 'orders',
    Privileges: {
      shop: {
        Database: ['CONNECT'],
        Schemas: {
          app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] }, FutureObjects: { migrator: { Tables: ['SELECT'] } } },
        },
      },
    },
    MemberOf: ['readers'],
    OnRemoval: { Action: 'DROP', ReassignOwnedTo: 'owner' },
  },
};

/** The handler, with a database that is not there: what gets that far was accepted. */
const ACCEPTED = 'the database was asked';
const deployment: Deployment = {
  stackId: STACK_ID,
  resourceId: 'cluster-ABC',
  host: 'localhost',
  transport: () => Promise.reject(new ProvisionError(ACCEPTED)),
};

async function reasonFor(event: unknown, deployed: () => Deployment = () => deployment): Promise<string> {
  const log: string[] = [];
  const handler = createHandler({
    deployment: deployed,
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    write: line => log.push(line),
  });
  const outcome = await handler(event, {
    awsRequestId: 'invocation',
    functionName: 'provisioner',
    getRemainingTimeInMillis: () => 300_000,
  }).catch((error: Error) => error);
  expect(log.join()).not.toContain('hunter2');
  if (!(outcome instanceof Error)) {
    return `answered ${outcome.PhysicalResourceId}`;
  }
  expect(outcome).toBeInstanceOf(ProvisionError);
  // What metricFailures() counts, and by.
  expect(JSON.parse(log.at(-1)!)).toMatchObject({ notice: 'failed', function: 'provisioner' });
  expect(Buffer.byteLength(JSON.stringify(outcome.message))).toBeLessThan(4096);
  return outcome.message;
}

test('the reason of a failure names the log group, and the log does not', async () => {
  const log: string[] = [];
  const handler = createHandler({
    deployment: () => deployment,
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    write: line => log.push(line),
  });
  const outcome = handler(EVENT, {
    awsRequestId: 'invocation',
    functionName: 'provisioner',
    logGroupName: 'Shop-Logs-1',
    getRemainingTimeInMillis: () => 300_000,
  });
  await expect(outcome).rejects.toThrow(new ProvisionError(`${ACCEPTED} (log group: Shop-Logs-1)`));
  expect(log.join()).not.toContain('Shop-Logs-1');
});

describe('an event', () => {
  const OURS = 'let CloudFormation send the events';

  test('as CloudFormation sends it is accepted', async () => {
    expect(await reasonFor(EVENT)).toBe(ACCEPTED);
    expect(await reasonFor({ ...EVENT, PhysicalResourceId: undefined })).toBe(ACCEPTED);
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'event that is missing is not allowed: it is not an object; pass an object'],
    ['null', null, 'event null is not allowed: it is not an object; pass an object'],
    ['a text', 'x', 'event "x" is not allowed: it is not an object; pass an object'],
    ['a list', [EVENT.RequestType], 'event ["Create"] is not allowed: it is not an object; pass an object'],
    ['without a stack id', { ...EVENT, StackId: undefined },
      'StackId that is missing is not allowed: it is not a string; pass a string'],
    ['with a stack id that is a number', { ...EVENT, StackId: 7 },
      'StackId 7 is not allowed: it is not a string; pass a string'],
    ['with a stack id that is an object', { ...EVENT, StackId: { toString: 'x' } },
      'StackId {"toString":"x"} is not allowed: it is not a string; pass a string'],
    ['with another request type', { ...EVENT, RequestType: 'create' },
      `RequestType "create" is not allowed: known are Create, Update, Delete; ${OURS}`],
    ['without a request type', { ...EVENT, RequestType: undefined },
      `RequestType that is missing is not allowed: known are Create, Update, Delete; ${OURS}`],
    ['with a logical id that is none', { ...EVENT, LogicalResourceId: 'a-b' },
      `LogicalResourceId "a-b" is not allowed: it has other characters than A-Z, a-z and 0-9, or more than 255; ${OURS}`],
    ['with a logical id of 256 characters', { ...EVENT, LogicalResourceId: 'x'.repeat(256) },
      `LogicalResourceId "${'x'.repeat(256)}" is not allowed: it has other characters than A-Z, a-z and 0-9, or more than 255; ${OURS}`],
    ['with a physical id that is a list', { ...EVENT, PhysicalResourceId: [] },
      'PhysicalResourceId [] is not allowed: it is not a string; pass a string'],
    ['with a type that is an object', { ...EVENT, ResourceType: { toString: 1 } },
      'ResourceType {"toString":1} is not allowed: it is not a string; pass a string'],
    ['without properties', { ...EVENT, ResourceProperties: undefined },
      'ResourceProperties that is missing is not allowed: it is not an object; pass an object'],
    ['with properties that are null', { ...EVENT, ResourceProperties: null },
      'ResourceProperties null is not allowed: it is not an object; pass an object'],
    ['without a database', { ...EVENT, ResourceProperties: {} },
      'Database that is missing is not allowed: it is not an object; pass an object'],
    ['that is nested too deeply to be shown', { ...EVENT, StackId: nested(20_000) },
      'StackId that is nested too deeply is not allowed: it is not a string; pass a string'],
    ['with a value of a megabyte', { ...EVENT, StackId: ['x'.repeat(1_000_000)] },
      `StackId ["${'x'.repeat(498)}... is not allowed: it is not a string; pass a string`],
  ])('%s gets a reason', async (_, event, reason) => {
    expect(await reasonFor(event)).toBe(reason);
  });

  test('with a logical id of 255 characters is accepted', async () => {
    expect(await reasonFor({ ...EVENT, LogicalResourceId: 'x'.repeat(255) })).toBe(ACCEPTED);
  });

  test('gets what is wrong with the environment of the function as its reason', async () => {
    expect(await reasonFor(EVENT, () => {
      throw new ProvisionError('environment variable X is not set');
    })).toBe('environment variable X is not set');
  });

  test('of any shape gets a reason', async () => {
    const random = new Random(20_261_129);
    const reasons: string[] = [];
    for (let n = 0; n < (FULL ? 10_000 : 1_000); n++) {
      reasons.push(await reasonFor(mutated(EVENT, random)));
    }
    expect(reasons.filter(reason => reason.startsWith('internal error'))).toEqual([]);
    expect(reasons.filter(reason => reason.startsWith('answered'))).toEqual([]); // the mutation of a Create is no Delete
    // Otherwise it would not be one event after the other that is looked at.
    expect(new Set(reasons).size).toBeGreaterThan(FULL ? 300 : 150);
  });

  test('of any shape gets a reason, or is a Delete, from the function that enables IAM authentication', async () => {
    const random = new Random(7);
    const handler = createIamAuthenticationHandler({
      rds: {
        describe: () => Promise.reject(new ProvisionError(ACCEPTED)),
        enableIamAuthentication: () => Promise.reject(new ProvisionError(ACCEPTED)),
      },
      clock: { now: () => 0, sleep: () => Promise.resolve() },
      write: () => undefined,
    });
    const event = {
      ...EVENT,
      ResourceType: 'Custom::RdsIamAuthentication',
      ResourceProperties: {
        ServiceToken: 'x',
        Kind: 'cluster',
        Identifier: 'shop',
        Expected: { ResourceId: 'cluster-ABC' },
      },
    };
    for (let n = 0; n < (FULL ? 2_000 : 500); n++) {
      const error = await handler(mutated(event, random), {
        awsRequestId: 'invocation',
        functionName: 'provisioner',
        getRemainingTimeInMillis: () => 300_000,
      }).catch((problem: Error) => problem);
      expect(error).toBeInstanceOf(ProvisionError);
      expect((error as Error).message).not.toMatch(/^internal error/);
    }
  });
});

function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let n = 0; n < depth; n++) {
    value = [value];
  }
  return value;
}

const VALUES: unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'x',
  '\0',
  '\ud800',
  'pg_x',
  '*',
  'a'.repeat(70),
  'ü'.repeat(40),
  '__proto__',
  'constructor',
  'toString',
  [],
  [null],
  ['x'],
  {},
  { toString: 1 },
  { length: 1 },
  { Action: 'DROP' },
  nested(50),
];

/** A copy in which up to three values are others, are missing, or have another name. */
function mutated(value: unknown, random: Random): unknown {
  let result = structuredClone(value);
  for (let n = Math.floor(random.next() * 3); n >= 0; n--) {
    result = mutatedOnce(result, random);
  }
  // As Lambda hands it over.
  return result === undefined ? undefined : JSON.parse(JSON.stringify(result)) as unknown;
}

function mutatedOnce(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random.chance(1 / 6)) {
    return structuredClone(random.one(VALUES));
  }
  const keys = Object.keys(value);
  if (keys.length === 0) {
    return structuredClone(random.one(VALUES));
  }
  const copy = value as Record<string, unknown>;
  const key = random.one(keys);
  if (random.chance(1 / 8)) {
    Object.defineProperty(copy, random.one(['__proto__', 'Extra', 'constructor', 'Host', '0']), {
      value: copy[key],
      enumerable: true,
      configurable: true,
      writable: true,
    });
    delete copy[key];
  } else {
    copy[key] = mutatedOnce(copy[key], random);
  }
  return copy;
}
