import { App, CfnParameter, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import {
  AdminCredentials, AuroraIamAuth, DatabaseRole, DatabaseUser, Endpoint, InstanceIamAuth, Privileges,
} from '../../lib';
import {
  attribute, imported, IRELAND, logicalIdOf, newApp, newCluster, newInstance, onlyResourceOf, resourcesOf, targetsOf,
  templateOf, vpcOf, waitsFor,
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

  test('tells that nobody has escaped a username that only the deployment knows', () => {
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

describe('grantConnect', () => {
  const grantee = (scope: Stack) => new iam.Role(scope, 'Role', {
    assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
  });
  const suffixOf = (scope: Stack) => {
    const policy = Object.values(resourcesOf(scope, 'AWS::IAM::Policy')).find(
      ({ Properties }) => JSON.stringify(Properties).includes('rds-db:connect'),
    )!;
    const { Statement } = policy.Properties.PolicyDocument as {
      Statement: { Resource: { 'Fn::Join': [string, unknown[]] } }[];
    };
    return Statement[0].Resource['Fn::Join'][1].slice(-2);
  };

  test('grants this user', () => {
    iamAuth.addUser('app*').grantConnect(grantee(stack));
    expect(suffixOf(stack)).toEqual([ofCluster('DBClusterResourceId'), '/app${*}']);
  });

  test('grants a user whose name only the deployment knows', () => {
    const username = new CfnParameter(stack, 'Username').valueAsString;
    new DatabaseUser(stack, 'User', { iamAuth, username }).grantConnect(grantee(stack));
    expect(suffixOf(stack)).toEqual(['/', { Ref: 'Username' }]);
  });

  test('fails as ConnectGrants does', () => {
    expect(
      () => iamAuth.addUser('app').grantConnect(new iam.AccountPrincipal('111111111111')),
    ).toThrow(/^\[Data\/Cluster\] grantee AccountPrincipal cannot be granted permissions/);
  });
});

describe('connectionEnvironment', () => {
  test('is what libpq reads', () => {
    expect(stack.resolve(iamAuth.addUser('Mixed.Case').connectionEnvironment())).toEqual({
      PGHOST: ofCluster('Endpoint.Address'),
      PGPORT: '5432',
      PGUSER: 'Mixed.Case',
      PGDATABASE: 'shop',
      PGSSLMODE: 'verify-full',
    });
  });

  test('has the Region of the database where it is asked for', () => {
    const data = new Stack(app, 'Ireland', { env: IRELAND });
    const user = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) }).addUser('app');
    expect(user.connectionEnvironment({ region: true }).AWS_REGION).toBe('eu-west-1');
    expect(Object.keys(user.connectionEnvironment({
      region: false,
    }))).toEqual(Object.keys(user.connectionEnvironment()));
  });

  test('is what a function takes, which may sign in and may wait for its user', () => {
    const cluster = newCluster(stack, 'Other');
    const user = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster }).addUser('app');
    const fn = new lambda.Function(stack, 'Function', {
      runtime: lambda.Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: lambda.Code.fromInline('-'),
      vpc: cluster.vpc,
      environment: user.connectionEnvironment(),
    });
    fn.connections.allowToDefaultPort(cluster);
    user.grantConnect(fn);
    fn.node.addDependency(user);
    expect(waitsFor(stack, logicalIdOf(fn))).toContain(logicalIdOf(user.node.findChild('Resource')));
  });
});

