import { App, CfnParameter, SecretValue, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AdminCredentials, AuroraIamAuth, AuroraIamAuthProps } from '../../lib';
import { newApp, newCluster, onlyResourceOf, resourcesOf } from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

const PASSWORD = rds.Credentials.fromPassword('admin', SecretValue.ssmSecure('password'));

describe('addUser', () => {
  let iamAuth: AuroraIamAuth;
  beforeEach(() => {
    iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
  });

  test.each([
    'mario.rossi@example.com',
    'Mixed.Case',
    "o'brien",
    'quo"te',
    'semi;--',
    'a b',
    '$HOME',
    '*',
    'Müller',
    'ÿ',
    'a'.repeat(63),
    'Default',
    'Resource',
    'provisioner',
  ])('has the username as its id: %s', (username) => {
    const user = iamAuth.addUser(username);
    expect([user.node.path, user.username, user.roleName]).toEqual([`Data/IamAuth/${username}`, username, username]);
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties.Username).toBe(username);
  });

  test('keeps users apart that differ in what an id does not show', () => {
    ['a.b', 'ab', 'A.b', 'a-b'].forEach(username => iamAuth.addUser(username));
    expect(Object.keys(resourcesOf(stack, 'Custom::RdsIamUser'))).toHaveLength(4);
  });

  test.each([
    ['no name', '', 'username "" is not allowed: it is empty; give it 1 to 63 bytes'],
    ['a name that is refused', 'a/b',
      'username "a/b" is not allowed: it contains / or :, which separate the parts of the rds-db:connect resource; use another separator, such as . or -'],
    ['the admin', 'postgres',
      'username "postgres" is not allowed: it is the admin of the database, which is to stay as it is; create a user of another name'],
    ['the id of the provisioner', 'Provisioner',
      'id "Provisioner" is the id of another construct here; choose another id, and pass username: "Provisioner"'],
    ['a user that is there', 'twice',
      'username "twice" is taken: Data/IamAuth/twice creates it in the same database; use that one, or choose another name'],
  ])('fails for %s', (_, username, message) => {
    iamAuth.addUser('twice');
    expect(() => iamAuth.addUser(username)).toThrow(new Error(`[Data/IamAuth] ${message}`));
  });

  test.each<[string, () => AuroraIamAuthProps]>([
    ['named by the app',
      () => ({ cluster: newCluster(stack, 'Other', { credentials: rds.Credentials.fromGeneratedSecret('chief') }) })],
    ['named in the secret of the cluster',
      () => ({ cluster: newCluster(stack, 'Other', { credentials: rds.Credentials.fromSecret(
        new rds.DatabaseSecret(stack, 'Secret', { username: 'chief' }),
      ) }) })],
    ['named in the secret that users are created with', () => ({
      cluster: newCluster(stack, 'Other'),
      admin: AdminCredentials.fromSecret(new rds.DatabaseSecret(stack, 'Secret', { username: 'chief' })),
    })],
  ])('fails for an admin that is %s', (_, props) => {
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', props());
    expect(() => other.addUser('chief')).toThrow(
      /^\[Data\/OtherIamAuth\] username "chief" is not allowed: it is the admin/,
    );
  });

  test.each<[string, (scope: Stack) => secretsmanager.ISecret]>([
    ['is not JSON',
      scope =>
        new secretsmanager.Secret(scope, 'Secret', { generateSecretString: { secretStringTemplate: '?',
          generateStringKey: 'password' } })],
    ['has no username', scope => new secretsmanager.Secret(scope, 'Secret')],
    ['has a username that only the deployment knows',
      scope => new rds.DatabaseSecret(scope, 'Secret', { username: new CfnParameter(scope, 'Admin').valueAsString })],
    ['is imported', scope => secretsmanager.Secret.fromSecretNameV2(scope, 'Secret', 'admin')],
  ])('leaves the admin to the deployment where the secret %s', (_, secret) => {
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', {
      cluster: newCluster(stack, 'Other', { credentials: PASSWORD }), admin: AdminCredentials.fromSecret(secret(stack)),
    });
    expect(other.addUser('chief').username).toBe('chief');
  });

  test('fails for an id that is a token, and takes the token as username', () => {
    const username = new CfnParameter(stack, 'Username').valueAsString;
    expect(() => iamAuth.addUser(username)).toThrow(new Error(
      '[Data/IamAuth] id is a token, and the id of a construct must be known at synthesis; give the id itself, and pass the token as username',
    ));
    expect(iamAuth.addUser('User', { username }).username).toBe(username);
  });

  test('takes a username beside its id, so that a rename keeps the resource', () => {
    const logicalIds = (username?: string) => {
      const data = new Stack(newApp(), 'Data');
      const user = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) }).addUser('orders', { username });
      expect([user.node.path, user.username, user.roleName]).toEqual([
        'Data/IamAuth/orders',
        username ?? 'orders',
        username ?? 'orders',
      ]);
      const users = resourcesOf(data, 'Custom::RdsIamUser');
      expect(Object.values(users).map(({ Properties }) => Properties.Username)).toEqual([username ?? 'orders']);
      return Object.keys(users);
    };
    expect(logicalIds('purchases')).toEqual(logicalIds());
  });

  test.each<[string, string, string, string]>([
    ['a username that is refused', 'ok', 'a/b',
      'username "a/b" is not allowed: it contains / or :, which separate the parts of the rds-db:connect resource; use another separator, such as . or -'],
    ['a username that is taken', 'other', 'twice',
      'username "twice" is taken: Data/IamAuth/twice creates it in the same database; use that one, or choose another name'],
    ['an id that is taken', 'twice', 'other', 'id "twice" is the id of another construct here; choose another id'],
  ])('fails for %s, given beside the id', (_, id, username, message) => {
    iamAuth.addUser('twice');
    expect(() => iamAuth.addUser(id, { username })).toThrow(new Error(`[Data/IamAuth] ${message}`));
  });

  test('leaves the name free that is an id alone', () => {
    iamAuth.addUser('orders', { username: 'purchases' });
    expect(iamAuth.addUser('new orders', { username: 'orders' }).username).toBe('orders');
  });
});

