import { decodeDeclaration } from '../../lambda/provisioner/core/declaration';
import {
  type Found, type Identities, identitiesIn, inPresentNames, isTrusted, sharedIdentities, together, uncertainNames, withPresentNames,
} from '../../lambda/provisioner/core/identities';

const PLACE = { resourceId: 'cluster-ABC', major: 17 };
const FOUND: Found = {
  oid: '1',
  schemas: [{ schema: 'app', oid: '10' }],
  objects: [{ kind: 'TABLE', schema: 'app', name: 't', oid: '20' }, { kind: 'SEQUENCE', schema: 'app', name: 't2', oid: '21' }],
  columns: [{ schema: 'app', table: 't', name: 'n', oid: '20', number: 1 }, { schema: 'app', table: 't', name: 'm', oid: '20', number: 2 }],
};
const DECLARED = decodeDeclaration('user', {
  MemberOf: ['readers'],
  Privileges: { shop: { Schemas: { app: { Tables: { '*': ['SELECT'], 't': ['UPDATE'] }, Columns: { t: { n: ['INSERT'] } }, FutureObjects: { maker: { Tables: ['SELECT'] } } } } } },
  Exclusive: undefined,
});
const IDENTITIES: Identities = {
  ...PLACE, databases: [identitiesIn('shop', DECLARED, FOUND)!], roles: [{ name: 'maker', oid: '5' }, { name: 'readers', oid: '6' }],
};
const PREVIOUS = { ...DECLARED, identities: IDENTITIES };

describe('what names stand for', () => {
  test('is recorded of what is declared by name, and of schemas', () => {
    expect(IDENTITIES.databases).toEqual([{
      database: 'shop', oid: '1', schemas: FOUND.schemas, objects: [FOUND.objects[0]], columns: [FOUND.columns[0]],
    }]);
    expect(identitiesIn('stock', DECLARED, FOUND)).toBeUndefined();
  });

  test('is recorded of databases and roles as far as they are known', () => {
    const names = { databases: new Map([['shop', '1'], ['stock', '2']]), roles: new Map([['readers', '6']]) };
    expect(sharedIdentities(DECLARED, names)).toEqual({
      databases: [{ database: 'shop', oid: '1', schemas: [], objects: [], columns: [] }], roles: [{ name: 'readers', oid: '6' }],
    });
  });

  test.each([
    ['all is the same', FOUND, PLACE, true],
    ['it is another database of that name', { ...FOUND, oid: '2' }, PLACE, false],
    ['it is another cluster', FOUND, { ...PLACE, resourceId: 'cluster-DEF' }, false],
    ['it is another major version', FOUND, { ...PLACE, major: 18 }, false],
  ])('is trusted or not when %s', (_, found, place, trusted) => {
    expect(isTrusted(PREVIOUS, 'shop', found, place)).toBe(trusted);
    expect(isTrusted(DECLARED, 'shop', found, place)).toBe(false);
    const renamed = { ...found, schemas: [{ schema: 'new', oid: '10' }] };
    expect(inPresentNames(PREVIOUS, 'shop', renamed, place) === PREVIOUS).toBe(!trusted);
  });

  test('gives a schema, an object and a column their present names beside the former ones', () => {
    const now: Found = {
      oid: '1',
      schemas: [{ schema: 'new', oid: '10' }],
      objects: [{ kind: 'SEQUENCE', schema: 'new', name: 'other', oid: '20' }, { kind: 'TABLE', schema: 'new', name: 'u', oid: '20' }],
      columns: [{ schema: 'new', table: 'u', name: 'k', oid: '20', number: 1 }],
    };
    const [{ schemas }] = inPresentNames(PREVIOUS, 'shop', now, PLACE).databases;
    expect(schemas.map(({ schema }) => schema)).toEqual(['app', 'new', 'new', 'new']);
    expect(schemas.slice(2).map(({ objects }) => objects)).toEqual([
      [{ kind: 'TABLE', name: 'u', privileges: ['UPDATE'] }], [{ kind: 'COLUMN', table: 'u', name: 'k', privileges: ['INSERT'] }],
    ]);
    expect(inPresentNames(PREVIOUS, 'shop', FOUND, PLACE).databases).toEqual(DECLARED.databases);
  });

  test('gives databases and roles their present names; a database that is gone under its former name is left out', () => {
    const names = { databases: new Map([['shop2', '1']]), roles: new Map([['makers', '5'], ['readers', '7'], ['all', '6']]) };
    const now = withPresentNames(PREVIOUS, names, PLACE);
    expect(now.memberOf).toEqual(['readers', 'all']);
    expect(now.databases.map(({ database }) => database)).toEqual(['shop2']);
    expect(now.databases[0].schemas[0].futureObjects.map(({ creator }) => creator)).toEqual(['maker', 'makers']);
    const both = withPresentNames(PREVIOUS, { ...names, databases: new Map([['shop', '9'], ['shop2', '1']]) }, PLACE);
    expect(both.databases.map(({ database }) => database)).toEqual(['shop', 'shop2']);
    expect(isTrusted(both, 'shop2', FOUND, PLACE)).toBe(true);
    expect(withPresentNames(PREVIOUS, names, { ...PLACE, major: 18 })).toBe(PREVIOUS);
  });

  test('is uncertain of names that are not there, only where oids are not trusted', () => {
    const names = { databases: new Map<string, string>(), roles: new Map([['maker', '5']]) };
    expect(uncertainNames(PREVIOUS, names, PLACE)).toEqual({ databases: [], roles: [] });
    expect(uncertainNames(PREVIOUS, names, { ...PLACE, major: 18 })).toEqual({ databases: ['shop'], roles: ['readers'] });
  });

  test('is kept once, of the newest server alone', () => {
    expect(together([undefined, undefined])).toBeUndefined();
    expect(together([IDENTITIES, undefined, IDENTITIES, { ...IDENTITIES, major: 16, roles: [{ name: 'x', oid: '8' }] }])).toEqual(IDENTITIES);
  });
});
