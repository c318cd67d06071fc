/**
 * What AuroraIamAuth makes of one cluster with a secret, written with aws-cdk-lib alone: the same template, but for
 * `Metadata`. It checks nothing, writes no access report, and knows this one case.
 */
import { join } from 'node:path';
import { Aws, CfnResource, Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as rds from 'aws-cdk-lib/aws-rds';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';

/** As many custom resources are deployed at a time. */
const LANES = 4;

const NETWORK_INTERFACES = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

const PRIVILEGES = {
  shop: {
    Database: ['CONNECT'],
    Schemas: { public: { Schema: ['USAGE'], Sequences: { '*': ['SELECT'] }, Tables: { '*': ['SELECT'] } } },
  },
};

export function byHand(
  stack: Stack,
  cluster: rds.DatabaseCluster,
  vpc: ec2.Vpc,
): (username: string, role: iam.Role) => void {
  const iamAuth = new Construct(stack, 'IamAuth');
  const { serviceToken: ServiceToken } = provisioner(new Construct(iamAuth, 'Provisioner'), cluster, vpc);
  const users: CfnResource[] = [];
  return (username, role) => {
    const user = new CfnResource(iamAuth, username, {
      type: 'Custom::RdsIamUser',
      properties: {
        ServiceToken,
        ServiceTimeout: '960',
        Database: { ResourceId: cluster.clusterResourceIdentifier },
        Username: username,
        Privileges: PRIVILEGES,
      },
    });
    if (users.length >= LANES) {
      user.addDependency(users[users.length - LANES]);
    }
    users.push(user);
    cluster.grantConnect(role, username);
  };
}

function provisioner(scope: Construct, cluster: rds.DatabaseCluster, vpc: ec2.Vpc): Provider {
  const resource = cluster.node.defaultChild as rds.CfnDBCluster;
  const logGroup = new logs.LogGroup(scope, 'Logs', {
    retention: logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const handlerRole = functionRole(scope, 'HandlerRole', logGroup, [
    new iam.PolicyStatement({ actions: NETWORK_INTERFACES, resources: ['*'] }),
    new iam.PolicyStatement({
      effect: iam.Effect.DENY,
      actions: NETWORK_INTERFACES,
      resources: ['*'],
      conditions: {
        ArnLike: {
          'lambda:SourceFunctionArn': `arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${Aws.ACCOUNT_ID}:function:*`,
        },
      },
    }),
    new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [cluster.secret!.secretArn] }),
  ]);
  // Both rules in properties of the group: the L2 has those to other groups as resources.
  const securityGroup = new ec2.SecurityGroup(scope, 'SecurityGroup', {
    vpc,
    description: 'Creates IAM users in PostgreSQL',
    allowAllOutbound: false,
  });
  const [clusterGroup] = cluster.connections.securityGroups;
  (securityGroup.node.defaultChild as ec2.CfnSecurityGroup).securityGroupEgress = [
    {
      cidrIp: '0.0.0.0/0',
      description: 'Reads the secret of the admin from Secrets Manager',
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
    },
    {
      description: 'Creates IAM users in PostgreSQL',
      destinationSecurityGroupId: clusterGroup.securityGroupId,
      ipProtocol: 'tcp',
      fromPort: 5432,
      toPort: 5432,
    },
  ];
  clusterGroup.addIngressRule(securityGroup, ec2.Port.tcp(5432), 'Creates IAM users in PostgreSQL');
  const handler = new lambda.Function(scope, 'Handler', {
    description: `Creates the IAM users of the database ${cluster.node.path}`,
    runtime: lambda.Runtime.NODEJS_24_X,
    code: lambda.Code.fromAsset(join(__dirname, '../../assets/provisioner')),
    handler: 'index.handler',
    memorySize: 512,
    timeout: Duration.seconds(840),
    environment: {
      STACK_ID: Aws.STACK_ID,
      DATABASE_RESOURCE_ID: cluster.clusterResourceIdentifier,
      DATABASE_HOST: resource.attrEndpointAddress,
      ADMIN_SECRET_ARN: cluster.secret!.secretArn,
      DATABASE_PORT: '5432',
      DATABASE_CA_FILE: '/var/runtime/ca-cert.pem',
    },
    role: handlerRole.withoutPolicyUpdates(),
    logGroup,
    vpc,
    securityGroups: [securityGroup],
  });
  const frameworkRole = functionRole(scope, 'FrameworkRole', logGroup, [
    new iam.PolicyStatement({
      actions: ['lambda:InvokeFunction', 'lambda:GetFunction'],
      resources: [handler.functionArn],
    }),
  ]);
  const provider = new Provider(scope, 'Provider', {
    onEventHandler: handler,
    frameworkOnEventRole: frameworkRole.withoutPolicyUpdates(),
    logGroup,
    frameworkLambdaLoggingLevel: lambda.ApplicationLogLevel.ERROR,
  });
  const framework = provider.node.findChild('framework-onEvent').node.defaultChild as lambda.CfnFunction;
  framework.runtime = lambda.Runtime.NODEJS_24_X.name;
  framework.memorySize = 128;
  const rule = clusterGroup.node.children.find(child => ec2.CfnSecurityGroupIngress.isCfnSecurityGroupIngress(child))!;
  provider.node.addDependency(resource, cluster.node.findChild('writer'), rule);
  return provider;
}

function functionRole(
  scope: Construct,
  id: string,
  logGroup: logs.LogGroup,
  statements: iam.PolicyStatement[],
): iam.Role {
  const role = new iam.Role(scope, id, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  new iam.ManagedPolicy(role, 'Policy', {
    roles: [role],
    statements: [
      new iam.PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
      ...statements,
    ],
  });
  return role;
}
