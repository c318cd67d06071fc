import { App, Stack } from 'aws-cdk-lib';
import * as cr from 'aws-cdk-lib/custom-resources';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth } from '../../../lib';
import { SynthesizedApp } from '../../../lib/checks/app/synthesized-app';
import { TemplateBody } from '../../../lib/checks/app/template';
import { RULES } from '../../../lib/checks/rules';
import { IRELAND, logicalIdOf, newCluster, newInstance, templateOf } from '../support';
import { findingsIn, newStack, quietApp } from './support';

/** What an app with a cluster, an instance and users has, without the role whose policies are tried. */
let body: TemplateBody;
let ids: Record<'cluster' | 'secret' | 'instance' | 'handler' | 'framework', string>;

beforeAll(() => {
  const stack = newStack();
  const [cluster, instance] = [
    newCluster(stack, 'Cluster'),
    newInstance(stack, 'Instance', { iamAuthentication: true }),
  ];
  const auth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
  auth.addUser('orders');
  const template = templateOf(stack);
  body = template.toJSON();
  const functions = Object.entries(template.findResources('AWS::Lambda::Function'));
  const isFramework = ([, { Properties }]: [string, { Properties?: { Environment?: { Variables?: object } } }]) =>
    'USER_ON_EVENT_FUNCTION_ARN' in (Properties?.Environment?.Variables ?? {});
  ids = {
    cluster: logicalIdOf(cluster),
    secret: Object.keys(template.findResources('AWS::SecretsManager::Secret')).find(id => id.startsWith('Cluster'))!,
    instance: logicalIdOf(instance),
    framework: functions.find(isFramework)![0],
    handler: functions.find(each => !isFramework(each))![0],
  };
});

/** What the rules say of resources that are added to the app: `ConnectWildcard[*]`, or `ConnectWildcard[unknown *]`. */
function found(
  added: Record<string, { Type: string; Properties: Record<string, unknown> }>,
  outputs: TemplateBody['Outputs'] = {},
): string[] {
  const stack = { name: 'Data', environment: 'aws://111111111111/eu-west-1', folder: '/cdk.out' };
  const app = new SynthesizedApp([
    {
      file: '/cdk.out/Data.template.json',
      stack,
      body: { Resources: { ...body.Resources, ...added }, Outputs: outputs },
    },
  ]);
  const isAdded = ({ logicalId, template }: SynthesizedApp['resources'][number]) =>
    logicalId in added || logicalId in outputs || template.isOfStackSet;
  return [
    ...new Set(
      [...app.resources, ...app.declarations].filter(isAdded).flatMap(resource =>
        RULES.flatMap((rule) => {
          const answer = rule.check(resource);
          return typeof answer === 'string'
            ? []
            : answer.map(
                ({ what = '', unknown }) =>
                  `${rule.id.replace('IamAuth-', '')}[${unknown ? 'unknown ' : ''}${named(what)}]`,
              );
        }),
      ),
    ),
  ];
}

/** What is found, with names in place of logical ids. */
function named(what: string): string {
  return Object.entries(ids).reduce((text, [name, id]) => text.replaceAll(`<${id}`, `<${name}`), what);
}

const policy = (statement: object, Version = '2012-10-17') => ({
  It: {
    Type: 'AWS::IAM::Policy',
    Properties: {
      PolicyName: 'p',
      Roles: ['app'],
      PolicyDocument: { Version, Statement: [{ Effect: 'Allow', ...statement }] },
    },
  },
});
const allow = (Action: unknown, Resource: unknown) => found(policy({ Action, Resource }));
const arnOf = (id: keyof typeof ids, attribute = 'Arn') => ({ 'Fn::GetAtt': [ids[id], attribute] });
const ARN = 'arn:aws:rds-db:eu-west-1:111111111111:';
const ALL_OF_IT = ['ConnectWildcard[*]', 'MasterSecretReadable[<secret>]', 'ProvisionerWildcard[*]'];

