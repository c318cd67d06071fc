import { setTimeout } from 'node:timers/promises';
import { ADMIN_SECRET_ARN } from '../../lib/contract/wire';
import { readAdmin } from './credentials';
import { ProvisionError } from './errors';
import { createHandler } from './handler';

export const handler = createHandler({
  readAdmin: () => {
    const secretArn = process.env[ADMIN_SECRET_ARN];
    if (!secretArn) {
      throw new ProvisionError(`environment variable ${ADMIN_SECRET_ARN} is not set; deploy the provisioner with the construct of this library`);
    }
    return readAdmin(secretArn);
  },
  clock: { now: () => performance.now(), sleep: setTimeout },
  // Not the console: Lambda would put a prefix before the JSON.
  write: line => process.stdout.write(`${line}\n`),
});
