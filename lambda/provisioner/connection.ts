import { Socket } from 'node:net';
import { checkServerIdentity, PeerCertificate, SecureContext } from 'node:tls';
import { Client, ClientConfig, DatabaseError, QueryConfig, QueryResult } from 'pg';
import { AuthenticationRefused } from './authentication';
import { PATIENCE_MS } from './budget';
import { Admin } from './credentials';
import { ProtocolError, ProvisionError, ServerError } from './errors';
import { GuardedConnection } from './guarded-connection';
import { Row, Session } from './session';
import { signInError } from './sign-in-error';

export interface SessionOptions {
  readonly host: string;
  readonly port: number;
  /** The only certificate authorities that are trusted. */
  readonly authorities: SecureContext;
  readonly database: string;
  readonly admin: Admin;
  /** Milliseconds for the connection as a whole, sign-in included. */
  readonly connectMs: number;
}

/** To say goodbye must not delay an answer that is decided. */
const CLOSE_MS = 1_000;

/**
 * From the first statement on, and whatever is set for the role or the database. A function in public, or of a user of the
 * database, must not be taken for one of PostgreSQL's: the session has the rights of the admin. And some notices are errors to us.
 */
const SETTINGS = '-c search_path=pg_catalog,pg_temp -c client_min_messages=notice';

/** An unreachable server is given up so long after the start of the invocation; it may be restarting. */
const UNREACHABLE_UNTIL_MS = 22_000;
const UNRESOLVED_UNTIL_MS = 8_000;

/**
 * Opens a session over verified TLS. A password is used for SCRAM alone, so that the server does not learn it.
 *
 * @throws AuthenticationRefused if the server asks for the password, or the token, in another way
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const socket = new Socket();
  let connected = false;
  socket.once('connect', () => connected = true);
  const withToken = typeof options.admin.password === 'function';
  const ssl = { rejectUnauthorized: true, servername: options.host, secureContext: options.authorities, checkServerIdentity: checkSubjectAltName };
  const connection = new GuardedConnection({ ssl, stream: () => socket }, withToken);
  const client = new Client({
    connection,
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.admin.username,
    password: options.admin.password,
    ssl,
    enableChannelBinding: true,
    connectionTimeoutMillis: options.connectMs,
    application_name: 'cdk-aurora-iam-auth',
    options: SETTINGS,
  } as ClientConfig);
  // A connection that breaks between two statements is reported by the next one.
  client.on('error', () => undefined);
  const query = async (statements: string[], answerMs: number): Promise<Row[][]> => {
    try {
      const results = [await client.query({ text: statements.join(';\n'), query_timeout: answerMs } as QueryConfig) as QueryResult<Row> | QueryResult<Row>[]].flat();
      if (results.length !== statements.length) {
        throw new ProtocolError(`${results.length} results for ${statements.length} statements`);
      }
      return results.map(({ rows }) => rows);
    } catch (error) {
      if (isOfServer(error)) {
        throw serverError(error);
      }
      socket.destroy();
      throw asProblem(error);
    }
  };
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    if (error instanceof AuthenticationRefused || error instanceof ProvisionError) {
      throw error;
    }
    if (isOfServer(error)) {
      throw connection.isSignedIn ? serverError(error) : signInError(error.code, error.message);
    }
    throw connectionProblem(asProblem(error), connected, options);
  }
  const notices: ServerError[] = [];
  client.on('notice', ({ message = '', code = '' }) => notices.push(new ServerError(message, code)));
  return {
    database: options.database,
    withToken,
    isPooled: false,
    pid: (client as Client & { readonly processID: number | null }).processID ?? undefined,
    query,
    takeNotices: () => notices.splice(0),
    close: async () => {
      const ended = client.end().catch(() => undefined);
      const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** The name must be among the alternative names: Node.js would look at the common name where there are none. */
function checkSubjectAltName(host: string, certificate: PeerCertificate): Error | undefined {
  return checkServerIdentity(host, { ...certificate, subject: { ...certificate.subject, CN: '' } });
}

/** Of an error without SQLSTATE pg itself is the author. */
function isOfServer(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.code !== undefined;
}

/** What else goes wrong in pg while it reads may quote what it has read. */
function asProblem(error: unknown): NodeJS.ErrnoException {
  return [DatabaseError, SyntaxError, RangeError, TypeError].some(type => error instanceof type) ? new ProtocolError('a message that cannot be read') : error as Error;
}

