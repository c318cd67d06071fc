import { COLUMN, kindOf, OBJECT_KINDS, ObjectKind, ObjectType } from '../../../lib/contract/object-kinds';
import { DatabaseObject } from '../../../lambda/provisioner/core/plan-database';
import { FuturePrivilege, HeldPrivilege } from '../../../lambda/provisioner/core/privilege-changes';
import { CatalogDatabase } from '../catalog';
import { Findings, quoted, What } from '../findings';
import { keyProblem, sorted } from './sayable';

/** What a role holds on objects of one kind in a schema, as a declaration says it. */
export interface KindRights {
  /** On all that exist. */
  readonly all: Set<string>;
  /** By name, beside those on all. */
  readonly named: Map<string, Set<string>>;
  /** On what a role creates later, by its name; they are among those on all. */
  readonly future: Map<string, Set<string>>;
  /** There are no objects that it would need them on. */
  readonly isVacant: boolean;
}

/** What a role holds in one schema. */
export interface SchemaRights {
  readonly schema: string;
  readonly owns: boolean;
  readonly words: Set<string>;
  readonly kinds: ReadonlyMap<ObjectType, KindRights>;
  /** By table and column, beside what it holds on the table. */
  readonly columns: Map<string, Map<string, Set<string>>>;
}

/** The objects of one kind in a schema. */
interface Objects {
  readonly byName: Map<string, DatabaseObject[]>;
  /** What "all" means: not those of extensions. By owner. */
  readonly countByOwner: Map<string, number>;
  count: number;
}

const none = (): Objects => ({
  byName: new Map<string, DatabaseObject[]>(),
  countByOwner: new Map<string, number>(),
  count: 0,
});

/** Objects and privileges of a database, by what they are asked for. */
export class DatabaseIndex {
  readonly schemas: ReadonlyMap<string, string>;
  private readonly objects = new Map<string, Objects>();
  private readonly held: ReadonlyMap<string, HeldPrivilege[]>;
  private readonly future: ReadonlyMap<string, FuturePrivilege[]>;

  constructor(readonly catalog: CatalogDatabase) {
    this.schemas = new Map(catalog.schemas.map(({ schema, owner }) => [schema, owner]));
    this.held = groupBy(catalog.held, ({ role }) => role);
    this.future = groupBy(catalog.future, ({ role }) => role);
    for (const object of catalog.objects) {
      const key = keyOf(object.kind, object.schema);
      const objects = this.objects.get(key) ?? none();
      this.objects.set(key, objects);
      const called = objects.byName.get(object.name) ?? [];
      objects.byName.set(object.name, called);
      called.push(object);
      if (!object.ofExtension) {
        objects.count++;
        objects.countByOwner.set(object.owner, (objects.countByOwner.get(object.owner) ?? 0) + 1);
      }
    }
  }

  heldBy(role: string): HeldPrivilege[] {
    return this.held.get(role) ?? [];
  }

  futureOf(role: string): FuturePrivilege[] {
    return this.future.get(role) ?? [];
  }

  objectsOf(kind: ObjectType, schema: string): Objects {
    return this.objects.get(keyOf(kind, schema)) ?? none();
  }

  /** How many objects there are in a schema. */
  count(schema: string): number {
    return OBJECT_KINDS.reduce((sum, { sql }) => sum + this.objectsOf(sql, schema).count, 0);
  }
}

const keyOf = (kind: string, schema: string) => JSON.stringify([kind, schema]);

export interface RightsOptions {
  readonly role: string;
  readonly findings: Findings;
  /** Why a role cannot be named as the creator of objects. */
  readonly creatorProblem: (creator: string) => string | undefined;
}

