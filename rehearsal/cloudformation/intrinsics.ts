import { arrayOf, at, fail, list, NO_VALUE, object, scalar, show, splitOnce, text } from './intrinsic-arguments';

export { NO_VALUE };

/** What the names in a template stand for. */
export interface Scope {
  /** A parameter, pseudo parameter or resource. */
  ref(name: string): unknown;
  attribute(logicalId: string, attribute: string): unknown;
  mapping(name: string, first: string, second: string): unknown;
  /** The expression of a condition. */
  condition(name: string): unknown;
  importValue(name: string): unknown;
  /** An output of a stack, as Fn::GetStackOutput names it. */
  stackOutput(request: StackOutputRequest): unknown;
  /**
   * What stands for a value that cannot be resolved.
   *
   * @default - it is an error
   */
  readonly invent?: (path: string) => unknown;
  isResource(name: string): boolean;
  readonly region: string;
  /** Whether the template has the transform AWS::LanguageExtensions. */
  readonly languageExtensions: boolean;
}

/**
 * @see
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
 */
export interface StackOutputRequest {
  readonly stackName: string;
  readonly outputName: string;
  /** @default - the Region of the stack that asks */
  readonly region?: string;
}

type Arguments = { value: unknown; scope: Scope; path: string };

const FUNCTIONS: Record<string, (call: Arguments) => unknown> = {
  'Ref': ({ value, scope, path }) => {
    const name = text(value, path);
    return at(path, () => scope.ref(name));
  },
  'Fn::GetAtt': ({ value, scope, path }) => {
    const [first, second] = typeof value === 'string' ? splitOnce(value) : arrayOf(value, 2, path);
    const [logicalId, attribute] = [text(first, path), text(resolve(second, scope, path), path)];
    return at(path, () => scope.attribute(logicalId, attribute));
  },
  'Fn::Join': ({ value, scope, path }) => {
    const [delimiter, items] = arrayOf(value, 2, path);
    return list(resolve(items, scope, path), path).map(item => scalar(item, path)).join(text(delimiter, path));
  },
  'Fn::Sub': ({ value, scope, path }) => {
    const [template, variables] = typeof value === 'string' ? [value, {}] : arrayOf(value, 2, path);
    return substitute(text(template, path), object(variables, path), scope, path);
  },
  'Fn::Split': ({ value, scope, path }) => {
    const [delimiter, source] = arrayOf(value, 2, path);
    return text(resolve(source, scope, path), path).split(
      text(delimiter, path) || fail(path, 'an empty delimiter is not rehearsed'),
    );
  },
  'Fn::Select': ({ value, scope, path }) => {
    const [index, items] = arrayOf(value, 2, path);
    const [position, all] = [scalar(resolve(index, scope, path), path), list(resolve(items, scope, path), path)];
    if (Array.isArray(items) && items.length > all.length) {
      fail(path, 'AWS::NoValue is not allowed in a list to select from');
    }
    return (
      (/^\d+$/.test(position) ? all[Number(position)] : undefined)
      ?? fail(path, `there is no item ${position} in ${JSON.stringify(all)}`)
    );
  },
  'Fn::FindInMap': ({ value, scope, path }) => {
    const [name, first, second, fallback] = arrayOf(value, list(value, path).length === 4 ? 4 : 3, path);
    const keys = [name, first, second].map(key => scalar(withoutResources(key, scope, path), path));
    if (fallback !== undefined || ![name, first, second].every(isSimpleKey)) {
      needExtensions(scope, path, 'a default, or a function other than Ref and Fn::FindInMap,');
    }
    return (
      at(path, () => scope.mapping(keys[0], keys[1], keys[2]))
      ?? (fallback === undefined
        ? fail(path, `mapping ${keys[0]} has no ${keys[1]}, ${keys[2]}`)
        : resolve(defaultValue(fallback, path), scope, path))
    );
  },
  'Fn::If': ({ value, scope, path }) => {
    const [condition, whenTrue, whenFalse] = arrayOf(value, 3, path);
    return resolve(holds({ Condition: condition }, scope, path) ? whenTrue : whenFalse, scope, path);
  },
  'Fn::Base64': ({ value, scope, path }) => Buffer.from(text(resolve(value, scope, path), path)).toString('base64'),
  'Fn::GetAZs': ({ value, scope, path }) => {
    const region = text(resolve(value, scope, path), path) || scope.region;
    return ['a', 'b', 'c'].map(zone => `${region}${zone}`);
  },
  'Fn::ImportValue': ({ value, scope, path }) => {
    const name = text(withoutResources(value, scope, path), path);
    return at(path, () => scope.importValue(name));
  },
  // The role is assumed where the stack is in another account; in a rehearsal every account is in reach.
  'Fn::GetStackOutput': ({ value, scope, path }) => {
    const { StackName, OutputName, Region } = object(value, path);
    const [stackName, outputName] = [StackName, OutputName].map(name =>
      text(withoutResources(name, scope, path), path),
    );
    const region = Region === undefined ? undefined : text(withoutResources(Region, scope, path), path);
    return at(path, () => scope.stackOutput({ stackName, outputName, region }));
  },
  'Fn::Length': ({ value, scope, path }) => {
    needExtensions(scope, path);
    refuseNoValue(value, path);
    return list(withoutResources(value, scope, path), path).length;
  },
  'Fn::ToJsonString': ({ value, scope, path }) => {
    needExtensions(scope, path);
    refuseNoValue(value, path);
    const json = resolve(
      value,
      { ...scope, attribute: (...names) => attributeInJson(names, scope.attribute(...names)) },
      path,
    );
    return typeof json === 'object'
      ? JSON.stringify(json)
      : fail(path, `expected an object or a list, not ${show(json)}`);
  },
};

