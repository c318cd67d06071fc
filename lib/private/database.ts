import { Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { IConstruct } from 'constructs';
import { errorAt } from './errors';
import { clusterIn, DatabaseResource, enableIamAuthentication, instanceIn } from './iam-authentication';
import { clusterTarget, instanceTarget, NOT_LOOKED_UP, ofImport } from './sign-in-target';

/** A database that users are created in: a cluster or an instance, made in this app or imported. */
export interface Database {
  readonly kind: 'cluster' | 'instance';
  /** As the app has it. */
  readonly construct: rds.IDatabaseCluster | rds.IDatabaseInstance;
  /** Undefined where it is imported. */
  readonly resource?: DatabaseResource;
  readonly resourceId: string;
  readonly host: string;
  /** A number wherever the app says it, because a rule with a number can be read and checked; a token otherwise. */
  readonly port: number;
  /** The database that is made with it. */
  readonly databaseName?: string;
  readonly vpc?: ec2.IVpc;
  readonly secret?: secretsmanager.ISecret;
}

/** Beside the interfaces, what is made in this app knows its VPC and its secret. */
type Made<Interface> = Interface & { readonly vpc?: ec2.IVpc; readonly secret?: secretsmanager.ISecret };

/** A cluster of PostgreSQL; IAM authentication is switched on, if it is made in this app. */
export function clusterDatabase(scope: IConstruct, cluster: Made<rds.IDatabaseCluster>): Database {
  const resource = clusterIn(cluster);
  checkEngine(scope, cluster, 'cluster', resource ? resource.engine : cluster.engine?.engineType, ['aurora-postgresql', 'postgres']);
  const { construct, resourceId } = clusterTarget(cluster);
  if (resource && isReplica(resource)) {
    throw errorAt(scope, `cluster ${cluster.node.path} replicates another one, and users are created where it is written; pass that one, `
      + 'and let them sign in here with ClusterIamAuthentication and ConnectGrants.fromCluster(replica)');
  }
  if (resource) {
    enableIamAuthentication(resource);
    return {
      kind: 'cluster',
      construct: cluster,
      resource,
      resourceId,
      host: resource.attrEndpointAddress,
      port: resource.port ?? Token.asNumber(resource.attrEndpointPort),
      databaseName: resource.databaseName,
      vpc: cluster.vpc,
      secret: secretOf(resource, cluster.secret),
    };
  }
  const { hostname, port } = endpointOf(construct, 'clusterEndpointAddress and port', () => cluster.clusterEndpoint);
  checkSecurityGroups(cluster, resourceId);
  return { kind: 'cluster', construct: cluster, resourceId, host: hostname, port };
}

/** Of another cluster, or a secondary of a global database: its users and passwords are those of the primary. */
function isReplica({ replicationSourceIdentifier, globalClusterIdentifier, masterUsername, snapshotIdentifier }: rds.CfnDBCluster): boolean {
  return replicationSourceIdentifier !== undefined || (globalClusterIdentifier !== undefined && masterUsername === undefined && snapshotIdentifier === undefined);
}

/** An instance of RDS for PostgreSQL; IAM authentication is switched on, if it is made in this app. */
export function instanceDatabase(scope: IConstruct, instance: Made<rds.IDatabaseInstance>): Database {
  const resource = instanceIn(instance);
  const { construct, resourceId } = instanceTarget(instance);
  if (resource?.sourceDbInstanceIdentifier !== undefined || resource?.sourceDbClusterIdentifier !== undefined) {
    throw errorAt(scope, `instance ${instance.node.path} is a read replica, and users are created where it is written; pass its source, `
      + 'and let them sign in to the replica with InstanceIamAuthentication and ConnectGrants.fromInstance(replica)');
  }
  checkEngine(scope, instance, 'instance', resource ? resource.engine : instance.engine?.engineType, ['postgres']);
  if (resource) {
    enableIamAuthentication(resource);
    return {
      kind: 'instance',
      construct: instance,
      resource,
      resourceId,
      host: resource.attrEndpointAddress,
      port: portOf(resource),
      databaseName: resource.dbName,
      vpc: instance.vpc,
      secret: secretOf(resource, instance.secret),
    };
  }
  const { hostname, port } = endpointOf(construct, 'instanceEndpointAddress and port', () => instance.instanceEndpoint);
  checkSecurityGroups(instance, resourceId);
  return { kind: 'instance', construct: instance, resourceId, host: hostname, port };
}

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html */
const DEFAULT_PORT = 5432;

/** What is restored has the port it had. */
function portOf(resource: rds.CfnDBInstance): number {
  const { port, dbSnapshotIdentifier, dbClusterSnapshotIdentifier, restoreTime, useLatestRestorableTime, attrEndpointPort } = resource;
  const isRestored = [dbSnapshotIdentifier, dbClusterSnapshotIdentifier, restoreTime, useLatestRestorableTime].some(from => from !== undefined);
  return Token.isUnresolved(port) || (port === undefined && isRestored) ? Token.asNumber(attrEndpointPort) : Number(port ?? DEFAULT_PORT);
}

/**
 * The secret that RDS makes and rotates, in place of the one that CDK would make. With a key of its own the app has to say which.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
 */
function managedSecretOf(resource: DatabaseResource): secretsmanager.ISecret | undefined {
  const id = 'MasterUserSecret';
  return resource.masterUserSecret !== undefined
    ? undefined
    : resource.node.tryFindChild(id) as secretsmanager.ISecret | undefined
      ?? secretsmanager.Secret.fromSecretCompleteArn(resource, id, resource.attrMasterUserSecretSecretArn);
}

function secretOf(resource: DatabaseResource, secret: secretsmanager.ISecret | undefined): secretsmanager.ISecret | undefined {
  return resource.manageMasterUserPassword === true ? managedSecretOf(resource) : secret;
}

function checkEngine(scope: IConstruct, { node }: IConstruct, kind: string, engine: string | undefined, supported: string[]): void {
  if (engine !== undefined && !Token.isUnresolved(engine) && !supported.includes(engine)) {
    throw errorAt(scope, `engine "${engine}" of ${kind} ${node.path} is not supported, because users are created in the SQL of PostgreSQL; `
      + `pass ${kind === 'cluster' ? 'a cluster' : 'an instance'} with the engine ${supported.join(' or ')}`);
  }
}

function endpointOf(construct: IConstruct, attributes: string, read: () => rds.Endpoint): rds.Endpoint {
  const endpoint = ofImport(read);
  if (!endpoint) {
    throw errorAt(construct, `the import does not tell the endpoint, and users are created over a connection to it; give ${attributes} where it is imported`);
  }
  return endpoint;
}

function checkSecurityGroups({ connections, node }: Database['construct'], resourceId: string): void {
  if (connections.securityGroups.length === 0 && resourceId !== NOT_LOOKED_UP) {
    throw errorAt({ node } as IConstruct, 'the import does not tell its security groups, and the function that creates the users is let in by a rule of one; give securityGroups where it is imported');
  }
}

export function vpcOf(scope: IConstruct, { construct, kind, vpc }: Database): ec2.IVpc {
  if (!vpc) {
    throw errorAt(scope, `${kind} ${construct.node.path} does not tell its VPC, and the function that creates the users runs there; pass vpc`);
  }
  return vpc;
}
