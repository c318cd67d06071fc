import { Lazy } from 'aws-cdk-lib';
import { wireForm } from '../../../lib/private/privilege-set';

describe('wireForm', () => {
  test('leaves out what is empty', () => {
    expect(wireForm([], [])).toEqual({});
  });

  test('merges the privileges on a database, sorts them and names each once', () => {
    expect(wireForm([
      { shop: { Database: ['TEMPORARY', 'CONNECT'] } },
      { shop: { Database: ['CONNECT'] } },
      { shop: { Database: ['CREATE'] } },
    ], [])).toEqual({ Privileges: { shop: { Database: ['CONNECT', 'CREATE', 'TEMPORARY'] } } });
  });

  test('sorts databases by code unit, whatever the order they are given in', () => {
    const grants = ['b', 'ä', 'B', 'a'].map(database => ({ [database]: { Database: ['CONNECT'] } }));
    const keys = (order: typeof grants) => Object.keys(wireForm(order, []).Privileges!);
    expect(keys(grants)).toEqual(['B', 'a', 'b', 'ä']);
    expect(keys(grants.reverse())).toEqual(['B', 'a', 'b', 'ä']);
  });

  test('sorts roles and names each once', () => {
    expect(wireForm([], ['writers', 'Readers', 'writers'])).toEqual({ MemberOf: ['Readers', 'writers'] });
  });

  test('puts tokens last, in the order they are given', () => {
    const [first, second] = ['z', 'a'].map(value => Lazy.string({ produce: () => value }));
    expect(wireForm([], [first, 'writers', second, first])).toEqual({ MemberOf: ['writers', first, second] });
  });
});
