import { configFile, credentialsFile, profileNames } from '../../rehearsal/local/aws-files';
import { chooseEndpoint, chooseSignIn } from '../../rehearsal/local/choices';
import { environmentFile, environmentOfCommand, quoted } from '../../rehearsal/local/client-environment';
import { tokenLifetime } from '../../rehearsal/local/token-lifetime';

describe('the lifetime of tokens', () => {
  test.each([['1s', 1], ['20s', 20], ['900s', 900], ['1m', 60], ['15m', 900]])('%s', (text, seconds) => {
    expect(tokenLifetime(text)).toBe(seconds);
  });

  test.each(['0s', '901s', '16m', '20', '', '-1s', '1.5s', '20 s', '1h'])('refuses %j', (text) => {
    expect(() => tokenLifetime(text)).toThrow(
      `--token-lifetime ${text}: it is from 1s to 15m, the lifetime on AWS; write seconds or minutes, such as 20s`,
    );
  });
});

describe('profiles', () => {
  test('have names that all SDKs read, each once', () => {
    expect(profileNames(['Orders', 'Shop/ada role', 'Shop/ada.role', 'a/b', 'a b', 'a-b'])).toEqual([
      'Orders',
      'Shop-ada-role',
      'Shop-ada.role',
      'a-b',
      'a-b-2',
      'a-b-3',
    ]);
  });

  test('are written as the AWS SDKs read them', () => {
    const profiles = [
      { name: 'one', credentials: { accessKeyId: 'A', secretAccessKey: 'B', sessionToken: 'C' } },
      { name: 'two', credentials: { accessKeyId: 'D', secretAccessKey: 'E', sessionToken: 'F' } },
    ];
    expect(credentialsFile(profiles)).toBe(
      '[one]\naws_access_key_id = A\naws_secret_access_key = B\naws_session_token = C\n\n[two]\naws_access_key_id = D\naws_secret_access_key = E\naws_session_token = F\n',
    );
    expect(configFile(profiles, 'eu-west-1')).toBe(
      '[profile one]\nregion = eu-west-1\n\n[profile two]\nregion = eu-west-1\n',
    );
  });
});

describe('the environment', () => {
  const caller = {
    PATH: '/bin',
    HOME: '/root',
    PGHOST: 'elsewhere',
    PGPASSWORD: 'x',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_ENDPOINT_URL: 'x',
    PAGER: 'less',
    MY_PGHOST: 'x',
  };

  test('of a command has nothing of the caller that leads elsewhere', () => {
    expect(environmentOfCommand(caller, { PGHOST: 'localhost' })).toEqual({
      PATH: '/bin',
      HOME: '/root',
      PAGER: 'less',
      MY_PGHOST: 'x',
      PGHOST: 'localhost',
    });
  });

  test('of a shell is quoted', () => {
    expect(quoted("o'brien $HOME `id`")).toBe("'o'\\''brien $HOME `id`'");
    expect(environmentFile({ PGUSER: "o'brien" })).toMatch(/\nexport PGUSER='o'\\''brien'\n$/);
  });
});

describe('the endpoint', () => {
  const database = { name: 'Cluster', kind: 'database' as const };
  const replica = { name: 'Replica', kind: 'replica' as const };
  const other = { name: 'Other', kind: 'database' as const };

  test('is the only database, whatever else there is', () => {
    expect(chooseEndpoint([replica, database])).toBe(database);
  });

  test('is the one that is named', () => {
    expect(chooseEndpoint([replica, database, other], 'Replica')).toBe(replica);
  });

  test('must be named where there are several databases', () => {
    expect(() => chooseEndpoint([database, replica, other])).toThrow(
      'the app has 2 databases with users, and a command is led to one; name one of Cluster, Replica, Other with --endpoint',
    );
  });
});

describe('who signs in', () => {
  const roles = [
    { name: 'ada-role', roleName: 'ada role', users: ['ada'] },
    { name: 'Service', roleName: 'Service', users: ['orders', 'reports'] },
    { name: 'Visitor', roleName: 'Visitor', users: [] },
  ];
  const users = ['ada', 'orders', 'reports'];

  test.each<[string, object, object]>([
    ['nothing where several are possible', {}, { user: undefined, role: undefined }],
    ['the role of a user', { user: 'orders' }, { user: 'orders', role: 'Service' }],
    ['the user of a role', { role: 'ada-role' }, { user: 'ada', role: 'ada-role' }],
    ['a role by its path', { role: 'ada role' }, { user: 'ada', role: 'ada-role' }],
    ['no user of a role that has several', { role: 'Service' }, { user: undefined, role: 'Service' }],
    ['both as asked for, also what is not allowed', { user: 'ada', role: 'Visitor' }, { user: 'ada', role: 'Visitor' }],
  ])('chooses %s', (_name, asked, chosen) => {
    expect(chooseSignIn(roles, users, asked)).toEqual(chosen);
  });

  test('is the only user, although no role may sign in as it', () => {
    expect(chooseSignIn([roles[2]], ['ada'], {})).toEqual({ user: 'ada', role: undefined });
  });
});
