import { AssemblyStack } from '../../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition } from '../../../rehearsal/cloudformation/template';
import { accessDiff } from '../../../rehearsal/diff/access-diff';
import { declaredAccess } from '../../../rehearsal/diff/declared-access';
import { linesOfDiff } from '../../../rehearsal/diff/diff-text';

type Resources = Record<string, ResourceDefinition>;

const ID = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };
const BASE: Resources = {
  Cluster: { Type: 'AWS::RDS::DBCluster' },
  Ada: { Type: 'Custom::RdsIamUser', Properties: { Database: { ResourceId: ID }, Username: 'ada' } },
  Grace: { Type: 'Custom::RdsIamUser', Properties: { Database: { ResourceId: ID }, Username: 'grace' } },
  Role: { Type: 'AWS::IAM::Role' },
};
const stackOf = (resources: Resources, environment: object): AssemblyStack => ({
  id: 'App',
  name: 'App',
  template: { Resources: { ...BASE, ...resources } },
  templateBytes: 0,
  dependencies: [],
  parameters: {},
  nested: {},
  ...environment,
});
const IRELAND = { account: '1', region: 'eu-west-1' };
/** What resources add, without what each has in common: `Role as ada`. */
function changes(before: Resources, after: Resources, environment: object = IRELAND): string[] {
  const [was, is] = [before, after].map(resources => declaredAccess([stackOf(resources, environment)]));
  return linesOfDiff(accessDiff(was, is)).map(
    ({ sign, text }) => `${sign} ${text.replaceAll('App/', '').replace('IAM role ', '').replace('signs in ', '')}`,
  );
}
const policy = (...Statement: unknown[]): Resources => ({
  Policy: {
    Type: 'AWS::IAM::Policy',
    Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: { Version: '2012-10-17', Statement } },
  },
});
const allows = (Resource: unknown, Action: unknown = 'rds-db:connect', more = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});
const granted = (...statements: unknown[]) => changes({}, policy(...statements));
const EVERYTHING = allows('*', '*');
const arnOf = (username: string) => ({ 'Fn::Join': ['', ['arn:aws:rds-db:eu-west-1:1:dbuser:', ID, `/${username}`]] });
const NO_VALUE = { Ref: 'AWS::NoValue' };
const sure = ['+ Role: as any user that matches *', '+ Cluster: Role: as ada', '+ Cluster: Role: as grace'];
const perhaps = (why: string, texts = sure) => texts.map(text => `${text} (perhaps: ${why})`);
const CONDITION = 'only under condition C';

describe('a wildcard that stands for a separator of the ARN', () => {
  const why = 'a wildcard in its policy stands for a separator of the ARN';
  test.each<[string, unknown, string[]]>([
    ['arn:aws:rds-db:*', 'rds-db:connect', sure],
    ['arn:*', '*', sure],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:*', 'rds-db:connect', sure],
    ['arn:aws:rds-db:eu-west-1:1:dbuser:cluster-B*', 'rds-db:connect',
      [sure[0], ...perhaps('its policy may be about another database', sure.slice(1))]],
    ['arn:aws:rds-db:eu-west-1:1:*/ada', 'rds-db:connect',
      perhaps(why, ['+ Role: as any user that matches ada', '+ Cluster: Role: as ada'])],
    ['arn:aws:rds-db:eu-west-1:1:dbuser*/ada', 'rds-*',
      perhaps(why, ['+ Role: as any user that matches ada', '+ Cluster: Role: as ada'])],
    ['arn:aws:rds-db:eu-west-1:1:dbuse?:cluster-B/ada', 'rds-db:connect',
      perhaps(why, ['+ cluster-B: Role: as ada, a user that the app does not create there'])],
    ['arn:aws:rds-db:us-east-1:1:*/ada', 'rds-db:connect', perhaps(why, ['+ Role: as any user that matches ada'])],
    ['arn:aws:s3:::bucket/*', '*', []],
    ['arn:aws:rds:*:*:db:*', '*', []],
  ])('%s of %s', (resource, action, expected) => {
    expect(granted(allows(resource, action))).toEqual(expected);
  });

  test('of every user with an ending', () => {
    expect(granted(allows('arn:aws:rds-db:*:*:dbuser:*ada'))).toEqual(perhaps(why, [
      '+ Role: as any user that matches *ada', '+ Role: as any user that matches ada', '+ Cluster: Role: as ada',
    ]));
  });
});

