import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { Commits } from './commits';
import { setups, signIn, snapshot, Stack, trust, User } from './stack';
import { heldBy, MIGRATOR, startWorld } from './world';

/**
 * What belongs to somebody else, as do the tables of a migrator that signs in with IAM. To grant on it takes its
 * owner's rights; but an admin that is a member of the migrator at a commit is one of rds_iam, and its password is
 * dead.
 */
describe.each(setups('17, plain'))('what others own on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let before: unknown;
  let commits: Commits;

  beforeAll(async () => {
    ({ server } = await startWorld(setup));
    trust(server.caCertificate);
    before = await snapshot(server);
  });
  beforeEach(() => {
    stack = new Stack(server);
    commits = new Commits();
  });
  afterEach(async () => {
    commits.restore();
    // With each commit of a case it has the memberships that it had when the case began.
    expect(commits.memberships.length).toBeGreaterThan(2);
    expect(new Set(commits.memberships.map(roles => roles.join(', ')))).toEqual(
      new Set([commits.memberships[0].join(', ')]),
    );
    await expect(snapshot(server)).resolves.toEqual(before);
    await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
  });
  watchAdmin(() => server);
  afterAll(() => server.stop());

  const held = async (role: string) =>
    (await heldBy(server, [role]))
      .map(line => line.slice(role.length + 1))
      .filter(line => line !== 'logs in' && line !== 'in rds_iam');
  const memberships = () =>
    server.sql(
      "SELECT to_jsonb(m) - 'oid' AS row FROM pg_auth_members m WHERE member = 'postgres'::regrole ORDER BY 1",
    );
  const inMyData = (schema: Exclude<User['privileges'], undefined>[string]['Schemas']): User => ({
    username: 'orders',
    privileges: { theirs: { Database: ['CONNECT', 'TEMPORARY'], Schemas: schema } },
  });
  const wide = inMyData({
    'My data': {
      Schema: ['USAGE'],
      Tables: { '*': ['INSERT', 'SELECT'] },
      Columns: { things: { b: ['UPDATE'] } },
      Functions: { h: ['EXECUTE'] },
      FutureObjects: { [MIGRATOR]: { Tables: ['SELECT'], Sequences: ['USAGE'] } },
    },
    'app': { Tables: { events: ['SELECT'] }, Sequences: { ids: ['USAGE'] } },
    'public': { Schema: ['CREATE'] },
  });

  test('granted and revoked, and granted in advance, by an admin that is no member of the owner at any commit', async () => {
    await stack.create('A', wide);
    await server.sql('SET ROLE migrator; CREATE TABLE "My data".later (id serial); RESET ROLE', [], 'theirs');
    await expect(held('orders')).resolves.toEqual([
      'COLUMN theirs/My data/things.b: UPDATE',
      'DATABASE theirs: CONNECT',
      'DATABASE theirs: TEMPORARY',
      'ROUTINE theirs/My data/h(): EXECUTE',
      'SCHEMA theirs/My data: USAGE',
      'SCHEMA theirs/public: CREATE',
      'SEQUENCE theirs/My data/later_id_seq: USAGE',
      'SEQUENCE theirs/app/ids: USAGE',
      'SEQUENCES of migrator in theirs/My data: USAGE',
      'TABLE theirs/My data/later: SELECT',
      'TABLE theirs/My data/sums: INSERT',
      'TABLE theirs/My data/sums: SELECT',
      'TABLE theirs/My data/things: INSERT',
      'TABLE theirs/My data/things: SELECT',
      'TABLE theirs/app/events: SELECT',
      'TABLES of migrator in theirs/My data: SELECT',
    ]);
    await stack.update('A', inMyData({ 'My data': { Tables: { '*': ['SELECT'] } } }));
    await expect(held('orders')).resolves.toEqual([
      'DATABASE theirs: CONNECT',
      'DATABASE theirs: TEMPORARY',
      'SEQUENCE theirs/My data/later_id_seq: USAGE',
      ...['later', 'sums', 'things'].map(name => `TABLE theirs/My data/${name}: SELECT`),
    ]);
    await stack.delete('A', wide);
    await server.sql('DROP TABLE "My data".later', [], 'theirs');
  });

  test('an owner without USAGE on the schema of its table is no obstacle', async () => {
    await server.sql('REVOKE ALL ON SCHEMA app FROM migrator', [], 'shop');
    const user: User = {
      username: 'orders',
      privileges: {
        shop: {
          Schemas: { app: { Tables: { '*': ['SELECT'] }, FutureObjects: { [MIGRATOR]: { Tables: ['SELECT'] } } } },
        },
      },
    };
    await stack.create('A', user);
    await expect(held('orders')).resolves.toContain('TABLE shop/app/events: SELECT');
    await stack.delete('A', user);
    await server.sql('GRANT ALL ON SCHEMA app TO migrator', [], 'shop');
  });

  full.test(
    'users of one stack: tables that one makes are the next moment readable for the other, with tokens',
    async () => {
      const session = async (username: string, statement: string) => {
        const client = new Client({
          host: server.host,
          port: server.port,
          user: username,
          password: server.token('application', username),
          database: 'shop',
          ssl: true,
        });
        await client.connect();
        return client.query(statement).finally(() => client.end());
      };
      const deployer: User = {
        username: 'deployer',
        privileges: { shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['CREATE', 'USAGE'] } } } },
      };
      const both = (other: string): User['privileges'] => ({
        shop: {
          Database: ['CONNECT'],
          Schemas: {
            app: {
              Schema: ['CREATE', 'USAGE'],
              Tables: { '*': ['SELECT'] },
              FutureObjects: { [other]: { Tables: ['SELECT'] } },
            },
          },
        },
      });
      await stack.create('A', deployer);
      await stack.create('B', { username: 'reader', privileges: both('deployer') });
      await session('deployer', 'CREATE TABLE app.made (n int)');
      await expect(session('reader', 'SELECT * FROM app.made')).resolves.toMatchObject({ rowCount: 0 });
      await expect(session('reader', 'INSERT INTO app.made VALUES (1)')).rejects.toThrow(
        'permission denied for table made',
      );
      await stack.update('A', { username: 'deployer', privileges: both('reader') });
      await session('reader', 'CREATE TABLE app.back (n int)');
      await expect(session('deployer', 'SELECT * FROM app.back')).resolves.toMatchObject({ rowCount: 0 });
      await server.sql('DROP TABLE app.made, app.back', [], 'shop');
      await stack.delete('B', { username: 'reader' });
      await stack.delete('A', deployer);
    },
  );

  const byHand
    = setup.major < 16
      ? [['GRANT keeper TO postgres'], ['GRANT keeper TO postgres WITH ADMIN OPTION']]
      : [
          ['GRANT keeper TO postgres WITH INHERIT FALSE, SET TRUE'],
          ['GRANT keeper TO postgres WITH INHERIT TRUE, SET FALSE'],
          ['GRANT keeper TO postgres WITH INHERIT TRUE, SET TRUE'],
          ...[
            'INHERIT FALSE, SET FALSE',
            'INHERIT FALSE, SET TRUE',
            'INHERIT TRUE, SET FALSE',
            'INHERIT TRUE, SET TRUE',
          ].map(options => [`SET ROLE postgres; GRANT keeper TO postgres WITH ${options}; RESET ROLE`]),
          [
            'GRANT keeper TO postgres WITH INHERIT FALSE; SET ROLE postgres; GRANT keeper TO postgres WITH INHERIT FALSE, SET FALSE; RESET ROLE',
          ],
        ];

  test.each(firstOf(1, byHand))('a membership of the admin is as it was: %s', async (grant) => {
    await server.sql(
      `CREATE ROLE keeper; ${setup.major >= 16 ? 'GRANT keeper TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;' : ''} ${grant}`,
    );
    await server.sql('CREATE TABLE app.kept (n int); ALTER TABLE app.kept OWNER TO keeper', [], 'shop');
    const [members, user] = [
      await memberships(),
      {
        username: 'orders',
        privileges: {
          shop: {
            Schemas: { app: { Tables: { kept: ['SELECT'] }, FutureObjects: { keeper: { Tables: ['SELECT'] } } } },
          },
        },
      },
    ];
    await stack.create('A', user);
    await expect(memberships()).resolves.toEqual(expect.arrayContaining(members));
    await expect(held('orders')).resolves.toEqual([
      'TABLE shop/app/kept: SELECT',
      'TABLES of keeper in shop/app: SELECT',
    ]);
    await stack.update('A', { username: 'orders', privileges: {} });
    await stack.delete('A', user);
    await expect(memberships()).resolves.toEqual(members);
    await server.sql('DROP TABLE app.kept', [], 'shop');
    await server.sql('DROP ROLE keeper');
  });
});
