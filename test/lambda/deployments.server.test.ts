import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { signIn, snapshot, Stack, trust, User } from './stack';

/** A stack as it is declared: users by logical id. */
type Template = ReadonlyMap<string, User>;

const DEPLOYMENTS = 12;
const LOGICAL_IDS = ['A', 'B', 'C', 'D'];
const USERNAMES = ['ann', 'bob', 'eve', 'joe', 'kim'];
const DATABASES = ['shop', 'stock'];

jest.setTimeout(120_000);

/**
 * Random deployments by CloudFormation's rules, one after the other on the same server: resources appear, vanish, are renamed,
 * swap names and move, all of a deployment at the same time; events arrive twice; some deployments fail half-way and are
 * rolled back. After each the database is as declared.
 */
describe.each([15, 17] as const)('deployments on PostgreSQL %i', (major) => {
  let server: AuroraLikeServer;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, databases: DATABASES });
    trust(server.caCertificate);
  });
  afterAll(() => server.stop());

  test.each([1, 2])('seed %i: after each deployment and each rollback there are exactly the declared users', async (seed) => {
    const random = generator(seed);
    const before = await snapshot(server);
    const stack = new Stack(server);
    let deployed: Template = new Map();
    for (let n = 0; n < DEPLOYMENTS; n++) {
      const wanted = n === DEPLOYMENTS - 1 ? new Map<string, User>() : randomTemplate(random);
      const succeeds = n === DEPLOYMENTS - 1 || random() < 0.7;
      await deploy(stack, deployed, wanted, succeeds, random);
      deployed = succeeds ? wanted : deployed;
      await expect(observed(server)).resolves.toEqual(declared(deployed));
      await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
    }
    await expect(snapshot(server)).resolves.toEqual(before);
  });
});

async function deploy(stack: Stack, from: Template, to: Template, succeeds: boolean, random: () => number): Promise<void> {
  const changed = shuffled([...to].filter(([id, user]) => JSON.stringify(from.get(id)) !== JSON.stringify(user)), random);
  const done = succeeds ? changed : changed.slice(0, Math.floor(random() * (changed.length + 1)));
  await atOnce(done, ([id, user]) => send(stack, from.has(id) ? 'update' : 'create', id, user, random));
  if (!succeeds) {
    await atOnce(shuffled(done.filter(([id]) => from.has(id)), random), ([id]) => send(stack, 'update', id, from.get(id)!, random));
  }
  const kept = succeeds ? to : from;
  // Resources that are not in the template any more, and physical ids that a rename has left.
  const gone = [...succeeds ? from : done].filter(([id, user]) => kept.get(id)?.username !== user.username);
  await atOnce(shuffled(gone, random), ([id, user]) => send(stack, 'delete', id, user, random));
}

async function send(stack: Stack, action: 'create' | 'update' | 'delete', id: string, user: User, random: () => number): Promise<void> {
  await stack[action](id, user);
  if (random() < 0.2) {
    await stack[action](id, user);
  }
}

function randomTemplate(random: () => number): Template {
  const names = shuffled(USERNAMES, random);
  const ids = LOGICAL_IDS.filter(() => random() < 0.6);
  return new Map(ids.map((id, n) => [id, { username: names[n], connect: DATABASES.filter(() => random() < 0.5) }]));
}

function declared(template: Template): unknown {
  return [...template.values()]
    .map(({ username, connect }) => ({ username, login: true, connect, memberOf: ['rds_iam'] }))
    .sort((a, b) => a.username < b.username ? -1 : 1);
}

function observed(server: AuroraLikeServer): Promise<unknown> {
  return server.sql(`
    SELECT rolname::text AS username, rolcanlogin AS login,
           ARRAY(SELECT datname::text FROM pg_database, aclexplode(datacl) a WHERE a.grantee = r.oid ORDER BY 1) AS connect,
           ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1) AS "memberOf"
    FROM pg_roles r WHERE rolname !~ '^(pg_|rds|postgres$)' ORDER BY 1`);
}

async function atOnce<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  await Promise.all(items.map(work));
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map(item => ({ item, order: random() })).sort((a, b) => a.order - b.order).map(({ item }) => item);
}

/** mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
