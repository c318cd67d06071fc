import { full } from '../full';
import { only, CONNECT, publicHas, publicServer, shop } from './public-server';
import { failure, OfPublic, setupsOver, signIn, signInWithToken, snapshot } from './stack';

const CASES = setupsOver({ 'connections': ['17, plain'], 'the Data API': [] });

describe.each(CASES)('databases without CONNECT of PUBLIC on PostgreSQL $name, over $transport', (setup) => {
  const its = publicServer(setup, ['shop']);
  const { major, roleRules, transport } = setup;
  const [on15, on17] = [15, 17].map(one => only(major === one && transport === 'connections'));
  const has = () => publicHas(its.server);
  const sql = (text: string, database?: string) => its.server.sql(text, [], database);
  const notices = (notice: string) => its.stack.log.filter(each => each.notice === notice);
  /** Databases that PUBLIC can connect to. No session is left in them, so that they can be dropped and renamed. */
  const open = async () =>
    (
      await its.server.sql<{ name: string }>(`
    SELECT datname::text AS name FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a
    WHERE grantee = 0 AND privilege_type = 'CONNECT' AND datname IN ('short', 'long') ORDER BY 1`)
    ).map(({ name }) => name);
  const short = (others: Partial<OfPublic> = {}): OfPublic => ({ database: 'short', lockOut: ['postgres'], ...others });
  const makeShort = () => sql('CREATE DATABASE short OWNER postgres');

  describe('of which the registry knows the oid', () => {
    afterEach(async () => {
      await sql('DROP DATABASE IF EXISTS short WITH (FORCE)');
      await sql('DROP DATABASE IF EXISTS long');
    });

    on17('get nothing back that another one of the name had', async () => {
      await makeShort();
      await its.stack.create('P', short());
      await sql('DROP DATABASE short WITH (FORCE)');
      await makeShort();
      await sql('REVOKE CONNECT ON DATABASE short FROM PUBLIC');
      await its.stack.delete('P', short());
      await expect(open()).resolves.toEqual([]);
      expect(notices('not given back').map(({ reason }) => reason)).toEqual([
        'it was dropped, and another database has its name',
        'it was dropped, and another database has its name',
      ]);
    });

    on15('get back what they had when the resource was deployed to them, and a rollback goes through', async () => {
      await makeShort();
      await its.stack.create('P', short({ revoked: CONNECT }));
      await sql('DROP DATABASE short WITH (FORCE)');
      await makeShort();
      await sql(
        'REVOKE CONNECT ON DATABASE short FROM PUBLIC; GRANT CONNECT ON DATABASE short TO postgres; CREATE ROLE passer; GRANT CONNECT ON DATABASE short TO passer WITH GRANT OPTION;'
        + ' SET ROLE passer; GRANT CONNECT ON DATABASE short TO PUBLIC; RESET ROLE; GRANT passer TO postgres; CREATE ROLE legacy LOGIN',
      );
      const access = () => its.server.sql("SELECT datacl::text FROM pg_database WHERE datname = 'short'");
      const before = await access();
      // It was deployed: roles that rely on it do not stop a rollback to it.
      await its.stack.update('P', short({ revoked: CONNECT, reapply: 'rollback' }));
      await expect(open()).resolves.not.toContain('short');
      await its.stack.delete('P', short());
      await expect(access()).resolves.toEqual(before);
      await sql('DROP OWNED BY passer');
    });

    on17('that took each other\'s place by hand: a rollback goes through, and each stack removes its own', async () => {
      await sql('CREATE DATABASE short OWNER postgres');
      await sql('CREATE DATABASE long OWNER postgres');
      const long = { database: 'long', revoked: CONNECT, lockOut: ['postgres'] };
      const other = its.newStack({ name: 'other' });
      await its.stack.create('P', short({ revoked: CONNECT }));
      await other.create('Q', long);
      await sql('ALTER DATABASE short RENAME TO former');
      await sql('ALTER DATABASE long RENAME TO short');
      await its.stack.update('P', short({ revoked: CONNECT, reapply: 'rollback' }));
      await other.delete('Q', long);
      await its.stack.delete('P', short());
      await sql('DROP DATABASE former');
    });

    on17('keep what was revoked under another name, and get it back there', async () => {
      await makeShort();
      await its.stack.create('P', short({ revoked: CONNECT }));
      await sql('ALTER DATABASE short RENAME TO long');
      await its.stack.update('P', short({ revoked: CONNECT, reapply: 'again' }));
      expect(notices('not revoked').map(({ reason }) => reason)).toEqual(['there is no such database']);
      await expect(open()).resolves.not.toContain('long');
      // The app follows: a resource for the new name, and then the former one goes.
      await its.stack.create('Q', { database: 'long', revoked: CONNECT, lockOut: ['postgres'] });
      await its.stack.delete('P', short());
      await expect(open()).resolves.not.toContain('long');
      await its.stack.delete('Q', { database: 'long' });
      await expect(open()).resolves.toContain('long');
      await sql('ALTER DATABASE long RENAME TO short');
      // Without one it gets it back when the resource goes.
      await its.stack.create('P', short({ revoked: CONNECT }));
      await sql('ALTER DATABASE short RENAME TO long');
      await its.stack.delete('P', short());
      await expect(open()).resolves.toContain('long');
    });

    on17(
      'whose schema public was dropped and made again give that one back what it had, and nothing of the former one',
      async () => {
        const acl = async () =>
          (
            await its.server.sql<{ acl: string }>(
              "SELECT coalesce(nspacl::text, '') AS acl FROM pg_namespace WHERE nspname = 'public'",
              [],
              'short',
            )
          )[0].acl;
        const make = () => sql('DROP SCHEMA public; CREATE SCHEMA public AUTHORIZATION postgres', 'short');
        await makeShort();
        await sql('GRANT CREATE ON SCHEMA public TO PUBLIC', 'short');
        await its.stack.create('P', short());
        await make();
        await its.stack.delete('P', short());
        expect(await acl()).toBe('');
        const reason = 'schema "public" was dropped, and another one has its name';
        expect(notices('not given back')).toEqual([
          expect.objectContaining({ database: 'short', privilege: 'CREATE', reason }),
        ]);
        // Once the resource has seen the new one, it is that which gets back what it had.
        await its.stack.create('P', short());
        await make();
        await sql(
          'CREATE ROLE passer; GRANT CREATE ON SCHEMA public TO passer WITH GRANT OPTION; GRANT passer TO postgres; SET ROLE passer; GRANT CREATE ON SCHEMA public TO PUBLIC; RESET ROLE',
          'short',
        );
        const before = await acl();
        await its.stack.update('P', short({ reapply: 'again' }));
        expect(await acl()).not.toBe(before);
        await its.stack.delete('P', short());
        expect(await acl()).toBe(before);
        expect(notices('not given back')).toHaveLength(1);
        await sql('DROP OWNED BY passer CASCADE', 'short');
      },
    );

    full.test('that change names: the resource is about the one of its name, and the log names the other', async () => {
      await makeShort();
      await its.stack.create('P', short({ revoked: CONNECT }));
      await sql('ALTER DATABASE short RENAME TO long');
      await makeShort();
      await its.stack.update('P', short({ revoked: CONNECT, reapply: 'again' }));
      await expect(open()).resolves.not.toContain('short');
      await expect(open()).resolves.not.toContain('long');
      expect(notices('not given back')).toEqual([
        expect.objectContaining({
          database: 'long',
          privilege: 'CONNECT',
          reason:
            'it was called "short" when this resource revoked it; restrict it under its new name, or grant it to PUBLIC there',
        }),
      ]);
      await its.stack.delete('P', short());
      await expect(open()).resolves.toContain('short');
    });

    full.test(
      'are known by their names where the record is of another server or major version, or has no oid',
      async () => {
        const registered = (change: string) =>
          sql(`UPDATE cdk_aurora_iam_auth.managed_role SET declarations = ${change}`);
        for (const change of [
          `jsonb_set(declarations, '{publicPrivileges,identity}', '{"oid": "1", "major": ${major - 1}}')`,
          "declarations #- '{publicPrivileges,identity}'",
          `jsonb_set(declarations, '{publicPrivileges,identity}', '{"oid": "1", "major": ${major}}')`,
        ]) {
          await its.stack.create('P', shop({ revoked: CONNECT }));
          await registered(change);
          await its.stack.delete('P', shop());
          await expect(has()).resolves.toEqual(
            change.includes(`"major": ${major}}`) ? ['CREATE'] : ['CONNECT', 'CREATE'],
          );
        }
        await sql('GRANT CONNECT ON DATABASE shop TO PUBLIC');
      },
    );
  });

  describe('and their admin', () => {
    const group = { roleName: 'ops', connect: ['shop'] };
    /** From 16 on, the creator of a role is a member that does not inherit. */
    const inheriting = major < 16 ? '' : ' WITH INHERIT TRUE';
    const adminEnters = () =>
      expect(signIn(its.server, 'postgres', its.server.master.password)).resolves.toBe('postgres');

    /** The admin has CONNECT through this role alone. */
    async function connectsThrough(role: string): Promise<void> {
      await sql(
        `ALTER DATABASE shop OWNER TO rds_superuser; REVOKE CONNECT ON DATABASE shop FROM rds_superuser; GRANT ${role} TO postgres${inheriting}`,
      );
    }
    async function asBefore(): Promise<void> {
      await adminEnters();
      await sql(
        'REVOKE CONNECT ON DATABASE shop FROM postgres; GRANT CONNECT ON DATABASE shop TO rds_superuser; ALTER DATABASE shop OWNER TO postgres',
      );
    }

    if (roleRules !== 'rdsLike') {
      on17('connects after the group role has gone through which it did', async () => {
        await its.stack.create('G', group);
        await connectsThrough('ops');
        await its.stack.create('P', shop({ revoked: CONNECT }));
        await adminEnters();
        const plan = await its.stack.plan({ logicalId: 'G', declared: group, action: 'Delete' });
        its.stack.takeExecuted();
        await its.stack.delete('G', group);
        const executed = its.stack.takeExecuted();
        expect(
          plan.resources[0].changes.flatMap(({ database, sql }) => sql.map(one => ({ database, sql: one }))),
        ).toEqual(executed);
        expect(its.stack.takeChanges()).toContain('grant CONNECT on database "shop" to "postgres" again');
        await its.stack.delete('P', shop());
        await asBefore();
      });

      on15('connects after the group role has lost CONNECT, or is not in the group any more that has it', async () => {
        await its.stack.create('G', group);
        await connectsThrough('ops');
        await its.stack.create('P', shop({ revoked: CONNECT }));
        await its.stack.update('G', { ...group, connect: [] });
        await adminEnters();
        await its.stack.update('G', group);
        await sql('REVOKE CONNECT ON DATABASE shop FROM postgres');
        await its.stack.create('H', { roleName: 'inner', memberOf: ['ops'] });
        await sql('REVOKE ops FROM postgres; GRANT "inner" TO postgres' + inheriting);
        await its.stack.update('H', { roleName: 'inner' });
        await adminEnters();
        // What it has of its own stays as it is.
        its.stack.takeChanges();
        await its.stack.delete('G', group);
        expect(its.stack.takeChanges()).not.toContain('grant CONNECT on database "shop" to "postgres" again');
        await its.stack.delete('H', { roleName: 'inner' });
        await its.stack.delete('P', shop());
        await asBefore();
      });

      on17('keeps the role that it connects through where it may not have CONNECT of its own', async () => {
        await its.stack.create('G', { roleName: 'ops' });
        await sql(
          `CREATE ROLE boss SUPERUSER; GRANT CONNECT ON DATABASE shop TO ops; GRANT ops TO postgres${inheriting}`,
        );
        await its.stack.create('P', shop({ revoked: CONNECT }));
        await sql('ALTER DATABASE shop OWNER TO boss; REVOKE CONNECT ON DATABASE shop FROM postgres');
        await adminEnters();
        await expect(failure(its.stack.delete('G', { roleName: 'ops' }))).resolves.toContain(
          'the admin "postgres" has CONNECT on database "shop" through "ops" only, and may not grant it to itself, so that it could not connect any more; grant CONNECT to the admin as the owner of the database',
        );
        await adminEnters();
        await sql(
          'ALTER DATABASE shop OWNER TO postgres; REVOKE CONNECT ON DATABASE shop FROM boss; GRANT CONNECT ON DATABASE shop TO postgres; DROP ROLE boss',
        );
        await its.stack.delete('G', { roleName: 'ops' });
        await its.stack.delete('P', shop());
      });

      const grants: [string, string, string][] = [
        ['as a member of rds_superuser', 'GRANT CONNECT ON DATABASE shop TO rds_superuser',
          'REVOKE CONNECT ON DATABASE shop FROM rds_superuser'],
        ['of its own', 'GRANT CONNECT ON DATABASE shop TO postgres', 'REVOKE CONNECT ON DATABASE shop FROM postgres'],
      ];
      full.test.each(grants)('has CONNECT %s, which is enough', async (_, grant, revoke) => {
        await sql(
          `CREATE ROLE owning; ALTER DATABASE shop OWNER TO owning; REVOKE CONNECT ON DATABASE shop FROM owning; GRANT owning TO postgres; ${grant}`,
        );
        await its.stack.create('P', shop({ revoked: CONNECT }));
        await adminEnters();
        await its.stack.delete('P', shop());
        await sql(`${revoke}; ALTER DATABASE shop OWNER TO postgres; GRANT CONNECT ON DATABASE shop TO postgres`);
      });

      on17('has CONNECT through a membership that it does not inherit from: that is not enough', async () => {
        await sql(
          `CREATE ROLE silent; ALTER DATABASE shop OWNER TO rds_superuser; REVOKE CONNECT ON DATABASE shop FROM rds_superuser; GRANT CONNECT ON DATABASE shop TO silent; ${
            major < 16
              ? 'CREATE ROLE between NOINHERIT; GRANT silent TO between; GRANT between TO postgres'
              : 'GRANT silent TO postgres WITH INHERIT FALSE'
          }`,
        );
        await expect(failure(its.stack.create('P', shop({ revoked: CONNECT })))).resolves.toContain(
          'the admin "postgres" has it through PUBLIC only',
        );
        await adminEnters();
        await asBefore();
      });
    }
  });

  describe('and users', () => {
    const usage = { Schemas: { public: { Schema: ['USAGE'] } } };

    on17('that come later without CONNECT are named in the log, with what to do', async () => {
      await its.stack.create('P', shop({ revoked: CONNECT }));
      const orders = { username: 'orders', privileges: { shop: usage } };
      await its.stack.create('A', orders);
      await expect(signInWithToken(its.server, 'orders')).rejects.toThrow('permission denied for database "shop"');
      expect(notices('cannot connect')).toEqual([
        expect.objectContaining({
          role: 'orders',
          database: 'shop',
          reason:
            'PUBLIC has no CONNECT on the database any more, and the user has none of its own or through a group role',
          remedy: 'add Privileges.onDatabase({ database: "shop" }) to its privileges',
        }),
      ]);
      its.stack.log.splice(0);
      await its.stack.update('A', { ...orders, privileges: { shop: { Database: ['CONNECT'], ...usage } } });
      await its.stack.create('G', { roleName: 'readers', privileges: { shop: { Database: ['CONNECT'], ...usage } } });
      await its.stack.create('B', { username: 'member', connect: [], memberOf: ['readers'] });
      await its.stack.create('C', { username: 'elsewhere', connect: ['postgres'] });
      expect(notices('cannot connect')).toEqual([]);
      // Its groups hold something there, or it itself by hand.
      await its.stack.update('G', { roleName: 'readers', privileges: { shop: usage } });
      await its.stack.update('B', { username: 'member', connect: [], memberOf: ['readers'], reapply: 'again' });
      await sql('GRANT USAGE ON SCHEMA public TO elsewhere', 'shop');
      await its.stack.update('C', { username: 'elsewhere', connect: ['postgres'], reapply: 'again' });
      expect(notices('cannot connect').map(({ role }) => role)).toEqual(['member', 'elsewhere']);
      await its.stack.delete('P', shop());
      its.stack.log.splice(0);
      await its.stack.update('A', orders);
      expect(notices('cannot connect')).toEqual([]);
    });

    on17('that hold something there by hand are not locked out unnamed', async () => {
      await its.stack.create('A', { username: 'orders', connect: ['postgres'] });
      await sql('GRANT USAGE ON SCHEMA public TO orders', 'shop');
      await sql('CREATE ROLE readers; GRANT readers TO postgres WITH ADMIN OPTION');
      await sql('GRANT USAGE ON SCHEMA public TO readers', 'shop');
      await its.stack.create('B', { username: 'member', connect: ['postgres'], memberOf: ['readers'] });
      await its.stack.create('C', { username: 'elsewhere', connect: ['postgres'] });
      await expect(failure(its.stack.create('P', shop({ revoked: CONNECT })))).resolves.toContain(
        '"member", "orders" have it through PUBLIC only',
      );
      await sql('REVOKE USAGE ON SCHEMA public FROM orders, readers', 'shop');
      await its.stack.create('P', shop({ revoked: CONNECT }));
      await its.stack.delete('P', shop());
    });
  });

  full.test('are planned with users of the same deployment: what these have then counts', async () => {
    const usage = { Schemas: { public: { Schema: ['USAGE'] } } };
    const own = { username: 'own', privileges: { shop: { Database: ['CONNECT'], ...usage } } };
    const group = { roleName: 'readers', privileges: { shop: { Database: ['CONNECT'], ...usage } } };
    const member = { username: 'member', connect: [], memberOf: ['readers'] };
    const without = { username: 'without', privileges: { shop: usage } };
    const before = { username: 'before', privileges: { shop: usage } };
    const then = { ...before, memberOf: ['readers'] };
    await its.stack.create('B', before);
    const users = [
      { logicalId: 'G', declared: group },
      { logicalId: 'A', declared: own },
      { logicalId: 'M', declared: member },
      { logicalId: 'B', declared: then, before },
    ];
    const refused = await its.stack.plan(
      ...users,
      { logicalId: 'W', declared: without },
      { logicalId: 'P', declared: shop({ revoked: CONNECT }) },
    );
    const problem
      = 'cannot revoke CONNECT on database "shop" from PUBLIC: "without" has it through PUBLIC only; grant it to that role, or name it in lockOut';
    expect(refused.resources.flatMap(one => one.problem ?? [])).toEqual([problem]);
    const planned = await its.stack.plan(...users, { logicalId: 'P', declared: shop({ revoked: CONNECT }) });
    expect(planned.resources.flatMap(one => one.problem ?? [])).toEqual([]);
    await its.stack.create('G', group);
    await its.stack.create('A', own);
    await its.stack.create('M', member);
    await its.stack.update('B', then);
    await its.stack.create('W', without);
    await expect(failure(its.stack.create('P', shop({ revoked: CONNECT })))).resolves.toBe(problem);
    await its.stack.delete('W', without);
    await its.stack.create('P', shop({ revoked: CONNECT }));
    await its.stack.delete('P', shop());
  });

  full.test('are planned with a user that the same deployment renames, and gives CONNECT', async () => {
    const usage = { Schemas: { public: { Schema: ['USAGE'] } } };
    const before = { username: 'before', privileges: { shop: usage } };
    const then = { username: 'renamed', privileges: { shop: { Database: ['CONNECT'], ...usage } } };
    await its.stack.create('B', before);
    const planned = await its.stack.plan(
      { logicalId: 'B', declared: then, before },
      { logicalId: 'P', declared: shop({ revoked: CONNECT }) },
    );
    expect(planned.resources.flatMap(one => one.problem ?? [])).toEqual([]);
    await its.stack.update('B', then);
    await its.stack.create('P', shop({ revoked: CONNECT }));
    await its.stack.delete('P', shop());
  });

  full.test('are planned as they are deployed: moved to another construct or database, and rolled back', async () => {
    const events = async (...planned: Parameters<typeof its.stack.plan>) => {
      const { resources } = await its.stack.plan(...planned);
      its.stack.takeExecuted();
      return (done: unknown[]) =>
        expect(
          resources.flatMap(({ problem, changes }): unknown[] =>
            problem === undefined
              ? changes.flatMap(({ database, sql }) => sql.map(one => ({ database, sql: one })))
              : [problem],
          ),
        ).toEqual(done);
    };
    await its.stack.create('P', shop());
    const moved = await events(
      { logicalId: 'Q', declared: shop() },
      { logicalId: 'P', declared: shop(), action: 'Delete' },
    );
    await its.stack.create('Q', shop());
    await its.stack.delete('P', shop());
    const executed = its.stack.takeExecuted();
    expect(executed).toEqual([]);
    moved(executed);

    const narrower = await events(
      { logicalId: 'R', declared: shop({ revoked: CONNECT }) },
      { logicalId: 'Q', declared: shop(), action: 'Delete' },
    );
    await its.stack.create('R', shop({ revoked: CONNECT }));
    await its.stack.delete('Q', shop());
    narrower(its.stack.takeExecuted());
    await expect(has()).resolves.toEqual(['CREATE']);

    const elsewhere = await events(
      { logicalId: 'S', declared: { database: 'postgres', lockOut: ['postgres'] } },
      { logicalId: 'R', declared: shop(), action: 'Delete' },
    );
    await its.stack.create('S', { database: 'postgres', lockOut: ['postgres'] });
    await its.stack.delete('R', shop());
    elsewhere(its.stack.takeExecuted());

    const back = await events(
      { logicalId: 'S', declared: { database: 'postgres', revoked: CONNECT, lockOut: ['postgres'] },
        before: { database: 'postgres', lockOut: ['postgres'] } },
      { logicalId: 'S', declared: { database: 'postgres', lockOut: ['postgres'] },
        before: { database: 'postgres', revoked: CONNECT } },
      { logicalId: 'S', declared: { database: 'postgres', lockOut: ['postgres'] }, action: 'Delete' },
    );
    await its.stack.update('S', { database: 'postgres', revoked: CONNECT, lockOut: ['postgres'] });
    await its.stack.update('S', { database: 'postgres', lockOut: ['postgres'] });
    await its.stack.delete('S', { database: 'postgres' });
    back(its.stack.takeExecuted());
    await expect(snapshot(its.server)).resolves.toEqual(its.untouched);
  });
});
