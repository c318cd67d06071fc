import { setTimeout } from 'node:timers/promises';
import { ADMIN_SECRET_ARN, ADMIN_USERNAME } from '../../lib/contract/wire';
import { adminWithToken, readAdmin } from './credentials';
import { ProvisionError } from './errors';
import { createHandler } from './handler';

export const handler = createHandler({
  readAdmin: async (host, port) => {
    const { [ADMIN_SECRET_ARN]: secretArn, [ADMIN_USERNAME]: username } = process.env;
    if (username) {
      return adminWithToken(username, host, port);
    }
    if (!secretArn) {
      throw new ProvisionError(`neither environment variable ${ADMIN_SECRET_ARN} nor ${ADMIN_USERNAME} is set; deploy the provisioner with the construct of this library`);
    }
    return readAdmin(secretArn);
  },
  clock: { now: () => performance.now(), sleep: setTimeout },
  // Not the console: Lambda would put a prefix before the JSON.
  write: line => process.stdout.write(`${line}\n`),
});
