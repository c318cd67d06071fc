import { AsyncLocalStorage } from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';

type Arguments = ConstructorParameters<typeof TestEnvironment>;

/**
 * Jest and graceful-fs wrap these for each file anew, and what a wrapper knows stays in memory: all modules of the
 * file.
 */
const WRAPPED = ['exit', 'chdir', 'cwd'];

/**
 * Storages that a file has used. Jest has one for each file, and each makes every promise of this process slower until
 * it is disabled.
 */
const storages = new Set<AsyncLocalStorage<unknown>>();
const prototype = AsyncLocalStorage.prototype as {
  run: (this: AsyncLocalStorage<unknown>, ...args: unknown[]) => unknown;
};
const { run } = prototype;
prototype.run = function (...args) {
  storages.add(this);
  return run.apply(this, args);
};

// A worker with nothing left to do ends at once. Node would free its heap first, hundreds of megabytes, which takes
// longer than the half second after which Jest kills a worker and warns of a leak. Jest still reports what keeps a
// worker alive.
if (process.send) {
  process.once('beforeExit', () => process.exit());
}

/**
 * Node's environment of Jest, in which modules that shared-module.js loads find the process and the console of the
 * tests. Environment variables are as before after each file.
 */
export default class Environment extends TestEnvironment {
  private readonly console = globalThis.console;
  private readonly variables = process.env;
  private readonly values = { ...process.env };
  private readonly wrapped = Object.entries(process).filter(([name]) => WRAPPED.includes(name));

  constructor(...args: Arguments) {
    super(...args);
    Object.assign(this.global, { requireShared: require, process });
  }

  override async setup(): Promise<void> {
    await super.setup();
    globalThis.console = this.global.console;
  }

  override async teardown(): Promise<void> {
    globalThis.console = this.console;
    Object.assign(process, Object.fromEntries(this.wrapped));
    process.env = this.variables;
    Object.keys(process.env).filter(name => !(name in this.values)).forEach(name => delete process.env[name]);
    Object.assign(process.env, this.values);
    await super.teardown();
    storages.forEach(storage => storage.disable());
    storages.clear();
  }
}
