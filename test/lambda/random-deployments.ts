import { DatabasePrivileges, PrivilegesByName, SchemaPrivileges, SettingProperties } from '../../lib/contract/wire';
import { Random } from './random';
import { Declared } from './stack';
import { DATABASES, MIGRATOR, PRIVILEGES, READERS, SCHEMAS, World } from './world';

/**
 * Logical ids with the names that their roles may have, in the order in which they are deployed: who is named by others
 * comes first.
 */
export const RESOURCES: { id: string; kind: 'roleName' | 'username' | 'usernames'; names: string[] }[] = [
  { id: 'G1', kind: 'roleName', names: ['g1'] },
  { id: 'G2', kind: 'roleName', names: ['g2'] },
  { id: 'U1', kind: 'username', names: ['ann', 'Ann B.'] },
  { id: 'U2', kind: 'username', names: ['bob', 'rob'] },
  { id: 'L', kind: 'usernames', names: ['lea', 'leo', 'liz'] },
];

/** By logical id. */
export type Template = ReadonlyMap<string, Declared>;
export type Deployed = ReadonlyMap<string, { readonly declared: Declared; readonly physicalId: string }>;

export function randomTemplate(random: Random, world: World, deployed: Deployed, kept: string[]): Template {
  const template = new Map<string, Declared>();
  for (const { id, kind, names } of RESOURCES.filter(() => random.chance(0.75))) {
    const earlier = deployed.get(id);
    // A role that stayed keeps its name from others.
    const name
      = names.find(name => kept.includes(name))
        ?? (earlier && random.chance(0.7) ? namesOf(earlier.declared)[0] : random.one(names));
    const declared
      = kind === 'usernames'
        ? { usernames: random.few(names) }
        : kind === 'username'
          ? { username: name }
          : { roleName: name };
    template.set(id, { ...declared, ...randomDeclaration(random, world, id, kind, template) });
  }
  return template;
}

function randomDeclaration(
  random: Random,
  world: World,
  id: string,
  kind: string,
  others: Template,
): Omit<Declared, 'username'> {
  const earlier = [...others.values()];
  const groups = [READERS, ...earlier.flatMap(other => 'roleName' in other ? [other.roleName] : [])];
  const creators = [MIGRATOR, 'postgres', ...earlier.flatMap(other => 'username' in other ? [other.username] : [])];
  const schema = (): SchemaPrivileges => ({
    Schema: random.some(PRIVILEGES.SCHEMA),
    FutureObjects: Object.fromEntries(
      random.some(creators, 0.3).map(creator => [
        creator,
        {
          Tables: random.some(world.tablePrivileges, 0.3),
          Sequences: random.some(PRIVILEGES.SEQUENCE),
          Functions: random.some(PRIVILEGES.ROUTINE),
          Types: random.some(PRIVILEGES.TYPE),
        },
      ]),
    ),
    Tables: byName(random, ['*'], world.tablePrivileges),
  });
  const privileges = Object.fromEntries(random.some(DATABASES, 0.7).map((database): [string, DatabasePrivileges] => {
    const owned = earlier
      .flatMap(({ privileges = {} }) => Object.entries(privileges[database]?.Schemas ?? {}))
      .filter(([, { Owner }]) => Owner)
      .map(([name]) => name);
    const schemas: [string, SchemaPrivileges][] = [
      ...random
        .some(SCHEMAS)
        .map((name): [string, SchemaPrivileges] => [name, { ...schema(), ...onThings(random, world, database, name) }]),
      ...random.some(owned).map((name): [string, SchemaPrivileges] => [name, schema()]),
      // Its owner must be able to create it there.
      ...(kind === 'username' && database !== 'theirs' && random.chance(0.4)
        ? [[`own_${id}`, { Owner: 'true' }] as [string, SchemaPrivileges]]
        : []),
    ];
    return [
      database,
      {
        Database: random.some(PRIVILEGES.DATABASE),
        ...(schemas.length > 0 ? { Schemas: Object.fromEntries(schemas) } : {}),
      },
    ];
  }));
  const memberOf = kind === 'roleName' && id === 'G1' ? [] : random.some(groups, 0.3);
  const settings
    = kind === 'roleName' || random.chance(0.3)
      ? {}
      : {
          settings: randomSettings(
            random,
            memberOf.filter(group => group !== READERS),
          ),
        };
  return { privileges, memberOf, ...settings, exclusive: random.chance(0.25) };
}

function randomSettings(random: Random, groups: string[]): SettingProperties {
  const parameters = random.some(
    [
      ['work_mem', random.one(['1MB', '2MB'])],
      ['jit', random.one(['on', 'off'])],
      ['search_path', random.some(['app', 'My data', 'public'], 0.7)],
    ] as [string, string | string[]][],
    0.5,
  );
  return {
    Parameters: Object.fromEntries(parameters.filter(([, value]) => value.length > 0)),
    ...random.chance(0.4) ? { ConnectionLimit: random.one(['7', '8']) } : {},
    ...groups.length > 0 && random.chance(0.7) ? { RoleAtLogin: random.one(groups) } : {},
  };
}

function onThings(random: Random, world: World, database: string, schema: string): SchemaPrivileges {
  const things = world.things.filter(thing => thing.database === database && thing.schema === schema);
  const names = (kind: string) => [
    '*',
    ...new Set(things.filter(thing => thing.kind === kind).map(({ name }) => name)),
  ];
  const tables = things.filter(({ kind }) => kind === 'TABLE');
  return {
    Tables: byName(random, names('TABLE'), world.tablePrivileges),
    Columns: Object.fromEntries(
      random.some(tables, 0.2).map(({ name, columns = [] }) => [name, byName(random, columns, PRIVILEGES.COLUMN)]),
    ),
    Sequences: byName(random, names('SEQUENCE'), PRIVILEGES.SEQUENCE),
    Functions: byName(random, names('ROUTINE'), PRIVILEGES.ROUTINE),
    Types: byName(random, names('TYPE'), PRIVILEGES.TYPE),
  };
}

function byName(random: Random, names: string[], privileges: readonly string[]): PrivilegesByName {
  return Object.fromEntries(random.some(names, 0.3).map(name => [name, random.some(privileges)]));
}

export function namesOf(declared: Declared): string[] {
  return 'usernames' in declared
    ? declared.usernames
    : 'roleName' in declared
      ? [declared.roleName]
      : [declared.username];
}