function serverError(error: DatabaseError): ServerError {
  const { message, code = '', detail, hint, table, constraint } = error;
  return new ServerError(message, code, { detail, hint, table, constraint });
}

interface Problem {
  readonly breaks: (error: NodeJS.ErrnoException, connected: boolean) => boolean;
  readonly cause: string;
  readonly remedy: string;
  readonly retryUntil: number;
}

const PROBLEMS: Problem[] = [
  {
    breaks: ({ code }) => code === 'ENOTFOUND',
    cause: 'there is no host of that name',
    remedy: 'check that the database still exists and that DNS works in the VPC (enableDnsSupport)',
    retryUntil: UNRESOLVED_UNTIL_MS,
  },
  {
    breaks: ({ code }) => code === 'EAI_AGAIN',
    cause: 'the name server of the VPC does not answer',
    remedy: 'check enableDnsSupport and the DHCP options of the VPC',
    retryUntil: UNREACHABLE_UNTIL_MS,
  },
  {
    breaks: ({ code }) => code === 'ECONNREFUSED',
    cause: 'the host refuses connections on that port',
    remedy: 'check the port and that the database is available',
    retryUntil: UNREACHABLE_UNTIL_MS,
  },
  {
    breaks: ({ code, message }, connected) => !connected && (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || /timeout/.test(message)),
    cause: 'no answer, packets are dropped on the way',
    remedy: "check that the database's security group lets the provisioner's security group in, and network ACLs and routes between their subnets",
    retryUntil: UNREACHABLE_UNTIL_MS,
  },
  {
    breaks: ({ message }) => /timeout/.test(message),
    cause: 'the connection opened but the server does not speak',
    remedy: 'check that the database is available and not out of memory; one that was paused (Aurora Serverless v2) should have resumed by now, deploy again',
    // A paused one takes about 15 seconds to resume, or 30 and more: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
    retryUntil: PATIENCE_MS,
  },
  {
    breaks: ({ message }) => /does not support SSL/.test(message),
    cause: 'the server has no TLS',
    remedy: 'switch TLS on; the provisioner never signs in without it',
    retryUntil: 0,
  },
  {
    breaks: ({ code }) => code === 'ERR_TLS_CERT_ALTNAME_INVALID',
    cause: "the server's certificate is for another host",
    remedy: "connect to the database's own endpoint, not to an alias",
    retryUntil: 0,
  },
  {
    breaks: ({ code = '' }) => /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|INVALID_\w+|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT_\w+|UNSPECIFIED)$/.test(code),
    cause: "the server's certificate is not trusted",
    remedy: 'check that its certificate authority is in the file that the environment variable DATABASE_CA_FILE of the provisioner names, and that it has not expired',
    retryUntil: 0,
  },
  {
    breaks: ({ message }) => message.startsWith('SASL:'),
    cause: 'the server does not prove that it knows the password of the admin',
    remedy: 'check that nothing stands between the provisioner and the database, and that the database signs its admin in with SCRAM-SHA-256',
    retryUntil: 0,
  },
  {
    breaks: error => error instanceof ProtocolError,
    cause: 'the server does not speak the protocol of PostgreSQL',
    remedy: 'check that host and port are those of the database',
    retryUntil: 0,
  },
];

/** The server went away, or was not up yet: worth another try. */
const DISCONNECTED: Problem = {
  breaks: () => true,
  cause: 'the connection broke',
  remedy: 'check that the database is available',
  retryUntil: UNREACHABLE_UNTIL_MS,
};

function connectionProblem(error: NodeJS.ErrnoException, connected: boolean, { host, port }: SessionOptions): ProvisionError {
  const problem = PROBLEMS.find(({ breaks }) => breaks(error, connected)) ?? DISCONNECTED;
  // Without the error as the cause: it may quote what the server sent.
  return new ProvisionError(`cannot connect to ${host}:${port}: ${problem.cause} (${detail(error)}); ${problem.remedy}`, { retryUntil: problem.retryUntil });
}

/** Messages of pg that are always the same. */
const CONSTANT = [
  'timeout expired', 'The server does not support SSL connections', 'There was an error establishing an SSL connection', 'Connection terminated unexpectedly',
];

/** Nothing that the server has chosen. */
function detail(error: NodeJS.ErrnoException): string {
  if (error instanceof ProtocolError || CONSTANT.includes(error.message)) {
    return error.message;
  }
  return error.code ?? (error.message.startsWith('SASL:') ? 'SASL' : 'unknown error');
}
