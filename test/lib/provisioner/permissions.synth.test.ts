import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { AdminCredentials, AuroraIamAuth, AuroraIamAuthProps, DatabaseUser } from '../../../lib';
import { newApp, newCluster, resourcesOf, vpcOf } from '../support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

interface Statement {
  readonly Effect: string;
  readonly Principal?: Record<string, unknown>;
  readonly Action: string | string[];
  readonly Resource?: unknown;
  readonly Condition?: unknown;
}

interface Rule {
  readonly CidrIp?: string;
  readonly SourceSecurityGroupId?: unknown;
  readonly DestinationSecurityGroupId?: unknown;
  readonly IpProtocol: string;
  readonly FromPort?: unknown;
  readonly ToPort?: unknown;
}

/** Without the hash of its path. */
const nameOf = (logicalId: string) => logicalId.replace(/[0-9A-F]{8}$/, '');

/** What a value of a template means, in one line. */
function text(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(text).join(' ');
  }
  if (typeof value !== 'object' || value === null) {
    return String(value);
  }
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::ImportValue': imported } = value as { 'Ref'?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]]; 'Fn::ImportValue'?: string };
  return Ref !== undefined
    ? `<${nameOf(Ref)}>`
    : attribute
      ? `<${nameOf(attribute[0])}.${attribute[1]}>`
      : join
        ? join[1].map(text).join(join[0])
        : imported !== undefined
          ? `<${imported.replace(/[0-9A-F]{8}/g, '')}>`
          : Object.entries(value).map(([key, entry]) => `${key} ${text(entry)}`).join(', ');
}

const statements = (document: unknown, who: (statement: Statement) => string) => [(document as { Statement: Statement[] }).Statement].flat().map(statement =>
  `${who(statement)} ${statement.Effect === 'Allow' ? 'may' : 'MAY NOT'} ${text(statement.Action)}`
  + (statement.Resource === undefined ? '' : ` on ${text(statement.Resource)}`) + (statement.Condition === undefined ? '' : ` if ${text(statement.Condition)}`));

const rule = (group: unknown, direction: string, { CidrIp, SourceSecurityGroupId, DestinationSecurityGroupId, IpProtocol, FromPort, ToPort }: Rule) =>
  `${text(group)} ${direction} ${text(CidrIp ?? SourceSecurityGroupId ?? DestinationSecurityGroupId)} ${text([IpProtocol, ...new Set([FromPort, ToPort].filter(port => port !== undefined))])}`;

/** All that a template says about who may do what, and what reaches what. */
function permissionsIn(scope: Stack): string[] {
  return Object.entries(resourcesOf(scope)).flatMap(([logicalId, { Type, Properties: properties }]) => {
    const name = nameOf(logicalId);
    switch (Type) {
      case 'AWS::IAM::Role': {
        const { AssumeRolePolicyDocument: trust, ManagedPolicyArns: managed, ...others } = properties;
        return [...statements(trust, ({ Principal }) => `${text(Principal)} as ${name}`), ...managed ? [`${name} has ${text(managed)}`] : [], ...others.Policies ? [`${name} has inline policies`] : []];
      }
      case 'AWS::IAM::Policy':
      case 'AWS::IAM::ManagedPolicy':
        return statements(properties.PolicyDocument, () => `${text(properties.Roles)}`);
      case 'AWS::KMS::Key':
        return statements(properties.KeyPolicy, ({ Principal }) => `${name}: ${text(Principal)}`);
      case 'AWS::EC2::SecurityGroup':
        return [
          ...(properties.SecurityGroupEgress as Rule[] | undefined ?? []).map(egress => rule({ Ref: logicalId }, 'to', egress)),
          ...(properties.SecurityGroupIngress as Rule[] | undefined ?? []).map(ingress => rule({ Ref: logicalId }, 'from', ingress)),
        ];
      case 'AWS::EC2::SecurityGroupIngress':
        return [rule(properties.GroupId, 'from', properties as unknown as Rule)];
      case 'AWS::EC2::SecurityGroupEgress':
        return [rule(properties.GroupId, 'to', properties as unknown as Rule)];
      default:
        return /Policy|Permission/.test(Type) ? [`${Type} ${name}`] : [];
    }
  });
}

