import { AccessRequest, Principal } from '../iam/condition-keys';
import { IdentityPolicies } from '../iam/identity-policies';
import { list, PolicyDocument } from '../iam/policy-document';
import { ResourceState } from './template';

/** Policies of AWS that CDK attaches to functions. None of them reaches what a rehearsal decides. */
const AWS_MANAGED_POLICIES: Record<string, string[]> = {
  'service-role/AWSLambdaBasicExecutionRole': ['logs:*'],
  'service-role/AWSLambdaVPCAccessExecutionRole': ['logs:*', 'ec2:*'],
};

/** Whether a role may do something, by what exists at this moment, in whichever stack. */
export function roleAllows(role: ResourceState, existing: ResourceState[], request: Omit<AccessRequest, 'principal'>): boolean {
  return policiesOfRole(role, existing).allows({ ...request, principal: principalOf(role) });
}

/** Whether the trust policy of a role lets a service of AWS have it. Conditions are not looked at. */
export function mayBeAssumedBy({ properties }: ResourceState, service: string): boolean {
  const { Statement = [] } = (properties.AssumeRolePolicyDocument ?? {}) as { Statement?: TrustStatement | TrustStatement[] };
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
function policiesOfRole(role: ResourceState, existing: ResourceState[]): IdentityPolicies {
  const { Policies, ManagedPolicyArns, PermissionsBoundary } = role.properties;
  const inline = (Policies ?? []) as { PolicyDocument: PolicyDocument }[];
  const attached = existing.filter(({ type, properties }) =>
    ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].includes(type) && (properties.Roles as string[] | undefined)?.includes(role.physicalId));
  const managed = ((ManagedPolicyArns ?? []) as string[]).map(arn => managedPolicy(arn, existing));
  return new IdentityPolicies([
    ...inline.map(policy => policy.PolicyDocument),
    ...attached.map(({ properties }) => properties.PolicyDocument as PolicyDocument),
    ...managed,
  ], PermissionsBoundary === undefined ? undefined : managedPolicy(PermissionsBoundary as string, existing));
}

function managedPolicy(arn: string, existing: ResourceState[]): PolicyDocument {
  const own = existing.find(({ type, physicalId }) => type === 'AWS::IAM::ManagedPolicy' && physicalId === arn);
  if (own) {
    return own.properties.PolicyDocument as PolicyDocument;
  }
  const Action = AWS_MANAGED_POLICIES[arn.split(':policy/')[1]];
  if (!arn.includes(':iam::aws:policy/') || Action === undefined) {
    throw new Error(`managed policy ${arn} is in no rehearsed stack, so its statements are not known`);
  }
  return { Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } };
}
