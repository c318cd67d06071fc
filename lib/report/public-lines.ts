import type { RestrictedAccess } from './access-report';
import { identifier } from './plain-text';
import type { DeclaredOfPublic } from '../model/access-model';

/** What PUBLIC does not have, for the report. */
export function restrictedIn({ DatabaseName, Revoked, path, lockOut }: DeclaredOfPublic): RestrictedAccess {
  const { Database = [], Schemas = {} } = Revoked;
  return {
    database: DatabaseName,
    path,
    revoked: [...Database, ...Object.values(Schemas).flatMap(({ Schema = [] }) => Schema)],
    ...(lockOut.length === 0 ? {} : { lockOut }),
  };
}

/** One line for each privilege, and one for roles that may lose it. */
export function restrictedLines({ database, revoked, lockOut = [] }: RestrictedAccess): string[] {
  const name = identifier(database);
  return [
    ...revoked.map(
      privilege =>
        `PUBLIC has no ${privilege} on ${privilege === 'CONNECT' ? `database ${name}` : `schema public of database ${name}`}`,
    ),
    ...lockOut.length === 0 ? [] : [`may lock out ${lockOut.map(identifier).join(', ')}`],
  ];
}

export function publicLines(declared: DeclaredOfPublic): string[] {
  return restrictedLines(restrictedIn(declared));
}
