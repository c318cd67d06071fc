import { FIXED_DATABASE } from '../core/state';
import { ServerError } from '../errors';
import type { Row } from '../sql/row';
import { endSession, sessionsOf, STARTING_SESSIONS, stillStarting } from '../sql/sessions';
import { run } from '../transport/run';
import { query, type Session } from '../transport/session';
import type { Work } from './work';

/** Sessions end within milliseconds once told to, unless a process hangs. */
const END_OF_SESSIONS_MS = 10_000;
const POLL_MS = 50;

/** A client that signs in is seen sooner, unless it does not want to be. */
const STARTING_MS = 1_000;

const LISTED = 10;
const NOT_ALLOWED = '42501';

/** Why access ends, as messages have it. */
export interface EndReason {
  readonly roles: string;
  /** What to do once the obstacle is gone. */
  readonly again: string;
}

const REMOVAL: EndReason = { roles: 'removed roles', again: 'delete again' };

const ending = ({ roles }: EndReason) => ({
  attempted: `end the sessions of ${roles}`,
  needs: 'to be a member of pg_signal_backend',
});

/** Whose sessions are ended. */
export interface SessionOwners {
  /**
   * Oids of roles that cannot sign in any more: their sessions end whenever they are seen. The roles may be dropped
   * already.
   */
  readonly removed: string[];
  /** Oids of roles that may sign in again: those of their sessions end that there are now. */
  readonly members?: string[];
  /** @default - they are removed */
  readonly reason?: EndReason;
}

/** What happened to sessions. */
export interface EndOfSessions {
  /** Whether there were any, which had to be ended or waited for. */
  readonly found: boolean;
  /** A reason that says what is left, if the time is up. */
  readonly left?: string;
}

/** Asks several queries. */
type Look = (...queries: string[]) => Promise<Row[][]>;

/**
 * Ends the sessions of roles and waits until they have ended: those that are seen, and those that are signed in but not
 * seen yet. Nothing says whose the latter are, so that what is still starting after a while is ended, of whichever role
 * it is. What starts later has not passed the end of the login.
 *
 * @param firstLook asks the first time, for instance together with something else
 */
export async function endSessionsOf(
  { sessions, budget, log }: Pick<Work, 'sessions' | 'budget' | 'log'>,
  { removed, members = [], reason = REMOVAL }: SessionOwners,
  firstLook?: Look,
): Promise<EndOfSessions> {
  return sessions.in(FIXED_DATABASE, async (session) => {
    const begin = budget.elapsedMs();
    const look: Look = (...queries) => run(session, ending(reason), queries.map(query));
    const [ofRemoved, ofMembers, starting] = await (firstLook ?? look)(
      sessionsOf(removed),
      sessionsOf(members),
      STARTING_SESSIONS,
    );
    const old = new Set(pidsIn(ofMembers));
    // A session that may not be ended is a superuser's, or has not passed the end of the login yet.
    const others = new Set<number>();
    const refused = new Set<number>();
    let seen = [...ofRemoved, ...ofMembers];
    let unseen = pidsIn(starting);
    const found = seen.length + unseen.length > 0;
    for (const told = new Set<number>(); seen.length + unseen.length > 0;) {
      for (const pid of pidsIn(seen)) {
        if (!await end(session, pid, reason)) {
          refused.add(pid);
        }
      }
      for (const pid of budget.elapsedMs() - begin < STARTING_MS ? [] : unseen) {
        (await end(session, pid, reason) ? told : others).add(pid);
      }
      const isLastLook = budget.elapsedMs() - begin > END_OF_SESSIONS_MS || budget.remainingMs() <= POLL_MS;
      await budget.sleep(POLL_MS);
      const [removedNow, membersNow, startingNow] = await look(
        sessionsOf(removed),
        sessionsOf(members),
        stillStarting(pidsIn(starting)),
      );
      seen = [...removedNow, ...membersNow.filter(({ pid }) => old.has(pid as number))];
      unseen = pidsIn(startingNow).filter(pid => !others.has(pid));
      if (told.size > 0 && unseen.length === 0) {
        log.info('starting sessions ended', {
          count: told.size,
          note: 'they were signed in and did not say as whom; there may be sessions of other roles among them, which connect again',
        });
        told.clear();
      }
      if (isLastLook && seen.length + unseen.length > 0) {
        return { found, left: notEnded(seen, unseen, refused, reason) };
      }
    }
    return { found };
  });
}

/** @returns whether it could be told to end */
async function end(session: Session, pid: number, reason: EndReason): Promise<boolean> {
  try {
    await run(session, ending(reason), [endSession(pid)]);
    return true;
  } catch (error) {
    if (
      (error as Error).cause instanceof ServerError
      && ((error as Error).cause as ServerError).sqlState === NOT_ALLOWED
    ) {
      return false;
    }
    throw error;
  }
}

function pidsIn(rows: Row[]): number[] {
  return rows.map(({ pid }) => pid as number);
}

function notEnded(seen: Row[], unseen: number[], refused: ReadonlySet<number>, reason: EndReason): string {
  const mayNot = (pid: unknown) =>
    refused.has(pid as number) ? ', which the admin may not end unless it is a member of pg_signal_backend' : '';
  const left = [
    ...seen.map(({ pid, role }) => `pid ${String(pid)} (role ${JSON.stringify(role)}${mayNot(pid)})`),
    ...unseen.map(pid => `pid ${pid} (starting, of a role that is not known)`),
  ];
  const listed = left.length > LISTED ? [...left.slice(0, LISTED), `${left.length - LISTED} more`] : left;
  return (
    `cannot ${ending(reason).attempted}: still there after ${END_OF_SESSIONS_MS / 1000} s: ${listed.join(', ')}; `
    + `until they end they have what they had: end them (pg_terminate_backend, or restart the database) and ${reason.again}`
  );
}
