import { isDeepStrictEqual } from 'node:util';
import { decodeDeclaration, encodeDeclaration } from '../../lambda/provisioner/core/declaration';
import type { Identities } from '../../lambda/provisioner/core/identities';
import { decodeRows, encodeDeclarations } from '../../lambda/provisioner/core/registry-rows';
import { Declaration } from '../../lambda/provisioner/core/state';
import { ProvisionError } from '../../lambda/provisioner/errors';
import { Row } from '../../lambda/provisioner/sql/row';
import { FULL } from '../full';
import { Random } from './random';

const NOTHING_OF_PUBLIC = { ofPublic: { records: [], unreadable: [] } };

const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';
const WIRE = {
  Kind: 'user',
  MemberOf: ['readers', 'writers'],
  Privileges: {
    shop: {
      Database: ['CONNECT'],
      Schemas: {
        app: {
          Owner: 'true',
          Schema: ['CREATE', 'USAGE'],
          Tables: { '*': ['SELECT'], 'Line "items"': ['INSERT', 'UPDATE'] },
          Columns: { orders: { id: ['SELECT'], total: ['UPDATE'] } },
          Sequences: { '*': ['USAGE'] },
          Functions: { f: ['EXECUTE'] },
          FutureObjects: { migrator: { Tables: ['SELECT'], Sequences: ['USAGE'], Functions: ['EXECUTE'] } },
        },
      },
    },
  },
  Exclusive: 'true',
};
const STORED = { format: 1, declarations: [WIRE] };
const IDENTITIES: Identities = {
  resourceId: 'cluster-ABC',
  major: 17,
  roles: [{ name: 'readers', oid: '16384' }],
  databases: [
    {
      database: 'shop',
      oid: '16385',
      schemas: [{ schema: 'app', oid: '16390' }],
      objects: [{ kind: 'TABLE', schema: 'app', name: 'orders', oid: '16391' }],
      columns: [{ schema: 'app', table: 'orders', name: 'id', oid: '16391', number: 1 }],
    },
  ],
};
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
const problemOf = (row: Row) => decode(row).unreadable[0]?.problem;
const declaring = (declaration: object) => ({
  ...ROW,
  declarations: { format: 1, declarations: [{ ...WIRE, ...declaration }] },
});
const inSchema = (schema: object) => declaring({ Privileges: { shop: { Schemas: { app: schema } } } });

/** As a row had it before there was a format number. */
const WITHOUT_FORMAT = [{
  kind: 'user',
  memberOf: ['readers', 'writers'],
  databases: [{
    database: 'shop',
    privileges: ['CONNECT'],
    schemas: [{
      schema: 'app',
      owner: true,
      privileges: ['CREATE', 'USAGE'],
      tables: [{ name: '*', privileges: ['SELECT'] }, { name: 'Line "items"', privileges: ['INSERT', 'UPDATE'] }],
      columns: [
        { table: 'orders', name: 'id', privileges: ['SELECT'] },
        { table: 'orders', name: 'total', privileges: ['UPDATE'] },
      ],
      sequences: [{ name: '*', privileges: ['USAGE'] }],
      functions: [{ name: 'f', privileges: ['EXECUTE'] }],
      futureObjects: [{ creator: 'migrator', tables: ['SELECT'], sequences: ['USAGE'], functions: ['EXECUTE'] }],
    }],
  }],
  exclusive: true,
}];

