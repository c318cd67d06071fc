import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { publicHas } from './public-server';
import { Random } from './random';
import { RESOURCES } from './random-deployments';
import { OfPublic, snapshot, Stack } from './stack';
import { MIGRATOR } from './world';

/** Databases and what may be revoked from PUBLIC there. The admin has CONNECT on `theirs` through PUBLIC only. */
const RESTRICTED: { database: string; privileges: ('CONNECT' | 'CREATE')[] }[] = [
  { database: 'postgres', privileges: ['CONNECT', 'CREATE'] },
  { database: 'shop', privileges: ['CONNECT', 'CREATE'] },
  { database: 'stock', privileges: ['CONNECT', 'CREATE'] },
  { database: 'theirs', privileges: ['CREATE'] },
];

/** All roles that may rely on PUBLIC: what is refused has tests of its own. */
const LOCK_OUT = ['postgres', MIGRATOR, ...RESOURCES.flatMap(({ names }) => names)];

export type PublicTemplate = ReadonlyMap<string, OfPublic>;

/**
 * Random resources that restrict PUBLIC, beside random roles: they come, change, move to another construct of the same
 * database, and go.
 */
export class RandomPublic {
  private template: PublicTemplate = new Map();
  /** What PUBLIC has where nothing is declared, by database. */
  private readonly own = new Map<string, Set<string>>();
  /** Granted by hand while it is declared that PUBLIC does not have it. */
  private readonly byHand: { readonly database: string; readonly privilege: string }[] = [];

  constructor(private readonly server: AuroraLikeServer, private readonly random: Random) {}

  public async start(): Promise<void> {
    for (const { database, privileges } of RESTRICTED) {
      await this.server.sql('GRANT CREATE ON SCHEMA public TO PUBLIC', [], database);
      this.own.set(database, new Set(privileges));
    }
  }

  public get deployed(): PublicTemplate {
    return this.template;
  }

  public next(): PublicTemplate {
    const { random } = this;
    return new Map(RESTRICTED.filter(() => random.chance(0.6)).map(({ database, privileges }): [string, OfPublic] => {
      const revoked = random.few(privileges);
      return [`${database}${random.one(['A', 'B'])}`, {
        database,
        revoked: {
          ...(revoked.includes('CONNECT') ? { Database: ['CONNECT'] } : {}),
          ...(revoked.includes('CREATE') ? { Schemas: { public: { Schema: ['CREATE'] } } } : {}),
        },
        lockOut: LOCK_OUT,
      }];
    }));
  }

  /** After the roles: created and updated. */
  public async apply(stack: Stack, to: PublicTemplate, done: (id: string) => void): Promise<void> {
    for (const [id, declared] of to) {
      await (this.template.has(id) ? stack.update(id, declared) : stack.create(id, declared));
      done(id);
    }
  }

  /** Before roles are deleted. */
  public async remove(stack: Stack, to: PublicTemplate, done: (id: string) => void): Promise<void> {
    for (const [id, declared] of this.gone(to)) {
      await stack.delete(id, declared);
      done(id);
    }
    this.template = to;
  }

  public gone(to: PublicTemplate): [string, OfPublic][] {
    return [...this.template].filter(([id]) => !to.has(id));
  }

  /**
   * A deployment of something else that fails late, and is rolled back: updates first, then what was created is
   * deleted. The plan of the rollback is what it does.
   */
  public async rollBack(stack: Stack): Promise<void> {
    const other = this.next();
    const before = await this.catalog();
    await this.apply(stack, other, () => undefined);
    const updated = [...other.keys()].filter(id => this.template.has(id));
    const created = [...other].filter(([id]) => !this.template.has(id));
    const { resources } = await stack.plan(
      ...updated.map(id => ({ logicalId: id, declared: this.template.get(id)!, before: other.get(id) })),
      ...created.map(([id, declared]) => ({ logicalId: id, declared, action: 'Delete' as const })),
    );
    stack.takeExecuted();
    for (const id of updated) {
      await stack.update(id, this.template.get(id)!);
    }
    for (const [id, declared] of created) {
      await stack.delete(id, declared);
    }
    expect(stack.takeExecuted()).toEqual(
      resources.flatMap(({ changes }) =>
        changes.flatMap(change => change.sql.map(sql => ({ database: change.database, sql }))),
      ),
    );
    expect(await this.catalog()).toEqual(before);
  }

  /** A database that is not there is refused, and nothing is changed. */
  public async refuse(stack: Stack): Promise<void> {
    const before = await snapshot(this.server);
    await expect(stack.create('Unknown', { database: 'unknown', lockOut: LOCK_OUT })).rejects.toThrow(
      'there is no such database',
    );
    expect(await snapshot(this.server)).toEqual(before);
  }

  /**
   * By hand: what is granted to PUBLIC is revoked by the next deployment where that is declared; what is revoked where
   * nothing is declared stays so.
   */
  public async inject(): Promise<void> {
    for (const { database, privileges } of RESTRICTED.filter(() => this.random.chance(0.3))) {
      const privilege = this.random.one(privileges);
      const on = privilege === 'CONNECT' ? `DATABASE ${database}` : 'SCHEMA public';
      if (this.declares(database, privilege) || this.random.chance(0.5)) {
        await this.server.sql(`GRANT ${privilege} ON ${on} TO PUBLIC`, [], database);
        if (this.declares(database, privilege)) {
          this.byHand.push({ database, privilege });
        } else {
          this.own.get(database)!.add(privilege);
        }
      } else if (privilege === 'CREATE') {
        await this.server.sql(`REVOKE ${privilege} ON ${on} FROM PUBLIC`, [], database);
        this.own.get(database)!.delete(privilege);
      }
    }
  }

  /** After a deployment. What was granted by hand has been revoked where that is declared, and stays otherwise. */
  public async check(): Promise<void> {
    this.byHand
      .splice(0)
      .filter(({ database, privilege }) => !this.declares(database, privilege))
      .forEach(({ database, privilege }) => this.own.get(database)!.add(privilege));
    for (const { database, privileges } of RESTRICTED) {
      const expected = privileges.filter(
        privilege => !this.declares(database, privilege) && this.own.get(database)!.has(privilege),
      );
      expect({
        database,
        has: (await publicHas(this.server, database)).filter(one => privileges.includes(one as 'CONNECT')),
      }).toEqual({ database, has: expected });
    }
  }

  /** As at the beginning. */
  public async restore(): Promise<void> {
    for (const { database } of RESTRICTED) {
      await this.server.sql('GRANT CREATE ON SCHEMA public TO PUBLIC', [], database);
    }
  }

  private declares(database: string, privilege: string): boolean {
    return [...this.template.values()].some(
      one => one.database === database && JSON.stringify(one.revoked).includes(privilege),
    );
  }

  private async catalog(): Promise<unknown> {
    return { ...await snapshot(this.server) as object, registry: undefined };
  }
}
