import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/**
 * What wraps a role that may not be changed: `mutable: false`, `withoutPolicyUpdates()`, an imported role of another
 * account.
 */
const IMMUTABLE_ROLE = 'aws-cdk-lib.aws-iam.ImmutableRole';

/**
 * Whether a grant changes no policy; `success` is true for a principal that says it has added the statement, and drops
 * it.
 */
export function isNoOpGrant(grant: iam.Grant, grantee: iam.IGrantable): boolean {
  return !grant.success || dropsStatements(grantee.grantPrincipal);
}

function dropsStatements(principal: iam.IPrincipal): boolean {
  const { wrapped } = principal as { wrapped?: iam.IPrincipal }; // a principal with conditions or session tags
  if (wrapped) {
    return dropsStatements(wrapped);
  }
  const { name, PROPERTY_INJECTION_ID } = principal.constructor as { name?: string; PROPERTY_INJECTION_ID?: string };
  return principal instanceof iam.UnknownPrincipal || PROPERTY_INJECTION_ID === IMMUTABLE_ROLE
    || name === 'ImmutableRole';
}

export function nameOf(grantee: iam.IGrantable): string {
  const construct = [grantee, grantee.grantPrincipal].find(candidate => Construct.isConstruct(candidate));
  return construct?.node.path ?? grantee.grantPrincipal.constructor.name;
}

/** By the path in its ARN or, where an import by name has none, by the name there. */
const CHANGED_BY_AWS_ALONE = [
  { pattern: /(:role\/aws-reserved\/|(^|\/)AWSReservedSSO_)/, what: 'a permission set of IAM Identity Center' },
  { pattern: /(:role\/aws-service-role\/|(^|\/)AWSServiceRoleFor)/, what: 'an AWS service (a service-linked role)' },
];

/**
 * Of a role whose policies no app can change. CDK takes an import of it for any other.
 *
 * @returns whose role it is
 * @see https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
 */
export function changedByAwsAlone({ grantPrincipal }: iam.IGrantable): string | undefined {
  const { roleArn = '' } = grantPrincipal as Partial<iam.IRole>;
  return CHANGED_BY_AWS_ALONE.find(({ pattern }) => pattern.test(roleArn))?.what;
}
