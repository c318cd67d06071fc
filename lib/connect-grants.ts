import { Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type { ConnectGrantsOptions, ConnectStatementOptions } from './connect-options';
import { policyUsername, usernameProblem } from './contract/names';
import {
  addStatement, connectStatement, grantConnect, proxyInFront, rememberConnect, rememberEndpoint, rememberStatement,
} from './database/connect-permission';
import { sourceOf } from './database/fronted-database';
import { labelIn } from './database/label';
import { refuseRetainedAccess } from './database/removal-policies';
import { clusterTarget, instanceTarget, type SignInTarget } from './database/sign-in-target';
import { errorAt } from './model/errors';
import { isToBeLookedUp } from './model/token';
import { requireText } from './model/types';
import { warn } from './model/warning';

/**
 * Grants of `rds-db:connect` only: which principals may sign in to a database as which users.
 *
 * Needs no Lambda function and makes no database user. It leaves the database as it is: enable IAM authentication with
 * `ClusterIamAuthEnabled` or `InstanceIamAuthEnabled`, or with `iamAuthentication: true`. `DatabaseUser.grantConnect()`
 * does this for the users of this library.
 */
export class ConnectGrants {
  /**
   * Grants for the users of an Aurora or Multi-AZ DB cluster, whichever of its endpoints they use.
   *
   * A cluster made in this app (`DatabaseCluster`, `CfnDBCluster`, ...) must have IAM authentication
   * on when the app is synthesized. An imported cluster needs its `clusterResourceIdentifier`
   * (`cluster-ABCDEFGHIJKL01234`, not its name), and is taken to be in the account and Region of
   * the stack it is imported into unless the options say where it is.
   *
   * @param cluster the cluster
   * @param options where an imported cluster is, and its further resource ids
   * @returns the grants
   */
  public static fromCluster(cluster: rds.IDBClusterRef, options: ConnectGrantsOptions = {}): ConnectGrants {
    return new ConnectGrants(clusterTarget(cluster, options));
  }

  /**
   * Grants for the users of an RDS for PostgreSQL instance or read replica.
   *
   * One that is made in this app (`DatabaseInstance`, `DatabaseInstanceReadReplica`, `CfnDBInstance`, ...) must have
   * IAM authentication on when the app is synthesized; a read replica has a resource id of its own. An imported
   * instance needs its `instanceResourceId` (`db-ABCDEFGHIJKL01234`, not its name), and is taken to be in the account
   * and Region of the stack it is imported into unless the options say where it is.
   *
   * @param instance the instance; for a member of a cluster use `fromCluster`
   * @param options where an imported instance is, and its further resource ids
   * @returns the grants
   */
  public static fromInstance(instance: rds.IDBInstanceRef, options: ConnectGrantsOptions = {}): ConnectGrants {
    const target = instanceTarget(instance, options);
    const source = sourceOf(instance);
    if (source) {
      rememberEndpoint(source, 'replica', target);
    }
    return new ConnectGrants(target);
  }

  /**
   * Grants for clients of an RDS Proxy, which is half of the way: what the proxy does with the database is up to the
   * proxy.
   *
   * With `DefaultAuthScheme.IAM_AUTH` the proxy signs in with IAM as well, and its role needs the same grant on the
   * database: `user.grantConnect(grantee, { through: proxy })` does both. Without, it signs in with passwords, and
   * these are users that must not be members of `rds_iam`.
   *
   * The resource has the Region and the account of the proxy; those of an imported one are in its ARN.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html
   * @param proxy the proxy
   * @returns the grants
   */
  public static fromProxy(proxy: rds.IDBProxyRef): ConnectGrants {
    return new ConnectGrants(proxyInFront(proxy));
  }

  private constructor(private readonly target: SignInTarget) {
    refuseRetainedAccess(target);
  }

  /**
   * Adds `rds-db:connect` on this one user to the identity policy of the grantee.
   *
   * The resource has the Region and the account of the database. `*`, `?` and `$` in the username
   * stand for themselves.
   *
   * The synthesis fails when the policy has a removal policy that keeps it, because the permission would outlive the
   * grant, unless `cdk-aurora-iam-auth:retainedAccess` is acknowledged on it.
   *
   * Fails for a name that PostgreSQL, RDS or IAM does not take; for a grantee of another account,
   * because this permission does not cross accounts; and for one whose policies this app does not manage,
   * such as a role imported with `mutable: false`.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
   * @param grantee a role, user, group, or what has a role, such as a Lambda function
   * @param username name of the database user, exactly as spelled in the database (names are case-sensitive)
   * @returns the grant
   */
  public connect(grantee: iam.IGrantable, username: string): iam.Grant {
    if (Token.isUnresolved(username)) {
      throw errorAt(
        this.target.construct,
        'username is a token, and a * in it would let the grantee sign in as every user; '
        + 'give the username itself, or grant through a DatabaseUser',
      );
    }
    return grantConnect(this.target, grantee, username);
  }

  /**
   * Lets an identity sign in as the user that is in one of its tags: one statement for many people, each as a user of
   * their own.
   *
   * The tag is one of the role, or of the session, such as an attribute of IAM Identity Center. **Who may set the tag
   * says who signs in as whom**, as any user of this database that is a member of `rds_iam`. An identity without the
   * tag cannot sign in. The users themselves are created as usual, with names exactly as the tag has them.
   *
   * The warning `cdk-aurora-iam-auth:principalTag` says both; acknowledge it where the tag is protected and it was
   * tried.
   *
   * **Not verified on AWS** (`docs/unknowns.md#principal-tag`). AWS documents policy variables in the resource part of
   * an ARN in general, and not for IAM database authentication. Conditions are another matter: RDS does not evaluate
   * those of `rds-db:connect`.
   *
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
   * @param grantee a role, user, group, or what has a role
   * @param tagKey key of the tag, such as `DatabaseUser`
   * @returns the grant
   */
  public connectAsPrincipalTag(grantee: iam.IGrantable, tagKey: string): iam.Grant {
    this.checkTagKey(tagKey);
    const grant = addStatement(this.target, grantee, variableOf(tagKey));
    rememberConnect(this.target, grantee, { tagKey });
    return grant;
  }

  /**
   * The statement that `connect()` adds, for a policy that this app does not grant to an identity: a permission set of
   * IAM Identity Center, a managed policy, a text.
   *
   * It allows `rds-db:connect` as exactly this user of exactly this database, in its account and Region. The ARN has
   * tokens where the database is made in this app. The access report lists it whether it is used or not, and does not
   * see where it goes: pass a `label`.
   *
   * @see https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetcustom.html
   * @param username name of the database user, exactly as spelled in the database (names are case-sensitive)
   * @param options where the statement goes
   * @returns a new statement
   */
  public connectStatement(username: string, options: ConnectStatementOptions = {}): iam.PolicyStatement {
    const { construct } = this.target;
    requireText(construct, 'username', username);
    if (Token.isUnresolved(username)) {
      throw errorAt(
        construct,
        'username is a token, and a * in it would let the grantee sign in as every user; give the username itself',
      );
    }
    const problem = !isToBeLookedUp(username) && usernameProblem(username);
    if (problem) {
      throw errorAt(construct, problem);
    }
    this.target.check();
    rememberStatement(this.target, { username }, labelIn(this.target.construct, options));
    return connectStatement(this.target, policyUsername(username));
  }

  /**
   * The statement that `connectAsPrincipalTag()` adds, for a policy that this app does not grant to an identity: one
   * permission set for many people, each as a user of their own.
   *
   * What `connectAsPrincipalTag()` says of tags holds for it, its warning included.
   *
   * @param tagKey key of the tag, such as `DatabaseUser`
   * @param options where the statement goes
   * @returns a new statement
   */
  public connectAsPrincipalTagStatement(tagKey: string, options: ConnectStatementOptions = {}): iam.PolicyStatement {
    this.checkTagKey(tagKey);
    rememberStatement(this.target, { tagKey }, labelIn(this.target.construct, options));
    return connectStatement(this.target, variableOf(tagKey));
  }

  private checkTagKey(tagKey: string): void {
    const { construct, takesConditions } = this.target;
    requireText(construct, 'tag key', tagKey);
    if (!/^[\p{L}\p{N} _.:/=+\-@]{1,128}$/u.test(tagKey) || /^aws:/i.test(tagKey)) {
      throw errorAt(
        construct,
        `tag key ${JSON.stringify(tagKey)} is not one that a principal may have: 1 to 128 letters, digits, spaces `
        + 'and _.:/=+-@, not beginning with aws:; pass the key of a tag',
      );
    }
    if (!takesConditions) {
      throw errorAt(
        construct,
        'RDS Proxy supports no condition keys, which a tag in a policy is one of; grant for each user by its name',
      );
    }
    this.target.check();
    warn(construct, [{
      id: 'cdk-aurora-iam-auth:principalTag',
      text: `the tag ${JSON.stringify(tagKey)} of an identity says as which user it signs in: a principal that may `
        + 'set this tag signs in as any user of the database, '
        + 'and AWS does not document whether RDS takes a policy variable, so that the statement may let no identity '
        + 'in; restrict who may set the tag, try it on AWS, and acknowledge',
    }]);
  }
}

function variableOf(tagKey: string): string {
  return `\${aws:PrincipalTag/${tagKey}}`;
}
