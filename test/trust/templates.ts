import { Template } from '../../rehearsal/cloudformation/template';
import { Random } from '../lambda/random';
import { compare } from '../rehearsal/template-oracle';
import { Item, Options, Outcome, Violation } from './item';

const TEMPLATES = 10_000;
const PROPERTIES = 8;
const DEEPEST = 4;

const NO_VALUE = { Ref: 'AWS::NoValue' };
const WORDS = ['a', 'b', '', 'x-y', 'é', '"', '\\', '$', '*', '1'];
const CONDITIONS = ['IsTest', 'IsElsewhere', 'Both', 'Either', 'Neither'];

/** What is the same in all templates: parameters, a mapping and a resource to refer to. Conditions are random, too. */
function templateOf(random: Random): Template {
  const operand = () =>
    random.one([
      { Ref: 'Stage' },
      { Ref: 'AWS::Region' },
      'test',
      'prod',
      'us-east-1',
      { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'name'] },
    ]);
  const some = () =>
    random.one([
      { Condition: 'IsTest' },
      { Condition: 'IsElsewhere' },
      { 'Fn::Equals': [operand(), operand()] },
      { 'Fn::Not': [{ Condition: 'IsTest' }] },
    ]);
  return {
    Transform: 'AWS::LanguageExtensions',
    Parameters: {
      Stage: { Type: 'String', Default: random.one(['test', 'prod']) },
      Port: { Type: 'Number', Default: random.one([5432, 1]) },
      Words: { Type: 'CommaDelimitedList', Default: random.one(['a, b,c', 'x,y, z', 'one,two,three']) },
    },
    Mappings: { Sizes: { 'us-east-1': { count: 3, name: 'test', names: ['a', 'b', 'c'] }, 'x': { name: 'y' } } },
    Conditions: {
      IsTest: { 'Fn::Equals': [operand(), operand()] },
      IsElsewhere: { 'Fn::Not': [{ 'Fn::Equals': [operand(), operand()] }] },
      Both: { 'Fn::And': [some(), some()] },
      Either: { 'Fn::Or': [some(), some(), some()] },
      Neither: { 'Fn::Not': [{ 'Fn::Or': [some(), some()] }] },
    },
    Resources: {
      Other: { Type: 'Custom::Other' },
      It: {
        Type: 'Custom::It',
        Properties: Object.fromEntries(
          Array.from({ length: PROPERTIES }, (_, n): [string, unknown] => [`P${n}`, someValue(random, DEEPEST)]),
        ),
      },
    },
    Outputs: { Out: { Value: someText(random, DEEPEST) } },
  };
}

function someValue(random: Random, depth: number): unknown {
  return random.one([someText, someText, someList, someObject])(random, depth);
}

function someText(random: Random, depth: number): unknown {
  const word = () => random.one(WORDS);
  if (depth === 0) {
    return random.one<() => unknown>([
      word,
      () => ({
        Ref: random.one([
          'Stage',
          'Other',
          'AWS::Region',
          'AWS::AccountId',
          'AWS::Partition',
          'AWS::StackName',
          'AWS::URLSuffix',
        ]),
      }),
    ])();
  }
  const text = () => someText(random, depth - 1);
  return random.one<() => unknown>([
    word,
    () => someText(random, 0),
    () => ({ 'Fn::GetAtt': random.one<unknown>([['Other', 'Arn'], 'Other.Endpoint.Address']) }),
    () => ({ 'Fn::Join': [random.one(['', '-', ',', ', ']), joined(random, depth - 1)] }),
    () => ({ 'Fn::Sub': template(random) }),
    () => ({ 'Fn::Sub': [`${template(random)}\${a}-\${b}`, { a: text(), b: text() }] }),
    () => ({ 'Fn::Select': [random.one([0, 1, 2]), selectable(random, depth - 1)] }),
    () => ({ 'Fn::If': [random.one(CONDITIONS), text(), text()] }),
    () => ({ 'Fn::FindInMap': random.one<unknown>([['Sizes', { Ref: 'AWS::Region' }, 'name'], ['Sizes', 'x', 'name'],
      ['Sizes', 'none', 'name', { DefaultValue: word() }]]) }),
    () => ({ 'Fn::Base64': text() }),
    () => ({ 'Fn::ImportValue': random.one(['Network', 'Other-Thing']) }),
  ])();
}

/** Of three texts at least. */
function selectable(random: Random, depth: number): unknown {
  return random.one<() => unknown>([
    () => Array.from({ length: 3 }, () => someText(random, depth)),
    () => ({ Ref: 'Words' }),
    () => ({ 'Fn::Split': [':', random.one<unknown>([{ 'Fn::GetAtt': ['Other', 'Arn'] }, { Ref: 'Other' }, 'p:q:r:s'])] }),
    () => ({ 'Fn::FindInMap': ['Sizes', 'us-east-1', 'names'] }),
    () => ({ 'Fn::GetAZs': 'eu-west-1' }),
  ])();
}

