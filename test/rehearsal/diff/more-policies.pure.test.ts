import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssemblyStack, CloudAssembly } from '../../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition } from '../../../rehearsal/cloudformation/template';
import { accessDiff } from '../../../rehearsal/diff/access-diff';
import { declaredAccess } from '../../../rehearsal/diff/declared-access';
import { linesOfDiff } from '../../../rehearsal/diff/diff-text';

type Resources = Record<string, ResourceDefinition>;

const ID = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };
const BASE: Resources = {
  Cluster: { Type: 'AWS::RDS::DBCluster' },
  Ada: { Type: 'Custom::RdsIamUser', Properties: { Database: { ResourceId: ID }, Username: 'ada' } },
};
const stackOf = (resources: Resources, more: Partial<AssemblyStack> = {}): AssemblyStack => ({
  id: 'App', name: 'App', template: { Resources: { ...BASE, ...resources } }, templateBytes: 0, dependencies: [], parameters: {}, nested: {},
  account: '1', region: 'eu-west-1', ...more,
});
const gains = (after: Resources, before: Resources = {}) => linesOfDiff(accessDiff(declaredAccess([stackOf(before)]), declaredAccess([stackOf(after)])))
  .map(({ sign, text }) => `${sign} ${text.replaceAll('App/', '')}`);
const ARN = { 'Fn::Join': ['', ['arn:aws:rds-db:eu-west-1:1:dbuser:', ID, '/ada']] };
const STATEMENT = { Effect: 'Allow', Action: 'rds-db:connect', Resource: ARN };
const DOCUMENT = { Version: '2012-10-17', Statement: [STATEMENT] };
const EITHER = (value: unknown, other: unknown = { Ref: 'AWS::NoValue' }) => ({ 'Fn::If': ['C', value, other] });
const WHY = ' (perhaps: only under condition C)';

describe('the role that AWS SAM makes', () => {
  const of = (properties: object, Type = 'AWS::Serverless::Function') => gains({ Orders: { Type, Properties: { ...properties } } });
  const LAMBDA = '+ principal Service lambda.amazonaws.com: may assume OrdersRole';
  const SIGNS_IN = '+ Cluster: IAM role OrdersRole: signs in as ada';

  test.each<[string, unknown]>([
    ['a document', DOCUMENT], ['a list', [DOCUMENT, { DynamoDBReadPolicy: { TableName: 't' } }, { VPCAccessPolicy: {} }]],
  ])('has the policies of the function: %s', (_, Policies) => {
    expect(of({ Policies })).toEqual([LAMBDA, SIGNS_IN]);
  });

  test('has managed policies by ARN and by name', () => {
    expect(of({ Policies: ['AdministratorAccess', 'arn:aws:iam::1:policy/Base'] })).toEqual([
      '+ IAM role OrdersRole: signs in as any user that matches *',
      '+ IAM role OrdersRole: whatever managed policy arn:aws:iam::1:policy/Base allows (perhaps: its statements are in none of the templates; pass --policy <arn>=<file>)',
      LAMBDA, SIGNS_IN,
    ]);
  });

  test('is that of the function to which another policy is attached', () => {
    expect(gains({
      Orders: { Type: 'AWS::Serverless::Function', Properties: {} },
      Policy: { Type: 'AWS::IAM::Policy', Properties: { Roles: [{ Ref: 'OrdersRole' }], PolicyDocument: DOCUMENT } },
    })).toEqual([LAMBDA, SIGNS_IN]);
  });

  test('is not there for a function that has a role, and perhaps where a condition decides', () => {
    expect(of({ Policies: DOCUMENT, Role: 'arn:aws:iam::1:role/own' })).toEqual([]);
    expect(of({ Policies: DOCUMENT, Role: EITHER('arn:aws:iam::1:role/own') })).toEqual([LAMBDA, `${SIGNS_IN} (perhaps: only where it has no role of its own)`]);
    expect(of({ Policies: EITHER(DOCUMENT) })).toEqual([LAMBDA, `${SIGNS_IN}${WHY}`]);
  });

  test('may be restricted by a boundary, and is assumed by what the function names', () => {
    expect(of({ Policies: DOCUMENT, PermissionsBoundary: 'arn:aws:iam::1:policy/Bounds', AssumeRolePolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '2' } }] } })).toEqual([
      '+ principal 2: may assume OrdersRole', `${SIGNS_IN} (perhaps: its permissions boundary may refuse it)`,
    ]);
  });

  test('of a state machine is assumed by Step Functions', () => {
    expect(of({ Policies: [DOCUMENT] }, 'AWS::Serverless::StateMachine')).toEqual(['+ principal Service states.amazonaws.com: may assume OrdersRole', SIGNS_IN]);
  });
});

