/**
 * Figures of trust. Each item is one command: it is seeded, its shards add up, and it fails if something does not hold.
 *
 *     npm run trust -- <item> [--seed N] [--shard i/n] [--runs N] [--minutes N] [--only <as a failure says it>]
 *     npm run trust -- page            write docs/tested.json of all records in test-reports/trust, and docs/tested.md
 */
import { parseArgs } from 'node:util';
import { ITEMS } from './items';
import { Options } from './item';
import { publish } from './page';
import { commitNow, recordOf, write } from './record';

const { positionals: [name], values } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    shard: { type: 'string', default: '1/1' },
    runs: { type: 'string' },
    only: { type: 'string' },
    minutes: { type: 'string' },
    setup: { type: 'string' },
    transport: { type: 'string' },
    files: { type: 'string' },
    workers: { type: 'string' },
    folder: { type: 'string' },
  },
});

async function main(): Promise<void> {
  if (name === 'page') {
    publish();
    return;
  }
  const item = ITEMS.find(one => one.name === name);
  const [index, count] = values.shard.split('/').map(Number);
  const seed = Number(values.seed);
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (
    item === undefined
    || !(index >= 1 && index <= count)
    || !Number.isInteger(seed)
    || !(runs === undefined || runs > 0)
  ) {
    throw new Error(
      `npm run trust -- <${[...ITEMS.map(one => one.name), 'page'].join(' | ')}> [--seed N] [--shard i/n] [--runs N]`,
    );
  }
  const { setup, transport, files, workers, folder } = values;
  const more = Object.fromEntries(
    Object.entries({ setup, transport, files, workers, folder }).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
  const begin = performance.now();
  const isOver = () => performance.now() - begin > 60_000 * Number(values.minutes ?? Infinity);
  const options: Options = {
    seed,
    shard: { index, count },
    runs,
    only: values.only,
    isOver,
    more,
    progress: line => console.log(`  ${line}`),
  };
  const commit = commitNow();
  const outcome = await item.run(options);
  const record = recordOf(item, options, commit, outcome, (performance.now() - begin) / 1000);
  console.log(`${item.name}: ${JSON.stringify(record.figures)}, ${record.violations} violations, ${record.seconds} s`);
  for (const { what, replay } of outcome.violations) {
    console.error(`\n${what}\n  repeat it: npm run trust -- ${item.name} ${replay}`);
  }
  if (values.only === undefined) {
    console.log(write(record, options));
  }
  process.exitCode = outcome.violations.length === 0 ? 0 : 1;
}

main().then(() => process.exit(), (error: unknown) => {
  console.error(error);
  process.exit(1);
});
