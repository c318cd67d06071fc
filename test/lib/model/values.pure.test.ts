import { App, Duration, Lazy, Stack } from 'aws-cdk-lib';
import { expiredMembership, expiredUser, expiryText, isExpired, membershipExpiryText, movingExpiry } from '../../../lib/model/expiry';
import { checkKeys, checkNotEmpty, keyProblem } from '../../../lib/model/privilege-checks';
import { wireForm } from '../../../lib/model/privilege-set';
import { wordProblem } from '../../../lib/model/privilege-words';
import { notList, notText, requireAction, requireConstruct, requireFlag, requireList, requireOptions, requireOwn, requireText, shown } from '../../../lib/model/types';
import { sameNames, unclearName, unclearNames, unclearPath } from '../../../lib/model/unclear-names';
import { settingProperties } from '../../../lib/model/user-settings';
import type { DatabaseUserSettings } from '../../../lib';
import type { SchemaPrivileges } from '../../../lib/contract/wire';

const stack = new Stack(new App(), 'Data');
const TOKEN = Lazy.string({ produce: () => 'later' });

/** What is said of a value; nothing if it is taken. */
function reason(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a value of a wrong type', () => {
  class Thing {}
  const circle: unknown[] = [stack];
  test.each<[string, unknown]>([
    ['the function connect', function connect() { /* nothing */ }], ['the construct Data', stack], ['["the construct Data"]', circle], ['of class Thing', new Thing()], ['["of class Thing"]', [new Thing()]],
    ['undefined', undefined], ['null', null], ['"a"', 'a'], ['{"a":[1]}', { a: [1] }], ['{"a":"b"}', Object.assign(Object.create(null) as object, { a: 'b' })], ['5n', 5n], ['{"a":"5n"}', { a: 5n }],
  ])('is shown as %s', (text, value) => {
    expect(shown(value)).toBe(text);
  });

  test.each<[string, () => unknown, string]>([
    ['a text', () => requireText(stack, 'id', 1), 'id is 1, and must be a text; pass a string'],
    ['a list', () => requireList(stack, 'schemas', 'app'), 'schemas is "app", and must be a list; pass ["app"]'],
    ['a list of something else', () => requireList(stack, 'schemas', 5), 'schemas is 5, and must be a list; pass [...]'],
    ['a construct', () => requireConstruct(stack, 'cluster', 'shop', 'DatabaseCluster.from...()'), 'cluster is "shop", and must be a construct; pass DatabaseCluster.from...()'],
    ['a boolean', () => requireFlag(stack, 'exclusive', 'false'), 'exclusive is "false", and must be true or false; pass a boolean'],
    ['an object', () => requireOptions(stack, 'props', []), 'props is [], and must be an object; pass { ... }'],
    ['an object and not nothing', () => requireOptions(stack, 'props', null), 'props is null, and must be an object; pass { ... }'],
    ['an object and not a text', () => requireOptions(stack, 'props', 'x'), 'props is "x", and must be an object; pass { ... }'],
    ['a value of the library', () => requireOwn(stack, 'onRemoval', 'DROP', 'wire', 'OnRemoval.drop()'), 'onRemoval is "DROP", and must be a value of this library; pass OnRemoval.drop()'],
    ['a value of the library and not of another one', () => requireOwn(stack, 'onRemoval', {}, 'wire', 'OnRemoval.drop()'), 'onRemoval is {}, and must be a value of this library; pass OnRemoval.drop()'],
    ['a value of the library and not nothing', () => requireOwn(stack, 'onRemoval', null, 'wire', 'OnRemoval.drop()'), 'onRemoval is null, and must be a value of this library; pass OnRemoval.drop()'],
    ['an action', () => requireAction(stack, { topicArn: 'x' }), 'action is {"topicArn":"x"}, and must be an action of an alarm; pass new SnsAction(topic) of aws-cloudwatch-actions'],
    ['an action and not nothing', () => requireAction(stack, null), 'action is null, and must be an action of an alarm; pass new SnsAction(topic) of aws-cloudwatch-actions'],
  ])('is refused, where it must be %s', (_, work, message) => {
    expect(reason(work)).toBe(`[Data] ${message}`);
  });

  test('is none, where it is of the right one, or left out where it may be', () => {
    const right = [
      () => requireText(stack, 'id', ''), () => requireList(stack, 'schemas', []), () => requireConstruct(stack, 'scope', stack, ''), () => requireFlag(stack, 'f', undefined), () => requireFlag(stack, 'f', false),
      () => requireFlag(stack, 'f', true), () => requireOptions(stack, 'props', {}), () => requireOwn(stack, 'o', undefined, 'wire', ''), () => requireOwn(stack, 'o', { wire: 1 }, 'wire', ''),
      () => requireAction(stack, undefined), () => requireAction(stack, { bind: () => ({}) }),
    ];
    expect(right.map(reason)).toEqual(right.map(() => undefined));
    expect([notText('id', 'a'), notList('ids', ['a'])]).toEqual([undefined, undefined]);
  });
});

