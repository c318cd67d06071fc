import { Aws, Token, TokenComparison } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { policyUsername, usernameProblem } from './contract/names';
import { errorAt } from './private/errors';
import { addsNothing, nameOf } from './private/grantee';
import { clusterTarget, instanceTarget, proxyTarget, SignInTarget } from './private/sign-in-target';

/** What bounds a grant. */
export interface ConnectOptions {
  /**
   * When the permission ends. It has no effect afterwards, whether or not there is another deployment; sessions that are open then go on.
   *
   * It becomes a condition on `aws:CurrentTime`. AWS lists the condition keys that IAM database authentication does not support, and this is not among
   * them; nobody has tried it for this library. A proxy takes no conditions.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
   * @default - it does not end
   */
  readonly until?: Date;
}

/**
 * The IAM half alone: who may sign in to a database as which user.
 *
 * Needs no Lambda function and makes no database user. It leaves the database as it is:
 * switch IAM authentication on with `ClusterIamAuthentication` or `InstanceIamAuthentication`, or with `iamAuthentication: true`.
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
    return new ConnectGrants(clusterTarget(cluster));
  }

  /**
   * Grants for the users of an RDS for PostgreSQL instance or read replica.
   *
   * One that is made in this app (`DatabaseInstance`, `DatabaseInstanceReadReplica`, `CfnDBInstance`, ...) must have IAM
   * authentication on when the app is synthesized; a read replica has a resource id of its own. An imported instance
   * needs its `instanceResourceId` (`db-ABCDEFGHIJKL01234`, not its name), and is taken to be in the account and Region of
   * the stack it is imported into.
   *
   * @param instance the instance; for a member of a cluster use `fromCluster`
   */
  public static fromInstance(instance: rds.IDBInstanceRef): ConnectGrants {
    return new ConnectGrants(instanceTarget(instance));
  }

  /**
   * Grants for clients of an RDS Proxy, which is half of the way: what the proxy does with the database is up to the proxy.
   *
   * With `DefaultAuthScheme.IAM_AUTH` the proxy signs in with IAM as well, and its role needs the same grant on the database: `user.grantConnect(grantee, { through: proxy })`
   * does both. Without, it signs in with passwords, and these are users that must not be members of `rds_iam`.
   *
   * The resource has the Region and the account of the proxy; those of an imported one are in its ARN.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html
   * @param proxy the proxy
   */
  public static fromProxy(proxy: rds.IDBProxyRef): ConnectGrants {
    return new ConnectGrants(proxyTarget(proxy));
  }

  private constructor(private readonly target: SignInTarget) {}

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
   * @param options what bounds the grant
   */
  public connect(grantee: iam.IGrantable, username: string, options: ConnectOptions = {}): iam.Grant {
    if (Token.isUnresolved(username)) {
      throw errorAt(this.target.construct, 'username is a token, and a * in it would let the grantee sign in as every user; give the username itself, or grant through a DatabaseUser');
    }
    return this._connect(grantee, username, options);
  }

  /**
   * Also takes a token, for a user whose custom resource refuses what would have to be escaped.
   *
   * @internal
   */
  public _connect(grantee: iam.IGrantable, username: string, options: ConnectOptions = {}): iam.Grant {
    const { construct, region, account, resourceId } = this.target;
    this.target.check();
    const known = !Token.isUnresolved(username);
    const problem = known && usernameProblem(username);
    if (problem) {
      throw errorAt(construct, problem);
    }
    this.checkAccount(grantee);
    const resource = `arn:${Aws.PARTITION}:rds-db:${region}:${account}:dbuser:${resourceId}/${known ? policyUsername(username) : username}`;
    const grant = iam.Grant.addToPrincipal({ grantee, actions: ['rds-db:connect'], resourceArns: [resource], conditions: this.conditions(options) });
    if (addsNothing(grant, grantee)) {
      throw errorAt(construct, `grantee ${nameOf(grantee)} takes no policy statement, so that rds-db:connect would be granted to nobody; `
        + 'pass a role, user or group whose policies this app may change (an imported role: not with mutable: false, and in a stack of its own account); '
        + 'an account, a service or another principal gets in by a role that it may assume');
    }
    return grant;
  }

  private conditions({ until }: ConnectOptions): { [operator: string]: { [key: string]: string } } | undefined {
    if (until === undefined) {
      return undefined;
    }
    const { construct, takesConditions } = this.target;
    if (Number.isNaN(until.getTime())) {
      throw errorAt(construct, 'until is not a point in time; pass a Date, such as new Date(\'2027-01-31T00:00:00Z\')');
    }
    if (!takesConditions) {
      throw errorAt(construct, `until ${until.toISOString()} is a condition, and RDS Proxy supports none, so that nobody could sign in or the permission would not end; grant without it, and take the grant out of the app then`);
    }
    // Seconds: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    return { DateLessThan: { 'aws:CurrentTime': until.toISOString().replace(/\.\d+Z$/, 'Z') } };
  }

  private checkAccount(grantee: iam.IGrantable): void {
    const { construct, account } = this.target;
    const { principalAccount } = grantee.grantPrincipal;
    if (principalAccount && Token.compareStrings(principalAccount, account) === TokenComparison.DIFFERENT) {
      throw errorAt(construct, `grantee ${nameOf(grantee)} is in account ${principalAccount} and the database in ${account}, and rds-db:connect does not cross accounts; `
        + `create a role in account ${account} that account ${principalAccount} may assume, and grant it to that role`);
    }
  }
}
