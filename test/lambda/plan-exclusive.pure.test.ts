import { Change } from '../../lambda/provisioner/core/change';
import {
  DatabaseOwner,
  exclusiveOf,
  grantedByOthers,
  groupsOf,
  membershipsOfOthers,
  ObservedRole,
  planEndOfMemberships,
  planShared,
  planSharedRemoval,
  Wanted,
  withoutExclusive,
} from '../../lambda/provisioner/core/plan-shared';
import { Declaration } from '../../lambda/provisioner/core/state';

type Membership = ObservedRole['memberships'][number];
type OnDatabase = ObservedRole['databases'][number];

const ADMINS: DatabaseOwner[] = ['shop', 'stock'].map(database => ({
  database,
  owner: `${database}_owner`,
  as: `${database}_owner`,
}));
const NOTHING: Declaration = { kind: 'user', memberOf: [], databases: [], exclusive: false };

const onDatabases = (...databases: [string, ...string[]][]): Partial<Declaration> =>
  ({ databases: databases.map(([database, ...privileges]) => ({ database, privileges, schemas: [] })) });

function wanted(
  declared: Partial<Declaration>,
  previous: Partial<Declaration>[] = [],
  more: Partial<Wanted> = {},
): Wanted {
  const before = previous.map(one => ({ ...NOTHING, ...one }));
  return { role: 'u', declaration: { ...NOTHING, ...declared }, previous: before, deployed: [], ...more };
}

function memberOf(group: string, more: Partial<Membership> = {}): Membership {
  return { group, inherits: true, effective: true, admin: false, as: null, ours: true, ...more };
}

function on(database: string, privilege: string, more: Partial<OnDatabase> = {}): OnDatabase {
  return { database, privilege, grantable: false, ours: true, as: null, grantor: null, ...more };
}

/** A user that can sign in, and holds nothing else. */
function observed(more: Partial<ObservedRole> = {}): ObservedRole {
  return {
    role: 'u',
    oid: '1',
    canLogin: true,
    inherits: true,
    memberships: [memberOf('rds_iam')],
    members: [],
    databases: [],
    others: [],
    connectionLimit: -1,
    settings: [],
    dependsIn: [],
    ownsIn: [],
    ...more,
  };
}

const plan = (one: Wanted, role: ObservedRole): Change[] => planShared([one], new Map([[role.role, role]]), ADMINS);

const grant = (database: string, privilege: string) => ({
  kind: 'grant',
  privileges: [privilege],
  on: { type: 'DATABASE', database },
  roles: ['u'],
  as: `${database}_owner`,
});
const revoke = (database: string, privilege: string) =>
  ({ kind: 'revoke', privileges: [privilege], on: { type: 'DATABASE', database }, roles: ['u'] });
const revokeRole = (group: string) => ({ kind: 'revokeRole', group, roles: ['u'] });

describe('what all databases share', () => {
  test('is granted on each database with the rights of its owner', () => {
    expect(plan(wanted(onDatabases(['shop', 'CONNECT'], ['stock', 'CONNECT'])), observed()))
      .toEqual([grant('shop', 'CONNECT'), grant('stock', 'CONNECT')]);
  });

  test('is granted where another privilege on the database is held, or the same on another one', () => {
    const databases = [on('shop', 'CREATE'), on('stock', 'CONNECT')];
    expect(plan(wanted(onDatabases(['shop', 'CONNECT', 'CREATE'])), observed({ databases })))
      .toEqual([grant('shop', 'CONNECT')]);
  });

  test('is taken back only of the database, and only the privilege, that was declared', () => {
    const databases = [on('shop', 'CREATE'), on('shop', 'TEMPORARY'), on('stock', 'CREATE')];
    expect(plan(wanted({}, [onDatabases(['shop', 'CREATE'], ['stock', 'CONNECT'])]), observed({ databases })))
      .toEqual([revoke('shop', 'CREATE')]);
  });

  test('is taken back as it was held when the role is removed: with the grant option or without', () => {
    const databases = [on('shop', 'CONNECT', { grantable: true }), on('shop', 'CREATE')];
    expect(planSharedRemoval(observed({ databases }))).toEqual([
      { ...revoke('shop', 'CONNECT'), wasGrantable: true }, revoke('shop', 'CREATE'), revokeRole('rds_iam'),
    ]);
  });

  test('of a role that is new is all granted, and nothing is taken back or reset', () => {
    expect(planShared([wanted({ kind: 'role', exclusive: true })], new Map(), ADMINS))
      .toEqual([{ kind: 'createRole', role: 'u', roleKind: 'role' }]);
  });
});