describe('rds-db:connect', () => {
  test.each<[unknown, unknown, string[]]>([
    ['rds-db:connect', '*', ['ConnectWildcard[*]']],
    ['RDS-DB:Connect', '*', ['ConnectWildcard[*]']],
    ['rds-db:*', `${ARN}dbuser:*/*`, ['ConnectWildcard[dbuser:*/*]']],
    ['rds*:conn?ct', '*', ['ConnectWildcard[*]']],
    ['r*:con?ect', '*', ['ConnectWildcard[*]']],
    ['*:*', '*', ALL_OF_IT],
    ['*', '*', ALL_OF_IT],
    [['s3:*', 'rds-db:c*'], ['arn:aws:s3:::x', `${ARN}dbuser:*`], [`ConnectWildcard[${ARN}dbuser:*]`]],
    ['rds-db:connect', `${ARN}*`, [`ConnectWildcard[${ARN}*]`]],
    ['rds-db:connect', `${ARN}dbuser:cluster-ABC*`, [`ConnectWildcard[${ARN}dbuser:cluster-ABC*]`]],
    ['rds-db:connect', `${ARN}*/orders`, [`ConnectWildcard[${ARN}*/orders]`]],
    ['rds-db:connect', `${ARN}dbuser*/orders`, [`ConnectWildcard[${ARN}dbuser*/orders]`]],
    ['rds-db:connect', `${ARN}dbuser:*orders`, [`ConnectWildcard[${ARN}dbuser:*orders]`]],
    ['rds-db:connect', `${ARN}dbuser:*/orders`, ['ConnectWildcard[dbuser:*/orders]']],
    ['rds-db:connect', `${ARN}dbuser:cluster-ABC?orders`, [`ConnectWildcard[${ARN}dbuser:cluster-ABC?orders]`]],
    ['rds-db:connect', `${ARN}dbuse?:cluster-ABC/*`, ['ConnectWildcard[dbuser:cluster-ABC/*]']],
    ['rds-db:connect', 'arn:*:rds-db:*:*:dbuser:*/*', ['ConnectWildcard[dbuser:*/*]']],
    ['rds-db:connect', 'arn:aws:rds-db:*', ['ConnectWildcard[arn:aws:rds-db:*]']],
    ['rds-db:connect', 'arn:aws:rds-db:*:*:*orders', ['ConnectWildcard[arn:aws:rds-db:*:*:*orders]']],
    ['rds-db:connect', 'arn:*', ['ConnectWildcard[arn:*]']],
    ['rds-db:connect', '*orders', ['ConnectWildcard[*orders]']],
    ['rds-db:connect', '*:cluster-ABC/*', ['ConnectWildcard[*:cluster-ABC/*]']],
    ['rds-db:connect', `${ARN}dbuser:cluster-ABC/app*`, ['UnescapedUsername[dbuser:cluster-ABC/app*]']],
    ['rds-db:connect', `${ARN}dbuser:cluster-ABC/app\${*}`, []],
    ['rds-db:connect', `${ARN}dbuser:cluster-ABC/orders`, []],
    [
      'rds-db:connect',
      { 'Fn::Join': ['', [`${ARN}dbuser:`, { 'Fn::Join': ['/', ['*', '*']] }]] },
      ['ConnectWildcard[dbuser:*/*]'],
    ],
    ['rds-db:connect', { 'Fn::Sub': `${ARN}dbuser:\${X}/\${!*}` }, ['ConnectWildcard[unknown dbuser:<X>/${*}]']],
    ['rds-db:connect', { 'Fn::Split': [',', `${ARN}dbuser:cluster-ABC/orders,*`] }, ['ConnectWildcard[*]']],
    ['rds-db:connect', { 'Fn::Split': [',', { Ref: 'Open' }] }, ['ConnectWildcard[unknown <Open>]']],
    [{ 'Fn::Sub': 'rds-db:connect' }, '*', ['ConnectWildcard[*]']],
    [{ 'Fn::If': ['C', ['rds-db:*'], ['s3:*']] }, '*', ['ConnectWildcard[*]']],
  ])('%j on %j', (action, resource, expected) => {
    expect(allow(action, resource)).toEqual(expected);
  });

  test('in the old version of the policy language, which has no escapes', () => {
    expect(
      found(policy({ Action: 'rds-db:connect', Resource: `${ARN}dbuser:cluster-ABC/app\${*}` }, '2008-10-17')),
    ).toEqual(['UnescapedUsername[dbuser:cluster-ABC/app${*}]']);
  });

  test.each<[string, object, string[]]>([
    ['everything but IAM', { NotAction: 'iam:*', Resource: '*' }, ALL_OF_IT],
    [
      'all but one user',
      { Action: 'rds-db:connect', NotResource: `${ARN}dbuser:x/y` },
      [`ConnectWildcard[everything but ${ARN}dbuser:x/y]`],
    ],
    ['all but all users', { Action: 'rds-db:connect', NotResource: 'arn:aws:rds-db:*' }, []],
    [
      'all but all users by another pattern',
      { Action: 'rds-db:connect', NotResource: ['arn:aws:s3:::*', 'arn:*:rds-db:*:*:dbuser:*/*'] },
      [],
    ],
    [
      'all but what only the deployment knows',
      { Action: 'rds-db:connect', NotResource: { Ref: 'Open' } },
      ['ConnectWildcard[unknown everything but <Open>]'],
    ],
    [
      'an effect that only the deployment knows',
      { Effect: { Ref: 'Open' }, Action: 'rds-db:connect', Resource: '*' },
      ['ConnectWildcard[unknown *]'],
    ],
  ])('%s', (_, statement, expected) => {
    expect(found(policy(statement))).toEqual(expected);
  });

  const wide = { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' };
  test.each<[string, string, Record<string, unknown>, string[]]>([
    [
      'a statement of Fn::If',
      'AWS::IAM::Policy',
      { Roles: ['r'], PolicyDocument: { Statement: { 'Fn::If': ['C', wide, { Ref: 'AWS::NoValue' }] } } },
      ['ConnectWildcard[*]'],
    ],
    [
      'a document of Fn::If',
      'AWS::IAM::Policy',
      { Roles: ['r'], PolicyDocument: { 'Fn::If': ['C', { Statement: [wide] }, { Statement: [] }] } },
      ['ConnectWildcard[*]'],
    ],
    [
      'a statement that only the deployment knows',
      'AWS::IAM::Policy',
      { Roles: ['r'], PolicyDocument: { Statement: [{ 'Fn::Transform': {} }] } },
      [
        'ConnectWildcard[unknown <Fn::Transform>]',
        'MasterSecretReadable[unknown <secret>]',
        'ProvisionerWildcard[unknown <Fn::Transform>]',
      ],
    ],
    [
      'the policy of a group',
      'AWS::IAM::GroupPolicy',
      { GroupName: 'g', PolicyDocument: { Statement: [wide] } },
      ['ConnectWildcard[*]'],
    ],
    [
      'a permission set in JSON',
      'AWS::SSO::PermissionSet',
      { InlinePolicy: JSON.stringify({ Statement: [wide] }) },
      ['ConnectWildcard[*]'],
    ],
    [
      'a permission set in JSON that the deployment writes',
      'AWS::SSO::PermissionSet',
      { InlinePolicy: { 'Fn::ToJsonString': { Statement: [wide] } } },
      ['ConnectWildcard[*]'],
    ],
  ])('in %s', (_, Type, Properties, expected) => {
    expect(found({ It: { Type, Properties } })).toEqual(expected);
  });
});

describe('managed policies', () => {
  const attached = (ManagedPolicyArns: unknown, added = {}) =>
    found({ It: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns } }, ...added });
  const unknown = (what: string) => [
    `ConnectWildcard[unknown ${what}]`,
    'MasterSecretReadable[unknown <secret>]',
    `MasterPasswordModifiable[unknown ${what}]`,
    `ProvisionerInvocable[unknown ${what}]`,
  ];

  test.each<[unknown, string]>([
    [{ 'Fn::Split': [',', { Ref: 'Open' }] }, '<Open>'],
    [{ Ref: 'Open' }, '<Open>'],
    [[{ Ref: 'Open' }], '<Open>'],
    [[{ 'Fn::ImportValue': 'Elsewhere' }], '<import of Elsewhere>'],
    [[{ 'Fn::GetAtt': ['Custom', 'Arn'] }], '<Custom.Arn>'],
    [[{ 'Fn::FindInMap': ['a', 'b', 'c'] }], '<Fn::FindInMap>'],
    [['{{resolve:ssm:policy}}'], '{{resolve:ssm:policy}}'],
    [[{ 'Fn::Sub': 'arn:aws:iam::aws:policy/${Open}' }], 'arn:aws:iam::aws:policy/<Open>'],
    [{ 'Fn::If': ['C', [{ Ref: 'Open' }], ['arn:aws:iam::aws:policy/ReadOnlyAccess']] }, '<Open>'],
    [[{ 'Fn::Select': [0, { 'Fn::Split': [',', { Ref: 'Open' }] }] }], '<Fn::Select>'],
    [{ 'Fn::ImportValue': 'Elsewhere' }, '<import of Elsewhere>'],
    [{ 'Fn::GetAtt': ['Custom', 'Arns'] }, '<Custom.Arns>'],
    [{ 'Fn::FindInMap': ['a', 'b', 'c'] }, '<Fn::FindInMap>'],
    [{ 'Fn::Transform': { Name: 'Other' } }, '<Fn::Transform>'],
    [[{ 'Fn::Join': ['', { 'Fn::Split': ['|', { Ref: 'Open' }] }] }], '<Fn::Join>'],
    [[{ 'Fn::If': ['C', { 'Fn::If': ['D', { Ref: 'Open' }, { Ref: 'AWS::NoValue' }] }, { Ref: 'AWS::NoValue' }] }],
      '<Open>'],
  ])('cannot be told: %j', (arns, what) => {
    expect(attached(arns, { Custom: { Type: 'Custom::Thing', Properties: {} } })).toEqual(unknown(what));
  });

  test.each<[string, string[]]>([
    [
      'AdministratorAccess',
      [
        'ConnectWildcard[AdministratorAccess]',
        'MasterSecretReadable[<secret>]',
        'ProvisionerWildcard[AdministratorAccess]',
      ],
    ],
    [
      'PowerUserAccess',
      ['ConnectWildcard[PowerUserAccess]', 'MasterSecretReadable[<secret>]', 'ProvisionerWildcard[PowerUserAccess]'],
    ],
    ['SecretsManagerReadWrite', ['MasterSecretReadable[<secret>]', 'ProvisionerWildcard[SecretsManagerReadWrite]']],
    ['AWSSecretsManagerClientReadOnlyAccess', ['MasterSecretReadable[<secret>]']],
    ['AWSLambda_FullAccess', ['ProvisionerWildcard[AWSLambda_FullAccess]']],
    ['service-role/AWSLambdaRole', ['ProvisionerWildcard[AWSLambdaRole]']],
    ['AmazonRDSFullAccess', ['ProvisionerWildcard[AmazonRDSFullAccess]']],
    ['job-function/DatabaseAdministrator', ['ProvisionerWildcard[DatabaseAdministrator]']],
    ['job-function/DataScientist', ['ProvisionerWildcard[DataScientist]']],
    ['job-function/SystemAdministrator', ['ProvisionerWildcard[SystemAdministrator]']],
    [
      'AIDevOpsAgentActionsPolicy',
      [
        'ConnectWildcard[AIDevOpsAgentActionsPolicy]',
        'MasterSecretReadable[<secret>]',
        'ProvisionerWildcard[AIDevOpsAgentActionsPolicy]',
      ],
    ],
    [
      'ConsoleFullAccessFromVercel',
      ['ConnectWildcard[ConsoleFullAccessFromVercel]', 'ProvisionerWildcard[ConsoleFullAccessFromVercel]'],
    ],
    ['AmazonRDSDataFullAccess', []],
    ['ReadOnlyAccess', []],
  ])('of AWS: %s', (name, expected) => {
    for (const arns of [
      [`arn:aws:iam::aws:policy/${name}`],
      { 'Fn::Split': [',', `arn:aws:iam::aws:policy/ReadOnlyAccess,arn:aws:iam::aws:policy/${name}`] },
      [{ 'Fn::Sub': `arn:\${AWS::Partition}:iam::aws:policy/${name}` }],
    ]) {
      expect(attached(arns)).toEqual(expected);
    }
  });

  test('of AWS, which allow reading secrets with the prefix of the query editor', () => {
    const Secret = { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'rds-db-credentials/cluster-ABC' } };
    const Cluster = {
      Type: 'AWS::RDS::DBCluster',
      Properties: {
        Engine: 'aurora-postgresql',
        MasterUserPassword: { 'Fn::Sub': '{{resolve:secretsmanager:${Secret}:SecretString:password::}}' },
      },
    };
    const Grant = {
      Type: 'AWS::IAM::UserPolicy',
      Properties: {
        UserName: 'ada',
        PolicyDocument: {
          Statement: [
            {
              Effect: 'Allow',
              Action: 'rds-db:connect',
              Resource: { 'Fn::Sub': `${ARN}dbuser:\${Cluster.DBClusterResourceId}/ada` },
            },
          ],
        },
      },
    };
    expect(attached(['arn:aws:iam::aws:policy/AmazonRDSDataFullAccess'], { Secret, Cluster, Grant })).toEqual(
      expect.arrayContaining(['MasterSecretReadable[<Secret>]', 'ProvisionerWildcard[AmazonRDSDataFullAccess]']),
    );
  });

  test('of the app, which a role has by the name', () => {
    const Policy = {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        ManagedPolicyName: 'boundary',
        PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }] },
      },
    };
    const Bounded = { Type: 'AWS::IAM::Role', Properties: { PermissionsBoundary: { Ref: 'Policy' } } };
    expect(found({ Policy, Bounded })).toEqual([]);
    expect(attached([{ 'Fn::Sub': 'arn:aws:iam::${AWS::AccountId}:policy/boundary' }], { Policy, Bounded })).toEqual([
      'ConnectWildcard[*]',
    ]);
    expect(
      found({
        Policy,
        Bounded,
        It: {
          Type: 'AWS::SSO::PermissionSet',
          Properties: { CustomerManagedPolicyReferences: [{ Name: 'boundary' }] },
        },
      }),
    ).toEqual(['ConnectWildcard[*]']);
  });
});

