import { App, Stack } from 'aws-cdk-lib';
import { Annotations as Said, Match } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import type { AccessModel, DeclaredRole } from '../../../lib/model/access-model';
import { accessModelOf, addCheck, addRole, addSignIn, appAccess, claim, claimsIn, constructAt, declaredRoleOf, rolesInStack, standFor } from '../../../lib/model/app-access';
import { databaseNeeds } from '../../../lib/model/connects';
import { declaredRole, isDeployedAfter, schemaOwnersFor, waitsFor } from '../../../lib/model/declared-role';
import { onData, onObjects } from '../../../lib/model/grant';
import { checkRole, markManagedElsewhere } from '../../../lib/model/known-role';
import { strength } from '../../../lib/model/role-graph';
import { warnOfRoleOfApp } from '../../../lib/model/role-of-app';
import { strongRolesOf } from '../../../lib/model/strong-memberships';
import { warn } from '../../../lib/model/warning';
import type { IDatabaseRole } from '../../../lib';

let app: App;
let stack: Stack;
let model: AccessModel;
beforeEach(() => {
  app = new App();
  stack = new Stack(app, 'Data');
  model = accessModelOf(new Construct(stack, 'Cluster'));
});

const CONNECT = { shop: { Database: ['CONNECT'] } };
const inSchemas = (...schemas: string[]) => ({ shop: { Schemas: Object.fromEntries(schemas.map(schema => [schema, { Schema: ['USAGE'] }])) } });
const role = (name: string, { kind = 'role', path = `Data/${name}`, stack: of = 'Data' }: Partial<Pick<DeclaredRole, 'kind' | 'path' | 'stack'>> = {}): DeclaredRole =>
  declaredRole({ kind, names: [name], path, stack: of, database: { model } as DeclaredRole['database'], exclusive: false, onRemoval: 'DROP' });
const reason = (work: () => unknown) => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('what an app declares', () => {
  test('is one model for each database, whichever construct asks', () => {
    const cluster = stack.node.findChild('Cluster');
    expect(accessModelOf(cluster)).toBe(model);
    expect(accessModelOf(new Construct(stack, 'Other'))).not.toBe(model);
    expect(model).toEqual({
      path: 'Data/Cluster', roles: [], signIns: new Map(), signInsByTag: [], endpoints: new Map(), alsoResourceIds: new Set(),
      claims: { roleNames: new Map(), schemas: new Map(), provisioners: new Map() }, checks: new Set(),
    });
    expect(appAccess(cluster)).toBe(appAccess(app));
    expect(appAccess(cluster)).toMatchObject({ format: 1, models: new Map([['Data/Cluster', model], ['Data/Other', expect.anything()]]), roles: new Map() });
  });

  test('is read by another copy of the library only in the same format', () => {
    const access = (app as unknown as Record<symbol, { format: number }>)[Symbol.for('cdk-aurora-iam-auth.access')];
    expect(access.format).toBe(1);
    access.format = 2;
    expect(reason(() => appAccess(stack))).toBe('[Data] two versions of cdk-aurora-iam-auth are in this app, which keep what it declares in formats 2 and 1, so that neither would see the users and grants of the other; '
      + 'install one version of it (npm ls cdk-aurora-iam-auth shows where both come from)');
  });

  test('has roles by construct, by database and by stack', () => {
    const [ada, eve] = [role('ada'), role('eve', { stack: 'Other' })];
    const construct = new Construct(stack, 'Ada');
    addRole(construct, ada);
    addRole(new Construct(stack, 'Eve'), eve);
    const listed = new Construct(construct, 'Listed');
    expect(declaredRoleOf(listed)).toBeUndefined();
    standFor(listed, ada);
    expect([declaredRoleOf(construct), declaredRoleOf(listed)]).toEqual([ada, ada]);
    expect(model.roles).toEqual([ada, eve]);
    expect([rolesInStack(stack), rolesInStack(new Stack(app, 'Other')), rolesInStack(new Stack(app, 'Empty'))]).toEqual([[ada], [eve], []]);
  });

  test('has permissions to sign in by username, or by tag', () => {
    const grant = (more: object) => ({ principal: { kind: 'role' as const }, ...more });
    const [one, two, tagged] = [grant({ username: 'ada', arn: 1 }), grant({ username: 'ada' }), grant({ tagKey: 'user' })];
    [one, two, tagged].forEach(each => addSignIn(model, each));
    expect([[...model.signIns], model.signInsByTag]).toEqual([[['ada', [one, two]]], [tagged]]);
  });

  test('keeps the first of those that claim a name, and checks once', () => {
    const claims = claimsIn(model.claims.provisioners, 'Data');
    expect([claim(claims, 'lambda', 'first'), claim(claims, 'lambda', 'second'), claim(claimsIn(model.claims.provisioners, 'Data'), 'lambda', 'third'), claim(claimsIn(model.claims.provisioners, 'Other'), 'lambda', 'other')])
      .toEqual(['first', 'first', 'first', 'other']);
    expect([addCheck(model, 'entrance'), addCheck(model, 'entrance'), addCheck(model, 'retained access')]).toEqual([true, false, true]);
  });

  test('is found by the path of its construct, also if the root has a name', () => {
    const inner = new Construct(new Construct(stack, 'A'), 'B');
    expect(constructAt(app, 'Data/A/B')).toBe(inner);
    const root = new Construct(undefined as unknown as Construct, 'Root');
    const child = new Construct(new Construct(root, 'A'), 'B');
    expect(constructAt(root, child.node.path)).toBe(child);
  });
});

