/** Aurora Serverless v2 in isolated subnets, and no function in its VPC: users are created through the RDS Data API. */
import { App, CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, Privileges, SqlTransport } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

class DataApi extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const vpcSubnets = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: AURORA_POSTGRESQL,
      writer: rds.ClusterInstance.serverlessV2('writer'),
      vpc: new ec2.Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 0, subnetConfiguration: [{ name: 'Database', ...vpcSubnets }] }),
      vpcSubnets,
      defaultDatabaseName: 'shop',
      cloudwatchLogsExports: ['iam-db-auth-error'],
    });

    const iamAuth = new AuroraIamAuth(this, 'IamAuth', { cluster, transport: SqlTransport.dataApi() });
    const migrator = iamAuth.addUser('migrator', { privileges: [Privileges.createObjects({ database: 'shop' })] });
    const orders = iamAuth.addUser('orders', { privileges: [Privileges.readWrite({ database: 'shop', objectsCreatedBy: [migrator] })] });
    orders.grantConnect(new iam.Role(this, 'Service', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));
    new CfnOutput(this, 'Connect', { value: orders.psqlCommand() });
  }
}

new DataApi(new App(), 'DataApi');
