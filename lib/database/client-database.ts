import type * as rds from 'aws-cdk-lib/aws-rds';
import type { Database } from './database';
import { clusterIn, instanceIn } from './iam-authentication';
import { requireReference } from './reference';
import { clusterTarget, instanceTarget, tryRead } from './sign-in-target';
import type { ConnectGrantsOptions } from '../connect-options';
import { errorAt } from '../model/errors';

/** A cluster as its clients see it: where it is, and how they sign in. */
export function clusterOfClients(cluster: rds.IDatabaseCluster, options: ConnectGrantsOptions): Database {
  requireReference('cluster', cluster);
  const { hostname, port } = endpointOf(cluster, () => cluster.clusterEndpoint, 'clusterEndpointAddress and port');
  return {
    kind: 'cluster',
    construct: cluster,
    target: clusterTarget(cluster, options),
    host: hostname,
    readerHost: tryRead(() => cluster.clusterReadEndpoint.hostname),
    port,
    databaseName: clusterIn(cluster)?.databaseName,
  };
}

/** An instance or read replica as its clients see it. */
export function instanceOfClients(instance: rds.IDatabaseInstance, options: ConnectGrantsOptions): Database {
  requireReference('instance', instance);
  const { hostname, port } = endpointOf(instance, () => instance.instanceEndpoint, 'instanceEndpointAddress and port');
  return {
    kind: 'instance',
    construct: instance,
    target: instanceTarget(instance, options),
    host: hostname,
    port,
    databaseName: instanceIn(instance)?.dbName,
  };
}

function endpointOf(construct: Database['construct'], read: () => rds.Endpoint, attributes: string): rds.Endpoint {
  const endpoint = tryRead(read);
  if (!endpoint) {
    throw errorAt(
      construct,
      `the database was imported without its endpoint, which clients connect to; give ${attributes} where it is imported`,
    );
  }
  return endpoint;
}
