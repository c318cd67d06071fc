import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Item } from './item';
import { ITEMS } from './items';
import { readAll, together, TrustRecord } from './record';

const DATA = join(__dirname, '../../docs/tested.json');
const PAGE = join(__dirname, '../../docs/tested.md');

export function readPublished(): TrustRecord[] {
  return JSON.parse(readFileSync(DATA, 'utf8')) as TrustRecord[];
}

/** Writes what the commands have recorded. An item without a new record keeps the one that was published. */
export function publish(): void {
  const recorded = together(readAll());
  const kept = readPublished().filter(({ item }) => !recorded.some(one => one.item === item));
  const order = ITEMS.map(({ name }) => name);
  const records = [...recorded, ...kept].sort((a, b) => order.indexOf(a.item) - order.indexOf(b.item));
  writeFileSync(DATA, `${JSON.stringify(records, undefined, 2)}\n`);
  writeFileSync(PAGE, pageOf(records));
}

const BEGINNING = `# Searches for faults

At the end of this page you know which searches for faults were run, with which figures, and how to repeat each of them with one command.

The tests of \`npm test\` have a fixed set of cases. The commands on this page search for cases that no one has thought of. Each command takes a seed, and the
same seed gives the same choices. \`--shard 1/4\` runs a quarter, and the figures of the shards add up. A command that finds a violation fails, and prints the
seed and the command that repeats it. What a search has found becomes a test in \`npm test\`.

This page is made from [tested.json](tested.json), which has what the commands recorded. Seconds are those of the machine of that day, beside other work.
`;

/** As docs/tested.md has it. */
export function pageOf(records: readonly TrustRecord[]): string {
  const sections = records.flatMap((record) => {
    const item = ITEMS.find(({ name }) => name === record.item);
    return item === undefined ? [] : [sectionOf(item, record)];
  });
  return [BEGINNING, ...sections].join('\n');
}

function sectionOf(
  { title, claim, canFail, goal }: Item,
  { item, figures, setting = {}, date, commit, machine, seeds, shards, seconds, violations }: TrustRecord,
): string {
  const rows = [
    ['command', `\`npm run trust -- ${item}\``],
    ...Object.entries(figures).map(([name, value]) => [name, value.toLocaleString('en-US')]),
    ['violations', `${violations}`],
    ...Object.entries(setting),
    ['seeds, shards', `${seeds}; ${shards}`],
    ['date, commit', `${date}, ${commit.split(', ').map(one => `\`${one}\``).join(', ')}`],
    ['machine', `${machine.cores} cores, Node.js ${machine.node.replace('v', '')}`],
    ['time', `${seconds.toLocaleString('en-US')} s`],
  ];
  return `## ${title}

${claim}

| | |
|---|---|
${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}

The aim is ${goal}.

${canFail}
`;
}
