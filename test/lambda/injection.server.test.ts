import { escapeIdentifier } from 'pg';
import {
  databaseNameProblem,
  managedRoleNameProblem,
  objectNameProblem,
  schemaNameProblem,
  usernameProblem,
} from '../../lib/contract/names';
import { SchemaPrivileges } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { FULL, full } from '../full';
import { watchAdmin } from './admin-watch';
import { dropAllBut } from './clean-up';
import { Random } from './random';
import { Declared, setups, signIn, signInWithToken, snapshot, Stack, trust } from './stack';

/** Some hundreds have names of every length, and each of the pieces in a name. */
const OF_EACH_KIND = FULL ? 2_000 : 300;

/** The admin becomes a member of each role that there is, and PostgreSQL goes through them with each GRANT. */
const AT_ONCE = 400;

/** A few that are renamed again and again: to make one takes long. */
const DATABASES = 50;

const part = (names: string[], from: number, to = 1) => names.slice(from * OF_EACH_KIND, to * OF_EACH_KIND);

/** What names are made of. */
const PIECES = [
  '"',
  '""',
  "'",
  "''",
  '\\',
  '\\\\',
  "\\'",
  '\\"',
  '`',
  '$',
  '$$',
  '$tag$',
  '$1',
  '${name}',
  ';',
  '--',
  '-- ',
  '/*',
  '*/',
  '/',
  ' ',
  '  ',
  '.',
  '"."',
  ',',
  '(',
  ')',
  '()',
  '[',
  ']',
  '{',
  '}',
  '*',
  '%',
  '%s',
  '%I',
  '%%',
  '?',
  '=',
  '@',
  '+',
  '~',
  '!',
  '|',
  '<',
  '>',
  '&',
  '#',
  '^',
  ':',
  ':name',
  '::text',
  '\n',
  '\r\n',
  '\r',
  '\t',
  '\b',
  '\u0001',
  '\u001b',
  '\u007f',
  '\u0085',
  'U&"',
  "U&'",
  "E'",
  "B'",
  "E'\\''",
  '\\0061',
  '\\x22',
  '\\u0022',
  "\" UESCAPE '!'",
  '&quot;',
  '%22',
  '%00',
  '"; DROP ROLE postgres; --',
  "'; DROP ROLE postgres; --",
  '$$; DROP ROLE postgres; $$',
  '"; COMMIT; --',
  '", postgres',
  '" TO PUBLIC; --',
  '") FROM postgres; --',
  '" CASCADE; --',
  '" WITH GRANT OPTION; --',
  '\\"; RESET ROLE; --',
  'SELECT',
  'select',
  'USER',
  'user',
  'PUBLIC',
  'public',
  'none',
  'NONE',
  'current_user',
  'session_user',
  'CURRENT_ROLE',
  'all',
  'null',
  'table',
  'role',
  'rds_iam',
  'pg_',
  'postgres',
  '__proto__',
  'constructor',
  ...'aAzZ019_-',
  'é',
  'É',
  'ß',
  'ÿ',
  'µ',
  '×',
  '\u00a0',
  '\u00ad',
  '«',
  'e\u0301',
  '\u0301',
  'İ',
  'ı',
  'ſ',
  'K',
  'Ω',
  'ﬁ',
  'ŁÓDŹ',
  'имя',
  '漢字',
  '名前',
  '한글',
  '😀',
  '👩‍👩‍👧',
  '🇪🇺',
  '\u202e',
  'שם',
  'اسم',
  '\u2028',
  '\u2029',
  '\u200b',
  '\u200d',
  '\ufeff',
  'ａｂ',
  '＂',
  '＇',
  '；',
  '＼',
  '‘',
  '’',
  '“',
  'ʼ',
  '\ufffd',
  '\uffff',
  '\u{10ffff}',
  '\ue000',
];

