import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as events from 'aws-cdk-lib/aws-events';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';

/**
 * What the rules of an organization may ask of the functions that create users: the one that signs in to the database,
 * and CDK's provider framework in front of it. With `SqlTransport.dataApi()` there is the first one only.
 *
 * `docs/security.md` says which checks each of these satisfies. A permissions boundary needs none of them:
 * `iam.PermissionsBoundary.of(stack).apply(policy)` reaches the roles of both functions.
 */
export interface ProvisionerOptions {
  /**
   * The log group of both functions, for a key, a retention or a name of your own.
   *
   * The policy of a key must let CloudWatch Logs use it.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
   * @default - one log group for both functions, encrypted by CloudWatch Logs; it keeps events for a month and is
   * deleted with the stack
   */
  readonly logGroup?: logs.ILogGroup;

  /**
   * The runtime of all functions, for Regions that do not have the default: Node.js 22 or newer.
   *
   * @default - `nodejs24.x`. In a stack whose Region is known and is not of the partition `aws`, such as China and
   * GovCloud: the newest one that aws-cdk-lib knows for it, and `nodejs22.x` at least
   */
  readonly runtime?: lambda.Runtime;

  /**
   * Path of a file with certificate authorities in PEM format, such as a downloaded bundle of RDS. It becomes part of
   * the function, which then trusts exactly these: for Regions whose authorities are not in Lambda's runtime yet.
   *
   * Not with `SqlTransport.dataApi()`.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
   * @default - `/var/runtime/ca-cert.pem`, which comes with Lambda's runtime for Node.js
   */
  readonly caCertificates?: string;

  /**
   * Whether the functions in the VPC also use IPv6. Their subnets must be dual-stack, and security groups of their own
   * are let out to port 443 over both families.
   *
   * Needed where the database, or the way to Secrets Manager, is reached over IPv6 alone.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-ipv6
   * @default false
   */
  readonly ipv6AllowedForDualStack?: boolean;

  /**
   * How many executions of each function are reserved for it, which is also how many there can be at the same time.
   *
   * CloudFormation creates `concurrentUsers` side by side. Those above this number would wait in a queue of Lambda,
   * which tries them again at growing intervals, while the resource has 16 minutes to be done. So fewer than
   * `concurrentUsers` are an error, and without that there are no more users at the same time than this number.
   *
   * An account that is new has 10 executions and cannot reserve any.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
   * @default - what the account has
   */
  readonly reservedConcurrentExecutions?: number;

  /**
   * How many users and group roles of a database CloudFormation creates, changes or removes at the same time, in one
   * stack.
   *
   * In the database they take turns anyway. But each takes two executions of Lambda while it waits for its turn, the
   * framework's and the handler's, and the account's other functions have these less. A new account has
   * 10 executions in all, and more than half of 10 users at the same time would fail with `TooManyRequestsException`.
   *
   * Above this number, each user waits for the one that many places before it (`DependsOn`), unless the app makes it
   * wait for that one already. One that is added in between moves these dependencies for those after it, which
   * `cdk diff` shows and nothing is updated for. Pass more for hundreds of users in an account with the usual 1,000
   * executions, or take `addUsers`, which is one resource.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
   * @default - 4, or `reservedConcurrentExecutions` if that is less
   */
  readonly concurrentUsers?: number;

  /**
   * Whether AWS X-Ray traces both functions. Their roles get `xray:PutTraceSegments` and `xray:PutTelemetryRecords`.
   *
   * @default - as Lambda does without the property: a function does not begin a trace
   */
  readonly tracing?: lambda.Tracing;

  /**
   * A dead-letter queue for both functions, where a rule asks for one. Do not run again what is in it: CloudFormation
   * has given it up.
   *
   * An event gets there when the function that CloudFormation invokes fails three times to answer: CDK's provider
   * framework, or with `SqlTransport.dataApi()` the one that executes the SQL. **It has a pre-signed URL**, with which
   * CloudFormation can be told that a resource is there. Behind the framework none gets there, because that function is
   * invoked synchronously.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
   * @default - none
   */
  readonly deadLetterQueue?: sqs.IQueue;

  /**
   * Whether CDK's provider framework runs in the VPC, too: in the same subnets, with a security group of its own that
   * is let out to port 443.
   *
   * It calls Lambda and answers CloudFormation through S3, so the subnets need a NAT gateway, or an interface endpoint
   * for Lambda and a gateway endpoint for S3. Without a way there CloudFormation is not told what went wrong, and a
   * deployment waits for 16 minutes and fails.
   *
   * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
   * @default false
   */
  readonly frameworkInVpc?: boolean;
}

/** When roles are compared with what is declared, and who is told. */
export interface CheckDriftOptions {
  /**
   * When they are compared, such as `Schedule.cron({ hour: '6', minute: '0' })`, in UTC.
   *
   * A check opens a connection: it wakes an Aurora Serverless v2 cluster that has paused.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
   */
  readonly schedule: events.Schedule;

  /**
   * What the alarm does when it is raised, such as `new SnsAction(topic)` of `aws-cloudwatch-actions`.
   *
   * @default - nothing: it is seen in the console alone
   */
  readonly action?: cloudwatch.IAlarmAction;
}
