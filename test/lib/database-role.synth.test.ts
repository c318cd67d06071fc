import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { AuroraIamAuth, DatabaseRole, DatabaseUser, Privileges } from '../../lib';
import { attribute, imported, newApp, newCluster, onlyResourceOf, templateOf } from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

describe('DatabaseRole.fromRoleName', () => {
  test('creates nothing', () => {
    expect(DatabaseRole.fromRoleName(stack, 'Readers', 'pg_read_all_data').roleName).toBe('pg_read_all_data');
    expect(templateOf(stack).toJSON().Resources).toBeUndefined();
  });

  test('takes a name that only the deployment knows', () => {
    const { valueAsString } = new CfnParameter(stack, 'Role');
    expect(DatabaseRole.fromRoleName(stack, 'Readers', valueAsString).roleName).toBe(valueAsString);
  });

  test('fails for a name that cannot be granted', () => {
    expect(() => DatabaseRole.fromRoleName(stack, 'Iam', 'rds_iam')).toThrow(new Error(
      '[Data] role name "rds_iam" is not allowed: every user of this library is a member of it already; leave it out',
    ));
  });
});

describe('DatabaseRole', () => {
  const TYPE = 'Custom::RdsGroupRole';
  let iamAuth: AuroraIamAuth;
  beforeEach(() => {
    iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
  });

  test('says everything in properties, and may nothing that it is not given', () => {
    const role = iamAuth.addRole('readers');
    expect([role.node.path, role.roleName]).toEqual(['Data/IamAuth/readers', 'readers']);
    expect(onlyResourceOf(stack, TYPE).Properties).toEqual({
      ServiceToken: attribute(/^IamAuthProvisionerProviderframeworkonEvent/, 'Arn'),
      ServiceTimeout: '960',
      Database: { ResourceId: attribute(/^Cluster/, 'DBClusterResourceId') },
      RoleName: 'readers',
    });
  });

  test('has privileges, and is a member of other roles', () => {
    iamAuth.addRole('readers', {
      privileges: [
        Privileges.memberOf(DatabaseRole.fromRoleName(stack, 'Monitor', 'pg_monitor')),
        Privileges.createObjects({ database: 'shop', schemas: ['sales'] }),
      ],
    });
    expect(onlyResourceOf(stack, TYPE).Properties).toMatchObject({
      Privileges: { shop: { Database: ['CONNECT'], Schemas: { sales: { Schema: ['CREATE', 'USAGE'] } } } },
      MemberOf: ['pg_monitor'],
    });
  });

  test('in another stack imports what it says', () => {
    const apps = new Stack(app, 'Apps');
    new DatabaseRole(apps, 'Role', { iamAuth, roleName: 'readers' });
    expect(onlyResourceOf(apps, TYPE).Properties).toMatchObject({
      Database: { ResourceId: imported(/DBClusterResourceId/) },
      RoleName: 'readers',
    });
  });

  test('takes a name that only the deployment knows', () => {
    const roleName = new CfnParameter(stack, 'RoleName').valueAsString;
    const role = new DatabaseRole(stack, 'Role', { iamAuth, roleName });
    iamAuth.addUser('app', { privileges: [Privileges.memberOf(role)] });
    expect(onlyResourceOf(stack, TYPE).Properties.RoleName).toEqual({ Ref: 'RoleName' });
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties.MemberOf).toEqual([{ Ref: 'RoleName' }]);
  });

  test.each([
    ['no name', '', 'role name "" is not allowed: it is empty; give it 1 to 63 bytes'],
    ['64 bytes', 'ü'.repeat(32),
      `role name "${'ü'.repeat(32)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it`],
    ['a predefined role', 'pg_read_all_data',
      'role name "pg_read_all_data" is not allowed: PostgreSQL reserves names that begin with pg_; choose another name'],
    ['the admin', 'postgres',
      'role name "postgres" is not allowed: it is the admin of the database; create a role of another name'],
  ])('fails for %s', (_, roleName, message) => {
    expect(() => new DatabaseRole(stack, 'Role', { iamAuth, roleName })).toThrow(new Error(`[Data/Role] ${message}`));
  });

  test.each(['team/readers', 'a:b', '\u0416', 'ü'.repeat(31)])(
    'takes a name that no user can have, because IAM never sees it: %s',
    (roleName) => {
      expect(new DatabaseRole(stack, 'Role', { iamAuth, roleName }).roleName).toBe(roleName);
    },
  );

  test('fails for a name that a user has, and the other way round', () => {
    iamAuth.addUser('app');
    iamAuth.addRole('readers');
    const apps = new Stack(app, 'Apps');
    expect(() => new DatabaseRole(apps, 'Role', { iamAuth, roleName: 'app' })).toThrow(new Error(
      '[Apps/Role] role name "app" is taken: Data/IamAuth/app creates it in the same database; use that one, or choose another name',
    ));
    expect(() => new DatabaseUser(apps, 'User', { iamAuth, username: 'readers' })).toThrow(new Error(
      '[Apps/User] username "readers" is taken: Data/IamAuth/readers creates it in the same database; use that one, or choose another name',
    ));
  });

  test.each<[string, (auth: AuroraIamAuth) => ReturnType<typeof Privileges.memberOf>, string]>([
    ['a user', auth => Privileges.memberOf(auth.addUser('app')), 'Data/IamAuth/app'],
    ['one of several users', auth => Privileges.memberOf(auth.addUsers('Team', { usernames: ['app'] }).user('app')),
      'Data/IamAuth/Team/Users/app'],
  ])('fails as a member of %s', (_, membership, path) => {
    expect(() => iamAuth.addRole('readers', { privileges: [membership(iamAuth)] })).toThrow(new Error(
      `[Data/IamAuth/readers] role name "app" is the user ${path}, and its members are members of rds_iam as well, which a group role never is; `
      + 'make the user a member of this role, or both of a third one',
    ));
  });
});
