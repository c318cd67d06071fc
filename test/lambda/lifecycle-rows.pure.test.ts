import { decideApply, decideRemove, Facts, WantedRoles } from '../../lambda/provisioner/core/lifecycle';
import { temporaryName } from '../../lambda/provisioner/core/role-names';
import { Claim, Declaration } from '../../lambda/provisioner/core/state';

const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';
const PHYSICAL = 'cluster-1/list/Me';
const ME = { stack: STACK, stackId: `${STACK}/1`, logicalId: 'Me' };
const USER: Declaration = { kind: 'user', memberOf: [], databases: [], exclusive: false };

function claim(logicalId: string, username: string, roleOid: string, more: Partial<Claim> = {}): Claim {
  return {
    ...ME,
    logicalId,
    resourceId: 'cluster-1',
    physicalId: PHYSICAL,
    username,
    roleName: username,
    roleOid,
    declarations: [USER],
    deployed: [USER],
    released: false,
    ...more,
  };
}

function facts(claims: Claim[], more: Partial<Facts> = {}, others: [string, string][] = []): Facts {
  const roles = claims.flatMap(({ roleName, roleOid }): [string, string][] =>
    roleName === undefined ? [] : [[roleName, roleOid]],
  );
  return {
    claims, unreadable: [], ofPublic: { records: [], unreadable: [] }, withoutFormat: [], cancelled: [],
    roles: new Map([...roles, ...others]),
    databaseOids: new Map(), databases: ['postgres'], closed: [], ...more,
  };
}

/** A row of which it is not known whose it is, unless its claim is given. */
function unreadable(one: Claim, found?: Claim): Facts['unreadable'][number] {
  const { stack, logicalId, roleOid, roleName, username, released } = one;
  return { stack, logicalId, roleOid, roleName, username, released, claim: found, problem: 'not understood' };
}

function wanted(usernames: string[], more: Partial<WantedRoles> = {}): WantedRoles {
  const roles = usernames.map(username => ({ username, declaration: USER }));
  return { resourceId: 'cluster-1', physicalId: PHYSICAL, roles, single: true, adoptExisting: false, ...more };
}

const rename = (role: string, to: string) => ({ kind: 'renameRole', role, to });

describe('a role that a resource is to have', () => {
  const kept = claim('Kept', 'b', '2', { released: true });

  test('is not one that got its name by hand, although it was managed under another one', () => {
    const found = facts([claim('Other', 'b', '1', { roleName: undefined })], {}, [['a', '1']]);
    expect(() => decideApply(ME, wanted(['a']), found)).toThrow('role "a" exists already');
  });

  test('is shared with another resource of its stack, also after a restore', () => {
    const found = facts([claim('Other', 'a', '1', { resourceId: 'cluster-0' })]);
    expect(decideApply(ME, wanted(['a']), found)).toMatchObject({ changes: [], forget: [], adopted: [] });
  });

  test('is shared, and what is left of it from one that was removed is forgotten', () => {
    expect(decideApply(ME, wanted(['b']), facts([claim('Other', 'b', '2'), kept])))
      .toMatchObject({ changes: [], forget: [kept], adopted: [] });
  });

  test('takes its name from one that another resource has, although it was kept once', () => {
    const found = facts([claim('Me', 'a', '1'), claim('Other', 'b', '2'), kept]);
    expect(decideApply(ME, wanted(['b']), found).changes).toEqual([rename('b', temporaryName('2')), rename('a', 'b')]);
  });

  test('takes no name from one that was kept twice, and given up only once', () => {
    const givenUp = claim('List', 'b', '2', { released: true, physicalId: 'cluster-1/list/List' });
    const list = claim('List', 'c', '3', { physicalId: 'cluster-1/list/List' });
    const found = facts([claim('Me', 'a', '1'), givenUp, { ...kept, physicalId: 'x' }, list]);
    expect(() => decideApply(ME, wanted(['b']), found)).toThrow(
      'a role of that name is left from one that was removed',
    );
  });

  test('leaves none behind for a resource of which it is not known what it declares', () => {
    const found = facts([claim('Me', 'a', '1'), claim('Other', 'a', '1', { declarations: [] })]);
    expect(decideApply(ME, wanted(['b']), found).changes).toEqual([rename('a', 'b')]);
  });

  test('is refused as one of a list, if what the list has of it is not understood', () => {
    const row = unreadable(claim('Me', 'b', '2', { roleName: temporaryName('2') }));
    expect(() => decideApply(ME, wanted(['b'], { single: false }), facts([], { unreadable: [row] }))).toThrow(
      'not understood',
    );
  });

  test('is not given up with the physical id that is declared now', () => {
    const found = facts([claim('Me', 'c', '3', { physicalId: 'cluster-1/next/Me' })]);
    const update = { single: false, physicalId: 'cluster-1/next/Me', formerPhysicalId: PHYSICAL };
    expect(decideApply(ME, wanted(['a'], update), found).abandoned).toBeUndefined();
  });
});

describe('a Delete', () => {
  const deleted = { resourceId: 'cluster-1', physicalId: PHYSICAL, single: true, usernames: ['a'], cancelled: false };
  const other = claim('Other', 'a', '1');

  test('is unclear if it is not understood what the resource has, whatever the name of its role is', () => {
    expect(decideRemove(ME, deleted, facts([], { unreadable: [unreadable(claim('Me', 'b', '1'))] })))
      .toEqual([{ kind: 'unclear', username: 'a', problem: 'not understood' }]);
  });

  test.each<[string, Facts['unreadable'][number]]>([
    ['of another resource, about another role', unreadable(claim('Other', 'b', '1'))],
    ['of a role that was kept', unreadable({ ...other, released: true })],
    ['of which it is known whose it is', unreadable(other, other)],
    ['of a role that is gone', unreadable(claim('Me', 'a', '1', { roleName: undefined }))],
  ])('has nothing to do with a row that is not understood %s', (_, row) => {
    expect(decideRemove(ME, deleted, facts([], { unreadable: [row] })))
      .toEqual([{ kind: 'leave', username: 'a', reason: 'this resource manages no role of that name' }]);
  });

  test('of a list has nothing to do with a row of a role that was kept', () => {
    const row = unreadable({ ...other, released: true });
    expect(decideRemove(ME, { ...deleted, single: false }, facts([], { unreadable: [row] }))).toEqual([]);
  });

  test('has no problem with what is not understood of another role', () => {
    const row = unreadable(claim('Other', 'b', '2'), claim('Other', 'b', '2'));
    const [removal] = decideRemove(ME, deleted, facts([claim('Me', 'a', '1')], { unreadable: [row] }));
    expect(removal).toMatchObject({ kind: 'remove', username: 'a' });
    expect(removal).not.toHaveProperty('keptBecause');
  });
});
