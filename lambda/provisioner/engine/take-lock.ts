import type { Logger } from '../../shared/logger';
import { type Budget, PATIENCE_MS } from '../budget';
import { FIXED_DATABASE, type Server } from '../core/state';
import { ProvisionError, ServerError } from '../errors';
import { limitOf } from '../remedies/server';
import { SERVER } from '../sql/catalog';
import {
  createLock, DROP_LOCK, type HeldLock, LOCK_FACTS, LOCK_HOLDERS, LOCK_SCHEMA, MAY_WAIT, revokeOnLock, TAKE_LOCK,
} from '../sql/lock-schema';
import { identifier } from '../sql/quote';
import { registry, REGISTRY_SCHEMA, REGISTRY_TABLE, type RegistryFacts } from '../sql/registry';
import { setTimeouts } from '../sql/session';
import { ANSWER_MARGIN_MS, commit, rollback, run } from '../transport/run';
import { type Open, query, type Session } from '../transport/session';
import { IDLE_TIMEOUT_MS } from './executed-transaction';
import { Lock } from './lock';
import { checkRegistry } from './registry-check';

/** After so long a look at who has the lock. It is taken at least three times before its holder counts as dead. */
const LOOK_MS = { first: PATIENCE_MS / 10, others: PATIENCE_MS * 0.3 };

/**
 * How long others are left alone: it doubles each time. An event is at work for some 200 ms, so that to come back at
 * once to a crowd costs them all more than it gains; where there was no connection to look with, it is the longest.
 */
const PAUSE_MS = { shortest: 500, crowded: 2_000, longest: 4_000 };

/** A role that can use the schema can keep it from being dropped. An empty one that stays does no harm. */
const DROP_MS = 1_000;
const ANSWER_MS = 5_000;

const CROWDED = 'cannot take the provisioners\' lock: more provisioners wait for it than connections are free';

const TAKING = { attempted: "take the provisioners' lock" };
const CREATING = {
  attempted: `create schema ${LOCK_SCHEMA}, which is the provisioners' lock`,
  needs: `CREATE on database ${FIXED_DATABASE}`,
};

const isState = (error: unknown, ...sqlStates: string[]) =>
  error instanceof ProvisionError && error.cause instanceof ServerError && sqlStates.includes(error.cause.sqlState);

/** There is no connection for it just now: of the role, the database or the server. */
const isRefused = (error: unknown) => isState(error, '53300');

/** The same, or the server is about to start or to stop. */
const isFull = (error: unknown) => isRefused(error) || isState(error, '57P03');

export interface TakeLockOptions {
  readonly open: Open;
  /** Of the schema that is the lock; the admin itself if there is none. */
  readonly owner: string | undefined;
  readonly budget: Budget;
  readonly log: Logger;
}

/**
 * Waits until no other provisioner works on this server, and keeps others from it. Roles are shared by all its
 * databases, and a transaction sees only one of them; so the lock is held by a session of its own, across all of them.
 * It ends with that session, also with that of a Lambda that was frozen. Taken before anything is read that is decided
 * upon.
 *
 * Many wait when a stack has many users. As long as turns are taken, each waits for its own until there is hardly time
 * left. Those that keep a connection meanwhile leave twice as many free: the event that has the turn needs more than
 * one, and so do the applications, and events that come to look.
 */
export async function takeLock({ open, owner, budget, log }: TakeLockOptions): Promise<Lock> {
  const turns = new Turns(budget, log);
  for (let pause = PAUSE_MS.shortest; ; pause = Math.min(PAUSE_MS.longest, 2 * pause)) {
    const reason = await open(FIXED_DATABASE).then(
      session => takeIn(session, owner, turns),
      (error: ProvisionError) => {
        if (!isFull(error)) {
          throw error;
        }
        turns.assumeTaken(error);
        // Those who come back soon after a refusal meet each other, and those who close their connections after a look.
        pause = isRefused(error) ? PAUSE_MS.longest : pause;
        return error.message;
      },
    );
    if (reason instanceof Lock) {
      return reason;
    }
    pause = reason === CROWDED ? Math.max(pause, PAUSE_MS.crowded) : pause;
    const delayMs = Math.ceil(pause * (0.5 + Math.random() / 2));
    log.info('trying again', { reason, delayMs });
    await budget.sleep(delayMs);
  }
}

/** What is seen of those who have the lock before. */
class Turns {
  private who?: unknown;
  /** Why there was no connection. The first reason that says whose limit it was is kept. */
  private full?: ProvisionError;
  /** When it was last seen to go from one to the next, or its holder to be at work. */
  private since: number;

  constructor(private readonly budget: Budget, private readonly log: Logger) {
    this.since = budget.elapsedMs();
  }

  /** Milliseconds to wait until the next look. */
  public get untilLook(): number {
    return Math.max(
      1,
      Math.min(this.who === undefined ? LOOK_MS.first : LOOK_MS.others, this.budget.remainingToBeginMs()),
    );
  }

  /**
   * The turn has come, or a session that is not seen has it: no sign that something is wrong.
   *
   * @param cause why it is not known who
   */
  public assumeTaken(cause?: ProvisionError): void {
    if (cause && limitOf(this.full?.cause) === undefined) {
      this.full = cause;
    }
    if (cause && this.full && this.budget.remainingToBeginMs() <= 0) {
      throw new ProvisionError(this.full.message, { cause: this.full });
    }
    this.budget.discountMs(this.budget.elapsedMs() - this.since);
    this.since = this.budget.elapsedMs();
  }

