import {
  databaseNameProblem, objectNameProblem, roleNameProblem, schemaNameProblem,
} from '../../../lib/contract/names';
import {
  COLUMN, DATABASE, KINDS_IN_SCHEMA, OBJECT_KINDS, type ObjectKind, SCHEMA,
} from '../../../lib/contract/object-kinds';
import {
  ALL_OBJECTS, type DatabasePrivileges, type FutureObjectPrivileges, type PrivilegesByName, type RoleProperties,
  type SchemaPrivileges,
} from '../../../lib/contract/wire';
import { distinct, entries, exactly, flag, refuse, texts, throwProblem } from '../../shared/decode';
import { decodeSettings, encodeSettings, roleAtLogin } from './settings';
import type {
  Declaration,
  EndingMembership,
  FutureObjects,
  ObjectPrivileges,
  RoleKind,
  SchemaDeclaration,
} from './state';
import { decodeTime, encodeTime } from './time';

/** What a declaration refers to is the library of one version; an event and the registry may be of others. */
export const SAME_VERSION = 'update the provisioner and the resource to the same version of the library';

/**
 * The properties of a resource that are its declaration, as the template has them. The registry stores them in this
 * form, too.
 */
export type DeclarationProperties = Pick<
  RoleProperties,
  'Privileges' | 'MemberOf' | 'MembershipExpiresAt' | 'Settings' | 'Exclusive' | 'ExpiresAt'
>;

/** Decodes a declaration against a closed schema: every key is known, every name and every privilege is checked. */
export function decodeDeclaration(
  kind: RoleKind,
  properties: { readonly [Property in keyof DeclarationProperties]: unknown },
): Declaration {
  const memberOf = distinct(texts('MemberOf', properties.MemberOf ?? []));
  memberOf.forEach(role => throwProblem(roleNameProblem(role)));
  const databases = entries('Privileges', properties.Privileges ?? {}).map(([database, value]) => {
    throwProblem(databaseNameProblem(database));
    const where = `Privileges.${database}`;
    const { Database: privileges, Schemas: schemas } = exactly(where, value, ['Database', 'Schemas']);
    return {
      database,
      privileges: words(`${where}.Database`, DATABASE, privileges),
      schemas: entries(`${where}.Schemas`, schemas ?? {}).map(([schema, declared]) =>
        decodeSchema(`${where}.Schemas.${schema}`, schema, declared),
      ),
    };
  });
  const endingMemberships = decodeEndingMemberships(memberOf, properties.MembershipExpiresAt);
  const settings = decodeSettings(kind, memberOf, properties.Settings);
  const owner = settings && roleAtLogin(settings);
  if (endingMemberships?.some(({ group }) => group === owner)) {
    refuse(
      'Settings.RoleAtLogin',
      owner,
      'its membership ends, and each session would begin with a warning then',
      'take its time out of MembershipExpiresAt',
    );
  }
  return {
    kind,
    memberOf,
    ...endingMemberships === undefined ? {} : { endingMemberships },
    databases,
    exclusive: flag('Exclusive', properties.Exclusive),
    ...settings === undefined ? {} : { settings },
    ...decodeExpiry(kind, properties.ExpiresAt),
  };
}

/** The inverse of `decodeDeclaration`, but for the order of keys and lists and for what is empty. */
export function encodeDeclaration({
  memberOf,
  endingMemberships = [],
  databases,
  exclusive,
  settings,
  expiresAt,
}: Declaration): DeclarationProperties {
  return {
    ...unlessEmpty('MemberOf', memberOf),
    ...unlessEmpty(
      'MembershipExpiresAt',
      byKey(
        [...endingMemberships],
        ({ group }) => group,
        ({ expiresAt }) => encodeTime(expiresAt),
      ),
    ),
    ...unlessEmpty(
      'Privileges',
      byKey(
        databases,
        ({ database }) => database,
        ({ privileges, schemas }): DatabasePrivileges => ({
          ...unlessEmpty('Database', privileges),
          ...unlessEmpty(
            'Schemas',
            byKey(schemas, ({ schema }) => schema, encodeSchema),
          ),
        }),
      ),
    ),
    ...settings === undefined ? {} : { Settings: encodeSettings(settings) },
    ...exclusive ? { Exclusive: 'true' } : {},
    ...expiresAt === undefined ? {} : { ExpiresAt: encodeTime(expiresAt) },
  };
}

function decodeExpiry(kind: RoleKind, value: unknown): Pick<Declaration, 'expiresAt'> {
  if (value === undefined) {
    return {};
  }
  return kind === 'user'
    ? { expiresAt: decodeTime('ExpiresAt', value, 'pass a time in UTC with milliseconds') }
    : refuse('ExpiresAt', value, 'a group role has no login that could end', 'declare it for its members');
}

function decodeEndingMemberships(memberOf: string[], value: unknown): EndingMembership[] | undefined {
  const found = entries('MembershipExpiresAt', value ?? {}).map(([group, time]) => memberOf.includes(group)
    ? { group, expiresAt: decodeTime(`MembershipExpiresAt.${group}`, time, 'pass a time in UTC with milliseconds') }
    : refuse('MembershipExpiresAt', group, 'it is not in MemberOf', 'add it there, or leave it out here'));
  return found.length === 0 ? undefined : found;
}

