import { ProvisionError } from './errors';

// How the properties of an event are taken apart: what is not known, or not of the kind it should be, is refused.

export function entries(where: string, value: unknown): [string, unknown][] {
  return Object.entries(object(where, value)).sort(byFirst);
}

export function exactly(where: string, value: unknown, keys: string[]): { [key: string]: unknown } {
  const record = object(where, value);
  const unknown = Object.keys(record).find(key => !keys.includes(key));
  return unknown === undefined
    ? record
    : refuse('property', unknown, `${where} has only ${keys.join(', ')}`, 'remove it, or update the provisioner');
}

export function object(where: string, value: unknown): { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value as { [key: string]: unknown }
    : refuse(where, value, 'it is not an object', 'pass an object');
}

export function text(where: string, value: unknown): string {
  return typeof value === 'string' ? value : refuse(where, value, 'it is not a string', 'pass a string');
}

export function texts(where: string, value: unknown): string[] {
  return Array.isArray(value)
    ? value.map(item => text(where, item))
    : refuse(where, value, 'it is not a list', 'pass a list of strings');
}

export function list(where: string, value: unknown): unknown[] {
  return Array.isArray(value) ? value : refuse(where, value, 'it is not a list', 'pass a list');
}

export function refuse(what: string, value: unknown, rule: string, remedy: string): never {
  throw new ProvisionError(`${what} ${shown(value)} is not allowed: ${rule}; ${remedy}`);
}

/** So much of a value that what follows it is still in the reason. */
const MAX_SHOWN = 500;

function shown(value: unknown): string {
  let json: string;
  try {
    json = JSON.stringify(value) ?? 'that is missing';
  } catch {
    json = 'that is nested too deeply'; // the stack of JSON.stringify() has an end
  }
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}...` : json;
}

export function flag(where: string, value: unknown): boolean {
  return value === undefined || value === 'false'
    ? false
    : value === 'true' || refuse(where, value, 'it is neither true nor false', 'pass one of them');
}

/** @param problem as a check of a name returns it */
export function throwProblem(problem: string | undefined): void {
  if (problem !== undefined) {
    throw new ProvisionError(problem);
  }
}

export function distinct(items: string[]): string[] {
  return [...new Set(items)].sort();
}

function byFirst([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : Number(a > b);
}
