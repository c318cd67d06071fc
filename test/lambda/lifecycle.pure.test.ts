import {
  decideAfterRemoval,
  decideApply,
  decideRemove,
  Decision,
  Facts,
  WantedRoles,
} from '../../lambda/provisioner/core/lifecycle';
import { temporaryName } from '../../lambda/provisioner/core/role-names';
import { Claim, Declaration, ManagingResource } from '../../lambda/provisioner/core/state';

const STACK = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/shop';
const CLUSTER = 'cluster-1';
const PHYSICAL = 'cluster-1/list/Me';

function declaration(database: string, kind: Declaration['kind'] = 'user'): Declaration {
  return { kind, memberOf: [], databases: [{ database, privileges: ['CONNECT'], schemas: [] }], exclusive: false };
}

const SHOP = declaration('shop');
const STOCK = declaration('stock');

function owner(logicalId: string, stack = STACK, unique = '1'): ManagingResource {
  return { stack, stackId: `${stack}/${unique}`, logicalId };
}

/** A row of the registry; the role has the name that is declared, unless said otherwise. */
function claim(logicalId: string, username: string, roleOid: string, more: Partial<Claim> = {}): Claim {
  return {
    ...owner(logicalId),
    resourceId: CLUSTER,
    physicalId: PHYSICAL,
    username,
    roleName: username,
    roleOid,
    declarations: [SHOP],
    deployed: more.declarations ?? [SHOP],
    released: false,
    ...more,
  };
}

function facts(claims: Claim[], others: { readonly [name: string]: string } = {}): Facts {
  const roles = claims.flatMap(({ roleName, roleOid }): [string, string][] =>
    roleName === undefined ? [] : [[roleName, roleOid]],
  );
  return {
    claims,
    unreadable: [],
    ofPublic: { records: [], unreadable: [] },
    withoutFormat: [],
    cancelled: [],
    roles: new Map([...roles, ...Object.entries(others)]),
    databaseOids: new Map(),
    databases: ['postgres', 'shop', 'stock'],
    closed: [],
  };
}

function wanted(username: string, more: Partial<WantedRoles> = {}, declared = SHOP): WantedRoles {
  return {
    resourceId: CLUSTER,
    physicalId: PHYSICAL,
    roles: [{ username, declaration: declared }],
    single: true,
    adoptExisting: false,
    ...more,
  };
}

function list(usernames: string[], more: Partial<WantedRoles> = {}): WantedRoles {
  return wanted('', { single: false, roles: usernames.map(username => ({ username, declaration: SHOP })), ...more });
}

function registration(
  self: ManagingResource,
  username: string,
  supersedes: 'any name' | 'this name' = 'any name',
  declared = SHOP,
): Decision['record'][number] {
  return { ...self, resourceId: CLUSTER, physicalId: PHYSICAL, username, declaration: declared, supersedes };
}

const rename = (role: string, to: string) => ({ kind: 'renameRole', role, to });

const ME = owner('Me');
const NO_CHANGE = { changes: [], forget: [], adopted: [] };

