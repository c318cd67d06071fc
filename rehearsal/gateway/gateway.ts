import { AddressInfo, createServer, Server, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, SecureContext, TLSSocket } from 'node:tls';
import { Certificate } from './certificate-authority';
import {
  CANCEL_REQUEST,
  fatalError,
  GSSENC_REQUEST,
  readPassword,
  readStartupPacket,
  requestForPassword,
  SSL_REQUEST,
  StartupPacket,
  startupParameters,
} from './protocol';
import { Undecided } from '../iam/token-endpoint';

/** As PostgreSQL's authentication_timeout. */
const AUTHENTICATION_TIMEOUT = 60_000;

export interface GatewayOptions {
  /** While it is false connections are closed at once. */
  readonly isAvailable: () => boolean;
  /** Until then a connection is open and nothing is said on it. */
  readonly awake: () => Promise<void>;
  /** Undefined: the gateway answers that it has no TLS. */
  readonly certificate?: Certificate;
  /** Decides about a client, and opens its way on. Throws a `Refusal`, or `Undecided`. */
  readonly admit: (client: LoginRequest) => Promise<Duplex>;
  /** The way of a request to cancel a query. */
  readonly cancel: (request: StartupPacket) => Duplex;
  readonly log: (line: string) => void;
}

/** A client that wants a session. */
export interface LoginRequest {
  readonly startup: StartupPacket;
  readonly username: string;
  readonly database: string;
  readonly remoteAddress?: string;
  readonly isEncrypted: boolean;
  /** Asks for the password, or a token in its place, in clear. */
  askPassword(): Promise<string>;
}

/** What a client is told that does not come in. */
export class Refusal extends Error {
  /** @param reason what is logged, and the client is not told */
  constructor(readonly code: string, message: string, readonly reason = message) {
    super(message);
  }
}

/** Stands before a server as RDS and RDS Proxy do: ends TLS, hears who comes, and hands on who is admitted. */
export class Gateway {
  static async listen(options: GatewayOptions): Promise<Gateway> {
    const gateway = new Gateway(options);
    await new Promise<void>((resolve, reject) => gateway.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  private readonly server: Server;
  private readonly sockets = new Set<Duplex>();
  private readonly secureContext?: SecureContext;

  private constructor(private readonly options: GatewayOptions) {
    const { certificate } = options;
    this.secureContext = certificate && createSecureContext({ ...certificate, minVersion: 'TLSv1.2' });
    // Without a delay, or an answer waits for the client to acknowledge the TLS session tickets.
    this.server = createServer({ noDelay: true }, socket => void this.accept(socket));
    this.server.unref();
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.server.close(resolve));
    this.sockets.forEach(socket => socket.destroy());
    await closed;
  }

  private async accept(socket: Socket): Promise<void> {
    this.track(socket);
    if (!this.options.isAvailable()) {
      this.options.log('connection closed: the database is not available');
      socket.destroy();
      return;
    }
    await this.options.awake();
    const timer = setTimeout(() => socket.destroy(), AUTHENTICATION_TIMEOUT).unref();
    try {
      await this.negotiate(socket);
    } catch (error) {
      this.options.log(`connection closed: ${messageOf(error)}`);
      socket.destroy();
    } finally {
      clearTimeout(timer);
    }
  }

  private async negotiate(socket: Socket): Promise<void> {
    const startup = await readStartupPacket(socket);
    switch (startup.code) {
      case SSL_REQUEST:
        if (this.secureContext === undefined) {
          socket.write('N');
          return this.negotiate(socket);
        }
        return this.startTls(socket, this.secureContext);
      case GSSENC_REQUEST:
        socket.write('N');
        return this.negotiate(socket);
      case CANCEL_REQUEST:
        return this.handOn(socket, this.options.cancel(startup));
      default:
        return this.logIn(socket, startup);
    }
  }

  private async startTls(socket: Socket, secureContext: SecureContext): Promise<void> {
    if (socket instanceof TLSSocket || socket.readableLength > 0) {
      throw new Error('unexpected data after the request for TLS');
    }
    socket.write('S');
    const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['postgresql'] });
    this.track(secure);
    socket.once('close', () => secure.destroy());
    await this.negotiate(secure);
  }

  private async logIn(socket: Socket, startup: StartupPacket): Promise<void> {
    const parameters = startupParameters(startup);
    const username = parameters.get('user') ?? '';
    const client: LoginRequest = {
      startup,
      username,
      database: parameters.get('database') ?? username,
      remoteAddress: socket.remoteAddress,
      isEncrypted: socket instanceof TLSSocket,
      askPassword: () => {
        socket.write(requestForPassword());
        return readPassword(socket);
      },
    };
    try {
      this.handOn(socket, await this.options.admit(client));
    } catch (error) {
      const refusal
        = error instanceof Undecided
          ? new Refusal('XX000', `the rehearsal cannot decide about this login: ${error.message}`, error.message)
          : error;
      if (!(refusal instanceof Refusal)) {
        throw error;
      }
      this.options.log(`${username}: ${refusal.reason}`);
      socket.end(fatalError(refusal.code, refusal.message));
    }
  }

  private handOn(client: Socket, server: Duplex): void {
    this.track(server);
    client.pipe(server).pipe(client);
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroySoon());
  }

  private track(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
