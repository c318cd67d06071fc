import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { AuroraLikeServer, AuroraLikeServerOptions, Snapshot } from '../aurora-like-server';
import { CertificateAuthority } from '../gateway/certificate-authority';
import { databaseArnOf, hasServer, isTrue, isWithToken, majorOf } from './database-properties';
import { arn } from './native-resource';
import { SecretsManager } from './secrets-manager';
import { Properties, ResourceRequest, ResourceState, StackIdentity } from './template';
import { PostgresqlMajor } from '../postgresql/binaries';
import { SETTINGS_FOR_STANDBYS } from '../postgresql/postgresql-server';

export interface DatabaseServersOptions extends Pick<
  AuroraLikeServerOptions,
  'certificateAuthority' | 'credentials' | 'roleRules'
> {
  /** Stands for the authorities of Amazon, which signs the certificates of gateways. */
  readonly webAuthority: CertificateAuthority;
  readonly secretsManager: SecretsManager;
  /** Whether a principal may do something to a resource. */
  readonly allows: (principal: string, action: string, resource: string, at: Date) => boolean;
  /**
   * Majors to choose from. Where the one that a template asks for is not among them, it is the nearest.
   *
   * @default - all that there are, and no other in place of one
   */
  readonly majors?: readonly PostgresqlMajor[];
  /** Called with an empty database in place of a snapshot that is not known. @default - such a snapshot is an error */
  readonly emptySnapshot?: (request: ResourceRequest, server: AuroraLikeServer) => Promise<void>;
}

/** What names a cluster or an instance. */
export interface DatabaseNames {
  readonly arn: string;
  readonly host: string;
  /** As `rds-db:connect` names it. */
  readonly resourceId: string;
  /** The database that is made with it. */
  readonly databaseName?: string;
  /** Whether clients connect to an internet access gateway. */
  readonly isBehindGateway?: boolean;
}

/** The servers of all clusters and of all instances outside of clusters, by ARN. */
export class DatabaseServers {
  private readonly servers = new Map<string, AuroraLikeServer>();
  private readonly snapshots = new Map<string, Snapshot>();
  /** Those behind an internet access gateway: they are in no VPC. */
  private readonly behindGateways = new Set<string>();

  constructor(private readonly options: DatabaseServersOptions) {}

  server(databaseArn: string): AuroraLikeServer {
    const server = this.servers.get(databaseArn);
    if (!server) {
      throw new Error(`no database ${databaseArn} exists`);
    }
    return server;
  }

  find(databaseArn: string): AuroraLikeServer | undefined {
    return this.servers.get(databaseArn);
  }

  /** Of a cluster or an instance; none has a server that is not needed or of another engine. */
  serverOf(resource: ResourceState): AuroraLikeServer | undefined {
    return hasServer(resource) ? this.find(databaseArnOf(resource)) : undefined;
  }

  /** A server in place of a database of another app. */
  standIn(request: ResourceRequest, names: DatabaseNames, master: { username: string; password: string }) {
    return this.launch(request, names, {
      major: majorOf(request.type, request.properties, this.options.majors),
      master,
    });
  }

  /** Port on 127.0.0.1 of each endpoint in a VPC, by `host:port`. */
  get network(): Record<string, number> {
    return this.portsOf(databaseArn => !this.behindGateways.has(databaseArn));
  }

  /** The same of those that are reached over the internet. */
  get publicNetwork(): Record<string, number> {
    return this.portsOf(databaseArn => this.behindGateways.has(databaseArn));
  }

