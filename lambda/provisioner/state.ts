/** The role that the database itself checks: its members sign in with a token. */
export const RDS_IAM = 'rds_iam';

/** A user signs in with a token; a role has no login and is there for others to be members of. */
export type RoleKind = 'user' | 'role';

/** What one role may do, as declared in the template. Lists are sorted and without duplicates. */
export interface Declaration {
  readonly kind: RoleKind;
  readonly memberOf: string[];
  readonly databases: DatabaseDeclaration[];
  /** Whatever else it holds is revoked. */
  readonly exclusive: boolean;
}

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
  readonly tables: NamedPrivileges[];
  readonly columns: ColumnPrivileges[];
  readonly sequences: NamedPrivileges[];
  readonly functions: NamedPrivileges[];
  readonly futureObjects: FutureObjects[];
}

export interface NamedPrivileges {
  /** `*` for all that exist. */
  readonly name: string;
  readonly privileges: string[];
}

export interface ColumnPrivileges extends NamedPrivileges {
  readonly table: string;
}

/** What a role creates from now on. */
export interface FutureObjects {
  readonly creator: string;
  readonly tables: string[];
  readonly sequences: string[];
  readonly functions: string[];
}

/** What becomes of a role when its resource is gone. */
export type OnRemoval
  = | { readonly action: 'DROP_OR_DISABLE' | 'DISABLE' | 'RETAIN' }
    | { readonly action: 'DROP'; readonly reassignOwnedTo: string };

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
  /** Of the CloudFormation resource, when it declared the role last. */
  readonly physicalId: string;
  /** The name the resource declares. */
  readonly username: string;
  /** What may have been granted: the declaration in force, and while a change is under way the next one too. */
  readonly declarations: Declaration[];
  /** Its resource is gone and the role was kept. */
  readonly released: boolean;
}

/** arn:aws:cloudformation:eu-west-1:123456789012:stack/name/unique -> up to the name */
export function stackWithoutId(stackId: string): string {
  return stackId.split('/').slice(0, 2).join('/');
}

export function sameResource(a: Omit<Owner, 'stackId'>, b: Omit<Owner, 'stackId'>): boolean {
  return a.stack === b.stack && a.logicalId === b.logicalId;
}

/** The declaration after a role that it may name was renamed. */
export function withRenamed(declaration: Declaration, from: string, to: string): Declaration {
  const renamed = (name: string) => name === from ? to : name;
  return {
    ...declaration,
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