describe('AWS SAM', () => {
  const sam = (Policies: unknown, Type = 'AWS::Serverless::Function') =>
    found({ It: { Type, Properties: { Policies } } });
  test.each<[string, unknown, () => string[]]>([
    [
      'a document',
      [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }] }],
      () => ['ConnectWildcard[*]'],
    ],
    [
      'one document',
      { Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' } },
      () => ['ConnectWildcard[*]'],
    ],
    ['the name of a policy of AWS', 'AWSLambda_FullAccess', () => ['ProvisionerWildcard[AWSLambda_FullAccess]']],
    ['names', ['AWSLambdaRole', 'AmazonS3ReadOnlyAccess'], () => ['ProvisionerWildcard[AWSLambdaRole]']],
    ['an ARN', ['arn:aws:iam::aws:policy/AmazonRDSFullAccess'], () => ['ProvisionerWildcard[AmazonRDSFullAccess]']],
    [
      'the template to rotate secrets',
      [{ AWSSecretsManagerRotationPolicy: { FunctionName: 'f' } }],
      () => [
        'MasterSecretReadable[<secret>]',
        'ProvisionerWildcard[arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:*]',
      ],
    ],
    ['another template', [{ S3ReadPolicy: { BucketName: 'b' } }, { DynamoDBCrudPolicy: { TableName: 't' } }], () => []],
    [
      'what only the deployment knows',
      [{ Ref: 'Open' }],
      () => [
        'ConnectWildcard[unknown <Open>]',
        'MasterSecretReadable[unknown <secret>]',
        'MasterPasswordModifiable[unknown <Open>]',
        'ProvisionerInvocable[unknown <Open>]',
      ],
    ],
  ])('policies of a function: %s', (_, policies, expected) => {
    expect(sam(policies)).toEqual(expected());
    expect(sam(policies, 'AWS::Serverless::StateMachine')).toEqual(expected());
  });

  test('policy templates with the secret and the function', () => {
    expect(sam([{ AWSSecretsManagerGetSecretValuePolicy: { SecretArn: { Ref: ids.secret } } }])).toEqual([
      'MasterSecretReadable[<secret>]',
    ]);
    expect(sam([{ LambdaInvokePolicy: { FunctionName: { Ref: ids.handler } } }])).toEqual([
      'ProvisionerInvocable[<handler>]',
    ]);
    expect(sam([{ LambdaInvokePolicy: { FunctionName: 'orders' } }])).toEqual([]);
  });

  test('are not those of a function that has a role of its own', () => {
    expect(
      found({
        It: {
          Type: 'AWS::Serverless::Function',
          Properties: { Role: 'arn:aws:iam::111111111111:role/r', Policies: 'AdministratorAccess' },
        },
      }),
    ).toEqual([]);
  });
});

