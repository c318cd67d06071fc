import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AuroraIamAuth, DatabaseUser, SqlTransport } from '../../../lib';
import { scheduleExpression } from '../../../lib/provisioner/expiry-schedules';
import { findingsOf, Version } from '../checkers/cdk-nag';
import { findingsIn, quietApp } from '../checks/support';
import { newApp, newCluster, onlyResourceOf, reference, resourcesOf } from '../support';

const EXPIRES_AT = new Date('2095-01-31T12:00:00Z');
const PASSED = new Date('2026-01-31T12:00:00Z');

const warningsIn = (scope: Stack) =>
  Annotations.fromStack(scope)
    .findWarning('*', Match.anyValue())
    .map(({ entry }) => entry.data as string);

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
});

test('a schedule of CloudFormation calls one alias, in a group and with a role of its own', () => {
  iamAuth.addUser('auditor', { expiresAt: EXPIRES_AT });
  const [[alias, { Properties }]] = Object.entries(resourcesOf(stack, 'AWS::Lambda::Alias'));
  expect(Properties).toMatchObject({
    Name: 'expiry',
    FunctionVersion: '$LATEST',
    FunctionName: reference(/^IamAuthProvisionerHandler/),
  });
  const [[group]] = Object.entries(resourcesOf(stack, 'AWS::Scheduler::ScheduleGroup'));
  const schedule = onlyResourceOf(stack, 'AWS::Scheduler::Schedule');
  expect(schedule.Properties).toEqual({
    Description: 'Ends the access of Data/IamAuth/auditor',
    GroupName: { Ref: group },
    ScheduleExpression: 'cron(0 12 31 1 ? 2095,2196)',
    ScheduleExpressionTimezone: 'UTC',
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'NONE',
    Target: {
      Arn: { Ref: alias },
      RoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^IamAuthProvisionerExpiryRole/), 'Arn'] },
      Input: '{}',
    },
  });
  expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties).toMatchObject({
    ExpiresAt: '2095-01-31T12:00:00.000Z',
  });
});

test('the user comes after its schedule, which would otherwise be made after its only time', () => {
  iamAuth.addUser('auditor', { expiresAt: EXPIRES_AT });
  const [[schedule]] = Object.entries(resourcesOf(stack, 'AWS::Scheduler::Schedule'));
  expect(onlyResourceOf(stack, 'Custom::RdsIamUser').DependsOn).toContain(schedule);
});

test('the role may invoke that alias and nothing else, and only schedules of the group may have it', () => {
  iamAuth.addUser('auditor', { expiresAt: EXPIRES_AT });
  const [[alias]] = Object.entries(resourcesOf(stack, 'AWS::Lambda::Alias'));
  const [[group]] = Object.entries(resourcesOf(stack, 'AWS::Scheduler::ScheduleGroup'));
  const [[roleId, role]] = Object.entries(resourcesOf(stack, 'AWS::IAM::Role')).filter(([id]) => id.includes('Expiry'));
  expect(role.Properties).toEqual({
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{
        Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'scheduler.amazonaws.com' },
        Condition: {
          StringEquals: {
            'aws:SourceAccount': { Ref: 'AWS::AccountId' },
            'aws:SourceArn': { 'Fn::GetAtt': [group, 'Arn'] },
          },
        },
      }],
    },
    Description: 'Lets schedules call the provisioner when the access of a user ends',
  });
  const policies = Object.values(resourcesOf(stack, 'AWS::IAM::ManagedPolicy')).filter(
    ({ Properties }) => JSON.stringify(Properties.Roles) === JSON.stringify([{ Ref: roleId }]),
  );
  expect(policies.map(({ Properties }) => (Properties.PolicyDocument as { Statement: unknown }).Statement))
    .toEqual([[{ Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: { Ref: alias } }]]);
  expect(
    Object.values(resourcesOf(stack, 'AWS::IAM::Policy')).filter(({ Properties }) =>
      JSON.stringify(Properties.Roles).includes(roleId),
    ),
  ).toEqual([]);
  expect(resourcesOf(stack, 'AWS::Lambda::Permission')).toEqual({});
});

test('users share alias, group and role; each resource has a schedule', () => {
  iamAuth.addUser('auditor', { expiresAt: EXPIRES_AT });
  iamAuth.addUser('guest', { expiresAt: new Date('2095-03-01T00:00:00Z') });
  iamAuth.addUsers('Team', { usernames: ['ann', 'bob'], expiresAt: EXPIRES_AT });
  const counts = ['AWS::Lambda::Alias', 'AWS::Scheduler::ScheduleGroup', 'AWS::Scheduler::Schedule'].map(
    type => Object.keys(resourcesOf(stack, type)).length,
  );
  expect(counts).toEqual([1, 1, 3]);
  expect(onlyResourceOf(stack, 'Custom::RdsIamUsers').Properties).toMatchObject({
    ExpiresAt: '2095-01-31T12:00:00.000Z',
  });
});

test('a user in another stack has the schedule there, with the provisioner of that stack', () => {
  const other = new Stack(app, 'Other');
  new DatabaseUser(other, 'Auditor', { iamAuth, username: 'auditor', expiresAt: EXPIRES_AT });
  expect(Object.keys(resourcesOf(other, 'AWS::Scheduler::Schedule'))).toHaveLength(1);
  expect(resourcesOf(stack, 'AWS::Scheduler::Schedule')).toEqual({});
});

