import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AssetManifestArtifact } from 'aws-cdk-lib/cx-api';
import { AdminCredentials, AuroraIamAuth, AuroraIamAuthProps, DatabaseUser } from '../../../lib';
import { attribute, logicalIdOf, newApp, newCluster, onlyResourceOf, reference, Resource, resourcesOf, templateOf, vpcOf, waitsFor } from '../support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

function addUser(cluster: rds.IDatabaseCluster, props: Partial<AuroraIamAuthProps> = {}): DatabaseUser {
  return new AuroraIamAuth(stack, 'IamAuth', { cluster, ...props }).addUser('app');
}

function handlerIn(scope: Stack): Resource {
  const [handler] = Object.values(resourcesOf(scope, 'AWS::Lambda::Function')).filter(({ Properties }) => Properties.Handler === 'index.handler');
  return handler;
}

test('a first user adds 10 resources', () => {
  const count = (scope: Stack) => Object.keys(resourcesOf(scope)).length;
  const without = new Stack(newApp(), 'Without');
  newCluster(without);
  addUser(newCluster(stack));
  expect(count(stack) - count(without)).toBe(10);
});

describe('the handler', () => {
  test('is configured for Node.js 24 in the private subnets of the cluster', () => {
    new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 });
    addUser(newCluster(stack));
    expect(handlerIn(stack).Properties).toEqual({
      Code: expect.anything() as unknown,
      Description: 'Creates the IAM users of the database Data/Cluster',
      Environment: {
        Variables: {
          ADMIN_SECRET_ARN: reference(/^ClusterSecretAttachment/),
          STACK_ID: { Ref: 'AWS::StackId' },
          DATABASE_RESOURCE_ID: attribute(/^Cluster/, 'DBClusterResourceId'),
          DATABASE_HOST: attribute(/^Cluster/, 'Endpoint.Address'),
          DATABASE_PORT: '5432',
          DATABASE_CA_FILE: '/var/runtime/ca-cert.pem',
        },
      },
      Handler: 'index.handler',
      LoggingConfig: { LogGroup: reference(/^IamAuthProvisionerLogs/) },
      MemorySize: 512,
      Role: attribute(/^IamAuthProvisionerHandlerRole/, 'Arn'),
      Runtime: 'nodejs24.x',
      Timeout: 840,
      VpcConfig: {
        SecurityGroupIds: [attribute(/^IamAuthProvisionerSecurityGroup/, 'GroupId')],
        SubnetIds: [reference(/^VpcPrivateSubnet1Subnet/), reference(/^VpcPrivateSubnet2Subnet/)],
      },
    });
  });

  test('is the bundle that the package contains', () => {
    addUser(newCluster(stack));
    const { file } = app.synth().artifacts.find(artifact => AssetManifestArtifact.isAssetManifestArtifact(artifact)) as AssetManifestArtifact;
    expect(readFileSync(file, 'utf8')).toContain(JSON.stringify(resolve('assets/provisioner')));
  });
});

describe('the framework', () => {
  test('runs outside the VPC, on the Node.js of the handler, and logs its errors', () => {
    addUser(newCluster(stack));
    const [framework] = Object.values(resourcesOf(stack, 'AWS::Lambda::Function')).filter(({ Properties }) => Properties.Handler === 'framework.onEvent');
    expect(framework.Properties.VpcConfig).toBeUndefined();
    expect(framework.Properties).toMatchObject({ Runtime: 'nodejs24.x', MemorySize: 128, LoggingConfig: { LogGroup: reference(/^IamAuthProvisionerLogs/), LogFormat: 'JSON', ApplicationLogLevel: 'ERROR' } });
  });
});