describe('custom resources', () => {
  const wide = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }] };
  const custom = (Properties: Record<string, unknown>) => found({ It: { Type: 'Custom::Policy', Properties } });

  test.each<[string, Record<string, unknown>, string[]]>([
    ['a document', { Document: wide }, ['ConnectWildcard[*]']],
    ['a document within', { Roles: [{ Name: 'r', Inline: [wide] }] }, ['ConnectWildcard[*]']],
    ['JSON', { Document: JSON.stringify(wide) }, ['ConnectWildcard[*]']],
    [
      'a call with JSON in JSON',
      {
        Create: JSON.stringify({
          service: 'IAM',
          action: 'putRolePolicy',
          parameters: { PolicyDocument: JSON.stringify(wide) },
        }),
      },
      ['ConnectWildcard[*]'],
    ],
    [
      'a call that attaches a policy',
      {
        Create: JSON.stringify({
          service: 'IAM',
          action: 'attachRolePolicy',
          parameters: { PolicyArn: 'arn:aws:iam::aws:policy/AmazonRDSFullAccess' },
        }),
      },
      ['ProvisionerWildcard[AmazonRDSFullAccess]'],
    ],
    [
      'a document that only the deployment knows',
      { PolicyDocument: { Ref: 'Open' } },
      [
        'ConnectWildcard[unknown document]',
        'MasterSecretReadable[unknown <secret>]',
        'MasterPasswordModifiable[unknown document]',
        'ProvisionerInvocable[unknown document]',
      ],
    ],
    [
      'the policy of a resource',
      { Policy: { Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] } },
      [],
    ],
    ['whom a role trusts', { AssumeRolePolicyDocument: { Statement: [{ Effect: 'Allow', Action: '*' }] } }, []],
    ['something else', { Name: 'Policy', Statement: 'none', Text: '{"Policy":1}' }, []],
  ])('with %s', (_, properties, expected) => {
    expect(custom(properties)).toEqual(expected);
  });

  test('of aws-cdk-lib, whose document has tokens in it', () => {
    const app = quietApp();
    const stack = new Stack(app, 'Data', { env: IRELAND });
    const cluster = new rds.CfnDBCluster(stack, 'Cluster', {
      engine: 'aurora-postgresql',
      engineVersion: '17.7',
      enableIamDatabaseAuthentication: true,
      enableCloudwatchLogsExports: ['iam-db-auth-error'],
    });
    const PolicyDocument = stack.toJsonString({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'rds-db:connect', Resource: `${ARN}dbuser:${cluster.attrDbClusterResourceId}/*` },
      ],
    });
    new cr.AwsCustomResource(stack, 'Put', {
      onUpdate: {
        service: 'IAM',
        action: 'putRolePolicy',
        parameters: { RoleName: 'app', PolicyName: 'p', PolicyDocument },
        physicalResourceId: cr.PhysicalResourceId.of('p'),
      },
      policy: cr.AwsCustomResourcePolicy.fromStatements([
        new iam.PolicyStatement({ actions: ['iam:PutRolePolicy'], resources: ['*'] }),
      ]),
    });
    expect(findingsIn(app)).toEqual([
      expect.stringMatching(/^IamAuth-ConnectWildcard\[dbuser:<Cluster\.DBClusterResourceId>\/\*\] at Put/),
    ]);
  });
});

