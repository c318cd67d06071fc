import { distinct } from '../../shared/decode';
import { ProvisionError } from '../errors';
import type { Change } from './change';
import { Ownership } from './ownership';
import type { Wanted } from './plan-shared';
import type { PublicRows } from './public-records';
import type { UnreadableRow } from './registry-rows';
import { Names, temporaryName } from './role-names';
import { type Cancellation, type Claim, type Declaration, type ManagingResource, sameResource } from './state';

/** What a resource asks for: roles of one database cluster. */
export interface WantedRoles {
  readonly resourceId: string;
  readonly physicalId: string;
  /** Of an Update: the physical id before it. */
  readonly formerPhysicalId?: string;
  readonly roles: { readonly username: string; readonly declaration: Declaration }[];
  /** A resource of one role: another username is another name for it. */
  readonly single: boolean;
  /** A role of that name that no resource manages is taken over. */
  readonly adoptExisting: boolean;
  /** When CloudFormation has sent the event. */
  readonly sent?: number;
}

/** What there is before anything is decided. */
export interface Facts {
  readonly claims: Claim[];
  /** Rows of the registry that are not understood: an error for their roles, and for no other. */
  readonly unreadable: UnreadableRow[];
  /** Those of the claims that are stored in the form that had no format number. */
  readonly withoutFormat: Claim[];
  readonly cancelled: Cancellation[];
  readonly ofPublic: PublicRows;
  /** Of the server, in milliseconds since 1970; undefined if nothing is registered. */
  readonly now?: number;
  /** Oid by name, of the roles whose names matter here: the wanted ones and those that the claims declare, or name. */
  readonly roles: ReadonlyMap<string, string>;
  /** Oid by name, of all databases. */
  readonly databaseOids: ReadonlyMap<string, string>;
  /** Databases that can be connected to. */
  readonly databases: string[];
  /** Databases that accept no connections. */
  readonly closed: string[];
}

/** A row of the registry to write; the role is the one that has the username then. */
export interface Registration extends ManagingResource {
  readonly resourceId: string;
  readonly physicalId: string;
  readonly username: string;
  readonly declaration: Declaration;
  readonly sent?: number;
  /** What is registered for the resource and is replaced by this. */
  readonly supersedes: 'any name' | 'this name';
  /** The resource takes over a role that is there. */
  readonly existed?: true;
}

/**
 * Whether a row is about a role that was registered for the resource before, under this name or, where it is of one
 * role, under another.
 */
export function replaces({ supersedes, username }: Registration, claim: Claim): boolean {
  return claim.username === username || (supersedes === 'any name' && !claim.released);
}

export interface Decision {
  /** Roles created and renamed, in this order. */
  readonly changes: Change[];
  /** Roles that are to end up as declared, for whichever resource. */
  readonly converge: Wanted[];
  readonly record: Registration[];
  readonly forget: Claim[];
  /** Names of roles that no resource managed before. */
  readonly adopted: string[];
  /** Physical ids of this resource whose roles are to be removed, because CloudFormation does not know them. */
  readonly abandoned?: string[];
}

export type Removal
  = | { readonly kind: 'leave'; readonly username: string; readonly reason: string }
    | { readonly kind: 'handOver'; readonly username: string; readonly successor?: Claim; readonly decision: Decision }
  /**
   * `keptBecause`: what it has been granted is not understood, or was there before: its access is all that is taken.
   */
    | {
      readonly kind: 'remove';
      readonly claim: Claim;
      readonly username: string;
      readonly previous: Declaration[];
      readonly keptBecause?: string;
    }
  /** The registry does not say clearly enough whose it is. */
    | { readonly kind: 'unclear'; readonly username: string; readonly problem: string };

/** A role that is to go: no other resource manages it. */
export type RoleRemoval = Extract<Removal, { kind: 'remove' }>;

