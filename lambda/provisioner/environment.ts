import { registryOwnerProblem } from '../../lib/contract/names';
import {
  ADMIN_SECRET_ARN, ADMIN_USERNAME, CLUSTER_ARN, DATABASE_CA_FILE, DATABASE_HOST, DATABASE_PORT, DATABASE_RESOURCE_ID,
  REGISTRY_OWNER, STACK_ID,
} from '../../lib/contract/wire';
import { throwProblem } from '../shared/decode';
import type { Deployment } from './deployment';
import { ProvisionError } from './errors';
import { adminWithToken, readAdmin } from './transport/credentials';
import { overDataApi } from './transport/data-api/client';
import { readAuthorities } from './transport/postgresql/authorities';
import { overConnections } from './transport/postgresql/connections';
import type { Transport } from './transport/session';

export interface Environment {
  readonly [name: string]: string | undefined;
}

/** Reads what the deployment has fixed from the environment of the function. */
export function readDeployment(environment: Environment): Deployment {
  const registryOwner = environment[REGISTRY_OWNER] || undefined;
  throwProblem(registryOwner === undefined ? undefined : registryOwnerProblem(registryOwner));
  return {
    stackId: required(environment, STACK_ID),
    resourceId: required(environment, DATABASE_RESOURCE_ID),
    host: required(environment, DATABASE_HOST),
    transport: transportOf(environment),
    registryOwner,
  };
}

function transportOf(environment: Environment): Transport {
  const { [CLUSTER_ARN]: clusterArn, [ADMIN_USERNAME]: username } = environment;
  if (clusterArn) {
    return overDataApi({ clusterArn, secretArn: required(environment, ADMIN_SECRET_ARN) });
  }
  const [host, port] = [required(environment, DATABASE_HOST), portIn(environment)];
  const secretArn = username ? undefined : required(environment, ADMIN_SECRET_ARN);
  return overConnections({
    host,
    port,
    authorities: readAuthorities(required(environment, DATABASE_CA_FILE)),
    withToken: name => adminWithToken(name, host, port),
    readAdmin: async () => secretArn === undefined ? adminWithToken(username!, host, port) : readAdmin(secretArn),
  });
}

function portIn(environment: Environment): number {
  const port = required(environment, DATABASE_PORT);
  return /^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535
    ? Number(port)
    : refuse(DATABASE_PORT, `is ${JSON.stringify(port)}, which is not a number from 1 to 65535`);
}

export function required(environment: Environment, name: string): string {
  return environment[name] || refuse(name, 'is not set');
}

function refuse(name: string, problem: string): never {
  throw new ProvisionError(
    `environment variable ${name} of the provisioner ${problem}; deploy the provisioner with the construct of this library, and change nothing in its environment`,
  );
}
