import { Random } from '../lambda/random';
import { compareCase, newComparison, notAnswered } from '../rehearsal/identity-policies-comparison';
import { Item, Options, Outcome, Violation } from './item';

const POLICIES = 100_000;

/** Cases of one seed. Each block has a seed of its own, so that a disagreement is repeated alone. */
const BLOCK = 200;

function run({ seed, shard: { index, count }, runs = POLICIES, only, progress }: Options): Promise<Outcome> {
  const all = newComparison();
  const violations: Violation[] = [];
  const mine = Math.ceil(runs / count);
  for (let block = index - 1; all.policies < mine; block += count) {
    const number = only === undefined ? block : Number(only);
    const random = new Random(seed * 1_000_003 + number);
    const before = all.differences.length;
    for (let n = 0; n < BLOCK; n++) {
      compareCase(random, all);
    }
    violations.push(
      ...all.differences
        .slice(before)
        .map(difference => ({ what: JSON.stringify(difference), replay: `--seed ${seed} --only ${number}` })),
    );
    if (only !== undefined) {
      break;
    }
    if (((block - index + 1) / count) % 50 === 49) {
      progress(`${all.policies} of ${mine} policies`);
    }
  }
  const { missing } = notAnswered(all);
  const unused = only === undefined && runs >= POLICIES && count === 1 ? missing : [];
  return Promise.resolve({
    figures: {
      'policies': all.policies,
      'decisions': Object.values(all.verdicts).reduce((a, b) => a + b, 0),
      'allowed': all.verdicts.allowed,
      'denied': all.verdicts.denied,
      'not documented': all.verdicts['not known'],
      'disagreements': all.differences.length,
    },
    violations: [
      ...violations,
      ...unused.map(name => ({ what: `${name} was not answered with yes and with no`, replay: `--seed ${seed}` })),
    ],
  });
}

export const POLICIES_ITEM: Item = {
  name: 'policies',
  title: 'IAM policies and a second evaluator',
  goal: '100,000 random policies',
  claim:
    'The rehearsal and an evaluator that was written from the IAM User Guide alone decide about random requests with random policies, boundaries and conditions. They agree.',
  canFail: 'It fails if one evaluator takes `StringLike` for `StringEquals`.',
  run,
};
