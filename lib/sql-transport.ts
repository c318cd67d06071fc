import { DataApiReach } from './provisioner/transport/data-api-reach';
import type { NewReach } from './provisioner/transport/reach';

/** How the function that creates users gets to the database: from the VPC of the database, unless it is told otherwise. */
export class SqlTransport {
  /**
   * The RDS Data API, so that no function runs in a VPC.
   *
   * There is one function then, which answers CloudFormation itself, and no provider framework. For clusters of Aurora PostgreSQL. What is executed is the same as over a connection, one statement a call, so that it takes longer. The admin has a password, in a secret: the provisioner
   * gets `secretsmanager:GetSecretValue` on it, and the four `rds-data` actions it needs, on this one cluster.
   *
   * - A cluster that this app creates: the Data API is switched on; with `enableDataApi: false` it is an error.
   * - An imported one must have it on already; nobody can see from here whether it has.
   *
   * Fails for instances, Multi-AZ DB clusters, `AdminCredentials.fromIam`, together with `vpc`, `vpcSubnets`, `securityGroups` or `frameworkInVpc`, and, as far as the app says so, for a writer of a T class, engine versions
   * and Regions that are documented as without it.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
   */
  public static dataApi(): SqlTransport {
    return new SqlTransport((scope, database, admin, options) => new DataApiReach(scope, database, admin, options));
  }

  private constructor(
    /** @internal */
    public readonly _reach: NewReach,
  ) {}
}
