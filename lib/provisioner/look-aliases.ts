import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledge, SCHEDULE_WITHOUT_DEAD_LETTER_QUEUE } from './acknowledgements';
import { DRIFT_ALIAS, EXPIRY_ALIAS, PLAN_ALIAS } from '../contract/wire';
import { errorAt } from '../model/errors';
import { requireAction, shown } from '../model/types';
import type { CheckDriftOptions } from '../provisioner-options';

/** What the function does when it is called by an alias, and nothing else. The ids are permanent. */
const ALIASES = {
  plan: { id: 'PlanAlias', aliasName: PLAN_ALIAS, description: 'Says what events would execute, and executes nothing' },
  drift: {
    id: 'DriftAlias',
    aliasName: DRIFT_ALIAS,
    description: 'Compares what is declared with the database, and changes nothing',
  },
  expiry: {
    id: 'ExpiryAlias',
    aliasName: EXPIRY_ALIAS,
    description: 'Ends the access of users whose time is over, and changes nothing else',
  },
} as const;

const SCHEDULE_ID = 'DriftSchedule';
const ALARM_ID = 'RolesDrifted';

/**
 * An alias of the latest version: there is no version to publish, and none that a deployment leaves behind.
 *
 * @see https://github.com/aws/aws-cdk/issues/2776
 */
export function handlerAlias(scope: Construct, handler: lambda.IFunction, purpose: keyof typeof ALIASES): lambda.Alias {
  const { id, ...alias } = ALIASES[purpose];
  return (
    (scope.node.tryFindChild(id) as lambda.Alias | undefined)
    ?? new lambda.Alias(scope, id, { ...alias, version: handler.latestVersion })
  );
}

/** Compares at these times, and raises an alarm until the next comparison finds no difference. */
export function scheduleDrift(
  scope: Construct,
  alias: lambda.Alias,
  driftedRoles: cloudwatch.Metric,
  { schedule, action }: CheckDriftOptions,
): cloudwatch.Alarm {
  if (scope.node.tryFindChild(SCHEDULE_ID)) {
    throw errorAt(
      scope,
      'checkDrift() is called for the second time, and one schedule compares all roles of a stack; keep one of the calls',
    );
  }
  requireAction(scope, action);
  if (typeof (schedule as Partial<events.Schedule> | undefined)?.expressionString !== 'string') {
    throw errorAt(
      scope,
      `schedule is ${shown(schedule)}, and must be a schedule; pass events.Schedule.cron({ hour: '6', minute: '0' }), or another one`,
    );
  }
  const retries = { retryAttempts: 2, maxEventAge: Duration.hours(1) };
  const rule = new events.Rule(scope, SCHEDULE_ID, {
    description: 'Compares PostgreSQL roles with what is declared',
    schedule,
    targets: [new targets.LambdaFunction(alias, { event: events.RuleTargetInput.fromObject({}), ...retries })],
  });
  acknowledge(rule, SCHEDULE_WITHOUT_DEAD_LETTER_QUEUE);
  const alarm = new cloudwatch.Alarm(scope, ALARM_ID, {
    metric: driftedRoles,
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: cloudwatch.TreatMissingData.IGNORE,
    alarmDescription:
      'warning: PostgreSQL roles are not as they are declared. The log of the provisioner has the differences in lines with the notice "drift"; '
      + 'the next deployment that touches a user takes them back',
  });
  if (action) {
    alarm.addAlarmAction(action);
  }
  return alarm;
}
