import { written } from '../../../lib/model/written';
import { identifier, roleName, sortedBy, visible } from '../../../lib/report/plain-text';

describe('written', () => {
  test.each<[unknown, string]>([
    ['orders', 'orders'],
    [{ Ref: 'Username' }, '${Username}'],
    [{ 'Fn::GetAtt': ['Secret', 'Arn'] }, '${Secret.Arn}'],
    [{ 'Fn::Join': ['-', ['app', { Ref: 'AWS::Region' }]] }, 'app-${AWS::Region}'],
    [{ 'Fn::ImportValue': 'Data:Username' }, '${Data:Username}'],
    [{ 'Fn::Join': ['', { Ref: 'Names' }] }, '${{"Fn::Join":["",{"Ref":"Names"}]}}'],
    [{ 'Fn::Select': [0, { Ref: 'Names' }] }, '${{"Fn::Select":[0,{"Ref":"Names"}]}}'],
  ])('%j', (value, text) => {
    expect(written(value)).toBe(text);
  });
});

describe('names', () => {
  test.each([
    ['orders', 'orders', 'orders'],
    ['mario.rossi@example.com', '"mario.rossi@example.com"', 'mario.rossi@example.com'],
    ['Ann', '"Ann"', 'Ann'],
    ['a; b: c', '"a; b: c"', '"a; b: c"'],
    ['a"b', '"a""b"', '"a""b"'],
    ['', '""', '""'],
    ['a: ${', '"a: ${"', '"a: ${"'],
    ['${Username}', '"${Username}"', '${Username}'],
    ['a\u200bb\u0007', '"a\\u{200b}b\\u{7}"', '"a\\u{200b}b\\u{7}"'],
  ])('%j', (name, quoted, beginning) => {
    expect([identifier(name), roleName(name)]).toEqual([quoted, beginning]);
  });

  test('of other alphabets are as they are', () => {
    expect(visible('Zoë 数据库 \u{1f600}')).toBe('Zoë 数据库 \u{1f600}');
  });
});

test('sortedBy goes by code unit, and leaves the list as it was', () => {
  const names = ['b', 'ä', 'B', 'a'];
  expect(sortedBy(names, name => name)).toEqual(['B', 'a', 'b', 'ä']);
  expect(names).toEqual(['b', 'ä', 'B', 'a']);
});
