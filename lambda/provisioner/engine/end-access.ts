import { type Change, describe, merged, rolesOf } from '../core/change';
import type { ExpiredRole } from '../core/expiry';
import { forbidLogin, type ObservedRole, planEndOfMembers, planEndOfTokens } from '../core/plan-shared';
import { FIXED_DATABASE, type RoleKind } from '../core/state';
import { ProvisionError, ServerError } from '../errors';
import { heldBy } from '../remedies/server';
import { GROUPS_OF_RDS_IAM } from '../sql/memberships';
import { identifier } from '../sql/quote';
import type { Row } from '../sql/row';
import { membersOf } from '../sql/sessions';
import { applyOneByOne, type Failure } from './best-effort';
import { type EndReason, endSessionsOf } from './end-sessions';
import { readShared } from './inspect';
import type { Reader } from './reader';
import type { TransactionOptions } from './transaction';
import { inShared, lookAtShared, type Work } from './work';

/**
 * How long a login is tried to be ended that another session keeps, by a change to the same role in a transaction that
 * it leaves open.
 */
const END_OF_LOGIN_MS = 10_000;
const LOCK_MS = 1_000;

const BLOCKED = '55P03';

/**
 * The admin has no right to take it back, or it is gone, or another session is in the way: what else ends access is
 * done even so.
 */
const NOT_TAKEN_BACK = [BLOCKED, '01006', '01007', '0LP01', '2BP01', '42501', '42704'];

const NAMES_LOGGED = 10;

/** A role that is to have no access any more: removed, or expired and kept. */
type EndingRole = Pick<ExpiredRole, 'username' | 'claim'>;

const EXPIRY: EndReason = { roles: 'expired roles', again: 'deploy again' };

/**
 * Ends the access of roles that go or have expired, before anything else happens to them. First their tokens are not
 * accepted any more, then they have no login: each is committed by itself, whatever happens to the other. Then their
 * members lose what they had through them, and then all their sessions end. A user can keep its own row of the catalog
 * locked, but not for longer than its session, and not its membership in rds_iam.
 *
 * A role that has expired stays: its members keep what they have through it, and it keeps its groups, of which none
 * lets it in without a login.
 *
 * @param ending what kind of role is removed, or that they have expired
 * @throws if a login or a session is left
 */
export async function endAccess(work: Work, leaving: EndingRole[], ending: RoleKind | 'expired'): Promise<void> {
  const { admin } = work.lock.server;
  if (leaving.some(({ username }) => username === admin)) {
    throw new ProvisionError(
      `cannot remove ${JSON.stringify(admin)}: it is the admin; remove its row from cdk_aurora_iam_auth.managed_role in database postgres`,
    );
  }
  const oids = leaving.map(({ claim }) => claim.roleOid);
  const options = { lockMs: LOCK_MS, endBlockersAmong: oids };
  const until = work.budget.elapsedMs() + END_OF_LOGIN_MS;
  const isLate = () => work.budget.elapsedMs() > until;
  const look = (...queries: string[]) => lookAtShared(work, reader => observe(reader, leaving, ending, queries));
  const endOfMembers = (role: ObservedRole) => ending === 'expired' ? [] : planEndOfMembers(ending, role);
  const apply = (changes: Change[]) => applyWhatGoes(work, changes, isLate, options);
  const first = await look();
  report(work, await apply(merged(first.roles.flatMap(role => planEndOfTokens(role, first.groupsOfRdsIam)))));
  let failures = await apply(first.roles.flatMap(forbidLogin));
  const members = new Set(first.members);
  for (let round = 1; ; round++) {
    const now = await look();
    now.members.forEach(oid => members.add(oid));
    report(work, await apply(merged(now.roles.flatMap(endOfMembers))));
    // Where there are no sessions, no session has changed the roles since that was asked, and what they have was asked
    // right after it.
    let last = now;
    const { found, left: sessionsLeft } = await endSessionsOf(
      work,
      { removed: oids, members: [...members], ...(ending === 'expired' ? { reason: EXPIRY } : {}) },
      async (...queries) => {
        last = await look(...queries);
        return last.first;
      },
    );
    const { roles } = found ? await look() : last;
    const logins = roles.filter(({ canLogin }) => canLogin);
    const again = roles.flatMap(endOfMembers);
    if (sessionsLeft === undefined && logins.length === 0 && (again.length === 0 || round > 1)) {
      return reportEnd(work, leaving);
    }
    const isBlocked = failures.some(({ error }) => error.sqlState === BLOCKED);
    if (sessionsLeft !== undefined || (logins.length > 0 && (!isBlocked || isLate()))) {
      throw new ProvisionError(
        [
          ...(logins.length > 0
            ? [loginLeft(logins, failures, admin, ending === 'expired' ? EXPIRY.again : 'delete again')]
            : []),
          sessionsLeft ?? [],
        ]
          .flat()
          .join('. And '),
      );
    }
    // The session that was in the way has ended by now; and a member that acted as the role may have become one again.
    failures = await apply(roles.flatMap(forbidLogin));
  }
}

