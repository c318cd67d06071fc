import { ConditionKeys } from './condition-keys';
import { IdentityPolicies } from './identity-policies';
import { list, PolicyDocument } from './policy-document';

export interface SimulatedPolicies {
  readonly identity: PolicyDocument[];
  readonly boundary?: PolicyDocument;
  /** Service control policies of the organization: each must allow. */
  readonly organization?: PolicyDocument[];
}

export interface SimulatedDecision {
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny';
  readonly boundaryAllows?: boolean;
  readonly organizationAllows?: boolean;
  /** Keys of conditions that the request has no value for. */
  readonly missing: string[];
}

/**
 * As IAM's simulator, for a request without any context: a key has no value, and is listed.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export function simulate(
  { identity, boundary, organization = [] }: SimulatedPolicies,
  action: string,
  resource: string,
): SimulatedDecision {
  const missing = new Set<string>();
  const keys: ConditionKeys = (name) => {
    missing.add(name);
    return { value: undefined, types: ['String', 'Numeric', 'Date', 'Bool', 'Arn', 'IpAddress'] };
  };
  const decide = (documents: PolicyDocument[]) => new IdentityPolicies(documents).decide({ action, resource, keys });
  const allows = (document: PolicyDocument) => decide([document]);
  const isDenied = decide(identity.map(document => ({
    ...document,
    Statement: list(document.Statement)
      .filter(({ Effect }) => Effect === 'Deny')
      .map(statement => ({ ...statement, Effect: 'Allow' })),
  })));
  const boundaryAllows = boundary && allows(boundary);
  const organizationAllows = organization.length === 0 ? undefined : organization.every(allows);
  const isAllowed = decide(identity) && boundaryAllows !== false && organizationAllows !== false;
  return {
    decision: isDenied ? 'explicitDeny' : isAllowed ? 'allowed' : 'implicitDeny',
    boundaryAllows,
    organizationAllows,
    missing: [...missing],
  };
}
