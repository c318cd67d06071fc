import { dependencyOrder } from '../../rehearsal/cloudformation/dependencies';
import { holds, referencesIn, resolve } from '../../rehearsal/cloudformation/intrinsics';
import { templateScope } from '../../rehearsal/cloudformation/scope';
import { ResourceState, Template, whyNotRehearsed } from '../../rehearsal/cloudformation/template';

const STACK = {
  name: 'Shop',
  id: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/1',
  partition: 'aws',
  region: 'eu-west-1',
  account: '111122223333',
};

const TEMPLATE: Template = {
  Parameters: {
    Stage: { Type: 'String', Default: 'test' },
    Open: { Type: 'String' },
    Port: { Type: 'Number', Default: 5432 },
    Words: { Type: 'CommaDelimitedList', Default: 'a, b,c' },
    Ports: { Type: 'List<Number>', Default: '80, 90' },
    Stored: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/stored' },
  },
  Mappings: { Zones: { 'eu-west-1': { count: 3, names: ['a', 'b'] } } },
  Conditions: {
    Circular: { 'Fn::Not': [{ Condition: 'Around' }] },
    Around: { 'Fn::Or': [{ Condition: 'IsTest' }, { Condition: 'Circular' }] },
    IsTest: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] },
    IsElsewhere: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
    Both: { 'Fn::And': [{ Condition: 'IsTest' }, { 'Fn::Not': [{ Condition: 'IsElsewhere' }] }] },
    Neither: { 'Fn::Or': [{ Condition: 'IsElsewhere' }, { 'Fn::Not': [{ Condition: 'Both' }] }] },
  },
  Resources: { Cluster: { Type: 'AWS::RDS::DBCluster' }, Later: { Type: 'AWS::IAM::Role' } },
};

const CLUSTER: ResourceState = {
  logicalId: 'Cluster',
  type: 'AWS::RDS::DBCluster',
  physicalId: 'shop-cluster',
  properties: {},
  definition: TEMPLATE.Resources.Cluster,
  attributes: {
    'Endpoint.Address': 'db.example.com',
    'Endpoint.Port': 5432,
    'test': 'by parameter',
    'Zones': ['a', 'b'],
  },
};

const scopeOf = (template: Partial<Template> = {}, stack: Partial<typeof STACK> = {}) =>
  templateScope({ ...TEMPLATE, ...template }, { ...STACK, ...stack }, new Map([['Cluster', CLUSTER]]), {
    importValue: name => `imported ${name}`,
  });
const scope = scopeOf();
const extended = scopeOf({ Transform: 'AWS::LanguageExtensions' });