function decodeSchema(where: string, schema: string, value: unknown): SchemaDeclaration {
  throwProblem(schemaNameProblem(schema));
  const declared = exactly(where, value, [
    'Owner',
    'Schema',
    ...KINDS_IN_SCHEMA.map(({ key }) => key),
    'FutureObjects',
  ]);
  const objects = KINDS_IN_SCHEMA.flatMap(kind => kind.sql === 'COLUMN'
    ? decodeColumns(`${where}.Columns`, declared.Columns)
    : decodeObjects(`${where}.${kind.key}`, kind, declared[kind.key]));
  return {
    schema,
    owner: flag(`${where}.Owner`, declared.Owner),
    privileges: words(`${where}.Schema`, SCHEMA, declared.Schema),
    objects,
    futureObjects: entries(`${where}.FutureObjects`, declared.FutureObjects ?? {}).map(([creator, future]) => {
      throwProblem(roleNameProblem(creator));
      return {
        creator,
        objects: future === ALL_OBJECTS ? onAll(objects) : decodeFuture(`${where}.FutureObjects.${creator}`, future),
      };
    }),
  };
}

function decodeObjects(where: string, kind: ObjectKind, value: unknown): ObjectPrivileges[] {
  return entries(where, value ?? {}).map(([name, privileges]) => {
    throwProblem(name === ALL_OBJECTS ? undefined : objectNameProblem(kind.word, name));
    return { kind: kind.sql, name, privileges: words(`${where}.${name}`, kind, privileges) };
  });
}

function decodeColumns(where: string, value: unknown): ObjectPrivileges[] {
  return entries(where, value ?? {}).flatMap(([table, columns]) => {
    throwProblem(objectNameProblem('table', table));
    return entries(`${where}.${table}`, columns).map(([name, privileges]): ObjectPrivileges => {
      throwProblem(objectNameProblem('column', name));
      return { kind: 'COLUMN', table, name, privileges: words(`${where}.${table}.${name}`, COLUMN, privileges) };
    });
  });
}

function decodeFuture(where: string, value: unknown): FutureObjects['objects'] {
  const declared = exactly(where, value, OBJECT_KINDS.map(({ key }) => key));
  return OBJECT_KINDS.flatMap((kind) => {
    const privileges = words(`${where}.${kind.key}`, kind, declared[kind.key]);
    return privileges.length === 0 ? [] : [{ kind: kind.sql, privileges }];
  });
}

function onAll(objects: ObjectPrivileges[]): FutureObjects['objects'] {
  return objects.flatMap(({ kind, name, privileges }) =>
    name === ALL_OBJECTS && kind !== 'COLUMN' && privileges.length > 0 ? [{ kind, privileges }] : []);
}

interface Kind {
  readonly word: string;
  readonly privileges: readonly string[];
}

function words(where: string, { word: kind, privileges: known }: Kind, value: unknown): string[] {
  return distinct(texts(where, value ?? [])).map(word => known.find(privilege => privilege === word)
    ?? refuse(`privilege on a ${kind}`, word, `known are ${known.join(', ')}`, SAME_VERSION));
}

function encodeSchema({ owner, privileges, objects, futureObjects }: SchemaDeclaration): SchemaPrivileges {
  const creators = distinct(futureObjects.map(({ creator }) => creator));
  return {
    ...owner ? { Owner: 'true' } : {},
    ...unlessEmpty('Schema', privileges),
    ...Object.assign({}, ...KINDS_IN_SCHEMA.map(({ sql, key }) => {
      const ofKind = objects.filter(({ kind }) => kind === sql);
      return unlessEmpty(key, sql === 'COLUMN' ? byTable(ofKind) : byName(ofKind));
    })) as SchemaPrivileges,
    ...unlessEmpty('FutureObjects', byKey(creators, creator => creator, creator =>
      // A role that was renamed may have got the name of one that is declared as well.
      encodeFuture(futureObjects.filter(future => future.creator === creator).flatMap(({ objects }) => objects)))),
  };
}

function encodeFuture(objects: FutureObjects['objects']): FutureObjectPrivileges {
  return Object.assign({}, ...OBJECT_KINDS.map(({ sql, key }) => {
    const ofKind = objects.filter(({ kind }) => kind === sql);
    return unlessEmpty(key, distinct(ofKind.flatMap(({ privileges }) => privileges)));
  })) as FutureObjectPrivileges;
}

function byTable(columns: ObjectPrivileges[]): { [table: string]: PrivilegesByName } {
  const tables = distinct(columns.map(({ table }) => table!));
  return byKey(tables, table => table, table => byName(columns.filter(column => column.table === table)));
}

function byName(list: ObjectPrivileges[]): PrivilegesByName {
  return byKey(list, ({ name }) => name, ({ privileges }) => privileges);
}

/** Any name can be a key, `__proto__` too. */
function byKey<Item, Value>(
  items: Item[],
  keyOf: (item: Item) => string,
  valueOf: (item: Item) => Value,
): { [key: string]: Value } {
  return Object.fromEntries(items.map(item => [keyOf(item), valueOf(item)]));
}

function unlessEmpty<Key extends string, Value extends object>(key: Key, value: Value): { [key in Key]?: Value } {
  return Object.keys(value).length === 0 ? {} : { [key]: value } as { [key in Key]: Value };
}
