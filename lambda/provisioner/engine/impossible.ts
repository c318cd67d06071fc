import { type Change, describe, oneByOne, rolesOf } from '../core/change';
import { divide, isRevoke, wasDeclared } from '../core/deployed';
import {
  type Found,
  isTrusted,
  type Names,
  type Place,
  recordsDatabase,
  rolesIn,
  uncertainNames,
} from '../core/identities';
import { type DatabaseState, missingIn } from '../core/plan-database';
import type { Wanted } from '../core/plan-shared';
import { isReset } from '../core/settings';
import { ProvisionError } from '../errors';
import { applyEach } from './best-effort';
import type { Step, Transaction } from './transaction';
import type { Work } from './work';

/** What it is about is gone, or the admin has no right to give it or to take it back. */
const NOT_POSSIBLE = [
  '01006',
  '01007',
  '0LP01',
  '22023',
  '2BP01',
  '3D000',
  '3F000',
  '42501',
  '42703',
  '42704',
  '42883',
  '42P01',
  '55P02',
];

const NAMES_LOGGED = 10;

const GONE
  = 'a deployment has declared it before, so the rest is done: take it out of the app, or create it again and deploy with another reapply';
const UNCERTAIN
  = 'it is not there under the name that was declared; the database was restored or upgraded since, so that it is not known whether it was dropped or renamed';
const NOT_GRANTED
  = 'a deployment has granted it before, so the rest is done: take it out of the app, or let the admin grant it and deploy with another reapply';
const NOT_TAKEN_BACK = 'take it back as the role that owns it; the next event of this resource tries it again';

/**
 * What an event cannot do although it was done before: something is gone, or out of the reach of the admin. It is in
 * the log, and not tried again by this event. The rest is done, so that a rollback always goes through.
 */
export class Impossible {
  /** Roles from which something was not taken back: it stays registered as what may have been granted. */
  public readonly owing = new Set<string>();
  private readonly given = new Set<string>();
  private readonly logged = new Set<string>();

  constructor(private readonly work: Work) {}

  /** What is still to be done in a database. */
  public without({ database }: Transaction, changes: Change[]): Change[] {
    return this.given.size === 0
      ? changes
      : changes.flatMap((change) => {
          const parts = oneByOne(change);
          const rest = parts.filter(part => !this.given.has(keyOf(database, part)));
          return rest.length === parts.length ? [change] : rest;
        });
  }

  /** The same of what an exclusive role has too much: what could not be taken back is for `refuseLeft`. */
  public surplus(transaction: Transaction, changes: Change[]): Change[] {
    return changes.flatMap(change =>
      isRevoke(change) && !isReset(change) ? [change] : this.without(transaction, [change]),
    );
  }

  /** @param steps what is written beside the changes, once it is known what could not be taken back */
  public async apply(
    transaction: Transaction,
    changes: Change[],
    wanted: Wanted[],
    steps: () => Step[] = () => [],
  ): Promise<void> {
    const { required, optional } = divide(changes, transaction.database, wanted);
    if (optional.length === 0) {
      return transaction.apply(changes, ...steps());
    }
    // In the order of a plan, in which they would be taken back as well.
    await this.tryEach(transaction, optional.filter(comesFirst));
    await transaction.apply(required, ...steps());
    await this.tryEach(transaction, optional.filter(change => !comesFirst(change)));
  }

  /** What is left after all changes were made. @returns what should not be */
  public refused(transaction: Transaction, changes: Change[], wanted: Wanted[]): Change[] {
    const { required, optional } = divide(changes, transaction.database, wanted);
    optional
      .flatMap(oneByOne)
      .forEach(change => this.giveUp(transaction, change, 'nothing has changed, without an error'));
    return required;
  }

