import { describe, type Change } from '../core/change';
import { isAllDeployed } from '../core/deployed';
import { type Found, identityQuestion, inPresentNames } from '../core/identities';
import type { Decision, Facts } from '../core/lifecycle';
import { inSchemas, planDatabase, schemasOf } from '../core/plan-database';
import { exclusiveOf, type Wanted, withoutExclusive } from '../core/plan-shared';
import { LIMIT_EXCEEDED, ProvisionError, ServerError } from '../errors';
import { remedyForIgnored } from '../remedies/server';
import { objectCount } from '../sql/catalog';
import { UNTRANSLATABLE } from './encoding';
import { refuseLeft, reportBeside, takeSurplus } from './exclusive';
import { placeOf } from './identities-now';
import type { Impossible } from './impossible';
import { readDatabase, type Shared } from './inspect';
import { obstaclesAhead, reportObstacles, type Succession } from './new-owner';
import { reportWithoutUsage, usageQueries } from './schema-usage';
import type { Transaction } from './transaction';
import type { Work } from './work';

/**
 * Databases in which something is declared, or was; for an exclusive role also those in which it has anything at all.
 * One that cannot be connected to is left out, unless something is declared in it for the first time.
 */
export function visits(
  converge: Wanted[],
  { databases, closed }: Facts,
  shared: Shared | undefined,
  impossible: Impossible,
): string[] {
  const withSchemas = (declarations: Wanted['previous']) =>
    declarations.flatMap(({ databases }) =>
      databases.filter(({ schemas }) => schemas.length > 0).map(({ database }) => database),
    );
  const declared = converge.flatMap(({ role, declaration, previous }) => [
    ...withSchemas([declaration, ...previous]),
    ...declaration.exclusive ? shared?.roles.get(role)?.dependsIn ?? [] : [],
  ]);
  const left = new Set(declared.filter(database => !databases.includes(database) && isAllDeployed(database, converge)));
  left.forEach(database =>
    impossible.leaveDatabase(database, concernedBy(converge, database), closed.includes(database)),
  );
  return [...new Set(declared)].filter(database => !left.has(database)).sort();
}

/**
 * The database is gone since it was looked up, or does not let the admin in: it says so, or lacks a library that its
 * sessions are to load. Or it cannot name a role, or has too much to be read.
 */
export function keepsOut({ cause }: Error): boolean {
  return (
    cause instanceof ServerError
    && ['3D000', '42501', '55000', '57014', '58P01', LIMIT_EXCEEDED, UNTRANSLATABLE].includes(cause.sqlState)
  );
}

/** Those that declare something in a database, or did. */
export function concernedBy(converge: Wanted[], database: string): Wanted[] {
  return converge.filter(({ declaration, previous }) =>
    [declaration, ...previous].some(({ databases }) =>
      databases.some(one => one.database === database && one.schemas.length > 0),
    ),
  );
}

/** Applications create tables all the time, also between two looks at the catalog. */
const MAX_ROUNDS = 4;

/**
 * @param others roles that are not this event's, with what they declare
 * @param tolerated roles whose deployment must not fail over what others have granted
 * @param succession who gets what the roles of the event own
 * @returns what the names that are declared stand for, and what the registered oids
 */
