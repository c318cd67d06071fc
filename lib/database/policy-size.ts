import { Annotations, FeatureFlags, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as cxapi from 'aws-cdk-lib/cx-api';
import { Construct, IConstruct } from 'constructs';
import { nameOf } from './grantee';

/** Id of the warning, for those who acknowledge it. */
const POLICY_SIZE = 'cdk-aurora-iam-auth:policySize';

/** From here on there is a warning. */
const MUCH = 0.75;

interface Quota {
  readonly kind: string;
  readonly of: string;
  readonly characters: number;
}

/** Per identity that is granted to: how many users, and about how many characters. */
const GRANTED = new WeakMap<object, { grants: number; characters: number; warned: boolean }>();

/** Parts of an ARN that only the deployment knows, at their longest. */
const LONGEST = { partition: 'aws-us-gov', region: 'ap-southeast-2', account: '111111111111', resourceId: 'cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ' };

export interface GrantedUser {
  readonly region: string;
  readonly account: string;
  readonly resourceId: string;
  /** As it is in the policy. */
  readonly username: string;
}

/**
 * CDK splits the policies of a role that it makes, and warns of their sizes. For everything else only IAM counts, and only when it is deployed.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export function warnOfPolicySize(grantee: iam.IGrantable, database: IConstruct, { region, account, resourceId, username }: GrantedUser): void {
  const quota = quotaOf(grantee);
  if (!quota) {
    return;
  }
  const scope = Construct.isConstruct(grantee) ? grantee : database;
  const known = (text: string, longest: string) => Token.isUnresolved(text) ? longest : text;
  const arn = `arn:${LONGEST.partition}:rds-db:${known(region, LONGEST.region)}:${known(account, LONGEST.account)}:dbuser:${known(resourceId, LONGEST.resourceId)}/${username}`;
  const isMinimized = FeatureFlags.of(scope).isEnabled(cxapi.IAM_MINIMIZE_POLICIES);
  const written = isMinimized ? [arn] : { Action: 'rds-db:connect', Effect: 'Allow', Resource: arn };
  const granted = GRANTED.get(grantee.grantPrincipal) ?? { grants: 0, characters: 0, warned: false };
  GRANTED.set(grantee.grantPrincipal, granted);
  granted.grants++;
  granted.characters += JSON.stringify(written).length;
  if (granted.characters > MUCH * quota.characters && !granted.warned) {
    granted.warned = true;
    Annotations.of(scope).addWarningV2(POLICY_SIZE, `${quota.kind} ${nameOf(grantee)} may sign in as ${granted.grants} users by now, which takes about ${granted.characters} of the `
    + `${quota.characters} characters that IAM allows for ${quota.of}, and CDK does not split them; grant to a role of this app, or to an iam.ManagedPolicy for each part of the users`);
  }
}

function quotaOf(grantee: iam.IGrantable): Quota | undefined {
  const { grantPrincipal } = grantee;
  if (grantee instanceof iam.ManagedPolicy) {
    return { kind: 'managed policy', of: 'a managed policy', characters: 6_144 };
  }
  if (grantPrincipal instanceof iam.Role || grantPrincipal instanceof iam.LazyRole) {
    return undefined;
  }
  return 'userArn' in grantPrincipal
    ? { kind: 'user', of: 'all inline policies of a user', characters: 2_048 }
    : 'groupArn' in grantPrincipal
      ? { kind: 'group', of: 'all inline policies of a group', characters: 5_120 }
      : 'roleArn' in grantPrincipal ? { kind: 'imported role', of: 'all inline policies of a role', characters: 10_240 } : undefined;
}
