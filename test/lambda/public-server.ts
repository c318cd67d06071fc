import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Setup } from '../../rehearsal/setups';
import { FULL } from '../full';
import { watchAdmin } from './admin-watch';
import { throughDataApi } from './over-data-api';
import { OfPublic, snapshot, Stack, StackOptions, throughConnections, TransportName, trust } from './stack';

export const CONNECT = { Database: ['CONNECT'] };
export const CREATE = { Schemas: { public: { Schema: ['CREATE'] } } };

/** Of database shop. Roles that the tests do not name are those of the server itself. */
export const shop = (others: Partial<OfPublic> = {}): OfPublic => ({
  database: 'shop',
  lockOut: ['postgres'],
  ...others,
});

export interface PublicServer {
  server: AuroraLikeServer;
  stack: Stack;
  /** What there is before each test. */
  untouched: unknown;
  readonly newStack: (options?: StackOptions) => Stack;
  readonly transport: () => ReturnType<typeof throughConnections>;
}

/** A server for tests of what PUBLIC has: with all of it before each test, and as it was after it. */
export function publicServer(
  { major, roleRules, transport }: Setup & { readonly transport: TransportName },
  databases: string[],
): PublicServer {
  const reach = () => transport === 'the Data API' ? throughDataApi(its.server) : throughConnections(its.server);
  const its: PublicServer = {
    server: undefined as never,
    stack: undefined as never,
    untouched: undefined,
    newStack: options => new Stack(its.server, { transport: reach(), ...options }),
    transport: reach,
  };
  beforeAll(async () => {
    its.server = await AuroraLikeServer.start({ major, roleRules, databases, authorize: () => true });
    trust(its.server.caCertificate);
    await grantAll(its.server, databases);
    its.untouched = await snapshot(its.server);
  });
  watchAdmin(() => its.server);
  beforeEach(() => {
    its.stack = its.newStack();
  });
  afterEach(async () => {
    const { server } = its;
    const roles = await server.sql<{ role: string }>(
      "SELECT quote_ident(rolname) AS role FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> 'postgres'",
    );
    if (roles.length > 0) {
      const all = roles.map(({ role }) => role).join(', ');
      await server.sql(`DROP OWNED BY ${all}`, [], 'shop');
      await server.sql(`DROP OWNED BY ${all}; DROP ROLE ${all}`);
    }
    await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
    const after = await snapshot(server);
    await grantAll(server, databases);
    expect(after).toEqual(its.untouched);
  });
  afterAll(() => its.server.stop());
  return its;
}

/** From 15 on, PUBLIC has CREATE where it was granted by hand, or before the upgrade. */
async function grantAll(server: AuroraLikeServer, databases: string[]): Promise<void> {
  for (const database of ['postgres', ...databases]) {
    await server.sql(
      `SET ROLE postgres; GRANT CREATE ON SCHEMA public TO PUBLIC; GRANT CONNECT ON DATABASE "${database.replaceAll('"', '""')}" TO PUBLIC; RESET ROLE`,
      [],
      database,
    );
  }
}

/** What PUBLIC has of the two. */
export async function publicHas(server: AuroraLikeServer, database = 'shop'): Promise<string[]> {
  const [row] = await server.sql<{ connect: boolean; create: boolean }>(
    `
    SELECT EXISTS (SELECT FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a WHERE datname = current_database() AND grantee = 0 AND privilege_type = 'CONNECT') AS connect,
           EXISTS (SELECT FROM pg_namespace n, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a WHERE nspname = 'public' AND grantee = 0 AND privilege_type = 'CREATE') AS create`,
    [],
    database,
  );
  return [...row.connect ? ['CONNECT'] : [], ...row.create ? ['CREATE'] : []];
}

/** A case that depends neither on the transport nor on the major: on one set-up, or on all of them. */
export function only(isHere: boolean): typeof test {
  return isHere || FULL ? test : test.skip;
}
