import { LambdaFunction } from './lambda-function';
import { ResourceState } from './template';

export interface FunctionEnvironment {
  functionByArn(arn: string): ResourceState;
  /** Whether a role may do something at this moment. */
  allows(roleArn: string, action: string, resource: string): boolean;
  /** Folder of an asset, by its object key. */
  readonly asset: (objectKey: string) => string | undefined;
}

/**
 * The onEvent handler behind the function that a service token names. That function is the one of CDK's provider
 * framework, which is not run itself: what it does with the answer is in `custom-resource.ts`.
 */
export function onEventFunction(framework: ResourceState, environment: FunctionEnvironment): { lambda: LambdaFunction; roleArn: string } {
  const { USER_ON_EVENT_FUNCTION_ARN: onEvent, USER_IS_COMPLETE_FUNCTION_ARN: isComplete } = variablesOf(framework);
  if (onEvent === undefined || isComplete !== undefined) {
    throw new Error(`${framework.logicalId} is not rehearsed: it is not CDK's provider framework with an onEvent handler alone`);
  }
  if (!environment.allows(framework.properties.Role as string, 'lambda:InvokeFunction', onEvent)) {
    throw new Error(`AccessDeniedException: ${framework.logicalId} is not authorized to perform: lambda:InvokeFunction on resource: ${onEvent}`);
  }
  const state = environment.functionByArn(onEvent);
  return { lambda: lambdaFunction(state, environment), roleArn: state.properties.Role as string };
}

function lambdaFunction(state: ResourceState, { asset }: FunctionEnvironment): LambdaFunction {
  const { Code, Handler: handler, Timeout: timeoutSeconds = 3 } = state.properties;
  const code = asset((Code as { S3Key?: string }).S3Key ?? '');
  if (code === undefined) {
    throw new Error(`code of ${state.logicalId} is not rehearsed: it is not an asset of the app`);
  }
  return {
    name: state.physicalId,
    arn: state.attributes.Arn as string,
    handler: handler as string,
    code,
    timeoutSeconds: Number(timeoutSeconds),
    environment: variablesOf(state),
  };
}

function variablesOf({ properties }: ResourceState): Record<string, string> {
  return (properties.Environment as { Variables?: Record<string, string> } | undefined)?.Variables ?? {};
}
