import { ALL_OBJECTS } from '../../lib/contract/wire';
import { Acting, Change, merged, takingBack } from './change';
import { Wanted } from './plan';
import { changesOf, FuturePrivilege, futureChanges, futureRevokes, Granted, HeldPrivilege, revokesOf, Right } from './privilege-changes';
import { Declaration, NamedPrivileges, SchemaDeclaration } from './state';

/** What the catalogs of one database say. `as`: whom the admin must be to grant on it, or to take it back; null: itself. */
export interface DatabaseState {
  readonly schemas: { readonly schema: string; readonly owner: string; readonly as: string | null; readonly empty: boolean }[];
  readonly objects: DatabaseObject[];
  readonly held: HeldPrivilege[];
  readonly future: FuturePrivilege[];
}

/** What PostgreSQL knows of a role in one database beside what can be planned. */
export interface Beside {
  readonly role: string;
  /** `privileges`: of a kind that is not known here; `owned`: how many objects it owns; `other`: initial privileges of extensions. */
  readonly kind: 'privileges' | 'policy' | 'owned' | 'other';
  readonly what: string;
}

export interface DatabaseObject {
  readonly kind: 'TABLE' | 'SEQUENCE' | 'ROUTINE';
  readonly schema: string;
  readonly name: string;
  /** Of a routine, as the server writes them. */
  readonly args: string | null;
  readonly owner: string;
  readonly as: string | null;
  readonly ofExtension: boolean;
}

/** Schemas that a plan for these roles has to know. */
export function schemasOf(database: string, wanted: Wanted[]): string[] {
  const declarations = wanted.flatMap(({ declaration, previous }) => [declaration, ...previous]);
  return [...new Set(declarations.flatMap(declaration => schemasIn(declaration, database)).map(({ schema }) => schema))];
}

/** What is declared and is not there, or belongs to somebody else: a message, or nothing. */
export function problemIn(database: string, wanted: Wanted[], { schemas, objects }: DatabaseState): string | undefined {
  const inDatabase = `in database ${quoted(database)}`;
  for (const { role, declaration } of wanted) {
    for (const { schema, owner, tables, columns, sequences, functions } of schemasIn(declaration, database)) {
      const found = schemas.find(candidate => candidate.schema === schema);
      if (owner && found && found.owner !== role) {
        return `schema ${quoted(schema)} ${inDatabase} belongs to ${quoted(found.owner)} and not to ${quoted(role)}; choose another schema, or hand it over with ALTER SCHEMA ... OWNER TO`;
      }
      if (!owner && !found) {
        return `there is no schema ${quoted(schema)} ${inDatabase}; create it before this deployment, let a user or role of the app own it (Privileges.schemaOwner), or correct its name`;
      }
      const named: [DatabaseObject['kind'], string, string[]][] = [
        ['TABLE', 'table or view', [...namesOf(tables), ...columns.map(({ table }) => table)]],
        ['SEQUENCE', 'sequence', namesOf(sequences)],
        ['ROUTINE', 'function or procedure', namesOf(functions)],
      ];
      for (const [kind, word, names] of named) {
        const missing = names.find(name => !objects.some(object => object.kind === kind && object.schema === schema && object.name === name));
        if (missing !== undefined) {
          return `there is no ${word} ${quoted(missing)} in schema ${quoted(schema)} ${inDatabase}; create it before this deployment, or correct its name`;
        }
      }
    }
  }
  return undefined;
}

/**
 * What is missing in one database to make roles as declared, and what is too much. Revoked first, because what is taken from a
 * table is taken from its columns as well.
 */
export function planDatabase(database: string, wanted: Wanted[], state: DatabaseState): Change[] {
  const index = new Index(state);
  const plans = wanted.map(one => planRole(database, one, state, index));
  return [
    ...merged(plans.flatMap(({ revokes }) => revokes)),
    ...plans.flatMap(({ schemas }) => schemas),
    ...merged(plans.flatMap(({ grants }) => grants)),
  ];
}

/** What a role has declared in these schemas, as far as it can be there when they are new: no columns, whose tables are not. */
export function inSchemas({ role, declaration }: Wanted, database: string, schemas: string[]): Wanted[] {
  const declared = schemasIn(declaration, database).filter(({ schema, owner }) => schemas.includes(schema) && !owner).map(schema => ({ ...schema, columns: [] }));
  return declared.length === 0 ? [] : [{ role, declaration: { ...declaration, memberOf: [], databases: [{ database, privileges: [], schemas: declared }], exclusive: false }, previous: [] }];
}

