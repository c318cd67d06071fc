/** An instance of RDS for PostgreSQL, and a service that has a schema of its own in it. */
import { App, CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { InstanceIamAuth, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';

class RdsInstance extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const instance = new rds.DatabaseInstance(this, 'Instance', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
      vpc: new ec2.Vpc(this, 'Vpc', { maxAzs: 2 }),
      databaseName: 'shop',
    });
    const iamAuth = new InstanceIamAuth(this, 'IamAuth', { instance });

    const orders = iamAuth.addUser('orders', { privileges: [Privileges.schemaOwner({ database: 'shop', schema: 'orders' })] });
    orders.grantConnect(new iam.Role(this, 'Service', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));
    new iam.Role(this, 'Visitor', { assumedBy: new iam.AccountRootPrincipal() }); // without a grant: may not sign in

    new CfnOutput(this, 'Connect', { value: orders.psqlCommand });
  }
}

new RdsInstance(new App(), 'RdsInstance');
