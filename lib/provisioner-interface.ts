import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { CheckDriftOptions } from './provisioner-options';

/**
 * The Lambda function that creates the users of a stack, and what belongs to it: for alarms, dashboards and network
 * rules.
 *
 * There is one for each database in each stack that has users or group roles of it.
 *
 * `connections` has the security groups of the function, such as for an interface endpoint that lets in named groups
 * only. The rules to the database are there already. CDK's provider framework has a group of its own with
 * `frameworkInVpc`, which is not among them. With `SqlTransport.dataApi()` the function runs in no VPC, and
 * `connections` is an error.
 */
export interface IProvisioner extends ec2.IConnectable {
  /**
   * The function that executes the SQL. Over a connection, CDK's provider framework is another function, in front of
   * it.
   *
   * A principal that can change its code or its environment has the rights of the admin.
   */
  readonly function: lambda.IFunction;

  /**
   * The log group of all functions of the provisioner. Each line of `function` is a JSON object.
   *
   * @example
   * iamAuth.provisioner.logGroup.addMetricFilter('TriedAgain', {
   *   filterPattern: logs.FilterPattern.stringValue('$.notice', '=', 'trying again'),
   *   metricNamespace: 'Provisioner',
   *   metricName: 'TriedAgain',
   * });
   */
  readonly logGroup: logs.ILogGroup;

  /**
   * The number of invocations of the function that failed. It is the metric `Errors` of Lambda, by default the sum over
   * 5 minutes.
   *
   * Over a connection, each event that failed is one. With `SqlTransport.dataApi()` the function answers CloudFormation
   * itself, so that an event that failed and was answered is none: only those are that it could not answer.
   * `metricFailures()` counts the events that failed, over either transport.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
   * @param options properties of the metric, such as its period
   * @returns the metric
   */
  metricErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * How long the function took, in milliseconds. It is the metric `Duration` of Lambda, by default the average over
   * 5 minutes.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
   * @param options properties of the metric, such as its statistic
   * @returns the metric
   */
  metricDuration(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * The number of events that failed: a user or group role was not created, changed or removed as declared. By default
   * the sum over 5 minutes.
   *
   * It is made of the log: the first call adds a metric filter to `logGroup`, with the metric `Failures` in the
   * namespace `cdk-aurora-iam-auth`. CloudWatch charges for such a metric.
   *
   * @param options properties of the metric, such as its period
   * @returns the metric
   *
   * @example
   * const failures = iamAuth.provisioner.metricFailures();
   * failures.createAlarm(this, 'ProvisionerFailed', { threshold: 1, evaluationPeriods: 1 });
   */
  metricFailures(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * The number of roles that were found not to be as they are declared, by the last check of `checkDrift()`, or of
   * a principal with `grantDrift()`. By default the maximum over 5 minutes.
   *
   * It is made of the log: the first call adds a metric filter to `logGroup`, with the metric `DriftedRoles` in the
   * namespace `cdk-aurora-iam-auth`. CloudWatch charges for such a metric.
   *
   * @param options properties of the metric, such as its period
   * @returns the metric
   */
  metricDriftedRoles(options?: cloudwatch.MetricOptions): cloudwatch.Metric;

  /**
   * Lets a principal ask what a deployment would execute in the database: `cdk-aurora-iam-auth-cli plan`.
   *
   * The function gets an alias, `plan`, by which it executes nothing. The grant is for the alias alone. Who may plan
   * may read the names of roles, schemas and objects of the server, and who may do what with them, and how many
   * connections there are, but no data.
   *
   * @param grantee who may plan, such as the role of a pipeline
   * @returns the grant of `lambda:InvokeFunction` on the alias
   */
  grantPlan(grantee: iam.IGrantable): iam.Grant;

  /**
   * Lets a principal compare the roles of the server with what is declared: `cdk-aurora-iam-auth-cli drift`.
   *
   * The function gets an alias, `drift`, by which it changes nothing. The grant is for the alias alone. Who may compare
   * may read the names of roles, schemas and objects of the server, and who may do what with them, but no data.
   *
   * @param grantee who may compare, such as the role of an auditor
   * @returns the grant of `lambda:InvokeFunction` on the alias
   */
  grantDrift(grantee: iam.IGrantable): iam.Grant;

  /**
   * Compares the users and group roles of this stack with what is declared, at times of a schedule, and raises an alarm
   * while some are not as they are declared. Nothing is changed: the next deployment that touches a user takes the
   * differences back.
   *
   * Each difference is a line of the log with the notice `drift`. A check that could not be made is an error of the
   * function: `metricErrors()`.
   *
   * @param options the schedule, and what the alarm does
   * @returns the alarm
   */
  checkDrift(options: CheckDriftOptions): cloudwatch.Alarm;
}
