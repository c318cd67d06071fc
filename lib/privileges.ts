import { byName, type Grant, inSchema, inSchemas, onData, onObjects, quoted } from './model/grant';
import { checkRole } from './model/known-role';
import { checked, checkKeys, checkNotEmpty } from './model/privilege-checks';
import {
  DatabasePrivilege,
  FunctionPrivilege,
  SchemaPrivilege,
  SequencePrivilege,
  TablePrivilege,
  TypePrivilege,
} from './privilege';
import type {
  CreateObjectsPrivilegesOptions,
  MemberOfPrivilegesOptions,
  OnColumnsPrivilegesOptions,
  OnDatabasePrivilegesOptions,
  OnFunctionsPrivilegesOptions,
  OnSchemaPrivilegesOptions,
  OnSequencesPrivilegesOptions,
  OnTablesPrivilegesOptions,
  OnTypesPrivilegesOptions,
  ReadOnlyPrivilegesOptions,
  ReadWritePrivilegesOptions,
  SchemaOwnerPrivilegesOptions,
} from './privilege-options';
import type { IDatabaseRole } from './role-interface';

/**
 * Something that a role or user may do in the database.
 *
 * A role has the union of what it is given. A value can be given to any number of roles. What is not given any more is
 * revoked by the next deployment.
 *
 * `readOnly`, `readWrite`, `createObjects` and `schemaOwner` are complete: they include CONNECT on the database and
 * USAGE on the schema. The exact ones, `on...`, grant what they say and nothing else.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
export class Privileges {
  /**
   * Read all tables and views of some schemas: CONNECT on the database, USAGE on the schemas, SELECT on their tables
   * and sequences.
   *
   * SELECT on a sequence is what pg_dump needs. It is not enough for `nextval`, which would change the sequence.
   *
   * @see https://www.postgresql.org/docs/current/functions-sequence.html
   * @param options the database, the schemas, and who creates objects in them
   * @returns the value, for any number of roles
   */
  public static readOnly(options: ReadOnlyPrivilegesOptions): Privileges {
    return new Privileges(onData('readOnly', 'read', checked(options), {
      Tables: [TablePrivilege.SELECT],
      Sequences: [SequencePrivilege.SELECT],
    }));
  }

  /**
   * Read and change the rows of all tables of some schemas: CONNECT on the database, USAGE on the schemas, SELECT,
   * INSERT, UPDATE and DELETE on their tables, SELECT and USAGE on their sequences.
   *
   * @param options the database, the schemas, and who creates objects in them
   * @returns the value, for any number of roles
   */
  public static readWrite(options: ReadWritePrivilegesOptions): Privileges {
    return new Privileges(onData('readWrite', 'read or written', checked(options), {
      Tables: [TablePrivilege.DELETE, TablePrivilege.INSERT, TablePrivilege.SELECT, TablePrivilege.UPDATE],
      Sequences: [SequencePrivilege.SELECT, SequencePrivilege.USAGE],
    }));
  }

  /**
   * Create objects in some schemas, as migrations do: CONNECT on the database, USAGE and CREATE on the schemas.
   *
   * The role owns what it creates. It gets nothing on what others have created there.
   *
   * @param options the database and the schemas
   * @returns the value, for any number of roles
   */
  public static createObjects(options: CreateObjectsPrivilegesOptions): Privileges {
    return new Privileges(inSchemas(checked(options), { Schema: [SchemaPrivilege.CREATE, SchemaPrivilege.USAGE] }));
  }

  /**
   * Own a schema: CONNECT on the database, and everything in the schema that the owner creates there.
   *
   * The schema is created if it is missing. One that belongs to another role is left alone, and the deployment fails.
   * When it is not declared any more, or the role goes, it is dropped if it is empty; one with objects in it stays.
   * Not for `addUsers`, because a schema has one owner.
   *
   * Others that have privileges in the schema must be deployed after the owner: they are if it is among their
   * `objectsCreatedBy`; else say `other.node.addDependency(owner)`.
   *
   * @param options the database and the schema
   * @returns the value, for any number of roles
   */
  public static schemaOwner(options: SchemaOwnerPrivilegesOptions): Privileges {
    const { database, schema } = checked(options);
    return new Privileges({
      ...inSchemas({ database, schemas: [schema] }, { Owner: 'true' }),
      owned: { database, schema },
    });
  }

  /**
   * Exactly these privileges on a database itself. It must exist when the role is deployed.
   *
   * @param options the database and the privileges
   * @returns the value, for any number of roles
   */
  public static onDatabase(options: OnDatabasePrivilegesOptions): Privileges {
    const { database, privileges = [DatabasePrivilege.CONNECT] } = checked(options);
    checkKeys('database', [database]);
    checkNotEmpty(privileges, `privileges on database ${quoted(database)}`, 'privileges out for CONNECT');
    return new Privileges({ databases: { [database]: { Database: [...privileges] } } });
  }

  /**
   * Exactly these privileges on a schema itself: neither CONNECT on the database nor anything on the objects in the
   * schema.
   *
   * @param options the schema and the privileges
   * @returns the value, for any number of roles
   */
  public static onSchema(options: OnSchemaPrivilegesOptions): Privileges {
    const { schema, privileges = [SchemaPrivilege.USAGE] } = checked(options);
    checkNotEmpty(privileges, `privileges on schema ${quoted(schema)}`, 'privileges out for USAGE');
    return new Privileges(inSchema(options, { Schema: [...privileges] }));
  }

  /**
   * Exactly these privileges on tables, views and foreign tables. To use them also takes CONNECT on the database and
   * USAGE on the schema.
   *
   * @param options the tables and the privileges
   * @returns the value, for any number of roles
   */
  public static onTables(options: OnTablesPrivilegesOptions): Privileges {
    return new Privileges(onObjects({ ...checked(options), kind: 'table', names: options.tables }));
  }

  /**
   * Exactly these privileges on columns of a table. To use them also takes CONNECT on the database and USAGE on the
   * schema.
   *
   * @param options the columns and the privileges
   * @returns the value, for any number of roles
   */
  public static onColumns(options: OnColumnsPrivilegesOptions): Privileges {
    const { table, columns, privileges } = checked(options);
    checkKeys('table', [table]);
    checkNotEmpty(columns, `columns of table ${quoted(table)}`);
    checkKeys('column', columns);
    checkNotEmpty(privileges, `privileges on columns of table ${quoted(table)}`);
    return new Privileges(inSchema(options, { Columns: { [table]: byName(columns, privileges) } }));
  }

  /**
   * Exactly these privileges on sequences. To use them also takes CONNECT on the database and USAGE on the schema.
   *
   * @param options the sequences and the privileges
   * @returns the value, for any number of roles
   */
  public static onSequences(options: OnSequencesPrivilegesOptions): Privileges {
    return new Privileges(onObjects({ ...checked(options), kind: 'sequence', names: options.sequences }));
  }

  /**
   * Exactly these privileges on functions and procedures. To use them also takes CONNECT on the database and USAGE on
   * the schema.
   *
   * @param options the functions and the privileges
   * @returns the value, for any number of roles
   */
  public static onFunctions(options: OnFunctionsPrivilegesOptions): Privileges {
    const { privileges = [FunctionPrivilege.EXECUTE] } = checked(options);
    return new Privileges(
      onObjects({
        ...options,
        kind: 'function',
        names: options.functions,
        privileges,
        otherwise: 'privileges out for EXECUTE',
      }),
    );
  }

  /**
   * Grants exactly these privileges on types and domains. To use a type, a role also needs CONNECT on the database and
   * USAGE on the schema.
   *
   * USAGE allows creating tables and functions with a type; queries do not need it. PostgreSQL grants it to `PUBLIC`
   * on each new type, so that it matters where it was revoked.
   *
   * @param options the types and the privileges
   * @returns the value, for any number of roles
   */
  public static onTypes(options: OnTypesPrivilegesOptions): Privileges {
    const { privileges = [TypePrivilege.USAGE] } = checked(options);
    const otherwise = 'privileges out for USAGE';
    return new Privileges(onObjects({ ...options, kind: 'type', names: options.types, privileges, otherwise }));
  }

  /**
   * What another role may do. The member inherits its privileges. It does not own what the other one owns, but may do
   * with it what the owner may.
   *
   * Membership in the admin, or in a role that leads to it, is refused. Membership in `rds_superuser` or `pg_maintain`
   * is warned of, with the ids `cdk-aurora-iam-auth:memberOfRdsSuperuser` and `cdk-aurora-iam-auth:memberOfPgMaintain`,
   * until the warning is acknowledged.
   *
   * With `expiresAt`, the membership ends at that moment without a deployment.
   *
   * @param role a role, or another user of the same database, which is then deployed first
   * @param options when the membership ends
   * @returns the value, for any number of roles
   */
  public static memberOf(role: IDatabaseRole, options: MemberOfPrivilegesOptions = {}): Privileges {
    checkRole('memberOf', role);
    const { expiresAt } = checked(options);
    if (expiresAt === undefined) {
      return new Privileges({ memberOf: role });
    }
    checkKeys('role', [role.roleName]);
    return new Privileges({ memberOf: role, expiresAt });
  }

  /** @internal */
  public readonly _grant: Grant;

  private constructor(grant: Grant) {
    this._grant = grant;
  }
}
