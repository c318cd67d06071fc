/**
 * A rehearsed account with a database, proxies in front of it and a client, for diagnoses of one sign-in after the
 * other.
 */
import { Socket } from 'node:net';
import { Client as PgClient } from 'pg';
import { AwsAccount } from '../../cli/doctor/aws/account';
import { Client } from '../../cli/doctor/observations';
import { Circumstances } from '../../cli/doctor/observe';
import { CatalogWitness, Network, NotSeen } from '../../cli/doctor/world';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { ResourceDefinition, ResourceState } from '../../rehearsal/cloudformation/template';
import { Credentials } from '../../rehearsal/iam/credentials';
import { PolicyDocument } from '../../rehearsal/iam/policy-document';
import { RdsProxy } from '../../rehearsal/rds-proxy';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { assemblyOf, cluster } from '../rehearsal/fixtures/app';
import { ConnectedWitness } from './connected-witness';

export const REGION = 'eu-central-1';
export const ACCOUNT = '111122223333';

/** What doctor asks AWS for, beside sts:GetCallerIdentity, which needs no permission. */
export const READ_PERMISSIONS = [
  'rds:DescribeDBClusters',
  'rds:DescribeDBInstances',
  'rds:DescribeDBProxies',
  'rds:DescribeDBProxyTargets',
  'iam:GetRole',
  'iam:ListRolePolicies',
  'iam:GetRolePolicy',
  'iam:ListAttachedRolePolicies',
  'iam:GetPolicy',
  'iam:GetPolicyVersion',
  'iam:SimulatePrincipalPolicy',
  'logs:FilterLogEvents',
  'cloudwatch:GetMetricData',
];

/** Where a client connects. `secrets` is a proxy that signs in to the database with passwords. */
export type Way = 'cluster' | 'proxy' | 'secrets';

export interface Setup {
  readonly client: Client;
  readonly password?: string;
  readonly credentials: Credentials | undefined;
  readonly network: Network;
  readonly named: Circumstances['named'];
  readonly account?: string;
  readonly catalog?: CatalogWitness;
}

type Statement = Extract<PolicyDocument['Statement'], unknown[]>[number];

const trusting = (service: string): ResourceDefinition => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
    },
  },
});

const policy = (name: string, roleId: string, Statement: unknown[]): ResourceDefinition => ({
  Type: 'AWS::IAM::Policy',
  Properties: { PolicyName: name, Roles: [{ Ref: roleId }], PolicyDocument: { Version: '2012-10-17', Statement } },
});

const allow = (Action: string | string[], Resource: unknown) => ({ Effect: 'Allow', Action, Resource });

const connectArn = (resourceId: unknown, username: string) => ({
  'Fn::Join': ['', [`arn:aws:rds-db:${REGION}:${ACCOUNT}:dbuser:`, resourceId, `/${username}`]],
});
const ofCluster = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };
const ofProxy = (id: string) => ({ 'Fn::Select': [6, { 'Fn::Split': [':', { 'Fn::GetAtt': [id, 'DBProxyArn'] }] }] });

const proxy = (name: string, properties: object): ResourceDefinition => ({
  Type: 'AWS::RDS::DBProxy',
  Properties: {
    DBProxyName: name,
    EngineFamily: 'POSTGRESQL',
    RequireTLS: true,
    RoleArn: { 'Fn::GetAtt': ['ProxyRole', 'Arn'] },
    VpcSubnetIds: [{ Ref: 'Subnet' }],
    ...properties,
  },
});
const behind = (proxyId: string): ResourceDefinition => ({
  Type: 'AWS::RDS::DBProxyTargetGroup',
  Properties: { DBProxyName: { Ref: proxyId }, TargetGroupName: 'default', DBClusterIdentifiers: [{ Ref: 'Cluster' }] },
});

/** Users that sign in to the database themselves or through the proxy. */
export const USERNAMES = ['orders', 'Reports', 'jane@example.com', "o'neil", 'büro', 'with space', 'a$b'];

/** With a password, which the proxy with secrets has. */
export const CLERK = 'clerk';