/** What a role holds in the schemas of a database. What cannot be declared is among the findings. */
export function rightsIn(index: DatabaseIndex, options: RightsOptions): SchemaRights[] {
  const { role, findings } = options;
  const where = { role, database: index.catalog.database };
  const bySchema = groupBy(index.heldBy(role), ({ schema }) => schema);
  const future = groupBy(index.futureOf(role), ({ schema }) => schema);
  const left = (why: string, ...what: What[]) => findings.add(where, why, ...what);

  left(
    'default privileges of all schemas together; a declaration names each schema',
    ...(future.get(null) ?? []).map(futureText),
  );
  left('no declaration has privileges on this kind of object', ...(bySchema.get(null) ?? []).map(rightText));
  reportAll(index, role, left);
  const owned = [...index.schemas].flatMap(([schema, owner]) => owner === role ? [schema] : []);
  const schemas = [...bySchema.keys(), ...future.keys(), ...owned].filter(schema => schema !== null);
  return sorted(new Set(schemas)).flatMap((schema): SchemaRights[] => {
    const held = bySchema.get(schema) ?? [];
    const later = future.get(schema) ?? [];
    const problem
      = keyProblem('schema', schema)
        ?? (index.schemas.has(schema) ? undefined : 'schemas of this kind cannot be declared');
    if (problem !== undefined) {
      left(problem, ...held.map(rightText), ...later.map(futureText));
      left(problem, ...owned.includes(schema) ? [`owner of schema ${quoted(schema)}`] : []);
      return [];
    }
    const kinds = new Map(OBJECT_KINDS.map((kind) => {
      const ofKind = held.filter(one => one.kind === kind.sql);
      return [kind.sql, kindRights(kind, index.objectsOf(kind.sql, schema), ofKind, later, { ...options, left })];
    }));
    const unknown = later.filter(({ objects }) => !OBJECT_KINDS.some(kind => kind.future === objects));
    left('no declaration has default privileges of this kind', ...unknown.map(futureText));
    return [{
      schema,
      owns: index.schemas.get(schema) === role,
      words: new Set(held.filter(({ kind }) => kind === 'SCHEMA').map(({ privilege }) => privilege)),
      kinds,
      columns: columnRights(held, kinds.get('TABLE')!, left),
    }];
  });
}

type Left = (why: string, ...what: What[]) => void;

/** What is declared without saying all of it, and what is beside privileges. */
function reportAll(index: DatabaseIndex, role: string, left: Left): void {
  const held = index.heldBy(role);
  left('a declaration has no grant option; it stays', ...held.filter(({ grantable }) => grantable).map(rightText),
    ...index.futureOf(role).filter(({ grantable }) => grantable).map(futureText));
  left(
    'another role has granted it: when it is not declared any more, it stays',
    ...held.filter(({ ours }) => !ours).map(rightText),
  );
  for (const { kind, what } of index.catalog.beside.filter(one => one.role === role)) {
    const [why, text] = {
      owned: ['what it owns stays with it', `owner of ${what} ${what === '1' ? 'object' : 'objects'}`],
      policy: ['policies are of their tables', what],
      privileges: ['no declaration has privileges of this kind', `privileges on ${what}`],
      other: ['initial privileges are of an extension', what],
    }[kind];
    left(why, text);
  }
}

