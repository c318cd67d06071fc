import { AddressInfo, connect, createServer, NetConnectOpts, Server, Socket } from 'node:net';
import { createSecureContext, SecureContext, TLSSocket } from 'node:tls';
import { Certificate } from './certificate-authority';
import {
  AUTHENTICATION_CLEARTEXT_PASSWORD, CANCEL_REQUEST, fatalError, GSSENC_REQUEST, readPassword, readStartupPacket, SSL_REQUEST,
  StartupPacket, startupParameters,
} from './protocol';

/** As PostgreSQL's authentication_timeout. */
const AUTHENTICATION_TIMEOUT = 60_000;

export interface GatewayOptions {
  /** While it is false connections are closed at once. */
  readonly isAvailable: () => boolean;
  /** Until then a connection is open and nothing is said on it. */
  readonly awake: () => Promise<void>;
  /** Undefined: the gateway answers that it has no TLS. */
  readonly certificate?: Certificate;
  /** For sessions whose token was verified; no password is asked there. */
  readonly iamDoor: () => NetConnectOpts;
  /** For all others; the server asks for the password itself. */
  readonly passwordDoor: () => NetConnectOpts;
  readonly isIamUser: (username: string) => Promise<boolean>;
  /** Throws the reason of a refusal. */
  readonly verify: (username: string, token: string) => void;
  readonly log: (line: string) => void;
}

/** A login that AWS may refuse or not: nobody must take it for a refusal. */
export class Undecided extends Error {}

/**
 * Stands before PostgreSQL as RDS does: ends TLS, asks members of `rds_iam` for a token instead of a password,
 * and hands the connection on to the server.
 */
export class Gateway {
  static async listen(options: GatewayOptions): Promise<Gateway> {
    const gateway = new Gateway(options);
    await new Promise<void>((resolve, reject) => gateway.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
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
        return this.handOn(socket, this.options.passwordDoor(), startup);
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
    const username = startupParameters(startup).get('user') ?? '';
    let isIamUser: boolean;
    try {
      isIamUser = await this.options.isIamUser(username);
    } catch (error) {
      return this.refuse(socket, '57P03', 'the database system is starting up', messageOf(error));
    }
    if (!isIamUser) {
      return this.handOn(socket, this.options.passwordDoor(), startup);
    }
    if (!(socket instanceof TLSSocket)) {
      const database = startupParameters(startup).get('database') ?? username;
      return this.refuse(socket, '28000', `pg_hba.conf rejects connection for host "${socket.remoteAddress}", user "${username}", `
        + `database "${database}", no encryption`, `${username}: no TLS`);
    }
    socket.write(AUTHENTICATION_CLEARTEXT_PASSWORD);
    const token = await readPassword(socket);
    if (token === '') {
      return this.refuse(socket, '28P01', 'empty password returned by client', `${username}: empty password`);
    }
    try {
      this.options.verify(username, token);
    } catch (error) {
      if (error instanceof Undecided) {
        return this.refuse(socket, 'XX000', `the rehearsal cannot decide about this login: ${error.message}`, `${username}: ${error.message}`);
      }
      return this.refuse(socket, '28000', `PAM authentication failed for user "${username}"`, `${username}: ${messageOf(error)}`);
    }
    this.options.log(`${username}: signed in with a token`);
    return this.handOn(socket, this.options.iamDoor(), startup);
  }

  private refuse(socket: Socket, code: string, message: string, reason: string): void {
    this.options.log(reason);
    socket.end(fatalError(code, message));
  }

  private handOn(client: Socket, door: NetConnectOpts, { packet }: StartupPacket): void {
    const server = connect(door);
    // Or the end of a long message waits for the server to acknowledge its beginning.
    server.setNoDelay(true);
    this.track(server);
    server.write(packet);
    client.pipe(server).pipe(client);
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroySoon());
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
