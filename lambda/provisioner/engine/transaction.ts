import { type Change, describe, rolesOf } from '../core/change';
import type { Server } from '../core/state';
import { ProvisionError, type ServerError } from '../errors';
import type { Attempt } from '../remedies/server';
import type { AdminMembership } from '../sql/render';
import type { Row } from '../sql/row';
import type { Statement } from '../transport/session';
import type { Reader } from './reader';

/** What is done in one database. */
export interface Transaction extends Reader {
  /** What has been changed, in this order. */
  readonly changes: Change[];
  /** Executes statements that change no role and no privilege. */
  execute(attempt: Attempt, ...statements: Statement[]): Promise<Row[][]>;
  /** The same; a session that is in the way is ended, unless its role may make roles. */
  executeEndingBlockers(attempt: Attempt, ...statements: Statement[]): Promise<Row[][]>;
  /** From now on the transaction hardly waits for locks of other sessions. */
  hurry(): Promise<void>;
  /** Makes changes, and writes beside them. */
  apply(changes: Change[], ...others: Step[]): Promise<void>;
  /**
   * Does something that may fail with one of the SQLSTATEs. If it does, the transaction is as it was before, and the
   * error is returned.
   */
  attempt(work: () => Promise<unknown>, sqlStates: string[]): Promise<ServerError | undefined>;
}

export interface TransactionOptions {
  /** Milliseconds that a statement waits for a lock of another session. */
  readonly lockMs?: number;
  /**
   * Oids of roles that are being removed: their sessions, and those of roles that may not make roles, are ended when a
   * statement waits for them.
   */
  readonly endBlockersAmong?: string[];
  /** Whether it is done again when another session is in the way. @default true */
  readonly triedAgain?: boolean;
  /**
   * Told what will have been changed, right before the commit: the answer to it may be lost. What it returns is called
   * where nothing was committed.
   */
  readonly committing?: (changes: Change[]) => () => void;
}

/** What one message is to achieve: a change, or something that is written or read beside. */
export interface Step {
  readonly attempt: Attempt;
  readonly statements: string[];
}

/** A row of `adminMemberships()`. */
export interface AdminMembershipRow {
  readonly role: string;
  readonly held: boolean;
  readonly settable: boolean;
  readonly options: AdminMembership | null;
  /** All the catalog says of the admin's memberships in it. */
  readonly rows: unknown;
}

export function adminMembershipOf({ held, settable, options }: AdminMembershipRow): AdminMembership {
  return held ? 'held' : options ?? (settable ? 'set' : 'none');
}

/**
 * Whatever a registry says that was copied from another server: the admin is no user of a resource. What it has already
 * may be granted to it again.
 */
export function refuseAdmin(changes: Change[], database: string, { admin }: Server): void {
  const change = changes.find(one => rolesOf(one).includes(admin) && !(one.kind === 'grant' && one.again));
  if (change) {
    throw new ProvisionError(
      `cannot ${describe(change, database)}: it is the admin; remove its row from cdk_aurora_iam_auth.managed_role in database postgres`,
    );
  }
}
