import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { login } from './login';

/** A server that takes tokens, by whatever means. */
export type LoginServer = Pick<AuroraLikeServer, 'host' | 'port' | 'caCertificate' | 'token' | 'issueCredentials'>;

export interface LoginCase {
  readonly name: string;
  readonly user: string;
  readonly password: (server: LoginServer) => string;
  /** @default true */
  readonly tls?: boolean;
  /** `in`, or SQLSTATE and message of the refusal. */
  readonly outcome: string;
}

const POLICIES: Record<string, string[]> = {
  operations: ['alice', 'Mixed Case,x', 'grp'],
  everybodyElse: ['bob', 'Alice', 'carol'],
  nobody: [],
};

export const mayConnect = (principal: string, username: string): boolean => POLICIES[principal]?.includes(username);

/** The users of the cases. */
export const USERS = `
  CREATE ROLE alice LOGIN PASSWORD 'secret of alice'; GRANT rds_iam TO alice;
  CREATE ROLE bob LOGIN; GRANT rds_iam TO bob;
  CREATE ROLE team NOLOGIN; GRANT rds_iam TO team; CREATE ROLE "Mixed Case,x" LOGIN; GRANT team TO "Mixed Case,x";
  CREATE ROLE grp NOLOGIN; GRANT rds_iam TO grp;
  CREATE ROLE carol LOGIN PASSWORD 'secret of carol'`;

export const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

export const PAM = (user: string) => `28000 PAM authentication failed for user "${user}"`;

type TokenArguments = Parameters<AuroraLikeServer['token']>;

const token = (...args: TokenArguments) => (server: LoginServer) => server.token(...args);

export const LOGIN_CASES: readonly LoginCase[] = [
  { name: 'valid token', user: 'alice', password: token('operations', 'alice'), outcome: 'in' },
  { name: 'member through a group, quoted name', user: 'Mixed Case,x', password: token('operations', 'Mixed Case,x'),
    outcome: 'in' },
  { name: 'token for the name in another case', user: 'alice', password: token('everybodyElse', 'Alice'),
    outcome: PAM('alice') },
  { name: 'token of another user', user: 'bob', password: token('operations', 'alice'), outcome: PAM('bob') },
  { name: 'policy that names others', user: 'bob', password: token('operations', 'bob'), outcome: PAM('bob') },
  { name: 'principal without any policy', user: 'alice', password: token('nobody', 'alice'), outcome: PAM('alice') },
  {
    name: 'wrong secret key',
    user: 'alice',
    password: server =>
      server.token('operations', 'alice', {
        credentials: { ...server.issueCredentials('operations'), secretAccessKey: 'wrong' },
      }),
    outcome: PAM('alice'),
  },
  { name: 'token for another host', user: 'alice', password: token('operations', 'alice', { host: '127.0.0.1' }),
    outcome: PAM('alice') },
  { name: 'token for another port', user: 'alice', password: token('operations', 'alice', { port: 5432 }),
    outcome: PAM('alice') },
  { name: 'token for another Region', user: 'alice', password: token('operations', 'alice', { region: 'us-east-1' }),
    outcome: PAM('alice') },
  { name: 'token of 16 minutes ago', user: 'alice',
    password: server => server.token('operations', 'alice', { at: minutesAgo(16) }), outcome: PAM('alice') },
  { name: 'token of 14 minutes ago', user: 'alice',
    password: server => server.token('operations', 'alice', { at: minutesAgo(14) }), outcome: 'in' },
  { name: 'database password instead of a token', user: 'alice', password: () => 'secret of alice',
    outcome: PAM('alice') },
  { name: 'empty password', user: 'alice', password: () => '', outcome: '28P01 empty password returned by client' },
  {
    name: 'valid token without TLS',
    user: 'alice',
    password: token('operations', 'alice'),
    tls: false,
    outcome:
      '28000 pg_hba.conf rejects connection for host "127.0.0.1", user "alice", database "postgres", no encryption',
  },
  { name: 'password', user: 'carol', password: () => 'secret of carol', outcome: 'in' },
  { name: 'password without TLS', user: 'carol', password: () => 'secret of carol', tls: false, outcome: 'in' },
  { name: 'wrong password', user: 'carol', password: () => 'secret of alice',
    outcome: '28P01 password authentication failed for user "carol"' },
  { name: 'token of one who may not log in', user: 'grp', password: token('operations', 'grp'),
    outcome: '28000 role "grp" is not permitted to log in' },
  { name: 'token where a password is due', user: 'carol', password: token('everybodyElse', 'carol'),
    outcome: '28P01 password authentication failed for user "carol"' },
];

export async function tryLogin(server: LoginServer, { user, password, tls = true }: LoginCase): Promise<string> {
  const { host, port, caCertificate } = server;
  // A function, because node-postgres takes an empty string for no password, and looks for one elsewhere.
  return login({
    host,
    port,
    database: 'postgres',
    user,
    password: () => password(server),
    ssl: tls && { ca: caCertificate },
  });
}
