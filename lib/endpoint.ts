import type * as rds from 'aws-cdk-lib/aws-rds';
import type { EndpointChoice } from './database/endpoint-choice';
import { requireReference } from './database/reference';

/** Where a client connects: at the database, or at a proxy in front of it. */
export class Endpoint {
  /**
   * The writer of the cluster, or the instance.
   *
   * @returns the endpoint, for `psqlCommand` and `connectionEnvironment`
   */
  public static writer(): Endpoint {
    return new Endpoint({ kind: 'writer' });
  }

  /**
   * The reader endpoint of the cluster, which RDS connects to one of its readers, or to the writer where there is no
   * reader.
   *
   * A user that may sign in to the cluster may sign in there as well. Fails for an instance, whose read replicas have
   * endpoints of their own, and for a cluster that was imported without `readerEndpointAddress`.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html
   * @returns the endpoint, for `psqlCommand` and `connectionEnvironment`
   */
  public static reader(): Endpoint {
    return new Endpoint({ kind: 'reader' });
  }

  /**
   * The default endpoint of an RDS Proxy, on port 5432.
   *
   * A proxy has a certificate of Amazon's own CAs and not of those of RDS, so PGSSLROOTCERT is another file there, such
   * as https://www.amazontrust.com/repository/AmazonRootCA1.pem. To sign in there takes a grant of its own:
   * `grantConnect(grantee, { through: proxy })`.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.html
   * @param proxy the proxy
   * @returns the endpoint, for `psqlCommand` and `connectionEnvironment`
   */
  public static proxy(proxy: rds.IDatabaseProxy): Endpoint {
    requireReference('proxy', proxy);
    return new Endpoint({ kind: 'proxy', proxy });
  }

  /** @internal */
  public readonly _choice: EndpointChoice;

  private constructor(choice: EndpointChoice) {
    this._choice = choice;
  }
}
