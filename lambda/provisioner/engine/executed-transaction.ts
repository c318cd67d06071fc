import { isDeepStrictEqual } from 'node:util';
import { strongRole } from '../../../lib/contract/predefined-roles';
import type { Logger } from '../../shared/logger';
import { type Budget, PATIENCE_MS } from '../budget';
import { actors, type Change, describe } from '../core/change';
import { FIXED_DATABASE, RDS_IAM, type Server } from '../core/state';
import { ProvisionError, ServerError } from '../errors';
import type { Attempt } from '../remedies/server';
import { ADMIN_PATH_TO_RDS_IAM, adminMemberships } from '../sql/memberships';
import { type Dialect, render, type AdminMembership } from '../sql/render';
import type { Row } from '../sql/row';
import { NO_SELF_GRANT, RELEASE_SAVEPOINT, ROLLBACK_TO_SAVEPOINT, SAVEPOINT, setTimeouts } from '../sql/session';
import { commit, rollback, run, STATEMENT_TIMEOUT_MS } from '../transport/run';
import { query, type Session, type Statement } from '../transport/session';
import { namedIn, refuseOtherBytes } from './encoding';
import type { LockInUse } from './lock';
import {
  refuseAdmin,
  type AdminMembershipRow,
  adminMembershipOf,
  type Step,
  type Transaction,
  type TransactionOptions,
} from './transaction';

/** Locks other than the provisioners' own are short, so the transaction gives way early and tries again. */
export const LOCK_TIMEOUT_MS = 10_000;

/** How often is looked at what a statement waits for. */
const WATCH_MS = 500;

/** Looks before its lock timeout, however short that is. */
const LOOKS_AT_LEAST = 3;

/** How long a lock of another session is waited for once there is no time to wait. */
const HURRIED_LOCK_MS = 100;

/** What the statement in front of a commit ends in when the lock is lost. */
const DIVISION_BY_ZERO = '22012';

/** A Lambda that was frozen or killed must not keep locks for long. */
export const IDLE_TIMEOUT_MS = 30_000;

/** The place of the admin's path to rds_iam among the results of the prelude. */
const PATH_IN_PRELUDE = 1;

/**
 * Statements in one message: a thousand users are some thousand statements, and each message is to be answered in time.
 */
const STATEMENTS_PER_MESSAGE = 500;

/** What a transaction is made with. */
export interface TransactionContext {
  readonly session: Session;
  readonly budget: Budget;
  readonly log: Logger;
  readonly lock: LockInUse;
}

interface Message {
  readonly attempt: Attempt;
  readonly statements: Statement[];
  readonly endBlockersAmong: string[] | undefined;
}

/** The only writer: statements of one transaction, executed one after the other. */
export class ExecutedTransaction implements Transaction {
  public readonly changes: Change[] = [];
  /** Sent in front of the first statement. */
  private prelude: Statement[];
  /** Sent in front of the next one: nothing that a message of its own is worth. */
  private pending: string[] = [];
  /** Changes that are made with the next message. */
  private unsent: Step[] = [];
  private before?: string[];
  private after?: string[];
  private wrote = false;
  /** Whether there may be something to commit: anything but queries has been executed. */
  private hasExecuted = false;
  /** What the catalog said of the admin's memberships in roles that it has acted as since. */
  private readonly memberships = new Map<string, unknown>();

  private readonly session: Session;
  private lockMs: number;

  constructor(private readonly context: TransactionContext, private readonly options: TransactionOptions = {}) {
    const { lockMs = LOCK_TIMEOUT_MS } = options;
    this.session = context.session;
    this.lockMs = Math.min(lockMs, context.budget.waitLimitMs());
    const timeouts = {
      idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: this.lockMs,
    };
    this.prelude = [
      setTimeouts(timeouts),
      query(ADMIN_PATH_TO_RDS_IAM),
      ...this.server.version >= 160000 ? [NO_SELF_GRANT] : [],
    ];
    this.session.begin();
  }

  public get server(): Server {
    return this.context.lock.server;
  }

