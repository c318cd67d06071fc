import type { PublicState } from './public-privileges';
import type { Claim } from './state';

/**
 * Roles that will have CONNECT on a database or rely on PUBLIC for it, by what the registry says once a plan is carried
 * out.
 */

/** The role, and those that it is declared to be a member of, itself or through others. */
function reachOf(role: string, claims: readonly Claim[]): string[] {
  const reached = new Set([role]);
  for (const name of reached) { // also those that are added meanwhile
    claims
      .filter(({ roleName }) => roleName === name)
      .forEach(claim => declarationOf(claim)?.memberOf.forEach(group => reached.add(group)));
  }
  return [...reached];
}

function declarationOf({ declarations }: Claim): Claim['declarations'][number] | undefined {
  return declarations[declarations.length - 1];
}

/**
 * @param grants whether the plan grants CONNECT on the database, or a role, to one of these
 * @returns roles that rely on PUBLIC then
 */
export function relyingThen(
  relying: PublicState['relying'],
  database: string,
  claims: readonly Claim[],
  grants: (roles: string[]) => boolean,
): PublicState['relying'] {
  const declares = (names: string[], isWanted: (privileges: string[]) => boolean) =>
    claims.some(
      claim =>
        claim.roleName !== undefined
        && names.includes(claim.roleName)
        && !claim.released
        && declarationOf(claim)?.databases.some(one => one.database === database && isWanted(one.privileges)) === true,
    );
  const connects = (names: string[]) => declares(names, privileges => privileges.includes('CONNECT'));
  const left = relying.filter(({ role }) => {
    const reached = reachOf(role, claims);
    return !(connects(reached) && grants(reached));
  });
  // Those that are not there yet, and whose groups are all known.
  const known = new Set(claims.flatMap(({ roleName }) => roleName ?? []));
  const created = claims
    .filter(
      claim => !/^\d+$/.test(claim.roleOid) && claim.roleName !== undefined && declarationOf(claim)?.kind === 'user',
    )
    .map(({ roleName }) => roleName!);
  const locked = created.filter((name) => {
    const reached = reachOf(name, claims);
    return reached.every(one => known.has(one)) && declares(reached, () => true) && !connects(reached);
  });
  return [...left, ...locked.map(role => ({ role, isAdmin: false }))].sort((a, b) => a.role < b.role ? -1 : 1);
}
