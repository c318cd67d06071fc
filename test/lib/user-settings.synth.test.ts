import { App, CfnParameter, Duration, Lazy, Stack } from 'aws-cdk-lib';
import { AuroraIamAuth, DatabaseRole, DatabaseRoleProps, DatabaseUserSettings, Privileges } from '../../lib';
import { logicalIdOf, newApp, newCluster, Resource, resourcesOf } from './support';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
});

let users = 0;
/** The resource of a user with these settings. */
function resourceWith(settings: DatabaseUserSettings & { readonly privileges?: Privileges[] }): Resource {
  const user = iamAuth.addUser(`user${users++}`, settings);
  return resourcesOf(stack)[logicalIdOf(user.node.findChild('Resource'))];
}

const declare = (settings: unknown) => () => iamAuth.addUser(`user${users++}`, settings as DatabaseUserSettings);

describe('the settings of a user', () => {
  test('are in its resource, sorted, and in its metadata in words', () => {
    const owner = iamAuth.addRole('Owner');
    const { Properties, Metadata } = resourceWith({
      connectionLimit: 20,
      searchPath: ['$user', 'A b'],
      statementTimeout: Duration.seconds(30),
      idleInTransactionTimeout: Duration.minutes(1),
      settings: { work_mem: '64MB', DateStyle: 'ISO, DMY', temp_tablespaces: 'fast, Slow' },
      setRoleAtLogin: owner,
      privileges: [Privileges.memberOf(owner)],
    });
    expect(JSON.stringify(Properties.Settings)).toBe(JSON.stringify({
      ConnectionLimit: '20',
      Parameters: {
        datestyle: 'ISO, DMY',
        idle_in_transaction_session_timeout: '60000ms',
        search_path: ['$user', 'A b'],
        statement_timeout: '30000ms',
        temp_tablespaces: ['fast', 'Slow'],
        work_mem: '64MB',
      },
      RoleAtLogin: 'Owner',
    }));
    expect(Metadata!.Access).toEqual([
      'sign-in by no identity in this app',
      'member of Owner',
      'acts as "Owner" from its sign-in on',
      '20 connections at most',
      'datestyle = ISO, DMY',
      'idle_in_transaction_session_timeout = 60000ms',
      'search_path = "$user", "A b"',
      'statement_timeout = 30000ms',
      'temp_tablespaces = fast, "Slow"',
      'work_mem = 64MB',
      'shop: CONNECT',
    ]);
  });

  test.each<[string, DatabaseUserSettings]>([
    ['nothing', {}],
    ['an empty map', { settings: {} }],
    ['undefined', { connectionLimit: undefined, searchPath: undefined }],
  ])('are no property where they are %s', (_, settings) => {
    expect(resourceWith(settings).Properties).not.toHaveProperty('Settings');
  });

  test('are the same for all users of a list', () => {
    iamAuth.addUsers('Team', { usernames: ['ada', 'grace'], connectionLimit: 1 });
    expect(
      Object.values(resourcesOf(stack, 'Custom::RdsIamUsers')).map(({ Properties }) => Properties.Settings),
    ).toEqual([{ ConnectionLimit: '1' }]);
  });

  test('may be no limit of time, and known at the deployment only', () => {
    const value = new CfnParameter(stack, 'WorkMem').valueAsString;
    expect(
      resourceWith({ statementTimeout: Duration.millis(0), settings: { work_mem: value }, searchPath: [value] })
        .Properties.Settings,
    ).toEqual({
      Parameters: { search_path: [{ Ref: 'WorkMem' }], statement_timeout: '0ms', work_mem: { Ref: 'WorkMem' } },
    });
  });

  test.each<[string, unknown]>([
    ['connection limit "0" is not allowed: it is not a whole number from 1 to 2147483647; correct it, or leave it out for no limit',
      { connectionLimit: 0 }],
    ['connection limit "2147483648" is not allowed', { connectionLimit: 2_147_483_648 }],
    ['connection limit "1.5" is not allowed', { connectionLimit: 1.5 }],
    ['connection limit "NaN" is not allowed', { connectionLimit: NaN }],
    ['connectionLimit is "5", and must be a number; pass a number', { connectionLimit: '5' }],
    ['connectionLimit is a token, and must be known at synthesis; pass a number',
      { connectionLimit: Lazy.number({ produce: () => 5 }) }],
    ['statementTimeout 25 days is not allowed: PostgreSQL takes at most 2147483647 milliseconds, which are 24 days; shorten it, or pass Duration.millis(0) for no limit',
      { statementTimeout: Duration.days(25) }],
    ['idleInTransactionTimeout is a token, and the length of a timeout must be known at synthesis; pass a Duration with a number',
      { idleInTransactionTimeout: Duration.seconds(Lazy.number({ produce: () => 5 })) }],
    ['value of parameter "search_path" [] is not allowed: it is empty; name at least one, or leave the parameter out',
      { searchPath: [] }],
    ['value of parameter "search_path" "" is not allowed: it has not 1 to 63 bytes of UTF-8; correct it',
      { searchPath: ['app', ''] }],
    ['the value of parameter "search_path" is "app", and must be a list; pass ["app"]', { searchPath: 'app' }],
    ['an element of parameter "search_path" is 1, and must be a text', { searchPath: [1] }],
    ['the value of parameter "work_mem" is 64, and must be a text', { settings: { work_mem: 64 } }],
    ['value of parameter "work_mem" "a\\u0000" is not allowed: it contains a control character; use printable characters only',
      { settings: { work_mem: 'a\u0000' } }],
    ['parameter "search_path" is not allowed in settings: it has an option of its own; pass searchPath instead',
      { settings: { search_path: 'app' } }],
    ['parameter "Statement_Timeout" is not allowed in settings: it has an option of its own; pass statementTimeout instead',
      { settings: { Statement_Timeout: '1' } }],
    ['parameter "role" is not allowed: it changes who the session is; leave it out; to act as a group role, pass setRoleAtLogin',
      { settings: { Role: 'owner' } }],
    ['parameter "session_authorization" is not allowed: it changes who the session is',
      { settings: { session_authorization: 'postgres' } }],
    ['parameter "log_statement" is not allowed: it changes what a session may do or what is recorded of it, and PostgreSQL leaves it to superusers; '
      + 'leave it out, or set it in the parameter group of the database',
    { settings: { log_statement: 'none' } }],
    ['parameter "work_mem; drop" is not allowed: the name of a parameter has letters',
      { settings: { 'work_mem; DROP': '1' } }],
    ['parameter "WORK_MEM" is not allowed: it is in settings more than once, and upper case makes no other name; remove the duplicate',
      { settings: { work_mem: '1MB', WORK_MEM: '2MB' } }],
    ['value of parameter "temp_tablespaces" "" is not allowed', { settings: { temp_tablespaces: 'a,,b' } }],
  ])('are refused: %s', (message, settings) => {
    expect(declare(settings)).toThrow(message);
  });

  test('are at their limits', () => {
    const { Settings } = resourceWith({
      connectionLimit: 2_147_483_647,
      statementTimeout: Duration.millis(2_147_483_647),
    }).Properties;
    expect(Settings).toEqual({ ConnectionLimit: '2147483647', Parameters: { statement_timeout: '2147483647ms' } });
    expect(declare({ statementTimeout: Duration.millis(2_147_483_648) })).toThrow('PostgreSQL takes at most');
  });

  test('are none of a group role, and the reason says why', () => {
    const props = { iamAuth, roleName: 'readers', connectionLimit: 5, searchPath: ['app'] } as DatabaseRoleProps;
    expect(() => new DatabaseRole(stack, 'Readers', props)).toThrow(
      '[Data/Readers] settings ConnectionLimit, Parameters are of a group role, and members do not inherit the settings of a group role, '
      + 'which has no sessions of its own; pass them to the users that are its members',
    );
  });
});