describe('the log group', () => {
  test('is one for both functions, keeps events for a month, and is deleted with the stack', () => {
    addUser(newCluster(stack));
    expect(onlyResourceOf(stack, 'AWS::Logs::LogGroup')).toMatchObject({ Properties: { RetentionInDays: 30 }, DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
  });
});

describe('the network rules', () => {
  /** Every rule between two groups: resources, and egress in the properties of a group. */
  const rules = (scope: Stack) => [
    ...Object.values(resourcesOf(scope)).filter(({ Type }) => /^AWS::EC2::SecurityGroup(Ingress|Egress)$/.test(Type))
      .map(({ Type, Properties }) => ({ Type: Type.replace('AWS::EC2::SecurityGroup', ''), GroupId: Properties.GroupId, ...endsOf(Properties) })),
    ...Object.entries(resourcesOf(scope, 'AWS::EC2::SecurityGroup')).flatMap(([id, { Properties: { SecurityGroupEgress = [] } }]) => (SecurityGroupEgress as Properties[])
      .filter(rule => 'DestinationSecurityGroupId' in rule).map(rule => ({ Type: 'Egress', GroupId: { 'Fn::GetAtt': [id, 'GroupId'] }, ...endsOf(rule) }))),
  ];
  type Properties = Resource['Properties'];
  const endsOf = ({ FromPort, ToPort, SourceSecurityGroupId, DestinationSecurityGroupId }: Properties) => ({ FromPort, ToPort, other: SourceSecurityGroupId ?? DestinationSecurityGroupId });
  const between = (ours: object, theirs: object, port: unknown) => expect.arrayContaining([
    { Type: 'Ingress', FromPort: port, ToPort: port, GroupId: theirs, other: ours },
    { Type: 'Egress', FromPort: port, ToPort: port, GroupId: ours, other: theirs },
  ]) as unknown;
  const OURS = attribute(/^IamAuthProvisionerSecurityGroup/, 'GroupId');

  test('let the handler reach the cluster and port 443, and nothing else', () => {
    new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 });
    addUser(newCluster(stack));
    expect(rules(stack)).toHaveLength(2);
    expect(rules(stack)).toEqual(between(OURS, attribute(/^ClusterSecurityGroup/, 'GroupId'), 5432));
    const [group] = Object.entries(resourcesOf(stack, 'AWS::EC2::SecurityGroup')).filter(([id]) => id.startsWith('IamAuth')).map(([, resource]) => resource);
    expect(group.Properties).toEqual({
      GroupDescription: 'Creates IAM users in PostgreSQL',
      SecurityGroupEgress: [
        { CidrIp: '0.0.0.0/0', Description: 'Reads the secret of the admin from Secrets Manager', FromPort: 443, IpProtocol: 'tcp', ToPort: 443 },
        { DestinationSecurityGroupId: attribute(/^ClusterSecurityGroup/, 'GroupId'), Description: 'Creates IAM users in PostgreSQL', FromPort: 5432, IpProtocol: 'tcp', ToPort: 5432 },
      ],
      VpcId: reference(/^Vpc/),
    });
  });

  test('are for the port of the cluster', () => {
    addUser(newCluster(stack, 'Cluster', { port: 6432 }));
    expect(rules(stack)).toEqual(between(OURS, attribute(/^ClusterSecurityGroup/, 'GroupId'), 6432));
  });

  test('are for every security group of the cluster', () => {
    const securityGroups = ['One', 'Two'].map(id => new ec2.SecurityGroup(stack, id, { vpc: vpcOf(stack) }));
    addUser(newCluster(stack, 'Cluster', { securityGroups }));
    expect(rules(stack)).toHaveLength(4);
    ['One', 'Two'].forEach(id => expect(rules(stack)).toEqual(between(OURS, attribute(new RegExp(`^${id}`), 'GroupId'), 5432)));
  });

  test('are between the group that is given and the cluster', () => {
    const group = new ec2.SecurityGroup(stack, 'Mine', { vpc: vpcOf(stack), allowAllOutbound: false });
    addUser(newCluster(stack), { securityGroups: [group] });
    expect(handlerIn(stack).Properties.VpcConfig).toMatchObject({ SecurityGroupIds: [attribute(/^Mine/, 'GroupId')] });
    expect(rules(stack)).toHaveLength(2);
    expect(rules(stack)).toEqual(between(attribute(/^Mine/, 'GroupId'), attribute(/^ClusterSecurityGroup/, 'GroupId'), 5432));
  });

  test('leave alone a group that may not be changed', () => {
    const group = ec2.SecurityGroup.fromSecurityGroupId(stack, 'Imported', 'sg-1', { mutable: false });
    addUser(newCluster(stack, 'Cluster', { securityGroups: [group] }));
    expect(rules(stack)).toEqual([{ Type: 'Egress', FromPort: 5432, ToPort: 5432, GroupId: OURS, other: 'sg-1' }]);
  });

  test('of two clusters are two provisioners, each with its own', () => {
    ['One', 'Two'].forEach(id => new AuroraIamAuth(stack, `${id}IamAuth`, { cluster: newCluster(stack, id, { port: id === 'One' ? 5432 : 6432 }) }).addUser('app'));
    expect(rules(stack)).toHaveLength(4);
    expect(rules(stack)).toEqual(between(attribute(/^OneIamAuthProvisioner/, 'GroupId'), attribute(/^OneSecurityGroup/, 'GroupId'), 5432));
    expect(rules(stack)).toEqual(between(attribute(/^TwoIamAuthProvisioner/, 'GroupId'), attribute(/^TwoSecurityGroup/, 'GroupId'), 6432));
  });
});

