import {
  databaseNameProblem,
  managedRoleNameProblem,
  policyUsername,
  registryOwnerProblem,
  roleNameProblem,
  schemaNameProblem,
  templateKeyProblem,
  usernameProblem,
} from '../../../lib/contract/names';

describe('usernameProblem', () => {
  test.each([
    ['an e-mail address', 'mario.rossi@example.com'],
    ['mixed case', 'Mixed.Case'],
    ['a single quote', 'o\'brien'],
    ['a double quote', 'quo"te'],
    ['what looks like SQL', 'semi;--'],
    ['one byte', 'a'],
    ['63 bytes', 'a'.repeat(63)],
    ['63 bytes of two-byte letters and one more', 'ü'.repeat(31) + 'a'],
    ['U+00FF', 'ÿ'],
    ['U+0020', 'a b'],
    ['U+007E', '~'],
    ['U+00A0', '\u00a0'],
    ['what IAM has to have escaped', '*?$'],
    ['what begins like a reserved prefix', 'pgx'],
    ['a reserved prefix inside', 'my_pg_x.rds'],
    ['a reserved word in another case', 'PUBLIC'],
    ['the admin in another case', 'Postgres'],
  ])('takes %s', (_, username) => {
    expect(usernameProblem(username, 'postgres')).toBeUndefined();
  });

  test.each([
    ['nothing', '', 'username "" is not allowed: it is empty; give it 1 to 63 bytes'],
    ['64 bytes', 'a'.repeat(64),
      `username "${'a'.repeat(64)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it`],
    ['64 bytes in 32 letters', 'ü'.repeat(32),
      `username "${'ü'.repeat(32)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it`],
    ['U+0000', 'a\0',
      'username "a\\u0000" is not allowed: it contains a control character; use printable characters only'],
    ['U+001F', '\u001f',
      'username "\\u001f" is not allowed: it contains a control character; use printable characters only'],
    ['a line feed', 'a\nb',
      'username "a\\nb" is not allowed: it contains a control character; use printable characters only'],
    ['U+007F', '\u007f',
      'username "\u007f" is not allowed: it contains a control character; use printable characters only'],
    ['U+009F', '\u009f',
      'username "\u009f" is not allowed: it contains a control character; use printable characters only'],
    ['U+0100', 'Ā',
      'username "Ā" is not allowed: it contains a character above U+00FF, which an IAM policy cannot carry; use characters up to U+00FF'],
    ['an emoji', '🐘',
      'username "🐘" is not allowed: it contains a character above U+00FF, which an IAM policy cannot carry; use characters up to U+00FF'],
    ['a slash', 'a/b',
      'username "a/b" is not allowed: it contains / or :, which separate the parts of the rds-db:connect resource; use another separator, such as . or -'],
    ['a colon', 'a:b',
      'username "a:b" is not allowed: it contains / or :, which separate the parts of the rds-db:connect resource; use another separator, such as . or -'],
    ['pg_', 'pg_x', 'username "pg_x" is not allowed: PostgreSQL reserves names that begin with pg_; choose another name'],
    ['rds', 'rdsadmin',
      'username "rdsadmin" is not allowed: RDS reserves names that begin with rds; choose another name'],
    ['rds_iam', 'rds_iam',
      'username "rds_iam" is not allowed: RDS reserves names that begin with rds; choose another name'],
    ['public', 'public',
      'username "public" is not allowed: it is a key word of PostgreSQL where a role is named; name one user instead'],
    ['none', 'none',
      'username "none" is not allowed: it is a key word of PostgreSQL where a role is named; name one user instead'],
    ['the admin', 'postgres',
      'username "postgres" is not allowed: it is the admin of the database, which is to stay as it is; create a user of another name'],
  ])('refuses %s', (_, username, message) => {
    expect(usernameProblem(username, 'postgres')).toBe(message);
  });
});

