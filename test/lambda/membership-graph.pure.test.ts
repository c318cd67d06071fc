import type { Change } from '../../lambda/provisioner/core/change';
import { graphAfter, MembershipGraph, RoleInGraph } from '../../lambda/provisioner/core/membership-graph';

/** Groups in brackets have members that do not inherit. */
function role(name: string, ...groups: (string | [string])[]): RoleInGraph {
  return {
    role: name,
    isAdmin: false,
    isSuperuser: false,
    createsRoles: false,
    memberOf: groups.map(group =>
      typeof group === 'string' ? { group, effective: true } : { group: group[0], effective: false },
    ),
  };
}

const ROLES = [
  role('a', 'b', ['c']),
  role('b', 'd'),
  role('c', 'rds_iam'),
  role('d', 'e', 'b'),
  role('e', 'rds_iam'),
  role('f', ['rds_iam']),
  role('rds_iam'),
];

describe('MembershipGraph', () => {
  const graph = new MembershipGraph(ROLES);

  test('has the roles that it was made of', () => {
    expect(['a', 'rds_iam', 'x'].map(name => graph.has(name))).toEqual([true, true, false]);
  });

  test('leads through memberships of any kind, once to each role, also in a circle', () => {
    expect(graph.reachedFrom('a').map(one => one.role)).toEqual(['a', 'b', 'c', 'd', 'e', 'rds_iam']);
    expect(graph.reachedFrom('d').map(one => one.role)).toEqual(['b', 'd', 'e', 'rds_iam']);
    expect(graph.reachedFrom('x')).toEqual([]);
  });

  test('leads to rds_iam through effective memberships alone', () => {
    expect(graph.pathToRdsIam('a')).toEqual(['a', 'b', 'd', 'e', 'rds_iam']);
    expect(graph.pathToRdsIam('rds_iam')).toEqual(['rds_iam']);
    expect(graph.pathToRdsIam('f')).toBeUndefined();
    expect(graph.pathToRdsIam('x')).toBeUndefined();
  });

  test('leads there on the shortest of the paths', () => {
    expect(
      new MembershipGraph([
        role('a', 'b', 'c'),
        role('b', 'd'),
        role('d', 'rds_iam'),
        role('c', 'rds_iam'),
      ]).pathToRdsIam('a'),
    ).toEqual(['a', 'c', 'rds_iam']);
  });
});

describe('the graph after a change', () => {
  const after = (change: Change) => graphAfter([role('a', 'b', ['b'], 'c'), role('b')], [change]);

  test.each<[Change, RoleInGraph[]]>([
    [{ kind: 'createRole', role: 'n', roleKind: 'user' }, [role('a', 'b', ['b'], 'c'), role('b'), role('n')]],
    [{ kind: 'dropRole', role: 'b' }, [role('a', 'c')]],
    [{ kind: 'renameRole', role: 'b', to: 'x' }, [role('a', 'x', ['x'], 'c'), role('x')]],
    [{ kind: 'grantRole', group: 'd', roles: ['b', 'z'] }, [role('a', 'b', ['b'], 'c'), role('b', 'd')]],
    [{ kind: 'revokeRole', group: 'b', roles: ['a', 'z'] }, [role('a', ['b'], 'c'), role('b')]],
    [{ kind: 'revokeRole', group: 'd', roles: ['a'] }, [role('a', 'b', ['b'], 'c'), role('b')]],
    [{ kind: 'revokeRole', group: 'b', roles: ['b'] }, [role('a', 'b', ['b'], 'c'), role('b')]],
    [{ kind: 'revokeRole', group: 'b', roles: ['a'], admin: true }, [role('a', 'b', ['b'], 'c'), role('b')]],
    [{ kind: 'allowLogin', role: 'a' }, [role('a', 'b', ['b'], 'c'), role('b')]],
  ])('%j', (change, expected) => {
    expect(after(change)).toEqual(expected);
  });
});
