import { Client } from 'pg';
import { Clock } from '../../lambda/shared/clock';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { FULL } from '../full';
import { everythingIsAsBefore } from './as-before';
import { Faults } from './faults';
import { Random } from './random';
import { Declared, setups, Stack, throughConnections, trust } from './stack';

/** Runs for each set-up. One of them alone: EXPIRY_RUNS=1 SEED=<its seed> npx jest test/lambda/expiry-runs */
const RUNS = Number(process.env.EXPIRY_RUNS ?? (FULL ? 1_000 : 1));
const SEED = Number(process.env.SEED ?? 1);
const STEPS = 5;
const MINUTE = 60_000;

jest.setTimeout((RUNS + 20) * 20_000);

/** Resources with the names of their users: one each, and a list. */
const RESOURCES = { A: ['ann'], B: ['bob'], L: ['lea', 'leo'] } as const;
type Id = keyof typeof RESOURCES;
const IDS = Object.keys(RESOURCES) as Id[];

/** What the registry should have, with what a snapshot of the database is: rows and roles of that moment. */
interface Snapshot {
  readonly declared: ReadonlyMap<Id, number | undefined>;
  readonly rows: { readonly role_oid: string; readonly declarations: unknown }[];
  readonly logins: string[];
}

/**
 * Random deployments, schedule events that are lost, late, early or come twice, functions that lose their connection or
 * are killed, rollbacks and databases that are restored. After each event that is carried out, no user can sign in
 * whose time is over by the registry, nor has a session; and everybody else has what it had.
 */
class Run {
  /** When the access of each resource that is there ends. */
  private declared = new Map<Id, number | undefined>();
  /** The declaration before, which a rollback declares again. */
  private readonly before = new Map<Id, number | undefined>();
  private date = Date.parse('2027-01-31T12:00:00.000Z');
  private slept = 0;
  private stack: Stack;
  private readonly sessions = new Map<string, Client>();
  private snapshot?: Snapshot;
  readonly steps: string[] = [];

  private readonly clock: Clock = {
    now: () => performance.now() + this.slept,
    sleep: (milliseconds) => {
      this.slept += milliseconds;
      return Promise.resolve();
    },
    date: () => this.date,
  };

  constructor(
    private readonly server: AuroraLikeServer,
    private readonly random: Random,
    private readonly faults: Faults,
  ) {
    this.stack = this.newFunction();
  }

  async go(): Promise<void> {
    await this.deploy('A');
    await this.deploy(this.random.one(['B', 'L'] as const));
    for (let step = 0; step < STEPS; step++) {
      await this.random.one([
        () => this.deploy(this.random.one(IDS)),
        () => this.deploy(this.random.one(IDS)),
        () => this.schedule(),
        () => this.schedule(),
        () => this.schedule(),
        () => this.fail(),
        () => this.rollBack(),
        () => this.lateEvent(),
        () => this.killed(),
        () => this.restore(),
        () => this.check('drift', () => this.stack.drift(), 'looks'),
      ])();
      this.date += this.random.one([0, 1, MINUTE, 10 * MINUTE, 60 * MINUTE]);
    }
    for (const id of [...this.declared.keys()]) {
      await this.remove(id);
    }
  }

  async end(): Promise<void> {
    await Promise.all([...this.sessions.values()].map(client => client.end().catch(() => undefined)));
  }

  /** A new instance of the function: nothing is remembered but in the database. */
  private newFunction(): Stack {
    return new Stack(this.server, { clock: this.clock, transport: throughConnections(this.server) });
  }

  private declaration(id: Id, expiresAt: number | undefined, more: Partial<Declared> = {}): Declared {
    const names = id === 'L' ? { usernames: [...RESOURCES.L] } : { username: RESOURCES[id][0] };
    return {
      ...names,
      connect: ['shop'],
      ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
      ...more,
    };
  }

  private randomTime(): number | undefined {
    return this.random.one([
      undefined,
      this.date - MINUTE,
      this.date,
      this.date + 45_000,
      this.date + MINUTE,
      this.date + 30 * MINUTE,
      this.date + 90 * MINUTE,
    ]);
  }

  private send(id: Id, declared: Declared): Promise<unknown> {
    return this.declared.has(id) ? this.stack.update(id, declared) : this.stack.create(id, declared);
  }

  private async deploy(id: Id, expiresAt = this.randomTime()): Promise<void> {
    const breaks = this.random.chance(0.2)
      ? [{ at: 3 + Math.floor(this.random.next() * 12), breaks: this.random.one(['before', 'after'] as const) }]
      : [];
    await this.check(
      `deploy ${id} ${shown(expiresAt)}${breaks.length > 0 ? ', and lose the connection' : ''}`,
      async () => {
        await this.faults.during(breaks, () => this.send(id, this.declaration(id, expiresAt)));
        this.note(id, expiresAt);
      },
    );
  }