describe('decideApply', () => {
  test.each(['user', 'role'] as const)('a %s that is not there is created', (kind) => {
    const declared = declaration('shop', kind);
    expect(decideApply(ME, wanted('a', {}, declared), facts([]))).toEqual({
      changes: [{ kind: 'createRole', role: 'a', roleKind: kind }],
      converge: [{ role: 'a', declaration: declared, previous: [], deployed: [] }],
      record: [registration(ME, 'a', 'any name', declared)],
      forget: [],
      adopted: [],
    });
  });

  test('a Create that is delivered twice is an update', () => {
    expect(decideApply(ME, wanted('a', {}, STOCK), facts([claim('Me', 'a', '1')]))).toEqual({
      ...NO_CHANGE,
      converge: [{ role: 'a', declaration: STOCK, previous: [SHOP], deployed: [SHOP] }],
      record: [registration(ME, 'a', 'any name', STOCK)],
    });
  });

  test('both declarations bound what may be revoked when a change was under way', () => {
    expect(
      decideApply(ME, wanted('a'), facts([claim('Me', 'a', '1', { declarations: [SHOP, STOCK] })])).converge[0]
        .previous,
    ).toEqual([SHOP, STOCK]);
  });

  test('another name renames the role', () => {
    expect(decideApply(ME, wanted('b'), facts([claim('Me', 'a', '1')]))).toEqual({
      ...NO_CHANGE,
      changes: [rename('a', 'b')],
      converge: [{ role: 'b', declaration: SHOP, previous: [SHOP], deployed: [SHOP] }],
      record: [registration(ME, 'b')],
    });
  });

  test.each([
    ['dropped', facts([claim('Me', 'a', '1', { roleName: undefined })])],
    ['renamed', facts([claim('Me', 'a', '1', { roleName: undefined })], { elsewhere: '1' })],
  ])('a role that was %s by hand is created again', (_, found) => {
    expect(decideApply(ME, wanted('a'), found)).toMatchObject({
      changes: [{ kind: 'createRole', role: 'a' }],
      converge: [{ previous: [] }],
    });
  });

  test('a role that no resource manages is left alone', () => {
    expect(() => decideApply(ME, wanted('a'), facts([], { a: '1' }))).toThrow(
      new Error(
        'role "a" exists already and was not created by this library, so it is left as it is; choose another name, drop or rename that role first, or take it over with adoptExisting',
      ),
    );
  });

  test('a role that no resource manages is adopted if so declared', () => {
    expect(decideApply(ME, wanted('a', { adoptExisting: true }), facts([], { a: '1' }))).toEqual({
      ...NO_CHANGE,
      converge: [{ role: 'a', declaration: SHOP, previous: [], deployed: [] }],
      record: [takenOver('a')],
      adopted: ['a'],
    });
  });

  test('a rename adopts no role', () => {
    expect(() =>
      decideApply(ME, wanted('b', { adoptExisting: true }), facts([claim('Me', 'a', '1')], { b: '2' })),
    ).toThrow('role "b" exists already');
  });

  test('a role of another stack is refused', () => {
    const other = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/other';
    const found = facts([claim('Theirs', 'a', '1', owner('Theirs', other, '9'))]);
    for (const adoptExisting of [false, true]) {
      expect(() => decideApply(ME, wanted('a', { adoptExisting }), found)).toThrow(
        new Error(
          `"a" is managed by another stack already (${other}/9, resource Theirs); declare it in one stack only, or choose another name; if that stack is gone, drop the role`,
        ),
      );
    }
  });

  test('a role that another stack manages in the database that this one was restored from is refused, unless it is to be taken over', () => {
    const other = 'arn:aws:cloudformation:eu-west-1:123456789012:stack/other';
    const copy = claim('Theirs', 'a', '1', {
      ...owner('Theirs', other, '9'),
      resourceId: 'cluster-0',
      declarations: [STOCK],
    });
    expect(() => decideApply(ME, wanted('a'), facts([copy]))).toThrow(
      new Error(
        `role "a" is managed by another stack (${other}/9, resource Theirs) in cluster-0, which this database, cluster-1, was restored from; choose another name, or take it over here with adoptExisting`,
      ),
    );
    expect(decideApply(ME, wanted('a', { adoptExisting: true }), facts([copy]))).toEqual({
      changes: [],
      converge: [{ role: 'a', declaration: SHOP, previous: [STOCK], deployed: [STOCK] }],
      record: [takenOver('a')],
      forget: [copy],
      adopted: ['a'],
    });
  });

  test('what a resource managed in the database that this one was restored from is its own here', () => {
    expect(decideApply(ME, wanted('a'), facts([claim('Me', 'a', '1', { resourceId: 'cluster-0' })]))).toEqual({
      ...NO_CHANGE,
      converge: [{ role: 'a', declaration: SHOP, previous: [SHOP], deployed: [SHOP] }],
      record: [registration(ME, 'a')],
    });
  });

  test('a user that moved to another construct is shared until the old one is gone', () => {
    expect(decideApply(ME, wanted('a', {}, STOCK), facts([claim('Old', 'a', '1')]))).toEqual({
      ...NO_CHANGE,
      converge: [{ role: 'a', declaration: STOCK, previous: [SHOP], deployed: [SHOP] }],
      record: [takenOver('a', STOCK)],
    });
  });

  test('a stack of the same name and another id is gone, and its roles are taken over with what it granted', () => {
    const gone = [
      claim('Me', 'a', '1', { stackId: `${STACK}/0` }),
      claim('Old', 'a', '1', { stackId: `${STACK}/0`, declarations: [STOCK] }),
    ];
    expect(decideApply(ME, wanted('a'), facts(gone))).toEqual({
      changes: [],
      converge: [{ role: 'a', declaration: SHOP, previous: [SHOP, STOCK], deployed: [SHOP, STOCK] }],
      record: [takenOver('a')],
      forget: [gone[1]],
      adopted: [],
    });
  });

  test('a role that was kept is taken over by the next resource of that name, of any stack', () => {
    const kept = claim('Old', 'a', '1', { released: true });
    const foreign = claim('Old', 'a', '1', { ...owner('Old', `${STACK}2`), released: true });
    for (const one of [kept, foreign]) {
      expect(decideApply(ME, wanted('a'), facts([one]))).toEqual({
        changes: [],
        converge: [{ role: 'a', declaration: SHOP, previous: [SHOP], deployed: [SHOP] }],
        record: [takenOver('a')],
        forget: [one],
        adopted: [],
      });
    }
  });

  test('a role that the same resource kept is not forgotten: its row is written again', () => {
    expect(decideApply(ME, wanted('a'), facts([claim('Me', 'a', '1', { released: true })]))).toMatchObject({
      changes: [],
      forget: [],
    });
  });

  test('a rename does not take the place of a role that was kept', () => {
    const found = facts([claim('Me', 'a', '1'), claim('Old', 'b', '2', { released: true })]);
    expect(() => decideApply(ME, wanted('b'), found)).toThrow(
      new Error(
        'cannot rename "a" to "b": a role of that name is left from one that was removed; drop or rename that role first, or choose another name',
      ),
    );
  });

  test('two users of a stack swap their names: one waits for the other', () => {
    const [parked, other] = [temporaryName('2'), owner('Other')];
    const first = decideApply(ME, wanted('b'), facts([claim('Me', 'a', '1'), claim('Other', 'b', '2')]));
    expect(first.changes).toEqual([rename('b', parked), rename('a', 'b')]);
    expect(first.converge).toEqual([{ role: 'b', declaration: SHOP, previous: [SHOP], deployed: [SHOP] }]);
    const second = decideApply(
      other,
      wanted('a'),
      facts([claim('Me', 'b', '1'), claim('Other', 'b', '2', { roleName: parked })]),
    );
    expect(second.changes).toEqual([rename(parked, 'a')]);
    expect(second.record).toEqual([registration(other, 'a')]);
  });

  test('a role that waits gets its name as soon as it is free', () => {
    const found = facts([claim('Me', 'b', '1'), claim('Other', 'b', '2', { roleName: temporaryName('2') })]);
    expect(decideApply(ME, wanted('c'), found).changes).toEqual([rename('b', 'c'), rename(temporaryName('2'), 'b')]);
  });

  test('a resource that shared a role that is renamed gets one of the old name', () => {
    const found = facts([claim('Me', 'a', '1'), claim('Other', 'a', '1', { declarations: [SHOP, STOCK] })]);
    expect(decideApply(ME, wanted('b'), found)).toEqual({
      changes: [rename('a', 'b'), { kind: 'createRole', role: 'a', roleKind: 'user' }],
      converge: [
        { role: 'b', declaration: SHOP, previous: [SHOP, SHOP, STOCK], deployed: [SHOP, STOCK] },
        { role: 'a', declaration: STOCK, previous: [], deployed: [SHOP, STOCK] },
      ],
      record: [registration(ME, 'b'), registration(owner('Other'), 'a', 'this name', STOCK)],
      forget: [],
      adopted: [],
    });
  });

  describe('of many users', () => {
    test('each name is a role of its own: nothing is renamed', () => {
      const found = facts([claim('Me', 'a', '1'), claim('Me', 'b', '2')]);
      expect(decideApply(ME, list(['b', 'c']), found)).toEqual({
        ...NO_CHANGE,
        changes: [{ kind: 'createRole', role: 'c', roleKind: 'user' }],
        converge: [
          { role: 'b', declaration: SHOP, previous: [SHOP], deployed: [SHOP] },
          { role: 'c', declaration: SHOP, previous: [], deployed: [SHOP] },
        ],
        record: [registration(ME, 'b', 'this name'), registration(ME, 'c', 'this name')],
      });
    });

    test('one may come from a resource of its own, one that was kept, and one that no resource managed', () => {
      const kept = claim('Old', 'kept', '2', { released: true });
      const found = facts([claim('Single', 'single', '1'), kept], { unmanaged: '3' });
      expect(decideApply(ME, list(['single', 'kept', 'unmanaged'], { adoptExisting: true }), found)).toMatchObject({
        changes: [],
        forget: [kept],
        adopted: ['unmanaged'],
      });
    });

    test('what an update has made that CloudFormation has given up goes, for no Delete of it comes', () => {
      const [before, given] = ['cluster-1/before/Me', 'cluster-1/given-up/Me'];
      const found = facts([
        claim('Me', 'a', '1', { physicalId: before }),
        claim('Me', 'b', '2', { physicalId: given }),
        claim('Me', 'c', '3', { physicalId: given }),
      ]);
      const rollback = { physicalId: before, formerPhysicalId: before };
      expect(decideApply(ME, list(['a', 'b'], rollback), found).abandoned).toEqual([given]);
      expect(decideApply(ME, list(['a', 'b', 'c'], rollback), found).abandoned).toBeUndefined();
      // A Delete of the physical id before it is to come, in the clean-up.
      expect(
        decideApply(ME, list(['a'], { physicalId: 'cluster-1/next/Me', formerPhysicalId: given }), found).abandoned,
      ).toBeUndefined();
      // A new resource is not known to be all that there is under its logical id.
      expect(decideApply(ME, list(['a']), found).abandoned).toBeUndefined();
      // What was restored from another cluster is not of this one.
      const restored = facts([claim('Me', 'c', '3', { physicalId: 'cluster-0/given-up/Me', resourceId: 'cluster-0' })]);
      expect(decideApply(ME, list(['a'], rollback), restored).abandoned).toBeUndefined();
    });

    test('a role that was kept from such an update makes room for a rename, and no other one does', () => {
      const kept = claim('List', 'b', '2', { released: true, physicalId: 'cluster-1/list/List' });
      const found = (physicalId: string, more: Partial<Claim> = {}) =>
        facts([claim('Me', 'a', '1'), { ...kept, ...more }, claim('List', 'c', '3', { physicalId })]);
      expect(decideApply(ME, wanted('b'), found('cluster-1/list/List')).changes).toEqual([
        rename('b', temporaryName('2')),
        rename('a', 'b'),
      ]);
      const refused = /a role of that name is left from one that was removed/;
      expect(() => decideApply(ME, wanted('b'), found('cluster-1/other/List'))).toThrow(refused);
      expect(() => decideApply(ME, wanted('b'), found('cluster-1/list/List', { stackId: `${STACK}/0` }))).toThrow(
        refused,
      );
    });

    test('one that is refused refuses all', () => {
      expect(() => decideApply(ME, list(['a', 'b']), facts([], { b: '1' }))).toThrow('role "b" exists already');
    });
  });
});

