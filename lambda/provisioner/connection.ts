import { Socket } from 'node:net';
import { Client, DatabaseError, QueryConfig, QueryResult } from 'pg';
import { PATIENCE_MS } from './budget';
import { Admin } from './credentials';
import { ProvisionError, ServerError } from './errors';
import { Row, Session } from './session';

export interface SessionOptions {
  readonly host: string;
  readonly port: number;
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

/** Opens a session over verified TLS. Trusted are the roots of Node.js and those in NODE_EXTRA_CA_CERTS. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const socket = new Socket();
  let connected = false;
  socket.once('connect', () => connected = true);
  const client = new Client({
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.admin.username,
    password: options.admin.password,
    ssl: { rejectUnauthorized: true, servername: options.host },
    stream: () => socket,
    connectionTimeoutMillis: options.connectMs,
    application_name: 'cdk-aurora-iam-auth',
    options: SETTINGS,
  });
  const notices: ServerError[] = [];
  client.on('notice', ({ message = '', code = '' }) => notices.push(new ServerError(message, code)));
  // A connection that breaks between two statements is reported by the next one.
  client.on('error', () => undefined);
  const query = async (statements: string[], answerMs: number): Promise<Row[][]> => {
    try {
      const results = await client.query({ text: statements.join(';\n'), query_timeout: answerMs } as QueryConfig) as QueryResult<Row> | QueryResult<Row>[];
      return [results].flat().map(({ rows }) => rows);
    } catch (error) {
      if (error instanceof DatabaseError) {
        throw serverError(error);
      }
      socket.destroy();
      throw error;
    }
  };
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    throw error instanceof DatabaseError ? serverError(error) : connectionProblem(error as NodeJS.ErrnoException, connected, options);
  }
  return {
    database: options.database,
    withToken: typeof options.admin.password === 'function',
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
    breaks: ({ code = '' }) => /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+)$/.test(code),
    cause: "the server's certificate is not trusted",
    remedy: 'check that its certificate authority is in the file that the environment variable NODE_EXTRA_CA_CERTS of the provisioner names, and that it has not expired',
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
  return new ProvisionError(
    `cannot connect to ${host}:${port}: ${problem.cause} (${error.code ?? error.message}); ${problem.remedy}`,
    { retryUntil: problem.retryUntil, cause: error },
  );
}