function kindRights(
  { sql, word, privileges: known }: ObjectKind, objects: Objects, held: HeldPrivilege[], later: FuturePrivilege[],
  { role, creatorProblem, left }: RightsOptions & { readonly left: Left },
): KindRights {
  const future = new Map<string, Set<string>>();
  for (const one of later.filter(({ objects }) => objects === kindOf(sql).future)) {
    const problem = keyProblem('role', one.creator) ?? creatorProblem(one.creator)
      ?? (known.includes(one.privilege) ? undefined : 'no declaration has this privilege');
    if (problem === undefined) {
      add(future, one.creator, one.privilege);
    } else {
      left(problem, futureText(one));
    }
  }
  const needed = objects.count - (objects.countByOwner.get(role) ?? 0);
  const isVacant = needed === 0;
  const holders = new Map<string, HeldPrivilege[]>();
  for (const one of held) {
    holders.set(JSON.stringify([one.name, one.privilege]), [
      ...(holders.get(JSON.stringify([one.name, one.privilege])) ?? []),
      one,
    ]);
  }
  const isOfExtension = ({ name, sub }: HeldPrivilege) =>
    objects.byName.get(name!)?.some(({ args, ofExtension }) => args === sub && ofExtension) === true;
  // Several roles may have granted the same.
  const heldOn = new Map<string, Set<string>>();
  for (const { name, sub, privilege } of held.filter(one => !isOfExtension(one))) {
    add(heldOn, privilege, JSON.stringify([name, sub]));
  }
  const inFuture = new Set([...future.values()].flatMap(words => [...words]));
  // One object of a schema that has no other is named, unless later ones are covered too.
  const onAll = [...heldOn].flatMap(([word, { size }]) =>
    size === needed && (needed > 1 || inFuture.has(word)) ? [word] : [],
  );
  const all = new Set(isVacant ? inFuture : onAll);
  const named = new Map<string, Set<string>>();
  for (const ones of holders.values()) {
    const [{ name, privilege }] = ones;
    const called = objects.byName.get(name!) ?? [];
    const ofExtension = ones.filter(isOfExtension);
    if (all.has(privilege)) {
      left(`beside the same on all ${word}s of the schema, a declaration does not name those of an extension`,
        ...ofExtension.map(rightText));
      continue;
    }
    const hasAll = called.every(({ args, owner }) => owner === role || ones.some(({ sub }) => sub === args));
    const problem = keyProblem(word, name!)
      ?? (hasAll ? undefined : `a declaration names all ${word}s of this name together`)
      ?? (known.includes(privilege) && called.length > 0 ? undefined : 'no declaration has this privilege');
    if (problem === undefined) {
      add(named, name!, privilege);
    } else {
      left(problem, ...ones.map(rightText));
    }
  }
  for (const [creator, words] of future) {
    const alone = [...words].filter(one => !all.has(one));
    left(
      `a declaration covers what is created later together with all ${word}s that exist, and it does not hold that on all of them`,
      ...alone.map(privilege =>
        futureText({ creator, objects: kindOf(sql).future, privilege, schema: later[0].schema }),
      ),
    );
    alone.forEach(one => words.delete(one));
  }
  return { all, named, future, isVacant };
}

function columnRights(held: HeldPrivilege[], tables: KindRights, left: Left): SchemaRights['columns'] {
  const columns: SchemaRights['columns'] = new Map();
  for (const one of held.filter(({ kind }) => kind === COLUMN.sql)) {
    const { name: table, sub: column, privilege } = one;
    const problem
      = keyProblem('table', table!)
        ?? keyProblem('column', column!)
        ?? (tables.all.has(privilege) || tables.named.get(table!)?.has(privilege)
          ? 'it is declared for the whole table'
          : undefined);
    if (problem === undefined) {
      const ofTable = columns.get(table!) ?? new Map<string, Set<string>>();
      columns.set(table!, ofTable);
      add(ofTable, column!, privilege);
    } else {
      left(problem, rightText(one));
    }
  }
  return columns;
}

function rightText({ kind, schema, name, sub, privilege }: HeldPrivilege): What {
  const on = [
    kind === 'COLUMN'
      ? `column ${quoted(sub!)} of table ${quoted(name!)}`
      : kind === 'SCHEMA'
        ? `schema ${quoted(schema!)}`
        : `${kind.toLowerCase()} ${quoted(name!)}${kind === 'ROUTINE' ? `(${sub})` : ''}`,
    ...schema === null || kind === 'SCHEMA' ? [] : [`of schema ${quoted(schema)}`],
  ].join(' ');
  return [privilege, on];
}

function futureText({
  privilege,
  objects,
  creator,
  schema,
}: Pick<FuturePrivilege, 'privilege' | 'objects' | 'creator' | 'schema'>): What {
  const where = schema === null ? 'all schemas' : `schema ${quoted(schema)}`;
  return [privilege, `${objects.toLowerCase()} that ${quoted(creator)} creates in ${where}`];
}

export function add<Key>(map: Map<Key, Set<string>>, key: Key, word: string): void {
  map.set(key, (map.get(key) ?? new Set<string>()).add(word));
}

function groupBy<Item, Key>(items: readonly Item[], key: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) {
      group.push(item);
    } else {
      groups.set(key(item), [item]);
    }
  }
  return groups;
}
