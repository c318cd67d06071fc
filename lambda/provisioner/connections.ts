import { Recovery, signInAsAdmin } from './admin-recovery';
import { Budget } from './budget';
import { openSession } from './connection';
import { Admin, adminWithToken } from './credentials';
import { explain } from './database-error';
import { ServerError } from './errors';
import { Open, Transport } from './session';
import { FIXED_DATABASE } from './lock';
import { Logger } from '../shared/logger';

const CONNECT_MS = 8_000;

/**
 * Connections from where the handler runs. The secret is read for each attempt: the password may have been rotated in between.
 *
 * @param log told when an admin with a password was recovered; without it, none is
 */
export function overConnections(readAdmin: (host: string, port: number) => Promise<Admin>, log?: Logger): Transport {
  return async (host, port, budget) => {
    const admin = await readAdmin(host, port);
    const recovery = log && typeof admin.password === 'string' ? { withToken: (username: string) => adminWithToken(username, host, port), log } : undefined;
    return database => open(host, port, database, admin, budget, recovery);
  };
}

function open(host: string, port: number, database: string, admin: Admin, budget: Budget, recovery: Recovery | undefined): ReturnType<Open> {
  // What is left of the patience bounds the last try, too.
  const connectMs = Math.min(CONNECT_MS, budget.patience() + CONNECT_MS / 4);
  return signInAsAdmin(admin, one => openSession({ host, port, database, admin: one, connectMs }), recovery).catch((error) => {
    throw error instanceof ServerError
      ? explain(error, {
          attempted: `sign in to ${database === FIXED_DATABASE ? '' : `database ${JSON.stringify(database)} of `}${host}:${port} as the admin`,
          needs: `CONNECT on database ${JSON.stringify(database)}`,
          withToken: typeof admin.password === 'function',
        })
      : error;
  });
}
