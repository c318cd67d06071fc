import { type CfnResource, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { resourcesOfApp } from './resources-of-app';
import type { SignInTarget } from './sign-in-target';
import { accessModelOf, addCheck } from '../model/app-access';
import { warn, type Warning } from '../model/warning';

/** Where clients run, as far as the app says it: their security groups, or none outside of any VPC. */
interface Client {
  readonly construct: IConstruct;
  readonly what: string;
  readonly groups?: readonly ec2.ISecurityGroup[];
}

/** The targets of this app with those who may sign in there. */
const GRANTEES = Symbol.for('cdk-aurora-iam-auth.grantees');

/**
 * A permission alone is no way in: says at the end of the synthesis which functions and services of this app may sign in
 * and do not get there. No rule is added, for whom a database lets in is the app's to say.
 */
export function warnOfClosedEntrance(target: SignInTarget, grantee: iam.IGrantable): void {
  const { identity } = target;
  const remembered = identity as IConstruct & { [GRANTEES]?: iam.IGrantable[] };
  if (addCheck(accessModelOf(identity), 'entrance')) {
    const grantees: iam.IGrantable[] = [];
    Object.defineProperty(remembered, GRANTEES, { value: grantees });
    identity.node.addValidation({ validate: () => check(target, grantees) });
  }
  remembered[GRANTEES]?.push(grantee);
}

/** What it finds are warnings: there are ways in that an app does not know. */
function check({ construct }: SignInTarget, grantees: readonly iam.IGrantable[]): string[] {
  const server = serverOf(construct);
  const resources = resourcesOfApp(construct);
  for (const grantee of new Set(grantees)) {
    for (const role of roleArnOf(grantee)) {
      warn(scopeOf(grantee, construct), [executionRoleOf(resources, role)]);
    }
    const clients = server ? clientsOf(grantee, resources) : [];
    clients.forEach(client => warn(client.construct, [closed(client, construct, server!, resources)]));
  }
  return [];
}

interface Server {
  readonly groups: readonly ec2.ISecurityGroup[];
  readonly isPublic: boolean;
}

/** Undefined where its rules are not this app's to know. */
function serverOf(construct: IConstruct): Server | undefined {
  const { connections } = construct as Partial<ec2.IConnectable>;
  const groups = connections?.securityGroups ?? [];
  const isPublic = construct.node.findAll().some(child => (child as { publiclyAccessible?: unknown }).publiclyAccessible === true);
  return groups.length > 0 && groups.every(isOfApp) ? { groups, isPublic } : undefined;
}

const isOfApp = ({ node }: ec2.ISecurityGroup) => ec2.CfnSecurityGroup.isCfnSecurityGroup(node.defaultChild);

function scopeOf(grantee: iam.IGrantable, otherwise: IConstruct): IConstruct {
  return Construct.isConstruct(grantee) ? grantee : otherwise;
}

function roleArnOf({ grantPrincipal }: iam.IGrantable): string[] {
  const { roleArn } = grantPrincipal as Partial<iam.IRole>;
  return roleArn === undefined ? [] : [roleArn];
}

/** Functions of Lambda and services of ECS with the role. Of services the L2 alone says which role their tasks have. */
function clientsOf(grantee: iam.IGrantable, resources: readonly CfnResource[]): Client[] {
  const [role] = roleArnOf(grantee);
  return resources.flatMap(({ cfnResourceType, node: { scope: construct } }): Client[] => {
    const { role: roleOfFunction, isBoundToVpc, taskDefinition } = construct as MaybeClient;
    if (!construct || role === undefined) {
      return [];
    }
    if (cfnResourceType === 'AWS::Lambda::Function' && roleOfFunction?.roleArn === role) {
      return [{ construct, what: 'function', ...isBoundToVpc ? { groups: groupsOf(construct) } : {} }];
    }
    return cfnResourceType === 'AWS::ECS::Service' && taskDefinition?.taskRole.roleArn === role
      ? [{ construct, what: 'service', groups: groupsOf(construct) }]
      : [];
  });
}

/** What the L2 of a function or of a service has. */
interface MaybeClient {
  readonly role?: iam.IRole;
  readonly isBoundToVpc?: boolean;
  readonly taskDefinition?: { readonly taskRole: iam.IRole };
}

function groupsOf(construct: IConstruct): readonly ec2.ISecurityGroup[] {
  const { connections } = construct as Partial<ec2.IConnectable>;
  return connections?.securityGroups ?? [];
}

function closed(
  { construct, what, groups }: Client, database: IConstruct, { groups: theirs, isPublic }: Server, resources: readonly CfnResource[],
): Warning | undefined {
  const { path } = database.node;
  if (!groups) {
    return isPublic
      ? undefined
      : {
          id: 'cdk-aurora-iam-auth:outsideOfVpc',
          text: `${what} ${construct.node.path} may sign in to ${path} and runs outside of the VPC, from where nothing reaches the database; `
            + 'give it vpc, and let it in with connections.allowDefaultPortFrom(...) of the database, or acknowledge',
        };
  }
  return groups.length === 0 || letsIn(theirs, groups, resources)
    ? undefined
    : {
        id: 'cdk-aurora-iam-auth:notLetIn',
        text: `${what} ${construct.node.path} may sign in to ${path}, and no rule of this app lets it in there; `
          + 'add database.connections.allowDefaultPortFrom(...) with it, or acknowledge',
      };
}

/** A rule for addresses or a prefix list may be for this client. */
function letsIn(theirs: readonly ec2.ISecurityGroup[], ours: readonly ec2.ISecurityGroup[], resources: readonly CfnResource[]): boolean {
  const separate = resources.filter(resource => ec2.CfnSecurityGroupIngress.isCfnSecurityGroupIngress(resource))
    .filter(({ groupId }) => theirs.some(({ securityGroupId }) => securityGroupId === groupId))
    .map(({ sourceSecurityGroupId }) => sourceSecurityGroupId);
  return [...separate, ...theirs.flatMap(inlineSources)].some(source => source === undefined || ours.some(({ securityGroupId }) => securityGroupId === source));
}

/** Those in the group itself: the L2 has its rules for addresses there, which it makes late. */
function inlineSources(group: ec2.ISecurityGroup): (string | undefined)[] {
  const { securityGroupIngress } = group.node.defaultChild as ec2.CfnSecurityGroup;
  const rules = Array.isArray(securityGroupIngress) ? securityGroupIngress : Stack.of(group).resolve(securityGroupIngress) as unknown[] | undefined ?? [];
  return rules.map(rule => (rule as { readonly sourceSecurityGroupId?: string }).sourceSecurityGroupId);
}

function executionRoleOf(resources: readonly CfnResource[], roleArn: string): Warning | undefined {
  const definition = resources.filter(({ cfnResourceType }) => cfnResourceType === 'AWS::ECS::TaskDefinition')
    .map(({ node: { scope } }) => scope as IConstruct & { readonly executionRole?: iam.IRole; readonly taskRole?: iam.IRole })
    .find(({ executionRole, taskRole }) => executionRole?.roleArn === roleArn && taskRole?.roleArn !== roleArn);
  return definition && {
    id: 'cdk-aurora-iam-auth:executionRole',
    text: `the execution role of ${definition.node.path} may sign in, with which ECS starts the tasks and no container signs in; `
      + 'grant to taskDefinition.taskRole, or acknowledge',
  };
}
