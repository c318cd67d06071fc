import { readFileSync } from 'node:fs';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { StackEvent } from '../../rehearsal/cloudformation/stack';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { execute, signIn } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/admin-app.ts';

/** As somebody would copy it. */
const [, SQL] = /### From the master to a role of its own[^]*?```sql\n([^]*?)```/.exec(
  readFileSync('docs/admin.md', 'utf8'),
)!;

full.describe.each([
  ['15.15', 'password'], ['17.7', 'iam-db-auth'], ['17.7', 'password'],
])('from the master to a role of its own, on PostgreSQL %s, with a master that signs in by %s', (version, master) => {
  const events: StackEvent[] = [];
  let rehearsal: Rehearsal;
  let left: unknown;
  beforeAll(async () => {
    rehearsal = await Rehearsal.start({
      onEvent: async (event) => {
        events.push(event);
        if (event.type.startsWith('Custom::') && event.status === 'DELETE_COMPLETE') {
          left = await roles();
        }
      },
    });
  });
  afterAll(() => rehearsal.close());

  const server = (): AuroraLikeServer =>
    rehearsal.database(rehearsal.resources('Shop').find(({ type }) => type === 'AWS::RDS::DBCluster')!);
  const roles = async () =>
    (
      await server().sql<{ name: string; login: boolean }>(
        "SELECT rolname::text AS name, rolcanlogin AS login FROM pg_roles WHERE rolname !~ '^(pg_|rds)' ORDER BY 1",
      )
    ).filter(({ name }) => name !== server().master.username);
  const deploy = async (context: Record<string, string>) => {
    rehearsal.logs.length = 0;
    const result = await rehearsal.deploy(await synthesized(APP, { version, master, ...context }), 'Shop');
    expect(result.reason).toBeUndefined();
    return result;
  };
  const notices = (...names: string[]) =>
    rehearsal.logs
      .flatMap(({ text }) => text.split('\n'))
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as { notice: string; change?: string })
      .filter(({ notice }) => names.includes(notice));
  const token = (username: string, logicalId: string) =>
    server().token('', username, {
      credentials: rehearsal.credentialsOf(
        rehearsal
          .resources('Shop')
          .find(each => each.type === 'AWS::IAM::Role' && each.logicalId.startsWith(logicalId))!,
      ),
    });
  const asUser = (username: string, sql: string) =>
    execute(server(), { username, password: token(username, `${username}role`), database: 'shop' }, sql);
  const asMaster = () => ({
    username: server().master.username, database: 'postgres',
    password: master === 'password' ? server().master.password : token('postgres', 'IamAuthProvisionerHandlerRole'),
  });

  test('the users stay as they are, and are the provisioner\'s to change and to remove', async () => {
    await deploy(master === 'password' ? {} : { admin: 'postgres' });
    await expect(asUser('migrator', 'CREATE TABLE items (name text)')).resolves.toEqual([]);
    const before = await roles();

    expect(await execute(server(), asMaster(), SQL)).toBeUndefined();
    await expect(signIn(server(), asMaster())).resolves.toBe('signed in as postgres');

    await deploy({ admin: 'provisioner' });
    expect(notices('started')).toHaveLength(6);
    expect(notices('changing', 'kept', 'not taken back')).toEqual([]);
    expect(await roles()).toEqual(
      [...before, { name: 'owners', login: false }, { name: 'provisioner', login: true }].sort((a, b) =>
        a.name < b.name ? -1 : 1,
      ),
    );
    await expect(asUser('orders', "INSERT INTO items VALUES ('tea') RETURNING name")).resolves.toEqual([
      { name: 'tea' },
    ]);
    await expect(asUser('ada', 'SELECT name FROM items')).resolves.toEqual([{ name: 'tea' }]);

    // Privileges, memberships and users that the master has given are taken back, and new ones are given.
    await deploy({ admin: 'provisioner', fewer: 'true' });
    expect(notices('not taken back')).toEqual([]);
    await expect(asUser('orders', "INSERT INTO items VALUES ('x')")).resolves.toBe(
      'refused: 42501 permission denied for table items',
    );
    await expect(asUser('orders', 'SELECT name FROM items')).resolves.toEqual([{ name: 'tea' }]);
    await expect(asUser('ada', 'SELECT name FROM items')).resolves.toBe(
      'refused: 42501 permission denied for table items',
    );
    await expect(asUser('new', 'SELECT name FROM items')).resolves.toEqual([{ name: 'tea' }]);
    expect((await roles()).filter(({ name }) => ['old', 'kept'].includes(name))).toEqual([
      { name: 'kept', login: false },
    ]);
    expect(
      await server().sql("SELECT FROM pg_auth_members WHERE roleid = 'rds_iam'::regrole AND member = 'kept'::regrole"),
    ).toEqual([]);

    await expect(rehearsal.destroy('Shop')).resolves.toMatchObject({ status: 'DELETE_COMPLETE' });
    expect(left).toEqual([
      { name: 'kept', login: false },
      { name: 'migrator', login: false },
      { name: 'owners', login: false },
      { name: 'provisioner', login: true },
    ]);
  });
});

full.test(
  'a provisioner that may sign in as another user only: the deployment fails, says so, and is rolled back',
  async () => {
    const rehearsal = await Rehearsal.start();
    try {
      const assembly = await synthesized('examples/no-password/app.ts');
      const [stack] = assembly.stacks;
      const template = JSON.parse(
        JSON.stringify(stack.template).replaceAll('"/postgres"', '"/postgres2"'),
      ) as typeof stack.template;
      expect(template).not.toEqual(stack.template);
      const { status, reason } = await rehearsal.deploy(
        Object.create(assembly, { stacks: { value: [{ ...stack, template }] } }) as CloudAssembly,
        stack.name,
      );
      expect(status).toBe('ROLLBACK_COMPLETE');
      expect(reason).toMatch(
        /: cannot sign in to .* as the admin: PAM authentication failed \(SQLSTATE 28000\); its token was refused: check that the role of the provisioner may rds-db:connect as this user/,
      );
    } finally {
      await rehearsal.close();
    }
  },
);
