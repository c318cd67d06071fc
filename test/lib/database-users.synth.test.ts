import { App, CfnParameter, CfnResource, Fn, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AuroraIamAuth, DatabaseUsers, Privileges } from '../../lib';
import {
  attribute,
  imported,
  IRELAND,
  logicalIdOf,
  newApp,
  newCluster,
  onlyResourceOf,
  resourcesOf,
  waitsFor,
} from './support';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
});

const TYPE = 'Custom::RdsIamUsers';
const TOKEN
  = 'username is a token, and the names of several users must be known at synthesis; give the name itself, or use new DatabaseUser(scope, id, { iamAuth, username })';

describe('the custom resource', () => {
  test('says everything in properties', () => {
    iamAuth.addUsers('Team', {
      usernames: ['zoe', 'Ann', 'bob'],
      database: 'stock',
      privileges: [Privileges.onSchema({ database: 'shop', schema: 'sales' })],
    });
    expect(onlyResourceOf(stack, TYPE).Properties).toEqual({
      ServiceToken: attribute(/^IamAuthProvisionerProviderframeworkonEvent/, 'Arn'),
      ServiceTimeout: '960',
      Database: { ResourceId: attribute(/^Cluster/, 'DBClusterResourceId') },
      Usernames: ['Ann', 'bob', 'zoe'],
      Privileges: { shop: { Schemas: { sales: { Schema: ['USAGE'] } } }, stock: { Database: ['CONNECT'] } },
    });
  });

  test('is one, however many users there are', () => {
    iamAuth.addUser('first');
    const before = Object.keys(templateWith([]));
    const usernames = Array.from({ length: 500 }, (_, index) => `user${index}`);
    const after = templateWith(usernames);
    expect(Object.keys(after)).toHaveLength(before.length + 1);
    const [resource] = Object.values(after).filter(({ Type }) => Type === TYPE);
    expect(resource.Properties.Usernames).toEqual([...usernames].sort());
  });

  test('in another stack imports what it says', () => {
    const apps = new Stack(app, 'Apps');
    new DatabaseUsers(apps, 'Team', { iamAuth, usernames: ['ann'] });
    expect(onlyResourceOf(apps, TYPE).Properties).toMatchObject({
      Database: { ResourceId: imported(/DBClusterResourceId/) },
      Usernames: ['ann'],
    });
  });

  test('stays as it is when the list it came from changes', () => {
    const usernames = ['bob', 'ann'];
    iamAuth.addUsers('Team', { usernames });
    usernames.push('zoe');
    expect(onlyResourceOf(stack, TYPE).Properties.Usernames).toEqual(['ann', 'bob']);
    expect(usernames).toEqual(['bob', 'ann', 'zoe']);
  });

  function templateWith(usernames: string[]) {
    const data = new Stack(newApp(), 'Data');
    const database = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) });
    database.addUser('first');
    if (usernames.length > 0) {
      database.addUsers('Team', { usernames });
    }
    return resourcesOf(data);
  }
});

describe('user', () => {
  test('is a user like any other', () => {
    const data = new Stack(app, 'Ireland', { env: IRELAND });
    const ireland = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) });
    const user = ireland.addUsers('Team', { usernames: ['ann', 'Resource', 'Users'], database: 'stock' }).user('ann');
    const alone = ireland.addUser('bob', { database: 'stock' });
    expect([user.username, user.roleName, user.database]).toEqual(['ann', 'ann', 'stock']);
    expect(user.connectionEnvironment({ region: true })).toEqual({
      ...alone.connectionEnvironment({ region: true }),
      PGUSER: 'ann',
    });
    expect(user.psqlCommand()).toBe(alone.psqlCommand().replaceAll('bob', 'ann'));
  });

  test('may be granted to an identity, alone', () => {
    const user = iamAuth.addUsers('Team', { usernames: ['ann*', 'bob'] }).user('ann*');
    user.grantConnect(new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com') }));
    const policies = Object.entries(resourcesOf(stack, 'AWS::IAM::Policy')).filter(([id]) => id.startsWith('Role'));
    expect(JSON.stringify(policies)).toContain('"/ann${*}"');
    expect(JSON.stringify(policies).match(/dbuser/g)).toHaveLength(1);
  });

  test('may be waited for', () => {
    const users = iamAuth.addUsers('Team', { usernames: ['ann', 'bob'] });
    const client = new CfnResource(stack, 'Client', { type: 'Test::Client' });
    client.node.addDependency(users.user('bob'));
    expect(waitsFor(stack, 'Client')).toContain(logicalIdOf(users.node.findChild('Resource')));
  });

  test('may be waited for in another stack', () => {
    const apps = new Stack(app, 'Apps');
    new CfnResource(apps, 'Client', { type: 'Test::Client' }).node.addDependency(
      iamAuth.addUsers('Team', { usernames: ['ann'] }).user('ann'),
    );
    app.synth();
    expect(apps.dependencies).toEqual([stack]);
  });

  test.each(['Ann', 'zoe', '', 'constructor'])('fails for one that is not there: "%s"', (username) => {
    const users = iamAuth.addUsers('Team', { usernames: ['ann', 'bob'] });
    expect(() => users.user(username)).toThrow(new Error(
      `[Data/IamAuth/Team] username "${username}" is none of these users; add it to usernames, or spell it as it is there`,
    ));
  });
});

