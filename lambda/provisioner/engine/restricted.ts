import { type Change, type ChangeOf, rolesOf } from '../core/change';
import type { Facts } from '../core/lifecycle';
import type { DatabaseOwner, Wanted } from '../core/plan-shared';
import { granting } from '../core/privilege-changes';
import { named } from '../core/public-privileges';
import { located } from '../core/public-records';
import { ProvisionError } from '../errors';
import { connectsOnlyThrough, type LockedOutUser, lockedOutUsers } from '../sql/public-privileges';
import { placeOf } from './identities-now';
import type { Transaction } from './transaction';
import { inShared, type Work } from './work';

/** What roles mean for databases in which PUBLIC has no CONNECT any more. Where there is none, nothing is asked. */

function restrictedDatabases(work: Work, { ofPublic, databaseOids }: Facts): string[] {
  const records = located(ofPublic.records, databaseOids, placeOf(work)).filter(({ revoked }) =>
    revoked.includes('CONNECT'),
  );
  return [...new Set(records.flatMap(({ now }) => now ?? []))].sort();
}

/** Roles that lose CONNECT on a database, or a role through which they may have it. */
export function rolesLosingConnect(changes: Change[]): string[] {
  const isLoss = (change: Change) =>
    change.kind === 'revokeRole'
    || (change.kind === 'revoke' && change.on.type === 'DATABASE' && change.privileges.includes('CONNECT'));
  return [...new Set(changes.filter(isLoss).flatMap(rolesOf))].sort();
}

/**
 * Gives the admin CONNECT of its own where it has it only through roles that go, or may lose it. Before they do.
 *
 * @param within the transaction in which they do. @default - one of its own
 * @throws if the admin may not
 */
export async function keepAdminConnected(
  work: Work,
  facts: Facts,
  roles: string[],
  within?: Transaction,
): Promise<void> {
  const databases = restrictedDatabases(work, facts);
  if (databases.length > 0 && roles.length > 0) {
    const keep = (transaction: Transaction) => grantToAdmin(transaction, connectsOnlyThrough(roles, databases), roles);
    await (within === undefined ? inShared(work, keep) : keep(within));
  }
}

async function grantToAdmin(transaction: Transaction, query: string, roles: string[]): Promise<void> {
  const { server: { admin }, view } = transaction;
  const look = async () =>
    (await transaction.read({ attempted: 'look at how the admin connects' }, query))[0] as unknown as DatabaseOwner[];
  const found = await look();
  const grants = found.map(({ database, ...owner }): ChangeOf<'grant'> => ({
    kind: 'grant',
    privileges: ['CONNECT'],
    on: { type: 'DATABASE', database },
    roles: [admin],
    again: true,
    ...granting(owner, 'CONNECT'),
  }));
  const error
    = grants.length === 0 ? undefined : await transaction.attempt(() => transaction.apply(grants), ['01007', '42501']);
  // Not every transport passes on that a statement had no effect.
  const left = error ? found : grants.length === 0 || view !== undefined ? [] : await look();
  if (left.length > 0) {
    throw new ProvisionError(
      `the admin ${JSON.stringify(admin)} has CONNECT on database ${named(left.map(({ database }) => database))} through ${named(roles)} only, and may not grant it to itself, `
      + 'so that it could not connect any more; grant CONNECT to the admin as the owner of the database',
      { cause: error },
    );
  }
}

/** Says which users cannot connect where they have something to do. A plan does not. */
export async function reportLockedOut(work: Work, facts: Facts, converge: Wanted[]): Promise<void> {
  const users = converge.filter(({ declaration: { kind } }) => kind === 'user');
  const databases = restrictedDatabases(work, facts);
  if (databases.length === 0 || users.length === 0) {
    return;
  }
  const declared = users.flatMap(({ role, declaration }) =>
    declaration.databases
      .filter(({ database }) => databases.includes(database))
      .map(({ database }) => ({ role, database })),
  );
  const query = lockedOutUsers(databases, users.map(({ role }) => role), declared);
  const looked = inShared(work, async transaction =>
    transaction.view === undefined
      ? transaction.read({ attempted: 'look for users that cannot connect' }, query)
      : [[]],
  );
  // All else is done by then.
  const [rows] = await looked.catch((error: unknown) => {
    if (!(error instanceof ProvisionError)) {
      throw error;
    }
    work.log.info('not looked for users that cannot connect', { reason: error.message });
    return [[]];
  });
  (rows as unknown as LockedOutUser[]).forEach(({ role, database }) => work.log.info('cannot connect', {
    role, database,
    reason: 'PUBLIC has no CONNECT on the database any more, and the user has none of its own or through a group role',
    remedy: `add Privileges.onDatabase({ database: ${JSON.stringify(database)} }) to its privileges`,
  }));
}