describe('stack sets and nested stacks', () => {
  const template = (resource: object) => ({ Resources: { Role: resource } });
  const wide = template({
    Type: 'AWS::IAM::Role',
    Properties: {
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonRDSFullAccess'],
      Policies: [{ PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }] } }],
    },
  });
  const set = (Properties: Record<string, unknown>, Type = 'AWS::CloudFormation::StackSet') =>
    found({ It: { Type, Properties } });
  const unread = [
    'ConnectWildcard[unknown template]',
    'MasterSecretReadable[unknown <secret>]',
    'MasterPasswordModifiable[unknown template]',
    'ProvisionerInvocable[unknown template]',
  ];

  test('finds what is in a template in JSON', () => {
    expect(set({ TemplateBody: JSON.stringify(wide) })).toEqual([
      'ConnectWildcard[*]',
      'ProvisionerWildcard[AmazonRDSFullAccess]',
    ]);
    expect(set({ TemplateBody: { 'Fn::ToJsonString': wide } })).toEqual([
      'ConnectWildcard[*]',
      'ProvisionerWildcard[AmazonRDSFullAccess]',
    ]);
    expect(set({ TemplateBody: JSON.stringify(template({ Type: 'AWS::S3::Bucket' })) })).toEqual([]);
  });

  test('finds what refers to the stack around it', () => {
    const [start, end] = JSON.stringify(
      template({
        Type: 'AWS::IAM::Role',
        Properties: {
          Policies: [
            {
              PolicyDocument: {
                Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: 'SECRET' }],
              },
            },
          ],
        },
      }),
    ).split('SECRET');
    expect(set({ TemplateBody: { 'Fn::Join': ['', [start, { Ref: ids.secret }, end]] } })).toEqual([
      'MasterSecretReadable[<secret>]',
    ]);
  });

  test.each<[string, Record<string, unknown>]>([
    ['YAML', { TemplateBody: 'Resources:\n  Role:\n    Type: AWS::IAM::Role\n' }],
    ['a URL', { TemplateURL: 'https://bucket.s3.amazonaws.com/template.json' }],
    ['a parameter', { TemplateBody: { Ref: 'Open' } }],
    ['nothing', {}],
  ])('cannot tell of a template that is %s', (_, properties) => {
    expect(set(properties)).toEqual(unread);
  });

  test('cannot tell of a nested stack whose template is not in the cloud assembly', () => {
    expect(set({ TemplateURL: 'https://bucket.s3.amazonaws.com/template.yaml' }, 'AWS::CloudFormation::Stack')).toEqual(
      unread,
    );
  });

  test('says it of the stack set, where it can be acknowledged', () => {
    const app = quietApp();
    const stack = new Stack(app, 'Data');
    const { CfnStackSet, Validations } = jest.requireActual<typeof import('aws-cdk-lib')>('aws-cdk-lib');
    const stackSet = new CfnStackSet(stack, 'Set', {
      stackSetName: 's',
      permissionModel: 'SELF_MANAGED',
      templateBody: JSON.stringify(wide),
    });
    expect(findingsIn(app)).toEqual(['IamAuth-ConnectWildcard[Role-*] at Set']);
    const again = new App({ context: app.node.getAllContext() as Record<string, unknown> });
    const acknowledged = new CfnStackSet(new Stack(again, 'Data'), 'Set', {
      stackSetName: 's',
      permissionModel: 'SELF_MANAGED',
      templateBody: stackSet.templateBody,
    });
    Validations.of(acknowledged).acknowledge({
      id: 'IamAuth-ConnectWildcard[Role-*]',
      reason: 'The accounts have no database.',
    });
    expect(findingsIn(again)).toEqual([]);
  });
});