  public get database(): string {
    return this.session.database;
  }

  public read(attempt: Attempt, ...queries: string[]): Promise<Row[][]> {
    return this.execute(attempt, ...queries.map(query));
  }

  public execute(attempt: Attempt, ...statements: Statement[]): Promise<Row[][]> {
    return this.send(attempt, statements, this.options.endBlockersAmong);
  }

  public executeEndingBlockers(attempt: Attempt, ...statements: Statement[]): Promise<Row[][]> {
    return this.send(attempt, statements, this.options.endBlockersAmong ?? []);
  }

  public async hurry(): Promise<void> {
    if (this.lockMs > HURRIED_LOCK_MS) {
      await this.execute({ attempted: 'set the lock timeout' }, setTimeouts({ lock_timeout: HURRIED_LOCK_MS }));
      this.lockMs = HURRIED_LOCK_MS;
    }
  }

  /** Sends the changes that are not sent yet. */
  private async flush(): Promise<void> {
    if (this.unsent.length > 0) {
      await this.sendSteps(this.unsent.splice(0), {
        attempt: { attempted: '' },
        statements: [],
        endBlockersAmong: this.options.endBlockersAmong,
      });
    }
  }

  /** Together with the changes that are not sent yet. */
  private send(attempt: Attempt, statements: Statement[], endBlockersAmong: string[] | undefined): Promise<Row[][]> {
    return this.unsent.length > 0
      ? this.sendSteps(this.unsent.splice(0), { attempt, statements, endBlockersAmong })
      : this.sendAlone({ attempt, statements, endBlockersAmong });
  }

  private async sendAlone({ attempt, statements, endBlockersAmong }: Message): Promise<Row[][]> {
    const first = [...this.prelude, ...this.pending];
    const isFirst = this.prelude.length > 0;
    this.prelude = [];
    this.pending = [];
    this.hasExecuted ||= statements.some(statement => typeof statement === 'string');
    const results = await this.watched(
      blockers => run(this.session, attempt, [...first, ...statements], { blockers }),
      endBlockersAmong,
    );
    if (isFirst) {
      this.before = pathIn(results[PATH_IN_PRELUDE]);
    }
    return results.slice(first.length);
  }

  /**
   * In as few messages as can be: with the next one that is sent for something else. When one fails, they are made
   * again one by one, so that the error is about the one that it was.
   */
  public async apply(changes: Change[], ...others: Step[]): Promise<void> {
    await refuseOtherBytes(this, changes.flatMap(namedIn));
    const dialect = await this.dialectFor(changes);
    const steps = [
      ...changes.map(change => ({
        attempt: { attempted: describe(change, this.database), change },
        statements: render(change, dialect),
      })),
      ...others,
    ];
    refuseAdmin(changes, this.database, this.server);
    for (const change of changes) {
      const strong = change.kind === 'grantRole' ? strongRole(change.group) : undefined;
      this.context.log.info('changing', {
        change: describe(change, this.database),
        ...(strong ? { strongRole: `its members ${strong.members}` } : {}),
      });
    }
    for (const step of steps) {
      if (countOf(this.unsent) + step.statements.length > STATEMENTS_PER_MESSAGE) {
        await this.flush();
      }
      this.unsent.push(step);
    }
    this.changes.push(...changes);
  }

  public async attempt(work: () => Promise<unknown>, sqlStates: string[]): Promise<ServerError | undefined> {
    await this.flush();
    const changed = this.changes.length;
    const { wrote, after } = this;
    this.pending.push(SAVEPOINT.attempt);
    try {
      await work();
      await this.flush();
      this.pending.push(RELEASE_SAVEPOINT);
      return undefined;
    } catch (error) {
      const { cause } = error as Error;
      if (!(cause instanceof ServerError && sqlStates.includes(cause.sqlState))) {
        throw error;
      }
      this.unsent = [];
      this.pending.push(ROLLBACK_TO_SAVEPOINT.attempt, RELEASE_SAVEPOINT);
      this.changes.splice(changed);
      [this.wrote, this.after] = [wrote, after];
      return cause;
    }
  }

