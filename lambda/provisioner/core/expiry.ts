import type { Decision, Facts } from './lifecycle';
import type { Wanted } from './plan-shared';
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

/** Groups in which the membership that is declared is over. */
export function endedMemberships({ endingMemberships = [] }: Declaration, date: number): string[] {
  return endingMemberships.filter(({ expiresAt }) => expiresAt <= date).map(({ group }) => group);
}

/**
 * The decision as of now: whose time is over is to have neither login nor rds_iam, and no membership whose time is
 * over.
 *
 * @param lookedAt when the event has ended memberships and the sessions of their members. One that is over since then
 * is left to the schedule, whose event waits for this one
 */
export function withExpired(decision: Decision, date: number, lookedAt = date): Decision {
  const converge = decision.converge.map((one) => {
    const ended = endedMemberships(one.declaration, lookedAt);
    return {
      ...one,
      ...(hasExpired(one.declaration, date) ? { expired: true } : {}),
      ...(ended.length > 0 ? { ended } : {}),
    };
  });
  return { ...decision, converge };
}

/**
 * Roles whose time is over: those that the event declares so, and others by all that the registry has of them. A user
 * that moves to another construct is registered twice, and may stay as long as one of the two says so. What is kept of
 * a resource that is gone counts as well.
 */
export function expiredRoles(
  facts: Facts,
  { converge, changes }: Decision,
  date: number,
  resourceId: string,
): ExpiredRole[] {
  const own = existingRoles(facts, { converge, changes });
  const others = expiredOnRecord(facts, date, resourceId).filter(
    ({ claim }) => !own.some(({ roleOid }) => roleOid === claim.roleOid),
  );
  return [
    ...own.flatMap(({ username, roleOid, wanted: { expired } }) =>
      expired ? [{ username, claim: { roleOid }, isOwn: true }] : [],
    ),
    ...others,
  ];
}

/** A role that is there and that a decision is about. */
interface ExistingRole {
  /**
   * The name that it has before the changes: a role that is created may get the name that another one has until then.
   */
  readonly username: string;
  readonly roleOid: string;
  readonly wanted: Wanted;
}

export function existingRoles(
  { roles }: Pick<Facts, 'roles'>,
  { converge, changes }: Pick<Decision, 'converge' | 'changes'>,
): ExistingRole[] {
  const created = new Set(changes.flatMap(change => change.kind === 'createRole' ? [change.role] : []));
  return converge.filter(({ role }) => !created.has(role)).flatMap((wanted) => {
    const renamed = changes.find(change => change.kind === 'renameRole' && change.to === wanted.role);
    const username = renamed?.kind === 'renameRole' ? renamed.role : wanted.role;
    const roleOid = roles.get(username);
    return roleOid === undefined ? [] : [{ username, roleOid, wanted }];
  });
}

/** The same of the registry alone. */
export function expiredOnRecord(
  facts: Pick<Facts, 'claims' | 'unreadable'>,
  date: number,
  resourceId: string,
): ExpiredRole[] {
  const isExpired = (claim: Claim) => {
    const declaration = declaredNow(claim);
    return declaration !== undefined && hasExpired(declaration, date);
  };
  return rolesOnRecord(facts, resourceId)
    .filter(({ counted }) => counted.every(isExpired))
    .map(({ username, roleOid }) => ({ username, claim: { roleOid }, isOwn: false }));
}

interface RoleOnRecord {
  readonly username: string;
  readonly roleOid: string;
  /** The rows that have a say. */
  readonly counted: Claim[];
}

/**
 * The roles of which all rows are understood. Where a resource of this database manages a role, those of the database
 * that it was copied from have no say: no event of them ever comes here.
 */
export function rolesOnRecord(
  { claims, unreadable }: Pick<Facts, 'claims' | 'unreadable'>,
  resourceId: string,
): RoleOnRecord[] {
  const notUnderstood = new Set(unreadable.map(({ roleOid }) => roleOid));
  const byOid = new Map<string, Claim[]>();
  for (const claim of claims.filter(({ roleName, roleOid }) => roleName !== undefined && !notUnderstood.has(roleOid))) {
    byOid.set(claim.roleOid, [...byOid.get(claim.roleOid) ?? [], claim]);
  }
  return [...byOid].map(([roleOid, all]) => {
    const username = all[all.length - 1].roleName!;
    const isManagedHere = all.some(claim => claim.resourceId === resourceId && !claim.released);
    return { username, roleOid, counted: isManagedHere ? all.filter(claim => claim.resourceId === resourceId) : all };
  });
}

/**
 * Milliseconds until the next moment at which the time of a role, or of a membership, is over; undefined if there is
 * none.
 */
export function untilNextExpiry(claims: Claim[], date: number): number | undefined {
  const times = claims.flatMap((claim) => {
    const { expiresAt = [], endingMemberships = [] } = declaredNow(claim) ?? {};
    return [expiresAt, endingMemberships.map(one => one.expiresAt)].flat();
  }).filter(time => time > date);
  return times.length === 0 ? undefined : Math.min(...times) - date;
}

/** What it declares now, should a change have been under way. */
export function declaredNow({ declarations }: Claim): Declaration | undefined {
  return declarations.at(-1);
}