/** Whether `Ref` or an `Fn::` function is rehearsed. */
export function isRehearsed(intrinsic: string): boolean {
  return Object.hasOwn(FUNCTIONS, intrinsic);
}

/** The value with all intrinsic functions resolved. An unknown one throws, with the path to it. */
export function resolve(value: unknown, scope: Scope, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, i) => resolve(item, scope, `${path}[${i}]`)).filter(item => item !== NO_VALUE);
  }
  if (typeof value !== 'object') {
    return value;
  }
  if (value === null) {
    return fail(path, 'null is not allowed in a template');
  }
  try {
    const name = intrinsicOf(value, path);
    if (name !== undefined) {
      return FUNCTIONS[name]({ value: (value as Record<string, unknown>)[name], scope, path: `${path}.${name}` });
    }
  } catch (error) {
    if (scope.invent) {
      return scope.invent(path);
    }
    throw error;
  }
  const entries = Object.entries(value).map(([key, item]) => [key, resolve(item, scope, `${path}.${key}`)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== NO_VALUE));
}

/**
 * Whether a condition expression is true.
 *
 * @param under conditions that are being looked at
 */
export function holds(expression: unknown, scope: Scope, path: string, under: string[] = []): boolean {
  const functions = Object.entries(object(expression, path));
  if (functions.length !== 1) {
    fail(path, `a condition has exactly one function, not ${show(expression)}`);
  }
  const [[name, value]] = functions;
  const within = `${path}.${name}`;
  const each = (least: number, most: number) => {
    const items = list(value, within);
    return items.length < least || items.length > most
      ? fail(within, `expected ${least === most ? least : `${least} to ${most}`} conditions, not ${items.length}`)
      : items.map(item => holds(item, scope, within, under));
  };
  switch (name) {
    case 'Condition': {
      const condition = text(value, within);
      if (under.includes(condition)) {
        fail(
          path,
          `circular dependency between conditions: ${[...under.slice(under.indexOf(condition)), condition].join(' -> ')}`,
        );
      }
      return holds(at(path, () => scope.condition(condition)), scope, `Conditions.${condition}`, [...under, condition]);
    }
    case 'Fn::Equals': {
      const [left, right] = arrayOf(value, 2, within).map(side =>
        scalar(withoutResources(side, scope, within), within),
      );
      return left === right;
    }
    case 'Fn::And': return each(2, 10).every(Boolean);
    case 'Fn::Or': return each(2, 10).some(Boolean);
    case 'Fn::Not': return !each(1, 1)[0];
    default: return fail(path, `condition function ${name} is not rehearsed`);
  }
}

