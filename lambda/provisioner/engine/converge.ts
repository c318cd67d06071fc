import { type Change, PUBLIC } from '../core/change';
import { isAllDeployed } from '../core/deployed';
import { expiredRoles, withExpired } from '../core/expiry';
import type { Journal } from '../core/journal';
import type { Decision, Facts } from '../core/lifecycle';
import { rolesWithEndedMemberships } from '../core/membership-expiry';
import { exclusiveOf, membershipsOfOthers, planShared, type Wanted, withoutExclusive } from '../core/plan-shared';
import { FIXED_DATABASE, RDS_IAM } from '../core/state';
import { encodeTime } from '../core/time';
import { ProvisionError } from '../errors';
import { passwordMembers } from '../sql/memberships';
import type { Stamp } from '../sql/registry-rows';
import { confirmAdmin } from './confirm-admin';
import { endExpired, stillWithAccess } from './end-expired';
import { endMembershipsAround, stillMembers } from './end-memberships';
import { concernedBy, convergeDatabase, keepsOut, othersOnRecord, refuseRemaining, visits } from './converge-database';
import { declaredBefore, leaveDatabase, refuseLeft, takeSurplus } from './exclusive';
import { IdentitiesNow, inNamesOfToday, placeOf } from './identities-now';
import { Impossible } from './impossible';
import { readFacts, readShared, type Shared } from './inspect';
import { reportMissed } from './missed-expiry';
import { refuseGroupOfIamUsers, refuseMemberships, reportMembershipOfOther, startsOf } from './memberships';
import type { Succession } from './new-owner';
import {
  bringUpToDate, createSteps, dropIfUnusedSteps, forgetSteps, unregisteredOf, recordSteps, renameSteps, sessionsSteps,
} from './registry';
import { keepAdminConnected, reportLockedOut, rolesLosingConnect } from './restricted';
import type { Transaction } from './transaction';
import { inDatabase, type Work } from './work';

export interface EventDetails {
  readonly stamp?: Stamp;
  readonly succession?: Succession;
}

/**
 * Makes a decision true.
 *
 * What all databases of the server share takes one transaction, and each database one of its own. With no more than the
 * shared part it is all or nothing. Otherwise roles come first, without access; then the databases; then memberships
 * and the login, so that no session can log in before everything else is committed. What has been committed is in the
 * journal, should the rest fail.
 *
 * @param event its stamp, and who gets what its roles own
 * @returns what was decided
 */
export async function executeDecision(
  work: Work,
  names: string[],
  decide: (facts: Facts) => Decision,
  journal: Journal,
  { stamp, succession }: EventDetails = {},
): Promise<Decision> {
  const impossible = new Impossible(work);
  const ended = { access: new Set<string>(), memberships: new Set<string>() };
  const lookedAt = work.budget.date();
  const begin = () => journaled(work, journal, FIXED_DATABASE, async (transaction) => {
    const facts = await readFacts(transaction, work.registryExists, names, stamp);
    await bringUpToDate(transaction, work.lock.registry, facts, work.log);
    journal.remember(facts.claims);
    const date = work.budget.date();
    const decision = withExpired(inNamesOfToday(work, facts, decide(facts), impossible), date, lookedAt);
    const expired = (await stillWithAccess(transaction, expiredRoles(facts, decision, date, work.resourceId))).filter(
      ({ claim }) => !ended.access.has(claim.roleOid),
    );
    const members = (
      await stillMembers(transaction, rolesWithEndedMemberships(facts, decision, lookedAt, placeOf(work)))
    ).filter(({ claim }) => !ended.memberships.has(claim.roleOid));
    if (expired.length + members.length > 0) {
      return { ending: { expired, members, facts } };
    }
    reportExpired(work, decision.converge);
    decision.adopted.forEach(role =>
      work.log.info('adopting', {
        role,
        note: 'it is managed from now on; a password that it may have stops working, because a member of rds_iam signs in with a token only',
      }),
    );
    if (!decision.converge.some(hasParts)) {
      const { changes } = decision;
      const renames = changes.some(({ kind }) => kind === 'renameRole');
      if (renames) {
        await transaction.apply(changes, ...renameSteps(facts, changes));
      }
      await converge(
        work,
        transaction,
        facts,
        decision,
        impossible,
        declaredBefore(decision, journal.claims),
        renames ? {} : { absent: rolesCreated(changes) },
      );
      return { facts, decision, databases: [], settled: true };
    }
    return { facts, decision, ...await prepare(work, transaction, facts, decision, impossible) };
  });
  let first = await begin();
  while (first.ending !== undefined) {
    const { expired, members, facts } = first.ending;
    reportMissed(work, facts, [...expired, ...members]);
    await endExpired(work, expired);
    await endMembershipsAround(work, facts, members);
    expired.forEach(({ claim }) => ended.access.add(claim.roleOid));
    members.forEach(({ claim }) => ended.memberships.add(claim.roleOid));
    first = await begin();
  }
  const { facts, decision, databases, settled } = first;
  const tolerated = declaredBefore(decision, journal.claims);
  const identities = new IdentitiesNow(work, facts, decision);
  for (const database of databases) {
    await journaled(work, journal, database, async (transaction) => {
      const found = await convergeDatabase(
        work,
        transaction,
        decision.converge,
        othersOnRecord(facts, decision),
        impossible,
        tolerated,
        succession,
      );
      identities.add(database, decision.converge, found);
    }).catch((error: Error) => {
      if (
        concernedBy(decision.converge, database).length > 0
        && !(isAllDeployed(database, decision.converge) && keepsOut(error))
      ) {
        throw error;
      }
      leaveDatabase(work, database, exclusiveOf(decision.converge), error, tolerated);
      concernedBy(decision.converge, database).forEach(({ role }) => impossible.owing.add(role));
    });
  }
  // What the names stand for is known once the databases were looked at.
  if (!settled || (databases.length > 0 && unregisteredOf(facts, decision, identities.of).length > 0)) {
    await journaled(work, journal, FIXED_DATABASE, transaction =>
      converge(
        { ...work, registryExists: true },
        transaction,
        facts,
        withExpired(decision, work.budget.date(), lookedAt),
        impossible,
        tolerated,
        { identities },
      ),
    );
  }
  if (decision.record.length > 0) {
    work.lock.mayBeLast = false;
  }
  await reportLockedOut(work, facts, decision.converge);
  return decision;
}

