import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Account, StackFacts } from '../../cli/deployed/account';
import { assemblyIn } from '../../cli/deployed/select-stacks';
import { main as diff } from '../../cli/diff';
import { main as doctor } from '../../cli/doctor/doctor';
import { main as drift } from '../../cli/drift/drift';
import { main as plan } from '../../cli/plan/plan';
import { planStacks } from '../../cli/plan/plan-stacks';
import { main as rehearse } from '../../cli/rehearse';
import { main as up } from '../../cli/up';
import type { Template } from '../../rehearsal/cloudformation/template';
import { InputError } from '../../rehearsal/rehearse/input-error';

let folder: string;
beforeEach(() => folder = mkdtempSync(join(tmpdir(), 'broken-')));
afterEach(() => rmSync(folder, { recursive: true }));

type Files = Record<string, unknown>;

/** What `cdk synth` writes of a stage with a stack that has another one nested in it. */
const WHOLE: Files = {
  'manifest.json': {
    version: '53.0.0',
    artifacts: { 'assembly-Prod': { type: 'cdk:cloud-assembly', properties: { directoryName: 'assembly-Prod' } } },
  },
  'assembly-Prod/manifest.json': { artifacts: {
    'Shop': {
      type: 'aws:cloudformation:stack',
      dependencies: ['Shop.assets'],
      properties: { templateFile: 'Shop.template.json', stackName: 'Shop' },
    },
    'Shop.assets': { type: 'cdk:asset-manifest', properties: { file: 'Shop.assets.json' } },
  } },
  'assembly-Prod/Shop.assets.json': {
    files: {
      abc: { source: { path: 'Nested.json', packaging: 'file' }, destinations: { here: { objectKey: 'abc.json' } } },
    },
  },
  'assembly-Prod/Shop.template.json': {
    Resources: {
      Nested: {
        Type: 'AWS::CloudFormation::Stack',
        Properties: { TemplateURL: 'https://s3/abc.json' },
        Metadata: { 'aws:asset:path': 'Nested.json' },
      },
    },
  },
  'assembly-Prod/Nested.json': { Resources: { Role: { Type: 'AWS::IAM::Role', Properties: {} } } },
};

/** Texts are written as they are; what is undefined is not there. */
function write(changes: Files): void {
  for (const [file, content] of Object.entries({ ...WHOLE, ...changes })) {
    if (content !== undefined) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
    }
  }
}

const incomplete = (where: string, problem: string) => `${where} is not complete: ${problem}; run cdk synth again`;
const NO_ARTIFACTS
  = ' is not a cloud assembly: its manifest.json has no artifacts; name the folder that cdk synth has written';
const artifacts = (value: unknown) => ({ 'manifest.json': { artifacts: value } });
const [PROD, SHOP, ASSETS, NESTED] = [
  'assembly-Prod/manifest.json',
  'assembly-Prod/Shop.template.json',
  'assembly-Prod/Shop.assets.json',
  'assembly-Prod/Nested.json',
];
const inProd = (file: string, problem: string) => incomplete('/assembly-Prod', `${file}: ${problem}`);

test('a whole folder is read', () => {
  write({});
  expect(assemblyIn(folder).stacks.map(({ id, nested }) => [id, Object.keys(nested)])).toEqual([['Shop', ['Nested']]]);
});

