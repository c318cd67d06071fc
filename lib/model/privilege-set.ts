import { Token } from 'aws-cdk-lib';
import {
  KINDS_IN_SCHEMA,
  OBJECT_KINDS,
  type ObjectKind,
  type ObjectWord,
  PRIVILEGES_IN_ORDER,
} from '../contract/object-kinds';
import {
  ALL_OBJECTS,
  type FutureObjectPrivileges,
  type PrivilegesByName,
  type RoleProperties,
  type SchemaPrivileges,
} from '../contract/wire';

export {
  ALL_OBJECTS,
  KINDS_IN_SCHEMA,
  PRIVILEGES_IN_ORDER,
  type ObjectKind,
  type ObjectWord,
  type PrivilegesByName,
  type SchemaPrivileges,
};

export type PrivilegesByDatabase = NonNullable<RoleProperties['Privileges']>;

/** What is on the wire: lists of privileges, below keys that say what they are on. */
type Tree = string | readonly string[] | { readonly [key: string]: Tree };

/**
 * Everything a role may do, as its custom resource says it: merged, without duplicates and in a
 * fixed order, so that the same privileges in another order are the same template.
 */
export function wireForm(
  grants: PrivilegesByDatabase[], roles: string[], ends: ReadonlyMap<string, string> = new Map(),
): Pick<RoleProperties, 'Privileges' | 'MemberOf' | 'MembershipExpiresAt'> {
  return withoutEmpty({
    Privileges: withoutRepetition(merge([{}, ...grants] as Tree[]) as PrivilegesByDatabase),
    MemberOf: inOrder(roles),
    MembershipExpiresAt: Object.fromEntries(inOrder([...ends.keys()]).map(group => [group, ends.get(group)!])),
  });
}

/**
 * Names come from databases and may be those of members of every object, such as "constructor": so no look-up by key.
 */
function merge(trees: Tree[]): Tree {
  if (trees.every(tree => typeof tree === 'string')) {
    return trees[0];
  }
  if (trees.every(tree => Array.isArray(tree))) {
    return inOrder(trees.flat() as string[]);
  }
  const byKey = new Map<string, Tree[]>();
  for (const [key, tree] of trees.flatMap(tree => Object.entries(tree as Record<string, Tree>))) {
    byKey.set(key, [...byKey.get(key) ?? [], tree]);
  }
  return Object.fromEntries(inOrder([...byKey.keys()]).map(key => [key, merge(byKey.get(key)!)]));
}

/**
 * What is granted on all objects of a schema says nothing new on one of them, nor on future ones; what is granted on a
 * table, nothing on its columns.
 */
function withoutRepetition(databases: PrivilegesByDatabase): PrivilegesByDatabase {
  return mapValues(databases, database => database.Schemas
    ? { ...database, Schemas: mapValues(database.Schemas, withoutRepetitionIn) }
    : database);
}

function withoutRepetitionIn(schema: SchemaPrivileges): SchemaPrivileges {
  const { Tables = {}, Columns = {}, FutureObjects = {} } = schema;
  const onTable = new Map(Object.entries(Tables));
  return withoutEmpty({
    ...schema,
    ...Object.fromEntries(OBJECT_KINDS.map(({ key }) => [key, beyondAll(schema[key] ?? {})])),
    Columns: withoutEmpty(mapValues(Columns, (columns, table) =>
      beyond(columns, [...onTable.get(table) ?? [], ...onTable.get(ALL_OBJECTS) ?? []]))),
    FutureObjects: mapValues(FutureObjects, future => isOnAllObjects(future, schema) ? ALL_OBJECTS : future),
  });
}

/** Whether privileges on future objects are those on all objects that exist. */
function isOnAllObjects(future: FutureObjectPrivileges | typeof ALL_OBJECTS, schema: SchemaPrivileges): boolean {
  return future === ALL_OBJECTS || OBJECT_KINDS.every(({ key }) => {
    const { [ALL_OBJECTS]: all = [] } = schema[key] ?? {};
    return inOrder(all).join() === inOrder([...future[key] ?? []]).join();
  });
}

function beyondAll(names: PrivilegesByName): PrivilegesByName {
  const { [ALL_OBJECTS]: all = [] } = names;
  return withoutEmpty(
    mapValues(names, (privileges, name) => (name === ALL_OBJECTS ? privileges : without(all, privileges))),
  );
}

function beyond(names: PrivilegesByName, granted: string[]): PrivilegesByName {
  return withoutEmpty(mapValues(names, privileges => without(granted, privileges)));
}

function without(granted: string[], privileges: string[]): string[] {
  return privileges.filter(privilege => !granted.includes(privilege));
}

/** Sorted by code unit; tokens, whose text is not the same in every run, come last in the order they were given. */
function inOrder(names: string[]): string[] {
  const unique = [...new Set(names)];
  return [
    ...unique.filter(name => !Token.isUnresolved(name)).sort(),
    ...unique.filter(name => Token.isUnresolved(name)),
  ];
}

function mapValues<A, B>(record: { readonly [key: string]: A }, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

function withoutEmpty<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => Object.keys(value as object).length > 0)) as T;
}
