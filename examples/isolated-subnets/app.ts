/** A network without a way out, and a master with a password: its secret is read through an endpoint of the VPC. */
import { App, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

class IsolatedSubnets extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const vpcSubnets = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
    const vpc = new ec2.Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 0, subnetConfiguration: [{ name: 'Database', ...vpcSubnets }] });
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: AURORA_POSTGRESQL,
      writer: rds.ClusterInstance.serverlessV2('writer'),
      vpc,
      vpcSubnets,
      defaultDatabaseName: 'shop',
      cloudwatchLogsExports: ['iam-db-auth-error'],
    });
    // The one endpoint that the provisioner needs. Its logs and its answer to CloudFormation take no way through the VPC.
    vpc.addInterfaceEndpoint('SecretsManager', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER, subnets: vpcSubnets });

    const iamAuth = new AuroraIamAuth(this, 'IamAuth', { cluster });
    const orders = iamAuth.addUser('orders', { privileges: [Privileges.readWrite({ database: 'shop', objectsCreatedBy: [] })] });
    orders.grantConnect(new iam.Role(this, 'Service', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));
  }
}

new IsolatedSubnets(new App(), 'IsolatedSubnets');
