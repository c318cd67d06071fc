import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Network } from './network';
import { signInWithToken, Stack, trust } from './stack';

jest.setTimeout(120_000);

describe('a network that goes mute', () => {
  let server: AuroraLikeServer;
  let network: Network;
  beforeEach(async () => {
    server = await AuroraLikeServer.start({ major: 17, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
    network = await Network.open(server.port);
  });
  afterEach(async () => {
    await network.close();
    await server.stop();
  });

  test('in the middle of a transaction: known in time, the connection is given up, and the next try succeeds', async () => {
    const stack = new Stack(server, { port: network.port });
    const created = stack.create('A', { username: 'orders' });
    await until(() => stack.log.some(({ change }) => change === 'create user "orders"'));
    network.goMute();
    await created;
    expect(stack.log.find(({ notice }) => notice === 'trying again')?.reason).toContain('the connection broke (Query read timeout)');
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
  });

  test('after the commit: the answer does not wait', async () => {
    const stack = new Stack(server, { port: network.port });
    const query = jest.spyOn(Client.prototype, 'end').mockImplementation(function (this: Client) {
      network.goMute();
      query.mockRestore();
      return this.end() as never;
    });
    const begin = performance.now();
    await stack.create('A', { username: 'orders' });
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await setTimeout(1);
  }
}