describe('the secret of a master', () => {
  const inPolicy = (statement: object, SecretId: unknown = { Ref: ids.secret }) =>
    found({
      It: {
        Type: 'AWS::SecretsManager::ResourcePolicy',
        Properties: {
          SecretId,
          ResourcePolicy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Resource: '*', ...statement }] },
        },
      },
    });

  test.each<[string, unknown, unknown, string[]]>([
    ['all actions', 'secretsmanager:*', '*', ['MasterSecretReadable[<secret>]', 'ProvisionerWildcard[*]']],
    [
      'another case',
      'SECRETSMANAGER:GETSECRETVALUE',
      'arn:aws:secretsmanager:*:*:secret:*',
      ['MasterSecretReadable[<secret>]'],
    ],
    ['a wildcard across the ARN', 'secretsmanager:Get*', 'arn:*:secret:*', ['MasterSecretReadable[<secret>]']],
    [
      'a wildcard before the end',
      'secretsmanager:GetSecretValue',
      'arn:aws:secretsmanager:*-??????',
      ['MasterSecretReadable[<secret>]'],
    ],
    [
      'a name that may be its',
      'secretsmanager:GetSecretValue',
      'arn:aws:secretsmanager:eu-west-1:111111111111:secret:ClusterSecret*',
      ['MasterSecretReadable[unknown <secret>]'],
    ],
    [
      'changes by a wildcard',
      ['secretsmanager:PutSecretValue', 'secretsmanager:RotateSecret'],
      '*',
      ['ProvisionerWildcard[*]'],
    ],
    [
      'changes by all actions',
      'secretsmanager:Rotate*',
      'arn:aws:secretsmanager:*',
      ['ProvisionerWildcard[arn:aws:secretsmanager:*]'],
    ],
  ])('is reached by %s', (_, action, resource, expected) => {
    expect(allow(action, resource)).toEqual(expected);
  });

  test.each(['PutSecretValue', 'UpdateSecret', 'RotateSecret', 'PutResourcePolicy', 'Put*'])(
    'is changed by secretsmanager:%s',
    (action) => {
      expect(allow(`secretsmanager:${action}`, { Ref: ids.secret })).toEqual(['MasterPasswordModifiable[<secret>]']);
      expect(
        inPolicy({ Principal: { AWS: 'arn:aws:iam::111111111111:role/app' }, Action: `secretsmanager:${action}` }),
      ).toEqual(['MasterPasswordModifiable[<secret>]']);
    },
  );

  test.each<[string, object]>([
    ['everybody', { Principal: '*', Action: 'secretsmanager:GetSecretValue' }],
    [
      'another account',
      { Principal: { AWS: 'arn:aws:iam::999999999999:root' }, Action: 'secretsmanager:GetSecretValue' },
    ],
    [
      'everybody but one role',
      { NotPrincipal: { AWS: 'arn:aws:iam::111111111111:role/x' }, Action: 'secretsmanager:GetSecretValue' },
    ],
    ['everybody but RDS', { NotPrincipal: { Service: 'rds.amazonaws.com' }, Action: 'secretsmanager:Get*' }],
  ])('is read in its own policy by %s', (_, statement) => {
    expect(inPolicy(statement)).toEqual(['MasterSecretReadable[<secret>]']);
  });

  test('is not what the policy of another secret is about', () => {
    expect(inPolicy({ Principal: '*', Action: 'secretsmanager:*' }, 'other')).toEqual([]);
  });

  test('is what the Data API asks for, beside its own actions', () => {
    expect(allow('rds-data:*', '*')).toEqual([]);
    expect(
      found(
        policy({
          Action: ['rds-data:ExecuteStatement', 'secretsmanager:GetSecretValue'],
          Resource: [arnOf('cluster', 'DBClusterArn'), { Ref: ids.secret }],
        }),
      ),
    ).toEqual(['MasterSecretReadable[<secret>]']);
  });
});

