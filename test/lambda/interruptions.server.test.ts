import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { signIn, signInWithToken, snapshot, Stack, trust, users } from './stack';

jest.setTimeout(120_000);

const USER = { username: 'orders', connect: ['shop', 'stock'], memberOf: ['readers'] };
const RENAMED = { username: 'archive', connect: ['shop'] };

type HandlerClient = Client & {
  readonly connection: { readonly stream: { end(): void } };
  readonly connectionParameters: { readonly application_name?: string };
};

/** Breaks the handler's connection once, after its nth statement has gone out and before the answer is back. */
class Interruption {
  private statements = 0;
  private at?: number;

  constructor() {
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const query = Client.prototype.query as (...args: unknown[]) => unknown;
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const interruption = this;
    jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: HandlerClient, ...args: unknown[]) {
      const result = query.apply(this, args);
      // The gateway and the tests ask the server things, too.
      if (this.connectionParameters.application_name === 'cdk-aurora-iam-auth' && interruption.statements++ === interruption.at) {
        this.connection.stream.end();
      }
      return result as never;
    });
  }

  /** @returns whether it came to the nth statement at all */
  public async during(n: number, work: () => Promise<unknown>): Promise<boolean> {
    this.statements = 0;
    this.at = n;
    await work().finally(() => this.at = undefined);
    return this.statements > n;
  }
}

describe('a connection that breaks at any statement', () => {
  let server: AuroraLikeServer;
  let interruption: Interruption;
  let before: unknown;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major: 17, databases: ['shop', 'stock'], authorize: () => true });
    trust(server.caCertificate);
    await server.sql('CREATE ROLE readers NOLOGIN; GRANT readers TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    before = await snapshot(server);
    interruption = new Interruption();
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await server.stop();
  });
  afterEach(async () => {
    await expect(snapshot(server)).resolves.toEqual(before);
    await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
  });

  test('the next try, or the next event when the Lambda dies there, makes everything right', async () => {
    const stack = new Stack(server);
    let died = 0;
    for (let n = 0, more = true; more; n++) {
      const dies = (event: (mortal: Stack) => Promise<unknown>) => interruption.during(n, () => event(mortal(server)).catch(() => died++));

      const created = await dies(mortal => mortal.create('A', USER));
      // One transaction: nothing of it, or everything when it was the answer to the commit that got lost.
      const left = await users(server);
      if (!left.includes('orders')) {
        await expect(snapshot(server)).resolves.toEqual(before);
      }
      await stack.create('A', USER);
      await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');

      const updated = await interruption.during(n, () => stack.update('A', RENAMED));
      expect(await users(server)).toEqual(['archive', 'readers']);

      const deleted = await dies(mortal => mortal.delete('A', RENAMED));
      await stack.delete('A', RENAMED);
      expect(await users(server)).toEqual(['readers']);
      more = created || updated || deleted;
    }
    expect(died).toBeGreaterThan(25);
  });
});

/** The Lambda that dies: it has no second try. */
function mortal(server: AuroraLikeServer): Stack {
  let signedIn = false;
  return new Stack(server, {
    admin: () => {
      if (signedIn) {
        throw new Error('killed');
      }
      signedIn = true;
      return server.master;
    },
  });
}
