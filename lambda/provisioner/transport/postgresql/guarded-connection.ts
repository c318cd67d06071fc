import type { Duplex } from 'node:stream';
import { Connection, type ConnectionConfig } from 'pg';
import { AuthenticationRefused, ProtocolError } from '../../errors';
import { Authentication } from './authentication';
import { Framing } from './framing';

/** Events of a connection that are not messages of the server. */
const OWN_EVENTS = ['connect', 'sslconnect', 'error', 'end', 'newListener', 'removeListener'];

type Listener = (chunk: Buffer) => void;

/** What pg does not declare of its connection. */
const DeclaredConnection = Connection as unknown as new (
  config: ConnectionConfig,
) => Connection & { attachListeners(stream: Duplex): void };

/**
 * A connection that acts on no message out of order, and on none that cannot be read. pg alone would answer any request
 * for a password at any time, and an exception while it reads a message would end the process.
 */
export class GuardedConnection extends DeclaredConnection {
  private readonly authentication: Authentication;
  private readonly framing = new Framing();
  private hasFailed = false;

  constructor(config: ConnectionConfig, withToken: boolean) {
    super(config);
    this.authentication = new Authentication(withToken);
  }

  /** Whether the server has accepted the admin and has proved itself. */
  public get isSignedIn(): boolean {
    return this.authentication.isDone;
  }

  public override emit(event: string, ...values: unknown[]): boolean {
    if (OWN_EVENTS.includes(event)) {
      return super.emit(event, ...values);
    }
    this.guard(() => {
      this.authentication.hear(event);
      super.emit(event, ...values);
    });
    return true;
  }

  /** pg reads what the stream says of its data. */
  public override attachListeners(stream: Duplex): void {
    const on = (event: string, listener: Listener) =>
      stream.on(event, event === 'data' ? this.guarded(listener) : listener);
    super.attachListeners({ on } as unknown as Duplex);
  }

  private guarded(parse: Listener): Listener {
    return chunk => this.guard(() => {
      const messages = this.framing.take(chunk, this.isSignedIn);
      if (messages) {
        parse(messages);
      }
    });
  }

  /** An exception of pg may quote what it could not read. */
  private guard(work: () => void): void {
    if (this.hasFailed) {
      return;
    }
    try {
      work();
    } catch (error) {
      this.hasFailed = true;
      this.stream.destroy();
      super.emit('error', error instanceof ProtocolError || error instanceof AuthenticationRefused ? error : new ProtocolError('a message that cannot be read'));
    }
  }
}
