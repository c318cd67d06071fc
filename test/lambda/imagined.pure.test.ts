import type { Change } from '../../lambda/provisioner/core/change';
import { Imagined, SharedState } from '../../lambda/provisioner/core/imagined';
import type { Decision, Facts, Registration } from '../../lambda/provisioner/core/lifecycle';
import { NOTHING } from '../../lambda/provisioner/core/removal';
import type { RoleInGraph } from '../../lambda/provisioner/core/membership-graph';
import type { ObservedRole } from '../../lambda/provisioner/core/plan-shared';
import type { PublicRecord } from '../../lambda/provisioner/core/public-records';
import type { Claim, Declaration } from '../../lambda/provisioner/core/state';

const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';

function declaration(memberOf: string[] = []): Declaration {
  return { kind: 'user', memberOf, databases: [], exclusive: false };
}

function claim(logicalId: string, username: string, more: Partial<Claim> = {}): Claim {
  return {
    stack: STACK, stackId: `${STACK}/1`, logicalId, resourceId: 'cluster-1', physicalId: `cluster-1/${username}/${logicalId}`, username, roleName: username, roleOid: `oid of ${username}`,
    declarations: [declaration()], deployed: [declaration()], released: false, ...more,
  };
}

function registration(logicalId: string, username: string, more: Partial<Registration> = {}): Registration {
  const { stack, stackId, resourceId, physicalId } = claim(logicalId, username);
  return { stack, stackId, logicalId, resourceId, physicalId, username, declaration: declaration(), supersedes: 'any name', ...more };
}

function facts(...claims: Claim[]): Facts {
  return {
    claims, unreadable: [], ofPublic: { records: [], unreadable: [] }, withoutFormat: [], cancelled: [], databaseOids: new Map(), databases: [], closed: [],
    roles: new Map(claims.map(({ username, roleOid }) => [username, roleOid])),
  };
}

function decision(more: Partial<Decision>): Decision {
  return { ...NOTHING, ...more };
}

function role(name: string, more: Partial<ObservedRole> = {}): ObservedRole {
  return {
    role: name, oid: `oid of ${name}`, canLogin: false, inherits: true, memberships: [], members: [], databases: [], others: [], connectionLimit: -1, settings: [], dependsIn: [], ownsIn: [], ...more,
  };
}

function after(changes: Change[]): Imagined {
  const imagined = new Imagined();
  imagined.change('postgres', changes);
  return imagined;
}

const create = (name: string): Change => ({ kind: 'createRole', role: name, roleKind: 'user' });
const rename = (from: string, to: string): Change => ({ kind: 'renameRole', role: from, to });
const drop = (name: string): Change => ({ kind: 'dropRole', role: name });

describe('the name of a role in the catalog', () => {
  test('is the one before planned renames, and none before it is created', () => {
    const imagined = after([create('new'), rename('a', 'b'), rename('b', 'c'), rename('new', 'newer')]);
    expect(['c', 'new', 'newer', 'other'].map(name => imagined.nameToday(name))).toEqual(['a', undefined, undefined, 'other']);
  });

  test('is as before, if what was planned has failed', async () => {
    const imagined = after([rename('a', 'b')]);
    const before = facts(claim('A', 'a'));
    await expect(imagined.orForget(() => {
      imagined.change('postgres', [create('x'), rename('b', 'c')]);
      imagined.facts(before);
      return Promise.reject(new Error('refused'));
    })).rejects.toThrow('refused');
    expect(['b', 'c', 'x'].map(name => imagined.nameToday(name))).toEqual(['a', 'c', 'x']);
    expect([...imagined.facts(before).roles.keys()]).toEqual(['b']);
  });

  test('stays, if it has not', async () => {
    const imagined = new Imagined();
    await expect(imagined.orForget(() => Promise.resolve(imagined.change('postgres', [rename('a', 'b')])))).resolves.toBeUndefined();
    expect(imagined.nameToday('b')).toBe('a');
  });
});

