import { Mixin } from 'aws-cdk-lib';
import { Construct, type IConstruct } from 'constructs';
import { clusterIn, enableIamAuthentication } from '../database/iam-authentication';
import { requireConstruct } from '../model/types';

/**
 * Enables IAM database authentication for a cluster of this app.
 *
 * Members of `rds_iam` then sign in with IAM; all other users keep their passwords. CloudFormation
 * applies the change without interruption. `AuroraIamAuth` applies the mixin by itself; on its own it
 * goes with `ConnectGrants`, for a cluster whose users are made elsewhere.
 *
 * A cluster that says `iamAuthentication: false` is an error, also when that is said later.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html
 */
export class ClusterIamAuthEnabled extends Mixin {
  /**
   * Whether this is a `CfnDBCluster`, or a construct around one, such as `DatabaseCluster`.
   *
   * @param construct what the mixin would be applied to
   * @returns whether the mixin changes it
   */
  public supports(construct: IConstruct): boolean {
    return Construct.isConstruct(construct) && clusterIn(construct) !== undefined;
  }

  /**
   * Sets `EnableIAMDatabaseAuthentication`. What the mixin does not support is left alone.
   *
   * @param construct the cluster
   */
  public applyTo(construct: IConstruct): void {
    requireConstruct(undefined, 'construct', construct, 'a rds.DatabaseCluster');
    const cluster = clusterIn(construct);
    if (cluster) {
      enableIamAuthentication(cluster);
    }
  }
}
