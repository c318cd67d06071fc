import { CfnParameter, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { ClusterIamAuthEnabled, ConnectGrants, InstanceIamAuthEnabled } from '../../lib';
import {
  attribute, INSTANCE_TYPE, IRELAND, newApp, newInstance, resourcesOf, templateOf, vpcOf,
} from './support';
import {
  ACCOUNT, app, cluster, REGION, RESOURCE_ID, role, stack, startAgain, statement, statements,
} from './connect-grants-support';

describe('a cluster', () => {
  test('is left as it is', () => {
    const [plain, granted] = [newApp(), newApp()].map(parent => cluster(new Stack(parent, 'Data')));
    ConnectGrants.fromCluster(granted).connect(
      iam.Group.fromGroupName(new Stack(granted.stack.node.root, 'Apps'), 'Group', 'group'),
      'app',
    );
    expect(resourcesOf(granted.stack)).toEqual(resourcesOf(plain.stack));
  });

  test('is refused if IAM authentication is off', () => {
    expect(
      () => ConnectGrants.fromCluster(cluster(stack, { iamAuthentication: false })).connect(role(), 'app'),
    ).toThrow(new Error(
      '[Data/Cluster/Resource] iamAuthentication of the cluster is false, and unless it is on no user can sign in '
      + 'with IAM; set it to true or leave it out',
    ));
  });

  test('is refused at synthesis if IAM authentication is not enabled', () => {
    ConnectGrants.fromCluster(cluster(stack, { iamAuthentication: undefined })).connect(role(), 'app');
    expect(() => templateOf(stack)).toThrow(new Error(
      'Validation failed with the following errors:\n  [Data/Cluster/Resource] EnableIAMDatabaseAuthentication is '
      + 'not set, and unless it is true no user can sign in with IAM; '
      + 'apply ClusterIamAuthEnabled or set iamAuthentication: true, and let nothing change it afterwards',
    ));
  });

  test('may have it enabled after the grant', () => {
    const data = cluster(stack, { iamAuthentication: undefined });
    ConnectGrants.fromCluster(data).connect(role(), 'app');
    data.with(new ClusterIamAuthEnabled());
    expect(statements()).toHaveLength(1);
  });

  test.each([
    'shop', 'cluster-shop', 'db-ABCDEFGHIJKL01234', 'CLUSTER-ABC',
  ])('is refused if it is imported with %s as its resource id', (clusterResourceIdentifier) => {
    const imported = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
      clusterIdentifier: 'shop', clusterResourceIdentifier,
    });
    expect(() => ConnectGrants.fromCluster(imported)).toThrow(new Error(
      `[Data/Imported] clusterResourceIdentifier "${clusterResourceIdentifier}" is not the resource id of a `
      + 'cluster, which looks like cluster-ABCDEFGHIJKL01234; '
      + 'take it from the Configuration tab of the RDS console, or DbClusterResourceId of aws rds describe-db-clusters',
    ));
  });

  test('is refused if it is imported without its resource id', () => {
    const imported = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
      clusterIdentifier: 'shop', securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1')],
    });
    expect(() => ConnectGrants.fromCluster(imported)).toThrow(new Error(
      '[Data/Imported] clusterResourceIdentifier is missing, and the permission to sign in is about the resource id '
      + 'of a cluster, which looks like cluster-ABCDEFGHIJKL01234; give it where the database is imported; '
      + 'take it from the Configuration tab of the RDS console, or DbClusterResourceId of aws rds describe-db-clusters',
    ));
  });
});

