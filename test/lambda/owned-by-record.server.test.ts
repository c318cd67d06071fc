import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { throughDataApi } from './over-data-api';
import { setupsOver, Stack, throughConnections, trust, User, users } from './stack';

/** PostgreSQL records as owned by a role what is about the role itself, and no data: it goes with the role. */
describe.each(setupsOver({ 'connections': ['16, plain'], 'the Data API': [] }))(
  'what is recorded as owned on PostgreSQL $name',
  ({ major, roleRules, transport: name }) => {
    let server: AuroraLikeServer;

    beforeAll(async () => {
      server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop', 'stock'], authorize: () => true });
      trust(server.caCertificate);
      await server.sql('CREATE ROLE heir');
      if (major >= 16) {
        await server.sql('GRANT heir TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
      }
      for (const database of ['shop', 'stock']) {
        await server.sql(
          `CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw; CREATE SERVER "Else ""where" FOREIGN DATA WRAPPER postgres_fdw;
        ALTER SERVER elsewhere OWNER TO postgres; GRANT CREATE ON DATABASE ${database} TO heir; CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'all')`,
          [],
          database,
        );
      }
    });
    afterEach(async () => {
      for (const database of ['shop', 'stock', 'postgres']) {
        await server.sql(
          "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'orders') THEN DROP OWNED BY orders; END IF; END $$",
          [],
          database,
        );
      }
      await server.sql(
        'DROP ROLE IF EXISTS orders; DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE',
      );
    });
    afterAll(() => server.stop());

    const map = async (...databases: string[]) => {
      for (const database of databases) {
        await server.sql(
          `CREATE USER MAPPING FOR orders SERVER elsewhere OPTIONS (user 'remote', password 'hidden');
        CREATE USER MAPPING FOR orders SERVER "Else ""where"; ALTER DEFAULT PRIVILEGES FOR ROLE orders GRANT SELECT ON TABLES TO heir`,
          [],
          database,
        );
      }
    };
    const mappings = async (database = 'shop') =>
      (
        await server.sql<{ name: string }>(
          'SELECT usename::text AS name FROM pg_user_mappings ORDER BY 1',
          [],
          database,
        )
      ).map(({ name }) => name);
    const transports = {
      'connections': () => throughConnections(server),
      'the Data API': () => throughDataApi(server),
    };

    describe(`over ${name}`, () => {
      const stack = () => new Stack(server, { transport: transports[name]() });
      const orders = (onRemoval?: User['onRemoval']): User => ({
        username: 'orders',
        connect: ['shop', 'stock'],
        onRemoval,
      });

      test.each(
        firstOf<[string, User['onRemoval']]>(1, [
          ['by default', undefined],
          ['with a new owner', { Action: 'DROP', ReassignOwnedTo: 'heir' }],
        ]),
      )(
        '%s user mappings and default privileges are dropped with the role, and the log names the foreign servers',
        async (_, onRemoval) => {
          const deployed = stack();
          await deployed.create('A', orders(onRemoval));
          await map('shop', 'stock');
          await deployed.delete('A', orders(onRemoval));
          expect(await users(server)).not.toContain('orders');
          expect([await mappings(), await mappings('stock')]).toEqual([['public'], ['public']]);
          const note = 'with what they say about how it signs in there';
          expect(deployed.log.filter(({ notice }) => notice === 'dropping user mappings')).toMatchObject(
            ['shop', 'stock'].map(database => ({ role: 'orders', servers: '"Else ""where", elsewhere', database, note })),
          );
          expect(JSON.stringify(deployed.log)).not.toContain('hidden');
          expect(deployed.log.map(({ notice }) => notice)).not.toContain('kept');
        },
      );

      test('a mapping in a database in which nothing else is about the role', async () => {
        const deployed = stack();
        await deployed.create('A', { ...orders(), connect: ['shop'] });
        await map('stock');
        await deployed.delete('A', { ...orders(), connect: ['shop'] });
        expect(await users(server)).not.toContain('orders');
        expect(await mappings('stock')).toEqual(['public']);
      });

      full.test(
        'with data beside them the role stays by default, and so do they; with a new owner it goes, and they are not handed over',
        async () => {
          const deployed = stack();
          await deployed.create('A', orders());
          await map('shop');
          await server.sql('CREATE TABLE t (a int); ALTER TABLE t OWNER TO orders', [], 'shop');
          await deployed.delete('A', orders());
          expect(deployed.log.find(({ notice }) => notice === 'kept')).toMatchObject({
            owned: '1 tables, views and sequences in database shop',
          });
          expect(await mappings()).toEqual(['orders', 'orders', 'public']);
          const toHeir = orders({ Action: 'DROP', ReassignOwnedTo: 'heir' });
          await deployed.create('A', toHeir);
          await deployed.delete('A', toHeir);
          expect(await users(server)).not.toContain('orders');
          expect(await mappings()).toEqual(['public']);
          await expect(
            server.sql("SELECT tableowner AS owner FROM pg_tables WHERE tablename = 't'", [], 'shop'),
          ).resolves.toEqual([{ owner: 'heir' }]);
          await server.sql('DROP TABLE t', [], 'shop');
        },
      );

      full.test('a role that is to be disabled keeps them', async () => {
        const deployed = stack();
        await deployed.create('A', orders({ Action: 'DISABLE' }));
        await map('shop');
        await deployed.delete('A', orders({ Action: 'DISABLE' }));
        expect(await mappings()).toEqual(['orders', 'orders', 'public']);
      });
    });
  },
);
