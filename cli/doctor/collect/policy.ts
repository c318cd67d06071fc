import { AwsAccount } from '../aws/account';
import { Caller, DatabaseFacts, isSeen, PolicyFacts, ProxyFacts, Seen } from '../observations';

/** As `rds-db:connect` names a user. */
export function connectArn(arn: string, resourceId: string, username: string): string {
  const [, partition, , region, account] = arn.split(':');
  return `arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId}/${username}`;
}

/** Whether the caller may sign in as this user to the database, or to the proxy in front of it. */
export async function lookAtPolicy(
  aws: AwsAccount,
  caller: Caller,
  { arn, resourceId }: Pick<DatabaseFacts | ProxyFacts, 'arn' | 'resourceId'>,
  username: string,
): Promise<Seen<PolicyFacts>> {
  return permission(aws, caller.arn, 'rds-db:connect', connectArn(arn, resourceId, username));
}

/** Whether an identity may do something. */
export async function permission(
  aws: AwsAccount,
  identity: string,
  action: string,
  resource: string,
): Promise<Seen<PolicyFacts>> {
  const [, partition, service, , account, path = ''] = identity.split(':');
  const [kind, ...names] = path.split('/');
  if (kind === 'assumed-role' || (service === 'iam' && kind === 'role')) {
    const name = kind === 'role' ? names.at(-1)! : names[0];
    const [role, documents] = await Promise.all([aws.iam.role(name), aws.iam.policiesOfRole(name)]);
    // The ARN of a session has no path. Without iam:GetRole it is taken for none, and IAM finds no such role if there
    // is one.
    const principal
      = kind === 'role' ? identity : isSeen(role) ? role.value.arn : `arn:${partition}:iam::${account}:role/${name}`;
    return {
      value: {
        principal,
        action,
        resource,
        documents,
        simulation: await aws.iam.simulate(principal, action, resource),
      },
    };
  }
  if (service === 'iam' && kind === 'user') {
    const simulation = await aws.iam.simulate(identity, action, resource);
    return {
      value: {
        principal: identity,
        action,
        resource,
        simulation,
        documents: { unseen: 'needs iam:SimulatePrincipalPolicy' },
      },
    };
  }
  return { unseen: `policies of ${identity} are not looked at: it is neither a role nor a user` };
}