  private note(id: Id, expiresAt: number | undefined): void {
    if (this.declared.has(id)) {
      this.before.set(id, this.declared.get(id));
    }
    this.declared.set(id, expiresAt);
  }

  /** Its event, which may be early, late, twice or at the same time as another one; or none. */
  private async schedule(): Promise<void> {
    const times = [...this.declared.values()].filter(time => time !== undefined && time > this.date) as number[];
    this.date
      = times.length > 0 && this.random.chance(0.7)
        ? this.random.one(times) + this.random.one([0, 0, 1, 59_000, 60 * MINUTE])
        : this.date;
    // An event that is early by less than half a minute waits, and this clock does not go on by itself.
    this.date = Math.max(this.date, ...times.filter(time => time - this.date <= MINUTE / 2));
    await this.random.one([
      () => this.check('lost event', () => Promise.resolve(), 'looks'),
      () => this.check('event', () => this.stack.expire()),
      () => this.check('event at a new instance', () => (this.stack = this.movedTo(this.newFunction())).expire()),
      () => this.check('event that comes twice', () => Promise.all([this.stack.expire(), this.newFunction().expire()])),
      () => this.check('event beside a deployment', async () => {
        const [id, expiresAt] = [this.random.one(IDS), this.randomTime()];
        await Promise.all([this.newFunction().expire(), this.send(id, this.declaration(id, expiresAt))]);
        this.note(id, expiresAt);
      }),
    ])();
  }

  /** Physical ids are CloudFormation's, and are the same for each instance. */
  private movedTo(stack: Stack): Stack {
    const physicalIds = Object.fromEntries([...this.declared.keys()].map(id => [id, this.stack.physicalIdOf(id)]));
    const [update, remove] = [stack.update.bind(stack), stack.delete.bind(stack)];
    stack.update = (id, declared, physicalId = physicalIds[id]) => update(id, declared, physicalId);
    stack.delete = (id, declared, physicalId = physicalIds[id]) => remove(id, declared, physicalId);
    return stack;
  }

  /**
   * An update that fails, of which the handler undoes what it has done; CloudFormation declares again what was there.
   */
  private async fail(): Promise<void> {
    const [id, expiresAt] = [this.random.one([...this.declared.keys()]), this.randomTime()];
    if (expiresAt !== undefined && expiresAt <= this.date) {
      // Access ends first. What is declared again gives it back, but not the sessions.
      RESOURCES[id].forEach(name => this.sessions.delete(name));
    }
    await this.check(`fail at ${id} ${shown(expiresAt)}`, async () => {
      await expect(this.send(id, this.declaration(id, expiresAt, { memberOf: ['nobody'] }))).rejects.toThrow('nobody');
      await this.send(id, this.declaration(id, this.declared.get(id)));
    });
  }

  private async rollBack(): Promise<void> {
    const id = this.random.one([...this.declared.keys()]);
    const expiresAt = this.before.has(id) ? this.before.get(id) : this.declared.get(id);
    await this.check(`roll back ${id} to ${shown(expiresAt)}`, async () => {
      await this.send(id, this.declaration(id, expiresAt));
      this.note(id, expiresAt);
    });
  }

  /** One that was sent before what is there: it is refused. */
  private async lateEvent(): Promise<void> {
    const id = this.random.one([...this.declared.keys()]);
    await this.check(`late event for ${id}`, async () => {
      const event = {
        RequestType: 'Update',
        LogicalResourceId: id,
        PhysicalResourceId: this.stack.physicalIdOf(id),
        sentAt: 1_700_000_000_000,
      } as const;
      await expect(this.stack.send(event, this.declaration(id, undefined))).rejects.toThrow(
        'CloudFormation has sent another event',
      );
    }, 'refused');
  }

  /** A function that is killed in the middle; then comes the same event again. */
  private async killed(): Promise<void> {
    const [id, expiresAt] = [this.random.one(IDS), this.randomTime()];
    await this.check(`kill, then deploy ${id} ${shown(expiresAt)}`, async () => {
      let dead = false;
      const fault = {
        at: 4 + Math.floor(this.random.next() * 10),
        breaks: 'after' as const,
        effect: () => void (dead = true),
        lasts: () => dead,
      };
      await this.faults.during([fault], () => this.send(id, this.declaration(id, expiresAt)).catch(() => undefined));
      dead = false;
      await this.send(id, this.declaration(id, expiresAt));
      this.note(id, expiresAt);
    });
  }

