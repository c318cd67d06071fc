import { rolesInDatabase } from '../../lambda/provisioner/sql/catalog';
import { kindOf, NEWER_PRIVILEGES, OBJECT_KINDS, objectWord } from '../../lib/contract/object-kinds';
import { Privileges } from '../../lib/privileges';

/** What a row promises, and is kept elsewhere. */
describe.each(OBJECT_KINDS)('the kind $sql', ({ sql, key, word, future, privileges, since = {} }) => {
  const query = rolesInDatabase({ roles: ['u'], schemas: ['app'], everything: false });

  test('is read from the catalogs, what exists and what is created later', () => {
    expect(query).toContain(`'${sql}'`);
    expect(query).toContain(`'${future}'`);
  });

  test('has a public factory', () => {
    expect(Object.getOwnPropertyNames(Privileges)).toContain(`on${key}`);
  });

  test('is found by its word in SQL', () => {
    expect([kindOf(sql).key, objectWord(sql)]).toEqual([key, word]);
  });

  test('has its privileges sorted, and knows those that are newer', () => {
    expect(privileges).toEqual([...privileges].sort());
    expect(privileges).toEqual(expect.arrayContaining(Object.keys(since)));
  });
});

test('what is newer than the oldest supported major is named with its first', () => {
  expect(NEWER_PRIVILEGES).toEqual([{ privilege: 'MAINTAIN', major: 17 }]);
});

test.each(['COLUMN', 'SCHEMA', 'LANGUAGE', 'LARGE OBJECT'])('is not an object in a schema: %s', (type) => {
  expect(objectWord(type)).toBeUndefined();
});
