import { Duplex } from 'node:stream';
import { Client } from 'pg';

type HandlerClient = Client & {
  readonly connection: { readonly stream: Duplex };
  readonly connectionParameters: { readonly application_name?: string; readonly database: string };
};

/** Something that happens at the nth thing that is asked of the server. */
export interface Fault {
  readonly at: number;
  /** The connection breaks: before it is sent, or when the server has done it and the answer is on its way. */
  readonly breaks?: 'before' | 'after';
  readonly effect?: () => void;
  /** As long as this says so, everything that is asked after it fails. */
  readonly lasts?: () => boolean;
}

/**
 * What handlers ask of the server, in its order: to be signed in to a database, or the statements of one message. The gateway and
 * the tests ask things, too; they do not count.
 */
export class Faults {
  /** How many faults there have been. */
  public happened = 0;
  private asked: string[] = [];
  private planned: Fault[] = [];
  private lasting?: () => boolean;

  public static install(): Faults {
    const faults = new Faults();
    for (const method of ['connect', 'query'] as const) {
      // eslint-disable-next-line @typescript-eslint/unbound-method
      const original = Client.prototype[method] as (...args: unknown[]) => Promise<unknown>;
      jest.spyOn(Client.prototype, method as 'connect').mockImplementation(function (this: HandlerClient, ...args: unknown[]) {
        const ask = () => original.apply(this, args);
        const isHandlers = this.connectionParameters.application_name === 'cdk-aurora-iam-auth';
        return (isHandlers && !this.connection.stream.destroyed ? faults.ask(this, describe(this, args), ask) : ask()) as never;
      });
    }
    return faults;
  }

  /**
   * Lets faults happen in the course of the work. With each of them counting begins anew for the next one: the handler tries
   * again from the beginning.
   *
   * @returns what was asked since the last of them, each in words
   */
  public async during(faults: Fault[], work: () => Promise<unknown>): Promise<string[]> {
    this.asked = [];
    this.planned = [...faults];
    try {
      await work();
      return this.asked;
    } finally {
      this.happened += faults.length - this.planned.splice(0).length;
      this.lasting = undefined;
    }
  }

  private ask(client: HandlerClient, what: string, proceed: () => Promise<unknown>): Promise<unknown> {
    const { stream } = client.connection;
    if (this.lasting?.()) {
      return interrupted(stream);
    }
    this.lasting = undefined;
    this.asked.push(what);
    const [fault] = this.planned;
    if (fault === undefined || this.asked.length - 1 < fault.at) {
      return proceed();
    }
    this.planned.shift();
    this.asked = [];
    this.lasting = fault.lasts;
    fault.effect?.();
    if (fault.breaks === undefined) {
      return proceed();
    }
    if (fault.breaks === 'before') {
      return interrupted(stream);
    }
    if (what.startsWith(CONNECT)) {
      return proceed().finally(() => stream.destroy());
    }
    const answer = proceed();
    stream.removeAllListeners('data').once('data', () => stream.destroy());
    return answer;
  }
}

const CONNECT = 'connect to ';

function describe(client: HandlerClient, [query]: unknown[]): string {
  const { database } = client.connectionParameters;
  const text = (query as { text: string } | undefined)?.text;
  return text === undefined ? `${CONNECT}${database}` : `${database}: ${text.trim().split(/\s+/).slice(-6).join(' ').slice(-60)}`;
}

function interrupted(stream: Duplex): Promise<never> {
  stream.destroy();
  return Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
}
