import { Aws, Token, TokenComparison } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { policyUsername, usernameProblem } from './contract/names';
import { errorAt } from './private/errors';
import { addsNothing, nameOf } from './private/grantee';
import { requireIamAuthentication } from './private/iam-authentication';

/**
 * The IAM half alone: who may sign in to a database as which user.
 *
 * Needs no Lambda function and makes no database user. It leaves the database as it is:
 * switch IAM authentication on with `ClusterIamAuthentication` or `iamAuthentication: true`.
 * `DatabaseUser.grantConnect()` does this for the users of this library.
 */
export class ConnectGrants {
  /**
   * Grants for the users of an Aurora or Multi-AZ DB cluster, whichever of its endpoints they use.
   *
   * A cluster made in this app (`DatabaseCluster`, `CfnDBCluster`, ...) must have IAM authentication
   * on when the app is synthesized. An imported cluster needs its `clusterResourceIdentifier`
   * (`cluster-ABCDEFGHIJKL01234`, not its name), and is taken to be in the account and Region of
   * the stack it is imported into.
   *
   * @param cluster the cluster
   */
  public static fromCluster(cluster: rds.IDBClusterRef): ConnectGrants {
    return new ConnectGrants(cluster, resourceIdOf(cluster));
  }

  private constructor(private readonly database: rds.IDBClusterRef, private readonly resourceId: string) {}

  /**
   * Adds `rds-db:connect` on this one user to the identity policy of the grantee.
   *
   * The resource has the Region and the account of the database. `*`, `?` and `$` in the username
   * stand for themselves.
   *
   * Fails for a name that PostgreSQL, RDS or IAM does not take; for a grantee of another account,
   * because this permission does not cross accounts; and for one that takes no policy statement,
   * such as a role imported with `mutable: false`.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
   * @param grantee a role, user, group, or what has a role, such as a Lambda function
   * @param username name of the database user, in the case it has in the database
   */
  public connect(grantee: iam.IGrantable, username: string): iam.Grant {
    if (Token.isUnresolved(username)) {
      throw errorAt(this.database, 'username is a token, and a * in it would let the grantee sign in as every user; give the username itself, or grant through a DatabaseUser');
    }
    return this._connect(grantee, username);
  }

  /**
   * Also takes a token, for a user whose custom resource refuses what would have to be escaped.
   *
   * @internal
   */
  public _connect(grantee: iam.IGrantable, username: string): iam.Grant {
    const { database } = this;
    const cluster = ownedClusterIn(database);
    if (cluster) {
      requireIamAuthentication(cluster);
    }
    const known = !Token.isUnresolved(username);
    const problem = known && usernameProblem(username);
    if (problem) {
      throw errorAt(database, problem);
    }
    this.checkAccount(grantee);
    const { account, region } = database.env;
    const resource = `arn:${Aws.PARTITION}:rds-db:${region}:${account}:dbuser:${this.resourceId}/${known ? policyUsername(username) : username}`;
    const grant = iam.Grant.addToPrincipal({ grantee, actions: ['rds-db:connect'], resourceArns: [resource] });
    if (addsNothing(grant, grantee)) {
      throw errorAt(database, `grantee ${nameOf(grantee)} takes no policy statement, so that rds-db:connect would be granted to nobody; `
        + 'pass a role, user or group whose policies this app may change (an imported role: not with mutable: false, and in a stack of its own account); '
        + 'an account, a service or another principal gets in by a role that it may assume');
    }
    return grant;
  }

  private checkAccount(grantee: iam.IGrantable): void {
    const { account } = this.database.env;
    const { principalAccount } = grantee.grantPrincipal;
    if (principalAccount && Token.compareStrings(principalAccount, account) === TokenComparison.DIFFERENT) {
      throw errorAt(this.database, `grantee ${nameOf(grantee)} is in account ${principalAccount} and the database in ${account}, and rds-db:connect does not cross accounts; `
        + `create a role in account ${account} that account ${principalAccount} may assume, and grant it to that role`);
    }
  }
}

/** An L1, or what an L2 was made of; undefined for an imported cluster. */
function ownedClusterIn(cluster: rds.IDBClusterRef): rds.CfnDBCluster | undefined {
  const candidate = rds.CfnDBCluster.isCfnDBCluster(cluster) ? cluster : cluster.node.defaultChild;
  return rds.CfnDBCluster.isCfnDBCluster(candidate) ? candidate : undefined;
}

function resourceIdOf(cluster: rds.IDBClusterRef): string {
  const owned = ownedClusterIn(cluster);
  if (owned) {
    return owned.attrDbClusterResourceId;
  }
  const resourceId = (cluster as rds.IDatabaseCluster).clusterResourceIdentifier;
  if (!Token.isUnresolved(resourceId) && !/^cluster-[A-Z0-9]+$/.test(resourceId)) {
    throw errorAt(cluster, `clusterResourceIdentifier "${resourceId}" is not the resource id of a cluster, which looks like cluster-ABCDEFGHIJKL01234; `
      + 'take it from the Configuration tab of the RDS console, or DbClusterResourceId of aws rds describe-db-clusters');
  }
  return resourceId;
}