  private portsOf(isWanted: (databaseArn: string) => boolean): Record<string, number> {
    const wanted = [...this.servers].filter(([databaseArn]) => isWanted(databaseArn));
    return Object.fromEntries(wanted.map(([, { host, port, gatewayPort }]) => [`${host}:${port}`, gatewayPort]));
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers.values()].map(server => server.stop()));
    this.servers.clear();
  }

  /** As `aws rds create-db-cluster-snapshot` or `create-db-snapshot`. */
  async createSnapshot(databaseArn: string, identifier: string): Promise<void> {
    this.snapshots.set(identifier, await this.server(databaseArn).snapshot());
  }

  /**
   * As the switchover of a blue/green deployment: another server with the same data answers at the endpoint and has the
   * name, under a resource id of its own.
   */
  async switchOver(databaseArn: string, resourceId: string): Promise<void> {
    const blue = this.server(databaseArn);
    const { host, port, region, major, iamAuthentication } = blue;
    const snapshot = await blue.snapshot();
    const green = await AuroraLikeServer.start({
      ...this.options, major, snapshot, resourceId, endpoint: { host, port }, region, iamAuthentication,
    });
    const usersOfGreen = `${databaseArn.replace(/:rds:(.*):(cluster|db):.*$/, ':rds-db:$1')}:dbuser:${resourceId}`;
    green.authorize = (principal, username, at) =>
      this.options.allows(principal, 'rds-db:connect', `${usersOfGreen}/${username}`, at);
    this.servers.set(databaseArn, green);
    await blue.stop();
  }

  /** As a rotation does: the database has the new password first, and the secret some moments later. */
  async rotateMasterSecret({ attributes, properties, ...state }: ResourceState, milliseconds: number): Promise<void> {
    const { secretsManager } = this.options;
    const secretArn = (attributes['MasterUserSecret.SecretArn']
      ?? secretsManager.referenceIn(properties.MasterUserPassword as string)) as string;
    const password = randomBytes(12).toString('hex');
    await this.server(databaseArnOf({ attributes, properties, ...state })).setMasterPassword(password);
    await setTimeout(milliseconds);
    secretsManager.put(
      secretArn,
      JSON.stringify({ ...(JSON.parse(secretsManager.valueOf(secretArn)) as object), password }),
    );
  }

  /** A server for a cluster or an instance; it gives the attributes that both have. */
  async start(request: ResourceRequest, names: DatabaseNames) {
    const { stack, type, properties } = request;
    const snapshotIdentifier = properties.SnapshotIdentifier ?? properties.DBSnapshotIdentifier;
    if (snapshotIdentifier !== undefined) {
      return this.restore(request, names, snapshotIdentifier as string);
    }
    const major = majorOf(type, properties, this.options.majors);
    const { master, secretArn } = this.masterOf(properties, stack, names.resourceId);
    const { server, attributes } = await this.launch(request, names, {
      major,
      master,
      databases: names.databaseName === undefined ? [] : [names.databaseName],
      settings:
        type === 'AWS::RDS::DBInstance' || properties.GlobalClusterIdentifier !== undefined
          ? SETTINGS_FOR_STANDBYS
          : {},
    });
    if (isWithToken(properties)) {
      await server.setMasterWithToken(true);
    }
    return {
      server,
      attributes: secretArn === undefined ? attributes : { ...attributes, 'MasterUserSecret.SecretArn': secretArn },
    };
  }

  /** What it is restored from decides about everything that is in it; the password may be another one. */
  private async restore(request: ResourceRequest, names: DatabaseNames, identifier: string) {
    const { properties } = request;
    const snapshot = this.snapshots.get(identifier.split(':').at(-1)!);
    if (!snapshot && this.options.emptySnapshot) {
      return this.inPlaceOfSnapshot(request, names, this.options.emptySnapshot);
    }
    if (!snapshot) {
      throw new Error(`snapshot ${identifier} is not rehearsed: it was not made here, and what is in it is not known`);
    }
    const launched = await this.launch(request, names, { major: snapshot.major, snapshot });
    if (properties.MasterUserPassword !== undefined) {
      await launched.server.setMasterPassword(
        this.options.secretsManager.resolveReference(properties.MasterUserPassword as string),
      );
    }
    return launched;
  }

  /** An empty database, with a master by the name that the app knows. */
  private async inPlaceOfSnapshot(
    request: ResourceRequest,
    names: DatabaseNames,
    done: NonNullable<DatabaseServersOptions['emptySnapshot']>,
  ) {
    const { stack, properties } = request;
    const { secretsManager } = this.options;
    const password = properties.MasterUserPassword as string | undefined;
    const secretArn
      = password !== undefined && password.includes('{{resolve:secretsmanager:')
        ? secretsManager.referenceIn(password)
        : undefined;
    const { username = 'postgres' } = (secretArn === undefined ? {} : parsed(secretsManager.valueOf(secretArn))) as {
      username?: string;
    };
    const master = {
      username,
      password: password === undefined ? randomBytes(12).toString('hex') : secretsManager.resolveReference(password),
    };
    const launched = await this.launch(request, names, {
      major: majorOf(request.type, properties, this.options.majors),
      master,
      settings: SETTINGS_FOR_STANDBYS,
    });
    await done(request, launched.server);
    const managed = isTrue(properties.ManageMasterUserPassword)
      ? {
          'MasterUserSecret.SecretArn': secretsManager.create(
            arn(stack, 'secretsmanager', `secret:rds!${names.resourceId}`),
            JSON.stringify(master),
          ),
        }
      : {};
    return { ...launched, attributes: { ...launched.attributes, ...managed } };
  }

  /** A server that replays what that of another instance writes. */
  async startReplica(request: ResourceRequest, names: DatabaseNames, sourceArn: string) {
    const source = this.server(sourceArn);
    return this.launch(request, names, { major: source.major, source });
  }

  private async launch(
    { stack, properties }: ResourceRequest, { arn: databaseArn, host, resourceId, isBehindGateway }: DatabaseNames,
    options: Pick<AuroraLikeServerOptions, 'major' | 'master' | 'databases' | 'settings' | 'source' | 'snapshot'>,
  ): Promise<{ server: AuroraLikeServer; attributes: Properties }> {
    const server = await AuroraLikeServer.start({
      ...this.options,
      ...options,
      ...isBehindGateway ? { certificateAuthority: this.options.webAuthority } : {},
      resourceId,
      endpoint: { host, port: Number(properties.Port ?? options.source?.port ?? 5432) },
      region: stack.region,
      iamAuthentication: isTrue(properties.EnableIAMDatabaseAuthentication),
    });
    server.authorize = (principal, username, at) =>
      this.options.allows(principal, 'rds-db:connect', arn(stack, 'rds-db', `dbuser:${resourceId}/${username}`), at);
    this.servers.set(databaseArn, server);
    if (isBehindGateway) {
      this.behindGateways.add(databaseArn);
    }
    return { server, attributes: { 'Endpoint.Address': server.host, 'Endpoint.Port': `${server.port}` } };
  }

  /** @param fixed properties that a rehearsal cannot change on a running server */
  async update(
    databaseArn: string,
    { properties }: ResourceRequest,
    current: ResourceState,
    fixed: string[],
  ): Promise<ResourceState> {
    // Where the major is only the nearest one, the server stays what it is.
    const isFixed = (name: string) => name !== 'EngineVersion' || this.options.majors === undefined;
    const changed = fixed.find(name => isFixed(name) && properties[name] !== current.properties[name]);
    if (changed) {
      throw new Error(`a changed ${changed} of a database is not rehearsed`);
    }
    const server = this.server(databaseArn);
    if (
      isTrue(properties.EnableIAMDatabaseAuthentication) !== isTrue(current.properties.EnableIAMDatabaseAuthentication)
    ) {
      // What the template has not changed stays as it was set elsewhere.
      server.iamAuthentication = isTrue(properties.EnableIAMDatabaseAuthentication);
    }
    if (isWithToken(properties) !== isWithToken(current.properties)) {
      await server.setMasterWithToken(isWithToken(properties));
    }
    if (
      properties.MasterUserPassword !== undefined
      && properties.MasterUserPassword !== current.properties.MasterUserPassword
    ) {
      await server.setMasterPassword(
        this.options.secretsManager.resolveReference(properties.MasterUserPassword as string),
      );
    }
    return current;
  }

  async delete(databaseArn: string, { attributes }: ResourceState): Promise<void> {
    const server = this.server(databaseArn);
    // First: a function that starts meanwhile must not be led to a port that is closed.
    this.servers.delete(databaseArn);
    await server.stop();
    this.options.secretsManager.delete(attributes['MasterUserSecret.SecretArn'] as string);
  }

  private masterOf(properties: Properties, stack: StackIdentity, resourceId: string) {
    const { secretsManager } = this.options;
    const text = (name: string) => secretsManager.resolveReference(properties[name] as string);
    if (isWithToken(properties)) {
      if (properties.MasterUserPassword !== undefined || isTrue(properties.ManageMasterUserPassword)) {
        throw new Error(
          'a password of a master with MasterUserAuthenticationType iam-db-auth is not rehearsed: RDS is reported to refuse it; leave it out',
        );
      }
      return { master: { username: text('MasterUsername'), password: randomBytes(12).toString('hex') } };
    }
    if (isTrue(properties.ManageMasterUserPassword)) {
      const master = { username: text('MasterUsername'), password: randomBytes(12).toString('hex') };
      return {
        master,
        secretArn: secretsManager.create(
          arn(stack, 'secretsmanager', `secret:rds!${resourceId}`),
          JSON.stringify(master),
        ),
      };
    }
    if (properties.MasterUsername === undefined || properties.MasterUserPassword === undefined) {
      throw new Error('a database without MasterUsername and MasterUserPassword is not rehearsed');
    }
    return { master: { username: text('MasterUsername'), password: text('MasterUserPassword') } };
  }
}

function parsed(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}