export async function convergeDatabase(
  work: Work,
  transaction: Transaction,
  wanted: Wanted[],
  others: Wanted[],
  impossible: Impossible,
  tolerated: ReadonlySet<string>,
  succession?: Succession,
): Promise<Found> {
  const { database } = transaction;
  const place = placeOf(work);
  const question = {
    schemas: schemasOf(database, wanted),
    identities: identityQuestion(
      database,
      wanted.map(({ declaration }) => declaration),
      wanted.flatMap(({ previous }) => previous),
    ),
    everything: wanted.some(({ declaration }) => declaration.exclusive),
  };
  const [ofSuccession, ofUsage] = [
    succession === undefined ? [] : [obstaclesAhead(succession)],
    usageQueries(transaction, wanted),
  ];
  // A schema that was dropped and comes back, as when an update is rolled back, has lost what others had in it.
  const rolesToRegrant: Wanted[] = [];
  // Objects are added meanwhile: what was deployed before is deployed again.
  if (wanted.length > 1 && !wanted.every(({ role }) => tolerated.has(role))) {
    await refuseTooMany(transaction, wanted, question.schemas);
  }
  for (let round = 1, taken = false; ; round++) {
    const state = await readDatabase(
      transaction,
      { ...question, roles: [...wanted, ...rolesToRegrant].map(({ role }) => role) },
      [...ofSuccession, ...ofUsage],
    );
    impossible.checkMissing(database, wanted, state);
    impossible.reportUncertain(database, wanted, state, place);
    const concerned = [
      ...wanted.map(one => ({
        ...one,
        previous: one.previous.map(earlier => inPresentNames(earlier, database, state.found, place)),
      })),
      ...rolesToRegrant,
    ];
    const planned = impossible.without(transaction, planDatabase(database, withoutExclusive(concerned), state));
    const changes = round === MAX_ROUNDS ? impossible.refused(transaction, planned, concerned) : planned;
    const surplus
      = changes.length === 0 && question.everything
        ? impossible.surplus(transaction, planDatabase(database, concerned, state))
        : [];
    if (changes.length === 0 && (surplus.length === 0 || taken)) {
      const beside = state.beside.filter(({ role }) => exclusiveOf(wanted).includes(role));
      refuseLeft(work, transaction, surplus, beside, tolerated);
      reportBeside(work, database, beside);
      if (succession !== undefined) {
        reportObstacles(work, database, succession, state.also[0]);
      }
      reportWithoutUsage(work, database, state.also[ofSuccession.length]);
      return state.found;
    }
    if (round === MAX_ROUNDS) {
      refuseRemaining(changes, transaction);
    }
    if (surplus.length > 0) {
      await takeSurplus(work, transaction, surplus);
      taken = true;
    } else {
      await impossible.apply(transaction, changes, concerned);
    }
    const created = changes.flatMap(change => change.kind === 'createSchema' ? [change.schema] : []);
    rolesToRegrant.push(...others.flatMap(other => inSchemas(other, database, created)));
  }
}

export function othersOnRecord({ claims }: Facts, { converge, changes }: Decision): Wanted[] {
  const renamed = new Map(changes.flatMap(change => change.kind === 'renameRole' ? [[change.role, change.to]] : []));
  return claims
    .filter(({ roleName, released, declarations }) => roleName !== undefined && !released && declarations.length > 0)
    .map(({ roleName, declarations, deployed }) => ({
      role: renamed.get(roleName!) ?? roleName!,
      declaration: declarations[declarations.length - 1],
      previous: [],
      deployed,
    }))
    .filter(({ role }) => !converge.some(one => one.role === role));
}

/** Each user and object is an entry in the catalog, and all of them are compared. */
const MOST_ENTRIES = 50_000;

async function refuseTooMany(transaction: Transaction, wanted: Wanted[], schemas: string[]): Promise<void> {
  const [[{ n }]] = await transaction.read(
    { attempted: `count the objects of database ${JSON.stringify(transaction.database)}` },
    objectCount(schemas),
  );
  const entries = Number(n) * wanted.length;
  if (entries > MOST_ENTRIES) {
    throw new ProvisionError(
      `${wanted.length} users with privileges of their own in schemas with ${Number(n)} objects, in database ${JSON.stringify(transaction.database)}, may be ${entries} entries `
      + `in the catalog, more than ${MOST_ENTRIES}; give the privileges to a group role, and make the users members of it`,
    );
  }
}

export function refuseRemaining(left: Change[], { database }: Transaction): void {
  const ignored = left.find(({ kind }) => kind === 'grant' || kind === 'revoke');
  if (ignored) {
    throw new ProvisionError(
      `cannot ${describe(ignored, database)}: PostgreSQL left it as it was, without an error; ${remedyForIgnored(ignored)}`,
    );
  }
  if (left.length > 0) {
    throw new ProvisionError(
      'not everything is as declared after all changes were made: '
      + `still to ${left.map(change => describe(change, database)).join('; ')}; look for grants of other roles, and for event triggers that undo the changes`,
      { mayBeOutdated: true },
    );
  }
}
