import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { Setup, SETUPS } from '../../rehearsal/setups';
import { Transport } from '../../lambda/provisioner/transport/session';
import { Faults } from '../lambda/faults';
import { Random } from '../lambda/random';
import { Stack, TransportName } from '../lambda/stack';
import { Item, Options, Outcome, partOf, Violation } from './item';
import { MANAGED, ScheduleWorld } from './schedule-world';
import { CHAINS, Deployed, Sent, Step } from './schedule-steps';

const DEFAULT_SETUP = '17, plain';
/**
 * Schedules of all steps that are run before the next ones: so many that few steps have none left while others have.
 */
const BLOCK = 400;

const TRANSPORTS: readonly TransportName[] = ['connections', 'the Data API'];

/** What happens at a message. */
const KINDS = [
  'cut before it is sent',
  'answer lost',
  'stall',
  'killed before it',
  'killed after it',
  'frozen before it',
  'frozen after it',
  'delivered twice',
  'overtaken',
  'interleaved',
] as const;
type Kind = (typeof KINDS)[number];

interface Schedule {
  readonly id: string;
  readonly transport: TransportName;
  readonly step: Step;
  readonly kind: Kind;
  readonly at: number;
}

/** What is there once a step is done, as it was found where nothing was disturbed. */
interface Recorded {
  readonly state: Record<string, string[]>;
  readonly held: string[];
  readonly access: string[];
}

/** What the one that comes later is told. */
const OVERTAKEN = /CloudFormation has (sent another event|cancelled the creation)/;

async function run(options: Options): Promise<Outcome> {
  const setup = SETUPS.find(({ name }) => name === (options.more.setup ?? DEFAULT_SETUP))!;
  const figures: Record<string, number> = {
    'schedules': 0,
    'message boundaries': 0,
    'kills': 0,
    'kills healed': 0,
    'not reached': 0,
  };
  const violations: Violation[] = [];
  const transports = TRANSPORTS.filter(
    name =>
      options.only?.startsWith(`${name}/`) ?? (options.more.transport === undefined || name === options.more.transport),
  );
  for (const transport of transports) {
    await new Run(setup, transport, options, figures, violations).go();
  }
  return { figures, setting: { PostgreSQL: setup.name, transports: transports.join(' and ') }, violations };
}

/** The schedules of one transport. A violation ends its server: the next schedule gets a new one. */
class Run {
  private world!: ScheduleWorld;
  private faults!: Faults;
  private readonly recorded = new Map<string, Recorded>();
  private readonly bystanders = new Map<number, string[]>();
  private readonly asked = new Map<Step, number>();
  private random = new Random(0);

  constructor(
    private readonly setup: Setup,
    private readonly transport: TransportName,
    private readonly options: Options,
    private readonly figures: Record<string, number>,
    private readonly violations: Violation[],
  ) {}

  public async go(): Promise<void> {
    this.faults = Faults.install(this.transport);
    try {
      await this.start();
      await this.record();
      const { only, seed } = this.options;
      const all = this.everything();
      const mine
        = only === undefined ? partOf(new Random(seed).shuffled(all), this.options) : all.filter(({ id }) => id === only);
      this.figures['message boundaries']
        += this.options.shard.index === 1 ? [...this.asked.values()].reduce((a, b) => a + b, 0) : 0;
      this.options.progress(`${this.transport}: ${mine.length} of ${all.length} schedules`);
      for (let done = 0; done < mine.length && !this.options.isOver(); done += BLOCK) {
        const block = mine.slice(done, done + BLOCK);
        for (const chain of CHAINS) {
          await this.runChain(chain, block.filter(({ step }) => chain.includes(step)));
        }
        this.options.progress(
          `${this.transport}: ${done + block.length} of ${mine.length}, ${this.violations.length} violations`,
        );
      }
    } finally {
      await this.world.stop();
      Faults.uninstall();
    }
  }

  private async start(): Promise<void> {
    this.world = await ScheduleWorld.start(this.setup, this.transport);
  }

  /** Every message of every step, with everything that can happen there. */
  private everything(): Schedule[] {
    return CHAINS.flat().flatMap(step => KINDS
      .filter(kind => kind !== 'overtaken' || step.takenBack !== undefined)
      .flatMap(kind => Array.from({ length: this.asked.get(step)! }, (_, at): Schedule =>
        ({ id: [this.transport, step.name, kind, at].join('/'), transport: this.transport, step, kind, at }))));
  }

