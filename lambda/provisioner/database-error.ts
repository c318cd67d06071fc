import { AuthenticationRefused } from './authentication';
import { PATIENCE_MS } from './budget';
import { Change } from './change';
import { ProtocolError, ProvisionError, ServerError, SignInError } from './errors';
import { RDS_IAM } from './state';

/** What was going on when the server answered with an error. */
export interface Attempt {
  /** In words, as in "cannot ...". */
  readonly attempted: string;
  readonly change?: Change;
  /** What the admin needs for it: the remedy when permission is denied. */
  readonly needs?: string;
  /** At a sign-in: with a token instead of a password. */
  readonly withToken?: boolean;
}

/** A password that is being rotated is in the secret within seconds. */
const ROTATION_MS = 20_000;

/** A policy that was just attached is not known everywhere at once: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html */
const POLICY_MS = 20_000;

interface Explanation {
  readonly matches: (error: ServerError, attempt: Attempt) => boolean;
  /** Milliseconds from the start of the invocation until which the whole transaction is tried again. */
  readonly retryUntil?: number;
  readonly remedy: string;
}

const code = (...codes: string[]) => (error: ServerError) => codes.includes(error.sqlState);
const kind = (state: string, ...kinds: Change['kind'][]) => (error: ServerError, { change }: Attempt) =>
  error.sqlState === state && change !== undefined && kinds.includes(change.kind);

const on = (...types: string[]) => ({ change }: Attempt) => change !== undefined && 'on' in change && types.includes('type' in change.on ? change.on.type : 'FUTURE');

const NOT_THE_OWNER = 'only the owner of a database can pass its privileges on: use an admin that is the owner or a member of it';
const NOT_TO_GRANT = 'the admin may not pass that on: use an admin that owns it, or that may become a member of its owner';
const BUSY = 'other sessions change roles at the same time; deploy again when they are done';

/** Members of rds_iam are not asked for their passwords, but for tokens in clear text. */
const MEMBER_OF_RDS_IAM = `RDS asks a member of ${RDS_IAM} for a token instead, and the admin is one, itself or through a role it was granted; up to PostgreSQL 14 every user can do that `
  + 'with GRANT <user> TO <admin>. Use AdminCredentials.fromIam(); or sign in as the admin with a token, or as another member of rds_superuser, find that role with '
  + 'SELECT roleid::regrole, member::regrole FROM pg_auth_members, and REVOKE it';

