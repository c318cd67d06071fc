import { databaseNameProblem, objectNameProblem, roleNameProblem, schemaNameProblem } from '../../lib/contract/names';
import {
  ALL_OBJECTS, COLUMN_PRIVILEGES, DATABASE_PRIVILEGES, DatabasePrivileges, FUNCTION_PRIVILEGES, PrivilegesByName, RoleProperties, SCHEMA_PRIVILEGES, SchemaPrivileges,
  SEQUENCE_PRIVILEGES, TABLE_PRIVILEGES,
} from '../../lib/contract/wire';
import { Declaration, FutureObjects, NamedPrivileges, RoleKind, SchemaDeclaration } from './state';
import { distinct, entries, exactly, flag, refuse, texts, throwProblem } from '../shared/decode';

/** What a declaration refers to is the library of one version; an event and the registry may be of others. */
export const SAME_VERSION = 'update the provisioner and the resource to the same version of the library';

/** The properties of a resource that are its declaration, as the template has them. The registry stores them in this form, too. */
export type DeclarationProperties = Pick<RoleProperties, 'Privileges' | 'MemberOf' | 'Exclusive'>;

/** Decodes a declaration against a closed schema: every key is known, every name and every privilege is checked. */
export function decodeDeclaration(kind: RoleKind, properties: { readonly [Property in keyof DeclarationProperties]: unknown }): Declaration {
  const memberOf = distinct(texts('MemberOf', properties.MemberOf ?? []));
  memberOf.forEach(role => throwProblem(roleNameProblem(role)));
  const databases = entries('Privileges', properties.Privileges ?? {}).map(([database, value]) => {
    throwProblem(databaseNameProblem(database));
    const where = `Privileges.${database}`;
    const { Database: privileges, Schemas: schemas } = exactly(where, value, ['Database', 'Schemas']);
    return {
      database,
      privileges: words(`${where}.Database`, 'a database', privileges, DATABASE_PRIVILEGES),
      schemas: entries(`${where}.Schemas`, schemas ?? {}).map(([schema, declared]) => decodeSchema(`${where}.Schemas.${schema}`, schema, declared)),
    };
  });
  return { kind, memberOf, databases, exclusive: flag('Exclusive', properties.Exclusive) };
}

/** The inverse of `decodeDeclaration`, but for the order of keys and lists and for what is empty. */
export function encodeDeclaration({ memberOf, databases, exclusive }: Declaration): DeclarationProperties {
  return {
    ...unlessEmpty('MemberOf', memberOf),
    ...unlessEmpty('Privileges', byKey(databases, ({ database }) => database, ({ privileges, schemas }): DatabasePrivileges => ({
      ...unlessEmpty('Database', privileges),
      ...unlessEmpty('Schemas', byKey(schemas, ({ schema }) => schema, encodeSchema)),
    }))),
    ...exclusive ? { Exclusive: 'true' } : {},
  };
}

