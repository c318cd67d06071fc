import {
  databaseNameProblem, objectNameProblem, roleNameProblem, schemaNameProblem, templateKeyProblem,
} from '../../../lib/contract/names';
import { COLUMN, ObjectWord } from '../../../lib/contract/object-kinds';

/** Texts that the CDK takes for tokens, and CloudFormation for a reference to a secret. */
const TAKEN_FOR_OTHERS = /[$#]\{Token\[|\{\{resolve:/;

/** Why a text cannot stand in an app; undefined if it can. */
export function textProblem(what: string, text: string): string | undefined {
  return TAKEN_FOR_OTHERS.test(text)
    ? `${what} ${JSON.stringify(text)} is not allowed: the CDK or CloudFormation would take it for a reference; rename it`
    : undefined;
}

/** The same of a name that becomes a key of the template. */
export function keyProblem(
  kind: 'database' | 'schema' | 'role' | typeof COLUMN.word | ObjectWord,
  name: string,
): string | undefined {
  return textProblem(`${kind} name`, name) ?? templateKeyProblem(kind, name) ?? nameProblem(kind, name);
}

function nameProblem(kind: Parameters<typeof keyProblem>[0], name: string): string | undefined {
  switch (kind) {
    case 'database': return databaseNameProblem(name);
    case 'schema': return schemaNameProblem(name);
    case 'role': return roleNameProblem(name);
    default: return objectNameProblem(kind, name);
  }
}

/** By code unit, whatever the language of the machine. */
export function sorted(texts: Iterable<string>): string[] {
  return [...texts].sort();
}

/** Things with the same list share an entry, in the order of their first ones. */
export function byList<Item>(
  items: Iterable<[Item, Iterable<string>]>,
): { readonly items: Item[]; readonly list: string[] }[] {
  const groups = new Map<string, { items: Item[]; list: string[] }>();
  for (const [item, texts] of items) {
    const list = sorted(new Set(texts));
    const key = JSON.stringify(list);
    const group = groups.get(key) ?? { items: [], list };
    group.items.push(item);
    groups.set(key, group);
  }
  return [...groups.values()].filter(({ list }) => list.length > 0);
}