describe('the password of a master in a dynamic reference', () => {
  const reference = (key = 'password') => ({
    'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: ids.secret }, `:SecretString:${key}::}}`]],
  });
  const whole = () => ({ 'Fn::Sub': `{{resolve:secretsmanager:\${${ids.secret}}}}` });
  const READABLE = ['MasterSecretReadable[<secret>]'];

  test.each<[string, () => Record<string, unknown>, string]>([
    [
      'an environment variable',
      () => ({ Environment: { Variables: { PASSWORD: reference() } } }),
      'AWS::Lambda::Function',
    ],
    [
      'a text with more in it',
      () => ({ Value: { 'Fn::Join': ['', ['postgres://postgres:', reference(), '@host']] } }),
      'AWS::SSM::Parameter',
    ],
    ['user data', () => ({ UserData: { 'Fn::Base64': reference() } }), 'AWS::EC2::Instance'],
    ['a parameter of a nested stack', () => ({ Parameters: { Password: reference() } }), 'AWS::CloudFormation::Stack'],
    [
      'the whole secret',
      () => ({ ContainerDefinitions: [{ Environment: [{ Name: 'SECRET', Value: whole() }] }] }),
      'AWS::ECS::TaskDefinition',
    ],
    ['a branch', () => ({ Value: { 'Fn::If': ['C', reference(), 'none'] } }), 'AWS::SSM::Parameter'],
    ['another secret', () => ({ SecretString: reference() }), 'AWS::SecretsManager::Secret'],
  ])('is found in %s', (_, properties, Type) => {
    expect(
      found({ It: { Type, Properties: properties() } }).filter(
        id => !id.includes('unknown template') && !id.includes('unknown <'),
      ),
    ).toEqual(READABLE);
  });

  test('is found in an output', () => {
    expect(found({}, { Password: { Value: reference() } })).toEqual(READABLE);
  });

  test('is at home in the password of a database', () => {
    expect(
      found({ It: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'mysql', MasterUserPassword: reference() } } }),
    ).toEqual([]);
  });

  test.each(['username', 'host', 'port', 'dbname', 'engine'])('is not in its %s', (key) => {
    expect(found({ It: { Type: 'AWS::SSM::Parameter', Properties: { Value: reference(key) } } })).toEqual([]);
  });

  test('is not in that of another secret, and cannot be told of one that the deployment knows', () => {
    expect(
      found({
        It: {
          Type: 'AWS::SSM::Parameter',
          Properties: { Value: '{{resolve:secretsmanager:other:SecretString:password}}' },
        },
      }),
    ).toEqual([]);
    expect(
      found({
        It: {
          Type: 'AWS::SSM::Parameter',
          Properties: { Value: { 'Fn::Sub': '{{resolve:secretsmanager:${Open}:SecretString:password}}' } },
        },
      }),
    ).toEqual(['MasterSecretReadable[unknown <secret>]']);
  });

  test('is told with its place, of a construct that CDK knows', () => {
    const app = quietApp();
    const stack = new Stack(app, 'Data', { env: IRELAND });
    const cluster = newCluster(stack, 'Cluster');
    new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('orders');
    const { CfnOutput } = jest.requireActual<typeof import('aws-cdk-lib')>('aws-cdk-lib');
    new CfnOutput(stack, 'Password', { value: cluster.secret!.secretValueFromJson('password').unsafeUnwrap() });
    expect(findingsIn(app)).toEqual([
      expect.stringMatching(/^IamAuth-MasterSecretReadable\[<ClusterSecret\w+>\] at Password$/),
    ]);
  });
});

