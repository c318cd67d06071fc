import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  membershipProblem,
  membershipWarning,
  PREDEFINED_ROLES,
  strongRole,
} from '../../../lib/contract/predefined-roles';
import {
  connectionLimitProblem,
  parameterProblem,
  storedParameterProblem,
  valueProblem,
} from '../../../lib/contract/role-settings';
import { DRIFT_ALIAS, EXPIRY_ALIAS, PLAN_ALIAS, URL_SUFFIX } from '../../../lib/contract/wire';

describe('membership in a role that PostgreSQL or RDS brings along', () => {
  const page = readFileSync(join(__dirname, '../../../docs/security.md'), 'utf8');

  test('is what docs/security.md says of it', () => {
    const said = page
      .split('\n')
      .filter(line => /^\| `(pg|rds)\w+`(, from \d+ on)? \| (allowed|refused|must be acknowledged) \|/.test(line))
      .map(line => line.split(' | ').slice(0, 3).join(' | '));
    expect(
      PREDEFINED_ROLES.map(
        ({ name, since, membership, members }) =>
          `| \`${name}\`${since === undefined ? '' : `, from ${since} on`} | ${membership === 'acknowledged' ? 'must be acknowledged' : membership} | ${members}`,
      ),
    ).toEqual(said);
  });

  test.each([
    [
      'pg_database_owner',
      'its members are always exactly the owner of the database; PostgreSQL refuses other members; leave it out',
    ],
    ['pg_execute_server_program', 'its members can become a superuser, as PostgreSQL documents; leave it out'],
    ['pg_read_server_files', 'its members can become a superuser, as PostgreSQL documents; leave it out'],
    ['pg_write_server_files', 'its members can become a superuser, as PostgreSQL documents; leave it out'],
    [
      'rds_ad',
      'its members sign in with Kerberos, and AWS says not to combine it with rds_iam, directly or through other roles; let a role that is not managed by this library sign in with Kerberos',
    ],
    [
      'rdsadmin',
      'its members are superusers, and it belongs to AWS; for a DBA who signs in with IAM, use rds_superuser',
    ],
  ])('is refused in %s', (role, why) => {
    expect(membershipProblem(role, ['postgres'])).toBe(`membership in "${role}" is not allowed: ${why}`);
    expect(strongRole(role)).toBeUndefined();
  });

  test('is refused in an admin, whose rights its members would have', () => {
    expect(membershipProblem('boss', ['postgres', 'boss'])).toBe(
      'membership in "boss" is not allowed: it is the admin of the database, and its members have all its rights; '
      + 'for a DBA who signs in with IAM, use a role with the privileges it needs, or rds_superuser',
    );
    expect(membershipProblem('Boss', ['boss'])).toBeUndefined();
  });

  test.each([
    [
      'pg_maintain',
      'cdk-aurora-iam-auth:memberOfPgMaintain',
      'can lock every table, those of the system catalog included, so that no role can sign in and no deployment can change one until their session ends',
    ],
    [
      'rds_superuser',
      'cdk-aurora-iam-auth:memberOfRdsSuperuser',
      'have the highest rights that RDS gives in PostgreSQL',
    ],
  ])('is warned of in %s, with any members', (role, id, members) => {
    const end = `is made a member of "${role}": its members ${members}; if this is intended, acknowledge it with Annotations.of(user).acknowledgeWarning('${id}', reason)`;
    expect(membershipProblem(role, [])).toBeUndefined();
    expect(strongRole(role)?.name).toBe(role);
    expect(membershipWarning(['ada'], role)).toEqual({ id, text: `"ada" ${end}` });
    expect(membershipWarning(['ada', 'eve'], role)).toEqual({ id, text: `each of 2 users ${end}` });
  });

  test.each(['pg_monitor', 'rds_replication', 'rds_password', 'readers'])(
    'is neither refused nor warned of in %s',
    (role) => {
      expect([membershipProblem(role, ['postgres']), membershipWarning(['ada'], role), strongRole(role)]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    },
  );
});

describe('a parameter of a user', () => {
  test.each([
    ['role', 'it changes who the session is; leave it out; to act as a group role, pass setRoleAtLogin'],
    [
      'session_authorization',
      'it changes who the session is; leave it out; to act as a group role, pass setRoleAtLogin',
    ],
    ['is_superuser', 'it changes who the session is; leave it out; to act as a group role, pass setRoleAtLogin'],
    ['local_preload_libraries', 'it loads code into the session; leave it out'],
    ['session_preload_libraries', 'it loads code into the session; leave it out'],
    [
      'transaction_isolation',
      'it is of one transaction, and not of a session; set the parameter that has default_ in front of it',
    ],
    ['sort_mem', 'it is a former name, and PostgreSQL stores another one; use work_mem or maintenance_work_mem'],
    [
      'pgaudit.log',
      'it changes what a session may do or what is recorded of it, and PostgreSQL leaves it to superusers; leave it out, or set it in the parameter group of the database',
    ],
    [
      'Work_Mem',
      'the name of a parameter has letters, digits, _ and $, one dot at most, and 63 characters at most; correct it',
    ],
    [
      'a.b.c',
      'the name of a parameter has letters, digits, _ and $, one dot at most, and 63 characters at most; correct it',
    ],
    [
      'a'.repeat(64),
      'the name of a parameter has letters, digits, _ and $, one dot at most, and 63 characters at most; correct it',
    ],
  ])('is refused: %s', (parameter, why) => {
    expect(parameterProblem(parameter)).toBe(`parameter "${parameter}" is not allowed: ${why}`);
  });

  test.each([
    'work_mem',
    'default_transaction_isolation',
    'app.role',
    'role_of_app',
    'session_preload_libraries_path',
    'my.session_preload_libraries',
    'app.transaction_isolation',
    'transaction_isolation_level',
    'app.sort_mem',
    'sort_mem_limit',
    'a'.repeat(63),
  ])('is allowed: %s', (parameter) => {
    expect(parameterProblem(parameter)).toBeUndefined();
  });

  test('that is stored may be one that is refused since, but not the role of the session', () => {
    expect(storedParameterProblem('log_statement')).toBeUndefined();
    expect(storedParameterProblem('role')).toContain('parameter "role" is not allowed: it changes who the session is');
  });

  test('has a value of printable characters and of a length that it can have', () => {
    expect(valueProblem('work_mem', 'a\ud800')).toBe(
      'value of parameter "work_mem" "a\\ud800" is not allowed: it contains half of a surrogate pair, which is no character of UTF-8; remove it',
    );
    expect(valueProblem('work_mem', 'a\ud83d\ude00')).toBeUndefined();
    expect(valueProblem('work_mem', 'a\nb')).toBe(
      'value of parameter "work_mem" "a\\nb" is not allowed: it contains a control character; use printable characters only',
    );
    expect(valueProblem('work_mem', 'ü'.repeat(501))).toContain(
      'is not allowed: it has not 0 to 1000 bytes of UTF-8; correct it',
    );
    expect(valueProblem('work_mem', 'ü'.repeat(500))).toBeUndefined();
    expect(valueProblem('search_path', ['a', 'ü'.repeat(32)])).toContain(
      'is not allowed: it has not 1 to 63 bytes of UTF-8; correct it',
    );
    expect(
      valueProblem(
        'search_path',
        Array.from({ length: 16 }, () => 'a'.repeat(63)),
      ),
    ).toContain('is not allowed: it has not 0 to 1000 bytes of UTF-8; correct it');
    expect(valueProblem('search_path', Array.from({ length: 15 }, () => 'a'.repeat(63)))).toBeUndefined();
    expect(valueProblem('search_path', [])).toBe(
      'value of parameter "search_path" [] is not allowed: it is empty; name at least one, or leave the parameter out',
    );
  });

  test('that limits connections is a whole number of PostgreSQL', () => {
    expect(['1', '2147483647'].map(connectionLimitProblem)).toEqual([undefined, undefined]);
    expect(connectionLimitProblem('2147483648')).toBe(
      'connection limit "2147483648" is not allowed: it is not a whole number from 1 to 2147483647; correct it, or leave it out for no limit',
    );
  });
});

// A deployed function has them: with other names it would not be called any more, or would find nothing.
test('names that stacks share with functions that are deployed stay as they are', () => {
  expect([PLAN_ALIAS, DRIFT_ALIAS, EXPIRY_ALIAS, URL_SUFFIX]).toEqual(['plan', 'drift', 'expiry', 'URL_SUFFIX']);
});
