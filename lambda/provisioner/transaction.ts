import { isDeepStrictEqual } from 'node:util';
import { strongRole } from '../../lib/contract/predefined-roles';
import { Budget, PATIENCE_MS } from './budget';
import { actors, Change, describe, inverse, rolesOf } from './change';
import { Attempt, explain, isConflict } from './database-error';
import { ProvisionError, ServerError } from './errors';
import type { Lock } from './lock';
import { withRetries } from './retry';
import { Row, Session } from './session';
import { ADMIN_PATH_TO_RDS_IAM, standing } from './sql/catalog';
import { Dialect, render, Standing } from './sql/render';
import { BEGIN, COMMIT, NO_SELF_GRANT, RELEASE_SAVEPOINT, ROLLBACK, ROLLBACK_TO_SAVEPOINT, SAVEPOINT, setTimeouts } from './sql/session';
import { RDS_IAM } from './state';
import { Logger } from '../shared/logger';

/** PostgreSQL does not do what was asked and calls it a notice: privileges not revoked or not granted (01006, 01007), a name cut short (42622). */
const NOTICES_THAT_ARE_ERRORS = ['01006', '01007', '42622'];

/** Locks other than the provisioners' own are short, so the transaction gives way early and tries again. */
export const LOCK_TIMEOUT_MS = 10_000;

/** Every statement takes milliseconds, once it has its locks. */
const STATEMENT_TIMEOUT_MS = 15_000;

/** How often is looked at what a statement waits for; and at least once before its lock timeout. */
const WATCH_MS = 500;

/** How long a lock of another session is waited for once there is no time to wait. */
const HURRIED_LOCK_MS = 100;

const LOCK_NOT_AVAILABLE = '55P03';

/** What the statement in front of a commit ends in when the lock is lost. */
const DIVISION_BY_ZERO = '22012';

/** The server ends a statement first. If nothing comes back even so, the network is mute. */
export const ANSWER_MARGIN_MS = 5_000;

/** A Lambda that was frozen or killed must not keep locks for long. */
export const IDLE_TIMEOUT_MS = 30_000;

/** Statements in one message: a thousand users are some thousand statements, and each message is to be answered in time. */
const STATEMENTS_A_MESSAGE = 500;

export interface Server {
  /** The role that is in use. */
  readonly admin: string;
  /** As in server_version_num: 170010 is 17.10. */
  readonly version: number;
  readonly hasRdsIam: boolean;
  /** The group role that is to own what the provisioner keeps, if it is not the admin. */
  readonly registryOwner?: string;
}

/** What a transaction is made with. */
export interface TransactionContext {
  readonly session: Session;
  readonly budget: Budget;
  readonly log: Logger;
  readonly lock: Pick<Lock, 'server' | 'fence' | 'blockersOf' | 'endBlockersOf'>;
}

export interface TransactionOptions {
  /** Milliseconds that a statement waits for a lock of another session. */
  readonly lockMs?: number;
  /** Oids of roles that are being removed: their sessions, and those of roles that may not make roles, are ended when a statement waits for them. */
  readonly endBlockersAmong?: string[];
  /** Told what will have been changed, right before the commit: the answer to it may be lost. */
  readonly committing?: (changes: Change[]) => void;
}

/** What one message is to achieve: a change, or something that is written or read beside. */
export interface Step {
  readonly attempt: Attempt;
  readonly statements: string[];
}

/** The only writer: statements of one transaction, executed one after the other. */
export class Transaction {
  /** What has been changed, in this order. */
  public readonly changes: Change[] = [];
  /** Sent in front of the first statement. */
  private prelude: string[];
  private before?: string[];
  private after?: string[];
  private wrote = false;
  /** What the catalog said of the admin's memberships in roles that it has acted as since. */
  private readonly memberships = new Map<string, unknown>();

  private readonly session: Session;
  private lockMs: number;

