import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AdminCredentials, AuroraIamAuth, ConnectGrants, DatabaseUser, InstanceIamAuth } from '../../lib';
import { collectAccess } from '../../lib/report/collect';
import { notices } from '../../lib/report/remarks';
import { IRELAND, newApp, newCluster, newInstance, resourcesOf, vpcOf } from './support';

const GREEN = 'cluster-GREEN00000000000000';
const OTHER = 'cluster-OTHER00000000000000';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data', { env: IRELAND });
});

const role = (id: string, service = 'ec2.amazonaws.com') =>
  new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal(service) });

/**
 * What the policies of the stack allow signing in to: resource ids by username and logical id of the policy; that of
 * the cluster is "own".
 */
function allowed(): Record<string, string[]> {
  const policies = Object.entries({
    ...resourcesOf(stack, 'AWS::IAM::Policy'),
    ...resourcesOf(stack, 'AWS::IAM::ManagedPolicy'),
  });
  return Object.fromEntries(policies.flatMap(([id, { Properties }]) => {
    const { Statement } = Properties.PolicyDocument as { Statement: { Action: unknown; Resource: unknown }[] };
    const resources = Statement.filter(({ Action }) => Action === 'rds-db:connect').flatMap(({ Resource }) => Resource);
    const texts = resources.map(resource =>
      JSON.stringify(resource)
        .replace(/\{"Fn::GetAtt":\["\w+","(DBClusterResourceId|DbiResourceId)"\]\}/g, 'own')
        .replace(/[",[\]]/g, '')
        .replace(/^.*dbuser:(\S+?)\}?$/, '$1'),
    );
    return texts.length === 0 ? [] : [[id.replace(/[0-9A-F]{8}$/, ''), texts]];
  }));
}

describe('alsoResourceIds', () => {
  test('are in each grant: of a user, its proxy, a tag, and the admin', () => {
    const cluster = newCluster(stack);
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster,
      admin: AdminCredentials.fromIam('provisioner'),
      alsoResourceIds: [GREEN],
    });
    const proxy = new rds.DatabaseProxy(stack, 'Proxy', {
      proxyTarget: rds.ProxyTarget.fromCluster(cluster),
      vpc: vpcOf(stack),
      defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH,
      role: role('ProxyRole', 'rds.amazonaws.com'),
    });
    const orders = iamAuth.addUser('orders');
    orders.grantConnect(role('Direct'));
    orders.grantConnect(role('Proxied'), { through: proxy });
    ConnectGrants.fromCluster(cluster, { alsoResourceIds: [GREEN, OTHER] }).connectAsPrincipalTag(
      role('Tagged'),
      'DatabaseUser',
    );
    const { ProxiedDefaultPolicy, ...policies } = allowed();
    expect(policies).toEqual({
      DirectDefaultPolicy: ['own/orders', `${GREEN}/orders`],
      ProxyRoleDefaultPolicy: ['own/orders', `${GREEN}/orders`],
      IamAuthProvisionerHandlerRolePolicy: ['own/provisioner', `${GREEN}/provisioner`],
      TaggedDefaultPolicy: ['own', GREEN, OTHER].map(id => `${id}/\${aws:PrincipalTag/DatabaseUser}`),
    });
    // The proxy itself has one resource id.
    expect(ProxiedDefaultPolicy).toHaveLength(1);
  });

  test('are in a statement', () => {
    const grants = ConnectGrants.fromCluster(newCluster(stack, 'Cluster', { iamAuthentication: true }), {
      alsoResourceIds: [GREEN],
    });
    expect(grants.connectStatement('orders').resources.map(arn => arn.split(':').at(-1))).toEqual([
      expect.stringMatching(/\/orders$/),
      `${GREEN}/orders`,
    ]);
  });

  test.each<[string, (ids: string[]) => unknown]>([
    ['of an imported cluster',
      ids =>
        ConnectGrants.fromCluster(
          rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
            clusterIdentifier: 'shop', clusterResourceIdentifier: 'cluster-BLUE',
          }),
          { alsoResourceIds: ids },
        ).connect(role('Role'), 'orders')],
    ['of a user that another app creates', ids => DatabaseUser.fromUsername(stack, 'User', {
      username: 'orders',
      alsoResourceIds: ids,
      cluster: rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
        clusterIdentifier: 'shop',
        clusterResourceIdentifier: 'cluster-BLUE',
        clusterEndpointAddress: 'shop.example.com',
        port: 5432,
      }),
    }).grantConnect(role('Role'))],
  ])('are in a grant %s', (_, grant) => {
    grant([GREEN]);
    expect(allowed()).toEqual({
      RoleDefaultPolicy: [expect.stringMatching(/cluster-BLUE\/orders$/), expect.stringMatching(`${GREEN}/orders$`)],
    });
  });

  test('are in the grants of an instance, also where the deployment enables IAM authentication', () => {
    new InstanceIamAuth(stack, 'IamAuth', { instance: newInstance(stack), alsoResourceIds: ['db-GREEN'] })
      .addUser('orders')
      .grantConnect(role('Role'));
    expect(allowed()).toEqual({ RoleDefaultPolicy: ['own/orders', 'db-GREEN/orders'] });
  });

  test('may be tokens, in a list that is none', () => {
    const id = new CfnParameter(stack, 'Green').valueAsString;
    const cluster = newCluster(stack, 'Cluster', { iamAuthentication: true });
    ConnectGrants.fromCluster(cluster, { alsoResourceIds: [id] }).connect(role('Role'), 'orders');
    expect(JSON.stringify(allowed())).toContain('Ref');
    expect(() =>
      ConnectGrants.fromCluster(cluster, {
        alsoResourceIds: new CfnParameter(stack, 'List', { type: 'CommaDelimitedList' }).valueAsList,
      }),
    ).toThrow(
      'alsoResourceIds is a token, and how many ids there are must be known at synthesis; pass a list, in which an id may be a token',
    );
  });

  test('change nothing where there are none', () => {
    ConnectGrants.fromCluster(newCluster(stack, 'Cluster', { iamAuthentication: true }), {
      alsoResourceIds: [],
    }).connect(role('Role'), 'orders');
    expect(allowed()).toEqual({ RoleDefaultPolicy: ['own/orders'] });
  });

  const imported = () =>
    rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
      clusterIdentifier: 'shop',
      clusterResourceIdentifier: 'cluster-BLUE',
    });
  test.each<[string, unknown, string]>([
    ['a name', ['shop-green'],
      'alsoResourceIds has "shop-green", which is not the resource id of a cluster, which looks like cluster-ABCDEFGHIJKL01234; '
      + 'take it from the Configuration tab of the RDS console, or DbClusterResourceId of aws rds describe-db-clusters'],
    ['that of an instance', ['db-GREEN'], 'alsoResourceIds has "db-GREEN", which is not the resource id of a cluster'],
    ['a wildcard', ['cluster-*'], 'alsoResourceIds has "cluster-*", which is not the resource id of a cluster'],
    ['no text', [7], 'alsoResourceIds has 7, which is not the resource id of a cluster'],
    ['one twice', [GREEN, GREEN], `alsoResourceIds has "${GREEN}", which is listed more than once; remove it`],
    ['that of the database', ['cluster-BLUE'],
      'alsoResourceIds has "cluster-BLUE", which is the resource id of the database itself; remove it'],
    ['no list', GREEN, `alsoResourceIds is "${GREEN}", and must be a list; pass ["${GREEN}"]`],
  ])('are refused where one is %s', (_, ids, message) => {
    expect(() => ConnectGrants.fromCluster(imported(), { alsoResourceIds: ids as string[] })).toThrow(message);
  });

  test('are not given beside iamAuth, which has them', () => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), alsoResourceIds: [GREEN] });
    expect(() =>
      DatabaseUser.fromUsername(stack, 'User', { username: 'orders', iamAuth, alsoResourceIds: [GREEN] }),
    ).toThrow(
      'alsoResourceIds cannot be combined with iamAuth, which has those of its database; pass them to the AuroraIamAuth or InstanceIamAuth',
    );
    DatabaseUser.fromUsername(stack, 'Other', { username: 'orders', iamAuth }).grantConnect(role('Role'));
    expect(allowed()).toEqual({ RoleDefaultPolicy: ['own/orders', `${GREEN}/orders`] });
  });

  test('count in the size of a policy', () => {
    const warned = (alsoResourceIds: string[]) => {
      const other = new Stack(newApp(), 'Data', { env: IRELAND });
      const grants = ConnectGrants.fromCluster(newCluster(other, 'Cluster', { iamAuthentication: true }), {
        alsoResourceIds,
      });
      const policy = new iam.ManagedPolicy(other, 'Policy');
      Array.from({ length: 25 }, (_, index) => grants.connect(policy, `user_${index}`));
      return Annotations.fromStack(other).findWarning('*', Match.stringLikeRegexp('characters that IAM allows')).length;
    };
    expect([warned([]), warned([GREEN])]).toEqual([0, 1]);
  });

  test('are in the access report, which says nothing where there are none', () => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster: newCluster(stack),
      alsoResourceIds: [OTHER, GREEN],
    });
    iamAuth.addUser('orders').grantConnect(role('Role'));
    const [server] = collectAccess(stack).servers;
    expect(server.alsoResourceIds).toEqual([GREEN, OTHER]);
    expect(notices(server, 'Data')).toContainEqual({
      title: 'Grants that are also about other resource ids',
      items: [GREEN, OTHER],
    });
    const { alsoResourceIds, ...without } = server;
    expect(notices(without, 'Data').map(({ title }) => title)).not.toContain(
      'Grants that are also about other resource ids',
    );
    expect(alsoResourceIds).toHaveLength(2);
  });
});
