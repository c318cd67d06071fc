import { Construct, type IConstruct } from 'constructs';
import { errorAt } from './errors';

/** JavaScript checks no types. What is of a wrong one gets a sentence here, and no TypeError further on. */

/** Where a value was passed; undefined for a static factory, which is called before there is a construct. */
type Scope = IConstruct | undefined;

/** A value in words. */
export function shown(value: unknown): string {
  if (typeof value === 'function') {
    return `the function ${value.name}`;
  }
  if (typeof value === 'number') {
    return `${value}`;
  }
  // Constructs refer to each other in circles, and a list may have some.
  return classOf(value) ?? JSON.stringify(value, (_key, item: unknown) => classOf(item) ?? item) ?? String(value);
}

function classOf(value: unknown): string | undefined {
  if (Construct.isConstruct(value)) {
    return `the construct ${value.node.path}`;
  }
  if (typeof value === 'bigint') {
    return `${value}n`;
  }
  // An object without a prototype has no class.
  const isClass
    = typeof value === 'object'
      && value !== null
      && ![Object, Array, undefined].some(plain => value.constructor === plain);
  return isClass ? `of class ${value.constructor.name}` : undefined;
}

/** @param what what it is, as in "id of the users" */
export function notText(what: string, value: unknown): string | undefined {
  return typeof value === 'string' ? undefined : `${what} is ${shown(value)}, and must be a text; pass a string`;
}

/** @param what what it is, as in "schemas of database "shop"" */
export function notList(what: string, value: unknown): string | undefined {
  return Array.isArray(value)
    ? undefined
    : `${what} is ${shown(value)}, and must be a list; pass [${typeof value === 'string' ? JSON.stringify(value) : '...'}]`;
}

export function requireText(scope: Scope, what: string, value: unknown): void {
  refuse(scope, notText(what, value));
}

export function requireList(scope: IConstruct, what: string, value: unknown): void {
  refuse(scope, notList(what, value));
}

/** @param instead how one gets a construct of what was meant */
export function requireConstruct(scope: Scope, what: string, value: unknown, instead: string): void {
  refuse(
    scope,
    Construct.isConstruct(value) ? undefined : `${what} is ${shown(value)}, and must be a construct; pass ${instead}`,
  );
}

/**
 * Of a construct that may be left out.
 *
 * @param property what constructs of its kind have, made in this app or imported
 * @param kind as in "a log group"
 */
export function requireKind(
  scope: Scope,
  what: string,
  value: unknown,
  property: string,
  kind: string,
  instead: string,
): void {
  requireOneOf(
    scope,
    what,
    value,
    one => Construct.isConstruct(one) && property in one,
    `the construct of ${kind}`,
    instead,
  );
}

/** Of a value that may be left out. */
export function requireOneOf(
  scope: Scope,
  what: string,
  value: unknown,
  isOne: (value: unknown) => boolean,
  kind: string,
  instead: string,
): void {
  refuse(
    scope,
    value === undefined || isOne(value)
      ? undefined
      : `${what} is ${shown(value)}, and must be ${kind}; pass ${instead}`,
  );
}

/** The text "false", as of a context value of the CDK CLI, would count as true. */
export function requireFlag(scope: IConstruct, what: string, value: unknown): void {
  refuse(scope, [undefined, true, false].some(one => one === value)
    ? undefined
    : `${what} is ${shown(value)}, and must be true or false; pass a boolean`);
}

/**
 * Of a value that only this library makes: another one would count as none, and the default would apply.
 *
 * @param property what such a value has inside
 * @param instead what makes one
 */
export function requireOwn(scope: IConstruct, what: string, value: unknown, property: string, instead: string): void {
  const isOwn = value === undefined || (typeof value === 'object' && value !== null && property in value);
  refuse(scope, isOwn ? undefined : `${what} is ${shown(value)}, and must be a value of this library; pass ${instead}`);
}

/**
 * A construct in place of its options, such as a proxy for `{ through: proxy }`, would count as options that say
 * nothing.
 *
 * @param what what they are, as in "props"
 */
export function requireOptions(scope: Scope, what: string, value: unknown): void {
  refuse(scope, typeof value === 'object' && value !== null && !Array.isArray(value) && !Construct.isConstruct(value)
    ? undefined
    : `${what} is ${shown(value)}, and must be an object; pass { ... }`);
}

/** A topic is none: an action tells an alarm what to do with it. */
export function requireAction(scope: IConstruct, action: unknown): void {
  const { bind } = Object(action) as { readonly bind?: unknown };
  const isAction = action === undefined || typeof bind === 'function';
  refuse(
    scope,
    isAction
      ? undefined
      : `action is ${shown(action)}, and must be an action of an alarm; pass new SnsAction(topic) of aws-cloudwatch-actions`,
  );
}

function refuse(scope: Scope, problem: string | undefined): void {
  if (problem !== undefined) {
    throw scope ? errorAt(scope, problem) : new Error(problem);
  }
}
