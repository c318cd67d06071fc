import { Change } from '../../lambda/provisioner/core/change';
import { DatabaseOwner, ObservedRole, forbidLogin, membershipsOfOthers, planEndOfMembers, planEndOfTokens, planShared, planSharedRemoval, Wanted } from '../../lambda/provisioner/core/plan-shared';
import { render } from '../../lambda/provisioner/sql/render';
import { Declaration } from '../../lambda/provisioner/core/state';

type Membership = ObservedRole['memberships'][number];
type OnDatabase = ObservedRole['databases'][number];

const ADMINS: DatabaseOwner[] = ['shop', 'stock'].map(database => ({ database, owner: 'admin', as: null }));

const NOTHING_DECLARED: Declaration = { kind: 'user', memberOf: [], databases: [], exclusive: false };
const DECLARED: Declaration = { kind: 'user', memberOf: ['readers'], databases: [{ database: 'shop', privileges: ['CONNECT', 'CREATE'], schemas: [] }], exclusive: false };

function wanted(declaration: Partial<Declaration>, previous: Declaration[] = [], role = 'u'): Wanted {
  return { role, declaration: { ...NOTHING_DECLARED, ...declaration }, previous, deployed: [] };
}

function memberOf(group: string, more: Partial<Membership> = {}): Membership {
  return { group, inherits: true, effective: true, admin: false, as: null, ours: true, ...more };
}

function on(database: string, privilege: string, more: Partial<OnDatabase> = {}): OnDatabase {
  return { database, privilege, grantable: false, ours: true, as: null, grantor: null, ...more };
}

function observed(more: Partial<ObservedRole> = {}): ObservedRole {
  return { role: 'u', oid: '1', canLogin: false, inherits: true, memberships: [], members: [], databases: [], others: [], connectionLimit: -1, settings: [], dependsIn: [], ...more } as ObservedRole;
}

const DONE = observed({ canLogin: true, memberships: [memberOf('rds_iam'), memberOf('readers')], databases: [on('shop', 'CONNECT'), on('shop', 'CREATE')] });

/** What is planned, as PostgreSQL 17 would get it from an admin that may be everybody. */
function sql(changes: Change[]): string[] {
  const adminMemberships = new Map(['owner', 'other'].map(role => [role, 'held'] as const));
  return changes.flatMap(change => render(change, { admin: 'admin', version: 170000, adminMemberships }));
}

function plan(one: Wanted, role: ObservedRole, owners = ADMINS): string[] {
  return sql(planShared([one], new Map([[role.role, role]]), owners));
}

