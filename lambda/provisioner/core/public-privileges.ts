import { databaseNameProblem, managedRoleNameProblem } from '../../../lib/contract/names';
import { distinct, entries, exactly, list, refuse, text, texts, throwProblem } from '../../shared/decode';
import { ProvisionError } from '../errors';
import type { Row } from '../sql/row';
import { type ActAs, type Change, type ChangeOf, PUBLIC, revokerOf } from './change';
import { integer, oidOf, type Place } from './identities';
import type { DatabaseOwner } from './plan-shared';
import { granting } from './privilege-changes';
import { type ManagingResource, sameResource } from './state';
import { decodeTime, encodeTime } from './time';

/** What is revoked from PUBLIC in one database: CONNECT on it, and CREATE on its schema `public`. */
export const PUBLIC_PRIVILEGES = ['CONNECT', 'CREATE'] as const;
export type PublicPrivilege = typeof PUBLIC_PRIVILEGES[number];

/** Who had granted a privilege to PUBLIC. Null: the owner of the database or schema. */
type Grantors = readonly (string | null)[];

/** Privileges that a resource revokes from PUBLIC, as the registry has it. */
export interface PublicRecord extends ManagingResource {
  readonly resourceId: string;
  readonly physicalId: string;
  readonly database: string;
  readonly revoked: readonly PublicPrivilege[];
  /** What PUBLIC had before the first resource that revokes it. A privilege that is not there was never looked at. */
  readonly before: { readonly [Privilege in PublicPrivilege]?: Grantors };
  /** What completed events have declared: the latest first, and the one before it. */
  readonly deployed: readonly (readonly PublicPrivilege[])[];
  readonly sent?: number;
  /** Which database had the name. Trusted on the same server and major version, as in `Identities`. */
  readonly identity?: { readonly oid: string; readonly major: number };
}

/** With the name that its database has now. Undefined: it is gone, also where another one has its name. */
export interface LocatedRecord extends PublicRecord {
  readonly now: string | undefined;
}

export interface PublicRows {
  readonly records: PublicRecord[];
  /** Rows that are not understood. */
  readonly unreadable: { readonly stack: string; readonly logicalId: string; readonly database: string; readonly problem: string }[];
}

/** The catalog about one privilege of PUBLIC. */
export interface PublicState {
  readonly held: readonly ({ readonly by: string | null } & { readonly [Way in keyof ActAs]: string | null })[];
  readonly owner: Pick<DatabaseOwner, 'as' | 'options'>;
  /** Roles that have the privilege through PUBLIC only, and may need it. */
  readonly relying: readonly { readonly role: string; readonly isAdmin: boolean }[];
}

export type PublicStates = { readonly [Privilege in PublicPrivilege]?: PublicState };

export interface WantedOfPublic extends ManagingResource {
  readonly resourceId: string;
  readonly physicalId: string;
  readonly database: string;
  readonly revoked: readonly PublicPrivilege[];
  readonly lockOut: readonly string[];
  readonly sentAt?: number;
  readonly identity?: PublicRecord['identity'];
}

interface PublicChange {
  readonly privilege: PublicPrivilege;
  /** Who has granted it, or had. */
  readonly by: string | null;
  readonly change: Change;
}

export interface PublicDecision {
  readonly revokes: readonly (PublicChange & { readonly isDeployed: boolean })[];
  readonly grants: readonly PublicChange[];
  readonly record: PublicRecord;
  /** Rows of stacks that are gone, and of the database that this one was restored from. */
  readonly forget: readonly PublicRecord[];
  /** What this resource has revoked in a database that has another name now, and is not what it is about any more. */
  readonly leftBehind?: LocatedRecord;
  /** Roles that lose what they have through PUBLIC. */
  readonly lockedOut: readonly { readonly privilege: PublicPrivilege; readonly roles: string[] }[];
  /** Why a privilege stays that a completed event has declared. */
  readonly kept: readonly string[];
}

