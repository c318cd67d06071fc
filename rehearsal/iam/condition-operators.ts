import { ValueType } from './condition-keys';
import { arnParts, matchesArn, matchesString, Pattern, textOf } from './pattern';

export interface Operator {
  readonly type: ValueType;
  /** Whether it holds when no value matches, as when the key is absent. */
  readonly negated: boolean;
  /** Reads the value of the policy, and throws when it is not of the operator's type. */
  readonly matcher: (expected: Pattern) => (actual: string) => boolean;
}

/** An operator as a policy writes it. */
export interface NamedOperator extends Operator {
  readonly set?: string;
  readonly ifExists: boolean;
}

/** What a comparison of two sortable values must give. */
const ORDERS: Record<string, (difference: number) => boolean> = {
  Equals: difference => difference === 0,
  LessThan: difference => difference < 0,
  LessThanEquals: difference => difference <= 0,
  GreaterThan: difference => difference > 0,
  GreaterThanEquals: difference => difference >= 0,
};

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...withNegation('String', 'Equals', expected => actual => actual === textOf(expected)),
  ...withNegation(
    'String',
    'EqualsIgnoreCase',
    expected => actual => actual.toLowerCase() === textOf(expected).toLowerCase(),
  ),
  ...withNegation('String', 'Like', expected => actual => matchesString(expected, actual)),
  ...ordered('Numeric', numberOf),
  ...ordered('Date', secondsOf),
  operator('Bool', 'Bool', false, comparing(booleanOf, (actual, expected) => actual === expected)),
  // The two behave identically.
  ...withNegation('Arn', 'Equals', arnMatcher),
  ...withNegation('Arn', 'Like', arnMatcher),
  operator('IpAddress', 'IpAddress', false, addressMatcher),
  operator('NotIpAddress', 'IpAddress', true, addressMatcher),
]);

/** Of all but Null, which looks at no value. Throws at one that IAM does not know or that is not rehearsed. */
export function operatorOf(name: string): NamedOperator {
  const [, set, base, suffix] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/s.exec(name)! as (
    string | undefined
  )[];
  const operator = OPERATORS.get(base!);
  if (!operator) {
    throw new Error(
      `condition operator ${name} is not ${base === 'BinaryEquals' ? 'rehearsed' : 'known'}; it must be Null or one of `
      + `${[...OPERATORS.keys()].join(', ')}, with ForAllValues: or ForAnyValue: before it and IfExists after it if need be`,
    );
  }
  return { ...operator, set, ifExists: suffix !== undefined };
}

export function booleanOf(text: string): boolean {
  if (text !== 'true' && text !== 'false') {
    throw new Error(`${JSON.stringify(text)} is neither true nor false`);
  }
  return text === 'true';
}

function numberOf(text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text)) {
    throw new Error(`${JSON.stringify(text)} is no number`);
  }
  return Number(text);
}

/**
 * With date, time and zone, or seconds since 1970. Of a date alone AWS does not say at which moment it is, and four
 * digits are a year as well as seconds.
 *
 * @see https://www.w3.org/TR/NOTE-datetime
 */
function secondsOf(text: string): number {
  if (/^\d{5,}$/.test(text)) {
    return Number(text);
  }
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/.exec(text);
  const [, minute = '', second = ':00', zone = 'Z'] = parts ?? [];
  const local = new Date(`${minute}${second}Z`);
  // A date such as the 30th of February is moved to March and does not come back the same.
  if (Number.isNaN(local.getTime()) || local.toISOString().slice(0, 16) !== minute) {
    throw new Error(`${JSON.stringify(text)} is no moment such as 2026-03-01T12:00:00Z or 1772366400`);
  }
  return Date.parse(`${minute}${second}${zone}`) / 1000;
}

function addressMatcher(expected: Pattern): (actual: string) => boolean {
  const [address, prefix = '32', ...rest] = textOf(expected).split('/');
  if (!/^\d{1,2}$/.test(prefix) || Number(prefix) > 32 || rest.length > 0) {
    throw new Error(`${JSON.stringify(textOf(expected))} is no IPv4 range such as 203.0.113.0/24`);
  }
  // Not by bits: JavaScript shifts by at most 31.
  const size = 2 ** (32 - Number(prefix));
  const network = Math.floor(addressOf(address) / size);
  return actual => Math.floor(addressOf(actual) / size) === network;
}

function addressOf(text: string): number {
  const numbers = text.split('.').map(part => /^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : NaN);
  if (numbers.length !== 4 || !numbers.every(number => number <= 255)) {
    throw new Error(`${JSON.stringify(text)} is no IPv4 address; others are not rehearsed`);
  }
  return numbers.reduce((sum, number) => sum * 256 + number, 0);
}

function arnMatcher(expected: Pattern): (actual: string) => boolean {
  arnParts(expected);
  return actual => matchesArn(expected, actual);
}

function comparing<Value>(
  read: (text: string) => Value,
  holds: (actual: Value, expected: Value) => boolean,
): Operator['matcher'] {
  return (pattern) => {
    const expected = read(textOf(pattern));
    return actual => holds(read(actual), expected);
  };
}

function ordered(type: ValueType, read: (text: string) => number): [string, Operator][] {
  const all = Object.entries(ORDERS).map(([order, holds]) =>
    operator(`${type}${order}`, type, false, comparing(read, (actual, expected) => holds(actual - expected))));
  return [...all, operator(`${type}NotEquals`, type, true, all[0][1].matcher)];
}

function withNegation(type: ValueType, comparison: string, matcher: Operator['matcher']): [string, Operator][] {
  return [
    operator(`${type}${comparison}`, type, false, matcher),
    operator(`${type}Not${comparison}`, type, true, matcher),
  ];
}

function operator(name: string, type: ValueType, negated: boolean, matcher: Operator['matcher']): [string, Operator] {
  return [name, { type, negated, matcher }];
}