describe('an instance', () => {
  const DBI = attribute(/^Instance/, 'DbiResourceId');
  const instance = (props: Partial<rds.DatabaseInstanceProps> = {}) => newInstance(
    stack,
    'Instance',
    { iamAuthentication: true, ...props },
  );
  const imported = (attributes: Partial<rds.DatabaseInstanceAttributes>, scope = stack) =>
    rds.DatabaseInstance.fromDatabaseInstanceAttributes(scope, 'Imported', {
      instanceIdentifier: 'shop', instanceEndpointAddress: 'shop.example', port: 5432, securityGroups: [],
      ...attributes,
    });

  test.each<[string, () => rds.IDBInstanceRef]>([
    ['an L2', () => instance()],
    [
      'an L1',
      () => new rds.CfnDBInstance(stack, 'Instance', { engine: 'postgres', enableIamDatabaseAuthentication: true }),
    ],
  ])('is named by its resource id: %s', (_, made) => {
    ConnectGrants.fromInstance(made()).connect(role(), 'app');
    expect(statements()).toEqual([statement(REGION, ACCOUNT, DBI, 'app')]);
  });

  test.each([true, false])('a read replica has an id of its own, with the feature flag that corrects it in CDK: '
    + '%s', (flag) => {
    startAgain({ '@aws-cdk/aws-rds:setCorrectValueForDatabaseInstanceReadReplicaInstanceResourceId': flag });
    const source = instance();
    const replica = new rds.DatabaseInstanceReadReplica(stack, 'Replica', {
      sourceDatabaseInstance: source, vpc: vpcOf(stack), instanceType: INSTANCE_TYPE,
    });
    new InstanceIamAuthEnabled().applyTo(replica);
    ConnectGrants.fromInstance(replica).connect(role(), 'app');
    expect(statements()).toEqual([statement(REGION, ACCOUNT, attribute(/^Replica/, 'DbiResourceId'), 'app')]);
  });

  test('that is imported is named by what the app says, and the Region and account it is imported into', () => {
    const apps = new Stack(app, 'Apps', { env: IRELAND });
    ConnectGrants.fromInstance(imported(
      { instanceResourceId: 'db-ABCDEFGHIJKL01234' },
      apps,
    )).connect(role(apps), 'app');
    expect(statements(apps)).toEqual([statement('eu-west-1', '111111111111', 'db-ABCDEFGHIJKL01234', 'app')]);
  });

  const REMEDY = 'take it from the Configuration tab of the RDS console, or DbiResourceId of aws rds '
    + 'describe-db-instances';

  test.each([
    'shop', 'cluster-ABCDEFGHIJKL01234', 'db-shop', 'arn:aws:rds:eu-west-1:111111111111:db:shop',
  ])('is refused if it is imported with %s as its resource id', (instanceResourceId) => {
    expect(() => ConnectGrants.fromInstance(imported({ instanceResourceId }))).toThrow(new Error(
      `[Data/Imported] instanceResourceId "${instanceResourceId}" is not the resource id of an instance, which `
      + `looks like db-ABCDEFGHIJKL01234; ${REMEDY}`,
    ));
  });

  test('is refused if it is imported without its resource id', () => {
    expect(() => ConnectGrants.fromInstance(imported({}))).toThrow(new Error(
      '[Data/Imported] instanceResourceId is missing, and the permission to sign in is about the resource id of an '
      + 'instance, which looks like db-ABCDEFGHIJKL01234; '
      + `give it where the database is imported; ${REMEDY}`,
    ));
  });

  test('is refused if it belongs to a cluster', () => {
    const member = new rds.CfnDBInstance(stack, 'Member', { dbClusterIdentifier: 'shop' });
    expect(() => ConnectGrants.fromInstance(member)).toThrow(new Error(
      '[Data/Member] this instance is a member of a cluster, and IAM authentication is the cluster\'s; '
      + 'pass the cluster to ConnectGrants.fromCluster()',
    ));
  });

  test('is refused if IAM authentication is off, and at synthesis if it is not enabled', () => {
    expect(() => ConnectGrants.fromInstance(instance({ iamAuthentication: false })).connect(role(), 'app')).toThrow(
      '[Data/Instance/Resource] iamAuthentication of the instance is false, and unless it is on no user can sign in '
      + 'with IAM');
    const other = new Stack(app, 'Other');
    ConnectGrants.fromInstance(newInstance(other)).connect(role(other), 'app');
    expect(() => templateOf(other)).toThrow(
      'EnableIAMDatabaseAuthentication is not set, and unless it is true no user can sign in with IAM; '
      + 'apply InstanceIamAuthEnabled',
    );
  });
});