/** Names that have a meaning somewhere. */
const WORDS = [
  'select',
  'SELECT',
  'user',
  'USER',
  'Public',
  'PUBLIC',
  'None',
  'NONE',
  'all',
  'ALL',
  'current_user',
  'CURRENT_USER',
  'session_user',
  'current_role',
  'system_user',
  'group',
  'role',
  'table',
  'column',
  'schema',
  'database',
  'default',
  'null',
  'true',
  'grant',
  'replication',
  'sameuser',
  'samerole',
  '+user',
  'Postgres',
  'postgres ',
  ' postgres',
  'PG_x',
  'Rds_iam',
  'superuser',
  'admin',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '0',
  '1',
  '-1',
  '"',
  '""',
  '"""',
  "'",
  "''",
  '\\',
  '$$',
  ' ',
  '.',
  '*',
  '%',
  ';',
  '--',
];

/** Close to a name, and another one. */
const TWINS: ((name: string) => string)[] = [
  name => name.toLowerCase(),
  name => name.toUpperCase(),
  name => `${name} `,
  name => ` ${name}`,
  name => name.normalize('NFD'),
  name => name.normalize('NFC'),
  name => name.normalize('NFKC'),
  name => `"${name}"`,
  name => name.replaceAll('"', '""'),
  name => name.replaceAll('\\', '\\\\'),
  name => name.replaceAll('""', '"'),
  name => name.slice(0, -1),
  name => `${name.slice(0, -1)}_`,
];

const bytesOf = (name: string) => Buffer.byteLength(name);

/** As many different names that are accepted, of 1 to 63 bytes. */
function generate(random: Random, problem: (name: string) => string | undefined): string[] {
  const accepted = (name: string) => !/\p{Surrogate}/u.test(name) && problem(name) === undefined;
  const pieces = PIECES.filter(piece => accepted(`x${piece}`));
  const generated = WORDS.filter(accepted);
  const known = new Set(generated);
  const add = (name: string) => {
    const isNew = accepted(name) && !known.has(name);
    if (isNew) {
      known.add(name);
      generated.push(name);
    }
    return isNew;
  };
  for (let bytes = 1; bytes <= 63; bytes++) {
    while (!add(nameOf(bytes, pieces, random)));
  }
  pieces.forEach(piece => add(`x${piece}`));
  while (generated.length < OF_EACH_KIND) {
    add(
      random.chance(0.2)
        ? random.one(TWINS)(random.one(generated))
        : nameOf(2 + Math.floor(random.next() * 62), pieces, random),
    );
  }
  return random.shuffled(generated);
}

/** Pieces until it has so many bytes; the last one is cut between two characters. */
function nameOf(bytes: number, pieces: string[], random: Random): string {
  let name = '';
  while (bytesOf(name) < bytes) {
    for (const character of random.one(pieces)) {
      if (bytesOf(name + character) > bytes) {
        break;
      }
      name += character;
    }
  }
  return name;
}

const random = new Random(63);
const NAMES = {
  users: generate(random, name => usernameProblem(name, 'postgres')),
  roles: generate(random, name => managedRoleNameProblem(name, 'postgres')),
  schemas: generate(random, name => name === 'public' ? 'it is there already' : schemaNameProblem(name)),
  tables: generate(random, name => objectNameProblem('table', name)),
  databases: generate(random, name =>
    ['postgres', 'shop'].includes(name) ? 'it is there already' : databaseNameProblem(name),
  ),
};

/** Who has privileges, owns tables, and has members, whatever the names are of. */
const [USER, OWNER, GROUP] = ['"; DROP ROLE postgres; -- \\\'$$', "o'wner\\\"", '$$"; \'group\\'];

test('the names of each kind are all different and of every length, with what breaks out of quotes', () => {
  for (const names of Object.values(NAMES)) {
    expect(new Set(names).size).toBe(OF_EACH_KIND);
    expect([...new Set(names.map(bytesOf))].sort((a, b) => a - b)).toEqual(Array.from({ length: 63 }, (_, n) => n + 1));
    for (const nasty of ['"', "'", '\\', '$$', ';', '--', ' ', '.', '%', '"; DROP ROLE postgres; --', 'é', 'select']) {
      expect(names.filter(name => name.includes(nasty)).length).toBeGreaterThanOrEqual(OF_EACH_KIND / 400);
    }
  }
  for (const names of Object.values(NAMES).slice(1)) {
    expect(names.filter(name => /[\n\u2028漢😀]/u.test(name)).length).toBeGreaterThan(OF_EACH_KIND / 20);
  }
});

