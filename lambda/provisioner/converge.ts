import { Change, describe } from './change';
import { explain } from './database-error';
import { ProvisionError, ServerError } from './errors';
import { declaredBefore, leaveDatabase, refuseLeft, reportBeside, takeSurplus } from './exclusive';
import { readDatabase, readFacts, readShared, Shared } from './inspect';
import { Journal } from './journal';
import { Decision, Facts } from './lifecycle';
import { refuseMemberships } from './memberships';
import { planShared, Wanted, withoutExclusive } from './plan';
import { inSchemas, planDatabase, problemIn, schemasOf } from './plan-database';
import { bringUpToDate, createSteps, dropIfUnused, forgetSteps, notOnRecord, recordSteps, renameSteps } from './registry';
import { FIXED_DATABASE } from './lock';
import { objectCount, passwordMembers, pathToRdsIam } from './sql/catalog';
import { literal } from './sql/quote';
import { RDS_IAM } from './state';
import { Transaction } from './transaction';
import { inDatabase, Work } from './work';

/**
 * Makes a decision true.
 *
 * What all databases of the server share takes one transaction, and each database one of its own. With no more than the shared
 * part it is all or nothing. Otherwise roles come first, without access; then the databases; then memberships and the login, so that
 * nobody can log in before everything else is committed. What has been committed is in the journal, should the rest fail.
 *
 * @returns the facts it was decided upon
 */
export async function carryOut(work: Work, names: string[], decide: (facts: Facts) => Decision, journal: Journal): Promise<Facts> {
  const { facts, decision, databases, settled } = await journaled(work, journal, FIXED_DATABASE, async (transaction) => {
    const facts = await readFacts(transaction, work.registryExists, names);
    await bringUpToDate(transaction, work.lock.registry, facts, work.log);
    journal.remember(facts.claims);
    const decision = decide(facts);
    decision.adopted.forEach(role => work.log.info('adopting', {
      role, note: 'it is managed from now on; a password that it may have stops working, because a member of rds_iam signs in with a token only',
    }));
    if (!decision.converge.some(hasParts)) {
      const { changes } = decision;
      const renames = changes.some(({ kind }) => kind === 'renameRole');
      if (renames) {
        await transaction.apply(changes, ...renameSteps(facts, changes));
      }
      await converge(work, transaction, facts, decision, declaredBefore(decision, journal.claims), renames ? undefined : rolesCreated(changes));
      return { facts, decision, databases: [], settled: true };
    }
    return { facts, decision, ...await prepare(work, transaction, facts, decision) };
  });
  const tolerated = declaredBefore(decision, journal.claims);
  for (const database of databases) {
    await journaled(work, journal, database, transaction => convergeDatabase(work, transaction, decision.converge, othersOnRecord(facts, decision), tolerated)).catch((error: Error) => {
      if (isDeclared(decision.converge, database)) {
        throw error;
      }
      leaveDatabase(work, database, exclusiveOf(decision.converge), error, tolerated);
    });
  }
  if (!settled) {
    await journaled(work, journal, FIXED_DATABASE, transaction => converge({ ...work, registryExists: true }, transaction, facts, decision, tolerated));
  }
  if (decision.record.length > 0) {
    work.lock.mayBeLast = false;
  }
  return facts;
}

/** Roles that exist under the right names, on record; whether they have all that is shared already; and the databases to go to. */
async function prepare(work: Work, transaction: Transaction, facts: Facts, decision: Decision): Promise<{ databases: string[]; settled: boolean }> {
  const { changes, converge, forget } = decision;
  const news = notOnRecord(facts, decision);
  const unchanged = changes.length + news.length + forget.length === 0;
  if (!unchanged) {
    await transaction.apply(changes, ...renameSteps(facts, changes), ...registrySteps(work, news), ...recordSteps('under way', facts, news));
  }
  const created = rolesCreated(changes);
  const existing = converge.map(({ role }) => role).filter(role => !created.has(role));
  const shared = existing.length > 0 ? await readShared(transaction, existing, databasesOf(converge), { exclusive: exclusiveOf(converge) }) : undefined;
  return {
    databases: visits(converge, facts, shared),
    settled: unchanged && shared !== undefined && planShared(converge, shared.roles, shared.owners).length === 0,
  };
}

/** Whether there is more to it than what all databases share. */
function hasParts({ declaration, previous }: Wanted): boolean {
  return [declaration, ...previous].some(({ exclusive, databases }) => exclusive || databases.some(({ schemas }) => schemas.length > 0));
}

/** Whether something is declared in a database, or was. */
function isDeclared(converge: Wanted[], database: string): boolean {
  return converge.some(({ declaration, previous }) => [declaration, ...previous].some(({ databases }) => databases.some(one => one.database === database && one.schemas.length > 0)));
}

