import { PrivilegesCall } from '../../cli/generate/model/factories';
import { GeneratedRoles } from '../../cli/generate/model/groups';
import { Model } from '../../cli/generate/model/model';
import { inParts, LIMITS, Limits, sizeProblem } from '../../cli/generate/model/parts';
import { templateBytes } from '../../cli/generate/model/template-bytes';
import { typescriptOf } from '../../cli/generate/text/typescript';
import { full } from '../full';
import { resourcesOf } from '../lib/support';
import { compilerErrors, stacksOf, synthesized } from './generated-app';

const role = (kind: GeneratedRoles['kind'], names: string[], others: Partial<GeneratedRoles> = {}): GeneratedRoles =>
  ({ kind, names, memberOf: [], privileges: [], settings: {}, ...others });
const reads = (...tables: string[]): PrivilegesCall => ({
  factory: 'onTables',
  database: 'shop',
  schema: 'public',
  names: tables,
  privileges: ['SELECT'],
});
const numbered = (name: string, count: number) => [...Array(count).keys()].map(n => `${name}_${n}`);

/** Users that differ, in a group role and with objects of an owner. */
const usersOf = (count: number): GeneratedRoles[] => [
  role('role', ['readers'], { privileges: [{ factory: 'readOnly', database: 'shop' }] }),
  role('user', ['owner'], { database: 'shop', privileges: [{ factory: 'createObjects', database: 'shop' }] }),
  ...numbered('user', count).map((name, n) =>
    role('user', [name], {
      database: 'shop', memberOf: ['readers'],
      privileges: [reads(`t${n}`),
        { factory: 'onTables', database: 'shop', schema: 'app', objectsCreatedBy: ['owner'], privileges: ['SELECT'] }],
    }),
  ),
];
const modelOf = (roles: GeneratedRoles[]): Model => ({ roles, external: [], findings: [] });
const TEN: Limits = { ...LIMITS, resources: 10 };
const names = (parts: GeneratedRoles[][]) => parts.map(part => part.flatMap(one => one.names));

describe('as many roles as a stack takes', () => {
  test('are one class, and one more is another class for another stack', () => {
    expect(typescriptOf(modelOf(usersOf(8)), ['about'], TEN)).not.toMatch(/DatabaseAccess2|One stack/);
    const file = typescriptOf(modelOf(usersOf(9)), ['about'], TEN);
    expect(file).toContain(
      '// about\n// One stack does not take them all: the 2 classes are for a stack each, with an AuroraIamAuth or InstanceIamAuth of its\n//   own.\n',
    );
    expect(file.slice(file.indexOf('export interface DatabaseAccess2Props')))
      .toBe(`export interface DatabaseAccess2Props {
  /** The AuroraIamAuth or InstanceIamAuth of the database, in a stack of its own. */
  readonly iamAuth: IamAuthBase;
  /** Of another stack. */
  readonly databaseAccess: DatabaseAccess;
}

/** Further group roles and users of a database. */
export class DatabaseAccess2 extends Construct {
  public readonly user8: DatabaseUser;

  constructor(scope: Construct, id: string, props: DatabaseAccess2Props) {
    super(scope, id);
    const iamAuth = props.iamAuth;

    this.user8 = iamAuth.addUser('user_8', {
      database: 'shop',
      privileges: [
        Privileges.memberOf(props.databaseAccess.readers),
        Privileges.onTables({
          database: 'shop',
          schema: 'public',
          tables: ['t8'],
          privileges: [TablePrivilege.SELECT],
        }),
        Privileges.onTables({
          database: 'shop',
          schema: 'app',
          privileges: [TablePrivilege.SELECT],
          objectsCreatedBy: [props.databaseAccess.owner],
        }),
      ],
      adoptExisting: true,
    });
  }
}
`);
  });

  test('are deployed by one stack after the other: all of them, each once', () => {
    const roles = usersOf(25);
    const file = typescriptOf(modelOf(roles), [], TEN);
    expect(stacksOf(file).map(({ stackName }) => stackName)).toEqual(['Shop', 'Shop2', 'Shop3']);
    const declared = synthesized(file).map(([, { Properties }]) => Properties.Username ?? Properties.RoleName);
    expect([...declared].sort()).toEqual(roles.flatMap(one => one.names).sort());
    const last = synthesized(file).find(([, { Properties }]) => Properties.Username === 'user_24')!;
    expect(last[1].Properties.MemberOf).toEqual(['readers']);
  });

  full.test('compile', () => {
    expect(compilerErrors(new Map([['parts', typescriptOf(modelOf(usersOf(25)), [], TEN)]]))).toEqual([]);
  });
});

test('group roles that are the same are a resource each, and are parted too; users are one', () => {
  const roles = [role('role', numbered('group', 12)), role('user', numbered('user', 12))];
  expect(names(inParts(roles, TEN)).map(({ length }) => length)).toEqual([10, 14]);
  expect(names(inParts([role('role', numbered('group', 10))], TEN))).toHaveLength(1);
  expect(inParts([])).toEqual([[]]);
});

