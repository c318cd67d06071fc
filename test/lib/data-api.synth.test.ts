import { Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { AdminCredentials, AuroraIamAuth, InstanceIamAuth, SqlTransport } from '../../lib';
import { engineVersionProblem, regionProblem } from '../../lib/provisioner/transport/data-api-availability';
import { attribute, IRELAND, logicalIdOf, newApp, newCluster, newInstance, onlyResourceOf, Resource, resourcesOf, templateOf, vpcOf, waitsFor } from './support';

const transport = SqlTransport.dataApi();
const IS = 'transport is SqlTransport.dataApi(), and ';

let stack: Stack;
beforeEach(() => stack = new Stack(newApp(), 'Stack', { env: IRELAND }));

interface Statement { readonly Effect: string; readonly Action: string | string[]; readonly Resource: unknown }

const handlerOf = () => Object.values(resourcesOf(stack, 'AWS::Lambda::Function')).find(({ Properties }) => /^Creates the IAM users/.test(String(Properties.Description)))!;

function statementsOfHandler(): Statement[] {
  const [policy] = Object.entries(resourcesOf(stack, 'AWS::IAM::ManagedPolicy')).filter(([id]) => id.includes('HandlerRole')).map(([, resource]: [string, Resource]) => resource);
  return (policy.Properties.PolicyDocument as { Statement: Statement[] }).Statement;
}

function imported(attributes: Partial<rds.DatabaseClusterAttributes> = {}): rds.IDatabaseCluster {
  return rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
    clusterIdentifier: 'theirs', clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234', clusterEndpointAddress: 'theirs.cluster-c.eu-west-1.rds.amazonaws.com', port: 5432, ...attributes,
  });
}

const secret = () => secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:admin-abcdef');

describe('with SqlTransport.dataApi() the function that creates users', () => {
  test('is in no VPC, and there is no security group for it', () => {
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), transport }).addUser('orders');
    const { Properties } = handlerOf();
    expect(Properties).not.toHaveProperty('VpcConfig');
    expect((Properties.Environment as { Variables: object }).Variables).toEqual({
      ADMIN_SECRET_ARN: expect.anything() as unknown,
      CLUSTER_ARN: attribute(/^Cluster/, 'DBClusterArn'),
      DATABASE_RESOURCE_ID: attribute(/^Cluster/, 'DBClusterResourceId'),
      DATABASE_HOST: attribute(/^Cluster/, 'Endpoint.Address'),
      STACK_ID: { Ref: 'AWS::StackId' },
      URL_SUFFIX: { Ref: 'AWS::URLSuffix' },
    });
    expect(Object.keys(resourcesOf(stack, 'AWS::EC2::SecurityGroup'))).toEqual([expect.stringMatching(/^ClusterSecurityGroup/) as string]);
  });

  test('may do exactly four things with the Data API of this cluster, read its secret and write its log', () => {
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), transport }).addUser('orders');
    const statements = statementsOfHandler();
    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual([
      'logs:CreateLogStream', 'logs:PutLogEvents', 'rds-data:BeginTransaction', 'rds-data:CommitTransaction', 'rds-data:ExecuteStatement', 'rds-data:RollbackTransaction', 'secretsmanager:GetSecretValue',
    ]);
    expect(statements.find(({ Action }) => Action.includes('rds-data:ExecuteStatement'))?.Resource).toEqual(attribute(/^Cluster/, 'DBClusterArn'));
  });

  test('may decrypt with the key of the secret', () => {
    const encryptionKey = new kms.Key(stack, 'Key');
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack, 'Cluster', { credentials: rds.Credentials.fromGeneratedSecret('postgres', { encryptionKey }) }), transport }).addUser('orders');
    expect(statementsOfHandler().find(({ Action }) => Action === 'kms:Decrypt')?.Resource).toEqual(attribute(/^Key/, 'Arn'));
  });

  test('comes after the cluster and its instance', () => {
    const cluster = newCluster(stack);
    const user = new AuroraIamAuth(stack, 'IamAuth', { cluster, transport }).addUser('orders');
    expect(handlerOf().DependsOn).toEqual(expect.arrayContaining([logicalIdOf(cluster), expect.stringMatching(/^Clusterwriter/) as string, expect.stringMatching(/HandlerRolePolicy/) as string]));
    expect([...waitsFor(stack, logicalIdOf(user))]).toContainEqual(expect.stringMatching(/^Clusterwriter/));
  });

  test('answers CloudFormation itself, so that a first user adds 5 resources', () => {
    const without = new Stack(newApp(), 'Without', { env: IRELAND });
    newCluster(without);
    const user = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), transport }).addUser('orders');
    const before = Object.keys(resourcesOf(without));
    expect(Object.entries(resourcesOf(stack)).filter(([id]) => !before.includes(id)).map(([id, { Type }]) => `${Type} ${id.replace(/[0-9A-F]{8}$/, '')}`).sort()).toEqual([
      'AWS::IAM::ManagedPolicy IamAuthProvisionerDataApiHandlerRolePolicy',
      'AWS::IAM::Role IamAuthProvisionerDataApiHandlerRole',
      'AWS::Lambda::Function IamAuthProvisionerDataApiHandler',
      'AWS::Logs::LogGroup IamAuthProvisionerLogs',
      'Custom::RdsIamUser IamAuthordersDataApiResource',
    ]);
    expect(handlerOf().Properties.Handler).toBe('index.customResource');
    expect(resourcesOf(stack)[logicalIdOf(user)].Properties.ServiceToken).toEqual(attribute(/^IamAuthProvisionerDataApiHandler/, 'Arn'));
  });

  test('has none of the ids that it has over a connection, and so have its users: CloudFormation refuses a resource whose ServiceToken changes', () => {
    const idsOf = (transport?: SqlTransport) => {
      stack = new Stack(newApp(), 'Stack', { env: IRELAND });
      const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), transport });
      const roles = [iamAuth.addUser('orders'), iamAuth.addUsers('Team', { usernames: ['ada'] }), iamAuth.addRole('readers')];
      roles.forEach(role => expect(resourcesOf(stack)).toHaveProperty(logicalIdOf(role)));
      return Object.entries(resourcesOf(stack)).filter(([, { Type }]) => /^(Custom::Rds|AWS::Lambda::Function$)/.test(Type)).map(([id]) => id);
    };
    const [ids, others] = [idsOf(transport), idsOf()];
    expect([ids.length, others.length]).toEqual([4, 5]);
    expect(ids.filter(id => others.includes(id))).toEqual([]);
  });

  test('is told what the provisioner is told', () => {
    const provisioner = { reservedConcurrentExecutions: 2, tracing: lambda.Tracing.ACTIVE, deadLetterQueue: new sqs.Queue(stack, 'Lost') };
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), transport, provisioner }).addUser('orders');
    expect(handlerOf().Properties).toMatchObject({ ReservedConcurrentExecutions: 2, TracingConfig: { Mode: 'Active' }, DeadLetterConfig: { TargetArn: attribute(/^Lost/, 'Arn') } });
  });

  test('is another one than that over a connection, of which there may be one as well; and only one of each', () => {
    const cluster = newCluster(stack);
    new AuroraIamAuth(stack, 'One', { cluster });
    new AuroraIamAuth(stack, 'Other', { cluster, transport });
    expect(() => new AuroraIamAuth(stack, 'Third', { cluster, transport: SqlTransport.dataApi() })).toThrow(
      '[Stack/Third] cluster Stack/Cluster has an AuroraIamAuth in this stack already, with the same admin and network; use Stack/Other');
  });

  test.each(['theirs', 'Theirs'])('creates users of an imported cluster %s, whose VPC and security groups are not asked for', (clusterIdentifier) => {
    new AuroraIamAuth(stack, 'IamAuth', { cluster: imported({ clusterIdentifier }), admin: AdminCredentials.fromSecret(secret()), transport }).addUser('orders');
    expect((handlerOf().Properties.Environment as { Variables: { CLUSTER_ARN: unknown } }).Variables.CLUSTER_ARN).toEqual(
      { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':rds:eu-west-1:111111111111:cluster:theirs']] });
  });
});