describe('a row that is understood', () => {
  test('is a claim with its declarations decoded', () => {
    const { declarations, ...identity } = ROW;
    const decoded = [decodeDeclaration('user', WIRE)];
    expect(decode(ROW)).toEqual({
      claims: [{ ...identity, declarations: decoded, deployed: decoded }],
      unreadable: [],
      withoutFormat: [],
      ...NOTHING_OF_PUBLIC,
      cancelled: [],
    });
    expect(declarations).toBe(STORED);
  });

  test('may have a declaration in force and one under way, or none that is known', () => {
    expect(
      decode({ ...ROW, declarations: { format: 1, declarations: [WIRE, { Kind: 'user' }] } }).claims[0].declarations,
    ).toHaveLength(2);
    expect(decode({ ...ROW, declarations: { format: 1, declarations: [] } }).claims[0].declarations).toEqual([]);
  });

  test.each<[string, object, number]>([
    ['the only declaration is completed', { declarations: [WIRE] }, 1],
    ['with two it is not known which of them is', { declarations: [WIRE, { Kind: 'user' }] }, 0],
    ['a Create is under way', { declarations: [WIRE], deployed: [] }, 0],
    ['an Update is under way', { declarations: [WIRE, { Kind: 'user' }], deployed: [WIRE] }, 1],
    ['an Update was completed', { declarations: [{ Kind: 'user' }], deployed: [{ Kind: 'user' }, WIRE] }, 2],
    ['and that the role was there before', { declarations: [WIRE], existed: true }, 1],
    ['and when the last event was sent', { declarations: [WIRE], sent: '2026-01-31T12:00:00.000Z' }, 1],
  ])('says which declarations completed events have had: %s', (_, declarations, deployed) => {
    const [claim] = decode({ ...ROW, declarations: { format: 1, ...declarations } }).claims;
    expect(claim.deployed).toHaveLength(deployed);
    expect(decode({ ...ROW, declarations: encodeDeclarations(claim) }).claims).toEqual([claim]);
  });

  test.each([
    ['orders', 'orders'],
    ['cdk_aurora_iam_auth_renaming_16400', 'cdk_aurora_iam_auth_renaming_16400'],
    ['cdk_aurora_iam_auth_renaming_16401', undefined],
    ['theirs', undefined],
    [null, undefined],
  ])('belongs to the role of that oid only while it is called as it was named here: %s', (roleName, expected) => {
    expect(decode({ ...ROW, roleName }).claims[0].roleName).toBe(expected);
  });

  test.each([
    ['stack_id', { stack: 'x'.repeat(500), stackId: `${'x'.repeat(500)}/${'y'.repeat(2)}/${'x'.repeat(520)}` }],
    ['physical_id', { physicalId: `cluster-ABC/${'x'.repeat(1024 - 'cluster-ABC/'.length - '/Orders'.length)}/Orders` }],
  ])('has ids of up to 1,024 characters: %s', (_, ids) => {
    const row
      = 'stack' in ids ? { ...ROW, ...ids, stack: ids.stackId.split('/').slice(0, 2).join('/') } : { ...ROW, ...ids };
    expect(problemOf(row)).toBeUndefined();
  });
});

describe('what is stored', () => {
  test.each([
    { ConnectionLimit: '5' },
    { Parameters: { 'app.x': '', 'search_path': ['$user', 'A "b"'], 'work_mem': '64MB' } },
    { ConnectionLimit: '1', Parameters: { jit: 'off' }, RoleAtLogin: 'owner' },
  ])('has settings as an event has them: %j', (Settings) => {
    const stored = {
      ...ROW,
      declarations: { format: 1, declarations: [{ Kind: 'user', MemberOf: ['owner'], Settings }] },
    };
    expect(encodeDeclarations(decode(stored).claims[0])).toEqual(stored.declarations);
  });

  const withParameter = (parameter: string) => ({
    ...ROW,
    declarations: { format: 1, declarations: [{ Kind: 'user', Settings: { Parameters: { [parameter]: '1' } } }] },
  });

  test('may have a parameter that is refused only since it was stored', () => {
    expect(decode(withParameter('log_statement')).unreadable).toEqual([]);
  });

  test.each(['role', 'session_authorization', 'a; DROP'])('has no parameter that was never taken: %s', (parameter) => {
    expect(decode(withParameter(parameter)).unreadable).toHaveLength(1);
  });

  test('is the form that an event has, and the same after any number of times', () => {
    const [claim] = decode(ROW).claims;
    expect(encodeDeclarations(claim)).toEqual(STORED);
    expect(encodeDeclarations(decode({ ...ROW, declarations: encodeDeclarations(claim) }).claims[0])).toEqual(STORED);
  });

  test.each([
    { Types: { '*': ['USAGE'], 'Mood "x"': ['USAGE'] }, FutureObjects: { migrator: { Types: ['USAGE'] } } },
    { Columns: { t: { a: ['SELECT'] } }, Functions: { f: ['EXECUTE'] }, Types: { t: ['USAGE'] } },
  ])('has the kinds that came later as it has the others', (schema) => {
    const { declarations } = inSchema(schema);
    expect(encodeDeclarations(decode(inSchema(schema)).claims[0])).toEqual(declarations);
  });

  test('has what its names stood for', () => {
    const declarations = { ...STORED, identities: IDENTITIES };
    const [claim] = decode({ ...ROW, declarations }).claims;
    expect(claim.identities).toEqual(IDENTITIES);
    expect(encodeDeclarations(claim)).toEqual(declarations);
  });

  test('leaves out what is empty', () => {
    const declarations = [decodeDeclaration('role', { Privileges: {}, MemberOf: [], Exclusive: 'false' })];
    expect(encodeDeclarations({ declarations, deployed: declarations })).toEqual({
      format: 1,
      declarations: [{ Kind: 'role' }],
    });
    expect(encodeDeclarations({ declarations, deployed: [] })).toEqual({
      format: 1,
      declarations: [{ Kind: 'role' }],
      deployed: [],
    });
  });

  test('has a key of its own for a name such as __proto__', () => {
    const declared = { Privileges: JSON.parse('{"__proto__": {"Database": ["CONNECT"]}}') as object };
    expect(JSON.stringify(encodeDeclaration(decodeDeclaration('user', declared as never)))).toBe(
      JSON.stringify(declared),
    );
  });

  test('has all privileges of two roles that have the same name after a rename', () => {
    const future = (creator: string, privileges: string[]) => ({
      creator,
      objects: [{ kind: 'TABLE' as const, privileges }],
    });
    const [schema] = decodeDeclaration('user', { Privileges: { shop: { Schemas: { app: {} } } } }).databases[0].schemas;
    const declaration: Declaration = {
      kind: 'user',
      memberOf: ['b', 'b'],
      exclusive: false,
      databases: [
        {
          database: 'shop',
          privileges: [],
          schemas: [{ ...schema, futureObjects: [future('b', ['SELECT']), future('b', ['INSERT'])] }],
        },
      ],
    };
    expect(decodeDeclaration('user', encodeDeclaration(declaration) as never)).toEqual({
      ...declaration,
      memberOf: ['b'],
      databases: [
        {
          database: 'shop',
          privileges: [],
          schemas: [{ ...schema, futureObjects: [future('b', ['INSERT', 'SELECT'])] }],
        },
      ],
    });
  });
});

