import { SynthesizedApp } from '../../../lib/checks/app/synthesized-app';
import { TemplateBody } from '../../../lib/checks/app/template';
import { RULES } from '../../../lib/checks/rules';

type Resources = NonNullable<TemplateBody['Resources']>;

const ARN = 'arn:aws:rds-db:eu-west-1:111111111111:dbuser';
const PASSWORD = { 'Fn::Sub': '{{resolve:secretsmanager:${Secret}:SecretString:password}}' };
const cluster = (more: object = {}) => ({
  Type: 'AWS::RDS::DBCluster', Properties: { Engine: 'aurora-postgresql', MasterUserPassword: PASSWORD, ...more },
});
const policy = (statement: object, Roles: unknown[] = ['app']) => ({
  Type: 'AWS::IAM::Policy',
  Properties: {
    Roles, PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] },
  },
});
const connect = (Resource: unknown, Action: unknown = 'rds-db:connect') => policy({ Action, Resource });
const WIDE = { Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }] };

/** A cluster with a user, as templates have it that this library has not written. */
const BODY: Resources = {
  Secret: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
  Cluster: cluster(),
  User: connect({ 'Fn::Sub': `${ARN}:\${Cluster.DBClusterResourceId}/orders` }),
};

/** What the rules say of a resource `It`, such as `ConnectWildcard[*]`. */
function found(It: object, others: object = {}): string[] {
  const app = new SynthesizedApp([{
    file: '/cdk.out/Data.template.json',
    stack: { name: 'Data', environment: 'aws://111111111111/eu-west-1', folder: '/cdk.out' },
    body: { Resources: { ...BODY, ...others, It } as Resources },
  }]);
  const it = app.resources.find(({ logicalId }) => logicalId === 'It')!;
  return RULES.flatMap((rule) => {
    const answer = rule.check(it);
    return typeof answer === 'string'
      ? []
      : answer.map(
          ({ what = '', unknown }) => `${rule.id.replace('IamAuth-', '')}[${unknown ? 'unknown ' : ''}${what}]`,
        );
  });
}

describe('a resource that is an attribute', () => {
  test.each<[string, object, unknown, string[]]>([
    ['a parameter of Systems Manager, by its value', { Type: 'AWS::SSM::Parameter', Properties: { Value: '*' } },
      'Value', ['ConnectWildcard[*]']],
    ['such a parameter that names one user',
      { Type: 'AWS::SSM::Parameter', Properties: { Value: `${ARN}:cluster-A/ada` } }, 'Value', []],
    ['an output of a template that is not here', { Type: 'AWS::CloudFormation::Stack', Properties: {} }, 'Outputs.User',
      ['ConnectWildcard[unknown <Other.Outputs.User>]']],
    ['what a host answers', { Type: 'AWS::CloudFormation::WaitCondition', Properties: {} }, 'Data',
      ['ConnectWildcard[unknown <Other.Data>]']],
    ['the ARN of something else', { Type: 'AWS::S3::Bucket', Properties: {} }, 'Arn', []],
  ])('%s', (_, Other, attribute, expected) => {
    expect(found(connect({ 'Fn::GetAtt': ['Other', attribute] }), { Other })).toEqual(expected);
  });

  test('the answer of a custom resource of others may be a wildcard, and that of ours is a name', () => {
    const Resource = { 'Fn::Sub': `${ARN}:cluster-A/\${Other.Name}` };
    const answered = (Type: string) => found(connect(Resource), { Other: { Type, Properties: {} } });
    expect(answered('Custom::RdsLookup')).toEqual([
      'ConnectWildcard[unknown dbuser:cluster-A/<Other.Name>]',
    ]);
    expect(answered('Custom::RdsIamUser')).toEqual([]);
  });
});

describe('an action that only the deployment knows in part', () => {
  test.each<[unknown, string[]]>([
    [{ 'Fn::Sub': 's3:${Verb}' }, []],
    [{ 'Fn::Sub': 'rds-db:${Verb}' }, ['ConnectWildcard[unknown *]']],
    [{ 'Fn::Sub': 'RDS-DB:${Verb}' }, ['ConnectWildcard[unknown *]']],
    ['rds-db:{{resolve:ssm:verb}}', ['ConnectWildcard[unknown *]']],
    [['s3:*', 'rds-db:connect', { 'Fn::Sub': 's3:${Verb}' }], ['ConnectWildcard[*]']],
  ])('%j', (action, expected) => {
    expect(found(connect('*', action))).toEqual(expected);
  });

  test('in NotAction', () => {
    expect(found(policy({ NotAction: { 'Fn::Sub': 's3:${Verb}' }, Resource: 'arn:aws:rds-db:*' })))
      .toEqual(['ConnectWildcard[arn:aws:rds-db:*]']);
    expect(found(policy({ NotAction: { 'Fn::Sub': 'rds-db:${Verb}' }, Resource: 'arn:aws:rds-db:*' })))
      .toEqual(['ConnectWildcard[unknown arn:aws:rds-db:*]']);
  });
});

