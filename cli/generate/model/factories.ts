import { ObjectType } from '../../../lib/contract/object-kinds';
import { SchemaRights } from './rights';
import { byList, sorted } from './sayable';

export type Factory
  = 'readOnly' | 'readWrite' | 'createObjects' | 'schemaOwner' | 'onDatabase' | 'onSchema'
    | 'onTables' | 'onColumns' | 'onSequences' | 'onFunctions' | 'onTypes';

/** A call of a factory of `Privileges`. What is the default of the library is left out. */
export interface PrivilegesCall {
  readonly factory: Factory;
  readonly database: string;
  /** Of the factories that take several. */
  readonly schemas?: string[];
  /** Of the others. */
  readonly schema?: string;
  /** Of columns. */
  readonly table?: string;
  /** Objects or columns; all objects without it. */
  readonly names?: string[];
  readonly privileges?: string[];
  readonly objectsCreatedBy?: string[];
}

const EXACT: { readonly [Kind in ObjectType]: { readonly factory: Factory; readonly byDefault?: string } } = {
  TABLE: { factory: 'onTables' },
  SEQUENCE: { factory: 'onSequences' },
  ROUTINE: { factory: 'onFunctions', byDefault: 'EXECUTE' },
  TYPE: { factory: 'onTypes', byDefault: 'USAGE' },
};

