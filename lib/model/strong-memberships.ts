import type { DeclaredRole } from './access-model';
import { type PredefinedRole, strongRole } from '../contract/predefined-roles';

/** Strong roles that the members of a group get the rights of, as far as the app declares it. */
export function strongRolesOf({ database: { model } }: DeclaredRole, group: string): PredefinedRole[] {
  const groups = model.roles.filter(({ kind }) => kind === 'role');
  const reached = new Set([group]);
  // What is added while it goes on is visited as well.
  for (const name of reached) {
    groups
      .filter(({ names }) => names.includes(name))
      .flatMap(({ declared: { MemberOf = [] } }) => MemberOf)
      .forEach(next => reached.add(next));
  }
  return [...reached].flatMap(name => strongRole(name) ?? []);
}
