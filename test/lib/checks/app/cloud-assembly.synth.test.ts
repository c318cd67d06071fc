import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readCloudAssembly } from '../../../../lib/checks/app/cloud-assembly';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assembly-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes the files of an assembly, and reads it from the templates that are named. */
function read(files: Record<string, unknown>, ...templates: string[]) {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  const { app, metadata } = readCloudAssembly(templates.map(name => join(folder, name)));
  const inFolder = (file: string) => file.replace(`${folder}/`, '');
  return {
    stacks: [
      ...new Set(
        app.resources.map(
          ({ template: { stack } }) => `${stack.name} in ${stack.environment} of ${inFolder(stack.folder)}`,
        ),
      ),
    ],
    resources: app.resources.map(({ logicalId, template: { file } }) => `${inFolder(file)}: ${logicalId}`),
    metadata: Object.fromEntries([...metadata].map(([file, constructs]) => [inFolder(file), constructs])),
  };
}

const template = (...ids: string[]) => ({
  Resources: Object.fromEntries(ids.map(id => [id, { Type: 'AWS::S3::Bucket' }])),
});
const nested = (more: object) => ({ Resources: { Nested: { Type: 'AWS::CloudFormation::Stack', ...more } } });
const stack = (templateFile: string, more: object = {}, properties: object = {}) => ({
  type: 'aws:cloudformation:stack',
  properties: { templateFile, ...properties },
  ...more,
});

describe('a cloud assembly', () => {
  test('says the name and the environment of each stack, and what its constructs carry', () => {
    const said = [{ type: 'aws:cdk:logicalId', data: 'A' }];
    const { stacks, metadata } = read({
      'manifest.json': {
        artifacts: {
          Tree: { type: 'cdk:tree' },
          One: stack(
            'One.template.json',
            {
              environment: 'aws://111111111111/eu-west-1',
              metadata: { '/One/A': said },
              additionalMetadataFile: 'One.metadata.json',
            },
            { stackName: 'shop' },
          ),
          Two: stack('Two.template.json', { environment: 'aws://unknown-account/unknown-region' }),
        },
      },
      'One.metadata.json': { '/One/B': said },
      'One.template.json': template('A'),
      'Two.template.json': template('B'),
    }, 'One.template.json', 'Two.template.json', 'One.template.json');
    expect(stacks).toEqual([
      `shop in aws://111111111111/eu-west-1 of ${folder}`,
      `Two in aws://unknown-account/unknown-region of ${folder}`,
    ]);
    expect(metadata).toEqual({ 'One.template.json': { '/One/A': said, '/One/B': said }, 'Two.template.json': {} });
  });

  test('may have templates alone', () => {
    const { stacks, resources, metadata } = read({ 'Data.template.json': template('A') }, 'Data.template.json');
    expect(stacks).toEqual([`Data.template.json in aws://unknown-account/unknown-region of ${folder}`]);
    expect([resources, metadata]).toEqual([['Data.template.json: A'], { 'Data.template.json': {} }]);
    expect(read({ 'manifest.json': {} }, 'Data.template.json').stacks).toEqual(stacks);
    expect(
      read(
        { 'manifest.json': { artifacts: { Other: stack('Other.template.json', {}, { stackName: 'other' }) } } },
        'Data.template.json',
      ).stacks,
    ).toEqual(stacks);
  });

  test('has a stage in a folder of its own', () => {
    const { stacks, resources } = read({
      'manifest.json': { artifacts: { Data: stack('Data.template.json', {}, { stackName: 'outer' }) } },
      'stage/manifest.json': { artifacts: { Data: stack('Data.template.json', {}, { stackName: 'inner' }) } },
      'stage/Data.template.json': nested({ Metadata: { 'aws:asset:path': 'Nested.json' } }),
      'stage/Nested.json': template('Inside'),
      'Nested.json': template('Outside'),
    }, 'stage/Data.template.json');
    expect(stacks).toEqual(['inner in aws://unknown-account/unknown-region of stage']);
    expect(resources).toEqual(['stage/Data.template.json: Nested', 'stage/Nested.json: Inside']);
  });

  test.each<[string, object, string[]]>([
    ['by the path of its asset', { Metadata: { 'aws:asset:path': 'inner.json' } }, ['inner.json: Inside']],
    ['by its hash in the URL',
      { Properties: { TemplateURL: { 'Fn::Sub': 'https://s3.${AWS::URLSuffix}/assets/cafe01.json' } } },
      ['inner.json: Inside']],
    ['or not, by another hash', { Properties: { TemplateURL: 'https://s3/assets/cafe02.json' } }, []],
    ['or not, without a URL', {}, []],
    ['or not, where the file is not there', { Metadata: { 'aws:asset:path': 'gone.json' } }, []],
    ['or not, where it is no JSON', { Metadata: { 'aws:asset:path': 'inner.yaml' } }, []],
    ['or not, where the path is none', { Metadata: { 'aws:asset:path': 5 } }, []],
  ])('has the template of a nested stack %s', (_, more, expected) => {
    const { resources } = read({
      'Data.template.json': nested(more),
      'Data.assets.json': {
        files: { beef01: { source: { path: 'other.json' } }, cafe01: { source: { path: 'inner.json' } } },
      },
      'Empty.assets.json': {},
      'cafe02.json': { files: { cafe02: { source: { path: 'inner.json' } } } },
      'inner.json': template('Inside'),
      'inner.yaml': 'Resources: {}',
      'other.json': template('Other'),
    }, 'Data.template.json');
    expect(resources).toEqual(['Data.template.json: Nested', ...expected]);
  });
});
