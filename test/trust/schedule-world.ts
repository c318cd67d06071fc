import { Client } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Setup } from '../../rehearsal/setups';
import { Clock } from '../../lambda/shared/clock';
import { snapshot } from '../lambda/catalog';
import { throughDataApi } from '../lambda/over-data-api';
import { signIn, signInWithToken, Stack, throughConnections, TransportName, trust, User, Users } from '../lambda/stack';
import { heldBy, HELPER, MIGRATOR, READERS, startWorld } from '../lambda/world';
import { Transport } from '../../lambda/provisioner/transport/session';
import { DROP_LOCK_WITHOUT_REGISTRY } from '../../lambda/provisioner/sql/lock-schema';

const SCHEMA = { Schema: ['USAGE'], Tables: { '*': ['SELECT'] } };
const FUTURE = { FutureObjects: { [MIGRATOR]: { Tables: ['SELECT'] } } };

/**
 * Everything there are phases for: what all databases share, two databases, a creator whose rights the admin lacks, a
 * group.
 */
export const USER: User = {
  username: 'orders',
  memberOf: [READERS],
  privileges: {
    shop: { Database: ['CONNECT'], Schemas: { app: { ...SCHEMA, ...FUTURE } } },
    stock: { Database: ['CONNECT'], Schemas: { app: SCHEMA } },
  },
};
export const CHANGED: User = {
  username: 'orders',
  privileges: {
    shop: { Database: ['CONNECT'], Schemas: { app: SCHEMA } },
    stock: { Schemas: { app: { Schema: ['USAGE'], Tables: { orders: ['INSERT'] }, ...FUTURE } } },
  },
};
export const RENAMED: User = { ...CHANGED, username: 'sales' };

const ON_LIST = { connect: [], privileges: { shop: { Database: ['CONNECT'], Schemas: { app: SCHEMA } } } };
export const LIST: Users = { usernames: ['lea', 'leo'], ...ON_LIST };
export const OTHER_LIST: Users = { usernames: ['leo', 'liz'], ...ON_LIST };

/** Of another stack. Its privileges alternate, so that each of its events has something to do. */
export const KEEPER: readonly User[] = [
  { username: 'keeper', connect: ['stock'] },
  { username: 'keeper', privileges: { stock: { Database: ['CONNECT'], Schemas: { app: { Schema: ['USAGE'] } } } } },
];

/** By the clocks of the functions. */
export const NOW = Date.parse('2027-01-31T12:00:00.000Z');

/** What no event of the steps is about. */
const FOREIGN = ['outsider', MIGRATOR, HELPER, READERS];
export const MANAGED = ['orders', 'sales', 'lea', 'leo', 'liz'];

const MEMBERSHIPS = `
  SELECT format('%s in %s by %s', member::regrole, roleid::regrole, grantor::regrole) AS line FROM pg_auth_members WHERE member::regrole::text = ANY ($1) OR roleid::regrole::text = ANY ($1)
  UNION ALL SELECT format('%s %s', rolname, to_jsonb(r) - '{oid,rolpassword}'::text[]) FROM pg_roles r WHERE rolname = ANY ($1) ORDER BY 1`;

/** With the name that the role has now, and not its number. */
const REGISTRY = `
  SELECT jsonb_build_object('stack', stack_id, 'id', logical_id, 'physical', physical_id, 'declares', username, 'role', r.rolname, 'released', released, 'declarations', declarations->'declarations')::text AS line
  FROM cdk_aurora_iam_auth.managed_role m LEFT JOIN pg_roles r ON r.oid = m.role_oid WHERE role_oid <> 0 ORDER BY 1`;

/** A server with foreign roles, a user of another stack, and the stack whose events are disturbed. */
export class ScheduleWorld {
  /** Milliseconds that the functions' clocks are turned on. */
  public ahead = 0;
  /** Of lists, by their usernames. */
  public readonly physicalIds = new Map<string, string>();
  private readonly clients: Client[] = [];
  /** Sessions that are there all the time. */
  private readonly lasting: Client[] = [];
  private slept = 0;
  public turn = 0;
  private readonly other: Stack;
  public readonly stack: Stack;

  private constructor(public readonly server: AuroraLikeServer, private readonly transport: TransportName) {
    this.other = new Stack(server, { name: 'other', clock: this.clock });
    this.stack = this.newStack(this.alive);
  }

  public static async start(setup: Setup, transport: TransportName): Promise<ScheduleWorld> {
    const { server } = await startWorld(setup);
    trust(server.caCertificate);
    await server.sql(`CREATE ROLE outsider LOGIN; GRANT rds_iam, ${READERS} TO outsider`);
    await server.sql('GRANT SELECT ON app.orders TO outsider', [], 'shop');
    const world = new ScheduleWorld(server, transport);
    await world.other.create('Keeper', KEEPER[0]);
    world.physicalIds.set(JSON.stringify(LIST.usernames), (await world.stack.create('L', LIST)).PhysicalResourceId);
    await world.open('keeper', 'stock');
    await world.open('outsider', 'shop');
    world.lasting.push(...world.clients.splice(0));
    return world;
  }

