import type * as rds from 'aws-cdk-lib/aws-rds';
import type { IIamAuth } from './iam-auth';
import type { OnRemoval } from './on-removal';
import type { Privileges } from './privileges';
import type { DatabaseUserSettings } from './user-settings';

/** What a role may do, and how it is managed. */
export interface DatabaseRoleOptions {
  /**
   * What the role may do. More can be added with `addPrivileges()`.
   *
   * @default - nothing; a user may connect to its database
   */
  readonly privileges?: Privileges[];

  /**
   * What happens to the role in PostgreSQL when the construct goes.
   *
   * @default - OnRemoval.dropOrDisable()
   */
  readonly onRemoval?: OnRemoval;

  /**
   * Whether the role has the memberships and privileges that are declared and no others.
   *
   * Whatever else it holds is then revoked, in all databases of the server: memberships and their ADMIN options,
   * privileges with their grant options on everything, objects of the system included, and default privileges. What the
   * admin cannot revoke fails the deployment; if the role is declared exactly as before, it is in the log of the
   * provisioner instead, so that a rollback goes through. So what is granted by hand is revoked by the next deployment
   * that changes this construct, such as one with another `reapply`. What the role owns stays, and so does what
   * PostgreSQL gives to every role (`PUBLIC`). Attributes, such as CREATEDB, and settings that were never declared are
   * not looked at.
   *
   * Without it, what was granted by hand is left alone.
   *
   * @default false
   */
  readonly exclusive?: boolean;

  /**
   * Whether a role of this name is taken over that is there already and that no other construct manages; or that
   * another stack manages in the database that this one was restored from.
   *
   * It keeps what it owns and holds. A user becomes a member of `rds_iam`, so that its password stops working; one that
   * has members that sign in with passwords is refused, because theirs would as well. From then on the role is like any
   * other of this library; `onRemoval` says what happens to it when the construct goes.
   *
   * Without it, the deployment fails, and leaves the role as it is.
   *
   * @default false
   */
  readonly adoptExisting?: boolean;
}

/** What a database user may do, and how it is managed. */
export interface DatabaseUserOptions extends DatabaseRoleOptions, DatabaseUserSettings {
  /**
   * Name of the database that the user connects to. It must exist when the user is deployed.
   *
   * @default - the one of the AuroraIamAuth
   */
  readonly database?: string;

  /**
   * When the access of the user ends, without a deployment: it loses its login and its membership in `rds_iam`, and its
   * sessions at the writer end. It keeps what it owns and its privileges, and gets its access back with a later time.
   *
   * EventBridge Scheduler calls the provisioner in the minute that begins then, or in the one after it. A time in the
   * past is a warning with the id `cdk-aurora-iam-auth:expired`, and the user is created without access. Years from
   * 1970 to 2195, to the millisecond.
   *
   * The registry in the database has the time: no later deployment of a template with this time gives the access back,
   * nor does a rollback or a database that is restored from a snapshot, from the first event of the provisioner on. An
   * Aurora Serverless v2 cluster that has paused wakes up for it.
   *
   * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
   * @default - its access does not end
   */
  readonly expiresAt?: Date;
}

/** Name, privileges and management of a user that `addUser` creates. */
export interface AddDatabaseUserOptions extends DatabaseUserOptions {
  /**
   * Name of the PostgreSQL role. The name is created exactly as written; names are case-sensitive.
   *
   * Another `username` under the same construct id is a rename: what the user owns and may do stays with it.
   * 1 to 63 bytes of UTF-8, see `DatabaseUserProps.username`.
   *
   * @default - the id of the construct
   */
  readonly username?: string;
}

/** Name, privileges and management of a group role that `addRole` creates. */
export interface AddDatabaseRoleOptions extends DatabaseRoleOptions {
  /**
   * Name of the PostgreSQL role. The name is created exactly as written; names are case-sensitive.
   *
   * Another `roleName` under the same construct id is a rename: members, what the role owns and what it may do stay
   * with it. 1 to 63 bytes of UTF-8, see `DatabaseRoleProps.roleName`.
   *
   * @default - the id of the construct
   */
  readonly roleName?: string;
}

/** A user that is created elsewhere, and the database that it is in: one of `iamAuth`, `cluster` and `instance`. */
export interface DatabaseUserAttributes {
  /** Name of the user, exactly as spelled in the database (names are case-sensitive). No token. */
  readonly username: string;

  /**
   * The database, where this app has an `AuroraIamAuth` or `InstanceIamAuth` of it.
   *
   * @default - `cluster` or `instance` is given
   */
  readonly iamAuth?: IIamAuth;

  /**
   * The cluster. One that this app creates must have IAM authentication on; an imported one needs its resource id and
   * its endpoint.
   *
   * @default - `iamAuth` or `instance` is given
   */
  readonly cluster?: rds.IDatabaseCluster;

  /**
   * The instance or read replica. One that this app creates must have IAM authentication on; an imported one needs its
   * resource id and its endpoint.
   *
   * @default - `iamAuth` or `cluster` is given
   */
  readonly instance?: rds.IDatabaseInstance;

  /**
   * Further resource ids of the cluster or instance, as in `ConnectGrantsOptions`.
   *
   * @default - those of `iamAuth`; else none
   */
  readonly alsoResourceIds?: string[];

  /**
   * Name of the database that the user connects to.
   *
   * @default - the one of `iamAuth`; else the default database of the cluster or instance; else `postgres`
   */
  readonly database?: string;
}

/** Users that may do the same. */
export interface DatabaseUsersOptions extends DatabaseUserOptions {
  /**
   * Names of the users, created exactly as written (names are case-sensitive), in any order. Each must be one that
   * `DatabaseUser` takes. No tokens.
   *
   * A name that is left out is a user that is removed, as `onRemoval` says, and a new name is a new user: there is no
   * rename. For a user that is renamed, use `addUser`.
   */
  readonly usernames: string[];
}
