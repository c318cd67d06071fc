import { Duplex } from 'node:stream';
import { SignInError } from './database-session';
import { LoginRequest, Refusal } from './gateway';
import { StartupPacket } from './protocol';
import { TokenEndpoint, Undecided } from '../iam/token-endpoint';

/** How a proxy takes clients that come as one user, and comes to the database as this user itself. */
export interface ProxyUser {
  /** With which clients sign in to the proxy. Undefined: with a token. */
  readonly clientPassword?: string;
  /** With which the proxy signs in to the database: a token that is made now, or a password. */
  passwordAt(database: TokenEndpoint): string;
  /** What that is, for who reads that it was refused. */
  readonly means: string;
}

export interface ProxyLogin {
  readonly requireTls: boolean;
  /** Undefined: the proxy cannot sign in as this user. */
  readonly userNamed: (username: string) => ProxyUser | undefined;
  /** Throws the reason of a refusal. */
  readonly verify: (username: string, token: string) => void;
  readonly openSession: (startup: StartupPacket, user: ProxyUser) => Promise<Duplex>;
  readonly log: (line: string) => void;
}

/**
 * As RDS Proxy does it: first the client signs in to the proxy, then the proxy to the database. The messages are those
 * that AWS documents; of SQLSTATEs it documents 28000, for a client that comes in another way than the proxy takes.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.troubleshooting.html
 */
export async function logInThroughProxy(
  client: LoginRequest,
  { requireTls, userNamed, verify, openSession, log }: ProxyLogin,
): Promise<Duplex> {
  const { username, startup } = client;
  if (requireTls && !client.isEncrypted) {
    throw new Refusal('28000', 'This RDS Proxy requires TLS connections.');
  }
  const user = userNamed(username);
  if (!user) {
    throw new Refusal(
      '28000',
      `This RDS proxy has no credentials for the role ${username}. Check the credentials for this role and try again.`,
    );
  }
  const withToken = user.clientPassword === undefined;
  if (withToken && !client.isEncrypted) {
    throw new Refusal('28000', 'IAM is allowed only with SSL connections.');
  }
  const password = await client.askPassword();
  if (!withToken && password !== user.clientPassword) {
    throw new Refusal('28P01', `The password that was provided for the role ${username} is wrong.`);
  }
  try {
    if (withToken) {
      verify(username, password);
    }
  } catch (error) {
    throw error instanceof Undecided
      ? error
      : new Refusal(
          '28000',
          `The IAM authentication failed for the role ${username}. Check the IAM token for this role and try again.`,
          (error as Error).message,
        );
  }
  log(`${username}: signed in to the proxy with a ${withToken ? 'token' : 'password'}`);
  return openSession(startup, user).catch((error: Error) => {
    if (error instanceof Undecided) {
      throw error;
    }
    // Up to the semicolon as AWS documents it. The rest is for who reads it here, and has no log of the database.
    throw error instanceof SignInError
      ? new Refusal(
          error.code,
          `Request returned an error: ${error.message}; this is what the database answered to the proxy, which came with ${user.means}`,
        )
      : new Refusal('08006', 'Timed-out waiting to acquire database connection.', error.message);
  });
}
