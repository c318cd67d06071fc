import { randomBytes } from 'node:crypto';
import { databaseArnOf, DatabaseServers, isSecondary, newResourceId } from './database-servers';
import { arn, generatedName } from './native-resource';
import { ResourceProvider } from './template';

/** Properties that a rehearsal cannot change on a running cluster. Those that concern neither logins nor databases are not looked at. */
const FIXED = ['DatabaseName', 'Engine', 'MasterUsername', 'DBClusterIdentifier', 'EngineVersion', 'Port'];

/** `AWS::RDS::DBCluster`: a server that can be reached while the cluster has an instance. */
export function databaseCluster(servers: DatabaseServers): ResourceProvider {
  /** ARN of the primary, by global database. */
  const primaries = new Map<string, string>();
  const primaryOf = (globalCluster: string) => {
    const primary = primaries.get(globalCluster);
    if (primary === undefined) {
      throw new Error(`global database ${globalCluster} has no primary here: deploy the stack that has it first`);
    }
    return primary;
  };
  const provider: ResourceProvider = {
    create: async (request) => {
      const { stack, properties } = request;
      const identifier = ((properties.DBClusterIdentifier as string | undefined) ?? generatedName(request)).toLowerCase();
      const resourceId = newResourceId('cluster');
      const databaseArn = arn(stack, 'rds', `cluster:${identifier}`);
      const names = {
        arn: databaseArn,
        host: `${identifier}.cluster-c${randomBytes(5).toString('hex')}.${stack.region}.rds.amazonaws.com`,
        resourceId,
        databaseName: properties.DatabaseName as string | undefined,
      };
      const globalCluster = properties.GlobalClusterIdentifier as string | undefined;
      const { server, attributes } = await (isSecondary(properties) ? servers.startReplica(request, names, primaryOf(globalCluster!)) : servers.start(request, names));
      if (globalCluster !== undefined && !primaries.has(globalCluster)) {
        primaries.set(globalCluster, databaseArn);
      }
      // Aurora answers at the endpoint when there is an instance behind it; a Multi-AZ cluster brings its own.
      server.isAvailable = properties.DBClusterInstanceClass !== undefined;
      return {
        physicalId: identifier,
        attributes: {
          ...attributes,
          'DBClusterArn': databaseArn,
          'DBClusterResourceId': resourceId,
          'ReadEndpoint.Address': server.host.replace('.cluster-', '.cluster-ro-'),
        },
      };
    },
    // From another snapshot it is another cluster.
    update: (request, current) => request.properties.SnapshotIdentifier === current.properties.SnapshotIdentifier
      ? servers.update(databaseArnOf(current), request, current, FIXED)
      : provider.create(request),
    delete: async (_stack, state) => {
      const globalCluster = state.properties.GlobalClusterIdentifier as string;
      if (primaries.get(globalCluster) === databaseArnOf(state)) {
        primaries.delete(globalCluster);
      }
      await servers.delete(databaseArnOf(state), state);
    },
  };
  return provider;
}
