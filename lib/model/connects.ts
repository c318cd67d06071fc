import type { AccessModel, DeclaredRole } from './access-model';

/** How a role and those that it is a member of stand to a database. */
export interface DatabaseNeed {
  /** Whether one of them declares something there. */
  readonly isDeclared: boolean;

  /** Whether one of them declares CONNECT there. Undefined: none does, and one of them is managed elsewhere. */
  readonly connects: boolean | undefined;
}

/** @returns what the app declares of a database for a role, itself and through others */
export function databaseNeeds({ roles }: AccessModel, database: string): (role: DeclaredRole) => DatabaseNeed {
  const byName = new Map(roles.flatMap(one => one.names.map(name => [name, one])));
  return (role) => {
    const all = new Set<DeclaredRole | undefined>([role]);
    for (const one of all) { // also those that are added meanwhile
      one?.memberOf.forEach(group => group.startsWith('pg_') || all.add(byName.get(group)));
    }
    const declared = [...all].map(one => one?.declared.Privileges?.[database]);
    return {
      isDeclared: declared.some(one => one !== undefined),
      connects:
        declared.some(one => one?.Database?.includes('CONNECT') === true) || (all.has(undefined) ? undefined : false),
    };
  };
}
