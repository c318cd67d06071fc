import { checkRole } from './known-role';
import { checkKeys, checkNotEmpty } from './privilege-checks';
import type { PrivilegesByDatabase } from './privilege-set';
import { notList } from './types';
import { OBJECT_KINDS, type ObjectWord } from '../contract/object-kinds';
import {
  ALL_OBJECTS,
  type FutureObjectPrivileges,
  type PrivilegesByName,
  type SchemaPrivileges,
} from '../contract/wire';
import type { IDatabaseRole } from '../role-interface';

/** One schema of a database. */
export interface InSchema {
  readonly database: string;
  readonly schema: string;
}

/** Some schemas of a database. */
interface InSchemas {
  readonly database: string;
  readonly schemas?: string[];
}

/** What a value of `Privileges` says. */
export interface Grant {
  readonly databases?: PrivilegesByDatabase;
  readonly memberOf?: IDatabaseRole;

  /** When the membership ends. */
  readonly expiresAt?: Date;

  /** Of objects of the future. */
  readonly creators?: IDatabaseRole[];

  /** A schema that the grantee is to own. */
  readonly owned?: InSchema;

  /** What will not work. */
  readonly warning?: string;
}

const DEFAULT_SCHEMAS = ['public'];

/**
 * Privileges on all tables and sequences of some schemas, and what it takes to get there.
 *
 * @param factory whose warning it is
 * @param use what cannot be done with tables of the future, as in "read"
 */
export function onData(
  factory: string,
  use: string,
  options: InSchemas & { readonly objectsCreatedBy?: IDatabaseRole[] },
  objects: { readonly Tables: string[]; readonly Sequences: string[] },
): Grant {
  const { database, schemas = DEFAULT_SCHEMAS, objectsCreatedBy } = options;
  const warning
    = `${factory} without objectsCreatedBy covers what exists at deployment in schema ${quoted(schemas)} of database ${quoted(database)}, `
      + `and tables that are created later cannot be ${use} until a later deployment changes this construct; `
      + 'name the roles that create them, or pass an empty list to accept it';
  return {
    ...inSchemas(options, {
      Schema: ['USAGE'],
      Tables: { [ALL_OBJECTS]: objects.Tables },
      Sequences: { [ALL_OBJECTS]: objects.Sequences },
      ...futureObjects(objectsCreatedBy, objects),
    }),
    creators: [...objectsCreatedBy ?? []],
    warning: objectsCreatedBy ? undefined : warning,
  };
}

/** The same in each of some schemas, and CONNECT. */
export function inSchemas({ database, schemas = DEFAULT_SCHEMAS }: InSchemas, privileges: SchemaPrivileges): Grant {
  checkKeys('database', [database]);
  checkNotEmpty(schemas, `schemas of database ${quoted(database)}`, 'schemas out for public');
  checkKeys('schema', schemas);
  const Schemas = Object.fromEntries(schemas.map(schema => [schema, privileges]));
  return { databases: { [database]: { Database: ['CONNECT'], Schemas } } };
}

/** In one schema, and nothing else. */
export function inSchema({ database, schema }: InSchema, privileges: SchemaPrivileges): Grant {
  checkKeys('database', [database]);
  checkKeys('schema', [schema]);
  return { databases: { [database]: { Schemas: { [schema]: privileges } } } };
}

export interface ObjectsOptions extends InSchema {
  readonly kind: ObjectWord;
  readonly names?: string[];
  readonly privileges: string[];

  /** What leaving the privileges out means, where they may be left out. */
  readonly otherwise?: string;
  readonly objectsCreatedBy?: IDatabaseRole[];
}

/** On objects of a schema: on some by name, or on all and on those of the future. */
export function onObjects(options: ObjectsOptions): Grant {
  const { kind, schema, names, privileges, objectsCreatedBy = [], otherwise } = options;
  checkNotEmpty(privileges, `privileges on ${kind}s of schema ${quoted(schema)}`, otherwise);
  if (names) {
    checkNotEmpty(names, `${kind}s of schema ${quoted(schema)}`, `${kind}s out for all of them`);
    checkKeys(kind, names);
  }
  if (names && objectsCreatedBy.length > 0) {
    throw new Error(
      `${kind} ${quoted(names)} of schema ${quoted(schema)} is named together with objectsCreatedBy, and what is created later cannot be named; `
      + `leave ${kind}s out for all of them, or leave objectsCreatedBy out`,
    );
  }
  const { key } = OBJECT_KINDS.find(({ word }) => word === kind)!;
  return {
    ...inSchema(options, {
      [key]: byName(names ?? [ALL_OBJECTS], privileges),
      ...futureObjects(objectsCreatedBy, { [key]: [...privileges] }),
    }),
    creators: [...objectsCreatedBy],
  };
}

export function byName(names: string[], privileges: string[]): PrivilegesByName {
  return Object.fromEntries(names.map(name => [name, [...privileges]]));
}

function futureObjects(
  creators: IDatabaseRole[] = [],
  privileges: FutureObjectPrivileges,
): Pick<SchemaPrivileges, 'FutureObjects'> {
  const problem = notList('objectsCreatedBy', creators);
  if (problem !== undefined) {
    throw new Error(problem);
  }
  creators.forEach(creator => checkRole('objectsCreatedBy', creator));
  const names = creators.map(({ roleName }) => roleName);
  checkKeys('role', names);
  return names.length > 0 ? { FutureObjects: Object.fromEntries(names.map(name => [name, privileges])) } : {};
}

export function quoted(names: string | string[]): string {
  return [names].flat().map(name => JSON.stringify(name)).join(', ');
}