describe('a declared role', () => {
  test('declares what was added until it is asked', () => {
    const ada = role('ada');
    expect(ada.declared).toEqual({});
    ada.privileges.push(CONNECT);
    expect(ada.declared).toEqual({ Privileges: CONNECT });
    expect(ada.declared).toBe(ada.declared);
    ada.memberOf.push('readers');
    ada.membershipEnds.set('readers', '2027-01-31T12:00:00.000Z');
    expect(ada.declared).toEqual({ Privileges: CONNECT, MemberOf: ['readers'], MembershipExpiresAt: { readers: '2027-01-31T12:00:00.000Z' } });
    ada.privileges.push({ stock: { Database: ['CONNECT'] } });
    ada.memberOf.push('writers');
    expect(ada.declared).toMatchObject({ Privileges: { ...CONNECT, stock: { Database: ['CONNECT'] } }, MemberOf: ['readers', 'writers'] });
  });

  test('comes after the owners of its schemas that are of its stack, and after no other one', () => {
    const [ada, owner, far] = [role('ada'), role('owner'), role('far', { stack: 'Other' })];
    model.claims.schemas.set('shop', new Map([['app', owner], ['own', ada], ['far', far]]));
    ada.privileges.push(inSchemas('app', 'own', 'far', 'nobodys'), { stock: { Schemas: { app: { Schema: ['USAGE'] } } } }, { bare: { Database: ['CONNECT'] } });
    expect(schemaOwnersFor(ada)).toEqual([owner]);
    expect(schemaOwnersFor(owner)).toEqual([]);
    expect([isDeployedAfter(ada, owner), isDeployedAfter(owner, ada), isDeployedAfter(ada, far)]).toEqual([true, false, false]);
    expect(waitsFor(ada, owner)).toBe(false);
  });

  test('waits for those that it refers to, also through others, and ends where they go in a circle', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => role(name));
    a.predecessors.add(b);
    b.predecessors.add(c);
    expect([waitsFor(a, b), waitsFor(a, c), waitsFor(b, a), waitsFor(a, d), waitsFor(a, a)]).toEqual([true, true, false, false, false]);
    c.predecessors.add(a);
    expect([isDeployedAfter(a, c), isDeployedAfter(a, a), isDeployedAfter(a, d)]).toEqual([true, true, false]);
  });

  test('has of a database what its groups have, as far as they are known', () => {
    const [ada, readers, all] = [role('ada', { kind: 'user' }), role('readers'), role('all')];
    model.roles.push(ada, readers, all);
    const needs = () => databaseNeeds(model, 'shop')(ada);
    expect(needs()).toEqual({ isDeclared: false, connects: false });
    ada.privileges.push(inSchemas('app'));
    expect(needs()).toEqual({ isDeclared: true, connects: false });
    expect(databaseNeeds(model, 'stock')(ada)).toEqual({ isDeclared: false, connects: false });
    ada.memberOf.push('pg_monitor', 'readers');
    expect(needs()).toEqual({ isDeclared: true, connects: false });
    readers.memberOf.push('theirs');
    expect(needs()).toEqual({ isDeclared: true, connects: undefined });
    readers.memberOf.push('all');
    all.memberOf.push('readers');
    all.privileges.push({ shop: { Database: ['TEMPORARY'] } });
    expect(needs()).toEqual({ isDeclared: true, connects: undefined });
    all.privileges.push(CONNECT);
    expect(needs()).toEqual({ isDeclared: true, connects: true });
  });

  test('has the strong roles that its groups lead to', () => {
    const [dba, team, user] = [role('dba'), role('team'), role('rds_superuser_user', { kind: 'user' })];
    model.roles.push(dba, team, user);
    dba.memberOf.push('rds_superuser', 'team');
    team.memberOf.push('pg_maintain', 'dba');
    user.memberOf.push('pg_monitor', 'rds_superuser');
    const strong = (group: string) => strongRolesOf(dba, group).map(({ name }) => name).sort();
    expect([strong('dba'), strong('team'), strong('rds_superuser'), strong('pg_monitor'), strong('rds_superuser_user'), strong('theirs')])
      .toEqual([['pg_maintain', 'rds_superuser'], ['pg_maintain', 'rds_superuser'], ['rds_superuser'], [], [], []]);
    expect([strength('pg_maintain').strong?.slice(0, 20), strength('readers')]).toEqual(['can lock every table', {}]);
  });
});

