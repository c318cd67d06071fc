import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { execute } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/rename-app.ts';

let rehearsal: Rehearsal;
beforeEach(async () => {
  rehearsal = await Rehearsal.start();
  await deploy({ id: 'orders' });
  expect(await as('orders', 'CREATE TABLE notes AS SELECT 7 AS id')).toEqual([]);
});
afterEach(() => rehearsal.close());

async function deploy(context: { id: string; username?: string }): Promise<void> {
  rehearsal.logs.length = 0;
  const { reason } = await rehearsal.deploy(await synthesized(APP, { ...context }), 'Shop');
  expect(reason).toBeUndefined();
}

const resource = (type: string, id = ''): ResourceState =>
  rehearsal.resources('Shop').find(each => each.type === type && each.logicalId.startsWith(id))!;
const server = () => rehearsal.database(resource('AWS::RDS::DBCluster'));
const as = (username: string, sql: string) => {
  const credentials = rehearsal.credentialsOf(resource('AWS::IAM::Role', 'Service'));
  return execute(
    server(),
    { username, password: server().token('', username, { credentials }), database: 'shop' },
    sql,
  );
};
const owners = () => server().sql("SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'notes'", [], 'shop');
const users = async () =>
  (
    await server().sql<{ name: string }>(
      "SELECT rolname AS name FROM pg_roles WHERE pg_has_role(oid, 'rds_iam', 'MEMBER') AND rolname NOT IN ('postgres', 'rdsadmin') AND rolcanlogin ORDER BY 1",
    )
  ).map(({ name }) => name);
const kept = () =>
  rehearsal.logs
    .flatMap(({ text }) => text.split('\n'))
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as { notice?: string; username: string; reason: string })
    .filter(({ notice }) => notice === 'kept');

full.test(
  'another username under the same id is a rename: the table belongs to the user by its new name, and nothing was dropped',
  async () => {
    await deploy({ id: 'orders', username: 'purchases' });
    expect(await owners()).toEqual([{ owner: 'purchases' }]);
    expect(await as('purchases', 'SELECT id FROM notes')).toEqual([{ id: 7 }]);
    expect(await users()).toEqual(['purchases']);
    expect(kept()).toEqual([]);
    expect(await as('orders', 'SELECT id FROM notes')).toMatch(/^refused: /);
  },
);

full.test('another id with the username pinned is the same user, which can be renamed then', async () => {
  await deploy({ id: 'buyer', username: 'orders' });
  expect(await owners()).toEqual([{ owner: 'orders' }]);
  expect(await as('orders', 'SELECT id FROM notes')).toEqual([{ id: 7 }]);
  await deploy({ id: 'buyer', username: 'purchases' });
  expect(await owners()).toEqual([{ owner: 'purchases' }]);
  expect(await as('purchases', 'SELECT id FROM notes')).toEqual([{ id: 7 }]);
  expect(await users()).toEqual(['purchases']);
  expect(kept()).toEqual([]);
});

full.test(
  'another id without that is another user: the former one keeps the table, without access, and the log says how to rename; which works then',
  async () => {
    await deploy({ id: 'purchases' });
    expect(await owners()).toEqual([{ owner: 'orders' }]);
    expect(await users()).toEqual(['purchases']);
    expect(await as('purchases', 'SELECT id FROM notes')).toBe('refused: 42501 permission denied for table notes');
    expect(kept()).toMatchObject([{
      username: 'orders',
      reason:
        'it has no access any more, but was not dropped because objects depend on it; if this was to be a rename, it needs another username under the same construct id, '
        + 'because another construct id makes another role: deploy the former id and name again, then give that id the new name as username',
    }]);

    await deploy({ id: 'orders' });
    expect(await as('orders', 'SELECT id FROM notes')).toEqual([{ id: 7 }]);
    await deploy({ id: 'orders', username: 'purchases' });
    expect(await owners()).toEqual([{ owner: 'purchases' }]);
    expect(await users()).toEqual(['purchases']);
  },
);