describe('the registry after a plan', () => {
  test('has a role that is created, under an oid that no role has, and loses one that is dropped', () => {
    const then = after([create('new'), drop('a')]).facts(facts(claim('A', 'a'), claim('B', 'b')));
    expect([...then.roles]).toEqual([['b', 'oid of b'], ['new', 'planned:new']]);
    expect(then.claims).toEqual([claim('A', 'a', { roleName: undefined }), claim('B', 'b')]);
  });

  test('has the new name of a role wherever it is named, and the declared name as it is', () => {
    const [a, b] = [claim('A', 'a'), claim('B', 'b', { declarations: [declaration(['a'])], deployed: [declaration(['a', 'x'])] })];
    const then = after([rename('a', 'c')]).facts(facts(a, b));
    expect([...then.roles]).toEqual([['c', 'oid of a'], ['b', 'oid of b']]);
    expect(then.claims).toEqual([{ ...a, roleName: 'c' }, { ...b, declarations: [declaration(['c'])], deployed: [declaration(['c', 'x'])] }]);
  });

  test('is not changed by what is no role', () => {
    const before = facts(claim('A', 'a'));
    expect(after([{ kind: 'allowLogin', role: 'a' }]).facts(before)).toEqual(before);
  });

  test('has what a decision registers in place of what that replaces, and nothing that it forgets', () => {
    const imagined = after([create('c')]);
    imagined.decide(decision({ record: [registration('A', 'c', { sent: 5, declaration: declaration(['readers']) })], forget: [claim('B', 'b')] }));
    const others = [claim('A', 'kept', { released: true }), claim('C', 'b', { roleOid: 'oid of b' }), claim('B', 'x')];
    expect(imagined.facts(facts(claim('A', 'a'), claim('B', 'b'), ...others)).claims).toEqual([
      ...others,
      claim('A', 'c', { roleOid: 'planned:c', sent: 5, declarations: [declaration(['readers'])], deployed: [declaration(['readers']), declaration()] }),
    ]);
  });

  test('has each declaration once among those that were deployed', () => {
    const imagined = new Imagined();
    imagined.decide(decision({ record: [registration('A', 'a', { supersedes: 'this name' })] }));
    const before = facts(claim('A', 'a', { deployed: [declaration(['x']), declaration()] }), claim('A', 'b'));
    expect(imagined.facts(before).claims).toEqual([claim('A', 'b'), claim('A', 'a', { sent: undefined, deployed: [declaration(), declaration(['x'])] })]);
  });

  test('is worked out on from where it was, for the same facts', () => {
    const imagined = after([create('c')]);
    const before = facts(claim('A', 'a'));
    expect([...imagined.facts(before).roles.keys()]).toEqual(['a', 'c']);
    imagined.change('postgres', [create('d')]);
    expect([...imagined.facts(before).roles.keys()]).toEqual(['a', 'c', 'd']);
    expect([...imagined.facts(facts()).roles.keys()]).toEqual(['c', 'd']);
  });

  test('is worked out once, however often it is asked for', () => {
    const imagined = after([rename('a', 'b'), create('a')]);
    const before = facts(claim('A', 'a'));
    const then = imagined.facts(before);
    expect([...then.roles]).toEqual([['b', 'oid of a'], ['a', 'planned:a']]);
    expect(imagined.facts(before)).toBe(then);
    imagined.change('postgres', [create('c')]);
    expect([...imagined.facts(before).roles]).toEqual([['b', 'oid of a'], ['a', 'planned:a'], ['c', 'planned:c']]);
  });
});

describe('what the registry has of PUBLIC after a plan', () => {
  const ofPublic = (logicalId: string, more: Partial<PublicRecord> = {}): PublicRecord => ({
    stack: STACK, stackId: `${STACK}/1`, logicalId, resourceId: 'cluster-1', physicalId: `cluster-1/shop/${logicalId}`, database: 'shop',
    revoked: ['CONNECT'], before: { CONNECT: [null] }, deployed: [['CONNECT']], ...more,
  });
  const unreadable = [{ stack: STACK, logicalId: 'U', database: 'stock', problem: 'what the registry has of PUBLIC is not understood' }];
  const withPublic = (...records: PublicRecord[]): Facts => ({ ...facts(claim('A', 'a')), ofPublic: { records, unreadable } });
  const then = (decided: { record?: PublicRecord; forget?: PublicRecord[] }, ...records: PublicRecord[]) => {
    const imagined = new Imagined();
    imagined.decideOfPublic('shop', { revokes: [], grants: [], forget: [], ...decided });
    return imagined.facts(withPublic(...records));
  };

  test('is what a resource declares then, in place of what it has declared', () => {
    const changed = ofPublic('P', { revoked: ['CONNECT', 'CREATE'] });
    expect(then({ record: changed }, ofPublic('P'), ofPublic('Q'))).toEqual(withPublic(ofPublic('Q'), changed));
    expect(then({ record: changed }, ofPublic('Q'))).toEqual(withPublic(ofPublic('Q'), changed));
  });

  test('is nothing of a resource that is gone, and what other resources declare', () => {
    const others = [ofPublic('Q'), ofPublic('P', { stack: `${STACK}-2`, stackId: `${STACK}-2/1` })];
    expect(then({ forget: [ofPublic('P')] }, ofPublic('P'), ...others)).toEqual(withPublic(...others));
  });

  test('is nothing of what a declaration makes obsolete', () => {
    const decided = { record: ofPublic('P'), forget: [ofPublic('Q')] };
    expect(then(decided, ofPublic('Q'), ofPublic('R'))).toEqual(withPublic(ofPublic('R'), ofPublic('P')));
  });
});

