import {
  type DBCluster, type DBInstance, DescribeDBClustersCommand, DescribeDBInstancesCommand, ModifyDBClusterCommand,
  ModifyDBInstanceCommand, RDSClient,
} from '@aws-sdk/client-rds';
import { ProvisionError } from '../shared/errors';
import { remedyFor } from '../shared/remedy';
import { nameOf, type Observed } from './observed';
import { RDS_API } from './remedies';
import type { Request } from './request';
import type { Rds } from './enable';

/** One throttled call must not end a wait of minutes. */
const ATTEMPTS = 6;

/** Nor must one that is not answered take the time to say why it failed. */
const LIMITS = { connectionTimeout: 3_000, requestTimeout: 20_000, throwOnRequestTimeout: true };

const client = new RDSClient({ maxAttempts: ATTEMPTS, requestHandler: LIMITS });

/** Needs `rds:Describe...` and `rds:Modify...` on the one database. */
export const rds: Rds = {
  describe: request => attempt(request, 'describe', async ({ kind, identifier }) => {
    if (kind === 'cluster') {
      const { DBClusters: [cluster] = [] } = await client.send(
        new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }),
      );
      return observedCluster(cluster);
    }
    const { DBInstances: [instance] = [] } = await client.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }),
    );
    return observedInstance(instance);
  }),

  enableIamAuthentication: request => attempt(request, 'enable IAM authentication of', async ({ kind, identifier }) => {
    const change = { EnableIAMDatabaseAuthentication: true, ApplyImmediately: true };
    await (kind === 'cluster'
      ? client.send(new ModifyDBClusterCommand({ DBClusterIdentifier: identifier, ...change }))
      : client.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: identifier, ...change })));
    return true;
  }).catch((error: unknown) => {
    if (/^InvalidDB(Cluster|Instance)State/.test(((error as Error).cause as Error | undefined)?.name ?? '')) {
      return false;
    }
    throw error;
  }),
};

function observedCluster(cluster: DBCluster): Observed {
  const {
    IAMDatabaseAuthenticationEnabled: pendingIamAuthentication,
    DBClusterIdentifier: newName,
    ...others
  } = cluster.PendingModifiedValues ?? {};
  return {
    kind: 'cluster',
    identifier: cluster.DBClusterIdentifier ?? '',
    resourceId: cluster.DbClusterResourceId ?? '',
    endpoint: cluster.Endpoint === undefined ? undefined : { host: cluster.Endpoint, port: `${cluster.Port}` },
    engine: cluster.Engine ?? '',
    status: cluster.Status ?? '',
    iamAuthentication: cluster.IAMDatabaseAuthenticationEnabled === true,
    pendingIamAuthentication,
    pending: [
      ...(newName === undefined || newName === cluster.DBClusterIdentifier ? [] : ['DBClusterIdentifier']),
      ...namesIn(others),
    ],
  };
}

function observedInstance(instance: DBInstance): Observed {
  const { IAMDatabaseAuthenticationEnabled: pendingIamAuthentication, ...others }
    = instance.PendingModifiedValues ?? {};
  return {
    kind: 'instance',
    identifier: instance.DBInstanceIdentifier ?? '',
    resourceId: instance.DbiResourceId ?? '',
    endpoint:
      instance.Endpoint?.Address === undefined
        ? undefined
        : { host: instance.Endpoint.Address, port: `${instance.Endpoint.Port}` },
    engine: instance.Engine ?? '',
    status: instance.DBInstanceStatus ?? '',
    cluster: instance.DBClusterIdentifier,
    iamAuthentication: instance.IAMDatabaseAuthenticationEnabled === true,
    pendingIamAuthentication,
    pending: namesIn(others),
  };
}

/** What has no value is not pending; a list may be there and be empty. */
function namesIn(values: object): string[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([name]) => name)
    .sort();
}

async function attempt<Result>(
  request: Request,
  what: string,
  call: (request: Request) => Promise<Result>,
): Promise<Result> {
  try {
    return await call(request);
  } catch (error) {
    const { name, message } = error as Error;
    const { remedy } = remedyFor(RDS_API, error as Error)!;
    throw new ProvisionError(`cannot ${what} ${nameOf(request)}: ${name}: ${message}; ${remedy}`, { cause: error });
  }
}
