import { IamAuthChecks } from '../../../lib';
import { SynthesizedApp } from '../../../lib/checks/app/synthesized-app';
import type { TemplateBody } from '../../../lib/checks/app/template';
import type { Rule } from '../../../lib/checks/rule';
import { RULES } from '../../../lib/checks/rules';
import { authenticationOff } from '../../../lib/checks/rules/authentication-off';
import { connectCondition } from '../../../lib/checks/rules/connect-condition';
import { connectWildcard } from '../../../lib/checks/rules/connect-wildcard';
import { forceSslOff } from '../../../lib/checks/rules/force-ssl-off';
import { masterPasswordModifiable } from '../../../lib/checks/rules/master-password-modifiable';
import { masterSecretReadable } from '../../../lib/checks/rules/master-secret-readable';
import { masterWithPassword } from '../../../lib/checks/rules/master-with-password';
import { provisionerInvocable } from '../../../lib/checks/rules/provisioner-invocable';
import { provisionerWildcard } from '../../../lib/checks/rules/provisioner-wildcard';
import { proxyCannotConnect } from '../../../lib/checks/rules/proxy-cannot-connect';
import { signInErrorsNotExported } from '../../../lib/checks/rules/sign-in-errors-not-exported';
import { unescapedUsername } from '../../../lib/checks/rules/unescaped-username';

type Resources = NonNullable<TemplateBody['Resources']>;

/**
 * What a rule says of resource `It` of a template: `what at location: problem`, with a question mark in front of what
 * it cannot tell.
 */
function ask(rule: Rule, It: object, others: object = {}): string | string[] {
  const app = new SynthesizedApp([
    {
      file: '/cdk.out/Data.template.json',
      stack: { name: 'Data', environment: 'aws://111111111111/eu-west-1', folder: '/cdk.out' },
      body: { Resources: { ...others, It } as Resources },
    },
  ]);
  const answer = rule.check(app.resources.find(({ logicalId }) => logicalId === 'It')!);
  return typeof answer === 'string'
    ? answer
    : answer.map(
        ({ what = '-', unknown, location, problem }) =>
          `${unknown ? '?' : ''}${what} at ${location.replace('Properties/', '')}: ${problem}`,
      );
}

const cluster = (more: object = {}) => ({
  Type: 'AWS::RDS::DBCluster',
  Properties: { Engine: 'aurora-postgresql', ...more },
});
const instance = (more: object = {}) => ({ Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'postgres', ...more } });
const OPEN = { Ref: 'Open' };
const LAMBDA_TRUST = {
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
};
const policy = (statement: object, more: object = {}) => ({
  Type: 'AWS::IAM::Policy',
  Properties: {
    Roles: [{ Ref: 'App' }],
    PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] },
    ...more,
  },
});
const APP_ROLE = { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: LAMBDA_TRUST } };

