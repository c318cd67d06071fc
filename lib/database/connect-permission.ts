import { Aws, Token, TokenComparison } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import { warnOfClosedEntrance } from './entrance';
import { databasesBehind } from './fronted-database';
import { grantTo, nameOf, requireGrantee } from './grantee';
import { policyOf, warnOfPolicySize } from './policy-size';
import { principalOf } from './principal';
import { refuseRetainedAccess } from './removal-policies';
import { proxyTarget, type SignInTarget } from './sign-in-target';
import { policyUsername, usernameProblem } from '../contract/names';
import type { ClientEndpoint, Principal, SignInGrant } from '../model/access-model';
import { accessModelOf, addSignIn } from '../model/app-access';
import { errorAt } from '../model/errors';
import { isToBeLookedUp } from '../model/token';
import { requireText } from '../model/types';

const CONNECT = 'rds-db:connect';

interface ConnectOptions {
  /** The proxy or the provisioner whose role the grantee is. */
  readonly onBehalfOf?: IConstruct;

  /** Where the app says that a policy goes. */
  readonly label?: string;
}

/**
 * Adds `rds-db:connect` on one user to the identity policy of the grantee.
 *
 * @param username may be a token, for a user whose custom resource refuses what would have to be escaped
 */
export function grantConnect(
  target: SignInTarget, grantee: iam.IGrantable, username: string, { onBehalfOf, label }: ConnectOptions = {},
): iam.Grant {
  const { construct, region, account, resourceId, alsoResourceIds } = target;
  requireGrantee(construct, grantee);
  requireText(construct, 'username', username);
  target.check();
  const known = !Token.isUnresolved(username);
  const problem = known && !isToBeLookedUp(username) && usernameProblem(username);
  if (problem) {
    throw errorAt(construct, problem);
  }
  const resource = known ? policyUsername(username) : username;
  const grant = addStatement(target, grantee, resource);
  const granted = [resourceId, ...alsoResourceIds].map(id => ({ region, account, resourceId: id, username: resource }));
  rememberConnect(target, grantee, {
    username, onBehalfOf: onBehalfOf?.node.path, policyOf: policyOf(grantee), resources: granted,
  }, label);
  warnOfPolicySize(grantee, construct, granted);
  if (!onBehalfOf) {
    warnOfClosedEntrance(target, grantee);
  }
  return grant;
}

/** Adds a statement to the policy of the grantee, or refuses one that it would not have any effect on. */
export function addStatement(target: SignInTarget, grantee: iam.IGrantable, resource: string): iam.Grant {
  const { construct } = target;
  requireGrantee(construct, grantee);
  checkAccount(target, grantee);
  return grantTo(
    construct,
    grantee,
    'put connectStatement() of ConnectGrants into the permission set, or grant to a managed policy that it names',
    () => iam.Grant.addToPrincipal({ grantee, actions: [CONNECT], resourceArns: connectArns(target, resource) }),
  );
}

/** For those who ask later who may sign in. */
export function rememberConnect(
  { identity, alsoResourceIds }: SignInTarget, grantee: iam.IGrantable, grant: Omit<SignInGrant, 'principal'>,
  label?: string,
): void {
  alsoResourceIds.forEach(id => accessModelOf(identity).alsoResourceIds.add(id));
  let principal: Principal | undefined;
  addSignIn(accessModelOf(identity), {
    ...grant,
    get principal() {
      return principal ??= { ...principalOf(grantee), ...label === undefined ? {} : { label } };
    },
  });
}

/** A statement that the app puts somewhere itself. */
export function rememberStatement(
  { identity, alsoResourceIds }: SignInTarget, grant: Pick<SignInGrant, 'username' | 'tagKey'>, label?: string,
): void {
  alsoResourceIds.forEach(id => accessModelOf(identity).alsoResourceIds.add(id));
  addSignIn(accessModelOf(identity), {
    ...grant, principal: { kind: 'statement', ...label === undefined ? {} : { label } },
  });
}

/** @param resource as it is in the policy */
export function connectStatement(target: SignInTarget, resource: string): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions: [CONNECT], resources: connectArns(target, resource) });
}

function connectArns({ region, account, resourceId, alsoResourceIds }: SignInTarget, resource: string): string[] {
  return [resourceId, ...alsoResourceIds]
    .map(id => `arn:${Aws.PARTITION}:rds-db:${region}:${account}:dbuser:${id}/${resource}`);
}

/** A proxy as a target, which the databases behind it know from then on. */
export function proxyInFront(proxy: rds.IDBProxyRef): SignInTarget {
  const target = proxyTarget(proxy);
  databasesBehind(proxy).forEach(database => rememberEndpoint(database, 'proxy', target));
  refuseRetainedAccess(target);
  return target;
}

/** @param database the cluster or instance whose users the clients of the endpoint have */
export function rememberEndpoint(
  database: IConstruct, kind: ClientEndpoint['kind'], { construct, identity }: SignInTarget,
): void {
  const model = accessModelOf(identity);
  accessModelOf(database).endpoints.set(model.path, { kind, path: construct.node.path, model });
}

function checkAccount({ construct, account }: SignInTarget, grantee: iam.IGrantable): void {
  const { principalAccount } = grantee.grantPrincipal;
  if (principalAccount && Token.compareStrings(principalAccount, account) === TokenComparison.DIFFERENT) {
    throw errorAt(construct, `grantee ${nameOf(grantee)} is in account ${principalAccount} and the database in `
      + `${account}, and rds-db:connect does not cross accounts; `
      + `create a role in account ${account} that account ${principalAccount} may assume, and grant it to that role`);
  }
}
