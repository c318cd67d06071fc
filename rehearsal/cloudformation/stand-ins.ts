import { randomBytes } from 'node:crypto';
import { AuroraLikeServer } from '../aurora-like-server';
import { standInObjects, Expected } from '../plan/stand-in-objects';
import { DatabaseServers } from './database-servers';
import { newResourceId } from './database-properties';
import { arn } from './native-resource';
import { SecretsManager } from './secrets-manager';
import { Properties, ResourceState, StackIdentity } from './template';
import {
  ADMIN_SECRET_ARN,
  ADMIN_USERNAME,
  CLUSTER_ARN,
  DATABASE_HOST,
  DATABASE_PORT,
  DATABASE_RESOURCE_ID,
  IamAuthenticationProperties,
} from '../../lib/contract/wire';

export interface StandInsOptions {
  readonly servers: DatabaseServers;
  readonly secretsManager: SecretsManager;
  /** A database of the app by its resource id. */
  readonly find: (resourceId: string) => ResourceState | undefined;
  /** What users of a database that is not of the app expect there. */
  readonly expectedBy: (stackId: string, logicalId: string) => Expected | undefined;
}

/** Databases and secrets of other apps, made at the moment when something of this app is about to use them. */
export class StandIns {
  /** As if a stack had made them. */
  readonly databases: ResourceState[] = [];

  constructor(private readonly options: StandInsOptions) {}

  /** What the provisioner finds in its environment exists afterwards. */
  async forFunction(
    stack: StackIdentity,
    label: string,
    logicalId: string,
    { Environment }: Properties,
  ): Promise<void> {
    const { Variables: variables = {} } = (Environment ?? {}) as { Variables?: Record<string, string> };
    const {
      [DATABASE_RESOURCE_ID]: resourceId,
      [ADMIN_SECRET_ARN]: secretArn,
      [ADMIN_USERNAME]: adminUsername,
    } = variables;
    if (!resourceId) {
      return;
    }
    const { secretsManager, servers } = this.options;
    const isUnknownSecret = Boolean(secretArn) && secretsManager.find(secretArn) === undefined;
    const known
      = [...this.databases].find(({ attributes }) =>
        [attributes.DBClusterResourceId, attributes.DbiResourceId].includes(resourceId),
      ) ?? this.options.find(resourceId);
    if (known && !isUnknownSecret) {
      return;
    }
    const admin = isUnknownSecret
      ? secretsManager.standIn(stack, secretArn)
      : adminUsername
        ? { username: adminUsername, password: randomBytes(12).toString('hex') }
        : undefined;
    if (known) {
      await servers.serverOf(known)?.ensureAdmin(admin!);
      return;
    }
    const master = admin ?? JSON.parse(secretsManager.valueOf(secretArn)) as { username: string; password: string };
    const server = await this.database(stack, label, {
      master,
      resourceId,
      clusterArn: variables[CLUSTER_ARN] || undefined,
      host: variables[DATABASE_HOST],
      port: Number(variables[DATABASE_PORT] || 5432),
      expected: this.options.expectedBy(label, logicalId),
    });
    if (adminUsername) {
      await server.setMasterWithToken(true);
    }
  }

  /** What IAM authentication is about to be enabled at exists afterwards. */
  async forIamAuthentication(
    stack: StackIdentity,
    label: string,
    logicalId: string,
    properties: Properties,
  ): Promise<void> {
    const {
      Kind: kind,
      Identifier: identifier,
      Expected: expected = {},
    } = properties as unknown as IamAuthenticationProperties;
    const isCluster = kind === 'cluster';
    const databaseArn = arn(stack, 'rds', `${isCluster ? 'cluster' : 'db'}:${identifier}`);
    if (this.options.servers.find(databaseArn)) {
      return;
    }
    await this.database(stack, label, {
      master: { username: 'postgres', password: randomBytes(12).toString('hex') },
      resourceId: expected.ResourceId ?? newResourceId(isCluster ? 'cluster' : 'db'),
      clusterArn: isCluster ? databaseArn : undefined,
      instanceArn: isCluster ? undefined : databaseArn,
      host: expected.Host ?? `${identifier}.${isCluster ? 'cluster-' : ''}c0standin.${stack.region}.rds.amazonaws.com`,
      port: Number(expected.Port ?? 5432),
      expected: this.options.expectedBy(label, logicalId),
      iamAuthentication: false,
    });
  }

  private async database(
    stack: StackIdentity,
    label: string,
    { master, resourceId, clusterArn, instanceArn, host, port, expected, iamAuthentication = true }: StandIn,
  ): Promise<AuroraLikeServer> {
    const isInstance = instanceArn !== undefined || resourceId.startsWith('db-');
    const identifier = (clusterArn ?? instanceArn)?.split(':').at(-1) ?? `other-app-${this.databases.length + 1}`;
    const type = isInstance ? 'AWS::RDS::DBInstance' : 'AWS::RDS::DBCluster';
    const databaseArn
      = clusterArn ?? instanceArn ?? arn(stack, 'rds', `${isInstance ? 'db' : 'cluster'}:${identifier}`);
    const properties = {
      Engine: isInstance ? 'postgres' : 'aurora-postgresql',
      EnableIAMDatabaseAuthentication: iamAuthentication,
      EnableHttpEndpoint: true,
      Port: port,
    };
    const { server, attributes } = await this.options.servers.standIn(
      { stack, logicalId: identifier, type, properties },
      { arn: databaseArn, host: host || 'standin.invalid', resourceId },
      master,
    );
    await makeExpected(server, expected);
    this.databases.push({
      logicalId: `${label}: ${identifier}`,
      type,
      physicalId: identifier,
      properties,
      attributes: {
        ...attributes,
        ...(isInstance
          ? { DBInstanceArn: databaseArn, DbiResourceId: resourceId }
          : { DBClusterArn: databaseArn, DBClusterResourceId: resourceId }),
      },
      definition: { Type: type },
    });
    return server;
  }
}

interface StandIn {
  readonly master: { readonly username: string; readonly password: string };
  readonly resourceId: string;
  readonly clusterArn?: string;
  readonly instanceArn?: string;
  readonly host: string;
  readonly port: number;
  readonly expected?: Expected;
  readonly iamAuthentication?: boolean;
}

/** Makes what users of a database expect, as its master. */
export async function makeExpected(server: AuroraLikeServer, expected?: Expected): Promise<void> {
  const existing = (await server.sql<{ datname: string }>('SELECT datname FROM pg_database')).map(
    ({ datname }) => datname,
  );
  for (const { database, text } of expected ? standInObjects(expected, existing, server.master.username) : []) {
    await server.asMaster(text, database);
  }
}
