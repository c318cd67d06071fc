import { decode } from '../../lambda/provisioner/request';
import { Event } from '../../lambda/shared/event';

const STACK_ID = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/0a1b2c';
const SAME_VERSION = 'update the provisioner and the resource to the same version of the library';
const TABLE_WORDS = 'known are DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE';
const LONGEST = 'x'.repeat(63);
const TOO_LONG = 'x'.repeat(64);
const TOO_LONG_RULE = 'it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it';

const DATABASE = { ResourceId: 'cluster-ABC' };
const COMMON = {
  ServiceToken: 'token',
  ServiceTimeout: '420',
  Database: DATABASE,
  OnRemoval: { Action: 'DROP_OR_DISABLE' },
};

const USER = { ...COMMON, Username: 'mario.rossi@example.com' };
const USERS = { ...COMMON, Usernames: ['b', 'a', 'b'] };
const ROLE = { ...COMMON, RoleName: 'readers' };

interface Properties {
  readonly [name: string]: unknown;
}

function event(properties: Properties, fields: Partial<Event> = {}): Event {
  return {
    RequestType: 'Create',
    RequestId: 'r',
    StackId: STACK_ID,
    LogicalResourceId: 'User1A2B',
    ResourceType:
      'Usernames' in properties
        ? 'Custom::RdsIamUsers'
        : 'RoleName' in properties
          ? 'Custom::RdsGroupRole'
          : 'Custom::RdsIamUser',
    ResourceProperties: properties,
    ...fields,
  };
}

const user = (more: Properties = {}) => decode(event({ ...USER, ...more }));
const inSchema = (declared: unknown, schema = 'app') =>
  user({ Privileges: { shop: { Schemas: { [schema]: declared } } } }).declaration.databases[0].schemas[0];

const NOTHING = { owner: false, privileges: [], objects: [], futureObjects: [] };