describe('the rules', () => {
  // Users acknowledge findings by these.
  test('have ids that stay as they are', () => {
    expect(RULES.map(({ id, isWarning }) => `${id}${isWarning ? ', a warning' : ''}`)).toEqual([
      'IamAuth-AuthenticationOff',
      'IamAuth-ConnectWildcard',
      'IamAuth-ConnectCondition, a warning',
      'IamAuth-UnescapedUsername',
      'IamAuth-MasterSecretReadable',
      'IamAuth-MasterPasswordModifiable',
      'IamAuth-ProvisionerInvocable',
      'IamAuth-ProvisionerWildcard, a warning',
      'IamAuth-ProxyCannotConnect',
      'IamAuth-MasterWithPassword',
      'IamAuth-ForceSslOff',
      'IamAuth-SignInErrorsNotExported, a warning',
    ]);
    const checks = new IamAuthChecks();
    expect([checks.name, checks.ruleIds]).toEqual(['IamAuthChecks', RULES.map(({ id }) => id)]);
  });

  test.each(RULES.map(({ id, source, remedy }) => [id, source, remedy]))(
    'say where AWS says so, and what to do: %s',
    (_, source, remedy) => {
      expect(source).toMatch(/^https:\/\/(docs\.aws\.amazon|repost)\.(com|aws)\//);
      expect(remedy).toMatch(/\b(set|apply|grant|take|give|name|leave|allow|use)\b/);
    },
  );
});

describe('IAM authentication', () => {
  const PROPERTY = 'EnableIAMDatabaseAuthentication';
  const off = (said: string) => [
    `- at ${PROPERTY}: ${PROPERTY} is ${said}, so that no user can sign in with IAM, and each signs in with a password`,
  ];
  const ofSnapshot = [
    `?- at ${PROPERTY}: ${PROPERTY} is not set, so that it is what it was in the snapshot, and unless that is true no user can sign in with IAM`,
  ];

  test.each<[string, object, string | string[]]>([
    ['a cluster without it', cluster(), off('not set')],
    ['an instance that turns it off', instance({ [PROPERTY]: false }), off('false')],
    ['a cluster with it', cluster({ [PROPERTY]: true }), 'COMPLIANT'],
    ['a cluster with express configuration', cluster({ WithExpressConfiguration: true }), 'COMPLIANT'],
    ['a cluster with express configuration that turns it off',
      cluster({ WithExpressConfiguration: true, [PROPERTY]: 'false' }), off('false')],
    ['a cluster that may have express configuration', cluster({ WithExpressConfiguration: OPEN }), off('not set')],
    ['a cluster without express configuration', cluster({ WithExpressConfiguration: false }), off('not set')],
    ['a cluster of another engine', cluster({ Engine: 'aurora-mysql' }), 'NOT_APPLICABLE'],
    ['an instance of a cluster', instance({ DBClusterIdentifier: { Ref: 'Cluster' } }), 'NOT_APPLICABLE'],
    ['an instance without an engine', { Type: 'AWS::RDS::DBInstance', Properties: {} }, 'NOT_APPLICABLE'],
    ['something else', { Type: 'AWS::RDS::DBProxy', Properties: { Engine: 'postgres' } }, 'NOT_APPLICABLE'],
    ['a cluster where it is a parameter', cluster({ [PROPERTY]: OPEN }),
      [`?- at ${PROPERTY}: ${PROPERTY} is <Open>, and unless that is true no user can sign in with IAM`]],
    ['a cluster whose engine is a parameter', cluster({ Engine: OPEN }),
      [`?- at Engine: Engine is known at the deployment only, and if it is PostgreSQL, ${PROPERTY} must be true for any user to sign in with IAM`]],
    ...['SnapshotIdentifier', 'SourceDBClusterIdentifier', 'SourceDbClusterResourceId'].map(
      (property): [string, object, string[]] => [`a cluster from ${property}`, cluster({ [property]: 'x' }), ofSnapshot],
    ),
    ...['DBSnapshotIdentifier', 'DBClusterSnapshotIdentifier', 'SourceDbiResourceId',
      'SourceDBInstanceAutomatedBackupsArn'].map(
      (property): [string, object, string[]] => [`an instance from ${property}`, instance({ [property]: 'x' }),
        ofSnapshot],
    ),
    ['a cluster with a property of instances', cluster({ DBSnapshotIdentifier: 'x' }), off('not set')],
    ['an instance with a property of clusters', instance({ SnapshotIdentifier: 'x' }), off('not set')],
  ])('of %s', (_, It, expected) => {
    expect(ask(authenticationOff, It)).toEqual(expected);
  });

  test('of a replica depends on the engine of its source', () => {
    const replica = (source: unknown) => ({
      Type: 'AWS::RDS::DBInstance',
      Properties: { SourceDBInstanceIdentifier: source },
    });
    expect(ask(authenticationOff, replica({ Ref: 'Source' }), { Source: instance() })).toEqual(off('not set'));
    expect(
      ask(authenticationOff, replica({ 'Fn::GetAtt': ['Source', 'DBInstanceArn'] }), {
        Source: instance({ Engine: 'mysql' }),
      }),
    ).toBe('NOT_APPLICABLE');
    expect(ask(authenticationOff, replica('theirs'))).toEqual([expect.stringContaining('?- at Engine')]);
    expect(
      ask(authenticationOff, replica({ Ref: 'Source' }), {
        Source: { Type: 'AWS::RDS::DBCluster', Properties: { Engine: 'mysql' } },
      }),
    ).toEqual([expect.stringContaining('?- at Engine')]);
  });

  test('of a member of a cluster that may be none is asked for', () => {
    expect(ask(authenticationOff, instance({ DBClusterIdentifier: { Ref: 'AWS::NoValue' } }))).toEqual(off('not set'));
  });

  describe('has its errors in a log that is exported', () => {
    const logs = (EnableCloudwatchLogsExports: unknown, more: object = {}) =>
      ask(signInErrorsNotExported, cluster({ [PROPERTY]: true, EnableCloudwatchLogsExports, ...more }));
    const missing = (what: string, unknown = '') => [
      `${unknown}- at EnableCloudwatchLogsExports: EnableCloudwatchLogsExports ${what}, and iam-db-auth-error is the log that names the cause and the caller of a refused sign-in`,
    ];
    test.each<[string, unknown, string | string[]]>([
      ['among others', ['postgresql', 'iam-db-auth-error'], 'COMPLIANT'],
      ['or not', ['postgresql'], missing('has no iam-db-auth-error')],
      ['or none', undefined, missing('has no iam-db-auth-error')],
      ['or one of a parameter', ['postgresql', OPEN], missing('has <Open>', '?')],
      ['or those of a parameter', OPEN, missing('is <Open>', '?')],
      ['beside one of a parameter', [OPEN, 'iam-db-auth-error'], 'COMPLIANT'],
    ])('%s', (_, value, expected) => {
      expect(logs(value)).toEqual(expected);
    });

    test('unless no one signs in with IAM', () => {
      expect([
        logs([], { [PROPERTY]: false }),
        logs([], { [PROPERTY]: OPEN }),
        logs([], { [PROPERTY]: undefined }),
        logs([], { Engine: 'aurora-mysql' }),
        logs([], { Engine: OPEN }),
      ]).toEqual(Array(5).fill('NOT_APPLICABLE'));
    });
  });
});

describe('a master with IAM authentication', () => {
  const RULE = 'a master that signs in with IAM has no password, and RDS is reported to refuse the two together';
  const master = (more: object, type = cluster) =>
    ask(masterWithPassword, type({ MasterUserAuthenticationType: 'iam-db-auth', ...more }));
  test.each<[string, object, string | string[]]>([
    ['without a password', {}, 'COMPLIANT'],
    ['with a password', { MasterUserPassword: 'x' },
      [`- at MasterUserPassword: MasterUserAuthenticationType is iam-db-auth, and MasterUserPassword is set: ${RULE}`]],
    ['with a password of a parameter', { MasterUserPassword: OPEN },
      [`- at MasterUserPassword: MasterUserAuthenticationType is iam-db-auth, and MasterUserPassword is set: ${RULE}`]],
    ['with a password of RDS', { ManageMasterUserPassword: true },
      [`- at ManageMasterUserPassword: MasterUserAuthenticationType is iam-db-auth, and ManageMasterUserPassword is set: ${RULE}`]],
    ['that turns a password of RDS off', { ManageMasterUserPassword: false }, 'COMPLIANT'],
    ['with a password of RDS by a parameter', { ManageMasterUserPassword: OPEN },
      [`?- at ManageMasterUserPassword: whether MasterUserAuthenticationType is iam-db-auth together with ManageMasterUserPassword, is known at the deployment only: ${RULE}`]],
    ['with a password, and one of RDS by a parameter', { MasterUserPassword: 'x', ManageMasterUserPassword: OPEN },
      [expect.stringMatching(/^- at MasterUserPassword/)]],
    ['by a parameter, with a password', { MasterUserAuthenticationType: OPEN, MasterUserPassword: 'x' },
      [`?- at MasterUserPassword: whether MasterUserAuthenticationType is iam-db-auth together with MasterUserPassword, is known at the deployment only: ${RULE}`]],
    ['by a parameter, without a password', { MasterUserAuthenticationType: OPEN }, 'COMPLIANT'],
    ['by a password', { MasterUserAuthenticationType: 'password', MasterUserPassword: 'x' }, 'NOT_APPLICABLE'],
    ['that is not said', { MasterUserAuthenticationType: undefined, MasterUserPassword: 'x' }, 'NOT_APPLICABLE'],
  ])('%s', (_, more, expected) => {
    expect([master(more), master(more, instance)]).toEqual([expected, expected]);
  });

  test('is one of a database', () => {
    expect(
      ask(masterWithPassword, {
        Type: 'Custom::Thing',
        Properties: { MasterUserAuthenticationType: 'iam-db-auth', MasterUserPassword: 'x' },
      }),
    ).toBe('NOT_APPLICABLE');
  });
});

describe('TLS', () => {
  const byDefault = (engine: string, at = 'DBClusterParameterGroupName') => [
    `- at ${at}: rds.force_ssl is not set, and off by default in ${engine}, so that a client with a password can sign in without TLS`,
  ];
  const cannotTell = (why: string, at = 'DBClusterParameterGroupName') => [
    `?- at ${at}: whether rds.force_ssl is on, without which a client with a password can sign in without TLS: ${why}`,
  ];
  const group = (parameters: unknown, Type = 'AWS::RDS::DBClusterParameterGroup') => ({
    Group: { Type, Properties: { Parameters: parameters } },
  });
  const [V16, V17] = [{ EngineVersion: '16.8' }, { EngineVersion: '17.4' }];
  const GROUP = { DBClusterParameterGroupName: { Ref: 'Group' } };
  test.each<[string, object, object, string | string[]]>([
    ['is off by default in a cluster of 16', cluster(V16), {}, byDefault('aurora-postgresql 16.8')],
    ['is on by default in a cluster of 17', cluster(V17), {}, 'COMPLIANT'],
    ['is on by default in a cluster of 17 with the group of AWS',
      cluster({ ...V17, DBClusterParameterGroupName: 'default.aurora-postgresql17' }), {}, 'COMPLIANT'],
    ['is off by default in an instance of 14', instance({ EngineVersion: '14.1' }), {},
      byDefault('postgres 14.1', 'DBParameterGroupName')],
    ['is on by default in an instance of 15', instance({ EngineVersion: '15.1' }), {}, 'COMPLIANT'],
    ...['1', 'on', 'TRUE', 1, true].map((value): [string, object, object, string] => [`is on by ${value}`,
      cluster({ ...V16, ...GROUP }), group({ 'rds.force_ssl': value }), 'COMPLIANT']),
    ['is off by 0', cluster({ ...V17, ...GROUP }), group({ 'rds.force_ssl': '0' }),
      ['- at DBClusterParameterGroupName: rds.force_ssl is 0 in the parameter group, so that a client with a password can sign in without TLS']],
    ['is not known of a parameter', cluster({ ...V17, ...GROUP }), group({ 'rds.force_ssl': OPEN }),
      cannotTell('it is <Open> in parameter group Group')],
    ['is that of the version where the group does not say', cluster({ ...V16, ...GROUP }), group({}),
      byDefault('aurora-postgresql 16.8')],
    ['is that of the version where the group has no parameters', cluster({ ...V17, ...GROUP }), group(undefined),
      'COMPLIANT'],
    ['is that of the group of instances', instance({ EngineVersion: '14.1', DBParameterGroupName: { Ref: 'Group' } }),
      group({ 'rds.force_ssl': '1' }, 'AWS::RDS::DBParameterGroup'), 'COMPLIANT'],
    ['is not known of the group of another app', cluster({ ...V17, DBClusterParameterGroupName: 'theirs' }), {},
      cannotTell('parameter group theirs is not of this app')],
    ['is not known of what is no group', cluster({ ...V17, DBClusterParameterGroupName: { Ref: 'Other' } }),
      { Other: { Type: 'Custom::Group', Properties: {} } }, cannotTell('parameter group <Other> is not of this app')],
    ['is not known without a version', cluster(), {},
      cannotTell('the default depends on the version, and EngineVersion is not set')],
    ['is not known with a version of a parameter', cluster({ EngineVersion: OPEN }), {},
      cannotTell('the default depends on the version, and EngineVersion is <Open>')],
    ['is not known with an engine of a parameter', cluster({ Engine: OPEN, ...V16 }), {},
      cannotTell('the default depends on the version, and Engine is <Open>')],
    ['is not known of what a snapshot has', cluster({ SnapshotIdentifier: 'x' }), {},
      cannotTell('the default depends on the version, and EngineVersion is that of what It is made from')],
    ['is all there is with express configuration', cluster({ WithExpressConfiguration: true }), {}, 'NOT_APPLICABLE'],
    ['is not asked for of another engine', cluster({ Engine: 'aurora-mysql' }), {}, 'NOT_APPLICABLE'],
  ])('%s', (_, It, others, expected) => {
    expect(ask(forceSslOff, It, others)).toEqual(expected);
  });

  test('of a replica in the same Region is that of its source, unless it has a group of its own', () => {
    const replica = (more: object = {}) =>
      instance({ SourceDBInstanceIdentifier: { Ref: 'Source' }, EngineVersion: '14.1', ...more });
    const Source = instance({ EngineVersion: '14.1', DBParameterGroupName: { Ref: 'Group' } });
    const on = group({ 'rds.force_ssl': '1' }, 'AWS::RDS::DBParameterGroup');
    expect(ask(forceSslOff, replica(), { Source, ...on })).toBe('COMPLIANT');
    expect(ask(forceSslOff, replica({ DBParameterGroupName: 'default.postgres14' }), { Source, ...on })).toEqual(
      byDefault('postgres 14.1', 'DBParameterGroupName'),
    );
  });
});

const ARN = 'arn:aws:rds-db:eu-west-1:111111111111:dbuser';
const connect = (Resource: unknown, more: object = {}) => policy({ Action: 'rds-db:connect', Resource, ...more });
const AT = 'at PolicyDocument/Statement/0';

describe('rds-db:connect', () => {
  const EVERYTHING = 'which allows signing in as any IAM user of every database';
  test.each<[string, object, string | string[]]>([
    ['on a user of a database', connect(`${ARN}:cluster-A/ada`), 'COMPLIANT'],
    ['on everything', connect('*'), [`* ${AT}: rds-db:connect is allowed on *, ${EVERYTHING}`]],
    ['on every user of a database', connect(`${ARN}:cluster-A/*`),
      [`dbuser:cluster-A/* ${AT}: rds-db:connect is allowed on dbuser:cluster-A/*, which lets in as every IAM user`]],
    ['on a user of every database', connect(`${ARN}:*/ada`),
      [`dbuser:*/ada ${AT}: rds-db:connect is allowed on dbuser:*/ada, which lets in to every database whose resource id matches`]],
    ['on every user of every database', connect(`${ARN}:*/*`),
      [`dbuser:*/* ${AT}: rds-db:connect is allowed on dbuser:*/*, which lets in as every IAM user, and to every database whose resource id matches`]],
    ['on a part of a name, which is the matter of another rule', connect(`${ARN}:cluster-A/a*`), 'COMPLIANT'],
    ['without a slash', connect(`${ARN}:cluster-A*ada`),
      [`${ARN}:cluster-A*ada ${AT}: rds-db:connect is allowed on ${ARN}:cluster-A*ada, which lets in as every IAM user whose name matches, and to every database whose resource id matches`]],
    ['with a wildcard for the slash', connect(`${ARN}:cluster-A?ada`),
      [`${ARN}:cluster-A?ada ${AT}: rds-db:connect is allowed on ${ARN}:cluster-A?ada, in which a wildcard stands in place of the / between resource id and username`]],
    ['on everything but a user', connect(undefined, { NotResource: `${ARN}:cluster-A/ada` }),
      [`everything but ${ARN}:cluster-A/ada ${AT}: rds-db:connect is allowed on everything but ${ARN}:cluster-A/ada, which allows signing in as any IAM user of all other databases`]],
    ['on everything but every user',
      connect(undefined, { NotResource: ['arn:aws:s3:::*', 'arn:aws:rds-db:*:*:dbuser:*/*'] }), 'COMPLIANT'],
    ['on everything but what a parameter says', connect(undefined, { NotResource: OPEN }),
      [`?everything but <Open> ${AT}: rds-db:connect is allowed on everything but <Open>, which allows signing in as any IAM user of all other databases`]],
    ['on what a parameter says', connect(OPEN),
      [`?<Open> ${AT}: rds-db:connect is allowed on <Open>, which is known at the deployment only, and must not have a wildcard for the user or the database`]],
    ['on a user that a parameter says', connect({ 'Fn::Sub': `${ARN}:cluster-A/\${Open}` }),
      [`?dbuser:cluster-A/<Open> ${AT}: rds-db:connect is allowed on dbuser:cluster-A/<Open>, a part of which is known at the deployment only, and must not be a wildcard`]],
    ['on a database that a parameter says', connect({ 'Fn::Sub': `${ARN}:\${Open}/ada` }),
      [`?dbuser:<Open>/ada ${AT}: rds-db:connect is allowed on dbuser:<Open>/ada, a part of which is known at the deployment only, and must not be a wildcard`]],
    ['on a user that a dynamic reference says', connect(`${ARN}:cluster-A/{{resolve:ssm:/a:b/c}}`),
      [`?dbuser:cluster-A/<dynamic reference> ${AT}: rds-db:connect is allowed on dbuser:cluster-A/<dynamic reference>, a part of which is known at the deployment only, and must not be a wildcard`]],
    ['on a user of which a dynamic reference says a part', connect(`${ARN}:cluster-A/a{{resolve:ssm:x}}b`), 'COMPLIANT'],
    ['on a database that a dynamic reference says', connect(`${ARN}:{{resolve:ssm:x}}/ada`),
      [expect.stringContaining('?dbuser:<dynamic reference>/ada')]],
    ['on a parameter within a dynamic reference', connect({ 'Fn::Sub': `${ARN}:{{resolve:ssm:\${Open}}}/ada` }),
      [expect.stringContaining('?dbuser:<dynamic reference>/ada')]],
    ['on what a dynamic reference says', connect('{{resolve:ssm:x}}'),
      [expect.stringContaining(
        'which is known at the deployment only, and must not have a wildcard for the user or the database',
      )]],
    ['on a user with braces', connect(`${ARN}:cluster-A/a}}`), 'COMPLIANT'],
    ['on every user behind what a parameter says', connect({ 'Fn::Sub': '${Open}:dbuser:cluster-A/*' }),
      [`?<Open>:dbuser:cluster-A/* ${AT}: rds-db:connect is allowed on <Open>:dbuser:cluster-A/*, which is known at the deployment only, and must not have a wildcard for the user or the database`]],
    ['on a user behind what a parameter says', connect({ 'Fn::Sub': '${Open}:dbuser:cluster-A/ada' }), 'COMPLIANT'],
    ['on a part of a name, a part of which is a parameter', connect({ 'Fn::Sub': `${ARN}:cluster-A/\${Open}*` }),
      'COMPLIANT'],
    ['that a parameter may allow', connect('*', { Effect: OPEN }),
      [`?* ${AT}: rds-db:connect is allowed on *, ${EVERYTHING}`]],
    ['that is denied', connect('*', { Effect: 'Deny' }), 'NOT_APPLICABLE'],
    ['of another action', policy({ Action: ['rds-data:*', 'rds-db:connec', 'rds-db:connect?'], Resource: '*' }),
      'NOT_APPLICABLE'],
    ['by an action with wildcards', policy({ Action: 'RDS-DB:Con?ec*', Resource: '*' }),
      [`* ${AT}: rds-db:connect is allowed on *, ${EVERYTHING}`]],
    ['by all actions but others', policy({ NotAction: ['iam:*', 's3:*'], Resource: '*' }),
      [`* ${AT}: rds-db:connect is allowed on *, ${EVERYTHING}`]],
    ['by all actions but itself', policy({ NotAction: 'rds-db:*', Resource: '*' }), 'NOT_APPLICABLE'],
    ['in a document of a parameter', policy({}, { PolicyDocument: OPEN }),
      ['?document at PolicyDocument: the policy is known at the deployment only, and must not allow rds-db:connect with a wildcard for the user or the database']],
    ['in the second statement',
      policy(
        {},
        { PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' },
          { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }] } },
      ),
      [`* at PolicyDocument/Statement/1: rds-db:connect is allowed on *, ${EVERYTHING}`]],
    ['in a statement that is a function',
      policy({}, { PolicyDocument: { Statement: [{ 'Fn::Transform': { Name: 'x' } }] } }),
      [`?<Fn::Transform> ${AT}: rds-db:connect is allowed on <Fn::Transform>, which is known at the deployment only, and must not have a wildcard for the user or the database`]],
  ])('%s', (_, It, expected) => {
    expect(ask(connectWildcard, It)).toEqual(expected);
  });

  test.each<[string, object, string | string[]]>([
    ['without a condition', connect('*'), 'COMPLIANT'],
    ['under a condition',
      connect(`${ARN}:cluster-A/ada`, { Condition: { StringEquals: { 'aws:SourceVpc': 'x', 'aws:username': 'y' },
        IpAddress: { 'aws:SourceVpc': 'x' } } }),
      [`${ARN}:cluster-A/ada ${AT}: rds-db:connect is allowed on ${ARN}:cluster-A/ada under a condition on aws:SourceVpc, aws:username, `
        + 'and IAM database authentication supports no condition keys: expect the statement to let no identity sign in']],
    ['denied under a condition',
      connect('*', { Effect: 'Deny', Condition: { Bool: { 'aws:MultiFactorAuthPresent': false } } }),
      [`* ${AT}: rds-db:connect is denied on * under a condition on aws:MultiFactorAuthPresent, and IAM database authentication supports no condition keys: expect it to deny nothing, or everything`]],
    ['under a condition that is a function', connect('*', { Condition: { 'Fn::If': ['C', {}, {}] } }),
      [expect.stringContaining('under a condition on Fn::If,')]],
    ['under an empty condition', connect('*', { Condition: {} }), 'COMPLIANT'],
    ['that is another action',
      policy({ Action: 's3:*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': true } } }), 'NOT_APPLICABLE'],
    ['in a document of a parameter', policy({}, { PolicyDocument: OPEN }), 'NOT_APPLICABLE'],
  ])('%s has conditions that RDS does not read', (_, It, expected) => {
    expect(ask(connectCondition, It)).toEqual(expected);
  });

  const reads = (username: string, what: string) => [
    `dbuser:cluster-A/${username} ${AT}: rds-db:connect is allowed on dbuser:cluster-A/${username}, ${what}`,
  ];
  const WILDCARD = 'in which IAM reads * and ? as wildcards: it allows signing in as every user whose name matches';
  const variable = (name: string) =>
    `in which IAM reads ${name} as a variable: it allows signing in as the user that the variable names for the caller, and a caller without it cannot sign in`;
  test.each<[string, string | string[]]>([
    ['ada', 'COMPLIANT'],
    ['*', 'COMPLIANT'],
    ['a${*}${?}${$}', 'COMPLIANT'],
    ['${aws:PrincipalTag/user}', 'COMPLIANT'],
    ['a*', reads('a*', WILDCARD)],
    ['?', 'COMPLIANT'],
    ['a?', reads('a?', WILDCARD)],
    ['${aws:username}', reads('${aws:username}', variable('${aws:username}'))],
    ['a-${aws:PrincipalTag/user}', reads('a-${aws:PrincipalTag/user}', variable('${aws:PrincipalTag/user}'))],
    ['$a', 'COMPLIANT'],
    ['${a*}', reads('${a*}', variable('${a*}'))],
    ['${*a}', reads('${*a}', variable('${*a}'))],
    ['a${', 'COMPLIANT'],
    ['{*}', reads('{*}', WILDCARD)],
  ])('on user %s', (username, expected) => {
    expect(ask(unescapedUsername, connect(`${ARN}:cluster-A/${username}`))).toEqual(expected);
  });

  // A variable may be empty, or have all of a name in it: the report has the first of what is said of one resource.
  test('on a user with two variables', () => {
    expect(ask(unescapedUsername, connect(`${ARN}:cluster-A/\${a:b}-\${c:d}`))[0]).toBe(
      reads('${a:b}-${c:d}', variable('${a:b} and ${c:d}'))[0],
    );
  });

  test('on a user of which a part is a parameter', () => {
    expect(ask(unescapedUsername, connect({ 'Fn::Sub': `${ARN}:cluster-A/a-\${Open}` }))).toEqual([
      `?${reads('a-<Open>', 'a part of which is known at the deployment only, and must have no *, ? or ${...}')[0]}`,
    ]);
    expect(ask(unescapedUsername, connect({ 'Fn::Sub': `${ARN}:cluster-A/\${Open}` }))).toBe('COMPLIANT');
    expect(ask(unescapedUsername, connect('*'))).toBe('NOT_APPLICABLE');
    expect(ask(unescapedUsername, connect({ 'Fn::Sub': `${ARN}:cluster-A/\${Open}*` }))).toEqual([
      `?${reads('<Open>*', WILDCARD)[0]}`.replace('?', ''),
    ]);
    expect(ask(unescapedUsername, connect({ 'Fn::Sub': `${ARN}:cluster-A/\${AWS::Region}*` }))).toEqual(
      reads('<Region>*', WILDCARD),
    );
    expect(ask(unescapedUsername, connect(`${ARN}:cluster-A/a*`, { Effect: OPEN }))).toEqual([
      `?${reads('a*', WILDCARD)[0]}`,
    ]);
    expect(ask(unescapedUsername, connect({ 'Fn::Sub': `${ARN}:\${Open}/a*` }))).toEqual([
      `dbuser:<Open>/a* ${AT}: rds-db:connect is allowed on dbuser:<Open>/a*, ${WILDCARD}`,
    ]);
    expect(ask(unescapedUsername, connect({ 'Fn::Sub': '${Open}:dbuser:cluster-A/a*' }))).toEqual([
      expect.stringMatching(/^\?/),
    ]);
    expect(ask(unescapedUsername, policy({}, { PolicyDocument: OPEN }))).toBe('NOT_APPLICABLE');
  });
});