/** The row of a resource that takes over a role that is there. */
function takenOver(username: string, declared = SHOP): Decision['record'][number] {
  return { ...registration(ME, username, 'any name', declared), existed: true };
}

describe('decideRemove', () => {
  const remove = (found: Facts, username = 'a', resourceId = CLUSTER, me = ME) =>
    decideRemove(
      me,
      { resourceId, physicalId: PHYSICAL, single: true, usernames: [username], cancelled: false },
      found,
    )[0];

  test('the role of the resource, with everything that was ever granted to it', () => {
    const mine = claim('Me', 'a', '1');
    const kept = claim('Old', 'a', '1', { released: true, declarations: [STOCK] });
    expect(remove(facts([mine, kept]))).toEqual({
      kind: 'remove',
      claim: mine,
      username: 'a',
      previous: [SHOP, STOCK],
    });
  });

  test('a role that was there before its creation, which was cancelled, is kept', () => {
    const mine = claim('Me', 'a', '1', { existed: true });
    const removed = (one: Claim, cancelled: boolean) =>
      decideRemove(ME, { ...deleted('a'), cancelled }, facts([one]))[0];
    expect(removed(mine, true)).toMatchObject({
      kind: 'remove',
      keptBecause: 'it was there before its creation, which CloudFormation has cancelled',
    });
    expect(removed(mine, false)).not.toHaveProperty('keptBecause');
    expect(removed(claim('Me', 'a', '1'), true)).not.toHaveProperty('keptBecause');
  });

  test('a role that waits for its name is removed under the one it has', () => {
    expect(remove(facts([claim('Me', 'a', '1', { roleName: temporaryName('1') })]))).toMatchObject({
      kind: 'remove',
      username: temporaryName('1'),
    });
  });

  test('after a rename, or a restore to another cluster, the old physical resource has nothing of its own', () => {
    expect(remove(facts([claim('Me', 'b', '1')]))).toEqual({
      kind: 'leave',
      username: 'a',
      reason: 'this resource manages "b" of cluster-1 now',
    });
    expect(remove(facts([claim('Me', 'a', '1')]), 'a', 'cluster-0')).toEqual({
      kind: 'leave',
      username: 'a',
      reason: 'this resource manages "a" of cluster-1 now',
    });
  });

  test.each([
    ['nothing is registered', facts([], { a: '1' })],
    ['it is released', facts([claim('Me', 'a', '1', { released: true })])],
    ['it is of another resource', facts([claim('Other', 'a', '1')])],
    ['it is of a stack that came later', facts([claim('Me', 'a', '1', { stackId: `${STACK}/2` })])],
  ])('nothing when %s', (_, found) => {
    expect(remove(found)).toEqual({
      kind: 'leave',
      username: 'a',
      reason: 'this resource manages no role of that name',
    });
  });

  test('a user that moved to another construct stays, as that one declares it', () => {
    const [mine, successor] = [claim('Me', 'a', '1'), claim('Successor', 'a', '1', { declarations: [STOCK] })];
    expect(remove(facts([mine, successor]))).toEqual({
      kind: 'handOver',
      successor,
      username: 'a',
      decision: {
        changes: [],
        converge: [{ role: 'a', declaration: STOCK, previous: [SHOP, STOCK], deployed: [SHOP, STOCK] }],
        record: [],
        forget: [mine],
        adopted: [],
      },
    });
  });

  test('a successor that waits for its name gets it', () => {
    const parked = temporaryName('1');
    const [mine, successor] = [
      claim('Me', 'a', '1', { roleName: parked }),
      claim('Successor', 'a', '1', { roleName: parked }),
    ];
    expect(remove(facts([mine, successor]))).toMatchObject({
      kind: 'handOver',
      decision: { changes: [rename(parked, 'a')], converge: [{ role: 'a' }] },
    });
  });

  test('a role that was dropped by hand is forgotten, and the resource that waits for its name gets it', () => {
    const mine = claim('Me', 'a', '1', { roleName: undefined });
    const waiting = claim('Other', 'a', '2', { roleName: temporaryName('2') });
    expect(remove(facts([mine, waiting]))).toEqual({
      kind: 'handOver',
      username: 'a',
      decision: { changes: [rename(temporaryName('2'), 'a')], converge: [], record: [], forget: [mine], adopted: [] },
    });
  });
});

