import { Stack, Token } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { IConstruct } from 'constructs';
import type { Database } from './database';
import { expressDatabase, isExpress } from './express';
import { clusterIn, type DatabaseResource, enableIamAuthentication, instanceIn } from './iam-authentication';
import { importedDatabase, type ImportOptions } from './imported-database';
import { portOfInstance } from './port';
import { isRestored } from './restored';
import { clusterTarget, instanceTarget } from './sign-in-target';
import type { DatabaseKind } from '../contract/wire';
import { errorAt } from '../model/errors';
import { requireConstruct } from '../model/types';

/** Beside the interfaces, what is made in this app knows its VPC and its secret. */
type OwnedDatabase<Interface> = Interface & { readonly vpc?: ec2.IVpc; readonly secret?: secretsmanager.ISecret };

/** A cluster of PostgreSQL; IAM authentication is enabled, if it is made in this app or the app asks for it. */
export function clusterDatabase(
  scope: IConstruct, given: rds.IDBClusterRef, options: ImportOptions,
): Database {
  const { alsoResourceIds } = options;
  requireConstruct(
    scope,
    'cluster',
    given,
    'a rds.DatabaseCluster, or rds.DatabaseCluster.fromDatabaseClusterAttributes(...)',
  );
  if (rds.CfnDBCluster.isCfnDBCluster(given)) {
    refuseToEnable(scope, given, 'cluster', options);
    return expressDatabase(scope, given, options);
  }
  const cluster = given as OwnedDatabase<rds.IDatabaseCluster>;
  const resource = clusterIn(cluster);
  if (instanceIn(cluster)) {
    throw errorAt(scope, `cluster ${cluster.node.path} is an instance; pass it to InstanceIamAuth, as instance`);
  }
  checkEngine(scope, cluster, 'cluster', resource ? resource.engine : cluster.engine?.engineType, [
    'aurora-postgresql',
    'postgres',
  ]);
  checkVersion(
    scope,
    cluster,
    'cluster',
    resource ? resource.engineVersion : cluster.engine?.engineVersion?.fullVersion,
  );
  if (resource) {
    checkKindOfCluster(scope, cluster, resource);
  }
  if (resource && isExpress(resource)) {
    throw errorAt(
      scope,
      `cluster ${cluster.node.path} is a rds.DatabaseCluster, which is in a VPC, with WithExpressConfiguration, which is in none; make a rds.CfnDBCluster with it, and pass that`,
    );
  }
  if (resource && isReplica(resource)) {
    throw errorAt(
      scope,
      `cluster ${cluster.node.path} replicates another one, and users are created where it is written; pass that one, `
      + 'and let them sign in here with ClusterIamAuthEnabled and ConnectGrants.fromCluster(replica)',
    );
  }
  if (resource) {
    refuseToEnable(scope, cluster, 'cluster', options);
    enableIamAuthentication(resource);
    return {
      kind: 'cluster',
      construct: cluster,
      resource,
      target: clusterTarget(cluster, { alsoResourceIds }),
      host: resource.attrEndpointAddress,
      readerHost: resource.attrReadEndpointAddress,
      port: resource.port ?? Token.asNumber(resource.attrEndpointPort),
      databaseName: resource.databaseName,
      vpc: cluster.vpc,
      secret: secretOf(resource, cluster.secret),
    };
  }
  return importedDatabase('cluster', cluster, options, {
    target: () => clusterTarget(cluster, { alsoResourceIds }),
    identifier: cluster.clusterIdentifier,
    endpoint: () => cluster.clusterEndpoint,
    readerHost: () => cluster.clusterReadEndpoint.hostname,
    attributes: 'clusterEndpointAddress and port',
  });
}

/** Of another cluster, or a secondary of a global database: its users and passwords are those of the primary. */
function isReplica({
  replicationSourceIdentifier,
  globalClusterIdentifier,
  masterUsername,
  snapshotIdentifier,
}: rds.CfnDBCluster): boolean {
  return (
    replicationSourceIdentifier !== undefined
    || (globalClusterIdentifier !== undefined && masterUsername === undefined && snapshotIdentifier === undefined)
  );
}

/**
 * An instance of RDS for PostgreSQL; IAM authentication is enabled, if it is made in this app or the app asks for it.
 */
