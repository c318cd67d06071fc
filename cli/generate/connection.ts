import { Signer } from '@aws-sdk/rds-signer';
import { Client, DatabaseError } from 'pg';
import { SETTINGS } from '../../lambda/provisioner/sql/session';
import { InputError } from '../../rehearsal/rehearse/input-error';
import { authoritiesOf } from '../doctor/collect/tls';
import { Environment } from '../doctor/options';
import { hostFacts } from '../doctor/target';
import { CliError, EXIT_CODES } from '../exit-codes';
import { Ask, Unread, Visit } from './catalog';

const CONNECT_MS = 15_000;

/** A catalog of thousands of roles and objects takes its time. */
const STATEMENT_MS = 300_000;

/** As the provisioner reads, but for what it could change. */
const OPTIONS = Object.entries({
  ...SETTINGS,
  statement_timeout: `${STATEMENT_MS}`,
  default_transaction_read_only: 'on',
})
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  .join(' ');

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** Refusals of one database: no right to enter it (42501, 28000), or it is gone (3D000, 55000). */
const NOT_ENTERED = ['28000', '42501', '3D000', '55000'];

/** By SQLSTATE. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const REMEDIES = new Map([
  ['28P01', 'verify PGUSER and PGPASSWORD: RDS asks members of rds_iam for a token, and others for a password'],
  ['28000', 'verify PGUSER and PGPASSWORD: RDS asks members of rds_iam for a token, and others for a password'],
  ['3D000', 'name one that exists, with PGDATABASE or --database: names are case-sensitive'],
  ['53300', 'end sessions, and try again'],
]);

/** Sessions over verified TLS, each in one database and in one transaction that only reads. */
export async function connections(environment: Environment): Promise<Visit> {
  const { host, sslMode, caFile, extraCaFile } = environment;
  if (sslMode === 'disable') {
    throw new InputError(
      'PGSSLMODE disable is not possible: generate connects with verified TLS only; set it to verify-full',
    );
  }
  const { ca, problem } = authoritiesOf({ caFile }, extraCaFile);
  if (problem !== undefined) {
    throw new InputError(
      `PGSSLROOTCERT ${caFile} is not possible: ${problem}; name a file with the certificate authorities of RDS`,
    );
  }
  const password = environment.password ?? await tokenFor(environment);
  return async <Answer>(database: string, read: (ask: Ask) => Promise<Answer>) => {
    const client = new Client({
      host, port: environment.port, user: environment.username, password, database,
      ssl: { ca: [...ca], rejectUnauthorized: true },
      options: OPTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      application_name: 'cdk-aurora-iam-auth generate',
    });
    client.on('error', () => undefined); // the next query fails
    try {
      await client.connect();
    } catch (error) {
      if (
        error instanceof DatabaseError
        && NOT_ENTERED.includes(error.code ?? '')
        && database !== environment.database
      ) {
        return new Unread(error.message);
      }
      throw failed(`sign in to database ${JSON.stringify(database)}`, environment, error);
    }
    try {
      await client.query(BEGIN);
      return await read(async <Row>(query: string) => (await client.query(query)).rows as Row[]);
    } catch (error) {
      throw error instanceof DatabaseError
        ? failed(`read database ${JSON.stringify(database)}`, environment, error)
        : error;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
}

/** For the Region that the host names. */
async function tokenFor({ host, port, username, region }: Environment): Promise<string> {
  const place = hostFacts(host).region ?? region;
  if (place === undefined) {
    throw new InputError(
      'PGPASSWORD is not set, and the host does not tell the Region to make a token for; set PGPASSWORD or AWS_REGION',
    );
  }
  try {
    return await new Signer({ hostname: host, port, username, region: place }).getAuthToken();
  } catch (error) {
    const problem = 'PGPASSWORD is not set, and there are no AWS credentials to make a token with';
    throw new CliError(EXIT_CODES.failed, `${problem}; set PGPASSWORD, or sign in to AWS`, [], { cause: error });
  }
}

function failed(attempted: string, { host, port, username }: Environment, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  const remedy
    = error instanceof DatabaseError
      ? (REMEDIES.get(code ?? '') ?? 'sign in as the admin of the database, with CONNECT on it')
      : 'verify PGHOST and PGPORT, that this host may reach the database, and that PGSSLROOTCERT has its certificate authority';
  const reason = `${message}${code === undefined ? '' : ` (${code})`}`;
  const what = `cannot ${attempted} of ${host}:${port} as ${JSON.stringify(username)}`;
  return new CliError(EXIT_CODES.failed, `${what}: ${reason}; ${remedy}`, [], { cause: error });
}
