/**
 * Privileges on a database.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
export enum DatabasePrivilege {
  /** Connect to the database. */
  CONNECT = 'CONNECT',
  /** Create schemas in the database, and trusted extensions. */
  CREATE = 'CREATE',
  /** Create temporary tables. */
  TEMPORARY = 'TEMPORARY',
}

/**
 * Privileges on a schema.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
export enum SchemaPrivilege {
  /** Create objects in the schema. */
  CREATE = 'CREATE',
  /** Find the objects of the schema, each of which has privileges of its own. */
  USAGE = 'USAGE',
}

/**
 * Privileges on a table, view or foreign table.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
export enum TablePrivilege {
  /** Delete rows. To delete some of them by a condition takes SELECT as well. */
  DELETE = 'DELETE',
  /** Insert rows. */
  INSERT = 'INSERT',
  /** VACUUM, ANALYZE, REINDEX and the like. There from PostgreSQL 17 on; before, the deployment fails. */
  MAINTAIN = 'MAINTAIN',
  /** Refer to the table with a foreign key. */
  REFERENCES = 'REFERENCES',
  /** Read rows. */
  SELECT = 'SELECT',
  /** Create triggers. */
  TRIGGER = 'TRIGGER',
  /** Empty the table. */
  TRUNCATE = 'TRUNCATE',
  /** Update rows. To update some of them by a condition takes SELECT as well. */
  UPDATE = 'UPDATE',
}

/**
 * Privileges on single columns of a table.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
export enum ColumnPrivilege {
  /** Insert rows that give these columns a value; the others get their default. */
  INSERT = 'INSERT',
  /** Refer to these columns with a foreign key. */
  REFERENCES = 'REFERENCES',
  /** Read these columns. */
  SELECT = 'SELECT',
  /** Update these columns. */
  UPDATE = 'UPDATE',
}

/**
 * Privileges on a sequence.
 *
 * @see https://www.postgresql.org/docs/current/functions-sequence.html
 */
export enum SequencePrivilege {
  /** Read the sequence: `currval`, and what pg_dump needs. */
  SELECT = 'SELECT',
  /** `nextval` and `setval`. */
  UPDATE = 'UPDATE',
  /** `nextval` and `currval`. */
  USAGE = 'USAGE',
}

/**
 * Privileges on a type or domain.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
export enum TypePrivilege {
  /** Create tables, functions and other types that use it. PostgreSQL grants this to `PUBLIC` on each new type. */
  USAGE = 'USAGE',
}

/**
 * Privileges on a function or procedure.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
export enum FunctionPrivilege {
  /** Call it. PostgreSQL gives this to every role (`PUBLIC`) on each new function. */
  EXECUTE = 'EXECUTE',
}