describe('a name that is read as another one', () => {
  const invisible = (code: string) => `has a blank or an invisible character (${code}) that is part of the name`;
  const END = ', so that it is another name than the one that is read; correct it, or acknowledge';
  test.each([
    [' a', invisible('U+0020')], ['a\t', invisible('U+0009')], ['a\u200bb', invisible('U+200B')], ['a\u00a0b', invisible('U+00A0')], ['a\ufeff', invisible('U+FEFF')],
    ['"a"', 'is in quotes that are part of the name'], ['\'\'', 'is in quotes that are part of the name'], ['`a\nb`', 'is in quotes that are part of the name'],
    ['\u0430dmin', 'has a letter (U+0430) that looks like one of another script'], ['\u03bfrders', 'has a letter (U+03BF) that looks like one of another script'],
  ])('is warned of: %j', (name, rule) => {
    expect(unclearName('role name', name)).toEqual({ id: 'cdk-aurora-iam-auth:unclearName', text: `role name ${JSON.stringify(name)} ${rule}${END}` });
  });

  test.each(['a b', 'a', 'ü', '"a', 'a"', 'x"a"', '"a"x', '"a\'', '\u0437\u0430\u043a\u0430\u0437', '\u03b1', ''])('is none: %j', (name) => {
    expect(unclearName('role name', name)).toBeUndefined();
  });

  test('is not known of a token', () => {
    expect(unclearName('role name', ` ${TOKEN}`)).toBeUndefined();
    expect(unclearPath([TOKEN])).toEqual([]);
  });

  test('in a search path has a comma as well', () => {
    expect(unclearPath()).toEqual([]);
    expect(unclearPath(['app', 'a, b', 'c ']).map(warning => warning?.text)).toEqual([
      undefined,
      'schema name "a, b" has a comma that is part of the name; make each schema an item of searchPath, or acknowledge',
      `schema name "c " ${invisible('U+0020')}${END}`,
    ]);
  });

  test('differs from another one in upper case alone', () => {
    expect(sameNames(new Map([['ada', 'Data/A'], ['Ada', 'Data/B'], ['eve', 'Data/E'], ['ADA', 'Data/C']])).map(({ path, warning }) => [path, warning])).toEqual(['Ada', 'ADA'].map((name, index) =>
      [['Data/B', 'Data/C'][index], { id: 'cdk-aurora-iam-auth:unclearName', text: `role name "${name}" and "ada", which Data/A creates, are the same but for upper case, and two roles; correct one of them, or acknowledge` }]));
  });

  const said = (databases: { readonly [database: string]: { readonly [schema: string]: SchemaPrivileges } }) =>
    unclearNames(Object.fromEntries(Object.entries(databases).map(([name, Schemas]) => [name, { Schemas }]))).map(({ id, text }) => `${id.replace('cdk-aurora-iam-auth:', '')}: ${text.replace(END, '')}`);
  test('in privileges is one of a database, a schema or an object', () => {
    expect(said({ 'shop ': { 'app ': { Tables: { 'orders ': ['SELECT'] }, Columns: { 'bills ': { 'x ': ['SELECT'] } }, Functions: { 'f ': ['EXECUTE'] } } } })).toEqual(
      [['database', 'shop '], ['schema', 'app '], ['table', 'orders '], ['table', 'bills '], ['function', 'f ']].map(([kind, name]) => `unclearName: ${kind} name "${name}" ${invisible('U+0020')}`));
    expect(said({ shop: { app: { Tables: { orders: ['SELECT'] } } } })).toEqual([]);
    expect(unclearNames({ shop: { Database: ['CONNECT'] } })).toEqual([]);
  });

  test('is a wildcard, but of objects', () => {
    const rule = 'stands for one of that name, and for no other; name each of those that are meant, or acknowledge';
    expect(said({ '*': { '*': { Tables: { '*': ['SELECT'] } } } })).toEqual([`unclearName: database name "*" ${rule}`, `unclearName: schema name "*" ${rule}`]);
  });

  test('has its schema in front, but in the arguments of a function', () => {
    expect(said({ 'a.b': { 'c.d': { Tables: { 'app.x.orders': ['SELECT'] }, Functions: { 'f(app.money,\napp.money)': ['EXECUTE'], 'app.f(int)': ['EXECUTE'] } } } })).toEqual([
      'dotInName: table name "app.x.orders" has a dot, and names its schema, "c.d", beside it: it would be an object whose own name has the dot; write "orders", or acknowledge',
      'dotInName: function name "app.f(int)" has a dot, and names its schema, "c.d", beside it: it would be an object whose own name has the dot; write "f(int)", or acknowledge',
    ]);
  });
});

