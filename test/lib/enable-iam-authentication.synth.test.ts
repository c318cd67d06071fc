import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { App, CfnParameter, Environment, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { AssetManifestArtifact } from 'aws-cdk-lib/cx-api';
import { AdminCredentials, AuroraIamAuth, AuroraIamAuthProps, DatabaseUser, InstanceIamAuth } from '../../lib';
import { attribute, imported, IRELAND, newApp, newCluster, newInstance, onlyResourceOf, reference, resourcesOf, targetsOf, vpcOf, waitsFor } from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Reports', { env: IRELAND });
});

const TYPE = 'Custom::RdsIamAuthentication';
const groupOf = (scope: Stack) => ec2.SecurityGroup.fromSecurityGroupId(scope, 'Group', 'sg-database');
const clusterIn = (scope: Stack, attributes: Partial<rds.DatabaseClusterAttributes> = {}) =>
  rds.DatabaseCluster.fromDatabaseClusterAttributes(scope, 'Cluster', { clusterIdentifier: 'shop', securityGroups: [groupOf(scope)], ...attributes });
const instanceIn = (scope: Stack, attributes: Partial<rds.DatabaseInstanceAttributes> = {}) =>
  rds.DatabaseInstance.fromDatabaseInstanceAttributes(scope, 'Instance', { instanceIdentifier: 'shop', instanceEndpointAddress: 'shop.1', port: 6543, securityGroups: [groupOf(scope)], ...attributes });
const options = (scope: Stack) => ({ enableIamAuthentication: true, vpc: vpcOf(scope), admin: AdminCredentials.fromIam('provisioner') });
const iamAuthOf = (cluster: rds.IDatabaseCluster, props: Partial<AuroraIamAuthProps> = {}, scope = stack) => new AuroraIamAuth(scope, 'IamAuth', { cluster, ...options(scope), ...props });

const ours = (scope: Stack, type: string) => Object.fromEntries(Object.entries(resourcesOf(scope, type)).filter(([id]) => id.startsWith('IamAuthIamAuthentication')));
const statementsOf = (scope: Stack, role: string) => {
  const [policy] = Object.entries(ours(scope, 'AWS::IAM::ManagedPolicy')).filter(([id]) => id.includes(role)).map(([, resource]) => resource);
  return (policy.Properties.PolicyDocument as { Statement: { Action: unknown; Resource: unknown }[] }).Statement;
};
const writesLog = (log: string) => ({
  Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: attribute(new RegExp(`^IamAuthIamAuthentication${log}`), 'Arn'),
});
const ofResource = (name: string) => attribute(/^IamAuthIamAuthentication/, name);

describe('the custom resource', () => {
  test('of a cluster of which nothing is said but its identifier', () => {
    iamAuthOf(clusterIn(stack));
    expect(onlyResourceOf(stack, TYPE)).toEqual({
      Type: TYPE,
      Properties: { ServiceToken: attribute(/^IamAuthIamAuthenticationProviderframework/, 'Arn'), ServiceTimeout: '960', Kind: 'cluster', Identifier: 'shop' },
      UpdateReplacePolicy: 'Delete',
      DeletionPolicy: 'Delete',
    });
  });

  test('has what the import says, to be compared with the database, and the reason to look again', () => {
    iamAuthOf(clusterIn(stack, { clusterIdentifier: 'Shop-1', clusterResourceIdentifier: 'cluster-ABC', clusterEndpointAddress: 'shop.cluster-1', port: 6543 }), { reapply: 'today' });
    expect(onlyResourceOf(stack, TYPE).Properties).toMatchObject({
      Identifier: 'shop-1', Expected: { ResourceId: 'cluster-ABC', Host: 'shop.cluster-1', Port: '6543' }, Reapply: 'today',
    });
  });

  test('of an instance, whose import cannot do without an endpoint', () => {
    new InstanceIamAuth(stack, 'IamAuth', { instance: instanceIn(stack), ...options(stack) });
    expect(onlyResourceOf(stack, TYPE).Properties).toMatchObject({ Kind: 'instance', Identifier: 'shop', Expected: { Host: 'shop.1', Port: '6543' } });
  });

  test('is there only if it is asked for', () => {
    iamAuthOf(clusterIn(stack, { clusterResourceIdentifier: 'cluster-ABC', clusterEndpointAddress: 'shop.cluster-1', port: 5432 }), { enableIamAuthentication: false });
    expect(resourcesOf(stack, TYPE)).toEqual({});
  });

  test('is made once in each stack that has an AuroraIamAuth for the same import', () => {
    const cluster = clusterIn(stack);
    iamAuthOf(cluster);
    const other = new Stack(app, 'Other', { env: IRELAND });
    iamAuthOf(cluster, {}, other);
    expect([stack, other].map(scope => Object.keys(resourcesOf(scope, TYPE)).length)).toEqual([1, 1]);
    expect([stack.dependencies, other.dependencies]).toEqual([[], []]);
  });
});