describe('decideRemove of a resource of many', () => {
  const remove = (found: Facts, physicalId: string, cancelled = false) =>
    decideRemove(
      ME,
      { resourceId: CLUSTER, physicalId, single: false, usernames: ['a', 'b', 'c'], cancelled },
      found,
    ).map(({ kind, username }) => [kind, username]);

  test('each for itself', () => {
    expect(remove(facts([claim('Me', 'a', '1'), claim('Me', 'b', '2'), claim('Other', 'b', '2')]), PHYSICAL)).toEqual([
      ['remove', 'a'],
      ['handOver', 'b'],
    ]);
  });

  test('those who were on the list of the old physical resource and are not on the new one', () => {
    const found = facts([claim('Me', 'a', '1'), claim('Me', 'b', '2', { physicalId: 'cluster-1/before/Me' })]);
    expect(remove(found, 'cluster-1/before/Me')).toEqual([['remove', 'b']]);
    expect(remove(found, PHYSICAL)).toEqual([['remove', 'a']]);
    expect(remove(found, 'cluster-1/other/Me')).toEqual([]);
  });

  test('all of them, if their creation was cancelled', () => {
    expect(remove(facts([claim('Me', 'a', '1'), claim('Me', 'b', '2')]), 'made up', true)).toEqual([
      ['remove', 'a'],
      ['remove', 'b'],
      ['leave', 'c'],
    ]);
  });
});

