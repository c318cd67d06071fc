/** A service, the migrations that make its tables, and people who may read them. */
import { App, Stack, StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

class Shop extends Stack {
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

    const migrator = iamAuth.addUser('migrator', { privileges: [Privileges.createObjects({ database: 'shop' })] });
    const inShop = { database: 'shop', objectsCreatedBy: [migrator] };

    // To rename this user later, keep the id and pass another name: addUser('orders', { username: 'purchases', ... }). Another id would be another user.
    const orders = iamAuth.addUser('orders', { privileges: [Privileges.readWrite(inShop)] });
    const readers = iamAuth.addRole('readers', { privileges: [Privileges.readOnly(inShop)] });
    const analysts = iamAuth.addUsers('Analysts', { usernames: ['ada', 'grace'], privileges: [Privileges.memberOf(readers)] });

    for (const user of [migrator, orders, ...['ada', 'grace'].map(name => analysts.user(name))]) {
      user.grantConnect(new iam.Role(this, `${user.username} role`, { assumedBy: new iam.AccountRootPrincipal() }));
    }
  }
}

new Shop(new App(), 'Shop');
