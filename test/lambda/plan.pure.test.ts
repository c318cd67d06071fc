import { describe as inWords } from '../../lambda/provisioner/change';
import { plan, planEndOfAccess, planRevokes } from '../../lambda/provisioner/plan';
import { render } from '../../lambda/provisioner/sql/render';
import { identifier } from '../../lambda/provisioner/sql/identifier';
import { Declaration, ObservedRole } from '../../lambda/provisioner/state';

const NEW: ObservedRole = { canLogin: false, memberOf: [], databases: [] };
const NOTHING_DECLARED: Declaration = { databases: [], memberOf: [] };
const DECLARED: Declaration = { databases: [{ database: 'shop', privileges: ['CONNECT'] }], memberOf: ['readers'] };
const DONE: ObservedRole = { canLogin: true, memberOf: ['rds_iam', 'readers'], databases: [{ database: 'shop', privilege: 'CONNECT' }] };

describe('plan', () => {
  test('login and rds_iam come last', () => {
    expect(plan('u', NEW, DECLARED, []).map(render)).toEqual([
      'GRANT CONNECT ON DATABASE "shop" TO "u"',
      'GRANT "readers" TO "u"',
      'GRANT rds_iam TO "u"',
      'ALTER USER "u" LOGIN',
    ]);
  });

  test('nothing when everything is as declared', () => {
    expect(plan('u', DONE, DECLARED, [DECLARED])).toEqual([]);
  });

  test('what an earlier declaration granted and this one does not is revoked, once', () => {
    expect(plan('u', DONE, NOTHING_DECLARED, [DECLARED, DECLARED]).map(render)).toEqual(['REVOKE CONNECT ON DATABASE "shop" FROM "u"', 'REVOKE "readers" FROM "u"']);
  });

  test('what nobody declared is left alone', () => {
    expect(plan('u', { ...DONE, memberOf: ['rds_iam', 'readers', 'admins'] }, DECLARED, [])).toEqual([]);
  });
});

describe('planEndOfAccess', () => {
  test('the login goes first, and nothing that could fail for another reason is with it', () => {
    expect(planEndOfAccess('u', DONE).map(render)).toEqual(['ALTER USER "u" NOLOGIN', 'REVOKE rds_iam FROM "u"']);
  });

  test('nothing for a role without access', () => {
    expect(planEndOfAccess('u', NEW)).toEqual([]);
  });
});

describe('planRevokes', () => {
  test('without a wanted declaration everything declared before goes', () => {
    expect(planRevokes('u', DONE, [DECLARED]).map(render)).toEqual(['REVOKE CONNECT ON DATABASE "shop" FROM "u"', 'REVOKE "readers" FROM "u"']);
  });
});

describe('render and describe', () => {
  test.each([
    [{ kind: 'createUser', username: 'a"b' }, 'CREATE USER "a""b" NOLOGIN', 'create user "a\\"b"'],
    [{ kind: 'renameUser', username: 'a', to: 'B' }, 'ALTER ROLE "a" RENAME TO "B"', 'rename user "a" to "B"'],
    [{ kind: 'forbidLogin', username: 'a' }, 'ALTER USER "a" NOLOGIN', 'forbid user "a" to log in'],
    [{ kind: 'dropUser', username: 'a' }, 'DROP ROLE "a"', 'drop user "a"'],
  ] as const)('%j', (change, sql, words) => {
    expect(render(change)).toBe(sql);
    expect(inWords(change)).toBe(words);
  });
});

describe('identifier', () => {
  test.each([
    ['simple', '"simple"'], ['Mixed Case', '"Mixed Case"'], ['"; DROP ROLE postgres; --', '"""; DROP ROLE postgres; --"'], ["o'brien", '"o\'brien"'], ['\\', '"\\"'], ['$$', '"$$"'], ['""', '""""""'],
  ])('%j is quoted', (name, sql) => expect(identifier(name)).toBe(sql));

  test.each(['', 'a\0b'])('%j is refused', name => expect(() => identifier(name)).toThrow('is not an identifier: it is empty or contains the character U+0000'));
});
