import { decodeDeclaration, encodeDeclaration } from '../../lambda/provisioner/core/declaration';
import { endedMemberships, untilNextExpiry, withExpired } from '../../lambda/provisioner/core/expiry';
import { Decision, Facts } from '../../lambda/provisioner/core/lifecycle';
import { endedOnRecord, rolesWithEndedMemberships } from '../../lambda/provisioner/core/membership-expiry';
import { membershipsOfOthers, ObservedRole, planEndOfMemberships, planShared, Wanted } from '../../lambda/provisioner/core/plan-shared';
import { decodeRows, encodeDeclarations } from '../../lambda/provisioner/core/registry-rows';
import { Claim, Declaration, withRenamed } from '../../lambda/provisioner/core/state';

const TEXT = '2027-01-31T12:00:00.000Z';
const TIME = Date.parse(TEXT);
const PLACE = { resourceId: 'cluster-A', major: 17 };
const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';

const declaration = (expiresAt?: number, more: Partial<Declaration> = {}): Declaration => ({
  kind: 'user', memberOf: ['readers', 'support'], databases: [], exclusive: false, ...expiresAt === undefined ? {} : { endingMemberships: [{ group: 'support', expiresAt }] }, ...more,
});
const claim = (roleOid: string, expiresAt: number | undefined, more: Partial<Claim> = {}): Claim => ({
  stack: STACK, stackId: `${STACK}/1`, logicalId: `R${roleOid}`, roleOid, roleName: `r${roleOid}`, resourceId: 'cluster-A', physicalId: `cluster-A/r${roleOid}/R${roleOid}`,
  username: `r${roleOid}`, declarations: [declaration(expiresAt)], deployed: [], released: false, ...more,
});
const factsOf = (claims: Claim[], more: Partial<Facts> = {}): Facts => ({
  claims, unreadable: [], withoutFormat: [], cancelled: [], ofPublic: { records: [], unreadable: [] },
  roles: new Map([...claims.map(({ roleName, roleOid }): [string, string] => [roleName!, roleOid]), ['support', '90'], ['readers', '91']]), databaseOids: new Map(), databases: [], closed: [], ...more,
});
const onRecord = (claims: Claim[], date = TIME, more: Partial<Facts> = {}) => endedOnRecord(factsOf(claims, more), date, PLACE);

describe('the declared time of a membership', () => {
  const properties = { MemberOf: ['readers', 'support'], MembershipExpiresAt: { support: TEXT } };

  test('survives the wire form and the registry', () => {
    expect(decodeDeclaration('user', properties)).toEqual(declaration(TIME));
    expect(decodeDeclaration('role', properties).endingMemberships).toEqual([{ group: 'support', expiresAt: TIME }]);
    expect(encodeDeclaration(declaration(TIME))).toEqual(properties);
    const stored = encodeDeclarations({ declarations: [declaration(TIME)], deployed: [declaration(TIME)], endSessions: true });
    expect(JSON.parse(JSON.stringify(stored))).toEqual({ format: 1, declarations: [{ Kind: 'user', ...properties }], endSessions: true });
    const { claims: [decoded], unreadable } = decodeRows([{ ...claim('16400', TIME), declarations: stored }], 'postgres');
    expect(unreadable).toEqual([]);
    expect([decoded.declarations, decoded.endSessions]).toEqual([[declaration(TIME)], true]);
  });

  test('is no part of a declaration, or of a row, without one', () => {
    expect(Object.keys(decodeDeclaration('user', { MemberOf: ['support'], MembershipExpiresAt: {} }))).not.toContain('endingMemberships');
    expect(encodeDeclaration(declaration())).toEqual({ MemberOf: ['readers', 'support'] });
    expect(encodeDeclarations({ declarations: [declaration()], deployed: [declaration()] })).toEqual({ format: 1, declarations: [{ Kind: 'user', MemberOf: ['readers', 'support'] }] });
  });

  test.each<[object, string]>([
    [{ MembershipExpiresAt: { nobody: TEXT } }, 'MembershipExpiresAt "nobody" is not allowed: it is not in MemberOf; add it there, or leave it out here'],
    [{ MembershipExpiresAt: { support: 'never' } }, 'MembershipExpiresAt.support "never" is not allowed: it is not a time such as 2026-01-31T12:00:00.000Z; pass a time in UTC with milliseconds'],
    [{ MembershipExpiresAt: ['support'] }, 'MembershipExpiresAt ["support"] is not allowed: it is not an object; pass an object'],
    [{ Settings: { RoleAtLogin: 'support' } }, 'Settings.RoleAtLogin "support" is not allowed: its membership ends, and each session would begin with a warning then; take its time out of MembershipExpiresAt'],
  ])('%j is refused', (more, message) => {
    expect(() => decodeDeclaration('user', { ...properties, ...more })).toThrow(message);
  });

  test.each([false, 'true', null, 1])('endSessions %j makes a row that is not understood', (endSessions) => {
    const stored = { ...encodeDeclarations({ declarations: [declaration(TIME)], deployed: [] }) as object, endSessions };
    const { unreadable: [row] } = decodeRows([{ ...claim('16400', TIME), declarations: stored }], 'postgres');
    expect(row.problem).toContain(`endSessions ${JSON.stringify(endSessions)} is not allowed: it is not true; correct the row`);
  });

  test('goes with the name of the group', () => {
    expect(withRenamed(declaration(TIME), 'support', 'helpers')).toMatchObject({ memberOf: ['readers', 'helpers'], endingMemberships: [{ group: 'helpers', expiresAt: TIME }] });
  });
});

