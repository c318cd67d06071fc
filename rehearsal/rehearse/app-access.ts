import { rightsTable, signInTable } from './access-table';
import { DeclaredRole, declaredRoles } from './declared-roles';
import {
  Access,
  Attempt,
  measureAccess,
  principalsFor,
  SignInTarget,
  trySignIns,
  untriedPrincipals,
} from './measure-access';
import { fullResourceName, resourceName } from '../plan/resource-name';
import { AuroraLikeServer } from '../aurora-like-server';
import { ResourceState } from '../cloudformation/template';
import { Rehearsal } from '../rehearsal';

/** Who can sign in to a database or through a proxy, and may do what. */
export interface DatabaseAccess {
  readonly name: string;
  readonly kind: 'database' | 'replica' | 'proxy';
  /** As the template asks for it, or else the major that is used. */
  readonly version?: string;
  readonly attempts: Attempt[];
  /** Not of a proxy. */
  readonly access?: Access;
  /** Principals that were not tried. */
  readonly untried: string[];
}

export interface MeasureOptions {
  /** Takes the tables of each database and proxy. */
  readonly show?: (lines: string[]) => void;

  /** Whether each name begins with that of its stack, even if there is one only. */
  readonly withStack?: boolean;
}

/** Of all databases with users, and of the proxies in front of them. */
export async function measureApp(
  rehearsal: Rehearsal, step: (title: string) => void, { show, withStack = false }: MeasureOptions = {},
): Promise<DatabaseAccess[]> {
  const stackIds = rehearsal.stackIds;
  const resources = stackIds.flatMap(id => rehearsal.resources(id).map(state => ({ state, stackId: id })));
  const named = ({ state, stackId }: { state: ResourceState; stackId?: string }) =>
    stackId === undefined
      ? `${state.physicalId}, in place of a database of another app`
      : withStack || stackIds.length > 1
        ? fullResourceName(stackId, state.logicalId, state.definition)
        : resourceName(state.logicalId, state.definition);
  const ofType = (type: string) => resources.filter(({ state }) => state.type === type);
  const iamRoles = ofType('AWS::IAM::Role').map(role => ({
    name: named(role),
    arn: role.state.attributes.Arn as string,
    credentials: rehearsal.credentialsOf(role.state),
  }));
  const principals = (state: ResourceState, target: SignInTarget) =>
    principalsFor(state, target, iamRoles, (arn, action, resource) => rehearsal.allows(arn, action, resource));
  const states = resources.map(({ state }) => state);
  const rolesOf = (server: AuroraLikeServer) => declaredRoles(states, (server.source ?? server).resourceId);
  const begin = (what: string, roles: DeclaredRole[]) =>
    step(
      `sign in to ${what}: ${counted(roles.filter(({ kind }) => kind === 'user').length, 'user')} with tokens of ${counted(iamRoles.length, 'IAM role')}`,
    );
  const untried = untriedPrincipals(states);
  const found: DatabaseAccess[] = [];
  const add = (access: DatabaseAccess) => {
    found.push(access);
    show?.(accessLines(access));
  };
  const databases = rehearsal.databaseResources();
  for (const database of databases) {
    const server = rehearsal.database(database.state);
    const roles = rolesOf(server);
    if (roles.length > 0) {
      const version = `${(database.state.properties.EngineVersion as string | undefined) ?? server.major}`;
      const used = version.split('.')[0] === `${server.major}` ? '' : ` (${server.major} is used)`;
      begin(`${named(database)}, PostgreSQL ${version}${used}${server.source ? ', a read replica' : ''}`, roles);
      const access = await measureAccess(server, roles, principals(database.state, server));
      add({
        name: named(database),
        kind: server.source ? 'replica' : 'database',
        version,
        attempts: access.attempts,
        access,
        untried,
      });
    }
  }
  for (const resource of ofType('AWS::RDS::DBProxy').filter(({ state }) => rehearsal.hasProxy(state))) {
    const proxy = rehearsal.proxy(resource.state);
    const roles = proxy.database ? rolesOf(proxy.database) : [];
    if (roles.length > 0) {
      const database = databases.find(({ state }) => rehearsal.database(state) === proxy.database);
      begin(`${database ? named(database) : 'a database'} through ${named(resource)}, a proxy`, roles);
      add({
        name: named(resource),
        kind: 'proxy',
        attempts: await trySignIns(proxy, roles, principals(resource.state, proxy)),
        untried,
      });
    }
  }
  return found;
}

/** The tables of a database or proxy. */
export function accessLines({ attempts, untried, access }: DatabaseAccess): string[] {
  return [...signInTable(attempts), ...untried, '', ...access ? [...rightsTable(access), ''] : []];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
