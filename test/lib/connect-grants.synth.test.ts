import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sso from 'aws-cdk-lib/aws-sso';
import { ClusterIamAuthEnabled, ConnectGrants, InstanceIamAuthEnabled } from '../../lib';
import {
  attribute, imported, INSTANCE_TYPE, IRELAND, newApp, newCluster, newInstance, onlyResourceOf, resourcesOf, templateOf,
  vpcOf,
} from './support';

const ASSUMED_BY = new iam.ServicePrincipal('ec2.amazonaws.com');

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

function cluster(scope: Stack = stack, props: Partial<rds.DatabaseClusterProps> = {}): rds.DatabaseCluster {
  return newCluster(scope, 'Cluster', { iamAuthentication: true, ...props });
}

function role(scope: Stack = stack, id = 'Role'): iam.Role {
  return new iam.Role(scope, id, { assumedBy: ASSUMED_BY });
}

/** The statements of the one policy of a stack. */
function statements(scope: Stack = stack): { Effect: string; Action: unknown; Resource: unknown }[] {
  const { PolicyDocument } = onlyResourceOf(scope, 'AWS::IAM::Policy').Properties as {
    PolicyDocument: { Statement: [] };
  };
  return PolicyDocument.Statement;
}

function messageOf(code: () => unknown): string {
  try {
    code();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const RESOURCE_ID = attribute(/^Cluster/, 'DBClusterResourceId');

function statement(region: unknown, account: unknown, resourceId: unknown, username: string) {
  const parts = [
    'arn:',
    { Ref: 'AWS::Partition' },
    ':rds-db:',
    region,
    ':',
    account,
    ':dbuser:',
    resourceId,
    `/${username}`,
  ];
  const joined = parts.reduce<unknown[]>((all, part) => {
    const last = all[all.length - 1];
    return typeof part === 'string' && typeof last === 'string' ? [...all.slice(0, -1), last + part] : [...all, part];
  }, []);
  return { Effect: 'Allow', Action: 'rds-db:connect', Resource: { 'Fn::Join': ['', joined] } };
}

const REGION = { Ref: 'AWS::Region' };
const ACCOUNT = { Ref: 'AWS::AccountId' };

describe('the statement', () => {
  test('names partition, Region, account, cluster and user', () => {
    ConnectGrants.fromCluster(cluster()).connect(role(), 'mario.rossi@example.com');
    expect(statements()).toEqual([statement(REGION, ACCOUNT, RESOURCE_ID, 'mario.rossi@example.com')]);
  });

  test('is the same for an L1', () => {
    const l1 = new rds.CfnDBCluster(stack, 'Cluster', {
      engine: 'aurora-postgresql', enableIamDatabaseAuthentication: true,
    });
    ConnectGrants.fromCluster(l1).connect(role(), 'app');
    expect(statements()).toEqual([statement(
      REGION,
      ACCOUNT,
      { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] },
      'app',
    )]);
  });

  test('in another stack imports the cluster', () => {
    const apps = new Stack(app, 'Apps');
    ConnectGrants.fromCluster(cluster()).connect(role(apps), 'app');
    expect(statements(apps)).toEqual([
      statement(REGION, ACCOUNT, imported(/^Data:ExportsOutputFnGetAttCluster.*DBClusterResourceId/), 'app'),
    ]);
  });

  test('has the Region and the account of the cluster, not of the grantee', () => {
    const data = new Stack(app, 'Ireland', { env: IRELAND, crossRegionReferences: true });
    const apps = new Stack(app, 'Apps', { env: { ...IRELAND, region: 'us-east-1' }, crossRegionReferences: true });
    ConnectGrants.fromCluster(cluster(data)).connect(role(apps), 'app');
    const [{ Resource }] = Object.values(resourcesOf(apps, 'AWS::IAM::Policy'))
      .map(
        ({ Properties }) =>
          Properties.PolicyDocument as { Statement: { Resource: { 'Fn::Join': [string, unknown[]] } }[] },
      )
      .flatMap(({ Statement }) => Statement);
    expect(Resource['Fn::Join'][1].slice(0, 3)).toEqual([
      'arn:',
      { Ref: 'AWS::Partition' },
      ':rds-db:eu-west-1:111111111111:dbuser:',
    ]);
  });

  test('has the partition as a pseudo parameter where CDK would write it out', () => {
    const data = new Stack(newApp({ '@aws-cdk/core:enablePartitionLiterals': true }), 'Data', { env: IRELAND });
    ConnectGrants.fromCluster(cluster(data)).connect(role(data), 'app');
    expect(statements(data)).toEqual([statement('eu-west-1', '111111111111', RESOURCE_ID, 'app')]);
  });

  test('has what an imported cluster says, and the Region and account it is imported into', () => {
    const apps = new Stack(app, 'Apps', { env: IRELAND });
    const imported = rds.DatabaseCluster.fromDatabaseClusterAttributes(apps, 'Imported', {
      clusterIdentifier: 'shop', clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234',
    });
    ConnectGrants.fromCluster(imported).connect(role(apps), 'app');
    expect(statements(apps)).toEqual([statement('eu-west-1', '111111111111', 'cluster-ABCDEFGHIJKL01234', 'app')]);
  });

  test.each([
    ['*', '${*}'],
    ['app?', 'app${?}'],
    ['${username}', '${$}{username}'],
    ['o\'brien', 'o\'brien'],
    ['quo"te', 'quo"te'],
    ['Müller', 'Müller'],
  ])('grants %s only: %s', (username, resource) => {
    ConnectGrants.fromCluster(cluster()).connect(role(), username);
    expect(statements()).toEqual([statement(REGION, ACCOUNT, RESOURCE_ID, resource)]);
  });

  test('is one when it is granted twice', () => {
    const [grants, grantee] = [ConnectGrants.fromCluster(cluster()), role()];
    grants.connect(grantee, 'app');
    grants.connect(grantee, 'app');
    expect(statements()).toHaveLength(1);
  });
});

describe('a grantee', () => {
  const GRANTEES: [string, () => iam.IGrantable][] = [
    ['a role', () => role()],
    ['a user', () => new iam.User(stack, 'User')],
    ['a group', () => new iam.Group(stack, 'Group')],
    ['a role created late', () => {
      const lazy = new iam.LazyRole(stack, 'Lazy', { assumedBy: ASSUMED_BY });
      new lambda.CfnFunction(stack, 'Uses', { code: { zipFile: '-' }, role: lazy.roleArn });
      return lazy;
    }],
    ['an imported role', () => iam.Role.fromRoleName(stack, 'Imported', 'imported')],
    [
      'a role of the account, by its ARN',
      () => iam.Role.fromRoleArn(stack, 'Imported', 'arn:aws:iam::111111111111:role/imported'),
    ],
    ['an imported user', () => iam.User.fromUserName(stack, 'Imported', 'imported')],
    ['an imported group', () => iam.Group.fromGroupName(stack, 'Imported', 'imported')],
    [
      'a function',
      () => new lambda.Function(stack, 'Function', {
        runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code: lambda.Code.fromInline('-'),
      }),
    ],
    [
      'a role with conditions',
      () => new iam.PrincipalWithConditions(role(), { Bool: { 'aws:SecureTransport': 'true' } }),
    ],
    ['a policy', () => {
      const policy = new iam.Policy(stack, 'Policy');
      policy.attachToRole(role());
      return policy;
    }],
  ];
  test.each(GRANTEES)('gets the statement: %s', (_, grantee) => {
    ConnectGrants.fromCluster(cluster()).connect(grantee(), 'app');
    expect(statements()).toEqual([statement(REGION, ACCOUNT, RESOURCE_ID, 'app')]);
  });

  test('gets the statement: a managed policy', () => {
    ConnectGrants.fromCluster(cluster()).connect(new iam.ManagedPolicy(stack, 'Policy'), 'app');
    const { PolicyDocument } = onlyResourceOf(stack, 'AWS::IAM::ManagedPolicy').Properties;
    expect(PolicyDocument).toMatchObject({ Statement: [statement(REGION, ACCOUNT, RESOURCE_ID, 'app')] });
  });

  test('is in the report of the policies that people write, where roles are not created by the app', () => {
    iam.Role.customizeRoles(stack, { preventSynthesis: false });
    const grants = ConnectGrants.fromCluster(cluster());
    expect(grants.connect(role(), 'app').success).toBe(true);
    expect(grants.connect(iam.Role.fromRoleName(stack, 'Imported', 'imported'), 'app').success).toBe(true);
  });

  test.each<[string, RegExp, (data: Stack) => iam.IGrantable]>([
    [
      'an imported role that may not be changed', /^Ireland\/Imported$/,
      data => iam.Role.fromRoleName(data, 'Imported', 'imported', { mutable: false }),
    ],
    [
      'the same with grants to resources', /^Ireland\/Imported$/,
      data => iam.Role.fromRoleName(data, 'Imported', 'imported', { mutable: false, addGrantsToResources: true }),
    ],
    ['a role without policy updates', /^Ireland\/ImmutableRole/, data => role(data).withoutPolicyUpdates()],
    [
      'the same with conditions', /^PrincipalWithConditions$/,
      data => new iam.PrincipalWithConditions(role(data).withoutPolicyUpdates(), {
        Bool: { 'aws:SecureTransport': 'true' },
      }),
    ],
    ['an account', /^AccountPrincipal$/, () => new iam.AccountPrincipal('111111111111')],
    ['a service', /^ServicePrincipal$/, () => ASSUMED_BY],
    ['anyone', /^AnyPrincipal$/, () => new iam.AnyPrincipal()],
    [
      'several principals', /^CompositePrincipal$/,
      () => new iam.CompositePrincipal(ASSUMED_BY, new iam.ArnPrincipal('arn:aws:iam::111111111111:role/r')),
    ],
    [
      'a function imported without its role', /^Ireland\/Function$/,
      data => lambda.Function.fromFunctionArn(data, 'Function', 'arn:aws:lambda:eu-west-1:111111111111:function:f'),
    ],
  ])('is refused if it takes no statement: %s', (_, name, grantee) => {
    const data = new Stack(app, 'Ireland', { env: IRELAND });
    const grants = ConnectGrants.fromCluster(cluster(data));
    const message = messageOf(() => grants.connect(grantee(data), 'app'));
    const [said, ...rest] = message.split(' cannot be granted permissions: ');
    expect(said).toMatch(/^\[Ireland\/Cluster\] grantee /);
    expect(said.replace('[Ireland/Cluster] grantee ', '')).toMatch(name);
    expect(rest).toEqual(['its policies are not managed by this app; pass a role, user or group whose policies this app '
      + 'may change (an imported role: not with mutable: false, and in a stack of its own account); an account, a '
      + 'service or another principal gets in by a role that it may assume']);
  });

  test.each<[string, string, (data: Stack) => iam.IGrantable]>([
    [
      'an imported role', 'Ireland/Imported',
      data => iam.Role.fromRoleArn(data, 'Imported', 'arn:aws:iam::222222222222:role/imported'),
    ],
    [
      'a role of another stack', 'Other/Role',
      () => role(new Stack(app, 'Other', { env: { ...IRELAND, account: '222222222222' } })),
    ],
    ['the account itself', 'AccountPrincipal', () => new iam.AccountPrincipal('222222222222')],
  ])('is refused if it is of another account: %s', (_, name, grantee) => {
    const data = new Stack(app, 'Ireland', { env: IRELAND });
    expect(() => ConnectGrants.fromCluster(cluster(data)).connect(grantee(data), 'app')).toThrow(new Error(
      `[Ireland/Cluster] grantee ${name} is in account 222222222222 and the database in 111111111111, and `
      + 'rds-db:connect does not cross accounts; '
      + 'create a role in account 111111111111 that account 222222222222 may assume, and grant it to that role',
    ));
  });

  test('is not compared with an account that only the deployment knows', () => {
    const imported = iam.Role.fromRoleArn(stack, 'Imported', 'arn:aws:iam::222222222222:role/imported');
    expect(ConnectGrants.fromCluster(cluster()).connect(imported, 'app').success).toBe(true);
  });
});

describe('a username', () => {
  test('is refused if PostgreSQL, RDS or IAM does not take it', () => {
    expect(() => ConnectGrants.fromCluster(cluster()).connect(role(), 'rdsadmin')).toThrow(new Error(
      '[Data/Cluster] username "rdsadmin" is not allowed: RDS reserves names that begin with rds; choose another name',
    ));
  });

  test('is refused if it is a token, which nobody can escape', () => {
    const parameter = new CfnParameter(stack, 'Username');
    expect(() => ConnectGrants.fromCluster(cluster()).connect(role(), parameter.valueAsString)).toThrow(new Error(
      '[Data/Cluster] username is a token, and a * in it would let the grantee sign in as every user; '
      + 'give the username itself, or grant through a DatabaseUser',
    ));
  });
});

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

  test('is refused at synthesis if nobody has switched IAM authentication on', () => {
    ConnectGrants.fromCluster(cluster(stack, { iamAuthentication: undefined })).connect(role(), 'app');
    expect(() => templateOf(stack)).toThrow(new Error(
      'Validation failed with the following errors:\n  [Data/Cluster/Resource] EnableIAMDatabaseAuthentication is '
      + 'not set, and unless it is true no user can sign in with IAM; '
      + 'apply ClusterIamAuthEnabled or set iamAuthentication: true, and let nothing change it afterwards',
    ));
  });

  test('may have it switched on after the grant', () => {
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
    app = newApp({ '@aws-cdk/aws-rds:setCorrectValueForDatabaseInstanceReadReplicaInstanceResourceId': flag });
    stack = new Stack(app, 'Data');
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

  test('is refused if IAM authentication is off, and at synthesis if nobody has switched it on', () => {
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

describe('as the user in a tag of the identity', () => {
  test('has a policy variable in place of the username', () => {
    ConnectGrants.fromCluster(cluster()).connectAsPrincipalTag(role(), 'Database user');
    expect(statements()).toEqual([statement(REGION, ACCOUNT, RESOURCE_ID, '${aws:PrincipalTag/Database user}')]);
  });

  test.each(['', 'a*', 'a}', '${x}', 'aws:x', 'x'.repeat(129)])('is refused for a key that no tag has: %s', (key) => {
    expect(() => ConnectGrants.fromCluster(cluster()).connectAsPrincipalTag(role(), key)).toThrow(new Error(
      `[Data/Cluster] tag key ${JSON.stringify(key)} is not one that a principal may have: 1 to 128 letters, `
      + 'digits, spaces and _.:/=+-@, not beginning with aws:; pass the key of a tag',
    ));
  });

  test('takes a key of 128 characters', () => {
    expect(ConnectGrants.fromCluster(cluster()).connectAsPrincipalTag(role(), 'x'.repeat(128)).success).toBe(true);
  });

  test.each<[string, (grants: ConnectGrants) => unknown]>([
    ['grant', grants => grants.connectAsPrincipalTag(role(), 'DatabaseUser')],
    ['statement', grants => grants.connectAsPrincipalTagStatement('DatabaseUser')],
  ])('carries a warning on the database: %s', (_, work) => {
    const data = cluster();
    work(ConnectGrants.fromCluster(data));
    expect(data.node.metadata.filter(({ type }) => type === 'aws:cdk:warning').map(
      ({ data: text }) => text as string,
    )).toEqual([
      'the tag "DatabaseUser" of an identity says as which user it signs in: a principal that may set this tag '
      + 'signs in as any user of the database, '
      + 'and AWS does not document whether RDS takes a policy variable, so that the statement may let no identity '
      + 'in; restrict who may set the tag, try it on AWS, and acknowledge '
      + '[ack: cdk-aurora-iam-auth:principalTag]',
    ]);
  });

  test('is refused at a proxy', () => {
    const proxy = cluster().addProxy('Proxy', { vpc: vpcOf(stack), defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH });
    expect(() => ConnectGrants.fromProxy(proxy).connectAsPrincipalTag(role(), 'user')).toThrow(new Error(
      '[Data/Cluster/Proxy] RDS Proxy supports no condition keys, which a tag in a policy is one of; '
      + 'grant for each user by its name',
    ));
  });
});

describe('a statement for a policy of the app', () => {
  const documentOf = (...statements: iam.PolicyStatement[]) => new iam.PolicyDocument({ statements });
  const importedInto = (scope: Stack) =>
    ConnectGrants.fromCluster(rds.DatabaseCluster.fromDatabaseClusterAttributes(scope, 'Imported', {
      clusterIdentifier: 'shop', clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234',
    }));

  test('is the one that connect() adds', () => {
    const grants = ConnectGrants.fromCluster(cluster());
    grants.connect(role(), 'app?');
    new iam.ManagedPolicy(stack, 'Managed', { statements: [grants.connectStatement('app?')] });
    const { PolicyDocument } = onlyResourceOf(stack, 'AWS::IAM::ManagedPolicy').Properties;
    expect(PolicyDocument).toEqual({ Version: '2012-10-17', Statement: statements() });
  });

  test('is the one that connectAsPrincipalTag() adds', () => {
    const grants = ConnectGrants.fromCluster(cluster());
    grants.connectAsPrincipalTag(role(), 'Database user');
    new iam.ManagedPolicy(stack, 'Managed', { statements: [grants.connectAsPrincipalTagStatement('Database user')] });
    const { PolicyDocument } = onlyResourceOf(stack, 'AWS::IAM::ManagedPolicy').Properties;
    expect(PolicyDocument).toEqual({ Version: '2012-10-17', Statement: statements() });
  });

  test('goes into a permission set', () => {
    new sso.CfnPermissionSet(stack, 'Set', {
      instanceArn: 'i', name: 'support', inlinePolicy: documentOf(importedInto(stack).connectStatement('app')),
    });
    expect(onlyResourceOf(stack, 'AWS::SSO::PermissionSet').Properties.InlinePolicy).toEqual({
      Version: '2012-10-17', Statement: [statement(REGION, ACCOUNT, 'cluster-ABCDEFGHIJKL01234', 'app')],
    });
  });

  test('is a text where the app knows the database', () => {
    const apps = new Stack(app, 'Apps', { env: IRELAND });
    const json = apps.resolve(apps.toJsonString(documentOf(importedInto(apps).connectStatement(
      'app?',
    )))) as { 'Fn::Join': [string, unknown[]] };
    expect(json['Fn::Join'][1].map(part => typeof part === 'string' ? part : 'aws').join('')).toBe(
      '{"Statement":[{"Action":"rds-db:connect","Effect":"Allow",'
      + '"Resource":"arn:aws:rds-db:eu-west-1:111111111111:dbuser:cluster-ABCDEFGHIJKL01234/app${?}"}],'
      + '"Version":"2012-10-17"}');
  });

  test('is another one each time, so that the app may add to it', () => {
    const grants = ConnectGrants.fromCluster(cluster());
    grants.connectStatement('app').addActions('rds-db:*');
    expect(grants.connectStatement('app').actions).toEqual(['rds-db:connect']);
  });

  test('takes a label that is a text, and no token', () => {
    const grants = importedInto(stack);
    expect(
      () => grants.connectStatement('app', { label: new CfnParameter(stack, 'Label').valueAsString }),
    ).toThrow(new Error(
      '[Data/Imported] label is a token, and the access report is written at synthesis; give the text itself'));
    expect(() => grants.connectAsPrincipalTagStatement('User', { label: 1 as never })).toThrow(new Error(
      '[Data/Imported] label is 1, and must be a text; pass a string',
    ));
    expect(() => grants.connectStatement('app', { label: 'permission set Support' })).not.toThrow();
  });

  test('is refused for a username that is none, and where IAM authentication is off', () => {
    expect(
      () => ConnectGrants.fromCluster(cluster()).connectStatement('rdsadmin'),
    ).toThrow('[Data/Cluster] username "rdsadmin" is not allowed');
    expect(
      () => ConnectGrants.fromCluster(cluster(
        new Stack(app, 'Off'),
        { iamAuthentication: false },
      )).connectStatement('app'),
    ).toThrow('iamAuthentication of the cluster is false');
    expect(
      () => ConnectGrants.fromCluster(cluster(
        new Stack(app, 'OffToo'),
        { iamAuthentication: false },
      )).connectAsPrincipalTagStatement('user'),
    )
      .toThrow('iamAuthentication of the cluster is false');
    const token = new CfnParameter(stack, 'Username').valueAsString;
    expect(() => ConnectGrants.fromCluster(cluster(new Stack(app, 'Token'))).connectStatement(token)).toThrow(
      'username is a token, and a * in it would let the grantee sign in as every user; give the username itself');
  });

  test('by a tag is refused for a key that no tag has, and at a proxy', () => {
    const data = cluster();
    expect(
      () => ConnectGrants.fromCluster(data).connectAsPrincipalTagStatement('a*'),
    ).toThrow('[Data/Cluster] tag key "a*" is not one that a principal may have');
    const proxy = data.addProxy('Proxy', { vpc: vpcOf(stack), defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH });
    expect(
      () => ConnectGrants.fromProxy(proxy).connectAsPrincipalTagStatement('user'),
    ).toThrow('[Data/Cluster/Proxy] RDS Proxy supports no condition keys');
  });
});

describe('the size of policies', () => {
  const warnings = (scope: Stack) => Annotations.fromStack(scope).findWarning(
    '*',
    Match.stringLikeRegexp('characters that IAM allows'),
  ).map(({ entry }) => entry.data as string);
  const grant = (grantee: iam.IGrantable, users: number, scope = stack) => {
    const grants = ConnectGrants.fromCluster(cluster(scope));
    Array.from({ length: users }, (_, n) => grants.connect(grantee, `user${String(n).padStart(4, '0')}`));
  };

  test.each<[string, () => iam.IGrantable, string, number, string]>([
    [
      'an IAM user', () => new iam.User(stack, 'It'), 'user Data/It', 10,
      '1580 of the 2048 characters that IAM allows for all inline policies of a user',
    ],
    [
      'a group', () => iam.Group.fromGroupName(stack, 'It', 'it'), 'group Data/It', 25,
      '3950 of the 5120 characters that IAM allows for all inline policies of a group',
    ],
    [
      'an imported role', () => iam.Role.fromRoleName(stack, 'It', 'it'), 'imported role Data/It', 49,
      '7742 of the 10240 characters that IAM allows for all inline policies of a role',
    ],
    [
      'a managed policy', () => new iam.ManagedPolicy(stack, 'It'), 'managed policy Data/It', 30,
      '4740 of the 6144 characters that IAM allows for a managed policy',
    ],
  ])('is warned of once, before it is reached: %s', (_, grantee, name, users, said) => {
    grant(grantee(), users - 1);
    expect(warnings(stack)).toEqual([]);
    stack = new Stack(app = newApp(), 'Data');
    grant(grantee(), users + 5);
    expect(warnings(stack)).toEqual([
      `${name} may sign in as ${users} users by now, which takes about ${said}, and CDK does not split them; `
      + 'grant to a role of this app, or to an iam.ManagedPolicy for each part of the users '
      + '[ack: cdk-aurora-iam-auth:policySize]',
    ]);
  });

  test('allows for more users where CDK writes one statement for them', () => {
    stack = new Stack(app = newApp({ '@aws-cdk/aws-iam:minimizePolicies': true }), 'Data');
    grant(new iam.User(stack, 'It'), 12);
    expect(warnings(stack)).toEqual([]);
  });

  test('of a role of this app is CDK\'s business, which splits it', () => {
    grant(role(), 70);
    expect(warnings(stack)).toEqual([]);
  });
});
