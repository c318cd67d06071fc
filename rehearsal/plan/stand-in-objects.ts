import { escapeIdentifier } from 'pg';
import { ALL_OBJECTS, DatabasePrivileges, RoleProperties, SchemaPrivileges } from '../../lib/contract/wire';

/** What the users of a database that another app has made, or of an unknown snapshot, expect to be there. */
export interface Expected {
  /** Properties of the resources of this library, as the template has them. */
  readonly roles: Partial<RoleProperties>[];
  /** Names of the roles that these resources make. */
  readonly declared: string[];
}

export interface StandInStatement {
  readonly database: string;
  readonly text: string;
}

/**
 * Statements of the master that make what is named: empty tables, functions that do nothing, roles that cannot log in.
 */
export function standInObjects({ roles, declared }: Expected, existing: string[], master: string): StandInStatement[] {
  const databases = new Map<string, DatabasePrivileges[]>();
  for (const { Privileges: privileges = {} } of roles) {
    Object.entries(privileges).forEach(([name, each]) => databases.set(name, [...databases.get(name) ?? [], each]));
  }
  const named = roles.flatMap(({ MemberOf: memberOf = [], Privileges: privileges = {} }) => [
    ...memberOf,
    ...Object.values(privileges).flatMap(({ Schemas: schemas = {} }) =>
      Object.values(schemas).flatMap(({ FutureObjects: future = {} }) => Object.keys(future)),
    ),
  ]);
  const others = [...new Set(named)].filter(
    name => typeof name === 'string' && !declared.includes(name) && name !== master && !/^(pg_|rds)/.test(name),
  );
  const missing = [...databases.keys()].filter(
    name => !existing.includes(name) && !['postgres', 'template1', 'rdsadmin'].includes(name),
  );
  return [
    ...others.map(name => ({ database: 'postgres', text: `CREATE ROLE ${escapeIdentifier(name)}` })),
    ...missing.map(name => ({ database: 'postgres', text: `CREATE DATABASE ${escapeIdentifier(name)}` })),
    ...[...databases].flatMap(([database, privileges]) => privileges.flatMap(({ Schemas: schemas = {} }) =>
      Object.entries(schemas).flatMap(([schema, each]) => inSchema(schema, each).map(text => ({ database, text }))))),
  ];
}

function inSchema(schema: string, { Owner, Tables, Columns, Sequences, Functions, Types }: SchemaPrivileges): string[] {
  if (Owner) {
    return [];
  }
  const name = (object: string) => `${escapeIdentifier(schema)}.${escapeIdentifier(object)}`;
  const names = (objects: object = {}) => Object.keys(objects).filter(object => object !== ALL_OBJECTS);
  return [
    ...schema === 'public' ? [] : [`CREATE SCHEMA IF NOT EXISTS ${escapeIdentifier(schema)}`],
    ...[...new Set([...names(Tables), ...names(Columns)])].map(table => `CREATE TABLE IF NOT EXISTS ${name(table)} ()`),
    ...Object.entries(Columns ?? {}).flatMap(([table, columns]) =>
      names(columns).map(
        column => `ALTER TABLE ${name(table)} ADD COLUMN IF NOT EXISTS ${escapeIdentifier(column)} text`,
      ),
    ),
    ...names(Sequences).map(sequence => `CREATE SEQUENCE IF NOT EXISTS ${name(sequence)}`),
    ...names(Functions).map(routine => `CREATE OR REPLACE FUNCTION ${name(routine)}() RETURNS void LANGUAGE sql AS ''`),
    ...names(Types).map(
      type => `DO $$ BEGIN CREATE DOMAIN ${name(type)} AS text; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    ),
  ];
}
