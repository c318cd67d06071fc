import { setTimeout } from 'node:timers/promises';
import { ADMIN_SECRET_ARN, ADMIN_USERNAME, CLUSTER_ARN, REGISTRY_OWNER } from '../../lib/contract/wire';
import { overConnections } from './connections';
import { adminWithToken, readAdmin } from './credentials';
import { overDataApi } from './data-api';
import { ProvisionError } from './errors';
import { createHandler } from './handler';
import { createLogger } from '../shared/logger';

const { [CLUSTER_ARN]: clusterArn, [ADMIN_SECRET_ARN]: secretArn, [ADMIN_USERNAME]: username, [REGISTRY_OWNER]: registryOwner } = process.env;

// Not the console: Lambda would put a prefix before the JSON.
const write = (line: string) => process.stdout.write(`${line}\n`);

export const handler = createHandler({
  transport: clusterArn && secretArn
    ? overDataApi({ clusterArn, secretArn })
    : overConnections(async (host, port) => {
        if (username) {
          return adminWithToken(username, host, port);
        }
        if (!secretArn) {
          throw new ProvisionError(`neither environment variable ${ADMIN_SECRET_ARN} nor ${ADMIN_USERNAME} is set; deploy the provisioner with the construct of this library`);
        }
        return readAdmin(secretArn);
      }, createLogger(write, {})),
  registryOwner,
  clock: { now: () => performance.now(), sleep: setTimeout },
  write,
});
