import { RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as cr from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';

/** A log of its own, which is kept for a month, or until the stack is deleted. */
export function newLogGroup(scope: Construct, id: string): logs.LogGroup {
  return new logs.LogGroup(scope, id, { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
}

/** The role of a function that may write this log, and nothing else. */
export function newFunctionRole(scope: Construct, id: string, logGroup: logs.LogGroup): iam.Role {
  const role = new iam.Role(scope, id, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  role.addToPolicy(new iam.PolicyStatement({
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [logGroup.logGroupArn],
  }));
  return role;
}

/** CDK's provider framework in front of a handler, which it may invoke, and nothing else. It runs outside of any VPC. */
export function newProvider(scope: Construct, handler: lambda.Function): cr.Provider {
  const logGroup = newLogGroup(scope, 'FrameworkLogs');
  const role = newFunctionRole(scope, 'FrameworkRole', logGroup);
  role.addToPolicy(new iam.PolicyStatement({
    actions: ['lambda:InvokeFunction', 'lambda:GetFunction'],
    resources: [handler.functionArn],
  }));
  return new cr.Provider(scope, 'Provider', {
    onEventHandler: handler,
    frameworkOnEventRole: role.withoutPolicyUpdates(), // the framework would add every version of the function
    logGroup,
  });
}