  /** @throws if something is missing that is declared for the first time */
  public checkMissing(database: string, wanted: Wanted[], state: DatabaseState): void {
    const missing = missingIn(database, wanted, state);
    const first = missing.find(one => !wasDeclared(one, database, wanted));
    if (first !== undefined) {
      throw new ProvisionError(first.problem);
    }
    const gone = new Set(missing.filter(({ kind }) => kind === 'SCHEMA').map(({ schema }) => schema));
    const outermost = missing.filter(({ kind, schema }) => kind === 'SCHEMA' || !gone.has(schema));
    for (const what of new Set(outermost.map(one => one.what))) {
      this.logGone(what, missing.filter(one => one.what === what).map(({ role }) => role));
    }
  }

  /**
   * What was declared before, is not any more and is not there: dropped or renamed, which a record of another server or
   * database does not say.
   */
  public reportUncertain(
    database: string,
    wanted: Wanted[],
    state: DatabaseState & { readonly found: Found },
    place: Place,
  ): void {
    for (const { role, declaration, previous } of wanted) {
      const uncertain = previous.filter(
        earlier => recordsDatabase(earlier, database) && !isTrusted(earlier, database, state.found, place),
      );
      const missing = missingIn(
        database,
        uncertain.map(earlier => ({ role, declaration: earlier, previous: [], deployed: [] })),
        state,
      );
      const declared = new Set(
        missingIn(database, [{ role, declaration, previous: [], deployed: [] }], state).map(({ what }) => what),
      );
      for (const { what } of missing.filter(one => one.kind !== 'OWN SCHEMA' && !declared.has(one.what))) {
        this.logUncertain(role, what);
      }
    }
  }

  /** The same of databases and roles. */
  public reportUncertainNames({ role, declaration, previous }: Wanted, names: Names, place: Place): void {
    const declared = new Set([...rolesIn(declaration), ...declaration.databases.map(({ database }) => database)]);
    for (const { databases, roles } of previous.map(earlier => uncertainNames(earlier, names, place))) {
      databases
        .filter(name => !declared.has(name))
        .forEach(name => this.logUncertain(role, `database ${JSON.stringify(name)}`));
      roles
        .filter(name => !declared.has(name))
        .forEach(name => this.logUncertain(role, `role ${JSON.stringify(name)}`));
    }
  }

  private logUncertain(role: string, what: string): void {
    const key = JSON.stringify([role, what]);
    if (!this.logged.has(key)) {
      this.logged.add(key);
      this.work.log.info('not taken back', {
        role,
        what,
        reason: UNCERTAIN,
        remedy: `if it was renamed, revoke what ${JSON.stringify(role)} has on it`,
      });
    }
  }

  /** A database that is gone, or that no one can connect to. */
  public leaveDatabase(database: string, wanted: Wanted[], exists: boolean): void {
    const roles = wanted.map(({ role }) => role);
    this.logGone(
      exists
        ? `database ${JSON.stringify(database)}, which accepts no connections`
        : `database ${JSON.stringify(database)}`,
      roles,
    );
    if (exists) {
      roles.forEach(role => this.owing.add(role));
    }
  }

  private logGone(what: string, roles: string[]): void {
    if (!this.logged.has(what)) {
      this.logged.add(what);
      this.work.log.info('gone', {
        what,
        names: roles.slice(0, NAMES_LOGGED).join(', '),
        count: roles.length,
        remedy: GONE,
      });
    }
  }

  private async tryEach(transaction: Transaction, changes: Change[]): Promise<void> {
    const failures = await applyEach(transaction, changes, NOT_POSSIBLE);
    failures.forEach(({ change, error }) => this.giveUp(transaction, change, error.message));
  }

  private giveUp({ database }: Transaction, change: Change, reason: string): void {
    this.given.add(keyOf(database, change));
    const revoked = isRevoke(change);
    this.work.log.info(revoked ? 'not taken back' : 'not granted', {
      change: describe(change, database),
      reason,
      remedy: revoked ? NOT_TAKEN_BACK : NOT_GRANTED,
    });
    if (revoked) {
      rolesOf(change).forEach(role => this.owing.add(role));
    }
  }
}

function keyOf(database: string, change: Change): string {
  return JSON.stringify([database, change]);
}

function comesFirst(change: Change): boolean {
  return isRevoke(change) || (change.kind === 'grant' && change.again === true);
}
