import { dependencyOrder } from '../../rehearsal/cloudformation/dependencies';
import { holds, referencesIn, resolve } from '../../rehearsal/cloudformation/intrinsics';
import { templateScope } from '../../rehearsal/cloudformation/scope';
import { ResourceState, Template } from '../../rehearsal/cloudformation/template';

const STACK = { name: 'Shop', id: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/1', partition: 'aws', region: 'eu-west-1', account: '111122223333' };

const TEMPLATE: Template = {
  Parameters: { Stage: { Type: 'String', Default: 'test' }, Open: { Type: 'String' } },
  Mappings: { Zones: { 'eu-west-1': { count: 3 } } },
  Conditions: {
    IsTest: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] },
    IsElsewhere: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
    Both: { 'Fn::And': [{ Condition: 'IsTest' }, { 'Fn::Not': [{ Condition: 'IsElsewhere' }] }] },
    Neither: { 'Fn::Or': [{ Condition: 'IsElsewhere' }, { 'Fn::Not': [{ Condition: 'Both' }] }] },
  },
  Resources: { Cluster: { Type: 'AWS::RDS::DBCluster' }, Later: { Type: 'AWS::IAM::Role' } },
};

const CLUSTER: ResourceState = {
  logicalId: 'Cluster', type: 'AWS::RDS::DBCluster', physicalId: 'shop-cluster', properties: {}, definition: TEMPLATE.Resources.Cluster,
  attributes: { 'Endpoint.Address': 'db.example.com', 'Zones': ['a', 'b'] },
};

const scope = templateScope(TEMPLATE, STACK, new Map([['Cluster', CLUSTER]]), name => `imported ${name}`);

