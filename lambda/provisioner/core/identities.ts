import { isDeepStrictEqual } from 'node:util';
import { distinct, exactly, list, refuse, text } from '../../shared/decode';
import { ALL_OBJECTS } from '../../../lib/contract/wire';
import { OBJECT_KINDS, type ObjectType } from '../../../lib/contract/object-kinds';
import type { Declaration, ObjectPrivileges, SchemaDeclaration } from './state';

/**
 * What the names in declarations stood for when they were declared: a privilege stays with its object when that gets
 * another name. An oid says which object it is as long as server, major version and database are the same: a restored
 * database has other oids, which may be other objects'.
 */
export interface Identities {
  readonly resourceId: string;
  /** Of the server. */
  readonly major: number;
  readonly databases: DatabaseIdentities[];
  /** Groups, and creators of future objects. */
  readonly roles: RoleIdentity[];
}

export interface RoleIdentity {
  readonly name: string;
  readonly oid: string;
}

export interface DatabaseIdentities extends Found {
  readonly database: string;
}

/** What there is of these names, or with these oids, in one database. */
export interface Found {
  /** Of the database. */
  readonly oid: string;
  readonly schemas: { readonly schema: string; readonly oid: string }[];
  readonly objects: {
    readonly kind: ObjectType;
    readonly schema: string;
    readonly name: string;
    readonly oid: string;
  }[];
  /** `oid`: of the table. */
  readonly columns: {
    readonly schema: string;
    readonly table: string;
    readonly name: string;
    readonly oid: string;
    readonly number: number;
  }[];
}

/** What was declared before, with what its names stood for. */
export interface PreviousDeclaration extends Declaration {
  readonly identities?: Identities;
}

/** What to look for in a database. */
export interface IdentityQuestion {
  /** Of objects and tables. */
  readonly names: string[];
  readonly columns: string[];
  readonly schemaOids: string[];
  readonly objectOids: string[];
}

/** The server as it is now. */
export interface Place {
  readonly resourceId: string;
  readonly major: number;
}

export function identityQuestion(
  database: string,
  declared: Declaration[],
  previous: PreviousDeclaration[],
): IdentityQuestion {
  const objects = declared
    .flatMap(declaration => schemasIn(declaration, database))
    .flatMap(schema => schema.objects)
    .filter(({ name }) => name !== ALL_OBJECTS);
  const recorded = previous
    .flatMap(({ identities }) => identities?.databases ?? [])
    .filter(one => one.database === database);
  return {
    names: distinct(objects.map(({ table, name }) => table ?? name)),
    columns: distinct(objects.flatMap(({ table, name }) => table === undefined ? [] : [name])),
    schemaOids: distinct(recorded.flatMap(({ schemas }) => schemas.map(({ oid }) => oid))),
    objectOids: distinct(recorded.flatMap(({ objects, columns }) => [...objects, ...columns].map(({ oid }) => oid))),
  };
}

/** What the names in a declaration stand for in one database; undefined if it declares nothing there. */
export function identitiesIn(
  database: string,
  declaration: Declaration,
  { oid, schemas, objects, columns }: Found,
): DatabaseIdentities | undefined {
  const declared = schemasIn(declaration, database);
  const entries = new Set(
    declared.flatMap(({ schema, objects }) => objects.map(({ kind, table, name }) => keyOf(kind, schema, table, name))),
  );
  const names = new Set(declared.map(({ schema }) => schema));
  return declared.length === 0
    ? undefined
    : {
        database, oid,
        schemas: schemas.filter(({ schema }) => names.has(schema)),
        objects: objects.filter(({ kind, schema, name }) => entries.has(keyOf(kind, schema, undefined, name))),
        columns: columns.filter(({ schema, table, name }) => entries.has(keyOf('COLUMN', schema, table, name))),
      };
}

/** Whether there is a record of a database, whichever one of that name it was. */
export function recordsDatabase({ identities }: PreviousDeclaration, database: string): boolean {
  return identities?.databases.some(recorded => recorded.database === database) === true;
}

/** Whether the oids of a database are those of the record. */
export function isTrusted(
  { identities }: PreviousDeclaration,
  database: string,
  { oid }: Found,
  place: Place,
): boolean {
  return identities !== undefined && isSameServer(identities, place)
    && identities.databases.some(recorded => recorded.database === database && recorded.oid === oid);
}

/**
 * What was declared, also under the names that its schemas, objects and columns have now. The names of the record stay
 * beside them: what was granted on objects that are created later goes by its name.
 */
export function inPresentNames<D extends PreviousDeclaration>(
  previous: D,
  database: string,
  found: Found,
  place: Place,
): D {
  if (!isTrusted(previous, database, found, place)) {
    return previous;
  }
  const recorded = previous.identities!.databases.filter(one => one.database === database && one.oid === found.oid);
  return {
    ...previous,
    databases: previous.databases.map(one =>
      one.database === database
        ? {
            ...one,
            schemas: one.schemas.flatMap(schema => [
              schema,
              ...recorded.flatMap(identities => renamed(schema, identities, found)),
            ]),
          }
        : one,
    ),
  };
}