describe('a function in place of', () => {
  const unknown = (what: string, why: string) =>
    perhaps(why, [`+ Role: as any user that matches ${what}`, ...sure.slice(1)]);
  test.each<[string, unknown, string[]]>([
    ['a statement', { 'Fn::If': ['C', EVERYTHING, NO_VALUE] }, perhaps(CONDITION)],
    ['two statements', { 'Fn::If': ['C', [allows(arnOf('ada'))], allows(arnOf('grace'))] },
      perhaps(CONDITION, sure.slice(1))],
    ['a statement that the deployment makes', { 'Fn::Transform': { Name: 'Other' } },
      unknown('${{"Fn::Transform":{"Name":"Other"}}}', 'the policy is known to the deployment alone')],
    ['an effect', allows('*', '*', { Effect: { Ref: 'Effect' } }),
      perhaps('the Effect in its policy is known to the deployment alone')],
    ['an effect of two', allows('*', '*', { Effect: { 'Fn::If': ['C', 'Allow', 'Deny'] } }), perhaps(CONDITION)],
    ['an action', allows('*', { Ref: 'Action' }), perhaps('the Action in its policy is known to the deployment alone')],
    ['an action of two', allows('*', { 'Fn::If': ['C', ['rds-db:*'], 's3:*'] }),
      perhaps('the Action in its policy is known to the deployment alone')],
    ['an action that is excepted', { Effect: 'Allow', NotAction: { Ref: 'Action' }, Resource: '*' },
      perhaps('the Action in its policy is known to the deployment alone')],
    ['an action of another service', allows('*', { 'Fn::Sub': 's3:${Verb}' }), []],
    ['a resource', allows({ 'Fn::If': ['C', '*', 'arn:aws:s3:::b'] }), perhaps(CONDITION)],
    ['a resource that the deployment knows', allows({ Ref: 'Open' }, '*'),
      unknown('${App.Open}', 'the ARN in its policy is known to the deployment alone')],
    ['the ARN of something else', allows({ 'Fn::GetAtt': ['Bucket', 'Arn'] }, '*'), []],
    ['nothing', NO_VALUE, []],
  ])('%s', (_, statement, expected) => {
    expect(granted(statement).map(text => text.replace(' (perhaps: a Deny statement may refuse some)', ''))).toEqual(
      expected,
    );
  });

  test('a document, an inline policy, or all of them', () => {
    const inline = { PolicyName: 'p', PolicyDocument: { Statement: EVERYTHING } };
    const role = (Policies: unknown) => changes({}, { Role: { Type: 'AWS::IAM::Role', Properties: { Policies } } });
    expect(role({ 'Fn::If': ['C', [inline], NO_VALUE] })).toEqual(perhaps(CONDITION));
    expect(role([{ 'Fn::If': ['C', inline, NO_VALUE] }])).toEqual(perhaps(CONDITION));
    expect(role([{ PolicyDocument: { 'Fn::If': ['C', inline.PolicyDocument, { Statement: [] }] } }])).toEqual(
      perhaps(CONDITION),
    );
    expect(role([{ PolicyDocument: { 'Fn::ToJsonString': inline.PolicyDocument } }])).toEqual(sure);
    expect(role([inline])).toEqual(sure);
  });

  test('another function is a change', () => {
    const [one, other] = ['One', 'Other'].map(Name => policy({ 'Fn::Transform': { Name } }));
    expect(changes(one, one)).toEqual([]);
    expect(changes(one, other)).toEqual([
      `+ Role: as any user that matches \${${JSON.stringify({ 'Fn::Transform': { Name: 'Other' } })}} (perhaps: the policy is known to the deployment alone)`,
      `- Role: as any user that matches \${${JSON.stringify({ 'Fn::Transform': { Name: 'One' } })}} (perhaps: the policy is known to the deployment alone)`,
    ]);
  });
});

describe('a statement that denies', () => {
  const denied = (deny: object, environment: object = IRELAND) =>
    changes({}, policy(allows(arnOf('ada')), { ...allows(arnOf('ada')), Effect: 'Deny', ...deny }), environment);
  const ada = '+ Cluster: Role: as ada';
  test.each<[string, object, string[]]>([
    ['always', {}, []],
    ['under a condition, which RDS does not evaluate', { Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      perhaps('a Deny statement may refuse it', [ada])],
    ['what the deployment knows', { Action: { Ref: 'Action' } }, perhaps('a Deny statement may refuse it', [ada])],
    ['an ARN across its parts', { Resource: 'arn:aws:rds-db:*ada' }, perhaps('a Deny statement may refuse it', [ada])],
    ['another user', { Resource: arnOf('grace') }, [ada]],
  ])('%s', (_, deny, expected) => {
    expect(denied(deny)).toEqual(expected);
  });

  test('another Region than the one of a stack that leaves its own open', () => {
    const Resource = 'arn:aws:rds-db:us-east-1:*:dbuser:*/*';
    const anywhere = {
      Effect: 'Allow',
      Action: 'rds-db:connect',
      Resource: { 'Fn::Join': ['', ['arn:aws:rds-db:*:*:dbuser:', ID, '/ada']] },
    };
    const texts = (environment: object) =>
      changes({}, policy(anywhere, { ...anywhere, Effect: 'Deny', Resource }), environment);
    expect(texts({})).toEqual(perhaps('a Deny statement may refuse it', [ada]));
    expect(texts({ region: 'us-east-1' })).toEqual([]);
    expect(texts(IRELAND)).toEqual([ada]);
  });
});

test('a pattern of another Region or account is another one, and one of all of them includes it', () => {
  const everyUser = (where: string) => policy(allows(`arn:aws:rds-db:${where}:dbuser:*/*`));
  const [region, other, all] = ['eu-north-1:1', 'us-east-1:1', '*:*'].map(everyUser);
  expect(changes(region, other)).toEqual(['+ Role: as any user that matches *', '- Role: as any user that matches *']);
  expect(changes(region, all).filter(text => !text.includes('Cluster'))).toEqual([
    '+ Role: as any user that matches *',
  ]);
  expect(changes(all, region).filter(text => text.startsWith('+'))).toEqual([]);
  expect(changes(policy(allows('*')), region).filter(text => text.startsWith('+'))).toEqual([]);
});

test('a boundary that allows by a wildcard across the ARN', () => {
  const bounded = (...Statement: object[]) => changes({}, {
    ...policy(allows(arnOf('ada'))),
    Boundary: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Statement } } },
    Role: { Type: 'AWS::IAM::Role', Properties: { PermissionsBoundary: { Ref: 'Boundary' } } },
  }).filter(text => !text.includes('identities with the policy'));
  expect(bounded(allows('arn:aws:rds-db:*'))).toEqual(['+ Cluster: Role: as ada']);
  expect(bounded({ 'Fn::If': ['C', EVERYTHING, NO_VALUE] })).toEqual([
    '+ Cluster: Role: as ada (perhaps: its permissions boundary may refuse it)',
  ]);
  expect(bounded(allows('*', 's3:*'))).toEqual([]);
});