  public async commit(): Promise<void> {
    if (this.unsent.length > 0 && !this.isGuarded) {
      return this.sendAndCommit();
    }
    await this.flush();
    if (!this.hasExecuted) {
      // A session in another database is closed now, which ends the transaction as well.
      return this.database === FIXED_DATABASE ? this.rollback() : undefined;
    }
    // Without a membership that was granted here, another session has done it. Up to PostgreSQL 14 every user can, at
    // any time.
    if (!this.before && this.after && this.changes.some(({ kind }) => kind === 'grantRole')) {
      throw new ProvisionError(
        `this would make the admin a member of ${RDS_IAM} (${this.after.join(' -> ')}), and its password would stop working, so it was undone; `
        + `revoke the membership of ${JSON.stringify(this.after[0])} in ${JSON.stringify(this.after[1])} first`,
        { mayBeOutdated: true },
      );
    }
    if (this.session.withToken && this.before && this.wrote && !this.after) {
      throw new ProvisionError(
        `this would end the membership of the admin in ${RDS_IAM} (${this.before.join(' -> ')}), and its tokens would stop working, so it was undone; `
        + `grant ${RDS_IAM} to the admin itself first`,
      );
    }
    await this.refuseOtherMemberships();
    if (this.wrote) {
      this.options.committing?.([...this.changes]);
    }
    await commit(this.session, [...this.pending, this.context.lock.fence]).catch((error: Error) => {
      throw isLockLost(error) ? lockLost(error) : error;
    });
  }

  /** Whether anything has to be looked at before the commit. */
  private get isGuarded(): boolean {
    return this.session.withToken || this.memberships.size > 0 || this.changes.some(({ kind }) => kind === 'grantRole');
  }

  /** In one message. */
  private async sendAndCommit(): Promise<void> {
    const steps = this.unsent.splice(0);
    const statements = [
      ...this.prelude,
      ...this.pending,
      SAVEPOINT.message,
      ...steps.flatMap(step => step.statements),
      this.context.lock.fence,
    ];
    const isFirst = this.prelude.length > 0;
    this.prelude = [];
    this.pending = [];
    this.hasExecuted = true;
    const retract = this.options.committing?.([...this.changes]);
    try {
      await this.watched(
        blockers => commit(this.session, statements, { attempt: wholeOf(steps), blockers }),
        this.options.endBlockersAmong,
      );
    } catch (error) {
      if ((error as Error).cause instanceof ServerError) {
        retract?.();
      }
      if (isLockLost(error)) {
        throw lockLost(error as Error);
      }
      await this.sendOneByOne(steps, error, isFirst);
      await this.commit();
    }
  }

  public rollback(): Promise<void> {
    return rollback(this.session);
  }

  /** The session that holds the lock has nothing to do meanwhile: it sees what this one waits for. */
  private async watched<T>(
    statements: (blockers: () => Promise<string[]>) => Promise<T>,
    endBlockersAmong: string[] | undefined,
  ): Promise<T> {
    let seen: string[] = [];
    const look = async () => {
      const { context: { lock }, session: { pid } } = this;
      const blockers = await lock.blockersOf(pid);
      seen = blockers.length > 0 ? blockers : seen;
      if (endBlockersAmong && blockers.length > 0) {
        await lock.endBlockersOf(pid, endBlockersAmong);
      }
    };
    let looking: Promise<void> | undefined;
    const timer = setInterval(() => {
      looking ??= look().finally(() => looking = undefined);
    }, Math.min(WATCH_MS, this.lockMs / (LOOKS_AT_LEAST + 1)));
    try {
      // On a server that is short of time, what was seen of the wait may arrive after its end.
      return await statements(() => Promise.resolve(looking).then(() => seen));
    } finally {
      clearInterval(timer);
    }
  }

