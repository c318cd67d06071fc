import { NEWER_PRIVILEGES } from '../../../lib/contract/object-kinds';
import { PATIENCE_MS } from '../budget';
import { actors, type Change } from '../core/change';
import { FIXED_DATABASE, RDS_IAM } from '../core/state';
import { LIMIT_EXCEEDED, ProtocolError, ProvisionError, ServerError, SignInError } from '../errors';
import { type Remedy, remedyFor } from '../../shared/remedy';
import { DATABASE_CHECK, SESSION_USER, SIGN_IN } from './sign-in';

/** What was going on when the server answered with an error. */
export interface Attempt {
  /** In words, as in "cannot ...". */
  readonly attempted: string;
  readonly change?: Change;
  /** What the admin needs for it: the remedy when permission is denied. */
  readonly needs?: string;
  /** What to do when permission is denied, where that has been looked up since. */
  readonly advice?: string;
  /** At a sign-in: where to. */
  readonly database?: string;
  /** At a sign-in: with a token instead of a password. */
  readonly withToken?: boolean;
}

type Row = Remedy<[error: ServerError, attempt: Attempt]>;

const code = (...codes: string[]) => (error: ServerError) => codes.includes(error.sqlState);
const kind = (state: string, ...kinds: Change['kind'][]) => (error: ServerError, { change }: Attempt) =>
  error.sqlState === state && change !== undefined && kinds.includes(change.kind);

const on
  = (...types: string[]) =>
    ({ change }: Attempt) =>
      change !== undefined && 'on' in change && types.includes('type' in change.on ? change.on.type : 'FUTURE');

const NOT_THE_OWNER
  = 'only the owner of a database can pass its privileges on: use an admin that is the owner or a member of it';
const NOT_TO_GRANT
  = 'the admin may not pass that on: use an admin that owns it, or that may become a member of its owner. If a superuser owns it, as rdsadmin does on RDS, '
    + 'no other admin may: declare the objects that are meant by name, such as onTables, instead of all in the schema, or move this one to a schema of its own';
const NOT_TO_BECOME
  = 'that role owns it, or has granted it, and the admin must become a member of it for the moment: give the admin ADMIN OPTION on it, or use an admin that has it';
const NOT_TO_BECOME_NOR_GRANT
  = 'that role owns it, and the admin must become a member of it for the moment: give the admin ADMIN OPTION on it, '
    + 'or the privilege itself WITH GRANT OPTION, or use an admin that has one of them';
const NOT_TO_SET
  = 'leave a parameter out that only a superuser may set on this server; for others the admin needs CREATEROLE and, from PostgreSQL 16 on, ADMIN OPTION on the role';
const BUSY = 'other sessions change roles at the same time; deploy again when they are done';

/**
 * Functions of the server that report an error: of GRANT ... TO for a role, up to 15 and from 16 on, and of a
 * transaction that is to be READ WRITE on a standby.
 */
const GRANTING_ROLES = ['AddRoleMems', 'check_role_membership_authorization'];
const READ_WRITE = 'call_bool_check_hook';

/** The Data API passes no function on, so that the text must tell. */
function isGrantingRole({ sqlState, message, fields: { routine } }: ServerError): boolean {
  const isNamed
    = routine === undefined
      ? /^(permission denied to grant role|must have admin option on role) /.test(message)
      : GRANTING_ROLES.includes(routine);
  return sqlState === '42501' && isNamed;
}

/**
 * About a role that is known by its number alone, because it was dropped meanwhile. A name is in quotes, of whatever
 * language.
 */