describe('a proxy with IAM authentication', () => {
  const proxy = (more: object = {}) => ({
    Type: 'AWS::RDS::DBProxy',
    Properties: { DefaultAuthScheme: 'IAM_AUTH', RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] }, ...more },
  });
  const targets = (more: object) => ({
    Type: 'AWS::RDS::DBProxyTargetGroup',
    Properties: { DBProxyName: { Ref: 'It' }, ...more },
  });
  const Role = { Type: 'AWS::IAM::Role', Properties: {} };
  const [Cluster, Other, Instance] = [cluster(), cluster(), instance()];
  const ofRole = (Resource: unknown, more: object = {}) =>
    policy({ Action: 'rds-db:connect', Resource, ...more }, { Roles: [{ Ref: 'Role' }] });
  const id = (name: string, attribute = 'DBClusterResourceId') => ({ 'Fn::Sub': `${ARN}:\${${name}.${attribute}}/*` });
  const app = { Role, Cluster, Other, Instance, Targets: targets({ DBClusterIdentifiers: [{ Ref: 'Cluster' }] }) };
  const not = (names: string) => [
    `- at RoleArn: DefaultAuthScheme is IAM_AUTH, and role Role of this proxy has no rds-db:connect on ${names}, so that no client gets through`,
  ];
  const cannotTell = (why: string) => [
    `?- at RoleArn: whether the role of this proxy has rds-db:connect on its database, without which no client gets through: ${why}`,
  ];
  const UNCERTAIN = cannotTell('a policy of role Role is not of this app, or about what only the deployment knows');

  test.each<[string, object, string | string[]]>([
    ['whose role has no policy', {}, not('Cluster')],
    ['whose role may connect to its database', { Policy: ofRole(id('Cluster')) }, 'COMPLIANT'],
    ['whose role may connect to another one', { Policy: ofRole(id('Other')) }, not('Cluster')],
    ['whose role may connect to all clusters', { Policy: ofRole(`${ARN}:cluster-*/*`) }, 'COMPLIANT'],
    ['whose role may connect to all instances', { Policy: ofRole(`${ARN}:db-*/*`) }, not('Cluster')],
    ['whose role may connect to a cluster by its id', { Policy: ofRole(`${ARN}:cluster-ABC/*`) }, UNCERTAIN],
    ['whose role may connect to each cluster', { Policy: ofRole(`${ARN}:cluster-?*/*`) }, 'COMPLIANT'],
    ['whose role may connect to some clusters', { Policy: ofRole(`${ARN}:cluster-?/*`) }, UNCERTAIN],
    ['whose role may connect to what a parameter says', { Policy: ofRole(OPEN) }, UNCERTAIN],
    ['whose role may connect by what a parameter allows', { Policy: ofRole(id('Cluster'), { Effect: OPEN }) }, UNCERTAIN],
    ['whose role has a document of a parameter',
      { Policy: policy({}, { PolicyDocument: OPEN, Roles: [{ Ref: 'Role' }] }) }, UNCERTAIN],
    ['whose role may connect to all but something',
      { Policy: ofRole(undefined, { NotResource: `${ARN}:cluster-ABC/*` }) }, UNCERTAIN],
    ['whose role has a policy of elsewhere',
      { Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: ['arn:aws:iam::111111111111:policy/theirs'] } } },
      UNCERTAIN],
    ['whose role has a policy of AWS that is about something else',
      { Role: { Type: 'AWS::IAM::Role',
        Properties: { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonS3FullAccess'] } } },
      not('Cluster')],
    ['whose policy is of another role',
      { Another: Role,
        Policy: policy({ Action: 'rds-db:connect', Resource: id('Cluster') }, { Roles: [{ Ref: 'Another' }] }) },
      not('Cluster')],
    ['whose policy is of two roles',
      { Another: Role,
        Policy: policy(
          { Action: 'rds-db:connect', Resource: id('Cluster') }, { Roles: [{ Ref: 'Another' }, { Ref: 'Role' }] },
        ) },
      'COMPLIANT'],
    ['whose role has the policy in itself',
      { Role: { Type: 'AWS::IAM::Role',
        Properties: { Policies: [{ PolicyDocument: { Statement: { Effect: 'Allow', Action: 'rds-db:*', Resource: '*' } } }] } } },
      'COMPLIANT'],
    ['whose role has a policy of AWS that is wide',
      { Role: { Type: 'AWS::IAM::Role',
        Properties: { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] } } },
      'COMPLIANT'],
    ['of two databases, one of which its role may not connect to',
      { Targets: targets({ DBClusterIdentifiers: [{ Ref: 'Cluster' }], DBInstanceIdentifiers: [{ Ref: 'Instance' }] }),
        Policy: ofRole(id('Cluster')) },
      not('Instance')],
    ['of an instance',
      { Targets: targets({ DBInstanceIdentifiers: [{ Ref: 'Instance' }] }),
        Policy: ofRole(id('Instance', 'DbiResourceId')) },
      'COMPLIANT'],
    ["of another app's database", { Targets: targets({ DBClusterIdentifiers: ['theirs'] }) },
      cannotTell('its database is not of this app')],
    ['of something that is no database', { Targets: targets({ DBClusterIdentifiers: [{ Ref: 'Role' }] }) },
      cannotTell('its database is not of this app')],
    ['whose targets are of another proxy',
      { Targets: targets({ DBProxyName: { Ref: 'Another' }, DBClusterIdentifiers: [{ Ref: 'Cluster' }] }),
        Another: proxy() },
      cannotTell('its database is not of this app')],
  ])('%s', (_, others, expected) => {
    expect(ask(proxyCannotConnect, proxy(), { ...app, ...others })).toEqual(expected);
  });

  test('is one that is known to have it, and whose role is of the app', () => {
    expect([
      ask(proxyCannotConnect, proxy({ DefaultAuthScheme: 'NONE' }), app),
      ask(proxyCannotConnect, proxy({ DefaultAuthScheme: undefined }), app),
      ask(proxyCannotConnect, { ...proxy(), Type: 'Custom::Proxy' }, app),
    ]).toEqual(['NOT_APPLICABLE', 'NOT_APPLICABLE', 'NOT_APPLICABLE']);
    expect(ask(proxyCannotConnect, proxy({ DefaultAuthScheme: OPEN }), app)).toEqual(
      cannotTell('DefaultAuthScheme is <Open>'),
    );
    expect(ask(proxyCannotConnect, proxy({ RoleArn: 'arn:aws:iam::1:role/r' }), app)).toEqual(
      cannotTell('its role arn:aws:iam::1:role/r is not of this app'),
    );
    expect(ask(proxyCannotConnect, proxy({ RoleArn: { Ref: 'Cluster' } }), app)).toEqual(
      cannotTell('its role <Cluster> is not of this app'),
    );
  });
});