describe('decideAfterRemoval', () => {
  test('who waited for the name of the removed role gets it', () => {
    const waiting = claim('Other', 'a', '2', { roleName: temporaryName('2') });
    expect(decideAfterRemoval(ME, facts([waiting]))).toEqual([rename(temporaryName('2'), 'a')]);
    expect(decideAfterRemoval(ME, facts([waiting], { a: '1' }))).toEqual([]);
  });
});

function deleted(username: string): Parameters<typeof decideRemove>[1] {
  return { resourceId: CLUSTER, physicalId: PHYSICAL, single: true, usernames: [username], cancelled: false };
}

describe('what is not understood', () => {
  const unreadable = (claim: Claim, more: object = {}) => {
    const { stack, logicalId, roleOid, roleName, username, released } = claim;
    return {
      stack,
      logicalId,
      roleOid,
      roleName,
      username,
      released,
      claim: { ...claim, declarations: [] },
      problem: 'not understood',
      ...more,
    };
  };
  const withRows = (
    rows: ReturnType<typeof unreadable>[],
    claims: Claim[] = [],
    others: { [name: string]: string } = {},
  ): Facts => ({
    ...facts(claims, { ...Object.fromEntries(rows.map(({ username, roleOid }) => [username, roleOid])), ...others }),
    unreadable: rows,
  });
  const mine = claim('Me', 'a', '1');

  test.each<[string, Facts, WantedRoles]>([
    ['of the resource itself', withRows([unreadable(mine)]), wanted('a')],
    ['of the resource itself, which renames its role', withRows([unreadable(mine)]), wanted('b')],
    ['of another resource with the same role', withRows([unreadable(claim('Other', 'a', '1'))], [mine]), wanted('a')],
    ['of a role that was kept', withRows([unreadable(claim('Other', 'a', '1', { released: true }))]), wanted('a')],
    ['of which it is not known whose it is', withRows([unreadable(claim('Other', 'a', '1'), { claim: undefined })]),
      wanted('a')],
  ])('is refused for an Update: %s', (_, found, declared) => {
    expect(() => decideApply(ME, declared, found)).toThrow('not understood');
  });

  test.each<[string, Facts, WantedRoles]>([
    ['another role', withRows([unreadable(claim('Other', 'b', '2'))], [mine]), wanted('a')],
    ['another role of the same list', withRows([unreadable(claim('Me', 'b', '2'))], [mine]), list(['a'])],
    ['a role that is gone', withRows([unreadable(claim('Other', 'b', '1'), { roleName: undefined })], [mine]),
      wanted('a')],
    ['a role that this resource had once', withRows([unreadable(claim('Me', 'b', '2', { released: true }))], [mine]),
      wanted('a')],
  ])('is nothing to a role if it is about %s', (_, found, declared) => {
    expect(decideApply(ME, declared, found)).toMatchObject({ changes: [] });
  });

  test('of the resource that is deleted is said with the removal', () => {
    expect(decideRemove(ME, deleted('a'), withRows([unreadable(mine)]))).toMatchObject([
      { kind: 'remove', username: 'a', previous: [], keptBecause: 'not understood' },
    ]);
  });

  test('of a resource that has the role as well does not keep it from being handed over', () => {
    expect(decideRemove(ME, deleted('a'), withRows([unreadable(claim('Other', 'a', '1'))], [mine]))).toMatchObject([
      { kind: 'handOver', successor: { logicalId: 'Other' }, decision: { converge: [] } },
    ]);
  });

  test('of which it is not known whose it is makes a Delete unclear, and no resource a successor', () => {
    const invalid = unreadable(claim('Other', 'a', '1'), { claim: undefined });
    expect(decideRemove(ME, deleted('a'), withRows([invalid]))).toEqual([
      { kind: 'unclear', username: 'a', problem: 'not understood' },
    ]);
    expect(decideRemove(ME, deleted('a'), withRows([invalid], [mine]))).toMatchObject([
      { kind: 'remove', username: 'a' },
    ]);
    expect(
      decideRemove(
        ME,
        { ...deleted('a'), single: false, usernames: ['a', 'b'] },
        withRows([invalid], [claim('Me', 'b', '2')]),
      ),
    ).toMatchObject([{ kind: 'unclear', username: 'a' }, { kind: 'remove', username: 'b' }]);
  });
});

