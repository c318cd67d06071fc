import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import * as mine from '../../lib';
import { appAccess, declaredRoleOf } from '../../lib/model/app-access';
import { managedDatabaseOf } from '../../lib/provisioner/managed-database';
import { type Library, otherCopy } from './other-copy';
import { logicalIdOf, newApp, newCluster, resourcesOf, waitsFor } from './support';

const theirs = otherCopy();

const SCHEMA = { database: 'shop', schema: 'shop' };

let app: App;
let stack: Stack;
let cluster: rds.DatabaseCluster;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  cluster = newCluster(stack);
});

const newRole = (id: string) => new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });
const newAuth = ({ AuroraIamAuth }: Library) => new AuroraIamAuth(stack, 'IamAuth', { cluster });

/** A database of the one copy, with users and grants of the other. */
function synthesized(one: Library, other: Library): Record<string, string> {
  const it = newApp();
  stack = new Stack(it, 'Data');
  cluster = newCluster(stack);
  const iamAuth = newAuth(one);
  const migrator = iamAuth.addUser('migrator', { privileges: [one.Privileges.schemaOwner(SCHEMA)] });
  const readers = new other.DatabaseRole(stack, 'Readers', {
    iamAuth,
    roleName: 'readers',
    privileges: [other.Privileges.readOnly({ database: 'shop', schemas: ['shop'], objectsCreatedBy: [migrator] })],
  });
  const analysts = new other.DatabaseUsers(stack, 'Analysts', {
    iamAuth,
    usernames: ['ana', 'bo'],
    privileges: [one.Privileges.memberOf(readers)],
    onRemoval: one.OnRemoval.drop({ reassignOwnedTo: migrator }),
  });
  analysts.user('ana').grantConnect(newRole('Ana'));
  other.ConnectGrants.fromCluster(cluster).connect(newRole('Migrations'), 'migrator');
  one.ConnectGrants.fromCluster(cluster).connect(newRole('Bo'), 'bo');
  iamAuth.addAccessSummaryOutput();
  const { directory } = it.synth();
  const files = readdirSync(directory).filter(name => /^Data\.(template|access)\./.test(name));
  return Object.fromEntries(files.map(name => [name, readFileSync(join(directory, name), 'utf8')]));
}

test('are two copies, with the same constructs of CDK', () => {
  expect(theirs.AuroraIamAuth).not.toBe(mine.AuroraIamAuth);
  expect(new theirs.AuroraIamAuth(stack, 'IamAuth', { cluster })).toBeInstanceOf(Construct);
});

test('give the template and the access report that one copy gives', () => {
  const expected = synthesized(mine, mine);
  expect(Object.keys(expected)).toHaveLength(4);
  expect(synthesized(mine, theirs)).toEqual(expected);
  expect(synthesized(theirs, mine)).toEqual(expected);
});

describe('a claim of the one copy holds for the other', () => {
  test('on the name of a role', () => {
    const iamAuth = newAuth(mine);
    iamAuth.addUser('orders');
    expect(() => new theirs.DatabaseUser(stack, 'Orders', { iamAuth, username: 'orders' }))
      .toThrow('[Data/Orders] username "orders" is taken: Data/IamAuth/orders creates it in the same database; '
        + 'use that one, or choose another name');
  });

  test('on the owner of a schema', () => {
    const iamAuth = newAuth(mine);
    iamAuth.addUser('migrator', { privileges: [mine.Privileges.schemaOwner(SCHEMA)] });
    const privileges = [theirs.Privileges.schemaOwner(SCHEMA)];
    expect(() => new theirs.DatabaseUser(stack, 'Other', { iamAuth, username: 'other', privileges }))
      .toThrow('[Data/Other] schema "shop" of database "shop" is owned by Data/IamAuth/migrator, '
        + 'and a schema has one owner');
  });

  test('on the provisioner of a stack', () => {
    newAuth(mine);
    expect(() => new theirs.AuroraIamAuth(stack, 'Another', { cluster }))
      .toThrow('[Data/Another] cluster Data/Cluster has an AuroraIamAuth in this stack already, '
        + 'with the same admin and network; use Data/IamAuth');
  });
});

describe('a role of the one copy', () => {
  test('is deployed before a member that is of the other', () => {
    const iamAuth = newAuth(mine);
    const readers = new theirs.DatabaseRole(stack, 'Readers', { iamAuth, roleName: 'readers' });
    const user = iamAuth.addUser('orders', { privileges: [mine.Privileges.memberOf(readers)] });
    const [first, second] = [readers, user].map(({ node }) => logicalIdOf(node.findChild('Resource')));
    expect([...waitsFor(stack, second)]).toContain(first);
  });

  test('cannot wait for one of the other that waits for it', () => {
    const iamAuth = newAuth(mine);
    const readers = new theirs.DatabaseRole(stack, 'Readers', { iamAuth, roleName: 'readers' });
    const user = iamAuth.addUser('orders', { privileges: [mine.Privileges.memberOf(readers)] });
    expect(() => readers.addPrivileges(theirs.Privileges.readOnly({ database: 'shop', objectsCreatedBy: [user] })))
      .toThrow('[Data/Readers] role name "orders" waits for Data/Readers in a deployment already, '
        + 'and so cannot come before it');
  });

  test('is known to the other as one of another database', () => {
    const other = new theirs.AuroraIamAuth(stack, 'Other', { cluster: newCluster(stack, 'Warehouse') });
    const privileges = [mine.Privileges.memberOf(other.addRole('readers'))];
    expect(() => newAuth(mine).addUser('orders', { privileges }))
      .toThrow('role name "readers" is a role of another database, Data/Other/readers; '
        + 'create a role of that name in this one');
  });
});

