import { Reference, Tokenization } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import type { Database } from './database';
import { databasesBehind } from './fronted-database';
import { proxyIn } from './sign-in-target';
import { errorAt } from '../model/errors';

/** The role with which a proxy signs in to the database with IAM, as a user that is a member of rds_iam. */
export function roleOfProxy(
  user: IConstruct, proxy: rds.IDBProxyRef, { construct, target: { identity } }: Database,
): iam.IRole {
  const byHand = 'grant both yourself: ConnectGrants.fromProxy(proxy).connect(grantee, username), '
    + 'and to the role of the proxy ConnectGrants.fromCluster(cluster).connect(role, username), or fromInstance';
  const owned = proxyIn(proxy);
  if (!owned) {
    throw errorAt(
      user,
      `proxy ${proxy.node.path} is imported, and does not tell its role, which needs rds-db:connect on the database; ${byHand}`,
    );
  }
  if (owned.defaultAuthScheme !== 'IAM_AUTH') {
    throw errorAt(
      user,
      `proxy ${proxy.node.path} signs in to the database with a password, which a member of rds_iam cannot, as this user is; `
      + 'make the proxy with defaultAuthScheme: DefaultAuthScheme.IAM_AUTH, or let the clients in directly',
    );
  }
  const behind = databasesBehind(proxy);
  if (behind.length > 0 && !behind.some(resource => resource === identity)) {
    throw errorAt(user, `proxy ${proxy.node.path} is in front of ${behind[0].node.path}, `
      + `and this is a user of ${construct.node.path}; pass a proxy of that one`);
  }
  const target = Tokenization.reverseString(owned.roleArn)
    .tokens.filter(token => Reference.isReference(token))
    .map(reference => reference.target)[0];
  const role = iam.CfnRole.isCfnRole(target) ? target.node.scope : undefined;
  if (!(role instanceof iam.Role)) {
    throw errorAt(
      user,
      `the role of proxy ${proxy.node.path} is not a Role of this app, and it needs rds-db:connect on the database; pass one as role of the proxy, or ${byHand}`,
    );
  }
  return role;
}