/** Databases in which something is declared, or was; for an exclusive role also those in which it has anything at all. */
function visits(converge: Wanted[], facts: Facts, shared: Shared | undefined): string[] {
  const withSchemas = (declarations: Wanted['previous']) => declarations.flatMap(({ databases }) => databases.filter(({ schemas }) => schemas.length > 0).map(({ database }) => database));
  const wanted = converge.flatMap(({ declaration }) => withSchemas([declaration]));
  const others = converge.flatMap(({ role, declaration, previous }) => [
    ...withSchemas(previous),
    ...declaration.exclusive ? shared?.roles.get(role)?.dependsIn ?? [] : [],
  ]).filter(database => facts.databases.includes(database));
  return [...new Set([...wanted, ...others])].sort();
}

/**
 * @param tolerated roles whose deployment must not fail over what others have granted
 * @param absent roles that are not there yet, and need not be looked for
 */
async function converge(work: Work, transaction: Transaction, facts: Facts, decision: Decision, tolerated: ReadonlySet<string>, absent: ReadonlySet<string> = new Set()): Promise<void> {
  const { converge: wanted, forget } = decision;
  const roles = wanted.map(({ role }) => role);
  const groups = [...new Set(wanted.flatMap(({ declaration: { memberOf } }) => memberOf))];
  const read = (names: string[]) => readShared(transaction, names, databasesOf(wanted), { exclusive: exclusiveOf(wanted), groups });
  const news = notOnRecord(facts, decision);
  const before = await read(roles.filter(role => !absent.has(role)));
  const changes = planShared(withoutExclusive(wanted), before.roles, before.owners);
  const steps = [...news.length > 0 ? registrySteps(work, news) : [], ...forgetSteps(forget), ...recordSteps('done', facts, news)];
  await refusePasswordMembers(transaction, changes, before);
  if (changes.length + steps.length > 0) {
    await transaction.apply(changes, ...steps);
  }
  let after = changes.length > 0 ? await read(roles) : before;
  refuseRemaining(planShared(withoutExclusive(wanted), after.roles, after.owners), transaction);
  const surplus = planShared(wanted, after.roles, after.owners);
  if (surplus.length > 0) {
    await takeSurplus(work, transaction, surplus);
    after = await read(roles);
    refuseLeft(work, transaction, planShared(wanted, after.roles, after.owners), [], tolerated);
  }
  refuseMemberships(work, wanted, after, changes, tolerated);
  for (const { role, declaration: { kind, memberOf } } of wanted) {
    if (kind === 'role' && memberOf.length > 0) {
      await refuseGroupOfIamUsers(transaction, role);
    }
  }
  if (forget.length > 0) {
    work.lock.mayBeLast = true;
    await dropIfUnused(transaction);
  }
}

/** Applications create tables all the time, also between two looks at the catalog. */
const LOOKS = 4;

/**
 * @param others roles that are not this event's, with what they declare
 * @param tolerated roles whose deployment must not fail over what others have granted
 */
async function convergeDatabase(work: Work, transaction: Transaction, wanted: Wanted[], others: Wanted[], tolerated: ReadonlySet<string>): Promise<void> {
  const { database } = transaction;
  const question = {
    schemas: schemasOf(database, wanted),
    everything: wanted.some(({ declaration }) => declaration.exclusive),
  };
  // A schema that was dropped and comes back, as when an update is rolled back, has lost what others had in it.
  const bereft: Wanted[] = [];
  if (wanted.length > 1) {
    await refuseTooMany(transaction, wanted, question.schemas);
  }
  for (let look = 1, taken = false; ; look++) {
    const state = await readDatabase(transaction, { ...question, roles: [...wanted, ...bereft].map(({ role }) => role) });
    const problem = problemIn(database, wanted, state);
    if (problem !== undefined) {
      throw new ProvisionError(problem);
    }
    const changes = planDatabase(database, withoutExclusive([...wanted, ...bereft]), state);
    const surplus = changes.length === 0 && question.everything ? planDatabase(database, [...wanted, ...bereft], state) : [];
    if (changes.length === 0 && (surplus.length === 0 || taken)) {
      const beside = state.beside.filter(({ role }) => exclusiveOf(wanted).includes(role));
      refuseLeft(work, transaction, surplus, beside, tolerated);
      return reportBeside(work, database, beside);
    }
    if (look === LOOKS) {
      refuseRemaining(changes, transaction);
    }
    if (surplus.length > 0) {
      await takeSurplus(work, transaction, surplus);
      taken = true;
    } else {
      await transaction.apply(changes);
    }
    const created = changes.flatMap(change => change.kind === 'createSchema' ? [change.schema] : []);
    bereft.push(...others.flatMap(other => inSchemas(other, database, created)));
  }
}

