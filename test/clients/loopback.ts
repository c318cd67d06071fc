import { randomInt } from 'node:crypto';
import { connect, createServer, Server, Socket } from 'node:net';

/**
 * An address of this machine that answers at the endpoint's own port, 5432, and leads to the gateway. A client then
 * needs to be told nothing but the address: host and port are those of the endpoint, as on AWS.
 */
export class Loopback {
  static async open(port: number, gatewayPort: number): Promise<Loopback> {
    const sockets = new Set<Socket>();
    const track = (socket: Socket) => {
      sockets.add(socket);
      return socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    };
    const server = createServer({ noDelay: true }, (client) => {
      const gateway = track(connect({ port: gatewayPort, host: '127.0.0.1', noDelay: true }));
      track(client).pipe(gateway).pipe(client);
      client.once('close', () => gateway.destroy());
      gateway.once('close', () => client.destroySoon());
    });
    const address = await listen(server, port);
    return new Loopback(address, async () => {
      sockets.forEach(socket => socket.destroy());
      await new Promise(resolve => server.close(resolve));
    });
  }

  private constructor(readonly address: string, readonly close: () => Promise<void>) {}
}

/**
 * On Linux all of 127.0.0.0/8 is this machine, and a PostgreSQL of its own is at 127.0.0.1 alone. Elsewhere there is
 * only that one.
 */
async function listen(server: Server, port: number): Promise<string> {
  const addresses = [
    ...Array.from({ length: 5 }, () => `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`),
    '127.0.0.1',
  ];
  for (const address of addresses) {
    const listens = await new Promise((resolve) => {
      server.once('error', () => resolve(false)).listen(port, address, () => resolve(true));
    });
    if (listens) {
      return address;
    }
  }
  throw new Error(`port ${port} is taken on every address of this machine that was tried: ${addresses.join(', ')}`);
}