const SECRET = { Ref: 'Secret' };
const reference = (secret: string, rest = ':SecretString:password') => ({
  'Fn::Sub': `{{resolve:secretsmanager:${secret}${rest}}}`,
});
/**
 * A database with a provisioner: the custom resource names the function of the framework, whose environment names the
 * handler.
 */
const STACK = {
  Secret: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
  Cluster: cluster({ MasterUserPassword: reference('${Secret}') }),
  Framework: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Role: { 'Fn::GetAtt': ['FrameworkRole', 'Arn'] },
      Environment: { Variables: { USER_ON_EVENT_FUNCTION_ARN: { 'Fn::GetAtt': ['Handler', 'Arn'] } } },
    },
  },
  FrameworkRole: APP_ROLE,
  Handler: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Role: { 'Fn::GetAtt': ['HandlerRole', 'Arn'] },
      Environment: { Variables: { DATABASE_RESOURCE_ID: 'x', ADMIN_SECRET_ARN: SECRET } },
    },
  },
  HandlerRole: APP_ROLE,
  User: {
    Type: 'Custom::RdsIamUser',
    Properties: {
      ServiceToken: { 'Fn::GetAtt': ['Framework', 'Arn'] },
      Database: { ResourceId: { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] } },
      Username: 'ada',
    },
  },
  App: APP_ROLE,
};
const inPolicyOfSecret = (statement: object, SecretId: unknown = SECRET) => ({
  Type: 'AWS::SecretsManager::ResourcePolicy',
  Properties: {
    SecretId,
    ResourcePolicy: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', ...statement }] },
  },
});