describe('the function', () => {
  test('runs outside of the VPC for as long as CDK\'s framework allows, without environment', () => {
    iamAuthOf(clusterIn(stack));
    const [handler] = Object.values(ours(stack, 'AWS::Lambda::Function')).filter(({ Properties }) => Properties.Handler === 'index.handler');
    expect(handler.Properties).toEqual({
      Code: expect.anything() as unknown,
      Description: 'Enables IAM authentication of the database Reports/Cluster',
      Handler: 'index.handler',
      LoggingConfig: { LogGroup: reference(/^IamAuthIamAuthenticationLogs/) },
      MemorySize: 256,
      Role: attribute(/^IamAuthIamAuthenticationHandlerRole/, 'Arn'),
      Runtime: 'nodejs24.x',
      Timeout: 840,
    });
    const manifest = app.synth().artifacts.find(artifact => AssetManifestArtifact.isAssetManifestArtifact(artifact)) as AssetManifestArtifact;
    expect(readFileSync(manifest.file, 'utf8')).toContain(JSON.stringify(resolve('assets/iam-authentication')));
  });

  test.each<[string, Environment]>([
    ['aws', IRELAND],
    ['aws-cn', { account: '111111111111', region: 'cn-north-1' }],
    ['aws-us-gov', { account: '111111111111', region: 'us-gov-west-1' }],
  ])('may describe and modify this one cluster, and write its log: %s', (_, env) => {
    const scope = new Stack(app, 'There', { env });
    iamAuthOf(clusterIn(scope), {}, scope);
    expect(statementsOf(scope, 'HandlerRole')).toEqual([writesLog('Logs'), {
      Effect: 'Allow',
      Action: ['rds:DescribeDBClusters', 'rds:ModifyDBCluster'],
      Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:rds:${env.region}:111111111111:cluster:shop`]] },
    }]);
  });

  test('may describe and modify this one instance', () => {
    new InstanceIamAuth(stack, 'IamAuth', { instance: instanceIn(stack), ...options(stack) });
    expect(statementsOf(stack, 'HandlerRole')).toEqual([writesLog('Logs'), {
      Effect: 'Allow',
      Action: ['rds:DescribeDBInstances', 'rds:ModifyDBInstance'],
      Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':rds:eu-west-1:111111111111:db:shop']] },
    }]);
  });

  test('is all that the framework may invoke, and neither role has a policy of AWS', () => {
    iamAuthOf(clusterIn(stack));
    expect(statementsOf(stack, 'FrameworkRole')).toEqual([
      writesLog('Logs'), { Effect: 'Allow', Action: ['lambda:InvokeFunction', 'lambda:GetFunction'], Resource: attribute(/^IamAuthIamAuthenticationHandler/, 'Arn') },
    ]);
    expect(Object.values(ours(stack, 'AWS::IAM::Role')).map(({ Properties }) => Object.keys(Properties))).toEqual([['AssumeRolePolicyDocument'], ['AssumeRolePolicyDocument']]);
  });
});

test('what is asked of the functions that create users is asked of this one, but for the VPC', () => {
  const logGroup = new logs.LogGroup(stack, 'Log');
  iamAuthOf(clusterIn(stack), { provisioner: { logGroup, reservedConcurrentExecutions: 20, tracing: lambda.Tracing.ACTIVE, deadLetterQueue: new sqs.Queue(stack, 'Lost'), frameworkInVpc: true } });
  expect(Object.values(ours(stack, 'AWS::Lambda::Function')).map(({ Properties: { VpcConfig, ...properties } }) => [VpcConfig, properties])).toEqual([1, 2].map(() => [undefined, expect.objectContaining({
    LoggingConfig: expect.objectContaining({ LogGroup: reference(/^Log/) }) as unknown, ReservedConcurrentExecutions: 20, TracingConfig: { Mode: 'Active' }, DeadLetterConfig: { TargetArn: attribute(/^Lost/, 'Arn') },
  }) as unknown]));
  expect(ours(stack, 'AWS::Logs::LogGroup')).toEqual({});
});

describe('users', () => {
  const TARGET = { resourceId: ofResource('ResourceId'), host: ofResource('Host'), port: ofResource('Port') };

  test('are where RDS says that the database is, and so come after', () => {
    iamAuthOf(clusterIn(stack)).addUser('orders');
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties.Database).toEqual({ ResourceId: ofResource('ResourceId') });
    expect(targetsOf(stack)).toMatchObject([TARGET]);
    const [user] = Object.keys(resourcesOf(stack, 'Custom::RdsIamUser'));
    expect([...waitsFor(stack, user)]).toContain(Object.keys(resourcesOf(stack, TYPE))[0]);
  });

  test('are reached on the port that the import says, as a number, or that RDS says', () => {
    iamAuthOf(clusterIn(stack, { port: 6543 })).addUser('orders');
    expect(onlyResourceOf(stack, 'AWS::EC2::SecurityGroupIngress').Properties).toMatchObject({ GroupId: 'sg-database', FromPort: 6543, ToPort: 6543 });
    expect(targetsOf(stack)).toMatchObject([{ ...TARGET, port: '6543' }]);

    const other = new Stack(newApp(), 'Other', { env: IRELAND });
    iamAuthOf(clusterIn(other), {}, other).addUser('orders');
    expect(onlyResourceOf(other, 'AWS::EC2::SecurityGroupIngress').Properties).toMatchObject({ FromPort: ofResource('Port'), ToPort: ofResource('Port') });
  });

  test('sign in to the resource id that RDS says, and so does the admin', () => {
    const user = iamAuthOf(clusterIn(stack)).addUser('orders');
    user.grantConnect(new iam.Role(stack, 'Client', { assumedBy: new iam.AccountRootPrincipal() }));
    const connect = (username: string) => ({
      Effect: 'Allow', Action: 'rds-db:connect',
      Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':rds-db:eu-west-1:111111111111:dbuser:', ofResource('ResourceId'), `/${username}`]] },
    });
    const statements = (id: string, type = 'AWS::IAM::Policy') => {
      const [[, { Properties }]] = Object.entries(resourcesOf(stack, type)).filter(([logicalId]) => logicalId.startsWith(id));
      return (Properties.PolicyDocument as { Statement: unknown[] }).Statement;
    };
    expect(statements('Client')).toEqual([connect('orders')]);
    expect(statements('IamAuthProvisionerHandlerRole', 'AWS::IAM::ManagedPolicy').at(-1)).toEqual(connect('provisioner'));
  });

  test('are told host and port by RDS', () => {
    const user = iamAuthOf(clusterIn(stack)).addUser('orders');
    expect(stack.resolve(user.connectionEnvironment())).toMatchObject({ PGHOST: ofResource('Host'), PGPORT: ofResource('Port') });
    expect(JSON.stringify(stack.resolve(user.psqlCommand()))).toMatch(/"PGSSLROOTCERT.* PGHOST=",\{"Fn::GetAtt":\["IamAuthIamAuthentication\w+","Host"\]\}," PGPORT="/);
  });

  test('of another stack import what RDS says', () => {
    const iamAuth = iamAuthOf(clusterIn(stack));
    const apps = new Stack(app, 'Apps', { env: IRELAND });
    new DatabaseUser(apps, 'User', { iamAuth, username: 'orders' });
    expect(onlyResourceOf(apps, 'Custom::RdsIamUser').Properties.Database).toEqual({ ResourceId: imported(/IamAuthentication.*ResourceId/) });
    expect(targetsOf(apps)).toMatchObject([{ resourceId: imported(/IamAuthentication.*ResourceId/), host: imported(/IamAuthentication.*Host/), port: imported(/IamAuthentication.*Port/) }]);
    expect([stack.dependencies, apps.dependencies]).toEqual([[], [stack]]);
  });
});

describe('an identifier', () => {
  test('that is a token is taken as it is', () => {
    const { valueAsString: clusterIdentifier } = new CfnParameter(stack, 'Name');
    iamAuthOf(clusterIn(stack, { clusterIdentifier }));
    expect(onlyResourceOf(stack, TYPE).Properties.Identifier).toEqual({ Ref: 'Name' });
    expect(JSON.stringify(statementsOf(stack, 'HandlerRole')[1].Resource)).toContain(':cluster:",{"Ref":"Name"}');
  });

  test.each(['*', 'shop*', 'sho?', '', 'shop-', 'shop--1', '1shop', 'arn:aws:rds:eu-west-1:111111111111:cluster:shop'])('that is not one is refused: %j', (clusterIdentifier) => {
    expect(() => iamAuthOf(clusterIn(stack, { clusterIdentifier }))).toThrow(new Error(
      `[Reports/Cluster] identifier "${clusterIdentifier}" is not the one of a cluster, which has letters, digits and single hyphens and begins with a letter, `
      + 'and the permission to change or use it is to be about no other; give the identifier where the cluster is imported',
    ));
  });

  test('that is long and not one is refused, without backtracking that never ends', () => {
    const refused = () => expect(() => iamAuthOf(clusterIn(stack, { clusterIdentifier: `${'a'.repeat(63)}_` }))).toThrow('letters, digits and single hyphens');
    runInNewContext('refused()', { refused }, { timeout: 120_000 });
  });
});

describe('is refused', () => {
  test.each<[string, () => unknown]>([
    ['cluster', () => new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack, 'Own'), enableIamAuthentication: true })],
    ['instance', () => new InstanceIamAuth(stack, 'IamAuth', { instance: newInstance(stack, 'Own'), enableIamAuthentication: true })],
  ])('for a database of this app: %s', (kind, create) => {
    expect(create).toThrow(new Error(
      `[Reports/IamAuth] enableIamAuthentication is for a database that is imported, and ${kind} Reports/Own is made in this app, whose template enables IAM authentication; leave it out`,
    ));
  });

  test('from a stack of another Region than the database', () => {
    const there = new Stack(app, 'There', { env: { ...IRELAND, region: 'us-east-1' } });
    expect(() => iamAuthOf(clusterIn(there))).toThrow(new Error(
      '[Reports/IamAuth] region eu-west-1 of the stack is not us-east-1 of the database, and IAM authentication is enabled from there; create the AuroraIamAuth in a stack of region us-east-1',
    ));
  });

  test('from a stack whose account is left open, where the one of the database is not', () => {
    const open = new Stack(app, 'Open');
    expect(() => iamAuthOf(clusterIn(stack), {}, open)).toThrow(new Error(
      '[Open/IamAuth] account of stack Open is left open and the one of the database is 111111111111, and they must be the same; give stack Open the env of the other',
    ));
    expect(() => iamAuthOf(clusterIn(open))).toThrow(new Error(
      '[Reports/IamAuth] account of stack Open is left open and the one of the AuroraIamAuth is 111111111111, and they must be the same; give stack Open the env of the other',
    ));
  });

  test('for an import without security groups, which RDS is not asked for', () => {
    expect(() => iamAuthOf(clusterIn(stack, { securityGroups: [] }))).toThrow('[Reports/Cluster] the import does not tell its security groups');
  });

  test('for what is said to be a resource id and is none', () => {
    expect(() => iamAuthOf(clusterIn(stack, { clusterResourceIdentifier: 'shop' }))).toThrow('[Reports/Cluster] clusterResourceIdentifier "shop" is not the resource id of a cluster');
  });

  test('for a user of the name of the construct', () => {
    expect(() => iamAuthOf(clusterIn(stack)).addUser('IamAuthentication')).toThrow('id "IamAuthentication" is the id of another construct here');
  });
});

test('a database that is looked up is enabled as one that is imported; the first synthesis knows nothing yet, and must not fail', () => {
  iamAuthOf(rds.DatabaseCluster.fromLookup(stack, 'Cluster', { clusterIdentifier: 'shop' })).addUser('orders');
  expect(Object.keys(resourcesOf(stack, TYPE))).toHaveLength(1);
});