  constructor(private readonly context: TransactionContext, private readonly options: TransactionOptions = {}) {
    const { lockMs = LOCK_TIMEOUT_MS } = options;
    this.session = context.session;
    this.lockMs = Math.min(lockMs, context.budget.patience());
    const timeouts = {
      idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: this.lockMs,
    };
    this.prelude = [
      BEGIN,
      setTimeouts(timeouts),
      ...this.server.version >= 160000 ? [NO_SELF_GRANT] : [],
      ADMIN_PATH_TO_RDS_IAM,
    ];
  }

  public get server(): Server {
    return this.context.lock.server;
  }

  public get database(): string {
    return this.session.database;
  }

  /** Whether PostgreSQL says it when it does less than it was told to; otherwise only the catalog does. */
  public get hearsNotices(): boolean {
    return !this.session.isPooled;
  }

  /** Reads, each statement its own rows. */
  public read(attempt: Attempt, ...statements: string[]): Promise<Row[][]> {
    return this.execute(attempt, ...statements);
  }

  /** Executes statements that change no role and no privilege, each with its own rows. */
  public execute(attempt: Attempt, ...statements: string[]): Promise<Row[][]> {
    return this.send(attempt, statements, this.options.endBlockersAmong);
  }

  /** The same; a session that is in the way is ended, unless its role may make roles. */
  public executeEndingBlockers(attempt: Attempt, ...statements: string[]): Promise<Row[][]> {
    return this.send(attempt, statements, this.options.endBlockersAmong ?? []);
  }

  /** From now on the transaction hardly waits for locks of other sessions. */
  public async hurry(): Promise<void> {
    if (this.lockMs > HURRIED_LOCK_MS) {
      await this.execute({ attempted: 'set the lock timeout' }, setTimeouts({ lock_timeout: HURRIED_LOCK_MS }));
      this.lockMs = HURRIED_LOCK_MS;
    }
  }

  private async send(attempt: Attempt, statements: string[], endBlockersAmong: string[] | undefined): Promise<Row[][]> {
    const prelude = this.prelude.splice(0);
    const results = await this.watched(blockers => run(this.session, attempt, [...prelude, ...statements], { blockers }), endBlockersAmong);
    if (prelude.length > 0) {
      this.before = pathIn(results[prelude.length - 1]);
    }
    return results.slice(prelude.length);
  }

  /**
   * Executes changes, and writes beside them, in as few messages as can be. When one fails, they are executed again one by
   * one, so that the error is about the one that it was.
   */
  public async apply(changes: Change[], ...others: Step[]): Promise<void> {
    const dialect = await this.dialectFor(changes);
    const steps = [...changes.map(change => ({ attempt: { attempted: describe(change, this.database), change }, statements: render(change, dialect) })), ...others];
    for (const change of changes) {
      // Whatever a registry says that was copied from another server: the admin is nobody's user.
      if (rolesOf(change).includes(this.server.admin)) {
        throw new ProvisionError(`cannot ${describe(change, this.database)}: it is the admin; remove its row from cdk_aurora_iam_auth.managed_role in database postgres`);
      }
      const strong = change.kind === 'grantRole' ? strongRole(change.group) : undefined;
      this.context.log.info('changing', { change: describe(change, this.database), ...strong ? { strongRole: `its members ${strong.members}` } : {} });
    }
    for (const message of messages(steps)) {
      this.wrote = true;
      await this.sendSteps(message);
    }
    this.changes.push(...changes);
  }

  /** Does something that may fail with one of the SQLSTATEs. If it does, the transaction is as it was before, and the error is returned. */
  public async attempt(work: () => Promise<unknown>, sqlStates: string[]): Promise<ServerError | undefined> {
    const changed = this.changes.length;
    await this.read({ attempted: 'set a savepoint' }, SAVEPOINT.attempt);
    const { wrote, after } = this;
    try {
      await work();
      await this.read({ attempted: 'release the savepoint' }, RELEASE_SAVEPOINT);
      return undefined;
    } catch (error) {
      const { cause } = error as Error;
      if (!(cause instanceof ServerError && sqlStates.includes(cause.sqlState))) {
        throw error;
      }
      await this.read({ attempted: 'return to the savepoint' }, ROLLBACK_TO_SAVEPOINT.attempt, RELEASE_SAVEPOINT);
      this.changes.splice(changed);
      [this.wrote, this.after] = [wrote, after];
      return cause;
    }
  }

