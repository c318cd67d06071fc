import {
  App, AspectPriority, Aspects, CfnDeletionPolicy, CfnOutput, CfnResource, MissingRemovalPolicies, NestedStack,
  RemovalPolicies, RemovalPolicy, Stack, Stage, Validations,
} from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sso from 'aws-cdk-lib/aws-sso';
import { Construct, IConstruct, IMixin } from 'constructs';
import { AdminCredentials, AuroraIamAuth, ConnectGrants, DatabaseUser, OnRemoval } from '../../lib';
import { firstOf } from '../full';
import { IRELAND, newApp, newCluster, resourcesOf, vpcOf } from './support';

const ID = 'cdk-aurora-iam-auth:retainedAccess';
const KEPT = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };
const RETAINED = 'DeletionPolicy Retain and UpdateReplacePolicy Retain';
const DELETED = { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' };

const remedy = (type: string) => `leave ${type} out where the removal policy is applied (excludeResourceTypes of `
  + `RemovalPolicies), or acknowledge it: Validations.of(construct).acknowledge({ id: '${ID}', reason: '...' })`;

let app: App;
let stack: Stack;
let cluster: rds.DatabaseCluster;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Shop');
  cluster = newCluster(stack);
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
});

function newRole(scope: Construct = stack, id = 'Role', props: Partial<iam.RoleProps> = {}): iam.Role {
  return new iam.Role(scope, id, { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'), ...props });
}

/** What the template of a stack says of resources of a type. */
function policiesOf(type: RegExp, scope: Stack = stack): { DeletionPolicy?: string; UpdateReplacePolicy?: string }[] {
  const resources = Object.values(resourcesOf(scope)).filter(({ Type }) => type.test(Type));
  return resources.map(({ DeletionPolicy, UpdateReplacePolicy }) => ({ DeletionPolicy, UpdateReplacePolicy }));
}

const isCfnResource = (construct: IConstruct): construct is CfnResource => CfnResource.isCfnResource(construct);
const resourcesIn = (scope: IConstruct) => scope.node.findAll().filter(isCfnResource);

/** An aspect that changes all resources. */
function onAllResources(change: (resource: CfnResource) => void, priority?: number): void {
  Aspects.of(app).add({ visit: node => isCfnResource(node) && change(node) }, { priority });
}

/** What grantConnect writes, for a user of the cluster. */
function connectStatement(props: Partial<iam.PolicyStatementProps> = {}, database = cluster): iam.PolicyStatement {
  const resource = `arn:aws:rds-db:eu-west-1:111111111111:dbuser:${database.clusterResourceIdentifier}/orders`;
  return new iam.PolicyStatement({ actions: ['rds-db:connect'], resources: [resource], ...props });
}

/** The messages of a failed synthesis, one a line. */
function problems(): string[] {
  try {
    app.synth();
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').filter(line => line.startsWith('  [')).map(line => line.trim());
  }
}

class Retained implements IMixin {
  supports(construct: IConstruct): boolean {
    return isCfnResource(construct);
  }

  applyTo(construct: IConstruct): void {
    (construct as CfnResource).applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}

describe('users, lists of users and group roles', () => {
  beforeEach(() => {
    iamAuth.addUser('orders');
    iamAuth.addUser('keeper', { onRemoval: OnRemoval.retain() });
    iamAuth.addUsers('Team', { usernames: ['ada', 'grace'] });
    iamAuth.addRole('readers');
  });

  test.each<[string, () => void]>([
    ['RemovalPolicies.retain()', () => RemovalPolicies.of(app).retain()],
    ['RemovalPolicies.retain() before all other aspects', () => RemovalPolicies.of(app).retain({ priority: 1 })],
    ['RemovalPolicies.retain() after all other aspects', () => RemovalPolicies.of(app).retain({ priority: 5000 })],
    ['RemovalPolicies.retainOnUpdateOrDelete()', () => RemovalPolicies.of(app).retainOnUpdateOrDelete()],
    ['RemovalPolicies.snapshot()', () => RemovalPolicies.of(app).snapshot()],
    ['MissingRemovalPolicies.retain()', () => MissingRemovalPolicies.of(app).retain()],
    ['an aspect that applies RETAIN', () => onAllResources(each => each.applyRemovalPolicy(RemovalPolicy.RETAIN))],
    ['an aspect that sets the options last', () => onAllResources(({ cfnOptions }) => {
      cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE;
      cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    }, AspectPriority.READONLY + 1)],
    ['a mixin', () => stack.node.findAll().forEach(each => each.with(new Retained()))],
    ['RETAIN on each', () => resourcesIn(stack).forEach(each => each.applyRemovalPolicy(RemovalPolicy.RETAIN))],
  ])('are deleted with the app under %s', (_, apply) => {
    apply();
    expect(policiesOf(/^Custom::Rds/)).toEqual(Array(4).fill(DELETED));
  });

  test('are deleted with the app without a removal policy, which is the default of CloudFormation', () => {
    expect(policiesOf(/^Custom::Rds/)).toEqual(Array(4).fill({}));
  });

  test('are deleted with the app when an override takes the policy out, which is the default of CloudFormation', () => {
    onAllResources((resource) => {
      resource.applyRemovalPolicy(RemovalPolicy.RETAIN);
      resource.addDeletionOverride('DeletionPolicy');
      resource.addDeletionOverride('UpdateReplacePolicy');
    });
    expect(policiesOf(/^Custom::Rds/)).toEqual(Array(4).fill({}));
  });

  test.each<[string, unknown, string]>([
    ['DeletionPolicy', 'Retain', 'DeletionPolicy Retain'],
    ['UpdateReplacePolicy', 'Retain', 'UpdateReplacePolicy Retain'],
    ['DeletionPolicy', 'RetainExceptOnCreate', 'DeletionPolicy RetainExceptOnCreate'],
    ['DeletionPolicy', { Ref: 'Policy' }, 'DeletionPolicy {"Ref":"Policy"}'],
  ])('refuse an override of %s with %p, and name onRemoval', (attribute, value, policy) => {
    const [role] = resourcesIn(stack).filter(({ cfnResourceType }) => cfnResourceType === 'Custom::RdsIamUser');
    role.addOverride(attribute, value);
    expect(problems()).toEqual([
      `[${role.node.path}] ${policy} of this Custom::RdsIamUser is an override, and logins and permissions would stay `
      + 'when it leaves the app; take the override out, and pass onRemoval: OnRemoval.retain() '
      + 'where a role is to stay in the database as it is',
    ]);
  });

  test('refuse an override by an aspect that comes last', () => {
    const isOurs = ({ cfnResourceType }: CfnResource) => cfnResourceType.startsWith('Custom::Rds');
    onAllResources(each => isOurs(each) && each.addOverride('DeletionPolicy', 'Retain'), AspectPriority.READONLY + 1);
    expect(problems()).toHaveLength(4);
  });

  test('take an override that says Delete', () => {
    onAllResources(resource => resource.addOverride('DeletionPolicy', 'Delete'));
    expect(problems()).toEqual([]);
  });
});

describe('the provisioner', () => {
  test('has no policy in the template unless one is applied', () => {
    iamAuth.addUser('orders');
    expect(policiesOf(/^AWS::IAM::ManagedPolicy$/)).toEqual([{}, {}]);
  });

  test.each<[string, () => AuroraIamAuth]>([
    ['with a secret', () => iamAuth],
    ['without a password', () => {
      const admin = AdminCredentials.fromIam('provisioner');
      return new AuroraIamAuth(new Stack(app, 'Other'), 'IamAuth', { cluster, admin });
    }],
  ])('loses its permissions with the app when all else is retained, %s', (_, get) => {
    const own = get();
    own.addUser('orders');
    RemovalPolicies.of(app).retain();
    expect(policiesOf(/^AWS::IAM::ManagedPolicy$/, Stack.of(own))).toEqual([DELETED, DELETED]);
    expect(policiesOf(/^AWS::IAM::Role$/, Stack.of(own))).toEqual(expect.arrayContaining([KEPT]));
  });

  test('refuses an override that keeps its permissions', () => {
    iamAuth.addUser('orders');
    const [policy] = stack.node.findAll().filter(each => iam.CfnManagedPolicy.isCfnManagedPolicy(each));
    policy.addOverride('DeletionPolicy', 'Retain');
    expect(problems()).toEqual([
      `[${policy.node.path}] DeletionPolicy Retain of this AWS::IAM::ManagedPolicy is an override, and a function `
      + 'that is retained with it would keep its access to the database; take the override out',
    ]);
  });
});

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
      cluster = newCluster(new Stack(app, 'Ireland', { env: IRELAND, crossRegionReferences: true }));
      iamAuth = new AuroraIamAuth(Stack.of(cluster), 'IamAuth', { cluster });
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
      inlinePolicy: new iam.PolicyDocument({ statements: [ConnectGrants.fromCluster(cluster).connectStatement('orders')] }),
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
      new CfnOutput(stack, 'Policy', { value: stack.toJsonString(ConnectGrants.fromCluster(cluster).connectStatement('orders')) });
    }],
  ])('%s', (_, make) => {
    make();
    expect(problems()).toEqual([]);
  });
});

