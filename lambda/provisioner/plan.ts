import { Change, DatabasePrivilege } from './change';
import { Declaration, ObservedRole, RDS_IAM } from './state';

/**
 * What is missing to make a role as declared, and what was declared before and is no longer. Access comes last: a user can
 * log in once everything else is in place. Nothing is revoked that no earlier declaration granted.
 */
export function plan(username: string, observed: ObservedRole, wanted: Declaration, previous: Declaration[]): Change[] {
  return [
    ...planRevokes(username, observed, previous, wanted),
    ...databasePrivileges(wanted)
      .filter(wantedPrivilege => !holds(observed, wantedPrivilege))
      .map(({ database, privilege }) => ({ kind: 'grantOnDatabase', username, database, privilege } as const)),
    ...[...wanted.memberOf, RDS_IAM]
      .filter(role => !observed.memberOf.includes(role))
      .map(role => ({ kind: 'grantRole', username, role } as const)),
    ...observed.canLogin ? [] : [{ kind: 'allowLogin', username } as const],
  ];
}

/** Takes a user's access away. */
export function planEndOfAccess(username: string, observed: ObservedRole): Change[] {
  return [
    ...observed.canLogin ? [{ kind: 'forbidLogin', username } as const] : [],
    ...observed.memberOf.includes(RDS_IAM) ? [{ kind: 'revokeRole', username, role: RDS_IAM } as const] : [],
  ];
}

/** Takes back what earlier declarations granted and the wanted one, if there is one, does not. */
export function planRevokes(username: string, observed: ObservedRole, previous: Declaration[], wanted?: Declaration): Change[] {
  const kept = wanted ? databasePrivileges(wanted) : [];
  const formerPrivileges = unique(previous.flatMap(databasePrivileges), ({ database, privilege }) => JSON.stringify([database, privilege]));
  const formerRoles = [...new Set(previous.flatMap(({ memberOf }) => memberOf))];
  return [
    ...formerPrivileges
      .filter(former => holds(observed, former) && !kept.some(({ database, privilege }) => database === former.database && privilege === former.privilege))
      .map(({ database, privilege }) => ({ kind: 'revokeOnDatabase', username, database, privilege } as const)),
    ...formerRoles
      .filter(role => observed.memberOf.includes(role) && !wanted?.memberOf.includes(role))
      .map(role => ({ kind: 'revokeRole', username, role } as const)),
  ];
}

interface DeclaredPrivilege {
  readonly database: string;
  readonly privilege: DatabasePrivilege;
}

function databasePrivileges({ databases }: Declaration): DeclaredPrivilege[] {
  return databases.flatMap(({ database, privileges }) => privileges.map(privilege => ({ database, privilege })));
}

function holds(observed: ObservedRole, { database, privilege }: DeclaredPrivilege): boolean {
  return observed.databases.some(held => held.database === database && held.privilege === privilege);
}

function unique<T>(items: T[], key: (item: T) => string): T[] {
  return [...new Map(items.map(item => [key(item), item])).values()];
}
