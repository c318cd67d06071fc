import { Lazy } from 'aws-cdk-lib';
import { SchemaPrivileges } from '../../../lib/contract/wire';
import { wireForm } from '../../../lib/model/privilege-set';

/** In schema s of database d. */
const merged = (...schemas: SchemaPrivileges[]) =>
  wireForm(
    schemas.map(s => ({ d: { Schemas: { s } } })),
    [],
  ).Privileges!.d.Schemas!.s;

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

  test('keeps databases and schemas apart', () => {
    expect(wireForm([
      { b: { Schemas: { s: { Schema: ['USAGE'] } } } },
      { a: { Schemas: { t: { Schema: ['CREATE'] } } } },
      { a: { Schemas: { s: { Owner: 'true' } } } },
    ], []).Privileges).toEqual({
      a: { Schemas: { s: { Owner: 'true' }, t: { Schema: ['CREATE'] } } },
      b: { Schemas: { s: { Schema: ['USAGE'] } } },
    });
  });

  test('merges everything in a schema', () => {
    expect(merged(
      { Owner: 'true', Tables: { b: ['SELECT'] }, Columns: { t: { d: ['UPDATE'] } },
        FutureObjects: { m: { Tables: ['SELECT'] } } },
      { Owner: 'true', Tables: { a: ['SELECT'], b: ['INSERT', 'SELECT'] }, Columns: { t: { c: ['SELECT'] } },
        FutureObjects: { l: { Functions: ['EXECUTE'] } } },
      { Sequences: { s: ['USAGE'] }, Functions: { f: ['EXECUTE'] },
        FutureObjects: { m: { Sequences: ['USAGE'], Tables: ['INSERT'] } } },
    )).toEqual({
      Columns: { t: { c: ['SELECT'], d: ['UPDATE'] } },
      Functions: { f: ['EXECUTE'] },
      FutureObjects: { l: { Functions: ['EXECUTE'] }, m: { Sequences: ['USAGE'], Tables: ['INSERT', 'SELECT'] } },
      Owner: 'true',
      Sequences: { s: ['USAGE'] },
      Tables: { a: ['SELECT'], b: ['INSERT', 'SELECT'] },
    });
  });

  test('is the same text in whatever order the values come', () => {
    const values: SchemaPrivileges[] = [
      { Schema: ['USAGE'], Tables: { '*': ['SELECT'] },
        FutureObjects: { m: { Tables: ['SELECT'], Sequences: ['SELECT'] } } },
      { Tables: { 'orders': ['UPDATE', 'SELECT'], '"': ['SELECT', 'INSERT'] },
        FutureObjects: { l: { Tables: ['INSERT'] }, m: { Functions: ['EXECUTE'] } } },
      { Columns: { orders: { total: ['UPDATE', 'INSERT'], state: ['SELECT'] } }, Schema: ['CREATE'] },
      { Sequences: { '*': ['USAGE'], 'numbers': ['USAGE', 'UPDATE'] }, Owner: 'true' },
    ];
    const texts = permutations(values).map(order => JSON.stringify(merged(...order)));
    expect(texts).toHaveLength(24);
    expect([...new Set(texts)]).toEqual([JSON.stringify({
      Columns: { orders: { total: ['INSERT'] } },
      FutureObjects: {
        l: { Tables: ['INSERT'] },
        m: { Functions: ['EXECUTE'], Sequences: ['SELECT'], Tables: ['SELECT'] },
      },
      Owner: 'true',
      Schema: ['CREATE', 'USAGE'],
      Sequences: { '*': ['USAGE'], 'numbers': ['UPDATE'] },
      Tables: { '"': ['INSERT'], '*': ['SELECT'], 'orders': ['UPDATE'] },
    })]);
  });

  test.each<[string, SchemaPrivileges, SchemaPrivileges]>([
    ['a table has what all have', { Tables: { '*': ['SELECT'], 'a': ['SELECT'], 'b': ['INSERT', 'SELECT'] } },
      { Tables: { '*': ['SELECT'], 'b': ['INSERT'] } }],
    ['a sequence has what all have', { Sequences: { '*': ['SELECT', 'USAGE'], 'a': ['USAGE'] } },
      { Sequences: { '*': ['SELECT', 'USAGE'] } }],
    ['a function has what all have', { Functions: { '*': ['EXECUTE'], 'a': ['EXECUTE'] } },
      { Functions: { '*': ['EXECUTE'] } }],
    ['a type has what all have', { Types: { '*': ['USAGE'], 'a': ['USAGE'] } }, { Types: { '*': ['USAGE'] } }],
    ['a column has what its table has',
      { Tables: { a: ['SELECT'] }, Columns: { a: { c: ['SELECT'], d: ['SELECT', 'UPDATE'] } } },
      { Columns: { a: { d: ['UPDATE'] } }, Tables: { a: ['SELECT'] } }],
    ['a column has what all tables have', { Tables: { '*': ['SELECT'] }, Columns: { a: { c: ['SELECT'] } } },
      { Tables: { '*': ['SELECT'] } }],
    ['future objects have what all have',
      { Tables: { '*': ['SELECT', 'UPDATE'] }, Sequences: { '*': ['USAGE'] },
        FutureObjects: { m: { Tables: ['UPDATE', 'SELECT'], Sequences: ['USAGE'] } } },
      { FutureObjects: { m: '*' }, Sequences: { '*': ['USAGE'] }, Tables: { '*': ['SELECT', 'UPDATE'] } }],
  ])('says nothing twice: %s', (_, given, expected) => {
    expect(merged(given)).toEqual(expected);
  });

  test.each<[string, SchemaPrivileges]>([
    ['another table', { Tables: { a: ['SELECT'], b: ['SELECT'] }, Columns: { b: { c: ['INSERT'] } } }],
    ['fewer future tables than all',
      { Tables: { '*': ['SELECT', 'UPDATE'] }, FutureObjects: { m: { Tables: ['SELECT'] } } }],
    ['more future tables than all',
      { Tables: { '*': ['SELECT'] }, FutureObjects: { m: { Tables: ['SELECT', 'UPDATE'] } } }],
    ['future objects of one kind, and all of two',
      { Tables: { '*': ['SELECT'] }, Sequences: { '*': ['SELECT'] }, FutureObjects: { m: { Tables: ['SELECT'] } } }],
    ['future tables, and all tables and types',
      { Tables: { '*': ['SELECT'] }, Types: { '*': ['USAGE'] }, FutureObjects: { m: { Tables: ['SELECT'] } } }],
    ['future tables, and on one that has a name',
      { Tables: { a: ['SELECT'] }, FutureObjects: { m: { Tables: ['SELECT'] } } }],
    ['another kind', { Sequences: { '*': ['SELECT'] }, Tables: { a: ['SELECT'] } }],
    ['the name of a member of every object',
      { Columns: { constructor: { toString: ['SELECT'] } }, Tables: { valueOf: ['SELECT'] } }],
  ])('keeps what is on %s', (_, given) => {
    expect(merged(given)).toEqual(given);
  });

  test('sorts roles and names each once', () => {
    expect(wireForm([], ['writers', 'Readers', 'writers'])).toEqual({ MemberOf: ['Readers', 'writers'] });
  });

  test('puts tokens last, in the order they are given', () => {
    const [first, second] = ['z', 'a'].map(value => Lazy.string({ produce: () => value }));
    expect(wireForm([], [first, 'writers', second, first])).toEqual({ MemberOf: ['writers', first, second] });
  });
});

function permutations<T>(items: T[]): T[][] {
  return items.length === 0
    ? [[]]
    : items.flatMap((item, index) =>
        permutations(items.filter((_, other) => other !== index)).map(rest => [item, ...rest]),
      );
}