/**
 * Roles that exist under the right names, registered; whether they have all that is shared already; and the databases
 * to go to.
 */
async function prepare(
  work: Work,
  transaction: Transaction,
  facts: Facts,
  decision: Decision,
  impossible: Impossible,
): Promise<{ databases: string[]; settled: boolean }> {
  const { changes, converge, forget } = decision;
  const unregistered = unregisteredOf(facts, decision);
  const unchanged = changes.length + unregistered.length + forget.length === 0;
  if (!unchanged) {
    await transaction.apply(
      changes,
      ...renameSteps(facts, changes),
      ...registrySteps(work, unregistered),
      ...recordSteps('under way', facts, unregistered),
    );
  }
  const created = rolesCreated(changes);
  const existing = converge.map(({ role }) => role).filter(role => !created.has(role));
  const shared
    = existing.length > 0
      ? await readShared(transaction, existing, databasesOf(converge), { exclusive: exclusiveOf(converge) })
      : undefined;
  return {
    databases: visits(converge, facts, shared, impossible),
    settled: unchanged && shared !== undefined && planShared(converge, shared.roles, shared.owners).length === 0,
  };
}

/** Whether there is more to it than what all databases share. */
function hasParts({ declaration, previous }: Wanted): boolean {
  return [declaration, ...previous].some(
    ({ exclusive, databases }) => exclusive || databases.some(({ schemas }) => schemas.length > 0),
  );
}

/**
 * @param tolerated roles whose deployment must not fail over what others have granted
 * @param options `absent`: roles that are not there yet, and need not be looked for; `identities`: what the names that
 * are declared stand for
 */
async function converge(
  work: Work,
  transaction: Transaction,
  facts: Facts,
  decision: Decision,
  impossible: Impossible,
  tolerated: ReadonlySet<string>,
  {
    absent = new Set(),
    identities = new IdentitiesNow(work, facts, decision),
  }: { readonly absent?: ReadonlySet<string>; readonly identities?: IdentitiesNow },
): Promise<void> {
  const { converge: wanted, forget } = decision;
  const roles = wanted.map(({ role }) => role);
  const groups = [...new Set(wanted.flatMap(({ role, declaration }) => startsOf(declaration, [role])))];
  const read = (names: string[]) =>
    readShared(transaction, names, databasesOf(wanted), { exclusive: exclusiveOf(wanted), groups });
  const unregistered = unregisteredOf(facts, decision, identities.of);
  const before = await read(roles.filter(role => !absent.has(role)));
  const changes = planShared(withoutExclusive(wanted), before.roles, before.owners);
  // What could not be taken back is known once that was tried, and registered with the rest.
  const steps = () => [
    ...(unregistered.length > 0 ? registrySteps(work, unregistered) : []),
    ...forgetSteps(forget),
    ...recordSteps('done', facts, unregistered, impossible.owing, identities.of),
    ...(work.registryExists ? sessionsSteps(losingEnded(wanted, changes, before), true) : []),
  ];
  await refusePasswordMembers(transaction, changes, before);
  await keepAdminConnected(work, facts, rolesLosingConnect(changes), transaction);
  if (changes.length + steps().length > 0) {
    await impossible.apply(transaction, changes, wanted, steps);
  }
  let after = changes.length > 0 ? await read(roles) : before;
  const left = impossible.without(transaction, planShared(withoutExclusive(wanted), after.roles, after.owners));
  refuseRemaining(impossible.refused(transaction, left, wanted), transaction);
  const exclusive = wanted.filter(({ declaration }) => declaration.exclusive);
  const surplus = impossible.surplus(transaction, planShared(exclusive, after.roles, after.owners));
  if (surplus.length > 0) {
    await keepAdminConnected(work, facts, rolesLosingConnect(surplus), transaction);
    await takeSurplus(work, transaction, surplus);
    after = await read(roles);
    refuseLeft(work, transaction, planShared(exclusive, after.roles, after.owners), [], tolerated);
  }
  refuseMemberships(work, wanted, after, changes, tolerated);
  membershipsOfOthers(wanted, after.roles).forEach(membership => reportMembershipOfOther(work, membership));
  wanted
    .filter(({ declaration: { kind, memberOf } }) => kind === 'role' && memberOf.length > 0)
    .forEach(one => refuseGroupOfIamUsers(work, after, one, tolerated));
  if (forget.length > 0) {
    work.lock.mayBeLast = true;
    await transaction.apply([], ...dropIfUnusedSteps());
  }
}

