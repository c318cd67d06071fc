import { App, CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, ConnectGrants } from '../../../../lib';
import { proxyCannotConnect } from '../../../../lib/checks/rules/proxy-cannot-connect';
import { IRELAND, newCluster, newInstance, vpcOf } from '../../support';
import { answer, newStack, resource } from '../support';

const IAM = { defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH };

function withProxy(role?: (stack: Stack) => iam.IRole) {
  const stack = newStack();
  const cluster = newCluster(stack, 'Cluster', { iamAuthentication: true });
  const proxy = cluster.addProxy('Proxy', { vpc: vpcOf(stack), ...IAM, role: role?.(stack) });
  return { stack, cluster, proxy, role: proxy.node.tryFindChild('IAMRole') as iam.Role };
}

const why = (reason: string) =>
  `whether the role of this proxy has rds-db:connect on its database, without which no client gets through: ${reason}`;

describe('IamAuth-ProxyCannotConnect', () => {
  test('is not about a proxy that signs in with passwords, nor about other resources', () => {
    const stack = newStack();
    const cluster = newCluster(stack);
    const proxy = cluster.addProxy('Proxy', { vpc: vpcOf(stack), secrets: [cluster.secret!], iamAuth: true });
    expect(answer(proxyCannotConnect, proxy)).toBe('NOT_APPLICABLE');
    expect(answer(proxyCannotConnect, cluster)).toBe('NOT_APPLICABLE');
    expect(
      answer(proxyCannotConnect, resource(newStack(), 'Proxy', 'AWS::RDS::DBProxy', { DefaultAuthScheme: 'NONE' })),
    ).toBe('NOT_APPLICABLE');
  });

  test('finds what CDK makes by itself', () => {
    const { proxy } = withProxy();
    expect(answer(proxyCannotConnect, proxy)).toEqual([{
      id: '',
      description: expect.stringMatching(
        /^DefaultAuthScheme is IAM_AUTH, and role \w+IAMRole\w+ of this proxy has no rds-db:connect on Cluster\w+, so that no client gets through$/,
      ) as unknown,
      location: 'Properties/RoleArn',
    }]);
  });

  test('finds a role that may connect to another database only, or may not', () => {
    const { stack, proxy, role } = withProxy();
    ConnectGrants.fromCluster(newCluster(stack, 'Other', { iamAuthentication: true })).connect(role, 'orders');
    ConnectGrants.fromProxy(proxy).connect(role, 'orders');
    role.addToPolicy(new iam.PolicyStatement({ actions: ['rds:*'], resources: ['*'] }));
    expect(answer(proxyCannotConnect, proxy)).toMatchObject([{ id: '' }]);
  });

  test('has nothing against what grantConnect() makes', () => {
    const { stack, cluster, proxy } = withProxy();
    new AuroraIamAuth(stack, 'IamAuth', { cluster })
      .addUser('orders')
      .grantConnect(new iam.Role(stack, 'Client', { assumedBy: new iam.AccountRootPrincipal() }), { through: proxy });
    expect(answer(proxyCannotConnect, proxy)).toBe('COMPLIANT');
  });

  test.each([true, false])('finds its role, its policy and its database in other stacks: %s', (granted) => {
    const data = newStack();
    const [network, access] = ['Network', 'Access'].map(id => new Stack(data.node.root as App, id, { env: IRELAND }));
    const cluster = newCluster(data, 'Cluster', { iamAuthentication: true });
    const role = new iam.Role(data, 'Role', { assumedBy: new iam.ServicePrincipal('rds.amazonaws.com') });
    const proxy = new rds.CfnDBProxy(network, 'Proxy', {
      dbProxyName: 'p',
      engineFamily: 'POSTGRESQL',
      defaultAuthScheme: 'IAM_AUTH',
      roleArn: role.roleArn,
      vpcSubnetIds: ['s'],
    });
    new rds.CfnDBProxyTargetGroup(network, 'Targets', {
      dbProxyName: proxy.ref,
      targetGroupName: 'default',
      dbClusterIdentifiers: [cluster.clusterIdentifier],
    });
    new iam.Policy(access, 'Policy', {
      roles: [role],
      statements: [
        new iam.PolicyStatement({
          actions: [granted ? 'rds-db:connect' : 'rds:connect'],
          resources: [`arn:aws:rds-db:eu-west-1:111111111111:dbuser:${cluster.clusterResourceIdentifier}/orders`],
        }),
      ],
    });
    expect(answer(proxyCannotConnect, proxy)).toEqual(granted ? 'COMPLIANT' : [expect.objectContaining({ id: '' })]);
  });

  test.each([
    ['any user', (id: string) => `arn:aws:rds-db:eu-west-1:111111111111:dbuser:${id}/*`],
    ['any database', () => 'arn:aws:rds-db:*:*:dbuser:*/orders'],
    ['any cluster', () => 'arn:aws:rds-db:*:*:dbuser:cluster-*/orders'],
    ['everything', () => '*'],
  ])('has nothing against a role that may connect as more: %s', (_, resourceOf) => {
    const { cluster, proxy, role } = withProxy();
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['rds-db:connect'],
        resources: [resourceOf(cluster.clusterResourceIdentifier)],
      }),
    );
    expect(answer(proxyCannotConnect, proxy)).toBe('COMPLIANT');
  });

  test.each([
    ['cluster-ABC*', 'unknown'],
    ['db-*', ''],
  ])('cannot tell of a pattern that may be about this cluster, and finds one that is not: %s', (pattern, id) => {
    const { proxy, role } = withProxy();
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['rds-db:connect'],
        resources: [`arn:aws:rds-db:*:*:dbuser:${pattern}/orders`],
      }),
    );
    expect(answer(proxyCannotConnect, proxy)).toMatchObject([{ id }]);
  });

  test('knows the instance behind a proxy', () => {
    const stack = newStack();
    const instance = newInstance(stack, 'Instance', { iamAuthentication: true });
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('rds.amazonaws.com') });
    const proxy = instance.addProxy('Proxy', { vpc: vpcOf(stack), role, ...IAM });
    ConnectGrants.fromInstance(instance).connect(role, 'orders');
    expect(answer(proxyCannotConnect, proxy)).toBe('COMPLIANT');
  });

  test('cannot tell of a role of another app', () => {
    const { proxy } = withProxy(stack => iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::111111111111:role/proxy'));
    expect(answer(proxyCannotConnect, proxy)).toMatchObject([
      { id: 'unknown', description: why('its role arn:aws:iam::111111111111:role/proxy is not of this app') },
    ]);
  });

  test('cannot tell of a policy of another app, nor of one that is known at the deployment only', () => {
    const { stack, proxy, role } = withProxy();
    role.addManagedPolicy(iam.ManagedPolicy.fromManagedPolicyName(stack, 'Policy', 'proxies'));
    expect(answer(proxyCannotConnect, proxy)).toMatchObject([
      {
        id: 'unknown',
        description: expect.stringMatching(
          /^whether the role of this proxy .* a policy of role \w+ is not of this app, or about what only the deployment knows$/,
        ) as unknown,
      },
    ]);

    const other = withProxy();
    new CfnParameter(other.stack, 'Open');
    other.role.addToPolicy(new iam.PolicyStatement({ actions: ['rds-db:connect'], resources: [Fn.ref('Open')] }));
    expect(answer(proxyCannotConnect, other.proxy)).toMatchObject([{ id: 'unknown' }]);
  });

  test('cannot tell of a database of another app', () => {
    const stack = newStack();
    resource(stack, 'Role', 'AWS::IAM::Role', {});
    const proxy = resource(stack, 'Proxy', 'AWS::RDS::DBProxy', {
      DefaultAuthScheme: 'IAM_AUTH',
      RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
    });
    resource(stack, 'Targets', 'AWS::RDS::DBProxyTargetGroup', {
      DBProxyName: { Ref: 'Proxy' },
      DBClusterIdentifiers: ['shop'],
    });
    expect(answer(proxyCannotConnect, proxy)).toMatchObject([
      { id: 'unknown', description: why('its database is not of this app') },
    ]);
  });

  test('cannot tell of a scheme that is a parameter', () => {
    const stack = newStack();
    new CfnParameter(stack, 'Open');
    expect(
      answer(proxyCannotConnect, resource(stack, 'Proxy', 'AWS::RDS::DBProxy', { DefaultAuthScheme: Fn.ref('Open') })),
    ).toMatchObject([{ id: 'unknown', description: why('DefaultAuthScheme is <Open>') }]);
  });
});
