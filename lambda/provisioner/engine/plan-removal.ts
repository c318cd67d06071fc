import { type Change, merged } from '../core/change';
import { Journal } from '../core/journal';
import { decideAfterRemoval, decideRemove, type Decision, type Facts, type RoleRemoval } from '../core/lifecycle';
import { planDatabaseRemoval } from '../core/plan-database';
import { forbidLogin, planEndOfMembers, planEndOfTokens, planSharedRemoval } from '../core/plan-shared';
import { handedOver, NOTHING, ownSchemas } from '../core/removal';
import { FIXED_DATABASE } from '../core/state';
import { ProvisionError } from '../errors';
import type { Request } from '../request';
import { owned, ownedCounts } from '../sql/dependencies';
import { GROUPS_OF_RDS_IAM } from '../sql/memberships';
import { executeDecision } from './converge';
import { readDatabase, readFacts, readShared } from './inspect';
import { keepAdminConnected } from './restricted';
import type { Transaction } from './transaction';
import { inDatabase, inShared, type Work } from './work';

/**
 * What the removal of a resource would do, in its order. What it does beside is in the notes: it ends sessions, takes
 * back what else depends on a role, and keeps a role that owns something.
 *
 * @returns what happens to the registry
 */
export async function planRemoval(work: Work, request: Request): Promise<Decision> {
  const facts = await inShared(work, transaction => readFacts(transaction, work.registryExists));
  const removals = decideRemove(request.resource, request, facts);
  const unclear = removals.find(removal => removal.kind === 'unclear');
  if (unclear) {
    throw new ProvisionError(unclear.problem);
  }
  const leaving = removals.filter(removal => removal.kind === 'remove');
  if (leaving.length > 0) {
    await planEnd(work, request, leaving, facts);
  }
  for (const removal of removals) {
    if (removal.kind === 'handOver') {
      await executeDecision(
        work,
        [],
        found =>
          handedOver(decideRemove(request.resource, request, found).find(one => one.username === removal.username)),
        new Journal(),
      );
    } else if (removal.kind === 'leave') {
      work.log.info('nothing to remove', { username: removal.username, reason: removal.reason });
    }
  }
  return {
    ...NOTHING,
    forget: [
      ...leaving.map(({ claim }) => claim),
      ...removals.flatMap(removal => (removal.kind === 'handOver' ? removal.decision.forget : [])),
    ],
  };
}

async function planEnd(
  work: Work,
  { kind, onRemoval, resource }: Request,
  leaving: RoleRemoval[],
  facts: Facts,
): Promise<void> {
  const { closed } = facts;
  const names = leaving.map(({ username }) => username);
  if (onRemoval.action === 'RETAIN') {
    return names.forEach(username =>
      work.log.info('kept', { username, reason: 'it is to be retained, with its login and all it holds' }),
    );
  }
  await keepAdminConnected(work, facts, kind === 'role' ? names : []);
  const roles = await inShared(work, async (transaction) => {
    const { roles: observed, also: [groups] } = await readShared(transaction, names, [], { also: [GROUPS_OF_RDS_IAM] });
    const found = [...observed.values()];
    const ofTokens = new Set(groups.map(({ name }) => name as string));
    await transaction.apply([
      ...merged(found.flatMap(role => planEndOfTokens(role, ofTokens))),
      ...found.flatMap(forbidLogin),
      ...merged(found.flatMap(role => planEndOfMembers(kind, role))),
    ]);
    return found;
  });
  work.log.info('access ends', { count: names.length, note: 'and so do the sessions of these roles' });
  if (onRemoval.action === 'DISABLE') {
    return names.forEach(username =>
      work.log.info('kept', {
        username,
        reason: 'it is to be disabled: it cannot log in any more, and has what it owns and holds',
      }),
    );
  }
  const schemasDropped: string[] = [];
  if (onRemoval.action === 'DROP') {
    for (const database of new Set(roles.flatMap(({ ownsIn }) => ownsIn).sort())) {
      await inDatabase(work, database, transaction =>
        transaction.apply(
          roles
            .filter(({ ownsIn }) => ownsIn.includes(database))
            .map(({ role }): Change => ({
              kind: 'reassignOwned',
              role,
              to: onRemoval.reassignOwnedTo,
              as: [role, onRemoval.reassignOwnedTo],
            })),
        ),
      );
    }
  }
  const clear = (database: string) => inDatabase(work, database, async (transaction) => {
    const schemas = [...new Set(leaving.flatMap(({ previous }) => ownSchemas(database, previous)))];
    const state = await readDatabase(transaction, { roles: names, schemas, everything: true });
    const changes = merged(
      leaving.flatMap(({ username, previous }) => planDatabaseRemoval(database, username, previous, state)),
    );
    const dropped = changes.flatMap(change => change.kind === 'dropSchema' ? [change.role] : []);
    schemasDropped.push(...dropped);
    const left = await ownedBy(transaction, names);
    const depended = left.filter(one => one.depended && one.here === timesIn(dropped, one.role));
    await transaction.apply([
      ...changes,
      ...depended.map(({ role }): Change => ({ kind: 'dropOwned', role, as: role })),
    ]);
  });
  const dependsIn = new Set(roles.flatMap(role => role.dependsIn));
  for (const database of [...dependsIn].filter(one => one !== FIXED_DATABASE).sort()) {
    if (closed.includes(database)) {
      work.log.info('not taken back', { database, reason: 'it accepts no connections' });
    } else {
      await clear(database);
    }
  }
  if (dependsIn.has(FIXED_DATABASE)) {
    await inShared(work, async transaction =>
      transaction.apply(merged([...(await readShared(transaction, names)).roles.values()].flatMap(planSharedRemoval))),
    );
    await clear(FIXED_DATABASE);
  }
  await inShared(work, async (transaction) => {
    const left = [...(await readShared(transaction, names)).roles.values()];
    const owning = (await ownedBy(transaction, names))
      .filter(({ role, everywhere }) => everywhere > timesIn(schemasDropped, role))
      .map(({ role }) => role);
    const dropped = onRemoval.action === 'DROP' ? names : names.filter(name => !owning.includes(name));
    await transaction.apply([
      ...merged(left.flatMap(planSharedRemoval)),
      ...dropped.map((role): Change => ({ kind: 'dropRole', role })),
    ]);
    for (const username of names.filter(name => !dropped.includes(name))) {
      const [[{ owned }]] = await transaction.read(
        { attempted: `look for what ${JSON.stringify(username)} owns` },
        ownedCounts(username),
      );
      work.log.info('kept', {
        username,
        reason: 'it would have no access any more, and is not dropped while it owns something',
        owned: (owned as string | null) ?? undefined,
      });
    }
    await transaction.apply(decideAfterRemoval(resource, await readFacts(transaction, work.registryExists)));
  });
}

interface Owned {
  readonly role: string;
  readonly everywhere: number;
  readonly here: number;
  readonly depended: boolean;
}

async function ownedBy(transaction: Transaction, names: string[]): Promise<Owned[]> {
  const [rows] = await transaction.read({ attempted: 'count what the roles own' }, owned(names));
  return rows as unknown as Owned[];
}

function timesIn(roles: string[], role: string): number {
  return roles.filter(one => one === role).length;
}
