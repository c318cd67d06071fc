import type { Logger } from '../../../shared/logger';
import { AuthenticationRefused, ProvisionError } from '../../errors';
import { SERVER } from '../../sql/catalog';
import { ADMIN_PATH_TO_RDS_IAM, LEADING_TO_RDS_IAM } from '../../sql/memberships';
import { render } from '../../sql/render';
import { setTimeouts } from '../../sql/session';
import type { Admin } from '../credentials';
import { commit, rollback, run } from '../run';
import { query, type Session } from '../session';

/** What is needed to sign in as an admin whose password counts no more. */
export interface Recovery {
  /** The same admin, with a token of the provisioner's own role. */
  readonly withToken: (username: string) => Admin;
  readonly log: Logger;
}

/** From 15 on a user cannot grant itself to others: who makes the admin a member of rds_iam there is allowed to. */
const NEEDED_BEFORE = 150000;

/** A user can grant itself again at once, and again: after so many times the session with the token is used. */
const ROUNDS = 3;

const TIMEOUTS = { statement_timeout: 10_000, lock_timeout: 5_000, idle_in_transaction_session_timeout: 10_000 };

const TAKE_BACK = { attempted: 'take the membership in rds_iam back from the admin' };

/** A membership on a path from the admin to rds_iam. */
interface Leading {
  readonly group: string;
  readonly member: string;
  /** Of the admin itself, and granted neither by the admin nor by a superuser. */
  readonly isOfAdmin: boolean;
  /** The group has granted itself: any user can do that. */
  readonly byItself: boolean;
  /** Granted by a role that signs in with a token, other than the admin. */
  readonly byIamUser: boolean;
}

/**
 * Whether the server has asked the admin for a token, and not for its password: it does so with each member of rds_iam.
 */
export function isRefusedAsIamMember(error: unknown): boolean {
  return error instanceof AuthenticationRefused && error.asked === 'clear text';
}

/**
 * Signs in as the admin. On PostgreSQL 14 every user can make the admin its member with `GRANT itself TO admin`, so
 * that its password counts no more. Then the provisioner signs in as the admin with a token, takes that membership
 * back, and signs in with the password again.
 *
 * @param signIn signs in with a password or a token; may be called several times
 * @throws the first refusal, where the role of the provisioner may not sign in as the admin or the server is newer
 */
export async function signInAsAdmin(
  admin: Admin,
  signIn: (admin: Admin) => Promise<Session>,
  recovery: Recovery | undefined,
): Promise<Session> {
  for (let round = 1; ; round++) {
    try {
      return await signIn(admin);
    } catch (refusal) {
      if (recovery === undefined || !isRefusedAsIamMember(refusal)) {
        throw refusal;
      }
      const session = await signIn(recovery.withToken(admin.username)).catch((error: unknown) => {
        recovery.log.info('admin not recovered', {
          reason: `it cannot sign in with a token either: ${(error as Error).message}`,
        });
        // Not a member any more: another session has taken it back, or it is granted and revoked in turns.
        const again = error instanceof AuthenticationRefused && round < ROUNDS;
        if (!again) {
          throw refusal;
        }
      });
      if (session && await takeBack(session, recovery.log, refusal) && round === ROUNDS) {
        // The transactions that follow may end the membership, as that of any other admin with a password.
        return { ...session, withToken: false };
      }
      await session?.close();
    }
  }
}

/**
 * In one transaction, after which the admin is no member of rds_iam: nothing but memberships that lead there, and those
 * that it was given by others first.
 */
async function takeBack(session: Session, log: Logger, refusal: unknown): Promise<true> {
  try {
    session.begin();
    const [, [server], leading] = (await run(session, TAKE_BACK, [
      setTimeouts(TIMEOUTS),
      query(SERVER),
      query(LEADING_TO_RDS_IAM),
    ])) as unknown[][];
    const { admin, version } = server as { admin: string; version: number };
    if (version >= NEEDED_BEFORE) {
      throw refusal;
    }
    const revoked: Leading[] = [];
    for (const isMeant of [
      ({ byItself, isOfAdmin }: Leading) => byItself || isOfAdmin,
      ({ byIamUser }: Leading) => byIamUser,
    ]) {
      const meant = (leading as Leading[]).filter(one => isMeant(one) && !revoked.includes(one));
      revoked.push(...meant);
      const statements = meant.flatMap(({ group, member }) =>
        render({ kind: 'revokeRole', group, roles: [member] }, { admin, version, adminMemberships: new Map() }),
      );
      const path = (await run(session, TAKE_BACK, [...statements, query(ADMIN_PATH_TO_RDS_IAM)])).pop();
      if (path?.length === 0) {
        await commit(session);
        log.info('admin recovered', {
          revoked: revoked
            .map(({ group, member }) => `${JSON.stringify(group)} from ${JSON.stringify(member)}`)
            .join(', '),
          reason: 'the admin was a member of rds_iam through it, so that its password did not work',
        });
        return true;
      }
    }
    const [{ path }] = (await run(session, TAKE_BACK, [query(ADMIN_PATH_TO_RDS_IAM)]))[0] as unknown as {
      path: string[];
    }[];
    throw new ProvisionError(
      `the admin ${JSON.stringify(admin)} is a member of rds_iam (${path.join(' -> ')}), so that its password does not work; the admin itself or a superuser has granted that, `
      + 'so it was left as it is; revoke it, or use AdminCredentials.fromIam()',
      { cause: refusal },
    );
  } catch (error) {
    await rollback(session);
    await session.close();
    throw error;
  }
}
