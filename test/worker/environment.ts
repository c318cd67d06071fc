import { AsyncLocalStorage } from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';

type Arguments = ConstructorParameters<typeof TestEnvironment>;

/** Storages that a file has used. Jest has one for each file, and each makes every promise of this process slower until it is disabled. */
const storages = new Set<AsyncLocalStorage<unknown>>();
const { run } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.run = function (this: AsyncLocalStorage<unknown>, ...args: Parameters<typeof run>) {
  storages.add(this);
  return run.apply(this, args);
} as typeof run;

/**
 * Node's environment of Jest, in which modules that shared-module.js loads find the process and the console of the tests.
 * Environment variables are as before after each file.
 */
export default class Environment extends TestEnvironment {
  private readonly console = globalThis.console;
  private readonly variables = process.env;
  private readonly values = { ...process.env };
  /** Jest and graceful-fs wrap these for each file anew, and what a wrapper knows stays in memory: Jest's objects about a file, and all its modules. */
  private readonly wrapped = { exit: process.exit, chdir: process.chdir, cwd: process.cwd };

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
    Object.assign(process, this.wrapped);
    process.env = this.variables;
    Object.keys(process.env).filter(name => !(name in this.values)).forEach(name => delete process.env[name]);
    Object.assign(process.env, this.values);
    await super.teardown();
    storages.forEach(storage => storage.disable());
    storages.clear();
  }
}
