import { decodeDeclaration, encodeDeclaration } from '../../lambda/provisioner/core/declaration';
import { expiredOnRecord, expiredRoles, hasExpired, untilNextExpiry, withExpired } from '../../lambda/provisioner/core/expiry';
import { Decision, Facts } from '../../lambda/provisioner/core/lifecycle';
import { ObservedRole, planShared, Wanted } from '../../lambda/provisioner/core/plan-shared';
import { decodeRows, encodeDeclarations } from '../../lambda/provisioner/core/registry-rows';
import { Claim, Declaration } from '../../lambda/provisioner/core/state';
import { createExpiryHandler } from '../../lambda/provisioner/expiry';
import { sleepingClock } from './clocks';

const TEXT = '2027-01-31T12:00:00.000Z';
const TIME = Date.parse(TEXT);
const RESOURCE = 'cluster-A';
const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';

const declaration = (expiresAt?: number): Declaration => ({ kind: 'user', memberOf: ['readers'], databases: [], exclusive: false, ...expiresAt === undefined ? {} : { expiresAt } });

const claim = (roleOid: string, expiresAt: number | undefined, more: Partial<Claim> = {}): Claim => ({
  stack: STACK, stackId: `${STACK}/1`, logicalId: `R${roleOid}`, roleOid, roleName: `r${roleOid}`, resourceId: 'cluster-A', physicalId: `cluster-A/r${roleOid}/R${roleOid}`,
  username: `r${roleOid}`, declarations: [declaration(expiresAt)], deployed: [], released: false, ...more,
});

describe('the declared time', () => {
  test('survives the registry and the wire form', () => {
    expect(decodeDeclaration('user', { ExpiresAt: TEXT })).toMatchObject({ expiresAt: TIME });
    expect(encodeDeclaration(declaration(TIME))).toEqual({ MemberOf: ['readers'], ExpiresAt: TEXT });
    const row = {
      ...claim('16400', TIME), username: 'r16400',
      declarations: encodeDeclarations({ declarations: [declaration(), declaration(TIME)], deployed: [declaration(TIME)] }),
    };
    expect(JSON.parse(JSON.stringify(row.declarations))).toEqual({
      format: 1, declarations: [{ Kind: 'user', MemberOf: ['readers'] }, { Kind: 'user', MemberOf: ['readers'], ExpiresAt: TEXT }],
      deployed: [{ Kind: 'user', MemberOf: ['readers'], ExpiresAt: TEXT }],
    });
    const { claims: [decoded], unreadable } = decodeRows([row], 'postgres');
    expect(unreadable).toEqual([]);
    expect(decoded.declarations.map(({ expiresAt }) => expiresAt)).toEqual([undefined, TIME]);
  });

  test('is no part of a declaration without one', () => {
    expect(Object.keys(decodeDeclaration('user', {}))).not.toContain('expiresAt');
    expect(encodeDeclaration(declaration())).toEqual({ MemberOf: ['readers'] });
  });

  test.each([
    '2027-01-31', '2027-01-31T12:00:00Z', '2027-02-30T12:00:00.000Z', '2027-01-31T24:00:00.000Z', '2027-01-31T12:00:00.000+01:00', '+12027-01-31T12:00:00.000Z', 'never', '', 1801396800000, null, {},
    '2027-01-31T12:00:00.000Z\n',
  ])('%j is none', (value) => {
    const shown = JSON.stringify(value);
    expect(() => decodeDeclaration('user', { ExpiresAt: value })).toThrow(typeof value === 'string'
      ? `ExpiresAt ${shown} is not allowed: it is not a time such as 2026-01-31T12:00:00.000Z; pass a time in UTC with milliseconds`
      : `ExpiresAt ${shown} is not allowed: it is not a string; pass a string`);
  });

  test('is refused of a group role', () => {
    expect(() => decodeDeclaration('role', { ExpiresAt: TEXT }))
      .toThrow('ExpiresAt "2027-01-31T12:00:00.000Z" is not allowed: a group role has no login that could end; declare it for its members');
  });
});