/**
 * Create and Update of a resource. The registry decides which of the two it is, not the event: that makes an event
 * delivered twice, a reply lost after the commit and a retry after a crash the same as any other update.
 *
 * CloudFormation works on resources in parallel, and undoes in an order of its own. So resources of one stack that
 * change their usernames meet here in any order, and a name may still be another one's:
 * - a new resource that declares a name of its own stack shares the role (the user moved to another construct);
 * - an old resource that takes a name of its own stack renames that role out of the way, until its resource says what
 *   happens to it. Nothing is dropped to make room.
 */
export function decideApply(self: ManagingResource, wanted: WantedRoles, facts: Facts): Decision {
  const ownership = new Ownership(self, facts.claims);
  const names = new Names(facts.roles);
  const decisions = wanted.roles.map(role => decideRole(self, wanted, role, facts, ownership, names));
  names.assignFreedNames(ownership.others);
  const abandoned = abandonedIds(wanted, ownership.own);
  return {
    ...abandoned.length > 0 ? { abandoned } : {},
    changes: names.changes,
    converge: decisions.flatMap(({ converge }) => converge),
    record: decisions.flatMap(({ record }) => record),
    forget: decisions.flatMap(({ forget }) => forget),
    adopted: decisions.flatMap(({ adopted }) => adopted),
  };
}

/**
 * A list has another physical id with each set of names, and a Delete of the old one follows. But CloudFormation does
 * not learn the id of an Update that it has cancelled, or whose function was killed: the rollback is an Update of the
 * id before that one, and no Delete comes for what was made in between.
 */
function abandonedIds(
  { single, physicalId, formerPhysicalId, resourceId, roles }: WantedRoles,
  own: Claim[],
): string[] {
  const names = new Set(roles.map(({ username }) => username));
  return single || formerPhysicalId === undefined
    ? []
    : distinct(own
        .filter(claim => claim.resourceId === resourceId && !names.has(claim.username))
        .map(claim => claim.physicalId)
        .filter(id => id !== physicalId && id !== formerPhysicalId));
}

function decideRole(
  self: ManagingResource,
  { resourceId, physicalId, single, adoptExisting, sent }: WantedRoles,
  { username, declaration }: WantedRoles['roles'][number],
  facts: Facts,
  ownership: Ownership,
  names: Names,
): Omit<Decision, 'changes'> {
  const ownClaim = (single ? ownership.own : ownership.ownNamed(username)).find(claim => claim.roleName !== undefined);
  const holder = facts.roles.get(username);
  refuseUnreadable(self, single, username, [holder, ownClaim?.roleOid], facts);
  const record: Registration[] = [
    {
      ...identityOf(self),
      resourceId,
      physicalId,
      username,
      declaration,
      sent,
      supersedes: single ? 'any name' : 'this name',
    },
  ];
  const converge: Wanted[] = [
    {
      role: username,
      declaration,
      previous: ownership.declarationsOf(ownClaim?.roleOid),
      deployed: ownership.deployedTo(ownClaim?.roleOid),
    },
  ];

  if (holder === undefined) {
    if (ownClaim) {
      names.rename(ownClaim.roleName!, username);
    } else {
      names.create(username, declaration.kind);
    }
  } else if (holder !== ownClaim?.roleOid) {
    const onHolder = ownership.on(holder).filter(({ roleName }) => roleName !== undefined);
    const [released, managed] = split(onHolder, claim => !ownership.isLive(claim));
    // Another stack manages it in the database that this one was restored from.
    const [ofOriginal, otherManagers] = split(
      managed.filter(claim => !sameResource(claim, self)),
      claim => claim.stack !== self.stack && claim.resourceId !== resourceId,
    );
    const unmanaged = otherManagers.length + released.length === 0;
    refuseForeign(self, username, otherManagers);
    if (unmanaged && (ownClaim !== undefined || !adoptExisting)) {
      refuseUnmanaged(username, resourceId, ofOriginal);
    }
    if (ownClaim && otherManagers.length === 0 && !released.every(claim => ownership.isAbandoned(claim))) {
      throw new ProvisionError(
        `cannot rename ${quoted(ownClaim.roleName!)} to ${quoted(username)}: a role of that name is left from one that was removed; `
        + 'drop or rename that role first, or choose another name',
      );
    }
    if (!ownClaim) {
      const shared = {
        role: username,
        declaration,
        previous: ownership.declarationsOf(holder),
        deployed: ownership.deployedTo(holder),
      };
      return {
        converge: [shared],
        record: record.map(one => ({ ...one, existed: true })),
        forget: [...released.filter(claim => !sameResource(claim, self)), ...ofOriginal],
        adopted: unmanaged ? [username] : [],
      };
    }
    names.rename(username, temporaryName(holder));
    names.rename(ownClaim.roleName!, username);
  }

  // A resource that shared the renamed role declares its old name still, and gets a role of that name.
  for (const other of ownership.on(ownClaim?.roleOid)) {
    const declared = inForce(other);
    if (
      ownership.isOfSameStack(other, resourceId)
      && !sameResource(other, self)
      && other.username !== username
      && names.free(other.username)
      && declared !== undefined
    ) {
      names.create(other.username, declared.kind);
      converge.push({ role: other.username, declaration: declared, previous: [], deployed: other.deployed });
      record.push({
        ...identityOf(other),
        resourceId: other.resourceId,
        physicalId: other.physicalId,
        username: other.username,
        declaration: declared,
        sent: other.sent,
        supersedes: 'this name',
      });
    }
  }
  return { converge, record, forget: [], adopted: [] };
}

