import { Facts } from '../../lambda/provisioner/core/lifecycle';
import { Claim, Declaration } from '../../lambda/provisioner/core/state';
import { renameSteps, restoreSteps } from '../../lambda/provisioner/engine/registry';

const SELF = { stack: 's', stackId: 's/1', logicalId: 'U' };

const member = (...memberOf: string[]): Declaration => ({ kind: 'user', memberOf, databases: [], exclusive: false });

const claim = (declarations: Declaration[], deployed: Declaration[] = [], more: Partial<Claim> = {}): Claim => ({
  ...SELF,
  roleOid: '7',
  roleName: 'orders',
  resourceId: 'r',
  physicalId: 'r/orders/U',
  username: 'orders',
  declarations,
  deployed,
  released: false,
  ...more,
});

const facts = (...claims: Claim[]): Facts => ({
  claims,
  unreadable: [],
  withoutFormat: [],
  cancelled: [],
  ofPublic: { records: [], unreadable: [] },
  roles: new Map(),
  databaseOids: new Map(),
  databases: [],
  closed: [],
});

/** What a step stores, group by group. */
const stored = (sql: string) => [...sql.matchAll(/"MemberOf": ?\["([^"]*)"\]/g)].map(([, group]) => group);

describe('a role that declarations name gets another name', () => {
  const renamed = (claims: Claim[], ...names: string[]) =>
    renameSteps(
      facts(...claims),
      names.slice(1).map((to, n) => ({ kind: 'renameRole', role: names[n], to })),
    );
  const [sql] = renamed(
    [claim([member('readers')], [member('readers'), member('writers')])],
    'readers',
    'viewers',
  ).flatMap(({ statements }) => statements);

  test('what may have been granted, and what was deployed, goes with it', () => {
    expect(stored(sql.slice(0, sql.indexOf('deployed')))).toEqual(['viewers']);
  });

  test('what was deployed stays under the former name as well: a rollback of another stack declares that', () => {
    expect(stored(sql.slice(sql.indexOf('deployed')))).toEqual(['viewers', 'writers', 'readers']);
  });

  test('as often as it is renamed, no more than 16 are kept', () => {
    let deployed = [member('n0'), member('n0', 'x')];
    for (let n = 0; n < 9; n++) {
      const [text] = renamed([claim([deployed[0]], deployed)], `n${n}`, `n${n + 1}`).flatMap(
        ({ statements }) => statements,
      );
      const { deployed: now } = JSON.parse(/'(\{.*\})'/s.exec(text)![1].replaceAll('\\x3a', ':')) as {
        deployed: { MemberOf: string[] }[];
      };
      deployed = now.map(({ MemberOf }) => member(...MemberOf));
    }
    expect(deployed.slice(0, 2)).toEqual([member('n9'), member('n9', 'x')]);
    expect(deployed).toHaveLength(16);
  });
});

describe('what an event has written is put back', () => {
  const [before, since] = [claim([member('a')], [member('a')]), claim([member('a'), member('b')], [member('a')])];
  const declarations = (complete: boolean) => {
    const [, { statements: [sql] }] = restoreSteps(SELF, facts(since), [before], complete);
    return stored(/"declarations": ?(\[.*?\]\}\])/s.exec(sql)![1]);
  };

  test('as it was, if all is taken back', () => {
    expect(declarations(true)).toEqual(['a']);
  });

  test('with what may still be granted in front of the declaration in force, which is the last one', () => {
    expect(declarations(false)).toEqual(['b', 'a']);
  });
});