/** As a Create and an Update have it. */
export function decodeRevoked(value: unknown): PublicPrivilege[] {
  const { Database: onDatabase = [], Schemas = {} } = exactly('Revoked', value, ['Database', 'Schemas']);
  const { public: inPublic = {} } = exactly('Revoked.Schemas', Schemas, [PUBLIC]);
  const { Schema: onSchema = [] } = exactly('Revoked.Schemas.public', inPublic, ['Schema']);
  const revoked = [
    ...privilegesIn('Revoked.Database', onDatabase, ['CONNECT']), ...privilegesIn('Revoked.Schemas.public.Schema', onSchema, ['CREATE']),
  ];
  return revoked.length > 0 ? revoked : refuse('Revoked', value, 'it has no privilege', 'name one, or remove the resource');
}

export function decodeLockOut(value: unknown): string[] {
  const names = distinct(texts('LockOut', value));
  names.forEach(name => throwProblem(managedRoleNameProblem(name)));
  return names;
}

/** The rows among those without a role that are about PUBLIC. */
export function decodePublicRows(rows: Row[]): PublicRows {
  const records: PublicRecord[] = [];
  const unreadable: PublicRows['unreadable'][number][] = [];
  for (const row of rows.filter(isAboutPublic)) {
    const [stack, logicalId, database] = [row.stack, row.logicalId, row.username].map(String);
    try {
      records.push(decodeRecord(row));
    } catch (error) {
      unreadable.push({
        stack, logicalId, database,
        problem: `what the registry has of PUBLIC in database ${JSON.stringify(database)} (resource ${logicalId}) is not understood: ${(error as Error).message}. `
          + 'Deploy with the version of the library that wrote it, or delete the row',
      });
    }
  }
  return { records, unreadable };
}

function isAboutPublic({ declarations }: Row): boolean {
  return typeof declarations === 'object' && declarations !== null && PUBLIC_KEY in declarations;
}

/** A deployment takes hours at most. */
const ROLLBACK_MS = 24 * 3_600_000;

/** Key of the stored form. */
const PUBLIC_KEY = 'publicPrivileges';
const FORMAT = 1;

export function encodeRecord({ revoked, before, deployed, identity, sent }: PublicRecord): unknown {
  return { format: FORMAT, [PUBLIC_KEY]: { revoked, before, deployed, ...identity === undefined ? {} : { identity } }, ...sent === undefined ? {} : { sent: encodeTime(sent) } };
}

const CORRECT = 'correct the row';

function decodeRecord(row: Row): PublicRecord {
  const [stack, stackId, logicalId, resourceId, physicalId, database]
    = (['stack', 'stackId', 'logicalId', 'resourceId', 'physicalId', 'username'] as const).map(column => text(column, row[column]));
  throwProblem(databaseNameProblem(database));
  const { format, [PUBLIC_KEY]: stored, sent } = exactly('declarations', row.declarations, ['format', PUBLIC_KEY, 'sent']);
  if (format !== FORMAT) {
    refuse('format', format, `this version of the library knows format ${FORMAT}`, 'deploy with the version that wrote it');
  }
  const { revoked, before, deployed, identity } = exactly(PUBLIC_KEY, stored, ['revoked', 'before', 'deployed', 'identity']);
  return {
    stack, stackId, logicalId, resourceId, physicalId, database,
    revoked: privilegesIn('revoked', revoked),
    before: Object.fromEntries(entries('before', before).map(([privilege, grantors]) =>
      [privilegesIn('before', [privilege])[0], list('before', grantors).map(grantor => grantor === null ? null : text('grantor', grantor))])),
    deployed: list('deployed', deployed).map(one => privilegesIn('deployed', one)),
    ...identity === undefined ? {} : { identity: decodeIdentity(identity) },
    ...sent === undefined ? {} : { sent: decodeTime('sent', sent, CORRECT) },
  };
}

function decodeIdentity(value: unknown): PublicRecord['identity'] {
  const { oid, major } = exactly('identity', value, ['oid', 'major']);
  return { oid: oidOf(oid), major: integer('identity.major', major) };
}

function privilegesIn(where: string, value: unknown, known: readonly PublicPrivilege[] = PUBLIC_PRIVILEGES): PublicPrivilege[] {
  return distinct(texts(where, value)).map(word =>
    known.find(one => one === word) ?? refuse(where, word, `known are ${known.join(', ')}`, 'name one of them, or update the provisioner'));
}

