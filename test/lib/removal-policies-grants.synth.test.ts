import {
  CfnDeletionPolicy, CfnOutput, CfnResource, RemovalPolicies, RemovalPolicy, Stack, Stage, Validations,
} from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sso from 'aws-cdk-lib/aws-sso';
import { IConstruct } from 'constructs';
import { AuroraIamAuth, ConnectGrants, DatabaseUser } from '../../lib';
import { firstOf } from '../full';
import { IRELAND, newCluster, vpcOf } from './support';
import {
  ID, KEPT, RETAINED, remedy, app, stack, cluster, iamAuth, newRole, policiesOf, connectStatement, problems,
  useClusterIn,
} from './removal-policies-support';

describe('a policy that allows signing in', () => {
  const connect = () => new iam.PolicyDocument({ statements: [connectStatement()] });
  const resource = (construct: IConstruct) => construct.node.defaultChild as CfnResource;
  const defaultPolicy = (grantee: IConstruct) => resource(grantee.node.findChild('DefaultPolicy'));
  const granted = <Grantee extends iam.IGrantable & IConstruct>(grantee: Grantee) => {
    const user = iamAuth.node.tryFindChild('orders') as DatabaseUser | undefined ?? iamAuth.addUser('orders');
    user.grantConnect(grantee);
    return grantee;
  };
  const message = (policy: CfnResource, retention = RETAINED, database = 'Shop/Cluster/Resource') => {
    const { node, cfnResourceType: type } = policy;
    return `[${database}] ${node.path} (${type}) has ${retention}, and allows rds-db:connect on this database: `
      + 'when it leaves the app or is replaced, it stays, and its identities may still sign in; '
      + remedy(type);
  };

  /** Makes it, and returns its resource. */
  const POLICIES: [string, () => CfnResource][] = [
    ['of a role', () => defaultPolicy(granted(newRole()))],
    ['of an imported role', () => {
      const role = iam.Role.fromRoleArn(stack, 'Imported', `arn:aws:iam::${stack.account}:role/app`);
      return resource(granted(role).node.findChild('Policy'));
    }],
    ['of a user', () => defaultPolicy(granted(new iam.User(stack, 'User')))],
    ['of a group', () => defaultPolicy(granted(new iam.Group(stack, 'Group')))],
    ['that is managed', () => resource(granted(new iam.ManagedPolicy(stack, 'Managed', { roles: [newRole()] })))],
    ['of a role in another stack', () => defaultPolicy(granted(newRole(new Stack(app, 'Apps'))))],
    ['of a role in another Region', () => {
      useClusterIn(new Stack(app, 'Ireland', { env: IRELAND, crossRegionReferences: true }));
      const env = { ...IRELAND, region: 'us-east-1' };
      return defaultPolicy(granted(newRole(new Stack(app, 'Apps', { env, crossRegionReferences: true }))));
    }],
    ['by a tag', () => {
      const role = newRole();
      ConnectGrants.fromCluster(cluster).connectAsPrincipalTag(role, 'DatabaseUser');
      return defaultPolicy(role);
    }],
    ['inside of a role', () => resource(newRole(stack, 'Role', { inlinePolicies: { connect: connect() } }))],
    ['inside of a permission set', () => new sso.CfnPermissionSet(stack, 'Set', {
      instanceArn: 'arn:aws:sso:::instance/ssoins-0123456789abcdef',
      name: 'orders',
      inlinePolicy: new iam.PolicyDocument({
        statements: [ConnectGrants.fromCluster(cluster).connectStatement('orders')],
      }),
    })],
    ['that a custom resource writes', () => {
      const properties = { Document: stack.toJsonString(connect()) };
      return new CfnResource(stack, 'Write', { type: 'Custom::Policy', properties });
    }],
  ];

  test.each(POLICIES)('is refused when it is retained: one %s', (_, make) => {
    const policy = make();
    RemovalPolicies.of(app).retain();
    expect(problems()).toEqual([message(policy, RETAINED, `${cluster.node.path}/Resource`)]);
  });

  test.each(firstOf(3, POLICIES))('is no problem when its type is left out: one %s', (_, make) => {
    RemovalPolicies.of(app).retain({ excludeResourceTypes: [make().cfnResourceType] });
    expect(problems()).toEqual([]);
  });

  const { RETAIN, RETAIN_EXCEPT_ON_CREATE } = CfnDeletionPolicy;
  test.each<[string, (policy: CfnResource) => unknown, string]>([
    ['on deletion', ({ cfnOptions }) => cfnOptions.deletionPolicy = RETAIN, 'DeletionPolicy Retain'],
    ['except on creation', ({ cfnOptions }) => cfnOptions.deletionPolicy = RETAIN_EXCEPT_ON_CREATE,
      'DeletionPolicy RetainExceptOnCreate'],
    ['on replacement', ({ cfnOptions }) => cfnOptions.updateReplacePolicy = RETAIN, 'UpdateReplacePolicy Retain'],
    ['by an override', each => each.addOverride('DeletionPolicy', 'Retain'), 'DeletionPolicy Retain'],
    ['by a function', each => each.addOverride('DeletionPolicy', { Ref: 'Policy' }), 'DeletionPolicy {"Ref":"Policy"}'],
  ])('is refused when it is retained %s', (_, retain, retention) => {
    const policy = defaultPolicy(granted(newRole()));
    retain(policy);
    expect(problems()).toEqual([message(policy, retention)]);
  });

  test('is no problem when an override deletes what an aspect retains', () => {
    const policy = defaultPolicy(granted(newRole()));
    RemovalPolicies.of(app).retain();
    policy.addOverride('DeletionPolicy', 'Delete');
    policy.addDeletionOverride('UpdateReplacePolicy');
    expect(problems()).toEqual([]);
  });

  test('may stay without the role that has it, and go without it', () => {
    const role = granted(newRole());
    role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    expect(problems()).toEqual([]);
  });

  test('is refused for the proxy and for the database, each by the one that it is about', () => {
    const proxy = cluster.addProxy('Proxy', { vpc: vpcOf(stack), defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH });
    const role = newRole();
    iamAuth.addUser('orders').grantConnect(role, { through: proxy });
    RemovalPolicies.of(app).retain();
    const roleOfProxy = proxy.node.findAll().find(each => iam.CfnPolicy.isCfnPolicy(each))!;
    const ofClient = message(defaultPolicy(role), RETAINED, 'Shop/Cluster/Proxy/Resource');
    expect(problems().sort()).toEqual([message(roleOfProxy), ofClient].sort());
  });

  const importedInto = (scope: Stack) => rds.DatabaseCluster.fromDatabaseClusterAttributes(scope, 'Shared', {
    clusterIdentifier: 'shared', clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234',
  });

  test('of an imported database is refused, and its resource id may be a literal', () => {
    const imported = importedInto(stack);
    const role = newRole(new Stack(app, 'Apps'));
    ConnectGrants.fromCluster(imported).connect(role, 'orders');
    RemovalPolicies.of(app).retain();
    expect(problems()).toEqual([message(defaultPolicy(role), RETAINED, 'Shop/Shared')]);
  });

  test('of a stage is refused when the policy is applied to the stage', () => {
    const stage = new Stage(app, 'Prod');
    const inStage = new Stack(stage, 'Shop', { env: IRELAND });
    const own = new AuroraIamAuth(inStage, 'IamAuth', { cluster: newCluster(inStage) });
    const role = newRole(inStage);
    own.addUser('orders').grantConnect(role);
    RemovalPolicies.of(stage).retain();
    expect(problems()).toEqual([message(defaultPolicy(role), RETAINED, 'Prod/Shop/Cluster/Resource')]);
  });

  test('is refused in its own stage alone', () => {
    const [, policy] = ['Test', 'Prod'].map((name) => {
      const inStage = new Stack(new Stage(app, name), 'Shop');
      const role = newRole(inStage);
      ConnectGrants.fromCluster(importedInto(inStage)).connect(role, 'orders');
      return defaultPolicy(role);
    });
    policy.applyRemovalPolicy(RemovalPolicy.RETAIN);
    expect(problems()).toEqual([message(policy, RETAINED, 'Prod/Shop/Shared')]);
  });

  describe('is acknowledged', () => {
    test.each<[string, (policy: CfnResource, role: iam.Role) => IConstruct]>([
      ['on the resource', policy => policy],
      ['on the policy', policy => policy.node.scope!],
      ['on the role', (_, role) => role],
      ['on the stack', () => stack],
      ['on the app', () => app],
    ])('%s', (_, where) => {
      const role = granted(newRole());
      RemovalPolicies.of(app).retain();
      const construct = where(defaultPolicy(role), role);
      Validations.of(construct).acknowledge({ id: ID, reason: 'The account is closed with the app.' });
      expect(problems()).toEqual([]);
      expect(policiesOf(/^AWS::IAM::Policy$/)).toContainEqual(KEPT);
    });

    test('on nothing else, and by no other id', () => {
      const [role, other] = [granted(newRole()), granted(newRole(stack, 'Other'))];
      RemovalPolicies.of(app).retain();
      Validations.of(role).acknowledge({ id: ID, reason: 'It is removed by hand.' });
      Validations.of(other).acknowledge({ id: 'cdk-aurora-iam-auth:policySize', reason: 'It is something else.' });
      expect(problems()).toEqual([message(defaultPolicy(other))]);
    });
  });
});

describe('a policy is retained without a remark', () => {
  beforeEach(() => {
    iamAuth.addUser('orders');
    RemovalPolicies.of(app).retain();
  });
  function withStatement(statement: iam.PolicyStatement): void {
    new iam.ManagedPolicy(stack, 'Managed', { statements: [statement] });
  }

  test.each<[string, () => unknown]>([
    ['with statements of other services', () => withStatement(connectStatement({ actions: ['rds:StartDBCluster'] }))],
    ['that denies signing in', () => withStatement(connectStatement({ effect: iam.Effect.DENY }))],
    ['of another database', () => withStatement(connectStatement({}, newCluster(stack, 'Other')))],
    ['of a database of another stack that has the same logical ids', () => {
      const other = new Stack(app, 'Other');
      new iam.ManagedPolicy(other, 'Managed', { statements: [connectStatement({}, newCluster(other))] });
    }],
    ['in an output, which grants nothing', () => {
      new CfnOutput(stack, 'Policy', {
        value: stack.toJsonString(ConnectGrants.fromCluster(cluster).connectStatement('orders')),
      });
    }],
  ])('%s', (_, make) => {
    make();
    expect(problems()).toEqual([]);
  });
});
