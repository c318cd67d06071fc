import { PATIENCE_MS } from '../budget';
import { ProtocolError } from '../errors';
import type { Remedy } from '../../shared/remedy';

/** An unreachable server is given up so long after the start of the invocation; it may be restarting. */
const UNREACHABLE_UNTIL_MS = 22_000;
const UNRESOLVED_UNTIL_MS = 8_000;

/** Why there is no connection. What pg and Node.js say is in English everywhere. */
export const NETWORK: Remedy<[error: NodeJS.ErrnoException, connected: boolean]>[] = [
  {
    matches: ({ code }) => code === 'ENOTFOUND',
    cause: 'there is no host of that name',
    remedy: 'check that the database still exists and that DNS works in the VPC (enableDnsSupport)',
    retryUntil: UNRESOLVED_UNTIL_MS,
  },
  {
    matches: ({ code }) => code === 'EAI_AGAIN',
    cause: 'the name server of the VPC does not answer',
    remedy: 'check enableDnsSupport and the DHCP options of the VPC',
    retryUntil: UNREACHABLE_UNTIL_MS,
  },
  {
    matches: ({ code }) => code === 'ECONNREFUSED',
    cause: 'the host refuses connections on that port',
    remedy: 'check the port and that the database is available',
    retryUntil: UNREACHABLE_UNTIL_MS,
  },
  {
    matches: ({ code, message }, connected) =>
      !connected
      && (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || /timeout/.test(message)),
    cause: 'no answer, packets are dropped on the way',
    remedy:
      "check that the database's security group lets the provisioner's security group in, and network ACLs and routes between their subnets",
    retryUntil: UNREACHABLE_UNTIL_MS,
  },
  {
    matches: ({ message }) => /timeout/.test(message),
    cause: 'the connection opened but the server does not speak',
    remedy:
      'check that the database is available and not out of memory; one that was paused (Aurora Serverless v2) should have resumed by now, deploy again',
    // A paused one takes about 15 seconds to resume, or 30 and more:
    // https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
    retryUntil: PATIENCE_MS,
  },
  {
    matches: ({ message }) => /does not support SSL/.test(message),
    cause: 'the server has no TLS',
    remedy: 'enable TLS; the provisioner never signs in without it',
  },
  {
    matches: ({ code }) => code === 'ERR_TLS_CERT_ALTNAME_INVALID',
    cause: "the server's certificate is for another host",
    remedy: "connect to the database's own endpoint, not to an alias",
  },
  {
    matches: ({ code = '' }) =>
      /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|INVALID_\w+|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_\w+|UNSPECIFIED)$/.test(
        code,
      ),
    cause: "the server's certificate is not trusted",
    remedy:
      'check that it has not expired, and that its certificate authority is in the file that the environment variable DATABASE_CA_FILE of the provisioner names; otherwise pass caCertificates with one that has it',
  },
  {
    matches: ({ message }) => message.startsWith('SASL:'),
    cause: 'the server does not prove that it knows the password of the admin',
    remedy:
      'check that nothing stands between the provisioner and the database, and that the database signs its admin in with SCRAM-SHA-256',
  },
  {
    matches: error => error instanceof ProtocolError,
    cause: 'the server does not speak the protocol of PostgreSQL',
    remedy: 'check that host and port are those of the database',
  },
  {
    // The server went away, or was not up yet.
    matches: () => true,
    cause: 'the connection broke',
    remedy: 'check that the database is available',
    retryUntil: UNREACHABLE_UNTIL_MS,
  },
];