describe('a dynamic reference to the password of a master', () => {
  const found1 = (Value: unknown) => found({ Type: 'AWS::SSM::Parameter', Properties: { Value } });
  test.each<[string, unknown]>([
    ['of pieces',
      { 'Fn::Join': [':', ['{{resolve', 'secretsmanager', { Ref: 'Secret' }, 'SecretString', 'password}}']] }],
    ['in a branch within a text', { 'Fn::Join': ['', ['postgres://', { 'Fn::If': ['C', PASSWORD, 'none'] }, '@host']] }],
    ['in a value of Fn::Sub', { 'Fn::Sub': ['postgres://${P}', { P: { 'Fn::If': ['C', 'none', PASSWORD] } }] }],
  ])('%s', (_, value) => {
    expect(found1(value)).toEqual(['MasterSecretReadable[<Secret>]']);
  });

  test.each([{ 'Fn::Join': ['', ['a', { 'Fn::If': ['C', 'b', 'c'] }, '{{d}}']] }, '{{resolve:secretsmanager'])(
    'not %j',
    (value) => {
      expect(found1(value)).toEqual([]);
    },
  );
});

describe('the secret of a master', () => {
  const reader = policy({ Action: 'secretsmanager:GetSecretValue', Resource: { Ref: 'Secret' } });
  test.each<[string, object]>([
    ['whose password is given under a condition',
      { MasterUserPassword: { 'Fn::If': ['New', PASSWORD, { Ref: 'AWS::NoValue' }] } }],
    ['whose engine only the deployment knows', { Engine: { Ref: 'Engine' } }],
    ['that RDS may manage', { ManageMasterUserPassword: { Ref: 'Managed' } }],
  ])('%s', (_, more) => {
    expect(found(reader, { Cluster: cluster(more) })).toContain('MasterSecretReadable[<Secret>]');
  });

  test('of another engine', () => {
    expect(found(reader, { Cluster: cluster({ Engine: 'aurora-mysql' }) })).toEqual([]);
  });

  const inItsPolicy = (Principal: unknown) => found({
    Type: 'AWS::SecretsManager::ResourcePolicy',
    Properties: {
      SecretId: { Ref: 'Secret' },
      ResourcePolicy: { Statement: [{ Effect: 'Allow', Action: 'secretsmanager:Get*', Resource: '*', Principal }] },
    },
  });
  test.each<[string, unknown]>([
    ['by its number', { AWS: '111111111111' }],
    ['by a pseudo parameter', { AWS: { Ref: 'AWS::AccountId' } }],
    ['by its root', { AWS: 'arn:aws:iam::111111111111:root' }],
    ['in a branch', { 'Fn::If': ['C', { AWS: '111111111111' }, { Service: 'rds.amazonaws.com' }] }],
  ])('is not read by the account of the secret, %s', (_, principal) => {
    expect(inItsPolicy(principal)).toEqual([]);
  });

  test.each<unknown>([
    { AWS: '222222222222' },
    '*',
    { 'Fn::If': ['C', { AWS: '111111111111' }, '*'] },
    { AWS: { Ref: 'Account' } },
    { Ref: 'Anybody' },
  ])('is read by %j', (principal) => {
    expect(inItsPolicy(principal)).toEqual(['MasterSecretReadable[<Secret>]']);
  });

  test('is read by a role that RDS is not alone to assume', () => {
    const role = (...statements: object[]) => ({
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Statement: [
            { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'rds.amazonaws.com' } },
            ...statements,
          ],
        },
      },
    });
    const read = policy({ Action: 'secretsmanager:GetSecretValue', Resource: { Ref: 'Secret' } }, [{ Ref: 'Role' }]);
    expect(found(read, { Role: role() })).toEqual([]);
    expect(found(read, { Role: role({ Effect: 'Allow', Action: 'sts:AssumeRole', NotPrincipal: { AWS: '1' } }) }))
      .toEqual(['MasterSecretReadable[<Secret>]']);
  });
});

describe('a policy that is a boundary', () => {
  const Policy = {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { ManagedPolicyName: 'boundary', PolicyDocument: WIDE },
  };
  test.each<[string, string, unknown]>([
    ['a reference', 'AWS::IAM::Role', { Ref: 'It' }],
    ['its ARN', 'AWS::IAM::Role', { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/boundary' }],
    ['its name, of a permission set', 'AWS::SSO::PermissionSet',
      { CustomerManagedPolicyReference: { Name: 'boundary' } }],
    ['a reference, of a function of AWS SAM', 'AWS::Serverless::Function', { Ref: 'It' }],
  ])('by %s', (_, Type, PermissionsBoundary) => {
    expect(found(Policy, { Other: { Type, Properties: { PermissionsBoundary } } })).toEqual([]);
  });

  test('by the name of another one', () => {
    const PermissionsBoundary = 'arn:aws:iam::111111111111:policy/other';
    expect(found(Policy, { Other: { Type: 'AWS::IAM::Role', Properties: { PermissionsBoundary } } })).toEqual([
      'ConnectWildcard[*]',
    ]);
  });
});

test('AWS SAM makes a role where a function has one only under a condition', () => {
  const sam = (Role: unknown) => found({ Type: 'AWS::Serverless::Function', Properties: { Role, Policies: WIDE } });
  const [none, role] = [{ Ref: 'AWS::NoValue' }, 'arn:aws:iam::111111111111:role/r'];
  expect([undefined, none, { 'Fn::If': ['C', role, none] }].map(sam)).toEqual(
    [1, 2, 3].map(() => ['ConnectWildcard[*]']),
  );
  expect([role, { Ref: 'Role' }, { 'Fn::If': ['C', role, role] }].map(sam)).toEqual([[], [], []]);
});

test('what is no resource before the deployment is passed over', () => {
  const loop = ['Name', ['a', 'b'], { 'Role${Name}': { Type: 'AWS::IAM::Role' } }];
  expect(found(connect('*'), { 'Fn::ForEach::Roles': loop, 'Fn::Transform': { Name: 'AWS::Include' } })).toEqual([
    'ConnectWildcard[*]',
  ]);
});