describe('whose time is over', () => {
  test.each([[TIME - 1, false], [TIME, true], [TIME + 1, true]])('at %i: %j', (date, over) => {
    expect(hasExpired(declaration(TIME), date)).toBe(over);
    expect(hasExpired(declaration(), date)).toBe(false);
    expect(expiredOnRecord({ claims: [claim('1', TIME), claim('2', undefined)], unreadable: [] }, date, RESOURCE).map(({ username }) => username)).toEqual(over ? ['r1'] : []);
  });

  test('a role that two constructs declare stays as long as one of them says so', () => {
    const both = (a: number | undefined, b: number | undefined) => expiredOnRecord({ claims: [claim('1', a), claim('1', b, { logicalId: 'Moved' })], unreadable: [] }, TIME, RESOURCE).length;
    expect([both(TIME, undefined), both(undefined, TIME), both(TIME, TIME + 1), both(TIME, TIME - 1)]).toEqual([0, 0, 0, 1]);
  });

  test('a row of the database that this one was copied from has no say beside one of this database, and alone it has', () => {
    const source = { resourceId: 'cluster-SOURCE', physicalId: 'cluster-SOURCE/r1/R1', logicalId: 'Source' };
    const beside = (...times: (number | undefined)[]) => expiredOnRecord({ claims: [...times.map(time => claim('1', time, source)), claim('1', TIME)], unreadable: [] }, TIME, RESOURCE).length;
    expect([beside(undefined), beside(TIME + 1), beside(TIME)]).toEqual([1, 1, 1]);
    const alone = (time: number | undefined) => expiredOnRecord({ claims: [claim('1', time, source)], unreadable: [] }, TIME, RESOURCE).length;
    expect([alone(undefined), alone(TIME)]).toEqual([0, 1]);
    const released = expiredOnRecord({ claims: [claim('1', undefined, source), claim('1', TIME, { released: true })], unreadable: [] }, TIME, RESOURCE);
    expect(released).toEqual([]);
  });

  test('a role that gets the name of another one is not that one', () => {
    const converge = (role: string, expiresAt?: number): Wanted => ({ role, declaration: declaration(expiresAt), previous: [], deployed: [] });
    const facts = { claims: [claim('1', undefined)], unreadable: [], roles: new Map([['r1', '1']]) } as unknown as Facts;
    const decision = withExpired({
      changes: [{ kind: 'renameRole', role: 'r1', to: 'other' }, { kind: 'createRole', role: 'r1', roleKind: 'user' }],
      converge: [converge('other'), converge('r1', TIME)], record: [], forget: [], adopted: [],
    } satisfies Decision, TIME);
    expect(expiredRoles(facts, decision, TIME, RESOURCE)).toEqual([]);
  });

  test('what is declared last counts, should a change have been under way', () => {
    const underWay = (...times: (number | undefined)[]) => expiredOnRecord({ claims: [claim('1', undefined, { declarations: times.map(declaration) })], unreadable: [] }, TIME, RESOURCE).length;
    expect([underWay(TIME, TIME + 1), underWay(TIME + 1, TIME), underWay()]).toEqual([0, 1, 0]);
  });

  test('a role that was kept when its construct went counts; one that has gone, or goes by a name that is not of this library, does not', () => {
    const found = expiredOnRecord({ claims: [claim('1', TIME, { released: true }), claim('2', TIME, { roleName: undefined })], unreadable: [] }, TIME, RESOURCE);
    expect(found).toEqual([{ username: 'r1', claim: { roleOid: '1' }, isOwn: false }]);
  });

  test('nothing is decided about a role of which a row is not understood', () => {
    const row = { roleOid: '1', stack: STACK, logicalId: 'X', username: 'r1', released: false, problem: 'no' };
    expect(expiredOnRecord({ claims: [claim('1', TIME)], unreadable: [row] }, TIME, RESOURCE)).toEqual([]);
  });

  test('an event decides about the roles that it declares, by the names that they have before it', () => {
    const converge = (role: string, expiresAt?: number): Wanted => ({ role, declaration: declaration(expiresAt), previous: [], deployed: [] });
    const facts = { claims: [claim('1', TIME), claim('2', TIME), claim('3', TIME)], unreadable: [], roles: new Map([['r1', '1'], ['r2', '2'], ['r3', '3']]) } as unknown as Facts;
    const decision = withExpired({
      changes: [{ kind: 'renameRole', role: 'r2', to: 'renamed' }, { kind: 'createRole', role: 'new', roleKind: 'user' }],
      converge: [converge('r1', TIME + 1), converge('renamed', TIME), converge('new', TIME)], record: [], forget: [], adopted: [],
    } satisfies Decision, TIME);
    expect(decision.converge.map(({ expired = false }) => expired)).toEqual([false, true, true]);
    expect(expiredRoles(facts, decision, TIME, RESOURCE)).toEqual([
      { username: 'r2', claim: { roleOid: '2' }, isOwn: true },
      { username: 'r3', claim: { roleOid: '3' }, isOwn: false },
    ]);
  });

  test('the next one', () => {
    expect(untilNextExpiry([claim('1', TIME), claim('2', TIME + 10), claim('3', TIME + 5), claim('4', undefined)], TIME)).toBe(5);
    expect(untilNextExpiry([claim('1', TIME)], TIME)).toBeUndefined();
  });
});

