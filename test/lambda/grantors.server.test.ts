import type { DatabasePrivileges } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { throughDataApi } from './over-data-api';
import { failure, setupsOver, Stack, throughConnections, trust, User } from './stack';
import { heldBy } from './world';

type Schemas = NonNullable<DatabasePrivileges['Schemas']>;

const CASES = setupsOver({ 'connections': ['17, plain'], 'the Data API': [] });

/** Whose grant option the admin uses, and who else has granted the same. */
describe.each(CASES)('grantors on PostgreSQL $name over $transport', ({ transport, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  const isSuperuser = setup.roleRules === 'rdsLike';

  beforeAll(async () => {
    server = await AuroraLikeServer.start({
      ...setup,
      databases: ['shop', 'stock', 'theirs'],
      authorize: () => true,
      settings: { autovacuum: 'off' },
    });
    trust(server.caCertificate);
    await server.sql(`
      CREATE ROLE svc; CREATE ROLE pass1; CREATE ROLE pass2; CREATE ROLE dba; CREATE ROLE readers; CREATE ROLE writers;
      GRANT pass1 TO pass2; GRANT pass2 TO postgres`);
    if (setup.major >= 16) {
      await server.sql('GRANT readers, writers TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
    }
  });
  beforeEach(async () => {
    stack = new Stack(server, {
      transport: transport === 'connections' ? throughConnections(server) : throughDataApi(server),
    });
    await inShop(`
      CREATE SCHEMA cron; CREATE TABLE cron.job (n int, m int); CREATE SEQUENCE cron.ids; CREATE TYPE cron.mood AS ENUM (); REVOKE ALL ON TYPE cron.mood FROM PUBLIC;
      CREATE FUNCTION cron.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION cron.f() FROM PUBLIC`);
  });
  afterEach(() => inShop('DROP SCHEMA cron CASCADE'));
  watchAdmin(() => server);
  afterAll(() => server.stop());

  const inShop = (sql: string) => server.sql(sql, [], 'shop');
  const held = async () =>
    (await heldBy(server, ['orders']))
      .map(line => line.slice('orders '.length))
      .filter(line => !['in rds_iam', 'logs in'].includes(line));
  const using = (schema: Schemas[string], others: Partial<User> = {}): User => ({
    username: 'orders',
    privileges: { shop: { Schemas: { cron: schema } } },
    ...others,
  });
  const NOTHING: User = { username: 'orders', privileges: {} };
  const EVERYTHING = using({
    Schema: ['USAGE'],
    Tables: { job: ['SELECT'] },
    Columns: { job: { n: ['UPDATE'] } },
    Sequences: { '*': ['USAGE'] },
    Functions: { f: ['EXECUTE'] },
    Types: { mood: ['USAGE'] },
  });
  const HELD = [
    'COLUMN shop/cron/job.n: UPDATE',
    'ROUTINE shop/cron/f(): EXECUTE',
    'SCHEMA shop/cron: USAGE',
    'SEQUENCE shop/cron/ids: USAGE',
    'TABLE shop/cron/job: SELECT',
    'TYPE shop/cron/mood: USAGE',
  ];
  const passTo = (role: string) => `
    GRANT USAGE ON SCHEMA cron TO ${role} WITH GRANT OPTION; GRANT SELECT ON cron.job TO ${role} WITH GRANT OPTION; GRANT UPDATE (n) ON cron.job TO ${role} WITH GRANT OPTION;
    GRANT USAGE ON SEQUENCE cron.ids TO ${role} WITH GRANT OPTION; GRANT EXECUTE ON FUNCTION cron.f() TO ${role} WITH GRANT OPTION; GRANT USAGE ON TYPE cron.mood TO ${role} WITH GRANT OPTION`;
  const ownedBy = (role: string) => `
    ALTER SCHEMA cron OWNER TO ${role}; ALTER TABLE cron.job OWNER TO ${role}; ALTER SEQUENCE cron.ids OWNER TO ${role}; ALTER FUNCTION cron.f() OWNER TO ${role}; ALTER TYPE cron.mood OWNER TO ${role}`;

  describe.each(firstOf(1, ['rdsadmin', 'svc']))('what belongs to %s, of which the admin is no member', (owner) => {
    beforeEach(() => inShop(ownedBy(owner)));

    test.each(
      firstOf(1, [
        ['the admin', 'postgres'],
        ['a group of the admin', 'pass2'],
        ['a group of a group of the admin', 'pass1'],
        ['rds_superuser', 'rds_superuser'],
      ]),
    )('is granted with the grant options of %s, and taken back once it is not declared any more', async (_, holder) => {
      await inShop(passTo(holder));
      await stack.create('A', EVERYTHING);
      await expect(held()).resolves.toEqual(HELD);
      stack.takeChanges();
      await stack.update('A', { ...EVERYTHING, reapply: 'now' });
      expect(stack.takeChanges()).toEqual([]);
      await stack.update('A', NOTHING);
      await expect(held()).resolves.toEqual([]);
      await stack.update('A', EVERYTHING);
      await stack.delete('A', EVERYTHING);
      expect(stack.log.filter(({ notice }) => notice === 'not taken back')).toEqual([]);
    });

    full.test('is granted where one role may pass one privilege on, and others another', async () => {
      await inShop(`GRANT USAGE ON SCHEMA cron TO postgres, pass1 WITH GRANT OPTION; GRANT SELECT ON cron.job TO postgres WITH GRANT OPTION;
        GRANT UPDATE ON cron.job TO pass1 WITH GRANT OPTION; GRANT INSERT ON cron.job TO pass2 WITH GRANT OPTION; GRANT REFERENCES (m) ON cron.job TO pass2 WITH GRANT OPTION`);
      await stack.create(
        'A',
        using({
          Schema: ['USAGE'],
          Tables: { job: ['INSERT', 'SELECT', 'UPDATE'] },
          Columns: { job: { m: ['REFERENCES'] } },
        }),
      );
      await expect(held()).resolves.toEqual([
        'COLUMN shop/cron/job.m: REFERENCES',
        'SCHEMA shop/cron: USAGE',
        'TABLE shop/cron/job: INSERT',
        'TABLE shop/cron/job: SELECT',
        'TABLE shop/cron/job: UPDATE',
      ]);
      await stack.update('A', using({ Schema: ['USAGE'], Tables: { job: ['UPDATE'] } }));
      await expect(held()).resolves.toEqual(['SCHEMA shop/cron: USAGE', 'TABLE shop/cron/job: UPDATE']);
      await stack.update('A', NOTHING);
      await expect(held()).resolves.toEqual([]);
      await stack.delete('A', NOTHING);
    });

    test('is taken back from the group that has granted it, also when the admin has the grant option itself by then', async () => {
      await inShop(passTo('pass1'));
      await stack.create('A', EVERYTHING);
      await inShop(passTo('postgres'));
      await stack.update('A', NOTHING);
      await expect(held()).resolves.toEqual([]);
      await stack.delete('A', NOTHING);
    });

    full.test('is taken back through a group that cannot look into the schema', async () => {
      await inShop('GRANT USAGE ON SCHEMA cron TO postgres; GRANT SELECT ON cron.job TO pass1 WITH GRANT OPTION');
      await stack.create('A', using({ Tables: { job: ['SELECT'] } }));
      await stack.update('A', NOTHING);
      await expect(held()).resolves.toEqual([]);
      await stack.delete('A', NOTHING);
    });

    full.test('keeps what a role has granted that the admin does not inherit from', async () => {
      await inShop(`${passTo('dba')}; ${passTo('pass1')}`);
      await stack.create('A', using({ Schema: ['USAGE'], Tables: { job: ['SELECT'] } }));
      await inShop('SET ROLE dba; GRANT SELECT ON cron.job TO orders; RESET ROLE');
      await stack.update('A', NOTHING);
      await expect(held()).resolves.toEqual(['TABLE shop/cron/job: SELECT']);
      await stack.delete('A', NOTHING);
    });
  });

  full.test('a database of another role is granted and taken back with the grant option of a group', async () => {
    await server.sql(
      'ALTER DATABASE theirs OWNER TO rdsadmin; GRANT TEMPORARY ON DATABASE theirs TO pass1 WITH GRANT OPTION; GRANT CREATE ON DATABASE theirs TO postgres WITH GRANT OPTION',
    );
    await stack.create('A', { username: 'orders', privileges: { theirs: { Database: ['CREATE', 'TEMPORARY'] } } });
    await expect(held()).resolves.toEqual(['DATABASE theirs: CREATE', 'DATABASE theirs: TEMPORARY']);
    await stack.update('A', NOTHING);
    await expect(held()).resolves.toEqual([]);
    await stack.delete('A', NOTHING);
    await server.sql(
      'REVOKE ALL ON DATABASE theirs FROM pass1, postgres CASCADE; ALTER DATABASE theirs OWNER TO postgres',
    );
  });

  full.describe('a membership that another role has granted as well', () => {
    const memberships = async () =>
      (
        await server.sql<{ name: string }>(
          "SELECT DISTINCT roleid::regrole::text AS name FROM pg_auth_members WHERE member = 'orders'::regrole ORDER BY 1",
        )
      ).map(({ name }) => name);
    const memberOf = (...groups: string[]): User => ({ username: 'orders', memberOf: groups });
    const LEFT = {
      change: 'revoke role "readers" from "orders"',
      reason: '"dba" has granted it as well, so "orders" is still a member',
      remedy: 'if it must not be one, run REVOKE "readers" FROM "orders" as "dba"',
    };
    const left = () => stack.log.filter(({ notice }) => notice === 'not taken back');
    beforeEach(() => server.sql('GRANT readers TO dba WITH ADMIN OPTION'));
    afterEach(() => server.sql('REVOKE readers FROM dba CASCADE'));

    test.each(
      firstOf(1, [
        ['of which the admin is no member', '', ''],
        ...(setup.major >= 16
          ? [
              [
                'that the admin may become a member of',
                'GRANT dba TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
                'REVOKE dba FROM postgres',
              ],
            ]
          : []),
      ]),
    )(
      '%s: it is left and logged, and the rest is done; up to PostgreSQL 15 there is one membership, which goes',
      async (_, before, after) => {
        await server.sql(before);
        await stack.create('A', memberOf('readers'));
        await server.sql('SET ROLE dba; GRANT readers TO orders; RESET ROLE');
        const stays = setup.major >= 16 ? ['readers'] : [];
        await stack.update('A', memberOf('writers'));
        await expect(memberships()).resolves.toEqual(['rds_iam', ...stays, 'writers'].sort());
        expect(left()).toEqual(stays.map(() => expect.objectContaining(LEFT) as object));
        await expect(
          server.sql(
            "SELECT FROM pg_auth_members WHERE roleid = 'readers'::regrole AND member = 'orders'::regrole AND grantor <> 'dba'::regrole",
          ),
        ).resolves.toEqual([]);
        // It is the other role's from now on.
        stack.log.splice(0);
        await stack.update('A', { ...memberOf('writers'), reapply: 'now' });
        await stack.update('A', memberOf());
        await expect(memberships()).resolves.toEqual(['rds_iam', ...stays].sort());
        expect(left()).toEqual([]);
        await stack.update('A', memberOf('readers'));
        await stack.update('A', memberOf());
        expect(left()).toEqual(stays.map(() => expect.objectContaining(LEFT) as object));
        await server.sql(after);
        await stack.delete('A', memberOf());
      },
    );

    full.test('that the admin inherits from: it is as if the admin had granted it', async () => {
      await server.sql('GRANT readers TO pass1 WITH ADMIN OPTION');
      await stack.create('A', memberOf('readers'));
      await server.sql('SET ROLE pass1; GRANT readers TO orders; RESET ROLE');
      await stack.update('A', memberOf('writers'));
      await expect(memberships()).resolves.toEqual(
        ['rds_iam', 'writers'].concat(isSuperuser ? ['readers'] : []).sort(),
      );
      await server.sql('REVOKE readers FROM pass1 CASCADE');
      await stack.delete('A', memberOf('writers'));
    });

    full.test('and that is not in effect: nothing is said', async () => {
      if (setup.major >= 16) {
        await stack.create('A', memberOf('readers'));
        await server.sql('SET ROLE dba; GRANT readers TO orders WITH INHERIT FALSE, SET FALSE; RESET ROLE');
        await stack.update('A', memberOf('writers'));
        expect(left()).toEqual([]);
        await stack.delete('A', memberOf('writers'));
      }
    });
  });

  if (setup.major >= 16 && !isSuperuser) {
    full.test('without the grant option the reason says that it would do', async () => {
      await inShop(
        `${ownedBy('svc')}; GRANT USAGE ON SCHEMA cron TO postgres WITH GRANT OPTION; GRANT SELECT ON cron.job TO postgres`,
      );
      expect(await failure(stack.create('A', using({ Schema: ['USAGE'], Tables: { job: ['SELECT'] } })))).toBe(
        'cannot grant SELECT on table "job" in schema "cron" to "orders" in database "shop": permission denied to grant role "svc". '
        + 'Only roles with the ADMIN option on role "svc" may grant this role. (SQLSTATE 42501); that role owns it, and the admin must become a member of it for the moment: '
        + 'give the admin ADMIN OPTION on it, or the privilege itself WITH GRANT OPTION, or use an admin that has one of them',
      );
    });

    full.test('a role that the admin can act as and does not inherit from is acted as', async () => {
      await inShop(ownedBy('svc'));
      await server.sql('GRANT svc TO postgres WITH INHERIT FALSE, SET TRUE');
      await stack.create('A', {
        ...EVERYTHING,
        privileges: {
          shop: {
            Schemas: {
              cron: { ...EVERYTHING.privileges!.shop.Schemas!.cron, FutureObjects: { svc: { Tables: ['SELECT'] } } },
            },
          },
        },
      });
      await expect(held()).resolves.toEqual([...HELD, 'TABLES of svc in shop/cron: SELECT'].sort());
      await stack.update('A', NOTHING);
      await expect(held()).resolves.toEqual([]);
      await stack.delete('A', NOTHING);
      await server.sql('REVOKE svc FROM postgres');
    });
  }
});
