import { type Change, describe, merged, oneByOne, rolesOf } from '../core/change';
import type { Facts } from '../core/lifecycle';
import type { EndedMemberships } from '../core/membership-expiry';
import { grantedByOthers, type MembershipOfOther, type ObservedRole, planEndOfMemberships } from '../core/plan-shared';
import { FIXED_DATABASE } from '../core/state';
import { ProvisionError, type ServerError } from '../errors';
import { membersOf } from '../sql/sessions';
import { applyEach } from './best-effort';
import { type EndReason, endSessionsOf } from './end-sessions';
import { readShared } from './inspect';
import { reportMembershipOfOther } from './memberships';
import { sessionsSteps } from './registry';
import { keepAdminConnected, rolesLosingConnect } from './restricted';
import type { Transaction } from './transaction';
import { inShared, lookAtShared, type Work } from './work';

/** As for what else ends access. */
const END_MS = 10_000;
const LOCK_MS = 1_000;

/** The admin has no right to take it back, it is gone, or another session is in the way. */
const NOT_TAKEN_BACK = ['55P03', '01006', '01007', '0LP01', '2BP01', '42501', '42704'];

const NAMES_LOGGED = 10;

const EXPIRY: EndReason = { roles: 'roles whose membership has expired', again: 'deploy again' };

/**
 * Those that are members still, or whose sessions may act as the group. A plan ends none: what it would do to roles of
 * its own, the changes say.
 */
export async function stillMembers(transaction: Transaction, ended: EndedMemberships[]): Promise<EndedMemberships[]> {
  if (ended.length === 0 || transaction.view !== undefined) {
    return [];
  }
  const { roles } = await readShared(transaction, ended.map(({ username }) => username));
  return ended.filter(one => one.endSessions || endOf(one, roles).length > 0);
}

/** Why memberships or sessions are left. */
interface Left {
  /** Of memberships that could not be taken back. Their sessions go on: they would get the role again. */
  readonly memberships: string[];
  readonly sessions?: string;
}

/**
 * Ends memberships whose time is over, and the sessions that can have acted as the group: those of the role, and of its
 * members. All of these, because no catalog says as whom a session acts. That they are to end is registered with the
 * same commit, until they have.
 */
export async function endMemberships(work: Work, facts: Facts, ended: EndedMemberships[]): Promise<Left> {
  const until = work.budget.elapsedMs() + END_MS;
  const { failures, ending, remaining } = await inShared(work, async (transaction) => {
    const { roles } = await readShared(transaction, ended.map(({ username }) => username));
    const changes = merged(ended.flatMap(one => endOf(one, roles)));
    const isOver = () => work.budget.elapsedMs() > until;
    const failures = await whileAdminConnects(work, facts, transaction, changes, async allowed =>
      (await applyEach(transaction, allowed, NOT_TAKEN_BACK, isOver)).map(({ change, error }) => ({
        change,
        reason: reasonOf(change, error),
      })),
    );
    failures.push(...await ignored(transaction, ended, changes, failures));
    const members = new Set(failures.flatMap(({ change }) => rolesOf(change)));
    const ending = ended
      .filter(({ username, endSessions }) => endSessions || !members.has(username))
      .map(one => (members.has(one.username) ? { ...one, groups: [] } : one));
    await transaction.apply([], ...noteSteps(work, ending, true));
    return { failures, ending, remaining: ended.flatMap(one => one.isOwn ? [] : othersOf(one, roles)) };
  }, { lockMs: LOCK_MS, endBlockersAmong: ended.map(({ claim }) => claim.roleOid) });
  remaining.forEach(membership => reportMembershipOfOther(work, membership));
  const sessions = await endSessions(work, ending);
  return {
    memberships: [...new Set(failures.map(({ reason }) => reason))],
    ...sessions === undefined ? {} : { sessions },
  };
}

interface Failure {
  readonly change: Change;
  readonly reason: string;
}

/**
 * Takes memberships back, but for those through which alone the admin has CONNECT on a database without CONNECT of
 * PUBLIC, and which it may not grant to itself.
 *
 * @returns what was left, and why
 */
async function whileAdminConnects(
  work: Work,
  facts: Facts,
  transaction: Transaction,
  changes: Change[],
  apply: (changes: Change[]) => Promise<Failure[]>,
): Promise<Failure[]> {
  const refusal = (some: Change[]) =>
    keepAdminConnected(work, facts, rolesLosingConnect(some), transaction).then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof ProvisionError)) {
          throw error;
        }
        return error.message;
      },
    );
  if (await refusal(changes) === undefined) {
    return apply(changes);
  }
  const failures: Failure[] = [];
  for (const change of changes.flatMap(oneByOne)) {
    const reason = await refusal([change]);
    failures.push(
      ...(reason === undefined
        ? await apply([change])
        : [{ change, reason: `cannot ${describe(change, FIXED_DATABASE)}: ${reason}` }]),
    );
  }
  return failures;
}

