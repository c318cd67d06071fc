/** What the function answers by its aliases `plan` and `drift`, and the command line reads. */

/** A change that is not made, as the statements that would make it. */
export interface PlannedChange {
  readonly database: string;
  /** In words. */
  readonly change: string;
  /** To whom it would be made. */
  readonly roles: string[];
  readonly sql: string[];
}

/** What the log of the provisioner would say beside the changes. */
export interface Note {
  readonly notice: string;
  readonly [field: string]: string | number | boolean | undefined;
}

/** What an event of one resource would do. */
export interface ResourcePlan {
  readonly logicalId: string;
  /** In the order in which they would be made. */
  readonly changes: PlannedChange[];
  readonly notes: Note[];
  /** Why the event would fail. */
  readonly problem?: string;
}

interface Look {
  readonly server: {
    readonly admin: string;
    /** As in server_version_num: 170010 is 17.10. */
    readonly version: number;
  };
  /** Who works on the roles of the server meanwhile, in words: what is planned may be done by the time it is read. */
  readonly underWay?: string;
}

export interface Plan extends Look {
  readonly resources: ResourcePlan[];
}

/** What differs from what a stack has declared, as what its next deployment would do about it. */
export interface Drift extends Look {
  /** Logical ids that it was narrowed to. @default - all of the stack */
  readonly only?: string[];
  /** One for each resource and declaration; those without a difference have no changes. */
  readonly resources: (ResourcePlan & { readonly names: string[] })[];
  /** How many roles differ, or could not be compared. */
  readonly driftedRoles: number;
  /** Logins and members of rds_iam that no stack declares, if that was asked. */
  readonly undeclared?: Login[];
}

/** A role that can sign in, or could with a token if it had a login. */
export interface Login {
  readonly role: string;
  readonly canLogin: boolean;
  /**
   * With tokens; otherwise with a password, if it has one. `null` if that is not known, because it has the ADMIN option
   * alone on rds_iam, or on a member of it.
   */
  readonly withToken: boolean | null;
  readonly isSuperuser: boolean;
  readonly createsRoles: boolean;
  /** After it no password is accepted; tokens are. */
  readonly validUntil: string | null;
}

/** What the catalogs say of the sign-in of one role to one database. */
export interface SignInFacts {
  /** Of the cluster or instance. */
  readonly resourceId: string;
  /** The role itself and those whose names differ in upper and lower case alone. */
  readonly roles: SignInRole[];
  /** `null` if there is no such database. */
  readonly database: {
    readonly allowsConnections: boolean;
    /** Of the role; `null` if the role does not exist. */
    readonly mayConnect: boolean | null;
    readonly limit: ConnectionLimit;
  } | null;
  /** For roles that have no right to reserved connections. */
  readonly server: ConnectionLimit;
}

export interface SignInRole {
  readonly name: string;
  readonly canLogIn: boolean;
  /**
   * Directly or through other roles. `null` if it has the ADMIN option alone on one of them: what RDS makes of that is
   * not known.
   */
  readonly isInRdsIam: boolean | null;
  readonly isInRdsAd: boolean;
  readonly limit: ConnectionLimit;
}

export interface ConnectionLimit {
  /** -1: none */
  readonly max: number;
  readonly used: number;
}
