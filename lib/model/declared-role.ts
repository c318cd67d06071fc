import type { DeclaredRole } from './access-model';
import { type PrivilegesByDatabase, wireForm } from './privilege-set';

export type RoleFacts = Pick<
  DeclaredRole,
  'kind' | 'names' | 'path' | 'stack' | 'database' | 'exclusive' | 'onRemoval' | 'expiresAt' | 'settings'
>;

export function declaredRole(facts: RoleFacts): DeclaredRole {
  const privileges: PrivilegesByDatabase[] = [];
  const memberOf: string[] = [];
  const membershipEnds = new Map<string, string>();
  let merged: { readonly count: number; readonly form: ReturnType<typeof wireForm> } | undefined;
  return {
    ...facts,
    privileges,
    memberOf,
    membershipEnds,
    predecessors: new Set(),
    /** Asked for several times in a synthesis. */
    get declared() {
      const count = privileges.length + memberOf.length;
      if (merged?.count !== count) {
        merged = { count, form: wireForm(privileges, memberOf, membershipEnds) };
      }
      return merged.form;
    },
  };
}

/**
 * Owners of schemas that a role has privileges in, in its own stack: other stacks come before or after this one as a
 * whole.
 */
export function schemaOwnersFor(role: DeclaredRole): DeclaredRole[] {
  const { schemas: claimed } = role.database.model.claims;
  const owners = Object.entries(role.declared.Privileges ?? {}).flatMap(([database, { Schemas = {} }]) =>
    Object.keys(Schemas).flatMap(schema => claimed.get(database)?.get(schema) ?? []));
  return owners.filter(owner => owner !== role && owner.stack === role.stack);
}

/** Whether a role waits for another one that it refers to, itself or through others. */
export function waitsFor(role: DeclaredRole, other: DeclaredRole): boolean {
  return [...role.predecessors].some(predecessor => predecessor === other || waitsFor(predecessor, other));
}

/** Whether it waits for the other one, be it for a schema. */
export function isDeployedAfter(role: DeclaredRole, other: DeclaredRole, visited = new Set<DeclaredRole>()): boolean {
  if (visited.has(role)) {
    return false;
  }
  visited.add(role);
  return [...role.predecessors, ...schemaOwnersFor(role)].some(
    one => one === other || isDeployedAfter(one, other, visited),
  );
}
