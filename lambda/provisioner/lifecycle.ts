import { Change } from './change';
import { ProvisionError } from './errors';
import { Wanted } from './plan';
import type { UnreadableRow } from './registry-rows';
import { Claim, Declaration, Owner, RoleKind, sameResource } from './state';
import { distinct } from '../shared/decode';

/** What a resource asks for: roles of one database cluster. */
export interface WantedRoles {
  readonly resourceId: string;
  readonly physicalId: string;
  readonly roles: { readonly username: string; readonly declaration: Declaration }[];
  /** A resource of one role: another username is another name for it. */
  readonly single: boolean;
  /** A role of that name that nobody manages is taken over. */
  readonly adoptExisting: boolean;
}

/** What there is before anything is decided. */
export interface Facts {
  readonly claims: Claim[];
  /** Rows of the registry that are not understood: an error for their roles, and for no other. */
  readonly unreadable: UnreadableRow[];
  /** Those of the claims that are stored in the form that had no format number. */
  readonly withoutFormat: Claim[];
  /** Oid by name, of the roles whose names matter here: the wanted ones and those that the claims declare. */
  readonly roles: ReadonlyMap<string, string>;
  /** Databases that can be connected to. */
  readonly databases: string[];
}

/** A row of the registry to write; the role is the one that has the username then. */
export interface Registration extends Owner {
  readonly resourceId: string;
  readonly physicalId: string;
  readonly username: string;
  readonly declaration: Declaration;
  /** What the resource has on record that this comes instead of. */
  readonly supersedes: 'any name' | 'this name';
}

export interface Decision {
  /** Roles created and renamed, in this order. */
  readonly changes: Change[];
  /** Roles that are to end up as declared, whoever's resource asks for it. */
  readonly converge: Wanted[];
  readonly record: Registration[];
  readonly forget: Claim[];
  /** Names of roles that nobody managed before. */
  readonly adopted: string[];
}

export type Removal
  = | { readonly kind: 'leave'; readonly username: string; readonly reason: string }
    | { readonly kind: 'handOver'; readonly username: string; readonly heir?: Claim; readonly decision: Decision }
    /** `problem`: what it has been granted is not understood, so that its access is all that is taken. */
    | { readonly kind: 'remove'; readonly claim: Claim; readonly username: string; readonly previous: Declaration[]; readonly problem?: string }
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
 *   becomes of it. Nothing is dropped to make room.
 */
export function decideApply(me: Owner, wanted: WantedRoles, facts: Facts): Decision {
  const registry = new Registry(me, facts);
  const names = new Names(facts.roles);
  const decisions = wanted.roles.map(role => decideRole(me, wanted, role, facts, registry, names));
  names.settle(registry.others);
  return {
    changes: names.changes,
    converge: decisions.flatMap(({ converge }) => converge),
    record: decisions.flatMap(({ record }) => record),
    forget: decisions.flatMap(({ forget }) => forget),
    adopted: decisions.flatMap(({ adopted }) => adopted),
  };
}

