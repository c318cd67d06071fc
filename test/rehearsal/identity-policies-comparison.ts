import { conditionKeysOf } from '../../rehearsal/iam/condition-keys';
import { IdentityPolicies } from '../../rehearsal/iam/identity-policies';
import { Random } from '../lambda/random';
import { OPERATORS, someCase } from './identity-policies-generator';
import { Answers, Oracle, Verdict, World } from './identity-policies-oracle';

/** What two evaluators have decided about random policies, and where they differ. */
export interface PolicyComparison {
  policies: number;
  readonly verdicts: Record<Verdict, number>;
  readonly answers: Answers;
  readonly differences: unknown[];
}

export function newComparison(): PolicyComparison {
  return { policies: 0, verdicts: { 'allowed': 0, 'denied': 0, 'not known': 0 }, answers: new Map(), differences: [] };
}

/** Asks both about the policies of one case. */
export function compareCase(random: Random, comparison: PolicyComparison): void {
  const { verdicts, answers, differences } = comparison;
  const { worlds, identity, boundary } = someCase(random);
  comparison.policies += identity.length + (boundary === undefined ? 0 : 1);
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

/** Operators that have not been answered with yes and with no. */
export function notAnswered({ answers }: PolicyComparison): { readonly missing: string[]; readonly all: number } {
  const variants = Object.values(OPERATORS)
    .flat()
    .flatMap(name => ['', 'ForAllValues:', 'ForAnyValue:'].flatMap(set => [`${set}${name}`, `${set}${name}IfExists`]));
  return {
    missing: [...variants, 'Null'].filter(name => !answers.get(name)?.has(true) || !answers.get(name)?.has(false)),
    all: variants.length,
  };
}

function evaluate(policies: IdentityPolicies, world: World): Verdict {
  const known = conditionKeysOf(world);
  const keys = (name: string) => world.extra[name.toLowerCase()] ?? known(name);
  try {
    return policies.decide({ ...world, keys }) ? 'allowed' : 'denied';
  } catch {
    return 'not known';
  }
}
