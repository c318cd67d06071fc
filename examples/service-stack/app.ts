/** A cluster that several services share. Each service has a stack of its own, with its user in it. */
import { App, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, DatabaseUser, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

class Data extends Stack {
  readonly iamAuth: AuroraIamAuth;
  readonly migrator: DatabaseUser;

  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: AURORA_POSTGRESQL,
      writer: rds.ClusterInstance.serverlessV2('writer'),
      vpc: new ec2.Vpc(this, 'Vpc', { maxAzs: 2 }),
      defaultDatabaseName: 'shop',
      cloudwatchLogsExports: ['iam-db-auth-error'],
    });
    this.iamAuth = new AuroraIamAuth(this, 'IamAuth', { cluster });

    this.migrator = this.iamAuth.addUser('migrator', { privileges: [Privileges.createObjects({ database: 'shop' })] });
    this.migrator.grantConnect(new iam.Role(this, 'Pipeline', { assumedBy: new iam.AccountRootPrincipal() }));
  }
}

class Billing extends Stack {
  constructor(scope: Construct, id: string, { iamAuth, migrator }: Data) {
    super(scope, id);
    // Not iamAuth.addUser(), which would put the user into the stack of the cluster.
    const billing = new DatabaseUser(this, 'User', {
      iamAuth,
      username: 'billing',
      privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [migrator] })],
    });
    billing.grantConnect(new iam.Role(this, 'Service', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));
  }
}

const app = new App();
new Billing(app, 'Billing', new Data(app, 'Data'));