describe('the secret of a master', () => {
  const READ = 'secretsmanager:GetSecretValue';
  const may = (who: string) => `${who} may read the secret <Secret>, with which one signs in to Cluster as its admin`;
  const BIND = ': IAM authentication and the privileges of users do not bind who has that password';
  const managed = (arn: string) => ({ Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: [arn] } });
  const withRotation = {
    Rotation: {
      Type: 'AWS::SecretsManager::RotationSchedule',
      Properties: { RotationLambdaARN: { 'Fn::GetAtt': ['Rotator', 'Arn'] } },
    },
    Rotator: { Type: 'AWS::Lambda::Function', Properties: { Role: { 'Fn::GetAtt': ['RotatorRole', 'Arn'] } } },
    RotatorRole: APP_ROLE,
  };

  test.each<[string, object, string | string[], object?]>([
    ['is read by a role', policy({ Action: READ, Resource: SECRET }), [`<Secret> ${AT}: ${may('App')}${BIND}`]],
    ['is read by two identities',
      policy({ Action: READ, Resource: SECRET }, { Roles: ['app'], Users: [{ Ref: 'Who' }] }),
      [`<Secret> ${AT}: ${may('app, <Who>')}${BIND}`]],
    ['is read by an identity with a policy', policy({ Action: READ, Resource: SECRET }, { Roles: undefined }),
      [`<Secret> ${AT}: ${may('each identity with this policy')}${BIND}`]],
    ['is read through all secrets', policy({ Action: 'secretsmanager:*', Resource: '*' }),
      [`<Secret> ${AT}: ${may('App')}${BIND}`]],
    ['is read by a policy of AWS', managed('arn:aws:iam::aws:policy/SecretsManagerReadWrite'),
      [`<Secret> at ManagedPolicyArns: ${may('It')}, by the policy SecretsManagerReadWrite of AWS${BIND}`]],
    ['is not read by a policy of AWS about something else', managed('arn:aws:iam::aws:policy/AmazonS3FullAccess'),
      'NOT_APPLICABLE'],
    ['is not read by one who may describe it', policy({ Action: 'secretsmanager:DescribeSecret', Resource: SECRET }),
      'NOT_APPLICABLE'],
    ['is not read by one who reads another one', policy({ Action: READ, Resource: { Ref: 'Other' } }), 'COMPLIANT',
      { Other: STACK.Secret }],
    ['is not read by one who is denied it', policy({ Effect: 'Deny', Action: READ, Resource: SECRET }), 'NOT_APPLICABLE'],
    ['may be read through a parameter', policy({ Action: READ, Resource: OPEN }),
      [`?<Secret> ${AT}: whether ${may('App')}, is known at the deployment only`]],
    ['may be read through a document of a parameter', policy({}, { PolicyDocument: OPEN }),
      [`?<Secret> at PolicyDocument: whether ${may('App')}, is known at the deployment only`]],
    ['may be read by what a parameter allows', policy({ Effect: OPEN, Action: READ, Resource: SECRET }),
      [`?<Secret> ${AT}: whether ${may('App')}, is known at the deployment only`]],
    ['is read by the provisioner, which has to',
      policy({ Action: READ, Resource: SECRET }, { Roles: [{ Ref: 'HandlerRole' }] }), 'COMPLIANT'],
    ['is not needed by the framework',
      policy({ Action: READ, Resource: SECRET }, { Roles: [{ Ref: 'FrameworkRole' }] }),
      [`<Secret> ${AT}: ${may('FrameworkRole')}${BIND}`]],
    ['is read by the rotation, which has to',
      policy({ Action: READ, Resource: SECRET }, { Roles: [{ Ref: 'RotatorRole' }] }), 'COMPLIANT', withRotation],
    ['is given to an account by its policy', inPolicyOfSecret({ Principal: { AWS: 'arn:aws:iam::222222222222:root' } }),
      [`<Secret> at ResourcePolicy/Statement/0: ${may('arn:aws:iam::222222222222:root')}${BIND}`]],
    ['is given to a role by its policy', inPolicyOfSecret({ Principal: { AWS: { 'Fn::GetAtt': ['App', 'Arn'] } } }),
      [`<Secret> at ResourcePolicy/Statement/0: ${may('<App.Arn>')}${BIND}`]],
    ['is given to the provisioner and to RDS by its policy',
      inPolicyOfSecret({ Principal: { AWS: { 'Fn::GetAtt': ['HandlerRole', 'Arn'] }, Service: 'rds.amazonaws.com' } }),
      'COMPLIANT'],
    ['is given to all but one by its policy', inPolicyOfSecret({ NotPrincipal: { AWS: 'arn:aws:iam::1:root' } }),
      [`<Secret> at ResourcePolicy/Statement/0: ${may('every principal but arn:aws:iam::1:root')}${BIND}`]],
    ['is not given by the policy of another secret',
      inPolicyOfSecret({ Principal: '*' }, 'arn:aws:secretsmanager:eu-west-1:1:secret:theirs'), 'COMPLIANT'],
    ['may be given by the policy of what a parameter says', inPolicyOfSecret({ Principal: '*' }, OPEN),
      [`?<Secret> at ResourcePolicy/Statement/0: whether ${may('*')}, is known at the deployment only`]],
    ['may be given by a policy of a parameter',
      { Type: 'AWS::SecretsManager::ResourcePolicy', Properties: { SecretId: SECRET, ResourcePolicy: OPEN } },
      [`?<Secret> at ResourcePolicy: whether ${may('a principal')}, is known at the deployment only`]],
    ['is put into a variable',
      { Type: 'AWS::Lambda::Function', Properties: { Environment: { Variables: { PASSWORD: reference('${Secret}') } } } },
      ['<Secret> at Environment/Variables/PASSWORD: the deployment puts the password in the secret <Secret> into Properties/Environment/Variables/PASSWORD, where it can be read; with it one signs in to Cluster as its admin']],
    ['is put into a variable as a whole', { Type: 'Custom::Thing', Properties: { Value: reference('${Secret}', '') } },
      [expect.stringContaining('<Secret> at Value: the deployment puts the password')]],
    ['has a username that may be known',
      { Type: 'Custom::Thing', Properties: { Value: reference('${Secret}', ':SecretString:username') } },
      'NOT_APPLICABLE'],
    ...['host', 'port', 'dbname', 'engine', 'dbClusterIdentifier', 'dbInstanceIdentifier', 'masterarn'].map(
      (key): [string, object, string] => [`has a ${key} that may be known`,
        { Type: 'Custom::Thing', Properties: { Value: reference('${Secret}', `:SecretString:${key}::`) } },
        'NOT_APPLICABLE'],
    ),
    ['is put beside its username',
      { Type: 'Custom::Thing',
        Properties: { Url: { 'Fn::Sub':
              'u={{resolve:secretsmanager:${Secret}:SecretString:username}} p={{resolve:secretsmanager:${Secret}:SecretString:password:AWSCURRENT}} {{resolve:ssm:x}}' } } },
      [expect.stringMatching(/^<Secret> at Url: /)]],
    ['is put into one of several texts',
      { Type: 'Custom::Thing', Properties: { List: [5, null, true, 'a', { Deep: reference('${Secret}') }] } },
      [expect.stringMatching(/^<Secret> at List\/4\/Deep: /)]],
    ['is put into an item that is chosen',
      { Type: 'Custom::Thing', Properties: { Value: { 'Fn::Select': [0, [reference('${Secret}')]] } } },
      [expect.stringMatching(/^<Secret> at Value: /)]],
    ['is put into another property of a database', cluster({ Engine: 'aurora-mysql', Tags: reference('${Secret}') }),
      [expect.stringMatching(/^<Secret> at Tags: /)]],
    ['is put into a property that is named so elsewhere',
      { Type: 'Custom::Thing', Properties: { MasterUserPassword: reference('${Secret}') } },
      [expect.stringMatching(/^<Secret> at MasterUserPassword: /)]],
    ['is named by its whole ARN',
      { Type: 'Custom::Thing',
        Properties: { Value: reference('arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/admin') } },
      [expect.stringMatching(/^<Secret> at Value: /)],
      { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'shop/admin' } } }],
    ['is named by an ARN with the Region of the deployment',
      { Type: 'Custom::Thing',
        Properties: { Value: reference(
          'arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:shop/admin',
        ) } },
      [expect.stringMatching(/^<Secret> at Value: /)],
      { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'shop/admin' } } }],
    ['is named by its attachment', { Type: 'Custom::Thing', Properties: { Value: reference('${Attachment}') } },
      [expect.stringMatching(/^<Secret> at Value: /)],
      { Attachment: { Type: 'AWS::SecretsManager::SecretTargetAttachment', Properties: { SecretId: SECRET } } }],
    ['is another one of the app', { Type: 'Custom::Thing', Properties: { Value: reference('${Other}') } }, 'COMPLIANT',
      { Other: STACK.Secret }],
    ['is read among others', policy({ Action: READ, Resource: [{ Ref: 'Other' }, SECRET] }),
      [`<Secret> ${AT}: ${may('App')}${BIND}`], { Other: STACK.Secret }],
    ['is read by its id', policy({ Action: READ, Resource: { 'Fn::GetAtt': ['Secret', 'Id'] } }),
      [`<Secret> ${AT}: ${may('App')}${BIND}`]],
    ['is read among all others', policy({ Action: READ, NotResource: { Ref: 'Other' } }),
      [`<Secret> ${AT}: ${may('App')}${BIND}`], { Other: STACK.Secret }],
    ['is not read among all others', policy({ Action: READ, NotResource: ['arn:aws:s3:::*', SECRET] }), 'COMPLIANT'],
    ['may be read among all others', policy({ Action: READ, NotResource: [OPEN, { Ref: 'Other' }] }),
      [`?<Secret> ${AT}: whether ${may('App')}, is known at the deployment only`], { Other: STACK.Secret }],
    ["is read by a custom resource's policy",
      { Type: 'Custom::AWS',
        Properties: { PolicyDocument: { Statement: { Effect: 'Allow', Action: READ, Resource: SECRET } } } },
      [`<Secret> at PolicyDocument/Statement: ${may('an identity to which It gives this policy')}${BIND}`.replace(
        'Statement:', 'Statement/0:',
      )]],
    ['may be read in a stack whose template is not here',
      { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'x' } },
      [`?<Secret> at TemplateURL: whether ${may('an identity in the template of this stack')}, is known at the deployment only`]],
    ...(['Role', 'User', 'Group'] as const).map(
      (kind): [string, object, string[], object] => [`is read by a ${kind} that has the policy by its name`,
        { Type: `AWS::IAM::${kind}Policy`,
          Properties: { [`${kind}Name`]: 'known',
            PolicyDocument: { Statement: { Effect: 'Allow', Action: READ, Resource: SECRET } } } },
        [`<Secret> ${AT}: ${may('Named')}${BIND}`],
        { Named: { Type: `AWS::IAM::${kind}`, Properties: { [`${kind}Name`]: 'known' } } }],
    ),
    ['is read by users and groups',
      policy({ Action: READ, Resource: SECRET }, { Roles: undefined, Users: [{ Ref: 'U' }], Groups: ['g'] }),
      [`<Secret> ${AT}: ${may('U, g')}${BIND}`], { U: { Type: 'AWS::IAM::User', Properties: {} } }],
    ['is not another secret', { Type: 'Custom::Thing', Properties: { Value: reference('theirs') } }, 'COMPLIANT',
      { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'ours' } } }],
    ['may be one by name', { Type: 'Custom::Thing', Properties: { Value: reference('ours') } },
      [expect.stringMatching(/^<Secret> at Value/)],
      { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'ours' } } }],
    ['may be what a parameter says', { Type: 'Custom::Thing', Properties: { Value: reference('${Open}') } },
      [expect.stringMatching(/^\?<Secret> at Value: whether the deployment puts/)]],
    ['is the password of its database', cluster({ MasterUserPassword: reference('${Secret}') }), 'NOT_APPLICABLE'],
  ])('%s', (_, It, expected, others = {}) => {
    expect(ask(masterSecretReadable, It, { ...STACK, ...others })).toEqual(expected);
  });

  test('is no matter, if no database has IAM users', () => {
    expect(
      ask(masterSecretReadable, policy({ Action: READ, Resource: SECRET }), {
        Secret: STACK.Secret,
        Cluster: STACK.Cluster,
        App: APP_ROLE,
      }),
    ).toBe('NOT_APPLICABLE');
  });

  const CHANGE = 'secretsmanager:PutSecretValue';
  const set = (who: string, actions: string, what = '<Secret>') =>
    `${who} may call ${actions} on ${what}, and so set, or get at, the password of the master of Cluster`;
  test.each<[string, object, string | string[]]>([
    ['is changed by a role', policy({ Action: CHANGE, Resource: SECRET }), [`<Secret> ${AT}: ${set('App', CHANGE)}`]],
    ['is changed in four ways', policy({ Action: 'secretsmanager:*', Resource: SECRET }),
      [`<Secret> ${AT}: ${set('App', ['PutSecretValue', 'UpdateSecret', 'RotateSecret', 'PutResourcePolicy'].map(action => `secretsmanager:${action}`).join(', '))}`]],
    ['is changed through a wildcard, which is the matter of another rule', policy({ Action: CHANGE, Resource: '*' }),
      'COMPLIANT'],
    ['is changed by the provisioner', policy({ Action: CHANGE, Resource: SECRET }, { Roles: [{ Ref: 'HandlerRole' }] }),
      'COMPLIANT'],
    ['is read, which is the matter of another rule', policy({ Action: READ, Resource: SECRET }), 'NOT_APPLICABLE'],
    ['is that of a database that is modified',
      policy({ Action: 'rds:ModifyDBCluster', Resource: { 'Fn::GetAtt': ['Cluster', 'DBClusterArn'] } }),
      [`<Cluster> ${AT}: ${set('App', 'rds:ModifyDBCluster', '<Cluster>')}`]],
    ['is not that of a database whose instances are modified',
      policy({ Action: 'rds:ModifyDBInstance', Resource: { 'Fn::GetAtt': ['Cluster', 'DBClusterArn'] } }), 'COMPLIANT'],
    ['may be changed by what a parameter allows', policy({ Effect: OPEN, Action: CHANGE, Resource: SECRET }),
      [`?<Secret> ${AT}: whether ${set('App', CHANGE)}`]],
    ['may be changed through a document of a parameter', policy({}, { PolicyDocument: OPEN }),
      ['?document at PolicyDocument: the policy is known at the deployment only, and must not allow rds:ModifyDBCluster or rds:ModifyDBInstance, nor changes of the secret of a master']],
    ['is given to be changed by its policy', inPolicyOfSecret({ Action: CHANGE, Principal: { AWS: '222222222222' } }),
      [`<Secret> at ResourcePolicy/Statement/0: ${set('222222222222', CHANGE)}`]],
    ['is given to all but one by its policy', inPolicyOfSecret({ Action: CHANGE, NotPrincipal: { AWS: '1' } }),
      [`<Secret> at ResourcePolicy/Statement/0: ${set('every principal but 1', CHANGE)}`]],
    ['is given to its own account by its policy',
      inPolicyOfSecret({ Action: CHANGE, Principal: { AWS: { Ref: 'AWS::AccountId' } } }), 'COMPLIANT'],
    ['is given to be read by its policy', inPolicyOfSecret({ Action: READ, Principal: '*' }), 'NOT_APPLICABLE'],
    ['may be given by the policy of what a parameter says', inPolicyOfSecret({ Action: CHANGE, Principal: '*' }, OPEN),
      [`?<Secret> at ResourcePolicy/Statement/0: whether ${set('*', CHANGE)}`]],
    ['may be given by a policy of a parameter',
      { Type: 'AWS::SecretsManager::ResourcePolicy', Properties: { SecretId: SECRET, ResourcePolicy: OPEN } },
      'NOT_APPLICABLE'],
  ])('%s, and so the password', (_, It, expected) => {
    expect(ask(masterPasswordModifiable, It, STACK)).toEqual(expected);
  });

  test('is no matter of a change, if no database has IAM users', () => {
    expect(
      ask(masterPasswordModifiable, policy({ Action: CHANGE, Resource: SECRET }), {
        Secret: STACK.Secret,
        Cluster: STACK.Cluster,
        App: APP_ROLE,
      }),
    ).toBe('NOT_APPLICABLE');
  });
});

