import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';

/**
 * How the provisioner signs in to the database to create users.
 *
 * The user must be allowed to create roles and to grant `rds_iam`, as the master user is. It must not be
 * a member of `rds_iam`, because then its password does not work.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
 */
export class AdminCredentials {
  /**
   * Username and password from a secret.
   *
   * Only the fields `username` and `password` are read, each time the provisioner runs, so that a
   * rotated password is no problem. The provisioner gets `secretsmanager:GetSecretValue` and
   * `secretsmanager:DescribeSecret` on this secret, and `kms:Decrypt` on its key where the app knows it.
   *
   * @param secret the secret
   */
  public static fromSecret(secret: secretsmanager.ISecret): AdminCredentials {
    return new AdminCredentials(secret);
  }

  /** @internal */
  public readonly _secret: secretsmanager.ISecret;

  private constructor(secret: secretsmanager.ISecret) {
    this._secret = secret;
  }
}
