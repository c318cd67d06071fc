import { conditionKeysOf } from '../../rehearsal/iam/condition-keys';
import { IdentityPolicies } from '../../rehearsal/iam/identity-policies';
import { Random } from '../lambda/random';
import { FULL } from '../full';
import { OPERATORS, someCase } from './identity-policies-generator';
import { Answers, Oracle, Verdict, World } from './identity-policies-oracle';

const SEED = Number(process.env.SEED ?? 1);
const DECISIONS = FULL ? 60_000 : 6_000;

function evaluate(policies: IdentityPolicies, world: World): Verdict {
  const known = conditionKeysOf(world);
  const keys = (name: string) => world.extra[name.toLowerCase()] ?? known(name);
  try {
    return policies.decide({ ...world, keys }) ? 'allowed' : 'denied';
  } catch {
    return 'not known';
  }
}

describe('IdentityPolicies and a second evaluator', () => {
  test(`decide alike with seed ${SEED}`, () => {
    const random = new Random(SEED);
    const verdicts: Record<Verdict, number> = { 'allowed': 0, 'denied': 0, 'not known': 0 };
    const answers: Answers = new Map();
    const differences: unknown[] = [];
    while (verdicts.allowed + verdicts.denied < DECISIONS) {
      const { worlds, identity, boundary } = someCase(random);
      const policies = new IdentityPolicies(identity, boundary);
      for (const world of worlds) {
        const expected = new Oracle(world, answers).decide(identity, boundary);
        const actual = evaluate(policies, world);
        verdicts[expected]++;
        if (actual !== expected) {
          differences.push({ actual, expected, example: JSON.stringify({ world, identity, boundary }) });
        }
      }
    }
    expect({ count: differences.length, first: differences[0] }).toEqual({ count: 0, first: undefined });
    expect(verdicts.allowed).toBeGreaterThan(0.2 * DECISIONS);
    expect(verdicts.denied).toBeGreaterThan(0.2 * DECISIONS);
    expect(verdicts['not known']).toBeLessThan(DECISIONS);
    const variants = Object.values(OPERATORS).flat().flatMap(name => ['', 'ForAllValues:', 'ForAnyValue:'].flatMap(set => [`${set}${name}`, `${set}${name}IfExists`]));
    const missing = [...variants, 'Null'].filter(name => !answers.get(name)?.has(true) || !answers.get(name)?.has(false));
    // Not each of them comes in the smaller number of cases.
    expect(missing.length).toBeLessThanOrEqual(FULL ? 0 : variants.length / 4);
  });
});
