import { applyWhatCan } from './best-effort';
import { Change } from './change';
import { readFacts } from './inspect';
import { Journal } from './journal';
import { dropIfUnused, renameSteps, restoreSteps } from './registry';
import { Owner, sameResource } from './state';
import { inverses, Transaction } from './transaction';
import { inDatabase, inShared, Work } from './work';

/** It is not there any more, or somebody else uses it by now: what is left gives nobody access. */
const NOT_TO_BE_UNDONE = ['01006', '01007', '0LP01', '2BP01', '3D000', '3F000', '42501', '42704', '42710', '42883', '42P01', '42P06'];

/**
 * Takes back what a failed event has committed, last first: a failed deployment leaves the database as it was. The framework
 * never sends the Delete that follows a failed Create.
 */
export async function undo(work: Work, me: Owner, journal: Journal): Promise<void> {
  for (const { database, changes } of journal.backwards) {
    await inDatabase(work, database, transaction => applyWhatCan(work, transaction, inverses(changes), 'not undone', NOT_TO_BE_UNDONE));
  }
  if (work.registryExists) {
    await inShared(work, transaction => restoreRegistry(transaction, me, journal));
  }
}

/** As far as the roles are there: one that could not be dropped stays on record. */
async function restoreRegistry(transaction: Transaction, me: Owner, journal: Journal): Promise<void> {
  const renames = journal.backwards.flatMap(({ changes }) => inverses(changes)).filter((change): change is Change => change.kind === 'renameRole');
  const facts = await readFacts(transaction, true);
  await transaction.apply([], ...renameSteps(facts, renames));
  const now = await readFacts(transaction, true);
  const kept = now.claims.filter(claim => sameResource(claim, me) && claim.roleName !== undefined && !journal.claims.some(({ roleOid }) => roleOid === claim.roleOid));
  await transaction.apply([], ...restoreSteps(me, now, [...journal.claims, ...kept]));
  await dropIfUnused(transaction);
}
