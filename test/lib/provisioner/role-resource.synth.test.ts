import { Annotations, App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Annotations as FoundAnnotations, Match } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { AuroraIamAuth, DatabaseRole, DatabaseUser, DatabaseUsers, IDatabaseRole, OnRemoval, Privileges, TablePrivilege } from '../../../lib';
import { logicalIdOf, newApp, newCluster, resourcesOf, templateOf } from '../support';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  // Nothing waits for another one but for a reason that is tested here.
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), provisioner: { concurrentUsers: 100 } });
});

type Managed = DatabaseUser | DatabaseUsers | DatabaseRole;

const resourceOf = (construct: Construct) => resourcesOf(Stack.of(construct))[logicalIdOf(construct.node.findChild('Resource'))];
const idOf = (construct: Construct) => logicalIdOf(construct.node.findChild('Resource'));
const imported = (roleName: string) => DatabaseRole.fromRoleName(stack, 'Imported', roleName);

/** The ways to refer to another role. */
const REFERENCES: [string, (role: IDatabaseRole) => object][] = [
  ['memberOf', role => ({ privileges: [Privileges.memberOf(role)] })],
  ['objectsCreatedBy', role => ({ privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [role] })] })],
  ['reassignOwnedTo', role => ({ onRemoval: OnRemoval.drop({ reassignOwnedTo: role }) })],
];

describe('the properties', () => {
  test.each<[string, () => OnRemoval | undefined, object | undefined]>([
    ['by default', () => undefined, undefined],
    ['dropOrDisable, which is the default', () => OnRemoval.dropOrDisable(), undefined],
    ['drop', () => OnRemoval.drop({ reassignOwnedTo: imported('heir') }), { Action: 'DROP', ReassignOwnedTo: 'heir' }],
    ['drop, to a name that only the deployment knows', () => OnRemoval.drop({ reassignOwnedTo: imported(new CfnParameter(stack, 'Heir').valueAsString) }), { Action: 'DROP', ReassignOwnedTo: { Ref: 'Heir' } }],
    ['disable', () => OnRemoval.disable(), { Action: 'DISABLE' }],
    ['retain', () => OnRemoval.retain(), { Action: 'RETAIN' }],
  ])('say what becomes of the role: %s', (_, onRemoval, expected) => {
    expect(resourceOf(iamAuth.addUser('app', { onRemoval: onRemoval() })).Properties.OnRemoval).toEqual(expected);
  });

  test('say what is exclusive or taken over, and nothing of what is not', () => {
    const both = (construct: Managed) => {
      const { Exclusive, AdoptExisting } = resourceOf(construct).Properties;
      return [Exclusive, AdoptExisting];
    };
    const users = [
      iamAuth.addUser('a', { exclusive: true }), iamAuth.addUser('b', { adoptExisting: true }), iamAuth.addUser('c', { exclusive: false, adoptExisting: false }),
      iamAuth.addRole('d', { exclusive: true, adoptExisting: true }), iamAuth.addUsers('E', { usernames: ['e'], exclusive: true, adoptExisting: true }),
    ];
    expect(users.map(both)).toEqual([['true', undefined], [undefined, 'true'], [undefined, undefined], ['true', 'true'], ['true', 'true']]);
  });

  test('change with reapply, in every stack', () => {
    const database = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster: newCluster(stack, 'Other'), reapply: 'restored 2026-11-24' });
    const all = [
      database.addUser('a'), database.addRole('b'), database.addUsers('C', { usernames: ['c'] }), new DatabaseUser(new Stack(app, 'Apps'), 'User', { iamAuth: database, username: 'd' }),
      iamAuth.addUser('a'),
    ];
    expect(all.map(construct => resourceOf(construct).Properties.Reapply)).toEqual([...Array<string>(4).fill('restored 2026-11-24'), undefined]);
  });

  test('have several databases and schemas, merged', () => {
    const user = iamAuth.addUser('app', {
      privileges: [
        Privileges.readOnly({ database: 'stock', schemas: ['b', 'a'], objectsCreatedBy: [] }),
        Privileges.onTables({ database: 'stock', schema: 'a', tables: ['items'], privileges: [TablePrivilege.UPDATE, TablePrivilege.SELECT] }),
        Privileges.createObjects({ database: 'shop' }),
      ],
    });
    const reader = { Schema: ['USAGE'], Sequences: { '*': ['SELECT'] }, Tables: { '*': ['SELECT'] } };
    expect(JSON.stringify(resourceOf(user).Properties.Privileges)).toBe(JSON.stringify({
      shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['CREATE', 'USAGE'] } } },
      stock: { Database: ['CONNECT'], Schemas: { a: { ...reader, Tables: { ...reader.Tables, items: ['UPDATE'] } }, b: reader } },
    }));
  });
});

