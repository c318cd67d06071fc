import { Item, Options } from './item';
import { POLICIES_ITEM } from './policies';
import { STATES } from './states';
import { TEMPLATES_ITEM } from './templates';

const OPTIONS: Options = {
  seed: 3,
  shard: { index: 1, count: 1 },
  isOver: () => false,
  more: {},
  progress: () => undefined,
};

/** A little of what `npm run trust` runs, so that the commands stay in order. */
test.each<[Item, Partial<Options>, string]>([
  [STATES, { only: '1', runs: 500 }, 'states between deployments'],
  [POLICIES_ITEM, { runs: 300 }, 'policies'],
  [TEMPLATES_ITEM, { runs: 10 }, 'templates'],
])('a sample of $name finds no violation', async ({ run }, options, figure) => {
  const { figures, violations } = await run({ ...OPTIONS, ...options });
  expect(violations).toEqual([]);
  expect(figures[figure]).toBeGreaterThan(0);
});
