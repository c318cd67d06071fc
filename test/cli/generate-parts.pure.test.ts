import { Findings, findingLine } from '../../cli/generate/findings';
import { callsOf } from '../../cli/generate/model/factories';
import { References } from '../../cli/generate/model/references';
import { KindRights, SchemaRights } from '../../cli/generate/model/rights';
import { keyProblem } from '../../cli/generate/model/sayable';
import { settingsOf } from '../../cli/generate/model/settings';
import { Subject } from '../../cli/generate/model/subjects';
import { generateOptionsOf } from '../../cli/generate/options';
import { Expression, written } from '../../cli/generate/text/layout';
import { literal, Names, objectKey } from '../../cli/generate/text/literals';
import { typescriptOf } from '../../cli/generate/text/typescript';

const HOSTILE = [
  '', "'", '\\', '\\\'', '${x}', '`', '*/', '//', '\n', '\r\n', '\u2028', '\u2029', '\u0000', '\u202e', '\ufeff', '\u00a0', '\u00ad', '日本', '😀', '\u{e0041}', "'); process.exit(1); ('", '</script>',
];

describe('a text', () => {
  test.each(HOSTILE)('%j is one literal of printable characters', (text) => {
    const source = literal(text);
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text under test is a text
    expect((new Function(`return ${source};`) as () => string)()).toBe(text);
    expect(source).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\u00a0]/u);
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the same
    expect(Object.keys((new Function(`return { ${objectKey(text)}: 1 };`) as () => object)())).toEqual([text]);
  });

  test('that is the name of the prototype is a key of its own', () => {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text under test is a text
    expect(Object.keys((new Function(`return { ${objectKey('__proto__')}: 1 };`) as () => object)())).toEqual(['__proto__']);
  });
});

describe('names', () => {
  test('of variables are valid and given once', () => {
    const names = new Names();
    expect(['orders', 'Orders', 'order s', 'order-s', '1', '日本', 'class', 'constructor', '__proto__', 'node', 'iamAuth', 'toString'].map(name => names.variable(name, 'user'))).toEqual(
      ['orders', 'orders2', 'orderS', 'orderS2', 'user1', 'user', 'classRole', 'constructor2', 'proto', 'node2', 'iamAuth2', 'toString2'],
    );
  });

  test('of constructs are those of the roles where they can be', () => {
    const names = new Names();
    expect(['orders', 'Orders', 'mario.rossi@example.com', 'a/b', 'a-b', 'Provisioner', 'Default', 'toString', '日本', ' x '].map(name => names.id(name, 'user'))).toEqual(
      ['orders', 'Orders-2', 'mario.rossi@example.com', 'a-b', 'a-b-2', 'Provisioner-2', 'Default-2', 'toString-2', 'user', 'x'],
    );
  });

  test.each([['schema', 'Fn::Join'], ['table', '${Token[x.1]}'], ['table', '*'], ['schema', 'pg_x'], ['database', '{{resolve:ssm:x}}'], ['role', '__proto__'], ['role', '#{Token[x.1]}']] as const)(
    'of a %s that no template can have are not said: %s', (kind, name) => {
      expect(keyProblem(kind, name)).toMatch(/ is not allowed: .*; /);
    },
  );
});

describe('a line', () => {
  const call: Expression = { call: 'f', parameters: ["'id'", { fields: [['a', { items: ['1', '2'] }], ['b', undefined], ['c', 'c']] }] };
  test('has all of a call that fits, without what is undefined', () => {
    expect(written(call, '', 1)).toBe("f('id', { a: [1, 2], c })");
  });

  test('ends where it does not fit', () => {
    expect(written(call, '', 96)).toBe("f('id', {\n  a: [1, 2],\n  c,\n})");
    expect(written(call, '', 95)).toBe("f('id', { a: [1, 2], c })");
  });

  test('is filled with texts', () => {
    const list: Expression = { items: [...Array(50).keys()].map(n => `'table${n}'`) };
    expect(written(list, '', 1).split('\n').map(({ length }) => length).filter(length => length > 120)).toEqual([]);
    expect(written(list, '', 1).split('\n')).toHaveLength(7);
  });
});