  /**
   * The database as it was some time ago, of which CloudFormation does not know; the next event of any resource comes
   * then.
   */
  private async restore(): Promise<void> {
    const { server } = this;
    if (this.snapshot === undefined || [...this.declared.keys()].join() !== [...this.snapshot.declared.keys()].join()) {
      const rows = await server.sql<Snapshot['rows'][number]>(
        'SELECT role_oid::text AS role_oid, declarations FROM cdk_aurora_iam_auth.managed_role',
      );
      const logins = (
        await server.sql<{ name: string }>(
          "SELECT rolname::text AS name FROM pg_roles WHERE rolcanlogin AND rolname = ANY ('{ann,bob,lea,leo}')",
        )
      ).map(({ name }) => name);
      this.snapshot = { declared: new Map(this.declared), rows, logins };
      this.steps.push('snapshot');
      return;
    }
    const { declared, rows, logins } = this.snapshot;
    for (const { role_oid: oid, declarations } of rows) {
      await server.sql('UPDATE cdk_aurora_iam_auth.managed_role SET declarations = $1 WHERE role_oid = $2::oid', [
        JSON.stringify(declarations),
        oid,
      ]);
    }
    await server.sql(
      `SET ROLE postgres; ${logins.map(name => `ALTER ROLE ${name} LOGIN; GRANT rds_iam TO ${name}`).join('; ') || 'SELECT 1'}; RESET ROLE`,
    );
    this.declared = new Map(declared);
    const id = this.random.one([...declared.keys()]);
    await this.check(`restore, and an event for ${id}`, async () => {
      await this.send(id, this.declaration(id, declared.get(id)));
    });
    // What is there of the others is as in the snapshot; they are deployed next.
    for (const other of [...declared.keys()].filter(one => one !== id)) {
      await this.send(other, this.declaration(other, declared.get(other)));
    }
  }

  private async remove(id: Id): Promise<void> {
    await this.check(`remove ${id}`, async () => {
      await this.stack.delete(id, this.declaration(id, undefined));
      this.declared.delete(id);
      RESOURCES[id].forEach(name => this.sessions.delete(name));
    });
  }

  /** Does a step and looks at all users. @param kind whether it ends what is over */
  private async check(
    step: string,
    work: () => Promise<unknown>,
    kind: 'ends' | 'looks' | 'refused' = 'ends',
  ): Promise<void> {
    this.steps.push(`${new Date(this.date).toISOString()} ${step}`);
    const had = await this.access();
    const lasting = new Set([...this.declared].filter(([, expiresAt]) => !this.isOver(expiresAt)).map(([id]) => id));
    await work();
    const has = await this.access();
    for (const [id, expiresAt] of this.declared) {
      const isOver = this.isOver(expiresAt);
      for (const name of RESOURCES[id]) {
        if (isOver && kind === 'ends') {
          expect({ name, ...has.get(name) }).toEqual({ name, login: false, sessions: 0 });
        } else if (!isOver) {
          // Nobody else loses anything.
          expect({ name, login: has.get(name)?.login }).toEqual({ name, login: true });
          if (this.sessions.has(name) && lasting.has(id)) {
            expect({ name, sessions: has.get(name)?.sessions }).toEqual({ name, sessions: had.get(name)?.sessions });
          }
        }
      }
    }
    await this.openSessions(has);
  }

  private isOver(expiresAt: number | undefined): boolean {
    return expiresAt !== undefined && expiresAt <= this.date;
  }

  private async access(): Promise<Map<string, { login: boolean; sessions: number }>> {
    const rows = await this.server.sql<{ name: string; login: boolean; sessions: number }>(`
      SELECT rolname::text AS name, rolcanlogin AND pg_has_role(oid, 'rds_iam', 'MEMBER') AS login,
             (SELECT count(*)::int FROM pg_stat_activity WHERE usesysid = r.oid) AS sessions
      FROM pg_roles r WHERE rolname = ANY ('{ann,bob,lea,leo}')`);
    return new Map(rows.map(({ name, login, sessions }) => [name, { login, sessions }]));
  }

  /** Some of those who can sign in do so. */
  private async openSessions(access: Map<string, { login: boolean; sessions: number }>): Promise<void> {
    const { server } = this;
    for (const [name, { login, sessions }] of access) {
      if (sessions === 0) {
        this.sessions.delete(name);
      }
      if (login && sessions === 0 && this.random.chance(0.4)) {
        const client = new Client({
          host: server.host,
          port: server.port,
          user: name,
          password: server.token('application', name),
          database: 'shop',
          ssl: true,
        });
        client.on('error', () => undefined);
        await client.connect();
        this.sessions.set(name, client);
      }
    }
  }
}

function shown(time: number | undefined): string {
  return time === undefined ? 'without end' : new Date(time).toISOString();
}

describe.each(setups('17, RDS-like'))('random runs of access that ends on PostgreSQL $name', ({ major, roleRules }) => {
  let server: AuroraLikeServer;
  let faults: Faults;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ major, roleRules, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
    faults = Faults.install();
  });
  everythingIsAsBefore(() => server);
  afterAll(async () => {
    Faults.uninstall();
    await server.stop();
  });

  test(`${RUNS} runs from seed ${SEED}`, async () => {
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const run = new Run(server, new Random(seed), faults);
      try {
        await run.go();
      } catch (error) {
        throw new Error(`seed ${seed}: ${run.steps.join('; ')}: ${(error as Error).message}`, { cause: error });
      } finally {
        await run.end();
      }
    }
  });
});
