import { decodeDeclaration } from '../../lambda/provisioner/core/declaration';
import { decodeRows, encodeDeclarations } from '../../lambda/provisioner/core/registry-rows';
import { Row } from '../../lambda/provisioner/sql/row';

const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';
const SENT = '2026-01-31T12:00:00.000Z';
const STORED = { format: 1, declarations: [{ Kind: 'user' }] };
const ROW = {
  stack: STACK,
  stackId: `${STACK}/0a1b`,
  logicalId: 'Orders',
  roleOid: '16400',
  roleName: 'orders',
  resourceId: 'cluster-ABC',
  physicalId: 'cluster-ABC/orders/Orders',
  username: 'orders',
  declarations: STORED,
  released: false,
};

const decode = (row: Row) => decodeRows([row], 'postgres');
const unreadable = (change: object) => decode({ ...ROW, ...change }).unreadable[0];

/** What is said of the reason alone. */
const reasonOf = (change: object) =>
  / is (?:not valid|not understood): (.*?)\. (?:Nothing is done|Deploy with)/.exec(unreadable(change).problem)?.[1];

describe('a column of a row', () => {
  const OTHER_ID = 'it does not begin with resource_id "cluster-ABC" and end with logical_id "Orders"; correct the row';

  test.each<[string, object, string]>([
    ['a stack id that is no text', { stackId: 1 }, 'stack_id 1 is not allowed: it is not a string; pass a string'],
    ['a physical id that is no text', { physicalId: null },
      'physical_id null is not allowed: it is not a string; pass a string'],
    ['a stack that is no text', { stack: null }, 'stack null is not allowed: it is not a string; pass a string'],
    ['a username that is no text', { username: 1 }, 'username 1 is not allowed: it is not a string; pass a string'],
    ['an oid that is no text', { roleOid: 16400 }, 'role_oid 16400 is not allowed: it is not a string; pass a string'],
    ['a physical id of another resource', { physicalId: 'cluster-ABC/orders/Sales' },
      `physical_id "cluster-ABC/orders/Sales" is not allowed: ${OTHER_ID}`],
    ['an oid with something before it', { roleOid: '-16400' },
      'role_oid "-16400" is not allowed: it is not an oid; correct the row'],
    ['an oid with something after it', { roleOid: '16400x' },
      'role_oid "16400x" is not allowed: it is not an oid; correct the row'],
    ['an oid of too many digits', { roleOid: '12345678901' },
      'role_oid "12345678901" is not allowed: it is not an oid; correct the row'],
    ['a flag', { released: 'no' }, 'released "no" is not allowed: it is neither true nor false; correct the row'],
  ])('is not what it should be: %s', (_, change, reason) => {
    expect(reasonOf(change)).toBe(reason);
  });

  test.each<[string, object, object]>([
    ['nothing', { stack: undefined }, { stack: '' }],
    ['a number', { stack: 5 }, { stack: '5' }],
    ['null', { logicalId: null }, { logicalId: 'null' }],
    ['a text that PostgreSQL has none of', { logicalId: 'Or\0de\0rs' }, { logicalId: 'Orders' }],
    ['an object as a username', { stack: 'x', username: { a: 1 } }, { stack: 'x', username: '{"a":1}' }],
  ])('is shown as a text, whatever it is: %s', (_, change, shown) => {
    expect(unreadable(change)).toMatchObject(shown);
  });

  test('says of a role that is gone which oid it had', () => {
    const row = unreadable({ stack: 'x', roleName: null });
    expect(row).toStrictEqual({
      stack: 'x',
      logicalId: 'Orders',
      roleOid: '16400',
      username: 'orders',
      released: false,
      problem: expect.any(String) as string,
    });
    expect(row.problem).toMatch(
      /^the registry has a row of role oid 16400 that is not valid: stack "x" is not allowed: /,
    );
  });

  test('says that a role was kept, although the rest is not understood', () => {
    expect(unreadable({ stack: 'x', released: true }).released).toBe(true);
    expect(unreadable({ declarations: {}, released: true }).released).toBe(true);
  });

  test.each([
    ['that is as long as can be', 427, 'correct the row'],
    ['that is longer', 428, 'correct the ro...'],
  ])('has a reason that is cut where it would push away what to do: one %s', (_, length, end) => {
    const text = 'x'.repeat(length);
    expect(reasonOf({ released: text })).toBe(
      `released "${text}" is not allowed: it is neither true nor false; ${end}`,
    );
  });

  test('is not to blame for a fault of ours', () => {
    const row = {
      ...ROW,
      get stackId(): string {
        throw new TypeError('a fault');
      },
    };
    expect(() => decode(row)).toThrow(new TypeError('a fault'));
  });
});

