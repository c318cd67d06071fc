import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { full } from '../full';
import { everythingIsAsBefore } from './as-before';
import { Declared, failure, Role, setups, signInWithToken, Stack, trust, User, Users } from './stack';
import { userSession } from './user-session';
import { heldBy, startWorld } from './world';

/** Roles that carry privileges, and users that many of are declared at once. */
describe.each(setups('18, RDS-like'))('groups on PostgreSQL $name', ({ major, ...setup }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    ({ server } = await startWorld({ ...setup, major }));
    trust(server.caCertificate);
  });
  beforeEach(() => stack = new Stack(server));
  everythingIsAsBefore(() => server);
  afterAll(() => server.stop());

  const canSignIn = (username: string) => signInWithToken(server, username).then(() => true, () => false);
  const oidOf = async (role: string) =>
    (await server.sql<{ oid: string }>('SELECT oid::text FROM pg_roles WHERE rolname = $1', [role]))[0]?.oid;
  const READ = {
    shop: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } },
  };

  describe('a group role', () => {
    const group: Role = { roleName: 'analysts', privileges: READ };
    const member: User = { username: 'ann', memberOf: ['analysts'], privileges: {} };
    const select = async () => {
      const client = new Client({
        host: server.host,
        port: server.port,
        user: 'ann',
        password: server.token('application', 'ann'),
        database: 'shop',
        ssl: true,
      });
      await client.connect();
      return client
        .query('SELECT FROM app.orders')
        .then(
          () => 'allowed',
          (error: Error) => error.message,
        )
        .finally(() => client.end());
    };

    test('its members have its privileges and it has no login; when it goes, they lose them', async () => {
      await stack.create('G', group);
      await stack.create('A', member);
      expect(await select()).toBe('allowed');
      expect(await canSignIn('analysts')).toBe(false);
      await expect(heldBy(server, ['analysts'])).resolves.toEqual([
        'analysts DATABASE shop: CONNECT',
        'analysts SCHEMA shop/app: USAGE',
        ...['Line "items"', 'events', 'orders', 'totals'].map(name => `analysts TABLE shop/app/${name}: SELECT`),
      ]);
      await stack.delete('G', group);
      expect(await select()).toBe('permission denied for schema app');
      await stack.create('G', group);
      await stack.update('A', { ...member, reapply: 'now' });
      expect(await select()).toBe('allowed');
      await stack.delete('A', member);
      await stack.delete('G', group);
    });

    full.test.each([['DROP_OR_DISABLE'], ['DISABLE']] as const)(
      '%s: one that stays with what it owns has no members any more, of any grantor; it comes back by itself',
      async (action) => {
        await stack.create('G', { ...group, onRemoval: { Action: action } });
        await stack.create('A', member);
        await server.sql(
          'CREATE ROLE doorman; CREATE ROLE bystander; GRANT analysts TO doorman WITH ADMIN OPTION; SET ROLE doorman; GRANT analysts TO bystander; RESET ROLE',
        );
        if (major >= 16) {
          await server.sql(
            'GRANT doorman TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; REVOKE analysts FROM doorman CASCADE; SET ROLE postgres; GRANT analysts TO doorman WITH ADMIN OPTION; SET ROLE doorman; GRANT analysts TO bystander; RESET ROLE',
          );
        }
        await server.sql('CREATE TABLE app.ours (n int); ALTER TABLE app.ours OWNER TO analysts', [], 'shop');
        const oid = await oidOf('analysts');
        await stack.delete('G', { ...group, onRemoval: { Action: action } });
        expect(stack.log.filter(({ notice }) => notice === 'kept')).toMatchObject([{ username: 'analysts' }]);
        await expect(
          server.sql(
            "SELECT member::regrole::text FROM pg_auth_members WHERE roleid = 'analysts'::regrole AND member <> 'postgres'::regrole",
          ),
        ).resolves.toEqual([]);
        await stack.create('G', group);
        expect(await oidOf('analysts')).toBe(oid);
        await server.sql('DROP TABLE app.ours', [], 'shop');
        await stack.delete('A', member);
        await stack.delete('G', group);
        await server.sql('DROP ROLE bystander; DROP ROLE doorman');
      },
    );

    test('it never becomes a member of rds_iam: with what is declared, the deployment fails', async () => {
      await server.sql(
        'CREATE ROLE outer_group; CREATE ROLE inner_group; GRANT inner_group TO outer_group; GRANT rds_iam TO inner_group',
      );
      if (major >= 16) {
        await server.sql('GRANT outer_group, inner_group TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
      }
      await stack.create('A', { username: 'ann', privileges: {} });
      const message = (path: string) =>
        `role "analysts" would be a member of rds_iam (analysts -> ${path} -> rds_iam), and so would be every member of it; make it a member of group roles only`;
      for (const [memberOf, path] of [
        ['inner_group', 'inner_group'],
        ['outer_group', 'outer_group -> inner_group'],
        ['ann', 'ann'],
      ]) {
        expect(await failure(stack.create('G', { ...group, memberOf: [memberOf] }))).toBe(message(path));
        expect(await oidOf('analysts')).toBeUndefined();
      }
      await stack.create('G', group);
      expect(await failure(stack.update('G', { ...group, memberOf: ['ann'] }))).toBe(message('ann'));
      await stack.delete('G', group);
      await stack.delete('A', { username: 'ann' });
      await server.sql('DROP ROLE outer_group; DROP ROLE inner_group');
    });

    if (major < 15) {
      test('a user that lets it into itself, as each can up to PostgreSQL 14, stops no deployment of it', async () => {
        const inner: Role = { ...group, memberOf: ['base'] };
        await stack.create('B', { roleName: 'base' });
        await stack.create('G', inner);
        await stack.create('M', { username: 'mallory' });
        const session = await userSession(server, 'mallory');
        await session.query('GRANT mallory TO analysts');
        await session.end();
        await stack.update('G', { ...inner, reapply: 'now' });
        await stack.update('G', { ...inner, privileges: { ...READ, postgres: { Database: ['CONNECT'] } } });
        expect(stack.log.filter(({ notice }) => notice === 'strong role')).toEqual([
          expect.objectContaining({
            role: 'analysts',
            leadsTo: 'rds_iam',
            reason:
              'it is a member of rds_iam (analysts -> mallory -> rds_iam), and so is every member of it: a password that one has does not work',
            remedy: 'REVOKE "mallory" FROM "analysts"',
          }),
        ]);
        await stack.delete('M', { username: 'mallory' });
        await stack.delete('G', inner);
        await stack.delete('B', { roleName: 'base' });
      });
    }

    full.test('what was made by hand of it is undone: a login, and rds_iam', async () => {
      await stack.create('G', group);
      await server.sql('ALTER ROLE analysts LOGIN; SET ROLE postgres; GRANT rds_iam TO analysts; RESET ROLE');
      expect(await canSignIn('analysts')).toBe(true);
      stack.takeChanges();
      await stack.update('G', { ...group, reapply: 'now' });
      expect(stack.takeChanges()).toEqual(['revoke role "rds_iam" from "analysts"', 'forbid "analysts" to log in']);
      expect(await canSignIn('analysts')).toBe(false);
      await stack.delete('G', group);
    });
  });

  describe('many users in one resource', () => {
    const list = (...usernames: string[]): Users => ({ usernames, privileges: READ, memberOf: ['readers'] });
    const physicalIds = new Map<string, string>();

    /** As CloudFormation does it: with another physical id, what was is deleted when everything else is done. */
    async function deploy(from: { [id: string]: Declared }, to: { [id: string]: Declared }): Promise<void> {
      const before = new Map(physicalIds);
      for (const [id, declared] of Object.entries(to)) {
        const { PhysicalResourceId } = await (id in from
          ? stack.update(id, declared, before.get(id))
          : stack.create(id, declared));
        physicalIds.set(id, PhysicalResourceId);
      }
      for (const [id, declared] of Object.entries(from).filter(
        ([id]) => !(id in to) || physicalIds.get(id) !== before.get(id),
      )) {
        await stack.delete(id, declared, before.get(id));
      }
    }

    test('the list grows and shrinks: each of them has the same, and who is not on it any more has nothing', async () => {
      await deploy({}, { L: list('ann', 'bob') });
      await deploy({ L: list('ann', 'bob') }, { L: list('ann', 'bob', 'eve') });
      const held = (await heldBy(server, ['ann'])).map(line => line.slice(4));
      expect(held).toHaveLength(9);
      await expect(heldBy(server, ['ann', 'bob', 'eve'])).resolves.toEqual(
        ['ann', 'bob', 'eve'].flatMap(name => held.map(line => `${name} ${line}`)),
      );
      stack.takeChanges();
      await stack.update('L', { ...list('eve', 'bob', 'ann'), reapply: 'now' });
      expect(stack.takeChanges()).toEqual([]);
      await deploy({ L: list('ann', 'bob', 'eve') }, { L: list('eve') });
      expect([await oidOf('ann'), await oidOf('bob'), await canSignIn('eve')]).toEqual([undefined, undefined, true]);
      await deploy({ L: list('eve') }, {});
    });

    full.test.each([['first', ['A', 'L']], ['last', ['L', 'A']]])(
      'a user moves to a resource of its own, which comes %s, and back, and is the same role with access all the time',
      async (_, order) => {
        const own = { username: 'ann', privileges: READ };
        const inOrder = (resources: { [id: string]: Declared }) =>
          Object.fromEntries(order.filter(id => id in resources).map(id => [id, resources[id]]));
        await deploy({}, { L: list('ann', 'bob') });
        const oid = await oidOf('ann');
        await server.sql('CREATE TABLE app.hers (n int); ALTER TABLE app.hers OWNER TO ann', [], 'shop');
        await deploy({ L: list('ann', 'bob') }, inOrder({ A: own, L: list('bob') }));
        expect([await oidOf('ann'), await canSignIn('ann'), await canSignIn('bob')]).toEqual([oid, true, true]);
        await expect(heldBy(server, ['ann'])).resolves.not.toContain('ann in readers');
        await deploy({ A: own, L: list('bob') }, inOrder({ L: list('ann', 'bob') }));
        expect([await oidOf('ann'), await canSignIn('ann'), await canSignIn('bob')]).toEqual([oid, true, true]);
        await expect(heldBy(server, ['ann'])).resolves.toContain('ann in readers');
        await server.sql('DROP TABLE app.hers', [], 'shop');
        await deploy({ L: list('ann', 'bob') }, {});
      },
    );

    full.test('one of them owns something: it stays without access, the others go', async () => {
      await deploy({}, { L: list('ann', 'bob') });
      await server.sql('CREATE TABLE app.hers (n int); ALTER TABLE app.hers OWNER TO ann', [], 'shop');
      await deploy({ L: list('ann', 'bob') }, {});
      expect([await canSignIn('ann'), await oidOf('bob')]).toEqual([false, undefined]);
      expect(stack.log.filter(({ notice }) => notice === 'kept')).toMatchObject([
        { username: 'ann', owned: '1 tables, views and sequences in database shop' },
      ]);
      await server.sql('DROP TABLE app.hers', [], 'shop');
      await deploy({}, { L: list('ann') });
      expect(await canSignIn('ann')).toBe(true);
      await deploy({ L: list('ann') }, {});
    });
  });
});
