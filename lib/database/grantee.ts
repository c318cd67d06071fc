import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { errorAt } from '../model/errors';
import { shown } from '../model/types';

/**
 * What wraps a role that may not be changed: `mutable: false`, `withoutPolicyUpdates()`, an imported role of another
 * account.
 */
const IMMUTABLE_ROLE = 'aws-cdk-lib.aws-iam.ImmutableRole';

/** JavaScript passes ARNs as well. */
export function requireGrantee(scope: IConstruct, grantee: iam.IGrantable | undefined): void {
  if (!(grantee as Partial<iam.IGrantable> | undefined)?.grantPrincipal) {
    throw errorAt(
      scope,
      `grantee is ${shown(grantee)}, and must be a role, or a construct that has one; `
      + 'pass it, or iam.Role.fromRoleArn(scope, id, arn)',
    );
  }
}

/**
 * Grants something, or refuses a grantee that it would not have any effect on.
 *
 * @param instead what to do for a role whose policies only AWS can change
 */
export function grantTo(
  scope: IConstruct, grantee: iam.IGrantable, instead: string, makeGrant: () => iam.Grant,
): iam.Grant {
  const owner = changedByAwsAlone(grantee);
  if (owner !== undefined) {
    throw errorAt(scope, `grantee ${nameOf(grantee)} is the role of ${owner}, and only AWS can change its `
      + `policies; ${instead}`);
  }
  const grant = makeGrant();
  if (isNoOpGrant(grant, grantee)) {
    throw errorAt(scope, `grantee ${nameOf(grantee)} cannot be granted permissions: its policies are not `
      + 'managed by this app; '
      + 'pass a role, user or group whose policies this app may change (an imported role: not with mutable: false, '
      + 'and in a stack of its own account); '
      + 'an account, a service or another principal gets in by a role that it may assume');
  }
  return grant;
}

/**
 * Whether a grant changes no policy; `success` is true for a principal that says it has added the statement, and drops
 * it.
 */
function isNoOpGrant({ success, resourceStatement }: iam.Grant, grantee: iam.IGrantable): boolean {
  return !success || (resourceStatement === undefined && dropsStatements(grantee.grantPrincipal));
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
function changedByAwsAlone({ grantPrincipal }: iam.IGrantable): string | undefined {
  const { roleArn = '' } = grantPrincipal as Partial<iam.IRole>;
  return CHANGED_BY_AWS_ALONE.find(({ pattern }) => pattern.test(roleArn))?.what;
}