/** Names of resources and parameters that a value refers to. */
export function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, item]) => {
    const [first, second] = (Array.isArray(item) ? item : [item, undefined]) as [unknown, unknown];
    switch (key) {
      case 'Ref': return [String(item)];
      case 'Fn::GetAtt': return [splitOnce(String(first))[0], ...referencesIn([second])];
      case 'Fn::Sub': {
        const names = [...String(first).matchAll(VARIABLE)]
          .map(([, name]) => name)
          .filter(name => !name.startsWith('!'));
        return [
          ...names.filter(name => !Object.hasOwn(Object(second) as object, name)).map(name => splitOnce(name)[0]),
          ...referencesIn(second),
        ];
      }
      default: return referencesIn(item);
    }
  });
}

const VARIABLE = /\$\{([^}]*)\}/g;

function substitute(template: string, variables: Record<string, unknown>, scope: Scope, path: string): string {
  return template.replace(VARIABLE, (variable, name: string) => {
    if (name.startsWith('!')) {
      return `\${${name.slice(1)}}`;
    }
    if (!/^[\w.:]+$/.test(name)) {
      fail(
        path,
        `${variable} is not allowed: a name has letters, digits, underscores, periods and colons; write \${!${name}} for the text itself`,
      );
    }
    if (Object.hasOwn(variables, name)) {
      return scalar(resolve(variables[name], scope, `${path}.${name}`), path);
    }
    const [logicalId, attribute] = splitOnce(name);
    return scalar(
      at(path, () => (attribute === undefined ? scope.ref(logicalId) : scope.attribute(logicalId, attribute))),
      path,
    );
  });
}

/** Where CloudFormation allows parameters, mappings and conditions, but nothing that exists later. */
function withoutResources(value: unknown, scope: Scope, path: string): unknown {
  const name = referencesIn([value]).find(each => scope.isResource(each));
  return name === undefined
    ? resolve(value, scope, path)
    : fail(path, `resource ${name} is not allowed here: this must be known before any resource exists`);
}

function needExtensions(scope: Scope, path: string, what = 'this function'): void {
  if (!scope.languageExtensions) {
    fail(path, `${what} needs the transform AWS::LanguageExtensions in the template`);
  }
}

function refuseNoValue(value: unknown, path: string): void {
  if (referencesIn([value]).includes('AWS::NoValue')) {
    fail(path, 'AWS::NoValue in it is not rehearsed: CloudFormation does not document what happens to it');
  }
}

/** The transform makes an Fn::Sub of the JSON, which takes nothing but strings. */
function attributeInJson(names: string[], value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  throw new Error(`${names.join('.')} is not a string; CloudFormation puts no other attribute into JSON`);
}

function isSimpleKey(key: unknown): boolean {
  return typeof key !== 'object' || key === null || ['Ref', 'Fn::FindInMap'].includes(Object.keys(key)[0]);
}

function defaultValue(argument: unknown, path: string): unknown {
  const { DefaultValue: value, ...others } = object(argument, path);
  return value !== undefined && Object.keys(others).length === 0
    ? value
    : fail(path, `expected {"DefaultValue": ...}, not ${show(argument)}`);
}

function intrinsicOf(value: object, path: string): string | undefined {
  const keys = Object.keys(value);
  const name = keys.find(key => key === 'Ref' || key.startsWith('Fn::'));
  if (name !== undefined && !Object.hasOwn(FUNCTIONS, name)) {
    fail(path, `${name} is not rehearsed`);
  }
  if (name !== undefined && keys.length > 1) {
    fail(path, `${name} stands beside ${keys.filter(key => key !== name).join(', ')}`);
  }
  return name;
}
