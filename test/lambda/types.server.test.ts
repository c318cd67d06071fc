import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, Stack, throughConnections, trust, User } from './stack';
import { heldBy, startWorld } from './world';

/**
 * In a schema where nothing is granted to everybody: types of two owners, and what has the name of a type and is none.
 */
const SQL = `
  CREATE SCHEMA data AUTHORIZATION postgres;
  GRANT ALL ON SCHEMA data TO migrator;
  CREATE EXTENSION citext SCHEMA data;
  SET ROLE postgres;
  CREATE TYPE data.mood AS ENUM ('fine');
  CREATE DOMAIN data."Cents, ""net""" AS int;
  CREATE TABLE data.orders (moods data.mood[], note text);
  GRANT USAGE ON TYPE data.orders TO helper;
  SET ROLE migrator;
  CREATE TYPE data.pair AS (a int, b int);
  CREATE TYPE data.span AS RANGE (subtype = int, multirange_type_name = data.spans);
  RESET ROLE;
  CREATE TYPE data.announced;
  REVOKE USAGE ON TYPE data.mood, data."Cents, ""net""", data.pair, data.span FROM PUBLIC;
  ALTER DEFAULT PRIVILEGES FOR ROLE migrator REVOKE USAGE ON TYPES FROM PUBLIC`;

const ALL = ['"Cents, ""net"""', 'mood', 'pair', 'span'];

describe.each(setupsOver({ 'connections': ['18, RDS-like'], 'the Data API': [] }))(
  'types on PostgreSQL $name through $transport',
  ({ transport, ...setup }) => {
    let server: AuroraLikeServer;
    let stack: Stack;

    beforeAll(async () => {
      ({ server } = await startWorld(setup));
      trust(server.caCertificate);
      await server.sql(SQL, [], 'shop');
    });
    beforeEach(() => {
      stack = new Stack(server, {
        transport: transport === 'connections' ? throughConnections(server) : throughDataApi(server),
      });
    });
    everythingIsAsBefore(() => server);
    afterAll(() => server.stop());

    const using = (types: object, others: Partial<User> = {}): User => ({
      username: 'orders',
      privileges: { shop: { Schemas: { data: { Schema: ['CREATE', 'USAGE'], ...types } } } },
      ...others,
    });
    const held = async () =>
      (await heldBy(server, ['orders']))
        .map(line => line.slice('orders '.length))
        .filter(line => line.startsWith('TYPE'));
    /** Those that it can make a column of, in fact. */
    const usable = async () => {
      const can = await Promise.all(
        ALL.map(
          async type =>
            await server
              .sql(`SET ROLE orders; CREATE TABLE data.mine (n data.${type}); DROP TABLE data.mine`, [], 'shop')
              .then(
                () => [type],
                () => [],
              ),
        ),
      );
      return can.flat();
    };

    test('are usable while they are declared, all or by name', async () => {
      await stack.create('A', using({ Types: { '*': ['USAGE'] } }));
      await expect(held()).resolves.toEqual(
        ['Cents, "net"', 'mood', 'pair', 'span'].map(name => `TYPE shop/data/${name}: USAGE`),
      );
      await expect(usable()).resolves.toEqual(ALL);
      stack.takeChanges();
      await stack.update('A', using({ Types: { '*': ['USAGE'] } }, { reapply: 'now' }));
      expect(stack.takeChanges()).toEqual([]);
      await stack.update('A', using({ Types: { 'mood': ['USAGE'], 'Cents, "net"': ['USAGE'] } }));
      await expect(held()).resolves.toEqual(['Cents, "net"', 'mood'].map(name => `TYPE shop/data/${name}: USAGE`));
      await expect(usable()).resolves.toEqual(ALL.slice(0, 2));
      await stack.update('A', using({}));
      await expect(usable()).resolves.toEqual([]);
      await stack.delete('A', using({}));
    });

    full.test('that are created later are usable, if they are of a creator that is named', async () => {
      await stack.create('A', using({ Types: { '*': ['USAGE'] }, FutureObjects: { migrator: '*' } }));
      await server.sql(
        'SET ROLE migrator; CREATE TYPE data.late AS ENUM (); CREATE TABLE data.later (n int); RESET ROLE',
        [],
        'shop',
      );
      await expect(held()).resolves.toEqual(
        expect.arrayContaining(['TYPE shop/data/late: USAGE', 'TYPES of migrator in shop/data: USAGE']),
      );
      stack.takeChanges();
      await stack.update(
        'A',
        using({ Types: { '*': ['USAGE'] }, FutureObjects: { migrator: '*' } }, { reapply: 'now' }),
      );
      expect(stack.takeChanges()).toEqual([]);
      await stack.update('A', using({ FutureObjects: { migrator: { Types: ['USAGE'] } } }));
      await expect(held()).resolves.toEqual(['TYPES of migrator in shop/data: USAGE']);
      await stack.delete('A', using({}));
      await server.sql('DROP TYPE data.late; DROP TABLE data.later', [], 'shop');
    });

    full.test(
      'by hand: what was revoked is granted again, what was granted stays, and goes from an exclusive role',
      async () => {
        const user = using({ Types: { mood: ['USAGE'] } });
        await stack.create('A', user);
        await server.sql(
          'REVOKE USAGE ON TYPE data.mood FROM orders; GRANT USAGE ON TYPE data.pair TO orders WITH GRANT OPTION; GRANT USAGE ON TYPE data.span TO orders',
          [],
          'shop',
        );
        await stack.update('A', { ...user, reapply: 'now' });
        await expect(held()).resolves.toEqual([
          'TYPE shop/data/mood: USAGE',
          'TYPE shop/data/pair: USAGE*',
          'TYPE shop/data/span: USAGE',
        ]);
        const exclusive = using({ Types: { mood: ['USAGE'], pair: ['USAGE'] } }, { exclusive: true });
        await stack.update('A', exclusive);
        await expect(held()).resolves.toEqual(['TYPE shop/data/mood: USAGE', 'TYPE shop/data/pair: USAGE']);
        stack.takeChanges();
        await stack.update('A', { ...exclusive, reapply: 'now' });
        expect(stack.takeChanges()).toEqual([]);
        await stack.delete('A', user);
      },
    );

    test.each(firstOf(1, ['orders', '_mood', 'spans', 'announced', 'nope']))(
      'that are none, or come with something else, cannot be named: %s',
      async (name) => {
        expect(await failure(stack.create('A', using({ Types: { [name]: ['USAGE'] } })))).toBe(
          `there is no type or domain "${name}" in schema "data" in database "shop"; create it before this deployment, or correct its name`,
        );
      },
    );

    full.test('that is dropped is no reason to fail once it is not declared any more', async () => {
      await server.sql('CREATE TYPE data.gone AS ENUM (); ALTER TYPE data.gone OWNER TO postgres', [], 'shop');
      await stack.create('A', using({ Types: { gone: ['USAGE'] } }));
      await server.sql('DROP TYPE data.gone', [], 'shop');
      await stack.update('A', using({}));
      await stack.delete('A', using({}));
    });
  },
);
