import { managedRoleNameProblem, usernameProblem } from '../../../lib/contract/names';
import { ObservedRole } from '../../../lambda/provisioner/core/plan-shared';
import { RDS_IAM } from '../../../lambda/provisioner/core/state';
import { Catalog, CatalogRole, isReserved } from '../catalog';
import { Findings, quoted } from '../findings';
import { keyProblem, textProblem } from './sayable';

/** Logins that a deployment changes, and which are generated only if that is asked for. */
export interface SubjectOptions {
  /** Logins with passwords, which stop working. */
  readonly includePasswordLogins: boolean;
  /** Users that connect with what PUBLIC has, and get CONNECT of their own. */
  readonly includePublicConnect: boolean;
  /**
   * Database that is preferred where a user can connect to several, and holds something in none of them or in this one
   * too.
   */
  readonly preferred: string;
}

/** A role that a construct can declare. */
export interface Subject {
  readonly name: string;
  readonly kind: 'role' | 'user';
  readonly observed: ObservedRole;
  /** That a user connects to. */
  readonly database?: string;
}

/** The roles that can be declared; what hinders the others is among the findings. */
export function subjectsOf(catalog: Catalog, options: SubjectOptions, findings: Findings): Subject[] {
  return catalog.roles.filter(({ name }) => !isReserved(name) && name !== catalog.admin).flatMap((role): Subject[] => {
    const observed = catalog.observed.get(role.name);
    if (observed === undefined) {
      return []; // it came, or went, in between
    }
    const found = role.canLogin ? loginOf(role, observed, catalog, options) : groupOf(role, observed, catalog);
    if (typeof found === 'string') {
      findings.add({ role: role.name }, found, `the ${role.canLogin ? 'login' : 'role'}`);
      return [];
    }
    findings.add({ role: role.name }, 'a declaration has no attributes; they stay', ...role.attributes);
    return [found];
  });
}

function commonProblem({ name, isSuperuser }: CatalogRole, { managed }: Catalog): string | undefined {
  const manager = managed?.get(name);
  return manager !== undefined
    ? `it is managed by ${manager} already`
    : isSuperuser ? 'it is a superuser, which an admin of RDS does not manage' : textProblem('role name', name);
}

function groupOf(role: CatalogRole, observed: ObservedRole, catalog: Catalog): Subject | string {
  const { name } = role;
  const path = catalog.graph.pathToRdsIam(name);
  if (path !== undefined || observed.memberships.some(({ group }) => group === RDS_IAM)) {
    return `it is a member of ${RDS_IAM} without a login: as a user it would get a login, as a group role it would lose the membership`;
  }
  return (
    commonProblem(role, catalog) ?? managedRoleNameProblem(name, catalog.admin) ?? { name, kind: 'role', observed }
  );
}

function loginOf(
  role: CatalogRole,
  observed: ObservedRole,
  catalog: Catalog,
  options: SubjectOptions,
): Subject | string {
  const { name, withToken } = role;
  const problem
    = commonProblem(role, catalog) ?? passwordProblem(role, catalog, options) ?? usernameProblem(name, catalog.admin);
  if (problem !== undefined) {
    return problem;
  }
  if (withToken && !observed.memberships.some(({ group, effective }) => group === RDS_IAM && effective)) {
    return `it is a member of ${RDS_IAM} through other roles only, and a deployment would grant ${RDS_IAM} to itself`;
  }
  const own = databasesOf(observed, catalog);
  const database
    = pick(own, observed, options)
      ?? (options.includePublicConnect ? pick(readable(catalog), observed, options) : undefined);
  return database === undefined
    ? 'it has no CONNECT of its own on a database that was read, and a deployment would grant it; --include-public-connect generates it'
    : { name, kind: 'user', observed, database };
}

function passwordProblem(
  role: CatalogRole,
  catalog: Catalog,
  { includePasswordLogins }: SubjectOptions,
): string | undefined {
  const { name, withToken } = role;
  if (withToken === null) {
    return `it has the ADMIN option on ${RDS_IAM} and no other membership in it, so that it is not known how it signs in`;
  }
  if (withToken) {
    return undefined;
  }
  if (!includePasswordLogins) {
    return `it signs in with a password, which would stop working; --include-password-logins generates it, and ${RDS_IAM} is granted to it`;
  }
  const member = catalog.roles
    .filter(
      one => one.canLogin && !one.isSuperuser && one.withToken === false && ![name, catalog.admin].includes(one.name),
    )
    .find(one => reaches(catalog, one.name, name));
  return member && `its member ${quoted(member.name)} signs in with a password too, which would stop working; `
    + 'make both members of a group role first';
}

/** Whether a role has what another one has, or can act as it. */
function reaches({ observed }: Catalog, member: string, group: string): boolean {
  const reached = new Set([group]);
  for (const each of reached) { // also those that are added meanwhile
    observed.get(each)?.members.filter(({ effective }) => effective).forEach(one => reached.add(one.member));
  }
  return reached.has(member);
}

function readable({ databases }: Catalog): string[] {
  return databases.map(({ database }) => database).filter(database => keyProblem('database', database) === undefined);
}

/** Databases in which a role has CONNECT itself. */
export function databasesOf(observed: ObservedRole, catalog: Catalog): string[] {
  return readable(catalog).filter(database => catalog.owners.get(database) === observed.role
    || observed.databases.some(row => row.database === database && row.privilege === 'CONNECT'));
}

function pick(databases: string[], { dependsIn }: ObservedRole, { preferred }: SubjectOptions): string | undefined {
  const inUse = dependsIn.includes(preferred) ? [preferred] : dependsIn;
  return [...inUse, preferred].find(database => databases.includes(database)) ?? databases[0];
}
