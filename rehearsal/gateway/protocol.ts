import { Duplex } from 'node:stream';

/**
 * The few messages of the PostgreSQL protocol that come before a session begins.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export const SSL_REQUEST = 80877103;
export const GSSENC_REQUEST = 80877104;
export const CANCEL_REQUEST = 80877102;

const LONGEST_STARTUP_PACKET = 10_000;
const LONGEST_PASSWORD = 65_535;

export interface StartupPacket {
  /** The bytes as they came. */
  readonly packet: Buffer;
  /** Protocol version or kind of request. */
  readonly code: number;
}

export async function readStartupPacket(socket: Duplex): Promise<StartupPacket> {
  const length = await readExactly(socket, 4);
  const bytes = length.readUInt32BE();
  if (bytes < 8 || bytes > LONGEST_STARTUP_PACKET) {
    throw new Error(`startup packet of ${bytes} bytes`);
  }
  const packet = Buffer.concat([length, await readExactly(socket, bytes - 4)]);
  return { packet, code: packet.readUInt32BE(4) };
}

/** Parameters of a startup message, such as `user` and `database`. */
export function startupParameters({ packet }: StartupPacket): Map<string, string> {
  const words = new TextDecoder('utf-8', { fatal: true }).decode(packet.subarray(8)).split('\0');
  const parameters = new Map<string, string>();
  for (let i = 0; i + 1 < words.length && words[i] !== ''; i += 2) {
    parameters.set(words[i], words[i + 1]);
  }
  return parameters;
}

/** What a server says to a login, in the code of its authentication messages. */
export const AUTHENTICATION = { OK: 0, CLEARTEXT_PASSWORD: 3, SASL: 10, SASL_CONTINUE: 11, SASL_FINAL: 12 };

export async function readPassword(socket: Duplex): Promise<string> {
  const { type, body } = await readMessage(socket, LONGEST_PASSWORD);
  if (type !== 'p' || body.length < 1) {
    throw new Error('expected a password message');
  }
  if (body.indexOf(0) !== body.length - 1) {
    throw new Error('password message is not one string');
  }
  return body.subarray(0, -1).toString('utf8');
}

export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/** @param longest bytes of the body */
export async function readMessage(socket: Duplex, longest: number): Promise<Message> {
  const header = await readExactly(socket, 5);
  const type = String.fromCharCode(header[0]);
  const bytes = header.readUInt32BE(1) - 4;
  if (bytes < 0 || bytes > longest) {
    throw new Error(`message ${JSON.stringify(type)} of ${bytes} bytes`);
  }
  return { type, body: bytes === 0 ? Buffer.alloc(0) : await readExactly(socket, bytes) };
}

export function requestForPassword(): Buffer {
  return message('R', Buffer.from([0, 0, 0, AUTHENTICATION.CLEARTEXT_PASSWORD]));
}

export function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

export function fatalError(code: string, text: string): Buffer {
  return message('E', Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`));
}

/** SQLSTATE and text of an error message. */
export function errorIn({ body }: Message): { code: string; text: string } {
  const fields = Object.fromEntries(
    body
      .toString('utf8')
      .split('\0')
      .map(field => [field[0], field.slice(1)]),
  ) as Record<string, string>;
  return { code: fields.C, text: fields.M };
}

/** Takes so many bytes and leaves what follows in the stream. */
export function readExactly(socket: Duplex, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stop = () => socket.off('readable', read).off('close', ended).off('end', ended);
    const ended = () => {
      stop();
      reject(new Error('connection closed by the other side'));
    };
    const read = () => {
      const chunk = socket.read(bytes) as Buffer | null;
      if (chunk?.length === bytes) {
        stop();
        resolve(chunk);
      }
    };
    socket.on('readable', read).once('close', ended).once('end', ended);
    read();
  });
}
