import { ChildProcess, SpawnOptions } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RunFolder } from '../run-folder';
import { CloudAssembly } from './cloud-assembly';

const ROOT = resolve(__dirname, '../..');

/**
 * Runs a CDK app written in TypeScript or JavaScript, as `cdk synth` would.
 *
 * @param app file of the app, from the root of the repository
 * @param context as with `cdk synth -c name=value`
 */
export async function synthesize(app: string, context: Record<string, string> = {}): Promise<CloudAssembly> {
  const file = resolve(ROOT, app);
  if (!existsSync(file)) {
    throw new Error(`${app} does not synthesize: there is no such file`);
  }
  const project = projectOf(file);
  const options = {
    // The examples import this library by its name.
    ...(relative(ROOT, file).startsWith('..') || !existsSync(join(ROOT, 'examples/tsconfig.json'))
      ? {}
      : { TSX_TSCONFIG_PATH: join(ROOT, 'examples/tsconfig.json') }),
  };
  return run(app, project, context, options, spawnOptions =>
    RunFolder.open().spawn(process.execPath, [...loaderFor(file, project), file], 'KILL', spawnOptions),
  );
}

/**
 * Runs the command of an app, as `cdk synth` does.
 *
 * @param command `app` of cdk.json
 */
export async function synthesizeWith(
  command: string,
  project: string,
  context: Record<string, string> = {},
): Promise<CloudAssembly> {
  return run(command, project, context, {}, spawnOptions =>
    RunFolder.open().spawn('/bin/sh', ['-c', command], 'KILL', spawnOptions),
  );
}

/** What Node.js needs to run TypeScript: the project's own tsx or ts-node, or that of this repository. */
function loaderFor(file: string, project: string): string[] {
  if (!/^\.[cm]?tsx?$/.test(extname(file))) {
    return [];
  }
  const [ofProject, own] = [createRequire(join(project, 'index.js')), createRequire(__filename)];
  const tsx = tryResolve(ofProject, 'tsx') ?? tryResolve(own, 'tsx');
  if (tsx !== undefined) {
    return ['--import', pathToFileURL(tsx).href];
  }
  const tsNode = tryResolve(ofProject, 'ts-node/register');
  if (tsNode !== undefined) {
    return ['--require', tsNode];
  }
  throw new Error(
    `${file} is TypeScript, and ${project} has neither tsx nor ts-node: npm install --save-dev tsx, or run cdk synth and give the folder that it writes`,
  );
}

function tryResolve(from: NodeJS.Require, name: string): string | undefined {
  try {
    return from.resolve(name);
  } catch {
    return undefined;
  }
}

async function run(
  app: string,
  project: string,
  context: Record<string, string>,
  environment: NodeJS.ProcessEnv,
  spawn: (options: SpawnOptions) => ChildProcess,
): Promise<CloudAssembly> {
  const folder = RunFolder.open().newPath('cdk.out');
  const child = spawn({
    cwd: project,
    env: {
      ...process.env,
      CDK_OUTDIR: folder,
      CDK_CONTEXT_JSON: JSON.stringify({ ...contextOf(project), ...context }),
      CDK_VALIDATION: 'false',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => output += text);
  const code = await new Promise<number | null>((done, reject) => child.once('error', reject).once('close', done));
  if (code !== 0) {
    throw new Error(`${app} does not synthesize: ${firstError(output) ?? `exit status ${code}`}`, { cause: output });
  }
  if (!existsSync(join(folder, 'manifest.json'))) {
    throw new Error(`${app} does not synthesize: it ran and wrote no cloud assembly, so it is no CDK app`);
  }
  return new CloudAssembly(folder);
}

/** Where `cdk synth` would be called. */
function projectOf(file: string): string {
  const above = (folder: string): string[] => [folder, ...dirname(folder) === folder ? [] : above(dirname(folder))];
  const folders = above(dirname(file));
  return (
    folders.find(folder => ['cdk.json', 'package.json'].some(name => existsSync(join(folder, name)))) ?? folders[0]
  );
}

function contextOf(project: string): Record<string, unknown> {
  const read = (name: string) => settingsIn(join(project, name));
  return {
    'aws:cdk:enable-path-metadata': true,
    ...(read('cdk.json').context as object | undefined),
    ...read('cdk.context.json'),
  };
}

/**
 * Content of cdk.json, or of a file like it.
 *
 * @throws if it is not a JSON object
 */
export function settingsIn(file: string): Record<string, unknown> {
  if (!existsSync(file)) {
    return {};
  }
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8'))) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`${file} cannot be read as JSON; correct it`, { cause: error });
  }
}

/** Some errors only announce the line that says it. */
function firstError(output: string): string | undefined {
  // CDK's own are printed as `[«NameOfTheError» message`.
  const lines = output.split('\n').map(line => line.trim().replace(/^\[«\w+»/, 'Error:')).filter(line => line !== '');
  const first = lines.findIndex(line => /^\w*Error\b/.test(line));
  return lines[first]?.endsWith(':') ? lines.slice(first, first + 2).join(' ') : lines[first];
}
