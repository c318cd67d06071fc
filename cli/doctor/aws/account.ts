/** What AWS answers to the credentials that are here. Nothing is changed, and no secret is read. */
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DBCluster,
  DBInstance,
  DBProxy,
  DBProxyTarget,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBProxiesCommand,
  DescribeDBProxyTargetsCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { AwsApi, AwsOptions, hasAnswer, isCredentialsError, missing, unreachable } from './api';
import { IamPolicies } from './iam';
import { DeployedResources } from './stacks';
import { Caller, isSeen, Seen } from '../observations';

/**
 * A database that has paused takes half a minute to wake up, and a function in a VPC some seconds to start. One
 * attempt: the function tries again itself.
 */
const INVOCATION = { maxAttempts: 1, requestHandler: { connectionTimeout: 3_000, requestTimeout: 90_000 } };

export class AwsAccount {
  readonly iam: IamPolicies;
  readonly stacks: DeployedResources;
  private readonly api: AwsApi;

  constructor(
    readonly region: string,
    options: Omit<AwsOptions, 'region'>,
    private readonly now: () => Date,
  ) {
    this.api = new AwsApi(region, options, now);
    this.iam = new IamPolicies(this.api);
    this.stacks = new DeployedResources(this.api);
  }

  get credentials(): AwsApi['credentials'] {
    return this.api.credentials;
  }

  get clockAheadSeconds(): Seen<number> {
    return this.api.clockAheadSeconds;
  }

  async caller(): Promise<Seen<Caller> | { readonly refused: string }> {
    try {
      const { Arn = '', Account = '' } = await this.api.client(STSClient).send(new GetCallerIdentityCommand({}));
      return { value: { arn: Arn, account: Account } };
    } catch (error) {
      const { name } = error as Error;
      if (isCredentialsError(name)) {
        return { refused: 'none' };
      }
      return hasAnswer(error) ? { refused: name } : { unseen: unreachable('sts') };
    }
  }

  async cluster(request: { readonly identifier: string } | { readonly resourceId: string }): Promise<Seen<DBCluster>> {
    return this.api.see('rds:DescribeDBClusters', async () => {
      const { DBClusters: [found] = [] } = await this.api.client(RDSClient).send(
        new DescribeDBClustersCommand(
          'identifier' in request
            ? { DBClusterIdentifier: request.identifier }
            : { Filters: [{ Name: 'db-cluster-resource-id', Values: [request.resourceId] }] },
        ),
      );
      return found ?? missing(`RDS has no such cluster in Region ${this.region} of this account`);
    });
  }

  async instance(
    request: { readonly identifier: string } | { readonly resourceId: string },
  ): Promise<Seen<DBInstance>> {
    return this.api.see('rds:DescribeDBInstances', async () => {
      const { DBInstances: [found] = [] } = await this.api.client(RDSClient).send(
        new DescribeDBInstancesCommand(
          'identifier' in request
            ? { DBInstanceIdentifier: request.identifier }
            : { Filters: [{ Name: 'dbi-resource-id', Values: [request.resourceId] }] },
        ),
      );
      return found ?? missing(`RDS has no such instance in Region ${this.region} of this account`);
    });
  }

  async proxy(name: string): Promise<Seen<DBProxy>> {
    return this.api.see('rds:DescribeDBProxies', async () => {
      const { DBProxies: [found] = [] } = await this.api.client(RDSClient).send(
        new DescribeDBProxiesCommand({ DBProxyName: name }),
      );
      return found ?? missing(`RDS has no proxy ${name} in Region ${this.region} of this account`);
    });
  }

  async proxyTargets(name: string): Promise<Seen<DBProxyTarget[]>> {
    return this.api.see(
      'rds:DescribeDBProxyTargets',
      async () =>
        (await this.api.client(RDSClient).send(new DescribeDBProxyTargetsCommand({ DBProxyName: name }))).Targets ?? [],
    );
  }

  async logEvents(group: string, since: Date): Promise<Seen<{ readonly at: Date; readonly text: string }[]>> {
    return this.api.see('logs:FilterLogEvents', async () => {
      const { events = [] } = await this.api.client(CloudWatchLogsClient).send(
        new FilterLogEventsCommand({ logGroupName: group, startTime: since.getTime(), limit: 1_000 }),
      );
      return events.map(({ timestamp = 0, message = '' }) => ({ at: new Date(timestamp), text: message }));
    });
  }

  async sumOfMetric(name: string, instances: readonly string[], since: Date): Promise<Seen<number>> {
    return this.api.see('cloudwatch:GetMetricData', async () => {
      const { MetricDataResults = [] } = await this.api.client(CloudWatchClient).send(
        new GetMetricDataCommand({
          StartTime: since,
          EndTime: this.now(),
          MetricDataQueries: instances.map((instance, index) => ({
            Id: `m${index}`,
            MetricStat: {
              Metric: {
                Namespace: 'AWS/RDS',
                MetricName: name,
                Dimensions: [{ Name: 'DBInstanceIdentifier', Value: instance }],
              },
              Period: 60,
              Stat: 'Sum',
            },
          })),
        }),
      );
      return MetricDataResults.flatMap(({ Values = [] }) => Values).reduce((sum, value) => sum + value, 0);
    });
  }

  /**
   * Invokes a function and waits for its answer.
   *
   * @param grant the call of this library that allows it
   */
  async invoke(arn: string, event: unknown, grant: string): Promise<Seen<unknown>> {
    const answer = await this.api.see('lambda:InvokeFunction', async () => {
      const client = this.api.client(LambdaClient, INVOCATION);
      const { Payload, FunctionError: failed } = await client.send(
        new InvokeCommand({ FunctionName: arn, Payload: Buffer.from(JSON.stringify(event)) }),
      );
      const content = JSON.parse(Buffer.from(Payload ?? []).toString() || 'null') as unknown;
      if (failed !== undefined) {
        const { errorMessage = 'no reason' } = Object(content) as { errorMessage?: string };
        missing(`the provisioner could not look: ${errorMessage}`);
      }
      return content;
    });
    const isForbidden = !isSeen(answer) && answer.unseen === 'needs lambda:InvokeFunction';
    return isForbidden ? { unseen: `${answer.unseen} on ${arn}: ${grant} grants it` } : answer;
  }
}
