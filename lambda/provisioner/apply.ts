import { managedRoleNameProblem, usernameProblem } from '../../lib/contract/names';
import { membershipProblem } from '../../lib/contract/predefined-roles';
import { carryOut } from './converge';
import { ProvisionError } from './errors';
import { Journal } from './journal';
import { decideApply } from './lifecycle';
import { reportRenamed } from './renamed';
import { Request } from './request';
import { RDS_IAM, sameResource } from './state';
import { Work } from './work';

/** Makes the roles as declared. */
export async function apply(work: Work, request: Request, journal: Journal): Promise<void> {
  refuseServer(work, request);
  const { owner, usernames, declaration } = request;
  const wanted = { ...request, roles: usernames.map(username => ({ username, declaration })) };
  await carryOut(work, usernames, (before) => {
    before.claims
      .filter(claim => sameResource(claim, owner) && (request.single || usernames.includes(claim.username)) && !usernames.some(name => before.roles.get(name) === claim.roleOid))
      .forEach(claim => reportRenamed(work, before, claim));
    return decideApply(owner, wanted, before);
  }, journal);
}

function refuseServer({ lock: { server: { admin, hasRdsIam, registryOwner } } }: Work, { kind, usernames, declaration }: Request): void {
  if (!hasRdsIam) {
    throw new ProvisionError(`role ${RDS_IAM} does not exist on this server: it is there on Aurora PostgreSQL and RDS for PostgreSQL; `
      + 'check that the host is one, in a version with IAM database authentication');
  }
  // A member of it can change which resource manages which role.
  const owner = [...usernames, ...declaration.memberOf].find(name => name === registryOwner);
  if (owner !== undefined) {
    throw new ProvisionError(`role ${JSON.stringify(owner)} owns the registry, so no user or role of this library can be it or a member of it; `
      + 'name another role as registryOwner, or leave this one out');
  }
  const problem = [
    ...usernames.map(username => kind === 'user' ? usernameProblem(username, admin) : managedRoleNameProblem(username, admin)),
    ...declaration.memberOf.map(role => membershipProblem(role, [admin])),
  ].find(found => found !== undefined);
  if (problem !== undefined) {
    throw new ProvisionError(problem);
  }
}