describe('the functions of this library', () => {
  test.each([
    'InvokeFunction',
    'InvokeAsync',
    'Invoke*',
    'UpdateFunctionCode',
    'UpdateFunctionConfiguration',
    'AddPermission',
    'CreateEventSourceMapping',
    'UpdateEventSourceMapping',
    'CreateFunctionUrlConfig',
    '*',
  ])('are called or changed by lambda:%s', (action) => {
    expect(allow(`lambda:${action}`, [arnOf('handler')])).toEqual(['ProvisionerInvocable[<handler>]']);
    expect(allow(`lambda:${action}`, { 'Fn::Join': ['', [arnOf('framework'), ':*']] })).toEqual([
      'ProvisionerInvocable[<framework>]',
    ]);
    expect(allow(`lambda:${action}`, 'arn:aws:lambda:*:*:function:*')).toEqual([
      'ProvisionerWildcard[arn:aws:lambda:*:*:function:*]',
    ]);
  });

  test.each([
    ['lambda:GetFunction', '*'],
    ['lambda:InvokeFunction', 'arn:aws:lambda:*:*:function:orders'],
    ['lambda:*', 'arn:aws:lambda:*:*:layer:*'],
    ['s3:*', '*'],
  ])('are not what %s on %s is about', (action, resource) => {
    expect(allow(action, resource)).toEqual([]);
  });

  test.each<[string, string, (target: unknown) => Record<string, unknown>]>([
    [
      'a permission',
      'AWS::Lambda::Permission',
      FunctionName => ({ FunctionName, Principal: 'events.amazonaws.com', Action: 'lambda:InvokeFunction' }),
    ],
    ['a URL', 'AWS::Lambda::Url', TargetFunctionArn => ({ TargetFunctionArn, AuthType: 'NONE' })],
    [
      'an event source',
      'AWS::Lambda::EventSourceMapping',
      FunctionName => ({ FunctionName, EventSourceArn: 'arn:aws:sqs:eu-west-1:111111111111:q' }),
    ],
  ])('are called through %s', (_, Type, properties) => {
    expect(found({ It: { Type, Properties: properties(arnOf('handler')) } })).toEqual([
      'ProvisionerInvocable[<handler>]',
    ]);
    expect(found({ It: { Type, Properties: properties({ Ref: ids.framework }) } })).toEqual([
      'ProvisionerInvocable[<framework>]',
    ]);
    expect(
      found({ It: { Type, Properties: properties('arn:aws:lambda:eu-west-1:111111111111:function:orders') } }),
    ).toEqual([]);
    expect(found({ It: { Type, Properties: properties('orders') } })).toEqual([]);
    expect(found({ It: { Type, Properties: properties({ Ref: 'Open' }) } })).toEqual(
      ['ProvisionerInvocable[unknown <framework>]', 'ProvisionerInvocable[unknown <handler>]'].sort(),
    );
  });

  test('cannot be told from what only the deployment knows', () => {
    expect(allow('lambda:InvokeFunction', { Ref: 'Open' })).toEqual(['ProvisionerWildcard[unknown <Open>]']);
    expect(allow({ Ref: 'Open' }, arnOf('handler'))).toEqual(['ProvisionerInvocable[unknown <handler>]']);
  });
});

describe('the databases', () => {
  test('are modified by name, or by a wildcard', () => {
    expect(allow('rds:ModifyDBCluster', arnOf('cluster', 'DBClusterArn'))).toEqual([
      'MasterPasswordModifiable[<cluster>]',
    ]);
    expect(
      allow('rds:Modify*', { 'Fn::Sub': `arn:aws:rds:eu-west-1:111111111111:cluster:\${${ids.cluster}}` }),
    ).toEqual(['MasterPasswordModifiable[<cluster>]']);
    expect(allow('rds:ModifyDBCluster', '*')).toEqual(['ProvisionerWildcard[*]']);
    expect(allow('rds:*', 'arn:aws:rds:*:*:*')).toEqual(['ProvisionerWildcard[arn:aws:rds:*:*:*]']);
  });

  test('that have no users are not what the rule is about', () => {
    expect(allow('rds:ModifyDBInstance', arnOf('instance', 'DBInstanceArn'))).toEqual([]);
    const user = policy({
      Action: 'rds-db:connect',
      Resource: { 'Fn::Sub': `${ARN}dbuser:\${${ids.instance}.DbiResourceId}/orders` },
    });
    expect(
      found({
        ...policy({ Action: 'rds:ModifyDBInstance', Resource: arnOf('instance', 'DBInstanceArn') }),
        User: user.It,
      }),
    ).toEqual(['MasterPasswordModifiable[<instance>]']);
  });

  test('are not what other actions, or other resources, are about', () => {
    expect(allow('rds:Describe*', '*')).toEqual([]);
    expect(allow('rds:ModifyDBCluster', 'arn:aws:rds:*:*:cluster:other-*')).toEqual([]);
    expect(allow('rds:ModifyDBCluster', 'arn:aws:rds:*:*:db:*')).toEqual([]);
  });
});
