import { DataApiTransport } from './provisioner/transport/data-api-transport';
import { INTERNET_ACCESS_GATEWAY } from './provisioner/transport/gateway-transport';
import type { TransportChoice } from './provisioner/transport/transport';

/**
 * How the function that creates users gets to the database: from the VPC of the database, unless it is told otherwise.
 */
export class SqlTransport {
  /**
   * The RDS Data API, so that no function runs in a VPC.
   *
   * There is one function then, which answers CloudFormation itself, and no provider framework. For clusters of Aurora
   * PostgreSQL. What is executed is the same as over a connection, one statement a call, so that it takes longer. The
   * admin has a password, in a secret: the provisioner gets `secretsmanager:GetSecretValue` on it, and the four
   * `rds-data` actions it needs, on this one cluster.
   *
   * - A cluster that this app creates: the Data API is enabled; with `enableDataApi: false` it is an error.
   * - An imported one must have it enabled already, which cannot be verified at synthesis.
   *
   * Fails for instances, Multi-AZ DB clusters, `AdminCredentials.fromIam`, together with `vpc`, `vpcSubnets`,
   * `securityGroups` or `frameworkInVpc`, and, as far as the app says so, for a writer of a T class, engine versions
   * and Regions that are documented as without it.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.html
   * @returns the transport, for `transport`
   */
  public static dataApi(): SqlTransport {
    return new SqlTransport({
      kind: 'dataApi',
      create: (scope, database, admin, options) => new DataApiTransport(scope, database, admin, options),
    });
  }

  /**
   * A connection over the internet, to the internet access gateway of a cluster with express configuration, which is in
   * no VPC of the account.
   *
   * A `CfnDBCluster` with `WithExpressConfiguration` has it without being asked; an import of one must ask for it, and
   * needs its `clusterResourceIdentifier`, `clusterEndpointAddress` and `port`. There is one function outside of any
   * VPC then, which answers CloudFormation itself. It trusts the certificate authorities of Amazon alone, unless
   * `provisioner.caCertificates` gives others. The admin is `AdminCredentials.fromIam('postgres')` unless another one
   * is given.
   *
   * **Not verified on AWS.** Fails for instances, clusters in a VPC, an admin with a password, and together with `vpc`,
   * `vpcSubnets`, `securityGroups`, `enableIamAuthentication`, `frameworkInVpc` or `ipv6AllowedForDualStack`.
   *
   * @see
   * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_GettingStartedAurora.AuroraPostgreSQL.ExpressConfig.html
   * @returns the transport, for `transport`
   */
  public static internetAccessGateway(): SqlTransport {
    return new SqlTransport(INTERNET_ACCESS_GATEWAY);
  }

  private constructor(
    /** @internal */
    public readonly _choice: TransportChoice,
  ) {}
}