test('the size of a policy is that of the grants of both', () => {
  const user = new iam.User(stack, 'Person');
  const grants = [mine, theirs].map(({ ConnectGrants, ClusterIamAuthEnabled }) => {
    new ClusterIamAuthEnabled().applyTo(cluster);
    return ConnectGrants.fromCluster(cluster);
  });
  const text = Match.stringLikeRegexp('user Data/Person may sign in as 10 users by now');
  const warnings = () => Annotations.fromStack(stack).findWarning('*', text);
  Array.from({ length: 8 }, (_, index) => grants[index % 2].connect(user, `user-${index}`));
  expect(warnings()).toHaveLength(0);
  Array.from({ length: 8 }, (_, index) => grants[index % 2].connect(user, `another-${index}`));
  expect(warnings()).toHaveLength(1);
});

test('a database without IAM authentication is said once', () => {
  [mine, theirs].forEach(({ ConnectGrants }, index) =>
    ConnectGrants.fromCluster(cluster).connect(newRole(`Role${index}`), 'orders'));
  const problems = cluster.node.defaultChild!.node.validate();
  expect(problems).toEqual([expect.stringContaining('EnableIAMDatabaseAuthentication is not set')]);
});

test('what copies have of each other is this in format 1: where it changes, FORMAT becomes another number', () => {
  const iamAuth = newAuth(mine);
  const user = iamAuth.addUser('orders');
  const proxy = cluster.addProxy('Proxy', {
    vpc: cluster.vpc, secrets: [cluster.secret!], defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH,
  });
  user.grantConnect(newRole('Role'), { through: proxy });
  const access = appAccess(stack);
  const role = declaredRoleOf(user)!;
  const { model } = role.database;
  const database = managedDatabaseOf(stack, iamAuth);
  const [endpoint] = model.endpoints.values();
  const [grant] = model.signIns.get('orders')!;
  const namesOf = (value: object) => Object.keys(value).sort();
  expect(access.format).toBe(1);
  expect({
    app: namesOf(access),
    model: namesOf(model),
    claims: namesOf(model.claims),
    endpoint: namesOf(endpoint),
    role: namesOf(role),
    database: namesOf(role.database),
    grant: namesOf(grant),
    principal: namesOf(grant.principal),
    privileges: namesOf(mine.Privileges.schemaOwner(SCHEMA)._grant),
    removal: namesOf(mine.OnRemoval.drop({ reassignOwnedTo: user })._removal),
  }).toEqual({
    app: ['format', 'models', 'roles', 'rolesByStack'],
    model: ['alsoResourceIds', 'checks', 'claims', 'endpoints', 'path', 'roles', 'signIns', 'signInsByTag'],
    claims: ['provisioners', 'roleNames', 'schemas'],
    endpoint: ['kind', 'model', 'path'],
    role: [
      'database',
      'declared',
      'exclusive',
      'kind',
      'memberOf',
      'membershipEnds',
      'names',
      'onRemoval',
      'path',
      'predecessors',
      'privileges',
      'stack',
    ],
    database: ['account', 'admin', 'kind', 'model', 'path', 'region', 'resourceId'],
    grant: ['onBehalfOf', 'policyOf', 'principal', 'resources', 'username'],
    principal: ['assumedBy', 'kind', 'path'],
    privileges: ['databases', 'owned'],
    removal: ['action', 'newOwner'],
  });
  const asked = [
    'adminNames', 'checkRoleName', 'checkUsername', 'claimName', 'database', 'declared', 'model', 'onPublic', 'onRole',
    'provisionerFor', 'reapply',
  ];
  expect(asked.filter(name => !(name in database))).toEqual([]);
});

describe('a copy that keeps the model in another format', () => {
  const later = otherCopy(2);
  const sentence = 'two versions of cdk-aurora-iam-auth are in this app, which keep what it declares in formats';

  test.each<[string, Library, Library, string]>([
    ['earlier', mine, later, '1 and 2'],
    ['later', later, mine, '2 and 1'],
  ])('is refused beside one that came %s', (_, first, second, formats) => {
    newAuth(first);
    expect(() => new second.AuroraIamAuth(stack, 'Another', { cluster: newCluster(stack, 'Warehouse') }))
      .toThrow(`[Data/Warehouse/Resource] ${sentence} ${formats}, `
        + 'so that neither would see the users and grants of the other; '
        + 'install one version of it (npm ls cdk-aurora-iam-auth shows where both come from)');
  });

  test.each<[string, (iamAuth: mine.AuroraIamAuth) => unknown]>([
    ['a user', iamAuth => new later.DatabaseUser(stack, 'It', { iamAuth, username: 'it' })],
    ['users', iamAuth => new later.DatabaseUsers(stack, 'It', { iamAuth, usernames: ['it'] })],
    ['a group role', iamAuth => new later.DatabaseRole(stack, 'It', { iamAuth, roleName: 'it' })],
    ['a grant', () => later.ConnectGrants.fromCluster(cluster).connect(newRole('It'), 'it')],
  ])('makes nothing in the database of another one: %s', (_, make) => {
    const iamAuth = newAuth(mine);
    expect(() => make(iamAuth)).toThrow(sentence);
  });

  test('is left alone in another app', () => {
    newAuth(mine).addUser('orders');
    const other = new Stack(newApp(), 'Data');
    new later.AuroraIamAuth(other, 'IamAuth', { cluster: newCluster(other) }).addUser('orders');
    expect([stack, other].map(each => Object.keys(resourcesOf(each, 'Custom::RdsIamUser')).length)).toEqual([1, 1]);
  });
});
