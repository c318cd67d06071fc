/**
 * Files of a folder that `cdk synth` has written: read, and refused where they are not there, or cut off, or another
 * program's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Tells where a value is not of its shape, as in `.Resources.Role is no object`; undefined if it is of it. */
export type Shape = (value: unknown) => string | undefined;

export const text: Shape = value => typeof value === 'string' ? undefined : ' is no text';

export function listOf(item: Shape): Shape {
  return value =>
    Array.isArray(value) ? firstProblem(value.map((each, index) => [`[${index}]`, item(each)])) : ' is no list';
}

/** Of any names. Those of functions, such as Fn::ForEach, are looked at elsewhere. */
export function mapOf(item: Shape): Shape {
  return value =>
    isObject(value)
      ? firstProblem(
          Object.entries(value)
            .filter(([name]) => !name.startsWith('Fn::'))
            .map(([name, each]) => [`.${name}`, item(each)]),
        )
      : ' is no object';
}

/** With these properties. All others may be anything. */
export function object(required: Record<string, Shape>, optional: Record<string, Shape> = {}): Shape {
  return value => isObject(value)
    ? firstProblem([
        ...Object.entries(required).map(([name, shape]) => [`.${name}`, shape(value[name])] as const),
        ...Object.entries(optional).map(
          ([name, shape]) => [`.${name}`, value[name] === undefined ? undefined : shape(value[name])] as const,
        ),
      ])
    : ' is no object';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstProblem(items: (readonly [string, string | undefined])[]): string | undefined {
  const found = items.find(([, problem]) => problem !== undefined);
  return found && found.join('');
}

export function read<Content>(folder: string, file: string, shape: Shape): Content {
  return parse(textOf(folder, file), folder, file, shape);
}

export function textOf(folder: string, file: string): string {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch (error) {
    return unreadable(
      folder,
      file,
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not there' : 'it cannot be read',
      error,
    );
  }
}

export function parse<Content>(content: string, folder: string, file: string, shape: Shape): Content {
  return checked(json(content, folder, file), folder, file, shape);
}

export function json(content: string, folder: string, file: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    return unreadable(folder, file, 'it is not JSON', error);
  }
}

export function checked<Content>(value: unknown, folder: string, file: string, shape: Shape): Content {
  const problem = shape(value);
  return problem === undefined
    ? (value as Content)
    : unreadable(folder, file, problem.replace(/^ /, 'it ').replace(/^\./, ''));
}

export function unreadable(folder: string, file: string, problem: string, cause?: unknown): never {
  throw new Error(
    `${folder} is not complete: ${file || 'a file that its manifest names'}: ${problem}; run cdk synth again`,
    { cause },
  );
}
