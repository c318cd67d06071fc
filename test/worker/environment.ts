import { TestEnvironment } from 'jest-environment-node';

type Arguments = ConstructorParameters<typeof TestEnvironment>;

/** Node's environment of Jest, in which modules that shared-module.js loads find the process and the console of the tests. */
export default class Environment extends TestEnvironment {
  private readonly console = globalThis.console;

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
    await super.teardown();
  }
}
