import { Token } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { IConstruct } from 'constructs';
import type { Database } from './database';
import { clusterIn, type DatabaseResource, enableIamAuthentication, instanceIn } from './iam-authentication';
import { importedDatabase, type ImportOptions } from './imported-database';
import { clusterTarget, instanceTarget } from './sign-in-target';
import type { DatabaseKind } from '../contract/wire';
import { errorAt } from '../model/errors';

/** Beside the interfaces, what is made in this app knows its VPC and its secret. */
type OwnedDatabase<Interface> = Interface & { readonly vpc?: ec2.IVpc; readonly secret?: secretsmanager.ISecret };

/** A cluster of PostgreSQL; IAM authentication is switched on, if it is made in this app or the app asks for it. */
export function clusterDatabase(
  scope: IConstruct, cluster: OwnedDatabase<rds.IDatabaseCluster>, options: ImportOptions,
): Database {
  const resource = clusterIn(cluster);
  checkEngine(scope, cluster, 'cluster', resource ? resource.engine : cluster.engine?.engineType, ['aurora-postgresql', 'postgres']);
  if (resource && isReplica(resource)) {
    throw errorAt(scope, `cluster ${cluster.node.path} replicates another one, and users are created where it is written; pass that one, `
      + 'and let them sign in here with ClusterIamAuthentication and ConnectGrants.fromCluster(replica)');
  }
  if (resource) {
    refuseToSwitch(scope, cluster, 'cluster', options);
    enableIamAuthentication(resource);
    return {
      kind: 'cluster',
      construct: cluster,
      resource,
      target: clusterTarget(cluster),
      host: resource.attrEndpointAddress,
      port: resource.port ?? Token.asNumber(resource.attrEndpointPort),
      databaseName: resource.databaseName,
      vpc: cluster.vpc,
      secret: secretOf(resource, cluster.secret),
    };
  }
  return importedDatabase('cluster', cluster, options, {
    target: () => clusterTarget(cluster), identifier: cluster.clusterIdentifier, endpoint: () => cluster.clusterEndpoint, attributes: 'clusterEndpointAddress and port',
  });
}

/** Of another cluster, or a secondary of a global database: its users and passwords are those of the primary. */
function isReplica({ replicationSourceIdentifier, globalClusterIdentifier, masterUsername, snapshotIdentifier }: rds.CfnDBCluster): boolean {
  return replicationSourceIdentifier !== undefined || (globalClusterIdentifier !== undefined && masterUsername === undefined && snapshotIdentifier === undefined);
}

/** An instance of RDS for PostgreSQL; IAM authentication is switched on, if it is made in this app or the app asks for it. */
export function instanceDatabase(
  scope: IConstruct, instance: OwnedDatabase<rds.IDatabaseInstance>, options: ImportOptions,
): Database {
  const resource = instanceIn(instance);
  const target = resource && instanceTarget(instance);
  if (resource?.sourceDbInstanceIdentifier !== undefined || resource?.sourceDbClusterIdentifier !== undefined) {
    throw errorAt(scope, `instance ${instance.node.path} is a read replica, and users are created where it is written; pass its source, `
      + 'and let them sign in to the replica with InstanceIamAuthentication and ConnectGrants.fromInstance(replica)');
  }
  checkEngine(scope, instance, 'instance', resource ? resource.engine : instance.engine?.engineType, ['postgres']);
  if (resource && target) {
    refuseToSwitch(scope, instance, 'instance', options);
    enableIamAuthentication(resource);
    return {
      kind: 'instance',
      construct: instance,
      resource,
      target,
      host: resource.attrEndpointAddress,
      port: portOf(resource),
      databaseName: resource.dbName,
      vpc: instance.vpc,
      secret: secretOf(resource, instance.secret),
    };
  }
  return importedDatabase('instance', instance, options, {
    target: () => instanceTarget(instance), identifier: instance.instanceIdentifier, endpoint: () => instance.instanceEndpoint, attributes: 'instanceEndpointAddress and port',
  });
}

function refuseToSwitch(scope: IConstruct, { node }: IConstruct, kind: DatabaseKind, { switchOn }: ImportOptions): void {
  if (switchOn) {
    throw errorAt(scope, `enableIamAuthentication is for a database that is imported, and ${kind} ${node.path} is made in this app, whose template switches IAM authentication on; leave it out`);
  }
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
