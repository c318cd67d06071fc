import { CfnParameter, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { ConnectGrants } from '../../lib';
import { imported, IRELAND, newApp, onlyResourceOf, resourcesOf } from './support';
import {
  ACCOUNT, app, ASSUMED_BY, cluster, REGION, RESOURCE_ID, role, stack, statement, statements,
} from './connect-grants-support';

function messageOf(code: () => unknown): string {
  try {
    code();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

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
    expect(rest).toEqual([
      'its policies are not managed by this app; pass a role, user or group whose policies this app '
      + 'may change (an imported role: not with mutable: false, and in a stack of its own account); an account, a '
      + 'service or another principal gets in by a role that it may assume',
    ]);
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

  test('is refused if it is a token, which cannot be escaped', () => {
    const parameter = new CfnParameter(stack, 'Username');
    expect(() => ConnectGrants.fromCluster(cluster()).connect(role(), parameter.valueAsString)).toThrow(new Error(
      '[Data/Cluster] username is a token, and a * in it would let the grantee sign in as every user; '
      + 'give the username itself, or grant through a DatabaseUser',
    ));
  });
});
