import {
  DATABASE_ROLE_RESOURCE_TYPE,
  DATABASE_USER_RESOURCE_TYPE,
  DATABASE_USERS_RESOURCE_TYPE,
  IAM_AUTHENTICATION_RESOURCE_TYPE,
  PROVISIONED_RESOURCE_TYPES,
} from '../../lib/contract/wire';

/** Resource types of this library that make a role. */
export const ROLE_TYPES = [DATABASE_USER_RESOURCE_TYPE, DATABASE_USERS_RESOURCE_TYPE, DATABASE_ROLE_RESOURCE_TYPE];

/** Whether a type is one of this library. */
export function isOfLibrary(type: string): boolean {
  return [...PROVISIONED_RESOURCE_TYPES, IAM_AUTHENTICATION_RESOURCE_TYPE].includes(type);
}
