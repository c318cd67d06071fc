/** One user of an Aurora cluster, and a role that may sign in as this user. */
import { IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { DISABLE_CREATION_STACK_TRACES } from 'aws-cdk-lib/cx-api';
import { AuroraIamAuth } from '../lib';

// Stack traces would put the path of this checkout into the snapshot.
const app = new App({ context: { [DISABLE_CREATION_STACK_TRACES]: true } });
const stack = new Stack(app, 'QuickStart');

const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
  engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
  writer: rds.ClusterInstance.serverlessV2('writer'),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  defaultDatabaseName: 'shop',
  removalPolicy: RemovalPolicy.DESTROY,
});
const user = new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('mario.rossi@example.com');
user.grantConnect(new iam.Role(stack, 'Operator', { assumedBy: new iam.AccountRootPrincipal() }));
new CfnOutput(stack, 'Connect', { value: user.psqlCommand });

new IntegTest(app, 'QuickStartTest', { testCases: [stack] });