describe('planShared', () => {
  test('a role that was not observed is created; rds_iam comes last but one, LOGIN last', () => {
    expect(sql(planShared([wanted(DECLARED)], new Map(), ADMINS))).toEqual([
      'CREATE USER "u" NOLOGIN',
      'GRANT CONNECT ON DATABASE "shop" TO "u"',
      'GRANT CREATE ON DATABASE "shop" TO "u"',
      'GRANT "readers" TO "u"',
      'GRANT rds_iam TO "u"',
      'ALTER USER "u" LOGIN',
    ]);
  });

  test('nothing when everything is as declared', () => {
    expect(plan(wanted(DECLARED, [DECLARED]), DONE)).toEqual([]);
  });

  test('what an earlier declaration granted and this one does not is revoked, once and first', () => {
    expect(plan(wanted({ memberOf: ['writers'] }, [DECLARED, DECLARED]), DONE)).toEqual([
      'REVOKE CONNECT ON DATABASE "shop" FROM "u" CASCADE',
      'REVOKE CREATE ON DATABASE "shop" FROM "u" CASCADE',
      'REVOKE "readers" FROM "u" CASCADE',
      'GRANT "writers" TO "u"',
    ]);
  });

  describe('settings', () => {
    const settings = { connectionLimit: 5, parameters: [{ parameter: 'datestyle', value: 'ISO, DMY' }, { parameter: 'search_path', value: ['A b', 'public'] }] };
    const stored = (parameter: string, value: string, database: string | null = null) => ({ parameter, value, database });
    const settled = observed({ ...DONE, connectionLimit: 5, settings: [stored('DateStyle', 'ISO, DMY'), stored('search_path', '"A b", public')] });
    const with_ = (...more: ObservedRole['settings']) => observed({ ...settled, settings: [...settled.settings, ...more] });

    test('are set before the login, element by element where the value is a list', () => {
      expect(plan(wanted({ settings }), observed({ memberships: [memberOf('rds_iam')] }))).toEqual([
        'ALTER ROLE "u" SET "datestyle" TO \'ISO, DMY\'',
        'ALTER ROLE "u" SET "search_path" TO \'A b\', \'public\'',
        'ALTER ROLE "u" CONNECTION LIMIT 5',
        'ALTER USER "u" LOGIN',
      ]);
    });

    test.each([
      ['as they are', settled],
      ['in another spelling of a list', observed({ ...settled, settings: [stored('datestyle', 'ISO, DMY'), stored('search_path', '"A b","public"')] })],
      ['with others that were never declared', with_(stored('work_mem', '1MB'), stored('work_mem', '2MB', 'shop'))],
      ['with the same for one database', with_(stored('DateStyle', 'ISO, DMY', 'shop'))],
    ])('are left alone %s', (_, role) => {
      const declared = { ...DECLARED, settings };
      expect(plan(wanted(declared, [declared]), role)).toEqual([]);
    });

    test('are reset for one database, where they are others', () => {
      expect(plan(wanted({ ...DECLARED, settings }), with_(stored('DateStyle', 'German', 'shop'), stored('search_path', 'x', 'Sh"op')))).toEqual([
        'ALTER ROLE "u" IN DATABASE "shop" RESET "datestyle"', 'ALTER ROLE "u" IN DATABASE "Sh""op" RESET "search_path"',
      ]);
    });

    test('are reset when they are not declared any more, and nothing else is', () => {
      const before = { ...DECLARED, settings };
      expect(plan(wanted(DECLARED, [before, DECLARED]), with_(stored('work_mem', '1MB'), stored('search_path', 'x', 'shop')))).toEqual([
        'ALTER ROLE "u" RESET "datestyle"', 'ALTER ROLE "u" RESET "search_path"', 'ALTER ROLE "u" CONNECTION LIMIT -1',
      ]);
      expect(plan(wanted(DECLARED, [DECLARED]), settled)).toEqual([]);
      expect(plan(wanted(DECLARED, [before]), observed({ ...DONE }))).toEqual([]);
    });

    test('are known as they were, for what takes a change back', () => {
      const changes = planShared([wanted({ ...DECLARED, settings: { parameters: [{ parameter: 'search_path', value: ['x'] }] } }, [{ ...DECLARED, settings }])], new Map([['u', settled]]), ADMINS);
      expect(changes).toEqual([
        { kind: 'setParameter', role: 'u', parameter: 'datestyle', was: 'ISO, DMY' },
        { kind: 'limitConnections', role: 'u', limit: -1, was: 5 },
        { kind: 'setParameter', role: 'u', parameter: 'search_path', value: ['x'], was: ['A b', 'public'] },
      ]);
    });

    test('of a list that is empty in the catalog are set back as they were', () => {
      const [{ was }] = planShared([wanted({ ...DECLARED, settings })], new Map([['u', observed({ ...settled, settings: [stored('DateStyle', 'ISO, DMY'), stored('search_path', '')] })]]), ADMINS) as { was?: unknown }[];
      expect(was).toEqual([]);
      expect(sql([{ kind: 'setParameter', role: 'u', parameter: 'search_path', value: [] }])).toEqual(['ALTER ROLE "u" SET "search_path" TO \'\'']);
    });
  });

  test('what no declaration granted is left alone', () => {
    expect(plan(wanted({}, [NOTHING_DECLARED]), DONE)).toEqual([]);
  });

  test('a membership that another role has granted is left, also when the admin has granted it as well', () => {
    const both = observed({ ...DONE, memberships: [...DONE.memberships, memberOf('readers', { as: 'dba', ours: false })] });
    expect(plan(wanted({}, [DECLARED]), both).filter(text => text.includes('readers'))).toEqual(['REVOKE "readers" FROM "u" CASCADE']);
    expect(membershipsOfOthers([wanted({}, [DECLARED])], new Map([['u', both]]))).toEqual([{ role: 'u', group: 'readers', grantor: 'dba' }]);
    expect(membershipsOfOthers([wanted(DECLARED, [DECLARED]), wanted({}, [NOTHING_DECLARED]), wanted({ exclusive: true }, [DECLARED])], new Map([['u', both]]))).toEqual([]);
  });

  test('neither is what was declared, and another grantor has granted', () => {
    const role = observed({ ...DONE, databases: [on('shop', 'CONNECT', { ours: false, as: null, grantor: 'other' })] });
    expect(plan(wanted({ memberOf: ['readers'] }, [DECLARED]), role)).toEqual([]);
  });

  test('login and rds_iam are put back', () => {
    expect(plan(wanted(DECLARED), observed({ ...DONE, canLogin: false, memberships: [memberOf('readers')] }))).toEqual(['GRANT rds_iam TO "u"', 'ALTER USER "u" LOGIN']);
  });

  test('a membership that is not inherited is repaired; that of rds_iam must only be effective', () => {
    const without = { inherits: false };
    expect(plan(wanted(DECLARED), observed({ ...DONE, memberships: [memberOf('rds_iam', without), memberOf('readers', without)] })))
      .toEqual(['GRANT "readers" TO "u" WITH INHERIT TRUE, SET TRUE']);
    expect(plan(wanted({}), observed({ ...DONE, memberships: [memberOf('rds_iam', { inherits: false, effective: false })] })))
      .toEqual(['GRANT rds_iam TO "u" WITH INHERIT TRUE, SET TRUE']);
  });

  test('a new membership of a role with NOINHERIT is one that inherits; that of rds_iam must only be effective', () => {
    expect(plan(wanted(DECLARED), observed({ ...DONE, inherits: false, memberships: [] }))).toEqual(['GRANT "readers" TO "u" WITH INHERIT TRUE, SET TRUE', 'GRANT rds_iam TO "u"']);
  });

  test('one of two memberships in a group is enough', () => {
    const role = observed({ ...DONE, memberships: [memberOf('rds_iam'), memberOf('readers', { inherits: false, as: 'other' }), memberOf('readers')] });
    expect(plan(wanted(DECLARED), role)).toEqual([]);
  });

  test('a group role never logs in and never holds rds_iam, whichever role has granted it', () => {
    const role = observed({ canLogin: true, memberships: [memberOf('rds_iam', { as: 'other' })] });
    expect(plan(wanted({ kind: 'role', memberOf: ['readers'] }), role)).toEqual([
      'SET LOCAL ROLE "other"', 'REVOKE rds_iam FROM "u" CASCADE', 'SET LOCAL ROLE NONE', 'ALTER USER "u" NOLOGIN', 'GRANT "readers" TO "u"',
    ]);
    expect(sql(planShared([wanted({ kind: 'role' })], new Map(), ADMINS))).toEqual(['CREATE ROLE "u" NOLOGIN']);
  });

  describe('an exclusive role', () => {
    const exclusive = { ...DECLARED, exclusive: true };

    test('loses all it holds beside, as its grantor', () => {
      const role = observed({
        ...DONE,
        memberships: [...DONE.memberships, memberOf('admins'), memberOf('admins', { as: 'other', effective: false, inherits: false })],
        databases: [...DONE.databases, on('stock', 'TEMPORARY', { ours: false, as: null, grantor: 'other' })],
      });
      expect(plan(wanted(exclusive), role)).toEqual([
        'SET LOCAL ROLE "other"', 'REVOKE TEMPORARY ON DATABASE "stock" FROM "u" CASCADE', 'SET LOCAL ROLE NONE',
        'SET LOCAL ROLE "other"', 'REVOKE "admins" FROM "u" CASCADE', 'SET LOCAL ROLE NONE',
        'REVOKE "admins" FROM "u" CASCADE',
      ]);
    });

    test('loses the option to pass on what it holds', () => {
      const role = observed({ ...DONE, databases: [on('shop', 'CONNECT', { grantable: true }), on('shop', 'CREATE')] });
      expect(plan(wanted(exclusive), role)).toEqual(['REVOKE GRANT OPTION FOR CONNECT ON DATABASE "shop" FROM "u" CASCADE']);
      expect(plan(wanted(DECLARED), role)).toEqual([]);
    });

    test('nothing when everything is as declared', () => {
      expect(plan(wanted(exclusive), DONE)).toEqual([]);
    });
  });

  test('the owner of a database needs no privileges on it', () => {
    expect(plan(wanted({ databases: DECLARED.databases }), observed({ ...DONE, databases: [] }), [{ database: 'shop', owner: 'u', as: 'u' }])).toEqual([]);
  });

  test("on another one's database the admin grants as a member of the owner", () => {
    const changes = planShared([wanted(DECLARED)], new Map(), [{ database: 'shop', owner: 'owner', as: 'owner' }]);
    expect(changes).toContainEqual({ kind: 'grant', privileges: ['CONNECT'], on: { type: 'DATABASE', database: 'shop' }, roles: ['u'], as: 'owner' });
  });

  test('a database that is not there is the error of the statement', () => {
    expect(plan(wanted({ databases: [{ database: 'gone', privileges: ['CONNECT'], schemas: [] }] }), DONE)).toEqual(['GRANT CONNECT ON DATABASE "gone" TO "u"']);
  });

  test('what was held with the grant option is undone with it', () => {
    const role = observed({ ...DONE, databases: [on('stock', 'CONNECT', { grantable: true })] });
    const [revoked] = planShared([wanted({ databases: [] }, [{ ...DECLARED, databases: [{ database: 'stock', privileges: ['CONNECT'], schemas: [] }] }])], new Map([['u', role]]), ADMINS);
    expect(revoked).toEqual({ kind: 'revoke', privileges: ['CONNECT'], on: { type: 'DATABASE', database: 'stock' }, roles: ['u'], wasGrantable: true });
  });

  test('the same for many roles is one statement, and no role logs in before all have everything', () => {
    const one = (role: string) => wanted({ ...DECLARED, databases: [{ database: 'shop', privileges: ['CONNECT'], schemas: [] }] }, [], role);
    expect(sql(planShared([one('a'), one('b'), one('c')], new Map([['b', observed({ role: 'b' })]]), ADMINS))).toEqual([
      'CREATE USER "a" NOLOGIN',
      'CREATE USER "c" NOLOGIN',
      'GRANT CONNECT ON DATABASE "shop" TO "a", "b", "c"',
      'GRANT "readers" TO "a", "b", "c"',
      'GRANT rds_iam TO "a", "b", "c"',
      'ALTER USER "a" LOGIN',
      'ALTER USER "b" LOGIN',
      'ALTER USER "c" LOGIN',
    ]);
  });
});

