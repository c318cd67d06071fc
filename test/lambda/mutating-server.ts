import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { connect, Socket } from 'node:net';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Certificate } from '../../rehearsal/gateway/certificate-authority';
import { message, readExactly, readMessage, readStartupPacket } from '../../rehearsal/gateway/protocol';
import { Listener, listener } from './network';
import { Random } from './random';

/** Number of the message that is changed on a connection; the first ones are those of the sign-in. */
export type Choice = (connection: number) => number | undefined;

/**
 * Stands before a server, with a certificate that clients trust, and hands on what both say. One message of the server
 * is not what it was; after that the connection ends soon, so that a test does not wait for what will not come.
 */
export async function mutatingServer(
  server: AuroraLikeServer,
  certificate: Certificate,
  random: Random,
  choose: Choice,
): Promise<Listener> {
  const secureContext = createSecureContext({ ...certificate });
  let connections = 0;
  return listener((socket) => {
    socket.on('error', () => undefined);
    void relay(socket, choose(connections++)).catch(() => socket.destroy());
  });

  async function relay(socket: Socket, changed: number | undefined): Promise<void> {
    const request = await readStartupPacket(socket);
    const plain = connect(server.gatewayPort, '127.0.0.1').on('error', () => undefined);
    plain.write(request.packet);
    socket.write(await readExactly(plain, 1));
    const client = new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined);
    const behind = connectTls({ socket: plain, servername: server.host, ca: server.caCertificate }).on(
      'error',
      () => undefined,
    );
    socket.on('close', () => behind.destroy());
    client.pipe(behind);
    for (let n = 0; ; n++) {
      const { type, body } = await readMessage(behind, 10_000_000);
      const sent = message(type, body);
      if (n === changed) {
        client.write(mutated(sent, random));
        setTimeout(() => socket.destroy(), 20);
        return;
      }
      client.write(sent);
    }
  }
}

function mutated(sent: Buffer, random: Random): Buffer {
  const below = (limit: number) => Math.floor(random.next() * limit);
  const bytes = Buffer.from(sent);
  switch (below(7)) {
    case 0: // other bytes
      for (let n = below(4); n >= 0; n--) {
        bytes[below(bytes.length)] = below(256);
      }
      return bytes;
    case 1: // another length
      bytes.writeUInt32BE(
        random.one([0, 1, 3, 4, 5, bytes.length - 2, bytes.length, 65_535, 0x7fffffff, 0xffffffff]),
        1,
      );
      return bytes;
    case 2: // another type
      bytes[0] = random.one([...'RSKZTDCENAIn123stcWGHdv?\0']).charCodeAt(0);
      return bytes;
    case 3: // cut short, with the length of what is left
      return message(String.fromCharCode(bytes[0]), bytes.subarray(5, 5 + below(bytes.length - 4)));
    case 4: // twice
      return Buffer.concat([bytes, bytes]);
    case 5: // something else first
      return Buffer.concat([
        message(random.one([...'RZTDCENA1G']), Buffer.from(Array.from({ length: below(20) }, () => below(256)))),
        bytes,
      ]);
    default: // anything
      return Buffer.from(Array.from({ length: 1 + below(60) }, () => below(256)));
  }
}