describe('decode', () => {
  test('a complete event, lists sorted and without duplicates', () => {
    const request = user({
      Privileges: {
        stock: { Database: ['CONNECT'] },
        shop: {
          Database: ['TEMPORARY', 'CONNECT', 'CONNECT', 'CREATE'],
          Schemas: {
            own: { Owner: 'true' },
            app: {
              Owner: 'false',
              Schema: ['USAGE', 'CREATE'],
              Tables: { 'orders': ['TRIGGER'], '*': ['SELECT', 'INSERT', 'SELECT'] },
              Columns: { orders: { total: ['UPDATE', 'SELECT'], id: ['INSERT', 'REFERENCES'] } },
              Sequences: { '*': ['USAGE', 'UPDATE', 'SELECT'] },
              Functions: { f: ['EXECUTE'] },
              FutureObjects: {
                migrator: { Tables: ['SELECT'], Sequences: ['USAGE'], Functions: ['EXECUTE'] },
                another: { Tables: ['SELECT'] },
              },
            },
          },
        },
      },
      MemberOf: ['writers', 'readers', 'readers'],
      OnRemoval: { Action: 'DROP', ReassignOwnedTo: 'heir' },
      Exclusive: 'true',
      AdoptExisting: 'true',
      Reapply: 'anything',
      PolicyUsername: 'mario.rossi@example.com',
    });
    expect(request).toEqual({
      action: 'apply',
      resource: {
        stack: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop',
        stackId: STACK_ID,
        logicalId: 'User1A2B',
      },
      resourceId: 'cluster-ABC',
      kind: 'user',
      single: true,
      usernames: ['mario.rossi@example.com'],
      declaration: {
        kind: 'user',
        memberOf: ['readers', 'writers'],
        databases: [
          {
            database: 'shop',
            privileges: ['CONNECT', 'CREATE', 'TEMPORARY'],
            schemas: [
              {
                schema: 'app',
                owner: false,
                privileges: ['CREATE', 'USAGE'],
                objects: [
                  { kind: 'TABLE', name: '*', privileges: ['INSERT', 'SELECT'] },
                  { kind: 'TABLE', name: 'orders', privileges: ['TRIGGER'] },
                  { kind: 'COLUMN', table: 'orders', name: 'id', privileges: ['INSERT', 'REFERENCES'] },
                  { kind: 'COLUMN', table: 'orders', name: 'total', privileges: ['SELECT', 'UPDATE'] },
                  { kind: 'SEQUENCE', name: '*', privileges: ['SELECT', 'UPDATE', 'USAGE'] },
                  { kind: 'ROUTINE', name: 'f', privileges: ['EXECUTE'] },
                ],
                futureObjects: [
                  { creator: 'another', objects: [{ kind: 'TABLE', privileges: ['SELECT'] }] },
                  {
                    creator: 'migrator',
                    objects: [
                      { kind: 'TABLE', privileges: ['SELECT'] },
                      { kind: 'SEQUENCE', privileges: ['USAGE'] },
                      { kind: 'ROUTINE', privileges: ['EXECUTE'] },
                    ],
                  },
                ],
              },
              { ...NOTHING, schema: 'own', owner: true },
            ],
          },
          { database: 'stock', privileges: ['CONNECT'], schemas: [] },
        ],
        exclusive: true,
      },
      onRemoval: { action: 'DROP', reassignOwnedTo: 'heir' },
      adoptExisting: true,
      physicalId: 'cluster-ABC/mario.rossi%40example.com/User1A2B',
      cancelled: false,
    });
  });

  test('of one user, what is not declared is nothing', () => {
    expect(user()).toMatchObject({
      declaration: { kind: 'user', memberOf: [], databases: [], exclusive: false },
      onRemoval: { action: 'DROP_OR_DISABLE' },
      adoptExisting: false,
    });
  });

  test('many users', () => {
    const request = decode(event(USERS));
    expect(request).toMatchObject({ kind: 'user', single: false, usernames: ['a', 'b'] });
    expect(request.physicalId).toMatch(/^cluster-ABC\/[0-9a-f]{32}\/User1A2B$/);
  });

  test('the physical id of many is that of the list, whatever its order', () => {
    const physicalId = (...names: string[]) => decode(event({ ...USERS, Usernames: names })).physicalId;
    expect(physicalId('b', 'a')).toBe(physicalId('a', 'b', 'a'));
    expect(physicalId('a')).not.toBe(physicalId('a', 'b'));
    expect(physicalId('a,b')).not.toBe(physicalId('a', 'b'));
  });

  test('a group role, whose name no policy has to carry', () => {
    expect(decode(event({ ...ROLE, RoleName: 'a/b:€' }))).toMatchObject({
      kind: 'role',
      single: true,
      usernames: ['a/b:€'],
      declaration: { kind: 'role' },
      physicalId: 'cluster-ABC/a%2Fb%3A%E2%82%AC/User1A2B',
    });
  });

  test.each(['DROP_OR_DISABLE', 'DISABLE', 'RETAIN'])('on removal: %s', (Action) => {
    expect(user({ OnRemoval: { Action } }).onRemoval).toEqual({ action: Action });
    expect(user({ OnRemoval: undefined }).onRemoval).toEqual({ action: 'DROP_OR_DISABLE' });
  });

  test('a name like that of a member of every object is one like any other', () => {
    const privileges = JSON.parse(
      '{"__proto__":{"Schemas":{"constructor":{"Tables":{"__proto__":["SELECT"]}}}}}',
    ) as unknown;
    expect(user({ Privileges: privileges }).declaration.databases).toEqual([
      {
        database: '__proto__',
        privileges: [],
        schemas: [
          {
            ...NOTHING,
            schema: 'constructor',
            objects: [{ kind: 'TABLE', name: '__proto__', privileges: ['SELECT'] }],
          },
        ],
      },
    ]);
    expect(() => decode(event(USER, { ResourceType: 'constructor' }))).toThrow(
      'resource type "constructor" is not allowed',
    );
  });

  test('names of 63 bytes', () => {
    const all = {
      Tables: { [LONGEST]: [] },
      Columns: { [LONGEST]: { [LONGEST]: [] } },
      Sequences: { [LONGEST]: [] },
      Functions: { [LONGEST]: [] },
      FutureObjects: { [LONGEST]: {} },
    };
    expect(() =>
      user({
        Username: 'ü'.repeat(31),
        Privileges: { [LONGEST]: { Schemas: { [LONGEST]: all } } },
        MemberOf: [LONGEST],
        OnRemoval: { Action: 'DROP', ReassignOwnedTo: LONGEST },
      }),
    ).not.toThrow();
    expect(() => decode(event({ ...ROLE, RoleName: LONGEST }))).not.toThrow();
  });
});

