import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { runInThisContext } from 'node:vm';
import { buildSync, transformSync } from 'esbuild';

/**
 * A test runner for StrykerJS, which loads it into its processes. It runs the test files with what Jest runs them with, in one process for many
 * mutants: to start Jest anew takes a hundred times as long as the tests of most mutants. Each file has its modules anew for each mutant, but those of
 * node_modules.
 */

/** The part of `jest-circus` that is used here. Jest brings it, and what `expect` and `jest` are. */
interface Circus {
  readonly default: Record<string, unknown>;
  readonly resetState: () => void;
  readonly getState: () => Record<string, unknown>;
  readonly setState: (state: Record<string, unknown>) => void;
  readonly addEventHandler: (handler: (event: { readonly name: string; readonly test: CircusTest }) => void) => void;
  readonly run: () => Promise<{ readonly unhandledErrors: string[]; readonly testResults: { readonly testPath: string[]; readonly status: string; readonly errors: string[]; readonly duration?: number }[] }>;
}

interface CircusTest {
  readonly name: string;
  readonly parent?: CircusTest;
  readonly errors: readonly unknown[];
}

/** What the changed code looks up: which mutant is active, how often it was passed, and of which test that is. */
interface Namespace {
  activeMutant?: string;
  currentTestId?: string;
  hitCount?: number;
  hitLimit?: number;
  mutantCoverage?: unknown;
}

interface TestResult {
  readonly id: string;
  readonly name: string;
  readonly timeSpentMs: number;
  /** 0: passed, 1: failed, 2: skipped. */
  readonly status: number;
  readonly failureMessage: string;
}

interface Run {
  readonly activeMutant: { readonly id: string };
  readonly sandboxFileName: string;
  readonly testFilter?: string[];
  readonly hitLimit?: number;
}

type Compiled = (module: { exports: unknown }, exports: unknown, require: (name: string) => unknown, filename: string, folder: string) => void;

/** Before the name of a test in its id. */
const SEPARATOR = ' > ';

/** The modules of one test file. */
class Modules {
  private static readonly compiled = new Map<string, Compiled>();
  private static readonly found = new Map<string, string>();
  private readonly loaded = new Map<string, { exports: unknown }>();

  public get files(): string[] {
    return [...this.loaded.keys()];
  }

  public load(file: string): unknown {
    const module = this.loaded.get(file) ?? { exports: {} };
    if (!this.loaded.has(file)) {
      this.loaded.set(file, module);
      const require = createRequire(file);
      const requireHere = Object.assign((name: string) => {
        const path = isBuiltin(name) ? name : Modules.find(file, name, require);
        return path.endsWith('.ts') ? this.load(path) : require(path) as unknown;
      }, { resolve: require.resolve });
      Modules.compile(file)(module, module.exports, requireHere, file, dirname(file));
    }
    return module.exports;
  }

  private static compile(file: string): Compiled {
    const known = this.compiled.get(file);
    if (known) {
      return known;
    }
    const { code } = transformSync(readFileSync(file, 'utf8'), { sourcefile: file, loader: 'ts', format: 'cjs', target: 'node20' });
    const compiled = runInThisContext(`(function (module, exports, require, __filename, __dirname) {${code}\n})`, { filename: file }) as Compiled;
    this.compiled.set(file, compiled);
    return compiled;
  }

  private static find(from: string, name: string, require: NodeJS.Require): string {
    const key = `${dirname(from)} ${name}`;
    const known = this.found.get(key);
    if (known) {
      return known;
    }
    const wanted = name === 'cdk-aurora-iam-auth' ? join(process.cwd(), 'lib/index.ts') : name.startsWith('.') ? join(dirname(from), name) : undefined;
    const path = wanted === undefined ? require.resolve(name) : [wanted, `${wanted}.ts`, join(wanted, 'index.ts')].map(exists).find(one => one !== undefined) ?? require.resolve(name);
    this.found.set(key, path);
    return path;
  }
}

function exists(path: string): string | undefined {
  try {
    readFileSync(path);
    return path;
  } catch {
    return undefined;
  }
}

class MutantRunner {
  public static readonly inject = ['options'];
  private readonly files: readonly string[];
  private readonly leftOut: readonly string[];
  private names?: string[];
  /** By test file, the files that it imports. */
  private readonly imported = new Map<string, readonly string[]>();
  private file = '';
  private circus!: Circus;
  private readonly namespace: Namespace = (globalThis as unknown as { __stryker__: Namespace }).__stryker__ ??= {};

  constructor(options: { readonly pureTests: readonly string[]; readonly leftOut: readonly string[] }) {
    this.files = options.pureTests;
    this.leftOut = options.leftOut;
  }

