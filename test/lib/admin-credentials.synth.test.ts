import { App, CfnParameter, SecretValue, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AdminCredentials, AuroraIamAuth, DatabaseUser, InstanceIamAuth } from '../../lib';
import {
  attribute,
  imported,
  IRELAND,
  logicalIdOf,
  newApp,
  newCluster,
  newInstance,
  Resource,
  resourcesOf,
  vpcOf,
  waitsFor,
} from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

const PASSWORD = rds.Credentials.fromPassword('postgres', SecretValue.unsafePlainText('x'));

/** A cluster whose master signs in with IAM. */
function passwordless(): rds.DatabaseCluster {
  const cluster = newCluster(stack, 'Cluster', { credentials: PASSWORD });
  const resource = cluster.node.defaultChild as rds.CfnDBCluster;
  resource.masterUserPassword = undefined;
  resource.masterUserAuthenticationType = 'iam-db-auth';
  return cluster;
}

const addUser = (cluster: rds.IDatabaseCluster, admin?: AdminCredentials) =>
  new AuroraIamAuth(stack, 'IamAuth', { cluster, admin }).addUser('app');

const handlerIn = (scope: Stack): Resource =>
  Object.values(resourcesOf(scope, 'AWS::Lambda::Function')).find(
    ({ Properties }) => Properties.Handler === 'index.handler',
  )!;

const statementsOf = (scope: Stack) =>
  Object.entries(resourcesOf(scope, 'AWS::IAM::ManagedPolicy'))
    .filter(([id]) => id.includes('HandlerRole'))
    .flatMap(
      ([, { Properties }]) => (Properties.PolicyDocument as { Statement: { Action: string | string[] }[] }).Statement,
    );

const connect = (resourceId: unknown, user: string) => ({
  Effect: 'Allow',
  Action: 'rds-db:connect',
  Resource: {
    'Fn::Join': [
      '',
      [
        'arn:',
        { Ref: 'AWS::Partition' },
        ':rds-db:',
        { Ref: 'AWS::Region' },
        ':',
        { Ref: 'AWS::AccountId' },
        ':dbuser:',
        resourceId,
        `/${user}`,
      ],
    ],
  },
});