describe('the order', () => {
  /** The resources a user needs, wherever they are: these words are in their logical ids. */
  const WAY = [/HandlerRolePolicy/, /FrameworkRolePolicy/, /ProvisionerLogs|ProvisionerDataIamAuthLogs/, /^Cluster[0-9A-F]{8}$/, /^Clusterwriter/, /^Clusterreader/, /^ClusterSecretAttachment/];
  const RULES = /^AWS::EC2::SecurityGroup(Ingress|Egress)$/;

  const expectWay = (user: DatabaseUser, way = WAY) => {
    const scope = Stack.of(user);
    const before = waitsFor(scope, logicalIdOf(user.node.findChild('Resource')));
    way.forEach(id => expect([...before]).toContainEqual(expect.stringMatching(id)));
    const rules = Object.entries(resourcesOf(scope)).filter(([, { Type }]) => RULES.test(Type)).map(([id]) => id);
    expect(rules.filter(id => !before.has(id))).toEqual([]);
    return before;
  };
  const READER = { readers: [rds.ClusterInstance.serverlessV2('reader')] };

  test('puts a user after its cluster, the instances, the secret, the roles, the logs and the rules', () => {
    expectWay(addUser(newCluster(stack, 'Cluster', READER)));
  });

  test('puts a user after the rules below a security group that is given to the cluster', () => {
    const securityGroups = [new ec2.SecurityGroup(stack, 'Given', { vpc: vpcOf(stack) })];
    expectWay(addUser(newCluster(stack, 'Cluster', { ...READER, securityGroups })));
  });

  test('puts a user after the rules between a security group that is given to the function and the cluster', () => {
    const securityGroups = [new ec2.SecurityGroup(stack, 'Given', { vpc: vpcOf(stack), allowAllOutbound: false })];
    expectWay(addUser(newCluster(stack, 'Cluster', READER), { securityGroups }));
  });

  test('puts a user after the way out of its subnets', () => {
    new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 });
    const before = expectWay(addUser(newCluster(stack, 'Cluster', READER)));
    expect([...before]).toContainEqual(expect.stringMatching(/^VpcPrivateSubnet1DefaultRoute/));
    expect([...before]).toContainEqual(expect.stringMatching(/^VpcPublicSubnet1NATGateway/));
  });

  test('puts a user after the secret it is created with', () => {
    const secret = new secretsmanager.Secret(stack, 'Secret');
    const before = expectWay(addUser(newCluster(stack, 'Cluster', READER), { admin: AdminCredentials.fromSecret(secret) }), WAY.filter(id => !id.source.includes('Secret')));
    expect(before).toContain(logicalIdOf(secret));
  });

  test.each([
    ['Secrets Manager', {}, ['SECRETS_MANAGER']],
    ['Secrets Manager, Lambda and S3, where the framework is in the VPC', { frameworkInVpc: true }, ['SECRETS_MANAGER', 'LAMBDA', 'S3']],
  ] as const)('puts a user after the endpoints for %s, also those that are added later', (_, provisioner, services) => {
    const vpc = new ec2.Vpc(stack, 'Isolated', { subnetConfiguration: [{ name: 'Isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }] });
    const user = addUser(newCluster(stack, 'Cluster', { ...READER, vpc, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED } }), { provisioner });
    const endpoints = ['SECRETS_MANAGER', 'LAMBDA', 'S3', 'SQS'].map((service) => {
      const endpoint = service === 'S3'
        ? vpc.addGatewayEndpoint(service, { service: ec2.GatewayVpcEndpointAwsService.S3 })
        : vpc.addInterfaceEndpoint(service, { service: ec2.InterfaceVpcEndpointAwsService[service as 'LAMBDA'] });
      return [service, logicalIdOf(endpoint)];
    });
    const before = expectWay(user);
    expect(endpoints.filter(([, id]) => before.has(id)).map(([service]) => service)).toEqual(services);
  });

  test('puts a user in another stack after the stack of the cluster and the rules in its own', () => {
    const apps = new Stack(app, 'Apps');
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack, 'Cluster', READER) });
    expectWay(new DatabaseUser(apps, 'User', { iamAuth, username: 'app' }), WAY.filter(id => !/\^Cluster/.test(id.source)));
    expect(apps.dependencies).toEqual([stack]);
  });

  test('leaves out what else there is at the cluster', () => {
    const cluster = newCluster(stack, 'Cluster', READER);
    const user = addUser(cluster);
    cluster.addRotationSingleUser();
    cluster.addProxy('Proxy', { vpc: cluster.vpc, secrets: [cluster.secret!] });
    const client = new ec2.SecurityGroup(stack, 'Client', { vpc: cluster.vpc });
    cluster.connections.allowDefaultPortFrom(client);
    const before = [...waitsFor(stack, logicalIdOf(user.node.findChild('Resource')))];
    expect(before.filter(id => /Rotation|Proxy|Client/.test(id))).toEqual([]);
  });
});

