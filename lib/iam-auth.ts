import type { IConstruct } from 'constructs';

/** A database whose users sign in with IAM: an `AuroraIamAuth` or an `InstanceIamAuth`. */
export interface IIamAuth extends IConstruct {
  /** The database that a user connects to unless it says otherwise. */
  readonly databaseName: string;
}
