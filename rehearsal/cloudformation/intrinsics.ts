import { isDeepStrictEqual } from 'node:util';

/** What the names in a template stand for. */
export interface Scope {
  /** A parameter, pseudo parameter or resource. */
  ref(name: string): unknown;
  attribute(logicalId: string, attribute: string): unknown;
  mapping(name: string, first: string, second: string): unknown;
  /** The expression of a condition. */
  condition(name: string): unknown;
  importValue(name: string): unknown;
  readonly region: string;
}

/** What Ref AWS::NoValue gives: whatever holds it is left out. */
export const NO_VALUE = Symbol('AWS::NoValue');

type Arguments = { value: unknown; scope: Scope; path: string };

const FUNCTIONS: Record<string, (call: Arguments) => unknown> = {
  'Ref': ({ value, scope, path }) => scope.ref(text(value, path)),
  'Fn::GetAtt': ({ value, scope, path }) => {
    const [logicalId, attribute] = typeof value === 'string' ? splitOnce(value) : arrayOf(value, 2, path);
    return scope.attribute(text(logicalId, path), text(resolve(attribute, scope, path), path));
  },
  'Fn::Join': ({ value, scope, path }) => {
    const [delimiter, items] = arrayOf(value, 2, path);
    return list(resolve(items, scope, path), path).map(item => scalar(item, path)).join(text(delimiter, path));
  },
  'Fn::Sub': ({ value, scope, path }) => {
    const [template, variables] = typeof value === 'string' ? [value, {}] : arrayOf(value, 2, path);
    return substitute(text(template, path), variables as Record<string, unknown>, scope, path);
  },
  'Fn::Split': ({ value, scope, path }) => {
    const [delimiter, source] = arrayOf(value, 2, path);
    return text(resolve(source, scope, path), path).split(text(delimiter, path));
  },
  'Fn::Select': ({ value, scope, path }) => {
    const [index, items] = arrayOf(value, 2, path);
    const item = list(resolve(items, scope, path), path)[Number(resolve(index, scope, path))];
    return item ?? fail(path, `Fn::Select finds no item ${String(index)}`);
  },
  'Fn::FindInMap': ({ value, scope, path }) => {
    const [name, first, second] = arrayOf(value, 3, path).map(key => text(resolve(key, scope, path), path));
    return scope.mapping(name, first, second) ?? fail(path, `mapping ${name} has no ${first}, ${second}`);
  },
  'Fn::If': ({ value, scope, path }) => {
    const [condition, whenTrue, whenFalse] = arrayOf(value, 3, path);
    return resolve(holds({ Condition: condition }, scope, path) ? whenTrue : whenFalse, scope, path);
  },
  'Fn::Base64': ({ value, scope, path }) => Buffer.from(text(resolve(value, scope, path), path)).toString('base64'),
  'Fn::GetAZs': ({ value, scope, path }) => {
    const region = resolve(value, scope, path) || scope.region;
    return ['a', 'b', 'c'].map(zone => `${text(region, path)}${zone}`);
  },
  'Fn::ImportValue': ({ value, scope, path }) => scope.importValue(text(resolve(value, scope, path), path)),
};

/** The value with all intrinsic functions resolved. An unknown one throws, with the path to it. */
export function resolve(value: unknown, scope: Scope, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, i) => resolve(item, scope, `${path}[${i}]`)).filter(item => item !== NO_VALUE);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const name = intrinsicOf(value, path);
  if (name !== undefined) {
    return FUNCTIONS[name]({ value: (value as Record<string, unknown>)[name], scope, path });
  }
  const entries = Object.entries(value).map(([key, item]) => [key, resolve(item, scope, `${path}.${key}`)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== NO_VALUE));
}

/** Whether a condition expression is true. */
export function holds(expression: unknown, scope: Scope, path: string): boolean {
  const [[name, value], ...more] = Object.entries(expression as Record<string, unknown>);
  if (more.length > 0) {
    fail(path, 'a condition has exactly one function');
  }
  const each = () => list(value, path).map(item => holds(item, scope, path));
  switch (name) {
    case 'Condition': return holds(scope.condition(text(value, path)), scope, `Conditions.${text(value, path)}`);
    case 'Fn::Equals': {
      const [left, right] = arrayOf(value, 2, path).map(side => resolve(side, scope, path));
      return isDeepStrictEqual(left, right);
    }
    case 'Fn::And': return each().every(Boolean);
    case 'Fn::Or': return each().some(Boolean);
    case 'Fn::Not': return !each()[0];
    default: return fail(path, `condition function ${name} is not rehearsed`);
  }
}

/** Names of resources and parameters that a value refers to. */
export function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, item]) => {
    switch (key) {
      case 'Ref': return [String(item)];
      case 'Fn::GetAtt': return [String(typeof item === 'string' ? splitOnce(item)[0] : (item as unknown[])[0])];
      case 'Fn::Sub': {
        const [template, variables] = (typeof item === 'string' ? [item, {}] : item) as [string, object];
        const names = [...template.matchAll(VARIABLE)].map(([, name]) => splitOnce(name)[0]);
        return [...names, ...referencesIn(variables)];
      }
      default: return referencesIn(item);
    }
  });
}

const VARIABLE = /\$\{([^}!][^}]*)\}/g;

function substitute(template: string, variables: Record<string, unknown>, scope: Scope, path: string): string {
  const values = template.replace(VARIABLE, (_, name: string) => {
    if (Object.hasOwn(variables, name)) {
      return scalar(resolve(variables[name], scope, path), path);
    }
    const [logicalId, attribute] = splitOnce(name);
    return scalar(attribute === undefined ? scope.ref(logicalId) : scope.attribute(logicalId, attribute), path);
  });
  return values.replace(/\$\{!([^}]*)\}/g, '${$1}');
}

function intrinsicOf(value: object, path: string): string | undefined {
  const keys = Object.keys(value);
  const name = keys.find(key => key === 'Ref' || key.startsWith('Fn::'));
  if (name !== undefined && (keys.length > 1 || !Object.hasOwn(FUNCTIONS, name))) {
    fail(path, keys.length > 1 ? `${name} stands beside ${keys.filter(key => key !== name).join(', ')}` : `${name} is not rehearsed`);
  }
  return name;
}

function splitOnce(name: string): [string, string | undefined] {
  const dot = name.indexOf('.');
  return dot < 0 ? [name, undefined] : [name.slice(0, dot), name.slice(dot + 1)];
}

function arrayOf(value: unknown, length: number, path: string): unknown[] {
  return Array.isArray(value) && value.length === length ? value : fail(path, `expected ${length} arguments, not ${JSON.stringify(value)}`);
}

function list(value: unknown, path: string): unknown[] {
  return Array.isArray(value) ? value : fail(path, `expected a list, not ${JSON.stringify(value)}`);
}

function text(value: unknown, path: string): string {
  return typeof value === 'string' ? value : fail(path, `expected a string, not ${JSON.stringify(value)}`);
}

function scalar(value: unknown, path: string): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : fail(path, `expected a string, not ${value === NO_VALUE ? 'AWS::NoValue' : JSON.stringify(value)}`);
}

function fail(path: string, problem: string): never {
  throw new Error(`${path}: ${problem}`);
}
