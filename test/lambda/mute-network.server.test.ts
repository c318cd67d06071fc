import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { until } from './clocks';
import { Network } from './network';
import { signInWithToken, Stack, trust } from './stack';

describe('a network that goes mute', () => {
  let server: AuroraLikeServer;
  let network: Network;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major: 17, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  beforeEach(async () => {
    network = await Network.open(server.port);
  });
  afterEach(() => network.close());
  afterAll(() => server.stop());

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
    // The end of the connection never comes.
    await stack.create('B', { username: 'sales' });
    expect(stack.log.at(-1)).toMatchObject({ notice: 'finished' });
  });
});