test('bytes part them as well', () => {
  const roles = numbered('group', 3).map(name => role('role', [name], { privileges: [reads(...numbered('t', 100))] }));
  const two = templateBytes(roles[0]) * 2;
  expect(names(inParts(roles, { ...LIMITS, bytes: two }))).toEqual([['group_0', 'group_1'], ['group_2']]);
  expect(names(inParts(roles, { ...LIMITS, bytes: two - 1 }))).toEqual([['group_0'], ['group_1'], ['group_2']]);
});

test('a role that no stack takes is said, with what to do', () => {
  const tables = (count: number) => role('role', ['auditor'], { privileges: [reads(...numbered('t', count))] });
  const bytes = templateBytes(tables(100));
  expect(sizeProblem(tables(100), { ...LIMITS, bytes })).toBeUndefined();
  expect(sizeProblem(tables(100), { ...LIMITS, bytes: bytes - 1 })).toBe(
    `its declaration would have about ${bytes} bytes, `
    + 'and a template of CloudFormation takes 1000000 with all that is in it; grant on all objects of a schema, or through several group roles, and generate again',
  );
  expect(sizeProblem(tables(5_000))).toBeUndefined();
  expect(sizeProblem(tables(30_000))).toMatch(/^its declaration would have about \d{7} bytes/);
});

full.describe('a template has at most the bytes that are reckoned with', () => {
  const WORDS = ['DELETE', 'INSERT', 'SELECT', 'UPDATE'];
  const schemas = numbered('schema', 8);
  test.each<[string, Partial<GeneratedRoles>]>([
    ['nothing', {}],
    ['tables one by one',
      { privileges: [{ factory: 'onTables', database: 'shop', schema: 'ünïcode', names: numbered('täble', 300),
        privileges: WORDS }] }],
    ['columns',
      { privileges: numbered('t', 40).map((table): PrivilegesCall => ({ factory: 'onColumns', database: 'shop',
        schema: 'public', table, names: numbered('c', 10), privileges: ['SELECT', 'UPDATE'] })) }],
    ['factories for data',
      { privileges: [{ factory: 'readWrite', database: 'shop', schemas, objectsCreatedBy: ['owner'] },
        { factory: 'readOnly', database: 'crm', schemas }] }],
    ['factories for migrations',
      { privileges: [{ factory: 'createObjects', database: 'shop', schemas },
        { factory: 'schemaOwner', database: 'shop', schema: 'mine' }] }],
    ['other kinds',
      { privileges: [
        { factory: 'onDatabase', database: 'shop', privileges: ['CREATE'] },
        { factory: 'onSchema', database: 'shop', schema: 'a' },
        { factory: 'onSequences', database: 'shop', schema: 'a', names: numbered('s', 50),
          privileges: ['SELECT', 'USAGE'] },
        { factory: 'onFunctions', database: 'shop', schema: 'a',
          names: numbered('f', 50).map(name => `${name}(integer)`) },
        { factory: 'onTypes', database: 'shop', schema: 'a', names: numbered('y', 50) },
      ] }],
    ['memberships and settings',
      { memberOf: ['readers'], settings: { connectionLimit: 5, searchPath: schemas, settings: { work_mem: '64MB' } } }],
  ])('%s', (_, others) => {
    const one = role('user', ['measured'], { database: 'shop', ...others });
    const file = typescriptOf(modelOf([...usersOf(0), one]), []);
    const [id, resource] = synthesized(file).find(([, { Properties }]) => Properties.Username === 'measured')!;
    // As cdk synth writes it, without the lines around it.
    const written = Buffer.byteLength(JSON.stringify({ Resources: { [id]: resource } }, undefined, 1));
    expect(templateBytes(one)).toBeGreaterThanOrEqual(written);
    expect(templateBytes(one)).toBeLessThan(3_000 + 1.5 * written);
  });

  full.test('450 roles of one stack, with a provisioner and a database, are below the limits of CloudFormation', () => {
    const some = (count: number) => [
      ...usersOf(0),
      ...numbered('user', count).map((name, n) =>
        role('user', [name], { database: 'shop', memberOf: ['readers'], settings: { connectionLimit: n + 1 } }),
      ),
    ];
    const file = typescriptOf(modelOf(some(448)), []);
    const [stack, ...others] = stacksOf(file);
    expect(others).toEqual([]);
    const resources = resourcesOf(stack);
    expect(
      Object.values(resources).filter(
        ({ Type }) => Type.startsWith('Custom::RdsIamUser') || Type === 'Custom::RdsGroupRole',
      ),
    ).toHaveLength(450);
    expect(Object.keys(resources).length).toBeLessThanOrEqual(500);
    expect(Buffer.byteLength(JSON.stringify({ Resources: resources }, undefined, 1))).toBeLessThan(1_000_000);
    expect(typescriptOf(modelOf(some(449)), [])).toContain('class DatabaseAccess2');
  });
});