describe('the settings of a user', () => {
  const settings = (Settings: unknown, more: object = {}) =>
    user({ Settings, MemberOf: ['owner'], ...more }).declaration.settings;

  test('are decoded, sorted', () => {
    expect(
      settings({
        ConnectionLimit: '2147483647',
        Parameters: { 'work_mem': '', 'app.name': 'x', 'search_path': ['$user', ' a '] },
        RoleAtLogin: 'owner',
      }),
    ).toEqual({
      connectionLimit: 2147483647,
      parameters: [
        { parameter: 'app.name', value: 'x' },
        { parameter: 'search_path', value: ['$user', ' a '] },
        { parameter: 'work_mem', value: '' },
        { parameter: 'role', value: 'owner' },
      ],
    });
    expect(settings({})).toEqual({ parameters: [] });
    expect(user()).not.toHaveProperty('declaration.settings');
  });

  test('are none of a group role', () => {
    expect(() => decode(event({ ...ROLE, Settings: {} }))).toThrow(
      'Settings {} is not allowed: members do not inherit the settings of a group role, which has no sessions of its own; declare them on its members',
    );
  });

  const problem = (what: string, rule: string) => `${what} is not allowed: ${rule}`;
  test.each<[unknown, string]>([
    ['x', problem('Settings "x"', 'it is not an object')],
    [{ Role: 'x' }, problem('property "Role"', 'Settings has only ConnectionLimit, Parameters, RoleAtLogin')],
    [{ ConnectionLimit: 5 }, problem('Settings.ConnectionLimit 5', 'it is not a string')],
    ...['0', '-1', '2147483648', '1.5', '1e3', ' 1', '', '1; DROP ROLE postgres'].map((limit): [unknown, string] => [
      { ConnectionLimit: limit },
      problem(
        `connection limit ${JSON.stringify(limit)}`,
        'it is not a whole number from 1 to 2147483647; correct it, or leave it out for no limit',
      ),
    ]),
    [
      { RoleAtLogin: 'other' },
      problem('Settings.RoleAtLogin "other"', 'the user is not a member of it; add it to MemberOf'),
    ],
    [{ RoleAtLogin: 'none' }, problem('role name "none"', 'it is a key word of PostgreSQL')],
    [{ RoleAtLogin: ['owner'] }, problem('Settings.RoleAtLogin ["owner"]', 'it is not a string')],
    ...['role', 'session_authorization', 'is_superuser'].map((name): [unknown, string] => [
      { Parameters: { [name]: 'owner' } },
      problem(
        `parameter "${name}"`,
        'it changes who the session is; leave it out; to act as a group role, pass setRoleAtLogin',
      ),
    ]),
    ...['log_statement', 'session_replication_role', 'pgaudit.log', 'track_activities', 'lo_compat_privileges'].map(
      (name): [unknown, string] => [
        { Parameters: { [name]: 'x' } },
        problem(
          `parameter "${name}"`,
          'it changes what a session may do or what is recorded of it, and PostgreSQL leaves it to superusers',
        ),
      ],
    ),
    [
      { Parameters: { local_preload_libraries: 'x' } },
      problem('parameter "local_preload_libraries"', 'it loads code into the session'),
    ],
    [
      { Parameters: { transaction_read_only: 'on' } },
      problem(
        'parameter "transaction_read_only"',
        'it is of one transaction, and not of a session; set the parameter that has default_ in front of it',
      ),
    ],
    [{ Parameters: { sort_mem: '1' } }, problem('parameter "sort_mem"', 'it is a former name')],
    ...[
      'Role',
      'SESSION_AUTHORIZATION',
      'Work_mem',
      '',
      'a b',
      'a;b',
      'a"b',
      'a.b.c',
      '.a',
      'a.',
      '1a',
      'a-b',
      'a\u0000',
      'r\u00f6le',
      'a'.repeat(64),
      '__proto__ ',
    ].map((name): [unknown, string] => [
      { Parameters: { [name]: 'x' } },
      problem(
        `parameter ${JSON.stringify(name)}`,
        'the name of a parameter has letters, digits, _ and $, one dot at most, and 63 characters at most',
      ),
    ]),
    [{ Parameters: { work_mem: ['1MB'] } }, problem('Settings.Parameters.work_mem ["1MB"]', 'it is not a string')],
    [
      { Parameters: { work_mem: 'a\nb' } },
      problem('value of parameter "work_mem" "a\\nb"', 'it contains a control character'),
    ],
    [{ Parameters: { work_mem: 'x'.repeat(1_001) } }, 'it has not 0 to 1000 bytes of UTF-8; correct it'],
    [{ Parameters: { search_path: 'a, b' } }, problem('Settings.Parameters.search_path "a, b"', 'it is not a list')],
    [
      { Parameters: { search_path: [] } },
      problem('value of parameter "search_path" []', 'it is empty; name at least one, or leave the parameter out'),
    ],
    [
      { Parameters: { search_path: ['a', ''] } },
      problem('value of parameter "search_path" ""', 'it has not 1 to 63 bytes of UTF-8'),
    ],
    [{ Parameters: { search_path: ['\u00fc'.repeat(32)] } }, 'it has not 1 to 63 bytes of UTF-8'],
    [
      { Parameters: { temp_tablespaces: [1] } },
      problem('Settings.Parameters.temp_tablespaces 1', 'it is not a string'),
    ],
  ])('are refused: %j', (Settings, message) => {
    expect(() => settings(Settings)).toThrow(message);
  });

  test('are taken at their limits', () => {
    const longest = 'a'.repeat(63);
    expect(
      settings({
        ConnectionLimit: '1',
        Parameters: { [longest]: 'x'.repeat(1_000), search_path: [longest, '\u00fc'.repeat(31)] },
      })!.parameters,
    ).toHaveLength(2);
  });
});