describe('a successor', () => {
  const mine = claim('Me', 'a', '1');

  test.each<[string, Claim]>([
    ['of another stack', claim('Other', 'a', '1', owner('Other', `${STACK}-2`))],
    ['of a stack that is gone', claim('Other', 'a', '1', owner('Other', STACK, '0'))],
    ['for another database', claim('Other', 'a', '1', { resourceId: 'cluster-2' })],
    ['that declares another name', claim('Other', 'b', '1', { roleName: undefined })],
    ['whose resource is gone', claim('Other', 'a', '1', { released: true })],
  ])('is no resource %s', (_, other) => {
    expect(decideRemove(ME, deleted('a'), facts([mine, other]))).toMatchObject([{ kind: 'remove', username: 'a' }]);
  });

  test('is a resource of the same stack and database', () => {
    expect(decideRemove(ME, deleted('a'), facts([mine, claim('Other', 'a', '1')]))).toMatchObject([
      { kind: 'handOver', successor: { logicalId: 'Other' } },
    ]);
  });

  test('has no role made for it that another stack or database declares', () => {
    const others = [
      claim('Other', 'a', '1', { ...owner('Other', `${STACK}-2`), resourceId: 'cluster-2' }),
      claim('Third', 'a', '1', { resourceId: 'cluster-2' }),
    ];
    expect(decideApply(ME, wanted('b'), facts([mine, ...others])).changes).toEqual([rename('a', 'b')]);
  });
});
