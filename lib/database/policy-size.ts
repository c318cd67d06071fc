import { Annotations, FeatureFlags, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as cxapi from 'aws-cdk-lib/cx-api';
import { Construct, type IConstruct } from 'constructs';
import { nameOf } from './grantee';
import type { ConnectResource } from '../model/access-model';
import { appAccess } from '../model/app-access';

/** Id of the warning, for those who acknowledge it. */
const POLICY_SIZE = 'cdk-aurora-iam-auth:policySize';

/** From here on there is a warning. */
const WARN_AT_FRACTION = 0.75;

interface Quota {
  readonly kind: string;
  readonly of: string;
  readonly characters: number;
}

/** Parts of an ARN that only the deployment knows, at their longest. */
const LONGEST = {
  partition: 'aws-us-gov',
  region: 'ap-southeast-2',
  account: '111111111111',
  resourceId: 'cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
};

/** Path of what has the statements of a grantee: an identity, or a policy of its own. */
export function policyOf(grantee: iam.IGrantable): string | undefined {
  return [grantee.grantPrincipal, grantee].find(candidate => Construct.isConstruct(candidate))?.node.path;
}

/**
 * CDK splits the policies of a role that it makes, and warns of their sizes. For everything else only IAM counts, and
 * only when it is deployed.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 * @param resources what was granted last
 */
export function warnOfPolicySize(
  grantee: iam.IGrantable,
  database: IConstruct,
  resources: readonly ConnectResource[],
): void {
  const quota = quotaOf(grantee);
  const policy = policyOf(grantee);
  if (!quota || policy === undefined) {
    return;
  }
  const scope = Construct.isConstruct(grantee) ? grantee : database;
  const isMinimized = FeatureFlags.of(scope).isEnabled(cxapi.IAM_MINIMIZE_POLICIES) === true;
  const granted = grantedTo(policy, database);
  const sizeOfAll = (all: readonly ConnectResource[]) => all.reduce((sum, each) => sum + sizeOf(each, isMinimized), 0);
  const characters = sizeOfAll(granted.flat());
  const limit = WARN_AT_FRACTION * quota.characters;
  if (characters > limit && characters - sizeOfAll(resources) <= limit) {
    Annotations.of(scope).addWarningV2(
      POLICY_SIZE,
      `${quota.kind} ${nameOf(grantee)} may sign in as ${granted.length} users `
      + `by now, which takes about ${characters} of the ${quota.characters} characters that IAM allows for ${quota.of}, `
      + 'and CDK does not split them; grant to a role of this app, or to an iam.ManagedPolicy for each part of the users',
    );
  }
}

/** Those of each grant. */
function grantedTo(policy: string, database: IConstruct): (readonly ConnectResource[])[] {
  const grants = [...appAccess(database).models.values()].flatMap(({ signIns }) => [...signIns.values()].flat());
  return grants.flatMap(({ policyOf: path, resources }) => path === policy && resources ? [resources] : []);
}

/** About how many characters of a policy it takes to allow it. */
function sizeOf({ region, account, resourceId, username }: ConnectResource, isMinimized: boolean): number {
  const known = (text: string, longest: string) => Token.isUnresolved(text) ? longest : text;
  const place = `${known(region, LONGEST.region)}:${known(account, LONGEST.account)}`;
  const arn = `arn:${LONGEST.partition}:rds-db:${place}:dbuser:${known(resourceId, LONGEST.resourceId)}/${username}`;
  return JSON.stringify(isMinimized ? [arn] : { Action: 'rds-db:connect', Effect: 'Allow', Resource: arn }).length;
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
      : 'roleArn' in grantPrincipal
        ? { kind: 'imported role', of: 'all inline policies of a role', characters: 10_240 }
        : undefined;
}
