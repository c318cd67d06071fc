import { setTimeout } from 'node:timers/promises';
import { Deployment } from './deployment';
import { readDeployment, required } from './environment';
import { createHandler } from './handler';
import { SERVICE_TIMEOUT_SECONDS, URL_SUFFIX } from '../../lib/contract/wire';
import { answering } from '../shared/answering';
import { put } from '../shared/put';

let deployment: Deployment | undefined;

// Not the console: Lambda would put a prefix before the JSON.
const write = (line: string) => process.stdout.write(`${line}\n`);

/** Behind CDK's provider framework. */
export const handler = createHandler({
  // At the first event, so that what is wrong with it becomes the reason of a failure.
  deployment: () => deployment ??= readDeployment(process.env),
  clock: { now: () => performance.now(), sleep: setTimeout },
  write,
});

/** Invoked by CloudFormation itself. */
export const customResource = answering(handler, {
  location: () => ({ region: required(process.env, 'AWS_REGION'), urlSuffix: required(process.env, URL_SUFFIX) }),
  serviceTimeoutSeconds: SERVICE_TIMEOUT_SECONDS,
  now: Date.now,
  put,
  sleep: setTimeout,
  write,
});
