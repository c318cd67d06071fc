/** What Ref AWS::NoValue gives: whatever holds it is left out. */
export const NO_VALUE = Symbol('AWS::NoValue');

/** The work, with the path in front of what it complains about. */
export function at<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

export function splitOnce(name: string): [string, string | undefined] {
  const dot = name.indexOf('.');
  return dot < 0 ? [name, undefined] : [name.slice(0, dot), name.slice(dot + 1)];
}

export function arrayOf(value: unknown, length: number, path: string): unknown[] {
  return Array.isArray(value) && value.length === length
    ? value
    : fail(path, `expected ${length} arguments, not ${show(value)}`);
}

export function list(value: unknown, path: string): unknown[] {
  return Array.isArray(value) ? value : fail(path, `expected a list, not ${show(value)}`);
}

export function text(value: unknown, path: string): string {
  return typeof value === 'string' ? value : fail(path, `expected a string, not ${show(value)}`);
}

export function scalar(value: unknown, path: string): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : fail(path, `expected a string, not ${show(value)}`);
}

export function object(value: unknown, path: string): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : fail(path, `expected an object, not ${show(value)}`);
}

export function show(value: unknown): string {
  return value === NO_VALUE ? 'AWS::NoValue' : JSON.stringify(value);
}

export function fail(path: string, problem: string): never {
  throw new Error(`${path}: ${problem}`);
}
