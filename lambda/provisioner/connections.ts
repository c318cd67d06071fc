import { Budget } from './budget';
import { openSession } from './connection';
import { Admin } from './credentials';
import { explain } from './database-error';
import { ServerError } from './errors';
import { Open, Transport } from './session';
import { FIXED_DATABASE } from './lock';

const CONNECT_MS = 8_000;

/** Connections from where the handler runs. The secret is read for each attempt: the password may have been rotated in between. */
export function overConnections(readAdmin: (host: string, port: number) => Promise<Admin>): Transport {
  return async (host, port, budget) => {
    const admin = await readAdmin(host, port);
    return database => open(host, port, database, admin, budget);
  };
}

function open(host: string, port: number, database: string, admin: Admin, budget: Budget): ReturnType<Open> {
  // What is left of the patience bounds the last try, too.
  const connectMs = Math.min(CONNECT_MS, budget.patience() + CONNECT_MS / 4);
  return openSession({ host, port, database, admin, connectMs }).catch((error) => {
    throw error instanceof ServerError
      ? explain(error, {
          attempted: `sign in to ${database === FIXED_DATABASE ? '' : `database ${JSON.stringify(database)} of `}${host}:${port} as the admin`,
          needs: `CONNECT on database ${JSON.stringify(database)}`,
          withToken: typeof admin.password === 'function',
        })
      : error;
  });
}
