import { randomBytes } from 'node:crypto';
import { databaseArnOf, DatabaseServers, newResourceId } from './database-servers';
import { arn, generatedName } from './native-resource';
import { ResourceProvider } from './template';

/** Properties that a rehearsal cannot change on a running cluster. Those that concern neither logins nor databases are not looked at. */
const FIXED = ['DatabaseName', 'Engine', 'MasterUsername', 'DBClusterIdentifier', 'EngineVersion', 'Port'];

/** `AWS::RDS::DBCluster`: a server that can be reached while the cluster has an instance. */
export function databaseCluster(servers: DatabaseServers): ResourceProvider {
  const provider: ResourceProvider = {
    create: async (request) => {
      const { stack, properties } = request;
      const identifier = ((properties.DBClusterIdentifier as string | undefined) ?? generatedName(request)).toLowerCase();
      const resourceId = newResourceId('cluster');
      const databaseArn = arn(stack, 'rds', `cluster:${identifier}`);
      const { server, attributes } = await servers.start(request, {
        arn: databaseArn,
        host: `${identifier}.cluster-c${randomBytes(5).toString('hex')}.${stack.region}.rds.amazonaws.com`,
        resourceId,
        databaseName: properties.DatabaseName as string | undefined,
      });
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
    delete: (_stack, state) => servers.delete(databaseArnOf(state), state),
  };
  return provider;
}