describe('no cycle', () => {
  const network = () => new Stack(app, 'Network');
  const groupIn = (scope: Stack, id: string) => new ec2.SecurityGroup(scope, id, { vpc: vpcOf(scope), allowAllOutbound: false });

  test.each<[string, (scope: Stack) => [Partial<rds.DatabaseClusterProps>, Partial<AuroraIamAuthProps>]]>([
    ['the VPC', scope => [{ vpc: vpcOf(scope) }, {}]],
    ['the security group of the cluster', scope => [{ vpc: vpcOf(scope), securityGroups: [groupIn(scope, 'Database')] }, {}]],
    ['the security group of the function', scope => [{ vpc: vpcOf(scope) }, { securityGroups: [groupIn(scope, 'Function')] }]],
    ['both security groups', scope => [{ vpc: vpcOf(scope), securityGroups: [groupIn(scope, 'Database')] }, { securityGroups: [groupIn(scope, 'Function')] }]],
    ['the secret', (scope) => {
      const secret = new rds.DatabaseSecret(scope, 'Secret', { username: 'chief', encryptionKey: new kms.Key(scope, 'Key') });
      return [{ vpc: vpcOf(scope) }, { admin: AdminCredentials.fromSecret(secret) }];
    }],
  ])('where another stack has %s, for users there and in a third stack', (_, props) => {
    const [clusterProps, iamAuthProps] = props(network());
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack, 'Cluster', clusterProps), ...iamAuthProps });
    const apps = new Stack(app, 'Apps');
    const users = [iamAuth.addUser('here'), new DatabaseUser(apps, 'User', { iamAuth, username: 'there' })];
    users.forEach((user) => {
      templateOf(Stack.of(user));
      expect(waitsFor(Stack.of(user), logicalIdOf(user.node.findChild('Resource'))).size).toBeGreaterThan(5);
    });
  });

  test('where the AuroraIamAuth is in another stack than the cluster', () => {
    const apps = new Stack(app, 'Apps');
    const cluster = newCluster(stack);
    new AuroraIamAuth(apps, 'IamAuth', { cluster }).addUser('app');
    expect(onlyResourceOf(stack, 'AWS::RDS::DBCluster').Properties.EnableIAMDatabaseAuthentication).toBe(true);
    expect(handlerIn(apps)).toBeDefined();
    expect([stack.dependencies, apps.dependencies]).toEqual([[], [stack]]);
  });
});

describe('another network or admin', () => {
  test('changes the functions in place: their logical ids stay', () => {
    const build = (props: (scope: Stack, cluster: rds.DatabaseCluster) => Partial<AuroraIamAuthProps>) => {
      const [data, apps] = ['Data', 'Apps'].map((id, _, __, root = app = id === 'Data' ? newApp() : app) => new Stack(root, id));
      const cluster = newCluster(data);
      const iamAuth = new AuroraIamAuth(data, 'IamAuth', { cluster, ...props(data, cluster) });
      new DatabaseUser(apps, 'User', { iamAuth, username: 'there' });
      iamAuth.addUser('here');
      return [data, apps].flatMap(scope => Object.keys(resourcesOf(scope, 'AWS::Lambda::Function')));
    };
    const ids = build(() => ({}));
    expect(ids).toHaveLength(4);
    expect(build(data => ({ admin: AdminCredentials.fromSecret(new secretsmanager.Secret(data, 'Secret')) }))).toEqual(ids);
    expect(build(data => ({ vpcSubnets: { availabilityZones: [data.availabilityZones[0]] } }))).toEqual(ids);
    expect(build((data, { vpc }) => ({ securityGroups: [new ec2.SecurityGroup(data, 'Group', { vpc })] }))).toEqual(ids);
    expect(build(data => ({ vpc: new ec2.Vpc(data, 'OtherVpc') }))).toEqual(ids);
  });
});