describe('what is planned', () => {
  const membership = (group: string) => ({ group, inherits: true, effective: true, admin: false, as: null, ours: true });
  const observed = (more: Partial<ObservedRole>): ObservedRole => ({
    role: 'u', oid: '1', canLogin: false, inherits: true, memberships: [], members: [], databases: [], others: [], connectionLimit: -1, settings: [], dependsIn: [], ownsIn: [], ...more,
  });
  const kinds = (expired: boolean, role: ObservedRole | undefined) =>
    planShared([{ role: 'u', declaration: declaration(TIME), previous: [declaration()], deployed: [], expired }], new Map(role ? [['u', role]] : []), [])
      .map(change => 'group' in change ? `${change.kind} ${change.group}` : change.kind);
  const before = observed({ canLogin: true, memberships: [membership('rds_iam'), membership('readers')] });
  const after = observed({ memberships: [membership('readers')] });

  test('before the time, access', () => {
    expect(kinds(false, before)).toEqual([]);
    expect(kinds(false, after)).toEqual(['grantRole rds_iam', 'allowLogin']);
  });

  test('from then on none; everything else stays, and what others have granted, which is of no use without a login', () => {
    expect(kinds(true, before)).toEqual(['revokeRole rds_iam', 'forbidLogin']);
    expect(kinds(true, after)).toEqual([]);
    expect(kinds(true, observed({ canLogin: true, memberships: [{ ...membership('rds_iam'), ours: false, as: 'other' }, membership('readers')] }))).toEqual(['forbidLogin']);
  });

  test('a new user is created without', () => {
    expect(kinds(true, undefined)).toEqual(['createRole', 'grantRole readers']);
  });
});

describe('the event of the alias', () => {
  const asked = (): never => {
    throw new Error('asked');
  };
  const invoked = (event: unknown) => {
    const log: string[] = [];
    const handler = createExpiryHandler({ deployment: asked, clock: sleepingClock(), write: line => void log.push(line) });
    return handler(event, { awsRequestId: 'r', functionName: 'f', getRemainingTimeInMillis: () => 60_000 }).then(() => 'done', (error: Error) => error.message);
  };

  test.each([
    [{ RequestType: 'Delete' }, 'property "RequestType" is not allowed: the event of this alias has none; send {}'],
    [{ usernames: ['postgres'] }, 'property "usernames" is not allowed: the event of this alias has none; send {}'],
    [{ now: 4e12 }, 'property "now" is not allowed: the event of this alias has none; send {}'],
    [JSON.parse('{ "__proto__": {} }'), 'property "__proto__" is not allowed: the event of this alias has none; send {}'],
    [[], 'event [] is not allowed: it is not an object; pass an object'],
    [null, 'event null is not allowed: it is not an object; pass an object'],
    ['{}', 'event "{}" is not allowed: it is not an object; pass an object'],
  ])('refuses %j before anything is asked', async (event, message) => {
    await expect(invoked(event)).resolves.toBe(message);
  });

  test('takes {}', async () => {
    await expect(invoked({})).resolves.toBe('internal error: asked');
  });
});