/** With a password that the proxy does not have. */
export const WITHOUT_SECRET = 'cashier';

const CLERKS_PASSWORD = 'the password of the clerk';
const escaped = (username: string) => username.replace(/[*?$]/g, character => `\${${character}}`);

const RESOURCES: Record<string, ResourceDefinition> = {
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } },
  Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' } } },
  ...cluster({ DBClusterIdentifier: 'shop', EnableCloudwatchLogsExports: ['iam-db-auth-error'] }),
  ClerksSecret: {
    Type: 'AWS::SecretsManager::Secret',
    Properties: { SecretString: JSON.stringify({ username: CLERK, password: CLERKS_PASSWORD }) },
  },
  ProxyRole: trusting('rds.amazonaws.com'),
  Proxy: proxy('tokens', { DefaultAuthScheme: 'IAM_AUTH' }),
  ProxyTarget: behind('Proxy'),
  Secrets: proxy('secrets', {
    Auth: [{ AuthScheme: 'SECRETS', IAMAuth: 'REQUIRED', SecretArn: { Ref: 'ClerksSecret' } }],
  }),
  SecretsTarget: behind('Secrets'),
  ProxySignIn: policy('proxy-sign-in', 'ProxyRole', [
    allow(
      'rds-db:connect',
      USERNAMES.map(name => connectArn(ofCluster, escaped(name))),
    ),
  ]),
  ProxySecrets: policy('proxy-secrets', 'ProxyRole', [allow('secretsmanager:GetSecretValue', { Ref: 'ClerksSecret' })]),
  Client: trusting('lambda.amazonaws.com'),
  SignIn: policy('sign-in', 'Client', [
    allow(
      'rds-db:connect',
      USERNAMES.flatMap(name => [connectArn(ofCluster, escaped(name)), connectArn(ofProxy('Proxy'), escaped(name))]),
    ),
    allow('rds-db:connect', connectArn(ofProxy('Secrets'), CLERK)),
  ]),
  Doctor: policy('doctor', 'Client', [allow(READ_PERMISSIONS, '*')]),
  Bystander: trusting('lambda.amazonaws.com'),
  DoctorOfBystander: policy('doctor', 'Bystander', [allow(READ_PERMISSIONS, '*')]),
  Boundary: {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { PolicyDocument: { Version: '2012-10-17', Statement: [allow(READ_PERMISSIONS, '*')] } },
  },
};

export class DoctorSite {
  static async start(): Promise<DoctorSite> {
    const rehearsal = await Rehearsal.start({ region: REGION, account: ACCOUNT });
    const { reason } = await rehearsal.deploy(assemblyOf({ Shop: { Resources: RESOURCES } }), 'Shop');
    if (reason !== undefined) {
      throw new Error(reason);
    }
    const site = new DoctorSite(rehearsal);
    await site.sql(
      USERNAMES.map(name => `CREATE ROLE ${quoted(name)} LOGIN; GRANT rds_iam TO ${quoted(name)}`).join(';'),
    );
    await site.sql(
      `CREATE ROLE ${CLERK} LOGIN PASSWORD '${CLERKS_PASSWORD}'; CREATE ROLE ${WITHOUT_SECRET} LOGIN PASSWORD 'another'`,
    );
    await site.connectWitness();
    return site;
  }

  readonly credentials: Credentials;
  private witness?: PgClient;

  private constructor(readonly rehearsal: Rehearsal) {
    this.credentials = rehearsal.credentialsOf(this.resource('Client'));
  }

  get server(): AuroraLikeServer {
    return this.rehearsal.database(this.resource('Cluster'));
  }

  resource(logicalId: string): ResourceState {
    return this.rehearsal.resources('Shop').find(state => state.logicalId === logicalId)!;
  }

  proxy(logicalId: 'Proxy' | 'Secrets'): RdsProxy {
    return this.rehearsal.proxy(this.resource(logicalId));
  }

  async sql(text: string): Promise<void> {
    await this.server.sql(text, undefined, 'postgres');
  }