describe('addPrivileges', () => {
  test.each<[string, () => Managed]>([
    ['a user', () => iamAuth.addUser('app')],
    ['users', () => iamAuth.addUsers('App', { usernames: ['app'] })],
    ['a role', () => iamAuth.addRole('app', { privileges: [Privileges.onDatabase({ database: 'shop' })] })],
  ])('is in the template as if it had been declared at once: %s', (_, add) => {
    const construct = add();
    const group = iamAuth.addRole('group');
    construct.addPrivileges(Privileges.memberOf(group), Privileges.readWrite({ database: 'stock' }));
    construct.addPrivileges();
    construct.addPrivileges(Privileges.onSchema({ database: 'shop', schema: 'sales' }));
    const { Properties, DependsOn } = resourceOf(construct);
    expect(Properties).toMatchObject({
      Privileges: {
        shop: { Database: ['CONNECT'], Schemas: { sales: { Schema: ['USAGE'] } } },
        stock: { Schemas: { public: { Schema: ['USAGE'] } } },
      },
      MemberOf: ['group'],
    });
    expect(DependsOn).toEqual([idOf(group)]);
    FoundAnnotations.fromStack(stack).hasWarning(`/${construct.node.path}`, Match.stringLikeRegexp('^readWrite without objectsCreatedBy'));
  });

  test('fails as the construction does', () => {
    const user = iamAuth.addUser('app');
    expect(() => user.addPrivileges(Privileges.memberOf(user))).toThrow(/is the user itself/);
  });
});

describe('the order', () => {
  test.each(REFERENCES)('puts what refers to a role, a user or one of several after it: %s', (_, options) => {
    const role = iamAuth.addRole('role');
    const user = iamAuth.addUser('user');
    const users = iamAuth.addUsers('Users', { usernames: ['one', 'two'] });
    const after = [role, user, users.user('two')].map((other, index) => iamAuth.addUser(`app${index}`, options(other)));
    expect(after.map(construct => resourceOf(construct).DependsOn)).toEqual([[idOf(role)], [idOf(user)], [idOf(users)]]);
    templateOf(stack); // no cycle
  });

  test.each(REFERENCES)('puts group roles and several users after what they refer to: %s', (_, options) => {
    const role = iamAuth.addRole('other');
    const after = [iamAuth.addRole('role', options(role)), iamAuth.addUsers('Users', { usernames: ['one'], ...options(role) })];
    expect(after.map(construct => resourceOf(construct).DependsOn)).toEqual([[idOf(role)], [idOf(role)]]);
  });

  test.each(REFERENCES)('puts the stack after the one of a role it refers to: %s', (_, options) => {
    const [roles, apps] = [new Stack(app, 'Roles'), new Stack(app, 'Apps')];
    const role = new DatabaseRole(roles, 'Role', { iamAuth, roleName: 'role' });
    const users = new DatabaseUsers(roles, 'Users', { iamAuth, usernames: ['one'] });
    [role, users.user('one')].forEach((other, index) => new DatabaseUser(apps, `User${index}`, { iamAuth, username: `app${index}`, ...options(other) }));
    app.synth();
    expect(apps.dependencies).toContain(roles);
    expect(roles.dependencies).not.toContain(apps);
  });

  test('does without where the role is managed elsewhere', () => {
    const role = imported('role');
    const options = Object.assign({}, ...REFERENCES.map(([, reference]) => reference(role))) as object;
    expect(resourceOf(iamAuth.addUser('app', options)).DependsOn).toBeUndefined();
  });
});

