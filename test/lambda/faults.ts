import { CommitTransactionCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
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

/** What the session of the lock asks while another one waits, or so that it is not taken for a dead one: how often depends on the machine. */
export const ASKED_BY_TIME = /pg_blocking_pids|SAVEPOINT beside|\(SELECT 1\) row/;

/** How what is asked can be cut short. */
interface Cut {
  readonly before: () => Promise<never>;
  readonly after: () => Promise<unknown>;
}

/**
 * What handlers ask of the server, in its order: to be signed in to a database, or the statements of one message; or calls of the Data API. The gateway and
 * the tests ask things, too; they do not count.
 */
export class Faults {
  /** How many faults there have been. */
  public happened = 0;
  private asked: string[] = [];
  private planned: Fault[] = [];
  private lasting?: () => boolean;

  public static install(transport: 'connections' | 'the Data API' = 'connections'): Faults {
    const faults = new Faults();
    if (transport === 'the Data API') {
      faults.installOnDataApi();
    } else {
      faults.installOnConnections();
    }
    return faults;
  }

  private installOnConnections(): void {
    for (const method of ['connect', 'query'] as const) {
      // eslint-disable-next-line @typescript-eslint/unbound-method
      const original = Client.prototype[method] as (...args: unknown[]) => Promise<unknown>;
      const ask = this.ask.bind(this);
      jest.spyOn(Client.prototype, method as 'connect').mockImplementation(function (this: HandlerClient, ...args: unknown[]) {
        const proceed = () => original.apply(this, args);
        const isHandlers = this.connectionParameters.application_name === 'cdk-aurora-iam-auth';
        return (isHandlers && !this.connection.stream.destroyed ? ask(describe(this, args), textOf(args), proceed, cutOf(this, method, proceed)) : proceed()) as never;
      });
    }
  }

  /** A call that is cut short has been executed, or has not; its transaction is there as before. */
  private installOnDataApi(): void {
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const original = RDSDataClient.prototype.send as (...args: unknown[]) => Promise<unknown>;
    const ask = this.ask.bind(this);
    jest.spyOn(RDSDataClient.prototype, 'send').mockImplementation(function (this: RDSDataClient, ...args: unknown[]) {
      const proceed = () => original.apply(this, args);
      return ask(describeCall(args), textOfCall(args), proceed, { before: noAnswer, after: () => proceed().then(noAnswer, noAnswer) }) as never;
    });
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

  private ask(what: string, text: string, proceed: () => Promise<unknown>, cut: Cut): Promise<unknown> {
    if (ASKED_BY_TIME.test(text)) {
      return proceed();
    }
    if (this.lasting?.()) {
      return cut.before();
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
    return fault.breaks === undefined ? proceed() : cut[fault.breaks]();
  }
}

function cutOf({ connection: { stream } }: HandlerClient, method: 'connect' | 'query', proceed: () => Promise<unknown>): Cut {
  return {
    before: () => {
      stream.destroy();
      return noAnswer();
    },
    after: () => {
      if (method === 'connect') {
        return proceed().finally(() => stream.destroy());
      }
      const answer = proceed();
      stream.removeAllListeners('data').once('data', () => stream.destroy());
      return answer;
    },
  };
}

function textOf([query]: unknown[]): string {
  return (query as { text?: string } | undefined)?.text ?? '';
}

function textOfCall([command]: unknown[]): string {
  return (command as { input: { sql?: string } }).input.sql ?? '';
}

function describe(client: HandlerClient, [query]: unknown[]): string {
  const { database } = client.connectionParameters;
  const text = (query as { text: string } | undefined)?.text;
  return text === undefined ? `connect to ${database}` : `${database}: ${endOf(text)}`;
}

function describeCall([command]: unknown[]): string {
  const { input: { database = '', sql = '' } } = command as { input: { database?: string; sql?: string } };
  return command instanceof CommitTransactionCommand ? 'COMMIT' : `${database}: ${sql === '' ? (command as object).constructor.name : endOf(sql)}`;
}

function endOf(text: string): string {
  return text.trim().split(/\s+/).slice(-6).join(' ').slice(-60);
}

function noAnswer(): Promise<never> {
  return Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
}
