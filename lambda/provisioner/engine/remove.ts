import { type Change, merged } from '../core/change';
import { Journal } from '../core/journal';
import {
  decideAfterRemoval, decideRemove, type Facts, type Removal, type RoleRemoval,
} from '../core/lifecycle';
import { planDatabaseRemoval } from '../core/plan-database';
import { type ObservedRole, planSharedRemoval } from '../core/plan-shared';
import { handedOver, ownSchemas } from '../core/removal';
import { FIXED_DATABASE, type OnRemoval } from '../core/state';
import { ProvisionError, ServerError } from '../errors';
import type { Request } from '../request';
import { dependencies } from '../sql/dependencies';
import { applyWhatCan } from './best-effort';
import { executeDecision } from './converge';
import { drop, dropRoles, namesOf, refuseAccess, SOMETHING_DEPENDS_ON_IT } from './drop-roles';
import { hasOtherBytes, UNTRANSLATABLE } from './encoding';
import { endAccess } from './end-access';
import { endOthersExpired } from './end-expired';
import { endSessionsOf } from './end-sessions';
import { readDatabase, readFacts, readShared } from './inspect';
import { handOverTo } from './new-owner';
import { bringUpToDate, dropIfUnusedSteps, forgetSteps, keepSteps, noteCancellation } from './registry';
import { reportRenamed } from './renamed';
import { keepAdminConnected } from './restricted';
import type { Transaction } from './transaction';
import { orUndo } from './undo';
import { inDatabase, inShared, lookAtShared, type Work } from './work';

/** The admin has no right to take something back, or it is gone: no reason to keep a login. */
const CANNOT_BE_REVOKED = ['01006', '01007', '0LP01', '2BP01', '3D000', '3F000', '42501', '42704', '42883', '42P01'];

/**
 * Removes roles that this resource alone manages, and hands over those that another one manages too. First of all ends
 * the access of those that go. Of what is unclear nothing is done, and the others are removed anyway.
 */
export async function remove(attempt: Work, request: Request): Promise<void> {
  const { resource } = request;
  const { facts, registryExists } = await inShared(attempt, async (transaction) => {
    const found = await readFacts(transaction, attempt.registryExists);
    await bringUpToDate(transaction, attempt.lock.registry, found, attempt.log);
    const exists = request.cancelled
      ? await noteCancellation(transaction, attempt.lock.registry, request, attempt.log)
      : attempt.registryExists;
    return { facts: found, registryExists: exists };
  });
  const work = { ...attempt, registryExists };
  work.lock.mayBeLast = !registryExists;
  const removals = decideRemove(resource, request, facts);
  if (removals.length === 0) {
    work.log.info('nothing to remove', { reason: 'this resource manages no role that is not on its list any more' });
  }
  const leaving = removals.filter(removal => removal.kind === 'remove');
  if (leaving.length > 0) {
    await removeRoles(work, request, leaving, facts);
  }
  await endOthersExpired(work, facts, leaving.map(({ claim }) => claim.roleOid));
  for (const removal of removals) {
    if (removal.kind === 'leave') {
      work.log.info('nothing to remove', { username: removal.username, reason: removal.reason });
    } else if (removal.kind === 'handOver') {
      await handOver(work, request, facts, removal);
    }
  }
  const unclear = removals.find(removal => removal.kind === 'unclear');
  if (unclear) {
    throw new ProvisionError(unclear.problem);
  }
}

/**
 * First their access, committed, whatever comes after; then what they hold, in all databases of the server, whichever
 * role has granted it; then the roles. A role that owns something is not dropped, unless the template says who gets it:
 * it stays, without access. Data is never dropped.
 */