describe('the end of an access', () => {
  const [PAST, FUTURE] = ['2020-01-31T12:00:00.000Z', '2999-01-31T12:00:00.000Z'];

  test('is over or not, and is written to the second where that is exact', () => {
    expect([isExpired(PAST), isExpired(FUTURE)]).toEqual([true, false]);
    expect([expiryText(PAST), expiryText(FUTURE), expiryText('2999-01-31T12:00:00.500Z')]).toEqual(['access ended 2020-01-31T12:00:00Z', 'access ends 2999-01-31T12:00:00Z', 'access ends 2999-01-31T12:00:00.500Z']);
    expect([membershipExpiryText(undefined), membershipExpiryText(PAST), membershipExpiryText(FUTURE)]).toEqual(['', ' (ended 2020-01-31T12:00:00Z)', ' (ends 2999-01-31T12:00:00Z)']);
  });

  test('that is over is warned of, with three of the names at most', () => {
    const id = 'cdk-aurora-iam-auth:expired';
    expect(expiredUser(['a', 'b', 'c'], new Date(PAST))).toEqual({
      id, text: `expiresAt ${PAST} of "a", "b", "c" has passed, so that they are created without access, and lose it where they have it; pass a later time, or take the user out`,
    });
    expect(expiredUser(['a', 'b', 'c', 'd', 'e'], new Date(PAST))?.text).toContain('of "a", "b", "c" and 2 more has passed');
    expect(expiredMembership(['a'], 'support', PAST)).toEqual({
      id, text: `expiresAt ${PAST} of the membership of "a" in "support" has passed, so that it is not granted, and taken back where it is there; pass a later time, or take the membership out`,
    });
    expect([expiredUser(['a'], new Date(FUTURE)), expiredMembership(['a'], 'support', FUTURE)]).toEqual([undefined, undefined]);
  });

  test('that moves with each synthesis is warned of', () => {
    expect(movingExpiry(new Date(FUTURE))).toBeUndefined();
    expect(movingExpiry(new Date('2999-01-31T12:00:00.001Z'))).toEqual({
      id: 'cdk-aurora-iam-auth:movingExpiry',
      text: 'expiresAt 2999-01-31T12:00:00.001Z has milliseconds, as a time that is computed from the clock: each synthesis would have a later one, so that the access never ends; '
        + 'pass a fixed time, such as new Date(\'2027-01-31T12:00:00Z\'), or acknowledge',
    });
  });
});

