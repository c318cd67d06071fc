import { type CfnResource, Stack, Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { knownPort } from './port';
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
 * A permission alone is no way in: says at the end of the synthesis which functions and services of this app may sign
 * in and do not get there. No rule is added, for whom a database lets in is the app's to say.
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
  const ofTypes = (...types: string[]) => resources.filter(({ cfnResourceType }) => types.includes(cfnResourceType));
  const [tasks, runners] = [ofTypes('AWS::ECS::TaskDefinition'), ofTypes(FUNCTION, SERVICE)];
  for (const grantee of new Set(grantees)) {
    for (const role of roleArnOf(grantee)) {
      warn(scopeOf(grantee, construct), [executionRoleOf(tasks, role)]);
    }
    const clients = server ? clientsOf(grantee, runners) : [];
    clients.forEach(client => warn(client.construct, [closed(client, construct, server!, resources)]));
  }
  return [];
}

interface Server {
  readonly groups: readonly ec2.ISecurityGroup[];
  readonly isPublic: boolean;

  /** Where it is known at synthesis. */
  readonly port?: number;
}

/** Undefined where its rules are not this app's to know. */
function serverOf(construct: IConstruct): Server | undefined {
  const { connections } = construct as Partial<ec2.IConnectable>;
  const groups = connections?.securityGroups ?? [];
  const isPublic = construct.node.findAll()
    .some(child => (child as { publiclyAccessible?: unknown }).publiclyAccessible === true);
  return groups.length > 0 && groups.every(isOfApp) ? { groups, isPublic, port: knownPort(construct) } : undefined;
}

const isOfApp = ({ node }: ec2.ISecurityGroup) => ec2.CfnSecurityGroup.isCfnSecurityGroup(node.defaultChild);

function scopeOf(grantee: iam.IGrantable, otherwise: IConstruct): IConstruct {
  return Construct.isConstruct(grantee) ? grantee : otherwise;
}

/** None of a role without a name: `iam.Role.customizeRoles()` gives all that are not created yet the same ARN. */
function roleArnOf({ grantPrincipal }: iam.IGrantable): string[] {
  const { roleArn } = grantPrincipal as Partial<iam.IRole>;
  return roleArn === undefined || roleArn.endsWith(':role') ? [] : [roleArn];
}

const FUNCTION = 'AWS::Lambda::Function';
const SERVICE = 'AWS::ECS::Service';

/** Functions of Lambda and services of ECS with the role. Of services the L2 alone says which role their tasks have. */
function clientsOf(grantee: iam.IGrantable, runners: readonly CfnResource[]): Client[] {
  const [role] = roleArnOf(grantee);
  return runners.flatMap(({ cfnResourceType, node: { scope: construct } }): Client[] => {
    const { role: roleOfFunction, isBoundToVpc, taskDefinition } = construct as MaybeClient;
    if (!construct || role === undefined) {
      return [];
    }
    if (cfnResourceType === FUNCTION && roleOfFunction?.roleArn === role) {
      return [{ construct, what: 'function', ...isBoundToVpc ? { groups: groupsOf(construct) } : {} }];
    }
    return cfnResourceType === SERVICE && taskDefinition?.taskRole.roleArn === role
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
  { construct, what, groups }: Client, database: IConstruct, server: Server, resources: readonly CfnResource[],
): Warning | undefined {
  const { path } = database.node;
  if (!groups) {
    return server.isPublic
      ? undefined
      : {
          id: 'cdk-aurora-iam-auth:outsideOfVpc',
          text: `${what} ${construct.node.path} may sign in to ${path} and runs outside of the VPC, from where `
            + 'nothing reaches the database; '
            + 'give it vpc, and let it in with connections.allowDefaultPortFrom(...) of the database, or acknowledge',
        };
  }
  return groups.length === 0 || letsIn(server, groups, resources)
    ? undefined
    : {
        id: 'cdk-aurora-iam-auth:notLetIn',
        text: `${what} ${construct.node.path} may sign in to ${path}, and no rule of this app lets it in `
          + `there${server.port === undefined ? '' : ` on port ${server.port}`}; `
          + 'add database.connections.allowDefaultPortFrom(...) with it, or acknowledge',
      };
}

/** A rule of a security group; its values may be tokens, or what tokens are in a template. */
interface IngressRule {
  readonly ipProtocol?: unknown;
  readonly fromPort?: unknown;
  readonly toPort?: unknown;
  readonly sourceSecurityGroupId?: unknown;
}

/** A rule for addresses or a prefix list may be for this client. */
function letsIn(
  { groups, port }: Server, ours: readonly ec2.ISecurityGroup[], resources: readonly CfnResource[],
): boolean {
  const separate = resources.filter(resource => ec2.CfnSecurityGroupIngress.isCfnSecurityGroupIngress(resource))
    .filter(({ groupId }) => groups.some(({ securityGroupId }) => securityGroupId === groupId));
  return [...separate, ...groups.flatMap(inlineRules)]
    .filter(rule => isForPort(rule, port))
    .some(({ sourceSecurityGroupId: source }) =>
      source === undefined || ours.some(({ securityGroupId }) => securityGroupId === source));
}

/** Those in the group itself: the L2 has its rules for addresses there, which it makes late. */
function inlineRules(group: ec2.ISecurityGroup): IngressRule[] {
  const { securityGroupIngress } = group.node.defaultChild as ec2.CfnSecurityGroup;
  const rules: unknown = Array.isArray(securityGroupIngress)
    ? securityGroupIngress
    : Stack.of(group).resolve(securityGroupIngress);
  return rules as IngressRule[] | undefined ?? [];
}

/** Of TCP or of all protocols. What only the deployment knows may be for the port. */
function isForPort({ ipProtocol, fromPort, toPort }: IngressRule, port: number | undefined): boolean {
  const isKnown = (value: unknown) => typeof value === 'number' && !Token.isUnresolved(value);
  const atMost = (low: unknown, high: unknown) => !isKnown(low) || !isKnown(high) || Number(low) <= Number(high);
  if (typeof ipProtocol !== 'string' || Token.isUnresolved(ipProtocol) || ipProtocol === '-1') {
    return true;
  }
  return ['tcp', '6'].includes(ipProtocol) && atMost(fromPort, port) && atMost(port, toPort);
}

function executionRoleOf(tasks: readonly CfnResource[], roleArn: string): Warning | undefined {
  const definition = tasks.map(({ node: { scope } }) =>
    scope as IConstruct & { readonly executionRole?: iam.IRole; readonly taskRole?: iam.IRole })
    .find(({ executionRole, taskRole }) => executionRole?.roleArn === roleArn && taskRole?.roleArn !== roleArn);
  return definition && {
    id: 'cdk-aurora-iam-auth:executionRole',
    text: `the execution role of ${definition.node.path} may sign in, with which ECS starts the tasks and no `
      + 'container signs in; '
      + 'grant to taskDefinition.taskRole, or acknowledge',
  };
}
