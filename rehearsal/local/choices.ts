import { Profile } from './aws-files';
import { AuroraLikeServer } from '../aurora-like-server';
import { ResourceState } from '../cloudformation/template';
import { fullResourceName, resourceName } from '../plan/resource-name';
import { Rehearsal } from '../rehearsal';
import { DeclaredRole, declaredRoles } from '../rehearse/declared-roles';
import { InputError } from '../rehearse/input-error';
import { SignInTarget } from '../rehearse/measure-access';

/** A database, replica or proxy of an app that users sign in to. */
export interface LocalEndpoint {
  readonly name: string;
  readonly kind: 'database' | 'replica' | 'proxy';
  readonly state: ResourceState;
  readonly target: SignInTarget;
  readonly users: DeclaredRole[];
  /** The database that is made with the cluster or instance. */
  readonly made?: string;
}

/** A role of IAM in the app, and the users that its policies let it sign in as. */
export interface LocalRole extends Profile {
  readonly roleName: string;
  readonly users: string[];
}

/** As whom an application signs in. */
export interface SignInChoice {
  readonly user?: string;
  /** Of IAM. */
  readonly role?: string;
}

/** All that users sign in to. */
export function endpointsOf(rehearsal: Rehearsal): LocalEndpoint[] {
  const { stackIds } = rehearsal;
  const states = stackIds.flatMap(id => rehearsal.resources(id).map(state => ({ state, stackId: id })));
  const named = ({
    state: { logicalId, definition, physicalId },
    stackId,
  }: {
    state: ResourceState;
    stackId?: string;
  }) =>
    stackId === undefined
      ? physicalId
      : stackIds.length > 1
        ? fullResourceName(stackId, logicalId, definition)
        : resourceName(logicalId, definition);
  const databases = rehearsal.databaseResources();
  const sharedBy = (server: AuroraLikeServer) => {
    const writer = server.source ?? server;
    const { DatabaseName, DBName }
      = databases.find(({ state }) => rehearsal.database(state) === writer)?.state.properties ?? {};
    return {
      users: declaredRoles(states.map(({ state }) => state), writer.resourceId).filter(({ kind }) => kind === 'user'),
      made: (DatabaseName ?? DBName) as string | undefined,
    };
  };
  const proxies = states.filter(({ state }) => state.type === 'AWS::RDS::DBProxy' && rehearsal.hasProxy(state));
  return [
    ...databases.map((resource): LocalEndpoint => {
      const target = rehearsal.database(resource.state);
      const kind = target.source ? 'replica' : 'database';
      return { name: named(resource), kind, state: resource.state, target, ...sharedBy(target) };
    }),
    ...proxies.flatMap((resource): LocalEndpoint[] => {
      const target = rehearsal.proxy(resource.state);
      const { database } = target;
      return database
        ? [{ name: named(resource), kind: 'proxy', state: resource.state, target, ...sharedBy(database) }]
        : [];
    }),
  ].filter(({ users }) => users.length > 0);
}

/** @param name what was asked for; without it the only database is taken */
export function chooseEndpoint<Endpoint extends Pick<LocalEndpoint, 'name' | 'kind'>>(
  endpoints: Endpoint[],
  name?: string,
): Endpoint {
  const names = endpoints.map(endpoint => endpoint.name).join(', ');
  if (name !== undefined) {
    return (
      endpoints.find(endpoint => endpoint.name === name)
      ?? refuse(`--endpoint ${name}: users sign in to databases, replicas and proxies of the app; name one of ${names}`)
    );
  }
  const databases = endpoints.filter(({ kind }) => kind === 'database');
  return databases.length === 1
    ? databases[0]
    : refuse(
        `the app has ${databases.length} databases with users, and a command is led to one; name one of ${names} with --endpoint`,
      );
}

/**
 * As whom a command signs in: what was asked for, and what follows from it where only one is possible.
 *
 * @param users of the database
 * @returns names of the user and of the profile
 */
export function chooseSignIn(
  roles: Pick<LocalRole, 'name' | 'roleName' | 'users'>[], users: string[], { user, role }: SignInChoice,
): SignInChoice {
  if (user !== undefined && !users.includes(user)) {
    refuse(`--user ${user}: it must be a user of the database; name one of ${users.join(', ')}`);
  }
  const asked
    = role === undefined
      ? undefined
      : (roles.find(({ name, roleName }) => [name, roleName].includes(role))
        ?? refuse(
          `--role ${role}: it must be an IAM role of the app; name one of ${roles.map(({ name }) => name).join(', ')}`,
        ));
  const possible = (asked ? [asked] : roles)
    .flatMap(({ name, users: allowed }) => allowed.map(username => ({ name, username })))
    .filter(({ username }) => user === undefined || username === user);
  const chosen = user ?? only(possible.map(({ username }) => username)) ?? only(users);
  return { user: chosen, role: asked?.name ?? only(possible.map(({ name }) => name)) };
}

function only(values: string[]): string | undefined {
  const different = [...new Set(values)];
  return different.length === 1 ? different[0] : undefined;
}

function refuse(message: string): never {
  throw new InputError(message);
}
