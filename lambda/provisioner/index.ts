import { setTimeout } from 'node:timers/promises';
import { DRIFT_ALIAS, EXPIRY_ALIAS, PLAN_ALIAS, SERVICE_TIMEOUT_SECONDS, URL_SUFFIX } from '../../lib/contract/wire';
import { answering } from '../shared/answering';
import { put } from '../shared/put';
import { byAlias } from './by-alias';
import type { Deployment } from './deployment';
import { readDeployment, required } from './environment';
import { createExpiryHandler } from './expiry';
import { createHandler } from './handler';
import { createDriftHandler, createPlanHandler } from './look';

let deployment: Deployment | undefined;

// Not the console: Lambda would put a prefix before the JSON.
const write = (line: string) => process.stdout.write(`${line}\n`);

const dependencies = {
  // At the first event, so that what is wrong with it becomes the reason of a failure.
  deployment: () => deployment ??= readDeployment(process.env),
  clock: { now: () => performance.now(), sleep: setTimeout },
  write,
};

const provision = createHandler(dependencies);
const aliases = {
  [PLAN_ALIAS]: createPlanHandler(dependencies),
  [DRIFT_ALIAS]: createDriftHandler(dependencies),
  [EXPIRY_ALIAS]: createExpiryHandler(dependencies),
};

/** Behind CDK's provider framework. */
export const handler = byAlias(aliases, provision);

/** Invoked by CloudFormation itself. */
export const customResource = byAlias(aliases, answering(provision, {
  location: () => ({ region: required(process.env, 'AWS_REGION'), urlSuffix: required(process.env, URL_SUFFIX) }),
  serviceTimeoutSeconds: SERVICE_TIMEOUT_SECONDS,
  now: Date.now,
  put,
  sleep: setTimeout,
  write,
}));
