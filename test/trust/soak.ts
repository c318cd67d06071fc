import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { SETUPS } from '../../rehearsal/setups';
import { Random } from '../lambda/random';
import { Deployed, randomTemplate, RESOURCES, Template } from '../lambda/random-deployments';
import { Declared, Stack, throughConnections, trust } from '../lambda/stack';
import { startWorld, World } from '../lambda/world';
import { Item, Options, Outcome, Violation } from './item';

const DEPLOYMENTS = 5_000;
const DEFAULT_SETUP = '17, plain';

/** Deployments between two looks at the heap; fewer, if there are fewer than a hundred. */
const EVERY = 10;

/** The heap counts as growing if it rises by more than this over the last four fifths, by a line through all looks. */
const MAX_RISE_BYTES = 1_000_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * What is open: handles of Node.js by kind, files, sessions of the provisioner, and files in the folder for temporary
 * ones.
 */
async function open(server: AuroraLikeServer): Promise<Record<string, number>> {
  const [{ sessions }] = await server.sql<{ sessions: number }>(
    "SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE application_name LIKE 'cdk-aurora-iam-auth%'",
  );
  const handles = process.getActiveResourcesInfo().filter(kind => !['Timeout', 'Immediate'].includes(kind));
  return {
    'handles': handles.length,
    'open files': readdirSync('/proc/self/fd').length,
    'sessions': sessions,
    'temporary files': readdirSync(tmpdir()).length,
  };
}

/**
 * By CloudFormation's rules. A deployment that the server refuses, for what a role owns is in the way, is as good as
 * any.
 */
async function deploy(stack: Stack, from: Deployed, to: Template): Promise<{ deployed: Deployed; failed: number }> {
  const deployed = new Map(from);
  let failed = 0;
  const done = (promise: Promise<unknown>) => promise.then(() => true, () => {
    failed++;
    return false;
  });
  for (const { id } of RESOURCES.filter(one => to.has(one.id))) {
    const [earlier, declared] = [from.get(id), to.get(id)!];
    const sent = earlier ? stack.update(id, declared, earlier.physicalId) : stack.create(id, declared);
    await done(sent.then(({ PhysicalResourceId: physicalId }) => deployed.set(id, { declared, physicalId })));
  }
  for (const [id, { declared, physicalId }] of [...from].filter(
    ([id, one]) => !to.has(id) || deployed.get(id)?.physicalId !== one.physicalId,
  )) {
    await done(stack.delete(id, declared, physicalId));
    if (!to.has(id)) {
      deployed.delete(id);
    }
  }
  return { deployed, failed };
}

/** Rise of a line of least squares, from the first to the last of the values. */
export function rise(values: readonly number[]): number {
  if (values.length < 2) {
    return 0;
  }
  const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const [middle, average] = [(values.length - 1) / 2, mean(values)];
  const slope
    = mean(values.map((value, n) => (n - middle) * (value - average))) / mean(values.map((_, n) => (n - middle) ** 2));
  return slope * (values.length - 1);
}

async function run({ seed, runs = DEPLOYMENTS, more, isOver, progress }: Options): Promise<Outcome> {
  const setup = SETUPS.find(({ name }) => name === (more.setup ?? DEFAULT_SETUP))!;
  const { server, world }: { server: AuroraLikeServer; world: World } = await startWorld(setup);
  trust(server.caCertificate);
  // What other processes leave there is none of this one's.
  const ownFolder = mkdtempSync(join(tmpdir(), 'soak-'));
  const formerFolder = process.env.TMPDIR;
  process.env.TMPDIR = ownFolder;
  const every = Math.max(1, Math.min(EVERY, Math.floor(runs / 10)));
  const random = new Random(seed);
  const heap: number[] = [];
  const violations: Violation[] = [];
  let deployments = 0;
  let events = 0;
  let failed = 0;
  try {
    let deployed: Deployed = new Map<string, { declared: Declared; physicalId: string }>();
    let before: Record<string, number> | undefined;
    for (; deployments < runs && !isOver(); deployments++) {
      // A function serves some events, and another instance the next ones.
      const stack = new Stack(server, { transport: throughConnections(server) });
      const template = randomTemplate(random, world, deployed, []);
      events += template.size;
      const result = await deploy(stack, deployed, template);
      deployed = result.deployed;
      failed += result.failed;
      if (deployments % every === every - 1) {
        collect();
        heap.push(process.memoryUsage().heapUsed);
        before ??= await open(server);
        progress(`${deployments + 1} deployments, heap ${(heap.at(-1)! / 1e6).toFixed(1)} MB`);
      }
    }
    await deploy(new Stack(server, { transport: throughConnections(server) }), deployed, new Map());
    const after = await open(server);
    const grown = Object.entries(after)
      .filter(([name, count]) => count > (before?.[name] ?? 0))
      .map(([name, count]) => `${name}: ${before?.[name]} and then ${count}`);
    const rose = Math.round(rise(heap.slice(Math.floor(heap.length / 5))));
    violations.push(
      ...[...grown, ...(rose > MAX_RISE_BYTES ? [`the heap rises by ${rose} bytes`] : [])].map(what => ({
        what,
        replay: `--seed ${seed} --runs ${deployments}`,
      })),
    );
    return {
      figures: {
        deployments,
        'events': events,
        'events refused': failed,
        'most bytes the heap rises by': Math.max(0, rose),
        'more connections, handles or files': grown.length,
      },
      setting: { PostgreSQL: setup.name },
      violations,
    };
  } finally {
    await server.stop();
    rmSync(ownFolder, { recursive: true });
    delete process.env.TMPDIR;
    Object.assign(process.env, formerFolder === undefined ? {} : { TMPDIR: formerFolder });
  }
}

export const SOAK: Item = {
  name: 'soak',
  title: 'Many deployments in one process',
  goal: '5,000 deployments',
  claim:
    'Random deployments follow each other in one process. After a forced collection the heap has no slope over the last four fifths of them. '
    + 'There are no more connections, handles, open files and temporary files than after the first ones.',
  canFail: 'Not tried: whether it fails where something is kept.',
  run,
};
