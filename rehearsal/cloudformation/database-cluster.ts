import { randomBytes } from 'node:crypto';
import { databaseArnOf, isSecondary, isTrue, newResourceId } from './database-properties';
import { DatabaseServers } from './database-servers';
import { arn, generatedName } from './native-resource';
import { ResourceProvider, ResourceRequest } from './template';

/**
 * Properties that a rehearsal cannot change on a running cluster. Those that concern neither logins nor databases are
 * not looked at.
 */
const FIXED = ['DatabaseName', 'Engine', 'MasterUsername', 'DBClusterIdentifier', 'EngineVersion', 'Port'];

/** What a cluster with express configuration cannot have when it is created, as far as the documentation says. */
const NOT_WITH_EXPRESS = [
  'DBSubnetGroupName',
  'VpcSecurityGroupIds',
  'MasterUserPassword',
  'ManageMasterUserPassword',
  'EngineVersion',
  'KmsKeyId',
  'EnableHttpEndpoint',
  'GlobalClusterIdentifier',
  'SnapshotIdentifier',
];

/**
 * What Aurora chooses with express configuration: a serverless instance, a version, and a master that signs in with a
 * token.
 *
 * @see
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_GettingStartedAurora.AuroraPostgreSQL.ExpressConfig.html
 */
function withExpressDefaults(request: ResourceRequest): ResourceRequest {
  const refused = NOT_WITH_EXPRESS.find(name => request.properties[name] !== undefined);
  if (refused !== undefined) {
    throw new Error(`a cluster with WithExpressConfiguration cannot have ${refused}`);
  }
  const defaults = {
    EngineVersion: '17',
    MasterUsername: 'postgres',
    MasterUserAuthenticationType: 'iam-db-auth',
    EnableIAMDatabaseAuthentication: true,
  };
  return { ...request, properties: { ...defaults, ...request.properties } };
}

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
    create: async (template) => {
      const isBehindGateway = isTrue(template.properties.WithExpressConfiguration);
      const request = isBehindGateway ? withExpressDefaults(template) : template;
      const { stack, properties } = request;
      const identifier = (
        (properties.DBClusterIdentifier as string | undefined) ?? generatedName(request)
      ).toLowerCase();
      const resourceId = newResourceId('cluster');
      const databaseArn = arn(stack, 'rds', `cluster:${identifier}`);
      const names = {
        arn: databaseArn,
        host: `${identifier}.cluster-c${randomBytes(5).toString('hex')}.${stack.region}.rds.amazonaws.com`,
        resourceId,
        databaseName: properties.DatabaseName as string | undefined,
        isBehindGateway,
      };
      const globalCluster = properties.GlobalClusterIdentifier as string | undefined;
      const { server, attributes } = await (isSecondary(properties)
        ? servers.startReplica(request, names, primaryOf(globalCluster!))
        : servers.start(request, names));
      if (globalCluster !== undefined && !primaries.has(globalCluster)) {
        primaries.set(globalCluster, databaseArn);
      }
      // Aurora answers at the endpoint when there is an instance behind it; a Multi-AZ cluster brings its own.
      server.isAvailable = properties.DBClusterInstanceClass !== undefined || isBehindGateway;
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
