import { GraphRole, RoleGraph } from '../../../lib/model/role-graph';

const group = (name: string, ...memberOf: string[]): GraphRole => ({ names: [name], kind: 'group', memberOf });
const user = (name: string, ...memberOf: string[]): GraphRole => ({ names: [name], kind: 'user', memberOf });

describe('RoleGraph', () => {
  test('knows who is inside, and through whom', () => {
    const graph = new RoleGraph([
      user('ann', 'readers'),
      { names: ['bob', 'cid'], kind: 'user', memberOf: ['all'] },
      group('readers', 'all'),
      group('all', 'pg_monitor'),
      user('dan', 'ann'),
    ]);
    expect(graph.membersOf('all')).toEqual([
      { name: 'bob', kind: 'user', through: [] },
      { name: 'cid', kind: 'user', through: [] },
      { name: 'readers', kind: 'group', through: [] },
      { name: 'ann', kind: 'user', through: ['readers'] },
      { name: 'dan', kind: 'user', through: ['readers', 'ann'] },
    ]);
    expect(graph.membersOf('pg_monitor').map(({ name }) => name)).toEqual([
      'all',
      'bob',
      'cid',
      'readers',
      'ann',
      'dan',
    ]);
    expect(graph.membersOf('dan')).toEqual([]);
    expect(graph.membershipsOf(['ann'])).toEqual([
      { role: 'ann', through: [] },
      { role: 'readers', through: ['ann'] },
      { role: 'all', through: ['ann', 'readers'] },
      { role: 'pg_monitor', through: ['ann', 'readers', 'all'] },
    ]);
  });

  test('says the nearest way of several', () => {
    const graph = new RoleGraph([user('ann', 'a', 'c'), group('a', 'b'), group('b', 'far'), group('c', 'far')]);
    expect(graph.membershipsOf(['a', 'c'])).toContainEqual({ role: 'far', through: ['c'] });
    expect(graph.membersOf('far').find(({ name }) => name === 'ann')?.through).toEqual(['c']);
  });

  test('comes to an end in a circle, which PostgreSQL refuses', () => {
    const graph = new RoleGraph([group('a', 'b'), group('b', 'a')]);
    expect(graph.membershipsOf(['b']).map(({ role }) => role)).toEqual(['b', 'a']);
    expect(graph.membersOf('a').map(({ name }) => name)).toEqual(['b', 'a']);
  });

  test('takes names for names', () => {
    expect(new RoleGraph([user('ann', 'constructor')]).membershipsOf(['__proto__'])).toEqual([
      { role: '__proto__', through: [] },
    ]);
  });
});
