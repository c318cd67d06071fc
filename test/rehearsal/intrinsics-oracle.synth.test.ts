import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve as absolute } from 'node:path';
import { referencesIn } from '../../rehearsal/cloudformation/intrinsics';
import { Properties, Template } from '../../rehearsal/cloudformation/template';
import { FULL } from '../full';
import { synthesized } from './synthesized';
import { compare, Comparison, textFor, withModel } from './template-oracle';

const ROOT = absolute(__dirname, '../..');

const ALL = readdirSync(join(ROOT, 'examples')).filter(name => existsSync(join(ROOT, `examples/${name}/app.ts`)));

/** All templates of the examples and of the snapshots that have resources; in npm test two of the examples. */
async function exampleTemplates(): Promise<[string, Template][]> {
  const examples = FULL ? ALL : ['quick-start', 'shop'];
  const assemblies = await Promise.all(examples.map(name => synthesized(`examples/${name}/app.ts`)));
  const snapshots = readdirSync(join(ROOT, 'integ-tests'), { recursive: true, encoding: 'utf8' }).filter(file =>
    /\.snapshot\/[^/]+\.template\.json$/.test(file),
  );
  const templates = [
    ...assemblies.flatMap(({ stacks }, i) =>
      stacks.map(({ name, template }): [string, Template] => [`${examples[i]}: ${name}`, template]),
    ),
    ...snapshots.map((file): [string, Template] => [file,
      JSON.parse(readFileSync(join(ROOT, 'integ-tests', file), 'utf8')) as Template]),
  ];
  // The stack for the assertions of an integration test has none.
  return templates.filter(([, { Resources: resources }]) => resources as object | undefined !== undefined);
}

/** Where each Fn::Join has another delimiter. */
function withBrokenJoin(template: Template): Template {
  return JSON.parse(JSON.stringify(template), (key, value: unknown) =>
    key === 'Fn::Join' ? [`${(value as [string])[0]}!`, (value as unknown[])[1]] : value) as Template;
}

describe('templates of the examples, compared with AWS\'s own model', () => {
  let templates: [string, Template, Comparison][];

  beforeAll(async () => {
    templates = (await exampleTemplates()).map(([name, template]) => [name, template, compare(template)]);
  });

  const sum = (count: (comparison: Comparison) => number) =>
    templates.reduce((total, [, , comparison]) => total + count(comparison), 0);

  test('have the same properties and outputs', () => {
    expect(templates.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'quick-start: QuickStart',
        'shop: Shop',
        expect.stringContaining('QuickStart.template.json'),
      ]),
    );
    expect(templates.flatMap(([name, , { different }]) => different.map(property => `${name}: ${property}`))).toEqual(
      [],
    );
    expect(sum(({ same }) => same.length)).toBeGreaterThan(FULL ? 450 : 150);
  });

  test('differ in nothing but secrets, which CloudFormation puts in when it calls a service', () => {
    for (const [, template, comparison] of templates) {
      const open = Object.entries(comparison.open);
      const secrets = Object.entries(template.Resources).flatMap(
        ([logicalId, { Type: type, Properties: properties = {} }]) =>
          ['MasterUserPassword', 'MasterUsername']
            .filter(
              property =>
                ['AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'].includes(type)
                && JSON.stringify(properties[property] ?? '').includes('{{resolve:secretsmanager:'),
            )
            .map(property => `${logicalId}.${property}`),
      );
      expect(open.map(([name]) => name).sort()).toEqual(secrets.sort());
      expect(open.map(([, { value }]) => value)).toEqual(
        open.map(([, { reason }]) => reason.replace('Join:{dynamic}', '{{resolve:secretsmanager:')),
      );
    }
  });

  test('leave open two for each database that has a master with a secret', () => {
    expect(sum(({ open }) => Object.keys(open).length)).toBeGreaterThanOrEqual(2 * (FULL ? 5 : 3));
  });

  test('have the same references', () => {
    for (const [, template] of templates) {
      const ours = Object.entries(template.Resources).map(([logicalId, { Properties: properties }]) =>
        [logicalId, new Set(referencesIn(properties).filter(name => !name.startsWith('AWS::')))]);
      const theirs = withModel(template, model => Object.entries(model.toDiagnosticModel().resources)).map(
        ([logicalId, { outgoingRefs: references }]) => [
          logicalId,
          new Set(references.filter(({ kind }) => kind !== 'DependsOn').map(({ target }) => target)),
        ],
      );
      expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
    }
  });

  test('are told apart wherever Fn::Join is broken', () => {
    let total = 0;
    for (const [, template] of templates) {
      const joins = Object.entries(template.Resources).flatMap(([logicalId, { Properties: properties = {} }]) =>
        Object.entries(properties)
          .filter(([, value]) => JSON.stringify(value).includes('Fn::Join'))
          .map(([name]) => `${logicalId}.${name}`),
      );
      const { different, open } = compare(template, withBrokenJoin(template));
      expect([...different.filter(name => !name.startsWith('Outputs.')), ...Object.keys(open)].sort()).toEqual(
        joins.sort(),
      );
      total += different.length;
    }
    expect(total).toBeGreaterThan(10);
  });
});

