import type { PrivilegesByDatabase } from './privilege-set';
import { shown } from './types';
import { ALL_OBJECTS, COLUMN_PRIVILEGES, DATABASE_PRIVILEGES, FUNCTION_PRIVILEGES, type PrivilegesByName, SCHEMA_PRIVILEGES, SEQUENCE_PRIVILEGES, TABLE_PRIVILEGES } from '../contract/wire';

type Words = readonly string[];

/** What is wrong with the words for privileges: only JavaScript, or a cast, can have others than the enumerations. */
export function wordProblem(privileges: PrivilegesByDatabase): string | undefined {
  const byName = (kind: string, objects: PrivilegesByName = {}, known: Words): [string, Words, Words][] =>
    Object.values(objects).map(words => [kind, words, known]);
  const found = Object.values(privileges).flatMap(({ Database = [], Schemas = {} }): [string, Words, Words][] => [
    ['database', Database, DATABASE_PRIVILEGES],
    ...Object.values(Schemas).flatMap(({ Schema = [], Tables, Columns = {}, Sequences, Functions, FutureObjects = {} }): [string, Words, Words][] => [
      ['schema', Schema, SCHEMA_PRIVILEGES],
      ...byName('table', Tables, TABLE_PRIVILEGES),
      ...Object.values(Columns).flatMap(columns => byName('column', columns, COLUMN_PRIVILEGES)),
      ...byName('sequence', Sequences, SEQUENCE_PRIVILEGES),
      ...byName('function', Functions, FUNCTION_PRIVILEGES),
      ...Object.values(FutureObjects).filter(future => future !== ALL_OBJECTS).flatMap((future): [string, Words, Words][] => [
        ['table', future.Tables ?? [], TABLE_PRIVILEGES],
        ['sequence', future.Sequences ?? [], SEQUENCE_PRIVILEGES],
        ['function', future.Functions ?? [], FUNCTION_PRIVILEGES],
      ]),
    ]),
  ]);
  for (const [kind, words, known] of found) {
    const unknown = words.find(word => !known.includes(word));
    if (unknown !== undefined) {
      return `privilege ${shown(unknown)} on a ${kind} is not one that this library grants: there are ${known.join(', ')}; pass these, each by itself`;
    }
  }
  return undefined;
}
