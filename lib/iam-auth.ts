import type { IConstruct } from 'constructs';
import type { DatabaseRole } from './database-role';
import type { DatabaseUser } from './database-user';
import type { DatabaseUsers } from './database-users';
import type { AddDatabaseRoleOptions, AddDatabaseUserOptions, DatabaseUsersOptions } from './role-options';

/** A database whose users sign in with IAM. */
export interface IIamAuth extends IConstruct {
  /** The database that a user connects to unless it says otherwise. */
  readonly databaseName: string;

  /**
   * Creates a user of the database that signs in with IAM, in the stack of this construct.
   *
   * The id tells the deployment which user this is; keep it. Another `username` under the same id renames the user in the database: `addUser('orders', { username: 'purchases' })`.
   * Another id without that creates another user, and removes the first one as its `onRemoval` says.
   *
   * For a user in another stack: `new DatabaseUser(scope, id, { iamAuth, username })`.
   *
   * @param id id of the construct, and name of the PostgreSQL role unless `username` is given
   * @param options name and privileges of the user
   * @returns the user
   */
  addUser(id: string, options?: AddDatabaseUserOptions): DatabaseUser;

  /**
   * Creates users that may do the same, in one resource and one transaction, in the stack of this construct.
   *
   * For users in another stack: `new DatabaseUsers(scope, id, { iamAuth, usernames })`.
   *
   * @param id id of the construct
   * @param options the users, and what each of them may do
   * @returns the users
   */
  addUsers(id: string, options: DatabaseUsersOptions): DatabaseUsers;

  /**
   * Creates a group role in the stack of this construct, for users to be members of.
   *
   * The id tells the deployment which role this is; keep it. Another `roleName` under the same id renames the role in the database.
   *
   * For a role in another stack: `new DatabaseRole(scope, id, { iamAuth, roleName })`.
   *
   * @param id id of the construct, and name of the PostgreSQL role unless `roleName` is given
   * @param options name of the role, and what its members may do
   * @returns the role
   */
  addRole(id: string, options?: AddDatabaseRoleOptions): DatabaseRole;
}
