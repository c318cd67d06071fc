/** A part of the work: `2/4` is the second of four. Together they do what `1/1` does. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface Options {
  readonly seed: number;
  readonly shard: Shard;
  /** How much is to be done, in the unit of the item. @default - what the item does by default */
  readonly runs?: number;
  /** The one that is to be repeated, as a failure names it. */
  readonly only?: string;
  /** Whether the time that was given is over: what was done until then counts. */
  readonly isOver: () => boolean;
  /** What else the item takes, by name. */
  readonly more: Readonly<Record<string, string>>;
  readonly progress: (line: string) => void;
}

/** What was found. */
export interface Outcome {
  /** Added up over the shards of an item. */
  readonly figures: Readonly<Record<string, number>>;
  /** What is the same in all shards, such as the version of a server. */
  readonly setting?: Readonly<Record<string, string>>;
  /** What does not hold, each with the options that repeat it. None: the run is good. */
  readonly violations: readonly Violation[];
}

export interface Violation {
  readonly what: string;
  /** Options that repeat it, as in `--seed 1 --only 7`. */
  readonly replay: string;
}

export interface Item {
  readonly name: string;
  readonly title: string;
  /** How much is meant to be run. */
  readonly goal: string;
  /** What the figures say. */
  readonly claim: string;
  /** How it can fail: what was broken once, and what the command said then. */
  readonly canFail: string;
  readonly run: (options: Options) => Promise<Outcome>;
}

/** Those of a list that a shard has, at most so many of them in all shards together. */
export function partOf<T>(
  items: readonly T[],
  { shard: { index, count }, runs = items.length }: Pick<Options, 'shard' | 'runs'>,
): T[] {
  return items.slice(0, runs).filter((_, n) => n % count === index - 1);
}
