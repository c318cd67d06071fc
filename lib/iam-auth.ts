import type { IConstruct } from 'constructs';
import type { IProvisioner } from './provisioner-interface';

/** A database whose users sign in with IAM: an `AuroraIamAuth` or an `InstanceIamAuth`. */
export interface IIamAuth extends IConstruct {
  /** Name of the database that a user connects to unless it says otherwise. */
  readonly database: string;

  /**
   * The provisioner of the stack of this construct: the Lambda function that creates its users, for alarms and network
   * rules.
   *
   * It is created with the first user in this stack, or when it is asked for. Users in another stack have a provisioner
   * of their own there, `user.provisioner`. The synthesis fails where this one is asked for and this stack has no user
   * or group role of the database.
   */
  readonly provisioner: IProvisioner;
}