  /**
   * Four times what happens if nothing happens: what is asked, and what is there then. With the two declarations of the
   * other stack, and each twice.
   */
  private async record(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await this.world.otherEvent();
      for (const step of CHAINS.flat()) {
        await this.note(step.from);
        await step.before?.(this.world);
        const asked = (await this.faults.during([], () => step.event(this.world)(this.world.stack))).length;
        this.asked.set(step, Math.min(asked, this.asked.get(step) ?? asked));
        await this.note(step.to);
        await step.after?.(this.world);
        const bystanders = await this.world.bystanders();
        assert.deepEqual(bystanders, this.bystanders.get(this.world.turn) ?? bystanders);
        this.bystanders.set(this.world.turn, bystanders);
      }
    }
  }

  private async note(deployed: Deployed): Promise<void> {
    const key = this.keyOf(deployed);
    const found = { state: await this.world.state(), held: await this.world.held(), access: await this.world.access() };
    assert.deepEqual(found, this.recorded.get(key) ?? found);
    this.recorded.set(key, found);
  }

  private keyOf(deployed: Deployed): string {
    return JSON.stringify({ ...deployed, other: this.world.turn });
  }

  private async runChain(chain: readonly Step[], schedules: Schedule[]): Promise<void> {
    const left = new Map(chain.map(step => [step, schedules.filter(one => one.step === step)]));
    const isSkippable = (step: Step) => ['expiry', 'plan'].includes(step.name);
    while ([...left.values()].some(list => list.length > 0) && !this.options.isOver()) {
      for (const step of chain) {
        const schedule = left.get(step)!.shift();
        if (schedule === undefined && isSkippable(step)) {
          continue;
        }
        this.random = new Random(this.options.seed * 1_000_003 + hash(schedule?.id ?? ''));
        try {
          await this.perform(step, schedule);
        } catch (error) {
          const what = `${schedule?.id ?? step.name} (${this.faults.last}): ${(error as Error).message}`;
          this.violations.push({
            what,
            replay: `--seed ${this.options.seed} --setup '${this.setup.name}' --only '${schedule?.id ?? ''}'`,
          });
          this.options.progress(`VIOLATION ${what.slice(0, 3000)}`);
          await this.world.stop();
          await this.start();
          break;
        }
      }
    }
  }

  private async perform(step: Step, schedule: Schedule | undefined): Promise<void> {
    const { world, random } = this;
    await step.before?.(world);
    for (const name of step.ends ?? []) {
      if (random.chance(0.3)) {
        await world.open(name);
      }
    }
    const happened = this.faults.happened;
    const left
      = schedule === undefined
        ? await step
            .event(world)(world.stack)
            .then(() => 'done' as const)
        : await this.disturb(schedule);
    if (schedule !== undefined) {
      this.figures[this.faults.happened > happened ? 'schedules' : 'not reached']++;
    }
    if (left === 'taken back') {
      await this.check(step.from);
      await step.event(world)(world.stack);
    }
    if (schedule !== undefined) {
      await this.check(step.to, step.ends);
    }
    await world.closeClients();
    await step.after?.(world);
  }

  /** @returns whether the step is done now, or was taken back */
  private disturb({ step, kind, at }: Schedule): Promise<'done' | 'taken back'> {
    const event = step.event(this.world);
    switch (kind) {
      case 'cut before it is sent': return this.broken(event, at, 'before');
      case 'answer lost': return this.broken(event, at, 'after');
      case 'stall': return this.broken(event, at, 'stalls');
      case 'killed before it': return this.killed(step, event, at, 'before');
      case 'killed after it': return this.killed(step, event, at, 'after');
      case 'frozen before it': return this.frozen(step, event, at, 'before');
      case 'frozen after it': return this.frozen(step, event, at, 'after');
      case 'delivered twice': return this.beside(event, at, () => event(this.world.stack));
      case 'interleaved': return this.beside(event, at, () => this.world.otherEvent());
      case 'overtaken': return this.overtaken(step, event, at);
    }
  }

  /** The handler tries again by itself. */
  private async broken(event: Sent, at: number, breaks: 'before' | 'after' | 'stalls'): Promise<'done'> {
    await this.faults.during([{ at, breaks }], () => event(this.world.stack));
    return 'done';
  }

  private async killed(
    step: Step,
    event: Sent,
    at: number,
    breaks: 'before' | 'after',
  ): Promise<'done' | 'taken back'> {
    const { world } = this;
    let dead = false;
    const alive = world.alive;
    const mortal: Transport = (...args) => dead ? Promise.reject(new Error('dead')) : alive(...args);
    const stack = world.newStack(mortal);
    await this.faults.during([{ at, breaks, effect: () => (dead = true), lasts: () => dead }], () =>
      event(stack).catch((error: unknown) => {
        if (!dead) {
          throw error;
        }
      }),
    );
    if (this.transport === 'the Data API') {
      await world.endIdle();
    }
    return this.heal(step, event, stack);
  }

  /** It goes on when another event has been carried out meanwhile, and finds that its sessions have ended. */
  private async frozen(step: Step, event: Sent, at: number, from: 'before' | 'after'): Promise<'done' | 'taken back'> {
    const { world } = this;
    const [reached, thaw] = [signal(), signal()];
    const stack = world.newStack(world.alive);
    const working = this.faults
      .during([{ at, freezes: { from, reached: reached.set, until: thaw.isSet } }], () => event(stack))
      .then(
        () => undefined,
        (error: Error) => error,
      );
    await Promise.race([reached.isSet, working]);
    await world.endIdle();
    try {
      return await this.heal(step, event, stack);
    } finally {
      thaw.set();
      const error = await working;
      // What it is at may be gone by then. Nobody waits for its answer.
      assert.doesNotMatch(error?.message ?? '', /internal error/);
    }
  }

  /** What comes next brings everything to where it is to be. */
  private async heal(step: Step, event: Sent, stack: Stack): Promise<'done' | 'taken back'> {
    const { world, random } = this;
    await this.checkBetween(step, stack);
    this.figures.kills++;
    const next = random.one(['same', 'other', ...step.takenBack ? ['taken back'] : []]);
    if (next === 'other') {
      await world.otherEvent();
      await this.checkBetween(step, stack);
    }
    if (next === 'taken back') {
      await step.takenBack!(world)(world.stack);
    } else {
      await event(world.stack);
    }
    this.figures['kills healed']++;
    return next === 'taken back' ? next : 'done';
  }

  /** Something else begins at a message, and gets as far as it can. Both end well. */
  private async beside(event: Sent, at: number, other: () => Promise<unknown>): Promise<'done'> {
    const results = await this.both(event, at, other);
    results.forEach(error => assert.equal(error, undefined));
    return 'done';
  }

  /** What takes it back is sent later, and begins at a message. */
  private async overtaken(step: Step, event: Sent, at: number): Promise<'taken back'> {
    const later = step.takenBack!(this.world);
    const [error, laterError] = await this.both(event, at, () => later(this.world.stack));
    assert.equal(laterError, undefined);
    assert.ok(error === undefined || OVERTAKEN.test(error), error);
    return 'taken back';
  }

  private async both(event: Sent, at: number, other: () => Promise<unknown>): Promise<(string | undefined)[]> {
    const { world } = this;
    const [reached, goOn] = [signal(), signal()];
    const message = (promise: Promise<unknown>) => promise.then(() => undefined, (error: Error) => error.message);
    const first = message(
      this.faults.during([{ at, freezes: { from: 'before', reached: reached.set, until: goOn.isSet } }], () =>
        event(world.stack),
      ),
    );
    await Promise.race([reached.isSet, first]);
    let isOver = false;
    const second = message(other()).finally(() => isOver = true);
    while (!isOver && !await world.isWaiting()) {
      await setTimeout(3);
    }
    goOn.set();
    return Promise.all([first, second]);
  }

  /** In the middle of a step that nobody is at work on. */
  private async checkBetween(step: Step, stack: Stack): Promise<void> {
    const { world } = this;
    const [before, after] = [step.from, step.to].map(deployed => this.recorded.get(this.keyOf(deployed))!);
    const [access, held] = [await world.access(), await world.held()];
    const isRename = step.name === 'rename';
    const linesBefore = isRename
      ? [...before.held, ...before.held.map(line => line.replace(/^orders/, 'sales'))]
      : before.held;
    for (const name of access) {
      assert.ok([...before.access, ...after.access].includes(name), `${name} can sign in`);
      if (!before.access.includes(name) && !isRename) {
        assert.deepEqual(
          linesOf(held, name),
          linesOf(after.held, name),
          `${name} can sign in before it is as declared`,
        );
      }
    }
    if (step.ends === undefined) {
      assert.deepEqual(
        before.access.filter(name => !access.includes(name) && !(isRename && access.includes('sales'))),
        [],
        'loses its login in the middle of a change',
      );
    } else if (stack.log.some(({ notice }) => notice === 'access ended')) {
      assert.deepEqual(
        access.filter(name => step.ends!.includes(name)),
        [],
        'can sign in although its access has ended',
      );
    }
    assert.deepEqual(
      held.filter(
        line =>
          access.some(name => line.startsWith(`${name} `)) && !linesBefore.includes(line) && !after.held.includes(line),
      ),
      [],
      'has more than was or is declared',
    );
    await this.checkOthers();
  }

  private async check(deployed: Deployed, ended: readonly string[] = []): Promise<void> {
    const { world } = this;
    const expected = this.recorded.get(this.keyOf(deployed))!;
    const [found, access] = [await world.state(), await world.access()];
    assert.deepEqual(access, expected.access, 'who can sign in');
    // Users that only a given-up update of a list had stay, without access: they may have been there before.
    const withoutLogin = Object.values(found)
      .flat()
      .flatMap(line => /^role (\w+): .*"rolcanlogin": false/.exec(line)?.[1] ?? []);
    const kept = withoutLogin.filter(
      name =>
        MANAGED.includes(name)
        && !Object.values(expected.state)
          .flat()
          .some(line => line.startsWith(`role ${name}:`)),
    );
    const isOfKept = (line: string) => kept.some(name => new RegExp(`\\b${name}\\b`).test(line));
    for (const [part, lines] of Object.entries(found)) {
      const unexpected = lines.filter(line => !expected.state[part].includes(line) && !isOfKept(line));
      const difference = { missing: expected.state[part].filter(line => !lines.includes(line)), unexpected };
      assert.deepEqual(difference, { missing: [], unexpected: [] }, JSON.stringify({ part, ...difference }));
    }
    for (const name of ended) {
      assert.equal(await world.sessionsOf(name), 0, `sessions of ${name}`);
    }
    if (this.random.chance(0.1)) {
      const names = (await Promise.all(MANAGED.map(async name => await world.canSignIn(name) ? [name] : []))).flat();
      assert.deepEqual(names.sort(), expected.access, 'can sign in with a token');
    }
    assert.ok(await world.adminSignsIn(), 'the admin cannot sign in with its password');
  }

  /** Nobody else loses anything, no foreign role is touched, and the admin signs in. */
  private async checkOthers(): Promise<void> {
    assert.deepEqual(await this.world.bystanders(), this.bystanders.get(this.world.turn));
    assert.ok(await this.world.adminSignsIn(), 'the admin cannot sign in with its password');
  }
}

