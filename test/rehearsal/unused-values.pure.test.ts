import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';
import { Template } from '../../rehearsal/cloudformation/template';
import { unusedValue } from '../../rehearsal/plan/unused-values';

const NOTHING = { parameters: {}, exports: {}, ssm: {}, policies: {} };
const DOCUMENT = { Version: '2012-10-17', Statement: [] };
const BOUNDARY = 'arn:aws:iam::111122223333:policy/team/Boundary';

const stack = (template: Partial<Template>, others: Partial<AssemblyStack> = {}): AssemblyStack => ({
  id: 'Shop',
  name: 'Shop',
  template: { Resources: {}, ...template },
  templateBytes: 1,
  dependencies: [],
  parameters: {},
  nested: {},
  ...others,
});
const withRole = (Properties: object) =>
  stack({
    Resources: {
      Own: { Type: 'AWS::IAM::ManagedPolicy' },
      Role: { Type: 'AWS::IAM::Role', Properties: { ...Properties } },
    },
  });
const importing = (value: unknown) =>
  stack({ Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: value } } } });

const SHOP = stack({
  Parameters: { Suffix: { Type: 'String' }, Image: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/ami' } },
});

test.each<[string, AssemblyStack, Partial<typeof NOTHING>, string]>([
  ['a parameter', SHOP, { parameters: { Suffix: 'a', Sufix: 'secret' } },
    '--parameter Sufix: no stack of the app has this parameter; correct the name, or leave it out'],
  ['a parameter of another stack', SHOP, { parameters: { 'Other:Suffix': 'secret' } },
    '--parameter Other:Suffix: no stack of the app has this parameter; correct the name, or leave it out'],
  ['a parameter that all objects have', SHOP, { parameters: { constructor: 'x' } },
    '--parameter constructor: no stack of the app has this parameter; correct the name, or leave it out'],
  ['an export', importing({ 'Fn::ImportValue': 'Platform:Id' }), { exports: { 'Platform:ID': 'x' } },
    '--export Platform:ID: no stack of the app imports this export, or reads this output; correct the name, or leave it out'],
  ['an output', importing({ 'Fn::GetStackOutput': { StackName: 'Platform', OutputName: 'Id' } }),
    { exports: { 'Platform:Id': 'x' } },
    '--export Platform:Id: no stack of the app imports this export, or reads this output; correct the name, or leave it out'],
  ['a parameter of Systems Manager', SHOP, { ssm: { '/amis': 'x' } },
    '--ssm /amis: no stack of the app has a parameter with this name in Systems Manager; correct the name, or leave it out'],
  ['a policy', withRole({ PermissionsBoundary: BOUNDARY, ManagedPolicyArns: [{ Ref: 'Own' }] }),
    { policies: { Bounds: DOCUMENT } },
    '--policy Bounds: no identity of the app has this managed policy or permissions boundary; correct the name, or leave it out'],
  ['a policy of another account', withRole({ PermissionsBoundary: BOUNDARY }),
    { policies: { 'arn:aws:iam::444455556666:policy/team/Boundary': DOCUMENT } },
    '--policy arn:aws:iam::444455556666:policy/team/Boundary: no identity of the app has this managed policy or permissions boundary; correct the name, or leave it out'],
])('%s that nothing takes is told, without its value', (_name, of, given, expected) => {
  expect(unusedValue([of], { ...NOTHING, ...given })).toBe(expected);
});

test.each<[string, AssemblyStack, Partial<typeof NOTHING>]>([
  ['nothing', SHOP, {}],
  ['parameters of any stack, and of one', SHOP, { parameters: { 'Suffix': 'a', 'Shop:Suffix': 'b' } }],
  ['an export in an output, of a nested stack',
    stack(
      {},
      { nested: { N: { ...importing({ 'Fn::ImportValue': 'Platform:Id' }), id: 'Shop/N' } },
        template: { Resources: { N: { Type: 'AWS::CloudFormation::Stack' } } } },
    ),
    { exports: { 'Platform:Id': 'x' } }],
  ['an export whose name is made of known values',
    importing({ 'Fn::ImportValue': { 'Fn::Sub': '${AWS::StackName}:Id' } }), { exports: { 'Shop:Id': 'x' } }],
  ['an export whose name is not known',
    stack({ ...importing({ 'Fn::ImportValue': { 'Fn::Sub': '${Topic}:Id' } }).template }),
    { exports: { 'Any:Id': 'x' } }],
  ['an output', importing({ 'Fn::GetStackOutput': { StackName: 'Platform', OutputName: 'Id' } }),
    { exports: { 'Platform.Id': 'x' } }],
  ['the name that a template has in Systems Manager', SHOP, { ssm: { '/ami': 'x' } }],
  ['a name that is given as a parameter', SHOP, { parameters: { Image: '/other' }, ssm: { '/other': 'x' } }],
  ['a dynamic reference, whatever it is made of', importing({ 'Fn::Sub': '{{resolve:ssm:/${Stage}/name}}' }),
    { ssm: { '/prod/name': 'x' } }],
  ['a boundary by its ARN', withRole({ PermissionsBoundary: BOUNDARY }), { policies: { [BOUNDARY]: DOCUMENT } }],
  ['a policy by its name',
    withRole({ ManagedPolicyArns: [{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/Base' }] }),
    { policies: { Base: DOCUMENT } }],
  ['a policy where one is known to the deployment alone',
    withRole({ ManagedPolicyArns: [{ 'Fn::ImportValue': 'Base' }] }), { policies: { Base: DOCUMENT } }],
])('%s is taken', (_name, of, given) => {
  expect(unusedValue([of], { ...NOTHING, ...given })).toBeUndefined();
});
