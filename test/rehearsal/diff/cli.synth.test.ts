import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { packedCli } from '../../cli/packed-cli';
import { firstOf, full } from '../../full';
import { synthesized } from '../synthesized';

const ROOT = resolve(__dirname, '../../..');
const DOCS = readFileSync(join(ROOT, 'docs/access-diff.md'), 'utf8');

let program: string;
beforeAll(async () => (program = await packedCli()));

/** The command line as a process, in a folder. */
function cli(cwd: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, CALLER_FOLDER: cwd, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

describe('diff', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'diff-'));
    const [old, now] = await Promise.all(
      [{ grant: 'false' }, { grant: 'true' }].map(context => synthesized('examples/quick-start/app.ts', context)),
    );
    symlinkSync(old.folder, join(folder, 'old'));
    symlinkSync(now.folder, join(folder, 'new'));
    mkdirSync(join(folder, 'empty'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test('does what the docs say', () => {
    const [, session] = /```console\n(.*?)```/s.exec(DOCS) ?? [];
    const [, args] = /cdk-aurora-iam-auth-cli (diff .*)\n/.exec(session ?? '') ?? [];
    const [, output] = /<!-- diff old new -->\n```markdown\n(.*?)```/s.exec(DOCS) ?? [];
    expect(args).toBe('diff old new --fail-on-gain');
    expect(cli(folder, ...args.split(' '))).toEqual({ status: 4, stdout: output, stderr: '' });
    const back = cli(folder, 'diff', 'new', 'old', '--fail-on-gain');
    expect(back).toEqual({ status: 0, stdout: output.replace('## Gains', '## Loses'), stderr: '' });
  });

  full.test('ends with 0 where nothing is gained, or the command is not asked to fail', () => {
    expect(cli(folder, 'diff', 'new', 'new', '--fail-on-gain')).toEqual({
      status: 0,
      stdout: '# Access changes\n\nNo principal gains or loses access.\n',
      stderr: '',
    });
    expect(cli(folder, 'diff', 'old', 'new').status).toBe(0);
  });

  test('counts what is not decided as a gain, until the policy is given', () => {
    const app = (file: string, ManagedPolicyArns: string[]) => {
      mkdirSync(join(folder, file));
      writeFileSync(
        join(folder, file, 'manifest.json'),
        JSON.stringify({
          artifacts: { Shop: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Shop.json' } } },
        }),
      );
      writeFileSync(
        join(folder, file, 'Shop.json'),
        JSON.stringify({ Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns } } } }),
      );
    };
    const arn = 'arn:aws:iam::111111111111:policy/other';
    app('without', []);
    app('with', [arn]);
    writeFileSync(
      join(folder, 'policy.json'),
      JSON.stringify({ Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } }),
    );
    expect(cli(folder, 'diff', 'without', 'with', '--fail-on-gain').status).toBe(4);
    expect(cli(folder, 'diff', 'without', 'with', '--fail-on-gain', '--policy', `${arn}=policy.json`).status).toBe(0);
  });

  full.test('writes JSON', () => {
    const { stdout } = cli(folder, 'diff', 'old', 'new', '--json');
    expect(JSON.parse(stdout)).toEqual({
      format: 1,
      gains: [
        {
          at: 'QuickStart/Cluster',
          who: { kind: 'IAM role', name: 'QuickStart/Operator' },
          access: { kind: 'signIn', as: 'mario.rossi@example.com', user: 'declared' },
        },
        {
          who: { kind: 'principal', name: 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root' },
          access: { kind: 'assume', role: 'QuickStart/Operator' },
        },
      ],
      losses: [],
    });
  });

  test.each(firstOf<[string, string[], string]>(1, [
    ['one folder', ['old'], 'diff: expected two folders, the old and the new one, not 1; --help says more\n'],
    [
      'a folder that is none of cdk synth',
      ['old', 'empty'],
      'diff: empty is not a folder that cdk synth has written: it has no manifest.json; run cdk synth --output empty\n',
    ],
    [
      'a folder that is not there',
      ['old', 'nowhere'],
      'diff: nowhere is not a folder that cdk synth has written: it has no manifest.json; run cdk synth --output nowhere\n',
    ],
    [
      'a file',
      ['old', 'new/manifest.json'],
      'diff: new/manifest.json is not a folder that cdk synth has written: it has no manifest.json; run cdk synth --output new/manifest.json\n',
    ],
    ['a policy without a file', ['old', 'new', '--policy', 'x'], 'diff: --policy x is not of the form key=value\n'],
  ]))('refuses %s', (_what, args, stderr) => {
    expect(cli(folder, 'diff', ...args)).toEqual({ status: 2, stdout: '', stderr });
  });
});

describe('the workflows in the docs', () => {
  interface Workflow {
    readonly on: string | Record<string, unknown>;
    readonly permissions: object;
    readonly jobs: Record<string, { readonly permissions: object; readonly steps: { uses?: string; run?: string }[] }>;
  }
  const [reader, writer] = [...DOCS.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => parse(text) as Workflow);

  test('give the code of a pull request nothing but the repository to read', () => {
    expect([reader.on, reader.permissions, reader.jobs.diff.permissions]).toEqual([
      'pull_request',
      {},
      { contents: 'read' },
    ]);
  });

  test('let what may write run no code of a pull request', () => {
    const { permissions, steps } = writer.jobs.comment;
    expect([Object.keys(writer.on), writer.permissions, permissions]).toEqual([
      ['workflow_run'],
      {},
      { 'actions': 'read', 'pull-requests': 'write' },
    ]);
    expect(steps.filter(({ uses }) => uses !== undefined)).toEqual([]);
    expect(steps.map(({ run }) => run ?? '').join()).not.toMatch(/npm|npx|node |\$\{\{/);
  });

  test('pin what they use', () => {
    expect(
      [reader, writer].flatMap(({ jobs }) =>
        Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? [])),
      ),
    ).toEqual(Array(3).fill(expect.stringMatching(/@[0-9a-f]{40}$/)));
  });
});
