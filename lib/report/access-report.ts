import type { ObjectWord } from '../model/privilege-set';
import type { DeclaredAdmin, Principal } from '../model/access-model';
import type { Member, Membership } from '../model/role-graph';

export type { DeclaredAdmin, Member, Membership, Principal };

/**
 * `<stack>.access.json`, and `access.json` of the whole app: who may sign in to PostgreSQL as whom, and what each user
 * may do there, as the app declares it.
 *
 * Lists are sorted, and there is neither the time of the synthesis nor a random value in it, so that the same app gives
 * the same bytes, until the access of a user ends. A name that only the deployment knows is there as CloudFormation
 * writes it: `${Username}`.
 */
export interface AccessReport {
  /** Another one when something that is there changes its meaning or goes. */
  readonly format: 1;

  /** Path of the stack that creates the users; empty in the report of the whole app. */
  readonly stack: string;

  /** The clusters and instances whose users are in this stack, or in the app. */
  readonly servers: ServerAccess[];
}

/** A cluster or instance. Roles are the same in all its databases. */
export interface ServerAccess {
  readonly path: string;
  readonly kind: 'cluster' | 'instance';
  readonly admin: DeclaredAdmin;

  /** As the statements name it that allow to sign in. */
  readonly resourceId: string;
  readonly account: string;
  readonly region: string;

  /** Further resource ids that grants are about, if there are any: who signs in here signs in there as well. */
  readonly alsoResourceIds?: string[];

  /** Of this stack, or of all of them. */
  readonly users: UserAccess[];

  /** Of this stack, and those of other stacks and apps that a user or group here is a member of. */
  readonly groups: GroupAccess[];

  /** What is revoked from PUBLIC, which is every role, if anything is: of this stack, or of all of them. */
  readonly restrictedPublic?: RestrictedAccess[];

  /** Who chooses the user with a tag of theirs: any user of the server, those of other stacks included. */
  readonly signInsByTag: TagSignIn[];

  /** Grants on usernames that no construct of the app creates. */
  readonly otherSignIns: OtherSignIn[];
}

/** What PUBLIC does not have in one database. */
export interface RestrictedAccess {
  readonly database: string;

  /** Path of the construct. */
  readonly path: string;

  /** `CONNECT` on the database, `CREATE` on its schema `public`. */
  readonly revoked: string[];

  /** Names of roles that may lose what they had through PUBLIC only, if there are any. */
  readonly lockOut?: readonly string[];
}

export interface UserAccess {
  readonly name: string;

  /** Path of the construct; the users of an `addUsers` have the same. */
  readonly path: string;

  /** Whether it has nothing but what is here. Otherwise it also has what was granted by hand. */
  readonly exclusive: boolean;
  readonly onRemoval: string;

  /** When its access ends, if it does: in UTC, such as `2027-01-31T12:00:00.000Z`. */
  readonly expiresAt?: string;

  /** Whether that was over when the app was synthesized: the user has neither login nor rds_iam. */
  readonly expired?: true;
  readonly signIns: SignIn[];

  /** What PostgreSQL applies to each of its sessions, if that is declared. */
  readonly settings?: UserSettings;

  /** Also through other groups. */
  readonly memberOf: Membership[];

  /** Its own; those of its groups are there. */
  readonly privileges: PrivilegeAccess[];
}

export interface UserSettings {
  /** How many sessions it can have at a time. */
  readonly connectionLimit?: number;

  /** The group role that its sessions act as from their beginning on. */
  readonly roleAtLogin?: string;

  /** Configuration parameters, sorted by name. */
  readonly parameters: { readonly name: string; readonly value: string | readonly string[] }[];
}

export interface GroupAccess {
  readonly name: string;

  /** Path of its construct, unless it is managed elsewhere: then its privileges are not known here. */
  readonly path?: string;

  /** What its members can do, if it is a strong role, such as `rds_superuser`. */
  readonly strong?: string;
  readonly exclusive: boolean;

  /** All members that the app declares, those of other stacks included. */
  readonly members: Member[];
  readonly memberOf: Membership[];
  readonly privileges: PrivilegeAccess[];
}

export interface SignIn {
  readonly principal: Principal;

  /** Where they sign in, if not at the cluster or instance itself. */
  readonly at?: { readonly kind: 'proxy' | 'replica'; readonly path: string };
}

export interface TagSignIn extends SignIn {
  readonly tagKey: string;
}

export interface OtherSignIn extends SignIn {
  readonly username: string;
}

/** Privileges on one kind of things in one place. */
export interface PrivilegeAccess {
  readonly database: string;

  /** Undefined for privileges on the database itself. */
  readonly schema?: string;
  readonly on: ObjectKind;

  /** Tables, sequences, functions or columns; all of the schema where it is undefined. */
  readonly names?: string[];

  /** The table of the columns. */
  readonly table?: string;

  /**
   * As PostgreSQL calls them, in its order. `OWNER` for the owner of a schema, who may do everything in it with what is
   * its own.
   */
  readonly privileges: string[];

  /** Those that these roles create from the deployment on are covered as well. */
  readonly createdBy?: string[];

  /** Whether it is about nothing but what is created later. */
  readonly futureOnly?: true;
}

export type ObjectKind = 'database' | 'schema' | 'columns' | `${ObjectWord}s`;
