/** A database, one person who signs in with IAM, and the role this person does it with. */
import { App, CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

class QuickStart extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: AURORA_POSTGRESQL,
      writer: rds.ClusterInstance.serverlessV2('writer'),
      vpc: new ec2.Vpc(this, 'Vpc', { maxAzs: 2 }),
      defaultDatabaseName: 'shop',
      cloudwatchLogsExports: ['iam-db-auth-error'],
    });

    const iamAuth = new AuroraIamAuth(this, 'IamAuth', { cluster });
    const mario = iamAuth.addUser('mario.rossi@example.com');

    const operator = new iam.Role(this, 'Operator', { assumedBy: new iam.AccountRootPrincipal() });
    new iam.Role(this, 'Visitor', { assumedBy: new iam.AccountRootPrincipal() }); // without a grant: may not sign in

    // `cdk deploy -c grant=false` takes the access away again.
    if (this.node.tryGetContext('grant') !== 'false') {
      mario.grantConnect(operator);
    }
    new CfnOutput(this, 'Connect', { value: mario.psqlCommand() });
  }
}

new QuickStart(new App(), 'QuickStart');
