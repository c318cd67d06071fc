import * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import type { Database } from './database';
import { propertiesIn } from './iam-authentication';
import { clusterTarget } from './sign-in-target';
import type { ConnectGrantsOptions } from '../connect-options';
import { errorAt } from '../model/errors';

/** Whom Aurora makes with express configuration. It signs in with IAM, and has no password. */
export const EXPRESS_MASTER = 'postgres';

const PORT = 5432;

/**
 * What a cluster with express configuration cannot have when it is created, with the reason.
 *
 * @see
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_GettingStartedAurora.AuroraPostgreSQL.ExpressConfig.html
 */
const NOT_WITH_EXPRESS: Record<string, string> = {
  DBSubnetGroupName: 'it is in no VPC',
  VpcSecurityGroupIds: 'it is in no VPC',
  MasterUserPassword: 'its master signs in with IAM alone',
  ManageMasterUserPassword: 'its master signs in with IAM alone',
  MasterUserSecret: 'its master signs in with IAM alone',
  EngineVersion: 'Aurora chooses the version',
  KmsKeyId: 'it is encrypted with a key that AWS owns',
  EnableHttpEndpoint: 'the Data API can be enabled later at the earliest',
  GlobalClusterIdentifier: 'it can be no member of a global database',
  ReplicationSourceIdentifier: 'it can replicate no other cluster',
  SnapshotIdentifier: 'it is new',
  SourceDBClusterIdentifier: 'it is new',
  ClusterScalabilityType: 'it can be no Limitless Database',
};

/** With the L1 property of newer versions of aws-cdk-lib, or an override. */
export function isExpress(cluster: rds.CfnDBCluster): boolean {
  return [true, 'true'].includes(propertiesIn(cluster).WithExpressConfiguration as string | boolean);
}

/** An L1 with express configuration: there is no L2 of it, because that is made in a VPC. */
export function expressDatabase(scope: IConstruct, cluster: rds.CfnDBCluster, options: ConnectGrantsOptions): Database {
  const { path } = cluster.node;
  if (!isExpress(cluster)) {
    throw errorAt(
      scope,
      `cluster ${path} is a CfnDBCluster without WithExpressConfiguration, and does not tell its network; `
      + 'pass a rds.DatabaseCluster, or rds.DatabaseCluster.fromDatabaseClusterAttributes(...)',
    );
  }
  const [problem] = expressProblems(cluster);
  if (problem !== undefined) {
    throw errorAt(scope, problem);
  }
  scope.node.addValidation({ validate: () => expressProblems(cluster) });
  const id = 'ExpressCluster';
  const construct = cluster.node.tryFindChild(id) as rds.IDatabaseCluster | undefined
    ?? rds.DatabaseCluster.fromDatabaseClusterAttributes(cluster, id, {
      clusterIdentifier: cluster.ref,
      clusterResourceIdentifier: cluster.attrDbClusterResourceId,
      clusterEndpointAddress: cluster.attrEndpointAddress,
      readerEndpointAddress: cluster.attrReadEndpointAddress,
      port: PORT,
    });
  return {
    kind: 'cluster',
    construct,
    resource: cluster,
    target: clusterTarget(cluster, options),
    host: cluster.attrEndpointAddress,
    readerHost: cluster.attrReadEndpointAddress,
    port: PORT,
    databaseName: cluster.databaseName,
    isBehindGateway: true,
  };
}

function expressProblems(cluster: rds.CfnDBCluster): string[] {
  const properties = propertiesIn(cluster);
  const { Engine, EnableIAMDatabaseAuthentication, MasterUsername, MasterUserAuthenticationType } = properties;
  const refuse = (property: string, rule: string, remedy = 'leave it out') =>
    `${property} of cluster ${cluster.node.path} is ${JSON.stringify(properties[property])}, and a cluster with express configuration cannot have that: ${rule}; ${remedy}`;
  return [
    ...(Engine === 'aurora-postgresql'
      ? []
      : [refuse('Engine', 'express configuration is for Aurora PostgreSQL', 'set it to aurora-postgresql')]),
    ...([undefined, true].includes(EnableIAMDatabaseAuthentication as boolean | undefined)
      ? []
      : [refuse('EnableIAMDatabaseAuthentication', 'IAM is the only way to sign in')]),
    ...([undefined, EXPRESS_MASTER].includes(MasterUsername as string | undefined)
      ? []
      : [refuse('MasterUsername', `its master is ${EXPRESS_MASTER}`)]),
    ...([undefined, 'iam-db-auth'].includes(MasterUserAuthenticationType as string | undefined)
      ? []
      : [refuse('MasterUserAuthenticationType', 'its master signs in with IAM alone')]),
    ...Object.entries(NOT_WITH_EXPRESS)
      .filter(([property]) => ![undefined, false].includes(properties[property] as boolean | undefined))
      .map(([property, rule]) => refuse(property, rule)),
  ];
}