describe('fromIam', () => {
  test('may sign in as this one user of this one database, and reads no secret', () => {
    addUser(passwordless(), AdminCredentials.fromIam('postgres'));
    expect(statementsOf(stack).filter(({ Action }) => /^(rds-db|secretsmanager):/.test([Action].flat()[0]))).toEqual([
      connect(attribute(/^Cluster/, 'DBClusterResourceId'), 'postgres'),
    ]);
    const { Variables } = handlerIn(stack).Properties.Environment as { Variables: Record<string, unknown> };
    expect(Variables).toMatchObject({ ADMIN_USERNAME: 'postgres', DATABASE_CA_FILE: '/var/runtime/ca-cert.pem' });
    expect(Variables).not.toHaveProperty('ADMIN_SECRET_ARN');
    expect(resourcesOf(stack, 'AWS::SecretsManager::Secret')).toEqual({});
  });

  test('leaves the secret of the database alone, where it has one', () => {
    addUser(newCluster(stack), AdminCredentials.fromIam('provisioner'));
    expect(JSON.stringify([statementsOf(stack), handlerIn(stack)])).not.toContain('Secret');
  });

  test('is for an instance as well', () => {
    new InstanceIamAuth(stack, 'IamAuth', {
      instance: newInstance(stack),
      admin: AdminCredentials.fromIam('provisioner'),
    }).addUser('app');
    expect(statementsOf(stack)).toContainEqual(connect(attribute(/^Instance/, 'DbiResourceId'), 'provisioner'));
  });

  test('stands for itself where IAM would see a wildcard', () => {
    addUser(newCluster(stack), AdminCredentials.fromIam('*'));
    expect(statementsOf(stack)).toContainEqual(connect(attribute(/^Cluster/, 'DBClusterResourceId'), '${*}'));
  });

  const egressOfFunction = () =>
    Object.entries(resourcesOf(stack, 'AWS::EC2::SecurityGroup')).find(([id]) => id.startsWith('IamAuth'))![1]
      .Properties.SecurityGroupEgress;

  test('lets the function out to the database alone', () => {
    addUser(passwordless(), AdminCredentials.fromIam('postgres'));
    expect(egressOfFunction()).toEqual([
      {
        DestinationSecurityGroupId: attribute(/^ClusterSecurityGroup/, 'GroupId'),
        Description: 'Creates IAM users in PostgreSQL',
        FromPort: 5432,
        IpProtocol: 'tcp',
        ToPort: 5432,
      },
    ]);
    expect(resourcesOf(stack, 'AWS::EC2::SecurityGroupEgress')).toEqual({});
  });

  test('lets the function out to the database alone where only the deployment knows the port, which CDK takes in resources only', () => {
    const engine = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 });
    const instance = new rds.DatabaseInstanceFromSnapshot(stack, 'Restored', {
      engine,
      vpc: vpcOf(stack),
      snapshotIdentifier: 'snapshot',
    });
    new InstanceIamAuth(stack, 'IamAuth', { instance, admin: AdminCredentials.fromIam('postgres') }).addUser('app');
    expect(egressOfFunction()).toEqual([
      { CidrIp: '127.0.0.1/32', Description: 'Nowhere but to the database', IpProtocol: '-1' },
    ]);
    expect(
      Object.values(resourcesOf(stack, 'AWS::EC2::SecurityGroupEgress')).map(({ Properties }) => Properties.ToPort),
    ).toEqual([attribute(/^Restored/, 'Endpoint.Port')]);
  });

  test('has its policy before the first user is created, and until the last is removed', () => {
    const user = addUser(passwordless(), AdminCredentials.fromIam('postgres'));
    const policy = Object.keys(resourcesOf(stack, 'AWS::IAM::ManagedPolicy')).find(id => id.includes('HandlerRole'));
    expect(waitsFor(stack, logicalIdOf(user.node.findChild('Resource')))).toContain(policy);
  });

  test('does not wait for a way to Secrets Manager', () => {
    const cluster = passwordless();
    const endpoint = (cluster.vpc as ec2.Vpc).addInterfaceEndpoint('Endpoint', {
      service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    });
    const user = addUser(cluster, AdminCredentials.fromIam('postgres'));
    expect(waitsFor(stack, logicalIdOf(user.node.findChild('Resource')))).not.toContain(logicalIdOf(endpoint));
  });

  test('is for an imported database as well, in its account and Region', () => {
    const there = new Stack(app, 'There', { env: IRELAND });
    const securityGroups = [ec2.SecurityGroup.fromSecurityGroupId(there, 'Group', 'sg-1')];
    const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(there, 'Cluster', {
      clusterIdentifier: 'shop',
      clusterResourceIdentifier: 'cluster-ABC',
      clusterEndpointAddress: 'shop.example.com',
      port: 5432,
      securityGroups,
    });
    new AuroraIamAuth(there, 'IamAuth', {
      cluster,
      vpc: vpcOf(there),
      admin: AdminCredentials.fromIam('provisioner'),
    }).addUser('app');
    expect(statementsOf(there).at(-1)).toMatchObject({
      Resource: {
        'Fn::Join': [
          '',
          ['arn:', { Ref: 'AWS::Partition' }, ':rds-db:eu-west-1:111111111111:dbuser:cluster-ABC/provisioner'],
        ],
      },
    });
  });

  test('is told to the provisioner of another stack, which does not change the one of the cluster', () => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster: passwordless(),
      admin: AdminCredentials.fromIam('postgres'),
    });
    const apps = new Stack(app, 'Apps');
    new DatabaseUser(apps, 'User', { iamAuth, username: 'app' });
    expect(statementsOf(apps)).toContainEqual(connect(imported(/DBClusterResourceId/), 'postgres'));
    expect([stack.dependencies, apps.dependencies]).toEqual([[], [stack]]);
  });

  test('is another provisioner than with another user, and the same with the same', () => {
    const cluster = passwordless();
    const withAdmin = (id: string, username: string) =>
      new AuroraIamAuth(stack, id, { cluster, admin: AdminCredentials.fromIam(username) });
    withAdmin('One', 'one').addUser('a');
    withAdmin('Two', 'two').addUser('b');
    expect(() => withAdmin('Three', 'two')).toThrow(
      new Error(
        '[Data/Three] cluster Data/Cluster has an AuroraIamAuth in this stack already, with the same admin and network; use Data/Two',
      ),
    );
  });

  test.each<[string, () => string, string]>([
    ['no name', () => '', 'username "" is not allowed: it is empty; give it 1 to 63 bytes'],
    ['a role of RDS', () => 'rds_superuser',
      'username "rds_superuser" is not allowed: RDS reserves names that begin with rds; choose another name'],
    ['a token', () => new CfnParameter(stack, 'Admin').valueAsString,
      'username of the admin is a token, and a * in it would let the provisioner sign in as every user; give the username itself to AdminCredentials.fromIam()'],
  ])('fails for %s', (_, username, message) => {
    expect(() => addUser(passwordless(), AdminCredentials.fromIam(username()))).toThrow(
      new Error(`[Data/IamAuth] ${message}`),
    );
  });

  test.each(['provisioner', 'postgres'])('fails for a user or a group role that is an admin: %s', (name) => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster: passwordless(),
      admin: AdminCredentials.fromIam('provisioner'),
    });
    expect(() => iamAuth.addUser(name)).toThrow(
      new Error(
        `[Data/IamAuth] username "${name}" is not allowed: it is the admin of the database, which is to stay as it is; create a user of another name`,
      ),
    );
    expect(() => iamAuth.addRole(name)).toThrow(
      new Error(
        `[Data/IamAuth] role name "${name}" is not allowed: it is the admin of the database; create a role of another name`,
      ),
    );
  });
});