describe('words for privileges', () => {
  const problem = (schema: SchemaPrivileges) => wordProblem({ shop: { Database: ['CONNECT'], Schemas: { app: schema } } });
  test.each<[string, SchemaPrivileges]>([
    ['"USE" on a schema is not one that this library grants: there are CREATE, USAGE', { Schema: ['USAGE', 'USE'] }],
    ['"select" on a table is not one that this library grants: there are DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE', { Tables: { orders: ['SELECT'], bills: ['select'] } }],
    ['undefined on a sequence is not one that this library grants: there are SELECT, UPDATE, USAGE', { Sequences: { '*': [undefined as unknown as string] } }],
    ['"DELETE" on a column is not one that this library grants: there are INSERT, REFERENCES, SELECT, UPDATE', { Columns: { orders: { id: ['SELECT'], total: ['DELETE'] } } }],
    ['"USAGE" on a function is not one that this library grants: there are EXECUTE', { FutureObjects: { maker: { Functions: ['USAGE'] } } }],
  ])('are those of PostgreSQL, and %s', (text, schema) => {
    expect(problem(schema)).toBe(`privilege ${text}; pass these, each by itself`);
  });

  test('may be all of them', () => {
    expect(wordProblem({ shop: { Database: ['CONNECT', 'CREATE', 'TEMPORARY'] }, stock: {} })).toBeUndefined();
    expect(wordProblem({ shop: { Database: ['connect'] } })).toBe('privilege "connect" on a database is not one that this library grants: there are CONNECT, CREATE, TEMPORARY; pass these, each by itself');
    expect(problem({ Owner: 'true', Types: { t: ['USAGE'] }, FutureObjects: { maker: '*' } as unknown as SchemaPrivileges['FutureObjects'] })).toBeUndefined();
  });
});

describe('a key of the template', () => {
  test('is a text that is known, and a name of its kind', () => {
    expect(keyProblem('schema', 5 as unknown as string)).toBe('schema name is 5, and must be a text; pass a string');
    expect(keyProblem('role', TOKEN)).toBe('role name is a token, and a key of the template must be known at synthesis; give the name itself');
    expect([keyProblem('database', '*'), keyProblem('schema', 'app'), keyProblem('role', 'pg_monitor'), keyProblem('table', 'pg_x')]).toEqual([undefined, undefined, undefined, undefined]);
    expect(keyProblem('role', 'public')).toContain('it is a key word of PostgreSQL where a role is named');
    expect(keyProblem('database', '')).toContain('database name "" is not allowed: it is empty');
    expect(keyProblem('schema', 'pg_x')).toContain('schema name "pg_x" is not allowed: it is a schema of the system');
    expect(keyProblem('table', 'Ref')).toContain('as a key of the template it would be taken for a key word');
    expect(reason(() => checkKeys('schema', ['app', '']))).toContain('schema name "" is not allowed');
  });

  test('is in a list that is one, and is not empty', () => {
    expect(reason(() => checkNotEmpty('app' as unknown as string[], 'schemas'))).toBe('schemas is "app", and must be a list; pass ["app"]');
    expect(reason(() => checkNotEmpty([], 'schemas'))).toBe('schemas must not be empty; add at least one');
    expect(reason(() => checkNotEmpty([], 'schemas', 'schemas out for public'))).toBe('schemas must not be empty; add at least one, or leave schemas out for public');
    expect(reason(() => checkNotEmpty(['app'], 'schemas'))).toBeUndefined();
  });
});

test('the times of memberships are sorted by the names of the groups, as memberships are', () => {
  expect(JSON.stringify(wireForm([], ['b', 'a', 'c'], new Map([['b', '2'], ['a', '1']])))).toBe(JSON.stringify({ MemberOf: ['a', 'b', 'c'], MembershipExpiresAt: { a: '1', b: '2' } }));
});