/** Oids by name, of what all databases of the server share. */
export interface Names {
  readonly roles: ReadonlyMap<string, string>;
  readonly databases: ReadonlyMap<string, string>;
}

/** What the names of databases and roles in a declaration stand for; without those that are not known. */
export function sharedIdentities(declaration: Declaration, names: Names): Pick<Identities, 'databases' | 'roles'> {
  const databases = declaration.databases.flatMap(({ database }): DatabaseIdentities[] => {
    const oid = names.databases.get(database);
    return oid === undefined ? [] : [{ database, oid, schemas: [], objects: [], columns: [] }];
  });
  const roles = rolesIn(declaration).flatMap((name) => {
    const oid = names.roles.get(name);
    return oid === undefined ? [] : [{ name, oid }];
  });
  return { databases, roles };
}

/** Groups, and creators of future objects. */
export function rolesIn({ memberOf, databases }: Declaration): string[] {
  const creators = databases
    .flatMap(({ schemas }) => schemas)
    .flatMap(({ futureObjects }) => futureObjects)
    .map(({ creator }) => creator);
  return distinct([...memberOf, ...creators]);
}

/**
 * What was declared, also under the names that its databases and roles have now. A database that is gone under its
 * former name is left out under it.
 */
export function withPresentNames<D extends PreviousDeclaration>(previous: D, names: Names, place: Place): D {
  const { identities } = previous;
  if (identities === undefined || !isSameServer(identities, place)) {
    return previous;
  }
  const databasesNow = renames(
    identities.databases.map(({ database, oid }) => ({ name: database, oid })),
    names.databases,
  );
  const rolesNow = renames(identities.roles, names.roles);
  const withCreators = (schema: SchemaDeclaration): SchemaDeclaration => ({
    ...schema,
    futureObjects: schema.futureObjects.flatMap(future => [
      future,
      ...rolesNow(future.creator).map(creator => ({ ...future, creator })),
    ]),
  });
  return {
    ...previous,
    memberOf: previous.memberOf.flatMap(group => [group, ...rolesNow(group)]),
    databases: previous.databases.map(one => ({ ...one, schemas: one.schemas.map(withCreators) })).flatMap((one) => {
      const now = databasesNow(one.database).map(database => ({ ...one, database }));
      return now.length > 0 && !names.databases.has(one.database) ? now : [one, ...now];
    }),
    identities: {
      ...identities,
      databases: identities.databases.flatMap(one => [
        one,
        ...databasesNow(one.database).map(database => ({ ...one, database })),
      ]),
    },
  };
}

/** Registered names of databases and roles that are not there, and whose oids do not say more. */
export function uncertainNames(
  previous: PreviousDeclaration,
  names: Names,
  place: Place,
): { databases: string[]; roles: string[] } {
  const { identities } = previous;
  if (identities === undefined || isSameServer(identities, place)) {
    return { databases: [], roles: [] };
  }
  return {
    databases: distinct(identities.databases.map(({ database }) => database)).filter(
      name => !names.databases.has(name),
    ),
    roles: distinct(identities.roles.map(({ name }) => name)).filter(name => !names.roles.has(name)),
  };
}

/** By the registered name, those that its oids have now. */
function renames(recorded: RoleIdentity[], now: ReadonlyMap<string, string>): (name: string) => string[] {
  // Of most names nothing has changed, and then nothing is made of all roles.
  let byOid: ReadonlyMap<string, string> | undefined;
  const nameOf = (oid: string) => (byOid ??= new Map([...now].map(([name, each]) => [each, name]))).get(oid);
  return name =>
    distinct(
      recorded.filter(one => one.name === name && now.get(name) !== one.oid).flatMap(({ oid }) => nameOf(oid) ?? []),
    );
}

/** The record after a role was renamed by this library, which has changed the declarations as well. */
export function withRoleRenamed(identities: Identities, from: string, to: string): Identities {
  return { ...identities, roles: identities.roles.map(one => one.name === from ? { ...one, name: to } : one) };
}

function isSameServer({ resourceId, major }: Identities, place: Place): boolean {
  return resourceId === place.resourceId && major === place.major;
}

/** What of a schema has another name now, as declarations of the schemas that it is in. */
function renamed(declared: SchemaDeclaration, recorded: DatabaseIdentities, found: Found): SchemaDeclaration[] {
  const { schema } = declared;
  const schemas = recorded.schemas.filter(one => one.schema === schema)
    .flatMap(({ oid }) => found.schemas.filter(now => now.oid === oid && now.schema !== schema))
    .map((now): SchemaDeclaration => ({ ...declared, schema: now.schema }));
  const objects = declared.objects.flatMap(({ kind, table, name, privileges }) => {
    const now
      = kind === 'COLUMN'
        ? columnsNow(recorded, found, schema, table!, name)
        : objectsNow(recorded, found, kind, schema, name);
    return now
      .filter(one => one.schema !== schema || one.table !== table || one.name !== name)
      .map(({ schema: now, ...names }): SchemaDeclaration => ({
        schema: now,
        owner: false,
        privileges: [],
        objects: [{ kind, ...names, privileges }],
        futureObjects: [],
      }));
  });
  return [...schemas, ...objects];
}

