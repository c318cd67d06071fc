import type { IConstruct } from 'constructs';
import type { DatabaseRole } from './database-role';
import type { DatabaseUser } from './database-user';
import type { DatabaseUsers } from './database-users';
import type { DatabaseRoleOptions, DatabaseUserOptions, DatabaseUsersOptions } from './role-options';

/** A database whose users sign in with IAM. */
export interface IIamAuth extends IConstruct {
  /** The database that a user connects to unless it says otherwise. */
  readonly databaseName: string;

  /**
   * Creates a user of the database that signs in with IAM, in the stack of this construct.
   *
   * For a user in another stack, or whose name is not known at synthesis: `new DatabaseUser(scope, id, { iamAuth, username })`.
   *
   * @param username name of the PostgreSQL role, in the case it is to have; also the id of the construct
   * @param options what the user may do
   */
  addUser(username: string, options?: DatabaseUserOptions): DatabaseUser;

  /**
   * Creates users that may do the same, in one resource and one transaction, in the stack of this construct.
   *
   * For users in another stack: `new DatabaseUsers(scope, id, { iamAuth, usernames })`.
   *
   * @param id id of the construct
   * @param options the users, and what each of them may do
   */
  addUsers(id: string, options: DatabaseUsersOptions): DatabaseUsers;

  /**
   * Creates a group role in the stack of this construct, for users to be members of.
   *
   * For a role in another stack, or whose name is not known at synthesis: `new DatabaseRole(scope, id, { iamAuth, roleName })`.
   *
   * @param roleName name of the PostgreSQL role, in the case it is to have; also the id of the construct
   * @param options what its members may do
   */
  addRole(roleName: string, options?: DatabaseRoleOptions): DatabaseRole;
}