describe('a role that is referred to', () => {
  const NONE = 'is no role of this library, so that the deployment cannot be ordered after its creation; '
    + 'pass a DatabaseRole or a DatabaseUser, or DatabaseRole.fromRoleName(scope, id, roleName) for a role that is managed elsewhere';

  test('is one of this app, or marked as managed elsewhere', () => {
    const [own, theirs, other] = ['Own', 'Theirs', 'Foreign'].map(id => new Construct(stack, id) as unknown as IDatabaseRole);
    addRole(own, role('own'));
    markManagedElsewhere(theirs);
    expect([own, theirs].map(each => reason(() => checkRole('reassignOwnedTo', each)))).toEqual([undefined, undefined]);
    expect(reason(() => checkRole('reassignOwnedTo', other))).toBe(`reassignOwnedTo Data/Foreign ${NONE}`);
    expect((theirs as unknown as Record<symbol, unknown>)[Symbol.for('cdk-aurora-iam-auth.managedElsewhere')]).toBe(true);
  });

  test.each<[unknown, string]>([['readers', '"readers"'], [undefined, 'undefined'], [null, 'null'], [{ roleName: 'x' }, '{"roleName":"x"}']])('is not %j', (value, text) => {
    expect(reason(() => checkRole('objectsCreatedBy', value as IDatabaseRole))).toBe(`objectsCreatedBy ${text} ${NONE}`);
  });

  test('and that the app creates itself is warned of where it is imported, unless it comes before', () => {
    const [creator, ada, eve] = [role('readers', { path: 'Data/Readers' }), role('ada'), role('eve')];
    const [scope, ordered] = ['Import', 'Ordered'].map(id => new Construct(stack, id));
    warnOfRoleOfApp(scope, ada, 'readers');
    warnOfRoleOfApp(scope, ada, 'theirs');
    ada.predecessors.add(role('other', { path: 'Data/Other' }));
    eve.predecessors.add(role('first', { path: 'Data/First' })).add(creator);
    warnOfRoleOfApp(ordered, eve, 'readers');
    model.claims.roleNames.set('readers', 'Data/Readers');
    expect([scope, ordered].flatMap(({ node }) => node.validate())).toEqual([]);
    const said = Said.fromStack(stack).findWarning('*', Match.anyValue()).map(({ id, entry: { data } }) => [id, data]);
    expect(said).toEqual([['/Data/Import', 'role name "readers" is of an import, and Data/Readers creates that role, so that the deployment may come before it; pass that construct in place of the import, or acknowledge '
    + '[ack: cdk-aurora-iam-auth:roleOfApp]']]);
  });

  test('is warned of by each warning that there is', () => {
    warn(stack, [undefined, { id: 'a:one', text: 'first' }, { id: 'a:two', text: 'second' }]);
    expect(Said.fromStack(stack).findWarning('*', Match.anyValue()).map(({ entry: { data } }) => data)).toEqual(['first [ack: a:one]', 'second [ack: a:two]']);
  });
});

describe('objects that are created later', () => {
  const options = { database: 'shop', schema: 'app', kind: 'table' as const, privileges: ['SELECT'] };
  const maker = () => {
    const created = Object.assign(new Construct(stack, 'Maker'), { roleName: 'maker' }) as unknown as IDatabaseRole;
    markManagedElsewhere(created);
    return created;
  };

  test('are those of roles of this app, in a list', () => {
    expect(reason(() => onObjects({ ...options, objectsCreatedBy: 'maker' as unknown as IDatabaseRole[] }))).toBe('objectsCreatedBy is "maker", and must be a list; pass ["maker"]');
    expect(reason(() => onObjects({ ...options, objectsCreatedBy: ['maker' as unknown as IDatabaseRole] }))).toContain('objectsCreatedBy "maker" is no role of this library');
    const creator = maker();
    expect(onObjects({ ...options, objectsCreatedBy: [creator] })).toEqual({
      databases: { shop: { Schemas: { app: { Tables: { '*': ['SELECT'] }, FutureObjects: { maker: { Tables: ['SELECT'] } } } } } }, creators: [creator],
    });
    expect(Object.keys(onObjects(options).databases!.shop.Schemas!.app)).toEqual(['Tables']);
  });

  test('are not covered by privileges on data, unless their creators are named, and that is warned of', () => {
    const on = (more: object) => onData('Privileges.readOnly()', 'read', { database: 'shop', ...more }, { Tables: ['SELECT'], Sequences: ['SELECT'] });
    expect(on({}).warning).toBe('Privileges.readOnly() without objectsCreatedBy covers what exists at deployment in schema "public" of database "shop", and tables that are created later cannot be read '
      + 'until a later deployment changes this construct; name the roles that create them, or pass an empty list to accept it');
    const creator = maker();
    expect([on({ objectsCreatedBy: [] }), on({ objectsCreatedBy: [creator] })].map(({ warning, creators }) => [warning, creators])).toEqual([[undefined, []], [undefined, [creator]]]);
    expect(on({}).creators).toEqual([]);
  });
});
