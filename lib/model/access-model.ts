import type { PrivilegesByDatabase } from './privilege-set';
import type { DatabaseKind, PublicPrivilegesProperties, RoleProperties, SettingProperties } from '../contract/wire';

/**
 * What an app declares about access to its databases, kept on the root of its constructs. Constructs write it; custom
 * resources, the order of the deployment, checks of names and of the size of policies, and the access report read it.
 *
 * It is made of values: constructs are in it as their paths, names may be tokens.
 */
export interface AppAccess {
  readonly format: number;

  /** By the path of the cluster, instance or proxy. */
  readonly models: Map<string, AccessModel>;

  /** By the path of each construct that stands for a role; the users of a list share one. */
  readonly roles: Map<string, DeclaredRole>;

  /** By the path of the stack that creates them. */
  readonly rolesByStack: Map<string, DeclaredRole[]>;
}

/** Access to one cluster, instance or proxy of the app. */
export interface AccessModel {
  readonly path: string;

  /** Of all stacks of the app. */
  readonly roles: DeclaredRole[];

  /**
   * What is revoked from PUBLIC, of all stacks of the app. Absent where nothing is, and in a model that an earlier copy
   * of the library made.
   */
  restricted?: DeclaredOfPublic[];

  /** Permissions to sign in there, by username; which may be a token. */
  readonly signIns: Map<string, SignInGrant[]>;

  /** Permissions to sign in as the user that a tag of the identity names. */
  readonly signInsByTag: SignInGrant[];

  /** Proxies and replicas whose clients have users of this database, by path. */
  readonly endpoints: Map<string, ClientEndpoint>;

  /** Further resource ids that permissions to sign in there are about. */
  readonly alsoResourceIds: Set<string>;

  readonly claims: Claims;

  /** Checks at the end of the synthesis that are there already. */
  readonly checks: Set<'IAM authentication' | 'retained access' | 'entrance'>;
}

/** A proxy or a replica. */
export interface ClientEndpoint {
  readonly kind: 'proxy' | 'replica';

  /** Of the construct that the app has of it. */
  readonly path: string;
  readonly model: AccessModel;
}

/** What only one construct of the app can have of a database. The first one keeps it. */
export interface Claims {
  /** Path of the construct that creates a role, by name. In PostgreSQL, users and group roles share their names. */
  readonly roleNames: Map<string, string>;

  /** Owners by schema, by database. */
  readonly schemas: Map<string, Map<string, DeclaredRole>>;

  /** Path of the AuroraIamAuth or InstanceIamAuth by how it creates users, by the path of its stack. */
  readonly provisioners: Map<string, Map<string, string>>;
}

/** What one resource makes: a user, several that may do the same, or a group role. */
export type RoleKind = 'user' | 'users' | 'role';

/** A database as an AuroraIamAuth or InstanceIamAuth has it. */
export interface DeclaredDatabase {
  /** What is declared about the database by all of them. */
  readonly model: AccessModel;

  /** Of the construct that the app has of it. */
  readonly path: string;
  readonly kind: DatabaseKind;
  readonly admin: DeclaredAdmin;

  /** As the statements that allow to sign in name it; all may be tokens. */
  readonly resourceId: string;
  readonly account: string;
  readonly region: string;
}

/** Who creates the users. */
export interface DeclaredAdmin {
  /** Where the app tells it. */
  readonly username?: string;

  /** What it signs in with. */
  readonly credentials: 'password' | 'token';
}

/** What a custom resource declares: a user, several that may do the same, or a group role. */
export interface DeclaredRole {
  readonly kind: RoleKind;

  /** May be tokens. */
  readonly names: readonly string[];

  /** Of its construct. */
  readonly path: string;

  /** Path of the stack. */
  readonly stack: string;
  readonly database: DeclaredDatabase;
  readonly exclusive: boolean;
  readonly onRemoval: string;

  /** When the access of its users ends, as `Date.toISOString()` writes it. */
  readonly expiresAt?: string;

  /** Each as it was given. More may be added. */
  readonly privileges: PrivilegesByDatabase[];

  /** Names of the roles that it is a member of, as they were given. */
  readonly memberOf: string[];

  /** When memberships end, by the name of the group, as `Date.toISOString()` writes it. */
  readonly membershipEnds: Map<string, string>;

  /** As they are on the wire; only users have them. */
  readonly settings?: SettingProperties;

  /** Those that are deployed before, and removed after it. */
  readonly predecessors: Set<DeclaredRole>;

  /** Privileges and memberships as they are on the wire at that moment. */
  readonly declared: Pick<RoleProperties, 'Privileges' | 'MemberOf' | 'MembershipExpiresAt'>;
}

/** What a custom resource revokes from PUBLIC in one database. */
export interface DeclaredOfPublic extends Pick<PublicPrivilegesProperties, 'DatabaseName' | 'Revoked'> {
  /** Of its construct. */
  readonly path: string;

  /** Path of the stack. */
  readonly stack: string;
  readonly lockOut: readonly string[];
}

/** An IAM identity, or a policy that identities may have. */
export interface Principal {
  readonly kind: 'role' | 'user' | 'group' | 'policy' | 'statement' | 'principal';

  /** Path of the construct that was granted to: the role, or what has it. */
  readonly path?: string;

  /** Where it is known at synthesis. */
  readonly name?: string;
  readonly arn?: string;

  /** Where the app says that a statement or a policy goes. */
  readonly label?: string;

  /** Of a role that the app creates: who may assume it, by its trust policy, as the template has it. */
  readonly assumedBy?: readonly string[];
}

/** The parts of the ARN in a statement that allows rds-db:connect; all may be tokens. */
export interface ConnectResource {
  readonly region: string;
  readonly account: string;
  readonly resourceId: string;

  /** As it is in the policy. */
  readonly username: string;
}

/** A permission to sign in, as it was granted. */
export interface SignInGrant {
  /** Asked for when everything has been declared: an identity may get its name after the grant. */
  readonly principal: Principal;

  /** May be a token. */
  readonly username?: string;

  /** In place of a username: the key of the tag that says it. */
  readonly tagKey?: string;

  /**
   * Path of the proxy whose role this is, which signs in on behalf of its clients, or of the provisioner, which the
   * report has as the admin.
   */
  readonly onBehalfOf?: string;

  /** Path of the identity or policy that has the statement. */
  readonly policyOf?: string;
  readonly resources?: readonly ConnectResource[];
}
