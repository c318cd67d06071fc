import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { failure, setups, Stack, trust, User, users } from './stack';

const REASON
  = 'role "josé" cannot be named in database "legacy", which has encoding LATIN1: there its name would be another role\'s; use a name in ASCII, or a database in UTF8';

/**
 * The name of a role is bytes to PostgreSQL, which each database reads in its own encoding: in LATIN1 "josÃ©" is who is
 * "josé" elsewhere.
 */
describe.each(setups('17, plain', '14'))(
  'names of roles in another encoding, on PostgreSQL $name',
  ({ major, roleRules }) => {
    let server: AuroraLikeServer;
    let stack: Stack;

    beforeAll(async () => {
      server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true });
      trust(server.caCertificate);
      for (const [database, encoding] of [['legacy', 'LATIN1'], ['bytes', 'SQL_ASCII']]) {
        await server.sql(
          `CREATE DATABASE ${database} OWNER postgres ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
        );
        await server.sql('SET ROLE postgres; CREATE SCHEMA app; CREATE TABLE app.t (n int); RESET ROLE', [], database);
      }
    });
    beforeEach(() => stack = new Stack(server));
    afterAll(() => server.stop());

    const reader = (username: string, database = 'legacy', more: Partial<User> = {}): User => ({
      username,
      privileges: {
        [database]: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } },
      },
      ...more,
    });

    /** Bytes of those who may read. */
    async function readers(database = 'legacy'): Promise<string[]> {
      const rows = await server.sql<{ name: string }>(
        "SELECT encode(rolname::text::bytea, 'hex') AS name FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^(pg_|rds)' AND rolname <> 'postgres' AND has_table_privilege(oid, 'app.t', 'SELECT')",
        [],
        database,
      );
      return rows.map(({ name }) => Buffer.from(name, 'hex').toString('utf8'));
    }

    test('a privilege of one user is not given to another, nor taken from it', async () => {
      await stack.create('Jose', { username: 'josé' });
      expect(await failure(stack.create('Other', reader('josÃ©')))).toContain(
        'role "josÃ©" cannot be named in database "legacy", which has encoding LATIN1',
      );
      expect(await failure(stack.update('Jose', reader('josé')))).toBe(REASON);
      await expect(readers()).resolves.toEqual([]);
      await expect(
        stack.plan({ logicalId: 'Jose', declared: reader('josé'), before: { username: 'josé' } }),
      ).resolves.toMatchObject({ resources: [{ problem: REASON }] });
      await stack.create('Migrator', { username: 'migrator' });
      const future = {
        legacy: { Schemas: { app: { Schema: ['USAGE'], FutureObjects: { josé: { Tables: ['SELECT'] } } } } },
      };
      expect(await failure(stack.update('Migrator', { username: 'migrator', privileges: future }))).toBe(REASON);
      await stack.delete('Migrator', { username: 'migrator' });
      await stack.delete('Jose', { username: 'josé' });
      await expect(users(server)).resolves.toEqual([]);
    });

    test('a removal leaves what was granted there by hand, and keeps the role without access; others of its list go', async () => {
      const both = { usernames: ['ana', 'josé'], connect: [] };
      await stack.create('List', both);
      await server.sql('GRANT SELECT ON app.t TO ana; GRANT SELECT ON app.t TO "josÃ©"', [], 'legacy');
      await stack.delete('List', both);
      await expect(users(server)).resolves.toEqual(['josé']);
      expect(stack.log).toContainEqual(
        expect.objectContaining({ notice: 'not taken back', database: 'legacy', reason: REASON }),
      );
      await server.sql('DROP OWNED BY "josÃ©"', [], 'legacy');
      await server.sql('DROP ROLE "josé"; DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
    });

    test('a database that was made again in another encoding is no reason for a rollback to fail', async () => {
      const declared: User = {
        username: 'josé',
        privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'] } } } },
      };
      await stack.create('Jose', declared);
      await server.sql('DROP DATABASE shop');
      await server.sql(
        "CREATE DATABASE shop OWNER postgres ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
      );
      await stack.update('Jose', { ...declared, reapply: 'again' });
      await stack.delete('Jose', declared);
      await expect(users(server)).resolves.toEqual([]);
    });

    test('in ASCII, and in a database without an encoding, they are what they are everywhere', async () => {
      await stack.create('Ana', reader('ana'));
      await stack.create('Jose', reader('josé', 'bytes'));
      await expect(readers()).resolves.toEqual(['ana']);
      await expect(readers('bytes')).resolves.toEqual(['josé']);
      await stack.delete('Ana', reader('ana'));
      await stack.delete('Jose', reader('josé', 'bytes'));
      await expect(users(server)).resolves.toEqual([]);
    });
  },
);