function namesNothing(message: string): boolean {
  return /\d/.test(message) && !/["\u00ab\u00bb\u201c-\u201f\u300c-\u300f]/.test(message);
}

/** Whose limit of connections is reached. Before the sign-in it is the server's: the others are compared afterwards. */
export function limitOf(error: unknown): 'role' | 'database' | 'server' | undefined {
  if (!(error instanceof ServerError) || error.sqlState !== '53300') {
    return undefined;
  }
  const { message, fields: { routine } } = error;
  // The Data API passes no function on, so that the text must tell. In other languages it does not.
  if (routine === SESSION_USER || (routine === undefined && message.startsWith('too many connections for role '))) {
    return 'role';
  }
  if (
    routine === DATABASE_CHECK
    || (routine === undefined && message.startsWith('too many connections for database '))
  ) {
    return 'database';
  }
  return routine !== undefined || error instanceof SignInError ? 'server' : undefined;
}

/** First match counts. https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SERVER: Row[] = [
  // Another session was faster, or is at it: the next try sees the result.
  { matches: code('40001', '40P01'), retryUntil: PATIENCE_MS, remedy: BUSY },
  // What PostgreSQL has no translation of.
  {
    matches: error => error.sqlState === 'XX000' && /^tuple (concurrently|already) /.test(error.message),
    retryUntil: PATIENCE_MS,
    remedy: BUSY,
  },
  {
    matches: error =>
      error.sqlState === '23505' && [error.fields.table, error.fields.constraint].some(name => name?.startsWith('pg_')),
    retryUntil: PATIENCE_MS,
    remedy: BUSY,
  },
  { matches: kind('42710', 'createRole', 'renameRole'), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: kind('42P06', 'createSchema'), retryUntil: PATIENCE_MS, remedy: BUSY },
  {
    matches: error => error.sqlState === '42704' && namesNothing(error.message),
    retryUntil: PATIENCE_MS,
    remedy: BUSY,
  },
  // It was there a moment ago: what is declared is looked up before.
  { matches: kind('42P01', 'grant', 'revoke'), retryUntil: PATIENCE_MS, remedy: BUSY },
  { matches: kind('42883', 'grant', 'revoke'), retryUntil: PATIENCE_MS, remedy: BUSY },
  {
    matches: kind('3F000', 'grant', 'revoke', 'grantFuture', 'revokeFuture', 'dropSchema'),
    retryUntil: PATIENCE_MS,
    remedy: BUSY,
  },
  { matches: kind('42703', 'revoke'), retryUntil: PATIENCE_MS, remedy: BUSY },
  {
    matches: (error, attempt) => kind('42704', 'grant', 'revoke')(error, attempt)
      && on('TYPE', 'LARGE OBJECT', 'LANGUAGE', 'FOREIGN DATA WRAPPER', 'FOREIGN SERVER')(attempt),
    retryUntil: PATIENCE_MS,
    remedy: BUSY,
  },
  {
    matches: code('55P03'),
    retryUntil: PATIENCE_MS,
    remedy: 'end the session that holds the lock (pg_stat_activity, pg_blocking_pids) and deploy again',
  },
  // The server is coming up, going down, or full.
  {
    matches: code('57P01', '57P02', '57P03', '57P05', '25P03'),
    retryUntil: PATIENCE_MS,
    remedy: 'check that the database is available',
  },
  {
    matches: error => limitOf(error) === 'role',
    retryUntil: PATIENCE_MS,
    remedy: 'raise the connection limit of the admin (ALTER ROLE ... CONNECTION LIMIT), or end sessions of it',
  },
  {
    matches: error => limitOf(error) === 'database',
    retryUntil: PATIENCE_MS,
    remedy: 'raise the connection limit of the database (ALTER DATABASE ... CONNECTION LIMIT), or end sessions in it',
  },
  {
    matches: error => limitOf(error) === 'server',
    retryUntil: PATIENCE_MS,
    remedy: 'free a connection, or raise max_connections',
  },
  {
    matches: code('53300'),
    retryUntil: PATIENCE_MS,
    remedy:
      'free a connection, or raise the limit that is reached: CONNECTION LIMIT of the admin or the database (ALTER ROLE, ALTER DATABASE), or max_connections',
  },
  {
    matches: error => error.sqlState.startsWith('08'),
    retryUntil: PATIENCE_MS,
    remedy: 'check that the database is available',
  },
  ...SIGN_IN,
  {
    // After a failover the writer's endpoint leads to the former writer for some seconds.
    matches: ({ sqlState, fields }) => sqlState === '25006' || (sqlState === '0A000' && fields.routine === READ_WRITE),
    retryUntil: PATIENCE_MS,
    remedy: 'the host is a reader, which cannot change roles: use the endpoint of the writer',
  },
  // What the template asks for is not there, or not the admin's to give.
  {
    matches: kind('42704', 'grantRole', 'revokeRole'),
    remedy: 'create the role before this deployment, or correct its name',
  },
  {
    matches: kind('42704', 'grantFuture', 'reassignOwned'),
    remedy: 'create the role before this deployment, or correct its name',
  },
  {
    matches: ({ sqlState }, { database }) => sqlState === '3D000' && database === FIXED_DATABASE,
    remedy: 'the provisioner keeps its records in database postgres: create it',
  },
  { matches: code('3D000'), remedy: 'create the database before this deployment, or correct its name' },
  {
    matches: kind('0LP01', 'grantRole'),
    remedy: 'a role cannot be a member of itself: remove one of the two memberships',
  },
  {
    matches: ({ sqlState }, { change }) =>
      sqlState === '42501'
      && (change?.kind === 'grantRole' || change?.kind === 'revokeRole')
      && change.group === RDS_IAM,
    remedy: `sign in as the master user, or as another member of rds_superuser: from PostgreSQL 16 on others may grant ${RDS_IAM} only WITH ADMIN OPTION on it`,
  },
  {
    matches: kind('42501', 'grantRole', 'revokeRole'),
    remedy: 'give the admin ADMIN OPTION on that role, or use an admin that has it',
  },
  {
    matches: kind('42501', 'createRole', 'renameRole', 'allowLogin', 'forbidLogin', 'dropRole'),
    remedy: 'the admin needs CREATEROLE and, from PostgreSQL 16 on, ADMIN OPTION on roles it did not create',
  },
  { matches: kind('42501', 'setParameter', 'limitConnections'), remedy: NOT_TO_SET },
  {
    matches: kind('42704', 'setParameter'),
    remedy: 'this server has no such parameter: correct its name, or leave it out',
  },
  { matches: kind('22023', 'setParameter'), remedy: 'correct the value' },
  {
    matches: kind('55P02', 'setParameter'),
    remedy: 'it cannot be set for a role: leave it out, and set it in the parameter group of the database',
  },
  {
    matches: kind('42501', 'reassignOwned'),
    remedy: 'the message of the server says what the new owner or the admin lacks',
  },
  {
    matches: (error, attempt) => isGrantingRole(error) && kind('42501', 'grant')(error, attempt),
    remedy: NOT_TO_BECOME_NOR_GRANT,
  },
  { matches: isGrantingRole, remedy: NOT_TO_BECOME },
  {
    matches: ({ sqlState }, attempt) => ['42501', '01006', '01007'].includes(sqlState) && on('DATABASE')(attempt),
    remedy: NOT_THE_OWNER,
  },
  { matches: kind('42501', 'createSchema'), remedy: 'the admin needs CREATE on the database' },
  {
    matches: ({ sqlState }, { change }) => sqlState === '42501' && change !== undefined && actors(change).length > 0,
    remedy: NOT_TO_BECOME,
  },
  { matches: code('42501', '01006', '01007'), remedy: NOT_TO_GRANT },
  { matches: code('42703'), remedy: 'create the column before this deployment, or correct its name' },
  ...NEWER_PRIVILEGES.map(({ privilege, major }) => ({
    matches: ({ sqlState }: ServerError, { change }: Attempt) =>
      sqlState === '42601' && change !== undefined && 'privileges' in change && change.privileges.includes(privilege),
    remedy: `${privilege} is there from PostgreSQL ${major} on: leave it out`,
  })),
  {
    matches: ({ sqlState }, { change }) => sqlState === LIMIT_EXCEEDED && change === undefined,
    remedy:
      'there are more objects in the schemas that are declared, or longer lists of arguments, than can be compared: drop those that are not needed, and revoke CREATE from roles that make too many',
  },
  {
    matches: code(LIMIT_EXCEEDED),
    remedy:
      'there is a limit of about 2,400 roles with privileges on one table: give the privileges to a group role, and make the users members of it',
  },
  { matches: code('42P06'), remedy: 'a schema cdk_aurora_iam_auth that is not the registry is in the way: rename it' },
  { matches: code('57014'), remedy: 'the database took too long; deploy again when it is less busy' },
  { matches: error => error instanceof SignInError, remedy: 'the log of the database says why' },
];

/** What to do when a grant or a revocation has no effect, and the server does not say so. */
export function remedyForIgnored(change: Change): string {
  return on('DATABASE')({ attempted: '', change }) ? NOT_THE_OWNER : NOT_TO_GRANT;
}

/** Another session was in the way of a transaction, whose own session is well. */
const CONFLICTS = [
  '40001',
  '40P01',
  'XX000',
  '23505',
  '3F000',
  '42703',
  '42704',
  '42710',
  '42883',
  '42P01',
  '42P06',
  '55P03',
];

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
    return new ProvisionError(
      `cannot ${attempt.attempted}: ${error.message}, which is not the protocol of PostgreSQL; check that the endpoint is the one of the database`,
      { cause: error },
    );
  }
  if (!(error instanceof ServerError)) {
    return new ProvisionError(
      `cannot ${attempt.attempted}: the connection broke (${(error as Error).message}); check that the database is available`,
      { retryUntil: PATIENCE_MS, cause: error },
    );
  }
  const { remedy, retryUntil = 0 } = remedyFor(SERVER, error, attempt) ?? UNKNOWN;
  const advice
    = error.sqlState === '42501'
      ? (attempt.advice ?? (attempt.needs && `the admin needs ${attempt.needs}`) ?? remedy)
      : remedy;
  const said = [error.message, error.fields.detail, error.fields.hint].filter(Boolean).join('. ');
  return new ProvisionError(
    `cannot ${attempt.attempted}: ${said} (SQLSTATE ${error.sqlState})${heldBy(error)}; ${advice}`,
    { retryUntil, cause: error },
  );
}

/** What an error says of the sessions that were in the way, as the end of a clause. */
export function heldBy({ fields: { blockers = [] } }: ServerError): string {
  return blockers.length > 0 ? `, held by ${blockers.join(' and ')}` : '';
}