interface Kind {
  readonly all?: string[];
  readonly named?: { readonly [name: string]: string[] };
  readonly future?: { readonly [creator: string]: string[] };
  readonly isVacant?: boolean;
}

function kind({ all, named, future, isVacant }: Kind = {}): KindRights {
  const mapOf = (lists: Kind['named'] = {}) => new Map(Object.entries(lists).map(([key, words]) => [key, new Set(words)]));
  return { all: new Set(all), named: mapOf(named), future: mapOf(future), isVacant: isVacant ?? false };
}

function inSchema(schema: string, words: string[], { tables, sequences, ...others }: { tables?: Kind; sequences?: Kind; owns?: boolean } = {}): SchemaRights {
  return {
    schema, owns: false, words: new Set(words), columns: new Map(),
    kinds: new Map([['TABLE', kind(tables)], ['SEQUENCE', kind(sequences)], ['ROUTINE', kind()], ['TYPE', kind()]]), ...others,
  };
}

describe('privileges', () => {
  const READS = { tables: { all: ['SELECT'] }, sequences: { all: ['SELECT'] } };
  const CHANGES = ['DELETE', 'INSERT', 'SELECT', 'UPDATE'];
  const calls = (words: string[], ...schemas: SchemaRights[]) => callsOf({ database: 'shop', words: new Set(words), schemas, connects: false });

  test('that a factory grants are that factory, of all schemas together', () => {
    expect(calls(['CONNECT'], inSchema('public', ['USAGE'], READS))).toEqual([{ factory: 'readOnly', database: 'shop', objectsCreatedBy: [] }]);
    expect(calls(['CONNECT'], inSchema('a', ['USAGE'], READS), inSchema('b', ['USAGE'], READS))).toEqual([{ factory: 'readOnly', database: 'shop', schemas: ['a', 'b'], objectsCreatedBy: [] }]);
    const changes = { tables: { all: CHANGES, future: { m: CHANGES } }, sequences: { all: ['SELECT', 'USAGE'], future: { m: ['SELECT', 'USAGE'] } } };
    expect(calls(['CONNECT'], inSchema('public', ['USAGE'], changes))).toEqual([{ factory: 'readWrite', database: 'shop', objectsCreatedBy: ['m'] }]);
    expect(calls(['CONNECT'], inSchema('public', ['CREATE', 'USAGE']))).toEqual([{ factory: 'createObjects', database: 'shop' }]);
    expect(calls(['CONNECT'], inSchema('a', [], { owns: true }))).toEqual([{ factory: 'schemaOwner', database: 'shop', schema: 'a' }]);
  });

  test('that are less than a factory grants are exact ones', () => {
    const onAll = [
      { factory: 'onTables', database: 'shop', schema: 'public', privileges: ['SELECT'] }, { factory: 'onSequences', database: 'shop', schema: 'public', privileges: ['SELECT'] },
    ];
    expect(calls([], inSchema('public', ['USAGE'], READS))).toEqual([{ factory: 'onSchema', database: 'shop', schema: 'public' }, ...onAll]);
    expect(calls(['CONNECT'], inSchema('public', [], READS))).toEqual([{ factory: 'onDatabase', database: 'shop' }, ...onAll]);
    expect(calls(['CONNECT'], inSchema('public', ['USAGE'], { tables: { all: ['SELECT'] } }))).toEqual([
      { factory: 'onDatabase', database: 'shop' }, { factory: 'onSchema', database: 'shop', schema: 'public' }, onAll[0],
    ]);
    expect(calls(['CREATE'])).toEqual([{ factory: 'onDatabase', database: 'shop', privileges: ['CREATE'] }]);
  });

  test('on what some roles create later are beside those of a factory that says less', () => {
    expect(calls(['CONNECT'], inSchema('public', ['USAGE'], { tables: { all: ['SELECT'], future: { m: ['SELECT'] } }, sequences: { isVacant: true } }))).toEqual([
      { factory: 'readOnly', database: 'shop', objectsCreatedBy: [] },
      { factory: 'onTables', database: 'shop', schema: 'public', privileges: ['SELECT'], objectsCreatedBy: ['m'] },
    ]);
  });

  test('by name share a call where they are the same', () => {
    expect(calls([], inSchema('public', [], { tables: { named: { b: ['UPDATE', 'SELECT'], a: ['SELECT', 'UPDATE'], c: ['SELECT'] } } }))).toEqual([
      { factory: 'onTables', database: 'shop', schema: 'public', names: ['a', 'b'], privileges: ['SELECT', 'UPDATE'] },
      { factory: 'onTables', database: 'shop', schema: 'public', names: ['c'], privileges: ['SELECT'] },
    ]);
  });
});

