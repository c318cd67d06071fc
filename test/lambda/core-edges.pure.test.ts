import { decodeDeclaration } from '../../lambda/provisioner/core/declaration';
import { divide } from '../../lambda/provisioner/core/deployed';
import { existingRoles } from '../../lambda/provisioner/core/expiry';
import {
  type DatabaseIdentities, type Found, type Identities, identitiesIn, inPresentNames, isTrusted, recordsDatabase, rolesIn, together, uncertainNames, withPresentNames,
} from '../../lambda/provisioner/core/identities';
import { rolesWithEndedMemberships } from '../../lambda/provisioner/core/membership-expiry';
import { Ownership } from '../../lambda/provisioner/core/ownership';
import { checkSettings, planSettings } from '../../lambda/provisioner/core/settings';
import { decodeTime } from '../../lambda/provisioner/core/time';
import type { Change } from '../../lambda/provisioner/core/change';
import type { Decision, Facts } from '../../lambda/provisioner/core/lifecycle';
import type { ObservedRole, Wanted } from '../../lambda/provisioner/core/plan-shared';
import type { Claim, Declaration } from '../../lambda/provisioner/core/state';

const PLACE = { resourceId: 'cluster-A', major: 17 };
const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';
const DECLARATION: Declaration = { kind: 'user', memberOf: [], databases: [], exclusive: false };
const wanted = (role: string, more: Partial<Wanted> = {}): Wanted => ({ role, declaration: DECLARATION, previous: [], deployed: [], ...more });
const claim = (roleOid: string, more: Partial<Claim> = {}): Claim => ({
  stack: STACK, stackId: `${STACK}/1`, logicalId: `R${roleOid}`, roleOid, roleName: `r${roleOid}`, resourceId: PLACE.resourceId, physicalId: `cluster-A/r${roleOid}/R${roleOid}`,
  username: `r${roleOid}`, declarations: [DECLARATION], deployed: [], released: false, ...more,
});

describe('a setting that is stored', () => {
  const planned = (parameter: string, value: string, settings: ObservedRole['settings']) => {
    const { resets, sets } = planSettings(wanted('ada', { declaration: { ...DECLARATION, settings: { parameters: [{ parameter, value }] } } }), { settings, connectionLimit: -1 } as unknown as ObservedRole);
    return [...resets, ...sets].map(change => change.kind === 'setParameter' && `${change.database ?? 'all'}: ${change.value as string | undefined ?? 'reset'}`);
  };

  test.each(['statement_timeout', 'idle_in_transaction_session_timeout'])('is the same in another unit, if it is %s', (parameter) => {
    expect(planned(parameter, '30000ms', [{ database: null, parameter, value: '30s' }])).toEqual([]);
    expect(planned(parameter, '30000ms', [{ database: null, parameter, value: '31s' }])).toEqual(['all: 30000ms']);
    expect(planned(parameter, '30000ms', [{ database: null, parameter, value: 'soon' }])).toEqual(['all: 30000ms']);
    expect(planned(parameter, '30000ms', [{ database: 'shop', parameter, value: '31s' }])).toEqual(['shop: reset', 'all: 30000ms']);
  });

  test('is another one in another unit, if it is any other parameter', () => {
    expect(planned('lock_timeout', '30000ms', [{ database: null, parameter: 'lock_timeout', value: '30s' }])).toEqual(['all: 30000ms']);
  });

  test('for one database only is none for all', () => {
    expect(planned('work_mem', '1MB', [{ database: 'shop', parameter: 'work_mem', value: '1MB' }])).toEqual(['all: 1MB']);
  });

  test('is declared in an object', () => {
    expect(() => checkSettings({ Parameters: 'work_mem' })).toThrow('Settings.Parameters "work_mem" is not allowed: it is not an object; pass an object');
    expect(() => decodeDeclaration('user', { Settings: { Parameters: 'work_mem' } })).toThrow('Settings.Parameters "work_mem" is not allowed: it is not an object; pass an object');
  });
});

test('the role at login is none of those whose membership ends', () => {
  const declare = (RoleAtLogin: string) => () => decodeDeclaration('user', {
    MemberOf: ['owner', 'readers', 'support'], MembershipExpiresAt: { readers: '2027-01-31T12:00:00.000Z', support: '2027-01-31T12:00:00.000Z' }, Settings: { RoleAtLogin },
  });
  expect(declare('support')).toThrow('Settings.RoleAtLogin "support" is not allowed: its membership ends, and each session would begin with a warning then; take its time out of MembershipExpiresAt');
  expect(declare('owner')).not.toThrow();
});

