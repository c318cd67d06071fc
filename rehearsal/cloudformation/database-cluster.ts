import { randomBytes } from 'node:crypto';
import { AuroraLikeServer, AuroraLikeServerOptions } from '../aurora-like-server';
import { POSTGRESQL_MAJORS, PostgresqlMajor } from '../postgresql/binaries';
import { arn, generatedName, nativeResource } from './native-resource';
import { SecretsManager } from './secrets-manager';
import { Properties, ResourceProvider, StackIdentity } from './template';

/** Properties that a rehearsal cannot change on a running cluster. Those that concern neither logins nor databases are not looked at. */
const FIXED = ['DatabaseName', 'Engine', 'MasterUsername', 'DBClusterIdentifier', 'SnapshotIdentifier', 'EngineVersion', 'Port'];

export interface DatabaseClustersOptions extends Pick<AuroraLikeServerOptions, 'certificateAuthority' | 'credentials'> {
  readonly secretsManager: SecretsManager;
  /** Whether a principal may do something to a resource. */
  readonly allows: (principal: string, action: string, resource: string, at: Date) => boolean;
}

/** A server for each `AWS::RDS::DBCluster`; it can be reached while the cluster has an instance. */
export class DatabaseClusters {
  private readonly servers = new Map<string, AuroraLikeServer>();
  private readonly instances = new Map<string, number>();

  constructor(private readonly options: DatabaseClustersOptions) {}

  /** @param identifier physical id of the cluster */
  server(identifier: string): AuroraLikeServer {
    const server = this.servers.get(identifier);
    if (!server) {
      throw new Error(`database cluster ${identifier} does not exist`);
    }
    return server;
  }

  /** Port on 127.0.0.1 of each endpoint, by `host:port`. */
  get network(): Record<string, number> {
    return Object.fromEntries([...this.servers.values()].map(({ host, port, gatewayPort }) => [`${host}:${port}`, gatewayPort]));
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers.values()].map(server => server.stop()));
    this.servers.clear();
  }

  /** `AWS::RDS::DBCluster` */
  readonly cluster: ResourceProvider = {
    create: async (request) => {
      const { stack, properties } = request;
      const identifier = ((properties.DBClusterIdentifier as string | undefined) ?? generatedName(request)).toLowerCase();
      const { DatabaseName: database, EnableIAMDatabaseAuthentication: iamAuthentication } = properties;
      const { master, secretArn } = this.masterOf(properties, stack, identifier);
      const server = await AuroraLikeServer.start({
        ...this.options,
        major: majorOf(properties),
        endpoint: { host: endpointOf(identifier, stack), port: Number(properties.Port ?? 5432) },
        region: stack.region,
        master,
        databases: database === undefined ? [] : [database as string],
        iamAuthentication: iamAuthentication === true || iamAuthentication === 'true',
      });
      server.authorize = (principal, username, at) =>
        this.options.allows(principal, 'rds-db:connect', arn(stack, 'rds-db', `dbuser:${server.resourceId}/${username}`), at);
      // Aurora answers at the endpoint when there is an instance behind it; a Multi-AZ cluster brings its own.
      server.isAvailable = properties.DBClusterInstanceClass !== undefined;
      this.servers.set(identifier, server);
      return {
        physicalId: identifier,
        attributes: {
          'DBClusterArn': arn(stack, 'rds', `cluster:${identifier}`),
          'DBClusterResourceId': server.resourceId,
          'Endpoint.Address': server.host,
          'Endpoint.Port': `${server.port}`,
          'ReadEndpoint.Address': server.host.replace('.cluster-', '.cluster-ro-'),
          ...secretArn === undefined ? {} : { 'MasterUserSecret.SecretArn': secretArn },
        },
      };
    },
    update: async ({ properties }, current) => {
      const changed = FIXED.find(name => properties[name] !== current.properties[name]);
      if (changed) {
        throw new Error(`a changed ${changed} of a database cluster is not rehearsed`);
      }
      const server = this.server(current.physicalId);
      server.iamAuthentication = properties.EnableIAMDatabaseAuthentication === true || properties.EnableIAMDatabaseAuthentication === 'true';
      if (properties.MasterUserPassword !== current.properties.MasterUserPassword) {
        await server.setMasterPassword(this.options.secretsManager.resolveReference(properties.MasterUserPassword as string));
      }
      return current;
    },
    delete: async (_stack, { physicalId, attributes }) => {
      await this.server(physicalId).stop();
      this.servers.delete(physicalId);
      this.options.secretsManager.delete(attributes['MasterUserSecret.SecretArn'] as string);
    },
  };

  /** `AWS::RDS::DBInstance` of a cluster */
  readonly instance: ResourceProvider = {
    create: (request) => {
      const { stack, properties } = request;
      const identifier = ((properties.DBInstanceIdentifier as string | undefined) ?? generatedName(request)).toLowerCase();
      const server = this.count(properties.DBClusterIdentifier as string, +1);
      return Promise.resolve({
        physicalId: identifier,
        attributes: {
          'DBInstanceArn': arn(stack, 'rds', `db:${identifier}`),
          'DbiResourceId': `db-${randomBytes(13).toString('hex').toUpperCase()}`,
          'Endpoint.Address': server.host,
          'Endpoint.Port': `${server.port}`,
        },
      });
    },
    update: (request, current) => nativeResource.update(request, current),
    delete: (_stack, { properties }) => {
      this.count(properties.DBClusterIdentifier as string, -1);
      return Promise.resolve();
    },
  };

  private count(cluster: string | undefined, change: number): AuroraLikeServer {
    if (cluster === undefined) {
      throw new Error('a database instance outside a cluster is not rehearsed');
    }
    const server = this.server(cluster);
    const instances = (this.instances.get(cluster) ?? 0) + change;
    this.instances.set(cluster, instances);
    server.isAvailable = instances > 0;
    return server;
  }

  private masterOf(properties: Properties, stack: StackIdentity, identifier: string) {
    const { secretsManager } = this.options;
    const text = (name: string) => secretsManager.resolveReference(properties[name] as string);
    if (properties.ManageMasterUserPassword === true) {
      const master = { username: text('MasterUsername'), password: randomBytes(12).toString('hex') };
      return { master, secretArn: secretsManager.create(arn(stack, 'secretsmanager', `secret:rds!${identifier}`), JSON.stringify(master)) };
    }
    if (properties.MasterUsername === undefined || properties.MasterUserPassword === undefined) {
      throw new Error('a database cluster without MasterUsername and MasterUserPassword (from a snapshot, for one) is not rehearsed');
    }
    return { master: { username: text('MasterUsername'), password: text('MasterUserPassword') } };
  }
}

function endpointOf(identifier: string, { region }: StackIdentity): string {
  return `${identifier}.cluster-c${randomBytes(5).toString('hex')}.${region}.rds.amazonaws.com`;
}

/** Major of the server that a cluster gets. Throws when there is none. */
export function majorOf({ Engine: engine, EngineVersion: version }: Properties): PostgresqlMajor {
  const major = POSTGRESQL_MAJORS.find(each => `${String(version)}.`.startsWith(`${each}.`));
  if (engine !== 'aurora-postgresql' || major === undefined) {
    throw new Error(`a cluster with Engine ${String(engine)} and EngineVersion ${String(version)} is not rehearsed: `
      + `use aurora-postgresql, ${POSTGRESQL_MAJORS.slice(0, -1).join(', ')} or ${POSTGRESQL_MAJORS.at(-1)}`);
  }
  return major;
}