describe('a row of a resource whose creation was cancelled', () => {
  const sent = '2026-01-31T12:00:00.000Z';
  const CANCELLED = {
    ...ROW,
    roleOid: '0',
    roleName: null,
    physicalId: '',
    released: true,
    declarations: { format: 1, sent },
  };

  test('is about no role', () => {
    expect(decode(CANCELLED)).toEqual({
      claims: [],
      unreadable: [],
      withoutFormat: [],
      ...NOTHING_OF_PUBLIC,
      cancelled: [{ stack: STACK, stackId: `${STACK}/0a1b`, logicalId: 'Orders', sent: Date.parse(sent) }],
    });
  });

  test.each([
    ['no time', { format: 1 }],
    ['a declaration', STORED],
    ['no object', 'x'],
    ['another time', { format: 1, sent: 'x' }],
  ])('with %s is as good as none', (_, declarations) => {
    expect(decode({ ...CANCELLED, declarations })).toEqual({
      claims: [],
      unreadable: [],
      withoutFormat: [],
      ...NOTHING_OF_PUBLIC,
      cancelled: [],
    });
  });
});

describe('a row without a format number', () => {
  test('is decoded as the same declaration, and marked', () => {
    const { claims, withoutFormat } = decode({ ...ROW, declarations: WITHOUT_FORMAT });
    expect(claims).toEqual(decode(ROW).claims);
    expect(withoutFormat).toEqual(claims);
  });

  test.each<[string, object, string]>([
    ['an unknown property', { comment: 'x' },
      'property "comment" is not allowed: declaration has only kind, memberOf, databases, exclusive'],
    ['no boolean', { exclusive: 'true' }, 'exclusive "true" is not allowed: it is neither true nor false'],
    ['a database twice', { databases: [WITHOUT_FORMAT[0].databases[0], WITHOUT_FORMAT[0].databases[0]] },
      'database "shop" is not allowed: it is listed more than once'],
    ['a list that is missing',
      { databases: [{ ...WITHOUT_FORMAT[0].databases[0],
        schemas: [{ ...WITHOUT_FORMAT[0].databases[0].schemas[0], columns: undefined }] }] },
      'columns that is missing is not allowed: it is not a list'],
    ['SQL as a privilege',
      { databases: [{ database: 'shop', schemas: [],
        privileges: ['TEMPORARY ON DATABASE "shop" TO "leaver"; COMMIT; GRANT TEMPORARY'] }] },
      'privilege on a database "TEMPORARY ON DATABASE \\"shop\\" TO \\"leaver\\"; COMMIT; GRANT TEMPORARY" is not allowed: known are CONNECT, CREATE, TEMPORARY'],
  ])('is checked as strictly: %s', (_, change, problem) => {
    expect(problemOf({ ...ROW, declarations: [{ ...WITHOUT_FORMAT[0], ...change }] })).toContain(
      `is not understood: ${problem}`,
    );
  });
});

