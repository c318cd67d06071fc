import { Mixin } from 'aws-cdk-lib';
import { Construct, type IConstruct } from 'constructs';
import { enableIamAuthentication, instanceIn } from '../database/iam-authentication';
import { requireConstruct } from '../model/types';

/**
 * Enables IAM database authentication for an RDS instance of this app, or for a read replica.
 *
 * Members of `rds_iam` then sign in with IAM; all other users keep their passwords. CloudFormation
 * applies the change without interruption. `InstanceIamAuth` applies the mixin by itself; on its own it
 * goes with `ConnectGrants`, for a replica, or for an instance whose users are made elsewhere.
 *
 * An instance that says `iamAuthentication: false` is an error, also when that is said later.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html
 */
export class InstanceIamAuthEnabled extends Mixin {
  /**
   * Whether this is a `CfnDBInstance`, or a construct around one, such as `DatabaseInstance` or
   * `DatabaseInstanceReadReplica`.
   *
   * @param construct what the mixin would be applied to
   * @returns whether the mixin changes it
   */
  public supports(construct: IConstruct): boolean {
    return Construct.isConstruct(construct) && instanceIn(construct) !== undefined;
  }

  /**
   * Sets `EnableIAMDatabaseAuthentication`. What the mixin does not support is left alone.
   *
   * @param construct the instance
   */
  public applyTo(construct: IConstruct): void {
    requireConstruct(undefined, 'construct', construct, 'a rds.DatabaseInstance');
    const instance = instanceIn(construct);
    if (instance) {
      enableIamAuthentication(instance);
    }
  }
}
