import { isDeepStrictEqual } from 'node:util';
import { type Change, describe, oneByOne, rolesOf } from '../core/change';
import { groupedBy } from '../core/grouped-by';
import type { Decision } from '../core/lifecycle';
import type { Beside } from '../core/plan-database';
import { type Claim, sameResource } from '../core/state';
import { ProvisionError, ServerError } from '../errors';
import { statementOf } from '../sql/render';
import { applyWhatCan } from './best-effort';
import type { Transaction } from './transaction';
import type { Work } from './work';

/** The admin has no right to take it back, or it is gone. */
const NOT_TAKEN_BACK = ['01006', '01007', '0LP01', '2BP01', '3F000', '42501', '42703', '42704', '42883', '42P01'];

/** Listed in a reason, which has 4,096 bytes; all of them are in the log. */
const LISTED = 3;

/** Takes from exclusive roles what is not declared, as far as the admin can. What is left is for `refuseLeft`. */
export async function takeSurplus(work: Work, transaction: Transaction, changes: Change[]): Promise<void> {
  await applyWhatCan(work, transaction, changes, 'not taken back', NOT_TAKEN_BACK);
}

/**
 * The roles that are declared now exactly as a completed event has declared them. An event that rolls a deployment back
 * declares them so, and must not fail over what others have granted meanwhile: for these roles that is in the log
 * alone. So are roles of other resources, which an event changes on the way.
 *
 * @param before the registry before the first attempt of the event
 */
export function declaredBefore({ converge, record }: Decision, before: Claim[]): ReadonlySet<string> {
  const registrations = groupedBy(record, ({ username }) => username);
  const claims = groupedBy(before, ({ username }) => username);
  return new Set(converge.map(({ role }) => role).filter((role) => {
    const [registration] = registrations.get(role) ?? [];
    const declared = registration?.supersedes === 'any name' ? before : claims.get(role) ?? [];
    return registration === undefined || declared.some(claim => !claim.released && sameResource(claim, registration)
      && claim.deployed.some(declaration => isDeepStrictEqual(declaration, registration.declaration)));
  }));
}

/**
 * Exclusive roles have what is declared and nothing else: what gives access and could not be taken back fails the
 * deployment, with the SQL that takes it back.
 *
 * @param left what is still to be taken back
 * @param beside what PostgreSQL knows of the roles and no statement here is for
 */
export function refuseLeft(
  { log }: Work,
  { database, server }: Transaction,
  left: Change[],
  beside: Beside[],
  tolerated: ReadonlySet<string>,
): void {
  const dialect = { ...server, adminMemberships: new Map() };
  const unknown = beside
    .filter(({ kind }) => kind === 'privileges')
    .map(({ role, what }) => ({
      role,
      what: `privileges on ${what} in database ${JSON.stringify(database)}`,
      sql: 'REVOKE, as its owner',
    }));
  const known = left
    .filter(({ kind }) => kind.startsWith('revoke'))
    .flatMap(oneByOne)
    .map(change => ({
      role: rolesOf(change)[0],
      what: describe(change, database).replace(/^revoke /, ''),
      sql: `${statementOf(change, dialect)}, as ${revoker(change)}`,
    }));
  const all = [...known, ...unknown];
  all.forEach(({ role, what, sql }) =>
    log.info('left to an exclusive role', { role, what, sql, failed: !tolerated.has(role) }),
  );
  const refused = all.filter(({ role }) => !tolerated.has(role));
  if (refused.length > 0) {
    const more = refused.length - LISTED;
    throw new ProvisionError(
      `${JSON.stringify(refused[0].role)} is exclusive, and the admin cannot take back what others have granted: `
      + refused
        .slice(0, LISTED)
        .map(({ what, sql }) => `${what} (${sql})`)
        .join('; ')
        + `${more > 0 ? `; and ${more} more, which the log of the provisioner lists` : ''}. Execute this SQL as that role, declare what is to stay, or leave exclusive out; then deploy again`,
    );
  }
}

/** A database that does not let the admin in, where nothing but privileges of others is to be taken back. */
export function leaveDatabase(
  { log }: Work,
  database: string,
  roles: string[],
  error: Error,
  tolerated: ReadonlySet<string>,
): void {
  const refused = error instanceof ProvisionError && error.cause instanceof ServerError && error.retryUntil === 0;
  if (!refused || !roles.every(role => tolerated.has(role))) {
    throw error;
  }
  log.info('not compared', { database, reason: error.message });
}

/** What gives no access by itself, or is the role's own, is in the log. */
export function reportBeside({ log }: Work, database: string, beside: Beside[]): void {
  const texts = {
    policy: 'a row-level security policy applies to it',
    owned: 'it owns objects',
    other: 'an extension names it in its initial privileges',
  };
  for (const [kind, reason] of Object.entries(texts)) {
    for (const { role, what } of beside.filter(one => one.kind === kind).slice(0, MAX_REPORTED)) {
      log.info('exclusive role', { role, database, reason, what: kind === 'owned' ? `${what} objects` : what });
    }
  }
}

/** Lines of one kind; a log is read by people. */
const MAX_REPORTED = 20;

function revoker(change: Change): string {
  const { as, grantor } = change as { readonly as?: string; readonly grantor?: string };
  const role = grantor ?? as;
  return role === undefined ? 'the superuser that granted it' : JSON.stringify(role);
}
