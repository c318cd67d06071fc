import { Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { ConnectionEnvironmentOptions, GrantConnectOptions, PsqlCommandOptions } from './connect-options';
import { DATABASE_USER_RESOURCE_TYPE } from './contract/wire';
import { DatabaseUserGrants } from './database-user-grants';
import { UserAccess } from './database/user-access';
import type { IIamAuth } from './iam-auth';
import { ImportedUser } from './imported-user';
import { errorAt } from './model/errors';
import { requireList, requireOptions } from './model/types';
import { keyProblem } from './model/privilege-checks';
import { Privileges } from './privileges';
import type { IProvisioner } from './provisioner-interface';
import { managedDatabaseOf } from './provisioner/managed-database';
import { RoleResource } from './provisioner/role-resource';
import type { IDatabaseUser } from './role-interface';
import type { DatabaseUserAttributes, DatabaseUserOptions } from './role-options';

/** A user of a database, and what it may do. */
export interface DatabaseUserProps extends DatabaseUserOptions {
  /** The database. */
  readonly iamAuth: IIamAuth;

  /**
   * Name of the PostgreSQL role. The name is created exactly as written; names are case-sensitive.
   *
   * 1 to 63 bytes of UTF-8, no character above U+00FF, no `/`, `:` or control character, not `pg_...`, `rds...`,
   * `cdk_aurora_iam_auth...`, `public`, `none`, nor the name of the admin, nor the one of a group role.
   *
   * Another name under the same construct id is a rename: what the user owns and may do stays with it.
   * Where the name is a token, the deployment checks it, and refuses `*`, `?` and `$` as well.
   */
  readonly username: string;
}

/**
 * A PostgreSQL role that signs in with an IAM token, and with nothing else: it is a member of `rds_iam` and has no
 * password.
 *
 * It exists as long as the construct does; `onRemoval` says what happens to it then. It may connect to its database,
 * and do what its privileges say.
 *
 * @resource Custom::RdsIamUser
 */
export class DatabaseUser extends Construct implements IDatabaseUser {
  /**
   * A user that is created elsewhere, by another stack of another app or by a migration: for apps that only connect.
   *
   * Creates nothing. Its grants, its connection settings and its psql command are those of a user that this app
   * creates.
   *
   * @param scope where the construct goes
   * @param id id of the construct
   * @param attributes the user, and the database that it is in
   * @returns the user
   */
  public static fromUsername(scope: Construct, id: string, attributes: DatabaseUserAttributes): IDatabaseUser {
    return new ImportedUser(scope, id, attributes);
  }

  public readonly username: string;
  public readonly roleName: string;
  public readonly database: string;

  /** Grants on this user: who may sign in as it. */
  public readonly grants: DatabaseUserGrants;

  private readonly resource: RoleResource;
  private readonly access: UserAccess;

  /**
   * @param scope where the user goes; also another stack than the one of the database
   * @param id id of the construct; with another id it is still the same user
   * @param props the user
   */
  constructor(scope: Construct, id: string, props: DatabaseUserProps) {
    super(scope, id);
    requireOptions(this, 'props', props);
    const { iamAuth, username, privileges = [], ...options } = props;
    requireList(this, 'privileges', privileges);
    const database = managedDatabaseOf(this, iamAuth);
    const { database: databaseName = iamAuth.database } = props;
    this.username = username;
    this.roleName = username;
    this.database = databaseName;
    this.access = new UserAccess(this, database.database);
    this.grants = DatabaseUserGrants.fromUser(this);
    database.checkUsername(this, username);
    database.claimName(this, 'username', username);
    const problem = keyProblem('database', databaseName);
    if (problem) {
      throw errorAt(this, problem);
    }
    this.resource = new RoleResource(this, {
      ...options,
      database,
      kind: 'user',
      resourceType: DATABASE_USER_RESOURCE_TYPE,
      identity: { Username: username, ...Token.isUnresolved(username) ? { PolicyUsername: username } : {} },
      names: [username],
    });
    this.addPrivileges(Privileges.onDatabase({ database: databaseName }), ...privileges);
  }

  /** The provisioner that creates the user: the one of the stack that the user is in. */
  public get provisioner(): IProvisioner {
    return this.resource.provisioner;
  }

  /**
   * Gives the user more privileges.
   *
   * @param privileges what it may do besides
   */
  public addPrivileges(...privileges: Privileges[]): void {
    this.resource.addPrivileges(privileges);
  }

  /**
   * Lets an IAM identity sign in as this user: the short form of `grants.connect(grantee, options)`.
   *
   * @param grantee a role, user, group, or what has a role, such as a Lambda function
   * @param options where it signs in
   * @returns the grant
   */
  public grantConnect(grantee: iam.IGrantable, options: GrantConnectOptions = {}): iam.Grant {
    return this.grants.connect(grantee, options);
  }

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
  public connectionEnvironment(options: ConnectionEnvironmentOptions = {}): { [name: string]: string } {
    return this.access.environment(options);
  }

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
  public psqlCommand(options: PsqlCommandOptions = {}): string {
    return this.access.psqlCommand(options);
  }
}
