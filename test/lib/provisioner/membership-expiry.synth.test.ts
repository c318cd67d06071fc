import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AuroraIamAuth, DatabaseRole, DatabaseUser, Privileges } from '../../../lib';
import { collectAccess } from '../../../lib/report/collect';
import { htmlOf } from '../../../lib/report/html';
import { markdownOf } from '../../../lib/report/markdown';
import { newApp, newCluster, onlyResourceOf, resourcesOf, templateOf } from '../support';

const EXPIRES_AT = new Date('2095-01-31T12:00:00Z');
const PASSED = new Date('2026-01-31T12:00:00Z');

const warningsIn = (scope: Stack) =>
  Annotations.fromStack(scope)
    .findWarning('*', Match.anyValue())
    .map(({ entry }) => entry.data as string);

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
let support: DatabaseRole;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
  support = iamAuth.addRole('support');
});

const scheduleOf = () => Object.entries(resourcesOf(stack, 'AWS::Scheduler::Schedule'));

test('has its time beside its name, and a schedule before it', () => {
  const readers = iamAuth.addRole('readers');
  iamAuth.addUser('ada', {
    privileges: [Privileges.memberOf(readers), Privileges.memberOf(support, { expiresAt: EXPIRES_AT })],
  });
  const { Properties, DependsOn } = onlyResourceOf(stack, 'Custom::RdsIamUser');
  expect(Properties).toMatchObject({
    MemberOf: ['readers', 'support'],
    MembershipExpiresAt: { support: '2095-01-31T12:00:00.000Z' },
  });
  expect(Properties).not.toHaveProperty('ExpiresAt');
  const [[id, schedule]] = scheduleOf();
  expect(DependsOn).toContain(id);
  expect(schedule.Properties).toMatchObject({
    Description: 'Ends the membership of Data/IamAuth/ada in support',
    ScheduleExpression: 'cron(0 12 31 1 ? 2095,2196)',
    ActionAfterCompletion: 'NONE',
    Target: { Input: '{}' },
  });
  expect(scheduleOf()).toHaveLength(1);
});

test('of several users, groups and lists: a schedule each, and one alias, group and role', () => {
  const team = iamAuth.addRole('team', { privileges: [Privileges.memberOf(support, { expiresAt: EXPIRES_AT })] });
  iamAuth.addUser('ada', {
    expiresAt: EXPIRES_AT,
    privileges: [
      Privileges.memberOf(support, { expiresAt: EXPIRES_AT }),
      Privileges.memberOf(team, { expiresAt: new Date('2095-03-01T00:00:00.5Z') }),
    ],
  });
  iamAuth
    .addUsers('Others', { usernames: ['bob', 'eva'] })
    .addPrivileges(Privileges.memberOf(support, { expiresAt: EXPIRES_AT }));
  const counts = ['AWS::Lambda::Alias', 'AWS::Scheduler::ScheduleGroup', 'AWS::Scheduler::Schedule'].map(
    type => Object.keys(resourcesOf(stack, type)).length,
  );
  expect(counts).toEqual([1, 1, 5]);
  expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties).toMatchObject({
    MembershipExpiresAt: { support: '2095-01-31T12:00:00.000Z', team: '2095-03-01T00:00:00.500Z' },
  });
  expect(onlyResourceOf(stack, 'Custom::RdsIamUsers').Properties).toMatchObject({
    MembershipExpiresAt: { support: '2095-01-31T12:00:00.000Z' },
  });
});

test('in another stack has the schedule there', () => {
  const elsewhere = new Stack(app, 'Other');
  new DatabaseUser(elsewhere, 'Ada', {
    iamAuth,
    username: 'ada',
    privileges: [Privileges.memberOf(support, { expiresAt: EXPIRES_AT })],
  });
  expect(Object.keys(resourcesOf(elsewhere, 'AWS::Scheduler::Schedule'))).toHaveLength(1);
  expect(resourcesOf(stack, 'AWS::Scheduler::Schedule')).toEqual({});
});

test('an app without one has none of it', () => {
  iamAuth.addUser('ada', { privileges: [Privileges.memberOf(support), Privileges.memberOf(support, {})] });
  ['AWS::Lambda::Alias', 'AWS::Scheduler::ScheduleGroup', 'AWS::Scheduler::Schedule'].forEach(type =>
    expect(resourcesOf(stack, type)).toEqual({}),
  );
  expect(JSON.stringify(onlyResourceOf(stack, 'Custom::RdsIamUser'))).not.toContain('xpire');
});

