/** Random choices that are the same for the same seed. */
export class Random {
  /** From 0 up to 1. */
  public readonly next: () => number;

  constructor(seed: number) {
    this.next = generator(seed);
  }

  public chance(probability: number): boolean {
    return this.next() < probability;
  }

  public one<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)];
  }

  /** Each of them with the same probability. */
  public some<T>(items: readonly T[], probability = 0.5): T[] {
    return items.filter(() => this.chance(probability));
  }

  /** At least one of them. */
  public few<T>(items: readonly T[]): T[] {
    const some = this.some(items);
    return some.length > 0 ? some : [this.one(items)];
  }

  public shuffled<T>(items: readonly T[]): T[] {
    return items.map(item => ({ item, order: this.next() })).sort((a, b) => a.order - b.order).map(({ item }) => item);
  }
}

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
