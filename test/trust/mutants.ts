import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Item, Options, Outcome, partOf } from './item';

const ROOT = join(__dirname, '../..');
const FOLDER = 'test-reports/mutants';

/** Not a dependency of the project: it is needed for this alone. */
const STRYKER = ['@stryker-mutator/core@9.6.1', '@stryker-mutator/jest-runner@9.6.1'];

/** The decisions, which are pure and have pure tests. */
const CORE = 'lambda/provisioner/core';
const FILES = ['lifecycle', 'ownership', 'order', 'role-names', 'membership-graph', 'time', 'expiry', 'membership-expiry', 'deployed', 'settings', 'identities', 'plan-shared', 'plan-database', 'privilege-changes',
  'change', 'declaration', 'registry-rows', 'journal', 'new-name', 'removal', 'state', 'imagined', 'imagined-privileges'];

/** Per cent of the mutants that tests must find. */
const LEAST = 90;

interface Report {
  readonly files: Record<string, { readonly mutants: { readonly status: string; readonly mutatorName: string; readonly replacement?: string; readonly location: { readonly start: { readonly line: number } } }[] }>;
}

const JEST = {
  rootDir: ROOT,
  globalSetup: '<rootDir>/test/prepare.ts',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/lambda/*.pure.test.ts'],
  moduleNameMapper: { '^cdk-aurora-iam-auth$': '<rootDir>/lib' },
  transform: { '^.+\\.ts$': '<rootDir>/test/worker/typescript.js' },
};

function run(options: Options): Promise<Outcome> {
  const files = options.more.files?.split(',') ?? partOf(FILES, options);
  mkdirSync(join(ROOT, FOLDER), { recursive: true });
  const config = join(ROOT, FOLDER, 'stryker.config.json');
  const report = join(ROOT, FOLDER, 'mutation.json');
  rmSync(report, { force: true });
  writeFileSync(config, JSON.stringify({
    testRunner: 'jest',
    plugins: ['@stryker-mutator/jest-runner'],
    coverageAnalysis: 'perTest',
    concurrency: 2,
    mutate: files.map(name => `${CORE}/${name}.ts`),
    // Words of messages are for people: their tests are those of the messages.
    mutator: { excludedMutations: ['StringLiteral'] },
    jest: { projectType: 'custom', config: { ...JEST, rootDir: undefined }, enableFindRelatedTests: true },
    reporters: ['json', 'clear-text'],
    jsonReporter: { fileName: report },
    tempDirName: `${FOLDER}/tmp`,
    ignorePatterns: ['/docs', '/assets', '/build', '/dist', '/integ-tests', '/examples', '/coverage', '/test-reports', '/test/rehearsal/fixtures'],
    inPlace: false,
  }, undefined, 2));
  execFileSync('npx', ['--yes', ...STRYKER.flatMap(name => ['-p', name]), 'stryker', 'run', config], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const { files: found } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const mutants = Object.entries(found).flatMap(([file, { mutants }]) => mutants.map(mutant => ({ file, ...mutant })));
  const count = (...statuses: string[]) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const [detected, alive] = [count('Killed', 'Timeout'), count('Survived', 'NoCoverage')];
  const survivors = mutants.filter(({ status }) => ['Survived', 'NoCoverage'].includes(status));
  survivors.forEach(({ file, location, mutatorName, replacement = '' }) => options.progress(`${file}:${location.start.line} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 100)}`));
  const score = 100 * detected / Math.max(1, detected + alive);
  return Promise.resolve({
    figures: { 'mutants': detected + alive, 'found by tests': detected, 'not found': alive },
    setting: { files: files.join(', ') },
    violations: score >= LEAST ? [] : [{ what: `tests find ${score.toFixed(1)} % of the mutants, and are to find ${LEAST} %`, replay: `--files ${files.join(',')}` }],
  });
}

export const MUTANTS: Item = {
  name: 'mutants',
  title: 'Mutants of the decisions',
  goal: `${LEAST} % in each file of \`lambda/provisioner/core\``,
  claim: 'StrykerJS changes the code of decisions in one place at a time, and the pure tests run. A mutant that no test finds is a decision that no test is about. Texts are not changed.',
  canFail: `It fails below ${LEAST} %.`,
  run,
};