describe('a declaration that is not understood', () => {
  const UPDATE = 'UPDATE cdk_aurora_iam_auth.managed_role SET declarations = \'{"format": 1, "declarations": []}\' '
    + `WHERE role_oid = '16400' AND stack = '${STACK}' AND logical_id = 'Orders'`;

  test('leaves it known whose the role is, and says what to do', () => {
    const { declarations, ...identity } = { ...ROW, declarations: { ...STORED, format: 2 } };
    expect(declarations.format).toBe(2);
    expect(decode({ ...identity, declarations })).toEqual({
      claims: [],
      withoutFormat: [],
      ...NOTHING_OF_PUBLIC, cancelled: [],
      unreadable: [
        {
          stack: STACK,
          logicalId: 'Orders',
          roleOid: '16400',
          roleName: 'orders',
          username: 'orders',
          released: false,
          claim: { ...identity, declarations: [], deployed: [] },
          problem:
            `what the registry has of role "orders" (resource Orders of ${STACK}/0a1b) is not understood: format 2 is not allowed: this version of the library knows format 1; `
            + 'deploy with the version that wrote it. Deploy with the version of the library that wrote it, or run in database postgres, as the owner of the table, '
            + `${UPDATE}; and deploy again: the role then gets what is declared, and keeps what it was granted before`,
        },
      ],
    });
  });

  test.each<[string, unknown, string]>([
    ['no object', 'x', 'declarations "x" is not allowed: it is not an object'],
    ['null', null, 'declarations null is not allowed: it is not an object'],
    ['an unknown key', { ...STORED, more: 1 },
      'property "more" is not allowed: declarations has only format, declarations, deployed, sent, identities, endSessions, existed'],
    ['a mark that is none', { ...STORED, existed: 'true' },
      'existed "true" is not allowed: it is not true; correct the row'],
    ['identities that are none', { ...STORED, identities: [] }, 'identities [] is not allowed: it is not an object'],
    ['an oid that is none',
      { ...STORED, identities: { ...IDENTITIES, databases: [{ ...IDENTITIES.databases[0], oid: 'x' }] } },
      'oid "x" is not allowed: it is not an oid; correct the row'],
    ['a major version that is none', { ...STORED, identities: { ...IDENTITIES, major: '17' } },
      'identities.major "17" is not allowed: it is not a whole number; correct the row'],
    ['an object of an unknown kind',
      { ...STORED,
        identities: { ...IDENTITIES,
          databases: [{ ...IDENTITIES.databases[0], objects: [{ kind: 'CAST', schema: 's', name: 'n', oid: '1' }] }] } },
      'kind "CAST" is not allowed: known are TABLE, SEQUENCE, ROUTINE, TYPE; correct the row'],
    ['completed ones that are no list', { ...STORED, deployed: {} }, 'deployed {} is not allowed: it is not a list'],
    ['a completed one that is none', { ...STORED, deployed: [{ Kind: 'admin' }] }, 'kind "admin" is not allowed'],
    ['no format', { declarations: [] }, 'format that is missing is not allowed'],
    ['a format that is a text', { ...STORED, format: '1' }, 'format "1" is not allowed'],
    ...['2026-01-31', '2026-13-31T12:00:00.000Z', '2026-01-31T12:00:00Z', ''].map(
      (sent): [string, unknown, string] => [`${sent} as a time`, { ...STORED, sent },
        `sent "${sent}" is not allowed: it is not a time such as 2026-01-31T12:00:00.000Z`],
    ),
    ['no text as a time', { ...STORED, sent: 1 }, 'sent 1 is not allowed: it is not a string'],
    ['no list', { format: 1, declarations: {} }, 'declarations {} is not allowed: it is not a list'],
    ['no declaration', { format: 1, declarations: ['x'] }, 'declaration "x" is not allowed: it is not an object'],
  ])('%s', (_, declarations, problem) => {
    expect(problemOf({ ...ROW, declarations })).toContain(`is not understood: ${problem}`);
  });

  test.each<[string, Row, string]>([
    ['an unknown property', declaring({ Superuser: 'true' }),
      'property "Superuser" is not allowed: declaration has only Kind, Privileges, MemberOf, MembershipExpiresAt, Settings, Exclusive'],
    ['an unknown kind', declaring({ Kind: 'admin' }), 'kind "admin" is not allowed: known are user, role'],
    ['a membership in rds_iam', declaring({ MemberOf: ['rds_iam'] }), 'role name "rds_iam" is not allowed'],
    ['a membership that is no text', declaring({ MemberOf: [1] }), 'MemberOf 1 is not allowed: it is not a string'],
    ['a flag', declaring({ Exclusive: true }), 'Exclusive true is not allowed: it is neither true nor false'],
    ['a database name of 64 bytes', declaring({ Privileges: { ['d'.repeat(64)]: {} } }),
      'it is longer than the 63 bytes'],
    ['a privilege on a database', declaring({ Privileges: { shop: { Database: ['CONNECT; DROP TABLE x'] } } }),
      'privilege on a database "CONNECT; DROP TABLE x" is not allowed'],
    ['an unknown kind of object', inSchema({ Views: {} }), 'property "Views" is not allowed'],
    ['a schema of the system', declaring({ Privileges: { shop: { Schemas: { pg_catalog: {} } } } }),
      'schema name "pg_catalog" is not allowed'],
    ['a privilege on a schema', inSchema({ Schema: ['ALL'] }), 'privilege on a schema "ALL" is not allowed'],
    ['a privilege on a table', inSchema({ Tables: { orders: ['OWN'] } }), 'privilege on a table "OWN" is not allowed'],
    ['a privilege on a column', inSchema({ Columns: { orders: { id: ['DELETE'] } } }),
      'privilege on a column "DELETE" is not allowed'],
    ['a privilege on a sequence', inSchema({ Sequences: { ids: ['INSERT'] } }),
      'privilege on a sequence "INSERT" is not allowed'],
    ['a privilege on a function', inSchema({ Functions: { f: ['SELECT'] } }),
      'privilege on a function "SELECT" is not allowed'],
    ['a privilege on future tables', inSchema({ FutureObjects: { migrator: { Tables: ['OWN'] } } }),
      'privilege on a table "OWN" is not allowed'],
    ['a creator that is a key word', inSchema({ FutureObjects: { public: {} } }), 'role name "public" is not allowed'],
    ['an empty name of a table', inSchema({ Tables: { '': ['SELECT'] } }), 'table name "" is not allowed: it is empty'],
    ['a name that no user can have', { ...ROW, username: 'a/b', roleName: 'a/b', physicalId: 'cluster-ABC/x/Orders' },
      'username "a/b" is not allowed'],
  ])('%s', (_, row, problem) => {
    expect(problemOf(row)).toContain(problem);
    expect(decode(row).unreadable[0].claim).toMatchObject({ stack: STACK, logicalId: 'Orders', declarations: [] });
  });

  test('of a group role may have a name that no user can have', () => {
    expect(problemOf({ ...declaring({ Kind: 'role' }), username: 'a/b', roleName: 'a/b' })).toBeUndefined();
  });
});

