import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { firstOf, full } from '../full';
import { watchAdmin } from './admin-watch';
import { failure, signIn, signInWithToken, snapshot, Stack, trust, users } from './stack';

const ALLOWED = [
  'mario.rossi@example.com',
  'quo"te',
  'ÿ'.repeat(31),
  'Mixed.Case',
  "o'brien",
  'semi;--',
  'x'.repeat(63),
  'jürgen.müßig',
  'a b',
  '*',
  'app_*',
  'what?',
  '$user',
  '${username}',
  'back\\slash',
  'tick`',
  '$$',
  'select',
  'user',
  'Public',
  'PG_x',
  '1',
  '-',
  '%41',
  'a,b',
  '"',
  '""',
  "'; DROP ROLE postgres; --",
];

const REFUSED: [string, string][] = [
  ['', 'username "" is not allowed: it is empty; give it 1 to 63 bytes'],
  ['x'.repeat(64),
    `username "${'x'.repeat(64)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it`],
  ['ÿ'.repeat(32),
    `username "${'ÿ'.repeat(32)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it`],
  ['a/b',
    'username "a/b" is not allowed: it contains / or :, which separate the parts of the rds-db:connect resource; use another separator, such as . or -'],
  ['a:b',
    'username "a:b" is not allowed: it contains / or :, which separate the parts of the rds-db:connect resource; use another separator, such as . or -'],
  ['a\nb', 'username "a\\nb" is not allowed: it contains a control character; use printable characters only'],
  ['a\0b', 'username "a\\u0000b" is not allowed: it contains a control character; use printable characters only'],
  ['łukasz',
    'username "łukasz" is not allowed: it contains a character above U+00FF, which an IAM policy cannot carry; use characters up to U+00FF'],
  ['pg_x', 'username "pg_x" is not allowed: PostgreSQL reserves names that begin with pg_; choose another name'],
  ['rdsadmin', 'username "rdsadmin" is not allowed: RDS reserves names that begin with rds; choose another name'],
  ['public',
    'username "public" is not allowed: it is a key word of PostgreSQL where a role is named; name one user instead'],
  ['none', 'username "none" is not allowed: it is a key word of PostgreSQL where a role is named; name one user instead'],
  ['postgres',
    'username "postgres" is not allowed: it is the admin of the database, which is to stay as it is; create a user of another name'],
];

describe.each(firstOf(1, [15, 17] as const))('usernames on PostgreSQL %i', (major) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let before: unknown;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
    stack = new Stack(server);
    before = await snapshot(server);
  });
  afterEach(async () => {
    await expect(snapshot(server)).resolves.toEqual(before);
    await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
  });
  watchAdmin(() => server);
  afterAll(() => server.stop());

  // The major makes no difference to a name: those that are asked for most on the one, and all, with the refused ones,
  // on the other.
  const all = major === 17;

  test.each(all ? ALLOWED : firstOf(3, ALLOWED.slice(0, 8)))(
    '%j is created, signs in and is removed',
    async (username) => {
      const { PhysicalResourceId } = await stack.create('A', { username });
      expect(PhysicalResourceId).toMatch(/^[!-~]{1,1000}$/);
      expect(await users(server)).toEqual([username]);
      await expect(signInWithToken(server, username)).resolves.toBe(username);
      await stack.delete('A', { username }, PhysicalResourceId);
    },
  );

  test.each(all ? REFUSED : REFUSED.slice(-1))('%j is refused', async (username, message) => {
    expect(await failure(stack.create('A', { username }))).toBe(message);
    // CloudFormation deletes what it could not create, and must not be stopped.
    await stack.delete('A', { username });
  });

  full.test('a name known at deployment only is refused when it would need escaping in a policy', async () => {
    const event = (username: string) => ({
      ResourceProperties: {
        Database: { ResourceId: server.resourceId },
        Username: username,
        PolicyUsername: username,
        OnRemoval: { Action: 'DROP_OR_DISABLE' },
      },
    });
    expect(await failure(stack.send(event('app_*'), { username: '' }))).toBe(
      'username "app_*" is not allowed: it became known at deployment only, so that *, ? or $ in it are not escaped in the policies and would reach other users; '
      + 'pass the username as a literal, or without these characters',
    );
    await stack.send(event('app_1'), { username: '' });
    expect(await users(server)).toEqual(['app_1']);
    await stack.delete('User', { username: 'app_1' });
  });
});