describe('every command refuses a folder', () => {
  test.each<[string, Files, string]>([
    ['whose artifacts are null', artifacts(null), NO_ARTIFACTS],
    ['whose artifacts are a list', artifacts([]), NO_ARTIFACTS],
    [
      'with an artifact that is none',
      artifacts({ Shop: null }),
      incomplete('', 'manifest.json: artifacts.Shop is no object'),
    ],
    [
      'with an artifact of no type',
      artifacts({ Shop: {} }),
      incomplete('', 'manifest.json: artifacts.Shop.type is no text'),
    ],
    [
      'with dependencies that are no list',
      artifacts({ Shop: { type: 'a', dependencies: 'b' } }),
      incomplete('', 'manifest.json: artifacts.Shop.dependencies is no list'),
    ],
    [
      'with lookups that are no list',
      { 'manifest.json': { artifacts: {}, missing: {} } },
      incomplete('', 'manifest.json: missing is no list'),
    ],
    [
      'with a lookup that is none',
      { 'manifest.json': { artifacts: {}, missing: [null] } },
      incomplete('', 'manifest.json: missing[0] is no object'),
    ],
    [
      'with a stage without a folder',
      artifacts({ Prod: { type: 'cdk:cloud-assembly' } }),
      incomplete('', 'manifest.json: a stage has no folder of its own'),
    ],
    [
      'with a stage in its own folder',
      artifacts({ Prod: { type: 'cdk:cloud-assembly', properties: { directoryName: '.' } } }),
      incomplete('', 'manifest.json: a stage has no folder of its own'),
    ],
    ['with a stage that is not there', { [PROD]: undefined }, inProd('manifest.json', 'it is not there')],
    ['without its asset manifest', { [ASSETS]: undefined }, inProd('Shop.assets.json', 'it is not there')],
    [
      'whose asset manifest has an asset without a destination',
      { [ASSETS]: { files: { abc: { source: {} } } } },
      inProd('Shop.assets.json', 'files.abc.destinations is no object'),
    ],
    ['whose template is empty', { [SHOP]: '' }, inProd('Shop.template.json', 'it is not JSON')],
    ['whose template is null', { [SHOP]: null }, inProd('Shop.template.json', 'it is no object')],
    ['whose template is a list', { [SHOP]: [] }, inProd('Shop.template.json', 'it is no object')],
    [
      'with a list of resources',
      { [SHOP]: { Resources: ['a'] } },
      inProd('Shop.template.json', 'Resources is no object'),
    ],
    [
      'with a resource that is none',
      { [SHOP]: { Resources: { Role: null } } },
      inProd('Shop.template.json', 'Resources.Role is no object'),
    ],
    [
      'with a resource of no type',
      { [SHOP]: { Resources: { Role: {} } } },
      inProd('Shop.template.json', 'Resources.Role.Type is no text'),
    ],
    ['with properties that are none', { [SHOP]: { Resources: { Role: { Type: 'AWS::IAM::Role', Properties: null } } } },
      inProd('Shop.template.json', 'Resources.Role.Properties is no object')],
    ['without the template of a nested stack', { [NESTED]: undefined }, inProd('Nested.json', 'it is not there')],
    [
      'without the template of a nested stack, nor an asset for it',
      { [NESTED]: undefined, [ASSETS]: {} },
      inProd('Nested.json', 'it is not there'),
    ],
    ['whose nested template is empty', { [NESTED]: '' }, inProd('Nested.json', 'it is not JSON')],
  ])('%s', async (_, changes, problem) => {
    write(changes);
    const refused = expect.objectContaining({ constructor: InputError, message: `${folder}${problem}` }) as Error;
    const [commands, others] = [
      [plan, drift, rehearse],
      [() => up([folder, '--', 'true']), () => doctor(['orders', '--app', folder])],
    ];
    for (const run of [...commands.map(command => () => command([folder])), ...others]) {
      await expect(run()).rejects.toThrow(refused);
    }
    expect(() => diff([folder, folder])).toThrow(refused);
  });
});

test('a template behind a symbolic link is read, and one behind a broken link is not there', () => {
  write({ [SHOP]: undefined, 'elsewhere.json': '{}' });
  symlinkSync('../elsewhere.json', join(folder, SHOP));
  expect(assemblyIn(folder).stacks.map(({ id }) => id)).toEqual(['Shop']);
  rmSync(join(folder, 'elsewhere.json'));
  expect(() => assemblyIn(folder)).toThrow(`${folder}${inProd('Shop.template.json', 'it is not there')}`);
});

test('stacks that depend on each other are read once each', () => {
  const stackOf = (other: string) => ({
    type: 'aws:cloudformation:stack',
    dependencies: [other],
    properties: { templateFile: 'a.json' },
  });
  write({ ...artifacts({ A: stackOf('B'), B: stackOf('A') }), 'a.json': '{}' });
  expect(assemblyIn(folder).stacks.map(({ id }) => id).sort()).toEqual(['A', 'B']);
});

test('plan removes no user of a nested stack whose template is elsewhere', async () => {
  const nested = { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://s3/elsewhere.json' } };
  write({ [SHOP]: { Resources: { Nested: nested } }, [NESTED]: undefined });
  const factsOf = (name: string): StackFacts => ({
    name,
    id: name,
    partition: 'aws',
    account: '111122223333',
    region: 'eu-central-1',
    status: 'UPDATE_COMPLETE',
    parameters: new Map(),
    outputs: new Map(),
  });
  const account: Account = {
    id: () => Promise.resolve('111122223333'),
    stack: name => Promise.resolve(factsOf(name)),
    template: ({ name }) =>
      Promise.resolve<Template>({
        Resources: name === 'Shop' ? { Nested: nested } : { User: { Type: 'Custom::RdsIamUser', Properties: {} } },
      }),
    resources: ({ name }) =>
      Promise.resolve(
        new Map(
          name === 'Shop'
            ? [['Nested', { type: nested.Type, physicalId: 'Inner' }]]
            : [['User', { type: 'Custom::RdsIamUser', physicalId: 'u' }]],
        ),
      ),
    invoke: () => Promise.reject(new Error('is not asked')),
  };
  const plans = await planStacks(account, {
    stacks: assemblyIn(folder).stacks,
    parametersOf: () => ({}),
    isWanted: () => true,
  });
  expect(plans.map(({ impossible, resources }) => ({ impossible, resources }))).toEqual([
    {
      impossible: [
        'the template of its nested stack Nested is not in the folder; run cdk synth again, or deploy it as a NestedStack of the app',
      ],
      resources: [],
    },
  ]);
});
