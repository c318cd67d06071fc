import type * as rds from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import { clusterDatabase } from './database/owned-database';
import { IamAuthBase } from './iam-auth-base';
import type { CommonIamAuthProps } from './common-iam-auth-props';
import { requireOptions } from './model/types';
import { importOptions } from './provisioner/iam-authentication-resource';
import { requireProps } from './provisioner/require-props';

/** A cluster, and its connection settings. */
export interface AuroraIamAuthProps extends CommonIamAuthProps {
  /**
   * A cluster of Aurora PostgreSQL, or a Multi-AZ DB cluster of PostgreSQL, as a construct or an import of the L2.
   *
   * - One that this app creates, `DatabaseCluster` or `DatabaseClusterFromSnapshot`: IAM authentication is enabled;
   *   with `iamAuthentication: false` it is an error.
   * - An imported one must have IAM authentication enabled already, which cannot be verified at synthesis, unless
   *   `enableIamAuthentication` enables it. It needs its resource id, endpoint, port and security groups where it is
   *   imported, and `vpc` and `admin` here; with `enableIamAuthentication` no resource id and no endpoint, and with
   *   `transport` neither security groups nor `vpc`. It is taken to be in the account and Region of the stack it is
   *   imported into.
   * - One with express configuration, which is in no VPC, is a `CfnDBCluster` with `WithExpressConfiguration`; an
   *   imported one is passed with `transport: SqlTransport.internetAccessGateway()`.
   */
  readonly cluster: rds.IDBClusterRef;
}

/**
 * Users of Aurora PostgreSQL that sign in with IAM.
 *
 * Enables IAM authentication, and creates users with a Lambda function, in the VPC of the cluster unless `transport`
 * says otherwise. There is one such function in every stack that has users, `provisioner`. It exists once there is a
 * user or it is asked for; what it logs is kept for a month, or until the stack is deleted.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
 */
export class AuroraIamAuth extends IamAuthBase {
  public readonly database: string;

  /**
   * @param scope where the construct goes
   * @param id id of the construct
   * @param props the cluster, and its connection settings
   */
  constructor(scope: Construct, id: string, props: AuroraIamAuthProps) {
    super(scope, id);
    requireOptions(this, 'props', props);
    requireProps(this, props);
    const database = clusterDatabase(this, props.cluster, importOptions(this, props));
    this.database = props.database ?? database.databaseName ?? 'postgres';
    this._manage(database, props);
  }
}
