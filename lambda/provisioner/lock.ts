import { Budget, PATIENCE_MS } from './budget';
import { ProvisionError, ServerError } from './errors';
import { checkRegistry } from './registry-check';
import { Open, Row, Session } from './session';
import { SERVER } from './sql/catalog';
import {
  blockers, createLock, DROP_LOCK, DROP_LOCK_WITHOUT_REGISTRY, EARLIER_WAITERS, fence, HeldLock, LOCK_FACTS, LOCK_HOLDERS, LOCK_SCHEMA, revokeOnLock, TAKE_LOCK,
} from './sql/lock-schema';
import { identifier } from './sql/quote';
import { registry, REGISTRY_SCHEMA, REGISTRY_TABLE, RegistryFacts } from './sql/registry';
import { endBlockersOf } from './sql/sessions';
import { BEGIN, BESIDE, COMMIT, ROLLBACK, setTimeouts } from './sql/session';
import { ANSWER_MARGIN_MS, IDLE_TIMEOUT_MS, run, Server } from './transaction';

/** The database that every server has: where the lock and the registry are. */
export const FIXED_DATABASE = 'postgres';

/** After so long a look at who has the lock; the first one soon, should it be a session that has to be ended. */
const TURN_MS = { first: PATIENCE_MS / 10, others: PATIENCE_MS * 0.45 };

/** While the session that holds the lock is idle, it must not be taken for a dead one. */
const STAY_AWAKE_MS = 10_000;
const ANSWER_MS = 5_000;

/** A role that can use the schema can keep it from being dropped. An empty one that stays does no harm. */
const DROP_MS = 1_000;

const TAKING = { attempted: "take the provisioners' lock" };
const CREATING = { attempted: `create schema ${LOCK_SCHEMA}, which is the provisioners' lock`, needs: `CREATE on database ${FIXED_DATABASE}` };

const isState = (error: unknown, ...sqlStates: string[]) =>
  error instanceof ProvisionError && error.cause instanceof ServerError && sqlStates.includes(error.cause.sqlState);

/** The lock while it is held: in a transaction that does nothing else and is rolled back. */
export class Lock {
  /** Whether there may be no registry any more, or none yet: then nothing is managed on this server, and the schema goes with the lock. */
  public mayBeLast: boolean;
  /** To be executed right before a commit. */
  public readonly fence: string;
  /** One statement at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly session: Session, public readonly server: Server, public readonly registry: RegistryFacts, held: HeldLock) {
    this.fence = fence(held);
    this.mayBeLast = !registry.exists;
  }

  /** What a process waits for just now, in words. Empty if that is nothing, or cannot be told. */
  public async blockersOf(pid: number | undefined): Promise<string[]> {
    const rows = pid === undefined ? [] : await this.beside(blockers(pid));
    return rows.map(({ blocker }) => blocker as string);
  }

  /** Ends the sessions that a process waits for just now, as far as they are of these roles, or of any that may not make roles. */
  public async endBlockersOf(pid: number | undefined, roleOids: string[]): Promise<void> {
    if (pid !== undefined) {
      await this.beside(endBlockersOf(pid, roleOids));
    }
  }

  public stayAwake(): Promise<unknown> {
    return this.beside('SELECT 1');
  }

  public async release(): Promise<void> {
    if (this.mayBeLast) {
      await this.turn;
      const timeout = setTimeouts({ lock_timeout: DROP_MS });
      await this.session.query([timeout, DROP_LOCK_WITHOUT_REGISTRY, COMMIT], ANSWER_MS).catch(() => undefined);
    }
  }

  /** A statement that fails ends the transaction, and the lock with it, unless there is a savepoint to return to. */
  private beside(statement: string): Promise<Row[]> {
    const attempt = async () => {
      const [, rows] = await this.session.query([BESIDE.begin, statement, BESIDE.end], ANSWER_MS);
      return rows;
    };
    const undo = async () => {
      await this.session.query([BESIDE.undo, BESIDE.end], ANSWER_MS).catch(() => undefined);
      return [];
    };
    const rows = this.turn.then(() => attempt().catch(undo));
    this.turn = rows;
    return rows;
  }
}

/**
 * Does work while no other provisioner works on this server. Roles are shared by all its databases, and a transaction sees only one of them; so the
 * lock is held by a session of its own, across all of them. It ends with that session, also with that of a Lambda that was frozen. A commit of
 * work whose lock was lost fails.
 *
 * @param owner of the schema that is the lock; the admin itself if there is none
 */
export async function withLock<T>(open: Open, owner: string | undefined, budget: Budget, work: (lock: Lock) => Promise<T>): Promise<T> {
  const session = await open(FIXED_DATABASE);
  try {
    const lock = await takeLock(session, owner, budget);
    const timer = setInterval(() => void lock.stayAwake(), STAY_AWAKE_MS);
    try {
      return await work(lock);
    } finally {
      clearInterval(timer);
      await lock.release();
    }
  } finally {
    await session.close();
  }
}

interface Holder {
  readonly who: unknown;
  readonly since: number;
}

/**
 * Taken before anything is read that is decided upon. Many wait for it when a stack has many users: as long as it goes from one
 * to the next, each waits for its turn, in the order of their arrival. CloudFormation takes back an event that it has cancelled by
 * another one, and does not wait for the end of the first. A failure says who holds the lock: that is the session to end.
 */