/** Takes back everything that a role holds in one database, whoever has granted it; and a schema of its own with nothing in it. */
export function planDatabaseRemoval(database: string, role: string, previous: Declaration[], state: DatabaseState): Change[] {
  return [
    ...revokesOf(role, state.held.filter(held => held.role === role)),
    ...futureRevokes(role, state.future.filter(future => future.role === role)),
    ...dropSchemas(database, role, [], previous, state),
  ];
}

function planRole(database: string, { role, declaration, previous }: Wanted, state: DatabaseState, index: Index): { revokes: Change[]; schemas: Change[]; grants: Change[] } {
  const declared = schemasIn(declaration, database);
  const { exclusive } = declaration;

  const wanted = rightsOf(declared, index).filter(right => index.ownerOf(right) !== role);
  const before = new Set(previous.flatMap(earlier => rightsOf(schemasIn(earlier, database), index)).map(keyOf));
  const held = state.held.filter(one => one.role === role);
  const [wantedKeys, heldKeys] = [new Set(wanted.map(keyOf)), new Set(held.map(keyOf))];
  const surplus = held.filter(one => !wantedKeys.has(keyOf(one)) && (exclusive || (one.ours && before.has(keyOf(one)))));
  const options = exclusive ? held.filter(one => one.grantable && wantedKeys.has(keyOf(one))) : [];
  const missing = wanted.filter(right => !heldKeys.has(keyOf(right)));
  const going = new Set(surplus);
  const again = columnsOf([...surplus, ...missing.map(right => ({ ...right, as: null, ours: true }))], held.filter(one => !going.has(one)));

  const wantedFuture = futureOf(role, declared);
  const beforeFuture = new Set(previous.flatMap(earlier => futureOf(role, schemasIn(earlier, database))).map(futureKey));
  const heldFuture = state.future.filter(one => one.role === role);
  const [wantedFutureKeys, heldFutureKeys] = [new Set(wantedFuture.map(futureKey)), new Set(heldFuture.map(futureKey))];
  const surplusFuture = heldFuture.filter(one => !wantedFutureKeys.has(futureKey(one)) && (exclusive || beforeFuture.has(futureKey(one))));
  const optionsFuture = exclusive ? heldFuture.filter(one => one.grantable && wantedFutureKeys.has(futureKey(one))) : [];

  return {
    revokes: [
      ...revokesOf(role, surplus),
      ...changesOf('revoke', role, options, takingBack, { grantable: true }),
      ...futureRevokes(role, surplusFuture),
      ...futureChanges('revokeFuture', role, optionsFuture, { grantable: true }),
      ...dropSchemas(database, role, declared, previous, state),
    ],
    schemas: declared.filter(({ schema, owner }) => owner && !state.schemas.some(there => there.schema === schema))
      .map(({ schema }) => ({ kind: 'createSchema', schema, role, as: role } as const)),
    grants: [
      ...changesOf('grant', role, again.filter(({ grantable }) => !grantable), right => index.actorFor(right), { again: true }),
      ...changesOf('grant', role, again.filter(({ grantable }) => grantable), right => index.actorFor(right), { again: true, grantable: true }),
      ...changesOf('grant', role, missing, right => index.actorFor(right)),
      ...futureChanges('grantFuture', role, wantedFuture.filter(one => !heldFutureKeys.has(futureKey(one)))),
    ],
  };
}

/** What is revoked from a table, now or to undo it, goes from its columns as well if the same role has granted it. */
function columnsOf(changed: Granted[], held: HeldPrivilege[]): HeldPrivilege[] {
  const onTable = ({ schema, name, privilege, as, ours }: Granted) => JSON.stringify([schema, name, privilege, ours || as]);
  const tables = new Set(changed.filter(({ kind }) => kind === 'TABLE').map(onTable));
  return held.filter(one => one.kind === 'COLUMN' && tables.has(onTable(one)));
}

