import { RdsProxy } from '../rds-proxy';
import { arn } from './native-resource';
import { StackIdentity } from './template';

/** The proxies that exist at this moment, by account, Region and name. */
export class DatabaseProxies {
  private readonly proxies = new Map<string, RdsProxy>();

  /** Port on 127.0.0.1 of each endpoint, by `host:port`. */
  get network(): Record<string, number> {
    return Object.fromEntries(
      [...this.proxies.values()].map(({ host, port, gatewayPort }) => [`${host}:${port}`, gatewayPort]),
    );
  }

  find(stack: StackIdentity, name: string): RdsProxy | undefined {
    return this.proxies.get(keyOf(stack, name));
  }

  get(stack: StackIdentity, name: string): RdsProxy {
    const proxy = this.find(stack, name);
    if (!proxy) {
      throw new Error(`no proxy ${name} exists in ${stack.region}`);
    }
    return proxy;
  }

  /** By what `rds-db:connect` names it. */
  withId(resourceId: string): RdsProxy {
    const proxy = [...this.proxies.values()].find(each => each.resourceId === resourceId);
    if (!proxy) {
      throw new Error(`no proxy ${resourceId} exists`);
    }
    return proxy;
  }

  has(resourceId?: string): boolean {
    return [...this.proxies.values()].some(each => each.resourceId === resourceId);
  }

  add(stack: StackIdentity, name: string, proxy: RdsProxy): void {
    this.proxies.set(keyOf(stack, name), proxy);
  }

  async delete(stack: StackIdentity, name: string): Promise<void> {
    const proxy = this.get(stack, name);
    // First: a function that starts meanwhile must not be led to a port that is closed.
    this.proxies.delete(keyOf(stack, name));
    await proxy.stop();
  }

  async close(): Promise<void> {
    await Promise.all([...this.proxies.values()].map(proxy => proxy.stop()));
    this.proxies.clear();
  }
}

function keyOf(stack: StackIdentity, name: string): string {
  return arn(stack, 'rds', `db-proxy-name:${name.toLowerCase()}`);
}
