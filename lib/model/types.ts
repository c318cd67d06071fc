import { Construct, type IConstruct } from 'constructs';
import { errorAt } from './errors';

/** JavaScript checks no types. What is of a wrong one gets a sentence here, and no TypeError further on. */

/** A value in words. */
export function shown(value: unknown): string {
  const isClass = typeof value === 'object' && value !== null && ![Object, Array].some(plain => value.constructor === plain);
  return isClass ? `of class ${value.constructor.name}` : JSON.stringify(value) ?? String(value);
}

/** @param what what it is, as in "id of the users" */
export function notText(what: string, value: unknown): string | undefined {
  return typeof value === 'string' ? undefined : `${what} is ${shown(value)}, and must be a text; pass a string`;
}

/** @param what what it is, as in "schemas of database "shop"" */
export function notList(what: string, value: unknown): string | undefined {
  return Array.isArray(value) ? undefined : `${what} is ${shown(value)}, and must be a list; pass [${typeof value === 'string' ? JSON.stringify(value) : '...'}]`;
}

export function requireText(scope: IConstruct, what: string, value: unknown): void {
  refuse(scope, notText(what, value));
}

export function requireList(scope: IConstruct, what: string, value: unknown): void {
  refuse(scope, notList(what, value));
}

/** @param instead how one gets a construct of what was meant */
export function requireConstruct(scope: IConstruct, what: string, value: unknown, instead: string): void {
  refuse(scope, Construct.isConstruct(value) ? undefined : `${what} is ${shown(value)}, and must be a construct; pass ${instead}`);
}

function refuse(scope: IConstruct, problem: string | undefined): void {
  if (problem !== undefined) {
    throw errorAt(scope, problem);
  }
}
