import { escapeIdentifier, escapeLiteral } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Random } from '../lambda/random';

export interface Size {
  readonly roles: number;
  readonly objects: number;
}

export interface RandomCatalogOptions extends Size {
  readonly seed: number;
}

const HOSTILE = [
  "o'brien",
  'quo"te',
  'semi;--',
  'back\\slash',
  '${username}',
  '`tick`',
  '*/ x',
  '// x',
  'a b',
  ' a',
  'Mixed',
  'SELECT',
  'user',
  'constructor',
  '__proto__x',
  'Provisioner',
  'Default',
  'node',
  'jürgen',
  'x,y',
  '$user',
  'a.b',
  '1',
  '-',
  '%41',
  "'); DROP",
  '*',
  'toString',
  'class',
  'a?b',
  '{{x}}',
  'Resource',
];

/** Beside those, names that roles with logins cannot have here, and others can. */
const WORSE = [
  'a/b',
  'a:b',
  'new\nline',
  'łukasz',
  '\u202etrojan',
  '\u2028',
  '日本',
  '${Token[x.1]}',
  '{{resolve:x}}',
  'Fn::Join',
  'Ref',
  '__proto__',
  '\u007f',
];

/** PostgreSQL keeps this many bytes of a name. */
const MAX_BYTES = 63;

interface Place {
  readonly database: string;
  readonly schema: string;
  readonly owner: string;
}

interface Thing extends Place {
  readonly kind: 'TABLE' | 'SEQUENCE' | 'FUNCTION' | 'TYPE';
  readonly name: string;
  /** Of a function. */
  readonly args: string;
}

