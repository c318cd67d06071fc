import { Socket } from 'node:net';
import { Client, DatabaseError } from 'pg';
import { DatabaseAddress } from './gateway/database-session';

/** A database, or a proxy in front of one. */
export interface SignInAddress extends DatabaseAddress {
  readonly port: number;
}

export interface SignIn {
  readonly username: string;
  /** A password, or a token in its place. */
  readonly password: string;
  readonly database: string;
  /** @default true */
  readonly tls?: boolean;
}

/**
 * `signed in as <current_user>`, or `refused: <SQLSTATE> <message>`, or `failed: ...` when the database did not answer
 * at all.
 */
export async function signIn(server: SignInAddress, login: SignIn): Promise<string> {
  const answer = await execute<{ current_user: string }>(server, login, 'SELECT current_user');
  return typeof answer === 'string' ? answer : `signed in as ${answer[0].current_user}`;
}

/** Signs in and executes one statement. Rows, or what was answered instead. */
export async function execute<Row>(
  server: SignInAddress,
  { username, password, database, tls = true }: SignIn,
  sql: string,
): Promise<Row[] | string> {
  const { host, port, caCertificate, gatewayPort } = server;
  const client = new Client({
    host,
    port,
    user: username,
    password,
    database,
    // As PGSSLMODE=verify-full: the certificate must be of the authority and for the host.
    ssl: tls && { ca: caCertificate },
    stream: () => new GatewaySocket(gatewayPort),
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows as Row[];
  } catch (error) {
    return error instanceof DatabaseError
      ? `refused: ${error.code} ${error.message}`
      : `failed: ${(error as Error).message}`;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** In place of DNS: whichever host is asked for, the gateway's port of this machine answers. */
export class GatewaySocket extends Socket {
  constructor(private readonly gatewayPort: number) {
    super();
  }

  override connect(): this {
    return super.connect(this.gatewayPort, '127.0.0.1');
  }
}
