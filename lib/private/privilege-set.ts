import { Token } from 'aws-cdk-lib';
import { DatabasePrivileges, DatabaseUserProperties } from '../contract/wire';

export interface DatabaseGrant {
  readonly database: string;
  readonly privileges: string[];
}

/**
 * Everything a user may do, as its custom resource says it: merged, without duplicates and in a
 * fixed order, so that the same privileges in another order are the same template.
 */
export function wireForm(grants: DatabaseGrant[], roles: string[]): Pick<DatabaseUserProperties, 'Privileges' | 'MemberOf'> {
  const databases = inOrder(grants.map(({ database }) => database));
  const privileges = databases.map((database): [string, DatabasePrivileges] => [database, {
    Database: inOrder(grants.filter(grant => grant.database === database).flatMap(grant => grant.privileges)),
  }]);
  return {
    ...privileges.length > 0 ? { Privileges: Object.fromEntries(privileges) } : {},
    ...roles.length > 0 ? { MemberOf: inOrder(roles) } : {},
  };
}

/** Sorted by code unit; tokens, whose text is not the same in every run, come last in the order they were given. */
function inOrder(names: string[]): string[] {
  const unique = [...new Set(names)];
  return [
    ...unique.filter(name => !Token.isUnresolved(name)).sort(),
    ...unique.filter(name => Token.isUnresolved(name)),
  ];
}
