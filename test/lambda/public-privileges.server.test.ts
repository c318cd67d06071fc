import { Client } from 'pg';
import { ServerError } from '../../lambda/provisioner/errors';
import { explain } from '../../lambda/provisioner/remedies/server';
import { Transport } from '../../lambda/provisioner/transport/session';
import { firstOf, FULL, full } from '../full';
import { sleepingClock } from './clocks';
import { CONNECT, CREATE, only, publicHas, publicServer, shop } from './public-server';
import { failure, nextTime, setupsOver, signInWithToken, snapshot } from './stack';

/** As CloudFormation makes it up. */
const MADE_UP = 'shop-Public-1ABCDEFGHIJKL';

const HOSTILE = ['Sh"op', "'; DROP ROLE legacy; --:x", '\\"', 'public', 'a/b:c', '\u{1f418}'.repeat(15)];

const CASES = setupsOver({ 'connections': ['18, plain'], 'the Data API': [] });

describe.each(CASES)('privileges of PUBLIC on PostgreSQL $name, over $transport', (setup) => {
  const its = publicServer(setup, ['shop', ...firstOf(1, HOSTILE)]);
  const { major, roleRules, transport } = setup;
  // Each case on one of the set-ups: `npm run test:full` has all of them on all.
  const [on14, on18] = [14, 18].map(one => only(major === one && transport === 'connections'));
  const has = (database?: string) => publicHas(its.server, database);

  /** A login that this library did not make. */
  const byHand = (name: string, grants = '') => its.server.sql(`CREATE ROLE ${name} LOGIN; ${grants}`);

  const notices = (notice: string) => its.stack.log.filter(each => each.notice === notice);

  const DATABASES = FULL
    ? ['shop', 'postgres', ...HOSTILE]
    : transport === 'the Data API'
      ? HOSTILE.slice(0, 1)
      : major === 14
        ? ['shop']
        : ['postgres'];

  test.each(DATABASES)('are revoked in database %j, settled then, and given back as they were', async (database) => {
    const declared = { database, lockOut: ['postgres'] };
    await its.stack.create('P', declared);
    await expect(has(database)).resolves.toEqual([]);
    expect(its.stack.takeChanges()).toEqual([
      `revoke CONNECT on database ${JSON.stringify(database)} from PUBLIC`,
      `revoke CREATE on schema "public" from PUBLIC in database ${JSON.stringify(database)}`,
    ]);
    await its.stack.update('P', { ...declared, reapply: 'again' });
    expect(its.stack.takeChanges()).toEqual([]);
    await its.stack.delete('P', declared);
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
    // A repeated Delete.
    await its.stack.delete('P', declared);
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
  });

  on14(
    'leave users what they declare: they connect where they have CONNECT of their own, whichever comes first',
    async () => {
      await its.stack.create('A', { username: 'before' });
      await its.stack.create('P', shop());
      await its.stack.create('Q', { database: 'postgres', lockOut: ['postgres'] });
      await its.stack.create('B', { username: 'after' });
      for (const username of ['before', 'after']) {
        await expect(signInWithToken(its.server, username)).resolves.toBe(username);
        await expect(signInWithToken(its.server, username, 'postgres')).rejects.toThrow(
          'permission denied for database "postgres"',
        );
      }
      await its.stack.delete('P', shop());
      await its.stack.delete('Q', { database: 'postgres' });
      await expect(signInWithToken(its.server, 'before', 'postgres')).resolves.toBe('before');
    },
  );

  on14('are not revoked from under roles that rely on them: these are named, and nothing is changed', async () => {
    await byHand('legacy');
    await byHand(
      '"Re ""port"',
      'CREATE ROLE readers; GRANT CONNECT ON DATABASE shop TO readers; GRANT readers TO "Re ""port"',
    );
    await its.server.sql(
      'GRANT CREATE ON SCHEMA public TO readers; CREATE ROLE maker; SET ROLE maker; CREATE TABLE public.made (n int); RESET ROLE',
      [],
      'shop',
    );
    const before = await snapshot(its.server);
    await expect(failure(its.stack.create('P', { database: 'shop' }))).resolves.toBe(
      'cannot revoke CONNECT on database "shop" from PUBLIC: "legacy" has it through PUBLIC only; grant it to that role, or name it in lockOut',
    );
    await expect(failure(its.stack.create('P', { database: 'shop', lockOut: ['legacy', 'nobody'] }))).resolves.toBe(
      'cannot revoke CREATE on schema "public" in database "shop" from PUBLIC: "maker" has it through PUBLIC only; grant it to that role, or name it in lockOut',
    );
    await expect(snapshot(its.server)).resolves.toEqual(before);
    await its.stack.create('P', { database: 'shop', lockOut: ['legacy', 'maker'] });
    expect(notices('locked out')).toEqual([
      expect.objectContaining({ database: 'shop', privilege: 'CONNECT', roles: '"legacy"', count: 1 }),
      expect.objectContaining({ privilege: 'CREATE', roles: '"legacy", "maker"', count: 2 }),
    ]);
    await expect(has()).resolves.toEqual([]);
    await its.stack.delete('P', shop());
    await expect(snapshot(its.server)).resolves.toEqual(before);
    await its.server.sql('DROP TABLE public.made', [], 'shop');
  });

  full.test(
    'name users of this library that declare something in the database, or are members of a predefined role, and have no CONNECT',
    async () => {
      await its.stack.create('A', {
        username: 'orders',
        privileges: { shop: { Schemas: { public: { Schema: ['USAGE'] } } } },
      });
      await its.stack.create('G', {
        roleName: 'readers',
        privileges: { shop: { Schemas: { public: { Schema: ['USAGE'] } } } },
      });
      await its.stack.create('B', { username: 'member', connect: [], memberOf: ['readers'] });
      await its.stack.create('C', { username: 'monitor', connect: [], memberOf: ['pg_monitor'] });
      await its.stack.create('D', { username: 'elsewhere', connect: ['postgres'] });
      await expect(failure(its.stack.create('P', shop({ revoked: CONNECT })))).resolves.toBe(
        'cannot revoke CONNECT on database "shop" from PUBLIC: "member", "monitor", "orders" have it through PUBLIC only; grant it to those roles, or name them in lockOut',
      );
      await its.stack.update('A', {
        username: 'orders',
        privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'] } } } },
      });
      await its.stack.update('G', {
        roleName: 'readers',
        privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'] } } } },
      });
      await its.stack.create('P', shop({ revoked: CONNECT, lockOut: ['monitor'] }));
      await its.stack.delete('P', shop());
    },
  );

  if (roleRules !== 'rdsLike') {
    on14('are not revoked from under the admin, whatever lockOut says', async () => {
      await its.server.sql(
        'ALTER DATABASE shop OWNER TO rds_superuser; REVOKE CONNECT ON DATABASE shop FROM rds_superuser',
      );
      await expect(failure(its.stack.create('P', shop({ revoked: CONNECT })))).resolves.toBe(
        'cannot revoke CONNECT on database "shop" from PUBLIC: the admin "postgres" has it through PUBLIC only, and could not sign in any more; grant it to the admin first',
      );
      await its.server.sql('GRANT CONNECT ON DATABASE shop TO rds_superuser');
      await its.stack.create('P', shop({ revoked: CONNECT }));
      // It is deployed: an event that comes again is no error, and the admin gets in.
      await its.server.sql(
        'GRANT CONNECT ON DATABASE shop TO PUBLIC; REVOKE CONNECT ON DATABASE shop FROM rds_superuser',
      );
      await its.stack.update('P', shop({ revoked: CONNECT, reapply: 'again' }));
      expect(notices('not revoked')).toEqual([
        expect.objectContaining({
          database: 'shop',
          reason: 'the admin has CONNECT on database "shop" through PUBLIC only',
        }),
      ]);
      await expect(has()).resolves.toContain('CONNECT');
      await its.stack.delete('P', shop());
      await its.server.sql('GRANT CONNECT ON DATABASE shop TO rds_superuser; ALTER DATABASE shop OWNER TO postgres');
    });

    on18('that the admin may not pass on fail the deployment with a reason, and no rollback', async () => {
      await its.server.sql(
        'CREATE ROLE boss SUPERUSER; ALTER DATABASE shop OWNER TO boss; GRANT CONNECT ON DATABASE shop TO postgres',
      );
      const reason = await failure(its.stack.create('P', shop({ revoked: CONNECT })));
      expect(reason).toContain('cannot revoke CONNECT on database "shop" from PUBLIC: ');
      expect(reason).toContain('only the owner of a database can pass its privileges on');
      await its.server.sql('ALTER DATABASE shop OWNER TO postgres');
      await its.stack.create('P', shop({ revoked: CONNECT }));
      await its.server.sql(
        'ALTER DATABASE shop OWNER TO boss; GRANT CONNECT ON DATABASE shop TO PUBLIC; GRANT CONNECT ON DATABASE shop TO postgres',
      );
      await its.stack.update('P', shop({ revoked: CONNECT, reapply: 'again' }));
      expect(notices('not revoked')).toEqual([
        expect.objectContaining({ change: 'revoke CONNECT on database "shop" from PUBLIC' }),
      ]);
      await its.stack.delete('P', shop());
      await its.server.sql(
        'ALTER DATABASE shop OWNER TO postgres; REVOKE CONNECT ON DATABASE shop FROM boss; DROP ROLE boss',
      );
    });
  }

  on14('that PUBLIC did not have before are not given to it', async () => {
    await its.server.sql('REVOKE CONNECT ON DATABASE shop FROM PUBLIC');
    const before = await snapshot(its.server);
    await its.stack.create('P', shop());
    // What somebody grants meanwhile is taken back, and is not what was there before.
    await its.server.sql('GRANT CONNECT ON DATABASE shop TO PUBLIC');
    await its.stack.update('P', shop({ reapply: 'again' }));
    await expect(has()).resolves.toEqual([]);
    await its.stack.delete('P', shop());
    await expect(snapshot(its.server)).resolves.toEqual(before);
    await its.server.sql('GRANT CONNECT ON DATABASE shop TO PUBLIC');
  });

  full.test('that were granted by hand are drift, and are revoked by the next event', async () => {
    await its.stack.create('P', shop());
    await expect(its.stack.drift()).resolves.toMatchObject({ driftedRoles: 0 });
    await byHand('legacy');
    await its.server.sql(
      'GRANT CONNECT ON DATABASE shop TO PUBLIC; SET ROLE postgres; GRANT CREATE ON SCHEMA public TO PUBLIC; RESET ROLE',
      [],
      'shop',
    );
    await expect(its.stack.drift()).resolves.toMatchObject({
      driftedRoles: 1,
      resources: [
        {
          logicalId: 'P',
          names: ['public'],
          changes: [
            {
              change: 'revoke CONNECT on database "shop" from PUBLIC',
              sql: ['REVOKE CONNECT ON DATABASE "shop" FROM PUBLIC CASCADE'],
            },
            { database: 'shop' },
          ],
        },
      ],
    });
    its.stack.log.splice(0);
    await its.stack.update('P', shop({ reapply: 'again' }));
    await expect(has()).resolves.toEqual([]);
    expect(notices('locked out').map(({ privilege, roles }) => [privilege, roles])).toEqual([
      ['CONNECT', '"legacy"'],
      ['CREATE', expect.stringContaining('"legacy"')],
    ]);
    await its.stack.delete('P', shop());
  });

  on18('follow the declaration, and a rollback restores them', async () => {
    await its.stack.create('P', shop());
    const before = await snapshot(its.server) as { shared: unknown; shop: unknown };
    await its.stack.update('P', shop({ revoked: CREATE }));
    await expect(has()).resolves.toEqual(['CONNECT']);
    // In the meantime a role relies on it that could not connect before: that does not stop the rollback.
    await byHand('late');
    await its.stack.update('P', shop());
    await its.server.sql('DROP ROLE late');
    await expect(snapshot(its.server)).resolves.toMatchObject({ shared: before.shared, shop: before.shop });
    await its.stack.update('P', shop({ revoked: CONNECT }));
    await expect(has()).resolves.toEqual(['CREATE']);
    await its.stack.delete('P', shop({ revoked: CONNECT }));
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
  });

  full.test('of an event that is undone after its commit are as before', async () => {
    const keptOut = () => Promise.reject(explain(new ServerError('no', '28P01'), { attempted: 'sign in' }));
    const locking: Transport = async (...args) => ({ ...await its.transport()(...args), confirm: keptOut });
    const broken = () => its.newStack({ transport: locking, clock: sleepingClock() });
    await expect(failure(broken().create('P', shop()))).resolves.toContain('so it is undone');
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
    await its.stack.create('P', shop({ revoked: CREATE }));
    const before = await snapshot(its.server);
    await expect(failure(broken().update('P', shop(), its.stack.physicalIdOf('P')))).resolves.toContain(
      'so it is undone',
    );
    await expect(snapshot(its.server)).resolves.toEqual(before);
    await its.stack.delete('P', shop());
  });

  on14('move to another construct, and back', async () => {
    await its.stack.create('P', shop());
    await its.stack.create('Q', shop({ revoked: CONNECT }));
    expect(its.stack.takeChanges()).toHaveLength(2);
    await its.stack.delete('Q', shop({ revoked: CONNECT }));
    await expect(has()).resolves.toEqual([]);
    await its.stack.create('Q', shop({ revoked: CONNECT }));
    await its.stack.delete('P', shop());
    await expect(has()).resolves.toEqual(['CREATE']);
    await its.stack.delete('Q', shop());
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
  });

  full.test('belong to one stack, and to the one of a restored database', async () => {
    await its.stack.create('P', shop());
    const other = its.newStack({ name: 'other' });
    await expect(failure(other.create('Q', shop()))).resolves.toBe(
      `PUBLIC in database "shop" is managed by another stack already (${its.stack.stackId}, resource P); declare it in one stack only; if that stack is gone, delete its row in cdk_aurora_iam_auth.managed_role`,
    );
    // The same server under another resource id, as after a restore.
    const restored = its.newStack({ name: 'other', resourceId: 'cluster-RESTORED' });
    await restored.create('Q', shop());
    await restored.delete('Q', shop());
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
    // The stack itself, whose cluster was replaced: the Delete of what it had is about another database.
    await its.stack.create('P', shop());
    const moved = its.newStack({ resourceId: 'cluster-RESTORED' });
    await moved.update('P', shop(), its.stack.physicalIdOf('P'));
    await moved.delete('P', shop());
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
    // A stack of the same name that was made again.
    await its.stack.create('P', shop({ revoked: CONNECT }));
    const again = its.newStack({ unique: '2' });
    await again.create('Q', shop({ revoked: CONNECT }));
    await again.delete('Q', shop({ revoked: CONNECT }));
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
  });

  full.test('are not revoked by an event that comes after the one that took it back', async () => {
    const late = nextTime();
    await its.stack.delete('P', shop(), MADE_UP);
    const reason
      = 'CloudFormation has cancelled the creation of P, and its Delete was carried out before this event came to its turn: nothing was done';
    await expect(
      failure(its.stack.send({ RequestType: 'Create', LogicalResourceId: 'P', sentAt: late }, shop())),
    ).resolves.toBe(reason);
    await expect(has()).resolves.toEqual(['CONNECT', 'CREATE']);
    // One that was complete is taken back.
    await its.stack.create('P', shop());
    const sentAt = nextTime();
    await its.stack.delete('P', shop(), MADE_UP);
    await expect(has()).resolves.toEqual(['CONNECT', 'CREATE']);
    await its.stack.create('P', shop());
    await expect(
      failure(
        its.stack.send(
          { RequestType: 'Update', LogicalResourceId: 'P', PhysicalResourceId: its.stack.physicalIdOf('P'), sentAt },
          shop({ revoked: CONNECT }),
        ),
      ),
    ).resolves.toContain('has sent another event for P since');
    await its.stack.delete('P', shop());
  });

  on18('of a database that is gone or closed are no reason for a rollback or removal to fail', async () => {
    await expect(failure(its.stack.create('P', { database: 'none' }))).resolves.toBe(
      'cannot revoke CONNECT from PUBLIC in database "none": there is no such database; create the database before this deployment, let it accept connections, or correct its name',
    );
    await its.server.sql('CREATE DATABASE short OWNER postgres');
    const short = { database: 'short', lockOut: ['postgres'] };
    await its.stack.create('P', short);
    await its.server.sql('ALTER DATABASE short ALLOW_CONNECTIONS false');
    await expect(failure(its.stack.create('Q', short))).resolves.toContain(
      'cannot revoke CREATE from PUBLIC in database "short": it accepts no connections; ',
    );
    await its.stack.update('P', { ...short, reapply: 'again' });
    await its.server.sql('DROP DATABASE short WITH (FORCE)');
    await its.stack.update('P', { ...short, reapply: 'gone' });
    await its.stack.delete('P', short);
    expect(notices('not given back').map(({ privilege, reason }) => [privilege, reason])).toEqual([
      ['CONNECT', 'there is no such database'],
      ['CREATE', 'there is no such database'],
    ]);
    await its.server.sql('CREATE DATABASE short OWNER postgres');
    await its.stack.create('P', { ...short, revoked: CREATE });
    await its.server.sql('ALTER DATABASE short ALLOW_CONNECTIONS false');
    await its.stack.delete('P', { ...short, revoked: CREATE });
    await its.server.sql('DROP DATABASE short WITH (FORCE)');
  });

  full.test('that several roles have granted are given back by each of them', async () => {
    await its.server.sql(
      'CREATE ROLE passer; GRANT CONNECT ON DATABASE shop TO passer WITH GRANT OPTION; SET ROLE passer; GRANT CONNECT ON DATABASE shop TO PUBLIC; RESET ROLE; GRANT passer TO postgres',
    );
    const before = await snapshot(its.server);
    await its.stack.create('P', shop());
    await expect(has()).resolves.toEqual([]);
    await its.stack.delete('P', shop());
    await expect(snapshot(its.server)).resolves.toEqual(before);
    await its.stack.create('P', shop());
    await its.server.sql('DROP OWNED BY passer; DROP ROLE passer');
    await its.stack.delete('P', shop());
    expect(notices('not given back').map(({ change }) => change)).toEqual([
      'grant CONNECT on database "shop" to PUBLIC',
    ]);
    await expect(has()).resolves.toEqual(['CONNECT', 'CREATE']);
  });

  on18('with a row of the registry that is not understood are left alone, and the resource can go', async () => {
    await its.stack.create('P', shop({ revoked: CONNECT }));
    await its.server.sql(
      "UPDATE cdk_aurora_iam_auth.managed_role SET declarations = jsonb_set(declarations, '{format}', '2')",
    );
    await expect(failure(its.stack.update('P', shop()))).resolves.toContain(
      'what the registry has of PUBLIC in database "shop" (resource P) is not understood: format 2 is not allowed: this version of the library knows format 1; deploy with the version that wrote it. ',
    );
    await expect(its.stack.drift()).resolves.toMatchObject({
      driftedRoles: 1,
      resources: [{ names: ['public'], problem: expect.stringContaining('is not understood') as unknown }],
    });
    await its.stack.delete('P', shop());
    await expect(has()).resolves.toEqual(['CREATE']);
    await its.server.sql('DELETE FROM cdk_aurora_iam_auth.managed_role; GRANT CONNECT ON DATABASE shop TO PUBLIC');
  });

  on14('are planned, with what the same plan grants', async () => {
    const user = { username: 'orders', privileges: { shop: { Schemas: { public: { Schema: ['USAGE'] } } } } };
    await its.stack.create('A', user);
    const before = await snapshot(its.server);
    const next = { ...user, privileges: { shop: { Database: ['CONNECT'], ...user.privileges.shop } } };
    const plan = await its.stack.plan(
      { logicalId: 'A', declared: next, before: user },
      { logicalId: 'P', declared: shop() },
    );
    expect(plan.resources.map(({ problem, changes }) => problem ?? changes.map(({ change }) => change))).toEqual([
      ['grant CONNECT on database "shop" to "orders"'],
      [
        'revoke CONNECT on database "shop" from PUBLIC',
        'revoke CREATE on schema "public" from PUBLIC in database "shop"',
      ],
    ]);
    await expect(its.stack.plan({ logicalId: 'P', declared: shop() })).resolves.toMatchObject({
      resources: [{ problem: expect.stringContaining('"orders" has it through PUBLIC only') as unknown }],
    });
    await expect(snapshot(its.server)).resolves.toEqual(before);
    await its.stack.create('P', shop({ lockOut: ['orders', 'postgres'] }));
    const removal = await its.stack.plan({ logicalId: 'P', declared: shop(), action: 'Delete' });
    expect(removal.resources[0].changes.map(({ change }) => change)).toEqual([
      'grant CREATE on schema "public" to PUBLIC in database "shop"',
      'grant CONNECT on database "shop" to PUBLIC',
    ]);
    await its.stack.delete('P', shop());
  });

  full.test(
    'keep a session out that has nothing to do in database postgres, so that it cannot ask for the lock',
    async () => {
      await its.stack.create('A', { username: 'orders' });
      await its.stack.create('P', { database: 'postgres', lockOut: ['postgres'] });
      const client = new Client({
        host: its.server.host,
        port: its.server.port,
        user: 'orders',
        password: its.server.token('application', 'orders'),
        database: 'postgres',
        ssl: { rejectUnauthorized: true },
      });
      await expect(client.connect()).rejects.toThrow('permission denied for database "postgres"');
      await its.stack.delete('P', { database: 'postgres' });
    },
  );
});
