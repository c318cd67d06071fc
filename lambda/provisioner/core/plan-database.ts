import { kindOf, type ObjectType } from '../../../lib/contract/object-kinds';
import { ALL_OBJECTS } from '../../../lib/contract/wire';
import { type ActAs, type Change, merged, revokerOf } from './change';
import type { Wanted } from './plan-shared';
import {
  changesOf, futureChanges, type FuturePrivilege, futureRevokes, type Granted, granting, type GrantOption,
  type HeldPrivilege, inOrder, revokesOf, type Right,
} from './privilege-changes';
import type { Declaration, ObjectPrivileges, SchemaDeclaration } from './state';

/** What the catalogs of one database say. */
export interface DatabaseState {
  readonly schemas: ({ readonly schema: string; readonly empty: boolean } & Owned)[];
  readonly objects: DatabaseObject[];
  readonly held: HeldPrivilege[];
  readonly future: FuturePrivilege[];
}

/** What has an owner. `as`: the role that the admin must be to grant on it; null: itself. */
export interface Owned {
  readonly owner: string;
  readonly as: string | null;
  /** What the admin can grant without being the owner; null where it is the owner, or can become a member of it. */
  readonly options?: GrantOption[] | null;
}

/** What PostgreSQL knows of a role in one database beside what can be planned. */
export interface Beside {
  readonly role: string;
  /**
   * `privileges`: of a kind that is not known here; `owned`: how many objects it owns; `other`: initial privileges of
   * extensions.
   */
  readonly kind: 'privileges' | 'policy' | 'owned' | 'other';
  readonly what: string;
}

export interface DatabaseObject extends Owned {
  readonly kind: ObjectType;
  readonly schema: string;
  readonly name: string;
  /** Of a routine, as the server writes them. */
  readonly args: string | null;
  readonly ofExtension: boolean;
}

/** Schemas that a plan for these roles has to know. */
export function schemasOf(database: string, wanted: Wanted[]): string[] {
  const declarations = wanted.flatMap(({ declaration, previous }) => [declaration, ...previous]);
  return [
    ...new Set(declarations.flatMap(declaration => schemasIn(declaration, database)).map(({ schema }) => schema)),
  ];
}

/** What a role declares and is not there, or belongs to another role. */
export interface Missing {
  readonly role: string;
  readonly schema: string;
  readonly kind: 'SCHEMA' | 'OWN SCHEMA' | DatabaseObject['kind'];
  /** Of what is in the schema. */
  readonly name?: string;
  /** In words. */
  readonly what: string;
  readonly problem: string;
}

export function missingIn(database: string, wanted: Wanted[], { schemas, objects }: DatabaseState): Missing[] {
  const inDatabase = `in database ${quoted(database)}`;
  const result: Missing[] = [];
  for (const { role, declaration } of wanted) {
    for (const { schema, owner, objects: declared } of schemasIn(declaration, database)) {
      const found = schemas.find(candidate => candidate.schema === schema);
      if (owner && found && found.owner !== role) {
        result.push({
          role,
          schema,
          kind: 'OWN SCHEMA',
          what: `schema ${quoted(schema)} ${inDatabase}, which belongs to ${quoted(found.owner)}`,
          problem: `schema ${quoted(schema)} ${inDatabase} belongs to ${quoted(found.owner)} and not to ${quoted(role)}; choose another schema, or hand it over with ALTER SCHEMA ... OWNER TO`,
        });
      }
      if (!owner && !found) {
        result.push({
          role, schema, kind: 'SCHEMA', what: `schema ${quoted(schema)} ${inDatabase}`,
          problem: `there is no schema ${quoted(schema)} ${inDatabase}; create it before this deployment, let a user or role of the app own it (Privileges.schemaOwner), or correct its name`,
        });
      }
      for (const { kind, name } of declared.map(objectOf).filter(({ name }) => name !== ALL_OBJECTS)) {
        if (!objects.some(object => object.kind === kind && object.schema === schema && object.name === name)) {
          const what = `${kindOf(kind).named} ${quoted(name)} in schema ${quoted(schema)} ${inDatabase}`;
          result.push({
            role,
            schema,
            kind,
            name,
            what,
            problem: `there is no ${what}; create it before this deployment, or correct its name`,
          });
        }
      }
    }
  }
  return result;
}

