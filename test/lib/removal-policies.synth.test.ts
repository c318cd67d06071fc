import {
  AspectPriority, CfnDeletionPolicy, CfnResource, MissingRemovalPolicies, NestedStack, RemovalPolicies, RemovalPolicy,
  Stack, Validations,
} from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';
import { AdminCredentials, AuroraIamAuth, ConnectGrants, DatabaseUser, OnRemoval } from '../../lib';
import {
  ID, KEPT, RETAINED, DELETED, remedy, app, stack, cluster, iamAuth, newRole, policiesOf, resourcesIn, onAllResources,
  problems, Retained,
} from './removal-policies-support';

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
