export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: PolicyStatement | PolicyStatement[];
}

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action?: string | string[];
  readonly NotAction?: string | string[];
  readonly Resource?: string | string[];
  readonly NotResource?: string | string[];
  readonly Condition?: unknown;
}

const STATEMENT_ELEMENTS = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];

/** Policy variables, and with them the escapes ${*}, ${?} and ${$}, exist in this version only. */
const VERSION_WITH_VARIABLES = '2012-10-17';

/**
 * Decides by the identity-based policies of one principal, within one account. What it does not know it does not
 * guess: it throws.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export class IdentityPolicies {
  constructor(private readonly documents: PolicyDocument[]) {}

  /** Default is no; an explicit Deny outweighs every Allow. */
  allows(action: string, resource: string): boolean {
    const effects = this.documents.flatMap(document =>
      list(document.Statement).filter(statement => applies(statement, document.Version, action, resource)).map(({ Effect }) => Effect));
    return effects.includes('Allow') && !effects.includes('Deny');
  }
}

function applies(statement: PolicyStatement, version: string | undefined, action: string, resource: string): boolean {
  const unknown = Object.keys(statement).find(element => !STATEMENT_ELEMENTS.includes(element));
  if (unknown || !['Allow', 'Deny'].includes(statement.Effect)) {
    throw new Error(`policy statement ${JSON.stringify(statement)} cannot be evaluated: ${unknown ?? `Effect ${statement.Effect}`} is not known`);
  }
  const matchesAction = anyOf(statement.Action, statement.NotAction, pattern => matches(pattern, action.toLowerCase(), undefined, true));
  const matchesResource = anyOf(statement.Resource, statement.NotResource, pattern => matches(pattern, resource, version, false));
  if (matchesAction && matchesResource && statement.Condition !== undefined) {
    throw new Error(`policy statement ${JSON.stringify(statement)} cannot be evaluated: conditions are not rehearsed`);
  }
  return matchesAction && matchesResource;
}

function anyOf(positive: string | string[] | undefined, negative: string | string[] | undefined, test: (pattern: string) => boolean): boolean {
  if ((positive === undefined) === (negative === undefined)) {
    throw new Error('a policy statement needs exactly one of Action and NotAction, and one of Resource and NotResource');
  }
  return positive === undefined ? !list(negative!).some(test) : list(positive).some(test);
}

function matches(pattern: string, text: string, version: string | undefined, ignoreCase: boolean): boolean {
  const parts = version === VERSION_WITH_VARIABLES ? /\$\{([^}]*)\}|[^]/gu : /[^]/gu;
  const expression = [...pattern.matchAll(parts)].map(([part, variable]: (string | undefined)[]) => {
    if (variable !== undefined) {
      return literal(valueOf(variable, pattern));
    }
    return part === '*' ? '.*' : part === '?' ? '.' : literal(part ?? '');
  }).join('');
  return new RegExp(`^${expression}$`, ignoreCase ? 'isu' : 'su').test(text);
}

function valueOf(variable: string, pattern: string): string {
  if (!['*', '?', '$'].includes(variable)) {
    throw new Error(`policy variable \${${variable}} in ${JSON.stringify(pattern)} is not rehearsed`);
  }
  return variable;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
}

function list<Item>(items: Item | Item[]): Item[] {
  return Array.isArray(items) ? items : [items];
}
