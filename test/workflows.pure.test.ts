import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const FOLDER = join(__dirname, '../.github/workflows');

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Record<string, string>;
}

interface Job {
  readonly permissions?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly steps: Step[];
}

interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions?: unknown;
  readonly env?: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

/** By the names of the files, without their suffix. */
const WORKFLOWS = Object.fromEntries(readdirSync(FOLDER).map(file =>
  [file.replace(/\.ya?ml$/, ''), parse(readFileSync(join(FOLDER, file), 'utf8')) as Workflow]));

const JOBS = Object.entries(WORKFLOWS).flatMap(([workflow, { jobs }]) =>
  Object.entries(jobs).map(([id, job]) => ({ id: `${workflow} ${id}`, workflow: WORKFLOWS[workflow], job })));
const STEPS = JOBS.flatMap(({ id, job }) => job.steps.map(step => ({ id, ...step })));

const READ = { contents: 'read' };

/** All that the token of a job may do. Whoever adds to it says here what for. */
const PERMISSIONS: Record<string, Record<string, string>> = {
  'build build': READ,
  'build package-js': READ,
  'build package-java': READ,
  'build package-python': READ,
  'build package-dotnet': READ,
  'build package-go': READ,
  'full full': READ,
  'pull-request-lint validate': { 'pull-requests': 'read' },
  'release release': READ,
  'release release_github': { contents: 'write' }, // makes the tag and the release
  'release release_npm': { ...READ, 'id-token': 'write' }, // trusted publishing
  'release release_maven': READ, // publishes with secrets of its own
  'release release_pypi': { ...READ, 'id-token': 'write' }, // trusted publishing
  'release release_nuget': { ...READ, 'id-token': 'write' }, // trusted publishing
  'release release_golang': READ, // pushes with a token of its own
  'upgrade-main upgrade': READ,
  'upgrade-main pr': READ, // opens the pull request with a token of its own
};

/** What `npx` runs in a command. */
function npxOf(command: string): string[] {
  return command
    .split(/\n|&&|\|\||;/)
    .flatMap(part => /\bnpx\s+(.*)$/.exec(part.trim())?.[1].replaceAll("'", '') ?? []);
}

describe('each workflow', () => {
  test('is looked at', () => {
    expect(Object.keys(WORKFLOWS).sort()).toEqual(['build', 'full', 'pull-request-lint', 'release', 'upgrade-main']);
    expect(STEPS.length).toBeGreaterThan(50);
  });

  test('names actions by their commits', () => {
    const actions = STEPS.flatMap(({ id, uses }) => uses === undefined ? [] : [`${id}: ${uses}`]);
    expect(actions.length).toBeGreaterThan(40);
    expect(actions.filter(action => !/^[\w -]+: [\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
  });

  test('gives each job the permissions that are listed, and no others', () => {
    expect(Object.fromEntries(JOBS.map(({ id, job }) => [id, job.permissions]))).toEqual(PERMISSIONS);
    expect(Object.values(WORKFLOWS).map(({ permissions }) => permissions)).toEqual(Array(5).fill(undefined));
  });

  test('runs by npx what is in the lock file, or an exact version', () => {
    const commands = STEPS.flatMap(({ run = '' }) => npxOf(run));
    expect(commands.filter(command => command.startsWith('-p publib@'))).toHaveLength(5);
    expect(commands.filter(command => !/^(projen\b|-p [\w-]+@\d+\.\d+\.\d+ )/.test(command))).toEqual([]);
  });

  test('installs what is in the lock file', () => {
    const installs = STEPS.flatMap(({ run = '' }) => run.split('\n')).filter(line =>
      /\b(npm|yarn|pnpm|bun)\s/.test(line),
    );
    expect(installs.length).toBeGreaterThan(10);
    expect(installs.filter(line => !/^(cd \.repo && )?npm ci$/.test(line))).toEqual([]);
  });

  test('runs no install script', () => {
    const installing = JOBS.filter(({ job }) => job.steps.some(({ run = '' }) => /\bnp[mx]\b/.test(run)));
    expect(installing.length).toBeGreaterThan(10);
    for (const { workflow, job } of installing) {
      for (const { env } of job.steps) {
        expect({ ...workflow.env, ...job.env, ...env }).toMatchObject({ NPM_CONFIG_IGNORE_SCRIPTS: 'true' });
      }
    }
  });

  test('that runs with the rights of the repository on a pull request of others checks nothing out and runs nothing', () => {
    const trusting = Object.values(WORKFLOWS).filter(({ on }) => 'pull_request_target' in on || 'workflow_run' in on);
    const steps = trusting.flatMap(({ jobs }) => Object.values(jobs).flatMap(job => job.steps));
    expect(steps.map(({ uses, run }) => uses?.split('@')[0] ?? run)).toEqual(['amannn/action-semantic-pull-request']);
  });
});
