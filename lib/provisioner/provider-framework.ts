import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import * as cr from 'aws-cdk-lib/custom-resources';
import type { Construct } from 'constructs';
import { acknowledge, ANSWERING_WITHOUT_DEAD_LETTER_QUEUE, FRAMEWORK_OUTSIDE_VPC } from './acknowledgements';
import { FunctionRole } from './function-role';
import { anyPeer } from './transport/any-peer';
import type { ProvisionerOptions } from '../provisioner-options';

export interface ProviderFrameworkProps {
  readonly handler: lambda.Function;
  /** Where the framework writes its log: with the handler. */
  readonly logGroup: logs.ILogGroup;
  /** Where it runs, if not outside of every VPC. */
  readonly network?: { readonly vpc: ec2.IVpc; readonly vpcSubnets?: ec2.SubnetSelection };
  readonly options?: ProvisionerOptions;
}

/** CDK's provider framework in front of a handler, with a role that may do no more than it does. */
export function providerFramework(
  scope: Construct,
  { handler, logGroup, network, options = {} }: ProviderFrameworkProps,
): cr.Provider {
  const role = new FunctionRole(scope, 'FrameworkRole', { ...options, logGroup, inVpc: network !== undefined });
  // GetFunction: where an invocation has failed, it waits until the handler is active, and tries again.
  role.allow(['lambda:InvokeFunction', 'lambda:GetFunction'], handler.functionArn);
  const provider = new cr.Provider(scope, 'Provider', {
    onEventHandler: handler,
    frameworkOnEventRole: role.forFunction, // the framework would add every version of the handler
    logGroup,
    // FATAL, which is CDK's own, shows nothing; from INFO on each event is logged.
    frameworkLambdaLoggingLevel: lambda.ApplicationLogLevel.ERROR,
    ...network ? { ...network, securityGroups: [securityGroup(scope, network.vpc, options)] } : {},
  });
  const framework = provider.node.findChild('framework-onEvent').node.defaultChild as lambda.CfnFunction;
  setWhatHasNoProperty(framework, handler.runtime, options);
  if (network && options.ipv6AllowedForDualStack) {
    framework.addPropertyOverride('VpcConfig.Ipv6AllowedForDualStack', true);
  }
  if (!network) {
    acknowledge(framework, FRAMEWORK_OUTSIDE_VPC);
  }
  if (!options.deadLetterQueue) {
    acknowledge(framework, ANSWERING_WITHOUT_DEAD_LETTER_QUEUE);
  }
  return provider;
}

function securityGroup(
  scope: Construct,
  vpc: ec2.IVpc,
  { ipv6AllowedForDualStack }: ProvisionerOptions,
): ec2.ISecurityGroup {
  const group = new ec2.SecurityGroup(scope, 'FrameworkSecurityGroup', {
    vpc,
    description: 'Answers CloudFormation about IAM users in PostgreSQL',
    allowAllOutbound: false,
  });
  anyPeer(ipv6AllowedForDualStack).forEach(peer =>
    group.addEgressRule(peer, ec2.Port.tcp(443), 'Calls Lambda, and answers CloudFormation through S3'),
  );
  return group;
}

/** The construct of CDK takes none of this. */
function setWhatHasNoProperty(
  framework: lambda.CfnFunction,
  runtime: lambda.Runtime,
  options: ProvisionerOptions,
): void {
  const { reservedConcurrentExecutions, tracing, deadLetterQueue } = options;
  framework.runtime = runtime.name; // older versions of CDK choose an older one
  framework.memorySize = 128; // what it has anyway; some checks want it said
  framework.reservedConcurrentExecutions = reservedConcurrentExecutions;
  framework.tracingConfig
    = tracing === undefined || tracing === lambda.Tracing.DISABLED ? undefined : { mode: tracing };
  framework.deadLetterConfig = deadLetterQueue && { targetArn: deadLetterQueue.queueArn };
}
