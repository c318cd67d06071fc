import { itemsOf, jsonIn, type Part, partsOf, settingOf, shown, textOf, textsOf } from '../app/value';
import type { Template } from '../app/template';
import { withoutDynamicReferences } from './pattern';

/** A statement that allows something, or denies it. */
export interface Statement {
  /** It denies. */
  readonly denies?: boolean;
  readonly actions: Part[][];
  /** Instead: everything but these. */
  readonly notActions?: Part[][];
  readonly resources: Part[][];
  /** Instead: everything but these. */
  readonly notResources?: Part[][];
  /** Of a policy of a resource: whom it allows it to, whichever kind of principal. */
  readonly principals: Part[][];
  /** Instead: every principal but these. */
  readonly notPrincipals?: Part[][];
  /** The keys of its condition, as they are written. */
  readonly conditionKeys?: string[];
  /** Only the deployment knows whether it allows anything. */
  readonly unknown?: boolean;
  /** Whether `${...}` is a variable, or an escape, in its resources. */
  readonly hasVariables: boolean;
  /** Path within the document, such as `Statement/0`. */
  readonly location: string;
}

/** The statements of a document; undefined where it is known at the deployment only. */
export function statementsOf(document: unknown, template: Template): Statement[] | undefined {
  const { Version: version, Statement: statements } = Object(jsonIn(document, template)) as {
    Version?: unknown;
    Statement?: unknown;
  };
  if (statements === undefined) {
    return undefined;
  }
  return itemsOf(statements).flatMap((statement, index) => {
    const { Effect, Action, NotAction, Resource, NotResource, Principal, NotPrincipal, Condition } = Object(
      statement,
    ) as Record<string, unknown>;
    const effect = settingOf(Effect, template);
    const list = (value: unknown) => textsOf(value, template);
    const location = `Statement/${index}`;
    if (effect.state === 'unset') {
      // Not a statement, but a function that gives one.
      const open = partsOf(statement, template);
      return [{ actions: [open], resources: [open], principals: [open], hasVariables: true, unknown: true, location }];
    }
    return [{
      actions: list(Action),
      ...NotAction === undefined ? {} : { notActions: list(NotAction) },
      resources: list(Resource),
      ...NotResource === undefined ? {} : { notResources: list(NotResource) },
      principals: principalsIn(Principal).flatMap(list),
      ...NotPrincipal === undefined ? {} : { notPrincipals: principalsIn(NotPrincipal).flatMap(list) },
      ...Condition === undefined ? {} : { conditionKeys: conditionKeysIn(Condition) },
      hasVariables: version === '2012-10-17',
      ...effect.state === 'unknown' ? { unknown: true } : {},
      ...effect.state === 'known' && effect.value === 'Deny' ? { denies: true } : {},
      location,
    }];
  });
}

/** Where it is a function, which only the deployment evaluates, the name of that. */
function conditionKeysIn(condition: unknown): string[] {
  const operators = Object.entries(Object(condition) as object) as [string, unknown][];
  return [...new Set(operators.flatMap(([operator, tests]) =>
    isFunction(operator) ? [operator] : Object.keys(Object(tests) as object)))];
}

const isFunction = (name: string) => name === 'Ref' || name.startsWith('Fn::');

/**
 * Whether a statement is about an action, such as `rds-db:connect`; undefined where only the deployment knows.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
 */
export function isAbout(statement: Statement, action: string): boolean | undefined {
  const { notActions, unknown } = statement;
  const matching = patternsOf(statement).filter(({ text }) => matchesAction(text, action.toLowerCase()));
  const matches = matching.some(({ isOpen }) => !isOpen) || (matching.length > 0 ? undefined : false);
  const is = notActions && matches !== undefined ? !matches : matches;
  return is && unknown ? undefined : is;
}

interface ActionPattern {
  /** In lower case, with `*` for what only the deployment knows. */
  readonly text: string;
  /** Whether there is such a part. */
  readonly isOpen: boolean;
}

const patterns = new WeakMap<Statement, ActionPattern[]>();

function patternsOf(statement: Statement): ActionPattern[] {
  const known
    = patterns.get(statement)
      ?? (statement.notActions ?? statement.actions).map(withoutDynamicReferences).map(action => ({
        text: action
          .map(part => (part.kind === 'text' ? part.text : '*'))
          .join('')
          .toLowerCase(),
        isOpen: textOf(action) === undefined,
      }));
  patterns.set(statement, known);
  return known;
}

/** What a statement is about, for people. */
export function resourcesShown({ resources, notResources }: Statement): string {
  return notResources ? `everything but ${notResources.map(shown).join(', ')}` : resources.map(shown).join(', ');
}

/** Whom a statement of a policy of a resource allows something to, for people. */
export function principalsShown({ principals, notPrincipals }: Statement): string[] {
  return notPrincipals ? [`every principal but ${notPrincipals.map(shown).join(', ')}`] : principals.map(shown);
}

/** With `*` for any characters and `?` for one. */
function matchesAction(pattern: string, action: string): boolean {
  if (!/[*?]/.test(pattern)) {
    return pattern === action;
  }
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${expression}$`, 's').test(action);
}

/** `*`, or lists by kind; those of both branches of an `Fn::If`. */
function principalsIn(principal: unknown): unknown[] {
  return itemsOf(principal).flatMap((each) => {
    const byKind = Object(each) as object;
    return typeof each === 'string' || Object.keys(byKind).some(isFunction)
      ? [each]
      : Object.values(byKind).flatMap(itemsOf);
  });
}
