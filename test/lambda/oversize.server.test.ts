import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { until } from './clocks';
import { failure, setups, signInWithToken, Stack, trust, User, users } from './stack';

/**
 * A function has up to 100 arguments, and each is written with the name of its type: a thousand of them, in JSON, are
 * more than the provisioner takes of one row.
 */
const LARGE = `
  CREATE TYPE mallorys.t AS ENUM ();
  DO $$BEGIN
    EXECUTE format('ALTER TYPE mallorys.t RENAME TO %I', repeat(chr(1), 63));
    FOR n IN 1..1800 LOOP
      EXECUTE format('CREATE FUNCTION mallorys.f%s(%s) RETURNS int LANGUAGE sql AS ''SELECT 1''', n, (SELECT string_agg(format('mallorys.%I', repeat(chr(1), 63)), ', ') FROM generate_series(1, 100)));
    END LOOP;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mallorys TO orders;
  END$$`;

/**
 * What a user makes in a schema of its own, or in one that others use as well, so that the catalog of a database is too
 * large to be read.
 */
describe.each(setups('17, plain'))('a catalog that is too large, on PostgreSQL $name', ({ major, roleRules }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  beforeEach(() => stack = new Stack(server));
  afterEach(async () => {
    for (const database of ['shop', 'postgres']) {
      await server.sql(
        'DROP SCHEMA IF EXISTS mallorys, cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE; DROP OWNED BY orders',
        [],
        database,
      );
    }
    await server.sql('DROP ROLE orders');
  });
  afterAll(() => server.stop());

  test.each(firstOf(1, ['shop', 'postgres']))(
    'in database %s is an error that says so where it is declared first, and keeps no rollback and no removal from going through',
    async (database) => {
      const user = (username = 'orders'): User => ({
        username,
        privileges: { [database]: { Database: ['CONNECT'], Schemas: { mallorys: { Schema: ['USAGE'] } } } },
      });
      await server.asMaster('CREATE SCHEMA mallorys', database);
      await stack.create('A', user());
      await server.sql(LARGE, [], database);
      await stack.update('A', { ...user(), reapply: 'again' });
      await expect(signInWithToken(server, 'orders', database)).resolves.toBe('orders');
      expect(await failure(stack.create('B', user('other')))).toMatch(
        /^cannot read database ".*": its answer has a row of \d+ bytes, and the provisioner takes 67108864 \(SQLSTATE 54000\); there are more objects in the schemas that are declared, or longer lists of arguments, than can be compared: /,
      );
      await stack.delete('A', user());
      expect(stack.log).toContainEqual(expect.objectContaining({ notice: 'kept', username: 'orders' }));
      await expect(users(server)).resolves.toEqual(['orders']);
      await expect(server.sql("SELECT rolcanlogin AS login FROM pg_roles WHERE rolname = 'orders'")).resolves.toEqual([
        { login: false },
      ]);
    },
    600_000,
  );

  full.test('keeps no exclusive user from being deployed again as it was', async () => {
    const user: User = { username: 'orders', exclusive: true };
    await stack.create('A', user);
    await server.sql(`CREATE SCHEMA mallorys; ${LARGE}`, [], 'shop');
    await stack.update('A', { ...user, reapply: 'again' });
    expect(stack.log).toContainEqual(expect.objectContaining({ notice: 'not compared', database: 'shop' }));
    expect(await failure(stack.update('A', { ...user, connect: [] }))).toContain('(SQLSTATE 54000)');
    await stack.delete('A', user);
  }, 600_000);
});

/**
 * A role may own millions of large objects, which any user can make. To look at them takes longer than a statement may,
 * so that a lock stands in for them.
 */
test('the access of a user ends before anything is looked at that it owns, on PostgreSQL 15', async () => {
  const server = await AuroraLikeServer.start({ major: 15, databases: ['shop'], authorize: () => true });
  trust(server.caCertificate);
  const stack = new Stack(server);
  await stack.create('A', { username: 'orders' });
  await server.sql('BEGIN; LOCK TABLE pg_shdepend', [], 'shop');
  const removed = stack.delete('A', { username: 'orders' });
  await until(() => stack.log.some(({ notice }) => notice === 'access ended'));
  await expect(signInWithToken(server, 'orders')).rejects.toThrow();
  await server.sql('ROLLBACK', [], 'shop');
  await removed;
  await expect(users(server)).resolves.toEqual([]);
  await server.stop();
}, 300_000);
