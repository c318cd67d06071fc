import { AwsAnswer, AwsService, failure } from './aws-endpoint';
import { Invocation } from './lambda-function';
import { Authorize } from './secrets-manager';

const PATH = /^\/2015-03-31\/functions\/([^/?]+)(\/invocations)?(\?.*)?$/;

export interface Functions {
  /** By name or ARN; undefined if there is none at this moment. */
  find(name: string): { readonly arn: string } | undefined;
  invoke(arn: string, event: unknown): Promise<Invocation>;
}

/** Invoke, which waits for the answer, and GetFunction, for whom policies allow them. */
export function lambdaService(functions: Functions, authorize: Authorize): AwsService {
  return async ({ method, path, body, accessKeyId }) => {
    const [, name, invocations] = PATH.exec(path) ?? [];
    const action = method === 'POST' && invocations ? 'InvokeFunction' : method === 'GET' && name && !invocations ? 'GetFunction' : undefined;
    if (action === undefined) {
      return undefined;
    }
    const { arn } = functions.find(decodeURIComponent(name)) ?? {};
    if (arn === undefined) {
      return failure(404, 'ResourceNotFoundException', `Function not found: ${decodeURIComponent(name)}`);
    }
    if (!authorize(accessKeyId, `lambda:${action}`, arn)) {
      return failure(403, 'AccessDeniedException', `not authorized to perform: lambda:${action} on resource: ${arn} because no identity-based policy allows the lambda:${action} action`);
    }
    return action === 'GetFunction' ? { status: 200, body: { Configuration: { FunctionArn: arn, State: 'Active' } } } : answerOf(await functions.invoke(arn, body === '' ? {} : JSON.parse(body)));
  };
}

/** An error of the function is no error of the call. */
function answerOf({ result, error }: Invocation): AwsAnswer {
  return error
    ? { status: 200, body: { errorType: error.name, errorMessage: error.message, trace: error.trace }, headers: { 'X-Amz-Function-Error': 'Unhandled' } }
    : { status: 200, body: result ?? null };
}
