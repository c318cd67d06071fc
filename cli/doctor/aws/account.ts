/** What AWS answers to the credentials that are here. Nothing is changed, and no secret is read. */
import { CloudFormationClient, DescribeStackResourceCommand, ListExportsCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
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
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { PolicyDocument } from '../../../rehearsal/iam/policy-document';
import { Caller, isSeen, NamedPolicy, PolicyDocuments, Seen, Simulation } from '../observations';
import { NotSeen } from '../world';

export interface AwsOptions {
  readonly region: string;
  /** @default - as the SDK finds them */
  readonly credentials?: ReturnType<typeof fromNodeProviderChain>;
  /** @default - AWS_ENDPOINT_URL, or that of AWS */
  readonly endpoint?: string;
}

/** For each call: nothing is worth waiting longer for. */
const TIMEOUT_MS = 10_000;

interface AwsError extends Error {
  readonly $response?: unknown;
}

export class AwsAccount {
  readonly credentials: ReturnType<typeof fromNodeProviderChain>;

  /** Date header of the latest answer, and when it was there, by the clock of this host. */
  private heard?: { readonly date: Date; readonly at: Date };

  private readonly settings: object;

  constructor(
    readonly region: string,
    { credentials = fromNodeProviderChain(), endpoint }: Omit<AwsOptions, 'region'>,
    private readonly now: () => Date,
  ) {
    this.credentials = credentials;
    this.settings = {
      region,
      credentials,
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 3_000, requestTimeout: TIMEOUT_MS },
      ...(endpoint === undefined ? {} : { endpoint }),
    };
  }

  /** How far the clock of this host is ahead, in seconds. A Date header has whole seconds. */
  get clockAheadSeconds(): Seen<number> {
    return this.heard
      ? { value: (this.heard.at.getTime() - this.heard.date.getTime() - 500) / 1000 }
      : { unseen: 'no answer of AWS came, whose time could be compared' };
  }

  async caller(): Promise<Seen<Caller> | { readonly refused: string }> {
    try {
      const { Arn = '', Account = '' } = await this.client(STSClient).send(new GetCallerIdentityCommand({}));
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
    return this.see('rds:DescribeDBClusters', async () => {
      const { DBClusters: [found] = [] } = await this.client(RDSClient).send(
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
    return this.see('rds:DescribeDBInstances', async () => {
      const { DBInstances: [found] = [] } = await this.client(RDSClient).send(
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
    return this.see('rds:DescribeDBProxies', async () => {
      const { DBProxies: [found] = [] } = await this.client(RDSClient).send(
        new DescribeDBProxiesCommand({ DBProxyName: name }),
      );
      return found ?? missing(`RDS has no proxy ${name} in Region ${this.region} of this account`);
    });
  }

  async proxyTargets(name: string): Promise<Seen<DBProxyTarget[]>> {
    return this.see(
      'rds:DescribeDBProxyTargets',
      async () =>
        (await this.client(RDSClient).send(new DescribeDBProxyTargetsCommand({ DBProxyName: name }))).Targets ?? [],
    );
  }

  async simulate(principal: string, action: string, resource: string): Promise<Seen<Simulation>> {
    return this.see('iam:SimulatePrincipalPolicy', async () => {
      const { EvaluationResults: [found] = [] } = await this.client(IAMClient).send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: principal,
          ActionNames: [action],
          ResourceArns: [resource],
        }),
      );
      // Results for a resource are beside that of all.
      const own = found?.ResourceSpecificResults?.find(({ EvalResourceName }) => EvalResourceName === resource);
      const decision = own?.EvalResourceDecision ?? found?.EvalDecision;
      const { AllowedByPermissionsBoundary: boundaryAllows }
        = own?.PermissionsBoundaryDecisionDetail ?? found?.PermissionsBoundaryDecisionDetail ?? {};
      return decision === undefined
        ? missing('IAM gave no decision')
        : {
            decision,
            boundaryAllows,
            organizationAllows: found?.OrganizationsDecisionDetail?.AllowedByOrganizations,
            missingContext: own?.MissingContextValues ?? found?.MissingContextValues ?? [],
          };
    });
  }

  /** With its path, which the ARN of a session lacks. */
  async role(name: string): Promise<Seen<{ readonly arn: string; readonly boundary?: string }>> {
    return this.see('iam:GetRole', async () => {
      const { Role: { Arn: arn = '', PermissionsBoundary: boundary } = {} } = await this.client(IAMClient).send(
        new GetRoleCommand({ RoleName: name }),
      );
      return { arn, boundary: boundary?.PermissionsBoundaryArn };
    });
  }

  /** All that a role has, and its boundary. */
  async policiesOfRole(name: string): Promise<Seen<PolicyDocuments>> {
    const role = await this.role(name);
    if (!isSeen(role)) {
      return role;
    }
    const iam = this.client(IAMClient);
    const names = await this.see(
      'iam:ListRolePolicies',
      async () => (await iam.send(new ListRolePoliciesCommand({ RoleName: name }))).PolicyNames ?? [],
    );
    const attached = await this.see('iam:ListAttachedRolePolicies', async () =>
      ((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: name }))).AttachedPolicies ?? []).map(
        ({ PolicyArn = '' }) => PolicyArn,
      ),
    );
    if (!isSeen(names)) {
      return names;
    }
    if (!isSeen(attached)) {
      return attached;
    }
    const inline = await all(
      names.value.map(policy =>
        this.see('iam:GetRolePolicy', async () => {
          const { PolicyDocument: text } = await iam.send(
            new GetRolePolicyCommand({ RoleName: name, PolicyName: policy }),
          );
          return { name: policy, document: documentOf(text) };
        }),
      ),
    );
    const managed = await all(attached.value.map(arn => this.managedPolicy(arn)));
    const boundary: Seen<NamedPolicy | undefined>
      = role.value.boundary === undefined ? { value: undefined } : await this.managedPolicy(role.value.boundary);
    if (!isSeen(inline)) {
      return inline;
    }
    if (!isSeen(managed)) {
      return managed;
    }
    return isSeen(boundary)
      ? { value: { policies: [...inline.value, ...managed.value], boundary: boundary.value } }
      : boundary;
  }

  async logEvents(group: string, since: Date): Promise<Seen<{ readonly at: Date; readonly text: string }[]>> {
    return this.see('logs:FilterLogEvents', async () => {
      const { events = [] } = await this.client(CloudWatchLogsClient).send(
        new FilterLogEventsCommand({ logGroupName: group, startTime: since.getTime(), limit: 1_000 }),
      );
      return events.map(({ timestamp = 0, message = '' }) => ({ at: new Date(timestamp), text: message }));
    });
  }

  async sumOfMetric(name: string, instances: readonly string[], since: Date): Promise<Seen<number>> {
    return this.see('cloudwatch:GetMetricData', async () => {
      const { MetricDataResults = [] } = await this.client(CloudWatchClient).send(
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

  /** Physical id of a resource of a stack. */
  async physicalId(stack: string, logicalId: string): Promise<Seen<string>> {
    return this.see('cloudformation:DescribeStackResource', async () => {
      const { StackResourceDetail } = await this.client(CloudFormationClient).send(
        new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: logicalId }),
      );
      return StackResourceDetail?.PhysicalResourceId ?? missing(`stack ${stack} has no resource ${logicalId}`);
    });
  }

  async exportedValue(name: string): Promise<Seen<string>> {
    return this.see('cloudformation:ListExports', async () => {
      for (let token: string | undefined, page = 0; page === 0 || token !== undefined; page++) {
        const { Exports = [], NextToken } = await this.client(CloudFormationClient).send(
          new ListExportsCommand({ NextToken: token }),
        );
        const value = Exports.find(({ Name }) => Name === name)?.Value;
        if (value !== undefined) {
          return value;
        }
        token = NextToken;
      }
      return missing(`no stack exports ${name} in Region ${this.region} of this account`);
    });
  }

  private async managedPolicy(arn: string): Promise<Seen<NamedPolicy>> {
    const iam = this.client(IAMClient);
    const version = await this.see(
      'iam:GetPolicy',
      async () => (await iam.send(new GetPolicyCommand({ PolicyArn: arn }))).Policy?.DefaultVersionId,
    );
    return isSeen(version)
      ? this.see('iam:GetPolicyVersion', async () => {
          const { PolicyVersion } = await iam.send(
            new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: version.value }),
          );
          return { name: arn.split('/').at(-1)!, document: documentOf(PolicyVersion?.Document) };
        })
      : version;
  }

  private async see<Value>(permission: string, ask: () => Promise<Value>): Promise<Seen<Value>> {
    try {
      return { value: await ask() };
    } catch (error) {
      return { unseen: reasonOf(error, permission) };
    }
  }

  private client<Client extends { middlewareStack: { add: (...args: never[]) => void } }>(
    Type: new (settings: object) => Client,
  ): Client {
    const client = new Type(this.settings);
    const listen = (next: (args: unknown) => Promise<{ response: unknown }>) => async (args: unknown) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string | undefined> };
      const date = new Date(headers?.date ?? NaN);
      this.heard = Number.isNaN(date.getTime()) ? this.heard : { date, at: this.now() };
      return result;
    };
    // Below the deserializer, which throws away the headers of errors.
    client.middlewareStack.add(...([listen, { step: 'deserialize', priority: 'low', name: 'clockOfAws' }] as never[]));
    return client;
  }
}

