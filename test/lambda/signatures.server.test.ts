import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { setups, Stack, trust, User } from './stack';
import { heldBy, startWorld } from './world';

/**
 * Functions, procedures and aggregates of one name, which differ in their arguments only, some of them only in what
 * comes out.
 */
describe.each(setups('15'))('signatures on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    ({ server } = await startWorld(setup));
    trust(server.caCertificate);
    await server.sql(
      `CREATE SCHEMA sig AUTHORIZATION postgres; GRANT ALL ON SCHEMA sig TO migrator; CREATE TYPE sig."a, b" AS ENUM (); CREATE TYPE sig."IN c" AS (n int); CREATE TYPE sig."(" AS ENUM ();
      CREATE FUNCTION sig.x() RETURNS int LANGUAGE sql AS 'SELECT 1';
      CREATE FUNCTION sig.x(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
      CREATE FUNCTION sig.x(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
      CREATE PROCEDURE sig.x(int, int, OUT text) LANGUAGE sql AS $$ SELECT '' $$;
      CREATE FUNCTION sig.x(int, int, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
      CREATE PROCEDURE sig.x(bigint, OUT text) LANGUAGE sql AS $$ SELECT '' $$;
      CREATE PROCEDURE sig.x(bigint, text) LANGUAGE sql AS '';
      CREATE PROCEDURE sig.x(VARIADIC text[]) LANGUAGE sql AS '';
      CREATE FUNCTION sig.x(sig."a, b", sig."IN c"[], sig."(", OUT o sig."(") LANGUAGE sql AS $$ SELECT $3 $$;
      CREATE FUNCTION sig.adds(sum numeric, VARIADIC more numeric[]) RETURNS numeric LANGUAGE sql AS 'SELECT $1';
      CREATE AGGREGATE sig.x(VARIADIC numeric[]) (SFUNC = sig.adds, STYPE = numeric);
      CREATE AGGREGATE sig.x(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
      CREATE AGGREGATE sig.x(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, HYPOTHETICAL)`,
      [],
      'shop',
    );
    await server.sql(
      `DO $$ DECLARE r record; BEGIN FOR r IN SELECT oid, proname, CASE prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END AS word, row_number() OVER (ORDER BY oid) % 3 = 0 AS theirs FROM pg_proc WHERE pronamespace = 'sig'::regnamespace LOOP
      EXECUTE format('ALTER %s sig.%I(%s) OWNER TO %I', r.word, r.proname, pg_get_function_identity_arguments(r.oid), CASE WHEN r.theirs THEN 'migrator' ELSE 'postgres' END); END LOOP; END $$`,
      [],
      'shop',
    );
  });
  beforeEach(() => stack = new Stack(server));
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const orders = (functions: { [name: string]: string[] }): User => ({
    username: 'orders',
    privileges: { shop: { Schemas: { sig: { Functions: functions } } } },
  });
  const held = async () =>
    (await heldBy(server, ['orders']))
      .filter(line => line.startsWith('orders ROUTINE'))
      .map(line => line.slice('orders ROUTINE shop/sig/'.length, -': EXECUTE'.length));
  const ADDS = 'adds(sum numeric, VARIADIC more numeric[])';
  const ALL = [
    'x()',
    'x(IN bigint, IN text)',
    'x(IN bigint, OUT text)',
    'x(IN integer, IN integer, OUT text)',
    'x(VARIADIC "any" ORDER BY VARIADIC "any")',
    'x(VARIADIC numeric[])',
    'x(VARIADIC text[])',
    'x(double precision ORDER BY anyelement)',
    'x(integer)',
    'x(integer, integer, text)',
    'x(integer, text)',
    'x(sig."a, b", sig."IN c"[], sig."(", OUT o sig."(")',
  ];

  full.test('granted on all of them, revoked from those of one name, and granted again on one', async () => {
    await stack.create('A', orders({ '*': ['EXECUTE'] }));
    await expect(held()).resolves.toEqual([ADDS, ...ALL].sort());
    await stack.update('A', orders({ x: ['EXECUTE'] }));
    await expect(held()).resolves.toEqual(ALL);
    stack.takeChanges();
    await server.sql('REVOKE EXECUTE ON PROCEDURE sig.x(IN bigint, OUT text) FROM orders', [], 'shop');
    await stack.update('A', { ...orders({ x: ['EXECUTE'] }), reapply: 'now' });
    expect(stack.takeChanges()).toEqual([
      'grant EXECUTE on function "x" in schema "sig" to "orders" in database "shop"',
    ]);
    await expect(held()).resolves.toEqual(ALL);
    await stack.update('A', orders({ adds: ['EXECUTE'] }));
    await expect(held()).resolves.toEqual([ADDS]);
    await stack.delete('A', orders({}));
  });
});