/**
 * What PostgreSQL has left as it was, without an error: from 16 on a superuser's grant is taken back by superusers
 * alone.
 */
async function ignored(
  transaction: Transaction,
  ended: EndedMemberships[],
  changes: Change[],
  failures: Failure[],
): Promise<Failure[]> {
  if (changes.length === 0) {
    return [];
  }
  const { roles } = await readShared(transaction, ended.map(({ username }) => username));
  const known = failures.flatMap(failure => oneByOne(failure.change)).map(change => JSON.stringify(change));
  return merged(ended.flatMap(one => endOf(one, roles)))
    .flatMap(oneByOne)
    .filter(change => !known.includes(JSON.stringify(change)))
    .map(change => ({
      change,
      reason: `cannot ${describe(change, FIXED_DATABASE)}: PostgreSQL left it as it was, without an error; take it back as the role that has granted it, and deploy again`,
    }));
}

function reasonOf(change: Change, { message, sqlState }: ServerError): string {
  return `cannot ${describe(change, FIXED_DATABASE)}: ${message} (SQLSTATE ${sqlState}); end the session that is in the way, or give the admin the ADMIN option on the group, and deploy again`;
}

/** Where there is no registry yet, a function that ends in between leaves the sessions. */
function noteSteps(work: Work, ended: EndedMemberships[], left: boolean): ReturnType<typeof sessionsSteps> {
  return work.registryExists ? sessionsSteps(ended.map(({ claim }) => claim), left) : [];
}

async function endSessions(work: Work, ended: EndedMemberships[]): Promise<string | undefined> {
  if (ended.length === 0) {
    return undefined;
  }
  const oids = ended.map(({ claim }) => claim.roleOid);
  const [members] = await lookAtShared(work, reader =>
    reader.read({ attempted: 'look for members of the roles' }, membersOf(oids)),
  );
  const { left } = await endSessionsOf(work, {
    removed: [],
    members: [...oids, ...members.map(({ oid }) => oid as string)],
    reason: EXPIRY,
  });
  if (left !== undefined) {
    return left;
  }
  await inShared(work, transaction => transaction.apply([], ...noteSteps(work, ended, false)));
  work.log.info('memberships ended', {
    names: ended
      .slice(0, NAMES_LOGGED)
      .map(({ username, groups }) => (groups.length === 0 ? username : `${username} in ${groups.join(', ')}`))
      .join('; '),
    count: ended.length,
    note: 'sessions at reader endpoints and read replicas are not seen from the writer, and go on until they end by themselves',
  });
  return undefined;
}

/**
 * The same of roles that an event declares, and of others, which do not stop it. A membership of its own that cannot be
 * taken back, the event leaves as any other that is not declared.
 *
 * @throws if a session of its own is left
 */
export async function endMembershipsAround(work: Work, facts: Facts, ended: EndedMemberships[]): Promise<void> {
  const [own, others] = [true, false].map(isOwn => ended.filter(one => one.isOwn === isOwn));
  if (own.length > 0) {
    const { sessions } = await endMemberships(work, facts, own);
    // What an event does not end, it does not fail over: what earlier ones have left.
    if (sessions !== undefined && own.some(({ groups }) => groups.length > 0)) {
      throw new ProvisionError(sessions);
    }
  }
  if (others.length > 0) {
    const left = await endMemberships(work, facts, others).then(
      ({ memberships, sessions = [] }) => [...memberships, sessions].flat(),
      (error: unknown) => {
        if (!(error instanceof ProvisionError)) {
          throw error;
        }
        return [error.message];
      },
    );
    left.forEach(reason => work.log.info('membership not ended', { reason }));
  }
}

function endOf(
  { username, claim, groups }: EndedMemberships,
  roles: ReadonlyMap<string, ObservedRole>,
): ReturnType<typeof planEndOfMemberships> {
  const role = roles.get(username);
  return role?.oid === claim.roleOid ? planEndOfMemberships(role, groups) : [];
}

/**
 * What other roles have granted as well, of roles that the event does not declare: of its own, it reports that itself.
 */
function othersOf(
  { username, claim, groups }: EndedMemberships,
  roles: ReadonlyMap<string, ObservedRole>,
): MembershipOfOther[] {
  const role = roles.get(username);
  return role?.oid === claim.roleOid ? grantedByOthers(role, group => groups.includes(group)) : [];
}