describe('which memberships are over', () => {
  test.each([[TIME - 1, []], [TIME, ['support']], [TIME + 1, ['support']]])('at %i: %j', (date, groups) => {
    expect(endedMemberships(declaration(TIME), date)).toEqual(groups);
    expect(endedMemberships(declaration(), date)).toEqual([]);
    expect(onRecord([claim('1', TIME), claim('2', undefined)], date).flatMap(one => one.groups)).toEqual(groups);
  });

  test('a role that two constructs declare stays as long as one of them says so', () => {
    const both = (a: number | undefined, b: number | undefined) => onRecord([claim('1', a), claim('1', b, { logicalId: 'Moved' })]).length;
    expect([both(TIME, undefined), both(undefined, TIME), both(TIME, TIME + 1), both(TIME, TIME - 1)]).toEqual([0, 0, 0, 1]);
    const without = claim('1', undefined, { logicalId: 'Moved', declarations: [declaration(undefined, { memberOf: [] })] });
    expect(onRecord([claim('1', TIME), without])).toMatchObject([{ groups: ['support'] }]);
  });

  test('a row of the database that this one was copied from has no say beside one of this database, and alone it has', () => {
    const source = (time?: number) => claim('1', time, { resourceId: 'cluster-SOURCE', physicalId: 'cluster-SOURCE/r1/R1', logicalId: 'Source' });
    expect(onRecord([source(), claim('1', TIME)])).toHaveLength(1);
    expect(onRecord([source(TIME), claim('1', undefined)])).toEqual([]);
    expect(onRecord([source(TIME)])).toHaveLength(1);
  });

  test('nothing is decided about a role of which a row is not understood', () => {
    const row = { roleOid: '1', stack: STACK, logicalId: 'X', username: 'r1', released: false, problem: 'no' };
    expect(onRecord([claim('1', TIME)], TIME, { unreadable: [row] })).toEqual([]);
  });

  test('of a group that was renamed by hand, under both names, on the same server alone', () => {
    const identities = (resourceId: string) => ({ resourceId, major: 17, databases: [], roles: [{ name: 'support', oid: '90' }] });
    const roles = new Map([['r1', '1'], ['helpers', '90']]);
    expect(onRecord([claim('1', TIME, { identities: identities('cluster-A') })], TIME, { roles })[0].groups).toEqual(['helpers', 'support']);
    expect(onRecord([claim('1', TIME, { identities: identities('cluster-B') })], TIME, { roles })[0].groups).toEqual(['support']);
  });

  test('none of a group that was renamed by hand, where one of two constructs says that the membership lasts', () => {
    const identities = { ...PLACE, databases: [], roles: [{ name: 'support', oid: '90' }] };
    const roles = new Map([['r1', '1'], ['helpers', '90']]);
    const both = (lasting: number | undefined) => onRecord([claim('1', TIME, { identities }), claim('1', lasting, { logicalId: 'Moved', identities })], TIME, { roles });
    expect([both(undefined), both(TIME + 1)]).toEqual([[], []]);
    expect(both(TIME - 1)).toMatchObject([{ groups: ['helpers', 'support'] }]);
  });

  test('sessions that an earlier event has left count without one', () => {
    expect(onRecord([claim('1', undefined, { endSessions: true })])).toEqual([{ username: 'r1', claim: { roleOid: '1' }, isOwn: false, groups: [], endSessions: true }]);
  });

  test('an event decides what lasts of its own roles, and the registry what is over of them', () => {
    const converge = (role: string, declared: Declaration): Wanted => ({ role, declaration: declared, previous: [], deployed: [] });
    const decided = (declared: Declaration) => {
      const decision = withExpired({ changes: [], converge: [converge('r1', declared)], record: [], forget: [], adopted: [] } satisfies Decision, TIME);
      return rolesWithEndedMemberships(factsOf([claim('1', TIME), claim('2', TIME)]), decision, TIME, PLACE).map(({ username, groups, isOwn }) => [username, groups.join(), isOwn]);
    };
    const others = ['r2', 'support', false];
    expect(decided(declaration(TIME))).toEqual([['r1', 'support', true], others]);
    expect(decided(declaration(TIME + 1))).toEqual([others]);
    expect(decided(declaration())).toEqual([others]);
    // A failure would give back what the event takes out.
    expect(decided(declaration(undefined, { memberOf: [] }))).toEqual([['r1', 'support', true], others]);
  });

  test('a role that is created has none, and one that is renamed has them under its name before', () => {
    const changes: Decision['changes'] = [{ kind: 'renameRole', role: 'r1', to: 'renamed' }, { kind: 'createRole', role: 'new', roleKind: 'user' }];
    const converge = ['renamed', 'new'].map((role): Wanted => ({ role, declaration: declaration(TIME), previous: [], deployed: [] }));
    const decision = withExpired({ changes, converge, record: [], forget: [], adopted: [] } satisfies Decision, TIME);
    expect(rolesWithEndedMemberships(factsOf([claim('1', TIME)]), decision, TIME, PLACE)).toMatchObject([{ username: 'r1', groups: ['support'], isOwn: true }]);
  });

  test('the next one', () => {
    expect(untilNextExpiry([claim('1', TIME), claim('2', TIME + 10), claim('3', TIME + 5), claim('4', undefined)], TIME)).toBe(5);
  });
});

