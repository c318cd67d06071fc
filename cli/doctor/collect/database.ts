import { DBCluster, DBInstance, DBProxy, DBProxyTarget } from '@aws-sdk/client-rds';
import { AwsAccount } from '../aws/account';
import { DatabaseFacts, isSeen, ProxyFacts, Seen } from '../observations';
import { HostFacts } from '../target';

/** What the client connects to, if it is not what the name of the host says. */
export interface Named {
  readonly cluster?: string;
  readonly instance?: string;
  readonly proxy?: string;
}

export interface RdsFacts {
  readonly database: Seen<DatabaseFacts>;
  readonly proxy?: Seen<ProxyFacts>;
}

/** The database, and the proxy in front of it, as RDS describes them. */
export async function describeDatabase(
  aws: AwsAccount,
  { kind, identifier }: HostFacts,
  named: Named,
): Promise<RdsFacts> {
  const isNamed = Object.values(named).some(Boolean);
  const proxy = named.proxy ?? (!isNamed && kind === 'proxy' ? (identifier ?? '') : undefined);
  if (proxy !== undefined) {
    return proxy === ''
      ? {
          proxy: { unseen: 'the endpoint of a proxy does not tell which proxy it is of; name it with --proxy' },
          database: { unseen: 'the proxy is not known' },
        }
      : describeBehindProxy(aws, proxy);
  }
  const cluster = named.cluster ?? (!isNamed && (kind === 'cluster' || kind === 'reader') ? identifier : undefined);
  if (cluster !== undefined) {
    return { database: clusterFacts(await aws.cluster({ identifier: cluster })) };
  }
  const instance = named.instance ?? (!isNamed && kind === 'instance' ? identifier : undefined);
  return {
    database:
      instance === undefined
        ? { unseen: 'the host does not tell which database it is of; name it with --cluster, --instance or --proxy' }
        : await describeInstance(aws, instance),
  };
}

/** A member of a cluster signs in like its cluster, under a host of its own. */
async function describeInstance(aws: AwsAccount, identifier: string): Promise<Seen<DatabaseFacts>> {
  const instance = await aws.instance({ identifier });
  if (!isSeen(instance) || instance.value.DBClusterIdentifier === undefined) {
    return instanceFacts(instance);
  }
  const {
    DBClusterIdentifier: cluster,
    Endpoint: { Address: host = '' } = {},
    DBInstanceStatus: status = '',
  } = instance.value;
  const facts = clusterFacts(await aws.cluster({ identifier: cluster }));
  return isSeen(facts)
    ? {
        value: {
          ...facts.value,
          hosts: [host],
          status: facts.value.status === 'available' ? status : facts.value.status,
        },
      }
    : facts;
}

async function describeBehindProxy(aws: AwsAccount, name: string): Promise<RdsFacts> {
  const proxy = await aws.proxy(name);
  const targets = isSeen(proxy) ? await aws.proxyTargets(name) : proxy;
  const database = isSeen(targets) ? await describeTarget(aws, targets.value) : targets;
  return {
    database,
    proxy: isSeen(proxy) ? { value: proxyFacts(proxy.value, isSeen(targets) ? targets.value : []) } : proxy,
  };
}

async function describeTarget(aws: AwsAccount, targets: DBProxyTarget[]): Promise<Seen<DatabaseFacts>> {
  const { TrackedClusterId: cluster = undefined } = targets.find(({ TrackedClusterId }) => TrackedClusterId) ?? {};
  const tracked = cluster ?? targets.find(({ Type }) => Type === 'TRACKED_CLUSTER')?.RdsResourceId;
  if (tracked !== undefined) {
    return clusterFacts(await aws.cluster({ identifier: tracked }));
  }
  const instance = targets.find(({ Type }) => Type === 'RDS_INSTANCE')?.RdsResourceId;
  return instance === undefined ? { unseen: 'the proxy has no target' } : describeInstance(aws, instance);
}

export function clusterFacts(cluster: Seen<DBCluster>): Seen<DatabaseFacts> {
  if (!isSeen(cluster)) {
    return cluster;
  }
  const {
    DBClusterIdentifier: identifier = '',
    DbClusterResourceId: resourceId = '',
    DBClusterArn: arn = '',
    Status: status = '',
    Endpoint,
    ReaderEndpoint,
    CustomEndpoints = [],
    Port: port = 0,
    IAMDatabaseAuthenticationEnabled: iam = false,
    PendingModifiedValues: pending,
    EnabledCloudwatchLogsExports: logExports = [],
    DBClusterMembers = [],
  } = cluster.value;
  return {
    value: {
      kind: 'cluster',
      identifier,
      resourceId,
      arn,
      status,
      hosts: [Endpoint, ReaderEndpoint, ...CustomEndpoints].flatMap(host =>
        host === undefined ? [] : [host.toLowerCase()],
      ),
      port,
      iamAuthentication: iam,
      pendingIamAuthentication: pending?.IAMDatabaseAuthenticationEnabled,
      logExports,
      instances: DBClusterMembers.flatMap(({ DBInstanceIdentifier }) => DBInstanceIdentifier ?? []),
    },
  };
}

export function instanceFacts(instance: Seen<DBInstance>): Seen<DatabaseFacts> {
  if (!isSeen(instance)) {
    return instance;
  }
  const {
    DBInstanceIdentifier: identifier = '',
    DbiResourceId: resourceId = '',
    DBInstanceArn: arn = '',
    DBInstanceStatus: status = '',
    Endpoint: { Address: host, Port: port = 0 } = {},
    IAMDatabaseAuthenticationEnabled: iam = false,
    PendingModifiedValues: pending,
    EnabledCloudwatchLogsExports: logExports = [],
  } = instance.value;
  return {
    value: {
      kind: 'instance',
      identifier,
      resourceId,
      arn,
      status,
      hosts: host === undefined ? [] : [host.toLowerCase()],
      port,
      iamAuthentication: iam,
      pendingIamAuthentication: pending?.IAMDatabaseAuthenticationEnabled,
      logExports,
      instances: [identifier],
    },
  };
}

function proxyFacts(proxy: DBProxy, targets: DBProxyTarget[]): ProxyFacts {
  const {
    DBProxyName: name = '',
    DBProxyArn: arn = '',
    Status: status,
    Endpoint: host,
    RoleArn: roleArn = '',
    DefaultAuthScheme: scheme = 'NONE',
    Auth = [],
  } = proxy;
  return {
    name,
    // arn:aws:rds:<region>:<account>:db-proxy:prx-...
    resourceId: arn.split(':')[6] ?? '',
    arn,
    status: status ?? 'in no known state',
    host: host?.toLowerCase(),
    roleArn,
    defaultAuthScheme: scheme,
    auth: Auth.map(({ IAMAuth: iamAuth = 'DISABLED', SecretArn: secretArn }) => ({ iamAuth, secretArn })),
    targets: targets.map(({ RdsResourceId: id = '', TargetHealth: { State: state, Reason: reason } = {} }) => ({
      id,
      state,
      reason,
    })),
  };
}
