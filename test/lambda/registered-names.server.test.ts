import { rolesByName } from '../../lambda/provisioner/sql/catalog';
import { REGISTERED_NAMES } from '../../lambda/provisioner/sql/registry-rows';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { setups, Stack, trust } from './stack';

const USERS = 200;

/** A node of a plan, as EXPLAIN writes it. */
interface PlanNode {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Plans'?: PlanNode[];
}

/** Rows that were looked at, each time that they were. */
function rowsIn({ Plans = [], ...node }: PlanNode): number {
  return (
    (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
    + Plans.reduce((sum, child) => sum + rowsIn(child), 0)
  );
}

describe.each(setups('18, plain'))('names of registered roles on PostgreSQL $name', ({ major, ...setup }) => {
  let server: AuroraLikeServer;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, major, databases: ['shop'] });
    trust(server.caCertificate);
    await server.sql('CREATE ROLE readers; GRANT readers TO postgres WITH ADMIN OPTION');
    await new Stack(server).create('Users', {
      usernames: Array.from({ length: USERS }, (_, n) => `user${n}`),
      connect: [],
      memberOf: ['readers'],
    });
  });
  afterAll(() => server.stop());

  test('are those of all rows, and of the groups in them', async () => {
    const rows = await server.sql<{ name: string }>(rolesByName(['pg_monitor', 'nobody'], REGISTERED_NAMES));
    expect(rows.map(({ name }) => name).sort()).toEqual(
      ['pg_monitor', 'readers', ...Array.from({ length: USERS }, (_, n) => `user${n}`)].sort(),
    );
  });

  test('are looked up with work that grows as the rows do, not with their square', async () => {
    const [
      {
        'QUERY PLAN': [{ Plan: plan }],
      },
    ] = await server.sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${rolesByName([], REGISTERED_NAMES)}`,
    );
    expect(rowsIn(plan)).toBeLessThan(40 * USERS);
  });
});
