import { type CfnResource, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge, onAllResources } from './acknowledgements';
import { viaService } from './via-service';
import { neverRetain } from '../database/removal-policies';
import type { ProvisionerOptions } from '../provisioner-options';

export interface FunctionRoleProps extends Pick<ProvisionerOptions, 'tracing' | 'deadLetterQueue'> {
  readonly logGroup: logs.ILogGroup;
  readonly inVpc: boolean;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions */
const NETWORK_INTERFACES = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * The role of one of our functions, and its only policy: a managed one of this app, because many rules allow neither
 * inline policies nor those of AWS. All that is in it is said here and where the role is used; CDK adds nothing.
 */
export class FunctionRole {
  public readonly role: iam.Role;
  /** What is granted to it, the role may do. */
  public readonly policy: iam.ManagedPolicy;

  constructor(scope: Construct, id: string, { logGroup, inVpc, tracing, deadLetterQueue }: FunctionRoleProps) {
    this.role = new iam.Role(scope, id, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    // Below the role, so that who waits for the role waits for what it may do.
    this.policy = new iam.ManagedPolicy(this.role, 'Policy', { roles: [this.role] });
    const resource = this.policy.node.defaultChild as CfnResource | undefined; // none with iam.Role.customizeRoles()
    if (resource) {
      neverRetain(
        resource,
        'a function that is retained with it would keep its access to the database; take the override out',
      );
    }
    const reasons: string[] = [];
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn);
    if (inVpc) {
      this.allowNetworkInterfaces();
      reasons.push(
        'Lambda needs the actions on network interfaces on all resources, as AWS documents it. The code of the function is denied them.',
      );
    }
    if (tracing === lambda.Tracing.ACTIVE || tracing === lambda.Tracing.PASS_THROUGH) {
      // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
      this.allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*');
      reasons.push('X-Ray has no resources to send traces to.');
    }
    if (deadLetterQueue) {
      this.allowSending(deadLetterQueue);
    }
    if (reasons.length > 0) {
      acknowledge(this.policy, onAllResources(...reasons));
    }
  }

  /** For the function. CDK would add to it what the policy has already, inline. */
  public get forFunction(): iam.IRole {
    return this.role.withoutPolicyUpdates();
  }

  public allow(actions: string[], resource: string): void {
    this.policy.addStatements(new iam.PolicyStatement({ actions, resources: [resource] }));
  }

  /** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html */
  private allowSending({ queueArn, encryptionMasterKey, env }: sqs.IQueue): void {
    this.allow(['sqs:SendMessage'], queueArn);
    if (encryptionMasterKey) {
      this.policy.addStatements(new iam.PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [encryptionMasterKey.keyArn],
        conditions: { StringEquals: viaService('sqs', env.region) },
      }));
    }
  }

  /**
   * For Lambda, which makes them with this role, and not for the code that runs: only its calls come with an ARN of a
   * function.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice-security
   */
  private allowNetworkInterfaces(): void {
    const { partition, region, account } = Stack.of(this.role);
    this.allow(NETWORK_INTERFACES, '*');
    this.policy.addStatements(new iam.PolicyStatement({
      effect: iam.Effect.DENY,
      actions: NETWORK_INTERFACES,
      resources: ['*'],
      // Not of the one function, which comes after its role.
      conditions: {
        ArnLike: { 'lambda:SourceFunctionArn': `arn:${partition}:lambda:${region}:${account}:function:*` },
      },
    }));
  }
}
