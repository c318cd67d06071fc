import { strongRole } from '../../../lib/contract/predefined-roles';
import type { Change } from '../core/change';
import type { RoleInGraph } from '../core/membership-graph';
import { groupsOf, type MembershipOfOther, type Wanted } from '../core/plan-shared';
import { type Declaration, RDS_IAM, type Server } from '../core/state';
import { ProvisionError } from '../errors';
import { identifier } from '../sql/quote';
import type { Shared } from './inspect';
import type { Work } from './work';

/**
 * From 16 on CREATEROLE is about the roles that one has created or has the ADMIN option on; before, about all that are
 * no superusers.
 */
const LIMITED_CREATEROLE_SINCE = 160000;

/** From which roles it is looked where memberships lead, for roles with a declaration. */
export function startsOf({ kind, memberOf }: Declaration, roles: string[]): string[] {
  return kind === 'role' && memberOf.length > 0 ? [...roles, ...memberOf] : memberOf;
}

/**
 * No role of this library gets the admin's rights through its groups, whatever these are members of: that is refused
 * where the membership is new, and in the log where it was there before. What others must know of a membership is in
 * the log as well.
 *
 * @param changes what this event has granted
 * @param tolerated roles that were declared in the same way before
 */
export function refuseMemberships(
  { log, lock: { server } }: Work,
  wanted: Wanted[],
  { graph }: Shared,
  changes: Change[],
  tolerated: ReadonlySet<string>,
): void {
  const granted = (role: string, group: string) =>
    changes.some(change => change.kind === 'grantRole' && change.group === group && change.roles.includes(role));
  for (const { role, memberOf, deployed } of wanted.map(each => ({ ...each, memberOf: groupsOf(each) }))) {
    // A plan alone gets here: the server refuses to grant it. What was declared before is in the log.
    const missing = memberOf.find(
      group => !graph.has(group) && granted(role, group) && !deployed.some(before => before.memberOf.includes(group)),
    );
    if (missing !== undefined) {
      throw new ProvisionError(
        `cannot grant role ${JSON.stringify(missing)} to ${JSON.stringify(role)}: role ${JSON.stringify(missing)} does not exist; create the role before this deployment, or correct its name`,
      );
    }
    for (const one of [...memberOf]
      .sort()
      .flatMap(group => graph.reachedFrom(group).map(reached => ({ ...reached, group })))) {
      const reason = powerOf(one, server);
      if (reason !== undefined && granted(role, one.group) && !tolerated.has(role)) {
        throw new ProvisionError(
          `${JSON.stringify(role)} cannot be a member of ${JSON.stringify(one.group)}: ${reason}; `
          + 'make it a member of roles with the privileges it needs or, for a DBA who signs in with IAM, of rds_superuser',
        );
      }
      const isBetweenStrong = one.role !== one.group && strongRole(one.group) !== undefined;
      const members = isBetweenStrong ? undefined : strongRole(one.role)?.members;
      if (reason !== undefined || members !== undefined) {
        log.info('strong role', {
          role,
          memberOf: one.group,
          leadsTo: one.role,
          reason: reason ?? `its members ${members}`,
        });
      }
    }
  }
}

/** The role is a member still, which others must know. */
export function reportMembershipOfOther({ log }: Work, { role, group, grantor }: MembershipOfOther): void {
  log.info('not taken back', {
    change: `revoke role ${JSON.stringify(group)} from ${JSON.stringify(role)}`,
    reason: `${JSON.stringify(grantor)} has granted it as well, so ${JSON.stringify(role)} is still a member`,
    remedy: `if it must not be one, run REVOKE ${identifier(group)} FROM ${identifier(role)} as ${JSON.stringify(grantor)}`,
  });
}

/**
 * A group role must not lead to rds_iam: all its members would sign in with tokens alone. Up to PostgreSQL 14 a user
 * can let each group into itself; what is not declared, or was deployed before, is in the log.
 */
export function refuseGroupOfIamUsers(
  { log }: Work,
  { graph }: Shared,
  wanted: Wanted,
  tolerated: ReadonlySet<string>,
): void {
  const { role } = wanted;
  const declared = tolerated.has(role) ? [] : groupsOf(wanted).flatMap(group => graph.pathToRdsIam(group) ?? []);
  if (declared.length > 0) {
    const path = [role, ...declared.slice(0, declared.indexOf(RDS_IAM) + 1)];
    throw new ProvisionError(`role ${JSON.stringify(role)} would be a member of ${RDS_IAM} (${path.join(' -> ')}), `
      + 'and so would be every member of it; make it a member of group roles only');
  }
  const path = graph.pathToRdsIam(role);
  if (path !== undefined) {
    log.info('strong role', {
      role,
      leadsTo: RDS_IAM,
      reason: `it is a member of ${RDS_IAM} (${path.join(' -> ')}), and so is every member of it: a password that one has does not work`,
      remedy: `REVOKE ${identifier(path[1])} FROM ${identifier(role)}`,
    });
  }
}

/** Why who reaches this role has the admin's rights. */
function powerOf(
  { group, role, isAdmin, isSuperuser, createsRoles }: RoleInGraph & { readonly group: string },
  { admin, version, registryOwner }: Server,
): string | undefined {
  const which = group === role ? 'it' : `it leads to ${JSON.stringify(role)}, which`;
  if (isAdmin) {
    return `${group === role ? 'it is' : 'it leads to'} the admin ${JSON.stringify(admin)}, and its members have all its rights`;
  }
  if (isSuperuser) {
    return `${which} is a superuser`;
  }
  if (role === registryOwner) {
    return `${which} owns the registry, and its members can change which resource manages which role`;
  }
  return createsRoles && version < LIMITED_CREATEROLE_SINCE
    ? `${which} has CREATEROLE, with which up to PostgreSQL 15 a role can become a member of the admin`
    : undefined;
}
