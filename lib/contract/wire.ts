/**
 * What the constructs write into the template and the handler reads from the event.
 * CloudFormation turns every scalar into a string, so all scalars are strings here.
 */
import type { ObjectKey } from './object-kinds';

/** CloudFormation resource type of one database user. */
export const DATABASE_USER_RESOURCE_TYPE = 'Custom::RdsIamUser';

/** CloudFormation resource type of many users that may do the same. */
export const DATABASE_USERS_RESOURCE_TYPE = 'Custom::RdsIamUsers';

/** CloudFormation resource type of a group role. */
export const DATABASE_ROLE_RESOURCE_TYPE = 'Custom::RdsGroupRole';

/** CloudFormation resource type of privileges that are revoked from PUBLIC in one database. */
export const PUBLIC_PRIVILEGES_RESOURCE_TYPE = 'Custom::RdsPublicPrivileges';

/** Types of what the provisioner makes in a database. */
export const PROVISIONED_RESOURCE_TYPES = [
  DATABASE_USER_RESOURCE_TYPE,
  DATABASE_USERS_RESOURCE_TYPE,
  DATABASE_ROLE_RESOURCE_TYPE,
  PUBLIC_PRIVILEGES_RESOURCE_TYPE,
];

/** CloudFormation resource type of IAM authentication that is enabled at a database of another app. */
export const IAM_AUTHENTICATION_RESOURCE_TYPE = 'Custom::RdsIamAuthentication';

/** Environment variable of the handler: ARN of the secret with the admin's username and password. */
export const ADMIN_SECRET_ARN = 'ADMIN_SECRET_ARN';

/** Environment variable of the handler, in place of the former: name of an admin that signs in with a token. */
export const ADMIN_USERNAME = 'ADMIN_USERNAME';

/** Environment variable of the handler: ARN of the cluster, if it uses the RDS Data API. */
export const CLUSTER_ARN = 'CLUSTER_ARN';

/**
 * Environment variable of the handler: name of the group role that owns what the provisioner keeps in the database, if
 * it is not the admin.
 */
export const REGISTRY_OWNER = 'REGISTRY_OWNER';

/**
 * Environment variable of the handler: `DBClusterResourceId` or `DbiResourceId` of the only database that it works on.
 */
export const DATABASE_RESOURCE_ID = 'DATABASE_RESOURCE_ID';

/** Environment variable of the handler: host name of the writer of that database. */
export const DATABASE_HOST = 'DATABASE_HOST';

/** Environment variable of the handler: port of that database. Not with the RDS Data API. */
export const DATABASE_PORT = 'DATABASE_PORT';

/**
 * Environment variable of the handler: path of a PEM file with the only certificate authorities it trusts a database
 * of. Not with the RDS Data API.
 */
export const DATABASE_CA_FILE = 'DATABASE_CA_FILE';

/** Environment variable of the handler: domain of AWS in this partition, if it answers CloudFormation itself. */
export const URL_SUFFIX = 'URL_SUFFIX';

/** Environment variable of the handler: id of the only stack whose events it serves, which is its own. */
export const STACK_ID = 'STACK_ID';

/** Alias of the handler by which it plans, and does nothing else. */
export const PLAN_ALIAS = 'plan';

/** Alias of the handler by which it compares what is declared with what there is, and does nothing else. */
export const DRIFT_ALIAS = 'drift';

/** Alias of the handler by which it ends access whose time is over, and does nothing else. */
export const EXPIRY_ALIAS = 'expiry';

/** Seconds the handler may run. Many may wait for each other; the framework in front of it has 900. */
export const HANDLER_TIMEOUT_SECONDS = 840;

/**
 * Seconds CloudFormation waits for an answer: the handler's time, and room for the provider framework around it, or for
 * a second try by Lambda.
 */
export const SERVICE_TIMEOUT_SECONDS = 960;

/**
 * Seconds that the function that enables IAM authentication may run: a modification of a database takes minutes. The
 * framework in front of it has 900.
 */
export const IAM_AUTHENTICATION_TIMEOUT_SECONDS = 840;

/** Seconds CloudFormation waits for its answer. */
export const IAM_AUTHENTICATION_SERVICE_TIMEOUT_SECONDS = 960;

/** Properties of `Custom::RdsIamUser`. */
export interface DatabaseUserProperties extends RoleProperties {
  /** Name of the PostgreSQL role. The name is created exactly as written; names are case-sensitive. */
  readonly Username: string;

  /**
   * The username as the rds-db:connect statements spell it. Present only when the username is not known
   * at synth, and then it is not escaped: the handler refuses a name that would need it.
   */
  readonly PolicyUsername?: string;
}

/** Properties of `Custom::RdsIamUsers`: everything else is the same for all of them. */
export interface DatabaseUsersProperties extends RoleProperties {
  readonly Usernames: string[];
}

/** Properties of `Custom::RdsGroupRole`. */
export interface DatabaseRoleProperties extends RoleProperties {
  readonly RoleName: string;
}

/** What users and group roles have in common. */
export interface RoleProperties {
  readonly Database: DatabaseIdentity;

  /** Privileges by database name. */
  readonly Privileges?: { readonly [database: string]: DatabasePrivileges };

  /** Names of the roles it is a member of, `rds_iam` not among them. */
  readonly MemberOf?: string[];