/** Where the databases of the records are now: the oid says it as long as server and major version are those of the record, the name otherwise. */
export function located(records: readonly PublicRecord[], oids: ReadonlyMap<string, string>, { resourceId, major }: Place): LocatedRecord[] {
  const byOid = new Map([...oids].map(([name, oid]) => [oid, name]));
  return records.map((record) => {
    const { identity, database } = record;
    const isTrusted = identity !== undefined && record.resourceId === resourceId && identity.major === major;
    return { ...record, now: isTrusted ? byOid.get(identity.oid) : database };
  });
}

/** The row of a resource; another stack of its name that was deleted may have left one. */
export function recordOf<R extends ManagingResource>(self: Omit<ManagingResource, 'stackId'>, records: readonly R[]): R | undefined {
  return records.find(one => sameResource(one, self));
}

/**
 * What is to be revoked from PUBLIC and what is given back. Nothing is revoked that roles rely on which are not named: the first time. Once it was
 * deployed, it is revoked again, so that a rollback goes through and a difference made by hand is mended.
 *
 * Two resources of a stack are about one database while one of them moves to another construct: what either declares is revoked.
 *
 * @param states absent for a privilege where the catalog could not be looked at
 */
export function decidePublic(wanted: WantedOfPublic, records: readonly LocatedRecord[], states: PublicStates): PublicDecision {
  const { stack, stackId, logicalId, resourceId, physicalId, database, revoked, sentAt } = wanted;
  const own = recordOf(wanted, records);
  if (own && own.resourceId === resourceId && own.database !== database && revoked.length > 0) {
    refuse('DatabaseName', database, `this resource is about database ${JSON.stringify(own.database)}`, 'declare another resource for it');
  }
  const others = records.filter(one => one !== own && [one.database, one.now].includes(database));
  const isHere = (one: PublicRecord) => one.resourceId === resourceId && !(one.stack === stack && one.stackId !== stackId);
  const siblings = others.filter(one => isHere(one) && one.stack === stack);
  const foreign = others.filter(one => isHere(one) && one.stack !== stack);
  // What is given back, or was deployed before, is done whatever others declare: a database may have been renamed.
  if (!revoked.every(privilege => own?.deployed.some(privileges => privileges.includes(privilege)))) {
    refuseForeign(database, foreign[0]);
  }
  // A database that was dropped and made again is another one, which has been given what it has without this library.
  const known = (privilege: PublicPrivilege) => [own, ...others].map(one => one?.now === database ? one.before[privilege] : undefined).find(before => before !== undefined);
  // A rollback follows soon. What was declared once, and is again after a long time, is asked anew.
  const isRecent = (one?: PublicRecord) => one?.sent === undefined || sentAt === undefined || sentAt - one.sent < ROLLBACK_MS;
  const isDeployed = (privilege: PublicPrivilege) => [own, ...siblings].some(one => one?.deployed.slice(0, isRecent(one) ? undefined : 1).some(privileges => privileges.includes(privilege)));
  const isDeclared = (privilege: PublicPrivilege) => [wanted, ...siblings, ...foreign.filter(one => one.now === database)].some(one => one.revoked.includes(privilege));
  const stays = PUBLIC_PRIVILEGES.filter(privilege => staysForAdmin(privilege, states, isDeployed(privilege)));
  const toRevoke = revoked.filter(privilege => !stays.includes(privilege));
  const lockedOut = toRevoke.flatMap(privilege => lockedOutBy(privilege, wanted, states, isDeployed(privilege)));
  // Of a database that is not there nothing new is known.
  const isThere = wanted.identity !== undefined;
  const identity = isThere ? wanted.identity : own?.identity;
  return {
    lockedOut,
    kept: stays.filter(privilege => revoked.includes(privilege)).map(privilege => `the admin has ${describe(privilege, database)} through PUBLIC only`),
    revokes: toRevoke.flatMap(privilege => (states[privilege]?.held ?? []).map(entry => ({
      privilege, by: entry.by, isDeployed: isDeployed(privilege), change: changeOf('revoke', privilege, database, revokerOf(entry)),
    }))),
    grants: PUBLIC_PRIVILEGES.filter(privilege => !isDeclared(privilege)).flatMap(privilege => givenBack(privilege, database, own?.now === database ? own.before[privilege] : [], states[privilege])),
    record: {
      stack, stackId, logicalId, resourceId, physicalId, database, revoked,
      before: isThere || own === undefined
        ? Object.fromEntries(revoked.flatMap((privilege) => {
            const before = known(privilege) ?? states[privilege]?.held.map(({ by }) => by);
            return before === undefined ? [] : [[privilege, before]];
          }))
        : own.before,
      deployed: own?.deployed ?? [],
      ...identity === undefined ? {} : { identity },
      ...sentAt === undefined ? {} : { sent: sentAt },
    },
    forget: others.filter(one => !isHere(one)),
    ...isThere && own?.now !== undefined && own.now !== database && revoked.length > 0 ? { leftBehind: own } : {},
  };
}