  /** @param committing told what will have been changed, right before it is: the answer to a commit may be lost */
  public async commit(committing: (changes: Change[]) => void): Promise<void> {
    if (this.prelude.length > 0) {
      return;
    }
    // Without a membership that was granted here, another session has done it. Up to PostgreSQL 14 every user can, at any time.
    if (!this.before && this.after && this.changes.some(({ kind }) => kind === 'grantRole')) {
      throw new ProvisionError(`this would make the admin a member of ${RDS_IAM} (${this.after.join(' -> ')}), and its password would stop working, so it was undone; `
        + `revoke the membership of ${JSON.stringify(this.after[0])} in ${JSON.stringify(this.after[1])} first`);
    }
    if (this.session.withToken && this.before && this.wrote && !this.after) {
      throw new ProvisionError(`this would end the membership of the admin in ${RDS_IAM} (${this.before.join(' -> ')}), and its tokens would stop working, so it was undone; `
        + `grant ${RDS_IAM} to the admin itself first`);
    }
    await this.refuseOtherMemberships();
    if (this.wrote) {
      committing(this.changes);
    }
    await run(this.session, { attempted: 'commit' }, [this.context.lock.fence, COMMIT]).catch((error: Error) => {
      throw error.cause instanceof ServerError && error.cause.sqlState === DIVISION_BY_ZERO
        ? new ProvisionError("the provisioners' lock was lost before the commit, so nothing was committed; deploy again", { retryUntil: PATIENCE_MS, cause: error })
        : error;
    });
  }

  /** Should this not arrive, the end of the session rolls back as well. */
  public async rollback(): Promise<void> {
    await run(this.session, { attempted: 'roll back' }, [ROLLBACK]).catch(() => undefined);
  }

  /** The session that holds the lock has nothing to do meanwhile: it sees what this one waits for. */
  private async watched<T>(statements: (blockers: () => string[]) => Promise<T>, endBlockersAmong: string[] | undefined): Promise<T> {
    let seen: string[] = [];
    const look = async () => {
      const { context: { lock }, session: { pid } } = this;
      const blockers = await lock.blockersOf(pid);
      seen = blockers.length > 0 ? blockers : seen;
      if (endBlockersAmong && blockers.length > 0) {
        await lock.endBlockersOf(pid, endBlockersAmong);
      }
    };
    let looking = false;
    const timer = setInterval(() => {
      if (!looking) {
        looking = true;
        void look().finally(() => looking = false);
      }
    }, Math.min(WATCH_MS, this.lockMs / 2));
    try {
      return await statements(() => seen);
    } finally {
      clearInterval(timer);
    }
  }

  private async sendSteps(steps: Step[]): Promise<void> {
    const [{ attempt }] = steps;
    const whole = steps.length === 1 ? attempt : { ...attempt, attempted: `${attempt.attempted}, and ${steps.length - 1} more` };
    if (this.prelude.length > 0) {
      await this.read(whole);
    }
    try {
      const results = await this.read(whole, SAVEPOINT.message, ...steps.flatMap(({ statements }) => statements), ADMIN_PATH_TO_RDS_IAM);
      this.after = pathIn(results[results.length - 1]);
    } catch (error) {
      // What is tried again as a whole needs no better reason.
      if (steps.length === 1 || !(error instanceof ProvisionError && error.cause instanceof ServerError && error.retryUntil === 0)) {
        throw error;
      }
      // What is no SQL at all is not executed, the savepoint neither.
      await this.read(whole, ROLLBACK_TO_SAVEPOINT.message).catch(() => {
        throw error;
      });
      for (const step of steps) {
        await this.read(step.attempt, ...step.statements);
      }
      this.after = pathIn((await this.read(whole, ADMIN_PATH_TO_RDS_IAM))[0]);
    }
  }

