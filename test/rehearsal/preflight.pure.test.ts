import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition, Template } from '../../rehearsal/cloudformation/template';
import { GivenValues, preflight } from '../../rehearsal/plan/preflight';
import { updateProblems } from '../../rehearsal/plan/update';

const NOTHING: GivenValues = { parameters: {}, exports: {}, ssm: {}, policies: {}, majors: [] };
const CODE = new Map([['code', mkdtempSync(`${tmpdir()}/code-`)]]);

const stack = (Resources: Template['Resources'], others: Partial<Template> = {}, more: Partial<AssemblyStack> = {}): AssemblyStack =>
  ({ id: 'Shop', name: 'Shop', template: { Resources, ...others }, templateBytes: 1000, dependencies: [], parameters: {}, nested: {}, ...more });

const cluster = (Properties = {}): ResourceDefinition => ({ Type: 'AWS::RDS::DBCluster', Properties: { Engine: 'aurora-postgresql', EngineVersion: '17.7', ...Properties } });
const user = (ResourceId: unknown, Properties = {}): ResourceDefinition =>
  ({ Type: 'Custom::RdsIamUser', Properties: { ServiceToken: { 'Fn::GetAtt': ['Handler', 'Arn'] }, Database: { ResourceId }, Username: 'orders', ...Properties } });
const HANDLER: ResourceDefinition = { Type: 'AWS::Lambda::Function', Properties: { Code: { S3Key: 'code' }, Environment: { Variables: { DATABASE_RESOURCE_ID: 'x' } } } };
const OF_CLUSTER = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };
const SHOP = { Cluster: cluster(), Handler: HANDLER, User: user(OF_CLUSTER) };

const check = (resources: Template['Resources'], others: Partial<Template> = {}, given: Partial<GivenValues> = {}, more: Partial<AssemblyStack> = {}) =>
  preflight([stack(resources, others, more)], CODE, { ...NOTHING, ...given });

describe('what is needed', () => {
  test('is what users reach, and what is attached to it', () => {
    const { problems, plan, notNeeded } = check({
      ...SHOP,
      Writer: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'aurora-postgresql', DBClusterIdentifier: { Ref: 'Cluster' } } },
      Attachment: { Type: 'AWS::SecretsManager::SecretTargetAttachment', Properties: { SecretId: { Ref: 'Secret' }, TargetId: { Ref: 'Cluster' } } },
      Secret: { Type: 'AWS::SecretsManager::Secret' },
      Other: cluster(),
      OtherSecret: { Type: 'AWS::SecretsManager::Secret' },
      Mysql: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'mysql' } },
      Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { 'Fn::Unheard': 1 } } },
    });
    expect(problems).toEqual([]);
    expect(['Cluster', 'Handler', 'User', 'Writer', 'Attachment', 'Secret'].filter(id => !plan.isNeeded('Shop', id))).toEqual([]);
    expect(Object.fromEntries(notNeeded)).toEqual({
      'AWS::RDS::DBCluster': ['Shop/Other'],
      'AWS::RDS::DBInstance': ['Shop/Mysql'],
      'AWS::S3::Bucket': ['Shop/Bucket'],
      'AWS::SecretsManager::Secret': ['Shop/OtherSecret'],
    });
  });

  test('goes through exports, outputs and parameters of nested stacks', () => {
    const nested = stack({ Cluster: cluster() }, { Outputs: { Id: { Value: OF_CLUSTER } } }, { id: 'Shop/Nested', name: 'Shop/Nested' });
    const data = stack({ Nested: { Type: 'AWS::CloudFormation::Stack', Properties: {} } }, { Outputs: { Id: { Value: { 'Fn::GetAtt': ['Nested', 'Outputs.Id'] }, Export: { Name: 'Shop:Id' } } } }, { nested: { Nested: nested } });
    const team = (resourceId: unknown) => stack({ Handler: HANDLER, User: user(resourceId) }, {}, { id: 'Team', name: 'Team' });
    for (const resourceId of [{ 'Fn::ImportValue': 'Shop:Id' }, { 'Fn::GetStackOutput': { StackName: 'Shop', OutputName: 'Id' } }]) {
      const { problems, notes, plan } = preflight([data, team(resourceId)], CODE, NOTHING);
      expect({ problems, notes }).toEqual({ problems: [], notes: [] });
      expect(plan.isNeeded('Shop/Nested', 'Cluster')).toBe(true);
    }
  });
});