describe('planEndOfTokens', () => {
  const none = new Set<string>();

  test('takes rds_iam away as often as it was granted', () => {
    const role = observed({ memberships: [memberOf('rds_iam'), memberOf('rds_iam', { as: 'other' }), memberOf('readers')] });
    expect(planEndOfTokens(role, none)).toEqual([
      { kind: 'revokeRole', group: 'rds_iam', roles: ['u'], grantor: 'other' }, { kind: 'revokeRole', group: 'rds_iam', roles: ['u'] },
    ]);
  });

  test('takes a group away through which the role is a member of rds_iam', () => {
    const role = observed({ memberships: [memberOf('iam_group'), memberOf('readers')] });
    expect(planEndOfTokens(role, new Set(['iam_group', 'rds_iam']))).toEqual([{ kind: 'revokeRole', group: 'iam_group', roles: ['u'] }]);
  });

  test('leaves the login to a transaction of its own', () => {
    expect(sql(planEndOfTokens(DONE, none))).toEqual(['REVOKE rds_iam FROM "u" CASCADE']);
    expect(sql(forbidLogin(DONE))).toEqual(['ALTER USER "u" NOLOGIN']);
  });

  test('plans nothing for a role without access', () => {
    expect([...planEndOfTokens(observed(), none), ...forbidLogin(observed())]).toEqual([]);
  });
});

