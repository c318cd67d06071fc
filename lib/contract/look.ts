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
  /** With tokens; otherwise with a password, if it has one. */
  readonly withToken: boolean;
  readonly isSuperuser: boolean;
  readonly createsRoles: boolean;
  /** After it no password is accepted; tokens are. */
  readonly validUntil: string | null;
}