describe('a role that the event is about', () => {
  const find = (names: [string, string][], changes: Change[]) =>
    existingRoles({ roles: new Map(names) }, { converge: [wanted('ada')], changes }).map(({ username, roleOid }) => [username, roleOid]);

  test('is the one that gets the name, and not the one that has it until then', () => {
    expect(find([['ada', '1'], ['eve', '2']], [{ kind: 'renameRole', role: 'ada', to: 'bob' }, { kind: 'renameRole', role: 'eve', to: 'ada' }])).toEqual([['eve', '2']]);
    expect(find([['ada', '1']], [{ kind: 'renameRole', role: 'ada', to: 'bob' }, { kind: 'createRole', role: 'ada', roleKind: 'user' }])).toEqual([]);
  });

  test('is not the one whose belongings it gets', () => {
    expect(find([['ada', '1'], ['eve', '2'], ['old', '3']], [{ kind: 'reassignOwned', role: 'old', to: 'ada', as: ['old'] }, { kind: 'renameRole', role: 'eve', to: 'ada' }])).toEqual([['eve', '2']]);
  });

  test('is none, if the server has no role of that name', () => {
    expect(find([], [])).toEqual([]);
  });
});

test('registered ends of memberships of one role are not those of another role', () => {
  const DATE = Date.parse('2027-01-31T12:00:00.000Z');
  const ended = { ...DECLARATION, memberOf: ['support'], endingMemberships: [{ group: 'support', expiresAt: DATE }] };
  const facts = {
    claims: [claim('1', { declarations: [ended], endSessions: true }), claim('2')], unreadable: [], roles: new Map([['r1', '1'], ['r2', '2'], ['new', '3'], ['support', '9']]), databaseOids: new Map(),
  } as unknown as Facts;
  const found = (...roles: string[]) => rolesWithEndedMemberships(facts, { converge: roles.map(role => wanted(role)), changes: [] } as unknown as Decision, DATE, PLACE);
  const onRecord = { username: 'r1', claim: { roleOid: '1' }, isOwn: false, groups: ['support'], endSessions: true };
  expect(found()).toEqual([onRecord]);
  expect(found('r2')).toEqual([onRecord]);
  expect(found('new')).toEqual([onRecord]);
  expect(found('r1')).toEqual([{ ...onRecord, isOwn: true }]);
});

describe('what one resource knows of the claims to a role', () => {
  const IDENTITIES: Identities = { ...PLACE, databases: [], roles: [{ name: 'readers', oid: '9' }] };
  const own = claim('1', { identities: IDENTITIES, declarations: [{ ...DECLARATION, memberOf: ['readers'] }], deployed: [DECLARATION] });
  const other = claim('1', { logicalId: 'Other', deployed: [{ ...DECLARATION, memberOf: ['writers'] }] });
  const gone = claim('2', { logicalId: 'Gone', roleName: undefined, deployed: [{ ...DECLARATION, memberOf: ['gone'] }] });
  const ownership = new Ownership(own, [own, other, gone]);

  test('has what the names stood for, beside what was declared', () => {
    expect(ownership.declarationsOf('1')).toEqual([{ ...DECLARATION, memberOf: ['readers'], identities: IDENTITIES }, DECLARATION]);
    expect(Object.keys(ownership.declarationsOf('1')[1])).not.toContain('identities');
  });

  test('says nothing of a role that is gone, nor of one that is not known', () => {
    expect(ownership.declarationsOf('2')).toEqual([]);
    expect(ownership.declarationsOf(undefined)).toEqual([]);
    expect(ownership.deployedTo('2')).toEqual([DECLARATION]);
    expect(ownership.on(undefined)).toEqual([]);
    expect(ownership.ownNamed('r2')).toEqual([]);
  });

  test('counts its own claims among its own alone', () => {
    expect([ownership.own, ownership.others]).toEqual([[own], [other, gone]]);
    expect(ownership.deployedTo('1')).toEqual([DECLARATION, { ...DECLARATION, memberOf: ['writers'] }]);
  });
});

test('a membership of a group role may stay where it cannot be taken back, but not in rds_iam', () => {
  const groups = [wanted('support', { declaration: { ...DECLARATION, kind: 'role' } }), wanted('ada')];
  const isRequired = (group: string, ...roles: string[]) => divide([{ kind: 'revokeRole', group, roles }], 'shop', groups).required.length > 0;
  expect([isRequired('readers', 'support'), isRequired('rds_iam', 'support'), isRequired('rds_iam', 'ada'), isRequired('rds_iam', 'ada', 'support')]).toEqual([false, true, false, true]);
});

