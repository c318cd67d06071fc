import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Item, Options, Outcome, partOf } from './item';
import { writeRunner } from './mutant-runner';

const ROOT = join(__dirname, '../..');
const FOLDER = 'test-reports/mutants';

/** Not a dependency of the project: it is needed for this alone. */
const STRYKER = '@stryker-mutator/core@9.6.1';

interface Folder {
  readonly path: string;
  /** The tests that are to find the mutants: they do no I/O. */
  readonly tests: RegExp;
  /** Per cent of the mutants that they are to find. */
  readonly least: number;
}

/** By the name that `--folder` takes. */
const FOLDERS: Readonly<Record<string, Folder>> = {
  core: { path: 'lambda/provisioner/core', tests: /^lambda\/[\w-]+\.pure\.test\.ts$/, least: 90 },
  contract: { path: 'lib/contract', tests: /^(lib|lambda)\/.*\.pure\.test\.ts$/, least: 85 },
  model: { path: 'lib/model', tests: /^lib\/((model|report)\/.*|privileges)\.pure\.test\.ts$/, least: 85 },
  checks: { path: 'lib/checks', tests: /^lib\/checks\/(.*\.pure|app\/.*\.synth)\.test\.ts$/, least: 85 },
};

/** Tests of thousands of random cases, which would take longer than all others. */
const LEFT_OUT = ['of any shape', 'mutations of a row', 'random patterns'];

interface Position {
  readonly line: number;
  readonly column: number;
}

interface Mutant {
  readonly status: string;
  readonly replacement?: string;
  readonly location: { readonly start: Position; readonly end: Position };
}

interface Report {
  readonly files: Record<string, { readonly source: string; readonly mutants: Mutant[] }>;
}

/** Why no test finds a mutant: by reason and file, `what was => what it became`. */
type Reasons = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** What a mutant changes, on one line. */
function changeOf({ location: { start, end }, replacement = '' }: Mutant, source: string): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const text = [...lines.slice(0, -1), lines.at(-1)!.slice(0, end.column - 1)].join('\n').slice(start.column - 1);
  return [text, replacement].map(each => each.replaceAll(/\s+/g, ' ').slice(0, 100)).join(' => ');
}

function filesIn(path: string): string[] {
  return readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .sort();
}

function run(options: Options): Promise<Outcome> {
  const name = options.more.folder ?? 'core';
  const { path, tests, least } = FOLDERS[name] ?? FOLDERS.core;
  const files = options.more.files?.split(',') ?? partOf(filesIn(path).map(file => file.replace(/\.ts$/, '')), options);
  // Shards may run side by side.
  const folder = join(ROOT, FOLDER, `${name}-${options.shard.index}of${options.shard.count}`);
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'stryker.config.json');
  const runner = join(folder, 'runner.mjs');
  const report = join(folder, 'mutation.json');
  rmSync(report, { force: true });
  const temporary = mkdtempSync(join(tmpdir(), 'mutants-'));
  writeRunner(runner);
  writeFileSync(config, JSON.stringify({
    testRunner: 'direct',
    plugins: [runner],
    pureTests: filesIn('test').filter(file => tests.test(file)).map(file => `test/${file}`),
    leftOut: LEFT_OUT,
    warnings: { unknownOptions: false },
    coverageAnalysis: 'perTest',
    concurrency: Number(options.more.workers ?? 2),
    mutate: files.map(file => `${path}/${file}.ts`),
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: report },
    tempDirName: temporary,
    ignorePatterns: ['/build', '/dist', '/coverage', '/test-reports'],
    // Nothing here reads one: esbuild takes the types away.
    tsconfigFile: 'none',
  }, undefined, 2));
  execFileSync('npx', ['--yes', '-p', STRYKER, 'stryker', 'run', config], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  rmSync(temporary, { recursive: true, force: true });
  const { files: found } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const mutants = Object.entries(found).flatMap(([file, { source, mutants }]) =>
    mutants.map(mutant => ({ file, source, ...mutant })),
  );
  const count = (...statuses: string[]) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const [detected, alive] = [count('Killed', 'Timeout'), count('Survived', 'NoCoverage')];
  const reasons = JSON.parse(readFileSync(join(__dirname, 'survivors.json'), 'utf8')) as Reasons;
  const survivors = mutants.filter(({ status }) => ['Survived', 'NoCoverage'].includes(status)).map((mutant) => {
    const change = changeOf(mutant, mutant.source);
    return {
      at: `${mutant.file}:${mutant.location.start.line}`,
      change,
      reason: Object.keys(reasons).find(reason => reasons[reason][mutant.file]?.includes(change)),
    };
  });
  survivors.forEach(({ at, change, reason }) =>
    options.progress(`${at} ${change}${reason === undefined ? '' : ` (${reason})`}`),
  );
  const score = 100 * detected / Math.max(1, detected + alive);
  return Promise.resolve({
    figures: {
      [`mutants of ${name}`]: detected + alive,
      [`found by tests of ${name}`]: detected,
      [`not found of ${name}`]: alive,
      [`not found of ${name}, without a reason`]: survivors.filter(({ reason }) => reason === undefined).length,
    },
    violations:
      score >= least
        ? []
        : [
            {
              what: `tests find ${score.toFixed(1)} % of the mutants, and are to find ${least} %`,
              replay: `--folder ${name} --files ${files.join(',')}`,
            },
          ],
  });
}

export const MUTANTS: Item = {
  name: 'mutants',
  title: 'Mutants of the decisions',
  goal: '90 % in `lambda/provisioner/core`, 85 % in `lib/contract`, `lib/model` and `lib/checks`',
  claim:
    'StrykerJS changes the code of decisions in one place at a time, and the tests without I/O run. A mutant that no test finds is a decision that no test is about. '
    + 'Tests of thousands of random cases are left out, so that there may be fewer survivors than it says. '
    + '[The list of survivors](../test/trust/survivors.json) says why no test finds them, where that is known.',
  canFail: 'It fails below these.',
  run,
};
