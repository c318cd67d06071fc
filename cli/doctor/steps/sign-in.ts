import { because, elsewhere, Finding, ok, unknown } from '../finding';
import { Observations } from '../observations';

interface Meaning {
  /** SQLSTATE, undefined for any. */
  readonly code?: string;
  readonly text: RegExp;
  /** Undefined: the message has several causes. */
  readonly cause?: string;
  readonly meaning: string;
  readonly fix?: string;
}

/** What a refusal means by itself, whatever else was seen. The first that fits counts. */
export const MEANINGS: readonly Meaning[] = [
  {
    code: '28000',
    text: /no encryption|requires TLS|only with SSL/,
    cause: 'tls-disabled',
    meaning: 'the connection is not encrypted',
    fix: 'set PGSSLMODE to verify-full',
  },
  {
    code: '28000',
    text: /is not permitted to log in/,
    cause: 'role-nologin',
    meaning: 'the role has no LOGIN',
    fix: 'deploy its user again with another reapply',
  },
  {
    text: /^Request returned an error:/,
    cause: 'proxy-login',
    meaning: 'the proxy took the token, and the database refused the proxy',
    fix: 'the role of the proxy needs rds-db:connect at the database, and the database IAM authentication and the role in rds_iam',
  },
  {
    text: /^This RDS proxy has no credentials/,
    cause: 'proxy-secret',
    meaning: 'the proxy has no secret for this user, or may not read it',
    fix: 'add a secret of this user to the proxy, or use DefaultAuthScheme.IAM_AUTH',
  },
  {
    text: /too many competing requests/,
    cause: 'throttled',
    meaning: 'the proxy throttles sign-ins with tokens',
    fix: 'reuse connections and tokens, and try again with the same token after a pause that grows',
  },
  {
    text: /^The password that was provided/,
    cause: 'proxy-scheme',
    meaning: 'the proxy asks this user for a password, and not for a token',
    fix: 'make the proxy with DefaultAuthScheme.IAM_AUTH',
  },
  {
    text: /^Timed-out waiting to acquire database connection/,
    meaning: 'the proxy found no connection to the database: it is full, cannot be reached or refuses the proxy',
  },
  {
    text: /PAM|^The IAM authentication failed/,
    meaning:
      'the token was refused: by the policies, its host, port, Region, user or time, throttling, or disabled IAM authentication; the log iam-db-auth-error says which',
  },
  {
    code: '28P01',
    text: /./,
    cause: 'not-asked-for-token',
    meaning:
      'the database asked for a password: there is no such role, it is not in rds_iam, or IAM authentication is disabled',
    fix: "look at the role as the master: SELECT rolname, rolcanlogin, pg_has_role(oid, 'rds_iam', 'MEMBER') FROM pg_roles",
  },
  {
    code: '3D000',
    text: /./,
    cause: 'database-missing',
    meaning: 'there is no such database',
    fix: 'set PGDATABASE to one that psql --list shows',
  },
  {
    code: '42501',
    text: /./,
    cause: 'connect-missing',
    meaning: 'the role has no CONNECT on the database',
    fix: 'declare a privilege in this database for the user and deploy',
  },
  {
    code: '55000',
    text: /not currently accepting connections/,
    cause: 'database-closed',
    meaning: 'the database allows no connections',
    fix: 'as its owner: ALTER DATABASE ... ALLOW_CONNECTIONS true',
  },
  {
    code: '53300',
    text: /^too many connections for role/,
    cause: 'limit-role',
    meaning: 'the role has reached its limit of connections',
    fix: 'close some, or raise its CONNECTION LIMIT',
  },
  {
    code: '53300',
    text: /^too many connections for database/,
    cause: 'limit-database',
    meaning: 'the database has reached its limit of connections',
    fix: 'close some, or raise its CONNECTION LIMIT',
  },
  {
    code: '53300',
    text: /./,
    cause: 'limit-server',
    meaning: 'the server has no connection left',
    fix: 'close some, pool connections, put a proxy in front, or take a larger instance class',
  },
  {
    code: '57P03',
    text: /./,
    cause: 'database-status',
    meaning: 'the database starts or stops',
    fix: 'try again when it is available',
  },
];

/** A real sign-in, as the client does it. */
export function signIn({ client: { username, database }, signIn: seen }: Observations): Finding {
  switch (seen.outcome) {
    case 'in':
      return ok(`signed in as ${username} to ${database}`);
    case 'not tried':
      return elsewhere(`not tried: ${seen.reason}`);
    case 'failed':
      return unknown(`no answer to the sign-in: ${seen.message}`);
    case 'refused': {
      const { code, message } = seen;
      const {
        cause,
        meaning = 'no reason is known',
        fix = '',
      } = MEANINGS.find(known => (known.code ?? code) === code && known.text.test(message)) ?? {};
      const found = `${message} (${code}): ${meaning}`;
      return cause === undefined ? unknown(found) : because(cause, found, fix);
    }
  }
}