describe('resolve', () => {
  test.each<[string, unknown, unknown]>([
    ['scalars as they are', { a: 'x', b: 5432, c: true }, { a: 'x', b: 5432, c: true }],
    ['Ref of a resource', { Ref: 'Cluster' }, 'shop-cluster'],
    ['Ref of a parameter', { Ref: 'Stage' }, 'test'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::AccountId' }, '111122223333'],
    ['Ref AWS::NoValue in an object', { a: 1, b: { Ref: 'AWS::NoValue' } }, { a: 1 }],
    ['Ref AWS::NoValue in a list', [1, { Ref: 'AWS::NoValue' }], [1]],
    ['Fn::GetAtt as a list', { 'Fn::GetAtt': ['Cluster', 'Endpoint.Address'] }, 'db.example.com'],
    ['Fn::GetAtt as a string', { 'Fn::GetAtt': 'Cluster.Endpoint.Address' }, 'db.example.com'],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }, 1]] }, 'a-test-1'],
    ['Fn::Join of a list-valued function', { 'Fn::Join': ['', { 'Fn::GetAtt': ['Cluster', 'Zones'] }] }, 'ab'],
    ['Fn::Sub', { 'Fn::Sub': 'arn:${AWS::Partition}:x:${Cluster.Endpoint.Address}/${Cluster}' },
      'arn:aws:x:db.example.com/shop-cluster'],
    ['Fn::Sub with variables', { 'Fn::Sub': ['${name} of ${Stage}', { name: { Ref: 'Cluster' } }] },
      'shop-cluster of test'],
    ['Fn::Sub with literals', { 'Fn::Sub': '${!aws:username} ${!*} $1 ${Stage}' }, '${aws:username} ${*} $1 test'],
    ['Fn::Sub does not look at values again', { 'Fn::Sub': ['${x}', { x: '${Stage} $&' }] }, '${Stage} $&'],
    ['Fn::Join of items that are dropped',
      { 'Fn::Join': [',', ['a', { 'Fn::If': ['Both', { Ref: 'AWS::NoValue' }, 'b'] }]] }, 'a'],
    ['Fn::Sub leaves literals in values alone', { 'Fn::Sub': ['${x} ${!x}', { x: '${!y}' }] }, '${!y} ${x}'],
    ['Fn::Sub prefers its variables', { 'Fn::Sub': ['${Cluster}', { Cluster: { Ref: 'Stage' } }] }, 'test'],
    ['Fn::Sub of a number', { 'Fn::Sub': '${Port}/${Cluster.Endpoint.Port}' }, '5432/5432'],
    ['Fn::Split as a list', { 'Fn::Split': [',', 'a,b'] }, ['a', 'b']],
    ['a list parameter', { Ref: 'Words' }, ['a', 'b', 'c']],
    ['a list parameter of numbers', { Ref: 'Ports' }, ['80', '90']],
    ['a list in a mapping', { 'Fn::Select': [1, { 'Fn::FindInMap': ['Zones', 'eu-west-1', 'names'] }] }, 'b'],
    ['Fn::GetAtt with Ref as attribute', { 'Fn::GetAtt': ['Cluster', { Ref: 'Stage' }] }, 'by parameter'],
    ['Fn::If to AWS::NoValue in a list', ['a', { 'Fn::If': ['Neither', 'b', { Ref: 'AWS::NoValue' }] }], ['a']],
    ['Fn::If to AWS::NoValue for all tags',
      { Tags: { 'Fn::If': ['Neither', [{ Key: 'a' }], { Ref: 'AWS::NoValue' }] }, A: 1 }, { A: 1 }],
    ['Fn::If to a list with AWS::NoValue', { 'Fn::If': ['Both', [{ Ref: 'AWS::NoValue' }, 'b'], []] }, ['b']],
    ['Fn::GetAZs of a Region', { 'Fn::GetAZs': { Ref: 'AWS::Region' } }, ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']],
    ['Fn::Split and Fn::Select',
      { 'Fn::Select': [1, { 'Fn::Split': ['.', { 'Fn::GetAtt': ['Cluster', 'Endpoint.Address'] }] }] }, 'example'],
    ['Fn::Select with a string as index', { 'Fn::Select': ['0', ['a', 'b']] }, 'a'],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Zones', { Ref: 'AWS::Region' }, 'count'] }, 3],
    ['Fn::If', { 'Fn::If': ['Both', { Ref: 'Stage' }, { Ref: 'Nonsense' }] }, 'test'],
    ['Fn::If to AWS::NoValue', { a: { 'Fn::If': ['Neither', 1, { Ref: 'AWS::NoValue' }] } }, {}],
    ['Fn::Base64', { 'Fn::Base64': { Ref: 'Stage' } }, 'dGVzdA=='],
    ['Fn::GetAZs', { 'Fn::GetAZs': '' }, ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']],
    ['Fn::ImportValue', { 'Fn::ImportValue': { 'Fn::Sub': 'Network:${Stage}' } }, 'imported Network:test'],
    ['Condition as a key of a policy', { Condition: { StringEquals: { 'aws:x': 'y' } } },
      { Condition: { StringEquals: { 'aws:x': 'y' } } }],
  ])('%s', (_name, value, expected) => {
    expect(resolve(value, scope, 'It')).toStrictEqual(expected);
  });

  test.each([
    ['aws', 'aws:amazonaws.com'], ['aws-cn', 'aws-cn:amazonaws.com.cn'], ['aws-us-gov', 'aws-us-gov:amazonaws.com'],
  ])('the names of partition %s', (partition, expected) => {
    expect(resolve({ 'Fn::Sub': '${AWS::Partition}:${AWS::URLSuffix}' }, scopeOf({}, { partition }), 'It')).toBe(
      expected,
    );
  });

  test.each<[string, unknown, unknown]>([
    ['Fn::Length of a list', { 'Fn::Length': ['a', { Ref: 'Stage' }] }, 2],
    ['Fn::Length of a function', { 'Fn::Length': { 'Fn::Split': ['|', 'a|b|c'] } }, 3],
    ['Fn::Length of a parameter', { 'Fn::Length': { Ref: 'Words' } }, 3],
    ['Fn::ToJsonString', { 'Fn::ToJsonString': { b: { Ref: 'Stage' }, a: [1, true, 'é"'] } },
      '{"b":"test","a":[1,true,"é\\""]}'],
    ['Fn::ToJsonString of a list', { 'Fn::ToJsonString': { Ref: 'Words' } }, '["a","b","c"]'],
    ['attributes in Fn::ToJsonString', { 'Fn::ToJsonString': { a: { 'Fn::GetAtt': ['Cluster', 'Endpoint.Port'] } } },
      '{"a":"5432"}'],
    ['the default of Fn::FindInMap',
      { 'Fn::FindInMap': ['Zones', 'eu-west-1', 'colour', { DefaultValue: { Ref: 'Stage' } }] }, 'test'],
    ['Fn::FindInMap without need of the default',
      { 'Fn::FindInMap': ['Zones', 'eu-west-1', 'count', { DefaultValue: 1 }] }, 3],
    ['functions in Fn::FindInMap', { 'Fn::FindInMap': ['Zones', { 'Fn::Sub': '${AWS::Region}' }, 'count'] }, 3],
  ])('with AWS::LanguageExtensions %s', (_name, value, expected) => {
    expect(resolve(value, extended, 'It')).toStrictEqual(expected);
    expect(() => resolve(value, scope, 'It')).toThrow(
      /^It\.Fn::\w+: .*needs the transform AWS::LanguageExtensions in the template$/,
    );
  });

  test.each<[string, unknown, string]>([
    ['resources in Fn::Length', { 'Fn::Length': { 'Fn::Split': [',', { Ref: 'Cluster' }] } },
      'It.Fn::Length: resource Cluster is not allowed here: this must be known before any resource exists'],
    ['a string in Fn::Length', { 'Fn::Length': 'abc' }, 'It.Fn::Length: expected a list, not "abc"'],
    ['AWS::NoValue in Fn::Length', { 'Fn::Length': ['a', { Ref: 'AWS::NoValue' }] },
      'It.Fn::Length: AWS::NoValue in it is not rehearsed'],
    ['AWS::NoValue in Fn::ToJsonString', { 'Fn::ToJsonString': { a: { Ref: 'AWS::NoValue' } } },
      'It.Fn::ToJsonString: AWS::NoValue in it is not rehearsed'],
    ['a string in Fn::ToJsonString', { 'Fn::ToJsonString': { Ref: 'Stage' } },
      'It.Fn::ToJsonString: expected an object or a list, not "test"'],
    ['a list attribute in Fn::ToJsonString', { 'Fn::ToJsonString': { a: { 'Fn::GetAtt': 'Cluster.Zones' } } },
      'It.Fn::ToJsonString.a.Fn::GetAtt: Cluster.Zones is not a string'],
    ['a default of another form', { 'Fn::FindInMap': ['Zones', 'x', 'y', { Other: 1 }] },
      'It.Fn::FindInMap: expected {"DefaultValue": ...}, not {"Other":1}'],
    ['a mapping that does not exist, for all the default', { 'Fn::FindInMap': ['No', 'x', 'y', { DefaultValue: 1 }] },
      'It.Fn::FindInMap: template has no mapping No'],
    ['a loop, whatever is beside it', { 'Fn::ForEach::Names': ['a', ['b'], {}], 'Other': 1 },
      'It: Fn::ForEach::Names is not rehearsed'],
  ])('with AWS::LanguageExtensions throws at %s', (_name, value, message) => {
    expect(() => resolve(value, extended, 'It')).toThrow(message);
  });

  test.each<[string, unknown, string]>([
    ['an unknown function', { a: [{ b: { 'Fn::Cidr': [] } }] }, 'It.a[0].b: Fn::Cidr is not rehearsed'],
    ['a function with a neighbour', { Ref: 'Stage', Other: 1 }, 'It: Ref stands beside Other'],
    ['a name that is not in the template', { Ref: 'Nonsense' }, 'template has no resource or parameter Nonsense'],
    ['a name inside Fn::Sub that is not in the template', { 'Fn::Sub': '${Nonsense}' },
      'template has no resource or parameter Nonsense'],
    ['a resource that is not created yet', { 'Fn::GetAtt': ['Later', 'Arn'] },
      'resource Later does not exist at this moment'],
    ['an unknown attribute', { 'Fn::GetAtt': ['Cluster', 'Colour'] },
      'Cluster (AWS::RDS::DBCluster) has no attribute Colour in a rehearsal'],
    ['a parameter without a value', { Ref: 'Open' }, 'parameter Open has no default'],
    ['an object in Fn::Join', { 'Fn::Join': ['', [{ a: 1 }]] }, 'It.Fn::Join: expected a string, not {"a":1}'],
    ['AWS::NoValue in Fn::Sub', { 'Fn::Sub': '${AWS::NoValue}' }, 'It.Fn::Sub: expected a string, not AWS::NoValue'],
    ['an index beyond the list', { 'Fn::Select': [2, ['a', 'b']] }, 'It.Fn::Select: there is no item 2 in ["a","b"]'],
    ['a missing mapping', { 'Fn::FindInMap': ['Zones', 'eu-west-1', 'colour'] },
      'It.Fn::FindInMap: mapping Zones has no eu-west-1, colour'],
    ['an unknown condition', { 'Fn::If': ['Nonsense', 1, 2] }, 'It.Fn::If: template has no condition Nonsense'],
    ['null', { a: [null] }, 'It.a[0]: null is not allowed in a template'],
    ['a name that every object has', { Ref: 'constructor' }, 'It.Ref: template has no resource or parameter constructor'],
    ['a function as a name', { Ref: { 'Fn::Sub': 'Stage' } }, 'It.Ref: expected a string, not {"Fn::Sub":"Stage"}'],
    ['a parameter in Systems Manager', { Ref: 'Stored' },
      'It.Ref: parameter Stored (AWS::SSM::Parameter::Value<String>) is not rehearsed'],
    ['a list in Fn::Sub', { 'Fn::Sub': '${Words}' }, 'It.Fn::Sub: expected a string, not ["a","b","c"]'],
    ['a variable of Fn::Sub that CloudFormation does not take', { 'Fn::Sub': 'x ${name:-default}' },
      'It.Fn::Sub: ${name:-default} is not allowed: a name has letters, digits'],
    ['a list of variables', { 'Fn::Sub': ['${x}', ['y']] }, 'It.Fn::Sub: expected an object, not ["y"]'],
    ['a list as delimiter', { 'Fn::Join': [['a'], ['b']] }, 'It.Fn::Join: expected a string, not ["a"]'],
    ['a string in Fn::Join', { 'Fn::Join': [',', 'abc'] }, 'It.Fn::Join: expected a list, not "abc"'],
    ['an empty delimiter', { 'Fn::Split': ['', 'abc'] }, 'It.Fn::Split: an empty delimiter is not rehearsed'],
    ['an index that is no number', { 'Fn::Select': ['', ['a']] }, 'It.Fn::Select: there is no item  in ["a"]'],
    ['a negative index', { 'Fn::Select': [-1, ['a']] }, 'It.Fn::Select: there is no item -1 in ["a"]'],
    ['AWS::NoValue in a list to select from', { 'Fn::Select': [0, [{ Ref: 'AWS::NoValue' }, 'a']] },
      'It.Fn::Select: AWS::NoValue is not allowed in a list'],
    ['a resource in the name of an export', { 'Fn::ImportValue': { 'Fn::Sub': '${Cluster}' } },
      'It.Fn::ImportValue: resource Cluster is not allowed here'],
    ['a rule function', { 'Fn::Contains': [['a'], 'a'] }, 'It: Fn::Contains is not rehearsed'],
    ['a wrong number of arguments', { 'Fn::If': ['Both', 1] }, 'It.Fn::If: expected 3 arguments, not ["Both",1]'],
  ])('throws at %s', (_name, value, message) => {
    expect(() => resolve(value, scope, 'It')).toThrow(message);
  });

  test('throws at the URL suffix of a partition that is not known', () => {
    expect(() => resolve({ Ref: 'AWS::URLSuffix' }, scopeOf({}, { partition: 'aws-iso' }), 'It')).toThrow(
      'It.Ref: AWS::URLSuffix of partition aws-iso is not rehearsed',
    );
  });
});

