import { type Change, describe, inverses, oneByOne, PUBLIC, rolesOf } from '../core/change';
import type { Journal } from '../core/journal';
import type { Facts } from '../core/lifecycle';
import { temporaryName } from '../core/role-names';
import { FIXED_DATABASE, type ManagingResource, sameResource } from '../core/state';
import { ProvisionError } from '../errors';
import { NO_ROLE } from '../sql/registry-rows';
import { withLogin } from '../sql/logins';
import { applyWhatCan } from './best-effort';
import { type EndReason, endSessionsOf } from './end-sessions';
import { readFacts } from './inspect';
import { dropIfUnusedSteps, forgetSteps, publicSteps, registryExists, renameSteps, restoreSteps } from './registry';
import type { Step, Transaction } from './transaction';
import { inDatabase, inShared, lookAtShared, type Work } from './work';

/** It is not there any more, or others use it by now: what is left gives no access. */
const NOT_TO_BE_UNDONE = [
  '01006',
  '01007',
  '0LP01',
  '2BP01',
  '3D000',
  '3F000',
  '42501',
  '42704',
  '42710',
  '42883',
  '42P01',
  '42P06',
];

const UNDONE: EndReason = { roles: 'roles whose login was undone', again: 'deploy again' };

/**
 * Takes back what a failed event has committed, last first: a failed deployment leaves the database as it was. The
 * framework never sends the Delete that follows a failed Create.
 *
 * Others may have worked on the server since. So only roles are touched that are still registered for the stack under
 * these names: of what was about to be committed, it is not known whether it was, and another stack may have the name
 * by now.
 */
export async function undo(work: Work, self: ManagingResource, journal: Journal): Promise<void> {
  const facts = await inShared(work, async transaction => readFacts(transaction, await registryExists(transaction)));
  const { databases, closed } = facts;
  // What the admin has been granted again stays.
  const roles = new Map([...rolesOnRecord(facts, self), [work.lock.server.admin, NO_ROLE]]);
  let complete = true;
  for (const { database, changes } of journal.backwards) {
    if (!databases.includes(database)) {
      work.log.info('not undone', {
        database,
        reason: closed.includes(database) ? 'it accepts no connections' : 'it is gone',
      });
      complete &&= !closed.includes(database);
      continue;
    }
    const isKnown = (change: Change) => rolesOf(change).every(role => roles.has(role));
    const ours = inverses(changes).flatMap(change => isKnown(change) ? [change] : oneByOne(change)).filter((change) => {
      if (!isKnown(change)) {
        work.log.info('not undone', {
          change: describe(change, database),
          reason: 'no role of that name is registered for the stack',
        });
      }
      return isKnown(change);
    });
    const undone = await inDatabase(work, database, async transaction =>
      applyWhatCan(
        work,
        transaction,
        database === FIXED_DATABASE ? await aroundTakenNames(transaction, ours, roles) : ours,
        'not undone',
        NOT_TO_BE_UNDONE,
      ),
    );
    complete &&= undone;
    await endSessionsSince(work, changes, facts, self);
  }
  work.lock.mayBeLast = true;
  await inShared(work, transaction => restoreRegistry(transaction, self, journal, complete));
}

/** What fails for good is taken back before another event gets the lock, as long as the session is well. */
export async function orUndo<T>(
  work: Work,
  self: ManagingResource,
  journal: Journal,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const retried = error instanceof ProvisionError && error.retryUntil > 0;
    if (!retried && !journal.isEmpty) {
      work.log.info('undoing', { reason: (error as Error).message });
      await undo(work, self, journal).then(() => journal.clear(), () => undefined);
    }
    throw error;
  }
}

/**
 * Ends sessions of roles that could sign in since the commit, and cannot any more. What is left of them keeps nothing
 * else from being taken back.
 */
