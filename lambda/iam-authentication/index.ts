import { setTimeout } from 'node:timers/promises';
import { createHandler } from './handler';
import { rds } from './rds';

export const handler = createHandler({
  rds,
  clock: { now: () => performance.now(), sleep: setTimeout },
  // Not the console: Lambda would put a prefix before the JSON.
  write: line => process.stdout.write(`${line}\n`),
});
