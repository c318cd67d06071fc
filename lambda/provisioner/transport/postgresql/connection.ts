import { Socket } from 'node:net';
import { checkServerIdentity, type PeerCertificate, type SecureContext } from 'node:tls';
import { Client, type ClientConfig, DatabaseError, type QueryConfig, type QueryResult } from 'pg';
import {
  AuthenticationRefused,
  LIMIT_EXCEEDED,
  ProtocolError,
  ProvisionError,
  RowTooLarge,
  ServerError,
} from '../../errors';
import { NETWORK } from '../../remedies/network';
import { remedyFor } from '../../../shared/remedy';
import type { Row } from '../../sql/row';
import { BEGIN, COMMIT, ROLLBACK, SETTINGS } from '../../sql/session';
import type { Admin } from '../credentials';
import type { Session, Statement } from '../session';
import { GuardedConnection } from './guarded-connection';
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

const ROLLBACK_MS = 20_000;

/** What a client asks for at the start has priority over what is set for the role or the database. */
const OPTIONS = Object.entries({ ...SETTINGS, default_transaction_read_only: 'off' })
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`).join(' ');

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
  const ssl = {
    rejectUnauthorized: true,
    servername: options.host,
    secureContext: options.authorities,
    checkServerIdentity: checkSubjectAltName,
  };
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
    options: OPTIONS,
  } as ClientConfig);
  // A connection that breaks between two statements is reported by the next one.
  client.on('error', () => undefined);
  /** What comes before the next statement: nothing is sent for it alone. */
  let before: string[] = [];
  let hasFailed = false;
  /** Statements in one message. */
  const send = async (statements: Statement[], answerMs: number): Promise<Row[][]> => {
    try {
      const texts = statements.map(statement => typeof statement === 'string' ? statement : statement.query);
      hasFailed = false;
      const results = [
        (await client.query({ text: texts.join(';\n'), query_timeout: answerMs } as QueryConfig)) as
          QueryResult<Row> | QueryResult<Row>[],
      ].flat();
      if (results.length !== texts.length) {
        throw new ProtocolError(`${results.length} results for ${texts.length} statements`);
      }
      return results.map(({ rows }) => rows);
    } catch (error) {
      if (isOfServer(error)) {
        hasFailed = true;
        throw serverError(error);
      }
      socket.destroy();
      throw error instanceof RowTooLarge
        ? new ServerError(
            `its answer has a row of ${error.bytes} bytes, and the provisioner takes ${error.most}`,
            LIMIT_EXCEEDED,
          )
        : asProblem(error);
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
      throw connection.isSignedIn ? serverError(error) : signInError(error);
    }
    throw connectionProblem(asProblem(error), connected, options);
  }
  const notices: ServerError[] = [];
  client.on('notice', ({ message = '', code = '' }) => notices.push(new ServerError(message, code)));
  return {
    database: options.database,
    withToken,
    pid: (client as Client & { readonly processID: number | null }).processID ?? undefined,
    begin: () => {
      before = [...before, BEGIN];
    },
    execute: async (statements, answerMs) => {
      const first = before;
      before = [];
      return (await send([...first, ...statements], answerMs)).slice(first.length);
    },
    commit: async (statements, answerMs) => {
      const first = before;
      before = [];
      await send([...first, ...statements, COMMIT], answerMs);
    },
    rollback: async () => {
      if (before.length > 0) {
        before = before.filter(statement => statement === ROLLBACK);
      } else if (hasFailed) {
        // The server has undone it already, and waits for the word.
        before = [ROLLBACK];
      } else {
        await send([ROLLBACK], ROLLBACK_MS);
      }
    },
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
  return [DatabaseError, SyntaxError, RangeError, TypeError].some(type => error instanceof type)
    ? new ProtocolError('a message that cannot be read')
    : (error as Error);
}

function serverError(error: DatabaseError): ServerError {
  const { message, code = '', detail, hint, table, constraint, routine } = error;
  return new ServerError(message, code, { detail, hint, table, constraint, routine });
}

function connectionProblem(
  error: NodeJS.ErrnoException,
  connected: boolean,
  { host, port }: SessionOptions,
): ProvisionError {
  const problem = remedyFor(NETWORK, error, connected)!;
  // Without the error as the cause: it may quote what the server sent.
  return new ProvisionError(
    `cannot connect to ${host}:${port}: ${problem.cause} (${detail(error)}); ${problem.remedy}`,
    { retryUntil: problem.retryUntil },
  );
}

/** Messages of pg that are always the same. */
const CONSTANT = [
  'timeout expired',
  'The server does not support SSL connections',
  'There was an error establishing an SSL connection',
  'Connection terminated unexpectedly',
];

/** Nothing that the server has chosen. */
function detail(error: NodeJS.ErrnoException): string {
  if (error instanceof ProtocolError || CONSTANT.includes(error.message)) {
    return error.message;
  }
  return error.code ?? (error.message.startsWith('SASL:') ? 'SASL' : 'unknown error');
}
