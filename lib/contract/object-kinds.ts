/**
 * What privileges are granted on: a row for each kind of object in a schema, from the wire form to the SQL, the
 * messages and the access report. docs/architecture.md says how a kind is added.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
interface Row {
  /** The word of GRANT ... ON. The kinds in the catalog query of the provisioner have the same names. */
  readonly sql: string;

  /** Key in the properties of a custom resource, for what exists and for what is created later. */
  readonly key: string;

  /** One of them, in messages and reports; several have an s at the end. */
  readonly word: string;

  /** Everything that can have the name, in the message that nothing has. */
  readonly named: string;

  /** The word of ALTER DEFAULT PRIVILEGES. */
  readonly future: string;

  /** As the catalog spells them, sorted. */
  readonly privileges: readonly string[];

  /** The first major version that has a privilege, by its word, where not all supported ones have it. */
  readonly since?: { readonly [privilege: string]: number };
}

const ROWS = [
  {
    sql: 'TABLE',
    key: 'Tables',
    word: 'table',
    named: 'table or view',
    future: 'TABLES',
    privileges: ['DELETE', 'INSERT', 'MAINTAIN', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE'],
    since: { MAINTAIN: 17 },
  },
  {
    sql: 'SEQUENCE',
    key: 'Sequences',
    word: 'sequence',
    named: 'sequence',
    future: 'SEQUENCES',
    privileges: ['SELECT', 'UPDATE', 'USAGE'],
  },
  {
    sql: 'ROUTINE',
    key: 'Functions',
    word: 'function',
    named: 'function or procedure',
    future: 'FUNCTIONS',
    privileges: ['EXECUTE'],
  },
  {
    sql: 'TYPE',
    key: 'Types',
    word: 'type',
    named: 'type or domain',
    future: 'TYPES',
    privileges: ['USAGE'],
  },
] as const satisfies readonly Row[];

export type ObjectType = typeof ROWS[number]['sql'];
export type ObjectKey = typeof ROWS[number]['key'];
export type ObjectWord = typeof ROWS[number]['word'];

/** A kind of object in a schema. */
export interface ObjectKind extends Row {
  readonly sql: ObjectType;
  readonly key: ObjectKey;
  readonly word: ObjectWord;
  readonly future: typeof ROWS[number]['future'];
}

/** In the order in which they are decoded, granted and reported. */
export const OBJECT_KINDS: readonly ObjectKind[] = ROWS;

export function kindOf(type: ObjectType): ObjectKind {
  return OBJECT_KINDS.find(({ sql }) => sql === type)!;
}

/** Columns are parts of a table: their names are below the name of the table, and there are no future ones. */
export const COLUMN = {
  sql: 'COLUMN',
  key: 'Columns',
  word: 'column',
  privileges: ['INSERT', 'REFERENCES', 'SELECT', 'UPDATE'],
} as const;

/** Everything in a schema that has privileges: columns come after tables. */
export const KINDS_IN_SCHEMA = OBJECT_KINDS.flatMap(kind => kind.sql === 'TABLE' ? [kind, COLUMN] : [kind]);

/** What not all supported majors have. */
export const NEWER_PRIVILEGES = OBJECT_KINDS.flatMap(({ since = {} }) => Object.entries(since))
  .map(([privilege, major]) => ({ privilege, major }));

/** Databases and schemas have rows of their own on the wire. */
export const DATABASE = { word: 'database', privileges: ['CONNECT', 'CREATE', 'TEMPORARY'] } as const;
export const SCHEMA = { word: 'schema', privileges: ['CREATE', 'USAGE'] } as const;

/**
 * @param type the word of GRANT ... ON
 * @returns the word for people; undefined if it is not an object in a schema
 */
export function objectWord(type: string): string | undefined {
  return WORDS.get(type);
}

const WORDS = new Map<string, string>(OBJECT_KINDS.map(({ sql, word }) => [sql, word]));

/** As PostgreSQL's documentation has them, after what is no privilege: to own. */
export const PRIVILEGES_IN_ORDER: readonly string[] = [
  'OWNER',
  'CONNECT',
  'USAGE',
  'CREATE',
  'TEMPORARY',
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'TRUNCATE',
  'REFERENCES',
  'TRIGGER',
  'MAINTAIN',
  'EXECUTE',
];
