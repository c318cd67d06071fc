import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AdminCredentials, AuroraIamAuth, InstanceIamAuth } from '../../lib';
import {
  INSTANCE_TYPE,
  IRELAND,
  newApp,
  newCluster,
  newInstance,
  onlyResourceOf,
  reference,
  resourcesOf,
  targetsOf,
  vpcOf,
} from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data', { env: IRELAND });
});

const groupOf = (scope: Stack) => ec2.SecurityGroup.fromSecurityGroupId(scope, 'Group', 'sg-database');
const CLUSTER = {
  clusterIdentifier: 'shop',
  clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234',
  clusterEndpointAddress: 'shop.cluster-1.eu-west-1.rds.amazonaws.com',
  port: 6543,
};
const INSTANCE = {
  instanceIdentifier: 'shop',
  instanceResourceId: 'db-ABCDEFGHIJKL01234',
  instanceEndpointAddress: 'shop.1.eu-west-1.rds.amazonaws.com',
  port: 6543,
};

type Attributes = Partial<rds.DatabaseClusterAttributes & rds.DatabaseInstanceAttributes>;
const KINDS = {
  cluster: {
    resourceId: CLUSTER.clusterResourceIdentifier,
    host: CLUSTER.clusterEndpointAddress,
    endpoint: 'clusterEndpointAddress and port',
    import: (attributes: Attributes = {}, scope = stack) =>
      rds.DatabaseCluster.fromDatabaseClusterAttributes(scope, 'Imported', {
        ...CLUSTER,
        securityGroups: [groupOf(scope)],
        ...attributes,
      }),
    iamAuth: (database: unknown, options = {}) =>
      new AuroraIamAuth(stack, 'IamAuth', { cluster: database as rds.IDatabaseCluster, ...given(), ...options }),
  },
  instance: {
    resourceId: INSTANCE.instanceResourceId,
    host: INSTANCE.instanceEndpointAddress,
    endpoint: 'instanceEndpointAddress and port',
    import: (attributes: Attributes = {}, scope = stack) =>
      rds.DatabaseInstance.fromDatabaseInstanceAttributes(scope, 'Imported', {
        ...INSTANCE,
        securityGroups: [groupOf(scope)],
        ...attributes,
      }),
    iamAuth: (database: unknown, options = {}) =>
      new InstanceIamAuth(stack, 'IamAuth', { instance: database as rds.IDatabaseInstance, ...given(), ...options }),
  },
};
const given = () => ({
  vpc: vpcOf(stack),
  admin: AdminCredentials.fromSecret(secretsmanager.Secret.fromSecretNameV2(stack, 'Admin', 'admin')),
});

