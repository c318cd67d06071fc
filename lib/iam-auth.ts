import { IConstruct } from 'constructs';
import { DatabaseUser, DatabaseUserOptions } from './database-user';
import { ManagedDatabase } from './private/managed-database';

/** A database whose users sign in with IAM. */
export interface IIamAuth extends IConstruct {
  /** The database that a user connects to unless it says otherwise. */
  readonly databaseName: string;

  /** @internal */
  readonly _database: ManagedDatabase;

  /**
   * Creates a user of the database that signs in with IAM, in the stack of this construct.
   *
   * For a user in another stack, or whose name is not known at synthesis: `new DatabaseUser(scope, id, { iamAuth, username })`.
   *
   * @param username name of the PostgreSQL role, in the case it is to have; also the id of the construct
   * @param options what the user may do
   */
  addUser(username: string, options?: DatabaseUserOptions): DatabaseUser;
}
