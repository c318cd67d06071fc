import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Item, Options, Outcome } from './item';

const ROOT = join(__dirname, '../..');

/** What a run has found, and where. Nothing in it says which machine it was. */
export interface TrustRecord extends Pick<Outcome, 'figures' | 'setting'> {
  readonly item: string;
  readonly date: string;
  /** With ` and changes`, if the code was not as committed. */
  readonly commit: string;
  readonly machine: { readonly cores: number; readonly node: string };
  /** As `1` or, of several records, `1, 2`. */
  readonly seeds: string;
  readonly shards: string;
  readonly seconds: number;
  readonly violations: number;
}

export const FOLDER = join(ROOT, 'test-reports/trust');

/** The code that is judged. Pages and tests may change meanwhile. */
const JUDGED = ['lambda', 'lib', 'rehearsal', 'cli'];

/** The code as it is now, so that a long run is to ask when it begins. */
export function commitNow(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain', '--', ...JUDGED) === '' ? '' : ' and changes'}`;
}

export function recordOf(
  { name }: Item,
  { seed, shard }: Options,
  commit: string,
  { figures, setting, violations }: Outcome,
  seconds: number,
): TrustRecord {
  return {
    item: name,
    date: new Date().toISOString().slice(0, 10),
    commit,
    machine: { cores: availableParallelism(), node: process.version },
    seeds: String(seed),
    shards: `${shard.index}/${shard.count}`,
    seconds: Math.round(seconds),
    figures,
    ...setting === undefined ? {} : { setting },
    violations: violations.length,
  };
}

/** Runs with the same options replace each other. */
export function write(record: TrustRecord, { more }: Options): string {
  mkdirSync(FOLDER, { recursive: true });
  const options = Object.values(more).map(value => `-${value.replaceAll(/\W+/g, '_')}`).join('');
  const file = join(FOLDER, `${record.item}-seed${record.seeds}-${record.shards.replace('/', 'of')}${options}.json`);
  writeFileSync(file, `${JSON.stringify(record, undefined, 2)}\n`);
  return file;
}

export function readAll(): TrustRecord[] {
  return readdirSync(FOLDER)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as TrustRecord);
}

/** One record for each item: figures and time of its shards and seeds add up. */
export function together(records: readonly TrustRecord[]): TrustRecord[] {
  const items = new Map<string, TrustRecord>();
  for (const record of records) {
    const before = items.get(record.item);
    items.set(record.item, before === undefined ? record : sum(before, record));
  }
  return [...items.values()];
}

function sum(a: TrustRecord, b: TrustRecord): TrustRecord {
  const list = (one: string, other: string) => [...new Set([...one.split(', '), ...other.split(', ')])].join(', ');
  const names = [...new Set([...Object.keys(a.figures), ...Object.keys(b.figures)])];
  const settings = [...new Set([...Object.keys(a.setting ?? {}), ...Object.keys(b.setting ?? {})])];
  return {
    ...b,
    date: a.date > b.date ? a.date : b.date,
    commit: list(a.commit, b.commit),
    seeds: list(a.seeds, b.seeds),
    shards: list(a.shards, b.shards),
    seconds: a.seconds + b.seconds,
    figures: Object.fromEntries(names.map(name => [name, join2(name, a.figures[name], b.figures[name])])),
    ...(settings.length === 0
      ? {}
      : {
          setting: Object.fromEntries(
            settings.map(name => [
              name,
              list(a.setting?.[name] ?? '', b.setting?.[name] ?? '').replace(/^, |, $/g, ''),
            ]),
          ),
        }),
    violations: a.violations + b.violations,
  };
}

/** Counts add up. Of what is a most or a least, that remains. */
function join2(name: string, a: number | undefined, b: number | undefined): number {
  return name.startsWith('most ') ? Math.max(a ?? b ?? 0, b ?? a ?? 0) : (a ?? 0) + (b ?? 0);
}
