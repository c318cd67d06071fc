import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AdminCredentials, AuroraIamAuth, DatabaseUser, Endpoint, InstanceIamAuth } from '../../lib';
import {
  attribute, IRELAND, logicalIdOf, newApp, newCluster, newInstance, resourcesOf, vpcOf, waitsFor,
} from './support';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
});

const ofCluster = (name: string) => attribute(/^Cluster/, name);

describe('grantConnect', () => {
  const grantee = (scope: Stack) => new iam.Role(scope, 'Role', {
    assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
  });
  const suffixOf = (scope: Stack) => {
    const policy = Object.values(resourcesOf(scope, 'AWS::IAM::Policy')).find(
      ({ Properties }) => JSON.stringify(Properties).includes('rds-db:connect'),
    )!;
    const { Statement } = policy.Properties.PolicyDocument as {
      Statement: { Resource: { 'Fn::Join': [string, unknown[]] } }[];
    };
    return Statement[0].Resource['Fn::Join'][1].slice(-2);
  };

  test('grants this user', () => {
    iamAuth.addUser('app*').grantConnect(grantee(stack));
    expect(suffixOf(stack)).toEqual([ofCluster('DBClusterResourceId'), '/app${*}']);
  });

  test('grants a user whose name only the deployment knows', () => {
    const username = new CfnParameter(stack, 'Username').valueAsString;
    new DatabaseUser(stack, 'User', { iamAuth, username }).grantConnect(grantee(stack));
    expect(suffixOf(stack)).toEqual(['/', { Ref: 'Username' }]);
  });

  test('fails as ConnectGrants does', () => {
    expect(
      () => iamAuth.addUser('app').grantConnect(new iam.AccountPrincipal('111111111111')),
    ).toThrow(/^\[Data\/Cluster\] grantee AccountPrincipal cannot be granted permissions/);
  });
});

describe('connectionEnvironment', () => {
  test('is what libpq reads', () => {
    expect(stack.resolve(iamAuth.addUser('Mixed.Case').connectionEnvironment())).toEqual({
      PGHOST: ofCluster('Endpoint.Address'),
      PGPORT: '5432',
      PGUSER: 'Mixed.Case',
      PGDATABASE: 'shop',
      PGSSLMODE: 'verify-full',
    });
  });

  test('has the Region of the database where it is asked for', () => {
    const data = new Stack(app, 'Ireland', { env: IRELAND });
    const user = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) }).addUser('app');
    expect(user.connectionEnvironment({ region: true }).AWS_REGION).toBe('eu-west-1');
    expect(Object.keys(user.connectionEnvironment({
      region: false,
    }))).toEqual(Object.keys(user.connectionEnvironment()));
  });

  test('is what a function takes, which may sign in and may wait for its user', () => {
    const cluster = newCluster(stack, 'Other');
    const user = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster }).addUser('app');
    const fn = new lambda.Function(stack, 'Function', {
      runtime: lambda.Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: lambda.Code.fromInline('-'),
      vpc: cluster.vpc,
      environment: user.connectionEnvironment(),
    });
    fn.connections.allowToDefaultPort(cluster);
    user.grantConnect(fn);
    fn.node.addDependency(user);
    expect(waitsFor(stack, logicalIdOf(fn))).toContain(logicalIdOf(user.node.findChild('Resource')));
  });
});

