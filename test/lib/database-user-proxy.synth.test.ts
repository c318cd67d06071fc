import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, Endpoint } from '../../lib';
import { attribute, newApp, newCluster, resourcesOf, vpcOf } from './support';

let stack: Stack;
beforeEach(() => stack = new Stack(newApp(), 'Data'));

describe('through a proxy', () => {
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
