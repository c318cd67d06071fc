import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { Declared, failure, setups, signInWithToken, snapshot, Stack, trust } from './stack';

/** Roles of before, with the attribute that keeps what a membership gives from them. */
describe.each(setups('17, RDS-like'))('NOINHERIT on PostgreSQL $name', ({ major, roleRules }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  beforeEach(async () => {
    stack = new Stack(server);
    await server.sql(
      'CREATE ROLE orders LOGIN NOINHERIT; CREATE ROLE friend; CREATE ROLE other; GRANT other TO orders',
    );
    if (major >= 16) {
      await server.sql('GRANT orders, friend TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
  });
  afterEach(() => server.sql('DROP ROLE IF EXISTS orders; DROP ROLE friend; DROP ROLE other'));
  afterAll(() => server.stop());

  const has = async (group: string) =>
    (await server.sql<{ has: boolean }>("SELECT pg_has_role('orders', $1, 'USAGE') AS has", [group]))[0].has;

  test.each(firstOf<[string, Declared]>(1, [
    ['a user', { username: 'orders', memberOf: ['friend'], adoptExisting: true }],
    ['one of many users', { usernames: ['orders', 'second'], memberOf: ['friend'], adoptExisting: true }],
    ['a group role', { roleName: 'orders', memberOf: ['friend'], adoptExisting: true }],
  ]))('%s gets what its group has with the first deployment', async (_, declared) => {
    await stack.create('A', declared);
    expect(await has('friend')).toBe(true);
    // Up to 15 the attribute is about all groups of a role; from 16 on each membership has its own.
    expect(await has('other')).toBe(major < 16);
    if (!('roleName' in declared)) {
      await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
    }
    stack.takeChanges();
    await stack.update('A', { ...declared, reapply: 'again' });
    expect(stack.takeChanges()).toEqual([]);
    await stack.delete('A', declared);
  });

  full.test('one of ours that was made so by hand gets another group', async () => {
    await server.sql('DROP ROLE orders');
    await stack.create('A', { username: 'orders' });
    await server.sql('ALTER ROLE orders NOINHERIT');
    await stack.update('A', { username: 'orders', memberOf: ['friend'] });
    expect(await has('friend')).toBe(true);
    await stack.delete('A', { username: 'orders' });
  });

  test('nothing is left of a deployment that fails', async () => {
    const before = await snapshot(server);
    expect(
      await failure(stack.create('A', { username: 'orders', memberOf: ['friend', 'nobody'], adoptExisting: true })),
    ).toMatch(/^cannot grant role "nobody"/);
    await expect(snapshot(server)).resolves.toEqual(before);
  });
});
