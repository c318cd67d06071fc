import { createSecureContext, TLSSocket } from 'node:tls';
import { Certificate } from '../../rehearsal/gateway/certificate-authority';
import { message, readMessage, readStartupPacket, SSL_REQUEST } from '../../rehearsal/gateway/protocol';
import { listener } from './network';

/** What is sent when a session begins, and after each message that the client sends then. The last is repeated. */
export type Script = readonly (Buffer | ((heard: Buffer) => Buffer))[];

/** A server that says what a test tells it to, over TLS, and keeps what it hears. */
export class RogueServer {
  static async start(certificate: Certificate, script: Script): Promise<RogueServer> {
    const heard: Buffer[] = [];
    const secureContext = createSecureContext({ ...certificate });
    const { port, close } = await listener((socket) => {
      socket.on('error', () => undefined);
      void (async () => {
        const { code } = await readStartupPacket(socket);
        if (code !== SSL_REQUEST) {
          socket.destroy();
          return;
        }
        socket.write('S');
        const secure = new TLSSocket(socket, { isServer: true, secureContext });
        secure.on('error', () => undefined);
        let next = (await readStartupPacket(secure)).packet;
        heard.push(next);
        for (let step = 0; ; step++) {
          const answer = script[Math.min(step, script.length - 1)];
          secure.write(typeof answer === 'function' ? answer(next) : answer);
          const { type, body } = await readMessage(secure, 1_000_000);
          next = message(type, body);
          heard.push(next);
        }
      })().catch(() => socket.destroy());
    });
    return new RogueServer(port, heard, close);
  }

  private constructor(
    readonly port: number,
    private readonly messages: Buffer[],
    readonly close: () => Promise<void>,
  ) {}

  /** All that clients have sent once TLS had begun. */
  get heard(): string {
    return this.messages.map(each => each.toString('latin1')).join('\n');
  }
}

/** As in `authentication(3)`: the server asks for a password in clear text. */
export function authentication(code: number, rest: string | Buffer = ''): Buffer {
  const body = Buffer.alloc(4);
  body.writeInt32BE(code);
  return message('R', Buffer.concat([body, Buffer.from(rest)]));
}

export const READY = message('Z', Buffer.from('I'));