describe('roleNameProblem', () => {
  test.each(['pg_read_all_data', 'rds_superuser', 'readers', 'a/b', 'Ā', '🐘', 'a'.repeat(63)])('takes %j', (role) => {
    expect(roleNameProblem(role)).toBeUndefined();
  });

  test.each([
    ['nothing', '', 'role name "" is not allowed: it is empty; give it 1 to 63 bytes'],
    ['64 bytes', 'a'.repeat(64),
      `role name "${'a'.repeat(64)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it`],
    ['U+0000', '\0',
      'role name "\\u0000" is not allowed: it contains the character U+0000, which PostgreSQL cannot store; remove it'],
    ['half of an emoji', 'a\ud83d',
      'role name "a\\ud83d" is not allowed: it contains half of a surrogate pair, which is no character of UTF-8; remove it'],
    ['rds_iam', 'rds_iam',
      'role name "rds_iam" is not allowed: every user of this library is a member of it already; leave it out'],
    ['public', 'public',
      'role name "public" is not allowed: it is a key word of PostgreSQL where a role is named; name one role instead'],
  ])('refuses %s', (_, role, message) => {
    expect(roleNameProblem(role)).toBe(message);
  });
});

describe('databaseNameProblem', () => {
  test.each(['shop', 'Shop of "Mario"', 'a'.repeat(63)])('takes %j', (database) => {
    expect(databaseNameProblem(database)).toBeUndefined();
  });

  test.each([
    ['nothing', '', 'database name "" is not allowed: it is empty; give it 1 to 63 bytes'],
    ['64 bytes', 'a'.repeat(64),
      `database name "${'a'.repeat(64)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it`],
    ['U+0000', '\0',
      'database name "\\u0000" is not allowed: it contains the character U+0000, which PostgreSQL cannot store; remove it'],
  ])('refuses %s', (_, database, message) => {
    expect(databaseNameProblem(database)).toBe(message);
  });
});

describe('policyUsername', () => {
  test.each([
    ['mario.rossi@example.com', 'mario.rossi@example.com'],
    ['*', '${*}'],
    ['a?b', 'a${?}b'],
    ['${aws:username}', '${$}{aws:username}'],
    ['$*?$', '${$}${*}${?}${$}'],
  ])('writes %s as %s', (username, resource) => {
    expect(policyUsername(username)).toBe(resource);
  });
});

describe('names of what the library creates, or grants on', () => {
  test.each([
    ['a role of RDS', 'rds_team',
      'role name "rds_team" is not allowed: RDS reserves names that begin with rds; choose another name'],
    ['a role of this library', 'cdk_aurora_iam_auth_x',
      'role name "cdk_aurora_iam_auth_x" is not allowed: this library uses names that begin with cdk_aurora_iam_auth; choose another name'],
    ['the admin', 'boss',
      'role name "boss" is not allowed: it is the admin of the database; create a role of another name'],
  ])('a group role is not %s', (_, role, message) => {
    expect(managedRoleNameProblem(role, 'boss')).toBe(message);
    expect(managedRoleNameProblem(`team_${role}`, 'boss')).toBeUndefined();
  });

  test('the admin may own the registry itself, but no role of RDS', () => {
    expect(registryOwnerProblem('boss')).toBeUndefined();
    expect(registryOwnerProblem('rds_x')).toBe(
      'registryOwner "rds_x" is not allowed: RDS reserves names that begin with rds; choose another name',
    );
  });

  test.each(['pg_catalog', 'pg_toast', 'information_schema'])('a schema of the system is refused: %s', (schema) => {
    expect(schemaNameProblem(schema)).toBe(
      `schema name "${schema}" is not allowed: it is a schema of the system, whose privileges are PostgreSQL's own; `
      + 'name a schema of your data, or use a predefined role such as pg_monitor',
    );
  });

  test.each(['cdk_aurora_iam_auth', 'cdk_aurora_iam_auth_lock'])('a schema of this library is refused: %s', (schema) => {
    expect(schemaNameProblem(schema)).toBe(
      `schema name "${schema}" is not allowed: this library keeps its registry and its lock there, which are the admin's alone; name another schema`,
    );
  });

  test.each(['public', 'app', 'cdk_aurora_iam_auth_2', 'my_information_schema'])(
    'a schema of data is allowed: %s',
    (schema) => {
      expect(schemaNameProblem(schema)).toBeUndefined();
    },
  );

  test('what a template would take for a key word is refused, and what only has it inside is not', () => {
    expect(['Ref', 'Fn::If', '__proto__'].map(name => templateKeyProblem('table', name))).toEqual(
      ['Ref', 'Fn::If', '__proto__'].map(
        name =>
          `table name "${name}" is not allowed: as a key of the template it would be taken for a key word; rename it`,
      ),
    );
    expect(['myRef', 'Refs', 'aFn::If', '__proto__x'].map(name => templateKeyProblem('table', name))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
