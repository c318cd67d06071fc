import { SynthesizedApp, TemplateFile } from '../../../../lib/checks/app/synthesized-app';
import { TemplateBody } from '../../../../lib/checks/app/template';
import { itemsOf, partsOf, settingOf, shown } from '../../../../lib/checks/app/value';

const CLUSTER = { Type: 'AWS::RDS::DBCluster', Properties: {} };
const PROXY = { Type: 'AWS::RDS::DBProxy', Properties: {} };

function file(
  name: string,
  body: TemplateBody,
  { environment = 'aws://111111111111/eu-west-1', folder = '/cdk.out' } = {},
): TemplateFile {
  return { file: `${folder}/${name}.template.json`, stack: { name, environment, folder }, body };
}

/** A value in a stack, next to others, as it is shown to people. */
function shownIn(
  value: unknown,
  others: TemplateFile[] = [],
  resources: TemplateBody['Resources'] = { Cluster: CLUSTER, Proxy: PROXY },
): string {
  const app = new SynthesizedApp([
    file('Here', { Resources: { ...resources, Holder: { Type: 'Holder', Properties: {} } } }),
    ...others,
  ]);
  return shown(partsOf(value, app.ofType('Holder')[0].template));
}

const exporting = (name: string, id: string, place: Parameters<typeof file>[2] = {}) =>
  file(
    name,
    {
      Resources: { [id]: CLUSTER },
      Outputs: { Out: { Value: { 'Fn::GetAtt': [id, 'DBClusterResourceId'] }, Export: { Name: 'Shared' } } },
    },
    place,
  );

describe('partsOf', () => {
  test.each<[string, unknown, string]>([
    ['a text', 'text', 'text'],
    ['a number', 5432, '5432'],
    ['a resource', { Ref: 'Cluster' }, '<Cluster>'],
    ['an attribute', { 'Fn::GetAtt': ['Cluster', 'Endpoint.Address'] }, '<Cluster.Endpoint.Address>'],
    ['an attribute with a period', { 'Fn::GetAtt': 'Cluster.Endpoint.Address' }, '<Cluster.Endpoint.Address>'],
    ['a pseudo parameter', { Ref: 'AWS::Region' }, '<Region>'],
    ['a parameter', { Ref: 'Open' }, '<Open>'],
    ['Fn::Join', { 'Fn::Join': [':', ['a', { Ref: 'Cluster' }, 'b', { 'Fn::Join': ['', ['c', 'd']] }]] },
      'a:<Cluster>:b:cd'],
    ['Fn::Join of a list of the deployment', { 'Fn::Join': [',', { Ref: 'Open' }] }, '<Fn::Join>'],
    ['Fn::Sub', { 'Fn::Sub': '${!*}-${AWS::Region}-${Cluster}-${Cluster.DBClusterArn}-${Open}' },
      '${*}-<Region>-<Cluster>-<Cluster.DBClusterArn>-<Open>'],
    ['Fn::Sub with variables', { 'Fn::Sub': ['${It}/${Cluster}', { It: { Ref: 'Proxy' } }] }, '<Proxy>/<Cluster>'],
    ['Fn::Select of an attribute',
      { 'Fn::Select': [6, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Proxy', 'DBProxyArn'] }] }] }, '<Proxy.DBProxyArn[6]>'],
    ['Fn::Select of a text', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    ['Fn::Select of a list', { 'Fn::Select': [1, ['a', { Ref: 'Cluster' }]] }, '<Cluster>'],
    ['Fn::Select of the deployment', { 'Fn::Select': [1, { 'Fn::Split': ['/', { Ref: 'Open' }] }] }, '<Fn::Select>'],
    ['another function', { 'Fn::FindInMap': ['a', 'b', 'c'] }, '<Fn::FindInMap>'],
    ['no function', { a: 1, b: 2 }, '<a>'],
    ['a resource that is not there', { 'Fn::GetAtt': ['Gone', 'Arn'] }, '<Gone.Arn>'],
  ])('reads %s', (_, value, expected) => {
    expect(shownIn(value)).toBe(expected);
  });

  const shared = { 'Fn::ImportValue': 'Shared' };

  test('follows an import', () => {
    expect(shownIn(shared, [exporting('There', 'Database')])).toBe('<Database.DBClusterResourceId>');
    expect(shownIn({ 'Fn::ImportValue': { 'Fn::Join': ['', ['Sha', 'red']] } }, [exporting('There', 'Database')])).toBe(
      '<Database.DBClusterResourceId>',
    );
  });

  test('follows an import within its stage, and its account and Region', () => {
    const elsewhere = [
      exporting('Staging', 'Other', { folder: '/cdk.out/staging' }),
      exporting('US', 'American', { environment: 'aws://111111111111/us-east-1' }),
    ];
    expect(shownIn(shared, [...elsewhere, exporting('There', 'Database')])).toBe('<Database.DBClusterResourceId>');
  });

  test('follows no import that is of another app, or of one of several stacks', () => {
    expect(shownIn(shared)).toBe('<import of Shared>');
    expect(shownIn(shared, [exporting('One', 'First'), exporting('Two', 'Second')])).toBe('<import of Shared>');
    expect(shownIn({ 'Fn::ImportValue': { Ref: 'Open' } })).toBe('<import of <Open>>');
  });

  test('follows an output of another stack', () => {
    const output = (StackName: unknown) => ({ 'Fn::GetStackOutput': { StackName, OutputName: 'Out' } });
    expect(shownIn(output('There'), [exporting('There', 'Database')])).toBe('<Database.DBClusterResourceId>');
    expect(shownIn(output('Elsewhere'), [exporting('There', 'Database')])).toBe('<output Out of Elsewhere>');
    expect(shownIn(output({ Ref: 'Open' }), [exporting('There', 'Database')])).toBe('<output Out of <Open>>');
  });
});

describe('itemsOf', () => {
  test.each<[string, unknown, unknown[]]>([
    ['nothing', undefined, []],
    ['one', 'a', ['a']],
    ['several', ['a', 'b'], ['a', 'b']],
    ['both branches', [{ 'Fn::If': ['c', 'a', ['b', { Ref: 'AWS::NoValue' }]] }], ['a', 'b']],
  ])('has %s', (_, value, expected) => {
    expect(itemsOf(value)).toEqual(expected);
  });
});

describe('settingOf', () => {
  test.each<[string, unknown, object]>([
    ['unset', undefined, { state: 'unset' }],
    ['left out', { Ref: 'AWS::NoValue' }, { state: 'unset' }],
    ['known', false, { state: 'known', value: 'false' }],
    ['unknown', { Ref: 'Open' }, { state: 'unknown', shown: '<Open>' }],
    ['a dynamic reference', '{{resolve:ssm:on}}', { state: 'unknown', shown: '{{resolve:ssm:on}}' }],
  ])('is %s', (_, value, expected) => {
    const app = new SynthesizedApp([file('Here', { Resources: { Holder: { Type: 'Holder' } } })]);
    expect(settingOf(value, app.resources[0].template)).toEqual(expected);
  });
});