  private get clock(): Clock {
    return {
      now: () => performance.now() + this.slept,
      sleep: (milliseconds) => {
        this.slept += milliseconds;
        return new Promise(resolve => setImmediate(resolve));
      },
      date: () => NOW + this.ahead,
    };
  }

  public get alive(): Transport {
    return this.transport === 'the Data API' ? throughDataApi(this.server) : throughConnections(this.server);
  }

  /** A function of the stack, whose physical ids are those of the stack. */
  public newStack(transport: Transport): Stack {
    return new Stack(this.server, { transport, clock: this.clock });
  }

  /** Something of another resource, in another stack. */
  public async otherEvent(): Promise<void> {
    this.turn = 1 - this.turn;
    await this.other.update('Keeper', KEEPER[this.turn]);
  }

  /** What is to be as it was, whatever happens; the user of the other stack as it is declared now. */
  public async bystanders(): Promise<string[]> {
    const roles = [...FOREIGN, 'keeper'];
    const rows = await this.server.sql<{ line: string }>(MEMBERSHIPS, [roles]);
    return [
      ...await this.sessions(),
      ...rows.map(({ line }) => line).filter(line => !MANAGED.some(name => line.startsWith(`${name} in `))),
      ...await heldBy(this.server, roles),
    ];
  }

  /** Of applications that nothing is to end. */
  public async sessions(): Promise<string[]> {
    const rows = await this.server.sql<{ line: string }>(
      "SELECT format('session of %s', usename) AS line FROM pg_stat_activity WHERE usename IN ('keeper', 'outsider') ORDER BY 1",
    );
    return rows.map(({ line }) => line);
  }

  /** Everything, in all databases: of foreign roles, too, and of the user of the other stack. */
  public async state(): Promise<Record<string, string[]>> {
    const { server } = this;
    await server.sql(DROP_LOCK_WITHOUT_REGISTRY);
    const [found, registry, sessions] = [
      (await snapshot(server)) as Record<string, string[]>,
      await server.sql<{ line: string }>(REGISTRY),
      await this.sessions(),
    ];
    return { ...found, sessions, registry: registry.map(({ line }) => line.replaceAll(server.resourceId, 'cluster')) };
  }

  public held(): Promise<string[]> {
    return heldBy(this.server, MANAGED);
  }

  /** Who of the managed ones can sign in; or has a member that could be it. */
  public async access(): Promise<string[]> {
    const rows = await this.server.sql<{ name: string }>(
      `
      SELECT rolname::text AS name FROM pg_roles r WHERE rolname = ANY ($1)
      AND (rolcanlogin OR pg_has_role(oid, 'rds_iam', 'MEMBER')
           OR EXISTS (SELECT FROM pg_roles other WHERE other.oid <> r.oid AND NOT rolsuper AND pg_has_role(other.oid, r.oid, 'USAGE'))) ORDER BY 1`,
      [MANAGED],
    );
    return rows.map(({ name }) => name);
  }

  public async sessionsOf(username: string): Promise<number> {
    return (await this.server.sql('SELECT FROM pg_stat_activity WHERE usename = $1', [username])).length;
  }

  public async open(username: string, database = 'shop'): Promise<void> {
    const { server } = this;
    const client = new Client({
      host: server.host,
      port: server.port,
      user: username,
      password: server.token('application', username),
      database,
      ssl: true,
    });
    client.on('error', () => undefined);
    this.clients.push(client);
    await client.connect();
  }

  public canSignIn(username: string): Promise<boolean> {
    return signInWithToken(this.server, username).then(() => true, () => false);
  }

  public adminSignsIn(): Promise<boolean> {
    return signIn(this.server, 'postgres', this.server.master.password, 'postgres').then(() => true, () => false);
  }

  /** What the server does by itself after 30 seconds: it ends sessions that are idle within a transaction. */
  public async endIdle(): Promise<void> {
    await this.server.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
    );
    for (;;) {
      const left = await this.server.sql("SELECT FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'");
      if (left.length === 0) {
        return;
      }
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  public async isWaiting(): Promise<boolean> {
    return (await this.server.sql("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length > 0;
  }

  /** Sessions of the application go with what is signed in. */
  public async closeClients(): Promise<void> {
    await Promise.all(this.clients.splice(0).map(client => client.end().catch(() => undefined)));
  }

  public async stop(): Promise<void> {
    this.clients.push(...this.lasting.splice(0));
    await this.closeClients();
    await this.server.stop();
  }
}
