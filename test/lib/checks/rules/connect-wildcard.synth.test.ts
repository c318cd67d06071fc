import { CfnParameter, Fn, SecretValue, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sso from 'aws-cdk-lib/aws-sso';
import { AuroraIamAuth, ConnectGrants, DatabaseUser } from '../../../../lib';
import { connectWildcard } from '../../../../lib/checks/rules/connect-wildcard';
import { IRELAND, newCluster, newInstance } from '../../support';
import { answer, newStack, resource } from '../support';

const ARN = 'arn:aws:rds-db:eu-west-1:111111111111:dbuser';
const NAMED = `${ARN}:cluster-ABCDEFGHIJKL01234/orders`;

function policy(statement: object, { version = '2012-10-17', stack = newStack() } = {}) {
  new CfnParameter(stack, 'Open');
  return resource(stack, 'It', 'AWS::IAM::ManagedPolicy', {
    PolicyDocument: { Version: version, Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', ...statement }] },
  });
}

const ask = (statement: object) => answer(connectWildcard, policy(statement));

describe('IamAuth-ConnectWildcard', () => {
  test.each([
    ['another action', { Action: 's3:*', Resource: '*' }],
    ['what is denied', { Effect: 'Deny', Resource: '*' }],
    ['what is excepted', { Action: undefined, NotAction: ['rds-db:*'], Resource: '*' }],
  ])('is not about %s', (_, statement) => {
    expect(ask(statement)).toBe('NOT_APPLICABLE');
  });

  test('is not about a resource without policies', () => {
    expect(answer(connectWildcard, resource(newStack(), 'It', 'AWS::S3::Bucket', {}))).toBe('NOT_APPLICABLE');
  });

  test.each([
    ['a user by its name', NAMED],
    ['names with escapes', [`${ARN}:cluster-A/\${*}`, `${ARN}:cluster-A/a\${?}b\${$}`]],
    ['Regions, because a resource id is of one of them', 'arn:*:rds-db:*:*:dbuser:cluster-A/orders'],
    ['part of a name, which is the matter of another rule', `${ARN}:cluster-A/app*`],
    ['a variable, which is the matter of another rule', `${ARN}:cluster-A/\${aws:PrincipalTag/DatabaseUser}`],
    ['another service', 'arn:aws:rds:*:*:db:*'],
    ['the name of a role of the app', Fn.join('', [`${ARN}:cluster-A/`, Fn.ref('Role')])],
  ])('has nothing against %s', (_, Resource) => {
    const stack = newStack();
    resource(stack, 'Role', 'AWS::IAM::Role', {});
    expect(answer(connectWildcard, policy({ Resource }, { stack }))).toBe('COMPLIANT');
  });

  const everything = 'which allows signing in as any IAM user of every database';
  test.each([
    ['everything', { Resource: '*' }, '*', `rds-db:connect is allowed on *, ${everything}`],
    ['every service', { Action: '*', Resource: '*' }, '*', `rds-db:connect is allowed on *, ${everything}`],
    ['actions with a pattern, in any case', { Action: 'RDS-DB:con*', Resource: '*' }, '*',
      `rds-db:connect is allowed on *, ${everything}`],
    ['all but other actions', { Action: undefined, NotAction: 'iam:*', Resource: '*' }, '*',
      `rds-db:connect is allowed on *, ${everything}`],
    ['every database user', { Resource: 'arn:aws:rds-db:*:*:*' }, 'arn:aws:rds-db:*:*:*',
      `rds-db:connect is allowed on arn:aws:rds-db:*:*:*, ${everything}`],
    ['what begins like it', { Resource: 'arn:aws:rds-db:*' }, 'arn:aws:rds-db:*',
      `rds-db:connect is allowed on arn:aws:rds-db:*, ${everything}`],
    ['dbuser:*', { Resource: `${ARN}:*` }, `${ARN}:*`, `rds-db:connect is allowed on ${ARN}:*, ${everything}`],
    ['all users', { Resource: `${ARN}:cluster-A/*` }, 'dbuser:cluster-A/*',
      'rds-db:connect is allowed on dbuser:cluster-A/*, which lets in as every IAM user'],
    ['all databases', { Resource: `${ARN}:*/orders` }, 'dbuser:*/orders',
      'rds-db:connect is allowed on dbuser:*/orders, which lets in to every database whose resource id matches'],
    ['both', { Resource: [`${ARN}:*/*`] }, 'dbuser:*/*',
      'rds-db:connect is allowed on dbuser:*/*, which lets in as every IAM user, and to every database whose resource id matches'],
    ['all but', { Resource: undefined, NotResource: NAMED }, `everything but ${NAMED}`,
      `rds-db:connect is allowed on everything but ${NAMED}, which allows signing in as any IAM user of all other databases`],
    ['a branch of a condition', { Resource: { 'Fn::If': ['Some', NAMED, '*'] } }, '*',
      `rds-db:connect is allowed on *, ${everything}`],
  ])('finds %s', (_, statement, id, description) => {
    expect(ask(statement)).toEqual([{ id, description, location: 'Properties/PolicyDocument/Statement/0' }]);
  });

  test('takes an escape for a wildcard in the old version of the policy language, which has none', () => {
    const Resource = `${ARN}:\${*}/orders`;
    expect(answer(connectWildcard, policy({ Resource }))).toBe('COMPLIANT');
    expect(answer(connectWildcard, policy({ Resource }, { version: '2008-10-17' }))).toMatchObject([
      { id: 'dbuser:${*}/orders' },
    ]);
  });

  test.each([
    ['a parameter', { Resource: Fn.ref('Open') }, '<Open>'],
    ['an import', { Resource: Fn.importValue('Elsewhere') }, '<import of Elsewhere>'],
    ['part of an ARN', { Resource: Fn.sub(`${ARN}:cluster-A/\${Open}`) }, 'dbuser:cluster-A/<Open>'],
    ['a database', { Resource: Fn.sub(`${ARN}:\${Open}/orders`) }, 'dbuser:<Open>/orders'],
    ['a username from a secret',
      { Resource: `${ARN}:cluster-A/${SecretValue.secretsManager('admin', { jsonField: 'username' }).unsafeUnwrap()}` },
      'dbuser:cluster-A/<dynamic reference>'],
    ['an action', { Action: Fn.ref('Open'), Resource: '*' }, '*'],
  ])('cannot tell: %s', (_, statement, id) => {
    expect(ask(statement)).toMatchObject([{ id: `unknown ${id}` }]);
  });

  test('cannot tell of a document that is a parameter', () => {
    const stack = newStack();
    new CfnParameter(stack, 'Open');
    expect(
      answer(
        connectWildcard,
        resource(stack, 'It', 'AWS::IAM::RolePolicy', { RoleName: 'a', PolicyDocument: Fn.ref('Open') }),
      ),
    ).toMatchObject([
      {
        id: 'unknown document',
        description:
          'the policy is known at the deployment only, and must not allow rds-db:connect with a wildcard for the user or the database',
      },
    ]);
  });

  test.each([
    ['inline', 'AWS::IAM::Role',
      { Policies: [{ PolicyName: 'p',
        PolicyDocument: { Statement: { Effect: 'Allow', Action: ['rds-db:connect'], Resource: '*' } } }] },
      'Properties/Policies/0/PolicyDocument/Statement/0'],
    ['of a group', 'AWS::IAM::GroupPolicy',
      { GroupName: 'g', PolicyDocument: { Statement: [{ Effect: 'Allow', Action: ['rds-db:connect'], Resource: '*' }] } },
      'Properties/PolicyDocument/Statement/0'],
    ['in a permission set', 'AWS::SSO::PermissionSet',
      { InlinePolicy: { Statement: [{ Effect: 'Allow', Action: ['rds-db:connect'], Resource: '*' }] } },
      'Properties/InlinePolicy/Statement/0'],
    ['of AWS', 'AWS::IAM::User', { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] },
      'Properties/ManagedPolicyArns'],
    ['of AWS with a partition', 'AWS::IAM::Role',
      { ManagedPolicyArns: [Fn.sub('arn:${AWS::Partition}:iam::aws:policy/PowerUserAccess')] },
      'Properties/ManagedPolicyArns'],
  ])('reads a policy %s', (_, type, properties, location) => {
    expect(answer(connectWildcard, resource(newStack(), 'It', type, properties))).toMatchObject([{ location }]);
  });

  test('says which policy of AWS it is', () => {
    const role = new iam.Role(newStack(), 'It', {
      assumedBy: new iam.AccountRootPrincipal(),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('AdministratorAccess')],
    });
    expect(answer(connectWildcard, role)).toEqual([
      {
        id: 'AdministratorAccess',
        description:
          'the policy AdministratorAccess of AWS allows rds-db:connect on *, which allows signing in as any IAM user of every database',
        location: 'Properties/ManagedPolicyArns',
      },
    ]);
  });

  test('leaves a permissions boundary alone, unless it is a policy as well', () => {
    const stack = newStack();
    const boundary = new iam.ManagedPolicy(stack, 'It', {
      statements: [new iam.PolicyStatement({ actions: ['*'], resources: ['*'] })],
    });
    new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal(), permissionsBoundary: boundary });
    expect(answer(connectWildcard, boundary)).toBe('NOT_APPLICABLE');

    const other = newStack();
    const both = new iam.ManagedPolicy(other, 'It', {
      statements: [new iam.PolicyStatement({ actions: ['*'], resources: ['*'] })],
    });
    new iam.Role(other, 'Role', {
      assumedBy: new iam.AccountRootPrincipal(),
      permissionsBoundary: both,
      managedPolicies: [both],
    });
    expect(answer(connectWildcard, both)).toMatchObject([{ id: '*' }]);
  });

  test('reads the policy of a permission set, as an object and as text with tokens', () => {
    const stack = newStack();
    const cluster = newCluster(stack, 'Cluster', { iamAuthentication: true });
    const permissionSet = (id: string, inlinePolicy: unknown) =>
      new sso.CfnPermissionSet(stack, id, { instanceArn: 'i', name: id, inlinePolicy });
    const named = permissionSet(
      'Named',
      new iam.PolicyDocument({ statements: [ConnectGrants.fromCluster(cluster).connectStatement('orders')] }),
    );
    const tagged = permissionSet(
      'Tagged',
      new iam.PolicyDocument({
        statements: [ConnectGrants.fromCluster(cluster).connectAsPrincipalTagStatement('DatabaseUser')],
      }),
    );
    const wide = permissionSet('Wide', stack.toJsonString({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'rds-db:connect', Resource: `${ARN}:${cluster.clusterResourceIdentifier}/*` },
      ],
    }));
    expect(answer(connectWildcard, named)).toBe('COMPLIANT');
    expect(answer(connectWildcard, tagged)).toBe('COMPLIANT');
    expect(answer(connectWildcard, wide)).toMatchObject([
      { id: expect.stringMatching(/^dbuser:<Cluster\w+\.DBClusterResourceId>\/\*$/) as unknown },
    ]);
  });

  test('knows what this library makes: names, names that the deployment checks, and a grant on an instance', () => {
    const stack = newStack();
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    const username = new CfnParameter(stack, 'Username').valueAsString;
    new DatabaseUser(stack, 'User', { iamAuth, username }).grantConnect(role);
    iamAuth.addUser('a*').grantConnect(role);
    ConnectGrants.fromInstance(newInstance(stack, 'Instance', { iamAuthentication: true })).connect(role, 'orders');
    expect(answer(connectWildcard, role.node.findChild('DefaultPolicy'))).toBe('COMPLIANT');
  });

  test('follows a policy to the stack of its database', () => {
    const data = newStack();
    const service = new Stack(data.node.root, 'Service', { env: IRELAND });
    const role = new iam.Role(service, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    newCluster(data, 'Cluster', { iamAuthentication: true }).grantConnect(role, '*');
    expect(answer(connectWildcard, role.node.findChild('DefaultPolicy'))).toMatchObject([
      { id: expect.stringMatching(/^dbuser:<Cluster\w+\.DBClusterResourceId>\/\*$/) as unknown },
    ]);
  });
});