describe('a proxy', () => {
  const ARN = 'arn:aws:rds:us-east-1:111111111111:db-proxy:prx-abcdefghijkl01234';
  const proxy = (props: Partial<rds.DatabaseProxyOptions> = {}) => {
    const data = cluster();
    return data.addProxy('Proxy', { vpc: vpcOf(stack), secrets: [data.secret!], iamAuth: true, ...props });
  };
  const imported = (scope: Stack, dbProxyArn: string) =>
    rds.DatabaseProxy.fromDatabaseProxyAttributes(scope, 'Imported', {
      dbProxyName: 'shop', dbProxyArn, endpoint: 'shop.proxy', securityGroups: [],
    });
  const ID = { 'Fn::Select': [6, { 'Fn::Split': [':', attribute(/^ClusterProxy/, 'DBProxyArn')] }] };

  test.each<[string, Partial<rds.DatabaseProxyOptions>]>([
    ['that has passwords of the users', {}],
    [
      'that signs in with IAM itself',
      { secrets: undefined, iamAuth: undefined, defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH },
    ],
  ])('is named by its own id: one %s', (_, props) => {
    const clients = role();
    ConnectGrants.fromProxy(proxy(props)).connect(clients, 'app');
    const [, policy] = Object.entries(resourcesOf(stack, 'AWS::IAM::Policy')).find(
      ([id]) => id.startsWith('RoleDefaultPolicy'),
    )!;
    expect(
      (policy.Properties.PolicyDocument as { Statement: unknown }).Statement,
    ).toEqual([statement(REGION, ACCOUNT, ID, 'app')]);
  });

  test('that is imported is named by its ARN, and has the Region and account of that', () => {
    const apps = new Stack(app, 'Apps', { env: IRELAND });
    ConnectGrants.fromProxy(imported(apps, ARN)).connect(role(apps), 'app');
    expect(statements(apps)).toEqual([statement('us-east-1', '111111111111', 'prx-abcdefghijkl01234', 'app')]);
  });

  test('that is imported by a token is named by what the deployment knows', () => {
    const parameter = new CfnParameter(stack, 'ProxyArn');
    ConnectGrants.fromProxy(imported(stack, parameter.valueAsString)).connect(role(), 'app');
    const part = (index: number) => ({ 'Fn::Select': [index, { 'Fn::Split': [':', { Ref: 'ProxyArn' }] }] });
    expect(statements()).toEqual([statement(part(3), part(4), part(6), 'app')]);
  });

  test.each([
    'shop', 'prx-abcdefghijkl01234', 'arn:aws:rds:us-east-1:111111111111:db-proxy:shop',
    'arn:aws:rds:us-east-1:111111111111:cluster:shop',
  ])('is refused if it is imported with %s as its ARN', (dbProxyArn) => {
    expect(() => ConnectGrants.fromProxy(imported(stack, dbProxyArn))).toThrow(new Error(
      `[Data/Imported] dbProxyArn "${dbProxyArn}" is not the ARN of a proxy, which looks like `
      + 'arn:aws:rds:eu-west-1:111111111111:db-proxy:prx-ABCDEFGHIJKL01234; '
      + 'take it from DBProxyArn of aws rds describe-db-proxies',
    ));
  });

  test('is refused if its clients sign in with passwords', () => {
    expect(() => ConnectGrants.fromProxy(proxy({ iamAuth: false })).connect(role(), 'app')).toThrow(new Error(
      '[Data/Cluster/Proxy] clients of this proxy sign in with passwords, so that a token is refused; '
      + 'make it with defaultAuthScheme: DefaultAuthScheme.IAM_AUTH, or iamAuth: true for users that the proxy has '
      + 'passwords of',
    ));
  });
});

/** Where the resource of a grant is, for each way in which the app may know the database. */
describe('Region and account', () => {
  const env = (region: string) => ({ account: '111111111111', region });

  test.each([
    'cn-north-1', 'us-gov-west-1', 'eu-west-1',
  ])('in %s the partition is a pseudo parameter, which is right there', (region) => {
    const data = new Stack(app, 'There', { env: env(region) });
    ConnectGrants.fromCluster(cluster(data)).connect(role(data), 'app');
    expect(statements(data)).toEqual([statement(region, '111111111111', RESOURCE_ID, 'app')]);
  });

  test.each<[string, (data: Stack) => ConnectGrants]>([
    ['cluster', data => ConnectGrants.fromCluster(cluster(data))],
    ['instance', data => ConnectGrants.fromInstance(newInstance(data, 'Instance', { iamAuthentication: true }))],
    [
      'proxy',
      data => ConnectGrants.fromProxy(cluster(data).addProxy('Proxy', {
        vpc: vpcOf(data), defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH,
      })),
    ],
  ])('are those of the database, whose stack is in another Region than the grantee: %s', (_, grants) => {
    const data = new Stack(app, 'Ireland', { env: env('eu-west-1'), crossRegionReferences: true });
    const apps = new Stack(app, 'Apps', { env: env('us-east-1'), crossRegionReferences: true });
    grants(data).connect(role(apps), 'app');
    const { PolicyDocument } = Object.values(resourcesOf(apps, 'AWS::IAM::Policy')).map(({ Properties }) => Properties)
      .find(({ Roles }) => JSON.stringify(Roles).includes('"Role'))!;
    const [{ Resource }] = (PolicyDocument as {
      Statement: { Resource: { 'Fn::Join': [string, unknown[]] } }[];
    }).Statement;
    expect(Resource['Fn::Join'][1].slice(0, 3)).toEqual([
      'arn:',
      { Ref: 'AWS::Partition' },
      ':rds-db:eu-west-1:111111111111:dbuser:',
    ]);
  });
});
