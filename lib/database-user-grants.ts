import type * as iam from 'aws-cdk-lib/aws-iam';
import type { GrantConnectOptions } from './connect-options';
import { type UserAccess, userAccessOf } from './database/user-access';
import type { IDatabaseUser } from './role-interface';

/** Grants on a database user: `user.grants`. */
export class DatabaseUserGrants {
  /**
   * The grants of a user, such as one of a `DatabaseUsers`.
   *
   * Fails for another implementation of `IDatabaseUser`, whose database is not known.
   *
   * @param user a user of this library
   * @returns the grants
   */
  public static fromUser(user: IDatabaseUser): DatabaseUserGrants {
    return new DatabaseUserGrants(userAccessOf(user));
  }

  private constructor(private readonly access: UserAccess) {}

  /**
   * Lets an IAM identity sign in as this user: `rds-db:connect` on exactly this user of exactly this database.
   *
   * Fails for an identity of another account, and for one whose policies this app may not change. See `ConnectGrants`.
   *
   * @param grantee a role, user, group, or what has a role, such as a Lambda function
   * @param options where it signs in
   * @returns the grant
   */
  public connect(grantee: iam.IGrantable, options: GrantConnectOptions = {}): iam.Grant {
    return this.access.grantConnect(grantee, options);
  }
}