  /** @param cause of the reason, if there is nothing to wait for any more */
  public async look(session: Session, cause: ProvisionError): Promise<void> {
    const [[{ holders, who }]] = await run(session, { attempted: "ask who holds the provisioners' lock" }, [
      query(LOCK_HOLDERS),
    ]);
    if (this.who !== undefined && who !== this.who) {
      this.assumeTaken();
    }
    this.who = who;
    const isDead = holders !== null && this.budget.elapsedMs() - this.since >= PATIENCE_MS;
    if (isDead || this.budget.remainingToBeginMs() <= 0) {
      throw new ProvisionError(
        `${cause.message}; it is held by ${(holders as string) ?? 'a session that has ended by now'}`,
        { retryUntil: cause.retryUntil, cause },
      );
    }
    this.log.info('waiting', {
      reason: `the provisioners' lock is held by ${(holders as string) ?? 'no session any more'}`,
    });
  }
}

/**
 * Takes the lock in a session, or closes it.
 *
 * @returns the reason to wait without a session, if there is one
 */
async function takeIn(session: Session, owner: string | undefined, turns: Turns): Promise<Lock | string> {
  let hasMadeSchema = false;
  try {
    for (;;) {
      session.begin();
      try {
        const lock = await tryToTake(session, owner, turns.untilLook);
        if (lock) {
          turns.assumeTaken();
          return lock;
        }
      } catch (error) {
        await rollback(session);
        if (isState(error, '22012')) {
          await turns.look(session, new ProvisionError(CROWDED, { retryUntil: PATIENCE_MS }));
          await session.close();
          return CROWDED;
        } else if (isState(error, '55P03')) {
          await turns.look(session, error as ProvisionError);
        } else if (isState(error, '3F000')) {
          // The first provisioner of a server makes it, or another one was the last and has dropped it.
          hasMadeSchema = await create(session, owner);
        } else {
          throw isState(error, '42501') ? await reasonOf(session, owner, error) : error;
        }
      }
    }
  } catch (error) {
    await rollback(session);
    if (hasMadeSchema) {
      await session.execute([setTimeouts({ lock_timeout: DROP_MS }), DROP_LOCK], ANSWER_MS).catch(() => undefined);
    }
    await session.close();
    throw error;
  }
}

/** @returns nothing if the lock had to be put in order */
async function tryToTake(session: Session, owner: string | undefined, untilLook: number): Promise<Lock | undefined> {
  const timeouts = {
    lock_timeout: untilLook,
    statement_timeout: untilLook + ANSWER_MARGIN_MS,
    idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS,
  };
  const statements = [setTimeouts(timeouts), MAY_WAIT, TAKE_LOCK, ...[LOCK_FACTS, SERVER, registry(owner)].map(query)];
  const results = await run(session, TAKING, statements, { answerMs: untilLook + 2 * ANSWER_MARGIN_MS });
  const [[facts], [found], [registryFound]] = results.slice(-3);
  const server: Server = { ...found as unknown as Server, registryOwner: owner };
  const registryFacts = registryFound as unknown as RegistryFacts;
  checkRegistry(registryFacts, server.admin);
  const grantees = facts.grantees as string[];
  if (facts.owner !== (owner ?? server.admin)) {
    throw notOurs(facts.owner as string, owner ?? server.admin);
  }
  if (grantees.length > 0) {
    await run(
      session,
      { attempted: `revoke what default privileges have granted on schema ${LOCK_SCHEMA}` },
      revokeOnLock(grantees),
    );
    await commit(session);
    return undefined;
  }
  return new Lock(session, server, registryFacts, facts as unknown as HeldLock);
}

/** @returns whether it was made; another provisioner may have been faster */
async function create(session: Session, owner: string | undefined): Promise<boolean> {
  try {
    await run(session, CREATING, [createLock(owner)]);
    return true;
  } catch (error) {
    if (isState(error, '23505', '42P06')) {
      return false;
    }
    await refuseRegistry(session, owner);
    throw error;
  }
}

/** Why the admin may not take the lock. */
async function reasonOf(session: Session, owner: string | undefined, cause: unknown): Promise<ProvisionError> {
  const admin = await refuseRegistry(session, owner);
  const [[facts]] = await run(session, TAKING, [query(LOCK_FACTS)]);
  return notOurs(facts.owner as string, owner ?? admin, cause);
}

/** What is wrong with the registry, or with its owner, is the better reason. @returns the admin */
async function refuseRegistry(session: Session, owner: string | undefined): Promise<string> {
  const [[server], [found]] = await run(session, TAKING, [SERVER, registry(owner)].map(query));
  checkRegistry(found as unknown as RegistryFacts, server.admin as string);
  return server.admin as string;
}

/** Members of its owner could take the lock as well. */
function notOurs(owner: string, wanted: string, cause?: unknown): ProvisionError {
  const [found, ours] = [owner, wanted].map(name => JSON.stringify(name));
  return new ProvisionError(
    `cannot ${TAKING.attempted}: schema ${LOCK_SCHEMA} in database ${FIXED_DATABASE} belongs to ${found} and not to ${ours}; `
    + `drop it if it is not of this library; if ${found} is a group role that the admin is a member of, name it as registryOwner; `
    + `if it was the admin before, ALTER SCHEMA ${LOCK_SCHEMA} OWNER TO ${identifier(wanted)}, and the same for SCHEMA ${REGISTRY_SCHEMA} and TABLE ${REGISTRY_TABLE}`,
    { cause },
  );
}
