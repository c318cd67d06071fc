import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { execute } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/settings-app.ts';

let rehearsal: Rehearsal;

const deploy = async (context: Record<string, string> = {}) =>
  (await rehearsal.deploy(await synthesized(APP, context), 'Shop')).status;
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
const settings = () =>
  server().sql(`
  SELECT rolname::text AS role, rolconnlimit AS "limit", (SELECT array_agg(c ORDER BY c) FROM pg_db_role_setting s, unnest(setconfig) c WHERE setrole = r.oid) AS parameters
  FROM pg_roles r WHERE rolname IN ('blue', 'green', 'orders') ORDER BY 1`);
const of = (limit: number, role: string) => [
  ...['blue', 'green'].map(name => ({ role: name, limit,
    parameters: [`role=${role}`, 'search_path="$user", public', `statement_timeout=${limit}000ms`, `work_mem=${limit}MB`] })),
  { role: 'orders', limit: -1, parameters: null },
];

full.describe('an app whose migrators act as one owner', () => {
  beforeAll(async () => {
    rehearsal = await Rehearsal.start();
  });
  afterAll(() => rehearsal.close());

  test('deployed, rolled back, changed with a rename of the owner, and removed', async () => {
    expect(await deploy()).toBe('CREATE_COMPLETE');
    expect(await settings()).toEqual(of(5, 'owner'));
    expect(await as('blue', 'CREATE TABLE made AS SELECT 7 AS id')).toEqual([]);
    expect(await as('green', 'ALTER TABLE made ADD n int')).toEqual([]);
    expect(await as('orders', 'SELECT id FROM made')).toEqual([{ id: 7 }]);

    expect(await deploy({ limit: '6', owner: 'shop_owner', fails: 'true' })).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await settings()).toEqual(of(5, 'owner'));
    expect(await as('green', 'SELECT session_user::text AS session, current_user::text AS acting')).toEqual([
      { session: 'green', acting: 'owner' },
    ]);

    expect(await deploy({ limit: '6', owner: 'shop_owner' })).toBe('UPDATE_COMPLETE');
    expect(await settings()).toEqual(of(6, 'shop_owner'));
    expect(await as('green', 'SELECT session_user::text AS session, current_user::text AS acting')).toEqual([
      { session: 'green', acting: 'shop_owner' },
    ]);
    expect(await as('orders', 'SELECT id FROM made')).toEqual([{ id: 7 }]);
    expect(await as('green', 'DROP TABLE made')).toEqual([]);
    expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });
});
