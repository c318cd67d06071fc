import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { dropAllBut } from './clean-up';
import { until } from './clocks';
import { takeLock } from './provisioners-lock';
import { throughDataApi } from './over-data-api';
import { Declared, PlannedEvent, setups, Stack, trust } from './stack';

/** The SQL of a plan, by database. */
function sqlOf({ resources }: Awaited<ReturnType<Stack['plan']>>): { database: string; sql: string }[] {
  return resources.flatMap(({ changes }) =>
    changes.flatMap(({ database, sql }) => sql.map(one => ({ database, sql: one }))),
  );
}

describe.each(setups('17, plain'))('on PostgreSQL $name', ({ major, roleRules }) => {
  let server: AuroraLikeServer;
  beforeAll(async () => {
  // Nothing writes but what the tests do.
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], settings: { autovacuum: 'off' } });
    trust(server.caCertificate);
  });
  afterAll(() => server.stop());

  const cleanUp = () => dropAllBut(server, { roles: [], databases: ['shop'] });

  /** The number of the next transaction that writes. */
  const nextTransaction = async () =>
    (await server.sql<{ next: string }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next'))[0].next;

  describe('a plan', () => {
    let stack: Stack;
    beforeEach(async () => {
      await server.sql(
        'SET ROLE postgres; CREATE TABLE orders (id int, customer text); CREATE TABLE items (id int); CREATE OR REPLACE FUNCTION total(int) RETURNS int LANGUAGE sql RETURN 1; RESET ROLE',
        [],
        'shop',
      );
      stack = new Stack(server);
    });
    afterEach(cleanUp);

    const orders: Declared = {
      username: 'orders',
      privileges: {
        shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } },
      },
    };
    const reader: Declared = {
      roleName: 'reader',
      privileges: { shop: { Database: ['CONNECT'], Schemas: { public: { Tables: { orders: ['SELECT'] } } } } },
    };
    const member: Declared = { username: 'member', connect: [], memberOf: ['reader'] };
    const owner: Declared = {
      username: 'owner',
      privileges: { shop: { Database: ['CONNECT'], Schemas: { app: { Owner: 'true' } } } },
    };
    const guest: Declared = {
      username: 'guest',
      privileges: {
        shop: {
          Schemas: {
            app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] }, FutureObjects: { owner: { Tables: ['SELECT'] } } },
          },
        },
      },
    };

    /** Plans events, then sends them; the plan has to be what was executed. */
    async function planAndDeploy(events: PlannedEvent[]): Promise<string[]> {
      const before = await nextTransaction();
      const planned = await stack.plan(...events);
      expect(stack.takeExecuted()).toEqual([]);
      await expect(nextTransaction()).resolves.toBe(before);
      for (const { logicalId, declared, before, action } of events) {
        if (action === 'Delete') {
          await stack.delete(logicalId, declared);
        } else if (before === undefined) {
          await stack.create(logicalId, declared);
        } else {
          await stack.update(logicalId, declared);
        }
      }
      const sql = sqlOf(planned);
      expect(planned.resources.flatMap(({ problem }) => problem ?? [])).toEqual([]);
      expect(stack.takeExecuted()).toEqual(sql);
      return sql.map(one => one.sql);
    }

    test('a user, and its removal', async () => {
      await expect(planAndDeploy([{ logicalId: 'A', declared: orders }])).resolves.toMatchInlineSnapshot(`
[
  "CREATE USER "orders" NOLOGIN",
  "GRANT USAGE ON SCHEMA "public" TO "orders"",
  "GRANT SELECT ON TABLE "public"."items", "public"."orders" TO "orders"",
  "GRANT CONNECT ON DATABASE "shop" TO "orders"",
  "GRANT rds_iam TO "orders"",
  "ALTER USER "orders" LOGIN",
]
`);
      await expect(planAndDeploy([{ logicalId: 'A', declared: orders, before: orders }])).resolves.toEqual([]);
      await expect(planAndDeploy([{ logicalId: 'A', declared: orders, action: 'Delete' }])).resolves.toContain(
        'DROP ROLE "orders"',
      );
    });

    test('a whole deployment, in which one resource needs what another makes', async () => {
      await planAndDeploy([
        { logicalId: 'A', declared: reader },
        { logicalId: 'B', declared: member },
        { logicalId: 'C', declared: owner },
        { logicalId: 'D', declared: guest },
      ]);
    });

    full.test('a change, and a removal', async () => {
      await planAndDeploy([
        { logicalId: 'A', declared: orders },
        { logicalId: 'B', declared: reader },
        { logicalId: 'C', declared: member },
      ]);
      const less: Declared = {
        username: 'orders',
        privileges: { shop: { Schemas: { public: { Tables: { items: ['INSERT'] } } } } },
      };
      await planAndDeploy([{ logicalId: 'A', declared: less, before: orders }]);
      await planAndDeploy([{ logicalId: 'A', declared: less, action: 'Delete' }]);
    });

    full.test(
      'a removal of roles that hold something in different databases, that of the registry among them',
      async () => {
        await server.sql('CREATE DATABASE archive OWNER postgres');
        for (const database of ['archive', 'postgres']) {
          await server.sql(
            'SET ROLE postgres; CREATE SCHEMA app; CREATE TABLE app.events (id int); RESET ROLE',
            [],
            database,
          );
        }
        const app = { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } } } };
        const list: Declared = { usernames: ['zoe', 'ada'], connect: [], privileges: { postgres: app } };
        await planAndDeploy([
          { logicalId: 'L', declared: list },
          {
            logicalId: 'A',
            declared: { username: 'amy', privileges: { archive: app, shop: { Database: ['CREATE'] } } },
          },
        ]);
        await server.sql('GRANT USAGE ON SCHEMA app TO ada', [], 'archive');
        await server.sql('GRANT SELECT ON orders TO ada, zoe', [], 'shop');
        await server.sql('GRANT CREATE ON DATABASE archive TO zoe');
        const sql = await planAndDeploy([
          { logicalId: 'L', declared: list, action: 'Delete' },
          { logicalId: 'A', declared: { username: 'amy' }, action: 'Delete' },
        ]);
        expect(sql.filter(one => one.startsWith('DROP ROLE'))).toEqual(
          ['ada', 'zoe', 'amy'].map(name => `DROP ROLE "${name}"`),
        );
      },
    );

    test('is made without a transaction that could write', async () => {
      await stack.create('A', orders);
      const before = await nextTransaction();
      const { resources } = await stack.plan(
        { logicalId: 'A', declared: { ...orders, exclusive: true }, before: orders },
        { logicalId: 'B', declared: owner },
        { logicalId: 'C', declared: orders, action: 'Delete' },
      );
      expect(resources.map(({ problem }) => problem)).toEqual([undefined, undefined, undefined]);
      await stack.drift({ undeclared: true });
      await expect(nextTransaction()).resolves.toBe(before);
    });

    test('says why an event would fail, and plans the others', async () => {
      await server.sql('CREATE ROLE theirs LOGIN');
      const { resources } = await stack.plan(
        { logicalId: 'A', declared: { username: 'theirs' } },
        { logicalId: 'B', declared: { username: 'pg_wrong' } },
        { logicalId: 'C',
          declared: { username: 'c', privileges: { shop: { Schemas: { public: { Tables: { none: ['SELECT'] } } } } } } },
        { logicalId: 'D', declared: orders },
      );
      const found = new Map(resources.map(({ logicalId, problem, changes }) => [logicalId, problem ?? changes.length]));
      expect(found.get('A')).toContain('role "theirs" exists already and was not created by this library');
      expect(found.get('B')).toContain('"pg_wrong"');
      expect(found.get('C')).toBe(
        'there is no table or view "none" in schema "public" in database "shop"; create it before this deployment, or correct its name',
      );
      expect(found.get('D')).toBe(6);
    });

    describe('sees where memberships lead, through roles that the same deployment makes', () => {
      const group = (roleName: string, ...memberOf: string[]): Declared => ({ roleName, memberOf });
      const declared = (...resources: Declared[]): PlannedEvent[] =>
        resources.map((one, index) => ({ logicalId: `R${index}`, declared: one }));

      /** What the plan says of each resource, which must be what becomes of it. */
      async function planAndTry(events: PlannedEvent[]): Promise<(string | undefined)[]> {
        const { resources } = await stack.plan(...events);
        const executed: (string | undefined)[] = [];
        for (const { logicalId, declared: one, before } of events) {
          executed.push(
            await (before === undefined ? stack.create(logicalId, one) : stack.update(logicalId, one)).then(
              () => undefined,
              (error: Error) => error.message,
            ),
          );
        }
        // The server words it, where it refuses.
        const problems = events.map(({ logicalId }) => resources.find(one => one.logicalId === logicalId)!.problem);
        expect(problems).toEqual(executed.map(message => message?.replace(' (SQLSTATE 42704)', '')));
        return executed;
      }

      /** What both say of strong roles. */
      const strong = (notes: { notice: string }[]) =>
        notes
          .filter(({ notice }) => notice === 'strong role')
          .map(({ role, memberOf, leadsTo }: { [field: string]: unknown }) => [role, memberOf, leadsTo]);

      const GRANT = 'GRANT rds_superuser TO postgres WITH ADMIN OPTION';
      afterAll(() => server.sql('REVOKE ADMIN OPTION FOR rds_superuser FROM postgres'));

      test('to a superuser: refused', async () => {
        await server.sql('CREATE ROLE strong SUPERUSER');
        await planAndTry(declared(group('inner'), group('outer', 'inner')));
        await server.sql('GRANT strong TO inner');
        const refusals = await planAndTry([
          { logicalId: 'R1', declared: group('renamed', 'inner'), before: group('outer', 'inner') },
          { logicalId: 'R2', declared: { username: 'dba', memberOf: ['renamed'] } },
        ]);
        expect(refusals).toEqual([
          undefined,
          expect.stringContaining('"dba" cannot be a member of "renamed": it leads to "strong", which is a superuser'),
        ]);
      });

      full.test('to rds_superuser, which is granted with a note', async () => {
        await server.sql(GRANT);
        const events = declared(group('dbas', 'rds_superuser'), group('oncall', 'dbas'), {
          username: 'ada',
          memberOf: ['oncall'],
        });
        const { resources } = await stack.plan(...events);
        await planAndTry(events);
        expect(
          resources.map(({ notes }) => strong(notes).filter(([, , leadsTo]) => leadsTo === 'rds_superuser')),
        ).toEqual([
          [['dbas', 'rds_superuser', 'rds_superuser']],
          [['oncall', 'dbas', 'rds_superuser']],
          [['ada', 'oncall', 'rds_superuser']],
        ]);
        expect(strong(stack.log)).toEqual(resources.flatMap(({ notes }) => strong(notes)));
      });

      test('not any more where the same deployment takes a membership back, or renames what leads there', async () => {
        await server.sql(GRANT);
        await planAndTry(declared(group('dbas', 'rds_superuser'), group('lead', 'dbas')));
        const events: PlannedEvent[] = [
          { logicalId: 'R0', declared: group('dbas'), before: group('dbas', 'rds_superuser') },
          { logicalId: 'R1', declared: group('chiefs', 'dbas'), before: group('lead', 'dbas') },
          { logicalId: 'R2', declared: { username: 'ada', memberOf: ['chiefs'] } },
        ];
        const { resources } = await stack.plan(...events);
        stack.log.splice(0);
        await planAndTry(events);
        expect(resources.flatMap(({ notes }) => strong(notes))).toEqual([]);
        expect(strong(stack.log)).toEqual([]);
      });

      full.test('to rds_iam: a group role that leads to a user is refused', async () => {
        const refusals = await planAndTry(
          declared({ username: 'person' }, group('team', 'person'), group('company', 'team')),
        );
        expect(refusals).toEqual([
          undefined,
          expect.stringContaining('role "team" would be a member of rds_iam (team -> person -> rds_iam)'),
          expect.stringContaining('role "team" does not exist'),
        ]);
      });
    });

    test('takes no lock: it is made while a deployment is under way, and says so', async () => {
      await stack.create('A', orders);
      const { log } = stack;
      const { password } = server.master;
      const holder = new Client({
        host: server.host,
        port: server.port,
        user: 'postgres',
        password,
        database: 'postgres',
        ssl: { rejectUnauthorized: true },
      });
      await holder.connect();
      await takeLock(holder);
      const { underWay, resources } = await stack.plan({ logicalId: 'B', declared: reader });
      expect(underWay).toMatch(/^pid \d+ \(role postgres/);
      expect(resources[0].changes).not.toEqual([]);
      expect(log.map(({ notice }) => notice)).not.toContain('waiting');
      await holder.end();
      expect((await stack.plan({ logicalId: 'B', declared: reader })).underWay).toBeUndefined();
    });

    full.test('larger than what Lambda passes on is an error that says how to narrow it', async () => {
      const table = (n: number) => `t${n}_`.padEnd(63, 'x');
      await server.sql(
        `SET ROLE postgres; ${[...Array(250).keys()].map(n => `CREATE TABLE ${table(n)} ()`).join(';')}`,
        [],
        'shop',
      );
      const events = (count: number) =>
        [...Array(count).keys()].map((n): PlannedEvent => ({
          logicalId: `U${n}`,
          declared: { ...orders, username: `user${n}` },
        }));
      await expect(stack.plan(...events(450))).rejects.toThrow(
        /^the plan has \d{7} bytes, and Lambda passes on 6000000; ask for fewer resources at once: --only on the command line/,
      );
      expect((await stack.plan(...events(20))).resources).toHaveLength(20);
    });

    test.each([
      ['an event of CloudFormation',
        { RequestType: 'Delete', RequestId: 'r', StackId: 's', LogicalResourceId: 'A',
          ResourceType: 'Custom::RdsIamUser', ResourceProperties: {} }],
      ['another property', { resources: [], execute: true }],
      ['a resource with another property',
        { resources: [{ RequestType: 'Create', StackId: 'other', LogicalResourceId: 'A',
          ResourceType: 'Custom::RdsIamUser', ResourceProperties: {} }] }],
      ['no list', { resources: { 0: {} } }],
      ['a resource that is none', { resources: [null] }],
      ['__proto__', JSON.parse('{ "resources": [], "__proto__": { "signIn": {} } }') as unknown],
      ['nothing', undefined],
      ['a text', 'resources'],
    ])('refuses %s', async (_, event) => {
      await expect(stack.planOf(event)).rejects.toThrow(/ is not allowed: /);
    });

    test.each(firstOf(2, [
      ['another request type', { RequestType: 'Execute' }],
      ['another resource type', { ResourceType: 'Custom::Other' }],
      ['a logical id that is none', { LogicalResourceId: '../A' }],
      ['a name that no role can have',
        { ResourceProperties: { Username: 'a\0', Privileges: {}, OnRemoval: { Action: 'DROP_OR_DISABLE' } } }],
    ]))('of a resource with %s is the refusal of the event', async (_, others) => {
      const resource = {
        RequestType: 'Create',
        LogicalResourceId: 'A',
        ResourceType: 'Custom::RdsIamUser',
        ResourceProperties: { Username: 'a', Privileges: {}, OnRemoval: { Action: 'DROP_OR_DISABLE' } },
        ...others,
      };
      const { resources } = await stack.planOf({ resources: [resource] });
      expect(resources).toEqual([
        expect.objectContaining({ changes: [], problem: expect.stringMatching(/not (allowed|valid)/) as string }),
      ]);
    });

    test('is of the database and the stack that the function was deployed for, whatever the event says', async () => {
      await stack.create('A', orders);
      const [other] = [new Stack(server, { name: 'other', resourceId: 'cluster-OTHER' })];
      const event = (properties: object) => ({
        resources: [
          {
            RequestType: 'Delete',
            LogicalResourceId: 'A',
            PhysicalResourceId: `${server.resourceId}/orders/A`,
            ResourceType: 'Custom::RdsIamUser',
            ResourceProperties: { Username: 'orders', ...properties },
          },
        ],
      });
      const { resources: [{ changes }] } = await other.planOf(event({ Database: { ResourceId: server.resourceId } }));
      expect(changes).toEqual([]); // the role of another stack
      await expect(stack.planOf(event({ Database: { ResourceId: 'cluster-OTHER' } }))).resolves.toMatchObject({
        resources: [
          { changes: expect.arrayContaining([expect.objectContaining({ sql: ['DROP ROLE "orders"'] })]) as unknown[] },
        ],
      });
      await expect(stack.drift()).resolves.toMatchObject({ driftedRoles: 0 });
    });

    test('of names that are made to be SQL executes nothing, and writes them as they are', async () => {
      const username = '"; DROP TABLE orders; --\'';
      const before = await nextTransaction();
      const { resources: [{ changes }] } = await stack.plan({ logicalId: 'A', declared: { ...orders, username } });
      expect(changes[0].sql).toEqual(['CREATE USER """; DROP TABLE orders; --\'" NOLOGIN']);
      await expect(nextTransaction()).resolves.toBe(before);
    });
  });

  describe.each(firstOf(1, ['connections', 'the Data API']))('why a role cannot sign in, over %s', (transport) => {
    let stack: Stack;
    beforeAll(async () => {
      stack = new Stack(server, transport === 'the Data API' ? { transport: throughDataApi(server) } : {});
      await stack.create('A', { username: 'orders' });
      await server.sql('REVOKE CONNECT ON DATABASE shop FROM PUBLIC');
      // Connections are counted: those of the tests before are none.
      await until(
        async () =>
          (await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop'")).length
          === 0,
      );
    });
    afterAll(async () => {
      await server.sql('GRANT CONNECT ON DATABASE shop TO PUBLIC; ALTER DATABASE shop CONNECTION LIMIT -1');
      await cleanUp();
    });

    const ask = (username: string, database?: string) => stack.signIn(username, database);
    const role = { canLogIn: true, isInRdsIam: true, isInRdsAd: false, limit: { max: -1, used: 0 } };

    test('is answered with names, attributes and numbers alone', async () => {
      const facts = await ask('orders');
      expect(facts).toEqual({
        resourceId: server.resourceId,
        roles: [{ name: 'orders', ...role }],
        database: { allowsConnections: true, mayConnect: true, limit: { max: -1, used: 0 } },
        server: { max: expect.any(Number) as number, used: expect.any(Number) as number },
      });
      expect(facts.server.max).toBeGreaterThan(facts.server.used);
    });

    test('of a role that is not there: others that differ in upper and lower case alone', async () => {
      await server.sql('CREATE ROLE "Reader" LOGIN CONNECTION LIMIT 3; CREATE ROLE "READER"; GRANT rds_ad TO "READER"');
      const { roles, database } = await ask('reader');
      expect(roles).toEqual([
        { name: 'READER', canLogIn: false, isInRdsIam: false, isInRdsAd: true, limit: { max: -1, used: 0 } },
        { name: 'Reader', canLogIn: true, isInRdsIam: false, isInRdsAd: false, limit: { max: 3, used: 0 } },
      ]);
      expect(database).toMatchObject({ mayConnect: null });
      await expect(ask('Reader')).resolves.toMatchObject({
        roles: [{ name: 'Reader' }, { name: 'READER' }],
        database: { mayConnect: false },
      });
      await expect(ask('nobody', 'none')).resolves.toMatchObject({ roles: [], database: null });
    });

    test('counts the connections of others, and not its own', async () => {
      await server.sql(
        "ALTER DATABASE shop CONNECTION LIMIT 5; CREATE ROLE clerk LOGIN PASSWORD 'of the clerk' CONNECTION LIMIT 2; GRANT CONNECT ON DATABASE shop TO clerk",
      );
      const client = new Client({
        host: server.host,
        port: server.port,
        user: 'clerk',
        password: 'of the clerk',
        database: 'shop',
        ssl: { rejectUnauthorized: true },
      });
      await client.connect();
      try {
        await expect(ask('clerk')).resolves.toMatchObject({
          roles: [{ limit: { max: 2, used: 1 } }],
          database: { limit: { max: 5, used: 1 } },
        });
        if (transport === 'connections') {
          const [{ others }] = await server.sql<{ others: number }>(
            "SELECT count(*)::int AS others FROM pg_stat_activity WHERE datname = 'postgres' AND application_name <> 'cdk-aurora-iam-auth'",
          );
          await expect(ask('clerk', 'postgres')).resolves.toMatchObject({
            roles: [{ limit: { used: 1 } }],
            database: { limit: { used: others } },
          });
        }
      } finally {
        await client.end();
      }
    });

    test('does not know what RDS makes of the ADMIN option alone', async () => {
      await server.sql('CREATE ROLE deputy LOGIN');
      await server.sql(
        major < 16
          ? 'GRANT rds_iam TO deputy WITH ADMIN OPTION'
          : 'GRANT rds_iam TO deputy WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
      );
      await expect(ask('deputy')).resolves.toMatchObject({ roles: [{ isInRdsIam: major < 16 ? true : null }] });
    });

    test.each([
      ['another property', { signIn: { username: 'a', database: 'b', password: 'c' } }],
      ['resources as well', { signIn: { username: 'a', database: 'b' }, resources: [] }],
      ['no database', { signIn: { username: 'a' } }],
      ['no text', { signIn: { username: ['a'], database: 'b' } }],
      ['a name that is empty', { signIn: { username: '', database: 'b' } }],
      ['a name of 64 bytes', { signIn: { username: 'a', database: 'ü'.repeat(32) } }],
      ['a name with U+0000', { signIn: { username: 'a\0', database: 'b' } }],
    ])('refuses %s', async (_, event) => {
      await expect(stack.planOf(event)).rejects.toThrow(/ is not allowed: /);
    });

    test.each(firstOf(2, ["'; DROP ROLE orders; --", "\\'", ':name', 'a"b', '\n', '${x}', '$1', `${'x'.repeat(63)}`]))(
      'takes %j for a name',
      async (name) => {
        const before = await nextTransaction();
        await expect(ask(name, name)).resolves.toMatchObject({ roles: [], database: null });
        await expect(nextTransaction()).resolves.toBe(before);
      },
    );
  });

  describe('drift', () => {
    let stack: Stack;
    beforeAll(async () => {
      stack = new Stack(server);
      await stack.create('A', { username: 'orders' });
      await stack.create('L', { usernames: ['lea', 'leo'] });
      await stack.create('G', { roleName: 'readers', privileges: { shop: { Database: ['TEMPORARY'] } } });
    });
    beforeEach(() => void stack.log.splice(0));
    afterAll(cleanUp);

    const differences = async () => {
      const { resources, driftedRoles } = await stack.drift();
      return {
        driftedRoles,
        sql: resources.flatMap(({ names, changes }) => changes.map(({ sql }) => [names.join(), ...sql])),
      };
    };

    test('is none after a deployment', async () => {
      await expect(differences()).resolves.toEqual({ driftedRoles: 0, sql: [] });
      expect(stack.log.filter(({ notice }) => notice.startsWith('drift'))).toEqual([
        expect.objectContaining({ notice: 'drift checked', driftedRoles: 0 }),
      ]);
    });

    test('is what was changed by hand, and what the next event takes back', async () => {
      await server.sql(
        'ALTER ROLE orders NOLOGIN; REVOKE CONNECT ON DATABASE shop FROM leo; REVOKE TEMPORARY ON DATABASE shop FROM readers',
      );
      await expect(differences()).resolves.toEqual({
        driftedRoles: 3,
        sql: [
          ['orders', 'ALTER USER "orders" LOGIN'],
          ['readers', 'GRANT TEMPORARY ON DATABASE "shop" TO "readers"'],
          ['lea,leo', 'GRANT CONNECT ON DATABASE "shop" TO "leo"'],
        ],
      });
      expect(stack.log.filter(({ notice }) => notice === 'drift')).toEqual([
        expect.objectContaining({ logicalId: 'A', names: 'orders', change: 'allow user "orders" to log in' }),
        expect.objectContaining({ logicalId: 'G', names: 'readers' }),
        expect.objectContaining({ logicalId: 'L', names: 'lea, leo', change: 'grant CONNECT on database "shop" to "leo"' }),
      ]);
      await stack.update('A', { username: 'orders' });
      await expect(differences()).resolves.toMatchObject({ driftedRoles: 2 });
      await server.sql('GRANT CONNECT ON DATABASE shop TO leo; GRANT TEMPORARY ON DATABASE shop TO readers');
    });

    test('of some resources is what differs of these, and no record for the metric', async () => {
      await server.sql('ALTER ROLE orders NOLOGIN; REVOKE CONNECT ON DATABASE shop FROM leo');
      const { only, resources, driftedRoles } = await stack.drift({ only: ['A', 'G', 'unknown'] });
      expect({ only, driftedRoles, names: resources.map(({ names }) => names) }).toEqual({
        only: ['A', 'G', 'unknown'],
        driftedRoles: 1,
        names: [['orders'], ['readers']],
      });
      expect(stack.log.filter(({ notice }) => notice === 'drift checked')).toEqual([]);
      await server.sql('ALTER ROLE orders LOGIN; GRANT CONNECT ON DATABASE shop TO leo');
    });

    test('lists logins that no stack declares, where it is asked', async () => {
      await server.sql(
        "CREATE ROLE someone LOGIN VALID UNTIL '2030-01-01'; CREATE ROLE token_only NOLOGIN; GRANT rds_iam TO token_only; CREATE ROLE nobody NOLOGIN",
      );
      expect((await stack.drift()).undeclared).toBeUndefined();
      const { undeclared } = await stack.drift({ undeclared: true });
      expect(undeclared!.map(({ role }) => role)).toEqual(['postgres', 'rdsadmin', 'someone', 'token_only']);
      expect(undeclared!.find(({ role }) => role === 'someone')).toMatchObject({
        canLogin: true,
        withToken: false,
        isSuperuser: false,
        createsRoles: false,
        validUntil: expect.stringContaining('2030') as string,
      });
      expect(undeclared!.find(({ role }) => role === 'token_only')).toMatchObject({ canLogin: false, withToken: true });
      await server.sql('DROP ROLE someone, token_only, nobody');
    });

    test('of a login that has the ADMIN option alone on rds_iam does not say that it signs in with a token, nor that it does not', async () => {
      const [adminOnly, member]
        = major < 16 ? ['WITH ADMIN OPTION', ''] : ['WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', 'WITH INHERIT FALSE'];
      await server.sql(
        `CREATE ROLE deputy LOGIN; GRANT rds_iam TO deputy ${adminOnly}; CREATE ROLE member LOGIN; GRANT rds_iam TO member ${member}`,
      );
      const { undeclared } = await stack.drift({ undeclared: true });
      // 16 and newer give the creator of a role the ADMIN option on it; Amazon RDS is said not to.
      const postgres = major >= 16 && roleRules === 'plain' ? null : false;
      expect(Object.fromEntries(undeclared!.map(({ role, withToken }) => [role, withToken]))).toEqual({
        deputy: major < 16 ? true : null,
        member: true,
        postgres,
        rdsadmin: false,
      });
    });

    test.each([{ undeclared: 'yes' }, { only: 'A' }, { only: [1] }, { StackId: 'other' }, []])(
      'refuses %p',
      async (event) => {
        await expect(stack.drift(event)).rejects.toThrow(/ is not allowed: /);
      },
    );

    test('is a role that is gone', async () => {
      await server.sql('REVOKE ALL ON DATABASE shop FROM orders; DROP ROLE orders');
      const { sql } = await differences();
      expect(sql[0]).toEqual(['orders', 'CREATE USER "orders" NOLOGIN']);
    });

    test('cannot be told of roles whose records are not understood, and says so', async () => {
      await server.sql("UPDATE cdk_aurora_iam_auth.managed_role SET declarations = '{\"format\": 9}'");
      const { resources, driftedRoles } = await stack.drift();
      expect(driftedRoles).toBe(4);
      expect(resources.map(({ names, problem }) => [...names, /format|version/.test(problem!)])).toEqual(
        ['orders', 'readers', 'lea', 'leo'].map(name => [name, true]),
      );
    });
  });
});
