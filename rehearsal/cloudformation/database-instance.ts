import { randomBytes } from 'node:crypto';
import { databaseArnOf, hasServer, newResourceId } from './database-properties';
import { DatabaseServers } from './database-servers';
import { arn, generatedName, nativeResource } from './native-resource';
import { ResourceProvider, ResourceRequest, StackIdentity } from './template';
import { AuroraLikeServer } from '../aurora-like-server';

/**
 * Properties that a rehearsal cannot change on a running instance. Those that concern neither logins nor databases are
 * not looked at.
 */
const FIXED = [
  'DBName',
  'Engine',
  'MasterUsername',
  'DBInstanceIdentifier',
  'SourceDBInstanceIdentifier',
  'EngineVersion',
  'Port',
];

/** `AWS::RDS::DBInstance`: a member of a cluster, a server of its own, or a replica of one. */
export function databaseInstance(servers: DatabaseServers): ResourceProvider {
  const members = new Map<string, number>();

  const countMember = (stack: StackIdentity, cluster: string, change: number): AuroraLikeServer => {
    const clusterArn = arn(stack, 'rds', `cluster:${cluster}`);
    const server = servers.server(clusterArn);
    const count = (members.get(clusterArn) ?? 0) + change;
    members.set(clusterArn, count);
    server.isAvailable = count > 0;
    return server;
  };

  /** A member is reached by its own endpoint, too, but nothing asks for that here. */
  const attributesOf = async (
    request: ResourceRequest,
    instanceArn: string,
    identifier: string,
    resourceId: string,
  ) => {
    const { stack, properties } = request;
    if (!hasServer(request)) {
      const { host, port } = countMember(stack, properties.DBClusterIdentifier as string, +1);
      return { 'Endpoint.Address': host, 'Endpoint.Port': `${port}` };
    }
    const names = {
      arn: instanceArn,
      host: `${identifier}.c${randomBytes(5).toString('hex')}.${stack.region}.rds.amazonaws.com`,
      resourceId,
      databaseName: properties.DBName as string | undefined,
    };
    if (properties.SourceDBClusterIdentifier !== undefined) {
      throw new Error('a read replica of a cluster is not rehearsed');
    }
    const source = properties.SourceDBInstanceIdentifier as string | undefined;
    // An identifier, or an ARN, as CDK has it.
    const { attributes } = await (source === undefined
      ? servers.start(request, names)
      : servers.startReplica(request, names, source.startsWith('arn:') ? source : arn(stack, 'rds', `db:${source}`)));
    return attributes;
  };

  const provider: ResourceProvider = {
    create: async (request) => {
      const identifier = (
        (request.properties.DBInstanceIdentifier as string | undefined) ?? generatedName(request)
      ).toLowerCase();
      const instanceArn = arn(request.stack, 'rds', `db:${identifier}`);
      const resourceId = newResourceId('db');
      const attributes = await attributesOf(request, instanceArn, identifier, resourceId);
      return {
        physicalId: identifier,
        attributes: { ...attributes, DBInstanceArn: instanceArn, DbiResourceId: resourceId },
      };
    },
    update: async (request, current) => {
      // In another cluster, or from another snapshot, it is another instance.
      if (
        ['DBClusterIdentifier', 'DBSnapshotIdentifier'].some(
          name => request.properties[name] !== current.properties[name],
        )
      ) {
        return provider.create(request);
      }
      return hasServer(current)
        ? servers.update(databaseArnOf(current), request, current, FIXED)
        : nativeResource.update(request, current);
    },
    delete: async (stack, state) => {
      if (hasServer(state)) {
        await servers.delete(databaseArnOf(state), state);
      } else {
        countMember(stack, state.properties.DBClusterIdentifier as string, -1);
      }
    },
  };
  return provider;
}
