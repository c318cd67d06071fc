import { because, Finding, ok, unknown } from '../finding';
import { Client, isSeen, Observations, ProxyFacts } from '../observations';

/**
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html: in these it takes
 * connections, or soon does.
 */
const TAKES_NONE = [
  'stopped',
  'stopping',
  'starting',
  'creating',
  'deleting',
  'failed',
  'inaccessible-encryption-credentials',
  'incompatible-network',
  'incompatible-restore',
  'storage-full',
];

/** Whether RDS has what the client connects to, and under that host and port. */
export function endpoint({ client, database, proxy, hostKind }: Observations): Finding {
  if (proxy !== undefined) {
    return isSeen(proxy)
      ? proxyEndpoint(hostKind === 'other' ? undefined : client, proxy.value)
      : unknown(proxy.unseen);
  }
  if (!isSeen(database)) {
    return unknown(database.unseen);
  }
  const { kind, identifier, status, hosts, port } = database.value;
  const it = `${kind} ${identifier}`;
  if (TAKES_NONE.includes(status)) {
    return because(
      'database-status',
      `${it} is ${status}`,
      status === 'stopped'
        ? `start it: aws rds start-db-${kind} --db-${kind}-identifier ${identifier}`
        : 'wait until RDS shows it as available, or look at its events in the RDS console',
    );
  }
  // Behind a name of one's own there may be a tunnel, with a port of its own.
  if (hostKind !== 'other' && client.port !== port) {
    return because(
      'endpoint-port',
      `${it} listens on port ${port}, and the client connects to port ${client.port}`,
      `set PGPORT to ${port}, and make tokens for that port`,
    );
  }
  if (
    ['cluster', 'reader', 'instance'].includes(hostKind)
    && hosts.length > 0
    && !hosts.includes(client.host.toLowerCase())
  ) {
    return because(
      'endpoint-host',
      `the endpoint of ${it} is ${hosts[0]}, and the client connects to ${client.host}`,
      `set PGHOST to ${hosts[0]}, and make tokens for that host`,
    );
  }
  return ok(`${it} is ${status}, on port ${port}`, [
    `endpoints: ${hosts.join(', ')}`,
    `resource id: ${database.value.resourceId}`,
  ]);
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBProxy.html */
const TAKES_NONE_AS_PROXY = [
  'suspended',
  'suspending',
  'incompatible-network',
  'insufficient-resource-limits',
  'deleting',
  'creating',
];

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.html: always this port for PostgreSQL. */
const PORT_OF_PROXY = 5432;

/** @param client undefined if it connects under a name of its own */
function proxyEndpoint(
  client: Pick<Client, 'host' | 'port'> | undefined,
  { name, status, host, resourceId }: ProxyFacts,
): Finding {
  if (TAKES_NONE_AS_PROXY.includes(status)) {
    return because(
      'proxy-status',
      `proxy ${name} is ${status}`,
      'look at the proxy in the RDS console; it takes connections when it is available',
    );
  }
  if (client && client.port !== PORT_OF_PROXY) {
    return because(
      'endpoint-port',
      `a proxy listens on port ${PORT_OF_PROXY}, and the client connects to port ${client.port}`,
      `set PGPORT to ${PORT_OF_PROXY}, and make tokens for that port`,
    );
  }
  // Further endpoints of a proxy have hosts of their own.
  if (client && host !== undefined && host !== client.host.toLowerCase() && !client.host.includes('.endpoint.')) {
    return because(
      'endpoint-host',
      `the endpoint of proxy ${name} is ${host}, and the client connects to ${client.host}`,
      `set PGHOST to ${host}, and make tokens for that host`,
    );
  }
  return ok(`proxy ${name} is ${status}`, [`resource id: ${resourceId}`]);
}