describe('decode refuses', () => {
  const schema = (declared: unknown, name = 'app') => ({ Privileges: { shop: { Schemas: { [name]: declared } } } });

  test.each<[string, Properties, string]>([
    [
      'an unknown property',
      { Extra: 'x' },
      'property "Extra" is not allowed: the resource has only ServiceToken, ServiceTimeout, Database, Privileges, MemberOf, MembershipExpiresAt, Settings, OnRemoval, Exclusive, AdoptExisting, Reapply, Username, PolicyUsername, ExpiresAt; remove it, or update the provisioner',
    ],
    [
      'an unknown property of the database',
      { Database: { ...DATABASE, Name: 'x' } },
      'property "Name" is not allowed: Database has only ResourceId; remove it, or update the provisioner',
    ],
    [
      'no database',
      { Database: undefined },
      'Database that is missing is not allowed: it is not an object; pass an object',
    ],
    ['a database that is none', { Database: 'x' }, 'Database "x" is not allowed: it is not an object; pass an object'],
    ['a list for an object', { Database: [] }, 'Database [] is not allowed: it is not an object; pass an object'],
    [
      'null for an object',
      { Privileges: { shop: null } },
      'Privileges.shop null is not allowed: it is not an object; pass an object',
    ],
    [
      'a host',
      { Database: { ...DATABASE, Host: 'db.example.com' } },
      'property "Host" is not allowed: Database has only ResourceId; remove it, or update the provisioner',
    ],
    [
      'a port',
      { Database: { ...DATABASE, Port: '5432' } },
      'property "Port" is not allowed: Database has only ResourceId; remove it, or update the provisioner',
    ],
    [
      'no resource id',
      { Database: { ...DATABASE, ResourceId: 7 } },
      'Database.ResourceId 7 is not allowed: it is not a string; pass a string',
    ],
    [
      'no username',
      { Username: undefined },
      'Username that is missing is not allowed: it is not a string; pass a string',
    ],
    [
      'a username that is no string',
      { Username: ['a'] },
      'Username ["a"] is not allowed: it is not a string; pass a string',
    ],
    [
      'a username of PostgreSQL',
      { Username: 'pg_x' },
      'username "pg_x" is not allowed: PostgreSQL reserves names that begin with pg_; choose another name',
    ],
    [
      'a username of RDS',
      { Username: 'rdsx' },
      'username "rdsx" is not allowed: RDS reserves names that begin with rds; choose another name',
    ],
    [
      'a username that is a key word',
      { Username: 'public' },
      'username "public" is not allowed: it is a key word of PostgreSQL where a role is named; name one user instead',
    ],
    [
      'a username that is too long',
      { Username: 'ü'.repeat(32) },
      `username "${'ü'.repeat(32)}" is not allowed: ${TOO_LONG_RULE}`,
    ],
    [
      'a username that would reach other users',
      { Username: 'a*', PolicyUsername: 'a*' },
      'username "a*" is not allowed: it became known at deployment only, so that *, ? or $ in it are not escaped in the policies and would reach other users; pass the username as a literal, or without these characters',
    ],
    [
      'an unknown kind of privilege',
      { Privileges: { shop: { Tables: {} } } },
      'property "Tables" is not allowed: Privileges.shop has only Database, Schemas; remove it, or update the provisioner',
    ],
    [
      'an unknown privilege',
      { Privileges: { shop: { Database: ['connect'] } } },
      `privilege on a database "connect" is not allowed: known are CONNECT, CREATE, TEMPORARY; ${SAME_VERSION}`,
    ],
    [
      'a privilege that is no string',
      { Privileges: { shop: { Database: [1] } } },
      'Privileges.shop.Database 1 is not allowed: it is not a string; pass a string',
    ],
    [
      'a list that is none',
      { Privileges: { shop: { Database: 'CONNECT' } } },
      'Privileges.shop.Database "CONNECT" is not allowed: it is not a list; pass a list of strings',
    ],
    [
      'a database name that is too long',
      { Privileges: { [TOO_LONG]: {} } },
      `database name "${TOO_LONG}" is not allowed: ${TOO_LONG_RULE}`,
    ],
    [
      'an empty database name',
      { Privileges: { '': {} } },
      'database name "" is not allowed: it is empty; give it 1 to 63 bytes',
    ],
    [
      'a schema of the system',
      schema({}, 'pg_catalog'),
      'schema name "pg_catalog" is not allowed: it is a schema of the system, whose privileges are PostgreSQL\'s own; name a schema of your data, or use a predefined role such as pg_monitor',
    ],
    [
      'a schema name that is too long',
      schema({}, TOO_LONG),
      `schema name "${TOO_LONG}" is not allowed: ${TOO_LONG_RULE}`,
    ],
    [
      'an unknown property of a schema',
      schema({ Views: {} }),
      'property "Views" is not allowed: Privileges.shop.Schemas.app has only Owner, Schema, Tables, Columns, Sequences, Functions, Types, FutureObjects; remove it, or update the provisioner',
    ],
    [
      'an owner that is neither',
      schema({ Owner: 'yes' }),
      'Privileges.shop.Schemas.app.Owner "yes" is not allowed: it is neither true nor false; pass one of them',
    ],
    [
      'a privilege that a schema has not',
      schema({ Schema: ['SELECT'] }),
      `privilege on a schema "SELECT" is not allowed: known are CREATE, USAGE; ${SAME_VERSION}`,
    ],
    [
      'a privilege that a table has not',
      schema({ Tables: { '*': ['USAGE'] } }),
      `privilege on a table "USAGE" is not allowed: ${TABLE_WORDS}; ${SAME_VERSION}`,
    ],
    [
      'a table name that is too long',
      schema({ Tables: { [TOO_LONG]: [] } }),
      `table name "${TOO_LONG}" is not allowed: ${TOO_LONG_RULE}`,
    ],
    [
      'a privilege that a column has not',
      schema({ Columns: { t: { c: ['DELETE'] } } }),
      `privilege on a column "DELETE" is not allowed: known are INSERT, REFERENCES, SELECT, UPDATE; ${SAME_VERSION}`,
    ],
    [
      'all columns',
      schema({ Columns: { t: { '*': ['SELECT'] } } }),
      'column name "*" is not allowed: it would stand for all columns of the table; grant on the table itself (Privileges.onTables)',
    ],
    [
      'columns of all tables',
      schema({ Columns: { '*': { c: ['SELECT'] } } }),
      'table name "*" is not allowed: it stands for all objects of the schema, so that one of this name cannot be told apart; leave the names out to mean all of them',
    ],
    [
      'a column name with U+0000',
      schema({ Columns: { t: { 'c\0': [] } } }),
      'column name "c\\u0000" is not allowed: it contains the character U+0000, which PostgreSQL cannot store; remove it',
    ],
    [
      'a privilege that a sequence has not',
      schema({ Sequences: { s: ['INSERT'] } }),
      `privilege on a sequence "INSERT" is not allowed: known are SELECT, UPDATE, USAGE; ${SAME_VERSION}`,
    ],
    [
      'an empty sequence name',
      schema({ Sequences: { '': [] } }),
      'sequence name "" is not allowed: it is empty; give it 1 to 63 bytes',
    ],
    [
      'a privilege that a function has not',
      schema({ Functions: { f: ['SELECT'] } }),
      `privilege on a function "SELECT" is not allowed: known are EXECUTE; ${SAME_VERSION}`,
    ],
    [
      'a function name that is too long',
      schema({ Functions: { [TOO_LONG]: [] } }),
      `function name "${TOO_LONG}" is not allowed: ${TOO_LONG_RULE}`,
    ],
    [
      'a creator that every role is',
      schema({ FutureObjects: { public: {} } }),
      'role name "public" is not allowed: it is a key word of PostgreSQL where a role is named; name one role instead',
    ],
    [
      'privileges on future objects that are another word',
      schema({ FutureObjects: { migrator: 'all' } }),
      'Privileges.shop.Schemas.app.FutureObjects.migrator "all" is not allowed: it is not an object; pass an object',
    ],
    [
      'an unknown kind of future objects',
      schema({ FutureObjects: { migrator: { Columns: [] } } }),
      'property "Columns" is not allowed: Privileges.shop.Schemas.app.FutureObjects.migrator has only Tables, Sequences, Functions, Types; remove it, or update the provisioner',
    ],
    [
      'a privilege that a future table has not',
      schema({ FutureObjects: { migrator: { Tables: ['EXECUTE'] } } }),
      `privilege on a table "EXECUTE" is not allowed: ${TABLE_WORDS}; ${SAME_VERSION}`,
    ],
    [
      'a privilege that a future sequence has not',
      schema({ FutureObjects: { migrator: { Sequences: ['INSERT'] } } }),
      `privilege on a sequence "INSERT" is not allowed: known are SELECT, UPDATE, USAGE; ${SAME_VERSION}`,
    ],
    [
      'a privilege that a future function has not',
      schema({ FutureObjects: { migrator: { Functions: ['SELECT'] } } }),
      `privilege on a function "SELECT" is not allowed: known are EXECUTE; ${SAME_VERSION}`,
    ],
    [
      'what the user itself creates',
      { Username: 'u', ...schema({ FutureObjects: { u: { Tables: ['SELECT'] } } }) },
      'FutureObjects "u" is not allowed: a role owns what it creates and needs no privileges on it; leave it out',
    ],
    [
      'membership in itself',
      { Username: 'u', MemberOf: ['u'] },
      'MemberOf "u" is not allowed: a role cannot be a member of itself; leave it out',
    ],
    [
      'membership in rds_iam',
      { MemberOf: ['rds_iam'] },
      'role name "rds_iam" is not allowed: every user of this library is a member of it already; leave it out',
    ],
    [
      'memberships that are no list',
      { MemberOf: 'readers' },
      'MemberOf "readers" is not allowed: it is not a list; pass a list of strings',
    ],
    [
      'a membership in a name that is too long',
      { MemberOf: [TOO_LONG] },
      `role name "${TOO_LONG}" is not allowed: ${TOO_LONG_RULE}`,
    ],
    [
      'exclusive that is neither',
      { Exclusive: true },
      'Exclusive true is not allowed: it is neither true nor false; pass one of them',
    ],
    [
      'adoption that is neither',
      { AdoptExisting: '' },
      'AdoptExisting "" is not allowed: it is neither true nor false; pass one of them',
    ],
    [
      'an unknown removal',
      { OnRemoval: { Action: 'DELETE' } },
      `action on removal "DELETE" is not allowed: known are DROP_OR_DISABLE, DROP, DISABLE, RETAIN; ${SAME_VERSION}`,
    ],
    [
      'an unknown property of the removal',
      { OnRemoval: { Action: 'DROP', To: 'x' } },
      'property "To" is not allowed: OnRemoval has only Action, ReassignOwnedTo; remove it, or update the provisioner',
    ],
    [
      'a new owner where nothing is dropped',
      { OnRemoval: { Action: 'RETAIN', ReassignOwnedTo: 'heir' } },
      'ReassignOwnedTo "heir" is not allowed: it goes with DROP only; leave it out',
    ],
    [
      'no new owner where everything is',
      { OnRemoval: { Action: 'DROP' } },
      'OnRemoval.ReassignOwnedTo that is missing is not allowed: it is not a string; pass a string',
    ],
    [
      'a new owner that every role is',
      { OnRemoval: { Action: 'DROP', ReassignOwnedTo: 'public' } },
      'role name "public" is not allowed: it is a key word of PostgreSQL where a role is named; name one role instead',
    ],
  ])('%s', (_, properties, message) => {
    expect(() => user(properties)).toThrow(new Error(message));
  });

  test('another resource type', () => {
    expect(() => decode(event(USER, { ResourceType: 'Custom::Other' }))).toThrow(
      new Error(`resource type "Custom::Other" is not allowed: the provisioner does not know it; ${SAME_VERSION}`),
    );
  });

  test.each<[string, Properties, string]>([
    [
      'nobody',
      { Usernames: [] },
      'Usernames [] is not allowed: it is empty; name at least one user, or remove the resource',
    ],
    [
      'a list that is none',
      { Usernames: 'a' },
      'Usernames "a" is not allowed: it is not a list; pass a list of strings',
    ],
    [
      'one that may not be',
      { Usernames: ['a', 'pg_b'] },
      'username "pg_b" is not allowed: PostgreSQL reserves names that begin with pg_; choose another name',
    ],
    [
      'one in itself',
      { MemberOf: ['b'] },
      'MemberOf "b" is not allowed: a role cannot be a member of itself; leave it out',
    ],
    [
      'what one of them creates',
      schema({ FutureObjects: { a: {} } }),
      'FutureObjects "a" is not allowed: a role owns what it creates and needs no privileges on it; leave it out',
    ],
    [
      'many owners',
      schema({ Owner: 'true' }),
      'Owner "true" is not allowed: a schema has one owner; declare the owner as a user of its own',
    ],
    [
      'the name of one user',
      { Username: 'a' },
      'property "Username" is not allowed: the resource has only ServiceToken, ServiceTimeout, Database, Privileges, MemberOf, MembershipExpiresAt, Settings, OnRemoval, Exclusive, AdoptExisting, Reapply, Usernames, ExpiresAt; remove it, or update the provisioner',
    ],
  ])('of many users: %s', (_, properties, message) => {
    expect(() => decode(event({ ...USERS, ...properties }))).toThrow(new Error(message));
  });

  test('one user of many may own a schema', () => {
    expect(
      decode(event({ ...USERS, Usernames: ['a', 'a'], ...schema({ Owner: 'true' }) })).declaration.databases[0]
        .schemas[0].owner,
    ).toBe(true);
  });

  test.each<[string, Properties, string]>([
    ['no name', { RoleName: 7 }, 'RoleName 7 is not allowed: it is not a string; pass a string'],
    [
      'a name of RDS',
      { RoleName: 'rds_x' },
      'role name "rds_x" is not allowed: RDS reserves names that begin with rds; choose another name',
    ],
    [
      'the name of a policy',
      { PolicyUsername: 'readers' },
      'property "PolicyUsername" is not allowed: the resource has only ServiceToken, ServiceTimeout, Database, Privileges, MemberOf, MembershipExpiresAt, Settings, OnRemoval, Exclusive, AdoptExisting, Reapply, RoleName; remove it, or update the provisioner',
    ],
    [
      'itself',
      { MemberOf: ['readers'] },
      'MemberOf "readers" is not allowed: a role cannot be a member of itself; leave it out',
    ],
  ])('of a group role: %s', (_, properties, message) => {
    expect(() => decode(event({ ...ROLE, ...properties }))).toThrow(new Error(message));
  });
});

