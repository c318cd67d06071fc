import { ComparableFact } from './access-diff';
import { branchesOf, isFunction } from './branches';
import { effectsIn, isAbout } from './connect-statements';
import { Identity } from './identities';
import { TemplateStack } from './template-stack';
import { TemplateValues } from './template-values';

interface TrustStatement {
  readonly Effect?: unknown;
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Condition?: unknown;
}

const ASSUMING = ['sts:assumerole', 'sts:assumerolewithsaml', 'sts:assumerolewithwebidentity'];
const TAGGING = ['sts:tagsession'];

/**
 * Who may have the role, and with it what the role has; and who may set tags of its sessions, where these say as whom
 * it signs in.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
 */
export function trustFacts(identity: Identity, values: TemplateValues): ComparableFact[] {
  const signsInByTag = identity.documents.some(({ statements }) =>
    statements.some(
      ({ effect, resources }) =>
        effect !== 'Deny'
        && resources.some(({ username }) => username.variables.some(name => /^aws:PrincipalTag\//i.test(name))),
    ),
  );
  return [
    ...factsOf(identity, values, 'assume', ASSUMING),
    ...(signsInByTag ? factsOf(identity, values, 'tagSession', TAGGING) : []),
  ];
}

function factsOf(
  { who, key, trust }: Identity,
  values: TemplateValues,
  kind: 'assume' | 'tagSession',
  actions: readonly string[],
): ComparableFact[] {
  if (!trust) {
    return [];
  }
  const { stack, document } = trust;
  const read = (value: unknown) => values.text(stack, value);
  const statements = statementsOf(document).flatMap(({ value, undecided }) => {
    const statement = value as TrustStatement;
    if (statement.Effect === undefined) {
      return isFunction(value)
        ? [
            {
              effect: 'Allow',
              undecided: 'the trust policy is known to the deployment alone',
              statement: { Principal: value },
            },
          ]
        : [];
    }
    const about = isAbout(statement, actions, read);
    const because
      = undecided ?? (about === 'maybe' ? 'the Action in the trust policy is known to the deployment alone' : undefined);
    return about === 'no'
      ? []
      : effectsIn(statement.Effect, read).map(each => ({ undecided: because, ...each, statement }));
  });
  const isRestricted = statements.some(({ effect }) => effect === 'Deny');
  return statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(({ statement, undecided = isRestricted ? 'a Deny statement of the role may refuse it' : undefined }) => {
      const { Principal: principal, NotPrincipal: others, Condition: condition } = statement;
      const conditions = condition === undefined ? undefined : read(JSON.stringify(condition));
      return [
        ...principalsIn(stack, principal, values),
        ...principalsIn(stack, others, values).map(each => ({ ...each, but: 'every principal but ' })),
      ].map(({ type, name, but = '', because = undecided }): ComparableFact => {
        const keyOf = (each?: string) => JSON.stringify([kind, key, `${but}${type}`, name, each ?? '']);
        return {
          who: {
            kind: 'principal',
            name: `${but}${name === '*' ? 'every principal' : `${type === 'AWS' ? '' : `${type} `}${values.named(name)}`}`,
          },
          access: { kind, role: who.name, ...(conditions === undefined ? {} : { conditions }) },
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
    const byType: [string, unknown][]
      = typeof value !== 'object' || isFunction(value) ? [['AWS', value]] : Object.entries(value ?? {});
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