describe.each(setups('17, plain'))('generated names on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let stack: Stack;
  let before: unknown;

  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
    await asAdmin(names => names.map(name => `CREATE ROLE ${name}`), [OWNER, GROUP]);
    before = await snapshot(server);
  });
  beforeEach(() => stack = new Stack(server));
  afterEach(async () => {
    const after = await snapshot(server);
    await dropAllBut(server, { roles: [OWNER, GROUP], databases: ['shop'] });
    expect(after).toEqual(before);
    await expect(signIn(server, 'postgres', server.master.password)).resolves.toBe('postgres');
  });
  watchAdmin(() => server);
  afterAll(() => server.stop());

  /** Statements with names that pg has quoted, and not the engine. */
  const asAdmin = (statements: (quoted: string[]) => string[], names: string[], database?: string) =>
    server.sql(
      ['SET ROLE postgres', ...statements(names.map(escapeIdentifier)), 'RESET ROLE'].join(';\n'),
      [],
      database,
    );
  const list = async (query: string, values: unknown[] = [], database?: string) =>
    (await server.sql<{ name: string }>(query, values, database)).map(({ name }) => name).sort();
  const roles = () =>
    list("SELECT rolname::text AS name FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> ALL ($1)", [
      ['postgres', OWNER, GROUP],
    ]);
  const membersOf = (group: string) =>
    list(
      "SELECT m.rolname::text AS name FROM pg_auth_members JOIN pg_roles g ON g.oid = roleid JOIN pg_roles m ON m.oid = member WHERE g.rolname = $1 AND m.rolname <> 'postgres'",
      [group],
    );
  const sorted = (...names: string[][]) => names.flat().sort();

  /** And once more, when there is nothing to change. */
  const deploy = async (id: string, declared: Declared, how: 'create' | 'update' = 'create') => {
    await stack[how](id, declared);
    stack.takeChanges();
    await stack.update(id, { ...declared, reapply: how });
    expect(stack.takeChanges()).toEqual([]);
  };

  test(`${OF_EACH_KIND} users`, async () => {
    for (let first = 0; first < OF_EACH_KIND; first += AT_ONCE) {
      const names = NAMES.users.slice(first, first + AT_ONCE);
      const users = { usernames: names, memberOf: [GROUP] };
      await deploy('L', users);
      expect(await roles()).toEqual(sorted(names));
      expect(
        await list('SELECT rolname::text AS name FROM pg_roles WHERE rolcanlogin AND rolname = ANY ($1)', [names]),
      ).toEqual(sorted(names));
      expect(await membersOf('rds_iam')).toEqual(sorted(names));
      expect(await membersOf(GROUP)).toEqual(sorted(names));
      expect(
        await list(
          "SELECT r.rolname::text AS name FROM pg_database, aclexplode(datacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE datname = 'shop' AND privilege_type = 'CONNECT' AND r.rolname <> 'postgres'",
        ),
      ).toEqual(sorted(names));
      for (const username of names.slice(0, 10)) {
        await expect(signInWithToken(server, username)).resolves.toBe(username);
      }
      await stack.delete('L', users);
      expect(await roles()).toEqual([]);
    }
  });

  full.test(
    `${OF_EACH_KIND} roles: with a member, some of them made by the engine and some creators of future objects`,
    async () => {
      const names = NAMES.roles;
      const member = (memberOf: string[], creators: string[]): Declared => ({
        username: USER,
        memberOf,
        privileges: {
          shop: {
            Schemas: {
              public: {
                FutureObjects: Object.fromEntries(creators.map(creator => [creator, { Tables: ['SELECT'] }])),
              },
            },
          },
        },
      });
      const memberships = () =>
        list(
          'SELECT g.rolname::text AS name FROM pg_auth_members JOIN pg_roles g ON g.oid = roleid JOIN pg_roles m ON m.oid = member WHERE m.rolname = $1',
          [USER],
        );
      const creators = () =>
        list(
          'SELECT c.rolname::text AS name FROM pg_default_acl JOIN pg_roles c ON c.oid = defaclrole, aclexplode(defaclacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1',
          [USER],
          'shop',
        );
      for (let first = 0; first < OF_EACH_KIND; first += AT_ONCE) {
        const some = names.slice(first, first + AT_ONCE);
        const [made, rest] = [some.slice(0, 10), some.slice(10)];
        for (const [n, roleName] of made.entries()) {
          await stack.create(`R${n}`, { roleName, memberOf: [GROUP] });
        }
        await asAdmin(quoted => quoted.map(name => `CREATE ROLE ${name}`), rest);
        expect(await roles()).toEqual(sorted(some));
        await deploy('A', member(some, some.slice(0, 50)));
        expect(await memberships()).toEqual(sorted(['rds_iam'], some));
        expect(await creators()).toEqual(sorted(some.slice(0, 50)));
        await deploy('A', member(some.slice(100), some.slice(25, 75)), 'update');
        expect(await memberships()).toEqual(sorted(['rds_iam'], some.slice(100)));
        expect(await creators()).toEqual(sorted(some.slice(25, 75)));
        expect(await membersOf(GROUP)).toEqual(sorted(made));
        await stack.delete('A', member([], []));
        for (const [n, roleName] of made.entries()) {
          await stack.delete(`R${n}`, { roleName });
        }
        expect(await roles()).toEqual(sorted(rest));
        await asAdmin(quoted => quoted.map(name => `DROP ROLE ${name}`), rest);
      }
    },
  );

  full.test(`${OF_EACH_KIND} schemas: made for a user, and used by another`, async () => {
    const names = NAMES.schemas;
    const owner = (schemas: string[]): Declared => ({
      username: 'keeper',
      privileges: { shop: { Schemas: Object.fromEntries(schemas.map(schema => [schema, { Owner: 'true' }])) } },
    });
    const reader = (schemas: string[]): Declared => ({
      username: USER,
      privileges: { shop: { Schemas: Object.fromEntries(schemas.map(schema => [schema, { Schema: ['USAGE'] }])) } },
    });
    const owned = () =>
      list("SELECT nspname::text AS name FROM pg_namespace WHERE nspowner = 'keeper'::regrole", [], 'shop');
    const used = () =>
      list(
        'SELECT nspname::text AS name FROM pg_namespace, aclexplode(nspacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1',
        [USER],
        'shop',
      );
    await deploy('O', owner(names));
    expect(await owned()).toEqual(sorted(names));
    expect(
      await list(
        "SELECT nspname::text AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')",
        [],
        'shop',
      ),
    ).toEqual(sorted(names));
    await deploy('A', reader(names));
    expect(await used()).toEqual(sorted(names));
    await deploy('A', reader(part(names, 0.25)), 'update');
    expect(await used()).toEqual(sorted(part(names, 0.25)));
    await stack.delete('A', reader(names));
    await deploy('O', owner(part(names, 0.5)), 'update');
    expect(await owned()).toEqual(sorted(part(names, 0.5)));
    await stack.delete('O', owner(names));
  });

  full.test(`${OF_EACH_KIND} tables, their columns, and sequences, functions and types of the same names`, async () => {
    const names = NAMES.tables;
    const schemas = NAMES.schemas.slice(0, 5);
    const [others, ...ofTables] = schemas;
    const tables = ofTables.map((schema, n) => ({ schema, names: part(names, n / 4, (n + 1) / 4) }));
    const few = part(names, 0, 0.1);
    const each = (some: string[], privilege: string) => Object.fromEntries(some.map(name => [name, [privilege]]));
    const columnOf = (table: string) => names[(names.indexOf(table) + 1) % names.length];
    await asAdmin(quoted => quoted.map(schema => `CREATE SCHEMA ${schema}`), schemas, 'shop');
    for (const { schema, names: some } of tables) {
      await asAdmin(
        ([quoted]) =>
          some.map(
            name => `CREATE TABLE ${quoted}.${escapeIdentifier(name)} (${escapeIdentifier(columnOf(name))} int)`,
          ),
        [schema],
        'shop',
      );
    }
    // A function of each table's row: the type has the name of the table.
    await asAdmin(quoted => quoted.flatMap(name => [
      `CREATE SEQUENCE ${escapeIdentifier(others)}.${name}`,
      `CREATE TYPE ${escapeIdentifier(others)}.${name} AS ENUM ()`,
      `CREATE FUNCTION ${escapeIdentifier(others)}.${name}(${escapeIdentifier(tables[0].schema)}.${name}) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    ]), few, 'shop');
    await server.sql(
      part(names, 0, 0.05)
        .map(
          name =>
            `ALTER TABLE ${escapeIdentifier(tables[0].schema)}.${escapeIdentifier(name)} OWNER TO ${escapeIdentifier(OWNER)}`,
        )
        .join(';'),
      [],
      'shop',
    );

    const held = async () => ({
      tables: (
        await list(
          `
        SELECT jsonb_build_array(nspname, relname, privilege_type)::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace, aclexplode(relacl) a
        JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1 AND relkind = 'r'`,
          [USER],
          'shop',
        )
      )
        .map(line => JSON.stringify(JSON.parse(line)))
        .sort(),
      columns: await list(
        'SELECT attname::text AS name FROM pg_attribute, aclexplode(attacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1',
        [USER],
        'shop',
      ),
      sequences: await list(
        "SELECT relname::text AS name FROM pg_class, aclexplode(relacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1 AND relkind = 'S'",
        [USER],
        'shop',
      ),
      functions: await list(
        'SELECT proname::text AS name FROM pg_proc, aclexplode(proacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1',
        [USER],
        'shop',
      ),
      types: await list(
        'SELECT typname::text AS name FROM pg_type, aclexplode(typacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1',
        [USER],
        'shop',
      ),
    });
    const user = (ofTable: (names: string[]) => SchemaPrivileges, ofOthers: SchemaPrivileges): Declared => ({
      username: USER,
      privileges: {
        shop: {
          Schemas: {
            ...Object.fromEntries(tables.map(({ schema, names: some }) => [schema, ofTable(some)])),
            [others]: ofOthers,
          },
        },
      },
    });
    const granted = (some: string[], privilege: string) =>
      tables
        .flatMap(({ schema, names: there }) =>
          there.filter(name => some.includes(name)).map(name => JSON.stringify([schema, name, privilege])),
        )
        .sort();

    const all = user(
      some => ({ Tables: each(some, 'SELECT'),
        Columns: Object.fromEntries(
          some.filter(name => few.includes(name)).map(name => [name, each([columnOf(name)], 'UPDATE')]),
        ) }),
      { Sequences: each(few, 'USAGE'), Functions: each(few, 'EXECUTE'), Types: each(few, 'USAGE') },
    );
    await deploy('A', all);
    expect(await held()).toEqual({
      tables: granted(names, 'SELECT'),
      columns: sorted(few.map(columnOf)),
      sequences: sorted(few),
      functions: sorted(few),
      types: sorted(few),
    });
    const half = names.filter((_, n) => n % 2 === 0);
    await deploy(
      'A',
      user(
        some => ({
          Tables: each(
            some.filter(name => half.includes(name)),
            'INSERT',
          ),
        }),
        { Functions: { '*': ['EXECUTE'] } },
      ),
      'update',
    );
    expect(await held()).toEqual({
      tables: granted(half, 'INSERT'),
      columns: [],
      sequences: [],
      functions: sorted(few),
      types: [],
    });
    await stack.delete('A', all);
    expect(await held()).toEqual({ tables: [], columns: [], sequences: [], functions: [], types: [] });
    await server.sql(schemas.map(schema => `DROP SCHEMA ${escapeIdentifier(schema)} CASCADE`).join(';'), [], 'shop');
  });

  full.test(`${OF_EACH_KIND} databases`, async () => {
    let current = Array.from({ length: DATABASES }, (_, n) => `database_${n}`);
    for (const name of current) {
      await server.sql(`CREATE DATABASE ${name} OWNER postgres ${setup.major >= 15 ? 'STRATEGY file_copy' : ''}`);
    }
    const named = async (names: string[]) => {
      await server.sql(
        names
          .map((name, n) => `ALTER DATABASE ${escapeIdentifier(current[n])} RENAME TO ${escapeIdentifier(name)}`)
          .join(';'),
      );
      current = names;
    };
    const granted = () =>
      list(
        "SELECT datname::text AS name FROM pg_database, aclexplode(datacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1 AND privilege_type = 'CONNECT'",
        [USER],
      );
    const inside = () =>
      list(
        "SELECT datname::text AS name FROM pg_shdepend JOIN pg_database d ON d.oid = dbid JOIN pg_roles r ON r.oid = refobjid WHERE r.rolname = $1 AND classid = 'pg_namespace'::regclass",
        [USER],
      );
    for (let first = 0; first < OF_EACH_KIND; first += DATABASES) {
      const names = NAMES.databases.slice(first, first + DATABASES);
      const [entered] = names;
      await named(names);
      const user: Declared = {
        username: USER,
        connect: names.slice(1),
        privileges: { [entered]: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'] } } } },
      };
      await stack.create('A', user);
      expect(await granted()).toEqual(sorted(names));
      expect(await inside()).toEqual([entered]);
      await expect(signInWithToken(server, USER, entered)).resolves.toBe(USER);
      await stack.delete('A', user);
      expect(
        await list(
          "SELECT datname::text AS name FROM pg_database WHERE datname NOT IN ('postgres', 'rdsadmin', 'shop', 'template0', 'template1')",
        ),
      ).toEqual(sorted(names));
    }
    for (const name of current) {
      await server.sql(`DROP DATABASE ${escapeIdentifier(name)}`);
    }
  });

  full.test('what users own goes to roles, and policies for them go', async () => {
    const [users, newOwners, policies] = [NAMES.users, NAMES.roles, NAMES.tables].map(names => names.slice(-20));
    await server.sql('CREATE TABLE guarded (n int)', [], 'shop');
    for (const [n, username] of users.entries()) {
      await asAdmin(([quoted]) => [`CREATE ROLE ${quoted}`], [newOwners[n]]);
      const user: Declared = {
        username,
        onRemoval: n % 2 === 0 ? { Action: 'DROP', ReassignOwnedTo: newOwners[n] } : { Action: 'DROP_OR_DISABLE' },
      };
      await stack.create('A', user);
      await server.sql(
        `CREATE POLICY ${escapeIdentifier(policies[n])} ON guarded TO ${escapeIdentifier(username)}`,
        [],
        'shop',
      );
      if (n % 2 === 0) {
        await server.sql(
          `CREATE TABLE theirs (n int); ALTER TABLE theirs OWNER TO ${escapeIdentifier(username)}`,
          [],
          'shop',
        );
      }
      await stack.delete('A', user);
      expect(await roles()).toEqual([newOwners[n]]);
      expect(await list('SELECT polname::text AS name FROM pg_policy', [], 'shop')).toEqual([]);
      if (n % 2 === 0) {
        expect(
          await list("SELECT tableowner::text AS name FROM pg_tables WHERE tablename = 'theirs'", [], 'shop'),
        ).toEqual([newOwners[n]]);
        await server.sql('DROP TABLE theirs', [], 'shop');
      }
      await server.sql(`DROP ROLE ${escapeIdentifier(newOwners[n])}`);
    }
    await server.sql('DROP TABLE guarded', [], 'shop');
  });
});