function linesOf(lines: string[], name: string): string[] {
  return lines.filter(line => line.startsWith(`${name} `));
}

function signal(): { readonly set: () => void; readonly isSet: Promise<void> } {
  let set: () => void = () => undefined;
  const isSet = new Promise<void>(resolve => set = resolve);
  return { set, isSet };
}

function hash(text: string): number {
  return [...text].reduce((sum, character) => (Math.imul(sum, 31) + character.charCodeAt(0)) | 0, 7);
}

export const SCHEDULES: Item = {
  name: 'schedules',
  title: 'Faults at each message',
  goal: '10,000 schedules, on both transports',
  claim:
    'A creation, updates of privileges, name and list, the deletions of the clean-up, a deletion, an expiry and a plan are disturbed at each message that '
    + 'they exchange with PostgreSQL. The connection is cut, or the answer is lost or does not come. The function is killed, or frozen and goes on later. The event is '
    + 'delivered twice, overtaken by the event that takes it back, or interleaved with one of another stack. Then the catalogs of all databases are as they are '
    + 'without the fault. Only the declared users can sign in, no foreign role has changed, no session of others has ended, and the admin signs in. '
    + 'Users that only a given-up update of a list had stay, without access. After each kill the next event of the same or of another resource reaches that state.',
  canFail:
    'It fails if the handler does not remove what is left of an update that CloudFormation has given up: schedule `connections/list/overtaken/2` says that `liz` can sign in.',
  run,
};
