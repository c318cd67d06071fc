import assert from 'node:assert/strict';
import { SETUPS } from '../../rehearsal/setups';
import { Clock } from '../../lambda/shared/clock';
import { snapshot } from '../lambda/catalog';
import { Random } from '../lambda/random';
import { Declared, nextTime, Stack, throughConnections, trust } from '../lambda/stack';
import { DATABASES, READERS, startWorld, World } from '../lambda/world';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Item, Options, Outcome, Violation } from './item';

const RUNS = 1_000;
const EVENTS = 20;
const STACKS = ['one', 'two', 'three'];
/** By the id of the resource: no app declares a name twice. */
const NAMES = { A: ['ann', 'eve'], B: ['bob', 'joe'] } as const;
const ALL_NAMES = Object.values(NAMES).flat();
const DEFAULT_SETUP = '17, plain';

type Kind = 'Create' | 'Update' | 'Delete';

/** An event as it was sent, and what its answer was. */
interface Sent {
  readonly n: number;
  readonly stack: string;
  readonly kind: Kind;
  readonly id: string;
  readonly declared: Declared;
  readonly physicalId?: string;
  readonly sentAt: number;
}
type Answer = 'done' | 'refused';

/** Between which events something was answered, by the order in which that was seen. */
interface Answered extends Sent {
  readonly began: number;
  readonly ended: number;
  readonly answer: Answer;
}

/** Role by name, as the registry has it and as the catalog does. */
interface Role {
  readonly stack: string;
  readonly id: string;
  readonly privileges: string;
}
type Model = ReadonlyMap<string, Role>;

/**
 * Whether there is an order in which the events, one after the other, have these answers and this end. An event that
 * was answered before another one was sent comes before it.
 *
 * @returns the order, or nothing
 */
export function serialOrder(history: readonly Answered[], isEnd: (model: Model) => boolean): number[] | undefined {
  const seen = new Set<string>();
  const search = (done: readonly number[], model: Model): number[] | undefined => {
    if (done.length === history.length) {
      return isEnd(model) ? [...done] : undefined;
    }
    const left = history.filter(({ n }) => !done.includes(n));
    const key = `${left.map(({ n }) => n).join()} ${JSON.stringify([...model].sort())}`;
    if (seen.has(key)) {
      return undefined;
    }
    seen.add(key);
    const firstEnd = Math.min(...left.map(({ ended }) => ended));
    for (const event of left.filter(({ began }) => began <= firstEnd)) {
      const { answer, model: after } = step(model, event);
      const found = answer === event.answer ? search([...done, event.n], after) : undefined;
      if (found) {
        return found;
      }
    }
    return undefined;
  };
  return search([], new Map());
}

/**
 * What an event means, in one sentence each: a name that another stack has is refused; a user is renamed; a Delete
 * removes what its resource has.
 */
function step(model: Model, { stack, id, kind, declared }: Sent): { readonly answer: Answer; readonly model: Model } {
  const username = (declared as { username: string }).username;
  const holder = model.get(username);
  const [mine] = [...model].find(([, role]) => role.stack === stack && role.id === id) ?? [];
  const next = new Map(model);
  if (kind === 'Delete') {
    if (mine === username) {
      next.delete(username);
    }
    return { answer: 'done', model: next };
  }
  if (holder !== undefined && holder.stack !== stack) {
    return { answer: 'refused', model };
  }
  if (mine !== undefined) {
    next.delete(mine);
  }
  next.set(username, { stack, id, privileges: privilegesOf(declared) });
  return { answer: 'done', model: next };
}

function privilegesOf({ privileges = {}, memberOf = [] }: Declared): string {
  return [
    ...Object.entries(privileges).map(([database, { Database = [] }]) => `${database} ${Database.join()}`),
    ...memberOf,
  ]
    .sort()
    .join('; ');
}

/**
 * Each stack has one resource for each of two ids; its own events for one resource come one after the other, as
 * CloudFormation sends them.
 */
function plan(
  random: Random,
): {
  readonly stack: string;
  readonly id: string;
  readonly steps: { readonly kind: Kind; readonly declared: Declared }[];
}[] {
  const lines = STACKS.flatMap(stack =>
    (['A', 'B'] as const).map(id => ({ stack, id, steps: [] as { kind: Kind; declared: Declared }[] })),
  );
  for (let n = 0; n < EVENTS; n++) {
    const { id, steps } = random.one(lines);
    const last = steps.at(-1);
    const isThere = last !== undefined && last.kind !== 'Delete';
    const kind = isThere ? random.one<Kind>(['Update', 'Update', 'Delete']) : 'Create';
    steps.push({ kind, declared: kind === 'Delete' ? last!.declared : someUser(random, NAMES[id]) });
  }
  return lines.filter(({ steps }) => steps.length > 0);
}

function someUser(random: Random, names: readonly string[]): Declared {
  const privileges = Object.fromEntries(
    random.some(DATABASES).map(database => [database, { Database: random.few(['CONNECT', 'TEMPORARY']).sort() }]),
  );
  return { username: random.one(names), connect: [], privileges, ...random.chance(0.3) ? { memberOf: [READERS] } : {} };
}

