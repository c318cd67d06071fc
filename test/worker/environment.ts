import { TestEnvironment } from 'jest-environment-node';

type Arguments = ConstructorParameters<typeof TestEnvironment>;

/**
 * Node's environment of Jest, in which modules that shared-module.js loads find the process and the console of the tests.
 * Environment variables are as before after each file.
 */
export default class Environment extends TestEnvironment {
  private readonly console = globalThis.console;
  private readonly variables = process.env;
  private readonly values = { ...process.env };

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
    process.env = this.variables;
    Object.keys(process.env).filter(name => !(name in this.values)).forEach(name => delete process.env[name]);
    Object.assign(process.env, this.values);
    await super.teardown();
  }
}
