/** Which operators a key works with. */
export type ValueType = 'String' | 'Numeric' | 'Date' | 'Bool' | 'Arn' | 'IpAddress';

export interface ConditionKey {
  /** Undefined when a request is known to come without this key. */
  readonly value: string | string[] | undefined;
  readonly types: ValueType[];
}

/** What a request says about a key. Throws when that is not known. Case does not matter in names. */
export type ConditionKeys = (name: string) => ConditionKey;

export interface Principal {
  /** Of a user or a role. */
  readonly arn: string;
  readonly tags: Record<string, string>;
  /** For a role `<role id>:<session name>`. @default - not known */
  readonly userId?: string;
}

export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  readonly principal: Principal;
  readonly at: Date;
}

/** @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.html */
const OF_PROXY = ':dbuser:prx-';

/** Signing in to a database or a proxy. Case does not matter in actions. */
export const isConnect = (action: string) => action.toLowerCase() === 'rds-db:connect';

const TAG = 'aws:principaltag/';

/**
 * The keys of which a rehearsal knows what AWS would answer. Of `rds-db:connect` they are asked for policy variables in
 * a resource only; that those work there is not documented.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function conditionKeysOf({ action, resource, principal, at }: AccessRequest): ConditionKeys {
  const [, , , , account, path] = principal.arn.split(':');
  const [kind, ...names] = path.split('/');
  const region = resource.split(':')[3];
  // Keys of a user's and a role's tags differ in more than case.
  const tags = new Map(Object.entries(principal.tags).map(([key, value]) => [key.toLowerCase(), value]));
  const known: Record<string, ConditionKey | undefined> = {
    // In whole seconds: AWS shows no smaller unit.
    'aws:currenttime': { value: `${at.toISOString().slice(0, 19)}Z`, types: ['Date'] },
    'aws:epochtime': { value: `${Math.floor(at.getTime() / 1000)}`, types: ['Date', 'Numeric'] },
    'aws:principalaccount': { value: account, types: ['String'] },
    // For a role that was assumed, too: not the ARN of the session.
    'aws:principalarn': { value: principal.arn, types: ['Arn', 'String'] },
    'aws:principaltype': { value: kind === 'user' ? 'User' : 'AssumedRole', types: ['String'] },
    'aws:requestedregion': region ? { value: region, types: ['String'] } : undefined,
    // A token is taken over TLS only, and all endpoints of AWS that a rehearsal stands in for are HTTPS.
    'aws:securetransport': { value: 'true', types: ['Bool'] },
    'aws:userid': principal.userId === undefined ? undefined : { value: principal.userId, types: ['String'] },
    'aws:username': { value: kind === 'user' ? names.at(-1) : undefined, types: ['String'] },
  };
  return (name) => {
    const key = name.toLowerCase();
    if (isConnect(action) && resource.includes(OF_PROXY)) {
      throw new Error(
        `RDS Proxy supports no condition keys, so what a policy with ${name} does there is not known; narrow the resource instead`,
      );
    }
    // Tags of AWS itself are not in a template.
    const answer = key.startsWith(TAG) && !key.startsWith(`${TAG}aws:`)
      ? { value: tags.get(key.slice(TAG.length)), types: ['String' as const] }
      : Object.hasOwn(known, key) ? known[key] : undefined;
    if (answer === undefined) {
      throw new Error(
        `a rehearsal does not know condition key ${name} of this request; it knows `
        + 'aws:CurrentTime, aws:EpochTime, aws:PrincipalAccount, aws:PrincipalArn, aws:PrincipalTag/..., aws:PrincipalType, aws:SecureTransport and '
        + 'aws:username, aws:RequestedRegion for a resource with a Region, and aws:userid when the session has a name',
      );
    }
    return answer;
  };
}