describe('two that wait for each other', () => {
  const MESSAGE = '[Data/IamAuth/role] role name "app" waits for Data/IamAuth/role in a deployment already, and so cannot come before it; '
    + 'take one of the two references out, or let both refer to a third role';

  test.each(REFERENCES)('are an error, also with others between them: %s', (_, options) => {
    const role = iamAuth.addRole('role');
    const between = iamAuth.addUser('between', options(role));
    const user = iamAuth.addUser('app', options(between));
    expect(() => role.addPrivileges(Privileges.readOnly({ database: 'shop', objectsCreatedBy: [user] }))).toThrow(new Error(MESSAGE));
  });
});

/** Of who refers to itself. */
const RULES: Record<string, string> = {
  memberOf: 'and a role cannot be a member of itself; leave it out',
  objectsCreatedBy: 'and may do everything with what it creates; leave it out of objectsCreatedBy',
  reassignOwnedTo: 'which is to be dropped; name another role in reassignOwnedTo',
};

describe.each(REFERENCES)('%s', (reference, options) => {
  test.each<[string, string, (itself: IDatabaseRole) => Managed]>([
    ['a user', '[Data/IamAuth/app] role name "app" is the user itself', itself => iamAuth.addUser('app', options(itself))],
    ['a role', '[Data/IamAuth/app] role name "app" is the role itself', itself => iamAuth.addRole('app', options(itself))],
    ['users', '[Data/IamAuth/Users] role name "app" is one of these users', itself => iamAuth.addUsers('Users', { usernames: ['other', 'app'], ...options(itself) })],
  ])('fails for %s itself', (_, beginning, add) => {
    expect(() => add(imported('app'))).toThrow(new Error(`${beginning}, ${RULES[reference]}`));
  });

  test.each<[string, string, (other: AuroraIamAuth) => IDatabaseRole]>([
    ['user', 'Data/OtherIamAuth/group', other => other.addUser('group')],
    ['user', 'Data/OtherIamAuth/Groups/Users/group', other => other.addUsers('Groups', { usernames: ['group'] }).user('group')],
    ['role', 'Data/OtherIamAuth/group', other => other.addRole('group')],
  ])('fails for a %s of another database, %s', (kind, path, add) => {
    const other = add(new AuroraIamAuth(stack, 'OtherIamAuth', { cluster: newCluster(stack, 'Other') }));
    expect(() => iamAuth.addUser('app', options(other))).toThrow(new Error(
      `[Data/IamAuth/app] role name "group" is a ${kind} of another database, ${path}; create a ${kind} of that name in this one`,
    ));
  });

  test('takes a role of another AuroraIamAuth for the same cluster', () => {
    const apps = new Stack(app, 'Apps');
    const group = new AuroraIamAuth(apps, 'IamAuth', { cluster: iamAuth.node.scope!.node.findChild('Cluster') as never }).addRole('group');
    expect(() => new DatabaseUser(apps, 'User', { iamAuth, username: 'app', ...options(group) })).not.toThrow();
  });
});