interface ObjectNames {
  readonly schema: string;
  readonly table?: string;
  readonly name: string;
}

function objectsNow(
  recorded: DatabaseIdentities,
  found: Found,
  kind: ObjectType,
  schema: string,
  name: string,
): ObjectNames[] {
  return recorded.objects.filter(one => one.kind === kind && one.schema === schema && one.name === name)
    .flatMap(({ oid }) => found.objects.filter(now => now.kind === kind && now.oid === oid))
    .map(now => ({ schema: now.schema, name: now.name }));
}

function columnsNow(
  recorded: DatabaseIdentities,
  found: Found,
  schema: string,
  table: string,
  name: string,
): ObjectNames[] {
  return recorded.columns.filter(one => one.schema === schema && one.table === table && one.name === name)
    .flatMap(({ oid, number }) => found.columns.filter(now => now.oid === oid && now.number === number))
    .map(now => ({ schema: now.schema, table: now.table, name: now.name }));
}

/** All of them as one, as far as they are about the same server as the first. */
export function together(all: (Identities | undefined)[]): Identities | undefined {
  const [first, ...others] = all.filter(identities => identities !== undefined);
  if (first === undefined) {
    return undefined;
  }
  const same = [first, ...others.filter(one => isSameServer(one, first))];
  return {
    ...first,
    databases: unique(same.flatMap(one => one.databases)),
    roles: unique(same.flatMap(one => one.roles)),
  };
}

function unique<Item>(items: Item[]): Item[] {
  return items.filter((one, index) => items.findIndex(other => isDeepStrictEqual(other, one)) === index);
}

function keyOf(kind: ObjectPrivileges['kind'], schema: string, table: string | undefined, name: string): string {
  return JSON.stringify([kind, schema, table, name]);
}

function schemasIn({ databases }: Declaration, database: string): SchemaDeclaration[] {
  return databases.filter(one => one.database === database).flatMap(({ schemas }) => schemas);
}

/** As it is stored, in the form of `Identities`. */
export function decodeIdentities(value: unknown): Identities | undefined {
  if (value === undefined) {
    return undefined;
  }
  const { resourceId, major, databases, roles } = exactly('identities', value, [
    'resourceId',
    'major',
    'databases',
    'roles',
  ]);
  return {
    resourceId: text('identities.resourceId', resourceId),
    major: integer('identities.major', major),
    roles: list('identities.roles', roles).map((one) => {
      const { name, oid } = exactly('identities.role', one, ['name', 'oid']);
      return { name: text('name', name), oid: oidOf(oid) };
    }),
    databases: list('identities.databases', databases).map((one) => {
      const { database, oid, schemas, objects, columns } = exactly('identities.database', one, [
        'database',
        'oid',
        'schemas',
        'objects',
        'columns',
      ]);
      return {
        database: text('identities.database', database),
        oid: oidOf(oid),
        schemas: list('identities.schemas', schemas).map((one) => {
          const { schema, oid } = exactly('identities.schema', one, ['schema', 'oid']);
          return { schema: text('schema', schema), oid: oidOf(oid) };
        }),
        objects: list('identities.objects', objects).map((one) => {
          const { kind, schema, name, oid } = exactly('identities.object', one, ['kind', 'schema', 'name', 'oid']);
          const known = OBJECT_KINDS.find(({ sql }) => sql === kind)
            ?? refuse('kind', kind, `known are ${OBJECT_KINDS.map(({ sql }) => sql).join(', ')}`, CORRECT);
          return { kind: known.sql, schema: text('schema', schema), name: text('name', name), oid: oidOf(oid) };
        }),
        columns: list('identities.columns', columns).map((one) => {
          const { schema, table, name, oid, number } = exactly('identities.column', one, [
            'schema',
            'table',
            'name',
            'oid',
            'number',
          ]);
          return {
            schema: text('schema', schema),
            table: text('table', table),
            name: text('name', name),
            oid: oidOf(oid),
            number: integer('number', number),
          };
        }),
      };
    }),
  };
}

const CORRECT = 'correct the row';

export function integer(where: string, value: unknown): number {
  return Number.isInteger(value) ? value as number : refuse(where, value, 'it is not a whole number', CORRECT);
}

export function oidOf(value: unknown): string {
  const found = text('oid', value);
  return /^[1-9][0-9]{0,9}$/.test(found) ? found : refuse('oid', found, 'it is not an oid', CORRECT);
}