  private async dialectFor(changes: Change[]): Promise<Dialect> {
    const rows = await this.standing([...new Set(changes.flatMap(actors))]);
    rows.filter(({ role }) => !this.memberships.has(role)).forEach(({ role, rows: before }) => this.memberships.set(role, before));
    return { ...this.server, standing: new Map(rows.map(({ role, held, options }): [string, Standing] => [role, held ? 'held' : options ?? 'none'])) };
  }

  private async standing(roles: string[]): Promise<{ role: string; held: boolean; options: Standing | null; rows: unknown }[]> {
    return roles.length === 0 ? [] : (await this.read({ attempted: 'ask which roles the admin is a member of' }, standing(roles)))[0] as never;
  }

  /** The memberships that it took are gone, and those that it had are as they were. */
  private async refuseOtherMemberships(): Promise<void> {
    const changed = (await this.standing([...this.memberships.keys()])).find(({ role, rows }) => !isDeepStrictEqual(rows, this.memberships.get(role)));
    if (changed) {
      throw new ProvisionError(`the membership of the admin in ${JSON.stringify(changed.role)} would not be what it was, so everything was undone; `
        + 'let another role own what is declared, or grant that role to the admin');
    }
  }
}

/**
 * Runs the work in one transaction. Everything is rolled back when anything fails, and when it would make the admin a member
 * of rds_iam: at the commit its password would stop working. Or its tokens, when it would end that of one that signs in with them. With another session in its way it is done again from its beginning:
 * the provisioners' lock, for which others wait in a queue, is not given away for that.
 */
export function inTransaction<T>(context: TransactionContext, work: (transaction: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  const { budget, log } = context;
  const { committing = () => undefined } = options;
  const once = async () => {
    const transaction = new Transaction(context, options);
    try {
      const result = await work(transaction);
      await transaction.commit(committing);
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  };
  return withRetries(budget, once, (error, delayMs) => log.info('trying again', { reason: error.message, delayMs }), isConflict);
}

/** The changes that take others back, last first. */
export function inverses(changes: Change[]): Change[] {
  return changes.flatMap(change => inverse(change) ?? []).reverse();
}

export interface RunOptions {
  /** Milliseconds after which the connection is given up. */
  readonly answerMs?: number;
  /** What the statements have been seen waiting for, in words. */
  readonly blockers?: () => string[];
}

/** Executes statements in one message and explains what comes back. */
export async function run(session: Session, attempt: Attempt, statements: string[], options: RunOptions = {}): Promise<Row[][]> {
  const { answerMs = STATEMENT_TIMEOUT_MS + ANSWER_MARGIN_MS, blockers = () => [] } = options;
  session.takeNotices();
  let results: Row[][];
  try {
    results = await session.query(statements, answerMs);
  } catch (error) {
    throw explain(error instanceof ServerError && error.sqlState === LOCK_NOT_AVAILABLE
      ? new ServerError(error.message, error.sqlState, { ...error.fields, blockers: blockers() })
      : error, attempt);
  }
  const notice = session.takeNotices().find(({ sqlState }) => NOTICES_THAT_ARE_ERRORS.includes(sqlState));
  if (notice) {
    throw explain(notice, attempt);
  }
  return results;
}

function* messages(steps: Step[]): Generator<Step[]> {
  let message: Step[] = [];
  let statements = 0;
  for (const step of steps) {
    if (statements + step.statements.length > STATEMENTS_A_MESSAGE && message.length > 0) {
      yield message;
      [message, statements] = [[], 0];
    }
    message.push(step);
    statements += step.statements.length;
  }
  if (message.length > 0) {
    yield message;
  }
}

function pathIn(rows: Row[]): string[] | undefined {
  return (rows[0] as { path: string[] } | undefined)?.path;
}
