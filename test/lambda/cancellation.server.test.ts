import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { everythingIsAsBefore } from './as-before';
import { skippingClock, until, untilWaiting } from './clocks';
import { takeLock } from './provisioners-lock';
import { setups, signInWithToken, Stack, trust, User, users } from './stack';
import { heldBy, startWorld } from './world';

/** As CloudFormation makes them up. */
const MADE_UP = 'shop-Users-1ABCDEFGHIJKL';

/**
 * When a resource of a stack fails, CloudFormation cancels what is under way, does not wait for its end, and sends the event that takes it back:
 * to a new resource a Delete with a physical id that it has made up.
 *
 * @see https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1814
 */
describe.each(setups('17, plain'))('an event that is cancelled on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    ({ server } = await startWorld(setup));
    trust(server.caCertificate);
  });
  beforeEach(() => stack = new Stack(server));
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const READ = { shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } } };
  const ann: User = { username: 'ann', privileges: READ };
  const list = { usernames: ['ann', 'bob'], privileges: READ };
  const group = { roleName: 'analysts', privileges: READ };

  test.each([['a user', ann], ['many', list], ['a group role', group]])('the creation of %s that was complete is taken back', async (_, declared) => {
    await stack.create('A', declared);
    await stack.delete('A', declared, MADE_UP);
  });

  test.each([['a user', ann], ['many', list]])('the Delete of %s that overtakes the creation waits for it', async (_, declared) => {
    const deleted = stack.delete('A', declared, MADE_UP);
    await until(() => stack.log.some(({ reason }) => reason === 'nothing to remove yet: the creation that was cancelled may be under way'));
    await stack.create('A', declared);
    await deleted;
  });

  test('a creation that never began: there is nothing to remove', async () => {
    const clock = skippingClock();
    stack = new Stack(server, { clock });
    await stack.delete('A', ann, MADE_UP);
    expect(stack.log.at(-2)).toMatchObject({ notice: 'nothing to remove', username: 'ann' });
    expect(clock.slept()).toBeGreaterThan(14_000);
  });

  test('others of the stack that have the same name keep it', async () => {
    await stack.create('A', ann);
    await stack.create('B', ann);
    await stack.delete('B', ann, MADE_UP);
    await expect(signInWithToken(server, 'ann')).resolves.toBe('ann');
    await stack.delete('A', ann);
  });

  test('a role that was to be adopted is not dropped, and comes back by itself', async () => {
    await server.sql("CREATE ROLE ann LOGIN PASSWORD 'x'");
    const declared = { ...ann, adoptExisting: true };
    const oid = () => server.sql("SELECT oid FROM pg_roles WHERE rolname = 'ann' AND rolcanlogin");
    const [was] = await oid();
    if (setup.major >= 16) {
      await server.sql('GRANT ann TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
    await stack.create('A', declared);
    await stack.delete('A', declared, MADE_UP);
    expect(await users(server)).toContain('ann');
    expect(await oid()).toEqual([]);
    await stack.create('A', ann);
    expect(await oid()).toEqual([was]);
    await stack.delete('A', ann);
  });

  test('the update that takes another back comes after it, also if both have waited for so long that they have looked who is in the way', async () => {
    await stack.create('A', ann);
    const holder = new Client({ host: server.host, port: server.port, user: 'postgres', password: server.master.password, database: 'postgres', ssl: true });
    await holder.connect();
    await takeLock(holder);
    const first = stack.update('A', { ...ann, privileges: { stock: READ.shop } });
    await untilWaiting(server, 1);
    await setTimeout(2_500);
    const second = stack.update('A', ann);
    // By now the first has looked, and waits behind the second.
    await setTimeout(4_000);
    await holder.end();
    await Promise.all([first, second]);
    expect((await heldBy(server, ['ann'])).filter(line => line.includes('stock'))).toEqual([]);
    await stack.delete('A', ann);
  });
});
