import { managedRoleNameProblem, usernameProblem } from '../../../lib/contract/names';
import { membershipProblem } from '../../../lib/contract/predefined-roles';
import type { Journal } from '../core/journal';
import { rolesIn } from '../core/identities';
import { decideApply, type Decision, type Facts } from '../core/lifecycle';
import { whatOvertook } from '../core/order';
import { roleAtLogin } from '../core/settings';
import { RDS_IAM, sameResource } from '../core/state';
import { encodeTime } from '../core/time';
import { ProvisionError } from '../errors';
import type { Request } from '../request';
import { executeDecision } from './converge';
import { checkNewOwner, successionOf } from './new-owner';
import { reportRenamed } from './renamed';
import type { Work } from './work';

/** Makes the roles as declared. @returns what was decided */
export async function apply(work: Work, request: Request, journal: Journal): Promise<Decision> {
  refuseServer(work, request);
  const { resource, usernames, declaration, sentAt: sent } = request;
  const wanted = { ...request, sent, roles: usernames.map(username => ({ username, declaration })) };
  const stamp = sent === undefined ? undefined : { ...resource, sent: encodeTime(sent) };
  const succession = successionOf(request);
  const newOwners = succession === undefined ? [] : [succession.newOwner];
  return executeDecision(work, [...usernames, ...rolesIn(declaration), ...newOwners], (before) => {
    const overtaken = whatOvertook(resource, sent, work.budget.elapsedMs(), before);
    if (overtaken !== undefined) {
      // What it has done before its last attempt, the event that came later has found.
      journal.clear();
      throw new ProvisionError(overtaken);
    }
    if (succession !== undefined) {
      checkNewOwner(work, request, succession, before);
    }
    refuseRoleAtLogin(request, before);
    before.claims
      .filter(
        claim =>
          sameResource(claim, resource)
          && (request.single || usernames.includes(claim.username))
          && !usernames.some(name => before.roles.get(name) === claim.roleOid),
      )
      .forEach(claim => reportRenamed(work, before, claim));
    return decideApply(resource, wanted, before);
  }, journal, { stamp, succession });
}

/**
 * The event that CloudFormation does not send for roles of a physical id that it does not know. Whatever onRemoval
 * says, their access ends, and they are not dropped: it is not known whether they were there before.
 */
export function deleteOf(request: Request, physicalId: string): Request {
  return {
    ...request,
    action: 'remove',
    physicalId,
    usernames: [],
    keptUnder: request.physicalId,
    onRemoval: { action: 'DISABLE' },
  };
}

/** The sessions of a user act as a group role of this library, or as one that was declared so before. */
function refuseRoleAtLogin({ resource, declaration: { settings } }: Request, { claims }: Facts): void {
  const role = settings && roleAtLogin(settings);
  const isKnown = claims.some(
    ({ roleName, released, declarations, ...claim }) =>
      (roleName === role && !released && declarations.some(({ kind }) => kind === 'role'))
      || (sameResource(claim, resource)
        && claim.deployed.some(before => before.settings && roleAtLogin(before.settings) === role)),
  );
  if (role !== undefined && !isKnown) {
    throw new ProvisionError(
      `role ${JSON.stringify(role)} is not allowed as the role at login: it is no group role of this library; deploy it with addRole before, or leave setRoleAtLogin out`,
    );
  }
}

function refuseServer(
  {
    lock: {
      server: { admin, hasRdsIam, registryOwner },
    },
  }: Work,
  { kind, usernames, declaration }: Request,
): void {
  if (!hasRdsIam) {
    throw new ProvisionError(
      `role ${RDS_IAM} does not exist on this server: it is there on Aurora PostgreSQL and RDS for PostgreSQL; `
      + 'check that the host is one, in a version with IAM database authentication',
    );
  }
  // A member of it can change which resource manages which role.
  const owner = [...usernames, ...declaration.memberOf].find(name => name === registryOwner);
  if (owner !== undefined) {
    throw new ProvisionError(
      `role ${JSON.stringify(owner)} owns the registry, so no user or role of this library can be it or a member of it; `
      + 'name another role as registryOwner, or leave this one out',
    );
  }
  const problem = [
    ...usernames.map(username =>
      kind === 'user' ? usernameProblem(username, admin) : managedRoleNameProblem(username, admin),
    ),
    ...declaration.memberOf.map(role => membershipProblem(role, [admin])),
  ].find(found => found !== undefined);
  if (problem !== undefined) {
    throw new ProvisionError(problem);
  }
}
