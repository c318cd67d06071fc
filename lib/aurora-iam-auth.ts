import type * as rds from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import { clusterDatabase } from './database/owned-database';
import { IamAuthBase } from './iam-auth-base';
import type { CommonIamAuthProps } from './common-iam-auth-props';
import { importOptions } from './provisioner/iam-authentication-resource';

/** A cluster, and the way to it. */
export interface AuroraIamAuthProps extends CommonIamAuthProps {
  /**
   * A cluster of Aurora PostgreSQL, or a Multi-AZ DB cluster of PostgreSQL.
   *
   * - One that this app creates, `DatabaseCluster` or `DatabaseClusterFromSnapshot`: IAM authentication is switched on; with `iamAuthentication: false` it is an error.
   * - An imported one must have IAM authentication on already, which nobody can see from here, unless `enableIamAuthentication` switches it on. It needs its resource id, endpoint,
   *   port and security groups where it is imported, and `vpc` and `admin` here; with `enableIamAuthentication` no resource id and no endpoint, and with
   *   `transport` neither security groups nor `vpc`. It is taken to be in the account and Region of the stack it is imported into.
   */
  readonly cluster: rds.IDatabaseCluster;
}

/**
 * Users of Aurora PostgreSQL that sign in with IAM.
 *
 * Switches IAM authentication on, and creates users with a Lambda function, in the VPC of the cluster unless `transport` says otherwise. There is one
 * such function in every stack that has users. It exists once there is a user; what it logs is kept for a month, or until the stack is deleted.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
 */
export class AuroraIamAuth extends IamAuthBase {
  public readonly databaseName: string;

  /**
   * @param scope where the construct goes
   * @param id id of the construct
   * @param props the cluster, and the way to it
   */
  constructor(scope: Construct, id: string, props: AuroraIamAuthProps) {
    super(scope, id);
    const database = clusterDatabase(this, props.cluster, importOptions(this, props));
    this.databaseName = props.databaseName ?? database.databaseName ?? 'postgres';
    this._manage(database, props);
  }
}
