import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { signInAsAdmin } from '../../lambda/provisioner/transport/postgresql/admin-recovery';
import { readAuthorities } from '../../lambda/provisioner/transport/postgresql/authorities';
import { openSession } from '../../lambda/provisioner/transport/postgresql/connection';
import { overConnections } from '../../lambda/provisioner/transport/postgresql/connections';
import { Admin, adminWithToken } from '../../lambda/provisioner/transport/credentials';
import { query, Transport } from '../../lambda/provisioner/transport/session';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Credentials } from '../../rehearsal/iam/credentials';
import { firstOf, full } from '../full';
import { throughDataApi } from './over-data-api';
import { failure, setups, signIn, signInWithToken, snapshot, Stack, trust } from './stack';

/** What GRANT itself TO others does to an admin with a password, and how the provisioner gets over it. */
describe.each(setups('14'))(
  'an admin that others made a member of rds_iam, on PostgreSQL $name',
  ({ major, ...setup }) => {
    const environment = process.env;
    let server: AuroraLikeServer;
    let stack: Stack;
    let mayConnect: boolean;
    let log: { notice: string; [field: string]: unknown }[];
    let untouched: unknown;

    const LEAVER = { username: 'leaver' };
    const OTHER = { username: 'other' };

    beforeAll(async () => {
      server = await AuroraLikeServer.start({ ...setup, major, databases: ['shop'] });
      trust(server.caCertificate);
      server.authorize = (principal, username) =>
        principal === 'application' || (mayConnect && principal === 'provisioner' && username === 'postgres');
      const { accessKeyId, secretAccessKey, sessionToken }: Credentials = server.issueCredentials('provisioner');
      process.env = {
        ...environment,
        AWS_REGION: server.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      };
      await server.sql('CREATE ROLE app_owner; GRANT app_owner TO postgres');
    });
    afterAll(async () => {
      process.env = environment;
      await server.stop();
    });
    beforeEach(async () => {
      mayConnect = true;
      log = [];
      stack = new Stack(server, { transport: recovering(() => server.master) });
      await stack.create('L', LEAVER);
      untouched = await snapshot(server);
    });
    afterEach(async () => {
      await stack.delete('L', LEAVER);
      await expect(signIn(server, 'postgres', server.master.password, 'postgres')).resolves.toBe('postgres');
    });

    /** As deployed: with the provisioner's own credentials, should the password be refused. */
    function recovering(admin: () => Admin): Transport {
      const { host, port, caFile } = server;
      const transport = overConnections({
        host,
        port,
        authorities: readAuthorities(caFile),
        readAdmin: () => Promise.resolve(admin()),
        withToken: name => adminWithToken(name, host, port),
      });
      return (budget, _, purpose) =>
        transport(budget, { info: (notice, fields = {}) => void log.push({ notice, ...fields }) }, purpose);
    }

    const passwordWorks = () =>
      signIn(server, 'postgres', server.master.password, 'postgres').then(
        () => true,
        () => false,
      );

    /** A session as a user, with a token. */
    async function as(username: string): Promise<Client> {
      const client = new Client({
        host: server.host,
        port: server.port,
        user: username,
        password: server.token('application', username),
        database: 'shop',
        ssl: true,
      });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    }

    async function asLeaver(sql: string): Promise<void> {
      const client = await as('leaver');
      await client.query(sql).finally(() => client.end());
    }

    if (major < 15) {
      full.test('a user that does it while another user is removed does not stop the removal', async () => {
        await stack.create('O', OTHER);
        const [leaver, other] = [await as('leaver'), await as('other')];
        await leaver.query("BEGIN; ALTER ROLE leaver PASSWORD 'its own'");
        const removal = stack.delete('L', LEAVER);
        const isWaiting = () =>
          server.sql("SELECT FROM pg_stat_activity WHERE usename = 'postgres' AND wait_event_type = 'Lock'");
        while ((await isWaiting()).length === 0) {
          await setTimeout(10);
        }
        await other.query('GRANT other TO postgres');
        await removal.finally(() => server.sql('REVOKE other FROM postgres'));
        await expect(leaver.query('SELECT 1')).rejects.toThrow();
        await expect(server.sql("SELECT FROM pg_roles WHERE rolname = 'leaver'")).resolves.toEqual([]);
        await other.end();
        await stack.delete('O', OTHER);
      });
    }

    if (major >= 15) {
      test('a user cannot do that', async () => {
        await expect(asLeaver('GRANT leaver TO postgres')).rejects.toThrow(
          /permission denied to grant role|must have admin option/,
        );
        await expect(passwordWorks()).resolves.toBe(true);
      });

      full.test(
        'the admin itself or a superuser has decided so: it is left as it is, and the reason says what to do',
        async () => {
          await server.sql('GRANT rds_iam TO postgres WITH INHERIT TRUE, SET TRUE');
          const before = await snapshot(server);
          expect(await failure(stack.create('B', OTHER))).toMatch(
            /^cannot sign in to localhost:\d+ as the admin: the server asks for its password in clear text, which is not sent; RDS asks a member of rds_iam for a token instead, /,
          );
          await expect(snapshot(server)).resolves.toEqual(before);
          expect(log).toEqual([]);
          await server.sql('GRANT rds_iam TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE');
        },
      );
      return;
    }

    test.each(firstOf(1, [
      ['to the admin', 'GRANT leaver TO postgres', '"leaver" from "postgres"'],
      ['to a group of the admin', 'GRANT leaver TO app_owner', '"leaver" from "app_owner"'],
      ['to a role that comes with RDS', 'GRANT leaver TO rds_superuser', '"leaver" from "rds_superuser"'],
      ['to a role that comes with PostgreSQL, and to the admin', 'GRANT leaver TO pg_monitor; GRANT leaver TO postgres',
        '"leaver" from "pg_monitor", "leaver" from "postgres"'],
    ]))('a user grants itself %s: the next deployment takes exactly that back', async (_, grant, revoked) => {
      await asLeaver(grant);
      await expect(passwordWorks()).resolves.toBe(false);
      await stack.create('B', OTHER);
      expect(log).toEqual([
        {
          notice: 'admin recovered',
          revoked,
          reason: 'the admin was a member of rds_iam through it, so that its password did not work',
        },
      ]);
      await expect(passwordWorks()).resolves.toBe(true);
      await expect(signInWithToken(server, 'leaver')).resolves.toBe('leaver');
      await stack.delete('B', OTHER);
      await expect(snapshot(server)).resolves.toEqual(untouched);
    });

    full.test('memberships of the user stay, and those of the admin that do not lead to rds_iam', async () => {
      await server.sql('CREATE ROLE devs; GRANT rds_iam TO devs; GRANT devs TO leaver');
      const updateTwice = async () => {
        await stack.update('L', { ...LEAVER, connect: [] });
        await stack.update('L', LEAVER);
      };
      await updateTwice();
      await server.sql('REVOKE rds_iam FROM leaver');
      const before = await snapshot(server);
      await asLeaver('GRANT leaver TO postgres');
      await updateTwice();
      expect(log).toMatchObject([{ notice: 'admin recovered', revoked: '"leaver" from "postgres"' }]);
      await server.sql('REVOKE rds_iam FROM leaver');
      await expect(snapshot(server)).resolves.toEqual(before);
      await server.sql('GRANT rds_iam TO leaver; DROP ROLE devs');
    });

    full.test('a user that may grant rds_iam does so: that is taken back', async () => {
      await server.sql('GRANT rds_iam TO leaver WITH ADMIN OPTION');
      await asLeaver('GRANT rds_iam TO postgres; GRANT rds_iam TO rds_superuser');
      await stack.create('B', OTHER);
      expect(log).toMatchObject([
        { notice: 'admin recovered', revoked: '"rds_iam" from "postgres", "rds_iam" from "rds_superuser"' },
      ]);
      await expect(passwordWorks()).resolves.toBe(true);
      await stack.delete('B', OTHER);
    });

    full.test(
      'the admin itself or a superuser has granted that: it is left as it is, and the reason says what to do',
      async () => {
        await server.sql('GRANT rds_iam TO postgres');
        const before = await snapshot(server);
        expect(await failure(stack.create('B', OTHER))).toBe(
          'the admin "postgres" is a member of rds_iam (postgres -> rds_iam), so that its password does not work; the admin itself or a superuser has granted that, '
          + 'so it was left as it is; revoke it, or use AdminCredentials.fromIam()',
        );
        await expect(snapshot(server)).resolves.toEqual(before);
        await server.sql('REVOKE rds_iam FROM postgres');
      },
    );

    test('the user that did it is removed', async () => {
      await asLeaver('GRANT leaver TO postgres');
      await stack.delete('L', LEAVER);
      expect(await server.sql("SELECT FROM pg_roles WHERE rolname = 'leaver'")).toEqual([]);
      await expect(passwordWorks()).resolves.toBe(true);
      await stack.create('L', LEAVER);
    });

    full.test('a user that does it again at once, and again, is removed all the same', async () => {
      const client = await as('leaver');
      let goesOn = true;
      const loop = (async () => {
        while (goesOn) {
          await client.query('GRANT leaver TO postgres').catch(() => setTimeout(1));
        }
      })();
      while (await passwordWorks()) {
        await setTimeout(10);
      }
      await stack.delete('L', LEAVER);
      goesOn = false;
      await loop;
      expect(await server.sql("SELECT FROM pg_roles WHERE rolname = 'leaver'")).toEqual([]);
      await expect(passwordWorks()).resolves.toBe(true);
      await stack.create('L', LEAVER);
    });

    test('a user that does it before each sign-in with the password: after three rounds the session with the token is used, as one of an admin with a password', async () => {
      const { host, port } = server;
      const signInAfterGrant = async (admin: Admin) => {
        await (typeof admin.password === 'string' ? asLeaver('GRANT leaver TO postgres') : undefined);
        return openSession({
          host,
          port,
          authorities: readAuthorities(server.caFile),
          database: 'postgres',
          admin,
          connectMs: 10_000,
        });
      };
      const session = await signInAsAdmin(server.master, signInAfterGrant, {
        withToken: username => adminWithToken(username, host, port),
        log: { info: (notice: string) => void log.push({ notice }) },
      });
      expect(log.map(({ notice }) => notice)).toEqual(['admin recovered', 'admin recovered', 'admin recovered']);
      expect(session.withToken).toBe(false);
      await expect(session.execute([query('SELECT session_user::text AS admin')], 10_000)).resolves.toEqual([
        [{ admin: 'postgres' }],
      ]);
      await session.close();
      await expect(snapshot(server)).resolves.toEqual(untouched);
    });

    full.test('the provisioner may not sign in as the admin with a token: the reason says what to do', async () => {
      await asLeaver('GRANT leaver TO postgres');
      mayConnect = false;
      expect(await failure(stack.create('B', OTHER))).toMatch(
        new RegExp(
          '^cannot sign in to localhost:\\d+ as the admin: the server asks for its password in clear text, which is not sent; '
          + 'RDS asks a member of rds_iam for a token instead, and the admin is one, itself or through a role it was granted; up to PostgreSQL 14 every user can do that with GRANT <user> TO <admin>\\. ',
        ),
      );
      // It is tried for some seconds: another event may be about to undo what made it so.
      expect(new Set(log.map(({ notice }) => notice))).toEqual(new Set(['admin not recovered']));
      mayConnect = true;
    });

    full.test('over the Data API, where the sign-in is that of AWS, the reason says what to do', async () => {
      await asLeaver('GRANT leaver TO postgres');
      expect(await failure(new Stack(server, { transport: throughDataApi(server) }).create('B', OTHER))).toMatch(
        /PAM authentication failed for user "postgres" \(SQLSTATE 28000\); RDS asks a member of rds_iam for a token instead, /,
      );
    });

    test('another password than that of the admin is no reason to sign in with a token', async () => {
      const wrong = new Stack(server, {
        transport: recovering(() => ({ ...server.master, password: 'wrong' })),
        lambdaMs: 60_000,
        clock: fast(),
      });
      expect(await failure(wrong.create('B', OTHER))).toMatch(
        /\(SQLSTATE 28P01\); the password in the admin's secret is not the one of the database/,
      );
      expect(log).toEqual([]);
    });
  },
);

/** Ten times as fast as it is. */
function fast(): { now: () => number; sleep: (ms: number) => Promise<void> } {
  return { now: () => performance.now() * 10, sleep: async ms => void await setTimeout(ms / 10) };
}