describe('the declarations of a row', () => {
  test('are of a role that is gone: it has no name then', () => {
    expect(unreadable({ roleName: null, declarations: {} })).not.toHaveProperty('roleName');
  });

  test('have nothing that is not stored', () => {
    const { declarations, ...identity } = ROW;
    const decoded = [decodeDeclaration('user', {})];
    expect(declarations).toBe(STORED);
    expect(decode(ROW).claims).toStrictEqual([{ ...identity, declarations: decoded, deployed: decoded }]);
    expect(encodeDeclarations({ declarations: decoded, deployed: decoded })).toStrictEqual(STORED);
  });

  test('say that two were completed, and not that none is known to be', () => {
    const two = [decodeDeclaration('user', {}), decodeDeclaration('user', { MemberOf: ['readers'] })];
    const stored = encodeDeclarations({ declarations: two, deployed: two });
    expect(decode({ ...ROW, declarations: stored }).claims).toMatchObject([{ declarations: two, deployed: two }]);
  });

  test('are of a user if one of them is, and a user has not any name', () => {
    const declarations = { format: 1, declarations: [{ Kind: 'role' }, { Kind: 'user' }] };
    expect(decode({ ...ROW, username: 'a/b', roleName: 'a/b', declarations }).unreadable).toHaveLength(1);
  });

  test('are missing, and no creation was cancelled, for there is a role', () => {
    const declarations = { format: 1, sent: SENT };
    expect(decode({ ...ROW, declarations })).toMatchObject({ cancelled: [], unreadable: [{ roleOid: '16400' }] });
  });

  test.each<[string, object]>([
    ['a stack that is none', { stack: 1 }],
    ['a stack id that is none', { stackId: null }],
    ['a resource that is none', { logicalId: [] }],
  ])('of a creation that was cancelled are as good as none with %s', (_, change) => {
    const cancelled = {
      ...ROW,
      roleOid: '0',
      roleName: null,
      physicalId: '',
      released: true,
      declarations: { format: 1, sent: SENT },
    };
    expect(decode({ ...cancelled, ...change }).cancelled).toStrictEqual([]);
  });
});

describe('a row without a format number', () => {
  const SCHEMA = {
    schema: 'app',
    owner: false,
    privileges: ['USAGE'],
    tables: [],
    columns: [] as object[],
    sequences: [],
    functions: [],
    futureObjects: [],
  };
  const DATABASE = { database: 'shop', privileges: ['CONNECT'], schemas: [SCHEMA] };
  const row = (declaration: object) =>
    ({ declarations: [{ kind: 'user', memberOf: [], databases: [DATABASE], exclusive: false, ...declaration }] });
  const inDatabase = (change: object) => row({ databases: [{ ...DATABASE, ...change }] });
  const inSchema = (change: object) => inDatabase({ schemas: [{ ...SCHEMA, ...change }] });

  test.each<[string, object, string]>([
    ['databases', row({ databases: {} }), 'database list {} is not allowed: it is not a list; pass a list'],
    ['a database', row({ databases: ['shop'] }), 'database "shop" is not allowed: it is not an object; pass an object'],
    ['the name of a database', inDatabase({ database: 1 }),
      'database 1 is not allowed: it is not a string; pass a string'],
    ['schemas', inDatabase({ schemas: 'x' }), 'schema list "x" is not allowed: it is not a list; pass a list'],
    ['a schema', inDatabase({ schemas: ['x'] }), 'schema "x" is not allowed: it is not an object; pass an object'],
    ['an owner', inSchema({ owner: 'true' }),
      'owner "true" is not allowed: it is neither true nor false; correct the row'],
    ['tables', inSchema({ tables: {} }), 'table list {} is not allowed: it is not a list; pass a list'],
    ['a table', inSchema({ tables: ['t'] }), 'object "t" is not allowed: it is not an object; pass an object'],
    ['a column', inSchema({ columns: ['c'] }), 'column "c" is not allowed: it is not an object; pass an object'],
    ['the table of a column', inSchema({ columns: [{ table: 1, name: 'c', privileges: [] }] }),
      'table 1 is not allowed: it is not a string; pass a string'],
    ['the name of a column', inSchema({ columns: [{ table: 't', name: 1, privileges: [] }] }),
      'column 1 is not allowed: it is not a string; pass a string'],
    ['sequences', inSchema({ sequences: {} }), 'sequence list {} is not allowed: it is not a list; pass a list'],
    ['functions', inSchema({ functions: {} }), 'function list {} is not allowed: it is not a list; pass a list'],
    ['creators', inSchema({ futureObjects: {} }), 'creator list {} is not allowed: it is not a list; pass a list'],
    ['future objects', inSchema({ futureObjects: ['x'] }),
      'future objects "x" is not allowed: it is not an object; pass an object'],
  ])('says what is not understood of %s', (_, change, reason) => {
    expect(reasonOf(change)).toBe(reason);
  });

  test('has the columns of each table with that table', () => {
    const columns = [
      { table: 'items', name: 'n', privileges: ['SELECT'] }, { table: 'orders', name: 'id', privileges: ['SELECT'] },
      { table: 'orders', name: 'n', privileges: ['UPDATE'] },
    ];
    const [claim] = decode({ ...ROW, ...inSchema({ columns }) }).claims;
    expect(claim.declarations[0].databases[0].schemas[0].objects).toEqual(
      columns.map(column => ({ kind: 'COLUMN', ...column })),
    );
  });
});
