import { CommitTransactionCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Duplex } from 'node:stream';
import { Client } from 'pg';

type HandlerClient = Client & {
  readonly connection: { readonly stream: Duplex };
  readonly connectionParameters: { readonly application_name?: string; readonly database: string };
};

/** Something that happens at the nth thing that is asked of the server. */
export interface Fault {
  readonly at: number;
  /**
   * The connection breaks before it is sent, or when the server has done it and the answer is on its way. Or it stalls:
   * it is done, maybe late, and no answer comes until the handler gives up.
   */
  readonly breaks?: 'before' | 'after' | 'stalls';
  readonly effect?: () => void;
  /** As long as this says so, everything that is asked after it fails. */
  readonly lasts?: () => boolean;
  /**
   * The function is frozen: nothing is sent before, or nothing is heard after it, until this is over. Its connections
   * stay open.
   */
  readonly freezes?: {
    readonly from: 'before' | 'after';
    readonly reached: () => void;
    readonly until: Promise<unknown>;
  };
}

/**
 * What the session of the lock asks while another one waits, or so that it is not taken for a dead one: how often
 * depends on the machine.
 */
export const ASKED_BY_TIME = /pg_blocking_pids|SAVEPOINT beside|\(SELECT 1\) row/;

/** How long the answer to a message that stalls is waited for. */
const STALL_MS = 40;

/** How what is asked can be cut short. */
type Cut = Record<'before' | 'after' | 'stalls', () => Promise<unknown>>;

/** What is asked in the course of one piece of work. */
interface Watched {
  asked: string[];
  readonly planned: Fault[];
  lasting?: () => boolean;
  frozen?: Promise<unknown>;
}

/**
 * What handlers ask of the server, in its order: to be signed in to a database, or the statements of one message; or
 * calls of the Data API. The gateway and the tests ask things, too; they do not count. Nor does what is asked outside
 * of the work that is watched, by other handlers at the same time.
 */
export class Faults {
  private static readonly installed: Faults[] = [];

  /** How many faults there have been. */
  public happened = 0;
  /** At what the last one was, in words. */
  public last = '';
  private readonly works = new AsyncLocalStorage<Watched>();
  private readonly originals: (() => void)[] = [];

  public static install(transport: 'connections' | 'the Data API' = 'connections'): Faults {
    const faults = new Faults();
    if (transport === 'the Data API') {
      faults.installOnDataApi();
    } else {
      faults.installOnConnections();
    }
    Faults.installed.push(faults);
    return faults;
  }

  /** All of them. */
  public static uninstall(): void {
    for (const { originals, works } of Faults.installed.splice(0).reverse()) {
      originals.forEach(restore => restore());
      works.disable(); // otherwise every promise of the worker pays for it
    }
  }

  private installOnConnections(): void {
    for (const method of ['connect', 'query'] as const) {
      const ask = this.ask.bind(this);
      this.replace<HandlerClient>(Client.prototype, method, original => function (this: HandlerClient, ...args) {
        const proceed = () => original.apply(this, args);
        const isHandlers = this.connectionParameters.application_name === 'cdk-aurora-iam-auth';
        return isHandlers && !this.connection.stream.destroyed
          ? ask(describe(this, args), textOf(args), proceed, cutOf(this, method, proceed, args))
          : proceed();
      });
    }
  }

  /** A call that is cut short has been executed, or has not; its transaction is there as before. */
  private installOnDataApi(): void {
    const ask = this.ask.bind(this);
    this.replace<RDSDataClient>(RDSDataClient.prototype, 'send', original => function (this: RDSDataClient, ...args) {
      const proceed = () => original.apply(this, args);
      const late = () => setTimeout(() => void proceed().catch(() => undefined), STALL_MS);
      return ask(describeCall(args), textOfCall(args), proceed, {
        before: noAnswer,
        after: () => proceed().then(noAnswer, noAnswer),
        stalls: () => {
          late();
          return noAnswer();
        },
      });
    });
  }

  private replace<Type>(
    prototype: unknown,
    method: string,
    replacement: (original: Method<Type>) => Method<Type>,
  ): void {
    const methods = prototype as Replaceable<Type>;
    const original = methods[method];
    methods[method] = replacement(original);
    this.originals.push(() => methods[method] = original);
  }

  /**
   * Lets faults happen in the course of the work. With each of them counting begins anew for the next one: the handler
   * tries again from the beginning.
   *
   * @returns what was asked since the last of them, each in words
   */
  public async during(faults: Fault[], work: () => Promise<unknown>): Promise<string[]> {
    const watched: Watched = { asked: [], planned: [...faults] };
    try {
      await this.works.run(watched, work);
      return watched.asked;
    } finally {
      this.happened += faults.length - watched.planned.splice(0).length;
      watched.lasting = undefined;
    }
  }

  private async ask(what: string, text: string, proceed: () => Promise<unknown>, cut: Cut): Promise<unknown> {
    const work = this.works.getStore();
    if (work?.frozen) {
      await work.frozen;
    }
    if (work === undefined || ASKED_BY_TIME.test(text)) {
      return proceed();
    }
    if (work.lasting?.()) {
      return cut.before();
    }
    work.lasting = undefined;
    work.asked.push(what);
    const [fault] = work.planned;
    if (fault === undefined || work.asked.length - 1 < fault.at) {
      return proceed();
    }
    work.planned.shift();
    this.last = what;
    work.asked = [];
    work.lasting = fault.lasts;
    fault.effect?.();
    if (fault.freezes) {
      const { from, reached, until } = fault.freezes;
      work.frozen = until;
      const answer = from === 'after' ? proceed() : undefined;
      await answer?.catch(() => undefined);
      reached();
      await until;
      work.frozen = undefined;
      return answer ?? proceed();
    }
    return fault.breaks === undefined ? proceed() : cut[fault.breaks]();
  }
}

type Method<Type> = (this: Type, ...args: unknown[]) => Promise<unknown>;
type Replaceable<Type> = Record<string, Method<Type>>;

function cutOf(
  { connection: { stream } }: HandlerClient,
  method: 'connect' | 'query',
  proceed: () => Promise<unknown>,
  [query]: unknown[],
): Cut {
  const before = () => {
    stream.destroy();
    return noAnswer();
  };
  return {
    before,
    after: () => {
      if (method === 'connect') {
        return proceed().finally(() => stream.destroy());
      }
      const answer = proceed();
      stream.removeAllListeners('data').once('data', () => stream.destroy());
      return answer;
    },
    stalls: () => {
      if (method === 'connect') {
        return before();
      }
      (query as { query_timeout: number }).query_timeout = STALL_MS;
      const answer = proceed();
      stream.removeAllListeners('data').on('data', () => undefined);
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
  return command instanceof CommitTransactionCommand
    ? 'COMMIT'
    : `${database}: ${sql === '' ? (command as object).constructor.name : endOf(sql)}`;
}

function endOf(text: string): string {
  return text.trim().split(/\s+/).slice(-6).join(' ').slice(-60);
}

function noAnswer(): Promise<never> {
  return Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
}