describe('the owner of a schema', () => {
  const owner = (database = 'shop', schema = 'sales') => ({ privileges: [Privileges.schemaOwner({ database, schema })] });

  test('is one of them', () => {
    const role = iamAuth.addRole('owner', owner());
    role.addPrivileges(...owner().privileges);
    expect(() => new DatabaseUser(new Stack(app, 'Apps'), 'User', { iamAuth, username: 'app', ...owner() })).toThrow(new Error(
      '[Apps/User] schema "sales" of database "shop" is owned by Data/IamAuth/owner, and a schema has one owner; make this one a member of that role, or give it privileges on the schema',
    ));
  });

  test('may be another one in another database, cluster or schema', () => {
    const other = new AuroraIamAuth(stack, 'OtherIamAuth', { cluster: newCluster(stack, 'Other') });
    const add = () => [iamAuth.addRole('a', owner()), iamAuth.addRole('b', owner('stock')), iamAuth.addRole('c', owner('shop', 'Sales')), other.addRole('d', owner())];
    expect(add).not.toThrow();
  });

  const inSchema = (schema: string, database = 'shop') => ({ privileges: [Privileges.onSchema({ database, schema })] });

  test('comes before those who are granted something in it, wherever it is declared', () => {
    const before = iamAuth.addUser('before', inSchema('sales'));
    const made = iamAuth.addRole('owner', owner());
    const after = [iamAuth.addUser('after', inSchema('sales')), iamAuth.addUsers('Users', { usernames: ['one'], ...inSchema('sales') })];
    const others = [iamAuth.addUser('other', inSchema('stock')), iamAuth.addUser('elsewhere', inSchema('sales', 'stock'))];
    expect([before, ...after].map(construct => resourceOf(construct).DependsOn)).toEqual(Array(3).fill([idOf(made)]));
    expect([made, ...others].map(construct => resourceOf(construct).DependsOn)).toEqual(Array(3).fill(undefined));
  });

  test('does not come before those it waits for, nor before another stack', () => {
    const first = iamAuth.addUser('first', inSchema('sales'));
    iamAuth.addUser('second', { privileges: [...owner().privileges, Privileges.readOnly({ database: 'shop', objectsCreatedBy: [first] })] });
    const [a, b] = [iamAuth.addUser('a', owner('stock', 'a')), iamAuth.addUser('b', owner('stock', 'b'))];
    a.addPrivileges(...inSchema('b', 'stock').privileges);
    b.addPrivileges(...inSchema('a', 'stock').privileges);
    const apps = new Stack(app, 'Apps');
    new DatabaseUser(apps, 'User', { iamAuth, username: 'app', ...owner('shop', 'apps') });
    const reader = iamAuth.addUser('reader', inSchema('apps'));
    app.synth();
    expect([first, a, b, reader].map(construct => resourceOf(construct).DependsOn)).toEqual(Array(4).fill(undefined));
    expect(stack.dependencies).not.toContain(apps);
  });

  test('is none of several users', () => {
    expect(() => iamAuth.addUsers('Users', { usernames: ['one'], ...owner() })).toThrow(new Error(
      '[Data/IamAuth/Users] schema "sales" of database "shop" is to be owned by several users, and a schema has one owner; let a DatabaseRole own it, and make the users members of that role',
    ));
  });
});

describe('the warning about objects of the future', () => {
  const ID = 'cdk-aurora-iam-auth:futureObjects';
  const textOf = (method: string, use: string, schemas = '"public"') => `${method} without objectsCreatedBy covers what exists at deployment in schema ${schemas} of database "shop", `
    + `and tables that are created later cannot be ${use} until a later deployment changes this construct; name the roles that create them, or pass an empty list to accept it [ack: ${ID}]`;
  const warnings = () => FoundAnnotations.fromStack(stack).findWarning('*', Match.anyValue()).map(({ id, entry }) => [id, entry.data]);

  test('is on each construct, once for each value', () => {
    const reader = Privileges.readOnly({ database: 'shop' });
    iamAuth.addUser('user', { privileges: [reader, reader, Privileges.readWrite({ database: 'shop', schemas: ['b', 'a'] })] });
    iamAuth.addUsers('Users', { usernames: ['one', 'two'], privileges: [reader] });
    iamAuth.addRole('role', { privileges: [reader] });
    expect(warnings()).toEqual([
      ['/Data/IamAuth/user', textOf('readOnly', 'read')],
      ['/Data/IamAuth/user', textOf('readWrite', 'read or written', '"b", "a"')],
      ['/Data/IamAuth/Users', textOf('readOnly', 'read')],
      ['/Data/IamAuth/role', textOf('readOnly', 'read')],
    ]);
  });

  test('is not there where it is settled who creates objects', () => {
    iamAuth.addUser('user', {
      privileges: [
        Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] }),
        Privileges.readWrite({ database: 'shop', objectsCreatedBy: [imported('migrator')] }),
        Privileges.onTables({ database: 'shop', schema: 'public', privileges: [TablePrivilege.SELECT] }),
      ],
    });
    expect(warnings()).toEqual([]);
  });

  test('can be acknowledged by its id', () => {
    Annotations.of(iamAuth).acknowledgeWarning(ID, 'the schema is finished');
    iamAuth.addUser('user', { privileges: [Privileges.readOnly({ database: 'shop' })] });
    expect(warnings()).toEqual([]);
  });
});
