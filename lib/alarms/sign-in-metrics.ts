import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import type { Database } from '../database/database';
import { errorAt } from '../model/errors';
import { requireOptions } from '../model/types';

/**
 * What RDS counts of sign-ins with a token.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
export type SignInMetric
  = | 'IamDbAuthConnectionRequests'
    | 'IamDbAuthConnectionSuccess'
    | 'IamDbAuthConnectionFailure'
    | 'IamDbAuthConnectionFailureInvalidToken'
    | 'IamDbAuthConnectionFailureInsufficientPermissions'
    | 'IamDbAuthConnectionFailureThrottling'
    | 'IamDbAuthConnectionFailureServerError';

/** How the numbers of several instances become one. */
export type OverInstances = 'SUM' | 'MAX';

/**
 * A metric of the instances of a database. RDS counts by instance; that it counts by cluster as well is documented
 * nowhere.
 *
 * @throws if a cluster was imported without its instances
 */
export function signInMetric(
  scope: IConstruct, database: Database, metricName: SignInMetric, options: cloudwatch.MetricOptions = {},
  over: OverInstances = 'SUM',
): cloudwatch.IMetric {
  requireOptions(scope, 'options', options);
  const metrics = instancesOf(scope, database).map(instance => new cloudwatch.Metric({
    namespace: 'AWS/RDS',
    metricName,
    dimensionsMap: { DBInstanceIdentifier: instance },
    statistic: 'Sum',
    ...options,
  }));
  const { label = metricName, color, period } = options;
  return metrics.length === 1
    ? metrics[0]
    : new cloudwatch.MathExpression({
        expression: `${over}(METRICS())`,
        usingMetrics: Object.fromEntries(metrics.map((metric, index) => [`instance${index + 1}`, metric])),
        label,
        color,
        period,
      });
}

/** Identifiers of the instances that the app knows. */
export function instancesOf(scope: IConstruct, { kind, construct, resource, isBehindGateway }: Database): string[] {
  if (kind === 'instance') {
    return [(construct as rds.IDatabaseInstance).instanceIdentifier];
  }
  const instances = identifiersOf(construct as rds.IDatabaseCluster);
  if (instances.length === 0 && resource && isBehindGateway) {
    throw errorAt(scope, `cluster ${resource.node.path} has express configuration, and the app does not tell its `
      + 'instances, by which RDS counts sign-ins; create alarms of your own from the metrics of AWS/RDS');
  }
  if (instances.length === 0) {
    throw errorAt(scope, `cluster ${construct.node.path} was imported without its instances, by which RDS counts `
      + 'sign-ins; give instanceIdentifiers where it is imported');
  }
  return instances;
}

/** aws-cdk-lib throws for a cluster that was imported without them. */
function identifiersOf(cluster: rds.IDatabaseCluster): string[] {
  try {
    return cluster.instanceIdentifiers;
  } catch {
    return [];
  }
}