  private async sendSteps(steps: Step[], then: Message): Promise<Row[][]> {
    const statements = steps.flatMap(step => step.statements);
    const isFirst = this.prelude.length > 0;
    this.wrote = true;
    try {
      const results = await this.sendAlone({
        attempt: wholeOf(steps),
        statements: [SAVEPOINT.message, ...statements, query(ADMIN_PATH_TO_RDS_IAM), ...then.statements],
        endBlockersAmong: then.endBlockersAmong,
      });
      this.after = pathIn(results[statements.length + 1]);
      return results.slice(statements.length + 2);
    } catch (error) {
      if (steps.length + then.statements.length === 1) {
        throw error;
      }
      await this.sendOneByOne(steps, error, isFirst);
      return then.statements.length > 0 ? this.sendAlone(then) : [];
    }
  }

  /**
   * After all of it at once has failed, so that the error is about the one that it was.
   *
   * @param isFirst whether nothing was sent before
   */
  private async sendOneByOne(steps: Step[], error: unknown, isFirst: boolean): Promise<void> {
    // What is tried again as a whole needs no better reason.
    if (!(error instanceof ProvisionError && error.cause instanceof ServerError && error.retryUntil === 0)) {
      throw error;
    }
    const { endBlockersAmong } = this.options;
    const attempt = wholeOf(steps);
    const path = query(ADMIN_PATH_TO_RDS_IAM);
    // What is no SQL at all is not executed, the savepoint neither.
    const [, before] = await this.sendAlone({
      attempt,
      statements: [ROLLBACK_TO_SAVEPOINT.message, path],
      endBlockersAmong,
    }).catch(() => {
      throw error;
    });
    if (isFirst) {
      this.before = pathIn(before);
    }
    this.wrote = true;
    for (const step of steps) {
      await this.sendAlone({ ...step, endBlockersAmong });
    }
    this.after = pathIn((await this.sendAlone({ attempt, statements: [path], endBlockersAmong }))[0]);
  }

  private async dialectFor(changes: Change[]): Promise<Dialect> {
    const rows = await this.adminMemberships([...new Set(changes.flatMap(actors))]);
    rows
      .filter(({ role }) => !this.memberships.has(role))
      .forEach(({ role, rows: before }) => this.memberships.set(role, before));
    return {
      ...this.server,
      adminMemberships: new Map(rows.map((row): [string, AdminMembership] => [row.role, adminMembershipOf(row)])),
    };
  }

  private async adminMemberships(roles: string[]): Promise<AdminMembershipRow[]> {
    return roles.length === 0
      ? []
      : ((
          await this.read({ attempted: 'ask which roles the admin is a member of' }, adminMemberships(roles))
        )[0] as never);
  }

  /** The memberships that it took are gone, and those that it had are as they were. */
  private async refuseOtherMemberships(): Promise<void> {
    const changed = (await this.adminMemberships([...this.memberships.keys()])).find(
      ({ role, rows }) => !isDeepStrictEqual(rows, this.memberships.get(role)),
    );
    if (changed) {
      throw new ProvisionError(
        `the membership of the admin in ${JSON.stringify(changed.role)} would not be what it was, so everything was undone; `
        + 'let another role own what is declared, or grant that role to the admin',
        { mayBeOutdated: true },
      );
    }
  }
}

function countOf(steps: Step[]): number {
  return steps.reduce((sum, { statements }) => sum + statements.length, 0);
}

function wholeOf(steps: Step[]): Attempt {
  const [{ attempt }] = steps;
  return steps.length === 1 ? attempt : { ...attempt, attempted: `${attempt.attempted}, and ${steps.length - 1} more` };
}

function isLockLost(error: unknown): boolean {
  const { cause } = error as Error;
  return cause instanceof ServerError && cause.sqlState === DIVISION_BY_ZERO;
}

function lockLost(cause: Error): ProvisionError {
  return new ProvisionError(
    "the provisioners' lock was lost before the commit, so nothing was committed; deploy again",
    { retryUntil: PATIENCE_MS, cause },
  );
}

function pathIn(rows: Row[]): string[] | undefined {
  return (rows[0] as { path: string[] } | undefined)?.path;
}
