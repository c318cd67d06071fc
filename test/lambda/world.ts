import { escapeIdentifier } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Setup } from '../../rehearsal/setups';
import { Role, User, Users } from './stack';
import { FutureObjectPrivileges, SchemaPrivileges } from '../../lib/contract/wire';

/** Databases full of things to grant on, of several owners; and what a declaration means there, without the engine. */

export const DATABASES = ['shop', 'stock', 'theirs'];

/** Who makes tables but belongs to nobody: the admin is no member of it, and it signs in with IAM. */
export const MIGRATOR = 'migrator';

/** May pass everything in schema app on. */
export const HELPER = 'helper';

/** A group that is not managed. */
export const READERS = 'readers';

export const PRIVILEGES = {
  DATABASE: ['CONNECT', 'CREATE', 'TEMPORARY'],
  SCHEMA: ['CREATE', 'USAGE'],
  TABLE: ['DELETE', 'INSERT', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE'],
  COLUMN: ['INSERT', 'REFERENCES', 'SELECT', 'UPDATE'],
  SEQUENCE: ['SELECT', 'UPDATE', 'USAGE'],
  ROUTINE: ['EXECUTE'],
  TYPE: ['USAGE'],
} as const;

export interface Thing {
  readonly kind: 'TABLE' | 'SEQUENCE' | 'ROUTINE' | 'TYPE';
  readonly database: string;
  readonly schema: string;
  readonly name: string;
  readonly args?: string;
  readonly columns?: string[];
  owner: string;
}

export type Table = Pick<Thing, 'database' | 'schema' | 'name'>;

export interface Right {
  readonly kind: keyof typeof PRIVILEGES;
  readonly database: string;
  readonly schema?: string;
  readonly name?: string;
  /** Arguments of a routine. */
  readonly args?: string;
  readonly column?: string;
  readonly privilege: string;
}

/** A privilege on what somebody creates from now on. */
export interface FutureRight {
  readonly database: string;
  creator: string;
  /** None: in all of them. */
  readonly schema?: string;
  readonly objects: 'TABLES' | 'SEQUENCES' | 'FUNCTIONS' | 'TYPES';
  readonly privilege: string;
}

type Privileges = (User | Users | Role)['privileges'];

const SQL = `
  CREATE SCHEMA app AUTHORIZATION postgres;
  CREATE SCHEMA "My data" AUTHORIZATION migrator;
  GRANT ALL ON SCHEMA app, public TO migrator;
  GRANT USAGE ON SCHEMA app TO helper;
  SET ROLE postgres;
  CREATE TABLE app.orders (id serial, total int);
  CREATE TABLE app."Line ""items""" ("a;b" int, b int);
  CREATE VIEW app.totals AS SELECT 1 AS one;
  CREATE TYPE app.mood AS ENUM ('fine');
  CREATE DOMAIN app."Cents ""x""" AS int;
  CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION app.f(text, VARIADIC numeric[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
  SET ROLE migrator;
  CREATE TABLE app.events (day int, b int) PARTITION BY LIST (day);
  CREATE SEQUENCE app.ids;
  CREATE PROCEDURE app.p() LANGUAGE sql AS '';
  CREATE TYPE app.size AS (width int);
  CREATE TYPE "My data".pair AS (a int, b int);
  CREATE TABLE "My data".things (a int, b int);
  CREATE MATERIALIZED VIEW "My data".sums AS SELECT 1 AS one;
  CREATE FUNCTION "My data".h() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE TABLE public.notes (a int, b int);
  RESET ROLE;
  GRANT ALL ON ALL TABLES IN SCHEMA app TO helper WITH GRANT OPTION;
  CREATE EXTENSION pg_stat_statements SCHEMA app`;

const THINGS: Omit<Thing, 'database'>[] = [
  { kind: 'TABLE', schema: 'app', name: 'orders', owner: 'postgres', columns: ['id', 'total'] },
  { kind: 'SEQUENCE', schema: 'app', name: 'orders_id_seq', owner: 'postgres' },
  { kind: 'TABLE', schema: 'app', name: 'Line "items"', owner: 'postgres', columns: ['a;b', 'b'] },
  { kind: 'TABLE', schema: 'app', name: 'totals', owner: 'postgres', columns: ['one'] },
  { kind: 'ROUTINE', schema: 'app', name: 'f', args: 'integer', owner: 'postgres' },
  { kind: 'ROUTINE', schema: 'app', name: 'f', args: 'text, VARIADIC numeric[]', owner: 'postgres' },
  { kind: 'TABLE', schema: 'app', name: 'events', owner: MIGRATOR, columns: ['day', 'b'] },
  { kind: 'SEQUENCE', schema: 'app', name: 'ids', owner: MIGRATOR },
  { kind: 'TYPE', schema: 'app', name: 'mood', owner: 'postgres' },
  { kind: 'TYPE', schema: 'app', name: 'Cents "x"', owner: 'postgres' },
  { kind: 'TYPE', schema: 'app', name: 'size', owner: MIGRATOR },
  { kind: 'TYPE', schema: 'My data', name: 'pair', owner: MIGRATOR },
  { kind: 'ROUTINE', schema: 'app', name: 'p', args: '', owner: MIGRATOR },
  { kind: 'TABLE', schema: 'My data', name: 'things', owner: MIGRATOR, columns: ['a', 'b'] },
  { kind: 'TABLE', schema: 'My data', name: 'sums', owner: MIGRATOR, columns: ['one'] },
  { kind: 'ROUTINE', schema: 'My data', name: 'h', args: '', owner: MIGRATOR },
  { kind: 'TABLE', schema: 'public', name: 'notes', owner: MIGRATOR, columns: ['a', 'b'] },
];

export const SCHEMAS = ['app', 'My data', 'public'];

export async function startWorld(setup: Setup): Promise<{ server: AuroraLikeServer; world: World }> {
  // Nothing writes but what the tests do.
  const server = await AuroraLikeServer.start({ ...setup, databases: DATABASES, authorize: () => true, settings: { autovacuum: 'off' } });
  await server.sql(`CREATE ROLE ${MIGRATOR} LOGIN; GRANT rds_iam TO ${MIGRATOR}; CREATE ROLE ${HELPER}; CREATE ROLE ${READERS}; ALTER DATABASE theirs OWNER TO ${MIGRATOR}`);
  if (setup.major >= 16) {
    await server.sql(`GRANT ${MIGRATOR}, ${HELPER}, ${READERS} TO postgres WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`);
  }
  for (const database of DATABASES) {
    await server.sql(SQL, [], database);
  }
  return { server, world: new World(setup.major) };
}

export class World {
  public readonly things: Thing[] = DATABASES.flatMap(database => THINGS.map(thing => ({ ...thing, database })));
  public readonly schemas = DATABASES.flatMap(database => SCHEMAS.map(schema => ({ database, schema, owner: 'not managed' })));
  public readonly tablePrivileges: string[];

  constructor(major: number) {
    this.tablePrivileges = [...PRIVILEGES.TABLE, ...major >= 17 ? ['MAINTAIN'] : []];
  }

  public rename(from: string, to: string): void {
    for (const owned of [...this.things, ...this.schemas]) {
      owned.owner = owned.owner === from ? to : owned.owner;
    }
  }

  /** Whether it belongs to the role, which needs no privilege then. */
  public isOwner(role: string, right: Right): boolean {
    return [...right.kind === 'SCHEMA' ? this.schemas : this.things].some(thing => thing.owner === role && thing.database === right.database && thing.schema === right.schema
      && (right.kind === 'SCHEMA' || (thing as Thing).name === right.name));
  }

  /** What a declaration means for what there is now. */
  public rights(privileges: Privileges = {}): Right[] {
    return Object.entries(privileges).flatMap(([database, { Database = [], Schemas = {} }]) => [
      ...Database.map(privilege => ({ kind: 'DATABASE', database, privilege } as const)),
      ...Object.entries(Schemas).flatMap(([schema, { Schema = [], Tables, Columns = {}, Sequences, Functions, Types }]) => [
        ...Schema.map(privilege => ({ kind: 'SCHEMA', database, schema, privilege } as const)),
        ...this.onThings('TABLE', database, schema, Tables),
        ...this.onThings('SEQUENCE', database, schema, Sequences),
        ...this.onThings('ROUTINE', database, schema, Functions),
        ...this.onThings('TYPE', database, schema, Types),
        ...Object.entries(Columns).flatMap(([name, columns]) => Object.entries(columns).flatMap(([column, words]) =>
          words.map(privilege => ({ kind: 'COLUMN', database, schema, name, column, privilege } as const)))),
      ]),
    ]);
  }

  public future(privileges: Privileges = {}): FutureRight[] {
    return Object.entries(privileges).flatMap(([database, { Schemas = {} }]) => Object.entries(Schemas).flatMap(([schema, { FutureObjects = {}, ...present }]) =>
      Object.entries(FutureObjects).map(([creator, future]) => ({ creator, ...future === '*' ? onAll(present) : future })).flatMap(({ creator, Tables = [], Sequences = [], Functions = [], Types = [] }) => [
        ...Tables.map(privilege => ({ database, schema, creator, objects: 'TABLES', privilege } as const)),
        ...Sequences.map(privilege => ({ database, schema, creator, objects: 'SEQUENCES', privilege } as const)),
        ...Functions.map(privilege => ({ database, schema, creator, objects: 'FUNCTIONS', privilege } as const)),
        ...Types.map(privilege => ({ database, schema, creator, objects: 'TYPES', privilege } as const)),
      ])));
  }

  /** All that could be granted. */
  public everything(): Right[] {
    return [
      ...DATABASES.flatMap(database => PRIVILEGES.DATABASE.map(privilege => ({ kind: 'DATABASE', database, privilege } as const))),
      ...this.schemas.flatMap(({ database, schema }) => PRIVILEGES.SCHEMA.map(privilege => ({ kind: 'SCHEMA', database, schema, privilege } as const))),
      ...this.things.flatMap(({ kind, database, schema, name, args, columns = [] }) => [
        ...(kind === 'TABLE' ? this.tablePrivileges : PRIVILEGES[kind]).map(privilege => ({ kind, database, schema, name, args, privilege })),
        ...columns.flatMap(column => PRIVILEGES.COLUMN.map(privilege => ({ kind: 'COLUMN', database, schema, name, column, privilege } as const))),
      ]),
    ];
  }

  private onThings(kind: Thing['kind'], database: string, schema: string, byName: { readonly [name: string]: string[] } = {}): Right[] {
    return Object.entries(byName).flatMap(([wanted, words]) => this.things
      .filter(thing => thing.kind === kind && thing.database === database && thing.schema === schema && (wanted === '*' || wanted === thing.name))
      .flatMap(({ name, args }) => words.map(privilege => ({ kind, database, schema, name, args, privilege }))));
  }
}

/** As in `shop/app/orders.total: SELECT`. */
export function textOf({ kind, database, schema, name, args, column, privilege }: Right): string {
  const thing = [database, schema, name].filter(part => part !== undefined).join('/');
  return `${kind} ${thing}${args === undefined ? '' : `(${args})`}${column === undefined ? '' : `.${column}`}: ${privilege}`;
}

export function futureTextOf({ database, creator, schema, objects, privilege }: FutureRight): string {
  return `${objects} of ${creator} in ${database}/${schema ?? '*'}: ${privilege}`;
}

/** What all of them hold, whoever has granted it, as the texts above. A grant option is a star. */
export async function heldBy(server: AuroraLikeServer, roles: string[]): Promise<string[]> {
  const inDatabase = (database: string) => server.ask<{ line: string }>(`
    WITH ns AS (SELECT * FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'cdk_aurora_iam_auth')),
    thing(kind, name, owner, acl) AS (
      SELECT 'DATABASE', datname::text, datdba, datacl FROM pg_database WHERE datname = $2
      UNION ALL SELECT 'SCHEMA', $2 || '/' || nspname, nspowner, nspacl FROM ns
      UNION ALL SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, $2 || '/' || nspname || '/' || relname, relowner, relacl FROM pg_class c JOIN ns ON ns.oid = relnamespace
      UNION ALL SELECT 'COLUMN', $2 || '/' || nspname || '/' || relname || '.' || attname, relowner, attacl
                FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN ns ON ns.oid = relnamespace WHERE NOT attisdropped
      UNION ALL SELECT 'ROUTINE', $2 || '/' || nspname || '/' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', proowner, proacl FROM pg_proc p JOIN ns ON ns.oid = pronamespace
      UNION ALL SELECT 'TYPE', $2 || '/' || nspname || '/' || typname, typowner, typacl FROM pg_type t JOIN ns ON ns.oid = typnamespace)
    SELECT format('%s %s %s: %s%s', grantee::regrole, kind, name, privilege_type, CASE WHEN bool_or(is_grantable) THEN '*' END) AS line
    FROM thing, aclexplode(acl) WHERE grantee::regrole::text = ANY ($1) AND grantee <> owner GROUP BY grantee, kind, name, privilege_type
    UNION ALL
    SELECT format('%s %s of %s in %s/%s: %s%s', grantee::regrole, CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' END,
                  pg_get_userbyid(defaclrole), $2, coalesce(nspname, '*'), privilege_type, CASE WHEN is_grantable THEN '*' END)
    FROM pg_default_acl CROSS JOIN aclexplode(defaclacl) LEFT JOIN pg_namespace n ON n.oid = defaclnamespace
    WHERE grantee::regrole::text = ANY ($1) AND grantee <> defaclrole`, [roles.map(name => quoted(name)), database], database);
  const shared = await server.ask<{ line: string }>(`
    SELECT format('%s in %s', member::regrole, roleid::regrole) AS line FROM pg_auth_members WHERE member::regrole::text = ANY ($1)
    UNION SELECT format('%s logs in', oid::regrole) FROM pg_roles WHERE rolcanlogin AND oid::regrole::text = ANY ($1)
    UNION SELECT format('%s sets connections=%s', oid::regrole, rolconnlimit) FROM pg_roles WHERE rolconnlimit <> -1 AND oid::regrole::text = ANY ($1)
    UNION SELECT format('%s sets %s%s', setrole::regrole, c, ' in ' || datname) FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) c
          WHERE setrole <> 0 AND setrole::regrole::text = ANY ($1)`, [roles.map(name => quoted(name))]);
  const lines = [...shared, ...(await Promise.all(DATABASES.map(inDatabase))).flat()];
  return lines.map(({ line }) => line).sort();
}

/** As regrole writes it. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : escapeIdentifier(name);
}

/** `SELECT (total) ON TABLE app.orders` */
export function sqlOf({ kind, database, schema, name, args, column, privilege }: Right): string {
  const target = {
    DATABASE: () => escapeIdentifier(database),
    SCHEMA: () => escapeIdentifier(schema!),
    TABLE: () => `${escapeIdentifier(schema!)}.${escapeIdentifier(name!)}`,
    COLUMN: () => `${escapeIdentifier(schema!)}.${escapeIdentifier(name!)}`,
    SEQUENCE: () => `${escapeIdentifier(schema!)}.${escapeIdentifier(name!)}`,
    TYPE: () => `${escapeIdentifier(schema!)}.${escapeIdentifier(name!)}`,
    ROUTINE: () => `${escapeIdentifier(schema!)}.${escapeIdentifier(name!)}(${args})`,
  }[kind]();
  return `${privilege}${column === undefined ? '' : ` (${escapeIdentifier(column)})`} ON ${kind === 'COLUMN' ? 'TABLE' : kind} ${target}`;
}

/** What is on all objects of a schema. */
function onAll({ Tables, Sequences, Functions, Types }: SchemaPrivileges): FutureObjectPrivileges {
  return { Tables: Tables?.['*'], Sequences: Sequences?.['*'], Functions: Functions?.['*'], Types: Types?.['*'] };
}