/**
 * What is missing in one database to make roles as declared, and what is too much. Revoked first, because what is taken
 * from a table is taken from its columns as well.
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

/**
 * What a role has declared in these schemas, as far as it can be there when they are new: no columns, whose tables are
 * not.
 */
export function inSchemas({ role, declaration, deployed }: Wanted, database: string, schemas: string[]): Wanted[] {
  const declared = schemasIn(declaration, database).filter(({ schema, owner }) => schemas.includes(schema) && !owner)
    .map(schema => ({ ...schema, objects: schema.objects.filter(({ kind }) => kind !== 'COLUMN') }));
  return declared.length === 0
    ? []
    : [
        {
          role,
          declaration: {
            ...declaration,
            memberOf: [],
            databases: [{ database, privileges: [], schemas: declared }],
            exclusive: false,
          },
          previous: [],
          deployed,
        },
      ];
}

/**
 * Takes back everything that a role holds in one database, whichever role has granted it; and a schema of its own with
 * nothing in it.
 */
export function planDatabaseRemoval(
  database: string,
  role: string,
  previous: Declaration[],
  state: DatabaseState,
): Change[] {
  return [
    ...revokesOf(role, state.held.filter(held => held.role === role)),
    ...futureRevokes(role, state.future.filter(future => future.role === role)),
    ...dropSchemas(database, role, [], previous, state),
  ];
}

function planRole(
  database: string,
  { role, declaration, previous }: Wanted,
  state: DatabaseState,
  index: Index,
): { revokes: Change[]; schemas: Change[]; grants: Change[] } {
  const declared = schemasIn(declaration, database);
  const { exclusive } = declaration;

  const wanted = rightsOf(declared, index).filter(right => index.ownerOf(right) !== role);
  const before = new Set(previous.flatMap(earlier => rightsOf(schemasIn(earlier, database), index)).map(keyOf));
  const held = state.held.filter(one => one.role === role);
  const [wantedKeys, heldKeys] = [new Set(wanted.map(keyOf)), new Set(held.map(keyOf))];
  const surplus = held.filter(
    one => !wantedKeys.has(keyOf(one)) && (exclusive || (one.ours && before.has(keyOf(one)))),
  );
  const options = exclusive ? held.filter(one => one.grantable && wantedKeys.has(keyOf(one))) : [];
  const missing = wanted.filter(right => !heldKeys.has(keyOf(right)));
  const going = new Set(surplus);
  const again = columnsOf(
    [
      ...surplus,
      ...missing.map(right => ({
        ...right,
        ours: true,
        as: null,
        grantor: null,
        through: index.actorFor(right).through,
      })),
    ],
    held.filter(one => !going.has(one)),
  );

  const wantedFuture = futureOf(role, declared);
  const beforeFuture = new Set(
    previous.flatMap(earlier => futureOf(role, schemasIn(earlier, database))).map(futureKey),
  );
  const heldFuture = state.future.filter(one => one.role === role);
  const [wantedFutureKeys, heldFutureKeys] = [new Set(wantedFuture.map(futureKey)), new Set(heldFuture.map(futureKey))];
  const surplusFuture = heldFuture.filter(
    one => !wantedFutureKeys.has(futureKey(one)) && (exclusive || beforeFuture.has(futureKey(one))),
  );
  const optionsFuture = exclusive
    ? heldFuture.filter(one => one.grantable && wantedFutureKeys.has(futureKey(one)))
    : [];

  return {
    revokes: [
      ...revokesOf(role, surplus),
      ...changesOf('revoke', role, inOrder(options), revokerOf, { grantable: true }),
      ...futureRevokes(role, surplusFuture),
      ...futureChanges('revokeFuture', role, inOrder(optionsFuture), { grantable: true }),
      ...dropSchemas(database, role, declared, previous, state),
    ],
    schemas: declared.filter(({ schema, owner }) => owner && !state.schemas.some(there => there.schema === schema))
      .map(({ schema }) => ({ kind: 'createSchema', schema, role, as: role } as const)),
    grants: [
      ...changesOf(
        'grant',
        role,
        again.filter(({ grantable }) => !grantable),
        right => index.actorFor(right),
        { again: true },
      ),
      ...changesOf(
        'grant',
        role,
        again.filter(({ grantable }) => grantable),
        right => index.actorFor(right),
        { again: true, grantable: true },
      ),
      ...changesOf('grant', role, missing, right => index.actorFor(right)),
      ...futureChanges('grantFuture', role, wantedFuture.filter(one => !heldFutureKeys.has(futureKey(one)))),
    ],
  };
}

