/**
 * What the constructs write into the template and the handler reads from the event.
 * CloudFormation turns every scalar into a string, so all scalars are strings here.
 */

/** CloudFormation resource type of one database user. */
export const DATABASE_USER_RESOURCE_TYPE = 'Custom::RdsIamUser';

/** Environment variable of the handler: ARN of the secret with the admin's username and password. */
export const ADMIN_SECRET_ARN = 'ADMIN_SECRET_ARN';

/** Seconds the handler may run. */
export const HANDLER_TIMEOUT_SECONDS = 300;

/** Seconds CloudFormation waits for an answer: the handler's time, and room for the provider framework around it. */
export const SERVICE_TIMEOUT_SECONDS = 420;

/** Properties of `Custom::RdsIamUser`. */
export interface DatabaseUserProperties {
  readonly Database: DatabaseAddress;

  /** Name of the PostgreSQL role, in the case it is to have. */
  readonly Username: string;

  /**
   * The username as the rds-db:connect statements spell it. Present only when the username is not known
   * at synth, and then nobody has escaped it: the handler refuses a name that would need it.
   */
  readonly PolicyUsername?: string;

  /** Privileges by database name. */
  readonly Privileges?: { readonly [database: string]: DatabasePrivileges };

  /** Names of the roles the user is a member of, `rds_iam` not among them. */
  readonly MemberOf?: string[];
}

export interface DatabaseAddress {
  /** `DBClusterResourceId` of the cluster, part of the physical id. */
  readonly ResourceId: string;
  readonly Host: string;
  readonly Port: string;
}

export interface DatabasePrivileges {
  /** Privileges on the database itself. */
  readonly Database?: string[];
}
