import type { ColumnPrivilege, DatabasePrivilege, FunctionPrivilege, SchemaPrivilege, SequencePrivilege, TablePrivilege } from './privilege';
import type { IDatabaseRole } from './role-interface';

/** Schemas of a database. */
export interface SchemasOptions {
  /** Name of the database, in the case it has on the server. No token: it is a key of the template. */
  readonly database: string;

  /**
   * Names of the schemas, in the case they have in the database. No tokens. They must exist when the role is deployed.
   *
   * @default - public
   */
  readonly schemas?: string[];
}

/** Data in schemas of a database. */
export interface DataOptions extends SchemasOptions {
  /**
   * The roles whose objects are covered from the moment they are created, such as the one that runs the migrations.
   *
   * The role that counts is the owner of the new object: after `SET ROLE`, that one. Each is deployed before.
   * An empty list says that what exists at deployment is enough.
   *
   * @see https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html
   * @default - only what exists at deployment, with a warning
   */
  readonly objectsCreatedBy?: IDatabaseRole[];
}

/** A schema of a database. */
export interface SchemaOptions {
  /** Name of the database, in the case it has on the server. No token: it is a key of the template. */
  readonly database: string;

  /** Name of the schema, in the case it has in the database. No token. */
  readonly schema: string;
}

/** A database, and the privileges on it. */
export interface OnDatabaseOptions {
  /** Name of the database, in the case it has on the server. No token: it is a key of the template. */
  readonly database: string;

  /**
   * The privileges.
   *
   * @default - CONNECT
   */
  readonly privileges?: DatabasePrivilege[];
}

/** A schema, and the privileges on it. */
export interface OnSchemaOptions extends SchemaOptions {
  /**
   * The privileges.
   *
   * @default - USAGE
   */
  readonly privileges?: SchemaPrivilege[];
}

/** Tables of a schema, and the privileges on them. */
export interface OnTablesOptions extends SchemaOptions {
  /**
   * Names of tables, views or foreign tables, in the case they have in the schema. No tokens.
   *
   * @default - all that exist at deployment
   */
  readonly tables?: string[];

  /** The privileges. */
  readonly privileges: TablePrivilege[];

  /**
   * The roles whose tables in this schema are covered from the moment they are created. Not together with `tables`.
   *
   * @default - none
   */
  readonly objectsCreatedBy?: IDatabaseRole[];
}

/** Columns of a table, and the privileges on them. */
export interface OnColumnsOptions extends SchemaOptions {
  /** Name of the table, in the case it has in the schema. No token. */
  readonly table: string;

  /** Names of the columns, in the case they have in the table. No tokens. */
  readonly columns: string[];

  /** The privileges. */
  readonly privileges: ColumnPrivilege[];
}

/** Sequences of a schema, and the privileges on them. */
export interface OnSequencesOptions extends SchemaOptions {
  /**
   * Names of sequences, in the case they have in the schema. No tokens.
   *
   * @default - all that exist at deployment
   */
  readonly sequences?: string[];

  /** The privileges. */
  readonly privileges: SequencePrivilege[];

  /**
   * The roles whose sequences in this schema are covered from the moment they are created. Not together with `sequences`.
   *
   * @default - none
   */
  readonly objectsCreatedBy?: IDatabaseRole[];
}

/** Functions of a schema, and the privileges on them. */
export interface OnFunctionsOptions extends SchemaOptions {
  /**
   * Names of functions or procedures, in the case they have in the schema. A name means all that have it, whatever their arguments. No tokens.
   *
   * @default - all that exist at deployment
   */
  readonly functions?: string[];

  /**
   * The privileges.
   *
   * @default - EXECUTE
   */
  readonly privileges?: FunctionPrivilege[];

  /**
   * The roles whose functions in this schema are covered from the moment they are created. Not together with `functions`.
   *
   * @default - none
   */
  readonly objectsCreatedBy?: IDatabaseRole[];
}
