import { App, CfnParameter, CfnResource, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import {
  AuroraIamAuth,
  ConnectGrants,
  DatabaseUser,
  DatabaseUsers,
  InstanceIamAuth,
  InstanceIamAuthEnabled,
  Privileges,
  TablePrivilege,
} from '../../lib';
import { INSTANCE_TYPE, logicalIdOf, newApp, newCluster, newInstance, resourcesOf, templateOf, vpcOf } from './support';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
});

const newRole = (id: string, scope = stack) => new iam.Role(scope, id, { assumedBy: new iam.AccountRootPrincipal() });
const onShop = Privileges.onSchema({ database: 'shop', schema: 'public' });
const summaryOf = (auth: AuroraIamAuth | InstanceIamAuth) => Stack.of(auth).resolve(auth.accessSummary) as string[];
const metadataOf = (user: DatabaseUser | DatabaseUsers) => {
  const resource = user.node.findChild('Resource');
  return (resourcesOf(Stack.of(user))[logicalIdOf(resource)] as unknown as { Metadata: Record<string, unknown> })
    .Metadata.Access;
};

describe('accessSummary', () => {
  test('has one line for each user and group role, sorted', () => {
    const migrator = iamAuth.addUser('migrator', { privileges: [Privileges.createObjects({ database: 'shop' })] });
    const orders = iamAuth.addUser('orders', {
      privileges: [Privileges.readWrite({ database: 'shop', objectsCreatedBy: [migrator] })],
    });
    const readers = iamAuth.addRole('readers', {
      privileges: [Privileges.readOnly({ database: 'shop', schemas: ['public', 'Stock'], objectsCreatedBy: [] })],
    });
    const team = iamAuth.addUsers('Team', { usernames: ['zoe', 'ada'], privileges: [Privileges.memberOf(readers)] });
    orders.grantConnect(
      new lambda.Function(stack, 'OrdersFunction', {
        runtime: lambda.Runtime.NODEJS_22_X,
        handler: 'index.handler',
        code: lambda.Code.fromInline('0'),
      }),
    );
    team.user('ada').grantConnect(newRole('Ada'));
    expect(summaryOf(iamAuth)).toEqual([
      'ada: sign-in by Ada role; member of readers; shop: CONNECT',
      'migrator: sign-in by no identity in this app; shop: CONNECT; shop.public: USAGE, CREATE',
      'orders: sign-in by OrdersFunction role; shop: CONNECT; shop.public: USAGE, SELECT, INSERT, UPDATE, DELETE on all tables, USAGE, SELECT on all sequences (also future ones of migrator)',
      'readers: group role; shop: CONNECT; shop."Stock": USAGE, SELECT on all tables, SELECT on all sequences; shop.public: USAGE, SELECT on all tables, SELECT on all sequences',
      'zoe: sign-in by no identity in this app; member of readers; shop: CONNECT',
    ]);
  });

  test('knows every kind of identity, once, whichever way it was granted', () => {
    const user = iamAuth.addUser('app');
    const apps = new Stack(app, 'Apps');
    const role = newRole('Role');
    user.grantConnect(role);
    user.grantConnect(new iam.PrincipalWithConditions(role, { Bool: { 'aws:SecureTransport': 'true' } }));
    user.grantConnect(newRole('OtherStack', apps));
    user.grantConnect(new iam.User(stack, 'Person'));
    user.grantConnect(new iam.Group(stack, 'People'));
    user.grantConnect(new iam.ManagedPolicy(stack, 'MayConnect', { roles: [role] }));
    user.grantConnect(iam.Role.fromRoleName(stack, 'Imported', 'people'));
    const grants = ConnectGrants.fromCluster(stack.node.findChild('Cluster') as rds.DatabaseCluster);
    grants.connect(newRole('Facade'), 'app');
    grants.connectStatement('app');
    grants.connectStatement('app');
    grants.connectStatement('app', { label: 'permission set Support' });
    expect(summaryOf(iamAuth)).toEqual([
      'app: sign-in by permission set Support (statement of connectStatement()), any identity with the statement of connectStatement(), Apps/OtherStack role, Facade role, Imported role, identities with the policy MayConnect, People group, Person user, Role; shop: CONNECT',
    ]);
  });

  test('knows proxies and replicas, and not the role of the proxy', () => {
    const proxy = (stack.node.findChild('Cluster') as rds.DatabaseCluster).addProxy('Proxy', {
      vpc: vpcOf(stack),
      defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH,
    });
    iamAuth.addUser('app').grantConnect(newRole('Client'), { through: proxy });
    ConnectGrants.fromProxy(proxy).connect(newRole('Facade'), 'app');
    expect(summaryOf(iamAuth)).toEqual([
      'app: sign-in by Client role through Cluster/Proxy, Facade role through Cluster/Proxy; shop: CONNECT',
    ]);

    const instance = newInstance(stack);
    const replica = new rds.DatabaseInstanceReadReplica(stack, 'Replica', {
      sourceDatabaseInstance: instance,
      instanceType: INSTANCE_TYPE,
      vpc: vpcOf(stack),
    });
    replica.with(new InstanceIamAuthEnabled());
    const auth = new InstanceIamAuth(stack, 'InstanceAuth', { instance });
    auth.addUser('reports');
    ConnectGrants.fromInstance(replica).connect(newRole('Reader'), 'reports');
    expect(summaryOf(auth)).toEqual(['reports: sign-in by Reader role at replica Replica; shop: CONNECT']);
  });

  test('says names that only the deployment knows as the template does', () => {
    const name = new CfnParameter(stack, 'Username').valueAsString;
    const group = new CfnParameter(stack, 'Group').valueAsString;
    const user = new DatabaseUser(stack, 'User', {
      iamAuth,
      username: name,
      privileges: [Privileges.memberOf(iamAuth.addRole('all'))],
    });
    user.grantConnect(newRole('Role'));
    const role = new DatabaseUser(stack, 'Other', { iamAuth, username: `app-${group}` });
    expect(summaryOf(iamAuth)).toEqual([
      '${Username}: sign-in by Role; member of all; shop: CONNECT',
      'all: group role',
      'app-${Group}: sign-in by no identity in this app; shop: CONNECT',
    ]);
    expect(metadataOf(role)).toEqual(['sign-in by no identity in this app', 'shop: CONNECT']);
  });

  test('is about the users of this stack and of this database, and nothing else', () => {
    const other = new AuroraIamAuth(stack, 'OtherAuth', { cluster: newCluster(stack, 'Other') });
    const apps = new Stack(app, 'Apps');
    iamAuth.addUser('here').grantConnect(newRole('Role', apps));
    other.addUser('here');
    new DatabaseUser(apps, 'User', { iamAuth, username: 'elsewhere' });
    expect(summaryOf(iamAuth)).toEqual(['here: sign-in by Apps/Role; shop: CONNECT']);
    expect(summaryOf(other)).toEqual(['here: sign-in by no identity in this app; shop: CONNECT']);
  });
});