  /** What a client has that signs in without any trouble. */
  setup({
    way = 'cluster',
    username = way === 'secrets' ? CLERK : 'orders',
    ...client
  }: Partial<Client> & { way?: Way } = {}): Setup {
    const { database, amazon } = this.rehearsal.caFiles;
    return {
      client: {
        host: this.hostOf(way),
        port: way === 'proxy' || way === 'secrets' ? 5432 : this.server.port,
        username,
        database: 'postgres',
        sslMode: 'verify-full',
        caFile: way === 'proxy' || way === 'secrets' ? amazon : database,
        inside: true,
        ...client,
      },
      credentials: this.credentials,
      network: this.network(),
      named: {},
      catalog: this.catalog,
    };
  }

  circumstances({ client, password, credentials, network, named, account, catalog }: Setup): Circumstances {
    const provider = () =>
      credentials
        ? Promise.resolve({ ...credentials })
        : Promise.reject(
            Object.assign(new Error('Could not load credentials from any providers'), {
              name: 'CredentialsProviderError',
            }),
          );
    const aws = new AwsAccount(
      REGION,
      { credentials: provider, endpoint: this.rehearsal.awsEndpoint.url },
      () => new Date(),
    );
    return { client, password, named, account, aws, network, catalog, now: () => new Date() };
  }

  /** A token that this client makes elsewhere, with other values than it should. */
  token({ client }: Setup, overrides: Parameters<AuroraLikeServer['token']>[2] = {}): string {
    return this.server.token('', client.username, {
      host: client.host,
      port: client.port,
      credentials: this.credentials,
      ...overrides,
    });
  }

  get catalog(): CatalogWitness {
    return new ConnectedWitness(this.witness!);
  }

  /** One that may not be asked. */
  get closedCatalog(): CatalogWitness {
    return { ask: () => Promise.reject(new NotSeen('needs lambda:InvokeFunction')) };
  }

  /** Each name leads to the gateway that stands for it; of others, that are given, to another port. */
  network(others: Record<string, number> = {}): Network {
    const ports = () => ({ ...this.rehearsal.network, ...others });
    return {
      lookup: host =>
        Object.keys(ports()).some(name => name.startsWith(`${host}:`))
          ? Promise.resolve(['10.0.0.7'])
          : Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })),
      socket: () => new NamedSocket((host, port) => ports()[`${host}:${port}`]),
    };
  }

  hostOf(way: Way): string {
    switch (way) {
      case 'cluster':
        return this.server.host;
      case 'proxy':
        return this.proxy('Proxy').host;
      case 'secrets':
        return this.proxy('Secrets').host;
    }
  }

  /** The statements of a policy. */
  statementsOf(logicalId: string): Statement[] {
    return (this.resource(logicalId).properties.PolicyDocument as { Statement: Statement[] }).Statement;
  }

  /** Replaces statements, until it is undone. */
  changeStatements(logicalId: string, statements: Partial<Statement>[]): () => void {
    const document = this.resource(logicalId).properties.PolicyDocument as { Statement: unknown[] };
    const before = document.Statement;
    document.Statement = statements;
    return () => (document.Statement = before);
  }

  /** Sets a property of a resource, until it is undone. */
  setProperty(logicalId: string, name: string, value: unknown): () => void {
    const { properties } = this.resource(logicalId);
    const before = properties[name];
    properties[name] = value;
    return () => (properties[name] = before);
  }

  async close(): Promise<void> {
    await this.witness?.end();
    await this.rehearsal.close();
  }

  private async connectWitness(): Promise<void> {
    const { host, port, master, caCertificate } = this.server;
    this.witness = new PgClient({
      host,
      port,
      user: master.username,
      password: master.password,
      database: 'postgres',
      ssl: { ca: caCertificate },
      stream: () => this.network().socket(),
    });
    await this.witness.connect();
  }
}

/** Goes where the name stands for; what has no name does not answer. */
class NamedSocket extends Socket {
  constructor(private readonly portOf: (host: string, port: number) => number | undefined) {
    super();
  }

  override connect(...args: unknown[]): this {
    const [port, host] = args as [number, string];
    const local = this.portOf(host, port);
    if (local === undefined) {
      this.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
      return this;
    }
    return super.connect(local, '127.0.0.1');
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
