import { ConditionKeys } from './condition-keys';
import { booleanOf, NamedOperator, operatorOf } from './condition-operators';
import { Pattern, PatternReader, readLiterally } from './pattern';
import { Condition, list } from './policy-document';

/** Types whose values may hold policy variables. For Bool one page of AWS says yes and another no. */
const WITH_VARIABLES = ['String', 'Arn'];

/**
 * All operators and keys must hold, and of the values of a key one, or with a negated operator none. Each is looked at,
 * so that it does not depend on their order whether one that is not known is an error.
 *
 * @see
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 */
export function conditionHolds(condition: Condition, reader: PatternReader, keys: ConditionKeys): boolean {
  return Object.entries(condition).flatMap(([operator, tests]) => Object.entries(tests).map(([key, values]) => {
    const texts = list(values).map(String);
    try {
      return operator === 'Null' ? isNull(key, texts, keys) : holds(operatorOf(operator), key, texts, reader, keys);
    } catch (error) {
      throw new Error(`${operator} on ${key}: ${(error as Error).message}`, { cause: error });
    }
  })).every(Boolean);
}

function isNull(key: string, texts: string[], keys: ConditionKeys): boolean {
  const isAbsent = keys(key).value === undefined;
  return texts.map(text => booleanOf(text) === isAbsent).some(Boolean);
}

function holds(
  operator: NamedOperator,
  key: string,
  texts: string[],
  reader: PatternReader,
  keys: ConditionKeys,
): boolean {
  const { value, types } = keys(key);
  if (!types.includes(operator.type)) {
    throw new Error(`this key works with ${types.join(' and ')} operators only`);
  }
  const tests = texts
    .map(text => patternOf(text, operator, reader))
    .map(pattern => pattern && operator.matcher(pattern));
  const passes = (actual: string) => operator.negated !== tests.map(test => test?.(actual) ?? false).some(Boolean);
  if (operator.set !== undefined) {
    return setHolds(operator, value, passes);
  }
  if (Array.isArray(value)) {
    throw new Error('a key with several values needs ForAllValues or ForAnyValue');
  }
  return value === undefined ? operator.negated || operator.ifExists : passes(value);
}

/**
 * The empty set, for which an empty string counts, too, passes ForAllValues and not ForAnyValue.
 *
 * @see
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
function setHolds(
  { set, ifExists }: NamedOperator,
  value: string | string[] | undefined,
  passes: (actual: string) => boolean,
): boolean {
  const actual = value === undefined ? [] : list(value).filter(each => each !== '');
  if (set === 'ForAllValues') {
    return actual.every(passes);
  }
  if (value === undefined && ifExists) {
    throw new Error(
      'the request has no such key, and AWS does not say which of ForAnyValue and IfExists decides then; leave one of them out',
    );
  }
  return actual.some(passes);
}

function patternOf(text: string, { type }: NamedOperator, reader: PatternReader): Pattern | undefined {
  if (WITH_VARIABLES.includes(type)) {
    return reader.read(text);
  }
  if (reader.hasVariables && text.includes('${')) {
    throw new Error(
      `${JSON.stringify(text)} has a policy variable, and IAM takes them with String and Arn operators only`,
    );
  }
  return readLiterally(text);
}