/** First match counts. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const EXPLANATIONS: Explanation[] = [
  // Somebody else was faster, or is at it: the next try sees the result.
  { matches: code('40001', '40P01'), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: error => error.sqlState === 'XX000' && /tuple (concurrently|already|to be locked)/.test(error.message), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: error => error.sqlState === '23505' && [error.fields.table, error.fields.constraint].some(name => name?.startsWith('pg_')), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: kind('42710', 'createRole', 'renameRole'), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: kind('42P06', 'createSchema'), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: error => error.sqlState === '42704' && /role (with OID \d+|\d+ was concurrently)/.test(error.message), retryUntil: PATIENCE_MS, remedy: BUSY },
  // It was there a moment ago: what is declared is looked up before.
  { matches: kind('42P01', 'grant', 'revoke'), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: kind('42883', 'grant', 'revoke'), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: kind('3F000', 'grant', 'revoke', 'grantFuture', 'revokeFuture', 'dropSchema'), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: kind('42703', 'revoke'), retryUntil: PATIENCE_MS, remedy: BUSY },
  {
    matches: (error, attempt) => kind('42704', 'revoke')(error, attempt) && on('TYPE', 'LARGE OBJECT', 'LANGUAGE', 'FOREIGN DATA WRAPPER', 'FOREIGN SERVER')(attempt),
    retryUntil: PATIENCE_MS,
    remedy: BUSY,
  },
  { matches: code('55P03'), retryUntil: PATIENCE_MS, remedy: 'end the session that holds the lock (pg_stat_activity, pg_blocking_pids) and deploy again' },
  // The server is coming up, going down, or full.
  { matches: code('57P01', '57P02', '57P03', '57P05', '25P03'), retryUntil: PATIENCE_MS, remedy: 'check that the database is available' },
  { matches: code('53300'), retryUntil: PATIENCE_MS, remedy: 'free a connection, or raise max_connections' },
  { matches: error => error.sqlState.startsWith('08'), retryUntil: PATIENCE_MS, remedy: 'check that the database is available' },
  // Signing in.
  {
    matches: ({ sqlState, message }, { withToken }) => withToken === true && sqlState === '28000' && message.includes('PAM'),
    retryUntil: POLICY_MS,
    remedy: 'its token was refused: check that the role of the provisioner may rds-db:connect as this user, that no service control policy or permissions boundary denies it, '
      + 'and that IAM authentication is on',
  },
  {
    matches: ({ sqlState }, { withToken }) => withToken === true && sqlState === '28P01',
    retryUntil: POLICY_MS,
    remedy: `its token was taken for a password: check that it is a member of ${RDS_IAM}, and that IAM authentication is enabled`,
  },
  {
    matches: code('28P01'),
    retryUntil: ROTATION_MS,
    remedy: "the password in the admin's secret is not the one of the database: rotate the secret, or set the admin's password to the secret's",
  },
  { matches: error => error.sqlState === '28000' && error.message.includes('PAM'), remedy: MEMBER_OF_RDS_IAM },
  { matches: error => error.sqlState === '28000' && /not permitted to log in/.test(error.message), remedy: 'allow the admin to log in (ALTER ROLE ... LOGIN)' },
  { matches: code('28000'), remedy: 'check that the server lets this admin in over TLS' },
  { matches: error => error.sqlState === '55000' && error.message.includes('not currently accepting connections'), remedy: 'allow connections to it (ALTER DATABASE ... ALLOW_CONNECTIONS true)' },
  {
    // After a failover the writer's endpoint leads to the former writer for some seconds.
    matches: error => error.sqlState === '25006' || (error.sqlState === '0A000' && /recovery/.test(error.message)),
    retryUntil: PATIENCE_MS,
    remedy: 'the host is a reader, which cannot change roles: use the endpoint of the writer',
  },
  // What the template asks for is not there, or not the admin's to give.
  { matches: kind('42704', 'grantRole', 'revokeRole'), remedy: 'create the role before this deployment, or correct its name' },
  { matches: kind('42704', 'grantFuture', 'reassignOwned'), remedy: 'create the role before this deployment, or correct its name' },
  { matches: ({ sqlState }, { attempted }) => sqlState === '3D000' && attempted.includes('database "'), remedy: 'create the database before this deployment, or correct its name' },
  { matches: code('3D000'), remedy: 'the provisioner keeps its records in database postgres: create it' },
  { matches: kind('0LP01', 'grantRole'), remedy: 'a role cannot be a member of itself: remove one of the two memberships' },
  {
    matches: ({ sqlState }, { change }) => sqlState === '42501' && (change?.kind === 'grantRole' || change?.kind === 'revokeRole') && change.group === RDS_IAM,
    remedy: `sign in as the master user, or as another member of rds_superuser: from PostgreSQL 16 on others may grant ${RDS_IAM} only WITH ADMIN OPTION on it`,
  },
  { matches: kind('42501', 'grantRole', 'revokeRole'), remedy: 'give the admin ADMIN OPTION on that role, or use an admin that has it' },
  {
    matches: kind('42501', 'createRole', 'renameRole', 'allowLogin', 'forbidLogin', 'dropRole'),
    remedy: 'the admin needs CREATEROLE and, from PostgreSQL 16 on, ADMIN OPTION on roles it did not create',
  },
  {
    matches: ({ sqlState, message }) => sqlState === '42501' && /permission denied to grant role|must have admin option on role/.test(message),
    remedy: 'that role owns it, or has granted it, and the admin must become a member of it for the moment: give the admin ADMIN OPTION on it, or use an admin that has it',
  },
  { matches: ({ sqlState }, attempt) => ['42501', '01006', '01007'].includes(sqlState) && on('DATABASE')(attempt), remedy: NOT_THE_OWNER },
  { matches: kind('42501', 'createSchema'), remedy: 'the admin needs CREATE on the database' },
  { matches: kind('42501', 'reassignOwned'), remedy: 'the new owner needs CREATE on the database, and the admin must be able to become a member of both roles' },
  { matches: code('42501', '01006', '01007'), remedy: NOT_TO_GRANT },
  { matches: code('42703'), remedy: 'create the column before this deployment, or correct its name' },
  { matches: ({ sqlState, message }) => sqlState === '42601' && /maintain/i.test(message), remedy: 'MAINTAIN is there from PostgreSQL 17 on: leave it out' },
  { matches: code('54000'), remedy: 'there is a limit of about 2,400 roles with privileges on one table: give the privileges to a group role, and make the users members of it' },
  { matches: code('42P06'), remedy: 'a schema cdk_aurora_iam_auth that is not the registry is in the way: rename it' },
  { matches: code('57014'), remedy: 'the database took too long; deploy again when it is less busy' },
  { matches: error => error instanceof SignInError, remedy: 'the log of the database says why' },
];

/** Another session was in the way of a transaction, whose own session is well. */
const CONFLICTS = ['40001', '40P01', 'XX000', '23505', '3F000', '42703', '42704', '42710', '42883', '42P01', '42P06', '55P03'];

