import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { failure, setups, Stack, trust, User } from './stack';

/** As JSON, more than one message of the server may have. */
const LARGE = 'repeat(chr(1), 12000000)';

/** Settings that a role makes for itself, as PostgreSQL lets each of them. */
describe.each(setups('17, plain'))('settings of its own on PostgreSQL $name', ({ major, roleRules }) => {
  let server: AuroraLikeServer;
  let stack: Stack;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
  });
  beforeEach(() => stack = new Stack(server));
  afterAll(() => server.stop());

  const mallory = (settings?: User['settings'], more: Partial<User> = {}): User => ({
    username: 'mallory',
    settings,
    ...more,
  });

  const setLarge = (parameter: string) => server.sql(`SET SESSION AUTHORIZATION mallory; DO $$BEGIN
      EXECUTE format('ALTER ROLE mallory SET ${parameter} = %L', ${LARGE});
      EXECUTE format('ALTER ROLE mallory IN DATABASE shop SET ${parameter} = %L', ${LARGE});
    END$$; RESET SESSION AUTHORIZATION`);

  const stored = async () =>
    (
      await server.sql<{ line: string }>(`
    SELECT coalesce(datname || ': ', '') || left(c, 30) AS line FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase CROSS JOIN unnest(setconfig) c ORDER BY 1`)
    ).map(({ line }) => line);

  test('do not keep a user from being removed, however large they are', async () => {
    await stack.create('A', mallory());
    await setLarge('application_name');
    await stack.delete('A', mallory());
    await expect(server.sql("SELECT FROM pg_roles WHERE rolname = 'mallory'")).resolves.toEqual([]);
  }, 60_000);

  test('give way to what is declared, however large they are, and do not come back when that is undone', async () => {
    const declared = { Parameters: { search_path: ['app'] } };
    await stack.create('A', mallory(declared));
    await setLarge('search_path');
    expect(
      await failure(
        stack.update(
          'A',
          mallory(declared, {
            privileges: { shop: { Database: ['CONNECT'], Schemas: { nowhere: { Schema: ['USAGE'] } } } },
          }),
        ),
      ),
    ).toContain('nowhere');
    await stack.update('A', mallory(declared, { reapply: 'again' }));
    await expect(stored()).resolves.toEqual(['search_path=app']);
    await stack.delete('A', mallory(declared));
  }, 60_000);

  test('of a list that fills what may be declared are compared name by name', async () => {
    const declared = {
      Parameters: {
        search_path: [
          ...Array.from({ length: 7 }, (_, n) => `${n}${'"'.repeat(62)}`),
          ...Array.from({ length: 100 }, () => 'é'),
        ],
      },
    };
    await stack.create('A', mallory(declared));
    stack.takeChanges();
    await stack.update('A', mallory(declared, { reapply: 'again' }));
    expect(stack.takeChanges()).toEqual([]);
    await stack.delete('A', mallory(declared));
  });
});
