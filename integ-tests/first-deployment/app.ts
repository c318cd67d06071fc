/**
 * One stack with all that a first deployment is to settle. Its settings are context of CDK (`-c name=value`):
 *
 * - `engineVersion`: of Aurora PostgreSQL, such as 17.7
 * - `dataApi`: `false` in Regions that have none
 * - `users`: how many further users there are
 * - `changed`: `true` takes the right to write from user orders, and removes a user
 * - `broken`: `true` adds a user that cannot be created
 */
import { join } from 'node:path';
import { App, CfnOutput, Duration, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, ConnectGrants, Privileges } from '../../lib';

const app = new App();
const stack = new Stack(app, 'FirstDeployment');
const setting = (name: string, byDefault: string) => String(app.node.tryGetContext(name) ?? byDefault);
const engineVersion = setting('engineVersion', '17.7');
const hasDataApi = setting('dataApi', 'true') === 'true';
const isChanged = setting('changed', 'false') === 'true';

// Neither a NAT gateway nor a way out: an endpoint for the secret is enough, and costs less.
const vpcSubnets = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
const vpc = new ec2.Vpc(stack, 'Vpc', {
  maxAzs: 2,
  natGateways: 0,
  subnetConfiguration: [{ name: 'Database', ...vpcSubnets }],
});
vpc.addInterfaceEndpoint('SecretsManager', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER });
const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
  engine: rds.DatabaseClusterEngine.auroraPostgres({
    version: rds.AuroraPostgresEngineVersion.of(engineVersion, engineVersion.split('.')[0]),
  }),
  writer: rds.ClusterInstance.serverlessV2('writer'),
  serverlessV2MinCapacity: 0.5,
  serverlessV2MaxCapacity: 1,
  vpc,
  vpcSubnets,
  defaultDatabaseName: 'shop',
  enableDataApi: hasDataApi,
  removalPolicy: RemovalPolicy.DESTROY,
});

const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
const migrator = iamAuth.addUser('migrator', { privileges: [Privileges.createObjects({ database: 'shop' })] });
const tables = { database: 'shop', objectsCreatedBy: [migrator] };
const orders = iamAuth.addUser('orders', {
  privileges: [isChanged ? Privileges.readOnly(tables) : Privileges.readWrite(tables)],
});
const odd = iamAuth.addUser('odd', { username: 'odd*$1' });
iamAuth.addUser('similar', { username: 'oddx$1' });
if (!isChanged) {
  iamAuth.addUser('leaving');
}
for (let n = 1; n <= Number(setting('users', '0')); n++) {
  iamAuth.addUser(`user${n}`, { privileges: [Privileges.readOnly(tables)] });
}
if (setting('broken', 'false') === 'true') {
  iamAuth.addUser('broken', { privileges: [Privileges.readOnly({ ...tables, database: 'nowhere' })] });
}

/** The runner assumes these. `Stranger` may sign in as no user. */
const roles = Object.fromEntries(
  ['Migrator', 'Orders', 'Odd', 'Tagged', 'Conditional', 'Stranger', 'Operator'].map(id => [
    id,
    new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() }),
  ]),
);
migrator.grantConnect(roles.Migrator);
orders.grantConnect(roles.Orders);
odd.grantConnect(roles.Odd);
const grants = ConnectGrants.fromCluster(cluster);
grants.connectAsPrincipalTag(roles.Tagged, 'DatabaseUser');
Tags.of(roles.Tagged).add('DatabaseUser', 'orders');
const statement = grants.connectStatement('orders');
statement.addCondition('DateLessThan', { 'aws:CurrentTime': '2099-01-01T00:00:00Z' });
roles.Conditional.addToPolicy(statement);
if (hasDataApi) {
  cluster.grantDataApiAccess(roles.Operator);
}

// It has no rights at all: what it signs in with comes with the event.
const signIn = new NodejsFunction(stack, 'SignIn', {
  entry: join(__dirname, 'sign-in/index.ts'),
  runtime: Runtime.NODEJS_24_X,
  bundling: { externalModules: ['pg-native'] },
  timeout: Duration.minutes(1),
  environment: { PGHOST: cluster.clusterEndpoint.hostname, NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' },
  vpc,
  vpcSubnets,
  allowAllOutbound: false,
});
signIn.connections.allowToDefaultPort(cluster);

const outputs = {
  ClusterId: cluster.clusterIdentifier,
  ClusterArn: cluster.clusterArn,
  Host: cluster.clusterEndpoint.hostname,
  SecretArn: cluster.secret!.secretArn,
  SignInFunction: signIn.functionName,
  ProvisionerFunction: iamAuth.provisioner.function.functionName,
  ...Object.fromEntries(Object.entries(roles).map(([id, { roleArn }]) => [`${id}Role`, roleArn])),
};
Object.entries(outputs).forEach(([id, value]) => new CfnOutput(stack, id, { value }));