describe('decode of a Delete', () => {
  const gone = (properties: Properties, fields: Partial<Event> = {}) =>
    decode(
      event(properties, { RequestType: 'Delete', PhysicalResourceId: 'cluster-ABC/that one/User1A2B', ...fields }),
    );

  test('is for the physical resource it names', () => {
    expect(gone({ ...USER, OnRemoval: { Action: 'DROP', ReassignOwnedTo: 'heir' } })).toEqual({
      action: 'remove',
      resource: { stack: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop', stackId: STACK_ID, logicalId: 'User1A2B' },
      resourceId: 'cluster-ABC',
      kind: 'user',
      single: true,
      usernames: ['mario.rossi@example.com'],
      declaration: { kind: 'user', memberOf: [], databases: [], exclusive: false },
      onRemoval: { action: 'DROP', reassignOwnedTo: 'heir' },
      adoptExisting: false,
      physicalId: 'cluster-ABC/that one/User1A2B',
      cancelled: false,
    });
    expect(gone(USERS)).toMatchObject({ single: false, usernames: ['a', 'b'] });
    expect(gone(ROLE)).toMatchObject({ kind: 'role', usernames: ['readers'] });
  });

  test('with a physical id that is not made here, its creation was cancelled', () => {
    expect(gone(USER, { PhysicalResourceId: 'shop-User1A2B-1ABCDEFGHIJKL' })).toMatchObject({
      cancelled: true,
      onRemoval: { action: 'DROP_OR_DISABLE' },
    });
  });

  test.each<[string, Properties, string[]]>([
    ['no name', { ...USER, Username: undefined }, []],
    ['a number', { ...USER, Username: 42 }, []],
    ['U+0000', { ...USER, Username: 'a\0' }, []],
    ['half of a surrogate pair', { ...ROLE, RoleName: 'a\ud800' }, []],
    ['no list', { ...USERS, Usernames: { Ref: 'x' } }, []],
    ['a list with some', { ...USERS, Usernames: ['a', 7, 'b\0', 'c'] }, ['a', 'c']],
  ])('of a cancelled creation goes through, whatever it has for a name: %s', (_, properties, usernames) => {
    expect(gone(properties, { PhysicalResourceId: 'shop-User1A2B-1ABCDEFGHIJKL' })).toMatchObject({
      cancelled: true,
      usernames,
    });
    expect(gone(properties, { PhysicalResourceId: undefined })).toMatchObject({ cancelled: true, usernames });
  });

  test('of what was created says what is wrong with its name', () => {
    expect(() => gone({ ...USER, Username: 42 })).toThrow(
      new Error('Username 42 is not allowed: it is not a string; pass a string'),
    );
  });

  test('no rule for what is declared stops it', () => {
    const odd = { Extra: 'x', Privileges: 'none', MemberOf: ['rds_iam'], Exclusive: 'maybe', AdoptExisting: 7 };
    expect(
      gone({ ...USER, ...odd, Username: 'pg_x', PolicyUsername: '*', Database: { ...DATABASE, Name: 'x' } }),
    ).toMatchObject({ usernames: ['pg_x'], declaration: { databases: [], exclusive: false } });
    expect(gone({ ...USERS, ...odd, Usernames: [] })).toMatchObject({ usernames: [] });
    expect(gone(USER, { PhysicalResourceId: undefined }).physicalId).toBe('');
  });

  test.each<[string, unknown, object]>([
    ['nothing, as before it was there', undefined, { action: 'DROP_OR_DISABLE' }],
    ['an action of another version', { Action: 'ARCHIVE' }, { action: 'DISABLE' }],
    ['no new owner', { Action: 'DROP' }, { action: 'DISABLE' }],
    ['no object', 'DROP', { action: 'DISABLE' }],
    ['what it knows', { Action: 'RETAIN' }, { action: 'RETAIN' }],
  ])('loses as little as can be with %s', (_, OnRemoval, expected) => {
    expect(gone({ ...USER, OnRemoval }).onRemoval).toEqual(expected);
  });

  test.each<[string, Properties, string]>([
    [
      'of which database',
      { Database: {} },
      'Database.ResourceId that is missing is not allowed: it is not a string; pass a string',
    ],
    ['of whom', { Username: undefined }, 'Username that is missing is not allowed: it is not a string; pass a string'],
  ])('needs to know %s', (_, properties, message) => {
    expect(() => gone({ ...USER, ...properties })).toThrow(new Error(message));
  });
});

describe('decode of privileges in a schema', () => {
  test.each<[string, object, object]>([
    ['nothing', {}, {}],
    [
      'a name that is needed by no rule',
      { Tables: { 'a.b "c"': ['SELECT'] } },
      { objects: [{ kind: 'TABLE', name: 'a.b "c"', privileges: ['SELECT'] }] },
    ],
    [
      'all privileges of a table',
      { Tables: { t: ['UPDATE', 'TRUNCATE', 'TRIGGER', 'SELECT', 'REFERENCES', 'MAINTAIN', 'INSERT', 'DELETE'] } },
      {
        objects: [
          {
            kind: 'TABLE',
            name: 't',
            privileges: ['DELETE', 'INSERT', 'MAINTAIN', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE'],
          },
        ],
      },
    ],
    [
      'all sequences and functions',
      { Sequences: { '*': ['USAGE'] }, Functions: { '*': ['EXECUTE'] } },
      {
        objects: [
          { kind: 'SEQUENCE', name: '*', privileges: ['USAGE'] },
          { kind: 'ROUTINE', name: '*', privileges: ['EXECUTE'] },
        ],
      },
    ],
    [
      'what a role creates, with the privileges on all',
      {
        Tables: { '*': ['SELECT'], 't': ['UPDATE'] },
        Sequences: { s: ['USAGE'] },
        Functions: { '*': ['EXECUTE'] },
        FutureObjects: { migrator: '*' },
      },
      {
        objects: [
          { kind: 'TABLE', name: '*', privileges: ['SELECT'] },
          { kind: 'TABLE', name: 't', privileges: ['UPDATE'] },
          { kind: 'SEQUENCE', name: 's', privileges: ['USAGE'] },
          { kind: 'ROUTINE', name: '*', privileges: ['EXECUTE'] },
        ],
        futureObjects: [
          {
            creator: 'migrator',
            objects: [{ kind: 'TABLE', privileges: ['SELECT'] }, { kind: 'ROUTINE', privileges: ['EXECUTE'] }],
          },
        ],
      },
    ],
    [
      'types, by name and all, and what a role creates',
      { Types: { '*': ['USAGE'], 'mood': [] }, FutureObjects: { a: '*', b: { Types: ['USAGE'] } } },
      {
        objects: [{ kind: 'TYPE', name: '*', privileges: ['USAGE'] }, { kind: 'TYPE', name: 'mood', privileges: [] }],
        futureObjects: ['a', 'b'].map(creator => ({ creator, objects: [{ kind: 'TYPE', privileges: ['USAGE'] }] })),
      },
    ],
    [
      'a creator without privileges',
      { FutureObjects: { migrator: {} } },
      { futureObjects: [{ creator: 'migrator', objects: [] }] },
    ],
  ])('%s', (_, declared, expected) => {
    expect(inSchema(declared)).toEqual({ ...NOTHING, schema: 'app', ...expected });
  });
});
