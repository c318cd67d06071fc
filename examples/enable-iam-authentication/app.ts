/** A cluster of another team, without IAM authentication until this team switches it on. */
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AdminCredentials, AuroraIamAuth, Privileges } from 'cdk-aurora-iam-auth';
import { Construct } from 'constructs';
import { AURORA_POSTGRESQL } from '../engine';

/** What has to be known of the cluster, beside its name. */
interface SharedCluster {
  /** `VpcSecurityGroups` of `aws rds describe-db-clusters` */
  readonly securityGroupId: string;
  /** Of the secret with the username and password of an admin. */
  readonly adminSecretArn: string;
  /** Where the cluster is: in an app of your own it is `ec2.Vpc.fromLookup()`. */
  readonly vpc: ec2.IVpc;
}

class Reports extends Stack {
  constructor(scope: Construct, id: string, shared: SharedCluster) {
    super(scope, id);
    const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(this, 'Cluster', {
      clusterIdentifier: 'shop',
      port: 5432, // may be left out, but a rule with a number can be reviewed
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(this, 'ClusterGroup', shared.securityGroupId)],
    });
    const iamAuth = new AuroraIamAuth(this, 'IamAuth', {
      cluster,
      enableIamAuthentication: true, // asks RDS for the resource id and the endpoint, too
      vpc: shared.vpc,
      admin: AdminCredentials.fromSecret(secretsmanager.Secret.fromSecretCompleteArn(this, 'Admin', shared.adminSecretArn)),
      database: 'shop',
    });

    const reports = iamAuth.addUser('reports', { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] })] });
    reports.grantConnect(new iam.Role(this, 'Service', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));
  }
}

/** Stands for the app of the other team. */
class Platform extends Stack {
  readonly vpc = new ec2.Vpc(this, 'Vpc', { maxAzs: 2 });
  readonly securityGroup = new ec2.SecurityGroup(this, 'Group', { vpc: this.vpc });
  readonly cluster = new rds.DatabaseCluster(this, 'Cluster', {
    clusterIdentifier: 'shop',
    engine: AURORA_POSTGRESQL,
    writer: rds.ClusterInstance.serverlessV2('writer'),
    vpc: this.vpc,
    securityGroups: [this.securityGroup],
    defaultDatabaseName: 'shop',
    cloudwatchLogsExports: ['iam-db-auth-error'],
  });
}

const app = new App();
const { cluster, securityGroup, vpc } = new Platform(app, 'Platform');
// Here they come from the other stack, so that the example can be rehearsed; in an app of your own they are texts.
new Reports(app, 'Reports', { securityGroupId: securityGroup.securityGroupId, adminSecretArn: cluster.secret!.secretArn, vpc });