async function history(server: AuroraLikeServer, random: Random): Promise<Answered[]> {
  let moment = 0;
  let number = 0;
  const answered: Answered[] = [];
  const clock: Clock = {
    now: () => performance.now(),
    sleep: milliseconds => new Promise(resolve => setTimeout(resolve, Math.min(milliseconds, 50))),
  };
  await Promise.all(plan(random).map(async ({ stack: name, id, steps }) => {
    const stack = new Stack(server, { name, clock, transport: throughConnections(server) });
    let physicalId: string | undefined;
    for (const { kind, declared } of steps) {
      const isNew = kind === 'Create' || physicalId === undefined;
      if (kind === 'Delete' && physicalId === undefined) {
        continue; // CloudFormation deletes nothing of which the creation has failed.
      }
      const sent: Sent = {
        n: number++,
        stack: name,
        id,
        kind: isNew ? 'Create' : kind,
        declared,
        physicalId,
        sentAt: nextTime(),
      };
      const began = moment++;
      const event = {
        RequestType: sent.kind,
        LogicalResourceId: id,
        sentAt: sent.sentAt,
        ...(isNew ? {} : { PhysicalResourceId: physicalId }),
      };
      const answer: Answer = await stack.send(event, declared).then(({ PhysicalResourceId }) => {
        physicalId = kind === 'Delete' ? undefined : PhysicalResourceId;
        return 'done' as const;
      }, (error: Error) => {
        assert.match(error.message, /is managed by another stack already/);
        return 'refused' as const;
      });
      answered.push({ ...sent, began, ended: moment++, answer });
    }
  }));
  return answered.sort((a, b) => a.n - b.n);
}

/** The end as the server has it. */
async function found(server: AuroraLikeServer): Promise<Model> {
  const rows = await server
    .sql<{ username: string; stack: string; id: string; role: string | null; login: boolean }>(
      `
    SELECT username, split_part(stack, '/', 2) AS stack, logical_id AS id, r.rolname::text AS role, r.rolcanlogin AND pg_has_role(r.oid, 'rds_iam', 'MEMBER') AS login
    FROM cdk_aurora_iam_auth.managed_role m LEFT JOIN pg_roles r ON r.oid = m.role_oid WHERE role_oid <> 0 AND NOT released`,
    )
    .catch(() => []);
  const roles = await server.sql<{ name: string }>(
    'SELECT rolname::text AS name FROM pg_roles WHERE rolname = ANY ($1)',
    [ALL_NAMES],
  );
  assert.deepEqual(
    rows.map(({ role }) => role).sort(),
    roles.map(({ name }) => name).sort(),
    'the registry has other roles than the catalog',
  );
  assert.ok(
    rows.every(({ login, role, username }) => login && role === username),
    'a role has no login, or another name than it declares',
  );
  return new Map(
    await Promise.all(
      rows.map(async ({ username, stack, id }): Promise<[string, Role]> => [
        username,
        { stack, id, privileges: await held(server, username) },
      ]),
    ),
  );
}

async function held(server: AuroraLikeServer, username: string): Promise<string> {
  const rows = await server.sql<{ line: string }>(
    `
    SELECT datname || ' ' || string_agg(privilege_type, ',' ORDER BY privilege_type) AS line FROM pg_database, aclexplode(datacl)
    WHERE grantee::regrole::text = $1 GROUP BY datname
    UNION ALL SELECT roleid::regrole::text FROM pg_auth_members WHERE member::regrole::text = $1 AND roleid::regrole::text <> 'rds_iam'`,
    [username],
  );
  return rows.map(({ line }) => line).sort().join('; ');
}

const textOf = (model: Model) => JSON.stringify([...model].sort(([a], [b]) => a < b ? -1 : 1));

async function run({
  seed,
  shard: { index, count },
  runs = RUNS,
  only,
  more,
  isOver,
  progress,
}: Options): Promise<Outcome> {
  const setup = SETUPS.find(({ name }) => name === (more.setup ?? DEFAULT_SETUP))!;
  const figures = { 'histories': 0, 'events': 0, 'refused': 0, 'side by side': 0 };
  const violations: Violation[] = [];
  const { server }: { server: AuroraLikeServer; world: World } = await startWorld(setup);
  trust(server.caCertificate);
  try {
    const before = await snapshot(server);
    const numbers
      = only === undefined
        ? Array.from({ length: runs }, (_, n) => n).filter(n => n % count === index - 1)
        : [Number(only)];
    for (const n of numbers) {
      if (isOver()) {
        break;
      }
      try {
        const answered = await history(server, new Random(seed * 1_000_003 + n));
        const end = await found(server);
        const order = serialOrder(answered, model => textOf(model) === textOf(end));
        assert.ok(order, `no order explains ${JSON.stringify(answered)} and ${textOf(end)}`);
        figures.histories++;
        figures.events += answered.length;
        figures.refused += answered.filter(({ answer }) => answer === 'refused').length;
        figures['side by side'] += answered.filter(a =>
          answered.some(b => b.n !== a.n && b.began < a.ended && a.began < b.ended),
        ).length;
        for (const [username, { stack, id }] of end) {
          await new Stack(server, { name: stack }).delete(id, { username }, `${server.resourceId}/${username}/${id}`);
        }
        await server.sql('DROP SCHEMA IF EXISTS cdk_aurora_iam_auth, cdk_aurora_iam_auth_lock CASCADE');
        assert.deepEqual(await snapshot(server), before, 'something is left');
      } catch (error) {
        violations.push({
          what: `history ${n}: ${(error as Error).message}`,
          replay: `--seed ${seed} --setup '${setup.name}' --only ${n}`,
        });
        break; // The next one would begin with what this one has left.
      }
      if (figures.histories % 20 === 0) {
        progress(`${figures.histories} of ${numbers.length} histories`);
      }
    }
  } finally {
    await server.stop();
  }
  return { figures, setting: { PostgreSQL: setup.name }, violations };
}

export const HISTORIES: Item = {
  name: 'histories',
  title: 'Concurrent events of three stacks',
  goal: '1,000 histories of 20 events',
  claim:
    'Three stacks send random events for the same few names at the same time. A checker looks for one serial order of the events that explains each answer, the '
    + 'registry and the catalog. An event that was answered before another one was sent must come before it.',
  canFail: 'It fails if the provisioners do not take their lock.',
  run,
};