describe('planEndOfMembers', () => {
  const member = (name: string, as: string | null, effective = true) => ({ member: name, as, effective });

  test.each(['user', 'role'] as const)('takes a %s away from its members, who would have what it owns', (kind) => {
    const role = observed({ members: [member('a', null), member('b', 'other')] });
    expect(sql(planEndOfMembers(kind, role))).toEqual(['SET LOCAL ROLE "other"', 'REVOKE "u" FROM "b" CASCADE', 'SET LOCAL ROLE NONE', 'REVOKE "u" FROM "a" CASCADE']);
  });

  test('leaves a user to its admins, who may grant it and no more', () => {
    const role = observed({ members: [member('a', null, false)] });
    expect(planEndOfMembers('user', role)).toEqual([]);
    expect(sql(planEndOfMembers('role', role))).toEqual(['REVOKE "u" FROM "a" CASCADE']);
  });

  test('takes it from the last ones first where members have passed it on, because only a member takes it back', () => {
    const role = observed({ members: [member('a', null), member('b', 'a'), member('c', 'b'), member('d', 'a')] });
    expect(planEndOfMembers('role', role).map(change => change.kind === 'revokeRole' && change.roles[0])).toEqual(['c', 'b', 'd', 'a']);
  });
});

describe('planSharedRemoval', () => {
  test('everything goes, as its grantor', () => {
    const role = observed({ memberships: [memberOf('readers')], databases: [on('shop', 'CONNECT'), on('stock', 'CONNECT', { ours: false, as: null, grantor: 'other', grantable: true })] });
    expect(sql(planSharedRemoval(role))).toEqual([
      'REVOKE CONNECT ON DATABASE "shop" FROM "u" CASCADE',
      'SET LOCAL ROLE "other"', 'REVOKE CONNECT ON DATABASE "stock" FROM "u" CASCADE', 'SET LOCAL ROLE NONE',
      'REVOKE "readers" FROM "u" CASCADE',
    ]);
  });
});
