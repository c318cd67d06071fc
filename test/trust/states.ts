import assert from 'node:assert/strict';
import { temporaryName } from '../../lambda/provisioner/core/role-names';
import { Item, Options, Outcome, Violation } from './item';
import { apply, canonical, OnRemoval, remove, ServerState } from './state-model';
import { begin, ended, Event, Id, known, Node, Operation, rolledBack, SENT, TEMPLATES } from './stack-operations';

interface World {
  readonly onRemoval: OnRemoval;
  /** Whether a role y is there that no stack manages. */
  readonly foreign: boolean;
}

const WORLDS: readonly World[] = [
  { onRemoval: 'dropped', foreign: false }, { onRemoval: 'dropped', foreign: true }, { onRemoval: 'kept', foreign: false }, { onRemoval: 'kept', foreign: true },
];

/** Roles that are kept add up without end: what has more of them is checked, and goes no further. */
const MAX_RELEASED = 1;

/** Of one world. Roles that are kept make states without end: so many are looked at, those first that the fewest steps lead to. */
const MOST = 60_000;

class Violated extends Error {}

function keyOf({ server, stacks, operation }: Node): string {
  return JSON.stringify([server, stacks, operation]);
}

/** All states that can be reached in one world. */
class Search {
  public readonly figures = { 'states': 0, 'states between deployments': 0, 'transitions': 0, 'deployments refused': 0, 'not followed': 0 };
  public violation?: { readonly what: string; readonly path: string[] };
  private readonly cameFrom = new Map<string, { readonly key?: string; readonly by: string }>();
  private readonly queue: Node[] = [];

  constructor(private readonly world: World) {}

  /** @param most states that are looked at */
  public go(isOver: () => boolean, most: number): void {
    const server: ServerState = { roles: this.world.foreign ? [{ oid: '12', name: 'y', login: false }] : [], rows: [], cancelled: [] };
    this.add({ server, stacks: [{ template: 0, physicalIds: {} }, { template: 0, physicalIds: {} }] }, undefined, 'start');
    // Breadth first: what is found first is as short as can be.
    for (let n = 0; n < Math.min(this.queue.length, most) && this.violation === undefined && !isOver(); n++) {
      const node = this.queue[n];
      this.figures.states++;
      this.expand(node);
    }
    this.figures['not followed'] += this.queue.length - this.figures.states;
  }

  private add(node: Node, from: string | undefined, by: string): void {
    this.figures.transitions++;
    const next = { ...node, server: canonical(node.server) };
    const key = keyOf(next);
    if (!this.cameFrom.has(key)) {
      this.cameFrom.set(key, { key: from, by });
      this.queue.push(next);
    }
  }

  private expand(node: Node): void {
    const key = keyOf(node);
    try {
      if (node.operation === undefined) {
        this.figures['states between deployments']++;
        this.checkBetween(node);
        if (node.server.rows.filter(({ released }) => released).length > MAX_RELEASED) {
          this.figures['not followed']++;
          return;
        }
        for (const stack of [0, 1]) {
          TEMPLATES.forEach((template, to) => {
            if (to !== node.stacks[stack].template) {
              this.add(begin(node, stack, to), key, `stack ${stack}: ${JSON.stringify(TEMPLATES[node.stacks[stack].template])} -> ${JSON.stringify(template)}`);
            }
          });
        }
      } else {
        this.goOn(node, node.operation, key);
      }
    } catch (error) {
      if (!(error instanceof Violated) && !(error instanceof assert.AssertionError)) {
        throw error;
      }
      this.violation = { what: error.message, path: this.pathTo(key) };
    }
  }

  private pathTo(key: string | undefined): string[] {
    const from = key === undefined ? undefined : this.cameFrom.get(key);
    return from === undefined ? [] : [...this.pathTo(from.key), from.by];
  }