  public capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true };
  }

  public init(): Promise<void> {
    const ofJest = createRequire(createRequire(join(process.cwd(), 'package.json')).resolve('jest'));
    const ofCore = createRequire(ofJest.resolve('@jest/core'));
    this.circus = createRequire(ofCore.resolve('jest-config'))('jest-circus') as Circus;
    const { ModuleMocker } = createRequire(ofCore.resolve('jest-runtime'))('jest-mock') as { ModuleMocker: new (global: unknown) => object };
    const { expect } = createRequire(createRequire(ofCore.resolve('jest-config')).resolve('jest-circus'))('expect') as { expect: unknown };
    this.circus.addEventHandler(({ name, test }) => {
      this.namespace.currentTestId = name === 'test_start' ? `${this.file}${SEPARATOR}${nameOf(test)}` : name === 'test_done' ? undefined : this.namespace.currentTestId;
      // One test that finds the mutant is enough: no other one has this name.
      if (name === 'test_done' && this.namespace.activeMutant !== undefined && test.errors.length > 0) {
        this.circus.getState().testNamePattern = /^\0$/;
      }
    });
    Object.assign(globalThis, this.circus.default, { expect, jest: new ModuleMocker(globalThis) });
    return Promise.resolve();
  }

  public async dryRun(): Promise<unknown> {
    const tests: TestResult[] = [];
    for (const file of this.files) {
      tests.push(...await this.runFile(file));
    }
    return { status: 'complete', tests, mutantCoverage: this.namespace.mutantCoverage };
  }

  /** The tests that have the name of the file first, and those of its folder: the first that fails ends the run. */
  public async mutantRun({ activeMutant, sandboxFileName, testFilter, hitLimit }: Run): Promise<unknown> {
    const ids = testFilter ?? (await this.allTests()).filter(id => this.imported.get(id.split(SEPARATOR)[0])!.includes(sandboxFileName));
    Object.assign(this.namespace, { activeMutant: activeMutant.id, hitLimit, hitCount: hitLimit === undefined ? undefined : 0 });
    let count = 0;
    const own = `${basename(sandboxFileName, '.ts')}.`;
    const folder = join('test', relative(process.cwd(), dirname(sandboxFileName)));
    const nearness = (file: string) => Number(basename(file).startsWith(own)) * 2 + Number(dirname(file) === folder);
    const files = [...this.files].sort((a, b) => nearness(b) - nearness(a));
    try {
      for (const file of files) {
        const only = ids.filter(id => id.startsWith(`${file}${SEPARATOR}`)).map(id => id.slice(file.length + SEPARATOR.length));
        if (only.length > 0) {
          const tests = (await this.runFile(file, only)).filter(({ status }) => status !== 2);
          count += tests.length;
          const failed = tests.filter(({ status }) => status === 1);
          if (this.namespace.hitCount !== undefined && this.namespace.hitCount > hitLimit!) {
            return { status: 'timeout', reason: `passed more than ${hitLimit} times` };
          }
          if (failed.length > 0) {
            return { status: 'killed', killedBy: failed.map(({ id }) => id), failureMessage: failed[0].failureMessage.slice(0, 500), nrOfTests: count };
          }
        }
      }
      return { status: 'survived', nrOfTests: count };
    } finally {
      Object.assign(this.namespace, { activeMutant: undefined, hitLimit: undefined, hitCount: undefined });
    }
  }

  /** For what is done when a module is loaded: that is of no test alone. */
  private async allTests(): Promise<string[]> {
    if (this.names === undefined) {
      this.names = [];
      for (const file of this.files) {
        this.names.push(...(await this.runFile(file, [])).map(({ id }) => id).filter(id => !this.leftOut.some(one => id.includes(one))));
      }
    }
    return this.names;
  }

  public dispose(): Promise<void> {
    return Promise.resolve();
  }

  /** A file that cannot be loaded has failed. */
  private async runFile(file: string, only?: readonly string[]): Promise<TestResult[]> {
    const { circus, namespace } = this;
    const isMeant = only === undefined ? this.leftOut.map(name => `(?!.*${escaped(name)})`).join('') : `(${only.map(escaped).join('|')})$`;
    const variables = { ...process.env };
    circus.resetState();
    circus.setState({ ...circus.getState(), testTimeout: 600_000, parentProcess: process, testNamePattern: new RegExp(`^${isMeant}`) });
    this.file = file;
    try {
      const modules = new Modules();
      modules.load(join(process.cwd(), file));
      this.imported.set(file, modules.files);
      const { testResults, unhandledErrors } = await circus.run();
      const results = testResults.map(({ testPath, status, errors, duration }): TestResult => {
        const name = testPath.slice(1).join(' ');
        const failed = errors.length > 0;
        return { id: `${file}${SEPARATOR}${name}`, name, timeSpentMs: duration ?? 0, status: failed ? 1 : status === 'skip' || status === 'todo' ? 2 : 0, failureMessage: errors.join('\n') };
      });
      return [...results, ...unhandledErrors.map(error => failure(file, error))];
    } catch (error) {
      return [failure(file, (error as Error).stack ?? String(error))];
    } finally {
      namespace.currentTestId = undefined;
      Object.keys(process.env).filter(name => !(name in variables)).forEach(name => delete process.env[name]);
      Object.assign(process.env, variables);
    }
  }
}

function failure(file: string, failureMessage: string): TestResult {
  return { id: file, name: file, timeSpentMs: 0, status: 1, failureMessage };
}

function nameOf({ name, parent }: CircusTest): string {
  return parent === undefined || parent.name === 'ROOT_DESCRIBE_BLOCK' ? name : `${nameOf(parent)} ${name}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** As StrykerJS loads it. */
export const strykerPlugins = [{ kind: 'TestRunner', name: 'direct', injectableClass: MutantRunner }];

/** This file, for a process that knows no TypeScript. */
export function writeRunner(to: string): void {
  buildSync({ entryPoints: [__filename], outfile: to, format: 'esm', platform: 'node', target: 'node20', banner: { js: "const __filename = '';" } });
}
