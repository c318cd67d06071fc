import { App, Aws, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import {
  AuroraIamAuth,
  DatabasePrivilege,
  DatabaseRole,
  DatabaseUser,
  Privileges,
  RestrictPublicOptions,
  TablePrivilege,
} from '../../lib';
import { collectAccess, collectAppAccess } from '../../lib/report/collect';
import { markdownOf } from '../../lib/report/markdown';
import { newApp, newCluster, onlyResourceOf, resourcesOf, templateOf } from './support';

const TYPE = 'Custom::RdsPublicPrivileges';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), reapply: 'once' });
});

const both = { connect: true, createInPublicSchema: true };

describe('restrictPublic', () => {
  test('is one resource, whose properties and metadata say what is revoked', () => {
    iamAuth.restrictPublic({ database: 'shop', ...both, lockOut: ['report', 'Legacy', 'report'] });
    const { Properties, Metadata } = onlyResourceOf(stack, TYPE);
    expect(Properties).toEqual({
      ServiceToken: expect.anything() as unknown,
      ServiceTimeout: '960',
      Database: { ResourceId: { 'Fn::GetAtt': [expect.stringMatching(/^Cluster/), 'DBClusterResourceId'] } },
      DatabaseName: 'shop',
      Revoked: { Database: ['CONNECT'], Schemas: { public: { Schema: ['CREATE'] } } },
      LockOut: ['Legacy', 'report'],
      Reapply: 'once',
    });
    expect(Metadata!.Access).toEqual([
      'PUBLIC has no CONNECT on database shop',
      'PUBLIC has no CREATE on schema public of database shop',
      'may lock out "Legacy", report',
    ]);
    expect((templateOf(stack).toJSON() as { Metadata: object }).Metadata).toMatchObject({
      'Access of IamAuth/PublicPrivileges/shop':
        'PUBLIC has no CONNECT on database shop; PUBLIC has no CREATE on schema public of database shop; may lock out "Legacy", report',
    });
  });

  test('has an id that is permanent, one for each database, whatever its name', () => {
    const made = ['shop', 'postgres', 'a/b', 'Sh"op \u{1f418}'].map(database =>
      iamAuth.restrictPublic({ database, connect: true }),
    );
    expect(made.slice(0, 2).map(({ node: { path } }) => path)).toEqual([
      'Data/IamAuth/PublicPrivileges/shop',
      'Data/IamAuth/PublicPrivileges/postgres',
    ]);
    const resources = Object.entries(resourcesOf(stack, TYPE));
    expect(resources.map(([, { Properties }]) => Properties.DatabaseName)).toEqual([
      'shop',
      'postgres',
      'a/b',
      'Sh"op \u{1f418}',
    ]);
    expect(resources[0][0]).toBe('IamAuthPublicPrivilegesshop846614FE');
  });

  test('comes after the roles of its stack that declare something in the database, and after no other', () => {
    iamAuth.restrictPublic({ database: 'shop', connect: true });
    iamAuth.addUser('orders', {
      privileges: [Privileges.onDatabase({ database: 'shop', privileges: [DatabasePrivilege.CONNECT] })],
    });
    iamAuth.addUser('elsewhere', { database: 'postgres' });
    new DatabaseUser(new Stack(app, 'Other'), 'User', {
      iamAuth,
      username: 'other',
      privileges: [Privileges.onDatabase({ database: 'shop' })],
    });
    const dependencies: unknown[] = [onlyResourceOf(stack, TYPE).DependsOn ?? []].flat();
    expect(dependencies.filter(id => String(id).startsWith('IamAuth'))).toEqual([
      expect.stringMatching(/^IamAuthorders/),
    ]);
  });

  test('comes after members of such roles as well', () => {
    iamAuth.restrictPublic({ database: 'shop', connect: true });
    const readers = iamAuth.addRole('readers', { privileges: [Privileges.onDatabase({ database: 'shop' })] });
    iamAuth.addUser('report', { database: 'postgres', privileges: [Privileges.memberOf(readers)] });
    const dependencies: unknown[] = [onlyResourceOf(stack, TYPE).DependsOn ?? []].flat();
    expect(dependencies.filter(id => String(id).startsWith('IamAuth'))).toEqual([
      expect.stringMatching(/^IamAuthreaders/),
      expect.stringMatching(/^IamAuthreport/),
    ]);
  });

  describe('warns of a user that cannot connect any more', () => {
    const onTables = Privileges.onTables({
      database: 'shop',
      schema: 'public',
      tables: ['orders'],
      privileges: [TablePrivilege.SELECT],
      objectsCreatedBy: [],
    });
    const warnings = () => {
      app.synth();
      return Annotations.fromStack(stack)
        .findWarning('*', Match.stringLikeRegexp('lockedOut'))
        .map(({ id, entry }) => [id, entry.data]);
    };
    const user = (...privileges: Privileges[]) => iamAuth.addUser('orders', { database: 'postgres', privileges });

    test('with what to do', () => {
      iamAuth.restrictPublic({ database: 'shop', connect: true });
      user(onTables);
      expect(warnings()).toEqual([
        [
          '/Data/IamAuth/orders',
          'Data/IamAuth/orders has privileges in database "shop" and no CONNECT on it, which Data/IamAuth/PublicPrivileges/shop revokes from PUBLIC, so that it cannot connect; '
          + 'add Privileges.onDatabase({ database: "shop" }) to its privileges [ack: cdk-aurora-iam-auth:lockedOut]',
        ],
      ]);
    });

    test('also where its group role alone declares something there, and for a list', () => {
      const readers = iamAuth.addRole('readers', { privileges: [onTables] });
      user(Privileges.memberOf(readers));
      iamAuth.addUsers('team', { usernames: ['ann', 'bob'], database: 'postgres', privileges: [onTables] });
      iamAuth.restrictPublic({ database: 'shop', connect: true, lockOut: ['ann'] });
      expect(warnings().map(([id]) => id as string).sort()).toEqual(['/Data/IamAuth/orders', '/Data/IamAuth/team']);
    });

    test.each<[string, () => void]>([
      ['it has CONNECT of its own', () => user(onTables, Privileges.onDatabase({ database: 'shop' }))],
      ['it has CONNECT through a group role',
        () =>
          user(
            onTables,
            Privileges.memberOf(
              iamAuth.addRole('readers', { privileges: [Privileges.onDatabase({ database: 'shop' })] }),
            ),
          )],
      ['it is a member of a role that the app does not know',
        () => user(onTables, Privileges.memberOf(DatabaseRole.fromRoleName(stack, 'Theirs', 'theirs')))],
      ['it declares nothing there', () => user()],
      ['it is named in lockOut', () => iamAuth.addUser('locked', { database: 'postgres', privileges: [onTables] })],
    ])('and not where %s', (_, add) => {
      iamAuth.restrictPublic({ database: 'shop', connect: true, lockOut: ['locked'] });
      add();
      expect(warnings()).toEqual([]);
    });

    test('and not where CREATE alone is revoked', () => {
      iamAuth.restrictPublic({ database: 'shop', createInPublicSchema: true });
      user(onTables);
      expect(warnings()).toEqual([]);
    });
  });

  test('is in the access reports of its stack and of the app, and in none of another stack', () => {
    iamAuth.restrictPublic({ database: 'shop', connect: true, lockOut: ['legacy'] });
    iamAuth.restrictPublic({ database: 'postgres', ...both });
    iamAuth.addUser('orders');
    const other = new Stack(app, 'Other');
    new DatabaseUser(other, 'User', { iamAuth, username: 'other' });
    const restricted = [
      { database: 'postgres', path: 'Data/IamAuth/PublicPrivileges/postgres', revoked: ['CONNECT', 'CREATE'] },
      { database: 'shop', path: 'Data/IamAuth/PublicPrivileges/shop', revoked: ['CONNECT'], lockOut: ['legacy'] },
    ];
    expect([collectAccess(stack), collectAppAccess(app)].map(({ servers }) => servers[0].restrictedPublic)).toEqual([
      restricted,
      restricted,
    ]);
    expect(collectAccess(other).servers[0]).not.toHaveProperty('restrictedPublic');
    expect(markdownOf(collectAccess(stack))).toContain(
      '- **Revoked from PUBLIC**: `PUBLIC has no CONNECT on database postgres`, `PUBLIC has no CREATE on schema public of database postgres`',
    );
  });

  test('works in a stack without users', () => {
    iamAuth.restrictPublic({ database: 'postgres', connect: true });
    expect(Object.keys(resourcesOf(stack, 'AWS::Lambda::Function'))).toHaveLength(2);
    expect(() => app.synth()).not.toThrow();
  });

  test.each<[string, RestrictPublicOptions]>([
    ['restrictPublic of database "shop" revokes nothing; pass connect: true, createInPublicSchema: true, or both',
      { database: 'shop' }],
    ['database name "" is not allowed: it is empty; give it 1 to 63 bytes', { database: '', connect: true }],
    [`database name "${'a'.repeat(64)}" is not allowed: it is longer than the 63 bytes of UTF-8`,
      { database: 'a'.repeat(64), connect: true }],
    ['database name "a\\u0000b" is not allowed: it contains the character U+0000', { database: 'a\0b', connect: true }],
    ['database or lockOut is a token, and names of databases and roles must be known at synthesis; give the names themselves',
      { database: Aws.STACK_NAME, connect: true }],
    ['database or lockOut is a token', { database: 'shop', connect: true, lockOut: [Aws.STACK_NAME] }],
    ['role name "rdsproxyadmin" is not allowed: RDS reserves names that begin with rds',
      { database: 'shop', connect: true, lockOut: ['rdsproxyadmin'] }],
    ['role name "public" is not allowed', { database: 'shop', connect: true, lockOut: ['public'] }],
  ])('refuses with a reason: %s', (reason, options) => {
    expect(() => iamAuth.restrictPublic(options)).toThrow(reason);
    expect(Object.keys(resourcesOf(stack, TYPE))).toEqual([]);
  });

  test('refuses a database that is restricted already', () => {
    iamAuth.restrictPublic({ database: 'shop', connect: true });
    expect(() => iamAuth.restrictPublic({ database: 'shop', createInPublicSchema: true })).toThrow(
      'PUBLIC in database "shop" is restricted by Data/IamAuth/PublicPrivileges/shop already; pass all options there',
    );
  });
});