/** A schema that was declared to be the role's own and is no longer goes if there is nothing in it. */
function dropSchemas(database: string, role: string, declared: SchemaDeclaration[], previous: Declaration[], { schemas }: DatabaseState): Change[] {
  const kept = declared.map(({ schema }) => schema);
  const owned = new Set(previous.flatMap(earlier => schemasIn(earlier, database)).filter(({ owner }) => owner).map(({ schema }) => schema));
  return schemas
    .filter(({ schema, owner, empty }) => owned.has(schema) && !kept.includes(schema) && owner === role && empty)
    .map(({ schema }) => ({ kind: 'dropSchema', schema, role, as: role }));
}

function schemasIn({ databases }: Declaration, database: string): SchemaDeclaration[] {
  return databases.filter(one => one.database === database).flatMap(({ schemas }) => schemas);
}

/** What there is to grant on, by name. */
class Index {
  private readonly objects = new Map<string, DatabaseObject[]>();
  private readonly bySchema = new Map<string, DatabaseObject[]>();

  constructor(private readonly state: DatabaseState) {
    for (const object of state.objects) {
      add(this.objects, JSON.stringify([object.kind, object.schema, object.name]), object);
      add(this.bySchema, JSON.stringify([object.kind, object.schema]), object);
    }
  }

  /** All of an extension's own are left out: its script has decided who may use them, and on RDS they are not the admin's to grant. */
  public find(kind: DatabaseObject['kind'], schema: string, name: string): DatabaseObject[] {
    return name === ALL_OBJECTS
      ? (this.bySchema.get(JSON.stringify([kind, schema])) ?? []).filter(({ ofExtension }) => !ofExtension)
      : this.objects.get(JSON.stringify([kind, schema, name])) ?? [];
  }

  public ownerOf(right: Right): string | undefined {
    return this.on(right)?.owner;
  }

  public actorFor(right: Right): Acting {
    return takingBack({ as: this.on(right)?.as ?? null, ours: true });
  }

  private on({ kind, schema, name, sub }: Right): { owner: string; as: string | null } | undefined {
    if (kind === 'SCHEMA') {
      return this.state.schemas.find(there => there.schema === schema);
    }
    const objects = this.objects.get(JSON.stringify([kind === 'COLUMN' ? 'TABLE' : kind, schema, name]));
    return kind === 'ROUTINE' ? objects?.find(({ args }) => args === sub) : objects?.[0];
  }
}

function rightsOf(declared: SchemaDeclaration[], index: Index): Right[] {
  const rights = declared.flatMap(({ schema, owner, privileges, tables, columns, sequences, functions }): Right[] => {
    const on = (kind: DatabaseObject['kind'], entries: NamedPrivileges[]) => entries.flatMap(({ name, privileges: words }) =>
      index.find(kind, schema, name).flatMap(object => words.map(privilege => ({ kind, schema, name: object.name, sub: object.args, privilege }))));
    return [
      ...owner ? [] : privileges.map(privilege => ({ kind: 'SCHEMA', schema, name: null, sub: null, privilege })),
      ...on('TABLE', tables),
      ...columns.flatMap(({ table, name, privileges: words }) => words.map(privilege => ({ kind: 'COLUMN', schema, name: table, sub: name, privilege }))),
      ...on('SEQUENCE', sequences),
      ...on('ROUTINE', functions),
    ];
  });
  return [...new Map(rights.map(right => [keyOf(right), right])).values()];
}

function futureOf(role: string, declared: SchemaDeclaration[]): FuturePrivilege[] {
  return declared.flatMap(({ schema, futureObjects }) => futureObjects.flatMap(({ creator, tables, sequences, functions }) =>
    ([['TABLES', tables], ['SEQUENCES', sequences], ['FUNCTIONS', functions]] as const).flatMap(([objects, privileges]) =>
      privileges.map(privilege => ({ role, creator, schema, objects, privilege, grantable: false })))));
}

function add<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) {
    values.push(value);
  } else {
    map.set(key, [value]);
  }
}

function keyOf({ kind, schema, name, sub, privilege }: Right): string {
  return JSON.stringify([kind, schema, name, sub, privilege]);
}

function futureKey({ creator, schema, objects, privilege }: FuturePrivilege): string {
  return JSON.stringify([creator, schema, objects, privilege]);
}

function namesOf(entries: NamedPrivileges[]): string[] {
  return entries.map(({ name }) => name).filter(name => name !== ALL_OBJECTS);
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