describe('a row of which it is not known whose it is', () => {
  test('says how to delete it, with its texts quoted', () => {
    const { unreadable: [row] } = decode({ ...ROW, stack: "o'brien" });
    expect(row).toEqual({
      stack: "o'brien",
      logicalId: 'Orders',
      roleOid: '16400',
      roleName: 'orders',
      username: 'orders',
      released: false,
      problem: expect.any(String) as string,
    });
    expect(row.problem).toBe(
      `the registry has a row of role "orders" that is not valid: stack "o'brien" is not allowed: it is not the beginning of stack_id "${STACK}/0a1b"; correct the row. `
      + 'Nothing is done to this role until the row is corrected, or deleted in database postgres, as the owner of the table: '
      + "DELETE FROM cdk_aurora_iam_auth.managed_role WHERE role_oid = '16400' AND stack = 'o''brien' AND logical_id = 'Orders'",
    );
  });

  test.each<[string, object, string]>([
    ['a stack that is not the one of its id', { stack: `${STACK}-2` }, 'it is not the beginning of stack_id'],
    ['an empty stack id', { stack: '', stackId: '' }, 'stack_id "" is not allowed: it has not 1 to 1024 characters'],
    ['an id of 1,025 characters', { logicalId: 'x'.repeat(1025) },
      `logical_id "${'x'.repeat(100)}" is not allowed: it has not 1 to 1024 characters`],
    ['a control character', { resourceId: 'cluster\u0007' },
      'resource_id "cluster\\u0007" is not allowed: it contains a control character'],
    ['an id that is no text', { logicalId: null }, 'logical_id null is not allowed: it is not a string'],
    ['a physical id of another database', { physicalId: 'cluster-DEF/orders/Orders' },
      'it does not begin with resource_id "cluster-ABC" and end with logical_id "Orders"'],
    ['a physical id of another resource', { physicalId: 'cluster-ABC/orders/Sales' },
      'it does not begin with resource_id'],
    ['the admin', { username: 'postgres', roleName: 'postgres' },
      'role name "postgres" is not allowed: it is the admin of the database'],
    ['a reserved name', { username: 'rds_superuser', roleName: 'rds_superuser' },
      'RDS reserves names that begin with rds'],
    ['a predefined role', { username: 'pg_monitor', roleName: 'pg_monitor' },
      'PostgreSQL reserves names that begin with pg_'],
    ['a name of 64 bytes', { username: 'x'.repeat(64) }, 'it is longer than the 63 bytes'],
    ['a name that is waited with', { username: 'cdk_aurora_iam_auth_renaming_1' },
      'this library uses names that begin with cdk_aurora_iam_auth'],
    ['an oid that is none', { roleOid: '00' }, 'role_oid "00" is not allowed: it is not an oid'],
    ['a flag that is none', { released: 'no' }, 'released "no" is not allowed'],
  ])('%s', (_, change, problem) => {
    const { claims, unreadable } = decode({ ...ROW, ...change });
    expect(claims).toEqual([]);
    expect(unreadable[0].problem).toContain(problem);
    expect(unreadable[0].claim).toBeUndefined();
  });

  test('is no obstacle to others', () => {
    expect(
      decodeRows([{ ...ROW, stack: 'x' }, ROW, { ...ROW, declarations: [], logicalId: '' }], 'postgres'),
    ).toMatchObject({ claims: [{ logicalId: 'Orders' }], unreadable: [{ stack: 'x' }, { logicalId: '' }] });
  });
});

