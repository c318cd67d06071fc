import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serialOrder } from './histories';
import { ITEMS } from './items';
import { pageOf, readPublished } from './page';
import { together, TrustRecord } from './record';

describe('docs/tested.md', () => {
  test('is made from docs/tested.json', () => {
    expect(readFileSync(join(__dirname, '../../docs/tested.md'), 'utf8')).toBe(pageOf(readPublished()));
  });

  test('has no figure of a run with a violation, or of code that was not committed', () => {
    expect(readPublished().filter(({ violations, commit }) => violations > 0 || commit.includes('changes'))).toEqual(
      [],
    );
  });

  test('has items that there is a command for', () => {
    expect(ITEMS.map(({ name }) => name)).toEqual(expect.arrayContaining(readPublished().map(({ item }) => item)));
  });
});

test('figures of shards and seeds add up', () => {
  const record: TrustRecord = {
    item: 'states',
    date: '2026-11-30',
    commit: 'a',
    machine: { cores: 2, node: 'v20.0.0' },
    seeds: '1',
    shards: '1/2',
    seconds: 3,
    figures: { 'runs': 2, 'most at once': 5 },
    violations: 0,
  };
  expect(
    together([
      record,
      {
        ...record,
        date: '2026-12-01',
        commit: 'b',
        shards: '2/2',
        figures: { 'runs': 3, 'most at once': 4 },
        violations: 1,
      },
      { ...record, item: 'policies' },
    ]),
  ).toEqual([
    {
      ...record,
      date: '2026-12-01',
      commit: 'a, b',
      shards: '1/2, 2/2',
      seconds: 6,
      figures: { 'runs': 5, 'most at once': 5 },
      violations: 1,
    },
    { ...record, item: 'policies' },
  ]);
});

describe('the checker of histories', () => {
  type Event = Parameters<typeof serialOrder>[0][number];
  const create = (n: number, stack: string, answer: 'done' | 'refused', began: number, ended: number): Event => ({
    n,
    stack,
    kind: 'Create',
    id: 'A',
    declared: { username: 'ann', connect: [] },
    sentAt: n,
    began,
    ended,
    answer,
  });
  const held = (stack: string) => (model: ReadonlyMap<string, { readonly stack: string }>) =>
    model.get('ann')?.stack === stack;

  test('finds the order of events that overlap', () => {
    expect(serialOrder([create(0, 'one', 'refused', 0, 2), create(1, 'two', 'done', 1, 3)], held('two'))).toEqual([
      1, 0,
    ]);
  });

  test('finds none where an answer came before the reason for it was sent', () => {
    expect(
      serialOrder([create(0, 'one', 'refused', 0, 1), create(1, 'two', 'done', 2, 3)], held('two')),
    ).toBeUndefined();
  });

  test('finds none where two stacks have one name, or the end is of neither order', () => {
    expect(serialOrder([create(0, 'one', 'done', 0, 2), create(1, 'two', 'done', 1, 3)], () => true)).toBeUndefined();
    expect(
      serialOrder([create(0, 'one', 'refused', 0, 2), create(1, 'two', 'done', 1, 3)], held('one')),
    ).toBeUndefined();
  });
});
