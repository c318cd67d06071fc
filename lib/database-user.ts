import { Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { ConnectOptions } from './connect-grants';
import { DATABASE_USER_RESOURCE_TYPE } from './contract/wire';
import { DatabaseRoleOptions, IDatabaseRole } from './database-role';
import { IIamAuth } from './iam-auth';
import { errorAt } from './private/errors';
import { keyProblem } from './private/privilege-checks';
import { RoleResource } from './private/role-resource';
import { UserAccess } from './private/user-access';
import { Privileges } from './privileges';

/** A role in PostgreSQL that signs in with an IAM token. */
export interface IDatabaseUser extends IDatabaseRole {
  /** Name of the user, in the case it has in the database. */
  readonly username: string;

  /** The database that the user connects to. */
  readonly databaseName: string;

  /**
   * A command for a CfnOutput, which makes a token with the AWS CLI and opens psql.
   *
   * It is one line for any POSIX shell, on a machine that reaches the database. It asks for PGSSLROOTCERT, the path of a file with the CAs of RDS. Fails where the username is a token, which cannot be quoted for a shell.
   */
  readonly psqlCommand: string;

  /**
   * Lets an IAM identity sign in as this user: `rds-db:connect` on exactly this user of exactly this database.
   *
   * Fails for an identity of another account, and for one whose policies this app may not change. See `ConnectGrants`.
   *
   * @param grantee a role, user, group, or what has a role, such as a Lambda function
   * @param options which way, and until when
   */
  grantConnect(grantee: iam.IGrantable, options?: GrantConnectOptions): iam.Grant;

  /**
   * What a client needs to know to connect, as the environment variables that PostgreSQL's own clients read.
   *
   * They are PGHOST, PGPORT, PGUSER, PGDATABASE and PGSSLMODE=verify-full. Two things are the client's own: PGSSLROOTCERT, the
   * file with the CAs of RDS, which depends on where it runs
   * (https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem); and the password, a token that it makes for each connection.
   *
   * @see https://www.postgresql.org/docs/current/libpq-envars.html
   * @param options whom the variables are for
   */
  connectionEnvironment(options?: ConnectionEnvironmentOptions): { [name: string]: string };
}

/** Which way somebody signs in as a user, and until when. */
export interface GrantConnectOptions extends ConnectOptions {
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

/** What a database user may do, and how it is managed. */
export interface DatabaseUserOptions extends DatabaseRoleOptions {
  /**
   * The database that the user connects to. It must exist when the user is deployed.
   *
   * @default - the one of the AuroraIamAuth
   */
  readonly databaseName?: string;
}

/** A user of a database, and what it may do. */
export interface DatabaseUserProps extends DatabaseUserOptions {
  /** The database. */
  readonly iamAuth: IIamAuth;

  /**
   * Name of the PostgreSQL role, in the case it is to have.
   *
   * 1 to 63 bytes of UTF-8, no character above U+00FF, no `/`, `:` or control character,
   * not `pg_...`, `rds...`, `cdk_aurora_iam_auth...`, `public`, `none`, nor the name of the admin, nor the one of a group role.
   *
   * Another name is a rename: what the user owns and may do stays with it.
   * Where the name is a token, the deployment checks it, and refuses `*`, `?` and `$` as well.
   */
  readonly username: string;
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

/**
 * A PostgreSQL role that signs in with an IAM token, and with nothing else: it is a member of `rds_iam` and has no password.
 *
 * It exists as long as the construct does; `onRemoval` says what becomes of it then. It may connect to its database,
 * and do what its privileges say.
 *
 * @resource Custom::RdsIamUser
 */
export class DatabaseUser extends Construct implements IDatabaseUser {
  public readonly username: string;
  public readonly roleName: string;
  public readonly databaseName: string;

  /** @internal */
  public readonly _resource: RoleResource;

  private readonly access: UserAccess;

  /**
   * @param scope where the user goes; also another stack than the one of the database
   * @param id id of the construct; with another id it is still the same user
   * @param props the user
   */
  constructor(scope: Construct, id: string, props: DatabaseUserProps) {
    super(scope, id);
    const { iamAuth, username, databaseName = iamAuth.databaseName, privileges = [], ...options } = props;
    const database = iamAuth._database;
    this.username = username;
    this.roleName = username;
    this.databaseName = databaseName;
    this.access = new UserAccess(this, database);
    database.checkUsername(this, username);
    database.claimName(this, 'username', username);
    const problem = keyProblem('database', databaseName);
    if (problem) {
      throw errorAt(this, problem);
    }
    this._resource = new RoleResource(this, {
      ...options,
      database,
      kind: 'user',
      resourceType: DATABASE_USER_RESOURCE_TYPE,
      identity: { Username: username, ...Token.isUnresolved(username) ? { PolicyUsername: username } : {} },
      names: [username],
    });
    this.addPrivileges(Privileges.onDatabase({ database: databaseName }), ...privileges);
  }

  /**
   * Gives the user more privileges.
   *
   * @param privileges what it may do besides
   */
  public addPrivileges(...privileges: Privileges[]): void {
    this._resource.addPrivileges(privileges);
  }

  public grantConnect(grantee: iam.IGrantable, options: GrantConnectOptions = {}): iam.Grant {
    return this.access.grantConnect(grantee, options);
  }

  public connectionEnvironment(options: ConnectionEnvironmentOptions = {}): { [name: string]: string } {
    return this.access.environment(options);
  }

  public get psqlCommand(): string {
    return this.access.psqlCommand();
  }
}