describe('mutations of a row', () => {
  const VALUES = [
    null,
    true,
    0,
    -1,
    1e300,
    '',
    'x',
    "'; DROP TABLE x; --",
    '"',
    '\\',
    '\u0000',
    '\ud800',
    'x'.repeat(70),
    'rds_iam',
    'postgres',
    [],
    {},
    [[]],
    ['SELECT'],
    { '*': ['SELECT'] },
    JSON.parse('{"__proto__": {"format": 1}}') as unknown,
  ];
  const { next: random } = new Random(1);

  function mutated(value: unknown): unknown {
    if (random() < 0.15 || typeof value !== 'object' || value === null) {
      return VALUES[Math.floor(random() * VALUES.length)];
    }
    const entries: [string, unknown][] = Object.entries(value);
    const index = Math.floor(random() * (entries.length + 1));
    const changed
      = index === entries.length
        ? [
            ...entries,
            [String(VALUES[Math.floor(random() * VALUES.length)]), VALUES[Math.floor(random() * VALUES.length)]] as [
              string,
              unknown,
            ],
          ]
        : random() < 0.1
          ? entries.filter((_, at) => at !== index)
          : entries.map(([key, item], at): [string, unknown] => (at === index ? [key, mutated(item)] : [key, item]));
    return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed);
  }

  test('give a claim that is the same when it is stored and read again, or a problem that fits into a reason', () => {
    // To know where each error comes from takes most of the time.
    Error.stackTraceLimit = 0;
    let understood = 0;
    const wrong: unknown[] = [];
    for (let n = 0; n < (FULL ? 10_000 : 1_000); n++) {
      const row = mutated(n % 2 === 0 ? ROW : { ...ROW, declarations: WITHOUT_FORMAT });
      const {
        claims: [claim],
        unreadable: [unreadable],
      } = decodeRows([typeof row === 'object' && row !== null ? (row as Row) : {}], 'postgres');
      const again
        = claim
          && decode({ ...claim, declarations: JSON.parse(JSON.stringify(encodeDeclarations(claim))) as unknown })
            .claims[0];
      if (
        claim
          ? !isDeepStrictEqual(again, claim)
          : Buffer.byteLength(JSON.stringify(new ProvisionError(unreadable.problem).message)) > 4_096
      ) {
        wrong.push(row);
      }
      understood += claim ? 1 : 0;
    }
    expect(wrong).toEqual([]);
    expect(understood).toBeGreaterThan(100);
  });
});