describe.each(['cluster', 'instance'] as const)('an imported %s', (kind) => {
  const { resourceId, host, endpoint, import: imported, iamAuth } = KINDS[kind];

  test('has users as one of this app does: where it is, who creates them, and who may sign in', () => {
    const user = iamAuth(imported()).addUser('orders');
    user.grantConnect(new iam.Role(stack, 'Client', { assumedBy: new iam.AccountRootPrincipal() }));
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties).toMatchObject({
      Database: { ResourceId: resourceId }, Privileges: { postgres: { Database: ['CONNECT'] } },
    });
    expect(targetsOf(stack)).toEqual([{ stack: { Ref: 'AWS::StackId' }, resourceId, host, port: '6543' }]);
    const [, policy] = Object.entries(resourcesOf(stack, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('Client'))!;
    expect(policy.Properties.PolicyDocument).toMatchObject({
      Statement: [
        {
          Action: 'rds-db:connect',
          Resource: {
            'Fn::Join': [
              '',
              ['arn:', { Ref: 'AWS::Partition' }, `:rds-db:eu-west-1:111111111111:dbuser:${resourceId}/orders`],
            ],
          },
        },
      ],
    });
  });

  test('lets the function in by a rule of its own security group, with its port as a number', () => {
    iamAuth(imported()).addUser('orders');
    expect(onlyResourceOf(stack, 'AWS::EC2::SecurityGroupIngress').Properties).toMatchObject({
      GroupId: 'sg-database',
      FromPort: 6543,
      ToPort: 6543,
      SourceSecurityGroupId: { 'Fn::GetAtt': [expect.stringMatching(/^IamAuthProvisionerSecurityGroup/), 'GroupId'] },
    });
  });

  test.each<[string, Attributes, string]>([
    ['without its endpoint',
      { clusterEndpointAddress: undefined, instanceEndpointAddress: undefined as never, port: undefined },
      `the import does not tell the endpoint, and users are created over a connection to it; give ${endpoint} where it is imported`],
    ['without its security groups', { securityGroups: [] },
      'the import does not tell its security groups, and the function that creates the users is let in by a rule of one; give securityGroups where it is imported'],
  ].slice(kind === 'cluster' ? 0 : 1) as [string, Attributes, string][])('is refused %s', (_, attributes, message) => {
    expect(() => iamAuth(imported(attributes))).toThrow(new Error(`[Data/Imported] ${message}`));
  });

  test('is refused without its resource id', () => {
    expect(() => iamAuth(imported({ clusterResourceIdentifier: undefined, instanceResourceId: undefined }))).toThrow(
      /^\[Data\/Imported\] (cluster|instance)Resource\w+ is missing, and the permission/,
    );
  });

  test('is refused without a VPC here, which it cannot tell', () => {
    expect(() => iamAuth(imported(), { vpc: undefined })).toThrow(
      new Error(
        `[Data/IamAuth] ${kind} Data/Imported does not tell its VPC, and the function that creates the users runs there; pass vpc`,
      ),
    );
  });

  test('is refused without an admin here, which it cannot tell', () => {
    expect(() => iamAuth(imported(), { admin: undefined })).toThrow(
      new Error(
        `[Data/IamAuth] ${kind} Data/Imported has no secret (it has a password from elsewhere, from a snapshot or from the ${kind} it replicates, has none at all, or is imported), `
        + 'and users are created by an admin; pass admin: AdminCredentials.fromSecret(secret), or AdminCredentials.fromIam(username) for one that signs in with a token',
      ),
    );
  });

  test('of another engine is refused', () => {
    const other
      = kind === 'cluster'
        ? { engine: rds.DatabaseClusterEngine.AURORA_MYSQL }
        : { engine: rds.DatabaseInstanceEngine.MYSQL };
    expect(() => iamAuth(imported(other as Attributes))).toThrow(
      /^\[Data\/IamAuth\] engine "(aurora-)?mysql" of (cluster|instance) Data\/Imported is not supported, because users are created in the SQL of PostgreSQL; pass an? (cluster|instance) with the engine/,
    );
  });
});

