import { isToken } from './token';
import { notList, notText, requireOptions } from './types';
import type { COLUMN, ObjectWord } from '../contract/object-kinds';
import {
  databaseNameProblem,
  objectNameProblem,
  roleNameProblem,
  schemaNameProblem,
  templateKeyProblem,
} from '../contract/names';

/** What the template has as a key. */
export type Kind = 'database' | 'schema' | 'role' | typeof COLUMN.word | ObjectWord;

/** Of a factory of `Privileges`. */
export function checked<Options>(options: Options): Options {
  requireOptions(undefined, 'options', options);
  return options;
}

/** What is wrong with a name that becomes a key of the template. */
export function keyProblem(kind: Kind, name: string): string | undefined {
  const problem = notText(`${kind} name`, name);
  if (problem !== undefined) {
    return problem;
  }
  if (isToken(name)) {
    return `${kind} name is a token, and a key of the template must be known at synthesis; give the name itself`;
  }
  return templateKeyProblem(kind, name) ?? nameProblem(kind, name);
}

function nameProblem(kind: Kind, name: string): string | undefined {
  switch (kind) {
    case 'database': return databaseNameProblem(name);
    case 'schema': return schemaNameProblem(name);
    case 'role': return roleNameProblem(name);
    default: return objectNameProblem(kind, name);
  }
}

export function checkKeys(kind: Kind, names: string[]): void {
  const problem = names.map(name => keyProblem(kind, name)).find(found => found);
  if (problem) {
    throw new Error(problem);
  }
}

/**
 * @param what what the list has, as in "privileges on database "shop""
 * @param otherwise what leaving the list out means, where it may be left out
 */
export function checkNotEmpty(list: readonly unknown[], what: string, otherwise?: string): void {
  const problem = notList(what, list);
  if (problem !== undefined) {
    throw new Error(problem);
  }
  if (list.length === 0) {
    throw new Error(`${what} must not be empty; add at least one${otherwise ? `, or leave ${otherwise}` : ''}`);
  }
}