describe('the function of the provisioner', () => {
  const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
  const TASK = 'which creates users with the rights of the admin';
  const call = (who: string, actions: string, id: string) =>
    `<${id}> ${AT}: ${who} may call ${actions} on ${id}, ${TASK}`;
  const INVOKE = 'lambda:InvokeFunction';
  const alias = (Name: unknown) => ({
    Alias: { Type: 'AWS::Lambda::Alias', Properties: { FunctionName: { Ref: 'Handler' }, Name } },
  });
  const enabling = {
    Enabler: {
      Type: 'AWS::Lambda::Function',
      Properties: { Environment: { Variables: { DATABASE_RESOURCE_ID: 'x' } } },
    },
    Enable: { Type: 'Custom::RdsIamAuthentication', Properties: { ServiceToken: arn('Enabler') } },
  };
  test.each<[string, object, string | string[], object?]>([
    ['is called by a role', policy({ Action: INVOKE, Resource: arn('Handler') }), [call('App', INVOKE, 'Handler')]],
    ['is called behind the framework',
      policy({ Action: INVOKE, Resource: [arn('Framework'), { 'Fn::Sub': '${Framework.Arn}:*' }] }),
      [call('App', INVOKE, 'Framework')]],
    ['is changed by a role',
      policy({ Action: ['lambda:Update*', 'lambda:AddPermission', 'lambda:Create*', 'lambda:InvokeAsync'],
        Resource: arn('Handler') }),
      [call(
        'App',
        'lambda:InvokeAsync, lambda:UpdateFunctionCode, lambda:UpdateFunctionConfiguration, lambda:AddPermission, lambda:CreateEventSourceMapping, lambda:UpdateEventSourceMapping, lambda:CreateFunctionUrlConfig',
        'Handler',
      )]],
    ['is called by the roles of the library',
      policy(
        { Action: INVOKE, Resource: arn('Handler') }, { Roles: [{ Ref: 'FrameworkRole' }, { Ref: 'HandlerRole' }] },
      ),
      'COMPLIANT'],
    ['is called through a wildcard, which is the matter of another rule', policy({ Action: INVOKE, Resource: '*' }),
      'COMPLIANT'],
    ['is looked at', policy({ Action: 'lambda:GetFunction', Resource: arn('Handler') }), 'NOT_APPLICABLE'],
    ['may be called by what a parameter allows', policy({ Effect: OPEN, Action: INVOKE, Resource: arn('Handler') }),
      [`?<Handler> ${AT}: whether App may call ${INVOKE} on Handler, ${TASK}`]],
    ['may be called through a document of a parameter', policy({}, { PolicyDocument: OPEN }),
      ['?document at PolicyDocument: the policy is known at the deployment only, and must not allow lambda:InvokeFunction or a change of the functions that create users']],
    ...['plan', 'drift', 'expiry'].map(
      (name): [string, object, string, object] => [`is called by alias ${name}, by which it creates no user`,
        policy({ Action: INVOKE, Resource: { Ref: 'Alias' } }), 'COMPLIANT', alias(name)],
    ),
    ['is called by another alias', policy({ Action: INVOKE, Resource: { Ref: 'Alias' } }),
      [call('App', INVOKE, 'Handler')], alias('live')],
    ['is called by an alias that a parameter names', policy({ Action: INVOKE, Resource: { Ref: 'Alias' } }),
      [call('App', INVOKE, 'Handler')], alias(OPEN)],
    ['is called by such an alias and by itself',
      policy({ Action: INVOKE, Resource: [{ Ref: 'Alias' }, arn('Handler')] }), [call('App', INVOKE, 'Handler')],
      alias('plan')],
    ['that enables IAM authentication is called', policy({ Action: INVOKE, Resource: arn('Enabler') }),
      [`<Enabler> ${AT}: App may call ${INVOKE} on Enabler, which enables IAM authentication`], enabling],
    ['is called by a service',
      { Type: 'AWS::Lambda::Permission',
        Properties: { FunctionName: arn('Handler'), Action: INVOKE, Principal: 's3.amazonaws.com' } },
      [`<Handler> at FunctionName: AWS::Lambda::Permission lets s3.amazonaws.com call Handler, ${TASK}`]],
    ['is called by its name',
      { Type: 'AWS::Lambda::Permission',
        Properties: { FunctionName: { Ref: 'Framework' }, Action: INVOKE, Principal: '*' } },
      [`<Framework> at FunctionName: AWS::Lambda::Permission lets * call Framework, ${TASK}`]],
    ['is called by its URL',
      { Type: 'AWS::Lambda::Url', Properties: { TargetFunctionArn: arn('Handler'), AuthType: 'NONE' } },
      [`<Handler> at TargetFunctionArn: AWS::Lambda::Url lets any caller that has its URL call Handler, ${TASK}`]],
    ['is called by a queue',
      { Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { FunctionName: { Ref: 'Handler' }, EventSourceArn: 'arn:aws:sqs:eu-west-1:1:q' } },
      [`<Handler> at FunctionName: AWS::Lambda::EventSourceMapping lets arn:aws:sqs:eu-west-1:1:q call Handler, ${TASK}`]],
    ['may be called by what a parameter names',
      { Type: 'AWS::Lambda::Url', Properties: { TargetFunctionArn: OPEN, AuthType: 'NONE' } },
      ['Framework', 'Handler'].map(
        id =>
          `?<${id}> at TargetFunctionArn: whether AWS::Lambda::Url lets any caller that has its URL call ${id}, ${TASK}`,
      )],
    ['is called by two', policy({ Action: INVOKE, Resource: arn('Handler') }, { Roles: [{ Ref: 'App' }, 'other'] }),
      [call('App, other', INVOKE, 'Handler')]],
    ['is called through all but others', policy({ Action: INVOKE, NotResource: arn('App') }), 'COMPLIANT'],
    ['is called by a version', policy({ Action: INVOKE, Resource: { Ref: 'Version' } }),
      [call('App', INVOKE, 'Handler')],
      { Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Handler' } } } }],
    ['is not called by a version of another one', policy({ Action: INVOKE, Resource: { Ref: 'Version' } }), 'COMPLIANT',
      { Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Theirs' } } },
        Theirs: enabling.Enabler }],
    ['may be called by a version of a function of elsewhere',
      { Type: 'AWS::Lambda::Permission', Properties: { FunctionName: { Ref: 'Version' }, Principal: '*' } },
      'COMPLIANT', { Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: 'theirs' } } }],
    ["is called by its version's attribute",
      policy({ Action: INVOKE, Resource: { 'Fn::GetAtt': ['Alias', 'AliasArn'] } }), [call('App', INVOKE, 'Handler')],
      alias('plan')],
    ['has an event source that is not said',
      { Type: 'AWS::Lambda::EventSourceMapping', Properties: { FunctionName: { Ref: 'Handler' } } },
      [`<Handler> at FunctionName: AWS::Lambda::EventSourceMapping lets a self-managed event source call Handler, ${TASK}`]],
    ['may be called by a policy of a parameter', { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: [OPEN] } },
      ['?<Open> at ManagedPolicyArns: the managed policy <Open> is known at the deployment only, and must not allow lambda:InvokeFunction or a change of the functions that create users']],
    ['may be called in a stack whose template is not here',
      { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'x' } },
      ['?template at TemplateURL: the template of this stack is not JSON that is known at synthesis, and must not allow lambda:InvokeFunction or a change of the functions that create users']],
    ['is not another function',
      { Type: 'AWS::Lambda::Permission', Properties: { FunctionName: 'theirs', Principal: '*' } }, 'COMPLIANT'],
    ['is not another function of the app',
      { Type: 'AWS::Lambda::Permission', Properties: { FunctionName: { Ref: 'Enabler' }, Principal: '*' } },
      'COMPLIANT', { Enabler: enabling.Enabler }],
    ['is called by its name as a text',
      { Type: 'AWS::Lambda::Permission', Properties: { FunctionName: 'ours', Action: INVOKE, Principal: '*' } },
      [`<Framework> at FunctionName: AWS::Lambda::Permission lets * call Framework, ${TASK}`],
      { Framework: { ...STACK.Framework, Properties: { ...STACK.Framework.Properties, FunctionName: 'ours' } } }],
  ])('%s', (_, It, expected, others = {}) => {
    expect(ask(provisionerInvocable, It, { ...STACK, ...others })).toEqual(expected);
  });

  test('is no matter, if there is none', () => {
    expect(
      ask(provisionerInvocable, {
        Type: 'AWS::Lambda::Url',
        Properties: { TargetFunctionArn: OPEN, AuthType: 'NONE' },
      }),
    ).toBe('NOT_APPLICABLE');
    expect(ask(provisionerWildcard, policy({ Action: '*', Resource: '*' }), { App: APP_ROLE })).toBe('NOT_APPLICABLE');
  });

  test.each<[string, object, unknown]>([
    ['by all functions', policy({ Action: INVOKE, Resource: '*' }),
      [`* ${AT}: App may call or change <Framework>, ${TASK}, and 1 more of the kind: ${INVOKE} is allowed on *`]],
    ['by everything', policy({ Action: ['lambda:InvokeFunction', 'rds:*'], Resource: '*' }),
      [`* ${AT}: App may call or change <Framework>, ${TASK}, and 2 more of the kind: lambda:InvokeFunction, rds:ModifyDBCluster are allowed on *`]],
    ['by the database alone', policy({ Action: 'rds:ModifyDBCluster', Resource: 'arn:aws:rds:*:*:cluster:*' }),
      [`arn:aws:rds:*:*:cluster:* ${AT}: App may set the password of the master of Cluster by <Cluster>: rds:ModifyDBCluster is allowed on arn:aws:rds:*:*:cluster:*`]],
    ['by names that may be theirs',
      policy({ Action: INVOKE, Resource: 'arn:aws:lambda:*:*:function:Data-Handler-AB*' }),
      [`?arn:aws:lambda:*:*:function:Data-Handler-AB* ${AT}: whether App may call or change <Handler>, ${TASK}: ${INVOKE} is allowed on arn:aws:lambda:*:*:function:Data-Handler-AB*`]],
    ['by what a parameter allows', policy({ Effect: OPEN, Action: INVOKE, Resource: '*' }),
      [expect.stringContaining(`?* ${AT}: whether App may call or change <Framework>`)]],
    ['by name, which is the matter of another rule',
      policy({ Action: INVOKE, Resource: [arn('Handler'), arn('Framework')] }), 'COMPLIANT'],
    ['by the roles of the library', policy({ Action: '*', Resource: '*' }, { Roles: [{ Ref: 'HandlerRole' }] }),
      'COMPLIANT'],
    ['by a document of a parameter, which is the matter of another rule', policy({}, { PolicyDocument: OPEN }),
      'NOT_APPLICABLE'],
    ['by another service', policy({ Action: 's3:*', Resource: '*' }), 'NOT_APPLICABLE'],
    ...['Data-Handler?*', 'Data-Handler*?', 'Data-Handle??*?', '*?'].map(
      (name): [string, object, unknown[]] => [`by ${name}, which takes a name of any length`,
        policy({ Action: INVOKE, Resource: `arn:aws:lambda:*:*:function:${name}` }),
        [expect.stringMatching(/^arn:.*: App may call or change <(Handler|Framework)>/)]],
    ),
    ...['Data-Handler?', 'Data-Handler-????', 'Data-Handler?b*'].map(
      (name): [string, object, unknown[]] => [`by ${name}, which takes some names`,
        policy({ Action: INVOKE, Resource: `arn:aws:lambda:*:*:function:${name}` }),
        [expect.stringMatching(/^\?arn:.*: whether App may call or change <(Handler|Framework)>/)]],
    ),
    ['by the parameter of a name',
      policy({ Action: INVOKE, Resource: { 'Fn::Sub': 'arn:aws:lambda:*:*:function:${Open}' } }),
      [expect.stringMatching(/^\?arn/)]],
    ['by other functions', policy({ Action: INVOKE, Resource: 'arn:aws:lambda:*:*:function:orders-*' }), 'COMPLIANT'],
    ['by a policy of AWS',
      { Type: 'AWS::IAM::Role',
        Properties: { ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaRole'] } },
      [`AWSLambdaRole at ManagedPolicyArns: It may call or change <Framework>, ${TASK}, and 1 more of the kind: ${INVOKE} is allowed on *`]],
  ])('is reached by a wildcard: %s', (_, It, expected) => {
    expect(ask(provisionerWildcard, It, STACK)).toEqual(expected);
  });
});