describe('what is planned', () => {
  const membership = (group: string, more = {}) => ({ group, inherits: true, effective: true, admin: false, as: null, ours: true, ...more });
  const observed = (...memberships: ObservedRole['memberships']): ObservedRole => ({
    role: 'u', oid: '1', canLogin: true, inherits: true, memberships: [membership('rds_iam'), ...memberships], members: [], databases: [], others: [], connectionLimit: -1, settings: [],
    dependsIn: [], ownsIn: [],
  });
  const wanted = (ended?: string[], previous: Declaration[] = [declaration()]): Wanted => ({ role: 'u', declaration: declaration(TIME), previous, deployed: [], ...ended ? { ended } : {} });
  const kinds = (role: ObservedRole | undefined, one: Wanted) => planShared([one], new Map(role ? [['u', role]] : []), []).map(change => 'group' in change ? `${change.kind} ${change.group}` : change.kind);
  const [before, after] = [observed(membership('readers'), membership('support')), observed(membership('readers'))];

  test('before the time, the membership', () => {
    expect(kinds(before, wanted())).toEqual([]);
    expect(kinds(after, wanted())).toEqual(['grantRole support']);
  });

  test('from then on none, whether or not it was declared before; the login stays', () => {
    expect(kinds(before, wanted(['support']))).toEqual(['revokeRole support']);
    expect(kinds(before, wanted(['support'], []))).toEqual(['revokeRole support']);
    expect(kinds(after, wanted(['support']))).toEqual([]);
    expect(kinds(undefined, wanted(['support']))).toEqual(['createRole', 'grantRole readers', 'grantRole rds_iam', 'allowLogin']);
  });

  test('what others have granted is left to these, and said', () => {
    const both = observed(membership('readers'), membership('support'), membership('support', { ours: false, as: 'boss' }));
    expect(kinds(both, wanted(['support']))).toEqual(['revokeRole support']);
    expect(membershipsOfOthers([wanted(['support'])], new Map([['u', both]]))).toEqual([{ role: 'u', group: 'support', grantor: 'boss' }]);
    expect(planEndOfMemberships(both, ['support'])).toEqual([{ kind: 'revokeRole', group: 'support', roles: ['u'] }]);
    expect(planEndOfMemberships(observed(membership('support', { effective: false })), ['support'])).toEqual([]);
  });
});
