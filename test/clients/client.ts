import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Credentials } from '../../rehearsal/iam/credentials';

/** A program or library that signs in. */
export interface Client {
  /** As on the command line. */
  readonly name: string;
  /** Debian packages that bring it. */
  readonly packages: string[];
  /** What is here, with versions. Throws what is missing. */
  find(): Promise<string>;
  check(site: Site): Promise<void>;
}

/** What was deployed, and how to get there. */
export interface Site {
  readonly server: AuroraLikeServer;
  /** Address that leads to the server at the port of its endpoint. */
  readonly address: string;
  /** The stack's output: a command line. */
  readonly connectCommand: string;
  /** Credentials of a role that may connect as the user. */
  operator(): Credentials;
  /** Credentials of a role that may not. */
  visitor(): Credentials;
  /** @param expected how `measured` begins */
  readonly report: (check: string, expected: string, measured: string) => void;
}

export const USERNAME = 'mario.rossi@example.com';
export const DATABASE = 'my_database';

/** Who signed in, and something that this user may read. */
export const STATEMENT = "SELECT 'signed in as ' || current_user || ', read ' || item FROM orders";

export const SIGNED_IN = `signed in as ${USERNAME}, read tea`;
export const PAM_REFUSED = `refused: PAM authentication failed for user "${USERNAME}"`;

/**
 * Environment of a client: nothing of this machine's but where programs are, the address, and a principal's
 * credentials.
 */
export function environment(
  { server, address }: Site,
  credentials: Credentials,
  variables: Record<string, string> = {},
): NodeJS.ProcessEnv {
  return {
    ...CLEAN_ENVIRONMENT,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    PGHOSTADDR: address,
    PGSSLROOTCERT: server.caFile,
    ENDPOINT: server.host,
    REGION: server.region,
    STATEMENT,
    ...variables,
  };
}

/** Without anybody's settings or credentials. */
export const CLEAN_ENVIRONMENT = {
  PATH: process.env.PATH,
  LANG: 'C.UTF-8',
  HOME: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
};
