import type { Change } from '../../lambda/provisioner/core/change';
import { Imagined } from '../../lambda/provisioner/core/imagined';
import type { PublicDecision, PublicState } from '../../lambda/provisioner/core/public-privileges';
import type { PublicPrivilege } from '../../lambda/provisioner/core/public-records';
import { NOTHING } from '../../lambda/provisioner/core/removal';
import type { Claim, Declaration } from '../../lambda/provisioner/core/state';

const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';

type Held = PublicState['held'][number];
type OfPublic = Pick<PublicDecision, 'revokes' | 'grants' | 'forget'>;

const held = (by: string | null, more: Partial<Held> = {}): Held => ({
  by,
  as: null,
  grantor: by,
  through: null,
  ...more,
});
const state = (more: Partial<PublicState> = {}): PublicState => ({
  held: [],
  owner: { as: 'owner' },
  relying: [],
  ...more,
});

function about(
  kind: 'grant' | 'revoke',
  privilege: PublicPrivilege,
  by: string | null,
  more: object = {},
): OfPublic['revokes'][number] {
  const on
    = privilege === 'CONNECT'
      ? ({ type: 'DATABASE', database: 'shop' } as const)
      : ({ type: 'SCHEMA', schema: 'public' } as const);
  const grantor = by === null ? {} : { grantor: by };
  return {
    privilege,
    by,
    isDeployed: false,
    change: { kind, privileges: [privilege], on, roles: ['public'], ...grantor, ...more },
  };
}

describe('what PUBLIC has after a plan', () => {
  const HELD = [held(null), held('passer'), held('other')];
  const decided = (more: Partial<OfPublic>, database = 'shop') => {
    const imagined = new Imagined();
    imagined.change(database, [{ kind: 'createRole', role: 'a', roleKind: 'user' }]);
    imagined.decide(NOTHING);
    imagined.decideOfPublic(database, { revokes: [], grants: [], forget: [], ...more });
    return imagined;
  };
  const then = (imagined: Imagined, privilege: PublicPrivilege = 'CONNECT') =>
    imagined.ofPublic('shop', privilege, state({ held: HELD }), []);

  test('is what it has, where nothing is planned about it', () => {
    expect(then(decided({}))).toEqual(state({ held: HELD }));
  });

  test('is not what is revoked, whichever role has granted it, and the owner stays', () => {
    const revokes = [about('revoke', 'CONNECT', null), about('revoke', 'CONNECT', 'passer')];
    expect(then(decided({ revokes }))).toEqual(state({ held: [held('other')] }));
  });

  test('is also what is given back, with how it would be revoked again', () => {
    const grants = [about('grant', 'CONNECT', null, { as: 'owner' }), about('grant', 'CONNECT', 'giver')];
    expect(then(decided({ grants })).held).toMatchObject([...HELD, held(null, { as: 'owner' }), held('giver')]);
  });

  test('has it again that one deployment revokes and a later one gives back', () => {
    const imagined = decided({ revokes: [about('revoke', 'CONNECT', null)] });
    imagined.decideOfPublic('shop', { revokes: [], grants: [about('grant', 'CONNECT', null)], forget: [] });
    expect(then(imagined).held).toMatchObject([held('passer'), held('other'), held(null)]);
  });

  test('has it from grantors by the names that they have then', () => {
    const imagined = decided({});
    imagined.change('postgres', [{ kind: 'renameRole', role: 'passer', to: 'giver' }]);
    expect(then(imagined).held).toEqual([held(null), held('giver'), held('other')]);
  });

  test('is relied upon by roles under the names that they have then, and by none that is dropped', () => {
    const imagined = new Imagined();
    imagined.change('postgres', [
      { kind: 'renameRole', role: 'a', to: 'b' },
      { kind: 'renameRole', role: 'b', to: 'c' },
      { kind: 'dropRole', role: 'gone' },
    ]);
    const relying = ['a', 'gone', 'x'].map(role => ({ role, isAdmin: false }));
    for (const privilege of ['CONNECT', 'CREATE'] as const) {
      expect(imagined.ofPublic('shop', privilege, state({ relying }), []).relying).toEqual(
        ['c', 'x'].map(role => ({ role, isAdmin: false })),
      );
    }
  });

  test.each<[string, PublicPrivilege, string]>([
    ['another privilege', 'CREATE', 'shop'],
    ['another database', 'CONNECT', 'stock'],
  ])('is not changed by what is decided about %s', (_, privilege, database) => {
    const imagined = decided(
      { revokes: [about('revoke', privilege, null)], grants: [about('grant', privilege, 'giver')] },
      database,
    );
    expect(then(imagined).held).toEqual(HELD);
  });

  test('is CREATE on its schema by the decisions about that', () => {
    const imagined = decided({ revokes: [about('revoke', 'CREATE', 'passer'), about('revoke', 'CONNECT', null)] });
    expect(then(imagined, 'CREATE').held).toEqual([held(null), held('other')]);
  });
});

