import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { requireConstruct, requireKind, requireText } from './model/types';
import type { Admin } from './provisioner/admin';

/**
 * How the provisioner signs in to the database to create users.
 *
 * The user must be allowed to create roles and to grant `rds_iam`, as the master user is.
 */
export class AdminCredentials {
  /**
   * Username and password from a secret.
   *
   * The user must not be a member of `rds_iam`, because then its password does not work. Only the fields `username` and
   * `password` are read, each time the provisioner runs, so that a rotated password is no problem. The provisioner gets
   * `secretsmanager:GetSecretValue` on this secret, and `kms:Decrypt` on its key where the app knows it. On PostgreSQL
   * 14, where every user can make the admin a member of `rds_iam`, it also gets `rds-db:connect` as the admin, to take
   * such a membership back, where the app knows the version and the name of the admin.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
   * @param secret the secret
   * @returns the credentials, for `admin`
   */
  public static fromSecret(secret: secretsmanager.ISecret): AdminCredentials {
    const instead = 'a secretsmanager.Secret, or the secret of a database that has one';
    requireConstruct(undefined, 'secret', secret, instead);
    requireKind(undefined, 'secret', secret, 'secretArn', 'a secret', instead);
    return new AdminCredentials({ secret });
  }

  /**
   * A user that signs in with a token, so that there is no password at all.
   *
   * The provisioner gets `rds-db:connect` on this one user of this one database, and reads no secret. It makes its
   * tokens itself, so that it needs no way to Secrets Manager: subnets without NAT gateway and endpoints will do.
   *
   * The user must be a member of `rds_iam`; if it is not, or does not exist, the first deployment of a user fails at
   * the sign-in. It is one of these:
   *
   * - The master user of a database with `MasterUserAuthenticationType: iam-db-auth`, without a password and with IAM
   *   authentication. AWS does not document that such a master may create roles
   *   (`docs/unknowns.md#iam-db-auth-master`).
   * - A role of its own, with CREATEROLE, the ADMIN OPTION on `rds_iam` (from PostgreSQL 16 on), and CREATE on database
   *   `postgres`, which may act for the owners of what is granted. `docs/admin.md` has the SQL that makes one,
   *   also for a database whose users a master with a password has created.
   *
   * Fails for a name that PostgreSQL, RDS or IAM does not take, and for a token.
   *
   * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html
   * @param username name of the user, exactly as spelled in the database (names are case-sensitive)
   * @returns the credentials, for `admin`
   */
  public static fromIam(username: string): AdminCredentials {
    requireText(undefined, 'username of the admin', username);
    return new AdminCredentials({ username });
  }

  /** @internal */
  public readonly _admin: Admin;

  private constructor(admin: Admin) {
    this._admin = admin;
  }
}
