import { type ChangeOf, describe } from '../core/change';
import type { Facts } from '../core/lifecycle';
import { sameResource } from '../core/state';
import { ProvisionError } from '../errors';
import { explain } from '../remedies/server';
import { obstaclesTo } from '../sql/new-owner';
import type { Row } from '../sql/row';
import type { Request } from '../request';
import type { Transaction } from './transaction';
import type { Work } from './work';

/** Who gets what these roles own, once they are removed. */
export interface Succession {
  readonly roles: string[];
  readonly newOwner: string;
}

export function successionOf({ usernames, onRemoval }: Request): Succession | undefined {
  return onRemoval.action === 'DROP' ? { roles: usernames, newOwner: onRemoval.reassignOwnedTo } : undefined;
}

/**
 * What a removal would fail over is said when the new owner is declared. A resource that was deployed before is
 * deployed even so: it may be rolled back.
 */
export function checkNewOwner(
  { log }: Work,
  { resource, usernames }: Request,
  { newOwner }: Succession,
  { roles, claims }: Facts,
): void {
  const problem = `role ${JSON.stringify(newOwner)} does not exist, which is to get what ${usernames
    .map(name => JSON.stringify(name))
    .slice(0, LISTED)
    .join(', ')} owns`;
  const remedy = 'create the role before this deployment, or correct its name';
  if (roles.has(newOwner)) {
    return;
  }
  if (!claims.some(claim => sameResource(claim, resource) && claim.deployed.length > 0)) {
    throw new ProvisionError(`${problem}; ${remedy}`);
  }
  log.info('new owner', { newOwner, reason: problem, remedy });
}

/**
 * The query and what happens to its answer: which privileges to create something the roles have and the new owner has
 * not.
 */
export function obstaclesAhead({ roles, newOwner }: Succession): string {
  return obstaclesTo(newOwner, roles, { mayCreate: true });
}

export function reportObstacles({ log }: Work, database: string, { newOwner }: Succession, rows: Row[]): void {
  if (rows.length > 0) {
    const reason
      = 'a removal hands over what the role owns by then, and fails over this: tables need none of it, functions and schemas do';
    log.info('new owner', { newOwner, database, reason, remedy: adviceOf(rows) });
  }
}

/** Hands over what a role owns in a database. */
export async function handOverTo(transaction: Transaction, change: ChangeOf<'reassignOwned'>): Promise<void> {
  const { role, to } = change;
  const refused = await transaction.attempt(() => transaction.apply([change]), ['42501']);
  if (refused) {
    const [rows] = await transaction.read(
      { attempted: `look for what ${JSON.stringify(to)} needs to own it` },
      obstaclesTo(to, [role], { mayCreate: false }),
    );
    throw explain(refused, {
      attempted: describe(change, transaction.database),
      change,
      advice: rows.length > 0 ? adviceOf(rows) : undefined,
    });
  }
}

/** A reason has 4,096 bytes. */
const LISTED = 10;

function adviceOf(rows: Row[]): string {
  const statements = rows.flatMap(({ sql }) => sql as string | null ?? []);
  const others = rows.flatMap(({ superusers }) => superusers as string | null ?? []);
  const list = (items: string[], separator: string) =>
    [...items.slice(0, LISTED), ...items.length > LISTED ? [`${items.length - LISTED} more`] : []].join(separator);
  return [
    ...statements.length > 0 ? [`as a role that may: ${list(statements, '; ')}`] : [],
    ...others.length > 0 ? [`only a superuser may own this, so drop it or let one own it: ${list(others, ', ')}`] : [],
  ].join('. And ');
}
