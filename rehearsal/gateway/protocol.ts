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

export const AUTHENTICATION_CLEARTEXT_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

export async function readPassword(socket: Duplex): Promise<string> {
  const header = await readExactly(socket, 5);
  const bytes = header.readUInt32BE(1) - 4;
  if (header[0] !== 'p'.charCodeAt(0) || bytes < 1 || bytes > LONGEST_PASSWORD) {
    throw new Error('expected a password message');
  }
  const text = await readExactly(socket, bytes);
  if (text.indexOf(0) !== bytes - 1) {
    throw new Error('password message is not one string');
  }
  return text.subarray(0, -1).toString('utf8');
}

export function fatalError(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const header = Buffer.alloc(5);
  header.write('E');
  header.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([header, fields]);
}

/** Takes so many bytes and leaves what follows in the stream. */
function readExactly(socket: Duplex, bytes: number): Promise<Buffer> {
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
