import { withNewName } from '../../lambda/provisioner/core/new-name';
import { handedOver, NOTHING, ownSchemas } from '../../lambda/provisioner/core/removal';
import { Names, temporaryName } from '../../lambda/provisioner/core/role-names';
import {
  type Claim,
  type Declaration,
  sameResource,
  stackWithoutId,
  withRenamed,
} from '../../lambda/provisioner/core/state';

describe('a role with another name', () => {
  test.each(['role', 'member', 'group', 'owner', 'creator', 'as', 'grantor', 'through'])(
    'has it where the field is %s',
    (field) => {
      expect(
        withNewName(
          [{ [field]: 'a', other: 1 }, { [field]: 'b' }, { [field]: null }, { [field]: undefined }],
          'a',
          'c',
        ),
      ).toEqual([{ [field]: 'c', other: 1 }, { [field]: 'b' }, { [field]: null }, { [field]: undefined }]);
    },
  );

  test('has it as the key of a map and inside, and nothing else of that name has', () => {
    expect(
      withNewName(
        {
          roles: new Map([['a', { role: 'a', name: 'a' }], ['b', { role: 'b', name: 'a' }]]),
          schema: 'a',
          names: ['a'],
        },
        'a',
        'c',
      ),
    ).toEqual({
      roles: new Map([['c', { role: 'c', name: 'a' }], ['b', { role: 'b', name: 'a' }]]),
      schema: 'a',
      names: ['a'],
    });
  });

  test('has it in declarations that name it', () => {
    const declaration = (name: string): Declaration => ({
      kind: 'user', memberOf: [name, 'b'], exclusive: false,
      settings: {
        connectionLimit: 3,
        parameters: [{ parameter: 'role', value: name }, { parameter: 'search_path', value: 'a' }],
      },
      databases: [
        {
          database: 'a',
          privileges: [],
          schemas: [
            {
              schema: 'a',
              owner: false,
              privileges: [],
              objects: [],
              futureObjects: [{ creator: name, objects: [] }, { creator: 'b', objects: [] }],
            },
          ],
        },
      ],
    });
    expect(withRenamed(declaration('a'), 'a', 'c')).toEqual(declaration('c'));
    expect(withRenamed(declaration('b'), 'a', 'c')).toEqual(declaration('b'));
  });

  test('changes nothing in a declaration without settings', () => {
    const declaration: Declaration = { kind: 'role', memberOf: [], databases: [], exclusive: true };
    expect(Object.keys(withRenamed(declaration, 'a', 'c')).sort()).toEqual(Object.keys(declaration).sort());
  });
});

describe('names while changes are decided', () => {
  const claim = (roleOid: string, username: string, roleName?: string) => ({ roleOid, username, roleName }) as Claim;

  test('are free, if no role has them', () => {
    const names = new Names(new Map([['a', '1']]));
    expect([names.free('a'), names.free('b')]).toEqual([false, true]);
    names.rename('a', 'b');
    expect([names.free('a'), names.free('b'), names.nameOf('1'), names.nameOf('2')]).toEqual([
      true,
      false,
      'b',
      undefined,
    ]);
    names.create('c', 'role');
    expect([names.free('c'), names.changes]).toEqual([
      false,
      [{ kind: 'renameRole', role: 'a', to: 'b' }, { kind: 'createRole', role: 'c', roleKind: 'role' }],
    ]);
  });

  test('that are free now are given to the roles that wait for them', () => {
    const waiting = temporaryName('1');
    expect(waiting).toBe('cdk_aurora_iam_auth_renaming_1');
    const names = new Names(
      new Map([[waiting, '1'], ['taken', '2'], [temporaryName('3'), '3'], ['other', '4'], [temporaryName('5'), '6']]),
    );
    names.assignFreedNames([
      claim('1', 'a', waiting),
      claim('3', 'taken', temporaryName('3')),
      claim('4', 'b', 'other'),
      claim('5', 'c', temporaryName('5')),
      claim('1', 'd', waiting),
      claim('7', 'e'),
    ]);
    expect(names.changes).toEqual([{ kind: 'renameRole', role: waiting, to: 'a' }]);
  });
});

describe('what belongs together', () => {
  test('a stack has the beginning of its id', () => {
    expect(stackWithoutId('arn:aws:cloudformation:eu-west-1:123456789012:stack/name/unique')).toBe(
      'arn:aws:cloudformation:eu-west-1:123456789012:stack/name',
    );
  });

  test('a resource is of one stack and one logical id', () => {
    const resource = { stack: 's', logicalId: 'l' };
    expect(
      [{ ...resource }, { ...resource, stack: 't' }, { ...resource, logicalId: 'm' }].map(other =>
        sameResource(resource, other),
      ),
    ).toEqual([true, false, false]);
  });

  test('a role that is handed over has its decision, and any other none', () => {
    expect(NOTHING).toEqual({ changes: [], converge: [], record: [], forget: [], adopted: [] });
    const decision = { ...NOTHING, adopted: ['a'] };
    expect(handedOver({ kind: 'handOver', username: 'a', decision })).toBe(decision);
    expect(handedOver({ kind: 'leave', username: 'a', reason: '' })).toBe(NOTHING);
    expect(handedOver(undefined)).toBe(NOTHING);
  });

  test('schemas that declarations have made a role\'s own are those of one database', () => {
    const schema = (name: string, owner: boolean) => ({
      schema: name,
      owner,
      privileges: [],
      objects: [],
      futureObjects: [],
    });
    const previous = [
      ['shop', schema('app', true), schema('x', false)],
      ['stock', schema('y', true)],
      ['shop', schema('z', true)],
    ] as const;
    const declarations = previous.map(([database, ...schemas]): Declaration => ({
      kind: 'user',
      memberOf: [],
      exclusive: false,
      databases: [{ database, privileges: [], schemas: [...schemas] }],
    }));
    expect(ownSchemas('shop', declarations)).toEqual(['app', 'z']);
  });
});