describe('a condition', () => {
  const GROUP: Resources = { Team: { Type: 'AWS::IAM::Group', Properties: {} }, Eve: { Type: 'AWS::IAM::User', Properties: {} } };
  const attached = (properties: object) => gains({ ...GROUP, Policy: { Type: 'AWS::IAM::Policy', Properties: { PolicyDocument: DOCUMENT, ...properties } } }, GROUP);

  test.each<[string, object, string[]]>([
    ['a user', { Users: [EITHER({ Ref: 'Eve' })] }, [`+ Cluster: IAM user Eve: signs in as ada${WHY}`]],
    ['users', { Users: EITHER([{ Ref: 'Eve' }], ['bob']) }, [`+ Cluster: IAM user Eve, IAM user bob: signs in as ada${WHY}`]],
    ['a group', { Groups: [EITHER({ Ref: 'Team' })] }, [`+ Cluster: IAM group Team: signs in as ada${WHY}`]],
    ['a role', { Roles: [EITHER('app', 'other')] }, [`+ Cluster: IAM role app, IAM role other: signs in as ada${WHY}`]],
    ['nobody', { Users: [{ Ref: 'AWS::NoValue' }] }, []],
  ])('of whom a policy is attached to: %s', (_, properties, expected) => {
    expect(attached(properties)).toEqual(expected);
  });

  const POLICY: Resources = { Policy: { Type: 'AWS::IAM::Policy', Properties: { Groups: [{ Ref: 'Team' }], PolicyDocument: DOCUMENT } } };
  const user = (Groups: unknown, more: object = {}): Resources => ({ Eve: { Type: 'AWS::IAM::User', Properties: { Groups }, ...more } });
  const addition = (Properties: object, more: object = {}): Resources => ({ Addition: { Type: 'AWS::IAM::UserToGroupAddition', Properties: { ...Properties }, ...more } });

  test.each<[string, Resources, string]>([
    ['of a user', user([EITHER({ Ref: 'Team' })]), WHY],
    ['of a user, both ways', user(EITHER([{ Ref: 'Team' }], [{ Ref: 'Team' }])), WHY],
    ['of a user that may not be there', user([{ Ref: 'Team' }], { Condition: 'C' }), ' (perhaps: only under condition C of stack App)'],
    ['of who is added', addition({ GroupName: { Ref: 'Team' }, Users: EITHER([{ Ref: 'Eve' }]) }), WHY],
    ['of what they are added to', addition({ GroupName: EITHER({ Ref: 'Team' }, 'other'), Users: [{ Ref: 'Eve' }] }), WHY],
    ['of the addition', addition({ GroupName: { Ref: 'Team' }, Users: [{ Ref: 'Eve' }] }, { Condition: 'C' }), ' (perhaps: only under condition C of stack App)'],
    ['of nothing', addition({ GroupName: { Ref: 'Team' }, Users: [{ Ref: 'Eve' }] }), ''],
  ])('%s in the groups', (_, resources, why) => {
    expect(gains({ ...GROUP, ...POLICY, ...resources }, { ...GROUP, ...POLICY })).toEqual([`+ Cluster: IAM user Eve: signs in as ada${why}`]);
  });

  test('of the managed policies and of the boundary of a role', () => {
    const role = (Properties: object): Resources => ({
      Base: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: DOCUMENT } }, Role: { Type: 'AWS::IAM::Role', Properties: { ...Properties } },
    });
    expect(gains(role({ ManagedPolicyArns: [EITHER({ Ref: 'Base' })] }), role({}))).toEqual([`+ Cluster: IAM role Role: signs in as ada${WHY}`]);
    expect(gains(role({ ManagedPolicyArns: [{ Ref: 'Base' }], PermissionsBoundary: EITHER({ Ref: 'Base' }) }), role({}))).toEqual([
      '+ Cluster: IAM role Role: signs in as ada (perhaps: its permissions boundary may refuse it)',
    ]);
  });
});

