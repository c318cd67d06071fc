import { Mixin } from 'aws-cdk-lib';
import { CfnDBCluster } from 'aws-cdk-lib/aws-rds';
import { IConstruct } from 'constructs';
import { requireIamAuthentication } from '../private/iam-authentication';

/**
 * Switches IAM database authentication on for a cluster of this app.
 *
 * `AuroraIamAuth` applies it by itself. On its own it goes with `ConnectGrants`, for a cluster
 * whose users are made elsewhere. Members sign in with IAM as well as, and other users still
 * with, a password; CloudFormation applies the change without interruption.
 *
 * A cluster that says `iamAuthentication: false` is an error, also when that is said later.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html
 */
export class ClusterIamAuthentication extends Mixin {
  /**
   * A `CfnDBCluster`, or a construct around one, such as `DatabaseCluster`.
   *
   * @param construct what the mixin would be applied to
   */
  public supports(construct: IConstruct): boolean {
    return clusterIn(construct) !== undefined;
  }

  /**
   * Sets `EnableIAMDatabaseAuthentication`; what the mixin does not support is left alone.
   *
   * @param construct the cluster
   */
  public applyTo(construct: IConstruct): void {
    const cluster = clusterIn(construct);
    if (cluster) {
      requireIamAuthentication(cluster);
      cluster.enableIamDatabaseAuthentication = true;
    }
  }
}

function clusterIn(construct: IConstruct): CfnDBCluster | undefined {
  const cluster = CfnDBCluster.isCfnDBCluster(construct) ? construct : construct.node.defaultChild;
  return CfnDBCluster.isCfnDBCluster(cluster) ? cluster : undefined;
}
