import type { SecureContext } from 'node:tls';
import type { Logger } from '../../../shared/logger';
import type { Budget } from '../../budget';
import { FIXED_DATABASE } from '../../core/state';
import { AuthenticationRefused, ServerError } from '../../errors';
import { explain } from '../../remedies/server';
import { explainRefusal, isRefusal } from '../../remedies/sign-in';
import type { Admin } from '../credentials';
import type { Open, Transport } from '../session';
import { type Recovery, signInAsAdmin } from './admin-recovery';
import { openSession } from './connection';

const CONNECT_MS = 8_000;

export interface ConnectionsOptions {
  readonly host: string;
  readonly port: number;
  /** The only certificate authorities that are trusted. */
  readonly authorities: SecureContext;
  /** Asked for each attempt: the password may have been rotated in between. */
  readonly readAdmin: () => Promise<Admin>;
  /**
   * The same admin with a token, to recover one with a password that users have locked out.
   *
   * @default - none is recovered
   */
  readonly withToken?: (username: string) => Admin;
}

/** Connections from where the handler runs. */
export function overConnections(options: ConnectionsOptions): Transport {
  return async (budget, log, purpose) => {
    // To recover an admin changes memberships.
    const withToken = purpose === 'change' ? options.withToken : undefined;
    let admin = await options.readAdmin();
    const signIn = (database: string) => open({ ...options, withToken }, database, admin, budget, log);
    return {
      open: signIn,
      confirm: async () => {
        if (typeof admin.password === 'function') {
          return;
        }
        const session = await signIn(FIXED_DATABASE).catch(async (error: unknown) => {
          if (!isRefusal(error)) {
            throw error;
          }
          // It may have been rotated meanwhile.
          admin = await options.readAdmin();
          return signIn(FIXED_DATABASE);
        });
        await session.close();
      },
    };
  };
}

function open(
  { host, port, authorities, withToken: recoveredWith }: ConnectionsOptions,
  database: string,
  admin: Admin,
  budget: Budget,
  log: Logger,
): ReturnType<Open> {
  // What is left of the patience bounds the last try, too.
  const connectMs = Math.min(CONNECT_MS, budget.waitLimitMs() + CONNECT_MS / 4);
  const recovery: Recovery | undefined
    = recoveredWith && typeof admin.password === 'string' ? { withToken: recoveredWith, log } : undefined;
  return signInAsAdmin(
    admin,
    one => openSession({ host, port, authorities, database, admin: one, connectMs }),
    recovery,
  ).catch((error) => {
    const attempted = `sign in to ${database === FIXED_DATABASE ? '' : `database ${JSON.stringify(database)} of `}${host}:${port} as the admin`;
    const withToken = typeof admin.password === 'function';
    if (error instanceof AuthenticationRefused) {
      throw explainRefusal(error, { attempted, withToken });
    }
    throw error instanceof ServerError
      ? explain(error, { attempted, database, needs: `CONNECT on database ${JSON.stringify(database)}`, withToken })
      : error;
  });
}