  /**
   * When memberships end that do, by the name of the group, which is in `MemberOf` as well: times as that of
   * `ExpiresAt`.
   */
  readonly MembershipExpiresAt?: { readonly [group: string]: string };

  /** What PostgreSQL keeps with the role for its sessions. Only users have it. */
  readonly Settings?: SettingProperties;

  /** What happens to the PostgreSQL role when the resource is deleted. @default - DEFAULT_REMOVAL_ACTION */
  readonly OnRemoval?: RemovalProperties;

  /** Whatever else the role holds is revoked. */
  readonly Exclusive?: 'true';

  /**
   * When the access of users ends: a time in UTC with milliseconds, such as 2026-01-31T12:00:00.000Z. Of users alone.
   */
  readonly ExpiresAt?: string;

  /** A role of that name that is there already is taken over. */
  readonly AdoptExisting?: 'true';

  /** Any text; another one makes the deployment compare the role with the catalog again. */
  readonly Reapply?: string;
}

export interface SettingProperties {
  /** How many sessions the user can have at a time. */
  readonly ConnectionLimit?: string;

  /**
   * Values by the name of the parameter, which is in lower case: a list for those of `LIST_PARAMETERS`, a text for
   * others.
   */
  readonly Parameters?: { readonly [parameter: string]: string | string[] };

  /** Name of the group role that each session acts as from its beginning on; one of `MemberOf`. */
  readonly RoleAtLogin?: string;
}

/** Compared with what the handler was deployed for. Where the database is, no event says. */
export interface DatabaseIdentity {
  /** `DBClusterResourceId` of the cluster or `DbiResourceId` of the instance, part of the physical id. */
  readonly ResourceId: string;
}

/** A database as RDS describes it. */
export interface DatabaseAddress extends DatabaseIdentity {
  readonly Host: string;
  readonly Port: string;
}

export interface DatabasePrivileges {
  /** Privileges on the database itself. */
  readonly Database?: string[];

  /** Privileges by schema name. */
  readonly Schemas?: { readonly [schema: string]: SchemaPrivileges };
}

/**
 * Privileges by name of an object, or `*` for all of its kind that exist at deployment. The name of a function means
 * all that have it, whatever their arguments.
 */
export type ObjectPrivileges = { readonly [Key in ObjectKey]?: PrivilegesByName };

export interface SchemaPrivileges extends ObjectPrivileges {
  /** The role owns the schema, which is created if it is missing. */
  readonly Owner?: 'true';

  /** Privileges on the schema itself. */
  readonly Schema?: string[];

  /** Privileges by table name and column name. */
  readonly Columns?: { readonly [table: string]: PrivilegesByName };

  /**
   * Privileges on what a role creates in this schema from now on, by the name of that role; `*` stands for those on all
   * objects that exist.
   */
  readonly FutureObjects?: { readonly [creator: string]: FutureObjectPrivileges | typeof ALL_OBJECTS };
}

export interface PrivilegesByName {
  readonly [name: string]: string[];
}

export type FutureObjectPrivileges = { readonly [Key in ObjectKey]?: string[] };

/**
 * Every object of its kind in a schema, in place of a name; the privileges on all of them, in place of those on future
 * ones.
 */
export const ALL_OBJECTS = '*';

export interface RemovalProperties {
  readonly Action: RemovalAction;

  /** Name of the role that gets what the removed one owns. Only with `DROP`. */
  readonly ReassignOwnedTo?: string;
}

/**
 * - `DROP_OR_DISABLE`: dropped, unless it owns something; then it stays, without access
 * - `DROP`: what it owns goes to another role, then it is dropped
 * - `DISABLE`: stays with all it owns and holds, without login
 * - `RETAIN`: stays as it is, login included
 */
export const REMOVAL_ACTIONS = ['DROP_OR_DISABLE', 'DROP', 'DISABLE', 'RETAIN'] as const;
export type RemovalAction = typeof REMOVAL_ACTIONS[number];

/** What no property says. */
export const DEFAULT_REMOVAL_ACTION = 'DROP_OR_DISABLE';

/** Properties of `Custom::RdsPublicPrivileges`. */
export interface PublicPrivilegesProperties {
  readonly Database: DatabaseIdentity;

  /** Name of the database whose privileges are meant, exactly as spelled there. */
  readonly DatabaseName: string;

  /** What is revoked from PUBLIC: CONNECT on the database, CREATE on its schema `public`, or both. */
  readonly Revoked: DatabasePrivileges;

  /** Names of roles that may lose what they have through PUBLIC only. */
  readonly LockOut?: string[];

  /** Any text; another one makes the deployment compare the privileges with the catalog again. */
  readonly Reapply?: string;
}

export const DATABASE_KINDS = ['cluster', 'instance'] as const;
export type DatabaseKind = typeof DATABASE_KINDS[number];

/** Properties of `Custom::RdsIamAuthentication`. */
export interface IamAuthenticationProperties {
  readonly Kind: DatabaseKind;

  /** `DBClusterIdentifier` or `DBInstanceIdentifier`, in lower case. */
  readonly Identifier: string;

  /** What the app says of the database; another one is refused. */
  readonly Expected?: Partial<DatabaseAddress>;

  /** Any text; another one makes the deployment look at the database again. */
  readonly Reapply?: string;
}

/** Attributes of `Custom::RdsIamAuthentication`, which are what an address of a database has. */
export type IamAuthenticationAttribute = keyof DatabaseAddress;