describe('a permission set', () => {
  const SET: ResourceDefinition = { Type: 'AWS::SSO::PermissionSet', Properties: { Name: 'Support', InlinePolicy: DOCUMENT } };
  const assignment = (properties: object = {}, more: object = {}): ResourceDefinition => ({
    Type: 'AWS::SSO::Assignment',
    Properties: { PermissionSetArn: { 'Fn::GetAtt': ['Set', 'PermissionSetArn'] }, PrincipalType: 'GROUP', PrincipalId: 'g-1', TargetType: 'AWS_ACCOUNT', TargetId: '444455556666', ...properties },
    ...more,
  });

  test('shows whom it is assigned to, and where', () => {
    expect(gains({ Set: SET, Assignment: assignment() }, { Set: SET })).toEqual(['+ principal GROUP g-1: may assume Set in account 444455556666']);
    expect(gains({ Set: SET, Assignment: assignment({}, { Condition: 'C' }) }, { Set: SET })).toEqual([
      '+ principal GROUP g-1: may assume Set in account 444455556666 (perhaps: only under condition C of stack App)',
    ]);
  });

  test('that signs in as no user, or is another one, shows nothing', () => {
    const none: ResourceDefinition = { ...SET, Properties: { Name: 'Support' } };
    expect(gains({ Set: none, Assignment: assignment() })).toEqual([]);
    expect(gains({ Set: SET, Assignment: assignment({ PermissionSetArn: 'arn:aws:sso:::permissionSet/x/y' }) }, { Set: SET })).toEqual([]);
  });

  test('may be restricted by its boundary', () => {
    const bounded = (PermissionsBoundary: unknown): Resources => ({ Set: { ...SET, Properties: { ...SET.Properties, PermissionsBoundary } } });
    const perhaps = ['+ Cluster: permission set Set: signs in as ada (perhaps: its permissions boundary may refuse it)'];
    expect(gains(bounded({ ManagedPolicyArn: 'arn:aws:iam::aws:policy/Unheard' }))).toEqual(perhaps);
    expect(gains(bounded({ CustomerManagedPolicyReference: { Name: 'Elsewhere' } }))).toEqual(perhaps);
    expect(gains(bounded({ ManagedPolicyArn: 'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore' }))).toEqual([]);
  });
});

describe('a policy that a custom resource writes', () => {
  const call = (parameters: object) => ({
    'Fn::Join': ['', JSON.stringify({ action: 'putRolePolicy', parameters }).split('ARN').flatMap((text, index) => index === 0 ? [text] : [ARN, text])],
  });
  const inJson = { PolicyDocument: JSON.stringify({ ...DOCUMENT, Statement: [{ ...STATEMENT, Resource: 'ARN' }] }), RoleName: 'x' };

  test.each<[string, object]>([['as an object', { Policy: { PolicyDocument: DOCUMENT } }], ['in JSON within JSON', { Create: call(inJson) }]])('%s', (_, Properties) => {
    expect(gains({ Writer: { Type: 'Custom::AWS', Properties: { ...Properties } } })).toEqual(['+ Cluster: identities with the policy Writer: signs in as ada']);
  });

  test('is not one of a resource, nor the trust policy of a role', () => {
    expect(gains({ Writer: { Type: 'Custom::AWS', Properties: {
      Policy: { Statement: [{ ...STATEMENT, Principal: '*' }] }, AssumeRolePolicyDocument: DOCUMENT,
    } } })).toEqual([]);
  });

  test('by its ARN is one that may be unknown', () => {
    expect(gains({ Writer: { Type: 'Custom::AWS', Properties: { PolicyArn: 'arn:aws:iam::1:policy/Base' } } })).toEqual([
      '+ identities with the policy Writer: whatever managed policy arn:aws:iam::1:policy/Base allows (perhaps: its statements are in none of the templates; pass --policy <arn>=<file>)',
    ]);
  });
});

