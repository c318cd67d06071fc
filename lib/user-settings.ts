import type { Duration } from 'aws-cdk-lib';
import type { IDatabaseRole } from './role-interface';

/**
 * What PostgreSQL keeps with a user and applies to each of its sessions, from the next sign-in on.
 *
 * Each is compared with the database by a deployment that changes the user, and reset when it is not declared any more.
 * A value for one database alone (`ALTER ROLE ... IN DATABASE`) would count more, and is reset where it differs. What
 * was set by hand and never declared stays.
 *
 * Of the parameters these are defaults and no limits: a session may set another value for itself, and PostgreSQL lets a
 * user change the defaults of its own role, until the next deployment that changes this construct.
 *
 * @see https://www.postgresql.org/docs/current/sql-alterrole.html
 */
export interface DatabaseUserSettings {
  /**
   * How many sessions the user can have at a time, on each instance: 1 to 2,147,483,647 (CONNECTION LIMIT).
   *
   * @default - as many as the server has connections
   */
  readonly connectionLimit?: number;

  /**
   * Schemas in which names without a schema are looked for, in this order (`search_path`). `$user` stands for the
   * schema that has the name of the user. At most 1,000 bytes in all.
   *
   * @default - the one of the database
   */
  readonly searchPath?: string[];

  /**
   * How long a statement may take (`statement_timeout`): whole milliseconds, up to 2,147,483,647; 0 for no limit.
   *
   * @default - the one of the database
   */
  readonly statementTimeout?: Duration;

  /**
   * How long a session may do nothing in a transaction that it has begun, before it is ended
   * (`idle_in_transaction_session_timeout`): whole milliseconds, up to 2,147,483,647; 0 for no limit.
   *
   * @default - the one of the database
   */
  readonly idleInTransactionTimeout?: Duration;

  /**
   * Other configuration parameters, such as `{ work_mem: '64MB' }`: values by name, as in `ALTER ROLE ... SET`.
   *
   * Several tablespaces of `temp_tablespaces` are separated with commas. The construct refuses parameters that change
   * who the session is, those that PostgreSQL leaves to superusers, and those that have an option of their own. Whether
   * the server has a parameter, and takes the value, is known at the deployment only.
   *
   * @see https://www.postgresql.org/docs/current/runtime-config-client.html
   * @default - those of the database
   */
  readonly settings?: { readonly [parameter: string]: string };

  /**
   * The group role that each session of the user acts as from its beginning on (`ALTER ROLE ... SET role`), so that
   * what several users create belongs to one owner. Others then name that role in `objectsCreatedBy`, and not the user.
   *
   * A group role of this app that the user is a member of with `Privileges.memberOf`. `session_user` stays the user.
   *
   * @see https://www.postgresql.org/docs/current/sql-set-role.html
   * @default - the user itself
   */
  readonly setRoleAtLogin?: IDatabaseRole;
}