/** What the factories for data grant on all objects. */
const DATA = [
  { factory: 'readWrite', TABLE: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'], SEQUENCE: ['SELECT', 'USAGE'] },
  { factory: 'readOnly', TABLE: ['SELECT'], SEQUENCE: ['SELECT'] },
] as const;

/** What a role holds in a database. */
export interface DatabaseRights {
  readonly database: string;
  readonly words: ReadonlySet<string>;
  readonly schemas: SchemaRights[];
  /** CONNECT is declared with the user. */
  readonly connects: boolean;
}

/** The shortest calls that say exactly this. */
export function callsOf({ database, words, schemas, connects }: DatabaseRights): PrivilegesCall[] {
  const mayConnect = connects || words.has('CONNECT');
  const complete: Complete[] = [];
  const exact: PrivilegesCall[] = [];
  for (const rights of schemas) {
    const rest = new Rest(rights);
    if (mayConnect) {
      complete.push(...rest.takeComplete());
    }
    exact.push(...rest.exact(database));
  }
  const onDatabase = sorted(words).filter(word => word !== 'CONNECT' || !(connects || complete.length > 0));
  return [
    ...merged(database, complete),
    ...(onDatabase.length === 0
      ? []
      : [{ factory: 'onDatabase' as const, database, ...unlessDefault(onDatabase, 'CONNECT') }]),
    ...exact,
  ];
}

/** A factory that includes CONNECT, for one schema. */
interface Complete {
  readonly factory: Factory;
  readonly schema: string;
  readonly creators?: string[];
}

function merged(database: string, complete: Complete[]): PrivilegesCall[] {
  const calls = new Map<string, { factory: Factory; schemas: string[]; creators?: string[] }>();
  for (const { factory, schema, creators } of complete) {
    const key = JSON.stringify([factory, creators ?? null, factory === 'schemaOwner' ? schema : null]);
    const call = calls.get(key) ?? { factory, schemas: [], creators };
    call.schemas.push(schema);
    calls.set(key, call);
  }
  return [...calls.values()].map(({ factory, schemas, creators }) => ({
    factory, database,
    ...factory === 'schemaOwner' ? { schema: schemas[0] } : schemas.join() === 'public' ? {} : { schemas },
    ...creators === undefined ? {} : { objectsCreatedBy: creators },
  }));
}

/** What is still to be said of a schema. */
class Rest {
  private readonly words: Set<string>;
  private readonly all: Map<ObjectType, Set<string>>;
  private readonly future: Map<ObjectType, Map<string, Set<string>>>;

  constructor(private readonly rights: SchemaRights) {
    this.words = new Set(rights.words);
    this.all = new Map([...rights.kinds].map(([kind, { all }]) => [kind, new Set(all)]));
    this.future = new Map([...rights.kinds].map(([kind, { future }]) =>
      [kind, new Map([...future].map(([creator, words]) => [creator, new Set(words)]))]));
  }

  /** Factories that include CONNECT and USAGE. */
  takeComplete(): Complete[] {
    const { schema, owns } = this.rights;
    const mayUse = owns || this.words.has('USAGE');
    const data = mayUse ? DATA.find(one => this.holds(one)) : undefined;
    const creates = this.words.has('USAGE') && this.words.has('CREATE');
    const creators = data && this.creatorsOf(data);
    if (data) {
      data.TABLE.forEach(word => this.all.get('TABLE')!.delete(word));
      data.SEQUENCE.forEach(word => this.all.get('SEQUENCE')!.delete(word));
      creators!.forEach(creator => this.takeFuture(creator, data));
    }
    if (data || creates) {
      this.words.delete('USAGE');
    }
    if (creates) {
      this.words.delete('CREATE');
    }
    return [
      ...owns ? [{ factory: 'schemaOwner' as const, schema }] : [],
      ...creates ? [{ factory: 'createObjects' as const, schema }] : [],
      ...data ? [{ factory: data.factory, schema, creators }] : [],
    ];
  }

  exact(database: string): PrivilegesCall[] {
    const { schema, kinds, columns } = this.rights;
    const onSchema = sorted(this.words);
    return [
      ...(onSchema.length === 0
        ? []
        : [{ factory: 'onSchema' as const, database, schema, ...unlessDefault(onSchema, 'USAGE') }]),
      ...[...kinds].flatMap(([kind, { named }]) => {
        const { factory, byDefault } = EXACT[kind];
        const later = byList(this.future.get(kind)!);
        const covered = new Set(later.flatMap(({ list }) => list));
        const rest = sorted(this.all.get(kind)!).filter(word => !covered.has(word));
        return [
          ...later.map(({ items, list }): PrivilegesCall =>
            ({ factory, database, schema, ...unlessDefault(list, byDefault), objectsCreatedBy: sorted(items) })),
          ...rest.length === 0 ? [] : [{ factory, database, schema, ...unlessDefault(rest, byDefault) }],
          ...byList(named).map(({ items, list }): PrivilegesCall =>
            ({ factory, database, schema, names: sorted(items), ...unlessDefault(list, byDefault) })),
        ];
      }),
      ...[...columns]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([table, words]) =>
          byList(words).map(({ items, list }): PrivilegesCall => ({
            factory: 'onColumns',
            database,
            schema,
            table,
            names: sorted(items),
            privileges: list,
          })),
        ),
    ];
  }

  /** Of sequences there need not be any, of tables there must. */
  private holds(data: typeof DATA[number]): boolean {
    const { kinds } = this.rights;
    return data.TABLE.every(word => this.all.get('TABLE')!.has(word))
      && (kinds.get('SEQUENCE')!.isVacant || data.SEQUENCE.every(word => this.all.get('SEQUENCE')!.has(word)));
  }

  private creatorsOf(data: typeof DATA[number]): string[] {
    const has = (kind: 'TABLE' | 'SEQUENCE', creator: string) =>
      data[kind].every(word => this.future.get(kind)!.get(creator)?.has(word));
    return sorted(this.future.get('TABLE')!.keys()).filter(
      creator => has('TABLE', creator) && has('SEQUENCE', creator),
    );
  }

  private takeFuture(creator: string, data: typeof DATA[number]): void {
    for (const kind of ['TABLE', 'SEQUENCE'] as const) {
      data[kind].forEach(word => this.future.get(kind)!.get(creator)!.delete(word));
    }
  }
}

function unlessDefault(privileges: string[], byDefault?: string): { readonly privileges?: string[] } {
  return privileges.length === 1 && privileges[0] === byDefault ? {} : { privileges };
}