/** What is revoked from a table, now or to undo it, goes from its columns as well if the same role has granted it. */
function columnsOf(changed: Granted[], held: HeldPrivilege[]): HeldPrivilege[] {
  const onTable = ({ schema, name, privilege, grantor, through }: Granted) =>
    JSON.stringify([schema, name, privilege, grantor ?? through ?? null]);
  const tables = new Set(changed.filter(({ kind }) => kind === 'TABLE').map(onTable));
  return inOrder(held.filter(one => one.kind === 'COLUMN' && tables.has(onTable(one))));
}

/** A schema that was declared to be the role's own and is no longer goes if there is nothing in it. */
function dropSchemas(
  database: string,
  role: string,
  declared: SchemaDeclaration[],
  previous: Declaration[],
  { schemas }: DatabaseState,
): Change[] {
  const kept = declared.map(({ schema }) => schema);
  const owned = new Set(
    previous
      .flatMap(earlier => schemasIn(earlier, database))
      .filter(({ owner }) => owner)
      .map(({ schema }) => schema),
  );
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

  /**
   * All of an extension's own are left out: its script has decided who may use them, and on RDS they are not the
   * admin's to grant.
   */
  public find(kind: DatabaseObject['kind'], schema: string, name: string): DatabaseObject[] {
    return name === ALL_OBJECTS
      ? (this.bySchema.get(JSON.stringify([kind, schema])) ?? []).filter(({ ofExtension }) => !ofExtension)
      : this.objects.get(JSON.stringify([kind, schema, name])) ?? [];
  }

  public ownerOf(right: Right): string | undefined {
    return this.on(right)?.owner;
  }

  public actorFor(right: Right): ActAs {
    const on = this.on(right);
    return on === undefined ? {} : granting(on, right.privilege, right.kind === 'COLUMN' ? right.sub : null);
  }

  private on({ kind, schema, name, sub }: Right): Owned | undefined {
    if (kind === 'SCHEMA') {
      return this.state.schemas.find(there => there.schema === schema);
    }
    const [type, args] = kind === 'COLUMN' ? ['TABLE', null] : [kind, sub];
    return this.objects.get(JSON.stringify([type, schema, name]))?.find(object => object.args === args);
  }
}

function rightsOf(declared: SchemaDeclaration[], index: Index): Right[] {
  const rights = declared.flatMap(({ schema, owner, privileges, objects }): Right[] => [
    ...owner ? [] : privileges.map(privilege => ({ kind: 'SCHEMA', schema, name: null, sub: null, privilege })),
    ...objects.flatMap(({ kind, table = null, name, privileges: words }) => {
      const found = kind === 'COLUMN' ? [{ name: table, args: name }] : index.find(kind, schema, name);
      return found.flatMap(({ name, args }) => words.map(privilege => ({ kind, schema, name, sub: args, privilege })));
    }),
  ]);
  return [...new Map(rights.map(right => [keyOf(right), right])).values()];
}

/** The object itself, or the table of a column. */
export function objectOf({ kind, table, name }: ObjectPrivileges): {
  readonly kind: ObjectType;
  readonly name: string;
} {
  return kind === 'COLUMN' ? { kind: 'TABLE', name: table! } : { kind, name };
}

function futureOf(role: string, declared: SchemaDeclaration[]): FuturePrivilege[] {
  return declared.flatMap(({ schema, futureObjects }) => futureObjects.flatMap(({ creator, objects: declared }) =>
    declared.flatMap(({ kind, privileges }) => {
      const { future: objects } = kindOf(kind);
      return privileges.map(privilege => ({ role, creator, schema, objects, privilege, grantable: false }));
    })));
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

function quoted(name: string): string {
  return JSON.stringify(name);
}