// By the reference of AWS managed policies: what each of them allows of what the rules ask about.
describe('a policy of AWS', () => {
  const SECRET_OF_CLUSTER = {
    Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'rds-db-credentials/shop' } },
  };
  const EACH = { read: masterSecretReadable, wildcard: provisionerWildcard, connect: connectWildcard };
  const found = (name: string, others: object = {}) => Object.entries(EACH).flatMap(([key, rule]) => {
    const answer = ask(
      rule,
      { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: [`arn:aws:iam::aws:policy/${name}`] } },
      { ...STACK, ...others },
    );
    return typeof answer === 'string'
      ? []
      : answer.map(text =>
          key === 'wildcard'
            ? `${text.includes('call or change') ? 'function' : 'master'}: ${/: ([^:]*(?::[^:]*)*) (?:is|are) allowed on/.exec(text)![1].split(': ').at(-1)!}`
            : key,
        );
  });
  const FUNCTIONS = [
    'InvokeFunction',
    'InvokeAsync',
    'UpdateFunctionCode',
    'UpdateFunctionConfiguration',
    'AddPermission',
    'CreateEventSourceMapping',
    'UpdateEventSourceMapping',
    'CreateFunctionUrlConfig',
  ].map(action => `lambda:${action}`);
  const SECRETS = ['PutSecretValue', 'UpdateSecret', 'RotateSecret', 'PutResourcePolicy'].map(
    action => `secretsmanager:${action}`,
  );
  const ALL = `function: ${[...FUNCTIONS, 'rds:ModifyDBCluster', ...SECRETS].join(', ')}`;
  const WORKER
    = 'lambda:InvokeFunction, lambda:UpdateFunctionCode, lambda:UpdateFunctionConfiguration, lambda:CreateEventSourceMapping, lambda:UpdateEventSourceMapping, lambda:CreateFunctionUrlConfig';
  test.each<[string, string[]]>([
    ['AdministratorAccess', ['read', ALL, 'connect']],
    ['PowerUserAccess', ['read', ALL, 'connect']],
    ['AIDevOpsAgentActionsPolicy', ['read', ALL, 'connect']],
    ['ConsoleFullAccessFromVercel', ['master: rds:ModifyDBCluster', 'connect']],
    ['SecretsManagerReadWrite', ['read', `master: ${SECRETS.join(', ')}`]],
    ['AWSSecretsManagerClientReadOnlyAccess', ['read']],
    ['AmazonRDSFullAccess', ['master: rds:ModifyDBCluster']],
    ['job-function/DatabaseAdministrator', ['function: lambda:CreateEventSourceMapping, rds:ModifyDBCluster']],
    ['job-function/DataScientist', [`function: ${WORKER}, rds:ModifyDBCluster`]],
    ['job-function/SystemAdministrator', [`function: ${WORKER}`]],
    ['AWSLambda_FullAccess', [`function: ${FUNCTIONS.join(', ')}`]],
    ['service-role/AWSLambdaRole', ['function: lambda:InvokeFunction']],
    ['AmazonRDSReadOnlyAccess', []],
  ])('%s', (name, expected) => {
    expect(
      found(name).map(text =>
        text.replace(
          /.*: (lambda|rds|secretsmanager):/,
          (whole, service: string) => `${whole.split(':')[0]}: ${service}:`,
        ),
      ),
    ).toEqual(expected);
  });

  test('AmazonRDSDataFullAccess, about secrets of query editors alone', () => {
    expect(found('AmazonRDSDataFullAccess', SECRET_OF_CLUSTER)).toEqual([
      'read',
      expect.stringMatching(/^master: .*secretsmanager:PutSecretValue, secretsmanager:PutResourcePolicy$/),
    ]);
    expect(
      found('AmazonRDSDataFullAccess', {
        Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'shop' } },
      }),
    ).toEqual([]);
  });
});

