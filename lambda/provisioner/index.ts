import { setTimeout } from 'node:timers/promises';
import { Deployment } from './deployment';
import { readDeployment } from './environment';
import { createHandler } from './handler';

let deployment: Deployment | undefined;

export const handler = createHandler({
  // At the first event, so that what is wrong with it becomes the reason of a failure.
  deployment: () => deployment ??= readDeployment(process.env),
  clock: { now: () => performance.now(), sleep: setTimeout },
  // Not the console: Lambda would put a prefix before the JSON.
  write: line => process.stdout.write(`${line}\n`),
});
