import { App, CfnParameter, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, DatabaseRole, DatabaseUser, Privileges } from '../../lib';
import {
  attribute, imported, IRELAND, logicalIdOf, newApp, newCluster, onlyResourceOf, resourcesOf, targetsOf, templateOf,
} from './support';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
});

const ofCluster = (name: string) => attribute(/^Cluster/, name);

function propertiesOf(user: DatabaseUser): Record<string, unknown> {
  return resourcesOf(Stack.of(user))[logicalIdOf(user.node.findChild('Resource'))].Properties;
}

describe('the custom resource', () => {
  test('says everything in properties', () => {
    expect(propertiesOf(iamAuth.addUser('app'))).toEqual({
      ServiceToken: attribute(/^IamAuthProvisionerProviderframeworkonEvent/, 'Arn'),
      ServiceTimeout: '960',
      Database: { ResourceId: ofCluster('DBClusterResourceId') },
      Username: 'app',
      Privileges: { shop: { Database: ['CONNECT'] } },
    });
  });

  test('in another stack imports what it says', () => {
    const apps = new Stack(app, 'Apps');
    expect(propertiesOf(new DatabaseUser(apps, 'User', { iamAuth, username: 'app' }))).toMatchObject({
      Database: { ResourceId: imported(/^Data:ExportsOutput.*DBClusterResourceId/) },
      Username: 'app',
    });
  });

  test('says nothing of where the database is: the function knows, and whose stack it serves', () => {
    iamAuth.addUser('app');
    expect(targetsOf(stack)).toEqual([{
      stack: { Ref: 'AWS::StackId' }, resourceId: ofCluster('DBClusterResourceId'), host: ofCluster('Endpoint.Address'),
      port: '5432',
    }]);
  });

  test('in another stack has a function that serves that stack, for the same database', () => {
    const apps = new Stack(app, 'Apps');
    new DatabaseUser(apps, 'User', { iamAuth, username: 'app' });
    expect(targetsOf(apps)).toEqual([
      {
        stack: { Ref: 'AWS::StackId' }, resourceId: imported(/^Data:ExportsOutput.*DBClusterResourceId/),
        host: imported(/^Data:ExportsOutput.*EndpointAddress/), port: '5432',
      },
    ]);
  });

  test('in a nested stack has a function that serves the nested stack', () => {
    const nested = new NestedStack(stack, 'Nested');
    new DatabaseUser(nested, 'User', { iamAuth, username: 'app' });
    expect(targetsOf(nested)).toEqual([{
      stack: { Ref: 'AWS::StackId' }, resourceId: {
        Ref: expect.stringMatching(/DBClusterResourceId$/) as string,
      }, host: { Ref: expect.stringMatching(/EndpointAddress$/) as string }, port: '5432',
    }]);
  });

  test('says that a username that only the deployment knows is not escaped', () => {
    const username = new CfnParameter(stack, 'Username').valueAsString;
    const { Username, PolicyUsername } = propertiesOf(new DatabaseUser(stack, 'User', { iamAuth, username }));
    expect([Username, PolicyUsername]).toEqual([{ Ref: 'Username' }, { Ref: 'Username' }]);
  });

  test('has the privileges merged and sorted, and the roles', () => {
    const readers = DatabaseRole.fromRoleName(stack, 'Readers', 'readers');
    const admins = iamAuth.addUser('admins');
    const user = iamAuth.addUser('app', {
      privileges: [
        Privileges.memberOf(readers),
        Privileges.onDatabase({ database: 'shop' }),
        Privileges.memberOf(admins),
        Privileges.onDatabase({ database: 'archive' }),
      ],
    });
    const { Privileges: privileges, MemberOf } = propertiesOf(user);
    expect(JSON.stringify(privileges)).toBe('{"archive":{"Database":["CONNECT"]},"shop":{"Database":["CONNECT"]}}');
    expect(MemberOf).toEqual(['admins', 'readers']);
  });

  test('has CONNECT on the database of the user', () => {
    const user = iamAuth.addUser('app', { database: 'archive' });
    expect(user.database).toBe('archive');
    expect(propertiesOf(user).Privileges).toEqual({ archive: { Database: ['CONNECT'] } });
  });

  test('has the port of the cluster', () => {
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster: newCluster(stack, 'Other', { port: 6432 }) });
    other.addUser('app');
    expect(targetsOf(stack)).toMatchObject([{ port: '6432' }]);
  });

  test('has a port that only the deployment knows', () => {
    const port = new CfnParameter(stack, 'Port', { type: 'Number' }).valueAsNumber;
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster: newCluster(stack, 'Other', { port }) });
    other.addUser('app');
    expect(targetsOf(stack)).toMatchObject([{ port: { Ref: 'Port' } }]);
  });

  test('has the port that RDS chooses', () => {
    const cluster = newCluster(stack, 'Other');
    (cluster.node.defaultChild as rds.CfnDBCluster).port = undefined;
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster });
    other.addUser('app');
    expect(targetsOf(stack)).toMatchObject([{ port: attribute(/^Other/, 'Endpoint.Port') }]);
  });

  test('comes after the users it is a member of', () => {
    const group = iamAuth.addUser('group');
    const user = iamAuth.addUser('app', { privileges: [Privileges.memberOf(group)] });
    expect(
      resourcesOf(stack)[logicalIdOf(user.node.findChild('Resource'))].DependsOn,
    ).toEqual([logicalIdOf(group.node.findChild('Resource'))]);
  });

  test('comes after the stack of a user it is a member of', () => {
    const [groups, apps] = [new Stack(app, 'Groups'), new Stack(app, 'Apps')];
    const group = new DatabaseUser(groups, 'Group', { iamAuth, username: 'group' });
    new DatabaseUser(apps, 'User', { iamAuth, username: 'app', privileges: [Privileges.memberOf(group)] });
    app.synth();
    expect(apps.dependencies).toContain(groups);
  });
});

