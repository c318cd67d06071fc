import { AuroraLikeServer } from './aurora-like-server';
import { CertificateAuthority } from './gateway/certificate-authority';
import { enter } from './gateway/database-login';
import { openSession } from './gateway/database-session';
import { Gateway } from './gateway/gateway';
import { logInThroughProxy, ProxyLogin } from './gateway/proxy-login';
import { IssuedCredentials } from './iam/credentials';
import { TokenEndpoint } from './iam/token-endpoint';

export interface RdsProxyOptions {
  readonly host: string;
  readonly region: string;
  /** `prx-...`, as `rds-db:connect` names it. */
  readonly resourceId: string;
  /** Of Amazon's own certificates, which are not those of databases. */
  readonly certificateAuthority: CertificateAuthority;
  readonly credentials: IssuedCredentials;
  readonly settings: RdsProxySettings;
}

/** What can change while the proxy runs. */
export type RdsProxySettings = Pick<ProxyLogin, 'requireTls' | 'userNamed'>;

/**
 * Stands in front of a database as RDS Proxy does, with sign-ins of its own on both sides. Each client has a session of
 * its own at the database: nothing is pooled.
 */
export class RdsProxy extends TokenEndpoint {
  static async start(options: RdsProxyOptions): Promise<RdsProxy> {
    const { certificateAuthority, host } = options;
    const proxy: RdsProxy = new RdsProxy(options, await Gateway.listen({
      isAvailable: () => true,
      awake: () => Promise.resolve(),
      // On AWS it comes from AWS Certificate Manager:
      // https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.html
      certificate: await certificateAuthority.issue([host, 'localhost', '127.0.0.1']),
      admit: client => logInThroughProxy(client, {
        ...proxy.settings,
        verify: (username, token) => proxy.admit(username, token),
        openSession: async (startup, user) => openSession(proxy.target, startup, user.passwordAt(proxy.target)),
        log: line => proxy.note(line),
      }),
      cancel: request => enter({ host: '127.0.0.1', port: proxy.target.gatewayPort }, request),
      log: line => proxy.note(line),
    }));
    return proxy;
  }

  readonly host: string;
  /**
   * Whatever the port of the database is: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.html
   */
  readonly port = 5432;
  readonly region: string;
  readonly resourceId: string;

  /** PEM of the certificate authority. */
  readonly caCertificate: string;

  settings: RdsProxySettings;

  /** What its target group names. */
  database?: AuroraLikeServer;

  private constructor(
    { host, region, resourceId, certificateAuthority, credentials, settings }: RdsProxyOptions,
    private readonly gateway: Gateway,
  ) {
    super(credentials);
    this.host = host;
    this.region = region;
    this.resourceId = resourceId;
    this.caCertificate = certificateAuthority.certificate;
    this.settings = settings;
  }

  /** Port on 127.0.0.1 that the gateway listens at. */
  get gatewayPort(): number {
    return this.gateway.port;
  }

  async stop(): Promise<void> {
    await this.gateway.close();
  }

  private get target(): AuroraLikeServer {
    if (!this.database) {
      throw new Error('the proxy has no target group');
    }
    return this.database;
  }
}
