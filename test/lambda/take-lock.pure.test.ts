import { Budget } from '../../lambda/provisioner/budget';
import { takeLock } from '../../lambda/provisioner/engine/take-lock';
import { ServerError } from '../../lambda/provisioner/errors';
import { explain } from '../../lambda/provisioner/remedies/server';
import { sleepingClock } from './clocks';
import { failure } from './stack';

const refused = (message: string, sqlState: string, routine?: string) => explain(new ServerError(message, sqlState, { routine }), { attempted: 'sign in' });

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
  expect(await failure(takeLock({ open, owner: undefined, budget: new Budget(clock, 100_000), log }))).toBe(expected.message);
});
