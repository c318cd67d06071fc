import { Lazy } from 'aws-cdk-lib';
import { databaseProblem, wireForm } from '../../../lib/private/privilege-set';

describe('wireForm', () => {
  test('leaves out what is empty', () => {
    expect(wireForm([], [])).toEqual({});
  });

  test('merges the privileges on a database, sorts them and names each once', () => {
    expect(wireForm([
      { database: 'shop', privileges: ['TEMPORARY', 'CONNECT'] },
      { database: 'shop', privileges: ['CONNECT'] },
      { database: 'shop', privileges: ['CREATE'] },
    ], [])).toEqual({ Privileges: { shop: { Database: ['CONNECT', 'CREATE', 'TEMPORARY'] } } });
  });

  test('sorts databases by code unit, whatever the order they are given in', () => {
    const grants = ['b', 'ä', 'B', 'a'].map(database => ({ database, privileges: ['CONNECT'] }));
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

describe('databaseProblem', () => {
  test('is undefined for a name', () => {
    expect(databaseProblem('shop')).toBeUndefined();
  });

  test('refuses a token', () => {
    expect(databaseProblem(Lazy.string({ produce: () => 'shop' })))
      .toBe('database name is a token, and a key of the template must be known at synthesis; give the name itself');
  });

  test('refuses what PostgreSQL refuses', () => {
    expect(databaseProblem('')).toBe('database name "" is not allowed: it is empty; give it 1 to 63 bytes');
  });
});