/** The declaration in force, and the one before it: a deployment updates a resource once, and rolls it back to that one. */
export function completed({ deployed, ...record }: PublicRecord): PublicRecord {
  const before = deployed.filter(one => one.join() !== record.revoked.join());
  return { ...record, deployed: [record.revoked, ...before].slice(0, 2) };
}

function refuseForeign(database: string, foreign: PublicRecord | undefined): void {
  if (foreign) {
    throw new ProvisionError(`PUBLIC in database ${JSON.stringify(database)} is managed by another stack already (${foreign.stackId}, resource ${foreign.logicalId}); `
      + 'declare it in one stack only; if that stack is gone, delete its row in cdk_aurora_iam_auth.managed_role');
  }
}

/** An admin that could not connect any more. What was deployed before is no error. */
function staysForAdmin(privilege: PublicPrivilege, states: PublicStates, isDeployed: boolean): boolean {
  return isDeployed && privilege === 'CONNECT' && states.CONNECT !== undefined && states.CONNECT.held.length > 0 && states.CONNECT.relying.some(({ isAdmin }) => isAdmin);
}

/** @throws if roles are not named that would lose it, or the admin would */
function lockedOutBy(privilege: PublicPrivilege, { database, lockOut }: WantedOfPublic, states: PublicStates, isDeployed: boolean): PublicDecision['lockedOut'] {
  const { held, relying } = states[privilege] ?? { held: [], relying: [] };
  const roles = relying.map(({ role }) => role);
  if (held.length === 0 || roles.length === 0) {
    return [];
  }
  const admin = privilege === 'CONNECT' ? relying.find(({ isAdmin }) => isAdmin)?.role : undefined;
  const unnamed = roles.filter(role => role !== admin && !lockOut.includes(role));
  if (admin !== undefined) {
    throw new ProvisionError(`cannot revoke ${describe(privilege, database)} from PUBLIC: the admin ${JSON.stringify(admin)} has it through PUBLIC only, `
      + 'and could not sign in any more; grant it to the admin first');
  }
  if (unnamed.length > 0 && !isDeployed) {
    throw new ProvisionError(`cannot revoke ${describe(privilege, database)} from PUBLIC: ${named(unnamed)} ${unnamed.length === 1 ? 'has' : 'have'} it through PUBLIC only; `
      + `grant it to ${unnamed.length === 1 ? 'that role' : 'those roles'}, or name ${unnamed.length === 1 ? 'it' : 'them'} in lockOut`);
  }
  return [{ privilege, roles }];
}

/** What PUBLIC had before and has not now. */
function givenBack(privilege: PublicPrivilege, database: string, before: Grantors = [], state?: PublicState): PublicDecision['grants'] {
  const missing = state === undefined ? [] : before.filter(grantor => !state.held.some(({ by }) => by === grantor));
  return missing.map(by => ({
    privilege, by, change: changeOf('grant', privilege, database, by === null ? granting(state!.owner, privilege) : { grantor: by }),
  }));
}

function changeOf(kind: 'grant' | 'revoke', privilege: PublicPrivilege, database: string, acting: ActAs): ChangeOf<'grant' | 'revoke'> {
  const on = privilege === 'CONNECT' ? { type: 'DATABASE', database } as const : { type: 'SCHEMA', schema: PUBLIC } as const;
  return { kind, privileges: [privilege], on, roles: [PUBLIC], ...acting };
}

function describe(privilege: PublicPrivilege, database: string): string {
  return privilege === 'CONNECT' ? `CONNECT on database ${JSON.stringify(database)}` : `CREATE on schema "public" in database ${JSON.stringify(database)}`;
}

const NAMED = 10;

/** For a reason, which is cut at its end. */
export function named(roles: readonly string[]): string {
  const more = roles.length - NAMED;
  return `${roles.slice(0, NAMED).map(role => JSON.stringify(role)).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