describe('a nested stack', () => {
  const retained = ({ nestedStackResource }: NestedStack) =>
    `[Shop/Cluster/Resource] ${nestedStackResource!.node.path} (AWS::CloudFormation::Stack) has ${RETAINED}, `
    + 'and users or grants of this database are in it: a nested stack that leaves the app stays, '
    + `with logins and permissions; ${remedy('AWS::CloudFormation::Stack')}`;
  let nested: NestedStack;
  beforeEach(() => {
    nested = new NestedStack(stack, 'Nested');
    RemovalPolicies.of(app).retain({ excludeResourceTypes: ['AWS::IAM::Policy'] });
  });

  test('is refused when it is retained and has users', () => {
    new DatabaseUser(nested, 'Orders', { iamAuth, username: 'orders' });
    expect(problems()).toEqual([retained(nested)]);
  });

  test('is refused when it is retained and has grants', () => {
    ConnectGrants.fromCluster(cluster).connect(newRole(nested), 'orders');
    expect(problems()).toEqual([retained(nested)]);
  });

  test('is refused when it is retained and has a nested stack with users', () => {
    const inner = new NestedStack(nested, 'Inner');
    new DatabaseUser(inner, 'Orders', { iamAuth, username: 'orders' });
    expect(problems()).toEqual([retained(inner), retained(nested)]);
  });

  test('is no problem when it has neither', () => {
    iamAuth.addUser('orders');
    newRole(nested);
    expect(problems()).toEqual([]);
  });

  test.each<[string, () => IConstruct]>([
    ['itself', () => nested],
    ['the resource', () => nested.nestedStackResource!],
  ])('is acknowledged on %s', (_, where) => {
    new DatabaseUser(nested, 'Orders', { iamAuth, username: 'orders' });
    Validations.of(where()).acknowledge({ id: ID, reason: 'It is deleted by hand.' });
    expect(problems()).toEqual([]);
  });
});