function decideRole(
  me: Owner,
  { resourceId, physicalId, single, adoptExisting }: WantedRoles,
  { username, declaration }: WantedRoles['roles'][number],
  facts: Facts,
  registry: Registry,
  names: Names,
): Omit<Decision, 'changes'> {
  const mine = registry.own.find(claim => claim.roleName !== undefined && (single || claim.username === username));
  const holder = facts.roles.get(username);
  refuseUnreadable(me, single, username, [holder, mine?.roleOid], facts);
  const record: Registration[] = [{ ...owner(me), resourceId, physicalId, username, declaration, supersedes: single ? 'any name' : 'this name' }];
  const converge: Wanted[] = [{ role: username, declaration, previous: registry.declarationsOf(mine?.roleOid) }];

  if (holder === undefined) {
    if (mine) {
      names.rename(mine.roleName!, username);
    } else {
      names.create(username, declaration.kind);
    }
  } else if (holder !== mine?.roleOid) {
    const onHolder = registry.on(holder).filter(({ roleName }) => roleName !== undefined);
    const [released, managed] = split(onHolder, claim => !registry.isLive(claim));
    // Another stack manages it in the database that this one was restored from.
    const [copied, sharers] = split(managed.filter(claim => !sameResource(claim, me)), claim => claim.stack !== me.stack && claim.resourceId !== resourceId);
    const unmanaged = sharers.length + released.length === 0;
    refuseForeign(me, username, sharers);
    if (unmanaged && (mine !== undefined || !adoptExisting)) {
      refuseUnmanaged(username, resourceId, copied);
    }
    if (mine && sharers.length === 0) {
      throw new ProvisionError(`cannot rename ${quoted(mine.roleName!)} to ${quoted(username)}: a role of that name is left from one that was removed; `
        + 'drop or rename that role first, or choose another name');
    }
    if (!mine) {
      const shared = { role: username, declaration, previous: registry.declarationsOf(holder) };
      return { converge: [shared], record, forget: [...released.filter(claim => !sameResource(claim, me)), ...copied], adopted: unmanaged ? [username] : [] };
    }
    names.rename(username, parkedName(holder));
    names.rename(mine.roleName!, username);
  }

  // Whoever shared the renamed role declares its old name still, and gets a role of that name.
  for (const sharer of registry.on(mine?.roleOid)) {
    const declared = inForce(sharer);
    if (registry.isOfSameStack(sharer, resourceId) && !sameResource(sharer, me) && sharer.username !== username && names.free(sharer.username) && declared !== undefined) {
      names.create(sharer.username, declared.kind);
      converge.push({ role: sharer.username, declaration: declared, previous: [] });
      record.push({ ...owner(sharer), resourceId: sharer.resourceId, physicalId: sharer.physicalId, username: sharer.username, declaration: declared, supersedes: 'this name' });
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
  /** Its creation was cancelled, and nobody knows how far it came. */
  readonly cancelled: boolean;
}

/**
 * Delete of a resource: of its role only if the resource still manages it under that name and for that cluster. After a
 * rename, after a restore that kept the endpoint, or after the user moved to another construct, CloudFormation deletes an
 * old physical id that has nothing of its own any more.
 *
 * A resource of many has another physical id with each list. What it still declares has the new one, so that the Delete of
 * the old one is about those who are not on the list any more, and comes when the deployment has succeeded.
 */
export function decideRemove(me: Owner, { resourceId, physicalId, single, usernames, cancelled }: Deleted, facts: Facts): Removal[] {
  const { unreadable } = facts;
  // Whose a role is, is known also where it is not known what it was granted.
  const registry = new Registry(me, { ...facts, claims: [...facts.claims, ...unreadable.flatMap(({ claim }) => claim ?? [])] });
  const names = single || cancelled
    ? usernames
    : distinct([
        ...registry.own.filter(claim => claim.physicalId === physicalId).map(({ username }) => username),
        ...unreadable.filter(isInvalid).flatMap(({ roleName = '' }) => usernames.includes(roleName) ? [roleName] : []),
      ]);
  return names.map((username): Removal => {
    const mine = registry.own.find(claim => claim.username === username && claim.resourceId === resourceId);
    if (!mine) {
      const invalid = unreadable.find(row => isInvalid(row) && ((single && sameResource(row, me)) || row.roleName === username));
      const [other] = registry.own;
      return invalid
        ? { kind: 'unclear', username, problem: invalid.problem }
        : { kind: 'leave', username, reason: other ? `this resource manages ${quoted(other.username)} of ${other.resourceId} now` : 'this resource manages no role of that name' };
    }
    // Any of them: they declare the same name, and the others only until their own Delete arrives. Another stack, or another database, has no say in it.
    const heir = registry.on(mine.roleOid).find(claim => claim !== mine && claim.roleName !== undefined && registry.isOfSameStack(claim, resourceId));
    const problem = unreadable.find(({ claim }) => claim === mine)?.problem;
    return mine.roleName !== undefined && heir === undefined
      ? { kind: 'remove', claim: mine, username: mine.roleName, previous: registry.declarationsOf(mine.roleOid), ...problem === undefined ? {} : { problem } }
      : { kind: 'handOver', username, heir, decision: handOver(mine, heir, facts, registry) };
  });
}

/** Not even whose it is, of a role that is there. */
function isInvalid({ claim, roleName, released }: UnreadableRow): boolean {
  return claim === undefined && roleName !== undefined && !released;
}

function handOver(mine: Claim, heir: Claim | undefined, facts: Facts, registry: Registry): Decision {
  const names = new Names(facts.roles);
  names.settle([...registry.own, ...registry.others].filter(claim => claim !== mine));
  const declaration = heir && inForce(heir);
  const converge: Wanted[] = heir?.roleName === undefined || declaration === undefined
    ? []
    : [{ role: names.nameOf(heir.roleOid) ?? heir.roleName, declaration, previous: registry.declarationsOf(heir.roleOid) }];
  return { changes: names.changes, converge, record: [], forget: [mine], adopted: [] };
}

/** What is left to do for the others of the stack once a role is gone: names that had to wait for it. */
export function decideAfterRemoval(me: Owner, facts: Facts): Change[] {
  const { own, others } = new Registry(me, facts);
  const names = new Names(facts.roles);
  names.settle([...own, ...others]);
  return names.changes;
}

/** A role that had to make room for another of its stack waits under this name. */
export function parkedName(roleOid: string): string {
  return `cdk_aurora_iam_auth_renaming_${roleOid}`;
}

/** The latest of them, should a change have been under way; none, if it is not known what was granted. */
function inForce({ declarations }: Claim): Declaration | undefined {
  return declarations[declarations.length - 1];
}

/** A role about which the registry has something that is not understood is left as it is. */
function refuseUnreadable(me: Owner, single: boolean, username: string, roleOids: (string | undefined)[], { unreadable }: Facts): void {
  const row = unreadable.find(({ roleName, roleOid, released, stack, logicalId, username: declared }) => roleName !== undefined
    && (roleOids.includes(roleOid) || (!released && sameResource({ stack, logicalId }, me) && (single || declared === username))));
  if (row) {
    throw new ProvisionError(row.problem);
  }
}

function refuseForeign(me: Owner, username: string, sharers: Claim[]): void {
  const foreign = sharers.find(({ stack }) => stack !== me.stack);
  if (foreign) {
    throw new ProvisionError(`${quoted(username)} is managed by another stack already (${foreign.stackId}, resource ${foreign.logicalId}); `
      + 'declare it in one stack only, or choose another name; if that stack is gone, drop the role');
  }
}

function refuseUnmanaged(username: string, resourceId: string, [copy]: Claim[]): never {
  throw new ProvisionError(copy
    ? `role ${quoted(username)} is managed by another stack (${copy.stackId}, resource ${copy.logicalId}) in ${copy.resourceId}, which this database, ${resourceId}, was restored from; `
    + 'choose another name, or take it over here with adoptExisting'
    : `role ${quoted(username)} exists already and was not created by this library, so it is left as it is; `
      + 'choose another name, drop or rename that role first, or take it over with adoptExisting');
}

function split<Item>(items: Item[], condition: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(condition), items.filter(item => !condition(item))];
}

function owner({ stack, stackId, logicalId }: Owner): Owner {
  return { stack, stackId, logicalId };
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

/**
 * What is on record, as one resource sees it. Live are the claims whose resources exist: a stack of the same name but another id is
 * a predecessor that was deleted, because stack names are unique in an account and Region.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
 */
class Registry {
  public readonly own: Claim[];
  public readonly others: Claim[];
  private readonly live: ReadonlySet<Claim>;
  private readonly byRole = new Map<string, Claim[]>();

  constructor(private readonly me: Owner, { claims }: Pick<Facts, 'claims'>) {
    const live = claims.filter(claim => !claim.released && !(claim.stack === me.stack && claim.stackId !== me.stackId));
    this.live = new Set(live);
    this.own = live.filter(claim => sameResource(claim, me));
    this.others = live.filter(claim => !sameResource(claim, me));
    claims.forEach(claim => this.byRole.set(claim.roleOid, [...this.on(claim.roleOid), claim]));
  }

  public isLive(claim: Claim): boolean {
    return this.live.has(claim);
  }

  /** Whether a resource of this stack manages the role in this database. */
  public isOfSameStack(claim: Claim, resourceId: string): boolean {
    return this.isLive(claim) && claim.stack === this.me.stack && claim.resourceId === resourceId;
  }

  /** Claims to one role. */
  public on(roleOid: string | undefined): Claim[] {
    return roleOid === undefined ? [] : this.byRole.get(roleOid) ?? [];
  }

  /** What was ever granted to the role: by whoever manages it, or did so while it was shared. */
  public declarationsOf(roleOid: string | undefined): Declaration[] {
    return this.on(roleOid).filter(({ roleName }) => roleName !== undefined).flatMap(({ declarations }) => declarations);
  }
}

/** The names of the roles while changes to them are being decided. */
class Names {
  public readonly changes: Change[] = [];
  private readonly oids: Map<string, string | undefined>;

  constructor(roles: ReadonlyMap<string, string>) {
    this.oids = new Map(roles);
  }

  public free(name: string): boolean {
    return !this.oids.has(name);
  }

  public nameOf(oid: string): string | undefined {
    return [...this.oids].find(([, held]) => held === oid)?.[0];
  }

  public create(name: string, roleKind: RoleKind): void {
    this.oids.set(name, undefined);
    this.changes.push({ kind: 'createRole', role: name, roleKind });
  }

  public rename(from: string, to: string): void {
    this.oids.set(to, this.oids.get(from));
    this.oids.delete(from);
    this.changes.push({ kind: 'renameRole', role: from, to });
  }

  /** Gives the roles that wait for their names those that are free now. */
  public settle(claims: Claim[]): void {
    for (const { roleOid, roleName, username } of claims) {
      if (roleName === parkedName(roleOid) && this.nameOf(roleOid) === roleName && this.free(username)) {
        this.rename(roleName, username);
      }
    }
  }
}