describe('managed policies', () => {
  const Managed: ResourceDefinition = {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { ManagedPolicyName: 'db', PolicyDocument: { Statement: [allows(arnOf('ada'))] } },
  };
  const set = (properties: object): Resources => ({
    Managed,
    Set: { Type: 'AWS::SSO::PermissionSet', Properties: { Name: 'S', ...properties } },
  });

  test('that a permission set names, of the account', () => {
    expect(changes(set({}), set({ CustomerManagedPolicyReferences: [{ Name: 'db' }] }))).toEqual([
      '+ Cluster: permission set Set: as ada',
    ]);
    expect(changes(set({}), set({ CustomerManagedPolicyReferences: [{ Name: 'other' }] }))).toEqual([
      '+ permission set Set: whatever managed policy other allows (perhaps: its statements are in none of the templates; pass --policy <arn>=<file>)',
    ]);
  });

  test('that a role has by the ARN, and what is no policy', () => {
    const role = (...ManagedPolicyArns: unknown[]): Resources => ({
      Managed,
      Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns } },
    });
    expect(changes(role(), role('arn:aws:iam::1:policy/team/db', NO_VALUE))).toEqual(['+ Cluster: Role: as ada']);
  });

  test('of a group that a user joins', () => {
    const user = (...Groups: string[]): Resources => ({
      Group: {
        Type: 'AWS::IAM::Group',
        Properties: { GroupName: 'g', ManagedPolicyArns: ['arn:aws:iam::1:policy/other'] },
      },
      User: { Type: 'AWS::IAM::User', Properties: { Groups } },
    });
    expect(changes(user(), user('g'))).toEqual([
      '+ IAM user User: whatever managed policy arn:aws:iam::1:policy/other allows (perhaps: its statements are in none of the templates; pass --policy <arn>=<file>)',
    ]);
  });
});

test('a username that is more than a tag is a pattern', () => {
  expect(granted(allows(arnOf('${aws:PrincipalTag/User}')))).toEqual(['+ Cluster: Role: as the user in its tag User']);
  expect(granted(allows(arnOf('${aws:PrincipalTag/User}*'))))
    .toEqual(['+ Cluster: Role: as any user that matches ${aws:PrincipalTag/User}*']);
});

describe('who may assume a role', () => {
  const trusted = (AssumeRolePolicyDocument: unknown) => changes({}, {
    ...policy(allows(arnOf('ada'))), Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument } },
  }).filter(text => text.includes('assume'));
  const statement = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '2' } };
  const may = (who: string, why?: string) => [
    `+ principal ${who}: may assume Role${why === undefined ? '' : ` (perhaps: ${why})`}`,
  ];
  const alone = 'the trust policy is known to the deployment alone';
  test.each<[string, unknown, string[]]>([
    ['a statement', { Statement: statement }, may('2')],
    ['JSON', JSON.stringify({ Statement: [statement] }), may('2')],
    ['a condition of the template', { Statement: [{ 'Fn::If': ['C', statement, NO_VALUE] }] }, may('2', CONDITION)],
    ['a principal under one', { Statement: { ...statement, Principal: { 'Fn::If': ['C', '*', { AWS: '2' }] } } },
      may('2, principal every principal', CONDITION)],
    ['an effect that the deployment knows', { Statement: { ...statement, Effect: { Ref: 'Effect' } } },
      may('2', 'the Effect in its policy is known to the deployment alone')],
    ['all but one', { Statement: { ...statement, Principal: undefined, NotPrincipal: { AWS: '2' } } },
      may('every principal but 2')],
    ['a function', { Statement: [{ 'Fn::Transform': { Name: 'T' } }] }, may('${{"Fn::Transform":{"Name":"T"}}}', alone)],
    ['a parameter', { Ref: 'Trust' }, may('${App.Trust}', alone)],
  ])('by %s', (_, document, expected) => {
    expect(trusted(document).sort()).toEqual(expected.sort());
  });
});
