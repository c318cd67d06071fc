import { connect, NetConnectOpts, Socket } from 'node:net';
import { LoginRequest, Refusal } from './gateway';
import { StartupPacket } from './protocol';
import { Undecided } from '../iam/token-endpoint';

export interface DatabaseLogin {
  /** For sessions whose token was verified; no password is asked there. */
  readonly iamDoor: () => NetConnectOpts;
  /** For all others; the server asks for the password itself. */
  readonly passwordDoor: () => NetConnectOpts;
  readonly isIamUser: (username: string) => Promise<boolean>;
  /** Throws the reason of a refusal. */
  readonly verify: (username: string, token: string) => void;
  readonly log: (line: string) => void;
}

/** As RDS does it: asks members of `rds_iam` for a token instead of a password. */
export async function logInToDatabase(
  client: LoginRequest,
  { iamDoor, passwordDoor, isIamUser, verify, log }: DatabaseLogin,
): Promise<Socket> {
  const { username, database, remoteAddress, startup } = client;
  const withToken = await isIamUser(username).catch((error: Error) => {
    throw new Refusal('57P03', 'the database system is starting up', error.message);
  });
  if (!withToken) {
    return enter(passwordDoor(), startup);
  }
  if (!client.isEncrypted) {
    throw new Refusal(
      '28000',
      `pg_hba.conf rejects connection for host "${remoteAddress}", user "${username}", database "${database}", no encryption`,
      'no TLS',
    );
  }
  const token = await client.askPassword();
  if (token === '') {
    throw new Refusal('28P01', 'empty password returned by client', 'empty password');
  }
  try {
    verify(username, token);
  } catch (error) {
    throw error instanceof Undecided
      ? error
      : new Refusal('28000', `PAM authentication failed for user "${username}"`, (error as Error).message);
  }
  log(`${username}: signed in with a token`);
  return enter(iamDoor(), startup);
}

/** Comes to the server with what the client has begun with. */
export function enter(address: NetConnectOpts, { packet }: StartupPacket): Socket {
  const server = connect(address);
  // Or the end of a long message waits for the server to acknowledge its beginning.
  server.setNoDelay(true);
  server.write(packet);
  return server;
}
