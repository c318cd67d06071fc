import type * as rds from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import { instanceDatabase } from './database/owned-database';
import { IamAuthBase } from './iam-auth-base';
import type { CommonIamAuthProps } from './common-iam-auth-props';
import { requireOptions } from './model/types';
import { importOptions } from './provisioner/iam-authentication-resource';
import { requireProps } from './provisioner/require-props';

/** An instance, and its connection settings. */
export interface InstanceIamAuthProps extends CommonIamAuthProps {
  /**
   * An instance of RDS for PostgreSQL.
   *
   * - One that this app creates, `DatabaseInstance` or `DatabaseInstanceFromSnapshot`: IAM authentication is enabled;
   *   with `iamAuthentication: false` it is an error.
   * - An imported one must have IAM authentication enabled already, which cannot be verified at synthesis, unless
   *   `enableIamAuthentication` enables it. It needs its resource id, endpoint, port and security groups where it is
   *   imported, and `vpc` and `admin` here; with `enableIamAuthentication` no resource id and no endpoint (CDK asks for
   *   an endpoint where an instance is imported; another one than RDS has is refused by the deployment). It is taken to
   *   be in the account and Region of the stack it is imported into.
   *
   * A read replica is an error: users are created at its source, and come to the replica with everything else. What it
   * takes to sign in there is `InstanceIamAuthEnabled` and `ConnectGrants.fromInstance(replica)`, because a replica has
   * a resource id of its own.
   */
  readonly instance: rds.IDatabaseInstance;
}

/**
 * Users of RDS for PostgreSQL that sign in with IAM: what `AuroraIamAuth` is for a cluster, for an instance.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export class InstanceIamAuth extends IamAuthBase {
  public readonly database: string;

  /**
   * @param scope where the construct goes
   * @param id id of the construct
   * @param props the instance, and its connection settings
   */
  constructor(scope: Construct, id: string, props: InstanceIamAuthProps) {
    super(scope, id);
    requireOptions(this, 'props', props);
    requireProps(this, props);
    const database = instanceDatabase(this, props.instance, importOptions(this, props));
    this.database = props.database ?? database.databaseName ?? 'postgres';
    this._manage(database, props);
  }
}
