import { RDS_IAM } from '../core/state';
import { AuthenticationRefused, ProvisionError, ServerError } from '../errors';
import { type Remedy, remedyFor } from '../../shared/remedy';
import type { Attempt } from './server';

/**
 * Functions of the server that compare the role that signs in, and the database that it signs in to: whether they let
 * it in, and their limits of connections.
 */
export const SESSION_USER = 'InitializeSessionUserId';
export const DATABASE_CHECK = 'CheckMyDatabase';

type Told = Pick<ServerError, 'sqlState' | 'fields'>;

const isPam = ({ sqlState, fields }: Told) => sqlState === '28000' && fields.method === 'PAM';
const isNotPermitted = ({ sqlState, fields }: Told) => sqlState === '28000' && fields.routine === SESSION_USER;
const code = (expected: string) => ({ sqlState }: Told) => sqlState === expected;

/**
 * What PostgreSQL and RDS refuse before a session begins, in our words. First match counts.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const MEANINGS: { readonly matches: (error: Told) => boolean; readonly words: string }[] = [
  { matches: code('28P01'), words: 'password authentication failed' },
  { matches: isPam, words: 'PAM authentication failed' },
  { matches: isNotPermitted, words: 'the role is not permitted to log in' },
  { matches: code('28000'), words: 'pg_hba.conf rejects the connection' },
  { matches: code('3D000'), words: 'the database does not exist' },
  { matches: code('53300'), words: 'too many connections' },
  { matches: code('55000'), words: 'the database is not currently accepting connections' },
  { matches: code('57P01'), words: 'the database system is shutting down' },
  { matches: code('57P02'), words: 'the database system has crashed' },
  { matches: code('57P03'), words: 'the database system is starting up or shutting down' },
];

/** A password that is being rotated is in the secret within seconds. */
const ROTATION_MS = 20_000;

/**
 * A policy that was just attached is not known everywhere at once:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
 */
const POLICY_MS = 20_000;

/** Another event may have made the admin one just now, has been told so by the server, and takes it back. */
const TAKEN_BACK_MS = 10_000;

/** Members of rds_iam are not asked for their passwords, but for tokens in clear text. */
const MEMBER_OF_RDS_IAM
  = `RDS asks a member of ${RDS_IAM} for a token instead, and the admin is one, itself or through a role it was granted; up to PostgreSQL 14 every user can do that `
    + 'with GRANT <user> TO <admin>. Use AdminCredentials.fromIam(); or sign in as the admin with a token, or as another member of rds_superuser, find that role with '
    + 'SELECT roleid::regrole, member::regrole FROM pg_auth_members, and REVOKE it';

/** Errors of the server at a sign-in. */
export const SIGN_IN: Remedy<[error: ServerError, attempt: Attempt]>[] = [
  {
    matches: (error, { withToken }) => withToken === true && isPam(error),
    retryUntil: POLICY_MS,
    remedy:
      'its token was refused: check that the role of the provisioner may rds-db:connect as this user, that no service control policy or permissions boundary denies it, '
      + 'and that IAM authentication is on',
  },
  {
    matches: ({ sqlState }, { withToken }) => withToken === true && sqlState === '28P01',
    retryUntil: POLICY_MS,
    remedy: `its token was taken for a password: check that it is a member of ${RDS_IAM}, and that IAM authentication is enabled`,
  },
  {
    matches: ({ sqlState }) => sqlState === '28P01',
    retryUntil: ROTATION_MS,
    remedy:
      "the password in the admin's secret is not the one of the database: rotate the secret, or set the admin's password to the secret's",
  },
  { matches: isPam, remedy: MEMBER_OF_RDS_IAM, retryUntil: TAKEN_BACK_MS },
  { matches: isNotPermitted, remedy: 'allow the admin to log in (ALTER ROLE ... LOGIN)' },
  {
    matches: ({ sqlState }) => sqlState === '28000',
    remedy: 'check that the admin may log in (ALTER ROLE ... LOGIN), and that the server lets it in over TLS',
  },
  {
    matches: ({ sqlState }, { database }) => sqlState === '55000' && database !== undefined,
    remedy: 'allow connections to it (ALTER DATABASE ... ALLOW_CONNECTIONS true)',
  },
];

type Asked = AuthenticationRefused['asked'];

const by
  = (withToken: boolean, ...expected: Asked[]) =>
    (asked: Asked, hasToken: boolean) =>
      withToken === hasToken && expected.includes(asked);

/** Credentials that were not sent, by what the server has asked for. */
export const REFUSALS: Remedy<[asked: Asked, withToken: boolean]>[] = [
  {
    matches: by(false, 'clear text'),
    cause: 'the server asks for its password in clear text, which is not sent',
    remedy: MEMBER_OF_RDS_IAM,
    retryUntil: TAKEN_BACK_MS,
  },
  {
    matches: by(false, 'MD5'),
    cause: 'the server asks for an MD5 hash of its password, which is not sent',
    remedy:
      'the password is stored as such a hash: check that the parameter password_encryption is scram-sha-256, and set the password of the admin again',
  },
  {
    matches: by(true, 'MD5', 'SCRAM'),
    cause: 'the server asks for its password, and it has a token',
    remedy: `check that the admin exists exactly as spelled, that it is a member of ${RDS_IAM}, and that IAM authentication is enabled`,
    // What was just enabled is not known everywhere at once.
    retryUntil: POLICY_MS,
  },
  {
    matches: () => true,
    cause: 'the server asks for no credentials, so that it does not prove to be the database',
    remedy: 'check that the endpoint is the one of the database',
  },
];

/** Why the credentials were not sent. The cause says what the server has asked for. */
export function explainRefusal(
  refused: AuthenticationRefused,
  { attempted, withToken = false }: Attempt,
): ProvisionError {
  const { cause, remedy, retryUntil } = remedyFor(REFUSALS, refused.asked, withToken)!;
  return new ProvisionError(`cannot ${attempted}: ${cause}; ${remedy}`, { retryUntil, cause: refused });
}

/**
 * Whether the server has said no to the credentials, or has not asked for them: and not that it has no connection, or
 * no answer.
 */
export function isRefusal(error: unknown): boolean {
  const { cause } = error as Error;
  return (
    cause instanceof AuthenticationRefused
    || (cause instanceof ServerError && ['28P01', '28000'].includes(cause.sqlState))
  );
}

/** The server takes the admin for a member of rds_iam. No other password will do. */
export function isForToken(error: Error): boolean {
  const { cause } = error;
  return isRefusal(error) && !(cause instanceof ServerError && cause.sqlState === '28P01');
}

/**
 * After changes to memberships that pass every check of the catalog. How a server compares an admin with rds_iam is in
 * no catalog.
 */
export function explainLockout({ cause }: ProvisionError): ProvisionError {
  const said = cause instanceof ServerError ? `${cause.message}, SQLSTATE ${cause.sqlState}` : (cause as Error).message;
  return new ProvisionError(
    `the admin could not sign in with its password once this was committed (${said}), so it is undone; from PostgreSQL 16 on the admin has ADMIN OPTION on the users it creates, `
    + `and this server takes that for a membership in ${RDS_IAM}; make the admin a member of ${RDS_IAM} (GRANT ${RDS_IAM} TO <admin>), and pass admin: AdminCredentials.fromIam(), over a connection`,
    { cause },
  );
}
