import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, Dependable } from 'constructs';
import type { ConnectionEnvironmentOptions, GrantConnectOptions, PsqlCommandOptions } from './connect-options';
import { DATABASE_USERS_RESOURCE_TYPE } from './contract/wire';
import type { Database } from './database/database';
import { UserAccess } from './database/user-access';
import type { IIamAuth } from './iam-auth';
import { standFor } from './model/app-access';
import { errorAt } from './model/errors';
import { requireList, requireOptions, requireText, shown } from './model/types';
import { keyProblem } from './model/privilege-checks';
import { isToken } from './model/token';
import { Privileges } from './privileges';
import type { IProvisioner } from './provisioner-interface';
import { type ManagedDatabase, managedDatabaseOf } from './provisioner/managed-database';
import { RoleResource } from './provisioner/role-resource';
import type { IDatabaseUser } from './role-interface';
import type { DatabaseUsersOptions } from './role-options';

/** Users of a database that may do the same. */
export interface DatabaseUsersProps extends DatabaseUsersOptions {
  /** The database. */
  readonly iamAuth: IIamAuth;
}

/**
 * Users that may do the same, in one resource of the stack, created and changed in one transaction: all of them or
 * none.
 *
 * For large teams: a stack can have 500 resources. Each of the users is what a `DatabaseUser` is. Let them be members
 * of a `DatabaseRole` that has the privileges, rather than each have their own: PostgreSQL has room for some 2,400
 * roles in the privileges of one table.
 *
 * @resource Custom::RdsIamUsers
 */
export class DatabaseUsers extends Construct {
  private readonly resource: RoleResource;
  private readonly usersByName: Map<string, IDatabaseUser>;

  /**
   * @param scope where the users go; also another stack than the one of the database
   * @param id id of the construct
   * @param props the users
   */
  constructor(scope: Construct, id: string, props: DatabaseUsersProps) {
    super(scope, id);
    requireOptions(this, 'props', props);
    const { iamAuth, privileges = [], ...options } = props;
    const database = managedDatabaseOf(this, iamAuth);
    const { database: databaseName = iamAuth.database } = props;
    requireList(this, 'privileges', privileges);
    requireList(this, 'usernames', props.usernames);
    props.usernames.forEach(username => requireText(this, 'username', username));
    const usernames = [...props.usernames].sort();
    this.checkUsernames(database, usernames);
    const problem = keyProblem('database', databaseName);
    if (problem) {
      throw errorAt(this, problem);
    }
    this.resource = new RoleResource(this, {
      ...options,
      database,
      kind: 'users',
      resourceType: DATABASE_USERS_RESOURCE_TYPE,
      identity: { Usernames: usernames },
      names: usernames,
    });
    const users = new Construct(this, 'Users');
    this.usersByName = new Map(usernames.map(username =>
      [username, new ListedUser(users, this.resource, database.database, username, databaseName)]));
    this.addPrivileges(Privileges.onDatabase({ database: databaseName }), ...privileges);
  }

  /** Names of the users, sorted. */
  public get usernames(): string[] {
    return [...this.usersByName.keys()];
  }

  /** The users, sorted by name. */
  public get users(): IDatabaseUser[] {
    return [...this.usersByName.values()];
  }

  /**
   * One of the users.
   *
   * @param username its name, as in `usernames`
   * @returns the user
   */
  public user(username: string): IDatabaseUser {
    const user = this.usersByName.get(username);
    if (!user) {
      throw errorAt(
        this,
        `username ${shown(username)} is none of these users; add it to usernames, or spell it as it is there`,
      );
    }
    return user;
  }

  /** The provisioner that creates the users: the one of the stack that the users are in. */
  public get provisioner(): IProvisioner {
    return this.resource.provisioner;
  }

  /**
   * Gives each of the users more privileges.
   *
   * @param privileges what they may do besides
   */
  public addPrivileges(...privileges: Privileges[]): void {
    this.resource.addPrivileges(privileges);
  }

  private checkUsernames(database: ManagedDatabase, usernames: string[]): void {
    if (usernames.length === 0) {
      throw errorAt(this, 'usernames must not be empty; add at least one, or leave the construct out');
    }
    for (const username of usernames) {
      if (isToken(username)) {
        throw errorAt(
          this,
          'username is a token, and the names of several users must be known at synthesis; '
          + 'give the name itself, or use new DatabaseUser(scope, id, { iamAuth, username })',
        );
      }
      database.checkUsername(this, username);
    }
    const twice = usernames.find((username, index) => usernames.indexOf(username) !== index);
    if (twice !== undefined) {
      throw errorAt(this, `username ${JSON.stringify(twice)} is listed more than once; remove the duplicate`);
    }
    usernames.forEach(username => database.claimName(this, 'username', username));
  }
}

class ListedUser extends Construct implements IDatabaseUser {
  public readonly roleName: string;
  private readonly access: UserAccess;

  constructor(
    scope: Construct, { role, resource }: RoleResource, server: Database, public readonly username: string,
    public readonly database: string,
  ) {
    super(scope, username);
    this.roleName = username;
    this.access = new UserAccess(this, server);
    standFor(this, role);
    // A client that waits for its user waits for all of them.
    Dependable.implement(this, { dependencyRoots: [resource] });
  }

  public grantConnect(grantee: iam.IGrantable, options: GrantConnectOptions = {}): iam.Grant {
    return this.access.grantConnect(grantee, options);
  }

  public connectionEnvironment(options: ConnectionEnvironmentOptions = {}): { [name: string]: string } {
    return this.access.environment(options);
  }

  public psqlCommand(options: PsqlCommandOptions = {}): string {
    return this.access.psqlCommand(options);
  }
}
