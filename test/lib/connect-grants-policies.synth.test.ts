import { CfnParameter, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sso from 'aws-cdk-lib/aws-sso';
import { ConnectGrants } from '../../lib';
import { IRELAND, onlyResourceOf, vpcOf } from './support';
import {
  ACCOUNT, app, cluster, REGION, RESOURCE_ID, role, stack, startAgain, statement, statements,
} from './connect-grants-support';

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
    startAgain();
    grant(grantee(), users + 5);
    expect(warnings(stack)).toEqual([
      `${name} may sign in as ${users} users by now, which takes about ${said}, and CDK does not split them; `
      + 'grant to a role of this app, or to an iam.ManagedPolicy for each part of the users '
      + '[ack: cdk-aurora-iam-auth:policySize]',
    ]);
  });

  test('allows for more users where CDK writes one statement for them', () => {
    startAgain({ '@aws-cdk/aws-iam:minimizePolicies': true });
    grant(new iam.User(stack, 'It'), 12);
    expect(warnings(stack)).toEqual([]);
  });

  test('of a role of this app is CDK\'s business, which splits it', () => {
    grant(role(), 70);
    expect(warnings(stack)).toEqual([]);
  });
});
