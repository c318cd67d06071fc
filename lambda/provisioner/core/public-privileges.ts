import { refuse } from '../../shared/decode';
import { ProvisionError } from '../errors';
import { type ActAs, type Change, type ChangeOf, PUBLIC, revokerOf } from './change';
import type { DatabaseOwner } from './plan-shared';
import { granting } from './privilege-changes';
import {
  type Grantors,
  type LocatedRecord,
  PUBLIC_PRIVILEGES,
  type PublicPrivilege,
  type PublicRecord,
  recordOf,
} from './public-records';
import { type ManagingResource, sameResource } from './state';

/** A deployment takes hours at most. */
const ROLLBACK_MS = 24 * 3_600_000;

/** The catalog about one privilege of PUBLIC. */
export interface PublicState {
  /** Of the database or schema; undefined if there is none. */
  readonly oid?: string;
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

/**
 * What is to be revoked from PUBLIC and what is given back. Nothing is revoked that roles rely on which are not named:
 * the first time. Once it was deployed, it is revoked again, so that a rollback goes through and a difference made by
 * hand is mended.
 *
 * Two resources of a stack are about one database while one of them moves to another construct: what either declares is
 * revoked.
 *
 * @param states absent for a privilege where the catalog could not be looked at
 */
export function decidePublic(
  wanted: WantedOfPublic,
  records: readonly LocatedRecord[],
  states: PublicStates,
): PublicDecision {
  const { stack, stackId, logicalId, resourceId, physicalId, database, revoked, sentAt } = wanted;
  const own = recordOf(wanted, records);
  if (own && own.resourceId === resourceId && own.database !== database && revoked.length > 0) {
    refuse(
      'DatabaseName',
      database,
      `this resource is about database ${JSON.stringify(own.database)}`,
      'declare another resource for it',
    );
  }
  const others = records.filter(one => !sameResource(one, wanted) && [one.database, one.now].includes(database));
  const isHere = (one: PublicRecord) =>
    one.resourceId === resourceId && !(one.stack === stack && one.stackId !== stackId);
  const siblings = others.filter(one => isHere(one) && one.stack === stack);
  const foreign = others.filter(one => isHere(one) && one.stack !== stack);
  // What is given back, or was deployed before, is done whatever others declare: a database may have been renamed.
  if (!revoked.every(privilege => own?.deployed.some(privileges => privileges.includes(privilege)))) {
    refuseForeign(database, foreign[0]);
  }
  // A database that was dropped and made again is another one, which has been given what it has without this library.
  const known = (privilege: PublicPrivilege) =>
    [own, ...others]
      .map(one => (one?.now === database ? one.before[privilege] : undefined))
      .find(before => before !== undefined);
  // A rollback follows soon. What was declared once, and is again after a long time, is asked anew.
  const isRecent = (one?: PublicRecord) =>
    one?.sent === undefined || sentAt === undefined || sentAt - one.sent < ROLLBACK_MS;
  const isDeployed = (privilege: PublicPrivilege) =>
    [own, ...siblings].some(one =>
      one?.deployed.slice(0, isRecent(one) ? undefined : 1).some(privileges => privileges.includes(privilege)),
    );
  const isDeclared = (privilege: PublicPrivilege) =>
    [wanted, ...siblings, ...foreign.filter(one => one.now === database)].some(one => one.revoked.includes(privilege));
  const stays = PUBLIC_PRIVILEGES.filter(privilege => staysForAdmin(privilege, states, isDeployed(privilege)));
  const toRevoke = revoked.filter(privilege => !stays.includes(privilege));
  const lockedOut = toRevoke.flatMap(privilege => lockedOutBy(privilege, wanted, states, isDeployed(privilege)));
  // Of a database that is not there nothing new is known.
  const isThere = wanted.identity !== undefined;
  const isSame
    = own?.resourceId === resourceId
      && own.identity?.oid === wanted.identity?.oid
      && own.identity?.major === wanted.identity?.major;
  const schema = !revoked.includes('CREATE')
    ? undefined
    : (states.CREATE?.oid ?? (isSame ? own.identity?.schema : undefined));
  const identity = wanted.identity === undefined
    ? own?.identity
    : { ...wanted.identity, ...(schema === undefined ? {} : { schema }) };
  return {
    lockedOut,
    kept: stays
      .filter(privilege => revoked.includes(privilege))
      .map(privilege => `the admin has ${describe(privilege, database)} through PUBLIC only`),
    revokes: toRevoke.flatMap(privilege =>
      (states[privilege]?.held ?? []).map(entry => ({
        privilege,
        by: entry.by,
        isDeployed: isDeployed(privilege),
        change: changeOf('revoke', privilege, database, revokerOf(entry)),
      })),
    ),
    grants: PUBLIC_PRIVILEGES.filter(privilege => !isDeclared(privilege)).flatMap(privilege =>
      givenBack(privilege, database, own?.now === database ? own.before[privilege] : [], states[privilege]),
    ),
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

function refuseForeign(database: string, foreign: PublicRecord | undefined): void {
  if (foreign) {
    throw new ProvisionError(
      `PUBLIC in database ${JSON.stringify(database)} is managed by another stack already (${foreign.stackId}, resource ${foreign.logicalId}); `
      + 'declare it in one stack only; if that stack is gone, delete its row in cdk_aurora_iam_auth.managed_role',
    );
  }
}

/** An admin that could not connect any more. What was deployed before is no error. */
function staysForAdmin(privilege: PublicPrivilege, states: PublicStates, isDeployed: boolean): boolean {
  return (
    isDeployed
    && privilege === 'CONNECT'
    && states.CONNECT !== undefined
    && states.CONNECT.held.length > 0
    && states.CONNECT.relying.some(({ isAdmin }) => isAdmin)
  );
}

/** @throws if roles are not named that would lose it, or the admin would */
function lockedOutBy(
  privilege: PublicPrivilege,
  { database, lockOut }: WantedOfPublic,
  states: PublicStates,
  isDeployed: boolean,
): PublicDecision['lockedOut'] {
  const { held, relying } = states[privilege] ?? { held: [], relying: [] };
  const roles = relying.map(({ role }) => role);
  if (held.length === 0 || roles.length === 0) {
    return [];
  }
  const admin = privilege === 'CONNECT' ? relying.find(({ isAdmin }) => isAdmin)?.role : undefined;
  if (admin !== undefined) {
    throw new ProvisionError(
      `cannot revoke ${describe(privilege, database)} from PUBLIC: the admin ${JSON.stringify(admin)} has it through PUBLIC only, `
      + 'and could not sign in any more; grant it to the admin first',
    );
  }
  const unnamed = roles.filter(role => !lockOut.includes(role));
  if (unnamed.length > 0 && !isDeployed) {
    throw new ProvisionError(
      `cannot revoke ${describe(privilege, database)} from PUBLIC: ${named(unnamed)} ${unnamed.length === 1 ? 'has' : 'have'} it through PUBLIC only; `
      + `grant it to ${unnamed.length === 1 ? 'that role' : 'those roles'}, or name ${unnamed.length === 1 ? 'it' : 'them'} in lockOut`,
    );
  }
  return [{ privilege, roles }];
}

/** What PUBLIC had before and has not now. */
function givenBack(
  privilege: PublicPrivilege,
  database: string,
  before: Grantors = [],
  state?: PublicState,
): PublicDecision['grants'] {
  const missing = state === undefined ? [] : before.filter(grantor => !state.held.some(({ by }) => by === grantor));
  return missing.map(by => ({
    privilege,
    by,
    change: changeOf('grant', privilege, database, by === null ? granting(state!.owner, privilege) : { grantor: by }),
  }));
}

function changeOf(
  kind: 'grant' | 'revoke',
  privilege: PublicPrivilege,
  database: string,
  acting: ActAs,
): ChangeOf<'grant' | 'revoke'> {
  const on
    = privilege === 'CONNECT' ? ({ type: 'DATABASE', database } as const) : ({ type: 'SCHEMA', schema: PUBLIC } as const);
  return { kind, privileges: [privilege], on, roles: [PUBLIC], ...acting };
}

function describe(privilege: PublicPrivilege, database: string): string {
  return privilege === 'CONNECT'
    ? `CONNECT on database ${JSON.stringify(database)}`
    : `CREATE on schema "public" in database ${JSON.stringify(database)}`;
}

const NAMED = 10;

/** For a reason, which is cut at its end. */
export function named(roles: readonly string[]): string {
  const more = roles.length - NAMED;
  return `${roles.slice(0, NAMED).map(role => JSON.stringify(role)).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
