/** A master that signs in with IAM and has no password, in subnets without a way out; AWS does not say that such a master may create users. */
import { ExpectedResult, IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import { DISABLE_CREATION_STACK_TRACES } from 'aws-cdk-lib/cx-api';
import { AdminCredentials, AuroraIamAuth, Privileges } from '../lib';
import { SignInFunction } from './sign-in-function';

// Stack traces would put the path of this checkout into the snapshot.
const app = new App({ context: { [DISABLE_CREATION_STACK_TRACES]: true } });
const stack = new Stack(app, 'NoPassword');

const vpcSubnets = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 0, subnetConfiguration: [{ name: 'Database', ...vpcSubnets }] });
const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
  engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
  writer: rds.ClusterInstance.serverlessV2('writer'),
  vpc,
  vpcSubnets,
  credentials: rds.Credentials.fromPassword('postgres', SecretValue.unsafePlainText('taken out below')), // so that no secret is made
  defaultDatabaseName: 'shop',
  cloudwatchLogsExports: ['iam-db-auth-error'],
  removalPolicy: RemovalPolicy.DESTROY,
});
const resource = cluster.node.defaultChild as rds.CfnDBCluster;
resource.masterUserAuthenticationType = 'iam-db-auth';
resource.masterUserPassword = undefined;

const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster, admin: AdminCredentials.fromIam('postgres') });
const user = iamAuth.addUser('reports', { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] })] });
const { functionName } = new SignInFunction(stack, 'SignIn', { vpc, vpcSubnets, database: cluster, user });

const { assertions } = new IntegTest(app, 'NoPasswordTest', { testCases: [stack] });
assertions.invokeFunction({ functionName }).expect(ExpectedResult.objectLike({ Payload: '{"signedInAs":"reports"}' }));