async function removeRoles(work: Work, request: Request, leaving: RoleRemoval[], facts: Facts): Promise<void> {
  const { kind, onRemoval } = request;
  const { closed } = facts;
  if (onRemoval.action === 'RETAIN') {
    return keep(work, request, leaving, 'it is to be retained, with its login and all it holds');
  }
  await keepAdminConnected(work, facts, namesOf(leaving));
  await endAccess(work, leaving, kind);
  if (onRemoval.action === 'DISABLE') {
    await inShared(work, transaction => refuseAccess(transaction, leaving, kind));
    return keep(
      work,
      request,
      leaving,
      'it is to be disabled: it cannot log in any more, and has what it owns and holds',
    );
  }
  for (const one of leaving) {
    if (one.keptBecause !== undefined) {
      await keep(
        work,
        { ...request, keptUnder: undefined },
        [one],
        `it cannot log in any more, and has what it owns and holds: ${one.keptBecause}`,
      );
    }
  }
  const understood = leaving.filter(({ keptBecause }) => keptBecause === undefined);
  if (understood.length === 0) {
    return;
  }
  // Only now: of a role that owns millions of objects, it takes as long as there are.
  const roles = [
    ...(
      await lookAtShared(work, reader =>
        readShared(reader, namesOf(understood), [], { dependencies: namesOf(understood) }),
      )
    ).roles.values(),
  ];
  await handOverOwned(work, understood, roles, onRemoval);
  // What is not taken back here is no loss if the role can be dropped, and is tried again otherwise.
  await clear(
    withoutNotice(work, 'not taken back'),
    understood,
    roles.flatMap(({ dependsIn }) => dependsIn).filter(database => database !== FIXED_DATABASE),
    closed,
  );
  const wanted = { work, request, leaving: understood, facts };
  const isDone
    = roles.every(({ dependsIn }) => !dependsIn.includes(FIXED_DATABASE))
      && (await inShared(work, transaction => dropAtOnce(transaction, wanted, roles)));
  if (!isDone) {
    // What all databases share first: while there is some of it, whatever else depends on a role is not taken back in
    // any of them.
    const left = await inShared(work, async (transaction) => {
      const roles = [
        ...(
          await readShared(transaction, namesOf(understood), [], { dependencies: namesOf(understood) })
        ).roles.values(),
      ];
      await takeBack(work, transaction, roles.flatMap(planSharedRemoval));
      return roles.flatMap(({ dependsIn }) => dependsIn);
    });
    await clear(work, understood, [FIXED_DATABASE, ...left], closed);
    await inShared(work, async (transaction) => {
      await dropRoles(work, transaction, understood, request);
      await finish(transaction, wanted);
    });
  }
}

function withoutNotice(work: Work, left: string): Work {
  return { ...work, log: { info: (notice, fields) => notice === left ? undefined : work.log.info(notice, fields) } };
}

/**
 * Takes back what all databases share and drops the roles, if nothing else depends on them.
 *
 * @returns whether that was so
 */
async function dropAtOnce(transaction: Transaction, removal: LeavingRoles, roles: ObservedRole[]): Promise<boolean> {
  const changes = [...merged(roles.flatMap(planSharedRemoval)), ...removal.leaving.map(drop)];
  if (await transaction.attempt(() => transaction.apply(changes), [...CANNOT_BE_REVOKED, ...SOMETHING_DEPENDS_ON_IT])) {
    return false;
  }
  await transaction.apply([], ...forgetSteps(removal.leaving.map(({ claim }) => claim)));
  const facts = withoutRoles(removal);
  // No other event changes the registry meanwhile: only where something is left to do, it is read again.
  if (decideAfterRemoval(removal.request.resource, facts).length > 0) {
    await finish(transaction, removal);
  } else {
    await dropIfEmpty(transaction, removal.work, facts);
  }
  return true;
}

/** The facts once the roles are gone. */
function withoutRoles({ facts, leaving }: LeavingRoles): Facts {
  const gone = new Set(leaving.map(({ claim }) => claim.roleOid));
  const forgotten = new Set(leaving.map(({ claim }) => claim));
  return {
    ...facts,
    claims: facts.claims
      .filter(claim => !forgotten.has(claim))
      .map(claim => (gone.has(claim.roleOid) ? { ...claim, roleName: undefined } : claim)),
    roles: new Map([...facts.roles].filter(([, oid]) => !gone.has(oid))),
  };
}

interface LeavingRoles {
  readonly work: Work;
  readonly request: Request;
  readonly leaving: RoleRemoval[];
  /** What there was before. */
  readonly facts: Facts;
}

/** What is left to do once roles are gone. */
async function finish(transaction: Transaction, { work, request }: LeavingRoles): Promise<void> {
  const facts = await readFacts(transaction, true);
  await transaction.apply(decideAfterRemoval(request.resource, facts));
  await dropIfEmpty(transaction, work, facts);
}

async function dropIfEmpty(transaction: Transaction, { lock }: Work, { claims, unreadable }: Facts): Promise<void> {
  if (claims.every(({ roleName }) => roleName === undefined) && unreadable.length === 0) {
    lock.mayBeLast = true;
    await transaction.apply([], ...dropIfUnusedSteps());
  }
}

async function handOver(
  work: Work,
  request: Request,
  facts: Facts,
  { username, successor, decision }: Extract<Removal, { kind: 'handOver' }>,
): Promise<void> {
  const existing = new Set(facts.roles.values());
  const dropped = decision.forget.map(({ roleOid }) => roleOid).filter(oid => !existing.has(oid));
  const sessionsLeft = dropped.length === 0 ? undefined : (await endSessionsOf(work, { removed: dropped })).left;
  if (!decision.forget.some(claim => reportRenamed(work, facts, claim))) {
    work.log.info('handed over', {
      username,
      reason: successor ? `resource ${successor.logicalId} manages it` : 'the role is gone',
    });
  }
  const journal = new Journal();
  const decide = (found: Facts) =>
    handedOver(decideRemove(request.resource, request, found).find(one => one.username === username));
  await orUndo(work, request.resource, journal, () => executeDecision(work, [], decide, journal));
  if (sessionsLeft !== undefined) {
    throw new ProvisionError(sessionsLeft);
  }
}

