import type { COLUMN, ObjectType } from '../../../lib/contract/object-kinds';
import type { Identities } from './identities';

/** The role that the database itself checks: its members sign in with a token. */
export const RDS_IAM = 'rds_iam';

/** The database that every server has: where the lock and the registry are. */
export const FIXED_DATABASE = 'postgres';

/** A user signs in with a token; a role has no login and is there for others to be members of. */
export type RoleKind = 'user' | 'role';

/** What one role may do, as declared in the template. Lists are sorted and without duplicates. */
export interface Declaration {
  readonly kind: RoleKind;
  readonly memberOf: string[];
  /** Those of its memberships that end, by group. */
  readonly endingMemberships?: readonly EndingMembership[];
  readonly databases: DatabaseDeclaration[];
  /** When the access of a user ends, in milliseconds since 1970. */
  readonly expiresAt?: number;
  /** Of a user. */
  readonly settings?: RoleSettings;
  /** Whatever else it holds is revoked. */
  readonly exclusive: boolean;
}

/** A membership that ends in milliseconds since 1970. */
export interface EndingMembership {
  /** One of `memberOf`. */
  readonly group: string;
  readonly expiresAt: number;
}

/** What PostgreSQL keeps with a role for its sessions. */
export interface RoleSettings {
  readonly connectionLimit?: number;
  /** Sorted. The parameter `role` is the group role that a session acts as from its beginning on. */
  readonly parameters: { readonly parameter: string; readonly value: ParameterValue }[];
}

/** A list for the parameters that PostgreSQL stores element by element. */
export type ParameterValue = string | readonly string[];

export interface DatabaseDeclaration {
  readonly database: string;
  readonly privileges: string[];
  readonly schemas: SchemaDeclaration[];
}

export interface SchemaDeclaration {
  readonly schema: string;
  /** The role owns the schema, which is created if it is missing. */
  readonly owner: boolean;
  readonly privileges: string[];
  /** One kind after the other. */
  readonly objects: ObjectPrivileges[];
  readonly futureObjects: FutureObjects[];
}

/** Privileges on objects of one name, or on a column. */
export interface ObjectPrivileges {
  readonly kind: ObjectType | typeof COLUMN.sql;
  /** Of a column. */
  readonly table?: string;
  /** `*` for all that exist. */
  readonly name: string;
  readonly privileges: string[];
}

/** What a role creates from now on. Kinds without privileges are left out. */
export interface FutureObjects {
  readonly creator: string;
  readonly objects: { readonly kind: ObjectType; readonly privileges: string[] }[];
}

/** What happens to a role when its resource is gone. */
export type OnRemoval
  = | { readonly action: 'DROP_OR_DISABLE' | 'DISABLE' | 'RETAIN' }
    | { readonly action: 'DROP'; readonly reassignOwnedTo: string };

/** The resource of a stack that manages a role. */
export interface ManagingResource {
  /** ARN of the stack without its unique part. Only one stack of that name can exist at a time. */
  readonly stack: string;
  readonly stackId: string;
  readonly logicalId: string;
}

/**
 * A row of the registry: this resource manages that role under this name. Two resources of a stack share a role while
 * it moves from one to the other.
 */
export interface Claim extends ManagingResource {
  readonly roleOid: string;
  /** The name the role has now; undefined when the role is gone, or goes by a name that we did not give it. */
  readonly roleName?: string;
  /** `DBClusterResourceId` of the cluster the resource is for. */
  readonly resourceId: string;
  /** Of the CloudFormation resource, when it declared the role last. */
  readonly physicalId: string;
  /** The name the resource declares. */
  readonly username: string;
  /**
   * What may have been granted, the latest last: what could not be taken back, the declaration in force, and while a
   * change is under way the next one too.
   */
  readonly declarations: Declaration[];
  /**
   * What completed events have declared: the latest first, and the one before it. A rollback declares the latter, and
   * is not to fail over what has happened to it. It is kept until the next event that declares something else is
   * complete: which deployment is over, no event says.
   */
  readonly deployed: Declaration[];
  /** When CloudFormation has sent the event that was carried out last, in milliseconds since 1970. */
  readonly sent?: number;
  /** What the names in the declarations stood for when they were granted on. */
  readonly identities?: Identities;
  /** A membership has ended, and it is not known whether all sessions have that may act as the group still. */
  readonly endSessions?: true;
  /** The role was there before the resource: to take its creation back is not to drop the role. */
  readonly existed?: true;
  /** Its resource is gone and the role was kept. */
  readonly released: boolean;
}

/**
 * A resource whose creation CloudFormation has cancelled: a Create of it that was sent before, and comes late, is not
 * carried out.
 */
export interface Cancellation extends ManagingResource {
  /** When CloudFormation has sent the Delete, in milliseconds since 1970. */
  readonly sent: number;
}

/** arn:aws:cloudformation:eu-west-1:123456789012:stack/name/unique -> up to the name */
export function stackWithoutId(stackId: string): string {
  return stackId.split('/').slice(0, 2).join('/');
}

export function sameResource(a: Omit<ManagingResource, 'stackId'>, b: Omit<ManagingResource, 'stackId'>): boolean {
  return a.stack === b.stack && a.logicalId === b.logicalId;
}

/** The declaration after a role that it may name was renamed. */
export function withRenamed(declaration: Declaration, from: string, to: string): Declaration {
  const renamed = (name: string) => name === from ? to : name;
  const { settings, endingMemberships } = declaration;
  return {
    ...declaration,
    ...(endingMemberships === undefined
      ? {}
      : { endingMemberships: endingMemberships.map(one => ({ ...one, group: renamed(one.group) })) }),
    ...settings === undefined ? {} : { settings: withRoleRenamed(settings, renamed) },
    memberOf: declaration.memberOf.map(renamed),
    databases: declaration.databases.map(database => ({
      ...database,
      schemas: database.schemas.map(schema => ({
        ...schema,
        futureObjects: schema.futureObjects.map(future => ({ ...future, creator: renamed(future.creator) })),
      })),
    })),
  };
}

function withRoleRenamed({ parameters, ...others }: RoleSettings, renamed: (name: string) => string): RoleSettings {
  return {
    ...others,
    parameters: parameters.map(one => one.parameter === 'role' ? { ...one, value: renamed(one.value as string) } : one),
  };
}

/** The server that is worked on. */
export interface Server {
  /** The role that is in use. */
  readonly admin: string;
  /** As in server_version_num: 170010 is 17.10. */
  readonly version: number;
  readonly hasRdsIam: boolean;
  /** The group role that is to own what the provisioner keeps, if it is not the admin. */
  readonly registryOwner?: string;
}
