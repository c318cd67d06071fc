import { DatabasePrivilege } from './change';

/** The role that the database itself checks: its members sign in with a token. */
export const RDS_IAM = 'rds_iam';

/** What one user may do, as declared in the template. Lists are sorted and without duplicates. */
export interface Declaration {
  readonly databases: { readonly database: string; readonly privileges: DatabasePrivilege[] }[];
  readonly memberOf: string[];
}

/** What the catalog says of one role. */
export interface ObservedRole {
  readonly canLogin: boolean;
  readonly memberOf: string[];
  readonly databases: { readonly database: string; readonly privilege: string }[];
}

/** The resource of a stack that manages a role. */
export interface Owner {
  /** ARN of the stack without its unique part. Only one stack of that name can exist at a time. */
  readonly stack: string;
  readonly stackId: string;
  readonly logicalId: string;
}

/** A row of the registry: this resource manages that role under this name. Two resources of a stack share a role while it moves from one to the other. */
export interface Claim extends Owner {
  readonly roleOid: string;
  /** The name the role has now; undefined when the role is gone, or goes by a name that we did not give it. */
  readonly roleName?: string;
  /** `DBClusterResourceId` of the cluster the resource is for. */
  readonly resourceId: string;
  /** The name the resource declares. */
  readonly username: string;
  readonly declaration: Declaration;
  /** Its resource is gone and the role was kept, without access, because something depends on it. */
  readonly disabled: boolean;
}

export function sameResource(a: Owner, b: Owner): boolean {
  return a.stack === b.stack && a.logicalId === b.logicalId;
}