describe('a creator', () => {
  const subject = (name: string) => ({ name, kind: 'role' }) as Subject;

  test('that is deployed after the role cannot be named, be it through others', () => {
    const references = new References(['a', 'b', 'c'].map(subject));
    references.add('b', 'a');
    expect(references.tryCreator('c', 'b')).toBeUndefined();
    expect(references.tryCreator('a', 'c')).toBe('"c" is deployed after "a", which it refers to');
    expect(references.tryCreator('a', 'elsewhere')).toBeUndefined();
  });

  test('whose sessions act as a group cannot be named', () => {
    const references = new References(['a', 'b'].map(subject));
    references.actsAs('b', 'owners');
    expect(references.tryCreator('a', 'b')).toBe('sessions of "b" act as "owners", which owns what they create');
  });
});

describe('findings', () => {
  test('with the same reason share a line, and say how many more there are', () => {
    const findings = new Findings();
    ['a', 'b', 'c', 'd', 'e'].forEach(name => findings.add({ role: 'r', database: 'd' }, 'why', ['SELECT', name], ['INSERT', name]));
    findings.add({ role: 'q' }, 'why');
    findings.add({ role: 'r\n' }, 'why', 'x');
    expect(findings.list().map(findingLine)).toEqual(['"r" in database "d": INSERT, SELECT on a; INSERT, SELECT on b; INSERT, SELECT on c; 2 more (why)', '"r\\n": x (why)']);
    expect(findings.list()[0].what).toHaveLength(5);
  });
});

test('a file without roles has nothing that is not used', () => {
  const file = typescriptOf({ roles: [], external: [], findings: [] }, ['about']);
  expect(file).toMatch(/^\/\/ about\nimport \{ IamAuthBase \} from 'cdk-aurora-iam-auth';\n/);
  expect(file).toMatch(/ {2}constructor\(scope: Construct, id: string, _props: DatabaseAccessProps\) \{\n {4}super\(scope, id\);\n {2}\}\n\}\n$/);
});

describe('options', () => {
  test('are read', () => {
    expect(generateOptionsOf(['--database', 'a', '--database', 'b', '--include-password-logins', '--json'])).toEqual(
      { databases: ['a', 'b'], includePasswordLogins: true, includePublicConnect: false, json: true },
    );
    expect(generateOptionsOf(['-h'])).toBeUndefined();
  });

  test('refuse anything else', () => {
    expect(() => generateOptionsOf(['shop'])).toThrow('generate takes no shop: the PG* variables say where the database is; --help says more');
    expect(() => generateOptionsOf(['--databse', 'a'])).toThrow("Unknown option '--databse'");
  });
});

test('a setting that is too long to be read is a finding, without its value', () => {
  const findings = new Findings();
  const settings = [{ database: null, parameter: 'application_name', value: null }, { database: 'shop', parameter: 'work_mem', value: null }, { database: null, parameter: 'jit', value: 'off' }];
  const observed = { connectionLimit: -1, settings } as unknown as Subject['observed'];
  expect(settingsOf({ name: 'orders', kind: 'user', observed }, new Set(), findings)).toEqual({ settings: { jit: 'off' } });
  expect(findings.list().map(({ why, what }) => [why, what])).toEqual([['its value is longer than what can be declared', ['application_name', 'work_mem']]]);
});
