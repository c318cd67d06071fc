import type { Decision, Facts } from './lifecycle';
import type { Claim, Declaration } from './state';

/** A role that its user may not sign in as any more. */
export interface ExpiredRole {
  /** The name that the role has now. */
  readonly username: string;
  readonly claim: Pick<Claim, 'roleOid'>;
  /** Whether the event that is carried out declares it. */
  readonly isOwn: boolean;
}

/** @param date milliseconds since 1970 */
export function hasExpired({ expiresAt }: Declaration, date: number): boolean {
  return expiresAt !== undefined && expiresAt <= date;
}

/** The decision as of now: whose time is over is to have neither login nor rds_iam. */
export function withExpired(decision: Decision, date: number): Decision {
  return { ...decision, converge: decision.converge.map(one => hasExpired(one.declaration, date) ? { ...one, expired: true } : one) };
}

/**
 * Roles whose time is over: those that the event declares so, and others by all that the registry has of them. A user that moves to another
 * construct is registered twice, and may stay as long as one of the two says so. What is kept of a resource that is gone counts as well.
 */
export function expiredRoles(facts: Facts, { converge, changes }: Decision, date: number, resourceId: string): ExpiredRole[] {
  const created = new Set(changes.flatMap(change => change.kind === 'createRole' ? [change.role] : []));
  // The names that they have before the changes: a role that is created may get the name that another one has until then.
  const own = converge.filter(({ role }) => !created.has(role)).map(({ role, expired = false }) => {
    const username = changes.find(change => change.kind === 'renameRole' && change.to === role);
    const before = username?.kind === 'renameRole' ? username.role : role;
    return { username: before, roleOid: facts.roles.get(before), expired };
  });
  const others = expiredOnRecord(facts, date, resourceId).filter(({ claim }) => !own.some(({ roleOid }) => roleOid === claim.roleOid));
  return [
    ...own.flatMap(({ username, roleOid, expired }) => expired && roleOid !== undefined ? [{ username, claim: { roleOid }, isOwn: true }] : []),
    ...others,
  ];
}

/**
 * The same of the registry alone. Where a resource of this database manages a role, those of the database that it was copied from have no say: no
 * event of them ever comes here.
 */
export function expiredOnRecord({ claims, unreadable }: Pick<Facts, 'claims' | 'unreadable'>, date: number, resourceId: string): ExpiredRole[] {
  const named = claims.filter(({ roleName, roleOid }) => roleName !== undefined && !unreadable.some(row => row.roleOid === roleOid));
  const managedHere = new Set(named.filter(claim => claim.resourceId === resourceId && !claim.released).map(({ roleOid }) => roleOid));
  const counted = named.filter(claim => claim.resourceId === resourceId || !managedHere.has(claim.roleOid));
  const lasting = new Set(counted.filter(claim => !declaredExpired(claim, date)).map(({ roleOid }) => roleOid));
  const roles = new Map(named.map(({ roleOid, roleName }) => [roleOid, roleName!]));
  return [...roles].filter(([roleOid]) => !lasting.has(roleOid)).map(([roleOid, username]) => ({ username, claim: { roleOid }, isOwn: false }));
}

/** Milliseconds until the next moment at which the time of a role is over; undefined if there is none. */
export function untilNextExpiry(claims: Claim[], date: number): number | undefined {
  const times = claims.flatMap(({ declarations }) => declarations.at(-1)?.expiresAt ?? []).filter(time => time > date);
  return times.length === 0 ? undefined : Math.min(...times) - date;
}

/** By what it declares now, should a change have been under way. */
function declaredExpired({ declarations }: Claim, date: number): boolean {
  const declaration = declarations.at(-1);
  return declaration !== undefined && hasExpired(declaration, date);
}
