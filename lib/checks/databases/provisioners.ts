import { oncePerApp } from '../app/synthesized-app';
import type { Resource } from '../app/template';
import { attributeIn, keyOf, Part, partsOf } from '../app/value';
import { ADMIN_SECRET_ARN, DATABASE_ROLE_RESOURCE_TYPE, DATABASE_USER_RESOURCE_TYPE, DATABASE_USERS_RESOURCE_TYPE } from '../../contract/wire';

/** What creates the users of this library in a database. */
export interface Provisioner {
  /** Resource id of the database. */
  readonly databaseId: Part[];
  /** Of its function. */
  readonly role?: Resource;
  /** The secret of the admin; undefined where the admin signs in with a token. */
  readonly secret?: Part[];
}

/** The provisioners of all users and group roles, found by their custom resources. */
export const provisionersOf = oncePerApp((app) => {
  const found = new Map<string, Provisioner>();
  for (const { properties, template } of app.ofType(DATABASE_USER_RESOURCE_TYPE, DATABASE_USERS_RESOURCE_TYPE, DATABASE_ROLE_RESOURCE_TYPE)) {
    const { ResourceId } = Object(properties.Database) as { ResourceId?: unknown };
    const key = JSON.stringify([template.file, properties.ServiceToken, ResourceId]);
    if (!found.has(key)) {
      found.set(key, { databaseId: partsOf(ResourceId, template), ...handlerBehind(attributeIn(partsOf(properties.ServiceToken, template))?.resource) });
    }
  }
  return [...found.values()];
});

/**
 * Usernames that are known at the deployment only, and that it refuses where a character of them would have to be escaped.
 *
 * @returns the keys of their values
 */
export const checkedUsernamesOf = oncePerApp(app => new Set(
  app.ofType(DATABASE_USER_RESOURCE_TYPE).filter(({ properties }) => properties.PolicyUsername !== undefined)
    .map(({ properties, template }) => keyOf(partsOf(properties.PolicyUsername, template))),
));

/** The framework's function knows the one that does the work by its environment. */
function handlerBehind(framework: Resource | undefined): Pick<Provisioner, 'role' | 'secret'> {
  const handler = framework && attributeIn(partsOf(variablesOf(framework).USER_ON_EVENT_FUNCTION_ARN, framework.template))?.resource;
  if (!handler) {
    return {};
  }
  const secret = variablesOf(handler)[ADMIN_SECRET_ARN];
  return {
    role: roleOf(handler),
    ...secret === undefined ? {} : { secret: partsOf(secret, handler.template) },
  };
}

/** The role of a Lambda function. */
export function roleOf({ properties, template }: Resource): Resource | undefined {
  return attributeIn(partsOf(properties.Role, template))?.resource;
}

function variablesOf({ properties }: Resource): Record<string, unknown> {
  const { Variables = {} } = Object(properties.Environment) as { Variables?: Record<string, unknown> };
  return Variables;
}
