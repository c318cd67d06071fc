import { ResourceState } from '../cloudformation/template';
import {
  DATABASE_ROLE_RESOURCE_TYPE,
  DATABASE_USER_RESOURCE_TYPE,
  DATABASE_USERS_RESOURCE_TYPE,
  DatabaseRoleProperties,
  DatabaseUserProperties,
  DatabaseUsersProperties,
  DEFAULT_REMOVAL_ACTION,
  RemovalAction,
  RoleProperties,
} from '../../lib/contract/wire';

/** Resource types of this library. */
export const RESOURCE_TYPES = [DATABASE_USER_RESOURCE_TYPE, DATABASE_USERS_RESOURCE_TYPE, DATABASE_ROLE_RESOURCE_TYPE];

/** A PostgreSQL role that a resource of the app declares. */
export interface DeclaredRole {
  readonly name: string;
  readonly kind: 'user' | 'group';
  /** Databases that it may connect to. */
  readonly databases: string[];
  readonly onRemoval: RemovalAction;
}

/**
 * Those of one cluster or instance: users, then groups, by name.
 *
 * @param resourceId `DbClusterResourceId` or `DbiResourceId`
 */
export function declaredRoles(resources: ResourceState[], resourceId: string): DeclaredRole[] {
  return resources.filter(({ type }) => RESOURCE_TYPES.includes(type)).flatMap(({ type, properties }) => {
    const {
      Database: address,
      Privileges: privileges = {},
      OnRemoval: { Action: onRemoval } = { Action: DEFAULT_REMOVAL_ACTION },
    } = properties as unknown as RoleProperties;
    if (address.ResourceId !== resourceId) {
      return [];
    }
    const kind = type === DATABASE_ROLE_RESOURCE_TYPE ? 'group' as const : 'user' as const;
    return namesIn(type, properties).map(name => ({ name, kind, databases: Object.keys(privileges), onRemoval }));
  }).sort((a, b) => a.kind === b.kind ? (a.name < b.name ? -1 : 1) : (a.kind === 'user' ? -1 : 1));
}

function namesIn(type: string, properties: object): string[] {
  switch (type) {
    case DATABASE_USER_RESOURCE_TYPE: return [(properties as DatabaseUserProperties).Username];
    case DATABASE_USERS_RESOURCE_TYPE: return (properties as DatabaseUsersProperties).Usernames;
    default: return [(properties as DatabaseRoleProperties).RoleName];
  }
}