describe('settings of a user', () => {
  const settings = (options: unknown, kind: 'user' | 'role' = 'user') => settingProperties(stack, kind, options as DatabaseUserSettings);
  const refusal = (options: unknown) => reason(() => settings(options))?.replace('[Data] ', '');

  test('are sorted by name, in lower case, and nothing if there are none', () => {
    expect(JSON.stringify(settings({
      connectionLimit: 5, searchPath: ['b', 'a'], statementTimeout: Duration.seconds(2), idleInTransactionTimeout: Duration.millis(0), setRoleAtLogin: { roleName: 'owner' },
      settings: { Work_Mem: '1MB', temp_tablespaces: 'b, a', application_name: TOKEN },
    }))).toBe(JSON.stringify({
      ConnectionLimit: '5',
      Parameters: { application_name: TOKEN, idle_in_transaction_session_timeout: '0ms', search_path: ['b', 'a'], statement_timeout: '2000ms', temp_tablespaces: ['b', 'a'], work_mem: '1MB' },
      RoleAtLogin: 'owner',
    }));
    expect([settings({}), settings({ settings: {} }), settings({}, 'role')]).toEqual([undefined, undefined, undefined]);
  });

  test.each<[string, unknown]>([
    ['settings is "work_mem", and must be an object; pass { ... }', { settings: 'work_mem' }],
    ['searchPath is a token, and how many schemas it has must be known at synthesis; pass a list, in which a schema may be a token', { searchPath: Lazy.list({ produce: () => [] }) }],
    ['the value of parameter "search_path" is "app", and must be a list; pass ["app"]', { searchPath: 'app' }],
    ['an element of parameter "search_path" is 2, and must be a text; pass a string', { searchPath: ['app', 2] }],
    ['the value of parameter "work_mem" is 64, and must be a text; pass a string', { settings: { work_mem: 64 } }],
    ['value of parameter "temp_tablespaces" "" is not allowed: it has not 1 to 63 bytes of UTF-8; correct it', { settings: { temp_tablespaces: 'a,' } }],
    ['parameter "Idle_In_Transaction_Session_Timeout" is not allowed in settings: it has an option of its own; pass idleInTransactionTimeout instead', { settings: { Idle_In_Transaction_Session_Timeout: '1s' } }],
    ['parameter "log_statement" is not allowed: it changes what a session may do or what is recorded of it, and PostgreSQL leaves it to superusers; leave it out, or set it in the parameter group of the database',
      { settings: { log_statement: 'none' } }],
    ['parameter "Work_Mem" is not allowed: it is in settings more than once, and upper case makes no other name; remove the duplicate', { settings: { work_mem: '1MB', Work_Mem: '1MB' } }],
    ['statementTimeout is 30, and must be a Duration; pass Duration.seconds(30), or another one', { statementTimeout: 30 }],
    ['idleInTransactionTimeout is null, and must be a Duration; pass Duration.seconds(30), or another one', { idleInTransactionTimeout: null }],
    ['statementTimeout is a token, and the length of a timeout must be known at synthesis; pass a Duration with a number', { statementTimeout: Duration.seconds(Lazy.number({ produce: () => 1 })) }],
    ['statementTimeout 25 days is not allowed: PostgreSQL takes at most 2147483647 milliseconds, which are 24 days; shorten it, or pass Duration.millis(0) for no limit', { statementTimeout: Duration.days(25) }],
    ['connectionLimit is a token, and must be known at synthesis; pass a number', { connectionLimit: Lazy.number({ produce: () => 1 }) }],
    ['connectionLimit is "5", and must be a number; pass a number', { connectionLimit: '5' }],
    ['connection limit "0" is not allowed: it is not a whole number from 1 to 2147483647; correct it, or leave it out for no limit', { connectionLimit: 0 }],
  ])('are refused: %s', (message, options) => {
    expect(refusal(options)).toBe(message);
  });

  test('are at their limits', () => {
    expect(settings({ statementTimeout: Duration.millis(2_147_483_647) })).toEqual({ Parameters: { statement_timeout: '2147483647ms' } });
    expect(refusal({ statementTimeout: Duration.millis(2_147_483_648) })).toContain('PostgreSQL takes at most');
  });

  test('are none of a group role', () => {
    expect(reason(() => settings({ connectionLimit: 5, searchPath: ['app'] }, 'role'))).toBe('[Data] settings ConnectionLimit, Parameters are of a group role, and members do not inherit the settings of a group role, '
      + 'which has no sessions of its own; pass them to the users that are its members');
  });
});
