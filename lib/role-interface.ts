import type * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { ConnectionEnvironmentOptions, GrantConnectOptions, PsqlCommandOptions } from './connect-options';

/** A role in PostgreSQL: a group, or a user. */
export interface IDatabaseRole extends IConstruct {
  /** Name of the role, exactly as spelled in the database (names are case-sensitive). */
  readonly roleName: string;
}

/** A role in PostgreSQL that signs in with an IAM token. */
export interface IDatabaseUser extends IDatabaseRole {
  /** Name of the user, exactly as spelled in the database (names are case-sensitive). */
  readonly username: string;

  /** Name of the database that the user connects to. */
  readonly database: string;

  /**
   * A command for a CfnOutput, which makes a token with the AWS CLI and opens psql.
   *
   * It is one line for any POSIX shell, on a machine that reaches the database. It asks for PGSSLROOTCERT, the path of
   * a file with the CAs of RDS, or of Amazon for a proxy. Fails where the username is a token, which cannot be quoted
   * for a shell.
   *
   * @param options where it connects
   * @returns the command; it has tokens where the database is made in this app
   */
  psqlCommand(options?: PsqlCommandOptions): string;

  /**
   * Lets an IAM identity sign in as this user: `rds-db:connect` on exactly this user of exactly this database.
   *
   * Fails for an identity of another account, and for one whose policies this app may not change. See `ConnectGrants`.
   * It is the short form of `DatabaseUserGrants.fromUser(user).connect(...)`.
   *
   * @param grantee a role, user, group, or what has a role, such as a Lambda function
   * @param options where it signs in
   * @returns the grant
   */
  grantConnect(grantee: iam.IGrantable, options?: GrantConnectOptions): iam.Grant;

  /**
   * What a client needs to know to connect, as the environment variables that PostgreSQL's own clients read.
   *
   * They are PGHOST, PGPORT, PGUSER, PGDATABASE and PGSSLMODE=verify-full. Two things are the client's own:
   * PGSSLROOTCERT, the file with the CAs of RDS, which depends on where it runs
   * (https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem); and the password, a token that it makes for
   * each connection.
   *
   * @see https://www.postgresql.org/docs/current/libpq-envars.html
   * @param options where the variables lead, and which there are
   * @returns the variables by name
   */
  connectionEnvironment(options?: ConnectionEnvironmentOptions): { [name: string]: string };
}