const on = (database: string, ...privileges: string[]) => ({ database, privileges, schemas: [] });

function declares(databases: Declaration['databases'], more: Partial<Declaration> = {}): Declaration {
  return { kind: 'user', memberOf: [], databases, exclusive: false, ...more };
}

/** A role that is there, declared so, the latest last. */
function claim(username: string, declarations: Declaration[], more: Partial<Claim> = {}): Claim {
  return {
    stack: STACK,
    stackId: `${STACK}/1`,
    logicalId: username,
    resourceId: 'cluster-1',
    physicalId: `cluster-1/${username}`,
    username,
    roleName: username,
    roleOid: '16384',
    declarations,
    deployed: declarations,
    released: false,
    ...more,
  };
}

const grant = (database: string, privileges: string[], ...roles: string[]): Change =>
  ({ kind: 'grant', privileges, on: { type: 'DATABASE', database }, roles });
const grantConnect = (...roles: string[]) => grant('shop', ['CONNECT'], ...roles);
const grantRole = (group: string, ...roles: string[]): Change => ({ kind: 'grantRole', group, roles });

/** The names of those that rely on PUBLIC for a privilege in database shop. */
function relying(
  before: string[],
  claims: Claim[],
  changes: Change[],
  privilege: PublicPrivilege = 'CONNECT',
): string[] {
  const imagined = new Imagined();
  imagined.change('postgres', changes);
  const today = state({ relying: before.map(role => ({ role, isAdmin: role === 'admin' })) });
  const found = imagined.ofPublic('shop', privilege, today, claims).relying;
  expect(found.filter(({ isAdmin }) => isAdmin).map(({ role }) => role)).toEqual(
    before.filter(role => role === 'admin'),
  );
  return found.map(({ role }) => role);
}

describe('a role that relies on PUBLIC for CONNECT', () => {
  const CONNECTS = declares([on('stock'), on('shop', 'CONNECT')]);
  const MEMBER = (...memberOf: string[]) => declares([], { memberOf });
  const MEMBER_A = claim('a', [MEMBER('readers')]);
  const reader = (...databases: Declaration['databases']) => claim('readers', [declares(databases, { kind: 'role' })]);

  test.each<[string, Claim[], Change[]]>([
    ['CONNECT is declared and granted to it', [claim('a', [CONNECTS])], [grantConnect('a')]],
    ['CONNECT is granted to others as well', [claim('a', [CONNECTS])], [grantConnect('b', 'a')]],
    ['CONNECT is granted with other privileges', [claim('a', [CONNECTS])], [grant('shop', ['CREATE', 'CONNECT'], 'a')]],
    ['CONNECT is granted to its group', [MEMBER_A, reader(on('shop', 'CONNECT'))], [grantConnect('readers')]],
    ['it becomes a member of a group that has CONNECT', [MEMBER_A, reader(on('shop', 'CONNECT'))],
      [grantRole('readers', 'a')]],
    ['its group becomes a member of one that has CONNECT',
      [claim('a', [MEMBER('team')]), claim('team', [MEMBER('readers')]), reader(on('shop', 'CONNECT'))],
      [grantRole('readers', 'team')]],
    ['its latest declaration has CONNECT, and no earlier one', [claim('a', [MEMBER(), CONNECTS])], [grantConnect('a')]],
    ['one of two resources that manage it declares CONNECT',
      [claim('a', [MEMBER()]), claim('a', [CONNECTS], { logicalId: 'Other' })], [grantConnect('a')]],
  ])('does so no more, where %s', (_, claims, changes) => {
    expect(relying(['a', 'legacy'], claims, changes)).toEqual(['legacy']);
  });

  test.each<[string, Claim[], Change[]]>([
    ['nothing is planned', [claim('a', [CONNECTS])], []],
    ['it is allowed to log in only', [claim('a', [CONNECTS])], [{ kind: 'allowLogin', role: 'a' }]],
    ['another role is given CONNECT', [claim('a', [CONNECTS])], [grantConnect('b'), grantRole('readers', 'b')]],
    ['another privilege is given', [claim('a', [CONNECTS])], [grant('shop', ['CREATE'], 'a')]],
    ['CONNECT on another database is given', [claim('a', [CONNECTS])], [grant('stock', ['CONNECT'], 'a')]],
    ['a privilege on a schema is given', [claim('a', [CONNECTS])],
      [{ kind: 'grant', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'shop' }, roles: ['a'] }]],
    ['CONNECT is revoked', [claim('a', [CONNECTS])], [{ ...grantConnect('a'), kind: 'revoke' } as Change]],
    ['a membership is revoked', [claim('a', [CONNECTS])], [{ kind: 'revokeRole', group: 'readers', roles: ['a'] }]],
    ['its group has another privilege there', [MEMBER_A, reader(on('shop', 'CREATE'))], [grantRole('readers', 'a')]],
    ['its group has CONNECT on another database', [MEMBER_A, reader(on('stock', 'CONNECT'))],
      [grantRole('readers', 'a')]],
    ['the group that has CONNECT is none of its own',
      [claim('a', [MEMBER('writers')]), reader(on('shop', 'CONNECT'))], [grantRole('writers', 'a')]],
    ['an earlier declaration had CONNECT, and the latest has not', [claim('a', [CONNECTS, MEMBER()])],
      [grantConnect('a')]],
    ['its resource is gone', [claim('a', [CONNECTS], { released: true })], [grantConnect('a')]],
    ['the role of the resource is gone', [claim('a', [CONNECTS], { roleName: undefined })], [grantConnect('a')]],
    ['nothing is known of its declarations', [claim('a', [])], [grantConnect('a')]],
    ['no resource manages it', [], [grantConnect('a')]],
  ])('does so still, where %s', (_, claims, changes) => {
    expect(relying(['a', 'legacy'], claims, changes)).toEqual(['a', 'legacy']);
  });

  test('may be the admin', () => {
    expect(relying(['a', 'admin'], [claim('a', [CONNECTS])], [grantConnect('a')])).toEqual(['admin']);
  });

  test('is no matter of CREATE', () => {
    const claims = [claim('a', [CONNECTS]), claim('new', [declares([on('shop')])], { roleOid: 'planned:new' })];
    expect(relying(['a'], claims, [grantConnect('a')], 'CREATE')).toEqual(['a']);
  });
});

