import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AddressInfo, connect, createServer, Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout } from 'node:timers/promises';

export interface Listener {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Listens on this host and leaves what connects to the caller. */
export async function listener(accept: (socket: Socket) => void): Promise<Listener> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    accept(socket);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      sockets.forEach(socket => socket.destroy());
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** A process that listens and never accepts. Once its queue is full, the kernel drops what arrives. */
export async function fullListener(): Promise<Listener> {
  const child = spawn(process.execPath, ['-e', `
    const server = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`]);
  const [output] = await once(child.stdout, 'data') as [Buffer];
  const port = Number(output);
  const sockets: Socket[] = [];
  for (let connected = true; connected;) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    connected = await Promise.race([once(socket, 'connect').then(() => true), setTimeout(500, false)]);
  }
  return {
    port,
    close: async () => {
      sockets.forEach(socket => socket.destroy());
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/**
 * A way to the server. Connections that are open when it goes mute stay open, and nothing comes through them any more.
 */
export class Network {
  public static async open(target: number): Promise<Network> {
    const pairs: Socket[] = [];
    const { port, close } = await listener((socket) => {
      const server = connect(target, '127.0.0.1');
      pairs.push(socket.on('error', () => undefined), server.on('error', () => undefined));
      socket.pipe(server);
      server.pipe(socket);
      socket.on('close', () => server.destroy());
      server.on('close', () => socket.destroy());
    });
    return new Network(port, close, pairs);
  }

  private constructor(
    public readonly port: number,
    public readonly close: () => Promise<void>,
    private readonly sockets: Socket[],
  ) {}

  public goMute(): void {
    this.sockets.splice(0).forEach(socket => socket.unpipe().pause());
  }
}

/** A way to the server on which each answer takes so many milliseconds longer. */
export function slowNetwork(target: number, milliseconds: number): Promise<Listener> {
  return listener((socket) => {
    const server = connect(target, '127.0.0.1').on('error', () => socket.destroy());
    const delayed = new Transform({
      transform: (chunk, _, done) => void setTimeout(milliseconds).then(() => done(null, chunk)),
    });
    // What the server says before it closes arrives: the connection ends after it.
    socket.on('error', () => undefined).pipe(server).pipe(delayed).pipe(socket);
    socket.on('close', () => server.destroy());
  });
}