test('an import is of the account and Region of its stack', () => {
  const environment = (account: string, id: string) => ({ id: `${id}-${account}`, name: id, account, region: 'eu-west-1' });
  const data = (account: string) => stack({ Cluster: cluster() }, { Outputs: { Id: { Value: OF_CLUSTER, Export: { Name: 'Data:Id' } } } }, environment(account, 'Data'));
  const team = stack({ Handler: HANDLER, User: user({ 'Fn::ImportValue': 'Data:Id' }) }, {}, environment('222222222222', 'Team'));
  const { plan } = preflight([data('111111111111'), data('222222222222'), team], CODE, NOTHING);
  expect(['111111111111', '222222222222'].map(account => plan.isNeeded(`Data-${account}`, 'Cluster'))).toEqual([false, true]);
});

describe('what stops a rehearsal', () => {
  test.each<[string, () => ReturnType<typeof check>, string[]]>([
    ['no user', () => check({ Cluster: cluster() }), ["no user or role of cdk-aurora-iam-auth is in stack Shop: add one, such as new AuroraIamAuth(this, 'IamAuth', { cluster }).addUser('orders')"]],
    ['code that is not there', () => check({ ...SHOP, Handler: { ...HANDLER, Properties: { ...HANDLER.Properties, Code: { S3Key: 'none' } } } }),
      ['the code of Shop/Handler is not in the cloud assembly: run cdk synth again, and give the whole folder']],
    ['a folder that has no code of it', () => check({ ...SHOP, Handler: { ...HANDLER, Properties: { ...HANDLER.Properties, Handler: 'none.handler' } } }),
      [`the code of Shop/Handler is not in the cloud assembly (${[...CODE.values()][0]}): run cdk synth again, and give the whole folder`]],
    ['501 resources', () => check({ ...SHOP, ...Object.fromEntries(Array.from({ length: 498 }, (_, i) => [`Topic${i}`, { Type: 'AWS::SNS::Topic' }])) }),
      ['stack Shop has 501 resources: CloudFormation takes 500; move some to another stack, or declare users with addUsers()']],
    ['a large template', () => check(SHOP, {}, {}, { templateBytes: 1_000_001 }),
      ['the template of stack Shop has 1000001 bytes: CloudFormation takes 1000000; move resources to another stack, or cdk synth without indentation (suppressTemplateIndentation)']],
    ['a loop', () => check({ ...SHOP, 'Fn::ForEach::Topics': { Type: 'AWS::SNS::Topic' } }), ['stack Shop: its template has Fn::ForEach::Topics, which is not rehearsed']],
    ['an unknown condition', () => check({ ...SHOP, Topic: { Type: 'AWS::SNS::Topic', Condition: 'None' } }), ['stack Shop: Resources.Topic: Conditions.None: template has no condition None']],
  ])('is %s', (_name, checked, problems) => {
    expect(checked().problems).toEqual(problems);
  });

  test('is not 500 resources, nor a template that is just small enough', () => {
    const topics = Object.fromEntries(Array.from({ length: 497 }, (_, i) => [`Topic${i}`, { Type: 'AWS::SNS::Topic' }]));
    expect(check({ ...SHOP, ...topics }, {}, {}, { templateBytes: 1_000_000 }).problems).toEqual([]);
  });
});

