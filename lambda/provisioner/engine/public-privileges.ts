import { type Change, describe } from '../core/change';
import type { Journal } from '../core/journal';
import type { Facts } from '../core/lifecycle';
import { whatOvertook } from '../core/order';
import {
  decidePublic,
  named,
  type PublicDecision,
  type PublicState,
  type PublicStates,
} from '../core/public-privileges';
import {
  completed,
  located,
  type LocatedRecord,
  type PublicPrivilege,
  type PublicRecord,
  recordOf,
  withoutFormerSchema,
} from '../core/public-records';
import { FIXED_DATABASE, sameResource } from '../core/state';
import { ProvisionError } from '../errors';
import type { PublicRequest } from '../public-request';
import { publicConnect, publicCreate, type RegisteredRoles } from '../sql/public-privileges';
import { NO_ROLE, type RegistryKey } from '../sql/registry-rows';
import { applyWhatCan } from './best-effort';
import { journaled, registrySteps } from './converge';
import { keepsOut, refuseRemaining } from './converge-database';
import { endOthersExpired } from './end-expired';
import { placeOf } from './identities-now';
import { readFacts } from './inspect';
import { bringUpToDate, dropIfUnusedSteps, forgetSteps, noteCancellation, publicSteps } from './registry';
import type { Transaction } from './transaction';
import { inDatabase, inShared, type Work } from './work';

/** The admin has no right to it any more, or it is gone. */
const NOT_POSSIBLE = ['01006', '01007', '0LP01', '3D000', '3F000', '42501', '42704'];

const NO_ROLES: RegisteredRoles = { managed: [], inDatabase: [] };

/** A database without a schema `public`. */
const NOWHERE: PublicState = { held: [], owner: { as: null }, relying: [] };

interface Look {
  readonly facts: Facts;
  readonly records: LocatedRecord[];
  readonly states: PublicStates;
}

/** Revokes from PUBLIC what is declared, and gives back what is not declared any more. */
export async function applyPublic(work: Work, request: PublicRequest, journal: Journal): Promise<void> {
  const { database, resource } = request;
  const { facts, records, states } = await look(work, request, database, found =>
    refuseEvent(work, request, found, journal),
  );
  journal.remember(facts.claims, records);
  refuseUnknown(request, facts, states);
  const decision = decidePublic({ ...request, ...resource, ...identityOf(work, facts, database) }, records, states);
  report(work, request, decision, facts, states);
  const [shared, local] = placesOf(database);
  const isLocal = [...decision.revokes, ...decision.grants].some(({ privilege }) => local.includes(privilege));
  const done = completed(decision.record);
  await journaled(work, journal, FIXED_DATABASE, async (transaction) => {
    const row = isLocal ? decision.record : done;
    await transaction.apply(
      [],
      ...registrySteps(work, [row]),
      ...publicSteps([row]),
      ...forgetSteps(decision.forget.map(keyOf)),
    );
    await make(work, transaction, database, decision, shared);
    transaction.view?.imagined.decideOfPublic(database, { ...decision, record: done });
  });
  const later = { ...work, registryExists: true };
  if (isLocal) {
    await journaled(later, journal, database, transaction => make(work, transaction, database, decision, local));
    await journaled(later, journal, FIXED_DATABASE, transaction => transaction.apply([], ...publicSteps([done])));
  } else if (decision.revokes.length > 0 && facts.databases.includes(database)) {
    // The server itself says whether the admin still gets in.
    await work.sessions.enter(database);
  }
  work.lock.mayBeLast = false;
  await endOthersExpired(later, facts);
}

/** Gives back what PUBLIC had. What cannot be given back is in the log, and does not stop the removal. */
export async function removePublic(work: Work, request: PublicRequest): Promise<void> {
  const { resource, cancelled } = request;
  const { facts, records, states } = await look(work, request);
  const own = ownOf(request, records);
  const database = own?.now ?? request.database;
  const problem = facts.ofPublic.unreadable.find(one => sameResource(one, resource))?.problem;
  if (own === undefined) {
    work.log.info('nothing to give back', {
      database,
      reason: problem ?? 'this resource has revoked nothing from PUBLIC there',
    });
  } else {
    const decision = decidePublic({ ...request, ...resource, database, revoked: [], lockOut: [] }, records, states);
    const reason
      = own.now === undefined && facts.databaseOids.has(database)
        ? 'it was dropped, and another database has its name'
        : reasonOf(facts, database);
    own.revoked
      .filter(privilege => states[privilege] === undefined)
      .forEach(privilege => work.log.info('not given back', { database, privilege, reason }));
    const [shared, local] = placesOf(database);
    if (decision.grants.some(({ privilege }) => local.includes(privilege))) {
      await inDatabase(work, database, transaction => make(work, transaction, database, decision, local));
    }
    work.lock.mayBeLast = true;
    await inShared(work, async (transaction) => {
      await make(work, transaction, database, decision, shared);
      await transaction.apply([], ...forgetSteps([keyOf(own)]), ...cancelled ? [] : dropIfUnusedSteps());
      transaction.view?.imagined.decideOfPublic(database, { ...decision, record: undefined, forget: [own] });
    });
  }
  const exists
    = cancelled && problem === undefined
      ? await inShared(work, transaction =>
          noteCancellation(transaction, work.lock.registry, { ...request, usernames: [request.database] }, work.log),
        )
      : work.registryExists;
  work.lock.mayBeLast &&= !cancelled || !exists;
  await endOthersExpired(work, facts);
}