function joined(random: Random, depth: number): unknown {
  return random.chance(0.6)
    ? Array.from({ length: 1 + Math.floor(random.next() * 3) }, () => someText(random, depth))
    : selectable(random, depth);
}

function someList(random: Random, depth: number): unknown {
  if (depth === 0) {
    return ['a'];
  }
  const item = () =>
    random.chance(0.25)
      ? { 'Fn::If': [random.one(CONDITIONS), someValue(random, depth - 1), NO_VALUE] }
      : random.chance(0.1)
        ? NO_VALUE
        : someValue(random, depth - 1);
  return random.one<() => unknown>([
    () => Array.from({ length: Math.floor(random.next() * 4) }, item),
    () => selectable(random, depth - 1),
    () => ({ 'Fn::Split': [random.one([',', '-', ':']), someText(random, depth - 1)] }),
    () => ({ 'Fn::If': [random.one(CONDITIONS), someList(random, depth - 1), someList(random, depth - 1)] }),
  ])();
}

function someObject(random: Random, depth: number): unknown {
  if (depth === 0) {
    return { k: 'v' };
  }
  const value = () =>
    random.chance(0.25)
      ? { 'Fn::If': [random.one(CONDITIONS), NO_VALUE, someValue(random, depth - 1)] }
      : someValue(random, depth - 1);
  return random.chance(0.1)
    ? {
        'Fn::Length': random.one<unknown>([
          { Ref: 'Words' },
          { 'Fn::Split': [':', 'p:q'] },
          ['a', { Ref: 'Stage' }],
          { 'Fn::FindInMap': ['Sizes', 'us-east-1', 'names'] },
        ]),
      }
    : Object.fromEntries(
        random
          .few(['k', 'l', 'Name', 'Value'])
          .map(key => [key, random.chance(0.1) ? random.one([1, true, false, 2.5]) : value()]),
      );
}

/** For Fn::Sub. */
function template(random: Random): string {
  return Array.from({ length: 1 + Math.floor(random.next() * 4) }, () =>
    random.one([
      '${Stage}',
      '${AWS::Region}',
      '${Other}',
      '${Other.Arn}',
      '${Port}',
      '${!literal}',
      'text',
      '$ ',
      '-',
      '${AWS::AccountId}',
      '} ',
    ]),
  ).join('');
}

function compareOr(made: Template, refused: (error: Error) => void): ReturnType<typeof compare> {
  try {
    return compare(made);
  } catch (error) {
    refused(error as Error);
    return { same: [], different: [], open: {} };
  }
}

function run({ seed, shard: { index, count }, runs = TEMPLATES, only, progress }: Options): Promise<Outcome> {
  const figures = { 'templates': 0, 'values compared': 0, 'left open by the model': 0, 'disagreements': 0 };
  const violations: Violation[] = [];
  const numbers
    = only === undefined
      ? Array.from({ length: runs }, (_, n) => n).filter(n => n % count === index - 1)
      : [Number(only)];
  for (const n of numbers) {
    const made = templateOf(new Random(seed * 1_000_003 + n));
    figures.templates++;
    const { same, different, open } = compareOr(made, (error) => {
      violations.push({ what: `refused: ${error.message}`, replay: `--seed ${seed} --only ${n}` });
    });
    figures['values compared'] += same.length + different.length;
    figures['left open by the model'] += Object.keys(open).length;
    figures.disagreements += different.length;
    for (const name of different) {
      const written = name.startsWith('It.') ? made.Resources.It.Properties![name.slice(3)] : made.Outputs;
      violations.push({
        what: `${name}: ${JSON.stringify(written)} with ${JSON.stringify(made.Conditions)}`,
        replay: `--seed ${seed} --only ${n}`,
      });
    }
    if (figures.templates % 1000 === 0) {
      progress(`${figures.templates} of ${numbers.length} templates`);
    }
  }
  return Promise.resolve({ figures, violations });
}

export const TEMPLATES_ITEM: Item = {
  name: 'templates',
  title: 'Templates and the model of AWS',
  goal: '10,000 random templates',
  claim:
    'The rehearsal resolves random templates, with nested intrinsic functions and conditions, and `@aws/cloudformation-validate` does so independently. '
    + 'The values are equal. Where the model of AWS leaves a value open, there is nothing to compare.',
  canFail: 'It fails if `Fn::Join` of the rehearsal takes another delimiter.',
  run,
};