  private goOn(node: Node, operation: Operation, key: string): void {
    const { phase, pending, unheard } = operation;
    for (const { event } of phase === 'rollback' || phase === 'rollback clean-up' ? unheard.filter(({ isDone }) => !isDone) : []) {
      const server = this.execute(node, event, 'may be refused');
      const left = unheard.filter(one => one.event !== event);
      this.add({ ...node, server: typeof server === 'string' ? node.server : server, operation: { ...operation, unheard: left } }, key, `late ${inWords(event)}: ${typeof server === 'string' ? server : 'done'}`);
    }
    for (const event of pending) {
      const rest = pending.filter(one => one !== event);
      if (phase === 'update') {
        this.add({ ...node, operation: { ...operation, pending: rest, unheard: [...unheard, { event, isDone: false }] } }, key, `${inWords(event)} is sent`);
        const server = this.execute(node, event, 'may be refused');
        if (typeof server === 'string') {
          this.figures['deployments refused']++;
          this.checkRefusal(node, operation, server);
          this.add(rolledBack(node, operation, rest), key, `${inWords(event)}: ${server}`);
          continue;
        }
        this.add({ server, stacks: known(node, operation, event), operation: { ...operation, pending: rest } }, key, inWords(event));
        this.add(rolledBack(node, operation, rest), key, `${inWords(event)} fails and is undone`);
        this.add({ ...node, server, operation: { ...operation, pending: rest, unheard: [...unheard, { event, isDone: true }] } }, key, `${inWords(event)} is done, and CloudFormation does not hear of it`);
      } else {
        const server = this.execute(node, event, 'must be done') as ServerState;
        this.add({ server, stacks: known(node, operation, event), operation: { ...operation, pending: rest } }, key, inWords(event));
      }
    }
    if (phase === 'update' && (pending.length > 0 || unheard.length > 0)) {
      this.add(rolledBack(node, operation, pending), key, 'another resource of the stack fails: what is under way is cancelled');
    }
    const isUnderWay = phase === 'update' ? unheard.length > 0 : phase === 'rollback clean-up' && unheard.some(({ isDone }) => !isDone);
    if (pending.length === 0 && !isUnderWay) {
      this.add(ended(node, operation), key, phase === 'update' || phase === 'rollback' ? 'clean-up' : 'done');
    }
  }

  private execute({ server }: Node, event: Event, may: 'may be refused' | 'must be done'): ServerState | string {
    const result = event.action === 'apply' ? apply(server, event) : remove(server, event, this.world.onRemoval);
    if (typeof result === 'string') {
      if (may === 'must be done') {
        throw new Violated(`${inWords(event)} of a rollback is refused: ${result}`);
      }
      return result;
    }
    this.checkOthers(server, result, event.stack);
    return result;
  }

  /** What another stack manages, and what no stack manages, is as it was. */
  private checkOthers(before: ServerState, after: ServerState, stack: number): void {
    const ofOthers = ({ rows, roles }: ServerState) => {
      const others = rows.filter(row => row.stack !== stack && !row.released);
      const mine = new Set(rows.filter(row => row.stack === stack || row.released).map(({ oid }) => oid));
      const touched = new Set(others.map(({ oid }) => oid));
      return { rows: others, roles: roles.filter(({ oid }) => touched.has(oid) || !mine.has(oid)).filter(({ oid }) => before.roles.some(role => role.oid === oid)) };
    };
    const [was, is] = [ofOthers(before), ofOthers(after)];
    for (const role of was.roles.filter(one => was.rows.some(row => row.oid === one.oid) || (this.world.foreign && one.oid === '12' && !before.rows.some(row => row.oid === '12')))) {
      assert.deepEqual(after.roles.find(({ oid }) => oid === role.oid), role, 'a role of others is touched');
    }
    assert.deepEqual(is.rows, was.rows, 'what another stack has on record is touched');
  }

