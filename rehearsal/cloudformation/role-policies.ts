import { IdentityPolicies, PolicyDocument } from '../iam/identity-policies';
import { ResourceState } from './template';

/** Policies of AWS that CDK attaches to functions. None of them reaches what a rehearsal decides. */
const AWS_MANAGED_POLICIES: Record<string, string[]> = {
  'service-role/AWSLambdaBasicExecutionRole': ['logs:*'],
  'service-role/AWSLambdaVPCAccessExecutionRole': ['logs:*', 'ec2:*'],
};

/** All identity-based policies that a role has at this moment: inline ones and those attached, from whichever stack. */
export function policiesOfRole(role: ResourceState, existing: ResourceState[]): IdentityPolicies {
  const { Policies, ManagedPolicyArns, PermissionsBoundary } = role.properties;
  if (PermissionsBoundary !== undefined) {
    throw new Error(`role ${role.physicalId} has a permissions boundary, which is not rehearsed`);
  }
  const inline = (Policies ?? []) as { PolicyDocument: PolicyDocument }[];
  const attached = existing.filter(({ type, properties }) =>
    ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].includes(type) && (properties.Roles as string[] | undefined)?.includes(role.physicalId));
  const managed = ((ManagedPolicyArns ?? []) as string[]).map(arn => managedPolicy(arn, existing));
  return new IdentityPolicies([
    ...inline.map(policy => policy.PolicyDocument),
    ...attached.map(({ properties }) => properties.PolicyDocument as PolicyDocument),
    ...managed,
  ]);
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