describe('the Data API of a cluster', () => {
  test.each([undefined, true])('is enabled where enableDataApi is %s', (enableDataApi) => {
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack, 'Cluster', { enableDataApi }), transport });
    expect(onlyResourceOf(stack, 'AWS::RDS::DBCluster').Properties.EnableHttpEndpoint).toBe(true);
  });

  test('that is disabled is refused, also by an override', () => {
    expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack, 'Off', { enableDataApi: false }), transport })).toThrow(
      '[Stack/IamAuth] enableDataApi of the cluster is false, and transport is SqlTransport.dataApi(); set it to true or leave it out, or leave transport out');
    stack = new Stack(newApp(), 'Stack', { env: IRELAND });
    const cluster = newCluster(stack);
    new AuroraIamAuth(stack, 'IamAuth', { cluster, transport });
    (cluster.node.defaultChild as rds.CfnDBCluster).addPropertyOverride('EnableHttpEndpoint', false);
    expect(() => templateOf(stack)).toThrow(`${IS}EnableHttpEndpoint is false; let nothing change it afterwards, or leave transport out`);
  });

  test('stays as it is without the transport', () => {
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
    expect(onlyResourceOf(stack, 'AWS::RDS::DBCluster').Properties).not.toHaveProperty('EnableHttpEndpoint');
  });
});