  /** Only for a name that another stack has, that no stack manages, or that is left from a role that was kept. */
  private checkRefusal({ server, stacks }: Node, { stack, to }: Operation, reason: string): void {
    const names = Object.values(TEMPLATES[to]).flat();
    const others = Object.values(TEMPLATES[stacks[1 - stack].template]).flat();
    const left = server.rows.filter(({ released }) => released).map(({ username }) => username);
    if (!names.some(name => others.includes(name) || left.includes(name) || (this.world.foreign && name === 'y'))) {
      throw new Violated(`a deployment is refused that nothing is in the way of: ${reason}`);
    }
  }

  /** Everything is as the two templates declare, and can be deployed again. */
  private checkBetween({ server, stacks }: Node): void {
    const declared = stacks.flatMap(({ template }, stack) => Object.entries(TEMPLATES[template]).flatMap(([id, names]) => names.map(name => ({ stack, id, name }))));
    for (const { stack, id, name } of declared) {
      const row = server.rows.find(one => one.stack === stack && one.id === id && one.username === name && !one.released);
      assert.deepEqual(server.roles.find(role => role.name === name), { oid: row?.oid, name, login: true }, `${name} of ${id} in stack ${stack} is not as declared`);
    }
    const withLogin = server.roles.filter(({ login }) => login).map(({ name }) => name);
    assert.deepEqual(withLogin.sort(), declared.map(({ name }) => name).sort(), 'who can sign in is not who is declared');
    assert.equal(server.rows.filter(row => !row.released).length, declared.length, 'the registry has more than is declared');
    assert.ok(!server.roles.some(({ name, login }) => login && name.startsWith(temporaryName(''))), 'a role waits for its name');
    stacks.forEach(({ template, physicalIds }, stack) => {
      for (const [id, usernames] of Object.entries(TEMPLATES[template])) {
        const again = apply(server, { action: 'apply', stack, id, single: id !== 'L', usernames, former: physicalIds[id as Id], sent: SENT.rollbackCleanUp });
        assert.ok(typeof again !== 'string', `what is deployed cannot be deployed again: ${again as string}`);
        assert.deepEqual(again.roles, server.roles, 'what is deployed is changed when it is deployed again');
      }
    });
  }
}

function inWords(event: Event): string {
  return `${event.action} ${event.id} ${event.usernames.join('+')}${event.action === 'remove' ? ` under ${event.physicalId}` : event.former === undefined ? ' (new)' : ''}`;
}

function run({ only, runs = Infinity, isOver, shard: { index, count }, progress }: Options): Promise<Outcome> {
  const figures: Record<string, number> = {};
  const violations: Violation[] = [];
  WORLDS.forEach((world, n) => {
    if (only === undefined ? n % count !== index - 1 : n !== Number(only)) {
      return;
    }
    const search = new Search(world);
    search.go(isOver, Math.min(runs, MOST));
    Object.entries(search.figures).forEach(([name, value]) => figures[name] = (figures[name] ?? 0) + value);
    progress(`${JSON.stringify(world)}: ${JSON.stringify(search.figures)}`);
    if (search.violation) {
      violations.push({ what: `${search.violation.what}\n  ${search.violation.path.join('\n  ')}`, replay: `--only ${n}` });
    }
  });
  return Promise.resolve({ figures, violations });
}

export const STATES: Item = { name: 'states',
  title: 'States of two stacks',
  goal: 'all states of two stacks with two users, a list and two names',
  claim: 'The decisions of the provisioner are carried out on a model of roles and registry, for each deployment of each template, with the events in each order. Any event '
    + 'is refused, fails, is done without CloudFormation learning of it, or comes after the event that takes it back. Then each rollback goes through, '
    + 'and the users that can sign in are those of the two templates. Each template can be deployed again without a change. No role of another stack, and '
    + 'none that is not managed, is touched. Roles that are kept make states without end: those are followed that the fewest steps lead to.',
  canFail: 'It fails if `decideApply` names no abandoned physical ids: a user of a list that was given up can sign in after the rollback.',
  run,
};