describe('DatabaseUser', () => {
  test.each([
    ['no name', '', 'username "" is not allowed: it is empty; give it 1 to 63 bytes'],
    [
      'the admin', 'postgres',
      'username "postgres" is not allowed: it is the admin of the database, which is to stay as it is; '
      + 'create a user of another name',
    ],
    [
      '64 bytes', 'ü'.repeat(32),
      `username "${'ü'.repeat(32)}" is not allowed: it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps `
      + 'of a name; shorten it',
    ],
  ])('fails for %s', (_, username, message) => {
    expect(() => new DatabaseUser(stack, 'User', { iamAuth, username })).toThrow(new Error(`[Data/User] ${message}`));
  });

  test('fails for a username that another construct creates, and names both', () => {
    iamAuth.addUser('app');
    const apps = new Stack(app, 'Apps');
    expect(() => new DatabaseUser(apps, 'User', { iamAuth, username: 'app' })).toThrow(new Error(
      '[Apps/User] username "app" is taken: Data/IamAuth/app creates it in the same database; '
      + 'use that one, or choose another name',
    ));
  });

  test('takes a username that is in another case, or in another database', () => {
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster: newCluster(stack, 'Other') });
    [
      iamAuth.addUser('app'), iamAuth.addUser('App'), other.addUser('app'),
    ].forEach(user => expect(user.username).toMatch(/^app$/i));
  });

  test.each([
    [
      'a token', (scope: Stack) => new CfnParameter(scope, 'Database').valueAsString,
      'database name is a token, and a key of the template must be known at synthesis; give the name itself',
    ],
    ['no name', () => '', 'database name "" is not allowed: it is empty; give it 1 to 63 bytes'],
  ])('fails for a database that is %s', (_, database, message) => {
    expect(
      () => iamAuth.addUser('app', { database: database(stack) }),
    ).toThrow(new Error(`[Data/IamAuth/app] ${message}`));
  });

  test('fails as a member of itself', () => {
    const itself = DatabaseRole.fromRoleName(stack, 'Role', 'app');
    expect(() => iamAuth.addUser('app', { privileges: [Privileges.memberOf(itself)] })).toThrow(new Error(
      '[Data/IamAuth/app] role name "app" is the user itself, and a role cannot be a member of itself; leave it out',
    ));
  });

  test('fails as a member of a user of another database', () => {
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster: newCluster(stack, 'Other') }).addUser('group');
    expect(() => iamAuth.addUser('app', { privileges: [Privileges.memberOf(other)] })).toThrow(new Error(
      '[Data/IamAuth/app] role name "group" is a user of another database, Data/OtherIamAuth/group; '
      + 'create a user of that name in this one',
    ));
  });

  test.each([
    [
      'region',
      { ...IRELAND, region: 'us-east-1' },
      'region us-east-1 of the stack is not eu-west-1 of the database, and its users are created from there; '
      + 'create the user in a stack of region eu-west-1',
    ],
    [
      'account',
      { ...IRELAND, account: '222222222222' },
      'account 222222222222 of the stack is not 111111111111 of the database, and its users are created from there; '
      + 'create the user in a stack of account 111111111111',
    ],
  ])('fails in a stack of another %s', (_, env, message) => {
    const data = new Stack(app, 'Ireland', { env: IRELAND });
    const ireland = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) });
    expect(
      () => new DatabaseUser(new Stack(app, 'Apps', { env }), 'User', { iamAuth: ireland, username: 'app' }),
    ).toThrow(new Error(`[Apps/User] ${message}`));
  });

  test.each([
    [
      'its own stack',
      'account of stack Apps is left open and the one of the database is 111111111111, and they must be the same; '
      + 'give stack Apps the env of the other',
      IRELAND, undefined,
    ],
    [
      'the stack of the database',
      'account of stack Data1 is left open and the one of the user is 111111111111, and they must be the same; '
      + 'give stack Data1 the env of the other',
      undefined, IRELAND,
    ],
  ])('fails where only %s leaves account and Region open', (_, message, dataEnv, appEnv) => {
    const data = new Stack(app, 'Data1', { env: dataEnv });
    const database = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) });
    expect(
      () => new DatabaseUser(new Stack(app, 'Apps', { env: appEnv }), 'User', { iamAuth: database, username: 'app' }),
    ).toThrow(new Error(`[Apps/User] ${message}`));
  });
});