describe('what roles hold after a plan', () => {
  const NO_OWNERS = { owners: [] };
  const read = (...roles: ObservedRole[]): SharedState => ({ ...NO_OWNERS, roles: new Map(roles.map(one => [one.role, one])) });
  const shared = (names: string[], changes: Change[], ...roles: ObservedRole[]) => [...after(changes).shared(names, read(...roles)).roles.values()];
  const membership = (group: string, more: Partial<ObservedRole['memberships'][number]> = {}) => ({ group, inherits: true, effective: true, admin: false, as: null, ours: true, ...more });
  const member = (name: string, as: string | null = null) => ({ member: name, effective: true, as });

  test('is that of the roles that are asked for, by their names then', () => {
    expect(shared(['c', 'new'], [create('new'), rename('a', 'b'), rename('b', 'c')], role('a', { connectionLimit: 3 }), role('z'))).toEqual([
      role('c', { connectionLimit: 3, oid: 'oid of a' }), role('new', { oid: 'planned:new' }),
    ]);
  });

  test('is not that of others that a plan creates, renames, or takes something from', () => {
    const handOver: Change = { kind: 'reassignOwned', role: 'z', to: 'a', as: [] };
    const imagined = after([rename('x', 'y'), create('new'), handOver]);
    imagined.decide(NOTHING);
    expect([...imagined.shared(['a'], read(role('a'), role('x'), role('z'))).roles.values()]).toEqual([role('a')]);
  });

  test('is that of a role by its new name, where nothing but its name is changed', () => {
    const then = shared(['b'], [rename('a', 'b')], role('a', { connectionLimit: 3 }));
    expect(then).toEqual([role('b', { connectionLimit: 3, oid: 'oid of a' })]);
  });

  test('names a group, and who owns a database, as they are called then', () => {
    const named = (name: string): SharedState => ({
      ...read(role('a', { memberships: [membership(name)] })), owners: [{ database: 'shop', owner: name, as: name }],
    });
    expect(after([rename('readers', 'viewers')]).shared(['a'], named('readers'))).toEqual(named('viewers'));
  });

  test('has what a role is given together with others', () => {
    const then = shared(['a'], [{ kind: 'grantRole', group: 'readers', roles: ['b', 'a'] }], role('a'));
    expect(then).toEqual([role('a', { memberships: [membership('readers')] })]);
  });

  test('is not changed by what is in one database alone', () => {
    expect(shared(['a'], [{ kind: 'createSchema', schema: 'app', role: 'a', as: 'a' }], role('a'))).toEqual([role('a')]);
  });

  test('has no role that is dropped, and the login as it is then', () => {
    expect(shared(['a', 'b', 'c'], [drop('a'), { kind: 'allowLogin', role: 'b' }, { kind: 'forbidLogin', role: 'c' }], role('a'), role('b'), role('c', { canLogin: true }))).toEqual([
      role('b', { canLogin: true }), role('c'),
    ]);
  });

  test.each<[string, Partial<Extract<Change, { kind: 'grantRole' }>>, boolean, boolean]>([
    ['readers', {}, true, true],
    ['readers', {}, false, false],
    ['readers', { options: true }, false, true],
    ['readers', { inherit: true }, false, true],
    ['rds_iam', {}, false, true],
  ])('has a membership in %s with %j: a role that inherits %s, %s', (group, more, inherits, expected) => {
    expect(shared(['a', group], [{ kind: 'grantRole', group, roles: ['a'], ...more }], role('a', { inherits }), role(group))).toEqual([
      role('a', { inherits, memberships: [membership(group, { inherits: expected })] }), role(group, { members: [member('a')] }),
    ]);
  });

  test('has one membership for each that has granted it', () => {
    const given = [membership('readers', { inherits: false }), membership('readers', { as: 'other' }), membership('writers')];
    const members = [member('a'), member('a', 'other'), member('b')];
    expect(shared(['a', 'readers'], [{ kind: 'grantRole', group: 'readers', roles: ['a'], admin: true }], role('a', { memberships: given }), role('readers', { members }))).toEqual([
      role('a', { memberships: [given[1], given[2], membership('readers', { admin: true })] }), role('readers', { members: [member('a', 'other'), member('b'), member('a')] }),
    ]);
  });

  test.each<[string, Partial<Extract<Change, { kind: 'revokeRole' }>>, number[], number[]]>([
    ['the admin', {}, [1, 2], [1, 2]],
    ['another role', { grantor: 'other' }, [0, 2], [0, 2]],
  ])('has no membership that %s has granted and that is revoked', (_, more, memberships, members) => {
    const given = [membership('readers', { admin: true }), membership('readers', { as: 'other' }), membership('writers')];
    const had = [member('a'), member('a', 'other'), member('b')];
    expect(shared(['a', 'readers'], [{ kind: 'revokeRole', group: 'readers', roles: ['a'], ...more }], role('a', { memberships: given }), role('readers', { members: had }))).toEqual([
      role('a', { memberships: memberships.map(n => given[n]) }), role('readers', { members: members.map(n => had[n]) }),
    ]);
  });

  test('has a membership without the ADMIN option that is revoked alone', () => {
    const before = role('a', { memberships: [membership('readers', { admin: true })] });
    expect(shared(['a', 'readers'], [{ kind: 'revokeRole', group: 'readers', roles: ['a'], admin: true }], before, role('readers', { members: [member('a')] }))).toEqual([
      role('a', { memberships: [membership('readers')] }), role('readers', { members: [member('a')] }),
    ]);
  });

  test('has its settings', () => {
    const before = role('a', { settings: [{ database: null, parameter: 'DateStyle', value: 'ISO' }, { database: 'shop', parameter: 'datestyle', value: 'SQL' }] });
    expect(shared(['a'], [{ kind: 'limitConnections', role: 'a', limit: 5, was: -1 }, { kind: 'setParameter', role: 'a', parameter: 'datestyle', value: 'German' }], before)).toEqual([
      role('a', { connectionLimit: 5, settings: [before.settings[1], { database: null, parameter: 'datestyle', value: 'German' }] }),
    ]);
  });

  test('has privileges on databases, and none on what is revoked', () => {
    const on = (database: string, privilege: string, more = {}) => ({ database, privilege, grantable: false, ours: true, as: null, grantor: null, through: null, ...more });
    const before = role('a', { databases: [on('shop', 'CONNECT'), on('stock', 'CONNECT')] });
    expect(shared(['a', 'b'], [
      { kind: 'grant', privileges: ['CONNECT', 'CREATE'], on: { type: 'DATABASE', database: 'shop' }, roles: ['a', 'b'] },
      { kind: 'revoke', privileges: ['CONNECT'], on: { type: 'DATABASE', database: 'stock' }, roles: ['a'] },
      { kind: 'grant', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'shop' }, roles: ['a'] },
    ], before, role('b'))).toEqual([
      role('a', { databases: [on('shop', 'CONNECT'), on('shop', 'CREATE')] }), role('b', { databases: [on('shop', 'CONNECT'), on('shop', 'CREATE')] }),
    ]);
  });

  test('has none on a parameter or a tablespace that is revoked', () => {
    const other = (on: 'PARAMETER' | 'TABLESPACE', name: string, privilege: string) => ({ on, name, privilege, grantable: false, ours: true, as: null, grantor: null }) as unknown as ObservedRole['others'][number];
    const others = [other('PARAMETER', 'x', 'SET'), other('PARAMETER', 'x', 'ALTER SYSTEM'), other('PARAMETER', 'y', 'SET'), other('TABLESPACE', 'x', 'SET'), other('TABLESPACE', 't', 'CREATE')];
    expect(shared(['a'], [
      { kind: 'revoke', privileges: ['SET'], on: { type: 'PARAMETER', name: 'x' }, roles: ['a'] }, { kind: 'revoke', privileges: ['CREATE'], on: { type: 'TABLESPACE', name: 't' }, roles: ['a'] },
    ], role('a', { others }))).toEqual([role('a', { others: others.slice(1, 4) })]);
  });

  test('is not that of a group which a change of its members alone is about', () => {
    expect(shared(['readers'], [{ kind: 'grantRole', group: 'readers', roles: ['a'] }], role('readers'))).toEqual([role('readers', { members: [member('a')] })]);
  });

  test('leads where memberships lead then', () => {
    const roles: RoleInGraph[] = [{ role: 'a', isAdmin: false, isSuperuser: false, createsRoles: false, memberOf: [] }];
    expect(after([{ kind: 'grantRole', group: 'readers', roles: ['a'] }]).graph(roles)).toEqual([{ ...roles[0], memberOf: [{ group: 'readers', effective: true }] }]);
    expect(roles[0].memberOf).toEqual([]);
  });
});