/** What is changed in the fixed database, and what in the other one: a schema is seen in its own database alone. */
function placesOf(database: string): [shared: PublicPrivilege[], local: PublicPrivilege[]] {
  return database === FIXED_DATABASE ? [['CONNECT', 'CREATE'], []] : [['CONNECT'], ['CREATE']];
}

/** The row of this resource and of this physical id. */
function ownOf<R extends PublicRecord>({ database, resource, resourceId }: PublicRequest, records: R[]): R | undefined {
  return records.find(
    one =>
      sameResource(one, resource)
      && one.stackId === resource.stackId
      && one.resourceId === resourceId
      && one.database === database,
  );
}

function identityOf(work: Work, { databaseOids }: Facts, database: string): Pick<PublicRecord, 'identity'> {
  const oid = databaseOids.get(database);
  return oid === undefined ? {} : { identity: { oid, major: placeOf(work).major } };
}

/**
 * The registry, and the catalog about PUBLIC in a database as far as it can be looked at.
 *
 * @param wanted the database. @default - where what the resource has revoked is now
 */
async function look(
  work: Work,
  request: PublicRequest,
  wanted?: string,
  check: (facts: Facts) => void = () => undefined,
): Promise<Look> {
  const { action, revoked, resource } = request;
  const { facts, records, database, connect } = await inShared(work, async (transaction) => {
    const found = await readFacts(transaction, work.registryExists);
    await bringUpToDate(transaction, work.lock.registry, found, work.log);
    check(found);
    const records = located(found.ofPublic.records, found.databaseOids, placeOf(work));
    const database = wanted ?? ownOf(request, records)?.now;
    return {
      facts: found,
      records,
      database,
      connect: database === undefined ? undefined : await stateIn(transaction, 'CONNECT', database, found),
    };
  });
  const own = recordOf(resource, records);
  const isConcerned
    = [...revoked, ...(own?.revoked ?? [])].includes('CREATE')
      && database !== undefined
      && facts.databases.includes(database);
  const create = !isConcerned
    ? undefined
    : await inDatabase(
        work,
        database,
        async transaction => (await stateIn(transaction, 'CREATE', database, facts)) ?? NOWHERE,
      ).catch((error: Error) => {
        if (!keepsOut(error) || (action === 'apply' && own?.deployed.some(one => one.includes('CREATE')) !== true)) {
          throw error;
        }
        return undefined;
      });
  const states = {
    ...(connect === undefined ? {} : { CONNECT: connect }),
    ...(create === undefined ? {} : { CREATE: create }),
  };
  if (database === undefined || create?.oid === undefined) {
    return { facts, records, states };
  }
  const known = withoutFormerSchema(records, { database, schema: create.oid, place: placeOf(work) });
  const isForgotten = own?.before.CREATE?.length !== recordOf(resource, known)?.before.CREATE?.length;
  if (isForgotten && !(action === 'apply' && revoked.includes('CREATE'))) {
    work.log.info('not given back', {
      database,
      privilege: 'CREATE',
      reason: 'schema "public" was dropped, and another one has its name',
    });
  }
  return { facts, records: known, states };
}

/** In a plan, with what it would have made by then. */
async function stateIn(
  transaction: Transaction,
  privilege: PublicPrivilege,
  database: string,
  facts?: Facts,
): Promise<PublicState | undefined> {
  const roles = facts === undefined ? NO_ROLES : registered(facts, database);
  const text = privilege === 'CONNECT' ? publicConnect(database, roles) : publicCreate(roles);
  const [[row]] = (await transaction.read({ attempted: 'look at what PUBLIC has' }, text)) as unknown as [
    [PublicState | undefined],
  ];
  const { view } = transaction;
  return row && (view?.imagined.ofPublic(database, privilege, row, facts?.claims ?? []) ?? row);
}

function registered({ claims }: Facts, database: string): RegisteredRoles {
  // In a plan, roles that are not there yet have no oid.
  const here = claims.filter(
    ({ roleName, released, roleOid }) => roleName !== undefined && !released && /^\d+$/.test(roleOid),
  );
  const oids = (some: Facts['claims']) => some.map(({ roleOid }) => roleOid);
  return {
    managed: oids(here),
    inDatabase: oids(
      here.filter(({ declarations }) =>
        declarations.some(({ databases }) => databases.some(one => one.database === database)),
      ),
    ),
  };
}

