/** One user of an Aurora cluster, and a function that signs in as this user. */
import { ExpectedResult, IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import { DISABLE_CREATION_STACK_TRACES } from 'aws-cdk-lib/cx-api';
import { AuroraIamAuth, Privileges } from '../lib';
import { SignInFunction } from './sign-in-function';

// Stack traces would put the path of this checkout into the snapshot.
const app = new App({ context: { [DISABLE_CREATION_STACK_TRACES]: true } });
const stack = new Stack(app, 'QuickStart');

const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 });
const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
  engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
  writer: rds.ClusterInstance.serverlessV2('writer'),
  vpc,
  defaultDatabaseName: 'shop',
  cloudwatchLogsExports: ['iam-db-auth-error'],
  removalPolicy: RemovalPolicy.DESTROY,
});
const user = new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('mario.rossi@example.com', { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] })] });
const { functionName } = new SignInFunction(stack, 'SignIn', { vpc, database: cluster, user });

const { assertions } = new IntegTest(app, 'QuickStartTest', { testCases: [stack] });
assertions.invokeFunction({ functionName }).expect(ExpectedResult.objectLike({ Payload: '{"signedInAs":"mario.rossi@example.com"}' }));