describe('an exclusive role', () => {
  const exclusive = { memberOf: ['readers'], exclusive: true };

  test('keeps its membership, and loses the option to pass it on', () => {
    const memberships = [
      memberOf('rds_iam'),
      memberOf('readers', { admin: true }),
      memberOf('readers', { as: 'dba', ours: false }),
    ];
    expect(plan(wanted(exclusive), observed({ memberships }))).toEqual([{ ...revokeRole('readers'), admin: true }]);
  });

  test('loses a membership that is not declared, and the option with it', () => {
    const memberships = [memberOf('rds_iam'), memberOf('readers'), memberOf('writers', { admin: true })];
    expect(plan(wanted(exclusive), observed({ memberships }))).toEqual([revokeRole('writers')]);
  });

  test('keeps its privileges on a database, and loses the option to pass them on', () => {
    const databases = [on('shop', 'CONNECT', { grantable: true })];
    expect(plan(wanted({ ...onDatabases(['shop', 'CONNECT']), exclusive: true }), observed({ databases })))
      .toEqual([{ ...revoke('shop', 'CONNECT'), grantable: true }]);
  });

  test('loses what it may do with parameters and tablespaces, as its grantor', () => {
    const others = [
      { on: 'TABLESPACE', name: 'fast', privilege: 'CREATE', grantable: true, as: null },
      { on: 'PARAMETER', name: 'work_mem', privilege: 'SET', grantable: false, as: 'dba' },
    ] as const;
    const onParameter = {
      kind: 'revoke',
      privileges: ['SET'],
      on: { type: 'PARAMETER', name: 'work_mem' },
      roles: ['u'],
      grantor: 'dba',
    };
    const tablespace = { type: 'TABLESPACE', name: 'fast' };
    const onTablespace = { kind: 'revoke', privileges: ['CREATE'], on: tablespace, roles: ['u'], wasGrantable: true };
    expect(plan(wanted({ exclusive: true }), observed({ others: [...others] }))).toEqual([onTablespace, onParameter]);
    expect(plan(wanted({}), observed({ others: [...others] }))).toEqual([]);
  });

  test('is named, and can be planned as if it were none', () => {
    const all = [wanted(exclusive), wanted({}, [], { role: 'v' })];
    expect(exclusiveOf(all)).toEqual(['u']);
    expect(withoutExclusive(all)).toEqual([wanted({ memberOf: ['readers'] }), wanted({}, [], { role: 'v' })]);
  });
});

describe('a membership', () => {
  test.each([
    [false, []],
    [true, [revokeRole('rds_iam'), { kind: 'forbidLogin', role: 'u' }]],
  ])('in rds_iam ends with the time of a user: %s', (expired, changes) => {
    expect(plan(wanted({}, [], { expired }), observed())).toEqual(changes);
  });

  test.each<[string, Partial<Declaration>, Partial<Wanted>]>([
    ['of a group role that loses rds_iam', { kind: 'role' }, {}],
    ['of a user whose time is over', {}, { expired: true }],
  ])('in another group, which is not declared, stays: %s', (_, declared, more) => {
    expect(plan(wanted(declared, [], more), observed({ canLogin: false, memberships: [memberOf('readers')] }))).toEqual(
      [],
    );
  });

  test('in rds_iam that another role has granted stays when the time of a user is over', () => {
    const memberships = [memberOf('rds_iam', { ours: false, as: 'dba' })];
    expect(plan(wanted({}, [], { expired: true }), observed({ canLogin: false, memberships }))).toEqual([]);
  });

  test('that is over is none, and is taken back; the others stay', () => {
    const one = wanted({ memberOf: ['readers', 'writers'] }, [], { ended: ['writers'] });
    expect(groupsOf(one)).toEqual(['readers']);
    expect(groupsOf(wanted({ memberOf: ['readers', 'writers'] }))).toEqual(['readers', 'writers']);
    const memberships = ['rds_iam', 'readers', 'writers', 'theirs'].map(group => memberOf(group));
    expect(plan(one, observed({ memberships }))).toEqual([revokeRole('writers')]);
  });

  test('that is over is left to another grantor', () => {
    const role = observed({
      memberships: [memberOf('writers'), memberOf('writers', { ours: false, as: 'dba' }), memberOf('readers')],
    });
    expect(planEndOfMemberships(role, ['writers'])).toEqual([revokeRole('writers')]);
    expect(grantedByOthers(role, group => group === 'writers')).toEqual([
      { role: 'u', group: 'writers', grantor: 'dba' },
    ]);
  });

  test("of a role that is not there is not another role's", () => {
    expect(membershipsOfOthers([wanted({}, [{ memberOf: ['readers'] }])], new Map())).toEqual([]);
  });
});
