/** A function that reaches its database through an RDS Proxy, IAM all the way, and a person who goes past it. */
import { join } from 'node:path';
import { App, CfnOutput, Duration, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, Endpoint, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

class Proxied extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const vpc = new ec2.Vpc(this, 'Vpc', { maxAzs: 2 });
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: AURORA_POSTGRESQL,
      writer: rds.ClusterInstance.serverlessV2('writer'),
      vpc,
      defaultDatabaseName: 'shop',
      cloudwatchLogsExports: ['iam-db-auth-error'],
    });
    const iamAuth = new AuroraIamAuth(this, 'IamAuth', { cluster });
    const proxy = new rds.DatabaseProxy(this, 'Proxy', {
      proxyTarget: rds.ProxyTarget.fromCluster(cluster),
      dbProxyName: 'shop',
      vpc,
      defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH, // not the default, with which the proxy would need passwords
      role: new iam.Role(this, 'ProxyRole', { assumedBy: new iam.ServicePrincipal('rds.amazonaws.com') }),
    });

    // The function may sign in to the proxy as this user, and the proxy to the cluster. The function may not sign in to the cluster itself.
    const orders = iamAuth.addUser('orders', { privileges: [Privileges.readWrite({ database: 'shop', objectsCreatedBy: [] })] });
    const service = new NodejsFunction(this, 'Service', {
      entry: join(__dirname, 'service.ts'),
      runtime: lambda.Runtime.NODEJS_22_X,
      bundling: { bundleAwsSDK: true },
      timeout: Duration.seconds(30),
      environment: orders.connectionEnvironment({ endpoint: Endpoint.proxy(proxy) }),
      vpc,
    });
    orders.grantConnect(service, { through: proxy });
    service.connections.allowTo(proxy, ec2.Port.POSTGRES);

    // Past the proxy: what is granted there lets nobody in at the proxy.
    const reports = iamAuth.addUser('reports', { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] })] });
    reports.grantConnect(new iam.Role(this, 'Reports', { assumedBy: new iam.AccountRootPrincipal() }));
    new CfnOutput(this, 'Connect', { value: reports.psqlCommand() });
  }
}

new Proxied(new App(), 'Proxied');