/**
 * What is committed is in the journal. After a membership that was granted, or a privilege that PUBLIC has lost, the
 * server is asked whether the admin still gets in.
 */
export async function journaled<T>(
  work: Work,
  journal: Journal,
  database: string,
  body: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const { budget } = work;
  if (budget.remainingToBeginMs() < 0) {
    throw new ProvisionError(
      `not done after ${Math.round(budget.elapsedMs() / 1000)} s, before database ${JSON.stringify(database)}, and the time of the provisioner ends soon; `
      + 'deploy again when the database is less busy, or declare less at once',
    );
  }
  let concernsAdmin = false;
  const result = await inDatabase(work, database, body, {
    committing: (changes) => {
      concernsAdmin = changes.some(
        change => change.kind === 'grantRole' || (change.kind === 'revoke' && change.roles.includes(PUBLIC)),
      );
      return journal.note(database, changes);
    },
  });
  if (concernsAdmin) {
    await confirmAdmin(work);
  }
  return result;
}

/** @see hasExpired */
function reportExpired({ log }: Work, converge: Wanted[]): void {
  for (const { role, declaration: { expiresAt } } of converge.filter(({ expired }) => expired)) {
    log.info('expired', {
      role,
      expiresAt: encodeTime(expiresAt!),
      note: 'its access has ended: it has neither login nor rds_iam; a later expiresAt gives them back',
    });
  }
  for (const { role, declaration: { endingMemberships = [] }, ended = [] } of converge) {
    for (const { group, expiresAt } of endingMemberships.filter(one => ended.includes(one.group))) {
      log.info('expired', {
        role,
        memberOf: group,
        expiresAt: encodeTime(expiresAt),
        note: 'its membership has ended; a later expiresAt gives it back',
      });
    }
  }
}

/**
 * Roles that lose a membership whose time is over only now, since it could not be taken back before: the next event
 * ends their sessions.
 */
function losingEnded(wanted: Wanted[], changes: Change[], { roles }: Shared): { readonly roleOid: string }[] {
  const names = wanted
    .filter(({ role, ended = [] }) =>
      changes.some(
        change => change.kind === 'revokeRole' && change.roles.includes(role) && ended.includes(change.group),
      ),
    )
    .map(({ role }) => role);
  return names.flatMap(name => roles.get(name)?.oid ?? []).map(roleOid => ({ roleOid }));
}

function rolesCreated(changes: Change[]): ReadonlySet<string> {
  return new Set(changes.flatMap(change => change.kind === 'createRole' ? [change.role] : []));
}

function databasesOf(wanted: Wanted[]): string[] {
  return [...new Set(wanted.flatMap(({ declaration }) => declaration.databases.map(({ database }) => database)))];
}

export function registrySteps(
  { registryExists, lock: { registry, server } }: Work,
  unregistered: unknown[],
): ReturnType<typeof createSteps> {
  return registryExists || unregistered.length === 0 ? [] : createSteps(server, registry);
}

/** A member of a user is one of rds_iam as well. */
async function refusePasswordMembers(transaction: Transaction, changes: Change[], { roles }: Shared): Promise<void> {
  const users = changes
    .flatMap(change => (change.kind === 'grantRole' && change.group === RDS_IAM ? change.roles : []))
    .filter(role => roles.get(role)?.members.length);
  const [members]
    = users.length === 0
      ? [[]]
      : await transaction.read({ attempted: 'look for members of the users' }, passwordMembers(users));
  if (members.length > 0) {
    throw new ProvisionError(
      `${members.map(({ member }) => JSON.stringify(member)).join(', ')} would become a member of ${RDS_IAM} through ${users.map(user => JSON.stringify(user)).join(', ')}, `
      + 'and the password that it signs in with would stop working; revoke that membership, or make both members of a group role instead',
    );
  }
}
