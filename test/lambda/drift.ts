import { escapeIdentifier } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Expected } from './expected';
import { Random } from './random';
import { DATABASES, FutureRight, HELPER, MIGRATOR, PRIVILEGES, READERS, Right, sqlOf, Table, World } from './world';

/** What people do by hand between two deployments. */
export class Drift {
  private tables = 0;
  private readonly created: Table[] = [];

  constructor(
    private readonly server: AuroraLikeServer,
    private readonly world: World,
    private readonly expected: Expected,
    private readonly random: Random,
  ) {}

  /** @param role any that is managed */
  public async inject(role: string): Promise<void> {
    const { random } = this;
    await random.one([
      () => this.grant(role, 'owner'),
      () => this.grant(role, 'other'),
      () => this.revoke(role),
      () => this.revoke(role),
      () => this.grantFuture(role),
      () => this.revokeFuture(role),
      () => this.createTable(role),
      () => this.dropTable(),
      () => this.changeMembership(role),
      () => this.set(role),
    ])();
  }

  private async set(role: string): Promise<void> {
    const { random } = this;
    const name = random.one(['work_mem', 'jit', 'search_path', 'connections']);
    const database = random.one([undefined, ...DATABASES]);
    if (name === 'connections') {
      await this.server.sql(`ALTER ROLE ${escapeIdentifier(role)} CONNECTION LIMIT 7`);
      return this.expected.set(role, name, '7');
    }
    const value = random.one({ work_mem: ['1MB', '7MB'], jit: ['off'], search_path: ['app', '"My data"'] }[name]!);
    await this.server.sql(
      `ALTER ROLE ${escapeIdentifier(role)}${database === undefined ? '' : ` IN DATABASE ${escapeIdentifier(database)}`} SET ${name} = ${name === 'work_mem' ? `'${value}'` : value}`,
    );
    this.expected.set(role, `${name}${database === undefined ? '' : ` in ${database}`}`, value);
  }

  /** Those that keep a role from being dropped. */
  public async dropTables(): Promise<void> {
    for (const table of this.created.splice(0)) {
      await this.server.sql(`DROP TABLE ${escapeIdentifier(table.schema)}.${table.name}`, [], table.database);
      this.expected.dropTable(table);
    }
  }

  private async grant(role: string, granter: 'owner' | 'other'): Promise<void> {
    const { random, world } = this;
    const isOld = (right: Right) => !this.created.some(({ name }) => name === right.name);
    const rights = world
      .everything()
      .filter(
        right =>
          !world.isOwner(role, right)
          && (granter === 'owner' || (right.kind === 'TABLE' && right.schema === 'app' && isOld(right))),
      );
    const right = random.one(rights);
    const grantable = random.chance(0.3);
    const grant = `GRANT ${sqlOf(right)} TO ${escapeIdentifier(role)}${grantable ? ' WITH GRANT OPTION' : ''}`;
    await this.server.sql(granter === 'owner' ? grant : `SET ROLE ${HELPER}; ${grant}; RESET ROLE`, [], right.database);
    this.expected.grant(role, right, granter, grantable);
  }

  private async revoke(role: string): Promise<void> {
    const holdings = this.expected.holdings(role).filter(({ grantable }) => grantable.has('owner'));
    if (holdings.length === 0) {
      return;
    }
    const { right } = this.random.one(holdings);
    await this.server.sql(`REVOKE ${sqlOf(right)} FROM ${escapeIdentifier(role)}`, [], right.database);
    this.expected.revoke(role, right, 'owner');
    if (right.kind === 'TABLE') {
      holdings
        .filter(
          held =>
            held.right.kind === 'COLUMN'
            && held.right.privilege === right.privilege
            && (['database', 'schema', 'name'] as const).every(part => held.right[part] === right[part]),
        )
        .forEach(held => this.expected.revoke(role, held.right, 'owner'));
    }
  }

  private async grantFuture(role: string): Promise<void> {
    const { random } = this;
    const objects = random.one(['TABLES', 'SEQUENCES', 'FUNCTIONS', 'TYPES'] as const);
    const words = {
      TABLES: PRIVILEGES.TABLE,
      SEQUENCES: PRIVILEGES.SEQUENCE,
      FUNCTIONS: PRIVILEGES.ROUTINE,
      TYPES: PRIVILEGES.TYPE,
    }[objects];
    const right: FutureRight = {
      database: random.one(DATABASES),
      creator: MIGRATOR,
      schema: random.one([undefined, 'app', 'My data']),
      objects,
      privilege: random.one<string>(words),
    };
    const grantable = random.chance(0.3);
    await this.alterDefault(
      right,
      `GRANT ${right.privilege} ON ${objects} TO ${escapeIdentifier(role)}${grantable ? ' WITH GRANT OPTION' : ''}`,
    );
    this.expected.grantFuture(role, right, grantable);
  }

  private async revokeFuture(role: string): Promise<void> {
    const futures = this.expected.futures(role);
    if (futures.length > 0) {
      const right = this.random.one(futures);
      await this.alterDefault(right, `REVOKE ${right.privilege} ON ${right.objects} FROM ${escapeIdentifier(role)}`);
      this.expected.revokeFuture(role, right);
    }
  }

  private alterDefault({ database, creator, schema }: FutureRight, what: string): Promise<unknown> {
    return this.server.sql(
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${escapeIdentifier(creator)}${schema === undefined ? '' : ` IN SCHEMA ${escapeIdentifier(schema)}`} ${what}`,
      [],
      database,
    );
  }

  private async createTable(role: string): Promise<void> {
    const own = this.world.schemas.find(({ owner }) => owner === role);
    const database = this.random.one(DATABASES);
    const { schema, creator, handedOver = false, ...elsewhere } = this.random.one([
      { schema: 'app', creator: MIGRATOR },
      { schema: 'app', creator: 'postgres' },
      own
        ? { schema: own.schema, creator: role, database: own.database }
        : { schema: 'app', creator: role, handedOver: true },
    ]);
    const table = { database, schema, name: `made_${++this.tables}`, ...elsewhere };
    const name = `${escapeIdentifier(schema)}.${table.name}`;
    await this.server.sql(handedOver
      ? `CREATE TABLE ${name} (a int, b int); ALTER TABLE ${name} OWNER TO ${escapeIdentifier(creator)}`
      : `SET ROLE ${escapeIdentifier(creator)}; CREATE TABLE ${name} (a int, b int); RESET ROLE`, [], table.database);
    this.created.push(table);
    this.expected.createTable(table, creator, handedOver);
  }

  private async dropTable(): Promise<void> {
    if (this.created.length > 0) {
      const table = this.random.one(this.created);
      this.created.splice(this.created.indexOf(table), 1);
      await this.server.sql(`DROP TABLE ${escapeIdentifier(table.schema)}.${table.name}`, [], table.database);
      this.expected.dropTable(table);
    }
  }

  private async changeMembership(role: string): Promise<void> {
    const { random } = this;
    const groups = this.expected.groups(role);
    const group = random.one([READERS, ...groups]);
    const member = !groups.includes(group);
    // As the admin: from 16 on each grantor has its own.
    await this.server.sql(
      `SET ROLE postgres; ${member ? `GRANT ${group} TO` : `REVOKE ${group} FROM`} ${escapeIdentifier(role)}; RESET ROLE`,
    );
    this.expected.setMember(role, group, member);
  }
}