describe('the metadata', () => {
  test('of a user has one fact a line, also what is added later', () => {
    const user = iamAuth.addUser('orders', { privileges: [onShop] });
    user.addPrivileges(
      Privileges.onTables({
        database: 'shop',
        schema: 'public',
        tables: ['items'],
        privileges: [TablePrivilege.SELECT],
      }),
      Privileges.memberOf(iamAuth.addRole('readers')),
    );
    user.grantConnect(newRole('A'));
    user.grantConnect(newRole('B'));
    expect(metadataOf(user)).toEqual([
      'sign-in by A role',
      'sign-in by B role',
      'member of readers',
      'shop: CONNECT',
      'shop.public: USAGE',
      'shop.public: SELECT on table items',
    ]);
    expect(templateOf(stack).toJSON().Metadata).toEqual({
      'Access of IamAuth/orders':
        'sign-in by A role, B role; member of readers; shop: CONNECT; shop.public: USAGE, SELECT on table items',
      'Access of IamAuth/readers': 'group role',
    });
  });

  test('of many users has who signs in as whom, and what they may do once', () => {
    const team = iamAuth.addUsers('Team', {
      usernames: Array.from({ length: 500 }, (_, index) => `user${index}`),
      privileges: [onShop],
    });
    team.user('user7').grantConnect(newRole('Role'));
    expect(metadataOf(team)).toEqual(['user7: sign-in by Role', 'shop: CONNECT', 'shop.public: USAGE']);
    expect(templateOf(stack).toJSON().Metadata).toEqual({
      'Access of IamAuth/Team':
        'user0, user1, user10, user100, user101, user102, user103, user104, user105, user106 and 490 more; shop: CONNECT; shop.public: USAGE',
    });
  });

  test('does not make a stack depend on one whose identities sign in', () => {
    const apps = new Stack(app, 'Apps');
    iamAuth.addUser('orders').grantConnect(newRole('Role', apps));
    new CfnResource(stack, 'Other', { type: 'Test::Other' });
    app.synth();
    expect([stack.dependencies, apps.dependencies]).toEqual([[], [stack]]);
  });
});

describe('addAccessSummaryOutput', () => {
  const outputOf = () =>
    Object.values(templateOf(stack).toJSON().Outputs as Record<string, { Value: string }>).map(({ Value }) => Value);

  test('has the lines', () => {
    iamAuth.addUser('b');
    iamAuth.addAccessSummaryOutput();
    iamAuth.addUser('a');
    expect(outputOf()).toEqual([
      'a: sign-in by no identity in this app; shop: CONNECT\nb: sign-in by no identity in this app; shop: CONNECT',
    ]);
  });

  test('says that there are no users, which CloudFormation cannot say with an empty text', () => {
    iamAuth.addAccessSummaryOutput('Who');
    expect(outputOf()).toEqual(['no users']);
  });

  test('has 4,096 bytes at the most, and says where the rest is', () => {
    iamAuth.addUsers('Team', { usernames: Array.from({ length: 500 }, (_, index) => `user${index}`) });
    iamAuth.addAccessSummaryOutput();
    const [value] = outputOf();
    expect(value.length).toBeLessThanOrEqual(4096);
    expect(value.length).toBeGreaterThan(4000);
    const lines = value.split('\n');
    expect(lines.at(-1)).toBe(`and ${500 - (lines.length - 1)} more, in Data.access.md of the cloud assembly`);
  });
});
