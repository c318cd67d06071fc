/** A function that signs in through an RDS Proxy with IAM all the way. */
import { ExpectedResult, IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { DISABLE_CREATION_STACK_TRACES } from 'aws-cdk-lib/cx-api';
import { AuroraIamAuth, Privileges } from '../lib';
import { SignInFunction } from './sign-in-function';

// Stack traces would put the path of this checkout into the snapshot.
const app = new App({ context: { [DISABLE_CREATION_STACK_TRACES]: true } });
const stack = new Stack(app, 'Proxied');

const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 });
const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
  engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
  writer: rds.ClusterInstance.serverlessV2('writer'),
  vpc,
  defaultDatabaseName: 'shop',
  cloudwatchLogsExports: ['iam-db-auth-error'],
  removalPolicy: RemovalPolicy.DESTROY,
});
const proxy = new rds.DatabaseProxy(stack, 'Proxy', {
  proxyTarget: rds.ProxyTarget.fromCluster(cluster),
  vpc,
  defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH,
  role: new iam.Role(stack, 'ProxyRole', { assumedBy: new iam.ServicePrincipal('rds.amazonaws.com') }),
});
const user = new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('orders', { privileges: [Privileges.readWrite({ database: 'shop', objectsCreatedBy: [] })] });
const { functionName } = new SignInFunction(stack, 'SignIn', { vpc, database: cluster, through: proxy, user });

const { assertions } = new IntegTest(app, 'ProxyTest', { testCases: [stack] });
assertions.invokeFunction({ functionName }).expect(ExpectedResult.objectLike({ Payload: '{"signedInAs":"orders"}' }));
