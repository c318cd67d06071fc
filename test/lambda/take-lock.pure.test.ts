import { Budget } from '../../lambda/provisioner/budget';
import { takeLock } from '../../lambda/provisioner/engine/take-lock';
import { ServerError } from '../../lambda/provisioner/errors';
import { explain } from '../../lambda/provisioner/remedies/server';
import { Session } from '../../lambda/provisioner/transport/session';
import { sleepingClock } from './clocks';
import { failure } from './stack';

const refused = (message: string, sqlState: string, routine?: string) =>
  explain(new ServerError(message, sqlState, { routine }), { attempted: 'sign in' });

const STARTING = refused('the database system is starting up', '57P03');
const UNKNOWN = refused('zu viele Verbindungen', '53300');
const OF_ROLE = refused('too many connections for role "postgres"', '53300', 'InitializeSessionUserId');
const OF_DATABASE = refused('too many connections for database "postgres"', '53300', 'CheckMyDatabase');

/** What a connection is refused with, one after the other; the last one for as long as it is tried. */
test.each([
  ['the first limit that is known', [STARTING, UNKNOWN, OF_ROLE, OF_DATABASE, STARTING], OF_ROLE],
  ['the last reason where no limit is known', [UNKNOWN, STARTING], STARTING],
])('a lock for which there is never a connection is given up with %s', async (_, reasons, expected) => {
  const clock = sleepingClock();
  const left = [...reasons];
  const open = () => Promise.reject(left.length > 1 ? left.shift()! : left[0]);
  const log = { info: () => undefined } as never;
  expect(await failure(takeLock({ open, owner: undefined, budget: new Budget(clock, 100_000), log }))).toBe(
    expected.message,
  );
});

/** A session in which too many wait for the lock: `MAY_WAIT` fails. Nobody holds it. */
const CROWD: Session = {
  database: 'postgres', withToken: false, pid: 1,
  begin: () => undefined,
  execute: statements =>
    JSON.stringify(statements).includes('1 / CASE')
      ? Promise.reject(new ServerError('division by zero', '22012'))
      : Promise.resolve([[{ holders: null, who: null }]]),
  commit: () => Promise.resolve(),
  rollback: () => Promise.resolve(),
  takeNotices: () => [],
  close: () => Promise.resolve(),
};

/** A pause is between half of its length and all of it. */
test.each([
  ['the server starts', STARTING, [[250, 500], [500, 1_000], [1_000, 2_000], [2_000, 4_000], [2_000, 4_000]]],
  ['there is no connection for it', OF_ROLE, [[2_000, 4_000], [2_000, 4_000]]],
  ['too many wait already', undefined, [[1_000, 2_000], [2_000, 4_000], [2_000, 4_000]]],
])('a provisioner that is refused because %s waits before it signs in again', async (_, reason, expected) => {
  const clock = sleepingClock();
  const delays: number[] = [];
  const log = {
    info: (notice: string, { delayMs }: { readonly delayMs: number }) =>
      notice === 'trying again' && delays.push(delayMs),
  } as never;
  await failure(
    takeLock({
      open: () => (reason ? Promise.reject(reason) : Promise.resolve(CROWD)),
      owner: undefined,
      budget: new Budget(clock, 100_000),
      log,
    }),
  );
  expect(
    delays.slice(0, expected.length).map((delay, n) => delay >= expected[n][0] && delay <= expected[n][1]),
  ).toEqual(expected.map(() => true));
});
