import { Observations } from '../observations';
import { Network } from '../world';

/** Long enough for a way around the world, short enough for a person. */
export const CONNECT_TIMEOUT_MS = 5_000;

export async function lookUp(network: Network, host: string): Promise<Observations['addresses']> {
  try {
    return { value: await network.lookup(host) };
  } catch (error) {
    return { failed: (error as NodeJS.ErrnoException).code ?? 'an error of the resolver' };
  }
}

export async function tryRoute(network: Network, host: string, port: number): Promise<Observations['route']> {
  const socket = network.socket();
  try {
    return await new Promise((resolve) => {
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => resolve({ failed: 'ETIMEDOUT' }));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve({ failed: error.code ?? 'an error' }));
      socket.once('connect', () => resolve({ value: true }));
      socket.connect(port, host);
    });
  } finally {
    socket.destroy();
  }
}
