import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { CertificateAuthority } from './gateway/certificate-authority';
import { enter, logInToDatabase } from './gateway/database-login';
import { Gateway } from './gateway/gateway';
import { IssuedCredentials } from './iam/credentials';
import { TokenEndpoint } from './iam/token-endpoint';
import { PostgresqlMajor } from './postgresql/binaries';
import { bootstrap, isIamUser, Master, RdsIamRole, RoleRules } from './postgresql/bootstrap';
import { PostgresqlServer } from './postgresql/postgresql-server';
import { RunFolder } from './run-folder';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The data of a server at a moment, as a snapshot of a cluster has it. */
export interface Snapshot {
  readonly major: PostgresqlMajor;
  readonly folder: string;
  readonly master: Master;
}

export interface AuroraLikeServerOptions {
  readonly major: PostgresqlMajor;

  /** Databases beside `postgres`, owned by the master. */
  readonly databases?: string[];

  /** @default { username: 'postgres', password: a random one } */
  readonly master?: Master;

  /** @default 'grantable' */
  readonly rdsIam?: RdsIamRole;

  /** `rdsLike` and `strict` are for 16 and later. @default 'plain' */
  readonly roleRules?: RoleRules;

  /** Whether the cluster has IAM database authentication. @default true */
  readonly iamAuthentication?: boolean;

  /**
   * Host and port that clients, tokens and the certificate name. A rehearsal leads clients from there to the gateway.
   *
   * @default - localhost and the port the gateway listens at
   */
  readonly endpoint?: Endpoint;

  /** @default 'eu-central-1' */
  readonly region?: string;

  /** As `DBClusterResourceId` of a cluster, or `DbiResourceId` of an instance. @default - one of a cluster */
  readonly resourceId?: string;

  /**
   * - `trusted`: a certificate of the authority in `caFile`
   * - `untrusted`: of another authority
   * - `otherHost`: of the right authority for another host
   * - `off`: no TLS
   *
   * @default 'trusted'
   */
  readonly tls?: 'trusted' | 'untrusted' | 'otherHost' | 'off';

  /** @default - one for this server */
  readonly certificateAuthority?: CertificateAuthority;

  /** @default - those of this server alone */
  readonly credentials?: IssuedCredentials;

  /** Who may `rds-db:connect` as whom. It may be set later, too. @default - none */
  readonly authorize?: (principal: string, username: string, at: Date) => boolean;

  /** Parameters of the server, such as max_connections. */
  readonly settings?: Record<string, string>;

  /**
   * Makes it a read replica: a standby of that server, which needs `SETTINGS_FOR_STANDBYS`. Databases and roles are
   * those of the source.
   */
  readonly source?: AuroraLikeServer;

  /** Restores it: databases, roles and the master with its password are those of the snapshot. */
  readonly snapshot?: Snapshot;
}

/**
 * A real PostgreSQL set up like an Aurora cluster: a master that is no superuser, the roles of RDS, TLS, and
 * logins with IAM tokens for members of `rds_iam`.
 */