describe('resolve', () => {
  test.each<[string, unknown, unknown]>([
    ['scalars as they are', { a: 'x', b: 5432, c: true, d: null }, { a: 'x', b: 5432, c: true, d: null }],
    ['Ref of a resource', { Ref: 'Cluster' }, 'shop-cluster'],
    ['Ref of a parameter', { Ref: 'Stage' }, 'test'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::AccountId' }, '111122223333'],
    ['Ref AWS::NoValue in an object', { a: 1, b: { Ref: 'AWS::NoValue' } }, { a: 1 }],
    ['Ref AWS::NoValue in a list', [1, { Ref: 'AWS::NoValue' }], [1]],
    ['Fn::GetAtt as a list', { 'Fn::GetAtt': ['Cluster', 'Endpoint.Address'] }, 'db.example.com'],
    ['Fn::GetAtt as a string', { 'Fn::GetAtt': 'Cluster.Endpoint.Address' }, 'db.example.com'],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }, 1]] }, 'a-test-1'],
    ['Fn::Join of a list-valued function', { 'Fn::Join': ['', { 'Fn::GetAtt': ['Cluster', 'Zones'] }] }, 'ab'],
    ['Fn::Sub', { 'Fn::Sub': 'arn:${AWS::Partition}:x:${Cluster.Endpoint.Address}/${Cluster}' }, 'arn:aws:x:db.example.com/shop-cluster'],
    ['Fn::Sub with variables', { 'Fn::Sub': ['${name} of ${Stage}', { name: { Ref: 'Cluster' } }] }, 'shop-cluster of test'],
    ['Fn::Sub with literals', { 'Fn::Sub': '${!aws:username} ${!*} $1 ${Stage}' }, '${aws:username} ${*} $1 test'],
    ['Fn::Sub does not look at values again', { 'Fn::Sub': ['${x}', { x: '${Stage} $&' }] }, '${Stage} $&'],
    ['Fn::Split and Fn::Select', { 'Fn::Select': [1, { 'Fn::Split': ['.', { 'Fn::GetAtt': ['Cluster', 'Endpoint.Address'] }] }] }, 'example'],
    ['Fn::Select with a string as index', { 'Fn::Select': ['0', ['a', 'b']] }, 'a'],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Zones', { Ref: 'AWS::Region' }, 'count'] }, 3],
    ['Fn::If', { 'Fn::If': ['Both', { Ref: 'Stage' }, { Ref: 'Nonsense' }] }, 'test'],
    ['Fn::If to AWS::NoValue', { a: { 'Fn::If': ['Neither', 1, { Ref: 'AWS::NoValue' }] } }, {}],
    ['Fn::Base64', { 'Fn::Base64': { Ref: 'Stage' } }, 'dGVzdA=='],
    ['Fn::GetAZs', { 'Fn::GetAZs': '' }, ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']],
    ['Fn::ImportValue', { 'Fn::ImportValue': { 'Fn::Sub': 'Network:${Stage}' } }, 'imported Network:test'],
    ['Condition as a key of a policy', { Condition: { StringEquals: { 'aws:x': 'y' } } }, { Condition: { StringEquals: { 'aws:x': 'y' } } }],
  ])('%s', (_name, value, expected) => {
    expect(resolve(value, scope, 'It')).toEqual(expected);
  });

  test.each<[string, unknown, string]>([
    ['an unknown function', { a: [{ b: { 'Fn::Cidr': [] } }] }, 'It.a[0].b: Fn::Cidr is not rehearsed'],
    ['a function with a neighbour', { Ref: 'Stage', Other: 1 }, 'It: Ref stands beside Other'],
    ['a name that is not in the template', { Ref: 'Nonsense' }, 'template has no resource or parameter Nonsense'],
    ['a name inside Fn::Sub that is not in the template', { 'Fn::Sub': '${Nonsense}' }, 'template has no resource or parameter Nonsense'],
    ['a resource that is not created yet', { 'Fn::GetAtt': ['Later', 'Arn'] }, 'resource Later does not exist at this moment'],
    ['an unknown attribute', { 'Fn::GetAtt': ['Cluster', 'Colour'] }, 'Cluster (AWS::RDS::DBCluster) has no attribute Colour in a rehearsal'],
    ['a parameter without a value', { Ref: 'Open' }, 'parameter Open has no default'],
    ['an object in Fn::Join', { 'Fn::Join': ['', [{ a: 1 }]] }, 'It: expected a string, not {"a":1}'],
    ['AWS::NoValue in Fn::Sub', { 'Fn::Sub': '${AWS::NoValue}' }, 'It: expected a string, not AWS::NoValue'],
    ['an index beyond the list', { 'Fn::Select': [2, ['a', 'b']] }, 'It: Fn::Select finds no item 2'],
    ['a missing mapping', { 'Fn::FindInMap': ['Zones', 'eu-west-1', 'colour'] }, 'It: mapping Zones has no eu-west-1, colour'],
    ['an unknown condition', { 'Fn::If': ['Nonsense', 1, 2] }, 'template has no condition Nonsense'],
  ])('throws at %s', (_name, value, message) => {
    expect(() => resolve(value, scope, 'It')).toThrow(message);
  });

  test('throws at an unknown condition function', () => {
    expect(() => holds({ 'Fn::EachMemberIn': [] }, scope, 'It')).toThrow('It: condition function Fn::EachMemberIn is not rehearsed');
  });
});

describe('dependencies', () => {
  test('are in Ref, Fn::GetAtt and Fn::Sub, its variables included', () => {
    expect(referencesIn({
      a: [{ Ref: 'A' }], b: { 'Fn::GetAtt': ['B', 'Arn'] }, c: { 'Fn::GetAtt': 'C.Arn' },
      d: { 'Fn::Sub': ['${D} ${E.Arn} ${!No} ${v}', { v: { 'Fn::Join': ['', [{ Ref: 'F' }]] } }] },
    })).toEqual(['A', 'B', 'C', 'D', 'E', 'v', 'F']);
  });

  test('come first, otherwise the order of the template holds', () => {
    expect(dependencyOrder({
      First: { Type: 'T', DependsOn: 'Third' },
      Second: { Type: 'T', Properties: { x: { 'Fn::Sub': '${Fourth.Arn}' } } },
      Third: { Type: 'T', DependsOn: ['Fourth'] },
      Fourth: { Type: 'T', Properties: { x: { Ref: 'Parameter' } } },
    })).toEqual(['Fourth', 'Third', 'First', 'Second']);
  });

  test('in a circle are an error', () => {
    expect(() => dependencyOrder({
      A: { Type: 'T', DependsOn: 'B' }, B: { Type: 'T', Properties: { x: { Ref: 'C' } } }, C: { Type: 'T', DependsOn: 'B' },
    })).toThrow('circular dependency between resources: B -> C -> B');
  });
});
