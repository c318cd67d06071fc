import type { PrivilegeAccess } from './access-report';
import { identifier } from './plain-text';
import {
  ALL_OBJECTS,
  KINDS_IN_SCHEMA,
  type ObjectKind as Kind,
  PRIVILEGES_IN_ORDER,
  type PrivilegesByDatabase,
  type PrivilegesByName,
  type SchemaPrivileges,
} from '../model/privilege-set';

const LINES = new WeakMap<PrivilegesByDatabase, PrivilegeAccess[]>();

/** What is on the wire, said once for everything that is the same. */
export function privilegesIn(databases: PrivilegesByDatabase): PrivilegeAccess[] {
  const lines = LINES.get(databases) ?? linesOf(databases);
  LINES.set(databases, lines);
  return lines;
}

function linesOf(databases: PrivilegesByDatabase): PrivilegeAccess[] {
  return Object.entries(databases).flatMap(([database, { Database = [], Schemas = {} }]) => [
    ...line({ database, on: 'database', privileges: Database }),
    ...Object.entries(Schemas).flatMap(([schema, privileges]) => inSchema(database, schema, privileges)),
  ]);
}

function inSchema(database: string, schema: string, privileges: SchemaPrivileges): PrivilegeAccess[] {
  const place = { database, schema };
  return [
    ...line({ ...place, on: 'schema', privileges: [...privileges.Owner ? ['OWNER'] : [], ...privileges.Schema ?? []] }),
    ...KINDS_IN_SCHEMA.flatMap(kind =>
      kind.sql === 'COLUMN' ? onColumns(place, privileges) : onObjects(place, kind, privileges)),
  ];
}

interface Place {
  readonly database: string;
  readonly schema: string;
}

function onColumns(place: Place, { Columns = {} }: SchemaPrivileges): PrivilegeAccess[] {
  return Object.entries(Columns).flatMap(([table, columns]) => byPrivileges(columns).flatMap(([names, list]) =>
    line({ ...place, on: 'columns', table, names, privileges: list })));
}

function onObjects(place: Place, { key, word }: Kind, privileges: SchemaPrivileges): PrivilegeAccess[] {
  if (!privileges[key] && !privileges.FutureObjects) {
    return [];
  }
  const on = `${word}s` as const;
  const { [ALL_OBJECTS]: all = [], ...named } = privileges[key] ?? {};
  const future = byPrivileges(ofCreators(privileges.FutureObjects ?? {}, key, all));
  const sameAsAll = future.find(([, list]) => list.join() === all.join())?.[0];
  return [
    ...line({ ...place, on, privileges: all, ...sameAsAll ? { createdBy: sameAsAll } : {} }),
    ...byPrivileges(named).flatMap(([names, list]) => line({ ...place, on, names, privileges: list })),
    ...future
      .filter(([creators]) => creators !== sameAsAll)
      .flatMap(([createdBy, list]) => line({ ...place, on, privileges: list, createdBy, futureOnly: true })),
  ];
}

function ofCreators(
  future: NonNullable<SchemaPrivileges['FutureObjects']>,
  key: Kind['key'],
  all: string[],
): PrivilegesByName {
  return Object.fromEntries(
    Object.entries(future).map(([creator, privileges]) => [
      creator,
      privileges === ALL_OBJECTS ? all : (privileges[key] ?? []),
    ]),
  );
}

/** Names that have the same privileges, together. */
function byPrivileges(byName: PrivilegesByName): [string[], string[]][] {
  const groups = new Map<string, [string[], string[]]>();
  for (const [name, privileges] of Object.entries(byName).filter(([, list]) => list.length > 0)) {
    const group = groups.get(privileges.join()) ?? [[], privileges];
    groups.set(privileges.join(), group);
    group[0].push(name);
  }
  return [...groups.values()];
}

function line(access: PrivilegeAccess): PrivilegeAccess[] {
  const placeOf = (privilege: string) => PRIVILEGES_IN_ORDER.indexOf(privilege);
  const privileges = [...access.privileges].sort((a, b) => placeOf(a) - placeOf(b));
  return privileges.length > 0 ? [{ ...access, privileges }] : [];
}

/** Where the privileges are, as in `shop.public`. */
export function placeOf({ database, schema }: PrivilegeAccess): string {
  return [database, schema].filter(name => name !== undefined).map(name => identifier(name)).join('.');
}

/** Privileges of one place after the other. */
export function byPlace(
  privileges: readonly PrivilegeAccess[],
): { readonly place: string; readonly privileges: PrivilegeAccess[] }[] {
  const places = new Map<string, PrivilegeAccess[]>();
  for (const privilege of privileges) {
    const inPlace = places.get(placeOf(privilege)) ?? [];
    places.set(placeOf(privilege), inPlace);
    inPlace.push(privilege);
  }
  return [...places].map(([place, inPlace]) => ({ place, privileges: inPlace }));
}

/**
 * Who creates the objects of the future, if that is the same for everything in a place, so that it can be said once.
 */
export function commonFuture(inPlace: readonly PrivilegeAccess[]): string | undefined {
  const texts = new Set(
    inPlace
      .filter(({ on, names }) => on !== 'database' && on !== 'schema' && !names)
      .map(privilege => (privilege.futureOnly ? undefined : privilegeParts(privilege).alsoFuture)),
  );
  const [text] = texts;
  return texts.size === 1 ? text : undefined;
}

/** The privileges and what they are on, as in `SELECT, INSERT on all tables (also future ones of migrator)`. */
export function privilegeText(access: PrivilegeAccess): string {
  const { granted, on, alsoFuture } = privilegeParts(access);
  return `${granted.join(', ')}${on === undefined ? '' : ` on ${on}`}${alsoFuture === undefined ? '' : ` (${alsoFuture})`}`;
}

export interface PrivilegeParts {
  readonly granted: string[];
  /** Undefined where the place says it. */
  readonly on?: string;
  readonly alsoFuture?: string;
}

export function privilegeParts({
  on,
  names,
  table,
  privileges,
  createdBy,
  futureOnly,
}: PrivilegeAccess): PrivilegeParts {
  const granted = privileges.map(privilege => privilege === 'OWNER' ? 'owner of the schema' : privilege);
  if (on === 'database' || on === 'schema') {
    return { granted };
  }
  const creators = createdBy?.map(identifier).join(', ');
  if (futureOnly) {
    return { granted, on: `future ${on} of ${creators}` };
  }
  const objects = names
    ? `${names.length === 1 ? on.slice(0, -1) : on} ${names.map(identifier).join(', ')}`
    : `all ${on}`;
  return {
    granted,
    on: table === undefined ? objects : `${objects} of table ${identifier(table)}`,
    ...creators === undefined ? {} : { alsoFuture: `also future ones of ${creators}` },
  };
}