describe('conditions', () => {
  test.each<[string, unknown, boolean]>([
    ['equal strings', { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] }, true],
    ['another case', { 'Fn::Equals': [{ Ref: 'Stage' }, 'Test'] }, false],
    ['a number and a string', { 'Fn::Equals': [{ Ref: 'Port' }, '5432'] }, true],
    ['a boolean and a string', { 'Fn::Equals': [true, 'true'] }, true],
    ['another condition', { Condition: 'Both' }, true],
    ['Fn::And', { 'Fn::And': [{ Condition: 'Both' }, { Condition: 'IsElsewhere' }] }, false],
    ['Fn::Or', { 'Fn::Or': [{ Condition: 'IsElsewhere' }, { Condition: 'Both' }] }, true],
    ['Fn::Not', { 'Fn::Not': [{ Condition: 'Both' }] }, false],
  ])('%s', (_name, expression, expected) => {
    expect(holds(expression, scope, 'It')).toBe(expected);
  });

  test.each<[string, unknown, string]>([
    ['an unknown function', { 'Fn::EachMemberIn': [] }, 'It: condition function Fn::EachMemberIn is not rehearsed'],
    ['more than one function', { 'Condition': 'Both', 'Fn::Not': [] },
      'It: a condition has exactly one function, not {"Condition":"Both","Fn::Not":[]}'],
    ['no function', {}, 'It: a condition has exactly one function, not {}'],
    ['a bare name', 'Both', 'It: expected an object, not "Both"'],
    ['a circle', { Condition: 'Circular' }, 'circular dependency between conditions: Circular -> Around -> Circular'],
    ['a list', { 'Fn::Equals': [{ Ref: 'Words' }, 'a'] }, 'It.Fn::Equals: expected a string, not ["a","b","c"]'],
    ['a resource', { 'Fn::Equals': [{ Ref: 'Cluster' }, 'a'] }, 'It.Fn::Equals: resource Cluster is not allowed here'],
    ['one condition in Fn::And', { 'Fn::And': [{ Condition: 'Both' }] },
      'It.Fn::And: expected 2 to 10 conditions, not 1'],
    ['eleven conditions in Fn::Or', { 'Fn::Or': Array<unknown>(11).fill({ Condition: 'Both' }) },
      'It.Fn::Or: expected 2 to 10 conditions, not 11'],
    ['two conditions in Fn::Not', { 'Fn::Not': [{ Condition: 'Both' }, { Condition: 'Both' }] },
      'It.Fn::Not: expected 1 conditions, not 2'],
  ])('throw at %s', (_name, expression, message) => {
    expect(() => holds(expression, scope, 'It')).toThrow(message);
  });
});