describe('an endpoint', () => {
  const attributes = (scope: Stack, id: string, names: object = {}) =>
    rds.DatabaseCluster.fromDatabaseClusterAttributes(scope, id, {
      clusterIdentifier: 'shop',
      clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234',
      clusterEndpointAddress: 'shop.cluster-1.eu-west-1.rds.amazonaws.com',
      port: 6543,
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(scope, `${id} group`, 'sg-1')],
      ...names,
    });
  const userOf = (cluster: rds.IDatabaseCluster) => new AuroraIamAuth(stack, `${cluster.node.id} auth`, {
    cluster, vpc: vpcOf(stack), admin: AdminCredentials.fromIam('provisioner'),
  }).addUser('orders');

  test('is the writer unless it is said', () => {
    const user = iamAuth.addUser('orders');
    expect(user.connectionEnvironment({ endpoint: Endpoint.writer() })).toEqual(user.connectionEnvironment());
    expect(user.psqlCommand({ endpoint: Endpoint.writer() })).toBe(user.psqlCommand());
  });

  test('of the readers has the port of the cluster', () => {
    const user = iamAuth.addUser('orders');
    const endpoint = Endpoint.reader();
    expect(stack.resolve(user.connectionEnvironment({ endpoint }))).toMatchObject({
      PGHOST: ofCluster('ReadEndpoint.Address'), PGPORT: '5432', PGUSER: 'orders',
    });
    expect(JSON.stringify(stack.resolve(user.psqlCommand({ endpoint })))).toMatch(
      / PGHOST=",\{[^}]*"ReadEndpoint.Address"\]\}," PGPORT=5432 .* --hostname ",\{[^}]*"ReadEndpoint.Address"\]\}/,
    );
  });

  test('of the readers of an imported cluster is the one that it was imported with', () => {
    const user = userOf(attributes(stack, 'Imported', {
      readerEndpointAddress: 'shop.cluster-ro-1.eu-west-1.rds.amazonaws.com',
    }));
    expect(user.connectionEnvironment({ endpoint: Endpoint.reader() })).toMatchObject({
      PGHOST: 'shop.cluster-ro-1.eu-west-1.rds.amazonaws.com', PGPORT: '6543',
    });
  });

  test('of the readers is refused where the import does not have it, and for an instance', () => {
    const endpoint = Endpoint.reader();
    const user = userOf(attributes(stack, 'Imported'));
    const message = '[Data/Imported auth/orders] cluster Data/Imported was imported without its reader endpoint; '
      + 'give readerEndpointAddress where it is imported';
    expect(() => user.connectionEnvironment({ endpoint })).toThrow(new Error(message));
    expect(() => user.psqlCommand({ endpoint })).toThrow(new Error(message));
    const other = new InstanceIamAuth(stack, 'InstanceAuth', { instance: newInstance(stack) }).addUser('orders');
    expect(() => other.connectionEnvironment({ endpoint })).toThrow(new Error(
      '[Data/InstanceAuth/orders] instance Data/Instance has no reader endpoint: a read replica has an endpoint and '
      + 'a resource id of its own; '
      + 'use the endpoint of the replica, and ConnectGrants.fromInstance(replica)',
    ));
  });

  test('of a proxy has the CAs of Amazon in the command', () => {
    const proxy = rds.DatabaseProxy.fromDatabaseProxyAttributes(stack, 'Proxy', {
      dbProxyName: 'p', dbProxyArn: 'p', endpoint: 'p.proxy-1.rds.amazonaws.com', securityGroups: [],
    });
    const user = iamAuth.addUser('orders');
    const command = user.psqlCommand({ endpoint: Endpoint.proxy(proxy) });
    expect(command).toContain('downloaded from https://www.amazontrust.com/repository/AmazonRootCA1.pem}');
    expect(command).toContain(' PGHOST=p.proxy-1.rds.amazonaws.com PGPORT=5432 ');
    expect(command).toContain(' --hostname p.proxy-1.rds.amazonaws.com --port 5432 ');
    expect(user.psqlCommand()).toContain(
      'downloaded from https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem}',
    );
  });
});