export class AuroraLikeServer extends TokenEndpoint {
  static async start(options: AuroraLikeServerOptions): Promise<AuroraLikeServer> {
    const { major, tls = 'trusted', settings, source, snapshot } = options;
    const master = source?.master
      ?? snapshot?.master
      ?? options.master ?? { username: 'postgres', password: randomBytes(12).toString('hex') };
    const authority = options.certificateAuthority ?? await CertificateAuthority.create();
    const postgresql = await (source
      ? PostgresqlServer.startStandby(source.postgresql)
      : snapshot
        ? PostgresqlServer.startFrom(major, snapshot.folder, settings)
        : PostgresqlServer.start(major, settings));
    const server = new AuroraLikeServer(options, postgresql, authority.certificate, master);
    try {
      const { rdsIam = 'grantable', roleRules = 'plain', databases = [] } = options;
      for (const { database, text } of (source ?? snapshot)
        ? []
        : bootstrap({ major, master, rdsIam, roleRules, databases })) {
        await postgresql.sql(text, undefined, database);
      }
      const issuer = tls === 'untrusted' ? await CertificateAuthority.create('Another authority') : authority;
      const login = {
        iamDoor: () => ({ path: `${postgresql.folder}/.s.PGSQL.${postgresql.port}` }),
        passwordDoor: () => ({ host: '127.0.0.1', port: postgresql.port }),
        isIamUser: async (username: string) => {
          await server.catchUp();
          return (await postgresql.ask(isIamUser(options.roleRules ?? 'plain'), [username])).length > 0;
        },
        verify: (username: string, token: string) => server.admit(username, token),
        log: (line: string) => server.note(line),
      };
      server.gateway = await Gateway.listen({
        isAvailable: () => server.isAvailable,
        awake: () => server.awake(),
        certificate:
          tls === 'off'
            ? undefined
            : await issuer.issue(tls === 'otherHost' ? ['other.example.com'] : [server.host, 'localhost', '127.0.0.1']),
        admit: client => logInToDatabase(client, login),
        cancel: request => enter(login.passwordDoor(), request),
        log: line => server.note(line),
      });
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  readonly host: string;
  readonly region: string;
  readonly resourceId: string;

  /** Of a read replica. */
  readonly source?: AuroraLikeServer;

  /** Path of the certificate authority's certificate. */
  readonly caFile: string;

  /** Whether connections are taken at all. */
  isAvailable = true;

  iamAuthentication: boolean;

  private gateway?: Gateway;

  /** What wakes it up; undefined while it is awake. */
  private resume?: () => Promise<void>;

  private constructor(
    private readonly options: AuroraLikeServerOptions,
    private readonly postgresql: PostgresqlServer,
    /** PEM of the certificate authority. */
    readonly caCertificate: string,
    public master: Master,
  ) {
    super(options.credentials ?? new IssuedCredentials());
    this.host = options.endpoint?.host ?? 'localhost';
    this.region = options.region ?? 'eu-central-1';
    this.resourceId = options.resourceId ?? `cluster-${randomBytes(13).toString('hex').toUpperCase()}`;
    this.source = options.source;
    this.iamAuthentication = options.iamAuthentication ?? true;
    this.authorize = options.authorize ?? this.authorize;
    this.caFile = `${RunFolder.open().newPath('ca')}.pem`;
    writeFileSync(this.caFile, caCertificate);
  }

  get major(): PostgresqlMajor {
    return this.options.major;
  }

  get port(): number {
    return this.options.endpoint?.port ?? this.gatewayPort;
  }

  /** Port on 127.0.0.1 that the gateway listens at. */
  get gatewayPort(): number {
    if (!this.gateway) {
      throw new Error('the server is not started');
    }
    return this.gateway.port;
  }

  /** Runs SQL as the superuser, past the gateway. */
  async sql<Row = Record<string, unknown>>(text: string, values?: unknown[], database?: string): Promise<Row[]> {
    await this.catchUp();
    return this.postgresql.sql<Row>(text, values, database);
  }

  /**
   * A question to the catalog that is asked again and again, as the superuser, past the gateway. Names in the answer
   * are written with their schemas.
   */
  async ask<Row = Record<string, unknown>>(text: string, values?: unknown[], database?: string): Promise<Row[]> {
    await this.catchUp();
    return this.postgresql.ask<Row>(text, values, database);
  }

  /** Runs one statement with the rights of the master: what it creates belongs to the master. */
  async asMaster(text: string, database: string): Promise<void> {
    await this.catchUp();
    // In one message it is one transaction, in which no database can be created.
    if (/^CREATE DATABASE /.test(text)) {
      await this.postgresql.sql(`${text} OWNER ${escapeIdentifier(this.master.username)}`, undefined, database);
    } else {
      await this.postgresql.sql(
        `SET ROLE ${escapeIdentifier(this.master.username)}; ${text}; RESET ROLE`,
        undefined,
        database,
      );
    }
  }

  /** An admin beside the master, or the master itself with that password. */
  async ensureAdmin({ username, password }: Master): Promise<void> {
    if (username === this.master.username) {
      await this.setMasterPassword(password);
      return;
    }
    const admin = escapeIdentifier(username);
    await this.sql(
      `CREATE ROLE ${admin} LOGIN CREATEROLE CREATEDB PASSWORD ${escapeLiteral(password)}; GRANT rds_superuser, ${escapeIdentifier(this.master.username)} TO ${admin}`,
    );
    if (this.options.major >= 16) {
      await this.sql(`GRANT rds_iam TO ${admin} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`);
    }
  }

  async setMasterPassword(password: string): Promise<void> {
    this.master = { ...this.master, password };
    await this.sql(`ALTER ROLE ${escapeIdentifier(this.master.username)} PASSWORD ${escapeLiteral(password)}`);
  }

  get roleRules(): RoleRules {
    return this.options.roleRules ?? 'plain';
  }

  /** Whether the master signs in with tokens. Its password counts no more then. */
  async setMasterWithToken(withToken: boolean): Promise<void> {
    const options = this.options.major >= 16 ? `ADMIN TRUE, INHERIT ${withToken}, SET ${withToken}` : 'ADMIN OPTION';
    const master = escapeIdentifier(this.master.username);
    await this.sql(
      withToken || this.options.major >= 16
        ? `GRANT rds_iam TO ${master} WITH ${options}`
        : `REVOKE rds_iam FROM ${master}`,
    );
  }

  /** What there is at this moment. Sessions end, as they do not on AWS. */
  async snapshot(): Promise<Snapshot> {
    const folder = RunFolder.open().newPath(`snapshot-${this.major}`);
    await this.postgresql.copyStopped(folder);
    return { major: this.major, folder, master: this.master };
  }

  /** Host and port stay; logins fail until the server is back. */
  async restart({ downMilliseconds = 0 } = {}): Promise<void> {
    await this.postgresql.stop('SIGINT');
    await new Promise(resolve => setTimeout(resolve, downMilliseconds));
    await this.postgresql.start();
  }

  /**
   * As Aurora Serverless v2 with a minimum capacity of 0 does after some idle time: the first connection resumes it,
   * and that one and all others wait for it.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
   */
  pause({ resumeMilliseconds }: { readonly resumeMilliseconds: number }): void {
    let resumed: Promise<void> | undefined;
    this.resume = () =>
      (resumed ??= new Promise<void>(resolve => setTimeout(resolve, resumeMilliseconds)).then(
        () => (this.resume = undefined),
      ));
  }

  get isPaused(): boolean {
    return this.resume !== undefined;
  }

  /** Wakes it up, and waits for that. */
  async awake(): Promise<void> {
    if (this.resume) {
      this.note('connection waits: the database is paused');
      await this.resume();
    }
  }

  async stop(): Promise<void> {
    await this.gateway?.close();
    await this.postgresql.stop('SIGQUIT');
    this.postgresql.remove();
    RunFolder.open().remove(this.caFile);
  }

  /**
   * A replica is behind its source on AWS, too. Here it is not, so that what is measured does not depend on the moment.
   */
  private async catchUp(): Promise<void> {
    if (this.source) {
      await this.postgresql.catchUpWith(this.source.postgresql);
    }
  }

  protected override verify(username: string, token: string): void {
    if (!this.iamAuthentication) {
      throw new Error('IAM database authentication is not enabled on the database');
    }
    super.verify(username, token);
  }
}