/** The resource that is deleted, as it was. */
export interface Deleted {
  readonly resourceId: string;
  readonly physicalId: string;
  readonly single: boolean;
  readonly usernames: string[];
  /** Its creation was cancelled, and it is not known how far it came. */
  readonly cancelled: boolean;
}

/**
 * Delete of a resource: of its role only if the resource still manages it under that name and for that cluster. After a
 * rename, after a restore that kept the endpoint, or after the user moved to another construct, CloudFormation deletes
 * an old physical id that has nothing of its own any more.
 *
 * A resource of many has another physical id with each list. What it still declares has the new one, so that the Delete
 * of the old one is about those who are not on the list any more, and comes when the deployment has succeeded.
 */
export function decideRemove(
  self: ManagingResource,
  { resourceId, physicalId, single, usernames, cancelled }: Deleted,
  facts: Facts,
): Removal[] {
  const { unreadable } = facts;
  // Whose a role is, is known also where it is not known what it was granted.
  const ownership = new Ownership(self, [...facts.claims, ...unreadable.flatMap(({ claim }) => claim ?? [])]);
  const names = single || cancelled
    ? usernames
    : distinct([
        ...ownership.own.filter(claim => claim.physicalId === physicalId).map(({ username }) => username),
        ...unreadable.filter(isInvalid).flatMap(({ roleName = '' }) => usernames.includes(roleName) ? [roleName] : []),
      ]);
  return names.map((username): Removal => {
    const ownClaim = ownership.ownNamed(username).find(claim => claim.resourceId === resourceId);
    if (!ownClaim) {
      const invalid = unreadable.find(
        row => isInvalid(row) && ((single && sameResource(row, self)) || row.roleName === username),
      );
      const [other] = ownership.own;
      return invalid
        ? { kind: 'unclear', username, problem: invalid.problem }
        : {
            kind: 'leave',
            username,
            reason: other
              ? `this resource manages ${quoted(other.username)} of ${other.resourceId} now`
              : 'this resource manages no role of that name',
          };
    }
    // Any of them: they declare the same name, and the others only until their own Delete arrives. Another stack, or
    // another database, has no say in it.
    const successor = ownership
      .on(ownClaim.roleOid)
      .find(claim => claim !== ownClaim && claim.roleName !== undefined && ownership.isOfSameStack(claim, resourceId));
    const keptBecause
      = unreadable.find(({ claim }) => claim === ownClaim)?.problem
        ?? (cancelled && ownClaim.existed ? EXISTED : undefined);
    return ownClaim.roleName !== undefined && successor === undefined
      ? {
          kind: 'remove',
          claim: ownClaim,
          username: ownClaim.roleName,
          previous: ownership.declarationsOf(ownClaim.roleOid),
          ...(keptBecause === undefined ? {} : { keptBecause }),
        }
      : { kind: 'handOver', username, successor, decision: handOver(ownClaim, successor, facts, ownership) };
  });
}

