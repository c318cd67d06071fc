import type { PrivilegesByDatabase } from './privilege-set';
import { shown } from './types';
import { DATABASE, KINDS_IN_SCHEMA, OBJECT_KINDS, SCHEMA } from '../contract/object-kinds';
import { ALL_OBJECTS, type SchemaPrivileges } from '../contract/wire';

interface Kind {
  readonly word: string;
  readonly privileges: readonly string[];
}

/** What is wrong with the words for privileges: only JavaScript, or a cast, can have others than the enumerations. */
export function wordProblem(privileges: PrivilegesByDatabase): string | undefined {
  const found = Object.values(privileges).flatMap(({ Database = [], Schemas = {} }): [Kind, readonly string[]][] =>
    [[DATABASE, Database], ...Object.values(Schemas).flatMap(inSchema)]);
  for (const [{ word: kind, privileges: known }, words] of found) {
    const unknown = words.findIndex(word => !known.includes(word)); // which may be undefined
    if (unknown >= 0) {
      return `privilege ${shown(words[unknown])} on a ${kind} is not one that this library grants: there are ${known.join(', ')}; pass these, each by itself`;
    }
  }
  return undefined;
}

function inSchema(schema: SchemaPrivileges): [Kind, readonly string[]][] {
  const { Schema = [], Columns = {}, FutureObjects = {} } = schema;
  return [
    [SCHEMA, Schema],
    ...KINDS_IN_SCHEMA.flatMap(kind => (kind.sql === 'COLUMN' ? Object.values(Columns) : [schema[kind.key] ?? {}])
      .flatMap(byName => Object.values(byName)).map((words): [Kind, string[]] => [kind, words])),
    ...Object.values(FutureObjects).filter(future => future !== ALL_OBJECTS)
      .flatMap(future => OBJECT_KINDS.map((kind): [Kind, string[]] => [kind, future[kind.key] ?? []])),
  ];
}