/** What comes into a template with users, and goes out of it. */
function change(build: (users: boolean) => Stack): { added: string[]; removed: string[] } {
  const [without, withUsers] = [false, true].map((users) => {
    app = newApp();
    stack = new Stack(app, 'Data');
    return permissionsIn(build(users));
  });
  return { added: withUsers.filter(line => !without.includes(line)), removed: without.filter(line => !withUsers.includes(line)) };
}

/** A user of a cluster, or only the cluster. */
const forCluster = (prepare: () => { cluster: rds.IDatabaseCluster } & Partial<AuroraIamAuthProps>) => (users: boolean) => {
  const props = prepare();
  if (users) {
    new AuroraIamAuth(stack, 'IamAuth', props).addUser('app');
  }
  return stack;
};

const NETWORK_INTERFACES = 'ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses';
const FROM_CODE = 'ArnLike lambda:SourceFunctionArn arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:*';

const handlerOf = (id: string, logs = `${id}Logs`) => [
  `Service lambda.amazonaws.com as ${id}HandlerRole may sts:AssumeRole`,
  `<${id}HandlerRole> may logs:CreateLogStream logs:PutLogEvents on <${logs}.Arn>`,
  `<${id}HandlerRole> may ${NETWORK_INTERFACES} on *`,
  `<${id}HandlerRole> MAY NOT ${NETWORK_INTERFACES} on * if ${FROM_CODE}`,
];
const frameworkOf = (id: string, logs = `${id}Logs`) => [
  `Service lambda.amazonaws.com as ${id}FrameworkRole may sts:AssumeRole`,
  `<${id}FrameworkRole> may logs:CreateLogStream logs:PutLogEvents on <${logs}.Arn>`,
  `<${id}FrameworkRole> may lambda:InvokeFunction lambda:GetFunction on <${id}Handler.Arn>`,
];
const OURS = 'IamAuthProvisioner';
const HANDLER = handlerOf(OURS);
const FRAMEWORK = frameworkOf(OURS);
const DATABASE = [
  `<${OURS}SecurityGroup> to <ClusterSecurityGroup.GroupId> tcp 5432`,
  `<ClusterSecurityGroup.GroupId> from <${OURS}SecurityGroup.GroupId> tcp 5432`,
];
const TO_SECRETS_MANAGER = `<${OURS}SecurityGroup> to 0.0.0.0/0 tcp 443`;
/** Of keys CDK writes the policy. */
const THROUGH_SECRETS_MANAGER = 'StringEquals kms:ViaService secretsmanager.<AWS::Region>.amazonaws.com';
const THROUGH_EITHER = `${THROUGH_SECRETS_MANAGER} secretsmanager.<AWS::Region>.amazonaws.com.cn`;
const READS = (secret: string) => `<${OURS}HandlerRole> may secretsmanager:GetSecretValue on ${secret}`;

/** For a literal that reads in the order of the roles; the order of resources means nothing. */
const expectAdded = (build: (users: boolean) => Stack, permissions: string[]) => {
  const { added, removed } = change(build);
  expect(added.sort()).toEqual([...permissions].sort());
  expect(removed).toEqual([]);
};

