import { DatabasePrivilege, Privileges } from '../../lib';

describe('Privileges.onDatabase', () => {
  test('is CONNECT by default', () => {
    expect(Privileges.onDatabase({ database: 'shop' })).toEqual(Privileges.onDatabase({ database: 'shop', privileges: [DatabasePrivilege.CONNECT] }));
  });

  test('keeps its value when the list it came from changes', () => {
    const privileges = [DatabasePrivilege.CONNECT];
    const value = Privileges.onDatabase({ database: 'shop', privileges });
    privileges.pop();
    expect(value).toEqual(Privileges.onDatabase({ database: 'shop' }));
  });

  test.each([
    ['a name that PostgreSQL does not take', { database: '' }, 'database name "" is not allowed: it is empty; give it 1 to 63 bytes'],
    ['an empty list', { database: 'shop', privileges: [] }, 'privileges on database "shop" are an empty list, which grants nothing; name one, or leave privileges out for CONNECT'],
  ])('fails for %s', (_, options, message) => {
    expect(() => Privileges.onDatabase(options)).toThrow(new Error(message));
  });
});