const EXISTED = 'it was there before its creation, which CloudFormation has cancelled';

/** Not even whose it is, of a role that is there. */
function isInvalid({ claim, roleName, released }: UnreadableRow): boolean {
  return claim === undefined && roleName !== undefined && !released;
}

function handOver(ownClaim: Claim, successor: Claim | undefined, facts: Facts, ownership: Ownership): Decision {
  const names = new Names(facts.roles);
  names.assignFreedNames([...ownership.own, ...ownership.others].filter(claim => claim !== ownClaim));
  const declaration = successor && inForce(successor);
  const converge: Wanted[]
    = successor?.roleName === undefined || declaration === undefined
      ? []
      : [
          {
            role: names.nameOf(successor.roleOid) ?? successor.roleName,
            declaration,
            previous: ownership.declarationsOf(successor.roleOid),
            deployed: ownership.deployedTo(successor.roleOid),
          },
        ];
  return { changes: names.changes, converge, record: [], forget: [ownClaim], adopted: [] };
}

/** What is left to do for the others of the stack once a role is gone: names that had to wait for it. */
export function decideAfterRemoval(self: ManagingResource, facts: Facts): Change[] {
  const { own, others } = new Ownership(self, facts.claims);
  const names = new Names(facts.roles);
  names.assignFreedNames([...own, ...others]);
  return names.changes;
}

/** The latest of them, should a change have been under way; none, if it is not known what was granted. */
function inForce({ declarations }: Claim): Declaration | undefined {
  return declarations[declarations.length - 1];
}

/** A role about which the registry has something that is not understood is left as it is. */
function refuseUnreadable(
  self: ManagingResource,
  single: boolean,
  username: string,
  roleOids: (string | undefined)[],
  { unreadable }: Facts,
): void {
  const row = unreadable.find(
    ({ roleName, roleOid, released, stack, logicalId, username: declared }) =>
      roleName !== undefined
      && (roleOids.includes(roleOid)
        || (!released && sameResource({ stack, logicalId }, self) && (single || declared === username))),
  );
  if (row) {
    throw new ProvisionError(row.problem);
  }
}

function refuseForeign(self: ManagingResource, username: string, otherManagers: Claim[]): void {
  const foreign = otherManagers.find(({ stack }) => stack !== self.stack);
  if (foreign) {
    throw new ProvisionError(
      `${quoted(username)} is managed by another stack already (${foreign.stackId}, resource ${foreign.logicalId}); `
      + 'declare it in one stack only, or choose another name; if that stack is gone, drop the role',
    );
  }
}

function refuseUnmanaged(username: string, resourceId: string, [copy]: Claim[]): never {
  throw new ProvisionError(
    copy
      ? `role ${quoted(username)} is managed by another stack (${copy.stackId}, resource ${copy.logicalId}) in ${copy.resourceId}, which this database, ${resourceId}, was restored from; `
      + 'choose another name, or take it over here with adoptExisting'
      : `role ${quoted(username)} exists already and was not created by this library, so it is left as it is; `
        + 'choose another name, drop or rename that role first, or take it over with adoptExisting',
  );
}

function split<Item>(items: Item[], condition: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(condition), items.filter(item => !condition(item))];
}

function identityOf({ stack, stackId, logicalId }: ManagingResource): ManagingResource {
  return { stack, stackId, logicalId };
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
