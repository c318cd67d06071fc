import { SecureContext } from 'node:tls';
import { Recovery, signInAsAdmin } from './admin-recovery';
import { AuthenticationRefused } from './authentication';
import { Budget } from './budget';
import { openSession } from './connection';
import { Admin } from './credentials';
import { explain, explainRefusal } from './database-error';
import { ServerError } from './errors';
import { Open, Transport } from './session';
import { FIXED_DATABASE } from './lock';
import { Logger } from '../shared/logger';

const CONNECT_MS = 8_000;

export interface ConnectionsOptions {
  readonly host: string;
  readonly port: number;
  /** The only certificate authorities that are trusted. */
  readonly authorities: SecureContext;
  /** Asked for each attempt: the password may have been rotated in between. */
  readonly readAdmin: () => Promise<Admin>;
  /** The same admin with a token, to recover one with a password that users have locked out. @default - none is recovered */
  readonly withToken?: (username: string) => Admin;
}

/** Connections from where the handler runs. */
export function overConnections(options: ConnectionsOptions): Transport {
  return async (budget, log) => {
    const admin = await options.readAdmin();
    return database => open(options, database, admin, budget, log);
  };
}

function open({ host, port, authorities, withToken: recoveredWith }: ConnectionsOptions, database: string, admin: Admin, budget: Budget, log: Logger): ReturnType<Open> {
  // What is left of the patience bounds the last try, too.
  const connectMs = Math.min(CONNECT_MS, budget.patience() + CONNECT_MS / 4);
  const recovery: Recovery | undefined = recoveredWith && typeof admin.password === 'string' ? { withToken: recoveredWith, log } : undefined;
  return signInAsAdmin(admin, one => openSession({ host, port, authorities, database, admin: one, connectMs }), recovery).catch((error) => {
    const attempted = `sign in to ${database === FIXED_DATABASE ? '' : `database ${JSON.stringify(database)} of `}${host}:${port} as the admin`;
    const withToken = typeof admin.password === 'function';
    if (error instanceof AuthenticationRefused) {
      throw explainRefusal(error, { attempted, withToken });
    }
    throw error instanceof ServerError ? explain(error, { attempted, needs: `CONNECT on database ${JSON.stringify(database)}`, withToken }) : error;
  });
}
