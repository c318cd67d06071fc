/** A global database: users are created in the primary, and sign in to the cluster of each Region by the resource id that it has there. */
import { App, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, ClusterIamAuthEnabled, ConnectGrants, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

const GLOBAL_CLUSTER = 'shop';
class Primary extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: AURORA_POSTGRESQL,
      writer: rds.ClusterInstance.serverlessV2('writer'),
      vpc: new ec2.Vpc(this, 'Vpc', { maxAzs: 2 }),
      defaultDatabaseName: 'shop',
      cloudwatchLogsExports: ['iam-db-auth-error'],
    });
    const globalCluster = new rds.CfnGlobalCluster(this, 'GlobalCluster', {
      globalClusterIdentifier: GLOBAL_CLUSTER,
      engine: AURORA_POSTGRESQL.engineType,
      engineVersion: AURORA_POSTGRESQL.engineVersion!.fullVersion,
    });
    (cluster.node.defaultChild as rds.CfnDBCluster).globalClusterIdentifier = globalCluster.ref;

    const iamAuth = new AuroraIamAuth(this, 'IamAuth', { cluster });
    const reports = iamAuth.addUser('reports', { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] })] });
    reports.grantConnect(new iam.Role(this, 'Reports', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));
  }
}

class Secondary extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const vpc = new ec2.Vpc(this, 'Vpc', { maxAzs: 2 });
    const subnets = new rds.SubnetGroup(this, 'Subnets', { vpc, description: 'Secondary of the global database' });
    // An L1: DatabaseCluster would give it a master of its own.
    const cluster = new rds.CfnDBCluster(this, 'Cluster', {
      engine: AURORA_POSTGRESQL.engineType,
      engineVersion: AURORA_POSTGRESQL.engineVersion!.fullVersion,
      globalClusterIdentifier: GLOBAL_CLUSTER,
      dbSubnetGroupName: subnets.subnetGroupName,
      serverlessV2ScalingConfiguration: { minCapacity: 0.5, maxCapacity: 2 },
      enableCloudwatchLogsExports: ['iam-db-auth-error'],
    });
    new rds.CfnDBInstance(this, 'Reader', { engine: AURORA_POSTGRESQL.engineType, dbClusterIdentifier: cluster.ref, dbInstanceClass: 'db.serverless' });

    cluster.with(new ClusterIamAuthEnabled());
    const role = new iam.Role(this, 'RegionalReports', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    ConnectGrants.fromCluster(cluster).connect(role, 'reports');
  }
}

const app = new App();
const primary = new Primary(app, 'Primary', { env: { region: 'eu-central-1' } });
new Secondary(app, 'Secondary', { env: { region: 'us-east-1' } }).addDependency(primary);
