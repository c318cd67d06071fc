import { declaredNow, endedMemberships, existingRoles, type ExpiredRole, rolesOnRecord } from './expiry';
import { type Place, withPresentNames } from './identities';
import type { Decision, Facts } from './lifecycle';
import { groupsOf } from './plan-shared';
import type { Claim, Declaration } from './state';

/** A role of which memberships are over, or have ended while sessions have not. */
export interface EndedMemberships extends ExpiredRole {
  /** Names that the groups have now. */
  readonly groups: string[];
  /** An earlier event has taken memberships back, and it is not known whether it has ended the sessions. */
  readonly endSessions: boolean;
}

/**
 * Memberships that are over: those that the event declares so, and others by what the registry has of them. A role that
 * two constructs declare stays a member as long as one of them says so; about a role of its own, the event alone
 * decides what lasts.
 */
export function rolesWithEndedMemberships(
  facts: Facts,
  decision: Decision,
  date: number,
  place: Place,
): EndedMemberships[] {
  const onRecord = endedOnRecord(facts, date, place);
  const existing = existingRoles(facts, decision);
  const own = existing.flatMap(({ username, roleOid, wanted }) => {
    const { groups = [], endSessions = false } = onRecord.find(({ claim }) => claim.roleOid === roleOid) ?? {};
    const lasting = groupsOf(wanted);
    const ended = [...new Set([...wanted.ended ?? [], ...groups])].filter(group => !lasting.includes(group));
    return ended.length > 0 || endSessions
      ? [{ username, claim: { roleOid }, isOwn: true, groups: ended, endSessions }]
      : [];
  });
  const isOwn = new Set(existing.map(({ roleOid }) => roleOid));
  return [...own, ...onRecord.filter(({ claim }) => !isOwn.has(claim.roleOid))];
}

/** The same of the registry alone. */
export function endedOnRecord(
  facts: Pick<Facts, 'claims' | 'unreadable' | 'roles' | 'databaseOids'>,
  date: number,
  place: Place,
): EndedMemberships[] {
  const names = { roles: facts.roles, databases: facts.databaseOids };
  const groupsIn = (claim: Claim, choose: (declaration: Declaration, ended: string[]) => string[]): string[] => {
    const declaration = declaredNow(claim);
    const memberOf = declaration === undefined ? [] : choose(declaration, endedMemberships(declaration, date));
    return memberOf.length === 0
      ? []
      : withPresentNames({ ...declaration!, memberOf, databases: [], identities: claim.identities }, names, place)
        .memberOf;
  };
  const endedIn = (claim: Claim) => groupsIn(claim, (_, ended) => ended);
  const lastingIn = (claim: Claim) =>
    groupsIn(claim, (declaration, ended) => groupsOf({ role: '', declaration, previous: [], deployed: [], ended }));
  const marked = new Set(facts.claims.flatMap(({ roleOid, endSessions }) => endSessions === true ? [roleOid] : []));
  return rolesOnRecord(facts, place.resourceId).flatMap(({ username, roleOid, counted }) => {
    const lasting = new Set(counted.flatMap(lastingIn));
    const groups = [...new Set(counted.flatMap(endedIn))].filter(group => !lasting.has(group)).sort();
    const endSessions = marked.has(roleOid);
    return groups.length > 0 || endSessions
      ? [{ username, claim: { roleOid }, isOwn: false, groups, endSessions }]
      : [];
  });
}
