import { StackEvent } from '../../rehearsal/cloudformation/stack';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { execute } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

/**
 * The template of examples/shop, executed: what its users can do is found out by signing in with tokens of their roles.
 */
describe('examples/shop', () => {
  let rehearsal: Rehearsal;
  const events: StackEvent[] = [];
  let afterEvent: (event: StackEvent) => Promise<void> = () => Promise.resolve();

  beforeAll(async () => {
    rehearsal = await Rehearsal.start({
      onEvent: async (event) => {
        events.push(event);
        await afterEvent(event);
      },
    });
  });
  afterAll(() => rehearsal.close());

  const server = () =>
    rehearsal.database(rehearsal.resources('Shop').find(({ type }) => type === 'AWS::RDS::DBCluster')!);
  const as = (username: string, sql: string) => {
    const role = rehearsal
      .resources('Shop')
      .find(({ type, logicalId }) => type === 'AWS::IAM::Role' && logicalId.startsWith(`${username}role`))!;
    const password = server().token('', username, { credentials: rehearsal.credentialsOf(role) });
    return execute(server(), { username, password, database: 'shop' }, sql);
  };

  full.test(
    "tables of the migrations are the service's to write and the analysts' to read, and nothing is left in the end",
    async () => {
      const assembly = await synthesized('examples/shop/app.ts');
      await expect(rehearsal.deploy(assembly, 'Shop')).resolves.toMatchObject({ status: 'CREATE_COMPLETE' });

      // After the deployment: the privileges on it come from ALTER DEFAULT PRIVILEGES.
      await expect(as('migrator', 'CREATE TABLE orders (id serial PRIMARY KEY, item text)')).resolves.toEqual([]);
      await expect(as('orders', "INSERT INTO orders (item) VALUES ('tea') RETURNING id")).resolves.toEqual([{ id: 1 }]);
      await expect(as('grace', 'SELECT item FROM orders')).resolves.toEqual([{ item: 'tea' }]);

      await expect(as('grace', "INSERT INTO orders (item) VALUES ('x')")).resolves.toBe(
        'refused: 42501 permission denied for table orders',
      );
      await expect(as('grace', "SELECT nextval('orders_id_seq')")).resolves.toBe(
        'refused: 42501 permission denied for sequence orders_id_seq',
      );
      await expect(as('orders', 'CREATE TABLE mine ()')).resolves.toBe(
        'refused: 42501 permission denied for schema public',
      );
      await expect(as('orders', 'DROP TABLE orders')).resolves.toBe('refused: 42501 must be owner of table orders');

      rehearsal.logs.length = 0;
      await expect(rehearsal.deploy(assembly, 'Shop')).resolves.toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(rehearsal.logs).toEqual([]);

      const left: unknown[] = [];
      afterEvent = async ({ type, status, logicalId }) => {
        if (type.startsWith('Custom::') && status === 'DELETE_COMPLETE' && logicalId.startsWith('IamAuthmigrator')) {
          // The last of them: the server goes with the cluster. The migrator owns a table, so it stays, without access.
          left.push(
            ...(await server().sql(
              "SELECT rolname::text AS name, rolcanlogin AS login FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND NOT rolname = $1",
              [server().master.username],
            )),
          );
          left.push(...await server().sql('SELECT item FROM orders', [], 'shop'));
        }
      };
      await expect(rehearsal.destroy('Shop')).resolves.toMatchObject({ status: 'DELETE_COMPLETE' });
      expect(left).toEqual([{ name: 'migrator', login: false }, { item: 'tea' }]);
    },
  );
});
