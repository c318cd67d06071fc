import { AwsService, failure } from '../cloudformation/aws-endpoint';
import { Authorize } from '../cloudformation/secrets-manager';

interface Query {
  readonly Id: string;
  readonly MetricStat?: {
    readonly Metric: { readonly MetricName: string; readonly Dimensions?: { readonly Value: string }[] };
  };
}

export interface CloudWatchState {
  readonly authorize: Authorize;
  /** Sum of a metric of an instance in the time that is asked about. */
  readonly sum: (metric: string, instance: string) => number;
  /** Records of a log group; undefined if there is no such group. */
  readonly log: (group: string) => readonly { readonly at: Date; readonly text: string }[] | undefined;
}

const denied = (action: string) =>
  failure(
    400,
    'AccessDeniedException',
    `User is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`,
  );

/**
 * GetMetricData of metrics of instances, without a page after the first.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
export function cloudWatchApi({ authorize, sum }: CloudWatchState): AwsService {
  return ({ target, accessKeyId, body }) => {
    if (target !== 'GraniteServiceVersion20100801.GetMetricData') {
      return undefined;
    }
    if (!authorize(accessKeyId, 'cloudwatch:GetMetricData', '*')) {
      return denied('cloudwatch:GetMetricData');
    }
    const { MetricDataQueries } = JSON.parse(body) as { MetricDataQueries: Query[] };
    return {
      status: 200,
      body: {
        MetricDataResults: MetricDataQueries.map(({ Id, MetricStat }) => {
          const { MetricName, Dimensions = [] } = MetricStat!.Metric;
          const value = sum(MetricName, Dimensions[0].Value);
          // Where there was nothing there is no value.
          return {
            Id,
            StatusCode: 'Complete',
            Values: value === 0 ? [] : [value],
            Timestamps: value === 0 ? [] : [Math.floor(Date.now() / 1000)],
          };
        }),
      },
    };
  };
}

/**
 * FilterLogEvents of one page, without a filter.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
 */
export function cloudWatchLogsApi(
  { authorize, log }: CloudWatchState,
  arnOf: (group: string, region: string) => string,
): AwsService {
  return ({ target, accessKeyId, region, body }) => {
    if (target !== 'Logs_20140328.FilterLogEvents') {
      return undefined;
    }
    const { logGroupName, startTime = 0 } = JSON.parse(body) as { logGroupName: string; startTime?: number };
    if (!authorize(accessKeyId, 'logs:FilterLogEvents', arnOf(logGroupName, region))) {
      return denied('logs:FilterLogEvents');
    }
    const records = log(logGroupName);
    return records === undefined
      ? failure(400, 'ResourceNotFoundException', 'The specified log group does not exist.')
      : {
          status: 200,
          body: {
            events: records
              .filter(({ at }) => at.getTime() >= startTime)
              .map(({ at, text }) => ({ timestamp: at.getTime(), message: text })),
          },
        };
  };
}
