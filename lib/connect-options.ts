import type * as rds from 'aws-cdk-lib/aws-rds';

/** Where an identity signs in as a user. */
export interface GrantConnectOptions {
  /**
   * The proxy that is signed in to, instead of the database.
   *
   * It must be a `DatabaseProxy` of this app with `DefaultAuthScheme.IAM_AUTH`. Its role gets the permission to sign in to the database as this user,
   * and the grantee the one to sign in to the proxy, not to the database.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html
   * @default - the grantee signs in to the database itself
   */
  readonly through?: rds.IDatabaseProxy;
}

/** Whom the variables are for. */
export interface ConnectionEnvironmentOptions {
  /**
   * The proxy to connect to, instead of the database. It answers on port 5432.
   *
   * Its certificate is of the CAs of Amazon and not of those of RDS, so PGSSLROOTCERT is another file then.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.html
   * @default - the writer of the cluster, or the instance
   */
  readonly through?: rds.IDatabaseProxy;

  /**
   * Whether AWS_REGION is among them, the Region that tokens are made for.
   *
   * Needed where nothing sets it (EC2), or where it is another Region than the one of the database.
   * Lambda and ECS set it, and Lambda refuses a function that wants to.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
   * @default false
   */
  readonly region?: boolean;
}

/** Where an imported database is, if that is not where it is imported. */
export interface ImportedDatabaseOptions {
  /**
   * The account of the database. Only its own identities can be granted anything.
   *
   * @default - the account of the stack it is imported into
   */
  readonly account?: string;

  /**
   * The Region of the database.
   *
   * @default - the Region of the stack it is imported into
   */
  readonly region?: string;
}