describe('psqlCommand', () => {
  test('fails for a token', () => {
    const username = new CfnParameter(stack, 'Username').valueAsString;
    expect(() => new DatabaseUser(stack, 'User', { iamAuth, username }).psqlCommand()).toThrow(new Error(
      '[Data/User] username is a CDK token, and psqlCommand() cannot quote for a shell what is not known at '
      + 'synthesis; give the username itself, or use connectionEnvironment()',
    ));
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

describe('through a proxy', () => {
  beforeEach(() => stack = new Stack(newApp(), 'Data'));

  const iamProxy = (data: rds.DatabaseCluster, props: Partial<rds.DatabaseProxyOptions> = {}) =>
    data.addProxy('Proxy', { vpc: vpcOf(stack), defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH, ...props });
  const statementsOf = (id: string) => {
    const [, policy] = Object.entries(resourcesOf(stack, 'AWS::IAM::Policy')).find(
      ([logicalId]) => logicalId.startsWith(id),
    )!;
    return (policy.Properties.PolicyDocument as {
      Statement: { Action: unknown; Resource: { 'Fn::Join': [string, unknown[]] } }[];
    }).Statement;
  };
  const resourceOf = (id: string) => statementsOf(id).map(
    ({ Action, Resource }) => [Action, Resource['Fn::Join'][1].slice(-2)],
  );
  const ON_PROXY = [
    'rds-db:connect',
    [{ 'Fn::Select': [6, { 'Fn::Split': [':', attribute(/^ClusterProxy/, 'DBProxyArn')] }] }, '/orders'],
  ];
  const ON_CLUSTER = ['rds-db:connect', [attribute(/^Cluster/, 'DBClusterResourceId'), '/orders']];

  test('the grantee signs in to the proxy alone, and the proxy to the database, as exactly this user', () => {
    const data = newCluster(stack);
    const user = new AuroraIamAuth(stack, 'IamAuth', { cluster: data }).addUser('orders');
    user.grantConnect(
      new iam.Role(stack, 'Client', { assumedBy: new iam.AccountRootPrincipal() }),
      { through: iamProxy(data) },
    );
    expect(resourceOf('ClientDefaultPolicy')).toEqual([ON_PROXY]);
    expect(resourceOf('ClusterProxyIAMRole')).toEqual([ON_CLUSTER]);
  });

  test('a role of one\'s own is the proxy\'s as well, and gets each user once', () => {
    const data = newCluster(stack);
    const user = new AuroraIamAuth(stack, 'IamAuth', { cluster: data }).addUser('orders');
    const through = iamProxy(data, {
      role: new iam.Role(stack, 'ProxyRole', { assumedBy: new iam.ServicePrincipal('rds.amazonaws.com') }),
    });
    ['A', 'B'].forEach(
      id => user.grantConnect(new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() }), { through }),
    );
    expect(resourceOf('ProxyRole')).toEqual([ON_CLUSTER]);
  });

  test('the proxy signs in as exactly the users that go through it, whichever there are', () => {
    const usersOfProxy = (names: string[], team: string[]) => {
      stack = new Stack(newApp(), 'Data');
      const data = newCluster(stack);
      const auth = new AuroraIamAuth(stack, 'IamAuth', { cluster: data });
      const through = iamProxy(data);
      const role = (id: string) => new iam.Role(stack, `Role${id}`, { assumedBy: new iam.AccountRootPrincipal() });
      auth.addUser('direct').grantConnect(role('direct'));
      names.forEach(name => auth.addUser(name).grantConnect(role(name), { through }));
      const users = auth.addUsers('Team', { usernames: ['ann', 'ben'] });
      team.forEach(name => users.user(name).grantConnect(role(name), { through }));
      // CDK puts into one statement what differs in nothing but the resource.
      const resources = statementsOf('ClusterProxyIAMRole').flatMap(
        ({ Action, Resource }) => [Resource].flat().map(one => [Action, ...one['Fn::Join'][1].slice(-2)]),
      );
      expect(resources.map(([action, id]) => [action, id])).toEqual(resources.map(
        () => ['rds-db:connect', attribute(/^Cluster/, 'DBClusterResourceId')],
      ));
      return resources.map(([, , name]) => name);
    };
    expect(usersOfProxy(['orders', 'b*'], ['ann'])).toEqual(['/orders', '/b${*}', '/ann']);
    expect(usersOfProxy(['orders'], ['ann', 'ben'])).toEqual(['/orders', '/ann', '/ben']);
    expect(usersOfProxy(['orders'], [])).toEqual(['/orders']);
  });

  test('each proxy signs in as its own users', () => {
    const data = newCluster(stack);
    const auth = new AuroraIamAuth(stack, 'IamAuth', { cluster: data });
    const [first, second] = ['First', 'Second'].map(
      id => data.addProxy(id, { vpc: vpcOf(stack), defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH }),
    );
    const client = new iam.Role(stack, 'Client', { assumedBy: new iam.AccountRootPrincipal() });
    auth.addUser('orders').grantConnect(client, { through: first });
    auth.addUser('reports').grantConnect(client, { through: second });
    expect(resourceOf('ClusterFirstIAMRole')).toEqual([ON_CLUSTER]);
    expect(resourceOf('ClusterSecondIAMRole')).toEqual([[
      'rds-db:connect',
      [attribute(/^Cluster/, 'DBClusterResourceId'), '/reports'],
    ]]);
    const on = (id: RegExp, name: string) => [
      'rds-db:connect',
      [{ 'Fn::Select': [6, { 'Fn::Split': [':', attribute(id, 'DBProxyArn')] }] }, name],
    ];
    expect(resourceOf('ClientDefaultPolicy')).toEqual([
      on(/^ClusterFirst/, '/orders'), on(/^ClusterSecond/, '/reports'),
    ]);
  });

  test('the environment has its endpoint and the port of PostgreSQL', () => {
    const data = newCluster(stack, 'Cluster', { port: 6543 });
    const user = new AuroraIamAuth(stack, 'IamAuth', { cluster: data }).addUser('orders');
    expect(stack.resolve(user.connectionEnvironment({ endpoint: Endpoint.proxy(iamProxy(data)) }))).toEqual({
      PGHOST: attribute(/^ClusterProxy/, 'Endpoint'), PGPORT: '5432',
      PGUSER: 'orders', PGDATABASE: 'shop', PGSSLMODE: 'verify-full',
    });
  });

  const BY_HAND = 'grant both yourself: ConnectGrants.fromProxy(proxy).connect(grantee, username), '
    + 'and to the role of the proxy ConnectGrants.fromCluster(cluster).connect(role, username), or fromInstance';

  test.each<[string, (data: rds.DatabaseCluster) => rds.IDatabaseProxy, string]>([
    ['one that has passwords', data => data.addProxy('Proxy', {
      vpc: vpcOf(stack), secrets: [data.secret!], iamAuth: true,
    }),
    'proxy Data/Cluster/Proxy signs in to the database with a password, which a member of rds_iam cannot, as this '
    + 'user is; '
    + 'make the proxy with defaultAuthScheme: DefaultAuthScheme.IAM_AUTH, or let the clients in directly'],
    ['an imported one', () => rds.DatabaseProxy.fromDatabaseProxyAttributes(stack, 'Imported', {
      dbProxyName: 'p', dbProxyArn: 'arn:aws:rds:eu-west-1:111111111111:db-proxy:prx-abc',
      endpoint: 'p', securityGroups: [],
    }), 'proxy Data/Imported is imported, and does not tell its role, which needs rds-db:connect on the database; '
    + `${BY_HAND}`],
    [
      'one of another cluster', () => iamProxy(newCluster(stack, 'Other')),
      'proxy Data/Other/Proxy is in front of Data/Other/Resource, and this is a user of Data/Cluster; '
      + 'pass a proxy of that one',
    ],
    ['one with a role from elsewhere', data => iamProxy(data, {
      role: iam.Role.fromRoleArn(stack, 'R', 'arn:aws:iam::111111111111:role/r'),
    }),
    'the role of proxy Data/Cluster/Proxy is not a Role of this app, and it needs rds-db:connect on the database; '
    + `pass one as role of the proxy, or ${BY_HAND}`],
  ])('is refused: %s', (_, proxyOf, message) => {
    const data = newCluster(stack);
    const user = new AuroraIamAuth(stack, 'IamAuth', { cluster: data }).addUser('orders');
    const client = new iam.Role(stack, 'Client', { assumedBy: new iam.AccountRootPrincipal() });
    expect(
      () => user.grantConnect(client, { through: proxyOf(data) }),
    ).toThrow(new Error(`[Data/IamAuth/orders] ${message}`));
    expect(Object.keys(resourcesOf(stack, 'AWS::IAM::Policy')).filter(id => id.startsWith('Client'))).toEqual([]);
  });
});