test('an app without such a user has none of it', () => {
  iamAuth.addUser('orders');
  ['AWS::Lambda::Alias', 'AWS::Scheduler::ScheduleGroup', 'AWS::Scheduler::Schedule'].forEach(type =>
    expect(resourcesOf(stack, type)).toEqual({}),
  );
  expect(JSON.stringify(onlyResourceOf(stack, 'Custom::RdsIamUser'))).not.toContain('xpire');
});

test('through the Data API it is an alias of the function that answers CloudFormation', () => {
  const data = new Stack(app, 'DataApi');
  new AuroraIamAuth(data, 'IamAuth', {
    cluster: newCluster(data, 'Cluster', { enableDataApi: true }),
    transport: SqlTransport.dataApi(),
  }).addUser('auditor', { expiresAt: EXPIRES_AT });
  expect(onlyResourceOf(data, 'AWS::Lambda::Alias').Properties).toMatchObject({
    Name: 'expiry',
    FunctionName: reference(/^IamAuthProvisionerDataApi/),
  });
});

describe('the expression', () => {
  test.each([
    ['2027-01-31T12:00:00.000Z', 'cron(0 12 31 1 ? 2027,2196)'],
    ['2027-01-31T12:00:00.001Z', 'cron(1 12 31 1 ? 2027,2196)'],
    ['2027-12-31T23:59:30.000Z', 'cron(0 0 1 1 ? 2028,2196)'],
    ['2028-02-29T00:05:00.000Z', 'cron(5 0 29 2 ? 2028,2196)'],
    ['1970-01-01T00:00:00.000Z', 'cron(0 0 1 1 ? 1970,2196)'],
  ])('%s: %s, which is not before it and has a next time', (time, expression) => {
    expect(scheduleExpression(new Date(time))).toBe(expression);
  });
});

describe('a time', () => {
  const add = (expiresAt: unknown) => () => iamAuth.addUser('auditor', { expiresAt: expiresAt as Date });

  test('in the past is a warning, and the template is the same', () => {
    iamAuth.addUser('auditor', { expiresAt: PASSED });
    expect(warningsIn(stack)).toEqual([
      expect.stringContaining(
        'expiresAt 2026-01-31T12:00:00.000Z of "auditor" has passed, so that they are created without access, and lose it where they have it; '
        + 'pass a later time, or take the user out [ack: cdk-aurora-iam-auth:expired]',
      ),
    ]);
    expect(onlyResourceOf(stack, 'AWS::Scheduler::Schedule').Properties).toMatchObject({
      ScheduleExpression: 'cron(0 12 31 1 ? 2026,2196)',
    });
  });

  test('of a list is one warning with the first names', () => {
    iamAuth.addUsers('Team', { usernames: ['ann', 'bob', 'eva', 'joe', 'kim'], expiresAt: PASSED });
    expect(warningsIn(stack)).toEqual([expect.stringContaining('of "ann", "bob", "eva" and 2 more has passed')]);
  });

  test('in the future is none', () => {
    iamAuth.addUser('auditor', { expiresAt: EXPIRES_AT });
    expect(warningsIn(stack)).toEqual([]);
  });

  test.each([
    ['2027-01-31',
      'expiresAt is "2027-01-31", and must be a time; pass a Date, such as new Date(\'2027-01-31T12:00:00Z\')'],
    [1801396800000,
      "expiresAt is 1801396800000, and must be a time; pass a Date, such as new Date('2027-01-31T12:00:00Z')"],
    [null, 'expiresAt is null, and must be a time; pass a Date, such as new Date(\'2027-01-31T12:00:00Z\')'],
    [new Date('never'), 'expiresAt is not a time; pass a Date, such as new Date(\'2027-01-31T12:00:00Z\')'],
    [new Date('1969-12-31T23:59:59.999Z'),
      'expiresAt 1969-12-31T23:59:59.999Z is not allowed: EventBridge Scheduler takes the years from 1970 to 2195; leave it out for a user whose access does not end'],
    [new Date('2196-01-01T00:00:00Z'),
      'expiresAt 2196-01-01T00:00:00.000Z is not allowed: EventBridge Scheduler takes the years from 1970 to 2195; leave it out for a user whose access does not end'],
  ])('%s is refused', (expiresAt, message) => {
    expect(add(expiresAt)).toThrow(`[Data/IamAuth/auditor] ${message}`);
  });

  test.each(['1970-01-01T00:00:00.000Z', '2195-12-31T23:59:00.000Z'])('%s is taken', (time) => {
    expect(add(new Date(time))).not.toThrow();
  });
});

test.each<Version>([2, 3])('is no finding of cdk-nag %i that is not acknowledged', (version) => {
  iamAuth.addUser('auditor', { expiresAt: EXPIRES_AT });
  expect(
    findingsOf(version, app).filter(({ path, acknowledged }) => /Alias|Expiry/.test(path) && !acknowledged),
  ).toEqual([]);
});

test('is no finding of the checks of this library', () => {
  const checked = quietApp();
  const data = new Stack(checked, 'Data');
  const auth = new AuroraIamAuth(data, 'IamAuth', {
    cluster: newCluster(data, 'Cluster', { cloudwatchLogsExports: ['iam-db-auth-error'] }),
  });
  auth.addUser('orders');
  const before = findingsIn(checked);
  const again = quietApp();
  const other = new Stack(again, 'Data');
  new AuroraIamAuth(other, 'IamAuth', {
    cluster: newCluster(other, 'Cluster', { cloudwatchLogsExports: ['iam-db-auth-error'] }),
  }).addUser('orders', { expiresAt: EXPIRES_AT });
  expect(findingsIn(again)).toEqual(before);
});