const NO_VALUE = { Ref: 'AWS::NoValue' };

/** Each function in each of its forms. */
const PROPERTIES: Properties = {
  Ref: { Ref: 'Other' },
  RefParameter: { Ref: 'Stage' },
  RefNumber: { Ref: 'Port' },
  RefList: { Ref: 'Words' },
  RefNumbers: { Ref: 'Ports' },
  RefAccount: { Ref: 'AWS::AccountId' },
  RefPartition: { Ref: 'AWS::Partition' },
  RefRegion: { Ref: 'AWS::Region' },
  RefStackId: { Ref: 'AWS::StackId' },
  RefStackName: { Ref: 'AWS::StackName' },
  RefUrlSuffix: { Ref: 'AWS::URLSuffix' },
  NoValueInObject: { a: NO_VALUE, b: 1 },
  NoValueInList: ['a', NO_VALUE],
  GetAtt: { 'Fn::GetAtt': ['Other', 'Endpoint.Address'] },
  GetAttText: { 'Fn::GetAtt': 'Other.Endpoint.Address' },
  Join: { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }, { Ref: 'Other' }]] },
  JoinParameter: { 'Fn::Join': ['-', { Ref: 'Words' }] },
  JoinSplit: { 'Fn::Join': ['-', { 'Fn::Split': ['.', 'a.b.c'] }] },
  Sub: { 'Fn::Sub': '${Stage}-${AWS::Region}-${Other}-${Other.Arn}-${Port}' },
  SubLiteral: { 'Fn::Sub': '${!aws:username} ${!x} $1 $& ${Stage}' },
  SubMap: { 'Fn::Sub': ['${a}-${Stage}-${!a}', { a: { Ref: 'Other' } }] },
  SubMapFirst: { 'Fn::Sub': ['${Stage}', { Stage: 'mine' }] },
  Split: { 'Fn::Split': [',', 'a,b,,c'] },
  Select: { 'Fn::Select': [1, ['a', 'b']] },
  SelectSplit: { 'Fn::Select': [5, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Other', 'Arn'] }] }] },
  SelectSplitFirst: { 'Fn::Select': [0, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Other', 'Arn'] }] }] },
  SelectParameter: { 'Fn::Select': [2, { Ref: 'Words' }] },
  SelectZone: { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
  FindInMap: { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'count'] },
  FindInMapList: { 'Fn::FindInMap': ['Sizes', 'us-east-1', 'names'] },
  FindInMapDefault: { 'Fn::FindInMap': ['Sizes', 'eu-west-1', 'count', { DefaultValue: 'none' }] },
  FindInMapFound: { 'Fn::FindInMap': ['Sizes', 'us-east-1', 'count', { DefaultValue: 'none' }] },
  FindInMapFunction: { 'Fn::FindInMap': ['Sizes', { 'Fn::Sub': '${AWS::Region}' }, 'count'] },
  If: { 'Fn::If': ['IsTest', { Ref: 'Stage' }, 'no'] },
  IfNot: { 'Fn::If': ['IsElsewhere', 'yes', { 'Fn::Join': ['', ['n', 'o']] }] },
  IfInList: ['a', { 'Fn::If': ['IsElsewhere', 'b', NO_VALUE] }, { 'Fn::If': ['IsTest', 'c', NO_VALUE] }],
  IfInObject: { a: { 'Fn::If': ['IsElsewhere', 'b', NO_VALUE] }, c: { 'Fn::If': ['IsTest', 'd', NO_VALUE] } },
  IfTags: { 'Fn::If': ['IsElsewhere', [{ Key: 'a', Value: 'b' }], NO_VALUE] },
  IfInIf: { 'Fn::If': ['IsTest', { 'Fn::If': ['IsElsewhere', 1, 2] }, 3] },
  Base64: { 'Fn::Base64': { 'Fn::Sub': '${Stage} é' } },
  GetAZs: { 'Fn::GetAZs': 'eu-west-1' },
  ImportValue: { 'Fn::ImportValue': 'Network' },
  ImportValueInJoin: { 'Fn::Join': ['/', [{ 'Fn::ImportValue': 'Network' }, 'x']] },
  ToJsonString: {
    'Fn::ToJsonString': {
      b: { Ref: 'Stage' },
      a: [1, true, 'é"\n', { Ref: 'Words' }],
      c: { 'Fn::GetAtt': ['Other', 'Arn'] },
    },
  },
  ToJsonStringList: { 'Fn::ToJsonString': [{ 'Fn::Sub': '${Stage}' }, {}] },
  Length: { 'Fn::Length': ['a', { Ref: 'Stage' }] },
  LengthParameter: { 'Fn::Length': { Ref: 'Words' } },
  LengthSplit: { 'Fn::Length': { 'Fn::Split': ['|', 'a|b|c'] } },
};

/** What the model does not work out, and why. */
const OPEN: Properties = {
  JoinNumber: { 'Fn::Join': ['', ['a', 1]] },
  JoinNoValue: { 'Fn::Join': ['', ['a', NO_VALUE]] },
  SelectText: { 'Fn::Select': ['0', ['a', 'b']] },
  SecretReference: '{{resolve:secretsmanager:x:SecretString:password}}',
  ImportOfFunction: { 'Fn::ImportValue': { 'Fn::Sub': '${AWS::Region}:Network' } },
  Choice: { Ref: 'Size' },
};

/** Where the two are not of one mind. */
const DIFFERENT: Properties = {
  RefNotificationArns: { Ref: 'AWS::NotificationARNs' }, // A rehearsed stack notifies nobody.
  GetAZsHere: { 'Fn::GetAZs': '' }, // Three are rehearsed in each Region.
};

const templateOf = (properties: Properties, others: Partial<Template> = {}): Template => ({
  Transform: 'AWS::LanguageExtensions',
  Parameters: {
    Stage: { Type: 'String', Default: 'test' },
    Port: { Type: 'Number', Default: 5432 },
    Words: { Type: 'CommaDelimitedList', Default: 'a, b,c' },
    Ports: { Type: 'List<Number>', Default: '80, 90' },
    Size: { Type: 'String', Default: 'small', AllowedValues: ['small', 'large'] },
  },
  Mappings: { Sizes: { 'us-east-1': { count: 3, names: ['a', 'b'] } } },
  Conditions: {
    IsTest: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] },
    IsElsewhere: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] }] },
  },
  Resources: { Other: { Type: 'Custom::Other' }, It: { Type: 'Custom::It', Properties: properties } },
  Outputs: {
    Out: {
      Value: { 'Fn::Join': ['', ['a', { Ref: 'Stage' }]] },
      Export: { Name: { 'Fn::Sub': '${AWS::StackName}:out' } },
    },
  },
  ...others,
});

