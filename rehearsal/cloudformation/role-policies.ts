import { AccessRequest, Principal } from '../iam/condition-keys';
import { IdentityPolicies } from '../iam/identity-policies';
import { list, PolicyDocument } from '../iam/policy-document';
import { ResourceState } from './template';

/**
 * Policies of AWS that CDK attaches to roles, by what they allow. None but the last reaches what a rehearsal decides.
 */
const AWS_MANAGED_POLICIES: Record<string, string[]> = {
  'AmazonSSMManagedInstanceCore': ['ssm:*', 'ssmmessages:*', 'ec2messages:*'],
  'AWSXRayDaemonWriteAccess': ['xray:*'],
  'CloudWatchAgentServerPolicy': ['cloudwatch:*', 'logs:*'],
  'CloudWatchLambdaInsightsExecutionRolePolicy': ['logs:*'],
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs': ['logs:*'],
  'service-role/AmazonECSTaskExecutionRolePolicy': ['ecr:*', 'logs:*'],
  'service-role/AmazonRDSEnhancedMonitoringRole': ['logs:*'],
  'service-role/AWSLambdaBasicExecutionRole': ['logs:*'],
  'service-role/AWSLambdaDynamoDBExecutionRole': ['dynamodb:*', 'logs:*'],
  'service-role/AWSLambdaKinesisExecutionRole': ['kinesis:*', 'logs:*'],
  'service-role/AWSLambdaSQSQueueExecutionRole': ['sqs:*', 'logs:*'],
  'service-role/AWSLambdaVPCAccessExecutionRole': ['logs:*', 'ec2:*'],
  'AdministratorAccess': ['*'],
};

/** A policy that is in no rehearsed stack, none of AWS' that is known, and was not given. */
export interface PolicySources {
  /** A policy that was given, by its ARN. */
  readonly given?: (arn: string) => PolicyDocument | undefined;
  /**
   * Whether an unknown one is passed over: as if it were not there. Otherwise nothing is decided about the role.
   *
   * @default false
   */
  readonly ignoreUnknown?: boolean;
}

/** Whether a role may do something, by what exists at this moment, in whichever stack. */
export function roleAllows(
  role: ResourceState,
  existing: ResourceState[],
  request: Omit<AccessRequest, 'principal'>,
  sources: PolicySources = {},
): boolean {
  return policiesOfRole(role, existing, sources).allows({ ...request, principal: principalOf(role) });
}

/** Whether the trust policy of a role lets a service of AWS have it. Conditions are not looked at. */
export function mayBeAssumedBy({ properties }: ResourceState, service: string): boolean {
  const { Statement = [] } = (properties.AssumeRolePolicyDocument ?? {}) as {
    Statement?: TrustStatement | TrustStatement[];
  };
  return list(Statement).some(({ Effect, Action = [], Principal }) =>
    Effect === 'Allow' && list(Action).includes('sts:AssumeRole') && list(Principal?.Service ?? []).includes(service));
}

interface TrustStatement {
  readonly Effect: string;
  readonly Action?: string | string[];
  readonly Principal?: { readonly Service?: string | string[] };
}

/** The name of the session is not known, and with it `aws:userid`; nor are tags that only the stack has. */
function principalOf({ attributes, properties }: ResourceState): Principal {
  const tags = (properties.Tags ?? []) as { Key: string; Value: string }[];
  return { arn: attributes.Arn as string, tags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])) };
}

/** All identity-based policies that a role has, inline ones and those attached, and its permissions boundary. */
function policiesOfRole(role: ResourceState, existing: ResourceState[], sources: PolicySources): IdentityPolicies {
  const { PermissionsBoundary } = role.properties;
  return new IdentityPolicies([
    ...inlinePoliciesOf(role, existing).map(({ document }) => document),
    ...managedPoliciesOf(role, existing).flatMap(arn => managedPolicy(arn, existing, sources) ?? []),
  ], PermissionsBoundary === undefined ? undefined : managedPolicy(PermissionsBoundary as string, existing, sources));
}

/** Those of the role itself, and of resources `AWS::IAM::Policy`. */
export function inlinePoliciesOf(
  { properties: { Policies }, physicalId }: ResourceState,
  existing: ResourceState[],
): { name: string; document: PolicyDocument }[] {
  const own = (Policies ?? []) as { PolicyName?: string; PolicyDocument: PolicyDocument }[];
  return [
    ...own.map(({ PolicyName: name = '', PolicyDocument: document }) => ({ name, document })),
    ...attachedTo('AWS::IAM::Policy', physicalId, existing).map(({ properties }) => ({
      name: properties.PolicyName as string,
      document: properties.PolicyDocument as PolicyDocument,
    })),
  ];
}

/** ARNs of managed policies that the role names, or that name the role. */
export function managedPoliciesOf(
  { properties: { ManagedPolicyArns }, physicalId }: ResourceState,
  existing: ResourceState[],
): string[] {
  return [
    ...((ManagedPolicyArns ?? []) as string[]),
    ...attachedTo('AWS::IAM::ManagedPolicy', physicalId, existing).map(policy => policy.physicalId),
  ];
}

function attachedTo(type: string, roleName: string, existing: ResourceState[]): ResourceState[] {
  return existing.filter(
    state => state.type === type && (state.properties.Roles as string[] | undefined)?.includes(roleName),
  );
}

/** What a managed policy of a stack, or of AWS, says; undefined if it is not known. */
export function policyDocumentOf(arn: string, existing: ResourceState[]): PolicyDocument | undefined {
  return managedPolicy(arn, existing, { ignoreUnknown: true });
}

function managedPolicy(
  arn: string,
  existing: ResourceState[],
  { given, ignoreUnknown = false }: PolicySources,
): PolicyDocument | undefined {
  const own = existing.find(({ type, physicalId }) => type === 'AWS::IAM::ManagedPolicy' && physicalId === arn);
  if (own) {
    return own.properties.PolicyDocument as PolicyDocument;
  }
  const document = given?.(arn) ?? policyOfAws(arn);
  if (document === undefined && !ignoreUnknown) {
    throw new Error(`managed policy ${arn} is in no rehearsed stack, so its statements are not known`);
  }
  return document;
}

/** What a policy of AWS allows, if it is one of those that are known. */
export function policyOfAws(arn: string): PolicyDocument | undefined {
  const Action = AWS_MANAGED_POLICIES[arn.split(':policy/')[1]];
  return arn.includes(':iam::aws:policy/') && Action !== undefined
    ? { Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } }
    : undefined;
}