function refuseEvent(work: Work, { resource, sentAt, database }: PublicRequest, facts: Facts, journal: Journal): void {
  const { records, unreadable } = facts.ofPublic;
  const claims = records.map(record => ({
    ...record,
    roleOid: NO_ROLE,
    username: record.database,
    declarations: [],
    deployed: [],
    released: false,
  }));
  const overtaken = whatOvertook(resource, sentAt, work.budget.elapsedMs(), { ...facts, claims });
  if (overtaken !== undefined) {
    journal.clear();
    throw new ProvisionError(overtaken);
  }
  const problem = unreadable.find(one => sameResource(one, resource) || one.database === database)?.problem;
  if (problem !== undefined) {
    throw new ProvisionError(problem);
  }
}

/** A database that is missing, or accepts no connections, is an error where it is declared for the first time. */
function refuseUnknown({ database, resource, revoked }: PublicRequest, facts: Facts, states: PublicStates): void {
  const deployed = recordOf(resource, facts.ofPublic.records)?.deployed ?? [];
  const unknown = revoked.find(
    privilege => states[privilege] === undefined && !deployed.some(one => one.includes(privilege)),
  );
  if (unknown !== undefined) {
    throw new ProvisionError(
      `cannot revoke ${unknown} from PUBLIC in database ${JSON.stringify(database)}: ${reasonOf(facts, database)}; `
      + 'create the database before this deployment, let it accept connections, or correct its name',
    );
  }
}

function reasonOf({ databases, closed }: Facts, database: string): string {
  return closed.includes(database)
    ? 'it accepts no connections'
    : databases.includes(database)
      ? 'it does not let the admin in'
      : 'there is no such database';
}

function report(
  { log }: Work,
  { database, revoked }: PublicRequest,
  { lockedOut, kept, leftBehind }: PublicDecision,
  facts: Facts,
  states: PublicStates,
): void {
  lockedOut.forEach(({ privilege, roles }) =>
    log.info('locked out', {
      database,
      privilege,
      roles: named(roles),
      count: roles.length,
      note: 'they had it through PUBLIC only',
    }),
  );
  kept.forEach(reason => log.info('not revoked', { database, reason }));
  revoked
    .filter(privilege => states[privilege] === undefined)
    .forEach(privilege => log.info('not revoked', { database, privilege, reason: reasonOf(facts, database) }));
  leftBehind?.revoked.forEach(privilege =>
    log.info('not given back', {
      database: leftBehind.now,
      privilege,
      reason: `it was called ${JSON.stringify(database)} when this resource revoked it; restrict it under its new name, or grant it to PUBLIC there`,
    }),
  );
}

/**
 * What was deployed before, and what is given back, is made as far as it can be made. Not every transport passes on
 * that a statement had no effect.
 */
async function make(
  work: Work,
  transaction: Transaction,
  database: string,
  decision: PublicDecision,
  privileges: readonly PublicPrivilege[],
): Promise<void> {
  for (const privilege of privileges) {
    const [revokes, grants] = [
      decision.revokes.filter(one => one.privilege === privilege),
      decision.grants.filter(one => one.privilege === privilege),
    ];
    const [again, first] = [true, false].map(isDeployed => revokes.filter(one => one.isDeployed === isDeployed));
    if (first.length > 0) {
      await transaction.apply(changesIn(first));
    }
    const isRevoked = await applyWhatCan(work, transaction, changesIn(again), 'not revoked', NOT_POSSIBLE);
    const isGiven = await applyWhatCan(work, transaction, changesIn(grants), 'not given back', NOT_POSSIBLE);
    if (revokes.length + grants.length > 0 && transaction.view === undefined) {
      const held = (await stateIn(transaction, privilege, database))?.held.map(({ by }) => by) ?? [];
      refuseRemaining(changesIn(first.filter(({ by }) => held.includes(by))), transaction);
      const ignored = (notice: string, changes: PublicDecision['grants']) =>
        changes.forEach(({ change }) =>
          work.log.info(notice, {
            change: describe(change, transaction.database),
            reason: 'PostgreSQL left it as it was, without an error',
          }),
        );
      ignored('not revoked', isRevoked ? again.filter(({ by }) => held.includes(by)) : []);
      ignored('not given back', isGiven ? grants.filter(({ by }) => !held.includes(by)) : []);
    }
  }
}

function changesIn(changes: PublicDecision['grants']): Change[] {
  return changes.map(({ change }) => change);
}

function keyOf({ stack, logicalId }: PublicRecord): RegistryKey {
  return { roleOid: NO_ROLE, stack, logicalId };
}
