import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import {
  AUTHENTICATION,
  errorIn,
  message,
  Message,
  readExactly,
  readMessage,
  SSL_REQUEST,
  StartupPacket,
} from './protocol';
import { SCRAM_SHA_256, ScramClient } from './scram';

/** More than any message before a session begins. */
const LONGEST_MESSAGE = 10_000;

/** A database as clients see it. */
export interface DatabaseAddress {
  /** As its certificate has it. */
  readonly host: string;
  /** PEM of the authority that has issued the certificate. */
  readonly caCertificate: string;
  /** Port on 127.0.0.1 that answers for it. */
  readonly gatewayPort: number;
}

/** What a database answered that refuses a sign-in. */
export class SignInError extends Error {
  constructor(readonly code: string, text: string) {
    super(text);
  }
}

/**
 * Signs in to a database for a client, over verified TLS, with the password or token and the startup message of that
 * client.
 *
 * @returns the session, beginning with the message that says that the password is right
 */
export async function openSession(
  { host, caCertificate, gatewayPort }: DatabaseAddress,
  { packet }: StartupPacket,
  password: string,
): Promise<TLSSocket> {
  const plain = connect({ port: gatewayPort, host: '127.0.0.1', noDelay: true }).on('error', () => undefined);
  try {
    plain.write(requestForTls());
    if ((await readExactly(plain, 1)).toString() !== 'S') {
      throw new Error('the database has no TLS');
    }
    const session = connectTls({ socket: plain, servername: host, ca: caCertificate, ALPNProtocols: ['postgresql'] });
    await once(session, 'secureConnect');
    session.write(packet);
    session.unshift(await authenticate(session, password));
    return session;
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

/** Up to the first message of the session. */
async function authenticate(session: TLSSocket, password: string): Promise<Buffer> {
  const scram = new ScramClient(password);
  let accepted: Message | undefined;
  for (;;) {
    const received = await readMessage(session, LONGEST_MESSAGE);
    if (received.type === 'E') {
      const { code, text } = errorIn(received);
      throw new SignInError(code, text);
    }
    if (accepted) {
      // Only now is it known whether the database exists, and whether the user may come into it.
      return Buffer.concat([accepted, received].map(({ type, body }) => message(type, body)));
    }
    switch (received.type === 'R' ? received.body.readUInt32BE() : undefined) {
      case AUTHENTICATION.OK:
        accepted = received;
        break;
      case AUTHENTICATION.CLEARTEXT_PASSWORD:
        session.write(message('p', Buffer.from(`${password}\0`)));
        break;
      case AUTHENTICATION.SASL:
        session.write(message('p', saslInitialResponse(scram.begin)));
        break;
      case AUTHENTICATION.SASL_CONTINUE:
        session.write(message('p', Buffer.from(scram.answer(textOf(received)))));
        break;
      case AUTHENTICATION.SASL_FINAL:
        break;
      default:
        throw new Error(`the database asks for what a proxy does not know: message ${JSON.stringify(received.type)}`);
    }
  }
}

function requestForTls(): Buffer {
  const request = Buffer.alloc(8);
  request.writeUInt32BE(8);
  request.writeUInt32BE(SSL_REQUEST, 4);
  return request;
}

function saslInitialResponse(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([Buffer.from(`${SCRAM_SHA_256}\0`), length, Buffer.from(text)]);
}

function textOf({ body }: Message): string {
  return body.subarray(4).toString('utf8');
}