describe('addRole and addUsers', () => {
  let iamAuth: AuroraIamAuth;
  beforeEach(() => {
    iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
    iamAuth.addUsers('Team', { usernames: ['ann'] });
    iamAuth.addRole('readers');
  });

  test('have the ids they are given', () => {
    expect(['Team', 'readers'].map(id => iamAuth.node.findChild(id).node.path)).toEqual([
      'Data/IamAuth/Team',
      'Data/IamAuth/readers',
    ]);
  });

  test.each<[string, (auth: AuroraIamAuth, scope: Stack) => unknown, string]>([
    ['a role that is there', auth => auth.addRole('readers'),
      'role name "readers" is taken: Data/IamAuth/readers creates it in the same database; use that one, or choose another name'],
    ['a role that is a user', auth => auth.addRole('ann'),
      'role name "ann" is taken: Data/IamAuth/Team creates it in the same database; use that one, or choose another name'],
    ['a role with the id of the provisioner', auth => auth.addRole('Provisioner'),
      'id "Provisioner" is the id of another construct here; choose another id, and pass roleName: "Provisioner"'],
    ['a role with the id of users', auth => auth.addRole('Team'),
      'id "Team" is the id of another construct here; choose another id, and pass roleName: "Team"'],
    ['a user with the id of users', auth => auth.addUser('Team'),
      'id "Team" is the id of another construct here; choose another id, and pass username: "Team"'],
    ['users with an id that is there', auth => auth.addUsers('Team', { usernames: ['bob'] }),
      'id "Team" is the id of another construct here; choose another id'],
    ['users with the id of the provisioner', auth => auth.addUsers('Provisioner', { usernames: ['bob'] }),
      'id "Provisioner" is the id of another construct here; choose another id'],
    ['a role that is refused', auth => auth.addRole('rds_x'),
      'role name "rds_x" is not allowed: RDS reserves names that begin with rds; choose another name'],
    ['users with an id that is a token',
      (auth, scope) => auth.addUsers(new CfnParameter(scope, 'Users').valueAsString, { usernames: ['bob'] }),
      'id is a token, and the id of a construct must be known at synthesis; give the id itself'],
    ['a role that is a token', (auth, scope) => auth.addRole(new CfnParameter(scope, 'Role').valueAsString),
      'id is a token, and the id of a construct must be known at synthesis; give the id itself, and pass the token as roleName'],
  ])('fails for %s', (_, add, message) => {
    expect(() => add(iamAuth, stack)).toThrow(new Error(`[Data/IamAuth] ${message}`));
  });

  test('a role has a name beside its id', () => {
    const role = iamAuth.addRole('writers', { roleName: 'editors' });
    expect([role.node.path, role.roleName]).toEqual(['Data/IamAuth/writers', 'editors']);
    expect(
      Object.values(resourcesOf(stack, 'Custom::RdsGroupRole')).map(({ Properties }) => Properties.RoleName),
    ).toEqual(['readers', 'editors']);
  });

  test('the name that is an id here is free for a user or role of another id', () => {
    iamAuth.addUser('User', { username: 'Team' });
    iamAuth.addRole('Role', { roleName: 'Provisioner' });
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties.Username).toBe('Team');
  });
});