function othersOnRecord({ claims }: Facts, { converge, changes }: Decision): Wanted[] {
  const renamed = new Map(changes.flatMap(change => change.kind === 'renameRole' ? [[change.role, change.to]] : []));
  return claims.filter(({ roleName, released, declarations }) => roleName !== undefined && !released && declarations.length > 0)
    .map(({ roleName, declarations }) => ({ role: renamed.get(roleName!) ?? roleName!, declaration: declarations[declarations.length - 1], previous: [] }))
    .filter(({ role }) => !converge.some(one => one.role === role));
}

/** Kept to take back what has been committed, should it not all be done in time. */
const TIME_TO_UNDO_MS = 45_000;

/** Each user and object is an entry in the catalog, and all of them are compared. */
const MOST_ENTRIES = 50_000;

async function refuseTooMany(transaction: Transaction, wanted: Wanted[], schemas: string[]): Promise<void> {
  const [[{ n }]] = await transaction.read({ attempted: `count the objects of database ${JSON.stringify(transaction.database)}` }, objectCount(schemas));
  const entries = Number(n) * wanted.length;
  if (entries > MOST_ENTRIES) {
    throw new ProvisionError(`${wanted.length} users with privileges of their own in schemas with ${Number(n)} objects, in database ${JSON.stringify(transaction.database)}, may be ${entries} entries `
      + `in the catalog, more than ${MOST_ENTRIES}; give the privileges to a group role, and make the users members of it`);
  }
}

/** What is committed is in the journal. */
function journaled<T>(work: Work, journal: Journal, database: string, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  const { budget } = work;
  if (budget.work() < TIME_TO_UNDO_MS) {
    throw new ProvisionError(`not done after ${Math.round(budget.elapsed() / 1000)} s, before database ${JSON.stringify(database)}, and the time of the provisioner ends soon; `
      + 'deploy again when the database is less busy, or declare less at once');
  }
  return inDatabase(work, database, body, { committing: changes => journal.note(database, changes) });
}

function exclusiveOf(wanted: Wanted[]): string[] {
  return wanted.flatMap(({ role, declaration: { exclusive } }) => exclusive ? [role] : []);
}

function rolesCreated(changes: Change[]): ReadonlySet<string> {
  return new Set(changes.flatMap(change => change.kind === 'createRole' ? [change.role] : []));
}

function databasesOf(wanted: Wanted[]): string[] {
  return [...new Set(wanted.flatMap(({ declaration }) => declaration.databases.map(({ database }) => database)))];
}

function registrySteps({ registryExists, lock: { registry, server } }: Work, news: unknown[]): ReturnType<typeof createSteps> {
  return registryExists || news.length === 0 ? [] : createSteps(server, registry);
}

function refuseRemaining(left: Change[], { database, hearsNotices }: Transaction): void {
  const [change] = left.filter(({ kind }) => kind === 'grant' || kind === 'revoke');
  if (change && !hearsNotices) {
    const [text, sqlState] = change.kind === 'grant' ? ['no privileges were granted', '01007'] : ['no privileges could be revoked', '01006'];
    throw explain(new ServerError(text, sqlState), { attempted: describe(change, database), change });
  }
  if (left.length > 0) {
    throw new ProvisionError('not everything is as declared after all changes were made: '
      + `still to ${left.map(change => describe(change, database)).join('; ')}; look for grants of other roles, and for event triggers that undo the changes`);
  }
}

/** Whoever is a member of a user is one of rds_iam as well. */
async function refusePasswordMembers(transaction: Transaction, changes: Change[], { roles }: Shared): Promise<void> {
  const users = changes.flatMap(change => change.kind === 'grantRole' && change.group === RDS_IAM ? change.roles : []).filter(role => roles.get(role)?.members.length);
  const [members] = users.length === 0 ? [[]] : await transaction.read({ attempted: 'look for members of the users' }, passwordMembers(users));
  if (members.length > 0) {
    throw new ProvisionError(`${members.map(({ member }) => JSON.stringify(member)).join(', ')} would become a member of ${RDS_IAM} through ${users.map(user => JSON.stringify(user)).join(', ')}, `
      + 'and the password that it signs in with would stop working; revoke that membership, or make both members of a group role instead');
  }
}

async function refuseGroupOfIamUsers(transaction: Transaction, role: string): Promise<void> {
  const [rows] = await transaction.read({ attempted: `check that ${JSON.stringify(role)} is not a member of ${RDS_IAM}` }, pathToRdsIam(literal(role)));
  if (rows.length > 0) {
    throw new ProvisionError(`role ${JSON.stringify(role)} would be a member of ${RDS_IAM} (${(rows[0].path as string[]).join(' -> ')}), `
      + 'and so would be everybody who is a member of it; make it a member of group roles only');
  }
}
