import { PrivilegesCall } from './factories';
import { DatabaseIndex } from './rights';
import { GeneratedSettings } from './settings';

/** What is declared of roles that are the same but for their names. */
export interface GeneratedRoles {
  readonly kind: 'role' | 'user';
  readonly names: string[];
  /** That users connect to. */
  readonly database?: string;
  readonly memberOf: string[];
  readonly privileges: PrivilegesCall[];
  readonly settings: GeneratedSettings;
}

/** As the provisioner limits the users of one resource, times the objects that each has privileges on. */
const MAX_ENTRIES = 50_000;

/** Roles that are the same but for their names are put together; each comes after those that it names. */
export function inGroups(roles: GeneratedRoles[], databases: DatabaseIndex[]): GeneratedRoles[] {
  const named = new Set(roles.flatMap(referencesOf));
  const groups = new Map<string, { readonly first: GeneratedRoles; readonly names: string[] }>();
  for (const role of roles) {
    const { names: [name], ...rest } = role;
    // A schema has one owner. A group role that others name needs a name in the code.
    const isAlone
      = role.privileges.some(({ factory }) => factory === 'schemaOwner') || (role.kind === 'role' && named.has(name));
    const key = JSON.stringify(isAlone ? name : rest);
    const group = groups.get(key) ?? { first: role, names: [] };
    group.names.push(name);
    groups.set(key, group);
  }
  const all = [...groups.values()].flatMap(({ first, names }) => isTooMany(first, names, databases)
    ? names.map(name => ({ ...first, names: [name] }))
    : [{ ...first, names: [...names].sort() }]);
  return inOrder(all);
}

function isTooMany({ kind, privileges }: GeneratedRoles, names: string[], databases: DatabaseIndex[]): boolean {
  return kind === 'user' && databases.some((index) => {
    const inDatabase = privileges.filter(
      ({ database, factory }) => database === index.catalog.database && factory !== 'onDatabase',
    );
    const schemas = new Set(inDatabase.flatMap(({ schema, schemas }) => schema ?? schemas ?? ['public']));
    return [...schemas].reduce((sum, schema) => sum + index.count(schema), 0) * names.length > MAX_ENTRIES;
  });
}

/** Names of the roles that a declaration names. */
export function referencesOf({ memberOf, privileges }: GeneratedRoles): string[] {
  return [...memberOf, ...privileges.flatMap(({ objectsCreatedBy = [] }) => objectsCreatedBy)];
}

/** Group roles before users, and by name, as far as what they name allows it. */
function inOrder(roles: GeneratedRoles[]): GeneratedRoles[] {
  const waiting = [...roles].sort((a, b) => rank(a) < rank(b) ? -1 : 1);
  const byName = new Map(waiting.flatMap(role => role.names.map(name => [name, role])));
  const done = new Set<GeneratedRoles>();
  const visit = (role: GeneratedRoles) => {
    if (!done.has(role)) {
      const before = [...new Set(referencesOf(role).flatMap(name => byName.get(name) ?? []))].filter(
        one => one !== role,
      );
      before.forEach(visit);
      done.add(role);
    }
  };
  waiting.forEach(visit);
  return [...done];
}

function rank({ kind, names: [name] }: GeneratedRoles): string {
  return `${kind === 'role' ? 0 : 1} ${name}`;
}