describe('what is told before anything starts', () => {
  const BOUNDARY = 'arn:aws:iam::111122223333:policy/Boundary';
  const role = (Properties: object): ResourceDefinition => ({ Type: 'AWS::IAM::Role', Properties: { ...Properties } });

  test.each<[string, () => string[], string[]]>([
    ['a version that is not installed', () => check({ ...SHOP, Cluster: cluster({ EngineVersion: '11.9' }) }, {}, { majors: [17] }).notes, ['Shop/Cluster asks for PostgreSQL 11.9: 17 is used']],
    ['a snapshot', () => check({ ...SHOP, Cluster: cluster({ SnapshotIdentifier: 'old' }) }).notes,
      ['Shop/Cluster is restored from snapshot old: an empty database stands in, with the objects that the users name']],
    ['a database of another app', () => check({ Handler: HANDLER, User: user('cluster-ABC') }).notes,
      ['database cluster-ABC is of another app: an empty one stands in, with the objects that the users name']],
    ['a database behind an export of another app', () => check({ Handler: HANDLER, User: user({ 'Fn::ImportValue': 'Platform:Id' }) }).notes,
      ['the database of export Platform:Id is of another app: an empty one stands in, with the objects that the users name', 'export Platform:Id is of another app: its value is invented; --export gives it']],
    ['a permissions boundary', () => check({ ...SHOP, Role: role({ PermissionsBoundary: BOUNDARY }) }).notes,
      [`permissions boundary ${BOUNDARY} of 1 role is not known: provisioners work as if it allowed all, logins are shown as "?"; --policy ${BOUNDARY}=<file> gives it`]],
    ['a permissions boundary that is given', () => check({ ...SHOP, Role: role({ PermissionsBoundary: BOUNDARY }) }, {}, { policies: { Boundary: { Version: '2012-10-17', Statement: [] } } }).notes, []],
    ['a policy of AWS that is known', () => check({ ...SHOP, Role: role({ ManagedPolicyArns: [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/AmazonSSMManagedInstanceCore']] }] }) }).notes, []],
    ['a policy of AWS that is not', () => check({ ...SHOP, Role: role({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] }) }).notes,
      ['managed policy arn:aws:iam::aws:policy/ReadOnlyAccess of 1 role is not known: logins of this role are shown as "?"; --policy arn:aws:iam::aws:policy/ReadOnlyAccess=<file> gives it']],
    ['a parameter of Systems Manager', () => check({ ...SHOP, Host: { Type: 'AWS::EC2::Instance', Properties: { ImageId: { Ref: 'Image' } } } },
      { Parameters: { Image: { Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: '/ami' } } }).notes,
    ['parameter /ami of Systems Manager is not in the app: its value is invented; --ssm /ami=<value> gives it']],
    ['a parameter without a value', () => check({ ...SHOP, Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { Ref: 'Name' } } } }, { Parameters: { Name: { Type: 'String' } } }).notes,
      ['parameter Name (String) of stack Shop has no value: it is invented; --parameter Name=<value> gives it']],
    ['a parameter that is given', () => check({ ...SHOP, Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { Ref: 'Name' } } } }, { Parameters: { Name: { Type: 'String' } } }, { parameters: { 'Shop:Name': 'x' } }).notes, []],
    ['a transform', () => check(SHOP, { Transform: 'AWS::Serverless-2016-10-31' }).notes, ['stack Shop has the Transform "AWS::Serverless-2016-10-31": it is not applied']],
    ['custom resources of the app', () => check({ ...SHOP, User: { ...SHOP.User, DependsOn: 'Seed' }, Seed: { Type: 'Custom::Seed' }, Other: { Type: 'Custom::Other' } }).notes, [
      'Shop/Seed (Custom::Seed) is a custom resource of the app that users wait for: its function runs, and if it fails it does nothing',
      'Shop/Other (Custom::Other) is a custom resource of the app: it does nothing',
    ]],
  ])('is %s', (_name, notes, expected) => {
    expect(notes()).toEqual(expected);
  });
});

describe('an update', () => {
  const service = (imports: boolean) => stack({ Topic: { Type: 'AWS::SNS::Topic', Properties: imports ? { Name: { 'Fn::ImportValue': 'Shop:Secret' } } : {} } }, {}, { id: 'Service', name: 'Service' });
  const data = (exports: boolean) => stack(SHOP, exports ? { Outputs: { Secret: { Value: 'x', Export: { Name: 'Shop:Secret' } } } } : {});
  const IN_USE = 'stack Shop cannot be updated: it no longer has the export Shop:Secret, which stack Service imports until it is updated itself. Keep it for one deployment with this.exportValue(...) in Shop';

  test.each<[string, AssemblyStack[], AssemblyStack[], string[]]>([
    ['an export that a later stack still imports', [data(true), service(true)], [data(false), service(false)], [IN_USE]],
    ['not an export that a stack before has ceased to import', [service(true), data(true)], [service(false), data(false)], []],
    ['not an export that stays', [data(true), service(true)], [data(true), service(false)], []],
    ['another type', [data(false)], [stack({ ...SHOP, Handler: { Type: 'AWS::SNS::Topic' } })],
      ['stack Shop cannot be updated: resource Handler is a AWS::Lambda::Function and would become a AWS::SNS::Topic; CloudFormation changes no type. Give it another id']],
    ['another service token', [data(false)], [stack({ ...SHOP, User: user(OF_CLUSTER, { ServiceToken: 'arn:x' }) })],
      ['stack Shop cannot be updated: the service token of User (Custom::RdsIamUser) would change from {"Fn::GetAtt":["Handler","Arn"]} to "arn:x", which CloudFormation refuses. Give the resource another id']],
  ])('refuses %s', (_name, from, to, problems) => {
    expect(updateProblems(from, to)).toEqual(problems);
  });
});
