import type { Decision, Removal, RoleRemoval } from './lifecycle';

/** What is decided where there is nothing to do. */
export const NOTHING: Decision = { changes: [], converge: [], record: [], forget: [], adopted: [] };

/** What happens to a role that another resource manages as well, if it is one. */
export function handedOver(removal: Removal | undefined): Decision {
  return removal?.kind === 'handOver' ? removal.decision : NOTHING;
}

/** Schemas of one database that declarations of a role have made its own. */
export function ownSchemas(database: string, previous: RoleRemoval['previous']): string[] {
  return previous
    .flatMap(({ databases }) => databases)
    .filter(one => one.database === database)
    .flatMap(({ schemas }) => schemas)
    .filter(({ owner }) => owner)
    .map(({ schema }) => schema);
}
