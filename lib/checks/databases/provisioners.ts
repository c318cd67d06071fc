import { oncePerApp } from '../app/synthesized-app';
import type { Resource } from '../app/template';
import { attributeIn, keyOf, type Part, partsOf } from '../app/value';
import type { Target } from '../iam/target';
import { rolesOnlyOf } from './function-roles';
import { functionTarget } from './targets';
import {
  ADMIN_SECRET_ARN,
  DATABASE_RESOURCE_ID,
  DATABASE_USER_RESOURCE_TYPE,
  IAM_AUTHENTICATION_RESOURCE_TYPE,
  PROVISIONED_RESOURCE_TYPES,
} from '../../contract/wire';

/** What creates the users of this library in a database. */
export interface Provisioner {
  /** Resource id of the database. */
  readonly databaseId: Part[];
  /**
   * The function of the provider framework, which the custom resources name; undefined where they name the one that
   * does the work.
   */
  readonly framework?: Resource;
  /** The function that signs in to the database. */
  readonly handler?: Resource;
  /** The secret of the admin; undefined where the admin signs in with a token. */
  readonly secret?: Part[];
}

/** The provisioners of all users and group roles. */
export const provisionersOf = oncePerApp(app => behind(app.ofType(...PROVISIONED_RESOURCE_TYPES)));

/**
 * Those with which one calls a function, or lets another one call it, or changes what it does.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
 */
export const FUNCTION_ACTIONS = [
  'InvokeFunction',
  'InvokeAsync',
  'UpdateFunctionCode',
  'UpdateFunctionConfiguration',
  'AddPermission',
  'CreateEventSourceMapping',
  'UpdateEventSourceMapping',
  'CreateFunctionUrlConfig',
].map(action => `lambda:${action}`);

/** A function of this library, and the function of the provider framework in front of it. */
export interface LibraryFunction {
  readonly resource: Resource;
  readonly target: Target;
  /** For people. */
  readonly task: string;
}

/** The functions with which one creates users, or modifies a database. */
export const libraryFunctionsOf = oncePerApp((app): LibraryFunction[] => {
  const enabling = behind(app.ofType(IAM_AUTHENTICATION_RESOURCE_TYPE)).map(provisioner => ({
    provisioner,
    task: 'enables IAM authentication',
  }));
  const creating = provisionersOf(app).map(provisioner => ({
    provisioner,
    task: 'creates users with the rights of the admin',
  }));
  const all = [...creating, ...enabling].flatMap(({ provisioner: { framework, handler }, task }) =>
    [framework, handler].flatMap(resource => (resource ? [{ resource, target: functionTarget(resource), task }] : [])),
  );
  return [...new Map(all.map(each => [each.resource, each])).values()];
});

/** The roles that those functions alone run with. */
export const libraryRolesOf = oncePerApp(
  app =>
    new Set(
      rolesOnlyOf(
        app,
        libraryFunctionsOf(app).map(({ resource }) => resource),
      ),
    ),
);

/**
 * Found by the custom resources: they name the function of the provider framework, whose environment names the other,
 * or the one that does the work.
 */
function behind(customResources: Resource[]): Provisioner[] {
  const found = new Map<string, Provisioner>();
  for (const { properties, template } of customResources) {
    const { ResourceId } = Object(properties.Database) as { ResourceId?: unknown };
    const key = JSON.stringify([template.file, properties.ServiceToken, ResourceId]);
    if (!found.has(key)) {
      found.set(key, {
        databaseId: partsOf(ResourceId, template),
        ...handlerBehind(attributeIn(partsOf(properties.ServiceToken, template))?.resource),
      });
    }
  }
  return [...found.values()];
}

/**
 * Usernames that are known at the deployment only, and that it refuses where a character of them would have to be
 * escaped.
 *
 * @returns the keys of their values
 */
export const checkedUsernamesOf = oncePerApp(app => new Set(
  app.ofType(DATABASE_USER_RESOURCE_TYPE).filter(({ properties }) => properties.PolicyUsername !== undefined)
    .map(({ properties, template }) => keyOf(partsOf(properties.PolicyUsername, template))),
));

/**
 * The framework's function knows the one that does the work by its environment. Where there is no framework, the custom
 * resources name that one.
 */
function handlerBehind(named: Resource | undefined): Omit<Provisioner, 'databaseId'> {
  const isHandler = named && DATABASE_RESOURCE_ID in variablesOf(named);
  const framework = isHandler ? undefined : named;
  const handler = isHandler
    ? named
    : framework
      && attributeIn(partsOf(variablesOf(framework).USER_ON_EVENT_FUNCTION_ARN, framework.template))?.resource;
  if (!handler) {
    return { framework };
  }
  const secret = variablesOf(handler)[ADMIN_SECRET_ARN];
  return {
    framework,
    handler,
    ...secret === undefined ? {} : { secret: partsOf(secret, handler.template) },
  };
}

function variablesOf({ properties }: Resource): Record<string, unknown> {
  const { Variables = {} } = Object(properties.Environment) as { Variables?: Record<string, unknown> };
  return Variables;
}