/** Gives what the roles own to the new owner, if the template names one. */
async function handOverOwned(
  work: Work,
  leaving: RoleRemoval[],
  roles: ObservedRole[],
  onRemoval: OnRemoval,
): Promise<void> {
  if (onRemoval.action !== 'DROP') {
    return;
  }
  // The fixed one first: there is what all databases share.
  const databases = new Set([FIXED_DATABASE, ...roles.flatMap(({ ownsIn }) => ownsIn).sort()]);
  for (const database of databases) {
    await inDatabase(work, database, async (transaction) => {
      const [dependents] = await transaction.read(
        { attempted: 'look for what the roles own' },
        dependencies(namesOf(leaving), { shared: true }),
      );
      for (const { role, owns } of dependents as unknown as Dependent[]) {
        if (owns) {
          await handOverTo(transaction, {
            kind: 'reassignOwned',
            role,
            to: onRemoval.reassignOwnedTo,
            as: [role, onRemoval.reassignOwnedTo],
          });
        }
      }
    });
  }
}

/** Takes back what the roles hold in databases, but not in those that accept no connections. */
async function clear(work: Work, leaving: RoleRemoval[], databases: string[], closed: string[]): Promise<void> {
  for (const database of [...new Set(databases)].sort()) {
    if (closed.includes(database)) {
      work.log.info('not taken back', { database, reason: 'it accepts no connections' });
      continue;
    }
    await inDatabase(work, database, transaction => clearDatabase(work, transaction, leaving)).catch(
      (error: unknown) => {
        // A database that does not let the admin in keeps the role from being dropped, and no more than that.
        if (!(error instanceof ProvisionError && error.cause instanceof ServerError && error.retryUntil === 0)) {
          throw error;
        }
        work.log.info('not taken back', { database, reason: error.message });
        const others = leaving.filter(({ username }) => !hasOtherBytes(username));
        return error.cause.sqlState === UNTRANSLATABLE && others.length > 0 && others.length < leaving.length
          ? clear(work, others, [database], closed)
          : undefined;
      },
    );
  }
}

async function clearDatabase(work: Work, transaction: Transaction, leaving: RoleRemoval[]): Promise<void> {
  const { database } = transaction;
  const state = await readDatabase(transaction, {
    roles: namesOf(leaving),
    schemas: [...new Set(leaving.flatMap(({ previous }) => ownSchemas(database, previous)))],
    everything: true,
  });
  const changes = merged(
    leaving.flatMap(({ username, previous }) => planDatabaseRemoval(database, username, previous, state)),
  );
  // Policies, default privileges and user mappings of its own, memberships it has granted.
  const depending = async () =>
    (
      await transaction.read(
        { attempted: 'look for what depends on the roles' },
        dependencies(namesOf(leaving), { shared: database === FIXED_DATABASE }),
      )
    )[0] as unknown as Dependent[];
  let dependents: Dependent[] = [];
  const atOnce = async () => {
    await transaction.apply(changes);
    dependents = await depending();
  };
  if (await transaction.attempt(atOnce, CANNOT_BE_REVOKED)) {
    await takeBack(work, transaction, changes);
    dependents = await depending();
  }
  for (const { role, owns, mappings } of dependents) {
    if (!owns) {
      if (mappings !== null) {
        work.log.info('dropping user mappings', {
          role,
          servers: mappings,
          database,
          note: 'with what they say about how it signs in there',
        });
      }
      await takeBack(work, transaction, [{ kind: 'dropOwned', role, as: role }]);
    }
  }
}

/** A role on which something in a database depends. */
interface Dependent {
  readonly role: string;
  readonly owns: boolean;
  /** Foreign servers that it has user mappings for. */
  readonly mappings: string | null;
}

async function takeBack(work: Work, transaction: Transaction, changes: Change[]): Promise<void> {
  await applyWhatCan(work, transaction, merged(changes), 'not taken back', CANNOT_BE_REVOKED);
}

function keep(work: Work, request: Request, leaving: RoleRemoval[], reason: string): Promise<void> {
  leaving.forEach(({ username }) => work.log.info('kept', { username, reason }));
  return inShared(work, transaction => transaction.apply([], ...keepSteps(leaving.map(({ claim }) => claim), request)));
}
