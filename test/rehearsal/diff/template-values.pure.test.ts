import { AssemblyStack } from '../../../rehearsal/cloudformation/cloud-assembly';
import { Template } from '../../../rehearsal/cloudformation/template';
import { symbolText } from '../../../rehearsal/diff/symbols';
import { TemplateValues } from '../../../rehearsal/diff/template-values';

const stack = (id: string, template: Partial<Template>, more: Partial<AssemblyStack> = {}): AssemblyStack => ({
  id,
  name: id,
  template: { Resources: {}, ...template },
  templateBytes: 0,
  dependencies: [],
  parameters: {},
  nested: {},
  ...more,
});
const IRELAND = { account: '111111111111', region: 'eu-west-1' };
const CLUSTER = { Type: 'AWS::RDS::DBCluster', Metadata: { 'aws:cdk:path': 'Data/Cluster/Resource' } };
const ID = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };

const CHILD = stack('Data/Child', {
  Parameters: { Given: { Type: 'String' } },
  Resources: { Own: { Type: 'AWS::SNS::Topic' } },
  Outputs: { Back: { Value: { Ref: 'Given' } } },
});
const DATA = stack(
  'Data',
  {
    Parameters: { Name: { Type: 'String', Default: 'ada' } },
    Resources: {
      Cluster: CLUSTER,
      Proxy: { Type: 'AWS::RDS::DBProxy' },
      Child: { Type: 'AWS::CloudFormation::Stack', Properties: { Parameters: { Given: ID } } },
      Writer: {
        Type: 'Custom::CrossRegionExportWriter',
        Properties: { WriterProps: { exports: { '/cdk/exports/Id': ID } } },
      },
    },
    Outputs: { Id: { Value: ID, Export: { Name: { 'Fn::Sub': '${AWS::StackName}:Id' } } } },
  },
  { ...IRELAND, nested: { Child: CHILD } },
);
const APPS = stack(
  'Apps',
  { Resources: { Reader: { Type: 'Custom::CrossRegionExportReader' } } },
  { account: '111111111111' },
);

const values = new TemplateValues([DATA, APPS]);
const [data, child, apps] = values.stacks;

describe('a value', () => {
  test.each<[string, unknown, string]>([
    ['a text', 'orders', 'orders'],
    ['a number', 5432, '5432'],
    ['a known Region', { Ref: 'AWS::Region' }, 'eu-west-1'],
    ['a partition', { Ref: 'AWS::Partition' }, '${AWS::Partition}'],
    ['a parameter with a default', { Ref: 'Name' }, '${Data.Name}'],
    ['an attribute', ID, '${Data/Cluster.DBClusterResourceId}'],
    ['an attribute, as a text', { 'Fn::GetAtt': 'Cluster.DBClusterResourceId' }, '${Data/Cluster.DBClusterResourceId}'],
    ['a join', { 'Fn::Join': ['-', ['app', { Ref: 'AWS::AccountId' }]] }, 'app-111111111111'],
    [
      'a substitution',
      { 'Fn::Sub': ['${Own}-${AWS::Region}-${!x}-${Cluster.Arn}', { Own: 'a' }] },
      'a-eu-west-1-${x}-${Data/Cluster.Arn}',
    ],
    ['a selection', { 'Fn::Select': [1, ['a', 'b']] }, 'b'],
    ['a selection of a text', { 'Fn::Select': ['1', { 'Fn::Split': [':', 'a:b'] }] }, 'b'],
    [
      'the id of a proxy',
      { 'Fn::Select': [6, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Proxy', 'DBProxyArn'] }] }] },
      '${Data/Proxy.ProxyId}',
    ],
    ['another function', { 'Fn::If': ['InProd', 'a', 'b'] }, '${{"Fn::If":["InProd","a","b"]}}'],
    ['an import of another app', { 'Fn::ImportValue': 'Elsewhere' }, '${Elsewhere}'],
    [
      'an output of another app',
      { 'Fn::GetStackOutput': { StackName: 'Elsewhere', OutputName: 'Id' } },
      '${Elsewhere.Id}',
    ],
  ])('that is %s', (_what, value, expected) => {
    expect(values.readable(values.text(data, value))).toBe(expected);
  });

  test.each<[string, unknown]>([
    ['an import', { 'Fn::ImportValue': 'Data:Id' }],
    ['an output', { 'Fn::GetStackOutput': { StackName: 'Data', OutputName: 'Id' } }],
    ['the reader of another Region', { 'Fn::GetAtt': ['Reader', '/cdk/exports/Id'] }],
  ])('is the same through %s', (_what, value) => {
    expect(values.text(apps, value)).toBe(values.text(data, ID));
  });

  test('is the same in a nested stack, and in what that gives back', () => {
    expect(values.text(child, { Ref: 'Given' })).toBe(values.text(data, ID));
    expect(values.text(data, { 'Fn::GetAtt': ['Child', 'Outputs.Back'] })).toBe(values.text(data, ID));
    expect(values.readable(values.text(child, { Ref: 'AWS::Region' }))).toBe('eu-west-1');
  });

  test('is not known where the stack leaves its Region open', () => {
    expect(values.readable(values.text(apps, { Ref: 'AWS::Region' }))).toBe('${AWS::Region}');
  });

  test('is no symbol because of the characters in a name', () => {
    const name = symbolText(['name', 'AWS::Region']);
    expect(values.text(data, name)).not.toBe(values.text(apps, { Ref: 'AWS::Region' }));
    expect(values.readable(values.text(data, name))).toBe(name);
  });
});

test('a list that only the deployment knows is one item', () => {
  expect([
    values.list(data, ['a', 'b']),
    values.list(data, undefined),
    values.list(data, { Ref: 'Name' }).map(text => values.readable(text)),
  ]).toEqual([['a', 'b'], [], ['${Data.Name}']]);
});
