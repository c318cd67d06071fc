/** A database in which nobody has a password, the master neither, and a network without a way out. */
import { App, CfnOutput, SecretValue, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AdminCredentials, AuroraIamAuth, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

class NoPassword extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const vpcSubnets = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: AURORA_POSTGRESQL,
      writer: rds.ClusterInstance.serverlessV2('writer'),
      vpc: new ec2.Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 0, subnetConfiguration: [{ name: 'Database', ...vpcSubnets }] }),
      vpcSubnets,
      credentials: rds.Credentials.fromPassword('postgres', SecretValue.unsafePlainText('taken out below')), // so that no secret is made
      defaultDatabaseName: 'shop',
      cloudwatchLogsExports: ['iam-db-auth-error'],
    });
    const resource = cluster.node.defaultChild as rds.CfnDBCluster; // DatabaseCluster has no property for it yet
    resource.masterUserAuthenticationType = 'iam-db-auth';
    resource.masterUserPassword = undefined;

    const iamAuth = new AuroraIamAuth(this, 'IamAuth', { cluster, admin: AdminCredentials.fromIam('postgres') });
    const reports = iamAuth.addUser('reports', { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] })] });
    reports.grantConnect(new iam.Role(this, 'Reports', { assumedBy: new iam.AccountRootPrincipal() }));
    new CfnOutput(this, 'Connect', { value: reports.psqlCommand() });
  }
}

new NoPassword(new App(), 'NoPassword');
