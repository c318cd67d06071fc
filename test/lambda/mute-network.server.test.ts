import { Client } from 'pg';
import { Session, Statement, Transport } from '../../lambda/provisioner/transport/session';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Network } from './network';
import { signInWithToken, Stack, throughConnections, trust } from './stack';

/** Limits are so many times shorter, by the same timers: that of a connection, and that of PostgreSQL. */
const TIMES = 10;

/** What ends the transactions that a mute connection leaves behind. */
const IDLE_LIMIT = /(?<='idle_in_transaction_session_timeout', ')\d+/;

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
    const limits: number[] = [];
    const transport = muteAt('CREATE USER "orders"', throughConnections(server, { port: network.port }), limits);
    const stack = new Stack(server, { transport });
    await stack.create('A', { username: 'orders' });
    expect(stack.log.find(({ notice }) => notice === 'trying again')?.reason).toContain(
      'the connection broke (Query read timeout)',
    );
    expect(limits).toContain(20_000);
    expect(Math.max(...limits)).toBe(20_000);
    await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
  });

  /** The network goes mute right before such a statement is sent. From then on answers are waited for less long. */
  function muteAt(statement: string, transport: Transport, limits: number[]): Transport {
    let isMute = false;
    const withLimits = (session: Session): Session => {
      const limited = (method: 'execute' | 'commit') => (statements: Statement[], answerMs: number) => {
        if (!isMute && statements.some(sql => typeof sql === 'string' && sql.startsWith(statement))) {
          isMute = true;
          network.goMute();
        }
        if (isMute) {
          limits.push(answerMs);
        }
        const shortened = statements.map(sql =>
          typeof sql === 'string' ? sql.replace(IDLE_LIMIT, limit => `${Number(limit) / TIMES}`) : sql);
        return session[method](shortened, isMute ? answerMs / TIMES : answerMs) as Promise<never>;
      };
      return { ...session, execute: limited('execute'), commit: limited('commit') };
    };
    return async (...args) => {
      const access = await transport(...args);
      const open = async (database: string) => {
        const session = await access.open(database);
        return isMute ? session : withLimits(session);
      };
      return { ...access, open };
    };
  }

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
