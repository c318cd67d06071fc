import { Admin } from '../../lambda/provisioner/transport/credentials';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { RoleRules } from '../../rehearsal/postgresql/bootstrap';
import { firstOf, FULL } from '../full';
import { Random } from './random';
import { signIn, snapshot, Stack, trust, User } from './stack';

/** A stack as it is declared: users by logical id. */
type Template = ReadonlyMap<string, User>;

const DEPLOYMENTS = FULL ? 12 : 4;
const LOGICAL_IDS = ['A', 'B', 'C', 'D'];
const USERNAMES = ['ann', 'bob', 'eve', 'joe', 'kim'];
const DATABASES = ['shop', 'stock'];

/**
 * Random deployments by CloudFormation's rules, one after the other on the same server: resources appear, vanish, are
 * renamed, swap names and move, all of a deployment at the same time; events arrive twice; users come to own tables;
 * some deployments fail half-way and are rolled back; the stack is deleted and made again. After each the database is
 * as declared.
 */
describe.each(firstOf<{ major: 15 | 17; roleRules: RoleRules; admin: 'a password' | 'a token' }>(1, [
  { major: 17, roleRules: 'strict', admin: 'a token' },
  { major: 15, roleRules: 'plain', admin: 'a password' },
  { major: 17, roleRules: 'plain', admin: 'a password' },
  { major: 17, roleRules: 'strict', admin: 'a password' },
]))('deployments on PostgreSQL $major, $roleRules, with $admin', ({ major, roleRules, admin }) => {
  let server: AuroraLikeServer;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: DATABASES, authorize: () => true });
    trust(server.caCertificate);
    if (admin === 'a token') {
      await server.setMasterWithToken(true);
    }
  });
  afterAll(() => server.stop());

  const refused
    = roleRules === 'strict' && admin === 'a password'
      ? 'AdminCredentials.fromIam()'
      : 'a role of that name is left from one that was removed';
  const password = () => admin === 'a token' ? server.token('provisioner', 'postgres') : server.master.password;
  const asAdmin = (): Admin => ({
    username: 'postgres',
    password: admin === 'a token' ? () => Promise.resolve(password()) : password(),
  });

  test.each([major])(
    'seed %i: after each deployment and each rollback exactly the declared users have access',
    async (seed) => {
      const random = new Random(seed);
      const before = await snapshot(server);
      let unique = 1;
      let deployed: Template = new Map();
      for (let n = 0; n <= DEPLOYMENTS; n++) {
        const stack = new Stack(server, { unique: `${unique}`, admin: asAdmin });
        const last = n === DEPLOYMENTS;
        const wanted = last || random.chance(0.1) ? new Map<string, User>() : randomTemplate(random);
        const succeeded = await deploy(stack, deployed, wanted, last || random.chance(0.7), random, refused);
        deployed = succeeded ? wanted : deployed;
        unique += deployed.size === 0 ? 1 : 0;
        await expect(observed(server)).resolves.toEqual(declared(deployed));
        await expect(withoutLogin(server)).resolves.toEqual([]);
        await expect(signIn(server, 'postgres', password())).resolves.toBe('postgres');
        const [owner] = random.shuffled([...deployed.values()]);
        if (owner && random.chance(0.3)) {
          await server.sql(`CREATE TABLE t${n} (); ALTER TABLE t${n} OWNER TO ${owner.username}`, [], 'shop');
        }
      }
      const [{ kept }] = await server.sql<{ kept: string | null }>(
        "SELECT string_agg(rolname, ', ') AS kept FROM pg_roles WHERE rolname !~ '^(pg_|rds|postgres$)'",
      );
      if (kept !== null) {
        await server.sql(`DROP OWNED BY ${kept}`, [], 'shop');
        await server.sql(
          `DROP ROLE ${kept}; DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE`,
        );
      }
      await expect(snapshot(server)).resolves.toEqual(before);
    },
  );
});

/** @param refused what is in each reason to fail @returns whether it succeeded; if not, it was rolled back */
async function deploy(
  stack: Stack,
  from: Template,
  to: Template,
  intended: boolean,
  random: Random,
  refused: string,
): Promise<boolean> {
  const changed = random.shuffled(
    [...to].filter(([id, user]) => JSON.stringify(from.get(id)) !== JSON.stringify(user)),
  );
  const begun = intended ? changed : changed.slice(0, Math.floor(random.next() * (changed.length + 1)));
  const results = await Promise.allSettled(
    begun.map(([id, user]) => send(stack, from.has(id) ? 'update' : 'create', id, user, random)),
  );
  const failures = results
    .filter(result => result.status === 'rejected')
    .map(({ reason }) => (reason as Error).message);
  failures.forEach(message => expect(message).toContain(refused));
  const succeeds = intended && failures.length === 0;
  const done = begun.filter(([id], n) => from.has(id) || results[n].status === 'fulfilled');
  if (!succeeds) {
    await atOnce(random.shuffled(done.filter(([id]) => from.has(id))), ([id]) =>
      send(stack, 'update', id, from.get(id)!, random),
    );
  }
  const kept = succeeds ? to : from;
  // Resources that are not in the template any more, and physical ids that a rename has left.
  const gone = [...succeeds ? from : done].filter(([id, user]) => kept.get(id)?.username !== user.username);
  await atOnce(random.shuffled(gone), ([id, user]) => send(stack, 'delete', id, user, random));
  return succeeds;
}

async function send(
  stack: Stack,
  action: 'create' | 'update' | 'delete',
  id: string,
  user: User,
  random: Random,
): Promise<void> {
  await stack[action](id, user);
  if (random.chance(0.2)) {
    await stack[action](id, user);
  }
}

function randomTemplate(random: Random): Template {
  const names = random.shuffled(USERNAMES);
  const ids = LOGICAL_IDS.filter(() => random.chance(0.6));
  return new Map(ids.map((id, n) => [id, { username: names[n], connect: DATABASES.filter(() => random.chance(0.5)) }]));
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
    FROM pg_roles r WHERE rolname !~ '^(pg_|rds|postgres$)' AND rolcanlogin ORDER BY 1`);
}

/** Kept roles that have something all the same. */
function withoutLogin(server: AuroraLikeServer): Promise<unknown> {
  return server.sql(`
    SELECT rolname::text AS username FROM pg_roles r
    WHERE rolname !~ '^(pg_|rds|postgres$|readers)' AND NOT rolcanlogin
      AND (EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) OR EXISTS (SELECT FROM pg_database, aclexplode(datacl) a WHERE a.grantee = r.oid))`);
}

async function atOnce<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  await Promise.all(items.map(work));
}
