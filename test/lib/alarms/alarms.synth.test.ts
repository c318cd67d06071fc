import { App, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AddAlarmsOptions, AdminCredentials, AuroraIamAuth, InstanceIamAuth } from '../../../lib';
import { findingsOf, Version } from '../checkers/cdk-nag';
import { newApp, newCluster, newInstance, reference, resourcesOf, vpcOf } from '../support';

/**
 * What RDS counts, and the unit:
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
const METRICS = [
  'Requests', 'Success', 'Failure', 'FailureInvalidToken', 'FailureInsufficientPermissions', 'FailureThrottling',
  'FailureServerError',
] as const;

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

const withReaders = (count: number) => newCluster(stack, 'Cluster', {
  readers: Array.from({ length: count }, (_, n) => rds.ClusterInstance.serverlessV2(`reader${n}`)),
});

function iamAuthWith(cluster: rds.IDatabaseCluster = newCluster(stack)): AuroraIamAuth {
  const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
  iamAuth.addUser('app');
  return iamAuth;
}

const rendered = (metric: cloudwatch.IMetric) => metric.toMetricConfig();
const dimensionsOf = (metric: cloudwatch.IMetric) => stack.resolve(rendered(metric).metricStat?.dimensions) as unknown;

describe.each(METRICS)('metricIamDbAuthConnection%s', (name) => {
  const method = `metricIamDbAuthConnection${name}` as const;

  test('is the sum of a cluster with one instance, over 5 minutes', () => {
    expect(stack.resolve(rendered(iamAuthWith()[method]()).metricStat)).toMatchObject({
      namespace: 'AWS/RDS',
      metricName: `IamDbAuthConnection${name}`,
      statistic: 'Sum',
      period: { amount: 5, unit: { label: 'minutes' } },
      dimensions: [{ name: 'DBInstanceIdentifier', value: reference(/^Clusterwriter/) }],
    });
  });

  test('is that of an instance, with the options that are given', () => {
    const iamAuth = new InstanceIamAuth(stack, 'IamAuth', { instance: newInstance(stack) });
    iamAuth.addUser('app');
    expect(stack.resolve(rendered(iamAuth[method]({ statistic: 'max' })).metricStat)).toMatchObject({
      statistic: 'Maximum', dimensions: [{ name: 'DBInstanceIdentifier', value: reference(/^Instance/) }],
    });
  });

  test('is the sum of all instances of a cluster', () => {
    const { mathExpression } = rendered(iamAuthWith(withReaders(1))[method]());
    expect(mathExpression?.expression).toBe('SUM(METRICS())');
    expect(Object.values(mathExpression!.usingMetrics).map(dimensionsOf)).toEqual([
      [{ name: 'DBInstanceIdentifier', value: reference(/^Clusterwriter/) }],
      [{ name: 'DBInstanceIdentifier', value: reference(/^Clusterreader0/) }],
    ]);
  });
});

function importedCluster(instanceIdentifiers?: string[]): rds.IDatabaseCluster {
  return rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
    clusterIdentifier: 'shop',
    clusterResourceIdentifier: 'cluster-ABC',
    clusterEndpointAddress: 'shop.example.com',
    port: 5432,
    securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1')],
    instanceIdentifiers,
  });
}

describe('an imported cluster', () => {
  const iamAuthWithAdmin = (cluster: rds.IDatabaseCluster) => new AuroraIamAuth(stack, 'IamAuth', {
    cluster, vpc: vpcOf(stack), admin: AdminCredentials.fromIam('postgres'),
  });

  test('is counted by the instances that it was imported with', () => {
    const metric = iamAuthWithAdmin(importedCluster(['shop-1'])).metricIamDbAuthConnectionFailure();
    expect(dimensionsOf(metric)).toEqual([{ name: 'DBInstanceIdentifier', value: 'shop-1' }]);
  });

  test('without its instances is refused', () => {
    expect(() => iamAuthWithAdmin(importedCluster()).metricIamDbAuthConnectionFailure()).toThrow(
      'cluster Data/Imported was imported without its instances, by which RDS counts sign-ins; '
      + 'give instanceIdentifiers where it is imported',
    );
  });
});

describe('addAlarms', () => {
  const alarmsWith = (cluster?: rds.IDatabaseCluster, options?: AddAlarmsOptions) => {
    iamAuthWith(cluster).addAlarms(options);
    return Object.fromEntries(Object.entries(resourcesOf(stack, 'AWS::CloudWatch::Alarm'))
      .map(([id, { Properties }]) => [id.replace(/^IamAuthAlarms|[0-9A-F]{8}$/g, ''), Properties]));
  };

  test('has an alarm for each cause, with its threshold', () => {
    const alarms = alarmsWith();
    expect(Object.entries(alarms).map(([id, { Namespace, MetricName, Threshold, Period, Statistic }]) =>
      [id, Namespace, MetricName, Statistic, Threshold, Period])).toEqual([
      ['SignInsNotAllowed', 'AWS/RDS', 'IamDbAuthConnectionFailureInsufficientPermissions', 'Sum', 5, 300],
      ['TokensRefused', 'AWS/RDS', 'IamDbAuthConnectionFailureInvalidToken', 'Sum', 5, 300],
      ['SignInsThrottled', 'AWS/RDS', 'IamDbAuthConnectionFailureThrottling', 'Sum', 1, 300],
      ['SignInsNearLimit', 'AWS/RDS', 'IamDbAuthConnectionRequests', 'Sum', 9_001, 60],
      ['ProvisionerFailed', 'cdk-aurora-iam-auth', 'Failures', 'Sum', 1, 300],
    ]);
    Object.values(alarms).forEach(alarm => expect(alarm).toMatchObject({
      ComparisonOperator: 'GreaterThanOrEqualToThreshold', EvaluationPeriods: 1, TreatMissingData: 'notBreaching',
    }));
  });

  test('says in each what it means and what to do', () => {
    const descriptions = Object.values(alarmsWith()).map(({ AlarmDescription }) => AlarmDescription as string);
    expect(descriptions.map(text => text.split(':')[0])).toEqual([
      'critical',
      'critical',
      'critical',
      'warning',
      'critical',
    ]);
    expect(descriptions[0]).toBe(
      'critical: IAM does not allow rds-db:connect to a principal that signs in with a token, again and again. '
      + 'The log iam-db-auth-error names the caller: see who may sign in with grantConnect',
    );
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    expect(Math.max(...descriptions.map(text => text.length))).toBeLessThanOrEqual(1_024);
  });

  test('of several instances looks at their sum, and for the limit of one instance at their maximum', () => {
    const expressionsIn = (metrics: { readonly Expression?: string }[]) =>
      metrics.flatMap(({ Expression }) => Expression ?? []);
    const alarms = alarmsWith(withReaders(1));
    expect(Object.entries(alarms).map(([id, { Metrics = [] }]) => [id, ...expressionsIn(Metrics as [])])).toEqual([
      ['SignInsNotAllowed', 'SUM(METRICS())'],
      ['TokensRefused', 'SUM(METRICS())'],
      ['SignInsThrottled', 'SUM(METRICS())'],
      ['SignInsNearLimit', 'MAX(METRICS())'],
      ['ProvisionerFailed'],
    ]);
  });

  test('takes ten instances, and no more', () => {
    expect(Object.keys(alarmsWith(withReaders(9)))).toHaveLength(5);
    const other = new Stack(app, 'Other');
    const readers = Array.from({ length: 10 }, (_, n) => rds.ClusterInstance.serverlessV2(`reader${n}`));
    const iamAuth = new AuroraIamAuth(other, 'IamAuth', { cluster: newCluster(other, 'Cluster', { readers }) });
    iamAuth.addUser('app');
    expect(() => iamAuth.addAlarms()).toThrow(
      'cluster Other/Cluster has 11 instances, and an alarm takes 10 metrics at the most; '
      + 'create alarms of your own from the metrics of AWS/RDS',
    );
  });

  test('leaves out the provisioner where it is told to, as for users in another stack', () => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
    expect(iamAuth.addAlarms({ withoutProvisioner: true })).toHaveLength(4);
    expect(Object.keys(resourcesOf(stack, 'AWS::Logs::MetricFilter'))).toEqual([]);
    expect(Object.keys(resourcesOf(stack, 'AWS::Lambda::Function'))).toEqual([]);
  });

  test('does what the action says', () => {
    const alarms = alarmsWith(undefined, { action: new SnsAction(new sns.Topic(stack, 'Topic')) });
    expect(Object.values(alarms).map(({ AlarmActions }) => AlarmActions)).toEqual(Array(5).fill([reference(/^Topic/)]));
  });

  test.each<Version>([2, 3])('with an action is no finding of cdk-nag %s', (version) => {
    const cluster = newCluster(stack);
    iamAuthWith(cluster).addAlarms({ action: new SnsAction(new sns.Topic(stack, 'Topic')) });
    expect(findingsOf(version, app).filter(({ path }) => path.includes('/Alarms/'))).toEqual([]);
  });
});
