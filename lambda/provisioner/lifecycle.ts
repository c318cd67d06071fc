import { Change } from './change';
import { ProvisionError } from './errors';
import { Claim, Declaration, Owner, sameResource } from './state';

/** What a resource asks for: a user of one database cluster. */
export interface User {
  readonly resourceId: string;
  readonly username: string;
}

/** What there is before anything is decided. */
export interface Facts {
  readonly claims: Claim[];
  /** Oid by name, of the roles whose names matter here: the wanted one and those that the claims declare. */
  readonly roles: ReadonlyMap<string, string>;
}

/** A role that is to end up as declared, whoever's resource asks for it. */
export interface Convergence {
  readonly username: string;
  readonly wanted: Declaration;
  /** Earlier declarations: they bound what may be revoked. */
  readonly previous: Declaration[];
}

/** A row of the registry to write; the role is the one that has the username then. */
export interface Registration extends Owner {
  readonly resourceId: string;
  readonly username: string;
  readonly declaration: Declaration;
}

export interface Decision {
  /** Roles created and renamed, in this order. */
  readonly changes: Change[];
  readonly converge: Convergence[];
  readonly record: Registration[];
  readonly forget: Claim[];
}

export type Removal
  = | { readonly kind: 'leave'; readonly reason: string }
    | { readonly kind: 'handOver'; readonly decision: Decision }
    | { readonly kind: 'remove'; readonly claim: Claim; readonly username: string; readonly previous: Declaration[] };

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
export function decideApply(me: Owner, wanted: User & { declaration: Declaration }, facts: Facts): Decision {
  const { resourceId, username, declaration } = wanted;
  const live = liveClaims(me, facts);
  const mine = live.find(claim => sameResource(claim, me) && claim.roleName !== undefined);
  const others = live.filter(claim => !sameResource(claim, me));
  const holder = facts.roles.get(username);
  const names = new Names(facts.roles);
  const record: Registration[] = [{ ...owner(me), resourceId, username, declaration }];
  const converge: Convergence[] = [{ username, wanted: declaration, previous: declarationsOf(mine?.roleOid, facts) }];

  if (holder === undefined) {
    if (mine) {
      names.rename(mine.roleName!, username);
    } else {
      names.create(username);
    }
  } else if (holder !== mine?.roleOid) {
    const onHolder = facts.claims.filter(({ roleOid, roleName }) => roleOid === holder && roleName !== undefined);
    const sharers = onHolder.filter(claim => others.includes(claim));
    const released = onHolder.filter(claim => !live.includes(claim));
    refuseForeign(me, username, sharers, released);
    if (mine && sharers.length === 0) {
      throw new ProvisionError(`cannot rename user ${quoted(mine.roleName!)} to ${quoted(username)}: a role of that name is left from a user that was removed; `
        + 'drop or rename that role first, or choose another username');
    }
    if (mine) {
      names.rename(username, parkedName(holder));
      names.rename(mine.roleName!, username);
    } else {
      converge[0] = { username, wanted: declaration, previous: declarationsOf(holder, facts) };
      return { changes: [], converge, record, forget: released.filter(claim => !sameResource(claim, me)) };
    }
  }

  // Whoever shared the renamed role declares its old name still, and gets a role of that name.
  for (const sharer of others.filter(({ roleOid }) => roleOid === mine?.roleOid)) {
    if (sharer.username !== username && names.free(sharer.username)) {
      names.create(sharer.username);
      converge.push({ username: sharer.username, wanted: sharer.declaration, previous: [] });
      record.push({ ...owner(sharer), resourceId: sharer.resourceId, username: sharer.username, declaration: sharer.declaration });
    }
  }
  names.settle(others);
  return { changes: names.changes, converge, record, forget: [] };
}

/**
 * Delete of a resource: of its role only if the resource still manages it under that name and for that cluster. After a
 * rename, after a restore that kept the endpoint, or after the user moved to another construct, CloudFormation deletes an
 * old physical id that has nothing of its own any more.
 */
export function decideRemove(me: Owner, { resourceId, username }: User, facts: Facts): Removal {
  const live = liveClaims(me, facts);
  const mine = live.find(claim => sameResource(claim, me));
  if (mine?.username !== username || mine.resourceId !== resourceId) {
    return { kind: 'leave', reason: mine ? `this resource manages ${quoted(mine.username)} of ${mine.resourceId} now` : 'this resource manages no user of that name' };
  }
  const names = new Names(facts.roles);
  const others = live.filter(claim => claim !== mine);
  // Any of them: they declare the same name, and the others only until their own Delete arrives.
  const heir = others.find(({ roleOid }) => roleOid === mine.roleOid);
  if (mine.roleName !== undefined && heir === undefined) {
    return { kind: 'remove', claim: mine, username: mine.roleName, previous: declarationsOf(mine.roleOid, facts) };
  }
  names.settle(others);
  const converge = heir?.roleName === undefined
    ? []
    : [{ username: names.nameOf(heir.roleOid) ?? heir.roleName, wanted: heir.declaration, previous: declarationsOf(heir.roleOid, facts) }];
  return { kind: 'handOver', decision: { changes: names.changes, converge, record: [], forget: [mine] } };
}

/** What is left to do for the others of the stack once a role is gone: names that had to wait for it. */
export function decideAfterRemoval(me: Owner, facts: Facts): Change[] {
  const names = new Names(facts.roles);
  names.settle(liveClaims(me, facts));
  return names.changes;
}

/** A role that had to make room for another of its stack waits under this name. */
export function parkedName(roleOid: string): string {
  return `cdk_aurora_iam_auth_renaming_${roleOid}`;
}

/**
 * The claims whose resources exist. A stack of the same name but another id is a predecessor that was deleted:
 * stack names are unique in an account and Region.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
 */
function liveClaims(me: Owner, { claims }: Facts): Claim[] {
  return claims.filter(claim => !claim.disabled && !(claim.stack === me.stack && claim.stackId !== me.stackId));
}

/** What was ever granted to the role: by whoever manages it, or did so while it was shared. */
function declarationsOf(roleOid: string | undefined, { claims }: Facts): Declaration[] {
  return claims.filter(claim => claim.roleOid === roleOid && claim.roleName !== undefined).map(({ declaration }) => declaration);
}

function refuseForeign(me: Owner, username: string, sharers: Claim[], released: Claim[]): void {
  const foreign = sharers.find(({ stack }) => stack !== me.stack);
  if (foreign) {
    throw new ProvisionError(`user ${quoted(username)} is managed by another stack already (${foreign.stackId}, resource ${foreign.logicalId}); `
      + 'declare it in one stack only, or choose another username; if that stack is gone, drop the role');
  }
  if (sharers.length + released.length === 0) {
    throw new ProvisionError(`role ${quoted(username)} exists already and was not created by this library, so it is left as it is; `
      + 'choose another username, or drop or rename that role first');
  }
}

function owner({ stack, stackId, logicalId }: Owner): Owner {
  return { stack, stackId, logicalId };
}

function quoted(name: string): string {
  return JSON.stringify(name);
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

  public create(name: string): void {
    this.oids.set(name, undefined);
    this.changes.push({ kind: 'createUser', username: name });
  }

  public rename(from: string, to: string): void {
    this.oids.set(to, this.oids.get(from));
    this.oids.delete(from);
    this.changes.push({ kind: 'renameUser', username: from, to });
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