describe('DatabaseUsers', () => {
  test.each<[string, (scope: Stack) => string[], string]>([
    ['nobody', () => [], 'usernames must not be empty; add at least one, or leave the construct out'],
    ['a name twice', () => ['ann', 'bob', 'ann'], 'username "ann" is listed more than once; remove the duplicate'],
    ['a name that is refused', () => ['ann', 'a/b'],
      'username "a/b" is not allowed: it contains / or :, which separate the parts of the rds-db:connect resource; use another separator, such as . or -'],
    ['the admin', () => ['ann', 'postgres'],
      'username "postgres" is not allowed: it is the admin of the database, which is to stay as it is; create a user of another name'],
    ['a token', scope => ['ann', new CfnParameter(scope, 'Username').valueAsString], TOKEN],
    ['a list that is a token', scope => Fn.split(',', new CfnParameter(scope, 'Usernames').valueAsString), TOKEN],
  ])('fails for %s', (_, usernames, message) => {
    expect(() => new DatabaseUsers(stack, 'Team', { iamAuth, usernames: usernames(stack) })).toThrow(
      new Error(`[Data/Team] ${message}`),
    );
  });

  test('takes names that differ in case', () => {
    iamAuth.addUsers('Team', { usernames: ['ann', 'Ann'] });
    expect(onlyResourceOf(stack, TYPE).Properties.Usernames).toEqual(['Ann', 'ann']);
  });

  test.each<[string, (auth: AuroraIamAuth) => unknown, string]>([
    ['a user', auth => auth.addUser('ann'), 'Data/IamAuth/ann'],
    ['a role', auth => auth.addRole('ann'), 'Data/IamAuth/ann'],
    ['other users', auth => auth.addUsers('Others', { usernames: ['ann'] }), 'Data/IamAuth/Others'],
  ])('fails for a name that is taken by %s', (_, add, path) => {
    add(iamAuth);
    expect(() => iamAuth.addUsers('Team', { usernames: ['bob', 'ann'] })).toThrow(new Error(
      `[Data/IamAuth/Team] username "ann" is taken: ${path} creates it in the same database; use that one, or choose another name`,
    ));
  });

  test.each<[string, (auth: AuroraIamAuth) => unknown, string]>([
    ['a user', auth => auth.addUser('ann'), 'username'],
    ['a role', auth => auth.addRole('ann'), 'role name'],
  ])('has its names for itself: fails for %s', (_, add, kind) => {
    iamAuth.addUsers('Team', { usernames: ['bob', 'ann'] });
    expect(() => add(iamAuth)).toThrow(new Error(
      `[Data/IamAuth] ${kind} "ann" is taken: Data/IamAuth/Team creates it in the same database; use that one, or choose another name`,
    ));
  });

  test('fails for a database that is a token', () => {
    const database = new CfnParameter(stack, 'Database').valueAsString;
    expect(() => iamAuth.addUsers('Team', { usernames: ['ann'], database })).toThrow(new Error(
      '[Data/IamAuth/Team] database name is a token, and a key of the template must be known at synthesis; give the name itself',
    ));
  });
});