describe('a template that a stack set deploys', () => {
  const ROLE = { Role: { Type: 'AWS::IAM::Role', Properties: { Policies: [{ PolicyDocument: { ...DOCUMENT, Statement: [{ ...STATEMENT, Resource: 'ARN' }] } }] } } };
  const set = (Properties: object): Resources => ({ Set: { Type: 'AWS::CloudFormation::StackSet', Properties: { ...Properties } } });
  const body = (text: string) => ({ TemplateBody: { 'Fn::Join': ['', text.split('ARN').flatMap((part, index) => index === 0 ? [part] : [ARN, part])] } });
  const READ = ['+ Cluster: IAM role Set/Role: signs in as ada'];

  test('in a property, which refers to the database of the app', () => {
    expect(gains(set(body(JSON.stringify({ Resources: ROLE }))))).toEqual(READ);
  });

  test('in a file, with a parameter', () => {
    const properties = { TemplateURL: 'https://s3/x.json', Parameters: [{ ParameterKey: 'User', ParameterValue: ARN }] };
    const template = JSON.parse(JSON.stringify({ Resources: ROLE, Parameters: { User: { Type: 'String' } } }).replace('"ARN"', '{"Ref":"User"}')) as AssemblyStack['template'];
    const after = stackOf(set(properties), { stackSets: { Set: stackOf({}, { id: 'App/Set', name: 'App/Set', template }) } });
    const texts = linesOfDiff(accessDiff(declaredAccess([stackOf({})]), declaredAccess([after]))).map(({ sign, text }) => `${sign} ${text.replaceAll('App/', '')}`);
    expect(texts).toEqual(READ);
  });

  test('in a file of the cloud assembly, that its asset or its URL names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'stack-set-'));
    const write = (name: string, content: unknown) => writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    const sets = {
      ByAsset: { Type: 'AWS::CloudFormation::StackSet', Metadata: { 'aws:asset:path': 'set.json' }, Properties: { TemplateURL: 'https://s3/x' } },
      ByUrl: { Type: 'AWS::CloudFormation::StackSet', Properties: { TemplateURL: { 'Fn::Sub': 'https://s3/${AWS::Region}/abc.json' } } },
      Yaml: { Type: 'AWS::CloudFormation::StackSet', Metadata: { 'aws:asset:path': 'set.yaml' }, Properties: { TemplateURL: 'https://s3/y' } },
    };
    write('set.json', { Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { Policies: [{ PolicyDocument: { Statement: { ...STATEMENT, Resource: '*' } } }] } } } });
    write('set.yaml', 'Resources: {}');
    write('App.json', { Resources: sets });
    write('App.assets.json', { files: { abc: { source: { path: 'set.json' }, destinations: { d: { objectKey: 'abc.json' } } } } });
    write('manifest.json', { artifacts: {
      Assets: { type: 'cdk:asset-manifest', properties: { file: 'App.assets.json' } }, App: { type: 'aws:cloudformation:stack', properties: { templateFile: 'App.json' } },
    } });
    expect(declaredAccess(new CloudAssembly(folder).stacks).map(({ who, access }) => `${who.name}: ${access.kind}`)).toEqual([
      'App/Yaml: unknown', 'App/ByAsset/Role: signIn', 'App/ByUrl/Role: signIn',
    ]);
    rmSync(folder, { recursive: true });
  });

  test('that is no JSON may allow anything, and another thing when it changes', () => {
    const unread = '+ principal Set: whatever the template that it deploys allows (perhaps: it is no JSON in the folder)';
    expect(gains(set({ TemplateBody: 'Resources: {}' }))).toEqual([unread]);
    expect(gains(set({ TemplateBody: 'Resources: {}' }), set({ TemplateBody: 'Resources: {}' }))).toEqual([]);
    expect(gains(set({ TemplateURL: 'https://b' }), set({ TemplateURL: 'https://a' }))).toEqual([unread, unread.replace('+', '-')]);
    expect(gains({ Nested: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://a' } } })).toEqual([unread.replace('Set', 'Nested')]);
  });
});