describe('the role at login', () => {
  test('is deployed before its users, and is one that they are members of by the end of the synthesis', () => {
    const owner = iamAuth.addRole('owner');
    const user = iamAuth.addUser('migrator', { setRoleAtLogin: owner });
    expect(() => app.synth()).toThrow(
      'setRoleAtLogin "owner" is a role that it is not a member of, and only a member can act as a role; add Privileges.memberOf(...) of it to its privileges',
    );
    user.addPrivileges(Privileges.memberOf(owner));
    expect(resourcesOf(stack)[logicalIdOf(user.node.findChild('Resource'))].DependsOn).toEqual([
      logicalIdOf(owner.node.findChild('Resource')),
    ]);
  });

  test('is a group role of this app, and none that is managed elsewhere or a user', () => {
    const refused = (name: string) =>
      `setRoleAtLogin "${name}" is no group role of this app, so that what its sessions may do is not known here; pass a DatabaseRole`;
    expect(declare({ setRoleAtLogin: DatabaseRole.fromRoleName(stack, 'Theirs', 'rds_superuser') })).toThrow(
      refused('rds_superuser'),
    );
    expect(declare({ setRoleAtLogin: iamAuth.addUser('ada') })).toThrow(refused('ada'));
    const other = new AuroraIamAuth(stack, 'Other', { cluster: newCluster(stack, 'OtherCluster') });
    expect(declare({ setRoleAtLogin: other.addRole('owner') })).toThrow(
      'role name "owner" is a role of another database',
    );
  });

  test('owns what its users create, so that it is the one in objectsCreatedBy', () => {
    const owner = iamAuth.addRole('owner');
    const migrator = iamAuth.addUser('migrator', { setRoleAtLogin: owner, privileges: [Privileges.memberOf(owner)] });
    const team = iamAuth.addUsers('Team', {
      usernames: ['ada'],
      setRoleAtLogin: owner,
      privileges: [Privileges.memberOf(owner)],
    });
    for (const creator of [migrator, team.user('ada')]) {
      expect(declare({ privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [creator] })] })).toThrow(
        `role name "${creator.username}" is in objectsCreatedBy, and its sessions act as "owner" (setRoleAtLogin), which owns what they create; name that role instead`,
      );
    }
    expect(
      declare({ privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [owner] })] }),
    ).not.toThrow();
  });
});
