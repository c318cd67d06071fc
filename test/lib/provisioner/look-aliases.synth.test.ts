import { App, Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AuroraIamAuth } from '../../../lib';
import { findingsOf, Version } from '../checkers/cdk-nag';
import { newApp, newCluster, onlyResourceOf, reference, resourcesOf } from '../support';

let app: App;
let stack: Stack;
let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
  iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
  iamAuth.addUser('orders');
});

const schedule = events.Schedule.cron({ hour: '6', minute: '0' });
const granted = (role: iam.Role) =>
  stack.resolve((role.node.findChild('DefaultPolicy') as iam.Policy).document) as { Statement: unknown[] };

describe.each(['Plan', 'Drift'] as const)('grant%s', (name) => {
  test('allows an alias alone, of the latest version of the function', () => {
    const role = new iam.Role(stack, 'Auditor', { assumedBy: new iam.AccountRootPrincipal() });
    iamAuth[`grant${name}`](role);
    iamAuth[`grant${name}`](role);
    const [[logicalId, alias]] = Object.entries(resourcesOf(stack, 'AWS::Lambda::Alias'));
    expect(alias.Properties).toMatchObject({
      Name: name.toLowerCase(),
      FunctionVersion: '$LATEST',
      FunctionName: reference(/^IamAuthProvisionerHandler/),
    });
    expect(granted(role).Statement).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: { Ref: logicalId } },
    ]);
  });
});

test('an app that asks for neither has no alias', () => {
  expect(resourcesOf(stack, 'AWS::Lambda::Alias')).toEqual({});
});

describe('checkDrift', () => {
  test('calls the alias at these times, with an event that asks for nothing', () => {
    iamAuth.checkDrift({ schedule });
    const [[logicalId]] = Object.entries(resourcesOf(stack, 'AWS::Lambda::Alias'));
    expect(onlyResourceOf(stack, 'AWS::Events::Rule').Properties).toMatchObject({
      ScheduleExpression: 'cron(0 6 * * ? *)', State: 'ENABLED',
      Targets: [
        {
          Arn: { Ref: logicalId },
          Input: '{}',
          RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 2 },
        },
      ],
    });
    expect(onlyResourceOf(stack, 'AWS::Lambda::Permission').Properties).toMatchObject({
      Action: 'lambda:InvokeFunction',
      FunctionName: { Ref: logicalId },
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': [expect.stringMatching(/^IamAuthProvisionerDriftSchedule/), 'Arn'] },
    });
  });

  test('raises an alarm while a role is not as it is declared, until the next check', () => {
    iamAuth.checkDrift({ schedule, action: new SnsAction(new sns.Topic(stack, 'Topic')) });
    expect(onlyResourceOf(stack, 'AWS::Logs::MetricFilter').Properties).toMatchObject({
      FilterPattern: '{ $.notice = "drift checked" }',
      MetricTransformations: [
        {
          MetricNamespace: 'cdk-aurora-iam-auth',
          MetricName: 'DriftedRoles',
          MetricValue: '$.driftedRoles',
          Dimensions: [{ Key: 'FunctionName', Value: '$.function' }],
        },
      ],
    });
    expect(onlyResourceOf(stack, 'AWS::CloudWatch::Alarm').Properties).toMatchObject({
      Namespace: 'cdk-aurora-iam-auth',
      MetricName: 'DriftedRoles',
      Statistic: 'Maximum',
      Threshold: 1,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'ignore',
      AlarmActions: [reference(/^Topic/)],
    });
  });

  test('is called once', () => {
    iamAuth.checkDrift({ schedule });
    expect(() => iamAuth.checkDrift({ schedule })).toThrow(
      '[Data/IamAuth/Provisioner] checkDrift() is called for the second time, and one schedule compares all roles of a stack; keep one of the calls',
    );
  });

  test.each<Version>([2, 3])('with an action is no finding of cdk-nag %i that is not acknowledged', (version) => {
    iamAuth.checkDrift({ schedule, action: new SnsAction(new sns.Topic(stack, 'Topic')) });
    iamAuth.grantPlan(new iam.Role(stack, 'Auditor', { assumedBy: new iam.AccountRootPrincipal() }));
    expect(
      findingsOf(version, app).filter(({ path, acknowledged }) => /Alias|Drift/.test(path) && !acknowledged),
    ).toEqual([]);
  });
});
