import type * as rds from 'aws-cdk-lib/aws-rds';
import type { Endpoint } from './endpoint';

/** Where an identity signs in as a user. */
export interface GrantConnectOptions {
  /**
   * The proxy that is signed in to, instead of the database.
   *
   * It must be a `DatabaseProxy` of this app with `DefaultAuthScheme.IAM_AUTH`. Its role gets the permission to sign in
   * to the database as this user, and the grantee the one to sign in to the proxy, not to the database.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html
   * @default - the grantee signs in to the database itself
   */
  readonly through?: rds.IDatabaseProxy;

  /**
   * Where a managed policy that is granted to goes, for readers of the access report, such as `permission set Support`.
   *
   * IAM Identity Center attaches a managed policy by its name, which the report cannot see.
   *
   * @default - the report says that identities with the policy sign in
   */
  readonly label?: string;
}

/** Options of a statement that the app puts into a policy itself. */
export interface ConnectStatementOptions {
  /**
   * Where the statement goes, for readers of the access report, such as `permission set Support`. The report cannot see
   * it otherwise.
   *
   * @default - the report says that any identity with the statement signs in
   */
  readonly label?: string;
}

/** Where the command connects. */
export interface PsqlCommandOptions {
  /**
   * Where to connect.
   *
   * @default Endpoint.writer()
   */
  readonly endpoint?: Endpoint;
}

/** Where the variables lead, and which there are. */
export interface ConnectionEnvironmentOptions {
  /**
   * Where to connect.
   *
   * @default Endpoint.writer()
   */
  readonly endpoint?: Endpoint;

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

/** Which database grants are about, beside the cluster or instance itself. */
export interface ConnectGrantsOptions extends DatabaseLocationOptions {
  /**
   * Further resource ids (`cluster-ABCDEFGHIJKL01234`, `db-ABCDEFGHIJKL01234`) of what is, or will be, the same
   * database in the same account and Region: the green side of a blue/green deployment, or what is restored from a
   * backup.
   *
   * Each grant is about the database and all of these. A resource id belongs to one cluster or instance for good, so
   * that the one that takes over the endpoint of another has an id that no policy names.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/blue-green-deployments-considerations.html
   * @default - none
   */
  readonly alsoResourceIds?: string[];
}

/** Account and Region of an imported database, if they differ from those of the importing stack. */
export interface DatabaseLocationOptions {
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