function report({ log }: Work, failures: Failure[]): void {
  failures.forEach(({ change, error }) =>
    log.info('not taken back', { change: describe(change, FIXED_DATABASE), reason: error.message }),
  );
}

function reportEnd(work: Work, roles: EndingRole[]): void {
  work.log.info('access ended', {
    names: roles.slice(0, NAMES_LOGGED).map(({ username }) => username).join(', '),
    count: roles.length,
    note: 'sessions at reader endpoints and read replicas are not seen from the writer, and go on until they end by themselves',
  });
}

/** All at once, or if that is refused or takes too long, one by one as far as that goes. */
async function applyWhatGoes(
  work: Work,
  changes: Change[],
  isLate: () => boolean,
  options: TransactionOptions,
): Promise<Failure[]> {
  if (changes.length === 0) {
    return [];
  }
  try {
    await inShared(work, transaction => transaction.apply(changes), { ...options, triedAgain: false });
    return [];
  } catch (error) {
    if (!(
      (error as Error).cause instanceof ServerError
      && NOT_TAKEN_BACK.includes(((error as Error).cause as ServerError).sqlState)
    )) {
      throw error;
    }
    return inShared(work, transaction => applyOneByOne(transaction, changes, NOT_TAKEN_BACK, isLate), options);
  }
}

interface Observed {
  readonly roles: ObservedRole[];
  /** Oids of those that can act as one of them: their sessions may do so still when they cannot any more. */
  readonly members: string[];
  /** Names of groups through which tokens are accepted. */
  readonly groupsOfRdsIam: ReadonlySet<string>;
  /** Rows of what was asked before. */
  readonly first: Row[][];
}

async function observe(
  reader: Reader,
  leaving: EndingRole[],
  ending: RoleKind | 'expired',
  queries: string[],
): Promise<Observed> {
  const also = [GROUPS_OF_RDS_IAM, membersOf(leaving.map(({ claim }) => claim.roleOid))];
  const {
    roles,
    first,
    also: [groups, members],
  } = await readShared(
    reader,
    leaving.map(({ username }) => username),
    [],
    { first: queries, also },
  );
  return {
    first,
    roles: [...roles.values()],
    // Members of a group role keep their sessions: what they have of their own does not end.
    members: ending === 'user' ? members.map(({ oid }) => oid as string) : [],
    groupsOfRdsIam: new Set(ending === 'expired' ? [] : groups.map(({ name }) => name as string)),
  };
}

function loginLeft(roles: ObservedRole[], failures: Failure[], admin: string, again: string): string {
  const [{ role, memberships }] = roles;
  const failure = failures.find(({ change }) => rolesOf(change).includes(role));
  const others = roles.length === 1 ? '' : ` and of ${roles.length - 1} more`;
  const hasTokens = memberships.some(({ group, effective }) => group === 'rds_iam' && effective);
  const isBlocked = failure?.error.sqlState === BLOCKED;
  const what = failure ? describe(failure.change, FIXED_DATABASE) : `end the login of ${JSON.stringify(role)}`;
  const why = failure ? `: ${failure.error.message} (SQLSTATE ${failure.error.sqlState})${heldBy(failure.error)}` : '';
  return (
    `cannot ${what}${others}${why}; `
    + (hasTokens
      ? 'its tokens may be accepted as before; '
      : 'its tokens are not accepted any more, but a password that it has set itself may still work; ')
    + (isBlocked
      ? `end the session that holds it, or roll the prepared transaction back as that role, and ${again}`
      : 'the admin needs ADMIN OPTION on the role, which no role has on those made before an upgrade from PostgreSQL 15: let a superuser or rds_superuser run '
        + `GRANT ${identifier(role)} TO ${identifier(admin)} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE, and ${again}`)
  );
}
