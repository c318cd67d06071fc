import { exactly, matches, policyPattern } from '../../../rehearsal/diff/policy-pattern';
import { symbolText } from '../../../rehearsal/diff/symbols';

const NAME = symbolText(['name', 'Name']);
const OTHER = symbolText(['name', 'Other']);

test.each<[string, string, 'yes' | 'maybe' | 'no']>([
  ['orders', 'orders', 'yes'],
  ['orders', 'Orders', 'no'],
  ['orders', 'order', 'no'],
  ['order', 'orders', 'no'],
  ['*', '', 'yes'],
  ['*', NAME, 'yes'],
  ['o*s', 'orders', 'yes'],
  ['o*s', 'order', 'no'],
  ['o?ders', 'orders', 'yes'],
  ['o?ders', 'oders', 'no'],
  ['${*}', '*', 'yes'],
  ['${*}', 'orders', 'no'],
  ['${?}${$}', '?$', 'yes'],
  [NAME, NAME, 'yes'],
  [NAME, OTHER, 'maybe'],
  [NAME, 'orders', 'maybe'],
  ['orders', NAME, 'maybe'],
  [`app-${NAME}`, 'app-1', 'maybe'],
  [`app-${NAME}`, 'web-1', 'no'],
  ['cluster-*', `cluster-${NAME}`, 'yes'],
  ['cluster-*', `db-${NAME}`, 'no'],
  ['cluster-ABC', `cluster-${NAME}`, 'maybe'],
])('%j and %j: %s', (pattern, text, expected) => {
  expect(matches(policyPattern(pattern), text)).toBe(expected);
});

test('a pattern that matches in many ways takes no longer than others', () => {
  expect(matches(policyPattern('*a'.repeat(60)), 'a'.repeat(63) + 'b')).toBe('no');
});

test.each<[string, string | undefined, string[]]>([
  ['orders', 'orders', []],
  ['a${*}b', 'a*b', []],
  [`app-${NAME}`, `app-${NAME}`, []],
  ['a*', undefined, []],
  ['a?', undefined, []],
  ['${aws:PrincipalTag/User}', undefined, ['aws:PrincipalTag/User']],
])('%j stands for %j', (source, text, variables) => {
  const pattern = policyPattern(source);
  expect([exactly(pattern), pattern.variables]).toEqual([text, variables]);
});
