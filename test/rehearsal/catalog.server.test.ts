import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Catalog } from '../../rehearsal/rehearse/catalog';
import { setups } from '../lambda/stack';

describe.each(setups('14'))('what a rehearsal sees of PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, databases: ['shop'], authorize: () => true });
    await server.sql('CREATE ROLE reader; CREATE TABLE orders (id serial)', [], 'shop');
    await server.sql(
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE mood AS ENUM (); CREATE DOMAIN cents AS int",
      [],
      'shop',
    );
  });
  afterAll(() => server.stop());

  test.each([
    ['SELECT ON TABLE orders', 'SELECT on table orders'],
    ['USAGE ON SEQUENCE orders_id_seq', 'USAGE on sequence orders_id_seq'],
    ['EXECUTE ON FUNCTION f()', 'EXECUTE on function f()'],
    ['USAGE ON TYPE mood', 'USAGE on type mood'],
    ['USAGE ON DOMAIN cents', 'USAGE on type cents'],
  ])('is what was granted: %s', async (privilege, text) => {
    const before = await Catalog.of(server);
    await server.sql(`GRANT ${privilege} TO reader`, [], 'shop');
    const after = await Catalog.of(server);
    expect(after.minus(before).map(fact => fact.text)).toEqual([`${text} for reader in database shop`]);
    await server.sql(`REVOKE ${privilege} FROM reader`, [], 'shop');
    expect((await Catalog.of(server)).minus(before)).toEqual([]);
  });
});