describe('SqlTransport.dataApi() is refused', () => {
  test('for an instance', () => {
    expect(() => new InstanceIamAuth(stack, 'IamAuth', { instance: newInstance(stack), transport })).toThrow(
      `[Stack/IamAuth] ${IS}instance Stack/Instance has no Data API, which is for clusters of Aurora; leave transport out`);
  });

  test('for a Multi-AZ DB cluster', () => {
    const cluster = newCluster(stack);
    new AuroraIamAuth(stack, 'IamAuth', { cluster, transport });
    (cluster.node.defaultChild as rds.CfnDBCluster).addPropertyOverride('Engine', 'postgres');
    expect(() => templateOf(stack)).toThrow(`${IS}cluster Stack/Cluster is a Multi-AZ DB cluster, which has no Data API; leave transport out`);
  });

  test('for an admin without a password', () => {
    expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), admin: AdminCredentials.fromIam('provisioner'), transport })).toThrow(
      `[Stack/IamAuth] ${IS}the Data API signs in with a password, which the admin "provisioner" has not; pass admin: AdminCredentials.fromSecret(secret), or leave transport out`);
  });

  test.each(['vpc', 'vpcSubnets', 'securityGroups', 'frameworkInVpc'])('together with %s', (name) => {
    const options = { vpc: { vpc: vpcOf(stack) }, vpcSubnets: { vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED } }, securityGroups: { securityGroups: [] }, frameworkInVpc: { provisioner: { frameworkInVpc: true } } }[name];
    expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), transport, ...options })).toThrow(
      `[Stack/IamAuth] ${IS}${name} cannot be combined with it, because the function runs outside a VPC; leave one of the two out`);
  });

  test('where the writer is of a T class, and not where only a reader is', () => {
    const of = (instanceClass: ec2.InstanceClass) => ({ instanceType: ec2.InstanceType.of(instanceClass, ec2.InstanceSize.MEDIUM) });
    const withClasses = (writer: ec2.InstanceClass, reader: ec2.InstanceClass) => {
      stack = new Stack(newApp(), 'Stack', { env: IRELAND });
      const cluster = newCluster(stack, 'Cluster', { writer: rds.ClusterInstance.provisioned('writer', of(writer)), readers: [rds.ClusterInstance.provisioned('reader', of(reader))] });
      new AuroraIamAuth(stack, 'IamAuth', { cluster, transport });
      return () => templateOf(stack);
    };
    expect(withClasses(ec2.InstanceClass.T4G, ec2.InstanceClass.R7G)).toThrow(`${IS}the class of the writer is db.t4g.medium, and there is no Data API on T classes; choose another class, or leave transport out`);
    expect(withClasses(ec2.InstanceClass.R7G, ec2.InstanceClass.T4G)).not.toThrow();
  });

  test('where the engine is too old', () => {
    const engine = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.of('15.2', '15') });
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack, 'Cluster', { engine }), transport });
    expect(() => templateOf(stack)).toThrow(`${IS}the engine version is 15.2, and there is a Data API from 15.3 on (April 2026); choose a later version, or leave transport out`);
  });

  test('for an imported cluster without an identifier', () => {
    expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster: imported({ clusterIdentifier: '' }), admin: AdminCredentials.fromSecret(secret()), transport })).toThrow(
      '[Stack/IamAuth] clusterIdentifier of Stack/Imported is missing, and the Data API is called with the ARN of the cluster; give it where the cluster is imported');
  });

  test('for an imported cluster whose identifier would let the function in to others', () => {
    expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster: imported({ clusterIdentifier: '*' }), admin: AdminCredentials.fromSecret(secret()), transport })).toThrow(
      '[Stack/Imported] identifier "*" is not the one of a cluster, which has letters, digits and single hyphens and begins with a letter, '
      + 'and the permission to change or use it is to be about no other; give the identifier where the cluster is imported');
  });

  test('for an imported Multi-AZ DB cluster', () => {
    const cluster = imported({ engine: { engineType: 'postgres' } as rds.IClusterEngine });
    expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster, admin: AdminCredentials.fromSecret(secret()), transport })).toThrow(
      `[Stack/IamAuth] ${IS}cluster Stack/Imported is a Multi-AZ DB cluster, which has no Data API; leave transport out`);
  });
});

test('a Region that had none is warned of, because AWS adds some', () => {
  const warningsIn = (region: string) => {
    const there = new Stack(newApp(), 'Stack', { env: { ...IRELAND, region } });
    new AuroraIamAuth(there, 'IamAuth', { cluster: newCluster(there), transport }).addUser('orders');
    return Annotations.fromStack(there).findWarning('*', Match.stringLikeRegexp('Data API')).map(({ entry }) => entry.data);
  };
  expect(warningsIn('eu-central-2')).toEqual([
    `${IS}there was no Data API in Region eu-central-2 (April 2026); if there is none yet, leave transport out [ack: cdk-aurora-iam-auth:dataApiRegion]`,
  ]);
  expect(warningsIn('eu-central-1')).toEqual([]);
});

describe('where the Data API is', () => {
  test.each(['12.20', '13.10', '14.7', '15.2', '16.0', '17.3', '18.2'])('not in %s', version => expect(engineVersionProblem(version)).toBeDefined());
  test.each(['13.11', '14.8', '15.3', '16.1', '17.4', '17.10', '18.3', '19.1', '17', undefined, { Ref: 'Version' }])('in %s, or not known', version => expect(engineVersionProblem(version)).toBeUndefined());
  test.each(['cn-north-1', 'us-gov-west-1', 'ap-south-2', 'il-central-1'])('not in %s', region => expect(regionProblem(region)).toBe(`there was no Data API in Region ${region} (April 2026)`));
  test.each(['eu-central-1', 'ap-south-1', '${Token[AWS.Region.1]}'])('in %s, or not known', region => expect(regionProblem(region)).toBeUndefined());
});