describe('a template is rehearsed', () => {
  test.each<[string, Partial<Template>]>([
    ['without a transform', {}],
    ['with the transform AWS::LanguageExtensions', { Transform: 'AWS::LanguageExtensions' }],
    ['with a list of that transform', { Transform: ['AWS::LanguageExtensions'] }],
  ])('%s', (_name, template) => {
    expect(whyNotRehearsed({ ...TEMPLATE, ...template })).toBeUndefined();
  });

  test.each<[string, object, string]>([
    ['another transform', { Transform: 'AWS::Serverless-2016-10-31' },
      'its template has the Transform "AWS::Serverless-2016-10-31", only AWS::LanguageExtensions is known'],
    ['another one beside it', { Transform: ['Macro', 'AWS::LanguageExtensions'] },
      'its template has the Transform ["Macro","AWS::LanguageExtensions"]'],
    ['a loop over resources', { Resources: { 'Fn::ForEach::Topics': [] } }, 'its template has Fn::ForEach::Topics'],
    ['a loop over outputs', { Outputs: { 'Fn::ForEach::Topics': [] } }, 'its template has Fn::ForEach::Topics'],
    ['a policy that is a function', { Resources: { It: { Type: 'T', DeletionPolicy: { Ref: 'Stage' } } } },
      'the policy on deletion or replacement of It is a function'],
  ])('but not with %s', (_name, template, reason) => {
    expect(whyNotRehearsed({ ...TEMPLATE, ...template })).toContain(reason);
  });
});

describe('dependencies', () => {
  test('are in Ref, Fn::GetAtt and Fn::Sub, its variables included', () => {
    expect(
      referencesIn({
        a: [{ Ref: 'A' }],
        b: { 'Fn::GetAtt': ['B', 'Arn'] },
        c: { 'Fn::GetAtt': 'C.Arn' },
        d: { 'Fn::Sub': ['${D} ${E.Arn} ${!No} ${v}', { v: { 'Fn::Join': ['', [{ Ref: 'F' }]] } }] },
        e: { 'Fn::Sub': '${G}' },
      }),
    ).toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G']);
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
    expect(() =>
      dependencyOrder({
        A: { Type: 'T', DependsOn: 'B' },
        B: { Type: 'T', Properties: { x: { Ref: 'C' } } },
        C: { Type: 'T', DependsOn: 'B' },
      }),
    ).toThrow('circular dependency between resources: B -> C -> B');
  });
});