describe('all that comes into the template with users', () => {
  test('of a cluster with a secret', () => {
    expectAdded(forCluster(() => ({ cluster: newCluster(stack) })), [
      ...HANDLER, READS('<ClusterSecretAttachment>'), TO_SECRETS_MANAGER, ...DATABASE, ...FRAMEWORK,
    ]);
  });

  test('of a cluster whose secret has a key', () => {
    const withKey = () => newCluster(stack, 'Cluster', { credentials: rds.Credentials.fromGeneratedSecret('chief', { encryptionKey: new kms.Key(stack, 'Key') }) });
    expectAdded(forCluster(() => ({ cluster: withKey() })), [
      ...HANDLER,
      READS('<ClusterSecretAttachment>'),
      `<${OURS}HandlerRole> may kms:Decrypt on <Key.Arn> if ${THROUGH_EITHER}`,
      `Key: AWS <${OURS}HandlerRole.Arn> may kms:Decrypt on * if ${THROUGH_SECRETS_MANAGER}`,
      TO_SECRETS_MANAGER, ...DATABASE, ...FRAMEWORK,
    ]);
  });

  test('of a cluster whose secret has a key from elsewhere', () => {
    const encryptionKey = () => kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111111111111:key/1');
    expectAdded(forCluster(() => ({ cluster: newCluster(stack, 'Cluster', { credentials: rds.Credentials.fromGeneratedSecret('chief', { encryptionKey: encryptionKey() }) }) })), [
      ...HANDLER, READS('<ClusterSecretAttachment>'), `<${OURS}HandlerRole> may kms:Decrypt on arn:aws:kms:eu-west-1:111111111111:key/1 if ${THROUGH_EITHER}`,
      TO_SECRETS_MANAGER, ...DATABASE, ...FRAMEWORK,
    ]);
  });

  test('of a cluster whose secret RDS manages', () => {
    const managed = () => {
      const cluster = newCluster(stack);
      Object.assign(cluster.node.defaultChild!, { manageMasterUserPassword: true, masterUserPassword: undefined });
      return cluster;
    };
    expectAdded(forCluster(() => ({ cluster: managed() })), [
      ...HANDLER, READS('<Cluster.MasterUserSecret.SecretArn>'), TO_SECRETS_MANAGER, ...DATABASE, ...FRAMEWORK,
    ]);
  });

  test('with a secret of their own, whose ARN ends in what only AWS knows', () => {
    expectAdded(forCluster(() => ({ cluster: newCluster(stack), admin: AdminCredentials.fromSecret(secretsmanager.Secret.fromSecretNameV2(stack, 'Admin', 'chief')) })), [
      ...HANDLER, READS('arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:chief-??????'), TO_SECRETS_MANAGER, ...DATABASE, ...FRAMEWORK,
    ]);
  });

  test('and an admin without a password', () => {
    expectAdded(forCluster(() => ({ cluster: newCluster(stack), admin: AdminCredentials.fromIam('chief') })), [
      ...HANDLER,
      `<${OURS}HandlerRole> may rds-db:connect on arn:<AWS::Partition>:rds-db:<AWS::Region>:<AWS::AccountId>:dbuser:<Cluster.DBClusterResourceId>/chief`,
      ...DATABASE, ...FRAMEWORK,
    ]);
  });

  test('of an imported cluster', () => {
    const imported = () => rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
      clusterIdentifier: 'shop',
      clusterResourceIdentifier: 'cluster-ABC',
      clusterEndpointAddress: 'shop.cluster-1',
      port: 6432,
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1')],
    });
    const arn = 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:chief-abcdef';
    expectAdded(forCluster(() => ({ cluster: imported(), vpc: vpcOf(stack), admin: AdminCredentials.fromSecret(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Admin', arn)) })), [
      ...HANDLER, READS(arn), TO_SECRETS_MANAGER, `<${OURS}SecurityGroup> to sg-1 tcp 6432`, `sg-1 from <${OURS}SecurityGroup.GroupId> tcp 6432`, ...FRAMEWORK,
    ]);
  });

  test('of an imported cluster where IAM authentication is enabled', () => {
    const imported = () => rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
      clusterIdentifier: 'shop', port: 5432, securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1')],
    });
    const arn = 'arn:aws:secretsmanager:eu-west-1:111111111111:secret:chief-abcdef';
    const admin = () => AdminCredentials.fromSecret(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Admin', arn));
    const switching = 'IamAuthIamAuthentication';
    expectAdded(forCluster(() => ({ cluster: imported(), vpc: vpcOf(stack), admin: admin(), enableIamAuthentication: true })), [
      ...HANDLER, READS(arn), TO_SECRETS_MANAGER, `<${OURS}SecurityGroup> to sg-1 tcp 5432`, `sg-1 from <${OURS}SecurityGroup.GroupId> tcp 5432`, ...FRAMEWORK,
      `Service lambda.amazonaws.com as ${switching}HandlerRole may sts:AssumeRole`,
      `<${switching}HandlerRole> may logs:CreateLogStream logs:PutLogEvents on <${switching}Logs.Arn>`,
      `<${switching}HandlerRole> may rds:DescribeDBClusters rds:ModifyDBCluster on arn:<AWS::Partition>:rds:<AWS::Region>:<AWS::AccountId>:cluster:shop`,
      ...frameworkOf(switching),
    ]);
  });

  test('in another stack than the cluster, which has nothing more', () => {
    const build = (where: 'Data' | 'Apps') => (users: boolean) => {
      const apps = new Stack(app, 'Apps');
      const cluster = newCluster(stack, 'Cluster', { credentials: rds.Credentials.fromGeneratedSecret('chief', { encryptionKey: new kms.Key(stack, 'Key') }) });
      if (users) {
        new DatabaseUser(apps, 'User', { iamAuth: new AuroraIamAuth(stack, 'IamAuth', { cluster }), username: 'app' });
      }
      return where === 'Data' ? stack : apps;
    };
    const id = 'ProvisionerDataIamAuth';
    const group = '<Data:ExportsOutputFnGetAttClusterSecurityGroupGroupId>';
    expectAdded(build('Apps'), [
      ...handlerOf(id),
      `<${id}HandlerRole> may secretsmanager:GetSecretValue on <Data:ExportsOutputRefClusterSecretAttachment>`,
      `<${id}HandlerRole> may kms:Decrypt on <Data:ExportsOutputFnGetAttKeyArn> if ${THROUGH_EITHER}`,
      `<${id}SecurityGroup> to 0.0.0.0/0 tcp 443`,
      `<${id}SecurityGroup> to ${group} tcp 5432`,
      `${group} from <${id}SecurityGroup.GroupId> tcp 5432`,
      ...frameworkOf(id),
    ]);
    // No role of the other stack: whoever is in this account, and has the permission, through Secrets Manager.
    expectAdded(build('Data'), [`Key: AWS arn:<AWS::Partition>:iam::<AWS::AccountId>:root may kms:Decrypt on * if ${THROUGH_SECRETS_MANAGER}`]);
  });

  test('with security groups of their own', () => {
    const group = () => new ec2.SecurityGroup(stack, 'Mine', { vpc: vpcOf(stack), allowAllOutbound: false });
    const withGroup = () => ({ cluster: newCluster(stack), securityGroups: [group()] });
    const { added, removed } = change(forCluster(withGroup));
    expect(added.filter(line => line.includes(' tcp ')).sort()).toEqual(['<ClusterSecurityGroup.GroupId> from <Mine.GroupId> tcp 5432', '<Mine.GroupId> to <ClusterSecurityGroup.GroupId> tcp 5432']);
    expect(removed).toEqual(['<Mine> to 255.255.255.255/32 icmp 252 86']); // which says to CDK that there are no rules
  });

  test('with all that may be asked of the provisioner', () => {
    const everything = () => ({
      cluster: newCluster(stack),
      provisioner: {
        logGroup: new logs.LogGroup(stack, 'Logs'),
        tracing: lambda.Tracing.ACTIVE,
        deadLetterQueue: new sqs.Queue(stack, 'Lost', { encryptionMasterKey: new kms.Key(stack, 'Key') }),
        frameworkInVpc: true,
        reservedConcurrentExecutions: 10,
      },
    });
    const both = (permission: string) => ['Handler', 'Framework'].map(name => `<${OURS}${name}Role> ${permission}`);
    expectAdded(forCluster(everything), [
      ...handlerOf(OURS, 'Logs'), READS('<ClusterSecretAttachment>'), TO_SECRETS_MANAGER, ...DATABASE,
      ...frameworkOf(OURS, 'Logs'),
      `<${OURS}FrameworkRole> may ${NETWORK_INTERFACES} on *`,
      `<${OURS}FrameworkRole> MAY NOT ${NETWORK_INTERFACES} on * if ${FROM_CODE}`,
      `<${OURS}FrameworkSecurityGroup> to 0.0.0.0/0 tcp 443`,
      ...both('may xray:PutTraceSegments xray:PutTelemetryRecords on *'),
      ...both('may sqs:SendMessage on <Lost.Arn>'),
      ...both('may kms:Decrypt kms:GenerateDataKey on <Key.Arn> if StringEquals kms:ViaService sqs.<AWS::Region>.amazonaws.com sqs.<AWS::Region>.amazonaws.com.cn'),
    ]);
  });

  test('is bounded by a permissions boundary, where there is one', () => {
    const boundary = new iam.ManagedPolicy(stack, 'Boundary', { statements: [new iam.PolicyStatement({ actions: ['rds:*'], resources: ['*'] })] });
    iam.PermissionsBoundary.of(app).apply(boundary);
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) }).addUser('app');
    const roles = Object.entries(resourcesOf(stack, 'AWS::IAM::Role')).filter(([id]) => id.startsWith(OURS));
    expect(roles.map(([id, { Properties }]) => [nameOf(id), text(Properties.PermissionsBoundary)])).toEqual([[`${OURS}HandlerRole`, '<Boundary>'], [`${OURS}FrameworkRole`, '<Boundary>']]);
  });
});
