import { Client } from 'pg';

/** What went over one connection. */
export interface Connection {
  readonly database: string;
  roundTrips: number;
}

/** Looks whether sessions have ended: how many there are depends on these. */
const POLL = /FROM pg_catalog\.pg_stat_activity a WHERE a\.usesysid = ANY/;

/** Counts connections to one port, and on each the messages that are sent and waited for once it is signed in. */
export class Traffic {
  private connections: Connection[] = [];

  constructor(port: number) {
    const known = new WeakMap<Client, Connection>();
    const note = (connection: Connection) => this.connections.push(connection);
    replace('connect', original => function (this: Client, ...args: unknown[]) {
      if (this.port === port) {
        const connection = { database: this.database ?? '', roundTrips: 0 };
        known.set(this, connection);
        note(connection);
      }
      return original.apply(this, args);
    });
    replace('query', original => function (this: Client, ...args: unknown[]) {
      const connection = known.get(this);
      if (connection && !POLL.test((args[0] as { text?: string }).text ?? '')) {
        connection.roundTrips++;
      }
      return original.apply(this, args);
    });
  }

  /** The connections that are opened while something is done. */
  public async during(work: () => Promise<unknown>): Promise<Connection[]> {
    this.connections = [];
    await work();
    return this.connections;
  }
}

type Method = (this: Client, ...args: unknown[]) => unknown;

function replace(name: 'connect' | 'query', by: (original: Method) => Method): void {
  const methods = Client.prototype as unknown as Record<typeof name, Method>;
  methods[name] = by(methods[name]);
}
