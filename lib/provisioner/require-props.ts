import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import { requireFlag, requireKind, requireList, requireOneOf, requireOptions, requireText } from '../model/types';

/** What an app says of where users are created, and how, as JavaScript may pass it. */
interface UncheckedProps {
  readonly database?: unknown;
  readonly vpc?: unknown;
  readonly vpcSubnets?: unknown;
  readonly securityGroups?: unknown;
  readonly provisioner?: unknown;
}

/** Refuses what is of a wrong type, which would be a TypeError of CDK, or count as if it were not there. */
export function requireProps(
  scope: IConstruct,
  { database, vpc, vpcSubnets, securityGroups, provisioner }: UncheckedProps,
): void {
  if (database !== undefined) {
    requireText(scope, 'database', database);
  }
  requireKind(scope, 'vpc', vpc, 'selectSubnets', 'a VPC', 'an ec2.Vpc, or ec2.Vpc.fromLookup(...)');
  if (vpcSubnets !== undefined) {
    requireOptions(scope, 'vpcSubnets', vpcSubnets);
  }
  if (securityGroups !== undefined) {
    requireList(scope, 'securityGroups', securityGroups);
    (securityGroups as unknown[]).forEach(group =>
      requireKind(
        scope,
        'an item of securityGroups',
        group ?? null,
        'securityGroupId',
        'a security group',
        'an ec2.SecurityGroup, or ec2.SecurityGroup.fromSecurityGroupId(...)',
      ),
    );
  }
  if (provisioner !== undefined) {
    requireOptions(scope, 'provisioner', provisioner);
    requireProvisionerOptions(scope, provisioner as Record<string, unknown>);
  }
}

/** The numbers, the file and the family of the runtime have rules of their own. */
function requireProvisionerOptions(scope: IConstruct, options: Record<string, unknown>): void {
  const { logGroup, runtime, caCertificates, ipv6AllowedForDualStack, tracing, deadLetterQueue, frameworkInVpc }
    = options;
  requireKind(
    scope,
    'logGroup',
    logGroup,
    'logGroupArn',
    'a log group',
    'a logs.LogGroup, or logs.LogGroup.fromLogGroupName(...)',
  );
  requireOneOf(
    scope,
    'runtime',
    runtime,
    value => typeof (Object(value) as Partial<lambda.Runtime>).name === 'string',
    'a runtime',
    'lambda.Runtime.NODEJS_24_X, or another one',
  );
  if (caCertificates !== undefined) {
    requireText(scope, 'caCertificates', caCertificates);
  }
  requireFlag(scope, 'ipv6AllowedForDualStack', ipv6AllowedForDualStack);
  requireOneOf(
    scope,
    'tracing',
    tracing,
    value => Object.values<unknown>(lambda.Tracing).includes(value),
    'a way of tracing',
    'lambda.Tracing.ACTIVE, or another one',
  );
  requireKind(
    scope,
    'deadLetterQueue',
    deadLetterQueue,
    'queueArn',
    'a queue',
    'a sqs.Queue, or sqs.Queue.fromQueueArn(...)',
  );
  requireFlag(scope, 'frameworkInVpc', frameworkInVpc);
}
