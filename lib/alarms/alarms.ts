import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { instancesOf, type OverInstances, type SignInMetric, signInMetric } from './sign-in-metrics';
import type { Database } from '../database/database';
import { errorAt } from '../model/errors';
import { requireAction } from '../model/types';
import type { IProvisioner } from '../provisioner-interface';

interface Threshold {
  /** Permanent: the id of the alarm. */
  readonly id: string;
  /** Whether an operator has to act now. */
  readonly severity: 'critical' | 'warning';
  /** The alarm is raised by this number or a larger one in one period. */
  readonly threshold: number;
  readonly period: Duration;
  /** What it means, and what to do. */
  readonly reason: string;
}

interface SignInThreshold extends Threshold {
  readonly metric: SignInMetric;
  readonly over: OverInstances;
}

const PERIOD = Duration.minutes(5);

/** A person who is refused tries a few times and asks; an application goes on. */
const REPEATED = 5;

export const SIGN_IN_THRESHOLDS: SignInThreshold[] = [
  {
    id: 'SignInsNotAllowed',
    severity: 'critical',
    metric: 'IamDbAuthConnectionFailureInsufficientPermissions',
    over: 'SUM',
    threshold: REPEATED,
    period: PERIOD,
    reason: 'IAM does not allow rds-db:connect to a principal that signs in with a token, again and again. '
      + 'The log iam-db-auth-error names the caller: see who may sign in with grantConnect',
  },
  {
    id: 'TokensRefused',
    severity: 'critical',
    metric: 'IamDbAuthConnectionFailureInvalidToken',
    over: 'SUM',
    threshold: REPEATED,
    period: PERIOD,
    reason: 'Tokens are expired or not signed for this host, port, user and Region, again and again. '
      + 'A connection pool that keeps its first token does this after 15 minutes',
  },
  {
    id: 'SignInsThrottled',
    severity: 'critical',
    metric: 'IamDbAuthConnectionFailureThrottling',
    over: 'SUM',
    threshold: 1,
    period: PERIOD,
    reason: 'RDS refuses sign-ins with a token because there are too many. '
      + 'Keep connections open, and use a token for several of them',
  },
  {
    // 200 in a second are taken: three quarters of that, for a whole minute.
    id: 'SignInsNearLimit',
    severity: 'warning',
    metric: 'IamDbAuthConnectionRequests',
    over: 'MAX',
    threshold: 9_001,
    period: Duration.minutes(1),
    reason: 'More than 9,000 sign-ins with a token in a minute, and RDS takes 200 in a second. '
      + 'Keep connections open, and use a token for several of them',
  },
];

export const PROVISIONER_THRESHOLD: Threshold = {
  id: 'ProvisionerFailed',
  severity: 'critical',
  threshold: 1,
  period: PERIOD,
  reason: 'A user or group role was not created, changed or removed as declared. '
    + 'Its log group has the reason in the line with the notice "failed"',
};

/** Of the construct that the alarms are below. Permanent. */
const ALARMS_ID = 'Alarms';

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html */
const MAX_METRICS = 10;

export interface AlarmsOptions {
  readonly database: Database;
  readonly provisioner?: IProvisioner;
  readonly action?: cloudwatch.IAlarmAction;
}

/** One alarm for each threshold, below a construct `Alarms`. */
export function addAlarms(scope: Construct, { database, provisioner, action }: AlarmsOptions): cloudwatch.Alarm[] {
  const { length } = instancesOf(scope, database);
  if (length > MAX_METRICS) {
    throw errorAt(scope, `${database.kind} ${database.construct.node.path} has ${length} instances, `
      + `and an alarm takes ${MAX_METRICS} metrics at the most; create alarms of your own from the metrics of AWS/RDS`);
  }
  requireAction(scope, action);
  if (scope.node.tryFindChild(ALARMS_ID)) {
    throw errorAt(
      scope,
      `id ${JSON.stringify(ALARMS_ID)} is taken here: addAlarms() was called before, or a user or role has it; `
      + 'keep one of the calls, or give the other one another id',
    );
  }
  const alarms = new Construct(scope, ALARMS_ID);
  const add = (metric: cloudwatch.IMetric, { id, severity, threshold, reason }: Threshold) => {
    const alarm = new cloudwatch.Alarm(alarms, id, {
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      alarmDescription: `${severity}: ${reason}`,
    });
    if (action) {
      alarm.addAlarmAction(action);
    }
    return alarm;
  };
  return [
    ...SIGN_IN_THRESHOLDS.map((row) => {
      const { metric, over, period } = row;
      return add(signInMetric(scope, database, metric, { period }, over), row);
    }),
    ...provisioner
      ? [add(provisioner.metricFailures({ period: PROVISIONER_THRESHOLD.period }), PROVISIONER_THRESHOLD)]
      : [],
  ];
}