/** Policies come URL-encoded: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html */
function documentOf(text = ''): PolicyDocument {
  return JSON.parse(decodeURIComponent(text)) as PolicyDocument;
}

async function all<Value>(asked: Promise<Seen<Value>>[]): Promise<Seen<Value[]>> {
  const answers = await Promise.all(asked);
  return (
    answers.find((answer): answer is { unseen: string } => !isSeen(answer)) ?? {
      value: answers.flatMap(answer => (isSeen(answer) ? [answer.value] : [])),
    }
  );
}

function reasonOf(error: unknown, permission: string): string {
  const { name, message } = error as AwsError;
  if (error instanceof NotSeen) {
    return message;
  }
  if (/^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/.test(name)) {
    return `needs ${permission}`;
  }
  if (
    isCredentialsError(name)
    || /^(ExpiredToken|ExpiredTokenException|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException)$/.test(
      name,
    )
  ) {
    return 'needs credentials that AWS accepts';
  }
  if (!hasAnswer(error)) {
    return unreachable(permission.split(':')[0]);
  }
  // Of errors of AWS the name alone: their texts may have what was sent.
  return `${permission} was answered with ${name}`;
}

function isCredentialsError(name: string): boolean {
  return name === 'CredentialsProviderError' || name === 'TokenProviderError';
}

function hasAnswer(error: unknown): boolean {
  const { $response, $metadata } = error as { $response?: unknown; $metadata?: { httpStatusCode?: number } };
  return $response !== undefined || $metadata?.httpStatusCode !== undefined;
}

function unreachable(service: string): string {
  return `${service} of AWS does not answer from here`;
}

function missing(reason: string): never {
  throw new NotSeen(reason);
}