describe('the password of a master', () => {
  const reads = (Resource: unknown, others: object) =>
    ask(masterSecretReadable, policy({ Action: 'secretsmanager:GetSecretValue', Resource }), { ...STACK, ...others });
  const user = (Resource: unknown, Type = 'AWS::RDS::DBCluster') => ({
    User: connect(Resource),
    Handler: APP_ROLE,
    Type,
  });
  const managed = { 'Fn::GetAtt': ['Cluster', 'MasterUserSecret.SecretArn'] };
  const FOUND = (what: string): unknown[] => [expect.stringMatching(new RegExp(`^${what} at .*: App may read`))];
  const WITHOUT = { User: connect({ 'Fn::Sub': `${ARN}:\${Cluster.DBClusterResourceId}/ada` }) };

  test('is in the secret that RDS manages, if it does', () => {
    const secret = '<Cluster.MasterUserSecret.SecretArn>';
    expect(reads(managed, { ...WITHOUT, Cluster: cluster({ ManageMasterUserPassword: true }) })).toEqual(FOUND(secret));
    expect(reads(managed, { ...WITHOUT, Cluster: cluster({ ManageMasterUserPassword: OPEN }) })).toEqual(FOUND(secret));
    expect(reads(managed, { ...WITHOUT, Cluster: cluster({ ManageMasterUserPassword: false }) })).toBe(
      'NOT_APPLICABLE',
    );
    expect(reads(managed, { ...WITHOUT, Cluster: cluster({ MasterUserPassword: 'text' }) })).toBe('NOT_APPLICABLE');
    expect(
      reads(SECRET, {
        ...WITHOUT,
        Cluster: cluster({ ManageMasterUserPassword: true, MasterUserPassword: reference('${Secret}') }),
      }),
    ).toEqual('COMPLIANT');
  });

  test('is in the secret that it refers to, by an attachment or by name', () => {
    const Attachment = { Type: 'AWS::SecretsManager::SecretTargetAttachment', Properties: { SecretId: SECRET } };
    expect(
      reads(SECRET, { ...WITHOUT, Attachment, Cluster: cluster({ MasterUserPassword: reference('${Attachment}') }) }),
    ).toEqual(FOUND('<Secret>'));
    expect(
      reads('arn:aws:secretsmanager:eu-west-1:1:secret:shop-??????', {
        ...WITHOUT,
        Cluster: cluster({ MasterUserPassword: reference('shop') }),
      }),
    ).toEqual(FOUND('shop'));
    expect(
      reads('arn:aws:secretsmanager:eu-west-1:1:secret:other', {
        ...WITHOUT,
        Cluster: cluster({ MasterUserPassword: reference('shop') }),
      }),
    ).toBe('COMPLIANT');
  });

  test('is that of an instance, if users sign in there', () => {
    const Instance = instance({ MasterUserPassword: reference('${Secret}') });
    const granted = (Resource: unknown) => reads(SECRET, { ...user(Resource), Cluster: cluster(), Instance });
    expect(granted({ 'Fn::Sub': `${ARN}:\${Instance.DbiResourceId}/ada` })).toEqual(FOUND('<Secret>'));
    expect([granted({ 'Fn::Sub': `${ARN}:\${Instance}/ada` }), granted(`${ARN}:db-X/ada`)]).toEqual([
      'NOT_APPLICABLE',
      'NOT_APPLICABLE',
    ]);
  });

  test('is that of the admin of a database of another app', () => {
    expect(
      reads(SECRET, {
        Cluster: cluster(),
        User: { ...STACK.User, Properties: { ...STACK.User.Properties, Database: { ResourceId: 'cluster-X' } } },
      }),
    ).toEqual([expect.stringContaining('with which one signs in to cluster-X as its admin')]);
  });

  test('is no one\'s, if the admin signs in with a token', () => {
    const Handler = {
      Type: 'AWS::Lambda::Function',
      Properties: { Environment: { Variables: { DATABASE_RESOURCE_ID: 'x', ADMIN_USERNAME: 'admin' } } },
    };
    expect(reads(SECRET, { Cluster: cluster(), Handler })).toBe('NOT_APPLICABLE');
  });

  test.each<[string, object, boolean]>([
    ['AWSSecretsManagerGetSecretValuePolicy', { SecretArn: SECRET }, true],
    ['AWSSecretsManagerGetSecretValuePolicy', { SecretArn: { Ref: 'Other' } }, false],
    ['AWSSecretsManagerRotationPolicy', { FunctionName: 'f' }, true],
    ['DynamoDBReadPolicy', {}, false],
  ])('is read by the policy template %s of AWS SAM with %j: %s', (name, parameters, isRead) => {
    const answer = (Type: string) =>
      ask(
        masterSecretReadable,
        { Type, Properties: { Policies: [{ [name]: parameters }] } },
        { ...STACK, Other: STACK.Secret },
      );
    expect(
      ['AWS::Serverless::Function', 'AWS::Serverless::StateMachine'].map(type => Array.isArray(answer(type))),
    ).toEqual([isRead, isRead]);
  });

  test('in an output is found there', () => {
    const app = new SynthesizedApp([
      {
        file: '/x',
        stack: { name: 'Data', environment: 'aws://1/eu-west-1', folder: '/' },
        body: {
          Resources: STACK,
          Outputs: { Out: { Value: reference('${Secret}') } },
          Parameters: { In: { Default: reference('${Secret}') } },
        },
      },
    ]);
    expect(
      app.declarations
        .map(declaration => masterSecretReadable.check(declaration))
        .flat()
        .map(each => (typeof each === 'string' ? each : each.location)),
    ).toEqual(['Value', 'Default']);
  });
});

test('a username that the deployment checks may be a part of a statement', () => {
  const User = { Type: 'Custom::RdsIamUser', Properties: { PolicyUsername: OPEN } };
  expect(ask(connectWildcard, connect({ 'Fn::Sub': `${ARN}:cluster-A/\${Open}` }), { User })).toBe('COMPLIANT');
  expect(ask(connectWildcard, connect({ 'Fn::Sub': `${ARN}:cluster-A/\${Other}` }), { User })).toEqual([
    expect.stringMatching(/^\?dbuser:cluster-A\/<Other>/),
  ]);
  expect(
    ask(connectWildcard, connect({ 'Fn::Sub': `${ARN}:cluster-A/\${Open}` }), {
      User: { ...User, Properties: { Username: OPEN } },
    }),
  ).toEqual([expect.stringMatching(/^\?dbuser:cluster-A\/<Open>/)]);
});
