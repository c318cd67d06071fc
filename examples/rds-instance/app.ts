/** An instance of RDS for PostgreSQL with a read replica, a service that has its tables in it, and reports that read them at the replica. */
import { App, CfnOutput, Mixins, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { ConnectGrants, InstanceIamAuth, InstanceIamAuthEnabled, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';

class RdsInstance extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const vpc = new ec2.Vpc(this, 'Vpc', { maxAzs: 2 });
    const instance = new rds.DatabaseInstance(this, 'Instance', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
      vpc,
      databaseName: 'shop',
      cloudwatchLogsExports: ['iam-db-auth-error'],
      storageEncrypted: true,
    });
    const replica = new rds.DatabaseInstanceReadReplica(this, 'Replica', {
      sourceDatabaseInstance: instance,
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MEDIUM),
      vpc,
      cloudwatchLogsExports: ['iam-db-auth-error'],
    });
    Mixins.of(replica).apply(new InstanceIamAuthEnabled());
    const iamAuth = new InstanceIamAuth(this, 'IamAuth', { instance });

    const orders = iamAuth.addUser('orders', { privileges: [Privileges.createObjects({ database: 'shop' })] });
    orders.grantConnect(new iam.Role(this, 'Service', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));

    // The user comes to the replica with everything else. Who may sign in as it there, and not at the instance, is granted on the replica.
    const reports = iamAuth.addUser('reports', { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [orders] })] });
    const role = new iam.Role(this, 'Reports', { assumedBy: new iam.AccountRootPrincipal() });
    ConnectGrants.fromInstance(replica).connect(role, reports.username);

    new CfnOutput(this, 'Connect', { value: orders.psqlCommand() });
  }
}

new RdsInstance(new App(), 'RdsInstance');