describe('InstanceIamAuth', () => {
  test('enables IAM authentication, and creates users with the secret and in the VPC of the instance', () => {
    const instance = newInstance(stack);
    new InstanceIamAuth(stack, 'IamAuth', { instance }).addUser('orders');
    expect(onlyResourceOf(stack, 'AWS::RDS::DBInstance').Properties.EnableIAMDatabaseAuthentication).toBe(true);
    const attribute = (name: string) => ({ 'Fn::GetAtt': [expect.stringMatching(/^Instance/) as unknown, name] });
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties).toMatchObject({
      Database: { ResourceId: attribute('DbiResourceId') },
      Privileges: { shop: { Database: ['CONNECT'] } },
    });
    expect(targetsOf(stack)).toEqual([
      {
        stack: { Ref: 'AWS::StackId' },
        resourceId: attribute('DbiResourceId'),
        host: attribute('Endpoint.Address'),
        port: '5432',
      },
    ]);
    const [, handler] = Object.entries(resourcesOf(stack, 'AWS::Lambda::Function')).find(([id]) =>
      id.startsWith('IamAuthProvisionerHandler'),
    )!;
    expect(handler.Properties.Environment).toMatchObject({
      Variables: { ADMIN_SECRET_ARN: reference(/^InstanceSecretAttachment/) },
    });
  });

  test('waits for the instance, and is removed before it', () => {
    const instance = newInstance(stack, 'Instance', { port: 6543 });
    new InstanceIamAuth(stack, 'IamAuth', { instance }).addUser('orders');
    const [, framework] = Object.entries(resourcesOf(stack, 'AWS::Lambda::Function')).find(([id]) =>
      id.includes('framework'),
    )!;
    expect(framework.DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^Instance[0-9A-F]{8}$/)]));
    expect(targetsOf(stack)).toMatchObject([{ port: '6543' }]);
  });

  test('takes an instance from a snapshot, with an admin', () => {
    const instance = new rds.DatabaseInstanceFromSnapshot(stack, 'Instance', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
      vpc: vpcOf(stack),
      snapshotIdentifier: 's',
      credentials: rds.SnapshotCredentials.fromGeneratedSecret('postgres'),
    });
    const iamAuth = new InstanceIamAuth(stack, 'IamAuth', { instance });
    iamAuth.addUser('orders');
    expect(iamAuth.database).toBe('postgres');
    expect(onlyResourceOf(stack, 'AWS::RDS::DBInstance').Properties.EnableIAMDatabaseAuthentication).toBe(true);
    // It has the port that it had.
    expect(targetsOf(stack)).toMatchObject([
      { port: { 'Fn::GetAtt': [expect.stringMatching(/^Instance/), 'Endpoint.Port'] } },
    ]);
  });

  test('is refused for a read replica, where nothing can be created', () => {
    const sourceDatabaseInstance = newInstance(stack);
    const replica = new rds.DatabaseInstanceReadReplica(stack, 'Replica', {
      sourceDatabaseInstance,
      vpc: vpcOf(stack),
      instanceType: INSTANCE_TYPE,
    });
    expect(() => new InstanceIamAuth(stack, 'IamAuth', { instance: replica })).toThrow(new Error(
      '[Data/IamAuth] instance Data/Replica is a read replica, and users are created where it is written; pass its source, '
      + 'and let them sign in to the replica with InstanceIamAuthEnabled and ConnectGrants.fromInstance(replica)',
    ));
  });

  test('is refused for another engine, and where IAM authentication is said to be off', () => {
    const mysql = newInstance(stack, 'MySql', {
      engine: rds.DatabaseInstanceEngine.mysql({ version: rds.MysqlEngineVersion.VER_8_0 }),
    });
    expect(() => new InstanceIamAuth(stack, 'A', { instance: mysql })).toThrow(new Error(
      '[Data/A] engine "mysql" of instance Data/MySql is not supported, because users are created in the SQL of PostgreSQL; pass an instance with the engine postgres',
    ));
    expect(
      () => new InstanceIamAuth(stack, 'B', { instance: newInstance(stack, 'Off', { iamAuthentication: false }) }),
    ).toThrow('iamAuthentication of the instance is false');
  });

  test('there is one for an instance in a stack', () => {
    const instance = newInstance(stack);
    new InstanceIamAuth(stack, 'First', { instance });
    expect(() => new InstanceIamAuth(stack, 'Second', { instance })).toThrow(new Error(
      '[Data/Second] instance Data/Instance has an InstanceIamAuth in this stack already, with the same admin and network; use Data/First',
    ));
  });

  test('the admin is no user\'s name', () => {
    const iamAuth = new InstanceIamAuth(stack, 'IamAuth', {
      instance: newInstance(stack, 'Instance', { credentials: rds.Credentials.fromGeneratedSecret('chief') }),
    });
    expect(() => iamAuth.addUser('chief')).toThrow(/username "chief" is not allowed/);
  });
});

test('a cluster and an instance of one stack have provisioners of their own', () => {
  new AuroraIamAuth(stack, 'Aurora', { cluster: newCluster(stack) }).addUser('orders');
  new InstanceIamAuth(stack, 'Rds', { instance: newInstance(stack) }).addUser('orders');
  const tokens = Object.values(resourcesOf(stack, 'Custom::RdsIamUser')).map(({ Properties }) =>
    JSON.stringify(Properties.ServiceToken),
  );
  expect(new Set(tokens).size).toBe(2);
});