describe('a time', () => {
  test('in the past is a warning, and the template is the same', () => {
    iamAuth.addUser('ada', { privileges: [Privileges.memberOf(support, { expiresAt: PASSED })] });
    expect(warningsIn(stack)).toEqual([
      expect.stringContaining(
        'expiresAt 2026-01-31T12:00:00.000Z of the membership of "ada" in "support" has passed, so that it is not granted, and taken back where it is there; '
        + 'pass a later time, or take the membership out [ack: cdk-aurora-iam-auth:expired]',
      ),
    ]);
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties).toMatchObject({
      MemberOf: ['support'],
      MembershipExpiresAt: { support: '2026-01-31T12:00:00.000Z' },
    });
  });

  test.each([
    ['2095-01-31',
      'expiresAt is "2095-01-31", and must be a time; pass a Date, such as new Date(\'2027-01-31T12:00:00Z\')'],
    [new Date('2196-01-01T00:00:00Z'),
      'expiresAt 2196-01-01T00:00:00.000Z is not allowed: EventBridge Scheduler takes the years from 1970 to 2195; leave it out for a membership that does not end'],
  ])('%s is refused', (expiresAt, message) => {
    const add = () =>
      iamAuth.addUser('ada', { privileges: [Privileges.memberOf(support, { expiresAt: expiresAt as Date })] });
    expect(add).toThrow(`[Data/IamAuth/ada] ${message}`);
  });

  test.each<[Date | undefined, Date | undefined, string]>([
    [EXPIRES_AT, undefined, 'until 2095-01-31T12:00:00.000Z and without an end'],
    [undefined, EXPIRES_AT, 'without an end and until 2095-01-31T12:00:00.000Z'],
    [EXPIRES_AT, PASSED, 'until 2095-01-31T12:00:00.000Z and until 2026-01-31T12:00:00.000Z'],
  ])('%s beside %s is refused', (first, second, ends) => {
    const ada = iamAuth.addUser('ada', { privileges: [Privileges.memberOf(support, { expiresAt: first })] });
    expect(() => ada.addPrivileges(Privileges.memberOf(support, { expiresAt: second })))
      .toThrow(`[Data/IamAuth/ada] the membership in "support" is declared twice, ${ends}; declare it once`);
  });

  test('that is the same twice is one', () => {
    iamAuth.addUser('ada', {
      privileges: [
        Privileges.memberOf(support, { expiresAt: EXPIRES_AT }),
        Privileges.memberOf(support, { expiresAt: new Date(EXPIRES_AT) }),
      ],
    });
    expect(scheduleOf()).toHaveLength(1);
  });

  test('of a role whose name is not known is refused', () => {
    const unknown = DatabaseRole.fromRoleName(stack, 'Unknown', new CfnParameter(stack, 'Name').valueAsString);
    expect(() => Privileges.memberOf(unknown, { expiresAt: EXPIRES_AT })).toThrow(
      'role name is a token, and a key of the template must be known at synthesis; give the name itself',
    );
    expect(() => Privileges.memberOf(unknown)).not.toThrow();
  });

  test('of the role at login is refused', () => {
    iamAuth.addUser('ada', {
      setRoleAtLogin: support,
      privileges: [Privileges.memberOf(support, { expiresAt: EXPIRES_AT })],
    });
    expect(() => templateOf(stack)).toThrow(
      'setRoleAtLogin "support" is a role in which its membership ends (expiresAt), and each session would begin with a warning then; let one of the two go',
    );
  });
});

test('report, its pages and the metadata of the template have it', () => {
  const team = iamAuth.addRole('team', { privileges: [Privileges.memberOf(support, { expiresAt: EXPIRES_AT })] });
  iamAuth.addUser('ada', {
    privileges: [Privileges.memberOf(team), Privileges.memberOf(support, { expiresAt: PASSED })],
  });
  const report = collectAccess(stack);
  const [{ users: [ada], groups }] = report.servers;
  expect(ada.memberOf).toEqual([
    { role: 'support', through: [], expiresAt: '2026-01-31T12:00:00.000Z', expired: true },
    { role: 'team', through: [] },
  ]);
  expect(groups.find(({ name }) => name === 'team')?.memberOf).toEqual([
    { role: 'support', through: [], expiresAt: '2095-01-31T12:00:00.000Z' },
  ]);
  const [markdown, html] = [markdownOf(report), htmlOf(report)];
  expect(markdown).toContain('as a member of `support` (ended 2026-01-31T12:00:00Z):');
  expect(markdown).toContain('what `support` (ends 2095-01-31T12:00:00Z) may');
  expect(markdown).toContain('- **Membership has ended**: `ada in support`');
  expect(html).toContain('(ended 2026-01-31T12:00:00Z)');
  expect(html).toContain('(ends 2095-01-31T12:00:00Z)');
  const metadata = Object.values(
    templateOf(stack).toJSON().Resources as Record<string, { Type: string; Metadata?: { Access?: string[] } }>,
  )
    .filter(({ Type }) => Type.startsWith('Custom::'))
    .flatMap(({ Metadata }) => Metadata?.Access ?? []);
  expect(metadata).toEqual(
    expect.arrayContaining([
      'member of support (ended 2026-01-31T12:00:00Z)',
      'member of support (ends 2095-01-31T12:00:00Z)',
    ]),
  );
});