describe('the record of what names stand for', () => {
  const table = (name: string, oid: string) => ({ kind: 'TABLE', schema: 'app', name, oid } as const);
  const routine = (name: string, oid: string) => ({ kind: 'ROUTINE', schema: 'app', name, oid } as const);
  const column = (table: string, oid: string) => ({ schema: 'app', table, name: 'n', oid, number: 1 });
  const RECORDED: DatabaseIdentities = {
    database: 'shop', oid: '1', schemas: [], objects: [table('f', '20'), routine('f', '21')], columns: [column('t', '22'), column('u', '23')],
  };
  const identities: Identities = { ...PLACE, databases: [RECORDED], roles: [{ name: 'readers', oid: '5' }, { name: 'writers', oid: '6' }] };
  const found: Found = { oid: '1', schemas: [], objects: [table('g', '20'), routine('h', '21')], columns: [column('x', '22'), column('y', '23')] };
  const declare = (schema: object) => ({ ...decodeDeclaration('user', { Privileges: { shop: { Schemas: { app: schema } } } }), identities });
  const newNames = (schema: object) => inPresentNames(declare(schema), 'shop', found, PLACE).databases[0].schemas.slice(1).flatMap(({ objects }) => objects.map(({ kind, table, name }) => [kind, table ?? name].join(' ')));

  test('keeps a table and a function of one name apart', () => {
    expect(newNames({ Tables: { f: ['SELECT'] } })).toEqual(['TABLE g']);
    expect(newNames({ Functions: { f: ['EXECUTE'] } })).toEqual(['ROUTINE h']);
  });

  test('keeps columns of one name in two tables apart', () => {
    expect(newNames({ Columns: { t: { n: ['SELECT'] } } })).toEqual(['COLUMN x']);
    expect(newNames({ Columns: { u: { n: ['SELECT'] } } })).toEqual(['COLUMN y']);
  });

  test('is that of all records of the same server', () => {
    const more: Identities = { ...PLACE, databases: [{ ...RECORDED, database: 'stock' }], roles: [{ name: 'writers', oid: '6' }, { name: 'makers', oid: '7' }] };
    expect(together([identities, more])).toEqual({ ...PLACE, databases: [RECORDED, { ...RECORDED, database: 'stock' }], roles: [...identities.roles, { name: 'makers', oid: '7' }] });
    expect(together([identities, { ...more, resourceId: 'cluster-B' }])).toEqual(identities);
  });

  test('is that of one database among several', () => {
    const two = { ...declare({}), identities: { ...identities, databases: [RECORDED, { ...RECORDED, database: 'stock', oid: '2' }] } };
    expect(['shop', 'stock', 'other'].map(database => recordsDatabase(two, database))).toEqual([true, true, false]);
    expect([isTrusted(two, 'stock', { ...found, oid: '2' }, PLACE), isTrusted(two, 'stock', found, PLACE), isTrusted(two, 'other', found, PLACE)]).toEqual([true, false, false]);
    const elsewhere = { ...PLACE, major: 18 };
    expect(uncertainNames(two, { databases: new Map([['stock', '2']]), roles: new Map([['writers', '6']]) }, elsewhere)).toEqual({ databases: ['shop'], roles: ['readers'] });
  });

  test('has the schemas that are declared, and the creators of future objects among the roles', () => {
    const declared = declare({ FutureObjects: { maker: { Tables: ['SELECT'] } } });
    expect(identitiesIn('shop', declared, { ...found, schemas: [{ schema: 'app', oid: '10' }, { schema: 'other', oid: '11' }] })?.schemas).toEqual([{ schema: 'app', oid: '10' }]);
    expect(rolesIn({ ...declared, memberOf: ['readers'] })).toEqual(['maker', 'readers']);
  });

  test('says nothing new of a role that has its name still', () => {
    const names = { databases: new Map([['shop', '1']]), roles: new Map([['readers', '5'], ['also-readers', '5']]) };
    expect(withPresentNames({ ...declare({}), memberOf: ['readers'] }, names, PLACE).memberOf).toEqual(['readers']);
  });
});

test('a time has a year of four digits', () => {
  expect(decodeTime('ExpiresAt', '9999-12-31T23:59:59.999Z', 'correct it')).toBe(253_402_300_799_999);
  expect(() => decodeTime('ExpiresAt', '+010000-01-01T00:00:00.000Z', 'correct it'))
    .toThrow('ExpiresAt "+010000-01-01T00:00:00.000Z" is not allowed: it is not a time such as 2026-01-31T12:00:00.000Z; correct it');
});
