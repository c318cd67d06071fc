import { conditionKeysOf } from '../../rehearsal/iam/condition-keys';
import { IdentityPolicies } from '../../rehearsal/iam/identity-policies';
import { Random } from '../lambda/random';
import { Case, OPERATORS, someCase } from './identity-policies-generator';
import { Oracle, Verdict } from './identity-policies-oracle';

const SEED = Number(process.env.SEED ?? 1);
const DECISIONS = 60_000;

function evaluate({ world, identity, boundary }: Case): Verdict {
  const known = conditionKeysOf(world);
  const keys = (name: string) => world.extra[name.toLowerCase()] ?? known(name);
  try {
    return new IdentityPolicies(identity, boundary).decide({ ...world, keys }) ? 'allowed' : 'denied';
  } catch {
    return 'not known';
  }
}

describe('IdentityPolicies and a second evaluator', () => {
  test(`decide alike with seed ${SEED}`, () => {
    const random = new Random(SEED);
    const verdicts: Record<Verdict, number> = { 'allowed': 0, 'denied': 0, 'not known': 0 };
    const answers = new Map<string, Set<boolean | undefined>>();
    const differences: unknown[] = [];
    while (verdicts.allowed + verdicts.denied < DECISIONS) {
      const example = someCase(random);
      const oracle = new Oracle(example.world);
      const expected = oracle.decide(example.identity, example.boundary);
      const actual = evaluate(example);
      verdicts[expected]++;
      oracle.answers.forEach((given, operator) => answers.set(operator, new Set([...answers.get(operator) ?? [], ...given])));
      if (actual !== expected) {
        differences.push({ actual, expected, example: JSON.stringify(example) });
      }
    }
    expect({ count: differences.length, first: differences[0] }).toEqual({ count: 0, first: undefined });
    expect(verdicts.allowed).toBeGreaterThan(0.2 * DECISIONS);
    expect(verdicts.denied).toBeGreaterThan(0.2 * DECISIONS);
    expect(verdicts['not known']).toBeLessThan(DECISIONS);
    const variants = Object.values(OPERATORS).flat().flatMap(name => ['', 'ForAllValues:', 'ForAnyValue:'].flatMap(set => [`${set}${name}`, `${set}${name}IfExists`]));
    expect([...variants, 'Null'].filter(name => !answers.get(name)?.has(true) || !answers.get(name)?.has(false))).toEqual([]);

    if (process.env.VERBOSE) console.log(verdicts);
  });
});
