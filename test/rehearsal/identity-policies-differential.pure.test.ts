import { Random } from '../lambda/random';
import { FULL } from '../full';
import { compareCase, newComparison, notAnswered } from './identity-policies-comparison';

const SEED = Number(process.env.SEED ?? 1);
const DECISIONS = FULL ? 60_000 : 2_000;

describe('IdentityPolicies and a second evaluator', () => {
  test(`decide alike with seed ${SEED}`, () => {
    const random = new Random(SEED);
    const comparison = newComparison();
    const { verdicts, differences } = comparison;
    while (verdicts.allowed + verdicts.denied < DECISIONS) {
      compareCase(random, comparison);
    }
    expect({ count: differences.length, first: differences[0] }).toEqual({ count: 0, first: undefined });
    expect(verdicts.allowed).toBeGreaterThan(0.2 * DECISIONS);
    expect(verdicts.denied).toBeGreaterThan(0.2 * DECISIONS);
    expect(verdicts['not known']).toBeLessThan(DECISIONS);
    const { missing, all } = notAnswered(comparison);
    // Not each of them comes in the smaller number of cases.
    expect(missing.length).toBeLessThanOrEqual(FULL ? 0 : all / 2);
  });
});