describe('the provisioner of a stack', () => {
  const handlers = (scope: Stack) => Object.keys(resourcesOf(scope, 'AWS::Lambda::Function'));

  test('is one for all users of a database', () => {
    ['a', 'b'].forEach(username => iamAuth.addUser(username));
    new DatabaseUser(stack, 'User', { iamAuth, username: 'c' });
    expect(handlers(stack)).toHaveLength(2); // the handler, and the framework in front of it
  });

  test('is one for each database', () => {
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster: newCluster(stack, 'Other') });
    const tokens = [iamAuth.addUser('a'), other.addUser('a')].map(
      user => JSON.stringify(propertiesOf(user).ServiceToken),
    );
    expect(new Set(tokens).size).toBe(2);
  });

  test('is in the stack of the user, under an id that tells whose it is', () => {
    const apps = new Stack(app, 'Apps');
    ['a', 'b'].forEach(username => new DatabaseUser(apps, username, { iamAuth, username }));
    expect(handlers(stack)).toEqual([]);
    expect(handlers(apps)).toHaveLength(2);
    expect(apps.node.findChild('Provisioner Data/IamAuth').node.path).toBe('Apps/Provisioner Data--IamAuth');
  });

  test('keeps its logical ids when the stacks move into a stage', () => {
    const build = (scope: App | Stage) => {
      const [data, apps] = [new Stack(scope, 'Data'), new Stack(scope, 'Apps')];
      const auth = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) });
      new DatabaseUser(apps, 'User', { iamAuth: auth, username: 'a' });
      auth.addUser('b');
      return [data, apps].flatMap(handlers);
    };
    expect(build(new Stage(newApp(), 'Production'))).toEqual(build(newApp()));
  });

  test('leaves the stack of the cluster without a dependency on the one of the user', () => {
    const apps = new Stack(app, 'Apps');
    new DatabaseUser(apps, 'User', { iamAuth, username: 'app' });
    templateOf(apps);
    expect([stack.dependencies, apps.dependencies]).toEqual([[], [stack]]);
    expect(resourcesOf(stack, 'AWS::EC2::SecurityGroupIngress')).toEqual({});
    expect(
      onlyResourceOf(apps, 'AWS::EC2::SecurityGroupIngress').Properties,
    ).toMatchObject({ FromPort: 5432, ToPort: 5432 });
  });
});
