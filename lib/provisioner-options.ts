import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';

/**
 * What the rules of an organization may ask of the functions that create users: the one that signs in to the database, and CDK's provider framework in front of it.
 * With `SqlTransport.dataApi()` there is the first one only.
 *
 * `docs/security.md` says which checks each of these satisfies. A permissions boundary needs none of them: `iam.PermissionsBoundary.of(stack).apply(policy)` reaches the roles of both functions.
 */
export interface ProvisionerOptions {
  /**
   * The log group of both functions, for a key, a retention or a name of your own.
   *
   * The policy of a key must let CloudWatch Logs use it.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
   * @default - one log group for both functions, encrypted by CloudWatch Logs; it keeps events for a month and is deleted with the stack
   */
  readonly logGroup?: logs.ILogGroup;

  /**
   * How many executions of each function are reserved for it, which is also how many there can be at the same time.
   *
   * CloudFormation creates users side by side. Those above this number wait in a queue of Lambda, which tries them again at growing intervals, while the resource has 7 minutes to be done:
   * for many users in one deployment, choose as many as there are, or take `addUsers`, which is one.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
   * @default - what the account has
   */
  readonly reservedConcurrentExecutions?: number;

  /**
   * Whether AWS X-Ray traces both functions. Their roles get `xray:PutTraceSegments` and `xray:PutTelemetryRecords`.
   *
   * @default - as Lambda does without the property: a function does not begin a trace
   */
  readonly tracing?: lambda.Tracing;

  /**
   * A dead-letter queue for both functions, where a rule asks for one. Do not run again what is in it: CloudFormation has given it up.
   *
   * An event gets there when the function that CloudFormation invokes fails three times to answer: CDK's provider framework, or with `SqlTransport.dataApi()` the one that executes the SQL.
   * **It has a pre-signed URL**, with which CloudFormation can be told that a resource is there. Behind the framework none gets there, because that function is invoked synchronously.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
   * @default - none
   */
  readonly deadLetterQueue?: sqs.IQueue;

  /**
   * Whether CDK's provider framework runs in the VPC, too: in the same subnets, with a security group of its own that is let out to port 443.
   *
   * It calls Lambda and answers CloudFormation through S3, so the subnets need a NAT gateway, or an interface endpoint for Lambda and a gateway endpoint for S3.
   * Without a way there nobody tells CloudFormation what went wrong, and a deployment waits for 7 minutes and fails.
   *
   * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
   * @default false
   */
  readonly frameworkInVpc?: boolean;
}