async function endSessionsSince(
  work: Work,
  changes: Change[],
  { claims }: Facts,
  self: ManagingResource,
): Promise<void> {
  const names = new Set(changes.flatMap(change => change.kind === 'allowLogin' ? [change.role] : []));
  const oids = claims
    .filter(({ stackId, roleName, username }) => stackId === self.stackId && names.has(roleName ?? username))
    .map(({ roleOid }) => roleOid);
  if (oids.length === 0) {
    return;
  }
  const [rows] = await lookAtShared(work, reader =>
    reader.read({ attempted: 'look for roles that can log in' }, withLogin(oids)),
  );
  const { left } = await endSessionsOf(work, {
    removed: oids.filter(oid => !rows.some(row => row.oid === oid)),
    reason: UNDONE,
  });
  if (left !== undefined) {
    work.log.info('access not ended', { reason: left });
  }
}

/** Oid by name, of the roles that are registered for the stack; PUBLIC is one, where the resource is about it. */
function rolesOnRecord({ claims, ofPublic }: Facts, self: ManagingResource): Map<string, string> {
  return new Map([
    ...claims.flatMap(({ stackId, roleName, roleOid }): [string, string][] =>
      stackId === self.stackId && roleName !== undefined ? [[roleName, roleOid]] : [],
    ),
    ...ofPublic.records
      .filter(one => sameResource(one, self) && one.stackId === self.stackId)
      .map((): [string, string] => [PUBLIC, NO_ROLE]),
  ]);
}

/** A role whose name another one has got meanwhile waits for it, as in any deployment that renames several. */
async function aroundTakenNames(
  transaction: Transaction,
  changes: Change[],
  roles: Map<string, string>,
): Promise<Change[]> {
  const { roles: taken } = await readFacts(
    transaction,
    false,
    changes.flatMap(change => (change.kind === 'renameRole' ? [change.to] : [])),
  );
  const names = new Set(taken.keys());
  return changes.flatMap((change): Change[] => {
    if (change.kind !== 'renameRole') {
      rolesOf(change).forEach(role => change.kind === 'dropRole' && names.delete(role));
      return [change];
    }
    const to = names.has(change.to) ? temporaryName(roles.get(change.role)!) : change.to;
    names.delete(change.role);
    names.add(to);
    return to === change.role ? [] : [{ ...change, to }];
  });
}

/**
 * A role that could not be dropped stays registered, and so does one that was taken over and has kept some of what it
 * was granted.
 */
async function restoreRegistry(
  transaction: Transaction,
  self: ManagingResource,
  journal: Journal,
  complete: boolean,
): Promise<void> {
  if (!await registryExists(transaction)) {
    return;
  }
  const renames = journal.backwards
    .flatMap(({ changes }) => inverses(changes))
    .filter((change): change is Change => change.kind === 'renameRole');
  await transaction.apply([], ...renameSteps(await readFacts(transaction, true), renames));
  const now = await readFacts(transaction, true);
  const created = new Set(
    journal.backwards
      .flatMap(({ changes }) => changes)
      .flatMap(change => (change.kind === 'createRole' ? [change.role] : [])),
  );
  const kept = now.claims.filter(
    claim =>
      sameResource(claim, self)
      && claim.roleName !== undefined
      && (!complete || created.has(claim.username))
      && !journal.claims.some(({ roleOid }) => roleOid === claim.roleOid),
  );
  await transaction.apply(
    [],
    ...restoreSteps(self, now, [...journal.claims, ...kept], complete),
    ...(complete ? restorePublicSteps(self, now, journal) : []),
    ...dropIfUnusedSteps(),
  );
}

/** What was registered of PUBLIC, and of stacks whose rows were taken over. */
function restorePublicSteps(self: ManagingResource, { ofPublic }: Facts, { publicRecords }: Journal): Step[] {
  const now = ofPublic.records.filter(one => sameResource(one, self));
  return [
    ...forgetSteps(now.map(({ stack, logicalId }) => ({ roleOid: NO_ROLE, stack, logicalId }))),
    ...(now.length === 0
      ? []
      : publicSteps(publicRecords.filter(one => [one.database, one.now].includes(now[0].database)))),
  ];
}
