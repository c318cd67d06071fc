import { KINDS_IN_SCHEMA, OBJECT_KINDS } from '../../lib/contract/object-kinds';
import { ALL_OBJECTS, RoleProperties, SchemaPrivileges } from '../../lib/contract/wire';
import { identifier } from '../../lib/report/plain-text';

/** One privilege on one thing. */
export interface Atom {
  readonly database: string;
  readonly privilege: string;
  readonly on: string;
  readonly key: string;

  /**
   * Keys of atoms that include it: those on all tables include one on a table, that one those on its columns, and the
   * owner of a schema may use it and create in it.
   */
  readonly coveredBy: readonly string[];
}

type Privileges = NonNullable<RoleProperties['Privileges']>;

/** What the properties of a custom resource declare, privilege by privilege. */
export function atomsIn(databases: Privileges): Atom[] {
  return Object.entries(databases).flatMap(([database, { Database = [], Schemas = {} }]) => [
    ...Database.map(privilege => atom(database, `database ${identifier(database)}`, privilege, ['database'])),
    ...Object.entries(Schemas).flatMap(([schema, privileges]) => inSchema(database, schema, privileges)),
  ]);
}

function inSchema(database: string, schema: string, privileges: SchemaPrivileges): Atom[] {
  const at = identifier(schema);
  const onSchema = (privilege: string) => atom(database, `schema ${at}`, privilege, ['schema', schema]);
  const owner = onSchema('OWNER');
  return [
    ...(privileges.Owner ? [owner] : []),
    ...(privileges.Schema ?? []).map(privilege => ({ ...onSchema(privilege), coveredBy: [owner.key] })),
    ...KINDS_IN_SCHEMA.flatMap(({ key, word, sql }) =>
      sql === 'COLUMN'
        ? onColumns(database, schema, privileges)
        : Object.entries(privileges[key] ?? {}).flatMap(([name, list]) => {
            const place = [key, schema];
            return list.map(privilege =>
              name === ALL_OBJECTS
                ? atom(database, `all ${word}s of schema ${at}`, privilege, [...place, ALL_OBJECTS])
                : atom(
                    database,
                    `${word} ${at}.${identifier(name)}`,
                    privilege,
                    [...place, 'named', name],
                    [[...place, ALL_OBJECTS]],
                  ),
            );
          }),
    ),
    ...ofFuture(database, schema, privileges),
  ];
}

function onColumns(database: string, schema: string, { Columns = {} }: SchemaPrivileges): Atom[] {
  return Object.entries(Columns).flatMap(([table, columns]) =>
    Object.entries(columns).flatMap(([column, list]) => {
      const tables = ['Tables', schema];
      return list.map(privilege =>
        atom(
          database,
          `column ${identifier(column)} of table ${identifier(schema)}.${identifier(table)}`,
          privilege,
          ['Columns', schema, table, column],
          [
            [...tables, 'named', table],
            [...tables, ALL_OBJECTS],
          ],
        ),
      );
    }),
  );
}

/** In place of a list, `*` stands for the privileges on all objects that exist. */
function ofFuture(database: string, schema: string, privileges: SchemaPrivileges): Atom[] {
  return Object.entries(privileges.FutureObjects ?? {}).flatMap(([creator, future]) =>
    OBJECT_KINDS.flatMap(({ key, word }) => {
      const list = (future === ALL_OBJECTS ? privileges[key]?.[ALL_OBJECTS] : future[key]) ?? [];
      return list.map(privilege =>
        atom(database, `${word}s that ${identifier(creator)} creates in ${identifier(schema)}`, privilege, [
          `Future${key}`,
          schema,
          creator,
        ]),
      );
    }),
  );
}

function atom(database: string, on: string, privilege: string, place: string[], wider: string[][] = []): Atom {
  const keyOf = (parts: string[]) => JSON.stringify([database, ...parts, privilege]);
  return { database, privilege, on, key: keyOf(place), coveredBy: wider.map(keyOf) };
}
