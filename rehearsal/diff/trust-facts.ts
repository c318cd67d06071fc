import { ComparableFact } from './access-diff';
import { branchesOf, isFunction } from './branches';
import { effectsIn } from './connect-statements';
import { Identity } from './identities';
import { TemplateStack } from './template-stack';
import { TemplateValues } from './template-values';

interface TrustStatement {
  readonly Effect?: unknown;
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Condition?: unknown;
}

/** Who may have the role, and with it what the role has. */
export function trustFacts({ who, key, trust }: Identity, values: TemplateValues): ComparableFact[] {
  if (!trust) {
    return [];
  }
  const { stack, document } = trust;
  const statements = statementsOf(document).flatMap(({ value, undecided }) => {
    const statement = value as TrustStatement;
    return statement.Effect === undefined
      ? isFunction(value)
        ? [{ effect: 'Allow', undecided: 'the trust policy is known to the deployment alone', statement: { Principal: value } }]
        : []
      : effectsIn(statement.Effect, effect => values.text(stack, effect)).map(each => ({ undecided, ...each, statement }));
  });
  const isRestricted = statements.some(({ effect }) => effect === 'Deny');
  return statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(({ statement, undecided = isRestricted ? 'a Deny statement of the role may refuse it' : undefined }) => {
      const { Principal: principal, NotPrincipal: others, Condition: condition } = statement;
      const conditions = condition === undefined ? undefined : values.text(stack, JSON.stringify(condition));
      return [
        ...principalsIn(stack, principal, values),
        ...principalsIn(stack, others, values).map(each => ({ ...each, but: 'every principal but ' })),
      ].map(({ type, name, but = '', because = undecided }): ComparableFact => {
        const keyOf = (each?: string) => JSON.stringify(['assume', key, `${but}${type}`, name, each ?? '']);
        return {
          who: {
            kind: 'principal',
            name: `${but}${name === '*' ? 'every principal' : `${type === 'AWS' ? '' : `${type} `}${values.named(name)}`}`,
          },
          access: { kind: 'assume', role: who.name, ...(conditions === undefined ? {} : { conditions }) },
          key: keyOf(conditions),
          coveredBy: conditions === undefined ? [] : [keyOf()],
          ...(because === undefined ? {} : { undecided: because }),
        };
      });
    });
}

interface TrustedPrincipal {
  readonly type: string;
  readonly name: string;
  readonly but?: string;

  /** Why it may not be one. */
  readonly because?: string;
}

function principalsIn(stack: TemplateStack, principal: unknown, values: TemplateValues): TrustedPrincipal[] {
  return branchesOf(principal).flatMap(({ value, undecided }) => {
    const byType: [string, unknown][] = typeof value !== 'object' || isFunction(value) ? [['AWS', value]] : Object.entries(value ?? {});
    return byType.flatMap(([type, names]) => branchesOf(names, undecided).map(name => ({
      type, name: values.text(stack, name.value), ...(name.undecided === undefined ? {} : { because: name.undecided }),
    })));
  });
}

function statementsOf(document: unknown): ReturnType<typeof branchesOf> {
  return branchesOf(document).flatMap(({ value, undecided }) => {
    const { Statement = value } = Object(typeof value === 'string' ? parsed(value) : value) as { Statement?: unknown };
    return branchesOf(Statement, undecided);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
