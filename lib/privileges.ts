import { IDatabaseRole } from './database-role';
import { DatabaseGrant, databaseProblem } from './private/privilege-set';

/** Privileges on a database. */
export enum DatabasePrivilege {
  /** Connect to the database. */
  CONNECT = 'CONNECT',
}

/** A database, and what a user may do with it. */
export interface OnDatabaseOptions {
  /** Name of the database, in the case it has on the server. Not a token: CloudFormation cannot have it as a key. */
  readonly database: string;

  /**
   * The privileges.
   *
   * @default - CONNECT
   */
  readonly privileges?: DatabasePrivilege[];
}

/**
 * Something that a user may do in the database.
 *
 * A user has the union of what it is given. A value can be given to any number of users.
 */
export class Privileges {
  /**
   * Privileges on a database itself. The database must exist when the user is deployed.
   *
   * @see https://www.postgresql.org/docs/current/ddl-priv.html
   * @param options the database and the privileges
   */
  public static onDatabase(options: OnDatabaseOptions): Privileges {
    const { database, privileges = [DatabasePrivilege.CONNECT] } = options;
    const problem = databaseProblem(database);
    if (problem) {
      throw new Error(problem);
    }
    if (privileges.length === 0) {
      throw new Error(`privileges on database ${JSON.stringify(database)} are an empty list, which grants nothing; name one, or leave privileges out for CONNECT`);
    }
    return new Privileges({ database, privileges: [...privileges] }, undefined);
  }

  /**
   * What another role may do. The user is a member of the role and inherits its privileges.
   *
   * @param role a role, or another user of the same database, which is then deployed first
   */
  public static memberOf(role: IDatabaseRole): Privileges {
    return new Privileges(undefined, role);
  }

  /** @internal */
  public readonly _onDatabase?: DatabaseGrant;

  /** @internal */
  public readonly _memberOf?: IDatabaseRole;

  private constructor(onDatabase: DatabaseGrant | undefined, memberOf: IDatabaseRole | undefined) {
    this._onDatabase = onDatabase;
    this._memberOf = memberOf;
  }
}
