import type {
  ColumnPrivilege,
  DatabasePrivilege,
  FunctionPrivilege,
  SchemaPrivilege,
  SequencePrivilege,
  TablePrivilege,
  TypePrivilege,
} from './privilege';
import type { IDatabaseRole } from './role-interface';

/** Options of `Privileges.readOnly`. */
export interface ReadOnlyPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /**
   * Names of the schemas, exactly as spelled in the database (names are case-sensitive). No tokens. They must exist
   * when the role is deployed.
   *
   * @default - public
   */
  readonly schemas?: string[];

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

/** Options of `Privileges.readWrite`. */
export interface ReadWritePrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /**
   * Names of the schemas, exactly as spelled in the database (names are case-sensitive). No tokens. They must exist
   * when the role is deployed.
   *
   * @default - public
   */
  readonly schemas?: string[];

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

/** Options of `Privileges.memberOf`. */
export interface MemberOfPrivilegesOptions {
  /**
   * When the membership ends, without a deployment: it is taken back, and the sessions of the member at the writer end,
   * and those of its own members, because such a session may act as the role (`SET ROLE`). They can sign in again, as
   * far as they may. Sessions at reader endpoints and read replicas go on.
   *
   * EventBridge Scheduler calls the provisioner in the minute that begins then, or in the one after it. A time in the
   * past is a warning with the id `cdk-aurora-iam-auth:expired`, and the membership is not granted. Years from 1970 to
   * 2195, to the millisecond. A later time, or none, gives the membership back: an ordinary update.
   *
   * The registry in the database has the time: no later deployment of a template with this time gives the membership
   * back, nor does a rollback or a database that is restored from a snapshot, from the first event of the provisioner
   * on. What another role than the admin has granted stays. Not of the role that `setRoleAtLogin` names.
   *
   * The name of the role is a key of the template then: no token.
   *
   * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
   * @default - the membership does not end
   */
  readonly expiresAt?: Date;
}

/** Options of `Privileges.createObjects`. */
export interface CreateObjectsPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /**
   * Names of the schemas, exactly as spelled in the database (names are case-sensitive). No tokens. They must exist
   * when the role is deployed.
   *
   * @default - public
   */
  readonly schemas?: string[];
}

/** Options of `Privileges.schemaOwner`. */
export interface SchemaOwnerPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /**
   * Name of the schema, exactly as spelled in the database (names are case-sensitive). No token. It is created if it is
   * missing.
   */
  readonly schema: string;
}

/** Options of `Privileges.onDatabase`. */
export interface OnDatabasePrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /**
   * The privileges.
   *
   * @default - CONNECT
   */
  readonly privileges?: DatabasePrivilege[];
}

/** Options of `Privileges.onSchema`. */
export interface OnSchemaPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /** Name of the schema, exactly as spelled in the database (names are case-sensitive). No token. */
  readonly schema: string;

  /**
   * The privileges.
   *
   * @default - USAGE
   */
  readonly privileges?: SchemaPrivilege[];
}

/** Options of `Privileges.onTables`. */
export interface OnTablesPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /** Name of the schema, exactly as spelled in the database (names are case-sensitive). No token. */
  readonly schema: string;

  /**
   * Names of tables, views or foreign tables, exactly as spelled in the schema (names are case-sensitive). No tokens.
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

/** Options of `Privileges.onColumns`. */
export interface OnColumnsPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /** Name of the schema, exactly as spelled in the database (names are case-sensitive). No token. */
  readonly schema: string;

  /** Name of the table, exactly as spelled in the schema (names are case-sensitive). No token. */
  readonly table: string;

  /** Names of the columns, exactly as spelled in the table (names are case-sensitive). No tokens. */
  readonly columns: string[];

  /** The privileges. */
  readonly privileges: ColumnPrivilege[];
}

/** Options of `Privileges.onSequences`. */
export interface OnSequencesPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /** Name of the schema, exactly as spelled in the database (names are case-sensitive). No token. */
  readonly schema: string;

  /**
   * Names of sequences, exactly as spelled in the schema (names are case-sensitive). No tokens.
   *
   * @default - all that exist at deployment
   */
  readonly sequences?: string[];

  /** The privileges. */
  readonly privileges: SequencePrivilege[];

  /**
   * The roles whose sequences in this schema are covered from the moment they are created. Not together with
   * `sequences`.
   *
   * @default - none
   */
  readonly objectsCreatedBy?: IDatabaseRole[];
}

/** Options of `Privileges.onFunctions`. */
export interface OnFunctionsPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /** Name of the schema, exactly as spelled in the database (names are case-sensitive). No token. */
  readonly schema: string;

  /**
   * Names of functions or procedures, exactly as spelled in the schema (names are case-sensitive). A name means all
   * that have it, whatever their arguments. No tokens.
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
   * The roles whose functions in this schema are covered from the moment they are created. Not together with
   * `functions`.
   *
   * @default - none
   */
  readonly objectsCreatedBy?: IDatabaseRole[];
}

/** Options of `Privileges.onTypes`. */
export interface OnTypesPrivilegesOptions {
  /**
   * Name of the database, exactly as spelled on the server (names are case-sensitive). No token: it is a key of the
   * template.
   */
  readonly database: string;

  /** Name of the schema, exactly as spelled in the database (names are case-sensitive). No token. */
  readonly schema: string;

  /**
   * Names of types or domains, exactly as spelled in the schema (names are case-sensitive). No tokens.
   *
   * Arrays and multiranges follow the type that they belong to, and the types of the rows of tables are not covered.
   *
   * @default - all that exist at deployment
   */
  readonly types?: string[];

  /**
   * The privileges.
   *
   * @default - USAGE
   */
  readonly privileges?: TypePrivilege[];

  /**
   * The roles whose types in this schema are covered from the moment they are created. Not together with `types`.
   *
   * @default - none
   */
  readonly objectsCreatedBy?: IDatabaseRole[];
}