function decodeSchema(where: string, schema: string, value: unknown): SchemaDeclaration {
  throwProblem(schemaNameProblem(schema));
  const declared = exactly(where, value, ['Owner', 'Schema', 'Tables', 'Columns', 'Sequences', 'Functions', 'FutureObjects']);
  const onObjects = {
    tables: named(`${where}.Tables`, 'table', declared.Tables, TABLE_PRIVILEGES),
    sequences: named(`${where}.Sequences`, 'sequence', declared.Sequences, SEQUENCE_PRIVILEGES),
    functions: named(`${where}.Functions`, 'function', declared.Functions, FUNCTION_PRIVILEGES),
  };
  return {
    schema,
    owner: flag(`${where}.Owner`, declared.Owner),
    privileges: words(`${where}.Schema`, 'a schema', declared.Schema, SCHEMA_PRIVILEGES),
    ...onObjects,
    columns: entries(`${where}.Columns`, declared.Columns ?? {}).flatMap(([table, columns]) => {
      throwProblem(objectNameProblem('table', table));
      return named(`${where}.Columns.${table}`, 'column', columns, COLUMN_PRIVILEGES).map(column => ({ ...column, table }));
    }),
    futureObjects: entries(`${where}.FutureObjects`, declared.FutureObjects ?? {}).map(([creator, objects]): FutureObjects => {
      throwProblem(roleNameProblem(creator));
      if (objects === ALL_OBJECTS) {
        return { creator, tables: onAll(onObjects.tables), sequences: onAll(onObjects.sequences), functions: onAll(onObjects.functions) };
      }
      const { Tables: tables, Sequences: sequences, Functions: functions } = exactly(`${where}.FutureObjects.${creator}`, objects, ['Tables', 'Sequences', 'Functions']);
      return {
        creator,
        tables: words(`${where}.FutureObjects.${creator}.Tables`, 'a table', tables, TABLE_PRIVILEGES),
        sequences: words(`${where}.FutureObjects.${creator}.Sequences`, 'a sequence', sequences, SEQUENCE_PRIVILEGES),
        functions: words(`${where}.FutureObjects.${creator}.Functions`, 'a function', functions, FUNCTION_PRIVILEGES),
      };
    }),
  };
}

function encodeSchema({ owner, privileges, tables, columns, sequences, functions, futureObjects }: SchemaDeclaration): SchemaPrivileges {
  const tablesWithColumns = distinct(columns.map(({ table }) => table));
  return {
    ...owner ? { Owner: 'true' } : {},
    ...unlessEmpty('Schema', privileges),
    ...unlessEmpty('Tables', byName(tables)),
    ...unlessEmpty('Columns', byKey(tablesWithColumns, table => table, table => byName(columns.filter(column => column.table === table)))),
    ...unlessEmpty('Sequences', byName(sequences)),
    ...unlessEmpty('Functions', byName(functions)),
    ...unlessEmpty('FutureObjects', byKey(distinct(futureObjects.map(({ creator }) => creator)), creator => creator, (creator) => {
      // A role that was renamed may have got the name of one that is declared as well.
      const ofCreator = futureObjects.filter(future => future.creator === creator);
      return {
        ...unlessEmpty('Tables', distinct(ofCreator.flatMap(({ tables }) => tables))),
        ...unlessEmpty('Sequences', distinct(ofCreator.flatMap(({ sequences }) => sequences))),
        ...unlessEmpty('Functions', distinct(ofCreator.flatMap(({ functions }) => functions))),
      };
    })),
  };
}

function named(where: string, kind: 'table' | 'column' | 'sequence' | 'function', value: unknown, known: readonly string[]): NamedPrivileges[] {
  return entries(where, value ?? {}).map(([name, privileges]) => {
    throwProblem(name === ALL_OBJECTS && kind !== 'column' ? undefined : objectNameProblem(kind, name));
    return { name, privileges: words(`${where}.${name}`, `a ${kind}`, privileges, known) };
  });
}

function onAll(list: NamedPrivileges[]): string[] {
  return list.find(({ name }) => name === ALL_OBJECTS)?.privileges ?? [];
}

function words(where: string, kind: string, value: unknown, known: readonly string[]): string[] {
  return distinct(texts(where, value ?? [])).map(word => known.find(privilege => privilege === word)
    ?? refuse(`privilege on ${kind}`, word, `known are ${known.join(', ')}`, SAME_VERSION));
}

function byName(list: NamedPrivileges[]): PrivilegesByName {
  return byKey(list, ({ name }) => name, ({ privileges }) => privileges);
}

/** Any name can be a key, `__proto__` too. */
function byKey<Item, Value>(items: Item[], keyOf: (item: Item) => string, valueOf: (item: Item) => Value): { [key: string]: Value } {
  return Object.fromEntries(items.map(item => [keyOf(item), valueOf(item)]));
}

function unlessEmpty<Key extends string, Value extends object>(key: Key, value: Value): { [key in Key]?: Value } {
  return Object.keys(value).length === 0 ? {} : { [key]: value } as { [key in Key]: Value };
}