export function isConflict({ retryUntil, cause }: ProvisionError): boolean {
  return retryUntil > 0 && cause instanceof ServerError && CONFLICTS.includes(cause.sqlState);
}

const UNKNOWN = { remedy: 'the message of the server says why', retryUntil: 0 };

/** What a statement ended in, as a reason: what was attempted, SQLSTATE, message, detail, hint and remedy. */
export function explain(error: unknown, attempt: Attempt): ProvisionError {
  if (error instanceof ProvisionError) {
    return error; // it says all of that already
  }
  if (error instanceof ProtocolError) {
    return new ProvisionError(`cannot ${attempt.attempted}: ${error.message}, which is not the protocol of PostgreSQL; check that the endpoint is the one of the database`, { cause: error });
  }
  if (!(error instanceof ServerError)) {
    return new ProvisionError(`cannot ${attempt.attempted}: the connection broke (${(error as Error).message}); check that the database is available`, { retryUntil: PATIENCE_MS, cause: error });
  }
  const { remedy, retryUntil } = EXPLANATIONS.find(({ matches }) => matches(error, attempt)) ?? UNKNOWN;
  const advice = error.sqlState === '42501' && attempt.needs ? `the admin needs ${attempt.needs}` : remedy;
  const said = [error.message, error.fields.detail, error.fields.hint].filter(Boolean).join('. ');
  return new ProvisionError(`cannot ${attempt.attempted}: ${said} (SQLSTATE ${error.sqlState})${heldBy(error)}; ${advice}`, { retryUntil, cause: error });
}

/** What an error says of the sessions that were in the way, as the end of a clause. */
export function heldBy({ fields: { blockers = [] } }: ServerError): string {
  return blockers.length > 0 ? `, held by ${blockers.join(' and ')}` : '';
}

interface Refusal {
  readonly problem: string;
  readonly remedy: string;
  readonly retryUntil?: number;
}

const TAKEN_FOR_A_PASSWORD: Refusal = {
  problem: 'the server asks for its password, and it has a token',
  remedy: `check that the admin exists exactly as spelled, that it is a member of ${RDS_IAM}, and that IAM authentication is enabled`,
  // What was just enabled is not known everywhere at once.
  retryUntil: POLICY_MS,
};

const NOTHING_ASKED: Refusal = {
  problem: 'the server asks for no credentials, so that it does not prove to be the database',
  remedy: 'check that the endpoint is the one of the database',
};

const REFUSALS: { readonly [asked in AuthenticationRefused['asked']]: { readonly password: Refusal; readonly token: Refusal } } = {
  'clear text': {
    password: { problem: 'the server asks for its password in clear text, which is not sent', remedy: MEMBER_OF_RDS_IAM },
    token: TAKEN_FOR_A_PASSWORD, // not reached: this is how a token is asked for
  },
  'MD5': {
    password: {
      problem: 'the server asks for an MD5 hash of its password, which is not sent',
      remedy: 'the password is stored as such a hash: check that the parameter password_encryption is scram-sha-256, and set the password of the admin again',
    },
    token: TAKEN_FOR_A_PASSWORD,
  },
  'SCRAM': { password: NOTHING_ASKED, token: TAKEN_FOR_A_PASSWORD }, // not reached with a password: this is how it is asked for
  'nothing': { password: NOTHING_ASKED, token: NOTHING_ASKED },
};

/** Why the credentials were not sent. The cause says what the server has asked for. */
export function explainRefusal(refused: AuthenticationRefused, { attempted, withToken }: Attempt): ProvisionError {
  const { problem, remedy, retryUntil } = REFUSALS[refused.asked][withToken ? 'token' : 'password'];
  return new ProvisionError(`cannot ${attempted}: ${problem}; ${remedy}`, { retryUntil, cause: refused });
}