describe('an endpoint', () => {
  const attributes = (scope: Stack, id: string, names: object = {}) =>
    rds.DatabaseCluster.fromDatabaseClusterAttributes(scope, id, {
      clusterIdentifier: 'shop',
      clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234',
      clusterEndpointAddress: 'shop.cluster-1.eu-west-1.rds.amazonaws.com',
      port: 6543,
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(scope, `${id} group`, 'sg-1')],
      ...names,
    });
  const userOf = (cluster: rds.IDatabaseCluster) => new AuroraIamAuth(stack, `${cluster.node.id} auth`, {
    cluster, vpc: vpcOf(stack), admin: AdminCredentials.fromIam('provisioner'),
  }).addUser('orders');

  test('is the writer unless it is said', () => {
    const user = iamAuth.addUser('orders');
    expect(user.connectionEnvironment({ endpoint: Endpoint.writer() })).toEqual(user.connectionEnvironment());
    expect(user.psqlCommand({ endpoint: Endpoint.writer() })).toBe(user.psqlCommand());
  });

  test('of the readers has the port of the cluster', () => {
    const user = iamAuth.addUser('orders');
    const endpoint = Endpoint.reader();
    expect(stack.resolve(user.connectionEnvironment({ endpoint }))).toMatchObject({
      PGHOST: ofCluster('ReadEndpoint.Address'), PGPORT: '5432', PGUSER: 'orders',
    });
    expect(JSON.stringify(stack.resolve(user.psqlCommand({ endpoint })))).toMatch(
      / PGHOST=",\{[^}]*"ReadEndpoint.Address"\]\}," PGPORT=5432 .* --hostname ",\{[^}]*"ReadEndpoint.Address"\]\}/,
    );
  });

  test('of the readers of an imported cluster is the one that it was imported with', () => {
    const user = userOf(attributes(stack, 'Imported', {
      readerEndpointAddress: 'shop.cluster-ro-1.eu-west-1.rds.amazonaws.com',
    }));
    expect(user.connectionEnvironment({ endpoint: Endpoint.reader() })).toMatchObject({
      PGHOST: 'shop.cluster-ro-1.eu-west-1.rds.amazonaws.com', PGPORT: '6543',
    });
  });

  test('of the readers is refused where the import does not have it, and for an instance', () => {
    const endpoint = Endpoint.reader();
    const user = userOf(attributes(stack, 'Imported'));
    const message = '[Data/Imported auth/orders] cluster Data/Imported was imported without its reader endpoint; '
      + 'give readerEndpointAddress where it is imported';
    expect(() => user.connectionEnvironment({ endpoint })).toThrow(new Error(message));
    expect(() => user.psqlCommand({ endpoint })).toThrow(new Error(message));
    const other = new InstanceIamAuth(stack, 'InstanceAuth', { instance: newInstance(stack) }).addUser('orders');
    expect(() => other.connectionEnvironment({ endpoint })).toThrow(new Error(
      '[Data/InstanceAuth/orders] instance Data/Instance has no reader endpoint: a read replica has an endpoint and '
      + 'a resource id of its own; '
      + 'use the endpoint of the replica, and ConnectGrants.fromInstance(replica)',
    ));
  });

  test('of a proxy has the CAs of Amazon in the command', () => {
    const proxy = rds.DatabaseProxy.fromDatabaseProxyAttributes(stack, 'Proxy', {
      dbProxyName: 'p', dbProxyArn: 'p', endpoint: 'p.proxy-1.rds.amazonaws.com', securityGroups: [],
    });
    const user = iamAuth.addUser('orders');
    const command = user.psqlCommand({ endpoint: Endpoint.proxy(proxy) });
    expect(command).toContain('downloaded from https://www.amazontrust.com/repository/AmazonRootCA1.pem}');
    expect(command).toContain(' PGHOST=p.proxy-1.rds.amazonaws.com PGPORT=5432 ');
    expect(command).toContain(' --hostname p.proxy-1.rds.amazonaws.com --port 5432 ');
    expect(user.psqlCommand()).toContain(
      'downloaded from https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem}',
    );
  });
});

describe('psqlCommand', () => {
  test('fails for a token', () => {
    const username = new CfnParameter(stack, 'Username').valueAsString;
    expect(() => new DatabaseUser(stack, 'User', { iamAuth, username }).psqlCommand()).toThrow(new Error(
      '[Data/User] username is a CDK token, and psqlCommand() cannot quote for a shell what is not known at '
      + 'synthesis; give the username itself, or use connectionEnvironment()',
    ));
  });
});