const WORDS = {
  DATABASE: ['CONNECT', 'CREATE', 'TEMPORARY'],
  SCHEMA: ['USAGE', 'CREATE'],
  TABLE: ['DELETE', 'INSERT', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE'],
  SEQUENCE: ['SELECT', 'UPDATE', 'USAGE'],
  FUNCTION: ['EXECUTE'],
  TYPE: ['USAGE'],
} as const;

/**
 * Databases as they come about over the years: roles of many kinds, memberships, objects of many owners, privileges by
 * the schema and one by one, and much that no declaration can say. Made by a superuser and by owners; the same for the
 * same seed.
 */
export class RandomCatalog {
  readonly databases: string[];
  private readonly random: Random;
  private readonly groups: string[] = [];
  private readonly users: string[] = [];
  private readonly others: string[] = [];
  private readonly taken = new Set<string>();
  private readonly places: Place[] = [];
  private readonly things: Thing[] = [];
  private readonly sql = new Map<string, string[]>();

  constructor(private readonly major: number, private readonly options: RandomCatalogOptions) {
    this.random = new Random(options.seed * 7919 + major);
    const { random } = this;
    this.databases = ['shop', ...random.chance(0.5) ? ['Stock "x"'] : [], ...random.chance(0.3) ? ['crm'] : []];
    this.makeRoles();
    this.databases.forEach(database => this.makeObjects(database));
    this.makeMemberships();
    this.grantInDatabases();
    this.grantInSchemas();
    this.grantOneByOne();
    this.grantFuture();
    this.makeSettings();
    this.makeOddities();
  }

  async create(server: AuroraLikeServer): Promise<void> {
    for (const database of ['postgres', ...this.databases]) {
      await server.sql((this.sql.get(database) ?? []).join(';\n'), [], database);
    }
  }

  private get roles(): string[] {
    return [...this.groups, ...this.users, ...this.others];
  }

  private run(database: string, sql: string): void {
    this.sql.set(database, [...this.sql.get(database) ?? [], sql]);
  }

  private name(kind: string, hostile: readonly string[] = HOSTILE): string {
    for (;;) {
      const { random } = this;
      const base = random.chance(0.35)
        ? random.one(hostile)
        : random.one(['orders', 'stock', 'invoices', 'audit', 'report', 'mail', 'jobs', kind]);
      const suffix = random.chance(0.2) ? '' : `${random.chance(0.5) ? '_' : ''}${Math.floor(random.next() * 10_000)}`;
      const name = random.chance(0.02) ? `${base}${suffix}`.padEnd(MAX_BYTES, 'x') : `${base}${suffix}`;
      if (!this.taken.has(name) && Buffer.byteLength(name) <= MAX_BYTES) {
        this.taken.add(name);
        return name;
      }
    }
  }

  private makeRoles(): void {
    const { random } = this;
    for (let n = 0; n < this.options.roles; n++) {
      const luck = random.next();
      const isLogin = luck >= 0.35;
      const name = this.name(isLogin ? 'user' : 'group', random.chance(0.2) ? WORSE : HOSTILE);
      const role = escapeIdentifier(name);
      const attributes = [
        ...(random.chance(0.04) ? ['NOINHERIT'] : []),
        ...(random.chance(0.03) ? ['CREATEDB'] : []),
        ...(random.chance(0.02) ? ['CREATEROLE'] : []),
        ...(random.chance(0.03) ? ["VALID UNTIL '2031-01-01'"] : []),
        ...(random.chance(0.01) ? ['SUPERUSER'] : []),
      ].join(' ');
      this.run('postgres', `CREATE ROLE ${role} ${isLogin && luck < 0.96 ? 'LOGIN' : ''} ${attributes}`);
      if (luck < 0.35) {
        this.groups.push(name);
      } else if (luck < 0.8) {
        this.users.push(name);
        this.run('postgres', `GRANT rds_iam TO ${role}`);
      } else {
        this.others.push(name);
        if (luck >= 0.96) {
          this.run('postgres', `GRANT rds_iam TO ${role}`);
        }
      }
    }
  }

  private makeObjects(database: string): void {
    const { random } = this;
    const schemas: Place[] = [{ database, schema: 'public', owner: 'postgres' }];
    for (let n = Math.floor(random.next() * 4); n > 0; n--) {
      const schema = this.name('app', random.chance(0.2) ? WORSE : HOSTILE);
      const owner = this.owner();
      this.run(database, `CREATE SCHEMA ${escapeIdentifier(schema)} AUTHORIZATION ${escapeIdentifier(owner)}`);
      schemas.push({ database, schema, owner });
    }
    this.places.push(...schemas);
    for (let n = Math.floor(this.options.objects / this.databases.length); n > 0; n--) {
      this.makeObject(random.one(schemas), random.chance(0.75) ? 'postgres' : this.owner());
    }
    if (random.chance(0.3)) {
      this.run(database, `CREATE EXTENSION pg_stat_statements SCHEMA ${escapeIdentifier(random.one(schemas).schema)}`);
    }
  }

  private owner(): string {
    const { random } = this;
    return this.roles.length === 0 || random.chance(0.5) ? 'postgres' : random.one(this.roles);
  }

  private makeObject({ database, schema }: Place, owner: string): void {
    const { random } = this;
    const name = this.name('t', random.chance(0.1) ? WORSE : HOSTILE);
    const full = `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
    const make = (kind: Thing['kind'], create: string, alter: string, args = '') => {
      this.run(database, create);
      this.run(
        database,
        `ALTER ${alter} ${full}${kind === 'FUNCTION' ? `(${args})` : ''} OWNER TO ${escapeIdentifier(owner)}`,
      );
      this.things.push({ kind, database, schema, owner, name, args });
    };
    const luck = random.next();
    if (luck < 0.55) {
      make('TABLE', `CREATE TABLE ${full} (id int, "b ""c""" text)`, 'TABLE');
    } else if (luck < 0.65) {
      make('TABLE', `CREATE VIEW ${full} AS SELECT 1 AS id, 'x'::text AS "b ""c"""`, 'VIEW');
    } else if (luck < 0.75) {
      make('SEQUENCE', `CREATE SEQUENCE ${full}`, 'SEQUENCE');
    } else if (luck < 0.9) {
      for (const args of random.few(['', 'integer', 'text, integer[]'])) {
        make('FUNCTION', `CREATE FUNCTION ${full}(${args}) RETURNS int LANGUAGE sql AS 'SELECT 1'`, 'FUNCTION', args);
      }
    } else if (luck < 0.95) {
      make('TYPE', `CREATE TYPE ${full} AS ENUM ('x')`, 'TYPE');
    } else {
      make('TYPE', `CREATE DOMAIN ${full} AS int`, 'TYPE');
    }
  }

  /** From later to earlier ones, so that there is no circle. */
  private makeMemberships(): void {
    const { random } = this;
    const all = [...this.groups, ...random.shuffled([...this.users, ...this.others])];
    all.forEach((member, index) => {
      const isGroup = index < this.groups.length;
      const possible = isGroup ? this.groups.slice(0, index) : random.chance(0.05) ? all.slice(0, index) : this.groups;
      const count = random.chance(isGroup ? 0.4 : 0.7) ? 1 + Math.floor(random.next() * 3) : 0;
      for (const group of new Set(
        possible.length === 0 ? [] : [...Array(count).keys()].map(() => random.one(possible)),
      )) {
        const options = random.chance(0.1)
          ? this.major >= 16
            ? random.one([
                'WITH ADMIN TRUE',
                'WITH INHERIT FALSE',
                'WITH SET FALSE',
                'WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
              ])
            : 'WITH ADMIN OPTION'
          : '';
        this.run('postgres', `GRANT ${escapeIdentifier(group)} TO ${escapeIdentifier(member)} ${options}`);
      }
      if (random.chance(0.05)) {
        this.run(
          'postgres',
          `GRANT ${random.one(['pg_monitor', 'rds_superuser', 'pg_read_all_stats', 'pg_read_server_files'])} TO ${escapeIdentifier(member)}`,
        );
      }
    });
  }

  private grantInDatabases(): void {
    const { random } = this;
    for (const role of this.roles) {
      for (const database of random.chance(0.9) ? random.few(this.databases) : []) {
        const words = random.chance(0.8) ? ['CONNECT'] : random.few(WORDS.DATABASE);
        this.run(
          'postgres',
          `GRANT ${words.join(', ')} ON DATABASE ${escapeIdentifier(database)} TO ${escapeIdentifier(role)} ${random.chance(0.05) ? 'WITH GRANT OPTION' : ''}`,
        );
      }
    }
  }

  /** Whole schemas, as people do it. */
  private grantInSchemas(): void {
    const { random } = this;
    for (const { database, schema } of this.places) {
      const on = escapeIdentifier(schema);
      for (const role of random.some(this.roles, Math.min(0.3, 6 / this.roles.length))) {
        const to = escapeIdentifier(role);
        const tables = random.one([
          ['SELECT'],
          ['SELECT'],
          ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
          random.few(WORDS.TABLE),
        ]);
        const sequences = random.one([['SELECT'], ['SELECT', 'USAGE'], []]);
        this.run(database, `GRANT USAGE ON SCHEMA ${on} TO ${to}`);
        this.run(database, `GRANT ${tables.join(', ')} ON ALL TABLES IN SCHEMA ${on} TO ${to}`);
        if (sequences.length > 0) {
          this.run(database, `GRANT ${sequences.join(', ')} ON ALL SEQUENCES IN SCHEMA ${on} TO ${to}`);
        }
        if (random.chance(0.3)) {
          this.run(database, `GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ${on} TO ${to}`);
        }
        for (const creator of random.chance(0.6) ? [this.owner(), this.owner()] : []) {
          this.future(database, schema, creator, role, tables, 'TABLES');
          if (sequences.length > 0 && random.chance(0.7)) {
            this.future(database, schema, creator, role, sequences, 'SEQUENCES');
          }
        }
      }
    }
  }

  private grantOneByOne(): void {
    const { random } = this;
    for (const role of this.roles) {
      for (let n = Math.floor(random.next() * 8); n > 0 && this.things.length > 0; n--) {
        const { kind, database, schema, name, args, owner } = random.one(this.things);
        const on = `${escapeIdentifier(schema)}.${escapeIdentifier(name)}${kind === 'FUNCTION' ? `(${args})` : ''}`;
        const option = random.chance(0.1) ? 'WITH GRANT OPTION' : '';
        const words = random.few(WORDS[kind]).join(', ');
        this.run(database, `GRANT ${words} ON ${kind} ${on} TO ${escapeIdentifier(role)} ${option}`);
        if (kind === 'TABLE' && random.chance(0.3)) {
          this.run(database, `GRANT SELECT ("b ""c"""), UPDATE (id) ON ${on} TO ${escapeIdentifier(role)}`);
        }
        if (option !== '' && random.chance(0.5) && owner !== role) {
          const other = random.one(this.roles);
          this.run(
            database,
            `GRANT USAGE ON SCHEMA ${escapeIdentifier(schema)} TO ${escapeIdentifier(role)}; SET ROLE ${escapeIdentifier(role)}; GRANT ${words} ON ${kind} ${on} TO ${escapeIdentifier(other)}; RESET ROLE`,
          );
        }
      }
      for (const { database, schema } of random.some(this.places, 0.2)) {
        this.run(
          database,
          `GRANT ${random.few(WORDS.SCHEMA).join(', ')} ON SCHEMA ${escapeIdentifier(schema)} TO ${escapeIdentifier(role)}`,
        );
      }
    }
  }

  private grantFuture(): void {
    const { random } = this;
    for (const role of random.some(this.roles, 0.2)) {
      const { database, schema } = random.one(this.places);
      const objects = random.one(['TABLES', 'SEQUENCES', 'FUNCTIONS', 'TYPES', 'SCHEMAS'] as const);
      const words = {
        TABLES: WORDS.TABLE,
        SEQUENCES: WORDS.SEQUENCE,
        FUNCTIONS: WORDS.FUNCTION,
        TYPES: WORDS.TYPE,
        SCHEMAS: WORDS.SCHEMA,
      }[objects];
      this.future(
        database,
        objects === 'SCHEMAS' || random.chance(0.2) ? undefined : schema,
        this.owner(),
        role,
        random.few<string>(words),
        objects,
      );
    }
  }

  private future(
    database: string,
    schema: string | undefined,
    creator: string,
    role: string,
    words: readonly string[],
    objects: string,
  ): void {
    const where = schema === undefined ? '' : `IN SCHEMA ${escapeIdentifier(schema)}`;
    this.run(
      database,
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${escapeIdentifier(creator)} ${where} GRANT ${words.join(', ')} ON ${objects} TO ${escapeIdentifier(role)} ${this.random.chance(0.05) ? 'WITH GRANT OPTION' : ''}`,
    );
  }

  private makeSettings(): void {
    const { random } = this;
    for (const role of random.some(this.roles, 0.3)) {
      const name = escapeIdentifier(role);
      const settings = [
        `SET statement_timeout = ${random.one(["'30s'", '30000', "'2min'", '0', "'1500us'"])}`,
        "SET idle_in_transaction_session_timeout = '1h'",
        'SET search_path = "$user", public',
        "SET search_path = ''",
        'SET search_path = \'A "b", c\', Mixed',
        "SET work_mem = '64MB'",
        `SET application_name = ${escapeLiteral(random.one(HOSTILE))}`,
        'SET "TimeZone" = \'UTC\'',
        "SET log_statement = 'all'",
        'CONNECTION LIMIT 7',
        'CONNECTION LIMIT 0',
        ...(this.groups.length > 0 ? [`SET role = ${escapeLiteral(random.one(this.groups))}`] : []),
      ];
      random.some(settings, 0.15).forEach(setting => this.run('postgres', `ALTER ROLE ${name} ${setting}`));
      if (random.chance(0.1)) {
        this.run('postgres', `ALTER ROLE ${name} IN DATABASE shop SET work_mem = '${random.one(['64MB', '8MB'])}'`);
      }
    }
  }

  /** Policies, large objects, servers, the system's own, parameters and tablespaces. */
  private makeOddities(): void {
    const { random } = this;
    const { roles } = this;
    if (roles.length === 0) {
      return;
    }
    const one = () => escapeIdentifier(random.one(roles));
    const table = this.things.find(({ kind, database }) => kind === 'TABLE' && database === 'shop');
    const odd: [database: string, sql: string][] = [
      ['shop',
        `CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN SERVER s TO ${one()}; GRANT USAGE ON FOREIGN DATA WRAPPER w TO ${one()}`],
      ['shop', `SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO ${one()}`],
      ['shop',
        `GRANT SELECT ON pg_catalog.pg_authid TO ${one()}; GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO ${one()}`],
      ['shop', `GRANT USAGE ON LANGUAGE plpgsql TO ${one()}`],
      ['postgres', `GRANT CREATE ON TABLESPACE pg_default TO ${one()}`],
      ...this.major >= 15 ? [['postgres', `GRANT SET ON PARAMETER work_mem TO ${one()}`] as [string, string]] : [],
    ];
    random.some(odd, 0.4).forEach(([database, sql]) => this.run(database, sql));
    if (table !== undefined && random.chance(0.5)) {
      const { database, schema, name } = table;
      const isView = this.sql
        .get(database)!
        .some(sql => sql.startsWith(`CREATE VIEW ${escapeIdentifier(schema)}.${escapeIdentifier(name)} `));
      if (!isView) {
        this.run(database, `CREATE POLICY p ON ${escapeIdentifier(schema)}.${escapeIdentifier(name)} TO ${one()}`);
      }
    }
  }
}