async function takeLock(session: Session, owner: string | undefined, budget: Budget): Promise<Lock> {
  const made: Made = { schema: false };
  try {
    return await waitForLock(session, owner, budget, made);
  } catch (error) {
    if (made.schema) {
      await session.query([BEGIN, setTimeouts({ lock_timeout: DROP_MS }), DROP_LOCK, COMMIT], ANSWER_MS).catch(() => undefined);
    }
    throw error;
  }
}

/** What is taken back should the lock not be had in the end. */
interface Made {
  schema: boolean;
}

async function waitForLock(session: Session, owner: string | undefined, budget: Budget, made: Made): Promise<Lock> {
  for (let holder: Holder | undefined; ;) {
    const begin = budget.elapsed();
    if (budget.work() <= ANSWER_MS) {
      throw new ProvisionError(`cannot ${TAKING.attempted}: others were let through, or the lock had to be put in order, until the time of the provisioner was up; deploy again`);
    }
    try {
      const lock = await tryToTake(session, owner, Math.min(budget.work(), holder ? TURN_MS.others : TURN_MS.first));
      budget.excuse(budget.elapsed() - begin);
      if (lock) {
        return lock;
      }
    } catch (error) {
      await run(session, { attempted: "give the provisioners' lock back" }, [ROLLBACK]).catch(() => undefined);
      if (isState(error, '3F000')) {
        // The first provisioner of a server makes it, or another one was the last and has dropped it.
        made.schema = await create(session, owner);
      } else if (isState(error, '42501')) {
        throw await reasonOf(session, owner, error);
      } else if (isState(error, '55P03')) {
        holder = await lookAtHolder(session, budget, begin, holder, error as ProvisionError);
      } else {
        throw error;
      }
    }
  }
}

/** @returns nothing if others come first, or the lock had to be put in order */
async function tryToTake(session: Session, owner: string | undefined, turn: number): Promise<Lock | undefined> {
  const timeouts = { lock_timeout: turn, statement_timeout: turn + ANSWER_MARGIN_MS, idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS };
  const statements = [BEGIN, setTimeouts(timeouts), TAKE_LOCK, EARLIER_WAITERS, LOCK_FACTS, SERVER, registry(owner)];
  const results = await run(session, TAKING, statements, { answerMs: turn + 2 * ANSWER_MARGIN_MS });
  const [[{ earlier }], [facts], [found], [registryFound]] = results.slice(-4);
  const server: Server = { ...found as unknown as Server, registryOwner: owner };
  const registryFacts = registryFound as unknown as RegistryFacts;
  if (earlier !== 0) {
    await run(session, { attempted: "let others have the provisioners' lock first" }, [ROLLBACK]);
    return undefined;
  }
  checkRegistry(registryFacts, server.admin);
  const grantees = facts.grantees as string[];
  if (facts.owner !== (owner ?? server.admin)) {
    throw notOurs(facts.owner as string, owner ?? server.admin);
  }
  if (grantees.length > 0) {
    await run(session, { attempted: `revoke what default privileges have granted on schema ${LOCK_SCHEMA}` }, [...revokeOnLock(grantees), COMMIT]);
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

async function lookAtHolder(session: Session, budget: Budget, begin: number, before: Holder | undefined, error: ProvisionError): Promise<Holder> {
  const [[{ holders, who }]] = await run(session, { attempted: "ask who holds the provisioners' lock" }, [LOCK_HOLDERS]);
  const isSame = before !== undefined && who === before.who;
  if (!isSame) {
    budget.excuse(before ? budget.elapsed() - begin : 0);
  }
  const holder = isSame ? before : { who, since: begin };
  if ((holders !== null && budget.elapsed() - holder.since >= PATIENCE_MS) || budget.work() < TURN_MS.others) {
    throw new ProvisionError(`${error.message}; it is held by ${holders as string ?? 'a session that has ended by now'}`, { retryUntil: error.retryUntil, cause: error });
  }
  return holder;
}

/** Why the admin may not take the lock. */
async function reasonOf(session: Session, owner: string | undefined, cause: unknown): Promise<ProvisionError> {
  const admin = await refuseRegistry(session, owner);
  const [[facts]] = await run(session, TAKING, [LOCK_FACTS]);
  return notOurs(facts.owner as string, owner ?? admin, cause);
}

/** What is wrong with the registry, or with its owner, is the better reason. @returns the admin */
async function refuseRegistry(session: Session, owner: string | undefined): Promise<string> {
  const [[server], [found]] = await run(session, TAKING, [SERVER, registry(owner)]);
  checkRegistry(found as unknown as RegistryFacts, server.admin as string);
  return server.admin as string;
}

/** Members of its owner could take the lock as well. */
function notOurs(owner: string, wanted: string, cause?: unknown): ProvisionError {
  const [found, ours] = [owner, wanted].map(name => JSON.stringify(name));
  return new ProvisionError(`cannot ${TAKING.attempted}: schema ${LOCK_SCHEMA} in database ${FIXED_DATABASE} belongs to ${found} and not to ${ours}; `
    + `drop it if it is not of this library; if ${found} is a group role that the admin is a member of, name it as registryOwner; `
    + `if it was the admin before, ALTER SCHEMA ${LOCK_SCHEMA} OWNER TO ${identifier(wanted)}, and the same for SCHEMA ${REGISTRY_SCHEMA} and TABLE ${REGISTRY_TABLE}`, { cause });
}
