import { Aws, CfnParameter, Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import {
  AdminCredentials, AuroraIamAuth, AuroraIamAuthProps, ConnectGrants, DatabaseRole, DatabaseUser, DatabaseUsers, Endpoint, InstanceIamAuth,
  OnRemoval, Privileges, SqlTransport, TablePrivilege,
} from '../../lib';
import { answer, Case } from './case';
import { newCluster, newInstance, vpcOf } from './support';

const any = (value: unknown) => value as never;
const other = ({ stack }: Case, props: Partial<AuroraIamAuthProps>) =>
  new AuroraIamAuth(stack, 'A', { cluster: newCluster(stack, 'Other'), ...props });
const TEXT = 'and must be a text; pass a string';
const CLUSTER = 'a rds.DatabaseCluster, or rds.DatabaseCluster.fromDatabaseClusterAttributes(...)';
const INSTANCE = 'a rds.DatabaseInstance, or rds.DatabaseInstance.fromDatabaseInstanceAttributes(...)';
const PROXY = 'a rds.DatabaseProxy, or rds.DatabaseProxy.fromDatabaseProxyAttributes(...)';
const OWN = 'and must be a value of this library; pass';

type Mistakes = [string, (one: Case) => unknown, string][];

/** Before, each was a TypeError, or the default without a word. */
const NAMES: Mistakes = [
  ['a user', ({ stack, iamAuth }) => new DatabaseUser(stack, 'U', any({ iamAuth })), `[S/U] username is undefined, ${TEXT}`],
  ['a group role', ({ stack, iamAuth }) => new DatabaseRole(stack, 'R', any({ iamAuth })), `[S/R] role name is undefined, ${TEXT}`],
  ['a user that is created elsewhere', ({ stack, cluster }) => DatabaseUser.fromUsername(stack, 'U', any({ cluster })),
    `[S/U] username is undefined, ${TEXT}`],
  ['a role that is managed elsewhere', ({ stack }) => DatabaseRole.fromRoleName(stack, 'R', any(undefined)), `[S] roleName is undefined, ${TEXT}`],
  ['whom to connect as', ({ iamAuth, cluster, role }) => [iamAuth, ConnectGrants.fromCluster(cluster).connect(role, any(5))],
    `[S/Cluster] username is 5, ${TEXT}`],
  ['whom a statement is about', ({ iamAuth, cluster }) => [iamAuth, ConnectGrants.fromCluster(cluster).connectStatement(any(undefined))],
    `[S/Cluster] username is undefined, ${TEXT}`],
  ['a tag', ({ iamAuth, cluster, role }) => [iamAuth, ConnectGrants.fromCluster(cluster).connectAsPrincipalTag(role, any(undefined))],
    `[S/Cluster] tag key is undefined, ${TEXT}`],
  ['the admin', () => AdminCredentials.fromIam(any(undefined)), `username of the admin is undefined, ${TEXT}`],
  ['the owner of the registry', one => other(one, { registryOwner: any(5) }), `[S/A] registryOwner is 5, ${TEXT}`],
  ['who may be locked out', ({ iamAuth }) => iamAuth.restrictPublic({ database: 'shop', connect: true, lockOut: [any(undefined)] }),
    `[S/IamAuth] a name in lockOut is undefined, ${TEXT}`],
  ['a construct for who may be locked out',
    ({ iamAuth }) => iamAuth.restrictPublic({ database: 'shop', connect: true, lockOut: [any(iamAuth.addUser('a'))] }),
    `[S/IamAuth] a name in lockOut is the construct S/IamAuth/a, ${TEXT}`],
];

const OBJECT = 'and must be an object; pass { ... }';

const MISSING: Mistakes = [
  ['props of a cluster', ({ stack }) => new AuroraIamAuth(stack, 'A', any(undefined)), `[S/A] props is undefined, ${OBJECT}`],
  ['props of an instance', ({ stack }) => new InstanceIamAuth(stack, 'A', any(undefined)), `[S/A] props is undefined, ${OBJECT}`],
  ['props of a user', ({ stack }) => new DatabaseUser(stack, 'A', any(undefined)), `[S/A] props is undefined, ${OBJECT}`],
  ['props of users', ({ stack }) => new DatabaseUsers(stack, 'A', any(undefined)), `[S/A] props is undefined, ${OBJECT}`],
  ['props of a group role', ({ stack }) => new DatabaseRole(stack, 'A', any(undefined)), `[S/A] props is undefined, ${OBJECT}`],
  ['attributes of a user', ({ stack }) => DatabaseUser.fromUsername(stack, 'A', any(undefined)), `[S/A] attributes is undefined, ${OBJECT}`],
  ['options of a user', ({ iamAuth }) => iamAuth.addUser('a', any(null)), `[S/IamAuth] options is null, ${OBJECT}`],
  ['options of a group role', ({ iamAuth }) => iamAuth.addRole('a', any('readers')), `[S/IamAuth] options is "readers", ${OBJECT}`],
  ['options of alarms', ({ iamAuth }) => iamAuth.addAlarms(any(null)), `[S/IamAuth] options is null, ${OBJECT}`],
  ['what PUBLIC loses', ({ iamAuth }) => iamAuth.restrictPublic(any(undefined)), `[S/IamAuth] options is undefined, ${OBJECT}`],
  ['when to check', ({ iamAuth }) => iamAuth.checkDrift(any(undefined)), `[S/IamAuth/Provisioner] options is undefined, ${OBJECT}`],
  ['a proxy in place of options', ({ iamAuth, role, cluster }) => iamAuth.addUser('a').grantConnect(role, any(cluster)),
    `[S/IamAuth/a] options is the construct S/Cluster, ${OBJECT}`],
  ['a time in place of options', ({ iamAuth }) => Privileges.memberOf(iamAuth.addRole('r'), any('2095-01-01')),
    `options is "2095-01-01", ${OBJECT}`],
  ['settings', ({ iamAuth }) => iamAuth.addUser('a', { settings: any(null) }), `[S/IamAuth/a] settings is null, ${OBJECT}`],
];

const VALUES: Mistakes = [
  ['the secret that a cluster does not have', () => AdminCredentials.fromSecret(any(undefined)),
    'secret is undefined, and must be a construct; pass a secretsmanager.Secret, or the secret of a database that has one'],
  ['the cluster for its secret', ({ cluster }) => AdminCredentials.fromSecret(any(cluster)),
    'secret is the construct S/Cluster, and must be the construct of a secret; pass a secretsmanager.Secret, or the secret of a database that has one'],
  ['a secret as the admin', one => other(one, { admin: any(new secretsmanager.Secret(one.stack, 'Secret')) }),
    `[S/A] admin is the construct S/Secret, ${OWN} AdminCredentials.fromSecret(secret) or AdminCredentials.fromIam(username)`],
  // eslint-disable-next-line @typescript-eslint/unbound-method -- the mistake
  ['a transport that is not called', one => other(one, { transport: any(SqlTransport.dataApi) }),
    `[S/A] transport is the function dataApi, ${OWN} SqlTransport.dataApi() or SqlTransport.internetAccessGateway()`],
  // eslint-disable-next-line @typescript-eslint/unbound-method -- the mistake
  ['a removal that is not called', ({ iamAuth }) => iamAuth.addUser('a', { onRemoval: any(OnRemoval.retain) }),
    `[S/IamAuth/a] onRemoval is the function retain, ${OWN} OnRemoval.dropOrDisable() or one of its siblings`],
  ['a removal policy', ({ iamAuth }) => iamAuth.addRole('a', { onRemoval: any('retain') }),
    `[S/IamAuth/a] onRemoval is "retain", ${OWN} OnRemoval.dropOrDisable() or one of its siblings`],
  ['an endpoint of aws-rds', ({ iamAuth, cluster }) =>
    iamAuth.addUser('a').connectionEnvironment({ endpoint: any(cluster.clusterReadEndpoint) }),
  `[S/IamAuth/a] endpoint is of class Endpoint, ${OWN} Endpoint.writer() of this library, or one of its siblings`],
  ['the same for psql', ({ iamAuth, cluster }) => iamAuth.addUser('a').psqlCommand({ endpoint: any(cluster.clusterReadEndpoint) }),
    `[S/IamAuth/a] endpoint is of class Endpoint, ${OWN} Endpoint.writer() of this library, or one of its siblings`],
  ['the endpoint of no proxy', () => Endpoint.proxy(any(undefined)), `proxy is undefined, and must be a construct of a proxy; pass ${PROXY}`],
  ['the endpoint of a cluster', ({ cluster }) => Endpoint.proxy(any(cluster)),
    `proxy is the construct S/Cluster, and must be a construct of a proxy; pass ${PROXY}`],
  ['a grant through a name', ({ iamAuth, role }) => iamAuth.addUser('a').grantConnect(role, { through: any('proxy') }),
    `through is "proxy", and must be a construct of a proxy; pass ${PROXY}`],
  ['the name of a cluster', () => ConnectGrants.fromCluster(any('shop')), `cluster is "shop", and must be a construct of a cluster; pass ${CLUSTER}`],
  ['a cluster as an instance', ({ cluster }) => ConnectGrants.fromInstance(any(cluster)),
    `instance is the construct S/Cluster, and must be a construct of an instance; pass ${INSTANCE}`],
  ['an instance as a cluster', ({ stack }) => ConnectGrants.fromCluster(any(newInstance(stack))),
    `cluster is the construct S/Instance, and must be a construct of a cluster; pass ${CLUSTER}`],
  ['the name of a cluster of a user', ({ stack }) => DatabaseUser.fromUsername(stack, 'U', { username: 'a', cluster: any('shop') }),
    `cluster is "shop", and must be a construct of a cluster; pass ${CLUSTER}`],
  ['a resource without a network', ({ stack }) => new InstanceIamAuth(stack, 'A', {
    instance: any(new rds.CfnDBInstance(stack, 'I', { engine: 'postgres' })), vpc: vpcOf(stack), admin: AdminCredentials.fromIam('admin'),
  }), `[S/A] instance S/I is a CfnDBInstance, and does not tell its network; pass ${INSTANCE}`],
];

const LISTS: Mistakes = [
  ['nothing among privileges', ({ iamAuth }) => iamAuth.addUser('a', { privileges: [any(undefined)] }),
    '[S/IamAuth/a] privileges have something that is no Privileges; pass what Privileges.readOnly(...) and its siblings return'],
  ['a privilege that there is not, beside one that there is', ({ iamAuth }) => iamAuth.addUser('a', { privileges: [Privileges.onTables({
    database: 'shop', schema: 'public', privileges: [TablePrivilege.SELECT, any(undefined)],
  })] }), '[S/IamAuth/a] privilege undefined on a table is not one that this library grants: there are '
  + 'DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE; pass these, each by itself'],
  ['grantees', ({ iamAuth, role }) => iamAuth.addUser('a').grantConnect(any([role, role])),
    '[S/Cluster] grantee is ["the construct S/Role","the construct S/Role"], and must be a role, or a construct that has one; '
    + 'pass it, or iam.Role.fromRoleArn(scope, id, arn)'],
  ['options with constructs in place of an id', ({ iamAuth }) => iamAuth.addUser(any({ username: 'a', privileges: [
    Privileges.memberOf(iamAuth.addRole('r')),
  ] })), `[S/IamAuth] id is {"username":"a","privileges":["of class Privileges"]}, ${TEXT}`],
  ['a cluster for its resource id', one => other(one, { alsoResourceIds: [any(newCluster(one.stack, 'Green'))] }),
    '[S/Other] alsoResourceIds has the construct S/Green, which is not the resource id of a cluster, which looks like cluster-ABCDEFGHIJKL01234; '
    + 'take it from the Configuration tab of the RDS console, or DbClusterResourceId of aws rds describe-db-clusters'],
  ['one name for lockOut', ({ iamAuth }) => iamAuth.restrictPublic({ database: 'shop', connect: true, lockOut: any('legacy') }),
    '[S/IamAuth] lockOut is "legacy", and must be a list; pass ["legacy"]'],
  ['a list of the deployment for lockOut', ({ stack, iamAuth }) => iamAuth.restrictPublic({
    database: 'shop', connect: true, lockOut: new CfnParameter(stack, 'P', { type: 'CommaDelimitedList' }).valueAsList,
  }), '[S/IamAuth] database or lockOut is a token, and names of databases and roles must be known at synthesis; give the names themselves'],
  ['a search path of the deployment', ({ stack, iamAuth }) => iamAuth.addUser('a', {
    searchPath: new CfnParameter(stack, 'P', { type: 'CommaDelimitedList' }).valueAsList,
  }), '[S/IamAuth/a] searchPath is a token, and how many schemas it has must be known at synthesis; pass a list, in which a schema may be a token'],
  ['no subnets', one => other(one, { vpcSubnets: { subnets: [] } }),
    '[S/A] subnets of vpcSubnets must not be empty, because a function in a VPC has one; add at least one, or leave vpcSubnets out for the private ones'],
  ['no security groups', one => other(one, { securityGroups: [] }),
    '[S/A] securityGroups must not be empty, because a function in a VPC has one; add at least one, or leave securityGroups out for one of its own'],
];

const OPTIONS: Mistakes = [
  ['a number for a timeout', ({ iamAuth }) => iamAuth.addUser('a', { statementTimeout: any(5000) }),
    '[S/IamAuth/a] statementTimeout is 5000, and must be a Duration; pass Duration.seconds(30), or another one'],
  ['a name for the role at login', ({ iamAuth }) => iamAuth.addUser('a', { setRoleAtLogin: any('app') }),
    'setRoleAtLogin "app" is no role of this library, so that the deployment cannot be ordered after its creation; '
    + 'pass a DatabaseRole or a DatabaseUser, or DatabaseRole.fromRoleName(scope, id, roleName) for a role that is managed elsewhere'],
  ['the end of a group role', ({ iamAuth }) => iamAuth.addRole('r', any({ expiresAt: new Date('2095-01-01T00:00:00Z') })),
    '[S/IamAuth/r] expiresAt is of a group role, which has no login that could end; '
    + 'pass it to the users that are its members, or to Privileges.memberOf(role, { expiresAt })'],
  ...(['exclusive', 'adoptExisting'] as const).map((option): Mistakes[number] => [`${option} as a context value of the CLI`,
    ({ iamAuth }) => iamAuth.addUser('a', { [option]: any('false') }),
    `[S/IamAuth/a] ${option} is "false", and must be true or false; pass a boolean`]),
  ...(['connect', 'createInPublicSchema'] as const).map((option): Mistakes[number] => [`${option} as a text`,
    ({ iamAuth }) => iamAuth.restrictPublic({ database: 'shop', [option]: any('false') }),
    `[S/IamAuth] ${option} is "false", and must be true or false; pass a boolean`]),
  ['enableIamAuthentication as a text', one => other(one, { enableIamAuthentication: any('true') }),
    '[S/A] enableIamAuthentication is "true", and must be true or false; pass a boolean'],
  ['withoutProvisioner as a text', ({ iamAuth }) => iamAuth.addAlarms({ withoutProvisioner: any('false') }),
    '[S/IamAuth] withoutProvisioner is "false", and must be true or false; pass a boolean'],
  ['region as a text', ({ iamAuth }) => iamAuth.addUser('a').connectionEnvironment({ region: any('eu-west-1') }),
    '[S/IamAuth/a] region is "eu-west-1", and must be true or false; pass a boolean'],
  ['a topic for an action', ({ stack, iamAuth }) => iamAuth.addAlarms({ action: any(new sns.Topic(stack, 'Topic')), withoutProvisioner: true }),
    '[S/IamAuth] action is the construct S/Topic, and must be an action of an alarm; pass new SnsAction(topic) of aws-cloudwatch-actions'],
  ['a topic for the action of a check', ({ stack, iamAuth }) => iamAuth.checkDrift({
    schedule: events.Schedule.rate(Duration.days(1)), action: any(new sns.Topic(stack, 'Topic')),
  }), '[S/IamAuth/Provisioner] action is the construct S/Topic, and must be an action of an alarm; pass new SnsAction(topic) of aws-cloudwatch-actions'],
  ...[undefined, 'rate(1 day)'].map((schedule): Mistakes[number] => [`${schedule ?? 'nothing'} for a schedule`,
    ({ iamAuth }) => iamAuth.checkDrift({ schedule: any(schedule) }),
    `[S/IamAuth/Provisioner] schedule is ${JSON.stringify(schedule) ?? 'undefined'}, and must be a schedule; `
    + 'pass events.Schedule.cron({ hour: \'6\', minute: \'0\' }), or another one']),
];

describe.each([['a name:', NAMES], ['what is missing:', MISSING], ['a value:', VALUES], ['a list:', LISTS], ['an option:', OPTIONS]])('refuses in words %s', (_, mistakes) => {
  test.each(mistakes)('%s', (_name, work, expected) => {
    const one = new Case();
    expect(answer(one.app, () => work(one))).toBe(expected);
  });
});

describe.each(['grantPlan', 'grantDrift'] as const)('%s', (grant) => {
  const imported = ({ stack }: Case, arn: string, mutable: boolean) => iam.Role.fromRoleArn(stack, 'R', arn, { mutable });
  const CI = 'arn:aws:iam::111111111111:role/ci';

  test.each<[string, (one: Case) => iam.IGrantable, string]>([
    ['nothing', () => any(undefined), 'grantee is undefined, and must be a role, or a construct that has one; pass it, or iam.Role.fromRoleArn(scope, id, arn)'],
    ['a role that the app may not change', one => imported(one, CI, false), 'grantee S/R cannot be granted permissions: its policies are not managed by this app; '
    + 'pass a role, user or group whose policies this app may change (an imported role: not with mutable: false, and in a stack of its own account); '
    + 'an account, a service or another principal gets in by a role that it may assume'],
    ['a role of IAM Identity Center', one => imported(one, 'arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x', true),
      'grantee S/R is the role of a permission set of IAM Identity Center, and only AWS can change its policies; '
      + 'grant to a managed policy that the permission set names'],
  ])('refuses %s', (_, grantee, expected) => {
    const one = new Case();
    one.iamAuth.addUser('a');
    expect(answer(one.app, () => one.iamAuth[grant](grantee(one)))).toBe(`[S/IamAuth/Provisioner] ${expected}`);
  });

  test.each<[string, (one: Case) => iam.IGrantable]>([
    ['a role of the account', one => imported(one, CI, true)],
    ['a role of another account, by the policy of the function', one => imported(one, 'arn:aws:iam::222222222222:role/ci', true)],
    ['another account', () => new iam.AccountPrincipal('222222222222')],
  ])('takes %s', (_, grantee) => {
    const one = new Case();
    one.iamAuth.addUser('a');
    expect(answer(one.app, () => one.iamAuth[grant](grantee(one)))).toBe('');
  });
});

test('what is right is taken', () => {
  const one = new Case();
  const { iamAuth, app } = one;
  expect(answer(app, () => {
    const group = iamAuth.addRole('app');
    iamAuth.addUser('a', {
      privileges: [Privileges.memberOf(group)], setRoleAtLogin: group, onRemoval: OnRemoval.retain(), exclusive: false, adoptExisting: true,
      statementTimeout: Duration.millis(1), idleInTransactionTimeout: Duration.seconds(1.5), username: Aws.STACK_NAME,
    }).connectionEnvironment({ endpoint: Endpoint.reader(), region: true });
    iamAuth.restrictPublic({ database: 'shop', connect: true, createInPublicSchema: false, lockOut: ['legacy'] });
  })).toBe('');
});