describe('a user that a plan creates', () => {
  const planned = (name: string, declaration: Declaration, more: Partial<Claim> = {}) =>
    claim(name, [declaration], { roleOid: `planned:${name}`, ...more });
  const group = (...databases: Declaration['databases']) => claim('readers', [declares(databases, { kind: 'role' })]);
  const MEMBER = { memberOf: ['readers'] };

  test.each<[string, Claim[]]>([
    ['it is declared for the database without CONNECT',
      [planned('new', declares([on('stock', 'CONNECT'), on('shop', 'CREATE')]))]],
    ['its group is declared for the database without CONNECT', [planned('new', declares([], MEMBER)), group(on('shop'))]],
    ['the database is declared for it, and none for its group',
      [planned('new', declares([on('shop')], MEMBER)), group()]],
  ])('relies on PUBLIC for CONNECT, where %s', (_, claims) => {
    expect(relying([], claims, [])).toEqual(['new']);
  });

  test('relies on it under a name that ends with digits, too', () => {
    expect(relying([], [planned('new2', declares([on('shop')]))], [])).toEqual(['new2']);
  });

  test.each<[string, Claim[]]>([
    ['it is declared with CONNECT', [planned('new', declares([on('shop', 'CONNECT')]))]],
    ['its group is declared with CONNECT',
      [planned('new', declares([on('shop')], MEMBER)), group(on('shop', 'CONNECT'))]],
    ['it may have CONNECT through a group that no stack manages', [planned('new', declares([on('shop')], MEMBER))]],
    ['it is declared for other databases alone', [planned('new', declares([on('stock')]))]],
    ['it is declared for none', [planned('new', declares([]))]],
    ['its resource is gone', [planned('new', declares([on('shop')]), { released: true })]],
    ['it is a group role, which does not log in', [planned('new', declares([on('shop')], { kind: 'role' }))]],
    ['it is dropped again', [planned('new', declares([on('shop')]), { roleName: undefined })]],
    ['nothing is known of its declarations', [claim('new', [], { roleOid: 'planned:new' })]],
    ['it is there already, and the catalog says so', [claim('new', [declares([on('shop')])])]],
  ])('does not rely on PUBLIC for CONNECT, where %s', (_, claims) => {
    expect(relying([], claims, [])).toEqual([]);
  });

  test('is named among the others by the alphabet', () => {
    const created = ['n', 'b', 'z'].map(name => planned(name, declares([on('shop')])));
    expect(relying(['a', 'm', 'x'], created, [])).toEqual(['a', 'b', 'm', 'n', 'x', 'z']);
  });
});
