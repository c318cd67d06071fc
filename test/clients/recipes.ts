import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { synthesize } from '../../rehearsal/cloudformation/synthesize';
import { RunFolder } from '../../rehearsal/run-folder';
import { CompiledLanguage, GO, JAVA, RUST } from './compiled-recipes';
import { run } from './program';
import {
  checkRefusals,
  checkRenewal,
  copyForNode,
  copyForPython,
  copyOf,
  Finding,
  OF_RENEWAL,
  OWN_MODULES,
  Recipe,
  startDatabase,
} from './recipe';

/** A recipe of examples/clients. */
interface RecipeClient {
  readonly name: string;
  /** What is installed from the registry; none: this repository has it. */
  readonly packages: string[];
  readonly isPython?: boolean;
  /** Where it is compiled; its packages are in a file of the language, beside the recipe. */
  readonly compiled?: CompiledLanguage;
  /** See `Recipe`. */
  readonly keepsConnections?: boolean;
  /** Run in the folder of the copy, with what is installed. */
  readonly prepare?: { readonly command: string[]; readonly env: Record<string, string> };
}

/** Prisma's code generator asks for an engine that it does not use: a program that does nothing stands for it. */
const PRISMA_GENERATE = {
  command: ['prisma/build/index.js', 'generate', '--schema', 'schema.prisma'],
  env: { PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1', DO_NOT_TRACK: '1' },
};

export const RECIPES: RecipeClient[] = [
  { name: 'pg', packages: [] },
  { name: 'postgres-js', packages: [] },
  { name: 'knex', packages: ['knex@^3', 'pg@^8'] },
  { name: 'sequelize', packages: ['sequelize@^6', 'pg@^8'] },
  { name: 'typeorm', packages: ['typeorm@^1', 'pg@^8'] },
  { name: 'drizzle', packages: ['drizzle-orm@^0.45', 'pg@^8'] },
  { name: 'prisma', packages: ['prisma@^7', '@prisma/client@^7', '@prisma/adapter-pg@^7'], prepare: PRISMA_GENERATE },
  { name: 'psycopg', packages: ['psycopg[binary]>=3.3', 'psycopg_pool>=3.3'], isPython: true },
  { name: 'sqlalchemy', packages: ['sqlalchemy>=2', 'psycopg[binary]>=3.3'], isPython: true },
  { name: 'django', packages: ['django>=5.2', 'psycopg[binary]>=3.3', 'psycopg_pool>=3.3'], isPython: true },
  { name: 'asyncpg', packages: ['asyncpg'], isPython: true },
  { name: 'hikaricp', packages: ['pom.xml'], compiled: JAVA, keepsConnections: true }, // for at least 30 s
  { name: 'pgx', packages: ['go.mod'], compiled: GO },
  { name: 'database-sql', packages: ['go.mod'], compiled: GO },
  { name: 'tokio-postgres', packages: ['Cargo.toml'], compiled: RUST },
];

/** What a run of a recipe has shown. */
export interface RecipeResult {
  /** Versions, or why it was skipped. */
  readonly text: string;
  readonly skipped: boolean;
  readonly findings: Finding[];
}

/** Installs what a recipe needs, and executes it: as it is, and with a constant token, which it must not stand. */
export async function runRecipe(client: RecipeClient, mayInstall: boolean): Promise<RecipeResult> {
  const { name, packages } = client;
  try {
    if (packages.length > 0 && !mayInstall) {
      throw new Skipped(`needs ${client.compiled ? 'what is in ' : ''}${packages.join(' ')}; --no-install was given`);
    }
    const { recipe, constant, text } = await prepare(client);
    const database = await startDatabase((await synthesize('examples/shop/app.ts')).folder);
    try {
      const renewal = await checkRenewal(recipe, database);
      const refusals = await checkRefusals(recipe, database);
      const withConstant = await checkRenewal(constant, database);
      const failed = withConstant
        .filter(({ expected, measured }) => !expected.test(measured))
        .map(({ check }) => check)
        .join(', ');
      const proof = {
        check: 'a constant token fails',
        expected: new RegExp(`^${OF_RENEWAL.join(', ')}$`),
        measured: failed,
      };
      return { text, skipped: false, findings: [...renewal, ...refusals, proof] };
    } finally {
      await database.close();
    }
  } catch (error) {
    if (error instanceof Skipped) {
      return { text: error.message, skipped: true, findings: [] };
    }
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Why a recipe is not run. */
class Skipped extends Error {}

interface Prepared {
  readonly recipe: Recipe;
  /** The same with a constant token. */
  readonly constant: Recipe;
  /** Versions. */
  readonly text: string;
}

async function prepare(client: RecipeClient): Promise<Prepared> {
  if (client.compiled) {
    return prepareCompiled(client, client.compiled);
  }
  return client.isPython ? prepareForPython(client) : prepareForNode(client);
}

async function prepareForNode({ name, packages, prepare }: RecipeClient): Promise<Prepared> {
  const modules = packages.length === 0 ? OWN_MODULES : await installModules(packages);
  const [recipe, constant] = [false, true].map(signsOnce => copyForNode(name, modules, signsOnce));
  if (prepare) {
    const [script, ...args] = prepare.command;
    for (const { folder } of [recipe, constant]) {
      const cwd = join(folder, 'examples/clients', name);
      await must(process.execPath, [join(modules, script), ...args], cwd, prepare.env);
    }
  }
  const names
    = packages.length === 0
      ? [{ 'pg': 'pg', 'postgres-js': 'postgres' }[name]!]
      : packages.map(each => each.replace(/(?<=.)@.*/, ''));
  const versions = names.map((each) => {
    const { version } = JSON.parse(readFileSync(join(modules, each, 'package.json'), 'utf8')) as { version: string };
    return `${each} ${version}`;
  });
  return { recipe, constant, text: `Node.js ${process.versions.node}, ${versions.join(', ')}` };
}

/** A folder node_modules with packages of the registry, and the AWS SDK of this repository. */
async function installModules(packages: string[]): Promise<string> {
  const folder = RunFolder.open().newFolder('install');
  await must(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder, ...packages],
    folder,
  );
  symlinkSync(join(OWN_MODULES, '@aws-sdk'), join(folder, 'node_modules/@aws-sdk'));
  return join(folder, 'node_modules');
}

async function prepareForPython({ name, packages }: RecipeClient): Promise<Prepared> {
  const folder = RunFolder.open().newFolder('install');
  await must('python3', ['-m', 'venv', folder], folder);
  const python = join(folder, 'bin/python');
  await must(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'boto3', ...packages], folder);
  const names = packages.map(each => /^\w+/.exec(each)![0]);
  const version
    = "import sys, importlib.metadata as m; print('Python', sys.version.split()[0], *[', ' + n + ' ' + m.version(n) for n in sys.argv[1:]])";
  const text = (await must(python, ['-c', version, 'boto3', ...names], folder)).trim().replaceAll(' ,', ',');
  const [recipe, constant] = [false, true].map(signsOnce => copyForPython(name, python, signsOnce));
  return { recipe, constant, text };
}

async function prepareCompiled(
  { name, keepsConnections }: RecipeClient,
  language: CompiledLanguage,
): Promise<Prepared> {
  const versions: string[] = [];
  for (const [tool, ...args] of language.tools) {
    const { code, stdout, stderr } = await run(tool, args, { env: process.env });
    if (code !== 0) {
      throw new Skipped(`there is no ${tool}`);
    }
    versions.push(stripVTControlCharacters(`${stdout}${stderr}`).split('\n')[0]);
  }
  const [recipe, constant] = [false, true].map(signsOnce => copyOf(name, language, signsOnce));
  for (const folder of [recipe, constant]) {
    for (const [command, ...args] of language.build) {
      await must(command, args, folder);
    }
  }
  const [command, ...args] = language.versions;
  const packages = (await must(command, args, recipe)).trim().split('\n');
  const recipeIn = (folder: string): Recipe => ({ name, folder, command: language.command(folder), keepsConnections });
  return { recipe: recipeIn(recipe), constant: recipeIn(constant), text: [...versions, ...packages].join(', ') };
}

/** Its standard output. What fails is a reason to skip the recipe. */
async function must(command: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, { cwd, env: { ...process.env, ...env } });
  if (code !== 0) {
    throw new Skipped(`${[command, ...args].join(' ')} failed: ${`${stdout}${stderr}`.trim().split('\n').at(-1)}`);
  }
  return stdout;
}
