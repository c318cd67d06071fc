import { decodeDeclaration } from '../../lambda/provisioner/core/declaration';
import {
  decodeIdentities, type Found, type Identities, identitiesIn, identityQuestion, inPresentNames, isTrusted, recordsDatabase, rolesIn, sharedIdentities, together, uncertainNames, withPresentNames,
  withRoleRenamed,
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

describe('what is looked for in a database', () => {
  test('is what is declared by name there, and the oids that are recorded of it', () => {
    const elsewhere = decodeDeclaration('user', { MemberOf: undefined, Privileges: { stock: { Schemas: { app: { Tables: { z: ['SELECT'] } } } } }, Exclusive: undefined });
    const recorded = { ...PREVIOUS, identities: { ...IDENTITIES, databases: [...IDENTITIES.databases, { ...FOUND, database: 'stock', schemas: [{ schema: 'app', oid: '99' }] }] } };
    expect(identityQuestion('shop', [DECLARED, elsewhere], [recorded, DECLARED])).toEqual({ names: ['t'], columns: ['n'], schemaOids: ['10'], objectOids: ['20'] });
    expect(identityQuestion('shop', [], [])).toEqual({ names: [], columns: [], schemaOids: [], objectOids: [] });
  });

  test('is recorded of one database, whichever it was', () => {
    expect([recordsDatabase(PREVIOUS, 'shop'), recordsDatabase(PREVIOUS, 'stock'), recordsDatabase(DECLARED, 'shop')]).toEqual([true, false, false]);
  });

  test('has the groups and the creators of a declaration, each once', () => {
    expect(rolesIn({ ...DECLARED, memberOf: ['readers', 'maker'] })).toEqual(['maker', 'readers']);
  });
});

describe('a record', () => {
  test('has the new name of a role that this library has renamed', () => {
    expect(withRoleRenamed(IDENTITIES, 'maker', 'm').roles).toEqual([{ name: 'm', oid: '5' }, { name: 'readers', oid: '6' }]);
  });

  test('of names that have changed places gives each the other', () => {
    const declared = { ...DECLARED, databases: [{ ...DECLARED.databases[0], schemas: [{ ...DECLARED.databases[0].schemas[0], objects: [
      { kind: 'TABLE' as const, name: 't', privileges: ['SELECT'] }, { kind: 'TABLE' as const, name: 'v', privileges: ['INSERT'] }, { kind: 'COLUMN' as const, table: 't', name: 'n', privileges: ['UPDATE'] },
    ] }] }] };
    const table = (name: string, oid: string, schema = 'app') => ({ kind: 'TABLE', schema, name, oid } as const);
    const column = (number: number, name: string, oid = '20', table = 't', schema = 'app') => ({ schema, table, name, oid, number });
    const recorded = { database: 'shop', oid: '1', schemas: [{ schema: 'app', oid: '10' }, { schema: 'x', oid: '11' }], objects: [table('t', '20'), table('v', '21'), table('t', '22', 'x')],
      columns: [column(1, 'n'), column(2, 'm'), column(1, 'n', '22', 't', 'x'), column(1, 'n', '21', 'v')] };
    const previous = { ...declared, identities: { ...IDENTITIES, databases: [recorded, { ...recorded, oid: '2', objects: [table('t', '21')] }, { ...recorded, database: 'stock', objects: [table('t', '21')] }] } };
    const now: Found = { oid: '1', schemas: [{ schema: 'app', oid: '10' }, { schema: 'y', oid: '11' }], objects: [table('v', '20'), table('t', '21'), table('w', '22')],
      columns: [column(1, 'k', '20', 'v'), column(2, 'l', '20', 'v'), column(1, 'n', '21'), column(1, 'n', '22', 'w')] };
    const [{ schemas: [former, ...others] }] = inPresentNames(previous, 'shop', now, PLACE).databases;
    expect(former).toEqual(declared.databases[0].schemas[0]);
    expect(others.map(({ schema, objects }) => [schema, objects])).toEqual([
      ['app', [{ kind: 'TABLE', name: 'v', privileges: ['SELECT'] }]], ['app', [{ kind: 'TABLE', name: 't', privileges: ['INSERT'] }]], ['app', [{ kind: 'COLUMN', table: 'v', name: 'k', privileges: ['UPDATE'] }]],
    ]);
    expect(others.every(({ owner, privileges, futureObjects }) => !owner && privileges.length === 0 && futureObjects.length === 0)).toBe(true);
  });

  test.each<[string, Partial<Found>, boolean]>([
    ['the schema', { columns: [{ schema: 'y', table: 't', name: 'n', oid: '20', number: 1 }] }, true],
    ['the table', { columns: [{ schema: 'app', table: 'y', name: 'n', oid: '20', number: 1 }] }, true],
    ['the column', { columns: [{ schema: 'app', table: 't', name: 'y', oid: '20', number: 1 }] }, true],
    ['nothing', {}, false],
  ])('says where a column is now, if %s has another name', (_, more, isOther) => {
    expect(inPresentNames(PREVIOUS, 'shop', { ...FOUND, objects: [], ...more }, PLACE).databases[0].schemas).toHaveLength(isOther ? 2 : 1);
  });

  test('says nothing of other databases', () => {
    const two = { ...PREVIOUS, databases: [...PREVIOUS.databases, { ...PREVIOUS.databases[0], database: 'stock' }] };
    expect(inPresentNames(two, 'shop', { ...FOUND, schemas: [{ schema: 'new', oid: '10' }] }, PLACE).databases.map(({ database, schemas }) => [database, schemas.length])).toEqual([['shop', 2], ['stock', 1]]);
  });

  test('is read as it was written', () => {
    expect(decodeIdentities(JSON.parse(JSON.stringify(IDENTITIES)))).toEqual(IDENTITIES);
    expect(decodeIdentities(undefined)).toBeUndefined();
  });

  const [DATABASE] = IDENTITIES.databases;
  test.each<[string, object]>([
    ['property "more" is not allowed: identities has only resourceId, major, databases, roles', { more: 1 }],
    ['identities.resourceId 1 is not allowed', { resourceId: 1 }],
    ['identities.major 1.5 is not allowed: it is not a whole number; correct the row', { major: 1.5 }],
    ['identities.roles 1 is not allowed', { roles: 1 }],
    ['property "x" is not allowed: identities.role has only name, oid', { roles: [{ name: 'a', oid: '1', x: 1 }] }],
    ['name 1 is not allowed', { roles: [{ name: 1, oid: '1' }] }],
    ['oid "01" is not allowed: it is not an oid; correct the row', { roles: [{ name: 'a', oid: '01' }] }],
    ['oid "12345678901" is not allowed', { roles: [{ name: 'a', oid: '12345678901' }] }],
    ['oid "1x" is not allowed', { roles: [{ name: 'a', oid: '1x' }] }],
    ['oid 1 is not allowed', { roles: [{ name: 'a', oid: 1 }] }],
    ['identities.databases 1 is not allowed', { databases: 1 }],
    ['property "x" is not allowed: identities.database has only database, oid, schemas, objects, columns', { databases: [{ ...DATABASE, x: 1 }] }],
    ['identities.database 1 is not allowed', { databases: [{ ...DATABASE, database: 1 }] }],
    ['identities.schemas 1 is not allowed', { databases: [{ ...DATABASE, schemas: 1 }] }],
    ['property "x" is not allowed: identities.schema has only schema, oid', { databases: [{ ...DATABASE, schemas: [{ schema: 'a', oid: '1', x: 1 }] }] }],
    ['schema 1 is not allowed', { databases: [{ ...DATABASE, schemas: [{ schema: 1, oid: '1' }] }] }],
    ['identities.objects 1 is not allowed', { databases: [{ ...DATABASE, objects: 1 }] }],
    ['property "x" is not allowed: identities.object has only kind, schema, name, oid', { databases: [{ ...DATABASE, objects: [{ ...DATABASE.objects[0], x: 1 }] }] }],
    ['kind "VIEW" is not allowed: known are TABLE, ', { databases: [{ ...DATABASE, objects: [{ ...DATABASE.objects[0], kind: 'VIEW' }] }] }],
    ['schema 1 is not allowed', { databases: [{ ...DATABASE, objects: [{ ...DATABASE.objects[0], schema: 1 }] }] }],
    ['name 1 is not allowed', { databases: [{ ...DATABASE, objects: [{ ...DATABASE.objects[0], name: 1 }] }] }],
    ['identities.columns 1 is not allowed', { databases: [{ ...DATABASE, columns: 1 }] }],
    ['property "x" is not allowed: identities.column has only schema, table, name, oid, number', { databases: [{ ...DATABASE, columns: [{ ...DATABASE.columns[0], x: 1 }] }] }],
    ['schema 1 is not allowed', { databases: [{ ...DATABASE, columns: [{ ...DATABASE.columns[0], schema: 1 }] }] }],
    ['table 1 is not allowed', { databases: [{ ...DATABASE, columns: [{ ...DATABASE.columns[0], table: 1 }] }] }],
    ['name 1 is not allowed', { databases: [{ ...DATABASE, columns: [{ ...DATABASE.columns[0], name: 1 }] }] }],
    ['number "1" is not allowed: it is not a whole number', { databases: [{ ...DATABASE, columns: [{ ...DATABASE.columns[0], number: '1' }] }] }],
  ])('that is not understood is refused: %s', (reason, more) => {
    expect(() => decodeIdentities({ ...IDENTITIES, ...more })).toThrow(reason);
  });
});
