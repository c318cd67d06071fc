import { Client } from 'pg';
import { AuroraLikeServer } from '../aurora-like-server';

/** Where a session leads, and whose it is. */
export interface Login {
  readonly server: AuroraLikeServer;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/**
 * Sessions that are kept for the next call as the last one left them: what one has set for a session, or locked in it,
 * is there for the next. Whether AWS cleans its own is not documented.
 */
export class ConnectionPool {
  private readonly idle = new Map<string, Client[]>();
  private readonly open = new Set<Client>();

  /** A session that was used before, if there is one. */
  async take(login: Login): Promise<Client> {
    return this.idle.get(keyOf(login))?.pop() ?? this.connect(login);
  }

  /** Gives a session back, if it is still there. */
  give(login: Login, client: Client): void {
    if (this.open.has(client)) {
      this.idle.set(keyOf(login), [...this.idle.get(keyOf(login)) ?? [], client]);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map(client => client.end().catch(() => undefined)));
  }

  /** Signs in with the password, as every client: a member of rds_iam is refused. */
  private async connect(login: Login): Promise<Client> {
    const { server, database, username: user, password } = login;
    const client = new Client({
      host: '127.0.0.1',
      port: server.gatewayPort,
      user,
      password,
      database,
      ssl: { ca: server.caCertificate, servername: server.host, rejectUnauthorized: true },
    });
    const forget = () => {
      this.open.delete(client);
      this.idle.set(keyOf(login), (this.idle.get(keyOf(login)) ?? []).filter(other => other !== client));
    };
    client.on('error', forget).on('end', forget);
    this.open.add(client);
    await client.connect().catch((error: unknown) => {
      forget();
      throw error;
    });
    return client;
  }
}

function keyOf({ server, database, username, password }: Login): string {
  return JSON.stringify([server.resourceId, database, username, password]);
}