describe('each function, compared with AWS\'s own model', () => {
  const names = (properties: Properties) => Object.keys(properties).map(name => `It.${name}`).sort();

  test('gives the same', () => {
    const { same, different, open } = compare(templateOf(PROPERTIES));
    expect({ different, open }).toEqual({ different: [], open: {} });
    expect(same.sort()).toEqual([...names(PROPERTIES), 'Outputs.Out', 'Outputs.Out.Export']);
  });

  test('is open where the model does not work it out', () => {
    expect(compare(templateOf(OPEN)).open).toEqual({
      'It.JoinNumber': { reason: 'Join with non-string elements', value: 'a1' },
      'It.JoinNoValue': { reason: 'Join with non-string elements', value: 'a' },
      'It.SelectText': { reason: 'Select on non-list value', value: 'a' },
      'It.SecretReference': {
        reason: 'dynamic reference: {{resolve:secretsmanager:x:SecretString:password}}',
        value: '{{resolve:secretsmanager:x:SecretString:password}}',
      },
      'It.ImportOfFunction': {
        reason: 'cross-stack import: us-east-1:Network',
        value: textFor('import us-east-1:Network'),
      },
      'It.Choice': { reason: 'one of small, large', value: 'small' },
    });
  });

  test('is different in what a rehearsal invents', () => {
    expect(compare(templateOf(DIFFERENT)).different.sort()).toEqual(names(DIFFERENT).sort());
  });

  test('is told apart when Fn::Join is broken', () => {
    const { different } = compare(templateOf(PROPERTIES), withBrokenJoin(templateOf(PROPERTIES)));
    expect(different.sort()).toEqual([
      'It.IfNot',
      'It.ImportValueInJoin',
      'It.Join',
      'It.JoinParameter',
      'It.JoinSplit',
      'Outputs.Out',
    ]);
  });

  test('is told apart when any value is another one', () => {
    const others = Object.fromEntries(Object.keys(PROPERTIES).map(name => [name, 'another one']));
    expect(compare(templateOf(PROPERTIES), templateOf(others)).different.sort()).toEqual(names(PROPERTIES));
  });
});