describe('a master without a password', () => {
  const MESSAGE
    = 'MasterUserAuthenticationType of cluster Data/Cluster is iam-db-auth, so that its master has no password and users cannot be created with one from a secret; '
      + 'pass admin: AdminCredentials.fromIam("chief")';

  test.each<[string, (scope: Stack) => [Partial<rds.DatabaseClusterProps>, AdminCredentials?]]>([
    ['its own secret', () => [{ credentials: rds.Credentials.fromGeneratedSecret('chief') }]],
    ['another secret of it', scope => [
      { credentials: rds.Credentials.fromPassword('chief', SecretValue.unsafePlainText('x')) },
      AdminCredentials.fromSecret(new rds.DatabaseSecret(scope, 'Secret', { username: 'chief' })),
    ]],
  ])('fails with %s, also if it is told late and by an override', (_, props) => {
    const [clusterProps, admin] = props(stack);
    const cluster = newCluster(stack, 'Cluster', clusterProps);
    addUser(cluster, admin);
    (cluster.node.defaultChild as rds.CfnDBCluster).addPropertyOverride('MasterUserAuthenticationType', 'iam-db-auth');
    expect(() => app.synth()).toThrow(`[Data/IamAuth] ${MESSAGE}`);
  });

  test('is no hindrance to the secret of another admin', () => {
    addUser(passwordless(), AdminCredentials.fromSecret(new secretsmanager.Secret(stack, 'Secret')));
    expect(() => app.synth()).not.toThrow();
  });

  test('that has one after all goes with its secret', () => {
    const cluster = newCluster(stack);
    (cluster.node.defaultChild as rds.CfnDBCluster).masterUserAuthenticationType = 'password';
    addUser(cluster);
    expect(() => app.synth()).not.toThrow();
  });
});
