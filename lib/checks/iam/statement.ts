import { itemsOf, Part, partsOf, shown, textOf } from '../app/value';
import type { Template } from '../app/template';

/** A statement that allows something. */
export interface Statement {
  readonly actions: Part[][];
  /** Instead: everything but these. */
  readonly notActions?: Part[][];
  readonly resources: Part[][];
  /** Instead: everything but these. */
  readonly notResources?: Part[][];
  /** Of a policy of a resource: whom it allows it to, whichever kind of principal. */
  readonly principals: Part[][];
  /** Whether `${...}` is a variable, or an escape, in its resources. */
  readonly hasVariables: boolean;
  /** Path within the document, such as `Statement/0`. */
  readonly location: string;
}

/** The statements of a document that allow something; undefined where it is known at the deployment only. */
export function statementsOf(document: unknown, template: Template): Statement[] | undefined {
  const { content, read } = isText(document) ? inText(partsOf(document, template)) : { content: document, read: (value: unknown) => partsOf(value, template) };
  const { Version: version, Statement: statements } = Object(content) as { Version?: unknown; Statement?: unknown };
  if (statements === undefined) {
    return undefined;
  }
  return itemsOf(statements).flatMap((statement, index) => {
    const { Effect, Action, NotAction, Resource, NotResource, Principal } = Object(statement) as Record<string, unknown>;
    const list = (value: unknown) => itemsOf(value).map(read);
    return Effect === 'Deny'
      ? []
      : [{
          actions: list(Action),
          ...NotAction === undefined ? {} : { notActions: list(NotAction) },
          resources: list(Resource),
          ...NotResource === undefined ? {} : { notResources: list(NotResource) },
          principals: principalsIn(Principal).map(read),
          hasVariables: version === '2012-10-17',
          location: `Statement/${index}`,
        }];
  });
}

/**
 * Whether a statement is about an action, such as `rds-db:connect`; undefined where only the deployment knows.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
 */
export function isAbout({ actions, notActions }: Statement, action: string): boolean | undefined {
  const matches = (patterns: Part[][]) => {
    const texts = patterns.map(textOf);
    return texts.some(pattern => pattern !== undefined && matchesPattern(pattern.toLowerCase(), action.toLowerCase()))
      || (texts.includes(undefined) ? undefined : false);
  };
  const excepted = notActions && matches(notActions);
  return notActions ? excepted === undefined ? undefined : !excepted : matches(actions);
}

/** What a statement is about, for people. */
export function resourcesShown({ resources, notResources }: Statement): string {
  return notResources ? `everything but ${notResources.map(shown).join(', ')}` : resources.map(shown).join(', ');
}

/** With `*` for any characters and `?` for one. */
export function matchesPattern(pattern: string, text: string): boolean {
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${expression}$`, 's').test(text);
}

/** `*`, or lists by kind. */
function principalsIn(principal: unknown): unknown[] {
  return typeof principal === 'string' ? [principal] : Object.values(Object(principal) as object).flatMap(itemsOf);
}

function isText(document: unknown): boolean {
  return typeof document === 'string' || ['Fn::Join', 'Fn::Sub'].some(name => name in (Object(document) as object));
}

/** A document that is JSON in a text, as that of a permission set: what is known at the deployment only stands in its strings, as marks from a private plane of Unicode. */
function inText(parts: Part[]): { content: unknown; read: (value: unknown) => Part[] } {
  const mark = (index: number) => `\u{f0000}${index}\u{f0001}`;
  const json = parts.map((part, index) => part.kind === 'text' ? part.text : mark(index)).join('');
  const read = (value: unknown): Part[] => String(value).split(/\u{f0000}(\d+)\u{f0001}/u)
    .map((piece, index): Part => index % 2 === 1 ? parts[Number(piece)] : { kind: 'text', text: piece })
    .filter(part => part.kind !== 'text' || part.text !== '');
  try {
    return { content: JSON.parse(json) as unknown, read };
  } catch {
    return { content: undefined, read }; // not JSON before the deployment
  }
}