export function instanceDatabase(
  scope: IConstruct, instance: OwnedDatabase<rds.IDatabaseInstance>, options: ImportOptions,
): Database {
  requireConstruct(
    scope,
    'instance',
    instance,
    'a rds.DatabaseInstance, or rds.DatabaseInstance.fromDatabaseInstanceAttributes(...)',
  );
  if (rds.CfnDBInstance.isCfnDBInstance(instance)) {
    throw errorAt(scope, `instance ${instance.node.path} is a CfnDBInstance, and does not tell its network; `
      + 'pass a rds.DatabaseInstance, or rds.DatabaseInstance.fromDatabaseInstanceAttributes(...)');
  }
  const resource = instanceIn(instance);
  if (clusterIn(instance)) {
    throw errorAt(scope, `instance ${instance.node.path} is a cluster; pass it to AuroraIamAuth, as cluster`);
  }
  const { alsoResourceIds } = options;
  const target = resource && instanceTarget(instance, { alsoResourceIds });
  if (resource?.sourceDbInstanceIdentifier !== undefined || resource?.sourceDbClusterIdentifier !== undefined) {
    throw errorAt(
      scope,
      `instance ${instance.node.path} is a read replica, and users are created where it is written; pass its source, `
      + 'and let them sign in to the replica with InstanceIamAuthEnabled and ConnectGrants.fromInstance(replica)',
    );
  }
  checkEngine(scope, instance, 'instance', resource ? resource.engine : instance.engine?.engineType, ['postgres']);
  checkVersion(
    scope,
    instance,
    'instance',
    resource ? resource.engineVersion : instance.engine?.engineVersion?.fullVersion,
  );
  if (resource && target) {
    refuseToEnable(scope, instance, 'instance', options);
    enableIamAuthentication(resource);
    return {
      kind: 'instance',
      construct: instance,
      resource,
      target,
      host: resource.attrEndpointAddress,
      port: portOfInstance(resource),
      databaseName: resource.dbName,
      vpc: instance.vpc,
      secret: secretOf(resource, instance.secret),
    };
  }
  return importedDatabase('instance', instance, options, {
    target: () => instanceTarget(instance, { alsoResourceIds }),
    identifier: instance.instanceIdentifier,
    endpoint: () => instance.instanceEndpoint,
    attributes: 'instanceEndpointAddress and port',
  });
}

function refuseToEnable(scope: IConstruct, { node }: IConstruct, kind: DatabaseKind, { enable }: ImportOptions): void {
  if (enable) {
    throw errorAt(
      scope,
      `enableIamAuthentication is for a database that is imported, and ${kind} ${node.path} is made in this app, whose template enables IAM authentication; leave it out`,
    );
  }
}

/**
 * The secret that RDS makes and rotates, in place of the one that CDK would make. With a key of its own the app has to
 * say which.
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

/**
 * Where the template sets no password, the master of what is restored has the one it had, whatever CDK calls its
 * secret.
 */
function secretOf(
  resource: DatabaseResource,
  secret: secretsmanager.ISecret | undefined,
): secretsmanager.ISecret | undefined {
  if (resource.manageMasterUserPassword === true) {
    return managedSecretOf(resource);
  }
  return isRestored(resource) && !isPasswordIn(resource, secret) ? undefined : secret;
}

/** What a database has as its secret may be the attachment, a child of the secret that the password is read from. */
function isPasswordIn(resource: DatabaseResource, secret: secretsmanager.ISecret | undefined): boolean {
  const resolve = (value: unknown) => Stack.of(resource).resolve(value) as unknown;
  const password = JSON.stringify(resolve(resource.masterUserPassword)) ?? '';
  return [secret, secret?.node.scope as Partial<secretsmanager.ISecret> | undefined].some((one) => {
    const arn = resolve(one?.secretArn);
    return arn !== undefined && password.includes(typeof arn === 'string' ? arn : JSON.stringify(arn));
  });
}

function checkEngine(
  scope: IConstruct,
  { node }: IConstruct,
  kind: string,
  engine: string | undefined,
  supported: string[],
): void {
  if (engine !== undefined && !Token.isUnresolved(engine) && !supported.includes(engine)) {
    throw errorAt(
      scope,
      `engine "${engine}" of ${kind} ${node.path} is not supported, because users are created in the SQL of PostgreSQL; `
      + `pass ${kind === 'cluster' ? 'a cluster' : 'an instance'} with the engine ${supported.join(' or ')}`,
    );
  }
}

/** The oldest whose catalogs the provisioner knows. */
const OLDEST_MAJOR = 14;

function checkVersion(scope: IConstruct, { node }: IConstruct, kind: DatabaseKind, version: string | undefined): void {
  const [, major] = version === undefined || Token.isUnresolved(version) ? [] : /^(\d+)(\.|$)/.exec(version) ?? [];
  if (Number(major) < OLDEST_MAJOR) {
    throw errorAt(
      scope,
      `engine version ${version} of ${kind} ${node.path} is not supported, because users are created for PostgreSQL ${OLDEST_MAJOR} and newer; upgrade the ${kind} first`,
    );
  }
}

/**
 * Serverless v1 had PostgreSQL up to 13 and is retired:
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless.html
 */
function checkKindOfCluster(
  scope: IConstruct,
  { node }: IConstruct,
  { engineMode, clusterScalabilityType }: rds.CfnDBCluster,
): void {
  if (engineMode === 'serverless') {
    throw errorAt(
      scope,
      `engineMode of cluster ${node.path} is serverless, which is Aurora Serverless v1, and AWS has retired that; use instances of Aurora Serverless v2`,
    );
  }
  if (clusterScalabilityType === 'limitless') {
    throw errorAt(
      scope,
      `clusterScalabilityType of cluster ${node.path} is limitless, and this library creates no users in the shards of an Aurora Limitless Database; pass a cluster of another kind`,
    );
  }
}
