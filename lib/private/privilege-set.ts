import { Token } from 'aws-cdk-lib';
import { databaseNameProblem } from '../contract/names';
import { DatabasePrivileges, DatabaseUserProperties } from '../contract/wire';

export interface DatabaseGrant {
  readonly database: string;
  readonly privileges: string[];
}

/** What is wrong with a database to have privileges on; its name is a key of the template. */
export function databaseProblem(database: string): string | undefined {
  return Token.isUnresolved(database)
    ? 'database name is a token, and a key of the template must be known at synthesis; give the name itself'
    : databaseNameProblem(database);
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
