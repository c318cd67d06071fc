import { createSecureContext } from 'node:tls';
import { Client } from 'pg';
import { overConnections } from '../../lambda/provisioner/transport/postgresql/connections';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { failure, Stack } from './stack';

/** Of the clock of the handler, which is the only one here: connecting and sleeping are all that takes time. */
const LIMIT_MS = 30_000;

/** An attempt to connect that fails only when the time limit that it was given, or a part of it, is over. */
function failSlowly(
  pass: (milliseconds: number) => void,
  error: NodeJS.ErrnoException,
  part: number,
): jest.SpyInstance {
  return jest.spyOn(Client.prototype, 'connect').mockImplementation(function (this: Client) {
    pass((this as unknown as { _connectionTimeoutMillis: number })._connectionTimeoutMillis * part);
    return Promise.reject(error) as never;
  });
}

/** All that the stack asks of a server; nothing listens there. */
const GONE = {
  host: 'gone.invalid',
  port: 5432,
  resourceId: 'cluster-GONE',
  master: { username: 'postgres', password: 'x' },
} as AuroraLikeServer;

const withCode = (code: string) => Object.assign(new Error(code), { code });

afterEach(() => jest.restoreAllMocks());

test.each<[string, Error, number]>([
  // A name server that answers does so at once.
  ['that has no name', withCode('ENOTFOUND'), 0.1],
  ['whose name server does not answer', withCode('EAI_AGAIN'), 1],
  ['that refuses connections', withCode('ECONNREFUSED'), 1],
  ['that has no route', withCode('EHOSTUNREACH'), 1],
  ['that does not answer', new Error('timeout expired'), 1],
])('a host %s is given up within 30 seconds, and not at the first attempt', async (_, error, part) => {
  let now = 0;
  const connect = failSlowly(milliseconds => now += milliseconds, error, part);
  const clock = { now: () => now, sleep: (milliseconds: number) => Promise.resolve(void (now += milliseconds)) };
  const transport = overConnections({
    host: GONE.host,
    port: 5432,
    authorities: createSecureContext(),
    readAdmin: () => Promise.resolve(GONE.master),
  });
  const stack = new Stack(GONE, { clock, transport });
  expect(await failure(stack.create('A', { username: 'orders' }))).toMatch(/^cannot connect to gone\.invalid:5432: /);
  expect(now).toBeLessThan(LIMIT_MS);
  expect(connect.mock.calls.length).toBeGreaterThan(1);
});
